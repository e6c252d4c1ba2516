"""What systems need: how many steps away, and through which other system."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle.dependencies import Need, needs
from gitchange.model.policy import System
from tests.unit.lifecycle.builders import SYSTEMS, a_policy


def systems(**depends_on: list[str]) -> dict[str, System]:
    """A policy's systems, each with what it needs."""
    of = {name: {**SYSTEMS["website"], "name": name, "depends_on": on} for name, on in depends_on.items()}
    return dict(a_policy(systems=of, models={}).systems)


CHAIN = systems(chat=["api"], api=["database", "queue"], database=["storage"], queue=["storage"], storage=[])


def test_needs_are_told_with_steps_and_the_system_that_needs_them() -> None:
    """The nearest first; of two ways the one through the first name."""
    assert list(needs(CHAIN, ["api"]).values()) == [
        Need("api", 0, ""),
        Need("database", 1, "api"),
        Need("queue", 1, "api"),
        Need("storage", 2, "database"),
    ]


def test_the_shortest_way_counts() -> None:
    """What was named itself is no step away, whatever else needs it."""
    found = needs(CHAIN, ["chat", "database"])
    assert {name: need.steps for name, need in found.items()} == {
        "chat": 0,
        "database": 0,
        "api": 1,
        "storage": 1,
        "queue": 2,
    }


def test_an_unknown_system_needs_nothing() -> None:
    """A change may name one that the policy has no more."""
    assert needs(CHAIN, ["gone"]) == {"gone": Need("gone", 0, "")}
    assert needs({}, []) == {}


NAMES = ["a", "b", "c", "d", "e"]


@given(
    st.fixed_dictionaries(
        {name: st.lists(st.sampled_from(NAMES), max_size=3, unique=True) for name in NAMES}
    ),
    st.sets(st.sampled_from(NAMES), min_size=1),
)
def test_every_step_is_a_dependency_and_there_is_no_shorter_way(
    depends_on: dict[str, list[str]], named: set[str]
) -> None:
    """In circles, too; what nothing needs is left out."""
    of = systems(**{name: [other for other in on if other != name] for name, on in depends_on.items()})
    found = needs(of, named)
    for name, need in found.items():
        assert (need.steps == 0) == (name in named)
        assert not need.steps or (name in of[need.by].depends_on and found[need.by].steps == need.steps - 1)
        for other in of[name].depends_on:
            assert found[other].steps <= need.steps + 1
