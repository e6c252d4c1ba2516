"""Every attack of the threat model, typed by its adversary against a real repository, and what it meets.

README.md in this folder says what a case is. Each set-up is made once and copied for each case; every
check is made before the attack too, where it must give the good answer: otherwise it would prove nothing.
"""

from __future__ import annotations

import os
import string
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.company import Result, git, gitchange

from .setups import ATTACKER, CLONES, SETUPS, World

FOLDER = Path(__file__).parent
CASES = sorted(path.parent.name for path in FOLDER.glob("*/attack.sh"))
CHECK_KEYS = {"where", "run", "before", "after"}
ANSWER_KEYS = {"exit", "status", "flags", "findings", "says", "says_not"}


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], World]:
    """Each set-up, made from the one that it continues when it is first asked for. Not to be written to."""
    root = tmp_path_factory.mktemp("worlds")
    made: dict[str, World] = {}

    def at(name: str) -> World:
        if name not in made:
            setup = SETUPS[name]
            if setup.after is None:
                (root / name).mkdir()
                world = World.found(root / name, setup.make)
            else:
                world = at(setup.after).copied(root / name)
                setup.make(world)
            made[name] = world
        return made[name]

    return at


def place(world: World, where: str, case: dict[str, Any]) -> Path:
    """The clone in which a check is made: the attacker's, one from before the attack, or a fresh one."""
    if where != "fresh":
        return world.root / CLONES[where]
    fresh = world.root / "fresh"
    if not fresh.exists():
        world.clone("fresh")
        for refs in case.get("fresh_fetches", ()):
            git(fresh, "fetch", "--quiet", "origin", f"+{refs}:{refs}")
        branch = case.get("fresh_branch")
        if branch and git(fresh, "branch", "--remotes", "--list", f"origin/{branch}"):
            git(fresh, "switch", "--quiet", branch)
    return fresh


def answer(world: World, check: dict[str, Any], case: dict[str, Any], words: dict[str, str]) -> Result:
    """What the command of a check says."""
    run = string.Template(check["run"]).substitute(words).split()
    if run[0] in ("verify", "list") or (run[0] == "show" and "--text" not in run):
        run.append("--json")
    return gitchange(place(world, check["where"], case), *(word for word in run if word != "--text"))


def meets(done: Result, expected: dict[str, Any], words: dict[str, str], what: str) -> None:
    """The answer is the expected one, in all that is said about it."""
    told = f"{what}\nexit {done.code}\n{done.out}{done.err}"
    assert expected.keys() <= ANSWER_KEYS, expected
    assert done.code == expected["exit"], told
    if "status" in expected:
        assert done.json["status"] == expected["status"], told
    for flag in expected.get("flags", ()):
        assert flag in done.json["flags"], told
    if "findings" in expected:
        codes = {finding["code"] for finding in done.json["findings"]}
        assert set(expected["findings"]) <= codes, told
        if not expected["findings"]:
            assert not codes, told
    for phrase in expected.get("says", ()):
        assert string.Template(phrase).substitute(words) in done.out + done.err, f"{phrase!r}: {told}"
    for phrase in expected.get("says_not", ()):
        assert string.Template(phrase).substitute(words) not in done.out + done.err, f"{phrase!r}: {told}"


@pytest.mark.parametrize("name", CASES)
def test_case(worlds: Callable[[str], World], tmp_path: Path, name: str) -> None:
    """What the adversary of this case tries meets what its folder says, and only because of the attack."""
    case = tomllib.loads((FOLDER / name / "expected.toml").read_text())
    checks = case["check"]
    assert checks
    assert all(check.keys() == CHECK_KEYS for check in checks), "a check says where, run, before and after"
    attacker = case.get("attacker", ATTACKER)
    # The control: without the attack, the same commands.
    before = worlds(case["setup"]).copied(tmp_path / "before")
    words = before.words(attacker)
    for check in checks:
        meets(
            answer(before, check, case, words), check["before"], words, f"before the attack: {check['run']}"
        )
    # The attack.
    after = worlds(case["setup"]).copied(tmp_path / "after")
    words = after.words(attacker)
    after.become(attacker, after.root / "attacker")
    culprits = tmp_path / "culprits"
    culprits.touch()
    done = subprocess.run(
        ["bash", str(FOLDER / name / "attack.sh")],
        env={**os.environ, **words, "OUT": str(culprits), "PATH": after.path()},
        cwd=after.root / "attacker",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    words |= dict(line.split("=", 1) for line in culprits.read_text().splitlines())
    # What it meets.
    for check in checks:
        meets(answer(after, check, case, words), check["after"], words, f"after the attack: {check['run']}")


def test_every_folder_is_a_case() -> None:
    """Each folder here is a case: it says who and why, what is typed, and what it meets."""
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(CASES)
    assert len(CASES) > 40
    for name in CASES:
        assert {path.name for path in (FOLDER / name).iterdir()} == {
            "README.md",
            "attack.sh",
            "expected.toml",
        }
        assert (FOLDER / name / "attack.sh").read_text().count("set -eu\n") == 1
        assert "docs/adr/" in (FOLDER / name / "README.md").read_text(), name
