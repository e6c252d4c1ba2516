"""The clock."""

from __future__ import annotations

import datetime as dt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def now(environment: Mapping[str, str]) -> dt.datetime | None:
    """This moment, in UTC; GITCHANGE_NOW stands in for it in demonstrations: None when that has no offset."""
    given = environment.get("GITCHANGE_NOW")
    if not given:
        return dt.datetime.now(dt.UTC)
    try:
        moment = dt.datetime.fromisoformat(given)
    except ValueError:
        return None
    return moment.astimezone(dt.UTC) if moment.tzinfo is not None else None
