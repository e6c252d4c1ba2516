"""Reading little of a plain repository: refs as files, objects by one `git cat-file --batch`, parsed by us.

Only what is plain is read here, so that libgit2 need not be loaded for it, and the answers are libgit2's. For whatever
is not (a missing or damaged object, one that git would not write, a repository with extensions, a ref that is no
plain file) there is no answer, and `repository` asks libgit2. A test holds both equal.

Not for several threads. A forked process begins its own git.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from gitchange.git import pipes, place
from gitchange.git.place import Place

try:
    from _sha1 import sha1  # type: ignore[import-not-found]  # hashlib loads OpenSSL to offer the same
except ImportError:
    from hashlib import sha1

_MOST = 400
"""So many objects are read: for more it is worth while to load libgit2."""

_LARGEST = 1 << 20
"""So many bytes of an object are read, and kept."""

_FAR = 40
"""So many commits are walked; a longer way is git's to go."""

_CRUD = bytes(range(33)) + b".,:;<>\"\\'"
"""What git takes off at both ends of a name (ident.c)."""

_WHO = rb"([^\n<>]+) <([^\n<>]+)> ([0-9]{1,12}) ([+-])(0[0-9]|1[0-4])([0-5][0-9])\n"

_COMMIT = re.compile(
    rb"tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author %b"
    rb"committer %b((?:(?:encoding|gpgsig|gpgsig-sha256|mergetag) [^\n]*\n(?: [^\n]*\n)*)*)\n(?!\n)"
    % (_WHO, _WHO)
)
"""The head of a commit as git writes it."""

_REF = re.compile(r"refs/(?:heads|tags|remotes|notes|gitchange)(?:/[A-Za-z0-9_][A-Za-z0-9_.+#=,%@-]*)+")

_ID = re.compile(r"[0-9a-f]{40}")

