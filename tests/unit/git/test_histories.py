"""Histories kept in little memory are those that were given."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.git.histories import Histories
from gitchange.git.program import Touch
from gitchange.git.repository import moment

commits = st.tuples(
    st.integers(0, 2**32).map("{:040x}".format),
    st.text(max_size=8),
    st.sampled_from(["ada@example.org", "", "bö@example.org"]),
    st.lists(st.text(max_size=5), max_size=2).map(tuple),
    st.integers(0, 2**36).map(moment),
    st.text(max_size=12),
)
blobs = st.sampled_from([*(f"{number:040x}" for number in range(4)), "", "f" * 64])


@given(st.data())
@settings(deadline=None)
def test_every_touch_is_told_as_it_was_given(data: st.DataObject) -> None:
    """Each file has its touches in their order, and a blob of several files has the paths of them all."""
    made = data.draw(st.lists(commits, unique_by=lambda commit: commit[0], max_size=12))
    paths = st.sampled_from(["a", "b/c", "ä"])
    touched = [
        Touch(*commit, path, data.draw(blobs))
        for commit in made
        for path in data.draw(st.lists(paths, unique=True, max_size=3))
    ]
    kept = Histories(touched)
    told: dict[str, list[Touch]] = {}
    for touch in touched:
        told.setdefault(touch.path, []).append(touch)
    assert {path: list(history) for path, history in kept.items()} == told
    assert list(kept) == list(told)
    assert all(kept.first(path) == history[-1] for path, history in told.items())
    owners: dict[str, set[str]] = {}
    for touch in touched:
        owners.setdefault(touch.blob, set()).add(touch.path)
    assert kept.shared() == {blob: own for blob, own in owners.items() if blob and len(own) > 1}
    assert kept.get("elsewhere", ()) == ()
