"""A rule as a sentence says to whom it applies and what it asks."""

from __future__ import annotations

import datetime as dt

from gitchange.lifecycle import policy_words
from gitchange.model.policy import Deadlines, Freeze, Parameter, Rule
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


def a_freeze(**changes: object) -> Freeze:
    """A freeze at the end of the year, with these keys."""
    return Freeze.model_validate(
        {
            "name": "end of year",
            "reason": "Nobody is there.",
            "kind": "hard",
            "zone": "Europe/Paris",
            "start": dt.datetime(2026, 12, 24, 18),
            "end": dt.datetime(2027, 1, 2, 8),
            **changes,
        }
    )


def test_a_freeze_is_told_with_its_time_and_whom_it_holds() -> None:
    """On the clocks of its zone; what recurs in a simple way is said so."""
    policy = example_policy()
    time = "2026-12-24 18:00 to 2027-01-02 08:00, Europe/Paris"
    assert policy_words.freeze_time(a_freeze(), policy) == time
    assert policy_words.freeze_time(a_freeze(recurrence="FREQ=YEARLY"), policy) == f"{time}, and every year"
    weekly = a_freeze(recurrence="FREQ=WEEKLY;BYDAY=TH")
    assert policy_words.freeze_time(weekly, policy) == f"{time}, and every week"
    odd = a_freeze(recurrence="FREQ=MONTHLY;BYDAY=4TH;COUNT=3")
    assert policy_words.freeze_time(odd, policy) == "".join(
        (time, ", and again by FREQ=MONTHLY;BYDAY=4TH;COUNT=3")
    )
    assert policy_words.freeze_holds(a_freeze(), policy) == (
        "Every change that is planned in it, emergencies excepted, is not approved. Nobody lifts it."
    )
    soft = a_freeze(kind="soft", override={"role": "security"}, when={"types": ["normal", "emergency"]})
    assert policy_words.freeze_holds(soft, policy) == (
        "Every normal or emergency change that is planned in it is not approved "
        "unless one person as security let it through, with a reason."
    )


def test_the_bounds_of_a_parameter() -> None:
    """Its choices, its pattern, whether it may be left out."""
    bounds = policy_words.bounds
    assert bounds(Parameter.model_validate({})) == "a text"
    assert bounds(Parameter.model_validate({"pattern": "[a-z]+"})) == "a text that matches [a-z]+"
    given = Parameter.model_validate({"choices": ["one", "two"], "required": False})
    assert bounds(given) == "one of one, two, or left out"
