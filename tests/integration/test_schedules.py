"""`init --schedule`: what it writes is taken by the real scheduler, and rebuilds a site."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitchange.site import urls
from tests.company import Company, git, gitchange

WORDS = Path(sys.executable).parent
CRON = shutil.which("cron", path=f"{os.environ['PATH']}:/usr/sbin")


def missing(reason: str) -> None:
    """A tool is missing: the test is skipped, but not in CI, where it has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def ran(*command: str) -> str:
    """A tool, which must be content."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def scheduled(company: Company, scheduler: str, *options: str) -> Path:
    """The folder with what was written for a scheduler of a machine."""
    company.must("ada", "init", "--schedule", scheduler, *options)
    return company.repo / ".git" / "gitchange" / "schedule"


@pytest.mark.parametrize("output", ["www/site", "two words/100% 'so' $HOME/site"])
def test_systemd_takes_the_units(company: Company, tmp_path: Path, output: str) -> None:
    """systemd finds nothing wrong with the units, whatever the folders are called, and rates the service as safe."""
    if shutil.which("systemd-analyze") is None:
        missing("systemd is not installed (systemd-analyze)")
    (tmp_path / output).parent.mkdir(parents=True)
    folder = scheduled(company, "systemd", "--output", str(tmp_path / output))
    units = [str(folder / f"gitchange-site.{kind}") for kind in ("service", "timer")]
    assert "gitchange-site" not in ran("systemd-analyze", "verify", *units)
    rating = ran("systemd-analyze", "security", "--offline=true", "--threshold=25", units[0])
    assert re.search(r"exposure level for gitchange-site.service: [0-2]\.\d", rating), rating


def test_a_real_cron_rebuilds_the_site(company: Company, tmp_path: Path) -> None:
    """The line that `init --schedule cron` writes, in a crontab of cron's own, publishes the site within the minute."""
    alone = ("unshare", "--mount", "--propagation", "private")
    if CRON is None:
        missing("cron is not installed")
    assert CRON is not None
    if os.geteuid() != 0 or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        missing("a cron of the test's own needs root and a mount namespace")
    output = tmp_path / "100% www" / "site"
    folder = scheduled(company, "cron", "--output", str(output))
    line = (folder / "crontab").read_text()
    assert "*/5 * * * * " in line
    crontabs, empty = tmp_path / "crontabs", tmp_path / "empty"
    crontabs.mkdir()
    empty.mkdir()
    (empty / "crontab").touch()
    crontab = crontabs / "root"
    # Nobody waits five minutes, and the developer's own home is nobody's business.
    home = f'HOME={os.environ["HOME"]}\nGIT_CONFIG_NOSYSTEM=1\nMAILTO=""\n'
    crontab.write_text(home + line.replace("*/5 * * * * ", "* * * * * "))
    crontab.chmod(0o600)
    permissive = (
        tmp_path / "pam"
    )  # a container's kernel may refuse what Debian's session wants (pam_loginuid)
    permissive.write_text(
        "".join(f"{what} required pam_permit.so\n" for what in ("auth", "account", "session"))
    )
    # In a mount namespace of its own cron sees this crontab alone, and does not meet another cron.
    script = (
        'mount --bind "$1" /var/spool/cron/crontabs && mount --bind "$2" /etc/cron.d && '
        'mount --bind "$2/crontab" /etc/crontab && mount --bind "$3" /etc/pam.d/cron && '
        'mount -t tmpfs none /run && exec "$4" -f'
    )
    command = [*alone, "sh", "-c", script, "sh", str(crontabs), str(empty), str(permissive), CRON]
    cron = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until = time.monotonic() + 150  # the next minute, and a busy machine
        while not (output / urls.RUN_DATA).is_file() and time.monotonic() < until:
            assert cron.poll() is None, cron.stdout.read() if cron.stdout else ""
            time.sleep(0.2)
    finally:
        cron.kill()
        cron.wait()
    log = folder / "rebuild.log"
    assert (output / "index.html").is_file(), log.read_text() if log.is_file() else "cron did not fire"
    assert "published" in log.read_text()


@pytest.mark.parametrize(
    ("scheduler", "path", "schema"),
    [
        ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
        ("github", ".github/workflows/gitchange-site.yml", "vendor.github-workflows"),
    ],
)
def test_pipelines_fit_their_schemas(company: Company, scheduler: str, path: str, schema: str) -> None:
    """The pipelines are what GitLab's and GitHub's schemas ask for, and pin the introduction."""
    if not (WORDS / "check-jsonschema").is_file():
        missing("check-jsonschema is not installed (pip install gitchange[test])")
    done = company.must("ada", "init", "--schedule", scheduler)
    assert path in done.out
    ran(str(WORDS / "check-jsonschema"), "--builtin-schema", schema, str(company.repo / path))
    assert git(company.repo, "config", "gitchange.introduction") in (company.repo / path).read_text()
    assert git(company.repo, "status", "--porcelain")  # it is written, and for the user to commit


