"""`policy show`, `approve`, `adopt`: how a policy takes the place of the one before it.

A proposed policy is a folder in some commit. The members of `root` sign it (the sign-offs are kept in the notes of its
tree); when enough of them have, `adopt` commits it on the branch of record together with their envelopes. Signing is
two calls, so that the signer sees what the policy would change. `policy diff` is `comparison`'s.
"""

from __future__ import annotations

from gitchange.errors import GitchangeError, Refused
from gitchange.git.repository import FILE, TREE
from gitchange.git.work_tree import move_branch
from gitchange.ledger import notes
from gitchange.ledger.timeline import APPROVALS, policy_text
from gitchange.lifecycle.policy_diff import differences
from gitchange.model import policy as policies
from gitchange.model.finding import Finding
from gitchange.model.policy import ROOT_ROLE
from gitchange.model.statement import (
    MEANINGS,
    Answers,
    Predicate,
)
from gitchange.model.text import said
from gitchange.model.toml import parse
from gitchange.values import Value
from gitchange.workflow.landing import Landed, land, tip_of
from gitchange.workflow.proposing import propose
from gitchange.workflow.signing import claimed_time, sign_and_keep
from gitchange.workflow.witnessing import trailers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gitchange.ledger.remote import Report
    from gitchange.ledger.signoffs import Text
    from gitchange.ledger.timeline import Reign
    from gitchange.lifecycle.policy_diff import Difference
    from gitchange.model.policy import Policy
    from gitchange.workflow.proposing import Proposed
    from gitchange.workflow.workspace import Workspace


class Proposal(Value):
    """A policy that is to take the place of the one in force."""

    commit: str
    """The commit that has it."""
    policy: Policy
    text: Text
    approved_by: tuple[str, ...]
    """Members of root who have signed it."""
    lines: tuple[bytes, ...]
    """Their envelopes."""
    needed: int
    """How many of them it takes."""
    in_force: Policy
    """The policy that it would follow."""
    differences: tuple[Difference, ...]
    """What it would change against that one."""


class Approval(Value):
    """A proposal that is about to be approved."""

    workspace: Workspace
    proposal: Proposal
    by: str
    """The member of root who signs."""

    @property
    def meaning(self) -> str:
        """The sentence that the signature stands for."""
        return MEANINGS["approve-policy"]


class PolicyState(Value):
    """`policy show`: what is in force, and how it came to be."""

    policy: Policy | None
    reigns: tuple[Reign, ...]


def show_policy(workspace: Workspace) -> PolicyState:
    """The policy in force and its history."""
    return PolicyState(workspace.assessor.policy, tuple(workspace.assessor.timeline.reigns))


def last_approved(workspace: Workspace) -> Reign:
    """The policy in force at the tip, or the last one that was; GitchangeError when there never was one."""
    reigns = workspace.assessor.timeline.reigns
    reign = next((r for r in reversed(reigns) if r.policy is not None), None)
    if reign is None:
        raise GitchangeError("no policy is in force, so none can be approved under it")
    return reign


def obstacle(in_force: Policy, proposed: Policy, raw: bytes = b"") -> Finding | None:
    """Why a readable policy cannot follow the one in force; `raw` is its policy.toml, for the place."""
    path = f"{policies.ROOT}/{policies.POLICY_FILE}"
    if in_force.file.roles.get(ROOT_ROLE) is None:
        message = "the policy in force has no role `root`, so nobody can change it"
        return Finding("policy.no-root", message, "begin another repository, with a root role", path=path)
    if proposed.version != in_force.version + 1:
        line, column = parse(raw).positions.find(("version",))
        return Finding(
            "policy.version",
            f"it has version {proposed.version}; the one in force has {in_force.version}",
            f"set `version = {in_force.version + 1}` in {path}",
            path=path,
            line=line,
            column=column,
            key="version",
        )
    return None


def proposal(workspace: Workspace, revision: str) -> Proposal:
    """The policy of a commit as a proposal; Refused when it cannot follow the one in force."""
    assessor, repository = workspace.assessor, workspace.repository
    in_force = last_approved(workspace).policy
    assert in_force is not None  # noqa: S101 - that is what it is
    commit = repository.resolve(revision)
    loaded, found = assessor.policies.at(commit)
    if loaded is None:
        listing = "\n".join(f"  {f.where or f.path}: {f.message}" for f in found)
        raise Refused(f"the policy of {revision} has errors:\n{listing}")
    if loaded.tree == in_force.tree:
        raise Refused(
            f"the policy of {revision} is the one in force",
            hint="commit the new policy, on a branch if you like, and name it: `gitchange policy approve BRANCH`",
        )
    if (problem := obstacle(in_force, loaded)) is not None:
        raise Refused(f"the policy of {revision} cannot follow: {problem.message}", hint=problem.hint)
    lines = assessor.notes.lines(loaded.tree)
    by, counting = assessor.timeline.approving(lines, loaded, in_force, workspace.now)
    needed = in_force.file.roles[ROOT_ROLE].threshold
    text = policy_text(repository, loaded.tree, loaded.version)
    changes = differences(in_force, loaded)
    return Proposal(commit, loaded, text, by, counting, needed, in_force, changes)


