"""SSH's strings and numbers, as OpenSSH reads them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.signing.wire import MAX_MPINT_BYTES, Reader, WireError, decode_base64, mpint, string


@settings(deadline=None)
@given(st.binary())
def test_a_written_string_reads_back(value: bytes) -> None:
    """Strings read back equal."""
    reader = Reader(string(value))
    assert reader.string() == value
    reader.finish()


@settings(deadline=None)
@given(st.integers(0, 2**600))
def test_a_written_number_reads_back(value: int) -> None:
    """Non-negative numbers read back equal."""
    reader = Reader(mpint(value))
    assert reader.mpint() == value
    reader.finish()


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00000000"),
        (0x9A378F9B2E332A7, "0000000809a378f9b2e332a7"),
        (0x80, "000000020080"),
    ],
)
def test_numbers_are_written_as_in_the_rfc(value: int, encoded: str) -> None:
    """The examples of RFC 4251 section 5 hold."""
    assert mpint(value).hex() == encoded


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="no-length"),
        pytest.param(b"\0\0\0", id="short-length"),
        pytest.param(b"\0\0\0\2a", id="short-content"),
        pytest.param(b"\xff\xff\xff\xffa", id="huge-length"),
    ],
)
def test_a_short_string_is_refused(data: bytes) -> None:
    """A string that is not all there is refused."""
    with pytest.raises(WireError):
        Reader(data).string()


@pytest.mark.parametrize("method", ["byte", "uint32", "uint64", "cstring", "mpint"])
def test_nothing_can_be_read_at_the_end(method: str) -> None:
    """Every kind of field is refused when there is nothing left."""
    with pytest.raises(WireError):
        getattr(Reader(b""), method)()


def test_trailing_bytes_are_refused() -> None:
    """What follows the last field is an error."""
    with pytest.raises(WireError):
        Reader(b"\0").finish()


def test_a_name_may_end_in_one_nul() -> None:
    """A C string's own terminator is dropped, any other NUL is refused."""
    assert Reader(string(b"name\0")).cstring() == b"name"
    assert Reader(string(b"\0")).cstring() == b""
    for spoiled in (b"na\0me", b"name\0\0", b"\0name"):
        with pytest.raises(WireError):
            Reader(string(spoiled)).cstring()


def test_negative_and_overlong_numbers_are_refused() -> None:
    """A number has no sign bit and at most 16384 bits; leading zeros are taken."""
    assert Reader(string(b"\0\0\0\1")).mpint() == 1
    assert Reader(string(b"\0" + b"\xff" * MAX_MPINT_BYTES)).mpint().bit_length() == 16384
    for spoiled in (b"\x80", b"\1" + b"\0" * MAX_MPINT_BYTES, b"\0\0" + b"\1" * MAX_MPINT_BYTES):
        with pytest.raises(WireError):
            Reader(string(spoiled)).mpint()


@settings(deadline=None)
@given(st.binary(), st.integers(1, 9))
def test_base64_is_read_with_white_space_anywhere(value: bytes, width: int) -> None:
    """White space is no part of base64."""
    encoded = base64.b64encode(value)
    pieces = [encoded[at : at + width] for at in range(0, len(encoded), width)]
    assert decode_base64(b" \r\n\t\v\f".join(pieces)) == value


@pytest.mark.parametrize(
    "text", [b"YQ", b"YQ=", b"YQ===", b"YR==", b"Y", b"YQ==YQ==", b"Y-Q=", b"=", b"YQ==\0"]
)
def test_inexact_base64_is_refused(text: bytes) -> None:
    """Padding, alphabet and unused bits must be exact."""
    with pytest.raises(WireError):
        decode_base64(text)
