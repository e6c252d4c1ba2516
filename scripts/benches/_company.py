"""The company of the benches: its people, policy and systems, and what the change files in it say.

Everything follows from a seed. Who does what when is told by `make.py`.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from _common import Key

from gitchange.model.change import RISK_LEVELS, level_of

_NAMES = {
    "root": "ada max uma",
    "change-manager": "mo ivy lea ned ola pia",
    "developer": "bo cy dan eli fay gus hal ida jan kai liv mia nils otto per quin",
    "system-user": "dee rhea sam tess udo vera wim xenia yan zoe abel britt",
    "security": "eve finn gerd hugo",
}
ROLES = {role: tuple(f"{name}@example.org" for name in names.split()) for role, names in _NAMES.items()}
"""Who holds which role."""
PEOPLE = tuple(dict.fromkeys(person for members in ROLES.values() for person in members))
"""Everybody, each once."""
ADMINISTRATOR = ROLES["root"][0]

_SYSTEMS: dict[str, tuple[str, bool, tuple[str, ...]]] = {
    "api": ("Public API", True, ("database", "queue")),
    "archive": ("Document archive", True, ("storage",)),
    "backup": ("Backup service", True, ("storage",)),
    "billing": ("Billing", True, ("database",)),
    "build": ("Build farm", False, ("registry",)),
    "cache": ("Cache", True, ()),
    "cdn": ("Content delivery", False, ()),
    "chat": ("Support chat", True, ("api",)),
    "crm": ("Customer relations", True, ("database",)),
    "database": ("Main database", True, ("storage",)),
    "directory": ("Staff directory", False, ()),
    "firewall": ("Edge firewall", False, ()),
    "intranet": ("Intranet", False, ("directory",)),
    "loadbalancer": ("Load balancers", False, ("firewall",)),
    "logging": ("Central logging", True, ("storage",)),
    "mail": ("Mail gateway", True, ("directory",)),
    "mobile": ("Mobile apps", True, ("api",)),
    "monitoring": ("Monitoring", False, ("logging",)),
    "payments": ("Payments", True, ("billing",)),
    "queue": ("Message queue", True, ()),
    "registry": ("Package registry", False, ()),
    "reports": ("Reports", True, ("warehouse",)),
    "storage": ("Object storage", True, ()),
    "warehouse": ("Data warehouse", True, ("database",)),
    "website": ("Website", False, ("cdn",)),
}
_SYSTEM_IDS = tuple(_SYSTEMS)

_RULES = """
[deadlines]
evaluation = "5d"
validation = "5d"
documentation = "14d"
emergency_approval = "24h"
emergency_validation = "3d"

[[rules]]
name = "every change"
evaluation     = { role = "change-manager" }
implementation = { role = "developer" }
validation     = { role = "system-user" }

[[rules]]
name = "high risk to customer data"
when = { types = ["normal", "emergency"], risk = ["high", "critical"], customer_data = true }
evaluation = { role = "security" }
"""

_MODELS = {
    "dependency-update": 'title = "Routine dependency update"\nmax_risk = "low"\n\n'
    '[parameters.version]\npattern = "[0-9]+[.][0-9]+[.][0-9]+"\ndescription = "The new version"\n',
    "certificate-rotation": 'title = "Rotation of a certificate before it expires"\nmax_risk = "low"\n',
}


def policy_files(seed: int) -> dict[str, bytes]:
    """The files of the repository's first policy, by path."""
    roles = []
    for role, members in ROLES.items():
        listed = ", ".join(f'"{person}"' for person in members)
        roles.append(f"{role} = {{ members = [{listed}]{', threshold = 2' if role == 'root' else ''} }}\n")
    systems = []
    for name, (title, customer_data, needs) in _SYSTEMS.items():
        listed = ", ".join(f'"{system}"' for system in needs)
        systems.append(
            f'[systems.{name}]\nname = "{title}"\ncustomer_data = {str(customer_data).lower()}\n'
            f'environments = ["staging", "production"]\ndepends_on = [{listed}]\n'
            f'repositories = ["https://git.example.org/{name}.git"]\n'
        )
    signers = "".join(f"{person} {Key.of(seed, person).line}\n" for person in PEOPLE)
    files = {
        "policy/policy.toml": 'version = 1\nmain = "main"\n\n[roles]\n' + "".join(roles) + _RULES,
        "policy/systems.toml": "\n".join(systems),
        "policy/allowed_signers": signers,
        **{f"policy/models/{name}.toml": text for name, text in _MODELS.items()},
    }
    return {path: text.encode() for path, text in files.items()}


