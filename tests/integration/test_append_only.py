"""Sign-offs cannot be taken out of the notes unnoticed: not by rewriting a note, not by a merge, not by a rewind."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from tests.company import Company, clones, found, git, gitchange

REF = "refs/notes/gitchange/approvals"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, str]:
    """A company with one approved change that a second evaluator rejected."""
    company = found(tmp_path_factory.mktemp("append-only"))
    change = company.request()
    company.must("ada", "approve", change, "--yes")
    company.must("mo", "reject", change, "-m", "not on a Friday")
    return company, change


@pytest.fixture
def repo(signed: tuple[Company, str], tmp_path: Path) -> Path:
    """A copy of its repository that a test may spoil."""
    git(tmp_path, "clone", "--quiet", "--mirror", str(signed[0].repo), str(tmp_path / "copy.git"))
    introduction = git(signed[0].repo, "config", "gitchange.introduction")
    git(tmp_path / "copy.git", "config", "gitchange.introduction", introduction)
    for key, value in {"user.name": "Mallory", "user.email": "mallory@example.org"}.items():
        git(tmp_path / "copy.git", "config", key, value)
    return tmp_path / "copy.git"


def annotated(repo: Path) -> str:
    """The one object that has a note."""
    return git(repo, "notes", f"--ref={REF}", "list").split()[1]


def without_rejection(repo: Path, at: str = REF) -> str:
    """The note's lines without the rejection."""
    lines = git(repo, "notes", f"--ref={at}", "show", annotated(repo)).splitlines()
    kept = [line for line in lines if b'"reject"' not in payload(line)]
    assert len(kept) == len(lines) - 1
    return "\n".join(kept)


def payload(line: str) -> bytes:
    """What a line's payload says."""
    return base64.b64decode(json.loads(line)["payload"])


def findings(repo: Path) -> tuple[int, list[dict[str, str]]]:
    """The exit code and findings of `verify`."""
    done = gitchange(repo, "verify", "--json")
    return done.code, done.json["findings"]


def test_a_rejection_dropped_by_a_fast_forward_is_named(signed: tuple[Company, str], repo: Path) -> None:
    """Who rewrites a note without a rejection is found out, with the commit and the line."""
    assert gitchange(repo, "show", signed[1], "--json").json["status"] == "rejected"
    git(repo, "notes", f"--ref={REF}", "add", "-f", "-m", without_rejection(repo), annotated(repo))
    code, found_ = findings(repo)
    assert code == 1
    (loss,) = [f for f in found_ if f["code"] == "notes.line-lost"]
    assert loss["severity"] == "error"
    assert git(repo, "rev-parse", REF)[:12] in loss["message"]
    assert "'reject' by mo@example.org" in loss["message"]
    assert "mallory@example.org" in loss["message"]


def test_a_rejection_dropped_through_a_merge_is_named(repo: Path) -> None:
    """A merge of the notes that keeps only one side's text of a note is found out."""
    tip = git(repo, "rev-parse", REF)
    without = git(repo, "rev-parse", f"{REF}~1")  # before the rejection
    tree = git(repo, "rev-parse", f"{without}^{{tree}}")
    merge = git(repo, "commit-tree", tree, "-p", tip, "-p", without, "-m", "Merge notes")
    git(repo, "update-ref", REF, merge)
    code, found_ = findings(repo)
    assert code == 1
    assert any(f["code"] == "notes.line-lost" and merge[:12] in f["message"] for f in found_)


def test_a_note_removed_altogether_is_named(repo: Path) -> None:
    """`git notes remove` is found out, line by line."""
    git(repo, "notes", f"--ref={REF}", "remove", annotated(repo))
    code, found_ = findings(repo)
    assert code == 1
    assert len([f for f in found_ if f["code"] == "notes.line-lost"]) == 2


def test_a_note_moved_to_another_fan_out_loses_nothing(repo: Path) -> None:
    """The same lines at another depth of fan-out are the same lines."""
    oid = annotated(repo)
    blob = git(repo, "notes", f"--ref={REF}", "list", oid)
    data = f"040000 tree {tree_with(repo, oid[2:], blob)}\t{oid[:2]}\n".encode()
    tree = git(repo, "mktree", data=data)
    commit = git(repo, "commit-tree", tree, "-p", REF, "-m", "fan out")
    git(repo, "update-ref", REF, commit)
    assert findings(repo)[0] == 0


def tree_with(repo: Path, name: str, blob: str) -> str:
    """A tree that holds one file."""
    return git(repo, "mktree", data=f"100644 blob {blob}\t{name}\n".encode())


def test_lines_that_are_back_are_a_warning(repo: Path) -> None:
    """What was lost and put back is told, and breaks nothing."""
    before = git(repo, "rev-parse", REF)
    git(repo, "notes", f"--ref={REF}", "add", "-f", "-m", without_rejection(repo), annotated(repo))
    tree = git(repo, "rev-parse", f"{before}^{{tree}}")
    mended = git(repo, "commit-tree", tree, "-p", REF, "-m", "mend")
    git(repo, "update-ref", REF, mended)
    code, found_ = findings(repo)
    assert code == 0
    (loss,) = [f for f in found_ if f["code"] == "notes.line-lost"]
    assert loss["severity"] == "warning"


def test_a_fresh_clone_sees_a_truncation_of_what_main_witnessed(tmp_path: Path) -> None:
    """Notes that were rewound behind what a commit on main witnessed are a breach in every clone."""
    company = found(tmp_path)
    company.documented()
    git(company.repo, "update-ref", REF, f"{REF}~1")
    code, found_ = findings(company.repo)
    assert code == 1
    assert any(f["code"] == "notes.truncated" for f in found_)


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Path, Path, str]:
    """(server, Ada's clone, a change with two sign-offs that both have)."""
    company = found(tmp_path)
    ((_, clone),) = clones(company, "ada")
    change = company.request(directory=clone)
    company.must("ada", "approve", change, "--yes", directory=clone)
    company.must("mo", "reject", change, "-m", "no", directory=clone)
    company.become("ada", clone)
    return tmp_path / "server.git", clone, change


@pytest.mark.parametrize("how", ["rewound", "deleted", "replaced"])
def test_a_remote_that_lost_sign_offs_is_refused_and_mended(shared: tuple[Path, Path, str], how: str) -> None:
    """A clone names what the remote lost, takes nothing of it, and `sync --restore` puts it back."""
    server, clone, change = shared
    if how == "deleted":
        git(server, "update-ref", "-d", REF)
    elif how == "rewound":
        git(server, "update-ref", REF, f"{REF}~1")
    else:
        empty = git(server, "hash-object", "-w", "-t", "tree", "/dev/null")
        git(server, "config", "user.name", "M")
        git(server, "config", "user.email", "m@example.org")
        git(server, "update-ref", REF, git(server, "commit-tree", empty, "-m", "new notes"))
    for command in (["sync"], ["approve", change, "--yes"], ["sync"]):
        done = gitchange(clone, *command)
        assert done.code == 1
        assert "'reject' by mo@example.org" in done.err
    assert gitchange(clone, "show", change, "--json").json["status"] == "rejected"
    restored = gitchange(clone, "sync", "--restore")
    assert restored.code == 0, restored.err
    assert "'reject' by mo@example.org" in restored.out
    assert gitchange(clone, "sync").code == 0
    assert (
        subprocess.run(
            ["git", "-C", str(server), "merge-base", "--is-ancestor", git(clone, "rev-parse", REF), REF],
            check=False,
        ).returncode
        == 0
    )
