"""What four frameworks ask of the management of changes, and by what a gitchange repository answers.

Data, in our own words: each clause says which point of which edition is meant, which fields of the change file, which
signed answers and which parts of the policy evidence it, and which attributes of a change are counted for it
(`gitchange.assessment.attributes`). What gitchange cannot evidence is said with the clause. The frameworks' own texts
are their publishers', and are what counts.
"""

from __future__ import annotations

from gitchange.values import Value


class Clause(Value):
    """One requirement of a framework."""

    number: str
    """As the edition numbers it, e.g. `6.5.1` or `CM-3 b`."""
    name: str
    """What it is about, in few words."""
    asks: str
    """What it asks, in our words."""
    attributes: tuple[str, ...]
    """What is counted for it, by the names of attributes; none where it is evidenced by the policy alone."""
    fields: tuple[str, ...] = ()
    """Fields of the change file, dotted."""
    signed: tuple[tuple[str, ...], ...] = ()
    """Sign-offs: the verdict, then the answers of it that matter."""
    policy: tuple[str, ...] = ()
    """Parts of the policy folder, dotted: of policy.toml, or of `systems` and `models`."""
    older: tuple[str, ...] = ()
    """Its numbers in older editions, each with the edition."""
    beyond: str = ""
    """What of it gitchange cannot evidence; empty where nothing is left."""


class Framework(Value):
    """One framework, in one edition."""

    name: str
    """As it is asked for."""
    title: str
    edition: str
    """Which text the clauses are about."""
    clauses: tuple[Clause, ...]
    beyond: str
    """What is asked of the same management of changes, and lies outside of gitchange altogether."""


_REQUEST = ("title", "reason", "scope", "steps.action", "systems", "requester")
_RISKS = ("risks.description", "risks.likelihood", "risks.impact", "risks.mitigations")
_IMPACTS = ("security_impact", "privacy_impact")
_EVALUATION = (("approve", "necessary", "feasible", "safe"), ("reject",), ("request-info",))
_APPROVAL = (("approve", "necessary", "feasible", "safe"),)
_TESTS = (("implement", "tests", "steps_followed", "deviations"),)
_VALIDATION = (("validate", "works", "no_security_risk", "evidence"), ("fail", "security_risk"))
_ROLES = ("roles.members", "rules.evaluation", "rules.implementation", "rules.validation")

