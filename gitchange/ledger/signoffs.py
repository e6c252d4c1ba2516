"""Is this line a genuine sign-off on this text? Authentication of one envelope.

Cryptography is `gitchange.signing`'s, the statement's grammar `gitchange.model.statement`'s; here
they meet the policy's allowed signers and the text that the note is on. Whether a genuine sign-off
counts is the lifecycle's decision.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache, partial

from gitchange.ledger.notes import Notes
from gitchange.model.evidence import SignOff
from gitchange.model.finding import Finding
from gitchange.model.policy import OPENPGP, ROOT, SIGNERS_FILE
from gitchange.model.statement import (
    NAMESPACE,
    PAYLOAD_TYPE,
    StatementError,
    read_statement,
)
from gitchange.signing.dsse import EnvelopeError, parse_envelope
from gitchange.signing.signers import Signers
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Protocol, TypeVar

    from gitchange.git.repository import Repository
    from gitchange.model.finding import Severity
    from gitchange.model.policy import Policy
    from gitchange.model.result import Result, ResultStatement
    from gitchange.model.statement import Statement, VerdictName
    from gitchange.signing.authenticity import Authenticity
    from gitchange.signing.dsse import Envelope

    Read = TypeVar("Read", Statement, ResultStatement)

    class Authenticates(Protocol):
        """Who can say whether a line is a genuine sign-off on a text."""

        def authenticate(self, line: bytes, text: Text) -> SignOff | Doubt:
            """The sign-off, or why it is none."""


class Text(Value):
    """The text that sign-offs are about."""

    change: str
    path: str
    blob: str
    sha256: str


class Doubt(Value):
    """A line that is no genuine sign-off on the text it stands on.

    `intact` tells the two kinds apart. An intact statement by a key that the policy does not let
    sign is worthless and harmless. A line that is not intact may be what is left of somebody's
    refusal: while it stands, the text is not approved (DESIGN.md section 4, rule 5).
    """

    finding: Finding
    intact: bool


@lru_cache(maxsize=1024)
def _opened(line: bytes) -> tuple[Envelope, str]:
    """The envelope in a line, and what the sign-off is called: the SHA-256 of the bytes that were signed.

    Not of the line: whoever holds a good signature can spell it in other ways that verify as well
    (s or n-s of ECDSA, S or S+L of Ed25519), and a second spelling is no second sign-off.
    """
    envelope = parse_envelope(line)
    return envelope, hashlib.sha256(envelope.signed_bytes).hexdigest()


def names_of(lines: tuple[bytes, ...]) -> frozenset[str]:
    """Names of the sign-offs in these lines, genuine or not."""
    names: set[str] = set()
    for line in lines:
        try:
            names.add(_opened(line)[1])
        except EnvelopeError:  # what is no envelope is a finding where it is authenticated
            continue
    return frozenset(names)


def signers_of(policy: Policy) -> Signers:
    """Who may sign by this policy, with whatever kind of key."""
    return _signers(policy.signers, tuple(sorted(policy.openpgp.items())))


@lru_cache(maxsize=16)
def _signers(allowed: bytes, openpgp: tuple[tuple[str, bytes], ...]) -> Signers:
    return Signers(allowed, dict(openpgp))


def says_one_of(line: bytes, verdicts: tuple[VerdictName, ...]) -> bool:
    """Whether a line claims one of these verdicts, authentic or not; no when it is no sign-off."""
    try:
        payload = _opened(line)[0].payload
        # Only where JSON spells none of its characters by number can the bytes tell that a word is not there.
        if b"\\u" not in payload and not any(verdict.encode() in payload for verdict in verdicts):
            return False
        return read_statement(payload).predicate.verdict in verdicts
    except (EnvelopeError, StatementError):
        return False


def described(line: bytes) -> str:
    """A line in words, for findings about it; nothing in it is trusted."""
    name = hashlib.sha256(line).hexdigest()[:12]
    try:
        payload = parse_envelope(line, canonical=False).payload
    except EnvelopeError:
        return f"the line {name}, which is no sign-off"
    try:
        said = read_statement(payload).predicate
    except StatementError:
        return _described_result(payload, name)
    return f"the sign-off {said.verdict!r} by {said.by} on {said.change} (line {name})"


def _described_result(payload: bytes, name: str) -> str:
    from gitchange.model.result import read_result  # noqa: PLC0415 - mostly a line is a sign-off

    try:
        statement = read_result(payload)
    except StatementError:
        return f"the line {name}, which is no sign-off"
    said, head = statement.predicate, statement.subject[0].digest.gitCommit
    return f"the result {said.kind} {said.outcome!r} by {said.by} on {head[:12]} (line {name})"


class Moment(Value):
    """By when a line is judged."""

    time: dt.datetime
    """An aware time."""
    witness: str | None
    """The commit of the branch of record that witnessed it first; None while nothing did."""
    place: int | None
    """That commit's number on the line."""


