"""`report`: a year of a company with an exception of each kind, told clause by clause."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from gitchange.workflow import moments
from tests.company import POLICY, Company, found, git, gitchange
from tests.integration.test_oncall import Clock, lines, window
from tests.integration.test_policy import adopt, propose, version_2

RULES = (
    POLICY
    + """
[deadlines]
evaluation = "3d"
validation = "3d"
documentation = "3d"
emergency_approval = "24h"

[[waivers]]
waives = "evaluator-is-requester"
reason = "One change manager knows the website."
expires = 2027-01-01T00:00:00Z
systems = ["website"]
"""
)
HOSTILE = "<script>alert(1)</script> [x](javascript:1) | `a` **b** _c_ www.evil.example # 1. @all"
CRAFT = Path(__file__).parents[1] / "cases/craft.py"
SITE = "https://acme.example/changes"
DONE = ("--steps-followed", "--test", "suite=passed")


def path_of(change: str) -> str:
    """Where a change's file is."""
    return f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"


def approved(company: Company, *options: str, person: str = "bo") -> str:
    """A request that ada has approved."""
    change = company.request(person, *options)
    company.must("ada", "approve", change, "--yes", "-m", "go")
    return change


def crafted(company: Company, change: str) -> bytes:
    """Bo's word that it was implemented, by a tool that does not ask whether it would count."""
    return subprocess.run(
        [sys.executable, CRAFT, company.key("bo"), path_of(change), "implement"],
        cwd=company.repo,
        env={**os.environ, "INTRODUCTION": git(company.repo, "config", "gitchange.introduction")},
        capture_output=True,
        check=True,
    ).stdout


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Company, dict[str, str]]]:
    """A company at the end of November; its changes by what is wrong with them. Not to be written to."""
    root = tmp_path_factory.mktemp("year") / "company"
    root.mkdir()
    patch = pytest.MonkeyPatch()
    at = Clock(patch)
    by: dict[str, str] = {}
    at(2)
    company = found(root, RULES)
    repo = company.repo
    at(3)
    by["good"] = company.documented()
    by["old"] = company.request("bo", "--title", "Never decided")
    by["void"] = company.request("bo", "--title", "Approved with a stolen key")
    at(4)
    company.must("mo", "approve", by["void"], "--yes", "-m", "go")
    company.must("mo", "seal")
    key = company.show(by["void"])["sign_offs"][0]["key"]
    since = git(repo, "rev-parse", "main")
    by["unvalidated"] = approved(company, "--title", "Nobody looked")
    company.must("bo", "implement", by["unvalidated"], *DONE)
    by["emergency"] = company.request(
        "bo", "--type", "emergency", "--incident", "INC-7", "--justification", "Nobody can log in."
    )
    company.must("bo", "implement", by["emergency"], *DONE)
    by["first"] = company.request("bo", "--title", "Implemented first")
    early = f"HEAD:{path_of(by['first'])}"
    git(
        repo,
        "notes",
        "--ref=gitchange/approvals",
        "add",
        "-F",
        "-",
        early,
        data=crafted(company, by["first"]),
    )
    company.must("ada", "approve", by["first"], "--yes", "-m", "all right")
    by["edited"] = approved(company, "--title", "Edited")
    company.become("bo")
    file = repo / path_of(by["edited"])
    file.write_text(file.read_text().replace("It expires.", "It expires, and more."))
    git(repo, "commit", "-qam", "More")
    by["waived"] = company.request("ada", "--system", "website", "--title", "By a waiver")
    company.must("ada", "approve", by["waived"], "--yes", "-m", "mine")
    by["other steps"] = approved(company, "--title", HOSTILE)
    deviating = (
        "--deviation",
        "Only | one.\nExceptions: none",
        "--test",
        "smoke=failed",
        "--test",
        "suite=passed",
    )
    company.must("bo", "implement", by["other steps"], *deviating)
    by["outside"] = approved(company, "--title", "Too early", *window(20, 10, 2))
    company.must("bo", "implement", by["outside"], *DONE)
    company.must(
        "dee", "validate", by["outside"], "--fails", "--security-risk", "Old keys are taken.", "-m", "no"
    )
    by["imported"] = company.request("bo", "--title", "From the past")
    file = repo / path_of(by["imported"])
    file.write_text(f'{file.read_text()}\n[imported]\ncommit = "{"c" * 40}"\n')
    by["unreadable"] = company.request("bo", "--title", "Broken")
    (repo / path_of(by["unreadable"])).write_text("no toml")
    stray = repo / "changes/<b>|\x1b[2J.toml"  # anybody's name, too
    stray.write_text("x")
    git(repo, "add", "changes")
    by["removed"] = company.request("bo", "--title", "Removed")
    git(repo, "rm", "-q", path_of(by["removed"]))
    (repo / "mkdocs.yml").write_text(f"site_name: x\nsite_url: {SITE}\nextra: !ENV HOME\n")
    git(repo, "commit", "-qam", "Edit")
    company.must("mo", "seal")
    at(20)
    entry = f'\n[[compromised]]\nkey = "{key}"\nsince = "{since}"\nreason = "The laptop was stolen."\n'
    adopt(company, propose(company, version_2(RULES) + entry))
    at(27)
    by["new"] = company.request("bo", "--title", "Just asked")
    at(28)
    yield company, by
    patch.undo()


