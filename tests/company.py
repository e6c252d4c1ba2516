"""A small company for tests: people with real keys, a policy, a repository, and the real program run in-process.

Used by the tests of every room that needs a repository; nothing in it stands in for the real thing.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitchange.cli.main import run

POLICY = """\
version = 1
main = "main"

[roles]
root           = { members = ["ada@example.org", "eve@example.org"], threshold = 2 }
change-manager = { members = ["ada@example.org", "mo@example.org"] }
developer      = { members = ["bo@example.org", "cy@example.org"] }
system-user    = { members = ["dee@example.org", "cy@example.org"] }
security       = { members = ["eve@example.org"] }

[[rules]]
name = "every change"
evaluation     = { role = "change-manager", approvals = 1 }
implementation = { role = "developer" }
validation     = { role = "system-user" }

[[rules]]
name = "high risk to customer data"
when = { types = ["normal", "emergency"], risk = ["high", "critical"], customer_data = true }
evaluation = { role = "security", approvals = 1 }
"""

SYSTEMS = """\
[systems.api]
name = "Public API"
owner = "ada@example.org"
customer_data = true
environments = ["staging", "production"]
depends_on = ["database"]

[systems.database]
name = "Database"
customer_data = true

[systems.website]
name = "Website"
customer_data = false
"""

MODEL = """\
title = "Routine dependency update"
systems = ["website"]
max_risk = "low"
"""

PEOPLE = ("ada", "mo", "bo", "cy", "dee", "eve")


@dataclass(frozen=True)
class Result:
    """What a command printed and returned."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def gitchange(directory: Path, *arguments: str) -> Result:
    """Run the program in a folder, in this process, without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["-C", str(directory), *arguments])
    return Result(code, out.getvalue(), err.getvalue())


def git(directory: Path, *arguments: str, data: bytes | None = None) -> str:
    """Stock git; its output without the last line end."""
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments], input=data, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout.decode().rstrip("\n")


@dataclass(frozen=True)
class Company:
    """Folders: `keys/NAME`, `policy/`, one repository (`repo`), and one clone for each person where asked."""

    root: Path
    repo: Path

    def key(self, person: str) -> Path:
        """A person's private key."""
        return self.root / "keys" / person

    def become(self, person: str, directory: Path | None = None) -> Path:
        """Make a clone this person's: name, address and signing key in its configuration."""
        where = directory or self.repo
        for name, value in {
            "user.name": person.capitalize(),
            "user.email": f"{person}@example.org",
            "gpg.format": "ssh",
            "user.signingkey": str(self.key(person)),
        }.items():
            git(where, "config", name, value)
        return where

    def do(self, person: str, *arguments: str, directory: Path | None = None) -> Result:
        """Run the program as a person."""
        return gitchange(self.become(person, directory), *arguments)

    def must(self, person: str, *arguments: str, directory: Path | None = None) -> Result:
        """Run the program as a person; it must succeed."""
        done = self.do(person, *arguments, directory=directory)
        assert done.code == 0, f"{person}: gitchange {' '.join(arguments)}\n{done.out}{done.err}"
        return done

    def request(self, person: str = "bo", *options: str, directory: Path | None = None) -> str:
        """A change, committed; its id."""
        done = self.must(person, "new", "--commit", *request_options(*options), directory=directory)
        return done.out.split()[0]

    def show(self, change: str, directory: Path | None = None) -> Any:
        """`show --json` of a change."""
        done = gitchange(directory or self.repo, "show", change, "--json")
        assert done.code == 0, done.err
        return done.json

    def complete(self, change: str, directory: Path | None = None) -> None:
        """Evaluation by ada, implementation by bo, validation by dee."""
        where = directory
        self.must("ada", "approve", change, "--yes", "-m", "go", directory=where)
        self.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed", directory=where)
        self.must(
            "dee",
            *("validate", change, "--works", "--no-security-risk", "--evidence", "looked at it"),
            directory=where,
        )

    def documented(self, directory: Path | None = None) -> str:
        """A change that went through all five steps."""
        change = self.request(directory=directory)
        self.complete(change, directory)
        self.must(
            "ada",
            *("document", change, "--outcome", "successful", "--summary", "It works."),
            directory=directory,
        )
        return change


def request_options(*options: str) -> list[str]:
    """Options of `new` for a small change, with these added or put in place of the usual ones."""
    usual = {
        "--title": "Rotate the certificate",
        "--system": "api",
        "--reason": "It expires.",
        "--scope": "Both load balancers.",
        "--step": "Install it :: curl shows it",
        "--risk": "Clients refuse it :: availability :: unlikely :: moderate :: keep the old one",
        "--rollback": "Put the old one back.",
        "--test-plan": "curl from outside",
    }
    given = {name for name in options if name.startswith("--")}
    kept = [part for name, value in usual.items() if name not in given for part in (name, value)]
    return [*kept, *options]


def write_policy(root: Path, policy: str = POLICY) -> Path:
    """The policy folder, with a real key for everybody."""
    keys = root / "keys"
    keys.mkdir(exist_ok=True)
    folder = root / "policy"
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "policy.toml").write_text(policy)
    (folder / "systems.toml").write_text(SYSTEMS)
    (folder / "models" / "dependency-update.toml").write_text(MODEL)
    lines: list[str] = []
    for person in PEOPLE:
        if not (keys / person).exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(keys / person)],
                check=True,
            )
        kind, key, _ = (keys / f"{person}.pub").read_text().split()
        lines.append(f'{person}@example.org namespaces="gitchange" {kind} {key}\n')
    (folder / "allowed_signers").write_text("".join(lines))
    return folder


def found(root: Path, policy: str = POLICY) -> Company:
    """A company with its configuration repository made by `gitchange init`."""
    folder = write_policy(root, policy)
    repo = root / "repo"
    git(root, "init", "--quiet", "-b", "main", str(repo))
    company = Company(root, repo)
    company.must("ada", "init", "--title", "Example changes", "--policy", str(folder))
    return company


def clones(company: Company, *people: str) -> Iterator[tuple[str, Path]]:
    """A shared bare repository beside the company's, and a clone of it for each person, pinned."""
    server = company.root / "server.git"
    if not server.exists():
        git(company.root, "clone", "--quiet", "--bare", str(company.repo), str(server))
    introduction = git(company.repo, "config", "gitchange.introduction")
    for person in people:
        clone = company.root / "clones" / person
        git(company.root, "clone", "--quiet", str(server), str(clone))
        git(clone, "config", "gitchange.introduction", introduction)
        company.become(person, clone)
        yield person, clone


def sign_payload(key: Path, payload: bytes) -> str:
    """The envelope of any payload, by any key that one has; ssh-keygen and the public format only."""
    kind = b"application/vnd.in-toto+json"
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "gitchange", "-f", str(key)]
    armor = subprocess.run(command, input=signed, capture_output=True, check=True).stdout.decode()
    listed = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], capture_output=True, check=True, text=True)
    envelope = {
        "payloadType": kind.decode(),
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": listed.stdout.split()[1], "sig": "".join(armor.splitlines()[1:-1])}],
    }
    return json.dumps(envelope, separators=(",", ":"))
