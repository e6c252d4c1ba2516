"""All changes of a site: a brief of each where one is asked for, and the whole of one when its page is made.

A brief is what lists, calendars and figures need, about a kilobyte; the whole is the documented JSON shape
(docs/json.md). Lists are chosen, ordered and counted by the index, so that a page costs what it shows. Where there is
no index file, the same tables are filled in memory: pages cannot tell.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from gitchange.assessment import brief as briefs
from gitchange.assessment.overview import Assessment
from gitchange.assessment.shapes import brief_json, show_json
from gitchange.errors import RepositoryError
from gitchange.index import briefs as indexed
from gitchange.index import lists, rows, store
from gitchange.index import place as places
from gitchange.lifecycle.figures import Figures, begin_of, measure
from gitchange.site import urls

NEWEST = "asked DESC, path DESC"
"""The order of lists: what came in last comes first."""

_SOME = 500
"""So many numbers are asked for at once: SQLite has a limit."""


class Brief(briefs.Brief):
    """A brief of a change that has a page."""

    __slots__ = ("page",)

    def __init__(self, number: int, summary: dict[str, Any], brief: dict[str, Any], digest: str) -> None:
        super().__init__(number, summary, brief, digest)
        self.page = urls.change_file(self.path) if self.title is None else urls.change(self.id)
        """The name of its page."""


class Briefs(Sequence[Brief]):
    """Some changes in an order. How many there are, and those that are wanted of them, is asked when it is needed."""

    __slots__ = ("_asked", "_catalogue", "_count", "_values")

    def __init__(
        self,
        catalogue: Catalogue,
        source: str,
        condition: str = "1",
        values: Sequence[Any] = (),
        order: str = NEWEST,
        count: int | None = None,
    ) -> None:
        """Of a table that has their numbers, those of which a condition is true; `count` where that is known."""
        self._catalogue, self._values, self._count = catalogue, tuple(values), count
        self._asked = f"FROM {source} WHERE {condition}", f" ORDER BY {order}"

    def __len__(self) -> int:
        if self._count is None:
            (found,) = self._catalogue.ask(f"SELECT count(*) {self._asked[0]}", self._values)
            self._count = int(found[0])
        return self._count

    def __bool__(self) -> bool:
        if self._count is not None:
            return self._count > 0
        return bool(self._catalogue.ask(f"SELECT 1 {self._asked[0]} LIMIT 1", self._values))

    def __iter__(self) -> Iterator[Brief]:
        return iter(self._found(""))

    @overload
    def __getitem__(self, place: int) -> Brief: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Brief]: ...
    def __getitem__(self, place: int | slice) -> Brief | Sequence[Brief]:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            found = self._found(f" LIMIT {max(stop - start, 0)} OFFSET {start}") if step > 0 else [*self]
            return found[::step] if step > 0 else found[place]
        start = range(len(self))[place]
        return self[start : start + 1][0]

    def first(self, limit: int) -> list[Brief]:
        """The first of them, without counting all."""
        return self._found(f" LIMIT {limit}")

    def _found(self, limit: str) -> list[Brief]:
        found = self._catalogue.ask(f"SELECT number {''.join(self._asked)}{limit}", self._values)
        return self._catalogue.numbered(number for (number,) in found)


class Catalogue:
    """All changes, newest first."""

    def __init__(
        self,
        index: Callable[[], sqlite3.Connection],
        whole: Callable[[Brief], dict[str, Any]],
        text: Callable[[str], bytes | None] = lambda _: None,
        known: Sequence[Brief] | None = None,
    ) -> None:
        """`index` has the tables of `gitchange.index.store`; where all briefs are known none are read from it."""
        self._index, self._whole, self._text = index, whole, text
        self._known = {brief.number: brief for brief in known or ()}
        self._loaded = known is not None
        self._content = sum(lists.told(b.path, b.digest) for b in known) if known is not None else None
        self.briefs = self.select()
        """All of them."""

    # -- what there is -----------------------------------------------------------------------

    def ask(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What the tables answer."""
        return self._index().execute(query, values).fetchall()

    def select(
        self,
        condition: str = "1",
        values: Sequence[Any] = (),
        *,
        source: str = "change",
        order: str = NEWEST,
        count: int | None = None,
    ) -> Briefs:
        """The changes of which a condition is true."""
        return Briefs(self, source, condition, values, order, count)

    def numbered(self, numbers: Iterable[int]) -> list[Brief]:
        """Briefs by the numbers of their changes, in that order."""
        wanted = list(numbers)
        missing = [number for number in dict.fromkeys(wanted) if number not in self._known]
        for place in range(0, len(missing), _SOME):
            some = missing[place : place + _SOME]
            marks = ", ".join("?" * len(some))
            self._keep(rows.with_briefs(self._index(), f"number IN ({marks})", some))
        return [self._known[number] for number in wanted]

    def load(self) -> None:
        """Read all briefs at once: for whoever needs them all."""
        if not self._loaded:
            self._keep(rows.with_briefs(self._index()))
            self._loaded = True

    @cached_property
    def paths(self) -> list[str]:
        """The paths of all changes, in order."""
        if self._loaded:
            return [brief.path for brief in self._by_path]
        return [path for (path,) in self.ask("SELECT path FROM change ORDER BY path")]

    @cached_property
    def _by_path(self) -> list[Brief]:
        return sorted(self._known.values(), key=lambda brief: brief.path)

    def of_paths(self, start: int, stop: int) -> Sequence[Brief]:
        """The changes whose paths are at these places in the order of all paths."""
        if self._loaded:
            return self._by_path[start:stop]
        ends = (self.paths[start], self.paths[stop - 1]) if start < stop else ("", "")
        return [*self.select("path BETWEEN ? AND ?", ends, order="path")]

    def touched(self, start: int, stop: int) -> int:
        """When something last happened to one of these, in seconds since 1970; 0 for never."""
        if self._loaded:
            return max((brief.touched for brief in self._by_path[start:stop]), default=0)
        ends = self.paths[start], self.paths[stop - 1]
        ((found,),) = self.ask("SELECT max(touched) FROM change WHERE path BETWEEN ? AND ?", ends)
        return int(found or 0)

    @cached_property
    def content(self) -> str:
        """The name of what is known of all changes."""
        if self._content is not None:
            return lists.content(self._content)
        ((found,),) = self.ask("SELECT value FROM known WHERE name = 'content'")
        return str(found)

    def _keep(self, found: Iterable[tuple[int, dict[str, Any], dict[str, Any], str]]) -> None:
        for number, summary, brief, digest in found:
            if number not in self._known:
                self._known[number] = Brief(number, summary, brief, digest)

    def find(self, change: str) -> Brief | None:
        """The readable change with that id; None when there is none."""
        found = self.ask(
            "SELECT number FROM change WHERE id = ? AND title IS NOT NULL ORDER BY asked, path LIMIT 1",
            (_text(change),),
        )
        return self.numbered(found[0])[0] if found else None

    def figures(self, now: dt.datetime, zone: dt.tzinfo) -> Figures:
        """How changes go."""
        index, begin = self._index(), begin_of(now, zone)
        older = indexed.tallied(index, begin)
        return measure(indexed.measured(index, since=begin), now, zone, older=older)

    def whole(self, brief: Brief) -> dict[str, Any]:
        """The change's documented JSON shape."""
        return self._whole(brief)

    def text(self, blob: str) -> bytes | None:
        """A text that a change file has had; None where it is not at hand."""
        return self._text(blob) if blob else None

    # -- where it comes from -----------------------------------------------------------------

    @classmethod
    def at(
        cls, path: str, state: tuple[str | None, str | None], text: Callable[[str], bytes | None]
    ) -> Catalogue | None:
        """What the index at that path has, as long as it is at that state; None when it is at another one."""
        index = store.opened_at(path, state)
        if index is None:
            return None
        opened = _Opened(path, state, index)
        return cls(opened.index, opened.whole, text)

    @classmethod
    def of(
        cls, assessments: Iterable[Assessment], text: Callable[[str], bytes | None] | None = None
    ) -> Catalogue:
        """Of assessed changes, one after the other; only their shapes are kept, packed.

        Without `text` there is the text of files that cannot be read, and no other.
        """
        kept: list[bytes] = []
        raw: dict[str, bytes] = {}

        def shapes() -> Iterator[tuple[float, dict[str, Any], dict[str, Any], str]]:
            for assessment in assessments:
                shape = show_json(assessment)
                if assessment.change is None and assessment.history:
                    raw[assessment.history[0].blob] = assessment.raw
                said = rows.said(shape)
                kept.append(zlib.compress(said, 1))
                asked = assessment.history[-1].time.timestamp() if assessment.history else rows.NEVER
                yield asked, shape, brief_json(shape), places.digest(said)

        def whole(brief: Brief) -> dict[str, Any]:
            shape: dict[str, Any] = json.loads(zlib.decompress(kept[brief.number]))
            return shape

        return cls.of_shapes(shapes(), whole, text or raw.get)

    @classmethod
    def of_shapes(
        cls,
        shapes: Iterable[tuple[float, dict[str, Any], dict[str, Any], str]],
        whole: Callable[[Brief], dict[str, Any]],
        text: Callable[[str], bytes | None] = lambda _: None,
    ) -> Catalogue:
        """Of shapes, each with the moment at which the change came in, its brief and its digest.

        They are numbered from 0, in their order.
        """
        index = sqlite3.connect(":memory:", isolation_level=None)
        store.make(index)
        known: list[Brief] = []
        for number, (asked, shape, brief, digest) in enumerate(shapes):
            known.append(Brief(number, shape, brief, digest))
            columns, beside = lists.listed(shape | {"path": _text(shape["path"])}, brief, asked)
            index.execute(_INSERT, _row(number, asked, shape, brief, digest, columns))
            lists.put(index, number, beside)
            if shape["title"] is not None:
                refers = ((other, number) for other in sorted(set(brief["refers"])))
                index.executemany("INSERT INTO refers VALUES (?, ?)", refers)
        return cls(lambda: index, whole, text, known)


