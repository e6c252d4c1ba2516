"""The verdict about a signature: the same yes and no as ssh-keygen's, on every question."""

from __future__ import annotations

import random
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_ssh_private_key

import gitchange.signing
from gitchange.signing.allowed_signers import AllowedSigners
from gitchange.signing.keys import parse_public_line
from gitchange.signing.sshsig import armor, dearmor, parse_signature
from gitchange.signing.verify import CODES, CertificateSummary, check_signature, verify
from gitchange.signing.wire import Reader, mpint, string

from .conftest import KINDS
from .support import (
    AT,
    MESSAGE,
    NAMESPACE,
    PRINCIPAL,
    Case,
    SoftKey,
    agreed_check,
    certify,
    ecdsa_key,
    ecdsa_signature,
    ed25519_key,
    keygen,
    make_key,
    p256_private,
    public_blob,
    public_line,
    real_check,
    sign,
    sk_ecdsa_key,
    sk_ed25519_key,
    webauthn_key,
)

SOFT = {
    "sk-ed25519": sk_ed25519_key(),
    "sk-ecdsa": sk_ecdsa_key(),
    "webauthn": webauthn_key(),
    "certificate": certify(ecdsa_key(), ed25519_key()),
}


def fingerprint(key: Path) -> str:
    """The fingerprint of the public key beside `key`."""
    return parse_public_line(public_line(key)).fingerprint


# What is signed, by whom, and where.


@pytest.fixture(scope="session")
def signatures(keys: dict[str, Path]) -> dict[str, tuple[str, bytes]]:
    """For each kind of key the line of allowed signers and a good signature."""
    real = {kind: (f"{PRINCIPAL} {public_line(key)}", sign(key)) for kind, key in keys.items()}
    soft = {
        kind: (f"{PRINCIPAL} {key.line}", key.signature())
        for kind, key in SOFT.items()
        if kind != "certificate"
    }
    certified = {
        "certificate": (f"{PRINCIPAL} cert-authority {ecdsa_key().line}", SOFT["certificate"].signature())
    }
    return real | soft | certified


EVERY_KIND = [*KINDS, *SOFT]


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_good_signature_is_accepted(
    kind: str, signatures: dict[str, tuple[str, bytes]], tmp_path: Path
) -> None:
    """Every kind of key can sign, and the answer names the key."""
    allowed, signature = signatures[kind]
    case = Case(tmp_path, allowed, signature)
    assert case.agreed() == "ok"
    answer = case.ours()
    assert answer.code == ""
    assert answer.fingerprint == parse_signature(signature).public_key.fingerprint
    assert (answer.certificate is not None) == (kind == "certificate")
    assert answer.key_type.startswith(("ssh-", "ecdsa-", "sk-"))
    assert agreed_check(tmp_path, signature) == "ok"


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_same_signature_for_anything_else_is_refused(
    kind: str, signatures: dict[str, tuple[str, bytes]], other_key: Path, tmp_path: Path
) -> None:
    """Another text, person, namespace or list of keys turns a yes into a no."""
    allowed, signature = signatures[kind]
    good = Case(tmp_path, allowed, signature)
    assert replace(good, message=MESSAGE + b" ").agreed() == "signature.invalid"
    assert replace(good, message=b"").agreed() == "signature.invalid"
    assert replace(good, principal="bo@example.org").agreed() == "signer.principal"
    assert replace(good, namespace="git").agreed() == "signature.namespace"
    assert replace(good, allowed=f"{PRINCIPAL} {public_line(other_key)}").agreed() == "signer.unknown"
    assert replace(good, allowed="").agreed() == "signer.unknown"


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_flipped_byte_is_judged_as_by_ssh_keygen(
    kind: str, signatures: dict[str, tuple[str, bytes]], tmp_path: Path
) -> None:
    """One byte changed anywhere spoils a signature; only the version may also be 0."""
    allowed, signature = signatures[kind]
    source = random.Random(kind)  # noqa: S311
    positions = {*range(14), *source.sample(range(len(signature)), 46), len(signature) - 1}
    for position in sorted(positions):
        flip = 1 if position == 9 else 1 << source.randrange(8)
        spoiled = signature[:position] + bytes([signature[position] ^ flip]) + signature[position + 1 :]
        outcome = Case(tmp_path, allowed, spoiled).agreed()
        assert (outcome == "ok") == (position == 9), f"byte {position}"


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_shortened_or_lengthened_signature_is_refused(
    kind: str, signatures: dict[str, tuple[str, bytes]], tmp_path: Path
) -> None:
    """Nothing may be missing from a signature and nothing may follow it."""
    allowed, signature = signatures[kind]
    source = random.Random(kind)  # noqa: S311
    for length in (0, 5, 6, 9, 10, *source.sample(range(len(signature)), 5), len(signature) - 1):
        assert Case(tmp_path, allowed, signature[:length]).agreed() != "ok"
    assert Case(tmp_path, allowed, signature + b"\0").agreed() == "signature.format"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hash_algorithm", ["sha256", "sha512"])
