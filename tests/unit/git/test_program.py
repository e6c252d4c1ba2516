"""Stock git's history of a file, its identities, and what a remote answers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from gitchange.errors import RemoteError, UsageError
from gitchange.git import program
from gitchange.git.repository import Person, Repository
from tests.company import git

from .conftest import WHO, commit


def touched(repository: Repository, path: str = "f", tip: str = "HEAD") -> list[tuple[str, str]]:
    """(subject, author) of each commit that touched the path."""
    return [(t.subject, t.author_email) for t in program.touches(repository, tip, path)]


def as_author(name: str) -> str:
    return f"--author={name.capitalize()} <{name}@example.org>"


def test_touches_are_newest_first_with_blobs(folder: Path, repository: Repository) -> None:
    """Each commit that touched a file is told with its author and the file's id after it."""
    commit(folder, "one", as_author("bo"), f="1")
    commit(folder, "other", other="x")
    commit(folder, "two", as_author("cy"), f="2")
    found = list(program.touches(repository, "HEAD", "f"))
    assert [(t.subject, t.author_email) for t in found] == [
        ("two", "cy@example.org"),
        ("one", "bo@example.org"),
    ]
    assert [repository.blob(t.blob) for t in found] == [b"2", b"1"]


def test_removed_file_has_no_blob(folder: Path, repository: Repository) -> None:
    """The commit that removed a file is told, with an empty id."""
    commit(folder, "one", f="1")
    commit(folder, "gone", f=None)
    commit(folder, "back", f="2")
    assert [(t.subject, bool(t.blob)) for t in program.touches(repository, "HEAD", "f")] == [
        ("back", True),
        ("gone", False),
        ("one", True),
    ]


def test_co_authors_are_told(folder: Path, repository: Repository) -> None:
    """Addresses of `Co-authored-by` trailers are read, lower case, however many there are."""
    message = "one\n\nText\n\nCo-authored-by: Cy <CY@example.org>\nCo-Authored-By: Dee <dee@example.org>\n"
    commit(folder, message, f="1")
    assert next(program.touches(repository, "HEAD", "f")).co_authors == ("cy@example.org", "dee@example.org")


def test_both_sides_of_a_merge_are_kept(folder: Path, repository: Repository) -> None:
    """An author whose edit another branch repeated is not forgotten: the full history is told."""
    commit(folder, "base", f="0")
    git(folder, "switch", "--quiet", "-c", "side")
    commit(folder, "side", as_author("cy"), f="same")
    git(folder, "switch", "--quiet", "main")
    commit(folder, "ours", as_author("bo"), f="same")
    git(folder, "merge", "--quiet", "--no-edit", "side")
    assert set(touched(repository)) == {
        ("base", "ada@example.org"),
        ("side", "cy@example.org"),
        ("ours", "bo@example.org"),
    }


def test_merge_that_takes_one_side_keeps_the_other(folder: Path, repository: Repository) -> None:
    """A side branch whose edit the merge dropped is still history."""
    commit(folder, "base", f="0")
    git(folder, "switch", "--quiet", "-c", "side")
    commit(folder, "side", as_author("cy"), f="side")
    git(folder, "switch", "--quiet", "main")
    commit(folder, "ours", as_author("bo"), f="ours")
    git(folder, "merge", "--quiet", "--no-edit", "-s", "ours", "side")
    assert {subject for subject, _ in touched(repository)} == {"base", "side", "ours"}


def test_what_a_merge_itself_changed_is_its_authors(folder: Path, repository: Repository) -> None:
    """A merge that leaves a text which neither side had is a touch by whoever merged."""
    commit(folder, "base", f="0", g="0")
    git(folder, "switch", "--quiet", "-c", "side")
    commit(folder, "side", f="1")
    git(folder, "switch", "--quiet", "main")
    commit(folder, "ours", g="1")
    git(folder, "merge", "--quiet", "--no-commit", "--no-ff", "side")
    commit(folder, "evil", as_author("mo"), f="neither")
    first = next(program.touches(repository, "HEAD", "f"))
    assert (first.subject, first.author_email) == ("evil", "mo@example.org")
    assert repository.blob(first.blob) == b"neither"


def test_merge_that_invents_a_text_on_one_changed_side_is_seen(folder: Path, repository: Repository) -> None:
    """A merge of a branch that never touched the file, which edits it all the same, is a touch."""
    commit(folder, "base", f="0")
    git(folder, "switch", "--quiet", "-c", "side")
    commit(folder, "side", g="1")
    git(folder, "switch", "--quiet", "main")
    commit(folder, "ours", h="1")
    git(folder, "merge", "--quiet", "--no-commit", "--no-ff", "side")
    commit(folder, "evil", as_author("mo"), f="edited in the merge")
    assert ("evil", "mo@example.org") in touched(repository)


