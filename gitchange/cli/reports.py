"""`report`: for who has to show that a framework's requirements are met, and for who looks whether they are."""

from __future__ import annotations

import json
import re

import click

from gitchange.assessment.frameworks import FRAMEWORKS
from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.terminal import progress
from gitchange.workflow import reporting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitchange.assessment.frameworks import Clause
    from gitchange.assessment.overview import PolicyVersion
    from gitchange.workflow.reporting import Count, Report, Told

    _Lacking = tuple[Count, Sequence[Told]]
_RESTS = (
    "These counts rest on what this clone knows. `gitchange verify` says whether its evidence is borne out, "
    "`gitchange coverage` whether there are commits without a change."
)
_OWN_WORDS = "The requirements are told in gitchange's own words; the framework's text is what counts."


@click.command("report")
@click.argument("framework", type=click.Choice(list(FRAMEWORKS)))
@click.option(
    "--period",
    metavar="A..B",
    help="From this day to that, with both, as 2026-01-01..2026-03-31; the year up to today unless given.",
)
@click.option("--system", "systems", multiple=True, metavar="NAME", help="Only changes to this system.")
@click.option(
    "--all", "everything", is_flag=True, help="Every exception, however many, and all that is open."
)
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.option("--markdown", "as_markdown", is_flag=True, help="A report to hand on, whole, in Markdown.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def report_command(
    context: click.Context,
    /,
    framework: str,
    period: str | None,
    systems: tuple[str, ...],
    everything: bool,
    at: str | None,
    as_markdown: bool,
    as_json: bool,
) -> None:
    """Tell, requirement by requirement, what evidences it: fields, sign-offs, counts, exceptions.

    Counted are the changes that were under way in the period: requested before its end, and not closed before it began.
    They are judged by all that is known now; --as-of judges by what was known then. Exceptions are what the report is
    for, so they change no exit code.
    """
    if as_markdown and as_json:
        raise click.UsageError("--markdown or --json, one of them")
    with progress() as bar:
        found = reporting.report(from_context.workspace(context, at, bar), framework, period, systems)
    if as_json:
        shape = {"schema": render.SHAPE, **reporting.shape(found)}
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return
    for line in _markdown(found) if as_markdown else _lines(found, everything):
        click.echo(line)


# -- at a terminal -----------------------------------------------------------------------------


def _lines(found: Report, everything: bool) -> Iterator[str]:
    framework = found.framework
    yield render.style(render.clean(f"{framework.title}, {_period(found)}"), bold=True)
    yield render.paragraph(framework.edition)
    for line in _facts(found):
        yield render.paragraph(line)
    for clause in framework.clauses:
        yield ""
        yield render.style(f"{clause.number}: {clause.name}", underline=True)
        yield from _clause(clause, found)
    yield from _told(found, *_exceptions(found), everything)
    if everything:
        yield from _told(found, *_open(found), everything)
    if found.findings:
        yield ""
        yield render.style("About the repository as a whole", underline=True)
        yield from render.findings(finding.as_json() for finding in found.findings)
    yield ""
    yield render.style("Outside of gitchange", underline=True)
    yield render.paragraph(framework.beyond)
    yield ""
    yield render.paragraph(_RESTS, "")
    yield render.paragraph(_OWN_WORDS, "")


def _clause(clause: Clause, found: Report) -> Iterator[str]:
    older = f" (before: {', '.join(clause.older)})" if clause.older else ""
    yield render.paragraph(clause.asks + older)
    for name, words in _evidence(clause):
        yield render.style(f"    {name:<13}", dim=True) + render.paragraph(words, " " * 17).lstrip()
    for name in clause.attributes:
        count = found.counts[name]
        how_many = f"{count.evidenced} of {count.applies}" if count.applies else "none"
        yield f"    {how_many:>13}  {count.attribute.asks}{_rest(count)}"
    if clause.beyond:
        yield (
            render.style(f"    {'not in here':<13}", dim=True)
            + render.paragraph(clause.beyond, " " * 17).lstrip()
        )


def _rest(count: Count) -> str:
    """How many are exceptions, and how many are open."""
    told: list[str] = []
    if count.exceptions:
        told.append(render.style(_number(count.exceptions, "exception"), "red"))
    if count.open:
        told.append(f"{len(count.open)} open")
    return f": {', '.join(told)}" if told else ""


def _number(told: Sequence[Told], word: str) -> str:
    return f"{len(told)} {word}{'s' if len(told) != 1 else ''}"


def _told(
    found: Report, title: str, words: str, given: Sequence[_Lacking], everything: bool
) -> Iterator[str]:
    """One by one, below what they lack."""
    yield ""
    yield render.style(title if given else f"{title}: none", underline=True)
    for count, told in given:
        attribute = count.attribute
        yield f"  {words} {len(told)} of {count.applies}: a change {attribute.asks} [{attribute.name}]"
        shown = told if everything else told[: render.LISTED]
        for one in shown:
            yield render.style(f"    {_line(one.id)}  ", bold=True) + _line(one.why)
            named = found.named[one.id]
            yield render.style(f"      {_line(named.url or named.path)}", dim=True)
        if rest := render.left_off(len(shown), len(told)):
            yield f"    {rest}"


