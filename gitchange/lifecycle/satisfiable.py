"""Can the members of a policy complete a change? For one kind of change and one requester, exactly.

Pure. `plan` names who could sign what so that `judge` calls the change complete, or what stands in the way. It asks
the questions that the judge asks (`rules.asked`, `rules.waivers`), so the two cannot drift apart. `kinds_of` lists the
kinds of change that a policy distinguishes.

Left to others: going through all kinds and saying in words what was found (`gitchange.lifecycle.duties`), and who has
a key that counts (`gitchange.lifecycle.upkeep`).
"""

from __future__ import annotations

from gitchange.lifecycle import rules
from gitchange.model.change import (
    IMPACTS,
    LIKELIHOODS,
    RISK_LEVELS,
    Change,
    Emergency,
    Risk,
    Step,
    level_of,
)
from gitchange.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterator, Sequence
    from typing import Literal

    from gitchange.lifecycle.rules import Asked, SignedStep
    from gitchange.model.change import (
        ChangeType,
        RiskLevel,
    )
    from gitchange.model.policy import Policy

# -- one kind of change, one requester -----------------------------------------------------------


class Need(Value):
    """One demand on a step, and who could meet it."""

    role: str
    needed: int
    """How many persons must sign in the role."""
    who: tuple[str, ...]
    """Members of the role who can sign at all."""


class Needs(Value):
    """What a change needs to be completed; the same for many changes."""

    evaluation: tuple[Need, ...] | None
    """None for a change that a standard model has approved already."""
    implementation: tuple[Need, ...]
    validation: tuple[Need, ...]
    emergency: bool
    waivers: tuple[tuple[str, dt.datetime], ...]
    """What is waived, each with the moment until which it is."""

    @property
    def waived(self) -> frozenset[str]:
        """Names of the separations that are waived."""
        return frozenset(name for name, _ in self.waivers)


class Obstacle(Value):
    """Why a change cannot be completed: a demand that cannot be met."""

    step: SignedStep
    why: Literal["no-rule", "too-few", "requester", "implementers"]
    """No rule speaks of the step; too few can sign at all; too few beside the requester; or beside the implementers."""
    needs: tuple[Need, ...] = ()
    """The demands that cannot be met: one, or several that can be met only one without the other."""
    implementing: tuple[Need, ...] = ()
    """Of `implementers`: the demands on the implementation."""


class Plan(Value):
    """Who could sign what so that a change is complete, or what stands in the way."""

    sign_offs: tuple[tuple[SignedStep, str, str], ...]
    """(step, person, role) in order; empty when there are obstacles."""
    obstacles: tuple[Obstacle, ...]


def needs_of(
    policy: Policy, change: Change, able: Collection[str], now: dt.datetime, *, preapproved: bool = False
) -> Needs:
    """What the policy asks of a change, and who could meet it.

    `able` are the persons who can sign: they have a key that counts. `preapproved` says that the change is a
    standard one within the bounds of its model.
    """

    def met_by(asked: tuple[Asked, ...]) -> tuple[Need, ...]:
        return tuple(
            Need(a.role, a.needed, tuple(p for p in policy.members(a.role) if p in able)) for a in asked
        )

    until: dict[str, dt.datetime] = {}
    for waiver in rules.waivers(policy, change, now):
        until[waiver.waives] = max(waiver.expires, until.get(waiver.waives, waiver.expires))
    return Needs(
        None if preapproved else met_by(rules.asked(policy, change, "evaluation")),
        met_by(rules.asked(policy, change, "implementation")),
        met_by(rules.asked(policy, change, "validation")),
        change.type == "emergency",
        tuple(sorted(until.items())),
    )


