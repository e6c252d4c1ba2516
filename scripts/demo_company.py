"""A sample company: five people with their own keys and clones take changes through all five steps.

Everything is done with the commands that a user would type; nothing is prepared behind their back. Run by
scripts/demo, which sets the program up first.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

PEOPLE = {
    "ada": "change manager",
    "bo": "developer",
    "cy": "developer",
    "dee": "user of the systems",
    "eve": "security",
}

POLICY = """\
version = 1
main = "main"
timezone = "Europe/Paris"

[roles]
root           = { members = ["ada@acme.example", "eve@acme.example"], threshold = 2 }
change-manager = { members = ["ada@acme.example"] }
developer      = { members = ["bo@acme.example", "cy@acme.example"] }
system-user    = { members = ["dee@acme.example", "cy@acme.example"] }
security       = { members = ["eve@acme.example"] }

[[rules]]
name = "every change"
evaluation     = { role = "change-manager", approvals = 1 }
implementation = { role = "developer" }
validation     = { role = "system-user" }

[[rules]]
name = "high risk to customer data"
when = { types = ["normal", "emergency"], risk = ["high", "critical"], customer_data = true }
evaluation = { role = "security", approvals = 1 }

[deadlines]
evaluation = "3d"
emergency_approval = "24h"

[[freezes]]
name = "end of year"
reason = "Customers close their books, and half of us are away."
kind = "soft"
start = 2025-12-23T18:00:00
end = 2026-01-02T08:00:00
recurrence = "FREQ=YEARLY"
override = { role = "security" }
"""

SYSTEMS = """\
[systems.api]
name = "Public API"
owner = "ada@acme.example"
customer_data = true
environments = ["staging", "production"]
depends_on = ["database"]

[systems.database]
name = "Customer database"
owner = "bo@acme.example"
customer_data = true
environments = ["staging", "production"]

[systems.website]
name = "Website"
owner = "cy@acme.example"
customer_data = false
environments = ["production"]
"""

MODEL = """\
title = "Routine update of a dependency"
description = "A patch release of a library, by the lock file only, with the test suite green."
systems = ["api", "website"]
max_risk = "low"
suspended_after = 3

