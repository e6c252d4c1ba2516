"""What systems need, by the policy's `depends_on`: directly, and through each other."""

from __future__ import annotations

from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gitchange.model.policy import System


class Need(Value):
    """A system that somebody looks at, or that one of these needs."""

    name: str
    steps: int
    """How far away it is: 0 for a system that was named itself, 1 for what that needs."""
    by: str
    """The system that needs it, one step nearer, the first by name where there are several; empty for 0 steps."""


def needs(systems: Mapping[str, System], named: Iterable[str]) -> dict[str, Need]:
    """These systems and everything that they need, by name, the nearest first; by the fewest steps that lead there.

    A system that the policy does not know needs nothing, and dependencies may go in circles.
    """
    found = {name: Need(name, 0, "") for name in sorted(set(named))}
    edge = [*found]
    while edge:
        further: dict[str, Need] = {}
        for name in edge:
            for needed in systems[name].depends_on if name in systems else ():
                if needed not in found and needed not in further:
                    further[needed] = Need(needed, found[name].steps + 1, name)
        edge = sorted(further)
        found |= {name: further[name] for name in edge}
    return found
