"""Why a sign-off does not count is said in one sentence, for every rule."""

from __future__ import annotations

import pytest

from gitchange.assessment.shapes import show_json
from gitchange.site.change_page import change_page
from tests.unit.site.builder import ADA, BO, CY, DEE, EVE, Case, example_change

PASSED = {"works": True, "no_security_risk": True, "evidence": ["seen"]}


def reason(case: Case, place: int) -> str:
    """The sentence on the card at that place, oldest first."""
    card = change_page(show_json(case.assess())).cards[place]
    assert card.counts == (not card.reason)
    return card.reason


def test_a_counting_sign_off_needs_no_reason() -> None:
    """Where the verdict counts a sign-off, the card says so."""
    assert reason(Case(example_change()).approve(), 0) == ""


@pytest.mark.parametrize(
    ("case", "place", "words"),
    [
        (Case(example_change(requester=ADA)).approve(), 0, "requested the change and cannot evaluate"),
        (Case(example_change()).approve(by=EVE), 0, "does not hold that role"),
        (Case(example_change()).approve(by=EVE, role="security"), 0, "no rule asks for"),
        (Case(example_change()).implement(), 0, "without having seen its approval"),
        (Case(example_change()).approve().implement().sign(
            "validation", "validate", BO, "system-user", PASSED), 2, "does not hold that role"),
        (Case(example_change()).approve().sign(
            "validation", "validate", DEE, "system-user", PASSED), 1, "without an implementation"),
        (Case(example_change()).approve().sign(
            "evaluation", "reject", ADA, "change-manager", {}, "no"), 0, "latest word"),
        (Case(example_change()).approve(earlier_text=True), 0, "earlier text"),
        (Case(example_change()).sign("withdrawal", "withdraw", EVE, "security", {}, "no"), 0, "cannot withdraw"),
    ],
    ids=["requester", "role not held", "role not asked", "before approval", "validator", "before implementation",
         "changed mind", "stale", "not entitled"],
)  # fmt: skip
def test_a_sign_off_that_does_not_count_says_why(case: Case, place: int, words: str) -> None:
    """Each rule that excludes a sign-off has its sentence."""
    assert words in reason(case, place)


def test_a_withdrawal_that_stands_counts() -> None:
    """It decides the status, though it belongs to none of the five steps."""
    case = Case(example_change()).sign("withdrawal", "withdraw", CY, "requester", {}, "not needed")
    assert reason(case, 0) == ""
