"""How long it takes when many people sign at the same time, and whether everything arrives.

`scripts/bench sync N M [--ssh]`: N people sign M changes each, all at once, each in an own clone and with the real
program, on one bare repository over file:// or OpenSSH. It prints how often a push had to be made again, how
long a sign-off took, and what a fresh clone with stock git then reads. Only what is missing is a failure, never time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.company import SYSTEMS, Company, git, request_options  # the checkout comes first
from tests.servers import servers
from tests.servers.people import NOTES, Member, Team, team

POLICY = """\
version = 1
main = "main"

[roles]
root           = {{ members = ["bo@example.org"], threshold = 1 }}
change-manager = {{ members = [{signers}] }}
developer      = {{ members = ["bo@example.org"] }}
system-user    = {{ members = ["bo@example.org"] }}

[[rules]]
name = "every change"
evaluation     = {{ role = "change-manager", approvals = {number} }}
implementation = {{ role = "developer" }}
validation     = {{ role = "system-user" }}
"""


@dataclass
class SignOff:
    """One sign-off: how long its command took, in seconds, and what it said when not all was well."""

    seconds: float
    complaint: str


def company(root: Path, signers: list[str]) -> Company:
    """A company in which every change needs all the signers."""
    folder, keys = root / "policy", root / "keys"
    folder.mkdir()
    keys.mkdir()
    named = ", ".join(f'"{person}@example.org"' for person in signers)
    (folder / "policy.toml").write_text(POLICY.format(signers=named, number=len(signers)))
    (folder / "systems.toml").write_text(SYSTEMS)
    lines: list[str] = []
    for person in ("bo", *signers):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(keys / person)]
        subprocess.run(command, check=True)
        kind, key, _ = (keys / f"{person}.pub").read_text().split()
        lines.append(f'{person}@example.org namespaces="gitchange" {kind} {key}\n')
    (folder / "allowed_signers").write_text("".join(lines))
    repo = root / "repo"
    git(root, "init", "--quiet", "-b", "main", str(repo))
    made = Company(root, repo)
    made.must("bo", "init", "--title", "Example changes", "--policy", str(folder))
    return made


def sign_all(person: Member, changes: list[str], done: list[SignOff], start: threading.Barrier) -> None:
    """One person signs everything, from the moment at which all are ready."""
    start.wait()
    for change in changes:
        began = time.monotonic()
        said = person.do("approve", change, "--yes", "-m", "go")
        quiet = said.code == 0 and "still only here" not in said.err and "note:" not in said.err
        done.append(
            SignOff(time.monotonic() - began, "" if quiet else f"exit {said.code}: {said.err.strip()}")
        )


def missing(bench: Team, root: Path, changes: list[str], signers: list[str]) -> list[str]:
    """What stock `git notes` does not show in a fresh clone, and what `verify` says there when it is not content."""
    fresh = bench.another_clone("bo", root / "fresh")
    fresh.git("fetch", "--quiet", "origin", f"{NOTES}:{NOTES}")
    found: list[str] = []
    for change in changes:
        path = f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"
        note = fresh.git("notes", f"--ref={NOTES}", "show", f"HEAD:{path}")
        if len(set(note.splitlines())) != len(signers):
            found.append(f"{change} has {len(note.splitlines())} sign-offs, not {len(signers)}")
        if fresh.status(change) != "approved":
            found.append(f"{change} is {fresh.status(change)}")
    verified = fresh.do("verify")
    return [*found, *([] if verified.code == 0 else [verified.out + verified.err])]


@contextlib.contextmanager
def served(root: Path, people: Company, names: list[str], *, ssh: bool) -> Iterator[servers.Server]:
    """One bare repository, over file:// or OpenSSH."""
    place = root / "server"
    place.mkdir()
    keys = {name: people.key(name) for name in names}
    with servers.openssh(place, keys) if ssh else servers.folder(place, names) as server:
        yield server


def main() -> int:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("signers", type=int, nargs="?", default=8, metavar="N", help="people at once [8]")
    parser.add_argument("changes", type=int, nargs="?", default=10, metavar="M", help="sign-offs each [10]")
    parser.add_argument("--ssh", action="store_true", help="over OpenSSH instead of file://")
    given = parser.parse_args()
    signers = [f"signer{number}" for number in range(1, given.signers + 1)]
    with tempfile.TemporaryDirectory(prefix="gitchange-bench-") as folder:
        root = Path(folder)
        os.environ |= {"HOME": folder, "GIT_CONFIG_NOSYSTEM": "1"}
        (root / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n")
        people = company(root, signers)
        changes: list[str] = []
        for _ in range(given.changes):
            options = ("--no-push", *request_options())
            changes.append(people.must("bo", "new", "--commit", *options).out.split()[0])
        with served(root, people, ["bo", *signers], ssh=given.ssh) as server:
            bench = team(people, server, ["bo", *signers], "bo", root / "people")
            done: list[SignOff] = []
            start = threading.Barrier(len(signers) + 1)
            threads = [
                threading.Thread(target=sign_all, args=(bench[name], changes, done, start))
                for name in signers
            ]
            for thread in threads:
                thread.start()
            start.wait()
            began = time.monotonic()
            for thread in threads:
                thread.join()
            together = time.monotonic() - began
            made = sum(bench[name].pushes() for name in signers)
            absent = missing(bench, root, changes, signers)
            commits = git(server.repository, "rev-list", "--count", NOTES)
    wanted = len(signers) * len(changes)
    times = sorted(one.seconds for one in done)
    complaints = [one.complaint for one in done if one.complaint]
    print(f"{len(signers)} signers x {len(changes)} sign-offs over {'ssh' if given.ssh else 'file'}://")
    print(f"  together     {together:6.1f} s")
    print(f"  one sign-off {statistics.median(times):6.2f} s median, {times[-1]:.2f} s slowest")
    print(f"  pushes       {made:6d}, of which {made - wanted} were made again")
    print(f"  notes        {commits:>6} commits for {wanted} sign-offs")
    print(f"  not sent by their own command: {len(complaints)}")
    for words in [*complaints, *absent]:
        print(f"    {words}")
    print("  all there, by stock git notes" if not absent else f"  MISSING: {len(absent)}")
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main())
