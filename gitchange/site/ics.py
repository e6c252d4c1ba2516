"""The planned windows and the freezes as an iCalendar file (RFC 5545), for the calendar programs of those on call.

Times are in UTC, so that no time zone has to be described. A change keeps its UID while it is edited, a freeze's
occurrence keeps it as long as it begins at the same moment; each is stamped with what made it what it is: the last
commit or sign-off on the change, the commit that brought the policy. So the file differs only when the calendar does.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re

from gitchange.lifecycle.freezes import Occurrence
from gitchange.site import urls
from gitchange.site.calendar import LAST
from gitchange.site.catalogue import Brief
from gitchange.site.site import Site

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_STATUS = {"requested": "TENTATIVE", "info-requested": "TENTATIVE"}
_LIMIT = 75
"""Octets of a line, the line break not counted (RFC 5545 section 3.1)."""


def ics(site: Site, site_url: str = "") -> bytes:
    """The file; with an address of the site, each event leads to its change."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//gitchange//changes//EN",
        "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{_text(site.overview.title)}",
    ]
    for brief in site.calendar.coming():
        lines += _window(site, brief, site_url)
    policies = site.overview.policies
    since = policies[-1].moment if policies else site.overview.commit_time
    for occurrence in site.calendar.freezes:
        lines += _freeze(site, occurrence, since)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _window(site: Site, brief: Brief, site_url: str) -> list[str]:
    start, end = brief.window or (0, 0)
    systems = ", ".join(_name(site, name) for name in brief.systems)
    said = f"{brief.id}: {brief.status}. {brief.type} change, {brief.risk} risk, to {systems}."
    return [
        "BEGIN:VEVENT",
        f"UID:{brief.id}@{site.overview.introduction}",
        f"DTSTAMP:{_moment(brief.touched)}",
        f"DTSTART:{_moment(start)}",
        f"DTEND:{_moment(end)}",
        f"SUMMARY:{_text(brief.label)}",
        f"DESCRIPTION:{_text(said)}",
        f"CATEGORIES:change,{_text(brief.status)}",
        f"STATUS:{_STATUS.get(brief.status, 'CONFIRMED')}",
        "TRANSP:TRANSPARENT",  # nobody's own time is taken
        *([f"URL:{site_url.rstrip('/')}/{urls.change_file(brief.path)}"] if site_url else []),
        "END:VEVENT",
    ]


def _freeze(site: Site, occurrence: Occurrence, since: dt.datetime) -> list[str]:
    freeze, start = occurrence.freeze, _moment(int(occurrence.start.timestamp()))
    name = hashlib.sha256(freeze.name.encode()).hexdigest()[:12]
    return [
        "BEGIN:VEVENT",
        f"UID:freeze-{name}-{start}@{site.overview.introduction}",
        f"DTSTAMP:{_moment(int(since.timestamp()))}",
        f"DTSTART:{start}",
        f"DTEND:{_moment(int(occurrence.end.timestamp()))}",
        f"SUMMARY:{_text(f'Freeze: {freeze.name}')}",
        f"DESCRIPTION:{_text(f'{freeze.kind} freeze. {freeze.reason}')}",
        f"CATEGORIES:freeze,{freeze.kind}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _name(site: Site, system: str) -> str:
    known = site.system(system)
    return known.name if known else system


def _moment(seconds: int) -> str:
    return f"{dt.datetime.fromtimestamp(max(0, min(seconds, LAST)), dt.UTC):%Y%m%dT%H%M%SZ}"


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
