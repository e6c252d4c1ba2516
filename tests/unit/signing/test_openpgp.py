"""OpenPGP signatures and certificates: what is accepted, when, and that gpg itself says the same or why not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysequoia import Cert, Profile, SignatureMode, Tsk
from pysequoia import sign as sequoia_sign

from gitchange.signing.certificates import CertificateError, Certificates, read_certificates
from gitchange.signing.openpgp import (
    SignatureFormatError,
    dearmor_openpgp,
    normalised,
    parse_openpgp,
)
from gitchange.signing.signers import Signers, name_of_key
from tests.gnupg import Gnupg, gnupg

ADA, BO = "ada@example.org", "bo@example.org"
MESSAGE = b"DSSEv1 4 text 31 The change is necessary and safe."

# Long past, so that no signature is from the future by the clock of the machine that runs this.
MADE, SIGNED, JUDGED = "20240101T000000", "20240201T000000", "20240301T000000"
LATER, EXPIRY = "20240315T000000", "20240401T000000"


def moment(text: str) -> datetime:
    """A moment as gpg's option spells it."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def day_after(text: str) -> str:
    """The same time on the next day."""
    return (moment(text) + timedelta(days=1)).strftime("%Y%m%dT%H%M%S")


@pytest.fixture(scope="module")
def keyring() -> Iterator[Gnupg]:
    """Where the keys of this module are made."""
    with gnupg() as made:
        yield made


@pytest.fixture
def reader() -> Iterator[Gnupg]:
    """A keyring of its own, for gpg's opinion about given certificates."""
    with gnupg() as made:
        yield made


@pytest.fixture(scope="module")
def plain(keyring: Gnupg) -> str:
    """An ed25519 key that signs and does not expire."""
    return keyring.key("plain", at=MADE)


@pytest.fixture(scope="module")
def signature(keyring: Gnupg, plain: str) -> bytes:
    """Its signature over MESSAGE, in the one spelling."""
    return normalised(keyring.sign(MESSAGE, plain, at=SIGNED))


def verdict(
    files: dict[str, bytes], signature: bytes, at: str, by: str = ADA, message: bytes = MESSAGE
) -> tuple[bool, str, bool]:
    """Whether the signature counts, the code, whether it is intact."""
    known = Signers(b"", files)
    result = known.verify(message, signature, principal=by, namespace="gitchange", at=moment(at))
    assert result.ok == (not result.code)
    return result.ok, result.code, result.intact


# -- the packet -----------------------------------------------------------------------------------


def refusal(blob: bytes) -> str:
    """The code by which a raw signature is refused for its form."""
    with pytest.raises(SignatureFormatError) as caught:
        parse_openpgp(blob)
    return caught.value.code


def packet(body: bytes) -> bytes:
    """A signature packet in RFC 9580's framing."""
    assert len(body) < 192
    return b"\xc2" + bytes((len(body),)) + body


def test_what_gpg_writes_has_one_spelling(keyring: Gnupg, plain: str, signature: bytes) -> None:
    """gpg's old framing is put into the new one, once; what is signed stays, and gpg accepts the result."""
    raw = keyring.sign(MESSAGE, plain, at=SIGNED)
    assert refusal(raw) == "signature.spelling"
    again = normalised(raw)
    assert normalised(again) == again
    parsed = parse_openpgp(again)
    assert (parsed.version, parsed.algorithm, parsed.issuer) == (4, "eddsa", plain)
    assert parsed.created == moment(SIGNED)
    assert parsed.may_be_about(MESSAGE)
    assert not parsed.may_be_about(MESSAGE + b" ")
    assert name_of_key(signature) == f"openpgp:{plain}"


def test_armored_signature_is_taken_out_of_its_armor(keyring: Gnupg, plain: str) -> None:
    """What `gpg -bsa` prints is the raw signature; an armored one is none of ours."""
    armored = keyring.sign(MESSAGE, plain, "--armor", at=SIGNED)
    assert normalised(dearmor_openpgp(armored)) == normalised(keyring.sign(MESSAGE, plain, at=SIGNED))
    assert refusal(armored) == "signature.format"
    for broken in (b"", armored.replace(b"END", b"End"), armored.replace(b"\n\n", b"\n\n!")):
        with pytest.raises(SignatureFormatError):
            dearmor_openpgp(broken)


