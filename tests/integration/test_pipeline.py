"""The whole way: a merge request becomes a change, the change goes through its steps, and what it made is deployed.

Two repositories with a shared one each, people with clones of their own, a pipeline that runs the very lines that
`init --forge` wrote, and an auditor in the end who has neither gitchange nor a repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.company import Company, git, gitchange, write_policy

from .test_coverage import REMOTE, RULES, SYSTEMS
from .test_export import Evidence, unpack
from .test_import import event, filled

CI = "ci@example.org"
POLICY = RULES.replace("[roles]\n", f'[roles]\nrecorder = {{ members = ["{CI}"] }}\n')
STOCK = ("sh", "awk", "sed", "od", "base64", "sha256sum", "sha1sum", "ssh-keygen")
"""What `verify.sh` says that it needs, beside what every shell's user has."""
USUAL = (
    "cat",
    "cut",
    "grep",
    "head",
    "ls",
    "mkdir",
    "mktemp",
    "rm",
    "sort",
    "tail",
    "tr",
    "wc",
    "printf",
    "test",
)


@dataclass
class Place:
    """The company, its shared repositories, and clones."""

    company: Company
    changes: Path
    """The shared configuration repository."""
    app: Path
    """The shared repository of the application."""

    def clone(self, name: str, what: Path) -> Path:
        """A clone, with what a configuration repository's needs."""
        clone = self.company.root / "clones" / f"{name}-{what.stem}"
        git(self.company.root, "clone", "-q", str(what), str(clone))
        if what == self.changes:
            git(
                clone,
                "config",
                "gitchange.introduction",
                git(self.company.repo, "config", "gitchange.introduction"),
            )
        return clone


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A company that has released its application once."""
    folder = write_policy(tmp_path, POLICY)
    (folder / "systems.toml").write_text(SYSTEMS)
    key = tmp_path / "keys" / "ci"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ci", "-f", str(key)], check=True)
    kind, public, _ = key.with_suffix(".pub").read_text().split()
    with (folder / "allowed_signers").open("a") as signers:
        signers.write(f'{CI} namespaces="gitchange" {kind} {public}\n')
    git(tmp_path, "init", "-q", "-b", "main", "repo")
    company = Company(tmp_path, tmp_path / "repo")
    company.must("ada", "init", "--title", "Changes", "--policy", str(folder))
    git(tmp_path, "clone", "-q", "--bare", str(company.repo), "changes.git")
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "app.git")
    return Place(company, tmp_path / "changes.git", tmp_path / "app.git")


def commit(clone: Path, person: str, path: str, message: str) -> str:
    """Commit a file of the application as somebody."""
    target = clone / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{target.read_text() if target.exists() else ''}{message}\n")
    git(clone, "add", "-A")
    git(
        clone, "-c", f"user.name={person}", "-c", f"user.email={person}@example.org", "commit", "-qm", message
    )
    return git(clone, "rev-parse", "HEAD")


def deploy(place: Place, revision: str, name: str) -> subprocess.CompletedProcess[str]:
    """What a runner of GitLab does with the job that extends `.change-gate`, from a fresh clone of each repository."""
    clone = place.company.root / "runners" / name
    git(place.company.root, "clone", "-q", place.app.as_uri(), str(clone))
    git(clone, "remote", "set-url", "origin", REMOTE)
    git(clone, "checkout", "-q", revision)
    job = yaml.safe_load((clone / ".gitlab/change-gate.yml").read_text())[".change-gate"]
    install, *lines = job["before_script"]
    assert install.startswith("pip install"), "what is left out is the line that installs from the network"
    home = clone.parent / f"{name}-home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        f"[user]\nname = CI\nemail = {CI}\nsigningkey = {place.company.key('ci')}\n[gpg]\nformat = ssh\n"
    )
    variables = {
        **job["variables"],
        "CHANGES_COMMIT": git(clone, "rev-parse", "HEAD"),
        "CHANGES_REPOSITORY": place.changes.as_uri(),
        "CHANGES_INTRODUCTION": git(place.company.repo, "config", "gitchange.introduction"),
        "CHANGES_SYSTEM": "api",
        "CHANGES_ENVIRONMENT": "",
        "CHANGES_RECORD": "true",
    }
    return subprocess.run(
        ["sh", "-e", "-c", "\n".join([*lines, "echo deployed"])],
        cwd=clone,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT")},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            **variables,
        },
        capture_output=True,
        check=False,
        text=True,
    )


def test_from_the_merge_request_to_the_auditor(place: Place) -> None:
    """In these steps:

    1. the application's repository gets templates and gate, and has a release;
    2. Bo's merge request is merged; its description becomes a change;
    3. the pipeline refuses to deploy it;
    4. Ada approves; the pipeline deploys;
    5. it is implemented, validated and documented;
    6. coverage of the release is complete, and recorded, as were both decisions of the gate;
    7. an auditor draws a sample, and verifies its export without gitchange and without git.
    """
    company = place.company
    # 1.
    bo = place.clone("bo", place.app)
    assert gitchange(bo, "init", "--forge", "gitlab").code == 0
    commit(bo, "bo", "README.md", "Begin")
    git(bo, "tag", "api/v1.0.0")
    git(bo, "push", "-q", "origin", "HEAD:main", "api/v1.0.0")
    # 2.
    git(bo, "switch", "-qc", "certificate")
    commit(bo, "bo", "api/tls.py", "Read the new certificate")
    commit(bo, "bo", "api/tls.py", "Reload it")
    git(bo, "switch", "-q", "main")
    said = "Merge branch 'certificate' into 'main'\n\nRotate the certificate\n\nSee merge request acme/app!12"
    git(
        bo,
        "-c",
        "user.name=GitLab",
        "-c",
        "user.email=x@y.z",
        "merge",
        "-q",
        "--no-ff",
        "-m",
        said,
        "certificate",
    )
    git(bo, "push", "-q", "origin", "main")
    merged = git(bo, "rev-parse", "HEAD")
    template = (bo / ".gitlab/merge_request_templates/Change.md").read_text()
    hook = company.root / "event.json"
    hook.write_text(json.dumps(event(filled(template), state="merged")))
    changes = place.clone("bo", place.changes)
    change = company.must(
        "bo", "import", "merge-request", str(hook), "--system", "api", "--commit", directory=changes
    ).out.split()[0]
    # 3.
    done = deploy(place, merged, "first")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{change}" in done.stdout
    assert "nobody has approved it" in done.stdout
    assert "deployed" not in done.stdout
    # 4.
    ada = place.clone("ada", place.changes)
    company.must("ada", "approve", change, "--yes", "-m", "It expires on Friday.", directory=ada)
    done = deploy(place, merged, "second")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "deployed"
    git(bo, "tag", "api/v1.1.0")
    git(bo, "push", "-q", "origin", "api/v1.1.0")
    # 5.
    for person, *arguments in (
        ("bo", "implement", "--steps-followed", "--test", "suite=passed", "--commit", f"api@{merged}"),
        ("dee", "validate", "--works", "--no-security-risk", "--evidence", "curl shows the new one"),
        ("cy", "document", "--outcome", "successful", "--summary", "The new certificate is in use."),
    ):
        clone = changes if person == "bo" else place.clone(person, place.changes)
        company.must(person, arguments[0], change, *arguments[1:], directory=clone)
    # 6.
    git(bo, "remote", "set-url", "origin", REMOTE)
    ci = company.become("ci", place.clone("ci", place.changes))
    done_ = gitchange(ci, "coverage", "--repo", str(bo), "api/v1.0.0..api/v1.1.0", "--json", "--record")
    assert done_.code == 0, done_.out + done_.err
    assert [(one["state"], one["changes"]) for one in done_.json["commits"]] == [("covered", [change])]
    company.must("ada", "sync", directory=ada)
    company.must("ada", "seal", directory=ada)
    recorded = {
        kind: gitchange(ada, kind, "--recorded", "--json").json["results"] for kind in ("coverage", "gate")
    }
    assert [(one["outcome"], one["since"]) for one in recorded["coverage"]] == [("complete", "api/v1.0.0")]
    assert sorted(one["outcome"] for one in recorded["gate"]) == ["allowed", "refused"]
    assert all(one["by"] == CI and one["counts"] for found in recorded.values() for one in found)
    verified = gitchange(ada, "verify", "--json").json
    assert (verified["verdict"], verified["findings"]) == ("ok", [])
    # 7.
    today = gitchange(ada, "show", change, "--json").json["history"][0]["time"][:10]
    drawn = ("--period", f"{today}..{today}", "--size", "25", "--seed", "dice: 4 6 1 3")
    output = company.root / "evidence.zip"
    company.must("ada", "export", "--sample", *drawn, "--output", str(output), directory=ada)
    evidence = Evidence(company, unpack(output, company.root / "evidence"), {})
    heads = git(ada, "config", "gitchange.introduction"), git(ada, "rev-parse", "main")
    checked = evidence.verify(*heads)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{change}: gitchange says documented" in checked.stdout
    assert "the changes here are the first 1 of the 1 in the order of the seed" in checked.stdout