def test_both_hashes_are_accepted(
    kind: str, hash_algorithm: str, keys: dict[str, Path], tmp_path: Path
) -> None:
    """The message may be hashed with SHA-256 or SHA-512, by every kind of key."""
    signature = sign(keys[kind], MESSAGE, NAMESPACE, f"-Ohashalg={hash_algorithm}")
    assert agreed_check(tmp_path, signature) == "ok"


@pytest.mark.parametrize("message", [b"", b"\0", b"\r\n", "é".encode(), b"x" * 1_000_000])
def test_any_bytes_can_be_signed(message: bytes, keys: dict[str, Path], tmp_path: Path) -> None:
    """The message is bytes of any length, and no byte of it is changed."""
    assert agreed_check(tmp_path, sign(keys["ed25519"], message), message) == "ok"


def test_an_empty_namespace_is_never_right(tmp_path: Path) -> None:
    """A signature without a namespace is refused, also if none was asked for."""
    signature = ed25519_key().signature(namespace=b"")
    assert check_signature(MESSAGE, signature, "").code == "signature.namespace"
    assert not real_check(tmp_path, armor(signature).encode(), namespace="")


@pytest.mark.parametrize("namespace", ["git", "gitchange.example.org", "é", "a b", "*"])
def test_namespaces_are_compared_exactly(namespace: str, keys: dict[str, Path], tmp_path: Path) -> None:
    """A namespace is a name, not a pattern."""
    signature = sign(keys["ed25519"], MESSAGE, namespace)
    for asked in ("git", "gitchange.example.org", "é", "a b", "*"):
        ours = check_signature(MESSAGE, signature, asked).ok
        assert ours is (asked == namespace)
        assert real_check(tmp_path, armor(signature).encode(), namespace=asked) is ours


# Signatures with more than one spelling, and algorithms that are refused.


