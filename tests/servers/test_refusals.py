"""Why a server refuses a ref, by the words of the real receive-pack: a race, or for good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitchange.git import program
from gitchange.git.repository import Repository
from gitchange.ledger import remote
from tests.company import Company, clones, found, git, gitchange

NOTES = "refs/notes/gitchange/approvals"


def commit(folder: Path, text: str, *parents: str) -> str:
    """A commit that no ref names yet."""
    tree = git(folder, "mktree", data=b"")
    return git(folder, "commit-tree", tree, *(f"-p{parent}" for parent in parents), "-m", text)


def hook(server: Path, name: str, script: str) -> None:
    """A hook of the server's, outside the quarantine in which git runs it."""
    file = server / "hooks" / name
    file.write_text(f"#!/bin/sh\nunset GIT_QUARANTINE_PATH\n{script}\n")
    file.chmod(0o755)


def hidden(server: Path) -> None:
    git(server, "config", "receive.hideRefs", "refs/notes")


def checked_out(server: Path) -> None:
    git(server, "config", "core.bare", "false")
    git(server, "symbolic-ref", "HEAD", NOTES.replace("refs/notes", "refs/heads"))
    git(server, "config", "receive.denyCurrentBranch", "refuse")


def folder_is_a_ref(server: Path) -> None:
    git(server, "update-ref", "refs/notes/gitchange", "refs/heads/old")


FINAL: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "pre-receive hook": (
        lambda server: hook(server, "pre-receive", "echo ask first >&2; exit 1"),
        NOTES,
        "(pre-receive hook declined) ask first",
    ),
    "update hook": (
        lambda server: hook(server, "update", "echo ask first >&2; exit 1"),
        NOTES,
        "(hook declined) ask first",
    ),
    "hidden ref": (hidden, NOTES, "(deny updating a hidden ref)"),
    "branch that is checked out": (
        checked_out,
        NOTES.replace("refs/notes", "refs/heads"),
        "(branch is currently checked out)",
    ),
    "ref where a folder is needed": (folder_is_a_ref, NOTES, "'refs/notes/gitchange' exists; cannot create"),
}


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """A repository with one commit, and the bare one that is its origin and has it as refs/heads/old."""
    server, here = tmp_path / "server.git", tmp_path / "here"
    git(tmp_path, "init", "--quiet", "--bare", str(server))
    git(tmp_path, "init", "--quiet", str(here))
    for name, value in {"user.name": "Ada", "user.email": "ada@example.org"}.items():
        git(here, "config", name, value)
    git(here, "remote", "add", "origin", server.as_uri())
    git(here, "push", "--quiet", "origin", f"{commit(here, 'old')}:refs/heads/old")
    return here, server


@pytest.mark.parametrize("reason", FINAL)
def test_final_refusal_is_known_by_its_words(pair: tuple[Path, Path], reason: str) -> None:
    """What a server will refuse again is told from a race, with the server's own words."""
    here, server = pair
    prepare, ref, words = FINAL[reason]
    prepare(server)
    result = program.push(Repository.open(here), "origin", commit(here, "new"), ref, hooks=False)
    assert (result.ok, result.refusal) == (False, "final"), result.message
    assert words in result.message


def test_remote_that_has_more_is_a_race(pair: tuple[Path, Path]) -> None:
    """Somebody else's commit on the remote, known here or not, is a race: fetched and united, a push succeeds."""
    here, server = pair
    repository = Repository.open(here)
    old = git(server, "rev-parse", "refs/heads/old")
    known = commit(here, "known", old)
    assert program.push(repository, "origin", known, NOTES, hooks=False).ok
    behind = program.push(repository, "origin", commit(here, "beside", old), NOTES, hooks=False)
    assert ("non-fast-forward" in behind.message, behind.refusal) == (True, "race")
    git(server, "config", "user.name", "Bo")
    git(server, "config", "user.email", "bo@example.org")
    git(server, "update-ref", NOTES, commit(server, "not known here", known))
    behind = program.push(repository, "origin", commit(here, "beside", known), NOTES, hooks=False)
    assert ("fetch first" in behind.message, behind.refusal) == (True, "race")


@pytest.mark.parametrize("there", [True, False], ids=["moved", "made"])
def test_ref_that_moves_during_the_push_is_a_race(pair: tuple[Path, Path], there: bool) -> None:
    """A ref that another push moves or makes while ours is on its way is a race too."""
    here, server = pair
    repository = Repository.open(here)
    old = git(server, "rev-parse", "refs/heads/old")
    if there:
        assert program.push(repository, "origin", old, NOTES, hooks=False).ok
    other = commit(here, "other", old)
    assert program.push(repository, "origin", other, "refs/heads/other", hooks=False).ok
    hook(server, "update", f'test "$1" != {NOTES} || git update-ref {NOTES} {other}')
    result = program.push(repository, "origin", commit(here, "ours", old), NOTES, hooks=False)
    assert (result.ok, result.refusal) == (False, "race"), result.message


