"""`doctor`: each thing that can be wrong with a clone or a policy, provoked for real."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitchange.workflow.doctor import examine, policy_findings
from gitchange.workflow.workspace import Workspace
from tests.company import POLICY, SYSTEMS, Company, Result, git, gitchange
from tests.gnupg import gnupg

from .conftest import Shared, Take

NOTES = "refs/notes/gitchange/approvals"
# A policy whose members can do everything, so that a clone that is in order has no finding at all.
GOOD = POLICY.replace(
    'security       = { members = ["eve@example.org"] }',
    'security       = { members = ["eve@example.org", "mo@example.org"] }',
)
NAMES = (
    *("programs", "identity", "clone", "introduction", "refspecs", "remote", "exchange", "files"),
    *("clock", "signing", "policy", "duties", "upkeep"),
)


@dataclass(frozen=True)
class Place:
    """A clone of a shared repository with one approved change."""

    company: Company
    server: Path
    clone: Path
    change: str

    def doctor(self, *options: str) -> Result:
        """The diagnosis, as JSON."""
        return gitchange(self.clone, "doctor", "--json", *options)

    def findings(self, *options: str) -> dict[str, str]:
        """Severities of what was found in the clone, by code; each finding has a mend."""
        shape = self.doctor(*options).json
        assert all(finding["hint"] for finding in shape["findings"])
        return {f["code"]: f["severity"] for f in shape["findings"] if not f["code"].startswith("duties.")}

    def message(self, code: str, *options: str) -> str:
        """What the finding of that code says, and its mend."""
        found = next(f for f in self.doctor(*options).json["findings"] if f["code"] == code)
        return f"{found['message']} | {found['hint']}"

    def check(self, name: str, *options: str) -> dict[str, Any]:
        """One check."""
        (found,) = (c for c in self.doctor(*options).json["checks"] if c["name"] == name)
        return dict(found)

    def config(self, *arguments: str) -> None:
        """Change git's configuration of the clone."""
        git(self.clone, "config", *arguments)


@pytest.fixture
def place(shared: Callable[..., Shared]) -> Place:
    """ada's clone, in order."""
    made = shared("approved", "ada")
    clone = made.clone["ada"]
    assert gitchange(clone, "sync").code == 0
    return Place(made.company, made.server, clone, made.change)


def test_a_clone_in_order(place: Place) -> None:
    """In a clone that is set up every check is ok, and the exit code is 0."""
    done = place.doctor("--sign")
    assert done.code == 0
    assert done.json["verdict"] == "ok"
    assert place.findings("--sign") == {}
    states = {check["name"]: check["state"] for check in done.json["checks"]}
    assert states == {**dict.fromkeys(NAMES, "ok"), "duties": "warning"}
    signing = place.check("signing", "--sign")["found"]
    assert signing.startswith("ada@example.org with SHA256:")
    assert signing.endswith("as root, change-manager, and it signed")


def test_nothing_is_written(place: Place) -> None:
    """Neither refs nor configuration nor files of the clone change, and nothing is sent."""

    def state() -> list[str]:
        return [
            git(place.clone, "for-each-ref"),
            git(place.clone, "config", "--list"),
            git(place.clone, "status", "--porcelain"),
            git(place.server, "for-each-ref"),
        ]

    before = state()
    assert place.doctor("--sign").code == 0
    assert state() == before


def test_the_shape_of_the_answer(place: Place) -> None:
    """The JSON has the documented keys, every state is a documented one, and counts fit."""
    place.config("user.email", "zed@example.org")
    shape = place.doctor("--offline").json
    assert shape.keys() == {"schema", "verdict", "checks", "findings"}
    assert shape["schema"] == 1
    assert [check["name"] for check in shape["checks"]] == list(NAMES)
    for check in shape["checks"]:
        assert check.keys() == {"name", "question", "state", "found", "findings"}
        assert check["state"] in {"ok", "warning", "problem", "undecided", "left-out"}
        assert "\n" not in check["found"]
    assert sum(check["findings"] for check in shape["checks"]) == len(shape["findings"]) > 0
    for finding in shape["findings"]:
        assert {"code", "severity", "message", "hint"} <= finding.keys()


