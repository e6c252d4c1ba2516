"""Evaluation: separation of duties, thresholds, roles, the latest word, stale approvals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitchange.model.policy import Policy
from gitchange.model.statement import VerdictName
from gitchange.values import replace
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    DEE,
    EVE,
    ID,
    MO,
    NOW,
    ROB,
    ROLES,
    SECURITY,
    ZED,
    Story,
    a_policy,
    a_sign_off,
    risk,
    rule,
)

LATER = NOW + dt.timedelta(days=1)
TWO = rule(evaluation={"role": "change-manager", "approvals": 2})
THREE_MANAGERS = {**ROLES, "change-manager": {"members": [ADA, MO, EVE]}}


def with_waiver(waives: str, **changes: Any) -> Policy:
    """A policy with one waiver that holds for another day."""
    waiver = {"waives": waives, "reason": "Holidays.", "expires": LATER, **changes}
    return a_policy(waivers=[waiver])


# -- separation of duties --------------------------------------------------------------------


def test_who_requests_does_not_evaluate() -> None:
    """The requester's own approval does not count, and the requester is not asked for it."""
    story = Story(requester=ADA).approved()
    assert story.status == "requested"
    assert story.codes() == ["duties.evaluator-is-requester"]
    assert story.verdict().next[0].who == (MO,)


@pytest.mark.parametrize("address", [ADA, "Ada@Example.org"])
def test_who_wrote_the_request_does_not_evaluate(address: str) -> None:
    """The approval of whoever wrote a commit of the request does not count, in whatever case it is spelled."""
    story = Story().approved()
    story.facts["authors"] = frozenset({ROB, address.casefold()})
    assert story.status == "requested"
    assert story.codes() == ["duties.evaluator-is-author"]
    assert story.verdict().next[0].who == (MO,)


@pytest.mark.parametrize(
    ("waives", "story"),
    [
        ("evaluator-is-requester", {"requester": ADA}),
        ("evaluator-is-author", {}),
    ],
)
def test_a_waiver_lets_duties_meet_and_is_flagged(waives: str, story: dict[str, Any]) -> None:
    """While a waiver is in force, the approval counts, and the status carries the waiver as a flag."""
    told = Story(with_waiver(waives), **story).approved()
    told.facts["authors"] = frozenset({ADA})
    assert told.status == "approved"
    assert told.verdict().flags == (f"waived: {waives}",)
    assert ADA in told.verdict().next[0].who or told.verdict().next[0].action == "implement"


@pytest.mark.parametrize(
    "policy",
    [
        a_policy(),
        with_waiver("evaluator-is-author"),
        with_waiver("validator-is-implementer"),
        with_waiver("evaluator-is-requester", expires=NOW),
        with_waiver("evaluator-is-requester", expires=NOW - dt.timedelta(seconds=1)),
        with_waiver("evaluator-is-requester", systems=["database"]),
        with_waiver("evaluator-is-requester", types=["emergency"]),
        with_waiver("evaluator-is-requester", systems=[]),
    ],
    ids=[
        *("none", "another duty", "still another duty", "expired now", "expired", "another system"),
        *("another type", "no system at all"),
    ],
)
def test_a_waiver_of_something_else_waives_nothing(policy: Policy) -> None:
    """A waiver that is expired, or for other duties, systems or types, does not hold."""
    assert Story(policy, requester=ADA).approved().status == "requested"


def test_a_waiver_for_some_systems_does_not_hold_for_more() -> None:
    """A waiver for one system does not cover a change to this and another."""
    policy = with_waiver("evaluator-is-requester", systems=["api"])
    assert Story(policy, requester=ADA).approved().status == "approved"
    assert Story(policy, requester=ADA, systems=["api", "database"]).approved().status == "requested"


def test_a_waiver_that_was_not_needed_is_no_flag() -> None:
    """A waiver in force is flagged only where an approval rests on it."""
    assert Story(with_waiver("evaluator-is-requester")).approved().verdict().flags == ()


