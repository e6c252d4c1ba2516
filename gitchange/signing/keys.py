"""SSH public keys and certificates: reading them, naming them, checking a signature made by them.

This module reads key blobs and ``authorized_keys``-style key text, gives fingerprints, and says
whether a signature over some bytes was made by a key. It does not decide whose key it is or
whether a certificate is in force (`gitchange.signing.verify`), and reads no private keys.

Sources: RFC 4253 section 6.6 and RFC 8332 (RSA), RFC 5656 (ECDSA), RFC 8709 (Ed25519), OpenSSH's
``PROTOCOL.u2f`` (security keys) and ``PROTOCOL.certkeys`` (certificates). Where they leave room,
OpenSSH's ``sshkey.c``, ``ssh-*.c`` and ``authfile.c`` decide, quirks included, since evidence must
have one answer: ours and ``ssh-keygen``'s.

Three things that ssh-keygen 9.2 accepts are refused on purpose:

- ``ssh-dss``, as a signer's and as a certificate authority's key: SHA-1 over 1024 bits, removed
  from OpenSSH 10.0;
- ``ssh-rsa`` *signatures* (SHA-1; RFC 8332 keeps the key type). ssh-keygen refuses them in an
  SSHSIG too, but lets an authority sign a certificate with one;
- RSA keys with an even or smaller-than-3 public exponent, or an even modulus: with exponent 1,
  anybody can sign.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from gitchange.signing.key_types import (
    CERTIFIED_TYPES,
    CURVES,
    ED25519,
    RSA,
    SHORT_NAMES,
    SK_ECDSA,
    SK_ED25519,
    TYPE_NAMES,
)
from gitchange.signing.wire import Reader, WireError, decode_base64, mpint, string
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MINIMUM_RSA_BITS: Final = 1024
"""``SSH_RSA_MINIMUM_MODULUS_SIZE`` of ``sshkey.h``."""

MAX_CERTIFICATE_PRINCIPALS: Final = 256
"""``SSHKEY_CERT_MAX_PRINCIPALS`` of ``sshkey.h``."""

MAX_SIGNED_BYTES: Final = 1 << 20
"""``SSH_KEY_MAX_SIGN_DATA_SIZE`` of ``sshkey.h``: no key signs more bytes than this at once."""

USER_CERTIFICATE: Final = 1
"""``SSH2_CERT_TYPE_USER``: `Certificate.type` of a certificate for a person."""

HOST_CERTIFICATE: Final = 2
"""``SSH2_CERT_TYPE_HOST``: `Certificate.type` of a certificate for a machine."""


class KeyFormatError(ValueError):
    """A key or certificate cannot be used. `code` is one of these:

    ``key.format``             not the encoding of a key
    ``key.type``               a key type that is unknown or refused
    ``key.size``               an RSA modulus of fewer than `MINIMUM_RSA_BITS`
    ``key.point``              an elliptic-curve point that no key can have
    ``certificate.format``     not the encoding of a certificate
    ``certificate.authority``  the key of the certificate's authority cannot be used
    ``certificate.signature``  the authority did not sign this certificate
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class PublicKey(Value):
    """A public key, plain or certified. Made by `parse_public_key` and its kin, which check it.

    Two are equal exactly if OpenSSH's ``sshkey_equal`` says so: the same plain key, however its
    blob was spelled, or the same certificate byte for byte.
    """

    type: str
    """The type's own name, e.g. ``ssh-ed25519`` or ``ssh-rsa-cert-v01@openssh.com``."""
    blob: bytes
    """A plain key: its encoding in OpenSSH's spelling. A certificate: the bytes as they came."""

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, if this key is one."""
        return _certificate(self.blob) if self.type in CERTIFIED_TYPES else None

    @property
    def plain(self) -> PublicKey:
        """The key itself, without its certificate."""
        certificate = self.certificate
        return certificate.key if certificate else self

    @property
    def fingerprint(self) -> str:
        """``SHA256:`` and unpadded base64, as ``ssh-keygen -l`` prints it.

        That of a certificate is the fingerprint of the key that it certifies, as there.
        """
        return _fingerprint(self.plain.blob)

    @property
    def line(self) -> str:
        """Type and base64, as in a ``.pub`` file or in allowed signers, without a comment."""
        return f"{self.type} {base64.b64encode(self.blob).decode('ascii')}"

    def verify(self, signature_blob: bytes, data: bytes) -> bool:
        """Whether this key made `signature_blob` (algorithm name and signature) over `data`.

        OpenSSH's ``sshkey_verify`` without a demanded algorithm. A security key's flags and
        counter are covered by its signature and otherwise not judged, as in ``ssh-keygen -Y verify``:
        a signature made without a touch is accepted.
        """
        if len(data) > MAX_SIGNED_BYTES:
            return False
        from gitchange.signing.algorithms import verifier  # noqa: PLC0415  lazy: loads cryptography

        try:
            return verifier(self.plain.blob)(signature_blob, data)
        except WireError:
            return False


class Certificate(Value):
    """An OpenSSH certificate (``PROTOCOL.certkeys``) whose authority's signature holds.

    Whether it is in force for a person at a time is for `gitchange.signing.verify`.
    """

    nonce: bytes
    """Random bytes that the authority put in."""
    key: PublicKey
    """The plain key that is certified."""
    serial: int
    """The authority's number for it; 0 if it does not number."""
    type: int
    """`USER_CERTIFICATE` or `HOST_CERTIFICATE`."""
    key_id: str
    """The authority's free text, e.g. a name; for display and logs."""
    principals: tuple[str, ...]
    """For whom it is valid; for signatures an empty list is nobody."""
    valid_after: int
    """First second at which it is valid, seconds since 1970 UTC."""
    valid_before: int
    """First second at which it is no longer valid; ``2**64 - 1`` is never."""
    critical_options: tuple[tuple[str, bytes], ...]
    """Names and encoded values. ssh-keygen does not let them bear on signatures of files."""
    extensions: tuple[tuple[str, bytes], ...]
    """Names and encoded values; they concern logins only."""
    authority: PublicKey
    """The plain key that signed it (the CA)."""
    signature: bytes
    """The authority's signature blob."""


