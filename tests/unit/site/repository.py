"""A real configuration repository, made with stock git and ssh-keygen and with the model's writers."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gitchange.model.change import parse_change, write_change
from gitchange.model.record import Record, RecordSignOff, append_record
from gitchange.model.statement import (
    MEANINGS,
    PAYLOAD_TYPE,
    Predicate,
    StepName,
    VerdictName,
    write_statement,
)
from gitchange.signing.dsse import Envelope, pae
from tests.unit.site.builder import ADA, BO, CY, DEE, NOW, POLICY_FILES, blob_of

NOTES = "refs/notes/gitchange/approvals"
PEOPLE = (ADA, BO, CY, DEE)


@dataclass
class ConfigurationRepository:
    """A repository in `folder` whose people have keys in `keys`."""

    folder: Path
    keys: Path
    introduction: str = ""
    policy: str = ""
    _entries: dict[str, list[RecordSignOff]] = field(default_factory=dict)

    @classmethod
    def create(cls, place: Path) -> ConfigurationRepository:
        """Policy and keys, in the introduction commit."""
        made = cls(place / "repository", place / "keys")
        made.keys.mkdir(parents=True)
        made.folder.mkdir()
        signers = ""
        for person in PEOPLE:
            key = made.keys / person
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True
            )
            signers += f'{person} namespaces="gitchange" {key.with_name(person + ".pub").read_text()}'
        made.git("init", "--quiet", "--initial-branch=main")
        for name, text in {**POLICY_FILES, "allowed_signers": signers}.items():
            made.write(f"policy/{name}", text.encode())
        made.write("gitchange.toml", b'title = "Acme changes"\n')
        made.introduction = made.commit("Introduce", ADA)
        made.git("config", "gitchange.introduction", made.introduction)
        made.policy = made.git("rev-parse", "HEAD:policy")
        return made

    def git(self, *arguments: str, author: str = ADA, data: bytes | None = None) -> str:
        """Run git as that person; gives its output."""
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": author,
            "GIT_COMMITTER_NAME": author,
            "GIT_COMMITTER_EMAIL": author,
            "GIT_AUTHOR_DATE": NOW.isoformat(),
            "GIT_COMMITTER_DATE": NOW.isoformat(),
        }
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            check=True,
            capture_output=True,
            env=environment,
            input=data,
        )
        return done.stdout.decode().strip()

    def write(self, path: str, content: bytes) -> None:
        """Write a file of the work tree."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def commit(self, message: str, author: str) -> str:
        """Commit the whole work tree; gives the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message, author=author)
        return self.git("rev-parse", "HEAD")

    def request(self, data: dict[str, Any], author: str = CY) -> str:
        """Commit a change file; gives its path."""
        change_id = data["id"]
        path = f"changes/{change_id[4:8]}/{change_id[8:10]}/{change_id}.toml"
        self.write(path, write_change(data))
        self.commit(f"Request {change_id}", author)
        return path

    def sign(
        self, path: str, step: StepName, verdict: VerdictName, by: str, role: str, answers: dict[str, Any]
    ) -> None:
        """Add a sign-off on the file as it stands to its note."""
        text = (self.folder / path).read_bytes()
        parsed = parse_change(text, path)
        assert parsed.change is not None
        tip = subprocess.run(
            ["git", "-C", str(self.folder), "rev-parse", "--quiet", "--verify", NOTES],
            capture_output=True,
            check=False,
        ).stdout.decode()
        predicate = Predicate.model_validate(
            {
                "change": parsed.change.id,
                "step": step,
                "verdict": verdict,
                "by": by,
                "role": role,
                "meaning": MEANINGS[verdict],
                "answers": answers,
                "comment": "Zürich ✓",
                "repository": self.introduction,
                "policy": self.policy,
                "log": tip.strip() or None,
                "time": NOW.isoformat(),
            }
        )
        payload = write_statement(path, blob_of(text), hashlib.sha256(text).hexdigest(), predicate)
        signed = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-n", "gitchange", "-f", str(self.keys / by)],
            input=pae(PAYLOAD_TYPE, payload),
            capture_output=True,
            check=True,
        ).stdout.decode()
        signature = base64.b64decode("".join(signed.splitlines()[1:-1]))
        fingerprint = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.keys / by)], capture_output=True, check=True
        ).stdout.decode()
        line = Envelope(PAYLOAD_TYPE, payload, fingerprint.split()[1], signature).to_line()
        entry = RecordSignOff(
            step=step,
            verdict=verdict,
            by=by,
            role=role,
            time=NOW,
            key=fingerprint.split()[1],
            meaning=MEANINGS[verdict],
            comment=predicate.comment,
            answers=predicate.answers,
            envelope=line.decode(),
        )
        self._entries.setdefault(path, []).append(entry)
        before = [kept.encode() for kept in self.envelopes(path)]
        note = self.git("hash-object", "-w", "--stdin", data=b"\n".join([*before, line]) + b"\n")
        self.git("notes", "--ref=gitchange/approvals", "add", "--force", "-C", note, blob_of(text), author=by)

    def envelopes(self, path: str) -> list[str]:
        """The lines of the note on the file as it stands."""
        text = (self.folder / path).read_bytes()
        done = subprocess.run(
            ["git", "-C", str(self.folder), "notes", "--ref=gitchange/approvals", "show", blob_of(text)],
            capture_output=True,
            check=False,
        )
        return done.stdout.decode().splitlines()

    def approve(self, path: str) -> None:
        """Ada approves."""
        answers = {"necessary": True, "feasible": True, "safe": True}
        self.sign(path, "evaluation", "approve", ADA, "change-manager", answers)

    def complete(self, path: str) -> None:
        """All three signed steps, and the record."""
        self.approve(path)
        tests = [{"name": "health", "result": "passed"}]
        done = {"steps_followed": True, "tests": tests}
        self.sign(path, "implementation", "implement", BO, "developer", done)
        works = {"works": True, "no_security_risk": True, "evidence": ["Logged in."]}
        self.sign(path, "validation", "validate", DEE, "system-user", works)
        text = (self.folder / path).read_bytes()
        record = Record(
            outcome="successful",
            summary="Done.",
            documented_by=BO,
            time=NOW,
            request_bytes=len(text),
            request_blob=blob_of(text),
            request_sha256=hashlib.sha256(text).hexdigest(),
            sign_offs=tuple(self._entries[path]),
        )
        self.write(path, append_record(text, record))
        self.commit(f"Document\n\nApprovals: {self.git('rev-parse', NOTES)}", BO)

    def clone(self, place: Path, *options: str) -> Path:
        """A clone as stock git makes it: without the notes."""
        self.git("clone", "--quiet", *options, str(self.folder), str(place))
        return place
