"""No byte of the evidence can change unnoticed: envelopes, records and change files, position by position."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from gitchange.assessment.assess import Assessor
from gitchange.assessment.overview import Assessment
from gitchange.git.repository import FILE, Person, Repository
from gitchange.ledger import notes
from gitchange.ledger.notes import Notes
from gitchange.ledger.records import check_record, text_of
from gitchange.ledger.signoffs import Authenticator, Doubt, Text
from gitchange.model.change import parse_change
from tests.company import git

from .conftest import Scene, copied

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
WHO = Person("Mallory", "mallory@example.org", NOW)
PARTS = 4
"""Each long row of positions is cut into so many tests, which run side by side."""

Stages = Callable[[str], Scene]


class Bench:
    """A repository of its own, in which anything may be changed; each try starts from the same commit."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.repository = Repository.open(scene.repo)
        self.assessor = Assessor(self.repository, NOW)
        self.blob = git(scene.repo, "rev-parse", f"HEAD:{scene.path}")
        self.tip = self.assessor.notes.commit
        self.raw = scene.file.read_bytes()
        self.head = git(scene.repo, "rev-parse", "HEAD")

    def with_note(self, note: bytes) -> Assessment:
        """The change judged with another note on its text."""
        blob = self.repository.write_blob(note)
        tree = self.repository.edit_tree(None, {self.blob: (blob, FILE)})
        commit = self.repository.write_commit(tree, (self.tip,) if self.tip else (), "notes\n", WHO, WHO)
        self.assessor.notes = Notes(self.repository, commit)
        return self.assessor.one(self.scene.change)

    def with_file(self, raw: bytes, parent: str, message: str = "Edit\n") -> Assessment:
        """The change judged with another text, committed on top of a commit."""
        tree = self.repository.edit_tree(
            self.repository.tree_of(parent), {self.scene.path: (self.repository.write_blob(raw), FILE)}
        )
        self.move(self.repository.write_commit(tree, (parent,), message, WHO, WHO))
        return Assessor(self.repository, NOW).one(self.scene.change)

    def move(self, commit: str) -> None:
        """Move the branch of record, as somebody who may push by force can."""
        main = "refs/heads/main"
        self.repository.set_ref(main, commit, self.repository.ref(main), "test")


@pytest.fixture(scope="session")
def bench(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Bench]:
    """A bench for each stage."""
    made: dict[str, Bench] = {}

    def at(stage: str) -> Bench:
        if stage not in made:
            base = "approved" if stage == "rejected" else stage
            scene = copied(stages(base), tmp_path_factory.mktemp(stage) / "company")
            if stage == "rejected":
                scene.company.must("mo", "reject", scene.change, "-m", "Too risky.")
            made[stage] = Bench(scene)
        return made[stage]

    return at


def flipped(data: bytes, positions: range, mask: int) -> Iterator[tuple[int, bytes]]:
    for position in positions:
        yield position, data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]


def part(length: int, number: int) -> range:
    return range(number, length, PARTS)


def errors(assessment: Assessment) -> list[str]:
    return [f.message for f in assessment.findings if f.severity == "error"]


# -- envelopes ------------------------------------------------------------------------------------


def test_untouched_evidence_is_accepted(bench: Callable[[str], Bench]) -> None:
    """The benches themselves are sound: unchanged, the evidence gives the verdicts that it should."""
    one = bench("approved")
    assert one.with_note(notes.join(one.assessor.notes.lines(one.blob))).status == "approved"
    other = bench("rejected")
    assert (
        other.with_note(notes.join(Notes(other.repository, other.tip).lines(other.blob))).status == "rejected"
    )
    documented = bench("documented")
    assert documented.with_file(documented.raw, documented.head).status == "documented"


