"""Withdrawal: by whom, until when, and that nothing afterwards undoes it."""

from __future__ import annotations

import pytest

from gitchange.model.statement import VerdictName
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    DEE,
    EMERGENCY,
    EVE,
    MO,
    ROB,
    STANDARD,
    ZED,
    Story,
    risk,
)


@pytest.mark.parametrize(
    "by", [ROB, ADA, MO, BO], ids=["requester", "evaluator", "another evaluator", "author"]
)
@pytest.mark.parametrize("approved", [False, True])
def test_requester_author_and_evaluators_withdraw(by: str, approved: bool) -> None:
    """The requester, an author of the request or an evaluator ends a change that is not implemented."""
    story = Story()
    story.facts["authors"] = frozenset({ROB, BO})
    if approved:
        story.approved()
    story.sign(by, "withdraw")
    verdict = story.verdict()
    assert verdict.status == "withdrawn"
    assert verdict.next == ()
    assert not verdict.complete
    assert [s.state for s in verdict.steps][2:] == ["ended"] * 3
    assert verdict.step("evaluation").state == ("done" if approved else "ended")


@pytest.mark.parametrize("by", [BO, DEE, EVE, ZED])
def test_nobody_else_withdraws(by: str) -> None:
    """Whoever has no part in the change cannot withdraw it."""
    story = Story()
    story.sign(by, "withdraw", "developer")
    assert story.status == "requested"
    assert story.codes() == ["withdrawal.not-entitled"]


def test_who_evaluates_in_a_further_role_withdraws() -> None:
    """Where a rule asks for security, security may withdraw too."""
    story = Story(risks=[risk("likely", "severe")])
    story.sign(EVE, "withdraw", "security")
    assert story.status == "withdrawn"


@pytest.mark.parametrize("verdict", ["implement", "back-out"])
def test_what_was_implemented_is_not_withdrawn(verdict: VerdictName) -> None:
    """A change that was implemented, or backed out again, cannot be withdrawn."""
    story = Story().approved()
    story.sign(BO, verdict)
    before = story.status
    story.sign(ROB, "withdraw")
    assert story.status == before
    assert "withdrawal.after-implementation" in story.codes()


def test_an_emergency_that_was_implemented_is_not_withdrawn() -> None:
    """An emergency that was implemented before its approval cannot vanish by a withdrawal."""
    story = Story(**EMERGENCY)
    story.sign(BO, "implement")
    story.sign(ROB, "withdraw")
    assert story.status == "implemented"


@pytest.mark.parametrize("by", [BO, DEE], ids=["a developer", "somebody without the role"])
def test_an_implementation_after_the_withdrawal_does_not_undo_it(by: str) -> None:
    """Whoever signs an implementation of a withdrawn change does not bring it back, and is named."""
    story = Story().approved()
    story.sign(ROB, "withdraw")
    story.sign(by, "implement")
    assert story.status == "withdrawn"
    assert ("implementation.withdrawn" in story.codes()) is (by == BO)


def test_of_a_withdrawal_and_an_implementation_at_once_the_withdrawal_stands() -> None:
    """When neither had seen the other the refusal stands, and who implemented is named."""
    story = Story().approved()
    approval = story.signed[0]
    story.sign(BO, "implement", seen=[approval])
    story.sign(ROB, "withdraw", seen=[approval])
    assert story.status == "withdrawn"
    assert "implementation.withdrawn" in story.codes()


def test_an_implementation_by_somebody_without_the_role_does_not_hinder_a_withdrawal() -> None:
    """Only who may implement can have implemented."""
    story = Story().approved()
    story.sign(DEE, "implement")
    story.sign(ROB, "withdraw")
    assert story.status == "withdrawn"


@pytest.mark.parametrize("verdict", ["approve", "reject", "request-info"])
def test_nothing_that_is_signed_afterwards_brings_it_back(verdict: VerdictName) -> None:
    """A withdrawn text stays withdrawn, whatever its evaluators say."""
    story = Story()
    story.sign(ROB, "withdraw")
    story.sign(ADA, verdict)
    assert story.status == "withdrawn"


def test_a_withdrawal_stands_in_a_record_without_notes() -> None:
    """Where only the order of a record is known, a withdrawal before an implementation stands."""
    story = Story().approved()
    story.sign(ROB, "withdraw", seen=None)
    story.sign(BO, "implement", seen=None)
    story.facts["order_known"] = False
    assert story.status == "withdrawn"


def test_a_standard_change_is_withdrawn() -> None:
    """A change that needs no evaluation can be withdrawn all the same."""
    story = Story(**STANDARD)
    story.sign(ROB, "withdraw")
    assert story.status == "withdrawn"
    assert story.verdict().step("evaluation").state == "not-needed"
