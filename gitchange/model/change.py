"""The change file: the request that people write, sign and, at the end, complete with its record.

DESIGN.md section 3, "Change file". Parsing reports every problem with its place and a mend; writing
gives the layout of the tutorial. What depends on the policy (known systems, persons, models) is
checked by `gitchange.model.crosscheck`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from gitchange.model import identifiers
from gitchange.model.finding import Finding, in_order
from gitchange.model.layout import write_toml
from gitchange.model.part import (
    AfterValidator,
    Alias,
    AwareDatetime,
    Limits,
    Listed,
    OneComplaint,
    Part,
    PartError,
    field,
    field_validator,
    model_validator,
)
from gitchange.model.record import Record
from gitchange.model.statement import ObjectId
from gitchange.model.text import LongText, Principal, ShortText, Slug, findings_of
from gitchange.model.toml import Document, KeyPath, dotted, parse
from gitchange.values import Value

SCHEMA = 1
"""Version of the change file's format that this program writes and reads."""

ChangeType = Literal["normal", "standard", "emergency"]
Likelihood = Literal["rare", "unlikely", "possible", "likely", "almost-certain"]
Impact = Literal["negligible", "minor", "moderate", "major", "severe"]
RiskLevel = Literal["low", "medium", "high", "critical"]

LIKELIHOODS: tuple[Likelihood, ...] = ("rare", "unlikely", "possible", "likely", "almost-certain")
IMPACTS: tuple[Impact, ...] = ("negligible", "minor", "moderate", "major", "severe")
RISK_LEVELS: tuple[RiskLevel, ...] = ("low", "medium", "high", "critical")


def level_of(likelihood: Likelihood, impact: Impact) -> RiskLevel:
    """The level that follows from likelihood × impact, each 1 to 5 (DESIGN.md section 3)."""
    product = (LIKELIHOODS.index(likelihood) + 1) * (IMPACTS.index(impact) + 1)
    if product <= 4:
        return "low"
    if product <= 9:
        return "medium"
    return "high" if product <= 16 else "critical"


def _change_id(value: str) -> str:
    if problem := identifiers.problem_with(value):
        raise ValueError(f"is {value!r}: {problem}")
    return value


def _address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("must be an address that begins with https:// or http://")
    return value


Scalar = Annotated[
    str | int | bool | float | dt.datetime | dt.date,
    OneComplaint("must be text, a number, true or false, a date, or a date and time"),
]
Id = Annotated[str, AfterValidator(_change_id)]
Address = Annotated[str, Limits(max_length=2000), AfterValidator(_address)]


class Step(Part):
    """One step of the implementation, in the order in which it is to be done."""

    action: LongText
    """What is done."""
    verify: LongText | None = None
    """How one sees that it worked."""


class Risk(Part):
    """What may go wrong, how bad it would be, and what is done about it."""

    description: LongText
    """What may go wrong."""
    category: ShortText
    """What kind of risk, in the company's words: availability, security, privacy, ..."""
    likelihood: Likelihood
    """How likely it is with the mitigations in place, from `rare` (1) to `almost-certain` (5)."""
    impact: Impact
    """How bad it would be, from `negligible` (1) to `severe` (5)."""
    mitigations: Annotated[Listed[LongText], Limits(min_length=1)]
    """What is done against it; at least one entry."""

    @property
    def level(self) -> RiskLevel:
        """The level that follows from likelihood and impact."""
        return level_of(self.likelihood, self.impact)


class Schedule(Part):
    """The planned window of the implementation."""

    start: AwareDatetime
    """When it begins, with its offset from UTC."""
    end: AwareDatetime
    """When it is over, with its offset from UTC."""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _with_offset(cls, value: Any) -> Any:
        if isinstance(value, dt.datetime) and value.tzinfo is None:
            raise ValueError("has no offset from UTC; write 2026-11-22T20:00:00+01:00 or ...Z")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Schedule:
        if self.end <= self.start:
            raise ValueError("ends before it begins: `end` must be later than `start`")
        return self


class Outage(Part):
    """What users will notice while the change is made."""

    description: LongText
    """What does not work, for whom."""
    minutes: Annotated[int, Limits(ge=0)] | None = None
    """How long it is expected to last, in minutes."""


class Links(Part):
    """Where more is to be read."""

    merge_requests: Listed[Address] = ()
    """Merge or pull requests that implement the change."""
    issues: Listed[Address] = ()
    """Issues or tickets that led to it."""
    documents: Listed[Address] = ()
    """Other documents: designs, run books, contracts."""


class Emergency(Part):
    """Why this change could not wait for its evaluation."""

    incident: ShortText
    """The incident's number or address."""
    justification: LongText
    """Why waiting would have been worse."""


