"""`calendar` and `stats`: for who plans."""

from __future__ import annotations

import datetime as dt
import json

import click

from gitchange.assessment.calendar import WEEKDAYS, month_label, on_the_clock
from gitchange.assessment.words import percentage, span
from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.terminal import progress, width
from gitchange.lifecycle.figures import STAGES, TYPES, WHOLE, percent
from gitchange.workflow import planning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gitchange.assessment.brief import Brief
    from gitchange.lifecycle.figures import Month
    from gitchange.workflow.planning import Met, Plan, Statistics

_NOTHING = "–"
_MEETS = {
    "same system": "the same system",
    "dependent system": "dependent systems",
    "same person": "the same person",
    "freeze": "a freeze",
}


@click.command("calendar")
@click.option("--month", metavar="YYYY-MM", help="This month; the present one unless given.")
@click.option("--from", "since", metavar="DATE", help="From this day on, as 2026-11-24.")
@click.option("--to", "until", metavar="DATE", help="Up to this day, with it.")
@click.option("--system", "systems", multiple=True, metavar="NAME", help="What is planned for this system.")
@click.option(
    "--ics",
    "as_ics",
    is_flag=True,
    help="For calendar programs (RFC 5545), as the site has it: what is to come.",
)
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def calendar_command(
    context: click.Context,
    /,
    month: str | None,
    since: str | None,
    until: str | None,
    systems: tuple[str, ...],
    as_ics: bool,
    as_json: bool,
) -> None:
    """Planned windows and freezes by day, and their conflicts.

    Windows are in conflict when they overlap on one system, on one and another that it needs, or for one person; and a
    window in a freeze. Each conflict is told with the next free slot of the same length. Times are on the clocks of the
    policy's zone.
    """
    if as_ics and (as_json or month is not None or since is not None or until is not None):
        raise click.UsageError(
            "--ics is everything from the last month on: leave --month, --from, --to and --json out"
        )
    with progress() as bar:
        place = from_context.workspace(context, tell=bar)
        if as_ics:
            click.echo(planning.ics(place, systems), nl=False)
            return
        plan = planning.plan(place, month, since, until, systems)
    if as_json:
        shape = {"schema": render.SHAPE, **planning.shape_of_plan(plan)}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    for line in _plan(plan, width()):
        click.echo(line)


def _plan(plan: Plan, columns: int) -> Iterator[str]:
    whole = plan.first.day == 1 and (plan.last + dt.timedelta(days=1)).day == 1
    one = whole and f"{plan.first:%Y-%m}" == f"{plan.last:%Y-%m}"
    title = month_label(f"{plan.first:%Y-%m}") if one else f"{plan.first} to {plan.last}"
    yield render.style(f"{title} ({plan.zone})", bold=True)
    if not plan.briefs and not plan.freezes:
        yield "nothing is planned"
    else:
        yield from render.table(
            _rows(plan), ("day", "time", "", "change", "systems", "status", "risk", "title"), columns
        )
    if plan.conflicts:
        count = len(plan.conflicts)
        yield ""
        yield render.style(f"{count} conflict{'s' if count > 1 else ''}", underline=True)
        for met in plan.conflicts:
            yield from _met(met, plan)


def _rows(plan: Plan) -> Iterator[list[str]]:
    """A row for each window and freeze, on the day when it begins or on the first that is shown."""
    begin = dt.datetime(plan.first.year, plan.first.month, plan.first.day, tzinfo=plan.zone)
    marked = {name for met in plan.conflicts for name in met.conflict.ids}
    found: list[tuple[float, list[str]]] = []
    for brief in plan.briefs:
        start, end = (on_the_clock(moment, plan.zone) for moment in brief.window or (0, 0))
        mark = "!" if brief.id in marked else ""
        cells = [mark, brief.id, ",".join(brief.systems), brief.status, brief.risk or "", brief.label]
        found.append((start.timestamp(), [*_when(start, end, begin), *cells]))
    for occurrence in plan.freezes:
        start, end = (moment.astimezone(plan.zone) for moment in (occurrence.start, occurrence.end))
        freeze = occurrence.freeze
        systems = ",".join(freeze.when.systems or ("all",))
        cells = ["", "freeze", systems, freeze.kind, "", f"{freeze.name}: {freeze.reason}"]
        found.append((start.timestamp(), [*_when(start, end, begin), *cells]))
    found.sort(key=lambda item: (max(item[0], begin.timestamp()), item[1]))
    before = ""
    for _, row in found:
        told = row[0]
        if told == before:
            row[0] = ""
        before = told
        yield row


def _when(start: dt.datetime, end: dt.datetime, begin: dt.datetime) -> tuple[str, str]:
    """Day and time of a window; what has lasted since before the first day is on that."""
    day = max(start, begin)
    since = f"{start:%H:%M}" if start >= begin else "…"
    if day.date() == end.date():
        until = f"{end:%H:%M}"
    elif day.date() + dt.timedelta(days=1) == end.date() and end.time() == dt.time():
        until = "24:00"
    else:
        until = _moment(end, day)
    return f"{_weekday(day)} {day.day:2} {_month(day)}", f"{since} – {until}"


def _moment(moment: dt.datetime, beside: dt.datetime) -> str:
    """A moment, with its year where that is another one."""
    year = f" {moment.year}" if moment.year != beside.year else ""
    return f"{_weekday(moment)} {moment.day} {_month(moment)}{year} {moment:%H:%M}"


def _weekday(moment: dt.datetime) -> str:
    return WEEKDAYS[moment.weekday()][:3]


def _month(moment: dt.datetime) -> str:
    """English, whatever the locale."""
    return month_label(f"{moment:%Y-%m}")[:3]


