"""The policy: roles and their members, rules, systems, standard-change models.

DESIGN.md section 3, "Policy". A policy is a whole folder; its Git tree id names it. `load_policy`
takes the folder's files as bytes and gives a `Policy` or findings: an unreadable policy approves
nothing (section 4, rule 4), so there is no "mostly readable".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from gitchange.model.change import ChangeType, RiskLevel
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.model.part import (
    AfterValidator,
    AwareDatetime,
    Limits,
    Listed,
    Matching,
    NotTakenError,
    Part,
    PartError,
    field,
    field_validator,
    model_validator,
    reader_of,
)
from gitchange.model.recurrence import recurrence, zone
from gitchange.model.text import LongText, Principal, ShortText, Slug, findings_of
from gitchange.model.toml import KeyPath, parse

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator

ROOT = "policy"
POLICY_FILE = "policy.toml"
SYSTEMS_FILE = "systems.toml"
SIGNERS_FILE = "allowed_signers"
OPENPGP = "openpgp/"
"""The folder of OpenPGP certificates: a file for each person, named after that person."""
CERTIFICATES = ".asc"
"""What the name of a file of certificates ends with; the person's name comes before it."""
MODELS = "models/"

ROOT_ROLE = "root"
"""The role that decides about the policy itself."""
RECORDER_ROLE = "recorder"
"""The role of machine identities, which keep what `coverage` and `gate` answered and may sign nothing else."""

_principal = reader_of(Principal)
_DURATION = r"([0-9]{1,5})(m|h|d|w)"
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> dt.timedelta:
    """`90m`, `24h`, `3d` or `2w` as a length of time; ValueError otherwise."""
    match = re.fullmatch(_DURATION, text)
    if match is None or match[1].strip("0") == "":
        raise ValueError(f"is {text!r}; a length of time looks like 90m, 24h, 3d or 2w")
    return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})


class Role(Part):
    """Who may act in a role."""

    members: Listed[Principal]
    """Principals; a role without members can approve nothing."""
    threshold: Annotated[int, Limits(ge=1)] = 1
    """How many of them together decide as the role (used for `root`)."""

    @model_validator(mode="after")
    def _is_possible(self) -> Role:
        if len(set(self.members)) != len(self.members):
            raise ValueError("names a member twice; persons are counted once")
        if self.members and self.threshold > len(self.members):
            raise ValueError(f"has threshold {self.threshold} with {len(self.members)} member(s)")
        return self


T = TypeVar("T")
Some = Annotated[Listed[T], Limits(min_length=1)]
"""At least one: a rule for none of something would never apply, and nobody would notice."""


class When(Part):
    """To which changes a rule applies; every condition given must hold."""

    types: Some[ChangeType] | None = None
    """Types of change; all when not given."""
    risk: Some[RiskLevel] | None = None
    """Levels of the change's worst risk; all when not given."""
    customer_data: bool | None = None
    """Whether one of the systems holds customer information."""
    systems: Some[Slug] | None = None
    """At least one of the change's systems is among these."""
    environments: Some[Slug] | None = None
    """At least one of the change's environments is among these."""


class Demand(Part):
    """What a rule asks of a step."""

    role: Slug
    """Who may sign."""
    approvals: Annotated[int, Limits(ge=1)] = 1
    """How many different persons must."""


class Rule(Part):
    """One rule; every rule that matches applies, and all their demands must be met."""

    name: ShortText
    when: When = When()
    evaluation: Demand | None = None
    implementation: Demand | None = None
    validation: Demand | None = None


class Deadlines(Part):
    """How long things may take before they are overdue: 90m, 24h, 3d, 2w."""

    evaluation: str | None = None
    """From the request to its evaluation."""
    implementation: str | None = None
    """From the end of the planned window to the implementation."""
    validation: str | None = None
    """From the implementation to its validation."""
    documentation: str | None = None
    """From the validation to the record."""
    emergency_approval: str | None = None
    """From an emergency's implementation to its approval by a second person."""
    emergency_validation: str | None = None
    """From an emergency's implementation to its validation."""

    @field_validator("*")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None:
            duration(value)
        return value


class Waiver(Part):
    """A rule that does not hold for a while, with the reason why."""

    waives: Literal["evaluator-is-requester", "evaluator-is-author", "validator-is-implementer"]
    """Which separation of duties is waived."""
    reason: LongText
    """Why, for the auditor."""
    expires: AwareDatetime
    """Until when."""
    systems: Listed[Slug] | None = None
    """For these systems only; for all when not given."""
    types: Listed[ChangeType] | None = None
    """For these types of change only; for all when not given."""


