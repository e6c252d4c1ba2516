"""Locks: git's, which are files, and ours, which the system takes back from a process that ends.

git and libgit2 lock a ref, the index or the configuration with a file `NAME.lock`. Whoever is killed leaves it, and it
looks like the lock of somebody at work. So we wait a moment, and then say which file it is, since when it is there
and who may have made it. None is ever removed here: that is for a person to decide. Where only other gitchanges
must be kept out, flock(2) locks a folder, and leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import time
from contextlib import contextmanager
from pathlib import Path

from gitchange.git.failures import WriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
"""Seconds between attempts to take a lock, about one in all: git holds one for milliseconds."""

_PATIENCE = 60.0
"""Seconds to wait for another gitchange: it may be bringing thousands of files up to date."""


class LockedError(WriteError):
    """Somebody holds a lock, or was killed while holding it."""


def locked(what: str, lock: Path, places: Iterable[Path]) -> LockedError:
    """The error that explains a lock file: which, since when, who may hold it, and what to do.

    `places` are the folders of the repository: work tree and Git folder.
    """
    try:
        since = dt.datetime.fromtimestamp(lock.stat().st_mtime, dt.UTC)
    except OSError:
        return LockedError(f"{what} was locked all the time: {lock} came and went", hint="run it again")
    message = f"{what} is locked: {lock} is there since {since:%Y-%m-%d %H:%M:%S} UTC"
    import shlex  # noqa: PLC0415 - loaded where it is used

    remove = f"`rm {shlex.quote(str(lock))}`"
    found = at_work(places)
    if found is None:
        return LockedError(
            message, hint=f"when no git and no gitchange is at work in this repository, {remove}"
        )
    if found:
        named = ", ".join(f"{words} (process {number})" for number, words in found)
        return LockedError(
            f"{message}, and at work in this repository: {named}",
            hint=f"wait until that has ended; if the lock is still there then, {remove}",
        )
    return LockedError(
        f"{message}, and no git and no gitchange is at work in this repository on this machine",
        hint=f"whoever made it was killed; {remove}",
    )


def at_work(places: Iterable[Path]) -> tuple[tuple[int, str], ...] | None:
    """The other processes of git and gitchange in a repository: number and command; None where that cannot be told.

    By /proc, so on Linux alone. Somebody at work on another machine, over a network file system, is not seen.
    """
    roots = [place.resolve() for place in places]
    try:
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    found: list[tuple[int, str]] = []
    for number in sorted(numbers):
        try:
            words = Path(f"/proc/{number}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            # Without a shell between: an editor that has a file of the repository open is no git.
            mine = number == os.getpid() or not _is_git(words)
            if not mine and _is_in(Path(f"/proc/{number}/cwd").readlink(), words, roots):
                found.append((number, " ".join(word for word in words if word)[:80]))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return tuple(found)


def _is_git(words: list[str]) -> bool:
    names = [Path(word).name for word in words[:3]]
    return names[0].startswith("git") or (
        names[0].startswith("python") and any(name.startswith("gitchange") for name in names[1:])
    )


def _is_in(folder: Path, words: list[str], roots: list[Path]) -> bool:
    """Whether a process works in one of the folders, or names one of them on its command line."""
    named = [folder, *((folder / word).resolve() for word in words[1:] if word and "\n" not in word)]
    return any(place.is_relative_to(root) for place in named for root in roots)


@contextmanager
def lock_file(what: str, lock: Path, places: Iterable[Path]) -> Iterator[None]:
    """Hold a lock file as git does: made anew or not at all, and removed in the end. LockedError after some waiting."""
    for pause in (*PAUSES, None):
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            break
        except FileExistsError:
            if pause is None:
                raise locked(what, lock, places) from None
            time.sleep(pause)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path, places: Iterable[Path]) -> Iterator[None]:
    """Be the only gitchange that does this in a folder, which must exist; LockedError after a minute of waiting.

    A killed process leaves nothing: the system takes its lock back.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        waited = 0.0
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited >= _PATIENCE:
                    who = ", ".join(f"{words} (process {number})" for number, words in at_work(places) or ())
                    raise LockedError(
                        f"another gitchange is at work in {folder}{': ' if who else ''}{who}",
                        hint="wait until it has ended, or end it",
                    ) from None
                time.sleep(0.02)
                waited += 0.02
            except OSError:
                break  # a file system without flock: compare-and-swap of refs still holds
        yield
    finally:
        os.close(descriptor)
