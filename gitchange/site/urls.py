"""The name of every generated file of a site, relative to its root, with `/`.

The one place that knows them. All are flat `.html` files, so that a site works from a folder. Names
are made of characters that need no escaping in an address, differ even where a file system
ignores case, and cannot collide with each other.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlencode

from gitchange.model import identifiers

HOME = "index.html"
CHANGES = "changes.html"
STATUSES = "status.html"
SYSTEMS = "systems.html"
PEOPLE = "people.html"
MONTHS = "months.html"
POLICY = "policy.html"
CALENDAR = "calendar.html"
STATISTICS = "statistics.html"
AUDIT = "audit.html"
COVERAGE = "coverage.html"
SEARCH = "search.html"
NOT_FOUND = "404.html"
ICS = "calendar.ics"
FEED = "feed.xml"
DATA = "changes-data/"
"""The folder of what the register and the search read; nothing else is in it."""
SITEMAP = "sitemap.xml"
SITEMAPS = "sitemap-"
"""With what the names of its parts begin, where it has some."""
MANIFEST = "gitchange-site.json"
"""Says that a folder holds a generated site, and from which commits."""
PAGES = "gitchange-pages.txt"
"""From what each page was made: by it the next build sees which pages it need not make."""
RUN_PAGE = "rebuild.html"
"""How scheduled rebuilds went; of no one site, so it is no part of what is built."""
RUN_DATA = "rebuild.json"
"""The same for programs."""
RUNS = (RUN_PAGE, RUN_DATA)
"""Files in a site's folder that a build leaves as they are."""

_REGULAR = re.compile(r"[a-z0-9][a-z0-9._-]*(@[a-z0-9._-]+)?")
_DATED = re.compile(rf"{identifiers.ROOT}/[0-9]+(/[0-9]+(/CHG-[0-9]*(-[0-9A-Z]*)?)?)?")
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


def register(**filters: str) -> str:
    """The register of all changes, with filters as its address keeps them; without JavaScript it shows the newest."""
    return f"{CHANGES}?{urlencode(filters)}"


def system(name: str) -> str:
    """The page of that system."""
    return f"systems/{_file_name(name)}.html"


def person(principal: str) -> str:
    """The page of that person."""
    return f"people/{_file_name(principal)}.html"


def month(name: str) -> str:
    """The page of that month, given as `2026-11`."""
    return f"months/{name}.html"


def calendar(name: str) -> str:
    """The calendar of that month, given as `2026-11`."""
    return f"calendar/{name}.html"


def feed(system: str) -> str:
    """The feed of that system."""
    return f"feeds/{_file_name(system)}.xml"


def sitemap(name: str) -> str:
    """A part of a sitemap that is too long for one file."""
    return f"{SITEMAPS}{name}.xml"


def data(name: str) -> str:
    """A file of `DATA`: a script that hands its data over."""
    return f"{DATA}{name}.js"


def data_folder(name: str) -> str:
    """A folder in `DATA`, with the `/` at its end."""
    return f"{DATA}{name}/"


def block(prefix: str) -> str:
    """The name of the changes whose paths begin so, as a part of file names."""
    if _DATED.fullmatch(prefix):
        return prefix[len(identifiers.ROOT) + 1 :].replace("/", "-").lower()
    return _file_name(f"/{prefix}") if prefix else "all"


def prefix(page: str) -> str:
    """What leads from that page to the root of the site: nothing, or `../`."""
    return "../" * page.count("/")
