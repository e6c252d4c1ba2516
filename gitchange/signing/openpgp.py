"""The OpenPGP signature packet: taken apart strictly, put into its one spelling, armor taken off.

Framing only, and no library: whether a signature holds, and for whom, is for
`gitchange.signing.certificates`; making one is for `gitchange.signing.gpg`.

The format is RFC 9580 (sections 4.2, 5.2). Of its many spellings one is accepted, so that nobody who does not hold the
key can spell a sign-off anew (docs/adr/0004-one-spelling.md):

- one Signature packet, in the packet format of RFC 9580 with the shortest length, and nothing after it;
- version 4 or 6, over a binary document, hashed with SHA-256, SHA-384 or SHA-512;
- in the hashed area one creation time, one issuer fingerprint and no expiry;
- in the unhashed area, which no signature covers, what GnuPG writes there and nothing else: for version 4 the issuer's
  key ID, which follows from the fingerprint; for version 6 nothing;
- the left 16 bits of the hash are those of the message (libraries may ignore them);
- numbers in their shortest form.
"""

from __future__ import annotations

import binascii
import hashlib
from datetime import UTC, datetime

from gitchange.signing.sshsig import SignatureFormatError
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

PREFIX: Final = "openpgp:"
"""What the name of an OpenPGP key begins with; its fingerprint follows, in lower-case hexadecimal."""

HASHES: Final = {8: "sha256", 9: "sha384", 10: "sha512"}
"""Hash algorithms that are accepted, RFC 9580 section 9.5: no MD5, no SHA-1, nothing shorter than 256 bits."""

ALGORITHMS: Final = {1: "rsa", 3: "rsa", 19: "ecdsa", 22: "eddsa", 27: "ed25519", 28: "ed448"}
"""Public-key algorithms that are accepted, RFC 9580 section 9.1, by their name in `key_type`. No DSA, as with SSH."""

MAX_BYTES: Final = 16 * 1024
"""Longest signature that is read: one of an RSA key of 16,384 bits has about 2,200 bytes."""

_NUMBERS: Final = {1: 1, 3: 1, 19: 2, 22: 2}
"""How many multiprecision integers a signature of the algorithm is (section 5.2.3)."""
_OCTETS: Final = {27: 64, 28: 114}
"""How many octets a signature of the algorithm has, where it is no integers (sections 5.2.3.4 and 5.2.3.5)."""
_SALTS: Final = {8: 16, 9: 24, 10: 32}
"""Length of version 6's salt, by hash (section 9.5, table 23)."""

_SIGNATURE_TAG: Final = 2
_BINARY: Final = 0x00

# Types of subpackets, section 5.2.3.7.
_CREATED: Final = 2
_EXPIRES: Final = 3
_ISSUER_KEY_ID: Final = 16
_ISSUER_FINGERPRINT: Final = 33

_BEGIN: Final = b"-----BEGIN PGP SIGNATURE-----"
_END: Final = b"-----END PGP SIGNATURE-----"


class OpenPgpSignature(Value):
    """A signature taken apart; nothing in it is verified."""

    version: int
    """4 or 6."""
    algorithm: str
    """A value of `ALGORITHMS`."""
    hash_name: str
    """A value of `HASHES`."""
    issuer: str
    """Fingerprint of the key or subkey that claims to have signed, lower-case hexadecimal."""
    created: datetime
    """When, as the signer's clock claimed; it is signed, and still only a claim."""
    left: bytes
    """The first two bytes of the message's digest."""
    covered: bytes
    """What follows the message under the hash: the signed part of the packet, and the trailer."""
    salt: bytes
    """What precedes the message under the hash; empty in version 4."""

    @property
    def key(self) -> str:
        """The signing key's name, as an envelope's `keyid` spells it."""
        return PREFIX + self.issuer

    def may_be_about(self, message: bytes) -> bool:
        """Whether the digest's first 16 bits are the message's (section 5.2.4): cheap, and no proof."""
        digest = hashlib.new(self.hash_name, self.salt + message + self.covered)
        return digest.digest()[:2] == self.left


def parse_openpgp(blob: bytes) -> OpenPgpSignature:
    """Take a raw signature apart. Raises `SignatureFormatError`, and nothing else.

    ``signature.format``          no signature packet, or something besides it
    ``signature.version``         a version other than 4 and 6
    ``signature.type``            made over something else than a binary document
    ``signature.hash-algorithm``  a hash that is weak or not known
    ``signature.expires``         the signature itself runs out: a sign-off does not
    ``signature.spelling``        in another spelling than the one that is accepted
    ``key.type``                  an algorithm that is not known or refused
    """
    body = _body(blob)
    parsed, numbers, unhashed = _parse_body(body)
    if blob != _framed(body):
        raise SignatureFormatError("signature.spelling", "the packet is not framed in its shortest form")
    if unhashed != _canonical_unhashed(parsed):
        raise SignatureFormatError(
            "signature.spelling", "beside the signed part stands something else than the key's own ID"
        )
    _check_numbers(body[2], numbers)
    return parsed


