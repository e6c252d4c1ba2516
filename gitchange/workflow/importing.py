"""`import`: requests from merge requests, and from the merges of an application's past.

What is imported is an ordinary open request: whatever was decided elsewhere, nothing here is approved by it.
"""

from __future__ import annotations

import re
from pathlib import Path

from gitchange.errors import UsageError
from gitchange.forges import draft, history, merge_request, parts
from gitchange.forges.references import repository_of
from gitchange.git import program
from gitchange.git.application import Application
from gitchange.git.failures import writing
from gitchange.ledger.remote import PROPOSALS
from gitchange.model import identifiers
from gitchange.model.change import parse_change, write_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.values import Value, replace
from gitchange.workflow import requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from gitchange.forges.history import PastMerge
    from gitchange.forges.markdown import Heading
    from gitchange.forges.parts import Taken
    from gitchange.workflow.requests import Created
    from gitchange.workflow.workspace import Workspace

_NO_ID = "CHG-20000101-0000"
"""Stands for the id while a request is looked at; none that is given is of that day."""


class Imported(Value):
    """A request that was read, whole or not."""

    fields: dict[str, Any]
    taken: tuple[Taken, ...]
    """Which heading gave what."""
    others: tuple[tuple[str, str], ...]
    """Parts that come from elsewhere than the text, and from where."""
    left: tuple[Heading, ...]
    """Headings of which nothing was taken."""
    findings: tuple[Finding, ...]
    """What is missing or wrong (errors), and what else there is to know."""
    draft: bytes
    """What there is, and marks for what is missing."""

    @property
    def complete(self) -> bool:
        """Whether it can be a change file as it is."""
        return draft.is_complete(self.fields) and not has_errors(self.findings)


def read_merge_request(workspace: Workspace, raw: bytes, name: str, given: Mapping[str, Any]) -> Imported:
    """A request from a merge request, in these steps; `given` are fields that are known otherwise, and come first:

    1. read the JSON or the Markdown: UsageError when it is neither, or something else;
    2. systems, requester and type, where they are not given, are those of the project, of whoever opened it, and
       `normal`;
    3. the text's headings give the rest;
    4. what is missing is named, and what the policy does not know.
    """
    # 1.
    found = merge_request.read(raw, name)
    # 2.
    others: list[tuple[str, str]] = [(key, "from an option") for key in given]
    own: dict[str, Any] = {}
    known = dict(given)
    systems = systems_of(workspace, found.repositories)
    # 3.
    told = parts.read(found.description, title=found.title, given=known)
    if "systems" not in given and "systems" not in told.fields and len(systems) == 1:
        own["systems"] = list(systems)
        others.append(("systems", "by the project's address"))
    if "type" not in given and "type" not in told.fields:
        own["type"] = "normal"
        others.append(("type", "normal, as nothing says another"))
    if "requester" not in given:
        own["requester"], where = _requester(workspace, found.emails)
        others.append(("requester", where))
    if found.address:
        own["links"] = {"merge_requests": [found.address]}
        others.append(("links.merge_requests", "from the address"))
    fields = {**told.fields, **own, **given}
    if found.title and "title" not in given:
        others.append(("title", "from the title"))
    # 4.
    missing = [finding for finding in told.findings if finding.key not in own]
    if len(systems) > 1 and "systems" not in fields:
        holds = f"`systems` is missing: the project holds {', '.join(systems)}"
        missing = [replace(f, message=holds) if f.key == "systems" else f for f in missing]
    place = name if found.title is None else f"{name} (description)"
    findings = [replace(finding, path=place) for finding in missing]
    findings += _wrong(workspace, fields, {finding.key for finding in missing})
    for change in found.changes:
        message = f"the merge request names {change}"
        findings.append(
            Finding("import.names-change", message, "a request may be there already", "note", name)
        )
    source = found.address[:200] or ("a text" if name == "-" else name)
    return Imported(
        fields,
        tuple(taken for taken in told.taken if taken.part not in given),
        tuple(others),
        told.left,
        in_order(findings),
        draft.write_draft(fields, missing, _about(f"A request from {source}")),
    )


def systems_of(workspace: Workspace, repositories: Iterable[str]) -> tuple[str, ...]:
    """The systems whose code one of these repositories holds, by the policy."""
    wanted = {repository_of(address) for address in repositories}
    return tuple(
        name
        for name, system in workspace.policy.systems.items()
        if wanted & {repository_of(address) for address in system.repositories}
    )


def _requester(workspace: Workspace, emails: Iterable[str]) -> tuple[str, str]:
    """Who asks: the first of these people whom the policy knows, or the user; and why."""
    people = {person.casefold(): person for person in workspace.policy.requesters}
    for email in emails:
        if (person := people.get(email.casefold())) is not None:
            return person, "by the author's address"
    return workspace.me(), "you, as nobody else is named"


def _wrong(workspace: Workspace, fields: Mapping[str, Any], missing: Collection[str]) -> list[Finding]:
    """What a change file with these fields would be told, without what is missing: that is told already."""
    raw = write_change({"schema": 1, "id": _NO_ID, **fields})
    parsed = parse_change(raw, identifiers.path_of(_NO_ID))
    found = [*parsed.findings, *crosscheck(parsed, workspace.policy, workspace.assessor.known_ids)]
    # The places are those of a file that nobody has.
    return [
        replace(finding, path="", line=0, column=0, change="")
        for finding in found
        if finding.key not in missing or finding.code not in ("change.missing-key", "change.empty")
    ]


