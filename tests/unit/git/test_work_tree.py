"""Files and index of the checked-out branch: they follow the branch, and nothing of the user's is touched."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from gitchange.errors import RepositoryError
from gitchange.git.repository import MovedError, Repository
from gitchange.git.work_tree import announce, move_branch, settle, write_file
from tests.company import git

from .conftest import commit


def forward(folder: Path, *, back: int = 1) -> tuple[Repository, str, str]:
    """The branch set back by commits; then the repository, where it stands and where it was."""
    new = git(folder, "rev-parse", "HEAD")
    git(folder, "reset", "--quiet", "--hard", f"HEAD~{back}")
    return Repository.open(folder), git(folder, "rev-parse", "HEAD"), new


def switch(repository: Repository, old: str | None, new: str) -> tuple[str, ...]:
    return move_branch(repository, "refs/heads/main", old, new, "test")


def test_switch_leaves_a_clean_work_tree(folder: Path) -> None:
    """After a switch stock git finds nothing to commit: added, changed and removed files are in place."""
    commit(folder, "one", a="1", d__b="2", d__c="3", run="4", turn="5", back__x="6", link="7")
    (folder / "run").chmod(0o755)
    for name in ("turn", "back/x", "link"):
        (folder / name).unlink()
    (folder / "back").rmdir()
    (folder / "link").symlink_to("a")
    commit(folder, "two", a="x", d__b=None, new__file="5", turn__into="8", back="9")
    repository, old, new = forward(folder)
    assert switch(repository, old, new) == ()
    assert git(folder, "status", "--porcelain") == ""
    assert os.access(folder / "run", os.X_OK)


@pytest.mark.parametrize("staged", [False, True])
def test_switch_keeps_what_the_user_edited(folder: Path, staged: bool) -> None:
    """A file that the user edited is left as it is, staged or not, and is named."""
    commit(folder, "one", a="1", b="1")
    commit(folder, "two", a="2", b="2")
    repository, old, new = forward(folder)
    (folder / "a").write_text("mine")
    if staged:
        git(folder, "add", "a")
    assert switch(repository, old, new) == ("a",)
    assert (folder / "a").read_text() == "mine"
    assert (folder / "b").read_text() == "2"


@pytest.mark.parametrize("edit", ["edited", "removed", "in the way"])
def test_commit_after_a_switch_undoes_nothing(folder: Path, edit: str) -> None:
    """A user who commits something else after a switch does not commit the old state of a file that was kept."""
    commit(folder, "one", a="1", other="1")
    commit(folder, "two", a="2", b="theirs")
    repository, old, new = forward(folder)
    match edit:
        case "edited":
            (folder / "a").write_text("mine")
        case "removed":
            (folder / "a").unlink()
        case _:
            (folder / "b").write_text("mine")
    assert switch(repository, old, new) == (("b",) if edit == "in the way" else ("a",))
    (folder / "other").write_text("2")
    git(folder, "add", "other")
    git(folder, "commit", "--quiet", "-m", "mine")
    assert git(folder, "show", "--format=", "--name-only", "HEAD") == "other"


def test_switch_keeps_an_untracked_file_in_the_way(folder: Path) -> None:
    """A file of the user's that git does not know is never overwritten."""
    commit(folder, "one", a="1")
    commit(folder, "two", b="theirs")
    repository, old, new = forward(folder)
    (folder / "b").write_text("mine")
    assert switch(repository, old, new) == ("b",)
    assert (folder / "b").read_text() == "mine"


