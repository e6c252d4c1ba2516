"""The steps that people sign, from `approve` to `document`, and how each is refused out of turn."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.company import Company, found, git, gitchange, request_options

from .conftest import Scene, Take

IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
VALIDATE = ("--works", "--no-security-risk", "--evidence", "looked at it")
DOCUMENT = ("--outcome", "successful", "--summary", "It works.")


def counting(company: Company, change: str) -> list[tuple[str, str]]:
    """(verdict, person) of the sign-offs that count."""
    return [(s["verdict"], s["by"].split("@")[0]) for s in company.show(change)["sign_offs"] if s["counts"]]


# -- the five steps -------------------------------------------------------------------------------


def test_five_steps(take: Take) -> None:
    """A change goes from request to record, one command a step, and each says what comes next."""
    scene = take("requested")
    company, change = scene.company, scene.change
    done = company.must("ada", "approve", change, "--yes", "-m", "go")
    assert f"{change} is now approved" in done.out
    assert f"gitchange implement {change}" in done.out
    done = company.must(
        *("bo", "implement", change, "--commit", "api@4f2a9c1", "--deviation", "One more restart."),
        *("--test", "curl=passed", "--test", "a = b=skipped"),
    )
    assert "is now implemented" in done.out
    done = company.must("dee", "validate", change, *VALIDATE, "--evidence", "and a second time")
    assert "is now validated" in done.out
    done = company.must("cy", "document", change, *DOCUMENT, "--lessons", "Do it by day.")
    assert "is now documented" in done.out
    shown = company.show(change)
    assert (shown["status"], shown["next"], shown["findings"]) == ("documented", [], [])
    assert counting(company, change) == [("approve", "ada"), ("implement", "bo"), ("validate", "dee")]
    answers = {s["verdict"]: s["answers"] for s in shown["sign_offs"]}
    assert answers["approve"] == {"necessary": True, "feasible": True, "safe": True}
    assert answers["implement"] == {
        "steps_followed": False,
        "deviations": "One more restart.",
        "commits": [{"system": "api", "commit": "4f2a9c1"}],
        "tests": [{"name": "curl", "result": "passed"}, {"name": "a = b", "result": "skipped"}],
    }
    assert answers["validate"]["evidence"] == ["looked at it", "and a second time"]
    assert company.do("ada", "verify").code == 0
    assert company.do("ada", "check").code == 0
    assert git(company.repo, "status", "--porcelain") == ""


def test_record_follows_the_request_to_the_byte(take: Take) -> None:
    """`document` appends to the very bytes that were approved, in one commit that witnesses the notes."""
    scene = take("validated")
    before, notes = scene.file.read_bytes(), git(scene.repo, "rev-parse", "refs/notes/gitchange/approvals")
    scene.company.must("ada", "document", scene.change, *DOCUMENT)
    after = scene.file.read_bytes()
    assert after.startswith(before)
    record = tomllib.loads(after.decode())["record"]
    assert record["request_bytes"] == len(before)
    assert record["outcome"] == "successful"
    assert record["documented_by"] == "ada@example.org"
    assert [s["by"].split("@")[0] for s in record["sign_offs"]] == ["ada", "bo", "dee"]
    shown = git(scene.repo, "log", "-1", "--format=%(trailers:key=Approvals,valueonly)%H", "--name-only")
    assert shown.split() == [notes, git(scene.repo, "rev-parse", "HEAD"), scene.path]


def test_backed_out_change_is_documented_as_such(take: Take) -> None:
    """A change that was tried and backed out is validated in its old state and documented as backed out."""
    scene = take("approved")
    company, change = scene.company, scene.change
    company.must("bo", "implement", change, "--backed-out", "-m", "It was too slow.", "--test", "load=failed")
    assert scene.status == "failed"
    company.must("dee", "validate", change, *VALIDATE)
    refused = company.do("ada", "document", change, *DOCUMENT)
    assert (refused.code, "backed out" in refused.err) == (1, True)
    company.must("ada", "document", change, "--outcome", "backed-out", "--summary", "Too slow.")
    assert scene.status == "documented"
    assert company.do("ada", "verify").code == 0


def test_failed_validation_is_mended_by_another_implementation(take: Take) -> None:
    """After a failed validation the change is implemented again and validated by the same person."""
    scene = take("implemented")
    company, change = scene.company, scene.change
    company.must("dee", "validate", change, "--fails", "--no-security-risk", "-m", "The page is white.")
    assert scene.status == "failed"
    assert company.do("ada", "document", change, *DOCUMENT).code == 1
    company.must("bo", "implement", change, *IMPLEMENT)
    assert scene.status == "implemented"
    company.must("dee", "validate", change, *VALIDATE)
    assert scene.status == "validated"
    company.must("ada", "document", change, *DOCUMENT)
    assert company.do("ada", "verify").code == 0


def test_security_risk_fails_a_validation(take: Take) -> None:
    """A system user who sees a new security risk fails the change, however well it works."""
    scene = take("implemented")
    scene.company.must("dee", "validate", scene.change, "--works", "--security-risk", "Passwords in the log.")
    assert scene.status == "failed"


@pytest.mark.parametrize(
    ("command", "status"),
    [(("reject", "--not-safe", "-m", "No."), "rejected"), (("request-info", "-m", "Why?"), "info-requested")],
)
def test_refusal_and_second_thought(take: Take, command: tuple[str, ...], status: str) -> None:
    """A refusal stops the change until the same person, having seen it, approves."""
    scene = take("requested")
    scene.company.must("ada", command[0], scene.change, *command[1:])
    assert scene.status == status
    blocked = scene.company.do("bo", "implement", scene.change, *IMPLEMENT)
    assert blocked.code == 1
    scene.company.must("ada", "approve", scene.change, "--yes", "-m", "Now I see.")
    assert scene.status == "approved"


def test_one_refusal_outweighs_another_approval(take: Take) -> None:
    """One evaluator's rejection stands beside another's approval."""
    scene = take("approved")
    scene.company.must("mo", "reject", scene.change, "-m", "Too risky.")
    assert scene.status == "rejected"


def test_withdrawn_change_is_over(take: Take) -> None:
    """Its requester withdraws a change; nothing is implemented after that."""
    scene = take("approved")
    scene.company.must("bo", "withdraw", scene.change, "-m", "Not needed any more.")
    assert scene.status == "withdrawn"
    assert scene.company.do("bo", "implement", scene.change, *IMPLEMENT).code == 1
    assert scene.company.show(scene.change)["next"] == []


def test_edit_after_approval_starts_again(take: Take) -> None:
    """Editing an approved change makes the approval stale; the new text needs one of its own."""
    scene = take("approved")
    scene.commit(scene.file.read_text().replace("It expires.", "It expires tomorrow."))
    shown = scene.company.show(scene.change)
    assert (shown["status"], shown["flags"]) == ("requested", ["stale approval"])
    assert "approval.stale" in scene.codes()
    assert scene.company.do("bo", "implement", scene.change, *IMPLEMENT).code == 1
    scene.company.must("ada", "approve", scene.change, "--yes", "-m", "still fine")
    assert scene.status == "approved"


def test_edit_taken_back_revives_the_approval(take: Take) -> None:
    """The approval is of a text: when the text is back, so is the approval."""
    scene = take("approved")
    raw = scene.file.read_bytes()
    scene.commit(raw + b"\n# one more line\n")
    assert scene.status == "requested"
    scene.commit(raw)
    assert scene.status == "approved"


def test_uncommitted_text_is_not_signed(take: Take) -> None:
    """What is signed is the committed text, not an edit that lies in the work tree."""
    scene = take("requested")
    raw = scene.file.read_bytes()
    scene.file.write_bytes(raw + b"# being edited\n")
    scene.company.must("ada", "approve", scene.change, "--yes", "-m", "go")
    assert scene.company.show(scene.change)["request_bytes"] == len(raw)
    assert scene.file.read_bytes().endswith(b"# being edited\n")
    git(scene.repo, "commit", "--quiet", "-am", "edit")
    assert scene.status == "requested"


def test_file_that_is_not_committed_cannot_be_signed(take: Take) -> None:
    """A change that no commit holds is not there yet."""
    scene = take("founded")
    change = scene.company.must("bo", "new", *request_options()).out.split()[0]
    done = scene.company.do("ada", "approve", change, "--yes", "-m", "go")
    assert (done.code, "not committed" in done.err) == (2, True)


def test_high_risk_needs_security_too(take: Take) -> None:
    """A rule that matches by risk and data adds its demand; both roles must approve."""
    scene = take("founded")
    risk = "It leaks :: privacy :: possible :: severe :: encrypt it"
    change = scene.company.request("bo", "--risk", risk)
    scene.company.must("ada", "approve", change, "--yes", "-m", "go")
    assert scene.company.show(change)["status"] == "requested"
    assert scene.company.show(change)["waiting_on"] == ["eve@example.org"]
    assert scene.company.do("bo", "implement", change, *IMPLEMENT).code == 1
    scene.company.must("eve", "approve", change, "--yes", "-m", "go")
    assert scene.company.show(change)["status"] == "approved"


def test_standard_change_needs_no_evaluation(take: Take) -> None:
    """A change within its model's bounds is implemented at once; outside them it waits like any other."""
    company = take("founded").company
    usual = ("--type", "standard", "--model", "dependency-update", "--system", "website")
    low = company.request("bo", *usual, "--risk", "odd :: use :: rare :: minor :: look")
    assert company.show(low)["status"] == "approved"
    company.must("bo", "implement", low, *IMPLEMENT)
    high = company.request("bo", *usual, "--risk", "odd :: use :: likely :: major :: look")
    assert company.show(high)["status"] == "requested"
    assert company.do("bo", "implement", high, *IMPLEMENT).code == 1


