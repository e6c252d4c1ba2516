"""What in a policy needs looking after: one thing that is not in order is one finding."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gitchange.lifecycle import upkeep
from gitchange.model.finding import Finding
from gitchange.model.policy import Policy
from gitchange.signing.keys import parse_public_line
from gitchange.signing.signers import Signers
from tests.gnupg import Gnupg, gnupg
from tests.unit.lifecycle.builders import ADA, BO, CY, DEE, EVE, FAY, MO, NOW, ROLES, a_policy, rule

PEOPLE = (ADA, MO, BO, CY, DEE, FAY, EVE)
DAY = dt.timedelta(days=1)


@cache
def key(name: str) -> str:
    """The public key of that name: type and base64."""
    weak = name == "weak"
    made = generate_private_key(65537, 1024) if weak else Ed25519PrivateKey.generate()  # noqa: S505 - the case
    return made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def fingerprint(name: str) -> str:
    """The key's fingerprint."""
    return parse_public_line(key(name)).fingerprint


def line(person: str, options: str = 'namespaces="gitchange"', name: str = "") -> str:
    """A line of the allowed signers; the key is called after the person when not given."""
    return " ".join(filter(None, (person, options, key(name or person))))


def signers(*lines: str, openpgp: Mapping[str, bytes] | None = None, **put: str) -> Signers:
    """Everybody's usual line, with those of some (by first name) put in place, and these further lines."""
    usual = {person.split("@")[0]: line(person) for person in PEOPLE}
    listed = [text for text in (usual | put).values() if text]
    return Signers("\n".join([*listed, *lines, ""]).encode(), openpgp or {})


def until(day: dt.datetime) -> str:
    """Options of a line that ends on that day."""
    return f'namespaces="gitchange",valid-before="{day:%Y%m%d}Z"'


def found(policy: Policy, known: Signers, within: dt.timedelta = upkeep.WITHIN) -> tuple[Finding, ...]:
    """The findings now."""
    return upkeep.findings(policy, known, NOW, within)


def test_a_policy_in_order_has_no_finding() -> None:
    """Where roles are held and asked for, two of root decide, and keys are for us and last, there is nothing to say."""
    assert found(a_policy(), signers()) == ()
    assert upkeep.able(a_policy(), signers(), NOW) == frozenset(PEOPLE)


def compromised(name: str) -> list[dict[str, str]]:
    """The policy's table about that key."""
    return [{"key": fingerprint(name), "since": "1" * 40, "reason": "The laptop was stolen."}]


def waived(expires: dt.datetime, **more: Any) -> list[dict[str, Any]]:
    """One waiver."""
    return [{"waives": "evaluator-is-author", "reason": "Few people.", "expires": expires, **more}]


def model(expires: dt.datetime) -> dict[str, Any]:
    """One standard model."""
    return {"patch": {"title": "Routine patch", "systems": ["website"], "expires": expires}}


FREEZE = {
    "name": "end of year",
    "reason": "Few people are there.",
    "kind": "soft",
    "start": dt.datetime(2026, 12, 24),
    "end": dt.datetime(2027, 1, 2),
    "zone": "Europe/Paris",
    "override": {"role": "security", "approvals": 2},
}

