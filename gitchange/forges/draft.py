"""Drafts: change files in which something is missing, with a mark wherever that is.

Pure. A mark is a comment, so that `gitchange check` refuses the file for what it does not have until somebody writes
it; nothing stands in its place that could be taken for an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gitchange.model.change import IMPACTS, LIKELIHOODS, Change, example
from gitchange.model.finding import Finding
from gitchange.model.layout import write_toml
from gitchange.model.part import MISSING as ABSENT

MARK = "MISSING"
"""What every mark begins with."""

_RISK = ("description", "category", "likelihood", "impact", "mitigations")
_SKELETON = {
    "steps": ("[[steps]]", 'action = ""', 'verify = ""'),
    "risks": (
        "[[risks]]",
        'description = ""',
        'category = ""',
        f'likelihood = ""    # {", ".join(LIKELIHOODS)}',
        f'impact = ""        # {", ".join(IMPACTS)}',
        'mitigations = [""]',
    ),
}


def write_draft(fields: Mapping[str, Any], findings: Iterable[Finding], about: Iterable[str] = ()) -> bytes:
    """The text of a draft: what there is, and a mark for each required key that is not there.

    `findings` say more about what is missing, by their `key`; `about` are lines for its head. It has no id: `gitchange
    new --from` gives one. Read as TOML it says exactly what `fields` say.
    """
    said = {finding.key: finding for finding in findings if finding.key}
    head = [f"# {line}" for text in about for line in _lines(text)]
    front, tables = ["schema = 1\n"], []
    for name, info in Change.model_fields.items():
        key = info.alias or name
        if key in ("schema", "id"):
            continue
        value = fields.get(key)
        if key == "risks" and value:
            tables += [_risk(risk, f"risks[{number}]", said) for number, risk in enumerate(value)]
        elif value is not None and value not in ((), [], {}):
            text = write_toml({key: value})
            (tables if text.startswith("\n[") else front).append(text)
        elif info.default is ABSENT:
            (tables if key in _SKELETON else front).append(_mark(key, said.get(key)))
    top = "".join(f"{line}\n" for line in head)
    return f"{top}\n{''.join(front)}{''.join(tables)}".lstrip("\n").encode()


def is_complete(fields: Mapping[str, Any]) -> bool:
    """Whether every required key is there (`id` and `schema` are given by the program)."""
    required = [info.alias or name for name, info in Change.model_fields.items() if info.default is ABSENT]
    if any(not fields.get(key) for key in required if key not in ("schema", "id")):
        return False
    return all(risk.get(key) for risk in fields["risks"] for key in _RISK)


def _mark(key: str, finding: Finding | None) -> str:
    """A key that is missing: why, and how it is written."""
    why = finding.message if finding is not None else f"`{key}` is missing"
    lines = [f"# {MARK} {line}" for line in _lines(why)[:1]]
    if key in _SKELETON:
        lines += [f"# {line}" for line in _SKELETON[key]]
        return "\n" + "".join(f"{line}\n" for line in lines)
    hint = example((key,))
    lines += [f"# {line}" for line in _lines(hint)]
    return "".join(f"{line}\n" for line in lines)


def _risk(risk: Mapping[str, Any], where: str, said: Mapping[str, Finding]) -> str:
    lines = ["\n[[risks]]\n"]
    for key in _RISK:
        if risk.get(key):
            lines.append(write_toml({key: risk[key]}))
            continue
        finding = said.get(f"{where}.{key}")
        why = finding.message if finding is not None else f"`{key}` is missing"
        lines += [f"# {MARK} {line}\n" for line in _lines(why)[:1]]
        lines += [f"# {line}\n" for line in _lines(example((key,)))]
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """A text for comments: TOML allows no control characters in them."""
    kept = (
        "".join(character if character.isprintable() else " " for character in line)
        for line in text.splitlines()
    )
    return [line.strip() for line in kept if line.strip()] or [""]
