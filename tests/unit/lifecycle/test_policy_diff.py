"""What a policy changes is said in words, and nothing that differs is left out."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.lifecycle.deltas import Item, deltas, dotted
from gitchange.lifecycle.policy_diff import Difference, differences, in_short, wider
from gitchange.model.part import Part
from gitchange.model.policy import Deadlines, Policy, PolicyFile, StandardModel, System, When
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    CY,
    DEE,
    EVE,
    FAY,
    MO,
    MODELS,
    ROLES,
    RULE,
    SECURITY,
    SYSTEMS,
    ZED,
    a_policy,
    rule,
)

# -- nothing is left out ------------------------------------------------------------------------


def made(annotation: Any, number: int, owner: type[Part] | None = None) -> Any:
    """A value of a field's type; another number gives another value where the type has more than one."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return made(arguments[0], number, owner)
    if origin is Literal:
        return arguments[number % len(arguments)]
    if origin in (typing.Union, types.UnionType):
        return made(next(a for a in arguments if a is not type(None)), number, owner)
    if origin is tuple:
        return (made(arguments[0], number, owner),)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {f"entry{number}": made(arguments[1], number, owner)}
    if isinstance(annotation, type) and issubclass(annotation, Part):
        fields = {
            name: made(field.annotation, number, annotation)
            for name, field in annotation.model_fields.items()
        }
        return annotation.model_construct(**fields)
    values: dict[Any, Any] = {
        str: f"{number}d" if owner is Deadlines else f"word{number}",
        bool: bool(number % 2),
        int: number,
        bytes: f"bytes {number}".encode(),
        dt.datetime: dt.datetime(2026, 11, number, tzinfo=dt.UTC),
    }
    if annotation in values:
        return values[annotation]
    if annotation is type(None):
        return None
    raise AssertionError(f"no value is known for {annotation!r}")


class Mutation(NamedTuple):
    """A policy in which one field is another."""

    model: type[Part]
    field: str
    key: str
    """The field's place, as differences name it."""
    kind: str
    policy: Any


def mutated(value: Any, annotation: Any, owner: type[Part]) -> Iterator[tuple[str, Any]]:
    """Other values of one field: another one, none, none of several, one more."""
    optional = type(None) in get_args(annotation)
    if optional:
        yield "none", None
    if isinstance(value, tuple):
        more = made(annotation, 2, owner)
        yield "emptied", ()
        yield "one more", (*value, *more)
        yield "exchanged", more
    elif isinstance(value, Mapping):
        more = made(annotation, 2, owner)
        yield "emptied", {}
        yield "one more", {**value, **more}
        yield "exchanged", more
    elif not isinstance(value, Part):
        other = made(annotation, 2, owner)
        if other != value:
            yield "another", other


def mutations(model: Part, key: str = "") -> Iterator[Mutation]:
    """Every field of the model and of all models in it, mutated one at a time."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        place = f"{key}.{name}" if key else name
        for kind, other in mutated(value, field.annotation, type(model)):
            changed = model.model_copy(update={name: other})
            yield Mutation(type(model), name, place, kind, changed)
        inside: list[tuple[str, Part, Any]] = []
        if isinstance(value, Part):
            inside = [(place, value, lambda new: new)]
        elif isinstance(value, tuple) and value and isinstance(value[0], Part):
            inside = [(place, value[0], lambda new: (new,))]
        elif isinstance(value, Mapping):
            for entry, held in value.items():
                if isinstance(held, Part):
                    inside.append((f"{place}.{entry}", held, lambda new, entry=entry: {entry: new}))
        for place_of, held, wrap in inside:
            for deeper in mutations(held, place_of):
                changed = model.model_copy(update={name: wrap(deeper.policy)})
                yield deeper._replace(policy=changed)


def all_models(annotation: Any) -> set[type[Part]]:
    """Every model that a type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        inner = [all_models(field.annotation) for field in annotation.model_fields.values()]
        return {annotation}.union(*inner)
    return set().union(*(all_models(argument) for argument in get_args(annotation)))


def within(one: str, other: str) -> bool:
    """Whether a key is another, or part of it."""
    return one == other or one.startswith(f"{other}.")


FULL = made(Policy, 1)
MUTATIONS = [m for m in mutations(FULL) if m.field != "tree"]


_OTHER_WORDS = {
    "customer_data": ("customer information",),
    "required": ("must", "need not"),
    "waives": ("may validate it",),
}
"""What stands in a sentence for the values of fields that have words of their own."""


