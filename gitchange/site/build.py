"""Builds the site of a repository and publishes it.

The site is built in a folder of its own beside the output and takes its place only when it is whole:
when anything fails, the old site stays as it is. Fetching and schedules are for others.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import glob
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import MkDocsException

from gitchange.errors import GitchangeError
from gitchange.git.failures import writing
from gitchange.git.locks import alone
from gitchange.git.repository import Repository
from gitchange.site import source, urls
from gitchange.site.plugin import GitchangePlugin
from gitchange.site.published import made_from, refuse_foreign
from gitchange.site.root import CONFIGURATION
from gitchange.site.site import Site
from gitchange.values import Value


class BuildReport(Value):
    """What was built."""

    output: Path
    pages: int
    """Generated pages; hand-written ones are not counted."""
    written: int
    """Files that were written, because they are new or differ from what was there."""
    removed: int
    """Files that the site does not have any more."""
    changes: int
    main: str
    """The commit that the site shows."""
    notes: str | None
    """The notes commit that the site shows."""
    errors: bool
    """Whether the site shows findings that are errors."""
    warnings: tuple[str, ...]
    """What MkDocs warned of, e.g. a broken link in a hand-written page."""


def build_site(
    repository: Path,
    output: Path,
    *,
    now: dt.datetime | None = None,
    site_url: str = "",
    introduction: str | None = None,
    at: str | None = None,
) -> BuildReport:
    """Build the site of the repository that holds this folder, bare or not, and publish it at `output`.

    A work tree's own `mkdocs.yml` is followed (it may name plugins and hooks, which run); otherwise
    ours, with the work tree's `docs/` where there is one. `now` is the moment to judge for; with
    `at`, a commit or date, the site shows what was known and true then.

    Raises GitchangeError when the site cannot be built, UsageError when `output` is something else
    than a site of ours; what stood there then stands there still.
    """
    site = source.load(repository, now, introduction=introduction, at=at)
    opened = Repository.open(repository)
    return build_and_publish(site, opened.work_dir, output, site_url=site_url, compiled=compiled(opened))


def compiled(repository: Repository) -> Path:
    """Where templates that were compiled for a repository's site are kept: beside its index."""
    return repository.common_dir / "gitchange" / "templates"


def build_and_publish(
    site: Site, work_dir: Path | None, output: Path, *, site_url: str = "", compiled: Path | None = None
) -> BuildReport:
    """Build and publish a site; `work_dir` may bring `mkdocs.yml` and `docs/`, `compiled` keeps compiled templates."""
    output = output.resolve()
    refuse_foreign(output)
    overview = site.overview
    with _workshop(output) as workshop:
        new = workshop / "new"
        _prepare(output, new)
        try:
            plugin, warnings = _build(site, work_dir, new, workshop, site_url, compiled)
            _carry_runs(output, new)
            made_from(output).unlink(missing_ok=True)
            _publish(new, output, _spare(output))
        except BaseException:
            if new.exists():  # as far as it came: the next build goes on from it
                new.rename(_spare(output))
            raise
    return BuildReport(
        output=output,
        pages=plugin.pages,
        written=plugin.written,
        removed=plugin.removed,
        changes=len(site.briefs),
        main=overview.main,
        notes=overview.notes,
        errors=site.errors,
        warnings=warnings,
    )


def _spare(output: Path) -> Path:
    """Where the site before the published one waits: the next build brings it up to date and publishes it."""
    return output.parent / f".{output.name}.spare"


def _prepare(output: Path, new: Path) -> None:
    """Put into `new` what the site will be made of: an earlier one of ours, or nothing.

    Two folders take turns, so that publishing is one step, and a build costs what changed since the last but one.
    """
    spare = _spare(output)
    if (spare / urls.PAGES).is_file():
        spare.rename(new)
    elif (output / urls.PAGES).is_file():
        shutil.copytree(output, new, copy_function=_linked, symlinks=True)
    if spare.exists():  # what a killed build left of it
        shutil.rmtree(spare)


def _carry_runs(output: Path, new: Path) -> None:
    """What is told of rebuilds stays in its place when the folders are exchanged."""
    for name in urls.RUNS:
        (new / name).unlink(missing_ok=True)
        if (output / name).is_file():
            _linked(str(output / name), str(new / name))


