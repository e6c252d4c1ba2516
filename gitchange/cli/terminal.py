"""What people read and are asked at a terminal; `render` makes the lines."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager

import click

from gitchange.cli import render
from gitchange.cli.render import clean, paragraph, word
from gitchange.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from gitchange.model.finding import Finding

    Word = TypeVar("Word", bound=str)

__all__ = [
    "ask",
    "ask_yes",
    "at_terminal",
    "choose",
    "clean",
    "complain",
    "paragraph",
    "say",
    "tell",
    "width",
    "word",
]


def say(text: str = "", **style: object) -> None:
    """A line on standard output; colour only at a terminal."""
    cleaned = clean(text)
    click.echo(click.style(cleaned, **style) if style else cleaned)  # type: ignore[arg-type]


def complain(message: str, hint: str = "") -> None:
    """An error on standard error, with its hint."""
    click.echo(click.style("gitchange: ", fg="red") + clean(message), err=True)
    if hint:
        click.echo(click.style("hint: ", fg="yellow") + clean(hint), err=True)


def tell(findings: Iterable[Finding], *, err: bool = False) -> None:
    """Findings, each with its place and its mend."""
    for line in render.findings(finding.as_json() for finding in findings):
        click.echo(line, err=err)


def width() -> int:
    """Columns of the terminal; 0 when standard output is none."""
    if not sys.stdout.isatty():
        return 0
    import shutil  # noqa: PLC0415 - only at a terminal

    return shutil.get_terminal_size().columns


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Tells how far long work is, on one line of standard error that is gone in the end; None where nobody looks.

    What is called says what is done, how many of how many. Nothing is shown of what takes less than half a second.
    """
    if not sys.stderr.isatty():
        yield None
        return
    begun = shown = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - begun > 0.5 and now - shown > 0.1:
            shown = now
            part = done / total if total else 1.0
            bar = "█" * int(part * 20)
            sys.stderr.write(f"\r{bar:░<20} {part:4.0%}  {what}: {done:,} of {total:,}\x1b[K")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown != begun:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str, option: str, *, default: str | None = None) -> str:
    """Ask for a text; UsageError naming the option when nobody is there to answer."""
    if not at_terminal():
        raise UsageError(f"{option} is missing", hint="there is no terminal to ask at: give it as an option")
    answer: str = click.prompt(question, default=default, err=True)
    return answer.strip()


def ask_yes(question: str, option: str) -> bool:
    """Ask a question of yes or no."""
    if not at_terminal():
        raise UsageError(f"{option} is missing", hint="there is no terminal to ask at: give it as an option")
    return click.confirm(question, err=True)


def choose(question: str, choices: Sequence[Word], option: str, *, default: Word | None = None) -> Word:
    """Ask for one of several words."""
    if not at_terminal():
        raise UsageError(f"{option} is missing", hint=f"one of {', '.join(choices)}")
    answer: Word = click.prompt(question, type=click.Choice(list(choices)), default=default, err=True)
    return answer
