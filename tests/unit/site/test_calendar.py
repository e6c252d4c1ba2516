"""The calendar: which day has what, and a file that calendar programs read."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from gitchange.assessment.overview import Assessment
from gitchange.site import urls
from gitchange.site.build import build_and_publish
from gitchange.site.ics import ics
from gitchange.site.site import Site
from tests.unit.site.builder import (
    BO,
    DEE,
    EVE,
    Case,
    example_change,
    example_policies,
    overview_of,
)
from tests.unit.site.reading import broken_links, read_page


def planned(number: int, day: int, hour: int, hours: int = 2, month: int = 11, **more: Any) -> Case:
    """A change with a window that begins at that hour in UTC."""
    start = dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)
    window = {"start": start, "end": start + dt.timedelta(hours=hours)}
    return Case(example_change(number, title=f"Change {number}", schedule=window, **more))


LONG = "Ärger, mit; Rück\\schritt " * 8


def changes() -> list[Assessment]:
    """Windows in three months, two of them in conflict, one in a freeze, one that will not be."""
    return [
        planned(1, 24, 20, requester=BO).assess(),
        planned(2, 24, 21, systems=["database"]).approve().assess(),
        planned(3, 28, 10, requester=DEE).assess(),
        planned(4, 3, 23, 2, systems=["website"])
        .approve()
        .implement()
        .validate()
        .assess(outcome="successful"),
        planned(5, 31, 22, 4, month=10, systems=["website"]).approve().implement().assess(),
        planned(6, 5, 10).sign("evaluation", "reject", "ada@example.org", "change-manager").assess(),
        planned(7, 4, 8, month=12, systems=["website"], requester=EVE).assess(),
    ]


@pytest.fixture(scope="module")
def site() -> Site:
    """What the pages are made from."""
    return Site(overview_of(*changes(), policies=example_policies()))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Path:
    """The pages."""
    output = tmp_path_factory.mktemp("calendar") / "site"
    build_and_publish(site, None, output)
    return output


def test_every_month_that_has_something_has_a_page(site: Site, built: Path) -> None:
    """Windows and freezes make a month; each leads to the ones beside it."""
    assert site.calendar.months == ("2026-10", "2026-11", "2026-12", "2027-01")
    assert sorted(p.stem for p in (built / "calendar").iterdir()) == list(site.calendar.months)
    links = read_page(built, urls.calendar("2026-11")).links
    assert {"../calendar/2026-10.html", "../calendar/2026-12.html"} <= set(links)
    assert read_page(built, urls.CALENDAR).headings[0] == (1, "November 2026")
    assert broken_links(built) == []


def test_weeks_begin_on_monday_and_are_whole(site: Site) -> None:
    """Days of other months fill up the first and the last."""
    month = site.calendar.month("2026-11")
    assert [len(week) for week in month.weeks] == [7] * 6
    assert month.weeks[0][0].date == dt.date(2026, 10, 26)
    assert [day.date.day for week in month.weeks for day in week if day.within] == list(range(1, 31))


def test_a_window_is_on_every_day_that_it_touches_in_the_companys_zone(site: Site) -> None:
    """23:00 in UTC is the next day in Paris; what ends at midnight is not on the day that begins then."""
    days = {
        d.date: d
        for name in site.calendar.months
        for w in site.calendar.month(name).weeks
        for d in w
        if d.within
    }
    there = {date: [b.label for b in day.briefs] for date, day in days.items() if day.briefs}
    assert there[dt.date(2026, 11, 4)] == ["Change 4"]
    assert dt.date(2026, 11, 3) not in there
    assert there[dt.date(2026, 11, 1)] == ["Change 5"]
    assert "Change 6" not in str(there), "a rejected change does not take place"
    frozen = [date for date, day in days.items() if day.freezes]
    assert frozen[:4] == [dt.date(2026, 11, day) for day in (27, 28, 29, 30)]
    assert frozen[-1] == dt.date(2027, 1, 2)


def test_conflicts_are_listed_with_both_changes(built: Path) -> None:
    """A system and one that it needs at once; a window in a freeze."""
    text = re.sub(r"\s+", " ", read_page(built, urls.CALENDAR).text)
    assert "2 conflicts among what is planned" in text
    assert "Dependent systems Customer database Change 1 requested and Change 2 approved" in text
    assert "In a freeze sales week Change 3 requested" in text
    assert "with 2 conflicts" in read_page(built, urls.HOME).text


def unfolded(data: bytes) -> list[str]:
    """The lines of an iCalendar file."""
    assert data.endswith(b"\r\n")
    lines = data[:-2].split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()  # no line is broken within a character
    return data[:-2].replace(b"\r\n ", b"").decode().split("\r\n")


def events(data: bytes) -> list[dict[str, str]]:
    """The events of an iCalendar file."""
    found: list[dict[str, str]] = []
    for line in unfolded(data):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            assert name not in found[-1] or name == "END"
            found[-1][name] = value
    return found


def test_the_calendar_file_has_windows_and_freezes(site: Site) -> None:
    """What is to come and what was lately, in UTC, each with a name that stays and a stamp."""
    lines = unfolded(ics(site))
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-1] == "END:VCALENDAR"
    found = {event["SUMMARY"]: event for event in events(ics(site, "https://changes.example.org/acme/"))}
    assert set(found) == {
        *(f"Change {number}" for number in (1, 2, 3, 4, 5, 7)),
        "Freeze: sales week",
        "Freeze: end of year",
    }
    window = found["Change 2"]
    assert (window["DTSTART"], window["DTEND"]) == ("20261124T210000Z", "20261124T230000Z")
    assert window["UID"] == f"CHG-20261103-0002@{'c' * 40}"
    assert window["DTSTAMP"] == "20261120T210000Z", "when it was approved"
    assert window["STATUS"] == "CONFIRMED"
    assert found["Change 1"]["STATUS"] == "TENTATIVE"
    assert window["URL"] == "https://changes.example.org/acme/changes/CHG-20261103-0002.html"
    assert found["Freeze: end of year"]["DTSTART"] == "20261224T170000Z"
    assert "URL" not in events(ics(site))[0]
    assert len({event["UID"] for event in events(ics(site))}) == len(found)


def test_a_text_in_the_calendar_file_is_escaped_and_folded() -> None:
    """As RFC 5545 asks: commas, semicolons, backslashes; at 75 octets, between characters."""
    case = planned(1, 24, 20)
    case.data["title"] = LONG.strip()
    (event, *_) = events(ics(Site(overview_of(case.assess()))))
    assert event["SUMMARY"] == ("Ärger\\, mit\\; Rück\\\\schritt " * 8).strip()


def test_a_window_of_a_thousand_years_is_shown_for_one() -> None:
    """Nobody makes the site large by planning for ever."""
    last = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
    start = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    site = Site(overview_of(Case(example_change(1, schedule={"start": start, "end": last})).assess()))
    assert len(site.calendar.months) < 16
    assert ics(site)
    assert [c.kind for c in site.calendar.conflicts] == ["freeze", "freeze"]