def test_emergency_is_implemented_first(take: Take) -> None:
    """An emergency may be implemented before its approval, and is complete only with it."""
    company = take("founded").company
    change = company.request(
        "bo", "--type", "emergency", "--incident", "INC-1", "--justification", "It burns."
    )
    company.must("bo", "implement", change, *IMPLEMENT)
    company.must("dee", "validate", change, *VALIDATE)
    assert company.do("ada", "document", change, *DOCUMENT).code == 1
    company.must("ada", "approve", change, "--yes", "-m", "Right so.")
    company.must("ada", "document", change, *DOCUMENT)
    assert company.do("ada", "verify").code == 0


# -- refusals -------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, str, tuple[str, ...], str]] = {
    "approval by the requester": (
        "requested by mo",
        "mo",
        ("approve", "-y", "-m", "x"),
        "requested the change",
    ),
    "approval without the role": ("requested", "dee", ("approve", "-y", "-m", "x"), "no role"),
    "rejection without the role": ("requested", "dee", ("reject", "-m", "x"), "no role"),
    "implementation before approval": ("requested", "bo", ("implement", *IMPLEMENT), "approv"),
    "implementation without the role": ("approved", "dee", ("implement", *IMPLEMENT), "no role"),
    "implementation of a rejected change": ("rejected", "bo", ("implement", *IMPLEMENT), "approval"),
    "validation before implementation": ("approved", "dee", ("validate", *VALIDATE), "implement"),
    "validation by the implementer": (
        "implemented by cy",
        "cy",
        ("validate", *VALIDATE),
        "implemented the change",
    ),
    "validation without the role": ("implemented", "ada", ("validate", *VALIDATE), "no role"),
    "withdrawal by a stranger": ("requested", "dee", ("withdraw", "-m", "x"), "cannot withdraw"),
    "withdrawal after implementation": ("implemented", "bo", ("withdraw", "-m", "x"), "implemented"),
    "documentation of a requested change": ("requested", "ada", ("document", *DOCUMENT), "not all steps"),
    "documentation of an approved change": ("approved", "ada", ("document", *DOCUMENT), "not all steps"),
    "documentation of an implemented change": (
        "implemented",
        "ada",
        ("document", *DOCUMENT),
        "not all steps",
    ),
    "documentation of a rejected change": ("rejected", "ada", ("document", *DOCUMENT), "not all steps"),
    "backed out without a signature": (
        *("validated", "ada"),
        ("document", "--outcome", "backed-out", "--summary", "x"),
        "nobody signed",
    ),
    "approval of a documented change": ("documented", "mo", ("approve", "-y", "-m", "x"), "is documented"),
    "rejection of a documented change": ("documented", "mo", ("reject", "-m", "x"), "is documented"),
    "documentation twice": ("documented", "ada", ("document", *DOCUMENT), "documented already"),
}


