"""Coverage: is every commit of an application repository covered by a change? The question that auditors ask first.

Pure: from a commit, the changes that something ties to it, and the policy follow its state and the reasons. A tie is
somebody's word (a message, a merge request, a signed implementation), and anybody can write one: what covers is the
change's own state, which follows from what was signed.

States, the first that applies:

1. `covered`: for each system that the commit touches there is a change to it that was approved;
2. `standard`: the same, and all of these follow a pre-approved model;
3. `emergency-pending`: the same, if emergencies that nobody has approved yet are taken for approved;
4. `exempt`: a rule of the policy says that such commits need no change; or the commit changes no file;
5. `uncovered`.
"""

from __future__ import annotations

import datetime as dt

from gitchange.lifecycle.globs import matches_path, matches_text
from gitchange.model.policy import pattern
from gitchange.model.result import STATES, CommitState
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gitchange.model.policy import Exemption, Policy

State = CommitState

_NOT = {
    "requested": "nobody has approved it",
    "info-requested": "its evaluation asks for information",
    "rejected": "it was rejected",
    "withdrawn": "it was withdrawn",
    "unreadable": "its file cannot be read",
}
"""Why a change of that status covers nothing."""


class Commit(Value):
    """A commit of the application's first-parent line, with what it brought. What it says of itself is a claim."""

    id: str
    author: str
    """The author's address."""
    time: int
    """The committer's time, in seconds since 1970."""
    subject: str
    paths: tuple[str, ...]
    """The files that differ from its first parent's."""
    authors: tuple[str, ...]
    """Addresses of all authors of what it brought, its own included unless it is a merge."""
    merged: tuple[str, ...] = ()
    """First lines of the commits that a merge brought; none for other commits."""


class Tie(Value):
    """Something that says that a commit belongs to a change."""

    change: str
    why: str
    """In a few words, e.g. `the trailer of 1a2b3c4d`."""


class Known(Value):
    """What is known of a change here."""

    id: str
    status: str
    type: str
    evaluated: bool
    """Whether its text as it stands is approved, or needs no approval of its own."""
    since: int | None
    """When it was approved, in seconds since 1970; None where it was not, or needed none."""
    systems: tuple[str, ...]


class Covered(Value):
    """A commit with its state."""

    commit: Commit
    state: State
    systems: tuple[str, ...]
    """The systems of the policy that it touches."""
    changes: tuple[str, ...]
    """The changes by which it has that state; the ones that are tied to it where it is uncovered."""
    why: tuple[str, ...]
    since: int | None = None
    """Since when all of `changes` are approved, in seconds since 1970; None where that has no meaning."""
    exemption: str = ""
    """The name of the policy's rule by which it is exempt."""


def cover(
    commit: Commit,
    systems: Sequence[str],
    ties: Sequence[Tie],
    known: Mapping[str, Known],
    policy: Policy,
    now: dt.datetime,
) -> Covered:
    """The state of a commit that touches these systems (none: the policy names nobody for its files)."""
    good: list[Known] = []
    pending: list[Known] = []
    poor: list[str] = []
    for tie in ties:
        change = known.get(tie.change)
        if change is None:
            poor.append(f"{tie.change} ({tie.why}) is no change on the branch of record")
        elif change.evaluated and change.status not in _NOT:
            good.append(change)
        elif change.type == "emergency" and change.status not in ("rejected", "withdrawn", "unreadable"):
            pending.append(change)
        else:
            reason = _NOT.get(change.status, "its approval does not count any more")
            poor.append(f"{change.id} ({tie.why}): {reason}")
    told = {tie.change: tie.why for tie in ties}
    needed = set(systems)
    for candidates in (good, [*good, *pending]):
        helping = [c for c in candidates if not needed or needed & set(c.systems)]
        if helping and needed <= {name for c in helping for name in c.systems}:
            return _covered(commit, systems, helping, pending, told)
    for change in (*good, *pending):
        if left := sorted(needed - set(change.systems)):
            poor.append(f"{change.id} ({told[change.id]}) does not name {', '.join(left)}, which it touches")
    if not commit.paths:
        return Covered(commit, "exempt", tuple(systems), (), ("it changes no file",))
    for exemption in policy.file.exemptions:
        if reason := exempts(exemption, commit, systems, now):
            words = f"{exemption.name}: {reason} ({exemption.reason})"
            return Covered(commit, "exempt", tuple(systems), (), (words,), exemption=exemption.name)
    if not ties:
        poor.append("nothing ties it to a change")
    if not systems:
        poor.append("the policy has no system with these paths")
    return Covered(commit, "uncovered", tuple(systems), tuple(told), tuple(poor))


def _covered(
    commit: Commit,
    systems: Sequence[str],
    helping: Sequence[Known],
    pending: Sequence[Known],
    told: Mapping[str, str],
) -> Covered:
    state: State = "covered"
    if any(c in pending for c in helping):
        state = "emergency-pending"
    elif all(c.type == "standard" and c.since is None for c in helping):
        state = "standard"
    why = []
    for change in helping:
        words = f"{change.id} is {change.status}: {told[change.id]}"
        if change in pending:
            words += "; an emergency that nobody has approved yet"
        elif change.since is not None and change.since > commit.time:
            words += "; approved after the commit was made"
        why.append(words)
    times = [c.since for c in helping if c.since is not None]
    since = max(times) if times and state == "covered" else None
    return Covered(commit, state, tuple(systems), tuple(c.id for c in helping), tuple(why), since)


def exempts(exemption: Exemption, commit: Commit, systems: Sequence[str], now: dt.datetime) -> str:
    """By what a rule of the policy exempts a commit, in words; empty when it does not. All its conditions must hold."""
    if exemption.expires is not None and exemption.expires <= now:
        return ""
    if exemption.systems is not None and not (systems and set(systems) <= set(exemption.systems)):
        return ""
    said: list[str] = []
    if exemption.paths is not None:
        if not all(matches_path(path, exemption.paths) for path in commit.paths):
            return ""
        said.append(f"only {', '.join(exemption.paths)}")
    if exemption.authors is not None:
        if not commit.authors or not all(matches_text(a, exemption.authors) for a in commit.authors):
            return ""
        said.append(f"by {', '.join(exemption.authors)}")
    if exemption.subject is not None:
        fits = pattern(exemption.subject).isinstance_python
        if not fits(commit.subject) and not (commit.merged and all(fits(line) for line in commit.merged)):
            return ""
        said.append(f"called {exemption.subject}")
    return ", ".join(said)


def counts(covered: Iterable[Covered]) -> dict[State, int]:
    """How many commits there are of each state."""
    found: dict[State, int] = dict.fromkeys(STATES, 0)
    for one in covered:
        found[one.state] += 1
    return found


def touched(paths: Iterable[str], scopes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The systems to which these files belong; one without patterns is the whole repository."""
    files = tuple(paths)
    return tuple(
        name
        for name, globs in scopes.items()
        if (files if not globs else any(matches_path(path, globs) for path in files))
    )
