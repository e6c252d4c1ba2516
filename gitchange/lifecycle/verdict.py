"""The verdict on a change: data, never typed by anybody, always computed."""

from __future__ import annotations

from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from typing import Any, Literal

    from gitchange.model.evidence import SignOff
    from gitchange.model.finding import Finding

    Status = Literal[
        "requested",
        "info-requested",
        "approved",
        "rejected",
        "implemented",
        "failed",
        "validated",
        "documented",
        "withdrawn",
    ]
    """The words of `status.STATUSES`."""

    Stage = Literal["request", "evaluation", "implementation", "validation", "documentation"]
    StageState = Literal["done", "waiting", "refused", "not-needed", "later", "ended"]
    Action = Literal["edit", "override", "evaluate", "implement", "validate", "document"]


class Requirement(Value):
    """One demand of the policy on a step, and how far it is met."""

    role: str
    needed: int
    """How many persons must sign in the role."""
    by: tuple[str, ...]
    """Who counted towards it."""
    rules: tuple[str, ...]
    """Names of the rules that ask for it."""

    @property
    def met(self) -> bool:
        """Whether enough persons have signed."""
        return len(self.by) >= self.needed


class StepState(Value):
    """Where one of the five steps stands."""

    step: Stage
    state: StageState
    requirements: tuple[Requirement, ...] = ()
    counting: tuple[SignOff, ...] = ()
    """Sign-offs that decide this step, in the order in which they were made."""
    note: str = ""
    """One sentence for readers, e.g. why the step is not needed."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "step": self.step,
            "state": self.state,
            "note": self.note,
            "requirements": [
                {"role": r.role, "needed": r.needed, "by": list(r.by), "rules": list(r.rules), "met": r.met}
                for r in self.requirements
            ],
            "sign_offs": [s.digest for s in self.counting],
        }


class Next(Value):
    """What happens next, and who can do it."""

    action: Action
    role: str
    """Role that is asked for; empty when any member may."""
    who: tuple[str, ...]
    """Principals who can do it; empty when nobody can, which is a finding."""
    command: str
    """The command to type."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {"action": self.action, "role": self.role, "who": list(self.who), "command": self.command}


class Verdict(Value):
    """The computed state of a change."""

    status: Status
    flags: tuple[str, ...]
    steps: tuple[StepState, ...]
    findings: tuple[Finding, ...]
    next: tuple[Next, ...]
    complete: bool
    """Whether evaluation, implementation and validation are all done: it may be documented."""
    backed_out: bool = False
    """Whether what was validated is the state after backing the change out."""
    due: dt.datetime | None = None
    """Until when the next step is to be done; None where nothing limits it."""

    def step(self, stage: Stage) -> StepState:
        """The state of that step."""
        return next(s for s in self.steps if s.step == stage)

    @property
    def counting(self) -> tuple[SignOff, ...]:
        """All sign-offs that count, in the order of the steps."""
        return tuple(sign_off for step in self.steps for sign_off in step.counting)
