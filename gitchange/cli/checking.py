"""`check` and `schema`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import say, tell
from gitchange.git.repository import Repository
from gitchange.workflow import checking

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--base", metavar="REV", help="Only files that differ from this revision.")
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def check_command(context: click.Context, /, paths: tuple[Path, ...], base: str | None, as_json: bool) -> int:
    """Check change files and policy, committed or not: every problem at once.

    Without PATHS everything. Exit code 1 when there is an error.
    """
    folder = from_context.directory(context)
    given = [path if path.is_absolute() else folder / path for path in paths]
    done = checking.check(Repository.open(folder), from_context.now(), given, base=base)
    if as_json:
        shape = {
            "schema": 1,
            "ok": done.ok,
            "files": done.files,
            "findings": [f.as_json() for f in done.findings],
        }
        click.echo(json.dumps(shape, indent=2, ensure_ascii=False))
        return 0 if done.ok else 1
    tell(done.findings)
    errors = sum(1 for f in done.findings if f.severity == "error")
    say(f"{done.files} change file(s) checked, {errors} error(s)", fg="green" if done.ok else "red")
    return 0 if done.ok else 1


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of change files, for editors that complete and check TOML."""
    click.echo(json.dumps(checking.schema(), indent=2, ensure_ascii=False))
