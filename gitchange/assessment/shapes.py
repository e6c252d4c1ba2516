"""The documented JSON shapes of changes (docs/json.md)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from gitchange.assessment.overview import Assessment

SHAPE: Literal[1] = 1
"""Version of the JSON shapes; it changes when a key changes its meaning or goes away."""


def people_of(assessment: Assessment) -> set[str]:
    """Everybody who requested, wrote or signed the change."""
    if assessment.change is None:
        return set()
    authors = assessment.evidence.authors if assessment.evidence else frozenset()
    return {assessment.change.requester, *authors, *(s.by for s in assessment.sign_offs)}


def summary_json(assessment: Assessment) -> dict[str, Any]:
    """One change in a list."""
    change, verdict = assessment.change, assessment.verdict
    return {
        "id": assessment.id,
        "path": assessment.path,
        "status": assessment.status,
        "flags": list(verdict.flags) if verdict else [],
        "title": change.title if change else None,
        "type": change.type if change else None,
        "risk": change.risk if change else None,
        "requester": change.requester if change else None,
        "systems": list(change.systems) if change else [],
        "waiting_on": sorted({who for n in verdict.next for who in n.who}) if verdict else [],
        "errors": sum(1 for f in assessment.findings if f.severity == "error"),
    }


def show_json(assessment: Assessment) -> dict[str, Any]:
    """One change, whole."""
    change, verdict, evidence = assessment.change, assessment.verdict, assessment.evidence
    return {
        "schema": SHAPE,
        **summary_json(assessment),
        "blob": evidence.blob if evidence else None,
        "sha256": evidence.sha256 if evidence else None,
        "request_bytes": evidence.size if evidence else None,
        "policy": {"version": assessment.policy.version, "tree": assessment.policy.tree}
        if assessment.policy
        else None,
        "verified_from": assessment.verified_from,
        "steps": [step.as_json() for step in verdict.steps] if verdict else [],
        "next": [n.as_json() for n in verdict.next] if verdict else [],
        "sign_offs": [
            {
                "digest": s.digest,
                "step": s.step,
                "verdict": s.verdict,
                "by": s.by,
                "role": s.role,
                "meaning": s.meaning,
                "answers": dict(s.answers),
                "comment": s.comment,
                "time": s.time,
                "key": s.key,
                "key_type": s.key_type,
                "blob": s.blob,
                "current": evidence is not None and s.blob == evidence.blob,
                "counts": assessment.counts(s),
                "policy_version": s.judged_by,
                "witness": s.witness,
            }
            for s in assessment.sign_offs
        ],
        "history": [
            {
                "commit": v.commit,
                "author": v.author_email,
                "time": v.time.isoformat(),
                "kind": v.kind,
                "blob": v.blob or None,
                "subject": v.subject,
            }
            for v in assessment.history
        ],
        "findings": [f.as_json() for f in assessment.findings],
        "risk_levels": [risk.level for risk in change.risks] if change else [],
        "document": change.model_dump(mode="json", by_alias=True, exclude_none=True) if change else None,
    }
