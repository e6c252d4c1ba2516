"""Recorded results for sites: what the model writes and reads, without anybody's key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from gitchange.assessment.results import result_json
from gitchange.ledger.results import Judged
from gitchange.model.finding import Finding
from gitchange.model.result import (
    MEANINGS,
    OUTCOMES,
    STATES,
    Kind,
    Result,
    commits_said,
    gate_said,
    read_result,
    write_result,
)

CI = "ci@example.org"
ADDRESS = "https://gitlab.example.org/acme/app.git"


def result_of(
    number: int,
    kind: Kind = "coverage",
    *,
    uncovered: int = 0,
    refusals: Sequence[tuple[str, str, str, Sequence[str]]] = (),
    environment: str | None = "production",
    system: str = "api",
    address: str = ADDRESS,
    since: str | None = None,
    by: str = CI,
    witnessed: bool = True,
    finding: Finding | None = None,
) -> Mapping[str, Any]:
    """A result in its documented shape."""
    commits = [
        (f"{n:040x}", "uncovered" if n < uncovered else "covered", ("CHG-20261107-0006",)) for n in range(12)
    ]
    counts = dict.fromkeys(STATES, 0) | {"uncovered": uncovered, "covered": 12 - uncovered}
    is_yes = not (refusals if kind == "gate" else uncovered)
    said = {
        "kind": kind,
        "by": by,
        "role": "recorder",
        "meaning": MEANINGS[kind],
        "repository": "c" * 40,
        "main": f"{number:040x}",
        "log": None,
        "policy": "7" * 40,
        "time": "2026-11-20T12:00:00Z",
        "systems": [system],
        "base": "5" * 40,
        "since": since,
        "outcome": OUTCOMES[kind][0 if is_yes else 1],
        "commits": commits_said(commits, counts, 0),
        "gate": gate_said(environment, "2026-11-20T12:00:00Z", refusals) if kind == "gate" else None,
    }
    statement = read_result(write_result(address, "6" * 40, said))
    moment = dt.datetime(2026, 11, 20, 12, 30, tzinfo=dt.UTC)
    result = Result(
        digest=f"{number:064x}"[::-1],
        address=address,
        head="6" * 40,
        said=statement.predicate,
        key="SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        key_type="ssh-ed25519",
        certificate="",
        held=frozenset({"recorder"}),
        judged_by=2,
        witness="8" * 40 if witnessed else None,
        place=3 if witnessed else None,
        judged_at=moment if witnessed else None,
        line="{}",
    )
    return result_json(Judged(result, finding))


REFUSAL = (
    "gate.uncovered",
    "commit 000000000000 (Serve) is not covered",
    "request a change",
    ("ada@example.org",),
)


def example_results() -> tuple[Mapping[str, Any], ...]:
    """Each kind with each answer, one that nothing witnessed yet, and one that does not count."""
    why = Finding("result.not-a-recorder", "ada@example.org is no recorder", "", "warning")
    return (
        result_of(6, "gate", since="api/v1.4.0", refusals=[REFUSAL] * 7, uncovered=7, witnessed=False),
        result_of(5, uncovered=2),
        result_of(4, "gate", environment="staging"),
        result_of(3, by="ada@example.org", finding=why),
        result_of(2),
        result_of(1, system="mainframe"),
    )


def hostile_results(text: str) -> tuple[Mapping[str, Any], ...]:
    """Results whose every text is that one."""
    refusal = (text[:100], text, text, (CI,))
    why = Finding("result.not-a-recorder", text, text, "warning")
    one = result_of(1, "gate", address=text, since=text, environment=text, refusals=[refusal])
    return (one, result_of(2, finding=why))
