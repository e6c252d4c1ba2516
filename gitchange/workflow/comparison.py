"""`policy diff`: what a policy would change against another, and what would become of the open changes.

Nothing is written. The words are `gitchange.lifecycle.policy_diff`'s, the judging `gitchange.assessment.forecast`'s;
here the two sides are found.
"""

from __future__ import annotations

import re

from gitchange.assessment.forecast import forecast
from gitchange.errors import GitchangeError, UsageError
from gitchange.lifecycle.policy_diff import differences
from gitchange.model import policy as policies
from gitchange.model.finding import Finding, in_order
from gitchange.model.policy import load_policy
from gitchange.values import Value
from gitchange.workflow.checking import WorkTree
from gitchange.workflow.policies import last_approved, obstacle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from gitchange.assessment.forecast import Effect
    from gitchange.lifecycle.policy_diff import Difference
    from gitchange.model.policy import Policy
    from gitchange.workflow.workspace import Workspace

SHAPE: Literal[1] = 1
"""Version of the JSON shape (docs/json.md)."""

_VERSION = r"v?([1-9][0-9]{0,8})"


class Side(Value):
    """One of the two policies."""

    name: str
    """What it is, for readers: `in force`, `work tree`, or the revision that was asked for."""
    commit: str | None
    """The commit that has it; None for a draft that no commit has."""
    policy: Policy | None
    """None when it cannot be read."""
    files: Mapping[str, bytes]
    """Its files, by their paths below policy/."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with it."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "name": self.name,
            "commit": self.commit,
            "version": self.policy.version if self.policy else None,
            "tree": (self.policy.tree or None) if self.policy else None,
        }


class Comparison(Value):
    """What one policy would change against another."""

    before: Side
    after: Side
    differences: tuple[Difference, ...]
    files: tuple[str, ...]
    """Files of the folder that differ in any byte."""
    changes: tuple[Effect, ...] | None
    """Changes to which something would happen; None when they were not judged."""
    findings: tuple[Finding, ...]
    outcome: Literal["ok", "not-adoptable", "undecided"]
    """Whether the new policy could be adopted, where it was held against the one in force."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "schema": SHAPE,
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "outcome": self.outcome,
            "differences": [difference.as_json() for difference in self.differences],
            "files": list(self.files),
            "changes": None if self.changes is None else [effect.as_json() for effect in self.changes],
            "findings": [finding.as_json() for finding in self.findings],
        }


def compare_policies(
    workspace: Workspace, revisions: tuple[str, ...] = (), *, with_changes: bool = True
) -> Comparison:
    """Compare two policies, in these steps:

    1. the sides: the policy in force and the draft in the work tree; with one revision, the policy in force and
       that one; with two, these. A number, with or without `v`, is a policy version that was in force;
    2. the old one must be readable (GitchangeError); a new one that is not is an answer, with its findings;
    3. against the policy in force: whether the new one could be adopted, and what would become of the open changes;
    4. what differs, in words.

    UsageError for a revision that does not exist, and for a draft where there is no work tree.
    """
    # 1.
    reign = last_approved(workspace) if len(revisions) < 2 else None
    before = (
        _at(workspace, "in force", reign.commit) if reign is not None else _revision(workspace, revisions[0])
    )
    after = _revision(workspace, revisions[-1]) if revisions else _draft(workspace)
    # 2.
    if before.policy is None:
        problems = "; ".join(f.message for f in before.findings)
        raise GitchangeError(
            f"the policy of {before.name} cannot be read, so nothing can be held against it: {problems}"
        )
    found = [*after.findings]
    outcome: Literal["ok", "not-adoptable", "undecided"] = "ok"
    changes: tuple[Effect, ...] | None = None
    files = tuple(
        f"{policies.ROOT}/{path}"
        for path in sorted(before.files.keys() | after.files.keys())
        if before.files.get(path) != after.files.get(path)
    )
    if after.policy is None:
        return Comparison(before, after, (), files, None, in_order(found), "not-adoptable")
    # 3.
    assessor = workspace.anew
    in_force = last_approved(workspace).policy
    if in_force is not None and before.policy.tree == in_force.tree:
        raw = after.files[policies.POLICY_FILE]
        if files and (problem := obstacle(in_force, after.policy, raw)) is not None:
            found.append(problem)
            outcome = "not-adoptable"
        if assessor.policy is None:
            found += assessor.timeline.findings
            outcome = "undecided"
        elif with_changes:
            changes = forecast(assessor, after.policy)
    # 4.
    told = differences(before.policy, after.policy)
    return Comparison(before, after, told, files, changes, in_order(found), outcome)


def _revision(workspace: Workspace, revision: str) -> Side:
    """A version of the policy, otherwise the policy of a commit, branch or tag."""
    if (match := re.fullmatch(_VERSION, revision)) is not None:
        version = int(match[1])
        for reign in workspace.anew.timeline.reigns:
            if reign.policy is not None and reign.policy.version == version:
                return _at(workspace, revision, reign.commit)
    try:
        return _at(workspace, revision, workspace.repository.resolve(revision))
    except UsageError:
        if match is None:
            raise
        raise UsageError(
            f"there is no policy version {match[1]}, and no commit {revision!r}",
            hint="`gitchange policy show` lists the versions",
        ) from None


def _at(workspace: Workspace, name: str, commit: str) -> Side:
    """The policy of a commit."""
    repository = workspace.repository
    loaded, found = workspace.anew.policies.at(commit)
    folder = repository.child(repository.tree_of(commit), policies.ROOT)
    entries = repository.walk(folder.id) if folder is not None and folder.is_tree else ()
    files = {entry.path: repository.blob(entry.id) for entry in entries if entry.is_blob}
    return Side(name, commit, loaded, files, found)


def _draft(workspace: Workspace) -> Side:
    """The policy as it lies in the work tree; that of HEAD when they are the same.

    `policy approve` signs only what a commit has, so a draft that differs from HEAD's is noted.
    """
    repository = workspace.repository
    if repository.work_dir is None:
        raise UsageError(
            "there is no work tree here, so there is no draft",
            hint="name what to compare: `gitchange policy diff BRANCH`, or two versions: `... diff v1 v2`",
        )
    tree = WorkTree(repository.work_dir)
    found: list[Finding] = []
    files: dict[str, bytes] = {}
    for path in tree.below(policies.ROOT):
        if tree.is_file(path):
            files[path.removeprefix(f"{policies.ROOT}/")] = tree.read(path)
        else:
            message = f"{path} is no regular file"
            found.append(Finding("policy.stray-file", message, "remove it", path=path))
    head = repository.ref("HEAD")
    committed = _at(workspace, "HEAD", head) if head is not None else None
    if committed is not None and not found and committed.files == files:
        return Side("work tree", committed.commit, committed.policy, files, committed.findings)
    if not files:
        missing = f"the work tree has no {policies.ROOT}/ folder"
        found.append(Finding("policy.missing", missing, "`git restore policy` brings it back"))
        return Side("work tree", None, None, files, tuple(found))
    loaded, problems = load_policy(files, "")
    if loaded is not None and not found:
        found.append(
            Finding(
                "policy.not-committed",
                "the work tree has another policy than HEAD, and only what is committed can be approved",
                "commit it, on a branch if you like, then `gitchange policy approve BRANCH`",
                "note",
                policies.ROOT,
            )
        )
        return Side("work tree", None, loaded, files, (*found, *problems))
    return Side("work tree", None, None, files, (*found, *problems))
