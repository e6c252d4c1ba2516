"""Kills the program at chosen or random points of its commands, and looks at what is left.

Used by tests/integration/test_crash.py (some points) and by scripts/kill-test (all of them, and many random moments).
Each command runs as a real process, in a copy of a prepared clone with a shared repository beside it. Time and keys are
fixed, so that an uninterrupted run gives the very commits that an interrupted and repeated one must give.

With strace a command is killed exactly before its N-th system call that changes a file: every point there is. Without
it, and for the gits that a command starts, the whole process group is killed at random moments.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.company import POLICY, Company, Result, found, git, gitchange, request_options

NOTES = "refs/notes/gitchange/approvals"
NOW = "2026-11-22T20:00:00+00:00"
LATER = "2026-11-22T21:00:00+00:00"

FREEZE = """
[[freezes]]
name = "until further notice"
reason = "Nobody is there to help."
kind = "soft"
zone = "UTC"
start = 2020-01-01T00:00:00
end = 2099-01-01T00:00:00
when = { systems = ["website"] }
override = { role = "change-manager" }
"""

GIVEN_ID = "CHG-20261122-KKKK"
NEW_FILE = f"""\
schema = 1
id = "{GIVEN_ID}"
title = "Rotate the certificate"
type = "normal"
requester = "bo@example.org"
systems = ["api"]
reason = "It expires."
scope = "Both load balancers."
rollback = "Put the old one back."
test_plan = "curl from outside"

[[steps]]
action = "Install it"

[[risks]]
description = "Clients refuse it"
category = "availability"
likelihood = "unlikely"
impact = "moderate"
mitigations = ["keep the old one"]
"""


GITCONFIG = """\
[init]
	defaultBranch = main
[gc]
	auto = 0
[user]
	name = Ada
	email = ada@example.org
"""


def program(*arguments: str) -> list[str]:
    """The program as a process of its own."""
    return [sys.executable, "-m", "gitchange", *arguments]


def environment(home: Path, now: str = NOW) -> dict[str, str]:
    """A fixed time, an empty home, and nothing of the caller's git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITCHANGE_"))}
    return kept | {
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GITCHANGE_NOW": now,
        "GIT_AUTHOR_DATE": now,
        "GIT_COMMITTER_DATE": now,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": "UTC",
        "LC_ALL": "C",
    }


@dataclass(frozen=True)
class World:
    """A company with changes at every stage, a shared repository, and a clone that is behind it."""

    root: Path
    company: Company
    changes: Mapping[str, str]
    """Stage -> id."""

    @property
    def clean(self) -> Path:
        """The folder that is copied for each run: `clone` and `server.git`."""
        return self.root / "clean"


@dataclass(frozen=True)
class Case:
    """One writing command."""

    name: str
    person: str
    arguments: tuple[str, ...]
    """`{stage}` stands for the id of the change at that stage."""
    prepare: Callable[[World, Path], None] | None = None
    """Brings a copy into the state before the command."""
    repeated: tuple[int, ...] = (0,)
    """Exit codes of the command when it is called again after it was completed."""
    where: str = "clone"


