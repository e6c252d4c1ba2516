"""Stock git, where its own machinery is what users rely on: the network, identities, history walks.

Arguments are lists; nothing passes through a shell. Output is bytes, cut at NUL where git can.
"""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitchange.errors import GitchangeError, RemoteError, RepositoryError, UsageError
from gitchange.git.repository import Person, Repository


@dataclass(frozen=True, slots=True)
class Touch:
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
    """Id of the file after the commit; empty when the commit removed it."""


def run(
    directory: Path, *arguments: str, check: bool = True, data: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a folder and wait for it; RepositoryError with its own words when it fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        raise GitchangeError("the program git was not found", hint="install git") from None
    if check and done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise RepositoryError(f"git {arguments[0]}: {words}")
    return done


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


def touches(repository: Repository, tip: str, *paths: str) -> Iterator[Touch]:
    """Every commit reachable from `tip` that touched files at or below the paths, newest first.

    One `git log` for all of them. `--full-history` keeps both sides of a merge (a simplified history
    would forget an author whose commit another branch repeated), `--diff-merges=combined` shows
    what a merge itself changed.
    """
    process = subprocess.Popen(
        [
            *("git", "-C", str(repository.directory), "log", "--full-history", "--diff-merges=combined"),
            *("--raw", "-z", "--no-renames", "--no-abbrev", "--no-ext-diff", "--no-color", "--no-mailmap"),
            "--format=%x01%H%x02%an%x02%ae%x02%ct%x02%s%x02%(trailers:key=Co-authored-by,valueonly)%x03",
            *(tip, "--", *paths),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        output = process.stdout.read() if process.stdout else b""
        words = process.stderr.read().decode(errors="replace").strip() if process.stderr else ""
    if process.returncode != 0:
        raise RepositoryError(f"git log: {words}")
    for chunk in output.split(b"\x01")[1:]:
        head, _, raw = chunk.partition(b"\x03")
        commit, name, email, moment, subject, trailers = (
            field.decode("utf-8", "replace") for field in head.split(b"\x02", 5)
        )
        co_authors = tuple(
            line.rpartition("<")[2].rstrip("> ").lower() for line in trailers.splitlines() if "<" in line
        )
        time = dt.datetime.fromtimestamp(int(moment), dt.UTC)
        fields = [field.lstrip(b"\n") for field in raw.split(b"\0") if field.strip(b"\n")]
        for meta, path in zip(fields[::2], fields[1::2], strict=False):
            # ":mode mode id id status" or, of a merge, "::mode mode mode id id id statuses"
            words_of = meta.decode().lstrip(":").split()
            ids = [word for word in words_of if len(word) in (40, 64)]
            blob = "" if set(ids[-1]) == {"0"} else ids[-1]
            yield Touch(
                commit, name, email.lower(), co_authors, time, subject, path.decode("utf-8", "replace"), blob
            )


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a remote said to one ref of a push."""

    ref: str
    ok: bool
    message: str


def fetch(repository: Repository, remote: str, refspecs: Sequence[str]) -> None:
    """Fetch refs as given; a ref that the remote does not have is no error when asked with a pattern."""
    done = run(repository.directory, "fetch", "--quiet", "--no-tags", remote, *refspecs, check=False)
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip()
        raise RemoteError(
            f"could not fetch from {remote}: {words}",
            hint="what you signed is kept here; `gitchange sync` sends it when the remote can be reached",
        )


def push(repository: Repository, remote: str, commit: str, ref: str, *, hooks: bool) -> PushResult:
    """Push a commit to a ref of the remote, never by force.

    `hooks` is whether the user's own pre-push hook has a say. RemoteError when the remote could not be reached
    at all.
    """
    done = run(
        repository.directory,
        *("push", "--porcelain", *([] if hooks else ["--no-verify"]), remote, f"{commit}:{ref}"),
        check=False,
    )
    for line in done.stdout.decode(errors="replace").splitlines():
        fields = line.split("\t")
        if len(fields) >= 3 and fields[0] in (" ", "+", "-", "*", "!", "="):
            said = done.stderr.decode(errors="replace").strip().splitlines()
            hook = " ".join(
                words.removeprefix("remote:").strip() for words in said if words.startswith("remote:")
            )
            return PushResult(ref, fields[0] != "!", f"{fields[2]} {hook}".strip())
    words = done.stderr.decode(errors="replace").strip() or "no answer"
    raise RemoteError(
        f"could not push to {remote}: {words}",
        hint="what you signed is kept here; `gitchange sync` sends it when the remote can be reached",
    )
