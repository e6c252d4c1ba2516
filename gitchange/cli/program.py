"""The program: finds the command and loads only that one.

Start-up is part of the product: naming a command must not import the libraries of the others.
"""

from __future__ import annotations

import importlib
import os

import click

from gitchange import __version__

_COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("setup", "Make or adopt a configuration repository."),
    "doctor": ("doctor", "Look at this clone and its policy: what is wrong, and how to mend it."),
    "join": ("joining", "Clone a configuration repository, pin its introduction, see that all is ready."),
    "new": ("requests", "Write a change file."),
    "import": ("importing", "Requests from merge requests, and from past merges."),
    "check": ("checking", "Check change files and policy."),
    "schema": ("checking", "Print the JSON Schema of change files."),
    "approve": ("signoffs", "Evaluate: sign that a change is necessary, feasible and safe."),
    "reject": ("signoffs", "Evaluate: sign that a change is not to be made."),
    "request-info": ("signoffs", "Evaluate: sign that you cannot decide yet."),
    "implement": ("signoffs", "Sign what was implemented, and what the tests showed."),
    "validate": ("signoffs", "Sign whether the changed systems work as expected."),
    "override-freeze": ("signoffs", "Sign that a change cannot wait for the end of a freeze."),
    "withdraw": ("signoffs", "Sign that a change is not wanted any more."),
    "document": ("documentation", "Append the record and close a change."),
    "list": ("reading", "List changes."),
    "show": ("reading", "Show one change, whole."),
    "search": ("reading", "Find changes by the words in them."),
    "log": ("oncall", "What happened; around an incident: what most probably broke it."),
    "calendar": ("planning", "Planned windows, freezes, conflicts and free slots."),
    "stats": ("planning", "Throughput, lead times, failures, emergencies."),
    "report": ("reports", "What the evidence says to SOC 2, ISO 27001, PCI DSS or NIST 800-53."),
    "verify": ("reading", "Check all evidence."),
    "coverage": ("coverage", "Tell which commits of an application are covered by changes."),
    "gate": ("gate", "Say whether a commit may be deployed to a system."),
    "link": ("coverage", "Explain what ties a commit of an application to a change."),
    "sample": ("auditing", "Draw changes of a period at random, reproducibly."),
    "export": ("auditing", "Write the evidence of changes into a zip that verifies itself."),
    "sync": ("exchange", "Fetch, unite and push."),
    "seal": ("exchange", "Witness the sign-offs by a commit."),
    "policy": ("policy", "Show the policy; compare, approve and adopt a new one."),
    "site": ("site", "Build, rebuild or serve the site."),
    "hook": ("hook", "Judge pushes on a server of your own."),
}


class _Lazy(click.Group):
    """Commands by name, each in a module that is imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"gitchange.cli.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_") + "_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # noqa: PLC0415 - only after a mistake

            close = difflib.get_close_matches(args[0], _COMMANDS, n=1) if args else []
            if close:
                words = f"there is no command {args[0]!r}; did you mean {close[0]!r}?"
                raise click.UsageError(words, ctx) from None
            raise error from None


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-C", "directory", default=".", metavar="DIR", help="Work in this folder, as in git.")
@click.option("--introduction", metavar="ID", help="The introduction commit, instead of the pinned one.")
@click.version_option(__version__, prog_name="gitchange")
@click.pass_context
def program(context: click.Context, directory: str, introduction: str | None) -> None:
    """Change management that lives in Git.

    A change is one file; evaluation, implementation and validation are statements signed with each
    person's own key; the status is computed from what was signed.
    """
    if directory != ".":
        # Run by a hook of one repository about another: git's environment names the wrong one.
        for name in (
            "DIR",
            "WORK_TREE",
            "INDEX_FILE",
            "COMMON_DIR",
            "OBJECT_DIRECTORY",
            "PREFIX",
            "NAMESPACE",
        ):
            os.environ.pop(f"GIT_{name}", None)
    context.obj = {"directory": directory, "introduction": introduction}


_WRITING = frozenset(
    {
        "new",
        "import",
        "approve",
        "reject",
        "request-info",
        "implement",
        "validate",
        "override-freeze",
        "withdraw",
        "document",
        "sync",
        "seal",
    }
)


@program.result_callback()
@click.pass_context
def _keep_index(context: click.Context, /, result: object, **_: object) -> object:
    """Whoever wrote brings the index up to date, so that whoever reads next need not."""
    if context.invoked_subcommand in _WRITING and context.obj.get("written", True):
        from gitchange.cli import context as from_context  # noqa: PLC0415 - the command has loaded it
        from gitchange.workflow import reading  # noqa: PLC0415

        reading.keep_index(from_context.workspace(context))
    return result
