"""Freezes, and standard change models with parameters and failures, in a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.company import MODEL, POLICY, Company, found, git, gitchange, request_options
from tests.integration.test_policy import adopt, propose, verify, version_2

FREEZES = """
[[freezes]]
name = "end of year"
reason = "Nobody is there to help."
kind = "soft"
zone = "Europe/Paris"
start = 2026-12-24T18:00:00
end = 2027-01-02T08:00:00
recurrence = "FREQ=YEARLY"
override = { role = "change-manager" }

[[freezes]]
name = "audit"
reason = "The auditors look at the database."
kind = "hard"
zone = "Europe/Paris"
start = 2026-12-01T00:00:00
end = 2026-12-05T00:00:00
when = { systems = ["database"] }
"""
WINDOW = ("--start", "2027-12-27T10:00:00+01:00", "--end", "2027-12-27T11:00:00+01:00")
STANDARD = ("--type", "standard", "--model", "dependency-update", "--system", "website")
RISK = ("--risk", "It breaks :: availability :: rare :: minor :: roll it back")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company with two freezes."""
    return found(tmp_path, POLICY + FREEZES)


def test_a_change_in_a_soft_freeze_goes_through_with_an_override(company: Company) -> None:
    """Approval alone does not do; the override is signed with its reason and stands in the record."""
    change = company.request("bo", *WINDOW)
    told = company.must("ada", "approve", change, "--yes", "-m", "go")
    assert "requested" in told.out
    shown = company.show(change)
    assert shown["flags"] == ["in freeze"]
    assert {n["action"] for n in shown["next"]} == {"override", "edit"}
    hint = next(f["hint"] for f in shown["findings"] if f["code"] == "freeze.planned")
    assert "plan it from 2028-01-02 08:00 +0100 on" in hint
    refused = company.do("cy", "implement", change, "--steps-followed", "--test", "suite=passed")
    assert refused.code == 1
    assert company.do("dee", "override-freeze", change, "-m", "please").code == 1
    assert company.do("bo", "override-freeze", change, "-m", "please").code == 1
    assert company.do("mo", "override-freeze", change, "--freeze", "nothing", "-m", "x").code == 1
    assert company.do("mo", "override-freeze", change).code == 2  # without a reason
    company.must("mo", "override-freeze", change, "-m", "The certificate expires on the 28th.")
    shown = company.show(change)
    assert (shown["status"], shown["flags"]) == ("approved", ["freeze overridden"])
    override = next(s for s in shown["sign_offs"] if s["verdict"] == "override-freeze")
    assert override["answers"] == {"freezes": ["end of year"]}
    company.must("cy", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked")
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "Done.")
    assert verify(company) == (0, set())
    record = company.show(change)["document"]["record"]
    assert [s["verdict"] for s in record["sign_offs"]] == [
        "approve",
        "override-freeze",
        "implement",
        "validate",
    ]


def test_a_record_without_the_override_is_incomplete(company: Company, tmp_path: Path) -> None:
    """A clone without notes sees from the record alone that the freeze was lifted."""
    change = company.request("bo", *WINDOW)
    company.must("mo", "override-freeze", change, "-m", "It expires.")
    company.complete(change)
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "Done.")
    git(tmp_path, "clone", "--quiet", "--single-branch", str(company.repo), "plain")
    plain = tmp_path / "plain"
    assert company.show(change, plain)["status"] == "documented"
    path = next(plain.glob(f"changes/*/*/{change}.toml"))
    before, mark, after = path.read_text().partition('[[record.sign_offs]]\nstep = "freeze"')
    assert mark
    path.write_text(before + "[[record.sign_offs]]\n" + after.partition("[[record.sign_offs]]\n")[2])
    company.become("bo", plain)
    git(plain, "commit", "--quiet", "--amend", "-a", "-m", "the record without the override")
    spoiled = company.show(change, plain)
    assert spoiled["status"] == "requested"
    assert "record.incomplete" in [f["code"] for f in spoiled["findings"]]


def test_a_hard_freeze_holds_the_systems_it_names(company: Company) -> None:
    """Nobody lifts it; planned elsewhere the change goes on."""
    window = ("--start", "2026-12-02T10:00:00+01:00", "--end", "2026-12-02T11:00:00+01:00")
    free = company.request("bo", *window, "--system", "api")
    held = company.request("bo", *window, "--system", "database")
    for change in (free, held):
        company.must("ada", "approve", change, "--yes", "-m", "go")
    assert company.show(free)["status"] == "approved"
    assert company.show(held)["status"] == "requested"
    told = company.do("mo", "override-freeze", held, "-m", "please")
    assert told.code == 1
    assert "lifted by nobody" in told.err


def test_a_freeze_is_told_when_the_change_is_written(company: Company) -> None:
    """By `new`, and by `check` of the files that are asked about; it hinders nothing."""
    made = company.must("bo", "new", "--commit", *request_options(*WINDOW))
    assert "planned in the freeze end of year" in made.err
    path = next(company.repo.glob("changes/*/*/*.toml"))
    checked = gitchange(company.repo, "check", str(path))
    assert (checked.code, "freeze.planned" in checked.out) == (0, True)
    assert "freeze" not in gitchange(company.repo, "check").out
    assert "freeze" not in company.must("bo", "new", "--commit", *request_options()).err