SOC2 = Framework(
    "soc2",
    "SOC 2",
    "AICPA Trust Services Criteria of 2017, with the points of focus as revised in 2022: CC8.1",
    (
        Clause(
            "CC8.1, life cycle",
            "changes are managed from beginning to end",
            "One process leads every change through its life, from the request to the record.",
            ("requested", "written-first", "decided", "validated", "documented"),
            (*_REQUEST, "record.outcome"),
            (("approve",), ("implement",), ("validate",)),
            ("rules", "deadlines"),
            beyond="Whether changes were made beside the process: `gitchange coverage` asks the application's history.",
        ),
        Clause(
            "CC8.1, authorization",
            "changes are authorized",
            "A change is authorized before anybody works on the systems, by somebody entitled to.",
            ("approved", "approved-first", "within-model"),
            ("type", "model"),
            _EVALUATION,
            ("roles.members", "rules.evaluation", "models.max_risk"),
            beyond="When development began: only what the implementer signed to have done to the systems is known.",
        ),
        Clause(
            "CC8.1, design and development",
            "changes are designed and developed",
            "What is to be done is thought out before, and made accordingly.",
            ("requested", "as-approved", "traced"),
            ("steps.action", "steps.verify", "links.documents", "links.merge_requests"),
            (("implement", "commits", "steps_followed", "deviations"),),
            beyond="How code is written and reviewed: the forge's merge requests show that.",
        ),
        Clause(
            "CC8.1, documentation",
            "changes are documented",
            "What was changed can be read later, by those who keep the system running and those who use it.",
            ("documented",),
            ("record.outcome", "record.summary", "record.lessons", "links.documents"),
            beyond="Whether manuals and help texts of the systems were brought up to date.",
        ),
        Clause(
            "CC8.1, tracking",
            "changes are tracked",
            "At any time it is known which changes there are and how far each has come.",
            ("requested", "traced", "witnessed"),
            ("id", "systems", "environments", "links.issues", "links.merge_requests"),
            (("implement", "commits"),),
        ),
        Clause(
            "CC8.1, configuration",
            "software is configured",
            "Settings that steer the software are chosen and applied on purpose.",
            ("as-approved",),
            ("steps.action", "scope", "parameters"),
            (("implement", "steps_followed", "deviations"),),
            ("models.parameters",),
            beyond="The settings themselves: they stand in the systems, or in the repositories that configure them.",
        ),
        Clause(
            "CC8.1, tests",
            "changes are tested",
            "A change is tested, and the results are looked at, before it is relied on.",
            ("tested", "validated"),
            ("test_plan", "steps.verify"),
            (*_TESTS, *_VALIDATION),
            beyond="That tests ran before the deployment: the implementer's word says what they showed, not when.",
        ),
        Clause(
            "CC8.1, approval",
            "changes are approved",
            "A change is approved before it is put into use, and nobody approves or accepts alone what is one's own.",
            ("approved", "approved-first", "independent-evaluation", "independent-validation"),
            ("requester",),
            _APPROVAL,
            (*_ROLES, "waivers.reason"),
        ),
        Clause(
            "CC8.1, deployment",
            "changes are deployed",
            "A change reaches the systems in an orderly way, when and as it was planned.",
            ("as-approved", "in-window", "communicated"),
            ("schedule.start", "schedule.end", "environments", "outage.description", "communication"),
            (("implement", "commits", "steps_followed"), ("back-out",), ("override-freeze", "freezes")),
            ("freezes", "systems.environments"),
            beyond="The deployment itself: `gitchange gate` in the pipeline refuses what is not approved.",
        ),
        Clause(
            "CC8.1, evaluation of effects",
            "the effects of changes are evaluated",
            "It is asked what a change does to the company's objectives, and whether the system meets them afterwards.",
            ("risks-assessed", "security-impact", "validated"),
            (*_RISKS, *_IMPACTS),
            (("approve", "necessary", "feasible", "safe"), *_VALIDATION),
            ("rules.when.risk",),
        ),
        Clause(
            "CC8.1, changes after incidents",
            "incidents lead to the changes that mend them",
            "What an incident shows to be wrong is changed by the same process.",
            ("emergency-justified", "failure-handled"),
            ("emergency.incident", "links.issues", "amends"),
            (("back-out",), ("fail", "security_risk")),
            beyond="Incidents that led to no change: the incident register has them.",
        ),
        Clause(
            "CC8.1, emergencies",
            "there is a way for emergencies",
            "What cannot wait is made at once, and authorized and reviewed soon afterwards.",
            ("emergency-justified", "emergency-in-time"),
            ("type", "emergency.incident", "emergency.justification"),
            (*_APPROVAL, ("validate", "works", "no_security_risk")),
            ("deadlines.emergency_approval", "deadlines.emergency_validation"),
        ),
        Clause(
            "CC8.1, patches",
            "patches are managed",
            "Patches are found, judged, tested, approved and put in place in time.",
            ("within-model", "tested"),
            ("type", "model", "parameters"),
            (("implement", "tests"),),
            ("models.systems", "models.max_risk", "models.suspended_after"),
            beyond="Which patches there are and which are missing: a scanner's reports show that.",
        ),
        Clause(
            "CC8.1, confidentiality and privacy",
            "confidential and personal information stays protected",
            "While systems are changed, what is confidential or personal stays protected (with those categories only).",
            ("privacy-impact", "security-impact"),
            _IMPACTS,
            (("approve", "safe"), ("validate", "no_security_risk")),
            ("systems.customer_data", "rules.when.customer_data"),
            beyond="The protection itself, and which data are used in tests.",
        ),
        Clause(
            "CC8.1, baseline and resilience",
            "a known configuration, and the ability to recover",
            "A baseline of the configuration is kept, and changes take account of the system's resilience.",
            ("rollback",),
            ("rollback", "outage.minutes", "risks.mitigations"),
            beyond="The baseline of the systems, their backups, and exercises of recovery.",
        ),
    ),
    "Who may reach production systems (CC6), how they are watched (CC7.1), training of developers.",
)

_ISO_2013 = ("A.12.1.2 (2013)", "A.14.2.2 (2013)")

