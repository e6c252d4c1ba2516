"""What the members of a policy cannot do under its rules, in words for a small team.

Pure. Goes through the kinds of change that the policy distinguishes and everybody who may request, implement or sign;
the same trouble of many kinds and persons is said once. Whether a change can be completed is decided by
`gitchange.lifecycle.satisfiable`.
"""

from __future__ import annotations

from functools import cached_property

from gitchange.lifecycle import rules
from gitchange.lifecycle.satisfiable import (
    Plan,
    change_of,
    families_of,
    kinds_of,
    needs_of,
    plan,
)
from gitchange.model.change import RISK_LEVELS
from gitchange.model.finding import Finding
from gitchange.model.policy import POLICY_FILE, ROOT, SYSTEMS_FILE
from gitchange.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from gitchange.lifecycle.satisfiable import (
        Kind,
        Need,
        Needs,
        Obstacle,
    )
    from gitchange.model.finding import Severity
    from gitchange.model.policy import Policy

_PATH = f"{ROOT}/{POLICY_FILE}"


def findings(policy: Policy, able: Collection[str], now: dt.datetime) -> tuple[Finding, ...]:
    """What the members of a policy cannot do under its rules, in these steps:

    1. changes that nobody can complete whoever requests them (errors), or that nobody can when some
       persons do (warnings);
    2. persons after whose implementation nobody is left to validate or approve (warnings);
    3. what works only because of a waiver, and until when (notes);
    4. changes to several systems at once that nobody can complete although those to each of them can
       be (warnings);
    5. rules that match no change (warnings).

    `able` are the persons who have a key that counts at `now`.
    """
    if not policy.systems:
        message = "there are no systems, so no change to any of them can be requested"
        return (
            Finding("policy.no-systems", message, "add one to systems.toml", path=f"{ROOT}/{SYSTEMS_FILE}"),
        )
    survey = _Survey(policy, frozenset(able), now)
    return (
        *survey.stuck(),
        *survey.stuck_implementers(),
        *survey.carried(),
        *survey.several(),
        *survey.idle_rules(),
    )


_MENDS: dict[str, str] = {"evaluation": "evaluator-is-requester", "validation": "validator-is-implementer"}
_DONE = {"evaluation": "evaluated", "implementation": "implemented", "validation": "validated"}