def parse_public_key(blob: bytes) -> PublicKey:
    """Read a key blob, plain or certificate (OpenSSH's ``sshkey_from_blob``).

    A certificate's own signature is checked here, as OpenSSH does. Raises `KeyFormatError`.
    """
    return _parse(blob)


def parse_public_line(line: str | bytes) -> PublicKey:
    """Read ``TYPE BASE64 [COMMENT]``, the content of a ``.pub`` file. Raises `KeyFormatError`."""
    text = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
    return read_public_key(text.lstrip(b" \t"))[0]


def read_public_key(text: bytes) -> tuple[PublicKey, bytes]:
    """Read the key at the start of `text`, and return it with what follows it (``sshkey_read``).

    Only spaces and tabs separate; the rest starts at the comment. Raises `KeyFormatError`.
    """
    name, _, rest = text.replace(b"\t", b" ").partition(b" ")
    kind = TYPE_NAMES.get(name)
    if kind is None:
        raise KeyFormatError("key.type", f"{_shown(name)} is no key type that is accepted here")
    encoded = rest.lstrip(b" ").partition(b" ")[0]
    try:
        key = parse_public_key(decode_base64(encoded))
    except WireError as error:
        raise KeyFormatError("key.format", f"the key is not readable: {error}") from None
    if key.type != kind:
        raise KeyFormatError("key.type", f"the key says {_shown(name)} but is a {key.type}")
    # The rest is cut from the original, in which tabs are still tabs.
    start = len(text) - len(rest.lstrip(b" ")) + len(encoded)
    return key, text[start:].lstrip(b" \t")


@lru_cache(maxsize=4096)
def _parse(blob: bytes) -> PublicKey:
    try:
        reader = Reader(blob)
        kind = _read_type(reader)
        if kind in CERTIFIED_TYPES:
            _certificate(blob)
            return PublicKey(type=kind, blob=blob)
        key = _read_plain(kind, reader)
        reader.finish()
    except WireError as error:
        raise KeyFormatError("key.format", f"the key is not readable: {error}") from None
    return key


def _read_type(reader: Reader) -> str:
    name = reader.cstring()
    kind = TYPE_NAMES.get(name) or SHORT_NAMES.get(name.lower())
    if kind is None:
        raise KeyFormatError("key.type", f"{_shown(name)} is no key type that is accepted here")
    return kind


def _read_plain(kind: str, reader: Reader) -> PublicKey:
    """The fields after the type's name, checked, and written anew in OpenSSH's spelling."""
    if kind in (ED25519, SK_ED25519):
        point = reader.string()
        if len(point) != 32:
            raise KeyFormatError("key.format", "an Ed25519 key has 32 bytes")
        fields = string(point)
    elif kind == RSA:
        exponent, modulus = reader.mpint(), reader.mpint()
        if modulus.bit_length() < MINIMUM_RSA_BITS:
            raise KeyFormatError(
                "key.size", f"an RSA key of {modulus.bit_length()} bits; at least {MINIMUM_RSA_BITS}"
            )
        fields = mpint(exponent) + mpint(modulus)
    else:
        curve, order = CURVES["ecdsa-sha2-nistp256" if kind == SK_ECDSA else kind]
        if reader.cstring() != curve:
            raise KeyFormatError("key.format", "the curve is not the one that the key's type names")
        point = reader.string()
        _check_point(curve, order, point)
        fields = string(curve) + string(point)
    if kind in (SK_ED25519, SK_ECDSA):
        fields += string(reader.cstring())  # the application, usually "ssh:" (PROTOCOL.u2f)
    return PublicKey(type=kind, blob=string(kind.encode()) + fields)


