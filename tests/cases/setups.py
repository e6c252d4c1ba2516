"""The stories at which the attacks begin: a company, its shared repository, and the clones of four people.

server.git   the shared repository: a bare one without any hook
team/        the clone in which the company works; each person with an own key
old/         the clone of somebody who exchanged with the server before the attack
attacker/    the adversary's clone
keys/        private keys; an attack takes those that its adversary has
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.company import POLICY, Company, git, gitchange, write_policy

ATTACKER = "mallory"
"""Somebody with push access to every ref, and a key that the policy does not know."""
CLONES = {"old": "old", "attacker": "attacker"}
NOTES = "refs/notes/gitchange/approvals"
IMPLEMENT = ("--steps-followed", "--test", "suite=passed")
VALIDATE = ("--works", "--no-security-risk", "--evidence", "looked at it")


@dataclass
class World:
    """A set-up on disk."""

    root: Path
    change: str = ""
    other: str = ""

    @classmethod
    def found(cls, root: Path, make: Callable[[World], None]) -> World:
        """A company with its server and clones, and what `make` adds."""
        write_policy(root)
        for extra in (ATTACKER, "ada2"):
            subprocess.run(
                [
                    "ssh-keygen",
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-C",
                    extra,
                    "-f",
                    str(root / "keys" / extra),
                ],
                check=True,
            )
        # Ada has two keys, as people with two machines do.
        kind, key, _ = (root / "keys" / "ada2.pub").read_text().split()
        with (root / "policy" / "allowed_signers").open("a") as signers:
            signers.write(f'ada@example.org namespaces="gitchange" {kind} {key}\n')
        company = Company(root, root / "repo")
        git(root, "init", "--quiet", "-b", "main", "repo")
        company.must("ada", "init", "--title", "Example changes", "--policy", str(root / "policy"))
        git(root, "clone", "--quiet", "--bare", str(company.repo), str(root / "server.git"))
        (root / "introduction").write_text(git(company.repo, "config", "gitchange.introduction"))
        shutil.rmtree(company.repo)
        world = cls(root)
        world.clone("team")
        make(world)
        for clone in CLONES.values():
            world.clone(clone)
            world.sync(clone)
        return world

    @property
    def introduction(self) -> str:
        """The introduction commit, which everybody pinned."""
        return (self.root / "introduction").read_text()

    @property
    def company(self) -> Company:
        """The people, at work in the team's clone."""
        return Company(self.root, self.root / "team")

    def become(self, person: str, where: Path) -> None:
        """Make a clone this person's."""
        self.company.become(person, where)

    def clone(self, name: str) -> None:
        """A clone of the server with the notes, pinned; its remote's address is relative, so it can be copied."""
        target = self.root / name
        git(self.root, "clone", "--quiet", "server.git", name)
        git(target, "config", "remote.origin.url", "../server.git")
        git(target, "config", "gitchange.introduction", self.introduction)
        self.become("dee", target)
        if git(self.root / "server.git", "for-each-ref", NOTES):
            git(target, "fetch", "--quiet", "origin", f"+{NOTES}:{NOTES}")

    def sync(self, name: str) -> None:
        """Exchange with the server, as people do every day."""
        done = gitchange(self.root / name, "sync")
        assert done.code == 0, done.err

    def copied(self, root: Path) -> World:
        """The same in another folder."""
        shutil.copytree(self.root, root, symlinks=True)
        return World(root, self.change, self.other)

    def do(self, person: str, *arguments: str) -> str:
        """Run gitchange as a person in the team's clone; it must succeed."""
        return self.company.must(person, *arguments).out

    def together(self) -> None:
        """Everybody exchanges with the server."""
        for clone in ("team", *CLONES.values()):
            self.sync(clone)

    def words(self, attacker: str) -> dict[str, str]:
        """The environment of an attack, and the words that expectations may use."""
        return {
            "REPO": str(self.root / "attacker"),
            "SERVER": str(self.root / "server.git"),
            "OLD": str(self.root / "old"),
            "ELSEWHERE": str(self.root / "elsewhere"),
            "KEYS": str(self.root / "keys"),
            "KEY": str(self.root / "keys" / attacker),
            "CHANGE": self.change,
            "FILE": path_of(self.change),
            "OTHER": self.other,
            "OTHER_FILE": path_of(self.other),
            "INTRODUCTION": self.introduction,
            "NOTES": NOTES,
            "CRAFT": str(Path(__file__).with_name("craft.py")),
        }

    def path(self) -> str:
        """PATH with `gitchange` of this very checkout first."""
        tools = self.root / "tools"
        tools.mkdir(exist_ok=True)
        program = tools / "gitchange"
        checkout = Path(__file__).parents[2]
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{checkout}" exec "{sys.executable}" -m gitchange "$@"\n')
        program.chmod(0o755)
        return f"{tools}{os.pathsep}{os.environ['PATH']}"


def path_of(change: str) -> str:
    """Where a change's file lies."""
    return f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"


