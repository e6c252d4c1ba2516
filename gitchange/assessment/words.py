"""Figures in few characters: the same on a page and at a terminal."""

from __future__ import annotations


def span(seconds: float) -> str:
    """A length of time in few characters, as `3 h` or `2.5 d`."""
    if seconds < 60:
        return f"{short(seconds)} s" if seconds else "0"
    if seconds < 3600:
        return f"{short(round(seconds / 60))} min"
    hours = seconds / 3600
    return f"{short(round(hours, 1))} h" if hours < 48 else f"{short(round(hours / 24, 1))} d"


def percentage(value: float) -> str:
    """A share in percent."""
    return f"{short(round(value, 1))} %"


def short(value: float) -> str:
    """A number with one place at most, and none that says nothing."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
