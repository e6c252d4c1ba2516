"""The calendar of a site: of each month only its own windows are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property, lru_cache

from gitchange.assessment.brief import Brief
from gitchange.assessment.calendar import LAST, NEVER_HELD, SPAN, Calendar, moved
from gitchange.model.policy import Policy
from gitchange.site.catalogue import Briefs, Catalogue

_HELD = f"begins IS NOT NULL AND status NOT IN ({', '.join(f'{status!r}' for status in sorted(NEVER_HELD))})"
_IN_TIME = "begins, ends, path"
_DAY = 86400
_ALWAYS = 1 << 60
"""Later than any moment that a document can name, and its negative earlier."""


class Windows(Calendar):
    """The planned windows that a catalogue has."""

    def __init__(
        self,
        catalogue: Catalogue,
        planned: Iterable[Brief],
        policy: Policy | None,
        now: dt.datetime,
        zone: dt.tzinfo,
    ) -> None:
        super().__init__((), planned, policy, now, zone)
        self._catalogue = catalogue
        self.days_of = lru_cache(maxsize=4)(self._days_of)  # type: ignore[method-assign]

    @cached_property
    def briefs(self) -> tuple[Brief, ...]:
        """Every change with a window, but those that will not take place; in order of time."""
        return tuple(self._catalogue.select(_HELD, order=_IN_TIME))

    def coming(self) -> tuple[Brief, ...]:
        """The windows that are not over since a month ago."""
        since = int(self.since.timestamp())
        return tuple(self._catalogue.select(f"{_HELD} AND ends >= ?", (since,), order=_IN_TIME))

    @cached_property
    def months(self) -> tuple[str, ...]:
        """Every month that has something, oldest first.

        Days of UTC tell which months can have something; what touches each is then looked for.
        """
        found = self._catalogue.ask(
            f"SELECT DISTINCT begins / {_DAY}, max(begins, min(ends - 1, begins + {(SPAN + 2) * _DAY})) / {_DAY} "  # noqa: S608
            f"FROM change WHERE {_HELD}"
        )
        possible: set[str] = set()
        for first, last in found:
            month, end = self._of_day(first - 1), self._of_day(last + 1)
            while month <= end:
                possible.add(month)
                month = moved(month, 1)
        frozen = set(self.frozen_months)
        return tuple(sorted(frozen | {m for m in possible - frozen if self._held_in(m)}))

    @staticmethod
    def _of_day(day: int) -> str:
        return f"{dt.datetime.fromtimestamp(max(0, min(day * _DAY, LAST)), dt.UTC):%Y-%m}"

    def _held_in(self, month: str) -> Briefs:
        """The changes whose windows touch a month."""
        first, over = (self.begin_of(name) for name in (month, moved(month, 1)))
        low, high = int(first.timestamp()), int(over.timestamp())
        # What is planned for before 1970, or beyond the calendar, stands at its ends.
        earliest, latest = (-_ALWAYS if low <= 0 else low), (_ALWAYS if high > LAST else high)
        long_before = int(
            (first.replace(tzinfo=None) - dt.timedelta(days=SPAN)).replace(tzinfo=first.tzinfo).timestamp()
        )
        return self._catalogue.select(
            f"{_HELD} AND begins < ? AND begins >= min(?, ?) AND (begins >= ? OR ends > ?)",
            (latest, earliest, long_before, earliest, low),
            order=_IN_TIME,
        )

    def _days_of(self, month: str) -> dict[dt.date, list[Brief]]:
        found: dict[dt.date, list[Brief]] = {}
        for brief in self._held_in(month):
            for day in self.touched(brief):
                if f"{day:%Y-%m}" == month:
                    found.setdefault(day, []).append(brief)
        return found

    def touched_months(self, brief: Brief) -> set[str]:
        """The months that a window touches."""
        return {f"{day:%Y-%m}" for day in self.touched(brief)} if brief.window is not None else set()
