"""Somebody who may push anything: what they write is found, withholds or is worthless, and stops no command."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gitchange.model.statement import (
    MEANINGS,
    NAMESPACE,
    PAYLOAD_TYPE,
    Answers,
    Predicate,
    write_statement,
)
from gitchange.signing.dsse import Envelope, pae
from gitchange.signing.signer import SshSigner
from gitchange.signing.sshsig import parse_signature
from tests.company import git, gitchange

from .conftest import Scene, Take

REF = "refs/notes/gitchange/approvals"
READING = (("list",), ("verify",), ("check",), ("list", "--json"), ("verify", "--json"))


def blob_of(scene: Scene) -> str:
    return git(scene.repo, "rev-parse", f"HEAD:{scene.path}")


def lines_on(scene: Scene, blob: str) -> list[str]:
    return git(scene.repo, "notes", f"--ref={REF}", "show", blob).splitlines()


def add_line(scene: Scene, blob: str, line: str | bytes) -> None:
    """Append a line to a note with stock git, as anybody with push access can."""
    data = line if isinstance(line, bytes) else line.encode()
    present = git(scene.repo, "notes", f"--ref={REF}", "list").splitlines()
    before = (
        "".join(f"{known}\n" for known in lines_on(scene, blob)) if any(blob in p for p in present) else ""
    )
    note = git(scene.repo, "hash-object", "-w", "--stdin", data=before.encode() + data + b"\n")
    git(scene.repo, "notes", f"--ref={REF}", "add", "-f", "-C", note, blob)


def crafted(scene: Scene, person: str, verdict: str = "approve", **changes: Any) -> str:
    """An envelope that is really signed by a person's key and says what is asked."""
    step = {"approve": "evaluation", "reject": "evaluation", "implement": "implementation"}[verdict]
    usual: dict[str, Any] = {
        "change": scene.change,
        "step": step,
        "verdict": verdict,
        "by": f"{person}@example.org",
        "role": "change-manager" if step == "evaluation" else "developer",
        "meaning": MEANINGS[verdict],  # type: ignore[index]
        "answers": Answers(necessary=True, feasible=True, safe=True) if verdict == "approve" else Answers(),
        "comment": "crafted",
        "repository": git(scene.repo, "config", "gitchange.introduction"),
        "policy": git(scene.repo, "rev-parse", "HEAD:policy"),
        "log": None,
        "time": "2026-01-01T00:00:00Z",
    }
    subject: dict[str, Any] = {
        "path": scene.path,
        "blob": blob_of(scene),
        "sha256": __import__("hashlib").sha256(scene.file.read_bytes()).hexdigest(),
    }
    for name, value in changes.items():
        (subject if name in subject else usual)[name] = value
    payload = write_statement(
        subject["path"], subject["blob"], subject["sha256"], Predicate.model_validate(usual)
    )
    signature = SshSigner("ssh-keygen", str(scene.company.key(person))).sign(
        pae(PAYLOAD_TYPE, payload), NAMESPACE
    )
    fingerprint = parse_signature(signature).public_key.fingerprint
    return Envelope(PAYLOAD_TYPE, payload, fingerprint, signature).to_line().decode()


def nothing_breaks(scene: Scene) -> None:
    """Every reading command answers, and none of them prints a raw control character."""
    for command in (*READING, ("show", scene.change)):
        done = gitchange(scene.repo, *command)
        assert done.code in (0, 1), (command, done.code, done.err)
        assert not set(done.out + done.err) & set("\x1b\x07\x9b"), command


# -- forged and replayed sign-offs ----------------------------------------------------------------


def test_crafted_envelope_counts_when_nothing_is_wrong_with_it(take: Take) -> None:
    """An envelope made by any other program counts like our own, when it says and signs the same."""
    scene = take("requested")
    add_line(scene, blob_of(scene), crafted(scene, "ada"))
    assert scene.status == "approved"