def _met(met: Met, plan: Plan) -> Iterator[str]:
    conflict = met.conflict
    start, end = (on_the_clock(moment, plan.zone) for moment in (conflict.start, conflict.end))
    until = f"{end:%H:%M}" if end.date() == start.date() else _moment(end, start)
    about = render.clean(", ".join(conflict.about))
    meets = _MEETS[conflict.kind]
    yield render.style(f"! {_moment(start, start)} – {until}  {meets}: ", bold=True) + about
    for brief in met.briefs:
        yield render.clean(f"    {_window(brief, plan)}  {brief.id}  {brief.label}")
    moved = met.briefs[-1].id
    if met.slot is None:
        yield render.clean(f"    no free slot for {moved} within two years")
        return
    begin, over = (on_the_clock(moment, plan.zone) for moment in (met.slot.start, met.slot.end))
    until = f"{over:%H:%M}" if over.date() == begin.date() else _moment(over, begin)
    yield render.clean(f"    next free for {moved}: {_moment(begin, start)} – {until}")


def _window(brief: Brief, plan: Plan) -> str:
    start, end = (on_the_clock(moment, plan.zone) for moment in brief.window or (0, 0))
    until = f"{end:%H:%M}" if end.date() == start.date() else _moment(end, start)
    return f"{_moment(start, start)} – {until}"


@click.command("stats")
@click.option(
    "--since", metavar="DATE", help="Count from this day on, as 2026-01-01; twelve months unless given."
)
@click.option("--system", "systems", multiple=True, metavar="NAME", help="Count changes to this system.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def stats_command(
    context: click.Context, /, since: str | None, systems: tuple[str, ...], as_json: bool
) -> None:
    """How changes go: how many, how long each step takes, how many fail, how many are emergencies.

    Months are those of the policy's zone. Times are what commits and signers claim.
    """
    with progress() as bar:
        found = planning.statistics(from_context.workspace(context, tell=bar), since, systems)
    if as_json:
        shape = {"schema": render.SHAPE, **planning.shape_of_statistics(found)}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    for line in _statistics(found, width()):
        click.echo(line)


def _statistics(found: Statistics, columns: int) -> Iterator[str]:
    figures, months = found.figures, found.figures.months
    on = f", {', '.join(found.systems)}" if found.systems else ""
    yield render.style(render.clean(f"{found.first} to {found.last}{on}"), bold=True)
    for value, what in _summary(found):
        yield f"  {value:>8}  {what}"
    yield from _titled("By month")
    header = ("month", "documented", *TYPES, "requested", "emergencies", "ended", "failed")
    yield from _figures(header, [_of_month(m) for m in reversed(months)], columns)
    yield from _titled("Lead time")
    spreads = [(stage, figures.spread(stage)) for stage in (*STAGES, WHOLE)]
    rows = [
        [
            f"{a} to {b}",
            *((str(s.count), span(s.median), span(s.ninetieth)) if s else ("0", _NOTHING, _NOTHING)),
        ]
        for (a, b), s in spreads
    ]
    yield from _figures(("from … to", "changes", "half within", "nine of ten within"), rows, columns)
    yield from _titled("Time to approval, and age of what is open")
    both = zip(figures.latencies, figures.ages, strict=True)
    rows = [[a, str(count), "", b, str(opened)] for (a, count), (b, opened) in both]
    yield from _figures(("approved", "changes", "", "open for", "changes"), rows, columns, (0, 2, 3))
    if systems := [
        (n, of) for n, of in sorted(figures.systems.items()) if not found.systems or n in found.systems
    ]:
        yield from _titled("By system")
        rows = [
            [
                n,
                str(of.all),
                str(of.open),
                str(of.documented),
                str(of.emergencies),
                _share(of.failed, of.ended),
            ]
            for n, of in systems
        ]
        counted = ("system", "changes", "open", "documented", "emergencies", "failed")
        yield from _figures(counted, rows, columns)


def _summary(found: Statistics) -> Iterator[tuple[str, str]]:
    months, latency = found.figures.months, found.figures.latency

    def summed(of: Callable[[Month], int]) -> int:
        return sum(map(of, months))

    ended, requested = summed(lambda m: m.ended), summed(lambda m: m.requested)
    yield str(summed(lambda m: sum(m.documented.values()))), "documented"
    yield _share(summed(lambda m: m.failed), ended), f"failed, of {ended} that ended"
    yield _share(summed(lambda m: m.emergencies), requested), f"emergencies, of {requested} requested"
    half, most = (span(latency.median), span(latency.ninetieth)) if latency else (_NOTHING, _NOTHING)
    yield half, f"from request to approval for half of them; nine of ten within {most}"
    yield str(sum(count for _, count in found.figures.ages)), "open now"


def _titled(title: str) -> Iterator[str]:
    yield ""
    yield render.style(title, underline=True)


def _of_month(month: Month) -> list[str]:
    return [
        month.name,
        str(sum(month.documented.values())),
        *(str(month.documented[kind]) for kind in TYPES),
        str(month.requested),
        _share(month.emergencies, month.requested),
        str(month.ended),
        _share(month.failed, month.ended),
    ]


def _share(part: int, whole: int) -> str:
    found = percent(part, whole)
    return _NOTHING if found is None else percentage(found)


def _figures(
    header: Sequence[str], rows: Sequence[Sequence[str]], columns: int, names: Sequence[int] = (0,)
) -> Iterator[str]:
    """A table whose figures stand below each other; `names` are the columns that have none."""
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    aligned = [
        [cell if place in names else cell.rjust(widths[place]) for place, cell in enumerate(row)]
        for row in (header, *rows)
    ]
    yield from render.table(aligned[1:], aligned[0], columns)
