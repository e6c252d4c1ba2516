"""`site build`, `site rebuild` and `site serve`."""

from __future__ import annotations

from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import clean, complain, say

_output_option = click.option(
    "--output", required=True, metavar="DIR", help="Where the site goes; replaced as a whole."
)
_address_option = click.option("--site-url", default="", help="Address at which it will be served.")


@click.group("site")
def site_command() -> None:
    """Build the site that everybody may browse."""


@site_command.command("build")
@_output_option
@_address_option
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.pass_context
def build_command(context: click.Context, /, output: str, site_url: str, at: str | None) -> None:
    """Build the site into a folder; it can be opened from there, or served by any web server."""
    from gitchange.site.build import build_site  # noqa: PLC0415 - a rebuild with nothing new does without MkDocs

    done = build_site(
        from_context.directory(context),
        Path(output),
        site_url=site_url,
        introduction=context.obj["introduction"],
        at=at,
    )
    say(f"built {done.pages} page(s) in {output}; open {Path(output) / 'index.html'}")


@site_command.command("rebuild")
@_output_option
@_address_option
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Wait so long for another rebuild of the same output; otherwise this one leaves.",
)
@click.option("--offline", is_flag=True, help="Do not fetch.")
@click.option("--report", metavar="FILE", help="Write what happened there, as JSON.")
@click.pass_context
def rebuild_command(
    context: click.Context, /, output: str, site_url: str, wait: float, offline: bool, report: str | None
) -> int:
    """Fetch, verify, build beside the site and exchange the two: for a schedule (`init --schedule`).

    The old site stays when anything fails; rebuild.html and rebuild.json in it say since when. Exit code 0: the site
    shows what there is; 1: so it does, and that is a breach; 3: the old site stays, or another rebuild is at work.
    """
    from gitchange.workflow.rebuilding import Order, rebuild  # noqa: PLC0415 - other commands do without

    order = Order(
        Path(context.obj["directory"]),
        Path(output),
        site_url,
        context.obj["introduction"],
        offline,
        wait,
        Path(report) if report is not None else None,
    )
    run = rebuild(order, from_context.now)
    for warning in run.warnings:
        click.echo(click.style("note: ", fg="yellow") + clean(warning), err=True)
    took = f"{sum(run.seconds.values()):.1f} s"
    if run.outcome == "published":
        say(
            f"published {run.pages} page(s) in {output}: {run.written} written, {run.removed} removed ({took})"
        )
    elif run.outcome == "unchanged":
        say(f"nothing is new; {output} stays ({took})")
    else:
        stays = f"the site in {output} stays as it was: " if run.outcome == "failed" else ""
        complain(f"{stays}{run.error}", run.hint or "")
    if run.exit_code == 1:
        complain("verification found a breach, and the site shows it", "`gitchange verify` tells it whole")
    return run.exit_code


@site_command.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one."
)
@click.pass_context
def serve_command(context: click.Context, /, port: int) -> None:
    """Show the site at an address of this machine, and again at every commit, sign-off and edit of a page."""
    from gitchange.site.serving import serve  # noqa: PLC0415 - brings MkDocs and a web server

    serve(
        from_context.directory(context),
        port,
        introduction=context.obj["introduction"],
        tell=lambda text: click.echo(clean(text)),
        complain=complain,
    )
