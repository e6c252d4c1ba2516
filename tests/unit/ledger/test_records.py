"""A record's readable fields are held against its envelopes, every one of them."""

from __future__ import annotations

import pytest

from gitchange.ledger.records import _differences, entry_of
from gitchange.model import statement
from gitchange.model.evidence import SignOff
from gitchange.model.record import RecordSignOff
from gitchange.model.statement import MEANINGS, Answers

SIGN_OFF = SignOff(
    digest="0" * 64,
    change="CHG-20261122-K7Q3",
    step="implementation",
    verdict="implement",
    by="cy@example.org",
    role="developer",
    meaning=MEANINGS["implement"],
    answers=Answers(
        steps_followed=True, tests=(statement.TestResult(name="unit", result="passed"),)
    ).model_dump(exclude_none=True, mode="json"),
    comment="As planned.",
    policy="1" * 40,
    log=None,
    time="2026-11-22T20:00:00Z",
    path="changes/2026/11/CHG-20261122-K7Q3.toml",
    blob="2" * 40,
    sha256="3" * 64,
    key="SHA256:" + "a" * 43,
    key_type="ssh-ed25519",
    certificate="",
    seen=frozenset(),
    line="{}",
)

OTHER = {
    "step": "validation",
    "verdict": "back-out",
    "by": "dee@example.org",
    "role": "system-user",
    "time": "2026-11-22T20:00:01+00:00",
    "key": "SHA256:" + "b" * 43,
    "meaning": MEANINGS["validate"],
    "comment": None,
    "answers": Answers(steps_followed=True, tests=(statement.TestResult(name="unit", result="failed"),)),
    "envelope": "[]",
}


def test_the_entry_that_is_written_says_what_its_envelope_says() -> None:
    """What `document` writes differs in nothing."""
    assert _differences(entry_of(SIGN_OFF), SIGN_OFF) == []


@pytest.mark.parametrize("field", RecordSignOff.model_fields)
def test_another_value_of_any_field_is_told(field: str) -> None:
    """Each field is compared."""
    entry = entry_of(SIGN_OFF)
    value = OTHER[field]
    if field == "time":
        value = type(entry.time).fromisoformat(str(value))
    assert _differences(entry.model_copy(update={field: value}), SIGN_OFF) == [field]
