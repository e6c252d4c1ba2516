"""`verify`: is everything that this repository claims borne out by its evidence?

Numbered checks, each with how much it looked at and what it found, so that an auditor can see
that nothing was passed over. The same answers as `show` gives for one change, for all of them, and
what only shows in the whole: removed files, notes on nothing, witnesses without their notes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right

from gitchange.assessment.results import judged_on
from gitchange.git import program
from gitchange.git.ids import Numbers
from gitchange.ledger import chain, notes
from gitchange.ledger.records import TRAILER, trailer_of
from gitchange.ledger.remote import verified_branch
from gitchange.ledger.results import is_kept_here
from gitchange.ledger.signoffs import Doubt, Text, described, signers_of
from gitchange.model import identifiers
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.model.statement import StatementError, read_statement
from gitchange.signing.dsse import EnvelopeError, parse_envelope
from gitchange.values import Value, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Literal

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.overview import Assessment
    from gitchange.git.program import Touch
    from gitchange.ledger.chain import Loss
    from gitchange.ledger.results import Judged


class Check(Value):
    """One numbered check."""

    name: str
    question: str
    looked_at: int
    """How many things were looked at."""
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether it found no error."""
        return not has_errors(self.findings)


class Verification(Value):
    """The answer, and what it rests on."""

    verdict: Literal["ok", "breach", "undecided"]
    main: str
    notes: str | None
    introduction: str
    pinned: bool
    policy: str | None
    checks: tuple[Check, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return in_order([f for check in self.checks for f in check.findings])

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "schema": 1,
            "verdict": self.verdict,
            "main": self.main,
            "notes": self.notes,
            "introduction": self.introduction,
            "pinned": self.pinned,
            "policy": self.policy,
            "checks": [
                {
                    "name": c.name,
                    "question": c.question,
                    "looked_at": c.looked_at,
                    "passed": c.passed,
                    "findings": len(c.findings),
                }
                for c in self.checks
            ],
            "findings": [f.as_json() for f in self.findings],
        }


def verify_repository(
    assessor: Assessor, changes: tuple[str, ...] = (), known: Callable[[Assessor], Whole] | None = None
) -> Verification:
    """Check the repository, or a few changes of it, in these steps:

    1. the introduction is pinned and part of the branch of record;
    2. the policy can be read, and every version was approved under the one before it;
    3. every change file can be read and lies where it belongs, and none was removed;
    4. every line of the notes is a sign-off on a text of a change; one that is none is a warning where it decides
       nothing: on a text that is not merged yet, an earlier one, or that of a documented change;
    5. no notes commit lost a line of its parents;
    6. every sign-off of an open change is genuine;
    7. every documented change is borne out by its record, from the branch of record alone;
    8. every notes commit that the branch of record witnesses is contained in the notes;
    9. every recorded result is genuine, and a recorder's; one that is not decides nothing: a warning.

    `undecided` when something needed is missing (policy, objects); `breach` when a check found an error.
    `known` gives what there is to know of everything, where somebody has looked at it already.
    """
    checks: list[Check] = []
    # 1. The introduction.
    ground = assessor.ground
    begun = (*assessor.pin_findings, *_check_main(assessor))
    checks.append(Check("introduction", "is this the repository that was joined?", 1, in_order(begun)))
    # 2. The policy.
    question = "can the policy be read, and was each version approved under the one before?"
    checks.append(Check("policy", question, len(assessor.timeline.reigns), assessor.policy_findings))
    # 3. The files.
    if changes:
        whole = Whole(_look_at(assessor.one(change) for change in changes))
    else:
        whole = look_at_all(assessor) if known is None else known(assessor)
    seen = whole.seen
    checks.append(
        Check(
            "change files",
            "is every change file readable, in its place, and still there?",
            seen.files,
            in_order([*seen.unreadable, *whole.removed]),
        )
    )
    # 4. The notes.
    if not changes:
        question = "is every line of the notes a sign-off on a change?"
        checks.append(Check("notes", question, whole.lines, _check_notes(assessor, whole)))
        # 5. Append-only.
        checks.append(_check_chain(assessor, whole))
    # 6. and 7. The changes.
    for name, question, judged, about in (
        ("open changes", "is every sign-off on an open change genuine?", seen.open, seen.on_open),
        (
            "documented changes",
            "does every record bear out that its change was complete?",
            seen.documented,
            seen.on_documented,
        ),
    ):
        checks.append(Check(name, question, judged, in_order(about)))
    # 8. The witnesses.
    if not changes:
        checks.append(_check_witnesses(assessor, whole))
        # 9. The results.
        question = (
            "is every recorded result of coverage and gate a recorder's, on the commit it was computed from?"
        )
        checks.append(Check("results", question, whole.results, in_order(whole.on_results)))
    if assessor.policy is None and not assessor.timeline.findings:
        verdict: Literal["ok", "breach", "undecided"] = "undecided"
    else:
        verdict = "ok" if all(check.passed for check in checks) else "breach"
    if verdict == "breach" and _cannot_check(assessor):
        verdict = "undecided"
    return Verification(
        verdict,
        ground.main,
        assessor.notes.commit,
        ground.introduction,
        ground.pinned,
        assessor.policy.tree if assessor.policy else None,
        tuple(checks),
    )


