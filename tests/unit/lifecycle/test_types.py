"""Emergencies and standard changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitchange.model.policy import Policy
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    DOUBT,
    EMERGENCY,
    MO,
    MODELS,
    NOW,
    ROLES,
    STANDARD,
    Story,
    a_policy,
    risk,
)

HOUR = dt.timedelta(hours=1)


def emergency(**deadlines: str) -> Story:
    """An emergency that bo implemented, under a policy with these deadlines."""
    story = Story(a_policy(deadlines=deadlines), **EMERGENCY)
    story.sign(BO, "implement", time=NOW)
    return story


def test_an_emergency_may_be_implemented_or_approved_first() -> None:
    """A new emergency waits for its evaluators and for its developers at once."""
    verdict = Story(**EMERGENCY).verdict()
    assert verdict.status == "requested"
    assert [n.action for n in verdict.next] == ["evaluate", "implement"]
    assert [s.state for s in verdict.steps] == ["done", "waiting", "waiting", "later", "later"]


def test_an_emergency_is_approved_and_validated_afterwards() -> None:
    """An emergency that was implemented waits for evaluators and validators, and is complete with both."""
    story = emergency()
    assert {n.action for n in story.verdict().next} == {"evaluate", "validate"}
    story.sign(DEE, "validate")
    verdict = story.verdict()
    assert (verdict.status, verdict.complete) == ("validated", False)
    assert [n.action for n in verdict.next] == ["evaluate"]
    story.sign(MO, "approve")
    verdict = story.verdict()
    assert (verdict.status, verdict.complete, verdict.flags) == ("validated", True, ())


def test_an_emergency_is_not_approved_by_its_requester() -> None:
    """Separation of duties holds for emergencies too."""
    story = Story(requester=ADA, **EMERGENCY)
    story.sign(BO, "implement")
    story.sign(ADA, "approve")
    assert not story.verdict().complete
    assert "duties.evaluator-is-requester" in story.codes()


def test_an_emergency_that_is_approved_first_goes_as_a_normal_change() -> None:
    """An emergency that could be approved before has no debt."""
    story = Story(**EMERGENCY).validated()
    assert (story.status, story.verdict().flags) == ("validated", ())


@pytest.mark.parametrize(
    ("after", "flag"), [(0, "approval pending"), (24, "approval pending"), (25, "emergency debt")]
)
def test_an_emergency_that_is_not_approved_in_time_is_a_debt(after: int, flag: str) -> None:
    """Within the policy's deadline the approval is pending; beyond it there is emergency debt."""
    story = emergency(emergency_approval="24h")
    assert flag in story.verdict(NOW + after * HOUR).flags
    story.sign(MO, "approve")
    assert not {"approval pending", "emergency debt"} & set(story.verdict(NOW + after * HOUR).flags)


def test_without_a_deadline_an_emergency_is_a_debt_at_once() -> None:
    """Where the policy grants no time, there is none."""
    assert "emergency debt" in emergency().verdict().flags


@pytest.mark.parametrize("verdict", ["reject", "request-info"])
def test_an_emergency_that_was_refused_afterwards_stays_a_debt(verdict: Any) -> None:
    """A refusal after the fact settles nothing: what was done without approval is still there."""
    story = emergency()
    story.sign(MO, verdict)
    assert story.status == ("rejected" if verdict == "reject" else "info-requested")
    assert "emergency debt" in story.verdict().flags


def test_an_emergency_that_was_not_implemented_is_no_debt() -> None:
    """An emergency that nobody implemented owes nothing."""
    assert Story(**EMERGENCY).verdict().flags == ()


def test_an_emergency_is_validated_within_its_own_deadline() -> None:
    """The deadline for validating emergencies holds for them, the general one otherwise."""
    for deadlines, hours in (
        ({"validation": "2w", "emergency_validation": "4h"}, 4),
        ({"validation": "6h"}, 6),
    ):
        story = emergency(**deadlines)
        assert "overdue" not in story.verdict(NOW + hours * HOUR).flags
        assert "overdue" in story.verdict(NOW + (hours + 1) * HOUR).flags


def test_a_doubt_leaves_an_emergency_unapproved() -> None:
    """Where something cannot be authenticated, an emergency that was approved is pending again."""
    story = emergency()
    story.sign(MO, "approve")
    story.sign(DEE, "validate")
    story.facts["doubts"] = (DOUBT,)
    assert not story.verdict().complete
    assert "emergency debt" in story.verdict().flags


# -- standard changes ------------------------------------------------------------------------


