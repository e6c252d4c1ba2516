"""`--record` and `--recorded` of `coverage` and `gate`: an answer kept as signed evidence, and what was kept."""

from __future__ import annotations

import json

import click

from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.terminal import complain, progress, say, width
from gitchange.errors import GitchangeError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from gitchange.model.result import Kind
    from gitchange.workflow.recording import Kept


def recording_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What is to be recorded, or shown of what was."""
    for option in (
        click.option("--limit", type=click.IntRange(min=1), help="With --recorded: at most so many."),
        click.option(
            "--recorded", is_flag=True, help="Show what was recorded, newest first, and compute nothing."
        ),
        click.option(
            "--no-push", is_flag=True, help="With --record: keep it here; `gitchange sync` sends it."
        ),
        click.option(
            "--record",
            is_flag=True,
            help="Sign the answer with a recorder's key, keep it as evidence and send it.",
        ),
    ):
        command = option(command)
    return command


def refuse_contradictions(*, record: bool, recorded: bool, no_push: bool, limit: int | None) -> None:
    """UsageError for options that do not go together."""
    if record and recorded:
        raise UsageError("--record and --recorded at once", hint="record first, then look at what there is")
    if no_push and not record:
        raise UsageError("--no-push goes with --record: nothing else is sent")
    if limit is not None and not recorded:
        raise UsageError("--limit goes with --recorded")


def attempt(record: Callable[[], Kept]) -> Kept | GitchangeError:
    """What was kept, or why it could not be: the answer is told all the same."""
    try:
        return record()
    except GitchangeError as error:
        return error


def kept_json(kept: Kept | GitchangeError | None) -> dict[str, Any] | None:
    """What an answer's JSON shape says of it: null where nothing was recorded."""
    if kept is None or isinstance(kept, GitchangeError):
        return None
    return {
        "digest": kept.result.digest,
        "by": kept.result.said.by,
        "main": kept.result.said.main,
        "notes": kept.notes,
        "sent": kept.sent,
    }


def tell_kept(kept: Kept | GitchangeError | None, code: int, *, quiet: bool) -> int:
    """Say what came of recording; the exit code: 3 where it failed or could not be sent, else that of the answer."""
    if kept is None:
        return code
    if isinstance(kept, GitchangeError):
        complain(f"not recorded: {kept.message}", kept.hint)
        return 3
    if not quiet:
        said = kept.result.said
        say(f"recorded: {kept.result.digest[:12]} by {said.by}, on {said.main[:12]}")
    from_context.tell_report(kept.report)
    return code if kept.sent is not False else 3


def show_recorded(
    context: click.Context, kind: Kind, systems: Sequence[str], limit: int | None, *, as_json: bool
) -> int:
    """Show what was recorded."""
    from gitchange.workflow import recording  # noqa: PLC0415 - who only asks does without

    with progress() as bar:
        place = from_context.workspace(context, tell=bar)
        found = [one.shown for one in recording.recorded(place, kind, systems)]
    most = limit or (len(found) if as_json else render.LISTED)
    if as_json:
        shape = {"schema": render.SHAPE, "total": len(found), "results": found[:most]}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return 0
    if not found:
        say(f"nothing was recorded yet: `gitchange {kind} ... --record` signs a result and keeps it")
        return 0
    for line in render.table([_row(one) for one in found[:most]], _HEADER, width()):
        click.echo(line)
    for one in found[:most]:
        if not one["counts"]:
            click.echo(render.paragraph(f"{one['digest'][:12]} does not count: {one['why_not']}"))
    if len(found) > most:
        click.echo(render.left_off(most, len(found)))
    return 0


_HEADER = ("outcome", "systems", "where", "range", "commits", "by", "witnessed", "policy", "result")


def _row(one: Mapping[str, Any]) -> list[str]:
    since, counts = one["since"] or (one["base"] or "")[:12], one["commits"]["counts"]
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    return [
        one["outcome"] if one["counts"] else f"({one['outcome']})",
        ",".join(one["systems"]),
        (one["gate"] or {}).get("environment") or "",
        f"{since}..{one['head'][:12]}",
        told or "none",
        one["by"],
        (one["judged_at"] or "not yet")[:16],
        str(one["policy_version"]),
        one["digest"][:12],
    ]
