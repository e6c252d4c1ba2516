"""Documents are read without pydantic, and exactly as pydantic would read them."""

from __future__ import annotations

import collections
import contextlib
import copy
import datetime as dt
import enum
import pickle
import types
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, ValidationError, create_model

from gitchange.model import change, policy, record, result, statement, twin
from gitchange.model import settings as site_settings
from gitchange.model.part import MISSING, Part, PartError, reader_of

MODULES = (change, policy, record, result, site_settings, statement)
KINDS = [
    value
    for module in MODULES
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, Part) and value.__module__ == module.__name__
]


class Word(str):
    """A text that is more than a text."""


class Colour(enum.StrEnum):
    """A text of another kind."""

    RED = "api"


class Number(int):
    """A number that is more than a number."""


class Moment(dt.datetime):
    """A time that is more than a time."""


WINTER = dt.datetime(2026, 11, 22, 20, 0)
OID = "1f" * 20
TEXTS = [
    "api", "main", "a", "", " ", "\n", " api", "api ", "api\n", "a b", "a\tb", "a\nb", "a\r\nb", "a\rb", "\x00",
    "a\x1b[2J", "a\x7f", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "ä" * 64, "\ud800", "a\udfff",
    "💥" * 300, "é" * 301,
    "x" * 64, "x" * 65, "x" * 254, "x" * 255, "x" * 300, "x" * 301, "x" * 2001, "x" * 200_000, "x" * 200_001,
    "https://example.org/" + "x" * 1980, "https://example.org/" + "x" * 1981, "http://", "ftp://example.org",
    "ada@example.org", "ada,bo", "ada*", "CHG-20261122-K7Q3", "CHG-20261322-K7Q3", "chg-20261122-k7q3",
    OID, OID + "\n", "1F" * 20, "1f" * 32, "1f" * 33, "SHA256:" + "a" * 43, "SHA256:" + "a" * 43 + "\n",
    "openpgp:" + OID,
    "2026-11-22T12:00:00Z", "2026-11-22T12:00:00.123456+01:00", "2026-02-30T12:00:00Z",
    "2026-11-22T12:00:00", "2026-11-22",
    "90m", "3d", "0d", "3 d", "99999w", "Europe/Paris", "UTC", "Mars", "../UTC", "FREQ=DAILY",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=YEARLY;BYMONTH=13", "[a-z]+", "(", "a)|(b", "(?=a)", "x*" * 101, "feature/x", "-x", "rare",
    "minor", "low", "normal",
    "hard", "soft", "text", "passed", "evaluation", "policy", "approve", "implement", "successful", "1",
    "true", "None",
    "evaluator-is-author", "https://in-toto.io/Statement/v1", "urn:x-gitchange:sign-off:v1",
    "urn:x-gitchange:result:v1", "uncovered", "emergency-pending", "coverage", "gate", "complete", "recorder",
    *statement.MEANINGS.values(), *result.MEANINGS.values(),
]  # fmt: skip
OTHERS: list[Any] = [
    None, True, False, 0, 1, 2, -1, 10**30, 1.0, 0.5, float("inf"), Number(1), enum.IntEnum("One", "A").A, 1j,
    b"", b"a", b"\xff", bytearray(b"a"), memoryview(b""), Word("api"), Word("\ud800"), Colour.RED,
    WINTER, WINTER.replace(tzinfo=dt.UTC), WINTER.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5, minutes=-30))),
    WINTER.replace(microsecond=120_000, tzinfo=dt.timezone(dt.timedelta(hours=1))), Moment(2026, 11, 22),
    Moment(2026, 11, 22, tzinfo=dt.UTC), WINTER.date(), dt.date(1, 1, 1), WINTER.time(), dt.timedelta(1),
    {}, {"a": "api"}, {"a b": "api"}, {1: "api"}, {None: 1}, {"a": None}, {"a": 1}, {"a": {}}, {Word("a"): 1},
    collections.OrderedDict(a="api"), types.MappingProxyType({"a": "api"}), collections.UserDict(), object(),
    [], ["api"], ["api", "api"], ["api", 1], [None], [[]], [{}], ("api",), (1,), {"api"}, frozenset({"api"}),
    collections.deque(["api"]), collections.UserList(["api"]), {"api": 1}.keys(),
    {"a": "api"}.values(), range(0), range(1),
    ["x"] * 101, change.Step(action="one"), change.Links(), (change.Step(action="one"),), policy.When(),
    {"a": policy.System},
]  # fmt: skip
VALUES = [*TEXTS, *OTHERS]