def _zone(value: str) -> str:
    zone(value)
    return value


Zone = Annotated[str, AfterValidator(_zone)]
"""IANA name of a time zone, e.g. Europe/Paris."""


class Freeze(Part):
    """A time in which nothing is changed: the end of the year, a weekend, a campaign.

    It holds for changes whose *planned* window touches it. Emergencies are free of it unless `when.types` names them.
    """

    name: ShortText
    """What people call it; an override names it so."""
    reason: LongText
    """Why nothing is changed then."""
    kind: Literal["hard", "soft"]
    """`soft` is lifted for one change by a signed override with its reason; `hard` by nobody."""
    start: dt.datetime
    """When it begins, on the clocks of its zone: a date and time without offset."""
    end: dt.datetime
    """When it is over, on the clocks of its zone."""
    zone: Zone | None = None
    """IANA name of its time zone; the policy's `timezone` when not given."""
    recurrence: str | None = None
    """How it comes again: an RRULE of RFC 5545, e.g. `FREQ=WEEKLY;BYDAY=FR`. Days are those of the zone."""
    when: When = When()
    """For which changes it holds."""
    override: Demand | None = None
    """Who may lift a soft freeze for a change, and how many of them must."""

    @field_validator("start", "end", mode="before")
    @classmethod
    def _on_the_wall(cls, value: Any) -> Any:
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            raise ValueError(
                "has an offset; clocks change, so write the zone's own time: 2026-12-24T18:00:00"
            )
        return value

    @model_validator(mode="after")
    def _is_possible(self) -> Freeze:
        if self.end <= self.start:
            raise ValueError("ends before it begins: `end` must be later than `start`")
        if self.kind == "soft" and self.override is None:
            raise ValueError("is soft and says not who may lift it: add `override = { role = ... }`")
        if self.kind == "hard" and self.override is not None:
            raise ValueError('is hard, so nobody lifts it: remove `override`, or make it `kind = "soft"`')
        if self.recurrence is not None and recurrence(self.recurrence, self.start)[0] != self.start:
            raise ValueError("does not begin on a day of its own `recurrence`: correct one of them")
        return self


class CustomField(Part):
    """A field that this company adds to its change files, below [custom]."""

    type: Literal["text", "integer", "number", "boolean", "datetime", "date"]
    """What it holds."""
    required: bool = False
    """Whether every change must have it."""
    choices: Listed[str] | None = None
    """The only values that are allowed (for texts)."""
    description: ShortText | None = None
    """What it means; shown on the site."""


