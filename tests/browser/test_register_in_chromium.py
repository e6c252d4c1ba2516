"""The register in a real browser: filters, address, sorting, CSV, keyboard, thousands of rows."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from gitchange.site import register, urls
from gitchange.site.output import Output
from gitchange.site.site import Site
from tests.unit.site.builder import overview_of
from tests.unit.site.many import many

from .conftest import beside

pytestmark = pytest.mark.browser

both = pytest.mark.parametrize("address", ["file", "http"], indirect=True)
"""From a folder, and below a sub-path of a web server."""

COUNT = 5000
FORMULA = '=HYPERLINK("http://evil.example", "x")'
HOSTILE = '</script><img src=x onerror=alert(1)> \u202e, "quoted"'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, example: Path) -> Path:
    """The example with its register, and a site beside it with the register of thousands."""
    output = beside(example, tmp_path_factory)
    large = output / "large"
    (large / urls.DATA).mkdir(parents=True)
    for name in ("assets", "changes.html"):
        (large / name).symlink_to(output / name)
    odd = {3: {"title": FORMULA}, COUNT - 2: {"title": HOSTILE}, 7: {"title": "Réparer le café"}}
    catalogue = many(COUNT, odd)
    catalogue.briefs[0].due = 1_900_000_000  # a day in 2030
    register.write(Site(overview_of(), catalogue), Output(large), "theme")
    return output


@pytest.fixture(params=["changes.html"])
def large(page: Any, address: str) -> Any:
    """The register of thousands, read."""
    page.goto(f"{address}/large/changes.html")
    ready(page)
    return page


def ready(page: Any) -> None:
    page.locator(".register[data-ready]").wait_for()


def rows(page: Any) -> Any:
    return page.locator(".rows tbody tr[data-place]")


def hits(page: Any) -> str:
    return str(page.locator(".hits").inner_text())


def first(page: Any) -> str:
    return str(rows(page).first.locator("a").inner_text())


@both
def test_filters_are_kept_in_the_address(page: Any, address: str) -> None:
    """Together they leave what fits all; the address opens the same again, and each can be taken back."""
    page.goto(f"{address}/changes.html")
    ready(page)
    assert hits(page) == "16 changes"
    page.get_by_label("Words in the title or id").fill("CERTIFICATE api")
    page.wait_for_url("**/changes.html?q=CERTIFICATE+api")
    assert page.locator(".chip").count() == 1
    page.get_by_label("Words in the title or id").fill("certificate")
    page.get_by_label("Status").select_option("documented")
    page.wait_for_url("**/changes.html?q=certificate&status=documented")
    assert rows(page).count() == 1
    assert "Renew the wildcard certificate" in first(page)
    assert hits(page) == "1 of 16 changes"
    page.reload()
    ready(page)
    assert hits(page) == "1 of 16 changes"
    assert page.get_by_label("Status").input_value() == "documented"
    page.get_by_role("button", name="Remove the filter Words: certificate").click()
    page.wait_for_url("**/changes.html?status=documented")
    page.get_by_role("button", name="Clear filters").first.click()
    assert hits(page) == "16 changes"
    assert page.url.endswith("/changes.html")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("status=unreadable", 2),
        ("system=database", 3),
        ("risk=critical", 1),
        ("type=emergency", 1),
        ("requester=cy@example.org&customer=no", 1),
        ("person=dee@example.org&status=validated", 1),
        ("waiting=ada@example.org&status=requested", 2),
        ("from=2026-11-07&to=2026-11-07", 0),
        ("status=no-such", 0),
    ],
)
def test_addresses_of_other_pages_filter(page: Any, address: str, query: str, count: int) -> None:
    """What `urls.register` makes is understood, and what nothing fits says so."""
    page.goto(f"{address}/changes.html?{query}")
    ready(page)
    assert hits(page) == f"{count} of 16 changes"
    assert page.locator(".register .empty").is_visible() == (count == 0)


def test_back_and_forward(large: Any) -> None:
    """A change that was opened leads back to the same rows, filtered, sorted and scrolled."""
    large.get_by_label("Risk").select_option("high")
    large.get_by_role("columnheader", name="Status").get_by_role("button").click()
    large.wait_for_url("**/changes.html?risk=high&sort=status")
    for _ in range(30):
        large.keyboard.press("PageDown") if _ else rows(large).first.locator(".state").click()
    before = large.evaluate("document.activeElement.querySelector('a').textContent")
    assert large.evaluate("document.querySelector('.rows').scrollTop") > 5000
    large.goto(large.url.replace("large/changes.html", "index.html"))
    large.go_back()
    ready(large)
    assert large.url.endswith("?risk=high&sort=status")
    assert large.locator(".rows tr[tabindex='0'] a").inner_text() == before
    large.go_forward()
    large.wait_for_url("**/index.html**")


def test_the_reader_s_clock_tells_what_is_overdue(page: Any, address: str) -> None:
    """A change that was in time when the site was built is overdue years later."""
    page.clock.set_fixed_time(dt.datetime(2029, 1, 1, tzinfo=dt.UTC))
    page.goto(f"{address}/large/changes.html?attention=1")
    ready(page)
    assert rows(page).count() == 0
    page.clock.set_fixed_time(dt.datetime(2031, 1, 1, tzinfo=dt.UTC))
    page.reload()
    ready(page)
    assert rows(page).count() == 1
    assert "overdue" in rows(page).first.inner_text()


def test_only_seen_rows_are_in_the_page(large: Any) -> None:
    """Thousands scroll; which of them a row is, is told to screen readers."""
    assert hits(large) == f"{COUNT:,} changes"
    table = large.get_by_role("grid", name="All changes")
    assert table.get_attribute("aria-rowcount") == str(COUNT + 1)
    assert rows(large).count() < 60
    large.evaluate("document.querySelector('.rows').scrollTop = 1e9")
    last = large.locator(f"tr[aria-rowindex='{COUNT + 1}']")
    last.wait_for()
    assert "Change number 0 " in last.inner_text()
    assert rows(large).count() < 60


def test_the_keyboard_moves_through_rows(large: Any) -> None:
    """From the field down, row by row, to the end; the focus stays where it is when the row is scrolled away."""
    focused = "document.activeElement.getAttribute('aria-rowindex')"
    large.keyboard.press("/")
    assert large.evaluate("document.activeElement.name") == "q"
    for key, index in (
        ("ArrowDown", 2),
        ("j", 3),
        ("ArrowDown", 4),
        ("k", 3),
        ("End", COUNT + 1),
        ("Home", 2),
    ):
        large.keyboard.press(key)
        assert large.evaluate(focused) == str(index), key
    large.evaluate("document.querySelector('.rows').scrollTop = 50000")
    large.locator("tr[aria-rowindex='720']").wait_for()
    assert large.evaluate(focused) == "2"
    large.keyboard.press("ArrowDown")
    assert large.evaluate(focused) == "3"
    assert large.locator("tr[aria-rowindex='3']").is_visible()
    large.keyboard.press("ArrowUp")
    large.keyboard.press("ArrowUp")
    large.keyboard.type("number 4999")
    large.wait_for_url("**?q=number+4999")
    large.keyboard.press("Escape")
    large.wait_for_url("**/changes.html")
    assert hits(large) == f"{COUNT:,} changes"


def test_enter_opens_the_change(page: Any, address: str) -> None:
    """A row is opened by Enter, a title by a click."""
    page.goto(f"{address}/changes.html?q=wildcard")
    ready(page)
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/changes/CHG-20261107-0006.html")


def test_columns_are_sorted(large: Any) -> None:
    """By clicking on a head or with the keyboard; the direction is told."""
    assert "Change number 4999 " in first(large)
    head = large.get_by_role("columnheader", name="Requested")
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").focus()
    large.keyboard.press("Enter")
    large.wait_for_url("**?sort=requested")
    assert head.get_attribute("aria-sort") == "ascending"
    assert "Change number 0 " in first(large)
    large.get_by_role("columnheader", name="Risk").get_by_role("button").click()
    assert (head.get_attribute("aria-sort"), rows(large).first.locator(".risk").first.text_content()) == (
        None,
        "high",
    )
    assert large.locator(".said").inner_text() == "Sorted by risk, descending"
    large.get_by_role("columnheader", name="Change").get_by_role("button").click()
    assert HOSTILE.replace("\u202e", "⟦U+202E⟧") in first(large)


def test_what_is_filtered_is_exported(large: Any, tmp_path: Path) -> None:
    """As CSV that a spreadsheet reads as text: no cell begins like a formula."""
    large.get_by_label("Words in the title or id").fill("http")
    large.wait_for_url("**?q=http")
    with large.expect_download() as download:
        large.get_by_role("button", name="Export as CSV").click()
    download.value.save_as(tmp_path / "changes.csv")
    with (tmp_path / "changes.csv").open(newline="", encoding="utf-8-sig") as file:
        table = list(csv.reader(file))
    assert len(table) == 2
    row = dict(zip(*table, strict=True))
    assert (row["title"], row["status"], row["systems"]) == (f"'{FORMULA}", "failed", "api")
    assert row["requested"] == "2024-01-01T12:00:00Z"
    assert row["page"].endswith(f"/large/changes/{row['id']}.html")
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in table[1])


def test_words_are_found_without_accents(large: Any) -> None:
    """`reparer` finds `Réparer`, and a text of markup is text."""
    large.get_by_label("Words in the title or id").fill("reparer cafe")
    large.wait_for_url("**?q=reparer**")
    assert hits(large) == f"1 of {COUNT:,} changes"
    large.get_by_label("Words in the title or id").fill("onerror")
    large.wait_for_url("**?q=onerror")
    assert rows(large).count() == 1
    assert large.locator(".rows img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 720, 820, 1000, 1200])
def test_it_fits_in_every_window(page: Any, address: str, scheme: str, width: int) -> None:
    """Nothing is wider than the window; the heads stay above their columns; the search is at hand."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{address}/changes.html")
    ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cells = page.locator(".rows tr:nth-child(1) > *").evaluate_all("all => all.map(cell => cell.offsetWidth)")
    assert all(cell == 0 or cell > 40 for cell in cells)
    assert cells[0] > 140, "no room for the title"
    assert page.locator("form.find input").is_visible()
