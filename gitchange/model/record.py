"""The record: what `gitchange document` appends to a change file to close it.

DESIGN.md section 3, "The record". The approved bytes stay as they were: the file's first
`request_bytes` bytes are the request that was signed. Each sign-off that counted stands there
with its readable fields *and* its envelope, so a clone without notes can verify it; the readable
fields are for readers and must say what the envelope says.
"""

from __future__ import annotations

from typing import Annotated, Literal

from gitchange.model.layout import write_toml
from gitchange.model.part import AwareDatetime, Limits, Listed, Matching, Part
from gitchange.model.statement import Answers, StepName, VerdictName
from gitchange.model.text import LongText, Principal, ShortText

Outcome = Literal["successful", "partly", "backed-out"]
OUTCOMES: tuple[Outcome, ...] = ("successful", "partly", "backed-out")

Hex = Annotated[str, Matching(r"^[0-9a-f]+$")]


class RecordSignOff(Part):
    """One sign-off that counted, readable and with its evidence."""

    step: StepName
    """The step that was signed."""
    verdict: VerdictName
    """What was decided."""
    by: Principal
    """Who signed."""
    role: ShortText
    """In which role."""
    time: AwareDatetime
    """When, as the signer's clock claimed."""
    key: ShortText
    """The key that signed, by its fingerprint: `SHA256:...`, or `openpgp:...`."""
    meaning: LongText
    """The sentence that was signed."""
    comment: LongText | None = None
    """What the signer added."""
    answers: Answers = Answers()
    """The answers to the step's questions."""
    envelope: LongText
    """The DSSE envelope, the very line that stood in the notes."""


class Record(Part):
    """How the change ended, and the evidence for it."""

    outcome: Outcome
    """`successful`, `partly` or `backed-out`."""
    summary: LongText
    """What happened, in a few sentences."""
    lessons: LongText | None = None
    """What should be done differently next time."""
    documented_by: Principal
    """Who documented it: a claim of the commit, not signed by itself."""
    time: AwareDatetime
    """When it was documented, as that person's clock claimed."""
    request_bytes: Annotated[int, Limits(gt=0)]
    """Length in bytes of the request: `head -c request_bytes FILE`."""
    request_blob: Hex
    """Git's object id of the request's bytes."""
    request_sha256: Hex
    """SHA-256 of the request's bytes."""
    sign_offs: Annotated[Listed[RecordSignOff], Limits(min_length=1)]
    """The sign-offs that counted, in the order of the steps."""


def append_record(request: bytes, record: Record) -> bytes:
    """The documented file: the request to the byte, then the record."""
    text = write_toml({"record": record.model_dump(exclude_none=True)})
    separator = "" if request.endswith(b"\n") else "\n"
    return request + (separator + text).encode()
