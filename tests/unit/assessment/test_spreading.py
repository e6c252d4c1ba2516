"""Work that is spread over processes: the same results, in order, and errors as if there were one process."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest

from gitchange.assessment import spreading
from gitchange.assessment.spreading import spread
from gitchange.errors import RepositoryError
from tests.processes import children, own_name


def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "_cores", lambda: 2)
    monkeypatch.setattr(spreading, "_WORTH_IT", 10)


def test_results_come_in_the_order_of_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes work, and what they say comes as from one."""
    _two(monkeypatch)
    items = list(range(1050))
    results = list(spread(lambda portion: (os.getpid(), list(portion)), items))
    assert [n for _, portion in results for n in portion] == items
    assert len({process for process, _ in results}) == 2
    assert os.getpid() not in {process for process, _ in results}
    assert children(own_name()) == []


def test_few_items_are_worked_on_here() -> None:
    """A process of its own is not begun for what takes no time."""
    assert list(spread(lambda portion: (os.getpid(), sum(portion)), [1, 2, 3])) == [(os.getpid(), 6)]


def test_no_items_have_no_results() -> None:
    """Nothing to do is done."""
    assert list(spread(len, [])) == []


def test_an_error_is_raised_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts and hint of an error arrive, whoever met it, and the workers are gone."""
    _two(monkeypatch)

    def work(portion: Sequence[int]) -> int:
        if 777 in portion:
            raise RepositoryError("777 is missing", hint="look for it")
        return len(portion)

    with pytest.raises(RepositoryError, match="777 is missing") as caught:
        list(spread(work, list(range(1000))))
    assert caught.value.hint == "look for it"
    assert children(own_name()) == []


def test_a_worker_that_dies_costs_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker did not get to is done here."""
    _two(monkeypatch)
    here = os.getpid()

    def work(portion: Sequence[int]) -> int:
        if 500 in portion and os.getpid() != here:
            os._exit(1)
        return sum(portion)

    assert sum(spread(work, list(range(1000)))) == sum(range(1000))
    assert children(own_name()) == []


def test_whoever_stops_listening_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt, or no interest in the rest, leaves no process behind."""
    _two(monkeypatch)
    results = spread(len, list(range(5000)))
    assert next(results) == 100
    results.close()  # type: ignore[attr-defined]
    assert children(own_name()) == []
