"""The state of one change or of all: gathers evidence from the ledger and asks the lifecycle.

Read-only. Works on bare repositories and without a work tree; time is given by the caller.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from functools import cached_property

from gitchange.assessment.overview import Assessment, Overview, PolicyVersion, Version
from gitchange.assessment.spreading import spread
from gitchange.errors import RepositoryError, UsageError
from gitchange.git import program
from gitchange.git.histories import Histories
from gitchange.git.repository import Repository
from gitchange.ledger import documents, notes
from gitchange.ledger.documents import Policies
from gitchange.ledger.notes import Notes
from gitchange.ledger.records import check_record, request_of, text_of, trailer_of
from gitchange.ledger.remote import verified_notes
from gitchange.ledger.signoffs import Doubt, Text, described, says_one_of
from gitchange.ledger.timeline import Timeline, WitnessedAuthenticator
from gitchange.lifecycle import rules
from gitchange.lifecycle.judge import judge
from gitchange.lifecycle.status import REFUSED
from gitchange.model import identifiers
from gitchange.model.change import parse_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.evidence import Evidence, Failure, SignOff
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.model.policy import RECORDER_ROLE
from gitchange.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Literal, TypeVar

    from gitchange.errors import GitchangeError
    from gitchange.git.program import Touch
    from gitchange.git.repository import Entry
    from gitchange.ledger.documents import Ground
    from gitchange.ledger.timeline import Point
    from gitchange.lifecycle.rules import SignedStep
    from gitchange.model.change import Change, ParsedChange
    from gitchange.model.policy import Policy
    from gitchange.model.statement import VerdictName

    Result = TypeVar("Result")


Tell = Callable[[str, int, int], None]
"""Who is told how far long work is: what is done, how many of how many."""

_FAILURES: tuple[VerdictName, ...] = ("back-out", "fail")
"""Verdicts that say of a change that it failed."""

_FEW = 64
"""Up to so many files git finds the history of each faster than that of all."""

_TRIED = ("duties.", "implementation.", "sign-off.role-not-held", "signer.", "validation.", "withdrawal.")
"""Codes of findings about sign-offs that do not count: they stand beside those that do."""

_RECORDS_KEPT = 4096
"""Of so many texts it is kept whether they have a record: those of one change are asked for one after the other."""


class Assessor:
    """Judges changes of one repository at one moment; everything that several need is read once."""

    def __init__(
        self,
        repository: Repository,
        now: dt.datetime,
        *,
        introduction: str | None = None,
        at: str | None = None,
        timeline: tuple[Policies, Ground, Timeline] | None = None,
    ) -> None:
        """`timeline` is the branch of record as somebody knows it already."""
        self.repository = repository
        self.now = now
        if timeline is None:
            known = Policies(repository)
            ground = documents.find_ground(repository, known, introduction=introduction, at=at)
            noted = repository.ref(notes.REF) if at is None else None
            line = Timeline(repository, known, ground.introduction, ground.main, noted)
            timeline = known, ground, line
        self.policies, self.ground, self.timeline = timeline
        self.policy = self.timeline.policy
        self.policy_findings = in_order([*self.timeline.findings, *self.policies.at(self.ground.main)[1]])
        if at is None:
            self.notes = self._notes_at(repository.ref(notes.REF))
        else:
            # What was known then: the notes that the branch had witnessed by that commit, at its moment.
            self.now = self.timeline.points[-1].moment
            self.notes = self._notes_at(self.timeline.last_witnessed)
        self.as_of = at is not None
        self.tell: Tell | None = None
        self._authenticators: dict[str, WitnessedAuthenticator] = {}
        self._with_record: dict[str, bool] = {}

    def adopting(self, policy: Policy) -> Assessor:
        """Judges the same repository at the same moment, as if this policy had just been adopted."""
        import copy  # noqa: PLC0415 - few commands judge as of another time

        then = copy.copy(self)
        for name, held in vars(Assessor).items():
            if isinstance(held, cached_property) and name not in ("histories", "files"):
                then.__dict__.pop(name, None)  # it may rest on the policy
        then._authenticators = {}
        then.timeline = self.timeline.adopting(policy, self.notes, self.now)
        then.policy, then.policy_findings = policy, ()
        return then

    # -- one ---------------------------------------------------------------------------------

    def find(self, change_id: str, on: str | None = None) -> tuple[Entry, str, bool]:
        """The change's file, the commit it was found in, and whether that text is on the branch of record.

        `on` names the branch whose text is meant, here or on a remote. Without it the branch of record comes first,
        then HEAD, then every other branch: evaluation may precede the merge. As of an earlier commit there is the
        branch of record only: nobody knows what branches were then. UsageError when there is no such change, and when
        branches that are not merged have different texts of it.
        """
        wanted = self._full_id(change_id, on)
        path = identifiers.path_of(wanted)

        def at(commit: str | None) -> Entry | None:
            if commit is None:
                return None
            return self.repository.child(self.repository.tree_of(commit), path)

        recorded = at(self.ground.main)
        if on is not None:
            commit = self._tip(on)
            entry = at(commit)
            if entry is None:
                raise UsageError(
                    f"there is no change {wanted} on {on}", hint="`git fetch`, or correct the name"
                )
            if recorded is not None and recorded.id == entry.id:
                return recorded, self.ground.main, True
            return entry, commit, False
        if recorded is not None:
            return recorded, self.ground.main, True
        texts: dict[str, tuple[Entry, str]] = {}
        names: list[str] = []
        unreadable: list[RepositoryError] = []
        for name, commit in self._unmerged:
            try:
                entry = at(commit)
            except RepositoryError as error:  # somebody's branch hides nothing on the others
                unreadable.append(error)
                continue
            if entry is not None:
                if name == "HEAD":
                    return entry, commit, False
                texts.setdefault(entry.id, (entry, commit))
                names.append(name)
        if len(texts) > 1:
            raise UsageError(
                f"several branches have a change {wanted}, with different texts: {', '.join(names)}",
                hint="name the one you mean: --branch NAME",
            )
        for entry, commit in texts.values():
            return entry, commit, False
        raise self._no_change(f"there is no change {wanted}", unreadable)

    @property
    def _unmerged(self) -> Iterator[tuple[str, str]]:
        """Where texts may be that are not on the branch of record: HEAD, then every branch, with its commit."""
        if self.as_of:
            return
        if (head := self.repository.ref("HEAD")) is not None:
            yield "HEAD", head
        yield from self.repository.branches()

    def _no_change(self, what: str, unreadable: Sequence[RepositoryError]) -> GitchangeError:
        """The error for what was not found; where a branch could not be read, nobody can tell."""
        if unreadable:
            return unreadable[0]
        main = self.ground.branch.removeprefix("refs/heads/")
        if self.as_of:
            return UsageError(f"{what} on {main} as of {self.ground.main[:12]}")
        return UsageError(
            f"{what} on {main}, nor on another branch",
            hint="`gitchange list` shows them all; a file that is not committed yet does not count, and branches that "
            "are not called change/... must be fetched",
        )

    def _tip(self, branch: str) -> str:
        """The commit of a branch: here, otherwise of the one remote that has it; UsageError when there is none."""
        branches = dict(self.repository.branches())
        if branch in branches:
            return branches[branch]
        copies = [f"{remote}/{branch}" for remote in self.repository.remotes()]
        found = {commit for name in copies if (commit := branches.get(name)) is not None}
        if len(found) > 1:
            raise UsageError(
                f"several remotes have a branch {branch}, each at another commit",
                hint=f"name the one you mean: --branch {copies[0]}",
            )
        if not found:
            raise UsageError(f"there is no branch {branch} here", hint="`git fetch`, or correct the name")
        return found.pop()

    def _full_id(self, given: str, on: str | None) -> str:
        """The id for what was typed: whole, its last part (K7Q3) where only one change has it, or the path.

        A last part is looked for on the branch `on`; without it on the branch of record and on all others, so that
        it never means another change than the one that its reader has seen on some branch.
        """
        text = given.rsplit("/", 1)[-1].removesuffix(".toml").upper()
        if identifiers.is_id(text):
            return text
        if not identifiers.is_id(f"CHG-20000101-{text}"):
            raise UsageError(f"{given!r} is no change id", hint=identifiers.problem_with(text))
        commits = [self._tip(on)] if on is not None else [commit for _, commit in self._unmerged]
        known, unreadable = self._ids_on(commits)
        if on is None:
            known |= self.known_ids.all
        matching = sorted(change for change in known if change.endswith(f"-{text}"))
        if len(matching) > 1:
            raise UsageError(f"{given!r} fits several changes: {', '.join(matching[:8])}")
        if matching:
            return matching[0]
        what = f"there is no change whose id ends in {text}"
        if on is not None and not unreadable:
            raise UsageError(f"{what} on {on}", hint="`git fetch`, or correct the name")
        raise self._no_change(what, unreadable)

    def _ids_on(self, commits: Iterable[str]) -> tuple[set[str], list[RepositoryError]]:
        """Ids of the changes that these commits have, and why some could not be read.

        A folder that several have is read once.
        """
        found: set[str] = set()
        unreadable: list[RepositoryError] = []
        read: set[tuple[str, str]] = set()

        def look(tree: str, prefix: str) -> None:
            if (tree, prefix) in read:
                return
            read.add((tree, prefix))
            for item in self.repository.entries(tree):
                path = f"{prefix}{item.path}"
                if item.is_tree:
                    look(item.id, f"{path}/")
                elif (change := identifiers.id_of(path)) is not None:
                    found.add(change)

        for commit in commits:
            try:
                root = self.repository.child(self.repository.tree_of(commit), identifiers.ROOT)
                if root is not None and root.is_tree:
                    look(root.id, f"{identifiers.ROOT}/")
            except RepositoryError as error:
                unreadable.append(error)
        return found, unreadable

    @cached_property
    def known_ids(self) -> documents.ChangeIds:
        """Ids of all changes on the branch of record."""
        return documents.ChangeIds(self.repository, self.ground.main)

    def one(self, change_id: str, on: str | None = None) -> Assessment:
        """The state of one change; `on` names the branch whose text is meant (see `find`)."""
        entry, commit, merged = self.find(change_id, on)
        if merged:
            return self._assess(entry, self.history_of(entry.path), True)
        return self._assess(entry, tuple(program.touches(self.repository, commit, entry.path)), False)

    # -- all ---------------------------------------------------------------------------------

    def all(self) -> tuple[Assessment, ...]:
        """The state of every change on the branch of record, newest first; strays are among them."""
        return _newest_first(self.each())

    def each(self) -> Iterator[Assessment]:
        """The same one after the other, in the order of their paths: for whoever need not keep them."""
        return self.judged(self.files, self.histories)

    def undocumented(self) -> tuple[Assessment, ...]:
        """The state of every change on the branch of record that has no record, newest first."""
        files = [e for e in self.files if not e.is_file or not self._has_record(e.id, e.path)]
        return _newest_first(self.judged(files, self.histories))

    def some(self, entries: Sequence[Entry]) -> tuple[Assessment, ...]:
        """The state of these changes of the branch of record, newest first; of a few, without reading all history."""
        histories: Mapping[str, Sequence[Touch]] = {}
        if entries and len(entries) <= _FEW:
            paths = [entry.path for entry in entries]
            histories = Histories(program.touches(self.repository, self.ground.main, *paths))
        elif entries:
            histories = self.histories
        return _newest_first(self.judged(entries, histories))

    def judged(
        self, entries: Iterable[Entry], histories: Mapping[str, Sequence[Touch]]
    ) -> Iterator[Assessment]:
        """The state of these files of the branch of record, one after the other, by histories that are known."""
        wanted = list(entries)
        if len(wanted) > _FEW:
            self.notes.read_all()
            _ = self.known_ids.all
        for entry in wanted:
            yield self._assess(entry, histories.get(entry.path, ()), True)

    def spread(self, work: Callable[[Iterator[Assessment]], Result]) -> Iterator[Result]:
        """What comes of working on the state of every change: one result for each of some portions, in their order.

        The work is done in several processes where that is worth it (`assessment.spreading`), so a result must be
        plain data, small, and nothing else may come of the work.
        """
        # What several need is found once, before there are several.
        self.gather()
        _ = self.known_ids.all, self.verified_elsewhere
        models = self.policy.models.values() if self.policy is not None else ()
        if any(model.suspended_after is not None for model in models):
            _ = self._failed

        def portion(entries: Sequence[Entry]) -> tuple[Result, frozenset[str], int]:
            judged = self.judged(entries, self.histories)
            return work(judged), frozenset(self.repository.missing), len(entries)

        done = 0
        for result, missing, count in spread(portion, self.files):
            self.repository.missing |= missing
            done += count
            if self.tell is not None:
                self.tell("judging changes", done, len(self.files))
            yield result

    def gather(self) -> None:
        """Read the histories of all files and of all notes, both at once: two processes of git tell them."""
        self.repository.expect_much()
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  lazy: takes a while to load

        with ThreadPoolExecutor(1) as other:
            files = other.submit(lambda: self.histories)
            self.notes.read_all()
            if self.notes.commit is not None:
                self.timeline.read_notes()
            files.result()

    @cached_property
    def files(self) -> tuple[Entry, ...]:
        """Everything below changes/ on the branch of record, strays included, in the order of the paths."""
        return tuple(documents.change_files(self.repository, self.ground.main))

    def owners_of_shared_texts(self) -> dict[str, str]:
        """Of each text that several change files have had: the path of the one that came first."""
        shared = self.histories.shared()
        if not shared:
            return {}
        present = {entry.path for entry in self.files}
        owning = {blob: own for blob, paths in shared.items() if (own := paths & present)}

        def came(path: str) -> tuple[dt.datetime, str]:
            return self.histories.first(path).time, path

        return {blob: min(own, key=came) for blob, own in owning.items()}

    def history_of(self, path: str) -> tuple[Touch, ...]:
        """The history of one file on the branch of record, newest first."""
        if "histories" in self.__dict__:
            return tuple(self.histories.get(path, ()))
        return tuple(program.touches(self.repository, self.ground.main, path))

    def recording(self, path: str) -> Point | None:
        """The first point of the branch of record whose commit has the record of a documented change."""
        return self._recording_point(path, self.history_of(path))

    @property
    def touches(self) -> Iterator[Touch]:
        """The history of all change files on the branch of record, newest first for each."""
        for history in self.histories.values():
            yield from history

    @cached_property
    def histories(self) -> Histories:
        """The history of all change files on the branch of record, by path, newest first."""
        try:
            return Histories(program.all_touches(self.repository, self.ground.main, identifiers.ROOT))
        except RepositoryError:  # what is missing may lie elsewhere
            return Histories(program.touches(self.repository, self.ground.main, identifiers.ROOT))

    def removed(self) -> tuple[Finding, ...]:
        """Change files that the history had and the branch of record has no more."""
        present = {entry.path for entry in self.files}
        found: list[Finding] = []
        for path in self.histories:
            if path not in present and identifiers.id_of(path) is not None:
                found.append(removal(path, self.histories[path][0]))
        return in_order(found)

    @property
    def pin_findings(self) -> tuple[Finding, ...]:
        """A warning when the introduction was found in the history itself instead of being pinned."""
        if self.ground.pinned:
            return ()
        return (
            Finding(
                "introduction.not-pinned",
                f"the introduction {self.ground.introduction} was found in the history itself, not pinned",
                f"compare it with a colleague's, then `git config {documents.INTRODUCTION_KEY} "
                f"{self.ground.introduction}` (or --introduction ID)",
                "warning",
            ),
        )

    def overview(self, *, judged: bool = True) -> Overview:
        """Everything, for the site and the verification; without the changes unless they are to be `judged`."""
        settings, setting_findings = documents.settings_at(self.repository, self.ground.main)
        found = [*self.pin_findings, *self.policy_findings, *setting_findings, *self.removed()]
        return Overview(
            title=settings.title,
            main=self.ground.main,
            notes=self.notes.commit,
            introduction=self.ground.introduction,
            policy=self.policy,
            findings=in_order(found),
            assessments=self.all() if judged else (),
            now=self.now,
            commit_time=self.repository.commit(self.ground.main).committer.time,
            policies=self._policy_versions(),
            links=dict(settings.links),
        )

    def _policy_versions(self) -> tuple[PolicyVersion, ...]:
        line = self.timeline
        return tuple(
            PolicyVersion(
                reign.commit,
                line.points[line.place(reign.commit) or 0].moment,
                reign.policy,
                reign.approved_by,
                reign.findings,
            )
            for reign in line.reigns
        )

    # -- how one is judged -------------------------------------------------------------------

    def _assess(self, entry: Entry, history: Sequence[Touch], merged: bool) -> Assessment:
        """Judge one file, in these steps:

        1. read it, and hold it against the policy;
        2. authenticate the notes on its text and on its earlier texts;
        3. an open change is judged by the policy at the tip, from its notes;
        4. a documented one from its record, by the policy in force when it was recorded, and held
           against the notes that its commit witnessed, where those are at hand.
        """
        # 1. The document.
        if not entry.is_file:
            stray = Finding(
                "change.stray-file", f"{entry.path} is no regular file", "remove it", path=entry.path
            )
            return Assessment(entry.path, b"", None, None, None, None, (), (stray,))
        raw = self.repository.blob(entry.id)
        parsed = parse_change(raw, entry.path)
        if parsed.change is None:
            versions = _versions(history, None)
            found = [*parsed.findings]
            if self.policy is not None:
                found += crosscheck(parsed, self.policy, self.known_ids)
            found = [f.about(_id_of(entry.path)) for f in found]
            return Assessment(entry.path, raw, None, None, None, self.policy, versions, in_order(found))
        if self.policy is None:
            versions = _versions(history, None)
            return Assessment(
                entry.path, raw, parsed.change, None, None, None, versions, self.policy_findings
            )
        self._with_record[entry.id] = parsed.change.record is not None
        if parsed.change.record is None:
            return self._open(raw, parsed, parsed.change, history, merged, self.policy)
        return self._documented(raw, parsed, parsed.change, entry, history, merged, self.policy)

    def _open(
        self,
        raw: bytes,
        parsed: ParsedChange,
        change: Change,
        history: Sequence[Touch],
        merged: bool,
        policy: Policy,
    ) -> Assessment:
        """3. An open change."""
        evidence = self._evidence(
            raw, change, history, merged, self.notes, self.authenticator(policy, self.now)
        )
        evidence = replace(evidence, failures=self._failures(change, policy))
        found = list(crosscheck(parsed, policy, self.known_ids))
        if (recorded := self._recording(change.path, history)) is not None:
            found.append(
                Finding(
                    "record.removed",
                    f"the change was documented by commit {recorded.commit[:12]}; its record was removed since",
                    f"`git checkout {recorded.commit[:12]} -- {change.path}` restores it",
                    path=change.path,
                )
            )
        if has_errors(found):
            # A text with errors is not approved, whatever was signed on it.
            evidence = replace(evidence, doubts=(*evidence.doubts, *found))
            found = []
        verdict = judge(evidence, policy, self.now)
        versions = _versions(history, None)
        found = [f.about(change.id) for f in found]
        return Assessment(
            change.path,
            raw,
            change,
            evidence,
            verdict,
            policy,
            versions,
            in_order([*found, *verdict.findings]),
        )

    def _documented(
        self,
        raw: bytes,
        parsed: ParsedChange,
        change: Change,
        entry: Entry,
        history: Sequence[Touch],
        merged: bool,
        tip_policy: Policy,
    ) -> Assessment:
        """4. A documented change."""
        record = change.record
        assert record is not None  # noqa: S101 - the caller looked
        found: list[Finding] = []
        recorded = self._recording(entry.path, history)
        versions = _versions(history, recorded.commit if recorded else None)
        # The record counts from the first commit of the branch of record that has it, which may be the merge of the
        # commit that wrote it.
        point = self._recording_point(entry.path, history) if merged else None
        policy, moment = tip_policy, self.now
        witnessed: str | None = None
        if recorded is None or point is None:
            found.append(
                Finding("record.no-commit", "no commit of the branch of record brought this record in")
            )
        else:
            if point.before is None:
                found.append(
                    Finding(
                        "record.no-policy",
                        f"no approved policy was in force when commit {point.commit[:12]} recorded the change",
                    )
                )
            else:
                policy, moment = point.before, point.moment
            is_point = recorded.commit == point.commit
            own = None if is_point else trailer_of(self.repository.outline(recorded.commit).message)
            witnessed = own or point.witnesses
            # Its author chose the trailer: one that is older than what the branch had witnessed before hides nothing.
            earlier = self.timeline.witnessed_before(point.commit)
            if (
                earlier is not None
                and witnessed is not None
                and self.timeline.has_notes(witnessed)
                and self.timeline.is_older(witnessed, earlier)
            ):
                witnessed = earlier
            if recorded.blob != entry.id:
                newest = next(t for t in history if t.blob == entry.id or t is history[-1])
                found.append(
                    Finding(
                        "record.edited",
                        f"the documented file was edited by commit {newest.commit[:12]} ({newest.author_email})",
                        f"`git checkout {recorded.commit[:12]} -- {entry.path}` restores it; "
                        "what must be corrected is a new change that `amends` this one",
                        path=entry.path,
                    )
                )
        text = text_of(self.repository, raw, change)
        authenticator = self.authenticator(policy, moment, point.commit if point else None)
        genuine, problems = check_record(raw, parsed, text, authenticator)
        found += problems
        if record.documented_by in policy.members(RECORDER_ROLE):
            found.append(
                Finding(
                    "record.by-recorder",
                    f"{record.documented_by} is a {RECORDER_ROLE}: a machine that keeps results and documents nothing",
                    "ask who made the record; a person documents",
                    path=entry.path,
                )
            )
        known = all(s.seen is not None for s in genuine)
        if not known:
            found.append(
                Finding(
                    "record.order-unchecked",
                    "the notes are not at hand, so the order of the sign-offs rests on the record",
                    "`gitchange sync` fetches them",
                    "note",
                )
            )
        request = request_of(raw, change)
        authors = _authors(history, until=recorded.commit if recorded else None)
        from_record = Evidence(
            change=change,
            blob=text.blob,
            sha256=text.sha256,
            size=len(request),
            authors=authors,
            sign_offs=genuine,
            stale=self._stale(change, history, text, authenticator, self.notes),
            order_known=known,
            merged=merged,
            failures=tuple(
                f
                for f in self._failures(change, policy)
                if point is not None
                and f.place is not None
                and f.place <= (self.timeline.place(point.commit) or 0)
            ),
            requested_at=history[-1].time if history else None,
        )
        shown = from_record
        verified_from: Literal["notes", "record"] = "record"
        then: Notes | None = None
        verdict = judge(from_record, policy, moment, documented=not has_errors(found))
        if verdict.complete and (record.outcome == "backed-out") != verdict.backed_out:
            signed = "was backed out" if verdict.backed_out else "was not backed out"
            found.append(
                Finding(
                    "record.outcome",
                    f"the record's outcome is {record.outcome}; by the sign-offs in it the change {signed}",
                    "`git log -p` of the file tells who wrote the record",
                    path=change.path,
                )
            )
            verdict = judge(from_record, policy, moment, documented=False)
        if witnessed is not None and known and self.timeline.has_notes(witnessed):
            then = self._notes_at(witnessed)
            evidence = self._evidence(raw, change, history, merged, then, authenticator, authors, text)
            evidence = replace(evidence, failures=from_record.failures)
            by_notes = verdict if _say_the_same(from_record, evidence) else judge(evidence, policy, moment)
            if not by_notes.complete:
                found.append(
                    Finding(
                        "record.contradicts-notes",
                        f"by the notes that its commit witnessed, the change was {by_notes.status}",
                        "`git log -p` of the file and of the notes tells who wrote the record and what it leaves out",
                    )
                )
                shown, verdict, verified_from = evidence, by_notes, "notes"
            else:
                # The record holds what counted. What was tried and did not count stays told when a change is closed.
                said = {f.about(change.id) for f in verdict.findings}
                found += [f for f in by_notes.findings if f.code.startswith(_TRIED) and f not in said]
        if verdict.status == "documented" and known and self._say_more(then, text.blob, history):
            # A trailer is its author's choice, and a forge's squash drops it: the notes as they are speak too.
            evidence = self._evidence(raw, change, history, merged, self.notes, authenticator, authors, text)
            evidence = replace(evidence, failures=from_record.failures)
            by_now = judge(evidence, policy, moment)
            if by_now.status in REFUSED:
                found.append(
                    Finding(
                        "record.leaves-out",
                        f"by the notes as they are now, the change is {by_now.status}; the record does not say so",
                        "somebody refused after it was documented, or the record was made by hand over the refusal: "
                        "`git log -p` of the notes tells which",
                        "error" if witnessed is None else "warning",
                        change.path,
                    )
                )
                if witnessed is None:
                    shown, verdict, verified_from = evidence, by_now, "notes"
        found = [f.about(change.id) for f in found]
        return Assessment(
            change.path,
            raw,
            change,
            shown,
            verdict,
            policy,
            versions,
            in_order([*found, *verdict.findings]),
            verified_from,
        )

    def _recording(self, path: str, history: Sequence[Touch]) -> Touch | None:
        """The oldest commit after which the file had a record (its blob parses with one)."""
        found: Touch | None = None
        for touch in history:  # newest first
            if touch.blob and self._has_record(touch.blob, path):
                found = touch
        return found

    def _recording_point(self, path: str, history: Sequence[Touch]) -> Point | None:
        """The first point of the line whose commit has the record of a file that has one at the line's end.

        Only what brought it to the line can be that point: a commit that wrote it, or the merge of one. A merge may
        have left it out; then it is looked for.
        """
        line = self.timeline
        came = [line.came(t.commit) for t in history if t.blob and self._has_record(t.blob, path)]
        places = [place for place in came if place is not None]
        if places:
            point = line.points[min(places)]
            own = any(t.commit == point.commit and t.blob and self._has_record(t.blob, path) for t in history)
            if own or self._recorded_at(point.commit, path):
                return point
        return line.first(lambda commit: self._recorded_at(commit, path))

    def _say_more(self, then: Notes | None, blob: str, history: Sequence[Touch]) -> bool:
        """Whether the notes say of these texts anything else than those `then`, or what was known elsewhere does."""
        if then is None or self.verified_elsewhere:
            return self.notes.commit != (then.commit if then else None)
        texts = {blob, *(touch.blob for touch in history if touch.blob)}
        return any(self.notes.lines(text) != then.lines(text) for text in texts)

    def _recorded_at(self, commit: str, path: str) -> bool:
        entry = self.repository.entry(self.repository.tree_of(commit), path)
        return entry is not None and entry.is_file and self._has_record(entry.id, path)

    def _has_record(self, blob: str, path: str) -> bool:
        if blob not in self._with_record:
            if len(self._with_record) > _RECORDS_KEPT:
                self._with_record.clear()
            raw = self.repository.blob(blob)
            # The words spare the parser; they may also stand inside a text.
            change = parse_change(raw, path).change if b"[record]" in raw else None
            self._with_record[blob] = change is not None and change.record is not None
        return self._with_record[blob]

    def _evidence(
        self,
        raw: bytes,
        change: Change,
        history: Sequence[Touch],
        merged: bool,
        where: Notes,
        authenticator: WitnessedAuthenticator,
        authors: frozenset[str] | None = None,
        text: Text | None = None,
    ) -> Evidence:
        """2. What the notes say about the change's text; `authors` and `text` where they are known."""
        text = text or text_of(self.repository, raw, change)
        sign_offs: list[SignOff] = []
        doubts: list[Finding] = []
        ignored: list[Finding] = []
        present = where.lines(text.blob)
        if where is self.notes:
            doubts += self._lost(text, present)
        for line in present:
            judged = authenticator.authenticate(line, text)
            if isinstance(judged, SignOff):
                sign_offs.append(judged)
            elif judged.intact:
                ignored.append(judged.finding)
            else:
                doubts.append(judged.finding)
        return Evidence(
            change=change,
            blob=text.blob,
            sha256=text.sha256,
            size=len(request_of(raw, change)),
            authors=_authors(history) if authors is None else authors,
            sign_offs=_once_each(sign_offs),
            stale=self._stale(change, history, text, authenticator, where),
            doubts=tuple(doubts),
            ignored=tuple(ignored),
            merged=merged,
            requested_at=history[-1].time if history else None,
        )

    @cached_property
    def verified_elsewhere(self) -> tuple[Notes, ...]:
        """Notes that were found complete in this clone and that the notes do not contain any more.

        A fetch that a user configured (`+refs/notes/*:refs/notes/*`) can replace the notes unasked.
        """
        if self.as_of:
            return ()
        tips = (self.repository.ref(verified_notes(remote)) for remote in self.repository.remotes())
        now = self.notes.commit
        return tuple(
            Notes(self.repository, tip)
            for tip in tips
            if tip is not None and (now is None or not self.repository.is_ancestor(tip, now))
        )

    def _lost(self, text: Text, present: tuple[bytes, ...]) -> Iterator[Finding]:
        """Lines on a text that this clone has verified before and that its notes do not hold any more."""
        for known in self.verified_elsewhere:
            for line in known.lines(text.blob):
                if line not in present:
                    yield Finding(
                        "notes.line-lost",
                        f"this clone had {described(line)}, and its notes lost it",
                        "`gitchange sync` brings it back, or says who lost it; `gitchange sync --restore` mends that",
                        path=text.path,
                        change=text.change,
                    )

    def _stale(
        self,
        change: Change,
        history: Sequence[Touch],
        current: Text,
        authenticator: WitnessedAuthenticator,
        where: Notes,
    ) -> tuple[SignOff, ...]:
        """Genuine sign-offs on earlier texts."""
        stale: list[SignOff] = []
        for blob in dict.fromkeys(touch.blob for touch in history):
            if not blob or blob == current.blob:
                continue
            lines = where.lines(blob)
            if not lines:
                continue
            earlier = Text(change.id, change.path, blob, _sha256(self.repository.blob(blob)))
            judged = [authenticator.authenticate(line, earlier) for line in lines]
            stale += [s for s in judged if not isinstance(s, Doubt)]
        return _once_each(stale)

    def _failures(self, change: Change, policy: Policy) -> tuple[Failure, ...]:
        """Which changes failed by the model that this one follows, since a policy brought the model as it now is."""
        model = policy.models.get(change.model or "")
        if model is None or model.suspended_after is None:
            return ()
        since = self.timeline.model_since(change.model or "", policy)
        found: list[Failure] = []
        for other, sign_off in self._failed:
            step: SignedStep = "validation" if sign_off.verdict == "fail" else "implementation"
            may = {demand.role for demand in rules.asked(policy, other, step)}
            # What the commit that brought the model witnessed was signed before it.
            new = sign_off.place is None or sign_off.place > since
            if new and other.model == change.model and sign_off.role in may:
                found.append(Failure(other.id, sign_off.place))
        return tuple(found)

    @cached_property
    def _failed(self) -> tuple[tuple[Change, SignOff], ...]:
        """Every back-out and every failed validation of a standard change, on any of its texts."""
        if self.policy is None:
            return ()
        authenticator = self.authenticator(self.policy, self.now)
        found: list[tuple[Change, SignOff]] = []
        for path, blob in self.texts_with_failures:
            lines = self.notes.lines(blob)
            raw = self.repository.blob(blob)
            change = parse_change(raw, path).change
            if change is None or change.type != "standard":
                continue
            text = Text(change.id, path, blob, _sha256(raw))
            genuine = [
                s
                for s in (authenticator.authenticate(line, text) for line in lines)
                if isinstance(s, SignOff)
            ]
            found += [(change, s) for s in genuine if s.verdict in _FAILURES and s.role in (s.held or ())]
        return tuple(found)

    @cached_property
    def texts_with_failures(self) -> Sequence[tuple[str, str]]:
        """Path and blob of every text on which somebody says that the change failed."""
        return self.texts_with_failures_of(self.histories)

    def texts_with_failures_of(self, paths: Iterable[str]) -> list[tuple[str, str]]:
        """The same for the texts that these files had on the branch of record."""
        return [
            (path, blob)
            for path in paths
            for blob in dict.fromkeys(touch.blob for touch in self.histories[path] if touch.blob)
            if self.tells_failure(blob)
        ]

    def tells_failure(self, blob: str) -> bool:
        """Whether a line on that text says that the change failed."""
        return any(says_one_of(line, _FAILURES) for line in self.notes.lines(blob))

    def authenticator(
        self, policy: Policy, moment: dt.datetime, here: str | None = None
    ) -> WitnessedAuthenticator:
        """Judges each line where it was first witnessed; what was not, by this policy at this moment."""
        if policy.tree not in self._authenticators:
            self._authenticators[policy.tree] = WitnessedAuthenticator(
                self.repository, self.timeline, self.ground.introduction, policy, moment
            )
        return self._authenticators[policy.tree].otherwise(policy, moment, here)

    def _notes_at(self, commit: str | None) -> Notes:
        return Notes(self.repository, commit, self.timeline.look_up, self.timeline.lines_of)