def _cannot_check(assessor: Assessor) -> bool:
    """Whether a policy has OpenPGP certificates and what checks them is not installed: an error proves nothing then."""
    policies = (reign.policy for reign in assessor.timeline.reigns)
    return any(signers_of(policy).openpgp.missing for policy in policies if policy and policy.openpgp)


class Seen(Value, frozen=False):
    """What the checks need to know of changes that were judged: small, because other processes hand it over."""

    files: int = 0
    unreadable: list[Finding] = field(default_factory=list)
    open: int = 0
    on_open: list[Finding] = field(default_factory=list)
    documented: int = 0
    on_documented: list[Finding] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)
    """The texts of these changes that ever had a note, and how many lines are on each."""
    idle: list[Finding] = field(default_factory=list)
    """What is wrong with lines that decide nothing."""
    losses: list[Loss] = field(default_factory=list)
    """Lines on these texts that a notes commit lost."""

    def add(self, other: Seen) -> None:
        """Take in what was seen of other changes."""
        self.files += other.files
        self.open += other.open
        self.documented += other.documented
        self.texts |= other.texts
        for name in ("unreadable", "on_open", "on_documented", "idle", "losses"):
            getattr(self, name).extend(getattr(other, name))


class Whole(Value, frozen=False):
    """What the checks need to know of everything."""

    seen: Seen
    """Of the changes."""
    removed: tuple[Finding, ...] = ()
    """Change files that are gone."""
    lines: int = 0
    """How many lines the notes have, without those of results."""
    strange: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Notes on what is no text of a change on the branch of record."""
    results: int = 0
    """How many lines are kept on commits: recorded results, genuine or not."""
    on_results: list[Finding] = field(default_factory=list)
    """What is wrong with them."""
    judged: dict[str, tuple[Judged, ...]] = field(default_factory=dict)
    """They themselves by commit, where they were judged just now."""
    losses: list[Loss] = field(default_factory=list)
    """Every line that a notes commit lost."""
    commits: int = 0
    """How many notes commits there are."""
    witnessed: int = 0
    """How many notes commits the branch of record witnesses."""
    absent: dict[str, str] = field(default_factory=dict)
    """Those of them that the notes do not contain, each with the last commit that names it."""


def _look_at(assessments: Iterable[Assessment]) -> Seen:
    """3., 6. and 7. for these changes."""
    seen = Seen()
    for assessment in assessments:
        seen.files += 1
        if assessment.verdict is None:
            seen.unreadable += assessment.findings
        elif assessment.record is None:
            seen.open += 1
            seen.on_open += assessment.findings
        else:
            seen.documented += 1
            seen.on_documented += assessment.findings
    return seen


def looker(assessor: Assessor) -> Callable[[Assessment], Seen]:
    """What there is to see of a change, while it is at hand: 3. to 7."""
    assessor.gather()
    tip = assessor.notes.commit
    history = assessor.timeline.read_notes() if tip is not None else None
    reached = history.reachable(tip) if history is not None and tip is not None else ()
    owners = assessor.owners_of_shared_texts()

    def look(assessment: Assessment) -> Seen:
        seen = look_at_one(assessor, assessment, owners)
        if history is not None:
            for oid in seen.texts:
                seen.losses += chain.losses_on(history, oid, reached, assessor.timeline.lines_of)
        # Of a text that nobody ever signed there is nothing more to say.
        seen.texts = {
            oid: count
            for oid, count in seen.texts.items()
            if count or (history is not None and history.knows(oid))
        }
        return seen

    return look


def look_at_one(assessor: Assessor, assessment: Assessment, owners: Mapping[str, str]) -> Seen:
    """What there is to see of a change, but for what notes commits lost; `owners` of the texts that others share."""
    seen = _look_at((assessment,))
    own = {version.blob for version in assessment.history if version.blob}
    if assessment.evidence is not None:
        own.add(assessment.evidence.blob)
    for oid in own:
        if owners.get(oid, assessment.path) == assessment.path:
            lines = assessor.notes.lines(oid)
            seen.texts[oid] = len(lines)
            if lines:
                seen.idle += _idle_lines(assessor, assessment, oid, lines)
    return seen


def look_at_all(assessor: Assessor) -> Whole:
    """All that there is to see: the changes in several processes, the rest here."""
    look = looker(assessor)

    def portion(assessments: Iterator[Assessment]) -> Seen:
        seen = Seen()
        for assessment in assessments:
            seen.add(look(assessment))
        return seen

    whole = Seen()
    for seen in assessor.spread(portion):
        whole.add(seen)
    return around(assessor, whole)


def around(assessor: Assessor, seen: Seen, named: Mapping[str, str] | None = None) -> Whole:
    """What there is to see beside the changes, all of which are `seen`; `named` by `witnesses`, where it is known."""
    whole = Whole(seen, assessor.removed(), losses=seen.losses)
    tip, line = assessor.notes.commit, assessor.timeline
    for oid, note in assessor.notes.kept():
        if oid in seen.texts:
            whole.lines += seen.texts[oid]
        elif is_kept_here(assessor.repository, oid):
            whole.judged[oid] = judged = judged_on(assessor, oid, notes.lines_of(assessor.repository, note))
            whole.results += len(judged)
            whole.on_results += [one.finding for one in judged if one.finding is not None]
        else:
            whole.strange[oid] = notes.lines_of(assessor.repository, note)
            whole.lines += len(whole.strange[oid])
    if tip is not None:
        history = line.read_notes()
        reached = history.reachable(tip)
        for oid in sorted(oid for oid in history.objects if oid not in seen.texts):
            whole.losses += chain.losses_on(history, oid, reached, line.lines_of)
        whole.losses.sort(key=lambda loss: (history.number(loss.commit), loss.oid))
        whole.commits = len(reached)
    for note, commit in _witnesses(assessor) if named is None else named.items():
        whole.witnessed += 1
        if tip is None or note not in history or history.number(note) not in reached:
            whole.absent[note] = commit
    return whole


def witnesses(assessor: Assessor, since: str | None = None) -> dict[str, str]:
    """The notes commits that the branch of record witnesses, each with the last commit that names it.

    Merged branches too: a merge cannot put a witness aside. `since` is a commit whose history is not looked at.
    """
    return dict(_witnesses(assessor, since))


def _witnesses(assessor: Assessor, since: str | None = None) -> Iterator[tuple[str, str]]:
    found, line = Numbers(), assessor.timeline
    for commit in assessor.repository.ancestors(assessor.ground.main, (since,) if since else ()):
        if (place := line.place(commit)) is not None:
            named = line.points[place].witnesses
        else:
            named = trailer_of(assessor.repository.outline(commit).message)
        if named is not None and named not in found:
            found.add(named)
            yield named, commit


def _check_notes(assessor: Assessor, whole: Whole) -> tuple[Finding, ...]:
    """4. Notes on what is no text of any change, and lines that are no sign-off where no verdict looks at them.

    The lines on the current text of an open change are judged with it (6.). All others decide nothing: what is wrong
    with one is a warning. Refs other than the branch of record are looked at only where a note is on something else,
    and only for what the branch of record does not have.
    """
    found = list(whole.seen.idle)
    strange = dict(whole.strange)
    # Approvals of a policy are kept on its folder.
    for oid in [oid for oid in strange if _is_policy(assessor, oid)]:
        found += [bad for line in strange.pop(oid) if (bad := _bad_approval(line, oid)) is not None]
    if strange:
        for touch in _not_merged(assessor):
            if identifiers.id_of(touch.path) is not None and (lines := strange.pop(touch.blob, ())):
                commit = touch.commit[:12]
                why = f"the text is that of commit {commit}, not merged yet"
                mend = f"`git branch --all --contains {commit}` names the branch"
                found += _told(assessor, _text(assessor, touch.path, touch.blob), lines, why, mend)
    if strange:  # a text of a change that was removed since: it is missed by name (3.)
        for touch in program.touches(assessor.repository, assessor.ground.main, identifiers.ROOT):
            strange.pop(touch.blob, None)
    found += [
        Finding(
            "note.on-nothing",
            f"{len(lines)} line(s) are kept on {oid}, which is no text of any change",
            "a note belongs on the blob of a change file; its text may be on a branch that is not here",
            "warning",
        )
        for oid, lines in strange.items()
    ]
    return in_order(found)


def _not_merged(assessor: Assessor) -> Iterator[Touch]:
    """The history of change files that other refs have, and the branch of record has not."""
    hidden = [assessor.ground.main, *filter(None, [assessor.notes.commit])]
    return program.touches(assessor.repository, "--all", identifiers.ROOT, hidden=hidden)


def _idle_lines(
    assessor: Assessor, assessment: Assessment, oid: str, lines: tuple[bytes, ...]
) -> Iterator[Finding]:
    """What is wrong with lines on a text of the branch of record that its verdict did not look at, or let pass."""
    evidence = assessment.evidence
    is_current = evidence is not None and evidence.blob == oid
    if is_current and assessment.record is None:
        return
    if assessment.record is not None:
        why = "the change was documented without it"
    else:
        why = "it is on an earlier text" if evidence is not None else "the file cannot be read"
    genuine = {sign_off.line for sign_off in assessment.sign_offs}
    left = tuple(line for line in lines if line.decode("ascii", "replace") not in genuine)
    if not left or (assessment.change is None and identifiers.id_of(assessment.path) is None):
        return
    known = {finding.message for finding in assessment.findings}
    if evidence is not None and is_current:  # a forge may have squashed request and record into one file
        text = Text(evidence.change.id, evidence.change.path, oid, evidence.sha256)
    else:
        text = _text(assessor, assessment.path, oid)
    for finding in _told(assessor, text, left, why):
        if finding.message.removesuffix(f"; {why}") not in known:
            yield finding


def _text(assessor: Assessor, path: str, oid: str) -> Text:
    return Text(
        identifiers.id_of(path) or "",
        path,
        oid,
        hashlib.sha256(assessor.repository.blob(oid)).hexdigest(),
    )


def _told(
    assessor: Assessor, text: Text, lines: tuple[bytes, ...], why: str, mend: str = ""
) -> Iterator[Finding]:
    """What is wrong with lines that decide nothing, as warnings; `why` says that they do not."""
    if assessor.policy is None:
        return
    authenticator = assessor.authenticator(assessor.policy, assessor.now)
    for line in lines:
        judged = authenticator.authenticate(line, text)
        if isinstance(judged, Doubt):
            finding = judged.finding
            hint = "; ".join(filter(None, [finding.hint, mend]))
            yield replace(finding, message=f"{finding.message}; {why}", hint=hint, severity="warning")


def _is_policy(assessor: Assessor, oid: str) -> bool:
    """Whether an object is a folder that could be a policy."""
    return assessor.repository.has_tree(oid) and assessor.policies.of_tree(oid)[0] is not None


def _bad_approval(line: bytes, tree: str) -> Finding | None:
    """What is wrong with a line on a policy folder; whether it approves anything is asked when it is adopted."""
    try:
        statement = read_statement(parse_envelope(line).payload)
        if statement.subject[0].oid == tree and statement.predicate.step == "policy":
            return None
        reason = f"is {described(line)}"
    except (EnvelopeError, StatementError) as error:
        reason = f"is no sign-off: {error}"
    return Finding(
        "note.not-an-approval",
        f"a line on the policy folder {tree[:12]} {reason}",
        "it approves nothing; a note cannot lose lines, so it stays",
        "warning",
    )


def _check_main(assessor: Assessor) -> Iterator[Finding]:
    """1. What this clone saw at the tip of the remotes' branch of record must be there, and still be the line."""
    repository, ground = assessor.repository, assessor.ground
    for remote in repository.remotes():
        known = repository.ref(verified_branch(remote, ground.branch))
        if known is None or assessor.as_of or repository.is_ancestor(ground.main, known):
            continue
        if not repository.is_ancestor(known, ground.main):
            yield Finding(
                "main.rewritten",
                f"{remote}'s branch of record had the commit {known[:12]} when it was last seen; it is gone",
                f"somebody rewrote it: `git log {known[:12]} --not {ground.main[:12]}` tells what is missing",
            )
        elif assessor.timeline.place(known) is None:
            yield Finding(
                "main.put-aside",
                f"{remote}'s branch of record ended in {known[:12]} when it was last seen; a merge has put that aside",
                "`git log --first-parent --merges` has the merge: its first parent should have been that commit",
                "warning",
            )
    # The line's clock never runs backwards, so the first that is ahead is found by halves.
    points, limit = assessor.timeline.points, assessor.now + dt.timedelta(days=1)
    ahead = bisect_right(points, limit, key=lambda point: point.moment)
    if ahead < len(points):
        point = points[ahead]
        yield Finding(
            "main.clock-ahead",
            f"commit {point.commit[:12]} claims to be of {point.moment:%Y-%m-%d}, which is still to come",
            "clocks and dates of commits are claims; ask who made it",
            "warning",
        )
    yield from assessor.timeline.clock_findings


