"""Ids kept in little memory are those that were given."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.git.ids import Numbers, Table

made = st.integers(0, 200).map(lambda number: hashlib.sha1(b"%d" % number).hexdigest())  # noqa: S324
names = (
    made
    | made.map(lambda name: name.upper())
    | made.map(lambda name: hashlib.sha256(name.encode()).hexdigest())
    | st.sampled_from(["", "0" * 40, "f" * 40, "0" * 64, f"{'0' * 39} ", f"{'0' * 38}é"])
    | st.text(max_size=3)
    | st.tuples(made, made).map(" ".join)
)


@given(st.lists(names, max_size=300))
@settings(deadline=None)
def test_each_id_has_the_number_with_which_it_came_first(given: list[str]) -> None:
    """Whatever is put in, an id or any other text, has one number, and the number has that text."""
    kept, told = Numbers(), dict[str, int]()
    for name in given:
        assert (name in kept) == (name in told)
        assert kept.add(name) == told.setdefault(name, len(told))
    assert dict(kept) == told
    assert [kept.id(number) for number in range(len(kept))] == list(told)
    assert kept.get("no such") is None
    assert 7 not in kept


@given(st.lists(st.tuples(names, names), max_size=100))
@settings(deadline=None)
def test_a_table_tells_what_was_put_there_last(given: list[tuple[str, str]]) -> None:
    """Each id has what was last put there, in the order in which the ids came."""
    kept, told = Table(), dict[str, str]()
    for key, value in given:
        kept.put(key, value)
        told[key] = value
    assert list(kept.items()) == list(told.items())
    for key, value in given:
        assert key in kept
        assert kept.get(key) == told[key]
        assert kept.get(value) == told.get(value, "")


def test_as_many_ids_as_there_are() -> None:
    """The table grows with the ids, and finds each of them."""
    many = [hashlib.sha1(b"%d" % number).hexdigest() for number in range(5000)]  # noqa: S324
    kept = Numbers()
    for name in many:
        kept.add(name)
    assert [kept[name] for name in many] == list(range(5000))
