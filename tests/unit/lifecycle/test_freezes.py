"""Freezes: when they are, whom they hold, how a soft one is lifted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.lifecycle import freezes
from gitchange.lifecycle.rehearse import rehearse
from gitchange.model.evidence import SignOff
from gitchange.model.policy import Policy, load_policy
from gitchange.values import replace
from tests.unit.lifecycle.builders import (
    ADA,
    BO,
    DEE,
    EMERGENCY,
    EVE,
    MO,
    NOW,
    ROB,
    ROLES,
    STANDARD,
    TREE,
    Story,
    a_change,
    a_policy,
    a_sign_off,
    policy_data,
    policy_files,
)

PARIS = ZoneInfo("Europe/Paris")
HARD: dict[str, Any] = {
    "name": "end of year",
    "reason": "Nobody is there.",
    "kind": "hard",
    "zone": "Europe/Paris",
    "start": dt.datetime(2026, 12, 24, 18),
    "end": dt.datetime(2027, 1, 2, 8),
}
SOFT: dict[str, Any] = {**HARD, "kind": "soft", "override": {"role": "change-manager"}}
WEEKEND: dict[str, Any] = {
    **HARD,
    "name": "weekend",
    "start": dt.datetime(2026, 1, 2, 16),
    "end": dt.datetime(2026, 1, 5, 8),
    "recurrence": "FREQ=WEEKLY;BYDAY=FR",
}


def utc(*parts: int) -> dt.datetime:
    """A moment in UTC."""
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


def frozen(*given_freezes: dict[str, Any], **changes: Any) -> Policy:
    """A policy with these freezes."""
    return a_policy(freezes=list(given_freezes), **changes)


def window(start: dt.datetime, hours: int = 1) -> dict[str, Any]:
    """A planned window of a change file."""
    return {"start": start, "end": start + dt.timedelta(hours=hours)}


IN = window(utc(2026, 12, 26, 10))
OUT = window(utc(2026, 12, 22, 10))


def override(story: Story, by: str, *names: str, role: str = "change-manager", seen: Any = "all") -> SignOff:
    """An override of these freezes, by somebody who has seen all before."""
    known: Iterable[SignOff] = list(story.signed) if seen == "all" else seen
    made = a_sign_off(by, "override-freeze", known, role=role, number=len(story.signed))
    made = replace(made, answers={"freezes": list(names or ("end of year",))})
    story.signed.append(made)
    return made


# -- when --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "met"),
    [
        (utc(2026, 12, 24, 16), utc(2026, 12, 24, 17), False),  # ends when it begins: 18:00 in Paris
        (utc(2026, 12, 24, 16), utc(2026, 12, 24, 17, 1), True),
        (utc(2027, 1, 2, 6, 59), utc(2027, 1, 2, 9), True),
        (utc(2027, 1, 2, 7), utc(2027, 1, 2, 9), False),  # begins when it ends: 08:00 in Paris
        (utc(2026, 12, 1), utc(2027, 2, 1), True),  # around it
    ],
)
def test_a_freeze_is_from_its_first_instant_to_before_its_last(
    start: dt.datetime, end: dt.datetime, met: bool
) -> None:
    """On the clocks of its zone, half open."""
    change = a_change(schedule={"start": start, "end": end})
    assert bool(freezes.planned_in(frozen(HARD), change)) == met


@pytest.mark.parametrize(
    ("friday", "begins", "ends", "hours"),
    [
        ((2026, 3, 20), utc(2026, 3, 20, 15), utc(2026, 3, 23, 7), 64),
        ((2026, 3, 27), utc(2026, 3, 27, 15), utc(2026, 3, 30, 6), 63),  # clocks go forward on the 29th
        ((2026, 10, 23), utc(2026, 10, 23, 14), utc(2026, 10, 26, 7), 65),  # and back on the 25th
    ],
)
def test_a_weekend_is_a_weekend_when_clocks_change(
    friday: tuple[int, int, int], begins: dt.datetime, ends: dt.datetime, hours: int
) -> None:
    """Friday 16:00 to Monday 08:00 on the wall, however many hours that is."""
    policy = frozen(WEEKEND)
    noon = dt.datetime(*friday, 12, tzinfo=PARIS)
    found = list(freezes.occurrences(policy.file.freezes[0], policy, noon, noon + dt.timedelta(days=2)))
    assert [(o.start.astimezone(dt.UTC), o.end.astimezone(dt.UTC)) for o in found] == [(begins, ends)]
    assert (ends - begins).total_seconds() == hours * 3600
    assert "16:00" in str(found[0])
    assert "08:00, Europe/Paris" in str(found[0])


def test_a_time_that_comes_twice_or_never_makes_the_freeze_longer() -> None:
    """02:30 on the 25th of October is twice, on the 29th of March never: it begins early and ends late."""
    night = {**HARD, "start": dt.datetime(2026, 10, 25, 2, 30), "end": dt.datetime(2026, 10, 25, 2, 45)}
    policy = frozen(night)
    found = list(freezes.occurrences(policy.file.freezes[0], policy, utc(2026, 10, 24), utc(2026, 10, 26)))
    assert (found[0].start.astimezone(dt.UTC), found[0].end.astimezone(dt.UTC)) == (
        utc(2026, 10, 25, 0, 30),
        utc(2026, 10, 25, 1, 45),
    )
    gap = {**HARD, "start": dt.datetime(2026, 3, 29, 2, 30), "end": dt.datetime(2026, 3, 29, 2, 45)}
    policy = frozen(gap)
    found = list(freezes.occurrences(policy.file.freezes[0], policy, utc(2026, 3, 28), utc(2026, 3, 30)))
    assert found[0].start.astimezone(dt.UTC) == utc(2026, 3, 29, 0, 30)
    assert found[0].end.astimezone(dt.UTC) == utc(2026, 3, 29, 1, 45)


def test_a_yearly_freeze_comes_every_year() -> None:
    """Far ahead, and not before the first."""
    policy = frozen({**HARD, "recurrence": "FREQ=YEARLY"})
    for year, met in ((2025, False), (2026, True), (2040, True)):
        change = a_change(schedule=window(utc(year, 12, 31)))
        assert bool(freezes.planned_in(policy, change)) == met


@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2031, 1, 1), timezones=st.just(dt.UTC)),
    st.integers(1, 200),
)
def test_weekends_by_an_oracle(start: dt.datetime, minutes: int) -> None:
    """The recurring freeze is met exactly when some minute of the window is between Friday 16:00 and Monday 08:00."""
    policy = frozen(WEEKEND)
    start = start.replace(second=0, microsecond=0)
    end = start + dt.timedelta(minutes=minutes)

    def is_weekend(moment: dt.datetime) -> bool:
        local = moment.astimezone(PARIS)
        return local.replace(tzinfo=None) >= WEEKEND["start"] and (
            local.weekday() in (5, 6)
            or (local.weekday() == 4 and local.hour >= 16)
            or (local.weekday() == 0 and local.hour < 8)
        )

    expected = any(is_weekend(start + dt.timedelta(minutes=minute)) for minute in range(minutes))
    change = a_change(schedule={"start": start, "end": end})
    assert bool(freezes.planned_in(policy, change)) == expected


def test_the_next_free_slot() -> None:
    """After the weekend; None where there is none."""
    policy = frozen(WEEKEND)
    change = a_change()
    friday = dt.datetime(2026, 10, 23, 17, tzinfo=PARIS)
    hour = dt.timedelta(hours=1)
    assert freezes.next_free(policy, change, friday, hour) == utc(2026, 10, 26, 7)
    assert freezes.next_free(policy, change, friday - 4 * hour, hour) == friday - 4 * hour
    assert freezes.next_free(policy, change, friday - 4 * hour, 4 * hour) == utc(2026, 10, 26, 7)
    always = {**HARD, "start": dt.datetime(2026, 1, 1), "end": dt.datetime(2090, 1, 1)}
    assert freezes.next_free(frozen(always), change, friday, hour) is None


@pytest.mark.parametrize("given_freeze", [HARD, WEEKEND], ids=["once", "each week"])
@pytest.mark.parametrize("last", [utc(9999, 12, 31, 23, 59), utc(9990, 1, 2), utc(9000, 1, 1)])
def test_a_window_until_the_end_of_the_calendar_is_judged_at_once(
    given_freeze: dict[str, Any], last: dt.datetime
) -> None:
    """It meets the freeze, is told of the first few times, and has no free slot that would end with the calendar."""
    policy, start = frozen(given_freeze), utc(2026, 12, 1)
    change = a_change(schedule={"start": start, "end": last})
    met = freezes.planned_in(policy, change)
    assert {o.freeze.name for o in met} == {given_freeze["name"]}
    assert len(met) <= 20
    free = freezes.next_free(policy, change, start, last - start)
    assert free == (utc(2027, 1, 2, 7) if given_freeze is HARD and last.year == 9000 else None)
    hour = dt.timedelta(hours=1)
    assert freezes.next_free(policy, change, last - hour, hour) in (None, last - hour)


def test_a_freeze_until_the_end_of_the_calendar_leaves_nothing_free() -> None:
    """Whatever the zone, at the calendar's beginning and at its end."""
    for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"):
        freeze = {**HARD, "zone": name, "start": dt.datetime(2, 1, 1), "end": dt.datetime(9999, 12, 31, 23)}
        policy, hour = frozen(freeze), dt.timedelta(hours=1)
        for start in (dt.datetime.min.replace(tzinfo=dt.UTC), utc(2026, 1, 1), utc(9999, 12, 31, 22)):
            assert freezes.next_free(policy, a_change(), start, hour) is None or start.year == 1
            assert len(freezes.touching(policy, a_change(), start, start + hour)) <= 1
        assert freezes.touching(policy, a_change(), utc(2026, 1, 1), utc(2026, 1, 2))


