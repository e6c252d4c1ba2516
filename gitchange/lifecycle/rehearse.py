"""Would this sign-off count? Asked before anybody signs, answered by the very rules that judge it after.

The sign-off is added to the evidence as if it had been made now, by somebody who has seen
everything, and the case is judged again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from gitchange.lifecycle import rules
from gitchange.lifecycle.judge import judge
from gitchange.lifecycle.rules import SignedStep
from gitchange.lifecycle.verdict import Verdict
from gitchange.model.evidence import Evidence, SignOff
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy
from gitchange.model.statement import MEANINGS, ChangeStep, VerdictName


@dataclass(frozen=True, slots=True)
class Rehearsal:
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
) -> Rehearsal:
    """Try the sign-off in each role the person could sign in; the first that counts for something new wins."""
    before = judge(evidence, policy, now)
    best: Rehearsal | None = None
    for candidate in [role] if role is not None else _roles(evidence, policy, step, by):
        sign_off = _imagined(evidence, now, step, verdict, by, candidate)
        after = judge(replace(evidence, sign_offs=(*evidence.sign_offs, sign_off)), policy, now)
        if step == "withdrawal":
            counts = after.status == "withdrawn"
        else:
            counts = any(s is sign_off for s in after.step(step).counting) or _lifts(before, after, step, by)
            # On a withdrawn change there is nothing to sign any more but that it was backed out.
            counts = counts and (after.status != "withdrawn" or verdict == "back-out")
        known = {(f.code, f.message) for f in before.findings}
        new = tuple(
            f
            for f in after.findings
            if (f.code, f.message) not in known and f.code not in ("policy.nobody-can", "policy.too-few-can")
        )
        rehearsal = Rehearsal(candidate, counts, () if counts else new or _obstacles(after), after)
        if counts and _progress(after) > _progress(before):
            return rehearsal
        if best is None or (counts and not best.counts):
            best = rehearsal
    if best is not None:
        return best
    asked = (
        ", ".join(a.role for a in rules.asked(policy, evidence.change, step)) if step != "withdrawal" else ""
    )
    objection = Finding(
        "sign-off.role-not-held",
        f"{by} holds no role that may sign the {step} of this change",
        f"these roles may: {asked}" if asked else "add a rule to the policy",
        change=evidence.change.id,
    )
    return Rehearsal("", False, (objection,), before)


def _roles(evidence: Evidence, policy: Policy, step: ChangeStep, by: str) -> list[str]:
    held = policy.roles_of(by)
    if step == "withdrawal":
        # Not a matter of role but of whose change it is; any role that the person holds will do.
        return list(held[:1])
    return [asked.role for asked in rules.asked(policy, evidence.change, step) if asked.role in held]


def _imagined(
    evidence: Evidence, now: dt.datetime, step: ChangeStep, verdict: VerdictName, by: str, role: str
) -> SignOff:
    return SignOff(
        digest="rehearsal",
        change=evidence.change.id,
        step=step,
        verdict=verdict,
        by=by,
        role=role,
        meaning=MEANINGS[verdict],
        answers={},
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
