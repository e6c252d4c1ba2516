"""The sitemap (sitemaps.org), with the day on which each page last changed.

A small site has one file. A large one has an index, a file for each block of changes, and one for all other pages, so
that a changed change costs one block.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from markupsafe import escape

from gitchange.index.place import digest
from gitchange.site import register, urls
from gitchange.site.blocks import Block, blocks
from gitchange.site.delta import Delta
from gitchange.site.output import Output
from gitchange.site.pages import Pages
from gitchange.site.site import Site

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
OTHERS = "pages"
"""Names the part with the pages that are about no change."""


def write(
    site: Site, pages: Pages, site_url: str, output: Output, theme: str, delta: Delta | None = None
) -> None:
    """Bring it up to date. `theme` names what everything is made with."""
    root = site_url.rstrip("/") + "/"

    def day(when: int) -> str:
        return f"<lastmod>{dt.datetime.fromtimestamp(when, site.zone):%Y-%m-%d}</lastmod>" if when else ""

    def file(kind: str, named: Iterable[tuple[str, int]]) -> bytes:
        item = "url" if kind == "urlset" else "sitemap"
        entries = "".join(
            f"<{item}><loc>{escape(root + name)}</loc>{day(when)}</{item}>\n" for name, when in named
        )
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="{_NAMESPACE}">\n{entries}</{kind}>\n'.encode()

    def of_changes(block: Block) -> list[tuple[str, int]]:
        return [(b.page, b.touched) for b in site.catalogue.of_paths(block.start, block.stop)]

    others = pages.dated()
    found = blocks(site.catalogue.paths, register.BLOCK)
    if len(found) < 2:
        changes = [pair for block in found for pair in of_changes(block)]
        output.only(urls.SITEMAPS, ())
        output.put(urls.SITEMAP, file("urlset", [*others, *changes]))
        return
    parts = [(urls.sitemap(OTHERS), max(when for _, when in others))]
    output.put(parts[0][0], file("urlset", others))
    for block in found:
        name = urls.sitemap(urls.block(block.prefix))
        parts.append((name, site.catalogue.touched(block.start, block.stop)))
        if delta is not None and not delta.touches(block.prefix) and output.inputs_of(name):
            continue
        named = of_changes(block)
        inputs = digest("\n".join([theme, root, *(f"{n} {when}" for n, when in named)]).encode())
        if not output.has(name, inputs):
            output.put(name, file("urlset", named), inputs)
    output.only(urls.SITEMAPS, {name for name, _ in parts})
    output.put(urls.SITEMAP, file("sitemapindex", parts))
