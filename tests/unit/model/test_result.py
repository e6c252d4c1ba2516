"""What a recorded result says: read strictly, bounded whatever it is about, and never a sign-off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gitchange.errors import UsageError
from gitchange.model.result import (
    MEANINGS,
    MOST_COMMITS,
    MOST_REFUSALS,
    OUTCOMES,
    STATES,
    Kind,
    commits_said,
    gate_said,
    list_digest,
    read_result,
    write_result,
)
from gitchange.model.statement import MAX_PAYLOAD, StatementError, read_statement
from tests.unit.model import test_statement

Commits = list[tuple[str, str, list[str]]]
ADDRESS, HEAD = "https://gitlab.example.org/acme/app.git", "6" * 40
REFUSAL = ("gate.uncovered", "it is not covered", "request a change", ["ada@example.org"])


def commits(*states: str) -> Commits:
    """A list of commits with these states."""
    return [(f"{number:040x}", state, ["CHG-20261122-K7Q3"]) for number, state in enumerate(states)]


def predicate(
    kind: Kind = "coverage", listed: Commits | None = None, refusals: list[Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A good predicate as JSON, with these keys put in place."""
    listed = commits("covered", "exempt") if listed is None else listed
    counts = {state: sum(one[1] == state for one in listed) for state in STATES}
    is_no = bool(refusals) if kind == "gate" else bool(counts["uncovered"] + counts["emergency-pending"])
    return {
        "kind": kind,
        "by": "ci@example.org",
        "role": "recorder",
        "meaning": MEANINGS[kind],
        "repository": "1" * 40,
        "main": "2" * 40,
        "log": None,
        "policy": "3" * 40,
        "time": "2026-11-22T12:00:00Z",
        "systems": ["api"],
        "base": None,
        "since": None,
        "outcome": OUTCOMES[kind][is_no],
        "commits": commits_said(listed, counts, 0),
        "gate": gate_said("production", "2026-11-22T12:00:00Z", refusals or []) if kind == "gate" else None,
        **changes,
    }


@pytest.mark.parametrize(
    "said",
    [
        predicate(),
        predicate(listed=[]),
        predicate(listed=commits("covered", "uncovered", "emergency-pending")),
        predicate("gate"),
        predicate("gate", refusals=[REFUSAL], since="api/v1", base="5" * 40),
    ],
)
def test_what_is_written_is_read(said: dict[str, Any]) -> None:
    """Parse after write is the identity."""
    statement = read_result(write_result(ADDRESS, HEAD, said))
    assert (statement.subject[0].name, statement.subject[0].digest.gitCommit) == (ADDRESS, HEAD)
    assert statement.predicate.model_dump(mode="json") == said


def test_neither_is_the_other() -> None:
    """A result is no sign-off and a sign-off no result, with the other's type written over its own either."""
    result = write_result(ADDRESS, HEAD, predicate())
    sign_off = test_statement.payload(test_statement.statement())
    for payload, read in ((result, read_statement), (sign_off, read_result)):
        with pytest.raises(StatementError):
            read(payload)
        swapped = (
            payload.replace(b":result:", b":?:")
            .replace(b":sign-off:", b":result:")
            .replace(b":?:", b":sign-off:")
        )
        with pytest.raises(StatementError):
            read(swapped)


def _more(said: dict[str, Any]) -> None:
    said["commits"]["counts"]["uncovered"] += 1


def _fewer(said: dict[str, Any]) -> None:
    del said["commits"]["counts"]["exempt"]


def _negative(said: dict[str, Any]) -> None:
    said["commits"]["elsewhere"] = -1


def _unknown(said: dict[str, Any]) -> None:
    said["verdict"] = "approve"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: said.update(role="change-manager"),
        lambda said: said.update(outcome="incomplete"),
        lambda said: said.update(outcome="allowed"),
        lambda said: said.update(kind="gate"),
        lambda said: said.update(meaning=MEANINGS["gate"]),
        lambda said: said.update(systems=[]),
        lambda said: said.update(main="main"),
        lambda said: said.update(gate=gate_said(None, "2026-11-22T12:00:00Z", [])),
        _more,
        _fewer,
        _negative,
        _unknown,
    ],
)
def test_what_contradicts_itself_is_no_result(spoil: Callable[[dict[str, Any]], None]) -> None:
    """Neither written nor read."""
    said = predicate()
    spoil(said)
    with pytest.raises(UsageError):
        write_result(ADDRESS, HEAD, said)
    data = json.loads(write_result(ADDRESS, HEAD, predicate()))
    spoil(data["predicate"])
    with pytest.raises(StatementError):
        read_result(json.dumps(data).encode())


def test_refused_without_a_reason_is_no_result() -> None:
    """Who says no says why."""
    with pytest.raises(UsageError, match="not what the rest of it says"):
        write_result(ADDRESS, HEAD, predicate("gate", outcome="refused"))


def test_two_thousand_uncovered_commits_fit() -> None:
    """The first are named, as many as there is room for; how many more there are is told, and the digest is of all."""
    listed = [(f"{n:040x}", "uncovered", [f"CHG-20261122-{m:016}" for m in range(40)]) for n in range(2000)]
    refusals = [("gate.uncovered", "𝄞\x1b\u202e" * 3000, "“" * 5000, ["x" * 250] * 100)] * 2000
    payload = write_result(ADDRESS, HEAD, predicate("gate", listed, refusals))
    assert len(payload) < MAX_PAYLOAD
    said = read_result(payload).predicate
    assert 0 < len(said.commits.open) <= MOST_COMMITS
    assert len(said.commits.open) + said.commits.open_omitted == 2000
    assert said.commits.sha256 == list_digest(listed)
    assert said.gate is not None
    assert 0 < len(said.gate.refusals) <= MOST_REFUSALS
    assert len(said.gate.refusals) + said.gate.refusals_omitted == 2000
    short = [(commit, state, changes[:1]) for commit, state, changes in listed]
    assert (
        len(read_result(write_result(ADDRESS, HEAD, predicate(listed=short))).predicate.commits.open)
        == MOST_COMMITS
    )


@settings(max_examples=60, deadline=None)
@example([("", "\n")], [])
@given(
    st.lists(st.tuples(st.text(max_size=3000), st.text(max_size=3000)), max_size=60),
    st.lists(st.sampled_from(STATES), max_size=200),
)
def test_whatever_is_said_fits_and_is_text(texts: list[tuple[str, str]], states: list[str]) -> None:
    """What commits are called can be anything: it is cut, and nothing in it moves a cursor."""
    refusals = [("gate.uncovered", message, mend, []) for message, mend in texts]
    payload = write_result(ADDRESS, HEAD, predicate("gate", commits(*states), refusals))
    assert len(payload) <= MAX_PAYLOAD
    said = read_result(payload).predicate.gate
    assert said is not None
    assert all(character >= " " or character in "\t\n" for one in said.refusals for character in one.message)


def test_too_many_systems_are_told() -> None:
    """What cannot be cut without saying something else is refused, with what to do."""
    with pytest.raises(UsageError, match="bytes") as error:
        write_result(ADDRESS, HEAD, predicate(systems=[f"{n:064}" for n in range(2000)]))
    assert "--system" in error.value.hint


def test_the_digest_is_that_of_plain_lines() -> None:
    """Anybody computes it with stock tools."""
    text = f"{0:040x} covered CHG-20261122-K7Q3\n{1:040x} exempt CHG-20261122-K7Q3\n"
    assert list_digest(commits("covered", "exempt")) == hashlib.sha256(text.encode()).hexdigest()