WORTHLESS: dict[str, dict[str, Any]] = {
    "by another person": {"by": "mo@example.org"},
    "in a role that is not held": {"role": "security"},
    "in a role that nobody asked for": {"role": "root"},
    "for another change": {"change": "CHG-20200101-0000"},
    "for another path": {"path": "changes/2020/01/CHG-20200101-0000.toml"},
    "for another text": {"blob": "1" * 40},
    "with another SHA-256": {"sha256": "1" * 64},
    "for another repository": {"repository": "1" * 40},
}


@pytest.mark.parametrize("wrong", WORTHLESS)
def test_crafted_envelope_that_does_not_belong_here(take: Take, wrong: str) -> None:
    """A really signed statement that is about something else, or by somebody else, approves nothing."""
    scene = take("requested")
    add_line(scene, blob_of(scene), crafted(scene, "ada", **WORTHLESS[wrong]))
    assert scene.status == "requested"
    assert scene.codes()
    nothing_breaks(scene)


@pytest.mark.parametrize(
    "log", ["a commit of main", "a tree", "a blob", "a note", "not here", "another hash"]
)
def test_log_that_names_no_notes_commit(take: Take, log: str) -> None:
    """Whatever a signer gives as the notes commit seen, the sign-off is judged and stops no command."""
    scene = take("approved")
    given = {
        "a commit of main": git(scene.repo, "rev-parse", "HEAD"),
        "a tree": git(scene.repo, "rev-parse", "HEAD^{tree}"),
        "a blob": blob_of(scene),
        "a note": git(scene.repo, "notes", f"--ref={REF}", "list", blob_of(scene)),
        "not here": "1" * 40,
        "another hash": "1" * 64,
    }[log]
    answers = Answers(steps_followed=True, tests=({"name": "x", "result": "passed"},))  # type: ignore[arg-type]
    add_line(scene, blob_of(scene), crafted(scene, "bo", "implement", log=given, answers=answers))
    assert scene.status == "approved"
    assert "implementation.before-approval" in scene.codes()
    nothing_breaks(scene)


def test_sign_off_is_not_replayed_on_another_change(take: Take) -> None:
    """Copying an approval's line to another change's text is found and approves nothing."""
    scene = take("approved")
    other = Scene(scene.company, scene.company.request("bo"))
    add_line(other, blob_of(other), lines_on(scene, blob_of(scene))[0])
    assert other.status == "requested"
    assert "sign-off.other-subject" in other.codes()
    assert scene.company.do("ada", "verify").code == 1


def test_copy_of_a_text_under_another_id_is_not_approved(take: Take) -> None:
    """The same words under another id are another text."""
    scene = take("approved")
    raw = scene.file.read_bytes()
    other = Scene(scene.company, scene.change[:-4] + "ZZZZ")
    other.file.write_bytes(raw.replace(scene.change.encode(), other.change.encode()))
    git(scene.repo, "add", "-A")
    git(scene.repo, "commit", "--quiet", "-m", "copy")
    assert other.status == "requested"


def test_words_in_another_mouth(take: Take) -> None:
    """An approval whose `by` names somebody who does not own the key is worthless, whoever wrote it."""
    scene = take("requested")
    add_line(scene, blob_of(scene), crafted(scene, "dee", by="ada@example.org"))
    assert scene.status == "requested"
    assert any(code.startswith("signer.") for code in scene.codes())


