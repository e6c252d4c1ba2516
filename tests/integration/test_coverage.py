"""`coverage` and `link` on a real application repository, beside a real configuration repository."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from gitchange.forges import gates
from gitchange.forges.templates import Forge
from tests.company import POLICY, Company, Result, git, gitchange, write_policy

RULES = (
    POLICY
    + """
[[exemptions]]
name = "texts"
reason = "Nobody's data is processed by them."
paths = ["docs/**", "*.md"]

[[exemptions]]
name = "updates"
reason = "Tested by the pipeline."
authors = ["renovate@example.org"]
subject = "chore: update [a-z]+"
"""
)
SYSTEMS = """\
[systems.api]
name = "Public API"
owner = "ada@example.org"
customer_data = true
depends_on = ["database"]
repositories = ["https://gitlab.example.org/acme/app"]
paths = ["api/**"]
tags = "api/v*"

[systems.database]
name = "Database"
customer_data = true
repositories = ["https://gitlab.example.org/acme/app.git"]
paths = ["schema/**"]

[systems.website]
name = "Website"
customer_data = false
repositories = ["https://gitlab.example.org/acme/site"]
"""
REMOTE = "git@gitlab.example.org:acme/app.git"


@dataclass
class World:
    """A configuration repository, and an application whose commits it covers or not."""

    company: Company
    app: Path
    changes: dict[str, str]
    commits: dict[str, str]

    def commit(self, name: str, path: str, message: str, *options: str) -> str:
        """Commit a file of the application under a name of the test's."""
        target = self.app / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{target.read_text() if target.exists() else ''}{name}\n")
        git(self.app, "add", "-A")
        git(self.app, "commit", "-qm", message, *options)
        self.commits[name] = git(self.app, "rev-parse", "HEAD")
        return self.commits[name]

    def head(self, name: str) -> None:
        """Give the tip a name."""
        self.commits[name] = git(self.app, "rev-parse", "HEAD")

    def ask(self, *arguments: str) -> Result:
        """Run a command on the configuration repository."""
        return gitchange(self.company.repo, *arguments, "--repo", str(self.app))

    def states(self, *arguments: str) -> dict[str, str]:
        """The state of each commit, by its name."""
        names = {commit: name for name, commit in self.commits.items()}
        found = self.ask("coverage", *arguments, "--json").json["commits"]
        return {names.get(one["commit"], one["subject"]): one["state"] for one in found}

    def why(self, name: str) -> str:
        """Why a commit has its state."""
        commit = self.commits[name]
        found = self.ask("coverage", f"{commit}^..{commit}", "--json").json["commits"]
        return " / ".join(found[0]["why"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Changes in every state, and an application with a commit for each way to belong to one."""
    root = tmp_path_factory.mktemp("world")
    folder = write_policy(root, RULES)
    (folder / "systems.toml").write_text(SYSTEMS)
    git(root, "init", "-q", "-b", "main", "repo")
    company = Company(root, root / "repo")
    company.must("ada", "init", "--title", "Changes", "--policy", str(folder))
    app = root / "app"
    git(root, "init", "-q", "-b", "master", str(app))
    git(app, "remote", "add", "origin", REMOTE)
    git(app, "config", "user.name", "Bo")
    git(app, "config", "user.email", "bo@example.org")
    made = World(company, app, {}, {})
    changes = made.changes
    for name in ("named", "signed", "rebased", "squashed", "range", "tagged", "moving"):
        changes[name] = company.request()
        company.must("ada", "approve", changes[name], "--yes", "-m", "go")
    changes["waiting"] = company.request()
    changes["rejected"] = company.request()
    company.must("ada", "reject", changes["rejected"], "--yes", "-m", "no")
    changes["database"] = company.request("bo", "--system", "database")
    company.must("ada", "approve", changes["database"], "--yes", "-m", "go")
    changes["standard"] = company.request(
        "bo",
        *("--system", "website", "--type", "standard", "--model", "dependency-update"),
        *("--risk", "It breaks :: availability :: rare :: minor :: take it back"),
    )
    changes["emergency"] = company.request(
        "bo", "--type", "emergency", "--incident", "INC-7", "--justification", "Nobody can log in."
    )
    text = company.root / "with-request.toml"
    text.write_text(_with_merge_request(company))
    changes["asked"] = company.must("bo", "new", "--from", str(text), "--commit").out.split()[0]
    company.must("ada", "approve", changes["asked"], "--yes", "-m", "go")
    _history(made)
    return made


def _with_merge_request(company: Company) -> str:
    """A change file, without id, that names a merge request."""
    change = company.request()
    path = next(company.repo.glob(f"changes/*/*/{change}.toml"))
    lines = [line for line in path.read_text().splitlines() if not line.startswith("id = ")]
    address = "https://gitlab.example.org/acme/app/-/merge_requests/41"
    return "\n".join([*lines, "[links]", f'merge_requests = ["{address}"]', ""])


def _history(world: World) -> None:
    """The application's history; each commit has the name of what it shows."""
    changes, app, company = world.changes, world.app, world.company
    world.commit("first", "api/main.py", "Begin")
    git(app, "tag", "api/v1.0.0")
    world.commit("trailer", "api/main.py", f"Mend it\n\nText.\n\nChange: {changes['named']}")
    world.commit("direct push", "api/main.py", "Just a small thing")
    world.commit("title", "api/main.py", f"{changes['named']}: more of it")
    world.commit("waiting", "api/main.py", f"Soon\n\nChange: {changes['waiting']}")
    world.commit("rejected", "api/main.py", f"All the same\n\nChange: {changes['rejected']}")
    world.commit("unknown", "api/main.py", "x\n\nChange: CHG-20200101-0000")
    world.commit("emergency", "api/main.py", f"Quick\n\nChange: {changes['emergency']}")
    world.commit("text", "docs/guide.md", "Explain it")
    world.commit("text and more", "docs/guide.md", "Explain it")
    (app / "api/extra.py").write_text("x")
    git(app, "add", "-A")
    git(app, "commit", "-q", "--amend", "-m", "Explain it, and more")
    world.head("text and more")
    world.commit("update", "api/lock", "chore: update packages", "--author", "R <renovate@example.org>")
    world.commit("no update", "api/lock", "chore: update packages")
    world.commit("other system", "schema/1.sql", f"Add a column\n\nChange: {changes['named']}")
    world.commit("its system", "schema/2.sql", f"Add a column\n\nChange: {changes['database']}")
    world.commit("no system", "tools/x", "Try something")
    git(app, "commit", "-q", "--allow-empty", "-m", "Run the pipeline again")
    world.head("empty")
    # A merge: the branch's name, and what was committed on it.
    git(app, "switch", "-qc", "login")
    world.commit("on the branch", "api/login.py", f"Login\n\nChange: {changes['named']}")
    world.commit("on the branch too", "api/login.py", "Tests")
    git(app, "switch", "-q", "master")
    git(app, "merge", "-q", "--no-ff", "-m", "Merge branch 'login'", "login")
    world.head("merge")
    git(app, "switch", "-qc", f"{changes['named'].lower()}-logout")
    world.commit("on another branch", "api/logout.py", "Logout")
    git(app, "switch", "-q", "master")
    git(app, "merge", "-q", "--no-ff", "-m", f"Merge branch '{changes['named'].lower()}-logout'", "-")
    world.head("merge by name")
    world.commit("merge request", "api/a.py", "A title\n\nSee merge request acme/app!41")
    world.commit("other project", "api/a.py", "A title\n\nSee merge request acme/other!41")
    # What implementations name.
    signed = world.commit("signed", "api/b.py", "Without a word")
    _implement(company, changes["signed"], f"api@{signed}")
    git(app, "switch", "-qc", "rebased")
    rebased = world.commit("before the rebase", "api/c.py", "Rebase me")
    git(app, "switch", "-q", "master")
    world.commit("in between", "api/d.py", f"x\n\nChange: {changes['named']}")
    git(app, "cherry-pick", rebased)
    world.head("rebased")
    _implement(company, changes["rebased"], f"api@{rebased}")
    git(app, "switch", "-qc", "squashed")
    world.commit("squash me", "api/e.py", "One")
    squashed = world.commit("squash me too", "api/f.py", "Two")
    git(app, "switch", "-q", "master")
    git(app, "merge", "-q", "--squash", "squashed")
    git(app, "commit", "-qm", "Both of them")
    world.head("squashed")
    _implement(company, changes["squashed"], f"api@{squashed}")
    world.commit("range 1", "api/g.py", "Three")
    world.commit("range 2", "api/g.py", "Four")
    _implement(company, changes["range"], f"api@{world.commits['squashed']}..{world.commits['range 2']}")
    world.commit("tagged", "api/t.py", "Five")
    git(app, "tag", "api/v1.1.0-rc1")
    _implement(company, changes["tagged"], "api@api/v1.1.0-rc1")
    # Words about other commits.
    git(app, "revert", "--no-edit", world.commits["range 2"])
    world.head("revert")
    git(app, "revert", "--no-edit", world.commit("alone", "api/alone.py", "Nobody asked for this"))
    world.head("revert of nothing covered")
    world.commit("picked", "api/h.py", f"x\n\n(cherry picked from commit {world.commits['trailer'][:10]})")
    # What moves names no commit: a signature on it would be one on whatever comes.
    world.commit("at the tip", "api/tip.py", "Nobody said a word")
    _implement(company, changes["moving"], "api@master", "api@HEAD", "api@HEAD~3..HEAD")


def _implement(company: Company, change: str, *commits: str) -> None:
    named = [word for commit in commits for word in ("--commit", commit)]
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed", *named)


EXPECTED = {
    "trailer": "covered",
    "direct push": "uncovered",
    "title": "covered",
    "waiting": "uncovered",
    "rejected": "uncovered",
    "unknown": "uncovered",
    "emergency": "emergency-pending",
    "text": "exempt",
    "text and more": "uncovered",
    "update": "exempt",
    "no update": "uncovered",
    "other system": "uncovered",
    "its system": "covered",
    "no system": "uncovered",
    "empty": "exempt",
    "merge": "covered",
    "merge by name": "covered",
    "merge request": "covered",
    "other project": "uncovered",
    "signed": "covered",
    "in between": "covered",
    "rebased": "covered",
    "squashed": "covered",
    "range 1": "covered",
    "range 2": "covered",
    "tagged": "covered",
    "revert": "covered",
    "alone": "uncovered",
    "revert of nothing covered": "uncovered",
    "picked": "covered",
    "at the tip": "uncovered",
}


def test_every_commit_has_its_state(world: World) -> None:
    """Each commit of the first-parent line, once, and nothing of the branches."""
    assert world.states("api/v1.0.0..HEAD") == EXPECTED


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("trailer", "the trailer `Change:` of"),
        ("direct push", "nothing ties it to a change"),
        ("waiting", "nobody has approved it"),
        ("rejected", "it was rejected"),
        ("unknown", "no change on the branch of record"),
        ("emergency", "an emergency that nobody has approved yet"),
        ("text", "texts: only docs/**, *.md (Nobody's data is processed by them.)"),
        ("update", "updates: by renovate@example.org"),
        ("other system", "does not name database"),
        ("no system", "the policy has no system with these paths"),
        ("empty", "it changes no file"),
        ("merge", "the trailer `Change:` of"),
        ("merge by name", "the branch of"),
        ("merge request", "the change names merge request 41"),
        ("signed", "a signed implementation names it"),
        ("rebased", "it has the difference of"),
        ("squashed", "it has all that the branch of"),
        ("range 1", "a signed implementation names"),
        ("revert", "reverts"),
        ("picked", "picks"),
    ],
)
def test_the_reason_is_told(world: World, name: str, words: str) -> None:
    """In words that lead to what ties it, or does not."""
    assert words in world.why(name)


