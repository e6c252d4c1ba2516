"""The ledger's facts as the index keeps them, so that nothing needs to be read twice.

`StoredTimeline` and `StoredAssessor` are the ledger's and the assessment's own, with their facts looked up instead of
gathered. What they decide from these they decide by the same code.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping

from gitchange.assessment.assess import Assessor, removal
from gitchange.git.program import Touch
from gitchange.index import store
from gitchange.index.histories import touch_of
from gitchange.ledger.notes import Notes
from gitchange.ledger.timeline import Made, Point, Reign, Timeline
from gitchange.model import identifiers
from gitchange.model.change import parse_change
from gitchange.model.finding import Finding, in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from typing import Any

    from gitchange.git.repository import Repository
    from gitchange.ledger.documents import Ground, Policies
    from gitchange.model.policy import Policy


class _Points(Made[Point]):
    """The points of the line, by place."""

    def __init__(self, connection: sqlite3.Connection, policies: Policies) -> None:
        self._connection, self._policies = connection, policies

    def at(self, number: int) -> Point:
        found = self._connection.execute(
            "SELECT id, policy, moment, witnesses FROM point WHERE place = ?", (number,)
        )
        return self._point(found.fetchone())

    def __len__(self) -> int:
        count: int = self._connection.execute("SELECT coalesce(max(place) + 1, 0) FROM point").fetchone()[0]
        return count

    def __iter__(self) -> Iterator[Point]:
        for found in self._connection.execute(
            "SELECT id, policy, moment, witnesses FROM point ORDER BY place"
        ):
            yield self._point(found)

    def _point(self, found: tuple[str, str | None, str, str | None]) -> Point:
        commit, tree, when, witnesses = found
        return Point(commit, policy_of(self._policies, tree), dt.datetime.fromisoformat(when), witnesses)


class _Places(Mapping[str, int]):
    """The place of each commit of the line."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getitem__(self, commit: str) -> int:
        found = self._connection.execute("SELECT place FROM point WHERE id = ?", (commit,)).fetchone()
        if found is None:
            raise KeyError(commit)
        place: int = found[0]
        return place

    def __iter__(self) -> Iterator[str]:
        yield from (commit for (commit,) in self._connection.execute("SELECT id FROM point"))

    def __len__(self) -> int:
        count: int = self._connection.execute("SELECT count(*) FROM point").fetchone()[0]
        return count


class _Witnessed(Made[tuple[int, Notes]]):
    """The chain of the witnessed notes, each containing the one before."""

    def __init__(self, connection: sqlite3.Connection, repository: Repository) -> None:
        self._connection, self._repository = connection, repository

    def at(self, number: int) -> tuple[int, Notes]:
        place, commit = self._connection.execute(
            "SELECT place, notes FROM witness WHERE NOT aside ORDER BY place LIMIT 1 OFFSET ?", (number,)
        ).fetchone()
        return place, Notes(self._repository, commit)

    def __len__(self) -> int:
        count: int = self._connection.execute("SELECT count(*) FROM witness WHERE NOT aside").fetchone()[0]
        return count


class StoredTimeline(Timeline):
    """The line as it was walked once."""

    def __init__(
        self, connection: sqlite3.Connection, repository: Repository, known: Policies, introduction: str
    ) -> None:
        self._connection = connection
        self._repository, self._policies, self._introduction = repository, known, introduction
        self.points = _Points(connection, known)
        self._place = _Places(connection)
        self.reigns = [
            Reign(commit, tree, policy_of(known, policy), *_reign(said))
            for commit, tree, policy, said in connection.execute(
                "SELECT point.id, tree, reign.policy, said FROM reign JOIN point USING (place) ORDER BY place"
            )
        ]
        self._witnessing = _Witnessed(connection, repository)
        self._aside = [
            (place, Notes(repository, commit))
            for place, commit in connection.execute(
                "SELECT place, notes FROM witness WHERE aside ORDER BY place"
            )
        ]
        self.clock_findings = [
            Finding(**fields) for fields in json.loads(store.known(connection).get("clock", "[]"))
        ]

    @property
    def last_witnessed(self) -> str | None:
        found = self._connection.execute(
            "SELECT notes FROM witness WHERE NOT aside ORDER BY place DESC LIMIT 1"
        ).fetchone()
        return found[0] if found else None

    def witnessed_before(self, commit: str) -> str | None:
        place = self._place.get(commit, len(self.points))
        found = self._connection.execute(
            "SELECT notes FROM witness WHERE NOT aside AND place < ? ORDER BY place DESC LIMIT 1", (place,)
        ).fetchone()
        return found[0] if found else None

    def place_of_notes(self, notes: str) -> int | None:
        """The place that these very notes have in the chain of those witnessed; None when they are not in it."""
        found = self._connection.execute(
            "SELECT place FROM witness WHERE notes = ? AND NOT aside", (notes,)
        ).fetchone()
        return found[0] if found else None

    def came(self, commit: str) -> int | None:
        """The place at which a commit that touched a file came onto the line, itself or by a merge."""
        place = self._place.get(commit)
        if place is not None:
            return place
        found = self._connection.execute("SELECT place FROM came WHERE id = ?", (commit,)).fetchone()
        return found[0] if found else None

    def changes_of(self, oid: str) -> Sequence[tuple[int, str]]:
        """The places at which the note of an object changed along the chain of witnessed notes, with the note."""
        return self._connection.execute(
            "SELECT place, note FROM brought WHERE oid = ? ORDER BY place", (oid,)
        ).fetchall()


class StoredAssessor(Assessor):
    """Judges by stored facts."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        repository: Repository,
        now: dt.datetime,
        policies: Policies,
        ground: Ground,
    ) -> None:
        line = StoredTimeline(connection, repository, policies, ground.introduction)
        super().__init__(repository, now, timeline=(policies, ground, line))
        self._connection = connection

    def history_of(self, path: str) -> tuple[Touch, ...]:
        """What was done to a file, newest first."""
        found = self._connection.execute(
            "SELECT said FROM touch WHERE path = ? ORDER BY position DESC", (path,)
        )
        return tuple(touch_of(path, said) for (said,) in found)

    def removed(self) -> tuple[Finding, ...]:
        """Change files that the history had and the branch of record has no more."""
        found: list[Finding] = []
        for (path,) in self._connection.execute("SELECT path FROM gone ORDER BY path").fetchall():
            history = self.history_of(path)
            if history and identifiers.id_of(path) is not None:
                found.append(removal(path, history[0]))
        return in_order(found)

    @property
    def texts_with_failures(self) -> Sequence[tuple[str, str]]:
        return self._connection.execute("SELECT path, blob FROM failure ORDER BY path, blob").fetchall()

    def model_in(self, path: str, blob: str) -> str | None:
        """The model that a text says to follow."""
        change = parse_change(self.repository.blob(blob), path).change
        return change.model if change is not None else None


def policy_of(policies: Policies, tree: str | None) -> Policy | None:
    """The policy in a folder that was found in force; None for none."""
    return policies.of_tree(tree)[0] if tree else None


def reign_said(reign: Reign) -> str:
    """Who approved it and what was found, as the index keeps it."""
    return json.dumps(
        [list(reign.approved_by), [finding_said(f) for f in reign.findings]], ensure_ascii=False
    )


def _reign(said: str) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    approved_by, found = json.loads(said)
    return tuple(approved_by), tuple(Finding(**fields) for fields in found)


def finding_said(finding: Finding) -> dict[str, Any]:
    """A finding as the index keeps it, to be made again by `Finding(**said)`."""
    return {name: getattr(finding, name) for name in Finding.__match_args__}
