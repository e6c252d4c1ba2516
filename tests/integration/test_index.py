"""The index never answers otherwise than the evidence: after whatever happened to a repository, in whatever order.

Random histories are played on a real repository with the real program. After each step every list and every change is
asked for by the command line, which uses the index, and judged anew without it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchange.assessment import results
from gitchange.assessment.assess import Assessor
from gitchange.assessment.shapes import people_of, show_json, summary_json
from gitchange.cli import quick
from gitchange.errors import GitchangeError
from gitchange.git.repository import Repository
from gitchange.index import place as places
from gitchange.index import refresh, rows
from gitchange.model import identifiers
from gitchange.model.result import MEANINGS, STATES, commits_said, write_result
from tests.company import (
    MODEL,
    PEOPLE,
    Result,
    found,
    git,
    gitchange,
    request_options,
    sign_payload,
    write_policy,
)

from .conftest import Take

REF = "refs/notes/gitchange/approvals"

POLICY = """\
version = {version}
main = "main"
timezone = "Europe/Paris"

[roles]
root           = {{ members = ["ada@example.org", "eve@example.org"] }}
change-manager = {{ members = ["ada@example.org", "mo@example.org"] }}
developer      = {{ members = ["bo@example.org", "cy@example.org"] }}
system-user    = {{ members = ["dee@example.org", "cy@example.org"] }}

[[rules]]
name = "every change"
evaluation     = {{ role = "change-manager" }}
implementation = {{ role = "developer" }}
validation     = {{ role = "system-user" }}

[deadlines]
evaluation = "2d"
implementation = "1d"
validation = "36h"
documentation = "3d"
emergency_approval = "5h"

[[waivers]]
waives = "evaluator-is-author"
reason = "A small team."
expires = {waived}