def prepare_approval(workspace: Workspace, revision: str, *, fetch: bool = True) -> Approval:
    """Find what is to be approved, and by whom, in these steps:

    1. fetch, and find the proposal;
    2. the signer must be a member of root under the policy in force.
    """
    # 1.
    if fetch:
        workspace.exchange(with_branch=False, sending=False)
    workspace = workspace.fresh()
    proposed = proposal(workspace, revision)
    # 2.
    by = workspace.principal_under(proposed.in_force)
    if by not in proposed.in_force.members(ROOT_ROLE):
        raise Refused(
            f"{by} is no member of root, and only they decide about the policy",
            hint=f"members: {', '.join(proposed.in_force.members(ROOT_ROLE)) or 'none'}",
        )
    return Approval(workspace, proposed, by)


def approve_policy(approval: Approval, comment: str, *, push: bool = True) -> tuple[Proposal, Report | None]:
    """Sign what was prepared, check what was signed, keep it in the note of the policy's folder, send it."""
    workspace, proposed = approval.workspace, approval.proposal
    assessor = workspace.assessor
    predicate = said(
        Predicate,
        change=proposed.text.change,
        step="policy",
        verdict="approve-policy",
        by=approval.by,
        role=ROOT_ROLE,
        meaning=approval.meaning,
        answers=Answers(),
        comment=comment.strip(),
        repository=assessor.ground.introduction,
        policy=proposed.in_force.tree,
        log=assessor.notes.commit,
        time=claimed_time(workspace),
    )
    message = f"approve policy version {proposed.policy.version} by {approval.by}\n"
    sign_and_keep(workspace, proposed.in_force, proposed.text, predicate, message)
    report = workspace.exchange(with_branch=False) if push else None
    return proposal(workspace.fresh(), proposed.commit), report


class Adopted(Value):
    """What `policy adopt` did."""

    proposal: Proposal
    commit: str
    report: Report | None
    proposed: Proposed | None = None
    """The branch that waits to be merged, when it is on one; until then the policy is not in force."""


def adopt_policy(workspace: Workspace, revision: str, *, push: bool = True, on: str | None = None) -> Adopted:
    """Put an approved policy in force: commit it with its approvals on the branch of record.

    With `on` ("" for policy/vN), or where the policy in force wants merge requests, on a branch of that name
    instead. Refused while root's threshold, under the policy in force, is not met.
    """
    fetched = workspace.exchange(with_branch=False, sending=False) if push else None
    workspace = workspace.fresh()
    proposed, entries, message = _adoption(workspace, revision)
    repository = workspace.repository
    by_request = proposed.in_force.file.merge_requests and repository.head_ref() in (workspace.branch, None)
    if on is not None or by_request:
        report = workspace.exchange(with_branch=False) if push else None
        made = propose(workspace, on or f"policy/v{proposed.policy.version}", entries, message, push=push)
        return Adopted(proposed, made.commit, report, made)

    def commit(place: Workspace) -> Landed:
        adopted, entries, message = _adoption(place, revision)
        old = tip_of(place)
        tree = repository.edit_tree(repository.tree_of(old), entries)
        made = repository.write_commit(tree, (old,), message, *place.who())
        log = f"gitchange policy adopt {adopted.policy.version}"
        return Landed(old, made, move_branch(repository, place.branch, old, made, log))

    landed, report = land(workspace, commit, push=push, command="policy adopt", after=fetched)
    return Adopted(proposed, landed.commit, report if push else None)


def _adoption(workspace: Workspace, revision: str) -> tuple[Proposal, dict[str, tuple[str, int] | None], str]:
    """What adopting commits: the proposal, its files, the message; Refused while it may not be adopted."""
    proposed = proposal(workspace, revision)
    repository, assessor = workspace.repository, workspace.assessor
    if len(proposed.approved_by) < proposed.needed:
        raise Refused(
            f"policy version {proposed.policy.version} is approved by "
            f"{', '.join(proposed.approved_by) or 'nobody'}; {proposed.needed} of root are needed",
            hint=f"`gitchange policy approve {revision}` by the others",
        )
    version = proposed.policy.version
    entries: dict[str, tuple[str, int] | None] = {
        policies.ROOT: (proposed.policy.tree, TREE),
        f"{APPROVALS}/{version}.jsonl": (repository.write_blob(notes.join(proposed.lines)), FILE),
    }
    message = (
        f"Adopt policy version {version}\n\nApproved by {', '.join(proposed.approved_by)}.\n\n"
        f"{trailers(None, assessor.notes.commit)}"
    )
    return proposed, entries, message
