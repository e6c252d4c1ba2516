"""`join`: from an address to a clone in which one can work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.company import Company, clones, found, git, gitchange


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company with a shared repository that holds a change and its approval."""
    company = found(tmp_path)
    change = company.request()
    company.must("ada", "approve", change, "--yes")
    list(clones(company))
    git(company.repo, "remote", "add", "origin", str(company.root / "server.git"))
    company.must("ada", "sync")
    return company


@pytest.fixture(autouse=True)
def identity(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """What bo has in the git configuration of his account."""
    settings = company.root / "gitconfig"
    settings.write_text(
        "[user]\n\tname = Bo\n\temail = bo@example.org\n"
        f"\tsigningkey = {company.key('bo')}.pub\n[gpg]\n\tformat = ssh\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))


def introduction(company: Company) -> str:
    """The id that a colleague tells."""
    return git(company.repo, "config", "gitchange.introduction")


def test_joining_makes_a_clone_ready(company: Company) -> None:
    """Pinned, with the sign-offs, knowing who its user is; the next command is the user's own work."""
    done = gitchange(company.root, "join", "server.git", "mine", "--introduction", introduction(company))
    assert done.code == 0, done.out + done.err
    assert "you are bo@example.org: developer" in done.out
    mine = company.root / "mine"
    assert git(mine, "config", "gitchange.introduction") == introduction(company)
    assert git(mine, "config", "notes.gitchange/approvals.mergeStrategy") == "cat_sort_uniq"
    ours, theirs = (git(repo, "rev-parse", "refs/notes/gitchange/approvals") for repo in (mine, company.repo))
    assert ours == theirs
    change = gitchange(mine, "list", "--json").json["changes"][0]
    assert change["status"] == "approved"
    signed = gitchange(mine, "implement", change["id"], "--steps-followed", "--test", "suite=passed")
    assert signed.code == 0, signed.err
    again = gitchange(company.root, "join", "server.git", "mine")  # pinned already: nothing to confirm
    assert again.code == 0
    assert git(mine, "config", "--get-all", "remote.origin.fetch").count("refs/notes") == 1


def test_a_plain_fetch_never_touches_what_was_signed_here(company: Company) -> None:
    """Not even by a fast-forward: git's own fetch goes into refs of its own."""
    gitchange(company.root, "join", "server.git", "mine", "--introduction", introduction(company))
    mine = company.root / "mine"
    change = gitchange(mine, "list", "--json").json["changes"][0]["id"]
    before = git(mine, "rev-parse", "refs/notes/gitchange/approvals")
    company.must("mo", "reject", change, "-m", "not in winter")
    company.must("mo", "sync")
    git(mine, "fetch", "--quiet")
    assert git(mine, "rev-parse", "refs/notes/gitchange/approvals") == before
    gitchange(mine, "implement", change, "--steps-followed", "--test", "suite=passed", "--no-push")
    signed = git(mine, "rev-parse", "refs/notes/gitchange/approvals")
    git(mine, "fetch", "--quiet", "--prune")
    assert git(mine, "rev-parse", "refs/notes/gitchange/approvals") == signed
    assert gitchange(mine, "sync").code == 0
    verdicts = {s["verdict"] for s in gitchange(mine, "show", change, "--json").json["sign_offs"]}
    assert verdicts == {"approve", "reject", "implement"}


def test_nobody_joins_without_a_confirmed_introduction(company: Company) -> None:
    """Without a terminal it must be named; the clone stays, unpinned, and joining goes on from there."""
    done = gitchange(company.root, "join", "server.git", "mine")
    assert done.code == 2
    assert f"--introduction {introduction(company)}" in done.err
    mine = company.root / "mine"
    unpinned = gitchange(mine, "verify", "--json").json
    assert not unpinned["pinned"]
    done = gitchange(company.root, "join", "server.git", "mine", "--introduction", introduction(company))
    assert done.code == 0


def test_another_beginning_is_refused(company: Company) -> None:
    """An id that the history does not begin with is not pinned."""
    for wrong in ("1" * 40, git(company.repo, "rev-parse", "refs/notes/gitchange/approvals")):
        done = gitchange(company.root, "join", "server.git", "mine", "--introduction", wrong)
        assert done.code == 2
        assert "is no part of" in done.err
    assert "gitchange.introduction" not in git(company.root / "mine", "config", "--list", "--local")


def test_a_folder_that_is_something_else_is_left_alone(company: Company) -> None:
    """Neither another clone nor anybody's files."""
    other = company.root / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("x")
    assert gitchange(company.root, "join", "server.git", "other").code != 0
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]
    git(company.root, "clone", "--quiet", str(company.repo), "copy")
    refused = gitchange(company.root, "join", "server.git", "copy")
    assert refused.code == 2
    assert "no clone of" in refused.err


def test_who_is_not_known_is_told_what_to_ask_for(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the policy does not have; a reader without a key joins all the same."""
    settings = company.root / "gitconfig"
    stranger = company.root / "stranger"
    git(company.root, "init", "--quiet", "scratch")
    settings.write_text("[user]\n\tname = Zoe\n\temail = zoe@example.org\n")
    done = gitchange(
        company.root, "join", "server.git", str(stranger), "--introduction", introduction(company)
    )
    assert "you are" not in done.out
    assert gitchange(stranger, "list", "--json").code == 0
    settings.write_text("")
    reader = company.root / "reader"
    gitchange(company.root, "join", "server.git", str(reader), "--introduction", introduction(company))
    assert git(reader, "rev-parse", "refs/notes/gitchange/approvals")


def test_an_unreachable_address_is_a_clear_error(company: Company) -> None:
    """Exit code 3, and no folder is left."""
    done = gitchange(company.root, "join", str(company.root / "nowhere.git"), "mine")
    assert done.code == 3
    assert not (company.root / "mine").exists()


def test_init_prepares_the_remotes_that_are_there(company: Company, tmp_path: Path) -> None:
    """A repository that is adopted fetches notes in the same way."""
    adopted = tmp_path / "adopted"
    git(tmp_path, "init", "--quiet", "-b", "main", str(adopted))
    git(adopted, "remote", "add", "upstream", str(tmp_path / "server.git"))
    company.must("ada", "init", "--title", "x", "--policy", str(tmp_path / "policy"), directory=adopted)
    spec = git(adopted, "config", "--get-all", "remote.upstream.fetch").splitlines()
    assert "refs/notes/gitchange/*:refs/gitchange/remotes/upstream/*" in spec