def at_stage(take: Take, stage: str) -> Scene:
    match stage:
        case "requested by mo":
            scene = take("founded")
            return Scene(scene.company, scene.company.request("mo"))
        case "rejected":
            scene = take("requested")
            scene.company.must("ada", "reject", scene.change, "-m", "No.")
        case "implemented by cy":
            scene = take("approved")
            scene.company.must("cy", "implement", scene.change, *IMPLEMENT)
        case _:
            scene = take(stage)
    return scene


def state(repo: Path) -> str:
    return git(repo, "for-each-ref") + git(repo, "status", "--porcelain")


@pytest.mark.parametrize("wrong", REFUSED)
def test_step_out_of_turn_is_refused(take: Take, wrong: str) -> None:
    """A sign-off that would not count is refused with its reason and exit code 1; nothing is signed."""
    stage, person, (command, *options), reason = REFUSED[wrong]
    scene = at_stage(take, stage)
    scene.company.become(person)
    before = state(scene.repo)
    done = scene.company.do(person, command, scene.change, *options)
    assert done.code == 1, done.out + done.err
    assert reason in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
    assert state(scene.repo) == before


HINTED = [name for name in REFUSED if name not in ("documentation twice", "rejection without the role")]


@pytest.mark.parametrize("wrong", HINTED)
def test_refusal_has_a_hint(take: Take, wrong: str) -> None:
    """A refusal says what to do instead."""
    stage, person, (command, *options), _ = REFUSED[wrong]
    scene = at_stage(take, stage)
    assert "hint: " in scene.company.do(person, command, scene.change, *options).err


