"""`coverage` and `link`."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.recording import (
    attempt,
    kept_json,
    recording_options,
    refuse_contradictions,
    show_recorded,
    tell_kept,
)
from gitchange.cli.terminal import progress, say, width
from gitchange.errors import UsageError
from gitchange.lifecycle.coverage import counts
from gitchange.model.result import OPEN_STATES, STATES, list_digest
from gitchange.workflow import coverage as workflow
from gitchange.workflow import recording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from gitchange.lifecycle.coverage import Covered, State
    from gitchange.workflow.coverage import Coverage


def application_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which repository of an application, and which of its systems."""
    for option in (
        click.option(
            "--system", "systems", multiple=True, help="Only what touches this system; may be repeated."
        ),
        click.option(
            "--repo",
            "application",
            type=click.Path(path_type=Path),
            default=Path(),
            metavar="DIR",
            help="A clone of the application's repository; this folder, when not given.",
        ),
    ):
        command = option(command)
    return command


@click.command("coverage")
@click.argument("revisions", metavar="BASE..HEAD", required=False)
@application_options
@recording_options
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Show only these commits.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.option("--csv", "as_csv", is_flag=True, help="For spreadsheets.")
@click.pass_context
def coverage_command(
    context: click.Context,
    /,
    revisions: str | None,
    application: Path,
    systems: tuple[str, ...],
    states: tuple[State, ...],
    as_json: bool,
    as_csv: bool,
    record: bool,
    recorded: bool,
    no_push: bool,
    limit: int | None,
) -> int:
    """Tell of every commit of a range whether a change covers it.

    Each commit of the first-parent line is covered (a change was approved), standard (the change follows a
    pre-approved model), exempt (by a rule of the policy), emergency-pending (nobody has approved the emergency yet)
    or uncovered, and why.

    Exit code 1 when one is emergency-pending or uncovered; 3 when the result could not be recorded or sent.
    """
    refuse_contradictions(record=record, recorded=recorded, no_push=no_push, limit=limit)
    if recorded:
        if revisions is not None or states or as_csv:
            raise UsageError(
                "--recorded takes neither a range nor --state nor --csv", hint="--system and --limit choose"
            )
        return show_recorded(context, "coverage", systems, limit, as_json=as_json)
    if revisions is None:
        raise UsageError("no range was given", hint="BASE..HEAD, or one revision for all up to it")
    with progress() as bar:
        place = from_context.workspace(context, tell=bar)
        done = workflow.coverage(place, application, revisions, systems)
    kept = (
        attempt(lambda: recording.record_coverage(place, done, revisions, push=not no_push))
        if record
        else None
    )
    shown = [one for one in done.commits if not states or one.state in states]
    number = counts(done.commits)
    code = 1 if any(number[state] for state in OPEN_STATES) else 0
    if as_json:
        shape = coverage_json(done, shown) | {"recorded": kept_json(kept)}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
    elif as_csv:
        click.echo(_csv(shown), nl=False)
    else:
        _tell(done, shown)
        say(_in_short(done), fg="red" if code else "green")
    return tell_kept(kept, code, quiet=as_json or as_csv)


def _tell(done: Coverage, shown: Sequence[Covered]) -> None:
    rows = [
        [
            one.state,
            one.commit.id[:12],
            f"{dt.datetime.fromtimestamp(one.commit.time, dt.UTC):%Y-%m-%d}",
            ",".join(one.systems),
            ",".join(one.changes),
            one.commit.subject,
        ]
        for one in shown
    ]
    if rows:
        header = ("state", "commit", "date", "systems", "changes", "subject")
        for line in render.table(rows, header, width()):
            click.echo(line)
    for one in shown:
        if one.state in OPEN_STATES:
            click.echo()
            click.echo(
                render.word(one.state)
                + render.clean(f" {one.commit.id[:12]} {one.commit.subject} ({one.commit.author})")
            )
            for reason in one.why:
                click.echo(render.paragraph(reason, "    "))
    if rows:
        click.echo()


def _in_short(done: Coverage) -> str:
    number = counts(done.commits)
    total = len(done.commits)
    told = ", ".join(f"{number[state]} {state}" for state in STATES if number[state])
    words = f"{total} commit(s)" + (f": {told}" if told else "")
    if done.elsewhere:
        words += f"; {done.elsewhere} touch other systems"
    return f"{words} (policy version {done.policy[0]})"


def coverage_json(done: Coverage, shown: Sequence[Covered]) -> dict[str, Any]:
    """The documented JSON shape."""
    return {
        "schema": render.SHAPE,
        "base": done.base,
        "head": done.head,
        "systems": list(done.systems),
        "policy": {"version": done.policy[0], "tree": done.policy[1]},
        "main": done.main,
        "notes": done.notes,
        "counts": counts(done.commits),
        "elsewhere": done.elsewhere,
        "sha256": list_digest(done.listed),
        "commits": [covered_json(one) for one in shown],
    }


def covered_json(one: Covered) -> dict[str, Any]:
    """One commit of it."""
    return {
        "commit": one.commit.id,
        "state": one.state,
        "changes": list(one.changes),
        "why": list(one.why),
        "systems": list(one.systems),
        "since": _moment(one.since),
        "exemption": one.exemption or None,
        "subject": one.commit.subject,
        "author": one.commit.author,
        "time": _moment(one.commit.time),
    }


def _moment(seconds: int | None) -> str | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat() if seconds is not None else None


def _csv(shown: Sequence[Covered]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    header = ("commit", "time", "state", "systems", "changes", "since", "author", "subject", "why")
    writer.writerow(header)
    for one in shown:
        told = covered_json(one)
        lists = {name: "; ".join(told[name]) for name in ("systems", "changes", "why")}
        writer.writerow([_cell((told | lists)[name] or "") for name in header])
    return text.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@click.command("link")
@click.argument("revisions", nargs=-1)
@application_options
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def link_command(
    context: click.Context,
    /,
    revisions: tuple[str, ...],
    application: Path,
    systems: tuple[str, ...],
    as_json: bool,
) -> int:
    """Explain what ties commits of an application to changes; HEAD, when none is named.

    A trailer `Change: CHG-...`, the id in a title, a branch or a text, the merge request that a change names, a signed
    implementation that names the commit or has its very difference, a commit that it picks or reverts.

    Exit code 1 when one is tied to no change.
    """
    found = workflow.link(from_context.workspace(context), application, revisions or ("HEAD",), systems)
    code = 0 if all(one.ties for one in found) else 1
    if as_json:
        shape = {
            "schema": render.SHAPE,
            "commits": [
                {
                    **covered_json(one.state),
                    "ties": [{"change": tie.change, "why": tie.why} for tie in one.ties],
                }
                for one in found
            ],
        }
        sys.stdout.write(json.dumps(shape, indent=2, ensure_ascii=False) + "\n")
        return code
    for one in found:
        click.echo(
            render.style(render.clean(f"{one.commit.id[:12]} {one.commit.subject}"), bold=True)
            + f"  {render.word(one.state.state)}"
        )
        for tie in one.ties:
            click.echo(render.paragraph(f"{tie.change}: {tie.why}"))
        for reason in one.state.why:
            click.echo(render.paragraph(f"so: {reason}"))
    return code
