"""Implementation: after its approval, by who holds the role, in parts, backed out, made again."""

from __future__ import annotations

from typing import Any

import pytest

from gitchange.model.policy import Policy
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EMERGENCY,
    FAY,
    MO,
    NOW,
    ROB,
    Story,
    a_policy,
    rule,
)

PARTS = rule(implementation={"role": "developer", "approvals": 2})


@pytest.mark.parametrize(
    ("type_", "status", "codes"),
    [({}, "requested", ["implementation.before-approval"]), (EMERGENCY, "implemented", [])],
    ids=["normal", "emergency"],
)
def test_only_an_emergency_is_implemented_first(type_: dict[str, Any], status: str, codes: list[str]) -> None:
    """An implementation before the approval counts for an emergency, and for no other change."""
    story = Story(**type_)
    story.sign(BO, "implement")
    assert story.status == status
    assert story.codes() == codes


def test_an_implementation_that_had_not_seen_the_approval_does_not_count() -> None:
    """An approval that comes after the implementation, or beside it, does not make it good."""
    for seen in ([], None):
        story = Story()
        story.sign(BO, "implement", seen=[])
        story.sign(ADA, "approve", seen=seen if seen is None else story.signed)
        assert story.status == "approved"
        assert "implementation.before-approval" in story.codes()
        story.sign(BO, "implement")
        assert story.status == "implemented"


def test_an_implementation_between_two_approvals_is_too_early() -> None:
    """Where two must approve, an implementer who had seen one approval was too early."""
    story = Story(a_policy(rules=[rule(evaluation={"role": "change-manager", "approvals": 2})]))
    story.sign(ADA, "approve")
    story.sign(BO, "implement")
    story.sign(MO, "approve")
    assert story.status == "approved"
    assert story.codes() == ["implementation.before-approval"]


def test_an_approval_by_the_requester_is_none_to_have_seen() -> None:
    """Having seen only an approval that does not count is having seen none."""
    story = Story(requester=ADA).approved()
    story.sign(BO, "implement")
    story.sign(MO, "approve")
    assert story.status == "approved"
    assert "implementation.before-approval" in story.codes()


def test_a_rejected_change_cannot_be_implemented() -> None:
    """Whoever implements after having seen the rejection has no implementation, whatever was approved before."""
    story = Story().approved()
    story.sign(ADA, "reject")
    story.sign(BO, "implement")
    verdict = story.verdict()
    assert verdict.status == "rejected"
    assert verdict.step("implementation").state != "done"
    assert "implementation.before-approval" in story.codes()


def test_a_rejection_after_the_implementation_rejects() -> None:
    """An evaluator who rejects afterwards rejects the change; who implemented it is still told."""
    story = Story().implemented()
    story.sign(ADA, "reject")
    verdict = story.verdict()
    assert verdict.status == "rejected"
    assert [s.by for s in verdict.step("implementation").counting] == [BO]


@pytest.mark.parametrize(
    ("by", "role", "code"),
    [
        (DEE, "developer", "sign-off.role-not-held"),
        (ADA, "change-manager", "sign-off.role-not-asked"),
        (BO, "system-user", "sign-off.role-not-held"),
    ],
)
def test_only_who_holds_the_role_implements(by: str, role: str, code: str) -> None:
    """An implementation by somebody who does not hold the role that is asked does not count."""
    story = Story().approved()
    story.sign(by, "implement", role)
    assert story.status == "approved"
    assert story.codes() == [code]


def test_several_developers_sign_their_parts() -> None:
    """Where two developers must implement, each signs a part; both stand, in any order."""
    for seen in ("all", "apart"):
        story = Story(a_policy(rules=[PARTS])).approved()
        approval = story.signed[0]
        story.sign(BO, "implement")
        assert story.status == "approved"
        assert story.verdict().next[0].role == "developer"
        story.sign(CY, "implement", seen="all" if seen == "all" else [approval])
        assert story.status == "implemented"
        assert {s.by for s in story.verdict().step("implementation").counting} == {BO, CY}
        story.sign(DEE, "validate")
        assert story.status == "validated"
        assert [s.by for s in story.verdict().counting].count(BO) == 1


def test_a_part_that_comes_after_the_validation_is_not_validated() -> None:
    """A further part of the implementation needs a validation that has seen it."""
    story = Story().validated()
    story.sign(CY, "implement")
    assert story.status == "implemented"
    assert story.codes() == ["validation.before-implementation"]
    story.sign(DEE, "validate")
    assert story.status == "validated"


def test_a_part_that_nobody_had_seen_is_not_validated() -> None:
    """A part that was signed beside the validation, on another machine, needs a validation of its own."""
    story = Story().approved()
    approval = story.signed[0]
    first = story.sign(BO, "implement")
    story.sign(DEE, "validate")
    story.sign(CY, "implement", seen=[approval, first])
    assert story.status == "implemented"


