"""`log`, `calendar` and `stats`: what people on call and planners read."""

from __future__ import annotations

import datetime as dt
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitchange.site.ics import ics
from gitchange.site.source import load
from tests.company import POLICY, Company, Result, found, git, gitchange

from .conftest import Take

PLANNING = (
    POLICY.replace('main = "main"', 'main = "main"\ntimezone = "Europe/Paris"')
    + """
[[freezes]]
name = "sales week"
reason = "Customers buy."
kind = "hard"
start = 2026-11-27T00:00:00
end = 2026-12-01T00:00:00
"""
)
IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
INCIDENT = "2026-11-24 21:05"
"""On the clocks of Paris: an hour less in UTC."""


class Clock:
    """What the machine's clock says to the program and to git."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self, day: int, hour: int = 12, minute: int = 0, month: int = 11) -> None:
        moment = dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC)
        self._patch.setenv("GITCHANGE_NOW", moment.isoformat())
        for name in ("GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE"):
            self._patch.setenv(name, f"{int(moment.timestamp())} +0000")


def window(day: int, hour: int, hours: int) -> tuple[str, ...]:
    """Options of `new`: a planned window in UTC."""
    start = dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)
    return ("--start", start.isoformat(), "--end", (start + dt.timedelta(hours=hours)).isoformat())


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, dict[str, str]]]:
    """A company a quarter of an hour after an incident; its changes by name. Not to be written to.

    The database, which the API needs, was changed 25 minutes before; the API itself in the morning.
    """
    root = tmp_path_factory.mktemp("story") / "company"
    root.mkdir()
    patch = pytest.MonkeyPatch()
    at = Clock(patch)
    by: dict[str, str] = {}
    at(2)
    company = found(root, PLANNING)
    at(3)
    by["old"] = company.request("cy", "--system", "website", "--title", "Old news")
    at(4)
    company.must("ada", "approve", by["old"], "-y", "-m", "go")
    at(4, 13)
    company.must("bo", "implement", by["old"], *IMPLEMENT)
    at(5, 11)
    company.must("dee", "validate", by["old"], "--works", "--no-security-risk", "--evidence", "seen")
    at(5)
    company.must("ada", "document", by["old"], "--outcome", "successful", "--summary", "It works.")
    at(20, 10)
    more = ("--title", "Move the orders", "--system", "database", *window(24, 19, 3))
    by["database"] = company.request("cy", *more)
    at(20, 11)
    by["morning"] = company.request("bo", "--title", "Rotate the certificate", *window(24, 8, 2))
    at(20, 12)
    company.must("ada", "approve", by["database"], "-y", "-m", "go")
    company.must("ada", "approve", by["morning"], "-y", "-m", "go")
    at(24, 9)
    company.must("bo", "implement", by["morning"], *IMPLEMENT)
    at(24, 19, 40)
    company.must("bo", "implement", by["database"], *IMPLEMENT)
    at(24, 20)
    by["elsewhere"] = company.request("cy", "--system", "website", "--title", "New logo")
    by["freeze"] = company.request("cy", "--title", "Sell more", *window(28, 10, 2))
    by["tomorrow"] = company.request("bo", "--title", "Limit requests", *window(25, 18, 4))
    by["clash"] = company.request("cy", "--title", "Index orders", "--system", "database", *window(25, 20, 3))
    at(24, 20, 20)
    yield company, by
    patch.undo()


def lines(done: Result) -> list[str]:
    """What was printed, of a command that went well."""
    assert done.code == 0, done.err
    return done.out.splitlines()


# -- log ---------------------------------------------------------------------------------------


def test_the_first_three_lines_say_what_most_probably_broke_it(story: tuple[Company, dict[str, str]]) -> None:
    """Whom to ask about what, and why it is named first."""
    company, by = story
    said = lines(gitchange(company.repo, "log", "--around", INCIDENT, "--system", "api"))
    assert said[0] == "Look at these first, around 2026-11-24 21:05 +0100, 24 h before and after"
    assert said[1].startswith(f"1. {by['database']}  Move the orders (database; implemented)")
    assert said[2] == "   implemented 25 min before by bo@example.org; database, 1 step away; medium risk"
    assert said[3].startswith(f"2. {by['morning']}  Rotate the certificate")
    assert "implemented 11.1 h before by bo@example.org; on api" in said[4]
    assert "looked at: api, database (needed by api, 1 step)" in said
    assert by["elsewhere"] not in "\n".join(said), "the API does not need the website"


def test_log_around_has_the_documented_shape(story: tuple[Company, dict[str, str]]) -> None:
    """Suspects with score and reason, what was in its window, and events near the moment, on what is needed too."""
    company, by = story
    moment = "2026-11-24T20:05:00Z"
    shape = gitchange(company.repo, "log", "--around", moment, "--system", "api", "--json").json
    assert shape.keys() == {"schema", "around", "total", "events"}
    around = shape["around"]
    assert around.keys() == {"time", "hours", "systems", "in_window", "suspects"}
    assert (around["time"], around["hours"]) == ("2026-11-24T21:05:00+01:00", 24)
    assert around["systems"] == [
        {"name": "api", "steps": 0, "needed_by": None},
        {"name": "database", "steps": 1, "needed_by": "api"},
    ]
    assert [c["change"] for c in around["in_window"]] == [by["database"]]
    first = around["suspects"][0]
    assert (first["change"], first["touch"], first["gap"]) == (by["database"], "implementation", 25 * 60)
    assert (first["system"], first["steps"], first["failed"]) == ("database", 1, False)
    assert first["window"] == ["2026-11-24T19:00:00+00:00", "2026-11-24T22:00:00+00:00"]
    scores = [suspect["score"] for suspect in around["suspects"]]
    assert scores == sorted(scores, reverse=True)
    assert [(e["did"], e["change"]) for e in shape["events"][-2:]] == [
        ("implemented", by["database"]),
        ("implemented", by["morning"]),
    ]
    assert {e["change"] for e in shape["events"]} == {by[n] for n in by if n not in ("old", "elsewhere")}
    assert shape["total"] == len(shape["events"]) == 5


def test_what_is_in_its_window_is_told(story: tuple[Company, dict[str, str]]) -> None:
    """Before its work is signed, it is the first suspect; in the window of nobody there is nothing to tell."""
    company, by = story
    shape = gitchange(company.repo, "log", "--around", "2026-11-25T20:30+00:00", "--json").json["around"]
    assert [c["change"] for c in shape["in_window"]] == [by["clash"], by["tomorrow"]]
    assert {s["touch"] for s in shape["suspects"][:2]} == {"unapproved window"}
    assert "in its planned window, not approved, implementation not signed" in shape["suspects"][0]["why"]
    assert shape["systems"] == []
    said = gitchange(company.repo, "log", "--around", "2026-11-25T20:30Z").out
    assert "In their planned windows at that time\nfrom " in said


def test_hours_say_how_near(story: tuple[Company, dict[str, str]]) -> None:
    """With one hour only what happened within it is told, and of too many events the nearest stay."""
    company, by = story

    def asked(*options: str) -> Any:
        return gitchange(company.repo, "log", "--around", INCIDENT, "--json", *options).json

    assert [e["change"] for e in asked("--hours", "1", "--system", "api")["events"]] == [
        *sorted((by[n] for n in ("freeze", "tomorrow", "clash")), reverse=True),
        by["database"],
    ]
    near = asked("--limit", "4")
    assert (near["total"], len(near["events"])) == (6, 4)
    assert {e["time"][:13] for e in near["events"]} == {"2026-11-24T20"}
    done = gitchange(company.repo, "log", "--around", "2026-11-10", "--system", "api")
    assert lines(done) == [
        "nothing was done or planned on api, database (needed by api, 1 step) around "
        "2026-11-10 12:00 +0100, 24 h before and after",
        "`--hours 72` looks further",
    ]


def test_now_is_a_moment(story: tuple[Company, dict[str, str]]) -> None:
    """A quarter of an hour after the incident the same change comes first."""
    company, by = story
    said = lines(gitchange(company.repo, "log", "--around", "now", "--system", "api"))
    assert "around 2026-11-24 21:20 +0100" in said[0]
    assert by["database"] in said[1]


def test_log_without_a_moment_tells_the_latest(story: tuple[Company, dict[str, str]]) -> None:
    """The newest first, requests, sign-offs and records, on the clocks of the policy's zone."""
    company, by = story
    said = lines(gitchange(company.repo, "log", "--system", "website"))
    assert said[0].split() == ["time", "who", "did", "change", "systems", "title"]
    assert [line.split()[:4] for line in said[1:]] == [
        ["2026-11-24", "21:00", "Cy", "requested"],
        ["2026-11-05", "13:00", "Ada", "documented"],
        ["2026-11-05", "12:00", "dee@example.org", "validated"],
        ["2026-11-04", "14:00", "bo@example.org", "implemented"],
        ["2026-11-04", "13:00", "ada@example.org", "approved"],
        ["2026-11-03", "13:00", "Cy", "requested"],
    ]
    done = gitchange(company.repo, "log", "--limit", "2")
    assert (len(lines(done)), done.err) == (3, "2 of 15; --all shows them all\n")
    shape = gitchange(company.repo, "log", "--all", "--json").json
    assert (shape["around"], shape["total"], len(shape["events"])) == (None, 15, 15)
    sign_off = next(e for e in shape["events"] if e["verdict"] == "approve" and e["change"] == by["old"])
    assert (sign_off["who"], sign_off["kind"], sign_off["current"]) == ("ada@example.org", "sign-off", True)
    assert sign_off["name"] in {s["digest"] for s in company.show(by["old"])["sign_offs"]}
    times = [e["time"] for e in shape["events"]]
    assert times == sorted(times, reverse=True)