def test_a_freeze_concerns_the_systems_that_it_may_hold_for() -> None:
    """Those that it names, or those with customer information; an unknown one is taken to have some."""
    named = frozen({**HARD, "when": {"systems": ["database"]}})
    holding = frozen({**HARD, "when": {"customer_data": True}})
    for policy, expected in ((named, [False, True, False, False]), (holding, [True, True, False, True])):
        (freeze,) = policy.file.freezes
        names = ("api", "database", "website", "gone")
        assert [freezes.concerns(freeze, policy, name) for name in names] == expected


# -- whom --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "change", "held"),
    [
        ({}, {}, True),
        ({}, STANDARD, True),
        ({}, EMERGENCY, False),
        ({"types": ["normal", "emergency"]}, EMERGENCY, True),
        ({"systems": ["database"]}, {}, False),
        ({"systems": ["api"]}, {}, True),
        ({"customer_data": False}, {}, False),
        ({"risk": ["high"]}, {}, False),
        ({"environments": ["production"]}, {"environments": ["staging"]}, False),
        ({"environments": ["production"]}, {}, True),
    ],
)
def test_a_freeze_holds_for_the_changes_it_names(
    when: dict[str, Any], change: dict[str, Any], held: bool
) -> None:
    """By type, system, risk, customer data, environment; emergencies only when they are named."""
    policy = frozen({**HARD, "when": when})
    assert bool(freezes.planned_in(policy, a_change(schedule=IN, **change))) == held


