"""The error family: what can end a command, and with which exit code.

    GitchangeError              could not decide or could not do it       exit 3
    ├── UsageError              the command was called wrongly            exit 2
    ├── Refused                 a negative verdict; the work was possible exit 1
    ├── SigningError            the user's signing tool did not sign
    ├── RepositoryError         git says no: a missing object, ref or repository
    └── RemoteError             the remote could not be reached, or it refused

Deciding returns data; an error is for "could not". An error carries facts and a hint; it is
caught once, at the edge (`gitchange.cli`), and printed there.
"""

from __future__ import annotations


class GitchangeError(Exception):
    """Something could not be decided or done; the message says what, the hint how to mend it."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GitchangeError):
    """The command was called in a way that cannot work."""

    exit_code = 2


class Refused(GitchangeError):  # noqa: N818 - an answer, not a mishap
    """The answer is no: a rule forbids it."""

    exit_code = 1


class SigningError(GitchangeError):
    """The user's signing tool did not produce a signature."""


class RepositoryError(GitchangeError):
    """The Git repository is missing, incomplete or refuses the operation."""


class RemoteError(GitchangeError):
    """The remote repository could not be reached or refused the push."""
