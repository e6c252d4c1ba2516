"""The word for what a site is made from: it changes whenever any of that does, and not at what is none of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitchange.git.repository import Repository
from gitchange.site import watching
from tests.unit.site.repository import ConfigurationRepository


@pytest.fixture
def folder(real: ConfigurationRepository, tmp_path: Path) -> Path:
    """A clone with hand-written pages."""
    clone = real.clone(tmp_path / "clone")
    (clone / "docs").mkdir(exist_ok=True)
    (clone / "docs" / "page.md").write_text("one\n")
    (clone / "mkdocs.yml").write_text("site_name: T\n")
    return clone


def word(folder: Path, *leaving_out: Path, more: str = "") -> str:
    """As somebody who has just come sees it."""
    return watching.inputs(Repository.open(folder), leaving_out=leaving_out, more=more)


def run(folder: Path, *command: str) -> None:
    """Stock git."""
    who = ("-c", "user.name=B", "-c", "user.email=b@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *command], check=True, capture_output=True)


CHANGING: dict[str, Callable[[Path], object]] = {
    "a commit": lambda f: run(f, "commit", "--allow-empty", "-m", "x"),
    "a note": lambda f: run(f, "notes", "--ref", "gitchange/approvals", "add", "-m", "x", "HEAD"),
    "a fetched ref": lambda f: run(f, "update-ref", "refs/gitchange/remotes/origin/approvals", "HEAD"),
    "the configuration": lambda f: run(f, "config", "gitchange.introduction", "1" * 40),
    "an edited page": lambda f: (f / "docs" / "page.md").write_text("two\n"),
    "a page that was touched up in place": lambda f: (f / "docs" / "page.md").open("r+").write("0"),
    "a new page": lambda f: (f / "docs" / "new.md").write_text(""),
    "a removed page": lambda f: (f / "docs" / "page.md").unlink(),
    "MkDocs' configuration": lambda f: (f / "mkdocs.yml").write_text("site_name: U\n"),
    "a theme": lambda f: ((f / "theme").mkdir(), (f / "theme" / "main.html").write_text("")),
    "packed refs": lambda f: run(f, "pack-refs", "--all"),
    "a link that leads elsewhere": lambda f: (f / "docs" / "link.md").symlink_to("page.md"),
}

LEAVING: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _: None,
    "git status": lambda f: run(f, "status"),
    "an object": lambda f: run(f, "hash-object", "-w", "mkdocs.yml"),
    "a draft of a change": lambda f: (f / "changes" / "draft.toml").write_text(""),
    "what Python compiled": lambda f: (
        (f / "docs" / "__pycache__").mkdir(),
        (f / "docs" / "__pycache__" / "x.pyc").touch(),
    ),
    "what tools keep": lambda f: ((f / ".venv").mkdir(), (f / ".venv" / "x.py").touch()),
    "a circle": lambda _: None,
}


@pytest.mark.parametrize("what", CHANGING)
def test_it_changes(folder: Path, what: str) -> None:
    """Whatever a site is made from changes the word."""
    before = word(folder)
    CHANGING[what](folder)
    assert word(folder) != before


@pytest.mark.parametrize("what", LEAVING)
def test_it_stays(folder: Path, what: str) -> None:
    """What is no part of a site leaves the word as it is."""
    if what == "a circle":
        (folder / "docs" / "round").symlink_to(folder)
    before = word(folder)
    LEAVING[what](folder)
    assert word(folder) == before


def test_the_site_itself_is_no_input(folder: Path) -> None:
    """A site that lies in the work tree is left out, and so is what is kept beside it."""
    ours = (folder / "site", folder / ".site.inputs")
    before = word(folder, *ours)
    (folder / "site").mkdir()
    (folder / "site" / "index.html").touch()
    (folder / ".site.inputs").touch()
    assert word(folder, *ours) == before
    assert word(folder) != before


def test_what_else_matters_is_part_of_it(folder: Path) -> None:
    """The same repository at another address is another site."""
    assert word(folder, more="https://one.example/") != word(folder, more="https://two.example/")


def test_an_added_work_tree_sees_the_refs_that_it_shares(folder: Path, tmp_path: Path) -> None:
    """A note that another work tree writes changes the word here, and so does this one's own HEAD."""
    beside = tmp_path / "beside"
    run(folder, "worktree", "add", "--detach", str(beside))
    words = [word(beside)]
    run(folder, "notes", "--ref", "gitchange/approvals", "add", "-m", "x", "HEAD")
    words.append(word(beside))
    run(beside, "checkout", "--detach", "HEAD~1")
    words.append(word(beside))
    assert len(set(words)) == 3