@pytest.mark.parametrize("verdict", ["reject", "request-info"])
def test_a_refusal_by_the_requester_counts(verdict: VerdictName) -> None:
    """A change manager may refuse an own request: that is on the safe side."""
    story = Story(requester=ADA)
    story.sign(ADA, verdict)
    assert story.status in ("rejected", "info-requested")


# -- persons, thresholds, roles --------------------------------------------------------------


def test_one_person_signing_twice_is_one_person() -> None:
    """Persons are counted, not signatures: two approvals by one person do not make two."""
    story = Story(a_policy(rules=[TWO])).approved().approved()
    assert story.status == "requested"
    requirement = story.verdict().step("evaluation").requirements[0]
    assert (requirement.by, requirement.needed, requirement.met) == ((ADA,), 2, False)
    assert story.verdict().next[0].who == (MO,)


def test_two_approvals_by_two_persons_are_two() -> None:
    """A rule that asks for two approvals is met by two persons, in any order."""
    story = Story(a_policy(rules=[TWO]))
    story.sign(MO, "approve", seen=[])
    story.sign(ADA, "approve", seen=[])
    assert story.status == "approved"
    assert set(story.verdict().step("evaluation").requirements[0].by) == {ADA, MO}


def test_of_two_rules_for_one_role_the_higher_number_decides() -> None:
    """Two rules that ask the same role are one requirement, with the higher number and both names."""
    story = Story(a_policy(rules=[TWO, rule(name="again")])).approved()
    (requirement,) = story.verdict().step("evaluation").requirements
    assert (requirement.needed, requirement.rules) == (2, ("every change", "again"))


def test_too_few_persons_who_can_sign_is_a_finding() -> None:
    """When more persons must approve than can, a finding says so before anybody waits for it."""
    story = Story(a_policy(rules=[TWO]), requester=ADA)
    assert story.codes() == ["policy.too-few-can"]
    story = Story(a_policy(rules=[TWO]))
    assert story.codes() == []


def test_nobody_who_can_evaluate_is_a_finding() -> None:
    """When every change manager wrote the request, a finding says that nobody can evaluate it."""
    story = Story(requester=ADA)
    story.facts["authors"] = frozenset({MO})
    verdict = story.verdict()
    assert [f.code for f in verdict.findings] == ["policy.nobody-can"]
    assert "change-manager" in verdict.findings[0].message
    assert verdict.next[0].who == ()


HIGH = [risk("likely", "major")]


@pytest.mark.parametrize(
    ("when", "change", "asked"),
    [
        ({"risk": ["high", "critical"]}, {"risks": HIGH}, True),
        ({"risk": ["high", "critical"]}, {}, False),
        ({"customer_data": True}, {}, True),
        ({"customer_data": True}, {"systems": ["website"]}, False),
        ({"customer_data": True}, {"systems": ["website", "database"]}, True),
        ({"customer_data": False}, {"systems": ["website"]}, True),
        ({"types": ["emergency"]}, {}, False),
        ({"types": ["normal"]}, {}, True),
        ({"systems": ["database"]}, {}, False),
        ({"systems": ["database", "api"]}, {"systems": ["api", "website"]}, True),
        ({"environments": ["production"]}, {"environments": ["staging"]}, False),
        ({"environments": ["production"]}, {"environments": ["staging", "production"]}, True),
        ({"environments": ["production"]}, {}, True),
        ({"environments": ["production"]}, {"systems": ["website"]}, True),
        ({"customer_data": True, "risk": ["high"]}, {}, False),
        ({"customer_data": True, "risk": ["high"]}, {"risks": HIGH}, True),
        ({}, {}, True),
    ],
)
def test_further_roles_are_asked_where_their_rule_matches(
    when: dict[str, Any], change: dict[str, Any], asked: bool
) -> None:
    """Type, risk, customer data, systems and environments decide which roles must evaluate, all of them."""
    story = Story(a_policy(rules=[rule(), {**SECURITY, "when": when}]), **change).approved()
    assert story.status == ("requested" if asked else "approved")
    assert [n.role for n in story.verdict().next] == (["security"] if asked else ["developer"])
    story.sign(EVE, "approve", "security")
    assert story.status == "approved"
    assert ("sign-off.role-not-asked" in story.codes()) is not asked


