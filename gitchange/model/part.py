"""The base of all documents, and the quick reading of good ones.

A document is declared once, as a class with annotations, in pydantic's manner. From its declaration two things are
made, each when it is first needed: plain functions that read a good document, and the pydantic model of
`gitchange.model.twin`, which says everything that is wrong with a bad one and gives the JSON Schema. Nearly every
document is good, and loading pydantic takes longer than judging a hundred of them.

Both are equally strict: what is refused here pydantic refuses, in its strict mode, and the other way round
(tests/unit/model/test_part.py). Which texts are good is told by those who declare them (`gitchange.model.text`).
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

T = TypeVar("T")
Reader = Callable[[Any], Any]
"""Gives what a document keeps of a value; ValueError when the value is refused."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The default of a key that must be given."""


class PartError(ValueError):
    """Data that make no good document."""

    def __init__(self, message: str, problems: list[Any]) -> None:
        super().__init__(message)
        self.problems = problems
        """Everything that is wrong, as pydantic's `errors()` lists it."""


class NotTakenError(ValueError):
    """What the quick reading raises by itself; the twin knows the words."""


# -- what declarations say beside the type ---------------------------------------------------------


class Limits:
    """Bounds of a number, or of the length of a text or an array."""

    __slots__ = ("ge", "gt", "max_length", "min_length")

    def __init__(
        self,
        *,
        ge: int | None = None,
        gt: int | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
    ) -> None:
        self.ge, self.gt, self.min_length, self.max_length = ge, gt, min_length, max_length


class Matching:
    """A text that matches `^...$` as a whole, which Python's and Rust's regular expressions both understand."""

    __slots__ = ("pattern",)

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern


class Alias:
    """The name of a key in documents, where Python has another use for it."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class AfterValidator:
    """A function that gives the value back, or raises ValueError with what is wrong with it."""

    __slots__ = ("check",)

    def __init__(self, check: Callable[[Any], Any]) -> None:
        self.check = check


class OneComplaint:
    """What a value of none of several kinds is told, instead of one complaint for each kind that it is not."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Array:
    """Any sequence is taken, and kept as a tuple."""

    __slots__ = ()


class Aware:
    """A time has its offset from UTC."""

    __slots__ = ()


Listed = Annotated[tuple[T, ...], Array()]
"""A TOML array; kept as a tuple because documents are frozen."""
AwareDatetime = Annotated[dt.datetime, Aware()]
"""A date and time with its offset from UTC."""


class Factory:
    """Makes a default anew for each document."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


def field(*, default_factory: Callable[[], T]) -> T:
    """The default of a key, made anew for each document."""
    return Factory(default_factory)  # type: ignore[return-value]


_CHECKS = "_gitchange_checks"
F = TypeVar("F", bound=Callable[..., Any])


def field_validator(*names: str, mode: Literal["before", "after"] = "after") -> Callable[[F], F]:
    """A class method that checks the values of these keys (`*`: of all), before or after their type is."""

    def marked(method: F) -> F:
        setattr(method.__func__, _CHECKS, (names, mode))  # type: ignore[attr-defined]
        return method

    return marked


def model_validator(*, mode: Literal["after"]) -> Callable[[F], F]:
    """A method that checks a whole document, and gives it back as it is."""

    def marked(method: F) -> F:
        setattr(method, _CHECKS, ((), mode))
        return method

    return marked


def checks_of(kind: type[Part]) -> list[tuple[Any, tuple[str, ...], str]]:
    """The methods that check its documents, each with the keys that it is for (none: for the whole) and its mode."""
    return [
        (method, *getattr(function, _CHECKS))
        for method in vars(kind).values()
        if hasattr(function := getattr(method, "__func__", method), _CHECKS)
    ]


# -- the quick reading ------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if value.__class__ is str:
        return value
    if isinstance(value, str):
        return _unicode(str.__str__(value))
    raise NotTakenError


def _unicode(value: str) -> str:
    """The text, unless it has half a character, which pydantic takes where it need not look at it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotTakenError from None
    return value


