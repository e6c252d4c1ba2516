"""Killed, locked out, on a full disk, on a read-only one: the repository is as before or as after, and one is told.

The kills here are a few of those of scripts/kill-test, which makes all of them.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import killing
from tests.company import git
from tests.killing import CASES, NOTES, Case, Stage, Tally, World

Staging = Callable[[str], Stage]

MEMORY = Path("/dev/shm")  # noqa: S108 - a disk would be slow, and no power is cut here


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder, in memory where that can be."""
    if not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        yield tmp_path_factory.mktemp("crash")
        return
    folder = MEMORY / f"gitchange-test-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def world(root: Path) -> World:
    """A company with changes at every stage, made once."""
    return killing.made(root / "world")


@pytest.fixture(scope="module")
def staging(world: World, root: Path) -> Staging:
    """A command, prepared and run once to its end; made when it is first asked for."""
    traced = killing.can_trace(root)
    known: dict[str, Stage] = {}

    def stage(name: str) -> Stage:
        if name not in known:
            folder = root / f"stage{len(known)}"
            folder.mkdir()
            known[name] = killing.staged(world, case_of(name), folder, trace=traced)
        return known[name]

    return stage


def case_of(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


# -- killed --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["new --commit", "approve", "document"])
def test_killed_at_any_moment_it_is_as_before_or_as_after(staging: Staging, root: Path, name: str) -> None:
    """Whole objects, refs on their way, no work tree out of step that nobody explains; and the command works again."""
    stage = staging(name)
    chance = random.Random(name)  # noqa: S311 - other points for each command, the same in each run
    points = chance.sample(stage.points, 2) if stage.points else []
    points += [killing.moment(stage, chance) for _ in range(1 if points else 3)]
    tally = Tally()
    for point in points:
        killing.run(stage, root, point, tally)
    assert not tally.problems, "\n".join(tally.problems)
    assert tally.killed


@pytest.mark.parametrize("when", ["files placed", "index written"])
def test_killed_between_files_and_branch(staging: Staging, root: Path, when: str) -> None:
    """Whoever is killed after the files and before the branch finds them taken back, and the command done once."""
    stage = staging("document")
    if not stage.points:
        pytest.skip("strace is not here, or may not trace: no exact point can be chosen")
    # The change file, and then the index, are renamed into place; the ref comes after both.
    renames = killing.renames(stage)
    wanted = "changes/" if when == "files placed" else "/.git/index"
    place = root / "place"
    number = max(n for n, target in renames if wanted in target and not target.endswith(".lock"))
    following = next(n for n, _ in renames if n > number)
    assert killing.kill(stage, place, killing.Point("rename", following))
    clone = place / "clone"
    assert git(clone, "status", "--porcelain") != ""
    assert (clone / ".git" / "gitchange" / "move.json").exists()
    # Later: the record that is written then differs from the one that was left in the work tree.
    assert not killing.examine(stage, place, Tally(), killing.LATER)


# -- locked out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "lock"),
    [
        ("approve", f".git/{NOTES}.lock"),
        ("new --commit", ".git/index.lock"),
        ("new --commit", ".git/refs/heads/main.lock"),
        ("init in a repository", ".git/config.lock"),
        ("sync, behind", ".git/refs/gitchange/remotes/origin/approvals.lock"),
    ],
)
def test_lock_of_a_killed_process_is_explained(staging: Staging, root: Path, name: str, lock: str) -> None:
    """The command says which lock, since when, that nobody is at work, and what to do; it removes none."""
    stage = staging(name)
    place = root / "place"
    killing.copy(stage.template, place)
    left = place / "clone" / lock
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    os.utime(left, (1_700_000_000, 1_700_000_000))
    before = killing.seen(place)
    done = killing.again(stage, place)
    assert done.code == 3
    assert f"{left} is there since 2023-11-14 22:13:20 UTC" in done.err
    assert "no git and no gitchange is at work in this repository" in done.err
    assert f"rm {left}" in done.err
    assert left.exists()
    now = killing.seen(place)
    assert (now.files, now.status) == (before.files, before.status)
    assert now.refs["clone refs/heads/main"] == before.refs["clone refs/heads/main"]
    left.unlink()
    assert killing.again(stage, place).code == 0
    assert killing.seen(place).refs == stage.after.refs


@pytest.mark.parametrize("lock", [".git/packed-refs.lock", ".git/HEAD.lock"])
def test_lock_that_is_in_nobodys_way_hinders_nothing(staging: Staging, root: Path, lock: str) -> None:
    """Signing needs neither packed refs nor HEAD to itself."""
    stage = staging("approve")
    killing.copy(stage.template, root / "place")
    (root / "place" / "clone" / lock).touch()
    assert killing.again(stage, root / "place").code == 0
    assert killing.seen(root / "place").refs == stage.after.refs


def test_lock_of_somebody_at_work_names_the_process(staging: Staging, root: Path) -> None:
    """As long as a git runs in the repository, the advice is to wait for it."""
    stage = staging("approve")
    place = root / "place"
    killing.copy(stage.template, place)
    left = place / "clone" / f".git/{NOTES}.lock"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    with subprocess.Popen(
        ["git", "-C", str(place / "clone"), "cat-file", "--batch"], stdin=subprocess.PIPE
    ) as busy:
        done = killing.again(stage, place)
        busy.communicate()
    assert done.code == 3
    assert f"(process {busy.pid})" in done.err
    assert "wait until that has ended" in done.err