USAGE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "approval without an answer": ("requested", "ada", ("approve",)),
    "rejection without a reason": ("requested", "ada", ("reject", "--yes")),
    "question without words": ("requested", "ada", ("request-info", "-y")),
    "blank reason": ("requested", "ada", ("reject", "-m", "   ")),
    "implementation without a test": ("approved", "bo", ("implement", "--steps-followed")),
    "implementation without steps": ("approved", "bo", ("implement", "--test", "a=passed")),
    "steps followed and deviated": ("approved", "bo", ("implement", *IMPLEMENT, "--deviation", "x")),
    "test without a result": ("approved", "bo", ("implement", "--steps-followed", "--test", "suite")),
    "test with an unknown result": ("approved", "bo", ("implement", "--steps-followed", "--test", "a=fine")),
    "commit without a system": ("approved", "bo", ("implement", *IMPLEMENT, "--commit", "4f2a9c1")),
    "back-out without a reason": ("approved", "bo", ("implement", "--backed-out")),
    "validation without evidence": ("implemented", "dee", ("validate", "--works", "--no-security-risk")),
    "validation without an answer": ("implemented", "dee", ("validate", "--no-security-risk")),
    "validation without the risk": ("implemented", "dee", ("validate", "--works")),
    "failure without a finding": ("implemented", "dee", ("validate", "--fails", "--no-security-risk")),
    "risk seen and not seen": ("implemented", "dee", ("validate", *VALIDATE, "--security-risk", "x")),
    "withdrawal without a reason": ("requested", "bo", ("withdraw",)),
    "role that is not held": ("requested", "ada", ("approve", "-y", "--role", "security")),
    "record without an outcome": ("validated", "ada", ("document", "--summary", "x")),
    "record without a summary": ("validated", "ada", ("document", "--outcome", "partly")),
    "unknown outcome": ("validated", "ada", ("document", "--outcome", "fine", "--summary", "x")),
    "comment with an escape sequence": ("requested", "ada", ("approve", "-y", "-m", "a\x1b[2Jb")),
    "summary with an escape sequence": (
        *("validated", "ada"),
        ("document", "--outcome", "partly", "--summary", "a\x1b[2Jb"),
    ),
}


@pytest.mark.parametrize("wrong", USAGE)
def test_answer_that_is_missing_or_contradicts(take: Take, wrong: str) -> None:
    """An answer that is missing, contradicts or cannot be written is a usage error, and nothing is signed."""
    stage, person, (command, *options) = USAGE[wrong]
    scene = take(stage)
    scene.company.become(person)
    before = state(scene.repo)
    done = scene.company.do(person, command, scene.change, *options)
    assert done.code == 2, done.out + done.err
    assert done.err
    assert "\x1b" not in done.out + done.err
    assert state(scene.repo) == before


@pytest.mark.parametrize("word", ["CHG-20200101-0000", "nothing", "", "../x", "CHG-20261399-ABCD"])
def test_unknown_change_is_a_usage_error(take: Take, word: str) -> None:
    """A change that is not there is the caller's mistake, for every command that names one."""
    scene = take("requested")
    for command in (("show", word), ("verify", word), ("approve", word, "-y"), ("document", word, *DOCUMENT)):
        done = scene.company.do("ada", *command)
        assert (done.code, done.out) == (2, ""), (command, done.out, done.err)


def test_change_is_found_by_the_end_of_its_id(take: Take) -> None:
    """The last part of an id names the change, in either case; a path does too. Less does not."""
    scene = take("requested")
    for word in (scene.change[-4:], scene.change[-4:].lower(), scene.path, scene.change.lower()):
        assert scene.company.show(word)["id"] == scene.change
    for word in (scene.change[-1], scene.change[-3:], scene.change[:12], "../x", ""):
        assert scene.company.do("ada", "show", word).code == 2