def without_names(key: str) -> str:
    """A key without the names of list entries: `rules["every change"].when` is `rules.when`."""
    while "[" in key:
        start = key.index("[")
        key = key[:start] + key[key.index("]", start) + 1 :]
    return key


def test_every_field_of_every_model_is_mutated() -> None:
    """No field below the policy is missing from the mutations, whoever adds it; only the tree's id is no content."""
    fields = {(model, name) for model in all_models(Policy) for name in model.model_fields}
    # What only holds other models is mutated through their fields.
    only_models = {
        (model, name)
        for model, name in fields
        if isinstance(model.model_fields[name].annotation, type)
        and issubclass(model.model_fields[name].annotation, Part)
    }
    assert {(m.model, m.field) for m in MUTATIONS} == fields - only_models - {(Policy, "tree")}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[f"{m.key} {m.kind}" for m in MUTATIONS])
def test_a_field_that_differs_is_named(mutation: Mutation) -> None:
    """Whatever field of a policy differs, a difference names it, in both directions, with a sentence of its own."""
    key = mutation.key.removeprefix("file.")
    for before, after in ((FULL, mutation.policy), (mutation.policy, FULL)):
        found = [
            difference
            for difference in differences(before, after)
            for named in difference.keys
            if within(without_names(named), key) or within(key, without_names(named))
        ]
        assert found, f"nothing names {key}: {differences(before, after)}"
        assert all(difference.sentence for difference in found)


@pytest.mark.parametrize(
    "mutation",
    [m for m in MUTATIONS if m.kind == "another" and m.model is not Policy],
    ids=lambda m: m.key,
)
def test_a_sentence_says_what_differs(mutation: Mutation) -> None:
    """The sentence about a single field has what it holds now, or its name."""
    value = made(mutation.model.model_fields[mutation.field].annotation, 2, mutation.model)
    words = [
        mutation.field,
        "2 days" if mutation.model is Deadlines else str(value),
        "2026-11-02" if isinstance(value, dt.datetime) else "\0",
        *_OTHER_WORDS.get(mutation.field, ()),
    ]
    sentences = [d.sentence for d in differences(FULL, mutation.policy)]
    assert any(word in sentence for word in words for sentence in sentences), sentences


