"""Signing with the user's own tools, as git signs commits with SSH keys.

`SshSigner` runs ``ssh-keygen -Y sign`` (or the program of git's ``gpg.ssh.program``), so that agents,
security keys, passphrases and password managers work as they do for git. It follows
``sign_buffer_ssh`` and ``get_default_ssh_signing_key`` of git's ``gpg-interface.c``, and checks what
came out.

Left to others: reading git's configuration, expanding ``~`` in paths, and asking the user anything
(ssh-keygen asks for passphrases itself, on the terminal). Private keys are never read here.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from gitchange.errors import SigningError
from gitchange.signing.keys import KeyFormatError, parse_public_key, parse_public_line
from gitchange.signing.sshsig import SignatureFormatError, dearmor
from gitchange.signing.verify import check_signature
from gitchange.signing.wire import Reader, WireError, decode_base64
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from gitchange.signing.keys import PublicKey

_PRIVATE_BEGIN: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
_PRIVATE_END: Final = b"\n-----END OPENSSH PRIVATE KEY-----"
_PRIVATE_MAGIC: Final = b"openssh-key-v1\0"

_NO_KEY_HINT: Final = (
    "set user.signingkey to the path of your SSH key, "
    "e.g. git config --global user.signingkey ~/.ssh/id_ed25519.pub"
)

# What ssh-keygen says, and what helps. The first one that fits is told.
_HINTS: Final = (
    ("UNPROTECTED PRIVATE KEY", "only you may be able to read the private key: chmod 600"),
    ("usage:", "signing needs OpenSSH 8.2 or newer, or a gpg.ssh.program that knows -Y sign"),
    ("illegal option", "signing needs OpenSSH 8.2 or newer, or a gpg.ssh.program that knows -Y sign"),
    ("unknown option", "signing needs OpenSSH 8.2 or newer, or a gpg.ssh.program that knows -Y sign"),
    (
        "agent refused operation",
        "the agent has the key but did not sign: unlock it, confirm, or touch the key",
    ),
    ("Couldn't find key in agent", "load the key into the agent: ssh-add"),
    (
        "Couldn't get agent socket",
        "no agent is running: start one (eval $(ssh-agent)) and load the key with ssh-add",
    ),
    (
        "incorrect passphrase",
        "the passphrase was wrong, or there was no terminal to ask for it: try again, or ssh-add",
    ),
    (
        "No private key found",
        "neither the agent nor the directory of the public key has the private key: ssh-add it",
    ),
    ("Permission denied", "the key file is not readable for you"),
    ("device not found", "plug in the security key"),
    ("invalid format", "the key file is damaged or no SSH key"),
    ("Couldn't load public key", _NO_KEY_HINT),
    ("No such file", _NO_KEY_HINT),
)


class SshSigner(Value):
    """Who signs here: a program and a key."""

    program: str
    """``ssh-keygen``, or the value of ``gpg.ssh.program``: a name on the path, or a path."""
    key: str
    """The value of ``user.signingkey``: the path of a private or public key, ``~`` already expanded,
    or a public key in an agent, ``key::TYPE BASE64`` or ``ssh-...``."""

    def sign(self, message: bytes, namespace: str) -> bytes:
        """The raw signature over `message` in `namespace`.

        Equal to ``ssh-keygen -Y sign -n namespace -f KEY FILE``, with ``-U`` for a literal key.
        Waits for as long as the program does (a passphrase, a touch); may be interrupted.

        1. Write the message, and a literal key, to new files that only the user can read.
        2. Run the program; standard input and the terminal stay the user's.
        3. Read the signature and remove the files, whatever happened.
        4. Check that it is one over this message and namespace, before anybody relies on it.

        Raises `SigningError` with a hint.
        """
        if not self.key:
            raise SigningError("no signing key is configured", hint=_NO_KEY_HINT)
        literal = literal_key(self.key)
        # 1. mkdtemp makes the directory for its owner alone, so that the names in it are nobody else's.
        with tempfile.TemporaryDirectory(prefix="gitchange-sign-") as directory:
            message_file = Path(directory, "message")
            _write_private(message_file, message)
            command = [self.program, "-Y", "sign", "-n", namespace, "-f", self.key]
            if literal is not None:
                key_file = Path(directory, "key.pub")
                _write_private(key_file, literal.encode("utf-8", "surrogateescape") + b"\n")
                command[-1:] = [str(key_file), "-U"]
            # 2.
            _run([*command, str(message_file)], f"{self.program} did not sign")
            # 3.
            try:
                armored = Path(directory, "message.sig").read_bytes()
            except FileNotFoundError:
                raise SigningError(
                    f"{self.program} reported success but wrote no signature",
                    hint="check git's gpg.ssh.program",
                ) from None
        # 4. As git does, take CR LF for LF: programs for Windows write it.
        try:
            signature = dearmor(armored.replace(b"\r", b""))
        except SignatureFormatError as error:
            raise SigningError(
                f"{self.program} wrote no SSH signature: {error.message}", hint="check git's gpg.ssh.program"
            ) from None
        check = check_signature(message, signature, namespace)
        if not check.ok:
            raise SigningError(
                f"{self.program} wrote a signature that does not hold: {check.message}",
                hint="check git's gpg.ssh.program and the type of the key; ssh-dss keys are refused",
            )
        return signature

    def public_key(self) -> PublicKey:
        """The key or certificate that will sign, found without signing.

        Looks where ``ssh-keygen -Y sign`` looks (``sshkey_load_public``): a literal key itself; the
        file, if it is a public key; the file with ``.pub`` added; the public half that an OpenSSH
        private key file holds in the clear, so that no passphrase is needed. Raises `SigningError`.
        """
        if not self.key:
            raise SigningError("no signing key is configured", hint=_NO_KEY_HINT)
        literal = literal_key(self.key)
        if literal is not None:
            try:
                return parse_public_line(literal)
            except KeyFormatError as error:
                raise SigningError(
                    f"the configured signing key cannot be used: {error.message}", hint=_NO_KEY_HINT
                ) from None
        path = Path(self.key)
        content = _read(path)
        found = _public_in(content) or _public_in(_read(Path(f"{self.key}.pub"))) or _public_half(content)
        if found is not None:
            return found
        if content is None:
            raise SigningError(f"there is no readable signing key {self.key}", hint=_NO_KEY_HINT)
        # Private keys in PEM hold no public half in the clear. ssh-keygen does not sign with them either.
        raise SigningError(
            f"no public key that can be used here is in {self.key} or {self.key}.pub",
            hint=f"write it with: ssh-keygen -y -f {self.key} > {self.key}.pub",
        )


def literal_key(key: str) -> str | None:
    """The public key in a ``user.signingkey`` that holds one itself; None if it is a path.

    git's rule: ``key::`` before it, or a type that begins with ``ssh-``.
    """
    if key.startswith("key::"):
        return key.removeprefix("key::")
    return key if key.startswith("ssh-") else None


def default_key(command: str) -> str:
    """The signing key that ``gpg.ssh.defaultKeyCommand`` names, e.g. ``ssh-add -L``.

    Runs the command as git does (split into words, no shell) and returns the first line that it
    prints, which must be a literal key. Raises `SigningError`.
    """
    hint = "check git's gpg.ssh.defaultKeyCommand, or set user.signingkey"
    words = _split_command(command)
    if not words:
        raise SigningError("gpg.ssh.defaultKeyCommand cannot be split into words", hint=hint)
    output = _run(words, "gpg.ssh.defaultKeyCommand failed", hint)
    first = output.decode("utf-8", "surrogateescape").partition("\n")[0].removesuffix("\r")
    if literal_key(first) is None:
        raise SigningError("gpg.ssh.defaultKeyCommand printed no SSH key", hint=hint)
    return first


def _run(command: list[str], failure: str, hint: str = "") -> bytes:
    """Run a program of the user's, and return what it prints. Its standard input is ours."""
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in an argument
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SigningError(
            f"{command[0]} cannot be run: {reason}",
            hint=hint or "install OpenSSH, or check git's gpg.ssh.program",
        ) from None
    if done.returncode == 0:
        return done.stdout
    told = (done.stderr + done.stdout).decode("utf-8", "replace").replace("\r", "").strip()
    if not told:
        told = (
            f"it was ended by signal {-done.returncode}"
            if done.returncode < 0
            else f"it ended with exit code {done.returncode}"
        )
    raise SigningError(
        f"{failure}: {told}",
        hint=hint or next((help_ for sign, help_ in _HINTS if sign.lower() in told.lower()), ""),
    )


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (OSError, ValueError):
        return None


