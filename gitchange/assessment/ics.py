"""The planned windows and the freezes as an iCalendar file (RFC 5545), for the calendar programs of those on call.

Times are in UTC, so that no time zone has to be described. A change keeps its UID while it is edited, a freeze's
occurrence keeps it as long as it begins at the same moment; each is stamped with what made it what it is: the last
commit or sign-off on the change, the commit that brought the policy. So the file differs only when the calendar does.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable

from gitchange.assessment.brief import Brief
from gitchange.assessment.calendar import Calendar, on_the_clock
from gitchange.assessment.overview import Overview
from gitchange.lifecycle.freezes import Occurrence

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_STATUS = {"requested": "TENTATIVE", "info-requested": "TENTATIVE"}
_LIMIT = 75
"""Octets of a line, the line break not counted (RFC 5545 section 3.1)."""


def ics(overview: Overview, calendar: Calendar, address: Callable[[Brief], str] | None = None) -> bytes:
    """The file; where changes have an address each event leads to its change."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//gitchange//changes//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_text(overview.title)}",
    ]
    for brief in calendar.coming():
        lines += _window(overview, brief, address(brief) if address is not None else "")
    policies = overview.policies
    since = policies[-1].moment if policies else overview.commit_time
    for occurrence in calendar.freezes:
        lines += _freeze(overview, occurrence, since)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _window(overview: Overview, brief: Brief, address: str) -> list[str]:
    start, end = brief.window or (0, 0)
    systems = ", ".join(_name(overview, name) for name in brief.systems)
    said = f"{brief.id}: {brief.status}. {brief.type} change, {brief.risk} risk, to {systems}."
    return [
        "BEGIN:VEVENT",
        f"UID:{brief.id}@{overview.introduction}",
        f"DTSTAMP:{_moment(brief.touched)}",
        f"DTSTART:{_moment(start)}",
        f"DTEND:{_moment(end)}",
        f"SUMMARY:{_text(brief.label)}",
        f"DESCRIPTION:{_text(said)}",
        f"CATEGORIES:change,{_text(brief.status)}",
        f"STATUS:{_STATUS.get(brief.status, 'CONFIRMED')}",
        "TRANSP:TRANSPARENT",  # nobody's own time is taken
        *([f"URL:{address}"] if address else []),
        "END:VEVENT",
    ]


def _freeze(overview: Overview, occurrence: Occurrence, since: dt.datetime) -> list[str]:
    freeze, start = occurrence.freeze, _moment(int(occurrence.start.timestamp()))
    name = hashlib.sha256(freeze.name.encode()).hexdigest()[:12]
    return [
        "BEGIN:VEVENT",
        f"UID:freeze-{name}-{start}@{overview.introduction}",
        f"DTSTAMP:{_moment(int(since.timestamp()))}",
        f"DTSTART:{start}",
        f"DTEND:{_moment(int(occurrence.end.timestamp()))}",
        f"SUMMARY:{_text(f'Freeze: {freeze.name}')}",
        f"DESCRIPTION:{_text(f'{freeze.kind} freeze. {freeze.reason}')}",
        f"CATEGORIES:freeze,{freeze.kind}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _name(overview: Overview, system: str) -> str:
    known = overview.policy.systems.get(system) if overview.policy else None
    return known.name if known else system


def _moment(seconds: int) -> str:
    return f"{on_the_clock(seconds, dt.UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A value of type TEXT (RFC 5545 section 3.3.11)."""
    clean = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    for what, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        clean = clean.replace(what, escaped)
    return clean


def _folded(line: str) -> bytes:
    """The line, broken where it is longer than 75 octets, and never within a character."""
    data, pieces = line.encode("utf-8", "replace"), []
    limit = _LIMIT
    while len(data) > limit:
        end = limit
        while data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[:end])
        data, limit = data[end:], _LIMIT - 1  # a further line begins with a space
    return b"\r\n ".join([*pieces, data]) + b"\r\n"