def told(shape: Any, attribute: str, kind: str = "exceptions") -> dict[str, str]:
    """The changes that are named for an attribute, each with the reason."""
    found = next(a for a in shape["attributes"] if a["name"] == attribute)
    return {one["change"]: one["why"] for one in found[kind]}


FRAMEWORKS = ("soc2", "iso27001", "pci", "nist")
EXPECTED = {
    "old": ("decided", "nobody has decided on it in time: it was due by 2026-11-06"),
    "void": ("signed-rightly", "which is compromised: The laptop was stolen."),
    "unvalidated": ("validated", "implemented, and not validated in time: it was due by 2026-11-07"),
    "emergency": ("emergency-in-time", "not approved in time (emergency debt)"),
    "first": ("approved-first", "signed the implementation without having seen its approval"),
    "edited": ("decided", "was for an earlier text and does not count"),
    "waived": ("independent-evaluation", "by a waiver of the policy (evaluator-is-requester)"),
    "other steps": ("as-approved", "deviations from the approved steps: Only | one.\nExceptions: none"),
    "outside": ("in-window", "planned from 2026-11-20"),
    "imported": ("written-first", "written after the fact, from commit cccccccccccc (imported)"),
    "unreadable": ("requested", "its file cannot be read"),
}


def everything(company: Company, *options: str) -> dict[str, Any]:
    """What all four reports say of each attribute; those that share one say the same."""
    attributes: dict[str, Any] = {}
    for framework in FRAMEWORKS:
        shape = gitchange(company.repo, "report", framework, "--json", *options).json
        for one in shape["attributes"]:
            assert attributes.setdefault(one["name"], one) == one
    return {"attributes": list(attributes.values())}


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_exception_is_told_with_its_reason(year: tuple[Company, dict[str, str]], kind: str) -> None:
    """An auditor reads which change it is, and why."""
    company, by = year
    attribute, words = EXPECTED[kind]
    assert words in told(everything(company), attribute)[by[kind]]


def test_what_went_well_is_no_exception(year: tuple[Company, dict[str, str]]) -> None:
    """A change that went through all steps is evidenced; one that was just asked for is open."""
    company, by = year
    shape = everything(company)
    named = {a["name"] for a in shape["attributes"] if by["good"] in told(shape, a["name"])}
    assert named == {"security-impact", "privacy-impact"}, "it says nothing of either"
    assert told(shape, "decided", "open")[by["new"]] == "nobody has decided on it yet"
    assert told(shape, "tested") == {by["other steps"]: "implemented although a test failed: smoke"}
    assert told(shape, "validated")[by["outside"]] == "its validation failed: Old keys are taken."
    assert by["outside"] in told(shape, "failure-handled")
    assert told(shape, "documented", "open").keys() == {
        by[name] for name in ("unvalidated", "emergency", "other steps", "outside")
    }


