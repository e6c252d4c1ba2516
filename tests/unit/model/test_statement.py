"""What a sign-off says: read strictly, to the last key, or not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.errors import UsageError
from gitchange.model.part import PartError
from gitchange.model.statement import (
    MAX_PAYLOAD,
    MEANINGS,
    VERDICTS,
    Answers,
    Predicate,
    StatementError,
    StepName,
    VerdictName,
    contradiction,
    read_statement,
    write_statement,
)

PATH = "changes/2026/11/CHG-20261122-K7Q3.toml"
BLOB, SHA256 = "b" * 40, "5" * 64
FOLDER = {"gitTree": BLOB, "dirHash": SHA256}
STEP: dict[VerdictName, StepName] = {v: step for step, verdicts in VERDICTS.items() for v in verdicts}
GOOD_ANSWERS: dict[VerdictName, dict[str, Any]] = {
    "approve": {"necessary": True, "feasible": True, "safe": True},
    "reject": {"necessary": True, "feasible": False},
    "request-info": {},
    "override-freeze": {"freezes": ["end of year"]},
    "implement": {"steps_followed": True, "tests": [{"name": "suite", "result": "passed"}]},
    "back-out": {"commits": [{"system": "api", "commit": "v1.2"}]},
    "validate": {"works": True, "no_security_risk": True, "evidence": ["looked at it"]},
    "fail": {"works": False, "no_security_risk": True},
    "withdraw": {},
    "approve-policy": {},
}


def predicate(verdict: VerdictName = "approve", **changes: Any) -> dict[str, Any]:
    """A good predicate as JSON, with these keys put in place."""
    return {
        "change": "CHG-20261122-K7Q3",
        "step": STEP[verdict],
        "verdict": verdict,
        "by": "ada@example.org",
        "role": "change-manager",
        "meaning": MEANINGS[verdict],
        "answers": GOOD_ANSWERS[verdict],
        "comment": "because",
        "repository": "1" * 40,
        "policy": "2" * 40,
        "log": "3" * 40,
        "time": "2026-11-22T12:00:00Z",
        **changes,
    }


def statement(said: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A good statement as JSON, with these keys put in place."""
    is_policy = said is not None and said["step"] == "policy"
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": PATH, "digest": FOLDER if is_policy else {"gitBlob": BLOB, "sha256": SHA256}}],
        "predicateType": "urn:x-gitchange:sign-off:v1",
        "predicate": predicate() if said is None else said,
        **changes,
    }