def plan(needs: Needs, requester: str, *, implementer: str | None = None) -> Plan:
    """Find sign-offs that complete a change, in these steps:

    1. every step must be asked of somebody, and enough holders of each role must be able to sign;
    2. evaluators: neither the requester nor, which is the same here, an author of the request;
    3. implementers: enough of each role, and such that of every role that validates, and of every role that
       approves an emergency, enough persons remain who did not implement;
    4. who is left signs.

    Persons are counted, and one person may meet demands of several roles. `implementer` must be among
    the implementers, when given.
    """
    steps: tuple[tuple[SignedStep, tuple[Need, ...] | None], ...] = (
        ("evaluation", needs.evaluation),
        ("implementation", needs.implementation),
        ("validation", needs.validation),
    )
    # 1. Nobody is asked, or there are too few.
    found: list[Obstacle] = []
    for step, demands in steps:
        if demands == ():
            found.append(Obstacle(step, "no-rule"))
        found += [Obstacle(step, "too-few", (n,)) for n in demands or () if len(n.who) < n.needed]
    if found:
        return Plan((), tuple(found))
    # 2. The evaluators.
    evaluation = tuple(_without_requester(need, requester, needs.waived) for need in needs.evaluation or ())
    for before, left in zip(needs.evaluation or (), evaluation, strict=True):
        if len(left.who) < left.needed:
            found.append(Obstacle("evaluation", "requester", (before,)))
    # 3. The implementers.
    validating = () if "validator-is-implementer" in needs.waived else needs.validation
    approving = evaluation if needs.emergency and not found else ()
    chosen = _implementers(needs.implementation, (*validating, *approving), implementer)
    if chosen is None:
        whole = {need.role: need for need in needs.evaluation or ()}
        for obstacle in _too_close(needs.implementation, validating, approving, implementer):
            # Told with the whole roles: that the requester is left out is said beside.
            told = tuple(whole.get(n.role, n) if n in approving else n for n in obstacle.needs)
            found.append(replace(obstacle, needs=told))
    if found or chosen is None:
        return Plan((), tuple(found))
    # 4. The sign-offs.
    signed: list[tuple[SignedStep, str, str]] = []
    for need in evaluation:
        kept_out = chosen if needs.emergency else frozenset[str]()
        signed += [("evaluation", person, need.role) for person in need.who if person not in kept_out]
    for need in needs.implementation:
        signed += [("implementation", person, need.role) for person in need.who if person in chosen]
    for need in needs.validation:
        kept_out = chosen if validating else frozenset()
        signed += [("validation", person, need.role) for person in need.who if person not in kept_out]
    return Plan(tuple(signed), ())


def _without_requester(need: Need, requester: str, waived: frozenset[str]) -> Need:
    """2. Who may evaluate. The requester's address, in any case, is that of an author of the request."""

    def may(person: str) -> bool:
        if person == requester:
            return "evaluator-is-requester" in waived
        return person.casefold() != requester.casefold() or "evaluator-is-author" in waived

    return replace(need, who=tuple(person for person in need.who if may(person)))


def _implementers(
    demands: Sequence[Need], remaining: Sequence[Need], forced: str | None
) -> frozenset[str] | None:
    """3. Persons who meet the demands and leave enough others for each of `remaining`; None when there are none.

    Exact. Persons with the same memberships are interchangeable, so what is searched is how many of
    each kind implement; a state in which the search failed is not entered again.
    """
    people = tuple(dict.fromkeys(p for need in demands for p in need.who))
    kinds: dict[tuple[frozenset[int], frozenset[int]], list[str]] = {}
    for person in people:
        meets = frozenset(at for at, need in enumerate(demands) if person in need.who)
        takes = frozenset(at for at, need in enumerate(remaining) if person in need.who)
        kinds.setdefault((meets, takes), []).append(person)
    # Who is needed by nobody else first: most policies are satisfied at the first try.
    ordered = sorted(kinds, key=lambda kind: (len(kind[1]), -len(kind[0]), sorted(kind[0])))
    taken = dict.fromkeys(ordered, 0)
    failed: set[tuple[int, ...]] = set()

    def spare(at: int) -> int:
        gone = sum(count for (_, takes), count in taken.items() if at in takes)
        return len(remaining[at].who) - remaining[at].needed - gone

    def missing(at: int) -> int:
        return demands[at].needed - sum(count for (meets, _), count in taken.items() if at in meets)

    def search() -> bool:
        state = tuple(taken.values())
        if state in failed:
            return False
        unmet = next((at for at in range(len(demands)) if missing(at) > 0), None)
        if unmet is None:
            return True
        for kind in ordered:
            meets, takes = kind
            if unmet in meets and taken[kind] < len(kinds[kind]) and all(spare(at) > 0 for at in takes):
                taken[kind] += 1
                if search():
                    return True
                taken[kind] -= 1
        failed.add(state)
        return False

    if any(spare(at) < 0 for at in range(len(remaining))):
        return None
    if forced is not None:
        own = next((kind for kind, members in kinds.items() if forced in members), None)
        if own is None or any(spare(at) < 1 for at in own[1]):
            return None
        kinds[own].sort(key=lambda person: person != forced)
        taken[own] = 1
    if not search():
        return None
    return frozenset(person for kind, count in taken.items() for person in kinds[kind][:count])


