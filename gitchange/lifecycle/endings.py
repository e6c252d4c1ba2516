"""Whether a change came to an end that tells whether it failed, when, and whether it did."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class Tried(Protocol):
        """What has to be known of a change; times are in seconds since 1970."""

        @property
        def status(self) -> str: ...
        @property
        def times(self) -> Mapping[str, int]: ...
        @property
        def failed(self) -> bool: ...
        @property
        def outcome(self) -> str | None: ...


def failed_of(change: Tried) -> bool:
    """Whether the change failed, by a sign-off or by its record."""
    return change.failed or change.outcome == "backed-out"


def ended_at(change: Tried) -> int | None:
    """When the change came to an end that tells whether it failed; None while it is under way, or was never tried."""
    if change.status == "documented":
        return change.times.get("documentation")
    return (
        change.times.get("implementation", change.times.get("request")) if change.status == "failed" else None
    )
