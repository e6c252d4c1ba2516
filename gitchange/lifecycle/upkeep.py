"""What in a policy needs looking after: roles, the root, keys, and what runs out.

Pure. Says who has a key that counts now, and what a careful administrator would mend before it hurts. What makes
a policy unreadable is told where it is read (`gitchange.model.policy`), unreadable lines and shared keys where
files are checked (`gitchange.workflow.checking`), and what its members cannot do in `gitchange.lifecycle.duties`.
"""

from __future__ import annotations

import datetime as dt

from gitchange.model.finding import Finding
from gitchange.model.policy import MODELS, POLICY_FILE, RECORDER_ROLE, ROOT, ROOT_ROLE, SIGNERS_FILE
from gitchange.model.statement import NAMESPACE
from gitchange.signing.key_types import RSA
from gitchange.signing.openpgp import PREFIX
from gitchange.signing.wire import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitchange.model.finding import Severity
    from gitchange.model.policy import Policy
    from gitchange.signing.allowed_signers import AllowedSigner
    from gitchange.signing.keys import PublicKey
    from gitchange.signing.signers import Signers

WITHIN = dt.timedelta(days=30)
"""How long before something runs out it is told, unless asked otherwise."""

WEAK_RSA_BITS = 2048
"""RSA keys with fewer bits are weak (NIST SP 800-131A, since 2014)."""

_POLICY = f"{ROOT}/{POLICY_FILE}"
_SIGNERS = f"{ROOT}/{SIGNERS_FILE}"
_PUBLISH = "in a new version of the policy"


def able(policy: Policy, signers: Signers, at: dt.datetime) -> frozenset[str]:
    """Who holds a role and has a key that counts at that moment.

    Certificates that nobody has seen yet are taken to be there: of an SSH certificate's authority, and of OpenPGP
    where what checks them is not installed.
    """
    return frozenset(p for p in policy.people if not _why_unable(policy, signers, p, at))


def why_key_unable(policy: Policy, signers: Signers, person: str, key: PublicKey, at: dt.datetime) -> str:
    """Why what a person signs with this SSH key would not count; empty when it would."""
    compromised = {entry.key for entry in policy.file.compromised}
    reasons: list[str] = []
    for entry in signers.ssh.entries_of(key):
        if entry.matches_principal(person):
            reason = _why_not(entry, person, signers, compromised, at)
            if not reason and entry.cert_authority and (certificate := key.certificate):
                seconds = at.timestamp()
                if not certificate.valid_after <= seconds < certificate.valid_before:
                    reason = "the certificate is not valid at that time"
            if not reason:
                return ""
            reasons.append(reason)
    return "; ".join(dict.fromkeys(reasons)) or f"no line gives {person} this key"


def _why_unable(policy: Policy, signers: Signers, person: str, at: dt.datetime) -> str:
    """Why nothing that a person signs would count; empty when it would."""
    reasons: list[str] = []
    compromised = {entry.key for entry in policy.file.compromised}
    for entry in signers.ssh.entries:
        if entry.matches_principal(person):
            reason = _why_not(entry, person, signers, compromised, at)
            if not reason:
                return ""
            reasons.append(reason)
    if person in policy.openpgp:
        certificates = signers.openpgp
        if certificates.missing:
            return ""
        usable = [
            certificate
            for certificate in certificates.of(person)
            if not any(PREFIX + key in compromised or key in certificates.shared for key in certificate.keys)
        ]
        reason = certificates.why_unable(person, at) if usable else "no certificate of theirs can be used"
        if not reason:
            return ""
        reasons.append(reason)
    return "; ".join(dict.fromkeys(reasons)) or "no key of theirs is known"


def _why_not(
    entry: AllowedSigner, person: str, signers: Signers, compromised: set[str], at: dt.datetime
) -> str:
    """Why a line of the allowed signers does not let a person sign; by the rules of `gitchange.signing.verify`."""
    if not entry.matches_namespace(NAMESPACE):
        return f"line {entry.line} is for {entry.namespaces!r}, not for {NAMESPACE!r}"
    if entry.valid_after is not None and at < entry.valid_after:
        return f"line {entry.line} is valid from {entry.valid_after:%Y-%m-%d} on"
    if entry.valid_before is not None and at > entry.valid_before:
        return f"line {entry.line} is valid until {entry.valid_before:%Y-%m-%d}"
    if entry.cert_authority:
        return ""
    if entry.key.fingerprint in compromised:
        return f"the key of line {entry.line} is compromised"
    if set(signers.ssh.principals_of(entry.key)) - {person}:
        return f"the key of line {entry.line} is also another person's"
    return ""