def _respelled() -> dict[str, Callable[[bytes], bytes]]:
    """Ways to spell a signature otherwise that a lax reader would take."""

    def unhashed(extra: bytes) -> Callable[[bytes], bytes]:
        def change(blob: bytes) -> bytes:
            body = blob[2:]
            start = 6 + int.from_bytes(body[4:6], "big")
            end = start + 2 + int.from_bytes(body[start : start + 2], "big")
            area = body[start + 2 : end] + extra if extra else b""
            return packet(body[:start] + len(area).to_bytes(2, "big") + area + body[end:])

        return change

    def number(blob: bytes) -> bytes:
        # The last of EdDSA's two numbers, with a leading zero octet and the bit count to match.
        body = blob[2:]
        start = 6 + int.from_bytes(body[4:6], "big")
        at = start + 2 + int.from_bytes(body[start : start + 2], "big") + 2
        bits = int.from_bytes(body[at : at + 2], "big")
        return packet(body[:at] + (bits + 8).to_bytes(2, "big") + b"\0" + body[at + 2 :])

    return {
        "old framing": lambda blob: b"\x88" + blob[1:],
        "five octets of length": lambda blob: b"\xc2\xff" + (len(blob) - 2).to_bytes(4, "big") + blob[2:],
        "a notation put beside it": unhashed(b"\x0a\x14\x80\0\0\0\0\0\0\0\0"),
        "another key ID": lambda blob: blob.replace(b"\x09\x10", b"\x09\x90", 1),
        "no key ID": unhashed(b""),
        "a number with a leading zero": number,
    }


@pytest.mark.parametrize("way", _respelled())
def test_another_spelling_is_refused(keyring: Gnupg, plain: str, signature: bytes, way: str) -> None:
    """Whoever does not hold the key cannot spell a signature anew, though it still verifies elsewhere."""
    other = _respelled()[way](signature)
    assert other != signature
    assert refusal(other) == "signature.spelling"
    assert verdict({ADA: keyring.export(plain)}, other, JUDGED) == (False, "signature.spelling", False)


@pytest.mark.parametrize(
    "what",
    [
        "followed by a byte",
        "twice",
        "followed by a literal packet",
        "cut off",
        "empty",
        "another packet",
        "text",
    ],
)
def test_anything_but_one_signature_packet_is_refused(signature: bytes, what: str) -> None:
    """Exactly one Signature packet, and nothing else."""
    blobs = {
        "followed by a byte": signature + b"\0",
        "twice": signature * 2,
        "followed by a literal packet": signature + b"\xcb\x07b\0\0\0\0\0x",
        "cut off": signature[:-1],
        "empty": b"",
        "another packet": b"\xcd" + signature[1:],
        "text": b"SSH",
    }
    assert refusal(blobs[what]) == "signature.format"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--digest-algo", "SHA1"), "signature.hash-algorithm"),
        (("--digest-algo", "RIPEMD160"), "signature.hash-algorithm"),
        (("--textmode",), "signature.type"),
        (("--default-sig-expire", "1y"), "signature.expires"),
    ],
    ids=["SHA-1", "RIPEMD-160", "text", "expiring"],
)
def test_weak_or_passing_signature_is_refused(
    keyring: Gnupg, plain: str, options: tuple[str, ...], code: str
) -> None:
    """A weak hash, a signature over a text, one that runs out: refused, although gpg made them."""
    made = keyring.sign(MESSAGE, plain, *options, at=SIGNED)
    assert refusal(made) == code
    with pytest.raises(SignatureFormatError):
        normalised(made)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_parser(blob: bytes) -> None:
    """Whatever the bytes are, they are a signature or a refusal."""
    for text in (blob, b"\xc2" + bytes((len(blob) % 192,)) + blob[: len(blob) % 192], b"\x88" + blob):
        code = ""
        try:
            parse_openpgp(text)
        except SignatureFormatError as error:
            code = error.code
        assert code.startswith(("signature.", "key.")) or normalised(text) == text


