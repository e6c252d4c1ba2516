"""docs/verify-by-hand.md does what it says: its own commands, as they stand, on a repository and on spoilt ones."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.company import POLICY, Company, found, git, gitchange
from tests.integration.test_policy import adopt, propose

PAGE = Path(__file__).parents[2] / "docs" / "verify-by-hand.md"
NOTES = "refs/notes/gitchange/approvals"


@dataclass(frozen=True)
class Place:
    """A clone with its notes, as an auditor has it, and what it is about."""

    repo: Path
    change: str
    introduction: str
    company: Company

    @property
    def file(self) -> Path:
        """The change's file."""
        return self.repo / f"changes/{self.change[4:8]}/{self.change[8:10]}/{self.change}.toml"

    def by_hand(self) -> subprocess.CompletedProcess[str]:
        """Run the page's blocks, in order, as they stand."""
        blocks = re.findall(r"^```bash\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        assert len(blocks) == 3
        return subprocess.run(
            ["bash", "-c", "set -eu\n" + "".join(blocks)],
            cwd=self.repo,
            env={**os.environ, "change": self.change, "introduction": self.introduction},
            capture_output=True,
            text=True,
            check=False,
        )

    def commit(self, message: str = "Edit") -> None:
        """Commit everything, as somebody with push access may."""
        self.company.become("bo", self.repo)
        git(self.repo, "add", "-A")
        git(self.repo, "commit", "--quiet", "-m", message)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A company with two policy versions and a change documented under each, and an auditor's clone."""
    root = tmp_path_factory.mktemp("by-hand")
    company = found(root)
    company.documented()
    policy = POLICY.replace("version = 1", "version = 2") + '\n[deadlines]\nevaluation = "3d"\n'
    adopt(company, propose(company, policy))
    change = company.request("bo")
    company.must("ada", "approve", change, "--yes")
    company.must("mo", "seal")
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked at it")
    company.must("ada", "document", change, "--outcome", "successful", "--summary", "It works.")
    introduction = git(company.repo, "config", "gitchange.introduction")
    git(root, "clone", "--quiet", str(company.repo), "auditor")
    repo = root / "auditor"
    git(repo, "fetch", "--quiet", "origin", "+refs/notes/gitchange/*:refs/notes/gitchange/*")
    git(repo, "config", "gitchange.introduction", introduction)
    return Place(repo, change, introduction, company)


@pytest.fixture
def place(original: Place, tmp_path: Path) -> Place:
    """A copy of the auditor's clone, which a test may spoil."""
    shutil.copytree(original.repo, tmp_path / "auditor", symlinks=True)
    return Place(tmp_path / "auditor", original.change, original.introduction, original.company)


def test_the_page_is_short() -> None:
    """An auditor reads it in minutes."""
    assert len(PAGE.read_text().splitlines()) <= 60


def test_by_hand_and_the_program_agree(original: Place) -> None:
    """The page's commands find borne out what `verify` and `show` find borne out, with the same signers."""
    done = original.by_hand()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == f"{original.change} is documented, and borne out"
    shown = gitchange(original.repo, "show", original.change, "--json").json
    assert shown["status"] == "documented"
    assert gitchange(original.repo, "verify", "--json").json["verdict"] == "ok"
    signers = [sign_off["by"] for sign_off in shown["sign_offs"] if sign_off["counts"]]
    # Two of root for the policy, then the three of the change.
    named = re.findall(r'Good "gitchange" signature for (\S+)', done.stdout)
    assert sorted(named) == sorted(["ada@example.org", "eve@example.org", *signers])
    assert len(signers) == 3


def edit_the_request(place: Place) -> None:
    """The text that was approved, one word of it."""
    place.file.write_text(place.file.read_text().replace("It expires.", "It is old.", 1))
    place.commit()


def rewrite_the_record(place: Place) -> None:
    """The readable part and the envelopes stay; the record's commit is made anew with another request."""
    text = place.file.read_text().replace("It expires.", "It exploded", 1)
    assert len(text) == len(place.file.read_text())
    place.file.write_text(text)
    place.company.become("bo", place.repo)
    git(place.repo, "commit", "--quiet", "--all", "--amend", "--no-edit")


def drop_a_line_of_the_notes(place: Place) -> None:
    """A sign-off of the other change is dropped and put back."""
    place.company.become("bo", place.repo)
    other = next(
        name
        for name in git(place.repo, "notes", f"--ref={NOTES}", "list").split()[1::2]
        if git(place.repo, "cat-file", "-t", name) == "blob"
    )
    before = git(place.repo, "rev-parse", f"{NOTES}^{{tree}}")
    git(place.repo, "notes", f"--ref={NOTES}", "remove", other)
    again = git(place.repo, "commit-tree", before, "-p", NOTES, "-m", "Notes added")
    git(place.repo, "update-ref", NOTES, again)


def rewind_the_notes(place: Place) -> None:
    """Notes that main has witnessed are gone."""
    git(place.repo, "update-ref", NOTES, f"{NOTES}~1")


def change_the_policy(place: Place) -> None:
    """A policy that nobody approved."""
    policy = place.repo / "policy" / "policy.toml"
    policy.write_text(policy.read_text().replace("version = 2", "version = 3"))
    place.commit()


def leave_an_approval_of_the_policy_out(place: Place) -> None:
    """Version 2 with one approval of the two needed; everything after it is made anew."""
    approvals = place.repo / "policy-approvals" / "2.jsonl"
    adopted = git(place.repo, "log", "--format=%H", "-1", "--", "policy-approvals")
    later = git(place.repo, "rev-list", "--reverse", f"{adopted}..main").split()
    place.company.become("bo", place.repo)
    git(place.repo, "reset", "--quiet", "--hard", adopted)
    approvals.write_text(approvals.read_text().splitlines(keepends=True)[0])
    git(place.repo, "commit", "--quiet", "--all", "--amend", "--no-edit")
    git(place.repo, "cherry-pick", "--allow-empty", *later)


def refuse_it_unseen(place: Place) -> None:
    """The notes have a word that the record leaves out."""
    place.company.become("mo", place.repo)
    head = git(place.repo, "rev-parse", "main")
    request = place.repo / "request"
    size = int(re.findall(r"^request_bytes = (\d+)", place.file.read_text(), re.MULTILINE)[0])
    request.write_bytes(place.file.read_bytes()[:size])
    blob = git(place.repo, "hash-object", "-w", "--no-filters", "request")
    request.unlink()
    line = git(place.repo, "notes", f"--ref={NOTES}", "show", blob).splitlines()[0].replace("a", "b", 1)
    note = git(place.repo, "notes", f"--ref={NOTES}", "show", blob) + "\n" + line + "\n"
    stored = git(place.repo, "hash-object", "-w", "--stdin", data=note.encode())
    git(place.repo, "notes", f"--ref={NOTES}", "add", "-f", "-C", stored, blob)
    assert git(place.repo, "rev-parse", "main") == head


def cut_the_history(place: Place) -> None:
    """The clone is shallow."""
    (place.repo / ".git" / "shallow").write_text(git(place.repo, "rev-parse", "main~1") + "\n")


SPOILT: tuple[Callable[[Place], None], ...] = (
    edit_the_request,
    rewrite_the_record,
    drop_a_line_of_the_notes,
    rewind_the_notes,
    change_the_policy,
    leave_an_approval_of_the_policy_out,
    refuse_it_unseen,
    cut_the_history,
)


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_tampering_is_caught_by_hand(place: Place, spoil: Callable[[Place], None]) -> None:
    """The page's own commands stop, and never say that a spoilt repository is borne out."""
    spoil(place)
    done = place.by_hand()
    assert done.returncode != 0, done.stdout + done.stderr
    assert "borne out" not in done.stdout


def test_another_introduction_is_caught_by_hand(place: Place) -> None:
    """A repository that does not begin with the introduction that one was told is another repository."""
    other = Place(place.repo, place.change, "1" * 40, place.company)
    assert other.by_hand().returncode != 0
