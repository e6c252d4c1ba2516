"""The signature format: blob and armor, as strict as ssh-keygen and no stricter."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.signing.sshsig import (
    SignatureFormatError,
    armor,
    dearmor,
    parse_signature,
    signed_data,
)
from gitchange.signing.verify import check_signature
from gitchange.signing.wire import string

from .support import MESSAGE, NAMESPACE, agreed_check, ed25519_key, keygen, real_check, sign

KEY = ed25519_key()
GOOD = KEY.signature()
ARMORED = armor(GOOD).encode()
HEADER, *BODY, FOOTER = ARMORED.decode().splitlines()
TEXT = "".join(BODY)
# A reserved field of a suitable length makes the base64 end in two padding characters.
PADDED = next(
    text
    for text in (base64.b64encode(KEY.signature(reserved=bytes(length))).decode() for length in range(3))
    if text.endswith("==")
)


def test_armor_is_what_ssh_keygen_writes(keys: dict[str, Path]) -> None:
    """Taking armor off and putting it on again gives ssh-keygen's text, byte for byte."""
    for key in keys.values():
        text = keygen("-Y", "sign", "-n", NAMESPACE, "-f", key, stdin=MESSAGE)
        assert armor(dearmor(text)).encode() == text


@settings(deadline=None)
@given(st.binary(min_size=1))
def test_dearmor_is_the_inverse_of_armor(blob: bytes) -> None:
    """Armor comes off as it went on, and has lines of at most 70 columns."""
    text = armor(blob)
    assert dearmor(text.encode()) == blob
    assert max(map(len, text.splitlines())) <= 70


@settings(deadline=None)
@given(st.binary())
def test_dearmor_only_raises_format_errors(text: bytes) -> None:
    """No bytes make it fail in any other way."""
    for tried in (text, HEADER.encode() + b"\n" + text + b"\n" + FOOTER.encode()):
        with contextlib.suppress(SignatureFormatError):
            dearmor(tried)


def joined(*lines: str, end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        pytest.param(ARMORED, True, id="as-written"),
        pytest.param(ARMORED.rstrip(b"\n"), True, id="no-line-end-after-the-footer"),
        pytest.param(ARMORED + b"anything\n\0", True, id="text-after-the-footer"),
        pytest.param(ARMORED.rstrip(b"\n") + b"xyz", True, id="text-on-the-line-of-the-footer"),
        pytest.param(ARMORED + ARMORED, True, id="twice"),
        pytest.param(joined(HEADER, TEXT, FOOTER), True, id="one-long-line"),
        pytest.param(joined(HEADER, *TEXT, FOOTER), True, id="one-character-a-line"),
        pytest.param(joined(HEADER, "", *BODY, "", FOOTER), True, id="blank-lines"),
        pytest.param(joined(HEADER, " \t" + " ".join(BODY) + "\v\f", FOOTER), True, id="other-white-space"),
        pytest.param(joined(HEADER, "\r\n".join(BODY) + "\r", FOOTER), True, id="crlf-inside"),
        pytest.param(joined(HEADER, TEXT + "\0", FOOTER), True, id="nul-before-the-footer"),
        pytest.param(joined(HEADER, *BODY, FOOTER, end="\r\n"), False, id="crlf-everywhere"),
        pytest.param(b"\n" + ARMORED, False, id="blank-line-first"),
        pytest.param(b"text\n" + ARMORED, False, id="text-first"),
        pytest.param(b" " + ARMORED, False, id="space-first"),
        pytest.param(b"\xef\xbb\xbf" + ARMORED, False, id="byte-order-mark"),
        pytest.param(joined(HEADER + " ", *BODY, FOOTER), False, id="space-after-the-header"),
        pytest.param(joined(HEADER[:-1], *BODY, FOOTER), False, id="spoiled-header"),
        pytest.param(joined(HEADER, *BODY), False, id="no-footer"),
        pytest.param(joined(HEADER, TEXT + FOOTER), False, id="footer-on-the-last-line"),
        pytest.param(joined(HEADER, *BODY, " " + FOOTER), False, id="space-before-the-footer"),
        pytest.param(joined(HEADER, *BODY, FOOTER[:-1]), False, id="spoiled-footer"),
        pytest.param(joined(HEADER, FOOTER), False, id="nothing"),
        pytest.param(joined(HEADER, "", FOOTER), False, id="only-a-blank-line"),
        pytest.param(joined(HEADER, PADDED.rstrip("="), FOOTER), False, id="no-padding"),
        pytest.param(joined(HEADER, TEXT + "=", FOOTER), False, id="more-padding"),
        pytest.param(joined(HEADER, TEXT + "AAAA", FOOTER), False, id="trailing-data"),
        pytest.param(joined(HEADER, TEXT[:-4], FOOTER), False, id="cut-off"),
        pytest.param(joined(HEADER, TEXT[:8] + "-" + TEXT[9:], FOOTER), False, id="url-safe-alphabet"),
        pytest.param(joined(HEADER, TEXT[:8] + "\0" + TEXT[8:], FOOTER), False, id="nul-inside"),
        pytest.param(joined(HEADER, TEXT + "\0\0", FOOTER), False, id="two-nuls-before-the-footer"),
        pytest.param(
            joined(HEADER, TEXT, FOOTER).replace(b"U1NI", b"\xa0U1NI"), False, id="byte-above-ascii"
        ),
        pytest.param(b"", False, id="empty"),
        pytest.param(GOOD, False, id="raw"),
    ],
)
def test_armor_is_judged_as_ssh_keygen_judges_it(text: bytes, holds: bool, tmp_path: Path) -> None:
    """Each variant of the armor is accepted or refused as by ssh-keygen 9.2."""
    try:
        ours = check_signature(MESSAGE, dearmor(text), NAMESPACE).ok
    except SignatureFormatError:
        ours = False
    assert ours is holds
    assert real_check(tmp_path, text) is holds


