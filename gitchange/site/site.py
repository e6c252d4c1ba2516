"""The changes of a site, sorted for readers: what waits for whom, what is planned, what happened, what needs attention.

Plain data for the templates. The state of a change comes from its verdict and is not judged again.
Everything is in a fixed order, so that the same evidence gives the same site to the byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import cached_property
from heapq import nlargest
from zoneinfo import ZoneInfo

from gitchange.assessment.brief import UNREADABLE
from gitchange.assessment.calendar import Calendar, month_label, planned
from gitchange.assessment.events import Event, events_of
from gitchange.assessment.overview import Overview, PolicyVersion
from gitchange.assessment.verification import Verification
from gitchange.index import place as places
from gitchange.lifecycle.figures import Figures, measure
from gitchange.lifecycle.freezes import Occurrence, concerns
from gitchange.lifecycle.policy_diff import HEADINGS, WEIGHTS, Difference, differences
from gitchange.lifecycle.status import STATUSES
from gitchange.model.finding import Finding
from gitchange.model.policy import Freeze, Policy, System
from gitchange.site.catalogue import Brief, Catalogue
from gitchange.values import Value

LATELY = 12
"""How many events the home page shows."""

NEAR = 3
"""How many changes to the same systems, before and after it, the page of a change names."""


class Waiting(Value):
    """A change that waits for somebody to act."""

    brief: Brief
    action: str
    role: str
    who: Sequence[str]


class Person(Value):
    """Somebody of the policy, or somebody who signed or requested."""

    principal: str
    roles: tuple[str, ...]
    owns: tuple[str, ...]
    """Systems that the person answers for."""
    waiting: tuple[Waiting, ...]
    requested: tuple[Brief, ...]
    signed: tuple[Brief, ...]


class Group(Value):
    """Changes that belong on one page: a status, a system or a month."""

    name: str
    label: str
    briefs: tuple[Brief, ...]

    @property
    def open(self) -> int:
        """How many of them are not closed."""
        return sum(1 for brief in self.briefs if brief.is_open)


class PolicyStep(Value):
    """One policy version, and what it changed against the one before."""

    version: PolicyVersion
    first: bool
    """Whether it is the one that is trusted because the introduction is."""
    parts: tuple[tuple[str, tuple[Difference, ...]], ...]
    """Heading and differences; empty for the first, and for one that came back unchanged."""


class Related(Value):
    """A change that the reader of another one may want to see."""

    brief: Brief
    why: str
    """In a few words, e.g. `depends on it`."""


class Site:
    """One overview with its pages' worth of orderings."""

    def __init__(
        self,
        overview: Overview,
        catalogue: Catalogue | None = None,
        verification: Verification | None = None,
    ) -> None:
        """Without a catalogue it shows the assessments that the overview has."""
        self.overview = overview
        self.verification = verification
        """What `verify` says of all this; None where nobody asked."""
        self.catalogue = catalogue or Catalogue.of(overview.assessments)
        self.briefs = self.catalogue.briefs
        self.known: dict[str, Brief] = {b.id: b for b in self.briefs if b.title is not None}
        """Readable changes by id: those that can be linked to."""
        policy = overview.policy
        self.policy: Policy | None = policy
        self.zone: dt.tzinfo = (
            ZoneInfo(policy.file.timezone) if policy is not None and policy.file.timezone else dt.UTC
        )
        """The zone in which the company plans; times are shown in it."""

    # -- what waits --------------------------------------------------------------------------

    @cached_property
    def _waiting(self) -> tuple[Waiting, ...]:
        return tuple(Waiting(b, *step) for b in self.briefs for step in b.next)

    @cached_property
    def waiting_for_anyone(self) -> tuple[Waiting, ...]:
        """What any member may do: documenting."""
        return tuple(w for w in self._waiting if w.action == "document")

    @cached_property
    def waiting_for_nobody(self) -> tuple[Waiting, ...]:
        """What nobody can do, because the rules exclude everybody who holds the role."""
        return tuple(w for w in self._waiting if not w.who)

    @cached_property
    def waiting_by_person(self) -> tuple[tuple[str, tuple[Waiting, ...]], ...]:
        """What waits for each person; who has most to do comes first."""
        by_person: dict[str, list[Waiting]] = {}
        for waiting in self._waiting:
            if waiting.action != "document":
                for who in waiting.who:
                    by_person.setdefault(who, []).append(waiting)
        ordered = sorted(by_person.items(), key=lambda item: (-len(item[1]), item[0]))
        return tuple((who, tuple(items)) for who, items in ordered)

    # -- what to look at ---------------------------------------------------------------------

    @cached_property
    def attention(self) -> tuple[Brief, ...]:
        """Changes that are overdue, flagged while open, or have findings that are errors."""
        return tuple(b for b in self.briefs if b.needs_attention)

    @cached_property
    def planned(self) -> tuple[Brief, ...]:
        """Open changes whose window is not over and that are not implemented yet, the next one first."""
        return planned(self.briefs, self.overview.now)

    @cached_property
    def lately(self) -> tuple[tuple[Brief, Event], ...]:
        """The newest events of all changes."""
        return self.events(self.newest(self.briefs, LATELY), LATELY)

    @staticmethod
    def newest(briefs: Iterable[Brief], limit: int) -> list[Brief]:
        """Those to which something happened last: the newest events are among theirs."""
        return nlargest(limit, briefs, key=lambda b: (b.touched, b.path))

    def events(self, briefs: Iterable[Brief], limit: int) -> tuple[tuple[Brief, Event], ...]:
        """The newest events of these changes."""
        events = [(b, e) for b in briefs for e in events_of(self.catalogue.whole(b))[:limit]]
        events.sort(key=lambda item: (item[1].when, item[0].path, item[1].name), reverse=True)
        return tuple(events[:limit])

    @cached_property
    def due(self) -> tuple[Brief, ...]:
        """Open changes whose next step has a time, the one that is or was due first before the others."""
        limited = ((b.due, b.path, b) for b in self.briefs if b.is_open and b.due is not None)
        return tuple(b for *_, b in sorted(limited, key=lambda item: item[:2]))

    @cached_property
    def calendar(self) -> Calendar:
        """What is planned, by month."""
        return Calendar(self.briefs, self.planned, self.policy, self.overview.now, self.zone)

    @cached_property
    def figures(self) -> Figures:
        """How changes go."""
        return measure(self.briefs, self.overview.now, self.zone)

    @cached_property
    def planned_by_system(self) -> dict[str, list[Brief]]:
        """For each system, what is planned for it, the next one first."""
        return self._grouped((name, b) for b in self.planned for name in b.systems)

    @cached_property
    def dependants(self) -> dict[str, list[str]]:
        """For each system, those that need it."""
        found: dict[str, list[str]] = {}
        for name, system in sorted((self.policy.systems if self.policy else {}).items()):
            for needed in system.depends_on:
                found.setdefault(needed, []).append(name)
        return found

    def freezes_of(self, name: str) -> tuple[tuple[Freeze, Occurrence | None], ...]:
        """The freezes that can hold for changes to a system, each with the time that it takes place now or next."""
        policy = self.policy
        if policy is None:
            return ()
        return tuple(
            (freeze, next((o for o in self._coming_freezes if o.freeze is freeze), None))
            for freeze in policy.file.freezes
            if concerns(freeze, policy, name)
        )

    @cached_property
    def _coming_freezes(self) -> tuple[Occurrence, ...]:
        now = self.overview.now.astimezone(dt.UTC)
        return tuple(o for o in self.calendar.freezes if now < o.end.astimezone(dt.UTC))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Findings about the repository as a whole."""
        return self.overview.findings

    @cached_property
    def with_findings(self) -> tuple[Brief, ...]:
        """Changes about which something was found."""
        return tuple(b for b in self.briefs if b.findings)

    @cached_property
    def open_count(self) -> int:
        """How many changes are not closed."""
        return sum(1 for b in self.briefs if b.is_open)

    @cached_property
    def policy_steps(self) -> tuple[PolicyStep, ...]:
        """How the policy came to be, newest first."""
        steps: list[PolicyStep] = []
        before: Policy | None = None
        for version in self.overview.policies:
            now = version.policy
            told = differences(before, now) if before is not None and now is not None else ()
            told = tuple(d for d in told if d.keys != ("version",))  # the heading has the number
            parts = ((HEADINGS[w], tuple(d for d in told if d.weight == w)) for w in WEIGHTS)
            steps.append(PolicyStep(version, not steps, tuple(part for part in parts if part[1])))
            before = now or before
        return tuple(reversed(steps))

    # -- groups ------------------------------------------------------------------------------

    @cached_property
    def statuses(self) -> tuple[Group, ...]:
        """Every status in the order of the process, empty ones too; unreadable files when there are any."""
        by_status = self._grouped((b.status, b) for b in self.briefs)
        names = [*STATUSES, *([UNREADABLE] if UNREADABLE in by_status else [])]
        return tuple(Group(name, name, tuple(by_status.get(name, ()))) for name in names)

    @cached_property
    def systems(self) -> tuple[Group, ...]:
        """Every system of the policy, and those that changes name beside them."""
        named = self._grouped((system, b) for b in self.briefs for system in b.systems)
        known = self.policy.systems if self.policy else {}
        names = sorted({*known, *named})
        return tuple(Group(n, known[n].name if n in known else n, tuple(named.get(n, ()))) for n in names)

    def system(self, name: str) -> System | None:
        """What the policy says about a system; None for an unknown one."""
        return self.policy.systems.get(name) if self.policy else None

    @cached_property
    def months(self) -> tuple[Group, ...]:
        """Months of the changes' ids, the newest first."""
        by_month = self._grouped((_month_of(b), b) for b in self.briefs if b.title is not None)
        return tuple(Group(m, month_label(m), tuple(by_month[m])) for m in sorted(by_month, reverse=True))

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Everybody whom the policy names or who took part, by name."""
        requested = self._grouped((b.requester, b) for b in self.briefs if b.requester)
        signed = self._grouped((by, b) for b in self.briefs for by in b.signers)
        documented = {b.documented_by for b in self.briefs if b.documented_by}
        waiting = dict(self.waiting_by_person)
        owned: dict[str, list[str]] = {}
        for name, system in sorted((self.policy.systems if self.policy else {}).items()):
            if system.owner:
                owned.setdefault(system.owner, []).append(name)
        members = self.policy.people if self.policy else ()
        everybody = sorted({*members, *requested, *signed, *documented, *waiting, *owned})
        return tuple(
            Person(
                who,
                self.policy.roles_of(who) if self.policy else (),
                tuple(owned.get(who, ())),
                waiting.get(who, ()),
                tuple(requested.get(who, ())),
                tuple(signed.get(who, ())),
            )
            for who in everybody
        )

    @cached_property
    def last_signatures(self) -> dict[str, int]:
        """When each person who signed anything last did so, as their clocks claimed, in seconds since 1970.

        Nobody signed a change after it was last touched: few changes have to be looked at whole.
        """
        found: dict[str, int] = {}
        for person in self.people:
            last = 0
            for brief in sorted(person.signed, key=lambda b: b.touched, reverse=True):
                if brief.touched <= last:
                    break
                for sign_off in self.catalogue.whole(brief)["sign_offs"]:
                    if sign_off["by"] == person.principal:
                        claimed = dt.datetime.fromisoformat(sign_off["time"]).timestamp()
                        last = max(last, int(claimed))
            if last:
                found[person.principal] = last
        return found

    @cached_property
    def principals(self) -> frozenset[str]:
        """Everybody who has a page."""
        return frozenset(person.principal for person in self.people)

    # -- what belongs together ---------------------------------------------------------------

    def related(self, brief: Brief) -> tuple[Related, ...]:
        """Changes that it refers to or that refer to it, and those nearest in time to the same systems."""
        found: dict[str, Related] = {}
        for other in brief.refers:
            if other in self.known and other != brief.id:
                found.setdefault(other, Related(self.known[other], "this one refers to it"))
        for referring in self._referring.get(brief.id, ()):
            found.setdefault(referring.id, Related(referring, "it refers to this one"))
        near = {b.id: b for name in brief.systems for b in self._neighbours(name, brief)}
        ordered = sorted(near.values(), key=lambda b: (abs(b.requested - brief.requested), b.path))
        for other_brief in ordered[: 2 * NEAR]:
            shared = ", ".join(name for name in brief.systems if name in other_brief.systems)
            found.setdefault(other_brief.id, Related(other_brief, f"near in time on {shared}"))
        return tuple(found.values())

    def inputs_of(self, brief: Brief) -> str:
        """Names what the page of a change is made from: itself, and what it says of others."""
        parts, known = [brief.digest], self.known
        for name in brief.systems:
            marks, place = self._marks[name], self._places[name][brief.number]
            parts += marks[max(place - NEAR, 0) : place]
            parts.append(name)
            parts += marks[place + 1 : place + 1 + NEAR]
        parts.append("")  # what follows is about other things
        for other in brief.refers:
            parts.append(known[other].mark if other in known else "")
        parts.append("")
        for referring in self._referring.get(brief.id, ()):
            parts.append(referring.mark)
        parts += ["", *(other for other in brief.mentions if other in known)]
        return places.digest("\n".join(parts).encode("utf-8", "surrogatepass"))

    @cached_property
    def _referring(self) -> dict[str, list[Brief]]:
        return self._grouped((other, b) for b in self.briefs if b.title is not None for other in b.refers)

    @cached_property
    def _places(self) -> dict[str, dict[int, int]]:
        """For each system, the place of each of its changes among them."""
        return {
            group.name: {brief.number: place for place, brief in enumerate(group.briefs)}
            for group in self.systems
        }

    @cached_property
    def _marks(self) -> dict[str, list[str]]:
        """For each system, what other pages say of its changes."""
        return {group.name: [brief.mark for brief in group.briefs] for group in self.systems}

    @cached_property
    def _by_system(self) -> dict[str, tuple[Brief, ...]]:
        return {group.name: group.briefs for group in self.systems}

    def _neighbours(self, system: str, brief: Brief) -> Iterable[Brief]:
        """The changes to a system just before and just after this one came in."""
        place, all_of_them = self._places[system][brief.number], self._by_system[system]
        return (*all_of_them[max(place - NEAR, 0) : place], *all_of_them[place + 1 : place + 1 + NEAR])

    @staticmethod
    def _grouped(pairs: Iterable[tuple[str | None, Brief]]) -> dict[str, list[Brief]]:
        grouped: dict[str, list[Brief]] = {}
        for name, brief in pairs:
            if name is not None:
                grouped.setdefault(name, []).append(brief)
        return grouped


def _month_of(brief: Brief) -> str:
    return f"{brief.id[4:8]}-{brief.id[8:10]}"
