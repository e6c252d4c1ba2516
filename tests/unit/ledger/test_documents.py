"""What a commit holds: the ids of its changes, one looked up or all read."""

from __future__ import annotations

from pathlib import Path

from gitchange.git.repository import Repository
from gitchange.ledger.documents import ChangeIds
from tests.company import git

WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
FILES = {
    "changes/2026/11/CHG-20261122-K7Q3.toml": "x",
    "changes/2026/11/CHG-20261123-AAAA.toml": "x",
    "changes/2026/10/CHG-20261124-BBBB.toml": "in another month's folder",
    "changes/2026/11/CHG-20261125-CCCC.toml/inner": "a folder of that name",
    "changes/2026/11/chg-20261126-dddd.toml": "small letters",
    "changes/README.md": "stray",
}
ASKED = [
    *(f"CHG-2026112{n}-{w}" for n, w in enumerate(["K7Q3", "AAAA", "BBBB", "CCCC", "DDDD"], start=2)),
    "CHG-20261122-ZZZZ",
    "CHG-20261322-K7Q3",
    "../../policy",
    "",
    7,
]


def test_looked_up_is_as_read(tmp_path: Path) -> None:
    """Asking for one gives what reading all gives, before and after all have been read."""
    git(tmp_path, "init", "-q")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "changes/2026/11/CHG-20261127-EEEE.toml").symlink_to("nowhere")
    git(tmp_path, "add", ".")
    git(tmp_path, *WHO, "commit", "-qm", "x")
    repository = Repository.open(tmp_path)
    ids = ChangeIds(repository, git(tmp_path, "rev-parse", "HEAD"))
    told = {asked: asked in ids for asked in [*ASKED, "CHG-20261127-EEEE"]}
    assert set(ids) == {asked for asked, known in told.items() if known}
    assert set(ids) == {"CHG-20261122-K7Q3", "CHG-20261123-AAAA", "CHG-20261127-EEEE"}
    assert len(ids) == 3
    assert {asked: asked in ids for asked in told} == told


def test_no_changes_folder(tmp_path: Path) -> None:
    """A repository without changes has none."""
    git(tmp_path, "init", "-q")
    git(tmp_path, *WHO, "commit", "-qm", "x", "--allow-empty")
    ids = ChangeIds(Repository.open(tmp_path), git(tmp_path, "rev-parse", "HEAD"))
    assert "CHG-20261122-K7Q3" not in ids
    assert not ids