# -- what both say -----------------------------------------------------------------------------


def _period(found: Report) -> str:
    on = f", {', '.join(found.systems)}" if found.systems else ""
    return f"{found.first} to {found.last} ({found.zone}){on}"


def _facts(found: Report) -> Iterator[str]:
    """What was counted, under which policies, and from which commits."""
    types = ", ".join(f"{number} {kind}" for kind, number in sorted(found.types.items()))
    yield f"{found.changes} change(s) under way" + (f": {types}" if types else "")
    yield "in the period: " + ", ".join(f"{number} {word}" for word, number in found.happened.items())
    for version in found.policies:
        yield _policy(version)
    pinned = "pinned" if found.pinned else "not pinned"
    yield f"main {found.main}, notes {found.notes or 'none'}, introduction {found.introduction} ({pinned})"
    yield f"judged for {found.now.isoformat(timespec='seconds')}"


def _policy(version: PolicyVersion) -> str:
    since = f"{version.moment:%Y-%m-%d}"
    if version.policy is None:
        return f"a policy of {since} (commit {version.commit[:12]}) was not to be trusted; it decided nothing"
    by = f", approved by {', '.join(version.approved_by)}" if version.approved_by else ", the first"
    return f"policy version {version.policy.version} since {since}{by}"


def _exceptions(found: Report) -> tuple[str, str, list[_Lacking]]:
    return "Exceptions", "not so for", [(c, c.exceptions) for c in found.counts.values() if c.exceptions]


def _open(found: Report) -> tuple[str, str, list[_Lacking]]:
    return "Open", "not yet so for", [(c, c.open) for c in found.counts.values() if c.open]


def _line(words: str) -> str:
    """Anybody's words as one line: whoever can begin a line of their own could add to the report."""
    return render.clean(" ".join(words.split()))


def _evidence(clause: Clause) -> Iterator[tuple[str, str]]:
    """Where its evidence stands: names of fields, of sign-offs with their answers, of parts of the policy."""
    if clause.fields:
        yield "change file", ", ".join(clause.fields)
    if clause.signed:
        signed = (f"{one[0]} ({', '.join(one[1:])})" if one[1:] else one[0] for one in clause.signed)
        yield "sign-offs", ", ".join(signed)
    if clause.policy:
        yield "policy", ", ".join(clause.policy)


# -- Markdown ----------------------------------------------------------------------------------

_MEANS_SOMETHING = re.compile(
    r"[\\`*_\[\]<>|~&$@#!]"  # within a line
    r"|:(?=[/\w])|(?<=www)\."  # addresses and pictures by name, which forges find in plain text
    r"|^[-+=]|^\d+[.)]",  # at its beginning
    re.IGNORECASE,
)
_NAME = re.compile(r"([\w.-]+)")


def _text(words: str) -> str:
    """Anybody's words as one line of Markdown that says just them: what could mean something is escaped."""
    return _MEANS_SOMETHING.sub(lambda match: f"{match[0][:-1]}\\{match[0][-1]}", _line(words))


def _markdown(found: Report) -> Iterator[str]:
    framework = found.framework
    yield f"# {_text(found.title)}: {framework.title}, {_text(_period(found))}"
    yield ""
    yield framework.edition
    yield ""
    for line in _facts(found):
        yield f"- {_text(line)}"
    yield ""
    yield f"{_OWN_WORDS} {_RESTS}"
    for clause in framework.clauses:
        yield ""
        yield f"## {clause.number}: {clause.name}"
        yield ""
        yield clause.asks + (f" Older numbers: {', '.join(clause.older)}." if clause.older else "")
        yield ""
        for name, words in _evidence(clause):
            yield f"- {name}: " + _NAME.sub(r"`\1`", words)
        if clause.beyond:
            yield f"- not evidenced by gitchange: {clause.beyond}"
        if clause.attributes:
            yield ""
            yield "| a change … | of | evidenced | exceptions | open |"
            yield "|---|---|--:|--:|--:|"
        for name in clause.attributes:
            count = found.counts[name]
            numbers = f"{count.evidenced} of {count.applies} | {len(count.exceptions)} | {len(count.open)}"
            yield f"| {count.attribute.asks} | {count.attribute.of} | {numbers} |"
    yield from _listed(found, *_exceptions(found))
    yield from _listed(found, *_open(found))
    yield ""
    yield "## About the repository as a whole"
    yield ""
    for finding in found.findings:
        yield f"- {finding.severity}: {_text(finding.message)} ({_text(finding.code)})"
    if not found.findings:
        yield "Nothing was found."
    yield ""
    yield "## Outside of gitchange"
    yield ""
    yield framework.beyond


def _listed(found: Report, title: str, words: str, given: Sequence[_Lacking]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    if not given:
        yield ""
        yield "None."
    for count, told in given:
        yield ""
        yield f"### {words[0].upper()}{words[1:]} {len(told)} of {count.applies}: a change {count.attribute.asks}"
        yield ""
        for one in told:
            named = found.named[one.id]
            link = f"[{_text(one.id)}](<{named.url}>)" if named.url else _text(one.id)
            title_ = _text(named.title) if named.title is not None else "cannot be read"
            yield f"- {link} {title_} ({named.status}, {_text(named.path)}): {_text(one.why)}"
