"""How long the reading commands take, beside an empty Python, stock git and the bare signatures.

    scripts/bench reading [DIR...] [--sizes 1000,10000] [--runs 5] [--only PART]... [--processor] [--json FILE]

A DIR is a repository that `scripts/bench make` made; it is copied, and stays as it is. For --sizes, repositories are
made and thrown away (1000 when nothing is named). Each figure is the median of several runs, in which ours and
what it is held against take turns; what takes long runs less often, at least once. A command that is not there
yet is told so. On a machine that does other things too, `--processor` gives steadier figures: seconds of
processors in the place of those of the clock.

A goal is how many times the floor ours may take. `--json` writes the same for programs: times in
seconds, memory and loose objects in bytes.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import _company as company
from _common import NOTES, Key, Spent, git, run_measured
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from make import MAIN, SEED, make

from gitchange.git.repository import FILE, Person, Repository
from gitchange.ledger import notes
from gitchange.model.identifiers import id_of, new_id, path_of
from gitchange.model.statement import (
    MEANINGS,
    NAMESPACE,
    PAYLOAD_TYPE,
    Answers,
    Predicate,
    read_statement,
    write_statement,
)
from gitchange.signing.dsse import Envelope, pae, parse_envelope
from gitchange.signing.signers import name_of_key
from gitchange.signing.sshsig import armor, signed_data

GOAL = 5.0
"""How many times as long as an empty Python a reading command with nothing new may take."""
_LONG = 20.0
"""So many seconds a measurement may go on before no further run is begun."""
_SAMPLE = 50
"""How many signatures ssh-keygen verifies; the time for all is reckoned from these."""
_WORD = "kestrel"
"""A word that few of the made changes have."""
_PYTHON = [sys.executable, "-c", "pass"]

_READ_ALL = f"""
git log --raw --no-abbrev --format= {MAIN} -- changes >"$1/log" &&
awk 'NF > 4 {{ print $4 }}' "$1/log" >"$1/versions" &&
git cat-file --batch --buffer <"$1/versions" >/dev/null &&
git notes --ref={NOTES} list >"$1/list" &&
cut -d' ' -f1 "$1/list" >"$1/notes" &&
git cat-file --batch --buffer <"$1/notes" >/dev/null
"""
"""What nobody who begins with nothing can do without: every version of every change file, and every note."""


@dataclass(frozen=True)
class Row:
    """One comparison."""

    name: str
    size: int
    """How many changes there are."""
    ours: float
    floor_name: str
    floor: float
    ratio: float
    goal: float | None = None
    unit: str = "s"
    """Seconds (`s`) or bytes (`B`)."""
    runs: int = 1


def say(row: Row) -> None:
    """A line of the table, as soon as it is known."""
    goal = "" if row.goal is None else f"goal {row.goal:g}: {'met' if row.ratio <= row.goal else 'MISSED'}"
    print(
        f"{row.size:>7,}  {row.name:<42} {_figure(row.ours, row.unit):>10}  "
        f"{_figure(row.floor, row.unit):>10}  {row.floor_name:<44} x{row.ratio:>8,.1f}  {goal}".rstrip(),
        flush=True,
    )


def _figure(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 1e6:,.1f} MB" if value >= 1e6 else f"{value / 1e3:,.1f} kB"
    return f"{value:,.2f} s" if value >= 1 else f"{value * 1000:,.1f} ms"


class Signer:
    """A change manager who approves texts of open changes in this process, again and again."""

    def __init__(self, directory: Path, seed: int) -> None:
        self._directory, self._seed, self._count = directory, seed, 0
        repository = Repository.open(directory)
        self.introduction = repository.config("gitchange.introduction") or ""
        tip = repository.ref(MAIN)
        assert tip is not None
        tree = repository.tree_of(tip)
        self._policy = repository.child(tree, "policy")
        root = repository.child(tree, "changes")
        assert root is not None
        entries = [e for e in repository.walk(root.id, "changes/") if id_of(e.path)]
        self.size = len(entries)
        self.files = sorted((e.path, e.id) for e in entries)
        self.open = next(
            (path, oid) for path, oid in reversed(self.files) if b"[record]" not in repository.blob(oid)
        )

    def sign(self) -> None:
        """One more sign-off on the newest open text, kept in the notes."""
        repository = Repository.open(self._directory)
        self.keep(repository, *self.statement(repository))

    def statement(self, repository: Repository) -> tuple[str, str, bytes]:
        """Who approves which text, and the line; signed with a key in memory."""
        path, blob = self.open
        by = company.ROLES["change-manager"][self._count % len(company.ROLES["change-manager"])]
        self._count += 1
        assert self._policy is not None
        said = Predicate(
            change=id_of(path) or "",
            step="evaluation",
            verdict="approve",
            by=by,
            role="change-manager",
            meaning=MEANINGS["approve"],
            answers=Answers(necessary=True, feasible=True, safe=True),
            comment=f"Once more, number {self._count}.",
            repository=self.introduction,
            policy=self._policy.id,
            log=repository.ref(NOTES),
            time=_now().isoformat(timespec="seconds"),
        )
        sha256 = hashlib.sha256(repository.blob(blob)).hexdigest()
        payload = write_statement(path, blob, sha256, said)
        _, signature = Key.of(self._seed, by).sign(pae(PAYLOAD_TYPE, payload))
        return by, blob, Envelope(PAYLOAD_TYPE, payload, name_of_key(signature), signature).to_line()

    def keep(self, repository: Repository, by: str, blob: str, line: bytes) -> None:
        """Append the line to the text's note, and move the ref."""
        tip = repository.ref(NOTES)
        who = Person(by.partition("@")[0].capitalize(), by, _now())
        made = notes.append(repository, tip, blob, [line], (who, who), "approve once more\n")
        repository.set_ref(NOTES, made, tip, "bench")

    def request(self) -> str:
        """Commit one more change file on the branch of record, the text of another; its id."""
        repository = Repository.open(self._directory)
        path, blob = self.open
        change = new_id(_now().date(), os.urandom(3))
        raw = repository.blob(blob).replace((id_of(path) or "").encode(), change.encode())
        tip = repository.ref(MAIN)
        assert tip is not None
        tree = repository.edit_tree(
            repository.tree_of(tip), {path_of(change): (repository.write_blob(raw), FILE)}
        )
        who = Person("Bo", "bo@example.org", _now())
        made = repository.write_commit(tree, (tip,), f"Request {change}\n\nChange: {change}\n", who, who)
        repository.set_ref(MAIN, made, tip, "bench")
        return change


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _program() -> list[str]:
    """The installed command beside this Python, which is what people start."""
    command = Path(sys.executable).with_name("gitchange")
    return [str(command)] if command.exists() else [sys.executable, "-m", "gitchange"]