@pytest.mark.parametrize("number", range(PARTS))
def test_flipped_byte_of_an_approval(bench: Callable[[str], Bench], number: int) -> None:
    """An approval in which any one byte is another approves nothing, and an error names the line."""
    place = bench("approved")
    (line,) = Notes(place.repository, place.tip).lines(place.blob)
    for position, note in flipped(line + b"\n", part(len(line), number), 1):
        assessment = place.with_note(note)
        assert assessment.status == "requested", (position, note)
        assert assessment.sign_offs == ()
        assert any(message.startswith("sign-off ") for message in errors(assessment)), position


@pytest.mark.parametrize("number", range(PARTS))
def test_flipped_byte_of_a_refusal(bench: Callable[[str], Bench], number: int) -> None:
    """A refusal in which any one byte is another still withholds the approval beside it: it is not ignored."""
    place = bench("rejected")
    good, bad = sorted(
        Notes(place.repository, place.tip).lines(place.blob), key=lambda line: b"InJlamVjdC" in line
    )
    judged = [place.with_note(notes.join([one])).status for one in (good, bad)]
    if judged != ["approved", "rejected"]:
        good, bad = bad, good
    for position, note in flipped(bad + b"\n", part(len(bad), number), 1):
        assessment = place.with_note(notes.join([good]) + note)
        assert assessment.status == "requested", (position, note)
        assert "in doubt" in assessment.verdict.flags if assessment.verdict else False
        assert any(message.startswith("sign-off ") for message in errors(assessment)), position
        assert [s.verdict for s in assessment.sign_offs] == ["approve"]


def _authenticator(place: Bench) -> tuple[Authenticator, Text]:
    policy = place.assessor.policy
    assert policy is not None
    change = parse_change(place.raw, place.scene.path).change
    assert change is not None
    text = text_of(place.repository, place.raw, change)
    return Authenticator(place.repository, place.assessor.ground.introduction, policy, NOW), text


def test_every_flipped_bit_of_an_envelope(bench: Callable[[str], Bench]) -> None:
    """Each single bit of an envelope's line counts: with any one flipped the line is no sign-off, nor harmless."""
    place = bench("approved")
    (line,) = Notes(place.repository, place.tip).lines(place.blob)
    authenticator, text = _authenticator(place)
    assert not isinstance(authenticator.authenticate(line, text), Doubt)
    for mask in (1 << bit for bit in range(8)):
        for position, changed in flipped(line, range(len(line)), mask):
            judged = authenticator.authenticate(changed, text)
            assert isinstance(judged, Doubt), (position, mask, line[:position], changed[position:])
            assert not judged.intact, (position, mask)


@pytest.mark.parametrize("value", [0x00, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x41, 0x3D, 0x7D, 0xFF])
def test_every_byte_of_an_envelope_replaced(bench: Callable[[str], Bench], value: int) -> None:
    """Whatever stands in the place of a byte, the line is a doubt: also where it now is two lines."""
    place = bench("approved")
    (line,) = Notes(place.repository, place.tip).lines(place.blob)
    authenticator, text = _authenticator(place)
    for position in range(len(line)):
        if line[position] == value:
            continue
        note = line[:position] + bytes([value]) + line[position + 1 :]
        for piece in notes.split(note):
            judged = authenticator.authenticate(piece, text)
            assert isinstance(judged, Doubt), (position, piece)
            assert not judged.intact


@pytest.mark.parametrize("number", range(PARTS))
def test_envelope_with_a_byte_less_or_more(bench: Callable[[str], Bench], number: int) -> None:
    """A byte that is missing, doubled or added anywhere makes the line a doubt."""
    place = bench("approved")
    (line,) = Notes(place.repository, place.tip).lines(place.blob)
    authenticator, text = _authenticator(place)
    for position in part(len(line) + 1, number):
        head, rest = line[:position], line[position:]
        for changed in (
            head,
            head + rest[1:],
            head + rest[:1] + rest,
            head + b" " + rest,
            head + b"\0" + rest,
        ):
            if changed != line:
                judged = authenticator.authenticate(changed, text)
                assert isinstance(judged, Doubt), (position, changed)
                assert not judged.intact


