"""The SSH signature format: its blob, its armor, and the bytes that a key signs for it.

This module takes signatures apart and puts armor on and off. Whether a signature holds, and for
whom, is for `gitchange.signing.verify`; making one is for `gitchange.signing.signer`.

The format is OpenSSH's ``PROTOCOL.sshsig``; what is accepted is what ``sshsig.c`` accepts:

- the version may be lower than 1 (verifiers reject *greater* versions, section 2);
- the reserved field is ignored, and a key signs as if it were empty;
- no hash but sha256 and sha512, and nothing after the signature.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from gitchange.signing.keys import KeyFormatError, parse_public_key
from gitchange.signing.wire import Reader, WireError, decode_base64, string
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from gitchange.signing.keys import PublicKey

MAGIC: Final = b"SSHSIG"
VERSION: Final = 1
HASH_ALGORITHMS: Final = ("sha256", "sha512")
"""``HASHALG_ALLOWED`` of ``sshsig.c``: md5, sha1 and all others are refused."""

BEGIN: Final = b"-----BEGIN SSH SIGNATURE-----\n"
END: Final = b"-----END SSH SIGNATURE-----"
ARMOR_COLUMNS: Final = 70

MAX_BYTES: Final = 0x8000000
"""Largest signature file that OpenSSH reads (``SSHBUF_SIZE_MAX``), in bytes."""


class SignatureFormatError(ValueError):
    """The bytes are no SSH signature. `code` is one of these, or one of `KeyFormatError`'s:

    ``signature.armor``           the armor is not the one that ssh-keygen accepts
    ``signature.format``          not the encoding of a signature
    ``signature.version``         a version that is not known yet
    ``signature.namespace``       an empty namespace
    ``signature.hash-algorithm``  a hash other than sha256 and sha512
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SshSignature(Value):
    """A signature taken apart (``PROTOCOL.sshsig`` section 2); nothing in it is verified."""

    public_key: PublicKey
    """The key, or certificate, that claims to have signed."""
    namespace: str
    """The domain that it was made for, e.g. ``gitchange`` or ``git``."""
    reserved: bytes
    """Whatever stands in the reserved field; no meaning, and not signed."""
    hash_algorithm: str
    """``sha256`` or ``sha512``: how the message was hashed before signing."""
    signature: bytes
    """The key's signature blob: algorithm name and signature."""
    blob: bytes
    """The whole signature as it came, without armor."""

    def verify(self, message: bytes) -> bool:
        """Whether the key made this signature over `message`, in this signature's namespace."""
        data = signed_data(self.namespace, self.hash_algorithm, message)
        return self.public_key.verify(self.signature, data)


@lru_cache(maxsize=256)
def parse_signature(blob: bytes) -> SshSignature:
    """Take a raw signature apart. Raises `SignatureFormatError`, and nothing else.

    Refuses everything that ``ssh-keygen -Y check-novalidate`` refuses for its form.
    """
    try:
        reader = Reader(blob)
        if reader.take(len(MAGIC)) != MAGIC:
            raise SignatureFormatError("signature.format", "the signature does not begin with SSHSIG")
        version = reader.uint32()
        if version > VERSION:
            raise SignatureFormatError("signature.version", f"signature version {version} is not known")
        key_blob = reader.string()
        namespace = reader.cstring()
        reserved = reader.string()
        hash_name = reader.cstring()
        signature = reader.string()
        reader.finish()
    except WireError as error:
        raise SignatureFormatError("signature.format", f"the signature is not readable: {error}") from None
    if not namespace:
        raise SignatureFormatError("signature.namespace", "the signature's namespace is empty")
    hash_algorithm = hash_name.decode("ascii", "replace")
    if hash_algorithm not in HASH_ALGORITHMS:
        raise SignatureFormatError(
            "signature.hash-algorithm",
            f"the signature uses the hash {hash_algorithm[:80]!a}; only sha256 and sha512 are accepted",
        )
    try:
        public_key = parse_public_key(key_blob)
    except KeyFormatError as error:
        raise SignatureFormatError(error.code, f"the key in the signature: {error.message}") from None
    return SshSignature(
        public_key=public_key,
        namespace=namespace.decode("utf-8", "surrogateescape"),
        reserved=reserved,
        hash_algorithm=hash_algorithm,
        signature=signature,
        blob=blob,
    )


def signed_data(namespace: str, hash_algorithm: str, message: bytes, reserved: bytes = b"") -> bytes:
    """The bytes that the key signs for `message` (``PROTOCOL.sshsig`` section 3).

    `hash_algorithm` is one of `HASH_ALGORITHMS`. ssh-keygen leaves `reserved` empty when it
    verifies, whatever the signature's own field holds.
    """
    digest = hashlib.sha512(message) if hash_algorithm == "sha512" else hashlib.sha256(message)
    return _before_digest(namespace, hash_algorithm, reserved) + string(digest.digest())


@lru_cache(maxsize=64)
def _before_digest(namespace: str, hash_algorithm: str, reserved: bytes) -> bytes:
    return (
        MAGIC
        + string(namespace.encode("utf-8", "surrogateescape"))
        + string(reserved)
        + string(hash_algorithm.encode("ascii"))
    )


def armor(blob: bytes) -> str:
    """The armored form, as ``ssh-keygen -Y sign`` writes it: 70 columns, a final line end."""
    text = base64.b64encode(blob).decode("ascii")
    lines = [text[start : start + ARMOR_COLUMNS] for start in range(0, len(text), ARMOR_COLUMNS)]
    return "\n".join([BEGIN.decode("ascii").rstrip("\n"), *lines, END.decode("ascii"), ""])


def dearmor(text: bytes) -> bytes:
    """The raw signature in an armored one (``sshsig_dearmor``). Raises `SignatureFormatError`.

    Exactly as strict as ssh-keygen 9.2: the header is the very first line and ends in LF (newer
    versions take CR LF too), the footer stands at the start of a line, and what follows the footer
    is ignored. Between them lines may have any length, and white space is ignored.
    """
    if len(text) > MAX_BYTES:
        raise SignatureFormatError("signature.armor", "the signature is too large")
    if not text.startswith(BEGIN):
        raise SignatureFormatError("signature.armor", "the text does not begin with the header line")
    footer = text.find(b"\n" + END, len(BEGIN))
    if footer < 0:
        raise SignatureFormatError("signature.armor", "the footer line is missing")
    body = text[len(BEGIN) : footer]
    if body.endswith(b"\0"):  # sshbuf_dup_string: one NUL at the end is the C string's own
        body = body[:-1]
    try:
        return decode_base64(body)
    except WireError as error:
        raise SignatureFormatError("signature.armor", f"between header and footer {error}") from None
