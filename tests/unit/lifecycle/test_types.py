"""Emergencies and standard changes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitchange.model.evidence import Failure
from gitchange.model.policy import Policy
from gitchange.values import replace
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


PACKAGE: dict[str, Any] = {"package": {"pattern": "[a-z0-9.+-]+", "description": "Debian's name of it"}}

OUTSIDE: dict[str, tuple[Policy, dict[str, Any], str]] = {
    "a risk above the model's": (model(), {"risks": [risk("possible", "minor")]}, "its risk is medium"),
    "one risk of several above the model's": (
        *(model(), {"risks": [risk(), risk("almost-certain", "severe")]}, "its risk is critical"),
    ),
    "another system": (model(systems=["database"]), {}, "the model is not for website"),
    "a further system": (model(), {"systems": ["website", "api"]}, "the model is not for api"),
    "a model for no system": (model(systems=[]), {}, "the model is not for website"),
    "a model that expired": (model(expires=NOW), {}, "the model expired on 2026-11-22"),
    "a parameter that is not given": (model(parameters=PACKAGE), {}, "the parameter 'package' is not given"),
    "a parameter out of its pattern": (
        *(model(parameters=PACKAGE), {"parameters": {"package": "rm -rf"}}),
        "'rm -rf', which does not match [a-z0-9.+-]+",
    ),
    "a parameter that only begins well": (
        *(model(parameters=PACKAGE), {"parameters": {"package": "openssl;reboot"}}),
        "does not match",
    ),
    "a parameter that is no choice": (
        *(model(parameters={"ring": {"choices": ["one", "two"]}}), {"parameters": {"ring": "three"}}),
        "the model allows one, two",
    ),
    "an optional parameter out of its pattern": (
        model(parameters={"package": {**PACKAGE["package"], "required": False}}),
        {"parameters": {"package": "A"}},
        "does not match",
    ),
    "a parameter that the model does not have": (
        *(model(), {"parameters": {"package": "openssl"}}),
        "the model has no parameter 'package'",
    ),
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
        (model(parameters=PACKAGE), {"parameters": {"package": "libssl3"}}),
        (model(parameters={"ring": {"choices": ["one", "two"]}}), {"parameters": {"ring": "two"}}),
        (model(parameters={"package": {**PACKAGE["package"], "required": False}}), {}),
    ],
    ids=[
        "a risk up to the model's",
        "a model that has not expired",
        "a model for all systems",
        "a parameter in its pattern",
        "a choice",
        "an optional parameter left out",
    ],
)
def test_bounds_are_the_models(policy: Policy, change: dict[str, Any]) -> None:
    """What the model allows is in bounds."""
    assert Story(policy, **{**STANDARD, **change}).status == "approved"


# -- suspended after failures ------------------------------------------------------------------

SUSPENDING = model(suspended_after=2)


def failures(*changes: str, place: int | None = None) -> tuple[Failure, ...]:
    """Failures of these changes, witnessed there."""
    return tuple(Failure(change, place) for change in changes)


def test_a_model_is_suspended_after_so_many_failed_changes() -> None:
    """Changes are counted, not words about them; then the next one is evaluated."""
    story = Story(SUSPENDING, **STANDARD)
    story.facts["failures"] = failures("CHG-20261101-AAAA", "CHG-20261101-AAAA")
    assert story.status == "approved"
    story.facts["failures"] = failures("CHG-20261101-AAAA", "CHG-20261102-BBBB")
    assert (story.status, story.verdict().flags) == ("requested", ("outside model",))
    told = story.verdict().findings[0].message
    assert "suspended: 2 of its changes failed (CHG-20261101-AAAA, CHG-20261102-BBBB)" in told
    story.validated()
    assert story.verdict().complete


def test_a_model_without_a_limit_is_not_suspended() -> None:
    """Only the policy says with how many."""
    story = Story(**STANDARD)
    story.facts["failures"] = failures(*(f"CHG-20261101-AAA{n}" for n in range(9)))
    assert story.status == "approved"


def witnessed(story: Story, by: str, verdict: Any, place: int, at: dt.datetime = NOW) -> None:
    """A sign-off that the branch of record witnessed there and then."""
    made = story.sign(by, verdict)
    story.signed[-1] = replace(made, place=place, judged_at=at)


def test_what_was_implemented_before_the_suspension_stays_pre_approved() -> None:
    """By the witnesses' order: an implementation that nothing witnessed yet cannot say it came before."""
    story = Story(SUSPENDING, **STANDARD)
    witnessed(story, BO, "implement", 5)
    story.sign(DEE, "validate")
    story.facts["failures"] = failures("CHG-20261101-AAAA", "CHG-20261102-BBBB", place=6)
    assert story.verdict().complete
    for place in (4, 5):  # of what one commit witnessed nobody knows the order
        story.facts["failures"] = failures("CHG-20261101-AAAA", "CHG-20261102-BBBB", place=place)
        assert story.status == "requested"
    unwitnessed = Story(SUSPENDING, **STANDARD)
    unwitnessed.sign(BO, "implement", time=NOW - 9 * HOUR)
    unwitnessed.facts["failures"] = failures("CHG-20261101-AAAA", "CHG-20261102-BBBB", place=6)
    assert unwitnessed.status == "requested"


