"""The index as a file: its tables, and what makes one usable.

It is this very program's and no other's: a file that another version or edit of gitchange wrote is told by `program`,
and made anew. The write-ahead log lets others read while one writes, and a kill leaves the file as it was.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import contextmanager, suppress
from functools import cache

from gitchange import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = 1
"""Version of the tables."""

TABLES = """
CREATE TABLE dictionary (said BLOB NOT NULL);
CREATE TABLE known (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE change (
  number INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  id TEXT NOT NULL,
  asked REAL NOT NULL,            -- when the change came in, seconds since 1970
  status TEXT NOT NULL, type TEXT, risk TEXT, title TEXT, requester TEXT, model TEXT,
  systems TEXT NOT NULL, flags TEXT NOT NULL, waiting TEXT NOT NULL,  -- JSON lists
  errors INTEGER NOT NULL,
  open INTEGER NOT NULL,          -- whether it is judged by the policy at the tip
  since REAL NOT NULL, until REAL NOT NULL,  -- the time for which this holds
  brief TEXT NOT NULL,            -- JSON: what the site's lists and figures need
  digest TEXT NOT NULL,           -- of the whole
  -- what lists are chosen by, out of the brief; moments are whole seconds since 1970
  closed INTEGER NOT NULL, attention INTEGER NOT NULL, findings INTEGER NOT NULL, touched INTEGER NOT NULL,
  due INTEGER, begins INTEGER, ends INTEGER, documented_by TEXT, latest INTEGER NOT NULL,
  generation INTEGER NOT NULL     -- the one in which it became what it is
);
CREATE TABLE whole (number INTEGER PRIMARY KEY, shown BLOB NOT NULL);  -- compressed JSON
CREATE INDEX change_newest ON change (asked DESC, path DESC);
CREATE INDEX change_status ON change (status, asked DESC, path DESC);
CREATE INDEX change_id ON change (id);
CREATE INDEX change_until ON change (until);
CREATE INDEX change_since ON change (since);
CREATE INDEX change_generation ON change (generation);
CREATE INDEX change_month ON change (substr(id, 5, 6), closed, touched) WHERE title IS NOT NULL;
CREATE INDEX change_requester ON change (requester, asked DESC, path DESC, touched);
CREATE INDEX change_path ON change (path, touched);
CREATE INDEX change_documented ON change (documented_by) WHERE documented_by IS NOT NULL;
CREATE INDEX change_touched ON change (touched DESC, path DESC);
CREATE INDEX change_latest ON change (latest);
CREATE INDEX change_open ON change (number) WHERE NOT closed;
CREATE INDEX change_attention ON change (asked DESC, path DESC) WHERE attention;
CREATE INDEX change_findings ON change (asked DESC, path DESC) WHERE findings;
CREATE INDEX change_errors ON change (errors) WHERE errors;
CREATE INDEX change_due ON change (due, path) WHERE due IS NOT NULL AND NOT closed;
CREATE INDEX change_window ON change (begins, ends, path, status) WHERE begins IS NOT NULL;
CREATE INDEX change_ending ON change (ends) WHERE begins IS NOT NULL;
CREATE TABLE system (
  name TEXT NOT NULL, asked REAL NOT NULL, path TEXT NOT NULL, number INTEGER NOT NULL, closed INTEGER NOT NULL,
  touched INTEGER NOT NULL,
  -- for figures: the newest of its times, when it was implemented, and whether it has ended, failed, was an emergency
  latest INTEGER NOT NULL, implemented INTEGER NOT NULL,
  ended INTEGER NOT NULL, failed INTEGER NOT NULL, emergency INTEGER NOT NULL,
  PRIMARY KEY (name, asked, path)
) WITHOUT ROWID;
CREATE INDEX system_open ON system (name, asked, path) WHERE NOT closed;
CREATE TABLE signer (
  name TEXT NOT NULL, asked REAL NOT NULL, path TEXT NOT NULL, number INTEGER NOT NULL,
  last INTEGER NOT NULL,          -- the newest claimed moment of the person's sign-offs on the change
  touched INTEGER NOT NULL,
  PRIMARY KEY (name, asked, path)
) WITHOUT ROWID;
CREATE TABLE step (               -- what can happen next, for each who can
  who TEXT NOT NULL,              -- '' for nobody, '*' for any member
  asked REAL NOT NULL, path TEXT NOT NULL,
  place INTEGER NOT NULL,         -- among the next steps of the change
  action TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (who, asked, path, place)
) WITHOUT ROWID;
CREATE TABLE mention (id TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (id, number)) WITHOUT ROWID;
CREATE INDEX signer_number ON signer (number);
CREATE INDEX step_number ON step (number);
CREATE INDEX mention_number ON mention (number);
CREATE TABLE past (generation INTEGER NOT NULL, said TEXT NOT NULL);  -- JSON: what a row was before that generation
CREATE INDEX past_generation ON past (generation);
CREATE TABLE content (name TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;  -- seen by those who go on
CREATE TABLE person (name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)) WITHOUT ROWID;
CREATE TABLE waiting (name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)) WITHOUT ROWID;
CREATE TABLE text (blob TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (blob, number)) WITHOUT ROWID;
CREATE TABLE refers (id TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (id, number)) WITHOUT ROWID;
CREATE TABLE tie (name TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, number)) WITHOUT ROWID;
CREATE TABLE event (moment INTEGER NOT NULL, number INTEGER NOT NULL);  -- commits and sign-offs, seconds since 1970
CREATE INDEX event_moment ON event (moment, number);
CREATE INDEX event_number ON event (number);
CREATE INDEX system_number ON system (number);  -- what is judged anew is forgotten by its number first
CREATE INDEX person_number ON person (number);
CREATE INDEX waiting_number ON waiting (number);
CREATE INDEX text_number ON text (number);
CREATE INDEX refers_number ON refers (number);
CREATE INDEX tie_number ON tie (number);
CREATE TABLE failure (path TEXT NOT NULL, blob TEXT NOT NULL, PRIMARY KEY (path, blob)) WITHOUT ROWID;
CREATE TABLE touch (
  path TEXT NOT NULL, position INTEGER NOT NULL,  -- the oldest has the lowest
  said TEXT NOT NULL,             -- JSON
  PRIMARY KEY (path, position)
) WITHOUT ROWID;
CREATE TABLE point (
  place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, policy TEXT, moment TEXT NOT NULL, witnesses TEXT
);
CREATE TABLE reign (place INTEGER PRIMARY KEY, tree TEXT NOT NULL, policy TEXT, said TEXT NOT NULL);
CREATE TABLE witness (place INTEGER PRIMARY KEY, notes TEXT NOT NULL, aside INTEGER NOT NULL);
CREATE INDEX witness_notes ON witness (notes);
CREATE INDEX witness_aside ON witness (place) WHERE aside;
CREATE TABLE brought (
  oid TEXT NOT NULL, place INTEGER NOT NULL, note TEXT NOT NULL, PRIMARY KEY (oid, place)
) WITHOUT ROWID;
CREATE TABLE came (id TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID;  -- by a merge
-- What `verify` asks beside that.
CREATE TABLE seen (
  number INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,          -- 0 unreadable, 1 open, 2 documented
  said TEXT NOT NULL              -- JSON: what was found on it, and on lines that decide nothing
);
CREATE TABLE gone (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE note (oid TEXT PRIMARY KEY, lines INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE strange (oid TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE loss (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, parent TEXT NOT NULL, oid TEXT NOT NULL, line BLOB NOT NULL
);
CREATE TABLE trailer (notes TEXT PRIMARY KEY, id TEXT NOT NULL, absent INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX trailer_absent ON trailer (absent) WHERE absent;
CREATE INDEX seen_kind ON seen (kind);
CREATE INDEX seen_something ON seen (number) WHERE said != '';
-- What `coverage` and `gate` recorded.
CREATE TABLE result (
  oid TEXT NOT NULL,              -- the commit of the branch of record that it is kept on
  number INTEGER NOT NULL,        -- among the lines of that commit
  place INTEGER NOT NULL, witness INTEGER, moment REAL NOT NULL,  -- what it is sorted by
  kind TEXT, shown TEXT,          -- JSON; nothing where the line is no genuine result
  found TEXT,                     -- JSON: why it does not count
  since REAL NOT NULL, until REAL NOT NULL,  -- the time for which this holds
  away INTEGER NOT NULL,          -- whether it may be judged otherwise when the branch of record moves
  PRIMARY KEY (oid, number)
) WITHOUT ROWID;
CREATE INDEX result_until ON result (until);
CREATE INDEX result_since ON result (since);
CREATE INDEX result_away ON result (oid) WHERE away;
CREATE VIRTUAL TABLE words USING fts5 (
  id, title, people, systems, body, content='', tokenize='unicode61 remove_diacritics 2'
);
"""


@cache
def program() -> str:
    """Which gitchange this is: its version, and its files as they are, so that one under work is told from itself."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    newest, count = 0, 0
    for entry in _files(folder):
        newest, count = max(newest, entry.stat().st_mtime_ns), count + 1
    return f"{SCHEMA} {__version__} {folder} {newest} {count}"


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry
            elif entry.is_dir() and not entry.name.startswith(("_", ".")):
                yield from _files(entry.path)


def open_for_reading(path: str) -> sqlite3.Connection | None:
    """The index, when there is one of this program's; None otherwise."""
    if not os.path.exists(path):
        return None
    try:
        connection = sqlite3.connect(
            f"file:{_quoted(path)}?mode=ro", uri=True, timeout=5, isolation_level=None
        )
    except sqlite3.Error:
        return None
    try:
        if known(connection).get("program") == program():
            return connection
    except sqlite3.Error:
        pass
    connection.close()
    return None


def state_of(connection: sqlite3.Connection) -> tuple[str | None, str | None]:
    """What the rows rest on, and the moment for which they were last looked at."""
    found = known(connection)
    return found.get("state"), found.get("judged")


def opened_at(path: str, state: tuple[str | None, str | None]) -> sqlite3.Connection | None:
    """The index as it is now, whatever others write to it from here on; None when it is at another state."""
    index = open_for_reading(path)
    if index is None:
        return None
    try:
        index.execute("BEGIN")
        if state_of(index) == state:
            return index
    except sqlite3.Error:
        pass
    index.close()
    return None


@contextmanager
def writing(path: str, patience: float = 60) -> Iterator[sqlite3.Connection]:
    """The index inside one transaction that others wait for; empty when it was not there or was no good.

    `patience` is for how many seconds one waits for others.
    Raises sqlite3.Error or OSError where it cannot be written: then one does without it.
    """
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        connection = _begun(path, patience)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
            raise  # locked, or not to be written: not a reason to throw it away
        discard(path)
        connection = _begun(path, patience)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.close()


def _begun(path: str, patience: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and known(connection).get("program") != program():
            connection.execute("ROLLBACK")
            raise sqlite3.DatabaseError("of another program")
        if not tables:
            make(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def make(connection: sqlite3.Connection) -> None:
    """Make the tables."""
    statements = re.sub(r"--[^\n]*", "", TABLES).split(";")
    for statement in filter(str.strip, statements):
        connection.execute(statement)


def empty(connection: sqlite3.Connection) -> None:
    """Forget everything."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        if name == "words":
            connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
        elif not name.startswith(("words_", "sqlite_")):
            connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own tables


def discard(path: str) -> None:
    """Remove the file and its logs."""
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with suppress(FileNotFoundError):
            os.unlink(name)


def inputs_of(git_dir: str, introduction: str | None) -> str:
    """The name under which is known on what the answers rest in one work tree, with that `--introduction`."""
    return f"inputs {introduction or ''} {git_dir}"


def known(connection: sqlite3.Connection) -> dict[str, str]:
    """What the index says about itself."""
    return dict(connection.execute("SELECT name, value FROM known"))


def dictionary(connection: sqlite3.Connection) -> bytes:
    """What most changes have in common, for packing them: the first few as they were when the index was made."""
    found = connection.execute("SELECT said FROM dictionary").fetchone()
    return bytes(found[0]) if found else b""


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
