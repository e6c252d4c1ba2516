"""Bringing the index up to date: by what changed where that can be told, otherwise from nothing.

A change is judged again when something that its judgement rests on has changed: its file or its history, the notes on
one of its texts, what the branch of record has witnessed of them, a change that it refers to, failures by its model, or
the time. A new policy, a history that did not simply go on, and whatever else is not plain, is judged from nothing.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import partial
from itertools import islice, pairwise

from gitchange.assessment import verification
from gitchange.assessment.assess import Assessor
from gitchange.assessment.shapes import (
    SUMMARY,
    brief_json,
    moments_of,
    people_of,
    show_json,
    summary_json,
    texts_of,
    ties_of,
)
from gitchange.assessment.verification import Seen
from gitchange.errors import GitchangeError
from gitchange.git import program
from gitchange.index import audit, lists, recorded, rows, store
from gitchange.index import place as places
from gitchange.index.facts import StoredAssessor, StoredTimeline, finding_said, reign_said
from gitchange.index.histories import said_of, touch_of
from gitchange.index.place import Place, place_of
from gitchange.ledger import documents, notes
from gitchange.ledger.documents import INTRODUCTION_KEY, Ground, Policies
from gitchange.ledger.records import trailer_of
from gitchange.ledger.remote import verified_notes
from gitchange.ledger.signoffs import signers_of
from gitchange.ledger.timeline import APPROVALS, CLOCKS_DIFFER, Point
from gitchange.lifecycle import horizon
from gitchange.lifecycle.horizon import ALWAYS
from gitchange.model import identifiers
from gitchange.model import policy as policies_model
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from gitchange.assessment.assess import Tell
    from gitchange.assessment.overview import Assessment, Overview
    from gitchange.assessment.verification import Verification
    from gitchange.git.program import Touch
    from gitchange.git.repository import Entry, Repository
    from gitchange.lifecycle.horizon import Span
    from gitchange.model.policy import Policy

    Answer = TypeVar("Answer")


_SAMPLES, _LONGEST = 3, 32_000
"""From how many changes it is learned what all have in common, and how many bytes of that zlib can use."""

_PORTION = 300
"""So many facts of a kind are kept at once, between the rows: about three of each belong to a change."""

_PAST = 5000
"""Of so many rows is kept what they were before; whoever was away for longer looks at everything."""

_PATIENCE = 2.0
"""Seconds that a command waits for whoever writes the index, when it can do without: making one takes minutes."""


def ask(
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    question: Callable[[sqlite3.Connection], Answer],
    tell: Tell | None = None,
) -> Answer | None:
    """Bring the index up to date and ask it; None where it cannot be written. `tell` is told how far that is.

    Raises what `Assessor` raises where the repository cannot be judged at all.
    """
    return _current(repository, now, introduction, lambda index, _: question(index), tell)


def consult(
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    question: Callable[[sqlite3.Connection, Assessor], Answer],
    tell: Tell | None = None,
) -> Answer:
    """Bring the index up to date and ask it, and whoever judged for it; in memory where none can be written.

    Raises what `Assessor` raises where the repository cannot be judged at all.
    """

    def answered(index: sqlite3.Connection, by: Assessor) -> tuple[Answer] | GitchangeError:
        try:
            return (question(index, by),)
        except GitchangeError as error:
            return error  # what was asked is wrong: what has been judged by then is kept all the same

    found = _current(repository, now, introduction, answered, tell)
    if found is None:
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as index:
            store.make(index)
            found = answered(index, _from_nothing(index, repository, now, introduction, tell))
    if isinstance(found, GitchangeError):
        raise found
    return found[0]


def verify(
    repository: Repository, now: dt.datetime, introduction: str | None, tell: Tell | None = None
) -> Verification | None:
    """Bring the index up to date, and verify by what was verified before; None where it cannot be written."""

    def verified(index: sqlite3.Connection, by: Assessor) -> Verification:
        return verification.verify_repository(by, known=partial(audit.whole, index))

    return _current(repository, now, introduction, verified, tell)


class Snapshot(Value):
    """Everything at one state, for those who take their time."""

    overview: Overview
    """Without the changes."""
    verification: Verification
    recorded: tuple[Mapping[str, Any], ...]
    """Recorded results in their documented JSON shape, newest first."""
    path: str
    """Of the index's file."""
    state: tuple[str | None, str | None]
    """What `store.opened_at` wants to see."""


