"""Many object ids in little memory.

A text of 40 characters takes 89 bytes in Python and a place in a dict as many again; here an id takes about 30, and
a forked process that reads it copies nothing. What is no object's id is kept as well, as the text that it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeVar, overload

    Other = TypeVar("Other")

_WIDTHS = (40, 64)
_FREE = -1
_KEPT = 256
"""So many ids are kept as texts."""


class Numbers(Mapping[str, int]):
    """Ids, numbered in the order in which they came."""

    def __init__(self) -> None:
        self._count = 0
        self._width = 0
        """How many bytes an id has here: those of the first that came."""
        self._ids = bytearray()
        self._table = array("i", [_FREE]) * 64
        """A hash table: numbers of ids, each at its hash or at the next free place after it."""
        self._others: dict[str, int] = {}
        self._other: dict[int, str] = {}
        self._found: dict[str, int] = {}
        """What was asked for last: who asks for an id mostly asks for it again soon."""

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return map(self.id, range(self._count))

    def __getitem__(self, name: str) -> int:
        number = self._find(name)
        if number == _FREE:
            raise KeyError(name)
        return number

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) != _FREE

    def id(self, number: int) -> str:
        """The id that has this number."""
        other, width = self._other.get(number), self._width
        return self._ids[number * width : (number + 1) * width].hex() if other is None else other

    def add(self, name: str) -> int:
        """The number of an id, which may be new."""
        if not self._width and len(name) in _WIDTHS and self._raw(name, len(name) // 2) is not None:
            self._width = len(name) // 2
            self._ids = bytearray(self._width * self._count)
        raw, new = self._raw(name, self._width), self._count
        if raw is None:
            number = self._others.setdefault(name, new)
            if number != new:
                return number
            self._other[new] = name
            raw = bytes(self._width)
        else:
            at = self._slot(raw)
            if (number := self._table[at]) != _FREE:
                return number
            self._table[at] = new
        self._ids += raw
        self._count += 1
        if 2 * self._count > len(self._table):
            self._grow()
        return new

    def find(self, name: str) -> int | None:
        """The number of an id; None when it is not here."""
        number = self._find(name)
        return None if number == _FREE else number

    if TYPE_CHECKING:

        @overload
        def get(self, key: str, /) -> int | None: ...
        @overload
        def get(self, key: str, /, default: Other) -> int | Other: ...

    def get(self, key: str, /, default: Other | None = None) -> int | Other | None:
        """The same with another answer for what is not here; asked more often than anything else."""
        number = self._find(key)
        return default if number == _FREE else number

    def _find(self, name: str) -> int:
        number = self._found.get(name)
        if number is None:
            raw = self._raw(name, self._width)
            number = self._others.get(name, _FREE) if raw is None else self._table[self._slot(raw)]
            if number != _FREE:
                if len(self._found) >= _KEPT:
                    self._found.clear()
                self._found[name] = number
        return number

    def _slot(self, raw: bytes) -> int:
        """The place in the table at which an id stands, or would stand."""
        table, ids, width = self._table, self._ids, self._width
        mask = len(table) - 1
        at = hash(raw) & mask
        while (number := table[at]) != _FREE and ids[number * width : (number + 1) * width] != raw:
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        self._table = array("i", [_FREE]) * (2 * len(self._table))
        width = self._width
        for number in range(self._count):
            if number not in self._other:
                self._table[self._slot(bytes(self._ids[number * width : (number + 1) * width]))] = number

    @staticmethod
    def _raw(name: str, width: int) -> bytes | None:
        """The bytes of an id; None for what is none of this width."""
        if not width or len(name) != 2 * width:
            return None
        try:
            raw = bytes.fromhex(name)
        except ValueError:
            return None
        return raw if raw.hex() == name else None


class Table:
    """What belongs to each of some ids: another id, or several with blanks between."""

    def __init__(self) -> None:
        self._keys, self._values = Numbers(), Numbers()
        self._of_key = array("i")

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def get(self, key: str) -> str:
        """What belongs to an id; empty when nothing does."""
        number = self._keys.find(key)
        return "" if number is None else self._values.id(self._of_key[number])

    def put(self, key: str, value: str) -> None:
        """Let this belong to an id, and nothing else."""
        number = self._keys.add(key)
        if number == len(self._of_key):
            self._of_key.append(_FREE)
        self._of_key[number] = self._values.add(value)

    def items(self) -> Iterator[tuple[str, str]]:
        """Every id with what belongs to it, in the order in which they came."""
        for number, value in enumerate(self._of_key):
            yield self._keys.id(number), self._values.id(value)