PEOPLE = st.lists(st.sampled_from([ADA, BO, CY, DEE]), max_size=3, unique=True)
WHENS = st.fixed_dictionaries(
    {},
    optional={
        "types": st.lists(st.sampled_from(["normal", "emergency"]), min_size=1, max_size=2),
        "risk": st.lists(st.sampled_from(["low", "high"]), min_size=1, max_size=2),
        "customer_data": st.booleans(),
        "systems": st.lists(st.sampled_from(["api", "database"]), min_size=1, max_size=2),
    },
)
DEMANDS = st.fixed_dictionaries(
    {"role": st.sampled_from(["a", "b"])}, optional={"approvals": st.integers(1, 3)}
)
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(dt.UTC))
FILES = st.fixed_dictionaries(
    {
        "version": st.integers(1, 2),
        "roles": st.dictionaries(
            st.sampled_from(["root", "a", "b"]), st.fixed_dictionaries({"members": PEOPLE}), max_size=3
        ),
        "rules": st.lists(
            st.fixed_dictionaries(
                {"name": st.sampled_from(["r", "s"])},
                optional={"when": WHENS, "evaluation": DEMANDS, "validation": DEMANDS},
            ),
            max_size=3,
        ),
    },
    optional={
        "main": st.sampled_from(["main", "trunk"]),
        "timezone": st.sampled_from(["UTC", "Europe/Paris"]),
        "deadlines": st.fixed_dictionaries(
            {}, optional={"evaluation": st.sampled_from(["1d", "24h"]), "validation": st.just("3d")}
        ),
        "waivers": st.lists(
            st.fixed_dictionaries(
                {
                    "waives": st.sampled_from(["evaluator-is-author", "evaluator-is-requester"]),
                    "reason": st.sampled_from(["few", "many"]),
                    "expires": MOMENTS,
                },
                optional={"systems": st.just(["api"])},
            ),
            max_size=2,
        ),
        "custom": st.dictionaries(
            st.sampled_from(["x", "y"]),
            st.fixed_dictionaries(
                {"type": st.sampled_from(["text", "integer"])}, optional={"required": st.booleans()}
            ),
            max_size=2,
        ),
    },
)
SYSTEM = st.fixed_dictionaries(
    {"name": st.sampled_from(["API", "Database"]), "customer_data": st.booleans()},
    optional={"owner": st.just(ADA), "environments": st.lists(st.sampled_from(["p", "q"]), max_size=2)},
)
MODEL = st.fixed_dictionaries(
    {"title": st.sampled_from(["T", "U"])},
    optional={"max_risk": st.sampled_from(["low", "high"]), "systems": st.just(["api"])},
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Any policy in shape; whether its parts fit each other is no matter of comparing."""
    return Policy(
        tree=draw(st.sampled_from(["1" * 40, "2" * 40])),
        file=PolicyFile.model_validate(draw(FILES)),
        systems={
            name: System.model_validate(data)
            for name, data in draw(st.dictionaries(st.sampled_from(["api", "db"]), SYSTEM)).items()
        },
        models={
            name: StandardModel.model_validate(data)
            for name, data in draw(st.dictionaries(st.sampled_from(["m", "n"]), MODEL)).items()
        },
        signers=signers(
            *draw(st.lists(st.tuples(st.sampled_from([ADA, BO]), st.integers(1, 3)), max_size=3))
        ),
    )


@settings(max_examples=300, deadline=None)
@given(policies(), policies())
def test_there_is_a_difference_exactly_when_policies_differ(one: Policy, other: Policy) -> None:
    """A policy does not differ from itself; two differ exactly when anything but their trees' ids does."""
    assert differences(one, one) == ()
    same = one.model_copy(update={"tree": other.tree}) == other
    assert (differences(one, other) == ()) == same


@settings(max_examples=300, deadline=None)
@given(policies(), policies())
def test_every_delta_is_part_of_a_difference(one: Policy, other: Policy) -> None:
    """Each field that differs is named by some difference, itself or with the whole that holds it."""
    named = [key for difference in differences(one, other) for key in difference.keys]
    for delta in deltas(one.model_copy(update={"tree": other.tree}), other):
        place = dotted(delta.path).removeprefix("file.")
        if place.startswith("waivers"):
            place = "waivers"  # named by more than their first field there
        assert any(place.startswith(key) or key.startswith(place) for key in named), (place, named)


# -- words --------------------------------------------------------------------------------------


def key_line(number: int) -> str:
    """A public key as a line of allowed signers has it."""
    kind = b"ssh-ed25519"
    blob = b"".join(
        len(part).to_bytes(4, "big") + part for part in (kind, hashlib.sha256(b"%d" % number).digest())
    )
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def fingerprint(number: int) -> str:
    """Its name."""
    blob = base64.b64decode(key_line(number).split()[1])
    return f"SHA256:{base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip('=')}"


def signers(*lines: tuple[str, int], options: str = 'namespaces="gitchange"') -> bytes:
    """policy/allowed_signers with these people's keys."""
    return "".join(f"{who} {options} {key_line(number)}\n" for who, number in lines).encode()


def with_keys(text: bytes, policy: Policy | None = None) -> Policy:
    """The usual policy with that file of allowed signers."""
    return (policy or a_policy()).model_copy(update={"signers": text})


def told(before: Policy, after: Policy) -> dict[str, Difference]:
    """Differences by their sentences."""
    return {difference.sentence: difference for difference in differences(before, after)}


def roles(**changed: Any) -> dict[str, Any]:
    """The usual roles with these in place of the usual ones; None takes one away."""
    return {name: role for name, role in {**ROLES, **changed}.items() if role is not None}


WINTER: dict[str, Any] = {
    "name": "end of year",
    "reason": "People are away.",
    "kind": "soft",
    "start": dt.datetime(2026, 12, 24, 18),
    "end": dt.datetime(2027, 1, 2, 8),
    "zone": "Europe/Paris",
    "override": {"role": "security"},
}
FEW: dict[str, Any] = {
    "waives": "evaluator-is-author",
    "reason": "There is\nonly one.",
    "expires": dt.datetime(2026, 12, 31, tzinfo=dt.UTC),
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    # name: (what the old policy has, what the new one has, sentence, strength)
    "a role gained": (
        {},
        {"roles": roles(security={"members": [EVE, ADA, BO]})},
        *(f"{BO} gains: may evaluate as security (high risk to customer data)", ""),
    ),
    "root lost": (
        {"roles": roles(root={"members": [ADA, EVE, BO], "threshold": 2})},
        {},
        *(f"{BO} loses: can no longer approve policies (root)", ""),
    ),
    "a role that no rule asks for": (
        {},
        {"roles": roles(requester={"members": ["rob@example.org", BO]})},
        *(f"{BO} gains: the role requester, which no rule asks for", ""),
    ),
    "a first role": (
        {},
        {"roles": roles(developer={"members": [BO, CY, ZED]})},
        *(f"{ZED} held no role before: may now request and document changes", ""),
    ),
    "a last role": (
        {},
        {"roles": roles(**{"system-user": {"members": [DEE, CY]}})},
        *(f"{FAY} holds no role any more: can no longer request and document changes", ""),
    ),
    "several people": (
        {},
        {"roles": roles(security={"members": [EVE, ADA, BO, CY]})},
        *(f"{BO} and {CY} gain: may evaluate as security (high risk to customer data)", ""),
    ),
    "a power by a new rule": (
        {},
        {"rules": [RULE, SECURITY, {"name": "checks", "validation": {"role": "security"}}]},
        *(f"{EVE} and {ADA} gain: may now validate as security (checks)", ""),
    ),
    "a power lost with a rule": (
        {},
        {"rules": [RULE]},
        *(f"{EVE} and {ADA} lose: can no longer evaluate as security (high risk to customer data)", ""),
    ),
    "a new role": (
        {},
        {"roles": roles(auditor={"members": []})},
        *("new role auditor, held by nobody", ""),
    ),
    "a role gone": ({"roles": roles(auditor={"members": [ADA]})}, {}, "the role auditor is gone", ""),
    "a threshold lowered": (
        {"roles": roles(root={"members": [ADA, BO, CY], "threshold": 2})},
        {"roles": roles(root={"members": [ADA, BO, CY], "threshold": 1})},
        "a policy change now needs 1 of 3 root members instead of 2 of 3: "
        f"any single one of {ADA}, {BO} and {CY} can change everything",
        "weaker",
    ),
    "a threshold raised": (
        {"roles": roles(root={"members": [ADA, BO, CY], "threshold": 2})},
        {"roles": roles(root={"members": [ADA, BO, CY], "threshold": 3})},
        *("a policy change now needs 3 of 3 root members instead of 2 of 3", "stronger"),
    ),
    "one alone": (
        {},
        {"roles": roles(root={"members": [ADA]})},
        *(
            f"a policy change now needs 1 of 1 root members instead of 2 of 2: {ADA} alone can change everything",
        ),
        "weaker",
    ),
    "more of root": (
        {},
        {"roles": roles(root={"members": [ADA, EVE, BO], "threshold": 2})},
        *("a policy change now needs 2 of 3 root members instead of 2 of 2", "weaker"),
    ),
    "root gone": (
        {},
        {"roles": roles(root=None)},
        "nobody can approve a policy any more: without members of root this one would stay for ever",
        "",
    ),
    "a threshold without effect": (
        {},
        {"roles": roles(developer={"members": [BO, CY], "threshold": 2})},
        *("the threshold of developer is 2 instead of 1; only that of root decides anything", ""),
    ),
    "members in another order": (
        {},
        {"roles": roles(developer={"members": [CY, BO]})},
        *(f"role developer: members: {CY}, {BO}, in another order", ""),
    ),
    "fewer approvals": (
        {"rules": [rule(evaluation={"role": "change-manager", "approvals": 2})]},
        {"rules": [RULE]},
        *("rule “every change”: evaluation by 1 instead of 2 change-manager", "weaker"),
    ),
    "more approvals": (
        {"rules": [RULE]},
        {"rules": [rule(evaluation={"role": "change-manager", "approvals": 2})]},
        *("rule “every change”: evaluation by 2 instead of 1 change-manager", "stronger"),
    ),
    "another role": (
        {"rules": [RULE]},
        {"rules": [rule(evaluation={"role": "security"})]},
        *("rule “every change”: evaluation by 1 security instead of 1 change-manager", ""),
    ),
    "a demand removed that another rule has": (
        {"rules": [RULE, {"name": "twice", "evaluation": {"role": "security"}}]},
        {"rules": [RULE, {"name": "twice"}]},
        *("rule “twice”: evaluation by 1 security is not asked any more", "weaker"),
    ),
    "a demand removed that no other rule has": (
        {"rules": [RULE]},
        {"rules": [{k: RULE[k] for k in RULE if k != "evaluation"}]},
        *("rule “every change”: evaluation by 1 change-manager is not asked any more", ""),
    ),
    "a new rule": (
        {"rules": [RULE]},
        {"rules": [RULE, SECURITY]},
        "new rule “high risk to customer data”: Every normal or emergency change of high or critical risk that "
        "touches customer information is evaluated by one person as security",
        "stronger",
    ),
    "a new rule for what nobody could do": (
        {"rules": [rule(when={"types": ["normal"]})]},
        {"rules": [rule(when={"types": ["normal"]}), rule(name="others", when={"types": ["emergency"]})]},
        "new rule “others”: Every emergency change is evaluated by one person as change-manager, implemented by one "
        "person as developer and validated by one person as system-user",
        "",
    ),
    "a rule gone": (
        {"rules": [RULE, SECURITY]},
        {"rules": [RULE]},
        "the rule “high risk to customer data” is gone: Every normal or emergency change of high or critical risk that "
        "touches customer information is evaluated by one person as security no more",
        "weaker",
    ),
    "a narrower condition": (
        {"rules": [RULE, SECURITY]},
        {"rules": [RULE, {**SECURITY, "when": {**SECURITY["when"], "risk": ["critical"]}}]},
        "rule “high risk to customer data” is for: Every normal or emergency change of critical risk that touches "
        "customer information (before: Every normal or emergency change of high or critical risk that touches "
        "customer information)",
        "weaker",
    ),
    "a wider condition": (
        {"rules": [RULE, SECURITY]},
        {
            "rules": [
                RULE,
                {**SECURITY, "when": {"types": ["normal", "emergency"], "risk": ["high", "critical"]}},
            ]
        },
        "rule “high risk to customer data” is for: Every normal or emergency change of high or critical risk "
        "(before: Every normal or emergency change of high or critical risk that touches customer information)",
        "stronger",
    ),
    "another condition": (
        {"rules": [RULE, {**SECURITY, "when": {"risk": ["high"]}}]},
        {"rules": [RULE, {**SECURITY, "when": {"risk": ["critical"]}}]},
        "rule “high risk to customer data” is for: Every change of critical risk "
        "(before: Every change of high risk)",
        "",
    ),
    "the order of rules": (
        {"rules": [RULE, SECURITY]},
        {"rules": [SECURITY, RULE]},
        *("the rules stand in another order, which decides nothing", ""),
    ),
    "a new freeze": (
        {},
        {"freezes": [WINTER]},
        "new soft freeze “end of year”: 2026-12-24 18:00 to 2027-01-02 08:00 (Europe/Paris); "
        "1 security can lift it for a change (People are away.)",
        "stronger",
    ),
    "a freeze made hard": (
        {"freezes": [WINTER]},
        {"freezes": [{k: v for k, v in {**WINTER, "kind": "hard"}.items() if k != "override"}]},
        *("freeze “end of year” is hard instead of soft: nobody can lift it", "stronger"),
    ),
    "a freeze for less": (
        {"freezes": [WINTER]},
        {"freezes": [{**WINTER, "when": {"customer_data": True}}]},
        "freeze “end of year” is for: Every change that touches customer information (before: Every change)",
        "weaker",
    ),
    "a freeze that more must lift": (
        {"freezes": [WINTER]},
        {"freezes": [{**WINTER, "override": {"role": "security", "approvals": 2}}]},
        "freeze “end of year”: 2 security can lift it for a change (before: 1 security can lift it for a change)",
        "stronger",
    ),
    "a freeze that ends earlier": (
        {"freezes": [WINTER]},
        {"freezes": [{**WINTER, "end": dt.datetime(2026, 12, 31)}]},
        *("freeze “end of year”: end: 2026-12-31 00:00 instead of 2027-01-02 08:00", ""),
    ),
    "a power to lift a freeze": (
        {},
        {"freezes": [WINTER]},
        *(f"{EVE} and {ADA} gain: may now lift freezes as security (end of year)", ""),
    ),
    "a new waiver": (
        {},
        {"waivers": [{**FEW, "systems": ["api"]}]},
        "new waiver until 2026-12-31 00:00 UTC: The author of a change's text may evaluate it, for api "
        "(There is only one.)",
        "weaker",
    ),
    "a waiver gone": (
        {"waivers": [FEW]},
        {},
        "a waiver is gone (it was until 2026-12-31 00:00 UTC): The author of a change's text may evaluate it",
        "stronger",
    ),
    "a waiver that lasts longer": (
        {"waivers": [FEW]},
        {"waivers": [{**FEW, "expires": dt.datetime(2027, 6, 30, tzinfo=dt.UTC)}]},
        "a waiver holds until 2027-06-30 00:00 UTC instead of 2026-12-31 00:00 UTC: "
        "The author of a change's text may evaluate it",
        "weaker",
    ),
    "a waiver with another reason": (
        {"waivers": [FEW]},
        {"waivers": [{**FEW, "reason": "There are two."}]},
        *("waiver “evaluator-is-author”: reason: There are two. instead of There is only one.", ""),
    ),
    "a longer deadline": (
        {"deadlines": {"evaluation": "3d"}},
        {"deadlines": {"evaluation": "2w"}},
        *("A request is evaluated within 2 weeks of its arrival; before: 3 days", "weaker"),
    ),
    "a new deadline": (
        {},
        {"deadlines": {"validation": "1d"}},
        *("An implementation is validated within 1 day; before: no deadline", "stronger"),
    ),
    "a deadline gone": (
        {"deadlines": {"validation": "1d"}},
        {},
        *("no deadline instead of: An implementation is validated within 1 day", "weaker"),
    ),
    "time for an emergency's approval": (
        {},
        {"deadlines": {"emergency_approval": "4h"}},
        "An emergency change is approved by a second person within 4 hours of its implementation; before: at once",
        "weaker",
    ),
    "a system that holds customer data": (
        {},
        {"systems": {**SYSTEMS, "website": {"name": "Website", "customer_data": True}}},
        "the system website now holds customer information: the rule “high risk to customer data” now applies to its "
        "changes",
        "stronger",
    ),
    "a system that holds none any more": (
        {},
        {"systems": {**SYSTEMS, "database": {"name": "Database", "customer_data": False}}},
        "the system database holds no customer information any more: the rule “high risk to customer data” no longer "
        "applies to its changes, unless another system makes it so",
        "weaker",
    ),
    "a flag that no rule asks for": (
        {"rules": [RULE]},
        {"rules": [RULE], "systems": {**SYSTEMS, "database": {"name": "Database", "customer_data": False}}},
        *("the system database holds no customer information any more; no rule asks about that", ""),
    ),
    "a new system": (
        {},
        {"systems": {**SYSTEMS, "app": {"name": "App", "customer_data": False, "owner": ADA}}},
        *(f"new system app (App), which holds no customer information; owner: {ADA}", ""),
    ),
    "a system gone": (
        {"systems": {**SYSTEMS, "app": {"name": "App", "customer_data": False}}},
        {},
        *("the system app is gone: changes that name it cannot be approved", ""),
    ),
    "another owner": (
        {},
        {"systems": {**SYSTEMS, "website": {**SYSTEMS["website"], "owner": BO}}},
        *(f"system website: owner: {BO} instead of nothing", ""),
    ),
    "a new model": (
        {"models": {}},
        {},
        "new standard change model patch (Routine patch): changes of up to low risk to website need no evaluation",
        "weaker",
    ),
    "a model gone": (
        {},
        {"models": {}},
        *("the standard change model patch is gone: changes that name it cannot be approved", "stronger"),
    ),
    "a model for more risk": (
        {},
        {"models": {"patch": {**MODELS["patch"], "max_risk": "medium"}}},
        *("standard change model patch: max_risk: medium instead of low", "weaker"),
    ),
    "a model for more systems": (
        {},
        {"models": {"patch": {**MODELS["patch"], "systems": ["website", "api"]}}},
        *("standard change model patch: systems: website, api instead of website", "weaker"),
    ),
    "a model with an end": (
        {},
        {"models": {"patch": {**MODELS["patch"], "expires": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}}},
        *("standard change model patch: expires: 2027-01-01 00:00 UTC instead of nothing", "stronger"),
    ),
    "a new field": (
        {},
        {"custom": {"ticket": {"type": "text", "required": True}}},
        *("new field ticket of change files (text), which every change must give", ""),
    ),
    "a field that is required now": (
        {"custom": {"ticket": {"type": "text"}}},
        {"custom": {"ticket": {"type": "text", "required": True}}},
        *("every change must now give the field ticket", ""),
    ),
    "a compromised key": (
        {},
        {"compromised": [{"key": f"SHA256:{'A' * 43}", "since": "1" * 40, "reason": "a laptop was stolen"}]},
        f"the key SHA256:{'A' * 43} counts as compromised: what it signed from commit 111111111111 on is void "
        "(a laptop was stolen)",
        "stronger",
    ),
    "another branch of record": ({}, {"main": "trunk"}, "the branch of record is trunk instead of main", ""),
    "another time zone": (
        {},
        {"timezone": "Europe/Paris"},
        *("the time zone is Europe/Paris instead of UTC", ""),
    ),
    "another number": ({}, {"version": 2}, "the version is 2 instead of 1", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_differences_are_said_in_words(name: str) -> None:
    """Each kind of difference has its sentence, marked weaker or stronger only where that is sure."""
    old, new, sentence, strength = CASES[name]
    found = told(a_policy(**old), a_policy(**new))
    assert sentence in found, list(found)
    assert found[sentence].strength == strength


def test_powers_come_first_then_rules_then_the_rest() -> None:
    """Whoever reads only the beginning has read who may do more."""
    before = a_policy()
    after = a_policy(
        version=2,
        custom={"ticket": {"type": "text"}},
        rules=[RULE],
        roles=roles(developer={"members": [BO, CY, ZED]}),
        main="trunk",
    )
    weights = [difference.weight for difference in differences(before, after)]
    assert weights == sorted(weights, key=["power", "rule", "other"].index)
    assert set(weights) == {"power", "rule", "other"}


def test_differences_are_counted_in_short() -> None:
    """One line says how many there are of each weight, and how many make the policy weaker."""
    assert in_short(()) == "no difference"
    found = differences(a_policy(rules=[RULE, SECURITY]), a_policy(rules=[RULE]))
    assert in_short(found) == "1 of who may do what, 1 of what is asked of changes; 1 make(s) it weaker"


def test_texts_of_policies_stay_on_one_line() -> None:
    """A long text with line breaks is quoted on one line, and shortened."""
    reason = "First line.\n\n" + "word " * 100
    found = differences(a_policy(), a_policy(waivers=[{**FEW, "reason": reason}]))
    assert "\n" not in found[0].sentence
    assert "First line. word word" in found[0].sentence
    assert len(found[0].sentence) < 400
    assert "…" in found[0].sentence


def test_conditions_that_hold_wider_are_told_from_others() -> None:
    """A condition is wider only when it surely holds wherever the other does."""
    assert wider(When(), When(risk=("high",)))
    assert wider(When(risk=("high", "low")), When(risk=("high",)))
    assert not wider(When(risk=("high",)), When())
    assert not wider(When(risk=("high",), types=("normal",)), When(risk=("high",)))
    assert not wider(When(customer_data=True), When(customer_data=False))


# -- keys ---------------------------------------------------------------------------------------


def test_a_key_that_somebody_gains() -> None:
    """A new line of allowed signers is a key for somebody."""
    found = told(with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1), (BO, 2))))
    (sentence,) = found
    assert sentence == f"{BO} gains the key {fingerprint(2)} (ssh-ed25519)"
    assert found[sentence].who == (BO,)
    assert found[sentence].weight == "power"


