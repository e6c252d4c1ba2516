"""Policies succeed each other only under the one before; sign-offs are judged where they were first witnessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.company import POLICY, Company, found, git, gitchange


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company; its root has two members and a threshold of two."""
    return found(tmp_path)


def version_2(text: str = POLICY) -> str:
    """The usual policy as its own successor."""
    return text.replace("version = 1", "version = 2", 1)


def propose(company: Company, policy: str, branch: str = "proposal", **files: str) -> str:
    """Commit a policy on a branch, as anybody may; the branch."""
    repo = company.become("ada")
    git(repo, "switch", "--quiet", "-C", branch, "main")
    (repo / "policy" / "policy.toml").write_text(policy)
    for name, text in files.items():
        (repo / "policy" / name).write_text(text)
    git(repo, "add", "policy")
    git(repo, "commit", "--quiet", "-m", "a new policy")
    git(repo, "switch", "--quiet", "main")
    return branch


def force(company: Company, policy: str, message: str = "edit the policy") -> None:
    """Commit a policy on main, as somebody with push access may."""
    repo = company.become("bo")
    (repo / "policy" / "policy.toml").write_text(policy)
    git(repo, "commit", "--quiet", "-am", message)


def adopt(company: Company, branch: str) -> None:
    """Both members of root approve, and it is adopted."""
    company.must("ada", "policy", "approve", branch, "--yes")
    company.must("eve", "policy", "approve", branch, "--yes")
    company.must("ada", "policy", "adopt", branch)


def verify(company: Company) -> tuple[int, set[str]]:
    """Exit code of verify, and the codes of its errors."""
    done = gitchange(company.repo, "verify", "--json")
    return done.code, {f["code"] for f in done.json["findings"] if f["severity"] == "error"}


def shown(company: Company) -> Any:
    """`policy show --json`."""
    return gitchange(company.repo, "policy", "show", "--json").json


def test_root_puts_a_new_policy_in_force(company: Company) -> None:
    """A policy that root's threshold approved takes over, and says who approved it."""
    branch = propose(company, version_2())
    refused = company.do("ada", "policy", "adopt", branch)
    assert refused.code == 1
    company.must("ada", "policy", "approve", branch, "--yes")
    assert company.do("ada", "policy", "adopt", branch).code == 1
    assert (
        "eve" not in company.must("ada", "policy", "approve", branch, "--yes").out
    )  # persons are counted once
    assert company.do("ada", "policy", "adopt", branch).code == 1
    company.must("eve", "policy", "approve", branch, "--yes")
    company.must("ada", "policy", "adopt", branch)
    state = shown(company)
    assert state["policy"]["version"] == 2
    assert set(state["history"][-1]["approved_by"]) == {"ada@example.org", "eve@example.org"}
    assert verify(company) == (0, set())


def test_only_root_approves_a_policy(company: Company) -> None:
    """A developer's signature on a policy is refused."""
    branch = propose(company, version_2())
    done = company.do("bo", "policy", "approve", branch, "--yes")
    assert done.code == 1
    assert "no member of root" in done.err


MANIPULATIONS: dict[str, tuple[str, str]] = {
    "unapproved": (version_2(), "policy.unapproved"),
    "same version": (POLICY + "\n# as before\n", "policy.version"),
    "skipped version": (POLICY.replace("version = 1", "version = 3", 1), "policy.version"),
    "lowered threshold": (
        version_2().replace("threshold = 2", "threshold = 1"),
        "policy.unapproved",
    ),
    "oneself added to the role": (
        version_2().replace('["ada@example.org", "mo@example.org"]', '["bo@example.org"]'),
        "policy.unapproved",
    ),
    "unreadable": ("version = ", "policy.unreadable"),
}