# -- standard changes --------------------------------------------------------------------------

LIMITED = MODEL + "suspended_after = 2\n"
PARAMETER = '\n[parameters.package]\npattern = "[a-z0-9.+-]+"\ndescription = "its name in the lock file"\n'


@pytest.fixture
def suspending(tmp_path: Path) -> Company:
    """A company whose standard model ends with the second failed change."""
    company = found(tmp_path)
    adopt(company, propose(company, version_2(), **{"models/dependency-update.toml": LIMITED}))
    return company


def implemented(company: Company) -> str:
    """A standard change that bo implemented."""
    change = company.request("bo", *STANDARD, *RISK)
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    return change


def fail(company: Company, change: str) -> None:
    """Dee finds that it does not work."""
    company.must("dee", "validate", change, "--fails", "--no-security-risk", "-m", "a white page")


def test_a_model_is_suspended_by_failures_until_a_new_policy(suspending: Company) -> None:
    """What was implemented and witnessed before stays pre-approved; a changed model begins anew."""
    company = suspending
    before = implemented(company)
    company.must("ada", "seal")
    first, second = implemented(company), implemented(company)
    fail(company, first)
    company.must("bo", "implement", second, "--backed-out", "-m", "it did not start")
    late = company.request("bo", *STANDARD, *RISK)
    shown = company.show(late)
    assert (shown["status"], shown["flags"]) == ("requested", ["outside model"])
    assert f"suspended: 2 of its changes failed ({', '.join(sorted((first, second)))})" in str(
        shown["findings"]
    )
    assert company.show(before)["status"] == "implemented"
    assert company.do("bo", "implement", late, "--steps-followed", "--test", "suite=passed").code == 1
    company.must("ada", "seal")
    company.must("dee", "validate", before, "--works", "--no-security-risk", "--evidence", "looked")
    company.must("ada", "document", before, "--outcome", "successful", "--summary", "Done.")
    assert company.show(before)["status"] == "documented"
    company.must("ada", "approve", late, "--yes", "-m", "with care")
    assert company.show(late)["status"] == "approved"
    again = company.request("bo", *STANDARD, *RISK)
    assert company.show(again)["status"] == "requested"
    mended = LIMITED + 'description = "Run the smoke test first."\n'
    policy = version_2().replace("version = 2", "version = 3")
    adopt(company, propose(company, policy, **{"models/dependency-update.toml": mended}))
    assert company.show(again)["status"] == "approved"
    assert verify(company) == (0, set())


def test_a_failure_is_not_forgotten_by_editing_the_text(suspending: Company) -> None:
    """Failures on earlier texts count too."""
    company = suspending
    changes = [implemented(company), implemented(company)]
    for change in changes:
        fail(company, change)
        path = next(company.repo.glob(f"changes/*/*/{change}.toml"))
        path.write_text(path.read_text().replace("It expires.", "It expires soon."))
        git(company.become("bo"), "commit", "--quiet", "-am", "reword")
    assert company.show(changes[0])["status"] == "requested"
    assert company.show(company.request("bo", *STANDARD, *RISK))["status"] == "requested"


def test_words_of_people_without_the_role_suspend_nothing(suspending: Company) -> None:
    """A failure counts when who says so may validate or implement."""
    company = suspending
    for _ in range(2):
        change = implemented(company)
        assert company.do("mo", "validate", change, "--fails", "--no-security-risk", "-m", "x").code == 1
    assert company.show(company.request("bo", *STANDARD, *RISK))["status"] == "approved"


def test_parameters_keep_a_standard_change_within_its_model(tmp_path: Path) -> None:
    """Given with --parameter, held against their patterns; an unknown one is an error of the file."""
    company = found(tmp_path)
    adopt(company, propose(company, version_2(), **{"models/dependency-update.toml": MODEL + PARAMETER}))
    good = company.request("bo", *STANDARD, *RISK, "--parameter", "package=libssl3")
    assert company.show(good)["status"] == "approved"
    assert company.show(good)["document"]["parameters"] == {"package": "libssl3"}
    for odd in (("--parameter", "package=Libssl; reboot"), ()):
        bad = company.request("bo", *STANDARD, *RISK, *odd)
        assert company.show(bad)["status"] == "requested"
    typo = company.do("bo", "new", *STANDARD, *RISK, "--parameter", "pakage=libssl3", "--title", "x")
    assert typo.code != 0
    unknown = gitchange(
        company.become("bo"),
        *(
            "new",
            "--commit",
            "--title",
            "x",
            "--reason",
            "r",
            "--scope",
            "s",
            "--step",
            "a",
            "--rollback",
            "b",
        ),
        *("--test-plan", "t", *STANDARD, *RISK, "--parameter", "pakage=libssl3"),
    )
    assert unknown.code == 1
    assert "did you mean 'package'?" in unknown.err
