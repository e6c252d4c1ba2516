"""`report`: what the evidence says to the requirements of a framework, counted, with each exception by its name.

The changes of a period are those that were under way in it: requested before its end, and not closed before it began.
Each attribute that a clause of the framework rests on is asked of each of them, once.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from gitchange.assessment.attributes import ATTRIBUTES, Case
from gitchange.assessment.frameworks import FRAMEWORKS
from gitchange.assessment.shapes import brief_json, show_json
from gitchange.index import refresh, rows, store
from gitchange.lifecycle.status import CLOSED
from gitchange.site import urls
from gitchange.values import Value
from gitchange.workflow import moments

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gitchange.assessment.assess import Assessor
    from gitchange.assessment.attributes import Attribute
    from gitchange.assessment.frameworks import Framework
    from gitchange.assessment.overview import PolicyVersion
    from gitchange.model.finding import Finding
    from gitchange.workflow.workspace import Workspace


class Told(Value):
    """A change, and why it is named."""

    id: str
    why: str


class Count(Value):
    """What an attribute came to, of the changes to which it applies."""

    attribute: Attribute
    evidenced: int
    exceptions: tuple[Told, ...]
    """The newest change first."""
    open: tuple[Told, ...]
    """The newest change first."""

    @property
    def applies(self) -> int:
        """To how many changes it applies."""
        return self.evidenced + len(self.exceptions) + len(self.open)


class Named(Value):
    """A change that is an exception or open, as far as readers need it."""

    id: str
    path: str
    title: str | None
    """None where it cannot be read."""
    status: str
    type: str | None
    systems: tuple[str, ...]
    url: str
    """Its page on the site; empty where the repository does not say where that is."""


class Report(Value):
    """The answers to one framework, for one period."""

    framework: Framework
    first: dt.date
    last: dt.date
    """With this day."""
    zone: dt.tzinfo
    """The company's."""
    systems: tuple[str, ...]
    """Only changes to these were asked; none: all."""
    now: dt.datetime
    """The moment for which everything was judged: evidence that came after the period counts."""
    title: str
    """Of the repository."""
    introduction: str
    pinned: bool
    """Whether the user pinned the introduction; otherwise it was found in the history itself."""
    main: str
    notes: str | None
    policies: tuple[PolicyVersion, ...]
    """Those in force at some time of the period, oldest first, and those that were refused in it."""
    changes: int
    """How many were under way."""
    types: dict[str, int]
    """Of these, by type; `unreadable` for those that have none."""
    happened: dict[str, int]
    """How many of them took each step in the period."""
    counts: dict[str, Count]
    """By the names of attributes, those that the framework rests on."""
    named: dict[str, Named]
    """Every change with an exception or something open, by its id, the newest first."""
    findings: tuple[Finding, ...]
    """About the repository as a whole, e.g. change files that were removed."""


HAPPENED = {
    "request": "requested",
    "evaluation": "approved",
    "implementation": "implemented",
    "validation": "validated",
    "documentation": "documented",
}
"""Steps, and what is said of a change that took one."""


def report(
    workspace: Workspace, framework: str, period: str | None = None, systems: Sequence[str] = ()
) -> Report:
    """The answers to a framework, in these steps:

    1. the period, its days on the company's clocks;
    2. the changes that were under way in it, on these systems or on all;
    3. each attribute of the framework, asked of each of them;
    4. what is to be said of the repository as a whole.

    UsageError for what is no period, and for systems that nobody knows.
    """
    if workspace.at is not None:
        return _answer(workspace.anew, FRAMEWORKS[framework], period, systems, _judged(workspace.anew))

    def asked(index: sqlite3.Connection, by: Assessor) -> Report:
        return _answer(by, FRAMEWORKS[framework], period, systems, _indexed(index))

    return refresh.consult(workspace.repository, workspace.now, workspace.introduction, asked, workspace.tell)


class _Candidate(Value):
    """A change, as far as tells whether it was under way in a period."""

    status: str
    systems: Sequence[str]
    brief: Mapping[str, Any]
    whole: Callable[[], Mapping[str, Any]]


def _indexed(index: sqlite3.Connection) -> Iterator[_Candidate]:
    """What the index has, newest first."""
    dictionary = store.dictionary(index)
    for number, summary, brief, _ in rows.with_briefs(index):
        yield _Candidate(
            summary["status"], summary["systems"], brief, partial(rows.whole, index, number, dictionary)
        )


def _judged(by: Assessor) -> Iterator[_Candidate]:
    """The same without an index, as of an earlier time."""
    for assessment in by.all():
        whole = show_json(assessment)
        yield _Candidate(whole["status"], whole["systems"], brief_json(whole), partial(dict, whole))


