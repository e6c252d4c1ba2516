"""A sample for an audit: which changes a period has, in which order they are drawn, and what is missing.

An auditor tests a few changes and concludes from them to all. That holds only when the population is complete and when
nobody chose what was drawn. So the population is told with its digest and with everything that is known to be missing
from it, and the order follows from the seed and the ids alone: anybody can repeat it with `sha256sum` and `sort`
(docs/auditing.md). What a change's state is, the rooms below decide.
"""

from __future__ import annotations

import datetime as dt
import hashlib

from gitchange.model.finding import Finding, in_order
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Literal

    from gitchange.assessment.overview import Assessment
    from gitchange.assessment.verification import Verification
    from gitchange.ledger.timeline import Timeline
    from gitchange.model.evidence import SignOff

    By = Literal["requested", "approved", "implemented", "documented"]

BY: tuple[By, ...] = ("requested", "approved", "implemented", "documented")
"""What may place a change in a period."""

_SAID: Mapping[By, str] = {
    "requested": "was requested",
    "approved": "was approved",
    "implemented": "was implemented",
    "documented": "was documented",
}


class Placed(Value):
    """One change file with the moments at which the branch of record first showed what became of it."""

    id: str
    path: str
    title: str
    status: str
    type: str
    systems: tuple[str, ...]
    moments: dict[By, dt.datetime]
    """On the branch's own clock; what has not happened, or is not witnessed yet, is not there."""
    not_witnessed: tuple[By, ...]
    """What was signed, and no commit of the branch of record has witnessed yet: nobody can say when it was."""
    open_ends: int
    """How many of its sign-offs nothing has witnessed yet."""
    imported: bool
    """Whether it was written after the fact."""
    readable: bool


