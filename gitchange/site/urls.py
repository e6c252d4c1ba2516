"""The name of every generated file of a site, relative to its root, with `/`.

The one place that knows them. All are flat `.html` files, so that a site works from a folder. Names
are made of characters that need no escaping in an address, differ even where a file system
ignores case, and cannot collide with each other.
"""

from __future__ import annotations

import hashlib
import re

from gitchange.model import identifiers

HOME = "index.html"
CHANGES = "changes.html"
STATUSES = "status.html"
SYSTEMS = "systems.html"
PEOPLE = "people.html"
MONTHS = "months.html"
POLICY = "policy.html"
FINDINGS = "findings.html"
SITEMAP = "sitemap.xml"
MANIFEST = "gitchange-site.json"
"""Says that a folder holds a generated site, and from which commits."""

_REGULAR = re.compile(r"[a-z0-9][a-z0-9._-]*(@[a-z0-9._-]+)?")
_STRANGE = re.compile(r"[^a-z0-9@._-]+")


def _file_name(name: str) -> str:
    """The name itself where it is plain; otherwise what is plain in it, and a digest (`~` keeps them apart)."""
    if len(name) <= 100 and _REGULAR.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    plain = _STRANGE.sub("-", name.lower()).strip("-.")[:60]
    return f"{plain}~{digest}" if plain else f"~{digest}"


def change(change_id: str) -> str:
    """The page of the change with that id."""
    return f"changes/{change_id}.html"


def change_file(path: str) -> str:
    """The page of the change file at that path, be it a change or a stray file."""
    change_id = identifiers.id_of(path)
    return f"changes/{change_id or _file_name(path)}.html"


def status(name: str) -> str:
    """The page of all changes in that status."""
    return f"status/{_file_name(name)}.html"


def system(name: str) -> str:
    """The page of that system."""
    return f"systems/{_file_name(name)}.html"


def person(principal: str) -> str:
    """The page of that person."""
    return f"people/{_file_name(principal)}.html"


def month(name: str) -> str:
    """The page of that month, given as `2026-11`."""
    return f"months/{name}.html"


def prefix(page: str) -> str:
    """What leads from that page to the root of the site: nothing, or `../`."""
    return "../" * page.count("/")