def test_texts_of_others_are_only_text(take: Take) -> None:
    """What somebody calls himself moves no cursor."""
    scene = take("requested")
    text = scene.file.read_text().replace("It expires.", "It expires soon.")
    scene.commit(text, "--author", "Cy \x1b[2J <cy@example.org>")
    for command in (("log",), ("log", "--around", "now")):
        said = gitchange(scene.repo, *command).out
        assert "Cy \\u{1b}[2J" in said
        assert "\x1b" not in said


# -- calendar ----------------------------------------------------------------------------------


def test_calendar_is_a_list_of_days(story: tuple[Company, dict[str, str]]) -> None:
    """What begins on a day, in the policy's zone; what is in conflict is marked."""
    company, by = story
    said = lines(gitchange(company.repo, "calendar"))
    assert said[0] == "November 2026 (Europe/Paris)"
    listed = [line.split("  ") for line in said[2:7]]
    told = [[cell.strip() for cell in row if cell.strip()] for row in listed]
    assert [
        row[: row.index(next(c for c in row if c.startswith(("CHG", "freeze")))) + 1] for row in told
    ] == [
        ["Tue 24 Nov", "09:00 – 11:00", by["morning"]],
        ["20:00 – 23:00", by["database"]],
        ["Wed 25 Nov", "19:00 – 23:00", "!", by["tomorrow"]],
        ["21:00 – 24:00", "!", by["clash"]],
        ["Fri 27 Nov", "00:00 – Tue 1 Dec 00:00", "freeze"],
    ]
    (frozen,) = [line for line in said if by["freeze"] in line and line.startswith("Sat 28 Nov")]
    assert "!" in frozen