def findings(
    policy: Policy, signers: Signers, now: dt.datetime, within: dt.timedelta = WITHIN
) -> tuple[Finding, ...]:
    """What needs looking after, in this order: roles, the root, keys, and what runs out `within` that time."""
    return (
        *_roles(policy),
        *_root(policy, signers, now),
        *_lines(policy, signers, now),
        *_persons(policy, signers, now, within),
        *_freezes(policy, signers, now),
        *_waivers(policy, now, within),
        *_exemptions(policy, now, within),
        *_models(policy, now, within),
    )


def _found(
    code: str, message: str, hint: str, severity: Severity = "warning", path: str = _POLICY, line: int = 0
) -> Finding:
    return Finding(code, message, hint, severity, path, line, 1 if line else 0)


def _roles(policy: Policy) -> Iterator[Finding]:
    """Roles that do nothing. `requester` names persons who only request: any member may."""
    asked = {ROOT_ROLE, RECORDER_ROLE, "requester"}
    for rule in policy.file.rules:
        demands = (rule.evaluation, rule.implementation, rule.validation)
        asked |= {demand.role for demand in demands if demand is not None}
    asked |= {freeze.override.role for freeze in policy.file.freezes if freeze.override is not None}
    for name, role in policy.file.roles.items():
        if not role.members and name != ROOT_ROLE:
            yield _found(
                "role.empty",
                f"nobody holds the role {name}",
                f"give it to somebody or remove it, {_PUBLISH}",
            )
        elif name not in asked:
            yield _found(
                "role.not-asked",
                f"no rule asks for the role {name}: who holds it may request changes, and nothing else by it",
                f"have a rule ask for it or remove it, {_PUBLISH}; `requester` is the role of those who only request",
                "note",
            )


def _root(policy: Policy, signers: Signers, now: dt.datetime) -> Iterator[Finding]:
    """Whether the policy can be changed at all, and by how many."""
    root = policy.file.roles.get(ROOT_ROLE)
    if root is None or not root.members:
        yield _found(
            "root.missing",
            "nobody is root, so no later version of this policy can ever be approved",
            "add `root = { members = [...], threshold = 2 }` under [roles]; once such a policy is in force only "
            "a new introduction helps",
            "error",
        )
        return
    can_sign = [person for person in root.members if person in able(policy, signers, now)]
    if len(can_sign) < root.threshold:
        yield _found(
            "root.cannot-act",
            f"a new policy needs {root.threshold} of root, of whom {'only ' if can_sign else ''}"
            f"{', '.join(can_sign) or 'nobody'} can sign: no later version can be approved",
            "have another member of root sign with a key that still counts; where there is none only a new "
            "introduction helps",
            "error",
        )
    elif root.threshold == 1:
        who = root.members[0] if len(root.members) == 1 else f"each of {', '.join(root.members)}"
        yield _found(
            "root.one-person",
            f"{who} alone can change the policy, and with it every rule, role and key",
            f"give root to at least two persons and set `threshold = 2`, {_PUBLISH}",
        )


def _lines(policy: Policy, signers: Signers, now: dt.datetime) -> Iterator[Finding]:
    """What single lines of the allowed signers are too generous with, or useless for."""
    compromised = {entry.key for entry in policy.file.compromised}
    for entry in signers.ssh.entries:
        holders = [person for person in policy.people if entry.matches_principal(person)]
        if entry.namespaces is None:
            yield _found(
                "key.any-purpose",
                f"the line of {entry.principals} names no namespaces: whoever checks commits, files or anything else "
                "by this file trusts the key for that too, not for sign-offs only",
                f'write `namespaces="{NAMESPACE}"` after the name, {_PUBLISH}',
                path=_SIGNERS,
                line=entry.line,
            )
        bits = _rsa_bits(entry.key)
        if bits and bits < WEAK_RSA_BITS:
            yield _found(
                "key.weak",
                f"the key of {entry.principals} is an RSA key of {bits} bits, which is weak",
                f"`ssh-keygen -t ed25519` makes a better one; exchange it, {_PUBLISH}",
                path=_SIGNERS,
                line=entry.line,
            )
        if entry.key.fingerprint in compromised and not entry.cert_authority:
            yield _found(
                "key.compromised",
                f"the key of {entry.principals} is compromised and still listed; it signs nothing new",
                f"remove the line, {_PUBLISH}",
                path=_SIGNERS,
                line=entry.line,
            )
        if not holders and not entry.cert_authority:
            yield _found(
                "key.no-role",
                f"{entry.principals} holds no role, so the key signs nothing",
                f"give the person a role in {_POLICY} under this very name, or remove the line, {_PUBLISH}",
                "note",
                _SIGNERS,
                entry.line,
            )
        elif entry.valid_before is not None and now > entry.valid_before:
            replaced = all(not _why_unable(policy, signers, person, now) for person in holders)
            if replaced:
                yield _found(
                    "key.expired",
                    f"a key of {entry.principals} ended on {entry.valid_before:%Y-%m-%d}; another one is valid",
                    f"remove the line when you like, {_PUBLISH}: what it signed in its time was judged by the policy "
                    "of that time",
                    "note",
                    _SIGNERS,
                    entry.line,
                )


