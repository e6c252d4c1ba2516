"""`join`."""

from __future__ import annotations

from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import at_terminal, clean, say, tell
from gitchange.errors import UsageError
from gitchange.git.repository import Repository
from gitchange.workflow import joining
from gitchange.workflow.doctor import examine
from gitchange.workflow.workspace import Workspace


@click.command("join")
@click.argument("url")
@click.argument("target", required=False, metavar="[DIR]")
@click.option("--introduction", metavar="ID", help="The introduction commit, as a colleague told you.")
@click.pass_context
def join_command(context: click.Context, /, url: str, target: str | None, introduction: str | None) -> int:
    """Clone a configuration repository and make the clone ready.

    Everything rests on the introduction, the commit with the first policy: compare its id with a colleague's,
    by another way than the server. Exit code 1 when something is left to mend.
    """
    name = target or url.rstrip("/").rpartition("/")[2].rpartition(":")[2].removesuffix(".git")
    if not name:
        raise UsageError(f"{url!r} names no folder to clone into", hint="`gitchange join URL DIR`")
    folder = Path(context.obj["directory"]) / name
    local = Path(context.obj["directory"], url)
    address = str(local.resolve()) if local.is_dir() else url
    given = introduction or context.obj["introduction"]
    now = from_context.now()
    found = joining.approach(address, folder, now, introduction=given)
    click.echo(f"{'cloned into' if found.cloned else 'found the clone'} {clean(str(found.directory))}")
    click.echo(f"introduction {found.introduction}")
    click.echo(clean(f"  by {found.author}, {found.time:%Y-%m-%d}: {found.subject}"))
    if given is None and not found.pinned:
        if not at_terminal():
            raise UsageError(
                f"{found.directory} was cloned and is not joined: nobody confirmed its introduction",
                hint=f"compare it with a colleague's, then `gitchange join {url} {name} "
                f"--introduction {found.introduction}`",
            )
        if not click.confirm("Is this the id that a colleague told you?", err=True):
            raise joining.refuse(found)
    done = joining.settle(found, now)
    say(f"joined: the introduction is pinned in {done.directory}", bold=True)
    if done.principal:
        click.echo(clean(f"you are {done.principal}: {', '.join(done.roles) or 'no role'}"))
    from_context.tell_report(done.report)
    diagnosis = examine(Workspace(Repository.open(done.directory), now), offline=True)
    tell(diagnosis.findings)
    if diagnosis.verdict == "ok":
        say("everything is ready", fg="green")
        return 0
    say("mend what is above; `gitchange doctor` looks again", fg="yellow")
    return 1
