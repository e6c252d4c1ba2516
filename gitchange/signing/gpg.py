"""Signing with the user's own OpenPGP tool, as git signs commits with it.

`OpenPgpSigner` runs ``gpg`` (or the program of git's ``gpg.openpgp.program``, ``gpg.program``), so that agents, smart
cards and passphrases work as they do for git. It follows ``sign_buffer_gpg`` of git's ``gpg-interface.c``, puts the
signature into the one spelling that is kept, and checks that it can be about the message.

Left to others: reading git's configuration, and whether the signature holds and for whom
(`gitchange.signing.certificates`). Private keys are never read here.
"""

from __future__ import annotations

import re

from gitchange.errors import SigningError
from gitchange.signing.openpgp import HASHES, dearmor_openpgp, normalised, parse_openpgp
from gitchange.signing.sshsig import SignatureFormatError
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Final

_NO_KEY_HINT: Final = (
    "set user.signingkey to the fingerprint of your key (gpg --list-secret-keys), "
    "or sign with an SSH key: git config gpg.format ssh"
)

# What gpg says, and what helps. The first one that fits is told.
_HINTS: Final = (
    ("No secret key", _NO_KEY_HINT),
    ("secret key not available", _NO_KEY_HINT),
    ("Inappropriate ioctl", "gpg cannot ask for the passphrase: export GPG_TTY=$(tty)"),
    (
        "No pinentry",
        "gpg has no program to ask for the passphrase: install pinentry, or unlock the key first",
    ),
    (
        "Screen or window too small",
        "gpg cannot ask for the passphrase here: make the window larger, or unlock the key first",
    ),
    ("Operation cancelled", "the passphrase was not given: try again"),
    ("Bad passphrase", "the passphrase was wrong: try again"),
    (
        "No agent running",
        "gpg needs its agent: gpgconf --launch gpg-agent (its socket's path must be short)",
    ),
    ("can't connect to the agent", "gpg needs its agent: gpgconf --launch gpg-agent"),
    ("Card error", "insert the smart card, or unplug it and plug it in again"),
    ("No such device", "insert the smart card"),
    ("Timeout", "the passphrase, or a touch of the card, did not come in time: try again"),
    ("Unusable secret key", "the key is expired, revoked or not for signing: gpg --list-secret-keys tells"),
    (
        "key expired",
        "extend the key (gpg --quick-set-expire) and have its new certificate put into the policy",
    ),
    (
        "signing failed",
        "check that the key is at hand: echo test | gpg --clearsign (and export GPG_TTY=$(tty))",
    ),
)

_LOOKS_LIKE_A_KEY: Final = (
    r"(0x)?([0-9A-Fa-f]{8}|[0-9A-Fa-f]{16}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})!?"
    r"|(?!key::|ssh-|ecdsa-|sk-)[^/]*@[^/]*"  # a literal SSH key may end in an address
)


def looks_like_openpgp(key: str) -> bool:
    """Whether a ``user.signingkey`` reads like a name that gpg knows keys by: a key id, a fingerprint, an address."""
    return re.fullmatch(_LOOKS_LIKE_A_KEY, key) is not None


class OpenPgpSigner(Value):
    """Who signs here: a program and a key."""

    program: str
    """``gpg``, or what git's configuration names."""
    key: str
    """The value of ``user.signingkey``, otherwise the committer, ``Name <address>``: a name that gpg knows keys by."""

    def sign(self, message: bytes, namespace: str) -> bytes:
        """The raw signature over `message`, in its one spelling. OpenPGP has no namespaces: `namespace` is not used.

        Equal to ``gpg --status-fd=2 -bsau KEY < message``. Waits for as long as the program does (a passphrase, a
        touch of a card).

        1. Run the program; the message is its standard input, the terminal stays the user's.
        2. It must say that it made a signature: its exit code alone does not tell (git's ``sign_buffer_gpg``).
        3. Take the armor off and put the packet into its one spelling.
        4. Check that it can be one over this message, by the digest in it.

        Raises `SigningError` with a hint.
        """
        del namespace
        # 1. and 2.
        done = self._run(["--status-fd=2", "-bsau", self.key], message)
        told = done.stderr.decode("utf-8", "replace")
        if done.returncode != 0 or "\n[GNUPG:] SIG_CREATED " not in f"\n{told}":
            raise _failed(f"{self.program} did not sign with {self.key!r}", done)
        # 3.
        check = "check git's gpg.program"
        try:
            signature = normalised(dearmor_openpgp(done.stdout))
        except SignatureFormatError as error:
            hint = {
                "signature.hash-algorithm": f"let gpg use one of {', '.join(HASHES.values())}: remove digest-algo "
                "and personal-digest-preferences from gpg.conf",
                "signature.expires": "remove default-sig-expire and ask-sig-expire from gpg.conf",
                "key.type": "sign with an Ed25519, ECDSA or RSA key",
            }.get(error.code, check)
            raise SigningError(
                f"{self.program} made a signature that is not accepted: {error.message}", hint=hint
            ) from None
        # 4.
        if not parse_openpgp(signature).may_be_about(message):
            raise SigningError(f"{self.program} signed something else than the message", hint=check)
        return signature

    def fingerprints(self) -> tuple[str, ...]:
        """Fingerprints of every secret key that the configured name means, and of their subkeys; lower case.

        Which of them will sign is the program's choice. Raises `SigningError` when there is none.
        """
        done = self._run(["--batch", "--with-colons", "--list-secret-keys", "--", self.key])
        found = [
            line.split(":")[9].lower()
            for line in done.stdout.decode("utf-8", "replace").splitlines()
            if line.startswith("fpr:")
        ]
        if done.returncode != 0 or not found:
            raise _failed(f"{self.program} has no secret key {self.key!r}", done, _NO_KEY_HINT)
        return tuple(found)

    def certificate(self) -> bytes:
        """The armored certificate of the key, without others' signatures; SigningError when there is none."""
        done = self._run(
            ["--batch", "--armor", "--export-options", "export-minimal", "--export", "--", self.key]
        )
        if done.returncode != 0 or not done.stdout.strip():
            raise _failed(f"{self.program} cannot export the key {self.key!r}", done, _NO_KEY_HINT)
        return done.stdout.replace(b"\r", b"")

    def _run(self, arguments: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        import subprocess  # noqa: PLC0415 - for the sake of start-up time

        try:
            return subprocess.run([self.program, *arguments], input=data, capture_output=True, check=False)
        except (OSError, ValueError) as error:  # ValueError: a NUL byte in an argument
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise SigningError(
                f"{self.program} cannot be run: {reason}",
                hint="install GnuPG, or check git's gpg.program; to sign with SSH: git config gpg.format ssh",
            ) from None


def _failed(failure: str, done: subprocess.CompletedProcess[bytes], otherwise: str = "") -> SigningError:
    lines = done.stderr.decode("utf-8", "replace").replace("\r", "").splitlines()
    words = [line for line in lines if line.strip() and not line.startswith("[GNUPG:]")]
    told = "\n".join(words) or (
        f"it was ended by signal {-done.returncode}"
        if done.returncode < 0
        else f"it ended with exit code {done.returncode}"
    )
    hint = next((help_ for sign, help_ in _HINTS if sign.lower() in told.lower()), otherwise)
    return SigningError(f"{failure}: {told}", hint=hint)
