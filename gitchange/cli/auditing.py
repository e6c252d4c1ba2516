"""`sample` and `export`: for auditors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gitchange.assessment.sampling import BY
from gitchange.cli import context as from_context
from gitchange.cli import render
from gitchange.cli.terminal import progress, say, tell, width
from gitchange.workflow import exporting, sampling
from gitchange.workflow.sampling import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gitchange.assessment.sampling import By, Sample

SIZE = 25
"""So many changes are drawn unless asked otherwise: the most that auditors usually take."""
NOTES = 5
"""So many remarks of a kind are told; of what makes a population incomplete, all are."""


def sampling_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which population, and what is drawn from it."""
    for option in (
        click.option(
            "--as-of", "at", metavar="COMMIT|DATE", help="From what was on the branch of record then."
        ),
        click.option(
            "--by",
            type=click.Choice(BY),
            help="What places a change in the period; when it was implemented, unless given.",
        ),
        click.option(
            "--type",
            "types",
            multiple=True,
            type=click.Choice(["normal", "standard", "emergency"]),
            help="Only such changes; may be repeated.",
        ),
        click.option(
            "--system", "systems", multiple=True, help="Only changes to this system; may be repeated."
        ),
        click.option(
            "--seed",
            metavar="S",
            help="What the draw follows from: a line of text; one is thrown, if not given.",
        ),
        click.option(
            "--size",
            type=click.IntRange(min=1),
            metavar="N",
            help=f"How many are drawn; {SIZE} unless given.",
        ),
        click.option(
            "--period", metavar="A..B", help="From one day to another, with both: 2026-01-01..2026-03-31."
        ),
    ):
        command = option(command)
    return command


def _asked(
    period: str | None,
    size: int | None,
    seed: str | None,
    systems: tuple[str, ...],
    types: tuple[str, ...],
    by: By | None,
) -> Asked:
    if period is None:
        raise click.UsageError("a sample is drawn from a period: --period 2026-01-01..2026-03-31")
    if seed is None:
        import secrets  # noqa: PLC0415 - only where nobody gives a seed

        seed = secrets.token_hex(8)
    return Asked(period, by or "implemented", systems, types, seed, size or SIZE)


@click.command("sample")
@sampling_options
@click.option("--json", "as_json", is_flag=True, help="The documented JSON shape.")
@click.pass_context
def sample_command(
    context: click.Context,
    /,
    period: str | None,
    size: int | None,
    seed: str | None,
    systems: tuple[str, ...],
    types: tuple[str, ...],
    by: By | None,
    at: str | None,
    as_json: bool,
) -> int:
    """Draw changes at random from all of a period, so that anybody can draw them again.

    The order is that of the SHA-256 of the seed and the id: to draw more only adds. Beside the sample it says how
    large the population is, and what is known to be missing from it. `gitchange coverage` tells whether there are
    commits without a change.

    Exit code 1 when the population is not known to be complete.
    """
    asked = _asked(period, size, seed, systems, types, by)
    with progress() as bar:
        done = sampling.sample(from_context.workspace(context, at, bar), asked)
    if as_json:
        click.echo(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
    else:
        _tell(done)
    return 0 if done.complete else 1


def _tell(done: Sample) -> None:
    rows = [
        [
            str(place),
            one.id,
            f"{one.moments[done.by]:%Y-%m-%d}",
            one.type,
            one.status,
            ",".join(one.systems),
            one.title,
        ]
        for place, one in enumerate(done.drawn, 1)
    ]
    for line in render.table(rows, ("", "change", done.by, "type", "status", "systems", "title"), width()):
        click.echo(line)
    if rows:
        click.echo()
    tell_sample(done)


def tell_sample(done: Sample) -> None:
    """What was drawn from which population, and what is missing from it."""
    verified = done.verification
    say(f"{len(done.drawn)} of {len(done.population)} change(s), seed {done.seed}")
    limits = [
        f"{name} {', '.join(given)}"
        for name, given in (("system", done.systems), ("type", done.types))
        if given
    ]
    about = f" ({'; '.join(limits)})" if limits else ""
    say(f"population: {done.by} from {done.start} to {done.end}, {done.zone}{about}; digest {done.digest}")
    tell([gap for gap in done.gaps if gap.severity != "note"])
    remarks = [gap for gap in done.gaps if gap.severity == "note"]
    for code in dict.fromkeys(gap.code for gap in remarks):
        alike = [gap for gap in remarks if gap.code == code]
        tell(alike[:NOTES])
        if len(alike) > NOTES:
            say(f"{len(alike) - NOTES} more like it [{code}]; --json has them all")
    for check in verified.checks:
        if not check.passed:
            errors = sum(1 for f in check.findings if f.severity == "error")
            say(f"verify: {check.question} {errors} error(s)", fg="red")
    say(f"introduction {verified.introduction} ({'pinned' if verified.pinned else 'not pinned'})")
    say(f"main {verified.main}")
    say(f"notes {verified.notes or 'none in this clone'}")
    if done.complete:
        say("by all that this repository has, the population is complete", fg="green")
    else:
        say("the population is not known to be complete: `gitchange verify` tells more", fg="red", bold=True)


@click.command("export")
@click.argument("changes", nargs=-1)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    metavar="FILE.zip",
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Take the place of a file that is there.")
@click.option("--sample", "drawing", is_flag=True, help="Draw the changes as `gitchange sample` does.")
@sampling_options
@click.pass_context
def export_command(
    context: click.Context,
    /,
    changes: tuple[str, ...],
    output: Path,
    force: bool,
    drawing: bool,
    period: str | None,
    size: int | None,
    seed: str | None,
    systems: tuple[str, ...],
    types: tuple[str, ...],
    by: By | None,
    at: str | None,
) -> int:
    """Write the evidence of CHANGES, or of a sample, into a zip that needs neither gitchange nor a repository.

    For each change its file, sign-offs, history, verdict and a page for printing; with them the policies and keys by
    which they were judged, and the Git objects that tie all of it to the branch of record. `verify.sh` in it checks
    all of it with ssh-keygen and what every Unix has; VERIFY.md says what that proves.

    The same commits give the same bytes. Exit code 1 when not everything in the repository is borne out, or the
    population of the sample is not known to be complete; the file is written all the same.
    """
    if drawing and changes:
        raise click.UsageError("name changes, or draw them with --sample, not both")
    if not drawing and not changes:
        raise click.UsageError("name the changes, or draw them: --sample --period A..B")
    if not drawing and (period or size or seed or systems or types or by):
        raise click.UsageError("--period, --size, --seed, --system, --type and --by are for --sample")
    asked = _asked(period, size, seed, systems, types, by) if drawing else None
    with progress() as bar:
        done = exporting.export(
            from_context.workspace(context, at, bar), changes, output, asked=asked, overwrite=force
        )
    if done.sample is not None:
        tell_sample(done.sample)
    say(f"{output}: {len(done.changes)} change(s), {done.files:,} files, {done.size:,} bytes")
    say(f"SHA-256 {done.sha256}")
    say("unpack it and run `sh verify.sh`; VERIFY.md in it says what that proves")
    if done.verification.verdict != "ok":
        say(
            "not everything in the repository is borne out: `gitchange verify` tells more",
            fg="red",
            bold=True,
        )
    return 0 if done.verification.verdict == "ok" and (done.sample is None or done.sample.complete) else 1
