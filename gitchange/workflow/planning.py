"""`calendar` and `stats`: what is planned and where it meets, and how changes go. Answers come from the index."""

from __future__ import annotations

import datetime as dt
import re

from gitchange.assessment import ics as calendar_file
from gitchange.assessment.calendar import LAST, NEVER_HELD, Calendar, booking, frozen_between
from gitchange.errors import UsageError
from gitchange.index import briefs as planned
from gitchange.index import refresh
from gitchange.lifecycle.conflicts import conflicts
from gitchange.lifecycle.figures import STAGES, WHOLE, measure
from gitchange.lifecycle.slots import next_slot
from gitchange.values import Value
from gitchange.workflow import moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from typing import Any

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.brief import Brief
    from gitchange.lifecycle.conflicts import Conflict
    from gitchange.lifecycle.figures import Figures, Spread
    from gitchange.lifecycle.freezes import Occurrence
    from gitchange.lifecycle.slots import Slot
    from gitchange.workflow.workspace import Workspace

LONGEST = 732
"""So many days can be looked at together."""

_MINUTE = 60


class Met(Value):
    """A conflict, and what to do about it."""

    conflict: Conflict
    briefs: tuple[Brief, ...]
    """The changes, the one that begins first before the other."""
    slot: Slot | None
    """The next free one for the last of them; None when there is none within two years."""


class Plan(Value):
    """What is planned for some days."""

    first: dt.date
    last: dt.date
    """With this day."""
    zone: dt.tzinfo
    """The company's."""
    briefs: tuple[Brief, ...]
    """Changes with a window on these days, in order of time, without those that will not be made."""
    freezes: tuple[Occurrence, ...]
    conflicts: tuple[Met, ...]
    """Those of windows that are not over, as far as they last on these days."""


def days(month: str | None, since: str | None, until: str | None, today: dt.date) -> tuple[dt.date, dt.date]:
    """The first and the last day that are asked for: a month, this one when nothing is said, or from day to day.

    One end alone has a month beside it. UsageError for what is no month, no day, or too long.
    """
    if month is not None and (since is not None or until is not None):
        raise UsageError("--month is one month: leave --from and --to out")
    if since is None and until is None:
        given = month or f"{today:%Y-%m}"
        if not re.fullmatch(r"\d{4}-\d{2}", given):
            raise UsageError(f"{given!r} is no month", hint="write 2026-11")
        try:
            first = moments.day(f"{given}-01")
        except UsageError:
            raise UsageError(f"{given!r} is no month", hint="write 2026-11") from None
        return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
    last = moments.day(until) if until is not None else None
    first = moments.day(since) if since is not None else (last or today) - dt.timedelta(days=30)
    last = last or first + dt.timedelta(days=30)
    if last < first:
        raise UsageError(f"{last} is before {first}", hint="--from is the first day, --to the last")
    if (last - first).days >= LONGEST:
        raise UsageError(f"from {first} to {last} is more than two years", hint="ask for less at a time")
    return first, last


def plan(
    workspace: Workspace,
    month: str | None = None,
    since: str | None = None,
    until: str | None = None,
    systems: Sequence[str] = (),
) -> Plan:
    """Windows, freezes and conflicts of these days, for these systems or all. Raises what `days` raises."""

    def asked(index: sqlite3.Connection, by: Assessor) -> Plan:
        policy, zone = by.policy, moments.zone_of(by.policy)
        first, last = days(month, since, until, workspace.now.astimezone(zone).date())
        named = moments.known_systems(systems, index, policy)
        begin = dt.datetime(first.year, first.month, first.day, tzinfo=zone)
        after = last + dt.timedelta(days=1)
        end = dt.datetime(after.year, after.month, after.day, tzinfo=zone)
        begins, ends = int(begin.timestamp()), int(end.timestamp())
        held = (b for b in planned.windows(index, begins, ends, named or None) if b.status not in NEVER_HELD)
        return Plan(
            first,
            last,
            zone,
            tuple(held),
            frozen_between(policy, begin, end, named),
            _met(index, by, named, begins, ends),
        )

    return refresh.consult(workspace.repository, workspace.now, workspace.introduction, asked, workspace.tell)


