"""Merges that honest people make of the branch of record: nothing that was good is lost, and what changed is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.company import POLICY, Company, clones, found, git, gitchange

from .test_policy import propose


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company with an empty repository."""
    return found(tmp_path)


def put_aside(company: Company) -> str:
    """What `git pull` makes of a commit that was only here: main's line now runs through it; the merge."""
    repo = company.repo
    company.become("bo")
    git(repo, "switch", "--quiet", "-c", "here", "main~1")
    git(repo, "commit", "--quiet", "--allow-empty", "-m", "only here")
    git(repo, "merge", "--quiet", "--no-edit", "main")
    git(repo, "branch", "--quiet", "--force", "main", "here")
    git(repo, "switch", "--quiet", "main")
    return git(repo, "rev-parse", "main")


def test_pulling_into_an_own_commit_costs_nothing(company: Company) -> None:
    """A merge with the wrong first parent, as `git pull` makes it, leaves every answer as it was."""
    documented = company.documented()
    change = company.request()
    company.must("mo", "approve", change, "--yes")
    company.must("mo", "seal")
    put_aside(company)
    assert company.show(change)["status"] == "approved"
    assert company.show(documented)["status"] == "documented"
    done = gitchange(company.repo, "verify", "--json")
    assert (done.code, done.json["findings"]) == (0, [])


def test_a_clone_says_that_its_line_was_put_aside(company: Company) -> None:
    """Who had followed main is told when a merge runs main's line past the tip that was followed."""
    company.request()
    ((_, clone),) = clones(company, "dee")
    company.must("dee", "sync", directory=clone)
    put_aside(company)
    git(company.repo, "push", "--quiet", str(company.root / "server.git"), "main")
    git(clone, "pull", "--quiet", "--ff-only")
    done = gitchange(clone, "verify", "--json")
    assert [(f["code"], f["severity"]) for f in done.json["findings"]] == [("main.put-aside", "warning")]
    assert done.code == 0


def test_a_policy_that_was_adopted_on_a_branch(company: Company) -> None:
    """Merged by a forge, it is in force with its approvers' names, and judges what main witnessed meanwhile."""
    stays, leaves = company.request(), company.request()
    policy = POLICY.replace("version = 1", "version = 2").replace(', "mo@example.org"]', "]", 1)
    proposal = propose(company, policy)
    company.must("ada", "policy", "approve", proposal, "--yes")
    company.must("eve", "policy", "approve", proposal, "--yes")
    repo = company.repo
    git(repo, "branch", "--quiet", "before", "main")
    company.must("ada", "policy", "adopt", proposal)
    git(repo, "branch", "--quiet", "adopted", "main")
    git(repo, "reset", "--quiet", "--hard", "before")
    company.must("ada", "approve", stays, "--yes")
    company.must("mo", "approve", leaves, "--yes")
    company.must("mo", "seal")
    assert [company.show(change)["status"] for change in (stays, leaves)] == ["approved", "approved"]
    git(repo, "merge", "--quiet", "--no-ff", "--no-edit", "adopted")
    shown = gitchange(repo, "policy", "show", "--json").json
    assert shown["policy"]["version"] == 2
    assert set(shown["history"][-1]["approved_by"]) == {"ada@example.org", "eve@example.org"}
    assert [company.show(change)["status"] for change in (stays, leaves)] == ["approved", "requested"]
    assert gitchange(repo, "verify", "--json").code == 0
