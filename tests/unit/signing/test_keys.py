"""Public keys and certificates, named and read as ssh-keygen names and reads them."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.signing.key_types import CURVES
from gitchange.signing.keys import (
    MAX_CERTIFICATE_PRINCIPALS,
    MAX_SIGNED_BYTES,
    KeyFormatError,
    PublicKey,
    parse_public_key,
    parse_public_line,
    read_public_key,
)
from gitchange.signing.wire import mpint, string

from .conftest import KINDS
from .support import (
    PRINCIPAL,
    SoftKey,
    agreed_check,
    certify,
    ecdsa_key,
    ed25519_key,
    keygen,
    make_key,
    public_blob,
    public_line,
    run,
    sign,
    sk_ecdsa_key,
    sk_ed25519_key,
)

SOFT = {
    "ed25519": ed25519_key(),
    "ecdsa": ecdsa_key(),
    "sk-ed25519": sk_ed25519_key(),
    "sk-ecdsa": sk_ecdsa_key(),
}


def code_of(blob: bytes) -> str:
    with pytest.raises(KeyFormatError) as caught:
        parse_public_key(blob)
    return caught.value.code


def real_fingerprint(directory: Path, line: str) -> str | None:
    """What ``ssh-keygen -l`` prints for a key line; None if it does not read the line."""
    file = directory / "shown.pub"
    file.write_text(line + "\n")
    done = run("ssh-keygen", "-l", "-f", file)
    return done.stdout.decode().split()[1] if done.returncode == 0 else None


def line_of(blob: bytes, kind: str) -> str:
    return f"{kind} {base64.b64encode(blob).decode()}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_has_the_fingerprint_that_ssh_keygen_prints(
    kind: str, keys: dict[str, Path], tmp_path: Path
) -> None:
    """Fingerprint, type and line of every kind of key are ssh-keygen's."""
    key = parse_public_line(public_line(keys[kind]))
    assert key.fingerprint == real_fingerprint(tmp_path, public_line(keys[kind]))
    assert key.line == public_line(keys[kind])
    assert key.blob == public_blob(keys[kind])
    assert key.plain == key
    assert key.certificate is None


@pytest.mark.parametrize("kind", SOFT)
def test_security_keys_have_the_fingerprint_that_ssh_keygen_prints(kind: str, tmp_path: Path) -> None:
    """A security key's application is part of its fingerprint, as for ssh-keygen."""
    key = parse_public_key(SOFT[kind].blob)
    assert key.fingerprint == real_fingerprint(tmp_path, key.line)


def test_a_line_may_have_a_comment_and_leading_blanks(keys: dict[str, Path]) -> None:
    """The comment and the blanks of a .pub file do not matter; text and bytes read alike."""
    line = public_line(keys["ed25519"])
    key = parse_public_line(line)
    for spelled in (
        line + " me@host\n",
        " \t" + line.replace(" ", "\t ") + "\t# x",
        line.encode() + b" \xff",
    ):
        assert parse_public_line(spelled) == key
    assert read_public_key(line.encode() + b" \t a\tcomment ")[1] == b"a\tcomment "


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary().map(lambda blob: line_of(blob, "ssh-ed25519"))))
def test_arbitrary_lines_only_raise_key_format_errors(line: str) -> None:
    """No text makes the parser fail in any other way."""
    with contextlib.suppress(KeyFormatError, UnicodeEncodeError):
        parse_public_line(line)


@settings(deadline=None)
@given(st.sampled_from(sorted(SOFT)), st.integers(0, 300), st.integers(0, 300), st.binary(max_size=8))
def test_spoiled_keys_only_raise_key_format_errors(kind: str, start: int, stop: int, filler: bytes) -> None:
    """No replacement of bytes makes the parser fail in any other way."""
    blob = SOFT[kind].blob
    with contextlib.suppress(KeyFormatError):
        parse_public_key(blob[:start] + filler + blob[stop:])


ED = ed25519_key().blob
EC_FIELDS = ecdsa_key().blob[len(string(b"ecdsa-sha2-nistp256")) :]
EC_POINT = EC_FIELDS[len(string(b"nistp256")) + 4 :]
P256 = string(b"ecdsa-sha2-nistp256") + string(b"nistp256")
RSA_NUMBER = int.from_bytes(b"\xc1" + b"\x5b" * 126 + b"\x01", "big")


