"""Briefs and events from the index: what was planned, what happened, what is counted; by system and by time.

Only what is asked for is read: of ten thousand changes a few hundred are near any moment. Times are whole seconds since
1970. What a brief is says `gitchange.assessment.brief`.
"""

from __future__ import annotations

import json
import sqlite3

from gitchange.assessment.brief import Brief
from gitchange.index import rows
from gitchange.lifecycle.status import AHEAD, CLOSED
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gitchange.lifecycle.figures import OfSystem

_BEGINS, _ENDS = "json_extract(brief, '$.window[0]')", "json_extract(brief, '$.window[1]')"
_SOME = 500
"""So many numbers are asked for at once: SQLite has a limit."""


def systems(index: sqlite3.Connection) -> frozenset[str]:
    """Every system that a change names."""
    return frozenset(name for (name,) in index.execute("SELECT DISTINCT name FROM system"))


def total(index: sqlite3.Connection) -> int:
    """How many changes there are."""
    count: int = index.execute("SELECT count(*) FROM change").fetchone()[0]
    return count


def windows(
    index: sqlite3.Connection, start: int, end: int, on: Collection[str] | None = None
) -> tuple[Brief, ...]:
    """Changes whose planned windows touch the time from `start` until `end`, in order of time; `on` these systems."""
    named, values = _of_systems(on)
    found = rows.with_briefs(index, f"{_BEGINS} < ? AND {_ENDS} > ?{named}", (end, start, *values))
    return _in_order(found)


def planned(index: sqlite3.Connection, since: int) -> tuple[Brief, ...]:
    """Changes that are still to be implemented and whose windows are not over by then, in order of time."""
    ahead = ", ".join("?" * len(AHEAD))
    found = rows.with_briefs(index, f"status IN ({ahead}) AND {_ENDS} >= ?", (*sorted(AHEAD), since))
    return _in_order(found)


def of(index: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, Brief]:
    """Briefs by the numbers of their changes."""
    found: dict[int, Brief] = {}
    for some in _portions(numbers):
        marks = ", ".join("?" * len(some))
        found |= {row[0]: Brief(*row) for row in rows.with_briefs(index, f"number IN ({marks})", some)}
    return found


def happened(
    index: sqlite3.Connection, start: int, end: int, on: Collection[str] | None = None
) -> list[tuple[int, int]]:
    """Moment and change of every event from `start` to `end` (with both), the newest first."""
    named, values = _of_systems(on)
    return index.execute(
        f"SELECT moment, number FROM event WHERE moment BETWEEN ? AND ?{named} "  # noqa: S608
        "ORDER BY moment DESC, number DESC",
        (start, end, *values),
    ).fetchall()


def latest(
    index: sqlite3.Connection, limit: int | None, on: Collection[str] | None = None
) -> tuple[list[tuple[int, int]], int]:
    """Moment and change of the newest events, and how many events there are."""
    named, values = _of_systems(on)
    count: int = index.execute(f"SELECT count(*) FROM event WHERE 1{named}", values).fetchone()[0]  # noqa: S608
    found = index.execute(
        f"SELECT moment, number FROM event WHERE 1{named} ORDER BY moment DESC, number DESC"  # noqa: S608
        + (f" LIMIT {limit}" if limit is not None else ""),
        values,
    ).fetchall()
    return found, count


class Measured(Value):
    """What figures need of a change (`gitchange.lifecycle.figures`)."""

    status: str
    type: str | None
    times: Mapping[str, int]
    failed: bool
    outcome: str | None
    systems: Sequence[str]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.status not in CLOSED


def measured(
    index: sqlite3.Connection, on: Collection[str] | None = None, since: int | None = None
) -> Iterator[Measured]:
    """What figures need of each change: less than a brief, as many of them are read.

    With `since` only of those that are open, or to which something happened from that moment on.
    """
    named, own = _of_systems(on)
    values: tuple[str | int, ...] = own
    if since is not None:
        named, values = f"{named} AND (latest >= ? OR NOT closed)", (*own, since)
    found = index.execute(
        "SELECT status, type, json_extract(brief, '$.times'), json_extract(brief, '$.failed'), "  # noqa: S608
        f"json_extract(brief, '$.outcome'), systems FROM change WHERE 1{named}",
        values,
    )
    lists: dict[str, list[str]] = {}
    for status, kind, times, failed, outcome, listed in found:
        if listed not in lists:
            lists[listed] = json.loads(listed)
        yield Measured(status, kind, json.loads(times), bool(failed), outcome, lists[listed])


def tallied(index: sqlite3.Connection, before: int) -> dict[str, OfSystem]:
    """For each system, what is counted of its closed changes to which nothing has happened since that moment."""
    from gitchange.lifecycle.figures import OfSystem  # noqa: PLC0415 - what happened near a moment needs no figures

    found = index.execute(
        "SELECT name, count(*), sum(ended), sum(failed), sum(emergency), max(implemented) FROM system "
        "WHERE closed AND latest < ? GROUP BY name",
        (before,),
    )
    return {
        name: OfSystem(all=count, ended=ended, failed=failed, emergencies=emergencies, last=last)
        for name, count, ended, failed, emergencies, last in found
    }


def _in_order(found: Iterable[tuple[int, dict[str, Any], dict[str, Any], str]]) -> tuple[Brief, ...]:
    briefs = (Brief(*row) for row in found)
    return tuple(sorted(briefs, key=lambda b: (*(b.window or ()), b.path)))


def _of_systems(on: Collection[str] | None) -> tuple[str, tuple[str, ...]]:
    """A further condition: that a change is made to one of these systems."""
    if on is None:
        return "", ()
    marks = ", ".join("?" * len(on))
    named = f" AND number IN (SELECT number FROM system WHERE name IN ({marks}))"  # noqa: S608
    return named, tuple(sorted(on))


def _portions(numbers: Iterable[int]) -> Iterator[tuple[int, ...]]:
    waiting = sorted(set(numbers))
    for place in range(0, len(waiting), _SOME):
        yield tuple(waiting[place : place + _SOME])