_UNWRITTEN = ("4b825dc642cb6eb9a060e54bf8d69288fbee4904", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
"""The empty folder and the empty file, which git knows also where they are not."""

MISSING = "missing"
"""In the place of an object's kind: it is not here, and nothing is wrong with what is."""


class Who:
    """Author or committer, as a commit has them."""

    __slots__ = ("email", "name", "offset", "time")

    def __init__(self, name: bytes, email: bytes, time: int, offset: int) -> None:
        self.name, self.email = name, email
        self.time = time
        """Seconds since 1970."""
        self.offset = offset
        """Minutes east of Greenwich."""


class Read:
    """A commit's parts, unread."""

    __slots__ = ("author", "committer", "message", "parents", "tree")

    def __init__(
        self, tree: str, parents: tuple[str, ...], author: Who, committer: Who, message: bytes
    ) -> None:
        self.tree, self.parents = tree, parents
        self.author, self.committer = author, committer
        self.message = message


class Plain:
    """A plain repository. What gives None here is not plainly so: libgit2 tells."""

    def __init__(self, found: Place, environment: Mapping[str, str], listed: bytes) -> None:
        self.git_dir = found.git_dir
        self.work_dir: str | None = found.around or None
        self.listed = listed
        """What `git config --list --null` says."""
        self._place = found
        # As libgit2 reads: no object stands for another, and none is fetched.
        self._environment = {**environment, "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}
        self._git: pipes.Running | None = None
        self._owner = 0
        """The process that began it."""
        self._asked = 0
        self._objects: dict[str, tuple[str, bytes]] = {}
        self._commits: dict[str, Read] = {}

    # -- refs --------------------------------------------------------------------------------

    def ref(self, name: str) -> tuple[str | None] | None:
        """The commit that a ref names, or None for no such ref, in a tuple."""
        for _ in range(5):
            if (told := self.alias(name)) is None:
                return None
            (other,) = told
            if other is None:
                break
            name = other
        try:
            return (self._place.ref(name),)
        except (ValueError, OSError):
            return None

    def alias(self, name: str) -> tuple[str | None] | None:
        """The ref that a ref names, or None where it names a commit or is none, in a tuple."""
        if name != "HEAD" and not _is_plain(name):
            return None
        try:
            return (self._place.alias(name),)
        except (ValueError, OSError):
            return None

    @property
    def is_cut_off(self) -> bool:
        """Whether the clone is shallow, or has grafts."""
        return self._place.is_cut_off

    # -- objects -----------------------------------------------------------------------------

    def object(self, oid: str) -> tuple[str, bytes] | None:
        """The kind of an object and its bytes; `MISSING` when it is not here."""
        known = self._objects.get(oid)
        if known is not None:
            return known
        if self._asked < _MOST and oid not in _UNWRITTEN and _ID.fullmatch(oid):
            self._asked += 1
            try:
                known = self._ask(oid)
            except (OSError, ValueError):  # it was ended, as by Ctrl-C
                known = None
            if known is None:
                self.close()
            elif known[0] != MISSING:
                self._objects[oid] = known
        return known

    def commit(self, oid: str) -> Read | None:
        """A commit."""
        known = self._commits.get(oid)
        if known is None and (found := self.object(oid)) is not None and found[0] == "commit":
            known = commit_of(found[1])
            if known is not None:
                self._commits[oid] = known
        return known

    def close(self) -> None:
        """End git; nothing more is read."""
        self._asked = _MOST
        self._objects.clear()
        self._commits.clear()
        git, self._git = self._git, None
        if git is None:
            return
        git.answers.close()
        if git.questions is not None:
            os.close(git.questions)
        if self._owner == os.getpid():
            # A forked process may have the other end of its pipe still, so it would not see that nobody asks any more.
            try:
                os.kill(git.process, 9)
                os.waitpid(git.process, 0)
            except (ProcessLookupError, ChildProcessError):
                pass

    def __del__(self) -> None:
        self.close()

    def _ask(self, oid: str) -> tuple[str, bytes] | None:
        git = self._git
        if git is None or self._owner != os.getpid():
            git = self._begin()
        if git is None or git.questions is None:
            return None
        os.write(git.questions, oid.encode() + b"\n")
        fields = git.answers.readline().split()
        if fields == [oid.encode(), b"missing"]:
            return MISSING, b""
        # Whatever git complains of comes here as well: a damaged object is missing to it, too.
        if len(fields) != 3 or fields[0] != oid.encode() or int(fields[2]) > _LARGEST:
            return None
        size = int(fields[2])
        data = git.answers.read(size + 1)
        whole = len(data) == size + 1 and data[-1:] == b"\n"
        data = data[:-1]
        kind = fields[1].decode()
        # As libgit2 does; git itself looks only at what it received.
        return (kind, data) if whole and id_of(kind, data) == oid else None

    def _begin(self) -> pipes.Running | None:
        if self._git is not None:  # the pipes of the process that forked this one
            self._git.answers.close()
            if self._git.questions is not None:
                os.close(self._git.questions)
        self._owner = os.getpid()
        command = ("git", f"--git-dir={self.git_dir}/", "cat-file", "--batch")
        self._git = pipes.begin(command, self._environment, asked=True, loud=True)
        return self._git

    # -- history -----------------------------------------------------------------------------

    def ancestors(self, tip: str, hidden: str) -> list[str] | None:
        """The commits reachable from `tip` and not from `hidden`, children before parents; only for a short stretch."""
        if self.commit(hidden) is None:
            return None
        inner: dict[str, tuple[str, ...]] = {}
        waiting = [tip]
        while waiting:
            oid = waiting.pop()
            if oid == hidden or oid in inner:
                continue
            read = self.commit(oid) if len(inner) < _FAR else None
            # A way that does not end at `hidden` may pass it by, and lead on to what can be reached from there.
            if read is None or not read.parents:
                return None
            inner[oid] = read.parents
            waiting += read.parents
        children = dict.fromkeys(inner, 0)
        for parents in inner.values():
            for parent in parents:
                if parent in children:
                    children[parent] += 1
        found: list[str] = []
        ready = [tip] if tip in inner else []
        while ready:
            oid = ready.pop()
            found.append(oid)
            for parent in reversed(inner[oid]):
                if parent in children:
                    children[parent] -= 1
                    if not children[parent]:
                        ready.append(parent)
        return found

    def is_ancestor(self, ancestor: str, descendant: str) -> bool | None:
        """Whether a commit is reachable from another, both being here."""
        if self.commit(ancestor) is None:
            return None
        seen: set[str] = set()
        waiting = [descendant]
        while waiting:
            oid = waiting.pop(0)
            if oid == ancestor:
                return True
            if oid in seen:
                continue
            if len(seen) == _FAR:
                return self._is_far_ancestor(ancestor, descendant)
            if (read := self.commit(oid)) is None:
                return None
            seen.add(oid)
            waiting += read.parents
        return False

    def _is_far_ancestor(self, ancestor: str, descendant: str) -> bool | None:
        place = f"--git-dir={self.git_dir}/"
        command = ("git", place, *pipes.LITTLE_MEMORY, "merge-base", "--is-ancestor", ancestor, descendant)
        code, _ = pipes.finished(command, self._environment)
        return {0: True, 1: False}.get(code) if code is not None else None


def id_of(kind: str, data: bytes) -> str:
    """The id that git gives to these bytes."""
    said: str = sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()  # noqa: S324 - it is git's choice
    return said


def commit_of(raw: bytes) -> Read | None:
    """The parts of a commit as git writes it; None for any other."""
    head = _COMMIT.match(raw)
    if head is None or b"\0" in raw:
        return None
    tree, parents, *who, _ = head.groups()
    author, committer = _who(*who[:6]), _who(*who[6:])
    if author is None or committer is None:
        return None
    lines = parents.decode().split("\n")[:-1]
    return Read(tree.decode(), tuple(line[7:] for line in lines), author, committer, raw[head.end() :])


def _who(name: bytes, email: bytes, seconds: bytes, sign: bytes, hours: bytes, minutes: bytes) -> Who | None:
    if name.strip(_CRUD) != name or email.strip(_CRUD) != email:
        return None
    offset = int(hours) * 60 + int(minutes)
    return Who(name, email, int(seconds), -offset if sign == b"-" else offset)


def _is_plain(name: str) -> bool:
    return (
        _REF.fullmatch(name) is not None
        and ".." not in name
        and ".lock" not in name
        and "./" not in f"{name}/"
    )


def find(directory: str, environment: Mapping[str, str]) -> Plain | None:
    """The repository that holds a folder, when it is a plain one."""
    try:
        found = place.find(directory, environment)
        listed = found.listed(environment) if found is not None and not found.is_cut_off else None
        if found is None or listed is None or not _is_whole(found):
            return None
    except (OSError, ValueError):
        return None
    settings = dict(_settings(listed))
    bare = {"true": True, "false": False}.get(settings.get("core.bare", ""))
    version = settings.get("core.repositoryformatversion")
    if bare is None or bare is bool(found.around) or version not in ("0", "1"):
        return None
    for name in settings:
        # A partial clone, another hash, a work tree of its own configuration, or something newer than this.
        if name.startswith("extensions.") or name.endswith(".promisor") or name == "core.worktree":
            return None
    return Plain(found, environment, listed)


def _settings(listed: bytes) -> Iterator[tuple[str, str]]:
    for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
        name, _, value = entry.partition("\n")
        yield name, value


def _is_whole(found: Place) -> bool:
    """Whether it has what a Git folder must have, each in its place, and all of it is ours."""
    if not all(os.path.isdir(f"{found.common_dir}/{name}") for name in ("objects", "refs")):
        return False
    if not os.path.isfile(f"{found.git_dir}/HEAD"):
        return False
    if not found.around:
        return True
    link = f"{found.around}/.git"
    if os.path.islink(link) or os.lstat(link).st_uid != os.geteuid():
        return False
    if found.git_dir == link:
        return found.common_dir == found.git_dir
    # The `.git` of a linked work tree is a file; the Git folder must know it by that place.
    try:
        with open(f"{found.git_dir}/gitdir", encoding="utf-8") as pointer:
            return pointer.read().strip() == link
    except FileNotFoundError:
        return False