@pytest.mark.parametrize("extra", [b"", b" ", b"\r", b"nonsense", b"{}", b"\xff\xfe", b"[" * 5000, b"null"])
def test_bad_line_beside_a_good_one(bench: Callable[[str], Bench], extra: bytes) -> None:
    """A line that is no envelope withholds approval, is named, and takes no good line with it."""
    place = bench("approved")
    (line,) = Notes(place.repository, place.tip).lines(place.blob)
    for note in (line + b"\n" + extra + b"\n", extra + b"\n" + line + b"\n", extra + b"\n" + line):
        assessment = place.with_note(note)
        assert assessment.status == "requested"
        assert [s.verdict for s in assessment.sign_offs] == ["approve"]
        assert errors(assessment)


# -- change files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(PARTS))
def test_flipped_byte_of_an_approved_file(bench: Callable[[str], Bench], number: int) -> None:
    """An approved change file in which any one byte is another is not approved: stale, or unreadable."""
    place = bench("approved")
    for position, raw in flipped(place.raw, part(len(place.raw), number), 1):
        assessment = place.with_file(raw, place.head)
        assert assessment.status in ("requested", "unreadable"), (position, raw)
        if assessment.status == "unreadable":
            assert any(f.path == place.scene.path and f.severity == "error" for f in assessment.findings)
        else:
            assert any(f.code == "approval.stale" or f.severity == "error" for f in assessment.findings)
            assert assessment.verdict is not None
            assert {"stale approval", "in doubt"} & set(assessment.verdict.flags), position


@pytest.mark.parametrize("added", [b"\n", b" ", b"# x\n", b"\r\n", b"\0", "\ufeff".encode()])
def test_byte_added_to_an_approved_file(bench: Callable[[str], Bench], added: bytes) -> None:
    """White space and comments are part of what was approved."""
    place = bench("approved")
    for raw in (place.raw + added, added + place.raw, place.raw.replace(b"\n", b"\r\n")):
        assert place.with_file(raw, place.head).status in ("requested", "unreadable")


# -- records --------------------------------------------------------------------------------------

UNSIGNED = ("outcome", "summary", "lessons", "documented_by", "time")
"""What `document` was told: open to any member, signed by nobody (docs/adr/0006-the-record.md)."""


def unsigned_positions(raw: bytes) -> dict[int, str]:
    """Positions of the record's unsigned values, with the field's name."""
    start = raw.index(b"\n[record]\n") + len(b"\n[record]\n")
    end = raw.index(b"\n[[record.sign_offs]]\n")
    found: dict[int, str] = {}
    position = start
    for line in raw[start:end].split(b"\n"):
        name = line.partition(b" =")[0].decode()
        if name in UNSIGNED:
            found |= dict.fromkeys(range(position + len(name), position + len(line) + 1), name)
        position += len(line) + 1
    return found


def envelope_positions(raw: bytes) -> Iterator[int]:
    """Positions inside the envelopes of a record."""
    position = 0
    for line in raw.split(b"\n"):
        if b'{"payloadType"' in line or b'{\\"payloadType' in line:
            yield from range(position, position + len(line))
        position += len(line) + 1


@pytest.mark.parametrize("number", range(PARTS))
def test_flipped_byte_of_a_record_after_it_was_written(bench: Callable[[str], Bench], number: int) -> None:
    """A documented file that is edited later, in whatever byte, is not documented any more."""
    place = bench("documented")
    for position in range(
        number, len(place.raw), PARTS * 8
    ):  # the file is long, and the answer one comparison
        raw = place.raw[:position] + bytes([place.raw[position] ^ 1]) + place.raw[position + 1 :]
        assessment = place.with_file(raw, place.head)
        assert assessment.status != "documented", (position, raw[position - 20 : position + 20])
        named = {f.code for f in assessment.findings if f.severity == "error"}
        assert named, position
        if assessment.verdict is not None:
            assert named & {"record.edited", "record.removed"}, (position, named)


