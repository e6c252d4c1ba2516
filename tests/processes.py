"""The processes that a test has begun, as Linux tells: also those that have ended and are not waited for."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def own_name() -> str:
    """What this process, and so a fork of it, is called."""
    return Path("/proc/self/comm").read_text().rstrip("\n")


def children(name: str) -> list[int]:
    """This process's children of that name. Others, as a browser's, may live as long as they like."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended just now
            parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == os.getpid() and (place / "comm").read_text().rstrip("\n") == name:
                found.append(int(place.name))
    return sorted(found)


def speaking_of(text: str) -> list[int]:
    """Whoever's processes whose command line has that text, as a path that is the test's own; this one excepted."""
    found: list[int] = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(place.name) != os.getpid() and text.encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return sorted(found)


def left_of(text: str, *, within: float) -> list[int]:
    """Those of `speaking_of` that have not ended after so many seconds: a killed one needs a moment to be gone,
    and sshd's process for one connection is of a session of its own, which ends when it sees the connection's end."""
    last = time.monotonic() + within
    while (found := speaking_of(text)) and time.monotonic() < last:
        time.sleep(0.02)
    return found
