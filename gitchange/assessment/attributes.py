"""Attributes: what an auditor looks for in each change, one question each, answered from its evidence.

Pure. Each is asked of a `Case`, the documented JSON shape of one change (docs/json.md) with the policy by which it was
judged, and decides nothing anew: it reads what the verdict, its findings and the sign-offs say. Which requirement of
which framework rests on which attribute is `gitchange.assessment.frameworks`' to say, which changes are asked is the
caller's.

An answer is one of four:

    evidenced     the change has it
    exception     the change lacks it, and should have it: with the reason
    open          it does not have it yet, and is not late: with what is waited for
    (none)        the question does not apply to this change
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property

from gitchange.assessment.words import span
from gitchange.model.policy import duration
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, Literal

    from gitchange.model.policy import Policy

    State = Literal["evidenced", "exception", "open"]

STATES: tuple[State, ...] = ("evidenced", "exception", "open")


class Answer(Value):
    """What an attribute says of one change to which it applies."""

    state: State
    why: str = ""
    """For an exception and for what is open: a sentence without its full stop; may hold anybody's text."""


EVIDENCED = Answer("evidenced")


class Case:
    """One change as it is asked about."""

    def __init__(self, shape: Mapping[str, Any], policy: Policy | None, until: int | None = None) -> None:
        """`policy` judged it; an implementation at `until` (seconds since 1970) or later is left out."""
        self.shape, self.policy, self.until = shape, policy, until
        self.status: str = shape["status"]
        self.type: str | None = shape["type"]
        self.flags: Sequence[str] = shape["flags"]
        self.document: Mapping[str, Any] = shape["document"] or {}

    @property
    def readable(self) -> bool:
        """Whether there is a text that could be judged."""
        return bool(self.shape["document"]) and bool(self.shape["steps"])

    @cached_property
    def steps(self) -> dict[str, Mapping[str, Any]]:
        """The five steps by their names."""
        return {step["step"]: step for step in self.shape["steps"]}

    def state(self, step: str) -> str:
        """Where a step stands; empty for a change that cannot be read."""
        return str(self.steps[step]["state"]) if self.steps else ""

    def counting(self, step: str, *verdicts: str) -> list[Mapping[str, Any]]:
        """Sign-offs that count towards a step, of these verdicts."""
        counted = set(self.steps[step]["sign_offs"]) if self.steps else set()
        return [s for s in self.shape["sign_offs"] if s["digest"] in counted and s["verdict"] in verdicts]

    @cached_property
    def implementations(self) -> list[Mapping[str, Any]]:
        """Counting words that it was implemented, or tried and backed out, as far as they are of that time."""
        signed = self.counting("implementation", "implement", "back-out")
        return [s for s in signed if self.until is None or _moment(s["time"]).timestamp() < self.until]

    @property
    def implemented(self) -> bool:
        """Whether the systems were changed, by a sign-off that counts."""
        return bool(self.implementations)

    @cached_property
    def touched(self) -> bool:
        """Whether somebody who may signed to have changed the systems, on an earlier text or unapproved included."""
        return self.implemented or self.edited_since or any(self.messages("implementation.before-approval"))

    @cached_property
    def edited_since(self) -> bool:
        """Whether an implementation was signed on an earlier text."""
        return any(
            s["verdict"] == "implement"
            and not s["current"]
            and (self.until is None or _moment(s["time"]).timestamp() < self.until)
            for s in self.shape["sign_offs"]
        )

    @property
    def pre_approved(self) -> bool:
        """Whether it needs no evaluation of its own: it keeps within a standard change model."""
        return self.state("evaluation") == "not-needed"

    @property
    def approved(self) -> bool:
        """Whether its text, as it stands, is approved, by itself or by its model."""
        return self.state("evaluation") in ("done", "not-needed")

    @property
    def holds_customer_data(self) -> bool:
        """Whether one of its systems holds customer information; one that the policy does not know may."""
        known = self.policy.systems if self.policy is not None else {}
        return any(name not in known or known[name].customer_data for name in self.shape["systems"])

    def messages(self, *codes: str) -> Iterator[str]:
        """What findings of these codes say, or of all; a code that ends with a dot stands for all that begin so.

        Notes are left out: they tell, and blame nobody.
        """
        for finding in self.shape["findings"]:
            code = finding["code"]
            fits = not codes or any(code.startswith(c) if c.endswith(".") else code == c for c in codes)
            if fits and finding["severity"] != "note":
                yield str(finding["message"])

    def waived(self, *rules: str) -> str:
        """Which of these separations of duties the policy waived for it; empty for none."""
        return ", ".join(rule for rule in rules if f"waived: {rule}" in self.flags)


