"""docs/policy.md: its examples together are a policy that can be read, and it tells of every key."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from gitchange.model.part import Part
from gitchange.model.policy import PolicyFile, StandardModel, SystemsFile, load_policy

PAGE = Path(__file__).parents[3] / "docs" / "policy.md"
BLOCKS = dict(re.findall(r"^```toml (\S+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))


def test_the_examples_are_a_policy() -> None:
    """The blocks of the page, as files of a folder."""
    files = {name: text.encode() for name, text in BLOCKS.items()}
    policy, found = load_policy({**files, "allowed_signers": b""}, "7" * 40)
    assert policy is not None, found
    assert [freeze.kind for freeze in policy.file.freezes] == ["soft", "hard"]
    assert set(policy.models["dependency-update"].parameters) == {"package", "ring"}


def _models(annotation: Any) -> Iterator[type[Part]]:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
    if get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for part in get_args(annotation):
            yield from _models(part)


def _keys(model: type[Part], seen: set[type[Part]]) -> Iterator[str]:
    if model in seen:
        return
    seen.add(model)
    for name, info in model.model_fields.items():
        yield name
        for inner in _models(info.annotation):
            yield from _keys(inner, seen)


def test_the_page_tells_of_every_key() -> None:
    """A key that is added to the policy is added to the page."""
    told = set(re.findall(r"[a-z_]+", PAGE.read_text()))
    keys = {key for model in (PolicyFile, SystemsFile, StandardModel) for key in _keys(model, set())}
    assert keys - told == set()
    assert {"suspended_after", "recurrence", "emergency_validation", "depends_on"} <= keys
