"""The file that calendar programs read, with the addresses of the site's pages."""

from __future__ import annotations

from gitchange.assessment import ics as calendar_file
from gitchange.site import urls
from gitchange.site.site import Site


def ics(site: Site, site_url: str = "") -> bytes:
    """The file; with an address of the site, each event leads to its change."""
    base = site_url.rstrip("/")
    return calendar_file.ics(
        site.overview,
        site.calendar,
        (lambda brief: f"{base}/{urls.change_file(brief.path)}") if site_url else None,
    )
