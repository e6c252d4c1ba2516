"""What one version of a change file changed against another: lines with those around them, as `git diff` shows it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from gitchange.values import Value

CONTEXT = 2
"""Unchanged lines shown on both sides of a difference."""

_MOST = 2000
"""Of so many lines differences are found; more are told as a whole: finding them takes minutes."""


class Line(Value):
    """One line of a difference."""

    kind: Literal["same", "removed", "added"]
    text: str


class Hunk(Value):
    """Differences that stand close together."""

    old: int
    """Number of its first line in the old text, from 1."""
    new: int
    """The same in the new text."""
    lines: tuple[Line, ...]


def hunks(old: bytes, new: bytes) -> tuple[Hunk, ...]:
    """The differences between two texts; bytes that are no UTF-8 are shown as U+FFFD."""
    before, after = (text.decode("utf-8", "replace").split("\n") for text in (old, new))
    # Nearly all edits are small: what is the same at the beginning and at the end is found first, fast.
    head = 0
    shorter = min(len(before), len(after))
    while head < shorter and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < shorter - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    middle = before[head : len(before) - tail], after[head : len(after) - tail]
    if not middle[0] and not middle[1]:
        return ()
    blocks = _blocks(*middle)
    start = max(head - CONTEXT, 0)
    around = before[start:head], after[len(after) - tail : len(after) - tail + CONTEXT]
    return tuple(_hunks(blocks, around, start + 1))


def _blocks(before: list[str], after: list[str]) -> list[tuple[str, list[str], list[str]]]:
    """Stretches that are the same, and stretches that differ."""
    if len(before) + len(after) > _MOST:
        return [("replace", before, after)]
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [(tag, before[a:b], after[c:d]) for tag, a, b, c, d in matcher.get_opcodes()]


def _hunks(
    blocks: list[tuple[str, list[str], list[str]]], around: tuple[list[str], list[str]], start: int
) -> Iterator[Hunk]:
    """Blocks with their context; where much stays the same between two, a new hunk begins."""
    lines = [Line("same", text) for text in around[0]]
    first_old = first_new = start
    old = new = start + len(lines)
    for tag, before, after in blocks:
        if tag == "equal" and len(before) > 2 * CONTEXT:
            lines += [Line("same", text) for text in before[:CONTEXT]]
            yield Hunk(first_old, first_new, tuple(lines))
            lines = [Line("same", text) for text in before[-CONTEXT:]]
            first_old, first_new = old + len(before) - CONTEXT, new + len(after) - CONTEXT
        elif tag == "equal":
            lines += [Line("same", text) for text in before]
        else:
            lines += [Line("removed", text) for text in before]
            lines += [Line("added", text) for text in after]
        old, new = old + len(before), new + len(after)
    lines += [Line("same", text) for text in around[1]]
    yield Hunk(first_old, first_new, tuple(lines))
