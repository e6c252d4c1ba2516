"""Moments, days and systems as people type them, and what is told of a planned change."""

from __future__ import annotations

import datetime as dt

from gitchange.errors import UsageError
from gitchange.index import briefs
from gitchange.model import recurrence

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Sequence
    from typing import Any

    from gitchange.assessment.brief import Brief
    from gitchange.model.policy import Policy

FORMATS = "write 2026-11-24T21:05:00+01:00, or 2026-11-24T21:05 on the policy's clocks, or 2026-11-24, or now"
_YEARS = range(1970, 9800)
"""Those that are in the calendar of every zone."""


def zone_of(policy: Policy | None) -> dt.tzinfo:
    """The zone in which the company plans; UTC where the policy names none."""
    name = policy.file.timezone if policy is not None else None
    return recurrence.zone(name) if name else dt.UTC


def moment(text: str, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A moment in that zone: RFC 3339 with an offset, a date and time on the zone's clocks, or `now`.

    A date alone means its noon; of a time that the clocks show twice, the earlier one. UsageError for anything else.
    """
    if text.strip().casefold() == "now":
        return now.astimezone(zone)
    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is no time", hint=FORMATS) from None
    if found.year not in _YEARS:
        raise UsageError(f"{text!r} is beyond the calendar: years from 1970 on", hint=FORMATS)
    if len(text.strip()) <= len("2026-11-24"):
        found = found.replace(hour=12)
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(zone)


def day(text: str) -> dt.date:
    """A day as 2026-11-24; UsageError for anything else."""
    try:
        found = dt.date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is no date", hint="write 2026-11-24") from None
    if found.year not in _YEARS:
        raise UsageError(f"{text!r} is beyond the calendar: years from 1970 on", hint="write 2026-11-24")
    return found


def known_systems(given: Sequence[str], index: sqlite3.Connection, policy: Policy | None) -> tuple[str, ...]:
    """Systems that the policy or a change names; UsageError for others, each with what was meant."""
    known = {*(policy.systems if policy is not None else ()), *briefs.systems(index)} if given else set()
    return all_known(given, known)


def all_known(given: Sequence[str], known: Collection[str]) -> tuple[str, ...]:
    """Systems that are among those known; UsageError for others, each with what was meant."""
    unknown = [name for name in dict.fromkeys(given) if name not in known]
    if unknown:
        import difflib  # noqa: PLC0415 - only after a mistake

        close = [m for name in unknown for m in difflib.get_close_matches(name.casefold(), known, n=1)]
        names = ", ".join(map(repr, unknown))
        hint = f"did you mean {' and '.join(map(repr, close))}?" if close else ""
        raise UsageError(
            f"there is no system {names}",
            hint=hint
            or f"the systems are {', '.join(sorted(known)) or 'named in policy/systems.toml: none yet'}",
        )
    return tuple(dict.fromkeys(given))


def told(brief: Brief) -> dict[str, Any]:
    """What logs and calendars tell of a change, in the documented JSON shape."""
    return {
        "change": brief.id,
        "path": brief.path,
        "title": brief.title,
        "status": brief.status,
        "type": brief.type,
        "risk": brief.risk,
        "requester": brief.requester,
        "systems": list(brief.systems),
        "window": [instant(moment) for moment in brief.window] if brief.window is not None else None,
    }


def instant(seconds: int) -> str:
    """RFC 3339, in UTC, of seconds since 1970."""
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)).isoformat()
