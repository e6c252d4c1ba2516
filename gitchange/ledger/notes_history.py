"""Every state that the notes were in, from one pass over their history.

To look a note up in an old notes commit takes two or three folders, each of hundreds of entries. Whoever judges many
changes asks that for every sign-off (what had its signer seen, where was it witnessed), so here git tells once what
each commit changed. A history that does not say where a note went, because folders were made anew or something
strange stands in them, is looked up in the commit itself.

What the lines mean, and who may ask, is left to others.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection

from gitchange.git import program
from gitchange.git.ids import Numbers
from gitchange.ledger.notes import AS_NOTES_LIE, note_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitchange.git.repository import Repository

_NONE = -1


class NotesHistory:
    """What stood on each object in each notes commit that is reachable from some tips."""

    def __init__(self, repository: Repository, tips: Sequence[str]) -> None:
        self._repository = repository
        self._commits = Numbers()
        # The commits in chains, in each of which one is the next one's first parent; what each chain comes after.
        self._chain, self._after = array("i"), array("i")
        self._parent = array("i")
        self._parents: dict[int, tuple[int, ...]] = {}
        """Of merges."""
        # Of each object the first commit and the last change; of each change its commit, the note that it made, and
        # the object's change before it.
        self._objects, self._notes = Numbers(), Numbers()
        self._first, self._last = array("i"), array("i")
        self._where, self._note, self._before = array("i"), array("i"), array("i")
        self._merged: dict[str, list[int]] = {}
        self._read(program.strides(repository, tips))

    def __len__(self) -> int:
        """How many commits there are."""
        return len(self._commits)

    def __contains__(self, commit: object) -> bool:
        return commit in self._commits

    @property
    def objects(self) -> Iterator[str]:
        """Every object that ever had a note, once."""
        yield from self._objects
        yield from (oid for oid in self._merged if oid not in self._objects)

    def knows(self, oid: str) -> bool:
        """Whether an object ever had a note."""
        return oid in self._objects or oid in self._merged

    def reachable(self, tip: str) -> Collection[int]:
        """The numbers of a commit and its ancestors; KeyError for a commit that is unknown."""
        waiting, found = [self._commits[tip]], _Marked(len(self))
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.mark(number)
                waiting += self.parents(number)
        return found

    def steps(self, oid: str) -> Iterator[tuple[int, int, str, str]]:
        """Every commit that made another note of what a parent had: its number, the parent's, both notes."""
        for number in self.touching(oid):
            now = self._at(number, oid)
            for parent in self.parents(number):
                if (was := self._at(parent, oid)) != now:
                    yield number, parent, was, now

    def commit(self, number: int) -> str:
        """The commit of that number."""
        return self._commits.id(number)

    def number(self, commit: str) -> int:
        """The commit's number: higher than those of its ancestors."""
        return self._commits[commit]

    def parents(self, number: int) -> tuple[int, ...]:
        """The numbers of a commit's parents."""
        first = self._parent[number]
        return self._parents.get(number) or ((first,) if first != _NONE else ())

    def touching(self, oid: str) -> list[int]:
        """The numbers of the commits in which the object's note is another than in one of their parents."""
        return sorted({*self._changed(oid), *self._merged.get(oid, ())})

    def at(self, commit: str, oid: str) -> str:
        """The note on an object in a commit, as `notes.note_of` gives it; KeyError for a commit that is unknown."""
        return self._at(self._commits[commit], oid)

    def known(self, commit: str, oid: str) -> str | None:
        """The same; None for a commit that is unknown."""
        number = self._commits.find(commit)
        return None if number is None else self._at(number, oid)

    def _at(self, number: int, oid: str) -> str:
        named = self._objects.find(oid)
        while named is not None and number >= self._first[named]:
            chain, change = self._chain[number], self._last[named]
            while change != _NONE:
                place = self._where[change]
                if place <= number and self._chain[place] == chain:
                    return self._notes.id(self._note[change])
                change = self._before[change]
            number = self._after[chain]
        return ""

    def _changed(self, oid: str) -> Iterator[int]:
        """The commits that made another note of what their first parent had, the last first."""
        named = self._objects.find(oid)
        change = _NONE if named is None else self._last[named]
        while change != _NONE:
            yield self._where[change]
            change = self._before[change]

    def _read(self, strides: Iterator[program.Stride]) -> None:
        ends: dict[int, int] = {}
        pairs: list[tuple[str, str]] = []
        merges: list[int] = []
        for stride in strides:
            number = self._commits.add(stride.commit)
            parents = tuple(self._commits[parent] for parent in stride.parents)
            if len(parents) > 1:
                self._parents[number] = parents
            before = parents[0] if parents else _NONE
            self._parent.append(before)
            if before != _NONE and ends.get(self._chain[before]) == before:
                chain = self._chain[before]
            else:
                chain = len(self._after)
                self._after.append(before)
            self._chain.append(chain)
            ends[chain] = number
            self._change(number, before, stride)
            for parent in stride.parents[1:]:
                pairs.append((self._repository.tree_of(parent), self._repository.tree_of(stride.commit)))
                merges.append(number)
        for number, changed in zip(merges, program.tree_changes(self._repository, pairs), strict=True):
            for path, _, _ in changed:
                self._merged.setdefault(path.replace("/", ""), []).append(number)

    def _change(self, number: int, before: int, stride: program.Stride) -> None:
        changed: dict[str, tuple[str, str] | None] = {}
        for path, was, now in stride.changed:
            oid = path.replace("/", "")
            plain = oid not in changed and AS_NOTES_LIE.fullmatch(path)
            changed[oid] = (was, now) if plain else None
        for oid, step in changed.items():
            # Twice among the changes, or not what it was before: not the whole truth about this object.
            if step is not None and (self._at(before, oid) if before != _NONE else "") == step[0]:
                note = step[1]
            else:
                note = note_of(self._repository, self._repository.tree_of(stride.commit), oid)
            self._keep(oid, number, note)

    def _keep(self, oid: str, number: int, note: str) -> None:
        change = len(self._where)
        self._where.append(number)
        self._note.append(self._notes.add(note))
        named = self._objects.add(oid)
        if named == len(self._first):
            self._first.append(number)
            self._last.append(change)
            self._before.append(_NONE)
        else:
            self._before.append(self._last[named])
            self._last[named] = change


class _Marked(Collection[int]):
    """Some of the numbers from nought to another, a byte for each."""

    def __init__(self, count: int) -> None:
        self._marks = bytearray(count)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and 0 <= number < len(self._marks) and bool(self._marks[number])

    def __iter__(self) -> Iterator[int]:
        return (number for number, mark in enumerate(self._marks) if mark)

    def __len__(self) -> int:
        return sum(self._marks)

    def mark(self, number: int) -> None:
        """Put a number among them."""
        self._marks[number] = 1
