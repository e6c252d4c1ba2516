"""One byte flipped in any Git object: refused, told, or nothing that matters is another.

A repository with a documented, an approved and a rejected change. Two kinds of flips:

- *in place*: the object's bytes are others under the same id, as a broken disk makes them;
- *rewritten*: the object gets its new id, and so does everything that names it, up to the refs, as somebody
  with push access would do it. The introduction and what came before it stay: it is pinned.

What may be another while `verify` says ok: names, addresses, times and messages of commits, and what nobody
signed in a record. What never may: a better status, a sign-off that was not there, another person credited
with one, or a refusal that is gone without a word. `GITCHANGE_TEST_FLIPS=20000` tries that many.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gitchange.assessment.assess import Assessor
from gitchange.assessment.verification import verify_repository
from gitchange.errors import GitchangeError
from gitchange.git.repository import Repository
from tests.company import found, git

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NOTES = "refs/notes/gitchange/approvals"
MAIN = "refs/heads/main"
FLIPS = int(os.environ.get("GITCHANGE_TEST_FLIPS", "150"))

tries = settings(max_examples=FLIPS, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Answers:
    """What `verify` and `list` say."""

    verdict: str
    statuses: dict[str, str]
    sign_offs: dict[str, frozenset[tuple[str, str, str, bool]]]
    """Of each change: digest, person, verdict, and whether it counts."""
    told: frozenset[str]
    """Codes of errors and warnings."""


class Bench:
    """The repository's objects, and what is answered when some are others."""

    def __init__(self, folder: Path, introduction: str) -> None:
        self.folder = folder
        self.introduction = introduction
        self.refs = {ref: git(folder, "rev-parse", ref) for ref in (MAIN, NOTES)}
        listed = git(folder, "cat-file", "--batch-check", "--batch-all-objects").splitlines()
        self.kinds = {line.split()[0]: line.split()[1] for line in listed}
        self.raw = {
            oid: subprocess.run(
                ["git", "-C", str(folder), "cat-file", kind, oid], capture_output=True, check=True
            ).stdout
            for oid, kind in self.kinds.items()
        }
        before = set(git(folder, "rev-list", introduction).split())
        # What the commits since the introduction hold; much of it the introduction holds too.
        later = git(folder, "rev-list", *self.refs, f"^{introduction}").split()
        trees = {line.split()[2] for c in later for line in git(folder, "ls-tree", "-rt", c).splitlines()}
        self.objects = sorted({*later, *trees, *(git(folder, "rev-parse", f"{c}^{{tree}}") for c in later)})
        self.kept = before
        self.base = self.answers()

    def answers(self) -> Answers | None:
        """What is answered now; None when it was refused. Any other error than ours would be a crash."""
        try:
            assessor = Assessor(Repository.open(self.folder), NOW, introduction=self.introduction)
            done = verify_repository(assessor)
            assessed = assessor.all()
        except GitchangeError:
            return None
        return Answers(
            done.verdict,
            {a.id: a.status for a in assessed},
            {
                a.id: frozenset((s.digest, s.by, s.verdict, a.counts(s)) for s in a.sign_offs)
                for a in assessed
            },
            frozenset(f.code for f in done.findings if f.severity != "note"),
        )

    def place(self, oid: str) -> Path:
        """Where a loose object lies."""
        return self.folder / "objects" / oid[:2] / oid[2:]

    def write(self, kind: str, data: bytes) -> str:
        """Store an object, whatever its bytes."""
        whole = b"%b %d\0%b" % (kind.encode(), len(data), data)
        oid = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        target = self.place(oid)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(zlib.compress(whole, 1))
        return oid

    @contextmanager
    def in_place(self, oid: str, data: bytes) -> Iterator[None]:
        """The object has other bytes under its old id."""
        target = self.place(oid)
        good = target.read_bytes()
        target.chmod(0o644)
        target.write_bytes(zlib.compress(b"%b %d\0%b" % (self.kinds[oid].encode(), len(data), data), 1))
        try:
            yield
        finally:
            target.write_bytes(good)

    @contextmanager
    def rewritten(self, oid: str, data: bytes, *, everywhere: bool) -> Iterator[None]:
        """The object has its new id, and what names it is written anew.

        `everywhere` is whether names of notes and trailers follow too, which a careful forger does.
        """
        known: dict[str, str] = {}

        def new(old: str) -> str:
            if old not in known:
                known[old] = old if old in self.kept else rewritten(old)
            return known[old]

        def mapped(match: re.Match[bytes]) -> bytes:
            name = match[0].decode()
            return new(name).encode() if name in self.kinds else match[0]

        def rewritten(old: str) -> str:
            kind, raw = self.kinds[old], data if old == oid else self.raw[old]
            if kind == "tree" and old != oid:
                raw = b"".join(
                    b"%b %b\0%b"
                    % (mode, self._renamed(name, known, new, everywhere), bytes.fromhex(new(inner)))
                    for mode, name, inner in _entries(raw)
                )
            elif kind == "commit" and old != oid:
                head, _, message = raw.partition(b"\n\n")
                head = re.sub(rb"(?<=^tree )\w{40}|(?<=^parent )\w{40}", mapped, head, flags=re.MULTILINE)
                if everywhere:
                    message = re.sub(rb"(?<=^Approvals: )\w{40}", mapped, message, flags=re.MULTILINE)
                raw = head + b"\n\n" + message
            return self.write(kind, raw) if raw != self.raw[old] else old

        # The flipped object first, so that everything else finds it.
        known[oid] = self.write(self.kinds[oid], data)
        tips = {ref: new(tip) for ref, tip in self.refs.items()}
        assert (tips != self.refs) == (data != self.raw[oid])
        try:
            for ref, tip in tips.items():
                (self.folder / ref).write_text(tip + "\n")
            yield
        finally:
            for ref, tip in self.refs.items():
                (self.folder / ref).write_text(tip + "\n")

    @staticmethod
    def _renamed(name: bytes, known: dict[str, str], new: object, everywhere: bool) -> bytes:
        """A note is named by what it is on; a forger lets the name follow the text."""
        return known.get(name.decode("utf-8", "replace"), "").encode() or name if everywhere else name


