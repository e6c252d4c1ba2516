"""Where the branch of record takes merge requests only: change files, records and policies on branches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.company import Company, clones, found, git, request_options
from tests.integration.test_policy import propose, version_2


@pytest.fixture
def people(tmp_path: Path) -> dict[str, Path]:
    """Clones of a shared repository."""
    company = found(tmp_path)
    return {"root": tmp_path, **dict(clones(company, "ada", "mo", "bo", "dee", "eve"))}


@pytest.fixture
def company(people: dict[str, Path]) -> Company:
    """The company; its own repository is the maintainer's clone."""
    company = Company(people["root"], people["root"] / "repo")
    git(company.repo, "remote", "add", "origin", str(people["root"] / "server.git"))
    git(company.repo, "fetch", "--quiet")
    git(company.repo, "branch", "--quiet", "-u", "origin/main", "main")
    return company


def merge(company: Company, branch: str, how: str) -> None:
    """What a forge's button does; nobody's gitchange is asked."""
    forge = company.root / "forge"
    if not forge.exists():
        git(company.root, "clone", "--quiet", str(company.root / "server.git"), "forge")
    for name, value in {"user.name": "Forge", "user.email": "forge@example.org"}.items():
        git(forge, "config", name, value)
    git(forge, "fetch", "--quiet", "--prune")
    git(forge, "switch", "--quiet", "main")
    git(forge, "merge", "--quiet", "--ff-only", "origin/main")
    if how == "merge":
        git(forge, "merge", "--quiet", "--no-ff", "-m", f"Merge branch '{branch}'", f"origin/{branch}")
    elif how == "squash":
        git(forge, "merge", "--quiet", "--squash", f"origin/{branch}")
        git(forge, "commit", "--quiet", "-m", f"{branch} (!7)")
    else:
        git(forge, "switch", "--quiet", "--detach", f"origin/{branch}")
        git(forge, "rebase", "--quiet", "--force-rebase", "origin/main")
        git(forge, "switch", "--quiet", "-C", "main", "HEAD")
    git(forge, "push", "--quiet", "origin", "main", f":{branch}")


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_all_five_steps_by_merge_requests(company: Company, people: dict[str, Path], how: str) -> None:
    """Approved on the branch before the merge; the sign-offs survive whatever the forge does."""
    before = git(people["bo"], "rev-parse", "main")
    made = company.must("bo", "new", "--branch", *request_options(), directory=people["bo"])
    change = made.out.split()[0]
    assert f"change/{change}" in made.out
    assert git(people["bo"], "rev-parse", "main") == before
    assert git(people["bo"], "status", "--porcelain") == ""
    company.must("ada", "approve", change, "--yes", directory=people["ada"])
    shown = company.show(change, people["ada"])
    assert (shown["status"], shown["flags"]) == ("approved", ["not merged"])
    # Elsewhere main goes on.
    company.request("dee", directory=people["dee"])
    merge(company, f"change/{change}", how)
    company.must("bo", "sync", directory=people["bo"])
    assert (company.show(change, people["bo"])["status"], company.show(change, people["bo"])["flags"]) == (
        "approved",
        [],
    )
    company.must(
        "bo", "implement", change, "--steps-followed", "--test", "suite=passed", directory=people["bo"]
    )
    company.must(
        "dee",
        *("validate", change, "--works", "--no-security-risk", "--evidence", "looked"),
        directory=people["dee"],
    )
    recorded = company.must(
        "ada",
        *("document", change, "--outcome", "successful", "--summary", "Done.", "--branch"),
        directory=people["ada"],
    )
    assert f"record/{change}" in recorded.out
    assert company.show(change, people["ada"])["status"] == "validated"
    merge(company, f"record/{change}", how)
    for person in ("ada", "bo", "eve"):
        company.must(person, "sync", directory=people[person])
        assert company.show(change, people[person])["status"] == "documented"
        verified = company.do(person, "verify", "--json", directory=people[person])
        assert verified.json["verdict"] == "ok", verified.out