class Attribute(Value):
    """A question that is asked of every change."""

    name: str
    """Stable kebab-case name."""
    asks: str
    """What a change that has it has or is: the end of a sentence that begins with `A change ...`."""
    of: str
    """To which changes it applies, for people."""
    ask: Callable[[Case], Answer | None]
    """The answer; None where it does not apply."""


# -- the request -------------------------------------------------------------------------------


def requested(case: Case) -> Answer | None:
    """A request that can be read and has no errors."""
    if not case.readable:
        return _exception(
            "its file cannot be read: " + _joined(case.messages(), "`gitchange check` tells why")
        )
    if errors := list(case.messages("change.", "policy.no-rule")):
        return _exception("its text has errors: " + _joined(errors))
    return EVIDENCED


def written_first(case: Case) -> Answer | None:
    """A request that is older than the work."""
    if not case.readable or case.type == "emergency":
        return None
    if imported := case.document.get("imported"):
        return _exception(f"it was written after the fact, from commit {imported['commit'][:12]} (imported)")
    return EVIDENCED


def risks_assessed(case: Case) -> Answer | None:
    """Risks with what is done against each; the format asks for at least one."""
    return EVIDENCED if case.readable else None


def security_impact(case: Case) -> Answer | None:
    """A word on what it means for security."""
    if not case.readable or case.status in _ENDED:
        return None
    return _impact(case, "security_impact", ("security",), "security")


def privacy_impact(case: Case) -> Answer | None:
    """A word on what it means for customers' data, where there are any."""
    if not case.readable or case.status in _ENDED or not case.holds_customer_data:
        return None
    return _impact(case, "privacy_impact", ("privacy", "data protection"), "privacy")


def rollback(case: Case) -> Answer | None:
    """A way back; the format asks for one."""
    return EVIDENCED if case.readable else None


def communicated(case: Case) -> Answer | None:
    """Who is told of an outage."""
    if not case.readable or case.status in _ENDED or not case.document.get("outage"):
        return None
    if case.document.get("communication"):
        return EVIDENCED
    missing = "it plans an outage and `communication` says nothing of who is told"
    return _exception(missing) if case.implemented else Answer("open", missing)


def emergency_justified(case: Case) -> Answer | None:
    """Incident and justification of an emergency; the format asks for both."""
    return EVIDENCED if case.readable and case.type == "emergency" else None


# -- the evaluation ----------------------------------------------------------------------------


def decided(case: Case) -> Answer | None:
    """A decision on the text as it stands."""
    if not case.readable or case.status == "withdrawn":
        return None
    if case.approved or case.status == "rejected":
        return EVIDENCED
    if stale := list(case.messages("approval.stale")):
        return _exception(_joined(stale))
    if "emergency debt" in case.flags:
        return _exception(_DEBT)
    if case.status == "requested" and "overdue" in case.flags:
        return _exception(f"nobody has decided on it in time: it was due by {case.shape['due']}")
    if case.state("evaluation") == "refused":
        return Answer("open", "more information was asked for")
    return Answer("open", _withheld(case) or "nobody has decided on it yet")


def approved(case: Case) -> Answer | None:
    """The approval of a change that was implemented: by all whom the policy asks, or by its model."""
    if not case.readable or not case.touched:
        return None
    if withdrawn := list(case.messages("implementation.withdrawn")):
        return _exception(_joined(withdrawn))
    if case.approved:
        return EVIDENCED
    if case.status == "rejected":
        return _exception("it was rejected, and somebody signed to have implemented it")
    if stale := list(case.messages("approval.stale")):
        return _exception("its text was edited after it had been implemented: " + _joined(stale))
    if "emergency debt" in case.flags:
        return _exception(_DEBT)
    if case.type == "emergency":
        return Answer("open", "an emergency that waits for its approval, in time")
    return _exception(_withheld(case) or "it was implemented, and its text is not approved")


