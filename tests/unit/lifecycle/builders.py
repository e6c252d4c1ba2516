"""Changes, policies and sign-offs for tests of pure rules: real documents, no repository.

The people: rob requests; ada and mo are change managers; bo and cy are developers; dee and fay use the
systems; eve is security; ada also holds `security`, cy also is a system user.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import tomli_w

from gitchange.lifecycle.judge import judge
from gitchange.lifecycle.rehearse import Rehearsal, rehearse
from gitchange.lifecycle.verdict import Verdict
from gitchange.model.change import Change, parse_change, write_change
from gitchange.model.evidence import Evidence, SignOff
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy, load_policy
from gitchange.model.statement import MEANINGS, VERDICTS, StepName, VerdictName

ID = "CHG-20261122-K7Q3"
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
TREE = "7" * 40
BLOB = "b" * 40
SHA256 = "5" * 64

ROB, ADA, MO, BO, CY, DEE, FAY, EVE, ZED = (
    f"{name}@example.org" for name in ("rob", "ada", "mo", "bo", "cy", "dee", "fay", "eve", "zed")
)

RULE: dict[str, Any] = {
    "name": "every change",
    "evaluation": {"role": "change-manager", "approvals": 1},
    "implementation": {"role": "developer"},
    "validation": {"role": "system-user"},
}
SECURITY: dict[str, Any] = {
    "name": "high risk to customer data",
    "when": {"types": ["normal", "emergency"], "risk": ["high", "critical"], "customer_data": True},
    "evaluation": {"role": "security", "approvals": 1},
}
ROLES: dict[str, Any] = {
    "root": {"members": [ADA, EVE], "threshold": 2},
    "change-manager": {"members": [ADA, MO]},
    "developer": {"members": [BO, CY]},
    "system-user": {"members": [DEE, FAY, CY]},
    "security": {"members": [EVE, ADA]},
    "requester": {"members": [ROB]},
}
SYSTEMS: dict[str, Any] = {
    "api": {"name": "API", "customer_data": True, "environments": ["staging", "production"]},
    "database": {"name": "Database", "customer_data": True},
    "website": {"name": "Website", "customer_data": False},
}
MODELS: dict[str, Any] = {"patch": {"title": "Routine patch", "systems": ["website"], "max_risk": "low"}}

_ROLE: dict[StepName, str] = {
    "evaluation": "change-manager",
    "freeze": "change-manager",
    "implementation": "developer",
    "validation": "system-user",
    "withdrawal": "requester",
}
_STEP: dict[VerdictName, StepName] = {v: step for step, verdicts in VERDICTS.items() for v in verdicts}


def policy_data(**changes: Any) -> dict[str, Any]:
    """policy.toml as plain data, with these top-level keys put in place."""
    return {"version": 1, "roles": ROLES, "rules": [RULE, SECURITY], **changes}


def policy_files(
    policy: Mapping[str, Any] | None = None,
    systems: Mapping[str, Any] | None = None,
    models: Mapping[str, Any] | None = None,
) -> dict[str, bytes]:
    """The files of a policy folder."""
    files = {
        "policy.toml": tomli_w.dumps(policy_data() if policy is None else policy).encode(),
        "systems.toml": tomli_w.dumps({"systems": SYSTEMS if systems is None else systems}).encode(),
        "allowed_signers": b"",
    }
    for name, model in (MODELS if models is None else models).items():
        files[f"models/{name}.toml"] = tomli_w.dumps(model).encode()
    return files


def a_policy(*, systems: Mapping[str, Any] | None = None, models: Any = None, **changes: Any) -> Policy:
    """A readable policy, with these top-level keys of policy.toml put in place."""
    policy, found = load_policy(policy_files(policy_data(**changes), systems, models), TREE)
    assert policy is not None, found
    return policy


def rule(**changes: Any) -> dict[str, Any]:
    """The rule for every change, with these keys put in place."""
    return {**RULE, **changes}


def risk(likelihood: str = "rare", impact: str = "minor") -> dict[str, Any]:
    """One risk of a change file."""
    return {
        "description": "Clients refuse it",
        "category": "availability",
        "likelihood": likelihood,
        "impact": impact,
        "mitigations": ["keep the old one"],
    }


def a_change(**changes: Any) -> Change:
    """A readable change of low risk to the API, requested by rob, with these keys put in place."""
    data = {
        "schema": 1,
        "id": ID,
        "title": "Rotate the certificate",
        "type": "normal",
        "requester": ROB,
        "systems": ["api"],
        "reason": "It expires.",
        "scope": "Both load balancers.",
        "rollback": "Put the old one back.",
        "test_plan": "curl from outside",
        "steps": [{"action": "Install it"}],
        "risks": [risk()],
        **changes,
    }
    parsed = parse_change(write_change(data), f"changes/2026/11/{ID}.toml")
    assert parsed.change is not None, parsed.findings
    return parsed.change


EMERGENCY: dict[str, Any] = {
    "type": "emergency",
    "emergency": {"incident": "INC-1", "justification": "It burns."},
}
STANDARD: dict[str, Any] = {"type": "standard", "model": "patch", "systems": ["website"]}


def a_sign_off(
    by: str,
    verdict: VerdictName,
    seen: Iterable[SignOff] | None,
    *,
    role: str | None = None,
    time: dt.datetime = NOW,
    number: int = 0,
) -> SignOff:
    """A genuine sign-off by somebody who had seen these others; None when nobody knows what was seen."""
    step = _STEP[verdict]
    known = None if seen is None else frozenset(s.digest for s in seen)
    what = f"{number} {by} {verdict} {role} {sorted(known or ())}"
    return SignOff(
        digest=hashlib.sha256(what.encode()).hexdigest(),
        change=ID,
        step=step,
        verdict=verdict,
        by=by,
        role=_ROLE[step] if role is None else role,
        meaning=MEANINGS[verdict],
        answers={},
        comment="",
        policy=TREE,
        log="1" * 40,
        time=time.isoformat(),
        path=f"changes/2026/11/{ID}.toml",
        blob=BLOB,
        sha256=SHA256,
        key="SHA256:k",
        key_type="ssh-ed25519",
        certificate="",
        seen=known,
        line="{}",
    )


class Story:
    """One change as it goes on: each `sign` is by somebody who has seen all before, unless told otherwise."""

    def __init__(self, policy: Policy | None = None, **change: Any) -> None:
        self.policy = policy or a_policy()
        self.change = a_change(**change)
        self.signed: list[SignOff] = []
        self.stale: list[SignOff] = []
        self.facts: dict[str, Any] = {"authors": frozenset({ROB})}

    def __repr__(self) -> str:
        names = {s.digest: str(number) for number, s in enumerate(self.signed)}
        lines = [
            f"{number}. {s.by.split('@')[0]} {s.verdict} as {s.role}, having seen "
            + ("?" if s.seen is None else ",".join(sorted(names.get(d, "x") for d in s.seen)) or "-")
            for number, s in enumerate(self.signed)
        ]
        facts = f"{self.change.type} by {self.change.requester}, {self.facts}"
        return "\n".join([facts, *map(str, self.policy.file.rules), *lines])

    def sign(
        self,
        by: str,
        verdict: VerdictName,
        role: str | None = None,
        *,
        seen: Iterable[SignOff] | str | None = "all",
        time: dt.datetime = NOW,
    ) -> SignOff:
        """Add a sign-off."""
        known = list(self.signed) if isinstance(seen, str) else seen
        made = a_sign_off(by, verdict, known, role=role, time=time, number=len(self.signed))
        self.signed.append(made)
        return made

    def approved(self) -> Story:
        """Ada approves."""
        self.sign(ADA, "approve")
        return self

    def implemented(self) -> Story:
        """Ada approves, bo implements."""
        self.approved().sign(BO, "implement")
        return self

    def validated(self) -> Story:
        """Ada approves, bo implements, dee validates."""
        self.implemented().sign(DEE, "validate")
        return self

    @property
    def evidence(self) -> Evidence:
        """What is known."""
        return Evidence(
            change=self.change,
            blob=BLOB,
            sha256=SHA256,
            size=400,
            **{"sign_offs": tuple(self.signed), "stale": tuple(self.stale), **self.facts},
        )

    def verdict(self, now: dt.datetime = NOW, *, documented: bool = False) -> Verdict:
        """What the rules say."""
        return judge(self.evidence, self.policy, now, documented=documented)

    @property
    def status(self) -> str:
        """The status now."""
        return self.verdict().status

    def codes(self, now: dt.datetime = NOW) -> list[str]:
        """Codes of the findings."""
        return [f.code for f in self.verdict(now).findings]

    def rehearse(self, by: str, verdict: VerdictName, role: str | None = None) -> Rehearsal:
        """Whether a sign-off would count."""
        return rehearse(
            self.evidence, self.policy, NOW, step=_STEP[verdict], verdict=verdict, by=by, role=role
        )


DOUBT = Finding("envelope.malformed", "the line is no envelope")
