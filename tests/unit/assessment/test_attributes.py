"""Attributes: what is evidenced, an exception, open or no question of a change, from its verdict and its sign-offs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitchange.assessment.attributes import ATTRIBUTES, Answer, Case
from gitchange.assessment.overview import Assessment, Version
from gitchange.assessment.shapes import show_json
from gitchange.model.evidence import SignOff
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy
from gitchange.values import replace
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EMERGENCY,
    MO,
    NOW,
    ROB,
    ROLES,
    STANDARD,
    ZED,
    Story,
    a_policy,
    risk,
)

DEADLINES = {
    "evaluation": "2d",
    "validation": "2d",
    "documentation": "2d",
    "emergency_approval": "24h",
    "emergency_validation": "3d",
}
LATE = NOW + dt.timedelta(days=5)
IMPORTED = {"imported": {"commit": "c" * 40}}


def case(
    story: Story,
    now: dt.datetime = NOW,
    *,
    documented: bool = False,
    until: dt.datetime | None = None,
    found: tuple[Finding, ...] = (),
) -> Case:
    """The change of a story, as it is asked about at a moment."""
    evidence, verdict = story.evidence, story.verdict(now, documented=documented)
    asked = Version("d" * 40, "Rob", ROB, NOW, "Ask", evidence.blob, "requested")
    assessment = Assessment(
        story.change.path,
        b"",
        story.change,
        evidence,
        verdict,
        story.policy,
        (asked,),
        (*found, *verdict.findings),
    )
    end = int(until.timestamp()) if until is not None else None
    return Case(show_json(assessment), story.policy, end)


def unreadable() -> Case:
    """A file of which nothing can be said."""
    found = Finding("change.syntax", "it is no TOML", path="changes/2026/11/x.toml")
    shape = show_json(Assessment("changes/2026/11/x.toml", b"", None, None, None, a_policy(), (), (found,)))
    return Case(shape, a_policy())


def ask(name: str, of: Case) -> Answer | None:
    """What an attribute says."""
    return ATTRIBUTES[name].ask(of)


def state(name: str, of: Case) -> str:
    """The word of the answer; `none` where it does not apply."""
    answer = ask(name, of)
    return answer.state if answer is not None else "none"


def why(name: str, of: Case) -> str:
    """The reason of an exception or of what is open."""
    answer = ask(name, of)
    assert answer is not None
    assert answer.state != "evidenced"
    return answer.why


def answering(story: Story, verdict: str, **answers: Any) -> Story:
    """The same story; sign-offs of that verdict have these answers."""
    story.signed = [replace(s, answers=answers) if s.verdict == verdict else s for s in story.signed]
    return story


def timed(policy: Policy | None = None, **changes: Any) -> Story:
    """A story under a policy with deadlines, requested now."""
    story = Story(policy or a_policy(deadlines=DEADLINES), **changes)
    story.facts["requested_at"] = NOW
    return story


def waiving(rule: str) -> Policy:
    """A policy that waives a separation of duties."""
    waiver = {"waives": rule, "reason": "Holidays.", "expires": NOW + dt.timedelta(days=1)}
    return a_policy(waivers=[waiver])


# -- the request -------------------------------------------------------------------------------


def test_a_request_that_can_be_read_is_one() -> None:
    """The format asks for reason, scope, steps, risks and a way back, so whoever can read it has them."""
    of = case(Story())
    for name in ("requested", "written-first", "risks-assessed", "rollback"):
        assert state(name, of) == "evidenced"


def test_an_unreadable_file_is_one_exception_and_not_twenty() -> None:
    """It is told once, with what is wrong; no other question can be asked of it."""
    answers = {name: state(name, unreadable()) for name in ATTRIBUTES}
    assert answers.pop("requested") == "exception"
    assert why("requested", unreadable()) == "its file cannot be read: it is no TOML"
    assert set(answers.values()) == {"none"}


def test_errors_of_a_text_are_exceptions() -> None:
    """A text that names what nobody knows is no request yet."""
    error = Finding("change.unknown-system", "no system 'x' in policy/systems.toml")
    assert why("requested", case(Story(), found=(error,))).endswith("no system 'x' in policy/systems.toml")


def test_an_imported_request_was_written_after_the_fact() -> None:
    """It is told with its commit; once it is implemented, its approval did not come first either."""
    of = case(Story(**IMPORTED).implemented())
    assert why("written-first", of) == "it was written after the fact, from commit cccccccccccc (imported)"
    assert "approved afterwards" in why("approved-first", of)


@pytest.mark.parametrize(
    ("field", "name"), [("security_impact", "security-impact"), ("privacy_impact", "privacy-impact")]
)
def test_impacts(field: str, name: str) -> None:
    """A word on it, or a risk of that category; whoever implemented without is an exception, before that it is open."""
    assert state(name, case(Story())) == "open"
    assert state(name, case(Story().implemented())) == "exception"
    assert (
        state(name, case(Story(**{field: "None: it is the same key length."}).implemented())) == "evidenced"
    )
    category = {**risk(), "category": field.partition("_")[0].capitalize()}
    assert state(name, case(Story(risks=[risk(), category]).implemented())) == "evidenced"


def test_privacy_is_asked_where_there_is_customer_information() -> None:
    """A system without any is not asked for it; one that the policy does not know is."""
    assert state("privacy-impact", case(Story(systems=["website"]))) == "none"
    assert state("privacy-impact", case(Story(systems=["unknown"]))) == "open"


def test_an_outage_is_told_to_somebody() -> None:
    """Where users will notice, `communication` says who is told."""
    outage = {"outage": {"description": "No login."}}
    assert state("communicated", case(Story())) == "none"
    assert state("communicated", case(Story(**outage))) == "open"
    assert state("communicated", case(Story(**outage).implemented())) == "exception"
    assert state("communicated", case(Story(**outage, communication="The status page."))) == "evidenced"


# -- the evaluation ----------------------------------------------------------------------------


def test_decisions() -> None:
    """An approval and a rejection are decisions; questions are none, and a withdrawn change needs none."""
    assert state("decided", case(Story())) == "open"
    assert state("decided", case(Story().approved())) == "evidenced"
    for verdict, expected in (("reject", "evidenced"), ("request-info", "open")):
        story = Story()
        story.sign(ADA, verdict)  # type: ignore[arg-type]
        assert state("decided", case(story)) == expected
    story = Story()
    story.sign(ROB, "withdraw", "requester")
    assert state("decided", case(story)) == "none"


def test_a_decision_that_is_late_is_an_exception() -> None:
    """By the policy's deadline, from the request on."""
    assert state("decided", case(timed())) == "open"
    assert why("decided", case(timed(), LATE)) == (
        "nobody has decided on it in time: it was due by 2026-11-24T12:00:00+00:00"
    )