def approved_first(case: Case) -> Answer | None:
    """The approval was there for the implementer to see; emergencies are implemented first."""
    if not case.readable or not case.touched or case.type == "emergency":
        return None
    if before := list(case.messages("implementation.before-approval")):
        return _exception(_joined(before))
    if imported := case.document.get("imported"):
        return _exception(
            f"what was merged by commit {imported['commit'][:12]} was approved afterwards (imported)"
        )
    if not case.approved:
        return _exception("it was implemented, and no approval of its text as it stands was there to be seen")
    if not case.implemented:
        return Answer("open", "it was edited and approved anew; its implementation is to be signed again")
    return EVIDENCED


def independent_evaluation(case: Case) -> Answer | None:
    """Nobody approved what that person had requested or written."""
    approvals = case.counting("evaluation", "approve")
    if not approvals or case.state("evaluation") != "done":
        return None
    if waived := case.waived("evaluator-is-requester", "evaluator-is-author"):
        who = ", ".join(dict.fromkeys(s["by"] for s in approvals))
        return _exception(f"by a waiver of the policy ({waived}); approved by {who}")
    return EVIDENCED


def within_model(case: Case) -> Answer | None:
    """A standard change that kept to what its model allows, or was evaluated by itself."""
    if not case.readable or case.type != "standard" or case.status in _ENDED:
        return None
    if case.approved:
        return EVIDENCED
    left = _joined(case.messages("standard.outside-model"), "its evaluation is withheld")
    return _exception(left) if case.touched else Answer("open", left)


def emergency_in_time(case: Case) -> Answer | None:
    """An emergency that was approved by a second person within the policy's deadline."""
    if not case.readable or case.type != "emergency" or not case.implemented:
        return None
    if "emergency debt" in case.flags:
        return _exception(_DEBT)
    if case.status == "rejected":
        return _exception("it was rejected after it had been implemented")
    if case.state("evaluation") != "done":
        return Answer("open", "it waits for its approval, in time")
    limit = case.policy.file.deadlines.emergency_approval if case.policy is not None else None
    approvals = [_moment(s["time"]) for s in case.counting("evaluation", "approve")]
    # A claimed time that is later than the witness's gains nothing.
    began = min(min(_moment(s["time"]), _moment(s["judged_at"] or s["time"])) for s in case.implementations)
    if limit is not None and approvals and max(approvals) - began > duration(limit):
        took = span((max(approvals) - began).total_seconds())
        return _exception(f"it was approved {took} after its implementation; the policy gives {limit}")
    return EVIDENCED


# -- implementation and validation -------------------------------------------------------------


def as_approved(case: Case) -> Answer | None:
    """The steps were followed as they had been approved."""
    signed = [s for s in case.implementations if s["verdict"] == "implement"]
    if not signed:
        return None
    told = [
        str(s["answers"].get("deviations") or "not told")
        for s in signed
        if not s["answers"].get("steps_followed")
    ]
    return _exception(f"deviations from the approved steps: {_joined(told)}") if told else EVIDENCED


def tested(case: Case) -> Answer | None:
    """The implementer signed what the tests showed, and none of them failed."""
    signed = [s for s in case.implementations if s["verdict"] == "implement"]
    if not signed:
        return None
    results = [test for s in signed for test in s["answers"].get("tests") or ()]
    if not results:
        return _exception("no test is named in the signed implementation")
    if failed := [str(test["name"]) for test in results if test["result"] == "failed"]:
        return _exception(f"implemented although a test failed: {_joined(failed)}")
    if all(test["result"] == "skipped" for test in results):
        return _exception(f"every test was skipped: {_joined(str(test['name']) for test in results)}")
    return EVIDENCED


def traced(case: Case) -> Answer | None:
    """The commits or merge requests in which it was made."""
    named = [c for s in case.implementations for c in s["answers"].get("commits") or ()]
    linked = case.document.get("links", {}).get("merge_requests")
    return EVIDENCED if named or (linked and case.implemented) else None


