"""`coverage --record` and `gate --record`: a machine's answers as signed evidence, and what was made up is told."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.company import (
    POLICY,
    Company,
    Result,
    clones,
    git,
    gitchange,
    request_options,
    sign_payload,
    write_policy,
)
from tests.integration.test_hook import guard, push

NOTES = "refs/notes/gitchange/approvals"
RULES = POLICY.replace(
    'security       = { members = ["eve@example.org"] }',
    'security       = { members = ["eve@example.org"] }\n'
    'recorder       = { members = ["ci@example.org", "nightly@example.org"] }',
)
SYSTEMS = """\
[systems.api]
name = "Public API"
customer_data = true
environments = ["staging", "production"]
depends_on = ["database"]
repositories = ["https://gitlab.example.org/acme/app.git"]
tags = "api/v*"

[systems.database]
name = "Database"
customer_data = true

[systems.website]
name = "Website"
customer_data = false
"""
MACHINES = ("ci", "nightly")


@dataclass(frozen=True)
class World:
    """A configuration repository whose policy has recorders, and an application with two commits."""

    company: Company
    change: str

    @property
    def app(self) -> Path:
        """The application's clone."""
        return self.company.root / "app"

    @property
    def main(self) -> str:
        """The tip of the branch of record."""
        return git(self.company.repo, "rev-parse", "main")

    def cover(self, *options: str, person: str = "ci", directory: Path | None = None) -> Result:
        """Compute the coverage of the first commit, which is covered."""
        wanted = ("coverage", "covered", "--repo", str(self.app), *options)
        return self.company.do(person, *wanted, directory=directory)

    def gate(self, *options: str, person: str = "ci", directory: Path | None = None) -> Result:
        """Ask whether the second commit, which is not covered, may be deployed."""
        wanted = ("gate", "--system", "api", "--base", "covered", "--repo", str(self.app), *options)
        return self.company.do(person, *wanted, directory=directory)

    def recorded(self, kind: str = "coverage", directory: Path | None = None) -> Any:
        """What was recorded of that kind."""
        done = gitchange(directory or self.company.repo, kind, "--recorded", "--json")
        assert done.code == 0, done.err
        return done.json["results"]

    def note(self, oid: str = "main") -> list[str]:
        """The lines on an object."""
        return git(self.company.repo, "notes", f"--ref={NOTES}", "show", oid).split("\n")

    def put(self, oid: str, lines: list[str], directory: Path | None = None) -> None:
        """Write a note with stock git."""
        where = directory or self.company.repo
        data = "".join(f"{line}\n" for line in lines).encode()
        blob = git(where, "hash-object", "-w", "--stdin", data=data)
        git(where, "notes", f"--ref={NOTES}", "add", "-f", "-C", blob, oid)

    def verify(self, *options: str, directory: Path | None = None) -> Any:
        """`verify --json`."""
        return gitchange(directory or self.company.repo, "verify", "--json", *options).json

    def check(self, directory: Path | None = None) -> tuple[int, int]:
        """How many results `verify` looked at, and what it found on them."""
        checks = {check["name"]: check for check in self.verify(directory=directory)["checks"]}
        return checks["results"]["looked_at"], checks["results"]["findings"]


def statement_of(line: str) -> dict[str, Any]:
    """What an envelope says."""
    said: dict[str, Any] = json.loads(base64.b64decode(json.loads(line)["payload"]))
    return said


