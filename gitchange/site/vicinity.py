"""Which changes belong together: by their ids, by what they refer to, and by when they came in to the same systems.

Each is looked up for one change; when the pages of all changes are made, everything is read once instead.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from gitchange.site.catalogue import NEWEST, Brief, Briefs, Catalogue

NEAR = 3
"""How many changes to the same systems, before and after it, the page of a change names."""

Thing = TypeVar("Thing")


def grouped(pairs: Iterable[tuple[str, Thing]]) -> dict[str, list[Thing]]:
    """Things by what they are named with, in their order."""
    found: dict[str, list[Thing]] = {}
    for name, thing in pairs:
        found.setdefault(name, []).append(thing)
    return found


class Known(Mapping[str, Brief]):
    """Readable changes by their ids."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._found: dict[str, Brief | None] = {}
        self._all: dict[str, Brief] | None = None

    def load(self) -> None:
        """Look all of them up at once."""
        self._all = {b.id: b for b in self._catalogue.briefs if b.title is not None}

    def _find(self, change: str) -> Brief | None:
        if self._all is not None:
            return self._all.get(change)
        if change not in self._found:
            self._found[change] = self._catalogue.find(change)
        return self._found[change]

    def __getitem__(self, change: str) -> Brief:
        found = self._find(change)
        if found is None:
            raise KeyError(change)
        return found

    def __contains__(self, change: object) -> bool:
        return isinstance(change, str) and self._find(change) is not None

    def __iter__(self) -> Iterator[str]:
        return (b.id for b in self._catalogue.briefs if b.title is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Vicinity:
    """What stands near a change."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._by_system: dict[str, list[Brief]] | None = None
        self._places: dict[str, dict[int, int]] = {}
        self._referring: dict[str, list[Brief]] = {}

    def load(self) -> None:
        """Read everything: many changes will be asked about."""
        briefs = [*self._catalogue.briefs]
        self._by_system = grouped((name, b) for b in briefs for name in dict.fromkeys(b.systems))
        self._places = {
            name: {brief.number: place for place, brief in enumerate(found)}
            for name, found in self._by_system.items()
        }
        self._referring = grouped(
            (o, b) for b in briefs if b.title is not None for o in dict.fromkeys(b.refers)
        )

    def near(self, brief: Brief, system: str) -> tuple[Sequence[Brief], Sequence[Brief]]:
        """The changes to one of its systems that came in just after it, and just before; each the newest first."""
        if self._by_system is not None:
            place, found = self._places[system][brief.number], self._by_system[system]
            return found[max(place - NEAR, 0) : place], found[place + 1 : place + 1 + NEAR]
        ((asked, path),) = self._catalogue.ask(
            "SELECT asked, path FROM change WHERE number = ?", (brief.number,)
        )
        newer, older = self._sides(system, asked, path)
        return newer.first(NEAR)[::-1], older.first(NEAR)

    def beside(self, system: str, asked: float, path: str, others: Container[int]) -> Iterator[Brief]:
        """The nearest changes to a system, on both sides of such a place, that are none of the others."""
        for some in self._sides(system, asked, path):
            count, found = NEAR, list[Brief]()
            while True:
                near = some.first(count)
                found = [brief for brief in near if brief.number not in others][:NEAR]
                if len(found) == NEAR or len(near) < count:
                    break
                count *= 4
            yield from found

    def _sides(self, system: str, asked: float, path: str) -> tuple[Briefs, Briefs]:
        """The changes to a system that came in after such a place, and before it; the nearest first."""
        select, values = self._catalogue.select, (system, asked, path)
        return (
            select("name = ? AND (asked, path) > (?, ?)", values, source="system", order="asked, path"),
            select("name = ? AND (asked, path) < (?, ?)", values, source="system", order=NEWEST),
        )

    def referring(self, change: str) -> Sequence[Brief]:
        """The readable changes that refer to one, the newest first."""
        if self._by_system is not None:
            return self._referring.get(change, ())
        return self._catalogue.select(
            "refers.id = ? AND title IS NOT NULL", (change,), source="refers JOIN change USING (number)"
        ).first(-1)
