"""Repositories of applications: what was committed to them, by stock git. Nothing is ever written there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from gitchange.errors import RepositoryError, UsageError
from gitchange.git.program import RAW_LOG, fields_of, run
from gitchange.values import Value

_ID = re.compile(r"[0-9a-f]{7,64}")


class AppCommit(Value):
    """A commit as it is, and which files differ from those of its first parent."""

    id: str
    parents: tuple[str, ...]
    author: str
    """The author's address, in small letters."""
    co_authors: tuple[str, ...]
    """Addresses of `Co-authored-by` trailers."""
    time: int
    """The committer's time, in seconds since 1970."""
    message: str
    changes: tuple[str, ...]
    """Values of `Change` trailers, as git finds them."""
    paths: tuple[str, ...]

    @property
    def subject(self) -> str:
        """The message's first line."""
        return self.message.partition("\n")[0]


class Line(Value):
    """A range of an application's history: the commits of the first-parent line, each with what it merged."""

    commits: tuple[AppCommit, ...]
    """Newest first."""
    merged: dict[str, tuple[AppCommit, ...]]
    """By merge, the commits that came with it and with no earlier one, newest first."""


class Application:
    """A clone of an application's repository."""

    def __init__(self, directory: Path) -> None:
        """UsageError when there is no repository."""
        self.directory = directory
        if not directory.is_dir() or run(directory, "rev-parse", "--git-dir", check=False).returncode != 0:
            raise UsageError(f"there is no Git repository at {directory}", hint="--repo DIR names a clone")

    def commit(self, revision: str) -> str:
        """The full id of the commit that a revision names; UsageError when there is none."""
        found = self._object(revision)
        if found is None:
            raise UsageError(
                f"{self.directory} has no commit {revision!r}", hint="`git fetch --tags`, or correct the name"
            )
        return found

    def parent_of(self, commit: str) -> str | None:
        """The first parent of a commit; None when it has none."""
        return self._object(f"{commit}^1")

    def _object(self, revision: str) -> str | None:
        if revision.startswith("-"):
            return None
        told = run(
            self.directory,
            *("--no-replace-objects", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"),
            check=False,
        )
        return told.stdout.decode().strip() if told.returncode == 0 else None

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether `one` is `other` or reachable from it."""
        told = run(
            self.directory, *("--no-replace-objects", "merge-base", "--is-ancestor", one, other), check=False
        )
        return told.returncode == 0

    def line(self, base: str | None, head: str) -> Line:
        """The commits after `base` (None: from the first one on) up to `head`, by one `git log`.

        RepositoryError where the clone is shallow: what is not there cannot be told.
        """
        if run(self.directory, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            raise RepositoryError(
                f"{self.directory} is a shallow clone, whose history is cut off",
                hint="`git fetch --unshallow --tags`; in CI: fetch-depth: 0, or GIT_DEPTH: 0",
            )
        commits = {commit.id: commit for commit in self._log(base, head)}
        first: list[AppCommit] = []
        at: str | None = head
        while at in commits:
            first.append(commits[at])
            at = commits[at].parents[0] if commits[at].parents else None
        taken = {commit.id for commit in first}
        merged: dict[str, tuple[AppCommit, ...]] = {}
        for merge in reversed(first):  # what two merges bring belongs to the earlier
            brought: list[AppCommit] = []
            ahead = list(merge.parents[1:])
            while ahead:
                commit = commits.get(ahead.pop())
                if commit is None or commit.id in taken:
                    continue
                taken.add(commit.id)
                brought.append(commit)
                ahead += commit.parents
            if brought:
                merged[merge.id] = tuple(brought)
        return Line(tuple(first), merged)

    def _log(self, base: str | None, head: str, *options: str) -> Iterable[AppCommit]:
        fields = fields_of(
            self.directory,
            *("-c", "log.showRoot=true", "-c", "diff.relative=false", "--no-replace-objects"),
            *("log", "--topo-order", "--diff-merges=first-parent", "-r", *RAW_LOG, "--encoding=UTF-8"),
            *options,
            "--format=%x00%H%x00%P%x00%ae%x00%ct%x00%B%x00%(trailers:key=Change,valueonly)%x00"
            "%(trailers:key=Co-authored-by,valueonly)%x00",
            head,
            *([f"^{base}"] if base else []),
            "--",
        )
        told: list[str] = []
        paths: list[str] = []
        for field in fields:
            start = field.strip(b"\n")
            if start.startswith(b":"):
                paths.append(next(fields).decode("utf-8", "replace"))
            elif start:
                if told:
                    yield _commit(told, paths)
                told = [start.decode(), *(next(fields).decode("utf-8", "replace") for _ in range(6))]
                paths = []
        if told:
            yield _commit(told, paths)

    def one(self, commit: str) -> AppCommit | None:
        """One commit by its full id; None where it cannot be read."""
        for found in self._log(None, commit, "--max-count=1"):
            return found
        return None

    def present(self, commits: Sequence[str]) -> list[str]:
        """Which of these full ids are commits of this clone."""
        if not commits:
            return []
        listed = "".join(f"{commit}\n" for commit in commits).encode()
        told = run(self.directory, "--no-replace-objects", "cat-file", "--batch-check", data=listed)
        return [
            line.split()[0] for line in told.stdout.decode().splitlines() if line.split()[1:2] == ["commit"]
        ]

    def remotes(self) -> tuple[str, ...]:
        """The addresses of its remotes."""
        told = run(
            self.directory, *("config", "--null", "--get-regexp", r"^remote\..*\.(url|pushurl)$"), check=False
        )
        entries = told.stdout.decode(errors="replace").split("\0")
        return tuple(dict.fromkeys(entry.partition("\n")[2] for entry in entries if "\n" in entry))

    def last_tag(self, pattern: str, before: str) -> tuple[str, str] | None:
        """The nearest tag of that pattern on an ancestor of a commit, not on itself: its name and commit.

        The nearest is the one from which the fewest commits lead here; of several, the newest version.
        """
        told = run(
            self.directory,
            *("--no-replace-objects", "for-each-ref", f"--merged={before}", "--sort=-version:refname"),
            *("--format=%(refname:strip=2)%00%(objectname)%00%(*objectname)", f"refs/tags/{pattern}"),
        )
        found = []
        for line in told.stdout.decode(errors="replace").splitlines():
            name, own, peeled = line.split("\0")
            if (commit := peeled or own) != before:
                found.append((name, commit))
        tops = self._independent([commit for _, commit in found])
        nearest = [(name, commit) for name, commit in found if commit in tops]
        if len(tops) > 1:
            nearest.sort(key=lambda tag: self._distance(tag[1], before))
        return nearest[0] if nearest else None

    def _independent(self, commits: Sequence[str]) -> set[str]:
        """Those that are no ancestors of others among them."""
        unique = list(dict.fromkeys(commits))
        if len(unique) < 2:
            return set(unique)
        told = run(self.directory, "--no-replace-objects", "merge-base", "--independent", *unique)
        return set(told.stdout.decode().split())

    def _distance(self, one: str, other: str) -> int:
        told = run(self.directory, "--no-replace-objects", "rev-list", "--count", f"{one}..{other}")
        return int(told.stdout)

    def named(self, revisions: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The commits that ids, tags and ranges of them (`A..B`) name, newest first; nothing for what is not here.

        Nothing for branches and `HEAD` either: who named one meant a commit of that day, and it has moved on since.
        """
        found: dict[str, tuple[str, ...]] = {}
        for revision in revisions:
            one, dots, other = revision.partition("..")
            first = self._fixed(one)
            if not dots:
                found[revision] = (first,) if first else ()
                continue
            last = self._fixed(other)
            if first is None or last is None:
                found[revision] = ()
                continue
            told = run(
                self.directory, "--no-replace-objects", "rev-list", last, f"^{first}", "--", check=False
            )
            found[revision] = tuple(told.stdout.decode().split()) if told.returncode == 0 else ()
        return found

    def _fixed(self, revision: str) -> str | None:
        """The commit of an id, perhaps shortened, or of a tag."""
        if _ID.fullmatch(revision):
            return self._object(revision)
        return self._object(f"refs/tags/{revision}") if revision else None

    def patch_ids(self, commits: Iterable[str]) -> dict[str, str]:
        """What names each commit's difference from its parent, wherever it is applied (`git patch-id --stable`).

        Merges have none.
        """
        wanted = list(commits)
        if not wanted:
            return {}
        listed = "".join(f"{commit}\n" for commit in wanted).encode()
        shown = run(
            self.directory,
            *("--no-replace-objects", "diff-tree", "-p", "--stdin", "--root", "--no-ext-diff", "--no-color"),
            data=listed,
        )
        told = run(self.directory, "patch-id", "--stable", data=shown.stdout)
        pairs = (line.split() for line in told.stdout.decode().splitlines())
        return {commit: patch for patch, commit in pairs}

    def patch_id_of(self, one: str, other: str) -> str | None:
        """The same of the whole difference between two commits; None when there is none."""
        shown = run(
            self.directory,
            *("--no-replace-objects", "diff-tree", "-p", "--no-ext-diff", "--no-color", one, other),
        )
        told = run(self.directory, "patch-id", "--stable", data=shown.stdout).stdout.split()
        return told[0].decode() if told else None

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None when there is none."""
        told = run(self.directory, "--no-replace-objects", "merge-base", one, other, check=False)
        return told.stdout.decode().strip() if told.returncode == 0 else None


def _commit(told: Sequence[str], paths: Sequence[str]) -> AppCommit:
    commit, parents, author, when, message, changes, co_authors = told
    return AppCommit(
        commit,
        tuple(parents.split()),
        author.lower(),
        tuple(line.rpartition("<")[2].rstrip("> ").lower() for line in co_authors.split("\n") if "<" in line),
        int(when) if when.isdigit() else 0,
        message,
        tuple(line.strip() for line in changes.split("\n") if line.strip()),
        tuple(paths),
    )
