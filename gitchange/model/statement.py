"""What a sign-off says: an in-toto Statement v1 about the bytes of one text.

DESIGN.md section 3, "Sign-off"; https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md.
The type URI, the parser and the writer of sign-offs live here and nowhere else. Whether the
signature is good is `gitchange.signing`'s question, whether it counts is the lifecycle's.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Annotated, Any, Literal, TypeVar

from gitchange.errors import UsageError
from gitchange.model.part import AfterValidator, Alias, Limits, Listed, Part, PartError, model_validator
from gitchange.model.text import Comment, LongText, Principal, ShortText

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:x-gitchange:sign-off:v1"
MAX_PAYLOAD = 1 << 17
"""Largest payload, 128 KiB: its envelope must find room in the record."""
NAMESPACE = "gitchange"
"""SSHSIG namespace: a signature made for git, or for files, is none of ours."""

ChangeStep = Literal["evaluation", "freeze", "implementation", "validation", "withdrawal"]
"""What is signed about a change."""
StepName = ChangeStep | Literal["policy"]
"""What is signed at all: changes, and the policy itself."""
VerdictName = Literal[
    "approve",
    "reject",
    "request-info",
    "override-freeze",
    "implement",
    "back-out",
    "validate",
    "fail",
    "withdraw",
    "approve-policy",
]

VERDICTS: dict[StepName, tuple[VerdictName, ...]] = {
    "evaluation": ("approve", "reject", "request-info"),
    "freeze": ("override-freeze",),
    "implementation": ("implement", "back-out"),
    "validation": ("validate", "fail"),
    "withdrawal": ("withdraw",),
    "policy": ("approve-policy",),
}

MEANINGS: dict[VerdictName, str] = {
    "approve": "I have evaluated this text and judge the change necessary, feasible and safe. I approve it.",
    "reject": "I have evaluated this text and do not want the change to be made. I reject it.",
    "request-info": "I have evaluated this text and cannot decide on it before my questions are answered.",
    "override-freeze": "I know that this change is planned in a freeze. It cannot wait, for the reason that I give.",
    "implement": "I have implemented this text as my answers say, and tested it with these results.",
    "back-out": "I have tried to implement this text and have backed the change out again.",
    "validate": "I have used the changed systems: they work as expected, and I see no new security risk.",
    "fail": "I have used the changed systems and found that the change does not hold what it promised.",
    "withdraw": "I withdraw this change; it is not to be implemented.",
    "approve-policy": "I have read this policy as a whole. It shall take the place of the one in force.",
}
"""The sentence that is signed with each verdict. A signature under any other sentence does not count."""

_OBJECT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def _oid(value: str) -> str:
    if not _OBJECT_ID.fullmatch(value):
        raise ValueError("is no object id")
    return value


def _sha256(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise ValueError("is no SHA-256")
    return value


def _time(value: str) -> str:
    if not _TIME.fullmatch(value):
        raise ValueError("is no RFC 3339 time with its offset")
    dt.datetime.fromisoformat(value)  # ValueError for the 30th of February
    return value


ObjectId = Annotated[str, AfterValidator(_oid)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
Time = Annotated[str, AfterValidator(_time)]


Read = TypeVar("Read", bound=Part)


class CommitReference(Part):
    """A commit of an application repository that belongs to the implementation."""

    system: ShortText
    """The system, as policy/systems.toml names it."""
    commit: Annotated[str, Limits(min_length=1, max_length=200)]
    """A full commit id where the repository was at hand, otherwise the revision as it was given."""


class TestResult(Part):
    """One test and what it showed."""

    name: ShortText
    result: Literal["passed", "failed", "skipped"]


class Answers(Part):
    """The answers to the step's questions; only those of its own step are given."""

    necessary: bool | None = None
    """Evaluation: is the change necessary?"""
    feasible: bool | None = None
    """Evaluation: is it feasible?"""
    safe: bool | None = None
    """Evaluation: is it safe?"""
    freezes: Listed[ShortText] | None = None
    """Freeze: names of the freezes that are lifted for this change."""
    steps_followed: bool | None = None
    """Implementation: were the steps followed as they were written?"""
    deviations: LongText | None = None
    """Implementation: what was done differently, and why."""
    commits: Listed[CommitReference] | None = None
    """Implementation: the commits that belong to it."""
    tests: Listed[TestResult] | None = None
    """Implementation: the tests and what they showed."""
    works: bool | None = None
    """Validation: does it work as expected?"""
    no_security_risk: bool | None = None
    """Validation: is it free of new security risk?"""
    security_risk: LongText | None = None
    """Validation: the security risk that was found."""
    evidence: Listed[LongText] | None = None
    """Validation: what was looked at."""


_ASKED: dict[StepName, frozenset[str]] = {
    "evaluation": frozenset({"necessary", "feasible", "safe"}),
    "freeze": frozenset({"freezes"}),
    "implementation": frozenset({"steps_followed", "deviations", "commits", "tests"}),
    "validation": frozenset({"works", "no_security_risk", "security_risk", "evidence"}),
    "withdrawal": frozenset(),
    "policy": frozenset(),
}


