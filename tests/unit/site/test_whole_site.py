"""What holds for every page of a site."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from gitchange.site.build import build_and_publish
from gitchange.site.site import Site
from tests.unit.site.builder import example_overview
from tests.unit.site.reading import broken_links, pages_of, read_page
from tests.unit.site.results import example_results


def test_every_internal_link_resolves(site: Path) -> None:
    """Every link leads to a file of the site, relatively, and every fragment to an id."""
    assert broken_links(site) == []


def test_every_page_is_well_formed(site: Path) -> None:
    """Tags match, ids are unique, attributes are given once."""
    for page in pages_of(site):
        reading = read_page(site, page)
        assert reading.problems == [], page
        assert [name for name, count in Counter(reading.ids).items() if count > 1] == [], page


def test_every_page_has_an_outline(site: Path) -> None:
    """One h1, and no level is skipped on the way down, whatever headings people wrote in their texts."""
    for page in pages_of(site):
        levels = [level for level, _ in read_page(site, page).headings]
        assert levels.count(1) == 1, page
        assert levels[0] == 1, page
        assert all(below - above <= 1 for above, below in itertools.pairwise(levels)), page


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """Pages load the theme's own files only, and no style or script is written into them."""
    for page in pages_of(site):
        reading = read_page(site, page)
        assert all(not re.match(r"[a-z]+:|//", address) for address in reading.loads), page
        for tag, attributes in reading.tags:
            assert tag != "style"
            assert "style" not in attributes, (page, tag, attributes)
            assert not any(name.startswith("on") for name in attributes)
            assert tag != "script" or attributes.get("src")
    styles = (site / "assets/site.css").read_text()
    assert "url(" not in styles
    assert "@import" not in styles


def test_every_page_has_a_strict_security_policy(site: Path) -> None:
    """What a browser may do on a page is said on the page, and scripts in it are not among it."""
    for page in pages_of(site):
        policies = [
            str(a["content"])
            for tag, a in read_page(site, page).tags
            if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(policies) == 1
        assert policies[0].startswith("default-src 'none'; ")
        assert "unsafe" not in policies[0]


def test_every_page_has_landmarks(site: Path) -> None:
    """Each page names its language and has a skip link, a header, a navigation, a main part and a footer."""
    for page in pages_of(site):
        tags = [tag for tag, _ in read_page(site, page).tags]
        assert {"header", "nav", "main", "footer"} <= set(tags)
        assert tags.count("main") == 1
        html = (site / page).read_text()
        assert '<html lang="en">' in html
        assert '<a class="skip" href="#main">' in html


@pytest.mark.parametrize("which", ["site", "hostile"])
def test_what_is_drawn_has_a_name_or_is_hidden(request: pytest.FixtureRequest, which: str) -> None:
    """A drawing says what it shows, or is passed over; an element that names another is there."""
    folder: Path = request.getfixturevalue(which)
    drawn = 0
    for page in pages_of(folder):
        reading = read_page(folder, page)
        assert len(set(reading.ids)) == len(reading.ids), page
        for tag, attributes in reading.tags:
            if tag in ("svg", "img"):
                drawn += 1
                hidden = attributes.get("aria-hidden") == "true"
                assert hidden or attributes.get("aria-label") or attributes.get("aria-labelledby"), page
                assert hidden or attributes.get("role") == "img", page
            for name in ("aria-labelledby", "aria-describedby", "for", "list"):
                assert set((attributes.get(name) or "").split()) <= set(reading.ids), (page, tag, name)
    assert drawn > len(pages_of(folder))


def test_two_builds_are_the_same_to_the_byte(site: Path, tmp_path: Path, work_dir: Path) -> None:
    """The same overview gives the same files, in any folder."""
    again = tmp_path / "elsewhere" / "again"
    build_and_publish(
        Site(example_overview(), recorded=example_results()),
        work_dir,
        again,
        site_url="https://changes.example.org/acme/",
    )
    files = {p.relative_to(site): p.read_bytes() for p in site.rglob("*") if p.is_file()}
    assert files == {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}


def test_the_manifest_names_what_the_site_shows(site: Path) -> None:
    """A machine can read from which commits a site was made."""
    manifest = json.loads((site / "gitchange-site.json").read_text())
    assert (manifest["format"], manifest["main"], manifest["notes"]) == (1, "a" * 40, "b" * 40)


def test_the_sitemap_has_true_dates(site: Path) -> None:
    """A page is as old as what it shows, not as the build."""
    sitemap = (site / "sitemap.xml").read_text()
    address = "https://changes.example.org/acme/changes/CHG-20261107-0006.html"
    assert f"<loc>{address}</loc><lastmod>2026-11-21</lastmod>" in sitemap
    assert not (site / "sitemap.xml.gz").exists()
