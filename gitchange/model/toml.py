"""TOML with positions: every problem of a file at once, each with its line and column.

`tomllib` decides what TOML is; it stops at the first problem and forgets where things stood. So,
only when something is wrong, a scanner here cuts the text into its statements (headers and
pairs), lets `tomllib` judge each, and remembers where each key stands. What a file *means* is
never taken from the scanner.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_right
from typing import Any

from gitchange.model import quick_toml
from gitchange.model.finding import Finding
from gitchange.values import Value, field

KeyPath = tuple[str | int, ...]

MAX_BYTES = 1 << 20
"""Largest document that is read, 1 MiB: a change is a text that people read."""

MAX_DEPTH = 100
"""Deepest nesting of tables and arrays that is read."""

_SALVAGED = 1000
"""Largest number of statements for which every syntax error is looked for, not only the first."""

_EFFORT = 4_000_000
"""Largest product of statements and characters for which every repeated key is looked for: the work is quadratic."""

_LONG_KEY = (
    r"""(?m:(?:^|[\[{,])[ \t]*)(?:(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*)"""
    f"{{{MAX_DEPTH}}}"
)
"""A dotted key that nests deeper than anybody writes: `tomllib` takes quadratic time for one."""

_AT = r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$"


def _loads(text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - not for what `quick_toml` reads

    return tomllib.loads(text)


class Positions(Value, frozen=False):
    """Where keys stand in a text: 1-based lines and columns."""

    of: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def find(self, path: KeyPath) -> tuple[int, int]:
        """The position of the key, or of the nearest table around it; (1, 1) at the worst."""
        for length in range(len(path), 0, -1):
            if (position := self.of.get(path[:length])) is not None:
                return position
        return (1, 1)


class Document(Value, frozen=False):
    """A parsed text: its data, and what was wrong with it as TOML."""

    text: str
    data: dict[str, Any]
    problems: tuple[Finding, ...] = ()
    broken: frozenset[KeyPath] = frozenset()
    """Keys that stand in the text but could not be read; they are not missing."""
    before_last: int | None = None
    """So many of its bytes are a document of their own, which has the same data but for the `last` table that `parse`
    was asked about; None when that is not known."""
    _positions: Positions | None = None

    @property
    def positions(self) -> Positions:
        """Computed when first asked for: a file without problems never needs them."""
        if self._positions is None:
            self._positions = _positions(self.text)
        return self._positions


class _Statement(Value, frozen=False):
    kind: str  # "table", "array" or "pair"
    start: int
    end: int
    key_text: str
    elements: list[int] = field(default_factory=list)  # offsets of the elements of a top-level array


def parse(raw: bytes, path: str = "", last: str = "") -> Document:
    """Read a TOML document: UTF-8 without a byte order mark, LF line ends, at most `MAX_BYTES`.

    `last` may name a table of which it shall be known whether what stands before it can be read alone.

    Never raises for what the text says: problems are in the result, all of them, and `data` holds
    what could be read.
    """
    if len(raw) > MAX_BYTES:
        size = f"the file has {len(raw):,} bytes; {MAX_BYTES:,} are allowed"
        hint = "move long material into a document of its own and link it under [links]"
        return Document("", {}, (Finding("toml.too-large", size, hint, path=path),))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode("utf-8")
        line, column = _line_and_column(good, len(good))
        message = f"byte 0x{raw[error.start]:02x} is not UTF-8"
        return Document(
            good,
            {},
            (Finding("toml.encoding", message, "save the file as UTF-8", "error", path, line, column),),
        )
    problems: list[Finding] = []
    if text.startswith("\ufeff"):
        problems.append(
            Finding(
                "toml.byte-order-mark",
                "the file begins with a byte order mark",
                "save it as UTF-8 without one",
                path=path,
                line=1,
                column=1,
            )
        )
        text = text[1:]
    if "\r" in text:
        line, column = _line_and_column(text, text.index("\r"))
        problems.append(
            Finding(
                "toml.line-ends",
                "the file has carriage returns; line ends are LF, so that everybody signs the same bytes",
                "convert it (`sed -i 's/\\r$//' FILE`) and add `changes/** text eol=lf` to .gitattributes",
                path=path,
                line=line,
                column=column,
            )
        )
    if last and (at := text.find(f"\n[{last}]\n") + 1):
        # Headers name tables from the root: what each part says alone, both say together, if only the second one
        # speaks of that table, and of nothing else.
        before, after = quick_toml.loads(text[:at]), quick_toml.loads(text[at:])
        if before is not None and after is not None and last not in before and after.keys() == {last}:
            return Document(text, before | after, tuple(problems), before_last=len(text[:at].encode()))
    if (quick := quick_toml.loads(text)) is not None:  # the same answer, and nothing in it is deep
        return Document(text, quick, tuple(problems))
    if match := re.search(_LONG_KEY, text):
        return _too_deep(text, problems, path, match.start())
    try:
        data = _loads(text)
        if _is_deep(data):
            return _too_deep(text, problems, path)
        return Document(text, data, tuple(problems))
    except RecursionError:
        return _too_deep(text, problems, path)
    except ValueError as error:  # TOMLDecodeError, and ValueError of impossible dates or huge integers
        first = _syntax_finding(error, text, 0, len(text), path)
    data, found, broken = _salvage(text, path)
    return Document(text, data, (*problems, *(found or [first])), frozenset(broken))


def _too_deep(text: str, problems: list[Finding], path: str, offset: int = 0) -> Document:
    line, column = _line_and_column(text, offset)
    finding = Finding(
        "toml.syntax",
        "values are nested too deeply",
        f"nest tables and arrays at most {MAX_DEPTH} deep",
        "error",
        path,
        line,
        column,
    )
    return Document(text, {}, (*problems, finding), _positions=Positions())


def _is_deep(data: dict[str, Any]) -> bool:
    """Whether it nests deeper than `MAX_DEPTH`: what walks it by recursion, `repr` for one, could not."""
    waiting: list[tuple[Any, int]] = [(data, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return True
        inner = value.values() if isinstance(value, dict) else value
        waiting += [(item, depth + 1) for item in inner if isinstance(item, dict | list)]
    return False


def _syntax_finding(error: Exception, text: str, start: int, end: int, path: str) -> Finding:
    message = str(error)
    line, column = _line_and_column(text, start)
    if match := re.search(_AT, message):
        message = message[: match.start()]
        if match[1]:
            column = int(match[2]) + (column - 1 if match[1] == "1" else 0)
            line += int(match[1]) - 1
        elif "\n" in text[start:end]:  # where it begins tells more than where the file ends
            message += "; the value that begins here does not end"
        else:
            line, column = _line_and_column(text, max(start, end))
    message = message[:1].lower() + message[1:]
    return Finding(
        "toml.syntax", f"not TOML: {message}", "see https://toml.io/en/v1.0.0", "error", path, line, column
    )


def _salvage(text: str, path: str) -> tuple[dict[str, Any], list[Finding], set[KeyPath]]:
    """What can be read, the problems and the broken keys, in two steps:

    1. each statement alone; what stands below a broken header belongs nowhere and is left out;
    2. each together with what precedes it: it may repeat a key or a table.
    """
    found: list[Finding] = []
    broken: set[KeyPath] = set()
    statements = _statements(text)
    if len(statements) > _SALVAGED:
        return {}, found, broken
    # 1. Alone.
    whole: list[tuple[_Statement, str, KeyPath]] = []
    tables = _Tables()
    table: KeyPath = ()
    lost = False
    for statement in statements:
        piece = text[statement.start : statement.end]
        key = _key(statement.key_text) or ()
        is_header = statement.kind != "pair"
        if is_header:
            table, lost = tables.enter(statement, key), False
        where = table if is_header else (*table, *key)
        try:
            _loads(piece)
        except (ValueError, RecursionError) as error:
            found.append(_syntax_finding(error, text, statement.start, statement.end, path))
            broken.add(where if key else table)
            if statement.end == len(text) and "\n" in piece:
                broken.add(())  # a value without end has swallowed the rest: nothing below it is missing
            lost = lost or is_header
            continue
        if not lost:
            whole.append((statement, piece, where))
    # 2. Together.
    with contextlib.suppress(ValueError, RecursionError):
        return _loads("\n".join(piece for _, piece, _ in whole)), found, broken
    if len(whole) * len(text) > _EFFORT:
        return {}, found, broken
    good: list[str] = []
    lost = False
    for statement, piece, where in whole:
        is_header = statement.kind != "pair"
        if lost and not is_header:
            continue
        try:
            _loads("\n".join([*good, piece]))
        except (ValueError, RecursionError) as error:
            message = re.sub(_AT, "", str(error))
            line, column = _line_and_column(text, statement.start)
            found.append(
                Finding(
                    "toml.syntax",
                    f"not TOML: {message[:1].lower() + message[1:]}",
                    "each key and each [table] may stand once",
                    "error",
                    path,
                    line,
                    column,
                    key=dotted(where),
                )
            )
            lost = is_header
            continue
        lost = False if is_header else lost
        good.append(piece)
    return _loads("\n".join(good)), found, broken


def _positions(text: str) -> Positions:
    positions = Positions()
    tables = _Tables()
    table: KeyPath = ()
    implied: dict[KeyPath, tuple[int, int]] = {}  # tables that no header of their own opens
    lost = False  # below a header that cannot be read
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def at(offset: int) -> tuple[int, int]:
        row = bisect_right(starts, offset) - 1
        return row + 1, offset - starts[row] + 1

    for statement in _statements(text):
        key = _key(statement.key_text)
        if statement.kind != "pair":
            lost = key is None
        if key is None or lost:
            continue
        position = at(statement.start)
        if statement.kind != "pair":
            table = tables.enter(statement, key)
            if statement.kind == "array":
                positions.of.setdefault(table[:-1], position)
            positions.of.setdefault(table, position)
        full = table if statement.kind != "pair" else (*table, *key)
        for length in range(1, len(full)):
            implied.setdefault(full[:length], position)
        if statement.kind != "pair":
            continue
        positions.of.setdefault(full, position)
        for index, offset in enumerate(statement.elements):
            positions.of[(*full, index)] = at(offset)
    positions.of = implied | positions.of
    return positions


class _Tables:
    """Which table a header opens: arrays of tables are counted on the way."""

    def __init__(self) -> None:
        self._counts: dict[KeyPath, int] = {}

    def enter(self, header: _Statement, key: KeyPath) -> KeyPath:
        """The path of the table that this header opens."""
        if header.kind == "array" and key:
            parent = (*self._resolve(key[:-1]), key[-1])
            self._counts[parent] = self._counts.get(parent, 0) + 1
            return (*parent, self._counts[parent] - 1)
        return self._resolve(key)

    def _resolve(self, key: KeyPath) -> KeyPath:
        """Put the index of the current element behind every array of tables on the way."""
        path: KeyPath = ()
        for part in key:
            path = (*path, part)
            if path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path


def _key(key_text: str) -> KeyPath | None:
    """The parts of a dotted key, as `tomllib` reads them."""
    try:
        node: Any = _loads(f"{key_text} = 0")
    except (ValueError, RecursionError):
        return None
    parts: list[str] = []
    while isinstance(node, dict):
        (part, node), *rest = node.items()
        if rest:
            return None
        parts.append(part)
    return tuple(parts)


def _statements(text: str) -> list[_Statement]:
    """Cut a text into headers and pairs; comments and blank lines fall away."""
    statements: list[_Statement] = []
    at, end = 0, len(text)
    while at < end:
        char = text[at]
        if char in " \t\r\n":
            at += 1
        elif char == "#":
            at = _line_end(text, at)
        elif char == "[":
            stop = _line_end(text, at)
            array = text.startswith("[[", at)
            inner = (
                text[at : _comment(text, at, stop)]
                .strip()
                .removeprefix("[[" if array else "[")
                .rstrip("] \t")
            )
            statements.append(_Statement("array" if array else "table", at, stop, inner))
            at = stop
        else:
            statement = _pair(text, at)
            statements.append(statement)
            at = max(statement.end, at + 1)
    return statements


def _comment(text: str, at: int, stop: int) -> int:
    """The offset of the comment of a header's line, or of the line's end."""
    while at < stop and text[at] != "#":
        at = _skip_string(text, at) if text[at] in "\"'" else at + 1
    return min(at, stop)


def _pair(text: str, start: int) -> _Statement:
    at = start
    while at < len(text) and text[at] not in "=\n":
        at = _skip_string(text, at) if text[at] in "\"'" else at + 1
    key_text = text[start:at].strip()
    statement = _Statement("pair", start, at, key_text)
    at += 1
    depth = 0
    expects = False  # at depth 1 of an array: the next character begins an element
    is_array = text[at : at + 64].lstrip(" \t").startswith("[")
    while at < len(text):
        char = text[at]
        if char == "#":
            at = _line_end(text, at)
            continue
        if char == "\n" and depth == 0:
            break
        if is_array and expects and depth == 1 and char not in " \t\r\n,]":
            statement.elements.append(at)
            expects = False
        if char in "\"'":
            at = _skip_string(text, at)
            continue
        if char in "[{":
            depth += 1
            expects = depth == 1
        elif char in "]}":
            depth -= 1
            if depth < 0:
                at = _line_end(text, at)
                break
        elif char == "," and depth == 1:
            expects = True
        at += 1
    statement.end = min(at, len(text))
    return statement


def _skip_string(text: str, at: int) -> int:
    """The offset behind the string that begins here; behind its line when it does not end."""
    quote = text[at]
    if text.startswith(quote * 3, at):
        at += 3
        while at < len(text):
            if text[at] == "\\" and quote == '"':
                at += 2
            elif text.startswith(quote * 3, at):
                at += 3
                while at < len(text) and text[at] == quote:  # up to two quotes may precede the end
                    at += 1
                return at
            else:
                at += 1
        return len(text)
    at += 1
    while at < len(text) and text[at] != "\n":
        if text[at] == "\\" and quote == '"':
            at += 2
        elif text[at] == quote:
            return at + 1
        else:
            at += 1
    return min(at, len(text))


def _line_end(text: str, at: int) -> int:
    stop = text.find("\n", at)
    return len(text) if stop < 0 else stop


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def dotted(path: KeyPath) -> str:
    """`risks[0].mitigations` for `("risks", 0, "mitigations")`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
