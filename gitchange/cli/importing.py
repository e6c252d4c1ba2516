"""`import`: requests from merge requests and from the past of an application."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli import request_options
from gitchange.cli.terminal import clean, complain, say, tell
from gitchange.errors import UsageError
from gitchange.workflow import importing, requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gitchange.workflow.importing import Imported, Past


@click.group("import")
def import_command() -> None:
    """Requests from merge requests, and from past merges.

    Nothing is approved by an import: what comes of it are ordinary open requests, or drafts of them.
    """


@import_command.command("merge-request")
@click.argument("source")
@request_options.options
@click.option("--draft", metavar="FILE", help="Write what there is, with marks for what is missing.")
@click.option("--print", "prints", is_flag=True, help="The same, on standard output.")
@click.option("--commit", is_flag=True, help="Commit it on the current branch.")
@from_context.branch_option
@click.option("--no-push", is_flag=True, help="Leave the commit here.")
@click.pass_context
def merge_request_command(
    context: click.Context,
    /,
    source: str,
    draft: str | None,
    prints: bool,
    commit: bool,
    proposal: str | None,
    no_push: bool,
    **given: Any,
) -> int:
    """Write a change file from a merge request.

    SOURCE is a file, or - for standard input: a merge request event or the API's JSON of GitLab or GitHub, or the
    Markdown of a description. Options come before what it says.

    \b
    0  it is whole: the change file is written, as by `new`
    1  something is missing: it is named, and only a draft is written, where asked
    """
    if (draft or prints) and (commit or proposal is not None):
        raise UsageError(
            "a draft is not committed", hint="leave --draft and --print out, or --commit and --branch"
        )
    context.obj["written"] = False
    place = from_context.workspace(context)
    raw = request_options.read_source(source)
    found = importing.read_merge_request(place, raw, source, request_options.told(given))
    _tell_taken(found)
    tell(found.findings, err=True)
    if prints:
        click.echo(found.draft.decode(), nl=False)
    if draft is not None:
        fresh = importing.write_new(Path(draft), found.draft)
        click.echo(f"{'wrote' if fresh else 'the same is in'} {clean(draft)}", err=True)
    if not found.complete:
        named = sum(finding.severity == "error" for finding in found.findings)
        complain(
            f"{named} thing(s) are missing or wrong, so no request was made",
            "" if draft or prints else "give them as options, or take `--draft FILE` and write them there",
        )
        return 1
    if draft or prints:
        return 0
    try:
        text = requests.from_fields(place, found.fields)
        made = requests.new(place, text, commit=commit, push=not no_push, proposal=proposal)
    except requests.InvalidChange as error:
        tell(error.findings, err=True)
        complain(error.message, error.hint)
        return error.exit_code
    context.obj["written"] = commit
    return request_options.tell_created(made)


def _tell_taken(found: Imported) -> None:
    """Where each part comes from, and which headings gave nothing."""
    for taken in found.taken:
        where = f"`{taken.heading}`, line {taken.line}" if taken.heading else f"the text at line {taken.line}"
        click.echo(clean(f"{taken.part}: from {where}"), err=True)
    for part, where in found.others:
        click.echo(clean(f"{part}: {where}"), err=True)
    if found.left:
        left = ", ".join(f"`{heading.text}` (line {heading.line})" for heading in found.left)
        click.echo(clean(f"not taken: {left}"), err=True)


@import_command.command("history")
@click.option("--repo", "repository", required=True, metavar="DIR", help="A clone of the application.")
@click.argument("revisions", metavar="RANGE")
@click.option("--system", "systems", multiple=True, help="What was changed by all of them; may be repeated.")
@click.option("--environment", "environments", multiple=True, help="Where; may be repeated.")
@click.option("--requester", help="Who asks for all of them; without it the author, or you.")
@click.option("--output", metavar="DIR", help="Write a draft for each merge into this folder.")
@click.option("--commit", is_flag=True, help="Commit those that are complete on the current branch.")
@from_context.branch_option
@click.option("--no-push", is_flag=True, help="Leave the commits here.")
@click.pass_context
def history_command(
    context: click.Context,
    /,
    repository: str,
    revisions: str,
    systems: tuple[str, ...],
    environments: tuple[str, ...],
    requester: str | None,
    output: str | None,
    commit: bool,
    proposal: str | None,
    no_push: bool,
) -> int:
    """Propose a request for each past merge of an application.

    RANGE is A..B, or B for everything up to it. Without --output and --commit it only says what there is.

    An imported request is open, and marked as imported: that it was merged says nothing about who approved it.
    """
    committing = commit or proposal is not None
    if output is not None and committing:
        raise UsageError("--output writes drafts, --commit and --branch commit; do one after the other")
    if proposal:
        raise UsageError("each request has a branch of its own", hint="--branch without a name")
    context.obj["written"] = False
    place = from_context.workspace(context)
    fields = {"systems": list(systems), "environments": list(environments), "requester": requester}
    given = {name: value for name, value in fields.items() if value}
    request_options.must_be_text({"systems": systems, "environments": environments, "requester": requester})
    past = importing.read_history(place, Path(repository), revisions, given)
    for merge, imported in past.merges:
        lacks = _lacks(imported)
        title = imported.fields.get("title", "")
        say(
            f"{merge.commit.id[:12]}  {title}  "
            + (f"[missing: {', '.join(lacks)}]" if lacks else "[complete]")
        )
    code = 0
    if output is not None:
        done = importing.write_drafts(past, Path(output))
        for path in done.kept:
            say(f"{path} is there with other content, and was left as it is")
        again = f", {done.same} there already" if done.same else ""
        say(f"wrote {done.written} draft(s) into {output}{again}")
    elif committing:
        made = importing.commit_complete(place, past, push=not no_push, proposal=proposal)
        context.obj["written"] = bool(made)
        for one in made:
            code = max(code, request_options.tell_created(one))
        code = code or int(len(made) < len(past.merges))
    _tell_summary(past)
    return code


def _lacks(imported: Imported) -> list[str]:
    keys = (f.key or f.code for f in imported.findings if f.severity == "error")
    return list(dict.fromkeys(key.partition("[")[0] for key in keys))


def _tell_summary(past: Past) -> None:
    complete = sum(imported.complete for _, imported in past.merges)
    before = f" ({past.known} imported before)" if past.known else ""
    say(f"{len(past.merges) + past.known} merge(s){before}, {complete} complete", bold=True)
    lacking = Counter(key for _, imported in past.merges for key in _lacks(imported))
    for key, count in lacking.most_common():
        say(f"  {key} is missing or wrong in {count}")
