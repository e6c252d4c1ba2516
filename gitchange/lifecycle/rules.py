"""What the policy asks of a change: which rules match, which roles must sign, what is waived.

Fail closed: a change that touches a system nobody knows is treated as one with customer
information, and a step that no rule speaks of can never be done.
"""

from __future__ import annotations

from gitchange.model.change import RISK_LEVELS
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Sequence
    from typing import Literal, Protocol

    from gitchange.model.change import Change
    from gitchange.model.policy import Policy, Rule, Waiver, When

    SignedStep = Literal["evaluation", "implementation", "validation"]


if TYPE_CHECKING:

    class Described(Protocol):
        """What conditions are held against: a change, or what a list knows of one."""

        @property
        def type(self) -> str: ...
        @property
        def risk(self) -> str: ...
        @property
        def systems(self) -> Sequence[str]: ...
        @property
        def environments(self) -> Sequence[str]: ...


class Asked(Value):
    """What a step needs: this many persons in this role, by these rules."""

    role: str
    needed: int
    rules: tuple[str, ...]


def holds_customer_data(policy: Policy, change: Described) -> bool:
    """Whether one of the systems holds customer information; unknown systems are taken to."""
    systems = [policy.systems.get(name) for name in change.systems]
    return any(system is None or system.customer_data for system in systems)


def environments_of(policy: Policy, change: Described) -> frozenset[str]:
    """Where the change takes place: what it says, otherwise everywhere its systems run."""
    if change.environments:
        return frozenset(change.environments)
    known = (policy.systems[name] for name in change.systems if name in policy.systems)
    return frozenset(environment for system in known for environment in system.environments)


def matches(rule: Rule, policy: Policy, change: Change) -> bool:
    """Whether every condition of the rule holds for the change."""
    return applies(rule.when, policy, change)


def applies(when: When, policy: Policy, change: Described) -> bool:
    """Whether every condition holds for the change."""
    return (
        (when.types is None or change.type in when.types)
        and (when.risk is None or change.risk in when.risk)
        and (when.customer_data is None or when.customer_data == holds_customer_data(policy, change))
        and (when.systems is None or not set(when.systems).isdisjoint(change.systems))
        and (
            when.environments is None
            or not environments_of(policy, change)
            or not environments_of(policy, change).isdisjoint(when.environments)
        )
    )


def asked(policy: Policy, change: Change, step: SignedStep) -> tuple[Asked, ...]:
    """The demands of all matching rules on a step; for one role the highest number decides."""
    needed: dict[str, int] = {}
    named: dict[str, list[str]] = {}
    for rule in policy.file.rules:
        demand = getattr(rule, step)
        if demand is None or not matches(rule, policy, change):
            continue
        needed[demand.role] = max(needed.get(demand.role, 0), demand.approvals)
        named.setdefault(demand.role, []).append(rule.name)
    return tuple(Asked(role, count, tuple(named[role])) for role, count in needed.items())


def waivers(policy: Policy, change: Change, now: dt.datetime) -> tuple[Waiver, ...]:
    """The waivers that hold for the change at that time."""
    return tuple(
        waiver
        for waiver in policy.file.waivers
        if now < waiver.expires
        and (waiver.systems is None or set(change.systems) <= set(waiver.systems))
        and (waiver.types is None or change.type in waiver.types)
    )


def outside_model(
    policy: Policy, change: Change, at: dt.datetime, failed: Collection[str] = ()
) -> tuple[str, ...]:
    """Why a standard change does not keep within its model's bounds at that time; nothing when it does.

    `failed` are the changes that followed the model, as it now is, and failed by then.
    """
    model = policy.models.get(change.model or "")
    if model is None:
        return (f"there is no standard change model {change.model!r}",)
    reasons: list[str] = []
    if model.systems is not None and (strange := set(change.systems) - set(model.systems)):
        reasons.append(f"the model is not for {_and(sorted(strange))}")
    if RISK_LEVELS.index(change.risk) > RISK_LEVELS.index(model.max_risk):
        reasons.append(f"its risk is {change.risk}, the model allows {model.max_risk} at most")
    for name, parameter in model.parameters.items():
        value = change.parameters.get(name)
        if value is None and parameter.required:
            reasons.append(f"the parameter {name!r} is not given")
        elif value is not None and (problem := parameter.problem_with(value)):
            reasons.append(f"the parameter {name!r} {problem}")
    if strange := set(change.parameters) - set(model.parameters):
        reasons.append(f"the model has no parameter {_and(sorted(map(repr, strange)))}")
    if model.expires is not None and at >= model.expires:
        reasons.append(f"the model expired on {model.expires:%Y-%m-%d}")
    if model.suspended_after is not None and len(failed) >= model.suspended_after:
        reasons.append(
            f"the model is suspended: {len(failed)} of its changes failed ({_and(sorted(failed))}), "
            f"{model.suspended_after} suspend it until a new policy version changes it"
        )
    return tuple(reasons)


def _and(words: Iterable[str]) -> str:
    return ", ".join(words)