def _public_in(content: bytes | None) -> PublicKey | None:
    """The first public key in a file of key lines (``sshkey_try_load_public``)."""
    for line in (content or b"").split(b"\n"):
        if line.startswith(b"-----BEGIN"):
            return None
        try:
            return parse_public_line(line)
        except KeyFormatError:
            continue
    return None


def _public_half(content: bytes | None) -> PublicKey | None:
    """The public key that an OpenSSH private key file holds unencrypted (``PROTOCOL.key``)."""
    content = (content or b"").replace(b"\r\n", b"\n")
    end = content.find(_PRIVATE_END)
    if not content.startswith(_PRIVATE_BEGIN) or end < 0:
        return None
    try:
        reader = Reader(decode_base64(content[len(_PRIVATE_BEGIN) : end]))
        if reader.take(len(_PRIVATE_MAGIC)) != _PRIVATE_MAGIC:
            return None
        for _ in ("cipher", "key derivation", "its parameters"):
            reader.string()
        if reader.uint32() != 1:  # number of keys
            return None
        return parse_public_key(reader.string())
    except (WireError, KeyFormatError):
        return None


def _split_command(command: str) -> list[str]:
    """Words as git splits them (``split_cmdline`` of ``alias.c``); none if a quote is left open.

    Quotes join; a backslash takes the next character as it is, everywhere but in single quotes.
    """
    words: list[str] = []
    word: list[str] = []
    started = False
    quote = ""
    characters = iter(command)
    for character in characters:
        if not quote and character.isspace():
            if started:
                words.append("".join(word))
            word, started = [], False
            continue
        started = True
        if not quote and character in "'\"":
            quote = character
        elif character == quote:
            quote = ""
        elif character == "\\" and quote != "'":
            escaped = next(characters, "")
            if not escaped:
                return []
            word.append(escaped)
        else:
            word.append(character)
    if quote:
        return []
    if started:
        words.append("".join(word))
    return words
