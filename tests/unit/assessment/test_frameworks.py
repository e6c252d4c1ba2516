"""Frameworks: every clause names only what exists, and every attribute serves some clause."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from gitchange.assessment.attributes import ATTRIBUTES
from gitchange.assessment.frameworks import FRAMEWORKS, Clause, Framework
from gitchange.model.change import Change
from gitchange.model.part import Part
from gitchange.model.policy import PolicyFile, StandardModel, System
from gitchange.model.statement import _ASKED, VERDICTS, StepName

CLAUSES = [
    pytest.param(clause, id=f"{framework.name} {clause.number}")
    for framework in FRAMEWORKS.values()
    for clause in framework.clauses
]
DOCS = Path(__file__).parents[3] / "docs"


def part_in(kind: object) -> type[Part] | None:
    """The class of document that a field's type holds, however it is wrapped: listed, optional, annotated."""
    if isinstance(kind, type) and issubclass(kind, Part):
        return kind
    return next((found for inner in get_args(kind) if (found := part_in(inner)) is not None), None)


def leads_somewhere(dotted: str, document: type[Part]) -> bool:
    """Whether a dotted name is that of a field."""
    first, _, rest = dotted.partition(".")
    if first not in document.model_fields:
        return False
    inner = part_in(document.model_fields[first].annotation)
    return not rest or (inner is not None and leads_somewhere(rest, inner))


def test_names_are_held_against_the_documents() -> None:
    """What is held below is held: a name that does not exist is found out."""
    assert leads_somewhere("risks.mitigations", Change)
    assert leads_somewhere("record.sign_offs.envelope", Change)
    assert not leads_somewhere("risks.mitigation", Change)
    assert not leads_somewhere("reason.text", Change)


@pytest.mark.parametrize("clause", CLAUSES)
def test_fields_exist(clause: Clause) -> None:
    """Fields of the change file are those of the model."""
    assert [field for field in clause.fields if not leads_somewhere(field, Change)] == []


@pytest.mark.parametrize("clause", CLAUSES)
def test_sign_offs_exist(clause: Clause) -> None:
    """Verdicts can be signed, and their answers are asked in that step."""
    steps: dict[str, StepName] = {
        verdict: step for step, verdicts in VERDICTS.items() for verdict in verdicts
    }
    for verdict, *answers in clause.signed:
        assert set(answers) <= _ASKED[steps[verdict]]


@pytest.mark.parametrize("clause", CLAUSES)
def test_parts_of_the_policy_exist(clause: Clause) -> None:
    """Parts of the policy are keys of policy.toml, or of systems and models."""
    rooms: dict[str, type[Part]] = {"systems": System, "models": StandardModel}
    for name in clause.policy:
        room, _, rest = name.partition(".")
        assert (
            (not rest or leads_somewhere(rest, rooms[room]))
            if room in rooms
            else leads_somewhere(name, PolicyFile)
        )


@pytest.mark.parametrize("clause", CLAUSES)
def test_attributes_exist(clause: Clause) -> None:
    """Each clause counts something, or says why it does not."""
    assert set(clause.attributes) <= ATTRIBUTES.keys()
    assert clause.attributes or clause.beyond
    assert clause.fields or clause.signed or clause.policy
    assert clause.asks.endswith(".")
    assert not clause.beyond or clause.beyond.endswith(".")


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=list(FRAMEWORKS))
def test_clauses_are_told_apart(framework: Framework) -> None:
    """No two clauses of a framework have one number."""
    numbers = [clause.number for clause in framework.clauses]
    assert len(set(numbers)) == len(numbers)


def test_every_attribute_is_counted_somewhere() -> None:
    """None is asked in vain."""
    used = {name for f in FRAMEWORKS.values() for clause in f.clauses for name in clause.attributes}
    assert used == ATTRIBUTES.keys()


def test_the_numbers_that_are_asked_for_are_there() -> None:
    """Those of the editions in force, and the older ones beside them."""
    clauses = [clause for framework in FRAMEWORKS.values() for clause in framework.clauses]
    numbers = {clause.number.partition(",")[0] for clause in clauses}
    assert numbers >= {"CC8.1", "A.8.32", "6.5.1", "6.5.2", "CM-4", "CM-5"}
    assert {f"CM-3 {letter}" for letter in "abcdefg"} | {"CM-3 (2)"} <= numbers
    older = {number for clause in clauses for number in clause.older}
    assert {f"{n} (2013)" for n in ("A.12.1.2", "A.14.2.2", "A.14.2.3", "A.14.2.4")} <= older
    assert {"6.4.5 (v3.2.1)", "6.4.6 (v3.2.1)"} <= older


def test_every_attribute_is_documented() -> None:
    """docs/reports.md has a row for each, with its own words, in their order."""
    lines = (DOCS / "reports.md").read_text("utf-8").splitlines()
    table = lines[lines.index("| attribute | a change … | asked of |") :]
    rows = [line for line in table if line.startswith("| `")]
    assert rows == [f"| `{a.name}` | {a.asks} | {a.of} |" for a in ATTRIBUTES.values()]
