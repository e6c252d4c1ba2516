"""`policy show`, `policy diff`, `policy approve`, `policy adopt`."""

from __future__ import annotations

import json

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import at_terminal, clean, paragraph, say, tell
from gitchange.errors import Refused, UsageError
from gitchange.lifecycle.policy_diff import HEADINGS, WEIGHTS, in_short
from gitchange.workflow import comparison, policies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitchange.lifecycle.policy_diff import Difference, Weight
    from gitchange.workflow.comparison import Comparison, Side


@click.group("policy")
def policy_command() -> None:
    """Show the policy; say what a new one would change; approve and adopt it."""


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


@policy_command.command("diff")
@click.argument("revisions", nargs=-1, metavar="[[OLD] NEW]")
@click.option("--no-changes", is_flag=True, help="Do not judge the open changes under the new policy.")
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="Against the policy and the changes of then.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def diff_command(
    context: click.Context, /, revisions: tuple[str, ...], no_changes: bool, at: str | None, as_json: bool
) -> int:
    """Say in words what a policy would change: who may do more or less, and what becomes of open changes.

    Holds the work tree's policy (or NEW) against the one in force (or OLD). Each is a commit, branch or tag, or a
    number (v2 or 2) for a policy version that was in force; of both, the version goes first.

    Exit code 0: also when there are differences. 1: the new policy cannot be read or adopted. 3: could not be decided.
    """
    if len(revisions) > 2:
        raise UsageError("`policy diff` compares two policies at most", hint="name OLD and NEW")
    done = comparison.compare_policies(
        from_context.workspace(context, at), revisions, with_changes=not no_changes
    )
    if as_json:
        click.echo(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
    else:
        _render(done)
    return {"ok": 0, "not-adoptable": 1, "undecided": 3}[done.outcome]


def _render(done: Comparison) -> None:
    say(f"policy {_side(done.before)} -> {_side(done.after)}", bold=True)
    tell(done.findings)
    _tell_differences(done.differences, WEIGHTS)
    if done.after.policy is None:
        return
    if not done.differences:
        written = (
            f" in what the policy says; written differently: {', '.join(done.files)}" if done.files else ""
        )
        say(f"no difference{written}")
    if done.changes is None:
        return
    if done.changes:
        say("Changes", underline=True)
    for effect in done.changes:
        title = f"  {effect.now.change.title}" if effect.now.change else ""
        say(f"  {effect.now.id}{title}")
        say(f"    {effect.sentence}")
        tell(effect.findings)
    if done.differences and not done.changes:
        say("no open change would be touched")


def _side(side: Side) -> str:
    version = f"version {side.policy.version}" if side.policy else "unreadable"
    commit = f", {side.commit[:12]}" if side.commit else ""
    return f"{version} ({side.name}{commit})"


def _tell_differences(found: Iterable[Difference], weights: Iterable[Weight], *, err: bool = False) -> None:
    """Differences under their headings."""
    told = tuple(found)
    for weight in weights:
        those = [difference for difference in told if difference.weight == weight]
        if those:
            click.echo(click.style(HEADINGS[weight], underline=True), err=err)
        for difference in those:
            colour = {"weaker": "red", "stronger": "green"}.get(difference.strength)
            mark = click.style(f" [{difference.strength}]", fg=colour) if difference.strength else ""
            click.echo(f"  - {clean(difference.sentence)}{mark}", err=err)


@policy_command.command("approve")
@click.argument("revision", default="HEAD")
@click.option("-m", "--comment", default="", help="What you want to add; signed with the rest.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask whether to sign.")
@click.option("--no-push", is_flag=True, help="Neither fetch nor push.")
@click.pass_context
def approve_command(context: click.Context, /, revision: str, comment: str, yes: bool, no_push: bool) -> int:
    """Sign the policy of a commit (HEAD), as a member of root.

    What it would change for people and keys is shown before.
    """
    place = from_context.workspace(context)
    approval = policies.prepare_approval(place, revision, fetch=not no_push)
    _show(approval.proposal)
    if at_terminal() and not yes:
        click.echo(paragraph(f"“{approval.meaning}”"), err=True)
        if not click.confirm("Sign?", err=True):
            raise Refused("not signed")
    proposed, report = policies.approve_policy(approval, comment, push=not no_push)
    by = ", ".join(proposed.approved_by)
    say(
        f"policy version {proposed.policy.version} is approved by {by} ({proposed.needed} of root are needed)"
    )
    return from_context.tell_report(report)


def _show(proposed: policies.Proposal) -> None:
    """What is about to be signed, on standard error: every power in words, the rest as numbers."""
    old, new = proposed.in_force.version, proposed.policy.version
    click.echo(click.style(f"policy version {new}, against version {old} in force:", bold=True), err=True)
    _tell_differences(proposed.differences, ("power",), err=True)
    rest = [difference for difference in proposed.differences if difference.weight != "power"]
    click.echo(
        f"beside that: {in_short(rest)}; `gitchange policy diff {proposed.commit[:12]}` tells all", err=True
    )


@policy_command.command("adopt")
@click.argument("revision", default="HEAD")
@from_context.branch_option
@click.option("--no-push", is_flag=True, help="Neither fetch nor push.")
@click.pass_context
def adopt_command(context: click.Context, /, revision: str, proposal: str | None, no_push: bool) -> int:
    """Put an approved policy in force, with its approvals beside it."""
    done = policies.adopt_policy(from_context.workspace(context), revision, push=not no_push, on=proposal)
    version = done.proposal.policy.version
    code = 0
    if done.proposed is None:
        say(f"policy version {version} is in force from commit {done.commit[:12]} on")
    else:
        say(f"policy version {version} will be in force when this is merged:")
        code = from_context.tell_proposed(done.proposed)
    say(f"it changes: {in_short(done.proposal.differences)}")
    return code or from_context.tell_report(done.report)
