"""Builds an `Overview` by hand: real documents and real verdicts, no repository and no signatures."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import Any

from gitchange.assessment.overview import Assessment, Overview, PolicyVersion, Version
from gitchange.lifecycle.judge import judge
from gitchange.model.change import Change, parse_change, write_change
from gitchange.model.evidence import Evidence, SignOff
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy, load_policy
from gitchange.model.record import Record, RecordSignOff, append_record
from gitchange.model.statement import MEANINGS, StepName, VerdictName

NOW = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

ADA, BO, CY, DEE, EVE = (f"{name}@example.org" for name in ("ada", "bo", "cy", "dee", "eve"))

POLICY_FILES = {
    "policy.toml": f"""
version = 2
timezone = "Europe/Paris"

[roles]
root = {{ members = ["{ADA}", "{BO}"], threshold = 2 }}
change-manager = {{ members = ["{ADA}"] }}
developer = {{ members = ["{BO}", "{CY}"] }}
system-user = {{ members = ["{DEE}"] }}
security = {{ members = ["{EVE}"] }}

[[rules]]
name = "every change"
evaluation = {{ role = "change-manager", approvals = 1 }}
implementation = {{ role = "developer" }}
validation = {{ role = "system-user" }}

[[rules]]
name = "high risk to customer data"
when = {{ types = ["normal", "emergency"], risk = ["high", "critical"], customer_data = true }}
evaluation = {{ role = "security", approvals = 1 }}

[deadlines]
evaluation = "3d"
validation = "24h"
documentation = "1w"

[[waivers]]
waives = "evaluator-is-author"
reason = "Only **one** change manager until the second is hired."
expires = 2026-12-31T00:00:00Z

[[freezes]]
name = "sales week"
reason = "Every minute *counts*."
kind = "soft"
start = 2026-11-27T00:00:00
end = 2026-11-30T08:00:00
when = {{ systems = ["api", "website"] }}
override = {{ role = "change-manager" }}

[[freezes]]
name = "end of year"
reason = "Nobody is there."
kind = "hard"
start = 2026-12-24T18:00:00
end = 2027-01-02T08:00:00

[custom.ticket]
type = "text"
description = "Number in the old ticket system"
""",
    "systems.toml": f"""
[systems.api]
name = "Public API"
owner = "{ADA}"
customer_data = true
description = "What customers *call*."
environments = ["staging", "production"]
depends_on = ["database"]
repositories = ["https://gitlab.example.org/acme/app.git"]

[systems.database]
name = "Customer database"
owner = "{BO}"
customer_data = true

[systems.website]
name = "Website"
customer_data = false
""",
    "allowed_signers": f'{ADA} namespaces="gitchange" ssh-ed25519 AAAAC3Nza\n',
    "models/certificate.toml": """