def _rsa_bits(key: PublicKey) -> int:
    """The length of an RSA key; 0 for other kinds."""
    if key.plain.type != RSA:
        return 0
    reader = Reader(key.plain.blob)
    reader.string()
    reader.mpint()
    return reader.mpint().bit_length()


def _persons(policy: Policy, signers: Signers, now: dt.datetime, within: dt.timedelta) -> Iterator[Finding]:
    """Who cannot sign although a key is listed, and who soon cannot any more."""
    for person in policy.signing_people:
        if not signers.knows(person):
            continue  # told by who checks the files: there is no key at all
        if reason := _why_unable(policy, signers, person, now):
            yield _found(
                "key.unable",
                f"{person} cannot sign now: {reason}",
                f"add a line with a new key of {person}, {_PUBLISH}",
                path=_SIGNERS,
            )
        elif reason := _why_unable(policy, signers, person, now + within):
            yield _found(
                "key.ends-soon",
                f"{person} soon cannot sign any more: {reason}",
                f"add a line with a new key of {person} before then, {_PUBLISH}",
                path=_SIGNERS,
            )


def _freezes(policy: Policy, signers: Signers, now: dt.datetime) -> Iterator[Finding]:
    """Soft freezes that nobody can lift."""
    for freeze in policy.file.freezes:
        if (demand := freeze.override) is None:
            continue
        can_sign = set(policy.members(demand.role)) & able(policy, signers, now)
        if len(can_sign) < demand.approvals:
            yield _found(
                "freeze.nobody-lifts",
                f"the freeze {freeze.name!r} is lifted by {demand.approvals} × {demand.role}, "
                f"of whom {len(can_sign)} can sign",
                f'add keys of members of {demand.role}, or make it `kind = "hard"`, {_PUBLISH}',
            )


def _waivers(policy: Policy, now: dt.datetime, within: dt.timedelta) -> Iterator[Finding]:
    """Waivers that ended, and that soon will."""
    for waiver in policy.file.waivers:
        scope = ", ".join((*(waiver.types or ()), *(waiver.systems or ())))
        name = f"the waiver {waiver.waives}" + (f" for {scope}" if scope else "")
        if waiver.expires <= now:
            message = f"{name} ended on {waiver.expires:%Y-%m-%d}"
            yield _found("waiver.ended", message, f"remove it, {_PUBLISH}", "note")
        elif waiver.expires <= now + within:
            yield _found(
                "waiver.ends-soon",
                f"{name} ends on {waiver.expires:%Y-%m-%d}",
                f"see what rests on it, and find another person or a new reason, {_PUBLISH}",
            )


def _exemptions(policy: Policy, now: dt.datetime, within: dt.timedelta) -> Iterator[Finding]:
    """Exemptions that ended, and that soon will."""
    for exemption in policy.file.exemptions:
        if exemption.expires is None or exemption.expires > now + within:
            continue
        over = exemption.expires <= now
        yield _found(
            "exemption.ended" if over else "exemption.ends-soon",
            f"the exemption {exemption.name!r} {'ended' if over else 'ends'} on {exemption.expires:%Y-%m-%d}",
            f"remove it, {_PUBLISH}" if over else f"see which commits rest on it, {_PUBLISH}",
            "note" if over else "warning",
        )


def _models(policy: Policy, now: dt.datetime, within: dt.timedelta) -> Iterator[Finding]:
    """Standard change models that ended, and that soon will."""
    for name, model in policy.models.items():
        if model.expires is None or model.expires > now + within:
            continue
        over = model.expires <= now
        yield _found(
            "model.ended" if over else "model.ends-soon",
            f"the standard change model {name} {'ended' if over else 'ends'} on {model.expires:%Y-%m-%d}"
            + ("; it approves nothing any more" if over else ""),
            f"look at it again: set a later `expires` or remove it, {_PUBLISH}",
            path=f"{ROOT}/{MODELS}{name}.toml",
        )
