"""The notes' history, read in one pass, says what looking into every commit says."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitchange.git.repository import FILE, Repository
from gitchange.ledger.chain import losses_on, steps
from gitchange.ledger.notes import Notes, lines_of, note_of
from gitchange.ledger.notes_history import NotesHistory
from gitchange.ledger.signoffs import names_of
from gitchange.ledger.timeline import Point, Timeline
from gitchange.signing.dsse import Envelope
from tests.company import git

from .conftest import WHO
from .test_notes import SUBMODULE, oid

OBJECTS = [oid(number) for number in range(4)]
LINES = [Envelope("text/plain", b"%d" % number, "key", b"signature").to_line() for number in range(3)]
PLACES = ("{0}", "{1}/{2}", "{1}/{3}/{4}", "{5}/{6}")
"""Where a note may lie: the three depths of fan-out, and one that no reader looks at."""

Edit = tuple[int, int, frozenset[int] | None]
Made = tuple[list[int], list[Edit]]

edits = st.tuples(
    st.integers(0, len(OBJECTS) - 1),
    st.integers(0, len(PLACES) - 1),
    st.none() | st.frozensets(st.integers(0, len(LINES) - 1), min_size=1),
)
histories = st.lists(
    st.tuples(st.lists(st.integers(0, 30), max_size=2, unique=True), st.lists(edits, max_size=3)),
    min_size=1,
    max_size=14,
)


def path_of(name: str, place: int) -> str:
    return PLACES[place].format(name, name[:2], name[2:], name[2:4], name[4:], name[:1], name[1:])


def written(repository: Repository, history: Sequence[Made]) -> list[str]:
    """The commits of a history in which anything happens to notes: lost, moved, kept twice, merged, begun anew."""
    commits: list[str] = []
    for parents, changes in history:
        own = tuple(dict.fromkeys(commits[n % len(commits)] for n in parents)) if commits else ()
        tree = repository.tree_of(own[0]) if own else None
        for number, place, lines in changes:
            blob = None
            if lines is not None:
                text = b"".join(LINES[line] + b"\n" for line in sorted(lines))
                blob = (repository.write_blob(text), FILE)
            tree = repository.edit_tree(tree, {path_of(OBJECTS[number], place): blob})
        tree = tree or repository.write_tree({})
        commits.append(repository.write_commit(tree, own, f"{len(commits)}\n", WHO, WHO))
    return commits


def opened(folder: str) -> Repository:
    git(Path(folder), "init", "--quiet", "--bare", "repo.git")
    return Repository.open(Path(folder) / "repo.git")


class Line(Timeline):
    """A line of which only the witnessed notes are given."""

    def __init__(self, repository: Repository, commits: Sequence[str]) -> None:
        self._repository = repository
        moment = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
        self.points = [Point(f"{n}", None, moment, commit) for n, commit in enumerate(commits)]
        self._place = {point.commit: place for place, point in enumerate(self.points)}
        self._witnessing, self._aside = self._witnesses()


@given(histories)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_state_is_the_one_that_its_commit_has(history: Sequence[Made]) -> None:
    """In every commit each object has the note that is found by looking there."""
    with tempfile.TemporaryDirectory() as folder:
        repository = opened(folder)
        commits = written(repository, history)
        read = NotesHistory(repository, commits)
        assert len(read) == len(set(commits))
        for commit in commits:
            for name in OBJECTS:
                assert read.at(commit, name) == note_of(repository, repository.tree_of(commit), name)


@given(histories, st.lists(st.integers(0, 30), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_sign_off_is_witnessed_where_the_first_notes_hold_it(
    history: Sequence[Made], named: list[int]
) -> None:
    """The witness is the first place whose notes hold the sign-off, by looking into all witnessed notes."""
    with tempfile.TemporaryDirectory() as folder:
        repository = opened(folder)
        commits = written(repository, history)
        line = Line(repository, [commits[n % len(commits)] for n in named])
        seen = sorted([*line._witnessing, *line._aside], key=lambda held: held[0])
        for name in OBJECTS:
            for signed in LINES:
                (called,) = names_of((signed,))
                first = next((place for place, held in seen if called in names_of(held.lines(name))), None)
                found = line.witness(name, called)
                assert (found and found.commit) == (None if first is None else f"{first}")
            brought = line.changes_of(name)
            for place, held in line._witnessing:
                now = [note for at, note in brought if at <= place][-1:] or [""]
                assert lines_of(repository, now[0]) == held.lines(name)


@given(histories)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_was_lost_is_what_each_step_lost(history: Sequence[Made]) -> None:
    """Every line that a commit lost of a parent's is told, and no other."""
    with tempfile.TemporaryDirectory() as folder:
        repository = opened(folder)
        commits = written(repository, history)
        read = NotesHistory(repository, commits)
        for tip in commits[-3:]:
            told = {
                (loss.commit, loss.parent, loss.oid, loss.line)
                for name in OBJECTS
                for loss in losses_on(
                    read, name, read.reachable(tip), lambda note: lines_of(repository, note)
                )
            }
            lost = {
                (step.commit, step.parent, name, line)
                for step in steps(repository, tip)
                if step.parent is not None
                for name in OBJECTS
                for line in set(Notes(repository, step.parent).lines(name))
                - set(Notes(repository, step.commit).lines(name))
            }
            assert told == lost


def test_a_submodule_among_the_notes_is_no_note(repository: Repository) -> None:
    """What has no bytes here has no lines, and does not stop the reading."""
    name = OBJECTS[0]
    tree = repository.write_tree({name: ("1" * 40, SUBMODULE)})
    commit = repository.write_commit(tree, (), "strange\n", WHO, WHO)
    assert NotesHistory(repository, [commit]).at(commit, name) == ""
