"""`site rebuild`: what a schedule runs. Whatever fails, the site that was there stays, and says since when."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitchange.site import urls
from tests.company import Company, Result, git, gitchange

from .conftest import Shared

NOTES = "refs/notes/gitchange/approvals"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a site, without what tells of rebuilds."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name not in urls.RUNS)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@dataclass(frozen=True)
class Host:
    """Where a schedule runs: a bare mirror of the company's repository, and the site beside it."""

    shared: Shared
    mirror: Path
    output: Path

    @property
    def company(self) -> Company:
        """Whose repository it is."""
        return self.shared.company

    @property
    def report(self) -> Path:
        """The machine-readable report."""
        return self.output.parent / "report.json"

    def rebuild(self, *options: str) -> tuple[Result, dict[str, Any]]:
        """One run, and its report."""
        words = ("site", "rebuild", "--output", str(self.output), "--report", str(self.report))
        self.report.unlink(missing_ok=True)
        done = gitchange(self.mirror, *words, *options)
        return done, json.loads(self.report.read_text())

    def start(self) -> subprocess.Popen[bytes]:
        """One run, in a process of its own."""
        command = (sys.executable, "-m", "gitchange", "-C", str(self.mirror), "site", "rebuild")
        return subprocess.Popen([*command, "--output", str(self.output)], stderr=subprocess.DEVNULL)

    @property
    def told(self) -> dict[str, Any]:
        """What the site's folder tells of its rebuilds."""
        found: dict[str, Any] = json.loads((self.output / urls.RUN_DATA).read_text())
        return found

    @property
    def page(self) -> str:
        """The same for people."""
        return (self.output / urls.RUN_PAGE).read_text()


@pytest.fixture
def host(shared: Callable[..., Shared], tmp_path: Path) -> Host:
    """A host of a company with one validated change; ada and bo have clones."""
    made = shared("validated", "ada", "bo")
    mirror = tmp_path / "host" / "mirror.git"
    git(tmp_path, "clone", "--quiet", "--mirror", str(made.server), str(mirror))
    git(
        mirror, "config", "gitchange.introduction", git(made.company.repo, "config", "gitchange.introduction")
    )
    return Host(made, mirror, tmp_path / "host" / "www" / "site")


def test_a_first_run_publishes_and_reports(host: Host) -> None:
    """The site is that of `site build`; report and status page say what was done, and that nothing is wrong."""
    done, report = host.rebuild()
    assert done.code == 0, done.err
    assert {**report, "started": "", "finished": "", "seconds": {}} == {
        "schema": 1,
        "outcome": "published",
        "exit_code": 0,
        "started": "",
        "finished": "",
        "seconds": {},
        "received": 0,
        "main": git(host.shared.server, "rev-parse", "main"),
        "notes": git(host.shared.server, "rev-parse", NOTES),
        "verdict": "ok",
        "changes": 1,
        "pages": len(
            [name for name in tree(host.output) if name.endswith(".html") and name != urls.NOT_FOUND]
        ),
        "written": len(tree(host.output)),
        "removed": 0,
        "warnings": [],
        "stage": None,
        "error": None,
        "hint": None,
    }
    assert list(report["seconds"]) == ["fetch", "verify", "build"]
    assert report["started"] <= report["finished"]
    assert host.told == {
        "schema": 1,
        "failing_since": None,
        "last_attempt": report,
        "last_success": report,
    }
    assert "Up to date" in host.page
    gitchange(host.mirror, "site", "build", "--output", str(host.output.parent / "built"))
    assert tree(host.output) == tree(host.output.parent / "built")


def test_nothing_new_builds_nothing(host: Host) -> None:
    """A run without anything new leaves every file of the site, and tells that it was there."""
    host.rebuild()
    before = {path: path.stat().st_ino for path in host.output.rglob("*") if path.name not in urls.RUNS}
    first = host.told["last_success"]
    done, report = host.rebuild()
    assert (done.code, report["outcome"], report["written"]) == (0, "unchanged", 0)
    assert report["pages"] == first["pages"]
    assert list(report["seconds"]) == ["fetch", "verify"]
    after = {path: path.stat().st_ino for path in host.output.rglob("*") if path.name not in urls.RUNS}
    assert after == before
    assert host.told["last_success"]["started"] > first["started"]


@pytest.mark.parametrize(
    "what", ["another address", "a removed page", "another build", "a first failure's folder"]
)
def test_what_was_built_otherwise_is_built_again(host: Host, what: str) -> None:
    """A site at another address, one that is not whole, and one that something else built are not left as they are."""
    host.rebuild("--site-url", "https://one.example/")
    options = ["--site-url", "https://one.example/"]
    match what:
        case "another address":
            options = ["--site-url", "https://two.example/"]
        case "a removed page":
            (host.output / "index.html").unlink()
        case "another build":
            gitchange(host.mirror, "site", "build", "--output", str(host.output))
        case "a first failure's folder":
            for path in [*host.output.iterdir()]:
                if path.name not in urls.RUNS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done, report = host.rebuild(*options)
    assert (done.code, report["outcome"]) == (0, "published")
    address = options[1]
    assert f"<loc>{address}index.html</loc>" in (host.output / "sitemap.xml").read_text()
    assert (host.output / urls.RUN_PAGE).is_file()