@pytest.mark.parametrize("mask", [0x01, 0x02, 0x20])
def test_flipped_byte_of_a_record_in_a_rewritten_history(bench: Callable[[str], Bench], mask: int) -> None:
    """Who rewrites the recording commit can change what nobody signed, and not one byte of anything else."""
    place = bench("documented")
    authenticator, _ = _authenticator(place)
    head = place.repository.commit(place.head)
    allowed = unsigned_positions(place.raw)
    unnoticed: dict[int, str] = {}
    refused: list[tuple[int, bytes]] = []
    envelopes = set(envelope_positions(place.raw)) if mask > 1 else set()
    for position, raw in flipped(place.raw, range(len(place.raw)), mask):
        if position in envelopes and position % 24:  # bits of envelopes have a test of their own
            continue
        parsed = parse_change(raw, place.scene.path)
        if parsed.change is None or parsed.change.record is None:
            refused.append((position, raw))
            continue
        text = text_of(place.repository, raw, parsed.change)
        _, problems = check_record(raw, parsed, text, authenticator)
        if problems:
            refused.append((position, raw))
            continue
        assessment = place.with_file(raw, head.parents[0], head.message)
        if assessment.status == "documented":
            unnoticed[position] = allowed.get(position, "SIGNED")
        else:
            assert errors(assessment), position
    assert {name for name in unnoticed.values() if name == "SIGNED"} == set(), [
        (position, place.raw[position - 30 : position + 10])
        for position, name in unnoticed.items()
        if name == "SIGNED"
    ]
    assert {"summary", "lessons"} <= set(unnoticed.values())
    # The judge of a whole change refuses what the check of its record refuses: every fortieth is tried.
    for position, raw in refused[::100]:
        assessment = place.with_file(raw, head.parents[0], head.message)
        assert assessment.status != "documented", position
        assert errors(assessment), position


def test_another_outcome_in_a_rewritten_history(bench: Callable[[str], Bench]) -> None:
    """The outcome is signed by nobody, but `backed-out` is refused where nobody signed a back-out."""
    place = bench("documented")
    head = place.repository.commit(place.head)
    for outcome, expected in ((b"partly", True), (b"backed-out", False), (b"fine", False)):
        raw = place.raw.replace(b'outcome = "successful"', b'outcome = "%b"' % outcome)
        assert raw != place.raw
        assessment = place.with_file(raw, head.parents[0], head.message)
        assert (assessment.status == "documented") is expected, outcome


@pytest.mark.parametrize("wrong", ["left out", "twice", "swapped", "of another change", "nothing"])
def test_sign_offs_of_a_record(bench: Callable[[str], Bench], wrong: str) -> None:
    """A record whose sign-offs are not exactly those that complete the steps documents nothing."""
    place = bench("documented")
    head = place.repository.commit(place.head)
    start = b"\n[[record.sign_offs]]\n"
    record, *entries = place.raw.split(start)
    match wrong:
        case "left out":
            variants = [entries[:i] + entries[i + 1 :] for i in range(len(entries))]
        case "twice":
            variants = [[*entries, entry] for entry in entries]
        case "swapped":
            variants = [[entries[0], entries[1].replace(b"bo@", b"cy@"), entries[2]]]
        case "of another change":
            place.move(place.head)
            git(place.scene.repo, "reset", "--quiet", "--hard")
            other = place.scene.company.documented()
            file = place.scene.repo / place.scene.path.replace(place.scene.change, other)
            variants = [file.read_bytes().split(start)[1:]]
        case _:
            variants = [[]]
    for variant in variants:
        raw = start.join([record, *variant])
        assessment = place.with_file(raw, head.parents[0], head.message)
        assert assessment.status != "documented", wrong
        assert errors(assessment)
