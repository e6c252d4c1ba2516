"""Policies, settings and change files at a commit; the branch of record and the pinned introduction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set

from gitchange.errors import Refused, RepositoryError, UsageError
from gitchange.model import identifiers, policy, settings
from gitchange.model.finding import Finding
from gitchange.model.settings import Settings
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitchange.git.repository import Entry, Repository
    from gitchange.model.policy import Policy

INTRODUCTION_KEY = "gitchange.introduction"
"""Where each user pins the introduction commit: git's configuration, outside the repository's content."""


class Policies:
    """Policies by commit, each tree read once."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: dict[str, tuple[Policy | None, tuple[Finding, ...]]] = {}

    def at(self, commit: str) -> tuple[Policy | None, tuple[Finding, ...]]:
        """The policy in the commit's tree; None with findings when there is none that can be read."""
        entry = self._repository.entry(self._repository.tree_of(commit), policy.ROOT)
        if entry is None or not entry.is_tree:
            return None, (
                Finding(
                    "policy.missing",
                    f"commit {commit[:12]} has no {policy.ROOT}/ folder, so nothing can be approved",
                    "`gitchange init` writes one",
                ),
            )
        return self.of_tree(entry.id)

    def of_tree(self, tree: str) -> tuple[Policy | None, tuple[Finding, ...]]:
        """The policy that a tree id names."""
        if tree not in self._known:
            files: dict[str, bytes] = {}
            odd: list[Finding] = []
            for item in self._repository.walk(tree):
                if item.is_file:
                    files[item.path] = self._repository.blob(item.id)
                else:
                    path = f"{policy.ROOT}/{item.path}"
                    odd.append(
                        Finding("policy.stray-file", f"{path} is no regular file", "remove it", path=path)
                    )
            loaded, found = policy.load_policy(files, tree)
            self._known[tree] = (None if odd else loaded, (*odd, *found))
        return self._known[tree]


class Ground(Value):
    """Where in the repository everything is read: decided once for a command."""

    branch: str
    """Full name of the branch of record."""
    main: str
    """Its tip, or the commit that `--as-of` asked for."""
    introduction: str
    pinned: bool
    """Whether the user pinned the introduction; otherwise it was found in the history itself."""


def branch_of_record(repository: Repository, policies: Policies) -> tuple[str, str]:
    """The branch of record (full ref name) and its tip.

    The policy names the branch; it is read where HEAD stands, and again on the branch that it names, until a
    branch names itself: somebody's branch, checked out to look at it, cannot put another in the place of the
    branch of record. A clone that never checked the branch out has only the remote's copy, which then serves.
    """
    head = here = repository.ref("HEAD")
    named: dict[str, str] = {}
    while here is not None:
        current, _ = policies.at(here)
        tip = _tip_of(repository, current.main) if current is not None else None
        if current is None or tip is None:
            break
        if tip == here or current.main in list(named)[-1:]:
            return current.main, tip
        if current.main in named:
            raise RepositoryError(
                f"the policies of {', '.join(named)} name each other as the branch of record",
                hint="`git switch` to the branch of record",
            )
        named[current.main] = here = tip
    if named:  # its policy cannot be read, or names a branch that is not here
        return list(named.items())[-1]
    if (name := repository.head_ref()) is not None and (tip := _tip_of(repository, name)) is not None:
        return name, tip
    if head is not None:
        return "HEAD", head
    raise RepositoryError(
        "this repository has no commit yet",
        hint="`gitchange init` makes the first one, with the policy",
    )


def _tip_of(repository: Repository, branch: str) -> str | None:
    """The tip of a branch here, otherwise of a remote's copy of it."""
    short = branch.removeprefix("refs/heads/")
    places = [branch, *(f"refs/remotes/{remote}/{short}" for remote in repository.remotes())]
    return next((tip for place in places if (tip := repository.ref(place)) is not None), None)


