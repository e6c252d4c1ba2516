"""`site rebuild`: what a schedule runs every few minutes.

It joins fetching, verifying and building so that whatever fails leaves the site that is there, and so that it is known
since when. What it costs where nothing is new is a fetch and a look at the files.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitchange.errors import GitchangeError
from gitchange.git.failures import writing
from gitchange.git.repository import Repository
from gitchange.site import published, runs, source, watching
from gitchange.site.runs import Run
from gitchange.values import Value
from gitchange.workflow.workspace import Workspace

_PAUSE = 0.1
"""Seconds between looks at whether another rebuild has ended."""


class Order(Value):
    """What is to be rebuilt, and how."""

    directory: Path
    """A folder of the repository, which may be bare."""
    output: Path
    site_url: str = ""
    introduction: str | None = None
    offline: bool = False
    """Whether nothing is fetched: something else does that."""
    wait: float = 0.0
    """Seconds to wait for another rebuild of the same output; then this one leaves."""
    report: Path | None = None
    """Where what happened is written as JSON, whatever it was."""


def rebuild(order: Order, now: Callable[[], dt.datetime]) -> Run:
    """Bring the site up to date, in these steps:

    1. refuse an output that is something else than a site;
    2. be the only one at this output, or leave: `busy`;
    3. fetch main and the notes by the rules of `sync`, without a push; what it refuses or cannot do ends the run;
    4. where everything is as it was when the site was made, it stays: `unchanged`;
    5. verify. A breach is published, because the site is where it is seen; `undecided` is no state of the evidence but
       of this machine, and ends the run;
    6. build beside the site and exchange the two;
    7. tell in the site's folder and in the report how it went, whatever that was.

    Raises UsageError in step 1 alone. A failure is in the report; a bug is told there, and raised.
    """
    output = order.output.resolve()
    # 1.
    published.refuse_foreign(output)
    run = Run(now())
    bug: BaseException | None = None
    with _only_one(output, order.wait) as alone:
        if alone:
            try:
                # 3. to 6.
                _stages(order, output, run)
            except GitchangeError as error:
                run.fail(error.message, error.hint)
            except OSError as error:
                run.fail(f"{error.filename}: {error.strerror}" if error.filename else str(error), "")
            except BaseException as error:
                bug = error
                run.fail(f"{type(error).__name__}: {error}", "somebody ended it, or it is a bug in gitchange")
            # 7.
            run.finished = now()
            _tell(output, run)
        else:
            # 2.
            run.outcome, run.finished = "busy", now()
            run.error = f"another rebuild of {order.output} is at work; this one left"
            run.hint = "it shows what is new by itself, or the next one does; --wait SECONDS waits for it"
    # 7.
    if order.report is not None:
        runs.write_report(order.report, run)
    if bug is not None:
        raise bug
    return run


def _tell(output: Path, run: Run) -> None:
    """Tell in the site's folder; where that fails and nothing else did, the run has failed."""
    try:
        runs.tell(output, run)
    except GitchangeError as error:
        if run.succeeded:
            run.fail(error.message, error.hint)


def _stages(order: Order, output: Path, run: Run) -> None:
    """Steps 3 to 6."""
    # 3.
    with _stage(run, "fetch"):
        repository = Repository.open(order.directory)
        if not order.offline:
            _fetch(order, repository, run)
    # 4.
    with _stage(run, "verify"):
        more = f"{order.site_url} {order.introduction} {source.given_moment()}"
        ours = [output, published.made_from(output), published.lock_of(output)]
        ours += [order.report.resolve()] if order.report is not None else []
        inputs = watching.inputs(repository, leaving_out=ours, more=more)
        if _is_current(output, inputs, run):
            run.stage = None
            return
        # 5.
        site = source.load(order.directory, introduction=order.introduction)
        verification = site.verification
        run.verdict = verification.verdict if verification is not None else "undecided"
        run.main, run.notes = site.overview.main, site.overview.notes
        if verification is None or run.verdict == "undecided":
            found = [f for f in verification.findings if f.severity == "error"] if verification else []
            raise GitchangeError(
                "; ".join(f.message for f in found) or "the evidence could not be checked",
                hint=next((f.hint for f in found if f.hint), "") or "`gitchange verify` tells more",
            )
    # 6.
    from gitchange.site import build  # noqa: PLC0415 - MkDocs takes longer to load than to see that nothing is new

    with _stage(run, "build"):
        done = build.build_and_publish(
            site,
            repository.work_dir,
            output,
            site_url=order.site_url,
            compiled=build.compiled(repository),
        )
        run.changes, run.pages = done.changes, done.pages
        run.written, run.removed, run.warnings = done.written, done.removed, done.warnings
        with writing(output.parent):
            published.made_from(output).write_text(inputs)
    run.outcome, run.stage = "published", None
    run.exit_code = 0 if run.verdict == "ok" else 1


def _fetch(order: Order, repository: Repository, run: Run) -> None:
    """What is new at the remote; GitchangeError when that cannot be had, or may not be taken."""
    workspace = Workspace(repository, run.started, order.introduction)
    report = workspace.exchange(with_branch=False, sending=False)
    run.received = report.received
    if report.problems:
        raise GitchangeError("; ".join(report.problems), hint=report.mend)


def _is_current(output: Path, inputs: str, run: Run) -> bool:
    """Whether the site was made from exactly this, and is there."""
    try:
        if published.made_from(output).read_text() != inputs:
            return False
    except (OSError, UnicodeDecodeError):
        return False
    shown = runs.told(output).get("last_success")
    if shown is None or not published.is_whole(output):
        return False
    run.main, run.notes, run.verdict = shown["main"], shown["notes"], shown["verdict"]
    run.changes, run.pages = shown["changes"], shown["pages"]
    run.outcome = "unchanged"
    run.exit_code = 0 if run.verdict == "ok" else 1
    return True


@contextmanager
def _stage(run: Run, name: str) -> Iterator[None]:
    """A part of the run, and how long it took."""
    begun = time.monotonic()
    run.stage = name
    try:
        yield
    finally:
        run.seconds[name] = time.monotonic() - begun


@contextmanager
def _only_one(output: Path, seconds: float) -> Iterator[bool]:
    """Whether nobody else rebuilds this output until the block ends; a killed one leaves nothing behind."""
    with writing(output.parent):
        output.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(published.lock_of(output), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(_PAUSE)
        yield True
    finally:
        os.close(descriptor)
