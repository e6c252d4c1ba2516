"""Reads a built site as a browser would, strictly: structure, links, ids, what it loads."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

NOT_FOUND = "404.html"
VOID = {"meta", "link", "br", "hr", "img", "input", "circle", "path"}


@dataclass
class Reading(HTMLParser):
    """What one page holds; `problems` tells where its tags do not match."""

    page: str
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if len(given) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if "id" in given:
            self.ids.append(str(given["id"]))
        if tag in ("dd", "td", "li", "p"):
            self.text += " "
        if tag == "a":
            self.links.append(str(given["href"]))
        elif tag == "link" and given.get("rel") == "canonical":
            pass  # says where the page is
        elif tag == "link" and given.get("rel") == "alternate":
            self.links.append(str(given["href"]))
        elif tag in ("link", "script", "img", "iframe") and (
            address := given.get("href") or given.get("src")
        ):
            self.loads.append(address)
        if tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes something else at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text += data
        if any(tag in ("h1", "h2", "h3", "h4", "h5", "h6") for tag in self._open):
            level, words = self.headings[-1]
            self.headings[-1] = (level, words + data)

    def close(self) -> None:
        super().close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]


def read_page(site: Path, page: str) -> Reading:
    """One page, read."""
    reading = Reading(page)
    reading.feed((site / page).read_text("utf-8"))
    reading.close()
    return reading


def pages_of(site: Path) -> list[str]:
    """Every page of the site."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def _path_of(reading: Reading) -> str:
    """Where the site is, by what a page that is shown in any place loads."""
    return next(name for name in reading.loads if name.endswith("assets/site.css")).removesuffix(
        "assets/site.css"
    )


def broken_links(site: Path) -> list[str]:
    """Every internal address that leads nowhere, and every one that would not work below a sub-path."""
    readings = {page: read_page(site, page) for page in pages_of(site)}
    broken: list[str] = []
    for page, reading in readings.items():
        root = _path_of(reading) if page == NOT_FOUND else ""  # it is shown at any address
        for address in (given.removeprefix(root) for given in (*reading.links, *reading.loads)):
            parts = urlsplit(address)
            if parts.scheme in ("http", "https", "mailto"):
                continue
            if parts.scheme or address.startswith("/"):
                broken.append(f"{page}: {address} is not relative")
                continue
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
            target = page if not parts.path else target
            if not (site / target).is_file():
                broken.append(f"{page}: {address} leads nowhere")
            elif parts.fragment and target in readings and parts.fragment not in readings[target].ids:
                broken.append(f"{page}: {address} names no id")
    return broken