@dataclass(frozen=True)
class Setup:
    """A story: what it continues, and what happens in it."""

    after: str | None
    make: Callable[[World], None]


def requested(world: World) -> None:
    """Two changes by Bo that nobody has evaluated."""
    world.change = world.company.request("bo")
    world.other = world.company.request("bo", "--title", "Another change")


def approved(world: World) -> None:
    """Ada has approved the first."""
    world.do("ada", "approve", world.change, "--yes", "-m", "go ahead")
    world.together()


def rejected(world: World) -> None:
    """Ada has approved the first, and Mo has rejected it."""
    world.do("mo", "reject", world.change, "-m", "not on a Friday")
    world.together()


def sealed(world: World) -> None:
    """All sign-offs are witnessed by a commit on main."""
    world.do("dee", "seal")
    world.together()


def revoked(world: World) -> None:
    """Ada has approved the first, and rejected it on second thought."""
    world.do("ada", "reject", world.change, "-m", "on second thought, no")
    world.together()


def approved_by_mo(world: World) -> None:
    """Mo has approved the first, and main has witnessed it."""
    world.do("mo", "approve", world.change, "--yes", "-m", "go ahead")
    sealed(world)


def validated(world: World) -> None:
    """The first is approved, implemented and validated."""
    world.do("bo", "implement", world.change, *IMPLEMENT)
    world.do("dee", "validate", world.change, *VALIDATE)
    world.together()


def documented(world: World) -> None:
    """The first went through all five steps."""
    world.do("dee", "document", world.change, "--outcome", "successful", "--summary", "It works.")
    world.together()


def adopt(world: World, policy: str, signers: str | None = None) -> None:
    """Root approves and adopts a policy."""
    team = world.root / "team"
    world.become("ada", team)
    git(team, "switch", "--quiet", "-C", "proposal", "main")
    (team / "policy" / "policy.toml").write_text(policy)
    if signers is not None:
        (team / "policy" / "allowed_signers").write_text(signers)
    git(team, "commit", "--quiet", "-am", "a new policy")
    git(team, "switch", "--quiet", "main")
    world.do("ada", "policy", "approve", "proposal", "--yes")
    world.do("eve", "policy", "approve", "proposal", "--yes")
    world.do("ada", "policy", "adopt", "proposal")
    git(team, "branch", "--quiet", "-D", "proposal")
    world.together()


def without_mo(world: World) -> None:
    """Policy version 2 is in force: Mo has left, with the key."""
    signers = (world.root / "team" / "policy" / "allowed_signers").read_text().splitlines(keepends=True)
    kept = "".join(line for line in signers if not line.startswith("mo@"))
    adopt(world, POLICY.replace("version = 1", "version = 2").replace(', "mo@example.org"', "", 1), kept)


def compromised(world: World) -> None:
    """Policy version 2 is in force: Mo's key was stolen, and is void from now on."""
    team = world.root / "team"
    key = str(world.root / "keys" / "mo.pub")
    listed = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, check=True, text=True)
    entry = (
        f'\n[[compromised]]\nkey = "{listed.stdout.split()[1]}"\nsince = "{git(team, "rev-parse", "main")}"\n'
        'reason = "the laptop was stolen"\n'
    )
    adopt(world, POLICY.replace("version = 1", "version = 2") + entry)


def approved_elsewhere(world: World) -> None:
    """Ada has approved the same words in another repository of the same people: a rehearsal."""
    elsewhere = world.root / "elsewhere"
    git(world.root, "init", "--quiet", "-b", "main", "elsewhere")
    world.company.must(
        "ada", "init", "--title", "Rehearsal", "--policy", str(world.root / "policy"), directory=elsewhere
    )
    file = elsewhere / path_of(world.change)
    file.parent.mkdir(parents=True)
    shutil.copyfile(world.root / "team" / path_of(world.change), file)
    world.become("bo", elsewhere)
    git(elsewhere, "add", "-A")
    git(elsewhere, "commit", "--quiet", "-m", "rehearsal")
    world.company.must("ada", "approve", world.change, "--yes", "-m", "as a rehearsal", directory=elsewhere)


SETUPS = {
    "requested": Setup(None, requested),
    "approved": Setup("requested", approved),
    "rejected": Setup("approved", rejected),
    "rejected-sealed": Setup("rejected", sealed),
    "revoked": Setup("approved", revoked),
    "validated": Setup("approved", validated),
    "validated-then-rejected": Setup("validated", rejected),
    "validated-then-rejected-sealed": Setup("validated-then-rejected", sealed),
    "documented": Setup("validated", documented),
    "mo-left": Setup("requested", without_mo),
    "mo-approved": Setup("requested", approved_by_mo),
    "mo-approved-and-left": Setup("mo-approved", without_mo),
    "mo-rejected-and-left": Setup("rejected-sealed", without_mo),
    "mo-compromised": Setup("requested", compromised),
    "approved-elsewhere": Setup("requested", approved_elsewhere),
}