def made(root: Path) -> World:
    """The company: one change at each stage, two proposed policies, and a shared repository that is ahead."""
    with _fixed(root):
        company = found(root, POLICY + FREEZE)
        changes = {
            stage: company.request("bo") for stage in ("requested", "approved", "implemented", "asked")
        }
        window = ("--start", "2026-12-01T10:00:00Z", "--end", "2026-12-01T11:00:00Z")
        changes["frozen"] = company.request("bo", "--system", "website", *window)
        changes["validated"] = company.request("bo")
        company.must("ada", "approve", changes["approved"], "--yes", "-m", "go")
        for stage in ("implemented", "validated"):
            company.must("ada", "approve", changes[stage], "--yes", "-m", "go")
            company.must("bo", "implement", changes[stage], "--steps-followed", "--test", "suite=passed")
        words = ("--works", "--no-security-risk", "--evidence", "looked at it")
        company.must("dee", "validate", changes["validated"], *words)
        text = (POLICY + FREEZE).replace("version = 1", "version = 2", 1)
        for branch in ("proposal", "ready"):
            git(company.become("ada"), "switch", "--quiet", "-C", branch, "main")
            (company.repo / "policy" / "policy.toml").write_text(f"{text}\n# {branch}\n")
            (company.repo / "policy" / "models" / "dependency-update.toml").unlink()
            git(company.repo, "add", "-A", "policy")
            git(company.repo, "commit", "--quiet", "-m", branch)
            git(company.repo, "switch", "--quiet", "main")
        for person in ("ada", "eve"):
            company.must(person, "policy", "approve", "ready", "--yes")
        clean = root / "clean"
        server, clone = clean / "server.git", clean / "clone"
        git(root, "clone", "--quiet", "--mirror", str(company.repo), str(server))
        git(server, "config", "--unset", "remote.origin.mirror")
        git(clean, "clone", "--quiet", "server.git", "clone")
        for branch in ("proposal", "ready"):
            git(clone, "branch", "--quiet", branch, f"origin/{branch}")
        git(clone, "config", "gitchange.introduction", git(company.repo, "config", "gitchange.introduction"))
        for repository in (server, clone / ".git"):
            shutil.rmtree(repository / "hooks", ignore_errors=True)
        git(clone, "remote", "set-url", "origin", "../server.git")
        company.must("bo", "sync", directory=clone)
        # Others go on: the clone is behind, on main and in the notes.
        company.must("cy", "new", "--commit", *request_options("--title", "Another"))
        company.must("ada", "request-info", changes["asked"], "-m", "Why now?")
        git(company.repo, "push", "--quiet", str(server), "main", NOTES)
    return World(root, company, changes)


class _fixed:  # noqa: N801 - reads like a statement
    """The fixed time for what is made in this process."""

    def __init__(self, home: Path, now: str = NOW) -> None:
        self._home, self._now = home, now

    def __enter__(self) -> None:
        self._before = dict(os.environ)
        self._home.mkdir(parents=True, exist_ok=True)
        if not (self._home / ".gitconfig").exists():
            (self._home / ".gitconfig").write_text(GITCONFIG)
        os.environ.update(environment(self._home, self._now))

    def __exit__(self, *_: object) -> None:
        os.environ.clear()
        os.environ.update(self._before)


# -- the commands --------------------------------------------------------------------------------------


def _unsent(world: World, place: Path) -> None:
    """The clone has a sign-off that the shared repository lacks."""
    clone = place / "clone"
    world.company.must(
        "mo", "approve", world.changes["requested"], "--yes", "-m", "go", "--no-push", directory=clone
    )


def _ahead(world: World, place: Path) -> None:
    """The clone has a sign-off and a commit that the shared repository lacks, and lacks nothing itself."""
    clone = place / "clone"
    world.company.must("bo", "sync", directory=clone)
    _unsent(world, place)
    world.company.must("mo", "seal", "--no-push", directory=clone)


def _empty(world: World, place: Path) -> None:
    """A folder without a repository."""
    shutil.rmtree(place / "clone")
    shutil.rmtree(place / "server.git")
    (place / "clone").mkdir()


def _plain(world: World, place: Path) -> None:
    """A repository of something else."""
    _empty(world, place)
    git(place / "clone", "init", "--quiet", "-b", "main")
    (place / "clone" / "README.md").write_text("ours\n")
    git(world.company.become("ada", place / "clone"), "add", ".")
    git(place / "clone", "commit", "--quiet", "-m", "begin")


def _built(world: World, place: Path) -> None:
    """An older site stands there."""
    world.company.must(
        "ada", "site", "build", "--output", str(place / "clone" / "site"), directory=place / "clone"
    )
    world.company.must("ada", "sync", directory=place / "clone")


_INIT = ("init", ".", "--title", "Example", "--policy", "{policy}")

