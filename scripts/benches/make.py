"""Makes a valid configuration repository of N changes, to measure with.

    scripts/bench make N DIR [--seed S] [--bare]

A company of forty people whose changes went through every step: requests of about 2 KB, edited once or twice by
several authors, really signed sign-offs (some on a text that was edited afterwards, some refusals), and records.
About 93 of 100 changes are documented, the others are open in every status. All of it follows from the
seed, keys and dates included, so every machine makes the same commits.

The private keys are left in `bench-keys/` under the git directory, and the seed as `bench.seed` in its configuration.

All is written by one `git fast-import` that is never asked anything. A sign-off names the notes commit that its
signer saw, so the ids of notes commits are reckoned here, with the very trees that git's own notes have
(`NotesTree`); at the end git must come to the same tip.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import heapq
import random
import resource
import subprocess
import sys
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import _company as company
from _common import NOTES, Key, git

from gitchange.ledger.notes import join
from gitchange.ledger.records import TRAILER
from gitchange.lifecycle.status import STATUSES
from gitchange.model.change import write_change
from gitchange.model.identifiers import ALPHABET, path_of
from gitchange.model.record import Outcome, Record, RecordSignOff, append_record
from gitchange.model.statement import (
    MEANINGS,
    PAYLOAD_TYPE,
    VERDICTS,
    Answers,
    CommitReference,
    Predicate,
    TestResult,
    VerdictName,
    write_statement,
)
from gitchange.signing.dsse import Envelope, pae
from gitchange.signing.signers import name_of_key
from gitchange.workflow.setup import ATTRIBUTES, IGNORED

MAIN = "refs/heads/main"
KEYS = "bench-keys"
"""The folder of private keys, under the git directory."""
SEED = "bench.seed"
"""Where git's configuration has the seed."""

_LAST = dt.datetime(2025, 12, 1, 9, tzinfo=dt.UTC)
"""When the last change is requested; its last sign-off follows within weeks."""
_A_DAY = 27
"""How many changes are requested a day: 10,000 in a year."""
_AT_LEAST = dt.timedelta(days=120)
"""How long the history is, however few the changes."""

_STEPS = {verdict: step for step, verdicts in VERDICTS.items() for verdict in verdicts}
_OPEN = tuple(status for status in STATUSES if status != "documented")
_ENDED = ("rejected", "withdrawn")


def object_id(kind: str, body: bytes) -> bytes:
    """Git's id of an object, as 20 bytes."""
    return hashlib.sha1(b"%s %d\0" % (kind.encode(), len(body)) + body, usedforsecurity=False).digest()


class NotesTree:
    """One level of the notes' folders, with the fan-out that git's own notes.c gives it.

    A level holds notes, until under every first digit there are two; from then on it holds folders.
    """

    def __init__(self) -> None:
        self._notes: list[bytes] | None = []
        """Entries as a tree object has them, in its order; None when it holds folders."""
        self._under = [0] * 16
        """How many notes there are under each first digit."""
        self._below: list[NotesTree | None] = []
        self._entries: list[bytes] = []
        """The folders' entries as a tree object has them, by their 256 names; empty for one that is not there."""

    def put(self, rest: str, blob: bytes, folder: str = "") -> tuple[bytes, dict[str, str]]:
        """Set the note whose name has this rest here; the level's id, and what must be done at which paths.

        That is the id of the blob to put there, or nothing for a note to remove.
        """
        if self._notes is None:
            edits = self._into(rest, blob, folder)
            return object_id("tree", b"".join(self._entries)), edits
        head = b"100644 " + rest.encode() + b"\0"
        place = bisect_left(self._notes, head)
        edits = {folder + rest: blob.hex()}
        if place < len(self._notes) and self._notes[place].startswith(head):
            self._notes[place] = head + blob
        else:
            self._notes.insert(place, head + blob)
            self._under[int(rest[0], 16)] += 1
            if min(self._under) >= 2:
                edits = self._fan_out(rest, folder)
                return object_id("tree", b"".join(self._entries)), edits
        return object_id("tree", b"".join(self._notes)), edits

    def _into(self, rest: str, blob: bytes, folder: str) -> dict[str, str]:
        """Set the note in the folder where it belongs."""
        number = int(rest[:2], 16)
        below = self._below[number]
        if below is None:
            below = self._below[number] = NotesTree()
        tree, edits = below.put(rest[2:], blob, f"{folder}{rest[:2]}/")
        self._entries[number] = b"40000 " + rest[:2].encode() + b"\0" + tree
        return edits

    def _fan_out(self, new: str, folder: str) -> dict[str, str]:
        """Move all notes of this level into folders; the new one is nowhere yet."""
        notes, self._notes = self._notes or [], None
        self._below, self._entries = [None] * 256, [b""] * 256
        edits: dict[str, str] = {}
        for entry in notes:
            rest = entry[7 : 7 + len(new)].decode()
            if rest != new:
                edits[folder + rest] = ""
            edits |= self._into(rest, entry[8 + len(new) :], folder)
        return edits


