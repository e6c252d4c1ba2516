"""Identifiers of changes, and the paths that follow from them (DESIGN.md section 3).

`CHG-YYYYMMDD-XXXX`: the day of creation in UTC and four or more random Crockford base-32 characters, so
that two people who are offline do not collide. The path follows from the id; month folders keep
the trees small, which keeps a commit cheap.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that an id survives being read aloud."""

ROOT = "changes"
"""The folder that holds change files and nothing else."""

_ID = re.compile(rf"CHG-([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})-([{ALPHABET}]{{4,16}})")
_PATH = re.compile(rf"{ROOT}/([0-9]{{4}})/([0-9]{{2}})/(CHG-[0-9]{{8}}-[{ALPHABET}]{{4,16}})\.toml")


def typed(given: str) -> str:
    """The id, or the last part of one, in what somebody typed: in small letters, or as the path of its file."""
    return given.rsplit("/", 1)[-1].removesuffix(".toml").upper()


@lru_cache(maxsize=1024)
def problem_with(change_id: str) -> str:
    """Why this is not a change id; empty when it is one."""
    match = _ID.fullmatch(change_id)
    if match is None:
        return "an id looks like CHG-20261122-K7Q3: a date and 4 to 16 of 0-9 A-Z without I, L, O, U"
    try:
        dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return f"{match[1]}-{match[2]}-{match[3]} is not a day of the calendar"
    return ""


def is_id(text: str) -> bool:
    """Whether the text is a change id."""
    return not problem_with(text)


def path_of(change_id: str) -> str:
    """The only path at which this change may lie; ValueError when it is no change id."""
    if problem := problem_with(change_id):
        raise ValueError(problem)
    return f"{ROOT}/{change_id[4:8]}/{change_id[8:10]}/{change_id}.toml"


@lru_cache(maxsize=1024)
def id_of(path: str) -> str | None:
    """The id of the change that belongs at this path; None when no change belongs there."""
    match = _PATH.fullmatch(path)
    if match is None or problem_with(match[3]) or path_of(match[3]) != path:
        return None
    return match[3]


def new_id(day: dt.date, entropy: bytes) -> str:
    """An id for a change created on that (UTC) day; `entropy` is at least 3 random bytes."""
    number = int.from_bytes(entropy[:3], "big")
    letters = "".join(ALPHABET[(number >> shift) & 31] for shift in (15, 10, 5, 0))
    return f"CHG-{day:%Y%m%d}-{letters}"
