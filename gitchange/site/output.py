"""The folder of a site, brought up to date: only what differs is written, and what the site no longer has is removed.

A list that is kept with the output (`listed`) says from what each file was made, so that the pages of a hundred
thousand changes need neither be made again nor read. The result is the same to the byte as one that is written from
nothing: whatever is not named while it is brought up to date goes. Files are replaced, never written into: another
folder may share them (hard links), and a web server may be reading them.

Where all that a site was made from is known, only what differs from that need be named (`go_on`): the rest stays
without being looked at, as long as no folder was changed after the list was written.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Container
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from gitchange.site import urls
from gitchange.site.listed import Basis, Listed, text_of

_LARGE = "changes"
"""The folder with the pages of the changes, which has no other folders."""


class Output:
    """A site's folder while it is brought up to date."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        """How many files were written."""
        self.removed = 0
        """How many files were removed."""
        self.goes_on = False
        """Whether what is not named stays."""
        self._noted: dict[str, str] = {}
        self._dropped: set[str] = set()
        self._trusted = True
        self._folders: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._list = folder / urls.PAGES
        self._before = Listed(_read(self._list))

    @property
    def basis(self) -> Basis | None:
        """What the site in the folder was made from; None where that is not known."""
        return self._before.basis

    @cached_property
    def _there(self) -> frozenset[str]:
        """Every file that is there."""
        return frozenset(_files(str(self.folder), ""))

    @cached_property
    def _told(self) -> dict[str, str]:
        """The list, taken apart."""
        return self._before.told()

    def go_on(self) -> bool:
        """Let everything stay that is listed with inputs and not named from here on; False where that cannot be.

        Then somebody else may have added files or removed some: that changes the folders that have them.
        """
        if self.basis is None:
            return False
        try:
            listed = self._list.stat().st_mtime_ns
            folders = self._before.folders(_LARGE)
            self.goes_on = self._root_is_as_listed() and all(
                os.stat(f"{self.folder}/{name}").st_mtime_ns <= listed for name in folders
            )
        except OSError:
            self.goes_on = False
        return self.goes_on

    def _root_is_as_listed(self) -> bool:
        """Whether the files in the topmost folder are those that are listed; others come and go there too."""
        with os.scandir(self.folder) as entries:
            there = {entry.name for entry in entries}
        folders = {name for name in there if self._before.has_below(name)}
        mine = {urls.PAGES, *urls.RUNS}
        return all(self._before.inputs(name) is not None for name in there - folders - mine) and not any(
            name not in there for name in self._before.opaque if "/" not in name
        )

    def inputs_of(self, name: str) -> str | None:
        """From what a file that stays was made; None where the site does not go on from there, or does not have it."""
        return (self._before.inputs(name) or None) if self.goes_on else None

    def below(self, folder: str) -> list[str]:
        """The listed files below a folder."""
        return self._before.beginning(f"{folder}/")

    def has(self, name: str, inputs: str) -> bool:
        """Whether the file is there and was made from these inputs; then it stays."""
        if self.goes_on:
            there = self._before.inputs(name) == inputs
        else:
            there = self._told.get(name) == inputs and name in self._there
        if there:
            self._noted[name] = inputs
        return there

    def keeps(self, folder: str, inputs: str) -> list[str] | None:
        """The names of the files in a folder, which stay; None unless all were made from these inputs."""
        names = self.below(folder)
        if not names or not all(self.has(name, inputs) for name in names):
            return None
        return [name[len(folder) + 1 :] for name in names]

    def read(self, name: str) -> bytes | None:
        """What is in a file that the site goes on from; None where it does not."""
        return _read(self.folder / name) if self.inputs_of(name) else None

    def only(self, prefix: str, names: Container[str]) -> None:
        """Of what is listed with names that begin so, only this goes on."""
        for name in self._before.beginning(prefix):
            if name not in names:
                self.drop(name)

    def drop(self, name: str) -> None:
        """The site has that file no longer."""
        if self.goes_on and name not in self._noted:
            self._dropped.add(name)

    def put(self, name: str, data: bytes, inputs: str = "") -> None:
        """The file has this content; it is written where it has not yet."""
        self.note(name, inputs, written=self.write(name, data))

    def _is_there(self, name: str) -> bool:
        if self.goes_on:
            return os.path.lexists(f"{self.folder}/{name}")
        return name in self._there

    def write(self, name: str, data: bytes) -> bool:
        """Write a file without noting it (another process may note it); False where nothing had to be written."""
        path = f"{self.folder}/{name}"
        there = self._is_there(name)
        if there:
            with suppress(FileNotFoundError), open(path, "rb") as file:
                if file.read() == data:
                    return False
        else:
            parent = os.path.dirname(name)
            if parent not in self._folders:
                os.makedirs(f"{self.folder}/{parent}", exist_ok=True)
                self._folders.add(parent)
        self._distrust()
        beside = f"{path}.new" if there else path
        with open(beside, "wb") as file:
            file.write(data)
        if beside != path:
            os.replace(beside, path)
        return True

    def _distrust(self) -> None:
        """A list that is there describes what is there, also when we are killed half-way."""
        if self._trusted:
            self._list.unlink(missing_ok=True)
            self._trusted = False

    def note(self, name: str, inputs: str, *, written: bool) -> None:
        """A file has its content."""
        self._noted[name] = inputs
        self.written += written

    def take_from(self, folder: Path, leaving_out: Container[str]) -> None:
        """Every file of another folder belongs to the site, but for those names."""
        for name in sorted(_files(str(folder), "")):
            if name not in leaving_out:
                self.put(name, (folder / name).read_bytes())

    def keep_rest(self) -> None:
        """Whatever is in the folder already belongs to the site: somebody has just built it there."""
        self._noted |= dict.fromkeys(self._there, "")

    def finish(self, basis: Basis) -> None:
        """Remove what nobody named, and keep the list; how rebuilds went is told by others."""
        self._noted.pop(urls.PAGES, None)
        if self.goes_on:
            gone = (self._before.opaque | self._dropped) - self._noted.keys()
            listed = self._before.changed(basis, {**self._noted, **dict.fromkeys(gone)})
        else:
            gone = self._there - self._noted.keys() - {urls.PAGES}
            listed = text_of(basis, self._noted)
        self._remove(gone - {*urls.RUNS})
        if not self._trusted or _read(self._list) != listed:
            beside = self.folder / f"{urls.PAGES}.new"
            beside.write_bytes(listed)
            beside.replace(self._list)  # half a list would be taken for a whole one
            self.written += 1

    def _remove(self, names: Collection[str]) -> None:
        for name in sorted(names):
            self._distrust()
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


def _read(path: Path) -> bytes:
    """What is in a file; nothing where there is none, or none that can be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
