"""`verify`: is everything that this repository claims borne out by its evidence?

Numbered checks, each with how much it looked at and what it found, so that an auditor can see
that nothing was passed over. The same answers as `show` gives for one change, for all of them, and
what only shows in the whole: removed files, notes on nothing, witnesses without their notes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from gitchange.assessment.assess import Assessor
from gitchange.assessment.overview import Assessment
from gitchange.git import program
from gitchange.git.program import Touch
from gitchange.ledger import chain, notes
from gitchange.ledger.records import TRAILER, trailer_of
from gitchange.ledger.remote import verified_branch
from gitchange.ledger.signoffs import Doubt, Text, described, signers_of
from gitchange.model import identifiers
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.model.statement import StatementError, read_statement
from gitchange.signing.dsse import EnvelopeError, parse_envelope


@dataclass(frozen=True, slots=True)
class Check:
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


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer, and what it rests on."""

    verdict: Literal["ok", "breach", "undecided"]
    main: str
    notes: str | None
    introduction: str
    pinned: bool
    policy: str | None
    checks: tuple[Check, ...]
    assessments: tuple[Assessment, ...]

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


def verify_repository(assessor: Assessor, changes: tuple[str, ...] = ()) -> Verification:
    """Check the repository, or a few changes of it, in these steps:

    1. the introduction is pinned and part of the branch of record;
    2. the policy can be read, and every version was approved under the one before it;
    3. every change file can be read and lies where it belongs, and none was removed;
    4. every line of the notes is a sign-off on a text of a change; one that is none is a warning where it decides
       nothing: on a text that is not merged yet, an earlier one, or that of a documented change;
    5. no notes commit lost a line of its parents;
    6. every sign-off of an open change is genuine;
    7. every documented change is borne out by its record, from the branch of record alone;
    8. every notes commit that the branch of record witnesses is contained in the notes.

    `undecided` when something needed is missing (policy, objects); `breach` when a check found an error.
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
        assessments = tuple(assessor.one(change) for change in changes)
        removed: tuple[Finding, ...] = ()
    else:
        assessments = assessor.all()
        removed = assessor.removed()
    unreadable = [f for a in assessments if a.verdict is None for f in a.findings]
    checks.append(
        Check(
            "change files",
            "is every change file readable, in its place, and still there?",
            len(assessments),
            in_order([*unreadable, *removed]),
        )
    )
    # 4. The notes.
    if not changes:
        count, notes_found = _check_notes(assessor, assessments)
        checks.append(
            Check("notes", "is every line of the notes a sign-off on a change?", count, notes_found)
        )
        # 5. Append-only.
        checks.append(_check_chain(assessor))
    # 6. and 7. The changes.
    for name, question, wanted in (
        ("open changes", "is every sign-off on an open change genuine?", False),
        ("documented changes", "does every record bear out that its change was complete?", True),
    ):
        judged = [a for a in assessments if a.verdict is not None and (a.record is not None) == wanted]
        about = in_order([f for a in judged for f in a.findings])
        checks.append(Check(name, question, len(judged), about))
    # 8. The witnesses.
    if not changes:
        checks.append(_check_witnesses(assessor))
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
        assessments,
    )


def _cannot_check(assessor: Assessor) -> bool:
    """Whether a policy has OpenPGP certificates and what checks them is not installed: an error proves nothing then."""
    policies = (reign.policy for reign in assessor.timeline.reigns)
    return any(signers_of(policy).openpgp.missing for policy in policies if policy and policy.openpgp)


def _check_notes(assessor: Assessor, assessments: tuple[Assessment, ...]) -> tuple[int, tuple[Finding, ...]]:
    """4. Notes on what is no text of any change, and lines that are no sign-off where no verdict looks at them.

    The lines on the current text of an open change are judged with it (6.). All others decide nothing: what is wrong
    with one is a warning. Refs other than the branch of record are looked at only where a note is on something else,
    and only for what the branch of record does not have.
    """
    texts = {version.blob: a for a in assessments for version in a.history}
    texts |= {a.evidence.blob: a for a in assessments if a.evidence is not None}
    found: list[Finding] = []
    count = 0
    strange: dict[str, tuple[bytes, ...]] = {}
    for oid, lines in assessor.notes.all():
        count += len(lines)
        if oid in texts:
            found += _idle_lines(assessor, texts[oid], oid, lines)
        else:
            strange[oid] = lines
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
    return count, in_order(found)


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
    for point in assessor.timeline.points:
        if point.moment > assessor.now + dt.timedelta(days=1):
            yield Finding(
                "main.clock-ahead",
                f"commit {point.commit[:12]} claims to be of {point.moment:%Y-%m-%d}, which is still to come",
                "clocks and dates of commits are claims; ask who made it",
                "warning",
            )
            break
    yield from assessor.timeline.clock_findings


def _check_chain(assessor: Assessor) -> Check:
    """5. What a notes commit had, its children have."""
    repository, tip = assessor.repository, assessor.notes.commit
    question = "did every notes commit keep what its parents had?"
    if tip is None:
        return Check("append-only", question, 0, ())
    found: list[Finding] = []
    for loss in chain.losses(repository, tip):
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
    count = sum(1 for _ in repository.ancestors(tip))
    return Check("append-only", question, count, in_order(found))


def _check_witnesses(assessor: Assessor) -> Check:
    """8. What main says it saw must still be there."""
    repository, notes_tip = assessor.repository, assessor.notes.commit
    found: list[Finding] = []
    witnessed: dict[str, str] = {}
    # Merged branches too: a merge cannot put a witness aside.
    for commit in repository.ancestors(assessor.ground.main):
        named = trailer_of(repository.commit(commit).message)
        if named is not None:
            witnessed.setdefault(named, commit)
    for known in assessor.verified_elsewhere:
        found.append(
            Finding(
                "notes.truncated",
                f"this clone had the notes {str(known.commit)[:12]}; its notes do not contain them any more",
                "`gitchange sync` brings them back, or says who lost what; `gitchange sync --restore` mends that",
            )
        )
    if notes_tip is None and witnessed:
        found.append(
            Finding(
                "notes.missing",
                f"{len(witnessed)} commit(s) of the branch of record witness notes that are not in this clone",
                "`gitchange sync` fetches them; documented changes were checked from their records",
                "warning",
            )
        )
        return Check(
            "witnesses", "is everything that was witnessed still there?", len(witnessed), in_order(found)
        )
    contained = set(repository.ancestors(notes_tip)) if notes_tip is not None else set()
    for named, commit in witnessed.items():
        if named not in contained:
            found.append(
                Finding(
                    "notes.truncated",
                    f"commit {commit[:12]} witnesses the notes commit {named[:12]}, which the notes do not contain",
                    f"sign-offs were lost; a clone that has {named[:12]} can restore them (trailer {TRAILER})",
                )
            )
    return Check(
        "witnesses", "is everything that was witnessed still there?", len(witnessed), in_order(found)
    )
