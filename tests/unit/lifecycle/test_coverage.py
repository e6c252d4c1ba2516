"""The state of a commit follows from the changes that something ties to it, and from the policy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle.coverage import (
    STATES,
    Commit,
    Covered,
    Known,
    State,
    Tie,
    counts,
    cover,
    exempts,
    touched,
)
from gitchange.lifecycle.status import STATUSES
from gitchange.model.policy import Exemption
from gitchange.values import replace
from tests.unit.lifecycle.builders import NOW, a_policy

ONE, TWO = "CHG-20261122-K7Q3", "CHG-20261123-AAAA"
COMMIT = Commit("1" * 40, "bo@example.org", 1_000, "Mend the login", ("api/login.py",), ("bo@example.org",))
APPROVED = Known(ONE, "approved", "normal", True, 900, ("api",))
EXEMPT: dict[str, Any] = {"name": "texts", "reason": "Nobody's data.", "paths": ["docs/**"]}


def judged(
    *known: Known,
    commit: Commit = COMMIT,
    systems: tuple[str, ...] = ("api",),
    ties: int | None = None,
    **policy: Any,
) -> Covered:
    """The state of a commit to which these changes are tied."""
    tied = [Tie(change.id, "the trailer") for change in known]
    there = {change.id: change for change in known[:ties]}
    return cover(commit, systems, tied, there, a_policy(**policy), NOW)


def test_an_approved_change_covers() -> None:
    """By its change, since it was approved."""
    found = judged(APPROVED)
    assert (found.state, found.changes, found.since) == ("covered", (ONE,), 900)
    assert found.why == (f"{ONE} is approved: the trailer",)


def test_approved_afterwards_is_told() -> None:
    """The commit's own time is a claim, and decides nothing; a reader sees the order."""
    found = judged(replace(APPROVED, since=1_001))
    assert found.state == "covered"
    assert "approved after the commit was made" in found.why[0]


@pytest.mark.parametrize("status", ["implemented", "validated", "documented", "failed"])
def test_what_was_approved_covers_whatever_came_of_it(status: str) -> None:
    """A change that failed was allowed all the same."""
    assert judged(replace(APPROVED, status=status)).state == "covered"


@pytest.mark.parametrize(
    ("status", "evaluated", "reason"),
    [
        ("requested", False, "nobody has approved it"),
        ("info-requested", False, "asks for information"),
        ("rejected", False, "was rejected"),
        ("withdrawn", True, "was withdrawn"),
        ("unreadable", False, "cannot be read"),
        ("implemented", False, "does not count any more"),
    ],
)
def test_a_change_that_is_not_approved_covers_nothing(status: str, evaluated: bool, reason: str) -> None:
    """And the reason is told."""
    found = judged(replace(APPROVED, status=status, evaluated=evaluated, since=None))
    assert (found.state, found.changes) == ("uncovered", (ONE,))
    assert reason in found.why[0]


def test_a_change_that_is_not_there() -> None:
    """A name that anybody may write ties to nothing."""
    found = judged(APPROVED, ties=0)
    assert found.state == "uncovered"
    assert "no change on the branch of record" in found.why[0]


def test_nothing_ties() -> None:
    """That is told too."""
    assert judged().why == ("nothing ties it to a change",)


def test_every_system_must_be_named() -> None:
    """A change to one system does not cover what the commit does to another."""
    found = judged(APPROVED, systems=("api", "database"))
    assert found.state == "uncovered"
    assert "does not name database" in found.why[0]
    other = replace(APPROVED, id=TWO, systems=("database", "website"), since=950)
    both = judged(APPROVED, other, systems=("api", "database"))
    assert (both.state, both.changes, both.since) == ("covered", (ONE, TWO), 950)


def test_a_change_to_something_else_is_left_out() -> None:
    """What is tied beside it and helps nothing is not named."""
    assert judged(APPROVED, replace(APPROVED, id=TWO, systems=("website",))).changes == (ONE,)


def test_files_of_no_system() -> None:
    """They are covered by any approved change, and told where they are not."""
    assert judged(APPROVED, systems=()).state == "covered"
    assert judged(systems=()).why[-1] == "the policy has no system with these paths"


def test_standard_changes() -> None:
    """One that follows its model is standard; beside a normal one the commit is covered."""
    standard = replace(APPROVED, id=TWO, type="standard", since=None)
    assert judged(standard).state == "standard"
    assert judged(standard, APPROVED).state == "covered"
    assert judged(replace(standard, since=900)).state == "covered"  # it left its model, and was approved


def test_emergencies() -> None:
    """One that nobody approved yet is pending; one that was rejected covers nothing."""
    emergency = Known(TWO, "implemented", "emergency", False, None, ("api",))
    assert judged(emergency).state == "emergency-pending"
    assert "nobody has approved yet" in judged(emergency).why[0]
    assert judged(emergency, APPROVED).changes == (ONE,)
    assert judged(replace(emergency, status="rejected")).state == "uncovered"
    assert judged(replace(emergency, evaluated=True, since=900)).state == "covered"