class Predicate(Part):
    """What the signer states."""

    change: Annotated[str, Limits(min_length=1)]
    step: StepName
    verdict: VerdictName
    by: Principal
    role: ShortText
    meaning: str
    answers: Answers
    comment: Comment
    repository: ObjectId
    """The introduction commit: a sign-off for one repository is none for another."""
    policy: ObjectId
    """Tree id of the policy that the signer saw."""
    log: ObjectId | None
    """The notes commit that the signer saw; null before the first."""
    time: Time
    """A claim; it decides nothing."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Predicate:
        if self.verdict not in VERDICTS[self.step]:
            raise ValueError(f"{self.verdict!r} is no verdict of the step {self.step!r}")
        if self.meaning != MEANINGS[self.verdict]:
            raise ValueError(f"the meaning is not the sentence that {self.verdict!r} is signed with")
        given = {name for name, answer in vars(self.answers).items() if answer is not None}
        if strange := given - _ASKED[self.step]:
            raise ValueError(f"{', '.join(sorted(strange))}: not asked in the step {self.step!r}")
        if problem := contradiction(self.verdict, self.answers, self.comment):
            raise ValueError(problem)
        return self


def contradiction(verdict: VerdictName, answers: Answers, comment: str) -> str:
    """Why these answers cannot stand beside this verdict; empty when they can."""
    a = answers
    match verdict:
        case "approve":
            if not (a.necessary and a.feasible and a.safe):
                return "an approval says that the change is necessary, feasible and safe"
        case "reject" | "request-info" | "back-out" | "withdraw":
            if not comment.strip():
                return f"{verdict!r} needs a comment that says why"
        case "override-freeze":
            if not a.freezes:
                return "an override names the freezes that it lifts"
            if not comment.strip():
                return "an override needs a comment that says why the change cannot wait"
        case "implement":
            if a.steps_followed is None:
                return "an implementation says whether the steps were followed"
            if not a.steps_followed and not a.deviations:
                return "an implementation that did not follow the steps says what was done instead"
            if a.steps_followed and a.deviations:
                return "the steps cannot be followed and deviated from at once"
            if not a.tests:
                return "an implementation names at least one test and its result"
        case "validate":
            if not (a.works and a.no_security_risk):
                return "a validation says that the change works as expected without new security risk"
            if not a.evidence:
                return "a validation names its evidence: what was looked at"
        case "fail":
            if a.works and a.no_security_risk:
                return "a failed validation says that it does not work, or which security risk it has"
            if a.no_security_risk is False and not a.security_risk:
                return "a failed validation that sees a security risk says which"
            if not (a.security_risk or comment.strip()):
                return "a failed validation says what was found"
    return ""


class Digest(Part):
    gitBlob: ObjectId  # noqa: N815 - in-toto's name of this digest
    sha256: Sha256


class TreeDigest(Part):
    gitTree: ObjectId  # noqa: N815 - in-toto's names of these digests
    dirHash: Sha256  # noqa: N815


class Subject(Part):
    name: Annotated[str, Limits(min_length=1)]
    digest: Digest | TreeDigest

    @property
    def oid(self) -> str:
        """Git's id of what was signed: a file's, or a folder's."""
        return self.digest.gitBlob if isinstance(self.digest, Digest) else self.digest.gitTree

    @property
    def sha256(self) -> str:
        """SHA-256 of a file's bytes, or of a folder's listing (Go's Hash1)."""
        return self.digest.sha256 if isinstance(self.digest, Digest) else self.digest.dirHash


class Statement(Part):
    """An in-toto Statement v1 with our predicate."""

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Alias("_type")]
    subject: Annotated[Listed[Subject], Limits(min_length=1, max_length=1)]
    predicateType: Literal["urn:x-gitchange:sign-off:v1"]  # noqa: N815 - in-toto's name
    predicate: Predicate

    @model_validator(mode="after")
    def _fits_its_subject(self) -> Statement:
        if isinstance(self.subject[0].digest, TreeDigest) != (self.predicate.step == "policy"):
            raise ValueError("a policy is a folder, everything else that is signed is a file")
        return self


class StatementError(ValueError):
    """The payload is no statement that this program understands; it cannot count."""


def write_statement(path: str, oid: str, sha256: str, predicate: Predicate) -> bytes:
    """The payload to be signed: compact JSON, UTF-8. UsageError when it is too long."""
    said = predicate.model_dump(mode="json")
    said["answers"] = {name: value for name, value in said["answers"].items() if value is not None}
    kinds = ("gitTree", "dirHash") if predicate.step == "policy" else ("gitBlob", "sha256")
    digest = dict(zip(kinds, (oid, sha256), strict=True))
    data = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path, "digest": digest}],
        "predicateType": PREDICATE_TYPE,
        "predicate": said,
    }
    Statement.model_validate(data)  # what would not be read back is never signed
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    if len(payload) > MAX_PAYLOAD:
        raise UsageError(
            f"the sign-off would have {len(payload):,} bytes; {MAX_PAYLOAD:,} are allowed",
            hint="put long material into a document of its own and name its address",
        )
    return payload


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise StatementError("the payload names a key twice: two readers could read two statements")
    return data


def _no_constant(name: str) -> Any:
    raise StatementError(f"the payload has {name}, which is not JSON")


def read_statement(payload: bytes) -> Statement:
    """The statement in a payload; StatementError when it is not one, strictly, to the last key."""
    return loaded(payload, Statement)


def loaded(payload: bytes, kind: type[Read]) -> Read:
    """A payload as that document; StatementError when it is not one, strictly, to the last key."""
    if len(payload) > MAX_PAYLOAD:
        raise StatementError(f"the payload has {len(payload):,} bytes; {MAX_PAYLOAD:,} are allowed")
    try:
        data = json.loads(
            payload.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant
        )
        return kind.model_validate(data)
    except StatementError:
        raise
    except PartError as error:
        raise StatementError(refusal_of(error)) from None
    except (ValueError, RecursionError) as error:
        raise StatementError(f"the payload is not JSON: {error}") from None


def refusal_of(error: PartError) -> str:
    """The first thing that is wrong with a document, in words."""
    first = error.problems[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])
