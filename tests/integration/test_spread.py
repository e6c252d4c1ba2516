"""Judging by several processes says what judging by one says."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from gitchange.assessment import spreading
from gitchange.assessment.assess import Assessor
from gitchange.assessment.verification import Verification, verify_repository
from gitchange.git.repository import Repository
from tests.company import Company, found, git

NOW = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
REF = "refs/notes/gitchange/approvals"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company with a documented change, a rejected one, and notes that lost a line and got a strange one."""
    company = found(tmp_path_factory.mktemp("spread"))
    company.documented()
    change = company.request()
    company.must("ada", "approve", change, "--yes")
    company.must("mo", "reject", change, "-m", "not on a Friday")
    last = company.request()
    company.must("ada", "approve", last, "--yes")
    path = f"changes/{last[4:8]}/{last[8:10]}/{last}.toml"
    git(company.repo, "notes", f"--ref={REF}", "remove", git(company.repo, "rev-parse", f"main:{path}"))
    git(company.repo, "notes", f"--ref={REF}", "add", "-m", "nonsense", "HEAD:policy/policy.toml")
    return company


def verified(repo: Path) -> Verification:
    return verify_repository(Assessor(Repository.open(repo), NOW))


def test_verify_says_the_same_by_two_processes(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check, count and finding is the same, and the work was done elsewhere."""
    alone = verified(company.repo)
    assert {f.code for f in alone.findings} >= {"notes.line-lost", "note.on-nothing"}
    processes: set[int] = set()
    begin = spreading._begin

    def counted(work: object, portions: object) -> object:
        worker = begin(work, portions)  # type: ignore[arg-type, var-annotated]
        assert worker is not None
        processes.add(worker._process)
        return worker

    monkeypatch.setattr(spreading, "_begin", counted)
    monkeypatch.setattr(spreading, "_cores", lambda: 2)
    monkeypatch.setattr(spreading, "_WORTH_IT", 0)
    monkeypatch.setattr(spreading, "_PORTION", 1)
    assert verified(company.repo) == alone
    assert len(processes - {os.getpid()}) == 2


def test_one_by_one_is_what_all_together_is(company: Company) -> None:
    """Each change judged alone, with its own history, is what judging all of them says of it."""
    assessed = Assessor(Repository.open(company.repo), NOW).all()
    assert len(assessed) == 3
    for assessment in assessed:
        alone = Assessor(Repository.open(company.repo), NOW).one(assessment.id)
        assert (alone.verdict, alone.findings, alone.history) == (
            assessment.verdict,
            assessment.findings,
            assessment.history,
        )
