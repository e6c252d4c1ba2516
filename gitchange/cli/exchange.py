"""`sync` and `seal`."""

from __future__ import annotations

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import say
from gitchange.workflow.witnessing import seal


@click.command("sync")
@click.option("--restore", is_flag=True, help="Put sign-offs back that the remote had and lost.")
@click.pass_context
def sync_command(context: click.Context, /, restore: bool) -> int:
    """Fetch, unite the notes, fast-forward the branch of record, and push what waits.

    Exit code 3 when something is still only here.
    """
    place = from_context.workspace(context)
    report = place.exchange(with_branch=True, restore=restore)
    if report.remote is None:
        say("this repository has no remote; everything is here")
        return 0
    if report.received:
        say(f"received {report.received} notes commit(s) from {report.remote}")
    for words in report.restored:
        say(f"restored: {words}")
    for ref in report.sent:
        say(f"sent {ref} to {report.remote}")
    if not report.received and not report.sent and report.complete and not report.problems:
        say(f"up to date with {report.remote}")
    from_context.tell_report(report)
    return 0 if report.complete and not report.problems else 3


@click.command("seal")
@from_context.branch_option
@click.option("--no-push", is_flag=True, help="Neither fetch nor push.")
@click.pass_context
def seal_command(context: click.Context, /, proposal: str | None, no_push: bool) -> int:
    """Witness the notes as they are, by a commit of its own on the branch of record.

    A scheduled job may do this: what main has witnessed cannot be lost unnoticed.
    """
    code = 0
    done = seal(from_context.workspace(context), push=not no_push, proposal=proposal)
    if done.commit is None:
        say("everything is witnessed already" if done.notes else "nothing was signed yet")
    elif done.proposed is not None:
        say(f"the notes {str(done.notes)[:12]} will be witnessed when this is merged:")
        code = from_context.tell_proposed(done.proposed)
    else:
        say(f"commit {done.commit[:12]} witnesses the notes {str(done.notes)[:12]}")
    return code or from_context.tell_report(done.report)