def test_conflicts_are_told_with_the_next_free_slot(story: tuple[Company, dict[str, str]]) -> None:
    """For the one that begins later: after the other one, and after the freeze."""
    company, by = story
    said = gitchange(company.repo, "calendar").out.split("2 conflicts\n")[1].splitlines()
    assert said[0] == "! Wed 25 Nov 21:00 – 23:00  dependent systems: database"
    assert [line.split("  ")[-2] for line in said[1:3]] == [by["tomorrow"], by["clash"]]
    assert said[3] == f"    next free for {by['clash']}: Wed 25 Nov 23:00 – Thu 26 Nov 02:00"
    assert said[4] == "! Sat 28 Nov 11:00 – 13:00  a freeze: sales week"
    assert said[6] == f"    next free for {by['freeze']}: Tue 1 Dec 00:00 – 02:00"
    shape = gitchange(company.repo, "calendar", "--system", "database", "--json").json
    assert shape.keys() == {"schema", "from", "to", "zone", "windows", "freezes", "conflicts"}
    assert (shape["from"], shape["to"], shape["zone"]) == ("2026-11-01", "2026-11-30", "Europe/Paris")
    assert {w["change"] for w in shape["windows"]} == {by["database"], by["clash"]}
    assert [f["name"] for f in shape["freezes"]] == ["sales week"]
    (conflict,) = shape["conflicts"]
    assert (conflict["kind"], conflict["changes"]) == ("dependent system", [by["tomorrow"], by["clash"]])
    assert conflict["next_free"] == {
        "change": by["clash"],
        "start": "2026-11-25T22:00:00+00:00",
        "end": "2026-11-26T01:00:00+00:00",
    }


