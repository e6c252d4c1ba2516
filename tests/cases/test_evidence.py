"""After an attack the evidence that is taken away says no more than the repository does."""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.company import git, gitchange
from tests.integration.test_export import Evidence, unpack

from .setups import ATTACKER, World
from .test_cases import FOLDER, place, worlds

__all__ = ["worlds"]

CASES = {
    "approve-an-own-change": "not witnessed yet; gitchange does not count it",
    "copy-under-another-id": "gitchange could not judge it",
    "edit-a-documented-change": "NOT OK",
    "nonsense-line": "is no envelope in its one spelling; gitchange does not count it either",
    "record-over-a-rejection": "NOT OK",
    "record-with-an-older-witness": "NOT OK",
    "replay-from-another-repository": "was made for another repository; gitchange does not count it either",
    "rewind-witnessed-notes": "NOT OK",
    "run-something-on-readers-machines": "",
    "sign-with-a-removed-key": "gitchange does not count it either",
    "spoil-a-rejection": "gitchange does not count it either",
    "witness-of-nothing": "NOT OK",
}
"""Attacks, and what the script says of the evidence that is exported after each."""


LIES = {
    "approve-an-own-change": "ada@example.org requested and approved it",
    "approve-an-own-edit": "wrote the request and approved it",
    "role-not-held": "did not hold the role change-manager",
    "sign-with-a-removed-key": "has a signature that ssh-keygen refuses",
    "words-in-anothers-mouth": "has a signature that ssh-keygen refuses",
}
"""Attacks after which somebody exports the approval as one that counts, and what the script finds."""


def attacked(world: World, name: str, case: dict[str, Any], folder: Path) -> tuple[Evidence, int]:
    """The evidence of all changes from a fresh clone after an attack, and the exit code of its export."""
    attacker = case.get("attacker", ATTACKER)
    where = world.root / "attacker"
    world.become(attacker, where)
    environment = {**os.environ, **world.words(attacker), "OUT": str(folder / "out"), "PATH": world.path()}
    command = ["bash", str(FOLDER / name / "attack.sh")]
    subprocess.run(command, env=environment, cwd=where, capture_output=True, check=True)
    fresh = place(world, "fresh", case)
    files = git(fresh, "ls-tree", "-r", "--name-only", "refs/remotes/origin/main", "changes/").splitlines()
    changes = [Path(path).stem for path in files]
    done = gitchange(fresh, "export", *changes, "--output", str(folder / "e.zip"))
    evidence = Evidence(world.company, unpack(folder / "e.zip", folder / "evidence"), {})
    return evidence, done.code


@pytest.mark.parametrize("name", CASES)
def test_evidence_after_an_attack(worlds: Callable[[str], World], tmp_path: Path, name: str) -> None:
    """What the attack could not do in the repository it cannot do in the evidence, and a breach shows there, too."""
    case = tomllib.loads((FOLDER / name / "expected.toml").read_text())
    world = worlds(case["setup"]).copied(tmp_path / "world")
    evidence, code = attacked(world, name, case, tmp_path)
    assert code in (0, 1)
    checked = evidence.verify(world.words(ATTACKER)["INTRODUCTION"])
    assert checked.stderr == ""
    assert CASES[name] in checked.stdout, checked.stdout
    assert checked.returncode == (1 if CASES[name] == "NOT OK" else 0), checked.stdout


@pytest.mark.parametrize("name", LIES)
def test_what_does_not_count_cannot_be_told_to(
    worlds: Callable[[str], World], tmp_path: Path, name: str
) -> None:
    """The script itself asks who may sign: what gitchange does not count cannot be passed off as what counts."""
    case = tomllib.loads((FOLDER / name / "expected.toml").read_text())
    evidence, _ = attacked(worlds(case["setup"]).copied(tmp_path / "world"), name, case, tmp_path)
    for path in evidence.folder.glob("changes/*/witnesses"):
        path.write_text(path.read_text().replace("genuine", "counts").replace("doubt", "counts"))
        if path.read_text():
            verdict = path.parent / "verdict.json"
            verdict.write_text(
                verdict.read_text().replace('"status": "requested"', '"status": "approved"', 1)
            )
    evidence.forge_manifest()
    checked = evidence.verify()
    assert checked.returncode == 1, checked.stdout
    assert any(LIES[name] in line for line in checked.stdout.splitlines() if line.startswith("NOT OK")), (
        checked.stdout
    )
