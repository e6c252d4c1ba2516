"""Recorded results in the index, judged once, so that a list of them need not open every envelope again."""

from __future__ import annotations

import json
import sqlite3

from gitchange.assessment.results import Recorded, judged_on, shown
from gitchange.index import rows
from gitchange.index.facts import finding_said
from gitchange.ledger.results import is_kept_here
from gitchange.lifecycle import horizon
from gitchange.lifecycle.horizon import ALWAYS
from gitchange.model.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from gitchange.assessment.assess import Assessor
    from gitchange.ledger.results import Judged
    from gitchange.lifecycle.horizon import Span


def put(
    connection: sqlite3.Connection,
    assessor: Assessor,
    commit: str,
    judged: Sequence[Judged],
    unsettled: Span,
) -> None:
    """Keep the results on a commit; `unsettled` is for how long holds what no commit has witnessed yet."""
    for number, one in enumerate(judged):
        settled = one.result is not None and one.result.witness is not None
        span = ALWAYS if settled else unsettled
        row = next(iter(shown(assessor, (one,))), None)
        connection.execute(
            "INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                commit,
                number,
                row.place if row else -1,
                row.witness if row else None,
                row.time if row else 0,
                row.shown["kind"] if row else None,
                json.dumps(row.shown, ensure_ascii=False, separators=(",", ":")) if row else None,
                json.dumps(finding_said(one.finding), ensure_ascii=False) if one.finding else None,
                rows.seconds(span.since) if span.since else -rows.NEVER,
                rows.seconds(span.until) if span.until else rows.NEVER,
                one.result is None,
            ),
        )


def unsettled(keys: Iterable[dt.datetime], now: dt.datetime, *, certificates: bool) -> Span:
    """For how long holds what is judged by the policy at the tip, now: until a key begins or ends to be valid."""
    return horizon.at_once(now) if certificates else horizon.narrowed(ALWAYS, keys, now)


def go_on(
    connection: sqlite3.Connection, assessor: Assessor, touched: Iterable[str], span: Span, *, moved: bool
) -> set[str]:
    """Judge again what may be judged otherwise; the commits among the `touched` objects.

    That is what is kept on commits whose notes, or what is witnessed of them, changed; what holds for a time that is
    over; and, when the branch of record `moved`, what was no result before.
    """
    at = rows.seconds(assessor.now)
    again = {oid for oid in touched if is_kept_here(assessor.repository, oid)}
    commits = set(again)
    again |= {
        oid for (oid,) in connection.execute("SELECT oid FROM result WHERE until <= ? OR since > ?", (at, at))
    }
    if moved:
        again |= {oid for (oid,) in connection.execute("SELECT oid FROM result WHERE away")}
    for oid in again:
        connection.execute("DELETE FROM result WHERE oid = ?", (oid,))
        put(connection, assessor, oid, judged_on(assessor, oid, assessor.notes.lines(oid)), span)
    return commits


def found(connection: sqlite3.Connection) -> tuple[int, list[Finding]]:
    """How many lines there are, and what is wrong with them."""
    count: int = connection.execute("SELECT count(*) FROM result").fetchone()[0]
    said = connection.execute("SELECT found FROM result WHERE found IS NOT NULL ORDER BY oid, number")
    return count, [Finding(**json.loads(text)) for (text,) in said]


def recorded(connection: sqlite3.Connection, kind: str | None = None) -> tuple[Recorded, ...]:
    """The genuine results, newest first; of one kind, where one is asked for."""
    wanted = connection.execute(
        "SELECT place, witness, moment, shown FROM result WHERE shown IS NOT NULL AND (?1 IS NULL OR kind = ?1)",
        (kind,),
    )
    made = (Recorded(place, witness, moment, json.loads(text)) for place, witness, moment, text in wanted)
    return tuple(sorted(made, key=lambda one: one.order, reverse=True))