def in_window(case: Case) -> Answer | None:
    """Implemented when it was planned, and in no freeze that nobody lifted."""
    if not case.implemented:
        return None
    if frozen := list(case.messages("freeze.implemented")):
        return _exception(_joined(frozen))
    window = case.document.get("schedule")
    if not window:
        return None
    if "outside window" in case.flags:
        when = ", ".join(s["time"] for s in case.implementations)
        return _exception(f"planned from {window['start']} to {window['end']}, implemented {when}")
    return EVIDENCED


def validated(case: Case) -> Answer | None:
    """A user of the systems signed that they work and have no new security risk."""
    if not case.implemented:
        return None
    if case.state("validation") == "done":
        return EVIDENCED
    if case.state("validation") == "refused":
        risks = [
            str(s["answers"]["security_risk"]) for s in _failures(case) if s["answers"].get("security_risk")
        ]
        return _exception("its validation failed" + (f": {_joined(risks)}" if risks else ""))
    if "overdue" in case.flags and case.status == "implemented":
        return _exception(f"implemented, and not validated in time: it was due by {case.shape['due']}")
    return Answer("open", "it waits for its validation")


def independent_validation(case: Case) -> Answer | None:
    """Nobody validated what that person had implemented."""
    if case.state("validation") != "done":
        return None
    if waived := case.waived("validator-is-implementer"):
        who = ", ".join(dict.fromkeys(s["by"] for s in case.counting("validation", "validate")))
        return _exception(f"by a waiver of the policy ({waived}); validated by {who}")
    return EVIDENCED


def failure_handled(case: Case) -> Answer | None:
    """A failure that was answered: backed out, or mended and validated anew."""
    failed = bool(_failures(case)) or any(s["verdict"] == "back-out" for s in case.implementations)
    failed = failed or case.document.get("record", {}).get("outcome") == "backed-out"
    if not failed:
        return None
    if case.status in ("documented", "validated"):
        return EVIDENCED
    if "backed out" in case.flags:
        return Answer("open", "it was backed out, which nobody has validated yet")
    if case.status == "failed":
        return _exception("it failed, and is neither backed out nor mended")
    return Answer("open", f"it failed, and is {case.status} now")


# -- documentation and evidence ----------------------------------------------------------------


def documented(case: Case) -> Answer | None:
    """The record, appended to the file and closed."""
    if not case.implemented:
        return None
    if case.status == "documented":
        return EVIDENCED
    if record := list(case.messages("record.")):
        return _exception(_joined(record))
    if case.status == "validated" and "overdue" in case.flags:
        return _exception(f"validated, and not documented in time: it was due by {case.shape['due']}")
    return Answer("open", f"it is {case.status}")


def signed_rightly(case: Case) -> Answer | None:
    """Every sign-off is authentic, by a key in force, by somebody who may: what is void is told."""
    void = list(case.messages(*_VOID))
    if "in doubt" in case.flags and not void:
        void = ["something on its text could not be authenticated"]
    if void:
        return _exception(_joined(void))
    return EVIDENCED if case.shape["sign_offs"] else None


def witnessed(case: Case) -> Answer | None:
    """Every counting sign-off is tied to a commit of the branch of record: it cannot be backdated or taken away."""
    counting = [s for s in case.shape["sign_offs"] if s["counts"]]
    if not counting:
        return None
    waiting = sum(1 for s in counting if s["witness"] is None)
    if waiting:
        return Answer("open", f"{waiting} sign-off(s) that no commit on the branch of record witnesses yet")
    return EVIDENCED


_ENDED = ("rejected", "withdrawn")
_DEBT = "an emergency that was implemented and not approved in time (emergency debt)"
_VOID = (
    "certificate.",
    "duties.",
    "envelope.",
    "key.",
    "notes.line-lost",
    "policy.not-in-force",
    "record.",
    "sign-off.other-repository",
    "sign-off.other-subject",
    "sign-off.role-not-held",
    "signature.",
    "signer.",
    "statement.",
    "validation.before-implementation",
    "withdrawal.",
)
"""Codes of findings that say why a sign-off, or a record, is not what it pretends to be."""


def _exception(why: str) -> Answer:
    return Answer("exception", why)