class Sample(Value):
    """Some changes of a period, and what they stand for."""

    start: dt.date
    end: dt.date
    """The last day of the period."""
    zone: str
    by: By
    systems: tuple[str, ...]
    types: tuple[str, ...]
    seed: str
    size: int
    """How many were asked for."""
    population: tuple[str, ...]
    """Ids of all changes of the period, sorted."""
    drawn: tuple[Placed, ...]
    """In the order in which they are drawn."""
    gaps: tuple[Finding, ...]
    """What is known to be missing or doubtful."""
    verification: Verification
    """What is borne out of all that the repository has."""
    at: dt.datetime
    """The moment for which it was asked: that of the newest commit."""

    @property
    def complete(self) -> bool:
        """Whether the population is known to be complete."""
        return self.verification.verdict == "ok" and all(gap.severity == "note" for gap in self.gaps)

    @property
    def digest(self) -> str:
        """SHA-256 of the population: its ids, sorted, each on a line."""
        return hashlib.sha256("".join(f"{change}\n" for change in self.population).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        verified = self.verification
        return {
            "schema": 1,
            "period": {
                "from": self.start.isoformat(),
                "to": self.end.isoformat(),
                "zone": self.zone,
                "by": self.by,
            },
            "systems": list(self.systems),
            "types": list(self.types),
            "seed": self.seed,
            "size": self.size,
            "population": {"n": len(self.population), "digest": self.digest, "ids": list(self.population)},
            "sample": [one.id for one in self.drawn],
            "changes": [
                {
                    "id": one.id,
                    "path": one.path,
                    "title": one.title,
                    "status": one.status,
                    "type": one.type,
                    "systems": list(one.systems),
                    "imported": one.imported,
                    "moments": {name: moment.isoformat() for name, moment in one.moments.items()},
                }
                for one in self.drawn
            ],
            "complete": self.complete,
            "gaps": [gap.as_json() for gap in self.gaps],
            "verification": {
                key: value for key, value in verified.as_json().items() if key in ("verdict", "checks")
            },
            "heads": {
                "introduction": verified.introduction,
                "pinned": verified.pinned,
                "main": verified.main,
                "notes": verified.notes,
            },
            "at": self.at.isoformat(),
        }


def placed(assessment: Assessment, line: Timeline) -> Placed:
    """When what became of a change came to the branch of record.

    1. *requested* and *documented*: when the commit came that brought the request, or the record;
    2. *approved*: when the last of the approvals that count was first witnessed;
    3. *implemented*: the same for implementations and back-outs. Where none counts, any genuine one on any text does:
       what was implemented without an approval belongs in the population more than anything else.
    """
    moments: dict[By, dt.datetime] = {}
    missing: list[By] = []

    def signed(what: By, said: Sequence[SignOff]) -> None:
        judged = [s.judged_at for s in said if s.judged_at is not None]
        if said and len(judged) == len(said):
            moments[what] = max(judged)
        elif said:
            missing.append(what)

    # 1.
    for version in assessment.history:
        place = line.came(version.commit)
        if place is None:
            continue
        if version.kind == "requested":
            moments["requested"] = line.points[place].moment
        elif version.kind == "documented" and assessment.record is not None:
            moments["documented"] = line.points[place].moment
    # 2.
    counting = [s for s in assessment.sign_offs if assessment.counts(s)]
    signed("approved", [s for s in counting if s.verdict == "approve"])
    # 3.
    done = [s for s in counting if s.step == "implementation"]
    signed("implemented", done or [s for s in assessment.sign_offs if s.step == "implementation"])
    change = assessment.change
    return Placed(
        assessment.id,
        assessment.path,
        change.title if change else "",
        assessment.status,
        change.type if change else "",
        tuple(change.systems) if change else (),
        moments,
        tuple(missing),
        sum(1 for s in assessment.sign_offs if s.witness is None),
        change is not None and change.imported is not None,
        assessment.verdict is not None,
    )


def rank(seed: str, change: str) -> str:
    """By what a change stands in the order of drawing: `printf '%s\\n%s' SEED ID | sha256sum`."""
    return hashlib.sha256(f"{seed}\n{change}".encode()).hexdigest()


def draw(seed: str, population: Iterable[str], size: int) -> tuple[str, ...]:
    """The first so many of the population, in the order of their ranks: to draw more only adds."""
    return tuple(sorted(population, key=lambda change: rank(seed, change))[:size])


class Wanted(Value):
    """Which population, and what is drawn from it."""

    start: dt.date
    end: dt.date
    zone: dt.tzinfo
    by: By
    systems: tuple[str, ...]
    types: tuple[str, ...]
    seed: str
    size: int

    def has(self, moment: dt.datetime | None) -> bool:
        """Whether a moment lies on one of the period's days, in its zone."""
        return moment is not None and self.start <= moment.astimezone(self.zone).date() <= self.end

    def covers(self, one: Placed) -> bool:
        """Whether a readable change is of the systems and types that are asked for."""
        return not (
            (self.systems and not set(self.systems) & set(one.systems))
            or (self.types and one.type not in self.types)
        )


def sample_of(
    wanted: Wanted, everything: Sequence[Placed], verification: Verification, at: dt.datetime
) -> Sample:
    """The population, the sample and the gaps, of all change files that there are."""
    fitting = [one for one in everything if one.readable and wanted.covers(one)]
    population = {one.id: one for one in fitting if wanted.has(one.moments.get(wanted.by))}
    drawn = draw(wanted.seed, population, wanted.size)
    return Sample(
        wanted.start,
        wanted.end,
        str(wanted.zone),
        wanted.by,
        wanted.systems,
        wanted.types,
        wanted.seed,
        wanted.size,
        tuple(sorted(population)),
        tuple(population[change] for change in drawn),
        in_order([*_gaps(wanted, everything, fitting), *_remarks(wanted, fitting, population)]),
        verification,
        at,
    )


def _gaps(wanted: Wanted, everything: Sequence[Placed], fitting: Sequence[Placed]) -> list[Finding]:
    """What may be missing from the population."""
    found = [
        Finding(
            "population.unreadable",
            f"{one.path} cannot be judged, so nobody knows whether it belongs to the population",
            f"`gitchange show {one.id}` tells why",
            path=one.path,
            change=one.id,
        )
        for one in everything
        if not one.readable
    ]
    found += [
        Finding(
            "population.not-witnessed",
            f"a sign-off says that {one.id} {_SAID[wanted.by]}, and no commit has witnessed it yet: when is unknown",
            "`gitchange seal` witnesses it; then draw again",
            "warning",
            one.path,
            change=one.id,
        )
        for one in fitting
        if wanted.by in one.not_witnessed
    ]
    return found


def _remarks(wanted: Wanted, fitting: Sequence[Placed], population: Mapping[str, Placed]) -> list[Finding]:
    """What an auditor should know about the population, although nothing is missing from it."""

    def note(code: str, one: Placed, message: str, hint: str) -> Finding:
        return Finding(f"population.{code}", message, hint, "note", one.path, change=one.id)

    found = [
        note(
            "imported",
            one,
            f"{one.id} was imported: its request was written after the fact, from a merge of the past",
            "what counts is what was signed since",
        )
        for one in population.values()
        if one.imported
    ]
    found += [
        note(
            "not-sealed",
            one,
            f"{one.open_ends} sign-off(s) on {one.id} are not witnessed by a commit yet",
            "`gitchange seal` witnesses them",
        )
        for one in population.values()
        if one.open_ends
    ]
    found += [
        note(
            "beside",
            one,
            f"{one.id} was documented in the period and belongs to another by when it {_SAID[wanted.by]}"
            if wanted.by in one.moments
            else f"{one.id} was documented in the period, and nothing says when it {_SAID[wanted.by]}",
            "`--by documented` takes it into the population",
        )
        for one in fitting
        if one.id not in population
        and wanted.has(one.moments.get("documented"))
        and wanted.by not in one.not_witnessed
    ]
    return found