CASES = (
    Case("init", "ada", _INIT, _empty, repeated=(2,)),
    Case("init in a repository", "ada", _INIT, _plain, repeated=(2,)),
    Case("new", "bo", ("new", "--from", "{file}"), repeated=(1,)),
    Case("new --commit", "bo", ("new", "--commit", "--from", "{file}"), repeated=(1,)),
    Case("approve", "ada", ("approve", "{requested}", "--yes", "-m", "go"), _unsent),
    Case("reject", "ada", ("reject", "{requested}", "-m", "no")),
    Case("implement", "bo", ("implement", "{approved}", "--steps-followed", "--test", "suite=passed")),
    Case(
        "validate",
        "dee",
        ("validate", "{implemented}", "--works", "--no-security-risk", "--evidence", "looked at it"),
    ),
    Case(
        "document",
        "ada",
        ("document", "{validated}", "--outcome", "successful", "--summary", "It works."),
        repeated=(1,),
    ),
    Case("withdraw", "bo", ("withdraw", "{requested}", "-m", "not needed"), repeated=(0, 1)),
    Case("override-freeze", "mo", ("override-freeze", "{frozen}", "-m", "It cannot wait.")),
    Case("policy approve", "ada", ("policy", "approve", "proposal", "--yes")),
    Case("policy adopt", "ada", ("policy", "adopt", "ready"), repeated=(1,)),
    Case("seal", "ada", ("seal",)),
    Case("sync, behind", "ada", ("sync",), _unsent),
    Case("sync, ahead", "ada", ("sync",), _ahead),
    Case("site build", "ada", ("site", "build", "--output", "{site}"), _built),
)


# -- one command, killed -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """When to kill: before the N-th call of a system call, or after so many seconds."""

    call: str = ""
    number: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"before {self.call} number {self.number}" if self.call else f"after {self.seconds:.4f} s"


@dataclass(frozen=True)
class State:
    """What can be seen of a place: refs, files, and what git says about the work tree."""

    refs: Mapping[str, str]
    files: Mapping[str, bytes]
    status: str


@dataclass
class Stage:
    """One case, prepared: to be copied for each run; and how an uninterrupted run ends."""

    world: World
    case: Case
    template: Path
    before: State
    after: State
    done: Path
    """The place after the uninterrupted run."""
    history: Mapping[str, tuple[str, ...]]
    """Ref -> every value that it had during the uninterrupted run."""
    seconds: tuple[float, float]
    """When the first file was changed, and when the command ended."""
    points: tuple[Point, ...]
    """Every call of the program itself that changes a file here; empty without strace."""


@dataclass
class Tally:
    """What several runs came to."""

    runs: int = 0
    killed: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """How far the killed ones had come: before, between, after."""
    locks: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