PREDICATE = {
    "change": "CHG-20261122-K7Q3", "step": "evaluation", "verdict": "approve", "by": "ada@example.org",
    "role": "change-manager", "meaning": statement.MEANINGS["approve"], "comment": "", "repository": OID,
    "policy": OID,
    "log": None, "time": "2026-11-22T12:00:00Z", "answers": {"necessary": True, "feasible": True, "safe": True},
}  # fmt: skip
SUBJECT = {"name": "a", "digest": {"gitBlob": OID, "sha256": "1f" * 32}}
COMMITS = {
    "counts": dict.fromkeys(result.STATES, 0) | {"uncovered": 2}, "elsewhere": 0, "sha256": "1f" * 32,
    "open": [{"commit": OID, "state": "uncovered", "changes": ["CHG-20261122-K7Q3"]}], "open_omitted": 1,
}  # fmt: skip
RESULT = {
    "kind": "gate", "by": "ci@example.org", "role": "recorder", "meaning": result.MEANINGS["gate"], "repository": OID,
    "main": OID, "log": None, "policy": OID, "time": "2026-11-22T12:00:00Z", "systems": ["api"], "base": None,
    "since": "v1", "outcome": "allowed", "commits": COMMITS,
    "gate": {"environment": None, "at": "2026-11-22T12:00:00Z", "refusals": [], "refusals_omitted": 0},
}  # fmt: skip
RESULT_SUBJECT = {"name": "a", "digest": {"gitCommit": OID}}
EXAMPLES: dict[type[Part], dict[str, Any]] = {
    change.Schedule: {
        "start": WINTER.replace(tzinfo=dt.UTC),
        "end": WINTER.replace(hour=21, microsecond=5, tzinfo=dt.UTC),
    },
    policy.Freeze: {
        "name": "one", "reason": "why", "kind": "soft", "start": WINTER, "end": WINTER.replace(hour=21),
        "override": {"role": "api"}, "recurrence": "FREQ=WEEKLY;BYDAY=SU",
    },
    policy.Exemption: {
        "name": "one", "reason": "why", "systems": ["api"], "paths": ["docs/**"], "authors": ["bo@example.org"],
        "subject": "[a-z]+", "expires": WINTER.replace(tzinfo=dt.UTC),
    },
    policy.Deadlines: dict.fromkeys(policy.Deadlines.model_fields, "3d"),
    policy.Parameter: {"pattern": "[a-z]+", "choices": ["api"], "required": False, "description": "what"},
    statement.Predicate: PREDICATE,
    statement.Subject: SUBJECT,
    statement.Statement: {
        "_type": statement.STATEMENT_TYPE, "predicateType": statement.PREDICATE_TYPE, "subject": [SUBJECT],
        "predicate": PREDICATE,
    },
    result.Commits: COMMITS,
    result.ResultPredicate: RESULT,
    result.ResultStatement: {
        "_type": statement.STATEMENT_TYPE, "predicateType": result.PREDICATE_TYPE, "subject": [RESULT_SUBJECT],
        "predicate": RESULT,
    },
}  # fmt: skip
"""Good documents whose parts must fit together; those of other kinds are made of any good values."""


class Twin:
    """pydantic's reading of a single value of a declared type."""

    def __init__(self, declared: Any) -> None:
        strict = ConfigDict(strict=True, populate_by_name=True)
        self.model: Any = create_model("Twin", __config__=strict, value=(twin.declared(declared), ...))

    def read(self, value: Any) -> Any:
        """What a document keeps of the value; ValidationError when it is refused."""
        return twin.document_of(self.model.model_validate({"value": twin.given(value)}).value)

    def takes(self, value: Any) -> bool:
        """Whether it is accepted."""
        try:
            self.read(value)
        except ValidationError:
            return False
        return True


