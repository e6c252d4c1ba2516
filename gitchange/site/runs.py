"""How scheduled rebuilds went: the report of one, and the two files in the site's folder that tell of the last ones.

They are about runs, not about commits: no build writes or removes them, and they are no part of what is the same to the
byte on any day. Whoever reads the site sees there since when it has not been renewed, and why.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jinja2

from gitchange.git.failures import writing
from gitchange.site import urls
from gitchange.site.root import TEMPLATES
from gitchange.site.templating import quicken

SCHEMA = 1
"""Version of the shapes (docs/json.md)."""

_SECRET = re.compile(r"(?<=://)[^/\s@]+@")
"""Name and password in an address: what a remote says is shown to everybody who reads the site."""


@dataclass(slots=True)
class Run:
    """One rebuild, from its start to its end."""

    started: dt.datetime
    finished: dt.datetime | None = None
    outcome: Literal["published", "unchanged", "failed", "busy"] = "failed"
    """`unchanged`: the site shows everything already; `busy`: another one is at work, and this one left."""
    exit_code: int = 3
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage took, in their order: `fetch`, `verify`, `build`; those that were not reached are missing."""
    received: int = 0
    """Notes commits that were new here."""
    main: str | None = None
    """The commit that the site shows now; None where that is not known."""
    notes: str | None = None
    verdict: str | None = None
    """What `verify` says of what the site shows."""
    changes: int | None = None
    pages: int | None = None
    """Generated pages."""
    written: int = 0
    removed: int = 0
    """Files of the site's folder."""
    warnings: tuple[str, ...] = ()
    """What MkDocs warned of."""
    stage: str | None = None
    """Where it failed."""
    error: str | None = None
    hint: str | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the site shows what the repository holds."""
        return self.outcome in ("published", "unchanged")

    def fail(self, error: str, hint: str) -> None:
        """It came to nothing; the old site stays."""
        self.outcome, self.exit_code = "failed", 3
        self.error, self.hint = _SECRET.sub("", error), _SECRET.sub("", hint) or None

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "schema": SCHEMA,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "started": self.started.isoformat(),
            "finished": self.finished.isoformat() if self.finished else None,
            "seconds": {stage: round(seconds, 3) for stage, seconds in self.seconds.items()},
            "received": self.received,
            "main": self.main,
            "notes": self.notes,
            "verdict": self.verdict,
            "changes": self.changes,
            "pages": self.pages,
            "written": self.written,
            "removed": self.removed,
            "warnings": list(self.warnings),
            "stage": self.stage,
            "error": self.error,
            "hint": self.hint,
        }


def told(output: Path) -> dict[str, Any]:
    """What the site's folder tells of the last rebuilds; nothing where there was none, or nobody can tell."""
    try:
        data = json.loads((output / urls.RUN_DATA).read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) and data.get("schema") == SCHEMA else {}


def tell(output: Path, run: Run) -> None:
    """Tell of this rebuild in the site's folder, which is made where a first one failed."""
    before = told(output)
    this = run.as_json()
    data = {
        "schema": SCHEMA,
        "failing_since": None if run.succeeded else before.get("failing_since") or this["started"],
        "last_attempt": this,
        "last_success": this if run.succeeded else before.get("last_success"),
    }
    is_there = (output / urls.HOME).is_file()
    with writing(output):
        output.mkdir(parents=True, exist_ok=True)
        _replace(output / urls.RUN_PAGE, page(data, is_there=is_there).encode("utf-8", "replace"))
        _replace(output / urls.RUN_DATA, encoded(data))


def write_report(path: Path, run: Run) -> None:
    """The report of one rebuild, in a file of its own."""
    with writing(path.parent):
        _replace(path, encoded(run.as_json()))


def encoded(data: dict[str, Any]) -> bytes:
    """JSON for people and programs."""
    return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def page(data: dict[str, Any], *, is_there: bool) -> str:
    """The page for readers: complete in itself, because there may be no site around it yet."""
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True)
    quicken(env)
    env.filters.update(moment=_moment, csp=_csp)
    return env.get_template("pages/rebuild.html").render(**data, is_there=is_there, urls=urls)


def _replace(path: Path, data: bytes) -> None:
    """Readers see the old file or the new one, never half of one."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(data)
    os.replace(beside, path)


def _moment(time: str) -> str:
    return f"{dt.datetime.fromisoformat(time).astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def _csp(text: str) -> str:
    """The name by which the page's own security policy allows this style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
