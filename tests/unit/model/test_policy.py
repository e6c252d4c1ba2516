"""The policy: whatever is wrong with any part of it makes it approve nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.model.policy import (
    PLAIN_PATTERN,
    duration,
    is_plain_pattern,
    load_policy,
    pattern,
    write_first_policy,
)
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    EVE,
    MODELS,
    ROLES,
    SYSTEMS,
    TREE,
    a_policy,
    policy_data,
    policy_files,
    rule,
)

Edit = dict[str, Any]


def test_a_good_policy_is_read() -> None:
    """A policy with roles, rules, systems, keys and models is read, and is named by its tree."""
    policy, found = load_policy({**policy_files(), "README.md": b"# Why\n"}, TREE)
    assert found == ()
    assert policy is not None
    assert (policy.tree, policy.version, policy.main) == (TREE, 1, "refs/heads/main")
    assert policy.members("change-manager") == (ADA, "mo@example.org")
    assert policy.members("nobody") == ()
    assert policy.roles_of(EVE) == ("root", "security")
    assert policy.roles_of("zed@example.org") == ()
    assert policy.people.count(ADA) == 1
    assert set(policy.models) == {"patch"}


def test_people_who_sign_are_those_of_root_and_of_the_rules() -> None:
    """Whoever holds only a role that no rule asks for signs nothing."""
    policy = a_policy(rules=[rule()])
    assert "rob@example.org" in policy.people
    assert "rob@example.org" not in policy.signing_people
    assert {ADA, BO, EVE} <= set(policy.signing_people)


# What is wrong: keys of policy.toml, code, key, words of the message.
WRONG: dict[str, tuple[Edit, str, str, str]] = {
    "no rules": ({"rules": []}, "policy.no-rules", "rules", "nothing could ever be approved"),
    "a role that does not exist": (
        {"rules": [rule(evaluation={"role": "boss"})]},
        *("policy.unknown-role", "rules.0.evaluation", "'boss', which is not defined"),
    ),
    "more approvals than members": (
        {"rules": [rule(evaluation={"role": "change-manager", "approvals": 3})]},
        *("policy.too-few-members", "rules.0.evaluation", "3 × change-manager, which has 2 member(s)"),
    ),
    "a role without members that a rule asks for": (
        {"roles": {**ROLES, "developer": {"members": []}}},
        *("policy.too-few-members", "rules.0.implementation", "has 0 member(s)"),
    ),
    "no approvals": (
        {"rules": [rule(evaluation={"role": "change-manager", "approvals": 0})]},
        *("policy.wrong-value", "rules[0].evaluation.approvals", "greater than or equal to 1"),
    ),
    "a threshold of zero": (
        {"roles": {**ROLES, "root": {"members": [ADA], "threshold": 0}}},
        *("policy.wrong-value", "roles.root.threshold", "greater than or equal to 1"),
    ),
    "a threshold above the number of members": (
        {"roles": {**ROLES, "root": {"members": [ADA], "threshold": 2}}},
        *("policy.wrong-value", "roles.root", "threshold 2 with 1 member(s)"),
    ),
    "a member twice": (
        {"roles": {**ROLES, "root": {"members": [ADA, ADA], "threshold": 2}}},
        *("policy.wrong-value", "roles.root", "persons are counted once"),
    ),
    "a member who is no principal": (
        {"roles": {**ROLES, "root": {"members": ["Ada Lovelace"]}}},
        *("policy.wrong-value", "roles.root.members[0]", "is no principal"),
    ),
    "a wildcard for a member": (
        {"roles": {**ROLES, "root": {"members": ["*@example.org"]}}},
        *("policy.wrong-value", "roles.root.members[0]", "is no principal"),
    ),
    "an unknown key": ({"quorum": 1}, "policy.unknown-key", "quorum", "not a key"),
    "an unknown key of a rule": (
        {"rules": [rule(evalution={"role": "security"})]},
        *("policy.unknown-key", "rules[0].evalution", "not a key"),
    ),
    "an unknown condition": (
        {"rules": [rule(when={"customerdata": True})]},
        *("policy.unknown-key", "rules[0].when.customerdata", "not a key"),
    ),
    "an unknown type in a condition": (
        {"rules": [rule(when={"types": ["urgent"]})]},
        *("policy.wrong-value", "rules[0].when.types[0]", "must be 'normal'"),
    ),
    "an unknown risk level": (
        {"rules": [rule(when={"risk": ["huge"]})]},
        *("policy.wrong-value", "rules[0].when.risk[0]", "must be 'low'"),
    ),
    "an unknown system in a condition": (
        {"rules": [rule(when={"systems": ["apii"]})]},
        *("policy.unknown-system", "rules.0.when", "'apii'"),
    ),
    "an unknown environment in a condition": (
        {"rules": [rule(when={"environments": ["prodution"]})]},
        *("policy.unknown-environment", "rules.0.when", "'prodution', which no system has"),
    ),
    "a rule for no type": (
        {"rules": [rule(when={"types": []})]},
        *("policy.empty", "rules[0].when.types", "at least one entry"),
    ),
    "a rule for no system": (
        {"rules": [rule(when={"systems": []})]},
        *("policy.empty", "rules[0].when.systems", "at least one entry"),
    ),
    "a version of zero": ({"version": 0}, "policy.wrong-value", "version", "greater than or equal to 1"),
    "a version in quotes": ({"version": "1"}, "policy.wrong-type", "version", "a whole number, not text"),
    "a branch that is an option": ({"main": "--force"}, "policy.wrong-value", "main", "match pattern"),
    "a time zone that does not exist": (
        {"timezone": "Europe/Atlantis"},
        *("policy.wrong-value", "timezone", "no IANA time zone"),
    ),
    "a time zone that is a path": (
        {"timezone": "../../etc/passwd"},
        *("policy.wrong-value", "timezone", "no IANA time zone"),
    ),
    "an unknown deadline": (
        {"deadlines": {"evalutaion": "3d"}},
        *("policy.unknown-key", "deadlines.evalutaion", "not a key"),
    ),
    "a duration in words": (
        {"deadlines": {"evaluation": "three days"}},
        *("policy.wrong-value", "deadlines.evaluation", "looks like 90m, 24h, 3d or 2w"),
    ),
    "a number for a duration": (
        {"deadlines": {"validation": 3}},
        *("policy.wrong-type", "deadlines.validation", "must be text in quotes"),
    ),
    "a waiver without a reason": (
        {"waivers": [{"waives": "evaluator-is-author", "expires": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}]},
        *("policy.missing-key", "waivers[0].reason", "is missing"),
    ),
    "a waiver without an expiry": (
        {"waivers": [{"waives": "evaluator-is-author", "reason": "Holidays."}]},
        *("policy.missing-key", "waivers[0].expires", "is missing"),
    ),
    "a waiver that expires in no time zone": (
        {"waivers": [{"waives": "evaluator-is-author", "reason": "x", "expires": dt.datetime(2027, 1, 1)}]},
        *("policy.wrong-value", "waivers[0].expires", "timezone"),
    ),
    "a waiver of everything": (
        {"waivers": [{"waives": "all", "reason": "x", "expires": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}]},
        *("policy.wrong-value", "waivers[0].waives", "must be 'evaluator-is-requester'"),
    ),
    "a custom field of an unknown type": (
        {"custom": {"ticket": {"type": "string"}}},
        *("policy.wrong-value", "custom.ticket.type", "must be 'text'"),
    ),
}


@pytest.mark.parametrize(("edit", "code", "key", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_policy_with_an_error_is_no_policy(edit: Edit, code: str, key: str, message: str) -> None:
    """One error anywhere in policy.toml makes the whole policy unreadable, and a finding names its place."""
    policy, found = load_policy(policy_files(policy_data(**edit)), TREE)
    assert policy is None
    assert len(found) == 1, found
    assert (found[0].code, found[0].key, found[0].severity) == (code, key, "error")
    assert message in found[0].message
    assert found[0].path == "policy/policy.toml"
    assert found[0].line >= 1


@pytest.mark.parametrize("missing", ["version", "roles", "rules"])
def test_a_required_key_that_is_missing_makes_no_policy(missing: str) -> None:
    """Version, roles and rules are required."""
    data = policy_data()
    del data[missing]
    policy, found = load_policy(policy_files(data), TREE)
    assert policy is None
    assert [(f.code, f.key) for f in found] == [("policy.missing-key", missing)]
    assert found[0].hint


@pytest.mark.parametrize("missing", ["policy.toml", "systems.toml", "allowed_signers"])
def test_a_file_that_is_missing_makes_no_policy(missing: str) -> None:
    """A policy without its rules, its systems or its keys is none."""
    files = policy_files()
    del files[missing]
    policy, found = load_policy(files, TREE)
    assert policy is None
    assert [(f.code, f.path) for f in found] == [("policy.missing-file", f"policy/{missing}")]


def test_an_empty_folder_is_no_policy() -> None:
    """Every file that a policy needs is named when there is none."""
    policy, found = load_policy({}, TREE)
    assert policy is None
    assert {f.path for f in found} == {
        *("policy/policy.toml", "policy/systems.toml", "policy/allowed_signers")
    }


@pytest.mark.parametrize(
    "name",
    [
        "policy.toml.orig",
        "models/patch.yaml",
        "models/old/patch.toml",
        "allowed_signers.bak",
        "revoked",
        "POLICY.TOML",
    ],
)
def test_a_stray_file_makes_no_policy(name: str) -> None:
    """A file that means nothing is an error: somebody may believe that it means something."""
    policy, found = load_policy({**policy_files(), name: b""}, TREE)
    assert policy is None
    assert [(f.code, f.path) for f in found] == [("policy.stray-file", f"policy/{name}")]


@pytest.mark.parametrize("name", ["policy.toml", "systems.toml", "models/patch.toml"])
@pytest.mark.parametrize("raw", [b"x = ", b"\xff", b"\xef\xbb\xbf", b"# a\r\n"])
def test_a_part_that_is_no_good_toml_makes_no_policy(name: str, raw: bytes) -> None:
    """A syntax problem in any part makes the whole policy unreadable, even where the rest can be read."""
    files = policy_files()
    policy, found = load_policy({**files, name: raw + files[name] if raw != b"x = " else raw}, TREE)
    assert policy is None
    assert any(f.path == f"policy/{name}" and f.code.startswith("toml.") for f in found)


SYSTEMS_WRONG: dict[str, tuple[Edit, str, str]] = {
    "no word about customer data": ({"x": {"name": "X"}}, "policy.missing-key", "systems.x.customer_data"),
    "customer data in quotes": (
        {"x": {"name": "X", "customer_data": "no"}},
        *("policy.wrong-type", "systems.x.customer_data"),
    ),
    "a dependency that does not exist": (
        {"x": {"name": "X", "customer_data": False, "depends_on": ["y"]}},
        *("policy.unknown-system", "systems.x.depends_on"),
    ),
    "an id with a slash": ({"a/b": {"name": "X", "customer_data": False}}, "policy.wrong-value", ""),
    "an unknown key": (
        {"x": {"name": "X", "customer_data": False, "custmer": 1}},
        *("policy.unknown-key", "systems.x.custmer"),
    ),
}


@pytest.mark.parametrize(("edit", "code", "key"), SYSTEMS_WRONG.values(), ids=SYSTEMS_WRONG.keys())
def test_an_error_in_the_systems_makes_no_policy(edit: Edit, code: str, key: str) -> None:
    """One error in systems.toml makes the whole policy unreadable."""
    policy, found = load_policy(policy_files(systems={**SYSTEMS, **edit}), TREE)
    assert policy is None
    assert [(f.code, f.path) for f in found] == [(code, "policy/systems.toml")]
    assert key in found[0].key


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ({"title": "x", "systems": ["nowhere"]}, "policy.unknown-system"),
        ({"title": "x", "max_risk": "tiny"}, "policy.wrong-value"),
        ({"title": "x", "maxrisk": "low"}, "policy.unknown-key"),
        ({}, "policy.missing-key"),
    ],
    ids=["an unknown system", "an unknown risk", "an unknown key", "no title"],
)
def test_an_error_in_a_model_makes_no_policy(model: Edit, code: str) -> None:
    """One error in a standard change model makes the whole policy unreadable."""
    policy, found = load_policy(policy_files(models={**MODELS, "other": model}), TREE)
    assert policy is None
    assert [(f.code, f.path) for f in found] == [(code, "policy/models/other.toml")]


def test_all_errors_of_all_files_are_reported_at_once() -> None:
    """Errors in several files of a policy are reported together."""
    files = policy_files(policy_data(version=0), {"x": {"name": "X"}}, {"m": {}})
    _, found = load_policy({**files, "stray": b""}, TREE)
    assert [f.path for f in found] == [
        *("policy/models/m.toml", "policy/policy.toml", "policy/stray", "policy/systems.toml")
    ]


@pytest.mark.parametrize(
    ("text", "hours"), [("90m", 1.5), ("24h", 24), ("3d", 72), ("2w", 336), ("007d", 168)]
)
def test_a_length_of_time_is_a_number_with_its_unit(text: str, hours: float) -> None:
    """Minutes, hours, days and weeks are understood."""
    assert duration(text) == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    "text",
    ["", "3", "d", "0d", "00h", "-1d", "1.5h", "3 d", "3D", "1d12h", "3d\n", "999999d", "٣d", "3s", "P3D"],
)
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    """A length of time that is not one, or is none at all, is an error, not a guess."""
    with pytest.raises(ValueError, match="looks like 90m, 24h, 3d or 2w"):
        duration(text)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["policy.toml", "systems.toml", "allowed_signers", "models/x.toml", "y"]),
        st.binary(max_size=80)
        | st.sampled_from([tomli_w.dumps(policy_data()).encode(), b"systems = {}\n", b"rules = 1\n"]),
    )
)
def test_no_files_crash_the_reader(files: dict[str, bytes]) -> None:
    """Whatever a policy folder holds, there is a policy or an error, never both and never a crash."""
    policy, found = load_policy(files, TREE)
    assert (policy is None) == any(f.severity == "error" for f in found)


def test_a_first_policy_is_readable_and_has_one_person_in_every_role() -> None:
    """What `init` writes for one person is a good policy in which that person holds every role."""
    line = b'ada@example.org namespaces="gitchange" ssh-ed25519 AAAA\n'
    policy, found = load_policy(write_first_policy(ADA, {"allowed_signers": line}, "api", "API"), TREE)
    assert found == ()
    assert policy is not None
    assert policy.people == (ADA,)
    assert policy.roles_of(ADA) == ("root", "change-manager", "developer", "system-user")
    assert policy.systems["api"].customer_data
    assert policy.signers == line


@given(
    st.one_of(st.from_regex(PLAIN_PATTERN, fullmatch=True), st.text("ab-]^[\\.+*?{}0,9(|)$é", max_size=12))
)
@settings(max_examples=500)
def test_plain_patterns_need_no_proof(text: str) -> None:
    """What is taken for a pattern at sight is one for the library that matches it, whole."""
    if is_plain_pattern(text):
        assert pattern(text)
        assert not pattern(text).isinstance_python("é" + "x" * 20_000)


@pytest.mark.parametrize(
    "text", ["[0-9]+[.][0-9]+[.][0-9]+", r"v[0-9]{1,}\.x?", "[a-z0-9-]{1,40}", "CVE-2026"]
)
def test_usual_patterns_are_plain(text: str) -> None:
    """A policy with these is read without the library."""
    assert is_plain_pattern(text)


@pytest.mark.parametrize(
    "text", ["", "a**", "[", "[z-a]", "a{2,1}", "a" * 201, "(a)", "a|b", ".", "{1}", "[^a]", "é"]
)
def test_other_patterns_are_left_to_the_library(text: str) -> None:
    """Those that it refuses are among them."""
    assert not is_plain_pattern(text)