def test_ancestors_come_after_descendants_whatever_the_clocks_say(
    folder: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit never stands before its descendants, even when its clock was ahead of theirs."""
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
    commit(folder, "base", f="0")
    git(folder, "switch", "--quiet", "-c", "side")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z")
    commit(folder, "early", as_author("mo"), f="1")
    git(folder, "switch", "--quiet", "main")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-02T00:00:00Z")
    git(folder, "merge", "--quiet", "--no-ff", "--no-edit", "side")
    commit(folder, "late", f="2")
    git(folder, "switch", "--quiet", "side")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-02T00:00:00Z")
    commit(folder, "more", g="1")
    git(folder, "switch", "--quiet", "main")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-03T00:00:00Z")
    git(folder, "merge", "--quiet", "--no-ff", "--no-edit", "side")
    assert [subject for subject, _ in touched(repository)] == ["late", "early", "base"]


SUBJECTS = {
    "start of heading": "a\x01b",
    "start of text": "a\x02b",
    "end of text": "a\x03b",
    "everything": "\x01\x02\x03 x\x03\x02\x01",
    "what looks like raw output": ":100644 100644 0 0 M",
    "escape sequence": "a\x1b[31mb",
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
@pytest.mark.parametrize("place", ["subject", "name", "trailer", "body"])
def test_control_characters_in_a_commit_hide_nothing(
    folder: Path, repository: Repository, subject: str, place: str
) -> None:
    """Whatever bytes stand in a commit's message or names, each commit is told with its own author."""
    commit(folder, "one", as_author("bo"), f="1")
    tree = git(folder, "rev-parse", "HEAD^{tree}")
    strange = Person(subject if place == "name" else "Cy", "cy@example.org", WHO.time)
    message = {
        "subject": f"{subject}\n",
        "name": "two\n",
        "body": f"two\n\n{subject}\n\nSigned-off-by: x <x@y>\n",
        "trailer": f"two\n\nCo-authored-by: {subject} <dee@example.org>\n",
    }[place]
    edited = repository.edit_tree(tree, {"f": (repository.write_blob(b"2"), 0o100644)})
    made = repository.write_commit(edited, (git(folder, "rev-parse", "HEAD"),), message, strange, WHO)
    found = list(program.touches(repository, made, "f"))
    assert [(t.commit, t.author_email) for t in found] == [
        (made, "cy@example.org"),
        (git(folder, "rev-parse", "HEAD"), "bo@example.org"),
    ]
    assert [repository.blob(t.blob) for t in found] == [b"2", b"1"]
    if place == "trailer":
        assert found[0].co_authors == ("dee@example.org",)


CONFIGURATIONS = {
    "log.showSignature": "true",
    "log.follow": "true",
    "log.mailmap": "true",
    "log.date": "relative",
    "log.diffMerges": "off",
    "log.decorate": "full",
    "log.abbrevCommit": "true",
    "diff.renames": "copies",
    "diff.relative": "true",
    "diff.noprefix": "true",
    "diff.orderFile": "/dev/null",
    "core.quotePath": "true",
    "core.abbrev": "4",
    "color.ui": "always",
    "format.pretty": "oneline",
    "i18n.logOutputEncoding": "latin1",
    "diff.external": "false",
    "core.pager": "false",
}


@pytest.mark.parametrize("key", CONFIGURATIONS)
def test_users_configuration_changes_no_history(folder: Path, repository: Repository, key: str) -> None:
    """However a user likes `git log` to look, the history of a file is told the same."""
    key_file = folder.parent / "key"
    git(folder, "config", "gpg.format", "ssh")
    if key == "log.showSignature":
        import subprocess  # noqa: PLC0415 - a key is needed here alone

        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key_file)], check=True)
        git(folder, "config", "user.signingkey", str(key_file))
        git(folder, "config", "commit.gpgSign", "true")
    commit(folder, "old", x="a long text\n" * 5)
    git(folder, "mv", "x", "f")
    commit(folder, "Ümlaut", as_author("bo"))
    commit(folder, "two", as_author("cy"), f="2", other="a\n")
    commit(folder, "three", f="3")
    (folder / ".mailmap").write_text("Ada <ada@example.org> <bo@example.org>\n")
    before = list(program.touches(repository, "HEAD", "f"))
    assert [t.subject for t in before] == ["three", "two", "Ümlaut"]
    git(folder, "config", key, CONFIGURATIONS[key])
    assert list(program.touches(repository, "HEAD", "f")) == before


def test_replaced_commits_replace_nothing(folder: Path, repository: Repository) -> None:
    """`git replace` in a clone does not change who wrote a request."""
    first = commit(folder, "one", as_author("bo"), f="1")
    git(folder, "switch", "--quiet", "--orphan", "fake")
    fake = commit(folder, "fake", as_author("cy"), f="1")
    git(folder, "switch", "--quiet", "main")
    git(folder, "replace", first, fake)
    assert touched(repository, tip=first) == [("one", "bo@example.org")]


def test_strange_paths_are_told_whole(folder: Path, repository: Repository) -> None:
    """Paths with blanks, quotes and letters of all scripts come out as they are."""
    names = ["a b", 'quo"te', "ümläut", "tab\there", "new\nline", ":colon"]
    for name in names:
        (folder / name).write_text("x")
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "-m", "one")
    assert sorted(t.path for t in program.touches(repository, "HEAD", ".")) == sorted(names)


