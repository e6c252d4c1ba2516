"""What one allowed-signers file changes against another: who gains, loses or exchanges a key, and which bounds move.

Reads what `gitchange.signing.allowed_signers` parsed. Whose key it is, the file's patterns say; what its owner may do
with it is the policy's matter (`gitchange.lifecycle.policy_diff`).
"""

from __future__ import annotations

from gitchange.signing.allowed_signers import AllowedSigner
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from typing import Literal

    from gitchange.signing.allowed_signers import AllowedSigners

Entries = dict[tuple[str, str, bool], list[AllowedSigner]]
"""The lines of a file by whose they are, the key, and whether it is an authority."""


class KeyChange(Value):
    """One thing that changes about somebody's keys."""

    sentence: str
    who: tuple[str, ...]
    """The principals of the lines; patterns with wildcards are not among them."""
    strength: Literal["weaker", "stronger", ""] = ""


def key_changes(before: AllowedSigners, after: AllowedSigners) -> Iterator[KeyChange]:
    """Everything that matters of two files' differences; nothing where only comments, blanks or order differ."""
    old, new = _entries(before), _entries(after)
    gone = [entry for key, entries in old.items() if key not in new for entry in entries[:1]]
    come = [entry for key, entries in new.items() if key not in old for entry in entries[:1]]
    for entry in [*gone]:
        successors = [e for e in come if _belongs_with(e, entry)]
        if len(successors) == 1 and sum(1 for e in gone if _belongs_with(e, entry)) == 1:
            yield _change(
                entry,
                f"the key of {entry.principals} is replaced: {_key(successors[0])} "
                f"instead of {_key(entry)}{_once(successors[0], before)}",
            )
            yield from _bounds([entry], successors)
            gone.remove(entry)
            come.remove(successors[0])
    for entry in come:
        if entry.cert_authority:
            what = f"the authority {_key(entry)} may now certify keys of {entry.principals}"
        else:
            what = f"{entry.principals} gains the key {_key(entry)}{_once(entry, before)}"
        limits = _limits(entry)
        yield _change(entry, f"{what}, {limits}" if limits else what)
    for entry in gone:
        if entry.cert_authority:
            what = f"the authority {_key(entry)} certifies no keys of {entry.principals} any more"
        else:
            what = f"{entry.principals} loses the key {_key(entry)}"
        yield _change(entry, what)
    for key, entries in old.items():
        if key in new:
            yield from _bounds(entries, new[key])
    known = {message for _, message in before.problems}
    for line, message in after.problems:
        if message not in known:
            yield KeyChange(f"line {line} of allowed_signers has a problem: {message}", ())


def _entries(signers: AllowedSigners) -> Entries:
    found: Entries = {}
    for entry in signers.entries:
        found.setdefault((entry.principals, entry.key.line, entry.cert_authority), []).append(entry)
    return found


def _belongs_with(one: AllowedSigner, other: AllowedSigner) -> bool:
    return one.principals == other.principals and one.cert_authority == other.cert_authority


def _bounds(old: list[AllowedSigner], new: list[AllowedSigner]) -> Iterator[KeyChange]:
    """What the same person's line for the same key lets it do otherwise."""
    if len(old) > 1 or len(new) > 1:  # several lines for one key: each of them lets it sign
        if sorted(map(_limits, old)) != sorted(map(_limits, new)):
            were, are = (" or ".join(_limits(e) or "without bounds" for e in lines) for lines in (old, new))
            yield _change(
                new[0], f"the key {_key(new[0])} of {new[0].principals} may sign {are}; before {were}"
            )
        return
    was, now = old[0], new[0]
    told: tuple[tuple[object, object, str, Callable[[AllowedSigner], str]], ...] = (
        (was.namespaces, now.namespaces, "may sign", _namespaces),
        (was.valid_after, now.valid_after, "is valid", lambda e: _from(e.valid_after)),
        (was.valid_before, now.valid_before, "is valid", lambda e: _until(e.valid_before)),
    )
    for then, since, verb, words in told:
        if then != since:
            yield _change(
                now,
                f"the key {_key(now)} of {now.principals} {verb} {words(now)} instead of {words(was)}",
                "weaker" if since is None else "stronger" if then is None else "",
            )


def _change(
    entry: AllowedSigner, sentence: str, strength: Literal["weaker", "stronger", ""] = ""
) -> KeyChange:
    who = tuple(name for name in entry.patterns if name and not set(name) & set("*?!"))
    return KeyChange(sentence, who, strength)


def _key(entry: AllowedSigner) -> str:
    return f"{entry.key.fingerprint} ({entry.key.type})"


def _once(entry: AllowedSigner, before: AllowedSigners) -> str:
    """Whose key it was, when it was another's."""
    others = dict.fromkeys(
        e.principals
        for e in before.entries
        if e.key.fingerprint == entry.key.fingerprint and not _belongs_with(e, entry)
    )
    return f" (listed for {', '.join(others)} before)" if others else ""


def _limits(entry: AllowedSigner) -> str:
    words = [] if entry.namespaces == "gitchange" else [_namespaces(entry)]
    words += [_from(entry.valid_after)] if entry.valid_after else []
    words += [_until(entry.valid_before)] if entry.valid_before else []
    return ", ".join(words)


def _namespaces(entry: AllowedSigner) -> str:
    return "in every namespace" if entry.namespaces is None else f"in the namespace {entry.namespaces}"


def _from(moment: dt.datetime | None) -> str:
    return f"from {_moment(moment)} on" if moment else "from any time on"


def _until(moment: dt.datetime | None) -> str:
    return f"until {_moment(moment)}" if moment else "without an end"


def _moment(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC".replace(":00 UTC", " UTC")