def crafted(line: str, key: Path, **changes: Any) -> str:
    """A result that says something else than that one, signed anew."""
    said = statement_of(line)
    said["predicate"] |= changes
    return sign_payload(key, json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world as it was made. Not to be written to."""
    root = tmp_path_factory.mktemp("recording")
    folder = write_policy(root, RULES)
    (folder / "systems.toml").write_text(SYSTEMS)
    with (folder / "allowed_signers").open("a") as stream:
        for machine in MACHINES:
            key = root / "keys" / machine
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", machine, "-f", str(key)], check=True
            )
            kind, public, _ = key.with_suffix(".pub").read_text().split()
            stream.write(f'{machine}@example.org namespaces="gitchange" {kind} {public}\n')
    git(root, "init", "-q", "-b", "main", "repo")
    company = Company(root, root / "repo")
    company.must("ada", "init", "--title", "Changes", "--policy", str(folder))
    change = company.request()
    company.must("ada", "approve", change, "--yes", "-m", "go")
    app = root / "app"
    git(root, "init", "-q", "-b", "main", str(app))
    git(app, "remote", "add", "origin", "https://robot:secret@gitlab.example.org/acme/app.git")
    for name, value in (("user.name", "Bo"), ("user.email", "bo@example.org")):
        git(app, "config", name, value)
    git(app, "commit", "-q", "--allow-empty", "-m", "Begin")
    (app / "api.py").write_text("serve()\n")
    git(app, "add", "-A")
    git(app, "commit", "-qm", f"Serve\n\nChange: {change}")
    git(app, "tag", "covered")
    (app / "api.py").write_text("serve(twice)\n")
    git(app, "commit", "-qam", "Serve \x1b[2Jtwice")
    return World(company, change)


@pytest.fixture
def world(origin: World, tmp_path: Path) -> World:
    """A world of the test's own."""
    root = tmp_path / "world"
    shutil.copytree(origin.company.root, root, symlinks=True)
    return World(Company(root, root / "repo"), origin.change)


# -- what is recorded -----------------------------------------------------------------------------


def test_coverage_is_kept_on_the_commit_that_it_was_computed_from(world: World) -> None:
    """The result stands in the note of main's commit, in a statement of its own; it counts, and is found again."""
    done = world.cover("--record", "--json")
    assert done.code == 0, done.err
    kept = done.json["recorded"]
    assert (kept["by"], kept["main"], kept["sent"]) == ("ci@example.org", world.main, None)
    (line,) = world.note()
    said = statement_of(line)
    assert said["predicateType"] == "urn:x-gitchange:result:v1"
    head = git(world.app, "rev-parse", "covered")
    assert said["subject"] == [
        {"name": "https://gitlab.example.org/acme/app.git", "digest": {"gitCommit": head}}
    ]
    assert "secret" not in base64.b64decode(json.loads(line)["payload"]).decode()
    (one,) = world.recorded()
    assert (one["digest"], one["outcome"], one["counts"], one["why_not"]) == (
        kept["digest"], "complete", True, None,
    )  # fmt: skip
    assert (one["systems"], one["head"], one["base"], one["witness"]) == (["api"], head, None, None)
    assert world.check() == (1, 0)
    assert world.verify()["verdict"] == "ok"


def test_list_can_be_computed_again(world: World) -> None:
    """The digest is that of the commits, states and changes, as anybody makes it from what coverage says."""
    done = world.cover("--record", "--json").json
    lines = [f"{one['commit']} {one['state']} {','.join(one['changes'])}\n" for one in done["commits"]]
    digest = hashlib.sha256("".join(lines).encode()).hexdigest()
    assert digest == done["sha256"] == world.recorded()[0]["commits"]["sha256"]
    assert digest == world.cover("--json").json["sha256"]


def test_refusal_is_recorded_and_stays_a_refusal(world: World) -> None:
    """The gate says no with exit code 1, and its reasons are evidence."""
    done = world.gate("--record", "--environment", "production")
    assert done.code == 1
    assert "gate.uncovered" in done.out
    assert "recorded: " in done.out
    (one,) = world.recorded("gate")
    assert (one["outcome"], one["gate"]["environment"], one["since"]) == ("refused", "production", "covered")
    (refusal,) = one["gate"]["refusals"]
    assert refusal["code"] == "gate.uncovered"
    assert "\x1b" not in refusal["message"]
    assert [c["state"] for c in one["commits"]["open"]] == ["uncovered"]
    assert world.recorded() == []
    told = gitchange(world.company.repo, "gate", "--recorded")
    assert told.code == 0
    assert "refused" in told.out
    assert "\x1b" not in told.out


def test_nothing_recorded_says_how(world: World) -> None:
    """Where there is nothing, one learns how to record."""
    told = gitchange(world.company.repo, "coverage", "--recorded")
    assert told.code == 0
    assert "`gitchange coverage ... --record`" in told.out


def test_newest_comes_first(world: World) -> None:
    """Results follow the branch of record, whatever their clocks say."""
    world.cover("--record")
    world.company.must("ada", "seal")
    world.gate("--record")
    world.cover("--record", person="nightly")
    assert [one["by"] for one in world.recorded()] == ["nightly@example.org", "ci@example.org"]
    assert [one["policy_version"] for one in world.recorded()] == [1, 1]
    assert world.recorded()[1]["witness"] == world.main
    assert (
        gitchange(world.company.repo, "coverage", "--recorded", "--limit", "1", "--json").json["total"] == 2
    )


def test_index_changes_no_answer(world: World) -> None:
    """What is listed, and what `verify` finds, is the same from an index that went on as from nothing."""
    index = world.company.repo / ".git" / "gitchange"

    def answers() -> tuple[Any, ...]:
        return world.recorded(), world.recorded("gate"), world.verify()

    def from_nothing() -> tuple[Any, ...]:
        shutil.rmtree(index)
        return answers()

    answers()
    for step in (
        lambda: world.cover("--record"),
        lambda: world.company.must("ada", "seal"),
        lambda: world.gate("--record", person="nightly"),
        lambda: world.put("main", [*world.note(), "nonsense"]),
        lambda: world.put("main~1", [*world.note("main~1"), *world.note()]),
        lambda: world.company.must("ada", "seal"),
    ):
        step()
        gone_on = answers()
        assert gone_on == from_nothing()
    shutil.rmtree(index)
    index.write_text("in the way")  # none can be made
    assert gone_on == answers()
    assert world.check() == (5, 3)


def test_machine_needs_no_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where git knows no committer, the notes commit is the recorder's."""
    repo = world.company.become("ci")
    for name in ("user.name", "user.email"):
        git(repo, "config", "--unset", name)
    git(repo, "config", "user.useConfigOnly", "true")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    done = gitchange(repo, "coverage", "covered", "--repo", str(world.app), "--record")
    assert done.code == 0, done.err
    assert git(repo, "log", "-1", "--format=%ae %ce", NOTES) == "ci@example.org ci@example.org"


@pytest.mark.parametrize(
    "arguments",
    [
        ["coverage", "covered", "--record", "--recorded"],
        ["coverage", "covered", "--no-push"],
        ["coverage", "covered", "--limit", "3"],
        ["coverage", "covered", "--recorded"],
        ["coverage"],
        ["gate"],
    ],
)
def test_usage(world: World, arguments: list[str]) -> None:
    """Options that contradict each other, or say nothing, are refused."""
    assert gitchange(world.company.repo, *arguments, "--repo", str(world.app)).code == 2


# -- who may --------------------------------------------------------------------------------------


def test_person_cannot_record(world: World) -> None:
    """The answer is told all the same; that it could not be kept is exit code 3."""
    done = world.gate("--record", "--json", person="ada")
    assert done.code == 3
    assert done.json["allowed"] is False
    assert done.json["recorded"] is None
    assert "ada@example.org is no recorder" in done.err
    assert world.recorded("gate") == []


def test_machine_signs_nothing_else(world: World) -> None:
    """It cannot evaluate, withdraw, request, document, or approve a policy."""
    company, change = world.company, world.change
    tip = git(company.repo, "rev-parse", NOTES)
    for command in (
        ("approve", change, "--yes", "-m", "go"),
        ("reject", change, "--yes", "-m", "no"),
        ("withdraw", change, "--yes", "-m", "no"),
        ("implement", change, "--steps-followed", "--test", "suite=passed"),
        ("document", change, "--outcome", "successful", "--summary", "It works."),
    ):
        done = company.do("ci", *command)
        assert done.code == 1, command
        assert "is a recorder" in done.err
    assert git(company.repo, "rev-parse", NOTES) == tip
    done = company.do("ci", "new", "--commit", *request_options())
    assert done.code == 1
    assert "change.recorder-requests" in done.out + done.err


def test_sign_off_by_a_machine_does_not_count(world: World) -> None:
    """Whatever role it claims, a sign-off by a recorder decides nothing, and says why."""
    company = world.company
    path = git(company.repo, "ls-files", f"*{world.change}*")
    other = company.request()
    other_path = git(company.repo, "ls-files", f"*{other}*")
    (line,) = world.note(f"main:{path}")
    said = statement_of(line)
    raw = (company.repo / other_path).read_bytes()
    blob = git(company.repo, "rev-parse", f"main:{other_path}")
    said["subject"] = [
        {"name": other_path, "digest": {"gitBlob": blob, "sha256": hashlib.sha256(raw).hexdigest()}}
    ]
    for role in ("change-manager", "recorder"):
        said["predicate"] |= {"change": other, "by": "ci@example.org", "role": role}
        world.put(blob, [sign_payload(company.key("ci"), json.dumps(said, separators=(",", ":")).encode())])
        shown = company.show(other)
        assert shown["status"] == "requested"
        assert [f["code"] for f in shown["findings"]] == ["sign-off.by-recorder"]
        assert [s["counts"] for s in shown["sign_offs"]] == [False]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('developer      = { members = ["bo', 'developer      = { members = ["ci@example.org", "bo',
         "policy.recorder-with-another-role"),
        ('"ada@example.org", "eve@example.org"], thr', '"ci@example.org", "eve@example.org"], thr',
         "policy.recorder-with-another-role"),
        ('role = "system-user"', 'role = "recorder"', "policy.recorder-asked"),
    ],
)  # fmt: skip
def test_policy_gives_a_recorder_nothing_else(world: World, old: str, new: str, code: str) -> None:
    """A policy in which a machine could do more is no policy."""
    file = world.company.repo / "policy" / "policy.toml"
    file.write_text(file.read_text().replace(old, new))
    done = gitchange(world.company.repo, "check")
    assert done.code == 1
    assert code in done.out + done.err


