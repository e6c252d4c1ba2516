"""What differs between a site as it was built and as it is to be: which changes, and so which pages.

What a page is about is named by its inputs anyway; this says which of a hundred thousand need not be asked. It may name
too many, and never one too few: a page that is not named here is, to the byte, what it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cached_property

from gitchange.site.catalogue import Brief
from gitchange.site.listed import Basis
from gitchange.site.site import Site

_AT_LEAST, _SHARE = 300, 20
"""Where more changes than so many, and more than one of twenty, differ, everything is looked at."""


class Delta:
    """What differs since the site was at another state."""

    def __init__(
        self,
        site: Site,
        changed: list[Brief],
        past: list[tuple[float, Brief]],
        expired: list[Brief],
        before: set[str],
    ) -> None:
        self._site = site
        self.changed = changed
        """Changes of which something else is said now, and new ones."""
        self.past = past
        """What was said of them, and of those that are gone, with the moment at which each came in."""
        self.expired = expired
        """Changes whose planned window has ended since then, or is to end again."""
        self._before = before

    @cached_property
    def all(self) -> tuple[Brief, ...]:
        """As they are and as they were."""
        return (*self.changed, *(brief for _, brief in self.past))

    @cached_property
    def paths(self) -> list[str]:
        """Their paths, in order."""
        return sorted({brief.path for brief in self.all})

    @cached_property
    def systems(self) -> set[str]:
        """The systems of which something else may be said."""
        return {name for brief in (*self.all, *self.expired) for name in brief.systems}

    @cached_property
    def people(self) -> set[str]:
        """The people of whom something else may be said."""
        found: set[str | None] = set()
        for brief in self.all:
            found |= {brief.requester, brief.documented_by, *brief.signers}
            found |= {person for action, _, who in brief.next if action != "document" for person in who}
        return {person for person in found if person}

    @cached_property
    def months(self) -> set[str]:
        """The months by whose names they are called, as `2026-11`."""
        return {f"{b.id[4:8]}-{b.id[8:10]}" for b in self.all if b.title is not None}

    @cached_property
    def calendar(self) -> set[str]:
        """The months of the calendar of which something else may be said."""
        touched = self._site.calendar.touched_months
        return {month for brief in (*self.all, *self.expired) for month in touched(brief)}

    @cached_property
    def affected(self) -> list[Brief]:
        """The changes whose pages may be other ones.

        1. those that differ;
        2. those that stand next to one of them, as it was or as it is: the nearest that did not change themselves;
        3. those that refer to it, and those to which it refers;
        4. those whose texts name it.
        """
        site = self._site
        # 1.
        found = {brief.number: brief for brief in self.changed}
        # 2.
        ask, changed = site.catalogue.ask, frozenset(found)
        asked = [
            (ask("SELECT asked FROM change WHERE number = ?", (b.number,))[0][0], b) for b in self.changed
        ]
        for when, brief in (*asked, *self.past):
            for system in dict.fromkeys(brief.systems):
                for other in site.vicinity.beside(system, when, brief.path, changed):
                    found[other.number] = other
        # 3. and 4.
        ids = sorted({brief.id for brief in self.all if brief.title is not None})
        others = {other for brief in self.all for other in brief.refers}
        for change in sorted(others):
            numbers = ask("SELECT number FROM change WHERE id = ?", (change,))
            found |= {brief.number: brief for brief in site.catalogue.numbered(n for (n,) in numbers)}
        for change in ids:
            numbers = ask(
                "SELECT number FROM refers WHERE id = ?1 UNION SELECT number FROM mention WHERE id = ?1",
                (change,),
            )
            found |= {brief.number: brief for brief in site.catalogue.numbered(n for (n,) in numbers)}
        return [*found.values()]

    def paths_before(self, paths: Iterable[str], prefix: str) -> list[str]:
        """Which paths there were with a prefix, in order, from those that there are."""
        came = {brief.path for brief in self.changed} - self._before
        return sorted({*paths} - came | {path for path in self._before if path.startswith(prefix)})

    def touches(self, prefix: str) -> bool:
        """Whether the path of one of them begins so."""
        return any(path.startswith(prefix) for path in self.paths)


def since(site: Site, basis: Basis) -> Delta | None:
    """What differs since the site was made from that; None where that is not known, or too much."""
    catalogue = site.catalogue
    at = catalogue.ask("SELECT generation FROM content WHERE name = ?", (basis.content,))
    if not at:
        return None
    limit = max(_AT_LEAST, len(catalogue.briefs) // _SHARE)
    newer = catalogue.ask("SELECT number FROM change WHERE generation > ? LIMIT ?", (*at[0], limit))
    older = catalogue.ask("SELECT said FROM past WHERE generation > ? LIMIT ?", (*at[0], limit))
    if len(newer) + len(older) >= limit:
        return None
    past: list[tuple[float, Brief]] = []
    before: set[str] = set()
    for (said,) in older:
        asked, generation, summary, brief = json.loads(said)
        past.append((asked, Brief(-1, summary, brief, "")))
        before |= {summary["path"]} if generation <= at[0][0] else set()
    first, last = sorted((basis.now, int(site.overview.now.timestamp())))
    ended = catalogue.ask(
        "SELECT number FROM change WHERE begins IS NOT NULL AND ends BETWEEN ? AND ? LIMIT ?",
        (first - 1, last + 1, limit),
    )
    if len(ended) >= limit:
        return None
    return Delta(
        site,
        catalogue.numbered(number for (number,) in newer),
        past,
        catalogue.numbered(number for (number,) in ended),
        before,
    )
