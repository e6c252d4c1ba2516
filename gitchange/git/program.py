"""Stock git, where its own machinery is what users rely on: the network, identities, history walks.

Arguments are lists; nothing passes through a shell. Output is bytes, cut at NUL where git can.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import time
from pathlib import Path

from gitchange.errors import GitchangeError, RemoteError, RepositoryError, UsageError
from gitchange.git import pipes
from gitchange.git.locks import PAUSES, locked
from gitchange.git.repository import Person, moment
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess  # it takes longer to load than most of what git is asked
    from collections.abc import Iterator, Sequence
    from typing import Literal

    from gitchange.git.repository import Repository

    Refusal = Literal["race", "final", "unknown"]
    """Why a ref was refused: somebody else was faster; it is not allowed; words that are not known here."""


class Touch(Value):
    """One commit that touched one file."""

    commit: str
    author_name: str
    author_email: str
    co_authors: tuple[str, ...]
    """Addresses of `Co-authored-by` trailers."""
    time: dt.datetime
    """Committer time."""
    subject: str
    path: str
    blob: str
    """Id of the file after the commit; empty when the commit removed it, or put a submodule in its place."""


def run(
    directory: Path, *arguments: str, check: bool = True, data: bytes | None = None, english: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder and wait for it; RepositoryError with its own words when it fails.

    `english` is for what is recognised by git's words, which it would translate otherwise.
    """
    import subprocess  # noqa: PLC0415 - for the sake of start-up time

    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"} if english else None,
        )
    except FileNotFoundError:
        raise GitchangeError("the program git was not found", hint="install git") from None
    if check and done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise RepositoryError(f"git {arguments[0]}: {words}")
    return done


def clone(url: str, directory: Path) -> None:
    """Clone with stock git, which asks for what it needs and shows its progress; RemoteError when it fails."""
    import subprocess  # noqa: PLC0415 - for the sake of start-up time

    try:
        done = subprocess.run(["git", "clone", "--origin=origin", "--", url, str(directory)], check=False)
    except FileNotFoundError:
        raise GitchangeError("the program git was not found", hint="install git") from None
    if done.returncode != 0:
        raise RemoteError(f"could not clone {url}", hint="git said why, above")


def is_branch_name(repository: Repository, name: str) -> bool:
    """Whether git takes it for the name of a branch."""
    return run(repository.directory, "check-ref-format", "--branch", name, check=False).returncode == 0


def identity(repository: Repository, role: str) -> Person:
    """Who git would write as AUTHOR or COMMITTER now; UsageError when it does not know."""
    done = run(repository.directory, "var", f"GIT_{role}_IDENT", check=False)
    if done.returncode != 0:
        raise UsageError(
            "git does not know who you are",
            hint="`git config --global user.name NAME` and `git config --global user.email ADDRESS`",
        )
    text = done.stdout.decode(errors="replace").strip()
    name, _, rest = text.rpartition(" <")
    email, _, moment = rest.partition("> ")
    seconds, offset = moment.split()
    sign = -1 if offset.startswith("-") else 1
    minutes = sign * (int(offset[1:3]) * 60 + int(offset[3:5]))
    zone = dt.timezone(dt.timedelta(minutes=minutes))
    return Person(name, email, dt.datetime.fromtimestamp(int(seconds), zone))


def touches(
    repository: Repository, tip: str | Sequence[str], *paths: str, hidden: Sequence[str] = ()
) -> Iterator[Touch]:
    """Every commit reachable from `tip` that touched files at or below the paths, descendants first.

    `tip` is one commit or several (`--all`: all refs), `hidden` commits from which nothing reachable is looked at.

    One `git log` for all of them. `--full-history` keeps both sides of a merge (a simplified history
    would forget an author whose commit another branch repeated), `--diff-merges=combined` shows
    what a merge itself changed, `--topo-order` trusts no clock. Fields are cut at NUL, the one byte that
    no name and no message can have.
    """
    return _touches(repository, (tip,) if isinstance(tip, str) else tip, paths, hidden)


def all_touches(repository: Repository, tip: str, folder: str) -> Iterator[Touch]:
    """The same for one commit and all that is, or lies below, one folder at the root: for a folder that most touched.

    With paths, git compares the folders of each commit twice: once to see whether it touched them, and once to tell
    how. So here it is told of none. It looks at the other folders, too: they must be here, all of them, RepositoryError
    when they are not.
    """
    below = f"{folder}/"
    for touch in _touches(repository, (tip,), (), ()):
        if touch.path.startswith(below) or touch.path == folder:
            yield touch