def test_switch_keeps_a_removed_file_removed(folder: Path) -> None:
    """A file that the user removed is not brought back."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    (folder / "a").unlink()
    assert switch(repository, old, new) == ("a",)
    assert not (folder / "a").exists()


def test_switch_leaves_other_edits_alone(folder: Path) -> None:
    """Edits in files that do not differ between the commits are not even looked at."""
    commit(folder, "one", a="1", b="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    (folder / "b").write_text("mine")
    assert switch(repository, old, new) == ()
    assert git(folder, "status", "--porcelain").strip() == "M b"


def test_switch_writes_links_as_links(folder: Path) -> None:
    """A symbolic link of another's commit becomes a link, not a file with its target's name."""
    commit(folder, "one", a="1")
    (folder / "link").symlink_to("a")
    commit(folder, "two")
    repository, old, new = forward(folder)
    switch(repository, old, new)
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "link").is_symlink()


def test_switch_does_not_follow_links_out_of_the_work_tree(folder: Path, tmp_path: Path) -> None:
    """A folder that the user replaced by a link is left alone: nothing is written through it."""
    commit(folder, "one", d__a="1")
    commit(folder, "two", d__a="2")
    repository, old, new = forward(folder)
    outside = tmp_path / "outside"
    (folder / "d").rename(outside)
    (folder / "d").symlink_to(outside)
    assert switch(repository, old, new) == ("d/a",)
    assert (outside / "a").read_text() == "1"


def test_switch_passes_submodules_by(folder: Path) -> None:
    """A submodule in another's commit is git's business and stops no exchange."""
    one = commit(folder, "one", a="1")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{one},module")
    git(folder, "commit", "--quiet", "-m", "two")
    new = git(folder, "rev-parse", "HEAD")
    git(folder, "reset", "--quiet", "--hard", one)
    repository = Repository.open(folder)
    switch(repository, one, new)
    assert [line for line in git(folder, "status", "--porcelain").splitlines() if "module" not in line] == []


def test_locked_index_is_said_before_anything_is_touched(folder: Path) -> None:
    """While another git holds the index, no file is touched and the error says so."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    (folder / ".git" / "index.lock").touch()
    with pytest.raises(RepositoryError, match="index"):
        switch(repository, old, new)
    assert (folder / "a").read_text() == "1"


def test_other_branch_keeps_its_files(folder: Path) -> None:
    """When another branch is checked out, its files stay."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    git(folder, "switch", "--quiet", "-c", "side")
    switch(repository, old, new)
    assert (folder / "a").read_text() == "1"
    assert git(folder, "status", "--porcelain") == ""


def test_write_file_replaces_whole_files(folder: Path, repository: Repository) -> None:
    """A file is exchanged by renaming, and nothing else is left in its folder."""
    target = folder / "deep" / "file"
    write_file(repository, "deep/file", b"one")
    before = target.stat().st_ino
    write_file(repository, "deep/file", b"two")
    assert target.read_bytes() == b"two"
    assert target.stat().st_ino != before
    assert [path.name for path in target.parent.iterdir()] == ["file"]


# -- what a killed process leaves ---------------------------------------------------------------------


def note(folder: Path) -> Path:
    return folder / ".git" / "gitchange" / "move.json"


@pytest.mark.parametrize("placed", ["nothing", "one file", "all files", "the index too"])
def test_settle_takes_back_what_the_branch_has_not(folder: Path, placed: str) -> None:
    """However far a killed move came, files and index are brought to where the branch is: here, back."""
    commit(folder, "one", a="1", d__b="1", gone="1")
    commit(folder, "two", a="2", d__b="2", new__c="2", gone=None)
    repository, old, new = forward(folder)
    announce(repository, "refs/heads/main", old, new)
    if placed != "nothing":
        (folder / "a").write_text("2")
    if placed in ("all files", "the index too"):
        git(folder, "checkout", "--quiet", new, "--", "a", "d/b", "new/c")
        (folder / "gone").unlink()
        if placed == "all files":
            git(folder, "read-tree", old)
        else:
            git(folder, "read-tree", new)
    assert settle(repository) == ()
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "a").read_text() == "1"
    assert not (folder / "new").exists()
    assert not note(folder).exists()


def test_settle_completes_what_the_branch_has(folder: Path) -> None:
    """When the branch has moved and the files have not, they follow."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2", b="2")
    repository, old, new = forward(folder)
    announce(repository, "refs/heads/main", old, new)
    repository.set_ref("refs/heads/main", new, old, "test")
    settle(repository)
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "b").read_text() == "2"