CALLS = (
    *(
        "openat",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
        "unlink",
        "unlinkat",
    ),
    *("mkdir", "mkdirat", "rmdir", "write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "chmod"),
    *("fchmod", "fchmodat"),
)
_TRACED = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?:[\d.]+ )?(\w+)\((.*)$")


def can_trace(folder: Path) -> bool:
    """Whether strace is here and may trace."""
    if shutil.which("strace") is None:
        return False
    done = subprocess.run(
        ["strace", "-o", str(folder / "probe"), "-e", "inject=write:signal=SIGKILL:when=1", "echo", "x"],
        capture_output=True,
        check=False,
    )
    return done.returncode != 0 and not done.stdout


def command(world: World, case: Case, place: Path) -> list[str]:
    """The command line of a case in a place."""
    words = {
        **world.changes,
        "policy": str(world.root / "policy"),
        "file": str(world.root / "new.toml"),
        "site": str(place / "clone" / "site"),
    }
    return program("-C", str(place / case.where), *(word.format(**words) for word in case.arguments))


def staged(world: World, case: Case, root: Path, *, trace: bool) -> Stage:
    """Prepare a case, and run it once to its end."""
    template = root / "template"
    with _fixed(world.root):
        (world.root / "new.toml").write_text(NEW_FILE)
        shutil.copytree(world.clean, template, symlinks=True)
        if case.prepare is not None:
            case.prepare(world, template)
        if (template / "clone" / ".git").exists():
            world.company.become(case.person, template / "clone")
    place = root / "place"
    copy(template, place)
    before = seen(place)
    began = time.monotonic()
    done = subprocess.run(
        command(world, case, place), env=environment(world.root), capture_output=True, text=True, check=False
    )
    took = time.monotonic() - began
    assert done.returncode == 0, f"{case.name}: {done.stdout}{done.stderr}"
    after = seen(place)
    first = min(
        (p.stat().st_mtime for p in _all(place) if p.stat().st_mtime > time.time() - took), default=0.0
    )
    begin = max(0.0, took - (time.time() - first)) if first else 0.0
    history = {name: _history(place, name, before, after) for name in after.refs}
    points = _points(world, case, template, root) if trace else ()
    finished = place.rename(root / "done")
    return Stage(world, case, template, before, after, finished, history, (begin, took), points)


def copy(template: Path, place: Path) -> None:
    """A fresh copy of a prepared place, at the same path each time."""
    if place.exists():
        shutil.rmtree(place)
    subprocess.run(["cp", "-a", str(template), str(place)], check=True)


def _all(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file())


def _history(place: Path, name: str, before: State, after: State) -> tuple[str, ...]:
    folder, _, ref = name.partition(" ")
    log = place / folder / (".git" if folder == "clone" else ".") / "logs" / ref
    values = [before.refs.get(name, ""), after.refs.get(name, "")]
    if log.exists():
        lines = log.read_text().splitlines()
        told = [line.split()[1] for line in lines]
        start = told.index(values[0]) if values[0] in told else 0
        values += told[start:] if values[0] else told
    return tuple(dict.fromkeys(values))


def _points(world: World, case: Case, template: Path, root: Path) -> tuple[Point, ...]:
    """Every call of the program that changes something below the place, counted as strace counts them."""
    place, log = root / "place", root / "trace"
    copy(template, place)
    subprocess.run(
        [
            *("strace", "-qq", "-y", "-s", "512", "-o", str(log), "-e", f"trace={','.join(CALLS)}"),
            *command(world, case, place),
        ],
        env=environment(world.root),
        capture_output=True,
        check=True,
    )
    counted: Counter[str] = Counter()
    found: list[Point] = []
    for line in log.read_text(errors="replace").splitlines():
        match = _TRACED.match(line)
        if match is None or match[1] not in CALLS:
            continue
        counted[match[1]] += 1
        opened = match[1] != "openat" or "O_CREAT" in line or "O_TRUNC" in line
        if opened and str(place) in match[2]:
            found.append(Point(match[1], counted[match[1]]))
    return tuple(found)


def renames(stage: Stage) -> list[tuple[int, str]]:
    """The renames of the program, by their number: where to."""
    log = stage.template.parent / "trace"
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("rename(")]
    return [(number, line.split('"')[3]) for number, line in enumerate(lines, 1)]


def seen(place: Path) -> State:
    """What a place shows: the refs of its repositories, and the files of its work tree."""
    refs: dict[str, str] = {}
    status = ""
    for name in ("clone", "server.git"):
        where = place / name
        if not (where / ".git" / "HEAD").exists() and not (where / "HEAD").exists():
            continue
        for line in git(where, "for-each-ref", "--format=%(refname) %(objectname)").splitlines():
            ref, oid = line.split()
            refs[f"{name} {ref}"] = oid
        if name == "clone":
            status = git(where, "status", "--porcelain", "--untracked-files=all")
    clone = place / "clone"
    files = {
        path.relative_to(clone).as_posix(): path.read_bytes()
        for path in _all(clone)
        if ".git" not in path.relative_to(clone).parts
    }
    return State(refs, files, status)


def kill(stage: Stage, place: Path, point: Point) -> bool:
    """Run the command in a fresh copy and kill it at a point; whether it was still running then."""
    copy(stage.template, place)
    words = command(stage.world, stage.case, place)
    if point.call:
        trace = ["strace", "-qq", "-o", os.devnull, "-e", f"trace={point.call}"]
        words = [*trace, "-e", f"inject={point.call}:signal=SIGKILL:when={point.number}", *words]
    process = subprocess.Popen(
        words,
        env=environment(stage.world.root),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=60 if point.call else point.seconds)
    running = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    return running or code != 0


