"""Answers from the index: lists, one change, full text. Only where nothing has changed since it was written.

The shapes are those of docs/json.md, as `assessment.shapes` makes them.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3

from gitchange.index import place as places
from gitchange.index import store
from gitchange.model import identifiers

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer to load than a list to print
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gitchange.index.place import Place

# A shape is made of what was parsed and judged: nothing in it holds itself, and to look for that takes time.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NEVER = 1e18
"""Later than any moment, in seconds since 1970: also when a file came in whose history is not at hand."""


class Wanted:
    """Which changes to list; what is empty does not restrict."""

    def __init__(
        self,
        status: tuple[str, ...] = (),
        type: tuple[str, ...] = (),
        system: tuple[str, ...] = (),
        person: str | None = None,
        waiting_on: str | None = None,
    ) -> None:
        """`person` requested, wrote or signed it, or is waited for; `waiting_on` can take the next step."""
        self.status, self.type, self.system = status, type, system
        self.person, self.waiting_on = person, waiting_on

    @property
    def restricts(self) -> bool:
        """Whether it leaves anything off."""
        return bool(
            self.status or self.type or self.system or self.person is not None or self.waiting_on is not None
        )

    def accepts(self, row: Mapping[str, Any], people: frozenset[str]) -> bool:
        """Whether a summary is one of those; `people` are all who requested, wrote or signed the change."""
        if self.status and row["status"] not in self.status:
            return False
        if row["type"] is None:  # unreadable: shown unless something was asked that it cannot answer
            return not (self.type or self.system or self.person or self.waiting_on)
        if self.type and row["type"] not in self.type:
            return False
        if self.system and not set(self.system) & set(row["systems"]):
            return False
        if self.waiting_on is not None and self.waiting_on not in row["waiting_on"]:
            return False
        return self.person is None or self.person in people | set(row["waiting_on"])


class Listing:
    """Some changes."""

    def __init__(self, changes: tuple[dict[str, Any], ...], total: int) -> None:
        self.changes = changes
        """Summaries, newest or best first."""
        self.total = total
        """How many there are, those that were left off included."""


def seconds(moment: dt.datetime) -> float:
    """An instant as the index has it; microseconds are kept until the year 2255."""
    return (moment - _EPOCH) / dt.timedelta(seconds=1)


def open_current(
    directory: str, environment: Mapping[str, str], now: dt.datetime, introduction: str | None
) -> sqlite3.Connection | None:
    """The index of the repository that holds a folder, when it tells what is the case now; None otherwise."""
    place = places.find(directory, environment)
    if place is None:
        return None
    connection = store.open_for_reading(place.index)
    if connection is None:
        return None
    try:
        if is_current(connection, place, environment, now, introduction):
            return connection
    except (sqlite3.Error, ValueError, OSError, KeyError):
        pass
    connection.close()
    return None


def is_current(
    connection: sqlite3.Connection,
    place: Place,
    environment: Mapping[str, str],
    now: dt.datetime,
    introduction: str | None,
) -> bool:
    """Whether nothing that the index rests on has changed: refs, configuration, objects that were missing, time."""
    known = store.known(connection)
    said = known.get(store.inputs_of(place.git_dir, introduction))
    if said is None:
        return False
    inputs = json.loads(said)
    at = seconds(now)
    return (
        inputs["head"] == place.head()
        and all(place.ref(name) == commit for name, commit in inputs["refs"].items())
        and not place.is_cut_off
        and known["state"] == inputs["state"]
        and (not json.loads(known["missing"]) or known["objects"] == place.objects())
        and inputs["configuration"] == place.configuration(environment)
        and connection.execute("SELECT 1 FROM change WHERE until <= ? LIMIT 1", (at,)).fetchone() is None
        and connection.execute("SELECT 1 FROM change WHERE since > ? LIMIT 1", (at,)).fetchone() is None
    )


_SUMMARY = "path, id, status, type, risk, title, requester, systems, flags, waiting, errors"


def listing(connection: sqlite3.Connection, wanted: Wanted, limit: int | None = None) -> Listing:
    """The changes that fit, newest first, at most `limit` of them."""
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.status:
        conditions.append(f"status IN ({_marks(wanted.status)})")
        values += wanted.status
    if wanted.type:
        conditions.append(f"type IN ({_marks(wanted.type)})")
        values += wanted.type
    for table, names in (
        ("system", wanted.system),
        ("waiting", (wanted.waiting_on,) if wanted.waiting_on is not None else ()),
        ("person", (wanted.person,) if wanted.person is not None else ()),
    ):
        if names:
            named = f"SELECT number FROM {table} WHERE name IN ({_marks(names)})"  # noqa: S608
            conditions.append(f"number IN ({named})")
            values += names
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    order = f" ORDER BY asked DESC, path DESC{f' LIMIT {limit}' if limit is not None else ''}"
    found = connection.execute(f"SELECT {_SUMMARY} FROM change{where}{order}", values).fetchall()  # noqa: S608
    total = len(found)
    if limit is not None and total == limit:
        total = (
            connection.execute(f"SELECT count(*) FROM change{where}", values).fetchone()[0]  # noqa: S608
            if where
            else int(store.known(connection)["total"])
        )
    return Listing(_summaries(found), total)


def shown(connection: sqlite3.Connection, change: str) -> dict[str, Any] | None:
    """One change of the branch of record, whole, by its id; None when there is none."""
    path = identifiers.path_of(change)
    found = connection.execute(
        "SELECT shown FROM change JOIN whole USING (number) WHERE path = ?", (path,)
    ).fetchone()
    return unpacked(found[0], store.dictionary(connection)) if found else None


def with_briefs(
    connection: sqlite3.Connection, condition: str = "1", values: Sequence[Any] = ()
) -> Iterator[tuple[int, dict[str, Any], dict[str, Any], str]]:
    """Every change of which a condition is true, newest first: number, summary, brief and digest of the whole."""
    found = connection.execute(
        f"SELECT number, brief, digest, {_SUMMARY} FROM change WHERE {condition} "  # noqa: S608
        "ORDER BY asked DESC, path DESC",
        values,
    )
    summary = _summaries_of()
    for number, brief, digest, *row in found:
        yield number, summary(row), json.loads(brief), digest


def heads(connection: sqlite3.Connection) -> tuple[str, str | None]:
    """The commit and the notes commit that the rows speak of."""
    known = store.known(connection)
    return known["main"], known["notes"] or None


def ties(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """What ties changes to application repositories (`assessment.shapes.ties_of`), each with the change's id."""
    yield from connection.execute("SELECT tie.name, change.id FROM tie JOIN change USING (number)")