def _met(
    index: sqlite3.Connection, by: Assessor, systems: Sequence[str], begins: int, ends: int
) -> tuple[Met, ...]:
    """The conflicts that last on these days, each with the next free slot of the change that begins last."""
    now = int(by.now.timestamp())
    coming = {b.id: b for b in planned.planned(index, now)}
    bookings = {name: booking(brief) for name, brief in coming.items()}
    slots: dict[str, Slot | None] = {}
    found: list[Met] = []
    for conflict in conflicts(bookings.values(), by.policy):
        briefs = tuple(coming[name] for name in conflict.ids)
        if not (conflict.start < ends and begins < conflict.end):
            continue
        if systems and not any(name in systems for brief in briefs for name in brief.systems):
            continue
        moved = conflict.ids[-1]
        if moved not in slots:
            start = max(bookings[moved].start, -(-now // _MINUTE) * _MINUTE)
            slots[moved] = next_slot(bookings[moved], bookings.values(), by.policy, start)
        found.append(Met(conflict, briefs, slots[moved]))
    return tuple(found)


def ics(workspace: Workspace, systems: Sequence[str] = ()) -> bytes:
    """The calendar as the site has it, for calendar programs; for these systems or all."""

    def asked(index: sqlite3.Connection, by: Assessor) -> bytes:
        zone = moments.zone_of(by.policy)
        named = moments.known_systems(systems, index, by.policy)
        since = int(Calendar((), (), by.policy, by.now, zone).since.timestamp())
        held = planned.windows(index, since - 1, LAST, named or None)
        return calendar_file.ics(
            by.overview(judged=False), Calendar(held, (), by.policy, by.now, zone, named)
        )

    return refresh.consult(workspace.repository, workspace.now, workspace.introduction, asked, workspace.tell)


def shape_of_plan(plan_: Plan) -> dict[str, Any]:
    """The documented JSON shape (docs/json.md)."""
    return {
        "from": plan_.first.isoformat(),
        "to": plan_.last.isoformat(),
        "zone": str(plan_.zone),
        "windows": [moments.told(brief) for brief in plan_.briefs],
        "freezes": [
            {
                "name": o.freeze.name,
                "kind": o.freeze.kind,
                "reason": o.freeze.reason,
                "start": o.start.isoformat(),
                "end": o.end.isoformat(),
            }
            for o in plan_.freezes
        ],
        "conflicts": [
            {
                "kind": met.conflict.kind,
                "changes": list(met.conflict.ids),
                "about": list(met.conflict.about),
                "start": moments.instant(met.conflict.start),
                "end": moments.instant(met.conflict.end),
                "next_free": {
                    "change": met.conflict.ids[-1],
                    "start": moments.instant(met.slot.start),
                    "end": moments.instant(met.slot.end),
                }
                if met.slot is not None
                else None,
            }
            for met in plan_.conflicts
        ],
    }


class Statistics(Value):
    """How changes go."""

    figures: Figures
    first: dt.date
    """Since when it is counted."""
    last: dt.date
    """Today."""
    zone: dt.tzinfo
    """The company's."""
    systems: tuple[str, ...]
    """Only changes to these were counted; none: all."""
    total: int
    """How many changes that were, whenever they came."""


def statistics(workspace: Workspace, since: str | None = None, systems: Sequence[str] = ()) -> Statistics:
    """The figures of the last twelve months or since a day, of these systems or of all.

    UsageError for what is no day, one that is still to come, and for systems that nobody knows.
    """

    def asked(index: sqlite3.Connection, by: Assessor) -> Statistics:
        zone = moments.zone_of(by.policy)
        today = by.now.astimezone(zone).date()
        first = moments.day(since) if since is not None else None
        if first is not None and first > today:
            raise UsageError(f"{first} is still to come", hint="--since is a day up to today")
        named = moments.known_systems(systems, index, by.policy)
        counted = list(planned.measured(index, named or None))
        figures = measure(counted, by.now, zone, first)
        return Statistics(
            figures,
            first or dt.date.fromisoformat(f"{figures.months[0].name}-01"),
            today,
            zone,
            named,
            len(counted),
        )

    return refresh.consult(workspace.repository, workspace.now, workspace.introduction, asked, workspace.tell)


def shape_of_statistics(statistics_: Statistics) -> dict[str, Any]:
    """The documented JSON shape (docs/json.md)."""
    figures = statistics_.figures
    return {
        "since": statistics_.first.isoformat(),
        "until": statistics_.last.isoformat(),
        "zone": str(statistics_.zone),
        "systems": list(statistics_.systems),
        "changes": statistics_.total,
        "months": [
            {
                "month": month.name,
                "documented": dict(month.documented),
                "requested": month.requested,
                "emergencies": month.emergencies,
                "ended": month.ended,
                "failed": month.failed,
                "lead": [_lead(stage, month.spread(stage)) for stage in (*STAGES, WHOLE)],
            }
            for month in figures.months
        ],
        "lead": [_lead(stage, figures.spread(stage)) for stage in (*STAGES, WHOLE)],
        "approval": [{"within": name, "changes": count} for name, count in figures.latencies],
        "open": [{"within": name, "changes": count} for name, count in figures.ages],
        "by_system": {
            name: {
                "changes": of.all,
                "open": of.open,
                "documented": of.documented,
                "emergencies": of.emergencies,
                "ended": of.ended,
                "failed": of.failed,
                "last": moments.instant(of.last) if of.last else None,
            }
            for name, of in sorted(figures.systems.items())
            if not statistics_.systems or name in statistics_.systems
        },
    }


def _lead(stage: tuple[str, str], spread: Spread | None) -> dict[str, Any]:
    return {
        "from": stage[0],
        "to": stage[1],
        "changes": spread.count if spread is not None else 0,
        "median": spread.median if spread is not None else None,
        "ninetieth": spread.ninetieth if spread is not None else None,
    }