def test_a_stale_approval_is_an_exception() -> None:
    """Somebody approved an earlier text: told with the name, and worse where it was implemented."""
    story = Story()
    story.stale = [replace(s, blob="e" * 40) for s in Story().implemented().signed]
    of = case(story)
    assert f"the approval by {ADA} was for an earlier text" in why("decided", of)
    assert why("approved", of).startswith("its text was edited after it had been implemented")
    assert state("approved-first", of) == "exception"
    story.approved()
    assert state("approved", case(story)) == "evidenced"
    assert state("approved-first", case(story)) == "open"


def test_approved_before_it_was_implemented() -> None:
    """Who implements sees the approval: anything else is an exception, and stays one when it is signed again."""
    assert state("approved-first", case(Story().approved())) == "none"
    assert state("approved-first", case(Story().implemented())) == "evidenced"
    story = Story()
    story.sign(BO, "implement")
    assert "without having seen its approval" in why("approved-first", case(story))
    assert why("approved", case(story)) == "it was implemented, and its text is not approved"
    story.approved()
    story.sign(BO, "implement")
    assert state("approved", case(story)) == "evidenced"
    assert state("approved-first", case(story)) == "exception"


def test_rejected_after_it_was_implemented() -> None:
    """The systems are changed, and the change is refused."""
    story = Story().implemented()
    story.sign(MO, "reject")
    assert why("approved", case(story)) == "it was rejected, and somebody signed to have implemented it"


def test_implemented_and_withdrawn_side_by_side() -> None:
    """Who implemented had not seen the withdrawal: nobody knows how the systems are."""
    story = Story().approved()
    before = list(story.signed)
    story.sign(ROB, "withdraw", "requester", seen=before)
    story.sign(BO, "implement", seen=before)
    assert "which was withdrawn" in why("approved", case(story))


@pytest.mark.parametrize(
    ("name", "rule", "requester"),
    [
        ("independent-evaluation", "evaluator-is-requester", ADA),
        ("independent-validation", "validator-is-implementer", ROB),
    ],
)
def test_a_waiver_is_an_exception_with_its_name(name: str, rule: str, requester: str) -> None:
    """What only a waiver made possible is told, with who did it."""
    roles = {**ROLES, "system-user": {"members": [BO]}}
    story = Story(
        replace_roles(waiving(rule), roles) if "validator" in rule else waiving(rule), requester=requester
    )
    story.implemented().sign(BO if "validator" in rule else DEE, "validate")
    other = {"independent-evaluation", "independent-validation"} - {name}
    assert f"by a waiver of the policy ({rule})" in why(name, case(story))
    assert {state(n, case(story)) for n in other} == {"evidenced"}


