"""gitchange.toml: a wrong title stops nobody."""

from __future__ import annotations

import pytest

from gitchange.model.settings import Settings, parse_settings


def test_settings_are_read() -> None:
    """Title and links are taken from the file."""
    settings, found = parse_settings(b'title = "Acme"\n[links]\nforge = "https://example.org/acme"\n')
    assert (settings.title, settings.links, found) == ("Acme", {"forge": "https://example.org/acme"}, ())


def test_an_empty_file_gives_the_defaults() -> None:
    """Nothing in the file is required."""
    assert parse_settings(b"") == (Settings(), ())


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        (b"\n[links\n", "toml.syntax", 2),
        (b"titel = 'x'\n", "settings.unknown-key", 1),
        (b"\ntitle = 5\n", "settings.wrong-type", 2),
        (b"\xff", "toml.encoding", 1),
    ],
    ids=["no TOML", "an unknown key", "a wrong type", "no UTF-8"],
)
def test_wrong_settings_give_the_defaults_and_a_finding(raw: bytes, code: str, line: int) -> None:
    """What is wrong with the settings is a finding at its place, and the defaults hold."""
    settings, found = parse_settings(raw)
    assert settings == Settings()
    assert [(f.code, f.path, f.line) for f in found] == [(code, "gitchange.toml", line)]
