"""What the messages of commits say, as GitLab, GitHub and git write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.forges.references import (
    MergeRequest,
    branch_in,
    changes_in,
    merge_request_at,
    merge_request_in,
    picked_in,
    repository_of,
    reverted_in,
)

A, B = "CHG-20261122-K7Q3", "CHG-20261123-AB12CD"
GITLAB = f"Merge branch 'fix/login' into 'master'\n\nMend the login for {A}\n\nSee merge request acme/app!12"
GITHUB = f"Merge pull request #34 from bo/{B.lower()}-login\n\nMend the login"

CASES = {
    "a trailer": ("Mend the login\n\nText.\n\nChange: x", [A], [(A, "trailer")]),
    "a title": (f"{A}: mend the login\n\nText.", [], [(A, "title")]),
    "a text": (f"Mend the login\n\nIt is part of {A}.", [], [(A, "text")]),
    "a trailer goes before a title": (f"{A}: mend", [A], [(A, "trailer")]),
    "two changes": (f"{A} and {B}", [], [(A, "title"), (B, "title")]),
    "a merge request's title": (GITLAB, [], [(A, "title")]),
    "a branch of GitHub, in small letters": (GITHUB, [], [(B, "branch")]),
    "a branch of git": (f"Merge branch '{A}'", [], [(A, "branch")]),
    "a remote branch": (f"Merge remote-tracking branch 'origin/{A}-x'", [], [(A, "branch")]),
    "an id within a word": (f"X{A} {A}Z9Z9Z9Z9Z9Z9Z9Z9Z9", [], []),
    "no day of the calendar": ("CHG-20261322-K7Q3", [], []),
    "letters that no id has": ("CHG-20261122-ILOU", [], []),
    "nothing": ("", [], []),
}


@pytest.mark.parametrize("case", CASES)
def test_changes(case: str) -> None:
    """Each change once, by the place that says most."""
    message, trailers, expected = CASES[case]
    assert [(r.change, r.place) for r in changes_in(message, trailers)] == expected


def test_merge_requests() -> None:
    """GitLab's merges, GitHub's merges, and the squash merges of both."""
    assert merge_request_in(GITLAB) == MergeRequest(12, "acme/app")
    assert merge_request_in("Mend it\n\nSee merge request !7") == MergeRequest(7, "")
    assert merge_request_in(GITHUB) == MergeRequest(34, "")
    assert merge_request_in("Mend the login (#56)\n\n* a\n* b") == MergeRequest(56, "")
    assert merge_request_in("Mend the login (#56) for good") is None
    assert merge_request_in("Mend it\n\nI see merge request acme/app!12 differently") is None


def test_branches() -> None:
    """Only the first line of a merge tells one."""
    assert branch_in(GITLAB) == "fix/login"
    assert branch_in(GITHUB) == f"bo/{B.lower()}-login"
    assert branch_in("Mend\n\nMerge branch 'x'") == ""


def test_reverts_and_picks() -> None:
    """What git writes for `revert` and `cherry-pick -x`."""
    oid = "1" * 40
    assert reverted_in(f'Revert "x"\n\nThis reverts commit {oid}.') == (oid,)
    assert reverted_in(f"This reverts commit {oid}, reversing\nchanges made to abc.") == (oid,)
    assert picked_in(f"x\n\n(cherry picked from commit {oid})") == (oid,)
    assert picked_in("it was (cherry picked from commit 123)") == ()


@pytest.mark.parametrize(
    "address",
    [
        "https://gitlab.example.org/acme/app",
        "https://gitlab.example.org/acme/app.git",
        "https://bo:secret@GitLab.example.org/acme/app/",
        "http://gitlab.example.org:8080/acme/app.git",
        "ssh://git@gitlab.example.org:2222/acme/app.git",
        "git@gitlab.example.org:acme/app.git",
        "gitlab.example.org:/acme/app",
    ],
)
def test_one_spelling_for_a_repository(address: str) -> None:
    """However a remote is spelled, it is the repository that the policy names."""
    assert repository_of(address) == "gitlab.example.org/acme/app"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://gitlab.example.org/acme/app/-/merge_requests/12", ("gitlab.example.org/acme/app", 12)),
        ("https://gitlab.example.org/acme/app/merge_requests/12#note_1", ("gitlab.example.org/acme/app", 12)),
        ("https://github.com/acme/app/pull/34/files", ("github.com/acme/app", 34)),
        ("https://github.com/acme/app/issues/34", None),
    ],
)
def test_addresses_of_merge_requests(address: str, expected: tuple[str, int] | None) -> None:
    """GitLab's and GitHub's, with whatever stands behind the number."""
    assert merge_request_at(address) == expected


@given(st.text(), st.lists(st.text(), max_size=2))
def test_any_message_can_be_read(message: str, trailers: list[str]) -> None:
    """Messages are anybody's texts: whatever they say, nothing breaks, and no change is told twice."""
    found = [reference.change for reference in changes_in(message, trailers)]
    assert len(found) == len(set(found))
    merge_request_in(message)
    reverted_in(message)
    picked_in(message)
    repository_of(message)
    merge_request_at(message)