# -- what was made up -----------------------------------------------------------------------------


def by_nobody(world: World, line: str) -> tuple[str, str]:
    """A key that the policy does not know."""
    key = world.company.root / "keys" / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return crafted(line, key), "signer.unknown"


def by_a_person(world: World, line: str) -> tuple[str, str]:
    """A person of the policy, whose result does not count."""
    return crafted(line, world.company.key("ada"), by="ada@example.org"), "result.not-a-recorder"


def in_anothers_name(world: World, line: str) -> tuple[str, str]:
    """One machine in the name of another."""
    return crafted(line, world.company.key("nightly")), "signer."


def altered(_: World, line: str) -> tuple[str, str]:
    """Bytes that nobody signed."""
    envelope = json.loads(line)
    said = statement_of(line)
    said["predicate"]["systems"] = ["website"]
    envelope["payload"] = base64.b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()
    return json.dumps(envelope, separators=(",", ":")), "signature."


def from_another_commit(world: World, line: str) -> tuple[str, str]:
    """A result that is kept where it was not computed."""
    other = git(world.company.repo, "rev-parse", "main~1")
    return crafted(line, world.company.key("ci"), main=other), "result.other-commit"


def for_another_repository(world: World, line: str) -> tuple[str, str]:
    """A result of another configuration repository."""
    return crafted(line, world.company.key("ci"), repository="1" * 40), "result.other-repository"


