"""`document`."""

from __future__ import annotations

import json

import click

from gitchange.assessment.shapes import show_json
from gitchange.cli import context as from_context
from gitchange.cli.terminal import ask, at_terminal, choose, say, word
from gitchange.model.record import OUTCOMES
from gitchange.workflow.documentation import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gitchange.model.record import Outcome


@click.command("document")
@click.argument("change")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="How it ended.")
@click.option("--summary", help="What happened, in a few sentences.")
@click.option("--lessons", help="What should be done differently next time.")
@from_context.branch_option
@click.option("--no-push", is_flag=True, help="Neither fetch nor push; `gitchange sync` sends it later.")
@click.option("--json", "as_json", is_flag=True, help="Print the change as `show --json` does.")
@click.pass_context
def document_command(
    context: click.Context, /, change: str, proposal: str | None, no_push: bool, as_json: bool, **given: Any
) -> int:
    """Append the record and close a change whose steps are complete.

    Commits on the branch of record, with a trailer that witnesses the notes. Exit code 3: the remote refused it; it is
    only here.
    """
    asks = at_terminal()
    outcome: Outcome = given["outcome"] or choose("outcome", OUTCOMES, "--outcome")
    summary = given["summary"] or ask("what happened?", "--summary")
    lessons = given["lessons"]
    if lessons is None and asks and not given["summary"]:
        lessons = ask("what should be done differently next time? (empty: nothing)", "--lessons", default="")
    done = document(
        from_context.workspace(context),
        change,
        outcome=outcome,
        summary=summary,
        lessons=lessons or None,
        push=not no_push,
        proposal=proposal,
    )
    code = 0
    if as_json:
        click.echo(json.dumps(show_json(done.assessment), indent=2, ensure_ascii=False))
    elif done.proposed is not None:
        say(f"{done.assessment.id} will be documented when this is merged:")
        code = from_context.tell_proposed(done.proposed)
    else:
        click.echo(f"{done.assessment.id} is now {word(done.assessment.status)}")
        say(f"commit {done.commit[:12]} witnesses the notes {done.witnessed[:12]}")
        for path in done.kept:
            say(f"{path} is edited in your work tree and was left as it is", fg="yellow")
    return code or from_context.tell_report(done.report)
