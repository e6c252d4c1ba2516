"""A merge of the past says little, and nothing is made up for it."""

from __future__ import annotations

import datetime as dt

import pytest

from gitchange.forges import history
from gitchange.forges.references import merge_request_in
from gitchange.git.application import AppCommit

MERGE, ONE, TWO, BASE = (letter * 40 for letter in "abcd")
GITLAB = "https://gitlab.example.org/acme/app.git"


def commit(name: str, message: str, *parents: str) -> AppCommit:
    """A commit of Bo's."""
    return AppCommit(name, parents or (BASE,), "bo@example.org", (), 1_700_000_000, message, (), ())


def merge(message: str, *merged: AppCommit, remotes: tuple[str, ...] = (GITLAB,)) -> history.PastMerge:
    """What a merge says of commits, which are given oldest first."""
    return history.request_of(commit(MERGE, message, BASE, TWO), merged[::-1], remotes)


def test_a_merge_of_gitlab() -> None:
    """Title and address come from its message, the scope from the commits, and the rest is missing."""
    found = merge(
        "Merge branch 'tls' into 'main'\n\nRotate the certificate\n\nCloses #4\n\nSee merge request acme/app!12",
        commit(ONE, "Add the new one"),
        commit(TWO, "Remove the old one\n\nSigned-off-by: Bo <bo@example.org>\n"),
    )
    address = "https://gitlab.example.org/acme/app/-/merge_requests/12"
    assert found.fields == {
        "title": "Rotate the certificate",
        "scope": "- Add the new one\n- Remove the old one",
        "imported": {
            "commit": MERGE,
            "commits": [ONE, TWO],
            "merge_request": address,
            "author": "bo@example.org",
            "time": dt.datetime(2023, 11, 14, 22, 13, 20, tzinfo=dt.UTC),
        },
        "links": {"merge_requests": [address]},
    }
    assert {f.key for f in found.findings} == {"systems", "reason", "steps", "risks", "rollback", "test_plan"}
    assert all(f.severity == "error" and not f.line for f in found.findings)


def test_the_reason_is_what_the_messages_say() -> None:
    """A message says why, or the commits do, each below its first line where they are several."""
    message = "Merge branch 'tls'\n\nRotate\n\nIt expires.\n\nCo-authored-by: Cy <cy@example.org>"
    assert merge(message).fields["reason"] == "It expires."
    one, two = commit(ONE, "One\n\nThis expires."), commit(TWO, "Two\n\nThat, too.")
    assert merge("Merge branch 'tls'", one).fields["reason"] == "This expires."
    assert (
        merge("Merge branch 'tls'", one, two).fields["reason"] == "One\n\nThis expires.\n\nTwo\n\nThat, too."
    )


def test_a_merge_whose_message_is_a_description_may_be_whole() -> None:
    """Forges can put the description into the message: its headings count."""
    body = (
        "Rotate\n\n## Why\nIt expires.\n\n## Scope\nAll.\n\n## Steps\n1. Do it\n\n## Risks\n"
        "| Risk | Category | Likelihood | Impact | Mitigation |\n|--|--|--|--|--|\n| a | b | rare | minor | c |\n\n"
        "## Rollback\nUndo it.\n\n## Test plan\nLook.\n\nSee merge request acme/app!12"
    )
    found = merge(f"Merge branch 'tls' into 'main'\n\n{body}")
    assert {f.key for f in found.findings} == {"systems"}
    assert found.fields["test_plan"] == "Look."


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Merge branch 'tls'", "Merge branch 'tls'"),
        ("Merge branch 'tls'\n\n* tls:\n  one\n  two", "Merge branch 'tls'"),
        ("Merge pull request #3 from acme/tls\n\nRotate it", "Rotate it"),
        ("Rotate it (#3)\n\n* one\n\n* two", "Rotate it"),
    ],
)
def test_titles(message: str, title: str) -> None:
    """What a forge writes around a title is no part of it, and no title is found where there is none."""
    assert merge(message, commit(ONE, "a"), commit(TWO, "b")).fields["title"] == title


def test_a_single_commit_gives_its_title() -> None:
    """A merge without words of its own, of one commit, is called like that."""
    assert merge("Merge branch 'tls'", commit(ONE, "Rotate it")).fields["title"] == "Rotate it"


@pytest.mark.parametrize(
    ("remote", "message", "address"),
    [
        ("git@gitlab.example.org:acme/app.git", "x\n\nSee merge request acme/app!12", "gitlab"),
        ("ssh://git@gitlab.example.org:2222/acme/app", "x\n\nSee merge request !12", "gitlab"),
        ("https://bo:secret@gitlab.example.org/acme/app.git", "x\n\nSee merge request acme/app!12", "gitlab"),
        ("https://gitlab.example.org/acme/other.git", "x\n\nSee merge request acme/app!12", ""),
        ("https://github.com/acme/app", "x (#12)", "https://github.com/acme/app/pull/12"),
        ("/srv/app.bundle", "x (#12)", ""),
        ("../app.git", "x (#12)", ""),
    ],
)
def test_the_address_of_a_merge_request(remote: str, message: str, address: str) -> None:
    """It is made from a remote's address, without anybody's password, or not at all."""
    request = merge_request_in(message)
    assert request is not None
    expected = "https://gitlab.example.org/acme/app/-/merge_requests/12" if address == "gitlab" else address
    assert history.address_of(request, message, [remote]) == expected


def test_a_time_of_no_calendar_is_left_out() -> None:
    """A commit can claim any second; one far beyond the calendar is not told as a time."""
    odd = AppCommit(MERGE, (BASE, ONE), "", (), 99_999_999_999_999, "Merge branch 'tls'", (), ())
    assert history.request_of(odd, (), ()).fields["imported"] == {"commit": MERGE}


def test_which_commits_are_merges() -> None:
    """Merges, and single commits of which a forge says that it squashed them."""
    assert history.is_merge(commit(MERGE, "x", BASE, ONE))
    assert history.is_merge(commit(MERGE, "Rotate it (#3)"))
    assert not history.is_merge(commit(MERGE, "Rotate it"))
