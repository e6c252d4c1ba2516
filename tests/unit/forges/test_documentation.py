"""docs/importing.md has the headings and columns that are understood, all of them and no others."""

from __future__ import annotations

from pathlib import Path

from gitchange.forges import parts
from gitchange.model.change import Imported

LINES = (Path(__file__).parents[3] / "docs" / "importing.md").read_text().split("\n")


def test_every_heading_is_documented() -> None:
    """The table of headings says what the program understands."""
    rows = [line for line in LINES if line.startswith("| `")]
    for part in (
        *parts.REQUIRED[1:],
        "security_impact",
        "privacy_impact",
        "communication",
        "environments",
        "type",
    ):
        assert f"| `{part}` | {', '.join(parts.headings_of(part))} |" in rows
    for form, (one, other) in parts.joined_headings().items():
        assert f"| `{one}` and `{other}` | {form} |" in rows
    for part in ("risks", "steps"):
        for key, names in parts.columns_of(part).items():
            assert f"| `{key}` | {', '.join(names)} |" in rows


def test_every_key_of_imported_is_documented() -> None:
    """The table of [imported] has the model's keys."""
    table = LINES[LINES.index("### `[imported]`") :]
    assert [line.split("`")[1] for line in table if line.startswith("| `")] == list(Imported.model_fields)
