"""Append-only: what each notes commit kept of its parents' lines.

For every notes commit, each parent's lines are a subset of its own (DESIGN.md section 4, rule 1), at any
depth of fan-out, merges included. A line that is missing from a child was removed or altered by that
commit, whatever became of it later. Whether it is back at the tip is told beside it.
"""

from __future__ import annotations

from functools import lru_cache

from gitchange.git import program
from gitchange.ledger.notes import Notes, split
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from gitchange.git.repository import Repository
    from gitchange.ledger.notes_history import NotesHistory


class Loss(Value):
    """A line that a notes commit lost."""

    commit: str
    """The commit that does not have it any more."""
    parent: str
    """The parent that has it."""
    oid: str
    """The annotated object."""
    line: bytes


class Step(Value):
    """What a notes commit made of one of its parents."""

    commit: str
    parent: str | None
    """None for a commit that has no parent."""
    changed: tuple[tuple[str, str, str], ...]
    """(path, blob before, blob after) of every note that differs; "" where there is none."""


def steps(repository: Repository, tip: str, verified: str | None = None) -> tuple[Step, ...]:
    """Every step to a notes commit, oldest first, except those to commits reachable from `verified`."""
    pairs: list[tuple[str | None, str]] = []
    for commit in repository.ancestors(tip, (verified,) if verified else ()):
        pairs += [(parent, commit) for parent in repository.commit(commit).parents or (None,)]
    pairs.reverse()
    asked = [(repository.tree_of(parent), repository.tree_of(child)) for parent, child in pairs if parent]
    changes = program.tree_changes(repository, asked)
    return tuple(
        Step(child, parent, tuple(next(changes) if parent else _whole(repository, child)))
        for parent, child in pairs
    )


def _whole(repository: Repository, commit: str) -> Iterator[tuple[str, str, str]]:
    """Everything in a notes commit, as a change from nothing."""
    for entry in repository.walk(repository.tree_of(commit)):
        if entry.is_blob:
            yield entry.path, "", entry.id


def losses(repository: Repository, tip: str, verified: str | None = None) -> Iterator[Loss]:
    """Every line that some commit reachable from `tip` lost, oldest commit first.

    Commits reachable from `verified` are not looked at again.
    """
    return losses_in(repository, steps(repository, tip, verified))


def losses_in(repository: Repository, walked: Iterable[Step]) -> Iterator[Loss]:
    """Every line that was lost in one of these steps."""

    @lru_cache(maxsize=1024)
    def lines_of(blob: str) -> frozenset[bytes]:
        return frozenset(split(repository.blob(blob)))

    for step in walked:
        if step.parent is None:
            continue
        suspicious: set[str] = set()
        for path, was, now in step.changed:
            if was and not (now and lines_of(was) <= lines_of(now)):
                suspicious.add(path.replace("/", ""))
        if suspicious:
            # Moved by another fan-out, or kept in a second note on the same object: look at the whole.
            before, after = Notes(repository, step.parent), Notes(repository, step.commit)
            for oid in sorted(suspicious):
                kept = set(after.lines(oid))
                for line in before.lines(oid):
                    if line not in kept:
                        yield Loss(step.commit, step.parent, oid, line)


def losses_on(
    history: NotesHistory, oid: str, reached: Container[int], lines_of: Callable[[str], tuple[bytes, ...]]
) -> Iterator[Loss]:
    """Every line on one object that a commit lost which is among those `reached` (`NotesHistory.reachable`)."""
    for number, parent, was, now in history.steps(oid):
        if was and number in reached:
            kept = lines_of(now)
            for line in lines_of(was):
                if line not in kept:
                    yield Loss(history.commit(number), history.commit(parent), oid, line)


def lost_between(repository: Repository, before: str, after: str) -> tuple[tuple[str, bytes], ...]:
    """Lines that the notes at `before` hold and those at `after` do not: (object, line).

    Only folders that differ are looked at.
    """
    old, new = Notes(repository, before), Notes(repository, after)
    oids = {
        path.replace("/", "")
        for path, was, _ in repository.changed(repository.tree_of(before), repository.tree_of(after))
        if was is not None
    }
    lost: list[tuple[str, bytes]] = []
    for oid in sorted(oids):
        kept = set(new.lines(oid))
        lost += [(oid, line) for line in old.lines(oid) if line not in kept]
    return tuple(lost)