def _check_point(curve: bytes, order: int, point: bytes) -> None:
    # sshbuf_get_eckey takes uncompressed points only; sshkey_ec_validate_public bounds both
    # coordinates. (Its last test, order times point is infinity, holds for every point of these curves.)
    from gitchange.signing.algorithms import coordinates  # noqa: PLC0415  lazy: loads cryptography

    try:
        if not point or point[0] != 4:
            raise ValueError
        x, y = coordinates(curve, point)
    except ValueError:
        raise KeyFormatError("key.point", "the key is no point of its curve") from None
    for number in (x, y):
        if number.bit_length() <= order.bit_length() // 2 or number >= order - 1:
            raise KeyFormatError("key.point", "a coordinate of the key is out of bounds")


@lru_cache(maxsize=4096)
def _certificate(blob: bytes) -> Certificate:
    """Read a certificate and check its authority's signature (``cert_parse`` of ``sshkey.c``)."""
    try:
        reader = Reader(blob)
        kind = _read_type(reader)
        nonce = reader.string()
        key = _read_plain(CERTIFIED_TYPES[kind], reader)
        serial = reader.uint64()
        certificate_type = reader.uint32()
        key_id = _decode(reader.cstring())
        principals = _principals(reader.string())
        valid_after, valid_before = reader.uint64(), reader.uint64()
        critical_options = _options(reader.string())
        extensions = _options(reader.string())
        reader.string()  # reserved
        authority_blob = reader.string()
        signed = blob[: reader.position]
        signature = reader.string()
        reader.finish()
    except WireError as error:
        raise KeyFormatError("certificate.format", f"the certificate is not readable: {error}") from None
    if certificate_type not in (USER_CERTIFICATE, HOST_CERTIFICATE):
        raise KeyFormatError("certificate.format", f"the certificate has the unknown type {certificate_type}")
    authority = _authority(authority_blob)
    if not authority.verify(signature, signed):
        raise KeyFormatError("certificate.signature", "the certificate is not signed by its authority")
    return Certificate(
        nonce=nonce,
        key=key,
        serial=serial,
        type=certificate_type,
        key_id=key_id,
        principals=principals,
        valid_after=valid_after,
        valid_before=valid_before,
        critical_options=critical_options,
        extensions=extensions,
        authority=authority,
        signature=signature,
    )


def _authority(blob: bytes) -> PublicKey:
    # The type is looked at first, so that certificates within certificates are never unpacked.
    try:
        reader = Reader(blob)
        if _read_type(reader) in CERTIFIED_TYPES:
            raise KeyFormatError(
                "certificate.authority", "the certificate's authority is a certificate itself"
            )
        return parse_public_key(blob)
    except (WireError, KeyFormatError) as error:
        raise KeyFormatError(
            "certificate.authority", f"the certificate's authority has no usable key: {error}"
        ) from None


def _principals(section: bytes) -> tuple[str, ...]:
    reader = Reader(section)
    names: list[str] = []
    while not reader.at_end:
        if len(names) == MAX_CERTIFICATE_PRINCIPALS:
            raise KeyFormatError(
                "certificate.format", f"the certificate has over {MAX_CERTIFICATE_PRINCIPALS} principals"
            )
        names.append(_decode(reader.cstring()))
    return tuple(names)


def _options(section: bytes) -> tuple[tuple[str, bytes], ...]:
    reader = Reader(section)
    options: list[tuple[str, bytes]] = []
    while not reader.at_end:
        options.append((_decode(reader.string()), reader.string()))
    return tuple(options)


@lru_cache(maxsize=4096)
def _fingerprint(blob: bytes) -> str:
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def _decode(name: bytes) -> str:
    # Keeps bytes that are not UTF-8, each as a lone surrogate, so that comparing stays exact.
    return name.decode("utf-8", "surrogateescape")


def _shown(name: bytes) -> str:
    # Quoted, control characters escaped: the name comes from outside and ends on a terminal.
    return repr(_decode(name[:80]))