def locks(place: Path) -> list[Path]:
    """The lock files of git's that were left; what is gitchange's alone, in the making, is in nobody's way."""
    own = (place / "clone" / ".git" / "gitchange", place / "clone" / ".gitchange-init")
    found = (path for path in place.rglob("*.lock") if {".git", "server.git"} & set(path.parts))
    return sorted(path for path in found if not any(path.is_relative_to(folder) for folder in own))


def again(stage: Stage, place: Path, *words: str, now: str = NOW) -> Result:
    """The command of the stage once more, or another one; in this process, which saves time."""
    with _fixed(stage.world.root, now):
        if words:
            return gitchange(place / stage.case.where, *words)
        return gitchange(place / stage.case.where, *command(stage.world, stage.case, place)[5:])


def examine(stage: Stage, place: Path, tally: Tally, now: str = NOW) -> list[str]:
    """What is wrong with a place where the command was killed; empty when everything is as it must be:

    1. the repositories are whole: `git fsck --strict`;
    2. each ref is where it was, where it goes, or where the uninterrupted run took it in between; what main
       witnesses is there;
    3. the work tree is that of before or after; or a note of ours says that it is in between;
    4. a lock that was left is explained, and is still there;
    5. the same command again works, or says that it was done already;
    6. then everything is as after an uninterrupted run: at the same time the very same commits, and `LATER`, when
       the texts that are written differ from those of the killed run, the same files and refs.
    """
    problems: list[str] = []
    case, before, after = stage.case, stage.before, stage.after
    # 1.
    problems += fsck(place)
    if problems:
        return problems
    # 2.
    here = seen(place)
    for name in here.refs.keys() | before.refs.keys():
        allowed = {before.refs.get(name, ""), after.refs.get(name, ""), *stage.history.get(name, ())}
        there = here.refs.get(name, "")
        if there not in allowed and not _between(
            stage.done, name, before.refs.get(name), there, after.refs.get(name)
        ):
            problems.append(f"{name} is at {here.refs.get(name)}, where no uninterrupted run has it")
    problems += _unwitnessed(place)
    complete = _same(here, after)
    tally.kinds["before" if _same(here, before) else "after" if complete else "between"] += 1
    # 3.
    noted = (place / "clone" / ".git" / "gitchange" / "move.json").exists()
    if here.status not in (before.status, after.status) and not noted:
        problems.append(f"git status says, and no note explains it:\n{here.status}")
    if case.name.startswith("site"):
        index = place / "clone" / "site" / "index.html"
        if not index.exists():
            problems.append("there is no site")
    # 4.
    left = locks(place)
    for lock in left:
        tally.locks[str(lock.relative_to(place))] += 1
    mine = [lock for lock in left if lock.is_relative_to(place / "clone")]
    for lock in left:
        if lock not in mine:  # the server's; whoever runs it is told by git
            lock.unlink()
    completed = False
    if mine:
        done = again(stage, place, now=now)
        told = done.out + done.err
        completed = done.code == 0
        if done.code not in (0, 3, *case.repeated):
            problems.append(f"with the locks {mine} left: exit code {done.code}\n{told}")
        if done.code == 3 and not any(f"rm {lock}" in told for lock in mine):
            problems.append(f"the locks {mine} are not explained:\n{told}")
        if not all(lock.exists() for lock in mine):
            problems.append(f"one of {mine} was removed")
        for lock in mine:
            lock.unlink(missing_ok=True)
    # 5.
    done = again(stage, place, now=now)
    told = done.out + done.err
    if done.code != 0 and not (done.code in case.repeated and (completed or _reached(stage, place))):
        problems.append(f"the same command again: exit code {done.code}\n{told}")
    # 6.
    if not case.name.startswith(("init", "new")) or case.name == "new --commit":
        done = again(stage, place, "sync", now=now)
        if done.code != 0:
            problems.append(f"sync afterwards: exit code {done.code}\n{done.out}{done.err}")
    problems += _ended(stage, place, same=now == NOW)
    problems += fsck(place)
    return problems


