"""Recorded results: what there are, and their documented JSON shape (docs/json.md)."""

from __future__ import annotations

import datetime as dt
import hashlib

from gitchange.ledger import results
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any

    from gitchange.assessment.assess import Assessor
    from gitchange.ledger.results import Judged


class Recorded(Value):
    """A genuine result, with what it is sorted by."""

    place: int
    """The number of the commit that it was computed from on the branch of record; -1 where that is not on the line."""
    witness: int | None
    """The number of the commit that witnessed it first; None while nothing did."""
    time: float
    """When, as its signer's clock claimed, in seconds since 1970; it only orders what nothing else does."""
    shown: dict[str, Any]
    """The documented JSON shape."""

    @property
    def order(self) -> tuple[int, int, float, str]:
        """Higher for what is newer."""
        newest = 1 << 62  # what nothing witnessed yet came after all that was
        return self.place, newest if self.witness is None else self.witness, self.time, self.shown["digest"]


def judged_on(assessor: Assessor, commit: str, lines: Iterable[bytes]) -> tuple[Judged, ...]:
    """The lines on a commit, judged; none where there is no policy to judge them by."""
    if assessor.policy is None:
        return ()
    by = assessor.authenticator(assessor.policy, assessor.now)
    return tuple(results.judge(assessor.repository, assessor.ground.main, by, commit, lines))


def recorded(assessor: Assessor) -> tuple[Recorded, ...]:
    """Every genuine result, newest first."""
    found: list[Recorded] = []
    for oid, lines in assessor.notes.all():
        if results.is_kept_here(assessor.repository, oid):
            found += shown(assessor, judged_on(assessor, oid, lines))
    return tuple(sorted(found, key=lambda one: one.order, reverse=True))


def shown(assessor: Assessor, judged: Iterable[Judged]) -> Iterator[Recorded]:
    """Those of these that are genuine results."""
    for one in judged:
        if one.result is not None:
            place = assessor.timeline.place(one.result.said.main)
            time = dt.datetime.fromisoformat(one.result.said.time).timestamp()
            yield Recorded(-1 if place is None else place, one.result.place, time, result_json(one))


def result_json(judged: Judged) -> dict[str, Any]:
    """One result, whole."""
    result = judged.result
    assert result is not None  # noqa: S101 - only of genuine ones
    said = result.said
    plain = said.model_dump(mode="json")
    return {
        "digest": result.digest,
        "kind": said.kind,
        "outcome": said.outcome,
        "counts": judged.finding is None,
        "why_not": judged.finding.message if judged.finding else None,
        "by": said.by,
        "role": said.role,
        "meaning": said.meaning,
        "time": said.time,
        "key": result.key,
        "key_type": result.key_type,
        "certificate": result.certificate,
        "envelope": hashlib.sha256(result.line.encode()).hexdigest(),
        "policy": said.policy,
        "policy_version": result.judged_by,
        "witness": result.witness,
        "judged_at": result.judged_at.isoformat() if result.judged_at else None,
        "repository": result.address,
        "head": result.head,
        "base": said.base,
        "since": said.since,
        "systems": list(said.systems),
        "main": said.main,
        "notes": said.log,
        "commits": plain["commits"],
        "gate": plain["gate"],
    }


def accepts(shape: Mapping[str, Any], kind: str | None, systems: Collection[str]) -> bool:
    """Whether a result is of that kind, and about one of these systems (none: whatever systems)."""
    return (kind is None or shape["kind"] == kind) and (
        not systems or not set(systems).isdisjoint(shape["systems"])
    )


def latest_of_each(shapes: Iterable[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Of results, newest first, the latest that counts of each system, repository, kind and environment, by system."""
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for shape in shapes:
        where = (shape["gate"] or {}).get("environment") or ""
        for name in shape["systems"] if shape["counts"] else ():
            found.setdefault((name, shape["repository"], shape["kind"], where), shape)
    return [(key[0], shape) for key, shape in sorted(found.items(), key=lambda item: item[0])]