class CompromisedKey(Part):
    """A key that somebody else may have used."""

    key: Annotated[str, Matching(r"^(SHA256:[A-Za-z0-9+/]{43}|openpgp:([0-9a-f]{40}|[0-9a-f]{64}))$")]
    """Its fingerprint, as `ssh-keygen -l` prints it; for OpenPGP `openpgp:` and the fingerprint in lower-case
    hexadecimal, of a subkey or of the primary key, which stands for all of its subkeys."""
    since: Annotated[str, Matching(r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    """The commit of the branch of record from which on its sign-offs are void."""
    reason: LongText
    """What happened, for the auditor."""


class Exemption(Part):
    """Commits of application repositories that need no change: `coverage` and `gate` tell each of them with its reason.

    Every condition given must hold, and there must be one.
    """

    name: ShortText
    """What people call it."""
    reason: LongText
    """Why such commits need no change, for the auditor."""
    systems: Some[Slug] | None = None
    """For commits that touch these systems only; for all when not given."""
    paths: Some[ShortText] | None = None
    """Every file that the commit changes fits one of these patterns, e.g. `docs/**`."""
    authors: Some[ShortText] | None = None
    """Every author of what it brought has an address that fits one of these, e.g. `renovate@example.org`."""
    subject: str | None = None
    """A regular expression that its first line matches, whole; of a merge, or all that it merges do."""
    expires: AwareDatetime | None = None
    """Until when."""

    @field_validator("subject")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None and not is_plain_pattern(value):
            pattern(value)
        return value

    @model_validator(mode="after")
    def _is_limited(self) -> Exemption:
        if self.paths is None and self.authors is None and self.subject is None:
            raise ValueError("would exempt every commit: give `paths`, `authors` or `subject`")
        return self


class PolicyFile(Part):
    """policy/policy.toml."""

    version: Annotated[int, Limits(ge=1)]
    """Number of this policy; each is one higher than the one before."""
    main: Annotated[str, Matching(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")] = "main"
    """The branch of record."""
    merge_requests: bool = False
    """Whether the branch of record takes merge requests only: what gitchange writes then goes on branches."""
    timezone: Zone | None = None
    """IANA name of the zone in which the company plans, e.g. Europe/Paris; of freezes that name none."""
    roles: dict[Slug, Role]
    rules: Listed[Rule]
    deadlines: Deadlines = Deadlines()
    freezes: Listed[Freeze] = ()
    waivers: Listed[Waiver] = ()
    exemptions: Listed[Exemption] = ()
    compromised: Listed[CompromisedKey] = ()
    custom: dict[Slug, CustomField] = field(default_factory=dict)


class System(Part):
    """One system of policy/systems.toml."""

    name: ShortText
    """What people call it."""
    owner: Principal | None = None
    """Who answers for it."""
    customer_data: bool
    """Whether it holds customer information."""
    description: LongText | None = None
    """What it does."""
    environments: Listed[Slug] = ()
    """Where it runs."""
    depends_on: Listed[Slug] = ()
    """Systems that it needs."""
    repositories: Listed[ShortText] = ()
    """Addresses of the repositories that hold its code."""
    paths: Listed[ShortText] = ()
    """Its part of a shared repository, as glob patterns."""
    tags: ShortText | None = None
    """Pattern of the tags that are its releases."""


class SystemsFile(Part):
    """policy/systems.toml."""

    systems: dict[Slug, System]


_PATTERN_LIMIT = 200
_ONE = r"(?:[A-Za-z0-9_ /:@,=-]|\\[.+*?()\[\]{}|^$\\-]|\[(?:a-z|A-Z|0-9|[A-Za-z0-9_ ./:@,+=])+-?\])"
PLAIN_PATTERN = rf"(?:{_ONE}(?:[+*?]|\{{[1-9][0-9]?\}}|\{{[0-9],(?:[1-9][0-9])?\}})?)+"
"""Patterns that need no proof: characters and sets of them, each with one repetition at most, by 99 at most."""


@lru_cache(maxsize=256)
def pattern(text: str) -> SchemaValidator:
    """Matches whole texts against a regular expression; ValueError when it is none.

    Rust's regular expressions, which pydantic brings: they take linear time whatever the text, so that no text of a
    change can keep a verdict waiting.
    """
    # Not sooner: what reads no parameter need not wait for it.
    from pydantic_core import SchemaError, SchemaValidator  # noqa: PLC0415 - 40 ms

    if len(text) > _PATTERN_LIMIT:
        raise ValueError(f"is longer than {_PATTERN_LIMIT} characters")
    try:
        # Alone: "a)|(b" would escape from what is put around it.
        SchemaValidator({"type": "str", "pattern": text})
        return SchemaValidator({"type": "str", "pattern": rf"\A(?:{text})\z"})
    except SchemaError:
        raise ValueError(
            f"{text!r} is no regular expression (linear ones only: without look-around and back-references)"
        ) from None


def is_plain_pattern(text: str) -> bool:
    """Whether the text is seen to be a pattern without asking the library that matches it."""
    return len(text) <= _PATTERN_LIMIT and re.fullmatch(PLAIN_PATTERN, text) is not None


class Parameter(Part):
    """What a change that follows a model must say, and within which bounds."""

    pattern: str | None = None
    """Regular expression that the whole value must match; anything goes when not given."""
    choices: Some[ShortText] | None = None
    """The only values that are within the model."""
    required: bool = True
    """Whether every change must give it."""
    description: ShortText | None = None
    """What it means."""

    @field_validator("pattern")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None and not is_plain_pattern(value):
            pattern(value)
        return value

    def problem_with(self, value: str) -> str:
        """Why this value is outside the bounds; empty when it is within."""
        if self.choices is not None and value not in self.choices:
            return f"is {value!r}; the model allows {', '.join(self.choices)}"
        if self.pattern is not None and not pattern(self.pattern).isinstance_python(value):
            return f"is {value!r}, which does not match {self.pattern}"
        return ""


class StandardModel(Part):
    """A pre-approved way to make a change: a file in policy/models/."""

    title: ShortText
    """What the model is for."""
    description: LongText | None = None
    """How such a change is made."""
    systems: Listed[Slug] | None = None
    """Systems it may be used on; all when not given."""
    max_risk: RiskLevel = "low"
    """The highest risk level that stays within the model."""
    parameters: dict[Slug, Parameter] = field(default_factory=dict)
    """What a change must say, and within which bounds: `[parameters]` of its file."""
    suspended_after: Annotated[int, Limits(ge=1)] | None = None
    """With how many failed changes the pre-approval ends, until the model is changed by a new policy version."""
    expires: AwareDatetime | None = None
    """Until when it may be used."""


class Policy(Part):
    """A readable policy, all of its files together."""

    tree: str
    """Git's tree id of the folder: the name of this policy."""
    file: PolicyFile
    systems: dict[str, System]
    models: dict[str, StandardModel]
    signers: bytes
    """policy/allowed_signers as it stands; `gitchange.signing` reads it. Empty where everybody signs with OpenPGP."""
    openpgp: dict[str, bytes] = field(default_factory=dict)
    """Each person's policy/openpgp/PRINCIPAL.asc as it stands; `gitchange.signing` reads them."""

    @property
    def version(self) -> int:
        """The policy's number."""
        return self.file.version

    @property
    def main(self) -> str:
        """The branch of record, as a full ref name."""
        return f"refs/heads/{self.file.main}"

    def zone_of(self, freeze: Freeze) -> str:
        """The time zone of a freeze."""
        return freeze.zone or self.file.timezone or "UTC"

    def members(self, role: str) -> tuple[str, ...]:
        """Who may act in the role; nobody in one that does not exist."""
        held = self.file.roles.get(role)
        return held.members if held else ()

    def roles_of(self, principal: str) -> tuple[str, ...]:
        """The roles that a person holds, in the policy's order."""
        return tuple(name for name, role in self.file.roles.items() if principal in role.members)

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who holds a role, each once."""
        return tuple(dict.fromkeys(p for role in self.file.roles.values() for p in role.members))

    @property
    def requesters(self) -> tuple[str, ...]:
        """Everybody who may request and document changes: who holds a role and is no recorder."""
        recorders = self.members(RECORDER_ROLE)
        return tuple(p for p in self.people if p not in recorders) if recorders else self.people

    @property
    def signing_people(self) -> tuple[str, ...]:
        """Everybody who holds a role in which something is signed: those that rules ask for, `root` and `recorder`."""
        roles = {ROOT_ROLE, RECORDER_ROLE}
        for rule in self.file.rules:
            roles |= {
                d.role for d in (rule.evaluation, rule.implementation, rule.validation) if d is not None
            }
        roles |= {freeze.override.role for freeze in self.file.freezes if freeze.override is not None}
        return tuple(person for person in self.people if roles & set(self.roles_of(person)))


def load_policy(files: Mapping[str, bytes], tree: str) -> tuple[Policy | None, tuple[Finding, ...]]:
    """A policy from the files of its folder (names relative to `policy/`); findings when it has errors.

    Whatever is wrong with any part makes the whole policy unreadable: no rules, a rule that names a
    role that does not exist, a role that a rule needs and nobody holds, an unknown file.
    """
    found: list[Finding] = []
    policy_file = _read(files, POLICY_FILE, PolicyFile, found)
    systems_file = _read(files, SYSTEMS_FILE, SystemsFile, found)
    openpgp = _certificates(files, found)
    if SIGNERS_FILE not in files and not openpgp:
        found.append(
            Finding(
                "policy.missing-file",
                f"{ROOT}/{SIGNERS_FILE} is missing: no key is known",
                'add lines such as `ada@example.org namespaces="gitchange" ssh-ed25519 AAAA...`, '
                f"or OpenPGP certificates: {ROOT}/{OPENPGP}ada@example.org{CERTIFICATES}",
                path=f"{ROOT}/{SIGNERS_FILE}",
            )
        )
    models: dict[str, StandardModel] = {}
    for name in sorted(files):
        if name.startswith(MODELS) and name.endswith(".toml") and "/" not in name[len(MODELS) :]:
            if (model := _read(files, name, StandardModel, found)) is not None:
                models[name[len(MODELS) : -len(".toml")]] = model
        elif name.startswith(OPENPGP):
            continue  # _certificates speaks of them
        elif name not in (POLICY_FILE, SYSTEMS_FILE, SIGNERS_FILE) and not name.endswith(".md"):
            found.append(
                Finding(
                    "policy.stray-file",
                    f"{ROOT}/{name} is no part of a policy",
                    "a policy has policy.toml, systems.toml, allowed_signers, openpgp/*.asc, models/*.toml and *.md",
                    path=f"{ROOT}/{name}",
                )
            )
    if policy_file is not None and systems_file is not None:
        found += _contradictions(policy_file, systems_file, models, files)
    if has_errors(found) or policy_file is None or systems_file is None:
        return None, in_order(found)
    policy = Policy(
        tree=tree,
        file=policy_file,
        systems=systems_file.systems,
        models=models,
        signers=files.get(SIGNERS_FILE, b""),
        openpgp=openpgp,
    )
    return policy, in_order(found)


def _certificates(files: Mapping[str, bytes], found: list[Finding]) -> dict[str, bytes]:
    """The files of policy/openpgp/ by their persons. Whether they can be read, `gitchange.signing` tells."""
    certificates: dict[str, bytes] = {}
    for name in sorted(files):
        if not name.startswith(OPENPGP):
            continue
        path = f"{ROOT}/{name}"
        person = name[len(OPENPGP) :].removesuffix(CERTIFICATES)
        try:
            _principal(person)
        except NotTakenError:
            reason = "is too long"
        except ValueError as error:
            reason = str(error)
        else:
            reason = "is in a folder of its own" if "/" in person else ""
        if not name.endswith(CERTIFICATES):
            reason = f"does not end in {CERTIFICATES}"
        if reason:
            message = f"{path} is no part of a policy: its name {reason}"
            hint = f"the file is named after its person: {ROOT}/{OPENPGP}ada@example.org{CERTIFICATES}"
            found.append(Finding("policy.stray-file", message, hint, path=path))
        elif b"-----BEGIN PGP PRIVATE KEY" in files[name]:
            hint = "remove it at once and regard the key as compromised; what belongs there: gpg --export --armor"
            found.append(Finding("policy.secret-key", f"{path} holds a SECRET key", hint, path=path))
        else:
            certificates[person] = files[name]
    return certificates


def _read(files: Mapping[str, bytes], name: str, model: type[Any], found: list[Finding]) -> Any:
    path = f"{ROOT}/{name}"
    if name not in files:
        found.append(Finding("policy.missing-file", f"{path} is missing", "add it", path=path))
        return None
    document = parse(files[name], path)
    found += document.problems
    try:
        parsed = model.model_validate(document.data)
    except PartError as error:
        found += findings_of(error, document, model, prefix="policy", path=path, example=_example)
        return None
    return None if document.problems else parsed


def _example(loc: KeyPath) -> str:
    examples = {
        "version": "add `version = 1`",
        "roles": 'add [roles] with `change-manager = { members = ["ada@example.org"] }` and the others',
        "rules": "add at least one [[rules]] table with evaluation, implementation and validation",
        "customer_data": "add `customer_data = true` (or false): does it hold customer information?",
        "name": "add `name = ...`",
    }
    return examples.get(str(loc[-1]), "") if loc else ""


def _contradictions(
    policy: PolicyFile, systems: SystemsFile, models: Mapping[str, StandardModel], files: Mapping[str, bytes]
) -> list[Finding]:
    """What cannot be seen in one part alone. Fail closed: each of these is an error."""
    found: list[Finding] = []

    def at(name: str, key: KeyPath, code: str, message: str, hint: str) -> None:
        line, column = parse(files[name]).positions.find(key)
        dotted_key = ".".join(str(part) for part in key)
        found.append(
            Finding(f"policy.{code}", message, hint, "error", f"{ROOT}/{name}", line, column, dotted_key)
        )

    if not policy.rules:
        at(
            POLICY_FILE,
            ("rules",),
            "no-rules",
            "there are no rules: nothing could ever be approved",
            "add one",
        )
    if (recorder := policy.roles.get(RECORDER_ROLE)) is not None:
        for member in recorder.members:
            others = [
                name
                for name, role in policy.roles.items()
                if member in role.members and name != RECORDER_ROLE
            ]
            if others:
                at(
                    POLICY_FILE,
                    ("roles", RECORDER_ROLE, "members"),
                    "recorder-with-another-role",
                    f"{member} is a {RECORDER_ROLE} and also holds {', '.join(others)}: "
                    "who keeps results can do nothing else",
                    "give the machine a principal and a key of its own, and no other role",
                )
    known = {environment for system in systems.systems.values() for environment in system.environments}

    def demand_at(key: KeyPath, what: str, demand: Demand | None) -> None:
        if demand is None:
            return
        if demand.role == RECORDER_ROLE:
            at(
                POLICY_FILE,
                key,
                "recorder-asked",
                f"{what} asks for the role {RECORDER_ROLE!r}, whose members sign nothing about changes",
                "ask for a role of persons; this one is for machines that keep results",
            )
        if demand.role not in policy.roles:
            at(
                POLICY_FILE,
                key,
                "unknown-role",
                f"{what} asks for the role {demand.role!r}, which is not defined",
                f"add `{demand.role} = {{ members = [...] }}` under [roles]",
            )
        elif len(policy.roles[demand.role].members) < demand.approvals:
            at(
                POLICY_FILE,
                key,
                "too-few-members",
                f"{what} asks for {demand.approvals} × {demand.role}, "
                f"which has {len(policy.roles[demand.role].members)} member(s)",
                "add members to the role, or ask for fewer approvals",
            )

    def when_at(key: KeyPath, what: str, when: When) -> None:
        for name in when.systems or ():
            if name not in systems.systems:
                at(
                    POLICY_FILE,
                    key,
                    "unknown-system",
                    f"{what} names the system {name!r}, which systems.toml does not have",
                    "correct the name, or add the system",
                )
        for name in when.environments or ():
            if name not in known:
                at(
                    POLICY_FILE,
                    key,
                    "unknown-environment",
                    f"{what} names the environment {name!r}, which no system has",
                    "correct the name, or add the environment to a system",
                )

    for index, rule in enumerate(policy.rules):
        for step in ("evaluation", "implementation", "validation"):
            demand_at(("rules", index, step), f"rule {rule.name!r}", getattr(rule, step))
        when_at(("rules", index, "when"), f"rule {rule.name!r}", rule.when)
    for index, freeze in enumerate(policy.freezes):
        what = f"freeze {freeze.name!r}"
        demand_at(("freezes", index, "override"), what, freeze.override)
        when_at(("freezes", index, "when"), what, freeze.when)
        if freeze.name in (other.name for other in policy.freezes[:index]):
            at(
                POLICY_FILE,
                ("freezes", index, "name"),
                "name-twice",
                f"{what} is there twice; an override could mean either",
                "give each freeze a name of its own",
            )
        if freeze.zone is None and policy.timezone is None:
            at(
                POLICY_FILE,
                ("freezes", index),
                "no-zone",
                f"{what} is in no time zone",
                'add `zone = "Europe/Paris"` to it, or `timezone` to the policy',
            )
    for name, system in systems.systems.items():
        for other in system.depends_on:
            if other not in systems.systems:
                at(
                    SYSTEMS_FILE,
                    ("systems", name, "depends_on"),
                    "unknown-system",
                    f"system {name!r} depends on {other!r}, which is not defined",
                    "correct the name, or add the system",
                )
    for name, model in models.items():
        for other in model.systems or ():
            if other not in systems.systems:
                at(
                    f"{MODELS}{name}.toml",
                    ("systems",),
                    "unknown-system",
                    f"model {name!r} names the system {other!r}, which systems.toml does not have",
                    "correct the name, or add the system",
                )
    return found


def write_first_policy(
    principal: str, keys: Mapping[str, bytes], system: str, system_name: str
) -> dict[str, bytes]:
    """The files of a first policy in which one person holds every role (`gitchange init --principal`).

    `keys` has the file with that person's key: `allowed_signers`, or one of OpenPGP certificates.
    Such a policy cannot separate duties: nothing will be approved until others join, and `init`
    says so.
    """
    member = {"members": [principal]}
    policy = {
        "version": 1,
        "main": "main",
        "roles": {
            "root": {"members": [principal], "threshold": 1},
            "change-manager": member,
            "developer": member,
            "system-user": member,
        },
        "rules": [
            {
                "name": "every change",
                "evaluation": {"role": "change-manager", "approvals": 1},
                "implementation": {"role": "developer"},
                "validation": {"role": "system-user"},
            }
        ],
    }
    systems = {"systems": {system: {"name": system_name, "owner": principal, "customer_data": True}}}
    import tomli_w  # noqa: PLC0415 - once in the life of a repository

    return {
        POLICY_FILE: tomli_w.dumps(policy).encode(),
        SYSTEMS_FILE: tomli_w.dumps(systems).encode(),
        **keys,
    }
