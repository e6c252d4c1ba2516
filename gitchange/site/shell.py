"""The theme around a page: `main.html` rendered once for each place in the site, and spliced.

Title, description, address, feed and body are marked by characters that no template and no configuration can
hold; between the marks the shell is the same for every page of a folder and a section. So 10,000 pages
cost one rendering of the theme.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from markupsafe import Markup, escape

from gitchange.site import urls
from gitchange.site.markdown import plain
from gitchange.site.pages import Page

_MARK = re.compile("\0(title|description|address|feed|body)\0")


class Shell:
    """Puts pages into the theme."""

    def __init__(self, template: jinja2.Template, context: Callable[[str], Mapping[str, Any]]) -> None:
        """`context` gives what MkDocs gives to every template, for a page at that address."""
        self._template = template
        self._context = context
        self._shells: dict[tuple[str, str], list[str]] = {}
        self._digests: dict[tuple[str, str], str] = {}

    def html(self, name: str, page: Page) -> str:
        """The whole page, for the file of that name."""
        pieces = list(self._pieces(name, page.section))
        values = {
            "title": str(escape(plain(page.title))),
            "description": str(escape(plain(page.description))),
            "address": str(escape(name)),
            "feed": self._feed(name, page),
            "body": str(page.body),
        }
        pieces[1::2] = [values[mark] for mark in pieces[1::2]]  # texts and marks alternate
        return "".join(pieces)

    @staticmethod
    def _feed(name: str, page: Page) -> str:
        """The link by which feed readers find what the page is about."""
        if not page.feed:
            return ""
        return str(
            Markup('<link rel="alternate" type="application/atom+xml" title="{}" href="{}{}">\n').format(
                plain(page.title), urls.prefix(name), page.feed
            )
        )

    def digest(self, name: str, section: str) -> str:
        """Names the theme around that page."""
        key = (urls.prefix(name), section)
        if key not in self._digests:
            around = "\0".join(self._pieces(name, section))
            self._digests[key] = hashlib.blake2b(
                around.encode("utf-8", "replace"), digest_size=12
            ).hexdigest()
        return self._digests[key]

    def _pieces(self, name: str, section: str) -> list[str]:
        key = (urls.prefix(name), section)
        if key not in self._shells:
            # As markup: what is text has its control characters shown.
            marks = ("title", "description", "address", "feed", "body")
            generated = {mark: Markup(f"\0{mark}\0") for mark in marks}  # noqa: S704 - no text of anybody's
            shell = self._template.render(
                {**self._context(name), "generated": {**generated, "section": section}}
            )
            self._shells[key] = _MARK.split(shell)
        return self._shells[key]
