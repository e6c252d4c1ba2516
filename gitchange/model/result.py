"""What a recorded result says: an in-toto Statement v1 about a commit of an application.

A machine identity keeps what `coverage` or `gate` answered. The predicate type is its own, so that no result can ever
be read as a sign-off, nor a sign-off as a result; type, parser and writer of results live here and nowhere else.
Whether the signature is good is `gitchange.signing`'s question.

A result stays small whatever it is about: the commits that somebody must look at, and what was refused, are named up
to a number, how many more there are is told, and a digest stands for the list of all commits (`list_digest`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from gitchange.errors import UsageError
from gitchange.model.part import AfterValidator, Alias, Limits, Listed, Part, PartError, model_validator
from gitchange.model.statement import (
    MAX_PAYLOAD,
    STATEMENT_TYPE,
    ObjectId,
    Sha256,
    Time,
    loaded,
    refusal_of,
)
from gitchange.model.text import LongText, Principal, ShortText, Slug, without_controls
from gitchange.values import Value

PREDICATE_TYPE = "urn:x-gitchange:result:v1"

Kind = Literal["coverage", "gate"]
"""Which command answered."""
Outcome = Literal["complete", "incomplete", "allowed", "refused"]
CommitState = Literal["covered", "standard", "exempt", "emergency-pending", "uncovered"]
STATES: tuple[CommitState, ...] = ("covered", "standard", "exempt", "emergency-pending", "uncovered")
OPEN_STATES: tuple[CommitState, ...] = ("emergency-pending", "uncovered")
"""States of commits that make a coverage incomplete."""

OUTCOMES: dict[Kind, tuple[Outcome, Outcome]] = {
    "coverage": ("complete", "incomplete"),
    "gate": ("allowed", "refused"),
}
"""What each command can answer: yes, and no."""

MEANINGS: dict[Kind, str] = {
    "coverage": "I have computed which of these commits are covered by changes, from the state that I name.",
    "gate": "I was asked whether this commit may be deployed, and answered so, from the state that I name.",
}
"""The sentence that is signed with each kind. A signature under any other sentence does not count."""

MOST_COMMITS, MOST_REFUSALS = 100, 50
"""So many commits, and so many refusals, are named at most."""
_COMMITS_BYTES, _REFUSALS_BYTES = 24_000, 40_000
"""So much of the payload they may take."""
_WORDS, _NAMES = 1_500, 20
"""Characters of a text, and names in a list, that are kept of each."""


def _positive(value: int) -> int:
    if value < 0:
        raise ValueError("is less than nothing")
    return value


Count = Annotated[int, AfterValidator(_positive)]


class Commit(Part):
    """A commit that makes a coverage incomplete."""

    commit: ObjectId
    state: Literal["emergency-pending", "uncovered"]
    changes: Listed[ShortText]
    """The changes that are tied to it: at most twenty."""


class Commits(Part):
    """The commits that were looked at."""

    counts: dict[str, Count]
    """How many have each state."""
    elsewhere: Count
    """How many touch other systems only, where some were asked for."""
    sha256: Sha256
    """`list_digest` of all that are counted."""
    open: Annotated[Listed[Commit], Limits(max_length=MOST_COMMITS)]
    """The first of those that make it incomplete, newest first."""
    open_omitted: Count
    """How many more there are."""

    @model_validator(mode="after")
    def _adds_up(self) -> Commits:
        if set(self.counts) != set(STATES):
            raise ValueError(f"counts: not the states {', '.join(STATES)}")
        if sum(self.counts[state] for state in OPEN_STATES) != len(self.open) + self.open_omitted:
            raise ValueError("open: the commits that it names do not add up to its counts")
        return self


class Refusal(Part):
    """One thing that speaks against a deployment."""

    code: Annotated[str, Limits(min_length=1, max_length=100)]
    message: LongText
    mend: LongText
    who: Listed[Principal]
    """Who can mend it: at most twenty."""


class Gate(Part):
    """What the gate was asked, and why it refused."""

    environment: ShortText | None
    at: Time
    """For which moment it was asked."""
    refusals: Annotated[Listed[Refusal], Limits(max_length=MOST_REFUSALS)]
    refusals_omitted: Count


class ResultPredicate(Part):
    """What the signer states."""

    kind: Kind
    by: Principal
    role: Literal["recorder"]
    meaning: str
    repository: ObjectId
    """The introduction commit: a result for one repository is none for another."""
    main: ObjectId
    """The commit of the branch of record that it was computed from; the result is kept on it."""
    log: ObjectId | None
    """The notes commit that it was computed from; null where there were no notes."""
    policy: ObjectId
    """Tree id of the policy by which it was computed."""
    time: Time
    """A claim; it decides nothing."""
    systems: Annotated[Listed[Slug], Limits(min_length=1)]
    base: ObjectId | None
    """The commit after which the range begins; null where it begins with the first one."""
    since: ShortText | None
    """The tag or revision by which the base was found, where one was."""
    outcome: Outcome
    commits: Commits
    gate: Gate | None
    """Of a gate's decision only."""

    @model_validator(mode="after")
    def _is_consistent(self) -> ResultPredicate:
        if self.meaning != MEANINGS[self.kind]:
            raise ValueError(f"the meaning is not the sentence that a {self.kind} is signed with")
        if self.outcome not in OUTCOMES[self.kind]:
            raise ValueError(f"{self.outcome!r} is no outcome of {self.kind!r}")
        if (self.gate is not None) != (self.kind == "gate"):
            raise ValueError("gate: there for a gate's decision, and for nothing else")
        if self.gate is None:
            is_yes = not any(self.commits.counts[state] for state in OPEN_STATES)
        else:
            is_yes = not self.gate.refusals and not self.gate.refusals_omitted
        if self.outcome != OUTCOMES[self.kind][0 if is_yes else 1]:
            raise ValueError(f"the outcome {self.outcome!r} is not what the rest of it says")
        return self