def snapshot(
    repository: Repository, now: dt.datetime, introduction: str | None, tell: Tell | None = None
) -> Snapshot | None:
    """Bring the index up to date; None where it cannot be written."""
    place = place_of(repository)

    def taken(index: sqlite3.Connection, by: Assessor) -> Snapshot:
        verified = verification.verify_repository(by, known=partial(audit.whole, index))
        index.execute(
            "INSERT OR REPLACE INTO content SELECT c.value, g.value FROM known c, known g "
            "WHERE c.name = 'content' AND g.name = 'generation'"
        )
        kept = tuple(one.shown for one in recorded.recorded(index))
        return Snapshot(by.overview(judged=False), verified, kept, place.index, store.state_of(index))

    return _current(repository, now, introduction, taken, tell)


def _current(
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    question: Callable[[sqlite3.Connection, Assessor], Answer],
    tell: Tell | None,
) -> Answer | None:
    """Ask an index that is up to date, and whoever judged for it; a damaged one is made anew once."""
    place = place_of(repository)
    for attempt in ("as it is", "anew"):
        try:
            with store.writing(place.index) as index:
                by = _refresh(index, repository, now, introduction, place, tell=tell)
                return question(index, by)
        except (sqlite3.OperationalError, OSError, UnicodeEncodeError):  # the last: a path that is no text
            return None
        except sqlite3.DatabaseError:  # damaged somewhere inside
            if attempt == "as it is":
                store.discard(place.index)
    return None


def keep_up(
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    question: Callable[[sqlite3.Connection], Answer],
) -> Answer | None:
    """Bring an index that is there up to date and ask it; None when it would have to be made from nothing.

    Nor is there any waiting for somebody who makes one.
    """
    return _kept_up(repository, now, introduction, lambda index, _: question(index))


def _kept_up(
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    question: Callable[[sqlite3.Connection, Assessor], Answer],
) -> Answer | None:
    """The same, with whoever judged for it."""
    place = place_of(repository)
    if not os.path.exists(place.index):
        return None
    with (
        suppress(sqlite3.Error, OSError, UnicodeEncodeError, _LeftError),
        store.writing(place.index, patience=_PATIENCE) as index,
    ):
        by = _refresh(index, repository, now, introduction, place, plain=True)
        return question(index, by)
    return None


def assessor(repository: Repository, now: dt.datetime, introduction: str | None) -> Assessor | None:
    """Judges anew, by the facts of an index that is there; None when it would have to be made from nothing.

    It keeps reading the index as it is now, whatever others write to it.
    """
    kept = _kept_up(
        repository, now, introduction, lambda index, by: (store.known(index)["state"], by.policies)
    )
    index = store.open_for_reading(place_of(repository).index) if kept is not None else None
    if kept is None or index is None:
        return None
    expected, policies = kept
    try:
        index.execute("BEGIN")
        known = store.known(index)
        if known["state"] != expected:
            return None  # somebody else was at work in between
        ground = Ground(known["branch"], known["main"], known["introduction"], known["pinned"] == "True")
        return StoredAssessor(index, repository, now, policies, ground)
    except sqlite3.Error:
        return None


class _LeftError(Exception):
    """It would have to be made from nothing."""


def _refresh(
    connection: sqlite3.Connection,
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    place: Place,
    *,
    plain: bool = False,
    tell: Tell | None = None,
) -> Assessor:
    """In these steps, with the assessor that judged:

    1. where to read, and whether what is known went on from there;
    2. what is new, or everything;
    3. what this rests on, so that the next one can see whether it still holds.
    """
    head = place.head()
    repository.asked.clear()
    # 1. and 2.
    known = store.known(connection)
    assessor = _continued(connection, repository, now, introduction, known) if known.get("main") else None
    if assessor is None:
        if plain:
            raise _LeftError
        assessor = _from_nothing(connection, repository, now, introduction, tell)
    # 3.
    ground = assessor.ground
    for remote in repository.remotes():
        repository.ref(verified_notes(remote))
    state = _state(repository, ground, assessor.notes.commit)
    values = {
        "program": store.program(),
        "state": state,
        "judged": now.isoformat(),
        "main": ground.main,
        "branch": ground.branch,
        "notes": assessor.notes.commit or "",
        "introduction": ground.introduction,
        "pinned": str(ground.pinned),
        "total": str(connection.execute("SELECT count(*) FROM change").fetchone()[0]),
        "people": json.dumps(assessor.policy.people if assessor.policy else ()),
        "clock": json.dumps([finding_said(finding) for finding in assessor.timeline.clock_findings]),
        "complete": "yes" if _complete(repository, assessor.notes.commit) else "no",
        "missing": json.dumps(sorted(repository.missing)),
        "objects": place.objects() if repository.missing else "",
        store.inputs_of(place.git_dir, introduction): json.dumps(
            {
                "head": head,
                "refs": dict(repository.asked),
                "configuration": places.configuration_of(repository.listed_configuration),
                "state": state,
            }
        ),
    }
    connection.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", values.items())
    return assessor


