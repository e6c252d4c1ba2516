"""What several benches need: keys that sign in this process, stock git, and the time and memory of a process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gitchange.ledger.notes import REF as NOTES
from gitchange.model.statement import NAMESPACE

__all__ = ["NOTES", "Failed", "Key", "Spent", "git", "run_measured", "string"]


class Failed(SystemExit):
    """A command failed; whoever does not go on after that ends with its words."""


def string(data: bytes) -> bytes:
    """SSH's string: four bytes of length, then the bytes (RFC 4251 section 5)."""
    return len(data).to_bytes(4, "big") + data


@dataclass(frozen=True)
class Key:
    """A person's key, which signs in this process: ssh-keygen would be 10,000 processes."""

    private: Ed25519PrivateKey

    @classmethod
    def of(cls, seed: int, person: str) -> Key:
        """The key that this person has in every company made from the seed."""
        return cls(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{seed} {person}".encode()).digest()))

    @property
    def raw(self) -> bytes:
        """The public key's 32 bytes."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def public(self) -> str:
        """The public key as ssh-keygen writes it, without a comment."""
        return self.private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()

    @property
    def line(self) -> str:
        """Its line of the allowed signers, without the name."""
        return f'namespaces="{NAMESPACE}" {self.public}'

    @property
    def file(self) -> bytes:
        """The private key as a file for ssh-keygen, without a passphrase."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """What the key signs, and the SSHSIG around it (OpenSSH's PROTOCOL.sshsig)."""
        what = string(NAMESPACE.encode()) + string(b"") + string(b"sha512")
        signed = b"SSHSIG" + what + string(hashlib.sha512(message).digest())
        signature = string(string(b"ssh-ed25519") + string(self.private.sign(signed)))
        public = string(string(b"ssh-ed25519") + string(self.raw))
        return signed, b"SSHSIG" + (1).to_bytes(4, "big") + public + what + signature


def git(directory: Path, *arguments: str, data: bytes | None = None) -> str:
    """Stock git's answer."""
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments], input=data, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise Failed(f"git {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout.decode().rstrip("\n")


@dataclass(frozen=True)
class Spent:
    """What a process took, with all that it started and waited for."""

    code: int
    """Its exit code."""
    seconds: float
    """By the clock."""
    processor: float
    """Seconds of processors: what is left of it on a machine that does other things too."""
    peak: int
    """The most memory that one process had resident, in KiB; at least what an empty Python has (see `_RUNNER`)."""
    said: str
    """What it wrote to standard error."""


_RUNNER = """
import json, os, sys, time
work, folder, source = json.loads(sys.argv[1])
os.chdir(folder)
files = [(os.POSIX_SPAWN_OPEN, 0, source, os.O_RDONLY, 0),
         (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
began = time.perf_counter()
_, status, used = os.wait4(os.posix_spawnp(work[0], work, os.environ, file_actions=files), 0)
seconds = time.perf_counter() - began
processor = used.ru_utime + used.ru_stime
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, processor, used.ru_maxrss]))
"""
"""Starts the process from a small one: Linux counts to a process the memory of the one that it was started from."""


def run_measured(work: list[str], directory: Path, source: Path = Path("/dev/null")) -> Spent:
    """Run a process in a folder; standard input comes from a file, standard output goes nowhere."""
    told = json.dumps([work, str(directory), str(source)])
    done = subprocess.run([sys.executable, "-I", "-S", "-c", _RUNNER, told], capture_output=True, check=False)
    said = done.stderr.decode(errors="replace")
    if done.returncode != 0:
        raise Failed(f"{' '.join(work)}: {said}")
    code, seconds, processor, peak = json.loads(done.stdout)
    return Spent(code, seconds, processor, peak, said)
