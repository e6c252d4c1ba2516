"""The calendar: planned windows, freezes and conflicts by month and day, in the company's zone.

Which windows are in conflict is for `gitchange.lifecycle.conflicts` to say; this sorts them for pages, for lists at a
terminal, and for the file that calendar programs read (`gitchange.assessment.ics`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import TypeVar

from gitchange.assessment.brief import Brief
from gitchange.lifecycle.conflicts import Booking, Conflict, conflicts
from gitchange.lifecycle.freezes import Occurrence, concerns, occurrences
from gitchange.lifecycle.status import AHEAD
from gitchange.model.policy import Policy
from gitchange.values import Value

Known = TypeVar("Known", bound=Brief)

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
MONTHS = (*_MONTHS, "November", "December")
"""English, whatever the locale of the machine that builds."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

BEFORE, AFTER = 1, 24
"""How many months before and after the present one freezes are told of."""
SPAN = 31 * 12
"""For so many days a window that goes on and on is shown."""
NEVER_HELD = frozenset({"rejected", "withdrawn"})
"""Statuses in which a planned window means nothing any more."""
LAST = 250_000_000_000
"""A moment in the year 9892: what is planned for later is planned for never."""


class Day(Value):
    """A day with what is planned for it."""

    date: dt.date
    within: bool
    """Whether it is of the month that is shown, and does not only fill up its first or last week."""
    briefs: tuple[Brief, ...]
    freezes: tuple[Occurrence, ...]
    begun: tuple[Brief, ...] = ()
    """Those of the changes whose windows have lasted since an earlier day of the month."""
    frozen: tuple[Occurrence, ...] = ()
    """Those of the freezes that have."""

    @property
    def beginning(self) -> tuple[Brief, ...]:
        """The changes whose windows begin on this day, or before this month when it is the first."""
        return tuple(b for b in self.briefs if b not in self.begun)

    @property
    def freezing(self) -> tuple[Occurrence, ...]:
        """The freezes that do."""
        return tuple(o for o in self.freezes if o not in self.frozen)

    @property
    def anchor(self) -> str:
        """The id of the day in the list below the month."""
        return f"day-{self.date:%Y-%m-%d}"

    @property
    def label(self) -> str:
        """The day in words."""
        return f"{WEEKDAYS[self.date.weekday()]}, {self.date.day} {month_label(f'{self.date:%Y-%m}')}"


class Month(Value):
    """A month as a page shows it."""

    name: str
    """As `2026-11`."""
    label: str
    weeks: tuple[tuple[Day, ...], ...]
    """From Monday to Sunday."""
    conflicts: tuple[Conflict, ...]
    """Those that last in this month."""
    before: str | None
    """The nearest earlier month that has something."""
    after: str | None

    @property
    def days(self) -> tuple[Day, ...]:
        """Its own days that have something to tell: a freeze is told of once."""
        return tuple(d for week in self.weeks for d in week if d.briefs or d.freezing)