def test_who_holds_two_roles_signs_in_each() -> None:
    """One approval counts for the role that it names; who holds both roles that are asked signs twice."""
    story = Story(risks=HIGH).approved()
    assert story.status == "requested"
    assert ADA in story.verdict().next[0].who
    story.sign(ADA, "approve", "security")
    assert story.status == "approved"


def test_a_refusal_in_one_role_takes_back_the_approval_in_the_other() -> None:
    """A person's refusal is the person's, whatever the role: it takes back what was approved in another."""
    story = Story(risks=HIGH).approved()
    story.sign(ADA, "reject", "security")
    assert story.status == "rejected"
    story.sign(ADA, "approve", "security")
    assert story.status == "requested"
    assert [n.role for n in story.verdict().next] == ["change-manager"]
    story.sign(MO, "approve")
    assert story.status == "approved"


@pytest.mark.parametrize(
    ("by", "role", "code"),
    [
        (BO, "change-manager", "sign-off.role-not-held"),
        (ZED, "change-manager", "sign-off.role-not-held"),
        (ADA, "manager", "sign-off.role-not-held"),
        (BO, "developer", "sign-off.role-not-asked"),
        (EVE, "security", "sign-off.role-not-asked"),
    ],
)
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_role_that_is_not_held_or_not_asked_has_no_say(
    by: str, role: str, code: str, verdict: VerdictName
) -> None:
    """Who does not hold the role that was signed, or signs in one that no rule asks for, decides nothing."""
    story = Story()
    story.sign(by, verdict, role)
    assert story.status == "requested"
    assert story.codes() == [code]


# -- the latest word -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("approve", "approved"),
        ("reject", "rejected"),
        ("request-info", "info-requested"),
        ("approve reject", "rejected"),
        ("approve request-info", "info-requested"),
        ("reject approve", "approved"),
        ("request-info approve", "approved"),
        ("reject request-info", "info-requested"),
        ("request-info reject", "rejected"),
        ("approve reject approve", "approved"),
        ("approve approve reject", "rejected"),
    ],
)
def test_the_latest_word_of_a_person_counts(words: str, status: str) -> None:
    """Of several words of one person, the last decides."""
    story = Story()
    for word in words.split():
        story.sign(ADA, word)  # type: ignore[arg-type]
    assert story.status == status


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("approve reject", "rejected"),
        ("reject approve", "rejected"),
        ("approve request-info", "info-requested"),
        ("request-info reject approve", "rejected"),
    ],
)
def test_of_words_that_did_not_see_each_other_the_refusal_stands(words: str, status: str) -> None:
    """A person who signed on two machines at once has refused, until signing again having seen both."""
    story = Story()
    for word in words.split():
        story.sign(ADA, word, seen=[])  # type: ignore[arg-type]
    assert story.status == status
    assert story.codes() == ["sign-off.concurrent"]
    story.sign(ADA, "approve")
    assert story.status == "approved"
    assert story.codes() == []


@pytest.mark.parametrize("later", [True, False])
def test_claimed_times_decide_nothing(later: bool) -> None:
    """An approval that claims to be of tomorrow does not outlive a refusal whose signer had seen it."""
    story = Story()
    story.sign(ADA, "approve", time=NOW + dt.timedelta(days=1 if later else -1))
    story.sign(ADA, "reject", time=NOW)
    assert story.status == "rejected"


def test_one_refusal_stands_against_approvals_of_others() -> None:
    """Somebody else's approval does not overrule a rejection, even when its signer has seen it."""
    story = Story()
    story.sign(MO, "reject")
    story.sign(ADA, "approve")
    assert story.status == "rejected"
    assert [s.by for s in story.verdict().step("evaluation").counting] == [MO]
    assert states(story) == ["done", "refused", "ended", "ended", "ended"]
    assert story.verdict().next == ()
    story.sign(MO, "approve")
    assert story.status == "approved"