[parameters.package]
pattern = "[a-z0-9.+-]+ [0-9.]+"
description = "its name and new version"
"""


class Demo:
    """The company's folder: a shared bare repository, one clone and one key for each person."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.server = root / "server.git"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "HOME": str(root / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "SSH_AUTH_SOCK": "",
        }

    def run(self, person: str, *command: str, quiet: bool = False) -> str:
        """Run a command in a person's clone; show it as the person would have typed it."""
        if not quiet:
            print(f"\n[{person}] $ {shlex.join(command)}", flush=True)
        done = subprocess.run(
            command,
            cwd=self.root / "clones" / person,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not quiet:
            print("    " + done.stdout.strip().replace("\n", "\n    "), flush=True)
        if done.returncode != 0:
            sys.exit(f"{shlex.join(command)} ended with {done.returncode}\n{done.stdout}")
        return done.stdout

    def gitchange(self, person: str, *arguments: str) -> str:
        return self.run(person, "gitchange", *arguments)

    # -- setting up --------------------------------------------------------------------------

    def prepare(self) -> str:
        """Keys, policy, shared repository, clones; the introduction commit's id."""
        (self.root / "home").mkdir(parents=True)
        (self.root / "clones").mkdir()
        keys = self.root / "keys"
        keys.mkdir()
        policy = self.root / "policy"
        (policy / "models").mkdir(parents=True)
        (policy / "policy.toml").write_text(POLICY)
        (policy / "systems.toml").write_text(SYSTEMS)
        (policy / "models" / "dependency-update.toml").write_text(MODEL)
        signers = []
        for name in PEOPLE:
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", keys / name], check=True
            )
            kind, key, _ = (keys / f"{name}.pub").read_text().split()
            signers.append(f'{name}@acme.example namespaces="gitchange" {kind} {key}\n')
        (policy / "allowed_signers").write_text("".join(signers))
        subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", self.server], check=True)
        (self.root / "clones" / "ada").mkdir()
        self._identify("ada", init=True)
        self.run("ada", "gitchange", "init", "--title", "Acme changes", "--policy", str(policy))
        self.run("ada", "git", "remote", "add", "origin", str(self.server), quiet=True)
        self.run("ada", "git", "push", "--quiet", "-u", "origin", "main")
        introduction = self.run("ada", "git", "config", "gitchange.introduction", quiet=True).strip()
        for name in PEOPLE:
            if name != "ada":
                subprocess.run(
                    ["git", "clone", "--quiet", self.server, self.root / "clones" / name],
                    check=True,
                    env=self.environment,
                )
                self._identify(name)
                self.run(name, "git", "config", "gitchange.introduction", introduction, quiet=True)
        return introduction

    def _identify(self, name: str, *, init: bool = False) -> None:
        """What every user of signed commits has in git's configuration."""
        if init:
            self.run(name, "git", "init", "--quiet", "-b", "main", quiet=True)
        for key, value in {
            "user.name": name.capitalize(),
            "user.email": f"{name}@acme.example",
            "gpg.format": "ssh",
            "user.signingkey": str(self.root / "keys" / f"{name}.pub"),
        }.items():
            self.run(name, "git", "config", key, value, quiet=True)

    def request(self, person: str, *options: str) -> str:
        """A new change, committed and pushed; its id."""
        return self.gitchange(person, "new", "--commit", *options).split()[0]

    # -- the changes -------------------------------------------------------------------------

    def certificate(self) -> str:
        """All five steps, in order."""
        change = self.request(
            "bo",
            *("--title", "Rotate the API's TLS certificate"),
            *("--system", "api", "--environment", "production"),
            *(
                "--reason",
                "The certificate expires on 30 November. Browsers and customers' clients would refuse it.",
            ),
            *(
                "--scope",
                "The certificate and its key on the two load balancers. **Not** the client certificates.",
            ),
            *("--step", "Request a new certificate from the CA :: `openssl x509 -noout -dates` shows a year"),
            *(
                "--step",
                "Install it on the second load balancer, then on the first :: `curl -v` shows the new one",
            ),
            *(
                "--risk",
                "A wrong chain makes clients fail :: availability :: unlikely :: major :: "
                "Check the chain with `openssl verify` first :: Keep the old certificate on disk",
            ),
            *("--rollback", "Put the old certificate back and reload; two minutes."),
            *("--test-plan", "`curl` from outside against both load balancers; the monitoring stays green."),
        )
        self.gitchange("ada", "approve", change, "--yes", "-m", "Please before Friday.")
        self.gitchange(
            "bo",
            "implement",
            change,
            "--commit",
            "api@4f2a9c1",
            "--steps-followed",
            "--test",
            "curl against both load balancers=passed",
            "--test",
            "openssl verify=passed",
        )
        self.gitchange(
            "dee",
            "validate",
            change,
            "--works",
            "--no-security-risk",
            "--evidence",
            "Our three largest customers' clients connect; SSL Labs gives A+.",
        )
        self.gitchange(
            "ada",
            "document",
            change,
            "--outcome",
            "successful",
            "--summary",
            "Both load balancers serve the new certificate; nobody noticed.",
            "--lessons",
            "Automate the renewal: it is the third one by hand.",
        )
        return change

    def upgrade(self) -> str:
        """High risk to customer data: security evaluates too; then it is backed out."""
        change = self.request(
            "cy",
            *("--title", "Upgrade the customer database to version 17"),
            *("--system", "database"),
            *("--reason", "Version 13 gets no security updates any more."),
            *("--scope", "The primary and both replicas. The schema stays as it is."),
            *("--step", "Take a full backup :: restore it on a spare machine"),
            *("--step", "Upgrade the replicas, fail over, upgrade the old primary :: replication lag is 0"),
            *(
                "--risk",
                "Data is lost in the fail-over :: integrity :: possible :: severe :: "
                "Synchronous replication while we fail over :: A restored backup stands by",
            ),
            *("--rollback", "Fail back to the old primary within the hour; afterwards restore the backup."),
            *(
                "--test-plan",
                "The API's full test suite against the upgraded replica; row counts before and after.",
            ),
        )
        self.gitchange("ada", "approve", change, "--yes", "-m", "Necessary; the plan is sound.")
        self.gitchange("eve", "approve", change, "--yes", "-m", "The backup was restored before my eyes.")
        self.gitchange(
            "bo",
            "implement",
            change,
            "--backed-out",
            "--test",
            "row counts=passed",
            "--test",
            "query plans=failed",
            "-m",
            "Two queries were 40 times slower on 17; we failed back after 20 minutes.",
        )
        self.gitchange(
            "dee",
            "validate",
            change,
            "--works",
            "--no-security-risk",
            "--evidence",
            "The back office works as before; spot checks of 20 customers.",
        )
        self.gitchange(
            "ada",
            "document",
            change,
            "--outcome",
            "backed-out",
            "--summary",
            "Failed back to 13 because of two slow queries; no data was lost.",
            "--lessons",
            "Replay a day of production queries before the next attempt.",
        )
        return change

    def others(self) -> None:
        """Changes that stand elsewhere, so that the site has something to show."""
        usual = (
            *("--rollback", "Deploy the previous release."),
            *("--test-plan", "The test suite; then ten minutes of watching the error rate."),
        )
        low = (
            "--risk",
            "A page looks odd :: usability :: unlikely :: negligible :: Screenshots before and after",
        )
        medium = (
            "--risk",
            "Requests are refused that should not be :: availability :: possible :: moderate :: "
            "Count only for a day before refusing :: A switch turns it off",
        )
        limit = self.request(
            "bo",
            "--title",
            "Limit requests per customer",
            "--system",
            "api",
            "--reason",
            "One customer's loop slowed everybody down last week.",
            "--scope",
            "The public endpoints; not the webhooks.",
            "--step",
            "Deploy with counting only :: the dashboard shows counts",
            "--step",
            "Turn refusing on",
            *medium,
            *usual,
        )
        self.gitchange("ada", "approve", limit, "--yes")
        self.gitchange(
            "bo",
            "implement",
            limit,
            "--deviation",
            "Refusing was turned on after two days, not one: Sunday was quiet.",
            "--commit",
            "api@9be0d17",
            "--test",
            "load test=passed",
        )
        fonts = self.request(
            "cy",
            "--title",
            "Serve the fonts ourselves",
            "--system",
            "website",
            "--reason",
            "Visitors' addresses should not go to a third party.",
            "--scope",
            "All pages.",
            "--step",
            "Put the fonts beside the style sheet :: no request leaves our host",
            *low,
            *usual,
        )
        self.gitchange("ada", "approve", fonts, "--yes", "-m", "Good for privacy.")
        update = self.request(
            "cy",
            "--type",
            "standard",
            "--model",
            "dependency-update",
            "--parameter",
            "package=http-client 2.4.1",
            "--title",
            "Update the HTTP library to 2.4.1",
            "--system",
            "website",
            "--reason",
            "Fixes a crash on empty headers.",
            "--scope",
            "The lock file.",
            "--step",
            "Update the lock file and deploy :: the test suite is green",
            *low,
            *usual,
        )
        self.gitchange("bo", "implement", update, "--steps-followed", "--test", "test suite=passed")
        self.gitchange(
            "dee",
            "validate",
            update,
            "--works",
            "--no-security-risk",
            "--evidence",
            "Clicked through the checkout.",
        )
        export = self.request(
            "bo",
            "--title",
            "Nightly export of all customers to the analytics bucket",
            "--system",
            "database",
            "--reason",
            "Marketing asked for it.",
            "--scope",
            "All tables.",
            "--step",
            "Add a cron job",
            "--risk",
            "Customer data leaks from the bucket :: privacy :: likely :: severe :: The bucket is private",
            *usual,
        )
        self.gitchange(
            "eve",
            "reject",
            export,
            "--not-necessary",
            "--not-safe",
            "-m",
            "Aggregates are enough, and those we have already.",
        )
        logs = self.request(
            "cy",
            "--title",
            "Keep request logs for 90 days",
            "--system",
            "api",
            "--reason",
            "Support cannot answer questions that are older than a week.",
            "--scope",
            "Access logs.",
            "--step",
            "Change the retention",
            *medium,
            *usual,
        )
        self.gitchange(
            "ada", "request-info", logs, "-m", "Do the logs hold addresses of customers' customers?"
        )
        outage = self.request(
            "bo",
            "--type",
            "emergency",
            "--title",
            "Disable the image proxy",
            "--system",
            "api",
            "--incident",
            "INC-2041",
            "--justification",
            "Attackers fetch internal addresses through it right now.",
            "--reason",
            "The proxy follows redirects to internal hosts.",
            "--scope",
            "The /proxy endpoint.",
            "--step",
            "Turn the endpoint off in the load balancer :: it answers 404",
            *medium,
            *usual,
        )
        self.gitchange("bo", "implement", outage, "--steps-followed", "--test", "proxy answers 404=passed")
        year = (dt.date.today() + dt.timedelta(days=14)).year
        books = self.request(
            "bo",
            "--title",
            "Accept the new tax numbers",
            "--system",
            "api",
            "--reason",
            "They come into force on 1 January; without it customers cannot close their books.",
            "--scope",
            "The validation of tax numbers.",
            "--step",
            "Deploy the new rules :: ten numbers of the authority's list are accepted",
            "--start",
            f"{year}-12-28T10:00:00+01:00",
            "--end",
            f"{year}-12-28T11:00:00+01:00",
            *medium,
            *usual,
        )
        self.gitchange("ada", "approve", books, "--yes", "-m", "It has to be in time.")
        self.gitchange(
            "eve",
            "override-freeze",
            books,
            "-m",
            "The law does not wait for January; two of us are on call that morning.",
        )
        self.request(
            "cy",
            "--title",
            "Dark colours for the status page",
            "--system",
            "website",
            "--reason",
            "On-call engineers read it at night.",
            "--scope",
            "The style sheet.",
            "--step",
            "Deploy the style sheet :: it follows the system's setting",
            *low,
            *usual,
        )


