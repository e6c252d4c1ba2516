"""A repository's objects and refs.

Little is read as `plain` reads it. Whatever that does not answer, much, and everything that writes is for libgit2,
in-process: it takes long to load, and from then on it reads everything.

Object ids are lower-case hexadecimal strings everywhere; paths are `/`-separated and relative to the
root of a tree. Every write is atomic: objects are written before the ref that needs them, and a
ref moves by compare-and-swap. The files of the checked-out branch are `work_tree`'s.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from pathlib import Path

from gitchange.errors import GitchangeError, RepositoryError, UsageError
from gitchange.git.failures import cannot_write, of_libgit2, writing
from gitchange.git.locks import PAUSES, alone, locked
from gitchange.git.plain import MISSING, Who, find, id_of
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:  # it takes longer to load than stock git to answer
    from typing import Any

    import pygit2

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_REMOTE = re.compile(r"remote\.(.+)\.(?:push)?url", re.DOTALL)

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

_KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
"""Git's numbers of the kinds of objects."""

FILE = 0o100644
TREE = 0o40000
_EXECUTABLE = 0o100755
_SUBMODULE = 0o160000
_MODES = {b"%o" % mode: mode for mode in (FILE, _EXECUTABLE, 0o120000, _SUBMODULE, TREE)}
"""The modes that git writes."""


class Person(Value):
    """Name, address and moment of an author or committer."""

    name: str
    email: str
    time: dt.datetime
    """With the offset that the commit names."""


class Commit(Value):
    """One commit."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


class Outline(Value):
    """What a history's course shows of one commit, without its persons."""

    tree: str
    parents: tuple[str, ...]
    time: dt.datetime
    """Committer time, with the offset that the commit names."""
    message: str


class Entry(Value):
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
    except of_libgit2() as error:
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


class _Access:
    """The two ways to one repository; the second is taken for good."""

    def __init__(
        self, directory: Path, objects: Sequence[Path] = (), *, handle: pygit2.Repository | None = None
    ) -> None:
        self._directory, self._objects = directory, objects
        # The environment is git's, which is run in it.
        self.plain = find(str(directory), os.environ) if handle is None and not objects else None
        """None once libgit2 is there."""
        if self.plain is not None:
            self._directory = Path(self.plain.work_dir or self.plain.git_dir)  # wherever this process goes
        elif handle is None:
            handle = self._opened()
        self._handle = handle

    @property
    def libgit2(self) -> pygit2.Repository:
        """libgit2's, which is loaded."""
        if self._handle is None:
            self._handle = self._opened()
        if self.plain is not None:
            self.plain.close()
            self.plain = None
        return self._handle

    def _opened(self) -> pygit2.Repository:
        from gitchange.git import library  # noqa: PLC0415 - for the sake of start-up time

        return library.opened(self._directory, self._objects)


