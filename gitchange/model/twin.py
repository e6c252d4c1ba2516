"""The pydantic models of documents: what is wrong with a bad one, and the JSON Schema.

Each class of documents (`gitchange.model.part`) has a twin, which is made from its declaration and says the same to
pydantic. Good documents are read without it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic
from pydantic import BaseModel, ConfigDict, ValidationError, ValidatorFunctionWrapHandler, create_model

from gitchange.model.part import (
    MISSING,
    AfterValidator,
    Alias,
    Array,
    Aware,
    Factory,
    Limits,
    Matching,
    OneComplaint,
    Part,
    PartError,
    checks_of,
)

_STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
_DEPTH = 20
"""Parts in data are looked for so deep; no document is deeper."""

_TWINS: dict[type[Part], type[BaseModel]] = {}
_KINDS: dict[type[BaseModel], type[Part]] = {}


class UnexplainedError(PartError):
    """Refused, and pydantic sees no reason: a defect of this program, and no good document either."""


def of(kind: type[Part]) -> type[BaseModel]:
    """The twin of a class of documents."""
    if kind not in _TWINS:
        fields: dict[str, Any] = {
            name: (declared(info.declared), _default(info.default))
            for name, info in kind.model_fields.items()
        }
        checks: dict[str, Any] = {}
        for number, (method, names, mode) in enumerate(checks_of(kind)):
            if names:
                check = pydantic.field_validator(*names, mode=mode)(method)  # type: ignore[call-overload]
            else:
                check = pydantic.model_validator(mode="after")(_whole(method))
            checks[f"check_{number}"] = check
        model: type[BaseModel] = create_model(
            kind.__name__,
            __config__=_STRICT,
            __doc__=kind.__doc__,
            __module__=kind.__module__,
            __validators__=checks,
            **fields,
        )
        _TWINS[kind], _KINDS[model] = model, kind
    return _TWINS[kind]


def refusal(kind: type[Part], data: Any) -> PartError:
    """What to raise about data that make no document of this kind."""
    try:
        of(kind).model_validate(given(data))
    except ValidationError as error:
        return PartError(str(error), error.errors(include_url=False))
    reason = ValueError("is refused, and gitchange cannot say why: please report this as a bug")
    message = f"{kind.__name__} {reason}"
    problem = {"type": "value_error", "loc": (), "msg": message, "input": data, "ctx": {"error": reason}}
    return UnexplainedError(message, [problem])


def given(data: Any, depth: int = _DEPTH) -> Any:
    """Data as the twins take them: with twins in the place of parts."""
    if isinstance(data, Part):
        fields = data.model_fields
        values = {fields[name].alias or name: given(value) for name, value in vars(data).items()}
        return of(type(data)).model_construct(**values)
    if depth and type(data) is dict:
        return {key: given(value, depth - 1) for key, value in data.items()}
    if depth and type(data) in (list, tuple):
        return type(data)(given(value, depth - 1) for value in data)
    return data


def document_of(value: Any) -> Any:
    """What a twin holds as documents hold it: with parts in the place of twins."""
    if isinstance(value, BaseModel):
        return _KINDS[type(value)].model_construct(
            **{name: document_of(held) for name, held in vars(value).items()}
        )
    if isinstance(value, dict):
        return {key: document_of(held) for key, held in value.items()}
    return tuple(map(document_of, value)) if isinstance(value, tuple) else value


def _whole(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def on_twin(self: BaseModel) -> BaseModel:
        check(document_of(self))
        return self

    return on_twin


def _default(default: Any) -> Any:
    if default is MISSING:
        return ...
    return pydantic.Field(default_factory=default.make) if isinstance(default, Factory) else given(default)


def declared(annotation: Any) -> Any:
    """A declared type in pydantic's own words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return of(annotation)
    if origin is Annotated:
        base, *marks = arguments
        if any(isinstance(mark, Aware) for mark in marks):
            return pydantic.AwareDatetime
        return Annotated[(declared(base), *map(_marked, marks))]
    if origin in (Union, UnionType):
        return functools.reduce(operator.or_, map(declared, arguments))
    if origin in (dict, tuple):
        return origin[tuple(map(declared, arguments))]
    return annotation


def _marked(mark: Any) -> Any:
    match mark:
        case AfterValidator(check=check):
            return pydantic.AfterValidator(check)
        case Limits(ge=ge, gt=gt, min_length=least, max_length=most):
            return pydantic.Field(ge=ge, gt=gt, min_length=least, max_length=most)
        case Matching(pattern=pattern):
            return pydantic.Field(pattern=pattern)
        case Alias(name=name):
            return pydantic.Field(alias=name)
        case OneComplaint(text=text):
            return pydantic.WrapValidator(_complaining(text))
        case Array():
            return pydantic.Strict(False)
        case _:
            raise TypeError(f"pydantic is not told what {mark!r} means")


def _complaining(text: str) -> Callable[[Any, ValidatorFunctionWrapHandler], Any]:
    def checked(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(text) from None

    return checked