class _Survey:
    """One look at a policy; what was planned once is kept."""

    def __init__(self, policy: Policy, able: frozenset[str], now: dt.datetime) -> None:
        self.policy, self.able, self.now = policy, able, now
        self.people = policy.requesters
        self.kinds = kinds_of(policy, now)
        self._needs: dict[Kind, Needs] = {}
        self._plans: dict[tuple[Needs, str, str | None], Plan] = {}

    def needs(self, kind: Kind) -> Needs:
        """What a kind of change needs."""
        if kind not in self._needs:
            preapproved = kind.model is not None
            self._needs[kind] = needs_of(
                self.policy, change_of(kind), self.able, self.now, preapproved=preapproved
            )
        return self._needs[kind]

    def plan(self, needs: Needs, requester: str, implementer: str | None = None) -> Plan:
        """A plan, made once: to who evaluates nothing it does not matter who requests."""
        evaluators = {person.casefold() for need in needs.evaluation or () for person in need.who}
        key = (needs, requester if requester.casefold() in evaluators else "", implementer)
        if key not in self._plans:
            self._plans[key] = plan(needs, key[1], implementer=implementer)
        return self._plans[key]

    @cached_property
    def alike(self) -> dict[Needs, frozenset[Kind]]:
        """The kinds of change, those together that need the same."""
        grouped: dict[Needs, set[Kind]] = {}
        for kind in self.kinds:
            grouped.setdefault(self.needs(kind), set()).add(kind)
        return {needs: frozenset(kinds) for needs, kinds in grouped.items()}

    # -- 1. ----------------------------------------------------------------------------------

    def stuck(self) -> Iterator[Finding]:
        """1. What cannot be completed, and when whom requests it."""
        faults: dict[Obstacle, dict[str, set[Kind]]] = {}
        for needs, kinds in self.alike.items():
            for requester in self.people:
                for obstacle in self.plan(needs, requester).obstacles:
                    faults.setdefault(obstacle, {}).setdefault(requester, set()).update(kinds)
        for obstacle, by_person in faults.items():
            for kinds, persons in _turned(by_person):
                nobody = set(persons) == set(self.people)
                requested = "" if nobody else f" that {_names(persons)} request{_s(persons)}"
                what = f"{self.described(kinds)}{requested}"
                yield _obstacle_finding(obstacle, what, "error" if nobody else "warning")

    # -- 2. ----------------------------------------------------------------------------------

    def stuck_implementers(self) -> Iterator[Finding]:
        """2. Who should not implement, because nobody would be left."""
        faults: dict[Obstacle, dict[str, set[Kind]]] = {}
        for needs, kinds in self.alike.items():
            requesters = [r for r in self.people if not self.plan(needs, r).obstacles]
            for person in dict.fromkeys(p for need in needs.implementation for p in need.who):
                plans = [self.plan(needs, requester, person) for requester in requesters]
                if plans and all(made.obstacles for made in plans):
                    faults.setdefault(plans[0].obstacles[0], {}).setdefault(person, set()).update(kinds)
        for obstacle, by_person in faults.items():
            for kinds, persons in _turned(by_person):
                done = "validate" if obstacle.step == "validation" else "approve"
                yield Finding(
                    "duties.nobody-left",
                    f"{self.described(kinds)} that {_names(persons)} implement{_s(persons)} nobody can {done}: "
                    f"{_staffed(obstacle.needs)}",
                    f"let somebody else implement, or {_mend_of(obstacle)}",
                    "warning",
                    _PATH,
                )

    # -- 3. ----------------------------------------------------------------------------------

    def carried(self) -> Iterator[Finding]:
        """3. What rests on a waiver."""
        faults: dict[tuple[Obstacle, str, dt.datetime], dict[str, set[Kind]]] = {}
        for needs, kinds in self.alike.items():
            for name, until in needs.waivers:
                bare = replace(needs, waivers=tuple(w for w in needs.waivers if w[0] != name))
                for requester in self.people:
                    if self.plan(needs, requester).obstacles:
                        continue
                    for obstacle in self.plan(bare, requester).obstacles:
                        carried = faults.setdefault((obstacle, name, until), {})
                        carried.setdefault(requester, set()).update(kinds)
        for (obstacle, name, until), by_person in faults.items():
            for kinds, persons in _turned(by_person):
                everybody = set(persons) == set(self.people)
                requested = "" if everybody else f" that {_names(persons)} request{_s(persons)}"
                yield Finding(
                    "duties.only-by-waiver",
                    f"{self.described(kinds)}{requested} can be {_DONE[obstacle.step]} only because of the waiver "
                    f"{name}, until {until:%Y-%m-%d}: {_reason(obstacle)}",
                    f"before then, {_mend_of(obstacle, waiver=False)}",
                    "note",
                    _PATH,
                )

    # -- 4. ----------------------------------------------------------------------------------

    def several(self) -> Iterator[Finding]:
        """4. Systems that cannot be changed together.

        More systems never ask for less (but see `_hardest`) and are never waived more, so it is enough to try all that
        can be changed by themselves at once, and to leave out what is not to blame when that fails.
        """
        faults: dict[tuple[Obstacle, tuple[str, ...]], dict[str, set[Kind]]] = {}
        for family in families_of(self.policy, self.now):
            singles = self._alone(family)
            for requester in self.people:
                possible = [k for k in singles if not self.plan(self.needs(k), requester).obstacles]
                for systems in self._hardest(k.systems[0] for k in possible):
                    together = self._to_blame(family, systems, requester)
                    for obstacle in self._together(family, together, requester).obstacles[:1]:
                        requesters = faults.setdefault((obstacle, together), {})
                        requesters.setdefault(requester, set()).add(family)
        for (obstacle, together), by_person in faults.items():
            for kinds, persons in _turned(by_person):
                everybody = set(persons) == set(self.people)
                requested = "" if everybody else f", requested by {_names(persons)},"
                these = _typed(kinds, families_of(self.policy, self.now))
                yield Finding(
                    "duties.several-systems",
                    f"{these} to {_names(together, 'and')} at once{requested} cannot be {_DONE[obstacle.step]}, "
                    f"though those to each of them can: {_reason(obstacle)}",
                    f"request one change for each system, or {_mend_of(obstacle)}",
                    "warning",
                    _PATH,
                )

    def _alone(self, family: Kind) -> list[Kind]:
        """The changes of a family to one system, wherever that runs."""
        return [k for k in self.kinds if replace(k, systems=()) == family]

    def _hardest(self, systems: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """Sets of these systems of which no larger one asks for more.

        A rule may be for changes without customer information only, and a rule for an environment matches changes that
        name none, as those to systems without any do.
        """
        every = tuple(systems)
        known = self.policy.systems
        sets = [every, tuple(s for s in every if not known[s].customer_data)]
        sets += [tuple(s for s in some if not known[s].environments) for some in tuple(sets)]
        return tuple(some for some in dict.fromkeys(sets) if some)

    def _together(self, family: Kind, systems: tuple[str, ...], requester: str) -> Plan:
        if len(systems) < 2:
            return Plan((), ())
        return self.plan(self.needs(replace(family, systems=systems)), requester)

    def _to_blame(self, family: Kind, systems: tuple[str, ...], requester: str) -> tuple[str, ...]:
        """The smallest part of these systems that cannot be changed together, if they cannot."""
        if not self._together(family, systems, requester).obstacles:
            return ()
        for system in systems:
            fewer = tuple(s for s in systems if s != system)
            if self._together(family, fewer, requester).obstacles:
                systems = fewer
        return systems

    # -- 5. ----------------------------------------------------------------------------------

    def idle_rules(self) -> Iterator[Finding]:
        """5. Rules that match nothing."""
        changes = [change_of(kind) for kind in self.kinds]
        together = [
            change_of(replace(family, systems=systems))
            for family in families_of(self.policy, self.now)
            for systems in self._hardest(kind.systems[0] for kind in self._alone(family))
        ]
        for rule in self.policy.file.rules:
            if any(rules.matches(rule, self.policy, change) for change in changes):
                continue
            if any(rules.matches(rule, self.policy, change) for change in together):
                message = f"rule {rule.name!r} matches no change to one system, only to several at once"
            else:
                message = f"rule {rule.name!r} matches no change at all, so it asks for nothing"
            yield Finding(
                "policy.idle-rule",
                message,
                "look at its `when` against systems.toml and models/ (systems, customer_data, environments, "
                "types): all its conditions must hold for one change",
                "warning",
                _PATH,
            )

    # -- in words ----------------------------------------------------------------------------

    def described(self, kinds: Collection[Kind]) -> str:
        """Kinds of change to one system, in few words."""
        # For each system and place (None: everywhere) the families of change.
        families: dict[tuple[str, frozenset[str] | None], set[Kind]] = {}
        places: dict[tuple[str, Kind], set[str]] = {}
        for kind in (kind for kind in self.kinds if kind in kinds):
            family = replace(kind, systems=(), environments=())
            places.setdefault((kind.systems[0], family), set()).update(kind.environments)
        for (system, family), named in places.items():
            everywhere = not named or named == set(self.policy.systems[system].environments)
            families.setdefault((system, None if everywhere else frozenset(named)), set()).add(family)
        # What is true of all changes to a system differs between systems that have other models: say it both ways.
        alike: dict[tuple[frozenset[str] | None, str], list[str]] = {}
        same: dict[tuple[frozenset[str] | None, frozenset[Kind]], list[str]] = {}
        for (system, place), family_set in families.items():
            alike.setdefault((place, _typed(family_set, self._possible([system]))), []).append(system)
            same.setdefault((place, frozenset(family_set)), []).append(system)
        by_words = {
            (place, _typed(family_set, self._possible(systems)), tuple(systems)): None
            for (place, family_set), systems in same.items()
        }
        if len(alike) < len(by_words):
            by_words = {(place, words, tuple(systems)): None for (place, words), systems in alike.items()}
        phrases = [
            words + self._to_systems(systems) + (f" in {_names(sorted(place), 'or')}" if place else "")
            for place, words, systems in by_words
        ]
        more = f"; and {len(phrases) - 3} further kinds" if len(phrases) > 3 else ""
        return "; ".join(phrases[:3]) + more

    def _possible(self, systems: Collection[str]) -> list[Kind]:
        """All kinds of change to these systems."""
        return [kind for kind in self.kinds if kind.systems[0] in systems]

    def _to_systems(self, systems: Sequence[str]) -> str:
        """Which systems, by what they have in common where that is all of it."""
        chosen, every = set(systems), self.policy.systems
        if chosen == set(every):
            return ""
        for holds, words in ((True, "with"), (False, "without")):
            if chosen == {name for name, system in every.items() if system.customer_data == holds}:
                return f" to systems {words} customer information"
        return f" to {_names(systems, 'or')}"


def _obstacle_finding(obstacle: Obstacle, what: str, severity: Severity) -> Finding:
    """1. One obstacle in words."""
    step, done = obstacle.step, _DONE[obstacle.step]
    mend = _mend_of(obstacle)
    if obstacle.why == "no-rule":
        return Finding(
            "policy.no-rule",
            f"no rule says who may sign the {step} of {what}, so none of them can ever be completed",
            f"add a rule with `{step}` that matches them",
            severity,
            _PATH,
        )
    if obstacle.why == "too-few":
        (need,) = obstacle.needs
        return Finding(
            "policy.too-few-keys",
            f"{what} cannot be {done}: {need.needed} × {need.role} must sign, and of its members "
            f"{'only ' if need.who else ''}{_names(need.who) or 'nobody'} can: the others have no key that counts",
            mend,
            severity,
            _PATH,
        )
    if obstacle.why == "requester":
        return Finding(
            "duties.no-evaluator", f"{what} cannot be {done}: {_reason(obstacle)}", mend, severity, _PATH
        )
    second = (
        "approved by a second person, who neither requests nor implements"
        if step == "evaluation"
        else "validated by anybody else than the implementers"
    )
    return Finding(
        "duties.no-second-person" if step == "evaluation" else "duties.no-validator",
        f"{what} cannot be {second}: {_reason(obstacle)}",
        mend,
        severity,
        _PATH,
    )


def _reason(obstacle: Obstacle) -> str:
    """Who the roles are that stand in each other's way."""
    if obstacle.why == "implementers":
        return f"{_staffed(obstacle.implementing)}, and {_staffed(obstacle.needs)}"
    words = _staffed(obstacle.needs)
    if any(need.needed > 1 for need in obstacle.needs):
        words += ", and the requester cannot be one of them"
    return words


def _mend_of(obstacle: Obstacle, *, waiver: bool = True) -> str:
    """What would remove an obstacle."""
    role = obstacle.needs[0].role if obstacle.needs else ""
    if obstacle.why == "too-few":
        return f"add keys of further members of {role} to {ROOT}/allowed_signers, or ask for fewer approvals"
    besides = " who does not implement" if obstacle.why == "implementers" else ""
    words = f"add another member{besides} to {role}"
    # An emergency is approved by a second person, and nothing waives that.
    if waiver and not (obstacle.why == "implementers" and obstacle.step == "evaluation"):
        words += f", or a waiver `{_MENDS.get(obstacle.step)}` with a reason and an expiry"
    return words


def _turned(by_person: dict[str, set[Kind]]) -> Iterator[tuple[frozenset[Kind], list[str]]]:
    """The same trouble of several persons once."""
    turned: dict[frozenset[Kind], list[str]] = {}
    for person, kinds in by_person.items():
        turned.setdefault(frozenset(kinds), []).append(person)
    yield from turned.items()


def _typed(kinds: Iterable[Kind], among: Iterable[Kind]) -> str:
    """Types and risks: `emergency changes of high or critical risk`, `changes` for all there are."""
    risks: dict[str, set[str]] = {}
    possible: dict[str, set[str]] = {}
    for table, listed in ((risks, kinds), (possible, among)):
        for kind in listed:
            table.setdefault(kind.type, set()).add(kind.risk)
    by_risks: dict[tuple[str, ...], list[str]] = {}
    for name in ("normal", "standard", "emergency"):
        if name in risks:
            every = risks[name] == possible[name]
            levels: tuple[str, ...] = () if every else tuple(r for r in RISK_LEVELS if r in risks[name])
            by_risks.setdefault(levels, []).append(name)
    words: list[str] = []
    for levels, names in by_risks.items():
        types = "" if set(names) == set(possible) else f"{_names(names, 'and')} "
        words.append(f"{types}changes" + (f" of {_names(levels, 'or')} risk" if levels else ""))
    return " and ".join(words)


def _staffed(needs: Iterable[Need]) -> str:
    """Who the roles are: `change-manager is only ada@example.org`."""
    words: list[str] = []
    for need in needs:
        if need.needed == 1:
            words.append(f"{need.role} is only {_names(need.who) or 'nobody'}")
        else:
            words.append(
                f"{need.needed} × {need.role} must sign, which is only {_names(need.who) or 'nobody'}"
            )
    return ", ".join(words)


def _names(names: Sequence[str], last: str = "and") -> str:
    """Some names; of many the first."""
    shown = [*names[:4], f"{len(names) - 4} more"] if len(names) > 5 else list(names)
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def _s(persons: Sequence[str]) -> str:
    """The ending of a verb after these persons."""
    return "s" if len(persons) == 1 else ""