ISO27001 = Framework(
    "iso27001",
    "ISO/IEC 27001",
    "ISO/IEC 27001:2022, Annex A, control 8.32, read with the guidance of ISO/IEC 27002:2022, 8.32; "
    "in the edition of 2013: A.12.1.2, A.14.2.2, A.14.2.3, A.14.2.4",
    (
        Clause(
            "A.8.32, procedure",
            "changes follow a procedure",
            "Changes to systems that process information go through the company's procedure for changes.",
            ("requested", "written-first", "decided", "signed-rightly"),
            _REQUEST,
            _EVALUATION,
            ("rules", "roles", "systems"),
            older=_ISO_2013,
            beyond="Whether changes were made beside it: `gitchange coverage` asks the application's history.",
        ),
        Clause(
            "A.8.32, impact",
            "planned, with their possible effects",
            "A change is planned, and its effects are judged before, with what depends on the system.",
            ("risks-assessed", "security-impact", "privacy-impact"),
            (*_RISKS, *_IMPACTS, "depends_on", "schedule"),
            (("approve", "feasible", "safe"),),
            ("systems.depends_on", "systems.customer_data"),
            older=_ISO_2013,
        ),
        Clause(
            "A.8.32, authorization",
            "authorized",
            "A change is authorized by those who may, who are not those who ask for it or made it.",
            ("approved", "approved-first", "independent-evaluation", "within-model"),
            ("requester", "model"),
            _EVALUATION,
            ("roles.members", "rules.evaluation", "waivers.reason"),
            older=_ISO_2013,
        ),
        Clause(
            "A.8.32, communication",
            "told to those concerned",
            "Whom a change concerns is told of it.",
            ("communicated",),
            ("communication", "outage.description", "outage.minutes", "schedule"),
            older=("A.12.1.2 (2013)",),
            beyond="That the message was sent and read. The site, its feeds and its calendar tell everybody who looks.",
        ),
        Clause(
            "A.8.32, tests",
            "tested, and the tests accepted",
            "A change is tested, also by those who use the system, and the results are accepted.",
            ("tested", "validated", "independent-validation"),
            ("test_plan", "steps.verify"),
            (*_TESTS, *_VALIDATION),
            ("rules.validation",),
            older=("A.14.2.2 (2013)", "A.14.2.3 (2013)"),
            beyond="The separation of test and production environments (A.8.31).",
        ),
        Clause(
            "A.8.32, implementation",
            "put in place by a plan",
            "A change is put in place as it was planned.",
            ("as-approved", "in-window", "traced"),
            ("steps.action", "schedule.start", "schedule.end", "environments"),
            (("implement", "steps_followed", "deviations", "commits"), ("override-freeze", "freezes")),
            ("rules.implementation", "freezes"),
            older=_ISO_2013,
        ),
        Clause(
            "A.8.32, emergencies and fall-back",
            "there is a way for emergencies, and a way back",
            "What cannot wait has a way of its own; and what goes wrong can be undone.",
            ("rollback", "failure-handled", "emergency-justified", "emergency-in-time"),
            ("rollback", "emergency.incident", "emergency.justification"),
            (("back-out",), ("approve",)),
            ("deadlines.emergency_approval", "deadlines.emergency_validation"),
            older=_ISO_2013,
        ),
        Clause(
            "A.8.32, records",
            "recorded",
            "Of all this there are records.",
            ("documented", "witnessed"),
            ("record.outcome", "record.summary", "record.sign_offs"),
            (("approve",), ("implement",), ("validate",)),
            older=_ISO_2013,
        ),
        Clause(
            "A.8.32, software of others",
            "changes to platforms and to bought software",
            "When a platform changes, what runs on it is looked at; software of others is changed where it must be.",
            ("within-model", "validated"),
            ("systems", "scope", "model"),
            (("approve", "necessary"), ("validate", "works")),
            ("systems.depends_on", "models.max_risk"),
            older=("A.14.2.3 (2013)", "A.14.2.4 (2013)"),
            beyond="Changes that a supplier makes by itself (A.5.22).",
        ),
        Clause(
            "A.8.32, documents and continuity",
            "operating documents and continuity plans follow",
            "Operating documents, and plans for continuity and recovery, are changed where they have to be.",
            (),
            ("links.documents", "record.summary"),
            older=("A.12.1.2 (2013)",),
            beyond="All of it but the links that a change gives: the documents themselves have to be looked at.",
        ),
    ),
    "Access to source code and to production (A.8.4, A.8.2), secure coding and its training (A.8.28, A.6.3).",
)