def model(**changes: Any) -> Policy:
    """A policy whose model `patch` has these keys."""
    return a_policy(models={"patch": {**MODELS["patch"], **changes}})


def test_a_standard_change_in_its_bounds_needs_no_evaluation() -> None:
    """A change that keeps within its model goes straight to its implementation."""
    story = Story(**STANDARD)
    verdict = story.verdict()
    assert verdict.status == "approved"
    assert verdict.step("evaluation").state == "not-needed"
    assert "'patch'" in verdict.step("evaluation").note
    assert [n.action for n in verdict.next] == ["implement"]
    story.sign(BO, "implement")
    story.sign(DEE, "validate")
    assert story.verdict(documented=True).status == "documented"


OUTSIDE: dict[str, tuple[Policy, dict[str, Any], str]] = {
    "a risk above the model's": (model(), {"risks": [risk("possible", "minor")]}, "its risk is medium"),
    "one risk of several above the model's": (
        *(model(), {"risks": [risk(), risk("almost-certain", "severe")]}, "its risk is critical"),
    ),
    "another system": (model(systems=["database"]), {}, "the model is not for website"),
    "a further system": (model(), {"systems": ["website", "api"]}, "the model is not for api"),
    "a model for no system": (model(systems=[]), {}, "the model is not for website"),
    "a model that expired": (model(expires=NOW), {}, "the model expired on 2026-11-22"),
    "a model that does not exist": (a_policy(models={}), {}, "there is no standard change model"),
}


@pytest.mark.parametrize(("policy", "change", "reason"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_a_standard_change_out_of_bounds_is_evaluated(
    policy: Policy, change: dict[str, Any], reason: str
) -> None:
    """A change that leaves its model's bounds needs an evaluation of its own, and says why."""
    story = Story(policy, **{**STANDARD, **change})
    verdict = story.verdict()
    assert verdict.status == "requested"
    assert verdict.flags == ("outside model",)
    assert reason in verdict.findings[0].message
    story.sign(BO, "implement")
    assert story.status == "requested"
    story.validated()
    assert story.status == "validated"


@pytest.mark.parametrize(
    ("policy", "change"),
    [
        (model(max_risk="medium"), {"risks": [risk("possible", "moderate")]}),
        (model(expires=NOW + HOUR), {}),
        (a_policy(models={"patch": {"title": "x"}}), {"systems": ["api", "database"]}),
    ],
    ids=["a risk up to the model's", "a model that has not expired", "a model for all systems"],
)
def test_bounds_are_the_models(policy: Policy, change: dict[str, Any]) -> None:
    """What the model allows is in bounds."""
    assert Story(policy, **{**STANDARD, **change}).status == "approved"


def test_an_evaluator_may_stop_a_standard_change() -> None:
    """A pre-approved change is refused like any other when an evaluator says so."""
    story = Story(**STANDARD)
    story.sign(ADA, "reject")
    assert story.status == "rejected"
    story.sign(ADA, "approve")
    assert story.status == "approved"


def test_a_doubt_withholds_the_pre_approval_too() -> None:
    """A line that may be what is left of a refusal withholds a pre-approval like any approval."""
    story = Story(**STANDARD)
    story.facts["doubts"] = (DOUBT,)
    verdict = story.verdict()
    assert verdict.status == "requested"
    assert "withheld" in verdict.step("evaluation").note


def test_separation_of_duties_holds_for_standard_changes() -> None:
    """Who implemented a standard change does not validate it."""
    story = Story(**STANDARD)
    story.sign(CY, "implement")
    story.sign(CY, "validate")
    assert story.status == "implemented"


def test_an_emergency_is_not_approved_by_its_implementer() -> None:
    """An emergency is approved by a second person: not by whoever did it."""
    roles = {**ROLES, "developer": {"members": [BO, MO]}}
    story = Story(a_policy(roles=roles), **EMERGENCY)
    story.sign(MO, "implement")
    story.sign(MO, "approve")
    assert "emergency debt" in story.verdict().flags
    assert "duties.evaluator-is-implementer" in story.codes()
    assert MO not in {who for n in story.verdict().next if n.action == "evaluate" for who in n.who}
    story.sign(ADA, "approve")
    assert "emergency debt" not in story.verdict().flags


def test_a_change_rejected_after_its_implementation_says_that_it_was_implemented() -> None:
    """A late rejection does not hide that the systems were changed."""
    story = Story().approved()
    story.sign(BO, "implement")
    story.sign(MO, "reject")
    assert (story.status, story.verdict().flags) == ("rejected", ("implemented",))