class Imported(Part):
    """Where a request comes from that was written after the fact: a merge of the past.

    It says what was merged, and nothing about who approved it: an imported request is as open as any other.
    """

    commit: ObjectId
    """The commit that merged it, in the repository of the application."""
    commits: Listed[ObjectId] = ()
    """The commits that were merged by it; none where a forge squashed them."""
    merge_request: ShortText | None = None
    """Its merge or pull request: the address, or what the message calls it (`group/project!12`, `#12`)."""
    author: ShortText | None = None
    """The address of the commit's author, as the commit says."""
    time: AwareDatetime | None = None
    """When the commit was made, as the commit says; none where it says a time that no calendar has."""


class Change(Part):
    """One change to systems that hold customer information: who asks for what, why, how, at which risk."""

    schema_: Annotated[Literal[1], Alias("schema")]
    """Version of this format: 1."""
    id: Id
    """CHG-YYYYMMDD-XXXX; the file's path follows from it."""
    title: ShortText
    """One line that tells this change from others."""
    type: ChangeType
    """`normal`, `standard` (follows a pre-approved model) or `emergency` (answers an incident)."""
    requester: Principal
    """Who asks for the change, as the policy names that person."""
    systems: Annotated[Listed[Slug], Limits(min_length=1)]
    """Ids of the systems that are changed, from policy/systems.toml."""
    environments: Listed[Slug] = ()
    """Where it is changed; all environments of the systems when not given."""
    model: Slug | None = None
    """The standard change model that is followed, a file in policy/models/."""
    parameters: dict[Slug, ShortText] = field(default_factory=dict)
    """What the model asks to be told: its parameters and their values."""
    depends_on: Listed[Id] = ()
    """Changes that must be implemented before this one."""
    amends: Id | None = None
    """The documented change that this one corrects or completes."""
    reason: LongText
    """Why the change is needed."""
    scope: LongText
    """What is changed, and what is not."""
    rollback: LongText
    """How the change is undone when it goes wrong."""
    test_plan: LongText
    """How one will know that it works."""
    security_impact: LongText | None = None
    """What it means for security."""
    privacy_impact: LongText | None = None
    """What it means for customers' data."""
    communication: LongText | None = None
    """Who is told, when and how."""
    schedule: Schedule | None = None
    """The planned window."""
    outage: Outage | None = None
    """What users will notice."""
    emergency: Emergency | None = None
    """Incident and justification; required for an emergency change."""
    steps: Annotated[Listed[Step], Limits(min_length=1)]
    """What is done, in order."""
    risks: Annotated[Listed[Risk], Limits(min_length=1)]
    """What may go wrong; at least one entry, each with a mitigation."""
    links: Links = Links()
    """Where more is to be read."""
    imported: Imported | None = None
    """The merge of the past that it describes; written by `gitchange import history`."""
    custom: dict[str, Scalar] = field(default_factory=dict)
    """Fields that the policy declares under [custom]."""
    record: Record | None = None
    """Appended by `gitchange document`; never written by hand."""

    @property
    def path(self) -> str:
        """Where the file lies in the repository."""
        return identifiers.path_of(self.id)

    @property
    def risk(self) -> RiskLevel:
        """The level of the worst risk."""
        return max((risk.level for risk in self.risks), key=RISK_LEVELS.index)


class ParsedChange(Value):
    """What came of reading a change file: the change, or what is wrong with it."""

    path: str
    document: Document
    change: Change | None
    findings: tuple[Finding, ...]


_EXAMPLES: dict[str, str] = {
    "schema": "add `schema = 1`",
    "id": "`gitchange new` makes one",
    "title": 'add `title = "Rotate the API\'s TLS certificate"`: one line that tells it from others',
    "type": 'add `type = "normal"` (or "standard", "emergency")',
    "requester": 'add `requester = "you@example.org"`: who asks for the change',
    "systems": 'add `systems = ["api"]`: ids from policy/systems.toml',
    "reason": 'add `reason = """..."""`: why the change is needed',
    "scope": 'add `scope = """..."""`: what is changed, and what is not',
    "rollback": 'add `rollback = """..."""`: how it is undone when it goes wrong',
    "test_plan": 'add `test_plan = """..."""`: how one will know that it works',
    "steps": "add a [[steps]] table with `action` (and `verify`: how one sees that it worked)",
    "risks": "add a [[risks]] table with description, category, likelihood, impact and mitigations",
    "action": 'add `action = "..."`: what is done in this step',
    "description": 'add `description = "..."`',
    "category": 'add `category = "availability"` (or another word of yours)',
    "likelihood": 'add `likelihood = "possible"`: one of ' + ", ".join(LIKELIHOODS),
    "impact": 'add `impact = "minor"`: one of ' + ", ".join(IMPACTS),
    "mitigations": 'add `mitigations = ["what is done against this risk"]`',
    "start": "add `start = 2026-11-22T20:00:00+01:00`",
    "end": "add `end = 2026-11-22T21:00:00+01:00`",
    "incident": 'add `incident = "INC-42"`',
    "justification": 'add `justification = """..."""`: why it could not wait',
}


