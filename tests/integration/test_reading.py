"""`list`, `show`, `verify`: what people, scripts and bare clones read."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.company import Company, git, gitchange

from .conftest import Scene, Take

IMPLEMENT = ("--steps-followed", "--test", "suite=passed")


@pytest.fixture(scope="module")
def many(
    tmp_path_factory: pytest.TempPathFactory, stages: Callable[[str], Scene]
) -> tuple[Company, dict[str, str]]:
    """A company with changes in many states; changes by name. Not to be written to."""
    root = tmp_path_factory.mktemp("many") / "company"
    shutil.copytree(stages("founded").company.root, root)
    company = Company(root, root / "repo")
    by: dict[str, str] = {}
    by["requested"] = company.request("cy", "--system", "website", "--title", "First")
    by["asked"] = company.request("bo")
    company.must("mo", "request-info", by["asked"], "-m", "Why?")
    by["approved"] = company.request("bo", "--system", "database")
    company.must("ada", "approve", by["approved"], "-y", "-m", "go")
    by["rejected"] = company.request("cy")
    company.must("ada", "reject", by["rejected"], "-m", "no")
    usual = ("--type", "emergency", "--incident", "INC-1", "--justification", "It burns.")
    by["implemented"] = company.request("bo", *usual)
    company.must("bo", "implement", by["implemented"], *IMPLEMENT)
    by["documented"] = company.documented()
    by["withdrawn"] = company.request("cy")
    company.must("cy", "withdraw", by["withdrawn"], "-m", "no")
    return company, by


FILTERS: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "nothing": ((), {"requested", "asked", "approved", "rejected", "implemented", "documented", "withdrawn"}),
    "one status": (("--status", "rejected"), {"rejected"}),
    "two statuses": (("--status", "rejected", "--status", "documented"), {"rejected", "documented"}),
    "a type": (("--type", "emergency"), {"implemented"}),
    "a system": (("--system", "website"), {"requested"}),
    "a system and a status": (("--system", "api", "--status", "approved"), set()),
    "a signer": (("--person", "dee@example.org"), {"implemented", "documented"}),
    "a requester": (
        ("--person", "cy@example.org", "--status", "requested", "--status", "withdrawn"),
        {"requested", "withdrawn"},
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_list_filters(many: tuple[Company, dict[str, str]], name: str) -> None:
    """Every filter of `list` restricts it, and several restrict it together."""
    company, by = many
    options, expected = FILTERS[name]
    found = gitchange(company.repo, "list", *options, "--json").json["changes"]
    assert {c["id"] for c in found} == {by[n] for n in expected}


WAITING = {
    "ada": {"requested", "asked?", "implemented", "withdrawn?"} & {"requested", "implemented"},
    "bo": {"asked", "approved"},
    "dee": {"implemented"},
    "eve": set(),
}


@pytest.mark.parametrize("person", WAITING)
def test_list_waiting_on_me(many: tuple[Company, dict[str, str]], person: str) -> None:
    """`--waiting-on-me` lists the changes whose next step is the user's, and no others."""
    company, by = many
    done = company.must(person, "list", "--waiting-on-me", "--json")
    assert {c["id"] for c in done.json["changes"]} == {by[n] for n in WAITING[person]}


def test_list_as_a_table(many: tuple[Company, dict[str, str]]) -> None:
    """The table has a line for each change with status, systems and who is waited for."""
    company, by = many
    lines = gitchange(company.repo, "list").out.splitlines()
    assert lines[0].split()[:2] == ["id", "status"]
    assert len(lines) == 1 + len(by)
    (first,) = [line for line in lines if by["requested"] in line]
    assert "requested" in first
    assert "website" in first
    assert "First" in first
    assert gitchange(company.repo, "list", "--status", "failed").out.strip() == "no changes fit"


SHAPES: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "list": ((), {"schema", "changes"}),
    "show": (
        ("documented",),
        {
            *("schema", "id", "path", "status", "flags", "title", "type", "risk", "requester", "systems"),
            *("waiting_on", "errors", "blob", "sha256", "request_bytes", "policy", "verified_from"),
            *("steps", "next", "sign_offs", "history", "findings", "document"),
        },
    ),
    "verify": (
        (),
        {"schema", "verdict", "main", "notes", "introduction", "pinned", "policy", "checks", "findings"},
    ),
    "check": ((), {"schema", "ok", "files", "findings"}),
}


@pytest.mark.parametrize("command", SHAPES)
def test_json_has_the_documented_keys(many: tuple[Company, dict[str, str]], command: str) -> None:
    """The JSON of each reading command has the keys that its documentation names, and its version."""
    company, by = many
    arguments, keys = SHAPES[command]
    shape = gitchange(company.repo, command, *(by[n] for n in arguments), "--json").json
    assert shape.keys() >= keys
    assert shape["schema"] == 1


