"""`hook pre-receive`: what git runs on the server before a push lands; and how to install it (`init --hook`)."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import clean
from gitchange.errors import GitchangeError, UsageError
from gitchange.git.repository import Repository
from gitchange.ledger.documents import Policies, find_ground
from gitchange.workflow.hook import Update, judge_push

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitchange.workflow.hook import Answer

_TOLD = 20
"""How many reasons are told: a pusher reads them through `remote:`, and mends them one after the other."""

_WIDTH = 400
"""Characters of a line that are told; what is longer is somebody's text."""


_INSTALLATION = """\
# On the server, as the user under whom git-receive-pack runs (often `git`). It must be able to run this Python:
#   {python}
cd {place}
cat > hooks/pre-receive <<'EOF'
#!/bin/sh
exec {python} -P -m gitchange hook pre-receive
EOF
chmod +x hooks/pre-receive
git config gitchange.introduction {introduction}
git config receive.fsckObjects true
git symbolic-ref HEAD {branch}

# gitolite: the same script as LOCAL_CODE/hooks/repo-specific/gitchange, and in gitolite.conf, below the repository:
#   option hook.pre-receive = gitchange
# GitLab, self-managed: the same script as custom_hooks/pre-receive.d/gitchange in the repository's folder.
# In both, the three lines `git ...` are for the repository itself. docs/servers.md tells more.
"""


@click.group("hook")
def hook_command() -> None:
    """Judge pushes on a server of your own."""


@hook_command.command("pre-receive")
@click.pass_context
def pre_receive_command(context: click.Context, /) -> int:
    """Take a push or refuse it, with its reasons; git runs this on the server (githooks(5)).

    `gitchange init --hook` prints how to install it. Exit code 0: the push may land; every other refuses it.
    """
    if context.obj["directory"] != ".":
        raise UsageError("git runs the hook in the repository itself", hint="leave -C out")
    if sys.stdin.isatty():
        raise UsageError(
            "git runs the hook on a server", hint="`gitchange init --hook` says how to install it"
        )
    try:
        answer = _answer(context.obj["introduction"])
    except Exception:
        # Told as any other error is; but what that means for the push must be clear.
        click.echo("gitchange: this push could not be judged, and is refused", err=True)
        raise
    _tell(answer)
    return 1 if answer.refusals else 0


def installation(directory: Path, introduction: str | None) -> str:
    """How to install the hook on the server of an existing configuration repository: shell commands, with comments."""
    repository = Repository.open(directory)
    ground = find_ground(repository, Policies(repository), introduction=introduction)
    return _INSTALLATION.format(
        python=shlex.quote(sys.executable),
        place=shlex.quote(str(repository.git_dir.absolute())) if repository.work_dir is None else "REPO.git",
        introduction=ground.introduction,
        branch=shlex.quote(ground.branch),
    )


def _answer(introduction: str | None) -> Answer:
    if os.environ.get("GIT_NAMESPACE"):
        raise GitchangeError("the hook cannot judge a push into a namespace", hint="unset GIT_NAMESPACE")
    place = Path(os.environ.get("GIT_DIR", ".")).absolute()
    repository = Repository.open(place, _objects())
    # git's `.` means its own working folder; ours may be run from another.
    os.environ["GIT_DIR"] = str(repository.git_dir)
    return judge_push(
        repository,
        [*_updates(sys.stdin.buffer)],
        from_context.now(),
        introduction=introduction,
    )


def _objects() -> list[Path]:
    """Where the objects of the push are before it is accepted (git-receive-pack(1), "Quarantine Environment")."""
    named = [os.environ.get("GIT_OBJECT_DIRECTORY", "")]
    named += os.environ.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "").split(os.pathsep)
    return [Path(name) for name in named if name and Path(name).is_dir()]


def _updates(lines: Iterable[bytes]) -> Iterable[Update]:
    """git's lines: OLD NEW REF, ids of zeros where there is nothing."""
    for line in lines:
        fields = line.rstrip(b"\n").decode("utf-8", "backslashreplace").split(" ", 2)
        if len(fields) != 3:
            raise UsageError("the hook reads `OLD NEW REF` lines, as git writes them")
        old, new = (None if set(oid) == {"0"} else oid for oid in fields[:2])
        yield Update(fields[2], old, new)


def _tell(answer: Answer) -> None:
    """The answer on standard error: short lines, which git shows to the pusher behind `remote:`."""
    if answer.refusals:
        count = len(answer.refusals)
        click.echo(f"gitchange: this push is refused, for {count} reason{'s' * (count > 1)}:", err=True)
    for refusal in answer.refusals[:_TOLD]:
        finding = refusal.finding
        place = f"{finding.where}: " if finding.where else ""
        click.echo(f"  {_line(refusal.ref)}: {_line(f'{place}{finding.message}')} [{finding.code}]", err=True)
        if finding.hint:
            click.echo(f"    mend: {_line(finding.hint)}", err=True)
    if len(answer.refusals) > _TOLD:
        click.echo(f"  and {len(answer.refusals) - _TOLD} more", err=True)
    for words in answer.advice:
        click.echo(f"gitchange: note: {_line(words)}", err=True)


def _line(text: str) -> str:
    """Text as one line that a terminal cannot take for anything else."""
    shown = clean(text.replace("\n", " "))
    return shown if len(shown) <= _WIDTH else f"{shown[:_WIDTH]}…"
