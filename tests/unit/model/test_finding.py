"""Findings: their order, their place and their JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.model.finding import Finding, Severity, has_errors, in_order

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["a.x", "b.y", "c.z"]),
    message=st.sampled_from(["m", "n"]),
    severity=st.sampled_from(SEVERITIES),
    path=st.sampled_from(["", "a.toml", "b.toml"]),
    line=st.integers(0, 3),
    column=st.integers(0, 2),
)


@given(st.lists(FINDINGS, max_size=12))
def test_findings_have_one_order(findings: list[Finding]) -> None:
    """However findings come in, they stand by file, line, column and severity, each once."""
    ordered = in_order(findings)
    places = [(f.path, f.line, f.column, SEVERITIES.index(f.severity), f.code) for f in ordered]
    assert places == sorted(places)
    assert set(ordered) == set(findings)
    assert len(set(ordered)) == len(ordered)
    assert in_order(ordered) == ordered


def test_the_severe_ones_stand_first_at_one_place() -> None:
    """At one place an error comes before a warning, and a warning before a note."""
    at_once = [Finding("a", "m", severity=s) for s in ("note", "error", "warning")]
    assert [f.severity for f in in_order(at_once)] == ["error", "warning", "note"]


@pytest.mark.parametrize(
    ("finding", "where"),
    [
        (Finding("a", "m"), ""),
        (Finding("a", "m", path="p"), "p"),
        (Finding("a", "m", path="p", line=3), "p:3:1"),
        (Finding("a", "m", path="p", line=3, column=7), "p:3:7"),
    ],
)
def test_a_place_is_written_as_editors_understand_it(finding: Finding, where: str) -> None:
    """A finding's place is `path:line:column`, without what is unknown."""
    assert finding.where == where


def test_json_leaves_out_what_has_nothing_to_say() -> None:
    """The JSON of a finding has code, severity and message, and the others where they say something."""
    assert Finding("a.b", "m").as_json() == {"code": "a.b", "severity": "error", "message": "m"}
    full = Finding("a.b", "m", "h", "warning", "p", 1, 2, "k[0]", "CHG-20261122-K7Q3").as_json()
    assert json.loads(json.dumps(full)) == {
        "code": "a.b",
        "severity": "warning",
        "message": "m",
        "hint": "h",
        "path": "p",
        "line": 1,
        "column": 2,
        "key": "k[0]",
        "change": "CHG-20261122-K7Q3",
    }


def test_a_finding_keeps_the_change_it_was_about() -> None:
    """A finding that names its change is not given another."""
    assert Finding("a", "m").about("X").change == "X"
    assert Finding("a", "m", change="Y").about("X").change == "Y"


@pytest.mark.parametrize(("severities", "fails"), [("", False), ("nw", False), ("wen", True)])
def test_only_errors_make_a_check_fail(severities: str, fails: bool) -> None:
    """Warnings and notes make no check fail; one error among them does."""
    words: dict[str, Severity] = {"e": "error", "w": "warning", "n": "note"}
    assert has_errors([Finding("a", "m", severity=words[s]) for s in severities]) is fails
