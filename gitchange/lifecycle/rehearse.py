"""Would this sign-off count, and what awaits this request? Asked before, answered by the rules that judge after.

The sign-off is added to the evidence as if it had been made now, by somebody who has seen
everything, and the case is judged again.
"""

from __future__ import annotations

from gitchange.lifecycle import freezes, rules
from gitchange.lifecycle.judge import judge
from gitchange.model.evidence import Evidence, SignOff
from gitchange.model.finding import Finding
from gitchange.model.policy import RECORDER_ROLE
from gitchange.model.statement import MEANINGS
from gitchange.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from typing import Any

    from gitchange.lifecycle.rules import SignedStep
    from gitchange.lifecycle.verdict import Verdict
    from gitchange.model.change import Change
    from gitchange.model.policy import Policy
    from gitchange.model.statement import ChangeStep, VerdictName


class Rehearsal(Value):
    """What would come of a sign-off."""

    role: str
    """The role in which it would be signed; empty when the person holds none that is asked."""
    counts: bool
    objections: tuple[Finding, ...]
    """Why it would not count."""
    verdict: Verdict
    """The verdict on the change after it."""


def rehearse(
    evidence: Evidence,
    policy: Policy,
    now: dt.datetime,
    *,
    step: ChangeStep,
    verdict: VerdictName,
    by: str,
    role: str | None = None,
    overriding: tuple[str, ...] = (),
) -> Rehearsal:
    """Try the sign-off in each role the person could sign in; the first that counts for something new wins.

    `overriding` are the freezes that an override is to lift; all that the role may lift when there are none.
    """
    before = judge(evidence, policy, now)
    best: Rehearsal | None = None
    for candidate in [role] if role is not None else _roles(evidence, policy, step, by):
        answers: dict[str, Any] = {}
        if step == "freeze":
            answers["freezes"] = overriding or liftable(evidence, policy, candidate)
        sign_off = _imagined(evidence, now, step, verdict, by, candidate, answers)
        after = judge(replace(evidence, sign_offs=(*evidence.sign_offs, sign_off)), policy, now)
        if step == "withdrawal":
            counts = after.status == "withdrawn"
        else:
            stage = "evaluation" if step == "freeze" else step
            counts = any(s is sign_off for s in after.step(stage).counting) or _lifts(
                before, after, stage, by
            )
            # On a withdrawn change there is nothing to sign any more but that it was backed out.
            counts = counts and (after.status != "withdrawn" or verdict == "back-out")
        known = {(f.code, f.message) for f in before.findings}
        new = tuple(
            f
            for f in after.findings
            if (f.code, f.message) not in known and f.code not in ("policy.nobody-can", "policy.too-few-can")
        )
        rehearsal = Rehearsal(candidate, counts, () if counts else new or _obstacles(after), after)
        if counts and (_progress(after) > _progress(before) or step == "freeze"):
            return rehearsal
        if best is None or (counts and not best.counts):
            best = rehearsal
    if best is not None:
        return best
    return Rehearsal("", False, (_no_role(evidence, policy, step, by),), before)


def liftable(evidence: Evidence, policy: Policy, role: str) -> tuple[str, ...]:
    """Names of the soft freezes at the planned time that this role may lift."""
    return tuple(
        dict.fromkeys(
            o.freeze.name
            for o in freezes.planned_in(policy, evidence.change)
            if o.freeze.override is not None and o.freeze.override.role == role
        )
    )


def _no_role(evidence: Evidence, policy: Policy, step: ChangeStep, by: str) -> Finding:
    change = evidence.change
    if by in policy.members(RECORDER_ROLE):
        return Finding(
            "sign-off.by-recorder",
            f"{by} is a {RECORDER_ROLE}: a machine that keeps results and signs nothing else",
            "a person signs, with a key of their own",
            change=change.id,
        )
    if step == "freeze":
        planned = freezes.planned_in(policy, change)
        roles = [o.freeze.override.role for o in planned if o.freeze.override is not None]
        if not planned:
            message, mend = "it is not planned in any freeze", "there is nothing to override"
        elif not roles:
            message = f"a hard freeze is lifted by nobody: {', '.join(map(str, planned))}"
            mend = "plan another window; what cannot wait is an emergency"
        else:
            message, mend = f"{by} may not override this freeze", f"these roles may: {', '.join(roles)}"
        return Finding("freeze.not-liftable", message, mend, change=change.id)
    asked = ", ".join(a.role for a in rules.asked(policy, change, step)) if step != "withdrawal" else ""
    return Finding(
        "sign-off.role-not-held",
        f"{by} holds no role that may sign the {step} of this change",
        f"these roles may: {asked}" if asked else "add a rule to the policy",
        change=change.id,
    )


_FORESEEN = ("freeze.", "standard.", "policy.")


def foresee(change: Change, policy: Policy, now: dt.datetime) -> tuple[Finding, ...]:
    """What will stand in the way of a change that nobody has signed yet: a freeze, its model, too few people."""
    evidence = Evidence(change, "", "", 0, frozenset())
    found = judge(evidence, policy, now).findings
    return tuple(replace(f, severity="warning") for f in found if f.code.startswith(_FORESEEN))


def _roles(evidence: Evidence, policy: Policy, step: ChangeStep, by: str) -> list[str]:
    held = policy.roles_of(by)
    if step == "withdrawal":
        # Not a matter of role but of whose change it is; any role that the person holds will do.
        return list(held[:1])
    if step == "freeze":
        planned = freezes.planned_in(policy, evidence.change)
        roles = dict.fromkeys(o.freeze.override.role for o in planned if o.freeze.override is not None)
        return [role for role in roles if role in held]
    return [asked.role for asked in rules.asked(policy, evidence.change, step) if asked.role in held]


def _imagined(
    evidence: Evidence,
    now: dt.datetime,
    step: ChangeStep,
    verdict: VerdictName,
    by: str,
    role: str,
    answers: Mapping[str, Any],
) -> SignOff:
    return SignOff(
        digest="rehearsal",
        change=evidence.change.id,
        step=step,
        verdict=verdict,
        by=by,
        role=role,
        meaning=MEANINGS[verdict],
        answers=answers,
        comment="",
        policy="",
        log=None,
        time=now.isoformat(),
        path=evidence.change.path,
        blob=evidence.blob,
        sha256=evidence.sha256,
        key="",
        key_type="",
        certificate="",
        seen=frozenset(s.digest for s in evidence.sign_offs),
        line="",
    )


def _lifts(before: Verdict, after: Verdict, step: SignedStep, by: str) -> bool:
    """Whether it takes back the person's own refusal, though others' still stand or no approval is needed."""
    refused = before.step(step).state == "refused" and any(s.by == by for s in before.step(step).counting)
    return refused and not any(s.by == by for s in after.step(step).counting)


def _progress(verdict: Verdict) -> int:
    """How many persons have met demands; more is further."""
    return sum(min(len(r.by), r.needed) for step in verdict.steps for r in step.requirements)


def _obstacles(after: Verdict) -> tuple[Finding, ...]:
    return tuple(f for f in after.findings if f.severity != "note") or (
        Finding("sign-off.no-effect", f"it would not count while the change is {after.status}"),
    )
