"""`policy show`, `policy approve`, `policy adopt`."""

from __future__ import annotations

import json

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import at_terminal, paragraph, say, tell
from gitchange.errors import Refused
from gitchange.model.statement import MEANINGS
from gitchange.workflow import policies


@click.group("policy")
def policy_command() -> None:
    """Show the policy; approve and adopt a new one."""


@policy_command.command("show")
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def show_command(context: click.Context, /, at: str | None, as_json: bool) -> int:
    """Who may do what, and how the policy came to be.

    Exit code 3 when no policy is in force.
    """
    state = policies.show_policy(from_context.workspace(context, at))
    policy = state.policy
    if as_json:
        shape = {
            "schema": 1,
            "policy": policy.file.model_dump(mode="json") if policy else None,
            "tree": policy.tree if policy else None,
            "history": [
                {
                    "commit": reign.commit,
                    "version": reign.policy.version if reign.policy else None,
                    "in_force": reign.policy is not None,
                    "approved_by": list(reign.approved_by),
                    "findings": [f.as_json() for f in reign.findings],
                }
                for reign in state.reigns
            ],
        }
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return 0 if policy else 3
    if policy is None:
        say("no policy is in force: nothing can be approved", fg="red", bold=True)
    else:
        say(f"policy version {policy.version} ({policy.tree[:12]})", bold=True)
        for name, role in policy.file.roles.items():
            threshold = f" (threshold {role.threshold})" if role.threshold > 1 else ""
            say(f"  {name}{threshold}: {', '.join(role.members) or 'nobody'}")
        for rule in policy.file.rules:
            demands = [
                f"{step} by {demand.approvals} × {demand.role}"
                for step in ("evaluation", "implementation", "validation")
                if (demand := getattr(rule, step)) is not None
            ]
            say(f"  rule {rule.name!r}: {'; '.join(demands)}")
    say("History", underline=True)
    for reign in state.reigns:
        version = f"version {reign.policy.version}" if reign.policy else "NOT IN FORCE"
        by = f", approved by {', '.join(reign.approved_by)}" if reign.approved_by else ""
        say(f"  {reign.commit[:12]}  {version}{by}")
        tell(reign.findings)
    return 0 if policy else 3


@policy_command.command("approve")
@click.argument("revision", default="HEAD")
@click.option("-m", "--comment", default="", help="What you want to add; signed with the rest.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask whether to sign.")
@click.option("--no-push", is_flag=True, help="Neither fetch nor push.")
@click.pass_context
def approve_command(context: click.Context, /, revision: str, comment: str, yes: bool, no_push: bool) -> None:
    """Sign the policy of a commit (HEAD), as a member of root."""
    place = from_context.workspace(context)
    if at_terminal() and not yes:
        proposed = policies.proposal(place, revision)
        changed = f"git diff {place.assessor.ground.main[:12]} {proposed.commit[:12]} -- policy"
        click.echo(f"policy version {proposed.policy.version}; what it changes: {changed}", err=True)
        click.echo(paragraph(f"“{MEANINGS['approve-policy']}”"), err=True)
        if not click.confirm("Sign?", err=True):
            raise Refused("not signed")
    proposed, report = policies.approve_policy(place, revision, comment, push=not no_push)
    by = ", ".join(proposed.approved_by)
    say(
        f"policy version {proposed.policy.version} is approved by {by} ({proposed.needed} of root are needed)"
    )
    from_context.tell_report(report)


@policy_command.command("adopt")
@click.argument("revision", default="HEAD")
@click.option("--no-push", is_flag=True, help="Neither fetch nor push.")
@click.pass_context
def adopt_command(context: click.Context, /, revision: str, no_push: bool) -> None:
    """Put an approved policy in force, with its approvals beside it."""
    proposed, commit, report = policies.adopt_policy(
        from_context.workspace(context), revision, push=not no_push
    )
    say(f"policy version {proposed.policy.version} is in force from commit {commit[:12]} on")
    from_context.tell_report(report)