def states(story: Story) -> list[str]:
    """The states of the five steps."""
    return [step.state for step in story.verdict().steps]


def test_a_question_comes_back_to_the_requester() -> None:
    """A change whose evaluator asks for more waits for its requester."""
    story = Story()
    story.sign(ADA, "request-info")
    (upcoming,) = story.verdict().next
    assert (upcoming.action, upcoming.who, upcoming.command) == ("edit", (ROB,), f"gitchange show {ID}")


def test_a_sign_off_whose_log_is_missing_has_seen_nothing() -> None:
    """When nobody can tell what a signer had seen, an approval does not lift an own refusal."""
    story = Story()
    story.sign(ADA, "reject")
    story.sign(ADA, "approve", seen=None)
    assert story.status == "rejected"
    assert "sign-off.log-missing" in story.codes()


# -- stale approvals -------------------------------------------------------------------------


def test_an_approval_of_an_earlier_text_is_stale() -> None:
    """An approval of another text does not count, and is flagged while the change waits for a new one."""
    story = Story()
    story.stale.append(a_sign_off(ADA, "approve", []))
    assert story.status == "requested"
    assert story.verdict().flags == ("stale approval",)
    assert story.codes() == ["approval.stale"]
    story.approved()
    assert story.status == "approved"
    assert story.verdict().flags == ()


def test_a_refusal_of_an_earlier_text_is_answered_by_the_edit() -> None:
    """A rejection of another text does not reject this one."""
    story = Story()
    story.stale.append(a_sign_off(ADA, "reject", []))
    assert story.status == "requested"
    assert story.verdict().flags == ()


def test_what_was_signed_on_an_earlier_text_completes_nothing() -> None:
    """Sign-offs of all steps on an earlier text leave the current text as a request."""
    done = Story().validated()
    story = Story()
    story.stale = done.signed
    assert story.status == "requested"


# -- the order of a record -------------------------------------------------------------------


def test_without_the_notes_the_order_of_the_record_holds() -> None:
    """Where only a record speaks, what stands later in it was signed later."""
    for words, status in (("approve reject", "rejected"), ("reject approve", "approved")):
        story = Story()
        story.facts["order_known"] = False
        for word in words.split():
            story.sign(ADA, word, seen=None)  # type: ignore[arg-type]
        assert story.status == status
        assert story.codes() == []


def test_a_whole_change_is_judged_from_its_record_alone() -> None:
    """The counting sign-offs of a change, in the order of the record, complete it without the notes."""
    story = Story(a_policy(roles=THREE_MANAGERS, rules=[TWO]))
    for by in (ADA, MO):
        story.sign(by, "approve", seen=None)
    story.sign(BO, "implement", seen=None)
    story.sign(DEE, "validate", seen=None)
    story.facts["order_known"] = False
    assert story.verdict(documented=True).status == "documented"


# -- the policy by which a sign-off is judged ------------------------------------------------


def test_who_held_the_role_when_it_was_witnessed_still_counts() -> None:
    """An approval by somebody who has left the role since counts, when it was held where it was witnessed."""
    story = Story()
    made = story.sign(BO, "approve")
    story.signed = [replace(made, held=frozenset({"change-manager"}))]
    assert story.status == "approved"


@pytest.mark.parametrize("held", [frozenset(), frozenset({"security", "developer"})])
def test_who_did_not_hold_the_role_when_it_was_witnessed_does_not_count(held: frozenset[str]) -> None:
    """An approval does not become good because its signer was given the role afterwards."""
    story = Story()
    made = story.sign(ADA, "approve")
    story.signed = [replace(made, held=held)]
    assert story.status == "requested"
    assert story.codes() == ["sign-off.role-not-held"]


def test_a_refusal_by_somebody_who_has_left_the_role_still_stands() -> None:
    """Taking the role from whoever refused does not take the refusal away, once it is witnessed."""
    story = Story().approved()
    made = story.sign(BO, "reject", "change-manager")
    story.signed[-1] = replace(made, held=frozenset({"change-manager"}))
    assert story.status == "rejected"