def replace_roles(policy: Policy, roles: dict[str, Any]) -> Policy:
    """The policy with other members."""
    waivers = [w.model_dump(exclude_none=True) for w in policy.file.waivers]
    return a_policy(roles=roles, waivers=waivers)


def test_a_standard_change_is_approved_by_its_model() -> None:
    """Within its bounds it needs no approval of its own; outside of them it does."""
    story = Story(**STANDARD)
    story.sign(BO, "implement")
    assert [state(n, case(story)) for n in ("approved", "approved-first", "within-model")] == [
        "evidenced"
    ] * 3
    assert state("independent-evaluation", case(story)) == "none"
    beyond = Story(**{**STANDARD, "risks": [risk("likely", "severe")]})
    assert "leaves its model's bounds" in why("within-model", case(beyond))
    assert state("within-model", case(beyond)) == "open"
    beyond.sign(BO, "implement")
    assert state("within-model", case(beyond)) == "exception"
    assert state("within-model", case(Story())) == "none"


def test_an_emergency_is_approved_in_time_or_in_debt() -> None:
    """Open until the deadline, an exception after it, and one that was approved too late stays one."""
    story = timed(**EMERGENCY)
    assert state("emergency-justified", case(story)) == "evidenced"
    assert state("emergency-in-time", case(story)) == "none"
    story.sign(BO, "implement")
    assert [state(n, case(story)) for n in ("emergency-in-time", "approved", "approved-first")] == [
        "open",
        "open",
        "none",
    ]
    assert why("emergency-in-time", case(story, LATE)).endswith("(emergency debt)")
    assert why("approved", case(story, LATE)) == why("decided", case(story, LATE))
    story.sign(ADA, "approve", time=NOW + dt.timedelta(hours=60))
    assert why("emergency-in-time", case(story, LATE)) == (
        "it was approved 2.5 d after its implementation; the policy gives 24h"
    )
    prompt = timed(**EMERGENCY)
    prompt.sign(BO, "implement")
    prompt.sign(ADA, "approve", time=NOW + dt.timedelta(hours=3))
    assert state("emergency-in-time", case(prompt, LATE)) == "evidenced"


def test_a_later_claimed_time_gains_an_emergency_nothing() -> None:
    """The commit that witnessed the implementation says when it was there at the latest."""
    story = timed(**EMERGENCY)
    claimed: SignOff = story.sign(BO, "implement", time=NOW + dt.timedelta(days=2))
    story.signed = [replace(claimed, judged_at=NOW)]
    story.sign(ADA, "approve", time=NOW + dt.timedelta(days=2, hours=1))
    assert state("emergency-in-time", case(story, LATE)) == "exception"


# -- implementation and validation -------------------------------------------------------------


def test_deviations_are_told_in_their_own_words() -> None:
    """What was not done as approved is an exception."""
    followed = answering(Story().implemented(), "implement", steps_followed=True)
    assert state("as-approved", case(followed)) == "evidenced"
    other = answering(
        Story().implemented(), "implement", steps_followed=False, deviations="Only one balancer."
    )
    assert why("as-approved", case(other)) == "deviations from the approved steps: Only one balancer."


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ((), "no test is named in the signed implementation"),
        ((("a", "passed"), ("b", "failed")), "implemented although a test failed: b"),
        ((("a", "skipped"), ("b", "skipped")), "every test was skipped: a; b"),
        ((("a", "passed"), ("b", "skipped")), ""),
    ],
)
def test_tests(tests: tuple[tuple[str, str], ...], said: str) -> None:
    """At least one ran, and none failed."""
    named = [{"name": name, "result": result} for name, result in tests]
    of = case(answering(Story().implemented(), "implement", tests=named))
    answer = ask("tested", of)
    assert answer is not None
    assert (answer.state, answer.why) == ("exception" if said else "evidenced", said)


def test_traces() -> None:
    """Commits that the implementation names, or merge requests of the request; a change may have neither."""
    assert state("traced", case(Story().implemented())) == "none"
    named = answering(Story().implemented(), "implement", commits=[{"system": "api", "commit": "a" * 40}])
    assert state("traced", case(named)) == "evidenced"
    links = {"links": {"merge_requests": ["https://git.example.org/acme/app/-/merge_requests/1"]}}
    assert state("traced", case(Story(**links))) == "none"
    assert state("traced", case(Story(**links).implemented())) == "evidenced"


def test_windows() -> None:
    """Implemented in the window that was planned, as the implementer says."""
    window = {"schedule": {"start": NOW - dt.timedelta(hours=1), "end": NOW + dt.timedelta(hours=1)}}
    assert state("in-window", case(Story().implemented())) == "none"
    assert state("in-window", case(Story(**window).implemented())) == "evidenced"
    outside = Story(**window).approved()
    outside.sign(BO, "implement", time=NOW + dt.timedelta(hours=2))
    assert "implemented 2026-11-22T14:00:00+00:00" in why("in-window", case(outside))


