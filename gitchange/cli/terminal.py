"""What people read and are asked at a terminal.

Whatever comes from a document, a note or a commit passes through `clean`: it cannot move the cursor,
set a title or run an escape sequence (DESIGN.md section 4, rule 8).
"""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TypeVar

import click

from gitchange.errors import UsageError
from gitchange.model.finding import Finding

Word = TypeVar("Word", bound=str)

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")

COLOURS = {
    "requested": "blue",
    "info-requested": "yellow",
    "approved": "cyan",
    "rejected": "red",
    "implemented": "magenta",
    "failed": "red",
    "validated": "green",
    "documented": "green",
    "withdrawn": "bright_black",
    "unreadable": "red",
    "low": "green",
    "medium": "yellow",
    "high": "red",
    "critical": "red",
    "error": "red",
    "warning": "yellow",
    "note": "blue",
}


def clean(text: str) -> str:
    """The text with every control character shown instead of obeyed."""
    return _UNSAFE.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text)


def say(text: str = "", **style: object) -> None:
    """A line on standard output; colour only at a terminal."""
    cleaned = clean(text)
    click.echo(click.style(cleaned, **style) if style else cleaned)  # type: ignore[arg-type]


def word(text: str) -> str:
    """A status, a level or a severity in its colour."""
    return click.style(clean(text), fg=COLOURS.get(text), bold=text in ("critical", "error"))


def complain(message: str, hint: str = "") -> None:
    """An error on standard error, with its hint."""
    click.echo(click.style("gitchange: ", fg="red") + clean(message), err=True)
    if hint:
        click.echo(click.style("hint: ", fg="yellow") + clean(hint), err=True)


def tell(findings: Iterable[Finding], *, err: bool = False) -> None:
    """Findings, each with its place and its mend."""
    for finding in findings:
        place = f"{finding.where}: " if finding.where else (f"{finding.change}: " if finding.change else "")
        head = f"{clean(place)}{word(finding.severity)}: {clean(finding.message)}"
        click.echo(head + click.style(f" [{finding.code}]", dim=True), err=err)
        if finding.hint:
            click.echo(click.style("    mend: ", dim=True) + clean(finding.hint), err=err)


def paragraph(text: str, indent: str = "  ", width: int = 100) -> str:
    """Free text for reading: its own line breaks, long lines wrapped."""
    lines: list[str] = []
    for line in clean(text).splitlines():
        lines += textwrap.wrap(line, width, replace_whitespace=False, drop_whitespace=False) or [""]
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def table(rows: Sequence[Sequence[str]], header: Sequence[str]) -> None:
    """A table whose last column takes what is left of the terminal's width."""
    cleaned = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cleaned]) for i in range(len(header))]
    wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    click.echo(
        click.style("  ".join(h.ljust(w) for h, w in zip(header, widths, strict=True)).rstrip(), bold=True)
    )
    for row in cleaned:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        cells[-1] = row[-1]
        used = sum(widths[:-1]) + 2 * (len(widths) - 1)
        if wide and used + len(row[-1]) > wide:
            cells[-1] = row[-1][: max(wide - used - 1, 8)] + "…"
        painted = [click.style(cell, fg=COLOURS.get(cell.strip())) for cell in cells]
        click.echo("  ".join(painted).rstrip())


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
