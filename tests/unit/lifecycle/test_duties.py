"""What the members of a policy cannot do, in words."""

from __future__ import annotations

from typing import Any

import pytest

from gitchange.lifecycle import duties
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EVE,
    MO,
    NOW,
    ROB,
    ROLES,
    SECURITY,
    SYSTEMS,
    a_policy,
    rule,
)


def found(policy: Policy, able: tuple[str, ...] | None = None) -> tuple[Finding, ...]:
    """The findings when these persons can sign; everybody when not given."""
    return duties.findings(policy, policy.people if able is None else able, NOW)


def only(**members: list[str]) -> dict[str, Any]:
    """The roles with these members put in place."""
    return {**ROLES, **{name.replace("_", "-"): {"members": who} for name, who in members.items()}}


def waiver(name: str, **more: Any) -> dict[str, Any]:
    """A waiver that holds until the new year."""
    return {"waives": name, "reason": "Few people.", "expires": NOW.replace(month=12, day=31), **more}


def test_a_policy_that_can_be_satisfied_has_no_finding() -> None:
    """A policy whose members can complete every kind of change, whoever requests it, has nothing to mend."""
    assert found(a_policy()) == ()


CASES: dict[str, tuple[Policy, str, str, str]] = {
    "one change manager, who may request": (
        a_policy(roles=only(change_manager=[ADA])),
        *("duties.no-evaluator", "warning"),
        f"normal and emergency changes that {ADA} requests cannot be evaluated: change-manager is only {ADA}",
    ),
    "all change managers are needed": (
        a_policy(rules=[rule(evaluation={"role": "change-manager", "approvals": 2})]),
        *("duties.no-evaluator", "warning"),
        f"normal and emergency changes that {ADA} and {MO} request cannot be evaluated: 2 × change-manager must sign, "
        f"which is only {ADA} and {MO}, and the requester cannot be one of them",
    ),
    "one security officer": (
        a_policy(roles=only(security=[EVE])),
        *("duties.no-evaluator", "warning"),
        f"changes of high or critical risk to systems with customer information that {EVE} requests cannot be "
        f"evaluated: security is only {EVE}",
    ),
    "one rule for production": (
        a_policy(
            rules=[
                rule(),
                {"name": "production", "when": {"environments": ["production"], "systems": ["api"]}}
                | {"evaluation": {"role": "boss"}},
            ],
            roles=only(boss=[MO]),
        ),
        *("duties.no-evaluator", "warning"),
        f"changes to api in production that {MO} requests cannot be evaluated: boss is only {MO}",
    ),
    "the only user is the only developer": (
        a_policy(roles=only(developer=[BO], system_user=[BO])),
        *("duties.no-validator", "error"),
        "changes cannot be validated by anybody else than the implementers: "
        f"developer is only {BO}, and system-user is only {BO}",
    ),
    "one of two developers is the only user": (
        a_policy(roles=only(developer=[BO, CY], system_user=[CY])),
        *("duties.nobody-left", "warning"),
        f"changes that {CY} implements nobody can validate: system-user is only {CY}",
    ),
    "the only developer is the other change manager": (
        a_policy(roles=only(change_manager=[ADA, BO], developer=[BO])),
        *("duties.no-second-person", "warning"),
        f"emergency changes that {ADA} requests cannot be approved by a second person, who neither requests nor "
        f"implements: developer is only {BO}, and change-manager is only {ADA} and {BO}",
    ),
    "no rule for the validation of emergencies": (
        a_policy(
            rules=[
                rule(when={"types": ["normal", "standard"]}),
                {k: v for k, v in rule(name="fast").items() if k != "validation"},
            ]
        ),
        *("policy.no-rule", "error"),
        "no rule says who may sign the validation of emergency changes, so none of them can ever be completed",
    ),
    "no rule for a system": (
        a_policy(
            rules=[
                rule(when={"systems": ["api", "database"]}),
                rule(name="web", when={"systems": ["website"]}, validation={"role": "system-user"})
                | {"evaluation": {"role": "change-manager"}},
                {"name": "none", "when": {"systems": ["intranet"], "customer_data": False}}
                | {"implementation": {"role": "developer"}, "validation": {"role": "system-user"}},
            ],
            systems={**SYSTEMS, "intranet": {"name": "Intranet", "customer_data": False}},
        ),
        *("policy.no-rule", "error"),
        "no rule says who may sign the evaluation of changes to intranet, so none of them can ever be completed",
    ),
    "a waiver that carries": (
        a_policy(roles=only(change_manager=[ADA]), waivers=[waiver("evaluator-is-requester")]),
        *("duties.only-by-waiver", "note"),
        f"normal and emergency changes that {ADA} requests can be evaluated only because of the waiver "
        f"evaluator-is-requester, until 2026-12-31: change-manager is only {ADA}",
    ),
    "a waiver that carries a validation": (
        a_policy(roles=only(developer=[BO], system_user=[BO]), waivers=[waiver("validator-is-implementer")]),
        *("duties.only-by-waiver", "note"),
        "changes can be validated only because of the waiver validator-is-implementer, until 2026-12-31: "
        f"developer is only {BO}, and system-user is only {BO}",
    ),
    "two systems whose roles exclude each other": (
        a_policy(
            rules=[
                rule(when={"systems": ["website"]}, validation={"role": "requester"}),
                rule(name="data", when={"systems": ["database"]}, implementation={"role": "operator"}),
            ],
            roles=only(developer=[BO], operator=[ROB], system_user=[DEE]),
            systems={name: SYSTEMS[name] for name in ("database", "website")},
        ),
        *("duties.several-systems", "warning"),
        "normal and emergency changes to database and website at once cannot be validated, though those to each of "
        f"them can: developer is only {BO}, operator is only {ROB}, and requester is only {ROB}",
    ),
    "a rule whose conditions contradict each other": (
        a_policy(rules=[rule(), rule(name="never", when={"systems": ["website"], "customer_data": True})]),
        *("policy.idle-rule", "warning"),
        "rule 'never' matches no change to one system, only to several at once",
    ),
    "a rule for a model that there is not": (
        a_policy(rules=[rule(), rule(name="never", when={"types": ["standard"]})], models={}),
        *("policy.idle-rule", "warning"),
        "rule 'never' matches no change at all, so it asks for nothing",
    ),
    "no systems": (
        a_policy(systems={}, models={}, rules=[rule()]),
        *("policy.no-systems", "error"),
        "there are no systems, so no change to any of them can be requested",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_trouble_is_one_finding(name: str) -> None:
    """Each thing that a policy cannot give is said once, in whole sentences, with a mend."""
    policy, code, severity, message = CASES[name]
    (finding,) = (f for f in found(policy) if f.severity != "note" or code == "duties.only-by-waiver")
    assert (finding.code, finding.severity, finding.message) == (code, severity, message)
    assert finding.hint
    assert finding.path.startswith("policy/")


def test_who_has_no_key_does_not_count() -> None:
    """Members without a key that counts are no help, and the words say so."""
    policy = a_policy(roles=only(system_user=[DEE, EVE]))
    (finding,) = found(policy, (ADA, MO, BO, CY))
    assert (finding.code, finding.severity) == ("policy.too-few-keys", "error")
    assert finding.message == (
        "changes cannot be validated: 1 × system-user must sign, and of its members nobody can: "
        "the others have no key that counts"
    )
    assert {f.message for f in found(policy, (ADA, EVE, BO, CY, DEE))} == {
        f"normal and emergency changes that {ADA} requests cannot be evaluated: change-manager is only {ADA}"
    }


def test_who_does_everything_alone_can_do_nothing() -> None:
    """In a policy of one person nothing can be evaluated or validated, whoever requests it: errors."""
    policy = a_policy(roles={name: {"members": [ADA]} for name in ROLES})
    assert {(f.code, f.severity) for f in found(policy)} == {
        ("duties.no-evaluator", "error"),
        ("duties.no-validator", "error"),
    }


def test_a_waiver_of_an_emergency_approval_is_never_proposed() -> None:
    """Nothing waives that an emergency is approved by a second person, so no such waiver is named as a mend."""
    (finding,) = found(a_policy(roles=only(change_manager=[ADA, BO], developer=[BO])))
    assert finding.hint == "add another member who does not implement to change-manager"


def test_a_waiver_for_one_system_leaves_the_others() -> None:
    """What is waived for one system only is still told of the others."""
    policy = a_policy(
        roles=only(change_manager=[ADA]), waivers=[waiver("evaluator-is-requester", systems=["api"])]
    )
    by_code = {finding.code: finding.message for finding in found(policy)}
    assert set(by_code) == {"duties.no-evaluator", "duties.only-by-waiver"}
    assert by_code["duties.no-evaluator"].startswith(
        "normal and emergency changes to database or website that"
    )
    assert by_code["duties.only-by-waiver"].startswith(f"changes to api that {ADA} requests can be")


def test_many_kinds_of_trouble_stay_few_words() -> None:
    """A company with many systems, rules and persons gets a few findings, not one for each of thousands of kinds."""
    systems = {f"s{n}": {"name": f"S{n}", "customer_data": n % 2 == 0} for n in range(40)}
    own = [
        {"name": f"owner of s{n}", "when": {"systems": [f"s{n}"]}, "evaluation": {"role": "change-manager"}}
        for n in range(40)
    ]
    policy = a_policy(
        roles=only(change_manager=[ADA]), systems=systems, models={}, rules=[rule(), SECURITY, *own]
    )
    (finding,) = found(policy)
    assert finding.message.startswith(f"changes that {ADA} requests cannot be evaluated")


def test_the_words_do_not_depend_on_chance() -> None:
    """The same policy gives the same findings in the same order, whatever the order of sets."""
    policy = a_policy(
        rules=[
            rule(),
            {"name": "p", "when": {"environments": ["production"]}, "evaluation": {"role": "security"}},
        ],
        roles=only(change_manager=[ADA], security=[EVE], developer=[BO], system_user=[BO, DEE]),
    )
    assert [f.message for f in found(policy)] == [
        f"normal and emergency changes that {ADA} requests cannot be evaluated: change-manager is only {ADA}",
        f"changes to api in production; normal and emergency changes to database or website that {EVE} requests "
        f"cannot be evaluated: security is only {EVE}",
    ]
