"""Conflicts of planned windows: which there are, and that finding them takes no time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle.conflicts import Booking, Conflict, conflicts
from gitchange.model.policy import Policy
from tests.unit.lifecycle.builders import SYSTEMS, a_policy

HOUR = 3600
BEGIN = int(dt.datetime(2026, 12, 1, tzinfo=dt.UTC).timestamp())
NEEDS = {
    "api": {**SYSTEMS["api"], "depends_on": ["database"]},
    "database": {**SYSTEMS["database"], "depends_on": ["storage"]},
    "website": SYSTEMS["website"],
    "storage": {"name": "Storage", "customer_data": True},
}
POLICY = a_policy(systems=NEEDS)


def booking(name: str, start: float, hours: float, *systems: str, **more: Any) -> Booking:
    """A window that begins so many hours after the first of December; everybody asks for one change alone."""
    given = {"person": name, "type": "normal", "risk": "low", "systems": systems, **more}
    return Booking(name, int(BEGIN + start * HOUR), int(BEGIN + (start + hours) * HOUR), **given)


def found(
    bookings: Iterable[Booking], policy: Policy | None = POLICY
) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What is in conflict, in short."""
    return [(c.kind, c.ids, c.about) for c in conflicts(bookings, policy)]


def test_windows_on_one_system_that_overlap_are_in_conflict() -> None:
    """As long as both last."""
    met = conflicts([booking("b", 1, 3, "api", "website"), booking("a", 0, 2, "website", "api")], POLICY)
    assert met == (Conflict("same system", ("a", "b"), ("api", "website"), BEGIN + HOUR, BEGIN + 2 * HOUR),)


def test_windows_that_only_touch_are_in_none() -> None:
    """One may begin when the other ends."""
    assert found([booking("a", 0, 2, "api"), booking("b", 2, 2, "api")]) == []


def test_a_system_and_one_that_it_needs_are_in_conflict() -> None:
    """Whichever begins first; what the needed one needs in turn is not counted."""
    for first, second in (("api", "database"), ("database", "api")):
        assert found([booking("a", 0, 2, first), booking("b", 1, 2, second)]) == [
            ("dependent system", ("a", "b"), ("database",))
        ]
    assert found([booking("a", 0, 2, "api"), booking("b", 1, 2, "storage")]) == []
    assert found([booking("a", 0, 2, "api"), booking("b", 1, 2, "database")], None) == []


def test_one_person_cannot_be_at_two_changes() -> None:
    """Who asked for both, as nobody knows yet who will do them."""
    one, other = booking("a", 0, 2, "api", person="bo"), booking("b", 1, 2, "website", person="bo")
    assert found([one, other]) == [("same person", ("a", "b"), ("bo",))]


def test_a_window_in_a_freeze_is_in_conflict() -> None:
    """When the freeze holds for the change, and no override lifts it."""
    freeze = {
        "name": "advent",
        "reason": "Sales.",
        "kind": "hard",
        "zone": "Europe/Paris",
        "start": dt.datetime(2026, 12, 1, 2),
        "end": dt.datetime(2026, 12, 1, 3),
        "when": {"systems": ["api"], "environments": ["production"]},
    }
    policy = a_policy(systems=NEEDS, freezes=[freeze])
    met = conflicts([booking("a", 0, 2, "api")], policy)
    assert met == (Conflict("freeze", ("a",), ("advent",), BEGIN + HOUR, BEGIN + 2 * HOUR),)
    assert found([booking("a", 0, 1, "api")], policy) == []
    assert found([booking("a", 0, 2, "website")], policy) == []
    assert found([booking("a", 0, 2, "api", environments=("staging",))], policy) == []
    assert found([booking("a", 0, 2, "api", type="emergency")], policy) == []
    assert found([booking("a", 0, 2, "api", lifted=True)], policy) == []


BOOKINGS = st.lists(
    st.builds(
        lambda start, hours, systems, person: (start, hours, tuple(sorted(systems)), person),
        st.integers(0, 20),
        st.integers(1, 9),
        st.sets(st.sampled_from(sorted(NEEDS)), min_size=1),
        st.sampled_from("xyz"),
    ),
    max_size=12,
)


@given(BOOKINGS)
def test_the_sweep_finds_what_comparing_every_pair_finds(
    drawn: list[tuple[int, int, tuple[str, ...], str]],
) -> None:
    """No more and no less, in any order."""
    bookings = [
        booking(f"{number:02}", start, hours, *systems, person=person)
        for number, (start, hours, systems, person) in enumerate(drawn)
    ]
    needs = {name: set(system.get("depends_on", ())) for name, system in NEEDS.items()}
    expected = set()
    for one in bookings:
        for other in bookings:
            if (one.start, one.end, one.id) >= (other.start, other.end, other.id) or one.end <= other.start:
                continue
            mine, theirs = set(one.systems), set(other.systems)
            need = {n for s in mine for n in needs[s]}, {n for s in theirs for n in needs[s]}
            for kind, about in (
                ("same system", mine & theirs),
                ("dependent system", (need[0] & theirs) | (need[1] & mine)),
                ("same person", {one.person} & {other.person}),
            ):
                if about:
                    expected.add((kind, (one.id, other.id), tuple(sorted(about))))
    answer = found(bookings)
    assert set(answer) == expected
    assert len(answer) == len(expected)
    assert answer == found(reversed(bookings))