def _linked(source: str, target: str) -> None:
    """The same file under a second name; a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def _workshop(output: Path) -> Iterator[Path]:
    """A folder to build in, beside the output, so that publishing is a rename within one file system.

    Who is at work holds a lock on the own one, which the system takes back from a killed process: what such a one
    left is cleared away, and the old site put back if it was between its two renames.
    """
    prefix = f".{output.name}.gitchange-"
    with writing(output.parent):
        output.parent.mkdir(parents=True, exist_ok=True)
        with alone(output.parent, ()):
            for left in output.parent.glob(f"{glob.escape(prefix)}*"):
                _clear_away(left)
            if not output.exists() and (_spare(output) / urls.MANIFEST).is_file():
                _spare(output).rename(output)  # killed between two renames
            workshop = Path(tempfile.mkdtemp(prefix=prefix, dir=output.parent))
            mine = os.open(workshop, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks: nothing is cleared away there
                fcntl.flock(mine, fcntl.LOCK_EX)
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        os.close(mine)


def _clear_away(left: Path) -> None:
    """Remove the workshop of a build that was killed; that of one at work stays."""
    with suppress(OSError):
        descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
        finally:
            os.close(descriptor)


def _build(
    site: Site,
    work_dir: Path | None,
    output: Path,
    workshop: Path,
    site_url: str,
    compiled: Path | None,
) -> tuple[GitchangePlugin, tuple[str, ...]]:
    """Run MkDocs in this process and bring `output` up to date with it; gives the plugin and the warnings."""
    options: dict[str, str] = {"site_dir": str(workshop / "mkdocs")}
    if site_url:
        options["site_url"] = site_url
    empty = workshop / "docs"  # MkDocs refuses a docs_dir that is missing
    empty.mkdir()
    docs = work_dir / "docs" if work_dir and (work_dir / "docs").is_dir() else empty
    if work_dir is not None and (work_dir / "mkdocs.yml").is_file():
        configuration = work_dir / "mkdocs.yml"
    else:
        configuration = CONFIGURATION
        options |= {"docs_dir": str(docs), "site_name": site.overview.title}
    with _listening() as said:
        try:
            if configuration is not CONFIGURATION and docs is empty and _docs_dir(configuration) == "docs":
                options["docs_dir"] = str(empty)
            config = load_config(str(configuration), config_file_path=str(configuration), **options)
            plugin = config.plugins.get("gitchange")
            if not isinstance(plugin, GitchangePlugin):
                raise GitchangeError(
                    f"{configuration} does not use the plugin gitchange",
                    hint="add `theme: {name: gitchange}` and `plugins: [gitchange]`",
                )
            plugin.given, plugin.renewed = site, output
            plugin.compiled = compiled
            build(config)
        except MkDocsException as error:
            problems = [r.getMessage() for r in said if r.levelno >= logging.ERROR]
            problems = problems or [r.getMessage() for r in said] or [error.message]
            raise GitchangeError(
                f"MkDocs did not build the site: {'; '.join(problems)}",
                hint=f"see {configuration} and {docs}",
            ) from error
    return plugin, tuple(record.getMessage() for record in said)


def _docs_dir(configuration: Path) -> str:
    """What the file says about `docs_dir`, or MkDocs' default."""
    config = MkDocsConfig(config_file_path=str(configuration))
    with configuration.open("rb") as file:
        config.load_file(file)
    return str(config.docs_dir)


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _listening() -> Iterator[list[logging.LogRecord]]:
    """Collect what MkDocs logs from warnings upwards, and let nothing of it reach the terminal."""
    logger, listener = logging.getLogger("mkdocs"), _Listener()
    before = logger.propagate, logger.level
    logger.addHandler(listener)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield listener.records
    finally:
        logger.removeHandler(listener)
        logger.propagate, logger.level = before


def _publish(new: Path, output: Path, old: Path) -> None:
    """Put the new site where the old one is, in one step where the system can; the old one stays when that fails."""
    with writing(output.parent):
        if not output.exists():
            new.rename(output)
        elif _swap(new, output):
            new.rename(old)
        else:
            output.rename(old)
            try:
                new.rename(output)
            except OSError:
                old.rename(output)
                raise


def _swap(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, as rename(2) does with RENAME_EXCHANGE; False where that cannot be done."""
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - for Linux alone

    at_current_folder, exchange = -100, 2  # AT_FDCWD of fcntl.h, RENAME_EXCHANGE of linux/fs.h
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    return bool(
        rename(at_current_folder, os.fsencode(one), at_current_folder, os.fsencode(other), exchange) == 0
    )
