"""The allowed-signers file, read as ssh-keygen reads it."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.signing.allowed_signers import AllowedSigners, match_pattern_list
from gitchange.signing.keys import parse_public_key
from gitchange.signing.sshsig import armor

from .support import (
    AT,
    NAMESPACE,
    PRINCIPAL,
    Case,
    certify,
    ecdsa_key,
    ed25519_key,
    keygen,
    sk_ed25519_key,
)

SOFT = ed25519_key()
KEY = SOFT.line
OTHER = ed25519_key(2).line
SIGNATURE = SOFT.signature()


def agreed(directory: Path, allowed: str | bytes, principal: str = PRINCIPAL) -> str:
    return Case(directory, allowed, SIGNATURE, principal=principal).agreed()


GOOD_LINES = {
    "plain": f"{PRINCIPAL} {KEY}\n",
    "no-line-end": f"{PRINCIPAL} {KEY}",
    "crlf": f"{PRINCIPAL} {KEY}\r\n",
    "crlf-after-comment": f"{PRINCIPAL} {KEY} comment\r\n",
    "tabs": f"\t{PRINCIPAL}\t\t{KEY.replace(' ', chr(9))}\tcomment with words\n",
    "carriage-return-after-the-principal": f"{PRINCIPAL}\r{KEY}\n",
    "quoted-principal": f'"{PRINCIPAL}" {KEY}\n',
    "quoted-principal-without-a-blank-after-it": f'"{PRINCIPAL}"{KEY}\n',
    "quoted-in-mid-word": f'ada"@example".org {KEY}\nx {KEY}\nada@"example.org" {KEY}\n',
    "quoted-with-blanks": f'"x y,{PRINCIPAL}" {KEY}\n',
    "list": f"bo@example.org,{PRINCIPAL},cy@example.org {KEY}\n",
    "list-ending-in-a-comma": f"{PRINCIPAL}, {KEY}\n",
    "star": f"* {KEY}\n",
    "stars": f"**@***.org* {KEY}\n",
    "question-marks": f"???@example.org {KEY}\n",
    "negated-other": f"*,!bo@example.org {KEY}\n",
    "negated-other-first": f"!bo*,*@example.org {KEY}\n",
    "namespaces": f'{PRINCIPAL} namespaces="{NAMESPACE}" {KEY}\n',
    "namespaces-in-capitals": f'{PRINCIPAL} NameSpaces="{NAMESPACE}" {KEY}\n',
    "several-namespaces": f'{PRINCIPAL} namespaces="git,{NAMESPACE}" {KEY}\n',
    "namespace-pattern": f'{PRINCIPAL} namespaces="git*" {KEY}\n',
    "namespace-negated-other": f'{PRINCIPAL} namespaces="*,!git" {KEY}\n',
    "valid-after": f'{PRINCIPAL} valid-after="20260101Z" {KEY}\n',
    "valid-before": f'{PRINCIPAL} valid-before="20270101Z" {KEY}\n',
    "last-second": f'{PRINCIPAL} valid-before="20261122120000Z" {KEY}\n',
    "first-second": f'{PRINCIPAL} valid-after="20261122120000Z" {KEY}\n',
    "times-in-minutes-and-utc": f'{PRINCIPAL} valid-after="202611221159utc",valid-before="202611221201UTC" {KEY}\n',
    "time-with-small-z": f'{PRINCIPAL} valid-before="20270101z" {KEY}\n',
    "time-without-zone": f'{PRINCIPAL} valid-before="20270101" {KEY}\n',
    "day-that-does-not-exist": f'{PRINCIPAL} valid-before="20270231Z" {KEY}\n',
    "leap-seconds": f'{PRINCIPAL} valid-before="20261122115961Z" {KEY}\n',
    "far-future": f'{PRINCIPAL} valid-before="99991231235961Z" {KEY}\n',
    "spaces-for-digits": f'{PRINCIPAL} valid-before="2027 1 1Z" {KEY}\n',
    "one-second-after-1970": f'{PRINCIPAL} valid-after="19691231235961Z" {KEY}\n',
    "all-options": (
        f'{PRINCIPAL} namespaces="{NAMESPACE}",valid-after="20200101Z",valid-before="20300101Z" {KEY} comment\n'
    ),
    "leading-comma": f'{PRINCIPAL} ,namespaces="{NAMESPACE}" {KEY}\n',
    "many-commas": f'{PRINCIPAL} ,,namespaces="{NAMESPACE}",,valid-after="20200101Z" {KEY}\n',
    "blanks-after-options": f'{PRINCIPAL} namespaces="{NAMESPACE}"  \t {KEY}\n',
    "nul-after-the-key": f"{PRINCIPAL} {KEY}\0 rest\n",
    "comments-and-blank-lines": f"# x\n\n \t\n  # y\n\r\n{PRINCIPAL} {KEY}\n",
    "after-an-unreadable-line": f"{PRINCIPAL} nonsense\n{PRINCIPAL} bad=1 {KEY}\n{PRINCIPAL} {KEY}\n",
    "after-an-unclosed-quote": f'"{PRINCIPAL} {KEY}\n{PRINCIPAL} namespaces="x {KEY}\n{PRINCIPAL} {KEY}\n',
    "after-a-refusing-line": f'{PRINCIPAL} namespaces="git" {KEY}\n{PRINCIPAL} {KEY}\n',
    "after-an-expired-line": f'{PRINCIPAL} valid-before="20200101Z" {KEY}\n{PRINCIPAL} {KEY}\n',
    "after-a-negating-line": f"!{PRINCIPAL} {KEY}\n*,!{PRINCIPAL} {KEY}\n{PRINCIPAL} {KEY}\n",
    "before-an-unreadable-line": f"{PRINCIPAL} {KEY}\n{PRINCIPAL} nonsense\n",
    "unreadable-options-for-others": f"bo@example.org bad=1 {KEY}\n{PRINCIPAL} {KEY}\n",
}


@pytest.mark.parametrize("name", GOOD_LINES)
def test_a_line_that_ssh_keygen_accepts_is_accepted(name: str, tmp_path: Path) -> None:
    """Every spelling that lets the signer in for ssh-keygen lets the signer in here."""
    assert agreed(tmp_path, GOOD_LINES[name]) == "ok"


BAD_LINES = {
    "empty": ("", "signer.unknown"),
    "only-a-line-end": ("\n", "signer.unknown"),
    "commented-out": (f"#{PRINCIPAL} {KEY}\n", "signer.unknown"),
    "another-key": (f"{PRINCIPAL} {OTHER}\n", "signer.unknown"),
    "another-principal": (f"bo@example.org {KEY}\n", "signer.principal"),
    "other-capitals": (f"Ada@example.org {KEY}\n", "signer.principal"),
    "part-of-the-principal": (f"ada {KEY}\nada@example.or {KEY}\nda@example.org {KEY}\n", "signer.principal"),
    "negated": (f"*,!{PRINCIPAL} {KEY}\n", "signer.principal"),
    "negated-first": (f"!{PRINCIPAL},* {KEY}\n", "signer.principal"),
    "negated-by-pattern": (f"{PRINCIPAL},!*@example.org {KEY}\n", "signer.principal"),
    "only-negation": (f"!bo@example.org {KEY}\n", "signer.principal"),
    "question-mark-for-nothing": (f"ada?@example.org {KEY}\n", "signer.principal"),
    "blank-in-the-list": (f"bo@example.org, {PRINCIPAL} {KEY}\n", "signer.unknown"),
    "quotes-around-each": (f'"bo@example.org","{PRINCIPAL}" {KEY}\n', "signer.unknown"),
    "empty-principal": (f'"" {KEY}\n', "signer.principal"),
    "pattern-too-long": (f"{PRINCIPAL},{'x' * 1023} {KEY}\n", "signer.principal"),
    "unclosed-quote": (f'"{PRINCIPAL} {KEY}\n', "signer.unknown"),
    "no-principal": (f"{KEY}\n", "signer.unknown"),
    "no-key": (f"{PRINCIPAL}\n", "signer.unknown"),
    "no-key-after-options": (f'{PRINCIPAL} namespaces="{NAMESPACE}"\n', "signer.unknown"),
    "only-a-key-type": (f"{PRINCIPAL} ssh-ed25519\n", "signer.unknown"),
    "key-cut-off": (f"{PRINCIPAL} {KEY[:-4]}\n", "signer.unknown"),
    "key-of-another-type": (f"{PRINCIPAL} {KEY.replace('ssh-ed25519', 'ssh-rsa', 1)}\n", "signer.unknown"),
    "key-type-twice": (f"{PRINCIPAL} ssh-rsa {KEY}\n", "signer.unknown"),
    "nul-before-the-key": (f"{PRINCIPAL} \0{KEY}\n", "signer.unknown"),
    "byte-order-mark": (f"\ufeff{PRINCIPAL} {KEY}\n", "signer.principal"),
    "unknown-option": (f"{PRINCIPAL} no-pty {KEY}\n", "signer.unknown"),
    "unknown-option-after-a-good-one": (f'{PRINCIPAL} namespaces="*",x {KEY}\n', "signer.unknown"),
    "option-with-a-tail": (f"{PRINCIPAL} cert-authorityx {KEY}\n", "signer.unknown"),
    "option-negated": (f"{PRINCIPAL} no-cert-authority {KEY}\n", "signer.unknown"),
    "options-end-in-a-comma": (f'{PRINCIPAL} namespaces="*", {KEY}\n', "signer.unknown"),
    "only-a-comma": (f"{PRINCIPAL} , {KEY}\n", "signer.unknown"),
    "options-split-by-a-blank": (
        f'{PRINCIPAL} namespaces="*" valid-after="20200101Z" {KEY}\n',
        "signer.unknown",
    ),
    "namespaces-without-value": (f"{PRINCIPAL} namespaces {KEY}\n", "signer.unknown"),
    "namespaces-without-quotes": (f"{PRINCIPAL} namespaces={NAMESPACE} {KEY}\n", "signer.unknown"),
    "namespaces-with-single-quotes": (f"{PRINCIPAL} namespaces='{NAMESPACE}' {KEY}\n", "signer.unknown"),
    "namespaces-unclosed": (f'{PRINCIPAL} namespaces="{NAMESPACE} {KEY}\n', "signer.unknown"),
    "namespaces-closed-by-an-escaped-quote": (f'{PRINCIPAL} namespaces="x\\" {KEY}\n', "signer.unknown"),
    "namespaces-with-a-tail": (f'{PRINCIPAL} namespaces="*"x {KEY}\n', "signer.unknown"),
    "namespaces-twice": (f'{PRINCIPAL} namespaces="*",namespaces="*" {KEY}\n', "signer.unknown"),
    "empty-namespaces": (f'{PRINCIPAL} namespaces="" {KEY}\n', "signer.namespace"),
    "other-namespace": (f'{PRINCIPAL} namespaces="git" {KEY}\n', "signer.namespace"),
    "namespace-in-capitals": (f'{PRINCIPAL} namespaces="Gitchange" {KEY}\n', "signer.namespace"),
    "negated-namespace": (f'{PRINCIPAL} namespaces="*,!{NAMESPACE}" {KEY}\n', "signer.namespace"),
    "blank-before-the-namespace": (f'{PRINCIPAL} namespaces=" {NAMESPACE}" {KEY}\n', "signer.namespace"),
    "escaped-quote-in-namespace": (f'{PRINCIPAL} namespaces="\\"{NAMESPACE}\\"" {KEY}\n', "signer.namespace"),
    "backslash-before-namespace": (f'{PRINCIPAL} namespaces="\\{NAMESPACE}" {KEY}\n', "signer.namespace"),
    "not-yet-valid": (f'{PRINCIPAL} valid-after="20261122120001Z" {KEY}\n', "signer.not-yet-valid"),
    "expired": (f'{PRINCIPAL} valid-before="20261122115959Z" {KEY}\n', "signer.expired"),
    "expired-before-1970": (f'{PRINCIPAL} valid-before="19691231Z" {KEY}\n', "signer.unknown"),
    "time-of-the-epoch": (f'{PRINCIPAL} valid-after="19700101Z" {KEY}\n', "signer.unknown"),
    "year-0": (f'{PRINCIPAL} valid-after="00000101Z" {KEY}\n', "signer.unknown"),
    "time-twice": (f'{PRINCIPAL} valid-after="20200101Z",valid-after="20200101Z" {KEY}\n', "signer.unknown"),
    "times-reversed": (
        f'{PRINCIPAL} valid-after="20300101Z",valid-before="20200101Z" {KEY}\n',
        "signer.unknown",
    ),
    "times-equal": (
        f'{PRINCIPAL} valid-after="20261122120000Z",valid-before="20261122120000Z" {KEY}\n',
        "signer.unknown",
    ),
    "time-empty": (f'{PRINCIPAL} valid-before="" {KEY}\n', "signer.unknown"),
    "time-of-a-z": (f'{PRINCIPAL} valid-before="Z" {KEY}\n', "signer.unknown"),
    "time-of-nine-digits": (f'{PRINCIPAL} valid-before="202701010Z" {KEY}\n', "signer.unknown"),
    "time-as-in-rfc-3339": (f'{PRINCIPAL} valid-before="2027-01-01T00:00:00Z" {KEY}\n', "signer.unknown"),
    "time-in-seconds": (f'{PRINCIPAL} valid-before="0x7fffffff" {KEY}\n', "signer.unknown"),
    "time-with-letters": (f'{PRINCIPAL} valid-before="2027O1O1Z" {KEY}\n', "signer.unknown"),
    "time-with-sign": (f'{PRINCIPAL} valid-before="2027+1+1Z" {KEY}\n', "signer.unknown"),
    "month-13": (f'{PRINCIPAL} valid-before="20271301Z" {KEY}\n', "signer.unknown"),
    "day-0": (f'{PRINCIPAL} valid-before="20270100Z" {KEY}\n', "signer.unknown"),
    "day-32": (f'{PRINCIPAL} valid-before="20270132Z" {KEY}\n', "signer.unknown"),
    "hour-24": (f'{PRINCIPAL} valid-before="202701012400Z" {KEY}\n', "signer.unknown"),
    "minute-60": (f'{PRINCIPAL} valid-before="202701010060Z" {KEY}\n', "signer.unknown"),
    "second-62": (f'{PRINCIPAL} valid-before="20270101000062Z" {KEY}\n', "signer.unknown"),
    "trailing-space-in-time": (f'{PRINCIPAL} valid-before="202701 1 " {KEY}\n', "signer.unknown"),
    "authority-instead-of-signer": (f"{PRINCIPAL} cert-authority {KEY}\n", "signer.unknown"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_line_that_ssh_keygen_refuses_is_refused(name: str, tmp_path: Path) -> None:
    """Every spelling that keeps the signer out for ssh-keygen keeps the signer out here."""
    lines, code = BAD_LINES[name]
    assert agreed(tmp_path, lines) == code


@pytest.mark.parametrize(
    ("patterns", "principal", "code"),
    [
        ("a?c", "abc", "ok"),
        ("a?c", "aéc", "signer.principal"),  # two bytes
        ("a??c", "aéc", "ok"),
        ("é*", "éa", "ok"),
        ("*é", "aé", "ok"),
        ("a\\*", "a\\b", "ok"),
        ("[ab]", "a", "signer.principal"),
        ("*", "", "ok"),
        ("?", "", "signer.principal"),
        ("a,!", "", "signer.principal"),
        ("a,!", "a", "ok"),
        ("!!a,*", "!a", "signer.principal"),
        ("a,,b", "", "ok"),
        ("*?*?*", "x", "signer.principal"),
        ("*?*?*", "xy", "ok"),
        ("*a*b", "aab", "ok"),
        ("*a*b", "abba", "signer.principal"),
        ("a*", "a b", "ok"),
        ("x" * 1022 + ",*", "a", "ok"),
        ("*,x*" + "x" * 1021, "a", "signer.principal"),
    ],
)
def test_patterns_match_as_in_ssh_keygen(patterns: str, principal: str, code: str, tmp_path: Path) -> None:
    """Wildcards and negation work on bytes, over whole names."""
    assert agreed(tmp_path, f'"{patterns}" {KEY}\n', principal) == code


@settings(deadline=None)
@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_match_as_their_definition_says(pattern: str, name: str) -> None:
    """The fast match equals the plain definition of the two wildcards."""

    def defined(pattern: str, name: str) -> bool:
        if not pattern:
            return not name
        if pattern[0] == "*":
            return any(defined(pattern[1:], name[at:]) for at in range(len(name) + 1))
        return bool(name) and pattern[0] in ("?", name[0]) and defined(pattern[1:], name[1:])

    assert match_pattern_list(name, pattern) == (bool(pattern) and defined(pattern, name))


def test_many_stars_take_no_time() -> None:
    """A pattern made to be slow is not."""
    start = time.perf_counter()
    assert not match_pattern_list("a" * 2000, "*a" * 500 + "b")
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("name", ["a\0", "\ud800"])
def test_names_that_ssh_keygen_cannot_be_asked_about_match_nothing(name: str) -> None:
    """A name that is no C string in UTF-8 is nobody's."""
    assert not match_pattern_list(name, "*")


