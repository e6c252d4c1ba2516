"""Machines that keep results: nothing that they sign about a change counts, whatever roles they are given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.lifecycle import duties
from gitchange.lifecycle.policy_diff import differences
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy, load_policy
from gitchange.model.statement import VerdictName
from gitchange.values import replace
from tests.unit.lifecycle.builders import (
    ADA,
    NOW,
    ROLES,
    TREE,
    Story,
    a_policy,
    policy_data,
    policy_files,
    rule,
)
from tests.unit.lifecycle.stories import VERDICT_NAMES, stories

CI = "ci@example.org"
RECORDING = {**ROLES, "recorder": {"members": [CI]}}


@settings(max_examples=150, deadline=None)
@given(
    stories(),
    st.lists(
        st.tuples(st.sampled_from(VERDICT_NAMES), st.sampled_from([*ROLES, "recorder"])),
        min_size=1,
        max_size=3,
    ),
)
def test_what_a_recorder_signs_changes_nothing(story: Story, signed: list[tuple[VerdictName, str]]) -> None:
    """Refusals, too: the verdict is what it was, even where a policy had given the machine every role."""
    before = story.verdict()
    for verdict, role in signed:
        made = story.sign(CI, verdict, role)
        story.signed[-1] = replace(made, held=frozenset({*ROLES, "recorder"}))
    after = story.verdict()
    assert (after.status, after.complete, after.flags, after.steps) == (
        before.status, before.complete, before.flags, before.steps,
    )  # fmt: skip


@pytest.mark.parametrize("verdict", ["approve", "reject", "implement", "withdraw"])
def test_a_recorder_is_told_why(verdict: VerdictName) -> None:
    """Before signing and after, the reason is that a machine signed."""
    story = Story(a_policy(roles=RECORDING))
    tried = story.rehearse(CI, verdict)
    assert not tried.counts
    assert [f.code for f in tried.objections] == ["sign-off.by-recorder"]
    story.sign(CI, verdict)
    assert story.codes() == ["sign-off.by-recorder"]
    assert story.status == "requested"


def test_a_recorder_neither_requests_nor_documents() -> None:
    """A validated change waits for persons, and nobody plans with a machine that requests."""
    policy = a_policy(roles=RECORDING)
    (upcoming,) = Story(policy).validated().verdict().next
    assert CI not in upcoming.who
    assert ADA in upcoming.who
    assert CI in policy.people
    assert duties.findings(policy, policy.people, NOW) == ()
    from_machine = Story(policy, requester=CI)
    assert from_machine.change.requester not in policy.requesters


def findings_of(**changes: object) -> tuple[Policy | None, tuple[Finding, ...]]:
    """What is found in a policy with these top-level keys put in place."""
    return load_policy(policy_files(policy_data(**changes)), TREE)


@pytest.mark.parametrize("role", [name for name in ROLES if name != "root"])
def test_a_recorder_holds_no_other_role(role: str) -> None:
    """A policy that gives a machine a second role cannot be read; the mend is told."""
    members = [*ROLES[role]["members"], CI]
    policy, found = findings_of(roles={**RECORDING, role: {"members": members}})
    assert policy is None
    (finding,) = found
    assert finding.code == "policy.recorder-with-another-role"
    assert f"{CI} is a recorder and also holds {role}" in finding.message
    assert (finding.path, finding.key) == ("policy/policy.toml", "roles.recorder.members")
    assert "no other role" in finding.hint


@pytest.mark.parametrize("step", ["evaluation", "implementation", "validation"])
def test_no_rule_asks_for_a_recorder(step: str) -> None:
    """A rule that asks for the role could never be met, so it is an error of the policy."""
    policy, found = findings_of(
        roles=RECORDING, rules=[rule(), rule(name="another", **{step: {"role": "recorder"}})]
    )
    assert policy is None
    assert [f.code for f in found] == ["policy.recorder-asked"]


def test_a_policy_that_brings_recorders_says_what_they_may() -> None:
    """Who joins as a machine may keep results, and is not said to request; who leaves, the other way round."""
    before, after = a_policy(), a_policy(roles=RECORDING, version=2)
    said = [d.sentence for d in differences(before, after)]
    assert f"{CI} gains: may keep results of coverage and gate (recorder)" in said
    assert not any("may now request" in sentence for sentence in said)
    said = [d.sentence for d in differences(after, before)]
    assert f"{CI} loses: can no longer keep results of coverage and gate (recorder)" in said
    assert not any("can no longer request" in sentence for sentence in said)


def test_a_person_who_becomes_a_machine_requests_no_more() -> None:
    """That somebody can do less is told."""
    person = a_policy(roles={**ROLES, "requester": {"members": [CI]}})
    said = [d.sentence for d in differences(person, a_policy(roles=RECORDING, version=2))]
    assert f"{CI} can no longer request and document changes: a recorder only keeps results" in said