def test_a_sign_off_and_a_commit_appear(host: Host) -> None:
    """What colleagues push is fetched into a bare mirror, commit and sign-off, and nothing is pushed back."""
    host.rebuild()
    ada = host.shared.clone["ada"]
    host.company.must("ada", "sync", directory=ada)
    words = ("--outcome", "successful", "--summary", "It works now.")
    host.company.must("ada", "document", host.shared.change, *words, directory=ada)
    refs = git(host.shared.server, "for-each-ref")
    done, report = host.rebuild()
    assert (done.code, report["outcome"]) == (0, "published"), done.err
    assert report["main"] == git(host.shared.server, "rev-parse", "main")
    assert "It works now." in (host.output / urls.change(host.shared.change)).read_text()
    assert git(host.shared.server, "for-each-ref") == refs


def test_a_work_tree_is_rebuilt_with_its_pages(host: Host) -> None:
    """In a clone with hand-written pages an edited page is seen, though no ref has moved, and the site lies in it."""
    ada = host.shared.clone["ada"]
    host.company.must("ada", "sync", directory=ada)
    (ada / "docs" / "night.md").write_text("# At night\n")
    command = ("site", "rebuild", "--output", str(ada / "public"), "--report", str(ada / "report.json"))
    outcomes = []
    for text in ("# At night\n", "# At night\n", "# By day\n"):
        (ada / "docs" / "night.md").write_text(text) if "day" in text else None
        gitchange(ada, *command)
        outcomes.append(json.loads((ada / "report.json").read_text())["outcome"])
    assert outcomes == ["published", "unchanged", "published"]
    assert "By day" in (ada / "public" / "night.html").read_text()


def test_an_unreachable_remote_leaves_the_site(host: Host) -> None:
    """Exit code 3, the site as it was, and since when: the first failure, however many follow; until it works again."""
    host.rebuild()
    before = tree(host.output)
    host.shared.server.rename(host.shared.server.parent / "gone")
    done, first = host.rebuild()
    assert (done.code, first["outcome"], first["stage"]) == (3, "failed", "fetch")
    assert "stays as it was" in done.err
    host.rebuild()
    assert host.told["failing_since"] == first["started"]
    assert host.told["last_success"]["outcome"] == "published"
    assert "Not renewed since" in host.page
    assert tree(host.output) == before
    # Whatever is here can be shown all the same.
    assert host.rebuild("--offline")[1]["outcome"] == "unchanged"
    (host.shared.server.parent / "gone").rename(host.shared.server)
    assert host.rebuild()[0].code == 0
    assert host.told["failing_since"] is None


def test_notes_that_lost_sign_offs_are_not_followed(host: Host) -> None:
    """A remote that lost sign-offs is refused: neither the mirror's notes nor the site go back."""
    host.rebuild()
    before, notes = tree(host.output), git(host.mirror, "rev-parse", NOTES)
    git(host.shared.server, "update-ref", NOTES, f"{NOTES}~1")
    done, report = host.rebuild()
    assert (done.code, report["stage"]) == (3, "fetch")
    assert "lost 1 line(s)" in report["error"]
    assert "lost 1 line(s)" in host.page
    assert git(host.mirror, "rev-parse", NOTES) == notes
    assert tree(host.output) == before


def test_a_breach_is_published_as_what_it_is(host: Host) -> None:
    """Whoever reads the site sees the breach; exit code 1 says so to the schedule, each time until it is mended."""
    host.rebuild()
    bo = host.company.become("bo", host.shared.clone["bo"])
    git(
        bo,
        "rm",
        "--quiet",
        f"changes/{host.shared.change[4:8]}/{host.shared.change[8:10]}/{host.shared.change}.toml",
    )
    git(bo, "commit", "--quiet", "-m", "Tidy up")
    git(bo, "push", "--quiet", "origin", "main")
    done, report = host.rebuild()
    assert (done.code, report["outcome"], report["verdict"]) == (1, "published", "breach")
    assert "breach" in done.err
    assert host.shared.change in (host.output / urls.AUDIT).read_text()
    assert "Verification found a breach" in host.page
    done, report = host.rebuild()
    assert (done.code, report["outcome"], report["verdict"]) == (1, "unchanged", "breach")


def test_a_page_that_cannot_be_built_leaves_the_site(host: Host, tmp_path: Path) -> None:
    """A broken link in a hand-written page is named in the report and on the status page; the old site stands."""
    clone = host.shared.clone["ada"]
    host.company.must("ada", "sync", directory=clone)
    there = Host(host.shared, clone, tmp_path / "www" / "site")
    assert there.rebuild()[0].code == 0
    before = tree(there.output)
    (clone / "docs" / "bad.md").write_text("[x](missing.md)\n")
    (clone / "mkdocs.yml").write_text((clone / "mkdocs.yml").read_text() + "strict: true\n")
    done, report = there.rebuild()
    assert (done.code, report["stage"]) == (3, "build")
    assert "missing.md" in report["error"]
    assert "missing.md" in there.page
    assert tree(there.output) == before


