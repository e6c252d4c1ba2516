"""Feeds and sitemaps: what machines read of a site."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gitchange.site import register, urls
from gitchange.site.build import build_and_publish
from gitchange.site.site import Site
from tests.unit.site.builder import Case, example_change, example_overview, overview_of

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def feed(path: Path) -> ElementTree.Element:
    """A feed, parsed, with what RFC 4287 asks of every feed and entry."""
    root = ElementTree.fromstring(path.read_bytes())  # noqa: S314 - made by ourselves
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert dt.datetime.fromisoformat(str(element.findtext(f"{ATOM}updated"))).tzinfo is not None
        assert str(element.findtext(f"{ATOM}id")).startswith("urn:uuid:")
    for entry in root.iter(f"{ATOM}entry"):
        assert entry.findtext(f"{ATOM}author/{ATOM}name")
    ids = [entry.findtext(f"{ATOM}id") for entry in root.iter(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    return root


def links(element: ElementTree.Element) -> dict[str, str]:
    """Its own links, by what they are."""
    return {link.attrib["rel"]: link.attrib["href"] for link in element.findall(f"{ATOM}link")}


def titles(path: Path) -> list[str]:
    """The titles of a feed's entries."""
    return [str(entry.findtext(f"{ATOM}title")) for entry in feed(path).iter(f"{ATOM}entry")]


def test_the_feed_has_what_happened(site: Path) -> None:
    """Requests, sign-offs and records, the newest first, with absolute links where the site has an address."""
    root = feed(site / urls.FEED)
    assert links(root) == {
        "alternate": "https://changes.example.org/acme/index.html",
        "self": "https://changes.example.org/acme/feed.xml",
    }
    entries = list(root.iter(f"{ATOM}entry"))
    moments = [dt.datetime.fromisoformat(str(e.findtext(f"{ATOM}updated"))) for e in entries]
    assert moments == sorted(moments, reverse=True)
    assert root.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")
    said = titles(site / urls.FEED)
    for what in ("requested", "approved", "implemented", "validated", "documented"):
        assert f"CHG-20261107-0006 {what}: Renew the wildcard certificate" in said
    assert links(entries[0])["alternate"].startswith("https://changes.example.org/acme/changes/")
    assert len(entries) <= 50


def test_every_system_has_a_feed_of_its_own(site: Path) -> None:
    """With what happened to it alone."""
    said = titles(site / urls.feed("database"))
    assert "CHG-20261103-0002 approved: Add an index to the orders table" in said
    assert not [title for title in said if "wildcard" in title]
    assert titles(site / urls.feed("website")) == [
        "CHG-20261113-0012 requested: Renew the website's certificate"
    ]


def test_without_an_address_links_are_relative(tmp_path: Path) -> None:
    """From the feed's own place; no link says where the feed itself is."""
    build_and_publish(Site(example_overview()), None, tmp_path / "site")
    root = feed(tmp_path / "site" / urls.feed("api"))
    assert links(root) == {"alternate": "../systems/api.html"}
    for entry in root.iter(f"{ATOM}entry"):
        assert (tmp_path / "site" / "feeds" / links(entry)["alternate"]).resolve().is_file()


def test_hostile_texts_leave_a_feed_well_formed(tmp_path: Path) -> None:
    """Tags, quotes, control characters and what is no Unicode."""
    case = Case(example_change(1, title='</title><script>alert("1")</script>&amp;')).approve()
    build_and_publish(Site(overview_of(case.assess(), title="]]>\x1b<b>\ufffe")), None, tmp_path / "site")
    assert '</title><script>alert("1")</script>&amp;' in titles(tmp_path / "site" / urls.FEED)[0]


def test_an_id_stays_when_more_happens(tmp_path: Path) -> None:
    """Feed readers show an entry once."""
    case = Case(example_change(1)).approve()
    build_and_publish(Site(overview_of(case.assess())), None, tmp_path / "one")
    build_and_publish(Site(overview_of(case.implement().assess(), main="f" * 40)), None, tmp_path / "two")
    one, two = (
        {e.findtext(f"{ATOM}id") for e in feed(tmp_path / name / urls.FEED).iter(f"{ATOM}entry")}
        for name in ("one", "two")
    )
    assert one < two


def test_a_long_sitemap_is_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into one for each block of changes and one for the rest, with an index; every page is in one of them."""
    monkeypatch.setattr(register, "BLOCK", 10)
    output = tmp_path / "site"
    report = build_and_publish(
        Site(example_overview()), None, output, site_url="https://changes.example.org/acme/"
    )
    index = ElementTree.fromstring((output / urls.SITEMAP).read_bytes())  # noqa: S314 - made by ourselves
    assert index.tag == f"{MAP}sitemapindex"
    named: list[str] = []
    for part in index.iter(f"{MAP}loc"):
        name = str(part.text).removeprefix("https://changes.example.org/acme/")
        urlset = ElementTree.fromstring((output / name).read_bytes())  # noqa: S314
        addresses = [str(found.text) for found in urlset.iter(f"{MAP}loc")]
        assert len(addresses) > 0
        assert len([found for found in addresses if "/changes/" in found]) <= 10
        named += addresses
    assert len(named) == len(set(named)) == report.pages