# -- the verdict -------------------------------------------------------------------------------


def test_a_change_planned_in_a_freeze_is_not_approved() -> None:
    """Whoever approved it; it is told when it could be, and by whom."""
    story = Story(frozen(HARD), schedule=IN).approved()
    verdict = story.verdict()
    assert (verdict.status, verdict.flags) == ("requested", ("in freeze",))
    assert (
        "end of year (2026-12-24 18:00 to 2027-01-02 08:00, Europe/Paris)" in verdict.step("evaluation").note
    )
    finding = next(f for f in verdict.findings if f.code == "freeze.planned")
    assert "Nobody is there." in finding.message
    assert "plan it from 2027-01-02 08:00 +0100 on" in finding.hint
    assert [(n.action, n.who) for n in verdict.next] == [("edit", (ROB,))]


def test_outside_the_freeze_nothing_is_said() -> None:
    """Neither flag nor finding."""
    verdict = Story(frozen(HARD), schedule=OUT).approved().verdict()
    assert (verdict.status, verdict.flags, verdict.findings) == ("approved", (), ())


def test_an_implementation_in_a_freeze_does_not_count() -> None:
    """It was not approved, so it was signed before its approval."""
    story = Story(frozen(HARD), schedule=IN).implemented()
    assert story.status == "requested"
    assert "implementation.before-approval" in story.codes()


def test_a_standard_change_is_not_pre_approved_in_a_freeze() -> None:
    """Its model does not lift freezes."""
    story = Story(frozen(HARD), schedule=IN, **STANDARD)
    assert (story.status, story.verdict().flags) == ("requested", ("in freeze",))
    story.sign(BO, "implement")
    assert story.status == "requested"


def test_an_emergency_goes_on() -> None:
    """Unless the freeze names emergencies."""
    story = Story(frozen(HARD), schedule=IN, **EMERGENCY).validated()
    assert (story.status, story.verdict().complete) == ("validated", True)
    named = frozen({**HARD, "when": {"types": ["emergency"]}})
    held = Story(named, schedule=IN, **EMERGENCY).validated()
    assert (held.status, held.verdict().complete) == ("validated", False)


