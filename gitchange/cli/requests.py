"""`new`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import ask, ask_yes, at_terminal, choose, complain, say, tell
from gitchange.errors import UsageError
from gitchange.model.change import IMPACTS, LIKELIHOODS
from gitchange.workflow import requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEPARATOR = "::"


@click.command("new")
@click.option("--from", "source", metavar="FILE", help="A change file without id; - reads standard input.")
@click.option("--title", help="One line that tells it from others.")
@click.option("--type", "kind", type=click.Choice(["normal", "standard", "emergency"]), default=None)
@click.option("--requester", help="Who asks for it; you, when not given.")
@click.option("--system", "systems", multiple=True, help="A system that is changed; may be repeated.")
@click.option("--environment", "environments", multiple=True, help="Where; may be repeated.")
@click.option("--model", help="The standard change model that is followed.")
@click.option(
    "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the model; may be repeated."
)
@click.option("--reason", help="Why it is needed.")
@click.option("--scope", help="What is changed, and what is not.")
@click.option(
    "--step", "steps", multiple=True, metavar="'ACTION [:: VERIFY]'", help="In order; may be repeated."
)
@click.option(
    "--risk",
    "risks",
    multiple=True,
    metavar="'DESCRIPTION :: CATEGORY :: LIKELIHOOD :: IMPACT :: MITIGATION [:: MITIGATION]'",
    help="May be repeated.",
)
@click.option("--rollback", help="How it is undone.")
@click.option("--test-plan", help="How one will know that it works.")
@click.option("--start", help="Begin of the planned window, e.g. 2026-11-22T20:00:00+01:00.")
@click.option("--end", help="End of the planned window.")
@click.option("--incident", help="Of an emergency: the incident.")
@click.option("--justification", help="Of an emergency: why it cannot wait.")
@click.option("--commit", is_flag=True, help="Commit it on the current branch.")
@from_context.branch_option
@click.option("--no-push", is_flag=True, help="Leave the commit here.")
@click.pass_context
def new_command(
    context: click.Context,
    /,
    source: str | None,
    commit: bool,
    proposal: str | None,
    no_push: bool,
    **given: Any,
) -> int:
    """Write a change file.

    Asks for what is missing at a terminal. The file is checked before it is written.
    """
    place = from_context.workspace(context)
    text: bytes | None = None
    raw = b""
    try:
        if source is not None:
            if used := [name for name, value in given.items() if value]:
                raise UsageError(
                    f"--from takes everything from the file; leave out --{used[0].replace('_', '-')}"
                )
            text = _read(source)
            raw = requests.from_text(place, text, source)
        else:
            raw = requests.from_fields(place, _fields(place, given))
        made = requests.new(place, raw, commit=commit, push=not no_push, proposal=proposal)
    except requests.InvalidChange as error:
        found = error.findings
        if source is not None and text is not None and raw:
            found = requests.as_given(found, source, raw.count(b"\n") - text.count(b"\n"))
        tell(found, err=True)
        complain(error.message, error.hint)
        return error.exit_code
    context.obj["written"] = commit  # a file alone changes nothing that the index knows
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


def _read(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {source}: {error.strerror}") from None


def _fields(place: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of the change file, asking for those that every change has."""
    policy = place.policy
    asks = at_terminal()
    fields: dict[str, Any] = {"title": given["title"] or ask("title", "--title")}
    fields["type"] = given["kind"] or (
        choose("type", ("normal", "standard", "emergency"), "--type", default="normal") if asks else "normal"
    )
    fields["requester"] = given["requester"] or place.me()
    fields["systems"] = list(given["systems"]) or [
        name.strip()
        for name in ask(f"systems, with commas between ({', '.join(policy.systems)})", "--system").split(",")
    ]
    fields["environments"] = list(given["environments"])
    if fields["type"] == "standard":
        fields["model"] = given["model"] or choose("model", sorted(policy.models), "--model")
    elif given["model"]:
        fields["model"] = given["model"]
    fields["parameters"] = _parameters(given["parameters"])
    if asks and fields.get("model") in policy.models:
        for name, parameter in policy.models[fields["model"]].parameters.items():
            if parameter.required and name not in fields["parameters"]:
                about = f" ({parameter.description})" if parameter.description else ""
                fields["parameters"][name] = ask(f"{name}{about}", "--parameter")
    fields["reason"] = given["reason"] or ask("reason: why is it needed?", "--reason")
    fields["scope"] = given["scope"] or ask("scope: what is changed, and what is not?", "--scope")
    fields["rollback"] = given["rollback"] or ask("rollback: how is it undone?", "--rollback")
    fields["test_plan"] = given["test_plan"] or ask(
        "test plan: how will one know that it works?", "--test-plan"
    )
    fields["schedule"] = _schedule(given["start"], given["end"])
    if fields["type"] == "emergency" or given["incident"] or given["justification"]:
        fields["emergency"] = {
            "incident": given["incident"] or ask("incident", "--incident"),
            "justification": given["justification"] or ask("why can it not wait?", "--justification"),
        }
    fields["steps"] = [_step(text) for text in given["steps"]] or list(_ask_steps())
    fields["risks"] = [_risk(text) for text in given["risks"]] or list(_ask_risks())
    return fields


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


def _ask_steps() -> Any:
    while True:
        action = ask("step: what is done?", "--step")
        verify = ask("how does one see that it worked? (empty: nothing)", "--step", default="")
        yield {"action": action, "verify": verify} if verify else {"action": action}
        if not ask_yes("another step?", "--step"):
            return


def _ask_risks() -> Any:
    while True:
        yield {
            "description": ask("risk: what may go wrong?", "--risk"),
            "category": ask("what kind of risk? (availability, security, privacy, ...)", "--risk"),
            "likelihood": choose("how likely is it?", LIKELIHOODS, "--risk"),
            "impact": choose("how bad would it be?", IMPACTS, "--risk"),
            "mitigations": [ask("what is done against it?", "--risk")],
        }
        if not ask_yes("another risk?", "--risk"):
            return
