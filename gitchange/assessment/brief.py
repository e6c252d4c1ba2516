"""A brief of a change: what lists, calendars and figures need, about a kilobyte.

The whole is the documented JSON shape (docs/json.md); both come from `gitchange.assessment.shapes`.
"""

from __future__ import annotations

from functools import lru_cache
from sys import intern

from gitchange.lifecycle.status import CLOSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

UNREADABLE = "unreadable"
"""The status of a file of which nothing can be said."""

_QUIET_FLAGS = ("not merged", "waived: ", "backed out", "imported")
"""Flags that inform; the others ask for somebody's attention while the change is open."""


@lru_cache(maxsize=1 << 14)
def _same(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same few lists stand in most briefs: each is kept once."""
    return values


def _name(text: str | None) -> str | None:
    return intern(text) if text is not None else None


class Brief:
    """What is known of a change without looking at the whole of it. Times are seconds since 1970."""

    __slots__ = (
        "digest",
        "documented_by",
        "due",
        "environments",
        "errors",
        "failed",
        "findings",
        "flags",
        "id",
        "is_open",
        "mentions",
        "next",
        "number",
        "outcome",
        "path",
        "refers",
        "requested",
        "requester",
        "risk",
        "signers",
        "states",
        "status",
        "systems",
        "times",
        "title",
        "touched",
        "type",
        "waiting_on",
        "window",
    )

    def __init__(self, number: int, summary: dict[str, Any], brief: dict[str, Any], digest: str) -> None:
        """From the summary and from what `shapes.brief_json` says."""
        self.number = number
        """By which the whole is found."""
        self.digest = digest
        """Of the whole: it differs where anything that is told of the change may."""
        self.id: str = summary["id"]
        self.path: str = summary["path"]
        self.status: str = intern(summary["status"])
        self.flags: Sequence[str] = summary["flags"]
        self.title: str | None = summary["title"]
        """None where the file cannot be read."""
        self.type = _name(summary["type"])
        self.risk = _name(summary["risk"])
        self.requester = _name(summary["requester"])
        self.systems: Sequence[str] = summary["systems"]
        self.waiting_on: Sequence[str] = summary["waiting_on"]
        self.errors: int = summary["errors"]
        self.findings: int = brief["findings"]
        self.states: Sequence[str] = _same(tuple(brief["states"]))
        """Where each of the five steps stands."""
        self.times: dict[str, int] = {intern(name): when for name, when in brief["times"].items()}
        """When each step was done, by its name; `request` is when the change came in."""
        self.touched: int = brief["touched"]
        """When something last happened to it."""
        self.window: Sequence[int] | None = brief["window"]
        """Planned start and end."""
        self.environments: Sequence[str] = _same(tuple(brief["environments"]))
        """Where it takes place; everywhere its systems run when there are none."""
        self.due: int | None = brief["due"]
        """Until when the next step is to be done."""
        self.next: Sequence[Sequence[Any]] = [
            (step, role, _same(tuple(who))) for step, role, who in brief["next"]
        ]
        """What can happen next: action, role, who."""
        self.signers: Sequence[str] = _same(tuple(brief["signers"]))
        self.outcome = _name(brief["outcome"])
        self.documented_by = _name(brief["documented_by"])
        self.failed: bool = brief["failed"]
        """Whether somebody says of it that it failed or was backed out, and that counts."""
        self.refers: Sequence[str] = _same(tuple(brief["refers"]))
        """Changes that it depends on or amends."""
        self.mentions: Sequence[str] = _same(tuple(brief["mentions"]))
        """Ids of changes that stand in its texts."""
        self.requested = self.times.get("request", 0)
        """When the change came in; 0 where no history is at hand."""
        self.is_open = self.status not in CLOSED
        """Whether somebody still has to do something about it."""

    @property
    def label(self) -> str:
        """Its title, or its path where it cannot be read."""
        return self.path if self.title is None else self.title

    @property
    def mark(self) -> str:
        """What the pages of other changes say of it, and what decides in which order and with which words."""
        return f"{self.path}\0{self.label}\0{self.status}\0{self.requested}\0{' '.join(self.systems)}"

    @property
    def needs_attention(self) -> bool:
        """Whether there are errors, or it is open and flagged."""
        return bool(self.errors) or (
            self.is_open and any(not flag.startswith(_QUIET_FLAGS) for flag in self.flags)
        )