def test_an_entry_says_what_its_line_says() -> None:
    """Every field of a line is kept, with the times in UTC."""
    text = f'"ada, bo",*x  valid-after="20260102Z"\n{PRINCIPAL},!bo namespaces="a,\\"b" {KEY} the comment \r\n'.encode()
    text += f'x valid-after="20260102030405Z",CERT-authority,valid-before="202701020304Z" {KEY}'.encode()
    allowed = AllowedSigners.parse(text)
    assert [line for line, _ in allowed.problems] == [1]
    first, second = allowed.entries
    assert (first.line, first.principals, first.patterns) == (2, f"{PRINCIPAL},!bo", (PRINCIPAL, "!bo"))
    assert (first.cert_authority, first.namespaces, first.comment) == (False, 'a,"b', "the comment ")
    assert (first.valid_after, first.valid_before) == (None, None)
    assert first.key == parse_public_key(SOFT.blob)
    assert (second.line, second.cert_authority, second.namespaces, second.comment) == (3, True, None, "")
    assert second.valid_after == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert second.valid_before == datetime(2027, 1, 2, 3, 4, tzinfo=UTC)


def test_every_problem_is_told_with_its_line() -> None:
    """Lines that count for nothing are listed with a reason, and so are times without a zone."""
    text = (
        f"# fine\n{PRINCIPAL}\n{PRINCIPAL} ssh-dss AAAA\n{PRINCIPAL} frobnicate {KEY}\n"
        f'{PRINCIPAL} valid-before="20270101" {KEY}\n'
    )
    allowed = AllowedSigners.parse(text.encode())
    assert [entry.line for entry in allowed.entries] == [5]
    assert [line for line, _ in allowed.problems] == [2, 3, 4, 5]
    messages = [message for _, message in allowed.problems]
    assert "no key" in messages[0]
    assert "'ssh-dss'" in messages[1]
    assert "'frobnicate'" in messages[2]
    assert "UTC" in messages[3]


