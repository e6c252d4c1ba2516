"""`doctor`."""

from __future__ import annotations

import json

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import clean, say, tell
from gitchange.errors import UsageError
from gitchange.model.policy import duration
from gitchange.workflow.doctor import examine

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt

    from gitchange.workflow.doctor import State

_COLOURS: dict[State, str] = {"ok": "green", "warning": "yellow", "problem": "red", "undecided": "red"}
_WORDS: dict[State, str] = {"left-out": "left out", "problem": "PROBLEM", "undecided": "UNDECIDED"}


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Do not ask the remote.")
@click.option("--sign", is_flag=True, help="Make a test signature too; your tool may ask for a passphrase.")
@click.option(
    "--within", default="30d", show_default=True, metavar="TIME", help="Tell what runs out in this time."
)
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def doctor_command(context: click.Context, /, offline: bool, sign: bool, within: str, as_json: bool) -> int:
    """Look at this clone and its policy: what is wrong, and how to mend it.

    Nothing is written. Exit code 0: nothing is wrong, though there may be warnings. 1: there is a problem.
    3: it could not be decided.
    """
    place = from_context.workspace(context)
    done = examine(place, offline=offline, sign=sign, within=_length(within))
    code = {"ok": 0, "problem": 1, "undecided": 3}[done.verdict]
    if as_json:
        click.echo(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
        return code
    for number, check in enumerate(done.checks, 1):
        mark = click.style(
            _WORDS.get(check.state, check.state), fg=_COLOURS.get(check.state), bold=check.state == "problem"
        )
        click.echo(clean(f"{number}. {check.name}: {check.question} {check.found}: ") + mark)
        tell(check.findings)
    counts = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for severity, word in (("error", "problem"), ("warning", "warning"))
        if (count := sum(1 for finding in done.findings if finding.severity == severity))
    ]
    say(", ".join(counts) or "nothing is wrong", fg="green" if code == 0 else "red", bold=True)
    return code


def _length(text: str) -> dt.timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise UsageError(f"--within {error}") from None
