"""Objects, refs and the work tree, compared with what stock git says of the same repository."""

from __future__ import annotations

import datetime as dt
import os
import threading
from pathlib import Path

import pytest

from gitchange.errors import RepositoryError, UsageError
from gitchange.git.repository import FILE, MovedError, Person, Repository, write_file
from tests.company import git

from .conftest import WHO, commit

REF = "refs/notes/gitchange/approvals"


def chain(repository: Repository, length: int) -> list[str]:
    made: list[str] = []
    for number in range(length):
        tree = repository.edit_tree(None, {"n": (repository.write_blob(str(number).encode()), FILE)})
        made.append(repository.write_commit(tree, tuple(made[-1:]), f"{number}\n", WHO, WHO))
    return made


# -- opening --------------------------------------------------------------------------------------


def test_no_repository_is_said_with_a_mend(tmp_path: Path) -> None:
    """Outside every repository the error says where one looked and how to make one."""
    with pytest.raises(RepositoryError) as caught:
        Repository.open(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert "gitchange init" in caught.value.hint


def test_subfolder_belongs_to_its_repository(folder: Path) -> None:
    """A command works from every folder of the work tree."""
    (folder / "a" / "b").mkdir(parents=True)
    assert Repository.open(folder / "a" / "b").work_dir == Repository.open(folder).work_dir


def test_linked_work_tree_shares_refs(folder: Path, tmp_path: Path) -> None:
    """A linked work tree has its own HEAD and the notes of the main one."""
    tip = commit(folder, "one", a="1")
    git(folder, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    linked = Repository.open(tmp_path / "linked")
    linked.set_ref(REF, tip, None, "test")
    assert Repository.open(folder).ref(REF) == tip
    assert linked.head_ref() == "refs/heads/side"
    assert linked.common_dir.resolve() == (folder / ".git").resolve()


# -- refs -----------------------------------------------------------------------------------------


def test_set_ref_moves_from_the_expected_commit(repository: Repository) -> None:
    """A ref moves when it stands where the writer saw it, and stock git sees the move."""
    one, two = chain(repository, 2)
    repository.set_ref(REF, one, None, "first")
    repository.set_ref(REF, two, one, "second")
    assert repository.ref(REF) == two == git(repository.directory, "rev-parse", REF)


@pytest.mark.parametrize("expected", ["none", "another commit"])
def test_moved_ref_is_not_overwritten(repository: Repository, expected: str) -> None:
    """A ref that somebody else moved in the meantime is left where it is."""
    one, two, three = chain(repository, 3)
    repository.set_ref(REF, one, None, "first")
    with pytest.raises(MovedError):
        repository.set_ref(REF, two, None if expected == "none" else three, "second")
    assert repository.ref(REF) == one


def test_ref_that_should_exist_and_does_not_is_not_made(repository: Repository) -> None:
    """A ref that was deleted in the meantime does not come back by a stale writer."""
    one, two = chain(repository, 2)
    with pytest.raises(MovedError):
        repository.set_ref(REF, two, one, "second")
    assert repository.ref(REF) is None


def test_packed_ref_is_compared_too(repository: Repository) -> None:
    """Packing refs changes nothing about compare-and-swap."""
    one, two, three = chain(repository, 3)
    repository.set_ref(REF, one, None, "first")
    git(repository.directory, "pack-refs", "--all")
    with pytest.raises(MovedError):
        repository.set_ref(REF, three, two, "wrong")
    repository.set_ref(REF, two, one, "right")
    assert git(repository.directory, "rev-parse", REF) == two


def test_lock_left_behind_is_named(repository: Repository) -> None:
    """The lock file of a program that died is named, with what to do about it."""
    one, *_ = chain(repository, 1)
    lock = repository.git_dir / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(MovedError) as caught:
        repository.set_ref(REF, one, None, "first")
    assert str(lock) in caught.value.hint
    assert repository.ref(REF) is None
    lock.unlink()
    repository.set_ref(REF, one, None, "first")


def test_of_many_writers_one_wins_each_step(repository: Repository) -> None:
    """Writers that retry after a lost race all land, and nobody's commit is overwritten."""
    landed: list[str] = []

    def write(name: str) -> None:
        mine = Repository.open(repository.directory)
        for number in range(5):
            while True:
                tip = mine.ref(REF)
                tree = mine.edit_tree(None, {name: (mine.write_blob(b"%d" % number), FILE)})
                made = mine.write_commit(tree, (tip,) if tip else (), f"{name} {number}\n", WHO, WHO)
                try:
                    mine.set_ref(REF, made, tip, name)
                except MovedError:
                    continue
                landed.append(made)
                break

    threads = [threading.Thread(target=write, args=(f"writer{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tip = repository.ref(REF)
    assert tip is not None
    assert set(repository.first_parents(tip)) == set(landed)
    assert len(landed) == 20


@pytest.mark.parametrize("word", ["nothing", "HEAD~9", "0" * 40, "a b", "", "refs/heads/none", ":/x"])
def test_unknown_revision_is_a_usage_error(repository: Repository, word: str) -> None:
    """A revision that names nothing is the caller's mistake, and is quoted."""
    chain(repository, 1)
    with pytest.raises(UsageError, match="there is no commit"):
        repository.resolve(word)


@pytest.mark.parametrize(
    "word", ["", "zz", "hello", "0", "f" * 39, "0" * 40, "f" * 64, "refs/heads/main", "é"]
)
def test_name_of_no_object_is_not_there(repository: Repository, word: str) -> None:
    """Asking for an object by a name that is none is answered, whatever the name is."""
    assert not repository.has(word)


def test_damaged_object_is_an_error_that_says_so(repository: Repository) -> None:
    """An object whose bytes rotted is never taken for good: the error names it."""
    blob = repository.write_blob(b"text that will rot")
    path = repository.git_dir / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(RepositoryError, match=blob):
        Repository.open(repository.directory).blob(blob)


# -- trees ----------------------------------------------------------------------------------------


def test_edit_tree_is_what_git_would_write(folder: Path, repository: Repository) -> None:
    """Putting, replacing and removing files at any depth gives the tree that stock git commits."""
    commit(folder, "before", a="1", d__b="2", d__e__c="3", f__g="4", h="5")
    before = repository.tree_of(repository.resolve("HEAD"))
    put = {name: (repository.write_blob(text), FILE) for name, text in {"d/b": b"x", "n/e/w": b"y"}.items()}
    edited = repository.edit_tree(before, {**put, "d/e/c": None, "f/g": None, "h": None, "none/there": None})
    after = commit(folder, "after", d__b="x", n__e__w="y", d__e__c=None, f__g=None, h=None)
    assert edited == repository.tree_of(after)


def test_edit_tree_replaces_a_file_by_a_folder(folder: Path, repository: Repository) -> None:
    """A file gives way to a folder of the same name."""
    before = repository.tree_of(commit(folder, "before", a="1"))
    edited = repository.edit_tree(before, {"a/b": (repository.write_blob(b"2"), FILE)})
    assert git(folder, "ls-tree", "-r", "--name-only", edited) == "a/b"


def test_changed_is_what_diff_tree_says(folder: Path, repository: Repository) -> None:
    """The paths that differ between two trees are those of `git diff-tree -r`, modes and ids included."""
    one = commit(folder, "one", a="1", d__b="2", d__e__c="3", gone="4", same__x="5", file__y="6", turn="7")
    (folder / "turn").unlink()
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("a")
    two = commit(folder, "two", a="x", d__e__c="y", gone=None, new__z="8", turn__into="9")
    ours = [
        (path, (was.mode, was.id) if was else None, (now.mode, now.id) if now else None)
        for path, was, now in repository.changed(repository.tree_of(one), repository.tree_of(two))
    ]
    theirs = []
    for line in git(folder, "diff-tree", "-r", "--no-renames", one, two).splitlines():
        meta, path = line.lstrip(":").split("\t")
        mode_was, mode_now, was, now, _ = meta.split()
        theirs.append(
            (
                path,
                (int(mode_was, 8), was) if int(mode_was, 8) else None,
                (int(mode_now, 8), now) if int(mode_now, 8) else None,
            )
        )
    assert sorted(ours, key=str) == sorted(theirs, key=str)
    assert not list(repository.changed(repository.tree_of(one), repository.tree_of(one)))


def test_commit_keeps_names_and_offsets(repository: Repository) -> None:
    """Author, committer, their offsets and the message are read back as they were written."""
    author = Person(
        "Zoë Ü",
        "zoe@example.org",
        dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(-dt.timedelta(hours=3, minutes=30))),
    )
    made = repository.write_commit(repository.edit_tree(None, {}), (), "Grüße\n\nText\n", author, WHO)
    read = repository.commit(made)
    assert (read.author, read.committer, read.message) == (author, WHO, "Grüße\n\nText\n")
    assert git(repository.directory, "log", "-1", "--format=%an %ai %ci", made) == (
        "Zoë Ü 2026-01-02 03:04:05 -0330 2026-11-22 20:00:00 +0100"
    )


# -- the work tree --------------------------------------------------------------------------------


def forward(folder: Path, *, back: int = 1) -> tuple[Repository, str, str]:
    """The branch set back by commits; then the repository, where it stands and where it was."""
    new = git(folder, "rev-parse", "HEAD")
    git(folder, "reset", "--quiet", "--hard", f"HEAD~{back}")
    return Repository.open(folder), git(folder, "rev-parse", "HEAD"), new


def switch(repository: Repository, old: str | None, new: str) -> tuple[str, ...]:
    kept = repository.switch_files("refs/heads/main", old, new)
    repository.set_ref("refs/heads/main", new, old, "test")
    return kept


def test_switch_files_leaves_a_clean_work_tree(folder: Path) -> None:
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
def test_switch_files_keeps_what_the_user_edited(folder: Path, staged: bool) -> None:
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


def test_switch_files_keeps_an_untracked_file_in_the_way(folder: Path) -> None:
    """A file of the user's that git does not know is never overwritten."""
    commit(folder, "one", a="1")
    commit(folder, "two", b="theirs")
    repository, old, new = forward(folder)
    (folder / "b").write_text("mine")
    assert switch(repository, old, new) == ("b",)
    assert (folder / "b").read_text() == "mine"


def test_switch_files_keeps_a_removed_file_removed(folder: Path) -> None:
    """A file that the user removed is not brought back."""
    commit(folder, "one", a="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    (folder / "a").unlink()
    assert switch(repository, old, new) == ("a",)
    assert not (folder / "a").exists()


def test_switch_files_leaves_other_edits_alone(folder: Path) -> None:
    """Edits in files that do not differ between the commits are not even looked at."""
    commit(folder, "one", a="1", b="1")
    commit(folder, "two", a="2")
    repository, old, new = forward(folder)
    (folder / "b").write_text("mine")
    assert switch(repository, old, new) == ()
    assert git(folder, "status", "--porcelain").strip() == "M b"


def test_switch_files_writes_links_as_links(folder: Path) -> None:
    """A symbolic link of another's commit becomes a link, not a file with its target's name."""
    commit(folder, "one", a="1")
    (folder / "link").symlink_to("a")
    commit(folder, "two")
    repository, old, new = forward(folder)
    switch(repository, old, new)
    assert git(folder, "status", "--porcelain") == ""
    assert (folder / "link").is_symlink()


def test_switch_files_does_not_follow_links_out_of_the_work_tree(folder: Path, tmp_path: Path) -> None:
    """A folder that the user replaced by a link is left alone: nothing is written through it."""
    commit(folder, "one", d__a="1")
    commit(folder, "two", d__a="2")
    repository, old, new = forward(folder)
    outside = tmp_path / "outside"
    (folder / "d").rename(outside)
    (folder / "d").symlink_to(outside)
    assert switch(repository, old, new) == ("d/a",)
    assert (outside / "a").read_text() == "1"


def test_switch_files_passes_submodules_by(folder: Path) -> None:
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
        repository.switch_files("refs/heads/main", old, new)
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


def test_write_file_replaces_whole_files(tmp_path: Path) -> None:
    """A file is exchanged by renaming, and nothing else is left in its folder."""
    target = tmp_path / "deep" / "file"
    write_file(target, b"one")
    before = target.stat().st_ino
    write_file(target, b"two", executable=True)
    assert target.read_bytes() == b"two"
    assert target.stat().st_ino != before
    assert os.access(target, os.X_OK)
    assert [path.name for path in target.parent.iterdir()] == ["file"]
