"""What `verify` found, kept with the index: so that it looks only at what is new.

The checks are those of `assessment.verification`, on the same facts; only that most of these were found before.
Whoever wants everything looked at again says `verify --no-cache`.
"""

from __future__ import annotations

import json

from gitchange.assessment import verification
from gitchange.assessment.verification import Seen, Whole
from gitchange.index import recorded, store
from gitchange.index.facts import finding_said
from gitchange.ledger import chain
from gitchange.ledger.chain import Loss
from gitchange.model.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from gitchange.assessment.assess import Assessor
    from gitchange.git.repository import Repository


def said_of(seen: Seen) -> tuple[int, str]:
    """What was seen of one change, as the index keeps it: its kind, and what was found."""
    kind = 2 if seen.documented else 1 if seen.open else 0
    found = [finding_said(f) for f in (*seen.unreadable, *seen.on_open, *seen.on_documented)]
    idle = [finding_said(f) for f in seen.idle]
    return kind, json.dumps([found, idle], ensure_ascii=False) if found or idle else ""


def put(connection: sqlite3.Connection, assessor: Assessor, found: Whole, named: Mapping[str, str]) -> None:
    """Keep what was found beside the changes, which was all looked at; `named` by `verification.witnesses`."""
    connection.executemany(
        "INSERT INTO gone VALUES (?)", ((finding.path,) for finding in found.removed if finding.path)
    )
    connection.executemany(
        "INSERT INTO note VALUES (?, ?)", ((o, n) for o, n in found.seen.texts.items() if n)
    )
    connection.executemany("INSERT INTO note VALUES (?, ?)", ((o, len(n)) for o, n in found.strange.items()))
    connection.executemany("INSERT INTO strange VALUES (?)", ((oid,) for oid in found.strange))
    _put_losses(connection, found.losses)
    connection.executemany(
        "INSERT INTO trailer VALUES (?, ?, ?)",
        ((n, commit, n in found.absent) for n, commit in named.items()),
    )
    connection.execute("INSERT OR REPLACE INTO known VALUES ('commits', ?)", (str(found.commits),))


def _put_losses(connection: sqlite3.Connection, losses: Iterable[Loss]) -> None:
    connection.executemany(
        "INSERT INTO loss (id, parent, oid, line) VALUES (?, ?, ?, ?)",
        ((loss.commit, loss.parent, loss.oid, loss.line) for loss in losses),
    )


def shares_texts(connection: sqlite3.Connection, paths: Iterable[str]) -> bool:
    """Whether one of these files has had a text that another one has had, too."""
    return any(
        connection.execute(
            "SELECT 1 FROM change JOIN text USING (number) JOIN text AS other USING (blob) "
            "WHERE change.path = ? AND other.number != change.number LIMIT 1",
            (path,),
        ).fetchone()
        for path in paths
    )


def go_on(
    connection: sqlite3.Connection,
    assessor: Assessor,
    *,
    before: tuple[str, str | None],
    noted: Iterable[str],
    paths: Iterable[str],
) -> None:
    """Look at what is new: since the commits `before` of the branch of record and of the notes.

    `noted` are the objects whose notes changed, `paths` the files that were judged again.
    """
    main, earlier = before
    tip = assessor.notes.commit
    touched = set(noted)
    for oid in touched:
        connection.execute("DELETE FROM note WHERE oid = ?", (oid,))
        if lines := assessor.notes.lines(oid):
            connection.execute("INSERT INTO note VALUES (?, ?)", (oid, len(lines)))
    for path in paths:
        touched |= {
            oid
            for (oid,) in connection.execute(
                "SELECT blob FROM text JOIN change USING (number) WHERE path = ?", (path,)
            )
        }
        if connection.execute("SELECT 1 FROM gone WHERE path = ?", (path,)).fetchone():
            touched |= {touch.blob for touch in assessor.history_of(path) if touch.blob}
    for oid in touched:
        connection.execute("DELETE FROM strange WHERE oid = ?", (oid,))
        connection.execute(
            "INSERT INTO strange SELECT oid FROM note WHERE oid = ? "
            "AND NOT EXISTS (SELECT 1 FROM text WHERE text.blob = note.oid)",
            (oid,),
        )
    if tip is not None and tip != earlier:
        _put_losses(connection, chain.losses(assessor.repository, tip, earlier))
        fresh = sum(1 for _ in assessor.repository.ancestors(tip, (earlier,) if earlier else ()))
        commits = int(store.known(connection)["commits"]) + fresh
        connection.execute("INSERT OR REPLACE INTO known VALUES ('commits', ?)", (str(commits),))
    connection.executemany(
        "INSERT OR REPLACE INTO trailer VALUES (?, ?, 1)", verification.witnesses(assessor, main).items()
    )
    for (named,) in connection.execute("SELECT notes FROM trailer WHERE absent").fetchall():
        if tip is not None and _contains(assessor.repository, tip, named):
            connection.execute("UPDATE trailer SET absent = 0 WHERE notes = ?", (named,))


def _contains(repository: Repository, tip: str, named: str) -> bool:
    return repository.has_commit(named) and repository.is_ancestor(named, tip)


def whole(connection: sqlite3.Connection, assessor: Assessor) -> Whole:
    """What there is to know of everything, as it was found."""
    kinds = dict(connection.execute("SELECT kind, count(*) FROM seen GROUP BY kind"))
    seen = Seen(files=sum(kinds.values()), open=kinds.get(1, 0), documented=kinds.get(2, 0))
    places = (seen.unreadable, seen.on_open, seen.on_documented)
    for kind, said in connection.execute("SELECT kind, said FROM seen WHERE said != ''"):
        found, idle = json.loads(said)
        places[kind].extend(Finding(**fields) for fields in found)
        seen.idle.extend(Finding(**fields) for fields in idle)
    strange = [oid for (oid,) in connection.execute("SELECT oid FROM strange ORDER BY oid")]
    results, on_results = recorded.found(connection)
    return Whole(
        seen,
        assessor.removed(),
        lines=connection.execute("SELECT coalesce(sum(lines), 0) FROM note").fetchone()[0],
        strange={oid: assessor.notes.lines(oid) for oid in strange},
        results=results,
        on_results=on_results,
        losses=[
            Loss(*told)
            for told in connection.execute("SELECT id, parent, oid, line FROM loss ORDER BY number")
        ],
        commits=int(store.known(connection)["commits"]),
        witnessed=connection.execute("SELECT count(*) FROM trailer").fetchone()[0],
        absent=dict(connection.execute("SELECT notes, id FROM trailer WHERE absent")),
    )