def normalised(blob: bytes) -> bytes:
    """The one spelling of a signature that a signing tool wrote; raises `SignatureFormatError`.

    Frames the packet anew and puts the issuer alone in the unhashed area: no signature covers either.
    """
    body = _body(blob)
    parsed, _, _ = _parse_body(body)
    width = 2 if parsed.version == 4 else 4
    start = 4 + width + int.from_bytes(body[4 : 4 + width], "big")
    end = start + width + int.from_bytes(body[start : start + width], "big")
    unhashed = _canonical_unhashed(parsed)
    result = _framed(body[:start] + len(unhashed).to_bytes(width, "big") + unhashed + body[end:])
    parse_openpgp(result)
    return result


def dearmor_openpgp(text: bytes) -> bytes:
    """The raw signature in the first armored one (RFC 9580 section 6.2), as ``gpg -bsa`` prints it.

    For what a signing tool wrote; sign-offs hold no armor. Raises `SignatureFormatError`.
    """
    lines = [line.rstrip() for line in text.split(b"\n")]
    try:
        start = lines.index(_BEGIN)
        end = lines.index(_END, start)
        blank = lines.index(b"", start, end)
    except ValueError:
        raise SignatureFormatError("signature.armor", "there is no armored OpenPGP signature") from None
    body = lines[blank + 1 : end]
    if body and body[-1].startswith(b"="):  # the CRC-24, which section 6.1 lets readers ignore
        body.pop()
    try:
        return binascii.a2b_base64(b"".join(body), strict_mode=True)
    except binascii.Error as error:
        raise SignatureFormatError(
            "signature.armor", f"the armored signature is not base64: {error}"
        ) from None


def _malformed(message: str) -> SignatureFormatError:
    return SignatureFormatError("signature.format", f"the OpenPGP signature is not readable: {message}")


def _body(blob: bytes) -> bytes:
    """The body of the one Signature packet, in whatever framing (section 4.2)."""
    if len(blob) > MAX_BYTES:
        raise _malformed(f"it has {len(blob)} bytes, at most {MAX_BYTES} are read")
    if len(blob) < 2 or not blob[0] & 0x80:
        raise _malformed("it is neither an SSH signature nor an OpenPGP packet")
    if blob[0] & 0x40:
        tag = blob[0] & 0x3F
        length, start = _new_length(blob, 1)
    else:
        tag = blob[0] >> 2 & 0x0F
        width = (1, 2, 4, 0)[blob[0] & 3]
        if not width:
            raise _malformed("the packet has no length")
        start = 1 + width
        length = int.from_bytes(blob[1:start], "big")
    if tag != _SIGNATURE_TAG:
        raise _malformed(f"the packet has tag {tag}, not that of a signature")
    if start + length < len(blob):
        raise _malformed("something follows the signature")
    if start + length > len(blob):
        raise _malformed("the packet is cut off")
    return blob[start:]


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    """A length of section 4.2.1 or 5.2.3.7 and where what it measures begins; no partial lengths."""
    first = data[at : at + 1]
    if first and first[0] < 192:
        return first[0], at + 1
    if first and first[0] < 224 and len(data) > at + 1:
        return ((first[0] - 192) << 8) + data[at + 1] + 192, at + 2
    if first == b"\xff" and len(data) > at + 4:
        return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5
    raise _malformed("a length is not readable")


def _framed(body: bytes) -> bytes:
    """The packet with its header, in the packet format of RFC 9580 and the shortest length."""
    size = len(body)
    if size < 192:
        length = bytes((size,))
    elif size < 8384:
        length = bytes((192 + (size - 192 >> 8), size - 192 & 0xFF))
    else:
        length = b"\xff" + size.to_bytes(4, "big")
    return bytes((0xC0 | _SIGNATURE_TAG,)) + length + body