def test_trailing_bits_in_the_armor_are_refused(tmp_path: Path) -> None:
    """The unused bits of the last base64 character must be zero."""
    blob, text = base64.b64decode(PADDED), PADDED
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spoiled = text[:-3] + last[last.index(text[-3]) + 1] + "=="
    for body, holds in ((text, True), (spoiled, False)):
        armored = joined(HEADER, body, FOOTER)
        assert real_check(tmp_path, armored) is holds
        with contextlib.nullcontext() if holds else pytest.raises(SignatureFormatError):
            assert dearmor(armored) == blob


def test_a_signature_is_taken_apart(keys: dict[str, Path]) -> None:
    """Every field of a real signature is found, and the raw bytes are kept."""
    blob = sign(keys["rsa-3072"], MESSAGE, "file", "-Ohashalg=sha256")
    signature = parse_signature(blob)
    assert (signature.namespace, signature.hash_algorithm, signature.reserved) == ("file", "sha256", b"")
    assert signature.public_key.type == "ssh-rsa"
    assert signature.signature.startswith(string(b"rsa-sha2-512"))
    assert signature.blob == blob
    assert signature.verify(MESSAGE)
    assert not signature.verify(MESSAGE + b"\n")


def test_signed_data_is_the_layout_of_the_protocol() -> None:
    """The signed bytes are magic, namespace, reserved, hash name and hash (PROTOCOL.sshsig section 3)."""
    data = signed_data("n", "sha256", b"", b"r")
    assert data.startswith(b"SSHSIG\0\0\0\1n\0\0\0\1r\0\0\0\6sha256\0\0\0\x20\xe3\xb0\xc4\x42")


