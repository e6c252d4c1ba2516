"""All changes of a site: a brief of each, held in memory, and the whole of one when its page is made.

A brief is what lists, calendars and figures need, about a kilobyte; the whole is the documented JSON shape
(docs/json.md). Where both come from, the index or an assessment, pages cannot tell: they show the same.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gitchange.assessment import brief as briefs
from gitchange.assessment.overview import Assessment
from gitchange.assessment.shapes import brief_json, show_json
from gitchange.errors import RepositoryError
from gitchange.index import place as places
from gitchange.index import rows, store
from gitchange.site import urls


class Brief(briefs.Brief):
    """A brief of a change that has a page."""

    __slots__ = ("page",)

    def __init__(self, number: int, summary: dict[str, Any], brief: dict[str, Any], digest: str) -> None:
        super().__init__(number, summary, brief, digest)
        self.page = urls.change_file(self.path) if self.title is None else urls.change(self.id)
        """The name of its page."""


class Catalogue:
    """All changes, newest first."""

    def __init__(
        self,
        briefs: Sequence[Brief],
        whole: Callable[[Brief], dict[str, Any]],
        text: Callable[[str], bytes | None] = lambda _: None,
    ) -> None:
        self.briefs = briefs
        self._whole, self._text = whole, text

    def whole(self, brief: Brief) -> dict[str, Any]:
        """The change's documented JSON shape."""
        return self._whole(brief)

    def text(self, blob: str) -> bytes | None:
        """A text that a change file has had; None where it is not at hand."""
        return self._text(blob) if blob else None

    @classmethod
    def at(
        cls, path: str, state: tuple[str | None, str | None], text: Callable[[str], bytes | None]
    ) -> Catalogue | None:
        """What the index at that path has, as long as it is at that state; None when it is at another one."""
        index = store.opened_at(path, state)
        if index is None:
            return None
        briefs = [
            Brief(number, summary, brief, digest)
            for number, summary, brief, digest in rows.with_briefs(index)
        ]
        return cls(briefs, _Wholes(path, state, index).whole, text)

    @classmethod
    def of(
        cls, assessments: Iterable[Assessment], text: Callable[[str], bytes | None] | None = None
    ) -> Catalogue:
        """Of assessed changes, one after the other, newest first in the end; only their shapes are kept, packed.

        Without `text` there is the text of files that cannot be read, and no other.
        """
        kept: list[bytes] = []
        raw: dict[str, bytes] = {}
        found: list[tuple[tuple[float, str], Brief]] = []
        for number, assessment in enumerate(assessments):
            shape = show_json(assessment)
            if assessment.change is None and assessment.history:
                raw[assessment.history[0].blob] = assessment.raw
            said = rows.said(shape)
            kept.append(zlib.compress(said, 1))
            brief = Brief(number, shape, brief_json(shape), places.digest(said))
            asked = assessment.history[-1].time.timestamp() if assessment.history else float("inf")
            found.append(((asked, assessment.path), brief))
        found.sort(key=lambda item: item[0], reverse=True)

        def whole(brief: Brief) -> dict[str, Any]:
            shape: dict[str, Any] = json.loads(zlib.decompress(kept[brief.number]))
            return shape

        return cls([brief for _, brief in found], whole, text or raw.get)


class _Wholes:
    """Whole changes from an index that stays as it was; other processes open it for themselves."""

    def __init__(self, path: str, state: tuple[str | None, str | None], index: sqlite3.Connection) -> None:
        self._path, self._state = path, state
        self._index, self._process = index, os.getpid()
        self._dictionary = store.dictionary(index)

    def whole(self, brief: Brief) -> dict[str, Any]:
        """One change. RepositoryError when the index is not what it was: it was deleted, or somebody made it anew."""
        if self._process != os.getpid():
            index = store.opened_at(self._path, self._state)
            if index is None:
                raise RepositoryError(
                    "the index changed while the site was built", hint="build it again: nothing was published"
                )
            self._index, self._process = index, os.getpid()
        return rows.whole(self._index, brief.number, self._dictionary)
