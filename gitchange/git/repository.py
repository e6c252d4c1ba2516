"""A repository's objects and refs, in-process by libgit2.

Object ids are lower-case hexadecimal strings everywhere; paths are `/`-separated and relative to the
root of a tree. Every write is atomic: objects are written before the ref that needs them, and a
ref moves by compare-and-swap. The files of the checked-out branch are `work_tree`'s.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

import pygit2
from pygit2.enums import FileMode, ObjectType, SortMode

from gitchange.errors import GitchangeError, RepositoryError, UsageError
from gitchange.git.failures import cannot_write, writing
from gitchange.git.locks import PAUSES, alone, locked

Kind = TypeVar("Kind")

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_IMPOSSIBLE = frozenset({"", ".", "..", ".git"})
"""Names that git refuses to check out (fsck.c)."""

_ENTRY = re.compile(rb"([0-7]+) ([^\0]+)\0(.{20})", re.DOTALL)
"""An entry of a tree as git writes it: mode, name and, where ids are SHA-1, the id."""
_SHORT_ID = 40
_KEPT_ENTRIES = 1 << 15
"""So many entries of folders are kept: about 10 MB."""
_WEIGHT = 4
"""A folder itself counts as so many entries."""

_WORKSHOP = ".gitchange-init"
"""Where a new repository is made before it takes its place."""

# A sign-off is evidence, and may be nowhere else yet: the disk has an object before a ref names it, and the ref before
# we say that it is kept. Stock git does so for refs and packs; libgit2 only when it is told to.
pygit2.settings.enable_fsync_gitdir(True)

# Whoever reads a whole history reads an object soon again or never: to keep 256 MB of them, as libgit2 does, spares
# little, and a commit that it keeps takes ten times its size. Packs are looked at through windows, of which only so
# many bytes are open at once: otherwise all of a pack that was ever looked at counts as this process's memory.
pygit2.settings.cache_max_size(4 << 20)
pygit2.settings.mwindow_size = 8 << 20
pygit2.settings.mwindow_mapped_limit = 64 << 20

FILE = int(FileMode.BLOB)
TREE = int(FileMode.TREE)
_EXECUTABLE = int(FileMode.BLOB_EXECUTABLE)
_SUBMODULE = int(FileMode.COMMIT)
_MODES = {b"%o" % mode: mode for mode in (FILE, _EXECUTABLE, int(FileMode.LINK), _SUBMODULE, TREE)}
"""The modes that git writes."""


@dataclass(frozen=True, slots=True)
class Person:
    """Name, address and moment of an author or committer."""

    name: str
    email: str
    time: dt.datetime
    """With the offset that the commit names."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


@dataclass(frozen=True, slots=True)
class Outline:
    """What a history's course shows of one commit, without its persons."""

    tree: str
    parents: tuple[str, ...]
    time: dt.datetime
    """Committer time, with the offset that the commit names."""
    message: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a tree."""

    path: str
    id: str
    mode: int

    @property
    def is_tree(self) -> bool:
        """Whether it is a folder."""
        return self.mode == TREE

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file (executable or not); a link or a submodule is none."""
        return self.mode in (FILE, _EXECUTABLE)

    @property
    def is_blob(self) -> bool:
        """Whether its bytes are an object of this repository: a file or a link, not a submodule."""
        return self.mode not in (TREE, _SUBMODULE)


def is_id(text: str) -> bool:
    """Whether a text is spelled as an object's id."""
    return _OID.fullmatch(text) is not None


class MovedError(RepositoryError):
    """A ref moved while we worked; the caller starts again from its new value."""


@contextmanager
def _readable() -> Iterator[None]:
    """What libgit2 says about an object that is missing or damaged, as an error of ours."""
    try:
        yield
    except pygit2.GitError as error:
        raise RepositoryError(
            f"the repository cannot be read: {error}",
            hint="the clone is shallow, partial or damaged: `git fsck` tells more; another clone has it whole",
        ) from None


def _unreadable(oid: str, error: Exception) -> RepositoryError:
    """What libgit2 says about an object that is asked for by its id, as an error of ours."""
    if isinstance(error, KeyError | ValueError):  # pygit2 has a KeyError that is a GitError as well
        return RepositoryError(
            f"the object {oid} is missing, or is none that git would write",
            hint="the clone is shallow, partial or damaged: `git fetch --unshallow` or clone again; "
            "`git fsck` tells more",
        )
    return RepositoryError(
        f"the object {oid} is damaged: {error}",
        hint="`git fsck` tells more; another clone has it whole",
    )