def test_what_failed_is_tried_again_only_with_an_evaluation() -> None:
    """The attempt that failed stands no more, and the model is judged as it is now."""
    story = Story(model(suspended_after=1), **STANDARD)
    witnessed(story, BO, "implement", 5)
    assert story.status == "implemented"
    witnessed(story, DEE, "fail", 6)
    story.facts["failures"] = failures(story.change.id, place=6)
    assert "outside model" in story.verdict().flags
    story.sign(BO, "implement")
    story.sign(DEE, "validate")
    assert not story.verdict().complete
    story.validated()
    assert story.verdict().complete


def test_its_own_failure_does_not_undo_an_attempt_that_was_found_good_after_all() -> None:
    """Whoever saw it fail validated it later: the same attempt stands."""
    story = Story(model(suspended_after=1), **STANDARD)
    story.sign(BO, "implement")
    story.sign(DEE, "fail")
    story.sign(DEE, "validate")
    story.facts["failures"] = failures(story.change.id)
    assert story.verdict().complete


def test_what_was_implemented_before_its_model_expired_stays_pre_approved() -> None:
    """When the branch of record had witnessed it before."""
    story = Story(model(expires=NOW), **STANDARD)
    witnessed(story, BO, "implement", 5, NOW - HOUR)
    story.sign(DEE, "validate")
    assert story.verdict().complete
    late = Story(model(expires=NOW), **STANDARD)
    witnessed(late, BO, "implement", 5, NOW)
    assert late.status == "requested"


def test_an_emergency_gains_nothing_by_a_claimed_time_after_its_witness() -> None:
    """Who claims to have implemented later than the branch of record witnessed it is not believed."""
    story = Story(a_policy(deadlines={"emergency_approval": "2h"}), **EMERGENCY)
    made = story.sign(BO, "implement", time=NOW + HOUR)
    assert "approval pending" in story.verdict(NOW + 2 * HOUR).flags
    story.signed[-1] = replace(made, judged_at=NOW - HOUR)
    assert "emergency debt" in story.verdict(NOW + 2 * HOUR).flags


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


def test_an_imported_request_is_as_open_as_any_other() -> None:
    """Where a request comes from is flagged, and gives it no step: a merge of the past is no approval."""
    imported = {
        "commit": "a" * 40,
        "merge_request": "acme/app!12",
        "author": ADA,
        "time": NOW - dt.timedelta(days=400),
    }
    for kind in ({}, EMERGENCY):
        plain, story = Story(**kind), Story(**kind, imported=imported)
        assert story.verdict().status == plain.verdict().status == "requested"
        assert story.verdict().flags == ("imported", *plain.verdict().flags)
        assert story.verdict().steps == plain.verdict().steps
        story.sign(ADA, "approve")
        assert story.verdict().status == "approved"
