"""The next free slot: a window that is moved there is in no conflict, and there is no earlier one."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle.conflicts import Booking, conflicts
from gitchange.lifecycle.slots import AHEAD, Slot, next_slot
from gitchange.values import replace
from tests.unit.lifecycle.builders import a_policy
from tests.unit.lifecycle.test_conflicts import BEGIN, BOOKINGS, HOUR, NEEDS, POLICY, booking

NIGHTS = {
    "name": "nights",
    "reason": "Everybody sleeps.",
    "kind": "soft",
    "zone": "UTC",
    "start": dt.datetime(2026, 11, 1, 22),
    "end": dt.datetime(2026, 11, 2, 6),
    "recurrence": "FREQ=DAILY",
    "override": {"role": "change-manager"},
}
FROZEN = a_policy(systems=NEEDS, freezes=[NIGHTS])


def slot(start: float, hours: float) -> Slot:
    """A slot that begins so many hours after the first of December."""
    return Slot(int(BEGIN + start * HOUR), int(BEGIN + (start + hours) * HOUR))


def test_a_slot_is_after_what_is_in_the_way() -> None:
    """On its systems, on what they need, on what needs them, and of its person; others are not."""
    moved = booking("b", 1, 2, "api", person="bo")
    others = [
        booking("a", 0, 2, "api"),
        booking("c", 2, 2, "database"),
        booking("d", 4, 1, "website", person="bo"),
        booking("e", 5, 9, "storage"),
    ]
    assert next_slot(moved, [moved, *others], POLICY, moved.start) == slot(5, 2)
    needed = booking("f", 0, 1, "database")
    assert next_slot(needed, others, POLICY, needed.start) == slot(4, 1)


def test_a_gap_that_is_too_short_is_none() -> None:
    """The window is as long as it was."""
    others = [booking("a", 0, 2, "api"), booking("b", 3, 2, "api")]
    assert next_slot(booking("c", 0, 2, "api"), others, POLICY, BEGIN) == slot(5, 2)
    assert next_slot(booking("c", 0, 1, "api"), others, POLICY, BEGIN) == slot(2, 1)


def test_a_slot_is_in_no_freeze_also_where_one_was_lifted() -> None:
    """What was lifted was lifted for one time."""
    others = [booking("a", 0, 7, "api"), booking("b", 8, 13, "database")]
    for lifted in (False, True):
        moved = booking("c", 0, 2, "api", lifted=lifted)
        assert next_slot(moved, others, FROZEN, BEGIN) == slot(30, 2)
    assert next_slot(booking("c", 0, 1, "api"), others, FROZEN, BEGIN) == slot(7, 1)


def test_there_may_be_none() -> None:
    """Within two years: where a window goes on and on, or no night is long enough."""
    forever = Booking("a", BEGIN, 250_000_000_000, "a", "normal", "low", ("api",))
    assert next_slot(booking("b", 0, 1, "api"), [forever], POLICY, BEGIN) is None
    assert next_slot(booking("b", 0, 20, "api"), [], FROZEN, BEGIN) is None
    assert next_slot(replace(forever, id="b"), [], FROZEN, BEGIN) is None
    assert next_slot(forever, [], POLICY, BEGIN) == Slot(forever.start, forever.end)


def test_without_a_policy_only_what_meets_by_itself_is_in_the_way() -> None:
    """Nobody knows what needs what."""
    assert next_slot(booking("b", 0, 1, "api"), [booking("a", 0, 1, "database")], None, BEGIN) == slot(0, 1)


@given(BOOKINGS.filter(bool), st.integers(0, 5))
def test_a_window_in_its_slot_is_in_no_conflict_and_any_earlier_one_is(
    drawn: list[tuple[int, int, tuple[str, ...], str]], later: int
) -> None:
    """As `conflicts` finds them, hour by hour."""
    moved, *others = (
        booking(f"{number:02}", start, hours, *systems, person=person)
        for number, (start, hours, systems, person) in enumerate(drawn)
    )
    start, length = moved.start + later * HOUR, moved.end - moved.start
    found = next_slot(moved, others, FROZEN, start)
    assert found is not None, "a day has sixteen hours without a freeze"
    assert (found.end - found.start, found.start - start < AHEAD) == (length, True)

    def meets(begin: int) -> bool:
        bookings = [replace(moved, start=begin, end=begin + length), *others]
        return any(moved.id in conflict.ids for conflict in conflicts(bookings, FROZEN))

    assert not meets(found.start)
    assert all(meets(begin) for begin in range(start, found.start, HOUR))
