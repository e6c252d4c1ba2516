"""Histories of a few files, from the index as far as it goes: git walks through all commits for those of one file."""

from __future__ import annotations

import json
import sqlite3

from gitchange.git import program
from gitchange.git.program import Touch
from gitchange.git.repository import moment
from gitchange.index import store
from gitchange.index.place import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitchange.git.repository import Repository


def touches(repository: Repository, tip: str, paths: Sequence[str]) -> Iterator[Touch]:
    """What was done to these files of changes up to a commit, newest first; the same as `program.touches` gives.

    An index that has not been made yet, or is of another line of history, is not waited for.
    """
    index = store.open_for_reading(place_of(repository).index)
    if index is not None:
        try:
            kept, reached = _kept(index, paths)
        except sqlite3.Error:
            reached = ""
        finally:
            index.close()
        if reached and repository.has(reached) and repository.is_ancestor(reached, tip):
            if reached != tip:
                yield from program.touches(repository, tip, *paths, hidden=(reached,))
            yield from kept
            return
    yield from program.touches(repository, tip, *paths)


def _kept(index: sqlite3.Connection, paths: Sequence[str]) -> tuple[list[Touch], str]:
    """What the index has of these files, and up to which commit."""
    index.execute("BEGIN")
    found: list[Touch] = []
    for path in paths:
        rows = index.execute("SELECT said FROM touch WHERE path = ? ORDER BY position DESC", (path,))
        found += [touch_of(path, said) for (said,) in rows]
    return found, store.known(index).get("main", "")


def said_of(touch: Touch) -> str:
    """A touch as the index keeps it, beside its path."""
    return json.dumps(
        [
            touch.commit,
            touch.author_name,
            touch.author_email,
            list(touch.co_authors),
            touch.time.timestamp(),
            touch.subject,
            touch.blob,
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def touch_of(path: str, said: str) -> Touch:
    """What `said_of` kept."""
    commit, name, email, co_authors, when, subject, blob = json.loads(said)
    return Touch(commit, name, email, tuple(co_authors), moment(int(when)), subject, path, blob)
