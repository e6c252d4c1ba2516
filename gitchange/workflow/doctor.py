"""`doctor`: is this clone set up, and can this policy be satisfied by its members? Nothing is written.

Numbered checks, each with what was found and, where something is wrong, the mend. What a check of the clone looks at
is in `gitchange.workflow.clone_checks`; what is wrong with a policy is decided by `gitchange.lifecycle.duties` and
`gitchange.lifecycle.upkeep`.

`policy_findings` is for whoever has a policy in hand that may come into force.
"""

from __future__ import annotations

from typing import Literal

from gitchange.errors import GitchangeError
from gitchange.ledger.signoffs import signers_of
from gitchange.lifecycle import duties, upkeep
from gitchange.lifecycle.upkeep import WITHIN
from gitchange.model.finding import Finding
from gitchange.values import Value, replace
from gitchange.workflow.checking import signer_findings
from gitchange.workflow.clone_checks import ANSWER_WITHIN, CloneChecks, Look

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Any

    from gitchange.model.policy import Policy
    from gitchange.workflow.workspace import Workspace

State = Literal["ok", "warning", "problem", "undecided", "left-out"]


class Check(Value):
    """One numbered check."""

    name: str
    question: str
    state: State
    found: str
    """What was found, in one line."""
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "name": self.name,
            "question": self.question,
            "state": self.state,
            "found": self.found,
            "findings": len(self.findings),
        }


class Diagnosis(Value):
    """The answer, and the checks it rests on."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Literal["ok", "problem", "undecided"]:
        """`problem` when a check found one; `undecided` when none did and one could not be made; warnings are `ok`."""
        states = {check.state for check in self.checks}
        if "problem" in states:
            return "problem"
        return "undecided" if "undecided" in states else "ok"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them, in the order of the checks."""
        return tuple(dict.fromkeys(finding for check in self.checks for finding in check.findings))

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "schema": 1,
            "verdict": self.verdict,
            "checks": [check.as_json() for check in self.checks],
            "findings": [finding.as_json() for finding in self.findings],
        }


def examine(
    workspace: Workspace,
    *,
    offline: bool = False,
    sign: bool = False,
    within: dt.timedelta = WITHIN,
    seconds: float = ANSWER_WITHIN,
) -> Diagnosis:
    """Look at a clone and its policy, in these steps; no check keeps the others from being made:

    1. the programs that are needed are there, and new enough;
    2. git knows who its user is, and so does the policy;
    3. the clone has everything: neither shallow nor partial, nothing replaced, no lock left behind;
    4. the introduction is pinned, and part of the branch of record;
    5. no refspec lets a fetch or a push destroy sign-offs;
    6. the remote answers (unless `offline`), within `seconds`;
    7. it has what is here and lost nothing, as far as can be told without fetching;
    8. git converts no bytes of signed files;
    9. no clock is ahead of this one;
    10. the user's key is there, and the policy lets it sign; with `sign` a test signature is made;
    11. the policy can be read;
    12. its members can satisfy it, for each kind of change and whoever requests it;
    13. its roles, keys, waivers and models are in order, and none runs out `within` that time.
    """
    clone = CloneChecks(workspace, offline=offline, sign=sign, within=within, seconds=seconds)

    def of_policy(look: Callable[[Policy], list[Finding]], good: str) -> Look:
        policy = clone.policy
        if policy is None:
            return Look("no policy to look at", left_out=True)
        found = look(policy)
        return Look(_counted(found) or good, found)

    def members(policy: Policy) -> list[Finding]:
        able = upkeep.able(policy, signers_of(policy), workspace.now)
        return list(duties.findings(policy, able, workspace.now))

    def order(policy: Policy) -> list[Finding]:
        return _of_keys(policy, workspace.now, within)

    questions: tuple[tuple[str, str, Callable[[], Look]], ...] = (
        ("programs", "are the programs there that are needed?", clone.programs),  # 1.
        ("identity", "who are you, to git and to the policy?", clone.identity),  # 2.
        ("clone", "does this clone have everything?", clone.completeness),  # 3.
        ("introduction", "is this the repository that was joined?", clone.introduction),  # 4.
        ("refspecs", "can a fetch or a push destroy sign-offs?", clone.refspecs),  # 5.
        ("remote", "does the remote answer?", clone.remote),  # 6.
        ("exchange", "does the remote have what is here, and all that it had?", clone.exchange),  # 7.
        ("files", "does git leave signed bytes alone?", clone.files),  # 8.
        ("clock", "is any clock ahead?", clone.clock),  # 9.
        ("signing", "can you sign, and would it count?", clone.signing),  # 10.
        ("policy", "can the policy be read?", clone.readable_policy),  # 11.
        (
            "duties",
            "can the members satisfy the rules?",
            lambda: of_policy(members, "every kind of change can be completed, whoever requests it"),
        ),  # 12.
        (
            "upkeep",
            "are roles, keys, waivers and models in order?",
            lambda: of_policy(order, f"nothing runs out within {within.days} days"),
        ),  # 13.
    )
    return Diagnosis(tuple(_check(name, question, look) for name, question, look in questions))


def policy_findings(policy: Policy, now: dt.datetime, within: dt.timedelta = WITHIN) -> tuple[Finding, ...]:
    """What a readable policy cannot give and what in it needs looking after: checks 12 and 13 of `examine`.

    For a policy that is proposed as well as for the one in force. Every finding has a hint.
    """
    able = upkeep.able(policy, signers_of(policy), now)
    found = [*duties.findings(policy, able, now), *_of_keys(policy, now, within)]
    return tuple(_with_hint(finding) for finding in dict.fromkeys(found))


def _of_keys(policy: Policy, now: dt.datetime, within: dt.timedelta) -> list[Finding]:
    return [*upkeep.findings(policy, signers_of(policy), now, within), *signer_findings(policy, now)]


def _check(name: str, question: str, look: Callable[[], Look]) -> Check:
    """Make one check; what cannot be looked at is undecided, and says why."""
    try:
        seen = look()
    except GitchangeError as error:
        finding = Finding("doctor.undecided", error.message, error.hint)
        return Check(name, question, "undecided", "could not be looked at", (_with_hint(finding),))
    if seen.left_out:
        return Check(name, question, "left-out", seen.found)
    severities = {finding.severity for finding in seen.findings}
    state: State = "problem" if "error" in severities else "warning" if "warning" in severities else "ok"
    return Check(name, question, state, seen.found, tuple(_with_hint(f) for f in seen.findings))


def _counted(found: list[Finding]) -> str:
    """How many problems and warnings; empty when there are none."""
    words: list[str] = []
    for severity, word in (("error", "problem"), ("warning", "warning")):
        count = sum(1 for finding in found if finding.severity == severity)
        words += [f"{count} {word}{'s' if count > 1 else ''}"] if count else []
    return ", ".join(words)


def _with_hint(finding: Finding) -> Finding:
    """The finding with a mend, also where who found it had none to give."""
    if finding.hint:
        return finding
    return replace(
        finding, hint=f"correct it in {finding.path}" if finding.path else "`gitchange verify` tells more"
    )