def payload(data: object) -> bytes:
    """The bytes of some JSON."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("verdict", MEANINGS)
def test_each_verdict_is_written_and_read_back(verdict: VerdictName) -> None:
    """A statement of each verdict says the same after it was written and read."""
    said = Predicate.model_validate(predicate(verdict))
    raw = write_statement(PATH, BLOB, SHA256, said)
    assert raw == payload(statement(predicate(verdict)))
    read = read_statement(raw)
    assert read.predicate == said
    assert read.subject[0].name == PATH
    assert (read.subject[0].oid, read.subject[0].sha256) == (BLOB, SHA256)


def test_every_verdict_has_one_step_and_one_sentence() -> None:
    """Each verdict belongs to one step and is signed with a sentence of its own."""
    assert set(STEP) == set(MEANINGS)
    assert len(set(MEANINGS.values())) == len(MEANINGS)
    assert sum(len(verdicts) for verdicts in VERDICTS.values()) == len(MEANINGS)


def test_the_first_statement_of_all_has_seen_no_log() -> None:
    """Before the first notes commit, `log` is null, and it must still be said."""
    assert read_statement(payload(statement(predicate(log=None)))).predicate.log is None
    said = predicate()
    del said["log"]
    with pytest.raises(StatementError, match="log"):
        read_statement(payload(statement(said)))


def test_object_ids_of_sha256_repositories_are_read() -> None:
    """An object id has 40 or 64 digits."""
    said = predicate(repository="1" * 64, policy="2" * 64, log="3" * 64)
    assert read_statement(payload(statement(said))).predicate.log == "3" * 64


def subject(**changes: Any) -> dict[str, Any]:
    """A statement with another subject."""
    digest = {"gitBlob": BLOB, "sha256": SHA256, **changes}
    return statement(subject=[{"name": PATH, "digest": {k: v for k, v in digest.items() if v is not None}}])


NOT_OURS: dict[str, object] = {
    "another type of statement": statement(_type="https://in-toto.io/Statement/v0.1"),
    "another type of predicate": statement(predicateType="https://slsa.dev/provenance/v1"),
    "a later version of the predicate": statement(predicateType="urn:x-gitchange:sign-off:v2"),
    "no subject": statement(subject=[]),
    "a folder as the subject of a change": statement(subject=[{"name": PATH, "digest": FOLDER}]),
    "a file as the subject of a policy": statement(
        predicate("approve-policy"), subject=statement()["subject"]
    ),
    "a digest of a file and of a folder": subject(gitTree=BLOB, dirHash=SHA256),
    "two subjects": statement(subject=statement()["subject"] * 2),
    "no SHA-256": subject(sha256=None),
    "no Git id": subject(gitBlob=None),
    "a third digest": subject(md5="0" * 32),
    "a short SHA-256": subject(sha256="5" * 63),
    "a SHA-256 in capitals": subject(sha256="A" * 64),
    "an abbreviated Git id": subject(gitBlob="b" * 12),
    "an unknown key outside": statement(note="x"),
    "an unknown key in the predicate": statement(predicate(extra=1)),
    "an unknown answer": statement(predicate(answers={**GOOD_ANSWERS["approve"], "sure": True})),
    "a list": [statement()],
    "a text": "statement",
    "nothing": None,
    "no predicate": {k: v for k, v in statement().items() if k != "predicate"},
    "an unknown step": statement(predicate(step="approval")),
    "an unknown verdict": statement({**predicate(), "verdict": "ok"}),
    "a verdict of another step": statement(predicate(step="validation")),
    "another sentence": statement(predicate(meaning="I like it.")),
    "the sentence of another verdict": statement(predicate(meaning=MEANINGS["reject"])),
    "a sentence without its full stop": statement(predicate(meaning=MEANINGS["approve"][:-1])),
    "an answer of another step": statement(predicate(answers={**GOOD_ANSWERS["approve"], "works": True})),
    "answers to a withdrawal": statement(predicate("withdraw", answers={"safe": True})),
    "an approval without answers": statement(predicate(answers={})),
    "an approval that is not safe": statement(predicate(answers={**GOOD_ANSWERS["approve"], "safe": False})),
    "an approval that does not say whether it is safe": statement(
        predicate(answers={"necessary": True, "feasible": True})
    ),
    "a yes in words": statement(predicate(answers={**GOOD_ANSWERS["approve"], "safe": "yes"})),
    "a yes in numbers": statement(predicate(answers={**GOOD_ANSWERS["approve"], "safe": 1})),
    "a time without its offset": statement(predicate(time="2026-11-22T12:00:00")),
    "a day that does not exist": statement(predicate(time="2026-02-30T12:00:00Z")),
    "a time in words": statement(predicate(time="yesterday")),
    "a time as a number": statement(predicate(time=1795348800)),
    "digits of another script": statement(predicate(time="٢٠٢٦-11-22T12:00:00Z")),
    "an offset of days": statement(predicate(time="2026-11-22T12:00:00+99:00")),
    "an abbreviated policy": statement(predicate(policy="2" * 7)),
    "no change": statement(predicate(change="")),
    "a signer with a name": statement(predicate(by="Ada <ada@example.org>")),
    "an empty signer": statement(predicate(by="")),
    "an escape sequence in the comment": statement(predicate(comment="\x1b[2J")),
    "a blank comment": statement(predicate(comment=" \n")),
    "half a character in the comment": statement(predicate(comment="\\ud800")),
}


@pytest.mark.parametrize("data", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_what_is_not_our_statement_is_refused(data: object) -> None:
    """A payload that differs from the format in anything is no statement."""
    raw = payload(data).replace(b"\\\\ud800", b"\\ud800")
    with pytest.raises(StatementError):
        read_statement(raw)


RAW = payload(statement())
TWISTED = {
    "a key twice": RAW.replace(b'"verdict":"approve"', b'"verdict":"reject","verdict":"approve"'),
    "an answer twice": RAW.replace(b'"safe":true', b'"safe":false,"safe":true'),
    "a key twice, once escaped": RAW.replace(b'"safe":true', b'"saf\\u0065":false,"safe":true'),
    "the predicate twice": RAW[:-1] + b',"predicate":{}}',
    "NaN": RAW.replace(b'"necessary":true', b'"necessary":NaN'),
    "Infinity": RAW.replace(b'"necessary":true', b'"necessary":-Infinity'),
    "NaN where it would be ignored": RAW[:-1] + b',"x":NaN}',
    "two statements": RAW + RAW,
    "text behind it": RAW + b"x",
    "a trailing comma": RAW[:-1] + b",}",
    "a comment": b"/* */" + RAW,
    "single quotes": RAW.replace(b'"', b"'"),
    "a byte order mark": b"\xef\xbb\xbf" + RAW,
    "UTF-16": RAW.decode().encode("utf-16"),
    "Latin-1": payload(statement(predicate(comment="ö"))).decode().encode("latin-1"),
    "half of it": RAW[: len(RAW) // 2],
    "nothing": b"",
    "deep nesting": RAW.replace(b'"because"', b"[" * 60_000 + b"]" * 60_000),
    "a number with very many digits": RAW.replace(b'"because"', b"1" * 10_000),
    "half a character in a key": RAW.replace(b'"comment"', b'"\\ud800":1,"comment"'),
    "a null character": RAW.replace(b"because", b"\x00"),
    "more than is read": RAW.replace(b"because", b"x" * MAX_PAYLOAD),
}


@pytest.mark.parametrize("raw", TWISTED.values(), ids=TWISTED.keys())
def test_what_two_readers_could_read_in_two_ways_is_refused(raw: bytes) -> None:
    """JSON that is not strict, or that says a thing twice, is no statement."""
    assert raw != RAW
    with pytest.raises(StatementError):
        read_statement(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100))
def test_no_bytes_crash_the_reader(raw: bytes) -> None:
    """Whatever the bytes are, they are a statement or a StatementError."""
    with pytest.raises(StatementError):
        read_statement(raw)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["predicate", "subject", "_type", "answers", "step", "x"]), inner, max_size=4
            )
        ),
        max_leaves=10,
    ),
    st.sampled_from(["_type", "subject", "predicateType", "predicate"]),
    st.sampled_from(list(predicate())),
)
def test_no_json_crashes_the_reader(value: object, outer: str, inner: str) -> None:
    """Any JSON in any place gives a statement or a StatementError."""
    for data in (value, statement(**{outer: value}), statement({**predicate(), inner: value})):
        raw = json.dumps(data).encode()
        try:
            read = read_statement(raw)
        except StatementError:
            continue
        assert read.predicate.meaning == MEANINGS["approve"]


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(list(MEANINGS)))
def test_one_other_byte_is_another_statement_or_none(data: st.DataObject, verdict: VerdictName) -> None:
    """One changed byte makes a payload unreadable or lets it say something else; it never goes unnoticed."""
    comment = data.draw(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
    raw = payload(statement(predicate(verdict, comment=comment + '\n"\\')))
    original = read_statement(raw)
    at = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != raw[at]))
    changed = raw[:at] + bytes([byte]) + raw[at + 1 :]
    try:
        read = read_statement(changed)
    except StatementError:
        return
    assert read != original


@settings(max_examples=80, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1),
    st.sampled_from(["Z", "+05:30", ".123456-08:00"]),
    st.lists(st.sampled_from(["passed", "failed", "skipped"]), min_size=1, max_size=3),
)
def test_texts_are_read_back_to_the_character(comment: str, offset: str, results: list[str]) -> None:
    """Comments, deviations and tests say the same after they were written and read."""
    text = f"{comment}\r\n\t{comment}."
    said = Predicate.model_validate(
        predicate(
            "implement",
            comment=text,
            time=f"2026-11-22T12:00:00{offset}",
            answers={
                "steps_followed": False,
                "deviations": text,
                "tests": [{"name": f"test {n}", "result": result} for n, result in enumerate(results)],
            },
        )
    )
    assert read_statement(write_statement(PATH, BLOB, SHA256, said)).predicate == said


CONTRADICTIONS: dict[str, tuple[VerdictName, dict[str, Any], str]] = {
    "a rejection without a reason": ("reject", {}, ""),
    "questions that are not asked": ("request-info", {}, " "),
    "a withdrawal without a reason": ("withdraw", {}, "\n"),
    "a back-out without a reason": ("back-out", {}, ""),
    "an implementation that does not say whether the steps were followed": (
        *("implement", {"tests": [{"name": "t", "result": "passed"}]}, ""),
    ),
    "an implementation without a test": ("implement", {"steps_followed": True}, ""),
    "an implementation with no test in the list": ("implement", {"steps_followed": True, "tests": []}, ""),
    "steps that were not followed, and nothing said": (
        *("implement", {"steps_followed": False, "tests": [{"name": "t", "result": "passed"}]}, "x"),
    ),
    "steps that were followed and deviated from": (
        "implement",
        {"steps_followed": True, "deviations": "x", "tests": [{"name": "t", "result": "passed"}]},
        "",
    ),
    "a validation without evidence": ("validate", {"works": True, "no_security_risk": True}, "x"),
    "a validation of what does not work": (
        *("validate", {"works": False, "no_security_risk": True, "evidence": ["x"]}, ""),
    ),
    "a validation with a security risk": (
        *("validate", {"works": True, "no_security_risk": False, "evidence": ["x"]}, ""),
    ),
    "a failure of what works and is safe": ("fail", {"works": True, "no_security_risk": True}, "x"),
    "a failure for a security risk that is not named": ("fail", {"no_security_risk": False}, "x"),
    "a failure without what was found": ("fail", {"works": False}, " "),
}


@pytest.mark.parametrize(
    ("verdict", "answers", "comment"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys()
)
def test_answers_that_contradict_the_verdict_are_refused(
    verdict: VerdictName, answers: dict[str, Any], comment: str
) -> None:
    """Answers that are missing or contradict the verdict are refused when signing and when reading."""
    assert contradiction(verdict, Answers.model_validate(answers), comment)
    said = predicate(verdict, answers=answers, comment=comment)
    with pytest.raises(PartError):
        Predicate.model_validate(said)
    with pytest.raises(StatementError):
        read_statement(payload(statement(said)))


@pytest.mark.parametrize("verdict", MEANINGS)
def test_good_answers_contradict_nothing(verdict: VerdictName) -> None:
    """The answers that a verdict asks for go with it."""
    assert contradiction(verdict, Answers.model_validate(GOOD_ANSWERS[verdict]), "because") == ""


@pytest.mark.parametrize(
    ("path", "blob", "sha256"),
    [("", BLOB, SHA256), (PATH, "b" * 7, SHA256), (PATH, BLOB, ""), (PATH, SHA256[:41], SHA256)],
)
def test_what_would_not_be_read_back_is_never_signed(path: str, blob: str, sha256: str) -> None:
    """A statement about no proper subject cannot be written."""
    with pytest.raises(PartError):
        write_statement(path, blob, sha256, Predicate.model_validate(predicate()))


def test_a_statement_that_would_find_no_room_in_the_record_is_never_signed() -> None:
    """A payload longer than is read is refused before anybody signs it, with a mend."""
    said = Predicate.model_validate(predicate(comment="ö" * (MAX_PAYLOAD // 2)))
    with pytest.raises(UsageError, match="131,072 are allowed") as caught:
        write_statement(PATH, BLOB, SHA256, said)
    assert caught.value.hint
