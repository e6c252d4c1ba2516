"""The history of a few files is the same whether the index is asked or git."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from gitchange.git import program
from gitchange.git.repository import Repository
from gitchange.index import histories
from tests.company import git, gitchange
from tests.integration.conftest import Take


def told(repo: Path, tip: str, *paths: str) -> None:
    """Both say the same of these files at a commit."""
    repository = Repository.open(repo)
    commit = git(repo, "rev-parse", tip)
    known = list(histories.touches(repository, commit, paths))
    assert known == list(program.touches(repository, commit, *paths))
    assert {touch.path for touch in known} == set(paths)


def index_of(repo: Path) -> Path:
    """Where the index lies."""
    return repo / ".git/gitchange/index.sqlite"


@pytest.fixture
def asked_git(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Which commits `histories` has git leave out, each time that it asks git."""
    asked: list[tuple[str, ...]] = []

    def counted(repository: Repository, tip: str, *paths: str, hidden: tuple[str, ...] = ()) -> object:
        asked.append(hidden)
        return program.touches(repository, tip, *paths, hidden=hidden)

    monkeypatch.setattr(histories, "program", SimpleNamespace(touches=counted))
    return asked


def test_as_far_as_the_index_goes(take: Take, asked_git: list[tuple[str, ...]]) -> None:
    """At the commit of the index git is not asked; behind it only for what came since."""
    scene = take("documented")
    gitchange(scene.repo, "list")
    reached = git(scene.repo, "rev-parse", "HEAD")
    repository = Repository.open(scene.repo)
    assert list(histories.touches(repository, reached, [scene.path]))
    assert asked_git == []
    told(scene.repo, "HEAD", scene.path)
    git(scene.repo, "switch", "-qc", "aside")
    scene.file.write_text(scene.file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    git(scene.repo, "commit", "-qam", "on a branch")
    asked_git.clear()
    assert len(list(histories.touches(repository, git(scene.repo, "rev-parse", "HEAD"), [scene.path]))) == 3
    assert asked_git == [(reached,)]
    told(scene.repo, "HEAD", scene.path)


def test_another_line_of_history(take: Take, asked_git: list[tuple[str, ...]]) -> None:
    """Before the index's commit, without an index, or with a damaged one, git tells."""
    scene = take("documented")
    gitchange(scene.repo, "list")
    repository = Repository.open(scene.repo)
    before = git(scene.repo, "rev-parse", "HEAD~1")
    told(scene.repo, "HEAD~1", scene.path)
    assert asked_git == [()]
    with sqlite3.connect(index_of(scene.repo)) as connection:
        connection.execute("DROP TABLE touch")
    connection.close()
    told(scene.repo, "HEAD", scene.path)
    index_of(scene.repo).write_bytes(b"no database")
    told(scene.repo, "HEAD", scene.path)
    index_of(scene.repo).unlink()
    told(scene.repo, "HEAD", scene.path)
    assert set(asked_git) == {()}
    assert list(histories.touches(repository, before, [scene.path]))
