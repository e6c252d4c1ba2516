"""For how long a verdict stays what it is, all else being equal: what an index may remember, and until when.

`judge` compares its moment with waivers, models, planned windows, deadlines and freezes. Here are all the instants
at which one of these comparisons can turn out otherwise. To name one too many costs a judgement; one too few would be a
wrong answer, so a test holds verdicts on both sides of random moments against this.
"""

from __future__ import annotations

import datetime as dt

from gitchange.lifecycle import freezes
from gitchange.model.policy import duration
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitchange.model.evidence import Evidence
    from gitchange.model.policy import Policy

_INSTANT = dt.timedelta(microseconds=1)
_SECOND = dt.timedelta(seconds=1)
_AHEAD = dt.timedelta(days=31)
"""How far freezes are looked for; a verdict that they could change is judged again after that."""


class Span(Value):
    """From an instant on, until another; None is no limit on that side."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def holds(self, moment: dt.datetime) -> bool:
        """Whether the moment lies within."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


ALWAYS = Span()
"""What no moment changes: a documented change."""


def at_once(now: dt.datetime) -> Span:
    """That instant and no other: nobody can tell for how long it holds."""
    return Span(now, now + _INSTANT)


def span(
    evidence: Evidence, policy: Policy, now: dt.datetime, status: str, further: Iterable[dt.datetime] = ()
) -> Span:
    """Around `now` the time for which `judge` gives the verdict (of that status) that it gives now.

    `further` are instants at which the evidence itself changes: keys that begin or end to be valid.
    """
    points = [*_points(evidence, policy), *further]
    before = [point for point in points if point <= now]
    after = [point for point in points if point > now]
    if policy.file.freezes and evidence.change.schedule is None and status == "approved":
        met = freezes.touching(policy, evidence.change, now - _SECOND, now + _AHEAD)
        edges = [edge for o in met for edge in (o.start - _SECOND + _INSTANT, o.end)]
        after += [*(edge for edge in edges if edge > now), now + _AHEAD]
        before.append(now)
    return Span(max(before, default=None), min(after, default=None))


def narrowed(span_: Span, points: Iterable[dt.datetime], now: dt.datetime) -> Span:
    """The part of a span around now in which none of these instants is passed."""
    points = [*points]
    since = max([p for p in (*points, span_.since) if p is not None and p <= now], default=None)
    until = min([p for p in (*points, span_.until) if p is not None and p > now], default=None)
    return Span(since, until)


def _points(evidence: Evidence, policy: Policy) -> Iterator[dt.datetime]:
    """The first instants from which a comparison of `judge` gives another answer than just before."""
    change, limits = evidence.change, policy.file.deadlines
    for waiver in policy.file.waivers:
        yield waiver.expires
    model = policy.models.get(change.model or "")
    if model is not None and model.expires is not None:
        yield model.expires
    if change.schedule is not None:
        yield change.schedule.end + _INSTANT
        yield from _later(change.schedule.end, limits.implementation)
    if evidence.requested_at is not None:
        yield from _later(evidence.requested_at, limits.evaluation)
    allowed = (
        limits.validation,
        limits.emergency_validation,
        limits.documentation,
        limits.emergency_approval,
    )
    for sign_off in evidence.sign_offs:
        for limit in allowed:
            yield from _later(sign_off.when, limit)
        if sign_off.judged_at is not None:
            yield from _later(sign_off.judged_at, limits.emergency_approval)


def _later(start: dt.datetime, limit: str | None) -> Iterator[dt.datetime]:
    """The first instant that is more than the limit after the start."""
    if limit is not None:
        try:
            yield start + duration(limit) + _INSTANT
        except OverflowError:
            return  # after the end of the calendar