def test_both_without_an_index(world: World) -> None:
    """As of a moment there is no index: the same answer."""
    now = world.ask("coverage", "api/v1.0.0..HEAD", "--json").json
    index = world.company.repo / ".git/gitchange/index.sqlite"
    assert index.exists()
    index.unlink()
    index.mkdir()  # it cannot be written
    assert world.ask("coverage", "api/v1.0.0..HEAD", "--json").json == now
    index.rmdir()


def test_a_table_for_people(world: World) -> None:
    """All commits, then those for which there is something to do, and one line that says it all."""
    done = world.ask("coverage", "api/v1.0.0..HEAD")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].split() == ["state", "commit", "date", "systems", "changes", "subject"]
    assert lines[-1].startswith("31 commit(s): 15 covered, 3 exempt, 1 emergency-pending, 12 uncovered")
    assert any(line.startswith("uncovered ") and "Just a small thing" in line for line in lines)
    assert "    nothing ties it to a change" in lines


def test_a_range_that_is_covered(world: World) -> None:
    """The exit code says so."""
    commit = world.commits["trailer"]
    done = world.ask("coverage", f"{commit}^..{commit}")
    assert (done.code, done.out.splitlines()[-1]) == (0, "1 commit(s): 1 covered (policy version 1)")
    assert world.ask("coverage", "HEAD..HEAD").out == "0 commit(s) (policy version 1)\n"