title = "Renew a certificate"
description = "The same steps every time."
systems = ["api", "website"]
max_risk = "medium"
""",
}


def example_policy() -> Policy:
    """A policy in which every part of the format appears."""
    policy, findings = load_policy({name: text.encode() for name, text in POLICY_FILES.items()}, "7" * 40)
    assert policy is not None, findings
    return policy


def example_policies() -> tuple[PolicyVersion, ...]:
    """How the policy came to be: a first version, one that nobody approved, and the one in force."""
    edited = (
        POLICY_FILES["policy.toml"]
        .replace("version = 2", "version = 1")
        .replace("threshold = 2", "threshold = 1")
    )
    edited = edited.replace(f'members = ["{EVE}"]', f'members = ["{EVE}", "{CY}"]').replace(
        'evaluation = "3d"\n', ""
    )
    files = {**POLICY_FILES, "policy.toml": edited}
    first, findings = load_policy({name: text.encode() for name, text in files.items()}, "6" * 40)
    assert first is not None, findings
    strange = Finding(
        "policy.unapproved", "commit eeeeeeeeeeee changed the policy: <nobody> approved it", "restore it"
    )
    return (
        PolicyVersion("d" * 40, NOW - 90 * DAY, first, (), ()),
        PolicyVersion("e" * 40, NOW - 40 * DAY, None, (), (strange,)),
        PolicyVersion("f" * 40, NOW - 30 * DAY, example_policy(), (ADA, BO), ()),
    )


def example_change(number: int = 1, **changed: Any) -> dict[str, Any]:
    """The plain data of a change file; keys given as None are left out."""
    data: dict[str, Any] = {
        "schema": 1,
        "id": f"CHG-202611{number % 28 + 1:02}-{number:04}",
        "title": f"Rotate the TLS certificate of gateway {number}",
        "type": "normal",
        "requester": CY,
        "systems": ["api"],
        "reason": "The certificate expires on 1 December.\n\n* Customers would see *errors*.\n",
        "scope": "The public gateway; not the internal ones.",
        "rollback": "Install the old certificate, which is valid until the 30th.",
        "test_plan": "Call `/health` from outside and look at the certificate's dates.",
        "steps": [
            {
                "action": "Install the new certificate on the gateway.",
                "verify": "`openssl s_client` shows it.",
            },
            {"action": "Reload the gateway."},
        ],
        "risks": [
            {
                "description": "Old clients may not know the new issuer.",
                "category": "availability",
                "likelihood": "unlikely",
                "impact": "moderate",
                "mitigations": [
                    "The issuer is in every trust store since 2019.",
                    "Reload outside office hours.",
                ],
            }
        ],
    }
    return {**data, **changed}


def blob_of(text: bytes) -> str:
    """Git's id of the text."""
    return hashlib.sha1(b"blob %d\0%s" % (len(text), text), usedforsecurity=False).hexdigest()