def _answer(
    by: Assessor,
    framework: Framework,
    period: str | None,
    systems: Sequence[str],
    candidates: Iterable[_Candidate],
) -> Report:
    # 1.
    zone = moments.zone_of(by.policy)
    first, last = moments.period(period, by.now.astimezone(zone).date())
    start, end = (_midnight(day, zone) for day in (first, last + dt.timedelta(days=1)))
    # 2.
    changed: set[str] = set()
    under_way: list[_Candidate] = []
    for candidate in candidates:
        changed.update(candidate.systems)
        if _under_way(candidate, start, end) and (not systems or set(systems) & set(candidate.systems)):
            under_way.append(candidate)
    changed.update(by.policy.systems if by.policy is not None else ())
    named = moments.all_known(systems, changed)
    # 3.
    asked = {name: ATTRIBUTES[name] for clause in framework.clauses for name in clause.attributes}
    evidenced = dict.fromkeys(asked, 0)
    exceptions: dict[str, list[Told]] = {name: [] for name in asked}
    waiting: dict[str, list[Told]] = {name: [] for name in asked}
    types: dict[str, int] = {}
    happened = dict.fromkeys(HAPPENED.values(), 0)
    telling: dict[str, Named] = {}
    overview = by.overview(judged=False)
    site = _address(by, overview.links)
    for candidate in under_way:
        shape = candidate.whole()
        kind = shape["type"] or "unreadable"
        types[kind] = types.get(kind, 0) + 1
        for step, word in HAPPENED.items():
            happened[word] += start <= candidate.brief["times"].get(step, -1) < end
        tree = (shape["policy"] or {}).get("tree")
        case = Case(shape, by.policies.of_tree(tree)[0] if tree else None, end)
        for name, attribute in asked.items():
            answer = attribute.ask(case)
            if answer is None:
                continue
            if answer.state == "evidenced":
                evidenced[name] += 1
                continue
            told = Told(shape["id"], answer.why)
            (exceptions if answer.state == "exception" else waiting)[name].append(told)
            telling[shape["id"]] = _named(shape, site)
    counts = {
        name: Count(attribute, evidenced[name], tuple(exceptions[name]), tuple(waiting[name]))
        for name, attribute in asked.items()
    }
    # 4.
    return Report(
        framework,
        first,
        last,
        zone,
        named,
        by.now,
        overview.title,
        overview.introduction,
        by.ground.pinned,
        overview.main,
        overview.notes,
        _in_force(overview.policies, start, end),
        len(under_way),
        types,
        happened,
        counts,
        telling,
        overview.findings,
    )


def _midnight(day: dt.date, zone: dt.tzinfo) -> int:
    return int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _under_way(candidate: _Candidate, start: int, end: int) -> bool:
    """Whether it was requested before the end, and not closed before the start; one without a history is."""
    if candidate.brief["times"].get("request", 0) >= end:
        return False
    return candidate.status not in CLOSED or candidate.brief["touched"] >= start


def _in_force(policies: Sequence[PolicyVersion], start: int, end: int) -> tuple[PolicyVersion, ...]:
    """The policies of a period: the last one from before it, and all that came in it."""
    before = [p for p in policies if p.moment.timestamp() < end]
    older = [p for p in before if p.moment.timestamp() <= start and p.policy is not None]
    return tuple(p for p in before if p.moment.timestamp() > start or p in older[-1:])


def _named(shape: Mapping[str, Any], site: str) -> Named:
    return Named(
        shape["id"],
        shape["path"],
        shape["title"],
        shape["status"],
        shape["type"],
        tuple(shape["systems"]),
        f"{site}{urls.change_file(shape['path'])}" if site else "",
    )


def _address(by: Assessor, links: Mapping[str, str]) -> str:
    """Where the site is, with a slash at its end: `site` of gitchange.toml's links, or `site_url` of mkdocs.yml."""
    address: object = links.get("site")
    if address is None:
        entry = by.repository.entry(by.repository.tree_of(by.ground.main), "mkdocs.yml")
        address = _site_url(by.repository.blob(entry.id)) if entry is not None and entry.is_file else None
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        return ""
    from urllib.parse import quote  # noqa: PLC0415 - only where there is an address

    return quote(address.rstrip("/"), safe="/:?#[]@!$&*+,;=%~") + "/"


def _site_url(text: bytes) -> object:
    """What a configuration of MkDocs says; None where it says nothing, or what is known to MkDocs alone."""
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - MkDocs brings it; it takes a while to load

    loader: Any = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor(
        "", lambda *_: None
    )  # what it does not know (`!ENV`, Python's names) is nothing
    try:
        said = yaml.load(text, loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    return said.get("site_url") if isinstance(said, dict) else None


def shape(report_: Report) -> dict[str, Any]:
    """The documented JSON shape (docs/json.md)."""
    framework = report_.framework
    return {
        "framework": framework.name,
        "title": framework.title,
        "edition": framework.edition,
        "from": report_.first.isoformat(),
        "to": report_.last.isoformat(),
        "zone": str(report_.zone),
        "systems": list(report_.systems),
        "at": report_.now.isoformat(),
        "introduction": report_.introduction,
        "pinned": report_.pinned,
        "main": report_.main,
        "notes": report_.notes,
        "policies": [
            {
                "version": p.policy.version if p.policy is not None else None,
                "commit": p.commit,
                "since": p.moment.isoformat(),
                "in_force": p.policy is not None,
                "approved_by": list(p.approved_by),
            }
            for p in report_.policies
        ],
        "changes": report_.changes,
        "types": report_.types,
        "happened": report_.happened,
        "clauses": [
            {
                "number": clause.number,
                "older": list(clause.older),
                "name": clause.name,
                "asks": clause.asks,
                "fields": list(clause.fields),
                "sign_offs": [
                    {"verdict": verdict, "answers": answers} for verdict, *answers in clause.signed
                ],
                "policy": list(clause.policy),
                "attributes": list(clause.attributes),
                "beyond": clause.beyond or None,
            }
            for clause in framework.clauses
        ],
        "beyond": framework.beyond,
        "attributes": [
            {
                "name": name,
                "asks": count.attribute.asks,
                "of": count.attribute.of,
                "applies": count.applies,
                "evidenced": count.evidenced,
                "exceptions": [{"change": told.id, "why": told.why} for told in count.exceptions],
                "open": [{"change": told.id, "why": told.why} for told in count.open],
            }
            for name, count in report_.counts.items()
        ],
        "named": [
            {
                "change": named.id,
                "path": named.path,
                "title": named.title,
                "status": named.status,
                "type": named.type,
                "systems": list(named.systems),
                "url": named.url or None,
            }
            for named in report_.named.values()
        ],
        "findings": [finding.as_json() for finding in report_.findings],
    }
