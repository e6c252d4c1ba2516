"""Classes of named values behave as frozen dataclasses with slots do, and cost little to define."""

from __future__ import annotations

import copy
import pickle
from functools import cached_property
from typing import Any

import pytest

from gitchange.values import Value, field, replace


class Point(Value):
    """Two numbers and a name."""

    x: int
    """To the right."""
    y: int = 0
    name: str = "here"

    @property
    def far(self) -> int:
        """How far."""
        return self.x + self.y


class Marked(Point):
    """One with another default and more fields."""

    marks: list[str] = field(default_factory=list)
    name: str = "there"


class Aside(Value):
    """One with a field that says nothing about it."""

    x: int
    found: dict[str, int] = field(aside=True)


class Count(Value, frozen=False):
    """One that goes on."""

    total: int = 0
    names: list[str] = field(default_factory=list)


class Keeping(Value, slots=False):
    """One that keeps what it worked out."""

    x: int

    @cached_property
    def made(self) -> list[int]:
        """A list."""
        return [self.x]


class One(Value):
    """A single value."""

    x: object


class Nothing(Value):
    """No value."""


class Same(Value):
    """The fields of Point, but another class."""

    x: int
    y: int = 0
    name: str = "here"


ANY: list[Value] = [Point(1), Marked(1, marks=["a"]), Aside(1, {}), Count(2), One((1, 2)), Nothing()]


def test_fields_are_given_by_place_or_name_and_have_defaults() -> None:
    """What is left out has the value that the class gives."""
    point = Point(1, name="a")
    assert (point.x, point.y, point.name) == (1, 0, "a")
    assert (Point(1, 2, "b").y, Point(y=2, x=1).x) == (2, 1)


@pytest.mark.parametrize(
    ("given", "named"), [((), {}), ((1, 2, "a", 4), {}), ((1,), {"z": 1}), ((1,), {"x": 1})]
)
def test_what_is_no_field_or_lacks_is_refused(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    """A constructor takes the fields, and names the class when it cannot."""
    for _ in ("the first object", "a later one"):
        with pytest.raises(TypeError, match=r"Point\.__new__\(\)"):
            Point(*given, **named)


def test_default_factory_makes_one_for_each() -> None:
    """Two objects never share what a factory made."""
    one, two = Marked(1), Marked(1)
    one.marks.append("a")
    assert (one.marks, two.marks) == (["a"], [])
    assert Marked(1, marks=["b"]).marks == ["b"]
    assert Marked(1, marks=[]).marks == []


def test_class_adds_fields_to_those_of_its_base() -> None:
    """Those of the base come first, and a default may be another."""
    assert Point.__match_args__ == ("x", "y", "name")
    assert Marked.__match_args__ == ("x", "y", "name", "marks")
    marked = Marked(1, 2)
    assert (marked.name, marked.far, isinstance(marked, Point)) == ("there", 3, True)
    assert type(marked) is Marked


def test_class_whose_base_has_made_objects_makes_its_own() -> None:
    """A class defined later is not filled as its base is."""
    Point(1)

    class Later(Point):
        more: int = 5

    assert type(Later(1)) is Later
    assert Later(1, more=7).more == 7


@pytest.mark.parametrize("value", ANY, ids=lambda value: type(value).__name__)
def test_object_is_of_its_class(value: Value) -> None:
    """However it was filled, its type is the class that was called."""
    assert type(value).__mro__.index(Value) in (1, 2)
    assert type(value).__name__ == type(value).__qualname__


def test_frozen_objects_cannot_be_changed() -> None:
    """Neither a field nor anything else can be set or deleted."""
    for value in (Point(1), Marked(1), Keeping(1)):
        for name in ("x", "other"):
            with pytest.raises(AttributeError, match=f"cannot assign to '{name}'"):
                setattr(value, name, 2)
            with pytest.raises(AttributeError, match=f"cannot delete '{name}'"):
                delattr(value, name)
        assert value.x == 1


def test_others_can_be_changed_in_their_fields_only() -> None:
    """With frozen=False a field is assigned, and what is no field is refused."""
    count = Count()
    count.total += 2
    assert (count, Count(2)) == (Count(2), count)
    with pytest.raises(AttributeError):
        count.other = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="unhashable"):
        hash(count)


def test_objects_have_no_room_but_for_their_fields() -> None:
    """There is no dictionary in each, unless the class asks for one."""
    for value in ANY:
        assert not hasattr(value, "__dict__")
    keeping = Keeping(1)
    assert keeping.made is keeping.made
    assert replace(keeping).made is not keeping.made
    assert keeping == Keeping(1)


def test_equal_are_objects_of_one_class_with_equal_fields() -> None:
    """Values of another class are never equal, nor is a tuple."""
    assert Point(1) == Point(1, 0, "here")
    assert Point(1) != Point(2)
    assert Point(1) != Same(1)
    assert Point(1) != Marked(1, name="here")
    assert Point(1) != (1, 0, "here")
    assert hash(Point(1)) == hash(Point(1, 0))
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())


def test_hash_needs_fields_with_one() -> None:
    """An object that holds a list has no hash."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(Marked(1))


def test_field_aside_is_neither_compared_nor_shown() -> None:
    """Two that differ in such a field alone are the same."""
    assert Aside(1, {"a": 1}) == Aside(1, {})
    assert hash(Aside(1, {"a": 1})) == hash(Aside(1, {}))
    assert repr(Aside(1, {"a": 1})) == "Aside(x=1)"
    assert replace(Aside(1, {"a": 1}), x=2).found == {"a": 1}


def test_text_names_class_and_fields() -> None:
    """Programmers see what to type."""
    assert repr(Marked(1, marks=["a"])) == "Marked(x=1, y=0, name='there', marks=['a'])"
    assert repr(Nothing()) == "Nothing()"
    assert repr(One("a")) == "One(x='a')"


def test_fields_match_by_place() -> None:
    """`match` takes them in their order."""
    match Point(1, 2):
        case Point(x, y, "here"):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("value", ANY, ids=lambda value: type(value).__name__)
def test_copies_are_equal(value: Value) -> None:
    """What went through pickle or was copied, with its fields aside, is the same again."""
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - our own
        assert (again, type(again)) == (value, type(value))
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(Aside(1, {"a": 1}))).found == {"a": 1}  # noqa: S301 - our own


def test_replace_leaves_the_others() -> None:
    """One field changes in a new object; what is no field is refused."""
    point = Point(1, 2)
    assert replace(point, y=5) == Point(1, 5)
    assert point == Point(1, 2)
    with pytest.raises(TypeError):
        replace(point, z=1)


def test_default_does_not_shadow_the_field() -> None:
    """The class gives the place of a field, not its default."""
    assert not isinstance(vars(Point)["y"], int)


def test_super_works() -> None:
    """Methods of a class reach those of its base."""

    class Higher(Point):
        @property
        def far(self) -> int:
            """One further."""
            return super().far + 1

    assert Higher(1, 1).far == 3
