"""A work tree of real git for each test."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gitchange.git.repository import Person, Repository
from tests.company import git

WHO = Person(
    "Ada", "ada@example.org", dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty repository with a work tree, whose owner git knows."""
    where = tmp_path / "repo"
    git(tmp_path, "init", "--quiet", "-b", "main", str(where))
    git(where, "config", "user.name", "Ada")
    git(where, "config", "user.email", "ada@example.org")
    return where


@pytest.fixture
def repository(folder: Path) -> Repository:
    """The same, opened."""
    return Repository.open(folder)


def commit(folder: Path, message: str, *options: str, **files: str | None) -> str:
    """Write files (None removes one), commit everything; the commit's id. `__` in a name is a slash."""
    for name, text in files.items():
        target = folder / name.replace("__", "/")
        if text is None:
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message, *options)
    return git(folder, "rev-parse", "HEAD")
