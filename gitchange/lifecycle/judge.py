"""The verdict: status, steps, findings and what comes next, from evidence, policy and time.

A pure function (DESIGN.md sections 2 and 4). Claimed times decide nothing. What orders two sign-offs
is what the later one's signer had *seen*: each names the notes commit it was made on, and that
commit holds the earlier ones or it does not. Where two of them did not see each other, the refusal
stands until somebody has seen both.
"""

from __future__ import annotations

import datetime as dt

from gitchange.lifecycle import freezes, rules
from gitchange.lifecycle.rules import Asked
from gitchange.lifecycle.status import AHEAD
from gitchange.lifecycle.verdict import (
    Next,
    Requirement,
    StepState,
    Verdict,
)
from gitchange.model.finding import Finding, in_order
from gitchange.model.policy import RECORDER_ROLE, duration
from gitchange.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from gitchange.lifecycle.freezes import Occurrence
    from gitchange.lifecycle.verdict import (
        Action,
        Stage,
        StageState,
        Status,
    )
    from gitchange.model.evidence import Evidence, SignOff
    from gitchange.model.finding import Severity
    from gitchange.model.policy import Policy


def judge(evidence: Evidence, policy: Policy, now: dt.datetime, *, documented: bool = False) -> Verdict:
    """Decide on a change, in these steps:

    1. what cannot be authenticated is a finding, and withholds every approval of this text;
    2. the policy's demands: which roles must sign which step;
    3. evaluation: each person's latest word; role held, not the requester, not an author; and no freeze at the
       planned time, unless it was overridden; a standard change is pre-approved by its model;
    4. implementation: role held; a normal change's implementer had seen the approvals and overrides;
    5. validation: role held, not an implementer, had seen the implementation;
    6. withdrawal: by the requester, an author or an evaluator who had not seen an implementation;
    7. the status, which is the first in the list of `_status` that applies;
    8. flags, and what comes next, by whom.

    `documented` says that the change carries a record which the ledger verified. `now` is the
    moment for which the verdict is wanted, an aware datetime.
    """
    return _Case(evidence, policy, now, documented).verdict()


_WITHHELD = "withheld: something on this text could not be authenticated, or the text has errors"


