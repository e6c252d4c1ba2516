"""The envelope: one payload, one signature, one line, one spelling."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.signing import dsse
from gitchange.signing.dsse import MAX_LINE, Envelope, EnvelopeError, pae, parse_envelope

ENVELOPE = Envelope("application/vnd.in-toto+json", b'{"a":1}??>', "SHA256:abc", b"\xfb\xff\xfe-sig")
LINE = ENVELOPE.to_line()

text = st.text(st.characters(exclude_categories=("Cs",)))
envelopes = st.builds(Envelope, text, st.binary(), text, st.binary())


def code_of(line: bytes, *, canonical: bool = True) -> str:
    with pytest.raises(EnvelopeError) as caught:
        parse_envelope(line, canonical=canonical)
    assert caught.value.message
    return caught.value.code


def spelled(**changes: object) -> bytes:
    """The envelope with members replaced, or left out where the value is None."""
    document = json.loads(LINE) | changes
    return json.dumps({key: value for key, value in document.items() if value is not None}).encode()


def test_pae_is_the_example_of_the_protocol() -> None:
    """The pre-authentication encoding is the one of DSSE's protocol.md."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_pae_counts_bytes() -> None:
    """Lengths are those of the UTF-8 bytes, not of the characters."""
    assert pae("é", "ü".encode()) == "DSSEv1 2 é 2 ü".encode()


@settings(deadline=None)
@given(text, st.binary(), text, st.binary())
def test_pae_is_injective(type_a: str, body_a: bytes, type_b: str, body_b: bytes) -> None:
    """Two different pairs of type and payload never have the same signed bytes."""
    assert (pae(type_a, body_a) == pae(type_b, body_b)) == ((type_a, body_a) == (type_b, body_b))


def test_line_is_compact_ascii_json_in_order() -> None:
    """The one spelling has no white space, standard base64 and the keys in a fixed order."""
    assert LINE == (
        b'{"payloadType":"application/vnd.in-toto+json","payload":"eyJhIjoxfT8/Pg==",'
        b'"signatures":[{"keyid":"SHA256:abc","sig":"+//+LXNpZw=="}]}'
    )


def test_digest_is_the_sha256_of_the_line() -> None:
    """The digest is what sha256sum prints for the line."""
    assert ENVELOPE.digest == hashlib.sha256(LINE).hexdigest()


def test_signed_bytes_are_the_pae() -> None:
    """The signature covers the type and the payload, not the keyid."""
    assert ENVELOPE.signed_bytes == pae(ENVELOPE.payload_type, ENVELOPE.payload)


@settings(deadline=None)
@given(envelopes)
def test_parsing_is_the_inverse_of_writing(envelope: Envelope) -> None:
    """What was written reads back equal, in one ASCII line."""
    line = envelope.to_line()
    assert parse_envelope(line) == envelope
    assert parse_envelope(line, canonical=False) == envelope
    assert line.isascii()
    assert b"\n" not in line


@settings(deadline=None)
@given(st.one_of(st.binary(), text.map(str.encode), st.integers(0, len(LINE)).map(lambda at: LINE[:at])))
def test_arbitrary_bytes_only_raise_envelope_errors(line: bytes) -> None:
    """No bytes make the parser fail in any other way."""
    for canonical in (True, False):
        with contextlib.suppress(EnvelopeError):
            parse_envelope(line, canonical=canonical)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["payloadType", "payload", "signatures", "sig", "keyid", "x"]), inner
            )
        ),
    )
)
def test_arbitrary_json_only_raises_envelope_errors(document: object) -> None:
    """No JSON makes the parser fail in any other way."""
    with pytest.raises(EnvelopeError):
        parse_envelope(json.dumps(document).encode())


