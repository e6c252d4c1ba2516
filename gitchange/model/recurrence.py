"""Time zones and recurrences, read strictly: IANA names, and the RRULE of RFC 5545 section 3.3.10.

What recurs is a time on the clocks of a zone, so a recurrence is reckoned in naive times; the zone is applied
afterwards, to each occurrence (`gitchange.lifecycle.freezes`). dateutil does the reckoning.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from dateutil.rrule import rrule

_DAY = r"[+-]?[0-9]{0,2}(?:MO|TU|WE|TH|FR|SA|SU)"
_NUMBER = r"[+-]?[0-9]{1,3}"
_PARTS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9][0-9]{0,3}",
    "COUNT": r"[1-9][0-9]{0,4}",
    "UNTIL": r"[0-9]{8}T[0-9]{6}",
    "BYDAY": rf"{_DAY}(?:,{_DAY})*",
    "BYMONTH": r"[0-9]{1,2}(?:,[0-9]{1,2})*",
    "BYMONTHDAY": rf"{_NUMBER}(?:,{_NUMBER})*",
    "BYYEARDAY": rf"{_NUMBER}(?:,{_NUMBER})*",
    "BYWEEKNO": rf"{_NUMBER}(?:,{_NUMBER})*",
    "BYSETPOS": rf"{_NUMBER}(?:,{_NUMBER})*",
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
}
"""The parts that are taken. The time of day is that of the first occurrence, so BYHOUR and smaller are not."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name; ValueError when there is none."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only freezes and change windows have zones

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"is {name!r}, which is no IANA time zone") from None


@lru_cache(maxsize=256)
def recurrence(text: str, start: dt.datetime) -> rrule:
    """The occurrences that begin with `start` or after it; ValueError when the text is no RRULE, or means nothing.

    dateutil takes much that RFC 5545 does not, and takes some of it for nothing; here an unknown part is an error.
    """
    from dateutil.rrule import rrule, rrulestr  # noqa: PLC0415 - 5 ms that only freezes need

    given: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS:
            raise ValueError(
                f"has {part!r}; a recurrence has {', '.join(_PARTS)}, as in FREQ=WEEKLY;BYDAY=FR"
            )
        if name in given:
            raise ValueError(f"has {name} twice")
        if not re.fullmatch(_PARTS[name], value):
            example = " (the zone's own time, without Z)" if name == "UNTIL" else ""
            raise ValueError(f"has {part!r}, which RFC 5545 does not know{example}")
        given[name] = value
    if "FREQ" not in given:
        raise ValueError("has no FREQ, as in FREQ=YEARLY")
    if "COUNT" in given and "UNTIL" in given:
        raise ValueError("has COUNT and UNTIL, which exclude each other")
    try:
        found = rrulestr(f"RRULE:{text}", dtstart=start, cache=True)
        assert isinstance(found, rrule)  # noqa: S101 - one rule gives one; only several give a set
        next(iter(found))
    except StopIteration:
        raise ValueError("never occurs") from None
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise ValueError(f"is {text!r}, which is no recurrence: {error}") from None
    return found