@pytest.mark.parametrize("breach", [False, True])
def test_what_the_pipelines_run_publishes(company: Company, tmp_path: Path, breach: bool) -> None:
    """The commands of both pipelines, in a checkout as a runner makes it: the site is there, and a breach is told."""
    pytest.importorskip("yaml")
    import yaml  # noqa: PLC0415 - MkDocs brings it

    change = company.request("bo")
    if breach:
        git(company.repo, "rm", "--quiet", f"changes/{change[4:8]}/{change[8:10]}/{change}.toml")
        git(company.repo, "commit", "--quiet", "-m", "Tidy up")
    company.must("ada", "init", "--schedule", "gitlab")
    company.must("ada", "init", "--schedule", "github")
    gitlab = yaml.safe_load((company.repo / ".gitlab-ci.yml").read_text())
    text = (company.repo / ".github/workflows/gitchange-site.yml").read_text()
    github = yaml.safe_load(text)
    steps = {step.get("id"): step for step in github["jobs"]["build"]["steps"]}
    jobs = {
        "gitlab": (gitlab["pages"]["script"][1:], gitlab["evidence"]["script"]),
        "github": ([steps["site"]["run"]], [github["jobs"]["evidence"]["steps"][0]["run"]]),
    }
    for name, (build, evidence) in jobs.items():
        runner = tmp_path / name
        git(tmp_path, "clone", "--quiet", str(company.repo), str(runner))
        git(runner, "checkout", "--quiet", "--detach")
        git(runner, "branch", "--quiet", "-D", "main")
        said = tmp_path / f"{name}.output"
        environment = {
            **os.environ,
            "PATH": f"{WORDS}:{os.environ['PATH']}",
            "CI_PAGES_URL": "https://acme.example/changes",
            "ADDRESS": "https://acme.example/changes",
            "GITHUB_OUTPUT": str(said),
        }
        for command in build:
            subprocess.run(["bash", "-e", "-c", command], cwd=runner, env=environment, check=True)
        assert "https://acme.example/changes/" in (runner / "public" / "sitemap.xml").read_text()
        if name == "github":
            environment["VERDICT"] = said.read_text().strip().removeprefix("verdict=")
        done = subprocess.run(["bash", "-c", evidence[0]], cwd=runner, env=environment, check=False)
        assert (done.returncode != 0) == breach


def test_what_is_there_is_kept(company: Company) -> None:
    """A pipeline that the repository has is not overwritten: what to add to it is printed."""
    file = company.repo / ".gitlab-ci.yml"
    file.write_text("test:\n  script: make\n")
    done = company.must("ada", "init", "--schedule", "gitlab")
    assert file.read_text() == "test:\n  script: make\n"
    assert "left as it is" in done.out
    assert 'GIT_DEPTH: "0"' in done.out
    company.must("ada", "init", "--schedule", "github")
    done = company.must("ada", "init", "--schedule", "github")
    assert "as it should be" in done.out


@pytest.mark.parametrize(
    "options",
    [
        ("--schedule", "cron"),
        ("--schedule", "gitlab", "--output", "x"),
        ("--schedule", "cron", "--output", "x", "--title", "T"),
        ("--schedule", "cron", "--hook"),
        ("--output", "x", "--principal", "a@b.c"),
    ],
)
def test_what_does_not_go_together_is_told(company: Company, options: tuple[str, ...]) -> None:
    """Options that say nothing together are refused before anything is written."""
    assert company.do("ada", "init", *options).code == 2
    assert not (company.repo / ".git" / "gitchange" / "schedule").exists()


def test_a_bare_repository_has_no_pipeline(company: Company, tmp_path: Path) -> None:
    """A pipeline is a file to commit; a mirror can be scheduled on its machine."""
    git(tmp_path, "clone", "--quiet", "--mirror", str(company.repo), "mirror.git")
    done = gitchange(tmp_path / "mirror.git", "init", "--schedule", "github")
    assert done.code == 2
    done = gitchange(
        tmp_path / "mirror.git", "init", "--schedule", "cron", "--output", str(tmp_path / "site")
    )
    assert done.code == 0
    assert (tmp_path / "mirror.git" / "gitchange" / "schedule" / "crontab").is_file()


def test_the_status_page_allows_its_own_style_alone(company: Company, tmp_path: Path) -> None:
    """Its security policy names exactly the style that is in it, and what failed stays text."""
    git(company.repo, "remote", "add", "origin", "/nowhere/<script>alert(1)</script>")
    assert gitchange(company.repo, "site", "rebuild", "--output", str(tmp_path / "site")).code == 3
    page = (tmp_path / "site" / urls.RUN_PAGE).read_text()
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    name = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#39;sha256-{name}&#39;" in page
    assert "<script" not in page
    assert "alert(1)" in page