def whole(connection: sqlite3.Connection, number: int, dictionary: bytes) -> dict[str, Any]:
    """One change, whole, by its number; LookupError when there is none."""
    found = connection.execute("SELECT shown FROM whole WHERE number = ?", (number,)).fetchone()
    if found is None:
        raise LookupError(number)
    return unpacked(found[0], dictionary)


def me(connection: sqlite3.Connection, directory: str, environment: Mapping[str, str]) -> str:
    """The person of the policy whom git's `user.email` names; LookupError when it names none: then the key tells."""
    place = places.find(directory, environment)
    email = place.setting("user.email", environment) if place is not None else None
    for person in json.loads(store.known(connection)["people"]):
        if email is not None and person.casefold() == email.casefold():
            return str(person)
    raise LookupError(email)


def search(connection: sqlite3.Connection, words: str, limit: int | None = None) -> Listing:
    """The changes that have all these words, the best first.

    A word in quotes is taken as it is, others find what begins with them.
    """
    query = _query(words)
    if not query:
        return Listing((), 0)
    columns = ", ".join(f"change.{name}" for name in _SUMMARY.split(", "))
    found = connection.execute(
        f"SELECT {columns} FROM words JOIN change ON change.number = words.rowid WHERE words MATCH ? "  # noqa: S608
        "ORDER BY bm25(words, 10.0, 8.0, 4.0, 4.0, 1.0), change.asked DESC, change.path DESC"
        + (f" LIMIT {limit}" if limit is not None else ""),
        (query,),
    ).fetchall()
    total = len(found)
    if limit is not None and total == limit:
        total = connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (query,)).fetchone()[0]
    return Listing(_summaries(found), total)


def _query(words: str) -> str:
    """What was typed, for FTS5: every word is a string, so that nothing in it is an operator."""
    pieces: list[str] = []
    for number, part in enumerate(words.split('"')):
        if number % 2:
            pieces += [f'"{part}"'] if any(c.isalnum() for c in part) else []
        else:
            pieces += [f'"{word}"*' for word in part.split() if any(c.isalnum() for c in word)]
    return " ".join(pieces)


def said(shape: Mapping[str, Any]) -> bytes:
    """One change, whole, as bytes."""
    return _ENCODER.encode(shape).encode("utf-8", "surrogatepass")


def packed(text: bytes, dictionary: bytes) -> bytes:
    """What `said` gave as the index keeps it: half as large by what all changes of a repository have in common."""
    import zlib  # noqa: PLC0415 - lists do without

    packer = zlib.compressobj(3, zdict=dictionary) if dictionary else zlib.compressobj(3)
    return packer.compress(text) + packer.flush()


def unpacked(blob: bytes, dictionary: bytes) -> dict[str, Any]:
    """What `packed` kept."""
    import zlib  # noqa: PLC0415 - lists do without

    unpacker = zlib.decompressobj(zdict=dictionary) if dictionary else zlib.decompressobj()
    shape: dict[str, Any] = json.loads(unpacker.decompress(blob) + unpacker.flush())
    return shape


def _summaries(found: Iterable[Sequence[Any]]) -> tuple[dict[str, Any], ...]:
    return tuple(map(_summaries_of(), found))


def _summaries_of() -> Callable[[Sequence[Any]], dict[str, Any]]:
    """What makes summaries of rows; of many, as the same few lists stand in row after row."""
    lists: dict[str, list[str]] = {}

    def listed(text: str) -> list[str]:
        if text not in lists:
            lists[text] = json.loads(text)
        return lists[text]

    def summary(row: Sequence[Any]) -> dict[str, Any]:
        path, number, status, kind, risk, title, requester, systems, flags, waiting, errors = row
        return {
            "id": number,
            "path": path,
            "status": status,
            "flags": listed(flags),
            "title": title,
            "type": kind,
            "risk": risk,
            "requester": requester,
            "systems": listed(systems),
            "waiting_on": listed(waiting),
            "errors": errors,
        }

    return summary


def _marks(values: tuple[str, ...]) -> str:
    return ", ".join("?" * len(values))
