"""A repository of real git, empty for each test that writes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gitchange.git.repository import Person, Repository
from tests.company import git

WHO = Person("Ada", "ada@example.org", dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC))


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty bare repository whose owner git knows."""
    git(tmp_path, "init", "--quiet", "--bare", "repo.git")
    folder = tmp_path / "repo.git"
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.org")
    return Repository.open(folder)
