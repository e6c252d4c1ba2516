"""`gate`: may this commit be deployed? Answers at once, by what this clone knows; a pipeline fetches before it asks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from gitchange.errors import UsageError
from gitchange.git.application import Application
from gitchange.index.rows import Wanted
from gitchange.lifecycle.gate import Deployable, refusals
from gitchange.values import Value
from gitchange.workflow import coverage, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gitchange.lifecycle.gate import Refusal
    from gitchange.workflow.coverage import Coverage
    from gitchange.workflow.workspace import Workspace


class Decision(Value):
    """What the gate says, and by what."""

    commit: str
    system: str
    environment: str | None
    at: dt.datetime
    since: str
    """From which commit on was looked: the tag or the revision that was given; empty for the whole history."""
    refusals: tuple[Refusal, ...]
    coverage: Coverage

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.refusals


def gate(
    workspace: Workspace,
    directory: Path,
    revision: str,
    system: str,
    *,
    environment: str | None = None,
    base: str | None = None,
    at: dt.datetime | None = None,
) -> Decision:
    """Decide about a commit of an application, in these steps:

    1. what was deployed last: `base`, else the nearest tag of the system's `tags` on an earlier commit;
    2. the coverage of the commits since then that touch the system;
    3. what speaks against deploying them at that moment (now, when not given).
    """
    policy = workspace.policy
    if system not in policy.systems:
        raise UsageError(
            f"the policy has no system {system!r}", hint=f"its systems: {', '.join(sorted(policy.systems))}"
        )
    known = policy.systems[system].environments
    if environment is not None and known and environment not in known:
        raise UsageError(
            f"the system {system} has no environment {environment!r}", hint=f"it runs in {', '.join(known)}"
        )
    application = Application(directory)
    commit = application.commit(revision)
    # 1.
    since = base or ""
    start = application.commit(base) if base is not None else None
    if base is None:
        pattern = policy.systems[system].tags
        if pattern is None:
            raise UsageError(
                f"what was deployed of {system} last is not known",
                hint="give its commit with --base, or `tags` (the pattern of its releases) in policy/systems.toml",
            )
        if (tag := application.last_tag(pattern, commit)) is not None:
            since, start = tag
    if start is not None and not application.is_ancestor(start, commit):
        raise UsageError(
            f"{since} is not behind {revision}: commits would be left out",
            hint="for a rollback, or a branch of its own, give a --base that is behind the commit",
        )
    # 2.
    found = coverage.examined(workspace, application, start, commit, [system])
    # 3.
    moment = at or workspace.now
    changes = {change: deployable(shape) for change, shape in found.shapes.items()}
    against = refusals(
        found.coverage.commits, changes, _debts(workspace, system), policy, system, environment, moment
    )
    return Decision(commit, system, environment, moment, since, against, found.coverage)


def _debts(workspace: Workspace, system: str) -> list[Deployable]:
    """Emergencies of the system that were implemented, and not approved in time."""
    listed = reading.list_changes(workspace, Wanted(type=("emergency",), system=(system,)), None)
    late = [summary["id"] for summary in listed.changes if "emergency debt" in summary["flags"]]
    return [deployable(shape) for shape in coverage.shapes_of(workspace, late).values()]


def deployable(shape: Mapping[str, Any]) -> Deployable:
    """What the gate needs to know of a change, from its documented JSON shape."""
    document = shape["document"] or {}
    window = document.get("schedule")
    overrides = [
        (name, signed["role"], signed["by"])
        for signed in shape["sign_offs"]
        if signed["verdict"] == "override-freeze" and signed["counts"]
        for name in signed["answers"].get("freezes", ())
    ]
    return Deployable(
        shape["id"],
        shape["type"] or "",
        shape["risk"] or "",
        tuple(shape["systems"]),
        tuple(document.get("environments", ())),
        (dt.datetime.fromisoformat(window["start"]), dt.datetime.fromisoformat(window["end"]))
        if window
        else None,
        tuple(overrides),
        tuple((n["action"], tuple(n["who"]), n["command"]) for n in shape["next"]),
    )
