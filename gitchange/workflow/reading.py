"""`list`, `show`, `search` and `verify`: what the evidence amounts to. Nothing is written but the index."""

from __future__ import annotations

from contextlib import suppress

from gitchange.assessment.shapes import people_of, show_json, summary_json
from gitchange.assessment.verification import verify_repository
from gitchange.errors import GitchangeError
from gitchange.index import refresh, rows
from gitchange.index.rows import Listing
from gitchange.model import identifiers

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from gitchange.assessment.verification import Verification
    from gitchange.index.rows import Wanted
    from gitchange.workflow.workspace import Workspace

    Answer = TypeVar("Answer")


def list_changes(workspace: Workspace, wanted: Wanted, limit: int | None = None) -> Listing:
    """The changes that a filter accepts, newest first."""
    found = _asked(workspace, lambda index: rows.listing(index, wanted, limit))
    if found is not None:
        return found
    all_of_them = [(summary_json(a), frozenset(people_of(a))) for a in workspace.anew.all()]
    fitting = [summary for summary, people in all_of_them if wanted.accepts(summary, people)]
    return Listing(tuple(fitting[:limit]), len(fitting))


def search(workspace: Workspace, words: str, limit: int | None = None) -> Listing:
    """The changes that have all these words, the best first; full text needs the index."""
    found = _asked(workspace, lambda index: rows.search(index, words, limit))
    if found is None:
        raise GitchangeError(
            "full text needs an index, and none can be written here",
            hint=f"{workspace.repository.common_dir}/gitchange must be writable, with room on its disk",
        )
    return found


def show(workspace: Workspace, change_id: str, branch: str | None = None) -> dict[str, Any]:
    """One change, whole; as its text stands on that branch, when one is named."""
    whole = identifiers.typed(change_id)
    if branch is None and identifiers.is_id(whole):
        found = _asked(workspace, lambda index: rows.shown(index, whole))
        if found is not None:
            return found
    return show_json(workspace.assessor.one(change_id, branch))


def _asked(workspace: Workspace, question: Callable[[sqlite3.Connection], Answer]) -> Answer | None:
    """What the index says; None where there can be none, and of an earlier time."""
    if workspace.at is not None:
        return None
    where = workspace.repository, workspace.now, workspace.introduction
    return refresh.ask(*where, question, workspace.tell)


def keep_index(workspace: Workspace) -> None:
    """Bring the index up to date after a write, where there is one and that is quickly done."""
    with suppress(
        Exception
    ):  # whatever is wrong with it: the command has done its work, and a reader makes it anew
        refresh.keep_up(workspace.repository, workspace.now, workspace.introduction, lambda _: None)


def verify(workspace: Workspace, changes: Iterable[str] = (), *, remember: bool = True) -> Verification:
    """Check everything, or a few changes.

    With `remember`, what was verified here before is not verified again, and what is verified is remembered.
    """
    wanted = tuple(changes)
    if remember and not wanted and workspace.at is None:
        where = workspace.repository, workspace.now, workspace.introduction
        found = refresh.verify(*where, workspace.tell)
        if found is not None:
            return found
    return verify_repository(workspace.anew, wanted)