_VERBS = (
    "Rotate",
    "Upgrade",
    "Replace",
    "Migrate",
    "Resize",
    "Patch",
    "Enable",
    "Disable",
    "Split",
    "Merge",
    "Tune",
    "Harden",
    "Reindex",
    "Encrypt",
    "Compress",
    "Archive",
    "Renumber",
    "Relocate",
    "Simplify",
    "Automate",
)
_THINGS = (
    "the TLS certificate",
    "the connection pool",
    "the retention rule",
    "the session store",
    "the index of orders",
    "the rate limiter",
    "the kernel",
    "the job scheduler",
    "the backup window",
    "the audit trail",
    "the login page",
    "the webhook signature",
    "the schema of invoices",
    "the failover script",
    "the search index",
    "the time zone data",
    "the password policy",
    "the image resizer",
    "the tax table",
    "the import of addresses",
    "the proxy headers",
    "the garbage collector",
    "the message broker",
    "the consent banner",
    "the export of statements",
    "the disk array",
    "the service account",
    "the currency rounding",
    "the mail templates",
    "the health check",
)
_WHY = (
    "It expires soon, and clients would refuse every connection from that day on.",
    "The vendor ends its support for the version that runs now.",
    "Requests of large customers take longer than the contract allows.",
    "The last audit found that the present setting keeps personal data longer than needed.",
    "An incident showed that a single slow disk stops the whole service.",
    "The nightly job has come close to the end of its window four times.",
    "A published vulnerability affects the library in the version that we use.",
    "Two teams maintain a copy each, and they have begun to differ.",
    "Growth of the last quarter leaves less than a third of the capacity free.",
    "Support receives a dozen questions a week that come from this one behaviour.",
    "The present way needs a person with root rights every Monday.",
)
_DETAIL = (
    "The change was rehearsed on staging with a copy of the traffic of last week.",
    "Nothing that customers see in their browser changes.",
    "Both data centres are done one after the other, never at the same time.",
    "The old configuration stays in place beside the new one until the validation.",
    "Dashboards and alerts were adapted beforehand, so that the night shift is not woken for nothing.",
    "Customers with an interface of their own were told two weeks ahead.",
    "The measured memory in use grew by six percent in the rehearsal, which is within the reserve.",
    "Access is limited to the service account; no person gets further rights.",
    "The runbook has been read by somebody who does not know the system.",
    "Only tables without personal data are read during the copy.",
)
_NOT = (
    "the client certificates",
    "the reporting replicas",
    "the archive of earlier years",
    "the staging environment",
    "customers with a contract of their own",
    "the mobile clients",
    "the disaster site",
    "the test accounts",
)
_ACTIONS = (
    "Announce the beginning in the operations channel",
    "Take a snapshot and note its number",
    "Drain the first node and wait until its connections are closed",
    "Install the new package on the first node",
    "Apply the configuration from the merge request",
    "Restart the service and watch the log for five minutes",
    "Repeat it on the remaining nodes, one at a time",
    "Remove the old configuration",
    "Run the migration with the flag for small batches",
    "Switch the feature flag for ten percent of the users",
)
_CHECKS = (
    "the health check is green on every node",
    "curl from outside shows the new value",
    "the error rate stays below one in ten thousand",
    "the replica lag returns to zero",
    "a test order passes from cart to invoice",
    "the log has no line with ERROR",
    "the dashboard shows both nodes",
)
_DANGERS = (
    "A wrong chain makes clients refuse the connection",
    "The migration holds a lock for longer than planned",
    "Messages are delivered twice during the switch",
    "A forgotten consumer still asks for the old address",
    "The new version uses more memory than the nodes have",
    "Personal data appears in the debug log",
    "The rollback loses orders of the last minutes",
    "A cached value outlives the change",
)
_AGAINST = (
    "rehearse on staging with real volumes",
    "keep the old version installed beside it",
    "do it outside office hours",
    "a second person reads every command before it runs",
    "watch the metric and stop at the threshold",
    "idempotency keys make repeated messages harmless",
    "search the logs of thirty days for consumers",
)
_CATEGORIES = ("availability", "security", "privacy", "integrity", "performance", "compliance")
_RARE = (
    "kestrel",
    "heron",
    "plover",
    "curlew",
    "dunlin",
    "godwit",
    "turnstone",
    "sanderling",
    "avocet",
    "lapwing",
    "oystercatcher",
    "whimbrel",
    "redshank",
    "greenshank",
    "ruff",
    "knot",
    "stint",
    "phalarope",
)
"""Code names of projects: words that few changes have, for somebody to search."""


def kind_of(rng: random.Random) -> str:
    """The type of a change: eight of ten are normal."""
    return rng.choices(("normal", "standard", "emergency"), (80, 12, 8))[0]


def _paragraphs(rng: random.Random, first: str, count: int) -> str:
    details = rng.sample(_DETAIL, min(count * 2, len(_DETAIL)))
    pieces = [first, *details]
    return "\n\n".join("\n".join(pieces[place : place + 2]) for place in range(0, count * 2, 2))