def main() -> None:
    """Run the demonstration into a folder."""
    root = Path(sys.argv[1])
    if root.exists():
        if not (root / "server.git").is_dir() and any(root.iterdir()):
            sys.exit(f"{root} exists and is no earlier demonstration; give another folder")
        shutil.rmtree(root)
    began = time.monotonic()
    demo = Demo(root)
    introduction = demo.prepare()
    change = demo.certificate()
    demo.upgrade()
    demo.others()
    demo.gitchange("ada", "sync")
    demo.gitchange("ada", "list")
    demo.gitchange("ada", "verify")
    demo.gitchange("ada", "site", "build", "--output", str(root / "site"))
    shown = json.loads(demo.run("ada", "gitchange", "show", change, "--json", quiet=True))
    print(
        f"""
That took {time.monotonic() - began:.0f} seconds. Where to look:
  the site             {root / "site" / "index.html"}
  a clone (Ada's)      {root / "clones" / "ada"}
  the shared repository {demo.server}
  introduction commit  {introduction}
  a documented change  {change}

With stock tools only, in the clone:
  git notes --ref=gitchange/approvals show {shown["blob"]}
  git log --oneline refs/notes/gitchange/approvals
  head -c {shown["request_bytes"]} {shown["path"]} | sha256sum   # is {shown["sha256"]}
"""
    )


if __name__ == "__main__":
    main()
