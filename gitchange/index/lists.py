"""What lists of changes are chosen and ordered by, so that a list costs what it shows.

The columns and tables are made from a change's documented shape and its brief. Whoever has no index file fills the
same tables in memory (`gitchange.site.catalogue`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json

from gitchange.assessment.brief import Brief
from gitchange.lifecycle.endings import ended_at, failed_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from typing import Any

NOBODY, ANYBODY = "", "*"
"""Who can take a step that the rules leave to nobody, and one that is any member's."""

COLUMNS = ("closed", "attention", "findings", "touched", "due", "begins", "ends", "documented_by", "latest")
TABLES = ("system", "signer", "step", "mention")

_INSERT = {
    "system": "INSERT INTO system VALUES (:name, :asked, :path, :number, :closed, :touched, "
    ":latest, :implemented, :ended, :failed, :emergency)",
    "signer": "INSERT INTO signer VALUES (:name, :asked, :path, :number, :last, :touched)",
    "step": "INSERT INTO step VALUES (:who, :asked, :path, :place, :action, :number)",
    "mention": "INSERT INTO mention VALUES (:id, :number)",
}


def listed(
    shape: Mapping[str, Any], brief: Mapping[str, Any], asked: float
) -> tuple[tuple[Any, ...], dict[str, list[dict[str, Any]]]]:
    """The values of `COLUMNS`, and the rows of `TABLES` without the number of the change.

    `asked` is when it came in, in seconds since 1970.
    """
    known = Brief(0, dict(shape), dict(brief), "")
    begins, ends = known.window or (None, None)
    closed, latest, ended = (
        not known.is_open,
        max(known.times.values(), default=0),
        ended_at(known) is not None,
    )
    columns = (
        closed,
        known.needs_attention,
        known.findings,
        known.touched,
        known.due,
        begins,
        ends,
        known.documented_by,
        latest,
    )
    place = {"path": known.path, "asked": asked, "touched": known.touched}
    last: dict[str, int] = dict.fromkeys(known.signers, 0)
    for signed in shape["sign_offs"]:
        claimed = int(dt.datetime.fromisoformat(signed["time"]).timestamp())
        last[signed["by"]] = max(last.get(signed["by"], 0), claimed)
    counted = {
        "closed": closed,
        "latest": latest,
        "implemented": known.times.get("implementation", 0),
        "ended": ended,
        "failed": ended and failed_of(known),
        "emergency": known.type == "emergency",
    }
    steps = [
        {**place, "who": who, "place": number, "action": action}
        for number, (action, _, everybody) in enumerate(known.next)
        for who in ([ANYBODY] if action == "document" and everybody else sorted(set(everybody)) or [NOBODY])
    ]
    return columns, {
        "system": [{**place, **counted, "name": name} for name in sorted(set(known.systems))],
        "signer": [{**place, "name": name, "last": when} for name, when in sorted(last.items())],
        "step": steps,
        "mention": [{"id": change} for change in known.mentions],
    }


def put(connection: sqlite3.Connection, number: int, beside: Mapping[str, Iterable[dict[str, Any]]]) -> None:
    """Write the rows that `listed` gave."""
    for table, found in beside.items():
        connection.executemany(_INSERT[table], ({**row, "number": number} for row in found))


# -- what all rows together are ----------------------------------------------------------------------------------


def told(path: str, digest: str) -> int:
    """A row's part in the name of all of them (`content`): parts are added up, so that the order does not matter."""
    name = f"{path}\0{digest}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=32).digest(), "big")


def content(total: int) -> str:
    """The name of all rows, from the sum of their parts: the same for the same rows, whatever went before."""
    return f"{total % (1 << 256):064x}"


# -- what a row was ----------------------------------------------------------------------------------------------


def past_said(asked: float, generation: int, summary: Mapping[str, Any], brief: Mapping[str, Any]) -> str:
    """What is kept of a row that is replaced or removed, with the generation in which it had become that."""
    return json.dumps([asked, generation, summary, brief], ensure_ascii=False, separators=(",", ":"))
