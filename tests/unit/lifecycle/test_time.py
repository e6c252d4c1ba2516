"""What time does: it reminds, in flags; it never decides."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.unit.lifecycle.builders import ADA, BO, DEE, NOW, Story, a_policy

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WINDOW = {"start": NOW, "end": NOW + HOUR}
END_OF_TIME = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "flags"),
    [(NOW - DAY, ()), (NOW, ()), (NOW + HOUR, ()), (NOW + 2 * HOUR, ("overdue",))],
    ids=["before", "at its begin", "at its end", "after"],
)
@pytest.mark.parametrize("approved", [True, False])
def test_a_change_whose_window_is_over_is_overdue(
    at: dt.datetime, flags: tuple[str, ...], approved: bool
) -> None:
    """A change that is not implemented when its planned window ends is overdue."""
    story = Story(schedule=WINDOW)
    if approved:
        story.approved()
    assert story.verdict(at).flags == flags


@pytest.mark.parametrize(
    ("at", "outside"),
    [(NOW - HOUR, True), (NOW, False), (NOW + HOUR / 2, False), (NOW + HOUR, False), (NOW + 2 * HOUR, True)],
)
def test_an_implementation_at_another_time_is_outside_its_window(at: dt.datetime, outside: bool) -> None:
    """An implementation that claims a time outside the planned window has a flag, and counts."""
    story = Story(schedule=WINDOW).approved()
    story.sign(BO, "implement", time=at.astimezone(dt.timezone(dt.timedelta(hours=9))))
    assert story.status == "implemented"
    assert ("outside window" in story.verdict().flags) is outside


def test_a_window_in_the_past_is_not_overdue_once_implemented() -> None:
    """What is implemented is not overdue for its window."""
    story = Story(schedule=WINDOW).implemented()
    assert story.verdict(NOW + DAY).flags == ()


@pytest.mark.parametrize(("step", "deadline"), [(0, "evaluation"), (2, "validation"), (3, "documentation")])
def test_a_step_that_waits_beyond_its_deadline_is_overdue(step: int, deadline: str) -> None:
    """Evaluation, validation and documentation are overdue after the policy's deadline, not before."""
    story = Story(a_policy(deadlines={deadline: "3d"})).validated()
    story.signed = story.signed[:step]
    story.facts["requested_at"] = NOW
    status = story.status
    assert story.verdict(NOW + 3 * DAY).flags == ()
    assert story.verdict(NOW + 3 * DAY + HOUR).flags == ("overdue",)
    assert story.verdict(NOW + 3 * DAY + HOUR).status == status


def test_a_request_of_unknown_age_is_not_overdue() -> None:
    """Where the history does not tell when a change came in, no deadline is missed."""
    assert Story(a_policy(deadlines={"evaluation": "1m"})).verdict(NOW + DAY).flags == ()


def test_the_deadline_of_an_implementation_runs_from_the_windows_end() -> None:
    """An approved change is overdue when its window and the policy's deadline are over."""
    story = Story(a_policy(deadlines={"implementation": "1d"}), schedule=WINDOW).approved()
    assert "overdue" in story.verdict(NOW + 2 * DAY).flags
    assert Story(a_policy(deadlines={"implementation": "1d"})).approved().verdict(NOW + 9 * DAY).flags == ()


@pytest.mark.parametrize("when", [END_OF_TIME, dt.datetime(1, 1, 1, tzinfo=dt.UTC)])
@pytest.mark.parametrize("type_", ["normal", "emergency"])
def test_no_claimed_time_crashes_the_verdict(when: dt.datetime, type_: str) -> None:
    """A sign-off that claims the first or the last day of the calendar is judged like any other."""
    limits = ("evaluation", "implementation", "validation", "documentation", "emergency_approval")
    policy = a_policy(deadlines=dict.fromkeys([*limits, "emergency_validation"], "99999w"))
    extra = {"emergency": {"incident": "I", "justification": "J"}} if type_ == "emergency" else {}
    story = Story(policy, type=type_, **extra)
    story.facts["requested_at"] = when
    for by, verdict in ((ADA, "approve"), (BO, "implement"), (DEE, "validate")):
        story.verdict()
        story.sign(by, verdict, time=when)  # type: ignore[arg-type]
    assert story.verdict().complete


def test_a_window_without_end_is_judged() -> None:
    """A window up to the last day of the calendar is no trouble to a deadline that follows it."""
    policy = a_policy(deadlines={"implementation": "2w"})
    story = Story(policy, schedule={"start": NOW, "end": END_OF_TIME}).approved()
    assert story.verdict().flags == ()
