"""The threat model's page and the adversary's cases are one: each row has its folder, each folder its row."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
CASES, HOOK = PAGE.split("## What a server with our hook closes")
HOOK_TESTS = (
    *(ROOT / "tests" / "integration" / f"test_{name}.py" for name in ("hook", "openpgp", "recording")),
    *(ROOT / "tests" / "servers").glob("test_*.py"),
)


def rows(text: str, head: str) -> list[str]:
    """The rows of the tables whose first column has this head."""
    return [line for line in text.splitlines() if line.startswith("| ") and head not in line]


ROWS = rows(CASES, "what they try")


def defined(*files: Path) -> set[str]:
    """The tests in these files."""
    return {name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}


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
    every = defined(*(ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) > 10
    assert named <= every, named - every


def test_every_claim_about_the_hook_is_held_by_a_test_of_the_hook() -> None:
    """Each row says what the hook closes and names tests that play it by real pushes; so does the text around."""
    claims = rows(HOOK, "what remains without it")
    assert len(claims) > 5
    assert all(re.search(r"\| `test_\w+`(, `test_\w+`)* \|$", row) for row in claims), claims
    named = set(re.findall(r"`(test_\w+)`", HOOK))
    known = defined(*HOOK_TESTS)
    assert named <= known, named - known
