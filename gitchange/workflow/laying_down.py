"""Files that the program offers to people: they are written where there are none, and theirs from then on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gitchange.git.failures import writing
from gitchange.values import Value


class Written(Value):
    """What came of it."""

    made: tuple[Path, ...]
    same: tuple[Path, ...]
    """Files that were there with just this content."""
    kept: tuple[tuple[Path, str], ...]
    """Files that were there with another content, which stays; and what to add or to compare."""
    next: tuple[str, ...]
    """What is to be done with them."""


def lay_down(files: Mapping[Path, str], further: tuple[str, ...], *, overwrite: bool = False) -> Written:
    """Write these files, as far as they are not there; with `overwrite` also where they are there and differ."""
    made: list[Path] = []
    same: list[Path] = []
    kept: list[tuple[Path, str]] = []
    for path, text in files.items():
        there = path.exists() or path.is_symlink()  # a link that leads nowhere is not followed
        if there and path.exists() and path.read_text("utf-8", "replace") == text:
            same.append(path)
        elif there and (not overwrite or path.is_symlink()):
            kept.append((path, text))
        else:
            with writing(path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
            made.append(path)
    return Written(tuple(made), tuple(same), tuple(kept), further)