def example(kind: type[Part], whole: bool) -> dict[str, Any]:
    """Data of a good document, with all keys or with those alone that must be given."""
    if kind in EXAMPLES:
        return copy.deepcopy(EXAMPLES[kind])
    data: dict[str, Any] = {}
    for name, info in kind.model_fields.items():
        if whole or info.get_default() is MISSING:
            data[info.alias or name] = _good(info.declared)
    return data


def _good(declared: Any) -> Any:
    kinds = [part for part in _parts(declared) if part in KINDS]
    candidates = [*(example(kind, whole=True) for kind in kinds), *VALUES]
    shapes = [shape for one in candidates for shape in (one, [one], {"a": one})]
    reading = Twin(declared)
    return next(shape for shape in shapes if shape not in (None, [], {}, ()) and reading.takes(shape))


def _parts(declared: Any) -> Iterator[Any]:
    yield declared
    for argument in get_args(declared):
        yield from _parts(argument)


def plain(value: Any) -> Any:
    """How a value is told from others that are equal to it."""
    return repr(value)


def agree(kind: type[Part], data: Any) -> bool:
    """Whether the data are a document: the same for both, and if so the same document."""
    try:
        expected = twin.of(kind).model_validate(twin.given(data))
    except ValidationError:
        with pytest.raises(PartError) as refused:
            kind.model_validate(data)
        assert not isinstance(refused.value, twin.UnexplainedError)
        return False
    document = kind.model_validate(data)
    assert plain(document) == plain(twin.document_of(expected))
    for options in ({}, {"mode": "json"}, {"by_alias": True, "exclude_none": True}):
        assert plain(document.model_dump(**options)) == plain(expected.model_dump(**options))
    return True


# -- both readers are one ---------------------------------------------------------------------------

FIELDS = [(kind, name) for kind in KINDS for name in kind.model_fields]


@pytest.mark.parametrize(("kind", "name"), FIELDS, ids=[f"{k.__name__}.{n}" for k, n in FIELDS])
def test_a_field_takes_what_pydantic_takes(kind: type[Part], name: str) -> None:
    """Whatever value is given for a key, both take it or neither, and both keep the same of it."""
    declared = kind.model_fields[name].declared
    read, reading = reader_of(declared), Twin(declared)
    for value in VALUES:
        for shape in (value, [value], {"a": value}):
            try:
                expected = reading.read(shape)
            except ValidationError:
                with pytest.raises(ValueError):  # noqa: PT011 - each check has words of its own
                    read(shape)
            else:
                assert plain(read(shape)) == plain(expected), shape


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_document_is_taken_as_pydantic_takes_it(kind: type[Part]) -> None:
    """Good documents are good to both; each without one of its keys, or with one too many, is or is not for both."""
    for whole in (False, True):
        data = example(kind, whole)
        assert agree(kind, data)
        for key in data:
            agree(kind, {name: value for name, value in data.items() if name != key})
            agree(kind, {**data, key: None})
        assert not agree(kind, {**data, "no-such-key": 1})
        assert not agree(kind, {**data, 1: 1})
    for value in OTHERS:
        agree(kind, value)
    for name, info in kind.model_fields.items():
        if info.alias is not None:
            assert not agree(kind, {**example(kind, whole=False), name: 1})


@st.composite
def spoiled(draw: st.DrawFn, data: Any) -> Any:
    """The data with something in them exchanged, removed, repeated or added; or as they are."""
    if isinstance(data, dict) and data and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(list(data)))
        match draw(st.integers(0, 8)):
            case 0:
                return {name: value for name, value in data.items() if name != key}
            case 1:
                return {**data, draw(st.sampled_from([*data, "name", "a b", Word("name"), 1])): data[key]}
        return {**data, key: draw(spoiled(data[key]))}
    if isinstance(data, list) and data and draw(st.integers(0, 5)):
        index = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 5)):
            case 0:
                return data[:index] + data[index + 1 :]
            case 1:
                return [*data, data[index]]
            case 2:
                return tuple(data)
        return [*data[:index], draw(spoiled(data[index])), *data[index + 1 :]]
    value: Any = st.sampled_from(VALUES) | st.text(max_size=20) | st.just(data)
    return draw(
        value
        | st.lists(value, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b c"]), value, max_size=2)
    )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=60)