def test_days_can_be_chosen(story: tuple[Company, dict[str, str]]) -> None:
    """From day to day, with both; what lasts since before the first is on it; a month in which nothing is planned."""
    company, by = story
    said = lines(gitchange(company.repo, "calendar", "--from", "2026-11-28", "--to", "2026-11-28"))
    assert said[0] == "2026-11-28 to 2026-11-28 (Europe/Paris)"
    assert said[2].split("  ")[:2] == ["Sat 28 Nov", "… – Tue 1 Dec 00:00"]
    assert by["freeze"] in said[3]
    assert lines(gitchange(company.repo, "calendar", "--month", "2026-09")) == [
        "September 2026 (Europe/Paris)",
        "nothing is planned",
    ]


def test_the_calendar_file_is_the_sites(story: tuple[Company, dict[str, str]]) -> None:
    """To the byte, at the same moment; for one system its windows alone."""
    company, by = story
    arguments = [sys.executable, "-m", "gitchange", "-C", str(company.repo), "calendar", "--ics"]
    printed = subprocess.run(arguments, capture_output=True, check=True).stdout
    now = dt.datetime.fromisoformat(os.environ["GITCHANGE_NOW"])
    assert printed == ics(load(company.repo, now))
    assert printed.count(b"BEGIN:VEVENT") == 6
    alone = subprocess.run([*arguments, "--system", "database"], capture_output=True, check=True).stdout
    assert by["database"].encode() in alone
    assert by["tomorrow"].encode() not in alone


# -- stats -------------------------------------------------------------------------------------


def test_stats_tell_the_figures(story: tuple[Company, dict[str, str]]) -> None:
    """Those of the site, for people and as JSON."""
    company, _ = story
    shape = gitchange(company.repo, "stats", "--json").json
    assert shape.keys() == {
        *("schema", "since", "until", "zone", "systems", "changes", "months", "lead", "approval", "open"),
        "by_system",
    }
    assert (shape["since"], shape["until"], shape["changes"]) == ("2025-12-01", "2026-11-24", 7)
    assert len(shape["months"]) == 12
    last = shape["months"][-1]
    assert (last["month"], last["requested"], last["documented"]["normal"]) == ("2026-11", 7, 1)
    assert (last["ended"], last["failed"], last["emergencies"]) == (1, 0, 0)
    whole = shape["lead"][-1]
    assert (whole["from"], whole["to"], whole["changes"]) == ("request", "documentation", 1)
    assert (whole["median"], whole["ninetieth"]) == (2 * 86400, 2 * 86400)
    assert sum(row["changes"] for row in shape["approval"]) == 3
    assert sum(row["changes"] for row in shape["open"]) == 6
    assert shape["by_system"]["database"] == {
        "changes": 2,
        "open": 2,
        "documented": 0,
        "emergencies": 0,
        "ended": 0,
        "failed": 0,
        "last": "2026-11-24T19:40:00+00:00",
    }
    figures = load(company.repo, dt.datetime.fromisoformat(os.environ["GITCHANGE_NOW"])).figures
    assert [month["requested"] for month in shape["months"]] == [m.requested for m in figures.months]
    said = gitchange(company.repo, "stats").out
    assert "         1  documented\n" in said
    assert "2026-11           1         0       1          0          7          0 %      1     0 %\n" in said


