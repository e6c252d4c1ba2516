"""Where two documents of one kind differ, field by field.

Walks the models themselves and knows no field by name, so that a field that is added to a model later is compared
as well. What a difference means is said elsewhere (`gitchange.lifecycle.policy_diff`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from gitchange.model.part import Part
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final


class _Absence(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absence.ABSENT
"""Stands for what one side does not have: an entry of a table or of a list."""


class Item(str):
    """A part of a path that names an entry of a list, by what identifies it instead of by its place."""

    __slots__ = ()


Path = tuple[str, ...]
"""Where in a document: field names, keys of tables, and `Item`s."""

Identities = Mapping[type[Part], Callable[[Any], str]]
"""By what entries of a list are recognised: for models whose first field alone does not tell them apart."""


class Delta(Value):
    """One thing that differs."""

    path: Path
    before: Any
    """`ABSENT` where the first document has no such entry."""
    after: Any
    """`ABSENT` where the second document has no such entry."""


def dotted(path: Path) -> str:
    """`rules["every change"].evaluation.role`."""
    text = ""
    for part in path:
        if isinstance(part, Item):
            text += f'["{part}"]'
        else:
            text += f".{part}" if text else part
    return text


def deltas(before: Any, after: Any, identities: Identities | None = None, path: Path = ()) -> Iterator[Delta]:
    """Everything in which two values differ; nothing exactly when they are equal.

    An entry (or an optional part) that only one side has gives a delta of its own, followed by one for each of its
    fields that is not as it would be by default. Entries of a list are recognised by what names them; where only
    their order differs, the list itself gives a delta with the names in both orders.
    """
    known = identities or {}
    if before == after:
        return
    if isinstance(before, Part) and type(before) is type(after):
        for name in type(before).model_fields:
            yield from deltas(getattr(before, name), getattr(after, name), known, (*path, name))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys((*before, *after)):
            yield from deltas(before.get(key, ABSENT), after.get(key, ABSENT), known, (*path, str(key)))
    elif _is_list(before) and _is_list(after) and (_has_models(before) or _has_models(after)):
        yield from _lists(before, after, known, path)
    else:
        yield Delta(path, before, after)
        if before is ABSENT or before is None:
            for part, value in _parts(after, known):
                yield from deltas(ABSENT, value, known, (*path, *part))
        elif after is ABSENT or after is None:
            for part, value in _parts(before, known):
                yield from deltas(value, ABSENT, known, (*path, *part))


def _lists(before: Sequence[Any], after: Sequence[Any], known: Identities, path: Path) -> Iterator[Delta]:
    old, new = named(before, known), named(after, known)
    for name in dict.fromkeys((*old, *new)):
        yield from deltas(old.get(name, ABSENT), new.get(name, ABSENT), known, (*path, name))
    kept = tuple(name for name in old if name in new)
    moved = tuple(name for name in new if name in old)
    if kept != moved:
        yield Delta(path, kept, moved)


def named(items: Sequence[Any], known: Identities) -> dict[Item, Any]:
    """The entries of a list by their names; a second one of the same name is told apart by a number."""
    found: dict[Item, Any] = {}
    for item in items:
        name = _name(item, known)
        number = 1
        while (label := Item(name if number == 1 else f"{name} #{number}")) in found:
            number += 1
        found[label] = item
    return found


def _name(item: Any, known: Identities) -> str:
    if not isinstance(item, Part):
        return str(item)
    if type(item) in known:
        return known[type(item)](item)
    first = "name" if "name" in type(item).model_fields else next(iter(type(item).model_fields))
    return str(getattr(item, first))


def _parts(value: Any, known: Identities) -> Iterator[tuple[Path, Any]]:
    """What a whole that is new or gone consists of; fields that are as by default say nothing."""
    if isinstance(value, Part):
        for name, field in type(value).model_fields.items():
            held = getattr(value, name)
            if held != field.get_default():
                yield (name,), held
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield (str(key),), held
    elif _is_list(value) and _has_models(value):
        for label, held in named(value, known).items():
            yield (label,), held


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple | list)


def _has_models(items: Sequence[Any]) -> bool:
    return any(isinstance(item, Part) for item in items)
