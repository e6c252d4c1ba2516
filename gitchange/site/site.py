"""The overview, sorted for readers: what waits for whom, what is planned, what happened, what needs attention.

Plain data for the templates. The state of a change comes from its verdict and is not judged again.
Everything is in a fixed order, so that the same overview gives the same site to the byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from gitchange.assessment.overview import Assessment, Overview, PolicyVersion
from gitchange.lifecycle.policy_diff import HEADINGS, WEIGHTS, Difference, differences
from gitchange.lifecycle.status import CLOSED, STATUSES
from gitchange.lifecycle.verdict import Next
from gitchange.model.finding import Finding, has_errors
from gitchange.model.policy import Policy, System
from gitchange.values import Value

UNREADABLE = "unreadable"
"""What `Assessment.status` says when there is no verdict."""

LATELY = 12
"""How many events the home page shows."""

_QUIET_FLAGS = ("not merged", "waived: ", "backed out")
"""Flags that inform; the others ask for somebody's attention while the change is open."""

_DID = {
    "approve": "approved",
    "reject": "rejected",
    "request-info": "asked for more information",
    "implement": "implemented",
    "back-out": "backed out",
    "validate": "validated",
    "fail": "reported a failure",
    "override-freeze": "lifted a freeze for",
    "withdraw": "withdrew",
}


class Event(Value):
    """Something that happened to a change: a commit that touched its file, or a sign-off."""

    when: dt.datetime
    kind: Literal["commit", "sign-off"]
    who: str
    principal: str
    """The person as the policy names one; empty for a commit, whose author is a claim."""
    did: str
    """What was done, in the past tense."""
    name: str
    """The commit's id or the sign-off's digest."""
    detail: str
    """A commit's subject line; empty for a sign-off."""
    stale: bool
    """Whether it is a sign-off on an earlier text."""


class Waiting(Value):
    """A change that waits for somebody to act."""

    assessment: Assessment
    next: Next


class Person(Value):
    """Somebody of the policy, or somebody who signed or requested."""

    principal: str
    roles: tuple[str, ...]
    owns: tuple[str, ...]
    """Systems that the person answers for."""
    waiting: tuple[Waiting, ...]
    requested: tuple[Assessment, ...]
    signed: tuple[Assessment, ...]


class Group(Value):
    """Changes that belong on one page: a status, a system or a month."""

    name: str
    label: str
    assessments: tuple[Assessment, ...]

    @property
    def open(self) -> int:
        """How many of them are not closed."""
        return sum(1 for a in self.assessments if is_open(a))


class PolicyStep(Value):
    """One policy version, and what it changed against the one before."""

    version: PolicyVersion
    first: bool
    """Whether it is the one that is trusted because the introduction is."""
    parts: tuple[tuple[str, tuple[Difference, ...]], ...]
    """Heading and differences; empty for the first, and for one that came back unchanged."""


def is_open(assessment: Assessment) -> bool:
    """Whether somebody still has to do something about it."""
    return assessment.status not in CLOSED


def events_of(assessment: Assessment) -> tuple[Event, ...]:
    """Commits and sign-offs of one change, newest first; of one moment, the commit is the older."""
    events = [
        Event(v.time, "commit", v.author_name or v.author_email, "", v.kind, v.commit, v.subject, False)
        for v in assessment.history
    ]
    current = {s.digest for s in assessment.evidence.sign_offs} if assessment.evidence else set()
    events += [
        Event(s.when, "sign-off", s.by, s.by, _DID[s.verdict], s.digest, "", s.digest not in current)
        for s in assessment.sign_offs
    ]
    events.sort(key=lambda e: (e.when, e.kind == "sign-off", e.name), reverse=True)
    return tuple(events)


def _last_touched(assessment: Assessment) -> dt.datetime:
    moments = [v.time for v in assessment.history[:1]] + [s.when for s in assessment.sign_offs]
    return max(moments, default=dt.datetime.min.replace(tzinfo=dt.UTC))


