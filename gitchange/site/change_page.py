"""What the page of one change shows: the progress line, the cards of the sign-offs, why one does not count.

Plain data for `pages/change.html`. Whether a sign-off counts is the verdict's word; here it is only
put into a sentence for the reader.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from gitchange.assessment.overview import Assessment
from gitchange.lifecycle.verdict import StepState, Verdict
from gitchange.model.change import Change
from gitchange.model.evidence import SignOff
from gitchange.site.site import Event, events_of
from gitchange.site.verification import digest_commands, verify_commands
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.lifecycle.verdict import Stage

_REASONS = (
    "duties.evaluator-is-",
    "duties.validator-is-",
    "implementation.before-approval",
    "validation.before-implementation",
    "withdrawal.",
    "sign-off.role-not-held",
    "sign-off.role-not-asked",
)
"""Findings that say of a person's sign-off why it does not count; their message begins with the person."""

_STEP_OF_REASON = {
    "duties.evaluator-is-": "evaluation",
    "duties.validator-is-": "validation",
    "implementation.before-approval": "implementation",
    "validation.before-implementation": "validation",
    "withdrawal.": "withdrawal",
}


_QUESTIONS = (
    ("necessary", "Necessary"),
    ("feasible", "Feasible"),
    ("safe", "Safe"),
    ("freezes", "Freezes lifted"),
    ("steps_followed", "Steps followed as written"),
    ("deviations", "Done differently"),
    ("commits", "Commits"),
    ("tests", "Tests"),
    ("works", "Works as expected"),
    ("no_security_risk", "Free of new security risk"),
    ("security_risk", "Security risk"),
    ("evidence", "Evidence"),
)
"""What each answer of a sign-off is called on the page."""


class Point(Value):
    """One of the five steps on the progress line."""

    step: StepState
    who: tuple[str, ...]
    when: dt.datetime | None
    """The newest sign-off that decides it; for the request and the record, their commit."""
    missing: tuple[str, ...]
    """What is still asked for, in words."""


class Card(Value):
    """One sign-off."""

    sign_off: SignOff
    counts: bool
    stale: bool
    reason: str
    """Why it does not count; empty when it does."""
    answers: tuple[tuple[str, Any], ...]
    """The questions that were answered, in the order in which they are asked, with the answers."""
    same_policy: bool
    """Whether the signer saw the policy under which the change is judged."""
    commands: str


class ChangePage(Value):
    """Everything on the page that is not in the change itself."""

    assessment: Assessment
    points: tuple[Point, ...]
    cards: tuple[Card, ...]
    events: tuple[Event, ...]
    digests: str
    """Commands that name the text."""


def change_page(assessment: Assessment) -> ChangePage:
    """The page's data for one change file, readable or not."""
    return ChangePage(
        assessment=assessment,
        points=_points(assessment),
        cards=tuple(_card(assessment, sign_off) for sign_off in _in_order(assessment)),
        events=events_of(assessment),
        digests=digest_commands(assessment),
    )


def _in_order(assessment: Assessment) -> list[SignOff]:
    """Those on the current text first, oldest first."""
    current = assessment.evidence.sign_offs if assessment.evidence else ()
    stale = assessment.evidence.stale if assessment.evidence else ()
    return [
        *sorted(current, key=lambda s: (s.when, s.digest)),
        *sorted(stale, key=lambda s: (s.when, s.digest)),
    ]


def _points(assessment: Assessment) -> tuple[Point, ...]:
    verdict, change = assessment.verdict, assessment.change
    if verdict is None or change is None:
        return ()
    points: list[Point] = []
    for step in verdict.steps:
        who = tuple(dict.fromkeys(s.by for s in step.counting))
        when = max((s.when for s in step.counting), default=None)
        if step.step == "request":
            who = (change.requester,)
            when = assessment.evidence.requested_at if assessment.evidence else None
        elif step.step == "documentation" and step.state == "done" and change.record is not None:
            who, when = (change.record.documented_by,), change.record.time
        missing = (
            tuple(f"{r.needed - len(r.by)} × {r.role}" for r in step.requirements if not r.met)
            if step.state == "waiting"
            else ()
        )
        points.append(Point(step, who, when, missing))
    return tuple(points)


def _card(assessment: Assessment, sign_off: SignOff) -> Card:
    evidence, verdict = assessment.evidence, assessment.verdict
    stale = evidence is not None and sign_off.blob != evidence.blob
    counts = assessment.counts(sign_off)
    reason = "" if counts or verdict is None else _why_not(verdict, sign_off, stale)
    return Card(
        sign_off=sign_off,
        counts=counts or (verdict is not None and not reason),
        stale=stale,
        reason=reason,
        answers=tuple(
            (words, sign_off.answers[name]) for name, words in _QUESTIONS if name in sign_off.answers
        ),
        same_policy=assessment.policy is not None and sign_off.policy == assessment.policy.tree,
        commands=verify_commands(assessment, sign_off),
    )


def _why_not(verdict: Verdict, sign_off: SignOff, stale: bool) -> str:
    """In words, why a genuine sign-off does not count, in the order in which the rules exclude it."""
    if stale:
        return "It was made for an earlier text of this change; an edit makes the sign-offs before it void."
    for finding in verdict.findings:
        if not finding.code.startswith(_REASONS) or not finding.message.startswith(f"{sign_off.by} "):
            continue
        step = next(
            (s for code, s in _STEP_OF_REASON.items() if finding.code.startswith(code)), sign_off.step
        )
        if step == sign_off.step and (
            not finding.code.startswith("sign-off.") or sign_off.role in finding.message
        ):
            return f"{finding.message}."
    if sign_off.step == "withdrawal" or sign_off.step == "policy":  # noqa: PLR1714 - mypy narrows only so
        return ""  # one that stands decides the status, not a step
    stage: Stage = "evaluation" if sign_off.step == "freeze" else sign_off.step
    step_state = verdict.step(stage)
    if any(s.by == sign_off.by for s in step_state.counting):
        return f"A later sign-off by {sign_off.by} replaces it: each person's latest word counts."
    if step_state.state == "refused":
        who = ", ".join(dict.fromkeys(s.by for s in step_state.counting))
        return f"The {sign_off.step} stands refused by {who}."
    return f"It does not decide the {sign_off.step} as it stands now."


def places_of(change: Change) -> Mapping[tuple[str, str], tuple[int, ...]]:
    """Numbers of the risks (from 1) at each likelihood and impact."""
    places: dict[tuple[str, str], tuple[int, ...]] = {}
    for number, risk in enumerate(change.risks, start=1):
        place = (risk.likelihood, risk.impact)
        places[place] = (*places.get(place, ()), number)
    return places
