"""Where all changes are cut into blocks."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gitchange.site import urls
from gitchange.site.blocks import blocks

PATHS = st.lists(st.text("ab/é\U0010ffff", min_size=1, max_size=8), unique=True, max_size=60).map(sorted)


@given(PATHS, st.integers(1, 9))
def test_every_path_is_in_one_block(paths: list[str], limit: int) -> None:
    """Blocks follow each other, are never empty, and are not larger than they may be."""
    found = blocks(paths, limit)
    assert [b.start for b in found] == [0, *(b.stop for b in found)][: len(found)]
    assert (found[-1].stop if found else 0) == len(paths)
    assert all(0 < b.stop - b.start <= limit for b in found)
    assert len({b.prefix for b in found}) == len(found)


@given(PATHS, st.integers(1, 5), st.integers(0, 5))
def test_small_blocks_lie_in_large_ones(paths: list[str], limit: int, more: int) -> None:
    """No block crosses the border of a larger one: rows of a segment are rows of one block."""
    borders = {b.stop for b in blocks(paths, limit)}
    assert {b.stop for b in blocks(paths, limit + more)} <= borders


@given(PATHS, st.integers(2, 9), st.data())
def test_one_more_path_changes_one_block(paths: list[str], limit: int, data: st.DataObject) -> None:
    """All others keep their name and what is in them, wherever the new one comes in."""
    if not paths:
        return
    new = data.draw(st.sampled_from(paths))

    def content(paths: list[str]) -> set[tuple[str, tuple[str, ...]]]:
        return {(b.prefix, tuple(paths[b.start : b.stop])) for b in blocks(paths, limit)}

    after, before = content(paths), content([path for path in paths if path != new])
    assert len(before - after) <= 1
    gone = {path for _, inside in before - after for path in inside}
    assert {path for _, inside in after - before for path in inside} == gone | {new}


def test_a_long_common_beginning_is_no_depth() -> None:
    """Paths of thousands of equal characters are cut as others are."""
    paths = sorted(f"changes/{'x' * 4000}{number}" for number in range(40))
    assert len(blocks(paths, 20)) == 10


def test_names_of_blocks_differ() -> None:
    """Also where strange files make strange beginnings."""
    prefixes = [
        "",
        "changes/2025",
        "changes/2025/11",
        "changes/2025/11/CHG-202511",
        "changes/2025/1",
        "changes/a-b",
    ]
    prefixes += ["changes/a/b", "changes/A/b", "changes/2025-11", "changes/2025/11/CHG-20251101-A"]
    names = [urls.block(prefix) for prefix in prefixes]
    assert names[1:4] == ["2025", "2025-11", "2025-11-chg-202511"]
    assert all(one != other for one, other in pairwise(sorted(names)))
    assert all("/" not in name and "%" not in name for name in names)
