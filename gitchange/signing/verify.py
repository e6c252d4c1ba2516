"""Does this signature hold, and may its signer speak for this person?

`verify` gives the answer of ``ssh-keygen -Y verify`` without running it, `check_signature` that of
``ssh-keygen -Y check-novalidate``. Both return a `Verification`, also for a signature that is no
signature; nothing is raised for what the bytes hold.

Left to others: what the signed message says, which policy's allowed signers are in force, and at
which time to judge. A signer can claim any time, so what may be passed as `at` is a question of
trust (the claimed time alone does not stop anybody from backdating).

The rules are those of OpenSSH 9.2 (``sshsig.c``: ``sshsig_wrap_verify``, ``check_allowed_keys_line``;
``sshkey.c``: ``sshkey_cert_check_authority``). The deliberate differences stand at the head of
`gitchange.signing.keys`; each is a refusal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gitchange.signing.keys import USER_CERTIFICATE
from gitchange.signing.sshsig import SignatureFormatError, parse_signature
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from gitchange.signing.allowed_signers import AllowedSigner, AllowedSigners
    from gitchange.signing.keys import Certificate
    from gitchange.signing.sshsig import SshSignature

CODES: Final = {
    "signature.format": "the bytes are not an SSH signature",
    "signature.version": "the signature's version is not known",
    "signature.hash-algorithm": "the message was hashed with something else than sha256 or sha512",
    "signature.namespace": "the signature was made for another namespace",
    "signature.invalid": "the key did not sign this message, or signed with an algorithm that is refused",
    "key.format": "the key in the signature is not readable",
    "key.type": "the key is of a type that is unknown or refused",
    "key.size": "the RSA key is too short",
    "key.point": "the key is no point of its curve",
    "certificate.format": "the certificate is not readable",
    "certificate.authority": "the certificate's authority has no usable key",
    "certificate.signature": "the certificate is not signed by its authority",
    "certificate.not-user": "the certificate is for a machine, not for a person",
    "certificate.not-yet-valid": "the certificate is valid only later",
    "certificate.expired": "the certificate is no longer valid",
    "certificate.no-principals": "the certificate names nobody",
    "certificate.principal": "the certificate names others",
    "signer.unknown": "no line lists the key, or its certificate's authority",
    "signer.principal": "the lines that list the key are about others",
    "signer.namespace": "the key may not sign in this namespace",
    "signer.not-yet-valid": "the key may sign only later",
    "signer.expired": "the key may no longer sign",
}
"""Every `Verification.code` but ``""``, with its meaning."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


class CertificateSummary(Value):
    """Which certificate signed, for display."""

    key_id: str
    """What the authority calls it; untrusted text."""
    serial: int
    """The authority's number for it."""
    authority_fingerprint: str
    """Fingerprint of the authority's key, ``SHA256:...``."""


class Verification(Value):
    """The answer about one signature."""

    ok: bool
    """Whether the signature counts."""
    code: str
    """Why not: a key of `CODES`; empty if `ok`."""
    message: str
    """One English sentence; names from outside are quoted in it and safe to print."""
    key_type: str
    """Type of the key in the signature, e.g. ``ssh-ed25519``; empty if it could not be read."""
    fingerprint: str
    """Its fingerprint, for a certificate that of the certified key; empty if it could not be read."""
    certificate: CertificateSummary | None
    """The certificate, if the signer's key is one."""


def verify(
    message: bytes,
    signature: bytes,
    *,
    allowed: AllowedSigners,
    principal: str,
    namespace: str,
    at: datetime,
) -> Verification:
    """Whether `signature` (raw, without armor) is `principal`'s over `message`, as judged at `at`.

    The same answer as ``ssh-keygen -Y verify -f ALLOWED -I principal -n namespace -Overify-time=AT
    -s SIGNATURE < message`` with ``TZ=UTC``. `at` must carry a zone; fractions of its second are cut.

    1. The signature is readable: version, hash, key and nothing after it. A certificate is signed
       by its authority.
    2. It was made for `namespace`.
    3. Its key made it over `message`.
    4. A line lists the key, or the certificate's authority; any one line that passes all of the
       following suffices.
    5. The line is about `principal`.
    6. A certificate is a person's, in force at `at`, and names `principal` (no wildcards).
    7. The line lets the key sign in `namespace`.
    8. The line lets the key sign at `at`: not before ``valid-after``, not after ``valid-before``.

    Raises ValueError if `at` has no zone.
    """
    if at.tzinfo is None:
        raise ValueError("the time to judge by has no zone")
    parsed = _check(message, signature, namespace)  # 1, 2, 3
    if isinstance(parsed, Verification):
        return parsed
    certificate = parsed.public_key.certificate
    seconds = (at - _EPOCH) // _SECOND
    # 4. One line's refusal never outweighs another's consent. The refusal to tell of is the one of
    # the line that came furthest.
    furthest = _Refusal(
        4,
        "signer.unknown",
        f"no line lists the certificate's authority {certificate.authority.fingerprint}"
        if certificate
        else f"no line lists the key {parsed.public_key.fingerprint}",
    )
    for entry in allowed.entries_of(parsed.public_key):
        refusal = _check_line(entry, certificate, principal, namespace, seconds)
        if refusal is None:
            return _answer(parsed, "", f"good signature for {principal!a} in {namespace!a}")
        if refusal.step > furthest.step:
            furthest = refusal
    return _answer(parsed, furthest.code, furthest.message)