def _state(repository: Repository, ground: Ground, noted: str | None) -> str:
    """What the rows rest on beside time: the same for all work trees in which it is the same."""
    verified = {remote: repository.ref(verified_notes(remote)) for remote in repository.remotes()}
    return json.dumps([ground.main, noted, ground.introduction, ground.pinned, ground.branch, verified])


# -- everything ----------------------------------------------------------------------------------


def _from_nothing(
    connection: sqlite3.Connection,
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    tell: Tell | None,
) -> Assessor:
    store.empty(connection)
    repository.missing.clear()
    repository.expect_much()
    assessor = Assessor(repository, now, introduction=introduction)
    assessor.tell = tell
    assessor.gather()
    samples = list(islice(assessor.each(), _SAMPLES))
    said = b"".join(rows.said(show_json(sample)) for sample in samples)[-_LONGEST:]
    connection.execute("INSERT INTO dictionary VALUES (?)", (said,))
    writer = _Writer(connection, assessor)
    look = verification.looker(assessor)

    def rows_of(assessments: Iterator[Assessment]) -> list[tuple[_Row, Seen, list[str]]]:
        return [
            (writer.row(a, seen), seen, _failures(assessor, a)) for a in assessments for seen in (look(a),)
        ]

    whole = Seen()
    # While others judge, what they judge by is kept.
    named: dict[str, str] = {}
    facts = _put_facts(connection, assessor, named)
    for found in assessor.spread(rows_of):
        for row, seen, failures in found:
            writer.insert(row)
            whole.add(seen)
            _put_failures(connection, ((row.change[0], blob) for blob in failures))
        next(facts, None)
    for _ in facts:
        pass
    writer.finish()
    around = verification.around(assessor, whole, named)
    audit.put(connection, assessor, around, named)
    for oid, judged in around.judged.items():
        recorded.put(connection, assessor, oid, judged, writer.unsettled)
    return assessor


def _put_facts(connection: sqlite3.Connection, assessor: Assessor, named: dict[str, str]) -> Iterator[None]:
    """Keep the ledger's facts, a portion of them at a time; the witnesses are also put into `named`."""
    line = assessor.timeline
    named |= verification.witnesses(assessor)
    _put_reigns(connection, assessor)
    connection.executemany("INSERT INTO witness VALUES (?, ?, ?)", line.witnessed)
    present = {entry.path for entry in assessor.files if entry.is_file}
    _put_failures(connection, assessor.texts_with_failures_of(assessor.histories.keys() - present))
    beside = {touch.commit for touch in assessor.touches if line.place(touch.commit) is None}
    connection.executemany(
        "INSERT INTO came VALUES (?, ?)", ((c, p) for c in beside if (p := line.came(c)) is not None)
    )
    points, changes, paths = enumerate(line.points), line.all_changes(), iter(assessor.histories)
    more = True
    while more:
        yield
        some = list(islice(points, _PORTION)), list(islice(changes, _PORTION)), list(islice(paths, _PORTION))
        _put_points(connection, some[0])
        connection.executemany("INSERT INTO brought VALUES (?, ?, ?)", some[1])
        for path in some[2]:
            _put_history(connection, path, assessor.histories[path])
        more = any(some)


def _failures(assessor: Assessor, assessment: Assessment) -> list[str]:
    """The texts of a change on which somebody says that it failed."""
    blobs = {version.blob for version in assessment.history if version.blob}
    return sorted(filter(assessor.tells_failure, blobs))