def test_stats_of_a_system_since_a_day(story: tuple[Company, dict[str, str]]) -> None:
    """Only what is to it, and only from that day on."""
    company, _ = story
    shape = gitchange(company.repo, "stats", "--system", "website", "--since", "2026-11-04", "--json").json
    assert [month["month"] for month in shape["months"]] == ["2026-11"]
    assert (shape["changes"], shape["months"][0]["requested"]) == (2, 1)
    assert shape["by_system"].keys() == {"website"}
    assert (
        "2026-11-04 to 2026-11-24, website"
        in gitchange(company.repo, "stats", "--system", "website", "--since", "2026-11-04").out
    )


# -- everywhere --------------------------------------------------------------------------------

EVERY: dict[str, tuple[str, ...]] = {
    "log": ("log", "--all"),
    "log --json": ("log", "--all", "--json"),
    "log --around": ("log", "--around", INCIDENT, "--system", "api"),
    "calendar": ("calendar",),
    "calendar --json": ("calendar", "--json"),
    "stats": ("stats",),
}


def test_bare_clones_and_those_who_cannot_write_read_the_same(
    story: tuple[Company, dict[str, str]], tmp_path: Path
) -> None:
    """Without a work tree; and where no index can be written, all is judged for the answer."""
    company, _ = story
    bare, locked = tmp_path / "bare.git", tmp_path / "locked.git"
    git(tmp_path, "clone", "--quiet", "--mirror", str(company.repo), str(bare))
    git(bare, "config", "gitchange.introduction", git(company.repo, "config", "gitchange.introduction"))
    shutil.copytree(bare, locked)
    (locked / "gitchange").write_text("a file, where a folder must be")
    for arguments in EVERY.values():
        expected = gitchange(company.repo, *arguments)
        assert expected.code == 0
        for place in (bare, locked):
            done = gitchange(place, *arguments)
            assert (done.code, done.out) == (0, expected.out), (place, done.err)


