"""The histories of many files in little memory.

A commit's persons are few, its words are short, and its ids are kept as bytes: about 200 bytes for each commit of one
file, where a `Touch` takes 600. A `Touch` is made when it is asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from gitchange.git.ids import Numbers
from gitchange.git.program import Touch
from gitchange.git.repository import moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NONE = -1


class Histories(Mapping[str, Sequence[Touch]]):
    """Path -> the commits that touched the file, in the order in which they were given."""

    def __init__(self, touches: Iterable[Touch]) -> None:
        self._paths: dict[str, int] = {}
        self._newest, self._oldest = array("i"), array("i")
        # Of each touch: its commit, its blob, and the next touch of the same file.
        self._commit, self._blob, self._next = array("i"), array("i"), array("i")
        self._commits, self._blobs = Numbers(), Numbers()
        # Of each commit: who wrote it, when, and where its subject ends.
        self._who, self._when, self._subject = array("i"), array("q"), array("q")
        self._persons: dict[tuple[str, str, tuple[str, ...]], int] = {}
        self._person: list[tuple[str, str, tuple[str, ...]]] = []
        self._subjects = bytearray()
        for touch in touches:
            self._add(touch)

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __getitem__(self, path: str) -> tuple[Touch, ...]:
        number = self._newest[self._paths[path]]
        found: list[Touch] = []
        while number != _NONE:
            found.append(self._touch(path, number))
            number = self._next[number]
        return tuple(found)

    def first(self, path: str) -> Touch:
        """The last touch that was given of a file: its oldest; KeyError when it has none."""
        return self._touch(path, self._oldest[self._paths[path]])

    def shared(self) -> dict[str, set[str]]:
        """The blobs that more than one file has had, each with the paths."""
        owner = array("i", [_NONE]) * len(self._blobs)
        paths: dict[str, set[str]] = {}
        names = list(self._paths)
        for number, path in enumerate(names):
            touch = self._newest[number]
            while touch != _NONE:
                blob, touch = self._blob[touch], self._next[touch]
                if owner[blob] == _NONE:
                    owner[blob] = number
                elif owner[blob] != number and (oid := self._blobs.id(blob)):
                    paths.setdefault(oid, {names[owner[blob]]}).add(path)
        return paths

    def _add(self, touch: Touch) -> None:
        number = len(self._next)
        commit = self._commits.add(touch.commit)
        if commit == len(self._who):
            who = touch.author_name, touch.author_email, touch.co_authors
            if (person := self._persons.setdefault(who, len(self._person))) == len(self._person):
                self._person.append(who)
            self._who.append(person)
            self._when.append(int(touch.time.timestamp()))
            self._subjects += touch.subject.encode()
            self._subject.append(len(self._subjects))
        self._commit.append(commit)
        self._blob.append(self._blobs.add(touch.blob))
        self._next.append(_NONE)
        path = self._paths.setdefault(touch.path, len(self._newest))
        if path == len(self._newest):
            self._newest.append(number)
            self._oldest.append(number)
        else:
            self._next[self._oldest[path]] = number
            self._oldest[path] = number

    def _touch(self, path: str, number: int) -> Touch:
        commit = self._commit[number]
        subject = self._subjects[self._subject[commit - 1] if commit else 0 : self._subject[commit]]
        return Touch(
            self._commits.id(commit),
            *self._person[self._who[commit]],
            moment(self._when[commit]),
            subject.decode(),
            path,
            self._blobs.id(self._blob[number]),
        )