class Bench:
    """The measurements in one repository, a copy of which is worked in."""

    def __init__(self, directory: Path, scratch: Path, runs: int, *, processor: bool) -> None:
        self.directory, self._scratch, self._runs = directory, scratch, runs
        self._processor = processor
        self.git_dir = Path(git(directory, "rev-parse", "--absolute-git-dir"))
        self.bare = git(directory, "rev-parse", "--is-bare-repository") == "true"
        self.signer = Signer(directory, int(git(directory, "config", SEED)))
        self.size = self.signer.size
        self._read_all = ["sh", "-c", _READ_ALL, "sh", str(scratch)]

    def rows(self, wanted: list[str]) -> Iterator[Row]:
        """The wanted measurements, all when none is named, in the order in which they are told."""
        parts = (self.start, self.warm, self.cold, self.fresh, self.refreshed, self.appended, self.verified)
        for part in (*parts, self.searched, self.written):
            if part.__name__ in wanted or not wanted:
                yield from part()

    # -- what is measured --------------------------------------------------------------------

    def start(self) -> Iterator[Row]:
        """What a process takes that does nothing."""
        bare = [sys.executable, "-I", "-S", "-c", "pass"]
        yield self._compare("an empty Python", "without site and its packages", _PYTHON, bare)
        yield self._compare("gitchange --version", "an empty Python", [*_program(), "--version"], _PYTHON)

    def warm(self) -> Iterator[Row]:
        """With nothing new since the last command."""
        self._run(self._command("list"))
        paths = [path for path, _ in self.signer.files]
        for name, path in (("an older change", paths[len(paths) // 2]), ("an open one", self.signer.open[0])):
            work = self._command("show", id_of(path) or "")
            yield self._compare(f"show, {name}, nothing new", "an empty Python", work, _PYTHON, GOAL)
        yield self._compare("list, nothing new", "an empty Python", self._command("list"), _PYTHON, GOAL)
        # Where `list` shows the newest ones only, what all of them take is told too.
        if "--all" in self._help("list"):
            whole = self._command("list", "--all")
            yield self._compare("list --all, nothing new", "an empty Python", whole, _PYTHON)

    def cold(self) -> Iterator[Row]:
        """Without an index; time and memory."""
        yield from self._with_memory(
            "list, without an index",
            "git reads all versions and notes",
            self._command("list"),
            self._read_all,
        )

    def fresh(self) -> Iterator[Row]:
        """The first command after somebody signed and somebody requested."""

        def something_new() -> None:
            self.signer.sign()
            self.signer.request()

        self._run(self._command("list"))
        show = self._command("show", id_of(self.signer.open[0]) or "")
        for name, work in (("list", self._command("list")), ("show", show)):
            title = f"{name}, after a sign-off and a new change"
            yield self._compare(title, "an empty Python", work, _PYTHON, before=something_new)

    def refreshed(self) -> Iterator[Row]:
        """The index alone, after one commit."""
        refresh = index_refresh()
        if refresh is None:
            self._skip("refresh of the index: not there yet")
            return
        self._run(self._command("list"))
        ours, floor = [], []
        for _ in range(self._runs):
            before = git(self.directory, "rev-parse", MAIN)
            self.signer.request()
            tips = [before, git(self.directory, "rev-parse", MAIN)]
            floor.append(self._seconds(["git", "diff-tree", "-r", *tips, "--", "changes"]))
            began = self._clock()
            refresh(self.directory)
            ours.append(self._clock() - began)
        yield self._row("refresh of the index after one commit", "git diff-tree of the tips", ours, floor)

    def appended(self) -> Iterator[Row]:
        """One more sign-off: ours in this process, signed with a key in memory; git's is a process of its own."""
        theirs = "refs/notes/bench"
        git(self.directory, "update-ref", theirs, NOTES)
        spent: dict[str, list[float]] = {"ours": [], "git": []}
        grown: dict[str, list[float]] = {"ours": [], "git": []}
        line_file = self._scratch / "line"
        for _ in range(max(self._runs, 5)):
            repository = Repository.open(self.directory)
            before = self._loose()
            began = self._clock()
            by, blob, line = self.signer.statement(repository)
            self.signer.keep(repository, by, blob, line)
            spent["ours"].append(self._clock() - began)
            grown["ours"].append(self._loose() - before)
            line_file.write_bytes(line + b"\n")
            before = self._loose()
            work = ["git", "notes", f"--ref={theirs}", "append", "-F", str(line_file), blob]
            spent["git"].append(self._seconds(work))
            grown["git"].append(self._loose() - before)
        git(self.directory, "update-ref", "-d", theirs)
        yield self._row("one more sign-off, signed and kept", "git notes append", spent["ours"], spent["git"])
        yield self._row("its loose objects", "git notes append", grown["ours"], grown["git"], unit="B")

    def verified(self) -> Iterator[Row]:
        """`verify`: from nothing, and again after one more sign-off."""
        signatures = self._signatures
        floors: list[float] = []

        def bare() -> float:
            began = self._clock()
            for key, signed, signature in signatures:
                key.verify(signature, signed)
            floors.append(self._clock() - began)
            return floors[-1] + self._seconds(self._read_all)

        ours, floor, peaks = [], [], []
        for _ in self._while_short():
            self._forget_index()
            done = self._run(self._command("verify"))
            ours.append(self._time_of(done))
            peaks.append(done.peak * 1024.0)
            floor.append(bare())
        name = "verify, from nothing"
        yield self._row(name, f"git reads all; {len(signatures):,} bare verifications", ours, floor)
        yield self._row(name, "the bare verifications alone", ours, floors)
        yield self._row(
            f"{name}: memory", "an empty Python", peaks, [self._run(_PYTHON).peak * 1024.0], unit="B"
        )
        each = self._ssh_keygen()
        yield self._row(
            name, f"ssh-keygen for each (from {len(each)})", ours, [statistics.median(each) * len(signatures)]
        )
        again, empty = [], []
        for _ in self._while_short():
            self.signer.sign()
            again.append(self._seconds(self._command("verify")))
            empty.append(self._seconds(_PYTHON))
        yield self._row("verify, after one more sign-off", "an empty Python", again, empty)

    def searched(self) -> Iterator[Row]:
        """Full-text search."""
        if not self._is_there("search"):
            self._skip("search: not there yet")
            return
        grep = ["git", "grep", "-l", "-i", _WORD, MAIN, "--", "changes"]
        yield self._compare(f"search {_WORD}", "git grep", self._command("search", _WORD), grep)

    def written(self) -> Iterator[Row]:
        """Writing a change file, and checking one."""
        if self.bare:
            self._skip("new --from FILE, check FILE: they need a work tree")
            return
        path, blob = self.signer.open
        text = git(self.directory, "cat-file", "blob", blob)
        source = self._scratch / "request.toml"
        source.write_text("".join(f"{line}\n" for line in text.split("\n") if not line.startswith('id = "')))
        work = self._command("new", "--from", str(source))
        yield self._compare("new --from FILE", "an empty Python", work, _PYTHON)
        yield self._compare("check FILE", "an empty Python", self._command("check", path), _PYTHON)

    # -- how ---------------------------------------------------------------------------------

    def _command(self, *arguments: str) -> list[str]:
        return [*_program(), *arguments]

    def _run(self, work: list[str], source: Path = Path("/dev/null")) -> Spent:
        """Run it in the repository; what fails is not measured."""
        done = run_measured(work, self.directory, source)
        if done.code != 0:
            raise SystemExit(f"exit code {done.code}: {' '.join(work)}\n{done.said}")
        return done

    def _seconds(self, work: list[str]) -> float:
        return self._time_of(self._run(work))

    def _time_of(self, spent: Spent) -> float:
        return spent.processor if self._processor else spent.seconds

    def _clock(self) -> float:
        """What time it is, for what is done in this process."""
        return time.process_time() if self._processor else time.perf_counter()

    def _while_short(self) -> Iterator[int]:
        """So many runs as were asked for, but none is begun when they have taken long."""
        began = time.perf_counter()
        for number in range(self._runs):
            if number and time.perf_counter() - began > _LONG:
                return
            yield number

    def _compare(
        self,
        name: str,
        floor_name: str,
        ours: list[str],
        floor: list[str],
        goal: float | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> Row:
        """Two commands in turns; `before` each of ours something is done that is not timed."""
        mine, theirs = [], []
        for _ in self._while_short():
            before()
            mine.append(self._seconds(ours))
            theirs.append(self._seconds(floor))
        return self._row(name, floor_name, mine, theirs, goal)

    def _with_memory(self, name: str, floor_name: str, ours: list[str], floor: list[str]) -> Iterator[Row]:
        """The same, each of ours without an index, and the most memory of both beside it."""
        mine, theirs = [], []
        for _ in self._while_short():
            self._forget_index()
            mine.append(self._run(ours))
            theirs.append(self._run(floor))
        yield self._row(
            name, floor_name, [self._time_of(s) for s in mine], [self._time_of(s) for s in theirs]
        )
        peaks = [s.peak * 1024.0 for s in mine], [s.peak * 1024.0 for s in theirs]
        yield self._row(f"{name}: memory", floor_name, *peaks, unit="B")

    def _row(
        self,
        name: str,
        floor_name: str,
        ours: list[float],
        floor: list[float],
        goal: float | None = None,
        unit: str = "s",
    ) -> Row:
        mine, theirs = statistics.median(ours), statistics.median(floor)
        return Row(name, self.size, mine, floor_name, theirs, mine / theirs, goal, unit, len(ours))

    def _skip(self, words: str) -> None:
        print(f"{self.size:>7,}  {words}", flush=True)

    def _forget_index(self) -> None:
        for file in (self.git_dir / "gitchange").glob("index*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()

    def _is_there(self, command: str) -> bool:
        return bool(self._help(command))

    def _help(self, command: str) -> str:
        """What a command says of itself; nothing when there is no such command."""
        work = self._command(command, "--help")
        done = subprocess.run(work, cwd=self.directory, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""

    def _loose(self) -> int:
        """The bytes of all loose objects."""
        folders = (self.git_dir / "objects").glob("[0-9a-f][0-9a-f]")
        return sum(file.stat().st_size for folder in folders for file in folder.iterdir())

    @cached_property
    def _lines(self) -> list[bytes]:
        """Every line of the notes."""
        repository = Repository.open(self.directory)
        held = notes.Notes(repository, repository.ref(NOTES))
        return [line for _, lines in held.all() for line in lines]

    @cached_property
    def _signatures(self) -> list[tuple[Ed25519PublicKey, bytes, bytes]]:
        """Of each line the key, the bytes that it signed, and the bare signature; keys are read once."""
        keys: dict[str, Ed25519PublicKey] = {}
        found = []
        for line in self._lines:
            envelope = parse_envelope(line)
            by = read_statement(envelope.payload).predicate.by
            if by not in keys:
                raw = Key.of(int(git(self.directory, "config", SEED)), by).raw
                keys[by] = Ed25519PublicKey.from_public_bytes(raw)
            # The 64 bytes of an Ed25519 signature are the end of its SSHSIG.
            signed = signed_data(NAMESPACE, "sha512", envelope.signed_bytes)
            found.append((keys[by], signed, envelope.signature[-64:]))
        return found

    def _ssh_keygen(self) -> list[float]:
        """How long `ssh-keygen -Y verify` takes for each signature of a sample, spread over all."""
        signers = self._scratch / "allowed_signers"
        signers.write_text(git(self.directory, "show", f"{MAIN}:policy/allowed_signers") + "\n")
        armored, message = self._scratch / "signature", self._scratch / "message"
        step = max(1, len(self._lines) // _SAMPLE)
        spent: list[float] = []
        for line in self._lines[::step][:_SAMPLE]:
            envelope = parse_envelope(line)
            armored.write_text(armor(envelope.signature))
            message.write_bytes(envelope.signed_bytes)
            by = read_statement(envelope.payload).predicate.by
            work = [
                "ssh-keygen",
                "-Y",
                "verify",
                "-f",
                str(signers),
                "-I",
                by,
                "-n",
                NAMESPACE,
                "-s",
                str(armored),
            ]
            spent.append(self._time_of(self._run(work, message)))
        return spent


def index_refresh() -> Callable[[Path], object] | None:
    """What brings the index of the repository in a folder up to date; None where there is no index."""
    if importlib.util.find_spec("gitchange.index") is None:
        return None
    from gitchange.index.refresh import ask  # noqa: PLC0415 - only where it is there

    return lambda folder: ask(Repository.open(folder), _now(), None, lambda _: None)


PARTS = ("start", "warm", "cold", "fresh", "refreshed", "appended", "verified", "searched", "written")
"""Names of the measurements: those of the methods of `Bench`."""


def copied(directory: Path, target: Path) -> Path:
    """A copy to work in; packs, which nobody writes to, are linked."""

    def copy(source: str, to: str) -> None:
        if "/objects/pack/" in source:
            try:
                os.link(source, to)
                return
            except OSError:  # another file system
                pass
        shutil.copy2(source, to)

    shutil.copytree(directory, target, symlinks=True, copy_function=copy)
    return target


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench reading", description="Measures the reading commands."
    )
    parser.add_argument("directories", metavar="DIR", nargs="*", type=Path, help="made by scripts/bench make")
    parser.add_argument("--sizes", metavar="N,...", help="make repositories with so many changes")
    parser.add_argument("--runs", type=int, default=5, help="how often; what takes long is run less often")
    parser.add_argument("--only", metavar="PART", action="append", choices=PARTS, help=", ".join(PARTS))
    parser.add_argument("--processor", action="store_true", help="measure processor time, not the clock's")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures for programs")
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs is at least 1")
    sizes = given.sizes if given.sizes or given.directories else "1000"
    rows: list[Row] = []
    header = ("changes  what", "ours", "floor", "which is", "ratio")
    print(f"{header[0]:<51} {header[1]:>10}  {header[2]:>10}  {header[3]:<44}  {header[4]:>8}")
    with tempfile.TemporaryDirectory(prefix="gitchange-bench-") as folder:
        root = Path(folder)
        places = [(place, False) for place in given.directories]
        places += [(Path(size), True) for size in (sizes or "").split(",") if size]
        for number, (place, to_make) in enumerate(places):
            work, scratch = root / f"{number}", root / f"{number}-scratch"
            scratch.mkdir()
            if to_make:
                make(work, int(str(place)))
            else:
                copied(place, work)
            bench = Bench(work, scratch, given.runs, processor=given.processor)
            for row in bench.rows(given.only or []):
                say(row)
                rows.append(row)
            shutil.rmtree(work)
    if given.json is not None:
        machine = {
            "python": platform.python_version(),
            "git": git(Path(), "--version"),
            "cpus": os.cpu_count(),
        }
        shape = {
            "machine": machine,
            "time": "processor" if given.processor else "clock",
            "rows": [dataclasses.asdict(row) for row in rows],
        }
        given.json.write_text(json.dumps(shape, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
