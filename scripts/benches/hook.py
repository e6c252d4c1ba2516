"""How long `gitchange hook pre-receive` takes for a push of N commits, and what the least would be.

    scripts/bench hook [N]      N is 10000 unless given; even

Makes a company's repository with `git fast-import`: N/2 commits that each bring a change file, of which each
witnesses the notes as they were, and N/2 commits of the notes that each bring one approval, really signed. A
real `git push` brings all of them to a bare repository with the real hook, which is timed from its start to
its end.

The floor is what nobody can do without: `git rev-list --objects` and `git log --raw` over the same commits,
and each signature verified once by the same library, from a key that is read already.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from _common import NOTES, Key, git
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gitchange.model.identifiers import ALPHABET, path_of
from gitchange.model.statement import MEANINGS, PAYLOAD_TYPE, Answers, Predicate, write_statement
from gitchange.signing.dsse import Envelope, pae
from gitchange.signing.signers import name_of_key

START = dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC)
ADA, BO, DEE = "ada@example.org", "bo@example.org", "dee@example.org"

POLICY = f"""\
version = 1

[roles]
root           = {{ members = ["{ADA}"] }}
change-manager = {{ members = ["{ADA}"] }}
developer      = {{ members = ["{BO}"] }}
system-user    = {{ members = ["{DEE}"] }}

[[rules]]
name = "every change"
evaluation     = {{ role = "change-manager" }}
implementation = {{ role = "developer" }}
validation     = {{ role = "system-user" }}
"""

SYSTEMS = """\
[systems.api]
name = "Public API"
customer_data = true
"""

CHANGE = """\
schema = 1
id = "{id}"
title = "Rotate the certificate {id}"
type = "normal"
requester = "bo@example.org"
systems = ["api"]
reason = "It expires."
scope = "Both load balancers; not the client certificates."
rollback = "Put the old one back and reload."
test_plan = "curl from outside against both load balancers"

[[steps]]
action = "Install the new certificate"
verify = "curl -v shows it"

[[risks]]
description = "A wrong chain makes clients fail"
category = "availability"
likelihood = "unlikely"
impact = "major"
mitigations = ["openssl verify first"]
"""


class Import:
    """One running `git fast-import`, which tells the id of every commit as it is made."""

    def __init__(self, directory: Path) -> None:
        self._process = subprocess.Popen(
            ["git", "-C", str(directory), "fast-import", "--quiet", "--cat-blob-fd=1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._clock = START
        self._count = 0

    def commit(self, ref: str, who: str, message: str, files: dict[str, bytes]) -> str:
        """A commit on top of a ref that puts files at paths; its id."""
        out, answer = self._process.stdin, self._process.stdout
        assert out is not None
        assert answer is not None
        self._clock += dt.timedelta(seconds=30)
        self._count += 1
        person = f"{who.partition('@')[0].capitalize()} <{who}> {int(self._clock.timestamp())} +0000"
        lines = [f"commit {ref}", f"mark :{self._count}", f"committer {person}", self._data(message.encode())]
        out.write("\n".join(lines).encode() + b"\n")
        for path, data in files.items():
            out.write(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        out.write(f"\nget-mark :{self._count}\n".encode())
        out.flush()
        return answer.readline().decode().strip()

    @staticmethod
    def _data(raw: bytes) -> str:
        return f"data {len(raw)}\n{raw.decode()}"

    def finish(self) -> None:
        """Write the pack and the refs."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.wait() != 0:
            raise SystemExit("git fast-import failed")


