"""What the page of statistics shows: each figure as a chart, in words, and as a table that says the same.

What is counted, and how, is `gitchange.lifecycle.figures`; how it is drawn, `gitchange.site.charts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from gitchange.assessment.calendar import month_label
from gitchange.assessment.words import percentage, span
from gitchange.lifecycle.figures import STAGES, TYPES, WHOLE, Figures, Month, percent
from gitchange.site.charts import Series, bars, nice_span, spreads
from gitchange.values import Value

_TABLE = "The table below has the figures."
_MARKS = {"standard": "c-2", "normal": "c-1", "emergency": "c-3"}
_STEPS = {"documentation": "record"}
_NOTHING = "–"


class Chart(Value):
    """One figure."""

    name: str
    """Its id on the page."""
    heading: str
    drawing: Markup
    definition: str
    """Where it comes from, in words."""
    head: tuple[str, ...]
    """Of the table; the first column has the rows' names."""
    rows: tuple[tuple[str, ...], ...]
    legend: tuple[tuple[str, str], ...] = ()
    """Class and name of each series, where there are several."""


class StatisticsPage(Value):
    """Everything on the page but its words."""

    period: str
    tiles: tuple[tuple[str, str], ...]
    """The figures of all months together: value and what it is."""
    charts: tuple[Chart, ...]
    leads: tuple[Chart, ...]
    """The lead time of each step."""
    systems: tuple[tuple[str, tuple[str, ...]], ...]
    """For each system, the cells of its row."""


def share(part: int, whole: int) -> str:
    """A share in percent, or that there is none."""
    found = percent(part, whole)
    return _NOTHING if found is None else percentage(found)


def statistics_page(figures: Figures) -> StatisticsPage:
    """All of it."""
    months = figures.months
    ended, failed = sum(m.ended for m in months), sum(m.failed for m in months)
    requested, emergencies = sum(m.requested for m in months), sum(m.emergencies for m in months)
    return StatisticsPage(
        f"{month_label(months[0].name)} to {month_label(months[-1].name)}",
        (
            (str(sum(sum(m.documented.values()) for m in months)), "documented"),
            (span(figures.latency.median) if figures.latency else _NOTHING, "median time to approval"),
            (share(failed, ended), f"failed, of {ended} that ended"),
            (share(emergencies, requested), f"emergencies, of {requested} requested"),
        ),
        (_throughput(months), _failures(months), _emergencies(months), _latency(figures), _ages(figures)),
        tuple(_lead(months, stage) for stage in (*STAGES, WHOLE)),
        tuple(
            (
                name,
                (
                    str(of.all),
                    str(of.open),
                    str(of.documented),
                    str(of.emergencies),
                    share(of.failed, of.ended),
                ),
            )
            for name, of in sorted(figures.systems.items())
        ),
    )


def _throughput(months: Sequence[Month]) -> Chart:
    return Chart(
        "throughput",
        "Throughput",
        bars(
            "c-throughput",
            "Changes documented by month",
            f"Stacked bars: standard, normal and emergency changes. {_TABLE}",
            _labels(months),
            [Series(kind, _MARKS[kind], tuple(m.documented[kind] for m in months)) for kind in TYPES],
        ),
        "Changes whose record came onto the branch of record, by the month that the record claims.",
        ("Month", *(kind.capitalize() for kind in TYPES), "All"),
        _by_month(months, lambda m: (*(m.documented[kind] for kind in TYPES), sum(m.documented.values()))),
        tuple((_MARKS[kind], kind) for kind in TYPES),
    )


def _failures(months: Sequence[Month]) -> Chart:
    return Chart(
        "failures",
        "Change failure rate",
        bars(
            "c-failures",
            "Share of changes that failed, by month",
            f"Bars in percent of the changes that ended in the month. {_TABLE}",
            _labels(months),
            [Series("failed", "c-3", tuple(percent(m.failed, m.ended) for m in months))],
            percentage,
        ),
        "Of the changes that were tried and ended in the month (documented, or failed and not mended yet), those of "
        "which a counting sign-off or the record says that they failed or were backed out. What was rejected or "
        "withdrawn was never tried.",
        ("Month", "Ended", "Failed", "Share"),
        _by_month(months, lambda m: (m.ended, m.failed, share(m.failed, m.ended))),
    )


def _emergencies(months: Sequence[Month]) -> Chart:
    return Chart(
        "emergencies",
        "Emergencies",
        bars(
            "c-emergencies",
            "Share of emergency changes, by month",
            f"Bars in percent of the changes requested in the month. {_TABLE}",
            _labels(months),
            [Series("emergencies", "c-4", tuple(percent(m.emergencies, m.requested) for m in months))],
            percentage,
        ),
        "Of the changes requested in the month, by the time of the commit that brought the request, those of type "
        "emergency.",
        ("Month", "Requested", "Emergencies", "Share"),
        _by_month(months, lambda m: (m.requested, m.emergencies, share(m.emergencies, m.requested))),
    )


def _latency(figures: Figures) -> Chart:
    words = (
        "From the commit that brought the request to the last evaluation that the policy asks for, as its signer’s "
        "clock claimed."
    )
    if figures.latency is not None:
        half, most = span(figures.latency.median), span(figures.latency.ninetieth)
        words += f" Half took up to {half}, nine of ten up to {most}."
    return Chart(
        "approval",
        "Time to approval",
        _classes("c-approval", "How many approvals took how long", figures.latencies, "c-1"),
        words,
        ("Approved within", "Changes"),
        tuple((name, str(count)) for name, count in figures.latencies),
    )


def _ages(figures: Figures) -> Chart:
    return Chart(
        "ages",
        "Open changes by age",
        _classes("c-ages", "How many open changes are how old", figures.ages, "c-2"),
        "Changes that are not closed, by the time since the commit that brought the request.",
        ("Requested within", "Open changes"),
        tuple((name, str(count)) for name, count in figures.ages),
    )


def _classes(name: str, title: str, counts: Sequence[tuple[str, int]], mark: str) -> Markup:
    labels = [label.replace("up to ", "≤ ") for label, _ in counts]
    return bars(name, title, _TABLE, labels, [Series("", mark, tuple(count for _, count in counts))])


def _lead(months: Sequence[Month], stage: tuple[str, str]) -> Chart:
    found = [m.spread(stage) for m in months]
    start, end = (_STEPS.get(step, step) for step in stage)
    heading = f"{start.capitalize()} to {end}{', the whole way' if stage == WHOLE else ''}"
    return Chart(
        f"lead-{end}" if stage != WHOLE else "lead-whole",
        heading,
        spreads(
            f"c-lead-{end}" if stage != WHOLE else "c-lead-whole",
            heading,
            f"Median and 90th percentile by month. {_TABLE}",
            _labels(months),
            [(s.median, s.ninetieth) if s else None for s in found],
            span,
            nice_span(max((s.ninetieth for s in found if s), default=0)),
        ),
        "",
        ("Month", "Changes", "Median", "90th percentile"),
        tuple(
            (
                month_label(m.name),
                *((str(s.count), span(s.median), span(s.ninetieth)) if s else ("0", _NOTHING, _NOTHING)),
            )
            for m, s in reversed(list(zip(months, found, strict=True)))
        ),
    )


def _labels(months: Iterable[Month]) -> list[str]:
    return [month_label(m.name)[:3] for m in months]


def _by_month(
    months: Sequence[Month], cells: Callable[[Month], tuple[int | str, ...]]
) -> tuple[tuple[str, ...], ...]:
    """The newest month first."""
    return tuple((month_label(m.name), *map(str, cells(m))) for m in reversed(months))
