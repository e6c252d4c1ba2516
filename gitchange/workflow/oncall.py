"""`log`: what happened, and around a moment what most probably has to do with it. Answers come from the index.

How suspects are ranked is `gitchange.lifecycle.suspects`' to say.
"""

from __future__ import annotations

import datetime as dt
from itertools import groupby

from gitchange.assessment.calendar import NEVER_HELD
from gitchange.assessment.events import Event, events_of
from gitchange.assessment.words import span
from gitchange.index import briefs as planned
from gitchange.index import refresh, rows, store
from gitchange.lifecycle import dependencies, suspects
from gitchange.lifecycle.dependencies import Need
from gitchange.lifecycle.suspects import Candidate, Suspect
from gitchange.values import Value
from gitchange.workflow import moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.brief import Brief
    from gitchange.workflow.workspace import Workspace

FURTHEST = 87_600
"""Hours before and after a moment that can be asked for: ten years."""


class Happening(Value):
    """An event, with the change to which it happened."""

    brief: Brief
    event: Event


class Ranked(Value):
    """A suspect, with what is told of it."""

    suspect: Suspect
    brief: Brief
    need: Need | None
    """The nearest of its systems; None where all systems are looked at."""
    why: str
    """Why it is ranked where it is, in one line."""


class Around(Value):
    """What was going on at a moment."""

    moment: dt.datetime
    """In the company's zone."""
    hours: int
    """So much before and after it was looked at."""
    needs: tuple[Need, ...]
    """The systems that were looked at, the nearest first; none: all of them."""
    in_window: tuple[Brief, ...]
    """Changes whose planned window the moment lies in, the one that began last first."""
    suspects: tuple[Ranked, ...]
    """The most probable first."""


class Log(Value):
    """What happened."""

    happenings: tuple[Happening, ...]
    """The newest first."""
    total: int
    """How many there are, those that were left off included."""
    zone: dt.tzinfo
    """The company's."""
    around: Around | None


def log(
    workspace: Workspace,
    around: str | None = None,
    systems: Sequence[str] = (),
    hours: int = 24,
    limit: int | None = None,
) -> Log:
    """The newest events, on these systems; with `around` what happened near that moment, there and on what they need.

    Of too many events near a moment those that are nearest to it are kept. UsageError for a system that nobody knows,
    and for a moment that cannot be read.
    """

    def asked(index: sqlite3.Connection, by: Assessor) -> Log:
        zone = moments.zone_of(by.policy)
        named = moments.known_systems(systems, index, by.policy) or None
        if around is None:
            found, total = planned.latest(index, limit, named)
            return Log(_happenings(index, found)[:limit], total, zone, None)
        moment = moments.moment(around, workspace.now, zone)
        needs = dependencies.needs(by.policy.systems if by.policy else {}, named or ())
        return _around(index, moment, hours, needs, limit, zone)

    return refresh.consult(workspace.repository, workspace.now, workspace.introduction, asked, workspace.tell)


def _around(
    index: sqlite3.Connection,
    moment: dt.datetime,
    hours: int,
    needs: Mapping[str, Need],
    limit: int | None,
    zone: dt.tzinfo,
) -> Log:
    """In these steps:

    1. the events and the windows that are near;
    2. each of their changes with all that touched it, as a candidate;
    3. the events that are told: the nearest, the newest first.
    """
    # 1.
    at, reach, on = int(moment.timestamp()), hours * 3600, needs or None
    found = planned.happened(index, at - reach, at + reach, on)
    near = {
        b.number: b for b in planned.windows(index, at - reach, at + reach, on) if b.status not in NEVER_HELD
    }
    happenings = _happenings(index, found, whole=True)
    # 2.
    ranked = _ranked(index, happenings, near, needs, at)
    inside = [b for b in near.values() if b.window is not None and b.window[0] <= at < b.window[1]]
    inside.sort(key=lambda b: (-(b.window or (0,))[0], b.path))
    # 3.
    told = [h for h in happenings if abs(h.event.when.timestamp() - at) <= reach]
    kept = sorted(told, key=lambda h: abs(h.event.when.timestamp() - at))[:limit]
    return Log(
        tuple(_in_order(kept)),
        len(told),
        zone,
        Around(moment, hours, tuple(needs.values()), tuple(inside), ranked),
    )


def _happenings(
    index: sqlite3.Connection, found: Iterable[tuple[int, int]], *, whole: bool = False
) -> tuple[Happening, ...]:
    """The events of these moments and changes, the newest first; with `whole` all events of these changes."""
    wanted = {number: frozenset(m for m, _ in of) for number, of in _by_number(found)}
    dictionary, known = store.dictionary(index), planned.of(index, wanted)
    return tuple(
        _in_order(
            Happening(known[number], event)
            for number, told in wanted.items()
            for event in events_of(rows.whole(index, number, dictionary))
            if whole or int(event.when.timestamp()) in told
        )
    )


