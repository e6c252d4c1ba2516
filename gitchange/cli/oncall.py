"""`log`: for who is on call. The first lines say what most probably broke it; everything else comes below."""

from __future__ import annotations

import json

import click

from gitchange.assessment.calendar import on_the_clock
from gitchange.assessment.words import span
from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.terminal import progress, width
from gitchange.workflow import oncall

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from gitchange.assessment.brief import Brief
    from gitchange.workflow.oncall import Around, Happening, Log

SUSPECTS, WINDOWS = 5, 10
"""How many of them are told unless all are asked for."""


@click.command("log")
@click.option(
    "--around",
    metavar="TIME",
    help="What was going on then: 2026-11-24T21:05, with an offset or not, or now.",
)
@click.option(
    "--system",
    "systems",
    multiple=True,
    metavar="NAME",
    help="On this system; with --around on what it depends on, too.",
)
@click.option(
    "--hours",
    type=click.IntRange(1, oncall.FURTHEST),
    metavar="N",
    help="So much before and after --around; 24 unless given.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"At most so many events; {render.LISTED} unless given."
)
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def log_command(
    context: click.Context,
    /,
    around: str | None,
    systems: tuple[str, ...],
    hours: int | None,
    limit: int | None,
    everything: bool,
    as_json: bool,
) -> None:
    """What happened, the newest first: requests, edits, sign-offs and records.

    With --around TIME: what most probably broke something then, the most probable first, each with the reason; what was
    in its planned window; and everything near, on the system and on what it depends on. Times without an offset are on
    the clocks of the policy's zone.
    """
    if hours is not None and around is None:
        raise click.UsageError("--hours says how near to --around: give that, too")
    most = None if everything else limit or render.LISTED
    with progress() as bar:
        found = oncall.log(from_context.workspace(context, tell=bar), around, systems, hours or 24, most)
    if as_json:
        shape = {"schema": render.SHAPE, **oncall.shape(found)}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    for line in _lines(found, everything, width()):
        click.echo(line)
    if rest := render.left_off(len(found.happenings), found.total):
        click.echo(rest, err=True)


def _lines(log: Log, everything: bool, columns: int) -> Iterator[str]:
    around = log.around
    if around is None:
        yield from _events(log.happenings, log.zone, None, columns)
        return
    yield from _suspects(around, everything, columns)
    if around.in_window:
        yield ""
        yield render.style("In their planned windows at that time", underline=True)
        yield from _windows(around.in_window, log.zone, everything, columns)
    if log.happenings:
        yield ""
        yield render.style("What happened", underline=True)
        yield from _events(log.happenings, log.zone, around.moment, columns)


def _suspects(around: Around, everything: bool, columns: int) -> Iterator[str]:
    """The most probable one stands in the second and third line, whatever else there is."""
    when = f"{around.moment:%Y-%m-%d %H:%M %z}, {around.hours} h before and after"
    if not around.suspects:
        where = f" on {_where(around)}" if around.needs else ""
        yield render.clean(f"nothing was done or planned{where} around {when}")
        yield f"`--hours {min(around.hours * 3, oncall.FURTHEST)}` looks further"
        return
    yield render.style(f"Look at these first, around {when}", bold=True)
    shown = around.suspects if everything else around.suspects[:SUSPECTS]
    for place, ranked in enumerate(shown, 1):
        brief = ranked.brief
        head = render.clean(f"{place}. {brief.id}  ")
        title = render.clean(f"{brief.label} ({', '.join(brief.systems)}; {brief.status})")
        yield render.style(head, bold=True) + _cut(title, columns - len(head))
        yield f"   {render.clean(ranked.why)}"
    if len(around.suspects) > len(shown):
        yield f"   {len(around.suspects) - len(shown)} less probable ones; --all shows them all"
    if any(need.steps for need in around.needs):
        yield ""
        yield render.clean(f"looked at: {_where(around)}")


def _where(around: Around) -> str:
    return ", ".join(
        f"{need.name} (needed by {need.by}, {need.steps} step{'s' if need.steps > 1 else ''})"
        if need.steps
        else need.name
        for need in around.needs
    )


def _windows(briefs: Sequence[Brief], zone: dt.tzinfo, everything: bool, columns: int) -> Iterator[str]:
    shown = briefs if everything else briefs[:WINDOWS]
    rows = [
        [*(f"{on_the_clock(moment, zone):%Y-%m-%d %H:%M}" for moment in brief.window or ()), *_of(brief)]
        for brief in shown
    ]
    yield from render.table(rows, ("from", "until", "change", "systems", "status", "title"), columns)
    if len(briefs) > len(shown):
        yield f"{len(briefs) - len(shown)} more; --all shows them all"


def _of(brief: Brief) -> list[str]:
    return [brief.id, ",".join(brief.systems), brief.status, brief.label]


def _events(
    happenings: Sequence[Happening], zone: dt.tzinfo, moment: dt.datetime | None, columns: int
) -> Iterator[str]:
    if not happenings:
        yield "nothing happened yet"
        return
    header = ["time", "who", "did", "change", "systems", "title"]
    rows: list[list[str]] = []
    for happening in happenings:
        event, brief = happening.event, happening.brief
        did = event.did.removesuffix(" for") + (" (earlier text)" if event.stale else "")
        row = [f"{event.when.astimezone(zone):%Y-%m-%d %H:%M}", event.who, did, brief.id]
        rows.append([*row, ",".join(brief.systems), brief.label])
    if moment is not None:
        header.insert(1, "")
        for row, happening in zip(rows, happenings, strict=True):
            away = round((happening.event.when - moment).total_seconds())
            row.insert(1, f"{'-' if away < 0 else '+'}{span(abs(away))}")
    yield from render.table(rows, header, columns)


def _cut(text: str, room: int) -> str:
    """The text as far as it fits into a terminal; all of it where there is none."""
    return text if room < 20 or len(text) <= room else text[: room - 1] + "…"
