"""Eight people at the same time: everything lands, nothing is lost, and nobody sees an error that is not theirs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.company import POLICY, Company, git, gitchange, request_options, write_policy

NOTES = "refs/notes/gitchange/approvals"
SIGNERS = ("ada", "mo", "cy", "dee", "eve", "kim", "pat", "sam")


def _key(keys: Path, person: str) -> str:
    """A new key; its line of the allowed signers."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(keys / person)], check=True
    )
    kind, key, _ = (keys / f"{person}.pub").read_text().split()
    return f'{person}@example.org namespaces="gitchange" {kind} {key}\n'


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, list[str]]:
    """A company in which eight people may evaluate, and nine requests of somebody else's; a shared repository."""
    root = tmp_path_factory.mktemp("crowd")
    managers = ", ".join(f'"{person}@example.org"' for person in SIGNERS)
    policy = POLICY.replace(
        'change-manager = { members = ["ada@example.org", "mo@example.org"] }',
        f"change-manager = {{ members = [{managers}] }}",
    )
    folder = write_policy(root, policy)
    with (folder / "allowed_signers").open("a") as signers:
        signers.writelines(_key(root / "keys", person) for person in ("kim", "pat", "sam"))
    git(root, "init", "--quiet", "-b", "main", str(root / "repo"))
    company = Company(root, root / "repo")
    company.must("ada", "init", "--title", "Crowd", "--policy", str(folder))
    changes = [company.request("bo") for _ in range(9)]
    return company, changes


def shared(company: Company, root: Path, people: Sequence[str]) -> tuple[Path, list[Path]]:
    """A shared bare repository and a clone of it for each of the people."""
    server = root / "server.git"
    git(root, "clone", "--quiet", "--bare", str(company.repo), str(server))
    introduction = git(company.repo, "config", "gitchange.introduction")
    folders: list[Path] = []
    for person in people:
        clone = root / f"clone-{person}"
        git(root, "clone", "--quiet", str(server), str(clone))
        git(clone, "config", "gitchange.introduction", introduction)
        folders.append(company.become(person, clone))
    return server, folders


_RUN = """
import json, subprocess, sys
sys.stdin.readline()
said = []
for command in json.loads(sys.argv[1]):
    done = subprocess.run([sys.executable, "-m", "gitchange", *command], capture_output=True, text=True)
    said.append([command, done.returncode, done.stdout, done.stderr])
print(json.dumps(said))
"""


def at_once(jobs: Sequence[Sequence[Sequence[str]]]) -> list[str]:
    """Each job's commands one after the other, all jobs at once in processes of their own; what went wrong.

    All of them wait for one line, so that they really begin together.
    """
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _RUN, json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for job in jobs
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    wrong: list[str] = []
    for process in running:
        out, _ = process.communicate()
        assert process.returncode == 0
        for command, code, said, told in json.loads(out):
            # That another process of the same clone has not pushed its commit yet is no error.
            others = re.fullmatch(r"still only here: \d+ commit\(s\) on main; .*\n", told)
            if code or (told and not others):
                wrong.append(f"{' '.join(command[2:4])}: exit code {code}\n{said}{told}")
    return wrong


def signed(repository: Path) -> list[str]:
    """The digest of what was signed, of every line of the notes, as stock git reads them."""
    digests: list[str] = []
    for line in git(repository, "ls-tree", "-r", NOTES).splitlines():
        blob = line.split()[2]
        for envelope in git(repository, "cat-file", "blob", blob).splitlines():
            payload = base64.b64decode(json.loads(envelope)["payload"])
            digests.append(hashlib.sha256(payload).hexdigest())
    return digests


def whole(repository: Path) -> None:
    """`git fsck` finds nothing wrong."""
    git(repository, "fsck", "--strict", "--no-dangling", "--no-progress")


def fresh(company: Company, server: Path, root: Path) -> Path:
    """A new clone, with the notes."""
    clone = root / "fresh"
    git(root, "clone", "--quiet", str(server), str(clone))
    git(clone, "config", "gitchange.introduction", git(company.repo, "config", "gitchange.introduction"))
    git(clone, "fetch", "--quiet", "origin", f"{NOTES}*:{NOTES}*")
    return clone


def test_eight_people_sign_and_push_at_once(crowd: tuple[Company, list[str]], tmp_path: Path) -> None:
    """Each in an own clone, on an own change and on the same one: every sign-off is on the shared repository."""
    company, changes = crowd
    server, folders = shared(company, tmp_path, SIGNERS)
    common = changes[8]
    jobs = [
        [
            ["-C", str(folder), "approve", own, "--yes", "-m", "go"],
            ["-C", str(folder), "approve", common, "--yes", "-m", "go"],
        ]
        for folder, own in zip(folders, changes, strict=False)
    ]
    wrong = at_once(jobs)
    assert not wrong, "\n".join(wrong)
    digests = signed(server)
    assert len(digests) == len(set(digests)) == 16
    clone = fresh(company, server, tmp_path)
    for change in changes[:8]:
        assert gitchange(clone, "show", change, "--json").json["status"] == "approved"
    said = gitchange(clone, "show", common, "--json").json["sign_offs"]
    assert {s["by"] for s in said} == {f"{person}@example.org" for person in SIGNERS}
    assert gitchange(clone, "verify").code == 0
    for place in (server, *folders):
        whole(place)


def test_eight_processes_in_one_clone(crowd: tuple[Company, list[str]], tmp_path: Path) -> None:
    """The same notes, the same branch, the same work tree: each process signs and requests."""
    company, changes = crowd
    server, (folder,) = shared(company, tmp_path, ["ada"])
    jobs = [
        [
            ["-C", str(folder), "approve", own, "--yes", "-m", "go"],
            ["-C", str(folder), "new", "--commit", *request_options()],
        ]
        for own in changes[:8]
    ]
    wrong = at_once(jobs)
    assert not wrong, "\n".join(wrong)
    assert len(set(signed(server))) == len(signed(server)) == 8
    listed = gitchange(folder, "list", "--json").json["changes"]
    assert len(listed) == 17
    assert git(folder, "status", "--porcelain") == ""
    for ref in (NOTES, "refs/heads/main"):
        assert git(folder, "rev-parse", ref) == git(server, "rev-parse", ref)
    assert gitchange(folder, "verify").code == 0
    for place in (server, folder):
        whole(place)


def test_eight_people_request_at_once(crowd: tuple[Company, list[str]], tmp_path: Path) -> None:
    """Each commits a request on main in an own clone: main has them all, one after the other."""
    company, _ = crowd
    server, folders = shared(company, tmp_path, SIGNERS)
    wrong = at_once([[["-C", str(folder), "new", "--commit", *request_options()]] for folder in folders])
    assert not wrong, "\n".join(wrong)
    clone = fresh(company, server, tmp_path)
    assert len(gitchange(clone, "list", "--json").json["changes"]) == 17
    for place in (server, *folders):
        whole(place)
        assert place == server or git(place, "status", "--porcelain") == ""
