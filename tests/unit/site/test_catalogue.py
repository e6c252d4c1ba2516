"""Lists of changes that are looked up when they are asked for say what a list in memory would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.site.site import Site
from tests.unit.site.builder import example_overview, overview_of
from tests.unit.site.many import many

COUNT = 25
PLACES = st.none() | st.integers(-COUNT - 3, COUNT + 3)
STEPS = st.none() | st.integers(-3, 3).filter(bool)


@given(PLACES, PLACES, STEPS)
def test_any_part_is_that_of_a_list(start: int | None, stop: int | None, step: int | None) -> None:
    """Slices, from either end and backwards."""
    briefs = many(COUNT).briefs
    whole = [*briefs]
    assert [b.id for b in briefs[start:stop:step]] == [b.id for b in whole[start:stop:step]]


def test_places_length_and_truth() -> None:
    """One by one, and nothing where there is nothing."""
    catalogue = many(COUNT)
    briefs = catalogue.briefs
    whole = sorted(briefs, key=lambda b: b.requested, reverse=True)
    assert len(briefs) == len(whole) == COUNT
    assert [briefs[place] for place in range(-COUNT, COUNT)] == [*whole, *whole]
    with pytest.raises(IndexError):
        briefs[COUNT]
    none = catalogue.select("status = ?", ("withdrawn",))
    assert (len(none), bool(none), [*none], none.first(3)) == (0, False, [], [])
    assert bool(catalogue.select("status = ?", ("failed",)))


def test_groups_are_what_the_briefs_say() -> None:
    """Status, system, person and month: their members, counts and newest change, from a site with all kinds."""
    for site in (Site(example_overview()), Site(overview_of(), many(COUNT))):
        whole = [*site.briefs]
        for group in site.statuses:
            assert [*group.briefs] == [b for b in whole if b.status == group.name]
        for group in site.systems:
            own = [b for b in whole if group.name in b.systems]
            assert [*group.briefs] == own
            assert (len(group.briefs), group.open) == (len(own), sum(b.is_open for b in own))
            assert group.touched == max((b.touched for b in own), default=0)
            newest = sorted(own, key=lambda b: (b.touched, b.path), reverse=True)
            assert site.newest(3, group.name) == newest[:3]
        for group in site.months:
            own = [b for b in whole if b.title is not None and f"{b.id[4:8]}-{b.id[8:10]}" == group.name]
            assert [*group.briefs] == own
            assert group.open == sum(b.is_open for b in own)
        for person in site.people:
            who = person.principal
            assert [*person.requested] == [b for b in whole if b.requester == who]
            assert [*person.signed] == [b for b in whole if who in b.signers]
            waits = [(b, s) for b in whole for s in b.next if s[0] != "document" and who in s[2]]
            assert [(w.brief, w.action) for w in person.waiting] == [(b, s[0]) for b, s in waits]
            assert dict(person.to_do) == {
                action: sum(s[0] == action for _, s in waits) for action in {s[0] for _, s in waits}
            }
        assert [w.brief for w in site.waiting_for_anyone] == [
            b for b in whole for s in b.next if s[0] == "document" and s[2]
        ]
        assert [w.brief for w in site.waiting_for_nobody] == [b for b in whole for s in b.next if not s[2]]
        assert [*site.attention] == [b for b in whole if b.needs_attention]
        assert site.open_count == sum(b.is_open for b in whole)
        assert {name: site.known[name] for name in site.known} == {
            b.id: b for b in whole if b.title is not None
        }


def test_what_stands_near_is_the_same_asked_one_by_one() -> None:
    """Neighbours and referring changes, looked up for one change and read at once."""
    for make in (lambda: Site(example_overview()), lambda: Site(overview_of(), many(COUNT))):
        one, all_at_once = make(), make()
        all_at_once.load()
        for brief, other in zip(one.briefs, all_at_once.briefs, strict=True):
            assert one.inputs_of(brief) == all_at_once.inputs_of(other)
            related = [(r.brief.id, r.why) for r in one.related(brief)]
            assert related == [(r.brief.id, r.why) for r in all_at_once.related(other)]