def test_a_key_that_somebody_loses() -> None:
    """Who loses the only key can sign nothing, and is told so."""
    found = told(with_keys(signers((ADA, 1), (BO, 2))), with_keys(signers((ADA, 1))))
    assert list(found) == [
        f"{BO} loses the key {fingerprint(2)} (ssh-ed25519)",
        f"{BO} has no key any more and can sign nothing",
    ]


def test_a_key_that_is_replaced() -> None:
    """One key gone and one come for the same person is a replacement."""
    found = told(with_keys(signers((ADA, 1))), with_keys(signers((ADA, 2))))
    assert list(found) == [
        f"the key of {ADA} is replaced: {fingerprint(2)} (ssh-ed25519) instead of {fingerprint(1)} (ssh-ed25519)"
    ]


def test_a_key_that_changes_hands() -> None:
    """A key that was somebody else's is told with that."""
    found = told(with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1), (BO, 1))))
    assert list(found) == [f"{BO} gains the key {fingerprint(1)} (ssh-ed25519) (listed for {ADA} before)"]


BOUNDS = {
    "an end": ('namespaces="gitchange",valid-before="20270101Z"', "is valid until 2027-01-01 00:00 UTC"),
    "a beginning": (
        'namespaces="gitchange",valid-after="20270101Z"',
        "is valid from 2027-01-01 00:00 UTC on",
    ),
    "other namespaces": ('namespaces="git"', "may sign in the namespace git"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_of_a_key(name: str) -> None:
    """Validity and namespaces of a key are told when they change; dropping them makes the policy weaker."""
    options, words = BOUNDS[name]
    plain, bound = with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1), options=options))
    (sentence,) = told(plain, bound)
    assert sentence.startswith(f"the key {fingerprint(1)} (ssh-ed25519) of {ADA} {words} instead of ")
    (back,) = differences(bound, plain)
    assert (back.strength == "weaker") == (name != "other namespaces")


