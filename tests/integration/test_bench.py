"""The repositories that the benches measure with are what companies have; no time is judged here."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

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
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def measured(told: str, figures: Path) -> list[dict[str, Any]]:
    """The rows as programs get them; each is in the table, and says the truth about its goal."""
    rows: list[dict[str, Any]] = json.loads(figures.read_text())["rows"]
    for row in rows:
        assert row["ratio"] == pytest.approx(row["ours"] / row["floor"])
        goal, words = row["goal"], ""
        if goal is not None:
            less = {"ratio": row["ratio"], "difference": row["ours"] - row["floor"], "ours": row["ours"]}
            assert row["met"] is (less[goal["of"]] <= goal["most"])
            words = "met" if row["met"] else "MISSED"
        assert any(
            row["name"] in line and row["floor_name"] in line and words in line for line in told.splitlines()
        ), row
    return rows


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
        *("--only", "start", "--only", "appended", "--only", "fresh", "--only", "written"),
    )
    assert git(made, "for-each-ref") == before
    assert git(made, "status", "--porcelain") == ""
    rows = measured(told, tmp_path / "figures")
    assert {row["size"] for row in rows} == {30}
    assert [row["part"] for row in rows] == [
        *["start"] * 2,
        *["fresh"] * 4,
        *["appended"] * 4,
        *["written"] * 2,
    ]
    grown = next(row for row in rows if row["unit"] == "B")
    assert grown["floor_name"] == "git notes append"
    assert {row["goal"]["of"] for row in rows if row["part"] == "fresh"} == {"difference"}


def test_everything_is_measured_in_a_bare_repository(tmp_path: Path) -> None:
    """No command that is measured fails, and no part is left out where there is no work tree."""
    bench("make", "12", str(tmp_path / "made"), "--bare")
    told = bench("reading", str(tmp_path / "made"), "--runs", "1", "--json", str(tmp_path / "figures"))
    assert "left out" not in told
    parts = {row["part"] for row in measured(told, tmp_path / "figures")}
    assert parts == {
        *("start", "warm", "cold", "fresh", "refreshed", "appended", "verified", "searched", "oncall"),
        *("written", "memory"),
    }


def test_a_command_that_fails_is_told_and_the_others_are_measured(made: Path, tmp_path: Path) -> None:
    """What failed stands in the table with its exit code and its words; then the exit code is 1."""
    broken = tmp_path / "made"
    shutil.copytree(made, broken)
    git(broken, "config", "gitchange.introduction", "0" * 40)
    work = [sys.executable, str(ROOT / "scripts" / "benches" / "reading.py"), str(broken), "--runs", "1"]
    work += ["--only", "cold", "--only", "start", "--only", "appended"]
    done = subprocess.run(work, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    table, _, after = done.stdout.partition("FAILED: exit code 2: ")
    assert "an empty Python" in table
    assert after.splitlines()[0].endswith("gitchange list")
    assert "introduction" in after
    assert "git notes append" in after


def test_of_two_sizes_it_is_told_how_the_figures_grow(made: Path, tmp_path: Path) -> None:
    """The same row of two repositories is told once more, as a ratio, from the smaller to the larger one."""
    bench("make", "12", str(tmp_path / "made"))
    told = bench(
        "reading", str(made), str(tmp_path / "made"), "--runs", "1", "--only", "warm", "--only", "start"
    )
    grown = [line for line in told.splitlines() if line.lstrip().startswith("12 to 30 ")]
    assert len(grown) == 4
    assert all("ours" in line and "floor" in line for line in grown)


def test_a_loop_of_git_notes_is_measured_beside_ours(tmp_path: Path) -> None:
    """Stock git shows the sign-offs of every change that has one."""
    told = bench(
        "peers",
        *("--changes", "20", "--runs", "1", "--only", "notes", "--json", str(tmp_path / "figures")),
    )
    rows = measured(told, tmp_path / "figures")
    assert [row["name"] for row in rows] == ["list, without an index", "list, nothing new"]
    # One of the twenty is requested, and nobody has signed it.
    assert {row["floor_name"] for row in rows} == {"git notes show, 19 times"}


@pytest.mark.install
def test_reno_is_measured_beside_ours(tmp_path: Path) -> None:
    """reno, as the package index has it, lists as many release notes as there are changes."""
    told = bench(
        "peers",
        *("--changes", "20", "--runs", "1", "--only", "reno", "--json", str(tmp_path / "figures")),
    )
    if "cannot be installed" in told:
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip("the package index cannot be reached")
    floors = [row["floor_name"] for row in measured(told, tmp_path / "figures")]
    assert floors == ["reno list", "reno list", "reno list, from its cache file"]


def test_the_list_of_benches_names_those_that_can_be_run() -> None:
    """Without a name, `scripts/bench` tells what there is to measure."""
    done = subprocess.run([str(ROOT / "scripts" / "bench")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    named = [line.split()[0] for line in done.stderr.splitlines() if line.startswith("  ")]
    assert {"hook", "make", "peers", "reading", "sync"} <= set(named)
    assert not [name for name in named if name.startswith("_")]