WRONG: dict[str, tuple[tuple[str, ...], str, str]] = {
    "a system nobody knows": (
        ("log", "--system", "databse"),
        "there is no system 'databse'",
        "did you mean 'database'?",
    ),
    "another one": (("calendar", "--system", "x"), "there is no system 'x'", "api, database, website"),
    "and in figures": (("stats", "--system", "Api"), "there is no system 'Api'", "did you mean 'api'?"),
    "no time": (("log", "--around", "yesterday"), "'yesterday' is no time", "2026-11-24T21:05:00+01:00"),
    "no time there is": (("log", "--around", "2026-11-31"), "is no time", "now"),
    "before the calendar": (("log", "--around", "0001-01-01T00:00+14:00"), "beyond the calendar", "now"),
    "hours around nothing": (("log", "--hours", "3"), "--hours says how near to --around", ""),
    "no month": (("calendar", "--month", "2026-13"), "'2026-13' is no month", "2026-11"),
    "another month": (("calendar", "--month", "November"), "'November' is no month", "2026-11"),
    "no day": (("calendar", "--from", "24.11.2026"), "'24.11.2026' is no date", "2026-11-24"),
    "backwards": (("calendar", "--from", "2026-11-24", "--to", "2026-11-23"), "is before", "--from"),
    "for ever": (("calendar", "--from", "2026-11-24", "--to", "2200-01-01"), "more than two years", "less"),
    "month and days": (("calendar", "--month", "2026-11", "--to", "2026-11-23"), "--month is one", ""),
    "a file of a month": (("calendar", "--ics", "--month", "2026-11"), "leave --month", ""),
    "figures to come": (("stats", "--since", "2026-12-24"), "2026-12-24 is still to come", "today"),
    "figures of old": (("stats", "--since", "1066-10-14"), "beyond the calendar", "2026-11-24"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_questions_are_told_with_what_would_be_right(
    story: tuple[Company, dict[str, str]], what: str
) -> None:
    """And exit code 2."""
    company, _ = story
    arguments, message, hint = WRONG[what]
    done = gitchange(company.repo, *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert hint in done.err


def test_where_there_is_nothing_that_is_said(take: Take, tmp_path: Path) -> None:
    """A company without changes, and a repository without a commit."""
    company = take("founded").company
    assert lines(gitchange(company.repo, "log")) == ["nothing happened yet"]
    assert lines(gitchange(company.repo, "log", "--around", "now"))[0].startswith(
        "nothing was done or planned around"
    )
    assert lines(gitchange(company.repo, "calendar", "--month", "2026-11"))[1] == "nothing is planned"
    assert "         0  documented" in lines(gitchange(company.repo, "stats"))
    assert gitchange(company.repo, "log", "--json").json["events"] == []
    git(tmp_path, "init", "--quiet", str(tmp_path / "empty"))
    for command in ("log", "calendar", "stats"):
        done = gitchange(tmp_path / "empty", command)
        assert (done.code, "no commit yet" in done.err) == (3, True)


def test_what_cannot_be_read_is_told_too(take: Take) -> None:
    """A change file that cannot be read happened; without a readable policy there are no dependencies and freezes."""
    scene = take("approved")
    scene.commit(b"title = \x1b[2Junfinished\n")
    assert scene.path in lines(gitchange(scene.repo, "log"))[1]
    assert scene.path in gitchange(scene.repo, "log", "--around", "now").out
    stray = scene.repo / "changes" / "stray\x1b[2J.toml"
    stray.write_text("no change")
    git(scene.repo, "add", "--all")
    git(scene.repo, "commit", "--quiet", "-m", "stray")
    said = gitchange(scene.repo, "log", "--around", "now", "--all").out
    assert said.count("stray\\u{1b}[2J") >= 2
    assert "\x1b" not in said
    (scene.repo / "policy" / "policy.toml").write_text("version = ")
    git(scene.repo, "commit", "--quiet", "-am", "broken")
    for command in EVERY.values():
        done = gitchange(scene.repo, *command[:1])
        assert (done.code, done.err) == (0, ""), command


def test_at_a_terminal_lines_fit(story: tuple[Company, dict[str, str]]) -> None:
    """With colours, and no wider than the terminal."""
    company, _ = story
    for arguments in (("log", "--around", INCIDENT, "--system", "api"), ("calendar",), ("stats",)):
        said = at_terminal(company.repo, *arguments)
        assert "\x1b[" in said
        plain = [strip(line) for line in said.splitlines()]
        assert max(map(len, plain)) <= 130, arguments


def at_terminal(directory: Path, *arguments: str) -> str:
    """What a command prints at a terminal of 130 columns."""
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "gitchange", "-C", str(directory), *arguments]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "130"}
    with subprocess.Popen(command, stdout=terminal, stdin=terminal, stderr=terminal, env=environment) as run:
        os.close(terminal)
        said = b""
        while True:
            try:
                piece = os.read(controller, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not piece:
                break
            said += piece
        os.close(controller)
        assert run.wait() == 0
    return said.decode()


def strip(line: str) -> str:
    """A line without its colours."""
    while "\x1b[" in line:
        before, _, after = line.partition("\x1b[")
        line = before + after.partition("m")[2]
    return line


def test_events_are_kept_up_to_date(take: Take) -> None:
    """After each step the log says what it says from nothing."""
    scene = take("requested")
    steps: tuple[Callable[[], object], ...] = (
        lambda: None,
        lambda: scene.company.must("ada", "approve", scene.change, "-y", "-m", "go"),
        lambda: scene.commit(scene.file.read_text().replace("It expires.", "It expires soon.")),
        lambda: scene.company.request("cy"),
        lambda: (git(scene.repo, "rm", "--quiet", scene.path), git(scene.repo, "commit", "-qm", "gone")),
    )
    for step in steps:
        step()
        kept = gitchange(scene.repo, "log", "--json").json
        shutil.rmtree(scene.repo / ".git" / "gitchange")
        assert gitchange(scene.repo, "log", "--json").json == kept
    assert [e["did"] for e in kept["events"]] == ["requested"]