def test_implemented_in_a_freeze() -> None:
    """Whether a window was planned or not."""
    freeze = {
        "name": "sales",
        "reason": "Customers buy.",
        "kind": "hard",
        "start": dt.datetime(2026, 11, 22),
        "end": dt.datetime(2026, 11, 23),
        "zone": "UTC",
    }
    of = case(Story(a_policy(freezes=[freeze])).implemented())
    assert f"{BO} says to have implemented it in the freeze sales" in why("in-window", of)


def test_validation() -> None:
    """Done by a user, refused with the risk that was found, waited for, or late."""
    assert state("validated", case(Story().approved())) == "none"
    assert state("validated", case(Story().implemented())) == "open"
    assert state("validated", case(Story().validated())) == "evidenced"
    assert "not validated in time" in why("validated", case(timed().implemented(), LATE))
    story = Story().implemented()
    story.sign(DEE, "fail")
    of = case(answering(story, "fail", security_risk="Old keys are taken."))
    assert why("validated", of) == "its validation failed: Old keys are taken."
    assert why("failure-handled", of) == "it failed, and is neither backed out nor mended"


def test_failures_are_answered() -> None:
    """Backed out, which somebody validates; or mended and validated anew."""
    assert state("failure-handled", case(Story().validated())) == "none"
    story = Story().implemented()
    story.sign(DEE, "fail")
    story.sign(BO, "back-out")
    assert state("failure-handled", case(story)) == "open"
    assert [state(n, case(story)) for n in ("tested", "as-approved")] == ["none", "none"]
    story.sign(DEE, "validate")
    assert state("failure-handled", case(story)) == "evidenced"


def test_an_implementation_after_the_period_is_not_one_yet() -> None:
    """Of the evidence that came later, the implementation decides to which questions a change belongs."""
    of = case(Story().validated(), until=NOW)
    names = ("approved", "approved-first", "tested", "validated", "documented", "as-approved")
    assert {state(name, of) for name in names} == {"none"}
    assert state("decided", of) == "evidenced"


# -- documentation and evidence ----------------------------------------------------------------


def test_documentation() -> None:
    """The record closes a change; one that is late is an exception."""
    assert state("documented", case(Story().approved())) == "none"
    assert why("documented", case(Story().implemented())) == "it is implemented"
    assert state("documented", case(Story().validated(), documented=True)) == "evidenced"
    assert "not documented in time" in why("documented", case(timed().validated(), LATE))
    edited = Finding("record.edited", "the documented file was edited by commit abc")
    of = case(Story().validated(), found=(edited,))
    assert (
        why("documented", of) == why("signed-rightly", of) == "the documented file was edited by commit abc"
    )


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("signer.compromised", "warning"),
        ("envelope.malformed", "error"),
        ("signature.invalid", "error"),
        ("certificate.expired", "error"),
        ("notes.line-lost", "error"),
        ("sign-off.other-subject", "warning"),
    ],
)
def test_void_sign_offs_are_exceptions(code: str, severity: Any) -> None:
    """What cannot be authenticated, and what rests on a key that is void, is told in the finding's words."""
    of = case(Story().validated(), found=(Finding(code, "what is wrong", severity=severity),))
    assert why("signed-rightly", of) == "what is wrong"


def test_who_may_not_sign_is_told() -> None:
    """A role that is not held, a duty that is not separate; a role that nobody asked for is only a note."""
    assert state("signed-rightly", case(Story())) == "none"
    assert state("signed-rightly", case(Story().validated())) == "evidenced"
    story = Story().approved()
    story.sign(ZED, "implement")
    assert f"{ZED} signed as developer and does not hold that role" in why("signed-rightly", case(story))
    own = Story(requester=ADA).approved()
    assert f"{ADA} requested the change and cannot evaluate it" in why("signed-rightly", case(own))
    alone = Story().approved()
    alone.sign(CY, "implement")
    alone.sign(CY, "validate")
    assert f"{CY} implemented the change and cannot validate it" in why("signed-rightly", case(alone))


def test_sign_offs_are_witnessed_or_will_be() -> None:
    """Those that count; until then they could be taken away."""
    assert state("witnessed", case(Story())) == "none"
    story = Story().implemented()
    assert why("witnessed", case(story)).startswith("2 sign-off(s)")
    story.signed = [replace(s, witness="f" * 40) for s in story.signed]
    assert state("witnessed", case(story)) == "evidenced"


def test_names_are_the_keys() -> None:
    """Each attribute is found by its name."""
    assert all(attribute.name == name for name, attribute in ATTRIBUTES.items())
