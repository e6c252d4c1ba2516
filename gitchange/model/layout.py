"""How our documents are laid out as TOML: values by tomli-w, the layout as people write it.

Scalars and short arrays on one line, `[tables]` and `[[arrays of tables]]` under headers of their own, texts
with line breaks in triple quotes. Reading it back gives the same data.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_WIDTH = 100
"""An array that fits is written on one line."""


def write_toml(data: Mapping[str, Any], prefix: str = "") -> str:
    """The text of a table; `prefix` is its dotted name, for the headers of the tables below it.

    Keys must be bare ones (letters, digits, `-`, `_`) where they name tables. None and empty arrays or tables
    are left out.
    """
    lines: list[str] = []
    below: list[str] = []
    for key, value in data.items():
        kind = type(value)
        if kind is str:
            lines.append(f"{_key(key)} = {_text(value)}\n")
        elif value is None or value in ((), [], {}):
            continue
        elif kind is dict or isinstance(value, Mapping):
            name = f"{prefix}{key}"
            below.append(f"\n[{name}]\n{write_toml(value, f'{name}.')}")
        elif (kind is list or kind is tuple) and isinstance(value[0], Mapping):
            name = f"{prefix}{key}"
            below += [f"\n[[{name}]]\n{write_toml(item, f'{name}.')}" for item in value]
        else:
            lines.append(_pair(key, value))
    return "".join([*lines, *below])


def _pair(key: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        items = [_value(item) for item in value]
        line = f"{_key(key)} = [{', '.join(items)}]\n"
        if len(line) <= _WIDTH and "\n" not in line[:-1]:
            return line
        return f"{_key(key)} = [\n" + "".join(f"    {item},\n" for item in items) + "]\n"
    return f"{_key(key)} = {_value(value)}\n"


_BARE = r"[A-Za-z0-9_-]+"
_PLAIN = r'[^"\\\x00-\x1f\x7f]*'
_PLAIN_LINES = r'[^"\\\x00-\x09\x0b-\x1f\x7f]*'
"""What stands between quotes as it is, on one line and on several; the rest is for tomli-w, which is slow."""


@lru_cache(maxsize=256)
def _key(key: str) -> str:
    if re.fullmatch(_BARE, key):
        return key
    import tomli_w  # noqa: PLC0415 - loaded where something is written

    return tomli_w.dumps({key: 0}).rpartition(" = ")[0]


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | int):
        return str(value)
    return _by_tomli_w(value)


def _text(value: str) -> str:
    if re.fullmatch(_PLAIN, value):
        return f'"{value}"'
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"  # JSON stays readable, and can be cut out with a text editor
    if re.fullmatch(_PLAIN_LINES, value):
        return f'"""\n{value}"""'
    # tomli-w writes CR LF as LF in multi-line strings; a text with CR goes on one line, escaped.
    return _by_tomli_w(value, multiline="\r" not in value)


def _by_tomli_w(value: Any, *, multiline: bool = False) -> str:
    import tomli_w  # noqa: PLC0415 - loaded where something is written

    return tomli_w.dumps({"x": value}, multiline_strings=multiline).removeprefix("x = ").removesuffix("\n")
