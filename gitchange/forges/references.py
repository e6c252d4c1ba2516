"""What the message of an application commit says: which change it belongs to, which merge request brought it.

Pure. What is only mentioned is told apart from what a person declared, so that `gitchange link` can say why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from gitchange.model import identifiers
from gitchange.values import Value

Place = Literal["trailer", "title", "branch", "text"]
"""Where a change is named: in a `Change:` trailer, the first line, the branch that was merged, or anywhere else."""

TRAILER = "Change"
"""The trailer of an application commit that names its change: `Change: CHG-20261122-K7Q3`."""

_ID = re.compile(
    rf"(?<![A-Za-z0-9])CHG-[0-9]{{8}}-[{identifiers.ALPHABET}]{{4,16}}(?![A-Za-z0-9])", re.IGNORECASE
)
# "Merge branch 'name' into 'master'" of git and GitLab; "Merge pull request #1 from owner/name" of GitHub.
_BRANCH = re.compile(r"Merge (?:remote-tracking )?branch '([^'\n]+)'|Merge pull request #[0-9]+ from (\S+)")
# "See merge request group/project!12" of GitLab; GitHub's merges and "title (#12)" of its squash merges.
_GITLAB = re.compile(r"^See merge request (?:(\S+?))?!([0-9]+)\s*$", re.MULTILINE)
_GITHUB_MERGE = re.compile(r"\AMerge pull request #([0-9]+) from ")
_GITHUB_SQUASH = re.compile(r"\A[^\n]*\(#([0-9]+)\)\s*(?:\n|\Z)")
_OBJECT = r"([0-9a-f]{7,64})"
_REVERTS = re.compile(rf"^This reverts commit {_OBJECT}\b", re.MULTILINE)
_PICKED = re.compile(rf"^\(cherry picked from commit {_OBJECT}\)\s*$", re.MULTILINE)


class Reference(Value):
    """A change that a message names."""

    change: str
    place: Place


class MergeRequest(Value):
    """A merge or pull request that a message names."""

    number: int
    project: str
    """The forge's path of the project, as in `group/project`; empty where the message does not say."""


def changes_in(message: str, trailers: Sequence[str] = ()) -> tuple[Reference, ...]:
    """The changes that a message names, each once, by the strongest place; `trailers` are what git found."""
    found: dict[str, Place] = {}
    for place, text in _parts(message, trailers):
        for match in _ID.findall(text):
            change = match.upper()
            if identifiers.is_id(change):
                found.setdefault(change, place)
    return tuple(Reference(change, place) for change, place in found.items())


def _parts(message: str, trailers: Sequence[str]) -> Iterator[tuple[Place, str]]:
    for trailer in trailers:
        yield "trailer", trailer
    first, _, rest = message.partition("\n")
    branch = branch_in(message)
    if branch:
        yield "branch", branch
        first = _BRANCH.sub(" ", first)
    yield "title", first
    # What a merge request was called stands behind the line that a forge writes for its merge.
    title, _, rest = rest.lstrip("\n").partition("\n") if branch else ("", "", rest)
    yield "title", title
    yield "text", rest


def branch_in(message: str) -> str:
    """The branch that a merge commit brought; empty for other commits."""
    match = _BRANCH.match(message)
    return (match[1] or match[2]) if match else ""


def merge_request_in(message: str) -> MergeRequest | None:
    """The merge request that brought this commit, as its forge says."""
    if match := _GITLAB.search(message):
        return MergeRequest(int(match[2]), match[1] or "")
    if match := _GITHUB_MERGE.search(message) or _GITHUB_SQUASH.search(message):
        return MergeRequest(int(match[1]), "")
    return None


def reverted_in(message: str) -> tuple[str, ...]:
    """The commits that this one says to revert, as they are written: perhaps shortened."""
    return tuple(_REVERTS.findall(message))


def picked_in(message: str) -> tuple[str, ...]:
    """The commits of which this one says to be a cherry-pick."""
    return tuple(_PICKED.findall(message))


_NUMBER = re.compile(r"^(.*?)/(?:-/)?(?:merge_requests|pull)/([0-9]+)(?:[/?#].*)?$")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def merge_request_at(address: str) -> tuple[str, int] | None:
    """The repository (as `repository_of` gives it) and the number of a merge request's address; None for another."""
    match = _NUMBER.match(address)
    return (repository_of(match[1]), int(match[2])) if match else None


def repository_of(address: str) -> str:
    """One spelling for every address of a repository: `host/group/project`, in small letters.

    https://host/group/project.git, ssh://git@host:22/group/project and git@host:group/project are the same.
    """
    text = address.strip()
    if match := _SCHEME.match(text):
        text = text[match.end() :]
        host, slash, path = text.partition("/")
        host = re.sub(r":[0-9]+$", "", host)
        text = f"{host}{slash}{path}"
    elif re.match(r"^[^/\s]+:(?!//)", text):  # what scp takes: [user@]host:path
        host, _, path = text.partition(":")
        text = f"{host}/{path.lstrip('/')}"
    text = text.rpartition("@")[2] if "@" in text.partition("/")[0] else text
    return text.rstrip("/").removesuffix(".git").rstrip("/").lower()
