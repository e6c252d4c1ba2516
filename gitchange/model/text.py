"""Kinds of text that documents hold, and how pydantic's complaints become findings.

Short texts (titles, names) are one line without control characters; long texts are Markdown with
line breaks. Neither may be blank, and neither may carry characters that move a cursor or run an
escape sequence: what stands in a document is shown in terminals (DESIGN.md section 4, rule 8).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Annotated, Any, TypeVar

from gitchange.errors import UsageError
from gitchange.model.finding import Finding
from gitchange.model.part import AfterValidator, Limits, Part, PartError
from gitchange.model.toml import Document, KeyPath, dotted

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MOVES = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
_NO_PRINCIPAL = re.compile(r"[\s,*?!\"'<>]")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def _short(value: str) -> str:
    # What is printable has none of all that is refused here, and no blank but the space: mostly that is all to ask.
    if value.isprintable() and value and value[0] != " " != value[-1]:
        return value
    if not value.strip():
        raise ValueError("is empty")
    if value != value.strip():
        raise ValueError("begins or ends with blanks")
    if "\n" in value or "\t" in value:
        raise ValueError("must be a single line without tabs")
    if match := _CONTROL.search(value) or _MOVES.search(value):
        raise ValueError(f"contains the control character U+{ord(match[0]):04X}")
    return value


def _long(value: str) -> str:
    lines = value.replace("\n", "")
    if lines.isprintable() and lines.strip():
        return value
    if not value.strip():
        raise ValueError("is empty")
    if match := _CONTROL.search(value.replace("\r\n", "\n")):
        raise ValueError(f"contains the control character U+{ord(match[0]):04X}")
    return value


def _principal(value: str) -> str:
    _short(value)
    if _NO_PRINCIPAL.search(value):
        raise ValueError("is no principal: blanks, commas, quotes, * ? ! < > cannot be part of one")
    return value


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError("may have letters, digits, '.', '_' and '-' only (at most 64)")
    return value


ShortText = Annotated[str, Limits(max_length=300), AfterValidator(_short)]
"""One line, at most 300 characters, not blank."""
LongText = Annotated[str, Limits(max_length=200_000), AfterValidator(_long)]
"""Markdown, at most 200,000 characters, not blank."""
Comment = Annotated[
    str, Limits(max_length=200_000), AfterValidator(lambda text: _long(text) if text else text)
]
"""Markdown like `LongText`, or nothing at all."""
Principal = Annotated[str, Limits(max_length=254), AfterValidator(_principal)]
"""A person as the policy names one, usually an e-mail address."""
Slug = Annotated[str, AfterValidator(_slug)]
"""A name that is also good as part of a file name or of an address."""


def without_controls(text: str) -> str:
    """A text with a mark in the place of each character that no document may have."""
    plain = _MOVES.sub("\ufffd", _CONTROL.sub("\ufffd", text)) or "\ufffd"
    return plain.encode("utf-8", "replace").decode()  # what is no text at all


def described(schema: dict[str, Any], *models: type[Part]) -> dict[str, Any]:
    """The JSON Schema of a document, each key with its docstring as its description.

    pydantic offers the same, but reads the source of every class whenever the program starts.
    """
    import ast  # noqa: PLC0415 - for this alone
    import inspect  # noqa: PLC0415

    waiting = list(models)
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        shape = schema if schema.get("title") == model.__name__ else schema["$defs"].get(model.__name__, {})
        lines = ast.parse(inspect.getsource(model)).body[0]
        for field, text in pairwise(getattr(lines, "body", ())):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str() as words)),
                ) if name in model.model_fields:
                    key = model.model_fields[name].alias or name
                    if key in shape.get("properties", {}):
                        shape["properties"][key]["description"] = inspect.cleandoc(words)
    return schema


Made = TypeVar("Made", bound=Part)


def said(model: type[Made], **fields: Any) -> Made:
    """A document part from what a user said; UsageError with every problem when it cannot be one."""
    try:
        return model(**fields)
    except PartError as error:
        problems = []
        for problem in error.problems:
            name = dotted(tuple(problem["loc"]))
            reason = str(problem.get("ctx", {}).get("error") or problem["msg"])
            problems.append(f"{name}: {reason}" if name else reason)
        raise UsageError("; ".join(problems)) from None


_KINDS = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "an array",
    "tuple_type": "an array",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "datetime_type": "a date and time such as 2026-11-22T20:00:00+01:00",
    "date_type": "a date such as 2026-11-22",
}


def _kind_of(value: Any) -> str:
    names: list[tuple[type, str]] = [
        (bool, "a boolean"),
        (str, "text"),
        (int, "a number"),
        (float, "a number"),
        (dict, "a table"),
        (list, "an array"),
    ]
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")


def findings_of(
    error: PartError,
    document: Document,
    model: type[Part],
    *,
    prefix: str,
    path: str,
    example: Callable[[KeyPath], str] = lambda _: "",
) -> list[Finding]:
    """All of pydantic's complaints, in the words and at the places that a writer of the file needs."""
    found: list[Finding] = []
    for problem in error.problems:
        loc: KeyPath = tuple(problem["loc"])
        kind = problem["type"]
        name = dotted(loc)
        hint = ""
        if kind == "missing":
            if any(loc[: len(b)] == b or b[: len(loc)] == loc for b in document.broken):
                continue  # it stands there and could not be read; the syntax finding tells
            code, message = "missing-key", f"`{name}` is missing"
            hint = example(loc)
            line, column = document.positions.find(loc[:-1])
            found.append(Finding(f"{prefix}.{code}", message, hint, "error", path, line, column, name))
            continue
        if kind == "extra_forbidden":
            code, message = "unknown-key", f"`{name}` is not a key of this document"
            close = _closest(str(loc[-1]), _keys_at(model, loc[:-1]))
            hint = f"did you mean `{close[0]}`?" if close else "remove it, or declare it as a custom field"
        elif kind == "literal_error":
            code = "wrong-value"
            message = f"`{name}` is {problem['input']!r}; it must be {problem['ctx']['expected']}"
            words = re.findall(r"'([^']+)'", problem["ctx"]["expected"])
            close = _closest(str(problem["input"]), words)
            hint = f"did you mean {close[0]!r}?" if close else ""
        elif kind in _KINDS:
            code = "wrong-type"
            message = f"`{name}` must be {_KINDS[kind]}, not {_kind_of(problem['input'])}"
        elif kind == "too_short":
            if problem["input"]:
                continue  # it has entries, each with problems of its own
            code, message = "empty", f"`{name}` needs at least one entry"
            hint = example(loc)
        elif kind == "string_too_long":
            code = "too-long"
            message = f"`{name}` has more than {problem['ctx']['max_length']:,} characters"
        elif kind == "value_error":
            reason = str(problem["ctx"]["error"])
            code = "empty" if reason == "is empty" else "wrong-value"
            hint = example(loc) if code == "empty" else ""
            message = f"`{name}` {reason}" if name else reason
        else:
            code, message = "wrong-value", f"`{name}`: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
        line, column = document.positions.find(loc)
        found.append(Finding(f"{prefix}.{code}", message, hint, "error", path, line, column, name))
    return found


def _keys_at(model: Any, loc: Iterable[str | int]) -> list[str]:
    """The keys that a table at this place may have; empty when it has none of its own."""
    for part in loc:
        if isinstance(part, int):
            continue
        fields = {info.alias or name: info for name, info in getattr(model, "model_fields", {}).items()}
        if part not in fields:
            return []
        model = _model_in(fields[part].annotation)
    return [info.alias or name for name, info in getattr(model, "model_fields", {}).items()]


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None


def _closest(word: str, words: Iterable[str]) -> list[str]:
    import difflib  # noqa: PLC0415 - only after a mistake

    return difflib.get_close_matches(word, list(words), n=1)