@dataclass
class Case:
    """One change in the making."""

    data: dict[str, Any]
    policy: Policy = field(default_factory=example_policy)
    requested: dt.datetime = NOW - 2 * DAY
    signed: list[SignOff] = field(default_factory=list)
    stale: list[SignOff] = field(default_factory=list)

    @property
    def raw(self) -> bytes:
        """The request's bytes."""
        return write_change(self.data)

    @property
    def change(self) -> Change:
        """The request."""
        path = f"changes/{self.data['id'][4:8]}/{self.data['id'][8:10]}/{self.data['id']}.toml"
        parsed = parse_change(self.raw, path)
        assert parsed.change is not None, parsed.findings
        return parsed.change

    def sign(
        self,
        step: StepName,
        verdict: VerdictName,
        by: str,
        role: str,
        answers: dict[str, Any] | None = None,
        comment: str = "",
        *,
        earlier_text: bool = False,
        time: dt.datetime | None = None,
    ) -> Case:
        """Add a sign-off whose signer had seen all those before it."""
        number = len(self.signed) + len(self.stale) + 1
        text = self.raw + (b"# as it was\n" if earlier_text else b"")
        moment = time or self.requested + dt.timedelta(hours=number)
        line = f'{{"payload":"{self.data["id"]} {number}"}}'
        sign_off = SignOff(
            digest=hashlib.sha256(line.encode()).hexdigest(),
            change=self.data["id"],
            step=step,
            verdict=verdict,
            by=by,
            role=role,
            meaning=MEANINGS[verdict],
            answers=answers or {},
            comment=comment,
            policy=self.policy.tree if number != 2 else "8" * 40,
            log="9" * 40,
            time=moment.isoformat(),
            path=self.change.path,
            blob=blob_of(text),
            sha256=hashlib.sha256(text).hexdigest(),
            key="SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            key_type="ssh-ed25519",
            certificate="",
            seen=frozenset(s.digest for s in (*self.signed, *self.stale)),
            line=line,
        )
        (self.stale if earlier_text else self.signed).append(sign_off)
        return self

    def approve(self, by: str = ADA, role: str = "change-manager", **more: Any) -> Case:
        """An approval with its answers."""
        answers = {"necessary": True, "feasible": True, "safe": True}
        return self.sign("evaluation", "approve", by, role, answers, **more)

    def implement(self, by: str = BO) -> Case:
        """An implementation with commits and tests."""
        answers = {
            "steps_followed": False,
            "deviations": "Reloaded **twice**, since the first reload timed out.",
            "commits": [{"system": "api", "commit": "c0ffee" * 6 + "c0ff"}],
            "tests": [{"name": "health", "result": "passed"}, {"name": "load", "result": "skipped"}],
        }
        return self.sign("implementation", "implement", by, "developer", answers)

    def validate(self, by: str = DEE) -> Case:
        """A validation with its evidence."""
        answers = {
            "works": True,
            "no_security_risk": True,
            "evidence": ["Logged in and ordered.", "No *errors*."],
        }
        return self.sign("validation", "validate", by, "system-user", answers)

    def assess(self, *findings: Finding, outcome: str | None = None) -> Assessment:
        """The change, judged; with a record when an outcome is given."""
        raw, change = self.raw, self.change
        if outcome is not None:
            record = Record(
                outcome=outcome,  # type: ignore[arg-type]
                summary="The certificate was renewed.\n\n# A heading of the author's\n\nNobody noticed.",
                lessons="Reload earlier in the day.",
                documented_by=BO,
                time=self.requested + dt.timedelta(hours=12),
                request_bytes=len(raw),
                request_blob=blob_of(raw),
                request_sha256=hashlib.sha256(raw).hexdigest(),
                sign_offs=tuple(
                    RecordSignOff(
                        step=s.step,
                        verdict=s.verdict,
                        by=s.by,
                        role=s.role,
                        time=s.when,
                        key=s.key,
                        meaning=s.meaning,
                        envelope=s.line,
                    )
                    for s in self.signed
                ),
            )
            raw = append_record(raw, record)
            parsed = parse_change(raw, change.path)
            assert parsed.change is not None, parsed.findings
            change = parsed.change
        evidence = Evidence(
            change=change,
            blob=blob_of(self.raw),
            sha256=hashlib.sha256(self.raw).hexdigest(),
            size=len(self.raw),
            authors=frozenset({change.requester}),
            sign_offs=tuple(self.signed),
            stale=tuple(self.stale),
            requested_at=self.requested,
        )
        verdict = judge(evidence, self.policy, NOW, documented=outcome is not None)
        history = [version("requested", self.requested, blob_of(self.raw), f"Request {change.id}")]
        if self.stale:
            edited = self.requested + dt.timedelta(hours=6)
            history.insert(0, version("edited", edited, blob_of(self.raw), "Correct the scope"))
        if outcome is not None:
            recorded = self.requested + dt.timedelta(hours=12)
            history.insert(0, version("documented", recorded, blob_of(raw), f"Document {change.id}"))
        return Assessment(
            path=change.path,
            raw=raw,
            change=change,
            evidence=evidence,
            verdict=verdict,
            policy=self.policy,
            history=tuple(history),
            findings=(*findings, *verdict.findings),
            verified_from="record" if outcome is not None else "notes",
        )


def version(kind: Any, when: dt.datetime, blob: str, subject: str) -> Version:
    """A commit that touched the file."""
    commit = hashlib.sha1(
        f"{kind}{when}{subject}".encode("utf-8", "replace"), usedforsecurity=False
    ).hexdigest()
    return Version(commit, "Cy Example", CY, when, subject, blob, kind)


def unreadable(
    path: str = "changes/2026/11/CHG-20261105-BRKN.toml", raw: bytes = b"title = <script>\n"
) -> Assessment:
    """A change file with errors."""
    findings = parse_change(raw, path).findings
    history = (version("requested", NOW - DAY, blob_of(raw), "Add <b>something</b>"),)
    return Assessment(path, raw, None, None, None, example_policy(), history, findings)


