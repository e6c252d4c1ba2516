"""People who use a server: each with an own home, key, clone and process of the real program.

What talks to a server runs in a process of its own, and nobody has a terminal, as in a script: what would ask
a question must end with an error instead.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.company import Company, Result, git, gitchange, request_options

from .servers import Server, environment

NOTES = "refs/notes/gitchange/approvals"
IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
VALIDATE = ("--works", "--no-security-risk", "--evidence", "looked at it")
DOCUMENT = ("--outcome", "successful", "--summary", "It works.")

HANGS = 120.0
"""Seconds after which a command is taken to wait for something that never comes."""


@dataclass(frozen=True)
class Member:
    """One person at one computer."""

    name: str
    home: Path
    clone: Path
    variables: dict[str, str] = field(repr=False)

    def run(self, *command: str, where: Path | None = None, **more: str) -> Result:
        """Run a program as this person, without a terminal."""
        done = subprocess.run(
            command,
            cwd=where or self.clone,
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=HANGS,
            start_new_session=True,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str, where: Path | None = None) -> str:
        """Stock git; its output without the last line end."""
        done = self.run("git", *arguments, where=where)
        assert done.code == 0, f"{self.name}: git {' '.join(arguments)}\n{done.out}{done.err}"
        return done.out.rstrip("\n")

    def do(self, *arguments: str) -> Result:
        """gitchange, as it may turn out."""
        return self.run(sys.executable, "-m", "gitchange", *arguments)

    def must(self, *arguments: str) -> Result:
        """gitchange, which must succeed and leave nothing waiting or to complain about."""
        done = self.do(*arguments)
        said = f"{self.name}: gitchange {' '.join(arguments)}\n{done.out}{done.err}"
        assert done.code == 0, said
        assert "still only here" not in done.err, said
        assert "note:" not in done.err, said
        return done

    def read(self, *arguments: str) -> Result:
        """gitchange where no server has a part: in the test's own process, which is quicker; it must succeed."""
        done = gitchange(self.clone, *arguments)
        assert done.code == 0, f"{self.name}: gitchange {' '.join(arguments)}\n{done.out}{done.err}"
        return done

    def request(self, *options: str) -> str:
        """A change, committed on the branch that is checked out; its id."""
        return self.must("new", "--commit", *request_options(*options)).out.split()[0]

    def pushes(self) -> int:
        """How many pushes this person's commands made so far, by git's own trace."""
        count = 0
        for file in (self.home / "traces").iterdir():
            events = (json.loads(line) for line in file.read_text().splitlines())
            count += any(event["event"] == "start" and "push" in event["argv"] for event in events)
        return count

    def status(self, change: str) -> str:
        """The status of a change as this clone knows it."""
        return str(self.read("show", change, "--json").json["status"])


def member(company: Company, server: Server, name: str, folder: Path, *, key: str | None = None) -> Member:
    """A person with a fresh home and no clone yet; `key` is whose key it is where several act as one."""
    home = folder / "home"
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n")
    (home / "traces").mkdir()
    variables = environment(home, GIT_TRACE2_EVENT=str(home / "traces"), **server.environments.get(name, {}))
    made = Member(name, home, folder / "clone", variables)
    settings = {
        "user.name": name.capitalize(),
        "user.email": f"{name}@example.org",
        "gpg.format": "ssh",
        "user.signingkey": str(company.key(key or name)),
        **server.settings.get(name, {}),
    }
    for setting, value in settings.items():
        made.git("config", "--global", setting, value, where=home)
    return made


@dataclass(frozen=True)
class Team:
    """Some people with a clone each of one server's repository."""

    company: Company
    server: Server
    members: dict[str, Member]

    def __getitem__(self, name: str) -> Member:
        return self.members[name]

    def another_clone(self, name: str, folder: Path) -> Member:
        """The same person at another computer, where the introduction is pinned and nothing else was done."""
        made = member(self.company, self.server, name, folder)
        clone(self.company, self.server, made)
        return made


def clone(company: Company, server: Server, person: Member) -> None:
    """A person's clone, pinned to the company's introduction."""
    person.git("clone", "--quiet", server.urls[person.name], str(person.clone), where=person.home)
    person.git("config", "gitchange.introduction", git(company.repo, "config", "gitchange.introduction"))


def team(company: Company, server: Server, people: Iterable[str], maintainer: str, folder: Path) -> Team:
    """The company's repository on the server, pushed by the maintainer, and everybody's clone of it."""
    members = {name: member(company, server, name, folder / name) for name in people}
    members[maintainer].git("push", "--quiet", server.urls[maintainer], "main", where=company.repo)
    for person in members.values():
        clone(company, server, person)
    return Team(company, server, members)
