"""Every page is HTML as the standard has it, and what it shows can be named."""

from __future__ import annotations

from pathlib import Path

import html5lib
import pytest
from html5lib.constants import E

from tests.unit.site.reading import pages_of


def errors(html: str) -> list[str]:
    """What the HTML standard calls a parse error, with its place (13.2.2)."""
    parser = html5lib.HTMLParser()
    parser.parse(html)
    return [f"{place[0]}:{place[1]}: {E[code] % details}" for place, code, details in parser.errors]


@pytest.mark.parametrize("which", ["site", "hostile"])
def test_every_page_parses_without_an_error(request: pytest.FixtureRequest, which: str) -> None:
    """Also where every text of people tries to break out of its place."""
    site: Path = request.getfixturevalue(which)
    pages = pages_of(site)
    assert len(pages) > 10
    assert {page: found for page in pages if (found := errors((site / page).read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "html",
    [
        "<!doctype html><title>x</title><p>one</div>",
        "<!doctype html><title>x</title><a href=x><a href=y>two</a></a>",
        "<!doctype html><title>x</title><table><p>three</table>",
        '<!doctype html><title>x</title><p id="a"id="b">four',
        "<title>x</title>",
    ],
)
def test_an_error_would_be_told(html: str) -> None:
    """The parser does not pass what a browser would have to mend."""
    assert errors(html)
