"""What a site is made from, as one word that changes whenever any of it does.

For those who ask every few minutes or every second whether there is anything new: files are looked at, not read, and no
object is. The word may change although the site stays the same (a ref that no page shows, packed refs); it must
never stay when the site changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from gitchange.git.repository import Repository
from gitchange.index import store
from gitchange.model import identifiers, policy
from gitchange.site.root import CONFIGURATION, TEMPLATES

_ELSEWHERE = frozenset({".git", identifiers.ROOT, policy.ROOT})
"""Folders of the work tree whose commits count, not their files: there may be a hundred thousand."""

_NO_INPUT = ("__pycache__", "node_modules")
"""Folders that tools make, as building itself does; hidden ones are like them."""


def refs_of(repository: Repository) -> tuple[Path, ...]:
    """The files and folders that change when a ref does; some may not exist yet.

    A work tree that was added has a HEAD of its own and shares the rest.
    """
    shared = repository.common_dir
    names = ("HEAD", "packed-refs", "refs", "reftable", "shallow", "info/grafts")
    return (repository.git_dir / "HEAD", *(shared / name for name in names))


def inputs(repository: Repository, *, leaving_out: Sequence[Path] = (), more: str = "") -> str:
    """The word for what a site of this repository is made from: refs, configuration, hand-written pages, program.

    `leaving_out` are files and folders that are no input, such as the site itself where it lies in the work tree;
    `more` is what else the site depends on, such as its address. What a repository's own `mkdocs.yml` takes from
    outside of the work tree is not seen.
    """
    told = [more, store.program()]
    for path in (*refs_of(repository), CONFIGURATION, TEMPLATES):
        told += _looked_at(str(path), frozenset())
    told.append(repository.listed_configuration.hex())
    if repository.work_dir is not None:
        top = str(repository.work_dir.resolve())
        left = {str(path) for path in leaving_out} | {f"{top}/{name}" for name in _ELSEWHERE}
        told += _looked_at(top, left)
    return blake2b("\0".join(told).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _looked_at(path: str, left: frozenset[str] | set[str]) -> Iterator[str]:
    """Each file at or below a path with what changes when it is replaced or written to."""
    try:
        status = os.stat(path)
    except OSError:
        yield f"{path} -"
        return
    if not os.path.isdir(path):
        yield f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
        return
    try:
        with os.scandir(path) as found:
            names = sorted(entry.path for entry in found)
    except OSError:
        return
    for name in names:
        base = os.path.basename(name)
        if name in left:
            continue
        # A link to a folder may lead in a circle; the link itself is looked at all the same.
        if os.path.islink(name):
            yield f"{name} {os.readlink(name)}"
        if os.path.isdir(name) and (os.path.islink(name) or base.startswith(".") or base in _NO_INPUT):
            continue
        yield from _looked_at(name, left)
