"""`document`: closes a change by appending its record, in a commit that witnesses the notes."""

from __future__ import annotations

from gitchange.errors import GitchangeError, Refused
from gitchange.git.repository import FILE
from gitchange.git.work_tree import move_branch
from gitchange.ledger.records import check_record, entry_of, request_of
from gitchange.ledger.signoffs import Text
from gitchange.model.change import parse_change
from gitchange.model.finding import has_errors
from gitchange.model.policy import RECORDER_ROLE
from gitchange.model.record import Record, append_record
from gitchange.model.text import said
from gitchange.values import Value
from gitchange.workflow.landing import Landed, land, tip_of
from gitchange.workflow.proposing import propose
from gitchange.workflow.witnessing import trailers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.assessment.overview import Assessment
    from gitchange.ledger.remote import Report
    from gitchange.model.change import Change
    from gitchange.model.record import Outcome
    from gitchange.workflow.proposing import Proposed
    from gitchange.workflow.workspace import Workspace


class Documented(Value):
    """What `document` did."""

    assessment: Assessment
    commit: str
    witnessed: str
    """The notes commit that the commit's trailer names."""
    report: Report | None
    kept: tuple[str, ...]
    """Files of the work tree that are edited and were left as they are."""
    proposed: Proposed | None = None
    """The branch that waits to be merged, when the record is on one; until then the change is not documented."""


def document(
    workspace: Workspace,
    change_id: str,
    *,
    outcome: Outcome,
    summary: str,
    lessons: str | None = None,
    push: bool = True,
    proposal: str | None = None,
) -> Documented:
    """Close a change, in these steps:

    1. fetch what others signed and wrote;
    2. the change must be on the branch of record, and all its steps complete;
    3. append the record after the request's last byte, and read it back as an auditor will;
    4. commit it with the witness trailer and move the branch;
    5. send notes and branch; when others were faster, begin again on top of their work.

    With `proposal` ("" for record/ID), or where the policy wants merge requests, the commit goes on a branch of that
    name instead; it witnesses the notes when it is merged.
    """
    by = workspace.me()
    if by in workspace.policy.members(RECORDER_ROLE):
        raise Refused(
            f"{by} is a {RECORDER_ROLE}: a machine that keeps results and documents nothing",
            hint="a person documents: `git config user.email` should be your name in the policy",
        )
    # 1. Fetch.
    fetched = workspace.exchange(with_branch=False, sending=False) if push else None
    workspace = workspace.fresh()

    def prepare(place: Workspace) -> _Prepared:
        return _prepare(place, change_id, by, outcome, summary, lessons)

    if proposal is not None or workspace.by_merge_request:
        prepared = prepare(workspace)
        name = proposal or f"record/{prepared.change.id}"
        report = workspace.exchange(with_branch=False) if push else None
        proposed = propose(workspace, name, prepared.entries(workspace), prepared.message, push=push)
        assessment = workspace.fresh().assessor.one(change_id)
        return Documented(assessment, proposed.commit, prepared.witnessed, report, (), proposed)
    # 2. to 5.
    made, report = land(
        workspace,
        lambda place: _commit(place, prepare(place)),
        push=push,
        command="document",
        after=fetched,
    )
    after = workspace.fresh().assessor.one(change_id)
    return Documented(after, made.commit, made.witnessed, report, made.kept)


class _Made(Landed):
    witnessed: str


class _Prepared(Value):
    change: Change
    raw: bytes
    message: str
    witnessed: str

    def entries(self, workspace: Workspace) -> dict[str, tuple[str, int] | None]:
        return {self.change.path: (workspace.repository.write_blob(self.raw), FILE)}


def _prepare(
    workspace: Workspace, change_id: str, by: str, outcome: Outcome, summary: str, lessons: str | None
) -> _Prepared:
    assessor = workspace.assessor
    # 2. Complete.
    _, _, merged = assessor.find(change_id)
    assessment = assessor.one(change_id)
    change, verdict, evidence = assessment.change, assessment.verdict, assessment.evidence
    if change is None or verdict is None or evidence is None:
        raise GitchangeError(f"{assessment.id} cannot be read", hint="`gitchange check` tells where")
    if change.record is not None:
        raise Refused(f"{change.id} is documented already")
    if not merged:
        raise Refused(
            f"{change.id} is not on {workspace.branch.removeprefix('refs/heads/')} yet", hint="merge it first"
        )
    if not verdict.complete:
        upcoming = "; ".join(f"{n.action} ({', '.join(n.who) or 'nobody can'})" for n in verdict.next)
        raise Refused(
            f"{change.id} is {verdict.status}: not all steps are complete",
            hint=f"what is missing: {upcoming}" if upcoming else "`gitchange show` tells what is missing",
        )
    if verdict.backed_out and outcome != "backed-out":
        raise Refused(f"{change.id} was backed out; its outcome is backed-out, not {outcome}")
    if outcome == "backed-out" and not verdict.backed_out:
        raise Refused(
            f"nobody signed that {change.id} was backed out",
            hint=f"`gitchange implement {change.id} --backed-out -m WHY` signs it",
        )
    witnessed = assessor.notes.commit
    assert witnessed is not None  # noqa: S101 - a complete change has sign-offs
    # 3. The record.
    request = request_of(assessment.raw, change)
    record = said(
        Record,
        outcome=outcome,
        summary=summary,
        lessons=lessons,
        documented_by=by,
        time=workspace.now.replace(microsecond=0),
        request_bytes=len(request),
        request_blob=evidence.blob,
        request_sha256=evidence.sha256,
        sign_offs=tuple(entry_of(s) for s in verdict.counting),
    )
    raw = append_record(request, record)
    parsed = parse_change(raw, change.path)
    if parsed.change is None or parsed.change.record is None:
        raise GitchangeError(
            "the record cannot be read back: " + "; ".join(f.message for f in parsed.findings)
        )
    text = Text(change.id, change.path, evidence.blob, evidence.sha256)
    authenticator = assessor.authenticator(workspace.policy, workspace.now)
    _, found = check_record(raw, parsed, text, authenticator)
    if has_errors(found):
        raise GitchangeError("the record does not hold: " + "; ".join(f.message for f in found))
    message = (
        f"Document {change.id}: {change.title}\n\n{outcome}: {summary.strip()}\n\n"
        f"{trailers(change.id, witnessed)}"
    )
    return _Prepared(change, raw, message, witnessed)


def _commit(workspace: Workspace, prepared: _Prepared) -> _Made:
    # 4. The commit.
    repository = workspace.repository
    old = tip_of(workspace)
    tree = repository.edit_tree(repository.tree_of(old), prepared.entries(workspace))
    commit = repository.write_commit(tree, (old,), prepared.message, *workspace.who())
    log = f"gitchange document {prepared.change.id}"
    kept = move_branch(repository, workspace.branch, old, commit, log)
    return _Made(old, commit, kept, prepared.witnessed)
