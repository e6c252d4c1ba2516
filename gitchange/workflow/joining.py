"""`join`: a clone of a configuration repository that its user can trust, and work in at once."""

from __future__ import annotations

from gitchange.errors import GitchangeError, Refused, UsageError
from gitchange.git import program
from gitchange.git.repository import Repository
from gitchange.ledger import notes
from gitchange.ledger import remote as remotes
from gitchange.ledger.documents import INTRODUCTION_KEY
from gitchange.values import Value
from gitchange.workflow.workspace import Workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from gitchange.ledger.remote import Report

_MERGING = f"notes.{notes.REF.removeprefix('refs/notes/')}.mergeStrategy"


class Found(Value):
    """A clone that is not trusted yet: what it says of its own beginning."""

    directory: Path
    cloned: bool
    """Whether the clone was made now; otherwise it was there."""
    introduction: str
    author: str
    time: dt.datetime
    """When the introduction says that it was committed: a claim."""
    subject: str
    pinned: bool
    """Whether this clone had pinned it before."""


class Joined(Value):
    """What `join` did."""

    directory: Path
    introduction: str
    principal: str
    """Who the policy says that the user is; empty when it does not know the user's key."""
    roles: tuple[str, ...]
    unknown: str
    """Why the user is not known, with the mend; empty otherwise."""
    report: Report


def approach(url: str, directory: Path, now: dt.datetime, *, introduction: str | None = None) -> Found:
    """Clone a repository, or take the clone that is there already, and find its introduction, in these steps:

    1. clone with the user's own git: its credentials, its questions;
    2. a folder that holds a clone of the same address is taken as it is, so that joining can be resumed;
    3. with `introduction` the branch of record must begin with it: UsageError when it does not; otherwise it is
       the oldest commit with a policy, for the user to confirm.
    """
    cloned = False
    if not directory.exists() or not any(directory.iterdir()):
        program.clone(url, directory)  # 1.
        cloned = True
    repository = Repository.open(directory)
    if not cloned and url not in (
        known := [repository.config(f"remote.{r}.url") for r in repository.remotes()]
    ):
        raise UsageError(  # 2.
            f"{directory} is there already, and is no clone of {url}",
            hint=f"it is one of {', '.join(filter(None, known))}; give another folder"
            if known
            else "give another folder",
        )
    ground = Workspace(repository, now, introduction).assessor.ground  # 3.
    commit = repository.commit(ground.introduction)
    return Found(
        repository.directory,
        cloned,
        ground.introduction,
        f"{commit.author.name} <{commit.author.email}>",
        commit.committer.time,
        commit.message.partition("\n")[0],
        repository.config(INTRODUCTION_KEY) == ground.introduction,
    )


def settle(found: Found, now: dt.datetime) -> Joined:
    """Make the clone ready once its introduction is trusted, in these steps:

    1. pin the introduction, outside of what a fetch moves;
    2. tell git where to put the remote's notes, and how `git notes merge` unites them;
    3. fetch the sign-offs;
    4. see whom the policy takes the user for.
    """
    repository = Repository.open(found.directory)
    # 1.
    repository.set_config(INTRODUCTION_KEY, found.introduction)
    # 2.
    prepare_remotes(repository)
    # 3.
    workspace = Workspace(repository, now)
    report = workspace.exchange(with_branch=True, sending=False)
    # 4.
    workspace = workspace.fresh()
    principal = unknown = ""
    try:
        principal = workspace.principal
    except GitchangeError as error:
        unknown = f"{error.message}; {error.hint}" if error.hint else error.message
    roles = workspace.policy.roles_of(principal) if principal else ()
    return Joined(repository.directory, found.introduction, principal, roles, unknown, report)


def prepare_remotes(repository: Repository) -> None:
    """What plain git needs to know in a clone, so that none of its commands destroys a sign-off:

    - `git fetch` brings the remote's notes into refs of their own and never, not even by a fast-forward, into those
      with the user's sign-offs: only gitchange unites them, after it has seen that nothing was lost;
    - `git notes merge` keeps every line of both sides.
    """
    for remote in repository.remotes():
        spec = f"{notes.REF}:{remotes.tracking_notes(remote)}"
        # git refuses a fetch that asks for a single ref which the remote does not have; a pattern it does not.
        spec = spec.replace("approvals", "*")
        if spec not in repository.config_list(f"remote.{remote}.fetch"):
            repository.add_config(f"remote.{remote}.fetch", spec)
    if repository.config(_MERGING) is None:
        repository.set_config(_MERGING, "cat_sort_uniq")


def refuse(found: Found) -> Refused:
    """The user did not confirm the introduction."""
    return Refused(
        f"{found.directory} was cloned and is not joined: its introduction is not confirmed",
        hint=f"ask a colleague for the id; then `gitchange join URL {found.directory} --introduction ID`",
    )