class CommitDigest(Part):
    gitCommit: ObjectId  # noqa: N815 - in-toto's name of this digest


class ResultSubject(Part):
    name: Annotated[str, Limits(min_length=1, max_length=500)]
    """Address of the application's repository, as the policy names it."""
    digest: CommitDigest


class ResultStatement(Part):
    """An in-toto Statement v1 with the predicate of a result."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Alias("_type")]
    subject: Annotated[Listed[ResultSubject], Limits(min_length=1, max_length=1)]
    predicateType: Literal["urn:x-gitchange:result:v1"]  # noqa: N815 - in-toto's name
    predicate: ResultPredicate


class Result(Value):
    """An authenticated result: signature, key, commit and repository were checked; it is genuine."""

    digest: str
    """SHA-256 of the signed bytes: the result's name."""
    address: str
    """Of the application's repository."""
    head: str
    """The commit that it is about."""
    said: ResultPredicate
    key: str
    """The key that signed, by its fingerprint."""
    key_type: str
    certificate: str
    """Key id of the SSH certificate that vouched for the key; empty for a plain key."""
    held: frozenset[str]
    """Roles that the signer held under the policy by which the result is judged."""
    judged_by: int
    """Version of that policy: the one in force when it was first witnessed, else the one at the tip."""
    witness: str | None
    """The commit on the branch of record that witnessed it first."""
    place: int | None
    """The number of that commit on the line."""
    judged_at: dt.datetime | None
    """The witness's moment; None while nothing witnessed it."""
    line: str
    """The envelope, byte for byte as it was kept."""
    primary: str = ""
    """For OpenPGP the primary key of the certificate; empty otherwise."""


def list_digest(commits: Iterable[tuple[str, str, Sequence[str]]]) -> str:
    """What names a list of commits with their states and changes, newest first: whoever computes it again compares it.

    It is the SHA-256 of one line for each: id, blank, state, blank, the changes in their order, cut by commas.
    Of `coverage --json`: `jq -r '.commits[] | "\\(.commit) \\(.state) \\(.changes | join(","))"' | sha256sum`.
    """
    lines = (f"{commit} {state} {','.join(changes)}\n" for commit, state, changes in commits)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def commits_said(
    commits: Sequence[tuple[str, str, Sequence[str]]], counts: Mapping[Any, int], elsewhere: int
) -> dict[str, Any]:
    """The commits of a predicate, as plain data."""
    wanted = [
        {"commit": commit, "state": state, "changes": list(changes[:_NAMES])}
        for commit, state, changes in commits
        if state in OPEN_STATES
    ]
    kept = _within(wanted, MOST_COMMITS, _COMMITS_BYTES)
    return {
        "counts": dict(counts),
        "elsewhere": elsewhere,
        "sha256": list_digest(commits),
        "open": kept,
        "open_omitted": len(wanted) - len(kept),
    }


def gate_said(
    environment: str | None, at: str, refusals: Sequence[tuple[str, str, str, Sequence[str]]]
) -> dict[str, Any]:
    """The gate of a predicate, as plain data; of each refusal code, message, mend and who can mend it."""
    wanted = [
        {"code": code, "message": _cut(message), "mend": _cut(mend), "who": list(who[:_NAMES])}
        for code, message, mend, who in refusals
    ]
    kept = _within(wanted, MOST_REFUSALS, _REFUSALS_BYTES)
    return {
        "environment": environment,
        "at": at,
        "refusals": kept,
        "refusals_omitted": len(wanted) - len(kept),
    }


def _cut(text: str) -> str:
    plain = without_controls(text).strip() or "(nothing was said)"
    return plain if len(plain) <= _WORDS else f"{plain[: _WORDS - 1]}…"


def _within(items: list[dict[str, Any]], most: int, limit: int) -> list[dict[str, Any]]:
    """The first of these, as many as are allowed and as have room."""
    kept: list[dict[str, Any]] = []
    size = 0
    for item in items[:most]:
        size += len(_json(item)) + 1
        if size > limit:
            break
        kept.append(item)
    return kept


def _json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def write_result(address: str, head: str, predicate: Mapping[str, Any]) -> bytes:
    """The payload to be signed: compact JSON, UTF-8. UsageError where it cannot be one."""
    data = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": address, "digest": {"gitCommit": head}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(predicate),
    }
    try:
        ResultStatement.model_validate(data)  # what would not be read back is never signed
        payload = _json(data)
    except PartError as error:
        raise UsageError(f"the result cannot be recorded: {refusal_of(error)}") from None
    except UnicodeEncodeError:
        raise UsageError("the result cannot be recorded: it holds what is no text") from None
    if len(payload) > MAX_PAYLOAD:
        raise UsageError(
            f"the result would have {len(payload):,} bytes; {MAX_PAYLOAD:,} are allowed",
            hint="ask of fewer systems at a time: --system",
        )
    return payload


def read_result(payload: bytes) -> ResultStatement:
    """The result in a payload; StatementError when it is not one, strictly, to the last key."""
    return loaded(payload, ResultStatement)