def _entries(tree: bytes) -> Iterator[tuple[bytes, bytes, str]]:
    while tree:
        head, _, rest = tree.partition(b"\0")
        mode, _, name = head.partition(b" ")
        yield mode, name, rest[:20].hex()
        tree = rest[20:]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A small repository of loose objects, bare."""
    root = tmp_path_factory.mktemp("flips")
    company = found(root)
    documented = company.documented()
    approved, rejected = company.request(), company.request()
    company.must("ada", "approve", approved, "--yes")
    company.must("ada", "approve", rejected, "--yes")
    company.must("mo", "reject", rejected, "-m", "not on a Friday")
    company.must("ada", "seal")
    bare = root / "bare.git"
    shutil.copytree(company.repo / ".git", bare)
    git(bare, "config", "core.bare", "true")
    made = Bench(bare, git(company.repo, "config", "gitchange.introduction"))
    assert made.base is not None
    assert made.base.statuses == {documented: "documented", approved: "approved", rejected: "rejected"}
    assert (made.base.verdict, made.base.told) == ("ok", frozenset())
    return made


def judged(bench: Bench, what: str) -> str:
    """The answers are no better than before the flip; what became of them, in a word."""
    base, after = bench.base, bench.answers()
    assert base is not None
    if after is None:
        return "refused"
    if after.verdict != "ok":
        assert after.told, what
        return "found"
    # Nothing was found: then nobody is credited with what they did not sign, ...
    assert after.statuses.keys() == base.statuses.keys(), what
    for change, status in after.statuses.items():
        was = base.statuses[change]
        assert {s[:3] for s in after.sign_offs[change]} <= {s[:3] for s in base.sign_offs[change]}, what
        # ... no status is another, unless it fell back to the beginning, and somebody says why, ...
        if status != was:
            assert status == "requested", (what, was, status)
            assert after.told, (what, was, status)
        # ... and what counts is what counted.
        else:
            assert after.sign_offs[change] == base.sign_offs[change], what
    return "the same" if after == base else "fallen back" if after.statuses != base.statuses else "told"


def flipped(bench: Bench, data: st.DataObject) -> tuple[str, bytes, str]:
    """An object, its bytes with one of them flipped, and words about it."""
    oid = data.draw(st.sampled_from(bench.objects), label="object")
    raw = bench.raw[oid]
    position = data.draw(st.integers(0, max(len(raw) - 1, 0)), label="position")
    mask = data.draw(st.integers(1, 255), label="mask")
    changed = raw[:position] + bytes([raw[position] ^ mask]) + raw[position + 1 :]
    around = raw[max(position - 20, 0) : position + 20]
    return oid, changed, f"{bench.kinds[oid]} {oid[:12]} at {position} by {mask:#x}: {around!r}"


@tries
@given(data=st.data())
def test_an_object_of_the_repository_with_a_flipped_byte(bench: Bench, data: st.DataObject) -> None:
    """Whoever writes any object anew with one byte flipped, and everything that names it, gains nothing."""
    oid, changed, what = flipped(bench, data)
    everywhere = data.draw(st.booleans(), label="names and trailers follow")
    with bench.rewritten(oid, changed, everywhere=everywhere):
        event(f"{bench.kinds[oid]}: {judged(bench, what)}")
    assert bench.base is not None


@tries
@given(data=st.data())
def test_an_object_with_a_flipped_byte_under_its_old_id(bench: Bench, data: st.DataObject) -> None:
    """An object whose bytes are not those of its id is refused, or was not needed."""
    oid, changed, what = flipped(bench, data)
    with bench.in_place(oid, changed):
        event(f"{bench.kinds[oid]}: {judged(bench, what)}")


def test_the_bench_is_sound(bench: Bench) -> None:
    """Writing everything anew without a flip changes no answer."""
    with bench.rewritten(bench.objects[0], bench.raw[bench.objects[0]], everywhere=True):
        assert bench.answers() == bench.base
    assert {bench.kinds[oid] for oid in bench.objects} == {"blob", "tree", "commit"}


def test_another_beginning_is_refused(bench: Bench) -> None:
    """Who writes the introduction itself anew has another repository than the one that was pinned."""
    raw = bench.raw[bench.introduction]
    kept, bench.kept = bench.kept, set()
    try:
        with bench.rewritten(bench.introduction, raw + b"\n", everywhere=True):
            assert bench.answers() is None
    finally:
        bench.kept = kept
