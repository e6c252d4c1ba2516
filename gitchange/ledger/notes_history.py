"""Every state that the notes were in, from one pass over their history.

To look a note up in an old notes commit takes two or three folders, each of hundreds of entries. Whoever judges many
changes asks that for every sign-off (what had its signer seen, where was it witnessed), so here git tells once what
each commit changed. A history that does not say where a note went, because folders were made anew or something
strange stands in them, is looked up in the commit itself.

What the lines mean, and who may ask, is left to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gitchange.git import program
from gitchange.git.repository import Repository
from gitchange.ledger.notes import AS_NOTES_LIE, note_of


class NotesHistory:
    """What stood on each object in each notes commit that is reachable from some tips."""

    def __init__(self, repository: Repository, tips: Sequence[str]) -> None:
        self._repository = repository
        self._numbers: dict[str, int] = {}
        self._commits: list[str] = []
        # The commits in chains, in each of which one is the next one's first parent.
        self._chain: list[int] = []
        self._begins: list[int] = []
        self._after: list[int] = []
        self._parents: list[tuple[int, ...]] = []
        self._changes: dict[str, list[tuple[int, str]]] = {}
        self._merged: dict[str, list[int]] = {}
        self._read(program.strides(repository, tips))

    def __len__(self) -> int:
        """How many commits there are."""
        return len(self._commits)

    def __contains__(self, commit: object) -> bool:
        return commit in self._numbers

    @property
    def objects(self) -> Iterable[str]:
        """Every object that ever had a note."""
        return self._changes.keys() | self._merged.keys()

    def reachable(self, tip: str) -> set[int]:
        """The numbers of a commit and its ancestors; KeyError for a commit that is unknown."""
        waiting, found = [self._numbers[tip]], set[int]()
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting += self._parents[number]
        return found

    def steps(self, oid: str) -> Iterator[tuple[int, int, str, str]]:
        """Every commit that made another note of what a parent had: its number, the parent's, both notes."""
        for number in self.touching(oid):
            now = self._at(number, oid)
            for parent in self._parents[number]:
                if (was := self._at(parent, oid)) != now:
                    yield number, parent, was, now

    def commit(self, number: int) -> str:
        """The commit of that number."""
        return self._commits[number]

    def number(self, commit: str) -> int:
        """The commit's number: higher than those of its ancestors."""
        return self._numbers[commit]

    def parents(self, number: int) -> tuple[int, ...]:
        """The numbers of a commit's parents."""
        return self._parents[number]

    def touching(self, oid: str) -> list[int]:
        """The numbers of the commits in which the object's note is another than in one of their parents."""
        return sorted({number for number, _ in self._changes.get(oid, ())}.union(self._merged.get(oid, ())))

    def at(self, commit: str, oid: str) -> str:
        """The note on an object in a commit, as `notes.note_of` gives it; KeyError for a commit that is unknown."""
        return self._at(self._numbers[commit], oid)

    def _at(self, number: int, oid: str) -> str:
        changes = self._changes.get(oid)
        while changes and number >= changes[0][0]:
            chain = self._chain[number]
            for place, note in reversed(changes):
                if place <= number and self._chain[place] == chain:
                    return note
            number = self._after[chain]
        return ""

    def _read(self, strides: Iterator[program.Stride]) -> None:
        ends: dict[int, int] = {}
        pairs: list[tuple[str, str]] = []
        merges: list[int] = []
        for stride in strides:
            number = len(self._commits)
            self._commits.append(stride.commit)
            self._numbers[stride.commit] = number
            parents = tuple(self._numbers[parent] for parent in stride.parents)
            self._parents.append(parents)
            before = parents[0] if parents else -1
            if before >= 0 and ends.get(self._chain[before]) == before:
                chain = self._chain[before]
            else:
                chain = len(self._begins)
                self._begins.append(number)
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
            if step is not None and (self._at(before, oid) if before >= 0 else "") == step[0]:
                note = step[1]
            else:
                note = note_of(self._repository, self._repository.tree_of(stride.commit), oid)
            self._changes.setdefault(oid, []).append((number, note))