# -- what is wrong with a clone --------------------------------------------------------------------

Spoil = Callable[[Place], object]


def hidden_history(place: Place) -> None:
    """Clone again without the whole history."""
    shutil.rmtree(place.clone)
    git(place.company.root, "clone", "--quiet", "--depth=1", f"file://{place.server}", str(place.clone))
    place.company.become("ada", place.clone)


def partial(place: Place) -> None:
    """Clone again without the files of older commits."""
    git(place.server, "config", "uploadpack.allowFilter", "true")
    pinned = git(place.clone, "config", "gitchange.introduction")
    shutil.rmtree(place.clone)
    source = f"file://{place.server}"
    git(place.company.root, "clone", "--quiet", "--filter=blob:none", source, str(place.clone))
    place.company.become("ada", place.clone)
    place.config("gitchange.introduction", pinned)


def replaced(place: Place) -> None:
    """Replace a commit by another one."""
    other = git(place.clone, "commit-tree", "HEAD^{tree}", "-m", "Another beginning")
    git(place.clone, "replace", "HEAD", other)


def lock(place: Place) -> None:
    """Leave a lock behind, an hour ago."""
    file = place.clone / ".git" / "refs" / "heads" / "main.lock"
    file.touch()
    hour_ago = dt.datetime.now().timestamp() - 3600
    os.utime(file, (hour_ago, hour_ago))


def unsent(place: Place) -> None:
    """Sign something and do not send it."""
    place.company.must("mo", "reject", place.change, "-m", "no", "--no-push", directory=place.clone)
    place.company.become("ada", place.clone)


def unsent_branch(place: Place) -> None:
    """Commit on main and do not send it."""
    git(place.clone, "commit", "--quiet", "--allow-empty", "-m", "Local")


def diverged(place: Place) -> None:
    """Commit on main here and there."""
    unsent_branch(place)
    behind(place)
    git(place.clone, "fetch", "--quiet", "origin")


def behind(place: Place) -> None:
    """Somebody else commits on the server's main."""
    commit = git(place.company.repo, "commit-tree", "-p", "main", "main^{tree}", "-m", "Theirs")
    git(place.company.repo, "push", "--quiet", str(place.server), f"{commit}:refs/heads/main")


def lost(place: Place) -> None:
    """The server's notes are rewound to nothing."""
    git(place.server, "update-ref", "-d", NOTES)


def rewritten(place: Place) -> None:
    """The server's main is exchanged for another history that this clone has."""
    other = git(place.clone, "commit-tree", "HEAD^{tree}", "-m", "Another history")
    git(place.clone, "push", "--quiet", "--force", "origin", f"{other}:refs/heads/main")


def ahead(place: Place) -> None:
    """A commit on main is dated two days ahead."""
    later = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=2, hours=1):%Y-%m-%dT%H:%M:%SZ}"
    environment = {**os.environ, "GIT_COMMITTER_DATE": later}
    command = ["git", "-C", str(place.clone), "commit", "--quiet", "--allow-empty", "-m", "Ahead"]
    subprocess.run(command, env=environment, check=True)
    git(place.clone, "push", "--quiet", "origin", "main")


def claimed(place: Place) -> None:
    """A sign-off claims tomorrow's time."""
    os.environ["GITCHANGE_NOW"] = f"{dt.datetime.now(dt.UTC) + dt.timedelta(hours=26):%Y-%m-%dT%H:%M:%SZ}"
    try:
        place.company.must("mo", "approve", place.change, "--yes", directory=place.clone)
    finally:
        del os.environ["GITCHANGE_NOW"]
    place.company.become("ada", place.clone)


def no_private_half(place: Place) -> Path:
    """Configure a public key whose private half lies elsewhere."""
    alone = place.company.root / "alone" / "ada.pub"
    alone.parent.mkdir()
    shutil.copy(place.company.key("ada").with_name("ada.pub"), alone)
    place.config("user.signingkey", str(alone))
    return alone