def _check_chain(assessor: Assessor, whole: Whole) -> Check:
    """5. What a notes commit had, its children have."""
    repository, tip = assessor.repository, assessor.notes.commit
    question = "did every notes commit keep what its parents had?"
    if tip is None:
        return Check("append-only", question, 0, ())
    found: list[Finding] = []
    for loss in whole.losses:
        author = repository.commit(loss.commit).author
        back = loss.line in assessor.notes.lines(loss.oid)
        found.append(
            Finding(
                "notes.line-lost",
                f"notes commit {loss.commit[:12]} ({author.email}) lost {described(loss.line)}"
                + ("; it is back since" if back else ""),
                ""
                if back
                else f"`git notes --ref={notes.REF} show` at {loss.parent[:12]} has it: unite the two",
                "warning" if back else "error",
            )
        )
    return Check("append-only", question, whole.commits, in_order(found))


def _check_witnesses(assessor: Assessor, whole: Whole) -> Check:
    """8. What main says it saw must still be there."""
    question = "is everything that was witnessed still there?"
    found: list[Finding] = []
    for known in assessor.verified_elsewhere:
        found.append(
            Finding(
                "notes.truncated",
                f"this clone had the notes {str(known.commit)[:12]}; its notes do not contain them any more",
                "`gitchange sync` brings them back, or says who lost what; `gitchange sync --restore` mends that",
            )
        )
    if assessor.notes.commit is None and whole.witnessed:
        found.append(
            Finding(
                "notes.missing",
                f"{whole.witnessed} commit(s) of the branch of record witness notes that are not in this clone",
                "`gitchange sync` fetches them; documented changes were checked from their records",
                "warning",
            )
        )
    else:
        found += [
            Finding(
                "notes.truncated",
                f"commit {commit[:12]} witnesses the notes commit {named[:12]}, which the notes do not contain",
                f"sign-offs were lost; a clone that has {named[:12]} can restore them (trailer {TRAILER})",
            )
            for named, commit in whole.absent.items()
        ]
    return Check("witnesses", question, whole.witnessed, in_order(found))
