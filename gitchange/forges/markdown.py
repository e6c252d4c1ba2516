"""A Markdown text by its headings: sections, the items of lists, the rows of tables, each with its lines.

Pure. What is cut out stays as it was written; only comments (`<!-- -->`), which no reader sees, are taken away. What
a section means is left to `gitchange.forges.parts`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gitchange.values import Value

LONGEST = 200_000
"""Characters of the longest text that is read; a change file takes no longer ones."""

BOLD = 7
"""The level of a line in bold that stands alone: below all headings."""

_SHORT = 1000
"""Characters of the longest text that may be a heading or a word of a table: looking for marks takes quadratic time."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BOLD = re.compile(r"(\*\*|__)([^*_\n]{1,200})\1[ \t]*:?|(\*\*|__)([^*_\n]{1,200}):\3")
_MARKER = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]+|$)")
_TASK = re.compile(r"\[[ xX]\](?:[ \t]+|$)")
_BREAK = re.compile(r"<br[ \t]*/?>", re.IGNORECASE)


class Heading(Value):
    """A heading, and the lines below it."""

    level: int
    """1 to 6, or `BOLD`."""
    text: str
    """What it says, without marks of emphasis."""
    line: int
    """1-based line."""
    first: int
    """Index of the first line below it."""
    end: int
    """Index behind the last line that belongs to it or to the headings below it."""


class Item(Value):
    """One entry of a list, without its marker."""

    text: str
    line: int
    task: bool
    """Whether it has a box to tick."""


class Lists(Value):
    """A list and its entries."""

    ordered: bool
    items: tuple[Item, ...]
    first: int
    end: int


class Row(Value):
    """The cells of a table's row, one for each column of the head."""

    cells: tuple[str, ...]
    line: int


class Table(Value):
    """A table: its head, and the rows that are not blank."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]
    first: int
    end: int


class Outline(Value):
    """A text, line by line, and its headings."""

    lines: tuple[str, ...]
    """Without comments; as many as the text has."""
    headings: tuple[Heading, ...]
    """In the order of the text."""

    def text(self, spans: Sequence[tuple[int, int]]) -> str:
        """The lines of these ranges, without blank lines at both ends."""
        return "\n".join(line for start, end in spans for line in self.lines[start:end]).strip("\n").rstrip()


def outline(text: str) -> Outline:
    """Cut a text into sections; only headings that stand for themselves count, not those in quotes or lists."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = _without_comments(text)
    tokens = _blocks("\n".join(lines))
    found: list[tuple[int, str, int, int]] = []
    for index, token in enumerate(tokens):
        if token.level != 0 or token.map is None:
            continue
        start, end = token.map
        if token.type == "heading_open":
            found.append((int(token.tag[1]), plain(tokens[index + 1].content), start, end))
        elif token.type == "paragraph_open":
            bold = _BOLD.fullmatch(tokens[index + 1].content.strip())
            if bold is not None:
                found.append((BOLD, plain(bold[2] or bold[4]), start, end))
    headings: list[Heading] = []
    next_at = [len(lines)] * (BOLD + 1)
    """By level: where the next heading of that level or of a higher one begins."""
    for level, said, start, first in reversed(found):
        headings.append(Heading(level, said, start + 1, first, next_at[level]))
        next_at[level:] = [start] * (BOLD + 1 - level)
    return Outline(tuple(lines), tuple(reversed(headings)))


def lists_of(text: str, line: int) -> tuple[Lists, ...]:
    """The lists of a text whose first line is number `line`, without those in other lists or in quotes."""
    lines = text.split("\n")
    found: list[Lists] = []
    items: list[Item] = []
    at = (0, 0)
    for token in _blocks(text):
        if token.level == 1 and token.type == "list_item_open":
            said, task = _unmarked(lines[token.map[0] : token.map[1]])
            if said:
                items.append(Item(said, line + token.map[0], task))
        elif token.level == 0 and token.type in ("bullet_list_open", "ordered_list_open"):
            items, at = [], _span(lines, token.map)
        elif token.level == 0 and token.type in ("bullet_list_close", "ordered_list_close"):
            found.append(Lists(token.type == "ordered_list_close", tuple(items), *at))
    return tuple(found)


