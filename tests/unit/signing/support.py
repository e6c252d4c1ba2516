"""Keys, signatures and certificates for the tests, and the real ssh-keygen to compare with."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitchange.signing.allowed_signers import AllowedSigners
from gitchange.signing.sshsig import armor, dearmor, signed_data
from gitchange.signing.verify import Verification, check_signature, verify
from gitchange.signing.wire import mpint, string

PRINCIPAL = "ada@example.org"
NAMESPACE = "gitchange"
MESSAGE = b"The change is necessary, feasible and safe.\n"
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def run(*command: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a program under UTC and without an agent, so that the machine's habits do not matter."""
    environment = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
    return subprocess.run(
        [str(word) for word in command],
        input=stdin,
        capture_output=True,
        check=False,
        env=environment | {"TZ": "UTC", "LC_ALL": "C"},
    )


def keygen(*arguments: str | Path, stdin: bytes = b"") -> bytes:
    """Run ssh-keygen, which must succeed, and return what it prints."""
    done = run("ssh-keygen", *arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make_key(path: Path, *arguments: str) -> Path:
    """Generate a key pair without a passphrase; returns the private key's path."""
    keygen("-q", "-N", "", "-C", "a comment", "-f", path, *arguments)
    return path


def public_line(key: Path) -> str:
    """Type and base64 of the public key beside `key`."""
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def public_blob(key: Path) -> bytes:
    """The public key beside `key`, as a blob."""
    return base64.b64decode(public_line(key).split()[1])


def sign(key: Path, message: bytes = MESSAGE, namespace: str = NAMESPACE, *options: str) -> bytes:
    """The raw signature that ``ssh-keygen -Y sign`` makes."""
    return dearmor(keygen("-Y", "sign", "-n", namespace, "-f", key, *options, stdin=message))


@dataclass(frozen=True)
class Case:
    """A question for both verifiers, valid unless a test spoils something."""

    directory: Path
    allowed: str | bytes
    signature: bytes
    message: bytes = MESSAGE
    principal: str = PRINCIPAL
    namespace: str = NAMESPACE
    at: datetime = AT
    armored: bytes | None = None

    def real(self) -> bool:
        """What ``ssh-keygen -Y verify`` says."""
        allowed_file = self.directory / "allowed_signers"
        signature_file = self.directory / "message.sig"
        allowed_file.write_bytes(self.allowed.encode() if isinstance(self.allowed, str) else self.allowed)
        signature_file.write_bytes(self.armored or armor(self.signature).encode())
        return (
            run(
                *("ssh-keygen", "-Y", "verify", "-f", allowed_file, "-I", self.principal),
                *("-n", self.namespace, f"-Overify-time={self.at:%Y%m%d%H%M%SZ}", "-s", signature_file),
                stdin=self.message,
            ).returncode
            == 0
        )

    def ours(self) -> Verification:
        """What we say."""
        allowed = self.allowed.encode() if isinstance(self.allowed, str) else self.allowed
        return verify(
            self.message,
            self.signature,
            allowed=AllowedSigners.parse(allowed),
            principal=self.principal,
            namespace=self.namespace,
            at=self.at,
        )

    def agreed(self) -> str:
        """Our code, after checking that ssh-keygen gives the same yes or no; ``"ok"`` for yes."""
        ours = self.ours()
        assert ours.ok == self.real(), f"we: {ours}; ssh-keygen: {not ours.ok}"
        return "ok" if ours.ok else ours.code


def real_check(directory: Path, armored: bytes, message: bytes = MESSAGE, namespace: str = NAMESPACE) -> bool:
    """What ``ssh-keygen -Y check-novalidate`` says."""
    signature_file = directory / "checked.sig"
    signature_file.write_bytes(armored)
    return (
        run(
            *("ssh-keygen", "-Y", "check-novalidate", "-n", namespace, "-s", signature_file), stdin=message
        ).returncode
        == 0
    )


def agreed_check(directory: Path, signature: bytes, message: bytes = MESSAGE) -> str:
    """`check_signature`'s code, after checking that ssh-keygen gives the same yes or no."""
    ours = check_signature(message, signature, NAMESPACE)
    real = real_check(directory, armor(signature).encode(), message)
    assert ours.ok == real, f"we: {ours}; ssh-keygen: {real}"
    return "ok" if ours.ok else ours.code


@dataclass(frozen=True)
class SoftKey:
    """A key in software, to sign what ssh-keygen would not: security keys, odd encodings."""

    blob: bytes
    sign_blob: Callable[[bytes], bytes]

    @property
    def line(self) -> str:
        """Type and base64."""
        kind = self.blob[4 : 4 + int.from_bytes(self.blob[:4], "big")].decode()
        return f"{kind} {base64.b64encode(self.blob).decode()}"

    def signature(
        self,
        message: bytes = MESSAGE,
        *,
        namespace: bytes = NAMESPACE.encode(),
        version: int = 1,
        reserved: bytes = b"",
        hash_algorithm: bytes = b"sha512",
        trailing: bytes = b"",
        data: bytes | None = None,
        key_blob: bytes | None = None,
    ) -> bytes:
        """A raw signature, with any part of it spoiled."""
        if data is None:
            name = hash_algorithm.rstrip(b"\0").decode()
            if name in ("sha256", "sha512"):
                data = signed_data(namespace.rstrip(b"\0").decode(), name, message)
            else:
                digest = hashlib.new(name, message).digest()
                data = b"SSHSIG" + string(namespace) + string(b"") + string(hash_algorithm) + string(digest)
        return b"".join(
            (
                b"SSHSIG",
                version.to_bytes(4, "big"),
                string(self.blob if key_blob is None else key_blob),
                string(namespace),
                string(reserved),
                string(hash_algorithm),
                string(self.sign_blob(data)),
                trailing,
            )
        )


def ed25519_key(seed: int = 1) -> SoftKey:
    """An Ed25519 key."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    point = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SoftKey(
        string(b"ssh-ed25519") + string(point),
        lambda data: string(b"ssh-ed25519") + string(private.sign(data)),
    )


def sk_ed25519_key(application: bytes = b"ssh:", flags: int = 1, counter: int = 7) -> SoftKey:
    """An Ed25519 security key, made in software after PROTOCOL.u2f."""
    private = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
    point = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = string(b"sk-ssh-ed25519@openssh.com")
    tail = bytes([flags]) + counter.to_bytes(4, "big")

    def sign_blob(data: bytes) -> bytes:
        signed = hashlib.sha256(application).digest() + tail + hashlib.sha256(data).digest()
        return name + string(private.sign(signed)) + tail

    return SoftKey(name + string(point) + string(application), sign_blob)


def ecdsa_signature(private: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """``mpint r, mpint s`` over data, for a key on P-256."""
    r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
    return mpint(r) + mpint(s)


def p256_private() -> ec.EllipticCurvePrivateKey:
    """A fixed private key on P-256."""
    return ec.derive_private_key(0x1234567890ABCDEF << 128 | 0xFEDCBA0987654321, ec.SECP256R1())


def _p256_fields(private: ec.EllipticCurvePrivateKey) -> bytes:
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return string(b"nistp256") + string(point)


def ecdsa_key() -> SoftKey:
    """An ECDSA key on P-256."""
    private = p256_private()
    name = string(b"ecdsa-sha2-nistp256")
    return SoftKey(name + _p256_fields(private), lambda data: name + string(ecdsa_signature(private, data)))


def sk_ecdsa_key(application: bytes = b"ssh:", flags: int = 5, counter: int = 99) -> SoftKey:
    """An ECDSA security key, made in software after PROTOCOL.u2f."""
    private = p256_private()
    name = string(b"sk-ecdsa-sha2-nistp256@openssh.com")
    tail = bytes([flags]) + counter.to_bytes(4, "big")

    def sign_blob(data: bytes) -> bytes:
        signed = hashlib.sha256(application).digest() + tail + hashlib.sha256(data).digest()
        return name + string(ecdsa_signature(private, signed)) + tail

    return SoftKey(name + _p256_fields(private) + string(application), sign_blob)


def webauthn_key(
    *,
    origin: bytes = b"https://example.org",
    client_data: Callable[[bytes], bytes] | None = None,
    flags: int = 1,
    extensions: bytes = b"",
) -> SoftKey:
    """An ECDSA security key that signs in a browser (``webauthn-sk-...`` signatures)."""
    private = p256_private()
    tail = bytes([flags]) + (3).to_bytes(4, "big")

    def sign_blob(data: bytes) -> bytes:
        challenge = base64.urlsafe_b64encode(data).rstrip(b"=")
        quoted = b'{"type":"webauthn.get","challenge":"%b","origin":"%b","crossOrigin":false}'
        wrapper = client_data(challenge) if client_data else quoted % (challenge, origin)
        signed = hashlib.sha256(b"ssh:").digest() + tail + extensions + hashlib.sha256(wrapper).digest()
        return b"".join(
            (
                string(b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com"),
                string(ecdsa_signature(private, signed)),
                tail,
                string(origin),
                string(wrapper),
                string(extensions),
            )
        )

    name = string(b"sk-ecdsa-sha2-nistp256@openssh.com")
    return SoftKey(name + _p256_fields(private) + string(b"ssh:"), sign_blob)


def certify(
    authority: SoftKey,
    subject: SoftKey,
    *,
    kind: int = 1,
    principals: tuple[bytes, ...] = (PRINCIPAL.encode(),),
    valid_after: int = 0,
    valid_before: int = 2**64 - 1,
    critical: bytes = b"",
    extensions: bytes = b"",
    authority_blob: bytes | None = None,
    type_name: bytes = b"ssh-ed25519-cert-v01@openssh.com",
    trailing: bytes = b"",
) -> SoftKey:
    """A certificate for an Ed25519 key, with any part of it spoiled (PROTOCOL.certkeys)."""
    fields = subject.blob[len(string(b"ssh-ed25519")) :]
    signed = b"".join(
        (
            string(type_name),
            string(b"nonce"),
            fields,
            (42).to_bytes(8, "big"),
            kind.to_bytes(4, "big"),
            string(b"an id"),
            string(b"".join(string(principal) for principal in principals)),
            valid_after.to_bytes(8, "big"),
            valid_before.to_bytes(8, "big"),
            string(critical),
            string(extensions),
            string(b""),
            string(authority.blob if authority_blob is None else authority_blob),
        )
    )
    return SoftKey(signed + string(authority.sign_blob(signed)) + trailing, subject.sign_blob)