class Repository:
    """An open repository, with or without a work tree. Not for several threads."""

    def __init__(self, access: _Access) -> None:
        self._access = access
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
        return cls(_Access(directory, objects))

    @classmethod
    @contextmanager
    def founding(cls, directory: Path, branch: str) -> Iterator[Repository]:
        """A new repository for a folder that exists, its first branch not yet born; whole, or not there at all.

        It is made in a folder of its own in there, and its `.git` takes its place when the block has ended well.
        """
        import shutil  # noqa: PLC0415 - for the sake of start-up time

        from gitchange.git import library  # noqa: PLC0415

        workshop = directory / _WORKSHOP
        with alone(directory, (directory,)):
            with writing(directory):
                if workshop.exists():  # a killed one's: we are alone
                    import shutil  # noqa: PLC0415 - only for whoever makes a repository

                    shutil.rmtree(workshop)
                handle = library.made(workshop, branch)
            try:
                yield cls(_Access(workshop, handle=handle))
                with writing(directory):
                    (workshop / ".git").rename(directory / ".git")
            finally:
                import shutil  # noqa: PLC0415 - only for whoever makes a repository

                shutil.rmtree(workshop, ignore_errors=True)

    @property
    def _repo(self) -> pygit2.Repository:
        return self._access.libgit2

    def expect_much(self) -> None:
        """Much will be read: begin at once with what is faster then."""
        _ = self._repo

    # -- places ------------------------------------------------------------------------------

    @property
    def git_dir(self) -> Path:
        """The folder of this work tree's own Git files."""
        plain = self._access.plain
        return Path(plain.git_dir if plain is not None else self._repo.path)

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
        plain = self._access.plain
        work_dir = plain.work_dir if plain is not None else self._repo.workdir
        return Path(work_dir) if work_dir else None

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders of the repository: Git folders and work tree."""
        return (self.git_dir, self.common_dir, *((self.work_dir,) if self.work_dir else ()))

    @property
    def is_shallow(self) -> bool:
        """Whether the history ends early here: the clone was made so, or its server served it so."""
        plain = self._access.plain
        return (plain is None or plain.is_cut_off) and bool(self._repo.is_shallow)

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
        if self._access.plain is not None:
            return self._access.plain.listed
        import subprocess  # noqa: PLC0415 - for the sake of start-up time

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
        found: str | None
        told = self._access.plain.ref(name) if self._access.plain is not None else None
        if told is not None:
            (found,) = told
        else:
            try:
                found = str(self._repo.references[name].resolve().target)
            except KeyError:
                found = None
        self.asked[name] = found
        return found

    def with_refs(self, moved: Mapping[str, str | None]) -> Repository:
        """The same repository, read as if these refs were at these commits (None: did not exist); nothing moves.

        It is for reading only, and its stock git still sees the refs as they are.
        """
        then = Repository(self._access)
        then._moved = {**self._moved, **moved}
        then._folders = self._folders
        return then

    def head_ref(self) -> str | None:
        """The branch that HEAD names, born or not; None when HEAD is detached."""
        told = self._access.plain.alias("HEAD") if self._access.plain is not None else None
        if told is not None:
            return told[0]
        head = self._repo.lookup_reference("HEAD")
        target = head.target
        return target if isinstance(target, str) else None

    def alias(self, name: str) -> str | None:
        """The ref that another one names instead of a commit; None when it is no such ref, or is not here."""
        told = self._access.plain.alias(name) if self._access.plain is not None else None
        if told is not None:
            return told[0]
        try:
            target = self._repo.references[name].target
        except KeyError:
            return None
        return target if isinstance(target, str) else None

    def resolve(self, revision: str) -> str:
        """The commit that a revision names; UsageError when there is none."""
        repo = self._repo
        from pygit2 import Commit as Kind  # noqa: PLC0415 - loaded now

        try:
            return str(repo.revparse_single(revision).peel(Kind).id)
        except of_libgit2(KeyError, ValueError):
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
        if self._access.plain is not None:
            addressed = (_REMOTE.fullmatch(key) for key in self._configuration)
            return sorted({found[1] for found in addressed if found}, key=os.fsencode)
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
            except of_libgit2(OSError) as error:
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
        read = self._plainly(oid)
        try:
            found = is_id(oid) and (oid in self._repo if read is None else read[0] != MISSING)
        except of_libgit2(ValueError):  # an id of another hash than this repository's
            found = False
        if not found:
            self.missing.add(oid)
        return found

    def has_commit(self, oid: str) -> bool:
        """Whether the object is here and a commit."""
        return self._has(oid, "commit")

    def has_blob(self, oid: str) -> bool:
        """Whether the object is here and a file's bytes."""
        return self._has(oid, "blob")

    def has_tree(self, oid: str) -> bool:
        """Whether the object is here and a folder."""
        return self._has(oid, "tree")

    def _has(self, oid: str, kind: str) -> bool:
        if (read := self._plainly(oid)) is not None and read[0] != MISSING:
            return read[0] == kind
        return self.has(oid) and bool(self._repo[oid].type_str == kind)

    def commit(self, oid: str) -> Commit:
        """A commit; RepositoryError when it is missing (a shallow or damaged clone)."""
        if self._access.plain is not None and (read := self._access.plain.commit(oid)) is not None:
            return Commit(
                oid,
                read.tree,
                read.parents,
                _person(read.author),
                _person(read.committer),
                read.message.decode("utf-8", "replace"),
            )
        commit: pygit2.Commit = self._get(oid, "commit")
        return Commit(
            str(commit.id),
            str(commit.tree_id),
            tuple(str(parent) for parent in commit.parent_ids),
            _person(_who(commit.author)),
            _person(_who(commit.committer)),
            commit.raw_message.decode("utf-8", "replace"),
        )

    def outline(self, oid: str) -> Outline:
        """A commit's place in the history; RepositoryError when it is missing."""
        if self._access.plain is not None and (read := self._access.plain.commit(oid)) is not None:
            when = moment(read.committer.time, read.committer.offset)
            return Outline(read.tree, read.parents, when, read.message.decode("utf-8", "replace"))
        commit: pygit2.Commit = self._get(oid, "commit")
        return Outline(
            str(commit.tree_id),
            tuple(map(str, commit.parent_ids)),
            moment(commit.commit_time, commit.commit_time_offset),
            commit.raw_message.decode("utf-8", "replace"),
        )

    def raw(self, oid: str) -> tuple[str, bytes]:
        """Kind and bytes of any object, the bytes that its id is made of; RepositoryError when it is missing."""
        if (read := self._plainly(oid)) is not None and read[0] != MISSING:
            return read
        repo = self._repo
        try:
            number, data = repo.read(oid)
        except of_libgit2(KeyError, ValueError) as error:
            raise _unreadable(oid, error) from None
        return _KINDS[number], bytes(data)

    def blob(self, oid: str) -> bytes:
        """A file's bytes; RepositoryError when it is missing."""
        return self._read(oid, "blob")

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        if self._access.plain is not None and (read := self._access.plain.commit(commit)) is not None:
            return read.tree
        found: pygit2.Commit = self._get(commit, "commit")
        return str(found.tree_id)

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
        if (plain := self._entries_plainly(tree)) is not None:
            return plain
        found: pygit2.Tree = self._get(tree, "tree")
        if len(tree) == _SHORT_ID and (entries := _plain_entries(found.read_raw())) is not None:
            return entries
        return [(item.name or "", (str(item.id), int(item.filemode))) for item in found]

    def entry(self, tree: str, path: str) -> Entry | None:
        """The entry at a path below a tree; None when nothing is there."""
        if (told := self._entry_plainly(tree, path)) is not None:
            return told[0]
        with _readable():
            root: pygit2.Tree = self._get(tree, "tree")
            try:
                found = root[path]
            except KeyError:
                return None
        return Entry(path, str(found.id), int(found.filemode))

    def _entry_plainly(self, tree: str, path: str) -> tuple[Entry | None] | None:
        """What `entry` tells, in a tuple, where all folders on the way are plain and in git's order."""
        oid, mode = tree, TREE
        for name in path.split("/"):
            if mode != TREE:
                return (None,)
            entries = self._entries_plainly(oid) if name else None
            if entries is None:
                return None
            order = [f"{named}/" if what == TREE else named for named, (_, what) in entries]
            found = dict(entries)
            if len(found) != len(entries) or order != sorted(order):
                return None
            if name not in found:
                return (None,)
            oid, mode = found[name]
        return (Entry(path, oid, mode),)

    def _entries_plainly(self, tree: str) -> list[tuple[str, tuple[str, int]]] | None:
        read = self._access.plain.object(tree) if self._access.plain is not None else None
        return _plain_entries(read[1]) if read is not None and read[0] == "tree" else None

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
        raw = self._read(tree, "tree")
        if len(tree) == _SHORT_ID and name in self._folder(tree):
            for entry in _ENTRY.finditer(raw):
                if entry[2] == name.encode():
                    return raw[: entry.start(3)], raw[entry.end(3) :]
        return None

    def fits(self, tree: str, frame: tuple[bytes, bytes]) -> bool:
        """Whether a folder holds what the one of that frame does, but for another thing of the same kind in the gap."""
        raw, (before, after) = self._read(tree, "tree"), frame
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
        return hash_blob(data)

    def write_blob(self, data: bytes) -> str:
        """Write a file's bytes as an object."""
        with writing(self.common_dir):
            return str(self._repo.create_blob(data))

    def write_tree(self, entries: Mapping[str, tuple[str, int]]) -> str:
        """Write one folder from its entries: name -> (id, mode)."""
        builder = self._repo.TreeBuilder()
        for name, (oid, mode) in entries.items():
            builder.insert(name, oid, mode)
        with writing(self.common_dir):
            return str(builder.write())

    def edit_tree(self, tree: str | None, edits: Mapping[str, tuple[str, int] | None]) -> str:
        """A tree with files put at paths (id, mode) or removed (None); only the folders on the way change."""
        builder = self._repo.TreeBuilder(self._get(tree, "tree")) if tree else self._repo.TreeBuilder()
        below: dict[str, dict[str, tuple[str, int] | None]] = {}
        for path, edit in edits.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = edit
            elif edit is not None:
                builder.insert(name, edit[0], edit[1])
            elif builder.get(name) is not None:
                builder.remove(name)
        for name, inner in below.items():
            present = builder.get(name)
            folder = str(present.id) if present is not None and int(present.filemode) == TREE else None
            edited = self.edit_tree(folder, inner)
            if len(self._get(edited, "tree")) == 0:
                if present is not None:
                    builder.remove(name)
            else:
                builder.insert(name, edited, TREE)
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
                parents = self._parents(current)
                line.append(bytes.fromhex(parents[0]) if parents else b"")
            current, place = line[place].hex(), place + 1

    def _parents(self, oid: str) -> Sequence[str]:
        if self._access.plain is not None and (read := self._access.plain.commit(oid)) is not None:
            return read.parents
        commit: pygit2.Commit = self._get(oid, "commit")
        return [str(parent) for parent in commit.parent_ids]

    def ancestors(self, tip: str, hidden: tuple[str, ...] = ()) -> Iterator[str]:
        """All commits reachable from `tip` and not from `hidden`, children before parents."""
        if self._access.plain is not None and len(hidden) == 1:
            short = self._access.plain.ancestors(tip, hidden[0])
            if short is not None:
                yield from short
                return
        with _readable():
            from pygit2.enums import SortMode  # noqa: PLC0415 - loaded with libgit2

            walker = self._repo.walk(tip, SortMode.TOPOLOGICAL)
            for oid in hidden:
                walker.hide(oid)
            for commit in walker:
                yield str(commit.id)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `ancestor` is `descendant` or reachable from it."""
        if self._access.plain is not None and ancestor != descendant:
            told = self._access.plain.is_ancestor(ancestor, descendant)
            if told is not None:
                return told
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

    def _plainly(self, oid: str) -> tuple[str, bytes] | None:
        """An object's kind and bytes; None where it or its bytes are not plain, and libgit2 must look."""
        plain = self._access.plain
        found = plain.object(oid) if plain is not None else None
        if plain is None or found is None or (found[0] == "commit" and plain.commit(oid) is None):
            return None
        if found[0] == "tag" or (found[0] == "tree" and _plain_entries(found[1]) is None):
            return None
        return found

    def _read(self, oid: str, kind: str) -> bytes:
        """The bytes of an object. Not by way of an object of libgit2's, which looks at them twice."""
        if (read := self._plainly(oid)) is not None and read[0] == kind:
            return read[1]
        repo = self._repo
        try:
            number, data = repo.read(oid)
        except of_libgit2(KeyError, ValueError) as error:
            raise _unreadable(oid, error) from None
        if (found := _KINDS.get(number, "thing")) != kind:
            raise RepositoryError(f"the object {oid} is a {found}")
        return bytes(data)

    def _get(self, oid: str, kind: str) -> Any:
        """libgit2's object, which must be of this kind."""
        repo = self._repo
        try:
            found = repo[oid]
        except of_libgit2(KeyError, ValueError) as error:
            raise _unreadable(oid, error) from None
        if found.type_str != kind:
            raise RepositoryError(f"the object {oid} is a {found.type_str}")
        return found