def _between(place: Path, name: str, first: str | None, there: str, last: str | None) -> bool:
    """Whether a ref is on its way from one commit to another: what it held is kept, and nothing else is in it."""
    folder = place / name.partition(" ")[0]
    return bool(there and last) and all(
        subprocess.run(
            ["git", "-C", str(folder), "merge-base", "--is-ancestor", one, other],
            capture_output=True,
            check=False,
        ).returncode
        == 0
        for one, other in ((first or there, there), (there, str(last)))
    )


def _same(one: State, other: State) -> bool:
    return (one.refs, one.files, one.status) == (other.refs, other.files, other.status)


def fsck(place: Path) -> list[str]:
    """What git finds wrong with the repositories of a place."""
    problems: list[str] = []
    for name in ("clone", "server.git"):
        if (place / name / ".git").exists() or (place / name / "HEAD").exists():
            done = subprocess.run(
                ["git", "-C", str(place / name), "fsck", "--strict", "--no-dangling", "--no-progress"],
                capture_output=True,
                text=True,
                check=False,
            )
            # An unborn branch is none of ours to complain about.
            lines = [
                line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("notice:")
            ]
            if done.returncode or lines:
                problems.append(f"git fsck of {name}: {done.returncode} {lines}")
    return problems


def _unwitnessed(place: Path) -> list[str]:
    """Witnesses on a branch of record whose notes are not there."""
    problems: list[str] = []
    for name in ("clone", "server.git"):
        where = place / name
        if not (where / ".git").exists() and not (where / "HEAD").exists():
            continue
        if not git(where, "for-each-ref", "refs/heads/main"):
            continue
        told = git(where, "log", "--format=%(trailers:key=Approvals,valueonly)", "refs/heads/main")
        for commit in {line.strip() for line in told.splitlines() if line.strip()}:
            done = subprocess.run(
                ["git", "-C", str(where), "merge-base", "--is-ancestor", commit, NOTES],
                capture_output=True,
                check=False,
            )
            if done.returncode:
                problems.append(f"{name}: main witnesses {commit}, which the notes lack")
    return problems


def _reached(stage: Stage, place: Path) -> bool:
    """Whether what the command is for is there."""
    now = seen(place)
    if stage.case.name.startswith("init"):
        return (place / "clone" / ".git").exists() and bool(
            git(place / "clone", "config", "gitchange.introduction")
        )
    if stage.case.name == "new":
        return now.files == stage.after.files
    main = "clone refs/heads/main"
    if stage.case.name == "withdraw":
        return now.refs.get(f"clone {NOTES}") == stage.after.refs.get(f"clone {NOTES}")
    return now.refs.get(main) == stage.after.refs.get(main)


def _ended(stage: Stage, place: Path, *, same: bool) -> list[str]:
    """How the end differs from that of the uninterrupted run."""
    problems: list[str] = []
    now, after = seen(place), stage.after
    clone = place / "clone"
    if now.status != after.status:
        problems.append(f"git status in the end:\n{now.status}")
    if (note := clone / ".git" / "gitchange" / "move.json").exists():
        problems.append(f"{note} is still there")
    left = [path for path in clone.rglob("*gitchange*") if path.name.startswith(".")]
    left += [path for path in (clone / ".git" / "gitchange").rglob("*") if path.is_file()]
    if left:
        problems.append(f"left behind: {left}")
    if now.files.keys() != after.files.keys():
        problems.append(f"files: {sorted(now.files.keys() ^ after.files.keys())}")
    # Whoever signs again after the sign-off was kept has signed twice; otherwise it is the very same commit.
    twice = stage.case.name in SIGNING or stage.case.name == "seal"
    if now.refs.keys() != after.refs.keys():
        problems.append(f"refs: {sorted(now.refs.keys() ^ after.refs.keys())}")
    for name, oid in after.refs.items() if same else ():
        there = now.refs.get(name, "")
        if there == oid or name.startswith(("clone refs/gitchange/", "clone refs/remotes/")):
            continue
        folder = place / name.partition(" ")[0]
        follows = there and subprocess.run(
            ["git", "-C", str(folder), "merge-base", "--is-ancestor", oid, there], check=False
        )
        if not (twice and follows and follows.returncode == 0):
            problems.append(f"{name} ends at {there}, not at {oid}")
    if stage.case.name not in ("init", "init in a repository", "new"):
        for ref in ("refs/heads/main", NOTES):
            if now.refs.get(f"clone {ref}") != now.refs.get(f"server.git {ref}"):
                problems.append(f"{ref} differs between the clone and the server")
        done = again(stage, place, "verify")
        if done.code:
            problems.append(f"verify: {done.code}\n{done.out}{done.err}")
    return problems


