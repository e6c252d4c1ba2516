"""Whether a change can be completed, and by whom: held equal to the judge on random small policies."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.lifecycle import rules
from gitchange.lifecycle.satisfiable import (
    Kind,
    Need,
    Needs,
    Obstacle,
    Plan,
    change_of,
    kinds_of,
    needs_of,
    plan,
)
from gitchange.model.change import RISK_LEVELS
from gitchange.model.policy import Policy
from gitchange.model.statement import VerdictName
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EMERGENCY,
    EVE,
    MO,
    NOW,
    ROB,
    ROLES,
    STANDARD,
    Story,
    a_policy,
    risk,
    rule,
)

PEOPLE = (ADA, MO, BO, CY)
SIGNS: dict[str, VerdictName] = {
    "evaluation": "approve",
    "implementation": "implement",
    "validation": "validate",
}


def needs_in(story: Story, able: Iterable[str]) -> Needs:
    """What the story's change needs."""
    preapproved = story.verdict().step("evaluation").state == "not-needed"
    return needs_of(story.policy, story.change, frozenset(able), NOW, preapproved=preapproved)


# -- equal to the judge ----------------------------------------------------------------------------


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Three roles of up to four persons, up to three rules that ask for any of them, perhaps waivers."""
    members = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)
    roles = {name: {"members": draw(members)} for name in ("one", "two", "three")}

    def demand() -> dict[str, Any] | None:
        role = draw(st.sampled_from([None, *roles, *roles, *roles]))
        if role is None:
            return None
        return {"role": role, "approvals": draw(st.integers(1, len(roles[role]["members"])))}

    listed: list[dict[str, Any]] = []
    for name in range(draw(st.integers(1, 3))):
        when = draw(
            st.sampled_from(
                [
                    {},
                    {},
                    {"types": ["emergency"]},
                    {"customer_data": True},
                    {"risk": ["low"]},
                    {"systems": ["api"]},
                ]
            )
        )
        asked = {step: made for step in SIGNS if (made := demand()) is not None}
        listed.append({"name": str(name), "when": when, **asked})
    waived = draw(
        st.lists(
            st.sampled_from(["evaluator-is-requester", "evaluator-is-author", "validator-is-implementer"]),
            max_size=2,
        )
    )
    waivers = [
        {
            "waives": name,
            "reason": "Few people.",
            "expires": NOW.replace(year=draw(st.sampled_from([2025, 2099]))),
        }
        for name in waived
    ]
    return a_policy(roles=roles, rules=listed, waivers=waivers)


@st.composite
def unsigned(draw: st.DrawFn) -> tuple[Story, frozenset[str]]:
    """A request by somebody under a random policy, and the persons who can sign."""
    kind = draw(st.sampled_from([{}, {}, EMERGENCY, EMERGENCY, STANDARD]))
    level = draw(st.sampled_from([risk(), risk("likely", "severe")]))
    systems = (
        {}
        if kind is STANDARD
        else {"systems": draw(st.sampled_from([["api"], ["website"], ["api", "website"]]))}
    )
    requester = draw(st.sampled_from(PEOPLE))
    story = Story(draw(policies()), **{**kind, **systems, "requester": requester, "risks": [level]})
    story.facts["authors"] = frozenset({requester})
    return story, frozenset(draw(st.sets(st.sampled_from(PEOPLE), min_size=2)))


def signed(story: Story, sign_offs: Iterable[tuple[str, str, str]]) -> bool:
    """Whether the judge calls the change complete after these sign-offs, each by somebody who saw those before."""
    told = Story(story.policy)
    told.change, told.facts = story.change, story.facts
    for step, person, role in sign_offs:
        told.sign(person, SIGNS[step], role)
    verdict = told.verdict()
    return verdict.complete and not verdict.backed_out


def everybody(story: Story, able: frozenset[str], step: rules.SignedStep) -> list[tuple[str, str, str]]:
    """All sign-offs that could be made on a step."""
    asked = rules.asked(story.policy, story.change, step)
    return [(step, p, a.role) for a in asked for p in story.policy.members(a.role) if p in able]


@settings(max_examples=150, deadline=None)
@given(unsigned())
def test_the_plan_is_the_judges_word(drawn: tuple[Story, frozenset[str]]) -> None:
    """There is a plan exactly if some sign-offs complete the change, with each implementer too; and it completes it."""
    story, able = drawn
    needs = needs_in(story, able)
    # All who can evaluate and validate do, which never hurts; every set of implementers is tried.
    implementing = everybody(story, able, "implementation")
    persons = sorted({person for _, person, _ in implementing})
    subsets = chain.from_iterable(combinations(persons, size) for size in range(1, len(persons) + 1))
    possible = [
        set(some)
        for some in subsets
        if signed(
            story,
            [
                *everybody(story, able, "evaluation"),
                *(s for s in implementing if s[1] in some),
                *everybody(story, able, "validation"),
            ],
        )
    ]
    found = plan(needs, story.change.requester)
    assert bool(possible) == (not found.obstacles)
    for person in PEOPLE:
        made = plan(needs, story.change.requester, implementer=person)
        if found.obstacles or person in persons:
            assert any(person in some for some in possible) == (not made.obstacles)
        if not made.obstacles:
            assert ("implementation", person) in {(step, by) for step, by, _ in made.sign_offs}
            assert signed(story, made.sign_offs)
    if not found.obstacles:
        assert signed(story, found.sign_offs)
        assert {person for _, person, _ in found.sign_offs} <= able


@settings(max_examples=150, deadline=None)
@given(unsigned(), st.data())
def test_what_the_judge_accepts_was_possible(
    drawn: tuple[Story, frozenset[str]], data: st.DataObject
) -> None:
    """Whatever sign-offs complete a change, there was a plan for it."""
    story, able = drawn
    chosen: list[tuple[str, str, str]] = []
    for step in ("evaluation", "implementation", "validation"):
        chosen += [s for s in everybody(story, able, step) if data.draw(st.integers(0, 3))]
    if signed(story, chosen):
        assert plan(needs_in(story, able), story.change.requester).obstacles == ()


# -- single cases ----------------------------------------------------------------------------------


def planned(policy: Policy, requester: str = ROB, able: Iterable[str] | None = None, **change: Any) -> Plan:
    """The plan for a change of that requester."""
    story = Story(policy, requester=requester, **change)
    return plan(needs_in(story, policy.people if able is None else able), requester)


def only(**members: list[str]) -> dict[str, Any]:
    """The roles with these members put in place."""
    named = {name.replace("_", "-"): {"members": who} for name, who in members.items()}
    return {**ROLES, **named}


def why(found: Plan) -> list[tuple[str, str, str]]:
    """The obstacles: step, why, role."""
    return [(o.step, o.why, ",".join(n.role for n in o.needs)) for o in found.obstacles]


def test_a_plan_names_who_signs_what() -> None:
    """A plan names persons and roles of every step; implementers do not validate."""
    found = planned(a_policy(roles=only(change_manager=[ADA], developer=[CY], system_user=[CY, DEE])))
    assert found.sign_offs == (
        ("evaluation", ADA, "change-manager"),
        ("implementation", CY, "developer"),
        ("validation", DEE, "system-user"),
    )


CASES: dict[str, tuple[Policy, dict[str, Any], list[tuple[str, str, str]]]] = {
    "the only change manager requests": (
        a_policy(roles=only(change_manager=[ADA])),
        {"requester": ADA},
        [("evaluation", "requester", "change-manager")],
    ),
    "both change managers are needed and one requests": (
        a_policy(rules=[rule(evaluation={"role": "change-manager", "approvals": 2})]),
        {"requester": MO},
        [("evaluation", "requester", "change-manager")],
    ),
    "the only user is the only developer": (
        a_policy(roles=only(developer=[BO], system_user=[BO])),
        {},
        [("validation", "implementers", "system-user")],
    ),
    "two developers of two are needed, who are the users": (
        a_policy(
            rules=[rule(implementation={"role": "developer", "approvals": 2})],
            roles=only(system_user=[BO, CY]),
        ),
        {},
        [("validation", "implementers", "system-user")],
    ),
    "the only developer is the only other change manager": (
        a_policy(roles=only(change_manager=[ADA, BO], developer=[BO])),
        {"requester": ADA, **EMERGENCY},
        [("evaluation", "implementers", "change-manager")],
    ),
    "each role alone could be spared, but not both": (
        a_policy(
            rules=[rule(), rule(name="more", validation={"role": "security"})],
            roles=only(developer=[BO, CY], system_user=[BO], security=[CY]),
        ),
        {},
        [("validation", "implementers", "system-user,security")],
    ),
    "no rule speaks of the validation": (
        a_policy(rules=[{k: v for k, v in rule().items() if k != "validation"}]),
        {},
        [("validation", "no-rule", "")],
    ),
    "few have keys, and they are enough": (
        a_policy(),
        {"able": [ADA, MO, BO, CY]},
        [],
    ),
    "too few of a role have keys": (
        a_policy(roles=only(system_user=[DEE, EVE])),
        {"able": [ADA, MO, BO, CY]},
        [("validation", "too-few", "system-user")],
    ),
    "a standard change needs no change manager": (
        a_policy(),
        {"able": [BO, DEE], **STANDARD},
        [],
    ),
    "a waiver lets the requester evaluate": (
        a_policy(
            roles=only(change_manager=[ADA]),
            waivers=[
                {
                    "waives": "evaluator-is-requester",
                    "reason": "Two people.",
                    "expires": NOW.replace(year=2027),
                }
            ],
        ),
        {"requester": ADA},
        [],
    ),
    "a waiver that ended lets nobody": (
        a_policy(
            roles=only(change_manager=[ADA]),
            waivers=[{"waives": "evaluator-is-requester", "reason": "Two people.", "expires": NOW}],
        ),
        {"requester": ADA},
        [("evaluation", "requester", "change-manager")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_obstacles(name: str) -> None:
    """What stands in the way of a change is named by step, reason and role."""
    policy, asked, expected = CASES[name]
    assert why(planned(policy, **asked)) == expected


def test_one_developer_is_chosen_so_that_a_user_remains() -> None:
    """Of two developers the one implements who is not the only user."""
    found = planned(a_policy(roles=only(developer=[CY, BO], system_user=[CY])))
    assert ("implementation", BO, "developer") in found.sign_offs
    assert ("implementation", CY, "developer") not in found.sign_offs


def test_a_hard_choice_among_many_is_made_at_once() -> None:
    """Persons with the same roles are interchangeable, so that a large company is no longer to decide on."""
    people = [f"p{n}@example.org" for n in range(60)]
    need = Need("developer", 20, tuple(people))
    needs = Needs(None, (need,), (Need("system-user", 41, tuple(people)),), False, ())
    found = plan(needs, ROB)
    assert found.obstacles == (
        Obstacle("validation", "implementers", needs.validation, needs.implementation),
    )


def test_kinds_of_change() -> None:
    """The kinds are type × risk × system × environment, standard ones only within models that stand."""
    policy = a_policy()
    kinds = kinds_of(policy, NOW)
    assert len(set(kinds)) == len(kinds)
    assert {kind.risk for kind in kinds if kind.type == "emergency"} == set(RISK_LEVELS)
    assert {kind.environments for kind in kinds if kind.systems == ("api",)} == {
        (),
        ("staging",),
        ("production",),
    }
    assert [k for k in kinds if k.type == "standard"] == [Kind("standard", "low", ("website",), (), "patch")]
    ended = a_policy(models={"patch": {"title": "Routine patch", "expires": NOW}})
    assert "standard" not in {kind.type for kind in kinds_of(ended, NOW)}


@pytest.mark.parametrize("level", RISK_LEVELS)
def test_a_change_of_a_kind_is_of_that_kind(level: Any) -> None:
    """The change that stands for a kind has its type, risk, systems and environments."""
    change = change_of(Kind("emergency", level, ("api",), ("staging",)))
    assert (change.type, change.risk, change.systems, change.environments) == (
        "emergency",
        level,
        ("api",),
        ("staging",),
    )
