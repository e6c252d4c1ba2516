"""How each type of SSH key signs: functions that check a signature blob over data.

The only module of this room that imports cryptography; `gitchange.signing.keys` imports it when a
signature is checked, so that reading files does not pay for it. It takes keys that are already
read and gives a yes or no, and leaves certificates and every question of trust to others.

Sources: OpenSSH's ``ssh-ed25519.c``, ``ssh-ecdsa.c``, ``ssh-rsa.c``, ``ssh-ed25519-sk.c``,
``ssh-ecdsa-sk.c`` and ``PROTOCOL.u2f``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gitchange.signing.key_types import ED25519, RSA, SK_ECDSA, SK_ED25519, WEBAUTHN
from gitchange.signing.wire import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

Verifier = Callable[[bytes, bytes], bool]
"""Takes a signature blob (algorithm name and signature) and the data; says whether it holds."""

# Order of the Ed25519 group, RFC 8032 section 5.1.
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


# Most keys are Ed25519: what only the others need is imported when one of them comes.


@lru_cache(maxsize=1)
def _curves() -> dict[bytes, tuple[ec.EllipticCurve, hashes.HashAlgorithm]]:
    """Each curve with its hash, RFC 5656 section 6.2.1."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return {
        b"nistp256": (ec.SECP256R1(), hashes.SHA256()),
        b"nistp384": (ec.SECP384R1(), hashes.SHA384()),
        b"nistp521": (ec.SECP521R1(), hashes.SHA512()),
    }


@lru_cache(maxsize=4096)
def verifier(blob: bytes) -> Verifier:
    """The function that checks signatures by the plain key `blob`; the key is loaded once.

    `blob` is one that `gitchange.signing.keys` has checked. The function may raise
    `gitchange.signing.wire.WireError`, which means no.
    """
    reader = Reader(blob)
    kind = reader.cstring().decode("ascii")
    if kind == ED25519:
        return _ed25519_verifier(reader)
    if kind == SK_ED25519:
        return _sk_ed25519_verifier(reader)
    if kind == RSA:
        return _rsa_verifier(reader)
    if kind == SK_ECDSA:
        return _sk_ecdsa_verifier(reader)
    return _ecdsa_verifier(kind, reader)


def _raw_ed25519(point: bytes) -> Verifier:
    """Checks 64 bytes of signature over data, as the ``crypto_sign_ed25519_open`` of OpenSSH does."""

    key = Ed25519PublicKey.from_public_bytes(point)

    def verify(signature: bytes, data: bytes) -> bool:
        if len(signature) != 64:
            return False
        # RFC 8032 section 5.1.7 wants S below the group's order. OpenSSH bounds it by 2**253 only, so
        # every signature has a second spelling there; it is brought to the first one here. (ECDSA
        # signatures have a second spelling by nature: a signature's bytes identify nothing.)
        scalar = int.from_bytes(signature[32:], "little")
        if _ORDER <= scalar < 1 << 253:
            signature = signature[:32] + (scalar % _ORDER).to_bytes(32, "little")
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return verify


def _ed25519_verifier(fields: Reader) -> Verifier:
    raw = _raw_ed25519(fields.string())

    def verify(signature_blob: bytes, data: bytes) -> bool:
        reader = Reader(signature_blob)
        if reader.cstring() != b"ssh-ed25519":
            return False
        signature = reader.string()
        reader.finish()
        return raw(signature, data)

    return verify


def _sk_ed25519_verifier(fields: Reader) -> Verifier:
    # ssh-ed25519-sk.c: what the key signs is H(application) || flags || counter || H(data).
    raw = _raw_ed25519(fields.string())
    application = hashlib.sha256(fields.cstring()).digest()

    def verify(signature_blob: bytes, data: bytes) -> bool:
        reader = Reader(signature_blob)
        if reader.cstring() != SK_ED25519.encode():
            return False
        signature = reader.string()
        flags_and_counter = reader.take(5)
        reader.finish()
        return raw(signature, application + flags_and_counter + hashlib.sha256(data).digest())

    return verify