def test_a_back_out_fails_the_change_until_it_is_validated() -> None:
    """A change that was backed out has failed; the state after it is validated, then documented."""
    story = Story().implemented()
    story.sign(BO, "back-out")
    verdict = story.verdict()
    assert (verdict.status, verdict.flags) == ("failed", ("backed out",))
    assert [n.action for n in verdict.next] == ["validate"]
    assert [s.verdict for s in verdict.step("implementation").counting] == ["back-out"]
    story.sign(DEE, "validate")
    verdict = story.verdict()
    assert (verdict.status, verdict.complete, verdict.backed_out) == ("validated", True, True)
    assert story.verdict(documented=True).status == "documented"


def test_a_back_out_may_be_all_that_was_tried() -> None:
    """An implementation that went wrong at once may be signed as a back-out alone."""
    story = Story().approved()
    story.sign(BO, "back-out")
    assert story.status == "failed"


def test_a_validation_before_the_back_out_is_not_one_of_it() -> None:
    """What was validated before the back-out says nothing about the systems after it."""
    story = Story().validated()
    story.sign(BO, "back-out")
    assert story.status == "failed"
    assert not story.verdict().complete


def test_what_was_backed_out_can_be_made_again() -> None:
    """A new implementation after a back-out stands, and the back-out is history."""
    story = Story().implemented()
    story.sign(BO, "back-out")
    story.sign(CY, "implement")
    verdict = story.verdict()
    assert (verdict.status, verdict.flags) == ("implemented", ())
    assert [s.by for s in verdict.step("implementation").counting] == [CY]
    story.sign(DEE, "validate")
    assert (story.status, story.verdict().backed_out) == ("validated", False)


def test_of_a_back_out_and_an_implementation_at_once_the_back_out_stands() -> None:
    """When nobody knows which came last, the systems are taken to be as before the change."""
    story = Story().approved()
    approval = story.signed[0]
    story.sign(BO, "implement", seen=[approval])
    story.sign(CY, "back-out", seen=[approval])
    assert story.status == "failed"
    assert story.verdict().flags == ("backed out",)


def test_a_back_out_undoes_all_parts_that_it_had_seen() -> None:
    """After a back-out every part is made anew: an earlier one does not count towards the next attempt."""
    story = Story(a_policy(rules=[PARTS])).approved()
    for by, verdict in ((BO, "implement"), (CY, "implement"), (BO, "back-out"), (CY, "implement")):
        story.sign(by, verdict)  # type: ignore[arg-type]
    assert story.status == "approved"
    assert story.verdict().step("implementation").requirements[0].by == (CY,)


# -- validation ------------------------------------------------------------------------------


def waived() -> Policy:
    """A policy under which an implementer may validate."""
    waiver = {"waives": "validator-is-implementer", "reason": "Two people."}
    return a_policy(waivers=[{**waiver, "expires": NOW.replace(year=2099)}])


def test_who_implemented_does_not_validate() -> None:
    """The implementer's own validation does not count, and the implementer is not asked for it."""
    story = Story().approved()
    story.sign(CY, "implement")
    story.sign(CY, "validate")
    assert story.status == "implemented"
    assert story.codes() == ["duties.validator-is-implementer"]
    assert CY not in story.verdict().next[0].who


def test_who_implemented_an_earlier_attempt_does_not_validate() -> None:
    """Whoever had a hand in the implementation, in this attempt or in one before, validates none."""
    story = Story().approved()
    story.sign(CY, "implement")
    story.sign(CY, "back-out")
    story.sign(BO, "implement")
    story.sign(CY, "validate")
    assert story.status == "implemented"


def test_a_waiver_lets_the_implementer_validate() -> None:
    """While the waiver is in force the implementer's validation counts, with a flag."""
    story = Story(waived()).approved()
    story.sign(CY, "implement")
    assert CY in story.verdict().next[0].who
    story.sign(CY, "validate")
    assert (story.status, story.verdict().flags) == ("validated", ("waived: validator-is-implementer",))


def test_who_evaluated_or_requested_may_validate() -> None:
    """A requester or an evaluator who uses the system may validate it."""
    roles = {**a_policy().file.model_dump()["roles"], "system-user": {"members": (ROB, ADA)}}
    for by in (ROB, ADA):
        story = Story(a_policy(roles=roles)).implemented()
        story.sign(by, "validate")
        assert story.status == "validated"


@pytest.mark.parametrize("seen", [[], None], ids=["nothing", "nobody knows"])
def test_a_validation_that_had_not_seen_the_implementation_does_not_count(seen: None) -> None:
    """A validation must have seen the implementation; one that was signed before, or beside it, is none."""
    story = Story().implemented()
    story.sign(DEE, "validate", seen=seen)
    assert story.status == "implemented"
    assert "validation.before-implementation" in story.codes()


def test_a_validation_of_nothing_does_not_count() -> None:
    """Before any implementation there is nothing to validate."""
    story = Story().approved()
    story.sign(DEE, "validate")
    assert story.status == "approved"
    assert story.codes() == ["validation.before-implementation"]


