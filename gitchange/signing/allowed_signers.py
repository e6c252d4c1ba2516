"""The allowed-signers file: which key may sign for whom, for what, and when.

This module reads the file and matches names against its patterns. It decides about no signature
(`gitchange.signing.verify` does) and does not fetch the file.

The format is that of ``ssh-keygen(1)``, ALLOWED SIGNERS. What is accepted is what OpenSSH's
``sshsig.c`` (``parse_principals_key_and_options``, ``sshsigopt_parse``), ``misc.c`` and ``match.c``
accept, with two rules worth knowing:

- A line that ssh-keygen cannot read never lets anybody sign, and stops nothing: the lines after it
  count. It is listed in `AllowedSigners.problems` here, for whoever keeps the file.
- A time without a ``Z`` is local time to ssh-keygen, so that the file's meaning would depend on the
  machine. Here it is UTC, as under ``TZ=UTC``, and noted in `AllowedSigners.problems`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from gitchange.signing.keys import KeyFormatError, read_public_key
from gitchange.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from gitchange.signing.keys import PublicKey

_MAX_PATTERN: Final = 1022
"""Longest pattern that is compared, in bytes: ``char sub[1024]`` in ``match_pattern_list``."""

# Digits that glibc's strptime takes for %Y-%m-%dT%H:%M:%S: it skips spaces before each number.
_NUMBER: Final = rb" *([0-9]{1,%d})"
_DATE: Final = _NUMBER % 4 + b"-" + _NUMBER % 2 + b"-" + _NUMBER % 2
_TIMES: Final = {
    8: re.compile(_DATE),
    12: re.compile(_DATE + b"T" + _NUMBER % 2 + b":" + _NUMBER % 2),
    14: re.compile(_DATE + b"T" + _NUMBER % 2 + b":" + _NUMBER % 2 + b":" + _NUMBER % 2),
}
_LATEST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class AllowedSigner(Value):
    """One line of the file."""

    line: int
    """Its number, from 1."""
    principals: str
    """The first field as it stands: comma-separated patterns with ``*``, ``?`` and ``!``."""
    cert_authority: bool
    """Whether the key certifies signers' keys instead of signing (``cert-authority``)."""
    namespaces: str | None
    """Patterns of the namespaces it may sign in; None is all of them."""
    valid_after: datetime | None
    """First second at which it may sign."""
    valid_before: datetime | None
    """Last second at which it may sign: ssh-keygen refuses only times *after* it."""
    key: PublicKey
    """The key; with `cert_authority` the authority's."""
    comment: str
    """What follows the key."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns in `principals`."""
        return tuple(self.principals.split(","))

    def matches_principal(self, principal: str) -> bool:
        """Whether the line is about `principal`."""
        return match_pattern_list(principal, self.principals)

    def matches_namespace(self, namespace: str) -> bool:
        """Whether the key may sign in `namespace`."""
        return self.namespaces is None or match_pattern_list(namespace, self.namespaces)


class AllowedSigners(Value):
    """A file that was read: the lines that count, and what is wrong with others."""

    entries: tuple[AllowedSigner, ...]
    """The lines that ssh-keygen can read, in order."""
    problems: tuple[tuple[int, str], ...]
    """Line number and message: of lines that count for nothing, and of times without a zone."""
    _by_key: dict[PublicKey, tuple[AllowedSigner, ...]] = field(aside=True)
    _by_authority: dict[PublicKey, tuple[AllowedSigner, ...]] = field(aside=True)

    @classmethod
    def parse(cls, text: bytes) -> AllowedSigners:
        """Read a file's content. Never raises: an unreadable file has no entries, but problems."""
        entries: list[AllowedSigner] = []
        problems: list[tuple[int, str]] = []
        by_key: dict[PublicKey, tuple[AllowedSigner, ...]] = {}
        by_authority: dict[PublicKey, tuple[AllowedSigner, ...]] = {}
        for number, line in enumerate(text.split(b"\n"), start=1):
            content = line.partition(b"\0")[0]  # the rest of a C string does not exist
            stripped = content.strip(b" \t\r")
            if not stripped or stripped.startswith(b"#"):
                continue
            try:
                entry, notes = _parse_line(number, content)
            except _LineError as error:
                problems.append((number, str(error)))
                continue
            entries.append(entry)
            problems += [(number, note) for note in notes]
            # sshkey_equal for signers; sshkey_equal_public, which looks through certificates, for authorities
            index, key = (by_authority, entry.key.plain) if entry.cert_authority else (by_key, entry.key)
            index[key] = (*index.get(key, ()), entry)
        return cls(tuple(entries), tuple(problems), by_key, by_authority)

    def entries_of(self, key: PublicKey) -> tuple[AllowedSigner, ...]:
        """The lines that let `key` sign: its own, and for a certificate those of its authority."""
        own = self._by_key.get(key, ())
        certificate = key.certificate
        return own + self._by_authority.get(certificate.authority, ()) if certificate else own

    def principals_of(self, key: PublicKey) -> tuple[str, ...]:
        """For whom `key` is listed, whatever the time and the namespace.

        Like ``ssh-keygen -Y find-principals``, but of patterns only those without wildcards are
        returned, since the others name nobody, and all lines are searched, not only the first. For
        a certificate they are those of its principals that its authority's line matches.
        """
        certificate = key.certificate
        found: dict[str, None] = {}
        for entry in self.entries_of(key):
            if entry.cert_authority and certificate:
                names: tuple[str, ...] = certificate.principals
            else:
                names = tuple(name for name in entry.patterns if name and name[0] != "!" and not _WILD(name))
            found.update((name, None) for name in names if entry.matches_principal(name))
        return tuple(found)


