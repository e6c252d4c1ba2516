"""A site of many changes, made and built as a company's is: register and search give what the command line gives.

GITCHANGE_TEST_CHANGES=10000 scripts/test tests/browser/test_larger_site_in_chromium.py takes as many as one likes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.company import gitchange

from .test_search_in_chromium import searched

pytestmark = pytest.mark.browser

# Before any fixture: what tests share takes variables with this name away from the program.
COUNT = int(os.environ.get("GITCHANGE_TEST_CHANGES", "300"))

MAKE = Path(__file__).parents[2] / "scripts" / "benches" / "make.py"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company of forty people whose changes went through every step, really signed."""
    place = tmp_path_factory.mktemp("larger") / "repository"
    done = subprocess.run(
        [sys.executable, str(MAKE), str(COUNT), str(place)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """Its site."""
    output = tmp_path_factory.mktemp("larger-site") / "acme" / "changes"
    done = gitchange(repository, "site", "build", "--output", str(output))
    assert done.code == 0, done.err
    return output


@pytest.fixture(scope="module")
def listed(repository: Path) -> list[dict[str, Any]]:
    """What the command line lists, newest first."""
    changes: list[dict[str, Any]] = gitchange(repository, "list", "--all", "--json").json["changes"]
    assert len(changes) == COUNT
    return changes


def shown(page: Any, address: str, **filters: str) -> str:
    """The number of changes that the register has with these filters."""
    page.goto(f"{address}/changes.html?{urlencode(filters)}")
    page.locator(".register[data-ready]").wait_for()
    return str(page.locator(".hits").inner_text())


def test_filters_find_what_the_command_line_lists(
    page: Any, address: str, listed: list[dict[str, Any]]
) -> None:
    """By each status, and by the commonest system, risk, type and requester, alone and together."""
    every = Counter(change["status"] for change in listed)
    assert len(every) > 6
    for status, count in every.items():
        assert shown(page, address, status=status) == f"{count:,} of {COUNT:,} changes"
    common = {
        "system": Counter(name for change in listed for name in change["systems"]).most_common(1)[0][0],
        "risk": Counter(change["risk"] for change in listed).most_common(1)[0][0],
        "type": "emergency",
        "requester": Counter(change["requester"] for change in listed).most_common(1)[0][0],
    }
    fits = {
        name: [c for c in listed if value in (c["systems"] if name == "system" else [c[name]])]
        for name, value in common.items()
    }
    for name, value in common.items():
        assert shown(page, address, **{name: value}) == f"{len(fits[name]):,} of {COUNT:,} changes"
    both = [change["id"] for change in fits["system"] if change in fits["risk"]]
    assert both
    told = shown(page, address, system=common["system"], risk=common["risk"])
    assert told == f"{len(both):,} of {COUNT:,} changes"
    seen = page.locator(".rows .what .id").all_inner_texts()
    assert set(seen) <= set(both)
    assert seen


def test_the_search_finds_what_the_command_line_finds(page: Any, address: str, repository: Path) -> None:
    """As many, of titles, texts, people and sign-offs, and an id leads to its change."""
    page.goto(f"{address}/search.html")
    for words in ("gateway", "snapshot night", '"rollback"', "cert", "no customer noticed", "zzzz"):
        found = gitchange(repository, "search", words, "--json").json
        titles = searched(page, words)
        assert len(titles) == min(found["total"], 25), words
        if found["total"]:
            word = "result" if found["total"] == 1 else "results"
            assert page.locator(".hits").inner_text() == f"{found['total']:,} {word}", words
        if 0 < found["total"] <= 25:
            assert set(titles) == {change["title"] for change in found["changes"]}, words


def test_the_keyboard_goes_from_the_first_to_the_last(
    page: Any, address: str, listed: list[dict[str, Any]]
) -> None:
    """In the dark too, and Enter opens the one where one is."""
    page.emulate_media(color_scheme="dark")
    assert shown(page, address) == f"{COUNT:,} changes"
    focused = "document.activeElement.querySelector('.id').textContent"
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == listed[0]["id"]
    page.keyboard.press("End")
    assert page.evaluate(focused) == listed[-1]["id"]
    assert page.evaluate("document.querySelectorAll('.rows tr[data-place]').length") < 80
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/changes/{listed[-1]['id']}.html")
    assert page.locator("h1").inner_text() == listed[-1]["title"]


def test_it_fits_in_every_window(page: Any, address: str) -> None:
    """Home, lists and register, on a phone, a tablet and a desk."""
    for name in (
        "index.html",
        "changes.html",
        "people.html",
        "systems.html",
        "calendar.html",
        "statistics.html",
    ):
        page.goto(f"{address}/{name}")
        for width in (390, 820, 1440):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, width)
