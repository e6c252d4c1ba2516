"""Programs at the other end of a pipe. `subprocess` would take longer to load than git to answer."""

from __future__ import annotations

import os
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


LITTLE_MEMORY = tuple(
    word
    for setting in ("packedGitWindowSize=8m", "packedGitLimit=64m", "deltaBaseCacheLimit=16m")
    for word in ("-c", f"core.{setting}")
)
"""Git's options for a walk through much history, which reads most objects once: git would keep open all it has read."""


class Running:
    """A program that was begun."""

    def __init__(self, process: int, answers: BinaryIO, questions: int | None) -> None:
        self.process = process
        self.answers = answers
        """What it prints."""
        self.questions = questions
        """Where it reads; None when it reads nothing."""

    def end(self) -> int:
        """Wait until it has ended; its exit code. Whoever prints to nobody who reads ends soon."""
        self.answers.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def begin(
    command: tuple[str, ...], environment: Mapping[str, str], *, asked: bool = False, loud: bool = False
) -> Running | None:
    """Run a program; None when it cannot be run.

    It reads what we write when it is `asked`, otherwise nothing. What it complains of is heard when it is `loud`, among
    its answers.
    """
    out, into = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    given, asking = os.pipe() if asked else (null, None)
    try:
        process = os.posix_spawnp(
            command[0],
            command,
            environment,
            # Everything else of ours is closed in there: Python opens it so.
            file_actions=[
                (os.POSIX_SPAWN_DUP2, given, 0),
                (os.POSIX_SPAWN_DUP2, into, 1),
                (os.POSIX_SPAWN_DUP2, into if loud else null, 2),
            ],
        )
    except OSError:
        for ours in (out, asking):
            if ours is not None:
                os.close(ours)
        return None
    finally:
        for its in {into, null, given}:
            os.close(its)
    return Running(process, open(out, "rb"), asking)


def finished(command: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int | None, bytes]:
    """The exit code of a program and what it prints; None when it cannot be run."""
    running = begin(command, environment)
    if running is None:
        return None, b""
    said = running.answers.read()
    return running.end(), said