def removal(path: str, touch: Touch) -> Finding:
    """That a change file was removed, and by which commit."""
    return Finding(
        "change.removed",
        f"the file was removed by commit {touch.commit[:12]} ({touch.author_email})",
        f"`git checkout {touch.commit[:12]}~ -- {path}` brings it back; "
        "a change that is not wanted is withdrawn, not deleted",
        path=path,
        change=identifiers.id_of(path) or "",
    )


def overview(
    directory: Path,
    now: dt.datetime | None = None,
    *,
    introduction: str | None = None,
    at: str | None = None,
) -> Overview:
    """The state of the configuration repository that holds this folder; with `at`, as it was known then.

    Without `now` it is judged at the moment of its newest commit: what is built from given commits is
    then the same on any day.
    """
    repository = Repository.open(directory)
    moment = now or newest_moment(repository)
    return Assessor(repository, moment, introduction=introduction, at=at).overview()


def newest_moment(repository: Repository) -> dt.datetime:
    """Committer time of the newest commit on the branch of record and in the notes."""
    _, main = documents.branch_of_record(repository, Policies(repository))
    tips = [main, *filter(None, [repository.ref(notes.REF)])]
    return max(repository.commit(tip).committer.time for tip in tips)


def _say_the_same(record: Evidence, noted: Evidence) -> bool:
    """Whether notes hold the very sign-offs that a record has, and nothing else, so that both verdicts are one."""
    if noted.doubts or noted.ignored or not record.order_known:
        return False
    return all(
        {id(s) for s in one} == {id(s) for s in other}
        for one, other in ((record.sign_offs, noted.sign_offs), (record.stale, noted.stale))
    )


