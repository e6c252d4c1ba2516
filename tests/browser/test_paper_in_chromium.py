"""What a browser prints: the evidence, without what only a screen can use. The PDF itself is read."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from gitchange.site import urls

pytestmark = pytest.mark.browser

CHANGE = urls.change("CHG-20261107-0006")

SCREEN_ONLY = (
    "Skip to the content",
    "Statistics",
    "Switch between light and dark",
    "On this page",
    "Copy",
    "Export as CSV",
    "More filters",
    "Keys",
    "Remove the filter",
    "Verify this signature",
)
"""Words of navigation, buttons and filters."""


@pytest.fixture(scope="module")
def site(example: Path) -> Path:
    """A site in which every kind of page appears."""
    return example


def printed(page: Any) -> list[str]:
    """The words of each sheet, with single blanks."""
    from pypdf import PdfReader  # noqa: PLC0415 - an optional dependency, as the browser is

    sheets = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    # Fonts have signs of their own for two letters; NFKC gives the letters.
    return [re.sub(r"\s+", " ", unicodedata.normalize("NFKC", sheet.extract_text())) for sheet in sheets]


def test_a_change_prints_with_its_evidence(page: Any, address: str) -> None:
    """Title, id, the request, each sign-off with who, role, sentence and key, and the record."""
    page.goto(f"{address}/{CHANGE}")
    page.locator(".copy").first.wait_for(state="attached")
    sheets = printed(page)
    assert 1 < len(sheets) < 8
    text = " ".join(sheets)
    for words in (
        "Renew the wildcard certificate",
        "CHG-20261107-0006",
        "The certificate expires on 1 December.",
        "Approved by ada@example.org as change-manager",
        "Implemented by bo@example.org as developer",
        "Validated by dee@example.org as system-user",
        "I approve it.",
        "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "Reload earlier in the day.",
    ):
        assert words in text, words
    assert [words for words in SCREEN_ONLY if words in text] == []


def test_paper_is_light(page: Any, address: str) -> None:
    """Whatever the system's colours are, and whatever the reader chose for the screen."""
    colours = (
        "[...document.querySelectorAll('html, .status, .verdict, .risk')].map(e => getComputedStyle(e).color)"
    )
    page.goto(f"{address}/{CHANGE}")
    page.emulate_media(media="print")
    light = page.evaluate(colours)
    assert "rgb(0, 0, 0)" in light
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(colours) != light
    for scheme in ("dark", "light"):
        page.emulate_media(media="print", color_scheme=scheme)
        assert page.evaluate(colours) == light


def test_the_register_prints(page: Any, address: str) -> None:
    """The changes that are filtered, whole, and by what; no field and no button."""
    page.goto(f"{address}/{urls.register(system='api')}")
    page.locator(".register[data-ready]").wait_for()
    text = " ".join(printed(page))
    assert "11 of 16 changes System: Public API" in text
    ids = re.findall(r"CHG-\d{8}-\d{4}", text)
    assert ids == page.locator(".rows .what .id").all_inner_texts()
    assert len(ids) == 11
    assert "Move sessions to the new cluster" in text
    assert "documented" in text
    assert [words for words in SCREEN_ONLY if words in text] == []
