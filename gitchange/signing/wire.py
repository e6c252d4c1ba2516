"""Strings and numbers as SSH writes them (RFC 4251 section 5), and OpenSSH's base64.

`Reader` takes fields off a byte string with strict bounds; `string` and `mpint` write them. What
the fields mean is for `gitchange.signing.keys` and `gitchange.signing.sshsig`.

Where RFC 4251 leaves room, this follows OpenSSH (``sshbuf-getput-basic.c``,
``sshbuf-getput-crypto.c``, ``b64_pton``), because what counts is to agree with ``ssh-keygen``.
"""

from __future__ import annotations

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

MAX_MPINT_BYTES: Final = 16384 // 8
"""Largest number that OpenSSH reads, in bytes (``SSHBUF_MAX_BIGNUM``)."""

_WHITESPACE: Final = b" \t\n\v\f\r"


class WireError(ValueError):
    """The bytes are not the SSH encoding of what was asked for."""


class Reader:
    """Takes one field after another off a byte string; every short read is a `WireError`."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
        self._end = len(data)

    @property
    def position(self) -> int:
        """How many bytes have been taken."""
        return self._position

    @property
    def at_end(self) -> bool:
        """Whether everything has been taken."""
        return self._position == self._end

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        start = self._position
        stop = start + length
        if stop > self._end:
            raise WireError("the data ends in the middle of a field")
        self._position = stop
        return self._data[start:stop]

    def byte(self) -> int:
        """A ``byte``."""
        return self.take(1)[0]

    def uint32(self) -> int:
        """A ``uint32``."""
        return int.from_bytes(self.take(4), "big")

    def uint64(self) -> int:
        """A ``uint64``."""
        return int.from_bytes(self.take(8), "big")

    def string(self) -> bytes:
        """A ``string``: any bytes."""
        return self.take(int.from_bytes(self.take(4), "big"))

    def cstring(self) -> bytes:
        """A ``string`` that OpenSSH keeps as a C string (``sshbuf_get_cstring``).

        A NUL is refused, but for one at the very end, which is dropped: that is how ssh-keygen
        compares names, so ``gitchange`` and ``gitchange\\0`` are one namespace to it.
        """
        value = self.string()
        zero = value.find(b"\0")
        if zero < 0:
            return value
        if zero < len(value) - 1:
            raise WireError("a name contains a NUL byte")
        return value[:-1]

    def mpint(self) -> int:
        """A non-negative ``mpint`` (``sshbuf_get_bignum2``).

        Negative numbers and numbers over `MAX_MPINT_BYTES` are refused. Needless leading zeros,
        which RFC 4251 forbids, are accepted as OpenSSH accepts them.
        """
        value = self.string()
        if value and value[0] & 0x80:
            raise WireError("a number is negative")
        if len(value) > MAX_MPINT_BYTES + 1 or (len(value) == MAX_MPINT_BYTES + 1 and value[0]):
            raise WireError("a number is too large")
        return int.from_bytes(value, "big")

    def finish(self) -> None:
        """Refuse anything that is left."""
        if self._position != self._end:
            raise WireError(f"{self._end - self._position} bytes follow the last field")


def string(value: bytes) -> bytes:
    """`value` as a ``string``."""
    return len(value).to_bytes(4, "big") + value


def mpint(value: int) -> bytes:
    """A non-negative number as a ``mpint``, in its shortest form."""
    # One bit more than the number needs, so that the sign bit is zero; zero itself has no bytes.
    return string(value.to_bytes((value.bit_length() + 8) // 8 if value else 0, "big"))


def decode_base64(text: bytes) -> bytes:
    """Base64 as OpenSSH decodes it (``b64_pton``): white space anywhere, all else exact.

    The alphabet is the standard one, padding is required, the unused bits of the last character
    must be zero, and nothing but white space may follow the padding. Raises `WireError`.
    """
    compact = text.translate(None, _WHITESPACE)
    try:
        decoded = binascii.a2b_base64(compact, strict_mode=True)
    except binascii.Error:
        raise WireError("the text is not base64") from None
    if binascii.b2a_base64(decoded, newline=False) != compact:
        raise WireError("the text is not exact base64")
    return decoded
