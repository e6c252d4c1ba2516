"""The evidence, checked by hand: git, base64, ssh-keygen and sha256sum, without this program."""

from __future__ import annotations

import base64
import json
import subprocess
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.company import git, gitchange

from .conftest import Take


def sha256sum(data: bytes) -> str:
    return (
        subprocess.run(["sha256sum"], input=data, capture_output=True, check=True).stdout.decode().split()[0]
    )


def check_by_hand(line: str, signers: Path, folder: Path) -> Any:
    """Unpack an envelope, have ssh-keygen verify its signature; the statement."""
    envelope = json.loads(line)
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    payload = base64.b64decode(envelope["payload"], validate=True)
    kind = envelope["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,) = envelope["signatures"]
    armored = "\n".join(
        [
            "-----BEGIN SSH SIGNATURE-----",
            *textwrap.wrap(signature["sig"], 70),
            "-----END SSH SIGNATURE-----",
            "",
        ]
    )
    (folder / "signature").write_text(armored)
    statement = json.loads(payload)
    command = [
        *("ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", statement["predicate"]["by"]),
        *("-n", "gitchange", "-s", str(folder / "signature")),
    ]
    done = subprocess.run(command, input=message, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert signature["keyid"] in done.stdout.decode()
    changed = subprocess.run(command, input=message + b" ", capture_output=True, check=False)
    assert changed.returncode != 0
    return statement


def test_sign_off_is_verified_with_stock_tools(take: Take, tmp_path: Path) -> None:
    """`git notes show` gives the envelopes, `ssh-keygen -Y verify` accepts each, and its digests are the file's."""
    scene = take("validated")
    blob = git(scene.repo, "rev-parse", f"HEAD:{scene.path}")
    lines = git(scene.repo, "notes", "--ref=gitchange/approvals", "show", f"HEAD:{scene.path}").splitlines()
    assert len(lines) == 3
    seen: list[str] = []
    for line in lines:
        statement = check_by_hand(line, scene.repo / "policy" / "allowed_signers", tmp_path)
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["predicateType"] == "urn:x-gitchange:sign-off:v1"
        assert statement["subject"] == [
            {
                "name": scene.path,
                "digest": {
                    "gitBlob": git(scene.repo, "hash-object", "--no-filters", str(scene.file)),
                    "sha256": sha256sum(scene.file.read_bytes()),
                },
            }
        ]
        said = statement["predicate"]
        assert said["change"] == scene.change
        assert said["repository"] == git(scene.repo, "rev-list", "--max-parents=0", "HEAD")
        assert said["policy"] == git(scene.repo, "rev-parse", "HEAD:policy")
        assert said.keys() == {
            *("change", "step", "verdict", "by", "role", "meaning", "answers", "comment"),
            *("repository", "policy", "log", "time"),
        }
        seen.append(said["verdict"])
    assert sorted(seen) == ["approve", "implement", "validate"]
    assert statement["subject"][0]["digest"]["gitBlob"] == blob


def test_log_names_the_notes_that_the_signer_saw(take: Take, tmp_path: Path) -> None:
    """Each statement names the notes commit before its own, so the log of the notes is a chain of what was seen."""
    scene = take("validated")
    commits = git(scene.repo, "rev-list", "--reverse", "refs/notes/gitchange/approvals").splitlines()
    logs = {}
    for line in git(
        scene.repo, "notes", "--ref=gitchange/approvals", "show", f"HEAD:{scene.path}"
    ).splitlines():
        said = json.loads(base64.b64decode(json.loads(line)["payload"]))["predicate"]
        logs[said["verdict"]] = said["log"]
    assert logs == {"approve": None, "implement": commits[0], "validate": commits[1]}


@pytest.mark.parametrize("depth", [(), ("--depth=1",)], ids=["whole", "newest commit only"])
def test_record_is_verified_from_a_clone_without_notes(
    take: Take, tmp_path: Path, depth: tuple[str, ...]
) -> None:
    """From main alone: the request's bytes hash to what was approved, and every envelope verifies."""
    scene = take("documented")
    plain = tmp_path / "plain"
    git(tmp_path, "clone", "--quiet", "--single-branch", *depth, f"file://{scene.repo}", str(plain))
    assert git(plain, "for-each-ref", "refs/notes") == ""
    file = plain / scene.path
    record = tomllib.loads(file.read_text())["record"]
    head = subprocess.run(
        ["head", "-c", str(record["request_bytes"]), str(file)], capture_output=True, check=True
    ).stdout
    assert sha256sum(head) == record["request_sha256"]
    hashed = git(plain, "hash-object", "--stdin", data=head)
    assert hashed == record["request_blob"]
    for entry in record["sign_offs"]:
        statement = check_by_hand(entry["envelope"].strip(), plain / "policy" / "allowed_signers", tmp_path)
        assert statement["subject"][0]["digest"] == {"gitBlob": hashed, "sha256": sha256sum(head)}
        said = statement["predicate"]
        assert (entry["by"], entry["role"], entry["verdict"]) == (said["by"], said["role"], said["verdict"])
        assert entry["time"].isoformat().replace("+00:00", "Z") == said["time"]


def test_plain_clone_verifies_with_the_program(take: Take, tmp_path: Path) -> None:
    """`gitchange verify` of a clone without notes finds the documented change borne out."""
    scene = take("documented")
    plain = tmp_path / "plain"
    git(tmp_path, "clone", "--quiet", "--single-branch", f"file://{scene.repo}", str(plain))
    introduction = git(scene.repo, "config", "gitchange.introduction")
    done = gitchange(plain, "--introduction", introduction, "verify", "--json")
    assert (done.code, done.json["verdict"]) == (0, "ok")
    assert not [f for f in done.json["findings"] if f["severity"] == "error"]
    assert gitchange(plain, "--introduction", introduction, "verify", scene.change).code == 0


def test_shallow_clone_is_not_taken_for_a_whole_one(take: Take, tmp_path: Path) -> None:
    """A clone that lacks the history does not claim that everything is borne out."""
    scene = take("documented")
    introduction = git(scene.repo, "config", "gitchange.introduction")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{scene.repo}", str(tmp_path / "shallow"))
    done = gitchange(tmp_path / "shallow", "--introduction", introduction, "verify")
    assert done.code in (2, 3)
    assert done.err
    done = gitchange(tmp_path / "shallow", "verify")
    assert done.code != 0, done.out


def test_notes_are_lines_that_sha256sum_names(take: Take) -> None:
    """The notes of a text are sorted lines, one for each sign-off, without blank ones."""
    scene = take("validated")
    blob = git(scene.repo, "rev-parse", f"HEAD:{scene.path}")
    listed = git(scene.repo, "notes", "--ref=gitchange/approvals", "list", blob)
    raw = subprocess.run(
        ["git", "-C", str(scene.repo), "cat-file", "blob", listed], capture_output=True, check=True
    ).stdout
    lines = raw.split(b"\n")
    assert lines[-1] == b""
    assert lines[:-1] == sorted(set(lines[:-1]))
    assert b"" not in lines[:-1]


def test_sign_off_is_found_after_squash_by_the_texts_id(take: Take) -> None:
    """The note is on the text, so stock git shows it from whatever commit holds the text."""
    scene = take("approved")
    shown = git(scene.repo, "notes", "--ref=gitchange/approvals", "show", f"HEAD:{scene.path}")
    tree = git(scene.repo, "rev-parse", "HEAD^{tree}")
    squashed = git(scene.repo, "commit-tree", tree, "-m", "everything")
    assert git(scene.repo, "notes", "--ref=gitchange/approvals", "show", f"{squashed}:{scene.path}") == shown