def test_a_key_without_a_namespace_is_told() -> None:
    """A new key that may sign in every namespace says so."""
    found = told(with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1)) + signers((BO, 2), options="")))
    assert any("gains the key" in s and s.endswith(", in every namespace") for s in found)


def test_an_authority_is_told() -> None:
    """A cert-authority line is no key of a person but lets certify keys of many."""
    line = f"*@example.org cert-authority {key_line(9)}\n".encode()
    found = told(with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1)) + line))
    (sentence,) = found
    assert sentence == (
        f"the authority {fingerprint(9)} (ssh-ed25519) may now certify keys of *@example.org, in every namespace"
    )
    assert found[sentence].who == ()


def test_an_unreadable_line_is_told() -> None:
    """A line that counts for nothing is told, with what is wrong with it."""
    (sentence,) = told(
        with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1)) + b"bo@example.org nonsense\n")
    )
    assert sentence.startswith("line 2 of allowed_signers has a problem: ")


def test_other_spelling_of_the_same_keys() -> None:
    """Comments and order change no power, and are told as what they are."""
    before, after = signers((ADA, 1), (BO, 2)), b"# ours\n" + signers((BO, 2), (ADA, 1))
    (difference,) = differences(with_keys(before), with_keys(after))
    assert "written differently" in difference.sentence
    assert difference.weight == "other"