def _put_failures(connection: sqlite3.Connection, found: Iterable[tuple[str, str]]) -> None:
    connection.executemany("INSERT INTO failure VALUES (?, ?)", found)


def _put_points(connection: sqlite3.Connection, points: Iterable[tuple[int, Point]]) -> None:
    connection.executemany(
        "INSERT INTO point VALUES (?, ?, ?, ?, ?)",
        (
            (place, p.commit, p.before.tree if p.before else None, p.moment.isoformat(), p.witnesses)
            for place, p in points
        ),
    )


def _put_reigns(connection: sqlite3.Connection, assessor: Assessor) -> None:
    connection.executemany(
        "INSERT INTO reign VALUES (?, ?, ?, ?)",
        (
            (
                assessor.timeline.place(reign.commit),
                reign.tree,
                reign.policy.tree if reign.policy else None,
                reign_said(reign),
            )
            for reign in assessor.timeline.reigns
        ),
    )


def _put_history(connection: sqlite3.Connection, path: str, history: Sequence[Touch]) -> None:
    """Replace the history of a file; newest first."""
    connection.execute("DELETE FROM touch WHERE path = ?", (path,))
    connection.executemany(
        "INSERT INTO touch VALUES (?, ?, ?)",
        ((path, position, said_of(touch)) for position, touch in enumerate(reversed(history))),
    )


_DIGEST = 17
"""The place of the digest among a row's columns."""


class _Row(Value):
    """What the index keeps of a change: plain data, which another process may have made."""

    change: tuple[Any, ...]
    """The columns of its row, without the number; the path comes first."""
    whole: bytes
    """The whole change, packed."""
    moments: tuple[int, ...]
    """When something happened to it."""
    beside: dict[str, list[str]]
    """What stands in the tables beside it."""
    lists: dict[str, list[dict[str, Any]]]
    """By what it stands in lists."""
    words: tuple[str, str, str, str, str]
    kind: int
    """0 for a file that cannot be read, 1 for an open change, 2 for a documented one."""
    found: str
    """What `verify` finds on it, as JSON; empty for nothing."""


