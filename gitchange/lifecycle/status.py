"""The words for where a change stands (DESIGN.md section 2), for those who need nothing else of the verdict."""

from __future__ import annotations

STATUSES = (
    "requested",
    "info-requested",
    "approved",
    "rejected",
    "implemented",
    "failed",
    "validated",
    "documented",
    "withdrawn",
)
CLOSED = frozenset({"documented", "rejected", "withdrawn"})
"""Statuses in which nobody is waited for."""

AHEAD = frozenset({"requested", "info-requested", "approved"})
"""Statuses in which the implementation is still to come: a planned window may be met, and missed."""

REFUSED = frozenset({"rejected", "info-requested", "failed", "withdrawn"})
"""Statuses that somebody's refusal gives."""
