"""The notes that hold the sign-offs: one note for each signed text, one line for each sign-off.

Ref and format live here and nowhere else. A note is the sorted set of its lines: that spelling makes
the union of two clones' notes the same whoever unites them (and the same as git's own
`cat_sort_uniq`). Readers accept every order and every depth of fan-out, mixed; writers keep git's.
"""

from __future__ import annotations

import re
from functools import cached_property, partial

from gitchange.git.ids import Table
from gitchange.git.repository import FILE, TREE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gitchange.git.repository import Person, Repository

REF = "refs/notes/gitchange/approvals"


def split(note: bytes) -> tuple[bytes, ...]:
    """The lines of a note, blank ones included: they are findings, not nothing."""
    if not note:
        return ()
    return tuple(note.removesuffix(b"\n").split(b"\n"))


def join(lines: Iterable[bytes]) -> bytes:
    """The note that holds these lines: sorted, each once, each ended by LF."""
    return b"".join(line + b"\n" for line in sorted(set(lines)))


class Notes:
    """The notes as one notes commit holds them; immutable."""

    def __init__(
        self,
        repository: Repository,
        commit: str | None,
        look_up: Callable[[str, str], tuple[bytes, ...] | None] | None = None,
        lines_of_note: Callable[[str], tuple[bytes, ...]] | None = None,
    ) -> None:
        """`look_up` knows the lines on an object in a notes commit without looking there, or does not (None).

        `lines_of_note` takes a note apart as `lines_of` does.
        """
        self._repository = repository
        self._lines_of = lines_of_note or partial(lines_of, repository)
        self.commit = commit
        self._look_up = look_up
        self._notes: Table | None = None

    @cached_property
    def _tree(self) -> str | None:
        return self._repository.tree_of(self.commit) if self.commit else None

    def lines(self, oid: str) -> tuple[bytes, ...]:
        """All lines on an object, wherever in the fan-out they stand."""
        if self._notes is not None:
            return self._lines_of(self._notes.get(oid))
        if self.commit and self._look_up and (lines := self._look_up(self.commit, oid)) is not None:
            return lines
        return self._lines_of(note_of(self._repository, self._tree, oid))

    def read_all(self) -> None:
        """Look into every folder once, so that `lines` need not: for whoever asks about most objects."""
        if self._notes is None and self._tree is not None:
            found = Table()
            repeated: set[str] = set()
            for entry in self._repository.walk(self._tree):
                if entry.is_blob and AS_NOTES_LIE.fullmatch(entry.path):
                    oid = entry.path.replace("/", "")
                    if oid in found:
                        repeated.add(oid)
                    else:
                        found.put(oid, entry.id)
            for oid in repeated:
                found.put(oid, note_of(self._repository, self._tree, oid))
            self._notes = found

    def all(self) -> Iterator[tuple[str, tuple[bytes, ...]]]:
        """Every annotated object with its lines; a path that names no object is given as it is."""
        for oid, note in self.kept():
            yield oid, self._lines_of(note)

    def kept(self) -> Iterator[tuple[str, str]]:
        """The same with the ids of the blobs, cut by blanks."""
        if self._tree is None:
            return
        gathered = Table()
        for entry in self._repository.walk(self._tree):
            oid = entry.path.replace("/", "")
            note = gathered.get(oid)
            if entry.is_blob:  # a submodule has no bytes here
                note = f"{note} {entry.id}".lstrip()
            gathered.put(oid, note)
        yield from gathered.items()


AS_NOTES_LIE = re.compile(r"(?:[^/]{2}/)*[^/]+")
"""Paths at which a note is looked for: folders of two characters, then the rest of the object's id."""


def note_of(repository: Repository, tree: str | None, oid: str) -> str:
    """The ids of the blobs that are the note on an object, cut by blanks: usually one, empty when there is none.

    It is looked for at every depth of fan-out; what stands less deep comes first.
    """
    found: list[str] = []
    rest = oid
    while tree is not None:
        whole, below = repository.named(tree, rest), repository.named(tree, rest[:2])
        if whole is not None and whole.is_blob:
            found.append(whole.id)
        tree, rest = below.id if below is not None and below.is_tree else None, rest[2:]
    return " ".join(found)


def lines_of(repository: Repository, note: str) -> tuple[bytes, ...]:
    """The lines of a note that `note_of` gave, each once."""
    found: list[bytes] = []
    for blob in note.split():
        found += split(repository.blob(blob))
    return tuple(dict.fromkeys(found))


def changed_notes(repository: Repository, old: str | None, new: str) -> Iterator[tuple[str, str]]:
    """Every object whose note may be another in the tree `new` than in the tree `old`, with its note there."""
    oids = {path.replace("/", "") for path, _, _ in repository.changed(old, new)}
    for oid in sorted(oids):
        yield oid, note_of(repository, new, oid)