def small_point() -> bytes:
    """A point of P-256 whose x is small, which sshkey_ec_validate_public refuses."""
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    for x in range(1, 99):
        square = (x**3 - 3 * x + b) % prime
        y = pow(square, (prime + 1) // 4, prime)
        if y * y % prime == square:
            return b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    raise AssertionError


@pytest.mark.parametrize(
    ("name", "blob", "code"),
    [
        pytest.param("ssh-ed25519", b"", "key.format", id="empty"),
        pytest.param("ssh-ed25519", string(b"ssh-ed448") + string(b"x" * 57), "key.type", id="unknown-type"),
        pytest.param("ssh-ed25519", string(b"ECDSA") + EC_FIELDS, "key.type", id="short-name-of-ecdsa"),
        pytest.param(
            "ssh-ed25519", string(b"ssh-ed25519") + string(b"x" * 31), "key.format", id="short-point"
        ),
        pytest.param(
            "ssh-ed25519", string(b"ssh-ed25519") + string(b"x" * 33), "key.format", id="long-point"
        ),
        pytest.param("ssh-ed25519", ED + b"\0", "key.format", id="trailing-byte"),
        pytest.param("ssh-ed25519", ED[:-1], "key.format", id="cut-off"),
        pytest.param(
            "ecdsa-sha2-nistp256",
            string(b"ecdsa-sha2-nistp256") + string(b"nistp384") + string(EC_POINT),
            "key.format",
            id="other-curve",
        ),
        pytest.param("ecdsa-sha2-nistp256", P256 + string(b""), "key.point", id="no-point"),
        pytest.param("ecdsa-sha2-nistp256", P256 + string(b"\0"), "key.point", id="point-at-infinity"),
        pytest.param(
            "ecdsa-sha2-nistp256", P256 + string(EC_POINT[:-1] + b"\0"), "key.point", id="point-off-the-curve"
        ),
        pytest.param(
            "ecdsa-sha2-nistp256",
            P256 + string(bytes([2 + EC_POINT[-1] % 2]) + EC_POINT[1:33]),
            "key.point",
            id="compressed-point",
        ),
        pytest.param("ecdsa-sha2-nistp256", P256 + string(small_point()), "key.point", id="small-coordinate"),
        pytest.param(
            "ssh-rsa",
            string(b"ssh-rsa") + mpint(65537) + mpint(RSA_NUMBER >> 1),
            "key.size",
            id="rsa-of-1023-bits",
        ),
        pytest.param(
            "ssh-rsa",
            string(b"ssh-rsa") + string(b"\x81") + mpint(RSA_NUMBER),
            "key.format",
            id="negative-exponent",
        ),
        pytest.param(
            "sk-ssh-ed25519@openssh.com",
            string(b"sk-ssh-ed25519@openssh.com") + ED[len(string(b"ssh-ed25519")) :],
            "key.format",
            id="security-key-without-application",
        ),
    ],
)
def test_what_is_no_key_is_refused(name: str, blob: bytes, code: str, tmp_path: Path) -> None:
    """Keys that ssh-keygen does not read are not read."""
    assert code_of(blob) == code
    assert real_fingerprint(tmp_path, line_of(blob, name)) is None


@pytest.mark.parametrize(
    ("name", "blob", "canonical"),
    [
        pytest.param("ssh-ed25519", string(b"ED25519") + ED[15:], ED, id="short-name"),
        pytest.param("ssh-ed25519", string(b"ed25519\0") + ED[15:], ED, id="short-name-with-nul"),
        pytest.param("ssh-ed25519", string(b"ssh-ed25519\0") + ED[15:], ED, id="name-with-nul"),
        pytest.param(
            "ssh-rsa",
            string(b"rsa-sha2-256") + string(b"\0\0\1\0\1") + mpint(RSA_NUMBER),
            string(b"ssh-rsa") + mpint(65537) + mpint(RSA_NUMBER),
            id="rsa-by-its-algorithm-and-with-leading-zeros",
        ),
        pytest.param(
            "rsa-sha2-512",
            string(b"RSA") + mpint(65537) + mpint(RSA_NUMBER),
            string(b"ssh-rsa") + mpint(65537) + mpint(RSA_NUMBER),
            id="rsa-of-1024-bits-by-algorithm-in-the-line",
        ),
        pytest.param(
            "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
            string(b"webauthn-sk-ecdsa-sha2-nistp256@openssh.com") + EC_FIELDS + string(b"ssh:"),
            sk_ecdsa_key().blob,
            id="webauthn-by-its-algorithm",
        ),
    ],
)
def test_spellings_that_openssh_takes_name_the_same_key(
    name: str, blob: bytes, canonical: bytes, tmp_path: Path
) -> None:
    """A key in another spelling is the same key, with the same fingerprint, as for ssh-keygen."""
    key = parse_public_line(line_of(blob, name))
    assert key == parse_public_key(canonical)
    assert key.blob == canonical
    assert key.fingerprint == real_fingerprint(tmp_path, line_of(blob, name))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="empty"),
        pytest.param("ssh-ed25519", id="no-blob"),
        pytest.param("ED25519 " + line_of(ED, "").strip(), id="short-name-in-text"),
        pytest.param(line_of(ED, "ssh-rsa"), id="type-differs-from-blob"),
        pytest.param(line_of(ED, "ssh-ed25519")[:-1], id="base64-cut-off"),
        pytest.param(line_of(ED, "ssh-ed25519").replace("AAAA", "AA AA", 1), id="blank-in-base64"),
    ],
)
def test_what_is_no_key_line_is_refused(line: str, tmp_path: Path) -> None:
    """Lines that ssh-keygen does not read are not read."""
    with pytest.raises(KeyFormatError):
        parse_public_line(line)
    assert real_fingerprint(tmp_path, line) is None