def ids(count: int) -> Iterator[str]:
    """Change ids, twenty a day."""
    for number in range(count):
        day = START + dt.timedelta(days=number // 20)
        letters = "".join(ALPHABET[(number >> shift) & 31] for shift in (15, 10, 5, 0))
        yield f"CHG-{day:%Y%m%d}-{letters}"


@dataclass(frozen=True)
class Made:
    """What was made: where, from what it begins, and the signatures in it."""

    directory: Path
    introduction: str
    signatures: list[tuple[bytes, bytes]]
    """(signed bytes, raw signature)."""
    public: bytes
    """The key that made them."""


def make(directory: Path, commits: int) -> Made:
    """The repository to push from."""
    directory.mkdir()
    git(directory, "init", "--quiet", "--bare", "--initial-branch=main")
    ada = Key(Ed25519PrivateKey.generate())
    others = "".join(f"{who} {Key(Ed25519PrivateKey.generate()).line}\n" for who in (BO, DEE))
    stream = Import(directory)
    introduction = stream.commit(
        "refs/heads/main",
        ADA,
        "Introduce gitchange\n",
        {
            "policy/policy.toml": POLICY.encode(),
            "policy/systems.toml": SYSTEMS.encode(),
            "policy/allowed_signers": f"{ADA} {ada.line}\n{others}".encode(),
        },
    )
    policy = "0" * 40
    notes, signatures = "", []
    for change in ids(commits // 2):
        raw = CHANGE.format(id=change).encode()
        trailer = f"\nApprovals: {notes}\n" if notes else ""
        stream.commit("refs/heads/main", BO, f"Request {change}\n{trailer}", {path_of(change): raw})
        blob = hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
        said = Predicate(
            change=change,
            step="evaluation",
            verdict="approve",
            by=ADA,
            role="change-manager",
            meaning=MEANINGS["approve"],
            answers=Answers(necessary=True, feasible=True, safe=True),
            comment="go ahead",
            repository=introduction,
            policy=policy,
            log=notes or None,
            time="2026-01-05T08:00:00Z",
        )
        payload = write_statement(path_of(change), blob, hashlib.sha256(raw).hexdigest(), said)
        signed, signature = ada.sign(pae(PAYLOAD_TYPE, payload))
        signatures.append((signed, ada_signature(signature)))
        line = Envelope(PAYLOAD_TYPE, payload, name_of_key(signature), signature).to_line()
        note = {f"{blob[:2]}/{blob[2:]}": line + b"\n"}
        notes = stream.commit(NOTES, ADA, f"approve {change} by {ADA}\n", note)
    stream.finish()
    return Made(directory, introduction, signatures, ada.raw)


def ada_signature(sshsig: bytes) -> bytes:
    """The 64 bytes of an Ed25519 signature at the end of its SSHSIG."""
    return sshsig[-64:]


def seconds_of(work: list[str], directory: Path) -> float:
    """How long a process takes."""
    began = time.perf_counter()
    subprocess.run(work, cwd=directory, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def main(commits: int) -> int:
    """Make, push, measure, print."""
    with tempfile.TemporaryDirectory(prefix="gitchange-bench-") as folder:
        root = Path(folder)
        made = make(root / "client.git", commits)
        server = root / "server.git"
        git(root, "init", "--quiet", "--bare", "--initial-branch=main", str(server))
        git(made.directory, "push", "--quiet", str(server), f"{made.introduction}:refs/heads/main")
        git(server, "config", "gitchange.introduction", made.introduction)
        hook = server / "hooks" / "pre-receive"
        hook.write_text(
            f"#!/usr/bin/env bash\nbegan=$EPOCHREALTIME\n'{sys.executable}' -P -m gitchange hook pre-receive\n"
            f"code=$?\necho \"$began $EPOCHREALTIME\" > '{root}/timed'\nexit $code\n"
        )
        hook.chmod(0o755)
        began = time.perf_counter()
        git(made.directory, "push", "--quiet", str(server), "refs/heads/main", NOTES)
        whole = time.perf_counter() - began
        first, last = (float(moment) for moment in (root / "timed").read_text().split())
        ours = last - first
        new = [f"^{made.introduction}", "refs/heads/main", NOTES]
        listing = seconds_of(["git", "rev-list", "--objects", *new], server)
        reading = seconds_of(["git", "log", "--raw", "-z", "--format=%H", *new], server)
        key = Ed25519PublicKey.from_public_bytes(made.public)
        began = time.perf_counter()
        for signed, signature in made.signatures:
            key.verify(signature, signed)
        verifying = time.perf_counter() - began
    floor = listing + reading + verifying
    print(f"commits pushed                 {commits:>9}   ({len(made.signatures)} sign-offs)")
    print(f"ours: the hook                 {ours:>9.2f} s {commits / ours:>9.0f} commits/s")
    print(f"floor                          {floor:>9.2f} s")
    print(f"  git rev-list --objects       {listing:>9.2f} s")
    print(f"  git log --raw                {reading:>9.2f} s")
    print(f"  signatures, once each        {verifying:>9.2f} s")
    print(f"ratio                          {ours / floor:>9.1f}")
    print(f"(the whole push                {whole:>9.2f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10000))
