"""The record in a change file: split off, and held against its own envelopes.

DESIGN.md section 3, "The record". `gitchange.model.record` knows the format. Here it is read
back: the request's bytes must be those that were signed, and each readable field must say what
its envelope says.
"""

from __future__ import annotations

import hashlib

from gitchange.git.repository import is_id
from gitchange.ledger.signoffs import Doubt, Text
from gitchange.model.change import parse_change
from gitchange.model.finding import Finding
from gitchange.model.part import Part
from gitchange.model.record import RecordSignOff, append_record
from gitchange.model.statement import Answers
from gitchange.model.toml import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gitchange.git.repository import Repository
    from gitchange.ledger.signoffs import Authenticates
    from gitchange.model.change import Change, ParsedChange
    from gitchange.model.evidence import SignOff
    from gitchange.model.finding import Severity

TRAILER = "Approvals"
"""Trailer of every commit that gitchange makes on main: it witnesses the notes at that moment."""


def request_of(raw: bytes, change: Change) -> bytes:
    """The request's bytes: all of an open change's file, what precedes the record in a closed one."""
    return raw if change.record is None else raw[: change.record.request_bytes]


def text_of(repository: Repository, raw: bytes, change: Change) -> Text:
    """The text that sign-offs on this change are about."""
    request = request_of(raw, change)
    return Text(change.id, change.path, repository.hash_blob(request), hashlib.sha256(request).hexdigest())


def check_record(
    raw: bytes, parsed: ParsedChange, text: Text, authenticator: Authenticates
) -> tuple[tuple[SignOff, ...], tuple[Finding, ...]]:
    """The genuine sign-offs of the record in a file that was read, and everything about it that does not hold:

    1. the request's length, Git id and SHA-256 are those of the file's first bytes;
    2. those bytes alone are a change file without a record, the same change;
    3. every envelope is a genuine sign-off on them;
    4. its readable fields say what the envelope says;
    5. it is laid out as `gitchange document` lays it out: no comment was put between (a warning, because a
       later version may write the same data in another way).
    """
    change = parsed.change
    if change is None or change.record is None:
        raise ValueError("there is no record")
    record = change.record
    found: list[Finding] = []
    position = request_of(raw, change).count(b"\n") + 2

    def at(code: str, message: str, hint: str = "", severity: Severity = "error") -> None:
        found.append(
            Finding(
                f"record.{code}",
                message,
                hint or "restore the file as `gitchange document` wrote it: `git log -p` has it",
                severity,
                change.path,
                position,
                1,
                "record",
                change.id,
            )
        )

    # 1. The bytes.
    if record.request_bytes > len(raw) or record.request_sha256 != text.sha256:
        at("request-changed", "the file's first `request_bytes` bytes are not those that were signed")
    elif record.request_blob != text.blob:
        at("request-changed", f"`request_blob` is not the id of the request, which is {text.blob}")
    # 2. The request.
    request = request_of(raw, change)
    end = parsed.document.before_last
    # Line ends at the end of a document add nothing: mostly its reader has read the request alone already.
    if end is None or len(request) > end or raw[len(request) : end].strip(b"\n"):
        # The same data makes the same change, and nothing in a change depends on whether it has a record.
        alone = parse(request, change.path)
        said = {key: value for key, value in parsed.document.data.items() if key != "record"}
        is_same = not alone.problems and alone.data == said
        if not is_same and ("record" in alone.data or parse_change(request, change.path).change is None):
            at("request-unreadable", "the bytes before the record are no change file of their own")
        elif not is_same:
            at("request-changed", "the record adds to the request or changes it")
        elif not raw[len(request) :].lstrip(b"\n").startswith(b"[record]\n"):
            at("request-changed", "something else than the record follows the request")
    # 3. and 4. The sign-offs.
    genuine: list[SignOff] = []
    for index, entry in enumerate(record.sign_offs):
        judged = authenticator.authenticate(entry.envelope.encode(), text)
        if isinstance(judged, Doubt):
            finding = judged.finding
            at(finding.code.replace(".", "-"), f"sign_offs[{index}]: {finding.message}", finding.hint)
            continue
        if differing := _differences(entry, judged):
            at("differs", f"sign_offs[{index}] by {entry.by}: {', '.join(differing)} not as in the envelope")
            continue
        if any(s.digest == judged.digest for s in genuine):
            at("repeated", f"sign_offs[{index}] by {entry.by} is there twice")
            continue
        genuine.append(judged)
    # 5. The layout.
    if not found and append_record(request, record) != raw:
        at("layout", "the record says the same in other bytes than gitchange writes", severity="warning")
    return tuple(genuine), tuple(found)


def entry_of(sign_off: SignOff) -> RecordSignOff:
    """The readable entry for a sign-off, envelope included."""
    return RecordSignOff(
        step=sign_off.step,
        verdict=sign_off.verdict,
        by=sign_off.by,
        role=sign_off.role,
        time=sign_off.when,
        key=sign_off.key,
        meaning=sign_off.meaning,
        comment=sign_off.comment or None,
        answers=Answers.model_validate(sign_off.answers),
        envelope=sign_off.line,
    )


def _differences(entry: RecordSignOff, sign_off: SignOff) -> list[str]:
    """Names of the fields that do not say what `entry_of` would."""
    answers = {name: _plain(value) for name, value in vars(entry.answers).items() if value is not None}
    said = {
        "step": entry.step == sign_off.step,
        "verdict": entry.verdict == sign_off.verdict,
        "by": entry.by == sign_off.by,
        "role": entry.role == sign_off.role,
        "time": entry.time == sign_off.when,
        "key": entry.key == sign_off.key,
        "meaning": entry.meaning == sign_off.meaning,
        "comment": entry.comment == (sign_off.comment or None),
        "answers": answers == sign_off.answers,
        "envelope": entry.envelope == sign_off.line,
    }
    return [name for name, same in said.items() if not same]


def _plain(value: Any) -> Any:
    """An answer as JSON has it, which is how a sign-off keeps its answers."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return vars(value) if isinstance(value, Part) else value


def trailer_of(message: str) -> str | None:
    """The notes commit that a commit message witnesses; None when it names none."""
    block = message.rstrip("\n").rsplit("\n\n", 1)[-1]
    for line in reversed(block.splitlines()):
        name, _, value = line.partition(":")
        if name == TRAILER and is_id(value.strip()):
            return value.strip()
    return None