def test_the_orders_of_the_curves_are_right() -> None:
    """The largest private key of each curve is one less than the order that stands in the code."""
    curves = {b"nistp256": ec.SECP256R1(), b"nistp384": ec.SECP384R1(), b"nistp521": ec.SECP521R1()}
    for name, order in CURVES.values():
        ec.derive_private_key(order - 1, curves[name])
        with pytest.raises(ValueError, match="Invalid EC key"):
            ec.derive_private_key(order, curves[name])


def test_dss_keys_are_refused(tmp_path: Path) -> None:
    """ssh-dss is refused on purpose, although ssh-keygen 9.2 verifies its signatures."""
    key = make_key(tmp_path / "dsa", "-t", "dsa")
    with pytest.raises(KeyFormatError) as caught:
        parse_public_line(public_line(key))
    assert caught.value.code == "key.type"


def test_degenerate_rsa_keys_verify_nothing() -> None:
    """With exponent 1 a signature is the padded hash itself; such a key is never believed."""
    for exponent in (0, 1, 2, 65536, RSA_NUMBER + 2):
        key = parse_public_key(string(b"ssh-rsa") + mpint(exponent) + mpint(RSA_NUMBER))
        assert not key.verify(string(b"rsa-sha2-512") + string(b"\1" * 128), b"data")


