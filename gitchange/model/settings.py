"""gitchange.toml: the title of the site, links to the forges, conveniences. Nothing that trust rests on."""

from __future__ import annotations

from gitchange.model.finding import Finding
from gitchange.model.part import Part, PartError, field
from gitchange.model.text import ShortText, Slug, findings_of
from gitchange.model.toml import parse

PATH = "gitchange.toml"


class Settings(Part):
    """The file's keys."""

    title: ShortText = "Changes"
    """Title of the site."""
    links: dict[Slug, ShortText] = field(default_factory=dict)
    """Addresses: `forge` is the web page of this repository."""


def parse_settings(raw: bytes) -> tuple[Settings, tuple[Finding, ...]]:
    """The settings, or the defaults with findings: a wrong title stops nobody."""
    document = parse(raw, PATH)
    if document.problems:
        return Settings(), document.problems
    try:
        return Settings.model_validate(document.data), ()
    except PartError as error:
        return Settings(), tuple(findings_of(error, document, Settings, prefix="settings", path=PATH))