def test_a_first_failure_tells_where_the_site_will_be(host: Host) -> None:
    """Where no site was yet, its folder tells that there is none and why; the first success replaces that."""
    host.shared.server.rename(host.shared.server.parent / "gone")
    assert host.rebuild()[0].code == 3
    assert sorted(os.listdir(host.output)) == sorted(urls.RUNS)
    assert "There was no success before" in host.page
    (host.shared.server.parent / "gone").rename(host.shared.server)
    assert host.rebuild()[0].code == 0
    assert "Up to date" in host.page
    assert (host.output / "index.html").is_file()


def test_passwords_do_not_reach_the_site(host: Host) -> None:
    """A remote's address may hold a secret; what is told of a failure is for everybody."""
    git(host.mirror, "remote", "set-url", "origin", "http://bot:hunter2@127.0.0.1:1/x.git")
    _, report = host.rebuild()
    assert report["stage"] == "fetch"
    assert "127.0.0.1" in report["error"]
    assert "hunter2" not in host.page + json.dumps(host.told) + host.report.read_text()


def test_other_folders_are_refused(host: Host) -> None:
    """A mistyped output costs nobody's files, and nothing is written into it."""
    host.output.mkdir(parents=True)
    (host.output / "thesis.txt").write_text("mine")
    done = gitchange(host.mirror, "site", "rebuild", "--output", str(host.output))
    assert done.code == 2
    assert os.listdir(host.output) == ["thesis.txt"]


def test_one_run_at_a_time(host: Host) -> None:
    """While one is at work another leaves and says so, with exit code 3, or waits as long as it was told to."""
    host.rebuild()
    told = host.told
    with (host.output.parent / ".site.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done, report = host.rebuild()
        assert (done.code, report["outcome"]) == (3, "busy")
        assert "another rebuild" in done.err
        assert host.told == told
        threading.Timer(0.5, lambda: fcntl.flock(held, fcntl.LOCK_UN)).start()
        done, report = host.rebuild("--wait", "60")
        assert (done.code, report["outcome"]) == (0, "unchanged")


def test_many_at_once_make_one_site(host: Host) -> None:
    """Of several schedules that start at once each publishes, finds nothing new or leaves; the site is whole."""
    started = [host.start() for _ in range(3)]
    codes = [process.wait(timeout=120) for process in started]
    assert 0 in codes
    assert {*codes} <= {0, 3}
    assert host.rebuild()[1]["outcome"] == "unchanged"
    gitchange(host.mirror, "site", "build", "--output", str(host.output.parent / "built"))
    assert tree(host.output) == tree(host.output.parent / "built")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_killed_in_the_middle_the_site_stands(host: Host, signum: signal.Signals) -> None:
    """A run that is killed while it builds leaves the old site; the next one is not in its way and publishes."""
    host.rebuild()
    before = tree(host.output)
    host.company.must("ada", "sync", directory=host.shared.clone["ada"])
    host.company.request("ada", directory=host.shared.clone["ada"])
    host.company.must("ada", "sync", directory=host.shared.clone["ada"])
    process = host.start()
    until = time.monotonic() + 60
    while not [*host.output.parent.glob(".site.gitchange-*")] and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signum)
    process.wait()
    assert tree(host.output) == before
    done, report = host.rebuild()
    assert (done.code, report["outcome"], report["changes"]) == (0, "published", 2)
    left = {path.name for path in host.output.parent.iterdir()}
    assert left == {"site", ".site.spare", ".site.lock", ".site.inputs", "report.json"}


def test_a_machine_that_cannot_check_publishes_nothing(host: Host) -> None:
    """A repository whose pinned introduction is not there is not shown as if it were: exit code 3."""
    host.rebuild()
    before = tree(host.output)
    git(host.mirror, "config", "gitchange.introduction", "1" * 40)
    done, report = host.rebuild()
    assert (done.code, report["outcome"]) == (3, "failed")
    assert "introduction" in report["error"]
    assert tree(host.output) == before


def test_the_wrapper_keeps_a_log(host: Host) -> None:
    """`scripts/rebuild-site` needs no environment, gives the exit code and keeps what was said."""
    script = Path(__file__).parents[2] / "scripts" / "rebuild-site"
    environment = Path(sys.executable).parents[1]
    (environment / ".installed-").touch()  # so it is, with more beside it
    bare = {"HOME": os.environ["HOME"], "GITCHANGE_VENV": str(environment)}
    command = [str(script), str(host.mirror), str(host.output)]
    for code in (0, 3):
        done = subprocess.run(command, env=bare, capture_output=True, text=True, check=False, cwd="/")
        assert done.returncode == code, done.stderr
        if code == 0:
            assert done.stderr == ""
            host.shared.server.rename(host.shared.server.parent / "gone")
    lines = (host.output.parent / ".site.log").read_text()
    assert "exit code 0: published" in lines
    assert "exit code 3: " in lines
    assert "stays as it was" in done.stderr