[[freezes]]
name = "weekend"
reason = "Nobody is there."
kind = "soft"
start = 2026-11-20T18:00:00
end = 2026-11-23T06:00:00
recurrence = "FREQ=WEEKLY"
override = {{ role = "change-manager" }}
"""


def now_of(moment: dt.datetime) -> str:
    """As GITCHANGE_NOW has it."""
    return moment.isoformat()


class World:
    """A company, its repository, and a clock."""

    def __init__(self, root: Path, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chance, self.root = chance, root
        self._monkeypatch = monkeypatch
        self.version = 1
        self.start = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.now = self.start
        self.wait(0)
        self.company = found(root, self.policy())
        (root / "policy" / "models" / "dependency-update.toml").write_text(MODEL)
        self.repo = self.company.repo
        self.changes: list[str] = []
        self.played: list[str] = []
        self.kept = ""

    def play(self) -> None:
        """Something happens, or two or three things."""
        for step in self.chance.choices(list(STEPS), list(STEPS.values()), k=self.chance.randint(1, 3)):
            self.played.append(step.__name__)
            step(self)

    def policy(self) -> str:
        """The text of the policy's next version."""
        waived = self.start + dt.timedelta(hours=30 * self.version)
        return POLICY.format(version=self.version, waived=waived.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def wait(self, hours: float) -> None:
        """Set the clock forward, or back."""
        self.now += dt.timedelta(hours=hours)
        self._monkeypatch.setenv("GITCHANGE_NOW", now_of(self.now))
        self._monkeypatch.setenv("GIT_COMMITTER_DATE", f"{int(self.now.timestamp())} +0000")
        self._monkeypatch.setenv("GIT_AUTHOR_DATE", f"{int(self.now.timestamp())} +0000")

    def do(self, *arguments: str) -> Result:
        """Run the program as somebody."""
        return self.company.do(self.chance.choice(PEOPLE), *arguments)

    def git(self, *arguments: str) -> str:
        """Run git, whether it works or not."""
        command = ["git", "-C", str(self.repo), *arguments]
        return subprocess.run(command, capture_output=True, check=False, text=True).stdout.strip()

    def file(self, change: str) -> Path:
        """The file of a change."""
        return self.repo / identifiers.path_of(change)

    def commit(self, message: str) -> None:
        """Commit whatever lies in the work tree, as somebody."""
        self.company.become(self.chance.choice(PEOPLE))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    @property
    def some(self) -> str:
        """A change."""
        return self.chance.choice(self.changes) if self.changes else "CHG-20261122-0000"


def request(world: World) -> None:
    """A new change, of whatever type, perhaps planned, perhaps resting on another, perhaps one that is not there."""
    chance = world.chance
    options: list[str] = []
    kind = chance.choice(["normal", "normal", "standard", "emergency"])
    if kind == "standard":
        options += ["--type", "standard", "--model", "dependency-update", "--system", "website"]
    elif kind == "emergency":
        options += ["--type", "emergency", "--incident", "INC-1", "--justification", "It is down."]
    done = world.do("new", "--commit", *request_options(*options))
    if done.code == 0:
        world.changes.append(done.out.split()[0])
        text = world.file(world.changes[-1]).read_text()
        if chance.random() < 0.4:
            start = world.now + dt.timedelta(hours=chance.choice([-10, 1, 5, 30]))
            end = start + dt.timedelta(hours=chance.choice([1, 6]))
            text += f"\n[schedule]\nstart = {start.isoformat()}\nend = {end.isoformat()}\n"
        if chance.random() < 0.3:
            text = f'depends_on = ["{chance.choice([world.some, "CHG-20261120-AAAA"])}"]\n{text}'
        world.file(world.changes[-1]).write_text(text)
        world.commit("Plan it")


def edit(world: World) -> None:
    """Another text, readable or not."""
    path = world.file(world.some)
    if path.is_file():
        text = path.read_text()
        path.write_text(
            world.chance.choice(
                [text.replace("It expires.", f"It expires {world.now}."), "no = [toml", text + "# x\n"]
            )
        )
        world.commit("Edit")


def remove(world: World) -> None:
    """A file goes, or one comes back, or a stray one comes."""
    path = world.file(world.some)
    if path.is_file() and world.chance.random() < 0.5:
        path.unlink()
    else:
        stray = world.repo / "changes" / world.chance.choice(["stray.txt", "2026/11/CHG-20261120-AAAA.toml"])
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_text(f'id = "{stray.stem}"\n')
    world.commit("Remove or stray")


def sign(world: World) -> None:
    """Somebody signs something, if the rules let it count."""
    how = world.chance.choice(
        [
            ("approve", "-y", "-m", "go"),
            ("approve", "-y", "-m", "go"),
            ("reject", "-y", "-m", "no"),
            ("request-info", "-y", "-m", "what?"),
            ("implement", "-y", "--steps-followed", "--test", "suite=passed"),
            ("implement", "-y", "--steps-followed", "--test", "suite=passed"),
            ("implement", "-y", "--backed-out", "-m", "it broke"),
            ("validate", "-y", "--works", "--no-security-risk", "--evidence", "looked"),
            ("validate", "-y", "--fails", "--evidence", "looked", "-m", "it is slow"),
            ("withdraw", "-y", "-m", "not needed"),
        ]
    )
    change = world.some
    for person in world.chance.sample(PEOPLE, len(PEOPLE)):
        if world.company.do(person, how[0], change, *how[1:]).code == 0:
            return


def complete(world: World) -> None:
    """A change goes as far as it can."""
    change = world.some
    for person, *how in (
        ("ada", "approve", "-y", "-m", "go"),
        ("bo", "implement", "-y", "--steps-followed", "--test", "suite=passed"),
        ("dee", "validate", "-y", "--works", "--no-security-risk", "--evidence", "looked"),
    ):
        world.company.do(person, how[0], change, *how[1:])
    world.company.do("ada", "document", change, "--outcome", "successful", "--summary", "It works.")


def nonsense(world: World) -> None:
    """A line that is no sign-off, on a text or on nothing."""
    oid = world.git("rev-parse", f"HEAD:{identifiers.path_of(world.some)}") or world.git("rev-parse", "HEAD")
    world.git("notes", f"--ref={REF}", "append", "-m", f"nonsense {world.now}", oid.splitlines()[0])


def record(world: World) -> None:
    """A result of somebody's, or what is none, on a commit of the branch of record or on one beside it."""
    oid = world.git("rev-parse", world.chance.choice(["HEAD", "HEAD", "HEAD~1", "side"])).split("\n")[0]
    if len(oid) != 40:
        return
    person = world.chance.choice(PEOPLE)
    said = {
        "kind": "coverage",
        "by": f"{person}@example.org",
        "role": "recorder",
        "meaning": MEANINGS["coverage"],
        "repository": world.git("rev-list", "--max-parents=0", "HEAD"),
        "main": oid,
        "log": None,
        "policy": world.git("rev-parse", f"{oid}:policy"),
        "time": "2026-01-01T00:00:00Z",
        "systems": ["api"],
        "base": None,
        "since": f"number {len(world.played)}",
        "outcome": "complete",
        "commits": commits_said([], dict.fromkeys(STATES, 0), 0),
        "gate": None,
    }
    line = sign_payload(world.company.key(person), write_result("https://example.org/app", "6" * 40, said))
    before = world.git("notes", f"--ref={REF}", "show", oid).splitlines()
    text = "\n".join([*before, world.chance.choice([line, line, line.replace("A", "B"), "nonsense"])]) + "\n"
    world.git("notes", f"--ref={REF}", "add", "-f", "-m", text, oid)


def seal(world: World) -> None:
    """Whatever was signed is witnessed."""
    world.do("seal")


def merge(world: World) -> None:
    """Two branches edit the same file, or different ones, and come together."""
    world.git("switch", "--quiet", "-c", "side")
    edit(world)
    request(world)
    world.git("switch", "--quiet", "main")
    edit(world)
    if world.chance.random() < 0.5:
        world.do("seal")
    world.git(
        "merge", "--quiet", "--no-ff", "-X", world.chance.choice(["ours", "theirs"]), "-m", "Merge", "side"
    )
    if world.git("status", "--porcelain"):
        world.git("merge", "--abort")
        world.git("reset", "--hard", "--quiet")
    world.git("branch", "--quiet", "-D", "side")


def rewind(world: World) -> None:
    """The branch of record goes back, another way, or is written anew."""
    how = world.chance.choice(["back", "forth", "amend"])
    if how == "back" and world.git("rev-parse", "--verify", "--quiet", "HEAD~3"):
        world.kept = world.git("rev-parse", "HEAD")
        world.git("reset", "--hard", "--quiet", f"HEAD~{world.chance.randint(1, 3)}")
    elif how == "forth" and world.kept:
        world.git("reset", "--hard", "--quiet", world.kept)
    else:
        world.git("commit", "--quiet", "--amend", "--allow-empty", "-m", f"Amended {world.now}")


def lose(world: World) -> None:
    """The notes lose what they had, or all; sometimes a remote's are remembered."""
    tip = world.git("rev-parse", "--verify", "--quiet", REF)
    if not tip:
        return
    world.git("remote", "add", "origin", str(world.root / "nowhere"))
    if world.chance.random() < 0.5:
        world.git("update-ref", "refs/gitchange/verified/origin/approvals", tip)
    if world.chance.random() < 0.5:
        world.git("update-ref", REF, f"{tip}~1")
    if world.chance.random() < 0.2:
        world.git("update-ref", "-d", REF)


def adopt(world: World) -> None:
    """A new policy, approved by root or not."""
    world.version += 1
    folder = write_policy(world.root, world.policy())
    if world.chance.random() < 0.3:
        (folder / "models" / "dependency-update.toml").write_text(MODEL + "suspended_after = 1\n")
    if world.chance.random() < 0.3:
        lines = (folder / "allowed_signers").read_text().splitlines(keepends=True)
        until = (world.now + dt.timedelta(hours=world.chance.choice([-5, 8]))).strftime("%Y%m%d%H%MZ")
        lines[1] = lines[1].replace("namespaces=", f'valid-before="{until}",namespaces=')
        (folder / "allowed_signers").write_text("".join(lines))
    shutil.rmtree(world.repo / "policy", ignore_errors=True)
    shutil.copytree(folder, world.repo / "policy")
    if world.chance.random() < 0.3:
        world.commit("A policy that nobody approved")
        return
    world.git("switch", "--quiet", "-c", "proposal")
    world.commit("A new policy")
    for person in ("ada", "eve"):
        world.company.do(person, "policy", "approve", "-y", "proposal")
    world.git("switch", "--quiet", "main")
    world.company.do("ada", "policy", "adopt", "proposal")
    world.git("branch", "--quiet", "-D", "proposal")
    world.git("reset", "--hard", "--quiet")
    world.version = (
        int(gitchange(world.repo, "policy", "show", "--json").json["policy"]["version"])
        if (gitchange(world.repo, "policy", "show", "--json").code == 0)
        else world.version
    )


def unpin(world: World) -> None:
    """The introduction is pinned no more, or again."""
    pinned = world.git("config", "gitchange.introduction")
    if pinned:
        world.git("config", "--unset", "gitchange.introduction")
        world.kept_pin = pinned
    else:
        world.git("config", "gitchange.introduction", world.kept_pin)


def spoil(world: World) -> None:
    """The index is gone, is another program's, or is no database at all."""
    path = world.repo / ".git" / "gitchange" / "index.sqlite"
    if not path.exists():
        return
    match world.chance.choice(["gone", "other", "garbage", "cut"]):
        case "gone":
            path.unlink()
        case "other":
            connection = sqlite3.connect(path)
            connection.execute("UPDATE known SET value = '0' WHERE name = 'program'")
            connection.commit()
            connection.close()
        case "garbage":
            path.write_bytes(bytes(world.chance.randrange(256) for _ in range(5000)))
        case "cut":
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def later(world: World) -> None:
    """Time goes by; a clock may be set back."""
    world.wait(world.chance.choice([0.5, 3, 20, 40, 200, -30]))


def pack(world: World) -> None:
    """git tidies up."""
    world.git("pack-refs", "--all")
    world.git("gc", "--quiet")


STEPS: dict[Callable[[World], None], int] = {
    request: 5,
    edit: 3,
    remove: 1,
    sign: 8,
    complete: 4,
    nonsense: 1,
    record: 4,
    seal: 2,
    merge: 3,
    rewind: 2,
    lose: 1,
    adopt: 2,
    unpin: 1,
    spoil: 1,
    later: 5,
    pack: 1,
}


def judged_anew(world: World) -> tuple[Any, dict[str, Any], dict[str, set[str]]]:
    """What there is to say without the index: the list, each change, and who has to do with each."""
    try:
        assessor = Assessor(Repository.open(world.repo), world.now)
        found = assessor.all()
    except GitchangeError as error:
        return f"gitchange: {error.message}", {}, {}
    as_json = json.loads(json.dumps([summary_json(a) for a in found]))
    shown = {
        a.id: json.loads(json.dumps(show_json(a))) for a in found if identifiers.id_of(a.path) is not None
    }
    people = {a.path: people_of(a) for a in found}
    return as_json, shown, people


def compare(world: World) -> None:
    """The command line, which uses the index, says what is judged anew; once more it says it from the index alone."""
    expected, shown, people = judged_anew(world)
    for attempt in ("refreshed", "remembered"):
        done = gitchange(world.repo, "list", "--json")
        if isinstance(expected, str):
            assert expected in done.err
            return
        assert done.code == 0, done.err
        assert done.json == {"schema": 1, "total": len(expected), "changes": expected}, attempt
        index = rows.open_current(str(world.repo), os.environ, world.now, None)
        assert index is not None, "the index was not brought up to date"
        index.close()
        for change, shape in shown.items():
            assert gitchange(world.repo, "show", change, "--json").json == shape, (attempt, change)
    kept = [one.shown for one in results.recorded(Assessor(Repository.open(world.repo), world.now))]
    for kind in ("coverage", "gate"):
        told = gitchange(world.repo, kind, "--recorded", "--json").json["results"]
        assert told == json.loads(json.dumps([one for one in kept if one["kind"] == kind]))
    verified = gitchange(world.repo, "verify", "--json")
    again = gitchange(world.repo, "verify", "--json", "--no-cache")
    assert (verified.code, _in_order(verified.json)) == (again.code, _in_order(again.json))
    wanted = (
        rows.Wanted(status=("approved", "unreadable")),
        rows.Wanted(type=("standard",), status=("documented",)),
        rows.Wanted(system=("website", "api")),
        rows.Wanted(person="bo@example.org"),
        rows.Wanted(waiting_on="ada@example.org"),
    )
    options = (
        ["--status", "approved", "--status", "unreadable"],
        ["--type", "standard", "--status", "documented"],
        ["--system", "website", "--system", "api"],
        ["--person", "bo@example.org"],
        ["--waiting-on-me"],
    )
    world.company.become("ada")
    for which, given in zip(wanted, options, strict=True):
        fitting = [row for row in expected if which.accepts(row, frozenset(people[row["path"]]))]
        done = gitchange(world.repo, "list", "--json", *given)
        if given == ["--waiting-on-me"] and done.code == 3:
            assert "the policy cannot be read" in done.err
        else:
            assert done.json["changes"] == fitting, given


def _in_order(shape: dict[str, Any]) -> dict[str, Any]:
    """A verification whose findings stand in an order of their own: which of two comes first says nothing."""
    return {**shape, "findings": sorted(shape["findings"], key=json.dumps)}


HISTORIES = int(os.environ.get("GITCHANGE_TEST_HISTORIES", "4"))


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_index_says_what_the_evidence_says(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After random steps of people and of mischief, with and without the index it is the same."""
    chance = random.Random(seed)  # noqa: S311 - histories, no secrets
    world = World(tmp_path, chance, monkeypatch)
    world.kept_pin = ""
    for _ in range(2):
        request(world)
    for _ in range(12):
        world.play()
        try:
            compare(world)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, after {', '.join(world.played)}: {error}") from error


# -- what can be told apart one by one -------------------------------------------------------------


def quickly(directory: Path, *arguments: str) -> str | None:
    """What is printed when the index as it is answers; None when it cannot."""
    out = io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(quick, "_behind", lambda *_: None)
        code = quick.answer(["-C", str(directory), *arguments])
    return out.getvalue() if code == 0 else None


def index_of(directory: Path) -> Path:
    """The file of the index."""
    place = places.find(str(directory), {})
    assert place is not None
    return Path(place.index)


def test_nothing_heavy_is_loaded_where_nothing_changed(take: Take) -> None:
    """Neither click nor a library of ours is imported for a list, a change, a search: start-up is what they cost."""
    scene = take("approved")
    gitchange(scene.repo, "list")
    for command in (
        ["list"],
        ["show", scene.change],
        ["search", "certificate"],
        ["list", "--status", "approved"],
    ):
        said, loaded = loading(scene.repo, *command)
        assert "gitchange.cli.quick" in loaded
        heavy = (
            "click",
            "pydantic",
            "pygit2",
            "cryptography",
            "jinja2",
            "mkdocs",
            "subprocess",
            "dataclasses",
            "typing",
        )
        assert loaded.isdisjoint(heavy), command
        assert scene.change in said


def test_reading_little_loads_no_libgit2(take: Take) -> None:
    """What somebody committed with stock git, and what one file says, is read without it: it takes long to load."""
    scene = take("approved")
    gitchange(scene.repo, "list")
    git(scene.repo, "commit", "--quiet", "--allow-empty", "-m", "Something else")
    for command in (["show", scene.change], ["check", scene.path], ["check"]):
        said, loaded = loading(scene.repo, *command)
        assert "gitchange.git.repository" in loaded
        assert "pygit2" not in loaded, command
        assert said
    # What is loaded in its place is what is measured: once more, and the index has the answer.
    assert "gitchange.git.repository" not in loading(scene.repo, "show", scene.change)[1]


def test_pydantic_is_loaded_for_what_is_refused_alone(take: Take) -> None:
    """Who reads, checks or signs good documents does not wait for the library that says what is wrong with bad ones."""
    scene = take("requested")
    _, loaded = loading(scene.repo, "check", scene.path)
    assert "gitchange.model.change" in loaded
    assert loaded.isdisjoint({"pydantic", "gitchange.model.twin"})
    scene.company.become("ada")
    _, loaded = loading(scene.repo, "approve", scene.change, "--yes", "-m", "go")
    assert "gitchange.model.statement" in loaded
    assert loaded.isdisjoint({"pydantic", "gitchange.model.twin"})
    scene.commit(scene.file.read_text().replace("title = ", "title =  "))
    printed, loaded = loading(scene.repo, "show", scene.change)
    assert scene.change in printed
    assert "gitchange.index.refresh" in loaded
    assert loaded.isdisjoint({"pydantic", "gitchange.model.twin"})

    scene.file.write_text(scene.file.read_text().replace("title = ", "titel = "))
    printed, loaded = loading(scene.repo, "check", scene.path, code=1)
    assert "did you mean `title`?" in printed
    assert "pydantic" in loaded


def loading(folder: Path, *command: str, code: int = 0) -> tuple[str, set[str]]:
    """What a command prints, and the modules that it loads."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gitchange", "-C", str(folder), *command],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == code, done.stderr[-2000:]
    return done.stdout, {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}


def test_only_what_judges_is_loaded_where_something_changed(take: Take) -> None:
    """After a commit of stock git a list loads neither click nor what only OpenPGP, mistakes and policies need."""
    scene = take("approved")
    gitchange(scene.repo, "list")
    path = scene.repo / scene.path
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    git(scene.repo, "commit", "-qam", "by stock git")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gitchange", "-C", str(scene.repo), "list"],
        capture_output=True,
        check=True,
        text=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "gitchange.index.refresh" in loaded
    heavy = {
        "click",
        "jinja2",
        "mkdocs",
        "pysequoia",
        "tomli_w",
        "pydantic",
        "pydantic_core",
        "pygit2",
        "difflib",
        "cryptography.hazmat.primitives.asymmetric.ec",
        "cryptography.hazmat.primitives.asymmetric.rsa",
        "gitchange.lifecycle.key_diff",
        "gitchange.lifecycle.policy_diff",
        "gitchange.lifecycle.policy_words",
        "gitchange.signing.certificates",
        "gitchange.signing.gpg",
        "gitchange.signing.openpgp",
        "gitchange.signing.signer",
    }
    assert loaded & heavy == set()


def test_program_and_shortcut_print_the_same(take: Take) -> None:
    """Whichever of the two answers, a reader cannot tell."""
    scene = take("validated")
    pinned = git(scene.repo, "config", "gitchange.introduction")
    gitchange(scene.repo, "list")
    for arguments in (
        ["list"],
        ["list", "--json"],
        ["list", "--status", "approved"],
        ["list", "--limit", "1"],
        ["show", scene.change],
        ["show", scene.change.lower()],
        ["show", scene.path, "--json"],
        ["search", "certificate"],
        ["search", "nothing-has-this"],
    ):
        quick_answer = quickly(scene.repo, *arguments)
        assert quick_answer is not None, arguments
        program = [sys.executable, "-m", "gitchange", "-C", str(scene.repo), "--introduction", pinned]
        slow = subprocess.run([*program, *arguments], capture_output=True, check=True, text=True)
        assert slow.stdout == quick_answer, arguments


@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "--status", "nonsense"],
        ["list", "--limit", "0"],
        ["list", "--limit", "many"],
        ["list", "--limit"],
        ["list", "what"],
        ["list", "--no-such"],
        ["show"],
        ["show", "one", "two"],
        ["show", "CHG-20200101-0000"],
        ["show", "K7Q3"],
        ["search"],
        ["search", "--"],
        ["--help"],
        ["list", "--as-of", "HEAD"],
        ["-C"],
        [],
    ],
)
def test_mistakes_are_left_to_the_program(take: Take, arguments: list[str]) -> None:
    """What is not understood prints nothing, and the program says what is wrong with it."""
    scene = take("requested")
    gitchange(scene.repo, "list")
    assert quickly(scene.repo, "list") is not None
    assert quickly(scene.repo, *arguments) is None


