"""Texts, names and comments that try to get out of their place stay text in a real browser.

The page fails its test when a dialog opens, the console says anything (a refused script does), or something is asked
for outside the site.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gitchange.site import urls
from gitchange.site.build import build_and_publish
from gitchange.site.site import Site
from tests.unit.site.hostile import HOSTILE, READABLE, hostile_overview
from tests.unit.site.reading import pages_of
from tests.unit.site.results import hostile_results

pytestmark = pytest.mark.browser

CHANGE = urls.change("CHG-20261102-0001")

SHAPE = """() => ({
  wide: document.documentElement.scrollWidth - innerWidth,
  strange: [...document.querySelectorAll(
    "img, iframe, object, embed, base, style, form[method], meta[http-equiv=refresh], script:not([src])"
  )].map(element => element.outerHTML.slice(0, 120)),
  handlers: [...document.querySelectorAll("*")].flatMap(element => element.getAttributeNames())
    .filter(name => name.startsWith("on") || name === "style"),
  leads: [...new Set([...document.links].map(link => link.protocol))],
})"""
"""How wide the page is, what no page of ours has, and where its links lead."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site in which everything that people write is hostile."""
    output = tmp_path_factory.mktemp("hostile") / "acme" / "changes"
    build_and_publish(Site(hostile_overview(), recorded=hostile_results(HOSTILE)), None, output)
    return output


def test_nothing_runs_and_every_page_is_readable(page: Any, site: Path, address: str) -> None:
    """No script, no dialog, no request; the heading is there, everything fits, links lead to the web or the site."""
    for name in pages_of(site):
        if name == urls.NOT_FOUND:
            continue
        page.goto(f"{address}/{name}")
        page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
        assert page.locator("h1").is_visible()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            found = page.evaluate(SHAPE)
            assert found["wide"] <= 0, (name, width)
            assert (found["strange"], found["handlers"]) == ([], []), name
            assert set(found["leads"]) <= {"file:", "https:", "http:"}, name


def test_what_was_tried_is_shown(page: Any, address: str) -> None:
    """The words of a script are there to be read, as are braces that a template would take for its own."""
    page.goto(f"{address}/{CHANGE}")
    assert page.locator("h1").inner_text() == HOSTILE
    assert HOSTILE in page.title()
    shown = page.locator("main").inner_text()
    for words in (
        "<svg onload=alert(7)>",
        '<meta http-equiv="refresh"',
        "{{ 7 + 7 }} {% raw %} {{ site.briefs }} {# gone #} ${7+7} <%= 7+7 %>",
        "<script>alert(12)</script>",
        "pay ⟦U+202E⟧001⟦U+202C⟧ now⟦U+2066⟧",
        "[image: look]",
    ):
        assert words in shown, words
    for word in page.get_by_text("press", exact=True).all():
        word.click()
    assert page.url == f"{address}/{CHANGE}"


def test_register_and_search_show_it_as_text(page: Any, address: str) -> None:
    """A title of markup is a title, in the table, in its filters, in results and where their words are marked."""
    page.goto(f"{address}/{urls.CHANGES}?q=script")
    page.locator(".register[data-ready]").wait_for()
    assert page.locator(".rows tbody tr[data-place] .what a").all_inner_texts() == [HOSTILE]
    assert page.get_by_label("System").locator("option", has_text=HOSTILE).count() == 1
    page.goto(f"{address}/{urls.SEARCH}?q=onload+alert")
    page.locator(".results[data-ready]").wait_for()
    assert set(page.locator(".results .title a").all_inner_texts()) == {HOSTILE, READABLE}
    assert "alert" in page.locator(".results mark").first.inner_text()
    assert page.evaluate(SHAPE)["strange"] == []
    page.goto(f"{address}/{urls.SEARCH}?q={'%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E'}")
    page.locator(".results[data-ready]").wait_for(state="attached")
    assert page.locator("form.find-all input").input_value() == "<img src=x onerror=alert(1)>"
    assert page.evaluate(SHAPE)["strange"] == []
