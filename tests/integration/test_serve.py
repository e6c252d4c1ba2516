"""`site serve` and `mkdocs serve`: a site that follows commits, sign-offs and edited pages while one works."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.company import git

from .conftest import Take

PATIENCE = 90.0
"""Seconds until a test gives up on a busy machine."""


def read(address: str, path: str = "/", host: str | None = None) -> str:
    """What the server sends."""
    asked = urllib.request.Request(address + path, headers={"Host": host} if host else {})  # noqa: S310
    with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return text


def eventually(truth: Callable[[], bool]) -> bool:
    """Whether it becomes true."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if truth():
                return True
        except OSError:  # not yet, or between two sites
            pass
        time.sleep(0.2)
    return False


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own; interrupted in the end, as by Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", *command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def until_said(process: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """What the server says, as soon as it says that."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        found = re.search(pattern, line)
        if found:
            return found
    raise AssertionError(said)


def test_serve_follows_commits_sign_offs_and_pages(take: Take) -> None:
    """A page that waits for news gets it at a sign-off, a commit and an edit; a mistake leaves what was there."""
    scene = take("requested")
    repo, page = scene.repo, f"/changes/{scene.change}.html"
    with serving(repo, "gitchange", "site", "serve", "--port", "0") as process:
        address = until_said(process, r"serving at (http://127\.0\.0\.1:\d+)/")[1]
        html = read(address)
        assert "connect-src 'self'; default-src 'none'" in html
        seen = re.search(r'data-generation="([^"]+)"', html)[1]  # type: ignore[index]
        assert "location.reload" in read(address, "/.gitchange-reload.js")
        assert "Ada" not in read(address, page)

        def news() -> str:
            return read(address, f"/.gitchange-news?{seen}")

        scene.company.must("ada", "approve", scene.change, "--yes", "-m", "by all means")
        assert eventually(lambda: news() != seen)
        assert "by all means" in read(address, page)
        seen = news()
        git(repo, "commit", "--quiet", "--allow-empty", "-m", "Nothing")
        assert eventually(lambda: news() != seen)
        assert git(repo, "rev-parse", "--short=12", "HEAD") in read(address)
        (repo / "docs" / "night.md").write_text("[x](policy.html#none)\n\nAt night\n")
        assert eventually(lambda: "At night" in read(address, "/night.html"))
        (repo / "docs" / "policy.md").write_text("# Ours\n")  # would overwrite a generated page
        until_said(process, "policy.md would be written to policy.html")
        assert "At night" in read(address, "/night.html")
        (repo / "docs" / "policy.md").unlink()
        seen = news()
        (repo / "docs" / "night.md").write_text("By day\n")
        assert eventually(lambda: "By day" in read(address, "/night.html"))
        with pytest.raises(urllib.error.HTTPError, match="421"):
            read(address, host="evil.example")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            read(address, "/../../etc/passwd")
        assert not list(repo.glob("site*"))


@pytest.mark.parametrize("kind", ["work tree", "added work tree"])
def test_mkdocs_serve_follows_commits_and_sign_offs(take: Take, tmp_path: Path, kind: str) -> None:
    """Plain `mkdocs serve` builds again at a sign-off and a commit, also in a work tree that shares its refs."""
    scene = take("requested")
    folder = scene.repo
    if kind == "added work tree":
        folder = tmp_path / "beside"
        git(scene.repo, "worktree", "add", "--quiet", "--detach", str(folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with serving(folder, "mkdocs", "serve", "--dev-addr", address):
        page = f"/changes/{scene.change}.html"
        assert eventually(lambda: scene.change in read(f"http://{address}", page))
        time.sleep(2)  # the server begins to watch after its first build
        scene.company.must("ada", "approve", scene.change, "--yes", "-m", "by all means")
        assert eventually(lambda: "by all means" in read(f"http://{address}", page))
        git(scene.repo, "commit", "--quiet", "--allow-empty", "-m", "Nothing")
        newest = git(scene.repo, "rev-parse", "--short=12", "HEAD")
        assert eventually(lambda: newest in read(f"http://{address}"))


def test_a_port_in_use_is_told(take: Take) -> None:
    """A port that somebody else has ends the command with a hint, before anything is built."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = take("founded").company.do("ada", "site", "serve", "--port", str(port))
    assert done.code == 3
    assert f"port {port}" in done.err
    assert "--port 0" in done.err
