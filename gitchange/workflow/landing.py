"""A commit of ours on the branch of record: made, sent, and made anew on top of others' work when they were faster."""

from __future__ import annotations

from gitchange.errors import GitchangeError, Refused, RemoteError
from gitchange.git.repository import MovedError
from gitchange.git.work_tree import move_branch
from gitchange.ledger import remote as remotes
from gitchange.ledger.remote import Report
from gitchange.values import Value
from gitchange.workflow.workspace import retrying

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from gitchange.workflow.workspace import Workspace

    Made = TypeVar("Made", bound="Landed")


class Landed(Value):
    """A commit on the branch of record."""

    before: str
    """Where the branch was."""
    commit: str
    kept: tuple[str, ...]
    """Files of the work tree that are edited and were left as they are."""


def land(
    workspace: Workspace,
    make: Callable[[Workspace], Made],
    *,
    push: bool,
    command: str,
    after: Report | None = None,
) -> tuple[Made, Report]:
    """Bring a commit to the branch of record, here and on the remote, in these steps:

    1. make it on top of what is here; again when another process of this clone was faster;
    2. send notes and branch;
    3. when others were faster on the remote, take it back, fetch, and begin again on top of their work.

    `make` decides anew each time whether the commit may be made, and moves the branch. `command` is for the hint;
    `after` is what the command fetched before.
    """
    for _ in range(remotes.ATTEMPTS):
        # 1.
        made = retrying(lambda: make(workspace.fresh()))
        # 2.
        remote = remotes.remote_name(workspace.repository, workspace.branch)
        if not push or remote is None:
            return made, Report(remote)
        report = workspace.fresh().exchange(with_branch=True, after=after)
        after = None
        # 3.
        if not _overtaken(workspace, remote, made):
            return made, report
        fetched = workspace.fresh().exchange(with_branch=False, sending=False)
        if not _caught_up(workspace, remote):
            problems = "; ".join(fetched.problems) or "the branch cannot be fast-forwarded"
            raise GitchangeError(
                f"others were faster, and their work cannot be taken over: {problems}",
                hint=f"nothing was lost; mend that, and `gitchange {command}` again",
            )
    raise RemoteError("others were faster every time; nothing was lost", hint=f"`gitchange {command}` again")


def tip_of(workspace: Workspace) -> str:
    """Where the branch of record is; Refused when it is not here, MovedError when it moved since it was read."""
    tip = workspace.repository.ref(workspace.branch)
    if tip is None:
        raise Refused(
            f"{workspace.branch} is not here as a branch of its own",
            hint=f"`git switch {workspace.branch.removeprefix('refs/heads/')}` once, or `gitchange sync`",
        )
    if tip != workspace.assessor.ground.main:
        raise MovedError(f"{workspace.branch} moved while we worked", hint="run the command again")
    return tip


def _caught_up(workspace: Workspace, remote: str) -> bool:
    """Whether the branch of record here has all that the remote's has."""
    repository = workspace.repository
    theirs = repository.ref(remotes.tracking_branch(remote, workspace.branch))
    ours = repository.ref(workspace.branch)
    return theirs is None or (ours is not None and repository.is_ancestor(theirs, ours))


def _overtaken(workspace: Workspace, remote: str, made: Landed) -> bool:
    """Whether the remote's branch went another way; then our one commit is taken back, to be made anew.

    Only when it is the only commit that the remote lacks: what else the user committed is never touched.
    """
    repository, branch = workspace.repository, workspace.branch
    theirs = repository.ref(remotes.tracking_branch(remote, branch))
    ours = repository.ref(branch)
    if theirs is None or ours != made.commit or repository.is_ancestor(made.commit, theirs):
        return False
    if repository.is_ancestor(theirs, made.commit) or not repository.is_ancestor(made.before, theirs):
        return False
    move_branch(repository, branch, made.commit, made.before, "gitchange: others were faster")
    return True
