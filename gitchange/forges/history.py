"""A merge of the past as a request: what its message and the commits that it merged say.

Pure. Nobody wrote a request then, so much is missing; it is named, and nothing takes its place. That the merge was
made says nothing about who approved it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any

from gitchange.forges import markdown, parts
from gitchange.forges.references import MergeRequest, branch_in, merge_request_in, repository_of
from gitchange.git.application import AppCommit
from gitchange.model.finding import Finding, in_order
from gitchange.values import Value, replace

# What forges and git write beside people's words: GitLab's template, GitHub's squash, trailers.
_NUMBER = re.compile(r"\s*\(#[0-9]+\)\s*$")
_SEE = re.compile(r"^See merge request \S*![0-9]+\s*$", re.MULTILINE)
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: \S.*|(?:Closes|Fixes|Resolves|Refs) \S+.*")
_MINE = ("https://", "http://", "ssh://", "git://", "git+ssh://")


_LOG = re.compile(r"\* .*:(?:\n {2}.*)+")  # `git merge --log`: what was merged, again

_UNSAID = {
    key: f"`{key}` is missing: neither the merge nor what it merged says it"
    for key in ("title", "reason", "scope", "steps", "risks", "rollback", "test_plan")
} | {"systems": "`systems` is missing: the policy gives the address of a remote to no single system"}


class PastMerge(Value):
    """A merge as a request, as far as it is one."""

    commit: AppCommit
    fields: dict[str, Any]
    findings: tuple[Finding, ...]
    """What is missing."""
    merge_request: MergeRequest | None = None


def is_merge(commit: AppCommit) -> bool:
    """Whether a commit of the first-parent line brought a merge request: a merge, or what a forge squashed."""
    return len(commit.parents) > 1 or merge_request_in(commit.message) is not None


def request_of(
    commit: AppCommit, merged: Sequence[AppCommit], remotes: Iterable[str], given: Iterable[str] = ()
) -> PastMerge:
    """What a merge says, in these steps; `merged` are the commits that came with it, newest first:

    1. its title: the first line below the one that git or a forge wrote, or the first line itself, or that of
       the only commit that was merged;
    2. the rest of its message, by its headings as the description of a merge request;
    3. without a reason there: what the merged commits say below their first lines;
    4. without a scope there: the first lines of the merged commits;
    5. what is missing is named.
    """
    given = frozenset(given)
    request = merge_request_in(commit.message)
    own = [one for one in reversed(merged) if len(one.parents) < 2]
    # 1.
    subject, body = _split(commit.message)
    title = _NUMBER.sub("", subject)
    if branch_in(commit.message):
        first, rest = _split(body)
        if first and len(first) <= 300:
            title, body = first, rest
        elif not first and len(own) == 1:
            title = _split(own[0].message)[0]
    # 2.
    told = parts.read(body if len(body) <= markdown.LONGEST else "", title=title, given=given)
    fields = dict(told.fields)
    if not title:
        del fields["title"]
    # 3.
    if "reason" not in fields:
        reasons = [(subject, text) for subject, text in (_split(one.message) for one in own) if text]
        texts = [text if len(own) == 1 else f"{subject}\n\n{text}" for subject, text in reasons]
        if texts:
            fields["reason"] = "\n\n".join(texts)
    # 4.
    if "scope" not in fields and own:
        fields["scope"] = "\n".join(f"- {_split(one.message)[0]}" for one in own)
    # 5.
    here = {finding.key for finding in told.findings if finding.key in fields}
    # A message has no lines that anybody would look up, and few have headings.
    found = [
        replace(finding, message=_UNSAID.get(finding.key, finding.message), line=0, column=0)
        for finding in told.findings
        if finding.key not in here
    ]
    address = address_of(request, commit.message, remotes) if request is not None else ""
    imported: dict[str, Any] = {
        "commit": commit.id,
        "commits": [one.id for one in reversed(merged)],
        "merge_request": address or _name(request),
        "author": commit.author,
        "time": _time(commit),
    }
    fields["imported"] = {key: value for key, value in imported.items() if value}
    if address:
        fields["links"] = {"merge_requests": [address]}
    return PastMerge(commit, fields, in_order(found), request)


def address_of(request: MergeRequest, message: str, remotes: Iterable[str]) -> str:
    """Where a merge request is to be seen, by the address of a remote; empty where no remote is on a forge."""
    for remote in remotes:
        base = _web(remote)
        if not base or (request.project and not base.lower().endswith(f"/{request.project.lower()}")):
            continue
        # Only GitLab writes "See merge request".
        return (
            f"{base}/-/merge_requests/{request.number}"
            if _SEE.search(message)
            else f"{base}/pull/{request.number}"
        )
    return ""


def _web(remote: str) -> str:
    """The page of a repository, from any of its addresses; empty for a folder or a file."""
    if remote.startswith(("https://", "http://")):
        scheme, _, rest = remote.partition("://")
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host.rpartition('@')[2]}{slash}{path.rstrip('/').removesuffix('.git')}"
    if remote.startswith(_MINE) or re.match(r"^[^/:\s]+@?[^/:\s]*\.[^/:\s]+:(?!//)", remote):
        return f"https://{repository_of(remote)}"
    return ""


def _time(commit: AppCommit) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(commit.time, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None  # a commit may say any number


def _name(request: MergeRequest | None) -> str:
    """What its message calls a merge request."""
    if request is None:
        return ""
    return f"{request.project}!{request.number}" if request.project else f"#{request.number}"


def _split(message: str) -> tuple[str, str]:
    """The first line, and what people wrote below it: without trailers and a forge's own lines."""
    first, _, rest = message.replace("\r\n", "\n").strip().partition("\n")
    paragraphs = re.split(r"\n{2,}", _SEE.sub("", rest).strip())
    while paragraphs and all(_TRAILER.fullmatch(line) for line in paragraphs[-1].split("\n") if line.strip()):
        paragraphs.pop()
    paragraphs = [paragraph for paragraph in paragraphs if not _LOG.fullmatch(paragraph)]
    return first.strip(), "\n\n".join(paragraphs).strip("\n")
