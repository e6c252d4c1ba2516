"""Commits on the branch of record that witness the notes: `seal`, and the trailer that others carry too."""

from __future__ import annotations

from dataclasses import dataclass

from gitchange.errors import Refused
from gitchange.ledger.records import TRAILER
from gitchange.ledger.remote import Report
from gitchange.workflow.proposing import Proposed, propose
from gitchange.workflow.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Sealed:
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
    if push:
        workspace.exchange(with_branch=False, sending=False)
    workspace = workspace.fresh()
    repository, assessor = workspace.repository, workspace.assessor
    # 2.
    tip = assessor.notes.commit
    newest = next((p.witnesses for p in reversed(assessor.timeline.points) if p.witnesses), None)
    if tip is None or newest == tip:
        return Sealed(None, tip, workspace.exchange(with_branch=True) if push else None)
    # 3.
    message = f"Seal the sign-offs\n\n{trailers(None, tip)}"
    if proposal is not None:
        report = workspace.exchange(with_branch=False) if push else None
        made = propose(workspace, proposal or f"seal/{tip[:12]}", {}, message, push=push)
        return Sealed(made.commit, tip, report, made)
    old = repository.ref(workspace.branch)
    if old is None or old != assessor.ground.main:
        raise Refused(
            f"{workspace.branch} is not here as a branch of its own",
            hint=f"`git switch {workspace.branch.removeprefix('refs/heads/')}` once, or `gitchange sync`",
        )
    commit = repository.write_commit(repository.tree_of(old), (old,), message, *workspace.who())
    repository.set_ref(workspace.branch, commit, old, "gitchange seal")
    report = workspace.fresh().exchange(with_branch=True) if push else None
    return Sealed(commit, tip, report)