class _Case:
    """One judgement; the methods are the steps of `judge`."""

    def __init__(self, evidence: Evidence, policy: Policy, now: dt.datetime, documented: bool) -> None:
        self.evidence, self.policy, self.now, self.documented = evidence, policy, now, documented
        self.change = evidence.change
        self.findings: list[Finding] = []
        self.flags: list[str] = []
        self.order = _Order(evidence.sign_offs, evidence.order_known)
        self.used_waivers: set[str] = set()
        self.planned = freezes.planned_in(policy, self.change)
        self.overrides: tuple[SignOff, ...] = ()
        self.frozen: tuple[Occurrence, ...] = ()
        self.due: dt.datetime | None = None

    def verdict(self) -> Verdict:
        # 1. What cannot be authenticated withholds approval: it may be the remains of a refusal.
        self.findings += (*self.evidence.doubts, *self.evidence.ignored)
        if any(s.seen is None for s in self.evidence.sign_offs) and self.evidence.order_known:
            self._find(
                "sign-off.log-missing",
                "a sign-off names a notes commit that is not in this repository, so its place in the "
                "order is unknown; it is taken to have seen nothing",
                "`gitchange sync` fetches the whole history of the notes",
                severity="warning",
            )
        # 2. The demands.
        asked_evaluation = rules.asked(self.policy, self.change, "evaluation")
        asked_implementation = rules.asked(self.policy, self.change, "implementation")
        asked_validation = rules.asked(self.policy, self.change, "validation")
        # 3. to 6.
        validating = {demand.role for demand in asked_validation}
        self._freezes()
        evaluation = self._evaluation(asked_evaluation, self._attempts(asked_implementation, validating))
        implementation, current, implementers = self._implementation(
            asked_implementation, evaluation, validating
        )
        validation = self._validation(asked_validation, current, implementers)
        withdrawn = self._withdrawal(asked_evaluation, asked_implementation)
        backed_out = any(s.verdict == "back-out" for s in current)
        # 7. The status.
        status, complete = self._status(evaluation, implementation, validation, withdrawn, backed_out)
        # 8. Flags and what comes next.
        self._flag(status, evaluation, implementation, current, backed_out)
        steps = self._line(status, evaluation, implementation, validation, complete)
        upcoming = self._next(status, steps, evaluation, implementers)
        return Verdict(
            status,
            tuple(dict.fromkeys(self.flags)),
            steps,
            in_order([f.about(self.change.id) for f in self.findings]),
            upcoming,
            complete,
            backed_out and complete,
            self.due,
        )

    # -- the steps ---------------------------------------------------------------------------

    def _freezes(self) -> None:
        """3a. Which freezes the planned window meets, and which overrides lift them."""
        if not self.planned:
            return
        roles = {o.freeze.override.role for o in self.planned if o.freeze.override is not None}
        counted: list[SignOff] = []
        for sign_off in self._of("freeze"):
            if self._holds(sign_off, roles) and self._may_evaluate(sign_off):
                counted.append(sign_off)
        self.overrides = tuple(s for s in counted if any(_lifts(s, o) for o in self.planned))
        self.frozen = self._frozen_for(self.overrides)

    def _frozen_for(self, overrides: Iterable[SignOff]) -> tuple[Occurrence, ...]:
        """The freezes at the planned time that these overrides do not lift."""
        given = list(overrides)

        def lifted(occurrence: Occurrence) -> bool:
            demand = occurrence.freeze.override
            persons = {s.by for s in given if _lifts(s, occurrence)}
            return demand is not None and len(persons) >= demand.approvals

        return tuple(o for o in self.planned if not lifted(o))

    def _evaluation(self, demands: tuple[Asked, ...], attempts: Sequence[SignOff]) -> StepState:
        """3b. Each person's latest word on the current text; `attempts` are the implementations that stand."""
        roles = {demand.role for demand in demands}
        eligible: list[SignOff] = []
        for sign_off in self._of("evaluation"):
            if not self._holds(sign_off, roles):
                continue
            # A refusal by the requester or an author is on the safe side and counts.
            if sign_off.verdict == "approve" and not self._may_evaluate(sign_off):
                continue
            eligible.append(sign_off)
        approvals: list[SignOff] = []
        refusals: list[SignOff] = []
        for person in dict.fromkeys(s.by for s in eligible):
            own = [s for s in eligible if s.by == person]
            latest = self.order.latest(own)
            against = [s for s in latest if s.verdict != "approve"]
            if against:
                refusals += against
                if len(latest) > len(against):
                    self._find(
                        "sign-off.concurrent",
                        f"{person} approved and refused without either having seen the other; "
                        "the refusal stands",
                        "sign once more, after `gitchange sync`",
                        severity="warning",
                    )
            else:
                # An approval in each of several roles stands, as long as no refusal came after it.
                no = [s for s in own if s.verdict != "approve"]
                approvals += [s for s in own if s.verdict == "approve" and not self.order.any_after(no, s)]
        requirements = _met(demands, approvals)
        if refusals:
            rejected = any(s.verdict == "reject" for s in refusals)
            note = "rejected" if rejected else "more information was asked for"
            return StepState("evaluation", "refused", requirements, tuple(refusals), note)
        if self.change.type == "standard":
            # What was implemented while the model stood stays pre-approved when it ends.
            reasons = self._outside_model(None)
            if any(not self._outside_model(s) for s in attempts):
                reasons = ()
            if not reasons and (withheld := self._withheld()):
                return StepState("evaluation", "waiting", (), self.overrides, withheld)
            if not reasons:
                note = f"pre-approved by the standard change model {self.change.model!r}"
                return StepState("evaluation", "not-needed", requirements, self.overrides, note)
            self.flags.append("outside model")
            self._find(
                "standard.outside-model",
                f"the change leaves its model's bounds: {'; '.join(reasons)}",
                "it now needs an evaluation of its own, or a correction",
                severity="warning",
            )
        if not demands:
            self._find_no_rule("evaluation")
        note = self._withheld()
        done = bool(requirements) and all(r.met for r in requirements) and not note
        counting = (*approvals, *self.overrides)
        return StepState("evaluation", "done" if done else "waiting", requirements, counting, note)

    def _withheld(self) -> str:
        """Why no approval would be enough; empty when it would."""
        if self.evidence.doubts:
            return _WITHHELD
        if self.frozen:
            return f"withheld: planned in the freeze {', '.join(map(str, self.frozen))}"
        return ""

    def _attempts(self, demands: tuple[Asked, ...], validating: set[str]) -> list[SignOff]:
        """Implementations by holders of a role that is asked, that no back-out and no failed validation undid."""
        roles = {demand.role for demand in demands}
        said = [s for s in self._of("implementation") if s.role in roles and self._held(s)]
        undone = [s for s in said if s.verdict == "back-out"] + self._failures(validating)
        # A failure that was taken back undid nothing, unless somebody implemented it anew because of it.
        undone += [
            s
            for s in self._of("validation")
            if s.verdict == "fail"
            and s.role in validating
            and self._held(s)
            and self.order.any_after((o for o in said if o.verdict == "implement"), s)
        ]
        return [s for s in said if s.verdict == "implement" and not self.order.any_after(undone, s)]

    def _outside_model(self, sign_off: SignOff | None) -> tuple[str, ...]:
        """Why the model does not cover the change now, or did not when that implementation was witnessed."""
        at = sign_off.judged_at if sign_off is not None else None
        place = sign_off.place if sign_off is not None else None
        known = [
            f for f in self.evidence.failures if place is None or (f.place is not None and f.place <= place)
        ]
        failed = {f.change for f in known}
        if sign_off is not None:
            # Of its own failures those count that the implementer had seen: not the one of this very attempt.
            own = (*self.evidence.stale, *(s for s in self.order.sorted if self.order.after(sign_off, s)))
            failed.discard(self.change.id)
            failed |= {self.change.id for s in own if s.verdict in ("back-out", "fail") and self._held(s)}
        return rules.outside_model(self.policy, self.change, at or self.now, failed)

    def _implementation(
        self, demands: tuple[Asked, ...], evaluation: StepState, validating: set[str]
    ) -> tuple[StepState, tuple[SignOff, ...], frozenset[str]]:
        """4. The step, the sign-offs that now describe the implementation, and all implementers."""
        roles = {demand.role for demand in demands}
        eligible: list[SignOff] = []
        for sign_off in self._of("implementation"):
            if not self._holds(sign_off, roles):
                continue
            if not self._had_seen_approval(sign_off, evaluation):
                self._find(
                    "implementation.before-approval",
                    f"{sign_off.by} signed the implementation without having seen its approval",
                    "the implementation is signed again when the change is approved; "
                    "what cannot wait is an emergency change",
                    severity="warning",
                )
                continue
            eligible.append(sign_off)
        current = tuple(self.order.latest(eligible))
        if any(s.verdict == "back-out" for s in current):
            # What was implemented is gone again: only the back-out describes the systems.
            current = standing = tuple(s for s in current if s.verdict == "back-out")
        else:
            # Several developers may each have signed their part; all parts since the last back-out or failed
            # validation stand. Where none does, the last attempt still describes the systems.
            undone = [s for s in eligible if s.verdict == "back-out"]
            undone += self._failures(validating)
            standing = tuple(
                s for s in eligible if s.verdict == "implement" and not self.order.any_after(undone, s)
            )
            current = standing or current
        requirements = _met(demands, standing)
        if not demands:
            self._find_no_rule("implementation")
        implementers = frozenset(s.by for s in self._of("implementation"))
        # One developer's word that it was backed out is enough: nobody signs that something is still there.
        gone = any(s.verdict == "back-out" for s in standing)
        done = bool(requirements) and (gone or all(r.met for r in requirements))
        state: StageState = "done" if done else "waiting"
        return StepState("implementation", state, requirements, current), current, implementers

    def _failures(self, roles: set[str]) -> list[SignOff]:
        """Failed validations, by holders of a role that is asked, that they did not take back."""
        said = [s for s in self._of("validation") if s.role in roles and self._held(s)]
        return [
            s
            for s in said
            if s.verdict == "fail"
            and not self.order.any_after((o for o in said if o.by == s.by and o.verdict == "validate"), s)
        ]

    def _validation(
        self, demands: tuple[Asked, ...], current: tuple[SignOff, ...], implementers: frozenset[str]
    ) -> StepState:
        """5. Each person's latest word on the implementation as it now is."""
        roles = {demand.role for demand in demands}
        eligible: list[SignOff] = []
        for sign_off in self._of("validation"):
            if not self._holds(sign_off, roles):
                continue
            if sign_off.verdict == "fail":
                if not self.order.any_after(current, sign_off):  # else it was mended since
                    eligible.append(sign_off)
                continue
            if sign_off.by in implementers:
                if not self._waived("validator-is-implementer", sign_off):
                    self._find(
                        "duties.validator-is-implementer",
                        f"{sign_off.by} implemented the change and cannot validate it",
                        "another user of the system validates",
                        severity="warning",
                    )
                    continue
                self.used_waivers.add("validator-is-implementer")
            if not current or not all(self.order.after(sign_off, s) for s in current):
                state = "having seen the implementation as it now is" if current else "an implementation"
                self._find(
                    "validation.before-implementation",
                    f"{sign_off.by} validated without {state}",
                    "the validation is signed when the change is implemented",
                    severity="warning",
                )
                continue
            eligible.append(sign_off)
        passed: list[SignOff] = []
        failed: list[SignOff] = []
        for person in dict.fromkeys(s.by for s in eligible):
            own = [s for s in eligible if s.by == person]
            latest = self.order.latest(own)
            against = [s for s in latest if s.verdict == "fail"]
            failed += against
            if not against:
                no = [s for s in own if s.verdict == "fail"]
                passed += [s for s in own if s.verdict == "validate" and not self.order.any_after(no, s)]
        requirements = _met(demands, passed)
        if not demands:
            self._find_no_rule("validation")
        if failed:
            return StepState("validation", "refused", requirements, tuple(failed), "the validation failed")
        in_doubt = bool(self.evidence.doubts)
        done = bool(requirements) and all(r.met for r in requirements) and not in_doubt
        return StepState("validation", "done" if done else "waiting", requirements, tuple(passed))

    def _withdrawal(
        self, evaluation: tuple[Asked, ...], implementation: tuple[Asked, ...]
    ) -> tuple[SignOff, ...]:
        """6. Who may withdraw, and until when. What is signed after a withdrawal does not undo it."""
        counted: list[SignOff] = []
        evaluators = {member for demand in evaluation for member in self.policy.members(demand.role)}
        roles = {demand.role for demand in implementation}
        implemented = [s for s in self._of("implementation") if s.role in roles and self._held(s)]
        for sign_off in self._of("withdrawal"):
            may = (
                sign_off.by == self.change.requester
                or sign_off.by.casefold() in self.evidence.authors
                or sign_off.by in evaluators
            )
            if self._is_recorder(sign_off):
                self._find_recorder(sign_off)
            elif not may:
                self._find(
                    "withdrawal.not-entitled",
                    f"{sign_off.by} cannot withdraw a change of {self.change.requester}",
                    "its requester, an author of the request or an evaluator can",
                    severity="warning",
                )
            elif any(self.order.after(sign_off, s) for s in implemented):
                self._find(
                    "withdrawal.after-implementation",
                    "a change that was implemented cannot be withdrawn",
                    "back it out: `gitchange implement ID --backed-out`",
                    severity="warning",
                )
            else:
                counted.append(sign_off)
        if counted:
            for person in dict.fromkeys(s.by for s in implemented if s.verdict == "implement"):
                self._find(
                    "implementation.withdrawn",
                    f"{person} signed the implementation of this change, which was withdrawn",
                    "see whether the systems were changed; undo it, or request it as a change of its own",
                    severity="warning",
                )
        return tuple(counted)

    def _status(
        self,
        evaluation: StepState,
        implementation: StepState,
        validation: StepState,
        withdrawn: tuple[SignOff, ...],
        backed_out: bool,
    ) -> tuple[Status, bool]:
        """7. The first that applies."""
        approved = evaluation.state in ("done", "not-needed")
        may_be_first = self.change.type == "emergency"
        implemented = implementation.state == "done" and (approved or may_be_first)
        complete = approved and implemented and validation.state == "done"
        if self.documented and complete:
            return "documented", True
        if self.documented:
            self._find(
                "record.incomplete",
                "the change carries a record, but the sign-offs in it do not complete the steps",
                "look at the findings; a record that was made by `gitchange document` is complete",
            )
        if withdrawn:
            return "withdrawn", False
        if evaluation.state == "refused":
            rejected = any(s.verdict == "reject" for s in evaluation.counting)
            return ("rejected" if rejected else "info-requested"), False
        if not implemented:
            attempted = bool(implementation.counting) and (approved or may_be_first)
            if attempted and validation.state == "refused":
                return "failed", False
            return ("approved" if approved else "requested"), False
        if validation.state == "refused":
            return "failed", False
        if validation.state == "done":
            return "validated", complete
        return ("failed" if backed_out else "implemented"), False

    # -- what readers want to know beside it -------------------------------------------------

    def _flag(
        self,
        status: Status,
        evaluation: StepState,
        implementation: StepState,
        current: Sequence[SignOff],
        backed_out: bool,
    ) -> None:
        """8a. Flags beside the status."""
        change = self.change
        if change.imported is not None:
            self.flags.append("imported")
        if self.evidence.doubts:
            self.flags.append("in doubt")
        if any(s.verdict == "approve" for s in self.evidence.stale) and evaluation.state == "waiting":
            self.flags.append("stale approval")
            names = ", ".join(dict.fromkeys(s.by for s in self.evidence.stale if s.verdict == "approve"))
            self._find(
                "approval.stale",
                f"the approval by {names} was for an earlier text and does not count",
                "the current text needs an evaluation of its own",
                severity="warning",
            )
        window = change.schedule
        if window is not None and any(not window.start <= s.when <= window.end for s in current):
            self.flags.append("outside window")
        self.due = self._due(status, current)
        if self.due is not None and self.now > self.due:
            self.flags.append("overdue")
        if change.type == "emergency" and current and evaluation.state != "done":
            limit = self.policy.file.deadlines.emergency_approval
            # Who claims a later time than that of the witness gains nothing.
            late = limit is None or any(
                self.now - min(s.when, s.judged_at or s.when) > duration(limit) for s in current
            )
            self.flags.append("emergency debt" if late else "approval pending")
        self._flag_freezes(status, current)
        if backed_out:
            self.flags.append("backed out")
        elif status == "rejected" and current:
            self.flags.append("implemented")  # somebody refused it afterwards; the systems are changed
        if not self.evidence.merged:
            self.flags.append("not merged")
        for waived in sorted(self.used_waivers):
            self.flags.append(f"waived: {waived}")

    def _flag_freezes(self, status: Status, current: Sequence[SignOff]) -> None:
        """Freezes at the planned time, and those in which somebody says to have implemented."""
        schedule = self.change.schedule
        if status in ("rejected", "withdrawn"):
            return
        if self.planned and not self.frozen:
            self.flags.append("freeze overridden")
        elif self.frozen and schedule is not None:
            self.flags.append("in freeze")
            free = freezes.next_free(self.policy, self.change, schedule.start, schedule.end - schedule.start)
            clock = self.frozen[0].start.tzinfo
            mend = (
                f"plan it from {free.astimezone(clock):%Y-%m-%d %H:%M %z} on" if free else "plan it elsewhere"
            )
            if lifting := [o.freeze.override.role for o in self.frozen if o.freeze.override is not None]:
                mend += f", or `gitchange override-freeze {self.change.id} -m WHY` by {', '.join(lifting)}"
            if len(lifting) < len(self.frozen):
                mend += "; a hard freeze is lifted by nobody, and what cannot wait is an emergency"
            reasons = " ".join(dict.fromkeys(o.freeze.reason for o in self.frozen))
            self._find(
                "freeze.planned",
                f"planned in the freeze {', '.join(map(str, self.frozen))}: {reasons}",
                mend,
                severity="warning",
            )
        if schedule is None and status == "approved":
            for occurrence in self._met_at(self.now):
                self.flags.append("in freeze")
                self._find(
                    "freeze.now",
                    f"it plans no window, and now there is the freeze {occurrence}: {occurrence.freeze.reason}",
                    "wait for its end, or plan a window: one that meets a soft freeze can be let through",
                    severity="warning",
                )
        allowed = {o.freeze.name for o in self.planned} - {o.freeze.name for o in self.frozen}
        met = {
            str(occurrence): s.by
            for s in current
            if s.verdict == "implement"
            for occurrence in self._met_at(s.when)
            if occurrence.freeze.name not in allowed
        }
        for name, person in met.items():
            self.flags.append("in freeze")
            self._find(
                "freeze.implemented",
                f"{person} says to have implemented it in the freeze {name}",
                "ask why; what cannot wait for the end of a freeze is an emergency, or has the freeze overridden",
                severity="warning",
            )

    def _met_at(self, moment: dt.datetime) -> tuple[Occurrence, ...]:
        """The freezes that there are at a moment."""
        if not self.policy.file.freezes:
            return ()
        return freezes.touching(self.policy, self.change, moment, moment + dt.timedelta(seconds=1))

    def _due(self, status: Status, current: Sequence[SignOff]) -> dt.datetime | None:
        """Until when the next step is to be done, by the planned window and the policy's deadlines.

        Claimed times serve here, as reminders only.
        """
        limits, change = self.policy.file.deadlines, self.change
        moments: list[dt.datetime | None] = []
        if change.schedule is not None and status in AHEAD:
            moments.append(change.schedule.end)
        if status == "requested":
            moments.append(_after(self.evidence.requested_at, limits.evaluation))
        if status == "implemented" and current:
            limit = limits.validation
            if change.type == "emergency":
                limit = limits.emergency_validation or limit
            moments.append(_after(max(s.when for s in current), limit))
        if status == "validated":
            validated = [s.when for s in self._of("validation") if s.verdict == "validate"]
            moments.append(_after(max(validated, default=None), limits.documentation))
        return min((moment for moment in moments if moment is not None), default=None)

    def _line(
        self,
        status: Status,
        evaluation: StepState,
        implementation: StepState,
        validation: StepState,
        complete: bool,
    ) -> tuple[StepState, ...]:
        """The five steps, with those whose turn has not come marked so."""
        request = StepState("request", "done", note=f"by {self.change.requester}")
        if status in ("rejected", "withdrawn"):
            later: StageState = "ended"
        else:
            later = "later"
        if status == "withdrawn" and evaluation.state == "waiting":
            evaluation = replace(evaluation, state=later)
        steps = [request, evaluation]
        reached = evaluation.state in ("done", "not-needed") or self.change.type == "emergency"
        for step in (implementation, validation):
            waiting = step.state == "waiting"
            if waiting and (not reached or status in ("rejected", "withdrawn")):
                step = StepState(step.step, later, step.requirements, step.counting, step.note)  # noqa: PLW2901
            reached = reached and step.state == "done"
            steps.append(step)
        if status == "documented":
            steps.append(StepState("documentation", "done"))
        else:
            steps.append(StepState("documentation", "waiting" if complete else later))
        return tuple(steps)

    def _next(
        self,
        status: Status,
        steps: tuple[StepState, ...],
        evaluation: StepState,
        implementers: frozenset[str],
    ) -> tuple[Next, ...]:
        """8b. What comes next, by whom; a step that nobody can take is a finding."""
        change = self.change
        upcoming: list[Next] = []

        def add(action: Action, role: str, who: Iterable[str], command: str, missing: int = 1) -> None:
            persons = tuple(dict.fromkeys(who))
            if not persons:
                self._find(
                    "policy.nobody-can",
                    f"nobody can {action} this change"
                    + (f" as {role}: its members are excluded by the separation of duties" if role else ""),
                    "give the role to another person, or have the policy waive the rule with a reason",
                    severity="warning",
                )
            elif len(persons) < missing:
                self._find(
                    "policy.too-few-can",
                    f"{missing} more persons must {action} this change as {role}, "
                    f"and only {', '.join(persons)} can",
                    "give the role to another person, or have the policy waive the rule with a reason",
                    severity="warning",
                )
            upcoming.append(Next(action, role, persons, command))

        def open_roles(stage: Stage) -> list[Requirement]:
            step = next(s for s in steps if s.step == stage)
            return [r for r in step.requirements if not r.met]

        def evaluators() -> None:
            for requirement in open_roles("evaluation"):
                who = [
                    p
                    for p in self.policy.members(requirement.role)
                    if p not in requirement.by and not self._excluded_from_evaluation(p)
                ]
                missing = requirement.needed - len(requirement.by)
                add("evaluate", requirement.role, who, f"gitchange approve {change.id}", missing)

        def implementers_for(requirement: Requirement) -> None:
            members = self.policy.members(requirement.role)
            who = [p for p in members if requirement.met or p not in requirement.by]
            add("implement", requirement.role, who, f"gitchange implement {change.id}")

        validation = next(s for s in steps if s.step == "validation")
        if self.frozen and evaluation.state == "waiting" and status != "withdrawn":
            for role in dict.fromkeys(
                o.freeze.override.role for o in self.frozen if o.freeze.override is not None
            ):
                given = {s.by for s in self.overrides if s.role == role}
                who = [
                    p
                    for p in self.policy.members(role)
                    if p not in given and not self._excluded_from_evaluation(p)
                ]
                add("override", role, who, f"gitchange override-freeze {change.id} -m WHY")
            if status == "requested":
                add("edit", "", (change.requester,), f"gitchange show {change.id}")
        if status == "requested":
            evaluators()
            if change.type == "emergency":
                for requirement in open_roles("implementation"):
                    implementers_for(requirement)
        elif status == "info-requested":
            add("edit", "", (change.requester,), f"gitchange show {change.id}")
        elif status == "approved" or (status == "failed" and validation.state == "refused"):
            asked = open_roles("implementation") or list(
                next(s for s in steps if s.step == "implementation").requirements
            )
            for requirement in asked:
                implementers_for(requirement)
        elif status in ("implemented", "failed"):
            if change.type == "emergency" and evaluation.state == "waiting":
                evaluators()
            for requirement in open_roles("validation"):
                excluded = set() if self._waived("validator-is-implementer") else implementers
                who = [
                    p
                    for p in self.policy.members(requirement.role)
                    if p not in excluded and p not in requirement.by
                ]
                missing = requirement.needed - len(requirement.by)
                add("validate", requirement.role, who, f"gitchange validate {change.id}", missing)
        elif status == "validated":
            if evaluation.state == "waiting":
                evaluators()
            else:
                add("document", "", self.policy.requesters, f"gitchange document {change.id}")
        return tuple(upcoming)

    # -- small questions ---------------------------------------------------------------------

    def _of(self, step: str) -> list[SignOff]:
        return [s for s in self.order.sorted if s.step == step]

    def _held(self, sign_off: SignOff) -> bool:
        """Whether the signer held the signed role under the policy by which the sign-off is judged.

        No recorder does.
        """
        return sign_off.role in self._roles_of(sign_off) and not self._is_recorder(sign_off)

    def _roles_of(self, sign_off: SignOff) -> Collection[str]:
        return self.policy.roles_of(sign_off.by) if sign_off.held is None else sign_off.held

    def _is_recorder(self, sign_off: SignOff) -> bool:
        """Whether a machine signed that may keep results and nothing else, whatever other roles it is given."""
        return RECORDER_ROLE in self._roles_of(sign_off)

    def _holds(self, sign_off: SignOff, roles: set[str]) -> bool:
        """Whether the signer holds the role that was signed, and the role is one that is asked."""
        if self._is_recorder(sign_off):
            self._find_recorder(sign_off)
            return False
        if not self._held(sign_off):
            self._find(
                "sign-off.role-not-held",
                f"{sign_off.by} signed as {sign_off.role} and does not hold that role",
                "the policy says who holds which role: `gitchange policy show`",
                severity="warning",
            )
            return False
        if sign_off.role not in roles:
            self._find(
                "sign-off.role-not-asked",
                f"{sign_off.by} signed the {sign_off.step} as {sign_off.role}, which no rule asks for",
                "",
                severity="note",
            )
            return False
        return True

    def _find_recorder(self, sign_off: SignOff) -> None:
        self._find(
            "sign-off.by-recorder",
            f"{sign_off.by} is a {RECORDER_ROLE}: a machine that keeps results; nothing else that it signs counts",
            "a person signs, with a key of their own",
            severity="warning",
        )

    def _waived(self, name: str, sign_off: SignOff | None = None) -> bool:
        """Whether the policy waives that rule: now, or at the moment by which a sign-off is judged."""
        at = (sign_off.judged_at if sign_off is not None else None) or self.now
        return any(waiver.waives == name for waiver in rules.waivers(self.policy, self.change, at))

    def _excluded_from_evaluation(self, person: str, sign_off: SignOff | None = None) -> str:
        """Which rule keeps this person from evaluating; empty when none does."""
        if person == self.change.requester and not self._waived("evaluator-is-requester", sign_off):
            return "evaluator-is-requester"
        is_author = person.casefold() in self.evidence.authors
        if (
            is_author
            and person != self.change.requester
            and not self._waived("evaluator-is-author", sign_off)
        ):
            return "evaluator-is-author"
        if self.change.type == "emergency" and any(s.by == person for s in self._of("implementation")):
            return "evaluator-is-implementer"  # what was done first is approved by a second person
        return ""

    def _may_evaluate(self, sign_off: SignOff) -> bool:
        excluded = self._excluded_from_evaluation(sign_off.by, sign_off)
        if excluded == "evaluator-is-requester":
            self._find(
                "duties.evaluator-is-requester",
                f"{sign_off.by} requested the change and cannot evaluate it",
                "another holder of the role evaluates",
                severity="warning",
            )
        elif excluded == "evaluator-is-author":
            self._find(
                "duties.evaluator-is-author",
                f"{sign_off.by} wrote a commit of the request and cannot evaluate it",
                "another holder of the role evaluates",
                severity="warning",
            )
        elif excluded == "evaluator-is-implementer":
            self._find(
                "duties.evaluator-is-implementer",
                f"{sign_off.by} implemented the emergency change and cannot approve it",
                "an emergency is approved by a second person",
                severity="warning",
            )
        elif sign_off.by == self.change.requester:
            self.used_waivers.add("evaluator-is-requester")
        elif sign_off.by.casefold() in self.evidence.authors:
            self.used_waivers.add("evaluator-is-author")
        return not excluded

    def _had_seen_approval(self, sign_off: SignOff, evaluation: StepState) -> bool:
        """Whether the approvals that count now were there for the implementer to see."""
        if self.change.type == "emergency" or not self.evidence.order_known:
            return True
        if self._frozen_for(s for s in self.overrides if self.order.after(sign_off, s)):
            return False
        if self.change.type == "standard" and not self._outside_model(sign_off):
            refused = evaluation.state == "refused" and self.order.sees_any(sign_off, evaluation.counting)
            return not refused or sign_off.verdict == "back-out"
        seen = [s for s in evaluation.counting if s.verdict == "approve" and self.order.after(sign_off, s)]
        if evaluation.state == "refused":
            # Refused afterwards; whether it was approved at the time, its own past tells.
            if sign_off.verdict == "implement" and self.order.sees_any(sign_off, evaluation.counting):
                return False
            seen = [
                s
                for s in self._of("evaluation")
                if s.verdict == "approve"
                and self.order.after(sign_off, s)
                and self._held(s)
                and not self._excluded_from_evaluation(s.by, s)
            ]
        met = _met(tuple(Asked(r.role, r.needed, r.rules) for r in evaluation.requirements), seen)
        return bool(met) and all(r.met for r in met)

    def _find_no_rule(self, step: str) -> None:
        self._find(
            "policy.no-rule",
            f"no rule of the policy says who may sign the {step} of this change, so nobody may",
            f"add a rule with `{step}` that matches {self.change.type} changes",
        )

    def _find(self, code: str, message: str, hint: str, *, severity: Severity = "error") -> None:
        self.findings.append(Finding(code, message, hint, severity))


