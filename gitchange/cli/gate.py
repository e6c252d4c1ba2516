"""`gate`."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.coverage import covered_json
from gitchange.cli.recording import (
    attempt,
    kept_json,
    recording_options,
    refuse_contradictions,
    show_recorded,
    tell_kept,
)
from gitchange.cli.terminal import say
from gitchange.errors import UsageError
from gitchange.lifecycle.coverage import counts
from gitchange.model.result import STATES, list_digest
from gitchange.workflow import gate as workflow
from gitchange.workflow import recording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gitchange.workflow.gate import Decision


@click.command("gate")
@click.option(
    "--repo",
    "application",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="A clone of the application's repository; this folder, when not given.",
)
@click.option(
    "--commit",
    "revision",
    default="HEAD",
    metavar="REV",
    help="What is to be deployed; HEAD, when not given.",
)
@click.option("--system", help="To which system.")
@click.option("--environment", help="Where.")
@click.option(
    "--base", metavar="REV", help="What was deployed last; else the nearest of the system's release tags."
)
@click.option("--at", metavar="TIME", help="When, e.g. 2026-11-22T20:00:00+01:00; now, when not given.")
@recording_options
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def gate_command(
    context: click.Context,
    /,
    application: Path,
    revision: str,
    system: str | None,
    environment: str | None,
    base: str | None,
    at: str | None,
    as_json: bool,
    record: bool,
    recorded: bool,
    no_push: bool,
    limit: int | None,
) -> int:
    """Say whether a commit may be deployed to a system.

    Yes when every commit since the last deployed one is covered by a change that is approved, within its window, for
    this environment and outside freezes, and no emergency of the system is in debt. It answers at once, by what this
    clone knows: `gitchange sync` fetches.

    Exit code 0: yes. 1: no, with what speaks against it and who can mend it. 3: it could not be decided,
    or the decision could not be recorded or sent.
    """
    refuse_contradictions(record=record, recorded=recorded, no_push=no_push, limit=limit)
    if recorded:
        return show_recorded(context, "gate", (system,) if system else (), limit, as_json=as_json)
    if system is None:
        raise UsageError(
            "no system was named", hint="--system NAME; the policy has them: `gitchange policy show`"
        )
    place = from_context.workspace(context)
    done = workflow.gate(
        place, application, revision, system, environment=environment, base=base, at=_moment(at)
    )
    kept = attempt(lambda: recording.record_decision(place, done, push=not no_push)) if record else None
    code = 0 if done.allowed else 1
    if as_json:
        shape = gate_json(done) | {"recorded": kept_json(kept)}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
    else:
        _tell(done, system, environment)
    return tell_kept(kept, code, quiet=as_json)


def _tell(done: Decision, system: str, environment: str | None) -> None:
    for refusal in done.refusals:
        click.echo(
            render.word("error")
            + render.clean(f": {refusal.message}")
            + render.style(f" [{refusal.code}]", dim=True)
        )
        click.echo(render.style("    mend: ", dim=True) + render.clean(refusal.mend))
        if refusal.who:
            click.echo(render.style("    who: ", dim=True) + render.clean(", ".join(refusal.who)))
    for one in done.coverage.commits:
        if one.state in ("emergency-pending", "exempt"):
            click.echo(
                render.word(one.state)
                + render.clean(f" {one.commit.id[:12]} {one.commit.subject}: {'; '.join(one.why)}")
            )
    number = counts(done.coverage.commits)
    told = ", ".join(f"{number[state]} {state}" for state in STATES if number[state]) or "nothing new"
    since = f" since {done.since}" if done.since else ""
    where = f"{system} ({environment})" if environment else system
    say(
        f"{'yes' if done.allowed else 'NO'}: {done.commit[:12]} to {where} at {done.at.isoformat(timespec='minutes')}; "
        f"{len(done.coverage.commits)} commit(s){since}: {told}",
        fg="green" if done.allowed else "red",
        bold=not done.allowed,
    )


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(f"--at {text!r} is no time with an offset", hint="write 2026-11-22T20:00:00+01:00")
    return moment


def gate_json(done: Decision) -> dict[str, Any]:
    """The documented JSON shape."""
    return {
        "schema": render.SHAPE,
        "allowed": done.allowed,
        "commit": done.commit,
        "system": done.system,
        "environment": done.environment,
        "at": done.at.isoformat(),
        "since": done.since or None,
        "base": done.coverage.base,
        "refusals": [
            {"code": r.code, "message": r.message, "mend": r.mend, "who": list(r.who)} for r in done.refusals
        ],
        "policy": {"version": done.coverage.policy[0], "tree": done.coverage.policy[1]},
        "main": done.coverage.main,
        "notes": done.coverage.notes,
        "counts": counts(done.coverage.commits),
        "sha256": list_digest(done.coverage.listed),
        "commits": [covered_json(one) for one in done.coverage.commits],
    }
