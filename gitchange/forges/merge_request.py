"""A merge request as its forge tells it: an event of a webhook, JSON of the API, or the Markdown of its description.

Pure, and no network: GitLab's and GitHub's shapes become one. What the description says of a change is left to
`gitchange.forges.parts`.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gitchange.errors import UsageError
from gitchange.forges import markdown
from gitchange.forges.references import changes_in, merge_request_at
from gitchange.values import Value

MOST_BYTES = 32 << 20
"""GitHub's events have at most 25 MB."""


class MergeRequest(Value):
    """What a forge says of a merge or pull request."""

    title: str | None
    """None where there is only a description."""
    description: str
    """Markdown, with LF."""
    address: str = ""
    """Where it is to be seen."""
    number: int | None = None
    branch: str = ""
    """The branch that it asks to merge."""
    emails: tuple[str, ...] = ()
    """Addresses of whoever opened it, the most reliable first; forges hide most of them."""
    repositories: tuple[str, ...] = ()
    """Addresses of the project into which it is merged."""
    changes: tuple[str, ...] = ()
    """Ids of changes that its title or branch names."""


def read(raw: bytes, name: str = "") -> MergeRequest:
    """A merge request from JSON or Markdown; `name` is the file's, and decides where the text does not.

    UsageError for what is neither, for JSON of something else, and for a description that is longer than a change file
    may be.
    """
    if len(raw) > MOST_BYTES:
        raise UsageError(f"{_of(name)} has {len(raw):,} bytes; {MOST_BYTES:,} are read")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{_of(name)} is not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}",
            hint="save it as UTF-8",
        ) from None
    found = _of_json(text, name) if _is_json(text, name) else MergeRequest(None, _clean(text))
    if len(found.description) > markdown.LONGEST:
        raise UsageError(
            f"the description has {len(found.description):,} characters; {markdown.LONGEST:,} are read",
            hint="move long material into a document of its own, and link it",
        )
    return found


def _is_json(text: str, name: str) -> bool:
    if name.lower().endswith(".json"):
        return True
    # Markdown may begin with a bracket, too: a link or a box to tick.
    return text.lstrip().startswith("{") and not name.lower().endswith((".md", ".markdown"))


def _of_json(text: str, name: str) -> MergeRequest:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{_of(name)} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint="a webhook's event or the API's answer, or Markdown in a file *.md",
        ) from None
    except (RecursionError, ValueError) as error:
        raise UsageError(f"{_of(name)} cannot be read as JSON: {error}") from None
    if isinstance(data, list):
        raise UsageError(f"{_of(name)} is a list of {len(data)}", hint="give one merge request at a time")
    if not isinstance(data, dict):
        raise UsageError(f"{_of(name)} is JSON of a single value, and no merge request")
    if isinstance(data.get("object_attributes"), dict) or "object_kind" in data:
        return _gitlab_event(data, name)
    if (
        isinstance(data.get("pull_request"), dict)
        and "url" in data["pull_request"]
        and "title" in data["pull_request"]
    ):
        return _github(data["pull_request"], data)
    if "iid" in data and "source_branch" in data and "title" in data:
        return _gitlab(data, data)
    if "number" in data and isinstance(data.get("head"), dict) and "title" in data:
        return _github(data, {})
    told = ", ".join(f"`{_word(key)}`" for key in list(data)[:6]) or "nothing"
    raise UsageError(
        f"{_of(name)} is JSON of something else than a merge request: it has {told}",
        hint="GitLab: an event with `object_kind` merge_request, or GET /projects/ID/merge_requests/IID; "
        "GitHub: an event with `pull_request`, or GET /repos/OWNER/NAME/pulls/NUMBER",
    )


def _gitlab_event(data: dict[str, Any], name: str) -> MergeRequest:
    kind = data.get("object_kind")
    if kind != "merge_request" or not isinstance(data.get("object_attributes"), dict):
        raise UsageError(
            f"{_of(name)} is an event of GitLab about a {_word(kind)}, and not about a merge request",
            hint="the webhook must be triggered by merge request events",
        )
    return _gitlab(data["object_attributes"], data)


def _gitlab(found: dict[str, Any], event: dict[str, Any]) -> MergeRequest:
    address = _text(found, "web_url") or _text(found, "url")
    user, author = _table(event, "user"), _table(found, "author")
    # The event's user is whoever did something; only an author is who asks.
    by_author = user.get("id") is None or found.get("author_id") in (None, user.get("id"))
    emails = [_text(author, "email"), _text(user, "email") if by_author else ""]
    emails.append(_text(_table(_table(found, "last_commit"), "author"), "email"))
    project = {**_table(found, "target"), **_table(event, "project")}
    addresses = [
        _text(project, key) for key in ("web_url", "git_http_url", "git_ssh_url", "http_url", "ssh_url")
    ]
    return _made(
        found, "description", address, found.get("iid"), _text(found, "source_branch"), emails, addresses
    )


def _github(found: dict[str, Any], event: dict[str, Any]) -> MergeRequest:
    address = _text(found, "html_url")
    repository = {**_table(_table(found, "base"), "repo"), **_table(event, "repository")}
    addresses = [_text(repository, key) for key in ("html_url", "clone_url", "ssh_url")]
    branch = _text(_table(found, "head"), "ref")
    emails = [_text(_table(found, "user"), "email")]
    return _made(found, "body", address, found.get("number"), branch, emails, addresses)


def _made(
    found: dict[str, Any],
    body: str,
    address: str,
    number: object,
    branch: str,
    emails: list[str],
    addresses: list[str],
) -> MergeRequest:
    at = merge_request_at(address)
    if at is not None:
        addresses.append(re.split(r"/(?:-/)?(?:merge_requests|pull)/", address)[0])
    title = _text(found, "title")
    named = changes_in(f"{title}\n\n{branch}")
    return MergeRequest(
        title=" ".join(title.split()) or None,
        description=_text(found, body),
        address=address if address.startswith(("https://", "http://")) else "",
        number=number if isinstance(number, int) and not isinstance(number, bool) else None,
        branch=branch,
        emails=tuple(dict.fromkeys(email for email in emails if "@" in email)),
        repositories=tuple(dict.fromkeys(filter(None, addresses))),
        changes=tuple(reference.change for reference in named),
    )


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _text(data: dict[str, Any], key: str) -> str:
    found = data.get(key)
    return _clean(found) if isinstance(found, str) else ""


def _clean(text: str) -> str:
    """With LF as forges and editors mean it, and without halves of characters, which JSON can spell."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\r\n", "\n").replace("\r", "\n")


def _word(value: object) -> str:
    return str(value)[:40]


def _of(name: str) -> str:
    return name if name and name != "-" else "what was given"