class _Writer:
    """Makes and writes rows for assessments."""

    def __init__(self, connection: sqlite3.Connection, assessor: Assessor) -> None:
        self._connection, self._assessor = connection, assessor
        self._dictionary = store.dictionary(connection)
        self._keys = tuple(_key_moments(assessor.policy)) if assessor.policy is not None else ()
        known = store.known(connection)
        self._generation, self._content = (
            int(known.get("generation", "0")),
            int(known.get("content", "0"), 16),
        )
        self._next = self._generation + 1
        """The generation of what is written."""

    @property
    def unsettled(self) -> Span:
        """For how long holds what is judged by the policy as it is, now."""
        policy = self._assessor.policy
        certificates = policy is not None and _has_certificates(policy)
        return recorded.unsettled(self._keys, self._assessor.now, certificates=certificates)

    def row(self, assessment: Assessment, seen: Seen) -> _Row:
        """What is kept of it; nothing is written."""
        summary, shape = summary_json(assessment), show_json(assessment)
        said = rows.said(shape)
        when = self._span(assessment, seen)
        asked = rows.seconds(assessment.history[-1].time) if assessment.history else rows.NEVER
        change = assessment.change
        brief = brief_json(shape)
        listed, beside_lists = lists.listed(shape, brief, asked)
        columns = (
            assessment.path,
            summary["id"],
            asked,
            summary["status"],
            summary["type"],
            summary["risk"],
            summary["title"],
            summary["requester"],
            change.model if change else None,
            json.dumps(summary["systems"], ensure_ascii=False),
            json.dumps(summary["flags"], ensure_ascii=False),
            json.dumps(summary["waiting_on"], ensure_ascii=False),
            summary["errors"],
            assessment.record is None,
            rows.seconds(when.since) if when.since else -rows.NEVER,
            rows.seconds(when.until) if when.until else rows.NEVER,
            json.dumps(brief, ensure_ascii=False, separators=(",", ":")),
            places.digest(said),
            *listed,
        )
        whole = rows.packed(said, self._dictionary)
        waiting = set(summary["waiting_on"])
        beside = {
            "person": sorted(people_of(assessment) | waiting),
            "waiting": sorted(waiting),
            "text": sorted(_texts(assessment)),
            "refers": sorted(_referred(assessment)),
            "tie": sorted(ties_of(shape)),
        }
        kind, found = audit.said_of(seen)
        return _Row(columns, whole, moments_of(shape), beside, beside_lists, texts_of(shape), kind, found)

    def put(self, assessment: Assessment) -> None:
        """Put the row of a file in the place of the one there was."""
        seen = verification.look_at_one(self._assessor, assessment, {})
        row = self.row(assessment, seen)
        before = self.remove(assessment.path, row.change[_DIGEST])
        self.insert(row, before)

    def insert(self, row: _Row, before: tuple[int, int] | None = None) -> None:
        """Write a row of which there is none yet; `before` are the number and the generation that it had."""
        connection = self._connection
        number, generation = before or (None, self._next)
        self._content += lists.told(row.change[0], row.change[_DIGEST])
        self._generation = max(self._generation, generation)
        number = connection.execute(
            f"INSERT INTO change VALUES (?, {', '.join('?' * len(row.change))}, ?)",  # noqa: S608
            (number, *row.change, generation),
        ).lastrowid
        connection.execute("INSERT INTO whole VALUES (?, ?)", (number, row.whole))
        connection.executemany(
            "INSERT INTO event VALUES (?, ?)", ((moment, number) for moment in row.moments)
        )
        for table, names in row.beside.items():
            connection.executemany(
                f"INSERT INTO {table} VALUES (?, ?)",  # noqa: S608 - our own tables
                ((name, number) for name in names),
            )
        lists.put(connection, number or 0, row.lists)
        connection.execute(
            "INSERT INTO words (rowid, id, title, people, systems, body) VALUES (?, ?, ?, ?, ?, ?)",
            (number, *row.words),
        )
        connection.execute("INSERT INTO seen VALUES (?, ?, ?)", (number, row.kind, row.found))
        connection.execute("DELETE FROM gone WHERE path = ?", row.change[:1])

    def remove(self, path: str, digest: str = "") -> tuple[int, int] | None:
        """Take a file's row away; None when there was none.

        Otherwise its number, and the generation of what takes its place: the one it had where that is the same, whose
        whole has this digest.
        """
        connection = self._connection
        found = connection.execute(
            "SELECT number, shown, digest, asked, generation FROM change JOIN whole USING (number) WHERE path = ?",
            (path,),
        ).fetchone()
        if found is None:
            return None
        number, shown, old, asked, generation = found
        shape = rows.unpacked(shown, self._dictionary)
        connection.execute(
            "INSERT INTO words (words, rowid, id, title, people, systems, body) VALUES ('delete', ?, ?, ?, ?, ?, ?)",
            (number, *texts_of(shape)),
        )
        self._content -= lists.told(path, old)
        if old != digest:
            summary = {name: shape[name] for name in SUMMARY}
            said = lists.past_said(asked, generation, summary, brief_json(shape))
            generation = self._generation = self._next
            connection.execute("INSERT INTO past VALUES (?, ?)", (generation, said))
        connection.execute("DELETE FROM change WHERE number = ?", (number,))
        for table in ("whole", "event", "person", "waiting", "text", "refers", "tie", "seen", *lists.TABLES):
            connection.execute(f"DELETE FROM {table} WHERE number = ?", (number,))  # noqa: S608
        return number, generation

    def finish(self) -> None:
        """Keep what all rows together are, and forget what was too long ago."""
        connection = self._connection
        values = {"generation": str(self._generation), "content": lists.content(self._content)}
        connection.executemany("INSERT OR REPLACE INTO known VALUES (?, ?)", values.items())
        cut = connection.execute(
            "SELECT generation FROM past ORDER BY generation DESC LIMIT 1 OFFSET ?", (_PAST,)
        ).fetchone()
        if cut is not None:
            connection.execute("DELETE FROM past WHERE generation <= ?", cut)
            connection.execute("DELETE FROM content WHERE generation < ?", cut)

    def _span(self, assessment: Assessment, seen: Seen) -> Span:
        """For how long the row holds."""
        own = self._span_of_verdict(assessment)
        if sum(seen.texts.values()) <= len(assessment.sign_offs) or self._assessor.policy is None:
            return own
        # There are lines that decide nothing: these are authenticated by the policy as it is, now, good or not.
        if _has_certificates(self._assessor.policy):
            return horizon.at_once(self._assessor.now)
        return horizon.narrowed(own, self._keys, self._assessor.now)

    def _span_of_verdict(self, assessment: Assessment) -> Span:
        evidence, verdict, policy = assessment.evidence, assessment.verdict, self._assessor.policy
        if evidence is None or verdict is None or policy is None:
            return ALWAYS
        now = self._assessor.now
        if assessment.record is not None and all(f.code != "record.no-commit" for f in assessment.findings):
            return ALWAYS  # judged at the moment of its record
        unwitnessed = any(s.place is None and (s.certificate or s.primary) for s in assessment.sign_offs)
        doubted = bool(evidence.doubts or evidence.ignored)
        if unwitnessed or (doubted and _has_certificates(policy)):
            return horizon.at_once(now)  # certificates end by rules of their own
        return horizon.span(evidence, policy, now, verdict.status, self._keys)


