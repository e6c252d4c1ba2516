"""Findings: what is wrong (or worth knowing), where, and how to mend it.

One shape serves the check of a file, the verification of evidence and the verdict on a change, so
that terminal, JSON and site show problems alike.
"""

from __future__ import annotations

from typing import Any, Literal

from gitchange.values import Value, replace

Severity = Literal["error", "warning", "note"]

_RANK: dict[Severity, int] = {"error": 0, "warning": 1, "note": 2}


class Finding(Value):
    """One thing that was found. `error` findings make a check or a verification fail."""

    code: str
    """Stable kebab-case name with a dotted prefix, e.g. `change.unknown-key`."""
    message: str
    """One English sentence that says what is wrong."""
    hint: str = ""
    """How to mend it; empty when there is nothing to do."""
    severity: Severity = "error"
    path: str = ""
    """The file in the repository, with `/`; empty when no file is meant."""
    line: int = 0
    """1-based line in that file; 0 when unknown."""
    column: int = 0
    """1-based column, counted in characters; 0 when unknown."""
    key: str = ""
    """Dotted key inside the file, e.g. `risks[0].mitigations`."""
    change: str = ""
    """The change the finding is about; empty when it is about the repository."""

    @property
    def where(self) -> str:
        """`path:line:column`, as editors and terminals understand it."""
        parts = [self.path] if self.path else []
        if self.line:
            parts += [str(self.line), str(self.column or 1)]
        return ":".join(parts)

    def about(self, change: str) -> Finding:
        """The same finding, named as one about this change."""
        return self if self.change else replace(self, change=change)

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape; keys with nothing to say are left out."""
        shape: dict[str, Any] = {"code": self.code, "severity": self.severity, "message": self.message}
        for name in ("hint", "path", "line", "column", "key", "change"):
            if value := getattr(self, name):
                shape[name] = value
        return shape


def in_order(findings: list[Finding] | tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Without repetitions; by file and position, the severe ones first where they stand together."""
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=_place))


def _place(finding: Finding) -> tuple[str | int, ...]:
    """Where it stands among others: every two have an order, whoever found them first."""
    f = finding
    return (f.path, f.line, f.column, _RANK[f.severity], f.code, f.change, f.message, f.hint)


def has_errors(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """Whether any of them makes a check fail."""
    return any(f.severity == "error" for f in findings)