def overview_of(*assessments: Assessment, **changed: Any) -> Overview:
    """The overview of those changes, in the order that the assessment gives them."""
    given: dict[str, Any] = {
        "title": "Acme changes",
        "main": "a" * 40,
        "notes": "b" * 40,
        "introduction": "c" * 40,
        "policy": example_policy(),
        "findings": (),
        "assessments": tuple(sorted(assessments, key=lambda a: a.path, reverse=True)),
        "now": NOW,
        "commit_time": NOW - dt.timedelta(hours=1),
    }
    return Overview(**{**given, **changed})


def example_overview() -> Overview:
    """A repository in which every status, type and kind of page appears."""
    window = {"start": NOW + DAY, "end": NOW + DAY + dt.timedelta(hours=2)}
    past = {"start": NOW - 9 * DAY, "end": NOW - 9 * DAY + dt.timedelta(hours=2)}
    severe = {
        "description": "Customers' data could be **lost**.",
        "category": "data",
        "likelihood": "likely",
        "impact": "severe",
        "mitigations": ["A full backup before the first step."],
    }
    return overview_of(
        Case(example_change(1, schedule=window)).assess(),
        Case(example_change(2, title="Add an index to the orders table", systems=["database"]))
        .approve()
        .assess(),
        Case(example_change(3, risks=[*example_change()["risks"], severe], schedule=window))
        .approve()
        .assess(),
        Case(example_change(4, title="Move sessions to the new cluster", systems=["api", "database"]))
        .approve()
        .implement()
        .assess(),
        Case(example_change(5, title="Raise the rate limit for partners"))
        .approve()
        .implement()
        .validate()
        .assess(),
        Case(
            example_change(
                6,
                title="Renew the wildcard certificate",
                links={
                    "merge_requests": ["https://gitlab.example.org/acme/app/-/merge_requests/7"],
                    "issues": ["https://gitlab.example.org/acme/app/-/issues/3"],
                    "documents": ["https://wiki.example.org/certificates"],
                },
                custom={"ticket": "OPS-42"},
                communication="Tell support a day before.",
                depends_on=["CHG-20261102-0001"],
                security_impact="None.",
                privacy_impact="None.",
                outage={"description": "A second of errors.", "minutes": 1},
            )
        )
        .approve(comment="Fine, but reload **outside** office hours.")
        .implement()
        .validate()
        .assess(outcome="successful"),
        Case(example_change(7, title="Switch off the old login"))
        .sign("evaluation", "reject", ADA, "change-manager", comment="Half of the customers still use it.")
        .assess(),
        Case(example_change(8, title="Give support read access to orders", systems=["database"]))
        .sign("evaluation", "request-info", ADA, "change-manager", comment="For how long, and who?")
        .assess(),
        Case(example_change(9, title="Try the new cache"))
        .sign("withdrawal", "withdraw", CY, "requester", comment="Not needed any more.")
        .assess(),
        Case(example_change(10, title="Compress old invoices", schedule=past))
        .approve(earlier_text=True)
        .assess(),
        Case(
            example_change(
                11,
                title="Patch the proxy against CVE-2026-0001",
                type="emergency",
                emergency={
                    "incident": "INC-42",
                    "justification": "It was being exploited.",
                },
            )
        )
        .implement()
        .assess(),
        Case(
            example_change(
                12,
                title="Renew the website's certificate",
                type="standard",
                model="certificate",
                systems=["website"],
            )
        ).assess(),
        Case(example_change(13, title="Replace the queue"))
        .approve()
        .implement()
        .sign(
            "validation",
            "fail",
            DEE,
            "system-user",
            {"works": False, "no_security_risk": True},
            "Orders are lost.",
        )
        .assess(),
        Case(example_change(14, title="Change by its own evaluator", requester=ADA)).approve().assess(),
        unreadable(),
        unreadable("changes/notes.txt", b"remember the <milk>"),
        policies=example_policies(),
        findings=(
            Finding(
                "introduction.not-pinned", "the introduction is not pinned", "`git config ...`", "warning"
            ),
        ),
    )
