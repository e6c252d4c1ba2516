"""`list`, `show` and `verify`."""

from __future__ import annotations

import json

import click

from gitchange.assessment.overview import Assessment
from gitchange.cli import context as from_context
from gitchange.cli.terminal import paragraph, say, table, tell, word
from gitchange.lifecycle.verdict import STATUSES
from gitchange.workflow import reading
from gitchange.workflow.reading import Filter


@click.command("list")
@click.option("--status", multiple=True, type=click.Choice([*STATUSES, "unreadable"]))
@click.option("--type", "kind", multiple=True, type=click.Choice(["normal", "standard", "emergency"]))
@click.option("--system", multiple=True, help="Changes to this system.")
@click.option("--person", help="Changes that this person requested, wrote, signed or is waited for.")
@click.option("--waiting-on-me", is_flag=True, help="Changes whose next step you can take.")
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
    at: str | None,
    as_json: bool,
) -> None:
    """List changes, newest first."""
    place = from_context.workspace(context, at)
    wanted = Filter(status, kind, system, person, place.me() if waiting_on_me else None)
    found = reading.list_changes(place, wanted)
    if as_json:
        shape = {"schema": reading.SHAPE, "changes": [reading.summary_json(a) for a in found]}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    if not found:
        say("no changes" if wanted == Filter() else "no changes fit")
        return
    table([_row(a) for a in found], ("id", "status", "type", "risk", "systems", "waiting on", "title"))


def _row(assessment: Assessment) -> list[str]:
    shape = reading.summary_json(assessment)
    flags = f" ({', '.join(shape['flags'])})" if shape["flags"] else ""
    waiting = shape["waiting_on"]
    return [
        assessment.id,
        assessment.status,
        shape["type"] or "",
        shape["risk"] or "",
        ",".join(shape["systems"]),
        waiting[0] + (f" +{len(waiting) - 1}" if len(waiting) > 1 else "") if waiting else "",
        (shape["title"] or "cannot be read: `gitchange check`") + flags,
    ]


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
    assessment = reading.show(from_context.workspace(context, at), change, branch)
    if as_json:
        click.echo(json.dumps(reading.show_json(assessment), indent=2, ensure_ascii=False))
    else:
        _render(assessment)


def _render(assessment: Assessment) -> None:
    change, verdict, evidence = assessment.change, assessment.verdict, assessment.evidence
    if change is None or verdict is None or evidence is None:
        say(f"{assessment.id} cannot be read", bold=True)
        tell(assessment.findings)
        return
    say(f"{change.id}  {change.title}", bold=True)
    flags = f"  ({', '.join(verdict.flags)})" if verdict.flags else ""
    click.echo(f"  {word(assessment.status)}{flags} · {change.type} · risk {word(change.risk)}", nl=False)
    say(f" · {', '.join(change.systems)} · by {change.requester}")
    for name in ("reason", "scope"):
        say(name.capitalize(), underline=True)
        say(paragraph(getattr(change, name)))
    say("Steps", underline=True)
    for number, step in enumerate(change.steps, 1):
        say(paragraph(f"{number}. {step.action}" + (f"\n   verify: {step.verify}" if step.verify else "")))
    say("Risks", underline=True)
    for risk in change.risks:
        say(
            paragraph(
                f"- {risk.level} ({risk.likelihood} × {risk.impact}, {risk.category}): {risk.description}"
            )
        )
        for mitigation in risk.mitigations:
            say(paragraph(f"  against it: {mitigation}"))
    for name, title in (("rollback", "Rollback"), ("test_plan", "Test plan")):
        say(title, underline=True)
        say(paragraph(getattr(change, name)))
    say("Progress", underline=True)
    for state in verdict.steps:
        click.echo(
            f"  {state.step:<15}{state.state}" + (f": {paragraph(state.note, '')}" if state.note else "")
        )
        for requirement in state.requirements:
            by = ", ".join(requirement.by) or "nobody yet"
            say(f"    {len(requirement.by)} of {requirement.needed} as {requirement.role}: {by}")
    if assessment.sign_offs:
        say("Sign-offs", underline=True)
    for sign_off in assessment.sign_offs:
        counts = "counts" if assessment.counts(sign_off) else "does not count"
        if sign_off.blob != evidence.blob:
            counts = "stale: for an earlier text"
        say(f"  {sign_off.verdict} by {sign_off.by} as {sign_off.role}, {sign_off.time} (claimed) — {counts}")
        say(paragraph(f"“{sign_off.meaning}”", "    "))
        for name, answer in sign_off.answers.items():
            say(paragraph(f"{name.replace('_', ' ')}: {_words(answer)}", "    "))
        if sign_off.comment:
            say(paragraph(sign_off.comment, "    "))
        say(f"    key {sign_off.key} ({sign_off.key_type}), sign-off {sign_off.digest[:12]}")
        witnessed = f"witnessed by {sign_off.witness[:12]}" if sign_off.witness else "not witnessed yet"
        say(f"    judged under policy version {sign_off.judged_by}, {witnessed}")
    if change.record is not None:
        say("Record", underline=True)
        say(paragraph(f"{change.record.outcome}: {change.record.summary}"))
        if change.record.lessons:
            say(paragraph(f"lessons: {change.record.lessons}"))
    if assessment.policy is not None:
        say(
            f"judged under policy version {assessment.policy.version} ({assessment.policy.tree[:12]})",
            dim=True,
        )
    if assessment.findings:
        say("Findings", underline=True)
        tell(assessment.findings)
    for upcoming in verdict.next:
        who = ", ".join(upcoming.who) or "nobody can"
        say(f"next: {upcoming.action} by {who}: {upcoming.command}", bold=True)


def _words(answer: object) -> str:
    """An answer for reading."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, dict):
        return " ".join(str(value) for value in answer.values())
    if isinstance(answer, list | tuple):
        return "; ".join(_words(one) for one in answer)
    return str(answer)


@click.command("verify")
@click.argument("changes", nargs=-1)
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def verify_command(context: click.Context, /, changes: tuple[str, ...], at: str | None, as_json: bool) -> int:
    """Check all evidence, or that of some CHANGES.

    Exit code 0: borne out. 1: a breach was found. 3: it could not be decided.
    """
    done = reading.verify(from_context.workspace(context, at), changes)
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