def by_another_policy(world: World, line: str) -> tuple[str, str]:
    """A policy that the commit does not have."""
    return crafted(line, world.company.key("ci"), policy="1" * 40), "result.other-policy"


def contradicting_itself(world: World, line: str) -> tuple[str, str]:
    """An outcome that the counts do not bear out."""
    return crafted(line, world.company.key("ci"), outcome="incomplete"), "statement.malformed"


def a_sign_off(world: World, _: str) -> tuple[str, str]:
    """An approval on a commit."""
    path = git(world.company.repo, "ls-files", f"*{world.change}*")
    return world.note(f"main:{path}")[0], "statement.malformed"


def nonsense(_: World, __: str) -> tuple[str, str]:
    """What is no envelope."""
    return "nonsense", "envelope."


MADE_UP = [
    by_nobody,
    by_a_person,
    in_anothers_name,
    altered,
    from_another_commit,
    for_another_repository,
    by_another_policy,
    contradicting_itself,
    a_sign_off,
    nonsense,
]
Forge = Callable[[World, str], tuple[str, str]]


@pytest.mark.parametrize("forge", MADE_UP)
def test_what_was_made_up_is_told_and_does_not_count(world: World, forge: Forge) -> None:
    """`verify` names it; the good result beside it stays good, and no change is touched by it."""
    world.cover("--record")
    before = world.company.show(world.change)
    line, code = forge(world, world.note()[0])
    world.put("main", [*world.note(), line])
    for options in ((), ("--no-cache",)):
        found = world.verify(*options)
        assert [f["severity"] for f in found["findings"] if f["code"].startswith(code)] == ["warning"]
        assert found["verdict"] == "ok"
    assert world.check() == (2, 1)
    assert [one["counts"] for one in world.recorded() if one["by"] == "ci@example.org"] == [True]
    assert all(not one["counts"] for one in world.recorded() if one["by"] != "ci@example.org")
    assert world.company.show(world.change) == before


