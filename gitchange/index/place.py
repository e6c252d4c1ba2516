"""Where the repository is and which commits its refs name, read by hand: a library would take longer to load than this.

Whatever is out of the ordinary (reftable, another owner, environment variables that move parts of a repository) is left
to those who open the repository in earnest: then nothing is said here at all.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

try:
    from _blake2 import blake2b  # hashlib loads OpenSSL to offer the same
except ImportError:
    from hashlib import blake2b

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

_SECTIONS = ("gitchange.", "remote.", "extensions.")
"""What of git's configuration an answer may rest on."""


class Place:
    """A repository on disk."""

    def __init__(self, git_dir: str, common_dir: str) -> None:
        self.git_dir = git_dir
        """The folder of this work tree's own Git files, absolute."""
        self.common_dir = common_dir
        """The folder that all its work trees share."""

    @property
    def index(self) -> str:
        """The file of the index."""
        return f"{self.common_dir}/gitchange/index.sqlite"

    def head(self) -> str | None:
        """What HEAD says, symbolic or not; None when it cannot be read."""
        return _read(f"{self.git_dir}/HEAD")

    def ref(self, name: str) -> str | None:
        """The commit that a ref names; None when there is no such ref. ValueError for what is not understood here."""
        for _ in range(6):
            folder = self.common_dir if name.startswith("refs/") else self.git_dir
            said = _read(f"{folder}/{name}")
            if said is None:
                return self._packed(name)
            if not said.startswith("ref: "):
                if len(said) not in (40, 64) or not said.isalnum():
                    raise ValueError(name)
                return said
            name = said[5:].strip()
        raise ValueError(name)

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

    def objects(self) -> str:
        """A word that changes whenever an object is added: only asked where one was missing."""
        said: list[str] = []
        for folder in ("pack", "info", *(f"{number:02x}" for number in range(256))):
            try:
                said.append(str(os.stat(f"{self.common_dir}/objects/{folder}").st_mtime_ns))
            except FileNotFoundError:
                said.append("")
        return blake2b(" ".join(said).encode()).hexdigest()

    def configuration(self, environment: Mapping[str, str]) -> str | None:
        """What git's configuration says that matters, as one word; None when git does not say."""
        said = self._listed(environment)
        return configuration_of(said) if said is not None else None

    def setting(self, key: str, environment: Mapping[str, str]) -> str | None:
        """One value of git's configuration, the last where several are given; None when unset."""
        found = None
        for entry in (self._listed(environment) or b"").split(b"\0"):
            name, _, value = entry.decode("utf-8", "surrogateescape").partition("\n")
            if name == key:
                found = value
        return found

    def _listed(self, environment: Mapping[str, str]) -> bytes | None:
        """Asked of git, as everywhere: nobody else knows all the places from which it reads.

        `subprocess` would take longer to load than git to answer.
        """
        out, into = os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        try:
            command = ("git", f"--git-dir={self.git_dir}/", "config", "--list", "--null", "--includes")
            actions: list[tuple[int, int] | tuple[int, int, int]]
            actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, into, 1)]
            actions += [(os.POSIX_SPAWN_DUP2, null, 2), (os.POSIX_SPAWN_CLOSE, out)]
            process = os.posix_spawnp("git", command, environment, file_actions=actions)
        except OSError:
            os.close(out)
            return None
        finally:
            os.close(into)
            os.close(null)
        with open(out, "rb") as answer:
            said = answer.read()
        return said if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0 else None


def configuration_of(listed: bytes) -> str:
    """What of `git config --list --null` matters, as one word."""
    wanted = tuple(section.encode() for section in _SECTIONS)
    kept = sorted(entry for entry in listed.split(b"\0") if entry.lower().startswith(wanted))
    return blake2b(b"\0".join(kept)).hexdigest()


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
    return Place(git_dir, common)


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