def test_one_system(world: World) -> None:
    """Commits that touch others are counted, not judged."""
    found = world.ask("coverage", "api/v1.0.0..HEAD", "--system", "database", "--json").json
    assert [one["subject"] for one in found["commits"]] == ["Add a column", "Add a column"]
    assert (found["systems"], found["elsewhere"]) == (["database"], 29)


def test_one_state(world: World) -> None:
    """What is left out is counted all the same."""
    done = world.ask("coverage", "api/v1.0.0..HEAD", "--state", "exempt")
    assert {line.split()[0] for line in done.out.splitlines()[1:4]} == {"exempt"}
    assert "31 commit(s)" in done.out


def test_the_json_shape(world: World) -> None:
    """What programs get."""
    commit = world.commits["trailer"]
    found = world.ask("coverage", f"{commit}^..{commit}", "--json").json
    assert found["base"] == world.commits["first"]
    assert found["head"] == commit
    assert found["counts"]["covered"] == 1
    assert found["main"] == git(world.company.repo, "rev-parse", "main")
    assert found["policy"]["version"] == 1
    (one,) = found["commits"]
    assert one["changes"] == [world.changes["named"]]
    assert one["author"] == "bo@example.org"
    assert one["since"] is not None
    assert one["exemption"] is None


def test_csv(world: World) -> None:
    """One row a commit; nothing in it begins a formula."""
    git(world.app, "switch", "-q", "--detach")
    world.commit("formula", "api/z.py", "=HYPERLINK(1)")
    done = world.ask("coverage", "api/v1.0.0..HEAD", "--csv")
    git(world.app, "switch", "-q", "master")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert len(rows) == 32
    assert rows[0]["subject"] == "'=HYPERLINK(1)"
    assert rows[0]["state"] == "uncovered"