SIGNING = {
    *("approve", "reject", "implement", "validate", "withdraw", "override-freeze", "policy approve"),
}


def run(stage: Stage, root: Path, point: Point, tally: Tally) -> list[str]:
    """Kill once, and examine."""
    place = root / "place"
    tally.runs += 1
    if kill(stage, place, point):
        tally.killed += 1
    when = NOW if tally.runs % 2 else LATER
    found = examine(stage, place, tally, when)
    problems = [f"{stage.case.name}, killed {point}, repeated at {when}: {words}" for words in found]
    tally.problems += problems
    return problems


def moment(stage: Stage, chance: random.Random) -> Point:
    """A random moment between the first change of a file and the end."""
    begin, end = stage.seconds
    return Point(seconds=chance.uniform(begin * 0.9, end))


def main() -> int:
    """`scripts/kill-test`."""
    parser = argparse.ArgumentParser(prog="scripts/kill-test", description=__doc__)
    parser.add_argument("--runs", type=int, default=400, help="how many random kills (default 400)")
    parser.add_argument(
        "--seed", type=int, default=None, help="of the random moments; printed when not given"
    )
    parser.add_argument(
        "--only", action="append", metavar="COMMAND", help="only this command; may be repeated"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="take each N-th of the exact points (default each)"
    )
    parser.add_argument("--no-strace", action="store_true", help="random moments only")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)  # noqa: S311
    unknown = set(given.only or ()) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such command: {', '.join(unknown)}; there are {', '.join(c.name for c in CASES)}")
    cases = [case for case in CASES if not given.only or case.name in given.only]
    memory = Path("/dev/shm")  # noqa: S108 - no power is cut here, and a disk is slow
    with tempfile.TemporaryDirectory(
        prefix="gitchange-kill-", dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    ) as folder:
        root = Path(folder).resolve()
        trace = not given.no_strace and can_trace(root)
        print(f"seed {seed}; {'exact points by strace, and ' if trace else ''}random moments")
        began = dt.datetime.now()
        world = made(root / "world")
        total = Tally()
        for number, case in enumerate(cases):
            place = root / str(number)
            place.mkdir()
            stage = staged(world, case, place, trace=trace)
            tally = Tally()
            share = given.runs // len(cases) + (number < given.runs % len(cases))
            points = [*stage.points[:: given.every], *(moment(stage, chance) for _ in range(share))]
            for point in points:
                for words in run(stage, place, point, tally):
                    print(f"PROBLEM {words}", flush=True)
            kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(tally.kinds.items()))
            print(
                f"{case.name}: {len(points) - share} exact and {share} random points, {tally.killed} killed "
                f"while at work; found {kinds}; {len(tally.problems)} problem(s)"
                + (f"; locks left: {dict(tally.locks)}" if tally.locks else ""),
                flush=True,
            )
            total.runs += tally.runs
            total.killed += tally.killed
            total.kinds += tally.kinds
            total.locks += tally.locks
            total.problems += tally.problems
            shutil.rmtree(place)
        print(
            f"{total.runs} runs, {total.killed} killed while at work, {dict(total.kinds)}; "
            f"{sum(total.locks.values())} locks left; {len(total.problems)} problem(s); "
            f"{(dt.datetime.now() - began).seconds} s"
        )
    return 1 if total.problems else 0


if __name__ == "__main__":
    sys.exit(main())