def test_rsa_algorithms_are_those_of_ssh_keygen(keys: dict[str, Path], tmp_path: Path) -> None:
    """RSA signs with SHA-256 or SHA-512, never with SHA-1, and leading zeros may be missing."""
    private = load_ssh_private_key(keys["rsa-3072"].read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    signature = sign(keys["rsa-3072"])
    blob = public_blob(keys["rsa-3072"])

    def made(name: bytes, algorithm: hashes.HashAlgorithm, strip: bool = False, pad: bytes = b"") -> SoftKey:
        def sign_blob(data: bytes) -> bytes:
            made = private.sign(data, padding.PKCS1v15(), algorithm)
            return string(name) + string(pad + (made.lstrip(b"\0") if strip else made))

        return SoftKey(blob, sign_blob)

    assert agreed_check(tmp_path, signature) == "ok"
    sha1 = hashes.SHA1()  # noqa: S303
    assert agreed_check(tmp_path, made(b"rsa-sha2-256", hashes.SHA256()).signature()) == "ok"
    assert agreed_check(tmp_path, made(b"rsa-sha2-512\0", hashes.SHA512()).signature()) == "ok"
    assert agreed_check(tmp_path, made(b"ssh-rsa", sha1).signature()) == "signature.invalid"
    assert agreed_check(tmp_path, made(b"ssh-rsa", hashes.SHA512()).signature()) == "signature.invalid"
    assert agreed_check(tmp_path, made(b"rsa-sha2-256", hashes.SHA512()).signature()) == "signature.invalid"
    assert agreed_check(tmp_path, made(b"rsa-sha2-384", hashes.SHA384()).signature()) == "signature.invalid"
    assert (
        agreed_check(tmp_path, made(b"rsa-sha2-512-cert-v01@openssh.com", hashes.SHA512()).signature())
        == "signature.invalid"
    )
    assert (
        agreed_check(tmp_path, made(b"rsa-sha2-512", hashes.SHA512(), pad=b"\0").signature())
        == "signature.invalid"
    )
    # About one signature in 256 begins with a zero byte.
    for number in range(5000):
        message = b"%d" % number
        short = made(b"rsa-sha2-512", hashes.SHA512(), strip=True).signature(message)
        if len(short) < len(signature):
            assert agreed_check(tmp_path, short, message) == "ok"
            break
    else:
        pytest.fail("no signature began with a zero byte")


ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize("multiple", range(9))
def test_the_second_spelling_of_an_ed25519_signature_is_judged_as_by_ssh_keygen(
    multiple: int, tmp_path: Path
) -> None:
    """S plus the group's order is taken below 2**253 and refused above, as by OpenSSH."""
    signature = ed25519_key().signature()
    raw = signature[-64:]
    scalar = int.from_bytes(raw[32:], "little") + multiple * ED25519_ORDER
    if scalar < 1 << 256:
        spelled = signature[:-32] + scalar.to_bytes(32, "little")
        assert agreed_check(tmp_path, spelled) == ("ok" if scalar < 1 << 253 else "signature.invalid")


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0200000000000000000000000000000000000000000000000000000000000000",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_odd_ed25519_keys_are_judged_as_by_ssh_keygen(point: str, tmp_path: Path) -> None:
    """Keys of small order and odd encodings give the same answers as in OpenSSH."""
    name = string(b"ssh-ed25519")
    blob = name + string(bytes.fromhex(point))
    for commitment in SMALL_ORDER[:10]:
        key = SoftKey(blob, lambda _data, r=commitment: name + string(bytes.fromhex(r) + bytes(32)))  # type: ignore[misc]
        agreed_check(tmp_path, key.signature())


def test_ecdsa_numbers_are_judged_as_by_ssh_keygen(tmp_path: Path) -> None:
    """Both spellings of an ECDSA signature hold, leading zeros are taken, and wrong numbers refused."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    key = ecdsa_key()
    name = string(b"ecdsa-sha2-nistp256")

    def signature(change: object) -> str:
        def sign_blob(data: bytes) -> bytes:
            reader = Reader(ecdsa_signature(p256_private(), data))
            return name + string(change(reader.mpint(), reader.mpint()))  # type: ignore[operator]

        return agreed_check(tmp_path, SoftKey(key.blob, sign_blob).signature())

    def padded(number: int) -> bytes:
        return string(bytes(8) + number.to_bytes(32, "big"))

    assert signature(lambda r, s: mpint(r) + mpint(s)) == "ok"
    assert signature(lambda r, s: mpint(r) + mpint(order - s)) == "ok"
    assert signature(lambda r, s: padded(r) + padded(s)) == "ok"
    for spoiled in (
        lambda r, s: mpint(r + order) + mpint(s),
        lambda r, s: mpint(r) + mpint(s + order),
        lambda r, s: mpint(0) + mpint(s),
        lambda r, s: mpint(r) + mpint(0),
        lambda r, s: mpint(0) + mpint(0),
        lambda r, s: mpint(s) + mpint(r),
        lambda r, s: mpint(r) + string(b"\xff" * 32),
        lambda r, s: mpint(r) + mpint(1 << 16000),
        lambda r, s: mpint(r) + string(b"\1" * 3000),
        lambda r, s: mpint(r) + mpint(s) + b"\0",
        lambda r, s: mpint(r),
        lambda r, s: b"",
    ):
        assert signature(spoiled) == "signature.invalid"


# Security keys.


@pytest.mark.parametrize("make", [sk_ed25519_key, sk_ecdsa_key])
@pytest.mark.parametrize("flags", [0, 1, 4, 5, 0x81, 0xFF])
def test_a_security_keys_flags_are_not_judged(make: object, flags: int, tmp_path: Path) -> None:
    """A signature without a touch counts, as for ssh-keygen: which flags a policy wants is not asked."""
    assert agreed_check(tmp_path, make(flags=flags).signature()) == "ok"  # type: ignore[operator]


@pytest.mark.parametrize("make", [sk_ed25519_key, sk_ecdsa_key])
def test_a_security_keys_application_counts(make: object, tmp_path: Path) -> None:
    """A signature for another application does not hold, and the same point for another is another key."""
    ssh, other = make(), make(application=b"ssh:other")  # type: ignore[operator]
    assert agreed_check(tmp_path, other.signature()) == "ok"
    assert agreed_check(tmp_path, other.signature(key_blob=ssh.blob)) == "signature.invalid"
    assert Case(tmp_path, f"{PRINCIPAL} {ssh.line}", other.signature()).agreed() == "signer.unknown"


@pytest.mark.parametrize("make", [sk_ed25519_key, sk_ecdsa_key])
def test_a_security_keys_flags_and_counter_are_signed(make: object, tmp_path: Path) -> None:
    """Flags and counter cannot be changed, nor left out, nor followed by anything."""
    key = make()  # type: ignore[operator]
    plain = key.signature()
    for tail in (plain[-5:-4] + bytes(4), b"\0" + plain[-4:], b"", plain[-5:-1], plain[-5:] + b"\0"):
        spoiled = SoftKey(key.blob, lambda data, tail=tail: key.sign_blob(data)[:-5] + tail)  # type: ignore[misc]
        assert agreed_check(tmp_path, spoiled.signature()) == "signature.invalid"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        pytest.param(webauthn_key(), "ok", id="good"),
        pytest.param(webauthn_key(flags=0x81, extensions=b"\xa0"), "ok", id="with-extensions"),
        pytest.param(webauthn_key(origin=b""), "ok", id="without-origin"),
        pytest.param(
            webauthn_key(
                client_data=lambda challenge: (
                    b'{"type":"webauthn.get","challenge":"' + challenge + b'","origin":"https://example.org"'
                )
            ),
            "ok",
            id="cut-off-after-the-origin",
        ),
        pytest.param(webauthn_key(origin=b'x"y'), "signature.invalid", id="quote-in-origin"),
        pytest.param(webauthn_key(flags=0x41), "signature.invalid", id="attested-data"),
        pytest.param(webauthn_key(flags=0x81), "signature.invalid", id="extensions-promised"),
        pytest.param(webauthn_key(extensions=b"\xa0"), "signature.invalid", id="extensions-not-promised"),
        pytest.param(
            webauthn_key(
                client_data=lambda _: (
                    b'{"type":"webauthn.get","challenge":"AAAA","origin":"https://example.org","crossOrigin":false}'
                )
            ),
            "signature.invalid",
            id="other-challenge",
        ),
        pytest.param(
            webauthn_key(
                client_data=lambda challenge: (
                    b'{"type":"webauthn.get","challenge":"'
                    + challenge
                    + b'=","origin":"https://example.org"}'
                )
            ),
            "signature.invalid",
            id="padded-challenge",
        ),
        pytest.param(
            webauthn_key(
                client_data=lambda challenge: (
                    b'{"type":"webauthn.get","challenge":"' + challenge + b'","origin":"https://other.org"}'
                )
            ),
            "signature.invalid",
            id="other-origin",
        ),
        pytest.param(
            webauthn_key(
                client_data=lambda challenge: (
                    b'{"type":"webauthn.create","challenge":"'
                    + challenge
                    + b'","origin":"https://example.org"}'
                )
            ),
            "signature.invalid",
            id="other-ceremony",
        ),
    ],
)
def test_a_signature_from_a_browser_is_judged_as_by_ssh_keygen(
    key: SoftKey, code: str, tmp_path: Path
) -> None:
    """WebAuthn signatures count if their clientData quotes what was signed."""
    assert agreed_check(tmp_path, key.signature()) == code


# Certificates.


SECONDS = int(AT.timestamp())
SIGNER = ed25519_key()
CA = ecdsa_key()
CA_LINE = f"{PRINCIPAL} cert-authority {CA.line}"

CERTIFICATES = {
    "good": (certify(CA, SIGNER), "ok"),
    "several-principals": (certify(CA, SIGNER, principals=(b"x", PRINCIPAL.encode(), b"y")), "ok"),
    "principal-with-nul": (certify(CA, SIGNER, principals=(PRINCIPAL.encode() + b"\0",)), "ok"),
    "first-second": (certify(CA, SIGNER, valid_after=SECONDS), "ok"),
    "last-second": (certify(CA, SIGNER, valid_before=SECONDS + 1), "ok"),
    "critical-options": (certify(CA, SIGNER, critical=string(b"force-command") + string(string(b"x"))), "ok"),
    "unknown-critical-options": (
        certify(CA, SIGNER, critical=string(b"zzz@example.org") + string(b"")),
        "ok",
    ),
    "extensions": (certify(CA, SIGNER, extensions=string(b"permit-pty") + string(b"")), "ok"),
    "not-yet-valid": (certify(CA, SIGNER, valid_after=SECONDS + 1), "certificate.not-yet-valid"),
    "expired": (certify(CA, SIGNER, valid_before=SECONDS), "certificate.expired"),
    "never-valid": (certify(CA, SIGNER, valid_after=2**64 - 1), "certificate.not-yet-valid"),
    "of-a-host": (certify(CA, SIGNER, kind=2), "certificate.not-user"),
    "no-principals": (certify(CA, SIGNER, principals=()), "certificate.no-principals"),
    "other-principal": (certify(CA, SIGNER, principals=(b"bo@example.org",)), "certificate.principal"),
    "empty-principal": (certify(CA, SIGNER, principals=(b"",)), "certificate.principal"),
    "pattern-for-a-principal": (certify(CA, SIGNER, principals=(b"*",)), "certificate.principal"),
    "principal-in-capitals": (certify(CA, SIGNER, principals=(b"ADA@example.org",)), "certificate.principal"),
    "by-another-authority": (certify(ed25519_key(8), SIGNER), "signer.unknown"),
    "by-itself": (certify(SIGNER, SIGNER), "signer.unknown"),
}


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_is_judged_as_by_ssh_keygen(name: str, tmp_path: Path) -> None:
    """A certificate must be a person's, in force, name the signer, and come from a listed authority."""
    certificate, code = CERTIFICATES[name]
    assert Case(tmp_path, CA_LINE, certificate.signature()).agreed() == code


GOOD = CERTIFICATES["good"][0]


@pytest.mark.parametrize(
    ("allowed", "code"),
    [
        pytest.param(CA_LINE, "ok", id="authority"),
        pytest.param(f"*@example.org cert-authority {CA.line}", "ok", id="authority-for-a-pattern"),
        pytest.param(f"bo cert-authority {CA.line}", "signer.principal", id="authority-for-another"),
        pytest.param(f"{PRINCIPAL} {CA.line}", "signer.unknown", id="authority-listed-as-a-signer"),
        pytest.param(f"{PRINCIPAL} {SIGNER.line}", "signer.unknown", id="only-the-certified-key"),
        pytest.param(
            f"{PRINCIPAL} cert-authority {SIGNER.line}", "signer.unknown", id="the-key-as-authority"
        ),
        pytest.param(f"{PRINCIPAL} {GOOD.line}", "ok", id="the-certificate-itself"),
        pytest.param(
            f"{PRINCIPAL} {CERTIFICATES['extensions'][0].line}",
            "signer.unknown",
            id="another-certificate-of-the-key",
        ),
        pytest.param(
            f"{PRINCIPAL} cert-authority {GOOD.line}", "signer.unknown", id="the-certificate-as-authority"
        ),
        pytest.param(
            f'{PRINCIPAL} cert-authority,namespaces="git" {CA.line}', "signer.namespace", id="other-namespace"
        ),
        pytest.param(
            f'{PRINCIPAL} cert-authority,valid-before="20200101Z" {CA.line}',
            "signer.expired",
            id="authority-expired",
        ),
        pytest.param(
            f'{PRINCIPAL} cert-authority,valid-after="20300101Z" {CA.line}',
            "signer.not-yet-valid",
            id="authority-later",
        ),
    ],
)
def test_an_authority_must_be_listed_as_one(allowed: str, code: str, tmp_path: Path) -> None:
    """cert-authority is neither implied nor ignored, and its line's options hold for certificates."""
    assert Case(tmp_path, allowed, GOOD.signature()).agreed() == code


def test_a_listed_certificate_is_a_key_like_any_other(tmp_path: Path) -> None:
    """On a line that lists the certificate itself, neither its time nor its principals are asked."""
    for name in ("expired", "other-principal", "of-a-host", "no-principals"):
        certificate, _ = CERTIFICATES[name]
        assert Case(tmp_path, f"{PRINCIPAL} {certificate.line}", certificate.signature()).agreed() == "ok"


def test_an_authority_may_be_listed_by_its_own_certificate(tmp_path: Path) -> None:
    """A cert-authority line with a certificate stands for the plain key in it."""
    root = certify(ed25519_key(5), SIGNER)
    certificate = certify(SIGNER, ed25519_key(6))
    allowed = f"{PRINCIPAL} cert-authority {root.line}"
    assert Case(tmp_path, allowed, certificate.signature()).agreed() == "ok"


def test_a_plain_signature_does_not_pass_as_a_certified_one(tmp_path: Path) -> None:
    """A signature by the plain key is not covered by the authority's line."""
    assert Case(tmp_path, CA_LINE, SIGNER.signature()).agreed() == "signer.unknown"
    assert (
        Case(tmp_path, f"{PRINCIPAL} cert-authority {SIGNER.line}", SIGNER.signature()).agreed()
        == "signer.unknown"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_certificates_of_ssh_keygen_are_judged_as_by_ssh_keygen(
    kind: str, keys: dict[str, Path], authority: Path, tmp_path: Path
) -> None:
    """Real certificates of every kind of key count in their time and for their principals."""
    key = tmp_path / "id"
    key.write_bytes(keys[kind].read_bytes())
    key.chmod(0o600)
    (tmp_path / "id.pub").write_text(public_line(keys[kind]))
    keygen(
        *(
            "-q",
            "-s",
            authority,
            "-I",
            "Ada",
            "-z",
            "7",
            "-n",
            f"{PRINCIPAL},ada",
            "-V",
            "20260101Z:20270101Z",
        ),
        tmp_path / "id.pub",
    )
    signature = sign(tmp_path / "id-cert.pub")
    good = Case(tmp_path, f"*@example.org cert-authority {public_line(authority)}", signature)
    assert good.agreed() == "ok"
    assert (
        replace(good, at=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)).agreed()
        == "certificate.not-yet-valid"
    )
    assert replace(good, at=datetime(2027, 1, 1, tzinfo=UTC)).agreed() == "certificate.expired"
    assert replace(good, principal="ada").agreed() == "signer.principal"
    assert replace(good, principal="bo@example.org").agreed() == "certificate.principal"
    answer = good.ours()
    assert answer.certificate == CertificateSummary("Ada", 7, fingerprint(authority))
    assert answer.fingerprint == fingerprint(keys[kind])


def test_certified_security_keys_count(tmp_path: Path) -> None:
    """An authority can certify a security key, and be one."""
    subject = sk_ed25519_key()
    private = tmp_path / "sk.pub"
    private.write_text(subject.line)
    ca = make_key(tmp_path / "ca", "-t", "ed25519")
    keygen("-q", "-s", ca, "-I", "x", "-n", PRINCIPAL, private)
    certified = SoftKey(parse_public_line((tmp_path / "sk-cert.pub").read_text()).blob, subject.sign_blob)
    assert (
        Case(tmp_path, f"{PRINCIPAL} cert-authority {public_line(ca)}", certified.signature()).agreed()
        == "ok"
    )
    by_security_key = certify(sk_ecdsa_key(), SIGNER)
    allowed = f"{PRINCIPAL} cert-authority {sk_ecdsa_key().line}"
    assert Case(tmp_path, allowed, by_security_key.signature()).agreed() == "ok"


# Time, answers, and use from several threads.


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "signer.not-yet-valid"),
        (datetime(2026, 1, 1, tzinfo=UTC), "ok"),
        (datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))), "signer.not-yet-valid"),
        (datetime(2026, 1, 1, 2, 0, tzinfo=timezone(timedelta(hours=2))), "ok"),
        (datetime(2027, 1, 1, 0, 0, 0, 999999, tzinfo=UTC), "ok"),
        (datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC), "signer.expired"),
    ],
)
def test_time_counts_in_whole_seconds_of_utc(at: datetime, code: str, tmp_path: Path) -> None:
    """valid-before is the last good second, fractions are cut, and zones are honoured."""
    line = f'{PRINCIPAL} valid-after="20260101Z",valid-before="20270101Z" {SIGNER.line}'
    case = Case(tmp_path, line, SIGNER.signature(), at=at.astimezone(UTC))
    assert case.agreed() == code
    assert (replace(case, at=at).ours().code or "ok") == code