def test_link_explains(world: World) -> None:
    """All ties of a commit, and what follows."""
    done = world.ask("link", world.commits["trailer"], world.commits["direct push"])
    assert done.code == 1
    assert f"{world.changes['named']}: the trailer `Change:` of" in done.out
    assert "so: nothing ties it to a change" in done.out
    assert world.ask("link", world.commits["signed"]).code == 0
    shape = world.ask("link", world.commits["on the branch"], "--json").json["commits"][0]
    assert shape["ties"][0]["change"] == world.changes["named"]


def test_what_only_the_text_of_a_terminal_could_do(world: World) -> None:
    """A subject line is anybody's text."""
    git(world.app, "switch", "-q", "--detach")
    world.commit("hostile", "api/z.py", "clear\x1b[2J\x1b]0;title\x07")
    done = world.ask("coverage", "HEAD^..HEAD")
    git(world.app, "switch", "-q", "master")
    assert "\x1b" not in done.out
    assert "\\u{1b}[2J" in done.out


def _no_repository(world: World) -> Result:
    return gitchange(world.company.repo, "coverage", "HEAD", "--repo", str(world.company.root / "keys"))


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (_no_repository, "there is no Git repository"),
        (lambda world: world.ask("coverage", "nothing..HEAD"), "has no commit 'nothing'"),
        (
            lambda world: gitchange(
                world.company.repo, "coverage", "--repo", str(world.app), "--", "--output=x..HEAD"
            ),
            "has no commit '--output=x'",
        ),
        (lambda world: world.ask("coverage", "HEAD~1...HEAD"), "has three dots"),
        (lambda world: world.ask("coverage", "HEAD", "--system", "apo"), "the policy has no system 'apo'"),
    ],
)
def test_usage(world: World, run: Callable[[World], Result], words: str) -> None:
    """What was given wrong is told, and how to mend it."""
    done = run(world)
    assert done.code == 2
    assert words in done.err
    assert "hint:" in done.err