def literal(place: Place) -> None:
    """Configure the public key itself."""
    public = place.company.key("ada").with_name("ada.pub").read_text()
    place.config("user.signingkey", f"key::{public.strip()}")


def dead_agent(place: Place) -> None:
    """An agent's socket at which nobody listens."""
    no_private_half(place)
    os.environ["SSH_AUTH_SOCK"] = str(place.company.root / "nobody")


def unknown_key(place: Place) -> None:
    """A key that the policy does not list."""
    made = place.company.root / "new"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made], check=True)
    place.config("user.signingkey", str(made))


def readable_by_all(place: Place) -> None:
    """A private key that others can read."""
    place.company.key("ada").chmod(0o644)


def unconfigured(place: Place) -> None:
    """No signing key."""
    place.config("--unset", "user.signingkey")


def old_ssh_keygen(place: Place) -> None:
    """An ssh-keygen from before `-Y`."""
    old = place.company.root / "ssh-keygen"
    old.write_text("#!/bin/sh\necho 'unknown option -- Y' >&2\necho 'usage: ssh-keygen [-q]' >&2\nexit 1\n")
    old.chmod(0o755)
    place.config("gpg.ssh.program", str(old))


def attributes(line: str) -> Spoil:
    """Another line at the end of .gitattributes."""
    return lambda place: (place.clone / ".gitattributes").open("a").write(f"{line}\n")


def without_attributes(place: Place) -> None:
    """Windows' line ends, and nothing in .gitattributes."""
    (place.clone / ".gitattributes").write_text("")
    place.config("core.autocrlf", "true")


