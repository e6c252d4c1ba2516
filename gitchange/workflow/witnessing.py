"""Commits on the branch of record that witness the notes: `seal`, and the trailer that others carry too."""

from __future__ import annotations

from gitchange.ledger.records import TRAILER
from gitchange.values import Value
from gitchange.workflow.landing import Landed, land, tip_of
from gitchange.workflow.proposing import propose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.ledger.remote import Report
    from gitchange.workflow.proposing import Proposed
    from gitchange.workflow.workspace import Workspace


class Sealed(Value):
    """What `seal` did."""

    commit: str | None
    """The new commit; None when everything was witnessed already."""
    notes: str | None
    report: Report | None
    proposed: Proposed | None = None
    """The branch that waits to be merged, when the commit is on one; until then it witnesses nothing."""


def trailers(change: str | None, notes: str | None) -> str:
    """The trailers of a commit that gitchange makes on the branch of record."""
    lines = [f"Change: {change}\n"] if change else []
    lines += [f"{TRAILER}: {notes}\n"] if notes else []
    return "".join(lines)


def seal(workspace: Workspace, *, push: bool = True, proposal: str | None = None) -> Sealed:
    """Witness the notes as they are; with `proposal` ("" for seal/NOTES) on a branch of that name, in these steps:

    1. fetch, so that everybody's sign-offs are witnessed;
    2. when the newest witness names the notes' tip already, there is nothing to do;
    3. commit the same tree with the trailer, and send it.
    """
    # 1.
    fetched = workspace.exchange(with_branch=False, sending=False) if push else None
    workspace = workspace.fresh()
    # 2.
    tip = _unwitnessed(workspace)
    if tip is None:
        notes = workspace.assessor.notes.commit
        return Sealed(None, notes, workspace.exchange(with_branch=True) if push else None)
    # 3.
    if proposal is not None:
        report = workspace.exchange(with_branch=False) if push else None
        made = propose(workspace, proposal or f"seal/{tip[:12]}", {}, _message(tip), push=push)
        return Sealed(made.commit, tip, report, made)
    sealed, report = land(workspace, _commit, push=push, command="seal", after=fetched)
    return Sealed(sealed.commit, sealed.notes, report if push else None)


class _Seal(Landed):
    notes: str


def _unwitnessed(workspace: Workspace) -> str | None:
    """The notes' tip; None when the newest witness names it already, or there are none."""
    tip = workspace.assessor.notes.commit
    newest = next((p.witnesses for p in reversed(workspace.assessor.timeline.points) if p.witnesses), None)
    return None if newest == tip else tip


def _message(notes: str) -> str:
    return f"Seal the sign-offs\n\n{trailers(None, notes)}"


def _commit(workspace: Workspace) -> _Seal:
    repository, old = workspace.repository, tip_of(workspace)
    notes = _unwitnessed(workspace)
    if notes is None:  # others were faster, and sealed the same
        return _Seal(old, old, (), str(workspace.assessor.notes.commit))
    commit = repository.write_commit(repository.tree_of(old), (old,), _message(notes), *workspace.who())
    repository.set_ref(workspace.branch, commit, old, "gitchange seal")
    return _Seal(old, commit, (), notes)