def request(rng: random.Random, change: str, kind: str, requester: str, at: dt.datetime) -> dict[str, Any]:
    """A change file's data, about 2 KB of TOML: what somebody requests at that moment."""
    systems = rng.sample(_SYSTEM_IDS, rng.choices((1, 2, 3), (70, 22, 8))[0])
    name = _SYSTEMS[systems[0]][0]
    thing = rng.choice(_THINGS)
    title = f"{rng.choice(_VERBS)} {thing} of {name}"
    calm = kind == "standard"
    risks = [
        {
            "description": f"{rng.choice(_DANGERS)}.",
            "category": rng.choice(_CATEGORIES),
            "likelihood": rng.choices(
                ("rare", "unlikely", "possible", "likely", "almost-certain"),
                (1, 1, 0, 0, 0) if calm else (30, 45, 18, 6, 1),
            )[0],
            "impact": rng.choices(
                ("negligible", "minor", "moderate", "major", "severe"),
                (1, 1, 0, 0, 0) if calm else (8, 30, 36, 20, 6),
            )[0],
            "mitigations": rng.sample(_AGAINST, rng.randint(1, 3)),
        }
        for _ in range(rng.randint(1, 4))
    ]
    steps = [
        {"action": f"{action}.", **({"verify": rng.choice(_CHECKS)} if rng.random() < 0.8 else {})}
        for action in rng.sample(_ACTIONS, rng.randint(1, 4))
    ]
    data: dict[str, Any] = {
        "schema": 1,
        "id": change,
        "title": title,
        "type": kind,
        "requester": requester,
        "systems": systems,
        "reason": _paragraphs(
            rng, f"{rng.choice(_WHY)} It belongs to the project {rng.choice(_RARE)}.", rng.randint(1, 3)
        ),
        "scope": f"{thing.capitalize()} of {name} on all nodes; not {rng.choice(_NOT)}.\n{rng.choice(_DETAIL)}",
        "rollback": f"{rng.choice(_ACTIONS)}, in the reverse order, from the snapshot that was taken first.",
        "test_plan": f"Done when {rng.choice(_CHECKS)}, and when {rng.choice(_CHECKS)} after an hour as well.",
        "steps": steps,
        "risks": risks,
        "links": {
            "merge_requests": [
                f"https://git.example.org/{system}/-/merge_requests/{rng.randint(1, 9999)}"
                for system in systems
            ],
            "issues": [f"https://issues.example.org/OPS-{rng.randint(1000, 99999)}"],
        },
    }
    if rng.random() < 0.4:
        data["environments"] = ["production"]
    if rng.random() < 0.5:
        data["security_impact"] = f"None is expected. {rng.choice(_DETAIL)}"
    if rng.random() < 0.3:
        data["communication"] = "Status page and support team, one day before and when it is over."
    if rng.random() < 0.6 and kind != "emergency":
        start = (at + dt.timedelta(days=1)).replace(hour=rng.randint(5, 21), minute=0, second=0)
        data["schedule"] = {"start": start, "end": start + dt.timedelta(days=rng.randint(5, 14))}
        if rng.random() < 0.3:
            data["outage"] = {"description": f"{name} answers slowly.", "minutes": rng.randint(1, 30)}
    if kind == "emergency":
        data["emergency"] = {
            "incident": f"INC-{rng.randint(100, 99999)}",
            "justification": f"{rng.choice(_WHY)} Customers notice it now.",
        }
    if kind == "standard":
        data["model"] = rng.choice(tuple(_MODELS))
        if data["model"] == "dependency-update":
            data["parameters"] = {"version": f"{rng.randint(1, 9)}.{rng.randint(0, 30)}.{rng.randint(0, 9)}"}
    return data


def edited(rng: random.Random, data: dict[str, Any], number: int) -> dict[str, Any]:
    """The same request after somebody's `number`th edit."""
    changed = dict(data)
    if rng.random() < 0.5:
        changed["scope"] = f"{data['scope']}\nAdded in review {number}: {rng.choice(_DETAIL)}"
    else:
        changed["test_plan"] = f"{data['test_plan']}\nAlso ({number}): {rng.choice(_CHECKS)}."
    return changed


def evaluating_roles(data: dict[str, Any]) -> tuple[str, ...]:
    """The roles that must approve this request by the rules above."""
    if data["type"] == "standard":
        return ()
    level = max(
        (level_of(risk["likelihood"], risk["impact"]) for risk in data["risks"]), key=RISK_LEVELS.index
    )
    customers = any(_SYSTEMS[name][1] for name in data["systems"])
    return (
        ("change-manager", "security") if customers and level in ("high", "critical") else ("change-manager",)
    )


def sentence(rng: random.Random) -> str:
    """What somebody adds to a sign-off or a record."""
    return rng.choice(_DETAIL)


def checks(rng: random.Random, count: int) -> list[str]:
    """What somebody looked at."""
    return rng.sample(_CHECKS, count)
