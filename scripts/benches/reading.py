"""How long the reading commands take, beside an empty Python, stock git and the bare signatures.

    scripts/bench reading [DIR...] [--sizes 1000,10000] [--runs 5] [--only PART]... [--processor] [--json FILE]

A DIR is a repository that `scripts/bench make` made; it is copied, and stays as it is. For --sizes, repositories are
made and thrown away (1000 when nothing is named). Each figure is the median of several runs, in which ours and
what it is held against take turns; what takes long runs less often, at least once. On a machine that does other
things too, `--processor` gives steadier figures: seconds of processors in the place of those of the clock.

A goal is how many times the floor ours may take, where nothing else is said: how much more than the floor, or how
much whatever the floor. One that is missed is told and is no failure. A command that fails is told, and the
next measurement goes on; then the exit code is 1. Of several sizes it is told how the figures grow from one to the
next. `--json` writes the same for programs: times in seconds, memory and loose objects in bytes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import _company as company
from _common import NOTES, Failed, Key, git
from _rows import Goal, Measuring, Row, head, options, plain_git, program, say_growth, write_figures
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from make import KEYS, MAIN, SEED, make

from gitchange.git.repository import FILE, Person, Repository
from gitchange.index.refresh import ask
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

_MEMORY = Goal(600e6, "ours")
"""What a command may use of memory with 100,000 changes, and so with fewer."""
_HUGE = 100_000
"""From so many changes on, it is not held against git's any more."""
_LARGE = 10_000
"""From so many changes on, memory is held against git's: with fewer, Python's own is most of ours."""

_WARM = Goal(5, "ratio")
_FRESH = Goal(0.020, "difference")
"""Nobody feels so many seconds more. An empty Python would be the wrong floor for what somebody wrote a moment ago."""
_COLD = Goal(1.4, "ratio")
_COLD_MEMORY = Goal(2, "ratio")
_REFRESH = Goal(2, "ratio")
_APPEND = Goal(1, "ratio")
_LOOSE = Goal(20e3, "ours")
_VERIFY = Goal(1.3, "ratio")
_SSH_KEYGEN = Goal(1 / 30, "ratio")
_SEARCH = Goal(0.2, "ours")
_WRITE = Goal(10, "ratio")
_ONCALL = Goal(0.5, "ours")

_SAMPLE = 50
"""How many signatures ssh-keygen verifies; the time for all is reckoned from these."""
_WORD = "kestrel"
"""A word that few of the made changes have."""
_PYTHON = [sys.executable, "-c", "pass"]
_EMPTY = "an empty Python"

_READ_ALL = f"""
git log --raw --no-abbrev --format= {MAIN} -- changes >"$1/log" &&
awk 'NF > 4 {{ print $4 }}' "$1/log" >"$1/versions" &&
git cat-file --batch --buffer <"$1/versions" >/dev/null &&
git notes --ref={NOTES} list >"$1/list" &&
cut -d' ' -f1 "$1/list" >"$1/notes" &&
git cat-file --batch --buffer <"$1/notes" >/dev/null
"""
"""What nobody who begins with nothing can do without: every version of every change file, and every note."""


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
        repository.set_ref(NOTES, self.noted(repository, by, blob, line), tip, "bench")

    def noted(self, repository: Repository, by: str, blob: str, line: bytes) -> str:
        """A notes commit with the line in the text's note; no ref moves."""
        who = Person(by.partition("@")[0].capitalize(), by, _now())
        return notes.append(
            repository, repository.ref(NOTES), blob, [line], (who, who), "approve once more\n"
        )

    def another(self, repository: Repository) -> tuple[str, bytes]:
        """The id and the file of one more change, with the text of another."""
        path, blob = self.open
        change = new_id(_now().date(), os.urandom(3))
        return change, repository.blob(blob).replace((id_of(path) or "").encode(), change.encode())

    def request(self) -> str:
        """Commit one more change file on the branch of record; its id."""
        repository = Repository.open(self._directory)
        change, raw = self.another(repository)
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