PCI = Framework(
    "pci",
    "PCI DSS",
    "PCI DSS v4.0.1, requirements 6.5.1 to 6.5.4; in v3.2.1: 6.4.5 and 6.4.6",
    (
        Clause(
            "6.5.1, reason and description",
            "why, and what",
            "A change to production says why it is made and what is changed.",
            ("requested", "written-first"),
            _REQUEST,
            older=("6.4.5 (v3.2.1)",),
        ),
        Clause(
            "6.5.1, security impact",
            "what it means for security",
            "What a change means for security is written down.",
            ("security-impact", "risks-assessed"),
            ("security_impact", *_RISKS),
            (("approve", "safe"),),
            older=("6.4.5.1 (v3.2.1)",),
        ),
        Clause(
            "6.5.1, approval",
            "approved by those who may",
            "A change has the documented approval of authorized persons.",
            ("approved", "approved-first", "independent-evaluation", "emergency-in-time", "signed-rightly"),
            ("requester", "type", "model"),
            _EVALUATION,
            ("roles.members", "rules.evaluation", "waivers.reason"),
            older=("6.4.5.2 (v3.2.1)",),
        ),
        Clause(
            "6.5.1, tests",
            "tested for harm to security",
            "Tests show that the change does no harm to the system's security.",
            ("tested", "validated"),
            ("test_plan",),
            (*_TESTS, *_VALIDATION),
            ("rules.validation",),
            older=("6.4.5.3 (v3.2.1)",),
        ),
        Clause(
            "6.5.1, own software",
            "own software is tested for common weaknesses",
            "Changes to software of one's own are tested against the attacks of 6.2.4 before they go to production.",
            ("tested",),
            ("test_plan",),
            (("implement", "tests", "commits"),),
            older=("6.4.5.3 (v3.2.1)",),
            beyond="Which weaknesses the named tests look for: the pipeline's own results show that.",
        ),
        Clause(
            "6.5.1, way back",
            "failures have an answer",
            "It is settled how a failure is met and a secure state is reached again.",
            ("rollback", "failure-handled"),
            ("rollback", "risks.mitigations"),
            (("back-out",), ("fail", "security_risk")),
            older=("6.4.5.4 (v3.2.1)",),
        ),
        Clause(
            "6.5.2",
            "after a significant change everything still holds",
            "After a significant change the requirements that apply are confirmed on what is new or changed, and "
            "documents are brought up to date.",
            ("validated", "independent-validation", "documented"),
            ("record.outcome", "record.summary", "links.documents"),
            _VALIDATION,
            ("rules.when.risk", "rules.validation"),
            older=("6.4.6 (v3.2.1)",),
            beyond="Which changes are significant, and the confirmation of each requirement: a rule of the policy may "
            "ask a further role for it, and a custom field may hold it.",
        ),
        Clause(
            "6.5.3",
            "environments before production are separate",
            "Environments before production are kept apart from it, by access control.",
            (),
            ("environments",),
            (),
            ("systems.environments",),
            older=("6.4.1 (v3.2.1)",),
            beyond="All of it but which environments a change is for: access control lies outside of gitchange.",
        ),
        Clause(
            "6.5.4",
            "duties are separate",
            "Roles are separated so that only reviewed and approved changes are deployed.",
            ("independent-evaluation", "independent-validation", "approved-first", "signed-rightly"),
            ("requester",),
            (("approve",), ("implement",), ("validate",)),
            (*_ROLES, "waivers.reason"),
            older=("6.4.2 (v3.2.1)",),
            beyond="Who can reach which environment. `gitchange gate` in a pipeline lets through what is approved.",
        ),
    ),
    "Real card numbers in tests (6.5.5), test data and accounts (6.5.6), training of developers (6.2.2), reviews "
    "of code (6.2.3), access to production (7).",
)

