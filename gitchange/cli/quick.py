"""`list`, `show` and `search` without the program: where nothing has changed, the index has the answer already.

Only what is spelled in the plainest way is understood here, and everything else is left to the program, which knows all
options and says what is wrong. Both print by the same functions.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys

from gitchange.cli import clock, render
from gitchange.index import place as places
from gitchange.index import rows
from gitchange.lifecycle.status import STATUSES
from gitchange.model import identifiers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

_FLAGS = frozenset({"--json", "--all", "--waiting-on-me"})
_VALUES = frozenset({"--status", "--type", "--system", "--person", "--limit"})
_COMMANDS = {
    "list": _FLAGS | _VALUES,
    "show": frozenset({"--json"}),
    "search": frozenset({"--json", "--all", "--limit"}),
}
_TYPES = ("normal", "standard", "emergency")


def answer(arguments: list[str]) -> int | None:
    """Print what was asked for and give the exit code; None, with nothing printed, when that takes the program.

    An index that is behind is brought up to date first, where what changed is little: without the program, whose own
    libraries take longer to load than that.
    """
    try:
        asked = _parsed(arguments)
        now = clock.now(os.environ)
        if asked is None or now is None:
            return None
        directory, command, words, options = asked

        def printed(index: sqlite3.Connection) -> tuple[str, str]:
            return _answered(index, directory, command, words, options)

        connection = rows.open_current(directory, os.environ, now, None)
        found = _behind(directory, now, printed) if connection is None else printed(connection)
        if found is None:
            return None
    except (LookupError, sqlite3.Error, ValueError):  # LookupError: there is no such change here
        return None
    out, err = found
    try:
        sys.stdout.write(out if sys.stdout.isatty() else render.without_style(out))
        sys.stdout.flush()
        sys.stderr.write(err)
    except BrokenPipeError:
        # The reader of our output has seen enough (`gitchange list | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _behind(
    directory: str, now: dt.datetime, question: Callable[[sqlite3.Connection], tuple[str, str]]
) -> tuple[str, str] | None:
    """Ask an index that is there, once it is up to date; None when that takes more than what changed."""
    place = places.find(directory, os.environ)
    if place is None or not os.path.exists(place.index):
        return None
    # It would look through all that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from pathlib import Path  # noqa: PLC0415 - where nothing changed all this is not needed

    from gitchange.errors import GitchangeError  # noqa: PLC0415
    from gitchange.git.repository import Repository  # noqa: PLC0415
    from gitchange.index import refresh  # noqa: PLC0415

    try:
        return refresh.keep_up(Repository.open(Path(directory)), now, None, question)
    except GitchangeError:
        return None  # the program says what is wrong


def _parsed(arguments: list[str]) -> tuple[str, str, list[str], dict[str, list[str]]] | None:
    """Folder, command, its arguments and options; None for what is not understood."""
    given = list(arguments)
    directory = "."
    if given[:1] == ["-C"] and len(given) > 1:
        directory, given = given[1], given[2:]
    if not given or given[0] not in _COMMANDS:
        return None
    command, *rest = given
    options: dict[str, list[str]] = {}
    words: list[str] = []
    waiting: Iterator[str] = iter(rest)
    for item in waiting:
        if not item.startswith("-"):
            words.append(item)
        elif item not in _COMMANDS[command]:
            return None
        elif item in _VALUES:
            value = next(waiting, "-")
            if value.startswith("-"):
                return None
            options.setdefault(item, []).append(value)
        else:
            options[item] = []
    wanted = {"list": len(words) == 0, "show": len(words) == 1, "search": len(words) > 0}
    known = all(value in (*STATUSES, "unreadable") for value in options.get("--status", ()))
    known &= all(value in _TYPES for value in options.get("--type", ()))
    return (directory, command, words, options) if wanted[command] and known else None


def _answered(
    connection: sqlite3.Connection,
    directory: str,
    command: str,
    words: list[str],
    options: dict[str, list[str]],
) -> tuple[str, str]:
    """What is printed on standard output and on standard error; LookupError for what is not in the index."""
    as_json = "--json" in options
    if command == "show":
        whole = identifiers.typed(words[0])
        shape = rows.shown(connection, whole) if identifiers.is_id(whole) else None
        if shape is None:
            raise LookupError(words[0])
        return (_json(shape) if as_json else "\n".join(render.change(shape))) + "\n", ""
    most = int(options["--limit"][-1]) if "--limit" in options else None if as_json else render.LISTED
    if "--all" in options:
        most = None
    if most is not None and most < 1:
        raise ValueError(most)
    if command == "search":
        found = rows.search(connection, " ".join(words), most)
        nothing = render.NOTHING_FOUND
    else:
        waited = rows.me(connection, directory, os.environ) if "--waiting-on-me" in options else None
        wanted = rows.Wanted(
            tuple(options.get("--status", ())),
            tuple(options.get("--type", ())),
            tuple(options.get("--system", ())),
            options["--person"][-1] if "--person" in options else None,
            waited,
        )
        found = rows.listing(connection, wanted, most)
        nothing = render.NONE_FIT if wanted.restricts else render.NO_CHANGES
    if as_json:
        return _json({"schema": render.SHAPE, "total": found.total, "changes": found.changes}) + "\n", ""
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 0
    rest = render.left_off(len(found.changes), found.total)
    return "\n".join(render.listing(found.changes, nothing, width)) + "\n", f"{rest}\n" if rest else ""


def _json(shape: object) -> str:
    return json.dumps(shape, indent=2, ensure_ascii=False)
