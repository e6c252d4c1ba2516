"""What a scheduler needs to rebuild the site: units of systemd, a line of a crontab, pipelines of GitLab and GitHub.

`init --schedule` writes these files and says what to do with them; it starts nothing. Pipelines belong into the
repository and are for the user to commit. Units and crontab name folders of one machine, so they lie in the Git folder.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from gitchange import __version__
from gitchange.errors import UsageError
from gitchange.git.repository import Repository
from gitchange.ledger.documents import Policies, find_ground
from gitchange.values import Value
from gitchange.workflow.laying_down import Written, lay_down

Scheduler = Literal["systemd", "cron", "gitlab", "github"]
MINUTES = 5
"""How often the site is rebuilt: a rebuild without anything new costs a fetch."""

_SERVICE = """\
# Rebuilds the site of {repository}; gitchange-site.timer starts it. `systemd-analyze security gitchange-site` rates it.
[Unit]
Description=Rebuild the site of a gitchange repository
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
ExecStart={command}
# 1: the evidence holds a breach, and the site shows it; 3: the old site stays. Both are for somebody to look at.
TimeoutStartSec=1h
Nice=10
IOSchedulingClass=idle
UMask=0022

# It writes to the repository and beside the site, reads keys for fetching below the user's home, and nothing else.
ReadWritePaths={writable}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
"""

_TIMER = """\
# Every {minutes} minutes from the end of the last rebuild, so that no two are at work.
[Unit]
Description=Rebuild the site of a gitchange repository regularly

[Timer]
OnBootSec=1min
OnUnitInactiveSec={minutes}min
RandomizedDelaySec=20s

[Install]
WantedBy=timers.target
"""

_CRONTAB = """\
# Every {minutes} minutes; one that is still at work lets the next one leave. cron mails what is not in the log.
*/{minutes} * * * * {command} >> {log} 2>&1
"""

_GITLAB = """\
# The site of this repository, on GitLab Pages: at every push to the branch of record, and by a schedule (Build >
# Pipeline schedules, e.g. `*/15 * * * *`), because a sign-off moves no branch.
#
# Whoever may change this file decides what is published. The introduction is pinned here; to keep it from them, pin it
# in a protected variable of the project, and name that.
pages:
  stage: deploy
  image: python:3.12
  resource_group: pages
  rules:
    - if: $CI_COMMIT_BRANCH == {branch}
  variables:
    GIT_DEPTH: "0" # a shallow clone hides who wrote what
  script:
    - pip install --quiet "gitchange=={version}"
    # The notes are fetched by this, too. 1 is a breach: it is published, and the job below fails.
    - >-
      gitchange --introduction {introduction} site rebuild --output public --site-url "$CI_PAGES_URL"
      || [ $? -eq 1 ]
  artifacts:
    paths:
      - public

evidence:
  stage: .post
  image: python:3.12
  needs:
    - pages
  rules:
    - if: $CI_COMMIT_BRANCH == {branch}
  variables:
    GIT_STRATEGY: none
  script:
    - python -c 'import json; print(json.load(open("public/rebuild.json"))["last_success"]["verdict"])' | grep -x ok
"""

_GITHUB = """\
# The site of this repository, on GitHub Pages (Settings > Pages > Source: GitHub Actions): at every push to the branch
# of record, and by a schedule, because a sign-off moves no branch.
#
# Whoever may change this file decides what is published. The introduction is pinned here; to keep it from them, pin it
# in an organisation's variable, and name that.
name: Site
on:
  push:
    branches:
      - {branch}
  schedule:
    - cron: "*/15 * * * *"
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: pages
  cancel-in-progress: false
jobs:
  build:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pages: read
    outputs:
      verdict: ${{{{ steps.site.outputs.verdict }}}}
    steps:
      - uses: actions/checkout@v4
        with:
          ref: {branch}
          fetch-depth: 0 # a shallow clone hides who wrote what
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: pip install --quiet "gitchange=={version}"
      - id: pages
        uses: actions/configure-pages@v5
      - id: site
        # The notes are fetched by this, too. 1 is a breach: it is published, and the job `evidence` fails.
        env:
          ADDRESS: ${{{{ steps.pages.outputs.base_url }}}}
        run: |
          gitchange --introduction {introduction} site rebuild --output public --site-url "$ADDRESS" || [ $? -eq 1 ]
          verdict=$(python -c 'import json; print(json.load(open("public/rebuild.json"))["last_success"]["verdict"])')
          echo "verdict=$verdict" >> "$GITHUB_OUTPUT"
      - uses: actions/upload-pages-artifact@v3
        with:
          path: public
  deploy:
    needs: build
    runs-on: ubuntu-latest
    permissions:
      pages: write
      id-token: write
    environment:
      name: github-pages
      url: ${{{{ steps.deployment.outputs.page_url }}}}
    steps:
      - id: deployment
        uses: actions/deploy-pages@v4
  evidence:
    needs:
      - build
      - deploy
    runs-on: ubuntu-latest
    permissions: {{}}
    env:
      VERDICT: ${{{{ needs.build.outputs.verdict }}}}
    steps:
      - run: test "$VERDICT" = ok