def test_principals_that_are_no_text_are_shown_all_the_same() -> None:
    """Bytes that are no UTF-8 appear as such, so that every sentence can be printed."""
    line = b"\xff@example.org " + key_line(3).encode() + b"\n"
    (difference,) = differences(with_keys(signers((ADA, 1))), with_keys(signers((ADA, 1)) + line))
    assert "\\udcff@example.org" in difference.sentence
    assert all(text.encode() for text in (difference.sentence, *difference.who))


def test_openpgp_certificates_are_told() -> None:
    """A certificate that is new, gone or another one is told with its owner."""
    plain, one, other = (
        a_policy().model_copy(update={"openpgp": certificates})
        for certificates in ({}, {ADA: b"one"}, {ADA: b"other"})
    )
    assert [d.sentence.split(" (")[0] for d in differences(plain, one)] == [
        f"the OpenPGP certificate of {ADA} is new"
    ]
    assert [d.sentence.split(" (")[0] for d in differences(one, other)] == [
        f"the OpenPGP certificate of {ADA} is another one"
    ]
    assert [d.sentence for d in differences(one, plain)] == [
        f"the OpenPGP certificate of {ADA} is gone",
        f"{ADA} has no key any more and can sign nothing",
    ]


def test_the_person_of_a_compromised_key_is_named() -> None:
    """Whose key it is stands in allowed signers."""
    entry = {"key": fingerprint(1), "since": "1" * 40, "reason": "stolen"}
    keys = signers((ADA, 1))
    found = differences(with_keys(keys), with_keys(keys, a_policy(compromised=[entry])))
    assert found[0].sentence.startswith(f"the key {fingerprint(1)} of {ADA} counts as compromised")
    assert found[0].who == (ADA,)


def test_places_are_written_with_names() -> None:
    """Entries of lists are named by what identifies them, not by their number."""
    assert dotted(("rules", Item("every change"), "evaluation")) == 'rules["every change"].evaluation'
    (difference,) = differences(
        a_policy(rules=[RULE]), a_policy(rules=[rule(evaluation={"role": "change-manager", "approvals": 2})])
    )
    assert difference.keys == ('rules["every change"].evaluation.approvals',)


def test_json_of_a_difference() -> None:
    """The JSON shape of a difference."""
    (joined, *_) = differences(a_policy(), a_policy(roles=roles(security={"members": [EVE, ADA, MO]})))
    assert joined.as_json() == {
        "kind": "people",
        "weight": "power",
        "sentence": f"{MO} gains: may evaluate as security (high risk to customer data)",
        "who": [MO],
        "strength": None,
        "keys": ["roles.security.members"],
    }
