"""The folder of a site, brought up to date: only what differs is written, and what the site no longer has is removed.

A list that is kept with the output says from what each page was made (`Planned.inputs`), so that the pages of a
hundred thousand changes need neither be made again nor read. The result is the same to the byte as one that is written
from nothing: whatever is not named while it is brought up to date goes. Files are replaced, never written into: another
folder may share them (hard links), and a web server may be reading them.
"""

from __future__ import annotations

import os
from collections.abc import Container
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from gitchange.site import urls


class Output:
    """A site's folder while it is brought up to date."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        """How many files were written."""
        self.removed = 0
        """How many files were removed."""
        self._inputs: dict[str, str] = {}
        self._named: set[str] = set()
        self._trusted = True
        self._folders: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._there = frozenset(_files(str(folder), ""))
        self._list = folder / urls.PAGES
        self._before = _read_list(self._list)

    def has(self, name: str, inputs: str) -> bool:
        """Whether the file is there and was made from these inputs; then it stays."""
        if self._before.get(name) != inputs or name not in self._there:
            return False
        self._named.add(name)
        self._inputs[name] = inputs
        return True

    def keeps(self, folder: str, inputs: str) -> list[str] | None:
        """The names of the files in a folder, which stay; None unless all were made from these inputs."""
        names = self._by_folder.get(folder, [])
        if not names or not all(self.has(f"{folder}/{name}", inputs) for name in names):
            return None
        return names

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        """The names of the files that were listed, by their folder."""
        found: dict[str, list[str]] = {}
        for path in self._before:
            folder, _, name = path.rpartition("/")
            found.setdefault(folder, []).append(name)
        return found

    def put(self, name: str, data: bytes, inputs: str | None = None) -> None:
        """The file has this content; it is written where it has not yet."""
        self.note(name, inputs, written=self.write(name, data))

    def write(self, name: str, data: bytes) -> bool:
        """Write a file without noting it (another process may note it); False where nothing had to be written."""
        path = f"{self.folder}/{name}"
        if name in self._there:
            with suppress(FileNotFoundError), open(path, "rb") as file:
                if file.read() == data:
                    return False
        else:
            parent = os.path.dirname(name)
            if parent not in self._folders:
                os.makedirs(f"{self.folder}/{parent}", exist_ok=True)
                self._folders.add(parent)
        if self._trusted:
            # A list that is there describes what is there, also when we are killed half-way.
            self._list.unlink(missing_ok=True)
            self._trusted = False
        beside = f"{path}.new" if name in self._there else path
        with open(beside, "wb") as file:
            file.write(data)
        if beside != path:
            os.replace(beside, path)
        return True

    def note(self, name: str, inputs: str | None, *, written: bool) -> None:
        """A file has its content."""
        self._named.add(name)
        self.written += written
        if inputs is not None:
            self._inputs[name] = inputs

    def take_from(self, folder: Path, leaving_out: Container[str]) -> None:
        """Every file of another folder belongs to the site, but for those names."""
        for name in sorted(_files(str(folder), "")):
            if name not in leaving_out:
                self.put(name, (folder / name).read_bytes())

    def keep_rest(self) -> None:
        """Whatever is in the folder already belongs to the site: somebody has just built it there."""
        self._named |= self._there

    def finish(self) -> None:
        """Keep the list of inputs, and remove what nobody named; how rebuilds went is told by others."""
        listed = "".join(f"{self._inputs[name]} {name}\n" for name in sorted(self._inputs))
        self.put(urls.PAGES, listed.encode())
        for name in sorted(self._there - self._named - {*urls.RUNS}):
            os.unlink(f"{self.folder}/{name}")
            self.removed += 1
            parent = os.path.dirname(name)
            while parent and not os.listdir(f"{self.folder}/{parent}"):
                os.rmdir(f"{self.folder}/{parent}")
                parent = os.path.dirname(parent)


def _files(folder: str, prefix: str) -> list[str]:
    """The names of all files below a folder, relative to it."""
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += _files(entry.path, f"{prefix}{entry.name}/")
            else:
                found.append(f"{prefix}{entry.name}")
    return found


def _read_list(path: Path) -> dict[str, str]:
    """From what each page was made; nothing where there is no such list, or none that can be read."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition(" ") for line in lines)
    return {name: inputs for inputs, _, name in pairs if name}