def _too_close(
    demands: tuple[Need, ...],
    validating: tuple[Need, ...],
    approving: tuple[Need, ...],
    forced: str | None,
) -> Iterator[Obstacle]:
    """Which demands leave nobody beside the implementers: single ones where one alone explains it."""
    alone: list[Obstacle] = []
    steps: tuple[tuple[SignedStep, tuple[Need, ...]], ...] = (
        ("validation", validating),
        ("evaluation", approving),
    )
    for step, needs in steps:
        for need in needs:
            if _implementers(demands, (need,), forced) is None:
                alone.append(Obstacle(step, "implementers", (need,), demands))
    if alone:
        yield from alone
    elif validating and _implementers(demands, validating, forced) is None:
        yield Obstacle("validation", "implementers", validating, demands)
    else:
        yield Obstacle("evaluation", "implementers", (*approving, *validating), demands)


# -- the kinds of change -------------------------------------------------------------------------


class Kind(Value):
    """A kind of change that rules can tell from others."""

    type: ChangeType
    risk: RiskLevel
    systems: tuple[str, ...]
    environments: tuple[str, ...]
    """Where; empty: wherever the systems run."""
    model: str | None = None
    """The standard model that it keeps within."""


def kinds_of(policy: Policy, now: dt.datetime) -> tuple[Kind, ...]:
    """Every kind of change to one system: type × risk × system × environment, standard ones within their models.

    A model that has expired approves nothing, so no change is of its kind.
    """
    found: list[Kind] = []
    for kind in families_of(policy, now):
        model = policy.models[kind.model] if kind.model else None
        for name, system in policy.systems.items():
            if model is not None and model.systems is not None and name not in model.systems:
                continue
            found.append(replace(kind, systems=(name,)))
            if len(system.environments) > 1:
                found += [replace(kind, systems=(name,), environments=(e,)) for e in system.environments]
    return tuple(found)


def families_of(policy: Policy, now: dt.datetime) -> Iterator[Kind]:
    """Types and risks, without systems yet."""
    types: tuple[ChangeType, ...] = ("normal", "emergency")
    for kind in types:
        yield from (Kind(kind, risk, (), ()) for risk in RISK_LEVELS)
    for name, model in policy.models.items():
        if model.expires is None or now < model.expires:
            highest = RISK_LEVELS.index(model.max_risk)
            yield from (Kind("standard", risk, (), (), name) for risk in RISK_LEVELS[: highest + 1])


_RISKS: dict[RiskLevel, Risk] = {
    level_of(likelihood, impact): Risk(
        description="any", category="any", likelihood=likelihood, impact=impact, mitigations=("any",)
    )
    for likelihood in LIKELIHOODS
    for impact in IMPACTS
}

_ANY = Change.model_validate(
    {
        "schema": 1,
        "id": "CHG-20261122-K7Q3",
        "type": "normal",
        "systems": ("any",),
        "steps": (Step(action="any"),),
        "risks": tuple(_RISKS.values()),
        **dict.fromkeys(("title", "requester", "reason", "scope", "rollback", "test_plan"), "any"),
    }
)


def change_of(kind: Kind) -> Change:
    """A change of that kind, for asking the rules; its texts say nothing."""
    return _ANY.model_copy(
        update={
            "type": kind.type,
            "systems": kind.systems,
            "environments": kind.environments,
            "model": kind.model,
            "risks": (_RISKS[kind.risk],),
            "emergency": Emergency(incident="any", justification="any") if kind.type == "emergency" else None,
        }
    )
