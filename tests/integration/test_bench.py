"""The repositories that the benches measure with are what companies have; no time is judged here."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gitchange.lifecycle.status import STATUSES
from gitchange.signing.sshsig import armor
from tests.company import git, gitchange

ROOT = Path(__file__).parents[2]
NOTES = "refs/notes/gitchange/approvals"


def bench(name: str, *arguments: str) -> str:
    """Run a bench; what it prints."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "benches" / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty changes."""
    place = tmp_path_factory.mktemp("bench") / "made"
    bench("make", "30", str(place))
    return place


def test_what_is_made_is_borne_out(made: Path) -> None:
    """Every sign-off and record holds; the only warnings are of approvals that an edit made stale."""
    done = gitchange(made, "verify", "--json")
    assert done.code == 0, done.out
    assert done.json["verdict"] == "ok"
    assert done.json["pinned"] is True
    assert {finding["code"] for finding in done.json["findings"]} <= {"approval.stale"}
    git(made, "fsck", "--strict")
    assert git(made, "status", "--porcelain") == ""


def test_every_status_occurs(made: Path) -> None:
    """There are changes in every status, and most are documented."""
    changes = gitchange(made, "list", "--json").json["changes"]
    assert len(changes) == 30
    statuses = [change["status"] for change in changes]
    assert set(statuses) == set(STATUSES)
    assert statuses.count("documented") == 30 - (len(STATUSES) - 1)


def test_ssh_keygen_accepts_the_signatures(made: Path, tmp_path: Path) -> None:
    """The signatures are those that ssh-keygen would have made."""
    signers = made / "policy" / "allowed_signers"
    notes = git(made, "notes", f"--ref={NOTES}", "list").splitlines()
    for note in notes[:5]:
        envelope = json.loads(git(made, "cat-file", "blob", note.split()[0]).splitlines()[0])
        kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
        by = json.loads(payload)["predicate"]["by"]
        (tmp_path / "sig").write_text(armor(base64.b64decode(envelope["signatures"][0]["sig"])))
        done = subprocess.run(
            [
                *("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", by, "-n", "gitchange"),
                *("-s", str(tmp_path / "sig")),
            ],
            input=b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_the_same_seed_makes_the_same_commits(made: Path, tmp_path: Path) -> None:
    """A seed names a repository, to the last commit; another seed is another company."""
    for name, seed in (("same", "1"), ("other", "2")):
        bench("make", "30", str(tmp_path / name), "--seed", seed, "--bare")
    refs = [git(place, "for-each-ref") for place in (made, tmp_path / "same", tmp_path / "other")]
    assert refs[0] == refs[1]
    assert not set(refs[0].splitlines()) & set(refs[2].splitlines())


def test_the_notes_have_the_fan_out_of_stock_git(tmp_path: Path) -> None:
    """Where git itself appends to a note, it moves no other one."""
    place = tmp_path / "made"
    bench("make", "150", str(place), "--bare")
    before = git(place, "rev-parse", NOTES)
    subject = git(place, "notes", f"--ref={NOTES}", "list").split()[1]
    git(
        place,
        *("-c", "user.name=A", "-c", "user.email=a@example.org"),
        *("notes", f"--ref={NOTES}", "append", "-m", "x", subject),
    )
    moved = git(place, "diff-tree", "-r", "--name-only", before, NOTES)
    assert moved == f"{subject[:2]}/{subject[2:]}"


def test_the_readings_are_told_and_leave_the_repository_alone(made: Path, tmp_path: Path) -> None:
    """Each figure comes with its floor, in a table and for programs; the work is done in a copy."""
    before = git(made, "for-each-ref")
    told = bench(
        "reading",
        *(str(made), "--runs", "1", "--json", str(tmp_path / "figures")),
        *("--only", "start", "--only", "appended", "--only", "written"),
    )
    assert git(made, "for-each-ref") == before
    assert git(made, "status", "--porcelain") == ""
    rows = json.loads((tmp_path / "figures").read_text())["rows"]
    assert {row["size"] for row in rows} == {30}
    for row in rows:
        assert row["name"] in told
        assert row["ratio"] == pytest.approx(row["ours"] / row["floor"])
    grown = next(row for row in rows if row["unit"] == "B")
    assert grown["floor_name"] == "git notes append"


def test_the_list_of_benches_names_those_that_can_be_run() -> None:
    """Without a name, `scripts/bench` tells what there is to measure."""
    done = subprocess.run([str(ROOT / "scripts" / "bench")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    named = [line.split()[0] for line in done.stderr.splitlines() if line.startswith("  ")]
    assert {"hook", "make", "reading", "sync"} <= set(named)
    assert not [name for name in named if name.startswith("_")]