def test_a_soft_freeze_is_lifted_by_a_signed_override() -> None:
    """Approval and override in either order; then the steps go on, and the record gets the override."""
    for first in ("approve", "override"):
        story = Story(frozen(SOFT), schedule=IN)
        if first == "approve":
            story.approved()
        lifted = override(story, MO)
        if first == "override":
            assert story.status == "requested"
            story.approved()
        verdict = story.verdict()
        assert (verdict.status, verdict.flags) == ("approved", ("freeze overridden",))
        assert lifted in verdict.step("evaluation").counting
        story.sign(BO, "implement")
        story.sign(DEE, "validate")
        assert story.verdict().complete
        assert lifted in story.verdict().counting


def test_a_standard_change_goes_on_when_the_freeze_is_lifted() -> None:
    """Without an approval of its own."""
    story = Story(frozen(SOFT), schedule=IN, **STANDARD)
    lifted = override(story, MO)
    assert story.status == "approved"
    story.sign(BO, "implement")
    story.sign(DEE, "validate")
    assert story.verdict().complete
    assert lifted in story.verdict().counting


def test_who_implemented_must_have_seen_the_override() -> None:
    """An override that comes after the implementation does not make it a good one."""
    story = Story(frozen(SOFT), schedule=IN).implemented()
    override(story, MO)
    assert story.status == "approved"
    assert "implementation.before-approval" in story.codes()
    standard = Story(frozen(SOFT), schedule=IN, **STANDARD)
    standard.sign(BO, "implement")
    override(standard, MO)
    assert standard.status == "approved"


@pytest.mark.parametrize(
    ("by", "role", "names"),
    [
        (ROB, "requester", ("end of year",)),  # no such power
        (EVE, "security", ("end of year",)),  # another role
        (EVE, "change-manager", ("end of year",)),  # a role that is not held
        (MO, "change-manager", ("another",)),  # another freeze
    ],
)
def test_an_override_that_lifts_nothing(by: str, role: str, names: tuple[str, ...]) -> None:
    """By somebody who may not, or of another freeze."""
    story = Story(frozen(SOFT), schedule=IN).approved()
    override(story, by, *names, role=role)
    assert story.status == "requested"


def test_the_requester_does_not_lift_a_freeze_for_themselves() -> None:
    """Nor does an author: duties are separate here too."""
    story = Story(frozen(SOFT), schedule=IN, requester=ADA)
    story.sign(MO, "approve")
    override(story, ADA)
    assert story.status == "requested"
    assert "duties.evaluator-is-requester" in story.codes()
    author = Story(frozen(SOFT), schedule=IN)
    author.facts["authors"] = frozenset({ADA})
    author.sign(MO, "approve")
    override(author, ADA)
    assert author.status == "requested"


def test_several_persons_lift_where_several_are_asked() -> None:
    """Persons are counted, not overrides."""
    policy = frozen({**SOFT, "override": {"role": "change-manager", "approvals": 2}})
    story = Story(policy, schedule=IN).approved()
    override(story, MO)
    override(story, MO)
    assert story.status == "requested"
    assert next((n.action, n.who) for n in story.verdict().next) == ("override", (ADA,))
    override(story, ADA)
    assert story.status == "approved"


def test_of_two_freezes_both_must_be_lifted() -> None:
    """Each by its role; a hard one by nobody."""
    other = {**SOFT, "name": "campaign", "override": {"role": "security"}}
    story = Story(frozen(SOFT, other), schedule=IN).approved()
    override(story, MO, "end of year", "campaign")
    assert story.status == "requested"
    override(story, EVE, "campaign", role="security")
    assert story.status == "approved"
    hard = Story(frozen(SOFT, {**HARD, "name": "audit"}), schedule=IN).approved()
    override(hard, MO, "end of year", "audit")
    assert hard.status == "requested"


def test_an_implementation_that_says_to_be_in_a_freeze_is_flagged() -> None:
    """Late against its plan, or without any: claimed times decide nothing, but are told."""
    story = Story(frozen(HARD), schedule=OUT).approved()
    story.sign(BO, "implement", time=utc(2026, 12, 25, 12))
    assert story.status == "implemented"
    assert "in freeze" in story.verdict().flags
    assert "freeze.implemented" in story.codes()
    unplanned = Story(frozen(HARD)).approved()
    assert "freeze.now" in unplanned.codes(utc(2026, 12, 25, 12))
    assert "freeze.now" not in unplanned.codes(utc(2026, 12, 23, 12))
    unplanned.sign(BO, "implement", time=utc(2026, 12, 25, 12))
    assert "freeze.implemented" in unplanned.codes()


