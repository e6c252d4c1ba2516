"""The DSSE envelope: one payload, one signature, one line of JSON.

This module reads and writes the envelope and gives the bytes that its signature covers. It does
not look at the payload, does not verify the signature (`gitchange.signing.verify` does) and knows
nothing of keys: ``keyid`` is a hint that no signature covers.

The format is DSSE v1 (https://github.com/secure-systems-lab/dsse, ``protocol.md`` and
``envelope.md``), narrowed: exactly one signature, and exactly one spelling. Two spellings of one
sign-off would be two lines of a note with two digests, so `parse_envelope` accepts only the line
that `Envelope.to_line` writes. Foreign tools' envelopes are read with ``canonical=False``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from json.encoder import encode_basestring_ascii

from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

MAX_LINE: Final = 1024 * 1024
"""Longest line that is parsed at all, in bytes: a bound on work for untrusted input."""

_URL_SAFE_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


class EnvelopeError(ValueError):
    """A line is no envelope. `code` is one of the kebab-case codes below, for findings.

    ``envelope.too-long``       longer than `MAX_LINE`
    ``envelope.not-json``       not UTF-8, not JSON, or not an object
    ``envelope.duplicate-key``  an object names a key twice
    ``envelope.missing-key``    a required key is absent
    ``envelope.unknown-key``    an object has a key that DSSE does not know
    ``envelope.type``           a value is not the string that it must be
    ``envelope.signatures``     not a list of exactly one signature
    ``envelope.base64``         payload or signature is not exact base64
    ``envelope.not-canonical``  a valid envelope in another spelling than `Envelope.to_line` writes
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Envelope(Value):
    """A payload with one signature over it."""

    payload_type: str
    """Media type of the payload (``payloadType``); the signature covers it."""
    payload: bytes
    """The signed document, as the signer's tool wrote it; never serialised anew."""
    keyid: str
    """Hint which key signed, ``SHA256:...``; not covered by the signature, decides nothing."""
    signature: bytes
    """The raw signature: for SSH keys the SSHSIG blob without armor."""

    @property
    def signed_bytes(self) -> bytes:
        """The bytes that the signature covers: the pre-authentication encoding (`pae`)."""
        return pae(self.payload_type, self.payload)

    def to_line(self) -> bytes:
        """The envelope's one spelling: compact ASCII JSON without a line end."""
        return b"".join(
            (
                b'{"payloadType":',
                _quoted(self.payload_type),
                b',"payload":"',
                base64.b64encode(self.payload),
                b'","signatures":[{"keyid":',
                _quoted(self.keyid),
                b',"sig":"',
                base64.b64encode(self.signature),
                b'"}]}',
            )
        )

    @property
    def digest(self) -> str:
        """SHA-256 of `to_line`, in hex: the envelope's name, as ``sha256sum`` prints it."""
        return hashlib.sha256(self.to_line()).hexdigest()


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding, the bytes that are signed.

    ``DSSEv1 SP len(type) SP type SP len(payload) SP payload`` (DSSE ``protocol.md``), the lengths
    in bytes (not characters) as decimal ASCII, the type in UTF-8.
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse_envelope(line: bytes, *, canonical: bool = True) -> Envelope:
    """Read one line as an envelope.

    `line` has no line end. With `canonical` (the rule for sign-offs in notes and records) the line
    must be `Envelope.to_line` byte for byte; without it any JSON spelling, and standard as well as
    URL-safe base64, is accepted, as DSSE demands of verifiers.

    Raises `EnvelopeError`, and nothing else, whatever the bytes are.
    """
    if len(line) > MAX_LINE:
        raise EnvelopeError(
            "envelope.too-long", f"the line has {len(line)} bytes; at most {MAX_LINE} are read"
        )
    if (envelope := _plain(line)) is not None:
        return envelope
    document = _object(_json(line), ("payloadType", "payload", "signatures"), (), "the envelope")
    signatures = document["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise EnvelopeError("envelope.signatures", "signatures must be a list of exactly one signature")
    entry = _object(signatures[0], ("sig",), ("keyid",), "the signature")
    envelope = Envelope(
        payload_type=_text(document["payloadType"], "payloadType"),
        payload=_base64(document["payload"], "payload"),
        keyid=_text(entry.get("keyid", ""), "keyid"),  # optional in DSSE's envelope.md
        signature=_base64(entry["sig"], "sig"),
    )
    if canonical and envelope.to_line() != line:
        raise EnvelopeError(
            "envelope.not-canonical",
            "the envelope is not in its one spelling: compact JSON, keys in the order payloadType, payload, "
            "signatures [keyid, sig], standard base64 with padding",
        )
    return envelope


_NAME = rb'"([ !#-\[\]-~]*)"'
_BASE64 = rb'"([A-Za-z0-9+/]*={0,2})"'
_PLAIN: Final = re.compile(
    rb'\{"payloadType":%b,"payload":%b,"signatures":\[\{"keyid":%b,"sig":%b\}\]\}'
    % (_NAME, _BASE64, _NAME, _BASE64)
)
"""The one spelling, where both names are printable ASCII that JSON does not escape."""


def _plain(line: bytes) -> Envelope | None:
    """The envelope in a line of the one spelling, read without JSON; None where the long way must tell."""
    found = _PLAIN.fullmatch(line)
    if found is None:
        return None
    kind, payload, keyid, signature = found.groups()
    try:
        decoded = [binascii.a2b_base64(text, strict_mode=True) for text in (payload, signature)]
    except binascii.Error:
        return None
    if [binascii.b2a_base64(data, newline=False) for data in decoded] != [payload, signature]:
        return None
    return Envelope(kind.decode("ascii"), decoded[0], keyid.decode("ascii"), decoded[1])


def _quoted(text: str) -> bytes:
    return encode_basestring_ascii(text).encode("ascii")


def _json(line: bytes) -> Any:
    try:
        return _DECODER.decode(line.decode("utf-8"))
    except EnvelopeError:
        raise
    except RecursionError:
        raise EnvelopeError("envelope.not-json", "the JSON is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError, JSONDecodeError, and integers of too many digits
        raise EnvelopeError("envelope.not-json", f"the line is not JSON in UTF-8: {error}") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8259 section 4 leaves repeated names to the reader, so two readers may see two payloads.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise EnvelopeError("envelope.duplicate-key", "a key appears twice in one JSON object")
    return members


def _refuse_constant(name: str) -> NoReturn:
    # Python's reader takes NaN and Infinity, which RFC 8259 section 6 does not have.
    raise EnvelopeError("envelope.not-json", f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)


def _object(value: Any, required: tuple[str, ...], optional: tuple[str, ...], what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EnvelopeError("envelope.not-json", f"{what} is not a JSON object")
    for key in required:
        if key not in value:
            raise EnvelopeError("envelope.missing-key", f"{what} has no {key}")
    for key in value:
        if key not in required and key not in optional:
            raise EnvelopeError("envelope.unknown-key", f"{what} has an unknown key {key!r}")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise EnvelopeError("envelope.type", f"{name} is not a string")
    try:
        value.encode("utf-8")  # JSON can escape half a surrogate pair, which no UTF-8 can sign
    except UnicodeEncodeError:
        raise EnvelopeError("envelope.type", f"{name} is not Unicode text") from None
    return value


def _base64(value: Any, name: str) -> bytes:
    text = _text(value, name)
    try:
        encoded = text.encode("ascii")
        if b"-" in encoded or b"_" in encoded:
            if b"+" in encoded or b"/" in encoded:
                raise EnvelopeError("envelope.base64", f"{name} mixes the two base64 alphabets")
            encoded = encoded.translate(_URL_SAFE_TO_STANDARD)
        decoded = binascii.a2b_base64(encoded, strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise EnvelopeError("envelope.base64", f"{name} is not base64") from None
    # strict_mode lets the unused bits of the last character be anything; RFC 4648 section 3.5.
    if base64.b64encode(decoded) != encoded:
        raise EnvelopeError("envelope.base64", f"{name} is not exact base64")
    return decoded