def _by_number(
    found: Iterable[tuple[int, int]],
) -> Iterable[tuple[int, Iterable[tuple[int, int]]]]:
    return groupby(sorted(found, key=lambda one: one[1]), key=lambda one: one[1])


def _in_order(happenings: Iterable[Happening]) -> list[Happening]:
    return sorted(
        happenings,
        key=lambda h: (h.event.when, h.event.kind == "sign-off", h.brief.path, h.event.name),
        reverse=True,
    )


def _ranked(
    index: sqlite3.Connection,
    happenings: Iterable[Happening],
    near: Mapping[int, Brief],
    needs: Mapping[str, Need],
    at: int,
) -> tuple[Ranked, ...]:
    events: dict[int, list[Event]] = {number: [] for number in near}
    for happening in happenings:
        events.setdefault(happening.brief.number, []).append(happening.event)
    known = {**near, **planned.of(index, events.keys() - near.keys())}
    dictionary = store.dictionary(index)
    candidates: dict[str, tuple[Candidate, Brief, Need | None]] = {}
    for number, brief in known.items():
        all_of_them = events[number] or events_of(rows.whole(index, number, dictionary))
        need = min(
            (needs[name] for name in brief.systems if name in needs), key=lambda n: n.steps, default=None
        )
        candidates[brief.path] = (
            Candidate(
                brief.path,
                suspects.touches(
                    brief.status,
                    brief.window,
                    ((int(e.when.timestamp()), e.verdict, e.did, e.who) for e in all_of_them),
                ),
                need.steps if need is not None else 0,
                brief.risk,
                brief.type == "emergency",
                brief.failed,
            ),
            brief,
            need,
        )
    ordered = suspects.rank((candidate for candidate, *_ in candidates.values()), at)
    found = ((suspect, *candidates[suspect.id]) for suspect in ordered)
    return tuple(Ranked(s, brief, need, _why(s, candidate, need, at)) for s, candidate, brief, need in found)


def _why(suspect: Suspect, candidate: Candidate, need: Need | None, at: int) -> str:
    """In one line: how near in time and in dependencies, how risky."""
    touch, gap = suspect.touch, suspect.gap
    away = f"{span(abs(gap))} {'before' if gap > 0 else 'after'}" if gap else "at that very moment"
    if touch.kind in ("window", "unapproved window"):
        when = f"window {'ended' if gap > 0 else 'begins'} {away}" if gap else "in its planned window"
        when += ", not approved" if touch.kind == "unapproved window" else ""
        when += _implementation(candidate, at)
    elif touch.kind == "implementation":
        when = f"{touch.what} {away} by {touch.who}"
    else:
        when = f"only {touch.what.removesuffix(' for')} {away}"
    how = [f"{candidate.risk or 'unknown'} risk", *(["emergency"] if candidate.emergency else [])]
    how += ["reported as failed"] if candidate.failed else []
    return "; ".join([when, *([_steps_to(need)] if need is not None else []), *how])


def _implementation(candidate: Candidate, at: int) -> str:
    """What is known of the work that was planned in a window."""
    done = [touch for touch in candidate.touches if touch.kind == "implementation"]
    if not done:
        return ", implementation not signed"
    nearest = min(done, key=lambda touch: abs(touch.gap(at)))
    gap = nearest.gap(at)
    return f", {nearest.what} {span(abs(gap))} {'before' if gap > 0 else 'after'} by {nearest.who}"


def _steps_to(need: Need) -> str:
    """A system, and how far away it is."""
    return (
        f"{need.name}, {need.steps} step{'s' if need.steps > 1 else ''} away"
        if need.steps
        else f"on {need.name}"
    )


def shape(log_: Log) -> dict[str, Any]:
    """The documented JSON shape (docs/json.md)."""
    around = log_.around
    return {
        "around": _around_shape(around) if around is not None else None,
        "total": log_.total,
        "events": [
            {
                "time": h.event.when.isoformat(),
                "kind": h.event.kind,
                "did": h.event.did,
                "verdict": h.event.verdict or None,
                "who": h.event.who,
                "name": h.event.name,
                "subject": h.event.detail or None,
                "current": not h.event.stale,
                "change": h.brief.id,
                "path": h.brief.path,
                "title": h.brief.title,
                "systems": list(h.brief.systems),
            }
            for h in log_.happenings
        ],
    }


def _around_shape(around: Around) -> dict[str, Any]:
    return {
        "time": around.moment.isoformat(),
        "hours": around.hours,
        "systems": [{"name": n.name, "steps": n.steps, "needed_by": n.by or None} for n in around.needs],
        "in_window": [moments.told(b) for b in around.in_window],
        "suspects": [
            {
                **moments.told(r.brief),
                "score": round(r.suspect.score, 4),
                "why": r.why,
                "touch": r.suspect.touch.kind,
                "gap": r.suspect.gap,
                "system": r.need.name if r.need is not None else None,
                "steps": r.need.steps if r.need is not None else 0,
                "failed": r.brief.failed,
            }
            for r in around.suspects
        ],
    }