def test_problems_quote_control_characters() -> None:
    """What a file holds cannot speak to the terminal through a problem's message."""
    text = f'a \x1b[31m {KEY}\na valid-after="\x1b" {KEY}\na ssh-\x1b x\n'.encode()
    problems = AllowedSigners.parse(text).problems
    assert len(problems) == 3
    assert all(message.isprintable() for _, message in problems)


@settings(deadline=None)
@given(st.binary(), st.binary(), st.sampled_from(sorted(GOOD_LINES)))
def test_arbitrary_bytes_never_crash_and_never_take_a_good_line_with_them(
    before: bytes, after: bytes, name: str
) -> None:
    """Whatever stands on other lines, a good line counts."""
    text = before + b"\n" + GOOD_LINES[name].encode().rstrip(b"\n") + b"\n" + after
    allowed = AllowedSigners.parse(text)
    assert allowed.entries_of(parse_public_key(SOFT.blob))


@pytest.mark.parametrize("seed", range(5))
def test_random_options_are_judged_as_ssh_keygen_judges_them(seed: int, tmp_path: Path) -> None:
    """Options made of pieces in any order are accepted and refused as by ssh-keygen."""
    source = random.Random(seed)  # noqa: S311
    pieces = [
        'namespaces="gitchange"',
        'valid-after="20200101Z"',
        'namespaces="git"',
        '"',
        "\\",
        ",",
        ",",
        " ",
        "x",
    ]
    for _ in range(25):
        options = "".join(source.choice(pieces) for _ in range(source.randint(1, 5)))
        agreed(tmp_path, f"{PRINCIPAL} {options} {KEY}\n")