class Site:
    """One overview with its pages' worth of orderings."""

    def __init__(self, overview: Overview) -> None:
        self.overview = overview
        self.assessments = overview.assessments
        self.known: dict[str, Assessment] = {a.id: a for a in overview.assessments if a.change is not None}
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
        return tuple(
            Waiting(a, step) for a in self.assessments if a.verdict is not None for step in a.verdict.next
        )

    @cached_property
    def waiting_for_anyone(self) -> tuple[Waiting, ...]:
        """What any member may do: documenting."""
        return tuple(w for w in self._waiting if w.next.action == "document")

    @cached_property
    def waiting_for_nobody(self) -> tuple[Waiting, ...]:
        """What nobody can do, because the rules exclude everybody who holds the role."""
        return tuple(w for w in self._waiting if not w.next.who)

    @cached_property
    def waiting_by_person(self) -> tuple[tuple[str, tuple[Waiting, ...]], ...]:
        """What waits for each person; who has most to do comes first."""
        by_person: dict[str, list[Waiting]] = {}
        for waiting in self._waiting:
            if waiting.next.action != "document":
                for who in waiting.next.who:
                    by_person.setdefault(who, []).append(waiting)
        ordered = sorted(by_person.items(), key=lambda item: (-len(item[1]), item[0]))
        return tuple((who, tuple(items)) for who, items in ordered)

    # -- what to look at ---------------------------------------------------------------------

    @cached_property
    def attention(self) -> tuple[Assessment, ...]:
        """Changes that are overdue, flagged while open, or have findings that are errors."""
        return tuple(a for a in self.assessments if self._needs_attention(a))

    @staticmethod
    def _needs_attention(assessment: Assessment) -> bool:
        if has_errors(assessment.findings):
            return True
        flags = assessment.verdict.flags if assessment.verdict else ()
        return is_open(assessment) and any(not flag.startswith(_QUIET_FLAGS) for flag in flags)

    @cached_property
    def planned(self) -> tuple[Assessment, ...]:
        """Open changes whose window is not over and that are not implemented yet, the next one first."""
        coming = [
            (a.change.schedule.start, a.path, a)
            for a in self.assessments
            if a.change is not None
            and a.change.schedule is not None
            and a.change.schedule.end >= self.overview.now
            and a.status in ("requested", "info-requested", "approved")
        ]
        return tuple(a for *_, a in sorted(coming, key=lambda item: item[:2]))

    @cached_property
    def lately(self) -> tuple[tuple[Assessment, Event], ...]:
        """The newest events of all changes."""
        newest = sorted(self.assessments, key=lambda a: (_last_touched(a), a.path), reverse=True)
        events = [(a, e) for a in newest[:LATELY] for e in events_of(a)[:LATELY]]
        events.sort(key=lambda item: (item[1].when, item[0].path, item[1].name), reverse=True)
        return tuple(events[:LATELY])

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Findings about the repository as a whole."""
        return self.overview.findings

    @cached_property
    def open_count(self) -> int:
        """How many changes are not closed."""
        return sum(1 for a in self.assessments if is_open(a))

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
        by_status = self._grouped((a.status, a) for a in self.assessments)
        names = [*STATUSES, *([UNREADABLE] if UNREADABLE in by_status else [])]
        return tuple(Group(name, name, tuple(by_status.get(name, ()))) for name in names)

    @cached_property
    def systems(self) -> tuple[Group, ...]:
        """Every system of the policy, and those that changes name beside them."""
        named = self._grouped((s, a) for a in self.assessments if a.change for s in a.change.systems)
        known = self.policy.systems if self.policy else {}
        names = sorted({*known, *named})
        return tuple(Group(n, known[n].name if n in known else n, tuple(named.get(n, ()))) for n in names)

    def system(self, name: str) -> System | None:
        """What the policy says about a system; None for an unknown one."""
        return self.policy.systems.get(name) if self.policy else None

    @cached_property
    def months(self) -> tuple[Group, ...]:
        """Months of the changes' ids, the newest first."""
        by_month = self._grouped((_month_of(a), a) for a in self.assessments if a.change is not None)
        return tuple(Group(m, _month_label(m), tuple(by_month[m])) for m in sorted(by_month, reverse=True))

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Everybody whom the policy names or who took part, by name."""
        requested = self._grouped((a.change.requester, a) for a in self.assessments if a.change)
        signed = self._grouped(
            (by, a) for a in self.assessments for by in dict.fromkeys(s.by for s in a.sign_offs)
        )
        waiting = dict(self.waiting_by_person)
        owned: dict[str, list[str]] = {}
        for name, system in sorted((self.policy.systems if self.policy else {}).items()):
            if system.owner:
                owned.setdefault(system.owner, []).append(name)
        members = self.policy.people if self.policy else ()
        everybody = sorted({*members, *requested, *signed, *waiting, *owned})
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
    def principals(self) -> frozenset[str]:
        """Everybody who has a page."""
        return frozenset(person.principal for person in self.people)

    @staticmethod
    def _grouped(pairs: Iterable[tuple[str, Assessment]]) -> dict[str, list[Assessment]]:
        grouped: dict[str, list[Assessment]] = {}
        for name, assessment in pairs:
            grouped.setdefault(name, []).append(assessment)
        return grouped


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
MONTHS = (*_MONTHS, "November", "December")
"""English, whatever the locale of the machine that builds."""


def _month_of(assessment: Assessment) -> str:
    return f"{assessment.id[4:8]}-{assessment.id[8:10]}"


def _month_label(month: str) -> str:
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"