WRONG: dict[str, tuple[Spoil, dict[str, str], str]] = {
    "no pin": (
        lambda p: p.config("--unset", "gitchange.introduction"),
        {"introduction.not-pinned": "warning"},
        "git config gitchange.introduction",
    ),
    "a wrong pin": (
        lambda p: p.config("gitchange.introduction", git(p.clone, "commit-tree", "HEAD^{tree}", "-m", "x")),
        {"introduction.wrong": "error"},
        "ask a colleague for the id",
    ),
    "no name": (
        lambda p: (p.config("--unset", "user.name"), p.config("user.useConfigOnly", "true")),
        {"identity.unknown": "error"},
        "git config --global user.name NAME",
    ),
    "an address that is nobody's": (
        lambda p: p.config("user.email", "ada@home.example"),
        {"identity.not-in-policy": "warning", "signing.other-address": "warning"},
        "git config user.email",
    ),
    "another person's address": (
        lambda p: p.config("user.email", "bo@example.org"),
        {"signing.other-address": "warning"},
        "`git config user.email ada@example.org`",
    ),
    "a shallow clone": (
        hidden_history,
        {"clone.shallow": "error", "doctor.undecided": "error", "exchange.behind": "note"},
        "`git fetch --unshallow origin`",
    ),
    "a partial clone": (
        partial,
        {"clone.partial": "error", "exchange.behind": "note"},
        "without --filter",
    ),
    "a replaced commit": (replaced, {"clone.replaced": "warning"}, "git replace -d"),
    "a lock left behind": (lock, {"clone.forgotten-lock": "error"}, "main.lock"),
    "a forced refspec for all notes": (
        lambda p: p.config("--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*"),
        {"refspecs.forced-fetch": "error"},
        "`git config --fixed-value --unset-all remote.origin.fetch '+refs/notes/*:refs/notes/*'`",
    ),
    "a forced refspec for our notes": (
        lambda p: p.config("--add", "remote.origin.fetch", f"+{NOTES}:{NOTES}"),
        {"refspecs.forced-fetch": "error"},
        "what you signed and did not send yet is lost",
    ),
    "notes that are pruned": (
        lambda p: (
            p.config("--add", "remote.origin.fetch", "refs/notes/*:refs/notes/*"),
            p.config("fetch.prune", "true"),
        ),
        {"refspecs.pruned": "error"},
        "removes your notes",
    ),
    "a forced push of the notes": (
        lambda p: p.config("--add", "remote.origin.push", "+refs/notes/*"),
        {"refspecs.forced-push": "error"},
        "--unset-all remote.origin.push '+refs/notes/*'",
    ),
    "a remote that is mirrored": (
        lambda p: p.config("remote.origin.mirror", "true"),
        {"refspecs.mirror": "error"},
        "`git config --unset remote.origin.mirror`",
    ),
    "a merge strategy that drops lines": (
        lambda p: p.config("notes.mergeStrategy", "theirs"),
        {"refspecs.merge-strategy": "warning"},
        "`git config notes.mergeStrategy cat_sort_uniq`",
    ),
    "a remote that is not there": (
        lambda p: p.config("remote.origin.url", str(p.company.root / "nowhere.git")),
        {"remote.unreachable": "error"},
        "git ls-remote origin",
    ),
    "several remotes": (
        lambda p: (
            git(p.clone, "remote", "rename", "origin", "one"),
            git(p.clone, "remote", "add", "two", "elsewhere"),
            p.config("--unset", "branch.main.remote"),
        ),
        {"remote.unclear": "warning"},
        "`git config gitchange.remote NAME`",
    ),
    "a sign-off that was not sent": (
        unsent,
        {"exchange.unsent": "warning"},
        "1 sign-off(s) are only in this clone | `gitchange sync` sends them",
    ),
    "a commit that was not sent": (
        unsent_branch,
        {"exchange.branch-unsent": "warning"},
        "1 commit(s) of main are only in this clone",
    ),
    "branches that diverged": (
        diverged,
        {"exchange.diverged": "warning"},
        "`git pull --rebase origin main`",
    ),
    "a remote that is ahead": (behind, {"exchange.branch-behind": "note"}, "`gitchange sync`"),
    "a remote that lost sign-offs": (
        lost,
        {"exchange.lost": "error", "exchange.unsent": "warning"},
        "'approve' by ada@example.org",
    ),
    "a remote whose main was exchanged": (
        rewritten,
        {"exchange.rewritten": "error", "exchange.diverged": "warning"},
        "was rewritten",
    ),
    "line ends that are converted": (
        without_attributes,
        {"files.converted": "warning"},
        "core.autocrlf=true",
    ),
    "an attribute that converts": (
        attributes("*.toml text"),
        {"files.converted": "warning"},
        "attribute text=set",
    ),
    "a filter": (attributes("policy/** filter=lfs"), {"files.converted": "warning"}, "attribute filter=lfs"),
    "a commit of the day after tomorrow": (
        ahead,
        {"clock.commit-ahead": "warning"},
        "by ada@example.org is dated 2 days ahead",
    ),
    "a sign-off of tomorrow": (
        claimed,
        {"clock.sign-off-ahead": "warning"},
        "1 sign-off(s) claim a time ahead of this clock, by up to 1 day (mo@example.org)",
    ),
    "no signing key": (unconfigured, {"signing.no-key": "warning"}, "user.signingkey"),
    "a signing key that is not there": (
        lambda p: p.config("user.signingkey", "/nowhere/key"),
        {"signing.unusable-key": "error"},
        "/nowhere/key",
    ),
    "x509": (lambda p: p.config("gpg.format", "x509"), {"signing.unusable-key": "error"}, "gpg.format"),
    "a public half, and no agent": (no_private_half, {"signing.no-agent": "error"}, "ssh-agent"),
    "a literal key, and no agent": (literal, {"signing.no-agent": "error"}, "ssh-agent"),
    "an agent that is dead": (dead_agent, {"signing.no-agent": "error"}, "ssh-agent"),
    "a key that the policy does not know": (unknown_key, {"signing.unknown-key": "error"}, "allowed_signers"),
    "a private key for everybody": (readable_by_all, {"signing.key-not-private": "error"}, "chmod 600"),
    "a signing program that is not there": (
        lambda p: p.config("gpg.ssh.program", "/nowhere/ssh-keygen"),
        {"programs.no-signing-tool": "error"},
        "gpg.ssh.program",
    ),
    "an old ssh-keygen": (old_ssh_keygen, {"programs.ssh-keygen-too-old": "error"}, "OpenSSH 8.2"),
}