def _all_and_bare(count: int) -> str:
    return f"git reads all; {count:,} bare verifications"


class Bench(Measuring):
    """The measurements in one repository, a copy of which is worked in."""

    def __init__(self, directory: Path, scratch: Path, runs: int, *, processor: bool) -> None:
        self.signer = Signer(directory, int(git(directory, "config", SEED)))
        super().__init__(directory, self.signer.size, runs, processor=processor)
        self._scratch = scratch
        self._read_all = ["sh", "-c", _READ_ALL, "sh", str(scratch)]
        # The copy signs with its own keys, and its index knows the copied files.
        key = Path(git(directory, "config", "user.signingkey")).name
        git(directory, "config", "user.signingkey", str(self.git_dir / KEYS / key))
        if git(directory, "rev-parse", "--is-bare-repository") == "false":
            git(directory, "update-index", "-q", "--refresh")

    # -- what is measured --------------------------------------------------------------------

    def start(self) -> Iterator[Row]:
        """What a process takes that does nothing."""
        bare = [sys.executable, "-I", "-S", "-c", "pass"]
        yield self.compare("an empty Python", "without site and its packages", _PYTHON, bare)
        yield self.compare("gitchange --version", _EMPTY, program("--version"), _PYTHON)

    def warm(self) -> Iterator[Row]:
        """With nothing new since the last command."""
        self.run(program("list"))
        paths = [path for path, _ in self.signer.files]
        for name, path in (("an older change", paths[len(paths) // 2]), ("an open one", self.signer.open[0])):
            work = program("show", id_of(path) or "")
            yield self.compare(f"show, {name}, nothing new", _EMPTY, work, _PYTHON, _WARM)
        yield self.compare("list, nothing new", _EMPTY, program("list"), _PYTHON, _WARM)
        # It prints all of them, and so cannot take the same with more: it has no goal.
        yield self.compare("list --all, nothing new", _EMPTY, program("list", "--all"), _PYTHON)

    def cold(self) -> Iterator[Row]:
        """Without an index; time and memory."""
        signatures, name = self._signatures(self._lines()), "list, without an index"
        log = ["git", "log", "--raw", MAIN]
        ours, peaks, reading, both, git_peaks = [], [], [], [], []
        for _ in self.while_short():
            self.forget_index()
            done = self.run(program("list"))
            ours.append(self.time_of(done))
            peaks.append(done.peak * 1024.0)
            reading.append(self.seconds(self._read_all))
            both.append(reading[-1] + self._bare(signatures))
            git_peaks.append(self.run(log).peak * 1024.0)
        yield self.row(name, _all_and_bare(len(signatures)), ours, both, _COLD)
        # An index that believes what it finds would be held to twice this. Ours verifies every signature before
        # it answers, so this row is for information.
        yield self.row(name, "git reads all versions and notes", ours, reading)
        goal = _COLD_MEMORY if _LARGE <= self.size < _HUGE else _MEMORY
        yield self.row(f"{name}: memory", "git log --raw", peaks, git_peaks, goal, "B")

    def fresh(self) -> Iterator[Row]:
        """The first command after somebody signed and somebody requested, beside the same with nothing new."""
        self.run(program("list"))
        show = program("show", id_of(self.signer.open[0]) or "")
        for writer, write in (("gitchange", self._written_by_gitchange), ("stock git", self._written_by_git)):
            for name, work in (("list", program("list")), ("show", show)):
                title = f"{name}, a sign-off and a change by {writer}"
                yield self.compare(title, f"{name}, nothing new", work, work, _FRESH, write)

    def refreshed(self) -> Iterator[Row]:
        """The index alone, after one commit; git's is a process of its own."""
        self.run(program("list"))
        ours, floor = [], []
        for _ in range(self.runs):
            before = git(self.directory, "rev-parse", MAIN)
            self.signer.request()
            tips = [before, git(self.directory, "rev-parse", MAIN)]
            floor.append(self.seconds(["git", "diff-tree", "-r", *tips, "--", "changes"]))
            began = self.clock()
            refreshed = ask(Repository.open(self.directory), _now(), None, lambda _: True)
            ours.append(self.clock() - began)
            if not refreshed:
                raise Failed("the index cannot be written")
        yield self.row(
            "refresh of the index after one commit", "git diff-tree of the tips", ours, floor, _REFRESH
        )

    def appended(self) -> Iterator[Row]:
        """One more sign-off: ours in this process, from a line that is signed; git's is a process of its own.

        Ours has every object on the disk before the ref names it; git is asked for the same in a second row.
        """
        theirs, floor_name = "refs/notes/bench", "git notes append"
        git(self.directory, "update-ref", theirs, NOTES)
        safe = ["-c", "core.fsync=loose-object,reference"]
        spent: dict[str, list[float]] = {"ours": [], "signed": [], "git": [], "safe": []}
        grown: dict[str, list[float]] = {"ours": [], "git": []}
        line_file = self._scratch / "line"
        for _ in range(max(self.runs, 5)):
            repository = Repository.open(self.directory)
            before = self._loose()
            began = self.clock()
            by, blob, line = self.signer.statement(repository)
            signed = self.clock()
            self.signer.keep(repository, by, blob, line)
            ended = self.clock()
            spent["ours"].append(ended - signed)
            spent["signed"].append(ended - began)
            grown["ours"].append(self._loose() - before)
            line_file.write_bytes(line + b"\n")
            for name, asked in (("git", []), ("safe", safe)):
                before = self._loose()
                work = ["git", *asked, "notes", f"--ref={theirs}", "append", "-F", str(line_file), blob]
                spent[name].append(self.seconds(work))
                if name == "git":
                    grown["git"].append(self._loose() - before)
        git(self.directory, "update-ref", "-d", theirs)
        yield self.row("one more sign-off, kept", floor_name, spent["ours"], spent["git"], _APPEND)
        yield self.row("one more sign-off, kept", f"{floor_name}, on the disk", spent["ours"], spent["safe"])
        yield self.row(
            "one more sign-off, signed in memory and kept", floor_name, spent["signed"], spent["git"]
        )
        yield self.row("its loose objects", floor_name, grown["ours"], grown["git"], _LOOSE, "B")

    def verified(self) -> Iterator[Row]:
        """`verify`: from nothing, and again after one more sign-off."""
        lines, name = self._lines(), "verify, from nothing"
        signatures = self._signatures(lines)
        # With the answers of an earlier one it would not be from nothing.
        forgetting = ["--no-cache"] if "--no-cache" in self._help("verify") else []
        ours, bare, both, peaks = [], [], [], []
        for _ in self.while_short():
            self.forget_index()
            done = self.run(program("verify", *forgetting))
            ours.append(self.time_of(done))
            peaks.append(done.peak * 1024.0)
            bare.append(self._bare(signatures))
            both.append(bare[-1] + self.seconds(self._read_all))
        yield self.row(name, _all_and_bare(len(signatures)), ours, both, _VERIFY)
        yield self.row(name, "the bare verifications alone", ours, bare)
        each = self._ssh_keygen(lines)
        loop = statistics.median(each) * len(signatures)
        yield self.row(name, f"ssh-keygen for each (from {len(each)})", ours, [loop], _SSH_KEYGEN)
        yield self.row(f"{name}: memory", _EMPTY, peaks, [self._peak(_PYTHON)], _MEMORY, "B")
        self.run(program("verify"))
        again = []
        for _ in self.while_short():
            self.signer.sign()
            again.append(self.seconds(program("verify")))
        yield self.row("verify, after one more sign-off", name, again, ours)

    def searched(self) -> Iterator[Row]:
        """Full-text search."""
        self.run(program("search", _WORD))
        grep = ["git", "grep", "-l", "-i", _WORD, MAIN, "--", "changes"]
        yield self.compare(f"search {_WORD}", "git grep", program("search", _WORD), grep, _SEARCH)

    def oncall(self) -> Iterator[Row]:
        """What happened, what is planned, and the figures; the incident was at a change that came in the middle."""
        middle = self.signer.files[len(self.signer.files) // 2][0]
        moment = git(self.directory, "log", "-1", "--format=%cI", MAIN, "--", middle)
        touched = ["git", "log", "--format=%H", "--name-only", MAIN, "--", "changes"]
        for name, work in (
            ("log", program("log")),
            ("log --around TIME", program("log", "--around", moment)),
            ("calendar", program("calendar", "--month", moment[:7])),
            ("calendar --ics", program("calendar", "--ics")),
            ("stats", program("stats")),
        ):
            self.run(work)
            yield self.compare(name, "git log of all change files", work, touched, _ONCALL)

    def written(self) -> Iterator[Row]:
        """Writing a change file, and checking one."""
        tree, path = self._work_tree, self.signer.open[0]
        self.run(program("list"), tree)  # the index is there, as wherever somebody reads
        for name, work in (("new --from FILE", self._new()), ("check FILE", program("check", path))):
            yield self.compare(name, _EMPTY, work, _PYTHON, _WRITE, ours_in=tree)

    def memory(self) -> Iterator[Row]:
        """The most memory of one process of each command (those above that work with everything tell theirs there)."""
        tree = self._work_tree
        requested = self._requested
        older = id_of(self.signer.files[len(self.signer.files) // 2][0]) or ""
        self.run(program("list"))
        floor = [self._peak(_PYTHON)]
        for work in (
            ("list",),
            ("list", "--all", "--json"),
            ("show", older),
            ("search", _WORD),
            ("check", self.signer.open[0]),
            ("check",),
            ("doctor",),
            ("policy", "show"),
            ("verify", older),
            ("approve", requested, "--yes", "-m", "Once more.", "--no-push"),
            ("seal", "--no-push"),
        ):
            words = " ".join(work).replace(older, "CHANGE").replace(requested, "CHANGE")
            name = words.replace(self.signer.open[0], "FILE").partition(" --yes")[0]
            yield self.row(f"{name}: memory", _EMPTY, [self._peak(program(*work), tree)], floor, _MEMORY, "B")
        yield self.row(
            "new --commit: memory",
            _EMPTY,
            [self._peak(self._new("--commit", "--no-push"), tree)],
            floor,
            _MEMORY,
            "B",
        )

    # -- how ---------------------------------------------------------------------------------

    def _peak(self, work: list[str], directory: Path | None = None) -> float:
        return self.run(work, directory).peak * 1024.0

    def _bare(self, signatures: list[tuple[Ed25519PublicKey, bytes, bytes]]) -> float:
        """How long the signatures themselves take, in one thread, by the library that ours uses."""
        began = self.clock()
        for key, signed, signature in signatures:
            key.verify(signature, signed)
        return self.clock() - began

    def _written_by_gitchange(self) -> None:
        """One change and one sign-off by our own commands, which bring the index up to date themselves."""
        tree, requested = self._work_tree, self._requested
        git(tree, "read-tree", "-m", "HEAD")
        self.run(self._new("--commit", "--no-push"), tree)
        self.run(program("approve", requested, "--yes", "-m", "Once more.", "--no-push"))

    def _written_by_git(self) -> None:
        """One change by `git commit`, and one sign-off with which `git update-ref` moves the notes."""
        tree, repository = self._work_tree, Repository.open(self.directory)
        # What was committed past this work tree is no deletion.
        git(tree, "read-tree", "-m", "HEAD")
        change, raw = self.signer.another(repository)
        file = tree / path_of(change)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        git(tree, "add", path_of(change))
        git(tree, "commit", "--quiet", "-m", f"Request {change}")
        made = self.signer.noted(repository, *self.signer.statement(repository))
        git(self.directory, "update-ref", NOTES, made)

    def _new(self, *arguments: str) -> list[str]:
        """`new` with the text of the open change."""
        source = self._scratch / "request.toml"
        text = git(self.directory, "cat-file", "blob", self.signer.open[1])
        source.write_text("".join(f"{line}\n" for line in text.split("\n") if not line.startswith('id = "')))
        return program("new", "--from", str(source), *arguments)

    @cached_property
    def _requested(self) -> str:
        """A change that waits for an approval; asked for before somebody who approves has requested one."""
        work = program("list", "--json", "--status", "requested", "--limit", "1")
        done = subprocess.run(work, cwd=self.directory, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"exit code {done.returncode}: {' '.join(work)}\n{done.stderr}")
        return str(json.loads(done.stdout)["changes"][0]["id"])

    @cached_property
    def _work_tree(self) -> Path:
        """Where files can be written: a linked work tree, when the repository is bare."""
        if git(self.directory, "rev-parse", "--is-bare-repository") == "false":
            return self.directory
        tree = self._scratch / "tree"
        git(self.directory, "worktree", "add", "--quiet", str(tree), MAIN.rpartition("/")[2])
        return tree

    def _help(self, command: str) -> str:
        """What a command says of itself."""
        done = subprocess.run(program(command, "--help"), capture_output=True, text=True, check=False)
        return done.stdout

    def _loose(self) -> int:
        """The bytes of all loose objects."""
        folders = (self.git_dir / "objects").glob("[0-9a-f][0-9a-f]")
        return sum(file.stat().st_size for folder in folders for file in folder.iterdir())

    def _lines(self) -> list[bytes]:
        """Every line of the notes."""
        repository = Repository.open(self.directory)
        held = notes.Notes(repository, repository.ref(NOTES))
        return [line for _, lines in held.all() for line in lines]

    def _signatures(self, lines: list[bytes]) -> list[tuple[Ed25519PublicKey, bytes, bytes]]:
        """Of each line the key, the bytes that it signed, and the bare signature; keys are read once."""
        keys: dict[str, Ed25519PublicKey] = {}
        found = []
        for line in lines:
            envelope = parse_envelope(line)
            by = read_statement(envelope.payload).predicate.by
            if by not in keys:
                raw = Key.of(int(git(self.directory, "config", SEED)), by).raw
                keys[by] = Ed25519PublicKey.from_public_bytes(raw)
            # The 64 bytes of an Ed25519 signature are the end of its SSHSIG.
            signed = signed_data(NAMESPACE, "sha512", envelope.signed_bytes)
            found.append((keys[by], signed, envelope.signature[-64:]))
        return found

    def _ssh_keygen(self, lines: list[bytes]) -> list[float]:
        """How long `ssh-keygen -Y verify` takes for each signature of a sample, spread over all."""
        signers = self._scratch / "allowed_signers"
        signers.write_text(git(self.directory, "show", f"{MAIN}:policy/allowed_signers") + "\n")
        armored, message = self._scratch / "signature", self._scratch / "message"
        step = max(1, len(lines) // _SAMPLE)
        spent: list[float] = []
        for line in lines[::step][:_SAMPLE]:
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
            spent.append(self.time_of(self.run(work, source=message)))
        return spent


PARTS = (
    *("start", "warm", "cold", "fresh", "refreshed", "appended", "verified", "searched", "oncall"),
    *("written", "memory"),
)
"""Names of the measurements: those of the methods of `Bench`."""
_GROWING = ("warm", "cold", "fresh")
"""Those of which it is told how they grow with the number of changes."""


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
    parser.add_argument("--only", metavar="PART", action="append", choices=PARTS, help=", ".join(PARTS))
    options(parser)
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs is at least 1")
    sizes = given.sizes if given.sizes or given.directories else "1000"
    plain_git()
    about = head(processor=given.processor)
    rows: list[Row] = []
    failures = 0
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
            parts = (getattr(bench, name) for name in PARTS if name in (given.only or PARTS))
            rows += bench.told(parts)
            failures += bench.failures
            shutil.rmtree(work)
    say_growth(row for row in rows if row.part in _GROWING)
    if given.json is not None:
        write_figures(given.json, about, rows)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
