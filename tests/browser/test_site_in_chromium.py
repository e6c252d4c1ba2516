"""A built site in a real browser: from a folder and below a sub-path, without errors and without the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

CHANGE = "changes/CHG-20261107-0006.html"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(example: Path) -> Path:
    """A site in which every kind of page appears."""
    return example


both = pytest.mark.parametrize("address", ["file", "http"], indirect=True)
"""From a folder, and below a sub-path of a web server."""


def test_every_page_opens_without_errors(page: Any, site: Path, address: str) -> None:
    """Each page shows its heading in the theme's type, and nothing is wider than the window."""
    for path in sorted(site.rglob("*.html")):
        if path.name == "404.html":  # a web server's: its links begin at the root of the host
            continue
        page.goto(f"{address}/{path.relative_to(site).as_posix()}")
        assert page.locator("h1").first.is_visible()
        assert "serif" in page.eval_on_selector("h1", "e => getComputedStyle(e).fontFamily")
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)


@both
def test_links_lead_through_the_site(page: Any, address: str) -> None:
    """From the home page to a change, to its signer, and back home."""
    page.goto(f"{address}/index.html")
    page.get_by_role("link", name="Renew the wildcard certificate").first.click()
    page.wait_for_url("**/changes/CHG-20261107-0006.html")
    assert page.title() == "Renew the wildcard certificate · CHG-20261107-0006 · Acme changes"
    page.get_by_role("link", name="dee@example.org").first.click()
    page.wait_for_url("**/people/*.html")
    assert page.locator("h1").inner_text() == "dee@example.org"
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url("**/index.html")
    assert page.locator("h1").inner_text() == "Acme changes"


@both
def test_colours_follow_the_system_and_the_switch(page: Any, address: str) -> None:
    """Dark when the system is; the switch turns it, and the next page remembers."""
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    page.goto(f"{address}/index.html")
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert light != dark
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(paper) == light
    page.goto(f"{address}/{CHANGE}")
    assert page.evaluate(paper) == light


@both
def test_the_calendar_shows_a_month(page: Any, address: str) -> None:
    """As a table where there is room, as a list everywhere; today is marked by the reader's clock."""
    page.clock.set_fixed_time("2026-11-23T12:00:00")
    page.goto(f"{address}/calendar.html")
    assert page.locator("h1").inner_text() == "November 2026"
    day = page.locator("table.month [data-day='2026-11-23']")
    assert day.locator(".slot").count() == 2
    assert "today" in day.inner_text()
    assert page.locator("table.month .today").count() == 1
    page.set_viewport_size({"width": 390, "height": 900})
    assert not page.locator("table.month").is_visible()
    entry = page.locator(".agenda").get_by_role("link", name="Rotate the TLS certificate of gateway 1")
    assert entry.is_visible()
    page.get_by_role("link", name="December 2026 →").click()
    page.wait_for_url("**/calendar/2026-12.html")
    assert page.locator("h1").inner_text() == "December 2026"
    assert "end of year" in page.locator(".agenda").first.inner_text()


@both
def test_charts_are_drawn_in_the_themes_colours(page: Any, address: str) -> None:
    """In light and in dark, with their figures in a table that opens."""
    page.goto(f"{address}/statistics.html")
    fill = "getComputedStyle(document.querySelector('svg.chart rect')).fill"
    light = page.evaluate(fill)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(fill) not in (light, "rgb(0, 0, 0)")
    chart = page.locator("#throughput").locator("..")
    assert chart.get_by_role("img", name="Changes documented by month").is_visible()
    table = chart.locator("table")
    assert not table.is_visible()
    chart.locator("summary").click()
    assert table.is_visible()


def test_what_is_overdue_is_told_by_the_readers_clock(page: Any, address: str) -> None:
    """The same page says another thing a week later."""
    page.clock.set_fixed_time("2026-11-22T21:00:00Z")
    page.goto(f"{address}/index.html")
    page.wait_for_function("document.querySelector('.due')")
    before = page.locator(".due .late:visible").count()
    page.clock.set_fixed_time("2027-11-22T21:00:00Z")
    page.reload()
    after = page.locator(".due .late:visible").count()
    assert 0 < before < after == page.locator(".due li").count()
    assert page.locator("#due").inner_text() == f"Due {after} of these overdue"


def test_commands_are_copied(page: Any, address: str) -> None:
    """The button puts the whole command on the clipboard, and says so."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/{CHANGE}")
    page.get_by_text("Verify this signature").first.click()
    frame = page.locator("details[open] .copyable").first
    frame.get_by_role("button", name="Copy").click()
    frame.get_by_role("button", name="Copied").wait_for()  # copying is asynchronous; fails after 30 s
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == frame.locator("code").text_content()
    assert copied.startswith("( set -eu;")


def test_the_keyboard_reaches_the_content_first(page: Any, address: str) -> None:
    """The first stop of the tabulator is the link that skips the header."""
    page.goto(f"{address}/{CHANGE}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id == 'main'")


def test_it_works_without_javascript(chromium: Any, address: str) -> None:
    """All rows are there, and what would need a script is not shown."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/changes.html")
    assert page.locator("table.changes tbody tr").count() == 16
    for needs_scripts in ("form.filter", "form.find"):
        assert not page.locator(needs_scripts).is_visible()
    assert not page.locator(".scheme-switch").is_visible()
    page.goto(f"{address}/index.html")
    assert "due by" in page.locator(".due li").first.inner_text()
    assert page.locator(".due .late:visible").count() == 0
    context.close()
