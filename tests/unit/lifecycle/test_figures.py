"""Figures: what is counted, in which month, and what is left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle.figures import DAY, HOUR, MONTHS, STAGES, WHOLE, Figures, Spread, measure, percent

PARIS = ZoneInfo("Europe/Paris")
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


@dataclass
class Known:
    """What is known of a change."""

    status: str = "documented"
    type: str | None = "normal"
    times: Mapping[str, int] = field(default_factory=dict)
    failed: bool = False
    outcome: str | None = None
    systems: Sequence[str] = ("api",)
    is_open: bool = False


def at(*parts: int) -> int:
    """Seconds, of a time in Paris."""
    return int(dt.datetime(*parts, tzinfo=PARIS).timestamp())  # type: ignore[misc,arg-type]


def counted(*changes: Known) -> Figures:
    """Their figures."""
    return measure(changes, NOW, PARIS)


def test_months_end_with_the_present_one() -> None:
    """A year of them, also where nothing happened."""
    months = [m.name for m in counted().months]
    assert len(months) == MONTHS
    assert (months[0], months[-1]) == ("2025-12", "2026-11")


def test_throughput_is_counted_in_the_month_of_the_record_in_the_companys_zone() -> None:
    """Half an hour past midnight in Paris is the next month there, though not yet in UTC."""
    figures = counted(
        Known(times={"documentation": at(2026, 11, 1, 0, 30)}),
        Known(times={"documentation": at(2026, 10, 31, 23, 30)}, type="emergency"),
        Known(times={"documentation": at(2025, 11, 30)}),
    )
    assert figures.months[-1].documented == {"standard": 0, "normal": 1, "emergency": 0}
    assert figures.months[-2].documented == {"standard": 0, "normal": 0, "emergency": 1}
    assert sum(sum(m.documented.values()) for m in figures.months) == 2
    assert (figures.systems["api"].all, figures.systems["api"].documented) == (3, 2)


def test_lead_times_are_counted_where_the_step_ended() -> None:
    """From step to step, and of the whole way."""
    times = {
        "request": at(2026, 10, 31, 12),
        "evaluation": at(2026, 11, 1, 12),
        "implementation": at(2026, 11, 3, 12),
        "validation": at(2026, 11, 3, 18),
        "documentation": at(2026, 11, 4, 12),
    }
    spans = counted(Known(times=times)).months[-1].spans
    assert [spans[stage] for stage in (*STAGES, WHOLE)] == [
        [DAY],
        [2 * DAY],
        [6 * HOUR],
        [18 * HOUR],
        [4 * DAY],
    ]


def test_a_step_that_was_not_needed_or_came_before_has_no_lead_time() -> None:
    """A standard change has no evaluation; an emergency's comes after its implementation."""
    standard = Known(type="standard", times={"request": at(2026, 11, 2), "implementation": at(2026, 11, 3)})
    emergency = Known(
        type="emergency",
        times={"request": at(2026, 11, 2), "implementation": at(2026, 11, 3), "evaluation": at(2026, 11, 4)},
    )
    spans = counted(standard, emergency).months[-1].spans
    assert spans["evaluation", "implementation"] == []
    assert spans["request", "evaluation"] == [2 * DAY]


def test_failures_are_of_those_that_were_tried_and_ended() -> None:
    """By a sign-off, by the record, or still standing; not what was rejected, withdrawn or is under way."""
    done = {"request": at(2026, 11, 2), "implementation": at(2026, 11, 3), "documentation": at(2026, 11, 4)}
    figures = counted(
        Known(times=done),
        Known(times=done, failed=True),
        Known(times=done, outcome="backed-out"),
        Known(times={**done}, status="failed", failed=True, is_open=True),
        Known(times={"request": at(2026, 11, 2)}, status="rejected"),
        Known(times={"request": at(2026, 11, 2)}, status="withdrawn"),
        Known(times={"request": at(2026, 11, 2)}, status="implemented", failed=True, is_open=True),
    )
    assert (figures.months[-1].ended, figures.months[-1].failed) == (4, 3)
    system = figures.systems["api"]
    assert (system.ended, system.failed, system.open) == (4, 3, 2)
    assert system.last == done["implementation"]