def test_time_brings_a_row_up_to_date(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that has passed makes the change overdue, though nobody touched the repository."""
    scene = take("requested")
    start = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    text = f"\n[schedule]\nstart = {start.isoformat()}\nend = {(start + dt.timedelta(hours=1)).isoformat()}\n"
    scene.commit(scene.file.read_text() + text)
    assert gitchange(scene.repo, "list", "--json").json["changes"][0]["flags"] == []
    assert quickly(scene.repo, "list") is not None
    monkeypatch.setenv("GITCHANGE_NOW", now_of(start + dt.timedelta(hours=2)))
    assert quickly(scene.repo, "list") is None
    assert gitchange(scene.repo, "list", "--json").json["changes"][0]["flags"] == ["overdue"]
    assert "overdue" in str(quickly(scene.repo, "list"))


def test_work_trees_share_one_index(take: Take) -> None:
    """Another work tree of the repository, on another branch, has the same answers and its own HEAD."""
    scene = take("approved")
    gitchange(scene.repo, "list")
    other = scene.repo.parent / "other"
    git(scene.repo, "worktree", "add", "--quiet", "-b", "elsewhere", str(other))
    assert quickly(other, "list") is None
    assert gitchange(other, "list", "--json").json == gitchange(scene.repo, "list", "--json").json
    assert quickly(other, "list") is not None
    assert quickly(scene.repo, "list") is not None
    assert index_of(other) == index_of(scene.repo)
    below = other / "changes"
    assert quickly(below, "list") == quickly(scene.repo, "list")


def test_bare_repository_has_an_index(take: Take) -> None:
    """A bare clone is read like any other."""
    scene = take("documented")
    bare = scene.repo.parent / "bare.git"
    git(scene.repo.parent, "clone", "--quiet", "--mirror", str(scene.repo), str(bare))
    listed = gitchange(bare, "list", "--json").json["changes"]
    assert [change["status"] for change in listed] == ["documented"]
    assert json.loads(str(quickly(bare, "list", "--json")))["changes"] == listed


def test_what_is_out_of_the_ordinary_takes_the_long_way(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that move a repository, a shallow clone, another pin: nothing is answered from the index."""
    scene = take("approved")
    gitchange(scene.repo, "list")
    assert quickly(scene.repo, "list") is not None
    monkeypatch.setenv("GIT_DIR", str(scene.repo / ".git"))
    assert quickly(scene.repo, "list") is None
    monkeypatch.delenv("GIT_DIR")
    (scene.repo / ".git" / "shallow").write_text(git(scene.repo, "rev-parse", "HEAD") + "\n")
    assert quickly(scene.repo, "list") is None
    (scene.repo / ".git" / "shallow").unlink()
    pinned = git(scene.repo, "config", "gitchange.introduction")
    git(scene.repo, "config", "gitchange.introduction", "0" * 40)
    assert quickly(scene.repo, "list") is None
    assert gitchange(scene.repo, "list").code == 2
    git(scene.repo, "config", "gitchange.introduction", pinned)
    assert quickly(scene.repo, "list") is not None
    monkeypatch.setenv("GITCHANGE_NOW", "soon")
    assert quickly(scene.repo, "list") is None


def test_missing_objects_are_looked_for_again(take: Take) -> None:
    """What was said without an object that was not here is not said any more when it has come."""
    scene = take("documented")
    clone = scene.repo.parent / "clone"
    git(scene.repo.parent, "clone", "--quiet", f"file://{scene.repo}", str(clone))
    git(clone, "config", "gitchange.introduction", git(scene.repo, "config", "gitchange.introduction"))
    without = gitchange(clone, "show", scene.change, "--json").json
    assert "record.order-unchecked" in {finding["code"] for finding in without["findings"]}
    assert quickly(clone, "list") is not None
    git(clone, "fetch", "--quiet", "origin", "refs/notes/gitchange/approvals")  # only FETCH_HEAD names it
    assert quickly(clone, "list") is None
    now = gitchange(clone, "show", scene.change, "--json").json
    assert "record.order-unchecked" not in {finding["code"] for finding in now["findings"]}


def test_answers_without_a_place_for_an_index(take: Take) -> None:
    """Where nothing can be written the answers are judged each time; only full text says that it needs an index."""
    scene = take("approved")
    shutil.rmtree(scene.repo / ".git" / "gitchange", ignore_errors=True)
    (scene.repo / ".git" / "gitchange").write_text("a file, where a folder must be")
    listed = gitchange(scene.repo, "list", "--json")
    assert [change["status"] for change in listed.json["changes"]] == ["approved"]
    assert gitchange(scene.repo, "show", scene.change, "--json").json["status"] == "approved"
    done = gitchange(scene.repo, "search", "certificate")
    assert done.code == 3
    assert "full text needs an index" in done.err


def test_two_at_once_bring_it_up_to_date(take: Take) -> None:
    """Several processes that all find the index behind give the same answers, and none fails."""
    scene = take("approved")
    index_of(scene.repo).unlink(missing_ok=True)
    command = [sys.executable, "-m", "gitchange", "-C", str(scene.repo), "list", "--json"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    said = {process.communicate() for process in running}
    assert {process.returncode for process in running} == {0}
    assert len(said) == 1
    assert quickly(scene.repo, "list") is not None


def test_killed_while_it_writes(take: Take) -> None:
    """A kill in the middle of writing leaves the index as it was, or none; the next command has the right answer."""
    scene = take("approved")
    gitchange(scene.repo, "list")
    script = (
        "import os, signal, sys\n"
        "from gitchange.index import refresh\n"
        "put = refresh._Writer.insert\n"
        "def killed(self, *given):\n"
        "    put(self, *given)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "refresh._Writer.insert = killed\n"
        "from gitchange.cli.main import run\n"
        "run(['-C', sys.argv[1], 'list'])\n"
    )
    for spoil_it in (False, True):
        scene.commit(scene.file.read_text() + "# by hand\n")
        if spoil_it:
            index_of(scene.repo).unlink()
        done = subprocess.run(
            [sys.executable, "-c", script, str(scene.repo)], capture_output=True, check=False
        )
        assert done.returncode == -9, done.stderr
        assert quickly(scene.repo, "list") is None
        expected = [
            summary_json(a) for a in Assessor(Repository.open(scene.repo), dt.datetime.now(dt.UTC)).all()
        ]
        assert gitchange(scene.repo, "list", "--json").json["changes"] == json.loads(json.dumps(expected))


def test_tables_are_short_and_say_so(take: Take) -> None:
    """A table shows the newest; how many there are is said beside it, and JSON has all unless told otherwise."""
    scene = take("requested")
    for _ in range(2):
        scene.company.request()
    done = gitchange(scene.repo, "list", "--limit", "2")
    assert len(done.out.splitlines()) == 3
    assert done.err == "2 of 3; --all shows them all\n"
    assert gitchange(scene.repo, "list", "--limit", "2", "--all").err == ""
    shape = gitchange(scene.repo, "list", "--limit", "2", "--json").json
    assert (shape["total"], len(shape["changes"])) == (3, 2)
    assert len(gitchange(scene.repo, "list", "--json").json["changes"]) == 3


def test_search_finds_what_people_wrote(take: Take) -> None:
    """In titles, texts, comments, answers, records and names; all words must be there; nothing is an operator."""
    scene = take("documented")
    other = scene.company.request(
        "cy", "--title", "Größere Platten für die Datenbank", "--system", "database"
    )

    def found(*words: str) -> list[str]:
        both = [
            gitchange(scene.repo, "search", "--json", *words).json["changes"],
            json.loads(str(quickly(scene.repo, "search", "--json", *words)))["changes"],
        ]
        assert both[0] == both[1]
        return [change["id"] for change in both[0]]

    for words in (
        ["certificate"],
        ["CERTIF"],
        ["go", "ahead"],  # a comment
        ["by", "day"],  # lessons
        ["looked", "at"],  # an answer
        ["dee@example.org"],
        ['"It expires"', "rotate"],
    ):
        assert scene.change in found(*words), words
    assert found("größere") == found("groß") == found("GROßERE", "platten") == [other]
    assert found("grossere") == []  # to Unicode, ß is no ss
    assert found("certificate", "nowhere") == []
    assert found('"expires It"') == []
    assert set(found("expires")) == {scene.change, other}
    assert found(scene.change)[0] == scene.change
    for odd in ("NOT", "certificate OR x", 'a"b"c"', "title:certificate", "*", "(", "cert*", "' --"):
        assert gitchange(scene.repo, "search", odd).code == 0, odd
    text = scene.company.repo / identifiers.path_of(other)
    text.write_text(text.read_text().replace("It expires.", "It is full."))
    git(scene.repo, "commit", "--quiet", "-am", "Edit")
    assert found("expires") == [scene.change], "an edited text is not found by what it said before"
    assert found("full") == [other]


def test_whoever_writes_brings_it_up_to_date(take: Take) -> None:
    """After a command of ours the next reader finds the index as it should be; git's own commands are found by it."""
    scene = take("requested")
    assert not index_of(scene.repo).exists(), "nothing that writes makes one from nothing"
    gitchange(scene.repo, "list")
    company, change = scene.company, scene.change
    company.complete(change)
    assert "validated" in str(quickly(scene.repo, "list"))
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "It works.")
    assert "documented" in str(quickly(scene.repo, "show", change))
    other = company.request()
    assert other in str(quickly(scene.repo, "list"))
    company.must("ada", "approve", other, "-y", "-m", "go")
    company.must("ada", "seal")
    assert "approved" in str(quickly(scene.repo, "list"))
    git(scene.repo, "commit", "--quiet", "--allow-empty", "-m", "Something else")
    assert quickly(scene.repo, "list") is None


def test_signing_does_not_wait_for_who_makes_an_index(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """To make one takes minutes in a large repository; commands that can do without go on from the repository alone."""
    scene = take("requested")
    gitchange(scene.repo, "list")
    monkeypatch.setattr(refresh, "_PATIENCE", 0.05)
    busy = sqlite3.connect(index_of(scene.repo), isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    scene.company.must("ada", "approve", scene.change, "-y", "-m", "go")
    busy.execute("ROLLBACK")
    busy.close()
    assert quickly(scene.repo, "list") is None, "nobody could bring it up to date"
    assert scene.status == "approved"
