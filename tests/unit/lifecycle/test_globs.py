"""Patterns of paths and texts."""

from __future__ import annotations

import pytest

from gitchange.lifecycle.globs import matches_path, matches_text


@pytest.mark.parametrize(
    ("glob", "fits", "does_not"),
    [
        ("api/**", ["api/a", "api/b/c.rs"], ["api", "apis/a", "web/api/a"]),
        ("api/", ["api/a", "web/api/a"], ["api", "apis/a"]),
        ("/api/", ["api/a"], ["web/api/a"]),
        ("Cargo.lock", ["Cargo.lock", "api/Cargo.lock"], ["api/Cargo.lock/x", "XCargo.lock"]),
        ("*.md", ["README.md", "docs/a.md"], ["a.mdx", "a.md/b"]),
        ("docs/*.md", ["docs/a.md"], ["docs/b/a.md", "x/docs/a.md"]),
        ("**/tests/**", ["tests/a", "api/tests/b/c"], ["api/test/a", "mytests/a"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["a/xb", "ab"]),
        ("file?.txt", ["file1.txt"], ["file.txt", "file/.txt"]),
        ("(a|b)[c]+", ["(a|b)[c]+"], ["ac", "a"]),
        ("**", ["a", "a/b"], []),
    ],
)
def test_paths(glob: str, fits: list[str], does_not: list[str]) -> None:
    """As git's own files of patterns have them."""
    assert [path for path in fits if not matches_path(path, [glob])] == []
    assert [path for path in does_not if matches_path(path, [glob])] == []


def test_any_of_several() -> None:
    """One pattern that fits is enough; none never is."""
    assert matches_path("a/b", ["x", "a/**"])
    assert not matches_path("a/b", [])


def test_texts() -> None:
    """A star takes anything, and case does not count."""
    assert matches_text("renovate[bot]@example.org", ["renovate[bot]@*"])
    assert matches_text("API/v1.2", ["api/v*"])
    assert not matches_text("xapi/v1.2", ["api/v*"])
    assert not matches_text("bo@example.org.evil.test", ["*@example.org"])