def _doubt(
    what: str, line: bytes, text: Text, code: str, message: str, hint: str = "", *, intact: bool = False
) -> Doubt:
    """Why a line is no genuine `what` on that text."""
    harmless = code.startswith("certificate.") or (intact and code.startswith("signer."))
    severity: Severity = "warning" if harmless else "error"
    where = f"{what} {hashlib.sha256(line).hexdigest()[:12]} on {text.blob[:12]}: "
    mend = hint or "compare with another clone's notes; a genuine line can be restored from there"
    return Doubt(Finding(code, where + message, mend, severity, text.path, change=text.change), intact)


class Authenticator:
    """Authenticates lines against one policy at one moment."""

    def __init__(
        self,
        repository: Repository,
        introduction: str,
        policy: Policy,
        at: dt.datetime,
        *,
        with_order: bool = True,
        lines_at: Callable[[str, str], tuple[bytes, ...] | None] | None = None,
    ) -> None:
        """`with_order` is whether to look up what each signer had seen; who only asks what is genuine need not.

        `lines_at` tells the lines on an object in a notes commit, or None when that commit is not here.
        """
        self._repository = repository
        self._introduction = introduction
        self._policy = policy
        self._at = at
        self._with_order = with_order
        self._signers = signers_of(policy)
        self._lines_at = lines_at or self._read_lines
        self._held: dict[str, frozenset[str]] = {}

    def authenticate(self, line: bytes, text: Text, at: Moment | None = None) -> SignOff | Doubt:
        """Judge a line in these steps, each of which must pass:

        1. it is one DSSE envelope in its one spelling;
        2. its payload is our statement, to the last key;
        3. the signature is good, made for us by a key that the policy gives to `by`, in its one spelling;
        4. the key is one person's only, and the envelope's `keyid` is its fingerprint;
        5. the subject is this text, by path, Git id and SHA-256, and this change;
        6. it was made for this repository.

        Without `at` it is judged by the moment that the authenticator was made for.
        """
        at = at or Moment(self._at, None, None)

        doubt = partial(_doubt, "sign-off", line, text)
        # 1. to 4.
        signed = self._signed(line, read_statement, at, doubt)
        if isinstance(signed, Doubt):
            return signed
        name, statement, result = signed
        said = statement.predicate
        # 5. This text.
        subject = statement.subject[0]
        differences = [
            f"{what} {theirs}, not {ours}"
            for what, theirs, ours in (
                ("the change", said.change, text.change),
                ("the path", subject.name, text.path),
                ("the text", subject.oid, text.blob),
                ("the SHA-256", subject.sha256, text.sha256),
            )
            if theirs != ours
        ]
        if differences:
            return doubt("sign-off.other-subject", f"it is about {differences[0]}", intact=True)
        # 6. This repository.
        if said.repository != self._introduction:
            message = f"it was made for the repository {said.repository[:12]}, not for this one"
            return doubt("sign-off.other-repository", message, intact=True)
        return SignOff(
            digest=name,
            change=said.change,
            step=said.step,
            verdict=said.verdict,
            by=said.by,
            role=said.role,
            meaning=said.meaning,
            answers=said.answers.model_dump(exclude_none=True, mode="json"),
            comment=said.comment,
            policy=said.policy,
            log=said.log,
            time=said.time,
            path=subject.name,
            blob=text.blob,
            sha256=text.sha256,
            key=result.key,
            key_type=result.key_type,
            certificate=result.certificate,
            seen=self._seen_in(said.log, text.blob) if self._with_order else None,
            line=line.decode("ascii"),
            held=self._roles_of(said.by),
            judged_by=self._policy.version,
            primary=result.primary,
            witness=at.witness,
            place=at.place,
            judged_at=at.time if at.witness else None,
        )

    def authenticate_result(self, line: bytes, text: Text, at: Moment | None = None) -> Result | Doubt:
        """Judge a line that is kept on a commit of the branch of record, the text's `blob`, in these steps:

        1. to 4. as those of a sign-off, for the statement of a result;
        5. it was computed from this commit;
        6. it was made for this repository.
        """
        from gitchange.model.result import Result, read_result  # noqa: PLC0415 - no change is judged by results

        at = at or Moment(self._at, None, None)
        doubt = partial(_doubt, "result", line, text)
        # 1. to 4.
        signed = self._signed(line, read_result, at, doubt)
        if isinstance(signed, Doubt):
            return signed
        name, statement, result = signed
        said, subject = statement.predicate, statement.subject[0]
        # 5. This commit.
        if said.main != text.blob:
            message = f"it was computed from {said.main[:12]}, and is kept on another commit"
            return doubt("result.other-commit", message, intact=True)
        # 6. This repository.
        if said.repository != self._introduction:
            message = f"it was made for the repository {said.repository[:12]}, not for this one"
            return doubt("result.other-repository", message, intact=True)
        return Result(
            digest=name,
            address=subject.name,
            head=subject.digest.gitCommit,
            said=said,
            key=result.key,
            key_type=result.key_type,
            certificate=result.certificate,
            held=self._roles_of(said.by),
            judged_by=self._policy.version,
            witness=at.witness,
            place=at.place,
            judged_at=at.time if at.witness else None,
            line=line.decode("ascii"),
            primary=result.primary,
        )

    def _signed(
        self, line: bytes, read: Callable[[bytes], Read], at: Moment, doubt: Callable[..., Doubt]
    ) -> tuple[str, Read, Authenticity] | Doubt:
        """1. to 4.: the name of what was signed, the statement, and who signed it with which key."""
        # 1. One envelope, one spelling.
        try:
            envelope, name = _opened(line)
        except EnvelopeError as error:
            return doubt(error.code, str(error))
        if envelope.payload_type != PAYLOAD_TYPE:
            return doubt("envelope.payload-type", f"the payload's type is {envelope.payload_type!r}")
        # 2. Our statement.
        try:
            statement = read(envelope.payload)
        except StatementError as error:
            return doubt("statement.malformed", str(error))
        by = statement.predicate.by
        # 3. The signature, the key, the person.
        result = self._signers.verify(
            envelope.signed_bytes, envelope.signature, principal=by, namespace=NAMESPACE, at=at.time
        )
        if not result.ok:
            where = f"{ROOT}/{SIGNERS_FILE} and {ROOT}/{OPENPGP} say which keys may sign for whom"
            hint = result.hint or (where if result.intact else "")
            return doubt(result.code, f"{result.message} (by {by})", hint, intact=result.intact)
        # 4. One key, one person.
        if set(result.owners) - {by}:
            message = f"the key {result.key} belongs to several persons: {', '.join(sorted(result.owners))}"
            return doubt("signer.ambiguous", message, "give each person a key of their own", intact=True)
        if envelope.keyid != result.key:
            return doubt(
                "envelope.keyid",
                f"the envelope names the key {envelope.keyid}, the signature's is {result.key}",
            )
        return name, statement, result

    def _roles_of(self, person: str) -> frozenset[str]:
        if person not in self._held:
            self._held[person] = frozenset(self._policy.roles_of(person))
        return self._held[person]

    def _seen_in(self, log: str | None, blob: str) -> frozenset[str] | None:
        """What stood on the text in the notes commit that the signer named; None when it is missing."""
        if log is None:
            return frozenset()
        lines = self._lines_at(log, blob)
        return None if lines is None else names_of(lines)

    def _read_lines(self, commit: str, oid: str) -> tuple[bytes, ...] | None:
        return Notes(self._repository, commit).lines(oid) if self._repository.has_commit(commit) else None