def _touches(
    repository: Repository, tips: Sequence[str], paths: Sequence[str], hidden: Sequence[str]
) -> Iterator[Touch]:
    fields = fields_of(
        repository.directory,
        *_LITTLE_MEMORY,
        *(
            "-c",
            "log.follow=false",
            "-c",
            "diff.relative=false",
            "--no-replace-objects",
            "--literal-pathspecs",
        ),
        *("log", "--full-history", "--diff-merges=combined", "--topo-order", *RAW_LOG, "--encoding=UTF-8"),
        "--format=%x00%H%x00%an%x00%ae%x00%ct%x00%s%x00%(trailers:key=Co-authored-by,valueonly)%x00",
        *tips,
        *(f"^{commit}" for commit in hidden),
        *("--", *paths),
    )
    commit = name = email = subject = ""
    when = moment(0)
    co_authors: tuple[str, ...] = ()
    for field in fields:
        first = field.strip(b"\n").decode()
        if first.startswith(":"):
            # ":mode mode id id status" or, of a merge, "::mode mode mode id id id statuses"
            told = first.lstrip(":").split()
            ids = told[len(told) // 2 : -1]
            mode = told[len(ids) - 1]  # as many modes as ids, the newest last
            blob = "" if mode in ("000000", "160000") else ids[-1]
            path = next(fields).decode("utf-8", "replace")
            yield Touch(commit, name, email, co_authors, when, subject, path, blob)
        elif first:
            commit = first
            name, email, number, subject, trailers = (
                next(fields).decode("utf-8", "replace") for _ in range(5)
            )
            # git gives no date for a line that has none
            email, when = email.lower(), moment(int(number) if number.isdigit() else 0)
            co_authors = tuple(
                line.rpartition("<")[2].rstrip("> ").lower() for line in trailers.split("\n") if "<" in line
            )


class Stride(Value):
    """One commit of a history, and what it changed of its first parent's files."""

    commit: str
    parents: tuple[str, ...]
    changed: tuple[tuple[str, str, str], ...]
    """(path, id before, id after), "" where there is none; all files of a commit without parents."""


def strides(repository: Repository, tips: Sequence[str]) -> Iterator[Stride]:
    """Every commit reachable from the tips, parents before children, by one `git log`.

    A submodule is no file here: its id names nothing in this repository.
    """
    if not tips:
        return
    fields = fields_of(
        repository.directory,
        *_LITTLE_MEMORY,
        *("-c", "log.showRoot=true", "-c", "diff.relative=false", "--no-replace-objects"),
        *("log", "--reverse", "--topo-order", "--diff-merges=first-parent", "-r", *RAW_LOG),
        "--format=%x00%H%x00%P%x00",
        *tips,
        "--",
    )
    commit: str = ""
    parents: tuple[str, ...] = ()
    changed: list[tuple[str, str, str]] = []
    for field in fields:
        head = field.strip(b"\n")
        if head.startswith(b":"):
            modes, ids = head[1:14], head[15:].decode().split(" ")
            was = "" if modes[:6] in _NO_FILE else ids[0]
            now = "" if modes[7:] in _NO_FILE else ids[1]
            changed.append((next(fields).decode("utf-8", "replace"), was, now))
        elif head:
            if commit:
                yield Stride(commit, parents, tuple(changed))
            commit, parents, changed = head.decode(), tuple(next(fields).decode().split()), []
    if commit:
        yield Stride(commit, parents, tuple(changed))


def parents_of(repository: Repository, tip: str) -> dict[str, list[str]]:
    """Every commit reachable from one, with its parents, children before parents."""
    listed = run(
        repository.directory,
        *(*_LITTLE_MEMORY, "--no-replace-objects", "rev-list", "--topo-order", "--parents", tip, "--"),
    )
    return {commit: parents for commit, *parents in map(str.split, listed.stdout.decode().splitlines())}


_LITTLE_MEMORY = tuple(
    word
    for setting in ("packedGitWindowSize=8m", "packedGitLimit=64m", "deltaBaseCacheLimit=16m")
    for word in ("-c", f"core.{setting}")
)
"""For a walk through all history, which reads most objects once: git would keep open all that it has read."""

RAW_LOG = (
    *("--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-color", "--no-mailmap"),
    "--no-show-signature",
)
_NO_FILE = (b"000000", b"160000")


def fields_of(directory: Path, *arguments: str) -> Iterator[bytes]:
    """What a `git log` writes, cut at NUL, while it is written; RepositoryError with its own words when it fails."""
    git = pipes.begin(("git", "-C", str(directory), *arguments), os.environ)
    if git is None:
        raise GitchangeError("the program git was not found", hint="install git")
    try:
        rest = b""
        while block := git.answers.read(_BLOCK):
            *whole, rest = (rest + block).split(b"\0")
            yield from whole
    finally:
        code = git.end()
    if code != 0:
        again = run(directory, *arguments, check=False)  # for its words
        raise RepositoryError(f"git log: {again.stderr.decode(errors='replace').strip()}")
    yield rest


_BLOCK = 1 << 18
"""How many bytes of a program's output are read at once."""


_RACES = (
    "non-fast-forward",  # git's own, before sending: the remote has what we do not descend from
    "fetch first",
    "failed to update ref",  # receive-pack's: another push holds the lock, or has moved the ref meanwhile
    "cannot lock ref",
    "failed to lock",
    "reference already exists",  # the same since git 2.50
    "reference does not exist",
    "incorrect old value provided",
)

_FINAL = (
    "hook declined",  # of pre-receive and update hooks (gitolite), and of GitLab's and GitHub's protected branches
    "push declined due to",  # GitHub's rules
    "prohibited by gerrit",
    "deny updating a hidden ref",
    "not allowed",
    "not permitted",
    "permission denied",
    "denied by",
    "read-only",
    "no space left on device",
    "quota exceeded",
    "exists; cannot create",  # a ref stands where a folder of refs is needed
    "refname conflict",
    "branch is currently checked out",
    "funny refname",
)


_BROKEN = (
    "connection reset by",
    "connection closed by",  # sshd's MaxStartups: too many who have not logged in yet
    "broken pipe",
    "early eof",
    "unexpected disconnect",
    "rpc failed",
    "returned error: 429",
    "returned error: 502",
    "returned error: 503",
    "returned error: 504",
)


_NO_ACCESS = (
    "could not read username",  # a web server asks, no helper knows, and there is no terminal
    "could not read password",
    "terminal prompts disabled",
    "authentication failed",
    "returned error: 401",
    "returned error: 403",
    "permission denied",  # ssh's (publickey), and a shared folder's
    "host key verification failed",
    "denied by",  # gitolite's
    "access denied",
)


class ConnectionBrokenError(RemoteError):
    """The remote was there, and then it was not: it is busy, or the line broke; trying again may help."""


class NoAccessError(RemoteError):
    """The remote does not know the user, or does not let this user in."""


def _not_reached(what: str, remote: str, done: subprocess.CompletedProcess[bytes]) -> RemoteError:
    """The error for a remote that gave no answer, by the words of git, ssh and curl."""
    said = done.stderr.decode(errors="replace").strip() or "no answer"
    words = said.casefold()
    if any(phrase in words for phrase in _NO_ACCESS):
        return NoAccessError(
            f"{what}: {said}",
            hint=f"the server does not let you in: `git ls-remote {remote}` at a terminal asks for what is missing. "
            "What you signed is kept here; `gitchange sync` sends it afterwards",
        )
    hint = "what you signed is kept here; `gitchange sync` sends it when the remote can be reached"
    if any(phrase in words for phrase in _BROKEN):
        return ConnectionBrokenError(f"{what}: {said}", hint=hint)
    return RemoteError(f"{what}: {said}", hint=hint)


def _why_refused(said: str) -> Refusal:
    """What kind of refusal a server's words are; the words of receive-pack and of forges are not translated.

    What is final is looked for first: a lock that cannot be made for want of permission is no race.
    """
    words = said.casefold()
    if "[ref.moved]" in words:  # our own hook's, which looks before git does
        return "race"
    if any(phrase in words for phrase in _FINAL):
        return "final"
    return "race" if any(phrase in words for phrase in _RACES) else "unknown"


class PushResult(Value):
    """What a remote said to one ref of a push."""

    ref: str
    message: str
    """In git's words and the server's."""
    refusal: Refusal | None
    """None when the remote took it."""

    @property
    def ok(self) -> bool:
        """Whether the remote took it."""
        return self.refusal is None


def fetch(repository: Repository, remote: str, refspecs: Sequence[str]) -> None:
    """Fetch refs as given; a ref that the remote does not have is no error when asked with a pattern."""
    for pause in (*PAUSES, None):
        # Without a map of its own git would also follow the configured one: a mirror's overwrites what is here.
        command = ("fetch", "--quiet", "--no-tags", "--prune", "--refmap=", remote, *refspecs)
        done = run(repository.directory, *command, check=False, english=True)
        if done.returncode == 0:
            return
        words = done.stderr.decode(errors="replace")
        lock = re.search(_LOCK_FILE, words)
        # Another git fetches into the same refs, or was killed while it did.
        if lock is None and "cannot lock ref" not in words:
            break
        if pause is None and lock is not None:
            raise locked("what was fetched", Path(lock[1]), repository.places)
        import random  # noqa: PLC0415 - for the sake of start-up time

        time.sleep((pause or 0) * random.uniform(0.5, 1.5))  # noqa: S311
    raise _not_reached(f"could not fetch from {remote}", remote, done)


_LOCK_FILE = r"'(/[^'\n]+\.lock)'"
"""The lock file that git names when it cannot make it, in whatever language."""


def ls_remote(repository: Repository, remote: str, patterns: Sequence[str], seconds: float) -> dict[str, str]:
    """What the remote has by these names: full ref name -> commit. RemoteError when it does not answer in time."""
    import subprocess  # noqa: PLC0415 - for the sake of start-up time

    hint = f"look at its address (`git remote -v`), the network and your access: `git ls-remote {remote}`"
    command = ["git", "-C", str(repository.directory), "ls-remote", "--quiet", "--refs", remote, *patterns]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=seconds
        )
    except FileNotFoundError:
        raise GitchangeError("the program git was not found", hint="install git") from None
    except subprocess.TimeoutExpired:
        raise RemoteError(f"{remote} did not answer within {seconds:g} seconds", hint=hint) from None
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise RemoteError(f"could not ask {remote}: {words}", hint=hint)
    lines = (line.split("\t", 1) for line in done.stdout.decode(errors="replace").splitlines())
    return {fields[1]: fields[0] for fields in lines if len(fields) == 2}