@pytest.mark.parametrize(
    ("blob", "code"),
    [
        pytest.param(GOOD, "ok", id="good"),
        pytest.param(KEY.signature(hash_algorithm=b"sha256"), "ok", id="sha256"),
        pytest.param(KEY.signature(version=0), "ok", id="version-0"),
        pytest.param(KEY.signature(reserved=b"future"), "ok", id="reserved-filled-and-not-signed"),
        pytest.param(KEY.signature(namespace=b"gitchange\0"), "ok", id="nul-after-the-namespace"),
        pytest.param(KEY.signature(hash_algorithm=b"sha512\0"), "ok", id="nul-after-the-hash"),
        pytest.param(
            KEY.signature(key_blob=string(b"ED25519") + KEY.blob[15:]), "ok", id="key-by-its-short-name"
        ),
        pytest.param(
            KEY.signature(reserved=b"future", data=signed_data(NAMESPACE, "sha512", MESSAGE, b"future")),
            "signature.invalid",
            id="reserved-filled-and-signed",
        ),
        pytest.param(KEY.signature(version=2), "signature.version", id="version-2"),
        pytest.param(KEY.signature(version=2**32 - 1), "signature.version", id="version-of-all-ones"),
        pytest.param(KEY.signature(namespace=b"git"), "signature.namespace", id="other-namespace"),
        pytest.param(
            KEY.signature(namespace=b"Gitchange"), "signature.namespace", id="namespace-in-capitals"
        ),
        pytest.param(KEY.signature(namespace=b""), "signature.namespace", id="empty-namespace"),
        pytest.param(KEY.signature(namespace=b"\0"), "signature.namespace", id="namespace-of-a-nul"),
        pytest.param(
            KEY.signature(namespace=b"gitchange\0\0"), "signature.format", id="two-nuls-after-the-namespace"
        ),
        pytest.param(KEY.signature(hash_algorithm=b"md5"), "signature.hash-algorithm", id="md5"),
        pytest.param(KEY.signature(hash_algorithm=b"sha1"), "signature.hash-algorithm", id="sha1"),
        pytest.param(KEY.signature(hash_algorithm=b"sha384"), "signature.hash-algorithm", id="sha384"),
        pytest.param(
            KEY.signature(hash_algorithm=b"SHA512"), "signature.hash-algorithm", id="hash-in-capitals"
        ),
        pytest.param(GOOD.replace(b"sha512", b"*\0\0\0\0\0"), "signature.format", id="nuls-in-hash"),
        pytest.param(
            GOOD.replace(string(b"sha512"), string(b"sha25?")), "signature.hash-algorithm", id="hash-pattern"
        ),
        pytest.param(GOOD.replace(string(b"sha512"), string(b"")), "signature.hash-algorithm", id="no-hash"),
        pytest.param(
            GOOD.replace(string(b"sha512"), string(b"sha\xff")), "signature.hash-algorithm", id="odd-hash"
        ),
        pytest.param(
            GOOD.replace(string(b"sha512"), string(b"sha256")), "signature.invalid", id="other-hash"
        ),
        pytest.param(KEY.signature(trailing=b"\0"), "signature.format", id="trailing-byte"),
        pytest.param(KEY.signature(trailing=GOOD), "signature.format", id="trailing-signature"),
        pytest.param(b"sshsig" + GOOD[6:], "signature.format", id="magic-in-small-letters"),
        pytest.param(GOOD[:6], "signature.format", id="only-magic"),
        pytest.param(GOOD[:-1], "signature.format", id="cut-off"),
        pytest.param(KEY.signature(key_blob=b""), "key.format", id="no-key"),
        pytest.param(KEY.signature(key_blob=ed25519_key(2).blob), "signature.invalid", id="other-key"),
    ],
)
def test_a_signature_is_judged_as_ssh_keygen_judges_it(blob: bytes, code: str, tmp_path: Path) -> None:
    """Each variant of the blob is accepted or refused as by ssh-keygen 9.2."""
    assert agreed_check(tmp_path, blob) == code


@settings(deadline=None)
@given(st.binary())
def test_arbitrary_bytes_only_raise_format_errors(blob: bytes) -> None:
    """No bytes make the parser fail in any other way."""
    for tried in (blob, b"SSHSIG\0\0\0\1" + blob, b"SSHSIG\0\0\0\1" + string(KEY.blob) + blob):
        with contextlib.suppress(SignatureFormatError):
            parse_signature(tried)


@settings(deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=6))
def test_spoiled_signatures_only_raise_format_errors(start: int, stop: int, filler: bytes) -> None:
    """No replacement of bytes makes the parser or the check fail in any other way."""
    assert check_signature(MESSAGE, GOOD[:start] + filler + GOOD[stop:], NAMESPACE).ok in (True, False)
