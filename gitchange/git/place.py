"""Where the repository is and which commits its refs name, read by hand: a library would take longer to load than this.

Whatever is out of the ordinary (reftable, another owner, environment variables that move parts of a repository) is left
to those who open the repository in earnest: then nothing is said here at all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from gitchange.git import pipes

_ELSEWHERE = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
)
"""Variables with which git works on another repository than the folder's, or on more than it."""

_OBJECT = frozenset("0123456789abcdef")


class Place:
    """A repository on disk."""

    def __init__(self, git_dir: str, common_dir: str, around: str = "") -> None:
        self.git_dir = git_dir
        """The folder of this work tree's own Git files, absolute."""
        self.common_dir = common_dir
        """The folder that all its work trees share."""
        self.around = around
        """The folder whose `.git` it is, or points there; empty where it was found by itself, as a bare one is."""

    def head(self) -> str | None:
        """What HEAD says, symbolic or not; None when it cannot be read."""
        return _read(f"{self.git_dir}/HEAD")

    def ref(self, name: str) -> str | None:
        """The commit that a ref names; None when there is no such ref. ValueError for what is not understood here."""
        for _ in range(6):
            said = self._loose(name)
            if said is None:
                return self._packed(name)
            if not said.startswith("ref: "):
                if len(said) not in (40, 64) or not _OBJECT.issuperset(said):
                    raise ValueError(name)
                return said
            name = said[5:].strip()
        raise ValueError(name)

    def alias(self, name: str) -> str | None:
        """The ref that another one names instead of a commit; None when it names a commit, or is not here."""
        said = self._loose(name)
        if said is not None and said.startswith("ref: "):
            return said[5:].strip()
        if said is None or (len(said) in (40, 64) and _OBJECT.issuperset(said)):
            return None
        raise ValueError(name)

    def _loose(self, name: str) -> str | None:
        folder = self.common_dir if name.startswith("refs/") else self.git_dir
        return _read(f"{folder}/{name}")

    def _packed(self, name: str) -> str | None:
        try:
            with open(f"{self.common_dir}/packed-refs", "rb") as file:
                packed = file.read()
        except FileNotFoundError:
            return None
        at = packed.find(b" " + name.encode() + b"\n")
        if at < 0:
            return None
        return packed[packed.rfind(b"\n", 0, at) + 1 : at].decode("ascii")

    @property
    def is_cut_off(self) -> bool:
        """Whether the clone is shallow, or has grafts."""
        return any(os.path.exists(f"{self.common_dir}/{name}") for name in ("shallow", "info/grafts"))

    def setting(self, key: str, environment: Mapping[str, str]) -> str | None:
        """One value of git's configuration, the last where several are given; None when unset."""
        found = None
        for entry in (self.listed(environment) or b"").split(b"\0"):
            name, _, value = entry.decode("utf-8", "surrogateescape").partition("\n")
            if name == key:
                found = value
        return found

    def listed(self, environment: Mapping[str, str]) -> bytes | None:
        """What `git config --list --null` says; None when git does not say.

        Asked of git, as everywhere: nobody else knows all the places from which it reads.
        """
        command = ("git", f"--git-dir={self.git_dir}/", "config", "--list", "--null", "--includes")
        code, said = pipes.finished(command, environment)
        return said if code == 0 else None


def find(directory: str, environment: Mapping[str, str]) -> Place | None:
    """The repository that holds a folder; None when there is none, or one that needs a closer look."""
    if any(name in environment for name in _ELSEWHERE):
        return None
    try:
        here = os.path.realpath(directory)
        device = os.stat(here).st_dev
        while True:
            git_dir = _git_dir(here)
            if git_dir is not None:
                break
            above = os.path.dirname(here)
            if above == here or os.stat(above).st_dev != device:
                return None
            here = above
        pointer = _read(f"{git_dir}/commondir")
        common = os.path.realpath(os.path.join(git_dir, pointer)) if pointer is not None else git_dir
        # Another's repository is for git to trust or not to trust (safe.directory).
        mine = os.geteuid()
        owned = os.stat(git_dir).st_uid == mine and os.stat(here).st_uid == mine
    except OSError:
        return None
    if not owned or os.path.isdir(f"{common}/reftable"):
        return None
    return Place(git_dir, common, here if git_dir != here else "")


def _git_dir(folder: str) -> str | None:
    """The Git folder that a folder has or is."""
    inside = f"{folder}/.git"
    if os.path.isdir(inside):
        return inside
    if os.path.isfile(inside):
        said = _read(inside) or ""
        return os.path.realpath(os.path.join(folder, said[8:])) if said.startswith("gitdir: ") else None
    is_one = all(os.path.exists(f"{folder}/{name}") for name in ("HEAD", "objects", "refs"))
    return folder if is_one else None


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise ValueError(path) from None
