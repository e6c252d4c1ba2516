"""`new`."""

from __future__ import annotations

import click

from gitchange.cli import context as from_context
from gitchange.cli import request_options
from gitchange.cli.terminal import ask, ask_yes, at_terminal, choose, complain, tell
from gitchange.errors import UsageError
from gitchange.model.change import IMPACTS, LIKELIHOODS
from gitchange.workflow import requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@click.command("new")
@click.option("--from", "source", metavar="FILE", help="A change file without id; - reads standard input.")
@request_options.options
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
            text = request_options.read_source(source)
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
    # A file alone changes nothing that the index knows.
    context.obj["written"] = made.commit is not None or made.proposed is not None
    return request_options.tell_created(made)


def _fields(place: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of the change file, asking for those that every change has."""
    policy = place.policy
    asks = at_terminal()
    fields = request_options.told(given)

    def need(name: str, question: str, option: str) -> None:
        if name not in fields:
            fields[name] = ask(question, option)

    need("title", "title", "--title")
    if "type" not in fields:
        kinds = ("normal", "standard", "emergency")
        fields["type"] = choose("type", kinds, "--type", default="normal") if asks else "normal"
    if "requester" not in fields:
        fields["requester"] = place.me()
    if "systems" not in fields:
        told = ask(f"systems, with commas between ({', '.join(policy.systems)})", "--system")
        fields["systems"] = [name.strip() for name in told.split(",")]
    if fields["type"] == "standard" and "model" not in fields:
        fields["model"] = choose("model", sorted(policy.models), "--model")
    if asks and fields.get("model") in policy.models:
        parameters = fields.setdefault("parameters", {})
        for name, parameter in policy.models[fields["model"]].parameters.items():
            if parameter.required and name not in parameters:
                about = f" ({parameter.description})" if parameter.description else ""
                parameters[name] = ask(f"{name}{about}", "--parameter")
    need("reason", "reason: why is it needed?", "--reason")
    need("scope", "scope: what is changed, and what is not?", "--scope")
    need("rollback", "rollback: how is it undone?", "--rollback")
    need("test_plan", "test plan: how will one know that it works?", "--test-plan")
    if fields["type"] == "emergency" or "emergency" in fields:
        emergency = fields.setdefault("emergency", {})
        if "incident" not in emergency:
            emergency["incident"] = ask("incident", "--incident")
        if "justification" not in emergency:
            emergency["justification"] = ask("why can it not wait?", "--justification")
    if "steps" not in fields:
        fields["steps"] = list(_ask_steps())
    if "risks" not in fields:
        fields["risks"] = list(_ask_risks())
    return fields


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
