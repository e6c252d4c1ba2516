"""What would become of the changes if a policy took the place of the one in force.

Every open change is judged twice, by the same code and at the same moment: as it is, and as if the policy had just
been adopted (`Assessor.adopting`). What the policy says otherwise is `gitchange.lifecycle.policy_diff`'s.
"""

from __future__ import annotations

from gitchange.lifecycle.policy_words import listed
from gitchange.lifecycle.status import CLOSED
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.overview import Assessment
    from gitchange.lifecycle.verdict import Next, Verdict
    from gitchange.model.finding import Finding
    from gitchange.model.policy import Policy


class Asked(Value):
    """What a step of a change would need."""

    step: str
    role: str
    needed: int
    """How many persons must sign in the role."""
    before: int
    """How many must now; 0 when the role is not asked for."""
    who: tuple[str, ...]
    """Who can sign, or holds the role when it is not its turn yet."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "step": self.step,
            "role": self.role,
            "needed": self.needed,
            "before": self.before,
            "who": list(self.who),
        }


class Effect(Value):
    """What a policy would do to one change."""

    now: Assessment
    then: Assessment
    policy: Policy
    """The policy that would do it."""

    @property
    def differs(self) -> bool:
        """Whether anything that readers of the change would see is otherwise; that any member may document is not."""
        return (
            self.now.status != self.then.status
            or self.flags_gained != ()
            or self.flags_lost != ()
            or self.asked != ()
            or _steps_of_next(self.now) != _steps_of_next(self.then)
        )

    @property
    def flags_gained(self) -> tuple[str, ...]:
        """Flags that the change would get."""
        return tuple(flag for flag in _flags(self.then) if flag not in _flags(self.now))

    @property
    def flags_lost(self) -> tuple[str, ...]:
        """Flags that it would lose."""
        return tuple(flag for flag in _flags(self.now) if flag not in _flags(self.then))

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Demands that are other than now: asked for newly, with another number, or no more (`needed` 0)."""
        old, new = _demands(self.now.verdict), _demands(self.then.verdict)
        found: list[Asked] = []
        for step, role in dict.fromkeys((*new, *old)):
            before, needed = old.get((step, role), 0), new.get((step, role), 0)
            if before != needed:
                found.append(Asked(step, role, needed, before, self._who(role) if needed else ()))
        return tuple(found)

    def _who(self, role: str) -> tuple[str, ...]:
        for upcoming in _next(self.then):
            if upcoming.role == role:
                return upcoming.who
        return self.policy.members(role)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What would be wrong with the change and is not now; notes are left out."""
        known = {(f.code, f.message) for f in self.now.findings}
        return tuple(
            f for f in self.then.findings if f.severity != "note" and (f.code, f.message) not in known
        )

    @property
    def sentence(self) -> str:
        """All of it in one line, without the change's name."""
        now, then = self.now.status, self.then.status
        words = [f"stays {now}" if now == then else f"{now} -> {then}"]
        for asked in self.asked:
            number = f"{asked.needed} " if max(asked.needed, asked.before) > 1 else ""
            instead = f" instead of {asked.before}" if asked.needed and asked.before else ""
            if asked.needed:
                who = f" ({listed(asked.who)})"
                words.append(f"now needs {number}{asked.role}{instead} for its {asked.step}{who}")
            else:
                words.append(f"needs no {asked.role} for its {asked.step} any more")
        words += [f"gets the flag “{flag}”" for flag in self.flags_gained]
        words += [f"loses the flag “{flag}”" for flag in self.flags_lost]
        if _steps_of_next(self.now) != _steps_of_next(self.then):
            words.append(f"next: {_said(_next(self.then))} (now: {_said(_next(self.now))})")
        return f"{words[0]}: {'; '.join(words[1:])}" if words[1:] else words[0]

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "id": self.now.id,
            "path": self.now.path,
            "title": self.now.change.title if self.now.change else None,
            "status": {"now": self.now.status, "then": self.then.status},
            "flags": {"gained": list(self.flags_gained), "lost": list(self.flags_lost)},
            "asked": [asked.as_json() for asked in self.asked],
            "next": {
                "now": [upcoming.as_json() for upcoming in _next(self.now)],
                "then": [upcoming.as_json() for upcoming in _next(self.then)],
            },
            "sentence": self.sentence,
            "findings": [finding.as_json() for finding in self.findings],
        }


def forecast(assessor: Assessor, policy: Policy) -> tuple[Effect, ...]:
    """What adopting the policy now would do to each change; those to which nothing would happen are left out.

    1. Changes without a record are judged. Records rest on the policies of their time, with one exception: what a
       key signed that a policy calls compromised is void there, too. So where these keys differ, all are judged.
    2. They are judged again as if the policy had been adopted.
    3. What is closed before and after, or is as it was, is left out.
    """
    # 1.
    current = assessor.policy.file.compromised if assessor.policy else ()
    everything = policy.file.compromised != current
    then = assessor.adopting(policy)
    # 2.
    pairs: Iterable[tuple[Assessment, Assessment]] = (
        zip(assessor.all(), then.all(), strict=True)
        if everything
        else zip(assessor.undocumented(), then.undocumented(), strict=True)
    )
    # 3.
    effects = (Effect(one, other, policy) for one, other in pairs)
    return tuple(
        effect
        for effect in effects
        if effect.differs and not (effect.now.status == effect.then.status and effect.now.status in CLOSED)
    )


def _flags(assessment: Assessment) -> tuple[str, ...]:
    return assessment.verdict.flags if assessment.verdict else ()


def _next(assessment: Assessment) -> tuple[Next, ...]:
    return assessment.verdict.next if assessment.verdict else ()


def _steps_of_next(assessment: Assessment) -> frozenset[tuple[str, str, frozenset[str]]]:
    """What comes next, by whom. Documenting is open to every member, so who they are is no matter of the change."""
    return frozenset(
        (n.action, n.role, frozenset(n.who) if n.action != "document" else frozenset())
        for n in _next(assessment)
    )


def _demands(verdict: Verdict | None) -> dict[tuple[str, str], int]:
    """How many must sign in which role; of a step that a standard change is spared, nobody."""
    steps = verdict.steps if verdict else ()
    return {(s.step, r.role): r.needed for s in steps if s.state != "not-needed" for r in s.requirements}


def _said(upcoming: Iterable[Next]) -> str:
    words = [
        f"{n.action} by {'any member' if n.action == 'document' else ', '.join(n.who) or 'nobody'}"
        for n in upcoming
    ]
    return "; ".join(words) or "nothing"