def find_ground(
    repository: Repository, policies: Policies, *, at: str | None = None, introduction: str | None = None
) -> Ground:
    """Decide where to read: branch, commit and introduction.

    Raises UsageError when the pinned introduction is not part of the branch of record: that is another
    repository, or one whose beginning was exchanged; Refused when a merge put another beginning in its place;
    RepositoryError when the history is cut off, since nobody can tell what, or whom, it hides.
    """
    if repository.is_shallow:
        raise RepositoryError(
            "this clone is shallow: a part of the history is missing, and with it who wrote what",
            hint="`git fetch --unshallow`, or clone again from a server that has the whole history",
        )
    branch, tip = branch_of_record(repository, policies)
    main = _as_of(repository, tip, at) if at else tip
    pinned = introduction or repository.config(INTRODUCTION_KEY)
    if pinned is not None:
        known = pinned if repository.has_commit(pinned) else None
        if known is None or not repository.is_ancestor(known, main):
            raise UsageError(
                f"the pinned introduction {pinned} is no part of {branch}",
                hint="this is another repository than the one you joined, or its beginning was exchanged; "
                f"ask a colleague for the id, then `git config {INTRODUCTION_KEY} ID`",
            )
        if known not in repository.first_parents(main):
            raise Refused(
                f"the pinned introduction {pinned} is not on the first-parent line of {branch}: "
                "a merge put another beginning in its place",
                hint=f"`git log --first-parent --merges {branch}` has the merge; "
                "what stood before it is its second parent",
            )
        return Ground(branch, main, known, True)
    return Ground(branch, main, first_with_policy(repository, main), False)


def _as_of(repository: Repository, tip: str, at: str) -> str:
    """The commit of the branch of record that `--as-of` means: a revision, or the last one before a date's end."""
    try:
        moment = dt.datetime.fromisoformat(at)
    except ValueError:
        return repository.resolve(at)
    if len(at) <= len("2026-11-22"):
        moment += dt.timedelta(days=1)  # a day means all of it
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    for commit in repository.first_parents(tip):
        if repository.commit(commit).committer.time < moment:
            return commit
    raise UsageError(f"the branch of record had no commit before {at}")


def first_with_policy(repository: Repository, main: str) -> str:
    """The oldest commit on the first-parent line that has a policy folder."""
    found: str | None = None
    for commit in repository.first_parents(main):
        if repository.entry(repository.tree_of(commit), policy.ROOT) is not None:
            found = commit
        elif found is not None:
            break
    if found is None:
        raise RepositoryError(
            "this is no configuration repository: its history has no policy/ folder",
            hint="`gitchange init` makes this repository one",
        )
    return found


def settings_at(repository: Repository, commit: str) -> tuple[Settings, tuple[Finding, ...]]:
    """gitchange.toml of a commit, or the defaults."""
    entry = repository.entry(repository.tree_of(commit), settings.PATH)
    if entry is None or not entry.is_file:
        return Settings(), ()
    return settings.parse_settings(repository.blob(entry.id))


def change_files(repository: Repository, commit: str) -> Iterator[Entry]:
    """Everything below changes/ in a commit, strays included."""
    root = repository.child(repository.tree_of(commit), identifiers.ROOT)
    if root is None:
        return
    if not root.is_tree:
        yield root
        return
    yield from repository.walk(root.id, f"{identifiers.ROOT}/")


class ChangeIds(Set[str]):
    """Ids of all changes of a commit that lie where they belong.

    Whether one is there is looked up by its path, until all have been read: what one change names needs no look at
    all the others, however many they are.
    """

    def __init__(self, repository: Repository, commit: str) -> None:
        """Nothing is read so far."""
        self._repository = repository
        self._commit = commit
        self._looked_up: dict[str, bool] = {}
        self._all: frozenset[str] | None = None

    @property
    def all(self) -> frozenset[str]:
        """Every one of them, read now if they were not before."""
        if self._all is None:
            ids = (identifiers.id_of(entry.path) for entry in change_files(self._repository, self._commit))
            self._all = frozenset(change for change in ids if change is not None)
        return self._all

    def __contains__(self, change: object) -> bool:
        """Whether there is a change of that id."""
        if self._all is not None:
            return change in self._all
        if not isinstance(change, str) or not identifiers.is_id(change):
            return False
        if change not in self._looked_up:
            root = self._repository.tree_of(self._commit)
            entry = self._repository.entry(root, identifiers.path_of(change))
            self._looked_up[change] = entry is not None and not entry.is_tree
        return self._looked_up[change]

    def __iter__(self) -> Iterator[str]:
        """Every one, in no order."""
        return iter(self.all)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.all)
