"""`new`: change files before anybody signs them."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from gitchange.errors import Refused, UsageError
from gitchange.git.repository import FILE
from gitchange.git.work_tree import move_branch, settle, write_file
from gitchange.ledger import notes
from gitchange.ledger.remote import PROPOSALS
from gitchange.lifecycle.rehearse import foresee
from gitchange.model import identifiers
from gitchange.model.change import parse_change, write_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.finding import Finding, has_errors, in_order
from gitchange.values import Value, replace
from gitchange.workflow.landing import Landed, land
from gitchange.workflow.proposing import propose
from gitchange.workflow.witnessing import trailers
from gitchange.workflow.workspace import retrying

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping
    from typing import Any

    from gitchange.ledger.remote import Report
    from gitchange.model.policy import Policy
    from gitchange.workflow.proposing import Proposed
    from gitchange.workflow.workspace import Workspace


class Created(Value):
    """A new change file."""

    change: str
    path: str
    target: Path | None
    """Where it lies in the work tree; None in a bare repository."""
    commit: str | None
    """The commit that holds it, when it was to be committed."""
    report: Report | None = None
    foreseen: tuple[Finding, ...] = ()
    """What will stand in its way: a freeze, the bounds of its model, too few people."""
    proposed: Proposed | None = None
    """The branch that waits to be merged, when it was committed on one of its own."""


class InvalidChange(Refused):
    """The change file that was to be written has errors; `findings` names them all."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("the change file would have errors, so nothing was written")
        self.findings = findings


def fresh_id(workspace: Workspace) -> str:
    """An id that nobody uses here."""
    known = workspace.assessor.known_ids
    work_dir = workspace.repository.work_dir
    while True:
        candidate = identifiers.new_id(workspace.now.astimezone(dt.UTC).date(), os.urandom(3))
        taken = work_dir is not None and (work_dir / identifiers.path_of(candidate)).exists()
        if candidate not in known and not taken:
            return candidate


def from_text(workspace: Workspace, raw: bytes, name: str) -> bytes:
    """A change file from one without id: `schema`, `id` and `requester` are put in front when missing.

    The text itself stays as it is, comments included.
    """
    data = _loaded(raw)
    if data is None:
        # Its problems are told with the lines that its writer knows.
        parsed = parse_change(raw, identifiers.path_of("CHG-20000101-0000"))
        problems = [f for f in parsed.findings if f.code.startswith("toml.")]
        raise InvalidChange(as_given(problems, name, 0))
    return in_front(data, lambda: fresh_id(workspace), workspace.me) + raw


def in_front(data: Mapping[str, Any], change: Callable[[], str], requester: Callable[[], str]) -> bytes:
    """The lines that a change file lacks in front of its text: `schema`, `id` and `requester`."""
    front: dict[str, Any] = {}
    if "schema" not in data:
        front["schema"] = 1
    if "id" not in data:
        front["id"] = change()
    if "requester" not in data:
        front["requester"] = requester()
    return "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in front.items()).encode()


def problems_of_draft(
    raw: bytes, name: str, policy: Policy | None, known: Container[str]
) -> tuple[Finding, ...]:
    """What `from_text` and `new` would say of a text, whoever the user is; with the lines that its writer knows."""
    data = _loaded(raw)
    stand_in = "CHG-20000101-0000"
    person = min(policy.requesters, default="") if policy is not None else "nobody@example.org"
    front = in_front(data, lambda: stand_in, lambda: person) if data is not None else b""
    given = (data or {}).get("id", stand_in)
    path = identifiers.path_of(given if isinstance(given, str) and identifiers.is_id(given) else stand_in)
    parsed = parse_change(front + raw, path)
    if data is None:
        return as_given((f for f in parsed.findings if f.code.startswith("toml.")), name, 0)
    found = [*parsed.findings, *(crosscheck(parsed, policy, known) if policy is not None else ())]
    return as_given(in_order(found), name, front.count(b"\n"))


def as_given(findings: Iterable[Finding], name: str, added: int) -> tuple[Finding, ...]:
    """Findings with the file name and the lines that the writer of `--from FILE` knows.

    `added` lines were put in front of the text.
    """
    return tuple(replace(f, path=name, line=max(f.line - added, 0), change="") for f in findings)