def test_emergencies_are_of_what_was_requested() -> None:
    """In the month of the request, however it ended."""
    requested = {"request": at(2026, 10, 5)}
    month = counted(
        Known(times=requested, type="emergency"), Known(times=requested, status="rejected")
    ).months[-2]
    assert (month.requested, month.emergencies) == (2, 1)


def test_what_is_open_is_told_by_age() -> None:
    """Up to and with the bound; a year and more is the last class; what has no history has no age."""
    now = int(NOW.timestamp())
    ages = [
        Known(status="requested", is_open=True, times={"request": now - age})
        for age in (0, DAY, DAY + 1, 40 * DAY, 900 * DAY)
    ]
    figures = counted(*ages, Known(is_open=True))
    assert figures.ages == (
        ("up to a day", 2),
        ("up to a week", 1),
        ("up to 30 days", 0),
        ("up to 90 days", 1),
        ("up to a year", 0),
        ("longer", 1),
    )


def test_times_to_approval_are_told_by_class() -> None:
    """Of the months shown."""
    start = at(2026, 11, 2)
    figures = counted(
        *(Known(times={"request": start, "evaluation": start + span}) for span in (HOUR, 5 * HOUR, 2 * DAY)),
        Known(times={"request": at(2024, 1, 1), "evaluation": at(2024, 1, 2)}),
    )
    assert [count for _, count in figures.latencies] == [1, 1, 1, 0, 0, 0]
    assert figures.latency == Spread(3, 5 * HOUR, 2 * DAY)


def test_a_share_of_nothing_is_none() -> None:
    """It is not zero."""
    assert (percent(1, 4), percent(0, 0)) == (25, None)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_a_spread_is_what_it_says(spans: list[int]) -> None:
    """Half on each side of the median, and nine of ten up to the 90th percentile."""
    spread = Spread.of(spans)
    assert spread is not None
    assert spread.count == len(spans)
    assert 2 * sum(span < spread.median for span in spans) <= len(spans)
    assert 2 * sum(span > spread.median for span in spans) <= len(spans)
    assert spread.ninetieth in spans
    assert 10 * sum(span <= spread.ninetieth for span in spans) >= 9 * len(spans)
    assert 10 * sum(span < spread.ninetieth for span in spans) < 9 * len(spans)


def test_since_a_day_the_first_month_begins_on_it() -> None:
    """What was before it is not counted; systems and open changes are, whenever they came."""
    changes = (
        Known(times={"documentation": at(2026, 8, 9)}),
        Known(times={"documentation": at(2026, 8, 10)}),
        Known(times={"request": at(2020, 1, 1)}, is_open=True, status="requested"),
    )
    figures = measure(changes, NOW, PARIS, dt.date(2026, 8, 10))
    assert [m.name for m in figures.months] == ["2026-08", "2026-09", "2026-10", "2026-11"]
    assert [m.documented["normal"] for m in figures.months] == [1, 0, 0, 0]
    assert (figures.systems["api"].all, figures.systems["api"].documented) == (3, 1)
    assert sum(count for _, count in figures.ages) == 1
    long_ago = measure(changes, NOW, PARIS, dt.date(2015, 2, 28))
    assert len(long_ago.months) == 11 + 10 * 12 + 11
    assert sum(m.documented["normal"] for m in long_ago.months) == 2


def test_a_lead_time_of_all_months_is_of_their_changes_together() -> None:
    """Not a mean of means."""
    changes = [
        Known(times={"request": start, "evaluation": start + span})
        for start, span in ((at(2026, 9, 1), HOUR), (at(2026, 11, 1), 3 * HOUR), (at(2026, 11, 2), 8 * HOUR))
    ]
    figures = counted(*changes)
    assert figures.spread(STAGES[0]) == Spread(3, 3 * HOUR, 8 * HOUR) == figures.latency
    assert figures.spread(WHOLE) is None