class Calendar:
    """Everything that is planned."""

    def __init__(
        self,
        briefs: Iterable[Brief],
        planned: Iterable[Brief],
        policy: Policy | None,
        now: dt.datetime,
        zone: dt.tzinfo,
        systems: Collection[str] = (),
    ) -> None:
        """`planned` are those of the changes whose windows are to come, and can be in conflict.

        With `systems` there are only the freezes that concern one of them.
        """
        self._briefs, self._planned, self._policy = briefs, planned, policy
        self._zone, self._systems = zone, systems
        self.present = f"{now.astimezone(zone):%Y-%m}"
        """The month of that moment."""

    @cached_property
    def briefs(self) -> tuple[Brief, ...]:
        """Every change with a window, but those that will not take place; in order of time."""
        held = (b for b in self._briefs if b.window is not None and b.status not in NEVER_HELD)
        return tuple(sorted(held, key=lambda b: (*(b.window or ()), b.path)))

    @cached_property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Of the windows that are still to come."""
        return conflicts(map(booking, self._planned), self._policy)

    @cached_property
    def _days(self) -> dict[str, dict[dt.date, list[Brief]]]:
        """By month, the windows of each day."""
        by_day: defaultdict[dt.date, list[Brief]] = defaultdict(list)
        for brief in self.briefs:
            for day in self.touched(brief):
                by_day[day].append(brief)
        found: defaultdict[str, dict[dt.date, list[Brief]]] = defaultdict(dict)
        for day, briefs in by_day.items():
            found[f"{day:%Y-%m}"][day] = briefs
        return found

    def days_of(self, month: str) -> dict[dt.date, list[Brief]]:
        """The days of a month that windows touch, and those windows, in order of time."""
        return self._days.get(month, {})

    def touched(self, brief: Brief) -> Iterable[dt.date]:
        """The days that a window touches."""
        start, end = brief.window or (0, 0)
        first = self._date(start)
        last = max(first, min(self._date(end - 1), first + dt.timedelta(days=SPAN)))
        return (first,) if last == first else _days_between(first, last)

    def _date(self, moment: int) -> dt.date:
        return on_the_clock(moment, self._zone).date()

    @cached_property
    def freezes(self) -> tuple[Occurrence, ...]:
        """The freezes from a month ago on, for two years; in order of time."""
        end = self.begin_of(moved(self.present, AFTER + 1))
        return frozen_between(self._policy, self.since, end, self._systems)

    @property
    def since(self) -> dt.datetime:
        """The beginning of the month before the present one."""
        return self.begin_of(moved(self.present, -BEFORE))

    def begin_of(self, month: str) -> dt.datetime:
        """The first moment of a month."""
        return dt.datetime(int(month[:4]), int(month[5:]), 1, tzinfo=self._zone)

    @cached_property
    def _frozen(self) -> dict[str, dict[dt.date, list[Occurrence]]]:
        found: defaultdict[str, dict[dt.date, list[Occurrence]]] = defaultdict(dict)
        lowest, highest = moved(self.present, -BEFORE), moved(self.present, AFTER)
        for occurrence in self.freezes:
            first = occurrence.start.astimezone(self._zone).date()
            over = occurrence.end.astimezone(dt.UTC) - dt.timedelta(seconds=1)
            last = over.astimezone(self._zone).date()
            first = max(first, self.begin_of(lowest).date())
            last = min(last, self.begin_of(moved(highest, 1)).date() - dt.timedelta(days=1))
            for day in _days_between(first, last):
                found[f"{day:%Y-%m}"].setdefault(day, []).append(occurrence)
        return found

    @cached_property
    def months(self) -> tuple[str, ...]:
        """Every month that has something, oldest first."""
        return tuple(sorted({*self._days, *self.frozen_months}))

    @property
    def frozen_months(self) -> Iterable[str]:
        """Every month that has a freeze."""
        return self._frozen.keys()

    def month(self, name: str) -> Month:
        """One of them, or the present one."""
        first = self.begin_of(name).date()
        last = self.begin_of(moved(name, 1)).date() - dt.timedelta(days=1)
        monday = first - dt.timedelta(days=first.weekday())
        sunday = last + dt.timedelta(days=6 - last.weekday())
        held = self.days_of(name)
        days = [self._day(date, name, held) for date in _days_between(monday, sunday)]
        begins = int(self.begin_of(name).timestamp())
        over = int(self.begin_of(moved(name, 1)).timestamp())
        return Month(
            name,
            month_label(name),
            tuple(tuple(days[place : place + 7]) for place in range(0, len(days), 7)),
            tuple(c for c in self.conflicts if c.start < over and begins < c.end),
            next((m for m in reversed(self.months) if m < name), None),
            next((m for m in self.months if m > name), None),
        )

    def _day(self, date: dt.date, month: str, held: dict[dt.date, list[Brief]]) -> Day:
        if f"{date:%Y-%m}" != month:
            return Day(date, False, (), ())
        yesterday = date - dt.timedelta(days=1)
        briefs, before = (held.get(day, []) for day in (date, yesterday))
        lasting = set(before)
        freezes, frozen = (self._frozen.get(month, {}).get(day, []) for day in (date, yesterday))
        return Day(
            date,
            True,
            tuple(briefs),
            tuple(freezes),
            tuple(b for b in briefs if b in lasting),
            tuple(o for o in freezes if o in frozen),
        )

    def coming(self) -> tuple[Brief, ...]:
        """The windows that are not over since a month ago."""
        since = self.since.timestamp()
        return tuple(b for b in self.briefs if b.window is not None and b.window[1] >= since)


def on_the_clock(moment: int, zone: dt.tzinfo) -> dt.datetime:
    """A moment, in seconds since 1970, in a zone; of what is beyond the calendar its last moment."""
    return dt.datetime.fromtimestamp(max(0, min(moment, LAST)), zone)


def planned(briefs: Iterable[Known], now: dt.datetime) -> tuple[Known, ...]:
    """Those whose window is not over and that are not implemented yet, the next one first."""
    moment = now.timestamp()
    coming = [
        (b.window[0], b.path, b)
        for b in briefs
        if b.window is not None and b.window[1] >= moment and b.status in AHEAD
    ]
    return tuple(b for *_, b in sorted(coming, key=lambda item: item[:2]))


def month_label(month: str) -> str:
    """A month, given as `2026-11`, in words."""
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"


def frozen_between(
    policy: Policy | None, start: dt.datetime, end: dt.datetime, systems: Collection[str] = ()
) -> tuple[Occurrence, ...]:
    """The freezes that touch that time, in order; with `systems` those that concern one of them."""
    if policy is None:
        return ()
    found = [
        occurrence
        for freeze in policy.file.freezes
        if not systems or any(concerns(freeze, policy, name) for name in systems)
        for occurrence in occurrences(freeze, policy, start, end)
    ]
    return tuple(sorted(found, key=lambda o: (o.start.timestamp(), o.freeze.name)))


def booking(brief: Brief) -> Booking:
    """A planned change as conflicts are looked for; what is planned beyond the calendar is planned for its end."""
    start, end = brief.window or (0, 0)
    return Booking(
        brief.id,
        max(0, min(start, LAST)),
        max(0, min(end, LAST)),
        brief.requester or "",
        brief.type or "",
        brief.risk or "",
        brief.systems,
        brief.environments,
        lifted="freeze overridden" in brief.flags,
    )


def moved(month: str, by: int) -> str:
    """The month so many after a month, or before it."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _days_between(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for number in range(first.toordinal(), last.toordinal() + 1):
        yield dt.date.fromordinal(number)