def test_json_of_every_state_is_whole(many: tuple[Company, dict[str, str]]) -> None:
    """In every state `show --json` names the five steps, and what comes next has a command."""
    company, by = many
    for change in by.values():
        shown = company.show(change)
        assert [s["step"] for s in shown["steps"]] == [
            *("request", "evaluation", "implementation", "validation", "documentation"),
        ]
        assert all(n["command"].endswith(change) for n in shown["next"])
        assert {"id", "status", "flags", "title", "systems", "waiting_on"} <= shown.keys()


COMMANDS: dict[str, Callable[[Scene], tuple[str, ...]]] = {
    "list": lambda s: ("list",),
    "list --json": lambda s: ("list", "--json"),
    "show": lambda s: ("show", s.change),
    "show --json": lambda s: ("show", s.change, "--json"),
    "verify": lambda s: ("verify",),
    "verify one": lambda s: ("verify", s.change),
    "verify --json": lambda s: ("verify", "--json"),
    "check": lambda s: ("check",),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("stage", ["requested", "approved", "documented"])
def test_bare_clone_reads_the_same(take: Take, tmp_path: Path, command: str, stage: str) -> None:
    """A bare clone, and a clone without a work tree, give the very answers of the full repository."""
    scene = take(stage)
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--mirror", str(scene.repo), str(bare))
    git(bare, "config", "gitchange.introduction", git(scene.repo, "config", "gitchange.introduction"))
    arguments = COMMANDS[command](scene)
    full, there = gitchange(scene.repo, *arguments), gitchange(bare, *arguments)
    assert (there.code, there.out) == (full.code, full.out)
    assert full.code == 0
    emptied = tmp_path / "emptied"
    shutil.copytree(scene.repo / ".git", emptied / ".git")
    if command != "check":  # which reads the work tree
        assert gitchange(emptied, *arguments).out == full.out


@pytest.mark.parametrize("command", COMMANDS)
def test_piped_output_has_no_colour(take: Take, command: str) -> None:
    """What goes into a pipe has no escape codes, also when an error is told."""
    scene = take("approved")
    arguments = [sys.executable, "-m", "gitchange", "-C", str(scene.repo), *COMMANDS[command](scene)]
    for wrong in (False, True):
        if wrong:
            scene.commit(b"broken = \n")
        done = subprocess.run(arguments, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        assert b"\x1b" not in done.stdout + done.stderr
        assert done.stdout


def test_terminal_has_colour(take: Take) -> None:
    """At a terminal statuses have colours."""
    scene = take("approved")
    controller, terminal = pty.openpty()
    arguments = [sys.executable, "-m", "gitchange", "-C", str(scene.repo), "list"]
    environment = {**os.environ, "TERM": "xterm"}
    subprocess.run(arguments, stdout=terminal, stdin=terminal, stderr=terminal, check=True, env=environment)
    os.close(terminal)
    assert b"\x1b[" in os.read(controller, 65536)
    os.close(controller)


def test_reading_ends_quietly_when_nobody_listens(take: Take) -> None:
    """`gitchange show | head` is no error."""
    scene = take("documented")
    command = f"{sys.executable} -m gitchange -C {scene.repo} show {scene.change} --json | head -c 10"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_reading_writes_nothing(take: Take) -> None:
    """No reading command changes a byte of the repository; only the disposable index is theirs."""
    scene = take("documented")

    def everything() -> dict[str, bytes]:
        files = (p for p in scene.repo.rglob("*") if p.is_file() and not p.name.startswith("index.sqlite"))
        return {str(p): p.read_bytes() for p in files}

    before = everything()
    for make in COMMANDS.values():
        assert gitchange(scene.repo, *make(scene)).code == 0
    assert everything() == before


def test_as_of_an_earlier_commit(take: Take) -> None:
    """`--as-of` reads the branch of record as it was, with what it had witnessed by then."""
    scene = take("documented")
    before = git(scene.repo, "rev-parse", "HEAD~1")
    assert (
        gitchange(scene.repo, "show", scene.change, "--as-of", before, "--json").json["status"] == "requested"
    )
    first = git(scene.repo, "rev-list", "--max-parents=0", "HEAD")
    assert gitchange(scene.repo, "list", "--as-of", first, "--json").json["changes"] == []
    assert gitchange(scene.repo, "list", "--as-of", "nothing").code == 2


def test_show_tells_the_whole_change(take: Take) -> None:
    """`show` tells the request, progress, each sign-off with its key, and the record."""
    scene = take("documented")
    out = gitchange(scene.repo, "show", scene.change).out
    for words in (
        *("Rotate the certificate", "documented", "risk medium", "It expires.", "Put the old one back."),
        *("approve by ada@example.org as change-manager", "key SHA256:", "successful: It works."),
        *("lessons: Do it by day.", "looked at it"),
    ):
        assert words in out, words


def test_unreadable_change_is_told_not_hidden(take: Take) -> None:
    """A change file that cannot be read stays in the list, and `show` and `verify` say why."""
    scene = take("approved")
    scene.commit(b"title = \x1b[2Junfinished\n")
    (listed,) = gitchange(scene.repo, "list", "--json").json["changes"]
    assert (listed["id"], listed["status"]) == (scene.change, "unreadable")
    assert gitchange(scene.repo, "list", "--status", "unreadable", "--json").json["changes"] == [listed]
    shown = gitchange(scene.repo, "show", scene.change)
    assert "cannot be read" in shown.out
    assert "\x1b" not in shown.out
    done = gitchange(scene.repo, "verify", "--json")
    assert (done.code, done.json["verdict"]) == (1, "breach")
    assert scene.company.do("mo", "approve", scene.change, "-y", "-m", "x").code == 3


def test_unreadable_policy_decides_nothing(take: Take) -> None:
    """Without a readable policy nothing is approved, `verify` does not pass, and signing is impossible."""
    scene = take("approved")
    (scene.repo / "policy" / "policy.toml").write_text("version = ")
    git(scene.repo, "commit", "--quiet", "-am", "broken")
    done = gitchange(scene.repo, "verify", "--json")
    assert done.code in (1, 3)
    assert done.json["verdict"] in ("breach", "undecided")
    assert gitchange(scene.repo, "show", scene.change, "--json").json["status"] != "approved"
    signed = scene.company.do("bo", "implement", scene.change, *IMPLEMENT)
    assert (signed.code, "policy" in signed.err) == (3, True)


def test_missing_pin_is_a_warning(take: Take) -> None:
    """A clone that pinned nothing is told which introduction was found, and how to pin it."""
    scene = take("documented")
    introduction = git(scene.repo, "config", "gitchange.introduction")
    git(scene.repo, "config", "--unset", "gitchange.introduction")
    shape: Any = gitchange(scene.repo, "verify", "--json").json
    assert (shape["verdict"], shape["pinned"], shape["introduction"]) == ("ok", False, introduction)
    assert "introduction.not-pinned" in {f["code"] for f in shape["findings"]}
    given: Any = gitchange(scene.repo, "--introduction", introduction, "verify", "--json").json
    assert given["pinned"] is True


def test_removed_change_is_a_breach(take: Take) -> None:
    """A change file that the history had and main has no more is found."""
    for stage in ("approved",):
        scene = take(stage)
        git(scene.repo, "rm", "--quiet", scene.path)
        git(scene.repo, "commit", "--quiet", "-m", "gone")
        done = gitchange(scene.repo, "verify", "--json")
        assert done.code == 1
        assert [f["path"] for f in done.json["findings"] if f["code"] == "change.removed"] == [scene.path]


def test_lost_notes_are_a_breach(take: Take) -> None:
    """When notes that main witnesses were cut off, `verify` says from which commit on."""
    scene = take("documented")
    tip = git(scene.repo, "rev-parse", "refs/notes/gitchange/approvals")
    git(scene.repo, "update-ref", "refs/notes/gitchange/approvals", f"{tip}~1")
    done = gitchange(scene.repo, "verify", "--json")
    assert done.code == 1
    (finding,) = [f for f in done.json["findings"] if f["code"] == "notes.truncated"]
    assert tip[:12] in finding["message"]


def test_clone_without_notes_verifies_what_is_documented(take: Take, tmp_path: Path) -> None:
    """Main alone bears out a documented change; that the notes are missing is a warning."""
    scene = take("documented")
    git(tmp_path, "clone", "--quiet", "--single-branch", f"file://{scene.repo}", str(tmp_path / "plain"))
    plain = tmp_path / "plain"
    assert git(plain, "for-each-ref", "refs/notes") == ""
    shape: Any = gitchange(plain, "verify", "--json").json
    assert shape["verdict"] == "ok"
    assert gitchange(plain, "show", scene.change, "--json").json["status"] == "documented"


def test_help_is_given_everywhere(tmp_path: Path) -> None:
    """Each command explains itself without a repository, and the program tells its version."""
    names = gitchange(tmp_path, "--help").out.split("Commands:")[1].split("\n")
    for name in (line.split()[0] for line in names if line.startswith("  ") and line[2] != " "):
        done = gitchange(tmp_path, name, "--help")
        assert (done.code, "Usage: gitchange" in done.out) == (0, True), name
    assert gitchange(tmp_path, "--version").out.startswith("gitchange")
    wrong = gitchange(tmp_path, "aprove")
    assert (wrong.code, "did you mean 'approve'?" in wrong.err) == (2, True)