@pytest.mark.parametrize("algorithm", ["ed25519", "rsa2048", "nistp256"])
def test_no_bit_of_a_signature_can_change(keyring: Gnupg, algorithm: str) -> None:
    """Every single flipped bit is refused, for each kind of key."""
    key = keyring.key(f"flip-{algorithm}", algorithm, at=MADE)
    known = Signers(b"", {ADA: keyring.export(key)})
    good = normalised(keyring.sign(MESSAGE, key, at=SIGNED))

    def counts(blob: bytes) -> bool:
        return known.verify(MESSAGE, blob, principal=ADA, namespace="gitchange", at=moment(JUDGED)).ok

    assert counts(good)
    accepted = [
        bit
        for bit in range(len(good) * 8)
        if counts(good[: bit // 8] + bytes((good[bit // 8] ^ 1 << bit % 8,)) + good[bit // 8 + 1 :])
    ]
    assert accepted == []


def test_ed25519_number_beyond_the_groups_order_is_refused(
    keyring: Gnupg, plain: str, signature: bytes
) -> None:
    """S and S + L do not both verify: RFC 8032 section 5.1.7."""
    order = 2**252 + 27742317777372353535851937790883648493
    for attempt in range(64):  # until both spellings of S have their full 256 bits
        made = normalised(
            keyring.sign(MESSAGE, plain, "--set-notation", f"n@example.org={attempt}", at=SIGNED)
        )
        moved = (int.from_bytes(made[-32:], "little") + order).to_bytes(32, "little")
        if made[-34:-32] == (256).to_bytes(2, "big") and moved[0] >= 0x80:
            break
    else:
        pytest.fail("no signature had the lengths that this test needs")
    files = {ADA: keyring.export(plain)}
    assert parse_openpgp(made[:-32] + moved).may_be_about(MESSAGE)
    assert verdict(files, made, JUDGED) == (True, "", False)
    assert verdict(files, made[:-32] + moved, JUDGED) == (False, "signature.invalid", False)


# -- certificates and moments ---------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A signature, the certificates of the policy, the moment of judgement, and both verdicts."""

    signature: bytes
    files: dict[str, bytes]
    code: str = ""
    """Our refusal; empty when it counts."""
    intact: bool = False
    at: str = JUDGED
    by: str = ADA
    message: bytes = MESSAGE
    difference: str = ""
    """Why gpg accepts what we refuse: a deliberate refusal. Never the other way round."""


Make = Callable[[Gnupg], Case]
CASES: dict[str, Make] = {}


def case(make: Make) -> Make:
    """Put a case into the table, named after what it is."""
    CASES[make.__name__.replace("_", " ").strip()] = make
    return make


def one(keyring: Gnupg, key: str, signed: str = SIGNED, *options: str, **more: object) -> Case:
    """A signature by the key, whose certificate as it now is is ada's."""
    made = normalised(keyring.sign(MESSAGE, key, *options, at=signed))
    return Case(made, {ADA: keyring.export(key.rstrip("!"))}, **more)  # type: ignore[arg-type]


@case
def good_ed25519(keyring: Gnupg) -> Case:
    return one(keyring, keyring.key("a1", at=MADE))


@case
def good_rsa(keyring: Gnupg) -> Case:
    return one(keyring, keyring.key("a2", "rsa2048", at=MADE))


@case
def good_ecdsa(keyring: Gnupg) -> Case:
    return one(keyring, keyring.key("a3", "nistp384", at=MADE))


@case
def good_subkey(keyring: Gnupg) -> Case:
    key = keyring.key("a4", "ed25519", "cert", at=MADE)
    keyring.subkey(key, "ed25519", "sign", at=MADE)
    keyring.subkey(key, "cv25519", "encr", at=MADE)
    return one(keyring, key)


@case
def another_message(keyring: Gnupg) -> Case:
    made = one(keyring, keyring.key("a5", at=MADE))
    return Case(made.signature, made.files, "signature.invalid", message=MESSAGE + b" ")


@case
def key_that_expires_only_later(keyring: Gnupg) -> Case:
    return one(keyring, keyring.key("a6", expires=EXPIRY, at=MADE))


@case
def key_that_expired_since(keyring: Gnupg) -> Case:
    return one(
        keyring,
        keyring.key("a7", expires=EXPIRY, at=MADE),
        code="signer.expired",
        intact=True,
        at=day_after(EXPIRY),
    )


@case
def last_second_of_a_key(keyring: Gnupg) -> Case:
    return one(keyring, keyring.key("a8", expires=EXPIRY, at=MADE), at="20240331T235959")


@case
def first_second_after_a_key(keyring: Gnupg) -> Case:
    key = keyring.key("a9", expires=EXPIRY, at=MADE)
    return one(
        keyring,
        key,
        code="signer.expired",
        intact=True,
        at=EXPIRY,
        difference="gpg takes a key for good in the very second in which it expires",
    )


@case
def subkey_that_expired_since(keyring: Gnupg) -> Case:
    key = keyring.key("b1", "ed25519", "cert", at=MADE)
    keyring.subkey(key, "ed25519", "sign", expires=EXPIRY, at=MADE)
    return one(keyring, key, code="signer.expired", intact=True, at=day_after(EXPIRY))


@case
def primary_key_that_expired_since_with_a_subkey_that_did_not(keyring: Gnupg) -> Case:
    key = keyring.key("b2", "ed25519", "cert", expires=EXPIRY, at=MADE)
    keyring.subkey(key, "ed25519", "sign", at=MADE)
    return one(keyring, key, code="signer.expired", intact=True, at=day_after(EXPIRY))


@case
def expired_key_extended_before_the_signature(keyring: Gnupg) -> Case:
    key = keyring.key("b3", expires=EXPIRY, at=MADE)
    keyring.must("--quick-set-expire", key, "20250101T000000", at="20240110T000000")
    return one(keyring, key, at=day_after(EXPIRY))


@case
def key_shortened_before_the_signature(keyring: Gnupg) -> Case:
    key = keyring.key("b4", expires="20250101T000000", at=MADE)
    keyring.must("--quick-set-expire", key, EXPIRY, at="20240110T000000")
    return one(keyring, key, code="signer.expired", intact=True, at=day_after(EXPIRY))


@case
def subkey_shortened_before_the_signature(keyring: Gnupg) -> Case:
    key = keyring.key("b5", "ed25519", "cert", at=MADE)
    sub = keyring.subkey(key, "ed25519", "sign", expires="20250101T000000", at=MADE)
    keyring.must("--quick-set-expire", key, EXPIRY, sub, at="20240110T000000")
    return one(keyring, key, code="signer.expired", intact=True, at=day_after(EXPIRY))


@case
def signature_backdated_into_the_time_before_a_key_was_shortened(keyring: Gnupg) -> Case:
    key = keyring.key("b6", expires="20250101T000000", at=MADE)
    made = keyring.sign(MESSAGE, key, at="20240105T000000")
    old = keyring.export(key)
    keyring.must("--quick-set-expire", key, EXPIRY, at="20240110T000000")
    files = {ADA: merged(old, keyring.export(key))}
    return Case(normalised(made), files, "signer.not-yet-valid", intact=True, at=day_after(EXPIRY))


PAST_STATE = "a signature is judged by the certificate that the policy has, never by a past state of it"


@case
def signature_older_than_the_extension_of_its_key(keyring: Gnupg) -> Case:
    key = keyring.key("b7", expires=EXPIRY, at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    old = keyring.export(key)
    keyring.must("--quick-set-expire", key, "20250101T000000", at="20240215T000000")
    files = {ADA: merged(old, keyring.export(key))}
    return Case(normalised(made), files, "signer.not-yet-valid", intact=True, difference=PAST_STATE)


@case
def signature_older_than_the_renewal_of_its_subkey(keyring: Gnupg) -> Case:
    key = keyring.key("b8", "ed25519", "cert", at=MADE)
    sub = keyring.subkey(key, "ed25519", "sign", expires=EXPIRY, at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    old = keyring.export(key)
    keyring.must("--quick-set-expire", key, "20250101T000000", sub, at="20240215T000000")
    files = {ADA: merged(old, keyring.export(key))}
    return Case(normalised(made), files, "signer.not-yet-valid", intact=True, difference=PAST_STATE)


@case
def signature_older_than_all_that_the_certificate_still_has(keyring: Gnupg) -> Case:
    # gpg puts a new self-signature in the place of the old one, and so what the key was is not known any more.
    key = keyring.key("f1", expires=EXPIRY, at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    keyring.must("--quick-set-expire", key, "20250101T000000", at="20240215T000000")
    files = {ADA: keyring.export(key)}
    return Case(normalised(made), files, "signer.not-yet-valid", difference=PAST_STATE)


@case
def extension_made_after_the_moment_of_judgement(keyring: Gnupg) -> Case:
    key = keyring.key("b9", expires="20240215T000000", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    old = keyring.export(key)
    keyring.must("--quick-set-expire", key, "20250101T000000", at=LATER)
    return Case(
        normalised(made),
        {ADA: merged(old, keyring.export(key))},
        "signer.expired",
        intact=True,
        difference="gpg takes self-signatures from the future",
    )


@case
def signature_of_an_expired_key_dated_back(keyring: Gnupg) -> Case:
    # The thief of a key that ran out turns the clock back, which gpg lets anybody do.
    key = keyring.key("c1", expires="20240215T000000", at=MADE)
    return one(keyring, key, "20240214T235959", code="signer.expired", intact=True)


@case
def key_made_after_the_moment_of_judgement(keyring: Gnupg) -> Case:
    return one(
        keyring,
        keyring.key("c2", at=LATER),
        day_after(LATER),
        code="signer.not-yet-valid",
    )


@case
def signature_dated_before_its_key(keyring: Gnupg) -> Case:
    key = keyring.key("c3", at=MADE)
    made = keyring.must(
        *("--ignore-time-conflict", "--detach-sign", "--local-user", key), data=MESSAGE, at="20231201T000000"
    )
    return Case(normalised(made), {ADA: keyring.export(key)}, "signer.not-yet-valid")


@case
def revoked_key(keyring: Gnupg) -> Case:
    key = keyring.key("c4", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    keyring.revoke(key)
    return Case(
        normalised(made), {ADA: keyring.export(key)}, "signer.revoked", intact=True, at="20990101T000000"
    )


@case
def key_whose_revocation_is_younger_than_the_judgement(keyring: Gnupg) -> Case:
    key = keyring.key("c5", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    keyring.edit(key, "revkey", "y", "3", "", "y", at=LATER)
    return Case(
        normalised(made),
        {ADA: keyring.export(key)},
        "signer.revoked",
        intact=True,
    )


@case
def retired_key_extended_after_its_revocation(keyring: Gnupg) -> Case:
    key = keyring.key("c6", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    keyring.edit(key, "revkey", "y", "3", "", "y", at=LATER)
    return Case(
        normalised(made), {ADA: keyring.export(key)}, "signer.revoked", intact=True, at=day_after(LATER)
    )


@case
def revoked_subkey(keyring: Gnupg) -> Case:
    key = keyring.key("c7", "ed25519", "cert", at=MADE)
    keyring.subkey(key, "ed25519", "sign", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    keyring.edit(key, "key 1", "revkey", "y", "0", "", "y", at="20240215T000000")
    return Case(normalised(made), {ADA: keyring.export(key)}, "signer.revoked", intact=True)


@case
def good_subkey_beside_a_revoked_one(keyring: Gnupg) -> Case:
    key = keyring.key("c8", "ed25519", "cert", at=MADE)
    keyring.subkey(key, "ed25519", "sign", at=MADE)
    keyring.subkey(key, "ed25519", "sign", at=day_after(MADE))
    keyring.edit(key, "key 1", "revkey", "y", "0", "", "y", at="20240115T000000")
    return one(keyring, key)


@case
def subkey_that_lost_its_signing_flag(keyring: Gnupg) -> Case:
    key = keyring.key("c9", "ed25519", "cert", at=MADE)
    keyring.subkey(key, "ed25519", "sign,auth", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    keyring.edit(key, "key 1", "change-usage", "s", "q", at="20240110T000000")
    return Case(normalised(made), {ADA: keyring.export(key)}, "signer.purpose")


@case
def subkey_without_a_back_signature(keyring: Gnupg) -> Case:
    key = keyring.key("d1", "ed25519", "cert", at=MADE)
    keyring.subkey(key, "ed25519", "sign", at=MADE)
    made = keyring.sign(MESSAGE, key, at=SIGNED)
    return Case(
        normalised(made), {ADA: without_back_signature(keyring.must("--export", key))}, "signature.invalid"
    )


@case
def unknown_key(keyring: Gnupg) -> Case:
    made = one(keyring, keyring.key("d2", at=MADE))
    return Case(made.signature, {ADA: keyring.export(keyring.key("d3", at=MADE))}, "signer.unknown")


@case
def no_certificates_at_all(keyring: Gnupg) -> Case:
    return Case(one(keyring, keyring.key("d4", at=MADE)).signature, {}, "signer.unknown")


@case
def key_of_another_person(keyring: Gnupg) -> Case:
    made = one(keyring, keyring.key("d5", at=MADE))
    other = keyring.export(keyring.key("d6", at=MADE))
    return Case(
        made.signature,
        {ADA: other, BO: made.files[ADA]},
        "signer.principal",
        intact=True,
        difference="gpg does not know in whose name something is said",
    )


@case
def second_key_of_a_person(keyring: Gnupg) -> Case:
    first, second = keyring.key("d7", at=MADE), keyring.key("d8", at=MADE)
    made = keyring.sign(MESSAGE, second, at=SIGNED)
    return Case(normalised(made), {ADA: keyring.export(first) + keyring.export(second)})


@case
def several_keys_in_one_block(keyring: Gnupg) -> Case:
    first, second = keyring.key("d9", at=MADE), keyring.key("e1", at=MADE)
    made = keyring.sign(MESSAGE, second, at=SIGNED)
    return Case(normalised(made), {ADA: keyring.export(first, second)})


@case
def certificate_with_the_signatures_of_others(keyring: Gnupg) -> Case:
    key, other = keyring.key("e2", at=MADE), keyring.key("e3", "ed25519", "cert,sign", at=MADE)
    keyring.must("--yes", "--default-key", other, "--quick-sign-key", key, at=LATER)
    return one(keyring, key, at=day_after(LATER))


def merged(*exported: bytes) -> bytes:
    """Several states of one certificate in one, as a keyring has it that was fed with each."""
    whole, *others = (Cert.from_bytes(text) for text in exported)
    for other in others:
        whole = whole.merge(other)
    return str(whole).encode()


def packets(certificate: bytes) -> list[bytes]:
    """The packets of what gpg exported: it frames them in the old format."""
    found: list[bytes] = []
    while certificate:
        start = 1 + (1, 2, 4)[certificate[0] & 3]
        end = start + int.from_bytes(certificate[1:start], "big")
        found.append(certificate[:end])
        certificate = certificate[end:]
    return found


def without_back_signature(certificate: bytes) -> bytes:
    """The certificate with the unhashed areas of its signatures emptied: gpg keeps back signatures there."""
    done = b""
    for packet in packets(certificate):
        if packet[0] >> 2 & 15 == 2:
            body = packet[1 + (1, 2, 4)[packet[0] & 3] :]
            mark = 6 + int.from_bytes(body[4:6], "big")
            after = mark + 2 + int.from_bytes(body[mark : mark + 2], "big")
            body = body[:mark] + b"\0\0" + body[after:]
            done += b"\x89" + len(body).to_bytes(2, "big") + body
        else:
            done += packet
    return armored(done)


def armored(certificate: bytes) -> bytes:
    """A certificate in its armor, by gpg."""
    command = ["gpg", "--enarmor"]
    text = subprocess.run(command, input=certificate, capture_output=True, check=True).stdout
    return text.replace(b"PGP ARMORED FILE", b"PGP PUBLIC KEY BLOCK").replace(
        b'Comment: Use "gpg --dearmor" for unpacking\n', b""
    )


@pytest.mark.parametrize("name", CASES)
def test_ours_and_gpgs_verdict(keyring: Gnupg, reader: Gnupg, name: str, tmp_path: Path) -> None:
    """For each signature, certificate and moment gpg decides as we do, or we refuse and say why."""
    given = CASES[name](keyring)
    expected = (not given.code, given.code, given.intact)
    assert verdict(given.files, given.signature, given.at, given.by, given.message) == expected
    for text in given.files.values():
        reader.must("--import", data=text)
    theirs = reader.accepts(given.message, given.signature, tmp_path, at=given.at)
    assert theirs == (not given.code or bool(given.difference))


def test_key_of_two_persons_is_told_to_be_of_both(keyring: Gnupg, plain: str, signature: bytes) -> None:
    """Who authenticates learns everybody to whom the policy gives the key, subkeys included."""
    text = keyring.export(plain)
    known = Signers(b"", {ADA: text, BO: text})
    result = known.verify(MESSAGE, signature, principal=ADA, namespace="gitchange", at=moment(JUDGED))
    assert result.owners == (ADA, BO)
    assert known.openpgp.shared == {plain: (ADA, BO)}
    with_subkey = keyring.key("shared", "ed25519", "cert", at=MADE)
    keyring.subkey(with_subkey, "ed25519", "sign", at=MADE)
    text = keyring.export(with_subkey)
    assert len(Certificates({ADA: text, BO: text}).shared) == 2


def test_signature_and_key_are_named(keyring: Gnupg) -> None:
    """What signed is the subkey; what its certificate is called by is the primary key."""
    key = keyring.key("named", "ed25519", "cert", at=MADE)
    sub = keyring.subkey(key, "rsa2048", "sign", at=MADE)
    made = normalised(keyring.sign(MESSAGE, key, at=SIGNED))
    known = Signers(b"", {ADA: keyring.export(key)})
    result = known.verify(MESSAGE, made, principal=ADA, namespace="gitchange", at=moment(JUDGED))
    assert (result.key, result.primary) == (f"openpgp:{sub}", f"openpgp:{key}")
    assert result.key_type == "openpgp-rsa"


def test_version_6_signs_too() -> None:
    """Keys of RFC 9580, which gpg does not know yet, are verified; not one bit of their signatures can change."""
    secret = Tsk.generate("Ada", profile=Profile.RFC9580)
    text = str(secret.extract_certificate()).encode()
    signed = sequoia_sign(secret.signer(), MESSAGE, mode=SignatureMode.DETACHED)
    good = normalised(dearmor_openpgp(signed))
    known = Signers(b"", {ADA: text})
    now = datetime.now(UTC)

    def counts(blob: bytes) -> bool:
        return known.verify(MESSAGE, blob, principal=ADA, namespace="gitchange", at=now).ok

    assert counts(good)
    parsed = parse_openpgp(good)
    assert (parsed.version, len(parsed.issuer)) == (6, 64)
    assert not any(
        counts(good[: bit // 8] + bytes((good[bit // 8] ^ 1 << bit % 8,)) + good[bit // 8 + 1 :])
        for bit in range(len(good) * 8)
    )


def test_signature_from_the_future_does_not_count(keyring: Gnupg, plain: str) -> None:
    """One that claims to be made long after now cannot be told, so it is no intact one either."""
    made = normalised(keyring.sign(MESSAGE, plain, at="20990101T000000"))
    assert verdict({ADA: keyring.export(plain)}, made, JUDGED) == (False, "signature.invalid", False)


# -- files of certificates ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("nothing", "no certificate"),
        ("not armored", "outside of an armored block"),
        ("text around it", "line 1 stands outside"),
        ("no end", "has no end"),
        ("damaged", "the OpenPGP library says"),
        ("secret", "SECRET"),
        ("secret under another header", "SECRET"),
        ("revocation beside it", "does not begin with a key"),
        ("signature only", "does not begin with a key"),
        ("twice", "stands there twice"),
        ("message", "something else"),
        ("too large", "at most"),
    ],
)
def test_file_with_anything_else_gives_no_key(
    keyring: Gnupg, plain: str, signature: bytes, what: str, words: str
) -> None:
    """A file is public certificates to the last line; otherwise none of it counts, and what is wrong is said."""
    good = keyring.export(plain)
    secret = keyring.must("--armor", "--export-secret-keys", plain)
    prepared = (keyring.home / "openpgp-revocs.d" / f"{plain.upper()}.rev").read_bytes()
    revocation = prepared[prepared.index(b":-----BEGIN") + 1 :]
    half = len(good) // 2
    texts = {
        "nothing": b"\n\n",
        "not armored": keyring.must("--export", plain),
        "text around it": b"ada's key\n" + good,
        "no end": good[: good.index(b"-----END")],
        "damaged": good[:half] + b"AAAA" * 8 + good[half:],
        "secret": secret,
        "secret under another header": secret.replace(b"PRIVATE", b"PUBLIC"),
        "revocation beside it": revocation + good,
        "signature only": armored(signature),
        "twice": good + good,
        "message": armored(b"\xcb\x07b\0\0\0\0\0x"),
        "too large": good + b"\n" * 1024 * 1024,
    }
    with pytest.raises(CertificateError, match=words):
        read_certificates(texts[what])
    known = Certificates({ADA: texts[what], BO: keyring.export(keyring.key(f"bo-{what.replace(' ', '-')}"))})
    assert [problem.principal for problem in known.problems] == [ADA]
    assert known.of(BO)
    assert verdict({ADA: texts[what]}, signature, JUDGED) == (False, "signature.unchecked", False)


def test_misplaced_revocation_is_found(keyring: Gnupg) -> None:
    """A subkey's revocation counts wherever in the certificate it stands."""
    key = keyring.key("misplaced", "ed25519", "cert", at=MADE)
    first = keyring.subkey(key, "ed25519", "sign", at=MADE)
    second = keyring.subkey(key, "ed25519", "sign", at=day_after(MADE))
    before = keyring.must("--export", key)
    made = normalised(keyring.sign(MESSAGE, f"{first}!", at=SIGNED))
    keyring.edit(key, "key 1", "revkey", "y", "0", "", "y", at="20240215T000000")
    after = keyring.must("--export", key)
    assert verdict({ADA: armored(before)}, made, JUDGED) == (True, "", False)
    (added,) = [packet for packet in packets(after) if packet not in packets(before)]
    moved = before + added
    assert moved != after
    for text in (after, moved):
        (certificate,) = read_certificates(armored(text))
        assert certificate.revoked(first)
        assert not certificate.revoked(second)
        assert verdict({ADA: armored(text)}, made, JUDGED) == (False, "signer.revoked", True)


def test_who_cannot_sign_is_told(keyring: Gnupg) -> None:
    """For whoever checks a policy: keys for encryption only, expired ones and revoked ones are named."""
    encrypting = keyring.key("encrypting", "rsa2048", "cert", at=MADE)
    keyring.subkey(encrypting, "rsa2048", "encr", at=MADE)
    expiring = keyring.key("expiring", expires=EXPIRY, at=MADE)
    revoked = keyring.key("gone", at=MADE)
    keyring.revoke(revoked)
    known = Certificates(
        {"e": keyring.export(encrypting), "x": keyring.export(expiring), "r": keyring.export(revoked)}
    )
    assert known.why_unable("e", moment(JUDGED)) == "none of the keys is for signing"
    assert known.why_unable("x", moment(JUDGED)) == ""
    assert "expired 2024-04-01T00:00:00Z" in known.why_unable("x", moment(day_after(EXPIRY)))
    assert "is revoked" in known.why_unable("r", moment(JUDGED))


# -- the library ----------------------------------------------------------------------------------


def test_without_the_library_it_cannot_be_told(
    keyring: Gnupg, plain: str, signature: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pysequoia is not installed an OpenPGP signature is in doubt, not intact, and the mend is said."""
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    known = Signers(b"", {ADA: keyring.export(plain)})
    result = known.verify(MESSAGE, signature, principal=ADA, namespace="gitchange", at=moment(JUDGED))
    assert (result.ok, result.code, result.intact) == (False, "signature.unchecked", False)
    assert "pip install 'gitchange[openpgp]'" in result.hint


def test_the_library_is_loaded_for_openpgp_alone(signature: bytes) -> None:
    """Reading and judging SSH signatures does not load it, nor does taking an OpenPGP signature apart."""
    program = (
        "import sys, datetime as dt\n"
        "from gitchange.signing.signers import Signers, name_of_key\n"
        "name_of_key(bytes.fromhex(sys.argv[1]))\n"
        "known = Signers(b'', {'ada@example.org': b'never read'})\n"
        "now = dt.datetime.now(dt.UTC)\n"
        "known.verify(b'', b'SSHSIG', principal='ada@example.org', namespace='gitchange', at=now)\n"
        "print('pysequoia' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, signature.hex()], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