def append(
    repository: Repository,
    notes: str | None,
    oid: str,
    lines: Iterable[bytes],
    who: tuple[Person, Person],
    why: str,
) -> str:
    """A notes commit on top of `notes` in which the object's note also holds these lines.

    No ref moves. `who` is (author, committer), `why` the message.
    """
    present = Notes(repository, notes).lines(oid)
    blob = repository.write_blob(join((*present, *lines)))
    tree = _put(repository, repository.tree_of(notes) if notes else None, oid, blob)
    return repository.write_commit(tree, (notes,) if notes else (), why, *who)


def unite(
    repository: Repository, ours: str | None, theirs: str | None, who: Callable[[], tuple[Person, Person]]
) -> str | None:
    """The notes commit that holds every line of both sides; one of the two when it already does.

    `who` is asked for author and committer only when there is a commit to make: who only reads needs no name.

    Only folders that differ are looked at. What is no note is carried along as it is. No ref moves.
    """
    if ours is None or theirs is None or ours == theirs:
        return ours or theirs
    tree: str = repository.tree_of(ours)
    here, there = Notes(repository, ours), Notes(repository, theirs)
    lines: dict[str, tuple[bytes, ...]] = {}
    others: dict[str, tuple[str, int]] = {}
    ours_has_all = theirs_has_all = True
    for path, was, now in repository.changed(tree, repository.tree_of(theirs)):
        oid = path.replace("/", "")
        mine, yours = here.lines(oid), there.lines(oid)
        if both := (*mine, *yours):
            lines[oid] = both
            ours_has_all &= set(yours) <= set(mine)
            theirs_has_all &= set(mine) <= set(yours)
        else:
            others[path] = min((entry.id, entry.mode) for entry in (was, now) if entry)
    # A descendant is not taken unseen: it may have lost what its ancestor held.
    if ours_has_all and repository.is_ancestor(theirs, ours):
        return ours
    if theirs_has_all and repository.is_ancestor(ours, theirs):
        return theirs
    tree = repository.edit_tree(tree, others)
    for oid in sorted(lines):
        tree = _put(repository, tree, oid, repository.write_blob(join(lines[oid])))
    # The same two parents in the same order on either side, so that both clones make one commit of it
    # whenever author and time agree.
    parents = (min(ours, theirs), max(ours, theirs))
    return repository.write_commit(tree, parents, "Unite sign-offs\n", *who())


def _put(repository: Repository, tree: str | None, rest: str, blob: str) -> str:
    """The tree with the note of the object named `rest` set, at git's own fan-out (notes.c)."""
    below = repository.named(tree, rest[:2]) if tree else None
    if tree is not None and below is not None and below.is_tree:
        edits: dict[str, tuple[str, int] | None] = {
            rest[:2]: (_put(repository, below.id, rest[2:], blob), TREE)
        }
        if repository.named(tree, rest) is not None:
            edits[rest] = None  # a second copy of the note at this level, by a tool with another fan-out
        return repository.edit_tree(tree, edits)
    entries = {e.path: (e.id, e.mode) for e in repository.entries(tree)} if tree else {}
    entries[rest] = (blob, FILE)
    return _write_level(repository, entries, len(rest))


def _write_level(repository: Repository, entries: dict[str, tuple[str, int]], length: int) -> str:
    """One level of the fan-out; its notes, whose names have this length, go into folders when it is crowded."""
    if _is_crowded(entries):
        folders: dict[str, dict[str, tuple[str, int]]] = {}
        kept: dict[str, tuple[str, int]] = {}
        for name, (oid, mode) in entries.items():
            if mode != TREE and len(name) == length:
                folders.setdefault(name[:2], {})[name[2:]] = (oid, mode)
            else:
                kept[name] = (oid, mode)
        for name, inner in folders.items():
            present = kept.get(name)
            if present is not None and present[1] == TREE:
                # Another tool's fan-out: some of the notes may stand in that folder too.
                folder = present[0]
                for below, (oid, _) in inner.items():
                    lines = (
                        *split(repository.blob(oid)),
                        *lines_of(repository, note_of(repository, folder, below)),
                    )
                    folder = _put(repository, folder, below, repository.write_blob(join(lines)))
                kept[name] = (folder, TREE)
            else:
                kept[name] = (_write_level(repository, inner, length - 2), TREE)
        entries = kept
    return repository.write_tree(entries)


def _is_crowded(entries: dict[str, tuple[str, int]]) -> bool:
    """git's rule: a level is fanned out when under every first digit stand two notes, or a folder."""
    weight = dict.fromkeys("0123456789abcdef", 0)
    for name, (_, mode) in entries.items():
        if name[:1] in weight:
            weight[name[0]] += 2 if mode == TREE else 1
    return all(count >= 2 for count in weight.values())