@settings(deadline=None)
@given(st.integers(0, len(LINE) - 1), st.integers(1, 255))
def test_a_flipped_byte_changes_what_is_signed_or_is_refused(position: int, flip: int) -> None:
    """No two lines one byte apart read as the same envelope."""
    changed = LINE[:position] + bytes([LINE[position] ^ flip]) + LINE[position + 1 :]
    with contextlib.suppress(EnvelopeError):
        assert parse_envelope(changed) != ENVELOPE


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(b"", "envelope.not-json", id="empty"),
        pytest.param(b"\xff", "envelope.not-json", id="not-utf-8"),
        pytest.param(b"\xef\xbb\xbf" + LINE, "envelope.not-json", id="byte-order-mark"),
        pytest.param(b"[]", "envelope.not-json", id="list"),
        pytest.param(LINE + b"{}", "envelope.not-json", id="two-documents"),
        pytest.param(LINE + b"\0", "envelope.not-json", id="trailing-nul"),
        pytest.param(b"[" * 100_000, "envelope.not-json", id="nested-too-deeply"),
        pytest.param(b'{"a":' * 100_000, "envelope.not-json", id="objects-nested-too-deeply"),
        pytest.param(spelled(payload=float("nan")), "envelope.not-json", id="nan"),
        pytest.param(spelled(payload=float("inf")), "envelope.not-json", id="infinity"),
        pytest.param(b'{"payload":' + b"9" * 5000 + b"}", "envelope.not-json", id="number-too-long"),
        pytest.param(b'{"payload":"",' + LINE[1:], "envelope.duplicate-key", id="payload-twice"),
        pytest.param(LINE.replace(b'"keyid"', b'"sig":"","keyid"'), "envelope.duplicate-key", id="sig-twice"),
        pytest.param(
            LINE.replace(b'"keyid"', b'"\\u0073ig":"","keyid"'),
            "envelope.duplicate-key",
            id="sig-twice-escaped",
        ),
        pytest.param(spelled(payload=None), "envelope.missing-key", id="no-payload"),
        pytest.param(spelled(signatures=[{"keyid": ""}]), "envelope.missing-key", id="no-sig"),
        pytest.param(spelled(extra=1), "envelope.unknown-key", id="unknown-key"),
        pytest.param(
            spelled(signatures=[{"keyid": "", "sig": "", "cert": ""}]),
            "envelope.unknown-key",
            id="unknown-key-inside",
        ),
        pytest.param(spelled(payload=1), "envelope.type", id="payload-is-a-number"),
        pytest.param(spelled(payloadType=[]), "envelope.type", id="type-is-a-list"),
        pytest.param(spelled(payloadType="\ud800"), "envelope.type", id="half-a-surrogate-pair"),
        pytest.param(spelled(signatures={}), "envelope.signatures", id="signatures-is-an-object"),
        pytest.param(spelled(signatures=[]), "envelope.signatures", id="no-signature"),
        pytest.param(spelled(signatures=[{"sig": ""}] * 2), "envelope.signatures", id="two-signatures"),
        pytest.param(spelled(signatures=["x"]), "envelope.not-json", id="signature-is-a-string"),
        pytest.param(spelled(payload="YQ"), "envelope.base64", id="no-padding"),
        pytest.param(spelled(payload="YQ==="), "envelope.base64", id="too-much-padding"),
        pytest.param(spelled(payload="YQ==YQ=="), "envelope.base64", id="padding-within"),
        pytest.param(spelled(payload="Y Q=="), "envelope.base64", id="space"),
        pytest.param(spelled(payload="YQ==\n"), "envelope.base64", id="line-end"),
        pytest.param(spelled(payload="YR=="), "envelope.base64", id="trailing-bits"),
        pytest.param(spelled(payload="+_+_"), "envelope.base64", id="mixed-alphabets"),
        pytest.param(spelled(payload="é==="), "envelope.base64", id="not-ascii"),
        pytest.param(b" " * (MAX_LINE + 1), "envelope.too-long", id="too-long"),
    ],
)
def test_what_is_no_envelope_is_refused_in_both_modes(line: bytes, code: str) -> None:
    """A line that is no single-signature envelope is refused, whatever the spelling rules."""
    assert code_of(line) == code
    assert code_of(line, canonical=False) == code


URL_SAFE = LINE.replace(b"eyJhIjoxfT8/Pg==", b"eyJhIjoxfT8_Pg==").replace(b"+//+LXNpZw==", b"-__-LXNpZw==")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(LINE + b"\n", id="line-end"),
        pytest.param(b" " + LINE, id="leading-space"),
        pytest.param(json.dumps(json.loads(LINE)).encode(), id="spaces"),
        pytest.param(json.dumps(json.loads(LINE), indent=2).encode(), id="indented"),
        pytest.param(
            json.dumps(json.loads(LINE), sort_keys=True, separators=(",", ":")).encode(), id="order"
        ),
        pytest.param(LINE.replace(b"SHA256", b"\\u0053HA256"), id="needless-escape"),
        pytest.param(LINE.replace(b"json", b"js\\u006fn"), id="escape-in-type"),
        pytest.param(URL_SAFE, id="url-safe-base64"),
    ],
)
def test_another_spelling_is_refused_unless_asked_for(line: bytes) -> None:
    """Only one spelling of an envelope counts; a foreign tool's can be read on demand."""
    assert line != LINE
    assert code_of(line) == "envelope.not-canonical"
    assert parse_envelope(line, canonical=False) == ENVELOPE


def test_an_envelope_without_keyid_is_foreign() -> None:
    """DSSE's optional keyid may be missing in a foreign envelope only."""
    line = LINE.replace(b'"keyid":"SHA256:abc",', b"")
    assert code_of(line) == "envelope.not-canonical"
    assert parse_envelope(line, canonical=False).keyid == ""


def test_the_longest_line_is_read() -> None:
    """A line of exactly the limit is read."""
    frame = len(Envelope("t", b"", "", b"").to_line())
    payload = base64.b64decode(b"A" * ((MAX_LINE - frame) // 4 * 4))
    keyid = "k" * ((MAX_LINE - frame) % 4)
    envelope = Envelope("t", payload, keyid, b"")
    assert len(envelope.to_line()) == MAX_LINE
    assert parse_envelope(envelope.to_line()) == envelope


@pytest.mark.parametrize("module", ["dsse", "sshsig", "allowed_signers", "verify", "signer"])
def test_importing_loads_no_cryptography(module: str) -> None:
    """Reading envelopes, keys and allowed signers starts fast: cryptography is loaded when it is needed."""
    program = f"import sys, gitchange.signing.{module}; sys.exit('cryptography' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@given(st.text(max_size=8), st.binary(max_size=12), st.text(max_size=8), st.binary(max_size=12), st.data())
def test_the_short_way_reads_what_the_long_way_reads(
    kind: str, payload: bytes, keyid: str, signature: bytes, data: st.DataObject
) -> None:
    """A line of the one spelling, and one with a byte of it changed, are the same read without JSON as with it."""
    with contextlib.suppress(UnicodeEncodeError):
        line = bytearray(Envelope(kind, payload, keyid, signature).to_line())
        if data.draw(st.booleans()):
            line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.sampled_from(b'=+/-_"Aa0 {}'))
        short, long = dsse._plain(bytes(line)), None
        with contextlib.suppress(EnvelopeError), pytest.MonkeyPatch.context() as patch:
            patch.setattr(dsse, "_plain", lambda _: None)
            long = parse_envelope(bytes(line))
        assert short in (None, long)
