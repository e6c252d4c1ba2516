"""`init`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import ask, choose, say, tell
from gitchange.errors import UsageError
from gitchange.site.scaffold import site_files
from gitchange.workflow import setup

if TYPE_CHECKING:
    from gitchange.forges.templates import Forge
    from gitchange.workflow.laying_down import Written
    from gitchange.workflow.scheduling import Scheduler


@click.command("init")
@click.argument("target", required=False, metavar="[DIR]")
@click.option("--title", help="Title of the repository and its site.")
@click.option("--policy", "policy_dir", metavar="DIR", help="A prepared policy folder.")
@click.option(
    "--principal", metavar="NAME", help="Without --policy: your name in the policy, an e-mail address."
)
@click.option(
    "--key",
    "key_file",
    metavar="FILE",
    help="Without --policy: your public key, an SSH .pub or an armored OpenPGP .asc. "
    "Not needed when your git signs with OpenPGP.",
)
@click.option(
    "--system", default="system", show_default=True, help="Without --policy: id of the first system."
)
@click.option("--hook", is_flag=True, help="Only print how a server refuses bad pushes; changes nothing.")
@click.option(
    "--schedule",
    "scheduler",
    type=click.Choice(["systemd", "cron", "gitlab", "github"]),
    help="Only write what this scheduler needs to rebuild the site, in an existing repository.",
)
@click.option(
    "--forge",
    type=click.Choice(["gitlab", "github"]),
    help="Only write the template of merge requests into a clone; into an application's also its pipeline's gate.",
)
@click.option("--overwrite", is_flag=True, help="With --forge: also where there is another one.")
@click.option("--output", metavar="DIR", help="With --schedule systemd or cron: where the site goes.")
@click.option(
    "--site-url", default="", help="With --schedule systemd or cron: address at which it is served."
)
@click.pass_context
def init_command(
    context: click.Context,
    /,
    target: str | None,
    title: str | None,
    policy_dir: str | None,
    principal: str | None,
    key_file: str | None,
    system: str,
    hook: bool,
    scheduler: Scheduler | None,
    forge: Forge | None,
    overwrite: bool,
    output: str | None,
    site_url: str,
) -> None:
    """Make or adopt a configuration repository.

    Commits the policy (the introduction commit) and pins that commit in this clone's configuration.
    """
    folder = Path(context.obj["directory"]) / (target or ".")
    if forge is not None:
        if any((title, policy_dir, principal, key_file, scheduler, hook, output, site_url)):
            raise UsageError("--forge goes with DIR and --overwrite only")
        _forge(forge, folder, overwrite)
        return
    if overwrite:
        raise UsageError("--overwrite goes with --forge")
    if hook:
        from gitchange.cli.hook import installation  # noqa: PLC0415 - a rare question, spared at every other start

        if any((title, policy_dir, principal, key_file, scheduler)):
            raise UsageError("--hook goes with no other option: it only prints")
        click.echo(installation(folder, context.obj["introduction"]), nl=False)
        return
    if scheduler is not None:
        if any((title, policy_dir, principal, key_file)):
            raise UsageError(
                "--schedule is for an existing repository: it goes with --output and --site-url only"
            )
        _schedule(scheduler, folder, context.obj["introduction"], output, site_url)
        return
    if output is not None or site_url:
        raise UsageError("--output and --site-url go with --schedule")
    if policy_dir is not None and (principal or key_file):
        raise UsageError("--policy and --principal/--key exclude each other")
    if policy_dir is None and principal is None and key_file is None:
        kind = choose(
            "a prepared policy folder, or a first policy from your own key?", ("folder", "key"), "--policy"
        )
        if kind == "folder":
            policy_dir = ask("policy folder", "--policy")
    if policy_dir is not None:
        files = setup.read_policy_folder(Path(policy_dir).expanduser())
    else:
        principal = principal or ask("your name in the policy (an e-mail address)", "--principal")
        own = setup.own_openpgp_policy(principal, folder, system) if key_file is None else None
        if own is None:
            key_file = key_file or ask("your public key", "--key", default="~/.ssh/id_ed25519.pub")
            own = setup.first_policy(principal, Path(key_file).expanduser(), system)
        files = own
    title = title or ask("title of the repository and its site", "--title", default="Changes")
    done = setup.initialise(folder, title, files, site_files(title), from_context.now())
    verb = "made" if done.created else "adopted"
    say(f"{verb} the configuration repository {done.directory}", bold=True)
    people, systems = len(done.policy.people), len(done.policy.systems)
    say(f"policy version {done.policy.version}: {people} person(s), {systems} system(s)")
    say(f"introduction commit (pinned): {done.introduction}")
    for path in done.kept:
        say(f"{path} was there and differs; it was left as it is")
    tell(done.findings)
    say("next: `gitchange new`, and everybody who clones pins the introduction:")
    say(f"  git config gitchange.introduction {done.introduction}")


def _schedule(
    scheduler: Scheduler, folder: Path, introduction: str | None, output: str | None, site_url: str
) -> None:
    """Write what a scheduler needs, and say what to do with it."""
    import pwd  # noqa: PLC0415 - a rare question, spared at every other start

    from gitchange.workflow import scheduling  # noqa: PLC0415

    user = pwd.getpwuid(os.stat(folder).st_uid).pw_name  # git does not trust a repository of another account
    place = Path(output) if output is not None else None
    done = scheduling.schedule(
        scheduler, scheduling.Job(folder, place, sys.executable, user, introduction, site_url)
    )
    _tell_written(done)


def _forge(forge: Forge, folder: Path, overwrite: bool) -> None:
    """Write the template of merge requests and the gate into a clone."""
    from gitchange.workflow import templates  # noqa: PLC0415 - a rare question, spared at every other start

    _tell_written(templates.write_templates(forge, folder, overwrite=overwrite))


def _tell_written(done: Written) -> None:
    for path in done.made:
        say(f"wrote {path}")
    for path in done.same:
        say(f"{path} is there already, as it should be")
    for path, text in done.kept:
        say(f"{path} is there and was left as it is; it would be this, or have this added:", bold=True)
        say("\n".join(f"  {line}" for line in text.splitlines()))
    say("next:")
    for words in done.next:
        say(f"  {words}")