@pytest.mark.parametrize("name", MANIPULATIONS)
def test_a_policy_that_root_did_not_approve_is_refused_from_there_on(company: Company, name: str) -> None:
    """Whoever edits the policy on main gains nothing: nothing decided under it counts, and verify names the commit."""
    change = company.request("bo")
    policy, code = MANIPULATIONS[name]
    force(company, policy)
    at = git(company.repo, "rev-parse", "HEAD")[:12]
    exit_code, codes = verify(company)
    assert exit_code == 1
    assert code in codes
    messages = [f["message"] for f in gitchange(company.repo, "verify", "--json").json["findings"]]
    assert any(at in message for message in messages)
    assert company.do("ada", "approve", change, "--yes").code == 3
    assert company.do("bo", "approve", change, "--yes").code == 3
    assert gitchange(company.repo, "policy", "show").code == 3


def test_restoring_the_approved_policy_restores_everything(company: Company) -> None:
    """After an unapproved policy the last approved one is in force again as soon as it is back."""
    change = company.request("bo")
    force(company, version_2())
    force(company, POLICY, "restore the policy")
    company.must("ada", "approve", change, "--yes")
    assert company.show(change)["status"] == "approved"
    assert shown(company)["policy"]["version"] == 1


def test_going_back_to_an_older_policy_is_refused(company: Company) -> None:
    """An older policy was approved once, and is not approved as the next one."""
    adopt(company, propose(company, version_2() + '\n[deadlines]\nevaluation = "3d"\n'))
    force(company, POLICY, "back to version 1")
    assert verify(company) == (1, {"policy.version"})


def test_what_was_signed_while_an_unapproved_policy_stood_does_not_count(company: Company) -> None:
    """A sign-off that was first witnessed under an unapproved policy stays worthless."""
    change = company.request("bo")
    company.must("ada", "approve", change, "--yes")
    force(company, version_2())
    force(company, version_2() + "\n# still not approved\n")
    company.become("bo")
    witness = f"Approvals: {git(company.repo, 'rev-parse', 'refs/notes/gitchange/approvals')}"
    git(company.repo, "commit", "--quiet", "--allow-empty", "-m", f"seal\n\n{witness}")
    force(company, POLICY, "restore the policy")
    shape = company.show(change)
    assert shape["status"] == "requested"
    assert "policy.not-in-force" in {f["code"] for f in shape["findings"]}


def without_key(company: Company, person: str) -> str:
    """policy/allowed_signers without a person's line."""
    lines = (company.repo / "policy" / "allowed_signers").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(person))


def test_a_retired_key_keeps_what_was_witnessed_and_signs_nothing_new(company: Company) -> None:
    """What was witnessed before a key was dropped counts; what it signs now does not, whatever it claims."""
    witnessed, unwitnessed, later = (company.request("bo") for _ in range(3))
    company.must("mo", "approve", witnessed, "--yes")
    company.must("mo", "seal")
    company.must("mo", "approve", unwitnessed, "--yes")
    adopt(company, propose(company, version_2(), allowed_signers=without_key(company, "mo")))
    assert company.show(witnessed)["status"] == "approved"
    # The commit that adopts the policy witnesses the notes too, and the policy before it was in force at its parent.
    assert company.show(unwitnessed)["status"] == "approved"
    done = company.do("mo", "approve", later, "--yes")
    assert done.code == 1
    assert "does not know your key" in done.err
    assert company.show(later)["status"] == "requested"
    assert verify(company)[0] == 0


def test_a_sign_off_by_a_dropped_key_that_nobody_witnessed_does_not_count(company: Company) -> None:
    """Backdating fails: a former member's signature that appears after the key was dropped is worthless."""
    change = company.request("bo")
    before = git(company.repo, "rev-parse", "main")
    company.must("mo", "approve", change, "--yes")
    late = git(company.repo, "rev-parse", "refs/notes/gitchange/approvals")
    git(company.repo, "update-ref", "-d", "refs/notes/gitchange/approvals")  # kept in a drawer
    assert git(company.repo, "rev-parse", "main") == before
    adopt(company, propose(company, version_2(), allowed_signers=without_key(company, "mo")))
    tip = git(company.repo, "rev-parse", "refs/notes/gitchange/approvals")
    git(company.repo, "update-ref", "refs/notes/gitchange/mallory", late)
    git(
        company.repo,
        "notes",
        "--ref=gitchange/approvals",
        "merge",
        "-q",
        "-s",
        "cat_sort_uniq",
        "gitchange/mallory",
    )
    assert git(company.repo, "rev-parse", "refs/notes/gitchange/approvals") != tip
    shape = company.show(change)
    assert shape["status"] == "requested"
    assert "signer.unknown" in {f["code"] for f in shape["findings"]}


