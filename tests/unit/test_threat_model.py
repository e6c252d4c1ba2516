"""The threat model's page names tests; they must be there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_attack_of_the_threat_model_is_played_by_a_test() -> None:
    """Each test that docs/threat-model.md names exists, and each row of its tables names one."""
    page = (ROOT / "docs" / "threat-model.md").read_text()
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    named = set(re.findall(r"`(test_\w+)`", page))
    assert named <= defined, named - defined
    rows = [line for line in page.splitlines() if line.startswith("| ") and "what they try" not in line]
    assert len(rows) > 20
    assert all("`test_" in row for row in rows)
