"""Rehearsal: whether a sign-off would count, in which role, and why not."""

from __future__ import annotations

import pytest

from gitchange.model.statement import VerdictName
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EMERGENCY,
    EVE,
    ID,
    MO,
    ROB,
    STANDARD,
    ZED,
    Story,
    a_policy,
    risk,
    rule,
)

HIGH = [risk("likely", "major")]


@pytest.mark.parametrize(
    ("signed", "by", "verdict", "role", "status"),
    [
        ("", ADA, "approve", "change-manager", "approved"),
        ("", ADA, "reject", "change-manager", "rejected"),
        ("", ADA, "request-info", "change-manager", "info-requested"),
        ("approve", BO, "implement", "developer", "implemented"),
        ("approve", BO, "back-out", "developer", "failed"),
        ("approve implement", DEE, "validate", "system-user", "validated"),
        ("approve implement", DEE, "fail", "system-user", "failed"),
        ("", ROB, "withdraw", "requester", "withdrawn"),
        ("approve", MO, "withdraw", "change-manager", "withdrawn"),
    ],
)
def test_what_may_be_signed_counts(
    signed: str, by: str, verdict: VerdictName, role: str, status: str
) -> None:
    """The rehearsal of a sign-off that is due finds the role, and says what the status will be."""
    story = Story()
    for word in signed.split():
        story.sign({"approve": ADA, "implement": BO}[word], word)  # type: ignore[arg-type]
    rehearsal = story.rehearse(by, verdict)
    assert (rehearsal.counts, rehearsal.role, rehearsal.verdict.status) == (True, role, status)
    assert rehearsal.objections == ()


@pytest.mark.parametrize(
    ("signed", "by", "verdict", "code"),
    [
        ("", BO, "approve", "sign-off.role-not-held"),
        ("", ZED, "approve", "sign-off.role-not-held"),
        ("", ZED, "withdraw", "sign-off.role-not-held"),
        ("", BO, "implement", "implementation.before-approval"),
        ("approve", DEE, "validate", "validation.before-implementation"),
        ("approve implement", CY, "approve", "sign-off.role-not-held"),
        ("approve implement", ROB, "withdraw", "withdrawal.after-implementation"),
        ("approve", CY, "withdraw", "withdrawal.not-entitled"),
        ("approve reject", BO, "implement", "implementation.before-approval"),
    ],
)
def test_what_would_not_count_says_why(signed: str, by: str, verdict: VerdictName, code: str) -> None:
    """The rehearsal of a sign-off that would not count names the rule."""
    story = Story()
    for word in signed.split():
        story.sign({"approve": ADA, "reject": ADA, "implement": BO}[word], word)  # type: ignore[arg-type]
    rehearsal = story.rehearse(by, verdict)
    assert not rehearsal.counts
    assert [f.code for f in rehearsal.objections] == [code]
    assert rehearsal.objections[0].change == ID


def test_duties_are_rehearsed() -> None:
    """The requester is told before signing that an own approval does not count, an implementer likewise."""
    assert [f.code for f in Story(requester=ADA).rehearse(ADA, "approve").objections] == [
        "duties.evaluator-is-requester"
    ]
    story = Story().approved()
    story.sign(CY, "implement")
    assert [f.code for f in story.rehearse(CY, "validate").objections] == ["duties.validator-is-implementer"]


def test_who_holds_two_roles_is_taken_first_for_one_then_for_the_other() -> None:
    """The role in which a sign-off brings the change further is the one that is taken."""
    story = Story(risks=HIGH)
    first = story.rehearse(ADA, "approve")
    assert (first.role, first.verdict.status) == ("change-manager", "requested")
    story.sign(ADA, "approve", first.role)
    second = story.rehearse(ADA, "approve")
    assert (second.role, second.verdict.status) == ("security", "approved")


def test_a_role_that_another_has_filled_is_not_taken() -> None:
    """When somebody else has approved in one role, the other is taken."""
    story = Story(risks=HIGH)
    story.sign(MO, "approve")
    assert story.rehearse(ADA, "approve").role == "security"
    story = Story(risks=HIGH)
    story.sign(EVE, "approve", "security")
    assert story.rehearse(ADA, "approve").role == "change-manager"


def test_a_role_that_is_asked_for_is_the_one_that_is_tried() -> None:
    """Who names a role is rehearsed in that role only."""
    story = Story(risks=HIGH)
    assert story.rehearse(ADA, "approve", "security").role == "security"
    assert not story.rehearse(ADA, "approve", "developer").counts


@pytest.mark.parametrize("verdict", ["approve", "reject", "implement"])
def test_nothing_counts_on_a_withdrawn_change(verdict: VerdictName) -> None:
    """On a withdrawn change there is nothing to sign any more but that it was backed out."""
    story = Story().approved()
    story.sign(ROB, "withdraw")
    assert not story.rehearse(BO if verdict == "implement" else ADA, verdict).counts
    assert story.rehearse(BO, "back-out").counts


def test_emergencies_and_standard_changes_are_implemented_without_approval() -> None:
    """The rehearsal knows which changes need no approval first."""
    assert Story(**EMERGENCY).rehearse(BO, "implement").counts
    assert Story(**STANDARD).rehearse(BO, "implement").counts


def test_a_rehearsal_changes_nothing() -> None:
    """A rehearsal leaves the evidence as it was."""
    story = Story().approved()
    before = story.evidence
    story.rehearse(BO, "implement")
    assert story.evidence == before
    assert story.status == "approved"


def test_two_who_refused_can_each_take_it_back() -> None:
    """A refusal can be taken back while another's still stands: neither has to wait for the other."""
    story = Story()
    story.sign(ADA, "reject")
    story.sign(MO, "request-info")
    first = story.rehearse(ADA, "approve")
    assert (first.counts, first.verdict.status) == (True, "info-requested")
    story.sign(ADA, "approve")
    second = story.rehearse(MO, "approve")
    assert (second.counts, second.verdict.status) == (True, "approved")


def test_the_refusal_of_a_standard_change_can_be_taken_back() -> None:
    """Who stopped a pre-approved change can let it go on, though it needs no approval."""
    story = Story(**STANDARD)
    story.sign(ADA, "reject")
    rehearsal = story.rehearse(ADA, "approve")
    assert (rehearsal.counts, rehearsal.verdict.status) == (True, "approved")


def test_parts_are_signed_again_after_a_failed_validation() -> None:
    """Where two developers implement, both can sign again after a failed validation, in either order."""
    policy = a_policy(rules=[rule(implementation={"role": "developer", "approvals": 2})])
    for first, second in ((BO, CY), (CY, BO)):
        story = Story(policy).approved()
        for by, verdict in ((BO, "implement"), (CY, "implement"), (DEE, "fail")):
            story.sign(by, verdict)  # type: ignore[arg-type]
        assert story.status == "failed"
        for by in (first, second):
            assert story.rehearse(by, "implement").counts
            story.sign(by, "implement")
        assert story.status == "implemented"