def test_settle_leaves_what_the_user_wrote_since(folder: Path) -> None:
    """A file that has neither text is the user's, and is named."""
    commit(folder, "one", a="1", b="1")
    commit(folder, "two", a="2", b="2")
    repository, old, new = forward(folder)
    announce(repository, "refs/heads/main", old, new)
    (folder / "a").write_text("mine")
    (folder / "b").write_text("2")
    assert settle(repository) == ("a",)
    assert (folder / "a").read_text() == "mine"
    assert (folder / "b").read_text() == "1"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"branch": 1}', '{"branch": "refs/heads/main", "old": null}']
)
def test_note_that_says_nothing_is_thrown_away(folder: Path, text: str) -> None:
    """A note that a power cut emptied stops nothing, and touches nothing."""
    commit(folder, "one", a="1")
    repository = Repository.open(folder)
    note(folder).parent.mkdir()
    note(folder).write_text(text)
    (folder / "a").write_text("mine")
    settle(repository)
    assert (folder / "a").read_text() == "mine"
    assert not note(folder).exists()


def test_note_about_commits_that_are_gone_is_thrown_away(folder: Path) -> None:
    """What git has cleared away cannot be settled any more."""
    old = commit(folder, "one", a="1")
    repository = Repository.open(folder)
    announce(repository, "refs/heads/main", old, "f" * 40)
    settle(repository)
    assert not note(folder).exists()


def test_note_about_another_branch_touches_nothing(folder: Path) -> None:
    """Who has switched since has taken the files along, as git does."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    announce(repository, "refs/heads/main", old, new)
    git(folder, "switch", "--quiet", "-c", "side")
    (folder / "a").write_text("2")
    settle(repository)
    assert (folder / "a").read_text() == "2"
    assert not note(folder).exists()


def test_failed_move_is_taken_back_at_once(folder: Path) -> None:
    """When the branch cannot be moved, the files are where they were, and so is the index."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2", b="2")
    repository, old, new = forward(folder)
    (folder / ".git" / "refs" / "heads" / "main.lock").touch()
    with pytest.raises(RepositoryError, match="refs/heads/main is locked"):
        switch(repository, old, new)
    assert git(folder, "status", "--porcelain") == ""
    assert not (folder / "b").exists()
    assert not note(folder).exists()


def test_moved_branch_is_noticed_before_a_file_is_touched(folder: Path) -> None:
    """Compare first: who is overtaken leaves no trace."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2")
    repository, _, new = forward(folder)
    with pytest.raises(MovedError):
        switch(repository, new, new)
    assert (folder / "a").read_text() == "1"
    assert not note(folder).exists()


def test_work_tree_on_another_disk(tmp_path: Path) -> None:
    """A linked work tree on another file system than the Git folder is brought along all the same."""
    memory = Path("/dev/shm")  # noqa: S108 - another file system than the temporary folder, where there is one
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=memory) as elsewhere:
        main, folder = Path(elsewhere) / "repo", tmp_path / "linked"
        git(tmp_path, "init", "--quiet", "-b", "other", str(main))
        git(main, "config", "user.name", "Ada")
        git(main, "config", "user.email", "ada@example.org")
        commit(main, "zero", zero="0")
        git(main, "worktree", "add", "--quiet", "-b", "main", str(folder))
        commit(folder, "one", a="1")
        commit(folder, "two", a="2", d__b="2")
        repository, old, new = forward(folder)
        assert switch(repository, old, new) == ()
        assert git(folder, "status", "--porcelain") == ""
        assert sorted(path.name for path in folder.iterdir()) == [".git", "a", "d", "zero"]
        assert (main / "zero").exists()
        assert not (main / "a").exists()
