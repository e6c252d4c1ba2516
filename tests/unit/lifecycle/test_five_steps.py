"""The five steps of a normal change: status, states and what comes next after each."""

from __future__ import annotations

import json

import pytest

from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    DOUBT,
    FAY,
    ID,
    MO,
    NOW,
    SYSTEMS,
    Story,
    a_policy,
    rule,
)


def states(story: Story) -> str:
    """The states of the five steps."""
    return " ".join(step.state for step in story.verdict().steps)


def upcoming(story: Story) -> list[tuple[str, str, set[str], str]]:
    """What comes next: action, role, persons, command."""
    return [(n.action, n.role, set(n.who), n.command) for n in story.verdict().next]


def test_a_request_waits_for_its_evaluation() -> None:
    """A new change is requested, and its change managers are asked to evaluate it."""
    story = Story()
    assert story.status == "requested"
    assert states(story) == "done waiting later later later"
    assert upcoming(story) == [("evaluate", "change-manager", {ADA, MO}, f"gitchange approve {ID}")]
    assert not story.verdict().findings


def test_an_approved_change_waits_for_its_implementation() -> None:
    """After its approval the developers are asked to implement."""
    story = Story().approved()
    assert story.status == "approved"
    assert states(story) == "done done waiting later later"
    assert upcoming(story) == [("implement", "developer", {BO, CY}, f"gitchange implement {ID}")]


def test_an_implemented_change_waits_for_its_validation() -> None:
    """After its implementation the users who did not implement it are asked to validate."""
    story = Story().approved()
    story.sign(CY, "implement")
    assert story.status == "implemented"
    assert states(story) == "done done done waiting later"
    assert upcoming(story) == [("validate", "system-user", {DEE, FAY}, f"gitchange validate {ID}")]


def test_a_validated_change_waits_for_its_documentation() -> None:
    """After its validation any member may document the change."""
    story = Story().validated()
    verdict = story.verdict()
    assert (verdict.status, verdict.complete, verdict.backed_out) == ("validated", True, False)
    assert states(story) == "done done done done waiting"
    assert upcoming(story) == [("document", "", set(story.policy.people), f"gitchange document {ID}")]
    assert [s.by for s in verdict.counting] == [ADA, BO, DEE]
    assert verdict.flags == ()


def test_a_documented_change_waits_for_nobody() -> None:
    """With its record a complete change is documented, and nothing comes next."""
    verdict = Story().validated().verdict(documented=True)
    assert verdict.status == "documented"
    assert [step.state for step in verdict.steps] == ["done"] * 5
    assert verdict.next == ()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_record_does_not_complete_a_change(number: int) -> None:
    """A record on a change whose steps are not complete is an error, and the status is what was signed."""
    story = Story().validated()
    story.signed = story.signed[:number]
    verdict = story.verdict(documented=True)
    assert verdict.status == ("requested", "approved", "implemented")[number]
    assert not verdict.complete
    assert ("record.incomplete", "error") in [(f.code, f.severity) for f in verdict.findings]


def test_a_change_that_is_not_merged_says_so() -> None:
    """A change that is not on the branch of record yet may be evaluated, and has a flag."""
    story = Story().approved()
    story.facts["merged"] = False
    assert story.status == "approved"
    assert story.verdict().flags == ("not merged",)


def test_the_steps_are_plain_json() -> None:
    """Steps and what comes next have a JSON shape with requirements, persons and rules."""
    verdict = Story().approved().verdict()
    shape = json.loads(json.dumps([step.as_json() for step in verdict.steps]))
    assert shape[1] == {
        "step": "evaluation",
        "state": "done",
        "note": "",
        "requirements": [
            {"role": "change-manager", "needed": 1, "by": [ADA], "rules": ["every change"], "met": True}
        ],
        "sign_offs": [verdict.counting[0].digest],
    }
    assert verdict.next[0].as_json() == {
        "action": "implement",
        "role": "developer",
        "who": [BO, CY],
        "command": f"gitchange implement {ID}",
    }


@pytest.mark.parametrize("step", ["evaluation", "implementation", "validation"])
def test_a_step_that_no_rule_speaks_of_can_never_be_done(step: str) -> None:
    """Where no rule says who may sign a step, nobody may, and an error says so."""
    rules = [{key: value for key, value in rule().items() if key != step}]
    story = Story(a_policy(rules=rules)).validated()
    verdict = story.verdict()
    assert not verdict.complete
    assert verdict.step(step).state != "done"  # type: ignore[arg-type]
    assert ("policy.no-rule", "error") in [(f.code, f.severity) for f in verdict.findings]


def test_rules_that_match_no_change_leave_every_step_undone() -> None:
    """A policy whose rules do not match the change approves nothing."""
    story = Story(a_policy(rules=[rule(when={"types": ["standard"]})])).validated()
    assert story.status == "requested"
    assert story.codes().count("policy.no-rule") == 3


def test_what_cannot_be_authenticated_withholds_approval() -> None:
    """A line that may be what is left of a refusal withholds evaluation and validation, with a flag."""
    story = Story().validated()
    story.facts["doubts"] = (DOUBT,)
    verdict = story.verdict()
    assert (verdict.status, verdict.complete) == ("requested", False)
    assert verdict.step("evaluation").state == "waiting"
    assert "withheld" in verdict.step("evaluation").note
    assert verdict.step("validation").state != "done"
    assert "in doubt" in verdict.flags
    assert "envelope.malformed" in [f.code for f in verdict.findings]
    assert story.verdict(documented=True).status != "documented"


def test_a_doubt_does_not_take_a_refusal_away() -> None:
    """Beside a line that cannot be authenticated, a rejection still rejects."""
    story = Story()
    story.sign(ADA, "reject")
    story.facts["doubts"] = (DOUBT,)
    assert story.status == "rejected"


def test_an_intact_statement_that_is_worthless_here_withholds_nothing() -> None:
    """A statement by an unknown key is a finding, and changes nothing else."""
    story = Story().validated()
    story.facts["ignored"] = (DOUBT,)
    verdict = story.verdict()
    assert verdict.complete
    assert verdict.flags == ()
    assert [f.code for f in verdict.findings] == ["envelope.malformed"]
    assert verdict.findings[0].change == ID


def test_the_moment_decides_nothing_without_a_deadline() -> None:
    """A policy without deadlines and a change without a schedule give the same verdict at any time."""
    story = Story().validated()
    assert story.verdict(NOW) == story.verdict(NOW.replace(year=2099))


def test_unknown_systems_are_taken_to_hold_customer_data() -> None:
    """A change to a system that the policy does not know falls under the rules for customer data."""
    rules = [rule(), {"name": "data", "when": {"customer_data": True}, "evaluation": {"role": "security"}}]
    systems = {"website": SYSTEMS["website"]}
    assert len(Story(a_policy(rules=rules, systems=systems, models={}), systems=["website", "lost"])
               .verdict().step("evaluation").requirements) == 2  # fmt: skip
    assert len(Story(a_policy(rules=rules, systems=systems, models={}), systems=["website"])
               .verdict().step("evaluation").requirements) == 1  # fmt: skip