@pytest.fixture(autouse=True)
def _no_agent() -> Iterator[None]:
    """No test's agent is another's."""
    yield
    os.environ.pop("SSH_AUTH_SOCK", None)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_clone_is_named_with_its_mend(place: Place, name: str) -> None:
    """Each thing that is wrong is found, and nothing else; the exit code is 1 where it is a problem."""
    spoil, expected, words = WRONG[name]
    spoil(place)
    assert place.findings() == expected
    assert words in place.message(next(iter(expected)))
    assert place.doctor().code == ("error" in expected.values())


MENDED: tuple[str, ...] = (
    "a forced refspec for all notes",
    "a forced push of the notes",
    "a remote that is mirrored",
    "a merge strategy that drops lines",
    "a shallow clone",
    "a lock left behind",
    "a private key for everybody",
    "another person's address",
)


@pytest.mark.parametrize("name", MENDED)
def test_a_mend_that_can_be_copied_mends(place: Place, name: str) -> None:
    """The command in the hint, run as it stands in the clone, removes the finding."""
    spoil, expected, _ = WRONG[name]
    spoil(place)
    code = next(iter(expected))
    hint = place.message(code).partition(" | ")[2]
    commands = re.findall(r"`([^`]+)`", hint)
    subprocess.run(["bash", "-euc", commands[0]], cwd=place.clone, check=True, capture_output=True)
    assert code not in place.findings()


def test_the_forced_refspec_does_destroy_what_was_signed(place: Place) -> None:
    """What the finding says is so: a plain `git fetch` takes the unsent sign-off away."""
    unsent(place)
    before = git(place.clone, "rev-parse", NOTES)
    place.config("--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*")
    git(place.clone, "fetch", "--quiet", "origin")
    assert git(place.clone, "rev-parse", NOTES) != before


def test_a_refspec_without_force_is_no_finding(place: Place) -> None:
    """Fetching the notes into their own ref without force destroys nothing; nor does one for other notes."""
    for spec in (
        "refs/notes/*:refs/notes/*",
        "+refs/notes/*:refs/notes/remote/*",
        "+refs/notes/commits:refs/notes/commits",
    ):
        place.config("--add", "remote.origin.fetch", spec)
    assert place.findings() == {}


def test_a_remote_that_does_not_answer_is_not_waited_for(place: Place) -> None:
    """A remote that accepts and says nothing is given up after the time that was allowed."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place.config("remote.origin.url", f"git://127.0.0.1:{silent.getsockname()[1]}/x.git")
        workspace = Workspace.open(place.clone, dt.datetime.now(dt.UTC))
        done = examine(workspace, seconds=0.5)
    (finding,) = (f for f in done.findings if f.code == "remote.unreachable")
    assert finding.message == "origin did not answer within 0.5 seconds"


def test_offline_nothing_is_asked(place: Place) -> None:
    """With --offline the remote is left out, and what it has is told as it was last seen."""
    place.config("remote.origin.url", str(place.company.root / "nowhere.git"))
    unsent(place)
    assert place.findings("--offline") == {"exchange.unsent": "warning"}
    assert place.check("remote", "--offline")["state"] == "left-out"
    assert place.check("exchange", "--offline")["found"].endswith("as it was last seen")


def test_newer_notes_of_the_remote_are_a_note(place: Place, tmp_path: Path) -> None:
    """Sign-offs that others sent are no warning: the next command fetches them."""
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(place.server), str(other))
    git(other, "config", "gitchange.introduction", git(place.clone, "config", "gitchange.introduction"))
    place.company.must("mo", "reject", place.change, "-m", "no", directory=other)
    assert place.findings() == {"exchange.behind": "note"}
    assert place.doctor().code == 0
    assert gitchange(place.clone, "sync").code == 0
    assert place.findings() == {}


def test_without_a_remote_everything_is_here(take: Take) -> None:
    """A repository without any remote is in order, with a note."""
    scene = take("approved")
    done = scene.company.do("ada", "doctor", "--json")
    assert done.code == 0
    assert "remote.none" in {f["code"] for f in done.json["findings"]}


@contextlib.contextmanager
def agent(place: Place, *keys: Path) -> Iterator[None]:
    """A real agent with these keys."""
    sock = place.company.root / "agent"
    command = ["ssh-agent", "-D", "-a", str(sock)]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        os.environ["SSH_AUTH_SOCK"] = str(sock)
        while subprocess.run(["ssh-add", "-l"], capture_output=True, check=False).returncode == 2:
            assert running.poll() is None
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], check=True, capture_output=True)
        yield
    finally:
        running.terminate()
        running.wait()
        sock.unlink(missing_ok=True)


def test_an_agent_has_the_key_or_not(place: Place) -> None:
    """With only the public half at hand, an agent that has the key signs; one that has others does not."""
    no_private_half(place)
    with agent(place, place.company.key("bo")):
        assert place.findings() == {"signing.not-in-agent": "error"}
        assert "ssh-add FILE" in place.message("signing.not-in-agent")
    with agent(place, place.company.key("ada")):
        assert place.findings("--sign") == {}
        literal(place)
        assert place.findings("--sign") == {}


def test_a_key_in_the_home_is_found(place: Place) -> None:
    """A key's path that begins with `~` is the one that git takes it for."""
    folder = Path.home() / ".ssh"
    folder.mkdir(exist_ok=True)
    for name in ("ada", "ada.pub"):
        shutil.copy(place.company.key("ada").with_name(name), folder / name)
    place.config("user.signingkey", "~/.ssh/ada.pub")
    assert place.findings("--sign") == {}


