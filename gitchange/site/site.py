"""The changes of a site, sorted for readers: what waits for whom, what is planned, what happened, what needs attention.

Plain data for the templates. The state of a change comes from its verdict and is not judged again.
Everything is in a fixed order, so that the same evidence gives the same site to the byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, overload
from zoneinfo import ZoneInfo

from gitchange.assessment.brief import UNREADABLE
from gitchange.assessment.calendar import month_label, planned
from gitchange.assessment.events import Event, events_of
from gitchange.assessment.overview import Overview, PolicyVersion
from gitchange.assessment.verification import Verification
from gitchange.index import lists
from gitchange.index import place as places
from gitchange.lifecycle.figures import Figures
from gitchange.lifecycle.freezes import Occurrence, concerns
from gitchange.lifecycle.policy_diff import HEADINGS, WEIGHTS, Difference, differences
from gitchange.lifecycle.status import AHEAD, CLOSED, STATUSES
from gitchange.model.finding import Finding, has_errors
from gitchange.model.policy import Freeze, Policy, System
from gitchange.site.catalogue import NEWEST, Brief, Briefs, Catalogue
from gitchange.site.vicinity import NEAR, Known, Vicinity, grouped
from gitchange.site.windows import Windows
from gitchange.values import Value

LATELY = 12
"""How many events the home page shows."""


class Waiting(Value):
    """A change that waits for somebody to act."""

    brief: Brief
    action: str
    role: str
    who: Sequence[str]


class Waits(Sequence[Waiting]):
    """What waits, the newest change first; looked up when it is asked for."""

    def __init__(self, catalogue: Catalogue, condition: str, values: tuple[str, ...], count: int) -> None:
        self._catalogue, self._condition, self._values, self._count = catalogue, condition, values, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self[:])

    @overload
    def __getitem__(self, place: int) -> Waiting: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Waiting]: ...
    def __getitem__(self, place: int | slice) -> Waiting | Sequence[Waiting]:
        if not isinstance(place, slice):
            start = range(self._count)[place]
            return self[start : start + 1][0]
        chosen = range(self._count)[place]
        found = self._catalogue.ask(
            f"SELECT number, place FROM step WHERE {self._condition} "  # noqa: S608 - our own words
            f"ORDER BY {NEWEST}, place LIMIT {len(chosen)} OFFSET {chosen.start}",
            self._values,
        )
        briefs = self._catalogue.numbered(number for number, _ in found)
        return [Waiting(b, *b.next[step]) for b, (_, step) in zip(briefs, found, strict=True)]


class Person(Value):
    """Somebody of the policy, or somebody who signed or requested."""

    principal: str
    roles: tuple[str, ...]
    owns: tuple[str, ...]
    """Systems that the person answers for."""
    waiting: Sequence[Waiting]
    to_do: Sequence[tuple[str, int]]
    """The same by what is to be done, and how often."""
    requested: Sequence[Brief]
    signed: Sequence[Brief]
    touched: int = 0
    """When something last happened to one of these changes, in seconds since 1970; 0 for never."""


class Group(Value):
    """Changes that belong on one page: a status, a system or a month."""

    name: str
    label: str
    briefs: Briefs
    open: int = 0
    """How many of them are not closed, where that is asked."""
    touched: int = 0
    """When something last happened to one of them, in seconds since 1970."""


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
        recorded: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Without a catalogue it shows the assessments that the overview has."""
        self.overview = overview
        self.verification = verification
        """What `verify` says of all this; None where nobody asked."""
        self.recorded = recorded
        """Recorded results in their documented JSON shape, newest first."""
        self.catalogue = catalogue or Catalogue.of(overview.assessments)
        self.briefs = self.catalogue.briefs
        """All changes, newest first."""
        self.known = Known(self.catalogue)
        """Readable changes by id: those that can be linked to."""
        policy = overview.policy
        self.policy: Policy | None = policy
        self.zone: dt.tzinfo = (
            ZoneInfo(policy.file.timezone) if policy is not None and policy.file.timezone else dt.UTC
        )
        """The zone in which the company plans; times are shown in it."""

    # -- what waits --------------------------------------------------------------------------

    def _waits(self, condition: str, values: tuple[str, ...], count: int | None = None) -> Waits:
        if count is None:
            (found,) = self.catalogue.ask(f"SELECT count(*) FROM step WHERE {condition}", values)  # noqa: S608
            count = int(found[0])
        return Waits(self.catalogue, condition, values, count)

    @cached_property
    def waiting_for_anyone(self) -> Waits:
        """What any member may do: documenting."""
        return self._waits("who = ?", (lists.ANYBODY,))

    @cached_property
    def waiting_for_nobody(self) -> Waits:
        """What nobody can do, because the rules exclude everybody who holds the role."""
        return self._waits("who = ?", (lists.NOBODY,))

    @cached_property
    def _to_do(self) -> dict[str, list[tuple[str, int]]]:
        """For each person whom something waits for, what is to be done, and how often."""
        found = self.catalogue.ask(
            "SELECT who, action, count(*) FROM step WHERE who NOT IN (?, ?) GROUP BY who, action ORDER BY who, action",
            (lists.NOBODY, lists.ANYBODY),
        )
        return grouped((who, (action, count)) for who, action, count in found)

    @cached_property
    def waiting_by_person(self) -> tuple[tuple[str, Waits], ...]:
        """What waits for each person; who has most to do comes first."""
        counted = [(-sum(count for _, count in found), who) for who, found in self._to_do.items()]
        return tuple((who, self._waits("who = ?", (who,), -count)) for count, who in sorted(counted))

    # -- what to look at ---------------------------------------------------------------------

    @cached_property
    def attention(self) -> Briefs:
        """Changes that are overdue, flagged while open, or have findings that are errors."""
        return self.catalogue.select("attention")

    @cached_property
    def planned(self) -> tuple[Brief, ...]:
        """Open changes whose window is not over and that are not implemented yet, the next one first."""
        marks = ", ".join("?" * len(AHEAD))
        coming = f"begins IS NOT NULL AND ends >= ? AND status IN ({marks})"
        return planned(self.catalogue.select(coming, (self._now, *sorted(AHEAD))), self.overview.now)

    @cached_property
    def _now(self) -> int:
        """The present moment, in whole seconds since 1970."""
        return int(self.overview.now.timestamp())

    @cached_property
    def lately(self) -> tuple[tuple[Brief, Event], ...]:
        """The newest events of all changes."""
        return self.events(self.newest(LATELY), LATELY)

    def newest(self, limit: int, system: str | None = None) -> list[Brief]:
        """Those to which something happened last: the newest events are among theirs. All, or those to a system."""
        condition, values = "1", tuple[str, ...]()
        if system is not None:
            condition = "EXISTS (SELECT 1 FROM system WHERE number = change.number AND name = ?)"
            values = (system,)
        return self.catalogue.select(
            condition, values, source="change INDEXED BY change_touched", order="touched DESC, path DESC"
        ).first(limit)

    def events(self, briefs: Iterable[Brief], limit: int) -> tuple[tuple[Brief, Event], ...]:
        """The newest events of these changes."""
        events = [(b, e) for b in briefs for e in events_of(self.catalogue.whole(b))[:limit]]
        events.sort(key=lambda item: (item[1].when, item[0].path, item[1].name), reverse=True)
        return tuple(events[:limit])

    @cached_property
    def due(self) -> Briefs:
        """Open changes whose next step has a time, the one that is or was due first before the others."""
        return self.catalogue.select("due IS NOT NULL AND NOT closed", order="due, path")

    @cached_property
    def calendar(self) -> Windows:
        """What is planned, by month."""
        return Windows(self.catalogue, self.planned, self.policy, self.overview.now, self.zone)

    @cached_property
    def figures(self) -> Figures:
        """How changes go."""
        return self.catalogue.figures(self.overview.now, self.zone)

    @cached_property
    def planned_by_system(self) -> dict[str, list[Brief]]:
        """For each system, what is planned for it, the next one first."""
        return grouped((name, b) for b in self.planned for name in b.systems)

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
    def with_findings(self) -> Briefs:
        """Changes about which something was found."""
        return self.catalogue.select("findings")

    @cached_property
    def open_count(self) -> int:
        """How many changes are not closed."""
        return sum(len(group.briefs) for group in self.statuses if group.name not in CLOSED)

    @cached_property
    def errors(self) -> bool:
        """Whether the site shows findings that are errors."""
        found = self.catalogue.ask("SELECT 1 FROM change WHERE errors LIMIT 1")
        return has_errors(self.findings) or bool(found)

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
        counted = dict(self.catalogue.ask("SELECT status, count(*) FROM change GROUP BY status"))
        names = [*STATUSES, *([UNREADABLE] if UNREADABLE in counted else [])]
        select = self.catalogue.select
        return tuple(
            Group(name, name, select("status = ?", (name,), count=counted.get(name, 0))) for name in names
        )

    @cached_property
    def systems(self) -> tuple[Group, ...]:
        """Every system of the policy, and those that changes name beside them."""
        found = self.catalogue.ask(
            "SELECT name, count(*), sum(NOT closed), max(touched) FROM system GROUP BY name"
        )
        counted = {name: numbers for name, *numbers in found}
        known = self.policy.systems if self.policy else {}
        groups = []
        for name in sorted({*known, *counted}):
            count, opened, touched = counted.get(name, (0, 0, 0))
            label = known[name].name if name in known else name
            groups.append(Group(name, label, self.of_system(name, count=count), opened, touched))
        return tuple(groups)

    def of_system(self, name: str, condition: str = "", count: int | None = None) -> Briefs:
        """The changes to a system, the newest first; those of which a condition is true."""
        return self.catalogue.select(f"name = ?{condition}", (name,), source="system", count=count)

    def system(self, name: str) -> System | None:
        """What the policy says about a system; None for an unknown one."""
        return self.policy.systems.get(name) if self.policy else None

    @cached_property
    def months(self) -> tuple[Group, ...]:
        """Months of the changes' ids, the newest first."""
        found = self.catalogue.ask(
            "SELECT substr(id, 5, 6), count(*), sum(NOT closed), max(touched) FROM change "
            "WHERE title IS NOT NULL GROUP BY substr(id, 5, 6) ORDER BY substr(id, 5, 6) DESC"
        )
        named = [(f"{digits[:4]}-{digits[4:]}", *counted) for digits, *counted in found]
        return tuple(
            Group(month, month_label(month), self._of_month(month, count), opened, touched)
            for month, count, opened, touched in named
        )

    def _of_month(self, month: str, count: int) -> Briefs:
        begins = f"CHG-{month.replace('-', '')}"  # no character of an id comes after `~`
        return self.catalogue.select(
            "title IS NOT NULL AND id > ? AND id < ?", (begins, f"{begins}~"), count=count
        )

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Everybody whom the policy names or who took part, by name."""
        ask, select = self.catalogue.ask, self.catalogue.select
        asked = ask(
            "SELECT requester, count(*), max(touched) FROM change "
            "WHERE requester IS NOT NULL AND requester != '' GROUP BY requester"
        )
        requested, signed = ({who: count for who, count, *_ in found} for found in (asked, self._signers))
        touched: dict[str, int] = {}
        for who, _, when, *_ in (*asked, *self._signers):
            touched[who] = max(touched.get(who, 0), when)
        documented = {
            who
            for (who,) in ask(
                "SELECT DISTINCT documented_by FROM change WHERE documented_by IS NOT NULL AND documented_by != ''"
            )
        }
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
                self._to_do.get(who, ()),
                select("requester = ?", (who,), count=requested.get(who, 0)),
                select("name = ?", (who,), source="signer", count=signed.get(who, 0)),
                touched.get(who, 0),
            )
            for who in everybody
        )

    @cached_property
    def last_signatures(self) -> dict[str, int]:
        """When each person who signed anything last did so, as their clocks claimed, in seconds since 1970."""
        return {who: last for who, _, _, last in self._signers if last > 0}

    @cached_property
    def _signers(self) -> list[tuple[Any, ...]]:
        """Everybody who signed: on how many changes, when one of them was last touched, and the newest signature."""
        return self.catalogue.ask("SELECT name, count(*), max(touched), max(last) FROM signer GROUP BY name")

    @cached_property
    def principals(self) -> frozenset[str]:
        """Everybody who has a page."""
        return frozenset(person.principal for person in self.people)

    # -- what belongs together ---------------------------------------------------------------

    @cached_property
    def vicinity(self) -> Vicinity:
        """Which changes stand near a change."""
        return Vicinity(self.catalogue)

    def load(self) -> None:
        """Read everything at once: the pages of all changes are made."""
        self.catalogue.load()
        self.known.load()
        self.vicinity.load()

    def page_of_a_change(self, name: str) -> bool:
        """Whether a page of that name is about a change, or about a file that cannot be read."""
        folder, _, file = name.rpartition("/")
        if folder != "changes" or not file.endswith(".html"):
            return False
        return file.removesuffix(".html") in self.known or name in self._unreadable

    @cached_property
    def _unreadable(self) -> frozenset[str]:
        """The names of the pages of files that cannot be read."""
        return frozenset(brief.page for brief in self.catalogue.select("status = ?", (UNREADABLE,)))

    def related(self, brief: Brief) -> tuple[Related, ...]:
        """Changes that it refers to or that refer to it, and those nearest in time to the same systems."""
        found: dict[str, Related] = {}
        for other in brief.refers:
            if other in self.known and other != brief.id:
                found.setdefault(other, Related(self.known[other], "this one refers to it"))
        for referring in self.vicinity.referring(brief.id):
            found.setdefault(referring.id, Related(referring, "it refers to this one"))
        near = {b.id: b for name in brief.systems for some in self.vicinity.near(brief, name) for b in some}
        ordered = sorted(near.values(), key=lambda b: (abs(b.requested - brief.requested), b.path))
        for other_brief in ordered[: 2 * NEAR]:
            shared = ", ".join(name for name in brief.systems if name in other_brief.systems)
            found.setdefault(other_brief.id, Related(other_brief, f"near in time on {shared}"))
        return tuple(found.values())

    def inputs_of(self, brief: Brief) -> str:
        """Names what the page of a change is made from: itself, and what it says of others."""
        parts, known = [brief.digest], self.known
        for name in brief.systems:
            before, after = self.vicinity.near(brief, name)
            parts += [b.mark for b in before]
            parts.append(name)
            parts += [b.mark for b in after]
        parts.append("")  # what follows is about other things
        for other in brief.refers:
            parts.append(known[other].mark if other in known else "")
        parts.append("")
        for referring in self.vicinity.referring(brief.id):
            parts.append(referring.mark)
        parts += ["", *(other for other in brief.mentions if other in known)]
        return places.digest("\n".join(parts).encode("utf-8", "surrogatepass"))
