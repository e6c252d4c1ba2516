"""Random stories for property tests: any people sign anything in any role, having seen any of the others."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from gitchange.lifecycle.verdict import Verdict
from gitchange.model.evidence import SignOff
from gitchange.model.statement import MEANINGS, VerdictName
from gitchange.values import replace
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EMERGENCY,
    EVE,
    FAY,
    MO,
    NOW,
    ROB,
    SECURITY,
    STANDARD,
    ZED,
    Story,
    a_policy,
    risk,
    rule,
)

PEOPLE = (ROB, ADA, MO, BO, CY, DEE, FAY, EVE, ZED)
VERDICT_NAMES: tuple[VerdictName, ...] = tuple(v for v in MEANINGS if v != "approve-policy")
REFUSALS: tuple[VerdictName, ...] = ("reject", "request-info", "back-out", "fail", "withdraw")

ONE = a_policy()
TWO = a_policy(
    rules=[
        rule(evaluation={"role": "change-manager", "approvals": 2}),
        {**SECURITY, "when": {"customer_data": True}},
    ]
)
WAIVED = a_policy(
    waivers=[
        {"waives": waives, "reason": "Few people.", "expires": NOW.replace(year=2099)}
        for waives in ("evaluator-is-requester", "evaluator-is-author", "validator-is-implementer")
    ]
)
PARTS = a_policy(
    rules=[
        rule(
            implementation={"role": "developer", "approvals": 2},
            validation={"role": "system-user", "approvals": 2},
        )
    ]
)
FROZEN = a_policy(
    freezes=[
        {
            "name": "month",
            "reason": "A campaign.",
            "kind": "soft",
            "zone": "Europe/Paris",
            "start": NOW.replace(day=1, tzinfo=None),
            "end": NOW.replace(day=30, tzinfo=None),
            "override": {"role": "change-manager"},
        }
    ]
)
_WINDOW = {"start": NOW, "end": NOW.replace(hour=20)}
CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"requester": ADA},
    {"requester": CY},
    {"risks": [risk("likely", "severe")]},
    EMERGENCY,
    STANDARD,
    {"schedule": _WINDOW},
    {**STANDARD, "schedule": _WINDOW},
)

# People mostly sign what they may, so that many stories get far.
LIKELY: tuple[tuple[str, VerdictName, str | None], ...] = (
    (ADA, "approve", None),
    (MO, "approve", None),
    (ADA, "approve", "security"),
    (EVE, "approve", "security"),
    (BO, "implement", None),
    (CY, "implement", None),
    (DEE, "validate", None),
    (FAY, "validate", None),
    (CY, "validate", None),
    (ADA, "reject", None),
    (MO, "request-info", None),
    (BO, "back-out", None),
    (DEE, "fail", None),
    (ROB, "withdraw", None),
    (MO, "override-freeze", None),
)
ANY = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(VERDICT_NAMES),
    st.sampled_from([None, None, "security", "developer", "change-manager", "nonsense"]),
)
HAPPY: tuple[tuple[str, VerdictName, str | None], ...] = (
    *((ADA, "approve", None), (MO, "approve", None), (EVE, "approve", "security")),
    *((BO, "implement", None), (CY, "implement", None), (DEE, "validate", None), (FAY, "validate", None)),
)


@st.composite
def stories(
    draw: st.DrawFn, *, policies: tuple[Any, ...] = (ONE, TWO, WAIVED, PARTS, FROZEN), gaps: bool = True
) -> Story:
    """A change and up to ten sign-offs; what somebody has seen includes what was seen by those that are seen."""
    story = Story(draw(st.sampled_from(policies)), **draw(st.sampled_from(CHANGES)))
    story.facts["authors"] = frozenset(draw(st.sets(st.sampled_from([ROB, MO, BO]), max_size=2)))
    if draw(st.booleans()):
        for by, verdict, role in HAPPY[: draw(st.integers(0, len(HAPPY)))]:
            story.sign(by, verdict, role)
    for by, verdict, role in draw(st.lists(st.sampled_from(LIKELY) | ANY, max_size=7)):
        seen = draw(
            st.sampled_from(["all", "all", "all", "some", "nobody knows"] if gaps else ["all", "some"])
        )
        if seen == "some":
            picked = draw(st.sets(st.integers(0, max(0, len(story.signed) - 1)), max_size=3))
            story.sign(by, verdict, role, seen=closure(story, picked))
        else:
            story.sign(by, verdict, role, seen="all" if seen == "all" else None)
        if verdict == "override-freeze":
            story.signed[-1] = replace(story.signed[-1], answers={"freezes": ["month"]})
    return story


def closure(story: Story, picked: set[int]) -> list[SignOff]:
    """These sign-offs and all that their signers had seen: notes only grow."""
    chosen = [story.signed[place] for place in picked if place < len(story.signed)]
    digests = {s.digest for s in chosen} | {digest for s in chosen for digest in s.seen or ()}
    return [s for s in story.signed if s.digest in digests]


def essence(verdict: Verdict) -> dict[str, Any]:
    """All that a verdict says, without the order of what was made side by side, and what it says of claimed times."""
    return {
        "status": verdict.status,
        "complete": verdict.complete,
        "backed_out": verdict.backed_out,
        "flags": set(verdict.flags) - {"in freeze", "outside window"},
        "findings": {(f.code, f.message) for f in verdict.findings if f.code != "freeze.implemented"},
        "next": [(n.action, n.role, set(n.who)) for n in verdict.next],
        "steps": [
            (
                step.step,
                step.state,
                step.note,
                {s.digest for s in step.counting},
                [(r.role, r.needed, set(r.by), r.met) for r in step.requirements],
            )
            for step in verdict.steps
        ],
    }


MOMENTS = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 1, 1), timezones=st.just(dt.UTC))