def test_result_is_no_sign_off(world: World) -> None:
    """On the text of a change a result is a line that cannot be read, as any other would be."""
    world.cover("--record")
    path = git(world.company.repo, "ls-files", f"*{world.change}*")
    text = git(world.company.repo, "rev-parse", f"main:{path}")
    world.put(text, [*world.note(text), *world.note()])
    shown = world.company.show(world.change)
    assert "statement.malformed" in {f["code"] for f in shown["findings"]}
    assert not any(s["by"] == "ci@example.org" for s in shown["sign_offs"])


def test_result_on_a_commit_that_main_does_not_have(world: World) -> None:
    """It counts as soon as the branch of record has the commit."""
    company = world.company
    world.cover("--record")
    key, repo = company.key("ci"), company.become("ada")
    git(repo, "switch", "-q", "-c", "aside")
    git(repo, "commit", "-q", "--allow-empty", "-m", "Aside")
    aside = git(repo, "rev-parse", "HEAD")
    git(repo, "switch", "-q", "main")
    world.put(aside, [crafted(world.note()[0], key, main=aside)])
    assert [f["code"] for f in world.verify()["findings"]] == ["result.not-on-main"]
    assert len(world.recorded()) == 1
    git(repo, "merge", "-q", "--ff-only", "aside")
    assert world.verify()["findings"] == []
    assert [one["main"] for one in world.recorded()] == [aside, git(repo, "rev-parse", "main~1")]


def test_lost_result_is_named(world: World) -> None:
    """The notes only grow: a result that is gone is told by name."""
    world.cover("--record")
    git(world.company.repo, "notes", f"--ref={NOTES}", "remove", "main")
    found = world.verify()
    assert found["verdict"] == "breach"
    assert any(
        "lost the result coverage 'complete' by ci@example.org" in f["message"] for f in found["findings"]
    )


def test_key_that_left_keeps_what_was_witnessed(world: World) -> None:
    """A result counts under the policy in force when it was witnessed; what came later does not."""
    company = world.company
    world.cover("--record")
    line = world.note()[0]
    company.must("ada", "seal")
    # Another result of that time, which nothing had witnessed when the machine lost its role.
    late = crafted(line, company.key("ci"), time="2026-01-01T00:00:00Z")
    file = company.become("ada") / "policy" / "policy.toml"
    text = file.read_text().replace("version = 1", "version = 2").replace('"ci@example.org", ', "")
    git(company.repo, "switch", "-q", "-c", "proposal")
    file.write_text(text)
    git(company.repo, "commit", "-qam", "Propose")
    git(company.repo, "switch", "-q", "main")
    for person in ("ada", "eve"):
        company.must(person, "policy", "approve", "proposal", "--yes")
    company.must("ada", "policy", "adopt", "proposal")
    kept_on = statement_of(line)["predicate"]["main"]
    world.put(kept_on, [*world.note(kept_on), late])
    assert {one["time"]: one["counts"] for one in world.recorded()} == {
        "2026-01-01T00:00:00Z": False,
        statement_of(line)["predicate"]["time"]: True,
    }


# -- sent, and taken ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shared:
    """A world with a guarded server and clones."""

    world: World
    server: Path
    clone: dict[str, Path]


@pytest.fixture
def shared(world: World) -> Shared:
    """A guarded server that has everything, and clones of two machines and of an auditor."""
    company = world.company
    server = company.root / "server.git"
    git(company.root, "clone", "--quiet", "--mirror", str(company.repo), str(server))
    git(server, "config", "--unset", "remote.origin.mirror")
    clone = dict(clones(company, "ci", "nightly", "dee"))
    for where in clone.values():
        git(where, "fetch", "--quiet", "origin", f"{NOTES}:{NOTES}")
    guard(server, git(company.repo, "config", "gitchange.introduction"))
    return Shared(world, server, clone)