def _about(what: str) -> tuple[str, ...]:
    return (
        f"{what}, read by `gitchange import`. It is a draft, and approved by nobody.",
        f"What is missing is marked {draft.MARK}. Write it, then: gitchange new --from THIS_FILE",
    )


def write_new(path: Path, raw: bytes) -> bool:
    """Write a file that is not there; False, and nothing is written, when it is there with the same content.

    UsageError when it is there with another one: somebody's work is never overwritten.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(raw)
        except FileExistsError:
            if path.is_file() and path.read_bytes() == raw:
                return False
            raise UsageError(
                f"{path} is there and was left as it is", hint="name another file, or remove it"
            ) from None
    return True


# -- history ---------------------------------------------------------------------------------------


class Past(Value):
    """What came of a range of history."""

    merges: tuple[tuple[PastMerge, Imported], ...]
    """Oldest first."""
    known: int
    """Merges that a change on this branch tells to be the import of; they are left out."""


def read_history(workspace: Workspace, directory: Path, revisions: str, given: Mapping[str, Any]) -> Past:
    """The merges of a range as requests, in these steps:

    1. the first-parent line of `A..B`, or of everything up to `B`: its merges, and what forges squashed;
    2. without those that were imported before;
    3. each with what its message and its commits say, and what `given` says of all.

    Reads the application's repository, and writes nothing.
    """
    # 1.
    application = Application(directory)
    base, dots, head = revisions.partition("..")
    if head.startswith("."):
        raise UsageError(
            f"{revisions!r} is no range of one line of history", hint="write A..B, or B for all up to it"
        )
    if not dots:
        base, head = "", base
    line = application.line(application.commit(base) if base else None, application.commit(head or "HEAD"))
    remotes = application.remotes()
    systems = systems_of(workspace, remotes)
    # 2.
    before = _imported_before(workspace)
    found: list[tuple[PastMerge, Imported]] = []
    known = 0
    for commit in reversed(line.commits):
        if not history.is_merge(commit):
            continue
        if commit.id in before:
            known += 1
            continue
        # 3.
        past = history.request_of(commit, line.merged.get(commit.id, ()), remotes, given)
        own: dict[str, Any] = {"type": "normal"}
        if len(systems) == 1:
            own["systems"] = list(systems)
        own["requester"] = given.get("requester") or _requester(workspace, [commit.author])[0]
        fields = {**own, **past.fields, **given}
        missing = [finding for finding in past.findings if finding.key not in fields]
        findings = [*missing, *_wrong(workspace, fields, {finding.key for finding in missing})]
        text = draft.write_draft(fields, missing, _about(f"The merge {commit.id[:12]} of the past"))
        found.append((past, Imported(fields, (), (), (), in_order(findings), text)))
    return Past(tuple(found), known)


def _imported_before(workspace: Workspace) -> frozenset[str]:
    """The commits that change files say to be the import of: at HEAD, on the branch of record, on those that wait."""
    repository = workspace.repository
    waiting = program.run(
        repository.directory,
        *(
            "for-each-ref",
            "--format=%(objectname)",
            f"refs/heads/{PROPOSALS}**",
            f"refs/remotes/*/{PROPOSALS}**",
        ),
    )
    tips = [repository.ref("HEAD"), repository.ref(workspace.branch), *waiting.stdout.decode().split()]
    told = program.run(
        repository.directory,
        *("--no-replace-objects", "grep", "-h", "-E", r'^commit = "[0-9a-f]{40,64}"'),
        *dict.fromkeys(filter(None, tips)),
        *("--", f":(top){identifiers.ROOT}"),
        check=False,
    )
    return frozenset(re.findall(r'"([0-9a-f]{40,64})"', told.stdout.decode(errors="replace")))


def file_of(past: PastMerge) -> str:
    """The name of a merge's draft: it sorts by time, and is the same whenever the merge is imported."""
    when = past.fields["imported"].get("time")
    return f"{when.date().isoformat() if when else 'undated'}-{past.commit.id[:12]}.toml"


class Drafts(Value):
    """What was written for a past."""

    written: int
    same: int
    """Files that were there with this content."""
    kept: tuple[Path, ...]
    """Files that were there with another one, which stays: somebody is at work on them."""


def write_drafts(past: Past, folder: Path) -> Drafts:
    """Write a draft for each merge, as far as it is not there."""
    written = same = 0
    kept: list[Path] = []
    for merge, imported in past.merges:
        path = folder / file_of(merge)
        try:
            fresh = write_new(path, imported.draft)
        except UsageError:
            kept.append(path)
            continue
        written, same = written + fresh, same + (not fresh)
    return Drafts(written, same, tuple(kept))


def commit_complete(
    workspace: Workspace, past: Past, *, push: bool, proposal: str | None
) -> tuple[Created, ...]:
    """Request what is complete, one change for each merge, oldest first; the rest is left for drafts."""
    complete = [imported for _, imported in past.merges if imported.complete]
    made: list[Created] = []
    apart = proposal is not None or workspace.by_merge_request
    for number, imported in enumerate(complete, 1):
        place = workspace.fresh()
        raw = requests.from_fields(place, imported.fields)
        # A branch of record is pushed once, with everything.
        sends = push and (apart or number == len(complete))
        made.append(requests.new(place, raw, commit=True, push=sends, proposal=proposal))
    return tuple(made)
