"""From the command line to a workspace: folder, moment, pinned introduction."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gitchange.cli import clock
from gitchange.cli.terminal import clean, say
from gitchange.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # what only reads need not load them
    import datetime as dt
    from collections.abc import Callable

    from gitchange.ledger.remote import Report
    from gitchange.workflow.proposing import Proposed
    from gitchange.workflow.workspace import Workspace


def now() -> dt.datetime:
    """The clock, read here and nowhere else; GITCHANGE_NOW stands in for it in demonstrations."""
    moment = clock.now(os.environ)
    if moment is None:
        raise UsageError(f"GITCHANGE_NOW is {os.environ['GITCHANGE_NOW']!r}, which is no time with an offset")
    return moment


def directory(context: click.Context) -> Path:
    """The folder given by -C."""
    folder = Path(context.obj["directory"])
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    return folder


def workspace(
    context: click.Context, at: str | None = None, tell: Callable[[str, int, int], None] | None = None
) -> Workspace:
    """The workspace that the options name; `tell` is told how far long work is."""
    from gitchange.workflow.workspace import Workspace  # noqa: PLC0415 - what the index answers does without

    introduction = context.obj["introduction"]
    return Workspace.open(directory(context), now(), introduction=introduction, at=at, tell=tell)


branch_option = click.option(
    "--branch",
    "proposal",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="Commit it on this branch and push it, for a merge request; without a name on one of its own.",
)
"""For commands that write to the branch of record, where that takes merge requests only."""


def tell_proposed(proposed: Proposed) -> int:
    """What waits on a branch, and where to ask for its merge; the exit code, as of `tell_report`."""
    say(f"committed {proposed.commit[:12]} on the branch {proposed.branch}")
    if proposed.problem:
        click.echo(click.style("note: ", fg="yellow") + clean(proposed.problem), err=True)
        click.echo(f"still only here: the branch {clean(proposed.branch)}; `git push` sends it", err=True)
    elif proposed.address:
        say(f"open the merge request: {proposed.address}")
    elif proposed.pushed:
        say("it is pushed; open a merge request for it")
    return 3 if proposed.refused else 0


def tell_report(report: Report | None) -> int:
    """What an exchange with the remote came to, on standard error; the exit code of the command that made it.

    3 when the remote answered and refused: what was written is here, and somebody must act before others see it. To
    be offline is no failure.
    """
    if report is None or report.remote is None:
        return 0
    for path in report.kept:
        click.echo(f"{clean(path)} is edited here and was left as it is", err=True)
    for problem in report.problems:
        click.echo(click.style("note: ", fg="yellow") + clean(problem), err=True)
    if report.waiting:
        waiting = ", ".join(report.waiting)
        mend = clean(report.mend) or "`gitchange sync` sends it"
        click.echo(f"still only here: {waiting}; {mend}", err=True)
    elif report.mend:
        click.echo(click.style("hint: ", fg="yellow") + clean(report.mend), err=True)
    return 3 if report.refused else 0
