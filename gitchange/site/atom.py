"""What happened, as Atom feeds (RFC 4287): of all changes, and of each system.

Without an address of the site its links are relative to the feed. An entry keeps its id for ever: it is made of the
repository and of the commit or sign-off.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Sequence

from markupsafe import escape

from gitchange.assessment.events import Event
from gitchange.site import urls
from gitchange.site.catalogue import Brief

ENTRIES = 50
"""How many events a feed has."""

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(
    name: str,
    page: str,
    title: str,
    introduction: str,
    events: Sequence[tuple[Brief, Event]],
    site_url: str = "",
) -> bytes:
    """The feed of that file name, about that page, with these events, the newest first."""
    root = f"{site_url.rstrip('/')}/" if site_url else urls.prefix(name)
    updated = max((e.when for _, e in events), default=dt.datetime.fromtimestamp(0, dt.UTC))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"<id>{_id(introduction, name)}</id>",
        f"<title>{_text(title)}</title>",
        f"<updated>{_when(updated)}</updated>",
        f'<link rel="alternate" type="text/html" href="{_text(root + page)}"/>',
        *(
            [f'<link rel="self" type="application/atom+xml" href="{_text(root + name)}"/>']
            if site_url
            else []
        ),
        "<generator>gitchange</generator>",
    ]
    for brief, event in events:
        what = f"{brief.id} {event.did}: {brief.label}"
        lines += [
            "<entry>",
            f"<id>{_id(introduction, f'{brief.path} {event.name}')}</id>",
            f"<title>{_text(what)}</title>",
            f"<updated>{_when(event.when)}</updated>",
            f"<author><name>{_text(event.who) or 'unknown'}</name></author>",
            f'<link rel="alternate" type="text/html" href="{_text(root + urls.change_file(brief.path))}"/>',
            *(f'<category term="{_text(system)}"/>' for system in brief.systems),
            f"<summary>{_text(_summary(brief, event))}</summary>",
            "</entry>",
        ]
    return ("\n".join([*lines, "</feed>"]) + "\n").encode()


def _summary(brief: Brief, event: Event) -> str:
    kinds = f" {brief.type} change, {brief.risk} risk." if brief.type else ""
    return f"{event.who} {event.did} it.{kinds}{f' Commit: {event.detail}' if event.detail else ''}"


def _id(introduction: str, name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{introduction} {name}").urn


def _when(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _text(value: str) -> str:
    """As text or as an attribute; what XML cannot hold is left out."""
    return str(escape(_NO_XML.sub("", value)))