def from_fields(workspace: Workspace, fields: Mapping[str, Any]) -> bytes:
    """A change file from its fields; id and schema are added."""
    return write_change({"schema": 1, "id": fresh_id(workspace), **fields})


def new(
    workspace: Workspace, raw: bytes, *, commit: bool, push: bool = True, proposal: str | None = None
) -> Created:
    """Write a change file, in these steps:

    1. it must be valid against its schema and the policy: InvalidChange names everything that is not;
       what will stand in its way later is told, and hinders nothing;
    2. an id that is used already is refused;
    3. write it to the work tree and, when asked, commit it on the branch that HEAD names; or, with `proposal`, on
       the branch of that name ("" for change/ID) for a merge request: then HEAD and the work tree stay as they are;
    4. push it when that is the branch of record.
    """
    settle(workspace.repository)
    # 1. Valid.
    given = (_loaded(raw) or {}).get("id")
    path = identifiers.path_of(given) if isinstance(given, str) and identifiers.is_id(given) else ""
    parsed = parse_change(raw, path or identifiers.path_of("CHG-20000101-0000"))
    known = workspace.assessor.known_ids
    found = [*parsed.findings, *crosscheck(parsed, workspace.policy, known)]
    if parsed.change is not None and parsed.change.record is not None:
        found.append(
            Finding("change.has-record", "a new change cannot carry a record", "remove [record]", path=path)
        )
    if has_errors(found) or parsed.change is None:
        raise InvalidChange(in_order(found))
    change = parsed.change
    foreseen = foresee(change, workspace.policy, workspace.now)
    # 2. Unused.
    repository = workspace.repository
    target = repository.work_dir / change.path if repository.work_dir else None
    used = Refused(f"the id {change.id} is used already", hint="leave `id` out and `gitchange new` makes one")
    if change.id in known or (target is not None and target.exists()):
        raise used
    # 3. Written.
    message = f"Request {change.id}: {change.title}\n\n"
    if proposal is not None or (commit and workspace.by_merge_request):
        report = workspace.exchange(with_branch=False, sending=False) if push else None
        entries = {change.path: (repository.write_blob(raw), FILE)}
        name = proposal or f"{PROPOSALS}{change.id}"
        proposed = propose(workspace.fresh(), name, entries, message + trailers(change.id, None), push=push)
        return Created(change.id, change.path, None, proposed.commit, report, foreseen, proposed)
    if target is None and not commit:
        raise UsageError("a bare repository has no work tree to write into", hint="add --commit")
    if not commit:
        assert target is not None  # noqa: S101 - just checked
        write_file(repository, change.path, raw)
        return Created(change.id, change.path, target, None, foreseen=foreseen)
    report = workspace.exchange(with_branch=False, sending=False) if push else None
    branch = repository.head_ref()
    if branch is None:
        raise UsageError("HEAD is detached, so there is no branch to commit to", hint="`git switch BRANCH`")

    def record(_: Workspace) -> Landed:
        old = repository.ref(branch)
        if old is None:
            raise UsageError("the branch has no commit yet", hint="`gitchange init` makes the first one")
        if repository.entry(repository.tree_of(old), change.path) is not None:
            raise used  # by somebody who was faster
        tree = repository.edit_tree(
            repository.tree_of(old), {change.path: (repository.write_blob(raw), FILE)}
        )
        witnessed = repository.ref(notes.REF) if branch == workspace.branch else None
        text = message + trailers(change.id, witnessed)
        made = repository.write_commit(tree, (old,), text, *workspace.who())
        kept = move_branch(repository, branch, old, made, f"gitchange new {change.id}")
        return Landed(old, made, kept)

    # 4. Pushed.
    if push and branch == workspace.branch:
        made, report = land(workspace, record, push=push, command="new")
    else:
        made = retrying(lambda: record(workspace))
    return Created(change.id, change.path, target, made.commit, report, foreseen)


def _loaded(raw: bytes) -> dict[str, Any] | None:
    """What a text says; None when it is no TOML."""
    import tomllib  # noqa: PLC0415 - not for who only checks

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        return None
