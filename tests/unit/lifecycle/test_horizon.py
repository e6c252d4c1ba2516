"""A verdict stays what it is within its span: nothing that time changes is forgotten there."""

from __future__ import annotations

import ast
import datetime as dt
import inspect
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.lifecycle import verdict as verdicts
from gitchange.lifecycle.horizon import Span, at_once, span
from gitchange.lifecycle.status import STATUSES
from gitchange.model.statement import VerdictName
from gitchange.values import replace
from tests.unit.lifecycle.builders import ADA, BO, DEE, EMERGENCY, NOW, STANDARD, Story, a_policy
from tests.unit.lifecycle.stories import stories

MICROSECOND = dt.timedelta(microseconds=1)
HOUR = dt.timedelta(hours=1)

TIMED = a_policy(
    models={
        "patch": {"title": "Patch", "systems": ["website"], "max_risk": "low", "expires": NOW + 30 * HOUR}
    },
    deadlines={
        "evaluation": "9h",
        "implementation": "17h",
        "validation": "25h",
        "documentation": "33h",
        "emergency_approval": "5h",
        "emergency_validation": "13h",
    },
    waivers=[
        {"waives": waives, "reason": "Few people.", "expires": NOW + number * 11 * HOUR}
        for number, waives in enumerate(
            ("evaluator-is-requester", "evaluator-is-author", "validator-is-implementer")
        )
    ],
)
FREEZING = a_policy(
    freezes=[
        {
            "name": "nights",
            "reason": "Nobody is there.",
            "kind": "soft",
            "zone": "Europe/Paris",
            "start": dt.datetime(2026, 11, 1, 22),
            "end": dt.datetime(2026, 11, 2, 5),
            "recurrence": "FREQ=DAILY",
            "override": {"role": "change-manager"},
        },
        {
            "name": "end of year",
            "reason": "All are away.",
            "kind": "hard",
            "zone": "America/New_York",
            "start": dt.datetime(2026, 12, 24),
            "end": dt.datetime(2027, 1, 2),
        },
    ],
    deadlines={"implementation": "2d"},
)
AROUND = st.timedeltas(dt.timedelta(days=-4), dt.timedelta(days=40))


@settings(max_examples=400, deadline=None)
@given(stories(policies=(TIMED, FREEZING)), AROUND, st.floats(0, 1), st.data())
def test_verdict_is_the_same_within_its_span(
    story: Story, ahead: dt.timedelta, part: float, data: st.DataObject
) -> None:
    """At both ends of the span, and anywhere in it, the judge says what it says now, to the last finding."""
    now = NOW + ahead
    times = data.draw(st.lists(st.integers(-40, 40), min_size=len(story.signed), max_size=len(story.signed)))
    story.signed = [
        replace(s, time=(NOW + hours * HOUR).isoformat(), judged_at=NOW + hours * HOUR if hours % 3 else None)
        for s, hours in zip(story.signed, times, strict=True)
    ]
    story.facts["requested_at"] = NOW - 7 * HOUR
    verdict = story.verdict(now)
    held = span(story.evidence, story.policy, now, verdict.status)
    assert held.holds(now)
    first = held.since or now - dt.timedelta(days=3000)
    last = (held.until or now + dt.timedelta(days=3000)) - MICROSECOND
    for moment in (first, last, first + (last - first) * part):
        assert story.verdict(moment) == verdict, moment


def test_span_ends_where_the_verdict_changes() -> None:
    """The end is not earlier than it need be: one microsecond later the deadline has passed."""
    story = Story(TIMED, **STANDARD)
    story.facts["requested_at"] = NOW
    held = span(story.evidence, story.policy, NOW, "approved")
    assert held.until == NOW + 9 * HOUR + MICROSECOND
    plain = Story()
    assert span(plain.evidence, plain.policy, NOW, "requested") == Span()


def test_keys_end_spans_too() -> None:
    """Instants at which keys begin or end to be valid are the caller's to name."""
    story = Story()
    held = span(story.evidence, story.policy, NOW, "requested", [NOW - HOUR, NOW, NOW + HOUR])
    assert held == Span(NOW, NOW + HOUR)
    assert at_once(NOW).holds(NOW)
    assert not at_once(NOW).holds(NOW + MICROSECOND)


def test_words_for_statuses_are_those_of_the_verdict() -> None:
    """The list that needs no library, and the type that the verdict has, which only type checkers load."""
    tree = ast.parse(inspect.getsource(verdicts))
    (words,) = (
        node.value.slice
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Subscript)
        and ast.unparse(node.targets[0]) == "Status"
    )
    assert ast.literal_eval(words) == STATUSES


@pytest.mark.parametrize(
    ("change", "signed", "hours"),
    [
        ({}, [(ADA, "approve"), (BO, "implement")], 25),
        (EMERGENCY, [(ADA, "approve"), (BO, "implement")], 13),
        (EMERGENCY, [(BO, "implement")], 5),
        ({}, [(ADA, "approve"), (BO, "implement"), (DEE, "validate")], 33),
    ],
)
@pytest.mark.parametrize("witnessed", [None, -3])
def test_each_deadline_ends_a_span(
    change: dict[str, Any], signed: list[tuple[str, VerdictName]], hours: int, witnessed: int | None
) -> None:
    """Up to the deadline nothing is overdue, and no span that begins before it goes beyond it."""
    story = Story(a_policy(deadlines=TIMED.file.deadlines.model_dump(exclude_none=True)), **change)
    for by, verdict in signed:
        made = story.sign(by, verdict, time=NOW)
        if (
            witnessed is not None
        ):  # emergencies' debt runs from the witness, where that is earlier than the claim
            story.signed[-1] = replace(made, judged_at=NOW + witnessed * HOUR)
    begins = NOW + (witnessed or 0) * HOUR if hours == 5 else NOW
    limit = begins + hours * HOUR
    assert "overdue" not in story.verdict(limit).flags
    assert story.verdict(limit) != story.verdict(limit + MICROSECOND)
    held = span(story.evidence, story.policy, limit, story.verdict(limit).status)
    assert held.until == limit + MICROSECOND


def test_freezes_far_ahead_are_looked_for_again() -> None:
    """Freezes are looked up for a month; after that it is judged again, so that none is missed."""
    story = Story(FREEZING, systems=["website"])
    story.approved()
    now = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC)
    far = a_policy(freezes=[FREEZING.file.freezes[1].model_dump(exclude_none=True, exclude={"when"})])
    held = span(story.evidence, far, now, "approved")
    assert held == Span(now, now + dt.timedelta(days=31))
