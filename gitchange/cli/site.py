"""`site build`."""

from __future__ import annotations

from pathlib import Path

import click

from gitchange.cli import context as from_context
from gitchange.cli.terminal import say
from gitchange.site.build import build_site


@click.group("site")
def site_command() -> None:
    """Build the site that everybody may browse."""


@site_command.command("build")
@click.option("--output", required=True, metavar="DIR", help="Where the site goes; replaced as a whole.")
@click.option("--site-url", default="", help="Address at which it will be served.")
@click.option("--as-of", "at", metavar="COMMIT|DATE", help="As it was known then.")
@click.pass_context
def build_command(context: click.Context, /, output: str, site_url: str, at: str | None) -> None:
    """Build the site into a folder; it can be opened from there, or served by any web server."""
    done = build_site(
        from_context.directory(context),
        Path(output),
        site_url=site_url,
        introduction=context.obj["introduction"],
        at=at,
    )
    say(f"built {done.pages} page(s) in {output}; open {Path(output) / 'index.html'}")
