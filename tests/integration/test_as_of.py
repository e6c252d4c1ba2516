"""`--as-of` shows what was known and true then."""

from __future__ import annotations

from pathlib import Path

from tests.company import found, git, gitchange


def test_as_of_shows_what_the_branch_of_record_knew(tmp_path: Path) -> None:
    """A change stands at each commit as it stood when that commit was made."""
    company = found(tmp_path)
    change = company.request()
    requested = git(company.repo, "rev-parse", "main")
    company.must("ada", "approve", change, "--yes")
    company.must("ada", "seal")
    approved = git(company.repo, "rev-parse", "main")
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "seen")
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "done")
    for commit, status in ((requested, "requested"), (approved, "approved"), ("main", "documented")):
        done = gitchange(company.repo, "show", change, "--as-of", commit, "--json")
        assert done.json["status"] == status
        listed = gitchange(company.repo, "list", "--as-of", commit, "--json").json["changes"]
        assert [c["status"] for c in listed] == [status]
    today = git(company.repo, "log", "-1", "--format=%cs")
    assert gitchange(company.repo, "show", change, "--as-of", today, "--json").json["status"] == "documented"


def test_as_of_a_time_before_everything_is_refused(tmp_path: Path) -> None:
    """A date before the first commit is an error of usage, and so is what is neither date nor revision."""
    company = found(tmp_path)
    assert gitchange(company.repo, "list", "--as-of", "1999-01-01").code == 2
    assert gitchange(company.repo, "list", "--as-of", "no-such-thing").code == 2


def test_as_of_builds_the_site_of_then(tmp_path: Path) -> None:
    """The site too shows what was known and true then."""
    company = found(tmp_path)
    change = company.request()
    company.must("ada", "approve", change, "--yes")
    company.must("ada", "seal")
    approved = git(company.repo, "rev-parse", "main")
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    later = company.request()
    for name, at, status, known in (
        ("then", approved, "approved", False),
        ("now", "main", "implemented", True),
    ):
        company.must("ada", "site", "build", "--output", str(tmp_path / name), "--as-of", at)
        page = next((tmp_path / name).rglob(f"{change}.html")).read_text()
        assert f'class="status s-{status}"' in page
        assert bool(list((tmp_path / name).rglob(f"{later}.html"))) == known


def test_as_of_knows_no_change_that_came_later(tmp_path: Path) -> None:
    """A change that was requested afterwards was not there, by whichever name it is asked for."""
    company = found(tmp_path)
    before = git(company.repo, "rev-parse", "main")
    change = company.request()
    for name in (change, change[-4:]):
        assert company.show(name)["id"] == change
        done = gitchange(company.repo, "show", name, "--as-of", before)
        assert done.code == 2
        assert f"on main as of {before[:12]}" in done.err