def test_a_repository_of_nobody(world: World, tmp_path: Path) -> None:
    """Which system is meant must be said where no remote tells."""
    git(tmp_path, "clone", "-q", str(world.app), "clone")
    commit = world.commits["trailer"]
    asked = ["coverage", f"{commit}^..{commit}", "--repo", str(tmp_path / "clone")]
    done = gitchange(world.company.repo, *asked)
    assert done.code == 2
    assert "no system of the policy has the repository" in done.err
    assert gitchange(world.company.repo, *asked, "--system", "api").code == 0


@pytest.mark.parametrize(
    ("remote", "state"),
    [
        (REMOTE, "covered"),
        ("https://gitlab.example.org/acme/site", "uncovered"),
        ("/srv/copies/app", "covered"),
    ],
)
def test_a_number_is_one_of_this_repository(world: World, tmp_path: Path, remote: str, state: str) -> None:
    """Another repository has a merge request 41 of its own; a copy without a forge is what the policy names."""
    git(tmp_path, "clone", "-q", str(world.app), "clone")
    clone = World(world.company, tmp_path / "clone", world.changes, {})
    git(clone.app, "config", "user.name", "Bo")
    git(clone.app, "config", "user.email", "bo@example.org")
    git(clone.app, "remote", "set-url", "origin", remote)
    clone.commit("squash", "api/n.py", "A title (#41)")
    assert clone.states("HEAD^..HEAD", "--system", "api") == {"squash": state}


def test_a_shallow_clone_cannot_tell(world: World, tmp_path: Path) -> None:
    """What was cut off cannot be covered nor uncovered."""
    git(tmp_path, "clone", "-q", "--depth", "1", world.app.as_uri(), "clone")
    done = gitchange(
        world.company.repo, "coverage", "HEAD", "--repo", str(tmp_path / "clone"), "--system", "api"
    )
    assert done.code == 3
    assert "--unshallow" in done.err


# -- the gate ---------------------------------------------------------------------------------


def _ask_gate(world: World, *arguments: str) -> Result:
    return world.ask("gate", "--system", "api", *arguments)


