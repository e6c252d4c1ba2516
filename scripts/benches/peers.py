"""How long the reading commands take, beside what else keeps records of changes in Git.

    scripts/bench peers [--changes 300] [--runs 5] [--only PART]... [--processor] [--json FILE]

Each peer works on as many records as `scripts/bench make` makes changes:

- `reno`: release notes of OpenStack's tool, which is installed from the package index into an environment that is
  thrown away. One commit brings each note, and some are edited later. `reno list` finds by the history to which
  version each note belongs; it verifies nothing. Where the package index cannot be reached, this is left out.
- `notes`: a script without gitchange, which runs `git notes show` for each change that somebody signed. It
  prints what was signed and verifies nothing.

git-appraise, which keeps code reviews in Git notes, is not measured: no package index has it ready to be installed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import _company as company
from _common import NOTES, Failed, Spent, git, run_measured
from _rows import Measuring, Row, head, options, plain_git, program, write_figures
from make import MAIN, make

from gitchange.git.repository import Repository
from gitchange.ledger.notes import Notes
from gitchange.model.identifiers import id_of

_RENO = "reno>=4"
_FOLDER = "releasenotes/notes"
_BEGIN = 1_735_722_000
"""When the first release note is committed, in seconds since 1970."""
_A_RELEASE = 50
"""So many commits lie between two tags."""
_SHOW_EACH = f"""
while read -r text; do git notes --ref={NOTES} show "$text" >/dev/null || exit; done <"$1"
"""


class Peers(Measuring):
    """Ours in a made repository, in turns with each peer."""

    def __init__(self, directory: Path, scratch: Path, size: int, runs: int, *, processor: bool) -> None:
        super().__init__(directory, size, runs, processor=processor)
        self._scratch = scratch

    def reno(self) -> Iterator[Row]:
        """`reno list`, with its cache and without."""
        environment = self._scratch / "reno"
        refused = installed(environment)
        if refused:
            self.skip(f"reno, since it cannot be installed: {refused}")
            return
        theirs = self._scratch / "notes"
        release_notes(theirs, self.size)
        command = str(environment / "bin" / "reno")
        # It finds every note, or it would be quick for nothing.
        found = self._listed(command, theirs)
        if found != self.size:
            raise Failed(f"reno lists {found} of {self.size} release notes")
        yield from self._beside("reno list", [command, "list"], theirs)
        self.run([command, "cache"], theirs)
        name = "reno list, from its cache file"
        yield self.compare("list, nothing new", name, program("list"), [command, "list"], floor_in=theirs)

    def notes(self) -> Iterator[Row]:
        """`git notes show` for each change."""
        texts = self._scratch / "texts"
        signed = self._signed_texts()
        texts.write_text("".join(f"{text}\n" for text in signed))
        name = f"git notes show, {len(signed)} times"
        yield from self._beside(name, ["sh", "-c", _SHOW_EACH, "sh", str(texts)], self.directory)

    def _beside(self, name: str, work: list[str], where: Path) -> Iterator[Row]:
        """Our `list` without an index, and with one."""
        listing = program("list")
        yield self.compare(
            "list, without an index", name, listing, work, before=self.forget_index, floor_in=where
        )
        yield self.compare("list, nothing new", name, listing, work, floor_in=where)

    def _signed_texts(self) -> list[str]:
        """Of each change that was signed, the newest text with a note."""
        repository = Repository.open(self.directory)
        held = Notes(repository, repository.ref(NOTES))
        noted = {text for text, _ in held.all()}
        found: dict[str, str] = {}
        log = git(self.directory, "log", "--raw", "--no-abbrev", "--format=", MAIN, "--", "changes")
        for line in log.splitlines():
            said, _, path = line.partition("\t")
            text = said.split()[3]
            if text in noted and id_of(path):
                found.setdefault(path, text)
        return list(found.values())

    def _listed(self, command: str, where: Path) -> int:
        """How many notes `reno list` names."""
        out = self._scratch / "listed"
        self.run(["sh", "-c", '"$1" list >"$2"', "sh", command, str(out)], where)
        return sum(_FOLDER in line for line in out.read_text().splitlines())


def installed(environment: Path) -> str:
    """Install reno; the last thing that pip said where that is not possible."""
    venv.create(environment, with_pip=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    done: Spent = run_measured([*pip, "--quiet", "--retries", "1", _RENO], environment)
    return "" if done.code == 0 else (done.said.strip().splitlines() or [f"exit code {done.code}"])[-1]


def release_notes(directory: Path, count: int) -> None:
    """A repository of so many release notes, one commit each; every third is edited later, with a tag now and then."""
    rng = random.Random(1)  # noqa: S311 - the same on every machine
    git(Path(), "init", "--quiet", "--initial-branch=main", str(directory))
    out: list[bytes] = []
    commits = 0

    def commit(words: str, edits: dict[str, str]) -> None:
        nonlocal commits
        commits += 1
        who = f"Bo <bo@example.org> {_BEGIN + commits * 3600} +0000"
        out.append(f"commit {MAIN}\ncommitter {who}\n".encode() + _data(words))
        out.extend(f"M 100644 inline {path}\n".encode() + _data(text) for path, text in edits.items())
        if commits % _A_RELEASE == 0:
            version = f"{commits // _A_RELEASE}.0.0"
            out.append(f"tag {version}\nfrom {MAIN}\ntagger {who}\n".encode() + _data(f"Release {version}\n"))

    for number in range(count):
        path = f"{_FOLDER}/slug-{rng.getrandbits(64):016x}.yaml"
        said = "".join(f"  - |\n    {company.sentence(rng)}\n" for _ in range(8))
        text = f"---\nfeatures:\n{said}"
        commit(f"Note {number}\n", {path: text})
        if number % 3 == 0:
            commit(f"Edit note {number}\n", {path: f"{text}fixes:\n  - |\n    {company.sentence(rng)}\n"})
    git(directory, "fast-import", "--quiet", data=b"".join(out))
    git(directory, "reset", "--quiet", "--hard")


def _data(text: str) -> bytes:
    """As fast-import is told of contents."""
    return b"data %d\n%s\n" % (len(text.encode()), text.encode())


PARTS = ("reno", "notes")
"""Names of the measurements: those of the methods of `Peers`."""


def main() -> int:
    """Make, measure and print."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench peers", description="Measures the reading commands beside other tools."
    )
    parser.add_argument("--changes", metavar="N", type=int, default=300, help="how many there are")
    parser.add_argument("--only", metavar="PART", action="append", choices=PARTS, help=", ".join(PARTS))
    options(parser)
    given = parser.parse_args()
    if given.runs < 1 or given.changes < 1:
        parser.error("--runs and --changes are at least 1")
    plain_git()
    about = head(processor=given.processor)
    with tempfile.TemporaryDirectory(prefix="gitchange-bench-") as folder:
        root = Path(folder)
        make(root / "made", given.changes)
        peers = Peers(root / "made", root, given.changes, given.runs, processor=given.processor)
        parts: dict[str, Callable[[], Iterator[Row]]] = {"reno": peers.reno, "notes": peers.notes}
        rows = peers.told(parts[name] for name in given.only or PARTS)
    if given.json is not None:
        write_figures(given.json, about, rows)
    return 1 if peers.failures else 0


if __name__ == "__main__":
    sys.exit(main())