@pytest.mark.parametrize(
    "line",
    [
        b"x" * (1 << 20) + b"y",
        b"\x1b[2J\x07",
        b'{"payloadType":1}',
        b"\0",
        "\u202egnol".encode(),
        b"\xff" * 50,
    ],
    ids=["very long", "escape sequences", "wrong types", "NUL", "turned text", "no UTF-8"],
)
def test_nonsense_in_a_note(take: Take, line: bytes) -> None:
    """Nonsense on a text withholds its approval with a finding, and disturbs nothing else."""
    scene = take("approved")
    other = Scene(scene.company, scene.company.request("bo"))
    scene.company.must("ada", "approve", other.change, "-y", "-m", "go")
    add_line(scene, blob_of(scene), line)
    shown = scene.company.show(scene.change)
    assert (shown["status"], "in doubt" in shown["flags"]) == ("requested", True)
    assert [s["verdict"] for s in shown["sign_offs"]] == ["approve"]
    assert other.status == "approved"
    nothing_breaks(scene)


def test_older_approval_cannot_be_spelled_anew(take: Take) -> None:
    """A second spelling of an approval that was followed by a rejection does not come after it."""
    scene = take("approved")
    (line,) = lines_on(scene, blob_of(scene))
    scene.company.must("ada", "reject", scene.change, "-m", "On second thought, no.")
    envelope = json.loads(line)
    raw = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    assert raw[6:10] == b"\0\0\0\1"
    raw[9] = 0  # the version, which no signature covers
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(raw)).decode()
    add_line(scene, blob_of(scene), json.dumps(envelope, separators=(",", ":")))
    assert scene.status != "approved"


# -- records --------------------------------------------------------------------------------------


def by_hand(scene: Scene, trailer: str = "", *, sealed: bool = False) -> None:
    """What `document` would write, committed by hand over a rejection that came after the validation."""
    git(scene.repo, "branch", "--quiet", "before")
    notes = git(scene.repo, "rev-parse", REF)
    scene.company.must("ada", "document", scene.change, "--outcome", "successful", "--summary", "x")
    raw = scene.file.read_bytes()
    git(scene.repo, "reset", "--quiet", "--hard", "before")
    scene.company.must("mo", "reject", scene.change, "-m", "This must not be made.")
    assert scene.status == "rejected"
    if sealed:
        scene.company.must("mo", "seal")
    words = {"": "Record", "of the notes before": f"Record\n\nApprovals: {notes}"}
    words["of the notes now"] = f"Record\n\nApprovals: {git(scene.repo, 'rev-parse', REF)}"
    scene.commit(raw, message=words[trailer])


def test_record_cannot_leave_out_a_refusal_that_its_commit_witnessed(take: Take) -> None:
    """A record made by hand over a rejection that its commit witnesses is a contradiction."""
    scene = take("validated")
    by_hand(scene, "of the notes now")
    assert scene.status != "documented"
    assert "record.contradicts-notes" in scene.codes()
    assert scene.company.do("ada", "verify").code == 1


@pytest.mark.parametrize("trailer", ["", "of the notes before"])
def test_record_that_leaves_out_a_refusal_is_not_silent(take: Take, trailer: str) -> None:
    """A rejection that stands in the notes and not in the record is told, also when no trailer witnesses it."""
    scene = take("validated")
    by_hand(scene, trailer)
    assert "record.leaves-out" in scene.codes()
    assert "by the notes as they are now, the change is rejected" in scene.company.do("ada", "verify").out
    assert (scene.status == "documented") == bool(trailer)


@pytest.mark.parametrize("trailer", ["", "of the notes before", "of the notes now"])
def test_record_cannot_leave_out_a_refusal_that_was_witnessed_before(take: Take, trailer: str) -> None:
    """Once the branch of record witnessed a rejection, no trailer of a record made by hand hides it."""
    scene = take("validated")
    by_hand(scene, trailer, sealed=True)
    assert scene.status != "documented"
    assert scene.company.do("ada", "verify").code == 1


TRAILERS = {
    "nonsense": lambda scene: "nonsense",
    "a branch": lambda scene: "main",
    "nothing that exists": lambda scene: "1" * 40,
    "another hash": lambda scene: "1" * 64,
    "a blob": blob_of,
    "a tree": lambda scene: git(scene.repo, "rev-parse", "HEAD^{tree}"),
    "a commit of main": lambda scene: git(scene.repo, "rev-parse", "HEAD"),
    "escape sequences": lambda scene: "\x1b[2J",
}


