"""Writing through merge requests: what is written goes on a branch, which is pushed; the forge does the rest.

For a branch of record that takes merge requests only. Nothing here needs a forge's programming interface: the branch is
pushed, and the address at which to open the request is the one that the server tells, or the one that follows from
the repository's address.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from gitchange.errors import RemoteError, UsageError
from gitchange.git import program
from gitchange.git.work_tree import move_branch
from gitchange.ledger import remote as remotes
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitchange.git.repository import Repository
    from gitchange.workflow.workspace import Workspace

_ADDRESS = r"https?://[^\s\x1b]+"
_SSH = r"(?:ssh://)?(?:[^@/]+@)?([^:/]+)(?::[0-9]+)?[:/]+(.+?)(?:\.git)?/?"


class Proposed(Value):
    """A commit on a branch, waiting to be merged."""

    branch: str
    """Its short name."""
    commit: str
    pushed: bool
    address: str
    """Where to open the merge request; empty when nobody can tell."""
    problem: str
    """Why it was not pushed; empty when it was, or was not to be."""
    refused: bool = False
    """Whether the remote answered and did not take it, or did not let the user in."""


def propose(
    workspace: Workspace,
    name: str,
    entries: Mapping[str, tuple[str, int] | None],
    message: str,
    *,
    push: bool = True,
) -> Proposed:
    """Commit files (path: blob or tree, mode; None removes it) on a branch and push it, in these steps:

    1. the branch begins at the branch of record as it is now; one that is there already and was not merged goes on;
    2. commit; neither HEAD nor the work tree moves, unless the branch is the one that HEAD names;
    3. push, never by force.
    """
    repository, main = workspace.repository, workspace.assessor.ground.main
    ref = f"refs/heads/{name}"
    if not program.is_branch_name(repository, name):
        raise UsageError(f"{name!r} cannot be the name of a branch", hint="e.g. change/CHG-20261122-K7Q3")
    if ref == workspace.branch:
        raise UsageError(
            f"{name} is the branch of record itself",
            hint="leave --branch out to write to it, or name another",
        )
    remote = remotes.remote_name(repository, workspace.branch)
    # 1.
    old = repository.ref(ref)
    known = old or (repository.ref(f"refs/remotes/{remote}/{name}") if remote else None)
    base = main if known is None or repository.is_ancestor(known, main) else known
    # 2.
    tree = repository.edit_tree(repository.tree_of(base), entries)
    commit = repository.write_commit(tree, (base,), message, *workspace.who())
    move_branch(repository, ref, old, commit, "gitchange: propose")
    # 3.
    if not push or remote is None:
        return Proposed(name, commit, False, "", "")
    try:
        result = program.push(repository, remote, commit, ref, hooks=True)
    except RemoteError as error:
        no_access = isinstance(error, program.NoAccessError)
        return Proposed(name, commit, False, "", error.message, refused=no_access)
    if not result.ok:
        problem = f"{remote} refused {name}: {result.message}"
        return Proposed(name, commit, False, "", problem, refused=True)
    return Proposed(
        name, commit, True, _told(result.message) or _where(repository, remote, name, workspace), ""
    )


def _told(message: str) -> str:
    """The address in what the server said: GitLab, GitHub and Gitea name it when a branch is pushed."""
    found = re.search(_ADDRESS, message)
    return found[0] if found else ""


def _where(repository: Repository, remote: str, name: str, workspace: Workspace) -> str:
    """The forge's page for a new request, by the remote's address; empty for a host that is no known forge."""
    url = repository.config(f"remote.{remote}.url") or ""
    place = re.fullmatch(r"https?://(?:[^@/]+@)?([^/]+)/(.+?)(?:\.git)?/?", url) or re.fullmatch(_SSH, url)
    if place is None:
        return ""
    host, path = place[1].lower(), place[2].strip("/")
    main = workspace.branch.removeprefix("refs/heads/")
    if "github" in host:
        return f"https://{host}/{path}/compare/{quote(main)}...{quote(name)}?expand=1"
    if "gitlab" in host:
        return f"https://{host}/{path}/-/merge_requests/new?merge_request%5Bsource_branch%5D={quote(name, safe='')}"
    if any(word in host for word in ("gitea", "forgejo", "codeberg")):
        return f"https://{host}/{path}/compare/{quote(main)}...{quote(name)}"
    return ""