def test_a_compromised_key_voids_from_the_named_commit_on(company: Company) -> None:
    """Open changes lose what a compromised key signed since then; what was witnessed before stays."""
    early, late = company.request("bo"), company.request("bo")
    company.must("mo", "approve", early, "--yes")
    company.must("mo", "seal")
    sealed = git(company.repo, "rev-parse", "main")
    company.must("mo", "approve", late, "--yes")
    company.must("mo", "seal")
    since = git(company.repo, "rev-parse", "main")
    assert since != sealed
    key = re.search(r"SHA256:\S+", company.must("mo", "show", late).out)
    assert key is not None
    entry = f'\n[[compromised]]\nkey = "{key[0]}"\nsince = "{since}"\nreason = "the laptop was stolen"\n'
    adopt(company, propose(company, version_2() + entry))
    assert company.show(early)["status"] == "approved"
    shape = company.show(late)
    assert shape["status"] == "requested"
    assert "signer.compromised" in {f["code"] for f in shape["findings"]}


def test_a_member_who_left_the_role_keeps_what_was_witnessed(company: Company) -> None:
    """An approval counts under the policy in force when it was witnessed, not under a later one."""
    change = company.request("bo")
    company.must("mo", "approve", change, "--yes")
    company.must("mo", "seal")
    adopt(company, propose(company, version_2().replace(', "mo@example.org"]', "]", 1)))
    shape = company.show(change)
    assert shape["status"] == "approved"
    other = company.request("bo")
    assert company.do("mo", "approve", other, "--yes").code == 1


def test_documented_changes_survive_every_later_policy(company: Company) -> None:
    """A documented change is judged by the policy in force when it was recorded."""
    change = company.documented()
    stricter = version_2().replace("approvals = 1 }\nimplementation", "approvals = 2 }\nimplementation", 1)
    adopt(company, propose(company, stricter, allowed_signers=without_key(company, "dee")))
    assert company.show(change)["status"] == "documented"
    assert company.show(change)["policy"]["version"] == 1
    assert verify(company)[0] == 0


def test_seal_witnesses_once(company: Company) -> None:
    """A seal names the notes' tip in its trailer, and a second one has nothing to do."""
    change = company.request("bo")
    company.must("ada", "approve", change, "--yes")
    tip = git(company.repo, "rev-parse", "refs/notes/gitchange/approvals")
    company.must("ada", "seal")
    assert git(company.repo, "log", "-1", "--format=%(trailers:key=Approvals,valueonly)").strip() == tip
    head = git(company.repo, "rev-parse", "main")
    assert "witnessed already" in company.must("ada", "seal").out
    assert git(company.repo, "rev-parse", "main") == head
    assert git(company.repo, "status", "--short") == ""


def test_strange_lines_beside_the_approvals_are_told(company: Company) -> None:
    """They hinder nothing, and none is skipped in silence."""
    adopt(company, propose(company, version_2()))
    approvals = company.repo / "policy-approvals" / "2.jsonl"
    genuine = approvals.read_text()
    change = company.request("bo")
    company.must("mo", "approve", change, "--yes")
    shown = company.show(change)
    other = git(company.repo, "notes", "--ref=gitchange/approvals", "show", shown["blob"])
    git(company.repo, "reset", "--quiet", "--hard", "HEAD~1")
    approvals.write_text(f"{genuine}nonsense\n{other}\n")
    git(company.become("bo"), "commit", "--quiet", "--amend", "--no-edit", "-a")
    done = gitchange(company.repo, "policy", "show", "--json").json
    assert done["policy"]["version"] == 2
    told = [f for f in done["history"][-1]["findings"] if f["code"] == "policy.strange-approval"]
    assert len(told) == 2
    assert {f["severity"] for f in told} == {"warning"}
    assert "is about" in str(told)