def test_counts_add_up(year: tuple[Company, dict[str, str]]) -> None:
    """Of the changes to which an attribute applies, each is evidenced, an exception or open."""
    company, by = year
    shape = gitchange(company.repo, "report", "soc2", "--json").json
    assert shape["changes"] == len(by) == sum(shape["types"].values())
    assert shape["types"] == {"normal": 11, "emergency": 1, "unreadable": 2}
    assert shape["happened"]["documented"] == 1
    for one in shape["attributes"]:
        assert one["applies"] == one["evidenced"] + len(one["exceptions"]) + len(one["open"])
    names = {a["name"] for a in shape["attributes"]}
    assert names == {name for clause in shape["clauses"] for name in clause["attributes"]}
    listed = {
        one["change"] for a in shape["attributes"] for kind in ("exceptions", "open") for one in a[kind]
    }
    assert listed == {named["change"] for named in shape["named"]}
    assert [f["code"] for f in shape["findings"]] == ["change.removed"]


def test_the_documented_shape(year: tuple[Company, dict[str, str]]) -> None:
    """What programs get, with the commits that it rests on, the policies of the period and links."""
    company, by = year
    shape = gitchange(company.repo, "report", "iso27001", "--json").json
    text = (Path(__file__).parents[2] / "docs/json.md").read_text("utf-8")
    documented = re.search(r"## `report --json`\n\n`\{([a-z_, ]+)\}`", text)
    assert documented is not None
    assert list(shape) == documented[1].split(", ")
    assert (shape["from"], shape["to"]) == ("2025-11-29", "2026-11-28")
    assert shape["main"] == git(company.repo, "rev-parse", "main")
    assert [(p["version"], p["approved_by"]) for p in shape["policies"]] == [
        (1, []),
        (2, ["ada@example.org", "eve@example.org"]),
    ]
    named = {one["change"]: one for one in shape["named"]}
    assert named[by["emergency"]]["url"] == f"{SITE}/changes/{by['emergency']}.html"
    assert named[by["emergency"]]["path"] == path_of(by["emergency"])
    assert named[by["unreadable"]]["title"] is None


def test_periods(year: tuple[Company, dict[str, str]]) -> None:
    """Under way means requested before its end and not closed before it began; days are with both."""
    company, by = year

    def changes(period: str) -> int:
        return int(gitchange(company.repo, "report", "pci", "--json", "--period", period).json["changes"])

    assert changes("2026-11-01..2026-11-02") == 0
    assert changes("2026-11-03..2026-11-03") == 3, "good, old and void"
    assert changes("2026-11-05..2026-11-06") == len(by) - 2, (
        "not what is closed, removed or to come; the stray file"
    )
    assert changes("2026-11-27..") == len(by) - 1
    shape = gitchange(company.repo, "report", "pci", "--json", "--period", "2026-11-03..2026-11-03").json
    assert shape["happened"] == {
        "requested": 3,
        "approved": 1,
        "implemented": 1,
        "validated": 1,
        "documented": 1,
    }
    assert told(shape, "approved-first") == {}


def test_one_system(year: tuple[Company, dict[str, str]]) -> None:
    """Changes to others are not asked."""
    company, by = year
    shape = gitchange(company.repo, "report", "nist", "--system", "website", "--json").json
    assert (shape["changes"], shape["systems"]) == (1, ["website"])
    assert told(shape, "independent-evaluation").keys() == {by["waived"]}


def test_as_of(year: tuple[Company, dict[str, str]]) -> None:
    """What was known then: the key was not known to be stolen, the emergency not late."""
    company, by = year
    shape = gitchange(company.repo, "report", "soc2", "--as-of", "2026-11-04", "--json").json
    assert shape["to"] == "2026-11-04"
    assert by["void"] not in {one["change"] for a in shape["attributes"] for one in a["exceptions"]}
    assert by["emergency"] in told(shape, "emergency-in-time", "open")
    assert [p["version"] for p in shape["policies"]] == [1]


def test_the_same_without_an_index(year: tuple[Company, dict[str, str]], tmp_path: Path) -> None:
    """In a bare clone in which nothing can be written, too."""
    company, _ = year
    git(tmp_path, "clone", "--quiet", "--mirror", str(company.repo), "bare.git")
    bare = tmp_path / "bare.git"
    git(bare, "config", "gitchange.introduction", git(company.repo, "config", "gitchange.introduction"))
    (bare / "gitchange").write_text("in the way")
    here, there = (gitchange(where, "report", "soc2", "--json").json for where in (company.repo, bare))
    assert there == here
    assert gitchange(bare, "report", "pci").out == gitchange(company.repo, "report", "pci").out