"""


class Job(Value):
    """What is to be scheduled."""

    repository: Path
    output: Path | None
    """Where the site goes; pipelines have a place of their own."""
    python: str
    """The interpreter that has this program."""
    user: str
    """The account that is to run it."""
    introduction: str | None = None
    site_url: str = ""


def schedule(scheduler: Scheduler, job: Job) -> Written:
    """Write what a scheduler needs, as far as it is not there.

    UsageError where a folder for the site is missing or too many, or where a pipeline has no work tree to be in.
    """
    repository = Repository.open(job.repository)
    machine = scheduler in ("systemd", "cron")
    if machine and job.output is None:
        raise UsageError(f"{scheduler} must know where the site goes", hint="--output DIR")
    if not machine and (job.output is not None or job.site_url):
        raise UsageError(
            f"with {scheduler}, the site has a place of its own", hint="leave --output and --site-url out"
        )
    if not machine and repository.work_dir is None:
        raise UsageError(
            "a pipeline is a file of the repository, and this one is bare", hint="do it in a clone"
        )
    ground = find_ground(repository, Policies(repository), introduction=job.introduction)
    files, further = _OF[scheduler](
        repository, job, ground.introduction, ground.branch.removeprefix("refs/heads/")
    )
    return lay_down(files, further)


_Made = tuple[dict[Path, str], tuple[str, ...]]


def _command(repository: Repository, job: Job, introduction: str, quote: Callable[[str], str]) -> str:
    """The command that rebuilds: all paths absolute, since a scheduler has its own idea of where it is."""
    assert job.output is not None  # noqa: S101 - `schedule` has looked
    words = [job.python, "-P", "-m", "gitchange", "-C", str(repository.directory.resolve())]
    words += ["--introduction", introduction, "site", "rebuild", "--output", str(job.output.absolute())]
    words += ["--site-url", job.site_url] if job.site_url else []
    return " ".join(quote(word) for word in words)


def _folder(repository: Repository) -> Path:
    return repository.common_dir.resolve() / "gitchange" / "schedule"


def _systemd(repository: Repository, job: Job, introduction: str, branch: str) -> _Made:
    assert job.output is not None  # noqa: S101 - `schedule` has looked
    folder = _folder(repository)
    # The work tree too: a fetch brings its files to the new commit.
    writable = [repository.common_dir.resolve(), repository.directory.resolve(), job.output.absolute().parent]
    files = {
        folder / "gitchange-site.service": _SERVICE.format(
            repository=str(repository.directory.resolve()).replace("\n", " "),
            user=job.user,
            command=_command(repository, job, introduction, _unit_word),
            writable=" ".join(_unit_word(str(path)) for path in dict.fromkeys(writable)),
        ),
        folder / "gitchange-site.timer": _TIMER.format(minutes=MINUTES),
    }
    parent = job.output.absolute().parent
    made = (
        () if parent.is_dir() else (f"sudo install -d -o {shlex.quote(job.user)} {shlex.quote(str(parent))}",)
    )
    return files, (
        *made,
        f"sudo install -m 644 {' '.join(shlex.quote(str(path)) for path in files)} /etc/systemd/system/",
        "sudo systemctl daemon-reload && sudo systemctl enable --now gitchange-site.timer",
        "journalctl -u gitchange-site    # what it said",
    )


def _cron(repository: Repository, job: Job, introduction: str, branch: str) -> _Made:
    folder = _folder(repository)
    # cron takes % for the end of the line.
    text = _CRONTAB.format(
        minutes=MINUTES,
        command=_command(repository, job, introduction, shlex.quote).replace("%", r"\%"),
        log=shlex.quote(str(folder / "rebuild.log")).replace("%", r"\%"),
    )
    path = folder / "crontab"
    return {path: text}, (f"(crontab -l 2>/dev/null; cat {shlex.quote(str(path))}) | crontab -",)


def _gitlab(repository: Repository, job: Job, introduction: str, branch: str) -> _Made:
    assert repository.work_dir is not None  # noqa: S101 - `schedule` has looked
    path = repository.work_dir / ".gitlab-ci.yml"
    text = _GITLAB.format(branch=json.dumps(branch), version=__version__, introduction=introduction)
    return {path: text}, (
        "commit it by a merge request, as every change to this repository",
        "then make a pipeline schedule: Build > Pipeline schedules, `*/15 * * * *`, for the branch of record",
    )


def _github(repository: Repository, job: Job, introduction: str, branch: str) -> _Made:
    assert repository.work_dir is not None  # noqa: S101 - `schedule` has looked
    path = repository.work_dir / ".github" / "workflows" / "gitchange-site.yml"
    text = _GITHUB.format(branch=json.dumps(branch), version=__version__, introduction=introduction)
    return {path: text}, (
        "commit it by a pull request, as every change to this repository",
        "then Settings > Pages > Source: GitHub Actions",
    )


_OF: dict[Scheduler, Callable[[Repository, Job, str, str], _Made]] = {
    "systemd": _systemd,
    "cron": _cron,
    "gitlab": _gitlab,
    "github": _github,
}


def _unit_word(word: str) -> str:
    """A word of a unit file (systemd.syntax(7), systemd.unit(5) "Specifiers")."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word or "'" in word else word