class _Order:
    """Who had seen what: a partial order of the sign-offs on one text."""

    def __init__(self, sign_offs: tuple[SignOff, ...], known: bool) -> None:
        self._known = known
        self._place = {s.digest: place for place, s in enumerate(sign_offs)}
        # Who has seen more comes later; claimed time and digest only make the listing stable.
        key = (
            (lambda s: (len(s.seen or ()), s.when, s.digest)) if known else (lambda s: self._place[s.digest])
        )
        self.sorted: tuple[SignOff, ...] = tuple(sorted(sign_offs, key=key))

    def after(self, later: SignOff, earlier: SignOff) -> bool:
        """Whether `later` was made by somebody who had seen `earlier`."""
        if not self._known:  # a record lists them in order; nothing else is known
            return self._place[later.digest] > self._place[earlier.digest]
        return later.seen is not None and earlier.digest in later.seen

    def sees_any(self, later: SignOff, candidates: Iterable[SignOff]) -> bool:
        """Whether it was made by somebody who had seen one of them."""
        return any(self.after(later, candidate) for candidate in candidates)

    def any_after(self, candidates: Iterable[SignOff], earlier: SignOff) -> bool:
        """Whether one of them was made after `earlier`."""
        return any(self.after(candidate, earlier) for candidate in candidates)

    def latest(self, sign_offs: Sequence[SignOff]) -> list[SignOff]:
        """Those that no other of them has seen: usually one, several when made side by side."""
        return [s for s in sign_offs if not self.any_after((o for o in sign_offs if o is not s), s)]


def _lifts(override: SignOff, occurrence: Occurrence) -> bool:
    """Whether an override names the freeze, in the role that may lift it."""
    demand = occurrence.freeze.override
    return (
        demand is not None
        and override.role == demand.role
        and occurrence.freeze.name in override.answers.get("freezes", ())
    )


def _met(demands: tuple[Asked, ...], sign_offs: Iterable[SignOff]) -> tuple[Requirement, ...]:
    """How far the demands are met: persons are counted, each once for a role."""
    given = list(sign_offs)
    return tuple(
        Requirement(
            demand.role,
            demand.needed,
            tuple(dict.fromkeys(s.by for s in given if s.role == demand.role)),
            demand.rules,
        )
        for demand in demands
    )


def _after(start: dt.datetime | None, limit: str | None) -> dt.datetime | None:
    """The end of a length of time that begins then; None without both, and after the end of the calendar."""
    if start is None or limit is None:
        return None
    try:
        return start + duration(limit)
    except OverflowError:
        return None
