"""File names of pages are safe and never collide."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from gitchange.site import urls

NAMES = st.text(st.characters(exclude_characters=" ,*?!\"'<>"), min_size=1, max_size=120)


@given(NAMES)
def test_a_name_needs_no_escaping_and_stays_in_its_folder(name: str) -> None:
    """Whatever a person or a system is called, the page is one plain file in its folder."""
    for page in (urls.person(name), urls.system(name), urls.change_file(name)):
        assert re.fullmatch(r"[a-z]+/[A-Za-z0-9@~._-]+\.html", page)
        assert not page.split("/")[1].startswith(".")
        assert len(page) < 150


@given(NAMES, NAMES)
def test_different_names_have_different_files(one: str, other: str) -> None:
    """Two persons never share a page, not even where the file system ignores case."""
    if one != other:
        assert urls.person(one).lower() != urls.person(other).lower()


def test_usual_names_are_kept() -> None:
    """An e-mail address or a system's id is the name of its page."""
    assert urls.person("ada@example.org") == "people/ada@example.org.html"
    assert urls.system("output-worker") == "systems/output-worker.html"
    assert urls.system("API") != urls.system("api")
    assert urls.person("../../etc/passwd").startswith("people/etc-passwd~")


def test_a_stray_file_has_a_page_of_its_own() -> None:
    """A file that lies at the wrong place never takes the page of the change whose name it has."""
    at_home = urls.change_file("changes/2026/11/CHG-20261122-K7Q3.toml")
    assert at_home == urls.change("CHG-20261122-K7Q3")
    assert urls.change_file("changes/2026/12/CHG-20261122-K7Q3.toml") != at_home


def test_prefix_leads_to_the_root() -> None:
    """From any page the root of the site is reached relatively."""
    assert (urls.prefix(urls.HOME), urls.prefix(urls.change("x"))) == ("", "../")