def test_a_rejected_change_is_not_told_about_freezes() -> None:
    """Nobody waits for it."""
    story = Story(frozen(HARD), schedule=IN)
    story.sign(MO, "reject")
    assert (story.status, story.verdict().flags) == ("rejected", ())


# -- before signing ----------------------------------------------------------------------------


def test_the_rehearsal_knows_who_may_lift_what() -> None:
    """And says why not."""
    story = Story(frozen(SOFT), schedule=IN)
    assert story.rehearse(MO, "override-freeze").counts
    assert story.rehearse(MO, "override-freeze").role == "change-manager"
    refused = story.rehearse(DEE, "override-freeze")
    assert (refused.counts, refused.objections[0].hint) == (False, "these roles may: change-manager")
    outside = Story(frozen(SOFT), schedule=OUT).rehearse(MO, "override-freeze")
    assert "not planned in any freeze" in outside.objections[0].message
    hard = Story(frozen(HARD), schedule=IN).rehearse(MO, "override-freeze")
    assert "lifted by nobody" in hard.objections[0].message
    other = rehearse(
        story.evidence,
        story.policy,
        NOW,
        step="freeze",
        verdict="override-freeze",
        by=MO,
        overriding=("another",),
    )
    assert not other.counts


def test_implementing_in_a_freeze_is_refused_before_it_is_signed() -> None:
    """The developer is told."""
    story = Story(frozen(HARD), schedule=IN).approved()
    rehearsal = story.rehearse(BO, "implement")
    assert not rehearsal.counts


# -- the policy --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "soft"}, "says not who may lift it"),
        ({"override": {"role": "change-manager"}}, "is hard, so nobody lifts it"),
        ({"kind": "soft", "override": {"role": "nobody"}}, "asks for the role 'nobody'"),
        ({"kind": "soft", "override": {"role": "change-manager", "approvals": 9}}, "asks for 9"),
        ({"start": utc(2026, 12, 24, 18)}, "has an offset"),
        ({"end": dt.datetime(2026, 12, 24, 18)}, "ends before it begins"),
        ({"zone": "Europe/Atlantis"}, "no IANA time zone"),
        ({"recurrence": "every year"}, "a recurrence has FREQ"),
        ({"recurrence": "FREQ=HOURLY"}, "RFC 5545 does not know"),
        ({"recurrence": "FREQ=YEARLY;BYHOUR=3"}, "a recurrence has FREQ"),
        ({"recurrence": "FREQ=YEARLY;FREQ=DAILY"}, "has FREQ twice"),
        ({"recurrence": "BYDAY=FR"}, "has no FREQ"),
        ({"recurrence": "FREQ=YEARLY;COUNT=3;UNTIL=20300101T000000"}, "exclude each other"),
        ({"recurrence": "FREQ=YEARLY;UNTIL=20300101T000000Z"}, "without Z"),
        ({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "never occurs"),
        ({"recurrence": "FREQ=WEEKLY;BYDAY=FR"}, "does not begin on a day of its own"),
        ({"when": {"systems": ["apo"]}}, "names the system 'apo'"),
        ({"when": {"environments": ["moon"]}}, "names the environment 'moon'"),
    ],
)
def test_a_freeze_that_means_nothing_makes_the_policy_unreadable(changes: dict[str, Any], words: str) -> None:
    """Fail closed: with the place and a word about why."""
    policy, found = load_policy(policy_files(policy_data(freezes=[{**HARD, **changes}])), TREE)
    assert policy is None
    assert any(words in f.message and (f.key or "").startswith("freezes") for f in found), found


def test_two_freezes_of_one_name_and_one_without_zone() -> None:
    """An override could mean either; a time without a zone is no time."""
    policy, found = load_policy(policy_files(policy_data(freezes=[HARD, HARD])), TREE)
    assert policy is None
    assert "policy.name-twice" in [f.code for f in found]
    homeless = {name: value for name, value in HARD.items() if name != "zone"}
    policy, found = load_policy(policy_files(policy_data(freezes=[homeless])), TREE)
    assert policy is None
    assert "policy.no-zone" in [f.code for f in found]
    policy, found = load_policy(policy_files(policy_data(freezes=[homeless], timezone="Asia/Tokyo")), TREE)
    assert policy is not None
    assert policy.zone_of(policy.file.freezes[0]) == "Asia/Tokyo"


def test_who_may_lift_a_freeze_signs() -> None:
    """Whoever holds the role of an override needs a key."""
    roles = {**ROLES, "duty": {"members": ["zoe@example.org"]}}
    policy = a_policy(roles=roles, freezes=[{**SOFT, "override": {"role": "duty"}}])
    assert "zoe@example.org" in policy.signing_people
