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
_EPOCH = dt.date(1970, 1, 1).toordinal()
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
        last = f"max(begins, min(ends, begins + {(SPAN + 2) * _DAY})) / {_DAY}"
        days: set[int] = set()
        for first, over in self._catalogue.ask(
            f"SELECT begins / {_DAY} AS day, max({last}) FROM change WHERE {_HELD} GROUP BY day"  # noqa: S608
        ):
            days |= set(range(first, over + 1))
        possible = {self._of_day(day + beside) for day in days for beside in (-1, 0, 1)}
        frozen = set(self.frozen_months)
        return tuple(sorted(frozen | {m for m in possible - frozen if self._begun_in(m) or self._held_in(m)}))

    @staticmethod
    def _of_day(day: int) -> str:
        then = dt.date.fromordinal(_EPOCH + max(0, min(day, LAST // _DAY)))
        return f"{then.year:04}-{then.month:02}"

    def _begun_in(self, month: str) -> Briefs:
        """The changes whose windows begin in a month."""
        low, high = self._bounds(month)
        return self._catalogue.select(f"{_HELD} AND begins >= ? AND begins < ?", (low, high), order=_IN_TIME)

    def _held_in(self, month: str) -> Briefs:
        """The changes whose windows touch a month."""
        low, high = self._bounds(month)
        first = self.begin_of(month)
        long_before = first.replace(tzinfo=None) - dt.timedelta(days=SPAN)
        earliest = int(long_before.replace(tzinfo=first.tzinfo).timestamp())
        return self._catalogue.select(
            f"{_HELD} AND begins < ? AND begins >= min(?, ?) AND (begins >= ? OR ends > ?)",
            (high, low, earliest, low, int(first.timestamp())),
            order=_IN_TIME,
        )

    def _bounds(self, month: str) -> tuple[int, int]:
        """The first moment of a month, and the first after it.

        What is planned for before 1970, or beyond the calendar, stands at its ends.
        """
        low, high = (int(self.begin_of(name).timestamp()) for name in (month, moved(month, 1)))
        return (-_ALWAYS if low <= 0 else low), (_ALWAYS if high > LAST else high)

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
