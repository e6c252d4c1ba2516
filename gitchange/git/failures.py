"""Why something cannot be written (a full disk, a read-only one, missing rights), as an error that says the mend."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager

from gitchange.errors import RepositoryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class WriteError(RepositoryError):
    """Something could not be written here; what was there is there still."""


_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def of_libgit2(*beside: type[Exception]) -> tuple[type[Exception], ...]:
    """For an `except`: what libgit2 raises, nothing where it is not loaded, and these."""
    raised: type[Exception] | None = getattr(sys.modules.get("pygit2"), "GitError", None)
    return (raised, *beside) if raised is not None else beside


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn what the system or libgit2 says about a write below a folder into a WriteError."""
    try:
        yield
    except of_libgit2(OSError) as error:
        raise cannot_write(place, error) from None


def cannot_write(place: Path, error: Exception) -> WriteError:
    """The error for a write below a folder that failed with this exception of the system's or libgit2's."""
    words = str(error)
    if isinstance(error, OSError) and error.strerror:
        words = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if words in ("", "no error"):
        # libgit2 says nothing when the disk is full while it writes an object.
        words = os.strerror(errno.ENOSPC) if _is_full(place) else "the system did not say why"
    hint = "`git fsck` tells more about the repository"
    if _says(words, error, _FULL):
        hint = "make room on that disk (`df -h`) and run it again; nothing that was there is lost"
    elif _says(words, error, _FORBIDDEN):
        hint = "it must be writable to you: look at its owner and rights, and at how its disk is mounted"
    return WriteError(f"{place} cannot be written: {words}", hint=hint)


def _says(words: str, error: Exception, numbers: tuple[int, ...]) -> bool:
    """libgit2 gives no number, only the system's words for it."""
    return getattr(error, "errno", None) in numbers or any(os.strerror(number) in words for number in numbers)


def _is_full(place: Path) -> bool:
    try:
        there = os.statvfs(place)
    except OSError:
        return False
    return there.f_bavail == 0 or (there.f_files > 0 and there.f_favail == 0)
