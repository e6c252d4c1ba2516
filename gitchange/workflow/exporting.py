"""`export`: the evidence of some changes as a zip that needs neither gitchange nor a repository.

Everything that is told about a change is written beside the bytes that it rests on, and beside the Git objects that
tie those bytes to one commit, the tip of the branch of record. `evidence/verify.sh` in this package, which goes into
the zip, checks it all with stock tools; what that proves, and what it cannot, says `evidence/VERIFY.md`.

The same commits give the same files, in any clone and on any day.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from pathlib import Path

from gitchange.assessment.shapes import show_json
from gitchange.assessment.verification import verify_repository
from gitchange.errors import GitchangeError, UsageError
from gitchange.ledger import documents
from gitchange.ledger.records import request_of
from gitchange.ledger.signoffs import Text, names_of
from gitchange.ledger.timeline import APPROVALS
from gitchange.model import identifiers
from gitchange.model import policy as policies
from gitchange.model.evidence import SignOff
from gitchange.site.differences import hunks
from gitchange.site.markdown import plain
from gitchange.site.printable import Printer
from gitchange.values import Value
from gitchange.workflow import moments, sampling
from gitchange.workflow.proofs import Proofs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.overview import Assessment
    from gitchange.assessment.sampling import Sample
    from gitchange.assessment.verification import Verification
    from gitchange.git.program import Touch
    from gitchange.git.repository import Entry
    from gitchange.ledger.timeline import Point
    from gitchange.workflow.sampling import Asked
    from gitchange.workflow.workspace import Workspace

_STATIC = Path(__file__).parent / "evidence"
"""What every export has: the script and what it proves."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell: no file in it has another."""


class Exported(Value):
    """What was written."""

    changes: tuple[str, ...]
    files: int
    size: int
    """Bytes of the zip."""
    sha256: str
    """Of the zip."""
    verification: Verification
    """What is borne out of all that the repository has."""
    sample: Sample | None
    """How the changes were drawn; None when they were named."""


