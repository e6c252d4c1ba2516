"""What an answer of the index rests on beside its rows: refs, configuration and objects, found without a library.

Where the repository is and what its refs say is told by `git.place`.
"""

from __future__ import annotations

import os

from gitchange.git import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitchange.git.repository import Repository

try:
    from _blake2 import blake2b  # hashlib loads OpenSSL to offer the same
except ImportError:
    from hashlib import blake2b

_SECTIONS = ("gitchange.", "remote.", "extensions.")
"""What of git's configuration an answer may rest on."""


class Place(place.Place):
    """A repository on disk, and its index."""

    @property
    def index(self) -> str:
        """The file of the index."""
        return f"{self.common_dir}/gitchange/index.sqlite"

    def objects(self) -> str:
        """A word that changes whenever an object is added: only asked where one was missing."""
        said: list[str] = []
        for folder in ("pack", "info", *(f"{number:02x}" for number in range(256))):
            try:
                said.append(str(os.stat(f"{self.common_dir}/objects/{folder}").st_mtime_ns))
            except FileNotFoundError:
                said.append("")
        return digest(" ".join(said).encode())

    def configuration(self, environment: Mapping[str, str]) -> str | None:
        """What git's configuration says that matters, as one word; None when git does not say."""
        said = self.listed(environment)
        return configuration_of(said) if said is not None else None


def digest(data: bytes) -> str:
    """What names these bytes."""
    return blake2b(data, digest_size=12).hexdigest()


def configuration_of(listed: bytes) -> str:
    """What of `git config --list --null` matters, as one word."""
    wanted = tuple(section.encode() for section in _SECTIONS)
    kept = sorted(entry for entry in listed.split(b"\0") if entry.lower().startswith(wanted))
    return digest(b"\0".join(kept))


def find(directory: str, environment: Mapping[str, str]) -> Place | None:
    """The repository that holds a folder; None when there is none, or one that needs a closer look."""
    found = place.find(directory, environment)
    return Place(found.git_dir, found.common_dir) if found is not None else None


def place_of(repository: Repository) -> Place:
    """The place of a repository that is open."""
    return Place(str(repository.git_dir).rstrip("/"), str(repository.common_dir).rstrip("/"))