class Import:
    """One running `git fast-import`. Commits wait until the blobs that they name were written.

    The versions of one file, and of one note, are written one after the other, since fast-import stores each
    blob as its difference to the one before: the pack is as small as one that git has packed at leisure.
    """

    def __init__(self, directory: Path, changes: int) -> None:
        # --force: git need not walk the whole history to see that the branch of record only grows.
        self._process = subprocess.Popen(
            ["git", "-C", str(directory), "fast-import", "--quiet", "--done", "--force"],
            stdin=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        self._out = self._process.stdin
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._written = bytearray(changes)

    def commit(
        self, change: int, ref: str, who: bytes, message: bytes, edits: dict[str, str], start: str = ""
    ) -> None:
        """A commit on top of a ref (or, the first one, of `start`), to be written with the blobs of the change."""
        lines = [b"commit %s" % ref.encode(), b"author " + who, b"committer " + who]
        lines.append(b"data %d\n%s" % (len(message), message))
        if start:
            lines.append(b"from " + start.encode())
        lines += [
            f"M 100644 {blob} {path}".encode() if blob else f"D {path}".encode()
            for path, blob in edits.items()
        ]
        self._waiting.append((change, b"\n".join(lines) + b"\n\n"))

    def blobs(self, change: int, contents: list[bytes]) -> None:
        """All blobs that the commits of a change name."""
        for content in contents:
            self._out.write(b"blob\ndata %d\n" % len(content) + content + b"\n")
        self._written[change] = 1
        while self._waiting and self._written[self._waiting[0][0]]:
            self._out.write(self._waiting.popleft()[1])

    def finish(self) -> int:
        """Write the pack and the refs; the most memory that git used, in KiB.

        Never less than this program had when it started git: Linux counts that to the process.
        """
        assert not self._waiting
        self._out.write(b"done\n")
        self._out.close()
        if self._process.wait() != 0:
            raise SystemExit("git fast-import failed")
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


@dataclass
class Text:
    """A version of a change file, and what was signed on it."""

    raw: bytes
    blob: str
    sha256: str
    lines: list[bytes] = field(default_factory=list)
    entries: list[RecordSignOff] = field(default_factory=list)
    """The sign-offs as a record has them."""


@dataclass
class Case:
    """A change on its way."""

    number: int
    id: str
    rng: random.Random
    data: dict[str, Any]
    texts: list[Text] = field(default_factory=list)

    @property
    def text(self) -> Text:
        """The current one."""
        return self.texts[-1]

    def blobs(self) -> list[bytes]:
        """Every version of its file, and of the notes on them, each beside what it resembles."""
        found = [text.raw for text in self.texts]
        for text in self.texts:
            found += [join(text.lines[: count + 1]) for count in range(len(text.lines))]
        return found


def hours(rng: random.Random, least: float, most: float) -> int:
    """So many hours, in seconds."""
    return int(rng.uniform(least, most) * 3600)


class Maker:
    """Lets the changes of a company happen, each in its time."""

    def __init__(self, directory: Path, changes: int, seed: int) -> None:
        self._directory, self._changes, self._seed = directory, changes, seed
        self._keys = {person: Key.of(seed, person) for person in company.PEOPLE}
        span = max(_AT_LEAST, dt.timedelta(days=changes / _A_DAY))
        self._gap = span.total_seconds() / changes
        self._begin = int((_LAST - span).timestamp())
        self._clock = self._begin - 3600
        self._tree = NotesTree()
        self._notes = ""
        """The tip of the notes."""
        self.sign_offs = 0
        self._latest = 0
        """Number of the change that was requested last."""
        self.introduction = self._introduce()
        self._policy = git(directory, "rev-parse", f"{MAIN}:policy")
        self._stream = Import(directory, changes)
        self._start = f"{MAIN}^0"
        """What the first commit of the stream is made on top of; nothing for the others."""
        self._fates = self._choose_fates()

    # -- the whole ---------------------------------------------------------------------------

    def run(self) -> int:
        """Make all changes; the most memory that git used, in KiB."""
        # The next event of every change that is on its way, and of the next one to be requested.
        events: list[tuple[int, int, Iterator[int]]] = [self._born(0)]
        while events:
            self._clock, number, life = events[0]
            if (wait := next(life, None)) is None:
                heapq.heappop(events)
            else:
                heapq.heapreplace(events, (self._clock + wait, number, life))
            if number == self._latest and number + 1 < self._changes:
                heapq.heappush(events, self._born(number + 1))
        used = self._stream.finish()
        if git(self._directory, "for-each-ref", "--format=%(objectname)", NOTES) != self._notes:
            raise SystemExit("git made other notes than were reckoned here")
        return used

    def _born(self, number: int) -> tuple[int, int, Iterator[int]]:
        """The first event of a change."""
        self._latest = number
        at = self._begin + int(number * self._gap)
        day = dt.datetime.fromtimestamp(at, dt.UTC)
        # An odd factor: no two of the first million changes have the same letters.
        code = (number * 654_321 + self._seed * 7_919) & 0xFFFFF
        letters = "".join(ALPHABET[(code >> shift) & 31] for shift in (15, 10, 5, 0))
        change = f"CHG-{day:%Y%m%d}-{letters}"
        return at, number, self._life(number, change, self._fates.get(number, "documented"))

    def _choose_fates(self) -> dict[int, str]:
        """Which changes are not documented, and what became of them: the refused ones long ago, too."""
        rng = random.Random(f"{self._seed} fates")  # noqa: S311 - the same on every machine
        count = min(self._changes, max(len(_OPEN), round(self._changes * 0.07)))
        fates: dict[int, str] = {}
        recent = range(self._changes - min(self._changes, max(2 * count, self._changes // 5)), self._changes)
        for place in range(count):
            status = _OPEN[place % len(_OPEN)]
            among = range(self._changes) if status in _ENDED else recent
            number = rng.choice(among)
            while number in fates:
                number = rng.choice(among)
            fates[number] = status
        return fates

    def _introduce(self) -> str:
        """The introduction commit, with the policy that all is judged by; its id."""
        files = company.policy_files(self._seed)
        files["gitchange.toml"] = b'title = "Changes of a bench"\n'
        files[".gitattributes"], files[".gitignore"] = ATTRIBUTES, IGNORED
        who = self._who(company.ADMINISTRATOR)
        out = [
            b"commit %s\nauthor %s\ncommitter %s\ndata 20\nIntroduce gitchange\n" % (MAIN.encode(), who, who)
        ]
        out += [
            b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
            for path, content in files.items()
        ]
        git(self._directory, "fast-import", "--quiet", data=b"".join(out))
        return git(self._directory, "rev-parse", MAIN)

    # -- one change --------------------------------------------------------------------------

    def _life(self, number: int, change: str, fate: str) -> Iterator[int]:
        """What happens to one change, in order; gives the seconds until the next thing happens."""
        rng = random.Random(f"{self._seed} {number}")  # noqa: S311 - the same on every machine
        # What is not documented is of the type in which every status can be.
        kind = company.kind_of(rng) if fate == "documented" else "normal"
        requester = rng.choice(company.ROLES[rng.choices(("developer", "system-user"), (4, 1))[0]])
        at = dt.datetime.fromtimestamp(self._clock, dt.UTC)
        case = Case(number, change, rng, company.request(rng, change, kind, requester, at))
        self._write(
            case, requester, f"Request {change}: {case.data['title']}\n\n", witness=rng.random() < 0.7
        )
        try:
            for _ in range(rng.choices((0, 1, 2), (55, 30, 15))[0]):
                yield hours(rng, 0.5, 20)
                self._edit(case)
            if fate in ("requested", "info-requested", *_ENDED):
                yield from self._refused(case, fate)
            else:
                yield from self._evaluated(case)
                yield from self._done(case, fate)
        finally:
            self._stream.blobs(number, case.blobs())

    def _refused(self, case: Case, fate: str) -> Iterator[int]:
        """A change that is not, or not yet, wanted."""
        rng = case.rng
        manager = rng.choice(company.ROLES["change-manager"])
        if rng.random() < 0.3:  # approved once, as another text
            yield hours(rng, 1, 70)
            self._sign(case, manager, "change-manager", "approve")
            yield hours(rng, 1, 30)
            self._edit(case)
        yield hours(rng, 1, 70)
        if fate == "withdrawn":
            requester = case.data["requester"]
            role = "developer" if requester in company.ROLES["developer"] else "system-user"
            self._sign(case, requester, role, "withdraw")
        elif fate != "requested":
            self._sign(case, manager, "change-manager", "reject" if fate == "rejected" else "request-info")

    def _evaluated(self, case: Case) -> Iterator[int]:
        """The way to an approval of the text as it then is; emergencies are implemented before it."""
        rng = case.rng
        manager = rng.choice(company.ROLES["change-manager"])
        detour = rng.random() if case.data["type"] == "normal" else 1.0
        if detour < 0.14:
            yield hours(rng, 1, 70)
            verdict: VerdictName = (
                "approve" if detour < 0.08 else "request-info" if detour < 0.12 else "reject"
            )
            self._sign(case, manager, "change-manager", verdict)
            yield hours(rng, 1, 40)
            self._edit(case)
        if case.data["type"] == "emergency":
            yield hours(rng, 0.2, 2)
            self._sign(case, rng.choice(company.ROLES["developer"]), "developer", "implement")
        for role in company.evaluating_roles(case.data):
            yield hours(rng, 1, 50)
            person = manager if role == "change-manager" else rng.choice(company.ROLES[role])
            self._sign(case, person, role, "approve")

    def _done(self, case: Case, fate: str) -> Iterator[int]:
        """From the approval as far as it came."""
        rng = case.rng
        if fate == "approved":
            return
        developer = rng.choice(company.ROLES["developer"])
        user = rng.choice([who for who in company.ROLES["system-user"] if who != case.data["requester"]])
        ends_well = fate == "documented"
        if case.data["type"] != "emergency":
            yield hours(rng, 2, 200)
            self._sign(case, developer, "developer", "implement")
        if fate == "implemented":
            return
        trouble = rng.random() if ends_well else 1.0
        if fate == "failed" or trouble < 0.03:
            yield hours(rng, 1, 60)
            self._sign(case, user, "system-user", "fail")
            if fate == "failed":
                return
            yield hours(rng, 1, 60)
            self._sign(case, developer, "developer", "implement")
        backed_out = 0.03 <= trouble < 0.04
        if backed_out:
            yield hours(rng, 1, 60)
            self._sign(case, developer, "developer", "back-out")
        yield hours(rng, 1, 60)
        self._sign(case, user, "system-user", "validate")
        if ends_well:
            yield hours(rng, 0.2, 90)
            self._document(case, "backed-out" if backed_out else "successful")

    # -- what people write -------------------------------------------------------------------

    def _who(self, person: str) -> bytes:
        """Author or committer, now."""
        name = person.partition("@")[0].capitalize()
        return f"{name} <{person}> {self._clock} +0000".encode()

    def _write(
        self, case: Case, author: str, message: str, *, witness: bool, record: bytes | None = None
    ) -> None:
        """Commit the change's file: its record, or else its request as the data now says."""
        raw = record if record is not None else write_change(case.data)
        text = Text(raw, object_id("blob", raw).hex(), hashlib.sha256(raw).hexdigest())
        case.texts.append(text)
        trailers = f"Change: {case.id}\n" + (f"{TRAILER}: {self._notes}\n" if self._notes else "")
        said = message + (trailers if witness else "")
        start, self._start = self._start, ""
        edits = {path_of(case.id): text.blob}
        self._stream.commit(case.number, MAIN, self._who(author), said.encode(), edits, start)

    def _edit(self, case: Case) -> None:
        """Somebody, often not the requester, edits the request."""
        rng = case.rng
        author = case.data["requester"] if rng.random() < 0.4 else rng.choice(company.ROLES["developer"])
        case.data = company.edited(rng, case.data, len(case.texts))
        self._write(case, author, f"Edit {case.id} after review\n", witness=False)

    def _sign(self, case: Case, by: str, role: str, verdict: VerdictName) -> None:
        """A sign-off on the current text, by somebody who has seen all that was signed before."""
        text, step = case.text, _STEPS[verdict]
        comment = company.sentence(case.rng)
        moment = dt.datetime.fromtimestamp(self._clock, dt.UTC)
        answers = self._answers(case, verdict)
        said = Predicate(
            change=case.id,
            step=step,
            verdict=verdict,
            by=by,
            role=role,
            meaning=MEANINGS[verdict],
            answers=answers,
            comment=comment,
            repository=self.introduction,
            policy=self._policy,
            log=self._notes or None,
            time=f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        )
        payload = write_statement(path_of(case.id), text.blob, text.sha256, said)
        _, signature = self._keys[by].sign(pae(PAYLOAD_TYPE, payload))
        key = name_of_key(signature)
        line = Envelope(PAYLOAD_TYPE, payload, key, signature).to_line()
        text.lines.append(line)
        text.entries.append(
            RecordSignOff(
                step=step,
                verdict=verdict,
                by=by,
                role=role,
                time=moment,
                key=key,
                meaning=MEANINGS[verdict],
                comment=comment,
                answers=answers,
                envelope=line.decode(),
            )
        )
        message = f"{verdict} {case.id} by {by} as {role}\n\n{case.data['title']}\n"
        self._keep(case, object_id("blob", join(text.lines)), self._who(by), message.encode())
        self.sign_offs += 1

    def _keep(self, case: Case, note: bytes, who: bytes, message: bytes) -> None:
        """A notes commit in which the current text has this note."""
        tree, edits = self._tree.put(case.text.blob, note)
        self._stream.commit(case.number, NOTES, who, message, edits)
        parent = b"parent %s\n" % self._notes.encode() if self._notes else b""
        head = b"tree %s\n%sauthor %s\ncommitter %s\n\n" % (tree.hex().encode(), parent, who, who)
        self._notes = object_id("commit", head + message).hex()

    @staticmethod
    def _answers(case: Case, verdict: VerdictName) -> Answers:
        """The answers to the questions of the step."""
        rng = case.rng
        match verdict:
            case "approve":
                return Answers(necessary=True, feasible=True, safe=True)
            case "reject":
                return Answers(necessary=rng.random() < 0.5, feasible=True, safe=False)
            case "implement":
                followed = rng.random() < 0.9
                commit = CommitReference(
                    system=case.data["systems"][0], commit=f"{rng.getrandbits(160):040x}"
                )
                tests = [
                    TestResult(name=name, result="passed") for name in company.checks(rng, rng.randint(1, 3))
                ]
                return Answers(
                    steps_followed=followed,
                    deviations=None if followed else company.sentence(rng),
                    commits=(commit,),
                    tests=tuple(tests),
                )
            case "validate":
                evidence = tuple(company.checks(rng, rng.randint(1, 2)))
                return Answers(works=True, no_security_risk=True, evidence=evidence)
            case "fail":
                return Answers(works=False, no_security_risk=True)
        return Answers()

    def _document(self, case: Case, outcome: Outcome) -> None:
        """Append the record: every sign-off on the current text that counts, in the order of the steps."""
        rng, text = case.rng, case.text
        by = rng.choice(company.PEOPLE)
        counting = [
            entry
            for step in ("evaluation", "implementation", "validation")
            for entry in text.entries
            if entry.step == step and entry.verdict != "fail"
        ]
        if outcome == "backed-out":  # of an implementation that is gone only the back-out counts
            counting = [entry for entry in counting if entry.verdict != "implement"]
        summary = company.sentence(rng)
        record = Record(
            outcome=outcome,
            summary=summary,
            lessons=company.sentence(rng) if rng.random() < 0.3 else None,
            documented_by=by,
            time=dt.datetime.fromtimestamp(self._clock, dt.UTC),
            request_bytes=len(text.raw),
            request_blob=text.blob,
            request_sha256=text.sha256,
            sign_offs=tuple(counting),
        )
        message = f"Document {case.id}: {case.data['title']}\n\n{outcome}: {summary}\n\n"
        raw = append_record(text.raw, record)
        self._write(case, by, message, witness=True, record=raw)


def make(directory: Path, changes: int, seed: int = 1, *, bare: bool = False) -> tuple[Maker, int]:
    """Make the repository in a folder that is not there yet; the maker, and git's most memory in KiB."""
    if directory.exists():
        raise SystemExit(f"{directory} is there already")
    git(Path(), "init", "--quiet", "--initial-branch=main", *(["--bare"] if bare else []), str(directory))
    maker = Maker(directory, changes, seed)
    used = maker.run()
    keys = Path(git(directory, "rev-parse", "--absolute-git-dir")) / KEYS
    keys.mkdir(mode=0o700)
    for person in company.PEOPLE:
        key = Key.of(seed, person)
        file = keys / person.partition("@")[0]
        file.touch(0o600)
        file.write_bytes(key.file)
        file.with_suffix(".pub").write_text(f"{key.public} {person}\n")
    signer = company.ROLES["change-manager"][0]
    for name, value in {
        "gitchange.introduction": maker.introduction,
        SEED: str(seed),
        "user.name": signer.partition("@")[0].capitalize(),
        "user.email": signer,
        "gpg.format": "ssh",
        "user.signingkey": str(keys / signer.partition("@")[0]),
    }.items():
        git(directory, "config", name, value)
    if not bare:
        git(directory, "reset", "--quiet", "--hard")
    return maker, used


def main() -> int:
    """Make it, and say what it took."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench make", description="Makes a repository to measure with."
    )
    parser.add_argument("changes", metavar="N", type=int, help="how many changes")
    parser.add_argument("directory", metavar="DIR", type=Path, help="where; it must not be there yet")
    parser.add_argument("--seed", type=int, default=1, help="another one makes another company")
    parser.add_argument("--bare", action="store_true", help="without a work tree")
    given = parser.parse_args()
    if given.changes < 1:
        parser.error("N is at least 1")
    began = time.perf_counter()
    maker, used = make(given.directory, given.changes, given.seed, bare=given.bare)
    seconds = time.perf_counter() - began
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    objects = Path(git(given.directory, "rev-parse", "--absolute-git-dir")) / "objects"
    size = sum(file.stat().st_size for file in objects.rglob("*") if file.is_file())
    commits = git(given.directory, "rev-list", "--count", "main")
    print(f"changes      {given.changes:>10,}")
    print(f"commits      {int(commits):>10,}  of the branch of record")
    print(f"sign-offs    {maker.sign_offs:>10,}  (as many notes commits)")
    print(f"time         {seconds:>10.1f} s")
    print(f"memory       {own / 1024:>10.0f} MiB  this program, and git {used / 1024:.0f} MiB")
    print(f"objects      {size / 1e6:>10.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
