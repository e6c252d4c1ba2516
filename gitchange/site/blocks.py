"""All changes cut into blocks, so that one changed change costs one block and not everything.

Where the cuts are depends on the set of paths alone: not on the order of builds, and not on how many others there
are. A block that has become too large falls apart by the next character of its paths, which in practice is by year,
month and day. What stands in the files of a block is for others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from gitchange.values import Value


class Block(Value):
    """Some neighbours among the sorted paths."""

    prefix: str
    """With what their paths begin, and no other's."""
    start: int
    """The place of the first."""
    stop: int
    """The place after the last."""


def blocks(paths: Sequence[str], limit: int) -> list[Block]:
    """Sorted, distinct paths in blocks of at most `limit`, in their order.

    A block for a small limit lies within one for a larger limit.
    """
    done: list[Block] = []
    todo = [Block("", 0, len(paths))] if paths else []
    while todo:
        block = todo.pop()
        if block.stop - block.start <= limit:
            done.append(block)
            continue
        depth = len(block.prefix) + 1
        parts: list[Block] = []
        start = block.start  # a path that ends here is a part by itself, and comes first
        while start < block.stop:
            prefix = paths[start][:depth]
            stop = bisect_right(paths, prefix, start, block.stop, key=lambda path: path[:depth])
            parts.append(Block(prefix, start, stop))
            start = stop
        todo += reversed(parts)
    return done
