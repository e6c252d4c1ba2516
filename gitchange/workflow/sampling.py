"""`sample`: changes drawn at random from all of a period, which anybody can draw again.

The population is judged anew, from nothing but the repository, and at the moment of its newest commit: the same commits
give the same sample in any clone, on any day. Nothing is taken from the index.
"""

from __future__ import annotations

from gitchange.assessment.assess import newest_moment
from gitchange.assessment.sampling import Wanted, placed, sample_of
from gitchange.assessment.verification import Seen, around, looker, verify_repository
from gitchange.errors import UsageError
from gitchange.values import Value, replace
from gitchange.workflow import moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.overview import Assessment
    from gitchange.assessment.sampling import By, Placed, Sample
    from gitchange.workflow.workspace import Workspace

_LONGEST = 200
"""Characters of a seed."""


class Asked(Value):
    """A sample as somebody asks for it."""

    period: str
    """`2026-01-01..2026-03-31`, with both days, on the clocks of the policy's zone."""
    by: By
    systems: tuple[str, ...]
    types: tuple[str, ...]
    seed: str
    size: int


def at_newest(workspace: Workspace) -> Workspace:
    """The same place at the moment of its newest commit, so that what is said of it is the same on any day."""
    return replace(workspace, now=newest_moment(workspace.repository))


def sample(workspace: Workspace, asked: Asked) -> Sample:
    """Draw; UsageError for a period, a seed or systems that are none. What is missing is told, not raised."""
    return drawn(at_newest(workspace).anew, asked)


def drawn(assessor: Assessor, asked: Asked) -> Sample:
    """The same by an assessor that was asked for nothing yet."""
    zone = moments.zone_of(assessor.policy)
    start, end = moments.period(asked.period, assessor.now.astimezone(zone).date())
    if not (asked.seed.isprintable() and 0 < len(asked.seed) <= _LONGEST):
        raise UsageError(
            f"a seed is one line of 1 to {_LONGEST} printable characters",
            hint="anything that nobody could choose: a number that the auditor thought of, or threw",
        )
    wanted = Wanted(
        start,
        end,
        zone,
        asked.by,
        tuple(dict.fromkeys(asked.systems)),
        tuple(dict.fromkeys(asked.types)),
        asked.seed,
        asked.size,
    )
    look = looker(assessor)
    # Which commit a merge brought is found once, before there are several processes.
    assessor.timeline.came("")

    def portion(assessments: Iterator[Assessment]) -> tuple[Seen, list[Placed]]:
        seen = Seen()
        found: list[Placed] = []
        for assessment in assessments:
            seen.add(look(assessment))
            found.append(placed(assessment, assessor.timeline))
        return seen, found

    seen = Seen()
    everything: list[Placed] = []
    for more, found in assessor.spread(portion):
        seen.add(more)
        everything += found
    known = {system for one in everything for system in one.systems}
    known |= set(assessor.policy.systems if assessor.policy is not None else ())
    moments.all_known(asked.systems, known)
    verified = verify_repository(assessor, known=lambda _: around(assessor, seen))
    return sample_of(wanted, everything, verified, assessor.now)
