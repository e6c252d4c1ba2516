"""Signing: `approve`, `reject`, `request-info`, `override-freeze`, `implement`, `validate`, `withdraw`.

In two calls, so that the signer sees what is signed: `prepare` finds the text and asks the rules
whether the sign-off would count, `sign` makes the statement, has the user's tool sign it, keeps it in
the notes and sends it.
"""

from __future__ import annotations

from gitchange.errors import GitchangeError, Refused, UsageError
from gitchange.ledger import notes
from gitchange.ledger.signoffs import Text
from gitchange.lifecycle.rehearse import liftable, rehearse
from gitchange.model.policy import RECORDER_ROLE
from gitchange.model.statement import (
    MEANINGS,
    Predicate,
    contradiction,
)
from gitchange.model.text import said
from gitchange.values import Value
from gitchange.workflow.signing import claimed_time, sign_and_keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.assessment.overview import Assessment
    from gitchange.ledger.remote import Report
    from gitchange.lifecycle.rehearse import Rehearsal
    from gitchange.model.evidence import SignOff
    from gitchange.model.finding import Finding
    from gitchange.model.statement import (
        Answers,
        ChangeStep,
        VerdictName,
    )
    from gitchange.workflow.workspace import Workspace


class WouldNotCount(Refused):
    """The rules say that this sign-off would not count; `objections` says why."""

    def __init__(self, change: str, objections: tuple[Finding, ...]) -> None:
        super().__init__(
            f"this sign-off on {change} would not count: " + "; ".join(f.message for f in objections),
            hint=next((f.hint for f in objections if f.hint), ""),
        )
        self.objections = objections


class Draft(Value):
    """What is about to be signed."""

    workspace: Workspace
    assessment: Assessment
    text: Text
    step: ChangeStep
    verdict: VerdictName
    by: str
    rehearsal: Rehearsal
    fetched: Report | None
    branch: str | None = None
    """The branch whose text is meant; None for the branch of record's, or the only one there is."""

    @property
    def role(self) -> str:
        """In which role."""
        return self.rehearsal.role

    @property
    def freezes(self) -> tuple[str, ...]:
        """The freezes that an override lifts when it names none: all that the role may lift."""
        evidence = self.assessment.evidence
        return liftable(evidence, self.workspace.policy, self.role) if evidence else ()

    @property
    def meaning(self) -> str:
        """The sentence that the signature stands for."""
        return MEANINGS[self.verdict]


class Signed(Value):
    """What was signed, and where it is now."""

    sign_off: SignOff
    assessment: Assessment
    """The change as it stands after it."""
    notes: str
    report: Report | None


def prepare(
    workspace: Workspace,
    change_id: str,
    step: ChangeStep,
    verdict: VerdictName,
    *,
    role: str | None = None,
    freezes: tuple[str, ...] = (),
    branch: str | None = None,
    fetch: bool = True,
) -> Draft:
    """Find the text and whether a sign-off on it would count, in these steps:

    1. fetch what others signed (being offline is no error);
    2. the change must be readable, and not be closed; `branch` names the one whose text is meant, when it is not
       the branch of record's;
    3. the user's key must be some person's in the policy;
    4. the rules must let that person's sign-off count: WouldNotCount says why they do not.
    """
    # 1. What others signed.
    fetched = workspace.exchange(with_branch=False, sending=False) if fetch else None
    workspace = workspace.fresh()
    # 2. The change. Without a policy that can be read none can be judged.
    policy = workspace.policy
    assessment = workspace.assessor.one(change_id, branch)
    evidence = assessment.evidence
    if evidence is None or assessment.change is None:
        problems = "; ".join(f.message for f in assessment.findings if f.severity == "error")
        raise GitchangeError(
            f"{assessment.id} cannot be read: {problems}", hint="`gitchange check` tells where"
        )
    if assessment.status == "documented" or assessment.record is not None:
        raise Refused(
            f"{assessment.id} is documented; nothing is signed on it any more",
            hint="what must be corrected is a new change that `amends` this one",
        )
    # 3. The person.
    by = workspace.principal
    if by in policy.members(RECORDER_ROLE):
        raise Refused(
            f"{by} is a {RECORDER_ROLE}: a machine that keeps results and signs nothing else",
            hint="a person signs, with a key of their own: `git config user.signingkey`",
        )
    # 4. The rules.
    if role is not None and by not in policy.members(role):
        raise UsageError(
            f"{by} does not hold the role {role!r}", hint="leave --role out to take the one asked for"
        )
    rehearsal = rehearse(
        evidence, policy, workspace.now, step=step, verdict=verdict, by=by, role=role, overriding=freezes
    )
    if not rehearsal.counts:
        raise WouldNotCount(assessment.id, rehearsal.objections)
    text = Text(assessment.id, assessment.path, evidence.blob, evidence.sha256)
    return Draft(workspace, assessment, text, step, verdict, by, rehearsal, fetched, branch)


def sign(draft: Draft, answers: Answers, comment: str, *, push: bool = True) -> Signed:
    """Sign a draft and keep it, in these steps:

    1. the answers must go with the verdict;
    2. make the statement, have it signed, and keep it;
    3. send it.
    """
    workspace = draft.workspace
    repository = workspace.repository
    # 1. The answers.
    comment = comment.strip()
    if problem := contradiction(draft.verdict, answers, comment):
        raise UsageError(problem)
    # 2. The statement.
    predicate = said(
        Predicate,
        change=draft.text.change,
        step=draft.step,
        verdict=draft.verdict,
        by=draft.by,
        role=draft.role,
        meaning=draft.meaning,
        answers=answers,
        comment=comment,
        repository=workspace.assessor.ground.introduction,
        policy=workspace.policy.tree,
        log=workspace.assessor.notes.commit,
        time=claimed_time(workspace),
    )
    message = (
        f"{draft.verdict} {draft.text.change} by {draft.by} as {draft.role}\n\n"
        f"{draft.assessment.change.title if draft.assessment.change else ''}\n"
    )
    judged, made = sign_and_keep(workspace, workspace.policy, draft.text, predicate, message)
    # 3. Sent.
    report = workspace.exchange(with_branch=False, after=draft.fetched) if push else None
    after = workspace.fresh().assessor.one(draft.text.change, draft.branch)
    return Signed(judged, after, repository.ref(notes.REF) or made, report)