def tables_of(text: str, line: int) -> tuple[Table, ...]:
    """The tables of a text whose first line is number `line`."""
    lines = text.split("\n")
    found: list[Table] = []
    head: tuple[str, ...] = ()
    rows: list[Row] = []
    cells: list[str] = []
    at = (0, 0)
    for token in _blocks(text):
        match token.type:
            case "table_open" if token.level == 0:
                head, rows, at = (), [], _span(lines, token.map)
            case "tr_open":
                cells = []
                row_line = line + token.map[0] if token.map else line
            case "inline" if token.level > 0:
                cells.append(token.content.strip())
            case "tr_close" if not head:
                head = tuple(plain(cell) for cell in cells)
            case "tr_close" if any(cells):
                rows.append(Row(tuple(cells), row_line))
            case "table_close" if token.level == 0:
                found.append(Table(head, tuple(rows), *at))
    return tuple(found)


def entries_of(cell: str) -> list[str]:
    """What stands in one cell, cut at its line breaks (`<br>`)."""
    return [part for part in (_MARKER.sub("", part, count=1).strip() for part in _BREAK.split(cell)) if part]


def plain(text: str) -> str:
    """A short text without marks of emphasis and code; a long one with them."""
    if len(text) > _SHORT:
        return " ".join(text.split())
    return " ".join(re.sub(r"[*_`~]+(?=\W|$)|(?<!\w)[*_`~]+", "", text).split())


def _span(lines: Sequence[str], found: Any) -> tuple[int, int]:
    """The lines of a block without blank ones at its end."""
    start, end = found
    while end > start and not lines[end - 1].strip():
        end -= 1
    return start, end


def _unmarked(lines: Sequence[str]) -> tuple[str, bool]:
    """An entry without its marker and the indentation that comes from it; whether it had a box."""
    marker = _MARKER.match(lines[0])
    width = marker.end() if marker else 0
    first = lines[0][width:]
    task = _TASK.match(first)
    rest = [line[min(width, len(line) - len(line.lstrip(" \t"))) :] for line in lines[1:]]
    return "\n".join([first[task.end() :] if task else first, *rest]).strip(), task is not None


def _without_comments(text: str) -> list[str]:
    """The lines of a text with its comments blanked; what stands in code is no comment."""
    lines = text.split("\n")
    if "<!--" not in text:
        return lines
    for token in _blocks(text):
        if token.map is None or "<!--" not in token.content:
            continue
        if token.type == "inline":
            at = _in_words(token.content)
        elif token.type == "html_block":
            at = [token.content[match.start() : match.end()] for match in _COMMENT.finditer(token.content)]
        else:
            continue
        start, end = token.map
        block = "\n".join(lines[start:end])
        for comment in at:
            block = _blanked(block, comment)
        lines[start:end] = block.split("\n")
    return lines


def _in_words(content: str) -> list[str]:
    """The comments of a paragraph, as its own reader finds them."""
    tokens = _reader().parseInline(content)
    children = tokens[0].children or []
    return [
        child.content
        for child in children
        if child.type == "html_inline" and child.content.startswith("<!--")
    ]


def _blanked(block: str, comment: str) -> str:
    """The block without the comment, and with its line breaks; lines of a block may be indented or marked."""
    pattern = r"\n[ \t>]*".join(re.escape(line.strip()) for line in comment.rstrip("\n").split("\n"))
    return re.sub(pattern, lambda match: "\n" * match[0].count("\n"), block, count=1)


_cached: dict[bool, Any] = {}


def _reader(*, words: bool = True) -> Any:
    if words not in _cached:
        from markdown_it import MarkdownIt  # noqa: PLC0415 - only where a text is read

        reader = MarkdownIt("commonmark").enable("table")
        # What stands in a paragraph is not looked at: that takes most of the time.
        _cached[words] = reader if words else reader.disable(["inline", "text_join"])
    return _cached[words]


def _blocks(text: str) -> list[Any]:
    """The blocks of a text, as tokens; what stands in their paragraphs is left as it is."""
    tokens: list[Any] = _reader(words=False).parse(text)
    return tokens
