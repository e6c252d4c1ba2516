"""Classes of named values, as the standard library's dataclasses: a command loads a hundred of them and fills a few.

`class Place(Value)` with annotated names has a constructor, `==`, a hash, a text for programmers, `match` by position,
and nobody can assign to its fields. A dataclass generates all that as code when it is *defined*, which for all of ours
takes longer than a whole command may. Here a definition only collects names; the constructor is generated when the
first object is made. Deliberately less than dataclasses: every field can be given by position, nothing runs after
construction. What the values mean, and whether they are right, is left to the classes themselves.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` takes longer to load than all classes of a command to define
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform

    Some = TypeVar("Some", bound="Value")
else:

    def dataclass_transform(**_):
        """Only for type checkers."""
        return lambda found: found


_ABSENT: Any = object()


class _Field:
    """What is said of a field beside its type."""

    __slots__ = ("aside", "default_factory")

    def __init__(self, default_factory: Callable[[], object] | None, aside: bool) -> None:
        self.default_factory = default_factory
        self.aside = aside


def field(*, default_factory: Callable[[], object] = _ABSENT, aside: bool = False) -> Any:
    """A field with a default that is made anew for each object, or one that is neither compared nor shown."""
    return _Field(None if default_factory is _ABSENT else default_factory, aside)


class _Kind(type):
    """Collects the fields of a class and lays out its objects."""

    __match_args__: tuple[str, ...]

    def __new__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        frozen: bool = True,
        slots: bool = True,
    ) -> _Kind:
        """With `frozen=False` fields can be assigned; with `slots=False` objects can keep other things beside them.

        1. The fields are those of the base, and then those annotated here.
        2. Values given in the class are defaults; each field has a place of its own in the object.
        3. What can be assigned to has no hash.
        """
        # 1.
        inherited: dict[str, Any] = {}
        for base in bases:
            inherited |= getattr(base, "_fields", {})
        own = tuple(namespace.get("__annotations__", ()))
        # 2.
        fields = inherited | {item: namespace.pop(item, _ABSENT) for item in own}
        places = tuple(item for item in own if item not in inherited)
        namespace["__slots__"] = places if slots else (*places, "__dict__")
        namespace["__match_args__"] = names = tuple(fields)
        compared = tuple(
            item for item, said in fields.items() if not (isinstance(said, _Field) and said.aside)
        )
        namespace["_fields"] = fields
        namespace["_compared"] = compared
        namespace["_all_of"] = _reader(names)
        namespace["__new__"] = staticmethod(_first)
        namespace["_compared_of"] = namespace["_all_of"] if compared == names else _reader(compared)
        # 3.
        if not frozen:
            namespace["__hash__"] = None
            namespace["__setattr__"] = object.__setattr__
            namespace["__delattr__"] = object.__delattr__
        return type.__new__(cls, name, bases, namespace)


def _reader(names: tuple[str, ...]) -> Any:
    """Gives the values under these names as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    if not names:
        return staticmethod(lambda _: ())
    only = attrgetter(*names)
    return staticmethod(lambda value: (only(value),))


def _first(of: Any, /, *args: object, **given: object) -> object:
    """The first object of a class; those after it are made by a constructor of its own."""
    of.__new__ = _constructor(of)
    return of.__new__(of, *args, **given)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value(metaclass=_Kind):
    """An object of named values."""

    if TYPE_CHECKING:
        _fields: dict[str, Any]
        _compared: tuple[str, ...]
        _all_of: Callable[[object], tuple[Any, ...]]
        _compared_of: Callable[[object], tuple[Any, ...]]
    else:

        def __setattr__(self, name, _):
            raise AttributeError(f"cannot assign to {name!r} of {type(self).__qualname__}")

        def __delattr__(self, name):
            raise AttributeError(f"cannot delete {name!r} of {type(self).__qualname__}")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self._compared_of(self) == self._compared_of(other)

    def __hash__(self) -> int:
        return hash(self._compared_of(self))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._compared)
        return f"{type(self).__qualname__}({shown})"

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return type(self), self._all_of(self)


def replace(value: Some, /, **changes: Any) -> Some:
    """The same with other values for some fields."""
    return type(value)(**dict(zip(value._fields, value._all_of(value), strict=True)) | changes)


def _constructor(of: type[Value]) -> Any:
    """`__new__` for a class, in plain assignments.

    The objects of a frozen class are filled as those of a subclass that is not, and made its own at the end: to go
    around the guard of each field would take several times as long.
    """
    frozen = of.__setattr__ is not object.__setattr__
    filled: type = of
    if frozen:
        lifted = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
        filled = type.__new__(_Kind, of.__name__, (of,), lifted)
    known: dict[str, Any] = {"_new": object.__new__, "_filled": filled, "_absent": _ABSENT}
    parameters, lines = ["_class"], ["_self = _new(_filled)"]
    for name, said in of._fields.items():
        value = name
        if isinstance(said, _Field) and said.default_factory is not None:
            known[f"_make_{name}"] = said.default_factory
            parameters.append(f"{name}=_absent")
            value = f"_make_{name}() if {name} is _absent else {name}"
        elif said is _ABSENT or isinstance(said, _Field):
            parameters.append(name)
        else:
            known[f"_default_{name}"] = said
            parameters.append(f"{name}=_default_{name}")
        lines.append(f"_self.{name} = {value}")
    if frozen:
        lines.append("_self.__class__ = _class")
    lines.append("return _self")
    source = f"def __new__({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(source, known)  # noqa: S102 - of the names of fields, which the program itself spells
    known["__new__"].__qualname__ = f"{of.__qualname__}.__new__"  # for whoever forgets a field
    return staticmethod(known["__new__"])