def test_a_time_before_1970_is_before_every_beginning(tmp_path: Path) -> None:
    """A time that ssh-keygen cannot be asked about is earlier than every certificate."""
    case = Case(tmp_path, CA_LINE, GOOD.signature(), at=datetime(1969, 12, 31, tzinfo=UTC))
    assert case.ours().code == "certificate.not-yet-valid"


def test_a_time_without_a_zone_is_a_mistake() -> None:
    """A time that depends on the machine is no time to judge by."""
    with pytest.raises(ValueError, match="zone"):
        verify(
            MESSAGE,
            SIGNER.signature(),
            allowed=AllowedSigners.parse(b""),
            principal=PRINCIPAL,
            namespace=NAMESPACE,
            at=datetime(2026, 1, 1),
        )


def test_the_answer_is_about_the_line_that_came_furthest(tmp_path: Path) -> None:
    """Of several refusing lines the most telling one is told of."""
    lines = (
        f"bo@example.org {SIGNER.line}\n"
        f'{PRINCIPAL} valid-before="20200101Z" {SIGNER.line}\n'
        f'{PRINCIPAL} namespaces="git" {SIGNER.line}\n'
    )
    case = Case(tmp_path, lines, SIGNER.signature())
    assert case.agreed() == "signer.expired"
    assert "2020-01-01T00:00:00Z" in case.ours().message