_WILD: Final = re.compile(r"[*?]").search


@lru_cache(maxsize=4096)
def match_pattern_list(text: str, patterns: str) -> bool:
    """Whether comma-separated `patterns` let `text` in (``match_pattern_list(...) == 1``).

    ``*`` stands for any bytes, ``?`` for one byte, ``!`` before a pattern excludes what it matches,
    wherever in the list it stands. Upper and lower case differ.
    """
    try:
        subject = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    if b"\0" in subject:  # not a C string: no way to ask ssh-keygen about it
        return False
    positive = False
    listed = patterns.encode("utf-8", "surrogateescape").removesuffix(b",").split(b",") if patterns else ()
    for item in listed:
        negated = item.startswith(b"!")
        pattern = item[1:] if negated else item
        if len(pattern) > _MAX_PATTERN:
            return False
        if _match(subject, pattern):
            if negated:
                return False
            positive = True
    return positive


def _match(subject: bytes, pattern: bytes) -> bool:
    # match_pattern of match.c, without its recursion, which takes exponential time on "*a*a*a*b":
    # when bytes stop to agree, the last star takes one byte more, and earlier stars need no second try.
    at = here = 0  # how far the subject and the pattern agree
    star, resume = -1, 0  # the last star in the pattern, and where the subject goes on after it
    while at < len(subject):
        if here < len(pattern) and pattern[here] == ord("*"):
            star, resume = here, at
            here += 1
        elif here < len(pattern) and pattern[here] in (ord("?"), subject[at]):
            here += 1
            at += 1
        elif star >= 0:
            resume += 1
            at, here = resume, star + 1
        else:
            return False
    return not pattern[here:].strip(b"*")


class _LineError(ValueError):
    """A line that ssh-keygen cannot read."""


def _parse_line(number: int, line: bytes) -> tuple[AllowedSigner, list[str]]:
    """``parse_principals_key_and_options``: ``PRINCIPALS [OPTIONS] KEY [COMMENT]``."""
    principals, rest = _take_principals(line.lstrip(b" \t"))
    options = b""
    try:
        key, comment = read_public_key(rest)
    except KeyFormatError as no_key:
        # No key here: options, then.
        options, rest = _split_options(rest)
        if not rest:
            raise _LineError(f"no key: {no_key.message}") from None
        try:
            key, comment = read_public_key(rest.lstrip(b" \t"))
        except KeyFormatError as error:
            # Neither reading gives a key. Tell of the one that was meant.
            raise _LineError((error if _are_options(options) else no_key).message) from None
    parsed = _parse_options(options)
    return AllowedSigner(
        line=number,
        principals=_decode(principals),
        cert_authority=parsed.cert_authority,
        namespaces=parsed.namespaces,
        valid_after=parsed.valid_after,
        valid_before=parsed.valid_before,
        key=key,
        comment=_decode(comment.rstrip(b"\r")),
    ), parsed.notes


def _take_principals(line: bytes) -> tuple[bytes, bytes]:
    """The first field and what follows it (``strdelimw``): it ends at a blank, or at a closing quote."""
    end = re.search(rb'[ \t\r"]', line)
    if end is None:
        raise _LineError("there is no key after the principals")
    if end.group() != b'"':
        return line[: end.start()], line[end.end() :].lstrip(b" \t\r")
    # A quote in mid-word begins a quoted part as well, and what follows its end is the next field.
    quoted, closing, rest = line[end.end() :].partition(b'"')
    if not closing:
        raise _LineError("a quote is not closed")
    return line[: end.start()] + quoted, rest.lstrip(b" \t\r")