def _rsa_verifier(fields: Reader) -> Verifier:
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import padding, rsa  # noqa: PLC0415

    # RFC 8332 section 3; "ssh-rsa", which is SHA-1, is left out on purpose.
    algorithms = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}
    scheme = padding.PKCS1v15()
    exponent, modulus = fields.mpint(), fields.mpint()
    size = (modulus.bit_length() + 7) // 8
    try:
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:  # a degenerate key, see gitchange.signing.keys
        return lambda _signature_blob, _data: False

    def verify(signature_blob: bytes, data: bytes) -> bool:
        reader = Reader(signature_blob)
        algorithm = algorithms.get(reader.cstring())
        signature = reader.string()
        reader.finish()
        if algorithm is None or len(signature) > size:
            return False
        try:
            # ssh-rsa.c puts back the leading zeros that some signers leave out.
            key.verify(signature.rjust(size, b"\0"), data, scheme, algorithm)
        except InvalidSignature:
            return False
        return True

    return verify


def _raw_ecdsa(fields: Reader) -> Verifier:
    """Checks ``mpint r, mpint s`` over data, hashed with the curve's hash (RFC 5656 section 6.2.1)."""

    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature  # noqa: PLC0415

    curve, curve_hash = _curves()[fields.cstring()]
    key = ec.EllipticCurvePublicKey.from_encoded_point(curve, fields.string())
    algorithm = ec.ECDSA(curve_hash)

    def verify(signature: bytes, data: bytes) -> bool:
        reader = Reader(signature)
        r, s = reader.mpint(), reader.mpint()
        reader.finish()
        try:
            key.verify(encode_dss_signature(r, s), data, algorithm)
        except InvalidSignature:
            return False
        return True

    return verify


def _ecdsa_verifier(kind: str, fields: Reader) -> Verifier:
    raw = _raw_ecdsa(fields)
    name = kind.encode()

    def verify(signature_blob: bytes, data: bytes) -> bool:
        reader = Reader(signature_blob)
        if reader.cstring() != name:
            return False
        signature = reader.string()
        reader.finish()
        return raw(signature, data)

    return verify


def _sk_ecdsa_verifier(fields: Reader) -> Verifier:
    # ssh-ecdsa-sk.c: what the key signs is H(application) || flags || counter || extensions || H(message);
    # the message is the data, or for a signature made by a browser the clientData that quotes the data.
    raw = _raw_ecdsa(fields)
    application = hashlib.sha256(fields.cstring()).digest()

    def verify(signature_blob: bytes, data: bytes) -> bool:
        reader = Reader(signature_blob)
        algorithm = reader.cstring()
        signature = reader.string()
        flags_and_counter = reader.take(5)
        extensions = b""
        message = data
        if algorithm == WEBAUTHN:
            origin, message, extensions = reader.cstring(), reader.string(), reader.string()
            if not _is_client_data(message, origin, data, flags_and_counter[0], extensions):
                return False
        elif algorithm != SK_ECDSA.encode():
            return False
        reader.finish()
        message_hash = hashlib.sha256(message).digest()
        return raw(signature, application + flags_and_counter + extensions + message_hash)

    return verify


def _is_client_data(client_data: bytes, origin: bytes, data: bytes, flags: int, extensions: bytes) -> bool:
    """Whether WebAuthn's clientData quotes `data` (``webauthn_check_prepare_hash``, PROTOCOL.u2f).

    The JSON is not parsed: its start must be exactly the serialisation that WebAuthn level 2
    section 5.8.1.1 prescribes. The flag "attested data" must be unset, "extension data" must tell the truth.
    """
    if b'"' in origin or flags & 0x40 or bool(flags & 0x80) != bool(extensions):
        return False
    challenge = base64.urlsafe_b64encode(data).rstrip(b"=")
    return client_data.startswith(
        b'{"type":"webauthn.get","challenge":"' + challenge + b'","origin":"' + origin + b'"'
    )


def coordinates(curve: bytes, point: bytes) -> tuple[int, int]:
    """The coordinates of an encoded point of the curve. Raises ValueError if it is none."""
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    numbers = ec.EllipticCurvePublicKey.from_encoded_point(_curves()[curve][0], point).public_numbers()
    return numbers.x, numbers.y
