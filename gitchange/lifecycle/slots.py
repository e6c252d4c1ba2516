"""The next free slot for a planned window: as long as it is, in no freeze, and beside no window that it must not meet.

What windows must not meet is `gitchange.lifecycle.conflicts`' to say; a window that is moved to its slot is in no
conflict. A signed override is for one text at one time, so a slot meets no freeze even where one was lifted.
"""

from __future__ import annotations

import datetime as dt

from gitchange.lifecycle import freezes
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitchange.lifecycle.conflicts import Booking
    from gitchange.model.policy import Policy

AHEAD = 732 * 86400
"""So far ahead, in seconds, one looks for a slot."""


class Slot(Value):
    """A time for a window, in seconds since 1970."""

    start: int
    end: int


def next_slot(booking: Booking, others: Iterable[Booking], policy: Policy | None, start: int) -> Slot | None:
    """The first slot from `start` on that is as long as the booking; None when there is none within two years.

    1. The windows that it must not meet: on its systems, on what these need or what needs them, or of its person.
    2. From the start on: past the windows that are in the way, past the freezes, until nothing is.
    """
    # 1.
    length = booking.end - booking.start
    needs = {name: system.depends_on for name, system in policy.systems.items()} if policy else {}
    own = set(booking.systems)
    needed = {other for name in own for other in needs.get(name, ())}
    busy = sorted(
        (other.start, other.end)
        for other in others
        if other.id != booking.id
        and (
            other.person == booking.person
            or not (own | needed).isdisjoint(other.systems)
            or any(not own.isdisjoint(needs.get(name, ())) for name in other.systems)
        )
    )
    # 2.
    at, place = start, 0
    while at - start < AHEAD:
        while place < len(busy) and busy[place][0] < at + length:
            at = max(at, busy[place][1])  # what began before lasts at least until `at`, or is over
            place += 1
        free = _unfrozen(booking, policy, at, length)
        if free is None:
            return None
        if free == at:
            return Slot(at, at + length) if at - start < AHEAD else None
        at = free
    return None


def _unfrozen(booking: Booking, policy: Policy | None, at: int, length: int) -> int | None:
    """The first moment from `at` on when so long a window meets no freeze."""
    if policy is None or not policy.file.freezes:
        return at
    begin = dt.datetime.fromtimestamp(at, dt.UTC)
    found = freezes.next_free(policy, booking, begin, dt.timedelta(seconds=length))
    return None if found is None else int(found.timestamp())