def test_the_gate_lets_a_covered_commit_through(world: World) -> None:
    """Yes, and by what: one line that a pipeline's log keeps."""
    commit = world.commits["trailer"]
    done = _ask_gate(world, "--commit", commit)
    assert done.code == 0, done.out
    assert done.out.startswith(f"yes: {commit[:12]} to api at ")
    assert "1 commit(s) since api/v1.0.0: 1 covered" in done.out
    told = _ask_gate(world, "--commit", commit, "--json").json
    assert (told["allowed"], told["since"], told["refusals"]) == (True, "api/v1.0.0", [])
    assert told["base"] == world.commits["first"]


def test_the_gate_refuses_with_all_reasons(world: World) -> None:
    """Each uncovered commit, what mends it and who can."""
    done = _ask_gate(world, "--commit", world.commits["waiting"])
    assert done.code == 1
    assert "Just a small thing) is not covered: nothing ties it to a change" in done.out
    assert f"mend: `gitchange approve {world.changes['waiting']}" in done.out
    assert "who: ada@example.org, mo@example.org" in done.out
    assert done.out.splitlines()[-1].startswith("NO: ")


def test_the_gate_looks_from_where_it_is_told(world: World) -> None:
    """A base that was deployed; and the nearest tag of the system, not any."""
    commit = world.commits["title"]
    assert _ask_gate(world, "--commit", commit, "--base", f"{commit}^").code == 0
    git(world.app, "tag", "web/v9", f"{commit}^")
    git(world.app, "tag", "api/v1.0.1", f"{commit}^")
    assert _ask_gate(world, "--commit", commit, "--json").json["since"] == "api/v1.0.1"
    git(world.app, "tag", "-d", "web/v9", "api/v1.0.1")
    assert _ask_gate(world, "--commit", world.commits["first"]).code == 1


def test_an_emergency_passes_until_it_is_in_debt(world: World) -> None:
    """It is implemented first; once it should have been approved, it blocks what is none."""
    commit = world.commits["emergency"]
    done = _ask_gate(world, "--commit", commit, "--base", f"{commit}^")
    assert done.code == 0
    assert "an emergency that nobody has approved yet" in done.out
    _implement(world.company, world.changes["emergency"], f"api@{commit}")
    covered = world.commits["trailer"]
    done = _ask_gate(world, "--commit", covered)
    assert done.code == 1
    assert (
        f"{world.changes['emergency']} is an emergency that was implemented and not approved in time"
        in done.out
    )
    assert _ask_gate(world, "--commit", commit, "--base", f"{commit}^").code == 0
    world.company.must("ada", "approve", world.changes["emergency"], "--yes", "-m", "it was right")
    assert _ask_gate(world, "--commit", covered).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--system", "apo"], "the policy has no system 'apo'"),
        (["--system", "database"], "what was deployed of database last is not known"),
        (["--system", "api", "--at", "tomorrow"], "is no time with an offset"),
        (["--system", "api", "--commit", "api/v1.0.0", "--base", "HEAD"], "HEAD is not behind api/v1.0.0"),
        (["--system", "api", "--commit", "nothing"], "has no commit 'nothing'"),
    ],
)
def test_the_gate_is_asked_wrongly(world: World, arguments: list[str], words: str) -> None:
    """No answer is no yes."""
    done = world.ask("gate", *arguments)
    assert done.code == 2
    assert words in done.err
    assert done.out == ""


# -- the gate in a pipeline --------------------------------------------------------------------

FORGES = ("gitlab", "github")


def _shown(what: str, forge: str) -> str:
    """A text as docs/coverage.md shows it."""
    text = (Path(__file__).parents[2] / "docs/coverage.md").read_text("utf-8")
    shown = text.partition(f"<!-- {what}: {forge} -->\n```yaml\n")[2].partition("```")[0]
    assert shown
    return shown


