"""What people read: lists, one change, findings, as lines. Nothing is imported that takes long, nothing is printed.

Whatever comes from a document, a note or a commit passes through `clean`: it cannot move the cursor,
set a title or run an escape sequence (DESIGN.md section 4, rule 8).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")

_CODES = {
    "black": 30,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
    "bright_black": 90,
}

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

LISTED = 50
"""How many changes a table shows unless more are asked for: people look at the newest."""

NO_CHANGES, NONE_FIT, NOTHING_FOUND = "no changes", "no changes fit", "nothing has all these words"

IMPORTED = "nothing that was decided then counts as a sign-off: what counts is signed, below"
"""What is said of a request that was made from a merge of the past."""

SHAPE = 1
"""Version of the JSON shapes (docs/json.md)."""


def clean(text: str) -> str:
    """The text with every control character shown instead of obeyed."""
    return _UNSAFE.sub(lambda match: f"\\u{{{ord(match[0]):x}}}", text)


def style(
    text: str, fg: str | None = None, *, bold: bool = False, dim: bool = False, underline: bool = False
) -> str:
    """The text in colour; only `clean` text may be given."""
    codes = [str(_CODES[fg])] if fg else []
    codes += [code for code, wanted in (("1", bold), ("2", dim), ("4", underline)) if wanted]
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes else text


def without_style(text: str) -> str:
    """The text as a pipe gets it."""
    return _STYLE.sub("", text)


def word(text: str) -> str:
    """A status, a level or a severity in its colour."""
    return style(clean(text), COLOURS.get(text), bold=text in ("critical", "error"))


def paragraph(text: str, indent: str = "  ", width: int = 100) -> str:
    """Free text for reading: its own line breaks, long lines wrapped."""
    lines: list[str] = []
    for line in clean(text).splitlines():
        lines += _wrapped(line, width) if len(line) > width else [line]
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def _wrapped(line: str, width: int) -> list[str]:
    import textwrap  # noqa: PLC0415 - only for long lines

    return textwrap.wrap(line, width, replace_whitespace=False, drop_whitespace=False)


def table(rows: Iterable[Sequence[str]], header: Sequence[str], width: int = 0) -> Iterator[str]:
    """A table whose last column takes what is left of the terminal's width; 0 is no terminal.

    It is made by columns: ten thousand rows take no longer than reading them took.
    """
    columns = [_cleaned(column) for column in zip(*rows, strict=True)] or [()] * len(header)
    widths = [max(map(len, (name, *column))) for name, column in zip(header, columns, strict=True)]
    yield style("  ".join(h.ljust(w) for h, w in zip(header, widths, strict=True)).rstrip(), bold=True)
    room = width - sum(widths[:-1]) - 2 * (len(widths) - 1)
    if width and room < widths[-1]:
        columns[-1] = [c if len(c) <= room else c[: max(room - 1, 8)] + "…" for c in columns[-1]]
    widths[-1] = 0
    padded = [_padded(column, wide) for column, wide in zip(columns, widths, strict=True)]
    yield from map(str.rstrip, map("  ".join, zip(*padded, strict=True)))


def _cleaned(column: Sequence[str]) -> Sequence[str]:
    """The cells of a column, each `clean`: they are looked at together, as hardly any has such a character."""
    return [clean(cell) for cell in column] if _UNSAFE.search("\n".join(column)) else column


def _padded(column: Sequence[str], wide: int) -> list[str]:
    """The cells of a column, as wide as it is, words of a status or a level in their colours."""
    styled = {cell: style(cell.ljust(wide), COLOURS[cell]) for cell in COLOURS.keys() & set(column)}
    return [styled[cell] if cell in styled else cell.ljust(wide) for cell in column]


def findings(shapes: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Findings (docs/json.md), each with its place and its mend."""
    for shape in shapes:
        parts = [shape["path"]] if shape.get("path") else []
        if shape.get("line"):
            parts += [str(shape["line"]), str(shape.get("column") or 1)]
        place = ":".join(parts) or shape.get("change") or ""
        head = f"{clean(place)}: " if place else ""
        yield f"{head}{word(shape['severity'])}: {clean(shape['message'])}" + style(
            f" [{shape['code']}]", dim=True
        )
        if shape.get("hint"):
            yield style("    mend: ", dim=True) + clean(shape["hint"])


def listing(changes: Sequence[Mapping[str, Any]], nothing: str, width: int = 0) -> Iterator[str]:
    """Summaries as a table; `nothing` is what is said when there are none."""
    if not changes:
        yield nothing
        return
    header = ("id", "status", "type", "risk", "systems", "waiting on", "title")
    yield from table((_row(shape) for shape in changes), header, width)


