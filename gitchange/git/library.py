"""libgit2, with our settings. It takes longer to load than stock git to answer: `repository` does when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from gitchange.errors import RepositoryError

# A sign-off is evidence, and may be nowhere else yet: the disk has an object before a ref names it, and the ref before
# we say that it is kept. Stock git does so for refs and packs; libgit2 only when it is told to.
pygit2.settings.enable_fsync_gitdir(True)

# Whoever reads a whole history reads an object soon again or never: to keep 256 MB of them, as libgit2 does, spares
# little, and a commit that it keeps takes ten times its size. Packs are looked at through windows, of which only so
# many bytes are open at once: otherwise all of a pack that was ever looked at counts as this process's memory.
pygit2.settings.cache_max_size(4 << 20)
pygit2.settings.mwindow_size = 8 << 20
pygit2.settings.mwindow_mapped_limit = 64 << 20


def opened(directory: Path, objects: Sequence[Path] = ()) -> pygit2.Repository:
    """The repository that holds a folder, read also from further folders of objects; RepositoryError for none."""
    try:
        found = pygit2.discover_repository(str(directory))
        if found is None:
            raise KeyError(directory)
        handle = pygit2.Repository(found)
        for folder in objects:
            handle.odb.add_disk_alternate(str(folder))
        return handle
    except (KeyError, pygit2.GitError) as error:
        detail = f": {error}" if isinstance(error, pygit2.GitError) else ""
        if "not owned by" in detail:
            raise RepositoryError(
                f"git does not trust {directory}, because another account owns it",
                hint=f"if you trust it: git config --global --add safe.directory {directory.resolve()}",
            ) from None
        raise RepositoryError(
            f"{directory} is not in a Git repository{detail}",
            hint="go to a configuration repository, use -C DIR, or make one with `gitchange init`",
        ) from None


def made(workshop: Path, branch: str) -> pygit2.Repository:
    """A new repository in a folder, its first branch not yet born."""
    return pygit2.init_repository(str(workshop), initial_head=branch)


def index(file: Path) -> pygit2.Index:
    """An index; WriteError comes of one that libgit2 cannot read."""
    return pygit2.Index(str(file))


def index_entry(path: str, oid: str, mode: int) -> pygit2.IndexEntry:
    """What an index says of a file."""
    return pygit2.IndexEntry(path, pygit2.Oid(hex=oid), FileMode(mode))