@pytest.mark.parametrize("forge", FORGES)
def test_the_gate_that_is_written_is_the_one_that_is_documented(forge: Forge) -> None:
    """There is one text, and readers see it as it is."""
    assert _shown("gate", forge) == gates.TEXTS[forge]


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        (_shown("gate", "gitlab") + _shown("gate in use", "gitlab"), "vendor.gitlab-ci"),
        (_shown("gate", "github"), "vendor.github-actions"),
        (_shown("gate in use", "github"), "vendor.github-workflows"),
    ],
    ids=["job", "action", "workflow"],
)
def test_gates_fit_their_schemas(tmp_path: Path, text: str, schema: str) -> None:
    """They are what GitLab's and GitHub's schemas ask for, alone and in use."""
    checker = Path(sys.executable).parent / "check-jsonschema"
    if not checker.is_file():
        pytest.skip("check-jsonschema is not installed (pip install gitchange[test])")
    (tmp_path / "gate.yml").write_text(text)
    command = [checker, "--builtin-schema", schema, tmp_path / "gate.yml"]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_used_is_what_is_written() -> None:
    """The documented uses name the files where they are written, and inputs and variables that there are."""
    job = yaml.safe_load(_shown("gate in use", "gitlab"))
    assert job["include"] == [{"local": gates.PATHS["gitlab"]}]
    used = job["deploy to production"]
    assert used["extends"] in yaml.safe_load(gates.TEXTS["gitlab"])
    steps = yaml.safe_load(_shown("gate in use", "github"))["jobs"]["deploy"]["steps"]
    assert f"{steps[1]['uses']}/action.yml" == f"./{gates.PATHS['github']}"
    inputs = yaml.safe_load(gates.TEXTS["github"])["inputs"]
    assert steps[1]["with"].keys() <= inputs.keys()
    assert {name for name, said in inputs.items() if said.get("required")} <= steps[1]["with"].keys()


@pytest.mark.parametrize("forge", FORGES)
def test_both_forges_run_the_same_lines(forge: Forge) -> None:
    """All that differs is where the environment comes from; no input is a part of the script."""
    said = yaml.safe_load(gates.TEXTS[forge])
    if forge == "gitlab":
        install, ask = said[".change-gate"]["before_script"]
    else:
        install, _, ask = said["runs"]["steps"][-1]["run"].partition("\n")
    assert (install, ask) == (gates.INSTALL, gates.ASK)
    assert "${{" not in ask


@dataclass
class Runner:
    """A clone of the application as a runner has it, which deploys by the documented pipeline."""

    world: World
    forge: Forge
    clone: Path

    def deploy(self, commit: str, **given: str) -> subprocess.CompletedProcess[str]:
        """Run the shell lines for a commit, without the one that installs; `given` is put into the environment."""
        git(self.clone, "checkout", "-q", commit)
        deploy = self.clone / "deploy"
        deploy.write_text('#!/bin/sh\necho "deployed to $1"\n')
        deploy.chmod(0o755)
        company = self.world.company.repo
        settings = {
            "CHANGES_REPOSITORY": company.as_uri(),
            "CHANGES_INTRODUCTION": git(company, "config", "gitchange.introduction"),
        }
        variables, lines = (_gitlab if self.forge == "gitlab" else _github)(commit, settings)
        assert lines[0] == gates.INSTALL, "what is left out is the line that installs from the network"
        shell = (
            ["sh", "-e"] if self.forge == "gitlab" else ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
        )
        return subprocess.run(
            [*shell, "-c", "\n".join(lines[1:])],
            cwd=self.clone,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "TMPDIR": str(self.clone.parent),
                **variables,
                **given,
            },
            capture_output=True,
            check=False,
            text=True,
        )


