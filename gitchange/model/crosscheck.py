"""What a change file says against what the policy knows: systems, persons, models, custom fields.

Pure; the caller says which other changes exist.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Container

from gitchange.model.change import ParsedChange
from gitchange.model.finding import Finding, in_order
from gitchange.model.policy import RECORDER_ROLE, CustomField, Policy
from gitchange.model.toml import KeyPath, dotted

_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "datetime": (dt.datetime,),
    "date": (dt.date,),
}


def crosscheck(parsed: ParsedChange, policy: Policy, known_changes: Container[str]) -> tuple[Finding, ...]:
    """All references of a change file that lead nowhere, each with a mend.

    Looks at the raw data: what can be checked is checked even where other keys are wrong.
    """
    data = parsed.document.data
    found: list[Finding] = []

    def at(key: KeyPath, code: str, message: str, hint: str) -> None:
        line, column = parsed.document.positions.find(key)
        found.append(
            Finding(f"change.{code}", message, hint, "error", parsed.path, line, column, dotted(key))
        )

    def suggest(word: str, known: Collection[str], otherwise: str) -> str:
        import difflib  # noqa: PLC0415 - only after a mistake

        close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
        if close:
            return f"did you mean {close[0]!r}?"
        return otherwise + (f" (known: {', '.join(sorted(known)[:8])})" if known else "")

    systems = _texts(data.get("systems"))
    for index, name in systems:
        if name not in policy.systems:
            hint = suggest(name, policy.systems, "add it to policy/systems.toml")
            at(("systems", index), "unknown-system", f"no system {name!r} in policy/systems.toml", hint)
    requester = data.get("requester")
    if isinstance(requester, str) and requester not in policy.people:
        hint = suggest(requester, policy.people, "give the person a role in policy/policy.toml")
        at(("requester",), "unknown-principal", f"nobody is called {requester!r} in the policy", hint)
    elif isinstance(requester, str) and requester not in policy.requesters:
        hint = "a person requests: name the one who answers for the change"
        message = f"{requester} is a {RECORDER_ROLE}: a machine that keeps results and requests nothing"
        at(("requester",), "recorder-requests", message, hint)
    model = data.get("model")
    if isinstance(model, str) and model not in policy.models:
        hint = suggest(model, policy.models, "add the model to policy/models/")
        at(("model",), "unknown-model", f"there is no standard change model {model!r}", hint)
    elif isinstance(model, str) and isinstance(parameters := data.get("parameters"), dict):
        for name in parameters:
            if name not in policy.models[model].parameters:
                hint = suggest(
                    name, policy.models[model].parameters, "remove it: the model has no parameters"
                )
                message = f"the model {model!r} has no parameter {name!r}"
                at(("parameters", name), "unknown-parameter", message, hint)
    known = {e for _, name in systems if name in policy.systems for e in policy.systems[name].environments}
    for index, name in _texts(data.get("environments")):
        if name not in known:
            hint = suggest(name, known, "add it to the system in policy/systems.toml")
            message = f"none of the change's systems has the environment {name!r}"
            at(("environments", index), "unknown-environment", message, hint)
    for index, other in _texts(data.get("depends_on")):
        if other not in known_changes:
            at(("depends_on", index), "unknown-change", f"there is no change {other}", "correct the id")
    amends = data.get("amends")
    if isinstance(amends, str) and amends not in known_changes:
        at(("amends",), "unknown-change", f"there is no change {amends}", "correct the id")
    custom = data.get("custom")
    given = custom if isinstance(custom, dict) else {}
    for name, value in given.items():
        if (declared := policy.file.custom.get(name)) is None:
            hint = suggest(name, policy.file.custom, "declare it under [custom] in policy/policy.toml")
            at(("custom", name), "unknown-key", f"the policy declares no custom field {name!r}", hint)
        elif problem := _custom_problem(declared, value):
            at(("custom", name), "wrong-value", f"the custom field {name!r} {problem}", "")
    for name, declared in policy.file.custom.items():
        if declared.required and name not in given:
            message = f"the policy requires the custom field {name!r}"
            at(("custom", name), "missing-key", message, f"add it under [custom] ({declared.type})")
    return in_order(found)


def _texts(value: object) -> list[tuple[int, str]]:
    """The texts of an array with their indexes; nothing when it is no array."""
    items = value if isinstance(value, list) else []
    return [(index, item) for index, item in enumerate(items) if isinstance(item, str)]


def _custom_problem(declared: CustomField, value: object) -> str:
    kinds = _TYPES[declared.type]
    is_right = isinstance(value, kinds) and (declared.type == "boolean" or not isinstance(value, bool))
    if declared.type == "date" and isinstance(value, dt.datetime):
        is_right = False
    if not is_right:
        return f"must be of type {declared.type}"
    if isinstance(value, str) and not value.strip():
        return "is empty"
    if declared.choices is not None and value not in declared.choices:
        return f"is {value!r}; it must be one of {', '.join(declared.choices)}"
    return ""