NIST = Framework(
    "nist",
    "NIST SP 800-53",
    "NIST SP 800-53 Revision 5: CM-3 with enhancement (2), CM-4 with enhancement (2), CM-5",
    (
        Clause(
            "CM-3 a",
            "which changes are controlled",
            "It is settled and written down which kinds of changes are under control.",
            (),
            ("type", "systems"),
            (),
            ("systems", "rules.when", "models", "exemptions.reason"),
            beyond="Whether the list of systems is complete.",
        ),
        Clause(
            "CM-3 b",
            "proposals are reviewed",
            "Proposed changes are reviewed, and approved or refused, with security and privacy in mind.",
            (
                "decided",
                "approved",
                "approved-first",
                "independent-evaluation",
                "security-impact",
                "privacy-impact",
            ),
            _IMPACTS,
            _EVALUATION,
            ("rules.evaluation", "roles.members", "waivers.reason"),
        ),
        Clause(
            "CM-3 c",
            "decisions are documented",
            "What was decided about a change is documented.",
            ("decided", "signed-rightly"),
            ("record.sign_offs",),
            _EVALUATION,
        ),
        Clause(
            "CM-3 d",
            "what is approved is implemented",
            "Approved changes are implemented.",
            ("approved", "as-approved", "in-window"),
            ("steps.action", "schedule"),
            (("implement", "steps_followed", "deviations", "commits"), ("back-out",)),
            ("rules.implementation",),
            beyond="Changes that nobody requested: `gitchange coverage` finds their commits.",
        ),
        Clause(
            "CM-3 e",
            "records are kept",
            "Records of changes are kept for as long as the organization has settled.",
            ("documented", "witnessed"),
            ("record.outcome", "record.summary", "record.sign_offs"),
            beyond="For how long: the history keeps all of it, and whoever hosts the repository keeps that.",
        ),
        Clause(
            "CM-3 f",
            "what happens is watched",
            "What happens to controlled systems is watched and reviewed.",
            ("traced", "emergency-in-time", "failure-handled"),
            ("links.merge_requests", "emergency.incident"),
            (("implement", "commits"),),
            ("deadlines",),
            beyond="The systems themselves: monitoring shows what was changed on them.",
        ),
        Clause(
            "CM-3 g",
            "somebody oversees it",
            "A body meets, as the organization has settled, and coordinates and oversees changes.",
            ("independent-evaluation",),
            ("schedule",),
            _APPROVAL,
            ("roles.members", "roles.threshold", "rules.evaluation.approvals"),
            beyond="Meetings and their frequency: only what their members signed is known.",
        ),
        Clause(
            "CM-3 (2)",
            "tested, validated, documented before it is final",
            "Changes are tested, validated and documented before they are taken as final.",
            ("tested", "validated", "documented"),
            ("test_plan", "steps.verify", "record.summary"),
            (*_TESTS, *_VALIDATION),
        ),
        Clause(
            "CM-4",
            "effects are analysed before",
            "What a change may do to security and privacy is analysed before it is implemented.",
            ("risks-assessed", "security-impact", "privacy-impact", "approved-first"),
            (*_IMPACTS, *_RISKS),
            (("approve", "safe"),),
            ("systems.customer_data",),
        ),
        Clause(
            "CM-4 (2)",
            "controls are verified after",
            "After a change, the controls that it touched are seen to work and to have the effect they should have.",
            ("validated", "independent-validation"),
            ("test_plan",),
            _VALIDATION,
            ("rules.validation",),
            beyond="Which controls a change touches, unless its test plan names them.",
        ),
        Clause(
            "CM-5",
            "who may change is restricted",
            "Who may change the system is defined, documented, approved and enforced.",
            ("signed-rightly", "independent-validation"),
            ("requester",),
            (("implement",), ("approve-policy",)),
            (*_ROLES, "roles.threshold", "compromised.reason"),
            beyond="Access to the systems, physical and logical. The policy says who may sign an implementation, and "
            "`gitchange gate` can keep the pipeline from deploying what is not approved.",
        ),
    ),
    "Separate test environments (CM-4 (1)), automated prohibition and enforcement on the systems (CM-3 (1), CM-5 (1)), "
    "baselines (CM-2), inventory (CM-8), training (AT-3).",
)

FRAMEWORKS: dict[str, Framework] = {framework.name: framework for framework in (SOC2, ISO27001, PCI, NIST)}
"""All of them, by the names under which they are asked for."""