def test_a_text_on_a_branch_is_named_where_main_has_another(
    company: Company, people: dict[str, Path]
) -> None:
    """An edit that waits to be merged is evaluated as it stands on its branch."""
    change = company.request("bo", directory=people["bo"])
    bo = people["bo"]
    git(bo, "switch", "--quiet", "-c", "change/reword")
    path = next(bo.glob(f"changes/*/*/{change}.toml"))
    path.write_text(path.read_text().replace("It expires.", "It expires on the 30th."))
    git(bo, "commit", "--quiet", "-am", "say when")
    git(bo, "push", "--quiet", "origin", "change/reword")
    company.must("ada", "sync", directory=people["ada"])
    company.must("ada", "approve", change, "--yes", "--branch", "change/reword", directory=people["ada"])
    assert company.show(change, people["ada"])["status"] == "requested"
    merge(company, "change/reword", "squash")
    company.must("ada", "sync", directory=people["ada"])
    assert company.show(change, people["ada"])["status"] == "approved"


def test_two_branches_with_different_texts_are_not_guessed(company: Company, people: dict[str, Path]) -> None:
    """Which text is meant must be said."""
    made = company.must("bo", "new", "--branch", *request_options(), directory=people["bo"])
    change = made.out.split()[0]
    bo = people["bo"]
    git(bo, "switch", "--quiet", "-c", "change/other", f"change/{change}")
    path = next(bo.glob(f"changes/*/*/{change}.toml"))
    path.write_text(path.read_text().replace("It expires.", "It expires soon."))
    git(bo, "commit", "--quiet", "-am", "reword")
    git(bo, "push", "--quiet", "origin", "change/other")
    refused = company.do("ada", "approve", change, "--yes", directory=people["ada"])
    assert refused.code == 2
    assert "--branch NAME" in refused.err
    company.must("ada", "approve", change, "--yes", "--branch", "change/other", directory=people["ada"])


def test_the_policy_may_want_merge_requests(company: Company, people: dict[str, Path]) -> None:
    """Then `new --commit`, `document` and `policy adopt` use branches by themselves."""
    repo = company.repo
    draft = version_2().replace('main = "main"', 'main = "main"\nmerge_requests = true')
    branch = propose(company, draft)
    for member in ("ada", "eve"):
        company.must(member, "policy", "approve", branch, "--yes")
    company.must("ada", "policy", "adopt", branch)
    before = git(company.root / "server.git", "rev-parse", "main")
    assert git(repo, "rev-parse", "main") == before
    made = company.must("bo", "new", "--commit", *request_options())
    change = made.out.split()[0]
    assert git(company.root / "server.git", "rev-parse", f"change/{change}")
    third = propose(company, draft.replace("version = 2", "version = 3"), "third")
    for member in ("ada", "eve"):
        company.must(member, "policy", "approve", third, "--yes")
    done = company.must("ada", "policy", "adopt", third)
    assert "will be in force when this is merged" in done.out
    assert git(company.root / "server.git", "rev-parse", "main") == before
    merge(company, "policy/v3", "squash")
    company.must("ada", "sync")
    shown = company.must("ada", "policy", "show", "--json").json
    assert shown["policy"]["version"] == 3
    assert company.do("ada", "verify", "--json").json["verdict"] == "ok"


def test_the_address_of_the_request_is_told(company: Company, people: dict[str, Path]) -> None:
    """The one that the server tells when the branch is pushed, as GitLab's does."""
    hook = company.root / "server.git" / "hooks" / "post-receive"
    hook.write_text(
        "#!/bin/sh\necho\necho 'To create a merge request for x, visit:'\n"
        "echo '  https://gitlab.example.org/acme/changes/-/merge_requests/new?merge_request%5Bsource_branch%5D=x'\n"
    )
    hook.chmod(0o755)
    made = company.must("bo", "new", "--branch=mine", *request_options(), directory=people["bo"])
    assert "open the merge request: https://gitlab.example.org/acme/changes/-/merge_requests/new?" in made.out


def test_a_branch_that_cannot_be(company: Company, people: dict[str, Path]) -> None:
    """No name of a branch, and the branch of record itself."""
    for name in ("main", "a..b", "-x"):
        done = company.do("bo", "new", f"--branch={name}", *request_options(), directory=people["bo"])
        assert done.code == 2, done.err


def test_what_could_not_be_pushed_waits_here(company: Company, people: dict[str, Path]) -> None:
    """Offline the branch is made all the same."""
    git(people["bo"], "remote", "set-url", "origin", str(company.root / "nowhere.git"))
    made = company.must("bo", "new", "--branch=mine", *request_options(), directory=people["bo"])
    assert "still only here: the branch mine" in made.err
    assert git(people["bo"], "rev-parse", "mine")