def _newest_first(assessed: Iterable[Assessment]) -> tuple[Assessment, ...]:
    return tuple(sorted(assessed, key=_requested, reverse=True))


def _requested(assessment: Assessment) -> tuple[dt.datetime, str]:
    """When the change came in: for sorting."""
    history = assessment.history
    return (history[-1].time if history else dt.datetime.max.replace(tzinfo=dt.UTC), assessment.path)


def _once_each(sign_offs: Iterable[SignOff]) -> tuple[SignOff, ...]:
    """Each statement once, however often its signature was spelled; who has seen more comes later."""
    unique = {s.digest: s for s in sorted(sign_offs, key=lambda s: s.line, reverse=True)}
    return tuple(sorted(unique.values(), key=lambda s: (len(s.seen or ()), s.when, s.digest)))


def _id_of(path: str) -> str:
    return identifiers.id_of(path) or ""


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _authors(history: Sequence[Touch], *, until: str | None = None) -> frozenset[str]:
    """Addresses of everybody who wrote a commit of the request; the recording commit is none of it."""
    touches: Iterable[Touch] = history
    if until is not None:
        place = next((i for i, touch in enumerate(history) if touch.commit == until), -1)
        touches = history[place + 1 :]
    return frozenset(
        address.casefold() for touch in touches for address in (touch.author_email, *touch.co_authors)
    )


def _versions(history: Sequence[Touch], recorded: str | None) -> tuple[Version, ...]:
    versions: list[Version] = []
    for place, touch in enumerate(history):
        if not touch.blob:
            kind: Literal["requested", "edited", "documented", "removed"] = "removed"
        elif touch.commit == recorded:
            kind = "documented"
        else:
            kind = "requested" if place == len(history) - 1 else "edited"
        versions.append(
            Version(
                touch.commit,
                touch.author_name,
                touch.author_email,
                touch.time,
                touch.subject,
                touch.blob,
                kind,
            )
        )
    return tuple(versions)