def _impact(case: Case, field: str, categories: tuple[str, ...], word: str) -> Answer:
    """Whether the request speaks of an impact: in the field, or by a risk of that category."""
    risks = (str(risk["category"]).casefold() for risk in case.document["risks"])
    if case.document.get(field) or any(category in risk for risk in risks for category in categories):
        return EVIDENCED
    missing = f"neither `{field}` nor a risk of the category {word} says what it means for {word}"
    return _exception(missing) if case.touched else Answer("open", missing)


def _failures(case: Case) -> list[Mapping[str, Any]]:
    return case.counting("validation", "fail")


def _withheld(case: Case) -> str:
    """Why the evaluation is withheld, in the verdict's own words; empty when it is not."""
    return str(case.steps["evaluation"]["note"])


def _joined(told: Iterable[str], otherwise: str = "") -> str:
    return "; ".join(dict.fromkeys(told)) or otherwise


def _moment(when: str) -> dt.datetime:
    return dt.datetime.fromisoformat(when)


ATTRIBUTES: dict[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        Attribute("requested", "has a request with its reason, scope and steps", "all", requested),
        Attribute("written-first", "was requested before it was made", "all but emergencies", written_first),
        Attribute(
            "risks-assessed",
            "names its risks with likelihood, impact and what is done against each",
            "all that can be read",
            risks_assessed,
        ),
        Attribute(
            "security-impact",
            "says what it means for security, in its own words or by a risk of that category",
            "all but rejected and withdrawn ones",
            security_impact,
        ),
        Attribute(
            "privacy-impact",
            "says what it means for customers' data, in its own words or by a risk of that category",
            "those to systems that hold customer information",
            privacy_impact,
        ),
        Attribute("rollback", "says how it is undone when it goes wrong", "all that can be read", rollback),
        Attribute(
            "communicated", "says who is told of its outage", "those that plan an outage", communicated
        ),
        Attribute("decided", "was approved, rejected or pre-approved, as its text stands", "all", decided),
        Attribute(
            "approved",
            "is approved by all whom the policy asks, or by its standard change model",
            "those that somebody signed to have implemented",
            approved,
        ),
        Attribute(
            "approved-first",
            "was approved before it was implemented",
            "those that somebody signed to have implemented, but emergencies",
            approved_first,
        ),
        Attribute(
            "independent-evaluation",
            "was approved by somebody who neither requested nor wrote it",
            "those that were evaluated by themselves",
            independent_evaluation,
        ),
        Attribute(
            "within-model",
            "keeps within its standard change model, or was evaluated by itself",
            "standard changes",
            within_model,
        ),
        Attribute(
            "emergency-justified",
            "names its incident and why it could not wait",
            "emergencies",
            emergency_justified,
        ),
        Attribute(
            "emergency-in-time",
            "was approved by a second person within the policy's deadline",
            "emergencies that were implemented",
            emergency_in_time,
        ),
        Attribute(
            "as-approved", "was implemented in the steps that were approved", "those implemented", as_approved
        ),
        Attribute("tested", "was tested, and no test failed", "those implemented", tested),
        Attribute(
            "traced", "names the commits or merge requests that made it", "those that have any", traced
        ),
        Attribute(
            "in-window",
            "was implemented in its planned window and in no freeze",
            "those implemented that planned a window, or met a freeze",
            in_window,
        ),
        Attribute(
            "validated",
            "works as expected and has no new security risk, by the word of a user of the system",
            "those implemented",
            validated,
        ),
        Attribute(
            "independent-validation",
            "was validated by somebody who did not implement it",
            "those validated",
            independent_validation,
        ),
        Attribute(
            "failure-handled",
            "was backed out, or mended and validated anew",
            "those that failed",
            failure_handled,
        ),
        Attribute(
            "documented",
            "is closed by a record that can be verified by itself",
            "those implemented",
            documented,
        ),
        Attribute(
            "signed-rightly",
            "has only sign-offs that are authentic, by keys in force and by persons who may",
            "those with sign-offs",
            signed_rightly,
        ),
        Attribute(
            "witnessed",
            "has sign-offs that commits of the branch of record witness",
            "those with sign-offs that count",
            witnessed,
        ),
    )
}
"""All of them, by name, in the order of the process."""