def test_a_folder_that_most_commits_touch_has_the_history_that_its_path_has(
    folder: Path, repository: Repository
) -> None:
    """Told of all commits or of its own only, the same touches come out in the same order; merges are among them."""
    (folder / "changes").write_text("no folder yet\n")
    commit(folder, "stray")
    (folder / "changes").unlink()
    (folder / "changes").mkdir()
    for number in range(3):
        commit(folder, f"{number}", as_author("bo"), **{f"changes__{number}": "x\n"})
        commit(folder, "another", other=f"{number}")
    git(folder, "switch", "--quiet", "-c", "side")
    commit(folder, "side", as_author("cy"), **{"changes__0": "side\n", "changes-too": "x"})
    git(folder, "switch", "--quiet", "main")
    commit(folder, "main", changes__0="main\n")
    git(folder, "merge", "--quiet", "--no-commit", "-s", "ours", "side")
    commit(folder, "both", changes__0="both\n", other="both")
    git(folder, "rm", "--quiet", "changes/1")
    git(folder, "commit", "--quiet", "-m", "gone")
    tip = repository.resolve("HEAD")
    found = list(program.all_touches(repository, tip, "changes"))
    assert found == list(program.touches(repository, tip, "changes"))
    assert {touch.subject for touch in found} == {"stray", "0", "1", "2", "side", "main", "both", "gone"}


def test_identity_is_gits(folder: Path, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Author and committer are who stock git says they are, with their offset."""
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Zoë")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2026-01-02T03:04:05-0330")
    author = program.identity(repository, "AUTHOR")
    zone = dt.timezone(-dt.timedelta(hours=3, minutes=30))
    assert author == Person("Zoë", "ada@example.org", dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone))


def test_unknown_user_is_told_what_to_configure(folder: Path, repository: Repository) -> None:
    """When git does not know the user, the hint names the two settings."""
    git(folder, "config", "--unset", "user.email")
    git(folder, "config", "user.useConfigOnly", "true")
    with pytest.raises(UsageError) as caught:
        program.identity(repository, "AUTHOR")
    assert "user.email" in caught.value.hint


def test_unreachable_remote_is_a_remote_error(folder: Path, repository: Repository, tmp_path: Path) -> None:
    """A remote that is not there is told by name, with the promise that nothing is lost."""
    commit(folder, "one", f="1")
    git(folder, "remote", "add", "origin", str(tmp_path / "nowhere"))
    with pytest.raises(RemoteError, match="origin") as caught:
        program.fetch(repository, "origin", ("+refs/heads/*:refs/remotes/origin/*",))
    assert "gitchange sync" in caught.value.hint
    with pytest.raises(RemoteError, match="origin"):
        program.push(repository, "origin", "HEAD", "refs/heads/main", hooks=True)


def test_push_is_never_forced(folder: Path, repository: Repository, tmp_path: Path) -> None:
    """A ref that would lose commits is refused and stays; another is accepted."""
    one = commit(folder, "one", f="1")
    two = commit(folder, "two", f="2")
    server = tmp_path / "server.git"
    git(tmp_path, "init", "--quiet", "--bare", str(server))
    git(folder, "remote", "add", "origin", str(server))
    assert program.push(repository, "origin", two, "refs/heads/main", hooks=True).ok
    assert not program.push(repository, "origin", one, "refs/heads/main", hooks=True).ok
    assert program.push(repository, "origin", one, "refs/heads/new", hooks=True).ok
    assert git(server, "rev-parse", "main") == two


def test_refusal_of_a_hook_is_told_in_its_words(folder: Path, repository: Repository, tmp_path: Path) -> None:
    """What a server's hook says about a refusal reaches the user."""
    one = commit(folder, "one", f="1")
    server = tmp_path / "server.git"
    git(tmp_path, "init", "--quiet", "--bare", str(server))
    hook = server / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho this branch is closed >&2\nexit 1\n")
    hook.chmod(0o755)
    git(folder, "remote", "add", "origin", str(server))
    result = program.push(repository, "origin", one, "refs/heads/main", hooks=True)
    assert not result.ok
    assert "this branch is closed" in result.message


@pytest.mark.parametrize("moment", ["99999999999999 +0000", "1 +9959", "1 -9999", "253402300800 +1400"])
def test_impossible_times_stop_nobody(folder: Path, repository: Repository, moment: str) -> None:
    """A commit that claims an impossible time is read like any other."""
    one = commit(folder, "one", f="1")
    raw = git(folder, "cat-file", "commit", one)
    lines = [
        f"{line.rpartition('> ')[0]}> {moment}" if line.startswith(("author ", "committer ")) else line
        for line in raw.split("\n")
    ]
    text = "\n".join(lines).encode()
    made = git(folder, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=text)
    assert touched(repository, tip=made) == [("one", "ada@example.org")]
    assert repository.commit(made).message.strip() == "one"
