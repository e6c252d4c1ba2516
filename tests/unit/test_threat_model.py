"""The threat model's page and the adversary's cases are one: each row has its folder, each folder its row."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "what they try" not in line]


def test_every_row_of_the_threat_model_has_its_case() -> None:
    """Each row names exactly one folder of tests/cases, no two the same, and each folder is named by a row."""
    named = [re.findall(r"\[([\w-]+)\]\(\.\./tests/cases/\1/README\.md\)", row) for row in ROWS]
    assert len(ROWS) > 40
    assert all(len(names) == 1 for names in named), [
        row for row, names in zip(ROWS, named, strict=True) if len(names) != 1
    ]
    folders = sorted(path.parent.name for path in (ROOT / "tests" / "cases").glob("*/attack.sh"))
    assert sorted(name for names in named for name in names) == folders


def test_every_test_that_the_threat_model_names_exists() -> None:
    """The tests beside the cases, which play more variants, are there."""
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 10
    assert named <= defined, named - defined