@pytest.mark.parametrize(("by", "role"), [(BO, "system-user"), (MO, "change-manager"), (MO, "system-user")])
def test_only_who_holds_the_role_validates(by: str, role: str) -> None:
    """A validation by somebody who does not hold the role that is asked does not count."""
    story = Story().implemented()
    story.sign(by, "validate", role)
    assert story.status == "implemented"


def test_a_failed_validation_sends_the_change_back_to_its_developers() -> None:
    """A change whose validation failed is to be implemented again; then it is validated anew."""
    story = Story().implemented()
    story.sign(DEE, "fail")
    verdict = story.verdict()
    assert verdict.status == "failed"
    assert verdict.step("validation").state == "refused"
    assert [(n.action, set(n.who)) for n in verdict.next] == [("implement", {BO, CY})]
    story.sign(BO, "implement")
    assert story.status == "implemented"
    assert [s.by for s in story.verdict().step("implementation").counting] == [BO]
    story.sign(FAY, "validate")
    assert story.status == "validated"


def test_a_failure_that_nobody_mended_stands_against_other_validations() -> None:
    """Another user's validation does not overrule a failed one."""
    story = Story().implemented()
    story.sign(DEE, "fail")
    story.sign(FAY, "validate")
    assert story.status == "failed"


def test_a_failure_beside_a_new_implementation_stands() -> None:
    """A failure whose signer and whose mender had not seen each other still stands."""
    story = Story().implemented()
    before = list(story.signed)
    story.sign(DEE, "fail")
    story.sign(CY, "implement", seen=before)
    assert story.status == "failed"


def test_who_failed_a_validation_may_take_it_back() -> None:
    """The latest word of a validator counts: after a second look the same person may validate."""
    story = Story(a_policy(rules=[PARTS])).approved()
    story.sign(BO, "implement")
    story.sign(CY, "implement")
    story.sign(DEE, "fail")
    assert story.status == "failed"
    story.sign(DEE, "validate")
    assert story.status == "validated"
    assert {s.by for s in story.verdict().step("implementation").counting} == {BO, CY}


def test_a_validator_may_change_from_yes_to_no() -> None:
    """A validated change fails when its validator finds a problem afterwards."""
    story = Story().validated()
    story.sign(DEE, "fail")
    assert story.status == "failed"


def test_a_failure_by_the_implementer_counts() -> None:
    """An implementer who uses the system may say that it does not work: that is on the safe side."""
    story = Story().approved()
    story.sign(CY, "implement")
    story.sign(CY, "fail")
    assert story.status == "failed"


def test_a_failure_by_somebody_without_the_role_undoes_nothing() -> None:
    """Who does not hold the role neither fails a change nor takes parts of its implementation away."""
    story = Story(a_policy(rules=[PARTS])).approved()
    story.sign(BO, "implement")
    story.sign(CY, "implement")
    story.sign(MO, "fail", "system-user")
    assert story.status == "implemented"
    assert story.codes() == ["sign-off.role-not-held"]


def test_a_failure_before_any_implementation_fails_nothing() -> None:
    """There is nothing to fail before the implementation, and it is answered by it."""
    story = Story().approved()
    story.sign(DEE, "fail")
    assert story.status == "approved"
    story.sign(BO, "implement")
    assert story.status == "implemented"


def test_two_validations_are_two_persons() -> None:
    """Where two must validate, one person signing twice is one."""
    story = Story(a_policy(rules=[rule(validation={"role": "system-user", "approvals": 2})])).validated()
    story.sign(DEE, "validate")
    assert story.status == "implemented"
    assert story.verdict().next[0].who == (FAY, CY)
    story.sign(FAY, "validate")
    assert story.status == "validated"


def test_one_developer_backs_out_what_several_implemented() -> None:
    """Where two developers must implement, one of them may say that it was backed out."""
    story = Story(a_policy(rules=[PARTS])).approved()
    for by, verdict in ((BO, "implement"), (CY, "implement"), (CY, "back-out")):
        story.sign(by, verdict)  # type: ignore[arg-type]
    assert story.status == "failed"
    story.sign(DEE, "validate")
    assert (story.status, story.verdict().backed_out) == ("validated", True)


def test_a_back_out_that_failed_its_validation_goes_back_to_the_developers() -> None:
    """When the state after a back-out does not hold either, the developers are asked again."""
    story = Story().approved()
    story.sign(BO, "back-out")
    story.sign(DEE, "fail")
    assert story.status == "failed"
    assert [n.action for n in story.verdict().next] == ["implement"]


def test_an_emergency_whose_validation_failed_is_failed_and_still_a_debt() -> None:
    """A failed validation of an emergency without approval does not settle what it owes."""
    story = Story(**EMERGENCY)
    story.sign(BO, "implement")
    story.sign(DEE, "fail")
    verdict = story.verdict()
    assert verdict.status == "failed"
    assert "emergency debt" in verdict.flags