def hash_blob(data: bytes) -> str:
    """The id that git gives to these bytes as a file's."""
    return id_of("blob", data)


def _plain_entries(raw: bytes) -> list[tuple[str, tuple[str, int]]] | None:
    """The entries of a folder where ids are SHA-1; None when any is not as git writes it today."""
    parts = _ENTRY.findall(raw)
    plain = sum(len(mode) + len(name) + 22 for mode, name, _ in parts) == len(raw)
    if not plain or not all(mode in _MODES and name.isascii() for mode, name, _ in parts):
        return None
    return [(name.decode("ascii"), (oid.hex(), _MODES[mode])) for mode, name, oid in parts]


_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC).timestamp()


@lru_cache(maxsize=256)
def _zone(offset: int) -> dt.tzinfo:
    """The zone of an offset in minutes; UTC for one that no place on earth has."""
    return dt.timezone(dt.timedelta(minutes=offset)) if abs(offset) < 24 * 60 else dt.UTC


def moment(seconds: int, offset: int = 0) -> dt.datetime:
    """A commit's time; an impossible one, which anybody can write into a commit, is brought into range."""
    return dt.datetime.fromtimestamp(min(max(seconds, 0), _LATEST), _zone(offset))


def _person(who: Who) -> Person:
    # From bytes: the encoding that a commit names is its author's choice, and may be one that nobody knows.
    name, email = (part.decode("utf-8", "replace") for part in (who.name, who.email))
    return Person(name, email, moment(who.time, who.offset))


def _who(signature: pygit2.Signature) -> Who:
    return Who(signature.raw_name, signature.raw_email, signature.time, signature.offset)


def _signature(person: Person) -> pygit2.Signature:
    import pygit2  # noqa: PLC0415 - loaded already by whoever writes

    offset = person.time.utcoffset() or dt.timedelta()
    return pygit2.Signature(
        person.name, person.email, int(person.time.timestamp()), int(offset.total_seconds() // 60)
    )