def test_rsa_keys_of_any_shape_never_crash() -> None:
    """Whatever RSA numbers a key has, checking a signature by it ends in yes or no."""
    for modulus in (RSA_NUMBER, RSA_NUMBER + 1, 2**1023, 2**4096 + 1, 2**16384 - 1):
        for exponent in (3, 65537, 2**64 + 1, 2**65 + 1, 2**1000 + 1, modulus - 2):
            key = parse_public_key(string(b"ssh-rsa") + mpint(exponent) + mpint(modulus))
            for signature in (b"", b"\0", b"\xff" * 128, b"\1" * ((modulus.bit_length() + 7) // 8)):
                assert not key.verify(string(b"rsa-sha2-512") + string(signature), b"data")


def test_a_long_rsa_exponent_verifies(tmp_path: Path) -> None:
    """An unusual but sound RSA key is as good as any."""
    private = rsa.generate_private_key(public_exponent=3, key_size=2048)

    numbers = private.public_key().public_numbers()
    key = SoftKey(
        string(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n),
        lambda data: (
            string(b"rsa-sha2-256") + string(private.sign(data, padding.PKCS1v15(), hashes.SHA256()))
        ),
    )
    assert agreed_check(tmp_path, key.signature()) == "ok"


def test_no_key_verifies_more_than_a_mebibyte() -> None:
    """OpenSSH refuses to check signatures over more than a mebibyte at once."""
    key = ed25519_key()
    for size, holds in ((MAX_SIGNED_BYTES, True), (MAX_SIGNED_BYTES + 1, False)):
        data = b"x" * size
        assert parse_public_key(key.blob).verify(key.sign_blob(data), data) is holds


def test_a_certificate_shows_what_its_authority_wrote(
    keys: dict[str, Path], authority: Path, tmp_path: Path
) -> None:
    """Every field of a certificate of ssh-keygen's is read, and its fingerprint is the key's own."""
    public = tmp_path / "id.pub"
    public.write_text(public_line(keys["ed25519"]))
    keygen(
        *("-q", "-s", authority, "-I", "Ada Lovelace", "-z", "77", "-n", f"{PRINCIPAL},ada"),
        *("-V", "20260101Z:20270101Z", "-O", "force-command=/bin/true", "-O", "no-pty", public),
    )
    line = (tmp_path / "id-cert.pub").read_text()
    key = parse_public_line(line)
    certificate = key.certificate
    assert certificate is not None
    assert key.type == "ssh-ed25519-cert-v01@openssh.com"
    assert key.fingerprint == real_fingerprint(tmp_path, line.strip())
    assert key.plain == certificate.key == parse_public_line(public_line(keys["ed25519"]))
    assert (certificate.key_id, certificate.serial, certificate.type) == ("Ada Lovelace", 77, 1)
    assert certificate.principals == (PRINCIPAL, "ada")
    assert (certificate.valid_after, certificate.valid_before) == (1767225600, 1798761600)
    assert certificate.critical_options == (("force-command", string(b"/bin/true")),)
    assert ("permit-user-rc", b"") in certificate.extensions
    assert ("permit-pty", b"") not in certificate.extensions
    assert certificate.authority == parse_public_line(public_line(authority))


@pytest.mark.parametrize("subject", KINDS)
@pytest.mark.parametrize("authority_kind", KINDS)
def test_every_kind_of_key_certifies_every_kind(
    subject: str, authority_kind: str, keys: dict[str, Path], tmp_path: Path
) -> None:
    """Certificates of all plain types by all plain types are read."""
    public = tmp_path / "id.pub"
    public.write_text(public_line(keys[subject]))
    keygen("-q", "-s", keys[authority_kind], "-I", "x", "-n", "y", public)
    certificate = parse_public_line((tmp_path / "id-cert.pub").read_text()).certificate
    assert certificate is not None
    assert certificate.authority.line == public_line(keys[authority_kind])


CA = ecdsa_key()
GOOD = certify(CA, ed25519_key())


@pytest.mark.parametrize(
    ("certificate", "code"),
    [
        pytest.param(certify(CA, ed25519_key(), kind=0), "certificate.format", id="kind-0"),
        pytest.param(certify(CA, ed25519_key(), kind=3), "certificate.format", id="kind-3"),
        pytest.param(
            certify(CA, ed25519_key(), principals=(b"x",) * (MAX_CERTIFICATE_PRINCIPALS + 1)),
            "certificate.format",
            id="too-many-principals",
        ),
        pytest.param(
            certify(CA, ed25519_key(), principals=(b"a\0b",)), "certificate.format", id="nul-in-principal"
        ),
        pytest.param(
            certify(CA, ed25519_key(), critical=string(b"name")),
            "certificate.format",
            id="option-without-value",
        ),
        pytest.param(
            certify(CA, ed25519_key(), extensions=b"\0"), "certificate.format", id="cut-off-extension"
        ),
        pytest.param(certify(CA, ed25519_key(), trailing=b"\0"), "certificate.format", id="trailing-byte"),
        pytest.param(
            certify(CA, ed25519_key(), authority_blob=ed25519_key(3).blob),
            "certificate.signature",
            id="signed-by-another",
        ),
        pytest.param(
            certify(CA, ed25519_key(), authority_blob=GOOD.blob),
            "certificate.authority",
            id="authority-is-certified",
        ),
        pytest.param(
            certify(CA, ed25519_key(), authority_blob=b"x"), "certificate.authority", id="authority-is-no-key"
        ),
        pytest.param(
            certify(SoftKey(CA.blob, lambda _data: b""), ed25519_key()),
            "certificate.signature",
            id="no-signature",
        ),
        pytest.param(
            certify(CA, ed25519_key(), principals=(b"x" * (MAX_SIGNED_BYTES + 1),)),
            "certificate.signature",
            id="over-a-mebibyte",
        ),
    ],
)
def test_a_spoiled_certificate_is_refused(certificate: SoftKey, code: str, tmp_path: Path) -> None:
    """A certificate that ssh-keygen does not read, or that nobody signed, is not read."""
    assert code_of(certificate.blob) == code
    assert real_fingerprint(tmp_path, line_of(certificate.blob, "ssh-ed25519-cert-v01@openssh.com")) is None
    assert agreed_check(tmp_path, certificate.signature()) == code


@pytest.mark.parametrize(
    "certificate",
    [
        pytest.param(GOOD, id="good"),
        pytest.param(certify(sk_ed25519_key(), ed25519_key()), id="by-an-sk-ed25519"),
        pytest.param(certify(sk_ecdsa_key(), ed25519_key()), id="by-an-sk-ecdsa"),
        pytest.param(
            certify(CA, ed25519_key(), principals=(b"x",) * MAX_CERTIFICATE_PRINCIPALS),
            id="as-many-principals-as-can-be",
        ),
        pytest.param(certify(CA, ed25519_key(), principals=(b"",)), id="empty-principal"),
        pytest.param(certify(CA, ed25519_key(), principals=()), id="no-principals"),
        pytest.param(certify(CA, ed25519_key(), kind=2), id="of-a-host"),
        pytest.param(
            certify(CA, ed25519_key(), critical=string(b"z") + string(b"") * 3), id="unknown-critical-options"
        ),
    ],
)
def test_a_sound_certificate_is_read(certificate: SoftKey, tmp_path: Path) -> None:
    """What a certificate allows is not asked when it is read, nor when nobody's name is asked for."""
    key = parse_public_key(certificate.blob)
    assert key.blob == certificate.blob
    assert key.fingerprint == parse_public_key(ed25519_key().blob).fingerprint
    assert agreed_check(tmp_path, certificate.signature()) == "ok"


def test_a_certificate_signed_with_sha1_is_refused(keys: dict[str, Path], tmp_path: Path) -> None:
    """An authority's SHA-1 signature is refused on purpose, although ssh-keygen 9.2 takes it."""
    public = tmp_path / "id.pub"
    public.write_text(public_line(keys["ed25519"]))
    keygen("-q", "-t", "ssh-rsa", "-s", keys["rsa-3072"], "-I", "x", "-n", PRINCIPAL, public)
    line = (tmp_path / "id-cert.pub").read_text().strip()
    assert real_fingerprint(tmp_path, line) is not None
    with pytest.raises(KeyFormatError) as caught:
        parse_public_line(line)
    assert caught.value.code == "certificate.signature"


def test_keys_are_equal_by_what_they_are(keys: dict[str, Path]) -> None:
    """A certificate and the key in it are two keys, and so are two keys of one type."""
    certified = parse_public_key(GOOD.blob)
    assert certified != certified.plain
    assert certified.plain == parse_public_key(ED)
    assert parse_public_key(ED) != parse_public_key(ed25519_key(9).blob)
    assert PublicKey("ssh-ed25519", ED) == parse_public_key(ED)


def test_a_signature_of_another_type_of_key_is_refused(keys: dict[str, Path]) -> None:
    """A signature blob that names another algorithm than the key's never holds."""
    for kind, path in keys.items():
        key = parse_public_key(public_blob(path))
        for name in (b"ssh-ed25519", b"ssh-rsa", b"rsa-sha2-512", b"ecdsa-sha2-nistp256", b"ssh-dss", b""):
            assert not key.verify(string(name) + string(b"\1" * 64), b"data"), kind
        assert not key.verify(b"", b"data")
    assert sign(keys["ed25519"])