# -- short ids of what is not merged ------------------------------------------------------------------


def requested_on(company: Company, folder: Path, branch: str, change: str | None = None) -> str:
    """A request on a branch, pushed; with the id that is asked for, or one of its own."""
    options = ["--id", change] if change else []
    made = company.must("bo", "new", f"--branch={branch}", *options, *request_options(), directory=folder)
    return made.out.split()[0]


def test_short_id_finds_what_is_on_a_branch(company: Company, people: dict[str, Path]) -> None:
    """The last part of an id names a request that only a branch has: here, or fetched, or named."""
    bo, ada = people["bo"], people["ada"]
    change = requested_on(company, bo, "change/certificate")
    short = change[-4:].lower()
    assert company.show(short, bo)["id"] == change
    unknown = company.do("ada", "show", short, directory=ada)
    assert unknown.code == 2
    assert f"no change whose id ends in {change[-4:]} on main, nor on another branch" in unknown.err
    signed = company.must("ada", "approve", short, "--yes", directory=ada)
    assert f"signed: approve {change} by ada@example.org" in signed.out
    for name in ("change/certificate", "origin/change/certificate"):
        shown = company.must("ada", "show", short, "--branch", name, "--json", directory=ada).json
        assert (shown["id"], shown["status"], shown["flags"]) == (change, "approved", ["not merged"])
    company.must("ada", "verify", short, directory=ada)
    elsewhere = company.do("ada", "show", short, "--branch", "main", directory=ada)
    assert (elsewhere.code, f"ends in {change[-4:]} on main" in elsewhere.err) == (2, True)
    nowhere = company.do("ada", "show", short, "--branch", "change/nothing", directory=ada)
    assert (nowhere.code, "there is no branch change/nothing here" in nowhere.err) == (2, True)


@pytest.mark.parametrize("on_main", [True, False], ids=["one on main", "none on main"])
def test_short_id_that_several_branches_fit_is_not_guessed(
    company: Company, people: dict[str, Path], on_main: bool
) -> None:
    """Where two changes have the same last part, both are named, wherever they are; --branch tells them apart."""
    bo = people["bo"]
    first = company.request("bo", directory=bo) if on_main else requested_on(company, bo, "change/first")
    other = f"CHG-20200229-{first[-4:]}"
    path = bo / "changes" / "2020" / "02" / f"{other}.toml"
    git(bo, "switch", "--quiet", "-c", "change/other", "main" if on_main else "change/first")
    mine = next(bo.glob(f"changes/*/*/{first}.toml"))
    path.parent.mkdir(parents=True)
    path.write_text(mine.read_text().replace(first, other))
    git(bo, "rm", "--quiet", str(mine))
    git(bo, "add", str(path))
    git(bo, "commit", "--quiet", "-m", "the same last part")
    git(bo, "switch", "--quiet", "main")
    for command in ("show", "approve"):
        done = company.do("ada", command, first[-4:], directory=bo)
        assert done.code == 2
        assert f"{first[-4:]!r} fits several changes: {other}, {first}" in done.err
    shown = company.must("ada", "show", first[-4:], "--branch", "change/other", "--json", directory=bo)
    assert shown.json["id"] == other


def test_branch_that_cannot_be_read_hides_no_other(company: Company, people: dict[str, Path]) -> None:
    """Somebody's branch with an impossible folder keeps nobody from naming what others have."""
    bo = people["bo"]
    change = requested_on(company, bo, "change/certificate")
    blob = git(bo, "hash-object", "-w", "--stdin", data=b"x")
    entry = b"100644 x\0" + bytes.fromhex(blob)
    twice = git(bo, "hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=entry + entry)
    root = git(bo, "mktree", data=f"040000 tree {twice}\tchanges\n".encode())
    git(bo, "update-ref", "refs/heads/change/bad", git(bo, "commit-tree", root, "-m", "bad"))
    for name in (change, change[-4:]):
        assert company.show(name, bo)["id"] == change
    git(bo, "switch", "--quiet", "main")
    git(bo, "branch", "--quiet", "-D", "change/certificate")
    git(bo, "update-ref", "-d", "refs/remotes/origin/change/certificate")
    for name in (change, change[-4:]):  # nobody can tell whether the unreadable one has it
        assert company.do("ada", "show", name, directory=bo).code == 3