def _key_moments(policy: Policy) -> Iterator[dt.datetime]:
    """When keys of the policy begin and end to be valid: the seconds on both sides."""
    for entry in signers_of(policy).ssh.entries:
        for moment in (entry.valid_after, entry.valid_before):
            if moment is not None:
                yield from (moment, moment + dt.timedelta(seconds=1))


def _has_certificates(policy: Policy) -> bool:
    return bool(policy.openpgp) or any(entry.cert_authority for entry in signers_of(policy).ssh.entries)


def _texts(assessment: Assessment) -> set[str]:
    """The objects whose notes are about the change."""
    own = {assessment.evidence.blob} if assessment.evidence is not None else set()
    return own | {version.blob for version in assessment.history if version.blob}


def _referred(assessment: Assessment) -> set[str]:
    """Ids of other changes that must be there."""
    change = assessment.change
    if change is None:  # whatever could be read of it was held against all ids
        return {"*"}
    return {*change.depends_on, *((change.amends,) if change.amends else ())}


# -- what changed --------------------------------------------------------------------------------


def _continued(
    connection: sqlite3.Connection,
    repository: Repository,
    now: dt.datetime,
    introduction: str | None,
    known: Mapping[str, str],
) -> Assessor | None:
    """The index brought up to date from what changed; None when that is not plain, and nothing was written.

    1. the same branch and introduction, whose line went on from where it was;
    2. no policy, no approval of one and no merge that brought one;
    3. the notes were complete then and are now;
    4. what touched files, texts and what is witnessed of them; what refers to ids that came or went;
    5. models that failed, and rows whose time is over.
    """
    policies = Policies(repository)
    # 1.
    branch, tip = documents.branch_of_record(repository, policies)
    pinned = introduction or repository.config(INTRODUCTION_KEY)
    if repository.is_shallow or branch != known["branch"] or str(pinned is not None) != known["pinned"]:
        return None
    if pinned is not None and pinned != known["introduction"]:
        return None
    before = known["main"]
    if tip != before and (not repository.has_commit(before) or not repository.is_ancestor(before, tip)):
        return None
    fresh: list[str] = []
    for commit in repository.first_parents(tip):
        if commit == before:
            break
        fresh.append(commit)
        if commit == known["introduction"]:
            return None  # a merge has put the line aside
    fresh.reverse()
    # 2.
    if not _keeps_policy(repository, before, fresh):
        return None
    # 3.
    tips = known["notes"] or None, repository.ref(notes.REF)
    verified = {remote: repository.ref(verified_notes(remote)) for remote in repository.remotes()}
    if (tips[0] != tips[1] or json.loads(known["state"])[5] != verified) and not (
        known["complete"] == "yes" and _complete(repository, tips[1])
    ):
        return None
    if tips[0] is not None and (tips[1] is None or not repository.is_ancestor(tips[0], tips[1])):
        return None
    missing = set(json.loads(known["missing"]))
    if any(repository.has(oid) for oid in missing):
        return None
    ground = Ground(branch, tip, known["introduction"], pinned is not None)
    changed = _line_goes_on(connection, repository, policies, ground, fresh)
    if changed is None:
        return None
    assessor = StoredAssessor(connection, repository, now, policies, ground)
    # 4.
    paths = set(_paths_of(connection, changed))
    noted = {p.replace("/", "") for p, _, _ in _differ(repository, *tips)}
    paths |= set(_paths_of(connection, noted))
    touched = _new_touches(connection, repository, before, tip) if fresh else set()
    files = {path: now for path, _, now in _files_differ(repository, before, tip)} if fresh else {}
    paths |= touched | files.keys()
    ids = {identifiers.id_of(path) for path in files} - {None}
    for (path,) in (
        connection.execute(
            f"SELECT path FROM change JOIN refers USING (number) WHERE refers.id IN ({_marks(len(ids) + 1)})",  # noqa: S608
            (*ids, "*"),
        )
        if ids
        else ()
    ):
        paths.add(path)
    # 5.
    models = _failing(connection, assessor, paths)
    if models:
        paths |= {
            path
            for (path,) in connection.execute(
                f"SELECT path FROM change WHERE open AND model IN ({_marks(len(models))})",  # noqa: S608
                tuple(models),
            )
        }
    at = rows.seconds(now)
    paths |= {
        path
        for (path,) in connection.execute("SELECT path FROM change WHERE until <= ? OR since > ?", (at, at))
    }
    writer = _Writer(connection, assessor)
    if audit.shares_texts(connection, paths):
        return None
    present: list[Entry] = []
    tree = repository.tree_of(tip)
    for path in sorted(paths):
        entry = repository.child(tree, path)
        if entry is None or entry.is_tree:
            writer.remove(path)
            connection.execute("INSERT OR REPLACE INTO gone VALUES (?)", (path,))
        else:
            present.append(entry)
    histories = {entry.path: assessor.history_of(entry.path) for entry in present}
    for assessment in assessor.judged(present, histories):
        writer.put(assessment)
    writer.finish()
    if audit.shares_texts(connection, paths):
        return None  # which of them tells of a line on it depends on all of them
    on_commits = recorded.go_on(connection, assessor, noted | changed, writer.unsettled, moved=bool(fresh))
    audit.go_on(connection, assessor, before=(before, tips[0]), noted=noted - on_commits, paths=paths)
    repository.missing |= missing
    return assessor


