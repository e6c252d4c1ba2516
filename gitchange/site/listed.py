"""The list of a site's files, kept with them: from what each was made, and from what all of them.

Its first line names what the site was made with and of which state of the repository; each further line is about one
file, in the order of their names: what the file was made from (`-` where making it is the way to see), and its name. A
hundred thousand lines are looked up by bisection and changed in place, and not taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from gitchange.values import Value

_UNKNOWN = "-"
_OPAQUE = re.compile(rb"^- (.*)$", re.MULTILINE)
_FOLDERS = re.compile(rb"^\S+ (.*)/[^/\n]*$", re.MULTILINE)


class Basis(Value):
    """What a whole site was made from."""

    frame: str
    """Names program, theme, policy and whatever else is on every page."""
    content: str
    """Names what is known of all changes (`gitchange.index.lists.content`)."""
    now: int
    """The moment that it is about, in seconds since 1970."""


class Listed:
    """A list that was read."""

    def __init__(self, text: bytes = b"") -> None:
        """Of a list's text; one that cannot be understood has nothing."""
        head, _, rest = text.partition(b"\n")
        self.basis = _basis(head)
        self._text = rest if self.basis is not None else b""

    def inputs(self, name: str) -> str | None:
        """From what a file was made; None where it is not listed, empty where that is not told."""
        start, end, found = self._line(_key(name))
        return _pair(self._text[start : end - 1])[1] if found else None

    def beginning(self, prefix: str) -> list[str]:
        """The names of all files whose names begin so, in order."""
        start, end = self._region(prefix)
        return [_pair(line)[0] for line in self._text[start:end].split(b"\n")[:-1]]

    def has_below(self, folder: str) -> bool:
        """Whether there are files below a folder."""
        start, end = self._region(f"{folder}/")
        return start < end

    @cached_property
    def opaque(self) -> frozenset[str]:
        """The names of files of which is not told from what they were made."""
        return frozenset(_name(key) for key in _OPAQUE.findall(self._text))

    def folders(self, large: str) -> set[str]:
        """The folders of all files and their folders; one is known to be `large` and to have no others in it."""
        start, end = self._region(f"{large}/")
        found = {_name(key) for key in _FOLDERS.findall(self._text[:start] + self._text[end:])}
        found |= {large} if end > start else set()
        for folder in [*found]:
            while folder := folder.rpartition("/")[0]:
                found.add(folder)
        return found

    def told(self) -> dict[str, str]:
        """From what each file was made."""
        return dict(map(_pair, self._text.split(b"\n")[:-1]))

    def changed(self, basis: Basis, changes: Mapping[str, str | None]) -> bytes:
        """The text of the list with other inputs for some names; with None a name is no longer in it."""
        pieces = [_head(basis)]
        position = 0
        for key, inputs in sorted((_key(name), inputs) for name, inputs in changes.items()):
            start, end, found = self._line(key)
            pieces.append(self._text[position:start])
            if inputs is not None:
                pieces.append(_line(key, inputs))
            position = end if found else start
        pieces.append(self._text[position:])
        return b"".join(pieces)

    def _region(self, prefix: str) -> tuple[int, int]:
        """Where the lines with names that begin so begin and end; the prefix ends with a plain character."""
        start, _, _ = self._line(_key(prefix))
        end, _, _ = self._line(_key(prefix[:-1] + chr(ord(prefix[-1]) + 1)))
        return start, end

    def _line(self, key: bytes) -> tuple[int, int, bool]:
        """Where the line with that key is, with its end, or where it would be."""
        text, low, high = self._text, 0, len(self._text)
        while low < high:
            middle = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = text.index(b"\n", middle) + 1
            here = text[middle : end - 1].partition(b" ")[2]
            if here == key:
                return middle, end, True
            if here < key:
                low = end
            else:
                high = middle
        return low, low, False


def text_of(basis: Basis, inputs: Mapping[str, str]) -> bytes:
    """The text of a list."""
    lines = sorted((_key(name), said) for name, said in inputs.items())
    return b"".join([_head(basis), *(_line(key, said) for key, said in lines)])


def _key(name: str) -> bytes:
    """A name as it stands in a line."""
    for character in "%\n":
        name = name.replace(character, f"%{ord(character):02x}")
    return name.encode("utf-8", "surrogateescape")


def _name(key: bytes) -> str:
    name = key.decode("utf-8", "surrogateescape")
    return name.replace("%0a", "\n").replace("%25", "%") if "%" in name else name


def _pair(line: bytes) -> tuple[str, str]:
    """Name and inputs, from a line without its end."""
    inputs, _, key = line.partition(b" ")
    return _name(key), "" if inputs == _UNKNOWN.encode() else inputs.decode("ascii", "replace")


def _line(key: bytes, inputs: str) -> bytes:
    return b"%b %b\n" % ((inputs or _UNKNOWN).encode(), key)


def _head(basis: Basis) -> bytes:
    return f"{basis.frame} {basis.content} {basis.now}\n".encode()


def _basis(line: bytes) -> Basis | None:
    parts = line.split(b" ")
    if len(parts) != 3 or not all(part.isalnum() for part in parts) or not parts[2].isdigit():
        return None
    return Basis(parts[0].decode(), parts[1].decode(), int(parts[2]))