def test_exemptions_are_told_with_their_reason() -> None:
    """Never silently; and a change that covers goes before them."""
    docs = replace(COMMIT, paths=("docs/a.md",))
    found = judged(commit=docs, exemptions=[EXEMPT])
    assert (found.state, found.exemption) == ("exempt", "texts")
    assert found.why == ("texts: only docs/** (Nobody's data.)",)
    assert judged(APPROVED, commit=docs, exemptions=[EXEMPT]).state == "covered"
    assert (
        judged(commit=replace(COMMIT, paths=("docs/a.md", "api/b")), exemptions=[EXEMPT]).state == "uncovered"
    )


def test_no_file() -> None:
    """A commit that changes nothing deploys nothing."""
    found = judged(commit=replace(COMMIT, paths=()))
    assert (found.state, found.why) == ("exempt", ("it changes no file",))


RENOVATE = "renovate@example.org"
UPDATE = replace(COMMIT, subject="chore: update", author=RENOVATE, authors=(RENOVATE,))


@pytest.mark.parametrize(
    ("rule", "commit", "holds"),
    [
        ({"authors": ["renovate@*"]}, UPDATE, True),
        ({"authors": ["renovate@*"]}, replace(UPDATE, authors=(RENOVATE, "bo@example.org")), False),
        ({"authors": ["renovate@*"]}, replace(UPDATE, authors=()), False),
        ({"subject": "chore: [a-z]+"}, UPDATE, True),
        ({"subject": "chore: [a-z]+"}, replace(UPDATE, subject="chore: update, and more"), False),
        (
            {"subject": "chore: [a-z]+"},
            replace(UPDATE, subject="Merge", merged=("chore: a", "chore: b")),
            True,
        ),
        (
            {"subject": "chore: [a-z]+"},
            replace(UPDATE, subject="Merge", merged=("chore: a", "feat: b")),
            False,
        ),
        ({"subject": "chore: [a-z]+", "authors": ["renovate@*"]}, UPDATE, True),
        ({"subject": "feat: [a-z]+", "authors": ["renovate@*"]}, UPDATE, False),
        ({"paths": ["*.py"], "systems": ["api"]}, UPDATE, True),
        ({"paths": ["*.py"], "systems": ["website"]}, UPDATE, False),
        ({"paths": ["*.py"], "expires": NOW + dt.timedelta(days=1)}, UPDATE, True),
        ({"paths": ["*.py"], "expires": NOW}, UPDATE, False),
    ],
)
def test_all_conditions_of_an_exemption_hold(rule: dict[str, Any], commit: Commit, holds: bool) -> None:
    """Each that is given; an author or a subject that does not fit is enough against it."""
    exemption = Exemption.model_validate({"name": "x", "reason": "y", **rule})
    assert bool(exempts(exemption, commit, ("api",), NOW)) is holds


def test_an_exemption_from_everything_is_refused() -> None:
    """A rule without conditions would be the end of coverage."""
    with pytest.raises(ValueError, match="would exempt every commit"):
        Exemption.model_validate({"name": "x", "reason": "y", "systems": ["api"]})


def test_touched() -> None:
    """Systems by their paths; one without any is the whole repository."""
    scopes = {"api": ("api/**",), "web": ("web/**",), "whole": ()}
    assert touched(["api/a", "x"], scopes) == ("api", "whole")
    assert touched([], scopes) == ()


KNOWN = st.builds(
    Known,
    st.sampled_from([ONE, TWO]),
    st.sampled_from(STATUSES),
    st.sampled_from(["normal", "standard", "emergency"]),
    st.booleans(),
    st.none() | st.integers(0, 2_000),
    st.sets(st.sampled_from(["api", "database"])).map(tuple),
)
BETTER: dict[State, int] = {"uncovered": 0, "exempt": 1, "emergency-pending": 2, "standard": 3, "covered": 3}


@given(st.lists(KNOWN, max_size=3), KNOWN, st.sets(st.sampled_from(["api", "database"])).map(tuple))
def test_properties(known: list[Known], more: Known, systems: tuple[str, ...]) -> None:
    """What covers is approved and names every system; another tie never makes it worse; something is always told."""
    there = {change.id: change for change in known}
    found = judged(*there.values(), systems=systems)
    assert found.why
    assert found.state in STATES
    if found.state in ("covered", "standard"):
        helping = [there[change] for change in found.changes]
        assert all(c.evaluated and c.status not in ("requested", "rejected", "withdrawn") for c in helping)
        assert set(systems) <= {name for c in helping for name in c.systems}
    if more.id not in there:
        assert BETTER[judged(*there.values(), more, systems=systems).state] >= BETTER[found.state]
    assert counts([found]) == {state: int(state == found.state) for state in STATES}
