"""The files of the checked-out branch: brought along when a commit of ours or a fetched one moves the branch.

A branch, its files and the index cannot move in one step. So what is about to be done is noted down first, in the Git
folder, and whoever comes next after somebody was killed in between completes it or takes it back: `settle`. What the
user edited is never touched. Which commit a branch moves to, and why, is for others.
"""

from __future__ import annotations

import errno
import json
import os
from contextlib import contextmanager, suppress

from gitchange.errors import RepositoryError
from gitchange.git.failures import writing
from gitchange.git.locks import LockedError, alone, lock_file
from gitchange.git.repository import FILE, Entry, MovedError, hash_blob
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pygit2  # only a move needs it

    from gitchange.git.repository import Repository

_FOLDER = "gitchange"
"""Below the Git folder of the work tree: what is in progress."""

_RESERVE = 64 * 1024
"""Bytes kept free for the ref and its log while files are exchanged: a disk that is full is noticed before."""


_Changed = tuple[str, tuple[Entry | None, Entry | None], Entry | None]
"""A path, what the two commits of a move have there, and what is to be there."""


class _Move(Value):
    """What was begun: a branch goes from one commit (None: from nothing) to another, with its files."""

    branch: str
    old: str | None
    new: str


def move_branch(repository: Repository, branch: str, old: str | None, new: str, log: str) -> tuple[str, ...]:
    """Move a branch from commit `old` to `new`, where it is checked out with its files and the index, in these steps:

    1. keep other gitchanges out, and settle what a killed one left;
    2. the branch must be at `old`: MovedError when it is elsewhere;
    3. note down the move, and bring everything that needs room on the disk beside its place;
    4. rename the files into place, then the index;
    5. move the ref by compare-and-swap, and forget the note.

    The files go before the ref: whoever is killed in between is left with files that are ahead of the branch, never
    with files whose commit would undo it, and `settle` takes them back. When a step fails they are taken back at
    once. Only paths that differ between the commits are touched, and only where the user has not edited them: those
    are returned, left as they are.
    """
    if repository.work_dir is None or repository.head_ref() != branch:
        repository.set_ref(branch, new, old, log)
        return ()
    # 1.
    with _alone(repository):
        _settle(repository)
        # 2.
        if repository.ref(branch) != old:
            raise MovedError(f"{branch} moved while we worked", hint="run the command again")
        move = _Move(branch, old, new)
        try:
            # 3. and 4.
            kept = _bring(repository, move, new, noted=False)
            # 5.
            repository.set_ref(branch, new, old, log)
        except BaseException:  # Ctrl-C too
            with suppress(
                RepositoryError
            ):  # what cannot be taken back now is noted down for the next command
                _settle(repository)
            raise
        _forget(repository)
    return kept


def announce(repository: Repository, branch: str, old: str | None, new: str) -> None:
    """Note down that a branch has moved and its files have not: `settle` brings them."""
    with writing(repository.git_dir):
        _folder(repository).mkdir(exist_ok=True)
        _note_down(repository, _Move(branch, old, new))


def settle(repository: Repository) -> tuple[str, ...]:
    """Bring files and index to where the branch is, if a command was killed while it moved both.

    Files that have neither the old nor the new text are the user's: they are left alone and returned.
    """
    if not _note(repository).exists():
        return ()
    with _alone(repository):
        return _settle(repository)


def write_file(repository: Repository, path: str, data: bytes) -> None:
    """Write a file of the work tree by renaming a complete one into place: readers see the old or the new, never half.

    The disk has it before its name does, because nobody else has it yet.
    """
    assert repository.work_dir is not None  # noqa: S101 - the caller looked
    with _alone(repository), writing(repository.work_dir):
        staged = _staged(repository, 0)
        try:
            with staged.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            staged.chmod(0o644)
            _place(staged, repository.work_dir / path)
        finally:
            staged.unlink(missing_ok=True)


# -- the note of what is in progress -------------------------------------------------------------------


def _folder(repository: Repository) -> Path:
    return repository.git_dir / _FOLDER


