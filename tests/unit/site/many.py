"""Any number of changes made by hand: briefs and wholes as a catalogue has them, without judging anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from gitchange.model import identifiers
from gitchange.site.catalogue import Brief, Catalogue

BEGIN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
STATUSES = ("documented", "approved", "requested", "failed")
RISKS = ("low", "medium", "high", "critical")
SYSTEMS = (["api"], ["database"], ["api", "website"])
PEOPLE = ("ada@example.org", "bo@example.org", "cy@example.org")


def shape_of(number: int, **changed: Any) -> dict[str, Any]:
    """As much of a change's documented shape as lists and full text look at."""
    when = BEGIN + dt.timedelta(hours=4 * number)
    given = {
        "id": identifiers.new_id(when.date(), (number * 2654435761 % 2**24).to_bytes(3, "big")),
        "status": STATUSES[number % 4],
        "flags": [],
        "title": f"Change number {number} of the gateway",
        "type": "normal",
        "risk": RISKS[number % 3],
        "requester": PEOPLE[number % 3],
        "systems": SYSTEMS[number % 3],
        "waiting_on": [PEOPLE[(number + 1) % 3]] if number % 4 else [],
        "errors": 0,
        "sign_offs": [],
        "history": [],
        "document": {"reason": f"Because of ticket{number}, and the café is full."},
    }
    given |= changed
    return {"path": identifiers.path_of(str(given["id"])), **given}


def beside_of(number: int, **changed: Any) -> dict[str, Any]:
    """What the brief of such a change has beside its summary."""
    asked = int((BEGIN + dt.timedelta(hours=4 * number)).timestamp())
    beside: dict[str, Any] = {
        "findings": 0,
        "states": ["done", "waiting", "later", "later", "later"],
        "times": {"request": asked},
        "touched": asked + 3600,
        "window": None,
        "due": None,
        "next": [],
        "signers": [PEOPLE[(number + 2) % 3]],
        "outcome": None,
        "documented_by": None,
        "failed": False,
        "refers": [],
        "mentions": [],
        "environments": [],
    }
    return {**beside, **changed}


def brief_of(number: int, shape: dict[str, Any], **changed: Any) -> Brief:
    """The brief of such a change."""
    return Brief(number, shape, beside_of(number, **changed), digest_of(number, shape))


def digest_of(number: int, shape: dict[str, Any]) -> str:
    """Names what is said of it."""
    return f"digest {number} {shape['title']}"


def many(
    count: int,
    changed: dict[int, dict[str, Any]] | None = None,
    whole: Callable[[int, dict[str, Any]], dict[str, Any]] = lambda _, shape: shape,
) -> Catalogue:
    """So many changes, the newest first; some may differ. `whole` is told which of them is looked at."""
    shapes = [shape_of(number, **(changed or {}).get(number, {})) for number in range(count)]
    return Catalogue.of_shapes(
        (
            (BEGIN.timestamp() + 14400 * number, shape, beside_of(number), digest_of(number, shape))
            for number, shape in enumerate(shapes)
        ),
        lambda brief: whole(brief.number, shapes[brief.number]),
    )
