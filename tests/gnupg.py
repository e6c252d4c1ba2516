"""The real gpg in a home of its own: keys, certificates, signatures, and its verdict."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Gnupg:
    """A keyring with its agent."""

    home: Path

    def run(
        self, *arguments: str, data: bytes | None = None, at: str | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run gpg without asking anything; `at` is the moment that it shall believe, as 20261122T120000."""
        clock = ("--faked-system-time", f"{at}!") if at else ()
        return subprocess.run(
            ["gpg", "--batch", "--quiet", "--no-tty", *clock, *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            env=self.environment,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs in order to use this keyring."""
        return {**os.environ, "GNUPGHOME": str(self.home), "LC_ALL": "C"}

    def must(self, *arguments: str, data: bytes | None = None, at: str | None = None) -> bytes:
        """Run gpg, which must succeed; what it prints."""
        done = self.run(*arguments, data=data, at=at)
        assert done.returncode == 0, f"gpg {' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout

    def key(
        self,
        name: str,
        algorithm: str = "ed25519",
        usage: str = "sign",
        expires: str = "never",
        at: str | None = None,
    ) -> str:
        """Make a key without a passphrase for `name@example.org`; its fingerprint, lower case."""
        user = f"{name.capitalize()} <{name}@example.org>"
        command = ("--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", user)
        self.must(*command, algorithm, usage, expires, at=at)
        return self.fingerprints(f"{name}@example.org")[0]

    def subkey(
        self, primary: str, algorithm: str, usage: str, expires: str = "never", at: str | None = None
    ) -> str:
        """Add a subkey; its fingerprint, lower case."""
        known = set(self.fingerprints(primary))
        command = ("--pinentry-mode", "loopback", "--passphrase", "", "--quick-add-key", primary)
        self.must(*command, algorithm, usage, expires, at=at)
        (new,) = set(self.fingerprints(primary)) - known
        return new

    def edit(self, primary: str, *answers: str, at: str | None = None) -> None:
        """Answer the questions of `gpg --edit-key`, then save."""
        self.must(
            *("--yes", "--pinentry-mode", "loopback", "--passphrase", "", "--status-fd", "2"),
            *("--command-fd", "0", "--expert", "--edit-key", primary),
            data="".join(f"{answer}\n" for answer in (*answers, "save")).encode(),
            at=at,
        )

    def revoke(self, primary: str) -> None:
        """Revoke a key with the certificate that gpg made for that purpose when it made the key."""
        prepared = (self.home / "openpgp-revocs.d" / f"{primary.upper()}.rev").read_text()
        self.must("--import", data=prepared.replace("\n:-----", "\n-----").encode())

    def fingerprints(self, name: str) -> list[str]:
        """Fingerprints of a key and its subkeys, lower case."""
        listed = self.must("--with-colons", "--with-subkey-fingerprint", "--list-keys", name).decode()
        return [line.split(":")[9].lower() for line in listed.splitlines() if line.startswith("fpr:")]

    def export(self, *names: str) -> bytes:
        """Armored certificates."""
        return self.must("--armor", "--export", *names)

    def sign(self, message: bytes, key: str, *options: str, at: str | None = None) -> bytes:
        """A raw detached signature, as gpg writes it. `KEY!` means that very key."""
        return self.must(*options, "--detach-sign", "--local-user", key, data=message, at=at)

    def accepts(self, message: bytes, signature: bytes, folder: Path, at: str | None = None) -> bool:
        """gpg's verdict by its status lines: good, and the key neither expired nor revoked."""
        (folder / "signature").write_bytes(signature)
        (folder / "message").write_bytes(message)
        files = (str(folder / "signature"), str(folder / "message"))
        done = self.run("--status-fd", "1", "--trust-model", "always", "--verify", *files, at=at)
        said = {line.split()[1] for line in done.stdout.decode("utf-8", "replace").splitlines() if line}
        bad = {"EXPKEYSIG", "REVKEYSIG", "BADSIG", "ERRSIG", "EXPSIG"}
        return done.returncode == 0 and {"GOODSIG", "VALIDSIG"} <= said and not said & bad


@contextlib.contextmanager
def gnupg() -> Iterator[Gnupg]:
    """A new keyring; without gpg the test is skipped, which in CI is a failure."""
    if shutil.which("gpg") is None or shutil.which("gpg-agent") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("gpg or its agent is not installed, and in CI the tests of OpenPGP must run")
        pytest.skip("gpg or its agent is not installed")
    # Short: the agent's socket lies in it, and its path may have 108 bytes at most.
    home = Path(tempfile.mkdtemp(prefix="gpg", dir="/tmp"))
    try:
        yield Gnupg(home)
    finally:
        stop: Sequence[str] = ("gpgconf", "--kill", "all")
        subprocess.run(stop, env={**os.environ, "GNUPGHOME": str(home)}, capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)
