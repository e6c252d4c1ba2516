"""Folders are read from their bytes where these are plain: the answer is that of libgit2."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pygit2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitchange.errors import RepositoryError
from gitchange.git.repository import Repository

MODES = [b"100644", b"100755", b"40000", b"120000", b"160000", b"100664", b"0100644", b"777", b"100600"]
NAMES = st.sampled_from([b"a", b"b.toml", b"ab c", b"\xff\xfe", "é".encode(), b".git", b"..", b"a/b"])


def put(folder: Path, raw: bytes) -> str:
    """Keep any bytes as a tree, as git would not write it."""
    whole = b"tree %d\0" % len(raw) + raw
    oid = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    place = folder / ".git" / "objects" / oid[:2]
    place.mkdir(exist_ok=True)
    (place / oid[2:]).write_bytes(zlib.compress(whole))
    return oid


@given(
    entries=st.lists(
        st.tuples(st.sampled_from(MODES), NAMES, st.binary(min_size=20, max_size=20)), max_size=4
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_folder_holds_what_libgit2_says(
    folder: Path, repository: Repository, entries: list[tuple[bytes, bytes, bytes]]
) -> None:
    """Every mode and name, usual or not; what is named twice or impossibly is refused."""
    oid = put(folder, b"".join(b"%b %b\0%b" % entry for entry in entries))
    items = [(item.name, str(item.id), int(item.filemode)) for item in pygit2.Repository(str(folder))[oid]]
    names = [name for name, _, _ in items]
    if len(set(names)) < len(names) or {".git", "..", "a/b"} & set(names):
        with pytest.raises(
            RepositoryError, match="names something twice, or by a name that no file can have"
        ):
            repository.entries(oid)
    else:
        assert [(e.path, e.id, e.mode) for e in repository.entries(oid)] == items


@pytest.mark.parametrize(
    "raw", [b"100644 a\0short", b"x", b"100644 \0" + b"1" * 20, b"100644 a\0" + b"1" * 20 + b"?"]
)
def test_what_is_no_folder_is_refused(folder: Path, repository: Repository, raw: bytes) -> None:
    """Bytes that are no tree are said to be none."""
    with pytest.raises(RepositoryError):
        repository.entries(put(folder, raw))
