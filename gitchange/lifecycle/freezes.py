"""Freezes: times in which nothing is changed, held against the planned window of a change.

A freeze is a time on the clocks of its zone. Each occurrence is turned into instants by itself, so that a weekend
that has 47 or 49 hours is still the weekend. Where a clock shows a time twice or never, the freeze is the longer one.
"""

from __future__ import annotations

import datetime as dt
from itertools import islice, takewhile

from gitchange.lifecycle.rules import applies
from gitchange.model.recurrence import recurrence, zone
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitchange.lifecycle.rules import Described
    from gitchange.model.change import Change
    from gitchange.model.policy import Freeze, Policy

_DAY = dt.timedelta(days=1)
_FIRST, _LAST = dt.datetime(2, 1, 1, tzinfo=dt.UTC), dt.datetime(9990, 1, 1, tzinfo=dt.UTC)
"""Beyond these there is no calendar in some zone: what is planned for later is planned for never."""
_HORIZON = dt.timedelta(days=732)
_NAMED = 20
"""So many occurrences of one freeze are told of a window that goes on and on."""


class Occurrence(Value):
    """One time that a freeze takes place."""

    freeze: Freeze
    start: dt.datetime
    """Its first instant, in its zone."""
    end: dt.datetime
    """The first instant after it, in its zone."""

    def __str__(self) -> str:
        """Its name and time, as in `end of year (2026-12-24 18:00 to 2027-01-02 08:00, Europe/Paris)`."""
        return f"{self.freeze.name} ({self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}, {self.start.tzinfo})"


def holds_for(freeze: Freeze, policy: Policy, change: Described) -> bool:
    """Whether the freeze concerns the change; emergencies only when it names them."""
    named = freeze.when.types is not None
    return (named or change.type != "emergency") and applies(freeze.when, policy, change)


def concerns(freeze: Freeze, policy: Policy, name: str) -> bool:
    """Whether the freeze can hold for changes to a system; an unknown one is taken to hold customer information."""
    system = policy.systems.get(name)
    return (freeze.when.systems is None or name in freeze.when.systems) and freeze.when.customer_data in (
        None,
        system is None or system.customer_data,
    )


def occurrences(freeze: Freeze, policy: Policy, start: dt.datetime, end: dt.datetime) -> Iterator[Occurrence]:
    """The occurrences that touch the time from `start` to `end` (aware), in order."""
    clock = zone(policy.zone_of(freeze))
    length = freeze.end - freeze.start
    start, end = _instant(start), _instant(end)
    begins: Iterable[dt.datetime] = [freeze.start]
    if freeze.recurrence is not None:
        # Days on the wall, with a day more on each side than any zone is away from another.
        first = start.astimezone(clock).replace(tzinfo=None)
        last = end.astimezone(clock).replace(tzinfo=None) + _DAY
        first = max(first, dt.datetime.min + length + _DAY) - length - _DAY
        # One after the other: who asks for the first few need not wait for all.
        begins = takewhile(
            lambda begin: begin <= last, recurrence(freeze.recurrence, freeze.start).xafter(first, inc=True)
        )
    for begin in begins:
        # Of two instants for one time on the wall the earlier begins it and the later ends it.
        began = min((begin.replace(tzinfo=clock, fold=fold) for fold in (0, 1)), key=dt.datetime.timestamp)
        over = (min(begin, dt.datetime.max - _DAY - length) + length).replace(tzinfo=clock)
        ended = max((over.replace(fold=fold) for fold in (0, 1)), key=dt.datetime.timestamp)
        if began < end and start < ended:
            yield Occurrence(freeze, began, ended)


def touching(
    policy: Policy, change: Described, start: dt.datetime, end: dt.datetime, most: int | None = None
) -> tuple[Occurrence, ...]:
    """The occurrences of freezes for this change that touch that time, in order of time; of each the first so many."""
    found = [
        occurrence
        for freeze in policy.file.freezes
        if holds_for(freeze, policy, change)
        for occurrence in islice(occurrences(freeze, policy, start, end), most)
    ]
    return tuple(sorted(found, key=lambda o: (o.start.timestamp(), o.freeze.name)))


def planned_in(policy: Policy, change: Change) -> tuple[Occurrence, ...]:
    """The freezes that the planned window touches, each up to 20 times; none for a change that plans no window."""
    if change.schedule is None or not policy.file.freezes:
        return ()
    return touching(policy, change, change.schedule.start, change.schedule.end, _NAMED)


def next_free(
    policy: Policy, change: Described, start: dt.datetime, length: dt.timedelta
) -> dt.datetime | None:
    """The first instant from `start` on (in UTC) at which so long a window meets no freeze.

    None where there is none within two years, or where it would last beyond the end of the calendar.
    """
    at = first = _instant(start)  # lengths are added to instants, not to times on the wall
    while at - first < _HORIZON and length < _LAST - at:
        met = touching(policy, change, at, at + length, 1)
        if not met:
            return at
        at = max(_instant(o.end) for o in met)
    return None


def _instant(moment: dt.datetime) -> dt.datetime:
    """A moment in UTC, within the calendar."""
    try:
        return min(max(moment.astimezone(dt.UTC), _FIRST), _LAST)
    except OverflowError:
        return _FIRST if moment.year < _LAST.year else _LAST