def check_signature(message: bytes, signature: bytes, namespace: str) -> Verification:
    """Whether `signature` (raw) holds over `message` in `namespace`, whoever made it.

    Steps 1 to 3 of `verify`; the same answer as ``ssh-keygen -Y check-novalidate -n namespace
    -s SIGNATURE < message``.
    """
    parsed = _check(message, signature, namespace)
    if isinstance(parsed, Verification):
        return parsed
    return _answer(parsed, "", f"good signature in {namespace!a}; whose it is was not asked")


class _Refusal(Value):
    """Why one line does not let the signature count, and at which step of `verify`."""

    step: int
    code: str
    message: str


@lru_cache(maxsize=256)
def _check(message: bytes, signature: bytes, namespace: str) -> SshSignature | Verification:
    # The same bytes give the same answer; one sign-off is asked about from the notes and from the record.
    # 1. Readable.
    try:
        parsed = parse_signature(signature)
    except SignatureFormatError as error:
        return Verification(False, error.code, error.message, "", "", None)
    # 2. The namespace. Before the signature: "made for something else" is the better answer.
    if parsed.namespace != namespace:
        return _answer(
            parsed,
            "signature.namespace",
            f"the signature was made for {parsed.namespace!a}, not for {namespace!a}",
        )
    # 3. The signature itself.
    if not parsed.verify(message):
        return _answer(parsed, "signature.invalid", "the signature does not belong to this text and key")
    return parsed


def _check_line(
    entry: AllowedSigner, certificate: Certificate | None, principal: str, namespace: str, seconds: int
) -> _Refusal | None:
    # 5. The person.
    if not entry.matches_principal(principal):
        return _Refusal(5, "signer.principal", f"the key is not listed for {principal!a}")
    # 6. The certificate. On a line that lists the certificate itself nothing of it is asked.
    if entry.cert_authority and certificate:
        refusal = _check_certificate(certificate, principal, seconds)
        if refusal:
            return refusal
    # 7. The namespace.
    if not entry.matches_namespace(namespace):
        return _Refusal(7, "signer.namespace", f"the key may not sign in {namespace!a}")
    # 8. The time. Unlike a certificate's, a line's last second is still good.
    if entry.valid_after and seconds < _seconds(entry.valid_after):
        return _Refusal(
            8, "signer.not-yet-valid", f"the key may sign from {_when(_seconds(entry.valid_after))} on"
        )
    if entry.valid_before and seconds > _seconds(entry.valid_before):
        return _Refusal(
            8, "signer.expired", f"the key could sign until {_when(_seconds(entry.valid_before))}"
        )
    return None


def _check_certificate(certificate: Certificate, principal: str, seconds: int) -> _Refusal | None:
    """``sshkey_cert_check_authority`` with a name. Critical options are not asked there, nor here."""
    if certificate.type != USER_CERTIFICATE:
        return _Refusal(6, "certificate.not-user", "the certificate is a host's, not a person's")
    if seconds < certificate.valid_after:
        return _Refusal(
            6,
            "certificate.not-yet-valid",
            f"the certificate is valid from {_when(certificate.valid_after)} on",
        )
    if seconds >= certificate.valid_before:
        return _Refusal(
            6, "certificate.expired", f"the certificate was valid until {_when(certificate.valid_before)}"
        )
    if not certificate.principals:
        return _Refusal(6, "certificate.no-principals", "the certificate names no principals")
    if principal not in certificate.principals:
        return _Refusal(6, "certificate.principal", f"the certificate does not name {principal!a}")
    return None


def _answer(parsed: SshSignature, code: str, message: str) -> Verification:
    key = parsed.public_key
    certificate = key.certificate
    summary = None
    if certificate:
        summary = CertificateSummary(
            key_id=certificate.key_id,
            serial=certificate.serial,
            authority_fingerprint=certificate.authority.fingerprint,
        )
    return Verification(not code, code, message, key.type, key.fingerprint, summary)


def _seconds(time: datetime) -> int:
    return (time - _EPOCH) // _SECOND


def _when(seconds: int) -> str:
    """A time as text; a certificate's can lie beyond what a calendar holds."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"