@pytest.mark.parametrize("wrong", TRAILERS)
@pytest.mark.parametrize("stage", ["approved", "documented"])
def test_witness_of_nothing(take: Take, wrong: str, stage: str) -> None:
    """A commit whose trailer witnesses what are no notes stops no command."""
    scene = take(stage)
    message = f"Words\n\nApprovals: {TRAILERS[wrong](scene)}\n"
    if stage == "documented":
        git(scene.repo, "commit", "--quiet", "--amend", "-m", message)
    else:
        git(scene.repo, "commit", "--quiet", "--allow-empty", "-m", message)
    nothing_breaks(scene)


# -- trees ----------------------------------------------------------------------------------------


def put(scene: Scene, path: str, mode: str, oid: str) -> None:
    git(scene.repo, "update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
    git(scene.repo, "commit", "--quiet", "-m", "strange")
    git(scene.repo, "reset", "--quiet", "--hard")


@pytest.mark.parametrize("mode", ["120000", "160000"], ids=["link", "submodule"])
@pytest.mark.parametrize("place", ["changes/x", "changes/2026/11/CHG-20261122-ZZZZ.toml"])
def test_what_is_no_file_below_changes(take: Take, mode: str, place: str) -> None:
    """A link or a submodule under changes/ is a stray file, told by every command, and stops none."""
    scene = take("approved")
    oid = (
        git(scene.repo, "rev-parse", "HEAD")
        if mode == "160000"
        else git(scene.repo, "hash-object", "-w", "--stdin", data=b"/etc/passwd")
    )
    put(scene, place, mode, oid)
    assert scene.status == "approved"
    found = gitchange(scene.repo, "verify", "--json")
    assert found.code == 1
    assert [f["code"] for f in found.json["findings"] if f.get("path") == place] == ["change.stray-file"]
    assert "root:" not in gitchange(scene.repo, "show", scene.change).out
    nothing_breaks(scene)


def test_folder_in_the_place_of_a_change(take: Take) -> None:
    """A folder with a change file's name hides nothing and stops nothing."""
    scene = take("approved")
    target = scene.repo / "changes" / "2026" / "11" / "CHG-20261122-ZZZZ.toml" / "inner.toml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("x = 1\n")
    git(scene.repo, "add", "-A")
    git(scene.repo, "commit", "--quiet", "-m", "strange")
    assert scene.status == "approved"
    nothing_breaks(scene)
    assert gitchange(scene.repo, "show", "CHG-20261122-ZZZZ").code in (0, 2)


POLICIES = {
    "a link": lambda scene: put(
        scene, "policy/allowed_signers", "120000", git(scene.repo, "hash-object", "-w", "--stdin", data=b"x")
    ),
    "a submodule": lambda scene: put(scene, "policy/x", "160000", git(scene.repo, "rev-parse", "HEAD")),
    "removed": lambda scene: (
        git(scene.repo, "rm", "-rq", "policy"),
        git(scene.repo, "commit", "-qm", "gone"),
    ),
    "a file": lambda scene: (
        git(scene.repo, "rm", "-rq", "policy"),
        (scene.repo / "policy").write_text("x"),
        git(scene.repo, "add", "policy"),
        git(scene.repo, "commit", "-qm", "strange"),
    ),
}


@pytest.mark.parametrize("wrong", POLICIES)
def test_policy_that_is_none(take: Take, wrong: str) -> None:
    """Without a policy that can be read nothing is approved any more, and `verify` does not pass."""
    scene = take("approved")
    POLICIES[wrong](scene)
    done = gitchange(scene.repo, "verify")
    assert done.code in (1, 3), done.err
    for command in (("list", "--json"), ("show", scene.change, "--json")):
        done = gitchange(scene.repo, *command)
        assert done.code in (0, 3)
        assert '"status": "approved"' not in done.out
    signed = scene.company.do("bo", "implement", scene.change, "--steps-followed", "--test", "x=passed")
    assert signed.code in (1, 2, 3)


def test_submodule_in_the_history_of_a_change(take: Take) -> None:
    """A submodule that once stood in the place of a change file, and was taken away again, stops nothing."""
    scene = take("approved")
    raw = scene.file.read_bytes()
    put(scene, scene.path, "160000", git(scene.repo, "rev-parse", "HEAD"))
    git(scene.repo, "rm", "--quiet", "--cached", scene.path)
    scene.file.is_dir() and scene.file.rmdir()
    scene.file.write_bytes(raw)
    git(scene.repo, "add", scene.path)
    git(scene.repo, "commit", "--quiet", "-m", "back")
    assert scene.status in ("approved", "requested")
    nothing_breaks(scene)


@pytest.mark.parametrize("name", ["A\x01B", "A\x02x@y\x02B", "A\x03B", "A\x1b[2JB"])
def test_names_and_messages_with_control_characters(take: Take, name: str) -> None:
    """Control characters in a commit's author or message hide no author and reach no terminal."""
    scene = take("requested")
    scene.file.write_bytes(scene.file.read_bytes() + b"\n")
    scene.company.become("mo")
    environment = {**os.environ, "GIT_AUTHOR_NAME": name, "GIT_COMMITTER_NAME": name}
    import subprocess  # noqa: PLC0415 - the environment of one command is another

    subprocess.run(
        ["git", "-C", str(scene.repo), "commit", "--quiet", "-am", f"{name} message"],
        env=environment,
        check=True,
    )
    done = scene.company.do("mo", "approve", scene.change, "-y", "-m", "x")
    assert (done.code, "wrote a commit" in done.err) == (1, True)
    nothing_breaks(scene)


@pytest.mark.parametrize(
    "raw",
    [b"\xff\xfe\x00", b"", b"\0" * 100, b"[" * 100_000, b"a = " + b"[" * 50_000, b"x = 1\n" * 50_000],
    ids=["no UTF-8", "empty", "NULs", "tables", "deep array", "repeated key"],
)
def test_file_that_is_no_toml(take: Take, raw: bytes) -> None:
    """Whatever bytes a change file has, it is unreadable with a finding, and the others are judged."""
    scene = take("approved")
    other = Scene(scene.company, scene.company.request("bo"))
    scene.commit(raw)
    assert scene.status == "unreadable"
    assert scene.codes()
    assert other.status == "requested"
    nothing_breaks(scene)


def test_time_in_the_future_changes_no_order(take: Take) -> None:
    """A claimed time decides nothing: an approval claimed for tomorrow does not beat a rejection that saw it."""
    scene = take("requested")
    add_line(scene, blob_of(scene), crafted(scene, "ada", time="2099-01-01T00:00:00Z"))
    assert scene.status == "approved"
    scene.company.must("ada", "reject", scene.change, "-m", "no")
    assert scene.status == "rejected"
    assert dt.datetime.now(dt.UTC).year < 2099


def test_nothing_is_executed_from_a_repository(take: Take, tmp_path: Path) -> None:
    """Words that a shell or a tool would obey stand in texts as words."""
    scene = take("founded")
    mark = tmp_path / "executed"
    words = f"$(touch {mark}) `touch {mark}` ; touch {mark} | --upload-pack=touch"
    change = scene.company.request("bo", "--title", words, "--reason", words)
    scene.company.must("ada", "approve", change, "-y", "-m", words)
    scene.company.complete(change)
    scene.company.must("ada", "document", change, "--outcome", "partly", "--summary", words)
    assert scene.company.do("ada", "verify").code == 0
    assert words in gitchange(scene.repo, "show", change).out
    assert not mark.exists()