def _note(repository: Repository) -> Path:
    return _folder(repository) / "move.json"


@contextmanager
def _alone(repository: Repository) -> Iterator[None]:
    with writing(repository.git_dir):
        _folder(repository).mkdir(exist_ok=True)
    with alone(_folder(repository), repository.places):
        yield


def _note_down(repository: Repository, move: _Move) -> None:
    note = _note(repository)
    draft = note.with_suffix(".new")
    draft.write_text(json.dumps({"branch": move.branch, "old": move.old, "new": move.new}))
    draft.replace(note)


def _noted(repository: Repository) -> _Move | None:
    """What was noted down; None when it was nothing, or cannot be done any more (a power cut, `git gc`)."""
    try:
        data = json.loads(_note(repository).read_bytes())
        move = _Move(data["branch"], data["old"], data["new"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    commits = [commit for commit in (move.old, move.new) if commit is not None]
    return move if all(repository.has_commit(commit) for commit in commits) else None


def _forget(repository: Repository) -> None:
    with writing(repository.git_dir):
        _note(repository).unlink(missing_ok=True)
        import shutil  # noqa: PLC0415 - only where something is cleared away or copied

        shutil.rmtree(_folder(repository) / "files", ignore_errors=True)


def _settle(repository: Repository) -> tuple[str, ...]:
    kept: tuple[str, ...] = ()
    move = _noted(repository)
    # Who switched to another branch since has taken the files along, as git does; they are theirs now.
    if move is not None and repository.head_ref() == move.branch:
        kept = _bring(repository, move, repository.ref(move.branch), noted=True)
    _forget(repository)
    return kept


# -- files and index -----------------------------------------------------------------------------------


def _bring(repository: Repository, move: _Move, to: str | None, *, noted: bool) -> tuple[str, ...]:
    """Bring the files in which the two commits of a move differ to what commit `to` has; those that stay as they are.

    A file may stand at either commit, or at `to` already. Unless it is `noted` already, the move is noted down when
    everything is prepared that a full disk could hinder, and before anything can be seen of it.
    """
    from gitchange.git import library  # noqa: PLC0415 - for the sake of start-up time

    git_dir = repository.git_dir
    changed = list(_paths(repository, move, to))
    with writing(git_dir), _reserve(repository) as reserved:
        library.index(git_dir / "index")  # one that libgit2 cannot read is noticed here
        staged = {
            path: _stage(repository, number, now)
            for number, (path, _, now) in enumerate(changed)
            if now is not None and now.is_blob
        }
        if not noted:
            _note_down(repository, move)
        try:
            with lock_file("the index", git_dir / "index.lock", repository.places):
                return _exchange(repository, changed, staged, reserved)
        except LockedError:
            if not noted:  # nothing was touched
                _note(repository).unlink()
            raise


def _exchange(
    repository: Repository, changed: list[_Changed], staged: dict[str, Path], reserved: Path
) -> tuple[str, ...]:
    """Rename files into place, then the index; the caller holds its lock."""
    assert repository.work_dir is not None  # noqa: S101 - the callers looked
    from gitchange.git import library  # noqa: PLC0415 - for the sake of start-up time

    git_dir, work_dir = repository.git_dir, repository.work_dir
    copy = _folder(repository) / "index"
    index = _copy_of_index(git_dir / "index", copy)
    kept: list[str] = []
    # What goes away goes first: a file may make room for a folder of its name.
    for path, befores, now in sorted(changed, key=lambda change: change[2] is not None):
        target = work_dir / path
        with suppress(OSError):  # a killed process's, and its folder may be gone
            _beside(target).unlink()
        known = [entry for entry in (*befores, now) if entry]
        expected = {entry.id for entry in known}
        if now is None or None in befores:
            expected.add("")
        in_index = str(index[path].id) if path in index else ""
        # A submodule's files are git's to update; only the index follows.
        on_disk = in_index if any(not entry.is_blob for entry in known) else _on_disk(work_dir, target)
        if in_index not in expected:
            kept.append(path)
            continue
        if on_disk not in expected:
            kept.append(path)
        elif now is None:
            if all(entry.is_blob for entry in known):
                _remove(work_dir, target)
        elif now.is_blob and (on_disk != now.id or any(entry.mode != now.mode for entry in known)):
            _place(staged[path], target)
        # The index follows also where the user's file stays: the next commit must not undo this one.
        if now is not None:
            index.add(library.index_entry(path, now.id, now.mode))
        elif path in index:
            index.remove(path)
    reserved.unlink()
    index.write()
    copy.replace(git_dir / "index")
    return tuple(kept)


def _paths(repository: Repository, move: _Move, to: str | None) -> Iterator[_Changed]:
    """Each path in which the two commits differ: with what they have there, and what `to` has."""
    old = repository.tree_of(move.old) if move.old else None
    for path, was, now in repository.changed(old, repository.tree_of(move.new)):
        if to in (move.old, move.new):
            yield path, (was, now), was if to == move.old else now
        else:
            wanted = repository.child(repository.tree_of(to), path) if to else None
            if wanted is None or not wanted.is_tree:
                yield path, (was, now), wanted


def _copy_of_index(source: Path, copy: Path) -> pygit2.Index:
    """The index as a file of its own that can be changed, put into place whole, or left."""
    import shutil  # noqa: PLC0415 - for the sake of start-up time

    from gitchange.git import library  # noqa: PLC0415

    for left in (copy, copy.with_name(f"{copy.name}.lock")):  # of a killed process; they are ours alone
        left.unlink(missing_ok=True)
    if source.exists():
        import shutil  # noqa: PLC0415 - only where something is cleared away or copied

        shutil.copyfile(source, copy)
    return library.index(copy)


@contextmanager
def _reserve(repository: Repository) -> Iterator[Path]:
    """Room on the disk for what comes after the files: the index and the ref."""
    index, reserved = repository.git_dir / "index", _folder(repository) / "reserved"
    size = _RESERVE + (index.stat().st_size if index.exists() else 0)
    try:
        reserved.write_bytes(b"\0" * size)
        yield reserved
    finally:
        reserved.unlink(missing_ok=True)


def _staged(repository: Repository, number: int) -> Path:
    folder = _folder(repository) / "files"
    folder.mkdir(exist_ok=True)
    return folder / str(number)


def _stage(repository: Repository, number: int, entry: Entry) -> Path:
    """Write what an entry holds beside its place. Not flushed to the disk: a commit has it."""
    staged = _staged(repository, number)
    staged.unlink(missing_ok=True)
    data = repository.blob(entry.id)
    if entry.is_file:
        staged.write_bytes(data)
        staged.chmod(0o644 if entry.mode == FILE else 0o755)
    else:
        staged.symlink_to(os.fsdecode(data))
    return staged


def _place(staged: Path, target: Path) -> None:
    """Rename a complete file or link into place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        staged.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # The Git folder is on another disk (`--separate-git-dir`): the last step is made beside the target.
        try:
            import shutil  # noqa: PLC0415 - only where something is cleared away or copied

            shutil.copy2(staged, _beside(target), follow_symlinks=False)
            _beside(target).replace(target)
        finally:
            _beside(target).unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.gitchange")


def _on_disk(work_dir: Path, target: Path) -> str:
    """The id of what lies there; "" when nothing does, "?" when a folder or a link is in the way."""
    for folder in target.relative_to(work_dir).parents:
        there = work_dir / folder
        if there.is_symlink() or (there.exists() and not there.is_dir()):
            return "?"
    if target.is_symlink():
        return hash_blob(os.fsencode(target.readlink()))
    if target.is_file():
        return hash_blob(target.read_bytes())
    return "?" if target.exists() else ""


def _remove(work_dir: Path, target: Path) -> None:
    """Remove a file, and the folders that it leaves empty."""
    target.unlink(missing_ok=True)
    for folder in target.parents:
        if folder == work_dir or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()