@pytest.mark.parametrize("seed", range(5))
def test_random_lines_are_judged_as_ssh_keygen_judges_them(seed: int, tmp_path: Path) -> None:
    """A good file with a byte changed, dropped or doubled is accepted and refused as by ssh-keygen."""
    source = random.Random(100 + seed)  # noqa: S311
    good = f'"{PRINCIPAL}",bo namespaces="git*,x",valid-after="20260101Z" {KEY} comment\n'.encode()
    good = good.replace(b'",bo', b',bo"')
    for _ in range(25):
        at = source.randrange(len(good))
        changed = source.choice([b"", good[at : at + 1] * 2, bytes([source.choice(b' \t"\\,!*?\r\nzZ0\0')])])
        agreed(tmp_path, good[:at] + changed + good[at + 1 :])


def test_principals_of_a_key_are_the_literal_ones() -> None:
    """Of all lines of a key the names count, but no wildcards, no negations and nothing they exclude."""
    text = (
        f"{PRINCIPAL},bo@example.org,*@example.org {KEY}\n"
        f"cy,!cy,dee?,{PRINCIPAL} {KEY}\n"
        f'eve namespaces="other",valid-before="20000101Z" {KEY}\n'
        f"fay {OTHER}\n"
        f"gus cert-authority {KEY}\n"
        f"hal nonsense {KEY}\n"
    )
    allowed = AllowedSigners.parse(text.encode())
    assert allowed.principals_of(parse_public_key(SOFT.blob)) == (PRINCIPAL, "bo@example.org", "eve")
    assert allowed.principals_of(parse_public_key(sk_ed25519_key().blob)) == ()