def test_lock_that_goes_away_is_waited_for(staging: Staging, root: Path) -> None:
    """A git that holds a ref for a moment is no reason to fail."""
    stage = staging("approve")
    place = root / "place"
    killing.copy(stage.template, place)
    left = place / "clone" / f".git/{NOTES}.lock"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.touch()
    script = "import os, sys, time; time.sleep(0.3); os.unlink(sys.argv[1])"
    with subprocess.Popen([sys.executable, "-c", script, str(left)]):
        assert killing.again(stage, place).code == 0


# -- disks ---------------------------------------------------------------------------------------------


class Mounts:
    """A mount namespace of its own, in which file systems can be mounted that nobody else sees."""

    def __init__(self) -> None:
        mapped = [] if os.geteuid() == 0 else ["--map-root-user", "--user"]
        self._holder = subprocess.Popen(
            ["unshare", *mapped, "--mount", "--propagation=private", "sh", "-c", "echo ready; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._inside = ["nsenter", *(["--user", "--preserve-credentials"] if mapped else []), "--mount"]
        self.ready = self._holder.stdout is not None and self._holder.stdout.readline() == b"ready\n"

    def close(self) -> None:
        self._holder.communicate()

    def run(
        self, *command: str, env: dict[str, str] | None = None, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in there."""
        words = [*self._inside, f"--target={self._holder.pid}", "--wd=/", "--", *command]
        return subprocess.run(words, env=env, capture_output=True, text=True, check=check)


@pytest.fixture(scope="module")
def mounts() -> Iterator[Mounts]:
    """The namespace; skipped where the system does not allow one, as in many containers."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        pytest.skip("unshare and nsenter are not installed")
    space = Mounts()
    try:
        if not space.ready or space.run("mount", "-t", "tmpfs", "tmpfs", "/mnt").returncode:
            pytest.skip("this system does not let us mount a file system of our own")
        space.run("umount", "/mnt", check=True)
        yield space
    finally:
        space.close()


@pytest.mark.parametrize("name", ["new --commit", "approve", "document", "init"])
def test_read_only_repository_is_said(
    staging: Staging, root: Path, mounts: Mounts, world: World, name: str
) -> None:
    """Nothing can be written: the command says where and why, and how to mend it; then it works."""
    stage = staging(name)
    place = root / "place"
    killing.copy(stage.template, place)
    mounts.run("mount", "--bind", str(place), str(place), check=True)
    mounts.run("mount", "-o", "remount,bind,ro", str(place), check=True)
    try:
        done = mounts.run(*killing.command(world, stage.case, place), env=killing.environment(world.root))
    finally:
        mounts.run("umount", str(place), check=True)
    told = done.stdout + done.stderr
    assert done.returncode == 3, told
    assert "Read-only file system" in told
    assert str(place) in told or "read-only" in told.lower()
    before = killing.seen(place)
    assert (before.refs, before.files, before.status) == (
        stage.before.refs,
        stage.before.files,
        stage.before.status,
    )
    assert killing.again(stage, place).code == 0


FREE = (0, 9, 33)
"""Pages of 4 KiB that are left: for nothing, for some objects, for almost everything."""


@pytest.mark.parametrize("name", ["new --commit", "approve", "init"])
def test_full_disk_is_said_and_nothing_is_lost(
    staging: Staging, root: Path, mounts: Mounts, world: World, name: str
) -> None:
    """However little room there is, the command says that the disk is full or has done its work; with room it works."""
    stage = staging(name)
    place = root / "place"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    env = killing.environment(world.root)
    outcomes: set[int] = set()
    mounts.run("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place), check=True)
    try:
        for free in FREE:
            mounts.run("sh", "-c", f"rm -rf {place}/* && cp -a {stage.template}/. {place}", check=True)
            fill = f"cat /dev/zero > {place}/full; truncate -s -{free * 4096} {place}/full"
            mounts.run("sh", "-c", fill, check=True)
            done = mounts.run(*killing.command(world, stage.case, place), env=env)
            told = done.stdout + done.stderr
            outcomes.add(done.returncode)
            assert done.returncode in (0, 3), f"{free} pages free: {told}"
            if done.returncode == 3:
                assert "No space left on device" in told, f"{free} pages free: {told}"
            look = f"cd {place}/clone && {{ git status --porcelain; ls .git/*.lock .git/gitchange/move.json; }} 2>&1"
            state = mounts.run("sh", "-c", look, env=env).stdout
            assert "changes/" not in state, f"{free} pages free: {state}"
            mounts.run("rm", f"{place}/full", check=True)
            done = mounts.run(*killing.command(world, stage.case, place), env=env)
            assert done.returncode in (0, *stage.case.repeated), f"{free} pages free before: {done.stderr}"
            check = mounts.run("git", "-C", f"{place}/clone", "fsck", "--strict", "--no-dangling", env=env)
            assert check.returncode == 0, check.stdout + check.stderr
            if name != "init":
                sent = mounts.run(*killing.program("-C", f"{place}/clone", "sync"), env=env)
                assert sent.returncode == 0, sent.stderr
                state = mounts.run("git", "-C", f"{place}/clone", "status", "--porcelain", env=env).stdout
                assert state == ""
    finally:
        mounts.run("umount", str(place), check=True)
    assert 3 in outcomes
