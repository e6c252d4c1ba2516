"""Which changes most probably broke something at a moment: nothing but their times, distances and risks, as a score.

A score lies between 0 and 1 and is a product, so that what is near in every respect comes first. Of a change, the touch
that weighs most decides:

    score = weight of the touch · nearness in time · nearness in dependencies · danger

    weight        an implementation, or that it was backed out                     1
                  a planned window of a change that was approved                   0.8
                  one of a change that nobody approved yet                         0.4
                  anything else (request, evaluation, validation, record): a
                  system was not touched by it                                     0.05
    nearness      2 h / (2 h + gap): 1 at the moment itself, a half two hours before. Of a window, the mean over what
                  has passed of it: the work may have been done at any time, so that a window of a week says less than
                  one of an hour. What comes after the moment is held for three times as far away: it is no cause, but
                  a sign-off is often signed after the work
    dependencies  1 / (1 + steps): 1 on the system itself, a half on what that needs, a third on what those need
    danger        (2 + level) / 9; the level is 1 to 4 from low to critical risk, 3 for a risk that cannot be read; one
                  more for an emergency, two more for a change that somebody says failed, or was backed out

All else equal, what is nearer, riskier or fewer steps away never has the lower score. That a change has the highest
is a place to look first, and no proof. Which changes are held against the moment is for others to say.
"""

from __future__ import annotations

from math import log1p

from gitchange.lifecycle.status import AHEAD
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

    Kind = Literal["implementation", "window", "unapproved window", "other"]

WEIGHTS: dict[Kind, float] = {"implementation": 1.0, "window": 0.8, "unapproved window": 0.4, "other": 0.05}
HALF = 2 * 3600
"""The gap, in seconds, at which half of the nearness is left."""
AFTER = 3
"""How many times as far away something is that comes after the moment."""
LEVELS = {"low": 1, "medium": 2, "high": 3, "critical": 4}
_UNKNOWN = 3
_NEVER_HELD = frozenset({"rejected", "withdrawn"})
_TOUCHES = frozenset({"implement", "back-out"})


class Touch(Value):
    """Something about a change at some time, in seconds since 1970."""

    kind: Kind
    start: int
    end: int
    """The same as `start` for what happened at once."""
    what: str = ""
    """What was done, for those who tell of it."""
    who: str = ""

    def gap(self, moment: int) -> int:
        """Seconds from it to the moment: positive when it was over by then, negative when it was to come, 0 within."""
        if self.start > moment:
            return moment - self.start
        return max(0, moment - self.end)


class Candidate(Value):
    """A change that may have to do with it."""

    id: str
    touches: tuple[Touch, ...]
    steps: int
    """How many dependencies lead from the system that one looks at to the nearest one that it changes."""
    risk: str | None
    """None where it cannot be read."""
    emergency: bool = False
    failed: bool = False
    """Whether somebody says that it failed or was backed out."""

    @property
    def is_implemented(self) -> bool:
        """Whether somebody says that the work was done, or undone."""
        return any(touch.kind == "implementation" for touch in self.touches)


class Suspect(Value):
    """A change and how probable it is."""

    id: str
    score: float
    touch: Touch
    """The one that weighs most."""
    gap: int
    """From that to the moment, as `Touch.gap` tells it."""


def rank(candidates: Iterable[Candidate], moment: int) -> tuple[Suspect, ...]:
    """Those that something happened to, the most probable first; of equals, the one nearer in time."""
    found = [suspect for one in candidates if (suspect := weighed(one, moment)) is not None]
    return tuple(sorted(found, key=lambda s: (-s.score, abs(s.gap), s.id)))


def weighed(candidate: Candidate, moment: int) -> Suspect | None:
    """A candidate with its score; None when nothing is known of when it was touched."""
    if not candidate.touches:
        return None
    share = danger(candidate) / (1 + candidate.steps)
    score, touch = max(
        ((WEIGHTS[touch.kind] * nearness(touch, moment) * share, touch) for touch in candidate.touches),
        key=lambda item: (item[0], -abs(item[1].gap(moment)), item[1].start),
    )
    return Suspect(candidate.id, score, touch, touch.gap(moment))


def nearness(touch: Touch, moment: int) -> float:
    """How near it is in time: 1 at the moment."""
    if touch.start > moment:
        return HALF / (HALF + AFTER * (touch.start - moment))
    longest, shortest = moment - touch.start, max(0, moment - touch.end)
    if longest == shortest:
        return HALF / (HALF + longest)
    return HALF * log1p((longest - shortest) / (HALF + shortest)) / (longest - shortest)


def danger(candidate: Candidate) -> float:
    """How risky it is."""
    level = LEVELS.get(candidate.risk or "", _UNKNOWN)
    return (2 + level + candidate.emergency + 2 * candidate.failed) / 9


def touches(
    status: str, window: Sequence[int] | None, events: Iterable[tuple[int, str, str, str]]
) -> tuple[Touch, ...]:
    """What touched systems, or may have, and what did not. An event has moment, verdict, what was done, and who did it.

    A window counts until the work that was planned in it is done, so that a change that was implemented on the first
    of five days is no suspect on the fifth; one that was rejected or withdrawn has none.
    """
    found = [
        Touch("implementation" if verdict in _TOUCHES else "other", moment, moment, what, who)
        for moment, verdict, what, who in events
    ]
    if window is not None and status not in _NEVER_HELD:
        start, end = window
        done = [t.start for t in found if t.kind == "implementation"]
        if not done or max(done) >= start:
            end = min(end, max(done)) if done else end
            waiting = status in AHEAD and status != "approved" and not done
            found.append(Touch("unapproved window" if waiting else "window", start, end))
    return tuple(found)