def test_principals_of_a_certificate_are_those_that_its_authority_may_name() -> None:
    """Of a certificate's principals those count that the authority's line matches."""
    authority = ecdsa_key()
    certificate = certify(
        authority, SOFT, principals=(b"ada@example.org", b"bo@elsewhere.org", b"cy@example.org")
    )
    text = f"*@example.org,!cy@* cert-authority {authority.line}\nzoe {KEY}\n"
    assert AllowedSigners.parse(text.encode()).principals_of(parse_public_key(certificate.blob)) == (
        PRINCIPAL,
    )


def test_principals_of_agrees_with_find_principals(tmp_path: Path) -> None:
    """For one line with plain names the answer is that of ssh-keygen -Y find-principals."""
    (tmp_path / "allowed").write_text(f'{PRINCIPAL},bo namespaces="x" {KEY}\n')
    (tmp_path / "sig").write_text(armor(SIGNATURE))
    found = keygen("-Y", "find-principals", "-f", tmp_path / "allowed", "-s", tmp_path / "sig")
    allowed = AllowedSigners.parse((tmp_path / "allowed").read_bytes())
    assert allowed.principals_of(parse_public_key(SOFT.blob)) == tuple(found.decode().split())


def test_a_time_without_a_zone_does_not_depend_on_the_machine(tmp_path: Path) -> None:
    """The file means the same everywhere, and what ssh-keygen means by it under UTC."""
    text = f'{PRINCIPAL} valid-before="202611221200" {KEY}\n'
    (entry,) = AllowedSigners.parse(text.encode()).entries
    assert entry.valid_before == AT
    assert agreed(tmp_path, text) == "ok"
