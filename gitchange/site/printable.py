"""One change as a page of its own, for paper and for folders: no theme, no script, nothing from the network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import jinja2

from gitchange.site.change_page import change_page
from gitchange.site.markdown import Texts, plain
from gitchange.site.pages import filters
from gitchange.site.root import TEMPLATES
from gitchange.site.templating import quicken


class Printer:
    """Prints changes of one repository."""

    def __init__(self, title: str, heads: Mapping[str, str | None], zone: dt.tzinfo) -> None:
        """`title` is the repository's, `heads` what the pages were made from, by name."""
        env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
        quicken(env)
        env.filters.update(filters(Texts(), zone), plain=plain)
        self._template = env.get_template("pages/printable.html")
        self._about = {"title": title, "heads": heads}

    def html(self, shape: dict[str, Any], raw: bytes, text: Callable[[str], bytes | None]) -> str:
        """The page of a change in its documented shape; `raw` is its file, `text` gives a version by its blob."""
        return self._template.render(
            a=shape,
            change=shape["document"],
            page=change_page(shape, text=text),
            raw=raw.decode("utf-8", "replace"),
            **self._about,
        )
