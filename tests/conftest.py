"""What all tests share: nothing reaches the user's own configuration, agent or home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitchange.git import library


@pytest.fixture(scope="session", autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Git and ssh see an empty home; what a developer configured changes no test, and no test changes that."""
    home = tmp_path_factory.mktemp("home")
    for name in [n for n in os.environ if n.startswith(("GIT_", "SSH_", "GNUPG", "GITCHANGE_", "XDG_"))]:
        del os.environ[name]
    os.environ["HOME"] = str(home)
    os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    os.environ["TZ"] = "UTC"
    # Nobody cuts the power here, and waiting for the disk is slow. Processes that a test starts do wait.
    library.pygit2.settings.enable_fsync_gitdir(False)
    (Path(home) / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n")