def test_dss_signatures_are_refused_on_purpose(tmp_path: Path) -> None:
    """ssh-keygen 9.2 accepts ssh-dss; here it is a key type that is refused, signed or certifying."""
    key = make_key(tmp_path / "dsa", "-t", "dsa")
    case = Case(tmp_path, f"{PRINCIPAL} {public_line(key)}", sign(key))
    assert case.real()
    assert case.ours().code == "key.type"


def test_every_code_is_documented() -> None:
    """Every code that the code can give has its sentence, and every sentence its code."""
    directory = Path(gitchange.signing.__file__).parent
    given: set[str] = set()
    for name in ("verify.py", "sshsig.py", "keys.py"):
        source = (directory / name).read_text()
        given |= set(re.findall(r'"((?:signature|signer|certificate|key)\.[a-z-]+)"', source))
    assert given - {"signature.armor"} == set(CODES)


def test_messages_quote_what_came_from_outside(tmp_path: Path) -> None:
    """No name in a signature, a certificate or a question can speak to the terminal."""
    evil = "\x1b]0;x\x07\u202e"
    certificate = certify(CA, SIGNER, principals=(evil.encode(),))
    cases = [
        Case(tmp_path, CA_LINE, SIGNER.signature(namespace=evil.encode())),
        Case(tmp_path, CA_LINE, SIGNER.signature(hash_algorithm=b"md5").replace(b"md5", b"\x1b[m")),
        Case(tmp_path, CA_LINE, SIGNER.signature(key_blob=string(evil.encode()))),
        Case(tmp_path, f"* cert-authority {CA.line}", certificate.signature(), principal="\x1b"),
        Case(tmp_path, f"* cert-authority {CA.line}", certificate.signature(), principal=evil),
    ]
    for case in cases:
        assert case.ours().message.isprintable()


def test_verifying_from_several_threads_gives_the_same_answers(
    signatures: dict[str, tuple[str, bytes]], tmp_path: Path
) -> None:
    """The caches behind the keys are safe to share."""
    wrong: list[str] = []

    def work() -> None:
        for kind, (allowed, signature) in signatures.items():
            good = Case(tmp_path, allowed, signature)
            if not good.ours().ok or replace(good, message=b"other").ours().ok:
                wrong.append(kind)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_armored_signatures_are_not_raw_ones(keys: dict[str, Path]) -> None:
    """verify takes the raw signature; armor is taken off before."""
    text = armor(sign(keys["ed25519"])).encode()
    assert check_signature(MESSAGE, text, NAMESPACE).code == "signature.format"
    assert check_signature(MESSAGE, dearmor(text), NAMESPACE).ok