def push(
    repository: Repository,
    remote: str,
    commit: str,
    ref: str,
    *,
    hooks: bool,
    beside: tuple[str, str] | None = None,
) -> PushResult:
    """Push a commit to a ref of the remote, never by force.

    `hooks` is whether the user's own pre-push hook has a say; `beside` a second commit and ref, of which both land
    or none. RemoteError when the remote could not be reached at all, or cannot do that.
    """
    done = run(
        repository.directory,
        # A user's push.followTags would add refs of which nobody spoke.
        *("push", "--porcelain", "--no-follow-tags", *([] if hooks else ["--no-verify"])),
        *(("--atomic", remote, ":".join(beside)) if beside else (remote,)),
        f"{commit}:{ref}",
        check=False,
        english=True,
    )
    for line in done.stdout.decode(errors="replace").splitlines():
        fields = line.split("\t")
        if len(fields) >= 3 and fields[0] in (" ", "+", "-", "*", "!", "=") and fields[1].endswith(f":{ref}"):
            said = done.stderr.decode(errors="replace").strip().splitlines()
            told = [words.removeprefix("remote:").strip() for words in said if words.startswith("remote:")]
            told = [words for words in told if words]
            message = " ".join([fields[2], "\n  ".join(told)]).strip()
            return PushResult(ref, message, _why_refused(message) if fields[0] == "!" else None)
    raise _not_reached(f"could not push to {remote}", remote, done)


