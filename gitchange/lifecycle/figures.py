"""Figures of how changes go: throughput, lead times, failures, emergencies, what is open.

Counted from what is known of each change without looking at its whole. Times are seconds since 1970 and are claims:
a sign-off's by its signer's clock, a request's and a record's by its commit's. Charts, tables and words are for others.

    throughput       changes documented in a month, by type
    lead time        from one step to the next, of those that ended in the month; a step that was not needed, or that
                     was claimed to precede the one before (an emergency's approval), has none
    failures         of the changes that came to an end in the month (documented, or failed and not yet), those of
                     which a sign-off that counts, or the record, says that they failed or were backed out
    emergencies      of the changes requested in a month, those that were emergencies
    approval         from the request to the last evaluation that was needed
    open             changes that are not closed, by the time since their request
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitchange.lifecycle.endings import ended_at, failed_of
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from gitchange.lifecycle.endings import Tried

    class Measured(Tried, Protocol):
        """What has to be known of a change."""

        @property
        def type(self) -> str | None: ...
        @property
        def systems(self) -> Sequence[str]: ...
        @property
        def is_open(self) -> bool: ...


HOUR, DAY = 3600, 86400
STAGES = (
    ("request", "evaluation"),
    ("evaluation", "implementation"),
    ("implementation", "validation"),
    ("validation", "documentation"),
)
"""From which step to which a lead time is measured."""
WHOLE = ("request", "documentation")
TYPES = ("standard", "normal", "emergency")
LATENCIES = (
    (4 * HOUR, "4 hours"),
    (DAY, "a day"),
    (3 * DAY, "3 days"),
    (7 * DAY, "a week"),
    (30 * DAY, "30 days"),
)
AGES = (
    (DAY, "a day"),
    (7 * DAY, "a week"),
    (30 * DAY, "30 days"),
    (90 * DAY, "90 days"),
    (365 * DAY, "a year"),
)
"""Upper bounds of the classes, and their names; a last class has the rest."""
MONTHS = 12
"""How many months are shown, the one that lasts included."""


class Spread(Value):
    """How long something took."""

    count: int
    median: int
    """In seconds; the middle one, or the mean of the two in the middle."""
    ninetieth: int
    """In seconds: nine of ten took no longer (nearest rank)."""

    @classmethod
    def of(cls, spans: Iterable[int]) -> Spread | None:
        """None where there are none."""
        ordered = sorted(spans)
        if not ordered:
            return None
        count = len(ordered)
        median = (ordered[(count - 1) // 2] + ordered[count // 2]) // 2
        return cls(count, median, ordered[-(-9 * count // 10) - 1])


@dataclass(slots=True)
class Month:
    """What a month saw."""

    name: str
    """As `2026-11`."""
    documented: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TYPES, 0))
    requested: int = 0
    emergencies: int = 0
    ended: int = 0
    failed: int = 0
    spans: dict[tuple[str, str], list[int]] = field(default_factory=lambda: {s: [] for s in (*STAGES, WHOLE)})

    def spread(self, stage: tuple[str, str]) -> Spread | None:
        """How long that stage took."""
        return Spread.of(self.spans[stage])


@dataclass(slots=True)
class OfSystem:
    """What is counted of a system, over all time."""

    all: int = 0
    open: int = 0
    ended: int = 0
    failed: int = 0
    emergencies: int = 0
    documented: int = 0
    """Of the months shown."""
    last: int = 0
    """When it was last changed: the newest implementation; 0 for never."""


class Figures(Value):
    """The figures of changes at one moment."""

    months: tuple[Month, ...]
    """Oldest first; months in which nothing happened too."""
    latencies: tuple[tuple[str, int], ...]
    """Of the approvals of these months: how many took how long."""
    latency: Spread | None
    """Of the same."""
    ages: tuple[tuple[str, int], ...]
    """Of all open changes: how many have waited how long."""
    systems: dict[str, OfSystem]

    def spread(self, stage: tuple[str, str]) -> Spread | None:
        """How long that stage took, of all these months together."""
        return Spread.of(span for month in self.months for span in month.spans[stage])


def percent(part: int, whole: int) -> float | None:
    """A share; None of nothing."""
    return 100 * part / whole if whole else None


def begin_of(now: dt.datetime, zone: dt.tzinfo, since: dt.date | None = None) -> int:
    """When the months begin that `measure` counts: of what was over by then, and is closed, it needs only totals."""
    return int(_starts(now.astimezone(zone), since)[0].timestamp())


def measure(
    changes: Iterable[Measured],
    now: dt.datetime,
    zone: dt.tzinfo,
    since: dt.date | None = None,
    older: Mapping[str, OfSystem] | None = None,
) -> Figures:
    """Count them, for the months (of that zone) up to the one in which `now` is; twelve, or those `since` a day.

    Of these the first begins on that day, which is none to come; what was before it is not counted. Open changes and
    systems are counted whole, whenever they came. `older` are the totals of closed changes that are not among these,
    and all of whose times are before the first month; they become part of the figures.
    """
    starts = _starts(now.astimezone(zone), since)
    months = [Month(f"{start:%Y-%m}") for start in starts[:-1]]
    bounds = [int(start.timestamp()) for start in starts]
    moment = int(now.timestamp())
    ages, systems = [0] * (len(AGES) + 1), dict(older or {})
    stages = (*STAGES, WHOLE)

    def month_of(when: int | None) -> Month | None:
        place = bisect_right(bounds, when) - 1 if when is not None else -1
        return months[place] if 0 <= place < len(months) else None

    for change in changes:
        times = change.times
        ended = ended_at(change)
        failed = ended is not None and failed_of(change)
        emergency = change.type == "emergency"
        done = month_of(times.get("documentation"))
        if change.is_open and "request" in times:
            ages[_class(AGES, moment - times["request"])] += 1
        for name in change.systems:
            of = systems.get(name) or systems.setdefault(name, OfSystem())
            of.all += 1
            of.open += change.is_open
            of.ended += ended is not None
            of.failed += failed
            of.emergencies += emergency
            of.documented += done is not None
            of.last = max(of.last, times.get("implementation", 0))
        if not times or max(times.values()) < bounds[0]:
            continue  # all of it is older than what is shown
        if done is not None and change.type is not None:
            done.documented[change.type] += 1
        if (month := month_of(times.get("request"))) is not None:
            month.requested += 1
            month.emergencies += emergency
        if (month := month_of(ended)) is not None:
            month.ended += 1
            month.failed += failed
        for stage in stages:
            began, over = times.get(stage[0]), times.get(stage[1])
            if began is not None and over is not None and over >= began:
                month = month_of(over)
                if month is not None:
                    month.spans[stage].append(over - began)
    waited = [span for month in months for span in month.spans[STAGES[0]]]
    latencies = [0] * (len(LATENCIES) + 1)
    for span in waited:
        latencies[_class(LATENCIES, span)] += 1
    return Figures(
        tuple(months),
        _named(LATENCIES, latencies),
        Spread.of(waited),
        _named(AGES, ages),
        systems,
    )


def _starts(now: dt.datetime, since: dt.date | None) -> list[dt.datetime]:
    """The first instants of the months shown, and of the one after."""
    last = now.year * 12 + now.month - 1
    first = last - MONTHS + 1 if since is None else since.year * 12 + since.month - 1
    starts = [
        dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=now.tzinfo) for number in range(first, last + 2)
    ]
    if since is not None:
        starts[0] = starts[0].replace(day=since.day)
    return starts


def _class(classes: Sequence[tuple[int, str]], span: int) -> int:
    return next((place for place, (limit, _) in enumerate(classes) if span <= limit), len(classes))


def _named(classes: Sequence[tuple[int, str]], counts: Sequence[int]) -> tuple[tuple[str, int], ...]:
    names = [f"up to {name}" for _, name in classes] + ["longer"]
    return tuple(zip(names, counts, strict=True))
