"""`list`, `show`, `search` and `verify`, with all their options; the plain forms of the first three are `quick`'s."""

from __future__ import annotations

import json

import click

from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.terminal import progress, say, tell, width
from gitchange.index.rows import Wanted
from gitchange.lifecycle.status import STATUSES
from gitchange.workflow import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gitchange.index.rows import Listing


def _limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--all", "everything", is_flag=True, help="All of them, however many."),
        click.option(
            "--limit", type=click.IntRange(min=1), help=f"At most so many; {render.LISTED} in a table."
        ),
    ):
        command = option(command)
    return command


def _limit(limit: int | None, everything: bool, as_json: bool) -> int | None:
    return None if everything else limit or (None if as_json else render.LISTED)


@click.command("list")
@click.option("--status", multiple=True, type=click.Choice([*STATUSES, "unreadable"]))
@click.option("--type", "kind", multiple=True, type=click.Choice(["normal", "standard", "emergency"]))
@click.option("--system", multiple=True, help="Changes to this system.")
@click.option("--person", help="Changes that this person requested, wrote, signed or is waited for.")
@click.option("--waiting-on-me", is_flag=True, help="Changes whose next step you can take.")
@_limit_options
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def list_command(
    context: click.Context,
    /,
    status: tuple[str, ...],
    kind: tuple[str, ...],
    system: tuple[str, ...],
    person: str | None,
    waiting_on_me: bool,
    limit: int | None,
    everything: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """List changes, newest first."""
    wanted = Wanted(status, kind, system, person)
    most = _limit(limit, everything, as_json)
    with progress() as bar:
        place = from_context.workspace(context, at, bar)
        if waiting_on_me:
            wanted = Wanted(status, kind, system, person, place.me())
        found = reading.list_changes(place, wanted, most)
    _tell_listing(found, as_json, render.NONE_FIT if wanted.restricts else render.NO_CHANGES)


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@_limit_options
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def search_command(
    context: click.Context, /, words: tuple[str, ...], limit: int | None, everything: bool, as_json: bool
) -> None:
    """Find the changes that have all these WORDS, the best first.

    In titles, texts, names, comments, answers and records. A word finds what begins with it; "in quotes" as it is.
    """
    said, most = " ".join(words), _limit(limit, everything, as_json)
    with progress() as bar:
        found = reading.search(from_context.workspace(context, tell=bar), said, most)
    _tell_listing(found, as_json, render.NOTHING_FOUND)


def _tell_listing(found: Listing, as_json: bool, nothing: str) -> None:
    if as_json:
        shape = {"schema": render.SHAPE, "total": found.total, "changes": found.changes}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    for line in render.listing(found.changes, nothing, width()):
        click.echo(line)
    if rest := render.left_off(len(found.changes), found.total):
        click.echo(rest, err=True)


@click.command("show")
@click.argument("change")
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.option("--branch", metavar="NAME", help="The text as it stands on this branch.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def show_command(
    context: click.Context, /, change: str, at: str | None, branch: str | None, as_json: bool
) -> None:
    """Show one change, whole: request, steps, sign-offs, what comes next."""
    with progress() as bar:
        shape = reading.show(from_context.workspace(context, at, bar), change, branch)
    if as_json:
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
    else:
        for line in render.change(shape):
            click.echo(line)


@click.command("verify")
@click.argument("changes", nargs=-1)
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.option("--no-cache", is_flag=True, help="Verify everything again, whatever was verified here before.")
@click.pass_context
def verify_command(
    context: click.Context, /, changes: tuple[str, ...], at: str | None, as_json: bool, no_cache: bool
) -> int:
    """Check all evidence, or that of some CHANGES.

    What was verified in this clone before is remembered, and looked at again only where something about it changed.

    Exit code 0: borne out. 1: a breach was found. 3: it could not be decided.
    """
    with progress() as bar:
        done = reading.verify(from_context.workspace(context, at, bar), changes, remember=not no_cache)
    code = {"ok": 0, "breach": 1, "undecided": 3}[done.verdict]
    if as_json:
        click.echo(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
        return code
    for number, check in enumerate(done.checks, 1):
        mark = click.style("ok", fg="green") if check.passed else click.style("FAILED", fg="red", bold=True)
        click.echo(f"{number}. {check.name}: {check.question} {check.looked_at} looked at: {mark}")
        tell(check.findings)
    say(f"introduction {done.introduction} ({'pinned' if done.pinned else 'not pinned'})")
    say(f"main {done.main}")
    say(f"notes {done.notes or 'none in this clone'}")
    words = {"ok": "everything is borne out", "breach": "BREACH", "undecided": "could not be decided"}
    say(words[done.verdict], fg="green" if code == 0 else "red", bold=True)
    return code