def test_a_report_for_people(year: tuple[Company, dict[str, str]]) -> None:
    """Clause by clause: what evidences it, how many have it, what is missing; then each exception."""
    company, by = year
    said = lines(gitchange(company.repo, "report", "pci"))
    assert said[0] == "PCI DSS, 2025-11-29 to 2026-11-28 (UTC)"
    assert "6.5.1, approval: approved by those who may" in said
    assert any(line.endswith("was approved before it was implemented: 1 exception") for line in said)
    assert any(line.startswith("    not in here  Who can reach which environment.") for line in said)
    place = next(
        n for n, line in enumerate(said) if line.startswith(f"    {by['first']}  bo@example.org signed")
    )
    assert said[place + 1] == f"      {SITE}/changes/{by['first']}.html"
    assert f"    {by['other steps']}  implemented although a test failed: smoke" in said
    assert "Open" not in said
    assert "Exceptions" in said
    assert "Exceptions: none" not in lines(gitchange(company.repo, "report", "soc2")), (
        "somebody's words are one line"
    )
    assert "Open" in lines(gitchange(company.repo, "report", "pci", "--all"))
    assert any("change.removed" in line for line in said)
    assert "\x1b" not in "\n".join(said)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_markdown_says_what_was_said(year: tuple[Company, dict[str, str]], framework: str) -> None:
    """A title is text in it, whatever it holds; links lead to the site alone, and tables are tables."""
    company, _ = year
    text = "\n".join(lines(gitchange(company.repo, "report", framework, "--markdown")))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert (
        "&lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:1) | `a` **b** _c_ www.evil.example # 1. @all"
        in html
    )
    assert "<script" not in html
    assert {link.rpartition("/changes/")[0] for link in re.findall(r'href="([^"]+)"', html)} == {SITE}
    assert html.count("<h1>") == 1
    assert not re.search(r"(?<!\\)www", text.replace("www\\.", ""))
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    assert {row.count("<t") for row in rows} == {5}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--period", "2026"), "'2026' is no period"),
        (("--period", "2026-02-01..2026-01-01"), "2026-01-01 is before 2026-02-01"),
        (("--period", "then.."), "'then' is no date"),
        (("--system", "apo"), "there is no system 'apo'"),
        (("--json", "--markdown"), "one of them"),
    ],
)
def test_usage(year: tuple[Company, dict[str, str]], arguments: tuple[str, ...], words: str) -> None:
    """What was given wrong is told."""
    company, _ = year
    done = gitchange(company.repo, "report", "soc2", *arguments)
    assert done.code == 2
    assert words in done.err


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        (None, "2023-03-01", "2024-02-28"),
        ("2024-01-01..", "2024-01-01", "2024-02-28"),
        ("..2024-02-29", "2023-03-01", "2024-02-29"),
        ("..2023-12-31", "2023-01-01", "2023-12-31"),
        (" 2020-01-01 .. 2020-01-01 ", "2020-01-01", "2020-01-01"),
    ],
)
def test_periods_as_people_give_them(given: str | None, first: str, last: str) -> None:
    """A year ends the day before its anniversary, leap days or not; what is left out is a year, or today."""
    found = moments.period(given, dt.date(2024, 2, 28))
    assert [day.isoformat() for day in found] == [first, last]


def test_a_company_without_changes(company: Company) -> None:
    """There is nothing to count, and that is said."""
    said = lines(gitchange(company.repo, "report", "soc2"))
    assert "  0 change(s) under way" in said
    assert "Exceptions: none" in said
    assert "             none  was approved before it was implemented" in said


def test_what_was_done_too_early_stays_told_when_a_change_is_closed(company: Company) -> None:
    """The record holds what counts; that bo had implemented it before anybody approved is told beside it."""
    change = company.request("bo")
    path = f"HEAD:{path_of(change)}"
    git(
        company.repo,
        "notes",
        "--ref=gitchange/approvals",
        "add",
        "-F",
        "-",
        path,
        data=crafted(company, change),
    )
    company.complete(change)
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "It works.")
    shape = company.show(change)
    assert (shape["status"], len(shape["sign_offs"])) == ("documented", 3)
    assert [f["code"] for f in shape["findings"]] == ["implementation.before-approval"]
    assert gitchange(company.repo, "verify").code == 0
    for options in ((), ("--as-of", "main")):
        report = gitchange(company.repo, "report", "pci", "--json", *options).json
        assert told(report, "approved-first").keys() == {change}
