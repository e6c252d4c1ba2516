"""The gate: may this commit be deployed to a system, at this moment?

Pure. The answer is yes when nothing speaks against it; what does is told, all at once, each with who can mend it:

1. every commit since the last deployed one is covered, standard or exempt; one that belongs to an emergency is let
   through before anybody has approved that: emergencies are implemented first;
2. the changes by which they are covered are for this environment, and the window that one plans is now;
3. no freeze holds for them now that signed overrides do not lift;
4. no other emergency of the system is in debt: it blocks whatever is no emergency itself.
"""

from __future__ import annotations

import datetime as dt

from gitchange.lifecycle.freezes import holds_for, occurrences
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gitchange.lifecycle.coverage import Covered
    from gitchange.lifecycle.freezes import Occurrence
    from gitchange.model.policy import Policy

_INSTANT = dt.timedelta(seconds=1)


class Deployable(Value):
    """What the gate needs to know of a change."""

    id: str
    type: str
    risk: str
    systems: tuple[str, ...]
    environments: tuple[str, ...] = ()
    window: tuple[dt.datetime, dt.datetime] | None = None
    """Planned start and end."""
    overrides: tuple[tuple[str, str, str], ...] = ()
    """Freezes that counting sign-offs lift: the freeze's name, the role and who signed."""
    next: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    """What comes next: action, who can do it, the command."""


class Refusal(Value):
    """One thing that speaks against it."""

    code: str
    message: str
    mend: str
    who: tuple[str, ...] = ()
    """Who can mend it; empty where it depends on no person of the policy."""


def refusals(
    covered: Sequence[Covered],
    changes: Mapping[str, Deployable],
    debts: Sequence[Deployable],
    policy: Policy,
    system: str,
    environment: str | None,
    at: dt.datetime,
) -> tuple[Refusal, ...]:
    """All that speaks against deploying these commits; `debts` are the system's emergencies in debt."""
    told: dict[Refusal, None] = {}
    for one in covered:
        if one.state == "uncovered":
            told[_uncovered(one, changes)] = None
    using = {change: changes[change] for one in covered if one.state != "uncovered" for change in one.changes}
    for change in using.values():
        for refusal in (*_misplaced(change, system, environment, at), *_frozen(change, policy, at)):
            told[refusal] = None
    if any(one.state == "exempt" for one in covered):
        anyone = Deployable(
            "what is exempt", "normal", "low", (system,), (environment,) if environment else ()
        )
        for refusal in _frozen(anyone, policy, at):
            told[refusal] = None
    if any(one.state == "exempt" for one in covered) or any(c.type != "emergency" for c in using.values()):
        for debt in debts:
            told[_in_debt(debt)] = None
    return tuple(told)


def _uncovered(one: Covered, changes: Mapping[str, Deployable]) -> Refusal:
    message = f"commit {one.commit.id[:12]} ({one.commit.subject}) is not covered: {'; '.join(one.why)}"
    for change in one.changes:
        for action, who, command in changes[change].next if change in changes else ():
            if action == "evaluate":
                return Refusal("gate.uncovered", message, f"`{command}`", who)
    mend = "request a change and have it approved; then name it in the merge request (`Change: CHG-...`)"
    mend += (
        ", or name the commit in its implementation (`gitchange implement CHG-... --commit SYSTEM@COMMIT`)"
    )
    return Refusal("gate.uncovered", message, mend)


def _misplaced(
    change: Deployable, system: str, environment: str | None, at: dt.datetime
) -> Iterator[Refusal]:
    """2. Another environment, another time."""
    if environment is not None and change.environments and environment not in change.environments:
        yield Refusal(
            "gate.other-environment",
            f"{change.id} is for {', '.join(change.environments)}, not for {environment}",
            f"add {environment} to its `environments` and have it approved again, or deploy to those",
        )
    if change.window is not None and not change.window[0] <= at <= change.window[1]:
        start, end = (moment.isoformat(timespec="minutes") for moment in change.window)
        over = at > change.window[1]
        yield Refusal(
            "gate.outside-window",
            f"{change.id} is planned from {start} to {end}, and it is {at.isoformat(timespec='minutes')}",
            "plan another window and have it approved again" if over else "wait for its window",
        )


def _frozen(change: Deployable, policy: Policy, at: dt.datetime) -> Iterator[Refusal]:
    """3. Freezes that hold now."""
    for freeze in policy.file.freezes:
        if not holds_for(freeze, policy, change):
            continue
        for met in occurrences(freeze, policy, at, at + _INSTANT):
            demand = freeze.override
            lifted = {
                by
                for name, role, by in change.overrides
                if demand and (name, role) == (freeze.name, demand.role)
            }
            if demand is not None and len(lifted) >= demand.approvals:
                continue
            yield _in_freeze(change, policy, met)
            break


def _in_freeze(change: Deployable, policy: Policy, met: Occurrence) -> Refusal:
    demand = met.freeze.override
    end = met.end.isoformat(timespec="minutes")
    mend = f"wait until {end}"
    if demand is None or not change.id.startswith("CHG-"):
        return Refusal("gate.in-freeze", f"{change.id}: nothing is changed in the freeze {met}", mend)
    if change.window is None:
        mend += ", or plan it with a window in the freeze, and have that overridden"
    else:
        mend += f", or `gitchange override-freeze {change.id} -m WHY` by {demand.approvals} × {demand.role}"
    message = f"{change.id} meets the freeze {met}"
    return Refusal("gate.in-freeze", message, mend, policy.members(demand.role))


def _in_debt(debt: Deployable) -> Refusal:
    who = next((who for action, who, _ in debt.next if action == "evaluate"), ())
    command = next((c for action, _, c in debt.next if action == "evaluate"), f"gitchange approve {debt.id}")
    return Refusal(
        "gate.emergency-debt",
        f"{debt.id} is an emergency that was implemented and not approved in time",
        f"`{command}`, or `gitchange reject {debt.id}` and what follows from that",
        who,
    )