def _another(oid: str, kind: int) -> RepositoryError:
    """The error for an object of another kind than was asked for."""
    return RepositoryError(f"the object {oid} is a {ObjectType(kind).name.lower()}")


class Repository:
    """An open repository, with or without a work tree."""

    def __init__(self, handle: pygit2.Repository) -> None:
        self._repo = handle
        self._folders: dict[str, dict[str, tuple[str, int]]] = {}
        self._entries_kept = 0
        self._line: tuple[str, list[bytes]] = "", []
        """The first-parent line that was walked last: its tip, and the ids of what follows; empty after the root."""
        self._moved: dict[str, str | None] = {}
        """Refs that are read elsewhere than they are (`with_refs`)."""
        self.asked: dict[str, str | None] = {}
        """Every ref that was asked for, with the answer: what is concluded from this repository rests on them."""
        self.missing: set[str] = set()
        """Every object that was asked for and is not here: what is concluded may change when it comes."""

    @classmethod
    def open(cls, directory: Path, objects: Sequence[Path] = ()) -> Repository:
        """The repository that holds this folder; RepositoryError when there is none.

        `objects` are further folders of objects that are read, and never written to: those of a push that is not
        accepted yet (git-receive-pack(1), "Quarantine Environment"). libgit2 does not look there by itself.
        """
        try:
            found = pygit2.discover_repository(str(directory))
            if found is None:
                raise KeyError(directory)
            handle = pygit2.Repository(found)
            for folder in objects:
                handle.odb.add_disk_alternate(str(folder))
            return cls(handle)
        except (KeyError, pygit2.GitError) as error:
            detail = f": {error}" if isinstance(error, pygit2.GitError) else ""
            if "not owned by" in detail:
                raise RepositoryError(
                    f"git does not trust {directory}, because another account owns it",
                    hint=f"if you trust it: git config --global --add safe.directory {directory.resolve()}",
                ) from None
            raise RepositoryError(
                f"{directory} is not in a Git repository{detail}",
                hint="go to a configuration repository, use -C DIR, or make one with `gitchange init`",
            ) from None

    @classmethod
    @contextmanager
    def founding(cls, directory: Path, branch: str) -> Iterator[Repository]:
        """A new repository for a folder that exists, its first branch not yet born; whole, or not there at all.

        It is made in a folder of its own in there, and its `.git` takes its place when the block has ended well.
        """
        workshop = directory / _WORKSHOP
        with alone(directory, (directory,)):
            with writing(directory):
                if workshop.exists():  # a killed one's: we are alone
                    shutil.rmtree(workshop)
                handle = pygit2.init_repository(str(workshop), initial_head=branch)
            try:
                yield cls(handle)
                with writing(directory):
                    (workshop / ".git").rename(directory / ".git")
            finally:
                shutil.rmtree(workshop, ignore_errors=True)

    # -- places ------------------------------------------------------------------------------

    @property
    def git_dir(self) -> Path:
        """The folder of this work tree's own Git files."""
        return Path(self._repo.path)

    @property
    def common_dir(self) -> Path:
        """The Git folder that all work trees share: refs, objects and our caches live there."""
        pointer = self.git_dir / "commondir"
        if pointer.is_file():
            return (self.git_dir / pointer.read_text().strip()).resolve()
        return self.git_dir

    @property
    def work_dir(self) -> Path | None:
        """The work tree; None in a bare repository."""
        return Path(self._repo.workdir) if self._repo.workdir else None

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders of the repository: Git folders and work tree."""
        return (self.git_dir, self.common_dir, *((self.work_dir,) if self.work_dir else ()))

    @property
    def is_shallow(self) -> bool:
        """Whether the history ends early here: the clone was made so, or its server served it so."""
        return bool(self._repo.is_shallow)

    @property
    def directory(self) -> Path:
        """Where to run stock git: the work tree, otherwise the Git folder."""
        return self.work_dir or self.git_dir

    # -- configuration -----------------------------------------------------------------------

    def config(self, key: str) -> str | None:
        """A value of git's configuration, all levels, the last one where several are given; None when unset."""
        values = self.config_list(key)
        return values[-1] if values else None

    def config_list(self, key: str) -> list[str]:
        """All values of a key that may be given several times."""
        section, _, rest = key.partition(".")
        subsection, dot, name = rest.rpartition(".")
        return list(self._configuration.get(f"{section.lower()}.{subsection}{dot}{name.lower()}", ()))

    @cached_property
    def listed_configuration(self) -> bytes:
        """What `git config --list --null` says.

        Asked of git: libgit2 knows neither GIT_CONFIG_GLOBAL and its like, nor every condition of `includeIf`.
        """
        command = ["git", f"--git-dir={self._repo.path}", "config", "--list", "--null", "--includes"]
        try:
            listed = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise GitchangeError("the program git was not found", hint="install git") from None
        if listed.returncode != 0:
            raise RepositoryError(f"git config: {listed.stderr.decode(errors='replace').strip()}")
        return listed.stdout

    @cached_property
    def _configuration(self) -> dict[str, list[str]]:
        values: dict[str, list[str]] = {}
        for entry in self.listed_configuration.decode("utf-8", "surrogateescape").split("\0"):
            name, equals, value = entry.partition("\n")
            if name:  # a name alone, without "=", is git's way to say yes
                values.setdefault(name, []).append(value if equals else "true")
        return values

    def set_config(self, key: str, value: str) -> None:
        """Set a value in this repository's own configuration."""

        def write() -> None:
            self._repo.config[key] = value

        self._patiently("the configuration", self.common_dir / "config.lock", write)

    def unset_config(self, key: str) -> None:
        """Remove a value from this repository's own configuration, if it is there."""

        def write() -> None:
            with suppress(KeyError):
                del self._repo.config[key]

        self._patiently("the configuration", self.common_dir / "config.lock", write)
        self._forget_configuration()

    def _forget_configuration(self) -> None:
        for name in ("listed_configuration", "_configuration"):
            self.__dict__.pop(name, None)

    def add_config(self, key: str, value: str) -> None:
        """Add a value to a key that may be given several times, in this repository's own configuration."""
        self._repo.config.set_multivar(key, "^$", value)  # replaces what matches: nothing does
        self._forget_configuration()

    # -- refs --------------------------------------------------------------------------------

    def ref(self, name: str) -> str | None:
        """The commit that a ref names; None when the ref does not exist."""
        if self._moved and name == "HEAD":
            name = self.head_ref() or name
        if name in self._moved:
            return self._moved[name]
        try:
            found: str | None = str(self._repo.references[name].resolve().target)
        except KeyError:
            found = None
        self.asked[name] = found
        return found

    def with_refs(self, moved: Mapping[str, str | None]) -> Repository:
        """The same repository, read as if these refs were at these commits (None: did not exist); nothing moves.

        It is for reading only, and its stock git still sees the refs as they are.
        """
        then = Repository(self._repo)
        then._moved = {**self._moved, **moved}
        then._folders = self._folders
        return then

    def head_ref(self) -> str | None:
        """The branch that HEAD names, born or not; None when HEAD is detached."""
        head = self._repo.lookup_reference("HEAD")
        target = head.target
        return target if isinstance(target, str) else None

    def alias(self, name: str) -> str | None:
        """The ref that another one names instead of a commit; None when it is no such ref, or is not here."""
        try:
            target = self._repo.references[name].target
        except KeyError:
            return None
        return target if isinstance(target, str) else None

    def resolve(self, revision: str) -> str:
        """The commit that a revision names; UsageError when there is none."""
        try:
            return str(self._repo.revparse_single(revision).peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            raise UsageError(f"there is no commit {revision!r} in this repository") from None

    def branches(self) -> list[tuple[str, str]]:
        """Every branch, those here and the copies of remotes' (as `REMOTE/NAME`), with its commit."""
        found: list[tuple[str, str]] = []
        for name in self._repo.listall_references():
            for prefix in ("refs/heads/", "refs/remotes/"):
                if name.startswith(prefix) and (commit := self.ref(name)) is not None:
                    found.append((name.removeprefix(prefix), commit))
        return found

    def remotes(self) -> list[str]:
        """Names of the remotes."""
        return [remote.name for remote in self._repo.remotes if remote.name]

    def set_ref(self, name: str, new: str, old: str | None, log: str) -> None:
        """Move a ref from `old` (None: it must not exist) to `new`; MovedError when it is elsewhere.

        The lock that git itself takes makes the comparison and the move one step. It is waited for a moment:
        LockedError when it stays.
        """

        def move() -> None:
            with self._repo.transaction() as held:
                held.lock_ref(name)
                if self.ref(name) != old:
                    raise MovedError(f"{name} moved while we worked", hint="run the command again")
                held.set_target(name, new, message=log)

        self._patiently(name, self.common_dir / f"{name}.lock", move)

    def _patiently(self, what: str, lock: Path, write: Callable[[], None]) -> None:
        """Run a write of libgit2's that takes a lock file; again while another holds it, LockedError in the end."""
        for pause in (*PAUSES, None):
            try:
                write()
                return
            except (pygit2.GitError, OSError) as error:
                # libgit2 says the one when it finds a lock there, the other when somebody makes it in the same moment.
                words = str(error)
                made = words.startswith("failed to create locked file") and "File exists" in words
                if not made and not words.startswith("failed to lock file"):
                    raise cannot_write(self.common_dir, error) from None
                if pause is None:
                    raise locked(what, lock, self.places) from None
                time.sleep(pause)

    # -- objects -----------------------------------------------------------------------------

    def has(self, oid: str) -> bool:
        """Whether the object is here; what is no object id never is."""
        try:
            found = is_id(oid) and oid in self._repo
        except (ValueError, pygit2.GitError):  # an id of another hash than this repository's
            found = False
        if not found:
            self.missing.add(oid)
        return found

    def has_commit(self, oid: str) -> bool:
        """Whether the object is here and a commit."""
        return self.has(oid) and isinstance(self._repo[oid], pygit2.Commit)

    def has_blob(self, oid: str) -> bool:
        """Whether the object is here and a file's bytes."""
        return self.has(oid) and isinstance(self._repo[oid], pygit2.Blob)

    def has_tree(self, oid: str) -> bool:
        """Whether the object is here and a folder."""
        return self.has(oid) and isinstance(self._repo[oid], pygit2.Tree)

    def commit(self, oid: str) -> Commit:
        """A commit; RepositoryError when it is missing (a shallow or damaged clone)."""
        commit = self._get(oid, pygit2.Commit)
        return Commit(
            str(commit.id),
            str(commit.tree_id),
            tuple(str(parent) for parent in commit.parent_ids),
            _person(commit.author),
            _person(commit.committer),
            commit.raw_message.decode("utf-8", "replace"),
        )

    def outline(self, oid: str) -> Outline:
        """A commit's place in the history; RepositoryError when it is missing."""
        commit = self._get(oid, pygit2.Commit)
        return Outline(
            str(commit.tree_id),
            tuple(map(str, commit.parent_ids)),
            moment(commit.commit_time, commit.commit_time_offset),
            commit.raw_message.decode("utf-8", "replace"),
        )

    def blob(self, oid: str) -> bytes:
        """A file's bytes; RepositoryError when it is missing."""
        return self._read(oid, ObjectType.BLOB)

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return str(self._get(commit, pygit2.Commit).tree_id)

    def entries(self, tree: str) -> tuple[Entry, ...]:
        """What a folder holds directly, in git's order.

        RepositoryError when it names something twice or by a name that no file can have: git could not have
        written it (`git fsck`), and two readers could read two things.
        """
        return tuple(Entry(name, oid, mode) for name, (oid, mode) in self._folder(tree).items())

    def named(self, tree: str, name: str) -> Entry | None:
        """What a folder holds directly by that name; RepositoryError as for `entries`."""
        found = self._folder(tree).get(name)
        return Entry(name, *found) if found is not None else None

    def _folder(self, tree: str) -> dict[str, tuple[str, int]]:
        """Name -> (id, mode), in git's order."""
        if (known := self._folders.get(tree)) is None:
            found = self._entries(tree)
            known = dict(found)
            if len(known) != len(found) or not _IMPOSSIBLE.isdisjoint(known) or any("/" in n for n in known):
                raise RepositoryError(
                    f"the folder {tree} names something twice, or by a name that no file can have",
                    hint="`git fsck` tells more; a server with `receive.fsckObjects` takes no such folder",
                )
            self._entries_kept += len(known) + _WEIGHT
            if self._entries_kept > _KEPT_ENTRIES:
                self._folders.clear()
                self._entries_kept = len(known) + _WEIGHT
            self._folders[tree] = known
        return known

    def _entries(self, tree: str) -> list[tuple[str, tuple[str, int]]]:
        """The entries of a tree: taken from its bytes where they are plain, otherwise as libgit2 reads them."""
        found = self._get(tree, pygit2.Tree)
        raw = found.read_raw()
        parts = _ENTRY.findall(raw) if len(tree) == _SHORT_ID else []
        plain = sum(len(mode) + len(name) + 22 for mode, name, _ in parts) == len(raw)
        if plain and all(mode in _MODES and name.isascii() for mode, name, _ in parts):
            return [(name.decode("ascii"), (oid.hex(), _MODES[mode])) for mode, name, oid in parts]
        return [(item.name or "", (str(item.id), int(item.filemode))) for item in found]

    def entry(self, tree: str, path: str) -> Entry | None:
        """The entry at a path below a tree; None when nothing is there."""
        with _readable():
            try:
                found = self._get(tree, pygit2.Tree)[path]
            except KeyError:
                return None
        return Entry(path, str(found.id), int(found.filemode))

    def child(self, tree: str, path: str) -> Entry | None:
        """As `entry`, with every folder on the way looked at whole, as `entries` does."""
        found: Entry | None = Entry("", tree, TREE)
        for name in path.split("/"):
            if found is None or not found.is_tree:
                return None
            found = self.named(found.id, name)
        return Entry(path, found.id, found.mode) if found else None

    def frame(self, tree: str, name: str) -> tuple[bytes, bytes] | None:
        """The bytes of a folder before and after the id of what it holds by that name; None where it is not plain."""
        raw = self._read(tree, ObjectType.TREE)
        if len(tree) == _SHORT_ID and name in self._folder(tree):
            for entry in _ENTRY.finditer(raw):
                if entry[2] == name.encode():
                    return raw[: entry.start(3)], raw[entry.end(3) :]
        return None

    def fits(self, tree: str, frame: tuple[bytes, bytes]) -> bool:
        """Whether a folder holds what the one of that frame does, but for another thing of the same kind in the gap."""
        raw, (before, after) = self._read(tree, ObjectType.TREE), frame
        return (
            len(raw) == len(before) + _SHORT_ID // 2 + len(after)
            and raw.startswith(before)
            and raw.endswith(after)
        )

    def walk(self, tree: str, prefix: str = "") -> Iterator[Entry]:
        """Every entry below a tree that is no folder, with its whole path."""
        for item in self.entries(tree):
            path = f"{prefix}{item.path}"
            if item.is_tree:
                yield from self.walk(item.id, f"{path}/")
            else:
                yield Entry(path, item.id, item.mode)

    def hash_blob(self, data: bytes) -> str:
        """The id that git gives to these bytes; nothing is written."""
        return str(pygit2.hash(data))

    def write_blob(self, data: bytes) -> str:
        """Write a file's bytes as an object."""
        with writing(self.common_dir):
            return str(self._repo.create_blob(data))

    def write_tree(self, entries: Mapping[str, tuple[str, int]]) -> str:
        """Write one folder from its entries: name -> (id, mode)."""
        builder = self._repo.TreeBuilder()
        for name, (oid, mode) in entries.items():
            builder.insert(name, oid, FileMode(mode))
        with writing(self.common_dir):
            return str(builder.write())

    def edit_tree(self, tree: str | None, edits: Mapping[str, tuple[str, int] | None]) -> str:
        """A tree with files put at paths (id, mode) or removed (None); only the folders on the way change."""
        builder = self._repo.TreeBuilder(self._get(tree, pygit2.Tree)) if tree else self._repo.TreeBuilder()
        below: dict[str, dict[str, tuple[str, int] | None]] = {}
        for path, edit in edits.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = edit
            elif edit is not None:
                builder.insert(name, edit[0], FileMode(edit[1]))
            elif builder.get(name) is not None:
                builder.remove(name)
        for name, inner in below.items():
            present = builder.get(name)
            folder = str(present.id) if present is not None and int(present.filemode) == TREE else None
            edited = self.edit_tree(folder, inner)
            if len(self._get(edited, pygit2.Tree)) == 0:
                if present is not None:
                    builder.remove(name)
            else:
                builder.insert(name, edited, FileMode.TREE)
        with writing(self.common_dir):
            return str(builder.write())

    def write_commit(
        self, tree: str, parents: tuple[str, ...], message: str, author: Person, committer: Person
    ) -> str:
        """Write a commit object; no ref moves."""
        with writing(self.common_dir):
            made = self._repo.create_commit(
                None,
                _signature(author),
                _signature(committer),
                message,
                tree,
                list(parents),
            )
        return str(made)

    # -- history -----------------------------------------------------------------------------

    def first_parents(self, tip: str) -> Iterator[str]:
        """The first-parent line from a commit back to the root, the commit itself first."""
        if self._line[0] != tip:
            self._line = tip, []
        line, place, current = self._line[1], 0, tip
        while current:
            yield current
            if place == len(line):
                parents = self._get(current, pygit2.Commit).parent_ids
                line.append(parents[0].raw if parents else b"")
            current, place = line[place].hex(), place + 1

    def ancestors(self, tip: str, hidden: tuple[str, ...] = ()) -> Iterator[str]:
        """All commits reachable from `tip` and not from `hidden`, children before parents."""
        with _readable():
            walker = self._repo.walk(tip, SortMode.TOPOLOGICAL)
            for oid in hidden:
                walker.hide(oid)
            for commit in walker:
                yield str(commit.id)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is `descendant` or reachable from it."""
        with _readable():
            return ancestor == descendant or bool(self._repo.descendant_of(descendant, ancestor))

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None when the histories are unrelated."""
        with _readable():
            base = self._repo.merge_base(one, other)
        return str(base) if base else None

    def changed(
        self, old: str | None, new: str | None, prefix: str = ""
    ) -> Iterator[tuple[str, Entry | None, Entry | None]]:
        """Paths of files that differ between two trees; equal folders are skipped by their ids."""
        if old == new:
            return
        before = {entry.path: entry for entry in self.entries(old)} if old else {}
        after = {entry.path: entry for entry in self.entries(new)} if new else {}
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was == now:
                continue
            path = f"{prefix}{name}"
            if (was and was.is_tree) or (now and now.is_tree):
                old_tree = was.id if was and was.is_tree else None
                new_tree = now.id if now and now.is_tree else None
                yield from self.changed(old_tree, new_tree, f"{path}/")
            old_file = Entry(path, was.id, was.mode) if was and not was.is_tree else None
            new_file = Entry(path, now.id, now.mode) if now and not now.is_tree else None
            if old_file or new_file:
                yield path, old_file, new_file

    def _read(self, oid: str, kind: int) -> bytes:
        """The bytes of an object. Not by way of an object of libgit2's, which looks at them twice."""
        try:
            found, data = self._repo.read(oid)
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise _unreadable(oid, error) from None
        if found != kind:
            raise _another(oid, found)
        return bytes(data)

    def _get(self, oid: str, kind: type[Kind]) -> Kind:
        try:
            found = self._repo[oid]
        except (KeyError, ValueError, pygit2.GitError) as error:
            raise _unreadable(oid, error) from None
        if not isinstance(found, kind):
            raise _another(oid, found.type)
        return found


_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC).timestamp()


@lru_cache(maxsize=256)
def _zone(offset: int) -> dt.tzinfo:
    """The zone of an offset in minutes; UTC for one that no place on earth has."""
    return dt.timezone(dt.timedelta(minutes=offset)) if abs(offset) < 24 * 60 else dt.UTC


def moment(seconds: int, offset: int = 0) -> dt.datetime:
    """A commit's time; an impossible one, which anybody can write into a commit, is brought into range."""
    return dt.datetime.fromtimestamp(min(max(seconds, 0), _LATEST), _zone(offset))


def _person(signature: pygit2.Signature) -> Person:
    # Raw: the encoding that a commit names is its author's choice, and may be one that nobody knows.
    name, email = (part.decode("utf-8", "replace") for part in (signature.raw_name, signature.raw_email))
    return Person(name, email, moment(signature.time, signature.offset))


def _signature(person: Person) -> pygit2.Signature:
    offset = person.time.utcoffset() or dt.timedelta()
    return pygit2.Signature(
        person.name, person.email, int(person.time.timestamp()), int(offset.total_seconds() // 60)
    )
