"""The rows of the register as data: columns of a block of changes, for scripts of the site to show.

Each file is a script that hands over one value, so that it loads from a folder as from a web server. Words that many
changes share (people, systems, statuses) stand once in a block, and numbers point at them. What a reader does with the
rows is for `site-templates/assets/register.js` and `search.js`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from gitchange.index.place import digest
from gitchange.lifecycle.status import CLOSED
from gitchange.model import identifiers
from gitchange.model.change import RISK_LEVELS
from gitchange.site import urls
from gitchange.site.blocks import blocks
from gitchange.site.catalogue import Brief
from gitchange.site.delta import Delta
from gitchange.site.markdown import plain
from gitchange.site.output import Output
from gitchange.site.site import Site

BLOCK = 2000
"""At most so many changes are in one file: the changed one of 100,000 costs a file of some 200 KB."""

MANIFEST = "register"
"""Names the file that says which blocks there are."""

_LONGEST = 300
"""So many characters of a title or a path are shown; a title has no more anyway."""


def script(name: str, value: object) -> bytes:
    """A file that hands a value over under a name.

    It is ASCII, and nothing in it can end a script or a line of one, wherever it may be pasted.
    """
    told = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    return f'gitchange.data("{name}",{told});\n'.encode()


def value_in(text: bytes) -> object:
    """What `script` was given; ValueError where that is no such file."""
    _, _, told = text.decode().removesuffix(");\n").partition(",")
    return json.loads(told)


def made_from(theme: str, briefs: Iterable[Brief]) -> str:
    """Names what a file about these changes is made from."""
    return digest("\n".join([theme, *(f"{b.path} {b.digest}" for b in briefs)]).encode("utf-8", "replace"))


def write(site: Site, output: Output, theme: str, delta: Delta | None = None) -> None:
    """Bring the register's data up to date. `theme` names what everything is made with."""
    told: list[tuple[str, int, str]] = []
    for block in blocks(site.catalogue.paths, BLOCK):
        name = f"rows/{urls.block(block.prefix)}"
        is_same = delta is not None and not delta.touches(block.prefix)
        inputs = output.inputs_of(urls.data(name)) if is_same else None
        if inputs is None:
            rows = site.catalogue.of_paths(block.start, block.stop)
            inputs = made_from(theme, rows)
            if not output.has(urls.data(name), inputs):
                output.put(urls.data(name), script(name, columns(rows)), inputs)
        told.append((name, block.stop - block.start, inputs))
    output.only(f"{urls.DATA}rows/", {urls.data(name) for name, _, _ in told})
    systems = site.policy.systems if site.policy else {}
    manifest = {
        "blocks": told,
        "zone": site.zone.key if isinstance(site.zone, ZoneInfo) else "UTC",
        "statuses": [group.name for group in site.statuses],
        "closed": sorted(CLOSED),
        "risks": RISK_LEVELS,
        "systems": [
            [g.name, g.label, g.name in systems and systems[g.name].customer_data] for g in site.systems
        ],
    }
    output.put(urls.data(MANIFEST), script(MANIFEST, manifest))


def columns(briefs: Sequence[Brief]) -> dict[str, Any]:
    """Changes by path, column by column.

    A shared column is its distinct values and, for each change, the place of its value among them. `asked` is in
    minutes since the change before, which makes small numbers.
    """
    asked = [brief.requested // 60 for brief in briefs]
    return {
        "id": [_short(b.id) for b in briefs],
        "title": [None if b.title is None else _short(b.title) for b in briefs],
        "status": _shared(briefs, lambda b: b.status),
        "type": _shared(briefs, lambda b: b.type),
        "risk": _shared(briefs, lambda b: b.risk),
        "requester": _shared(briefs, lambda b: b.requester),
        "systems": _shared(briefs, lambda b: b.systems),
        "flags": _shared(briefs, lambda b: b.flags),
        "states": _shared(briefs, lambda b: b.states),
        "waiting": _shared(briefs, lambda b: b.waiting_on),
        "signers": _shared(briefs, lambda b: sorted({*b.signers, *filter(None, [b.documented_by])})),
        "asked": [now - before for now, before in zip(asked, [0, *asked], strict=False)],
        "due": [[place, b.due] for place, b in enumerate(briefs) if b.due is not None],
        "attention": [place for place, b in enumerate(briefs) if b.needs_attention],
        "pages": [
            [place, urls.change_file(b.path)]
            for place, b in enumerate(briefs)
            if identifiers.id_of(b.path) is None
        ],
    }


def _short(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _shared(briefs: Iterable[Brief], value: Callable[[Brief], Any]) -> tuple[list[Any], list[int]]:
    """The distinct values in the order of their appearance, and the place of each change's."""
    places: dict[Any, int] = {}
    found = []
    for brief in briefs:
        own = value(brief)
        key = tuple(own) if isinstance(own, list) else own
        found.append(places.setdefault(key, len(places)))
    return list(places), found