CASES: dict[str, tuple[Callable[[], tuple[Policy, Signers]], str, str, str]] = {
    "a role that nobody holds": (
        lambda: (a_policy(roles={**ROLES, "auditor": {"members": []}}), signers()),
        *("role.empty", "warning", "nobody holds the role auditor"),
    ),
    "a role that no rule asks for": (
        lambda: (a_policy(roles={**ROLES, "auditor": {"members": [EVE]}}), signers()),
        *("role.not-asked", "note", "no rule asks for the role auditor"),
    ),
    "no root": (
        lambda: (a_policy(roles={name: role for name, role in ROLES.items() if name != "root"}), signers()),
        *("root.missing", "error", "nobody is root"),
    ),
    "a root without members": (
        lambda: (a_policy(roles={**ROLES, "root": {"members": []}}), signers()),
        *("root.missing", "error", "nobody is root"),
    ),
    "a root of one person": (
        lambda: (a_policy(roles={**ROLES, "root": {"members": [ADA]}}), signers()),
        *("root.one-person", "warning", f"{ADA} alone can change the policy"),
    ),
    "a root in which each decides alone": (
        lambda: (a_policy(roles={**ROLES, "root": {"members": [ADA, EVE], "threshold": 1}}), signers()),
        *("root.one-person", "warning", f"each of {ADA}, {EVE} alone can change the policy"),
    ),
    "a root of whom too few have keys": (
        lambda: (a_policy(), signers(eve="")),
        *("root.cannot-act", "error", f"a new policy needs 2 of root, of whom only {ADA} can sign"),
    ),
    "a key for any purpose": (
        lambda: (a_policy(), signers(dee=line(DEE, ""))),
        *("key.any-purpose", "warning", f"the line of {DEE} names no namespaces"),
    ),
    "a key for another purpose": (
        lambda: (a_policy(), signers(dee=line(DEE, 'namespaces="git"'))),
        *("key.unable", "warning", f"{DEE} cannot sign now: line 5 is for 'git', not for 'gitchange'"),
    ),
    "a weak key": (
        lambda: (a_policy(), signers(dee=line(DEE, name="weak"))),
        *("key.weak", "warning", f"the key of {DEE} is an RSA key of 1024 bits"),
    ),
    "a key of somebody without a role": (
        lambda: (a_policy(), signers(line("zed@example.org"))),
        *("key.no-role", "note", "zed@example.org holds no role"),
    ),
    "a key that ended": (
        lambda: (a_policy(), signers(dee=line(DEE, until(NOW - DAY)))),
        *("key.unable", "warning", f"{DEE} cannot sign now: line 5 is valid until 2026-11-21"),
    ),
    "a key that ended and was replaced": (
        lambda: (a_policy(), signers(line(DEE, until(NOW - DAY), "old"))),
        *("key.expired", "note", f"a key of {DEE} ended on 2026-11-21; another one is valid"),
    ),
    "a key that begins later": (
        lambda: (a_policy(), signers(dee=line(DEE, 'namespaces="gitchange",valid-after="20270101Z"'))),
        *("key.unable", "warning", f"{DEE} cannot sign now: line 5 is valid from 2027-01-01 on"),
    ),
    "a key that ends soon": (
        lambda: (a_policy(), signers(dee=line(DEE, until(NOW + 29 * DAY)))),
        *("key.ends-soon", "warning", f"{DEE} soon cannot sign any more: line 5 is valid until 2026-12-21"),
    ),
    "a waiver that ended": (
        lambda: (a_policy(waivers=waived(NOW)), signers()),
        *("waiver.ended", "note", "the waiver evaluator-is-author ended on 2026-11-22"),
    ),
    "a waiver that ends soon": (
        lambda: (a_policy(waivers=waived(NOW + DAY, systems=["api"], types=["normal"])), signers()),
        *("waiver.ends-soon", "warning", "the waiver evaluator-is-author for normal, api ends on 2026-11-23"),
    ),
    "a model that ended": (
        lambda: (a_policy(models=model(NOW)), signers()),
        *("model.ended", "warning", "the standard change model patch ended on 2026-11-22"),
    ),
    "a model that ends soon": (
        lambda: (a_policy(models=model(NOW + DAY)), signers()),
        *("model.ends-soon", "warning", "the standard change model patch ends on 2026-11-23"),
    ),
    "a freeze that nobody can lift": (
        lambda: (
            a_policy(freezes=[FREEZE], roles={**ROLES, "security": {"members": [EVE, "zed@example.org"]}}),
            signers(),
        ),
        *(
            "freeze.nobody-lifts",
            "warning",
            "the freeze 'end of year' is lifted by 2 × security, of whom 1 can",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_thing_that_is_not_in_order_is_one_finding(name: str) -> None:
    """Each is found by itself, in one sentence, with a mend and the file that has it."""
    make, code, severity, words = CASES[name]
    (finding,) = found(*make())
    assert (finding.code, finding.severity) == (code, severity)
    assert finding.message.startswith(words)
    assert finding.hint
    assert finding.path.startswith("policy/")


def test_what_runs_out_later_than_asked_is_not_told() -> None:
    """How long before its end something is told is up to who asks."""
    ending = a_policy(waivers=waived(NOW + 40 * DAY), models=model(NOW + 40 * DAY))
    known = signers(dee=line(DEE, until(NOW + 40 * DAY)))
    assert found(ending, known) == ()
    assert {f.code for f in found(ending, known, 41 * DAY)} == {
        *("key.ends-soon", "waiver.ends-soon", "model.ends-soon"),
    }


def test_a_second_key_that_lasts_is_enough() -> None:
    """Who has another key that lasts is not told about the one that ends."""
    known = signers(line(DEE, until(NOW + DAY), "other"))
    assert found(a_policy(), known) == ()


def test_a_compromised_key_signs_nothing_new_and_should_go() -> None:
    """A compromised key that is still listed is told of, and its owner cannot sign with it."""
    policy = a_policy(compromised=compromised(DEE))
    assert [(f.code, f.severity) for f in found(policy, signers())] == [
        ("key.compromised", "warning"),
        ("key.unable", "warning"),
    ]
    assert DEE not in upkeep.able(policy, signers(), NOW)
    replaced = signers(line(DEE, name="other"))
    assert [f.code for f in found(policy, replaced)] == ["key.compromised"]
    assert DEE in upkeep.able(policy, replaced, NOW)


def test_a_key_of_two_persons_lets_neither_sign() -> None:
    """A key that is listed for two persons counts for neither."""
    assert upkeep.able(a_policy(), signers(fay=line(FAY, name=DEE)), NOW) == set(PEOPLE) - {DEE, FAY}


def test_an_authority_may_certify_keys_that_nobody_has_seen() -> None:
    """Persons whose keys an authority certifies are taken to have one, while the authority's line counts."""
    known = signers(
        f"*@example.org cert-authority,{until(NOW + 60 * DAY)} {key('authority')}", dee="", fay=""
    )
    assert upkeep.able(a_policy(rules=[rule()]), known, NOW) >= {DEE, FAY}
    assert DEE not in upkeep.able(a_policy(), known, NOW + 61 * DAY)
    assert found(a_policy(), known) == ()


def test_why_a_key_does_not_count_is_told_of_that_key() -> None:
    """Of one's own key it is told why it does not count, though another of one's keys does."""
    policy, known = a_policy(), signers(line(DEE, until(NOW - DAY), "old"))
    old, new, unknown = (parse_public_line(key(name)) for name in ("old", DEE, "unknown"))
    assert upkeep.why_key_unable(policy, known, DEE, new, NOW) == ""
    assert upkeep.why_key_unable(policy, known, DEE, old, NOW) == "line 8 is valid until 2026-11-21"
    assert upkeep.why_key_unable(policy, known, DEE, unknown, NOW) == f"no line gives {DEE} this key"
    assert upkeep.why_key_unable(policy, known, FAY, new, NOW) == f"no line gives {FAY} this key"


def test_a_certificate_counts_while_it_is_valid(tmp_path: Path) -> None:
    """Of one's SSH certificate it is told when it has ended; its authority's line alone does not tell."""
    for name in ("authority", "mine"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(command, check=True)
    certify = ("ssh-keygen", "-q", "-s", str(tmp_path / "authority"), "-I", "dee", "-n", DEE)
    lasting = ("-V", "20261101:20261201", str(tmp_path / "mine.pub"))
    subprocess.run([*certify, *lasting], check=True)
    mine = parse_public_line((tmp_path / "mine-cert.pub").read_text())
    known = signers(
        f"*@example.org cert-authority {(tmp_path / 'authority.pub').read_text().strip()}", dee=""
    )
    assert upkeep.why_key_unable(a_policy(), known, DEE, mine, NOW) == ""
    ended = upkeep.why_key_unable(a_policy(), known, DEE, mine, NOW + 10 * DAY)
    assert ended == "the certificate is not valid at that time"


# -- OpenPGP ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyring() -> Iterator[Gnupg]:
    """dee's key lasts, fay's ends ten days from now, mallory's is revoked."""
    with gnupg() as made:
        made.key("dee", at="20261101T000000")
        made.key("fay", expires="20261202T000000", at="20261101T000000")
        made.revoke(made.key("mallory"))
        yield made


def test_openpgp_keys_count_as_long_as_they_last(keyring: Gnupg) -> None:
    """Who signs with OpenPGP can sign until the certificate ends, and that end is told before."""
    files = {person: keyring.export(person) for person in (DEE, FAY)}
    known = signers(openpgp=files, dee="", fay="")
    policy = a_policy().model_copy(update={"openpgp": files})
    assert upkeep.able(policy, known, NOW) == frozenset(PEOPLE)
    assert upkeep.able(policy, known, NOW + 11 * DAY) == set(PEOPLE) - {FAY}
    (finding,) = found(policy, known)
    assert finding.code == "key.ends-soon"
    assert finding.message.startswith(f"{FAY} soon cannot sign any more")


def test_revoked_compromised_and_unreadable_certificates_let_nobody_sign(keyring: Gnupg) -> None:
    """A certificate that is revoked, compromised, shared or unreadable is no key."""
    files = {
        BO: b"no certificate",
        CY: keyring.export("mallory@example.org"),
        DEE: keyring.export(DEE),
        FAY: keyring.export(FAY),
        EVE: keyring.export(FAY),
    }
    known = signers(openpgp=files, bo="", cy="", dee="", fay="", eve="")
    stolen = f"openpgp:{keyring.fingerprints(DEE)[0]}"
    policy = a_policy(compromised=[{**compromised(DEE)[0], "key": stolen}])
    assert upkeep.able(policy.model_copy(update={"openpgp": files}), known, NOW) == {ADA, MO}