def test_a_test_signature_that_fails_is_a_problem(place: Place) -> None:
    """What only shows when something is signed shows with --sign, and is not tried without."""
    stub = place.company.root / "op-ssh-sign"
    stub.write_text("#!/bin/sh\necho 'the vault is locked' >&2\nexit 1\n")
    stub.chmod(0o755)
    place.config("gpg.ssh.program", str(stub))
    assert place.findings() == {}
    assert place.findings("--sign") == {"signing.failed": "error"}
    assert "the vault is locked" in place.message("signing.failed", "--sign")


def test_a_member_who_signs_with_openpgp(place: Place) -> None:
    """The check of a clone knows OpenPGP keys too: those that the policy knows, and others."""
    with gnupg() as keyring:
        fingerprint = keyring.key("ada", "ed25519", "cert,sign")
        os.environ["GNUPGHOME"] = str(keyring.home)
        try:
            place.config("gpg.format", "openpgp")
            place.config("user.signingkey", fingerprint)
            assert place.findings() == {"signing.unknown-key": "error"}
            certificates = place.clone / "policy" / "openpgp"
            certificates.mkdir()
            (certificates / "ada@example.org.asc").write_bytes(keyring.export(fingerprint))
            changed(place, POLICY)
            assert place.findings("--sign", "--offline") == {"exchange.branch-unsent": "warning"}
            place.config("user.signingkey", "0" * 40)
            assert place.findings("--offline", "--sign")["signing.unusable-key"] == "error"
        finally:
            del os.environ["GNUPGHOME"]


# -- what is wrong with a policy -------------------------------------------------------------------


def changed(place: Place, policy: str, systems: str = SYSTEMS, signers: Callable[[str], str] = str) -> None:
    """Commit another policy and pin that commit: a company that began with it."""
    folder = place.clone / "policy"
    (folder / "policy.toml").write_text(policy)
    (folder / "systems.toml").write_text(systems)
    listed = folder / "allowed_signers"
    listed.write_text(signers(listed.read_text()))
    git(place.clone, "add", "--all", "policy")
    git(place.clone, "commit", "--quiet", "-m", "Another policy")
    place.config("gitchange.introduction", git(place.clone, "rev-parse", "HEAD"))


def test_a_good_policy_has_no_finding(place: Place) -> None:
    """With two persons in each role that evaluates, nothing at all is told."""
    changed(place, GOOD)
    shape = place.doctor("--offline").json
    assert [f["code"] for f in shape["findings"]] == ["exchange.branch-unsent"]
    assert (
        place.check("duties", "--offline")["found"]
        == "every kind of change can be completed, whoever requests it"
    )