def _keeps_policy(repository: Repository, before: str, fresh: Sequence[str]) -> bool:
    """Whether all these commits, and all that they merge, have the policy and the approvals that were there before."""

    def folders(commit: str) -> tuple[str, ...]:
        tree = repository.tree_of(commit)
        found = (repository.child(tree, name) for name in (policies_model.ROOT, APPROVALS))
        return tuple(entry.id if entry else "" for entry in found)

    if not fresh:
        return True
    same = folders(before)
    return all(folders(commit) == same for commit in repository.ancestors(fresh[-1], (before,)))


def _complete(repository: Repository, tip: str | None) -> bool:
    """Whether these notes hold all that any remote's were seen to hold."""
    for remote in repository.remotes():
        seen = repository.ref(verified_notes(remote))
        if seen is not None and (tip is None or not repository.is_ancestor(seen, tip)):
            return False
    return True


def _line_goes_on(
    connection: sqlite3.Connection,
    repository: Repository,
    policies: Policies,
    ground: Ground,
    fresh: Sequence[str],
) -> set[str] | None:
    """Add the new commits of the line; the objects of which they are the first to witness something.

    None when one of them witnesses notes that do not contain those witnessed before.
    """
    line = StoredTimeline(connection, repository, policies, ground.introduction)
    place, last = len(line.points), line.points[-1]
    newest, moment = line.last_witnessed, last.moment
    points: list[tuple[int, Point]] = []
    witnessed: list[tuple[int, str, int]] = []
    brought: list[tuple[str, int, str]] = []
    notes_now: dict[str, str] = {}
    for number, commit in enumerate(fresh, place):
        read = repository.commit(commit)
        if moment - read.committer.time > CLOCKS_DIFFER:
            return None  # somebody's clock is worth a word
        moment = max(moment, read.committer.time)
        named = trailer_of(read.message)
        points.append((number, Point(commit, line.policy, moment, named)))
        if named is None or named == newest or not repository.has_commit(named):
            continue
        if newest is not None and not repository.is_ancestor(newest, named):
            if repository.is_ancestor(named, newest):
                continue  # older ones: they witness nothing new
            return None
        trees = (repository.tree_of(newest) if newest else None, repository.tree_of(named))
        for oid, note in notes.changed_notes(repository, *trees):
            if note != (notes_now[oid] if oid in notes_now else _newest(line.changes_of(oid))):
                brought.append((oid, number, note))
                notes_now[oid] = note
        witnessed.append((number, named, 0))
        newest = named
    _put_points(connection, points)
    before = [last.commit, *fresh]
    came = [
        (commit, number)
        for (number, point), parent in zip(points, before, strict=False)
        for commit in repository.ancestors(point.commit, (parent,))
        if commit != point.commit
    ]
    connection.executemany("INSERT OR IGNORE INTO came VALUES (?, ?)", came)
    connection.executemany("INSERT INTO witness VALUES (?, ?, ?)", witnessed)
    connection.executemany("INSERT OR REPLACE INTO brought VALUES (?, ?, ?)", brought)
    return {oid for oid, _, _ in brought}