def _row(shape: Mapping[str, Any]) -> list[str]:
    flags = f" ({', '.join(shape['flags'])})" if shape["flags"] else ""
    waiting = shape["waiting_on"]
    return [
        shape["id"],
        shape["status"],
        shape["type"] or "",
        shape["risk"] or "",
        ",".join(shape["systems"]),
        waiting[0] + (f" +{len(waiting) - 1}" if len(waiting) > 1 else "") if waiting else "",
        (shape["title"] or "cannot be read: `gitchange check`") + flags,
    ]


def left_off(shown: int, total: int) -> str:
    """That a table is not all there is; empty when it is."""
    return f"{shown} of {total}; --all shows them all" if total > shown else ""


def change(shape: Mapping[str, Any]) -> Iterator[str]:
    """One change, whole."""
    document = shape["document"]
    if document is None or not shape["steps"]:
        yield style(clean(f"{shape['id']} cannot be read"), bold=True)
        yield from findings(shape["findings"])
        return
    yield style(clean(f"{shape['id']}  {shape['title']}"), bold=True)
    flags = f"  ({', '.join(shape['flags'])})" if shape["flags"] else ""
    yield (
        f"  {word(shape['status'])}{clean(flags)} · {shape['type']} · risk {word(shape['risk'])}"
        + clean(f" · {', '.join(shape['systems'])} · by {shape['requester']}")
    )
    if imported := document.get("imported"):
        yield style("Imported", underline=True)
        facts = [imported[key] for key in ("merge_request", "author", "time") if imported.get(key)]
        yield paragraph(f"written after the fact, from commit {', '.join([imported['commit'], *facts])}")
        yield paragraph(IMPORTED)
    for name in ("reason", "scope"):
        yield style(name.capitalize(), underline=True)
        yield paragraph(document[name])
    yield style("Steps", underline=True)
    for number, step in enumerate(document["steps"], 1):
        verify = f"\n   verify: {step['verify']}" if step.get("verify") else ""
        yield paragraph(f"{number}. {step['action']}{verify}")
    yield style("Risks", underline=True)
    for risk, level in zip(document["risks"], shape["risk_levels"], strict=True):
        how = f"{level} ({risk['likelihood']} × {risk['impact']}, {risk['category']})"
        yield paragraph(f"- {how}: {risk['description']}")
        for mitigation in risk["mitigations"]:
            yield paragraph(f"  against it: {mitigation}")
    for name, title in (("rollback", "Rollback"), ("test_plan", "Test plan")):
        yield style(title, underline=True)
        yield paragraph(document[name])
    yield from _evidence(shape)
    if record := document.get("record"):
        yield style("Record", underline=True)
        yield paragraph(f"{record['outcome']}: {record['summary']}")
        if record.get("lessons"):
            yield paragraph(f"lessons: {record['lessons']}")
    if policy := shape["policy"]:
        yield style(f"judged under policy version {policy['version']} ({policy['tree'][:12]})", dim=True)
    if shape["findings"]:
        yield style("Findings", underline=True)
        yield from findings(shape["findings"])
    for upcoming in shape["next"]:
        who = ", ".join(upcoming["who"]) or "nobody can"
        yield style(clean(f"next: {upcoming['action']} by {who}: {upcoming['command']}"), bold=True)


def _evidence(shape: Mapping[str, Any]) -> Iterator[str]:
    yield style("Progress", underline=True)
    for state in shape["steps"]:
        note = f": {paragraph(state['note'], '')}" if state["note"] else ""
        yield f"  {state['step']:<15}{state['state']}{note}"
        for requirement in state["requirements"]:
            by = ", ".join(requirement["by"]) or "nobody yet"
            yield clean(
                f"    {len(requirement['by'])} of {requirement['needed']} as {requirement['role']}: {by}"
            )
    if shape["sign_offs"]:
        yield style("Sign-offs", underline=True)
    for told in shape["sign_offs"]:
        counts = "counts" if told["counts"] else "does not count"
        if not told["current"]:
            counts = "stale: for an earlier text"
        yield clean(
            f"  {told['verdict']} by {told['by']} as {told['role']}, {told['time']} (claimed) — {counts}"
        )
        yield paragraph(f"“{told['meaning']}”", "    ")
        for name, answer in told["answers"].items():
            yield paragraph(f"{name.replace('_', ' ')}: {_words(answer)}", "    ")
        if told["comment"]:
            yield paragraph(told["comment"], "    ")
        yield clean(f"    key {told['key']} ({told['key_type']}), sign-off {told['digest'][:12]}")
        witnessed = f"witnessed by {told['witness'][:12]}" if told["witness"] else "not witnessed yet"
        yield f"    judged under policy version {told['policy_version']}, {witnessed}"


def _words(answer: object) -> str:
    """An answer for reading."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, dict):
        return " ".join(str(value) for value in answer.values())
    if isinstance(answer, list | tuple):
        return "; ".join(_words(one) for one in answer)
    return str(answer)