_NAMES = (
    "number",
    "path",
    "id",
    "asked",
    "status",
    "type",
    "risk",
    "title",
    "requester",
    "errors",
    "systems",
)
_COLUMNS = (*_NAMES, "brief", "digest", *lists.COLUMNS)
_UNUSED = ("flags", "waiting", "open", "since", "until", "generation")
_INSERT = (
    f"INSERT INTO change ({', '.join((*_COLUMNS, *_UNUSED))}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(_COLUMNS) + '0' * len(_UNUSED))})"
)


def _row(
    number: int,
    asked: float,
    shape: dict[str, Any],
    brief: dict[str, Any],
    digest: str,
    listed: tuple[Any, ...],
) -> tuple[Any, ...]:
    """A row of the table of changes, as far as anybody asks for it who has the briefs beside it."""
    told = {**shape, "number": number, "asked": asked, "systems": json.dumps(shape["systems"])}
    said = json.dumps({name: brief[name] for name in ("times", "failed", "outcome")})
    columns = (*(told[name] for name in _NAMES), said, digest, *listed)
    return tuple(_text(value) if isinstance(value, str) else value for value in columns)


def _text(text: str) -> str:
    """The text; in the place of what is no Unicode, which the tables could not hold, other text, always the same."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass").decode("latin-1")
    return text


class _Opened:
    """An index that stays as it was; other processes open it for themselves."""

    def __init__(self, path: str, state: tuple[str | None, str | None], index: sqlite3.Connection) -> None:
        self._path, self._state = path, state
        self._index, self._process = index, os.getpid()
        self._dictionary = store.dictionary(index)

    def index(self) -> sqlite3.Connection:
        """The index. RepositoryError when it is not what it was: it was deleted, or somebody made it anew."""
        if self._process != os.getpid():
            index = store.opened_at(self._path, self._state)
            if index is None:
                raise RepositoryError(
                    "the index changed while the site was built", hint="build it again: nothing was published"
                )
            self._index, self._process = index, os.getpid()
        return self._index

    def whole(self, brief: Brief) -> dict[str, Any]:
        """One change."""
        return rows.whole(self.index(), brief.number, self._dictionary)