def test_an_unreadable_policy_is_a_problem_with_all_its_findings(place: Place) -> None:
    """Everything that is wrong with the policy is named, and the rest of the clone is still looked at."""
    changed(
        place,
        POLICY.replace('role = "developer"', 'role = "builder"').replace("[[rules]]", "[[rules]]\nx = 1"),
    )
    done = place.doctor("--offline")
    assert done.code == 1
    assert {"policy.unknown-key"} <= set(place.findings("--offline"))
    assert place.check("policy", "--offline")["state"] == "problem"
    assert place.check("duties", "--offline")["state"] == "left-out"
    assert place.check("clone", "--offline")["state"] == "ok"


def test_what_the_members_cannot_do_is_told(place: Place) -> None:
    """A policy of one change manager is told of, with who it is and what would help."""
    changed(place, GOOD.replace('["ada@example.org", "mo@example.org"] }\ndev', '["ada@example.org"] }\ndev'))
    (finding,) = (f for f in place.doctor("--offline").json["findings"] if f["code"] == "duties.no-evaluator")
    assert finding["message"] == (
        "normal and emergency changes that ada@example.org requests cannot be evaluated: "
        "change-manager is only ada@example.org"
    )
    assert "evaluator-is-requester" in finding["hint"]


def test_keys_that_end_are_told_in_time(place: Place) -> None:
    """A key that ends within the time asked for is told of; --within says how long that is."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=40)
    changed(
        place,
        GOOD,
        signers=lambda text: text.replace(
            'ada@example.org namespaces="gitchange"',
            f'ada@example.org namespaces="gitchange",valid-before="{end:%Y%m%d}Z"',
        ),
    )
    assert not {"key.ends-soon", "signing.ends-soon"} & set(place.findings("--offline"))
    assert {"key.ends-soon", "signing.ends-soon"} <= set(place.findings("--offline", "--within", "6w"))


def test_a_key_that_ended_signs_nothing(place: Place) -> None:
    """Who tries to sign with a key that has ended learns it from the diagnosis."""
    changed(
        place,
        GOOD,
        signers=lambda text: text.replace(
            'ada@example.org namespaces="gitchange"',
            'ada@example.org namespaces="gitchange",valid-before="20200101Z"',
        ),
    )
    assert place.findings("--offline")["signing.does-not-count"] == "error"
    assert place.findings("--offline")["key.unable"] == "warning"


def test_a_policy_in_hand_can_be_asked_about(place: Place) -> None:
    """What is found about the policy in force is found about one that is only proposed; every finding has a mend."""
    changed(
        place,
        POLICY.replace("threshold = 2", "threshold = 1"),
        signers=lambda text: text.replace('namespaces="gitchange" ', ""),
    )
    workspace = Workspace.open(place.clone, dt.datetime.now(dt.UTC))
    found = policy_findings(workspace.policy, workspace.now)
    assert {f.code for f in found} == {"duties.no-evaluator", "root.one-person", "key.any-purpose"}
    assert all(f.hint for f in found)
    assert policy_findings(workspace.policy.model_copy(update={"signers": b""}), workspace.now)


# -- where it works --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["--bare", "--mirror"])
def test_bare_clones(place: Place, tmp_path: Path, kind: str) -> None:
    """A bare clone can be looked at; a mirror is for reading, and is told so."""
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", kind, str(place.server), str(bare))
    git(bare, "config", "gitchange.introduction", git(place.clone, "config", "gitchange.introduction"))
    place.company.become("ada", bare)
    there = Place(place.company, place.server, bare, place.change)
    assert there.doctor().code == 0
    mirror = {"refspecs.forced-fetch": "warning", "refspecs.mirror": "warning"}
    expected = {"--bare": {"exchange.behind": "note"}, "--mirror": mirror}
    assert there.findings() == expected[kind]
    assert there.check("files")["state"] == "left-out"


def test_a_repository_without_a_policy_cannot_be_decided(tmp_path: Path) -> None:
    """In any other repository the checks of the clone are made, and the rest is undecided: exit code 3."""
    git(tmp_path, "init", "--quiet", str(tmp_path))
    for key, value in {"user.name": "Zed", "user.email": "zed@example.org"}.items():
        git(tmp_path, "config", key, value)
    for commits in range(2):
        if commits:
            git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "First")
        done = gitchange(tmp_path, "doctor", "--json")
        assert done.code == 3
        states = {check["name"]: check["state"] for check in done.json["checks"]}
        assert (states["introduction"], states["policy"], states["duties"]) == (
            "undecided",
            "undecided",
            "left-out",
        )
        assert states["identity"] == states["clone"] == "ok"
        assert all(finding["hint"] for finding in done.json["findings"])


def test_no_repository_is_no_answer(tmp_path: Path) -> None:
    """Outside a repository there is nothing to look at: exit code 3, and the words of every other command."""
    done = gitchange(tmp_path, "doctor")
    assert done.code == 3
    assert "is not in a Git repository" in done.err


def test_a_length_of_time_that_is_none(place: Place) -> None:
    """--within takes a length of time as the policy does."""
    done = gitchange(place.clone, "doctor", "--within", "soon")
    assert done.code == 2
    assert "90m, 24h, 3d or 2w" in done.err


def test_the_checks_are_listed_with_their_mends(place: Place) -> None:
    """The list has a numbered line for each check, findings with mends below theirs, and a last line that counts."""
    place.config("--add", "remote.origin.fetch", "+refs/notes/*:refs/notes/*")
    done = gitchange(place.clone, "doctor")
    lines = done.out.splitlines()
    numbered = [line for line in lines if re.match(r"\d+\. ", line)]
    assert [line.split(". ")[1].partition(":")[0] for line in numbered] == list(NAMES)
    assert numbered[0].endswith(": ok")
    (at,) = (n for n, line in enumerate(lines) if line.endswith("PROBLEM"))
    assert lines[at].startswith("5. refspecs: ")
    assert lines[at + 1].endswith("[refspecs.forced-fetch]")
    assert lines[at + 2].startswith("    mend: `git config")
    assert lines[-1] == "1 problem, 1 warning"
    assert done.code == 1


def test_colour_only_at_a_terminal(place: Place) -> None:
    """At a terminal marks have colours; in a pipe nothing has."""
    command = [sys.executable, "-m", "gitchange", "-C", str(place.clone), "doctor", "--offline"]
    piped = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    assert b"\x1b" not in piped.stdout + piped.stderr
    controller, terminal = pty.openpty()
    subprocess.run(
        command,
        stdout=terminal,
        stderr=terminal,
        stdin=terminal,
        check=True,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(terminal)
    assert re.search(rb"1\. programs: [^\n]*\x1b\[32m[^\n]*ok", os.read(controller, 65536))
    os.close(controller)


def test_texts_of_others_are_shown_as_text(place: Place) -> None:
    """What a remote, a configuration or a policy says cannot move the cursor."""
    place.config("remote.origin.url", "/nowhere/\x1b]0;owned\x07")
    place.config("user.name", "Ada\x1b[2J")
    done = gitchange(place.clone, "doctor")
    assert "\x1b" not in done.out + done.err


def test_a_missing_object_leaves_undecided_what_needs_it(place: Place) -> None:
    """A missing object keeps only those checks from an answer that need it: exit code 3."""
    oid = git(place.clone, "rev-parse", "HEAD:policy/policy.toml")
    for pack in (place.clone / ".git" / "objects" / "pack").glob("*.pack"):
        data = pack.read_bytes()
        for part in pack.parent.glob(f"{pack.stem}.*"):
            part.unlink()
        git(place.clone, "unpack-objects", "-q", data=data)
    (place.clone / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    done = place.doctor()
    assert done.code == 3
    assert done.json["verdict"] == "undecided"
    states = {check["name"]: check["state"] for check in done.json["checks"]}
    assert {name for name, state in states.items() if state == "undecided"} == {"introduction", "policy"}
    assert oid in place.message("doctor.undecided")
