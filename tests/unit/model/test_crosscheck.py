"""A change file against the policy: references that lead nowhere, each with a mend."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitchange.model.change import parse_change, write_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.finding import Finding
from tests.unit.lifecycle.builders import ID, ROB, a_policy, risk

PATH = f"changes/2026/11/{ID}.toml"
OTHER = "CHG-20261101-0000"
CUSTOM = {
    "ticket": {"type": "text"},
    "cost_centre": {"type": "text", "choices": ["red", "blue"]},
    "people": {"type": "integer"},
    "hours": {"type": "number"},
    "audited": {"type": "boolean"},
    "since": {"type": "datetime"},
    "day": {"type": "date"},
}


def check(fields: dict[str, Any] | None = None, **changes: Any) -> list[Finding]:
    """The findings on a change with these keys, under a policy with these custom fields."""
    data = {
        "schema": 1,
        "id": ID,
        "title": "t",
        "type": "normal",
        "requester": ROB,
        "systems": ["api"],
        "reason": "r",
        "scope": "s",
        "rollback": "r",
        "test_plan": "t",
        "steps": [{"action": "a"}],
        "risks": [risk()],
        **changes,
    }
    parsed = parse_change(write_change(data), PATH)
    return list(crosscheck(parsed, a_policy(custom=CUSTOM if fields is None else fields), [OTHER, ID]))


def test_a_change_whose_references_lead_somewhere_has_no_findings() -> None:
    """Known systems, persons, models, environments, changes and custom fields are fine."""
    assert not check(
        environments=["production"],
        depends_on=[OTHER],
        amends=OTHER,
        custom={
            "ticket": "T-1",
            "cost_centre": "red",
            "people": 3,
            "hours": 2,
            "audited": False,
            "since": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            "day": dt.date(2026, 1, 1),
        },
    )
    assert not check(type="standard", model="patch", custom={"hours": 1.5})


UNKNOWN: dict[str, tuple[dict[str, Any], str, str, str, str]] = {
    "a system": (
        {"systems": ["api", "databse"]},
        *("unknown-system", "systems[1]", "'databse'", "did you mean 'database'?"),
    ),
    "a system like none": (
        {"systems": ["zzz"]},
        *("unknown-system", "systems[0]", "'zzz'", "policy/systems.toml (known: api, database, website)"),
    ),
    "a requester": (
        {"requester": "robb@example.org"},
        *("unknown-principal", "requester", "'robb@example.org'", "did you mean 'rob@example.org'?"),
    ),
    "a requester in capitals": (
        {"requester": "Rob@example.org"},
        *("unknown-principal", "requester", "'Rob@example.org'", "did you mean 'rob@example.org'?"),
    ),
    "a model": (
        {"type": "standard", "model": "ptach"},
        *("unknown-model", "model", "'ptach'", "did you mean 'patch'?"),
    ),
    "an environment": (
        {"environments": ["prodution"]},
        *("unknown-environment", "environments[0]", "'prodution'", "did you mean 'production'?"),
    ),
    "an environment of another system": (
        {"systems": ["website"], "environments": ["production"]},
        *("unknown-environment", "environments[0]", "none of the change's systems", "add it to the system"),
    ),
    "a change to wait for": (
        {"depends_on": [OTHER, "CHG-20261101-0001"]},
        *("unknown-change", "depends_on[1]", "no change CHG-20261101-0001", "correct the id"),
    ),
    "a change to amend": (
        {"amends": "CHG-20261101-0001"},
        *("unknown-change", "amends", "no change CHG-20261101-0001", "correct the id"),
    ),
    "a custom field": (
        {"custom": {"tikcet": "T-1"}},
        *("unknown-key", "custom.tikcet", "declares no custom field 'tikcet'", "did you mean 'ticket'?"),
    ),
    "a choice": (
        {"custom": {"cost_centre": "green"}},
        *("wrong-value", "custom.cost_centre", "is 'green'; it must be one of red, blue", ""),
    ),
    "a blank custom text": ({"custom": {"ticket": " "}}, "wrong-value", "custom.ticket", "is empty", ""),
}


@pytest.mark.parametrize(("changes", "code", "key", "message", "hint"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_reference_that_leads_nowhere_is_named_with_a_suggestion(
    changes: dict[str, Any], code: str, key: str, message: str, hint: str
) -> None:
    """What the policy does not know is named at its place, with what may have been meant."""
    (finding,) = check(**changes)
    assert (finding.code, finding.key, finding.path) == (f"change.{code}", key, PATH)
    assert message in finding.message
    assert hint in finding.hint
    assert finding.line > 1


WRONG_TYPES = [
    ("ticket", 5),
    ("people", "3"),
    ("people", 1.5),
    ("people", True),
    ("hours", True),
    ("hours", "2"),
    ("audited", 1),
    ("audited", "yes"),
    ("since", dt.date(2026, 1, 1)),
    ("since", "2026-01-01"),
    ("day", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
]


@pytest.mark.parametrize(("name", "value"), WRONG_TYPES)
def test_a_custom_field_holds_what_the_policy_declares(name: str, value: object) -> None:
    """A custom field of another type than declared is an error; nothing is converted."""
    (finding,) = check(custom={name: value})
    assert finding.code == "change.wrong-value"
    assert f"must be of type {CUSTOM[name]['type']}" in finding.message


def test_a_required_custom_field_must_be_there() -> None:
    """A custom field that the policy requires is missing when [custom] lacks it."""
    findings = check({"ticket": {"type": "text", "required": True}})
    assert [(f.code, f.key) for f in findings] == [("change.missing-key", "custom.ticket")]
    assert "(text)" in findings[0].hint


def test_references_are_checked_beside_other_problems() -> None:
    """What can be checked is checked even where the rest of the file is broken, and all at once."""
    raw = b'requester = "zed@example.org"\ntitle = \nsystems = ["nope", 5]\nmodel = 7\ndepends_on = "x"\n'
    findings = crosscheck(parse_change(raw, PATH), a_policy(), [])
    assert [(f.code, f.line) for f in findings] == [
        ("change.unknown-principal", 1),
        ("change.unknown-system", 3),
    ]
