"""Real keys, made once for each worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import make_key

KINDS = {
    "ed25519": ("-t", "ed25519"),
    "ecdsa-256": ("-t", "ecdsa", "-b", "256"),
    "ecdsa-384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa-521": ("-t", "ecdsa", "-b", "521"),
    "rsa-3072": ("-t", "rsa", "-b", "3072"),
}


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to the agent of whoever runs it."""
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("SSH_ASKPASS", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One key pair of each kind that ssh-keygen makes; paths of the private keys."""
    directory = tmp_path_factory.mktemp("keys")
    return {name: make_key(directory / name, *arguments) for name, arguments in KINDS.items()}


@pytest.fixture(scope="session")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that no test lists for anybody."""
    return make_key(tmp_path_factory.mktemp("other") / "other", "-t", "ed25519")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority's key."""
    return make_key(tmp_path_factory.mktemp("authority") / "authority", "-t", "ecdsa")
