"""Results that were recorded: notes on commits of the branch of record, signed answers of `coverage` and `gate`.

They are kept, sent and witnessed as sign-offs are, in the same notes, and judged by the same rules of witness and
policy. No change is judged by them. A line that is no good result decides nothing either, so what is wrong with it is a
warning (docs/adr/0005), and it takes no other with it.
"""

from __future__ import annotations

from gitchange.ledger.signoffs import Doubt, described
from gitchange.model.finding import Finding
from gitchange.model.policy import RECORDER_ROLE, ROOT
from gitchange.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitchange.git.repository import Repository
    from gitchange.ledger.timeline import WitnessedAuthenticator
    from gitchange.model.result import Result


class Judged(Value):
    """One line on a commit."""

    result: Result | None
    """None when the line is no genuine result."""
    finding: Finding | None
    """Why it does not count; None when it does."""


def is_kept_here(repository: Repository, oid: str) -> bool:
    """Whether a note on this object is one of results: it is on a commit."""
    return repository.has_commit(oid)


def judge(
    repository: Repository,
    main: str,
    authenticator: WitnessedAuthenticator,
    commit: str,
    lines: Iterable[bytes],
) -> Iterator[Judged]:
    """Judge the lines on a commit, in these steps; each result once, however often its signature was spelled:

    1. the commit is part of the branch of record, which ends in `main`;
    2. the line is a genuine result, computed from that commit and by its policy, for this repository;
    3. who signed it was a recorder, under the policy by which it is judged.
    """
    there = repository.is_ancestor(commit, main)
    known: set[str] = set()
    for line in sorted(lines):
        # 1.
        if not there:
            yield Judged(None, _warning("result.not-on-main", f"{described(line)}: {_AWAY}", _WAIT))
            continue
        # 2.
        judged = authenticator.result(line, commit)
        if isinstance(judged, Doubt):
            message = f"{judged.finding.message}; it decides nothing, kept on {commit}"
            yield Judged(None, replace(judged.finding, message=message, severity="warning"))
            continue
        if not is_policy_of(repository, commit, judged.said.policy):
            message = f"{described(line)}: the commit that it is kept on has another policy than it names"
            yield Judged(None, _warning("result.other-policy", message, _WHO))
            continue
        if judged.digest in known:
            continue
        known.add(judged.digest)
        # 3.
        if RECORDER_ROLE not in judged.held:
            message = f"{described(line)}: {judged.said.by} is no {RECORDER_ROLE} by policy version {judged.judged_by}"
            hint = f"only a member of the role {RECORDER_ROLE!r} records results"
            yield Judged(judged, _warning("result.not-a-recorder", message, hint))
        else:
            yield Judged(judged, None)


def is_policy_of(repository: Repository, commit: str, tree: str) -> bool:
    """Whether a commit's policy folder is the one of that name."""
    folder = repository.child(repository.tree_of(commit), ROOT)
    return folder is not None and folder.id == tree


_WHO = "ask whoever has the recorder's key; the notes lose nothing, so it stays, and does not count"
_AWAY = "the commit that it is kept on is no part of the branch of record"
_WAIT = "it counts when the branch of record has that commit; `gitchange sync` fetches it"


def _warning(code: str, message: str, hint: str) -> Finding:
    return Finding(code, message, hint, "warning")