def test_result_is_sent_and_seen_by_others(shared: Shared) -> None:
    """A pipeline's result reaches the server through its hook, and an auditor's clone by a sync."""
    world, clone = shared.world, shared.clone
    done = world.cover("--record", "--json", directory=clone["ci"])
    assert done.code == 0, done.err
    assert done.json["recorded"]["sent"] is True
    world.company.must("dee", "sync", directory=clone["dee"])
    (one,) = world.recorded(directory=clone["dee"])
    assert (one["digest"], one["counts"]) == (done.json["recorded"]["digest"], True)
    assert world.verify(directory=clone["dee"])["verdict"] == "ok"
    assert world.verify(directory=shared.server)["verdict"] == "ok"


def test_two_pipelines_at_once_both_land(shared: Shared) -> None:
    """Whoever is slower unites with the faster one and tries again."""
    world, clone = shared.world, shared.clone
    program = [sys.executable, "-m", "gitchange"]
    running = []
    for machine in MACHINES:
        world.company.become(machine, clone[machine])
        command = [
            *program,
            "-C",
            str(clone[machine]),
            "coverage",
            "covered",
            "--repo",
            str(world.app),
            "--record",
        ]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    for process in running:
        told, _ = process.communicate()
        assert process.returncode == 0, told
    world.company.must("dee", "sync", directory=clone["dee"])
    assert {one["by"] for one in world.recorded(directory=clone["dee"])} == {
        f"{machine}@example.org" for machine in MACHINES
    }


def test_what_cannot_be_sent_is_kept(shared: Shared) -> None:
    """Without its remote a pipeline says so with exit code 3; the result is in its clone, and goes with a sync."""
    world, clone = shared.world, shared.clone
    shared.server.rename(shared.server.with_suffix(".away"))
    done = world.cover("--record", "--json", directory=clone["ci"])
    assert done.code == 3
    assert done.json["recorded"]["sent"] is False
    assert "still only here" in done.err
    shared.server.with_suffix(".away").rename(shared.server)
    world.company.must("ci", "sync", directory=clone["ci"])
    assert len(world.recorded(directory=shared.server)) == 1


@pytest.mark.parametrize("forge", MADE_UP)
def test_server_refuses_what_was_made_up(shared: Shared, forge: Forge) -> None:
    """The hook takes no line on a commit that is no good result."""
    world, clone = shared.world, shared.clone["dee"]
    world.cover("--record")
    line, code = forge(world, world.note()[0])
    world.put("main", [line], directory=clone)
    done = push(clone, "origin", NOTES)
    assert done.code != 0
    assert f"[{code}" in done.whole
    assert world.recorded(directory=shared.server) == []


def test_result_on_what_the_server_does_not_have_is_refused(shared: Shared) -> None:
    """First the branch of record, then what was computed from it."""
    world, clone = shared.world, shared.clone["ci"]
    world.company.become("ci", clone)
    git(clone, "commit", "-q", "--allow-empty", "-m", "Only here")
    done = world.cover("--record", directory=clone)
    assert done.code == 3
    assert "note.on-nothing" in done.err


# -- the site -------------------------------------------------------------------------------------


def test_site_shows_what_was_recorded(world: World, tmp_path: Path) -> None:
    """A page for auditors, brought up to date with each result as if it were made from nothing."""
    page = tmp_path / "steps" / "coverage.html"

    def built() -> str:
        world.company.must("ada", "site", "build", "--output", str(page.parent))
        anew = tmp_path / "anew"
        shutil.rmtree(anew, ignore_errors=True)
        shutil.rmtree(world.company.repo / ".git" / "gitchange")
        world.company.must("ada", "site", "build", "--output", str(anew))
        for one in anew.rglob("*"):
            if one.is_file():
                assert one.read_bytes() == (page.parent / one.relative_to(anew)).read_bytes(), one
        return page.read_text()

    assert "Nothing was recorded yet" in built()
    world.cover("--record")
    digest = world.recorded()[0]["digest"]
    text = built()
    assert '<span class="yes">complete</span>' in text
    assert digest in text
    assert "not yet" in text
    world.gate("--record", "--environment", "production")
    world.company.must("ada", "seal")
    text = built()
    assert '<span class="no">refused</span>' in text
    assert "not yet" not in text
    assert "https://gitlab.example.org/acme/app.git" in text
