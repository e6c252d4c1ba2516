"""What holds for every change, whoever signed what: checked on random stories."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.lifecycle import rules
from gitchange.model.policy import Policy
from gitchange.model.statement import VerdictName
from gitchange.values import replace
from tests.unit.lifecycle.builders import ADA, BO, DEE, DOUBT, NOW, Story, a_sign_off
from tests.unit.lifecycle.stories import (
    FROZEN,
    MOMENTS,
    ONE,
    PEOPLE,
    REFUSALS,
    TWO,
    VERDICT_NAMES,
    WAIVED,
    essence,
    stories,
)

MANY = settings(max_examples=120, deadline=None)

RANK = {
    "withdrawn": 0,
    "rejected": 0,
    "info-requested": 0,
    "requested": 1,
    "failed": 1,
    "approved": 2,
    "implemented": 3,
    "validated": 4,
    "documented": 5,
}
"""How far a change is accepted."""


@MANY
@given(stories(), st.data())
def test_claimed_times_and_the_order_of_listing_decide_nothing(story: Story, data: st.DataObject) -> None:
    """With any other claimed times, and listed in any other order, the verdict is the same."""
    before = essence(story.verdict())
    times = data.draw(st.lists(MOMENTS, min_size=len(story.signed), max_size=len(story.signed)))
    told = [replace(s, time=time.isoformat()) for s, time in zip(story.signed, times, strict=True)]
    story.signed = data.draw(st.permutations(told))
    assert essence(story.verdict()) == before


@MANY
@given(
    stories(policies=(ONE, TWO, WAIVED)),
    st.sampled_from(PEOPLE),
    st.sampled_from(REFUSALS),
    st.sampled_from([None, "security", "developer"]),
)
def test_a_refusal_never_helps_a_change(
    story: Story, by: str, verdict: VerdictName, role: str | None
) -> None:
    """A refusal by somebody who has seen everything never moves a change to a more accepted status."""
    before = story.verdict()
    story.sign(by, verdict, role)
    after = story.verdict()
    assert RANK[after.status] <= RANK[before.status]
    assert after.complete <= before.complete or verdict == "back-out"


@MANY
@given(stories())
def test_a_doubt_never_helps_a_change(story: Story) -> None:
    """While something cannot be authenticated no change is complete, and none is further than without it."""
    before = story.verdict()
    story.facts["doubts"] = (DOUBT,)
    after = story.verdict()
    assert not after.complete
    assert "in doubt" in after.flags
    assert RANK[after.status] <= RANK[before.status]
    assert story.verdict(documented=True).status != "documented"


@MANY
@given(stories(policies=(ONE, TWO, WAIVED), gaps=False), st.data())
def test_not_knowing_what_was_seen_never_helps_a_change(story: Story, data: st.DataObject) -> None:
    """Where what an approver or a validator had seen is unknown, the change is never further than otherwise."""
    before = story.verdict()
    told = [
        replace(s, seen=None) if s.verdict in ("approve", "validate") and data.draw(st.booleans()) else s
        for s in story.signed
    ]
    story.signed = told
    # What does not count as implemented cannot have failed: then the change is approved, no more.
    assert RANK[story.verdict().status] <= max(RANK[before.status], 2 * (before.status == "failed"))


@MANY
@given(stories())
def test_what_a_withdrawn_change_needs_is_a_new_request(story: Story) -> None:
    """Nothing that is signed on a withdrawn text makes it anything else."""
    if story.status != "withdrawn":
        return
    for by in PEOPLE[:5]:
        for verdict in VERDICT_NAMES:
            story.sign(by, verdict)
    assert story.status == "withdrawn"


@settings(max_examples=200, deadline=None)
@given(stories())
def test_a_complete_change_went_through_everything_that_the_policy_asks(story: Story) -> None:
    """When a change is complete, each rule was met by persons who may, and no refusal is unanswered."""
    verdict = story.verdict()
    if not verdict.complete:
        return
    policy, change = story.policy, story.change
    waived = {waiver.waives for waiver in rules.waivers(policy, change, NOW)}
    implementers = {s.by for s in story.signed if s.step == "implementation"}
    # 1. Every demand is met by holders of the role.
    for step in ("evaluation", "implementation", "validation"):
        state = verdict.step(step)
        if state.state == "not-needed":
            assert change.type == "standard"
            continue
        for demand in rules.asked(policy, change, step):
            persons = {s.by for s in state.counting if s.role == demand.role}
            assert len(persons) >= demand.needed or (step == "implementation" and verdict.backed_out)
            assert persons <= set(policy.members(demand.role))
    # 2. Duties are separated.
    for sign_off in verdict.step("evaluation").counting:
        assert sign_off.by != change.requester or "evaluator-is-requester" in waived
        if sign_off.by != change.requester:
            assert sign_off.by not in story.facts["authors"] or "evaluator-is-author" in waived
    for sign_off in verdict.step("validation").counting:
        assert sign_off.by not in implementers or "validator-is-implementer" in waived
    # 3. Who implements had seen approvals, who validates had seen the implementation.
    current = {s.digest for s in verdict.step("implementation").counting}
    for sign_off in verdict.step("validation").counting:
        assert current <= (sign_off.seen or frozenset())
    approvals = {s.digest for s in verdict.step("evaluation").counting}
    if change.type == "normal":
        for sign_off in verdict.step("implementation").counting:
            assert approvals & (sign_off.seen or frozenset())
    # 4. Every refusal by somebody who may refuse was answered by that person, having seen it.
    for refusal in story.signed:
        roles = {a.role for a in rules.asked(policy, change, "evaluation")}
        if refusal.verdict in ("reject", "request-info") and refusal.role in roles:
            if refusal.by not in policy.members(refusal.role):
                continue
            assert any(
                s.by == refusal.by and s.step == "evaluation" and refusal.digest in (s.seen or ())
                for s in story.signed
            )
        if refusal.verdict == "fail" and refusal.by in policy.members(refusal.role) == "system-user":
            assert any(
                refusal.digest in (s.seen or ()) and (s.by == refusal.by or s.step == "implementation")
                for s in story.signed
            )
    # 5. Nobody did all of it alone.
    if not waived:
        assert len({change.requester, *(s.by for s in verdict.counting)}) >= 2
    # 6. Nobody is waited for but who documents it.
    assert {n.action for n in verdict.next} == {"document"}


@MANY
@given(stories())
def test_whoever_is_asked_next_can_do_it(story: Story) -> None:
    """Who is named as next can sign what is asked, and it counts."""
    doing: dict[str, VerdictName] = {
        "override": "override-freeze",
        "evaluate": "approve",
        "implement": "implement",
        "validate": "validate",
    }
    for upcoming in story.verdict().next:
        if upcoming.action in doing:
            for by in upcoming.who:
                rehearsal = story.rehearse(by, doing[upcoming.action], upcoming.role)
                assert rehearsal.counts, (upcoming, by, rehearsal.objections)


@MANY
@given(stories())
def test_an_open_change_waits_for_somebody_or_says_why_not(story: Story) -> None:
    """An open change names who is next, or a finding tells why there is nobody."""
    verdict = story.verdict()
    if verdict.status in ("rejected", "withdrawn"):
        assert verdict.next == ()
        return
    if all(n.who == () for n in verdict.next):
        assert "policy.nobody-can" in [f.code for f in verdict.findings]


@MANY
@given(stories(gaps=False))
def test_a_record_of_a_complete_change_completes_it_without_the_notes(story: Story) -> None:
    """The counting sign-offs of a complete change, in the order of a record, are complete by themselves."""
    verdict = story.verdict()
    if not verdict.complete:
        return
    for order_known in (True, False):
        alone = Story(story.policy)
        alone.change = story.change
        alone.facts = {**story.facts, "order_known": order_known}
        alone.signed = list(verdict.counting)
        assert alone.verdict(documented=True).status == "documented"


@MANY
@given(
    stories(),
    st.sampled_from(PEOPLE),
    st.sampled_from(VERDICT_NAMES),
    st.sampled_from([None, None, "security", "change-manager"]),
)
def test_a_rehearsal_says_what_the_verdict_will_say(
    story: Story, by: str, verdict: VerdictName, role: str | None
) -> None:
    """If a rehearsal says that a sign-off counts, the real one counts, and the status is as foretold."""
    rehearsal = story.rehearse(by, verdict, role)
    assert rehearsal.counts == (rehearsal.objections == ())
    if not rehearsal.counts:
        return
    before = story.verdict()
    made = story.sign(by, verdict, rehearsal.role)
    if verdict == "override-freeze":
        # The one that a rehearsal lifts, too.
        story.signed[-1] = replace(made, answers={"freezes": ["month"]})
    after = story.verdict()
    assert after.status == rehearsal.verdict.status
    if verdict == "override-freeze":
        assert "in freeze" not in after.flags
    elif verdict == "withdraw":
        assert after.status == "withdrawn"
    elif made not in after.step(made.step).counting:  # it takes back a refusal of one's own
        assert made.verdict in ("approve", "validate")
        assert by not in {s.by for s in after.step(made.step).counting}
        assert by in {s.by for s in before.step(made.step).counting}


@MANY
@given(stories(), st.sampled_from(PEOPLE), st.sampled_from(["approve", "validate"]))
def test_a_sign_off_that_a_rehearsal_refuses_moves_nothing(
    story: Story, by: str, verdict: VerdictName
) -> None:
    """If a rehearsal says that an approval or validation would not count, signing it completes nothing."""
    if story.rehearse(by, verdict).counts:
        return
    before = story.verdict()
    for role in story.policy.roles_of(by):
        told = Story(story.policy)
        told.change, told.facts, told.signed = story.change, story.facts, list(story.signed)
        told.sign(by, verdict, role)
        after = told.verdict()
        assert RANK[after.status] <= RANK[before.status]
        assert after.complete <= before.complete


def test_stories_get_far() -> None:
    """The random stories are no trivial ones: their happy part completes a change."""
    story = Story()
    for by, verdict in ((ADA, "approve"), (BO, "implement"), (DEE, "validate")):
        story.signed.append(a_sign_off(by, verdict, story.signed))  # type: ignore[arg-type]
    assert story.verdict().complete


@MANY
@given(stories(policies=(FROZEN,)))
def test_a_freeze_never_helps_a_change(story: Story) -> None:
    """Without the freeze a change is at least as far; with a hard one no change that it holds is complete.

    What is backed out before anybody lifts the freeze was never implemented by the rules, so that the change is only
    approved when somebody does: without the freeze it failed, which is as far.
    """
    held = story.verdict()
    free = replace_policy(story, ONE).verdict()
    as_far = RANK | {"failed": RANK["approved"]}
    assert as_far[held.status] <= as_far[free.status]
    assert held.complete <= free.complete
    if story.change.schedule is not None:
        lifted = any(s.verdict == "override-freeze" and s.role == "change-manager" for s in story.signed)
        assert lifted or not held.complete


def replace_policy(story: Story, policy: Policy) -> Story:
    """The same story under another policy."""
    other = Story(policy)
    other.change, other.signed, other.facts = story.change, story.signed, story.facts
    return other
