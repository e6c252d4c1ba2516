"""The record: appended behind the request, which stays as it was to the byte."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.model import statement
from gitchange.model.change import parse_change, write_change
from gitchange.model.part import PartError
from gitchange.model.record import Record, RecordSignOff, append_record
from gitchange.model.statement import MAX_PAYLOAD, MEANINGS, Answers, CommitReference
from tests.unit.lifecycle.builders import ADA, BO, DEE, ID, a_change
from tests.unit.model.test_change import GOOD, LONG, PATH

REQUEST = GOOD.encode()
WHEN = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
ENVELOPE = json.dumps({"payload": "e30=", "signatures": [{"sig": "U1NI"}]}, separators=(",", ":"))


def sign_off(**changes: Any) -> RecordSignOff:
    """A good entry, with these fields put in place."""
    return RecordSignOff(
        **{
            "step": "evaluation",
            "verdict": "approve",
            "by": ADA,
            "role": "change-manager",
            "time": WHEN,
            "key": "SHA256:abc",
            "meaning": MEANINGS["approve"],
            "answers": Answers(necessary=True, feasible=True, safe=True),
            "envelope": ENVELOPE,
            **changes,
        }
    )


def record(request: bytes = REQUEST, **changes: Any) -> Record:
    """A good record of a request, with these fields put in place."""
    return Record(
        **{
            "outcome": "successful",
            "summary": "It works.",
            "documented_by": ADA,
            "time": WHEN,
            "request_bytes": len(request),
            "request_blob": "b" * 40,
            "request_sha256": hashlib.sha256(request).hexdigest(),
            "sign_offs": (sign_off(),),
            **changes,
        }
    )


def read(raw: bytes) -> Record:
    """The record that a documented file holds."""
    parsed = parse_change(raw, PATH)
    assert parsed.findings == ()
    assert parsed.change is not None
    assert parsed.change.record is not None
    return parsed.change.record


FULL = record(
    lessons="Begin earlier.\n",
    sign_offs=(
        sign_off(comment='said "yes"\n'),
        sign_off(
            step="implementation",
            verdict="implement",
            by=BO,
            meaning=MEANINGS["implement"],
            answers=Answers(
                steps_followed=False,
                deviations="Took\nthe other one.",
                commits=(CommitReference(system="api", commit="v1"),),
                tests=(
                    statement.TestResult(name="suite", result="passed"),
                    statement.TestResult(name="load", result="skipped"),
                ),
            ),
        ),
        sign_off(
            step="validation",
            verdict="validate",
            by=DEE,
            meaning=MEANINGS["validate"],
            answers=Answers(works=True, no_security_risk=True, evidence=("one", "two\nlines")),
        ),
    ),
)


@pytest.mark.parametrize(
    "request_text",
    [REQUEST, REQUEST.rstrip(b"\n"), REQUEST + b"\n\n\n", REQUEST + b"# the end", REQUEST + b"# ends\n"],
    ids=["one line end", "no line end", "blank lines", "a comment without its line end", "a comment"],
)
def test_the_request_stays_as_it_was_to_the_byte(request_text: bytes) -> None:
    """The first `request_bytes` bytes are the request that was signed, however it ended."""
    raw = append_record(request_text, record(request_text))
    kept = raw[: read(raw).request_bytes]
    assert kept == request_text
    assert hashlib.sha256(kept).hexdigest() == read(raw).request_sha256
    assert raw[len(request_text) :].lstrip(b"\n").startswith(b"[record]\n")


def test_the_record_is_set_apart_by_a_blank_line() -> None:
    """Between request and record there is a blank line, for readers."""
    assert append_record(REQUEST, record()).startswith(REQUEST + b"\n[record]\n")
    bare = REQUEST.rstrip(b"\n")
    assert append_record(bare, record(bare)).startswith(bare + b"\n\n[record]\n")


def test_a_full_record_is_read_back() -> None:
    """Every answer of every step stands in the record and is read back as it was."""
    assert read(append_record(REQUEST, FULL)) == FULL


def test_the_request_says_the_same_beside_its_record() -> None:
    """The record adds nothing to the request and changes nothing in it."""
    before = tomllib.loads(GOOD)
    after = tomllib.loads(append_record(REQUEST, FULL).decode())
    assert after.pop("record")
    assert after == before


def test_the_envelope_stands_on_one_line_as_it_was() -> None:
    """An envelope can be cut out of the file with a text editor: it is on one line, not escaped."""
    lines = append_record(REQUEST, record()).decode().splitlines()
    assert f"envelope = '{ENVELOPE}'" in lines


@settings(max_examples=80, deadline=None)
@given(LONG, LONG, LONG, st.none() | LONG)
def test_any_texts_are_read_back_to_the_byte(
    summary: str, comment: str, evidence: str, lessons: str | None
) -> None:
    """Whatever people write in summary, lessons, comments and evidence is the same when it is read."""
    written = record(
        summary=summary,
        lessons=lessons,
        sign_offs=(
            sign_off(comment=comment),
            sign_off(step="validation", verdict="validate", answers=Answers(evidence=(evidence, comment))),
        ),
    )
    raw = append_record(REQUEST, written)
    assert raw.startswith(REQUEST)
    assert b"\r" not in raw
    assert read(raw) == written


def test_the_largest_sign_off_finds_room_in_the_record() -> None:
    """Whatever is short enough to be signed is short enough to be documented."""
    line = json.dumps({"payload": base64.b64encode(b"x" * MAX_PAYLOAD).decode(), "sig": "s" * 20_000})
    written = record(sign_offs=(sign_off(envelope=line),))
    assert read(append_record(REQUEST, written)) == written


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sign_offs", ()),
        ("outcome", "great"),
        ("summary", " "),
        ("request_bytes", 0),
        ("request_blob", "xyz"),
        ("request_sha256", ""),
        ("time", dt.datetime(2026, 1, 1)),
        ("documented_by", ""),
    ],
)
def test_a_record_that_is_not_one_cannot_be_made(field: str, value: object) -> None:
    """A record names its outcome, its request and at least one sign-off, or it is none."""
    with pytest.raises(PartError):
        record(**{field: value})


def test_a_request_that_was_written_is_documented_too() -> None:
    """A request that `new` wrote takes a record like one that people wrote."""
    change = a_change()
    raw = write_change(change.model_dump(by_alias=True, exclude_none=True))
    documented = append_record(raw, record(raw))
    assert read(documented).request_bytes == len(raw)
    assert f'id = "{ID}"'.encode() in documented
