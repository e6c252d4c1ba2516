"""Ids of changes and the paths that follow from them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.model.identifiers import ALPHABET, id_of, is_id, new_id, path_of, problem_with

DAYS = st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31))


@given(DAYS, st.binary(min_size=3, max_size=8))
def test_a_new_id_leads_to_its_path_and_back(day: dt.date, entropy: bytes) -> None:
    """Every new id is an id, and its path leads back to it."""
    made = new_id(day, entropy)
    assert is_id(made)
    assert path_of(made) == f"changes/{day:%Y}/{day:%m}/{made}.toml"
    assert id_of(path_of(made)) == made


@given(DAYS, st.text(ALPHABET, min_size=4, max_size=16))
def test_any_id_leads_to_its_path_and_back(day: dt.date, letters: str) -> None:
    """The path of every id leads back to it."""
    made = f"CHG-{day:%Y%m%d}-{letters}"
    assert id_of(path_of(made)) == made


@given(st.text(max_size=60))
def test_a_text_is_an_id_or_has_a_problem(text: str) -> None:
    """No text is both no id and without a problem, and none leads to a path that is not its own."""
    assert is_id(text) == (problem_with(text) == "")
    if (found := id_of(text)) is not None:
        assert path_of(found) == text


def test_every_letter_of_a_new_id_takes_part_in_the_chance() -> None:
    """Twenty random bits make four characters."""
    day = dt.date(2026, 11, 22)
    assert new_id(day, b"\x00\x00\x00") == "CHG-20261122-0000"
    assert new_id(day, b"\xff\xff\xff") == "CHG-20261122-ZZZZ"
    assert len({new_id(day, n.to_bytes(3, "big")) for n in range(0, 1 << 20, 1023)}) == 1026


BAD = {
    "empty": "",
    "lower case": "chg-20261122-k7q3",
    "three letters": "CHG-20261122-K7Q",
    "seventeen letters": "CHG-20261122-" + "A" * 17,
    "an O": "CHG-20261122-K7QO",
    "an I": "CHG-20261122-K7QI",
    "an L": "CHG-20261122-K7QL",
    "a U": "CHG-20261122-K7QU",
    "a line end": "CHG-20261122-K7Q3\n",
    "a path": "CHG-20261122-K7Q3/../x",
    "no day of the calendar": "CHG-20260230-K7Q3",
    "no month of the year": "CHG-20261322-K7Q3",
    "the year zero": "CHG-00000101-K7Q3",
    "digits of another script": "CHG-٢٠٢٦1122-K7Q3",
    "full-width letters": "CHG-20261122-\uff2b7Q3",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_is_no_id_is_told_why(text: str) -> None:
    """What is no id says why, and has no path."""
    assert problem_with(text)
    assert not is_id(text)
    with pytest.raises(ValueError, match=r"."):
        path_of(text)
    assert id_of(f"changes/2026/11/{text}.toml") is None


@pytest.mark.parametrize(
    "path",
    [
        "",
        "CHG-20261122-K7Q3.toml",
        "/changes/2026/11/CHG-20261122-K7Q3.toml",
        "changes/2026/10/CHG-20261122-K7Q3.toml",
        "changes/2025/11/CHG-20261122-K7Q3.toml",
        "changes/2026/11/CHG-20261122-K7Q3.toml\n",
        "changes/2026/11/CHG-20261122-K7Q3",
        "changes/٢٠٢٦/11/CHG-20261122-K7Q3.toml",
    ],
)
def test_no_change_belongs_at_another_path(path: str) -> None:
    """Only the path that follows from an id belongs to a change."""
    assert id_of(path) is None