@given(choice=st.data())
def test_a_spoiled_document_is_refused_by_both_or_by_neither(kind: type[Part], choice: st.DataObject) -> None:
    """However a good document is spoiled, at whatever depth, both judge it alike."""
    data = example(kind, choice.draw(st.booleans()))
    for _ in range(choice.draw(st.integers(1, 3))):
        data = choice.draw(spoiled(data))
    agree(kind, data)


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.sampled_from([None, True, False, "x", ["x"], [{"name": "x", "result": "passed"}], []])
        for name in statement.Answers.model_fields
    },
)


@settings(deadline=None)
@given(
    verdict=st.sampled_from(list(statement.MEANINGS)),
    step=st.sampled_from(list(statement.VERDICTS)),
    answers=ANSWERS,
    comment=st.sampled_from(["", " ", "because"]),
)
def test_what_fits_together_is_the_same_for_both(verdict: Any, step: Any, answers: Any, comment: str) -> None:
    """Answers that contradict a verdict, or belong to another step, are refused by both."""
    said = {
        **PREDICATE, "verdict": verdict, "step": step, "answers": answers, "comment": comment,
        "meaning": statement.MEANINGS[verdict],
    }  # fmt: skip
    agree(statement.Predicate, said)
    with contextlib.suppress(PartError):
        agree(statement.Predicate, {**said, "answers": statement.Answers.model_validate(answers)})


TEXTS_READ = [
    (reader_of(declared), Twin(declared))
    for declared in {
        str(info.declared): info.declared
        for kind in KINDS
        for info in kind.model_fields.values()
        if get_origin(info.declared) is Annotated and info.annotation is str
    }.values()
]
"""Every kind of text that a document may have."""


@settings(deadline=None, max_examples=400)
@given(
    st.text()
    | st.text("0123456789abcdef\n")
    | st.from_regex(r"[a-z0-9.@:/_-]{1,70}")
    | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
)
def test_texts_are_good_to_both_or_to_neither(value: str) -> None:
    """Whatever a text holds, each kind of text takes it as pydantic's twin of that kind does."""
    for read, reading in TEXTS_READ:
        if reading.takes(value):
            assert read(value) == value
        else:
            with pytest.raises(ValueError):  # noqa: PT011 - each check has words of its own
                read(value)


# -- what a document is -----------------------------------------------------------------------------


def test_documents_do_not_change() -> None:
    """Nothing can be set or removed."""
    step = change.Step(action="one")
    with pytest.raises(AttributeError, match="do not change"):
        step.action = "two"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="do not change"):
        del step.action
    assert step == change.Step(action="one")
    assert step.model_copy(update={"action": "two"}) == change.Step(action="two")


def test_equal_documents_are_one_in_a_set() -> None:
    """Equality is that of kind and values; so is the hash."""
    assert len({change.Step(action="one"), change.Step(action="one"), change.Step(action="two")}) == 2
    assert change.Outage(description="one") != change.Step(action="one")
    assert policy.When() != policy.Deadlines()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_document_is_copied_and_pickled_whole(kind: type[Part]) -> None:
    """A copy is equal to its original."""
    document = kind.model_validate(example(kind, whole=True))
    assert copy.deepcopy(document) == copy.copy(document) == document
    assert pickle.loads(pickle.dumps(document)) == document  # noqa: S301 - our own
    assert kind.model_validate(document) is document
    assert repr(document).startswith(f"{kind.__name__}(")


def test_no_document_inherits_from_another() -> None:
    """A class of documents has the keys that stand in it, and checks that stand in it."""
    assert set(KINDS) >= {kind for kind in Part.__subclasses__() if kind.__module__.startswith("gitchange.")}
    assert all(kind.__bases__ == (Part,) and not kind.__subclasses__() for kind in KINDS)


def test_a_refusal_that_pydantic_does_not_share_is_one_nevertheless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Should the two ever differ, no document comes of it, and it is said that this is a bug."""
    monkeypatch.setattr(change.Step, "_fill", lambda *_: int("x"))
    with pytest.raises(twin.UnexplainedError, match="report this as a bug"):
        change.Step.model_validate({"action": "one"})