def test_locked_ref_is_a_race(pair: tuple[Path, Path]) -> None:
    """A lock on the server's ref is a race: whoever holds it is about to be done."""
    here, server = pair
    (server / NOTES).parent.mkdir(parents=True)
    (server / f"{NOTES}.lock").touch()
    result = program.push(Repository.open(here), "origin", commit(here, "new"), NOTES, hooks=False)
    assert (result.ok, result.refusal) == (False, "race"), result.message
    assert ".lock" in result.message


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        # As forges that cannot be run here write them: GitHub, GitLab, Gerrit, and git 2.50's receive-pack.
        ("protected branch hook declined", "final"),
        ("push declined due to repository rule violations", "final"),
        ("prohibited by Gerrit: not permitted: update", "final"),
        ("reference already exists", "race"),
        ("incorrect old value provided", "race"),
        ("Internal Server Error", "unknown"),
    ],
)
def test_forges_words(pair: tuple[Path, Path], words: str, refusal: str) -> None:
    """The reasons that forges give are told apart as they pass through the real git push."""
    here, server = pair
    # proc-receive is the hook by which a server gives reasons of its own (githooks(5)).
    git(server, "config", "receive.procReceiveRefs", "refs/notes")
    hook(server, "proc-receive", _PROC_RECEIVE.format(words=words))
    result = program.push(Repository.open(here), "origin", commit(here, "new"), NOTES, hooks=False)
    assert (result.ok, result.refusal) == (False, refusal), result.message
    assert words in result.message


_PROC_RECEIVE = """\
exec python3 -c '
import sys
def read():
    length = int(sys.stdin.buffer.read(4), 16)
    return sys.stdin.buffer.read(length - 4) if length else b""
def write(line):
    sys.stdout.buffer.write(b"%04x" % (len(line) + 4) + line)
while read():
    pass
write(b"version=1\\n")
sys.stdout.buffer.write(b"0000")
sys.stdout.buffer.flush()
refs = []
while line := read():
    refs.append(line.split()[2])
for ref in refs:
    write(b"ng " + ref + b" {words}\\n")
sys.stdout.buffer.write(b"0000")
sys.stdout.buffer.flush()
'"""


# -- what an exchange does with them -----------------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Company, str, Path, Path]:
    """A company with one request; the change, the shared repository, and ada's clone."""
    company = found(tmp_path)
    change = company.request("bo")
    ((_, clone),) = clones(company, "ada")
    return company, change, tmp_path / "server.git", clone


def attempts(server: Path, script: str) -> Callable[[], int]:
    """Let the server's update hook run a script and count its runs."""
    count = server / "count"
    count.write_text("")
    hook(server, "update", f"echo >> {count}\n{script}")
    return lambda: len(count.read_text().splitlines())


def test_final_refusal_is_not_repeated(shared: tuple[Company, str, Path, Path]) -> None:
    """Who may not write the notes is told so after one push, and the sign-off is kept."""
    company, change, server, clone = shared
    count = attempts(server, "echo notes are closed >&2; exit 1")
    done = company.do("ada", "approve", change, "--yes", "-m", "go", directory=clone)
    assert done.code == 3
    assert count() == 1
    assert "notes are closed" in done.err
    assert f"must let you push to {NOTES}" in done.err
    assert "still only here: 1 notes commit(s)" in done.err
    assert gitchange(clone, "show", change, "--json").json["status"] == "approved"


def test_refusal_as_if_others_were_faster_ends(
    shared: tuple[Company, str, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock left behind on the server is no crowd: after some attempts the user is told what stands there."""
    company, change, server, clone = shared
    monkeypatch.setattr(remote, "_pause", lambda attempt, idle: 0.0)
    (server / NOTES).parent.mkdir(parents=True)
    (server / f"{NOTES}.lock").touch()
    count = attempts(server, "")
    done = company.do("ada", "approve", change, "--yes", "-m", "go", directory=clone)
    assert done.code == 3
    assert 1 < count() <= remote.DOUBTFUL_ATTEMPTS + 1
    assert f"{NOTES}.lock" in done.err
    (server / f"{NOTES}.lock").unlink()
    company.must("ada", "sync", directory=clone)


def test_somebody_faster_each_time_is_outlasted(
    shared: tuple[Company, str, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often others are faster, as long as each time one of them is done the push is made again."""
    company, change, server, clone = shared
    monkeypatch.setattr(remote, "_pause", lambda attempt, idle: 0.0)
    for name, value in {"user.name": "Bo", "user.email": "bo@example.org"}.items():
        git(server, "config", name, value)
    git(server, "update-ref", NOTES, commit(server, "the first"))
    times = remote.DOUBTFUL_ATTEMPTS * 3
    count = attempts(
        server,
        f'test "$1" = {NOTES} && test $(wc -l < {server}/count) -le {times} || exit 0\n'
        "unset GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        f"git update-ref {NOTES} $(git commit-tree -p {NOTES} -m faster {NOTES}^{{tree}})",
    )
    done = company.must("ada", "approve", change, "--yes", "-m", "go", directory=clone)
    assert "still only here" not in done.err
    assert count() == times + 1
    assert git(server, "rev-parse", NOTES) == git(clone, "rev-parse", NOTES)


def test_tags_are_not_sent_along(shared: tuple[Company, str, Path, Path]) -> None:
    """A user's push.followTags sends no tags with a sign-off or a commit of gitchange's."""
    company, _, server, clone = shared
    git(clone, "config", "push.followTags", "true")
    company.become("ada", clone)
    git(clone, "tag", "-a", "-m", "mine", "mine")
    company.request("ada", directory=clone)
    assert git(server, "for-each-ref", "refs/tags") == ""
    assert git(server, "rev-parse", "main") == git(clone, "rev-parse", "main")