def example(loc: KeyPath) -> str:
    """The mend for a missing or empty key of a change file."""
    names = [part for part in loc if isinstance(part, str)]
    return _EXAMPLES.get(names[-1], "") if names else ""


def parse_change(raw: bytes, path: str) -> ParsedChange:
    """Read a change file; all problems at once, none of them raised.

    `path` is the place in the repository: the id must follow from it.
    """
    document = parse(raw, path, last="record")
    found = list(document.problems)
    change: Change | None = None
    if document.data or not found:
        try:
            change = Change.model_validate(document.data)
        except PartError as error:
            found += findings_of(error, document, Change, prefix="change", path=path, example=example)
    given = document.data.get("id")
    if isinstance(given, str) and identifiers.is_id(given) and identifiers.path_of(given) != path:
        line, column = document.positions.find(("id",))
        found.append(
            Finding(
                "change.wrong-path",
                f"the change {given} belongs at {identifiers.path_of(given)}",
                f"`git mv {path} {identifiers.path_of(given)}`, or correct the id",
                "error",
                path,
                line,
                column,
                "id",
            )
        )
    elif identifiers.id_of(path) is None:
        found.append(
            Finding(
                "change.stray-file",
                f"no change file can lie at {path}",
                "changes/YYYY/MM/CHG-YYYYMMDD-XXXX.toml are change files; nothing else lies under changes/",
                path=path,
            )
        )
    for key, code, message, hint in _misfits(document.data):
        line, column = document.positions.find(key)
        found.append(Finding(f"change.{code}", message, hint, "error", path, line, column, dotted(key)))
    if found:
        return ParsedChange(path, document, None, in_order(found))
    return ParsedChange(path, document, change, ())


def _misfits(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, str, str]]:
    """Keys that do not go together. Looks at the raw data, so that it speaks beside other problems."""
    kind, model, emergency = data.get("type"), data.get("model"), data.get("emergency")
    if kind == "standard" and model is None:
        hint = 'add `model = "..."`: a file of policy/models/'
        yield ("type",), "missing-key", "a standard change names the model that it follows", hint
    if kind in ("normal", "emergency") and model is not None:
        hint = 'remove it, or make the change `type = "standard"`'
        yield ("model",), "wrong-value", f"`model` belongs to standard changes; this one is {kind}", hint
    if kind in ("normal", "emergency") and data.get("parameters"):
        hint = 'remove it, or make the change `type = "standard"`'
        message = f"[parameters] belongs to standard changes; this one is {kind}"
        yield ("parameters",), "wrong-value", message, hint
    if kind == "emergency" and emergency is None:
        hint = "add [emergency] with `incident` and `justification`"
        yield ("type",), "missing-key", "an emergency change names its incident and justification", hint
    if kind in ("normal", "standard") and emergency is not None:
        hint = 'remove it, or make the change `type = "emergency"`'
        yield ("emergency",), "wrong-value", f"[emergency] belongs to emergencies; this one is {kind}", hint
    if kind == "standard" and data.get("imported") is not None:
        # A standard change needs no evaluation of its own: an import would be taken for an approved one.
        hint = 'make it `type = "normal"`, and remove `model` and [parameters]'
        message = "an imported change cannot be standard: nothing approved it before it was made"
        yield ("type",), "wrong-value", message, hint
    for name in ("systems", "environments", "depends_on"):
        values = data.get(name)
        for index, value in enumerate(values if isinstance(values, list) else ()):
            if value in (values or ())[:index]:
                yield (name, index), "wrong-value", f"`{name}` has {value!r} twice", "remove one of them"
            elif name == "depends_on" and value == data.get("id"):
                yield (name, index), "wrong-value", "a change cannot depend on itself", "remove it"
    if data.get("amends") is not None and data.get("amends") == data.get("id"):
        yield ("amends",), "wrong-value", "a change cannot amend itself", "remove it"


def write_change(data: dict[str, Any]) -> bytes:
    """The text of a change file from plain data, keys in the order of the format.

    What is None or an empty table or array is left out. `parse_change` of the result gives the
    same data back, long texts to the byte.
    """
    names = [info.alias or name for name, info in Change.model_fields.items()]
    return write_toml({name: data.get(name) for name in names}).encode()