def tree_changes(
    repository: Repository, pairs: Sequence[tuple[str, str]]
) -> Iterator[list[tuple[str, str, str]]]:
    """For each pair of trees the files that differ: (path, old id, new id), "" where there is none.

    A submodule is none: its id names nothing in this repository.
    One `git diff-tree` for all pairs: it skips equal folders, and starts once.
    """
    if not pairs:
        return
    asked = "".join(f"{old} {new}\n" for old, new in pairs).encode()
    done = run(
        repository.directory,
        *("--no-replace-objects", "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"),
        data=asked,
    )
    fields = iter(done.stdout.split(b"\0"))
    current: list[tuple[str, str, str]] = []
    headed = 0
    for field in fields:
        # A pair is announced by "old new\n" before its first entry, or alone when nothing differs.
        while b"\n" in field and not field.startswith(b":"):
            head, _, field = field.partition(b"\n")  # noqa: PLW2901
            if pairs[headed : headed + 1] != [tuple(head.decode("utf-8", "replace").split())]:
                break  # git passed over a pair
            if headed:
                yield current
            current, headed = [], headed + 1
        if field.startswith(b":"):
            ids = field.decode().split()
            path = next(fields).decode("utf-8", "replace")
            modes = (ids[0].removeprefix(":"), ids[1])
            was, now = (
                "" if mode in ("000000", "160000") else oid for mode, oid in zip(modes, ids[2:4], strict=True)
            )
            current.append((path, was, now))
    if headed != len(pairs):
        raise RepositoryError(
            f"git diff-tree could not compare {' and '.join(pairs[headed])}",
            hint="`git fsck` tells more; another clone has the objects whole",
        )
    yield current
