"""What happened to a change: the commits that touched its file, and the sign-offs, from its documented JSON shape.

Times are what commits and signers claim; when something was first witnessed is said beside each sign-off in the shape.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from gitchange.values import Value

_DID = {
    "approve": "approved",
    "reject": "rejected",
    "request-info": "asked for more information",
    "implement": "implemented",
    "back-out": "backed out",
    "validate": "validated",
    "fail": "reported a failure",
    "override-freeze": "lifted a freeze for",
    "withdraw": "withdrew",
}


class Event(Value):
    """Something that happened to a change: a commit that touched its file, or a sign-off."""

    when: dt.datetime
    kind: Literal["commit", "sign-off"]
    who: str
    principal: str
    """The person as the policy names one; empty for a commit, whose author is a claim."""
    did: str
    """What was done, in the past tense."""
    name: str
    """The commit's id or the sign-off's digest."""
    detail: str
    """A commit's subject line; empty for a sign-off."""
    stale: bool
    """Whether it is a sign-off on an earlier text."""
    verdict: str = ""
    """What was signed; empty for a commit."""


def events_of(shape: dict[str, Any]) -> tuple[Event, ...]:
    """Commits and sign-offs of one change, newest first; of one moment, the commit is the older."""
    events = [
        Event(
            dt.datetime.fromisoformat(v["time"]),
            "commit",
            v["author_name"] or v["author"],
            "",
            v["kind"],
            v["commit"],
            v["subject"],
            False,
        )
        for v in shape["history"]
    ]
    events += [
        Event(
            dt.datetime.fromisoformat(s["time"]),
            "sign-off",
            s["by"],
            s["by"],
            _DID[s["verdict"]],
            s["digest"],
            "",
            not s["current"],
            s["verdict"],
        )
        for s in shape["sign_offs"]
    ]
    events.sort(key=lambda e: (e.when, e.kind == "sign-off", e.name), reverse=True)
    return tuple(events)