def _whole(value: Any) -> int:
    if value.__class__ is int:
        return value
    if isinstance(value, int) and value.__class__ is not bool:
        return int(value)
    raise NotTakenError


def _number(value: Any) -> float:
    if value.__class__ is float:
        return value
    if isinstance(value, float | int) and value.__class__ is not bool:
        return float(value)
    raise NotTakenError


def _boolean(value: Any) -> bool:
    if value.__class__ is bool:
        return value
    raise NotTakenError


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    raise NotTakenError


def _datetime(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    raise NotTakenError


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise NotTakenError


def _nothing(value: Any) -> None:
    if value is not None:
        raise NotTakenError


def _aware(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value
    raise NotTakenError


_READERS: dict[Any, Reader] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _boolean,
    bytes: _bytes,
    dt.datetime: _datetime,
    dt.date: _date,
    NoneType: _nothing,
}


def reader_of(declared: Any) -> Reader:
    """A function that reads one value of the declared type."""
    origin, arguments = get_origin(declared), get_args(declared)
    if declared in _READERS:
        return _READERS[declared]
    if isinstance(declared, type) and issubclass(declared, Part):
        return _part_reader(declared)
    if origin is Annotated:
        base, *marks = arguments
        if base is str:
            return _text_reader(marks)
        read = reader_of(base)
        for mark in marks:
            read = _marked(read, mark)
        return read
    if origin in (Union, UnionType):
        return _any_reader(arguments)
    if origin is Literal:
        return _word_reader(arguments)
    if origin is dict:
        return _table_reader(*map(reader_of, arguments))
    if origin is tuple:
        return _array_reader(reader_of(arguments[0]))
    raise TypeError(f"no document may have {declared!r}")


def _part_reader(kind: type[Part]) -> Reader:
    new, fill = kind.__new__, Part._fill

    def part(value: Any) -> Part:
        if isinstance(value, kind):
            return value
        made = new(kind)
        fill(made, value)
        return made

    return part


def _text_reader(marks: list[Any]) -> Reader:
    least, most, looked_at = 0, sys.maxsize, False
    checks: list[Reader] = []
    for mark in marks:
        match mark:
            case Limits(min_length=shortest, max_length=longest):
                least, most, looked_at = shortest or 0, longest or sys.maxsize, True
            case Matching(pattern=pattern):
                checks.append(_matching(pattern))
                looked_at = True
            case AfterValidator(check=check):
                checks.append(check)
    check = functools.reduce(_both, checks) if checks else str

    def text(value: Any) -> Any:
        if value.__class__ is not str:
            value = _text(value)
        if looked_at and not value.isascii():
            _unicode(value)
        if not least <= len(value) <= most:
            raise NotTakenError
        return check(value)

    return text


def _matching(pattern: str) -> Reader:
    whole = re.compile(pattern.removeprefix("^").removesuffix("$")).fullmatch

    def matching(value: str) -> str:
        if whole(value) is None:
            raise NotTakenError
        return value

    return matching


def _marked(read: Reader, mark: Any) -> Reader:
    match mark:
        case AfterValidator(check=check):
            return _both(read, check)
        case Limits():
            return _limited(read, mark)
        case Aware():
            return _aware
        case _:
            return read  # it says nothing about what is taken


def _limited(read: Reader, limits: Limits) -> Reader:
    least, most = limits.min_length or 0, limits.max_length
    lowest = limits.ge if limits.gt is None else limits.gt + 1  # of whole numbers

    def number(value: Any) -> Any:
        if (found := read(value)) < lowest:
            raise NotTakenError
        return found

    def long_enough(value: Any) -> Any:
        found = read(value)
        if len(found) < least or (most is not None and len(found) > most):
            raise NotTakenError
        return found

    return long_enough if lowest is None else number


def _any_reader(arguments: tuple[Any, ...]) -> Reader:
    readers = [reader_of(one) for one in arguments if one is not NoneType]
    if len(readers) == 1:
        [read] = readers
        return lambda value: None if value is None else read(value)
    exact = {one: reader_of(one) for one in arguments if one in _READERS}

    def one_of(value: Any) -> Any:
        if (own := exact.get(value.__class__)) is not None:
            return own(value)
        for read in readers:
            try:
                return read(value)
            except ValueError:
                continue
        raise NotTakenError

    return one_of


def _word_reader(words: tuple[Any, ...]) -> Reader:
    known = {word: word for word in words}

    def word(value: Any) -> Any:
        try:
            return known[value]
        except (KeyError, TypeError):
            raise NotTakenError from None

    return word


def _table_reader(read_key: Reader, read: Reader) -> Reader:
    def table(value: Any) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise NotTakenError
        return {read_key(key): read(held) for key, held in value.items()}

    return table


_NO_ARRAYS = (str, bytes, bytearray, Mapping)
"""What could be gone through like an array, and is none."""


def _array_reader(read: Reader) -> Reader:
    def array(value: Any) -> tuple[Any, ...]:
        if value.__class__ is not list and (isinstance(value, _NO_ARRAYS) or not isinstance(value, Iterable)):
            raise NotTakenError
        return tuple([read(one) for one in value])

    return array


class FieldInfo:
    """One key of a document, as it is declared."""

    __slots__ = ("alias", "annotation", "declared", "default")

    def __init__(self, declared: Any, default: Any) -> None:
        self.declared = declared
        """The whole annotation."""
        marks = get_args(declared)[1:] if get_origin(declared) is Annotated else ()
        self.annotation: Any = get_args(declared)[0] if marks else declared
        """Its type alone."""
        self.alias = next((mark.name for mark in marks if isinstance(mark, Alias)), None)
        """The key in the document; None when it is the field's name."""
        self.default = default

    def get_default(self) -> Any:
        """What the key is when it is not given; `MISSING` when it must be."""
        return self.default.make() if isinstance(self.default, Factory) else self.default


class _Plan:
    """What is worked out about a class when it is first used."""

    __slots__ = ("absent", "checks", "entries", "fields", "fresh", "required")

    def __init__(self, kind: type[Part]) -> None:
        self.fields = {
            name: FieldInfo(declared, vars(kind).get(name, MISSING))
            for name, declared in get_type_hints(kind, include_extras=True).items()
            if get_origin(declared) is not ClassVar
        }
        readers = {name: reader_of(info.declared) for name, info in self.fields.items()}
        for method, names, mode in checks_of(kind):
            check = method.__get__(None, kind)
            for name in self.fields if names == ("*",) else names:
                before = mode == "before"
                readers[name] = _both(check, readers[name]) if before else _both(readers[name], check)
        keys = {name: info.alias or name for name, info in self.fields.items()}
        self.entries = {
            keys[name]: (name, readers[name], info.default is MISSING) for name, info in self.fields.items()
        }
        """For each key its field, how its value is read, and whether it must be given."""
        self.required = sum(info.default is MISSING for info in self.fields.values())
        self.absent = {name: info.default for name, info in self.fields.items()}
        """The values of a document in which nothing is given, in the order of the declaration."""
        self.fresh = [
            (keys[name], name, info.default.make)
            for name, info in self.fields.items()
            if isinstance(info.default, Factory)
        ]
        self.checks = [method for method, names, _ in checks_of(kind) if not names]


def _both(first: Reader, then: Reader) -> Reader:
    return lambda value: then(first(value))


class _Fields:
    def __get__(self, _: Any, kind: type[Part]) -> dict[str, FieldInfo]:
        return _plan_of(kind).fields


def _plan_of(kind: type[Part]) -> _Plan:
    if kind._plan is None:
        kind._plan = _Plan(kind)
    return kind._plan


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
class Part:
    """Base of all documents: unknown keys are errors, nothing is converted, nothing changes.

    It is used as pydantic's models are, with those of their methods that the program needs.
    """

    _plan: ClassVar[_Plan | None] = None
    model_fields: ClassVar[_Fields] = _Fields()
    """The keys, in the order of the declaration."""

    def __init_subclass__(cls) -> None:
        cls._plan = None  # its own, and not that of a base

    def __init__(self, /, **data: Any) -> None:
        try:
            self._fill(data)
        except (ValueError, AssertionError):
            raise _refusal(type(self), data) from None

    @classmethod
    def model_validate(cls, data: Any) -> Self:
        """The document that plain data make; `PartError` when they make none."""
        if isinstance(data, cls):
            return data
        made = cls.__new__(cls)
        try:
            made._fill(data)
        except (ValueError, AssertionError):
            raise _refusal(cls, data) from None
        return made

    def _fill(self, data: Any) -> None:
        """Take the values from the data, or raise ValueError (AssertionError from somebody's check)."""
        plan = self._plan or _plan_of(type(self))
        if not isinstance(data, dict):
            raise NotTakenError
        values, missing, entry_of = plan.absent.copy(), plan.required, plan.entries.get
        for key, value in data.items():
            entry = entry_of(key)
            if entry is None:
                raise NotTakenError
            name, read, required = entry
            values[name] = read(value)
            missing -= required
        if missing:
            raise NotTakenError
        for key, name, make in plan.fresh:
            if key not in data:
                values[name] = make()
        object.__setattr__(self, "__dict__", values)
        for check in plan.checks:
            check(self)

    @classmethod
    def model_construct(cls, **values: Any) -> Self:
        """A document with these values and the defaults, none of them looked at."""
        made = cls.__new__(cls)
        defaults = {name: info.get_default() for name, info in cls.model_fields.items() if name not in values}
        given = {**defaults, **values}
        object.__setattr__(made, "__dict__", {name: given[name] for name in cls.model_fields})
        return made

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """The same document with some values exchanged, which are not looked at."""
        made = self.__class__.__new__(self.__class__)
        object.__setattr__(made, "__dict__", {**vars(self), **update})
        return made

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] = "python",
        by_alias: bool = False,
        exclude_none: bool = False,
        exclude: Collection[str] = (),
    ) -> dict[str, Any]:
        """Plain data; those of JSON, if that is the mode."""
        fields = self.model_fields
        return {
            (by_alias and fields[name].alias) or name: _dumped(value, mode, by_alias, exclude_none)
            for name, value in vars(self).items()
            if name not in exclude and not (exclude_none and value is None)
        }

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        """The JSON Schema of such a document, which pydantic makes."""
        from gitchange.model import twin  # noqa: PLC0415 - loads pydantic

        return twin.of(cls).model_json_schema(by_alias=True)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be set: documents do not change")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be removed: documents do not change")

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


def _dumped(value: Any, mode: str, by_alias: bool, exclude_none: bool) -> Any:
    if isinstance(value, Part):
        return value.model_dump(
            mode="json" if mode == "json" else "python", by_alias=by_alias, exclude_none=exclude_none
        )
    if isinstance(value, tuple):
        entries = [_dumped(one, mode, by_alias, exclude_none) for one in value]
        return entries if mode == "json" else tuple(entries)
    if isinstance(value, dict):
        return {key: _dumped(held, mode, by_alias, exclude_none) for key, held in value.items()}
    if mode == "json":
        if isinstance(value, dt.datetime):
            text = value.isoformat()
            return text[: -len("+00:00")] + "Z" if text.endswith("+00:00") else text
        if isinstance(value, dt.date):
            return value.isoformat()
        if isinstance(value, bytes):
            return value.decode()
    return value


def _refusal(kind: type[Part], data: Any) -> PartError:
    from gitchange.model import twin  # noqa: PLC0415 - loads pydantic, for documents that are refused

    return twin.refusal(kind, data)