# -- keys -----------------------------------------------------------------------------------------


def test_unknown_key_is_told_with_its_fingerprint(take: Take) -> None:
    """Somebody whose key the policy does not know is refused, with the line that would be needed."""
    scene = take("requested")
    key = scene.company.key("stranger")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    done = scene.company.do("stranger", "approve", scene.change, "-y", "-m", "x")
    fingerprint = subprocess.run(
        ["ssh-keygen", "-l", "-f", f"{key}.pub"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    assert done.code == 1
    assert fingerprint in done.err
    assert "policy/allowed_signers" in done.err


def test_key_decides_who_signs_not_the_address(take: Take) -> None:
    """Whoever configures another's address still signs as the owner of the key."""
    scene = take("requested")
    scene.company.become("dee")
    git(scene.repo, "config", "user.email", "ada@example.org")
    done = gitchange(scene.repo, "approve", scene.change, "-y", "-m", "x")
    assert (done.code, "dee@example.org" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("setting", "value", "word"),
    [
        ("user.signingkey", None, "user.signingkey"),
        ("user.signingkey", "/nowhere/key", "/nowhere/key"),
        ("gpg.format", "openpgp", "gpg.format"),
        ("gpg.ssh.program", "/nowhere/tool", "/nowhere/tool"),
        ("gpg.ssh.program", "false", "false"),
    ],
)
def test_signing_that_cannot_work(take: Take, setting: str, value: str | None, word: str) -> None:
    """A signing tool or key that is not there is told by name, with exit code 3, and nothing is written."""
    scene = take("requested")
    scene.company.become("ada")
    if value is None:
        git(scene.repo, "config", "--unset", setting)
    else:
        git(scene.repo, "config", setting, value)
    before = state(scene.repo)
    done = gitchange(scene.repo, "approve", scene.change, "-y", "-m", "x")
    assert done.code == 3, done.err
    assert word in done.err
    assert state(scene.repo) == before


def test_lost_race_for_the_lock_is_told(take: Take) -> None:
    """A lock that was left behind stops the sign-off with the name of the file to remove."""
    scene = take("approved")
    lock = scene.repo / ".git" / "refs" / "notes" / "gitchange" / "approvals.lock"
    lock.touch()
    done = scene.company.do("bo", "implement", scene.change, *IMPLEMENT)
    assert done.code == 3
    assert str(lock) in done.err
    lock.unlink()
    scene.company.must("bo", "implement", scene.change, *IMPLEMENT)


def test_every_kind_of_key_signs(tmp_path: Path) -> None:
    """ed25519, ECDSA and RSA keys sign, and what they signed is verified."""
    (tmp_path / "keys").mkdir()
    for person, kind in {
        "ada": ("ecdsa", "-b", "256"),
        "bo": ("rsa", "-b", "3072"),
        "dee": ("ecdsa", "-b", "521"),
    }.items():
        command = [
            "ssh-keygen",
            "-q",
            "-t",
            *kind,
            "-N",
            "",
            "-C",
            person,
            "-f",
            str(tmp_path / "keys" / person),
        ]
        subprocess.run(command, check=True)
    company = found(tmp_path)
    change = company.documented()
    types = {s["key_type"] for s in company.show(change)["sign_offs"]}
    assert types == {"ecdsa-sha2-nistp256", "ssh-rsa", "ecdsa-sha2-nistp521"}
    assert company.do("ada", "verify").code == 0


# -- JSON -----------------------------------------------------------------------------------------


def test_writing_commands_print_the_change(take: Take) -> None:
    """With --json each writing command prints what `show --json` prints afterwards."""
    scene = take("requested")
    steps: list[tuple[str, tuple[str, ...]]] = [
        ("ada", ("approve", "-y", "-m", "x")),
        ("bo", ("implement", *IMPLEMENT)),
        ("dee", ("validate", *VALIDATE)),
        ("ada", ("document", *DOCUMENT)),
    ]
    for person, (command, *options) in steps:
        done: Any = scene.company.must(person, command, scene.change, *options, "--json")
        assert done.json == scene.company.show(scene.change)


def test_commit_message_of_a_sign_off_says_what_was_signed(take: Take) -> None:
    """The log of the notes reads as the story of the changes."""
    scene = take("implemented")
    log = git(scene.repo, "log", "--format=%s", "refs/notes/gitchange/approvals").splitlines()
    assert log == [
        f"implement {scene.change} by bo@example.org as developer",
        f"approve {scene.change} by ada@example.org as change-manager",
    ]
