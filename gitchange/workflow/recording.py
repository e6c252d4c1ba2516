"""`coverage --record` and `gate --record`: an answer, signed by a machine and kept as evidence; and what was kept.

What is answered is `coverage`'s and `gate`'s affair. A result is kept in the notes on the commit of the branch of
record that it was computed from, so it is sent, united, witnessed and never lost as sign-offs are.
"""

from __future__ import annotations

from gitchange.assessment import results
from gitchange.assessment.results import Recorded, accepts
from gitchange.errors import GitchangeError, Refused
from gitchange.forges import references
from gitchange.git.application import Application
from gitchange.index import recorded as kept_in_index
from gitchange.index import refresh
from gitchange.ledger import notes
from gitchange.ledger.remote import tracking_notes
from gitchange.ledger.results import is_policy_of
from gitchange.ledger.signoffs import Authenticator, Doubt, Text
from gitchange.lifecycle.coverage import counts
from gitchange.model.policy import RECORDER_ROLE
from gitchange.model.result import MEANINGS, OPEN_STATES, OUTCOMES, commits_said, gate_said, write_result
from gitchange.values import Value, replace
from gitchange.workflow.signing import claimed_time, kept, not_accepted, signed_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from typing import Any

    from gitchange.ledger.remote import Report
    from gitchange.model.result import Kind, Result
    from gitchange.workflow.coverage import Coverage
    from gitchange.workflow.gate import Decision
    from gitchange.workflow.workspace import Workspace


class Kept(Value):
    """A result that was signed, and where it is now."""

    result: Result
    notes: str
    """The notes commit that has it."""
    report: Report | None
    sent: bool | None
    """Whether the remote has it; None where there is none, or it was not to be sent."""


def record_coverage(workspace: Workspace, done: Coverage, revisions: str, *, push: bool = True) -> Kept:
    """Sign the coverage of BASE..HEAD and keep it, with what the base was called where that is a name."""
    base = revisions.partition("..")[0].strip() if ".." in revisions else ""
    since = base if base and done.base and not done.base.startswith(base.lower()) else None
    is_complete = not any(counts(done.commits)[state] for state in OPEN_STATES)
    outcome = OUTCOMES["coverage"][0 if is_complete else 1]
    return _record(workspace, done, "coverage", outcome, {"since": since, "gate": None}, push=push)


def record_decision(workspace: Workspace, done: Decision, *, push: bool = True) -> Kept:
    """Sign a decision of the gate and keep it, a refusal too."""
    outcome = OUTCOMES["gate"][0 if done.allowed else 1]
    refusals = [(r.code, r.message, r.mend, r.who) for r in done.refusals]
    further = {
        "since": done.since or None,
        "gate": gate_said(done.environment, done.at.isoformat(timespec="seconds"), refusals),
    }
    return _record(workspace, done.coverage, "gate", outcome, further, push=push)


def _record(
    workspace: Workspace, done: Coverage, kind: Kind, outcome: str, further: dict[str, Any], *, push: bool
) -> Kept:
    """Keep an answer, in these steps:

    1. the user's key must be a recorder's in the policy;
    2. write the statement and have it signed;
    3. it must be genuine by the very check that readers make;
    4. append it to the note of the commit that it was computed from;
    5. send it. When that fails it is kept here, and the report says so.
    """
    # 1.
    policy = workspace.policy
    by = workspace.principal
    if by not in policy.members(RECORDER_ROLE):
        raise Refused(
            f"{by} is no {RECORDER_ROLE}: a result counts only when a machine signs that may do nothing else",
            hint=f"give the pipeline a key of its own, and its principal the role {RECORDER_ROLE} in the policy",
        )
    workspace = replace(workspace, known_as=by)
    # 2.
    ground = workspace.assessor.ground
    predicate = {
        "kind": kind,
        "by": by,
        "role": RECORDER_ROLE,
        "meaning": MEANINGS[kind],
        "repository": ground.introduction,
        "main": done.main,
        "log": done.notes,
        "policy": done.policy[1],
        "time": claimed_time(workspace),
        "systems": list(done.systems),
        "base": done.base,
        "outcome": outcome,
        "commits": commits_said(done.listed, counts(done.commits), done.elsewhere),
        **further,
    }
    line = signed_line(workspace, write_result(_address(workspace, done), done.head, predicate))
    # 3.
    authenticator = Authenticator(workspace.repository, ground.introduction, policy, workspace.now)
    judged = authenticator.authenticate_result(line, Text("", "", done.main, ""))
    if isinstance(judged, Doubt):
        raise not_accepted(judged)
    if not is_policy_of(workspace.repository, done.main, done.policy[1]):
        raise GitchangeError(
            "the branch of record got another policy while this was computed", hint="run it again"
        )
    # 4.
    what = f"{kind} of {','.join(done.systems)} {outcome}"
    made = kept(workspace, done.main, line, f"record {what} by {by}\n", f"gitchange record {kind}")
    # 5.
    report: Report | None = None
    if push:
        try:
            report = workspace.exchange(with_branch=False)
        except GitchangeError as error:
            raise GitchangeError(
                f"the result {judged.digest[:12]} is kept here and was not sent: {error.message}",
                hint=error.hint or "`gitchange sync` sends it",
            ) from error
    sent: bool | None = None
    if report is not None and report.remote is not None:
        theirs = workspace.repository.ref(tracking_notes(report.remote))
        sent = theirs is not None and workspace.repository.is_ancestor(made, theirs)
    return Kept(judged, workspace.repository.ref(notes.REF) or made, report, sent)


def _address(workspace: Workspace, done: Coverage) -> str:
    """The application's repository as the policy names it; else as its clone does, without whoever logs in there."""
    own = [references.repository_of(address) for address in Application(done.application).remotes()]
    systems = workspace.policy.systems
    named = [address for name in done.systems for address in systems[name].repositories]
    for address in named:
        if references.repository_of(address) in own:
            return address
    if len({references.repository_of(address) for address in named}) == 1:
        return named[0]
    return own[0] if own else done.application.resolve().name


def recorded(
    workspace: Workspace, kind: Kind | None = None, systems: Sequence[str] = (), limit: int | None = None
) -> tuple[Recorded, ...]:
    """What was recorded, newest first: of one kind and of these systems, where they are given."""

    def asked(index: sqlite3.Connection) -> tuple[Recorded, ...]:
        return kept_in_index.recorded(index, kind)

    where = workspace.repository, workspace.now, workspace.introduction
    found = refresh.ask(*where, asked, workspace.tell) if workspace.at is None else None
    if found is None:
        found = results.recorded(workspace.assessor)
    wanted = tuple(one for one in found if accepts(one.shown, kind, systems))
    return wanted[:limit]
