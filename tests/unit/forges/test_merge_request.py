"""Events and API answers of GitLab and GitHub become one shape; everything else is refused with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitchange.errors import UsageError
from gitchange.forges import merge_request
from gitchange.forges.merge_request import MergeRequest

PROJECT = {
    "web_url": "https://gitlab.example.org/acme/app",
    "git_http_url": "https://gitlab.example.org/acme/app.git",
    "git_ssh_url": "git@gitlab.example.org:acme/app.git",
}
GITLAB_EVENT = {
    "object_kind": "merge_request",
    "user": {"id": 7, "name": "Bo", "email": "bo@example.org"},
    "project": PROJECT,
    "object_attributes": {
        "iid": 12,
        "author_id": 7,
        "url": "https://gitlab.example.org/acme/app/-/merge_requests/12",
        "title": "Rotate the certificate",
        "description": "Why\r\nnot",
        "source_branch": "change/CHG-20261122-K7Q3",
        "last_commit": {"author": {"email": "cy@example.org"}},
    },
}
GITLAB_API = {
    "iid": 12,
    "web_url": "https://gitlab.example.org/acme/app/-/merge_requests/12",
    "title": "Rotate the certificate",
    "description": None,
    "source_branch": "tls",
    "author": {"username": "bo"},
}
GITHUB_PULL = {
    "url": "https://api.github.com/repos/acme/app/pulls/3",
    "number": 3,
    "html_url": "https://github.com/acme/app/pull/3",
    "title": "Rotate the certificate",
    "body": "Why not",
    "head": {"ref": "tls"},
    "user": {"login": "bo", "email": "bo@example.org"},
    "base": {
        "repo": {"html_url": "https://github.com/acme/app", "clone_url": "https://github.com/acme/app.git"}
    },
}
GITHUB_EVENT = {"action": "opened", "number": 3, "pull_request": GITHUB_PULL, "repository": {}}


def read(data: Any, name: str = "event.json") -> MergeRequest:
    """What the JSON of these data says."""
    return merge_request.read(json.dumps(data).encode(), name)


def test_an_event_of_gitlab() -> None:
    """Title, description with LF, address, branch, author and project of a webhook's event."""
    assert read(GITLAB_EVENT, "-") == MergeRequest(
        title="Rotate the certificate",
        description="Why\nnot",
        address="https://gitlab.example.org/acme/app/-/merge_requests/12",
        number=12,
        branch="change/CHG-20261122-K7Q3",
        emails=("bo@example.org", "cy@example.org"),
        repositories=tuple(PROJECT.values()),
        changes=("CHG-20261122-K7Q3",),
    )


def test_who_only_did_something_is_not_who_asks() -> None:
    """The user of an event about somebody else's merge request is not its author."""
    event = {**GITLAB_EVENT, "user": {"id": 8, "email": "ada@example.org"}}
    assert read(event).emails == ("cy@example.org",)


def test_an_answer_of_gitlabs_api() -> None:
    """The project is in the address; a merge request may have no description."""
    found = read(GITLAB_API)
    assert (found.description, found.repositories, found.emails) == (
        "",
        ("https://gitlab.example.org/acme/app",),
        (),
    )


@pytest.mark.parametrize("data", [GITHUB_PULL, GITHUB_EVENT])
def test_a_pull_request_of_github(data: Any) -> None:
    """An event and an answer of the API say the same."""
    found = read(data)
    assert (found.title, found.description, found.number) == ("Rotate the certificate", "Why not", 3)
    assert (found.address, found.branch) == ("https://github.com/acme/app/pull/3", "tls")
    assert found.emails == ("bo@example.org",)
    assert "https://github.com/acme/app.git" in found.repositories


def test_markdown_is_a_description_alone() -> None:
    """What is no JSON is the description, also when it begins with a bracket or a brace."""
    assert merge_request.read(b"\xef\xbb\xbf[ ] a\r\nb", "-") == MergeRequest(None, "[ ] a\nb")
    assert merge_request.read(b"{{ a }}", "a.md").description == "{{ a }}"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "no JSON: .* line 1, column 2"),
        (b'{"a": 1}', "something else than a merge request: it has `a`"),
        (b"{}", "it has nothing"),
        (b"[1, 2]", "a list of 2"),
        (b"7", "a single value"),
        (b'{"object_kind": "push"}', "an event of GitLab about a push"),
        (b'{"object_kind": "merge_request"}', "about a merge_request"),
        (b'{"object_kind": "note", "object_attributes": {"note": "x"}}', "about a note"),
        (b'{"issue": {"pull_request": {"url": "x"}}, "comment": {}}', "it has `issue`, `comment`"),
        (b"\xff", "not UTF-8: byte 0xff at offset 0"),
        (b'{"a":' * 100_000, "cannot be read as JSON|no JSON"),
        (json.dumps({**GITLAB_API, "description": "x" * 200_001}).encode(), "200,001 characters"),
    ],
    ids=lambda value: value[:20].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_what_is_no_merge_request_is_refused(raw: bytes, words: str) -> None:
    """A reason for everything that cannot be read, and none of it is a bug."""
    with pytest.raises(UsageError, match=words):
        merge_request.read(raw, "event.json")


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(st.sampled_from([GITLAB_EVENT, GITLAB_API, GITHUB_PULL, GITHUB_EVENT]), st.data())
def test_values_of_another_kind_do_not_stop_it(data: dict[str, Any], draw: st.DataObject) -> None:
    """Whatever stands in the place of a value, it is read as absent, or the whole is refused."""
    changed = json.loads(json.dumps(data))
    place = changed
    while True:
        key = draw.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and draw.draw(st.booleans()):
            place = place[key]
            continue
        place[key] = draw.draw(_ANY)
        break
    try:
        found = read(changed)
    except UsageError:
        return
    found.description.encode()
    assert found.address == "" or found.address.startswith("http")


def test_half_a_character_is_replaced() -> None:
    """JSON can spell half a character, which no file can hold."""
    assert merge_request.read(b'{"iid":1,"source_branch":"x","title":"a\\ud800b"}', "-").title == "a\ufffdb"
