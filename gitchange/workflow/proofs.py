"""Git objects that prove what stands in a commit: each is named by its hash, and names those below it.

A commit names its folder, a folder what it holds. So whoever knows a commit's id can check, from the objects on the
way alone, which bytes stand at a path in it: hash them again, and follow the names. Each is kept as git hashes it, with
its header, so that `sha1sum` gives its id. What is to be proved, the caller says.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.git.repository import Entry, Repository


class Proofs:
    """Objects of a repository, each once."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.files: dict[str, bytes] = {}
        """`objects/KIND/ID` and the bytes that hash to the id."""
        self._known: set[str] = set()

    def add(self, oid: str) -> None:
        """One object; RepositoryError when it is missing."""
        if oid not in self._known:
            self._known.add(oid)
            kind, data = self.repository.raw(oid)
            self.files[f"objects/{kind}/{oid}"] = b"%b %d\0%b" % (kind.encode(), len(data), data)

    def path(self, commit: str, path: str) -> Entry | None:
        """What stands at a path in a commit, or that nothing does: the commit and every folder on the way."""
        self.add(commit)
        tree: str | None = self.repository.tree_of(commit)
        found: Entry | None = None
        for name in path.split("/"):
            if tree is None:
                return None
            self.add(tree)
            found = self.repository.named(tree, name)
            tree = found.id if found is not None and found.is_tree else None
        return found

    def folder(self, tree: str) -> None:
        """All folders at and below one."""
        self.add(tree)
        for entry in self.repository.entries(tree):
            if entry.is_tree:
                self.folder(entry.id)

    def note(self, commit: str, oid: str) -> None:
        """The note on an object in a notes commit, at whatever depth of fan-out, or that there is none."""
        self.add(commit)
        tree: str | None = self.repository.tree_of(commit)
        rest = oid
        while tree is not None:
            self.add(tree)
            whole, below = self.repository.named(tree, rest), self.repository.named(tree, rest[:2])
            if whole is not None and whole.is_blob:
                self.add(whole.id)
            tree, rest = below.id if below is not None and below.is_tree else None, rest[2:]
