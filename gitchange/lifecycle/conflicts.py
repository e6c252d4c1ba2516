"""Conflicts of planned changes: windows that overlap where they should not, and windows in a freeze.

Two windows are in conflict while they overlap (touching is none) when the changes are made to the same system, when one
is made to a system that the other one's system needs (`depends_on` of the policy, directly), or when one person asked
for both: who will implement a change is not known before somebody has. A sweep over the windows in order of time
compares only those that share a system or a person, so that a hundred thousand windows are no burden.
Which changes are still planned, and what is shown of a conflict, is for others to say.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from gitchange.lifecycle.freezes import holds_for, occurrences
from gitchange.model.policy import Policy
from gitchange.values import Value

Kind = Literal["same system", "dependent system", "same person", "freeze"]
KINDS: tuple[Kind, ...] = ("freeze", "same system", "dependent system", "same person")
"""The worst first."""

_LONGEST = 732 * 86400
"""So much of a window, in seconds, is held against freezes."""


class Booking(Value):
    """A change with its planned window. Times are seconds since 1970."""

    id: str
    start: int
    end: int
    person: str
    """Who asked for it."""
    type: str
    risk: str
    systems: Sequence[str]
    environments: Sequence[str] = ()
    lifted: bool = False
    """Whether signed overrides lift the freezes that it meets."""


class Conflict(Value):
    """Why one window, or two, should be looked at."""

    kind: Kind
    ids: tuple[str, ...]
    """The changes, the one that begins first before the other; one alone where it meets a freeze."""
    about: tuple[str, ...]
    """The systems that meet, the person, or the freeze's name."""
    start: int
    """Since when both last."""
    end: int
    """Until when both last."""


def conflicts(bookings: Iterable[Booking], policy: Policy | None) -> tuple[Conflict, ...]:
    """All conflicts of these windows, in order of time.

    1. Each window is held against those that began before it and still last, where they share a system, what a system
       needs, or a person.
    2. Each is held against the freezes that hold for its change.
    """
    ordered = sorted(bookings, key=lambda b: (b.start, b.end, b.id))
    found = [*_overlaps(ordered, policy), *(c for b in ordered for c in _frozen(b, policy))]
    return tuple(sorted(found, key=lambda c: (c.start, KINDS.index(c.kind), c.ids, c.about)))


class _Lasting:
    """Windows that have begun and still last, by what they have in common."""

    def __init__(self) -> None:
        self._by: defaultdict[str, list[Booking]] = defaultdict(list)

    def add(self, names: Iterable[str], booking: Booking) -> None:
        for name in names:
            self._by[name].append(booking)

    def at(self, name: str, moment: int) -> list[Booking]:
        """Those of that name that last beyond the moment; the others are forgotten."""
        there = self._by.get(name)
        if not there:
            return []
        there[:] = [b for b in there if b.end > moment]
        return there


def _overlaps(ordered: Sequence[Booking], policy: Policy | None) -> Iterator[Conflict]:
    """1. Of every pair, each kind of conflict once."""
    needs = {name: system.depends_on for name, system in policy.systems.items()} if policy else {}
    changing, needing, asking = _Lasting(), _Lasting(), _Lasting()
    for booking in ordered:
        needed = {other for name in booking.systems for other in needs.get(name, ())}
        met: dict[tuple[str, Kind], tuple[Booking, set[str]]] = {}
        for name in booking.systems:
            for other in changing.at(name, booking.start):
                met.setdefault((other.id, "same system"), (other, set()))[1].add(name)
            for other in needing.at(name, booking.start):
                met.setdefault((other.id, "dependent system"), (other, set()))[1].add(name)
        for name in needed:
            for other in changing.at(name, booking.start):
                met.setdefault((other.id, "dependent system"), (other, set()))[1].add(name)
        for other in asking.at(booking.person, booking.start):
            met[other.id, "same person"] = (other, {booking.person})
        for (_, kind), (other, about) in met.items():
            yield Conflict(
                kind,
                (other.id, booking.id),
                tuple(sorted(about)),
                booking.start,
                min(other.end, booking.end),
            )
        changing.add(booking.systems, booking)
        needing.add(needed, booking)
        asking.add([booking.person], booking)


def _frozen(booking: Booking, policy: Policy | None) -> Iterator[Conflict]:
    """2. The first occurrence of each freeze that the window meets."""
    if policy is None or booking.lifted:
        return
    end = min(booking.end, booking.start + _LONGEST)
    start_at, end_at = (dt.datetime.fromtimestamp(moment, dt.UTC) for moment in (booking.start, end))
    for freeze in policy.file.freezes:
        if not holds_for(freeze, policy, booking):
            continue
        for met in occurrences(freeze, policy, start_at, end_at):
            began, over = int(met.start.timestamp()), int(met.end.timestamp())
            yield Conflict(
                "freeze", (booking.id,), (freeze.name,), max(booking.start, began), min(booking.end, over)
            )
            break