def _newest(changes: Sequence[tuple[int, str]]) -> str:
    return changes[-1][1] if changes else ""


def _differ(
    repository: Repository, old: str | None, new: str | None
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    yield from repository.changed(
        repository.tree_of(old) if old else None, repository.tree_of(new) if new else None
    )


def _files_differ(
    repository: Repository, old: str, new: str
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    before, after = (repository.child(repository.tree_of(c), identifiers.ROOT) for c in (old, new))
    if before is not None and before.is_tree and after is not None and after.is_tree:
        yield from repository.changed(before.id, after.id, f"{identifiers.ROOT}/")
        return
    for commit in (old, new):
        for entry in documents.change_files(repository, commit):
            yield entry.path, entry, entry


def _new_touches(connection: sqlite3.Connection, repository: Repository, before: str, tip: str) -> set[str]:
    """Add to the history of each file what the new commits did to it; the files."""
    fresh: dict[str, list[Touch]] = {}
    for touch in program.touches(repository, tip, identifiers.ROOT, hidden=(before,)):
        fresh.setdefault(touch.path, []).append(touch)
    unclear: list[str] = []
    for path, new in fresh.items():
        found = connection.execute("SELECT said FROM touch WHERE path = ? ORDER BY position DESC", (path,))
        whole = [*new, *(touch_of(path, said) for (said,) in found)]
        # Where two branches touched one file, the order of what they did is git's to say.
        if all(
            repository.is_ancestor(older.commit, newer.commit)
            for newer, older in pairwise(whole[: len(new) + 1])
        ):
            _put_history(connection, path, whole)
        else:
            unclear.append(path)
    if unclear:
        again: dict[str, list[Touch]] = {}
        for touch in program.touches(repository, tip, *unclear):
            again.setdefault(touch.path, []).append(touch)
        for path, history in again.items():
            _put_history(connection, path, history)
    return set(fresh)


def _paths_of(connection: sqlite3.Connection, oids: Iterable[str]) -> Iterator[str]:
    """The files that have or had one of these texts."""
    asked = "SELECT path FROM text JOIN change USING (number) WHERE text.blob = ?"
    for oid in oids:
        yield from (path for (path,) in connection.execute(asked, (oid,)))


def _failing(connection: sqlite3.Connection, assessor: StoredAssessor, paths: Iterable[str]) -> set[str]:
    """The models of standard changes with failures among what is judged again; the texts with failures are kept."""
    models: set[str] = set()
    for path in paths:
        blobs = {touch.blob for touch in assessor.history_of(path) if touch.blob}
        found = {(path, blob) for blob in blobs if assessor.tells_failure(blob)}
        known = set(connection.execute("SELECT path, blob FROM failure WHERE path = ?", (path,)))
        connection.execute("DELETE FROM failure WHERE path = ?", (path,))
        connection.executemany("INSERT INTO failure VALUES (?, ?)", sorted(found))
        if found or known:
            row = connection.execute("SELECT model FROM change WHERE path = ?", (path,)).fetchone()
            models |= {row[0]} if row and row[0] else set()
            models |= {m for p, b in found | known if (m := assessor.model_in(p, b))}
    return models


def _marks(count: int) -> str:
    return ", ".join("?" * count)
