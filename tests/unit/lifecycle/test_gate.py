"""What speaks against a deployment: all of it, and who can mend it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gitchange.lifecycle.coverage import Commit, Covered, State
from gitchange.lifecycle.gate import Deployable, Refusal, refusals
from gitchange.values import replace
from tests.unit.lifecycle.builders import ADA, EVE, MO, NOW, a_policy

ONE, TWO = "CHG-20261122-K7Q3", "CHG-20261123-AAAA"
COMMIT = Commit("1" * 40, "bo@example.org", 1_000, "Mend the login", ("api/login.py",), ("bo@example.org",))
CHANGE = Deployable(ONE, "normal", "low", ("api",))
DEBT = Deployable(
    TWO, "emergency", "high", ("api",), next=(("evaluate", (ADA, MO), f"gitchange approve {TWO}"),)
)
HOUR = dt.timedelta(hours=1)
WALL = NOW.replace(tzinfo=None)
FREEZE: dict[str, Any] = {
    "name": "inventory", "reason": "Counting.", "kind": "soft", "start": WALL - HOUR, "end": WALL + HOUR,
    "override": {"role": "security", "approvals": 1}, "zone": "UTC",
}  # fmt: skip


def covered(state: State = "covered", *changes: str) -> Covered:
    """A commit in that state."""
    return Covered(COMMIT, state, ("api",), changes or ((ONE,) if state != "exempt" else ()), ("because",))


def against(
    *commits: Covered,
    change: Deployable = CHANGE,
    debts: tuple[Deployable, ...] = (),
    environment: str | None = "production",
    **policy: Any,
) -> tuple[Refusal, ...]:
    """What speaks against deploying these commits now."""
    changes = {change.id: change, **{debt.id: debt for debt in debts}}
    return refusals(commits, changes, debts, a_policy(**policy), "api", environment, NOW)


def codes(*given: Covered, **known: Any) -> list[str]:
    """Their codes."""
    return [refusal.code.removeprefix("gate.") for refusal in against(*given, **known)]


@pytest.mark.parametrize("state", ["covered", "standard", "exempt", "emergency-pending"])
def test_what_may_pass(state: State) -> None:
    """An emergency passes before it is approved; and nothing new is nothing to refuse."""
    assert codes(covered(state)) == []
    assert codes() == []


def test_each_uncovered_commit_is_told() -> None:
    """With what is to be done, and by whom where a change waits."""
    (refusal,) = against(covered("uncovered", "CHG-20200101-0000"))
    assert refusal.who == ()
    assert "request a change" in refusal.mend
    waiting = replace(CHANGE, next=(("evaluate", (ADA, MO), f"gitchange approve {ONE}"),))
    (refusal,) = against(covered("uncovered", ONE), change=waiting)
    assert (refusal.mend, refusal.who) == (f"`gitchange approve {ONE}`", (ADA, MO))


def test_windows() -> None:
    """Its first and last moment are within it; no window is any time."""
    around = replace(CHANGE, window=(NOW, NOW))
    assert codes(covered(), change=around) == []
    early = replace(CHANGE, window=(NOW + HOUR, NOW + 2 * HOUR))
    (refusal,) = against(covered(), change=early)
    assert (refusal.code, refusal.mend) == ("gate.outside-window", "wait for its window")
    late = replace(CHANGE, window=(NOW - 2 * HOUR, NOW - HOUR))
    assert "plan another window" in against(covered(), change=late)[0].mend


def test_environments() -> None:
    """One that names none is for all; who asks for none gets no such answer."""
    staging = replace(CHANGE, environments=("staging",))
    assert codes(covered(), change=staging) == ["other-environment"]
    assert codes(covered(), change=staging, environment="staging") == []
    assert codes(covered(), change=staging, environment=None) == []


def test_freezes() -> None:
    """One that holds now refuses, unless those who may have lifted it for this change."""
    planned = replace(CHANGE, window=(NOW - HOUR, NOW + HOUR))
    (refusal,) = against(covered(), change=planned, freezes=[FREEZE])
    assert refusal.code == "gate.in-freeze"
    assert f"gitchange override-freeze {ONE}" in refusal.mend
    assert refusal.who == (EVE, ADA)
    lifted = replace(planned, overrides=(("inventory", "security", EVE),))
    assert codes(covered(), change=lifted, freezes=[FREEZE]) == []
    other = replace(planned, overrides=(("inventory", "change-manager", ADA), ("another", "security", EVE)))
    assert codes(covered(), change=other, freezes=[FREEZE]) == ["in-freeze"]
    two = FREEZE | {"override": {"role": "security", "approvals": 2}}
    assert codes(covered(), change=lifted, freezes=[two]) == ["in-freeze"]
    assert "plan it with a window" in against(covered(), freezes=[FREEZE])[0].mend


def test_what_no_freeze_holds() -> None:
    """Another time, another system; and emergencies."""
    past = FREEZE | {"end": WALL}
    assert codes(covered(), freezes=[past]) == []
    elsewhere = FREEZE | {"when": {"systems": ["website"]}}
    assert codes(covered(), freezes=[elsewhere]) == []
    assert (
        codes(covered("emergency-pending"), change=replace(CHANGE, type="emergency"), freezes=[FREEZE]) == []
    )


def test_what_is_exempt_is_frozen_too() -> None:
    """Nothing is changed in a freeze, whether it needs a change or not."""
    assert codes(covered("exempt"), freezes=[FREEZE]) == ["in-freeze"]


def test_emergency_debt() -> None:
    """It blocks what is no emergency, and says who pays it."""
    (refusal,) = against(covered(), debts=(DEBT,))
    assert (refusal.code, refusal.who) == ("gate.emergency-debt", (ADA, MO))
    assert codes(covered("exempt"), debts=(DEBT,)) == ["emergency-debt"]
    emergency = replace(CHANGE, type="emergency")
    assert codes(covered("emergency-pending"), change=emergency, debts=(DEBT,)) == []
    assert codes(debts=(DEBT,)) == []


def test_all_at_once_and_each_once() -> None:
    """Whoever reads it can mend everything in one go."""
    far = replace(CHANGE, environments=("staging",), window=(NOW + HOUR, NOW + 2 * HOUR))
    told = codes(covered(), covered(), covered("uncovered"), change=far, debts=(DEBT,), freezes=[FREEZE])
    assert told == ["uncovered", "other-environment", "outside-window", "in-freeze", "emergency-debt"]