def export(
    workspace: Workspace,
    changes: Sequence[str],
    output: Path,
    *,
    asked: Asked | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write the evidence of the changes named, or of a sample.

    UsageError when the file is there already, and for changes that the branch of record does not have: all of them at
    once. The file is whole or not there at all.
    """
    if output.exists() and not overwrite:
        raise UsageError(f"there is a file {output} already", hint="--force takes its place")
    place = sampling.at_newest(workspace)
    assessor = place.anew
    drawn = sampling.drawn(assessor, asked) if asked is not None else None
    wanted = [one.id for one in drawn.drawn] if drawn is not None else changes
    if drawn is not None and not wanted:
        raise UsageError("the population of that period is empty: there is nothing to write")
    if assessor.policy is None:
        problems = "; ".join(f.message for f in assessor.policy_findings)
        raise GitchangeError(f"no policy is in force: {problems}", hint="`gitchange verify` tells more")
    if assessor.notes.commit is None and any(
        point.witnesses is not None for point in assessor.timeline.points
    ):
        raise GitchangeError(
            "this clone has no notes, so nobody could tell from it what was left out",
            hint="`gitchange sync` fetches them",
        )
    found = assessor.some(_entries(assessor, wanted))
    verification = drawn.verification if drawn is not None else verify_repository(assessor)
    evidence = _Evidence(assessor, verification, drawn)
    for number, assessment in enumerate(sorted(found, key=lambda a: a.id)):
        if assessor.tell is not None:
            assessor.tell("gathering evidence", number, len(found))
        evidence.add(assessment)
    zipped = _zip(evidence.files())
    _write(output, zipped)
    return Exported(
        tuple(a.id for a in found),
        evidence.count,
        len(zipped),
        hashlib.sha256(zipped).hexdigest(),
        verification,
        drawn,
    )


def _entries(assessor: Assessor, wanted: Iterable[str]) -> list[Entry]:
    """The files of these changes on the branch of record, each once."""
    found: dict[str, Entry] = {}
    problems: list[str] = []
    for change in wanted:
        try:
            entry, _, merged = assessor.find(change)
        except UsageError as error:
            problems.append(error.message)
            continue
        if merged and entry.is_file:
            found[entry.path] = entry
        elif merged:
            problems.append(f"{entry.path} is no regular file, so it is no evidence of anything")
        else:
            problems.append(
                f"{identifiers.id_of(entry.path)} is not merged yet: no evidence of it is on the branch of record"
            )
    if problems:
        raise UsageError("; ".join(problems), hint="`gitchange list` shows what there is")
    return list(found.values())


class _Evidence:
    """The files of an export, gathered one change after the other."""

    def __init__(self, assessor: Assessor, verification: Verification, drawn: Sample | None) -> None:
        self._verification = verification
        self._assessor, self._line, self._drawn = assessor, assessor.timeline, drawn
        self._repository = assessor.repository
        self._proofs = Proofs(self._repository)
        self._files: dict[str, bytes] = {}
        self._told: list[str] = []
        self._title = documents.settings_at(self._repository, assessor.ground.main)[0].title
        self._heads: dict[str, str | None] = {
            "introduction": assessor.ground.introduction,
            "main": assessor.ground.main,
            "notes": assessor.notes.commit,
        }
        named = (self._line.points[n].witnesses for n in range(len(self._line.points) - 1, -1, -1))
        self._last_trailer = next((notes for notes in named if notes is not None), None)
        self._zone = moments.zone_of(assessor.policy)
        self._printer = Printer(self._title, self._heads, self._zone)
        self._add_policies()
        for point in self._line.points:
            self._proofs.add(point.commit)

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self._files)

    def files(self) -> Mapping[str, bytes]:
        """All of them by name, the manifest included."""
        files = self._files
        for name in ("verify.sh", "VERIFY.md"):
            files[name] = (_STATIC / name).read_bytes()
        files |= self._proofs.files
        files["heads"] = "".join(f"{name} {oid or '-'}\n" for name, oid in self._heads.items()).encode()
        if self._drawn is not None:
            files["sample.json"] = _json(self._drawn.as_json())
        files["verification.json"] = _json(self._verification.as_json())
        files["README.txt"] = self._read_me().encode("utf-8", "replace")
        files["manifest.sha256"] = _manifest(files)
        return files

    # -- the policies ------------------------------------------------------------------------

    def _add_policies(self) -> None:
        """Every version that was approved, whole, with its approvals and where it was adopted."""
        rows: list[str] = []
        known: set[int] = set()
        for reign in self._line.reigns:
            policy = reign.policy
            if policy is None or policy.version in known:
                continue
            known.add(policy.version)
            rows.append(f"{policy.version}\t{policy.tree}\t{reign.commit}\n")
            self._proofs.path(reign.commit, policies.ROOT)
            self._proofs.folder(policy.tree)
            for entry in self._repository.walk(policy.tree):
                self._files[f"policy/{policy.version}/{entry.path}"] = self._repository.blob(entry.id)
            if len(rows) > 1:
                name = f"{APPROVALS}/{policy.version}.jsonl"
                entry_of_it = self._proofs.path(reign.commit, name)
                if entry_of_it is not None:
                    self._files[name] = self._repository.blob(entry_of_it.id)
        self._files["policies"] = "".join(rows).encode()
        self._proofs.path(self._assessor.ground.main, policies.ROOT)

    # -- one change --------------------------------------------------------------------------

    def add(self, assessment: Assessment) -> None:
        """1. what is told of it, 2. its file and where it stands, 3. its texts with every line signed on them."""
        folder = f"changes/{assessment.id}"
        history = self._assessor.history_of(assessment.path)
        shape = show_json(assessment)
        # 1.
        self._files[f"{folder}/verdict.json"] = _json(shape)
        self._files[f"{folder}/history.txt"] = self._history(history)
        page = self._printer.html(shape, assessment.raw, self._text_of)
        self._files[f"{folder}/page.html"] = page.encode("utf-8", "replace")
        title = plain(assessment.change.title if assessment.change else assessment.path)
        self._told.append(f"{assessment.id}  {assessment.status:<14}  {title}")
        # 2.
        self._files[f"{folder}/change.toml"] = assessment.raw
        self._proofs.path(self._assessor.ground.main, assessment.path)
        for touch in history:
            self._proofs.path(touch.commit, assessment.path)
        self._files[f"{folder}/commits"] = "".join(
            f"{touch.commit}\t{touch.blob or '-'}\n" for touch in history
        ).encode()
        change, evidence = assessment.change, assessment.evidence
        if change is None or evidence is None:
            return
        self._files[f"{folder}/request.toml"] = request_of(assessment.raw, change)
        recorded = self._assessor.recording(assessment.path) if change.record is not None else None
        if recorded is not None:
            self._files[f"{folder}/recorded"] = f"{recorded.commit}\n".encode()
            self._proofs.path(recorded.commit, assessment.path)
            self._before(recorded.commit, assessment.path)
        # 3.
        rows: list[str] = []
        texts = dict.fromkeys([evidence.blob, *(touch.blob for touch in history if touch.blob)])
        for blob in texts:
            rows += self._signed(folder, assessment, blob, recorded)
        self._files[f"{folder}/witnesses"] = "".join(rows).encode()

    def _signed(
        self, folder: str, assessment: Assessment, blob: str, recorded: Point | None
    ) -> Iterator[str]:
        """Every line on one text, and of each where it was witnessed and what it is worth."""
        assessor, change, evidence = self._assessor, assessment.change, assessment.evidence
        assert change is not None  # noqa: S101 - the caller looked
        assert evidence is not None  # noqa: S101
        is_current = blob == evidence.blob
        in_record = {
            entry.envelope.encode()
            for entry in (change.record.sign_offs if change.record and is_current else ())
        }
        lines = sorted({*assessor.notes.lines(blob), *in_record})
        self._noted(assessor.notes.commit, blob)
        self._noted(self._last_trailer, blob)
        if not lines:
            return
        raw = self._request(assessment) if is_current else self._repository.blob(blob)
        self._files[f"{folder}/texts/{blob}.toml"] = raw
        self._files[f"{folder}/sign-offs/{blob}.jsonl"] = b"".join(line + b"\n" for line in lines)
        text = Text(change.id, change.path, blob, hashlib.sha256(raw).hexdigest())
        policy = assessment.policy or assessor.policy
        assert policy is not None  # noqa: S101 - without one there is no evidence
        moment = recorded.moment if recorded is not None else assessor.now
        authenticator = assessor.authenticator(policy, moment, recorded.commit if recorded else None)
        counting = {s.line.encode() for s in assessment.sign_offs if assessment.counts(s)}
        for number, line in enumerate(lines, 1):
            judged = authenticator.authenticate(line, text)
            worth = "doubt"
            if isinstance(judged, SignOff):
                worth = "counts" if line in counting else "genuine"
                if judged.log is not None and self._line.has_notes(judged.log):
                    self._proofs.note(judged.log, blob)
            how, commit = self._witness(assessment.path, blob, line, recorded if line in in_record else None)
            yield f"{blob}\t{number}\t{worth}\t{how}\t{commit}\n"

    def _witness(self, path: str, blob: str, line: bytes, recorded: Point | None) -> tuple[str, str]:
        """How a line came to be witnessed, and by which commit: by its trailer, by a record in it, or not at all."""
        names = names_of((line,))
        point = self._line.witness(blob, next(iter(names))) if names else None
        if point is None and recorded is None:
            return "none", "-"
        witness = point or recorded
        assert witness is not None  # noqa: S101 - one of the two is
        self._before(witness.commit, path)
        self._noted(witness.witnesses, blob)
        # The one before it has not the line yet.
        place = self._line.place(witness.commit) or 0
        earlier = (self._line.points[n].witnesses for n in range(place - 1, -1, -1))
        self._noted(next((one for one in earlier if one is not None), None), blob)
        return ("notes" if point is not None else "record"), witness.commit

    def _before(self, commit: str, path: str) -> None:
        """The policy, and the file, at the parent of a commit of the line."""
        parents = self._repository.commit(commit).parents
        if parents:
            self._proofs.path(parents[0], policies.ROOT)
            self._proofs.path(parents[0], path)

    def _noted(self, notes: str | None, blob: str) -> None:
        """The note on a text in a notes commit that is at hand."""
        if notes is not None and self._repository.has_commit(notes):
            self._proofs.note(notes, blob)

    def _request(self, assessment: Assessment) -> bytes:
        assert assessment.change is not None  # noqa: S101 - the caller looked
        return request_of(assessment.raw, assessment.change)

    def _text_of(self, blob: str) -> bytes | None:
        return self._repository.blob(blob) if self._repository.has_blob(blob) else None

    def _history(self, history: Sequence[Touch]) -> bytes:
        """Every commit that touched the file, newest first, and what it changed against the one below it."""
        lines: list[str] = []
        for touch, before in zip(history, [*history[1:], None], strict=True):
            lines += [
                f"commit {touch.commit}",
                f"Author: {touch.author_name} <{touch.author_email}>",
                *(f"Co-authored-by: <{address}>" for address in touch.co_authors),
                f"Committed: {touch.time.isoformat()}",
                f"File: {touch.blob or 'removed'}",
                "",
                f"    {touch.subject}",
                "",
            ]
            old = self._text_of(before.blob) if before is not None and before.blob else b""
            new = self._text_of(touch.blob) if touch.blob else b""
            for hunk in hunks(old or b"", new or b""):
                lines.append(f"@@ -{hunk.old} +{hunk.new} @@")
                lines += [
                    {"same": " ", "removed": "-", "added": "+"}[line.kind] + line.text for line in hunk.lines
                ]
            lines.append("")
        return "".join(f"{plain(line)}\n" for line in lines).encode("utf-8", "replace")

    # -- about all ---------------------------------------------------------------------------

    def _read_me(self) -> str:
        drawn = self._drawn
        lines = [
            f"Evidence of {len(self._told)} change(s) of {plain(self._title)}",
            "",
            *(f"{name + ':':<14}{oid or 'none'}" for name, oid in self._heads.items()),
            f"{'judged as of:':<14}{self._assessor.now.isoformat()}",
            "",
            "Everything in the repository is borne out, by what gitchange found (verification.json)."
            if self._verification.verdict == "ok"
            else "NOT EVERYTHING IN THE REPOSITORY IS BORNE OUT: verification.json says what is not.",
            "",
        ]
        if drawn is not None:
            lines += [
                f"Drawn from {len(drawn.population)} change(s) {drawn.by} from {drawn.start} to {drawn.end}, seed "
                f"{drawn.seed} (sample.json).",
                "The population is complete by all that the repository has."
                if drawn.complete
                else "THE POPULATION IS NOT KNOWN TO BE COMPLETE: sample.json says why.",
                "",
            ]
        lines += [
            *sorted(self._told),
            "",
            "Begin with VERIFY.md. `sh verify.sh` checks everything; changes/ID/page.html is for reading.",
        ]
        return "".join(f"{line}\n" for line in lines)


def _json(shape: object) -> bytes:
    return (json.dumps(shape, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _manifest(files: Mapping[str, bytes]) -> bytes:
    """As `sha256sum` writes it: a name with a backslash is escaped, and the line says so."""
    lines: list[str] = []
    for name in sorted(files, key=os.fsencode):
        escape = "\\" if "\\" in name else ""
        digest = hashlib.sha256(files[name]).hexdigest()
        lines.append(f"{escape}{digest}  {name.replace(chr(92), chr(92) * 2)}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def _zip(files: Mapping[str, bytes]) -> bytes:
    """The zip: names in order, all of one time, the script executable."""
    import zipfile  # noqa: PLC0415 - only here

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.create_system = 3  # Unix, wherever it is made
            member.external_attr = (0o100755 if name.endswith(".sh") else 0o100644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, files[name])
    return made.getvalue()


def _write(output: Path, data: bytes) -> None:
    """Put a file where it belongs, whole or not at all."""
    beside = output.with_name(f".{output.name}.{os.getpid()}.new")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
