"""Suspects: what is near, risky and touches systems comes first."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle.suspects import (
    HALF,
    LEVELS,
    WEIGHTS,
    Candidate,
    Touch,
    nearness,
    rank,
    touches,
    weighed,
)
from gitchange.values import replace

HOUR = 3600
MOMENT = 1_000 * HOUR


def touch(kind: Any, before: float, hours: float = 0) -> Touch:
    """Something that began so many hours before the moment, and lasted so long."""
    start = int(MOMENT - before * HOUR)
    return Touch(kind, start, int(start + hours * HOUR))


def candidate(name: str = "a", *what: Touch, **more: Any) -> Candidate:
    """A change of low risk to the system itself."""
    return Candidate(name, what, **{"steps": 0, "risk": "low", **more})


def order(*candidates: Candidate) -> list[str]:
    """Who comes first."""
    return [suspect.id for suspect in rank(candidates, MOMENT)]


def test_an_implementation_counts_for_more_than_a_request() -> None:
    """A request touches no system: one of yesterday is more probable than one of a minute ago."""
    assert order(
        candidate("requested", touch("other", 0.02), risk="critical"),
        candidate("implemented", touch("implementation", 5)),
        candidate("planned", touch("window", 1, 2)),
        candidate("hoped for", touch("unapproved window", 1, 2)),
    ) == ["planned", "hoped for", "implemented", "requested"]


def test_what_is_near_in_time_comes_first() -> None:
    """Before the moment; what comes after it is taken for three times as far away."""
    assert order(
        candidate("long ago", touch("implementation", 20)),
        candidate("just now", touch("implementation", 0.2)),
        candidate("afterwards", touch("implementation", -1)),
        candidate("two hours ago", touch("implementation", 2)),
    ) == ["just now", "two hours ago", "afterwards", "long ago"]


def test_the_system_itself_comes_before_what_it_needs() -> None:
    """And that before what is needed in turn."""
    at = touch("implementation", 1)
    changes = [candidate(str(steps), at, steps=steps) for steps in (2, 0, 3, 1)]
    assert order(*changes) == ["0", "1", "2", "3"]


def test_risk_emergencies_and_failures_make_suspicious() -> None:
    """All else equal; a risk that cannot be read is taken for high."""
    at = touch("implementation", 1)
    assert order(
        candidate("low", at),
        candidate("critical, failed", at, risk="critical", failed=True),
        candidate("medium", at, risk="medium"),
        candidate("critical", at, risk="critical"),
        candidate("low, failed", at, failed=True),
        candidate("unreadable", at, risk=None),
    ) == ["critical, failed", "critical", "low, failed", "unreadable", "medium", "low"]
    assert order(candidate("a", at), candidate("b", at, emergency=True)) == ["b", "a"]


def test_of_a_change_the_touch_that_weighs_most_decides() -> None:
    """It is told, with how far away it is."""
    found = weighed(candidate("a", touch("other", 0), touch("implementation", 2)), MOMENT)
    assert found is not None
    assert (found.touch.kind, found.gap) == ("implementation", HALF)
    assert found.score == pytest.approx(0.5 * 3 / 9)


def test_what_nothing_happened_to_is_no_suspect() -> None:
    """There is nothing to tell of it."""
    assert order(candidate("a")) == []


def test_a_window_counts_until_its_work_is_done() -> None:
    """Implemented on the first of five days it is no suspect on the fifth; not yet implemented it is."""
    window, done = (0, 120 * HOUR), (2 * HOUR, "implement", "implemented", "bo")
    found = touches("documented", window, [done])
    assert found == (
        Touch("implementation", 2 * HOUR, 2 * HOUR, "implemented", "bo"),
        Touch("window", 0, 2 * HOUR),
    )
    assert touches("approved", window, []) == (Touch("window", *window),)
    assert touches("approved", window, [(-HOUR, "implement", "implemented", "bo")]) == (
        Touch("implementation", -HOUR, -HOUR, "implemented", "bo"),
    )


def test_a_window_that_nobody_approved_counts_for_less() -> None:
    """And one that was refused or given up for nothing."""
    window = (0, HOUR)
    assert touches("requested", window, []) == (Touch("unapproved window", 0, HOUR),)
    assert touches("rejected", window, []) == ()
    assert touches("withdrawn", window, [(5, "withdraw", "withdrew", "cy")]) == (
        Touch("other", 5, 5, "withdrew", "cy"),
    )
    assert touches("requested", None, []) == ()


KINDS = st.sampled_from(sorted(WEIGHTS))
TOUCHES = st.builds(touch, KINDS, st.floats(-200, 200, allow_nan=False), st.floats(0, 100, allow_nan=False))
CANDIDATES = st.builds(
    lambda what, steps, risk, emergency, failed: candidate(
        "a", *what, steps=steps, risk=risk, emergency=emergency, failed=failed
    ),
    st.lists(TOUCHES, min_size=1, max_size=4),
    st.integers(0, 6),
    st.sampled_from([*LEVELS, None]),
    st.booleans(),
    st.booleans(),
)


def score(of: Candidate) -> float:
    """How probable it is."""
    found = weighed(of, MOMENT)
    assert found is not None
    return found.score


@given(CANDIDATES)
def test_a_score_is_a_share(one: Candidate) -> None:
    """Above nothing, up to 1."""
    assert 0 < score(one) <= 1


@given(CANDIDATES, st.integers(0, 100 * HOUR))
def test_nearer_in_time_is_never_less_probable(one: Candidate, seconds: int) -> None:
    """Every touch moved towards the moment, and not past it."""

    def moved(at: Touch) -> Touch:
        gap = at.gap(MOMENT)
        by = min(gap, seconds) if gap > 0 else max(gap, -seconds)
        return replace(at, start=at.start + by, end=at.end + by)

    assert score(replace(one, touches=tuple(map(moved, one.touches)))) >= score(one)


@given(CANDIDATES)
def test_riskier_is_never_less_probable(one: Candidate) -> None:
    """A higher level, an emergency, a failure, a step nearer."""
    levels = [*LEVELS]
    if one.risk in levels[:-1]:
        assert score(replace(one, risk=levels[levels.index(one.risk) + 1])) > score(one)
    assert score(replace(one, emergency=True)) >= score(one)
    assert score(replace(one, failed=True)) >= score(one)
    assert score(replace(one, steps=one.steps + 1)) < score(one)


@given(CANDIDATES, TOUCHES)
def test_what_happened_beside_takes_nothing_away(one: Candidate, more: Touch) -> None:
    """A change to which more happened is at least as probable."""
    assert score(replace(one, touches=(*one.touches, more))) >= score(one)


@given(st.lists(CANDIDATES, max_size=6))
def test_the_order_is_one_whatever_was_first(candidates: list[Candidate]) -> None:
    """By score, then by time, then by name."""
    named = [replace(one, id=f"{number}") for number, one in enumerate(candidates)]
    found = rank(named, MOMENT)
    assert found == rank(reversed(named), MOMENT)
    assert [s.score for s in found] == sorted((s.score for s in found), reverse=True)
    assert len(found) == len(named)


def test_nearness_is_a_half_two_hours_before() -> None:
    """And less after."""
    near = [nearness(touch("implementation", hours), MOMENT) for hours in (0, 2, -2)]
    assert near == [1, 0.5, 0.25]


def test_a_long_window_says_less_than_a_short_one() -> None:
    """The work may have been done at any time of it; what was done an hour ago is more probable."""
    assert order(
        candidate("week", touch("window", 80, 168)),
        candidate("hour", touch("window", 0.5, 1)),
        candidate("done", touch("implementation", 1)),
        candidate("just over", touch("window", 80, 80)),
        candidate("yet to begin", touch("window", -1, 168)),
    ) == ["hour", "done", "yet to begin", "just over", "week"]


@given(TOUCHES, st.integers(0, 300 * HOUR))
def test_a_window_that_began_later_is_never_farther(one: Touch, later: int) -> None:
    """Of two that end at the same time; what has not begun yet aside."""
    moved = replace(one, start=min(one.start + later, one.end, MOMENT))
    if one.start <= MOMENT:
        assert nearness(moved, MOMENT) >= nearness(one, MOMENT) * (1 - 1e-9)
        assert 0 < nearness(moved, MOMENT) <= 1
