"""A small judge for JSON Schema (draft 2020-12), of the words that the schema of change files uses.

A word that it does not know is an error, so the schema cannot use one unnoticed.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

_NOTES = {"title", "description", "default", "$schema", "$id", "$defs"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def plain(value: Any) -> Any:
    """TOML data as JSON has it: times are text, as editors' TOML tools hand them over."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value


def problems(value: Any, schema: Any, root: Any, place: str = "") -> list[str]:
    """What the schema does not accept, each with its place."""
    if schema is True or schema == {}:
        return []
    found: list[str] = []
    for word, rule in schema.items():
        match word:
            case "$ref":
                target = root
                for part in rule.removeprefix("#/").split("/"):
                    target = target[part]
                found += problems(value, target, root, place)
            case "type":
                known = isinstance(value, _TYPES[rule]) and (rule == "boolean" or not isinstance(value, bool))
                found += [] if known else [f"{place}: no {rule}"]
            case "anyOf":
                if all(problems(value, one, root, place) for one in rule):
                    found.append(f"{place}: fits none of anyOf")
            case "enum":
                found += [] if value in rule else [f"{place}: not one of {rule}"]
            case "const":
                found += [] if value == rule else [f"{place}: not {rule}"]
            case "required":
                if isinstance(value, dict):
                    found += [f"{place}: lacks {name}" for name in rule if name not in value]
            case "properties":
                if isinstance(value, dict):
                    for name in value.keys() & rule.keys():
                        found += problems(value[name], rule[name], root, f"{place}.{name}")
            case "additionalProperties":
                for name in (
                    value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ()
                ):
                    if rule is False:
                        found.append(f"{place}: unknown {name}")
                    else:
                        found += problems(value[name], rule, root, f"{place}.{name}")
            case "items":
                for index, item in enumerate(value if isinstance(value, list) else ()):
                    found += problems(item, rule, root, f"{place}[{index}]")
            case "minItems":
                found += [f"{place}: too few"] if isinstance(value, list) and len(value) < rule else []
            case "maxItems":
                found += [f"{place}: too many"] if isinstance(value, list) and len(value) > rule else []
            case "minLength":
                found += [f"{place}: too short"] if isinstance(value, str) and len(value) < rule else []
            case "maxLength":
                found += [f"{place}: too long"] if isinstance(value, str) and len(value) > rule else []
            case "pattern":
                fits = not isinstance(value, str) or re.search(rule, value)
                found += [] if fits else [f"{place}: does not fit {rule}"]
            case "minimum":
                found += [f"{place}: too small"] if isinstance(value, int) and value < rule else []
            case "exclusiveMinimum":
                found += [f"{place}: too small"] if isinstance(value, int) and value <= rule else []
            case "format":
                try:
                    if isinstance(value, str):
                        {"date-time": dt.datetime, "date": dt.date}[rule].fromisoformat(value)
                except ValueError:
                    found.append(f"{place}: no {rule}")
            case _:
                if word not in _NOTES:
                    raise AssertionError(f"the schema uses {word!r}, which is no word known here")
    return found
