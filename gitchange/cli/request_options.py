"""What a request says, given by options: for `new`, which asks for the rest, and for `import`, which reads it."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import say, tell
from gitchange.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gitchange.workflow.requests import Created

_SEPARATOR = "::"

_OPTIONS = (
    click.option("--title", help="One line that tells it from others."),
    click.option("--type", "kind", type=click.Choice(["normal", "standard", "emergency"]), default=None),
    click.option("--requester", help="Who asks for it; you, when not given."),
    click.option("--system", "systems", multiple=True, help="A system that is changed; may be repeated."),
    click.option("--environment", "environments", multiple=True, help="Where; may be repeated."),
    click.option("--model", help="The standard change model that is followed."),
    click.option(
        "--parameter",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Of the model; may be repeated.",
    ),
    click.option("--reason", help="Why it is needed."),
    click.option("--scope", help="What is changed, and what is not."),
    click.option(
        "--step", "steps", multiple=True, metavar="'ACTION [:: VERIFY]'", help="In order; may be repeated."
    ),
    click.option(
        "--risk",
        "risks",
        multiple=True,
        metavar="'DESCRIPTION :: CATEGORY :: LIKELIHOOD :: IMPACT :: MITIGATION [:: MITIGATION]'",
        help="May be repeated.",
    ),
    click.option("--rollback", help="How it is undone."),
    click.option("--test-plan", help="How one will know that it works."),
    click.option("--start", help="Begin of the planned window, e.g. 2026-11-22T20:00:00+01:00."),
    click.option("--end", help="End of the planned window."),
    click.option("--incident", help="Of an emergency: the incident."),
    click.option("--justification", help="Of an emergency: why it cannot wait."),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a request, for a click command; `told` makes fields of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def told(given: dict[str, Any]) -> dict[str, Any]:
    """The fields that were given, by key of the change file; an emergency may have half of its own."""
    must_be_text(given)
    fields: dict[str, Any] = {
        "type": given["kind"],
        "systems": list(given["systems"]),
        "environments": list(given["environments"]),
        "parameters": _parameters(given["parameters"]),
        "schedule": _schedule(given["start"], given["end"]),
        "steps": [_step(text) for text in given["steps"]],
        "risks": [_risk(text) for text in given["risks"]],
        "emergency": {name: given[name] for name in ("incident", "justification") if given[name]},
    }
    for name in ("title", "requester", "model", "reason", "scope", "rollback", "test_plan"):
        fields[name] = given[name]
    return {name: value for name, value in fields.items() if value}


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name.strip() or not equals:
            raise UsageError(
                f"--parameter {text!r} is not NAME=VALUE", hint="e.g. --parameter package=openssl"
            )
        parameters[name.strip()] = value.strip()
    return parameters


def _schedule(start: str | None, end: str | None) -> dict[str, Any] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise UsageError("--start and --end go together")
    try:
        return {"start": dt.datetime.fromisoformat(start), "end": dt.datetime.fromisoformat(end)}
    except ValueError as error:
        raise UsageError(f"no time: {error}", hint="write 2026-11-22T20:00:00+01:00") from None


def _step(text: str) -> dict[str, str]:
    action, _, verify = (part.strip() for part in text.partition(_SEPARATOR))
    return {"action": action, "verify": verify} if verify else {"action": action}


def _risk(text: str) -> dict[str, Any]:
    parts = [part.strip() for part in text.split(_SEPARATOR)]
    if len(parts) < 5:
        raise UsageError(
            f"--risk {text!r} has {len(parts)} part(s) of at least 5",
            hint="'DESCRIPTION :: CATEGORY :: LIKELIHOOD :: IMPACT :: MITIGATION'",
        )
    description, category, likelihood, impact, *mitigations = parts
    return {
        "description": description,
        "category": category,
        "likelihood": likelihood,
        "impact": impact,
        "mitigations": mitigations,
    }


def must_be_text(given: dict[str, Any]) -> None:
    """UsageError for an option that is not UTF-8: no file could hold it."""
    for name, value in given.items():
        for text in value if isinstance(value, tuple) else (value,):
            try:
                str(text).encode()
            except UnicodeEncodeError:
                option = {"kind": "type", "systems": "system", "environments": "environment"}.get(name, name)
                option = {"parameters": "parameter", "steps": "step", "risks": "risk"}.get(option, option)
                raise UsageError(
                    f"--{option.replace('_', '-')} is not UTF-8",
                    hint="set the terminal to UTF-8, or use --from FILE",
                ) from None


def read_source(source: str) -> bytes:
    """The content of a file; of standard input when it is called `-`."""
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from None


def tell_created(made: Created) -> int:
    """The new change, where it is, and what will stand in its way; the exit code, as of `tell_report`."""
    click.echo(made.change)
    tell(made.foreseen, err=True)
    code = 0
    if made.proposed is not None:
        code = from_context.tell_proposed(made.proposed)
    elif made.commit is None:
        say(f"wrote {made.path}; look at it, then: git add {made.path} && git commit")
    else:
        say(f"committed {made.path} as {made.commit[:12]}")
    return code or from_context.tell_report(made.report)
