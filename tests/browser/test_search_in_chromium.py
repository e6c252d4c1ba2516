"""The search of the site in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitchange.site import register, search, urls
from gitchange.site.output import Output
from gitchange.site.site import Site
from tests.unit.site.builder import overview_of
from tests.unit.site.many import many

from .conftest import beside

pytestmark = pytest.mark.browser

both = pytest.mark.parametrize("address", ["file", "http"], indirect=True)
"""From a folder, and below a sub-path of a web server."""

COUNT = 4000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, example: Path) -> Path:
    """The example with its search, and a site beside it with the search of thousands."""
    output = beside(example, tmp_path_factory)
    large = output / "large"
    (large / urls.DATA).mkdir(parents=True)
    for name in ("assets", "search.html"):
        (large / name).symlink_to(output / name)
    odd = {
        0: {"title": "Overhaul the zeppelin"},
        9: {"document": {"reason": "The Zeppelins, Łódź and größe: crème brûlée."}},
        COUNT - 1: {"document": {"reason": "A zeppelin of its own. 日本語 <img src=x onerror=alert(1)>"}},
    }
    given, folder = Site(overview_of(), many(COUNT, odd)), Output(large)
    register.write(given, folder, "theme")
    search.write(given, [], folder, "theme")
    return output


def searched(page: Any, words: str) -> list[str]:
    """The titles that are found, in order."""
    page.locator("form.find-all input").fill(words)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("q") == [words])
    page.locator(".results[data-ready]").wait_for(state="attached")
    return [str(title) for title in page.locator(".results .title a").all_inner_texts()]


@both
def test_every_page_leads_to_what_is_found(page: Any, address: str) -> None:
    """From the field of a page in a folder, by the key and Enter, to the change."""
    page.goto(f"{address}/changes/CHG-20261102-0001.html")
    page.keyboard.press("/")
    page.keyboard.type("wildcard certif")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=wildcard%20certif")
    page.locator(".results[data-ready]").wait_for(state="attached")
    assert page.locator(".results li").first.inner_text().startswith("Renew the wildcard certificate")
    assert page.locator(".results mark").first.inner_text() == "wildcard"
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/changes/CHG-20261107-0006.html")
    page.go_back()
    page.locator(".results[data-ready]").wait_for(state="attached")
    assert page.locator("form.find-all input").input_value() == "wildcard certif"


@both
def test_texts_people_comments_and_pages_are_searched(page: Any, address: str) -> None:
    """What somebody wrote anywhere leads to the change, and a hand-written page is found beside them."""
    page.goto(f"{address}/search.html")
    assert searched(page, "half customers still") == ["Switch off the old login"]
    assert searched(page, "database lost backup") == []
    assert "Renew the wildcard certificate" in searched(page, "dee@example.org")
    assert searched(page, "nachtd") == ["Handbook"]
    page.get_by_role("link", name="Handbook").last.click()
    page.wait_for_url("**/handbook.html")


def test_titles_come_before_texts_and_the_new_before_the_old(page: Any, address: str) -> None:
    """The oldest change is first, as the word stands in its title."""
    page.goto(f"{address}/large/search.html")
    assert searched(page, "zeppelin") == [
        "Overhaul the zeppelin",
        f"Change number {COUNT - 1} of the gateway",
        "Change number 9 of the gateway",
    ]
    assert searched(page, '"zeppelins"') == ["Change number 9 of the gateway"]
    assert searched(page, '"zeppeli"') == []
    assert page.locator(".search-page .empty").is_visible()


def test_accents_capitals_and_beginnings_do_not_matter(page: Any, address: str) -> None:
    """As on the command line."""
    page.goto(f"{address}/large/search.html")
    for words in ("CREME brulee", "crème brû", "łod", "GRÖSSE", "grosse", "日本"):
        expected = {"日本": [COUNT - 1], "GRÖSSE": [], "grosse": []}.get(words, [9])
        assert searched(page, words) == [f"Change number {n} of the gateway" for n in expected], words
    assert searched(page, "größ") == ["Change number 9 of the gateway"]
    assert page.locator(".results img").count() == 0


def test_many_results_are_shown_in_portions(page: Any, address: str) -> None:
    """The number of all is told; the keyboard goes through them."""
    page.goto(f"{address}/large/search.html?q=gateway")
    page.locator(".results[data-ready]").wait_for()
    assert page.locator(".hits").inner_text() == f"{COUNT - 1:,} results"
    links = page.locator(".results .title a")
    assert (links.count(), links.first.inner_text()) == (25, f"Change number {COUNT - 1} of the gateway")
    page.get_by_role("button", name="More results").click()
    assert links.count() == 50
    assert page.evaluate("document.activeElement.textContent") == f"Change number {COUNT - 26} of the gateway"
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == f"Change number {COUNT - 27} of the gateway"
    page.keyboard.press("Escape")
    page.wait_for_url("**/search.html")
    assert links.count() == 0


def test_an_id_leads_to_its_change(page: Any, address: str) -> None:
    """Whole, or its beginning."""
    page.goto(f"{address}/search.html")
    assert searched(page, "CHG-20261107-0006")[0] == "Renew the wildcard certificate"


def test_the_single_key_can_be_switched_off(page: Any, address: str) -> None:
    """Whoever speaks to the computer is not thrown into a field by a word."""
    page.goto(f"{address}/search.html")
    page.get_by_text("Keys").click()
    page.get_by_label("works on every page").uncheck()
    page.goto(f"{address}/index.html")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.name") == "q"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_field_is_at_hand_in_every_window(page: Any, address: str, scheme: str) -> None:
    """Also on a phone, and nothing is wider than it."""
    page.emulate_media(color_scheme=scheme)
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{address}/index.html")
        assert page.locator("form.find input").is_visible()
        page.goto(f"{address}/search.html?q=api")
        page.locator(".results[data-ready]").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
