"""`approve`, `reject`, `request-info`, `override-freeze`, `implement`, `validate`, `withdraw`.

Every answer is an option too; at a terminal what is missing is asked. The text, the meaning and the
role are shown before anything is signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from gitchange.assessment.shapes import show_json
from gitchange.cli import context as from_context
from gitchange.cli.terminal import ask, ask_yes, at_terminal, choose, paragraph, say, word
from gitchange.errors import Refused, UsageError
from gitchange.model.statement import Answers, CommitReference, TestResult
from gitchange.model.text import said
from gitchange.workflow import signoffs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.model.statement import ChangeStep, VerdictName

Command = Callable[..., Any]


def _common(command: Command) -> Command:
    for option in reversed(
        (
            click.argument("change"),
            click.option("-m", "--comment", help="What you want to add; signed with the rest."),
            click.option("--role", help="Sign in this role of yours."),
            click.option("--branch", metavar="NAME", help="The text as it stands on this branch."),
            click.option("-y", "--yes", is_flag=True, help="Do not ask whether to sign."),
            click.option(
                "--no-push", is_flag=True, help="Neither fetch nor push; `gitchange sync` sends it later."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print the change as `show --json` does."),
            click.pass_context,
        )
    ):
        command = option(command)
    return command


def _sign(
    context: click.Context,
    change: str,
    step: ChangeStep,
    verdict: VerdictName,
    answer: Callable[[signoffs.Draft], tuple[Answers, str]],
    common: dict[str, Any],
    freezes: tuple[str, ...] = (),
) -> int:
    """Prepare, show, ask, sign, tell."""
    place = from_context.workspace(context)
    draft = signoffs.prepare(
        place,
        change,
        step,
        verdict,
        role=common["role"],
        freezes=freezes,
        branch=common["branch"],
        fetch=not common["no_push"],
    )
    asks = at_terminal() and not common["yes"]
    if asks:
        _show(draft)
    answers, comment = answer(draft)
    if asks:
        click.echo(err=True)
        click.echo(f"You sign as {click.style(draft.role, bold=True)} ({draft.by}):", err=True)
        click.echo(paragraph(f"“{draft.meaning}”"), err=True)
        if not click.confirm("Sign?", err=True):
            raise Refused("not signed")
    done = signoffs.sign(draft, answers, comment, push=not common["no_push"])
    if common["as_json"]:
        click.echo(json.dumps(show_json(done.assessment), indent=2, ensure_ascii=False))
    else:
        say(f"signed: {verdict} {draft.text.change} by {draft.by} as {draft.role} ({done.sign_off.key})")
        click.echo(f"{draft.text.change} is now {word(done.assessment.status)}")
        for upcoming in done.assessment.verdict.next if done.assessment.verdict else ():
            who = ", ".join(upcoming.who) or "nobody can"
            say(f"next: {upcoming.action} by {who}: {upcoming.command}")
    return from_context.tell_report(done.report)


def _show(draft: signoffs.Draft) -> None:
    """The text that is about to be signed, on standard error."""
    change = draft.assessment.change
    if change is None:
        return

    def line(text: str) -> None:
        click.echo(text, err=True)

    line(click.style(paragraph(f"{change.id}  {change.title}", ""), bold=True))
    line(
        paragraph(
            f"{change.type}, risk {change.risk}, systems {', '.join(change.systems)}, by {change.requester}"
        )
    )
    for name in ("reason", "scope"):
        line(click.style(name.capitalize(), underline=True))
        line(paragraph(getattr(change, name)))
    line(click.style("Steps", underline=True))
    for number, step in enumerate(change.steps, 1):
        line(paragraph(f"{number}. {step.action}" + (f"\n   verify: {step.verify}" if step.verify else "")))
    line(click.style("Risks", underline=True))
    for risk in change.risks:
        line(paragraph(f"- {risk.level} ({risk.likelihood} × {risk.impact}): {risk.description}"))
        for mitigation in risk.mitigations:
            line(paragraph(f"  against it: {mitigation}"))
    for name, title in (("rollback", "Rollback"), ("test_plan", "Test plan")):
        line(click.style(title, underline=True))
        line(paragraph(getattr(change, name)))
    if draft.assessment.findings:
        for finding in draft.assessment.findings:
            line(f"{word(finding.severity)}: {paragraph(finding.message, '')}")
    line(paragraph(f"the text: {draft.text.path}, sha256 {draft.text.sha256}", ""))


def _comment(given: str | None, question: str) -> str:
    """A comment that the verdict needs."""
    return given if given else ask(question, "-m")


@click.command("approve")
@_common
def approve_command(context: click.Context, /, change: str, **common: Any) -> int:
    """Sign that a change is necessary, feasible and safe.

    `--yes -m TEXT` answers all three with yes.
    """

    def answer(_: signoffs.Draft) -> tuple[Answers, str]:
        for question in ("necessary", "feasible", "safe"):
            if not common["yes"] and not ask_yes(f"Is the change {question}?", "--yes"):
                raise Refused(
                    f"not approved: the change is not {question}",
                    hint=f"`gitchange reject {change} -m WHY` or `gitchange request-info {change} -m QUESTION`",
                )
        return said(Answers, necessary=True, feasible=True, safe=True), common["comment"] or ""

    return _sign(context, change, "evaluation", "approve", answer, common)


@click.command("reject")
@click.option("--not-necessary", is_flag=True, help="It is not necessary.")
@click.option("--not-feasible", is_flag=True, help="It is not feasible.")
@click.option("--not-safe", is_flag=True, help="It is not safe.")
@_common
def reject_command(
    context: click.Context,
    /,
    change: str,
    not_necessary: bool,
    not_feasible: bool,
    not_safe: bool,
    **common: Any,
) -> int:
    """Sign that a change is not to be made, and why."""

    def answer(_: signoffs.Draft) -> tuple[Answers, str]:
        given = {"necessary": not_necessary, "feasible": not_feasible, "safe": not_safe}
        if not any(given.values()) and at_terminal() and not common["yes"]:
            given_answers: dict[str, bool | None] = {
                name: ask_yes(f"Is the change {name}?", f"--not-{name}") for name in given
            }
        else:
            given_answers = {name: False if no else None for name, no in given.items()}
        return said(Answers, **given_answers), _comment(common["comment"], "why is it rejected?")

    return _sign(context, change, "evaluation", "reject", answer, common)


@click.command("request-info")
@_common
def request_info_command(context: click.Context, /, change: str, **common: Any) -> int:
    """Sign that you cannot decide before your questions are answered in the change file."""
    return _sign(
        context,
        change,
        "evaluation",
        "request-info",
        lambda _: (Answers(), _comment(common["comment"], "what do you need to know?")),
        common,
    )


@click.command("override-freeze")
@click.option("--freeze", "names", multiple=True, metavar="NAME", help="Only this one; may be repeated.")
@_common
def override_freeze_command(
    context: click.Context, /, change: str, names: tuple[str, ...], **common: Any
) -> int:
    """Sign that a change cannot wait for the end of the soft freeze in which it is planned.

    Lifts every freeze that your role may lift, for this text with this window. The reason (-m) is signed too.
    """

    def answer(draft: signoffs.Draft) -> tuple[Answers, str]:
        return (
            said(Answers, freezes=names or draft.freezes),
            _comment(common["comment"], "why can it not wait for the end of the freeze?"),
        )

    return _sign(context, change, "freeze", "override-freeze", answer, common, names)


@click.command("implement")
@click.option(
    "--commit", "commits", multiple=True, metavar="SYSTEM@REV", help="A commit of the implementation."
)
@click.option("--steps-followed", is_flag=True, help="The steps were followed as written.")
@click.option("--deviation", metavar="TEXT", help="What was done differently, and why.")
@click.option(
    "--test", "tests", multiple=True, metavar="'NAME=passed|failed|skipped'", help="A test and its result."
)
@click.option("--backed-out", is_flag=True, help="The change was tried and backed out; -m says why.")
@_common
def implement_command(
    context: click.Context,
    /,
    change: str,
    commits: tuple[str, ...],
    steps_followed: bool,
    deviation: str | None,
    tests: tuple[str, ...],
    backed_out: bool,
    **common: Any,
) -> int:
    """Sign what was implemented, whether the steps were followed, and what the tests showed."""
    if steps_followed and deviation:
        raise UsageError("--steps-followed and --deviation exclude each other")
    references = tuple(_reference(text) for text in commits) or None
    results = [_result(text) for text in tests]

    def answer(_: signoffs.Draft) -> tuple[Answers, str]:
        followed: bool | None = steps_followed or (False if deviation else None)
        deviations = deviation
        comment = common["comment"] or ""
        if backed_out:
            comment = _comment(common["comment"], "why was it backed out?")
        else:
            if followed is None:
                followed = ask_yes(
                    "Were the steps followed as they are written?", "--steps-followed or --deviation"
                )
                deviations = None if followed else ask("what was done differently, and why?", "--deviation")
            if not results:
                results.extend(_ask_tests())
        return (
            said(
                Answers,
                steps_followed=followed,
                deviations=deviations,
                commits=references,
                tests=tuple(results) or None,
            ),
            comment,
        )

    return _sign(context, change, "implementation", "back-out" if backed_out else "implement", answer, common)


def _ask_tests() -> Any:
    while True:
        name = ask("test: what was tested?", "--test NAME=passed")
        result = choose("its result", ("passed", "failed", "skipped"), "--test")
        yield said(TestResult, name=name, result=result)
        if not ask_yes("another test?", "--test"):
            return


def _reference(text: str) -> CommitReference:
    system, _, revision = text.partition("@")
    if not system or not revision:
        raise UsageError(f"--commit {text!r} is not SYSTEM@REV", hint="e.g. --commit api@4f2a9c1")
    return said(CommitReference, system=system, commit=revision)


def _result(text: str) -> TestResult:
    name, _, result = text.rpartition("=")
    if not name.strip() or result not in ("passed", "failed", "skipped"):
        raise UsageError(f"--test {text!r} is not NAME=passed, NAME=failed or NAME=skipped")
    return said(TestResult, name=name.strip(), result=result)


@click.command("validate")
@click.option("--works/--fails", default=None, help="Does it work as expected?")
@click.option("--no-security-risk", is_flag=True, help="You see no new security risk.")
@click.option("--security-risk", metavar="TEXT", help="The new security risk that you see.")
@click.option("--evidence", multiple=True, metavar="TEXT", help="What you looked at; may be repeated.")
@_common
def validate_command(
    context: click.Context,
    /,
    change: str,
    works: bool | None,
    no_security_risk: bool,
    security_risk: str | None,
    evidence: tuple[str, ...],
    **common: Any,
) -> int:
    """Sign whether the changed systems work as expected, free of new security risk."""
    if no_security_risk and security_risk:
        raise UsageError("--no-security-risk and --security-risk exclude each other")
    if works is None:
        works = ask_yes("Do the changed systems work as expected?", "--works or --fails")
    if not no_security_risk and security_risk is None:
        no_security_risk = not ask_yes(
            "Do you see a new security risk?", "--no-security-risk or --security-risk TEXT"
        )
        security_risk = None if no_security_risk else ask("which?", "--security-risk")
    good = works and no_security_risk
    seen = list(evidence)

    def answer(_: signoffs.Draft) -> tuple[Answers, str]:
        if good and not seen:
            seen.append(ask("what did you look at?", "--evidence"))
        comment = common["comment"] or ""
        if not good and not security_risk and not comment:
            comment = ask("what was found?", "-m")
        return (
            said(
                Answers,
                works=works,
                no_security_risk=no_security_risk,
                security_risk=security_risk,
                evidence=tuple(seen) or None,
            ),
            comment,
        )

    return _sign(context, change, "validation", "validate" if good else "fail", answer, common)


@click.command("withdraw")
@_common
def withdraw_command(context: click.Context, /, change: str, **common: Any) -> int:
    """Sign that a change is not wanted any more, before it is implemented."""
    return _sign(
        context,
        change,
        "withdrawal",
        "withdraw",
        lambda _: (Answers(), _comment(common["comment"], "why is it withdrawn?")),
        common,
    )
