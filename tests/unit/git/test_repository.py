"""Objects, refs and the work tree, compared with what stock git says of the same repository."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from gitchange.errors import RepositoryError, UsageError
from gitchange.git.locks import LockedError
from gitchange.git.repository import FILE, MovedError, Person, Repository
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
    with pytest.raises(LockedError, match=REF) as caught:
        repository.set_ref(REF, one, None, "first")
    assert f"rm {lock}" in caught.value.hint
    assert lock.exists()
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


@pytest.mark.parametrize("word", ["0" * 40, "f" * 40, "no id"])
def test_missing_object_is_an_error_that_says_so(repository: Repository, word: str) -> None:
    """What is not here is called missing, not damaged, whatever it should have been."""
    for read in (repository.blob, repository.commit, repository.entries):
        with pytest.raises(RepositoryError, match=f"the object {word} is missing"):
            read(word)


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


def test_a_folder_fits_a_frame_when_one_thing_alone_is_another(folder: Path, repository: Repository) -> None:
    """Only what stands in the gap may differ, and must be of the same kind."""

    def root() -> str:
        return repository.tree_of(commit(folder, "x"))

    (folder / "changes").mkdir()
    (folder / "changes" / "a").write_text("1")
    (folder / "b").write_text("1")
    (folder / "z").write_text("1")
    frame = repository.frame(root(), "changes")
    assert frame is not None
    (folder / "changes" / "a").write_text("2")
    assert repository.fits(root(), frame)
    (folder / "z").write_text("2")
    assert not repository.fits(root(), frame)
    (folder / "z").write_text("1")
    assert repository.fits(root(), frame)
    (folder / "b").chmod(0o755)
    assert not repository.fits(root(), frame)
    (folder / "b").chmod(0o644)
    (folder / "new").write_text("1")
    assert not repository.fits(root(), frame)
    (folder / "new").unlink()
    (folder / "changes" / "a").unlink()
    (folder / "changes").rmdir()
    (folder / "changes").write_text("a file")
    assert not repository.fits(root(), frame)
    assert repository.frame(root(), "no such") is None


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
