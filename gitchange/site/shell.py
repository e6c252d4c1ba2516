"""The theme around a page: `main.html` rendered once for each place in the site, and spliced.

Title, description and body are marked by characters that no template and no configuration can
hold; between the marks the shell is the same for every page of a folder and a section. So 10,000 pages
cost one rendering of the theme.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import jinja2
from markupsafe import escape

from gitchange.site import urls
from gitchange.site.pages import Page

_MARK = re.compile("\0(title|description|body)\0")


class Shell:
    """Puts pages into the theme."""

    def __init__(self, template: jinja2.Template, context: Callable[[str], Mapping[str, Any]]) -> None:
        """`context` gives what MkDocs gives to every template, for a page at that address."""
        self._template = template
        self._context = context
        self._shells: dict[tuple[str, str], list[str]] = {}

    def html(self, name: str, page: Page) -> str:
        """The whole page, for the file of that name."""
        pieces = list(self._pieces(name, page.section))
        values = {
            "title": str(escape(page.title)),
            "description": str(escape(page.description)),
            "body": str(page.body),
        }
        pieces[1::2] = [values[mark] for mark in pieces[1::2]]  # texts and marks alternate
        return "".join(pieces)

    def _pieces(self, name: str, section: str) -> list[str]:
        key = (urls.prefix(name), section)
        if key not in self._shells:
            generated = {"title": "\0title\0", "description": "\0description\0", "body": "\0body\0"}
            shell = self._template.render(
                {**self._context(name), "generated": {**generated, "section": section}}
            )
            self._shells[key] = _MARK.split(shell)
        return self._shells[key]