def _split_options(text: bytes) -> tuple[bytes, bytes]:
    """Options, up to a blank outside quotes, and the rest (``sshkey_advance_past_options``)."""
    quoted = False
    at = 0
    while at < len(text) and (quoted or text[at] not in b" \t"):
        if text[at : at + 2] == b'\\"':
            at += 1
        elif text[at : at + 1] == b'"':
            quoted = not quoted
        at += 1
    if quoted and at >= len(text):
        raise _LineError("a quote in the options is not closed")
    return text[:at], text[at:]


class _Options(Value, frozen=False):
    cert_authority: bool = False
    namespaces: str | None = None
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    notes: list[str] = field(default_factory=list)


def _parse_options(text: bytes) -> _Options:
    """``sshsigopt_parse``: comma-separated, names in any case, values in double quotes."""
    options = _Options()
    while text:
        lower = text.lower()
        if lower.startswith(b"cert-authority"):
            options.cert_authority = True
            text = text[len(b"cert-authority") :]
        elif lower.startswith(b"namespaces="):
            if options.namespaces is not None:
                raise _LineError("namespaces stands twice")
            value, text = _take_quoted("namespaces", text)
            options.namespaces = _decode(value)
        elif lower.startswith(b"valid-after="):
            if options.valid_after is not None:
                raise _LineError("valid-after stands twice")
            value, text = _take_quoted("valid-after", text)
            options.valid_after = _parse_time("valid-after", value, options.notes)
        elif lower.startswith(b"valid-before="):
            if options.valid_before is not None:
                raise _LineError("valid-before stands twice")
            value, text = _take_quoted("valid-before", text)
            options.valid_before = _parse_time("valid-before", value, options.notes)
        if not text:
            break
        if not text.startswith(b","):
            raise _LineError(f"unknown option at {_decode(text[:40])!a}")
        text = text[1:]
        if not text:
            raise _LineError("the options end in a comma")
    if options.valid_after and options.valid_before and options.valid_before <= options.valid_after:
        raise _LineError("valid-before is not after valid-after")
    return options


def _are_options(text: bytes) -> bool:
    try:
        _parse_options(text)
    except _LineError:
        return False
    return True


def _take_quoted(name: str, text: bytes) -> tuple[bytes, bytes]:
    """The quoted value after ``NAME=`` and what follows it (``opt_dequote``)."""
    text = text[len(name) + 1 :]
    if not text.startswith(b'"'):
        raise _LineError(f"the value of {name} is not in double quotes")
    value = re.match(rb'"((?:\\"|[^"])*+)"', text)  # possessive: an escaped quote never closes
    if value is None:
        raise _LineError(f"the value of {name} has no closing quote")
    return value.group(1).replace(b'\\"', b'"'), text[value.end() :]


def _parse_time(name: str, value: bytes, notes: list[str]) -> datetime:
    """``parse_absolute_time``: YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z or UTC at the end."""
    digits = value
    if len(value) > 1 and value[-1:].upper() == b"Z":
        digits = value[:-1]
    elif len(value) > 3 and value[-3:].upper() == b"UTC":
        digits = value[:-3]
    else:
        notes.append(f"{name} {_decode(value[:40])!a} has no zone; it is read as UTC, write it with a Z")
    shape = _TIMES.get(len(digits))
    invalid = _LineError(f"{name} {_decode(value[:40])!a} is no time like 20261122Z or 202611221530Z")
    if shape is None:
        raise invalid
    # As ssh-keygen does, put separators in, so that "%Y" cannot run on into the month.
    parts = [digits[:4], *(digits[at : at + 2] for at in range(4, len(digits), 2))]
    separators = (b"", b"-", b"-", b"T", b":", b":")
    found = shape.fullmatch(b"".join(map(bytes.__add__, separators, parts)))
    if found is None:
        raise invalid
    year, month, day, hour, minute, second = (*map(int, found.groups()), 0, 0, 0)[:6]
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 23 and minute <= 59 and second <= 61):
        raise invalid
    # strptime takes the 31st of every month and two leap seconds; timegm carries them over.
    start = datetime(max(year, 1), month, 1, tzinfo=UTC).timestamp()
    seconds = int(start) + (day - 1) * 86400 + hour * 3600 + minute * 60 + second
    if seconds <= 0:  # 1970 itself stands for "no time" there
        raise invalid
    return datetime.fromtimestamp(min(seconds, int(_LATEST.timestamp())), UTC)


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