class _Cursor:
    """Reads a body from its beginning to its end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, size: int) -> bytes:
        """The next bytes; `SignatureFormatError` when there are fewer."""
        if len(self._data) - self._at < size:
            raise _malformed("it is cut off")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """The next bytes as a number."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """What is left."""
        return self.take(len(self._data) - self._at)

    @property
    def at(self) -> int:
        """How many bytes were read."""
        return self._at


def _parse_body(body: bytes) -> tuple[OpenPgpSignature, bytes, bytes]:
    """The signature, its numbers and its unhashed area (sections 5.2.3 and 5.2.4)."""
    cursor = _Cursor(body)
    version = cursor.number(1)
    if version not in (4, 6):
        raise SignatureFormatError(
            "signature.version", f"OpenPGP signatures of version {version} are refused"
        )
    kind, algorithm, hash_number = cursor.number(1), cursor.number(1), cursor.number(1)
    if kind != _BINARY:
        raise SignatureFormatError(
            "signature.type",
            f"the signature is of type 0x{kind:02X}; only those of binary documents are accepted",
        )
    if algorithm not in ALGORITHMS:
        raise SignatureFormatError("key.type", f"OpenPGP keys with algorithm {algorithm} are refused")
    if hash_number not in HASHES:
        raise SignatureFormatError(
            "signature.hash-algorithm",
            f"the signature uses OpenPGP's hash {hash_number}; only {', '.join(HASHES.values())} are accepted",
        )
    width = 2 if version == 4 else 4
    hashed = cursor.take(cursor.number(width))
    signed = body[: cursor.at]
    unhashed = cursor.take(cursor.number(width))
    left = cursor.take(2)
    salt = b""
    if version == 6:
        salt = cursor.take(cursor.number(1))
        if len(salt) != _SALTS[hash_number]:
            raise _malformed("its salt has the wrong length")
    created, issuer = _claims(hashed, version)
    # The trailer of section 5.2.4: version, 0xFF, and the length of what of the packet is hashed.
    covered = signed + bytes((version, 0xFF)) + (len(signed) % 2**32).to_bytes(4, "big")
    parsed = OpenPgpSignature(
        version, ALGORITHMS[algorithm], HASHES[hash_number], issuer, created, left, covered, salt
    )
    return parsed, cursor.rest(), unhashed


def _subpackets(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        # Section 5.2.3.7: as a packet's length, but two octets reach up to 254.
        if 224 <= area[at] < 255 and at + 1 < len(area):
            size, start = ((area[at] - 192) << 8) + area[at + 1] + 192, at + 2
        else:
            size, start = _new_length(area, at)
        at = start + size
        if not size or at > len(area):
            raise _malformed("a subpacket is cut off")
        yield area[start] & 0x7F, area[start + 1 : at]


def _claims(hashed: bytes, version: int) -> tuple[datetime, str]:
    """The creation time and the issuer's fingerprint in the hashed area."""
    times: list[bytes] = []
    issuers: list[bytes] = []
    key_ids: list[bytes] = []
    for kind, content in _subpackets(hashed):
        if kind == _EXPIRES:
            raise SignatureFormatError(
                "signature.expires", "the signature says that it runs out; what was signed does not"
            )
        {_CREATED: times, _ISSUER_FINGERPRINT: issuers, _ISSUER_KEY_ID: key_ids}.get(kind, []).append(content)
    if len(times) != 1 or len(times[0]) != 4:
        raise _malformed("it has not exactly one creation time")
    size = 20 if version == 4 else 32
    if len(issuers) != 1 or len(issuers[0]) != 1 + size or issuers[0][0] != version:
        raise _malformed("its signed part does not name exactly one key by its fingerprint")
    fingerprint = issuers[0][1:]
    if any(key_id != fingerprint[-8:] or version == 6 for key_id in key_ids):
        raise _malformed("it names two keys")
    return datetime.fromtimestamp(int.from_bytes(times[0], "big"), UTC), fingerprint.hex()


def _canonical_unhashed(parsed: OpenPgpSignature) -> bytes:
    """What GnuPG writes there: the key ID, which is the end of a version 4 fingerprint (section 5.5.4.2)."""
    if parsed.version == 6:
        return b""  # section 5.2.3.12: a version 6 signature names no key ID
    return bytes((9, _ISSUER_KEY_ID)) + bytes.fromhex(parsed.issuer)[-8:]


def _check_numbers(algorithm: int, data: bytes) -> None:
    """The numbers have their exact lengths, and nothing follows them (section 3.2)."""
    cursor = _Cursor(data)
    cursor.take(_OCTETS.get(algorithm, 0))
    for _ in range(_NUMBERS.get(algorithm, 0)):
        bits = cursor.number(2)
        if cursor.number((bits + 7) // 8).bit_length() != bits:
            raise SignatureFormatError("signature.spelling", "a number has not its shortest form")
    if cursor.rest():
        raise _malformed("something follows its numbers")