def _gitlab(commit: str, settings: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Environment and shell lines of the job, as GitLab joins it with what it extends."""
    base = yaml.safe_load(gates.TEXTS["gitlab"])[".change-gate"]
    job = yaml.safe_load(_shown("gate in use", "gitlab"))["deploy to production"]
    variables = {**settings, **base["variables"], **job["variables"]}
    variables["CHANGES_COMMIT"] = variables["CHANGES_COMMIT"].replace("$CI_COMMIT_SHA", commit)
    return variables, [*base["before_script"], *job["script"]]


def _github(commit: str, settings: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """Environment and shell lines of the steps, with the expressions as GitHub fills them in."""
    action = yaml.safe_load(gates.TEXTS["github"])
    steps = yaml.safe_load(_shown("gate in use", "github"))["jobs"]["deploy"]["steps"]
    context = {f"vars.{name}": value for name, value in settings.items()} | {"github.sha": commit}

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: context[match[1]], text)

    inputs = {name: said.get("default", "") for name, said in action["inputs"].items()} | steps[1]["with"]
    context |= {f"inputs.{name}": filled(value) for name, value in inputs.items()}
    step = action["runs"]["steps"][-1]
    variables = {name: filled(value) for name, value in step["env"].items()}
    return variables, [*step["run"].splitlines(), steps[2]["run"]]


@pytest.fixture(params=FORGES)
def runner(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Runner:
    """Each forge's."""
    git(tmp_path, "clone", "-q", world.app.as_uri(), "app")
    return Runner(world, request.param, tmp_path / "app")


def test_what_is_approved_is_deployed(world: World, runner: Runner) -> None:
    """The documented pipeline refuses a commit, and deploys it once its change is approved."""
    change = world.company.request()
    branch = f"release-{change}"
    git(world.app, "switch", "-qc", branch, "api/v1.0.0")
    commit = world.commit(branch, "api/new.py", f"Something new\n\nChange: {change}")
    git(world.app, "switch", "-q", "master")
    git(runner.clone, "fetch", "-q", "origin")
    done = runner.deploy(commit)
    assert done.returncode == 1, done.stderr
    assert "nobody has approved it" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("NO: ")
    world.company.must("ada", "approve", change, "--yes", "-m", "go")
    done = runner.deploy(commit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2].startswith(f"yes: {commit[:12]} to api (production) at ")
    assert done.stdout.splitlines()[-1] == "deployed to production"


@pytest.mark.parametrize("name", ["CHANGES_REPOSITORY", "CHANGES_INTRODUCTION", "CHANGES_SYSTEM"])
def test_a_gate_that_is_not_set_up_lets_nothing_through(world: World, runner: Runner, name: str) -> None:
    """Without the pin, above all, it would believe whatever the clone says."""
    done = runner.deploy(world.commits["trailer"], **{name: ""})
    assert done.returncode != 0
    assert "deployed" not in done.stdout
    assert "is not" in done.stderr


def test_another_introduction_lets_nothing_through(world: World, runner: Runner) -> None:
    """What is pinned must be the configuration repository's beginning."""
    done = runner.deploy(world.commits["trailer"], CHANGES_INTRODUCTION=git(world.app, "rev-parse", "master"))
    assert done.returncode == 2
    assert "the pinned introduction" in done.stderr


def test_further_arguments(world: World, runner: Runner) -> None:
    """One a line, whatever is in them; an environment need not be named."""
    commit = world.commits["direct push"]
    assert runner.deploy(commit).returncode == 1
    done = runner.deploy(commit, CHANGES_ARGUMENTS=f"--base\n{commit}\n", CHANGES_ENVIRONMENT="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " to api at " in done.stdout


@pytest.mark.parametrize(
    "name", ["REPOSITORY", "INTRODUCTION", "SYSTEM", "ENVIRONMENT", "COMMIT", "RECORD", "ARGUMENTS"]
)
def test_no_input_runs_anything(world: World, runner: Runner, name: str) -> None:
    """What somebody else may choose is text, in every place that takes it."""
    hostile = "$(touch ran) `touch ran`; touch ran #'\"\nEND\ntouch ran\n"
    done = runner.deploy(world.commits["trailer"], **{f"CHANGES_{name}": hostile})
    assert not (runner.clone / "ran").exists()
    # A place other than those that the change names is no reason to refuse; `record` is on for `true` alone.
    assert (done.returncode == 0) == (name in ("ENVIRONMENT", "RECORD")), done.stdout + done.stderr
