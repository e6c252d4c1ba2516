"""A rule as a sentence says to whom it applies and what it asks."""

from __future__ import annotations

from gitchange.lifecycle import policy_words
from gitchange.model.policy import Deadlines, Rule
from tests.unit.site.builder import example_policy


def rule(**when: object) -> Rule:
    """A rule with those conditions."""
    return Rule.model_validate(
        {"name": "r", "when": when, "evaluation": {"role": "security", "approvals": 2}}
    )


def test_conditions_are_named() -> None:
    """Types, risk, systems, environments and customer information each become words."""
    policy = example_policy()
    assert policy_words.applies_to(rule(), policy) == "Every change"
    assert (
        policy_words.applies_to(
            rule(
                types=["normal"], risk=["high", "critical"], systems=["api", "database"], customer_data=False
            ),
            policy,
        )
        == "Every normal change of high or critical risk to Public API or Customer database "
        "that touches no customer information"
    )
    assert policy_words.applies_to(rule(environments=["production"]), policy) == "Every change in production"


def test_demands_are_counted() -> None:
    """Two approvals are two persons."""
    assert policy_words.demands(rule()) == (("evaluation", "evaluated by 2 persons as security"),)


def test_deadlines_are_sentences() -> None:
    """Each deadline that is set is a sentence; the others are not mentioned."""
    limits = Deadlines(validation="1d", emergency_approval="90m")
    assert policy_words.deadlines(limits) == (
        "An implementation is validated within 1 day.",
        "An emergency change is approved by a second person within 90 minutes of its implementation.",
    )
