"""All pages of a site, rendered with Jinja2 from the theme's own templates.

Each page is a body; `shell` puts the theme around it. Templates are compiled once; a table row is
rendered once for each folder depth and used on every page that lists the change.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property, partial
from typing import Any

import jinja2
from markupsafe import Markup, escape

from gitchange.assessment.calendar import MONTHS, WEEKDAYS
from gitchange.assessment.results import latest_of_each
from gitchange.index.place import digest
from gitchange.lifecycle import policy_words
from gitchange.model.change import IMPACTS, LIKELIHOODS, RISK_LEVELS, level_of
from gitchange.site import urls
from gitchange.site.atom import ENTRIES, atom
from gitchange.site.catalogue import Brief
from gitchange.site.change_page import change_page, places_of
from gitchange.site.delta import Delta
from gitchange.site.ics import ics
from gitchange.site.markdown import Texts, plain
from gitchange.site.site import Group, Person, Site
from gitchange.site.statistics_page import share, statistics_page
from gitchange.site.templating import quicken
from gitchange.values import Value

_CODE = re.compile(r"`([^`\n]+)`")


class Page(Value):
    """One page, without the theme around it."""

    title: str
    section: str
    """File name of the navigation's entry to which the page belongs."""
    description: str
    """One sentence for search engines and previews."""
    body: Markup
    feed: str = ""
    """File name of a feed about what the page is about; none where it is empty."""


LISTED = 50
"""How many changes a page of a system or a person lists; the register has them all."""


RESULTS = 200
"""How many recorded results are shown."""


class Planned(Value):
    """A page that the site has."""

    render: Callable[[], Page]
    inputs: str | None = None
    """Names everything that the page is made from beside the theme; None where making it is the way to see."""
    section: str = urls.CHANGES
    """The page's section, where `inputs` is given."""


class Data(Value):
    """A file of the site that is no page."""

    render: Callable[[], bytes]
    inputs: str
    """Names everything that it is made from beside the program."""


class Pages:
    """The pages of one site. `plan` names them all; each is rendered when it is asked for."""

    def __init__(self, site: Site, env: jinja2.Environment, introduction: str = "") -> None:
        self._site = site
        self._env = prepare(env, site)
        self._introduction = Markup(introduction)  # noqa: S704 - HTML that MkDocs made of the company's own page
        self._rows: dict[tuple[str, int], Markup] = {}

    def plan(self, delta: Delta | None = None) -> dict[str, Planned]:
        """Every file name with what renders it; `urls` gives the names.

        With a delta, those that may be other ones than before, all that are always made, and no others.
        """
        site = self._site
        plan = {
            urls.HOME: Planned(self._home),
            urls.CHANGES: Planned(self._changes),
            urls.STATUSES: self._listed(urls.STATUSES, "statuses.html", "Status"),
            urls.SYSTEMS: self._listed(urls.SYSTEMS, "systems.html", "Systems"),
            urls.PEOPLE: self._listed(urls.PEOPLE, "people.html", "People"),
            urls.MONTHS: self._listed(urls.MONTHS, "months.html", "Months"),
            urls.SEARCH: self._listed(urls.SEARCH, "search.html", "Search"),
            urls.POLICY: self._listed(urls.POLICY, "policy.html", "Policy"),
            urls.AUDIT: self._listed(urls.AUDIT, "audit.html", "Audit"),
            urls.COVERAGE: Planned(self._coverage),
            urls.STATISTICS: Planned(self._statistics, _digest(repr(site.figures)), urls.STATISTICS),
            urls.CALENDAR: self._calendar(urls.CALENDAR, site.calendar.present),
        }
        for month in site.calendar.months:
            if delta is None or month in delta.calendar:
                plan[urls.calendar(month)] = self._calendar(urls.calendar(month), month)
        for group in site.systems:
            # When its next freeze is, time tells.
            if delta is None or group.name in delta.systems or site.freezes_of(group.name):
                plan[urls.system(group.name)] = self._system(group)
        for person in site.people:
            if delta is None or person.principal in delta.people:
                plan[urls.person(person.principal)] = self._person(person)
        for group in site.months:
            if delta is None or group.name in delta.months:
                plan[urls.month(group.name)] = self._month(group)
        if delta is None:
            site.load()
        for brief in site.briefs if delta is None else delta.affected:
            plan[brief.page] = self._change(brief)
        return plan

    def gone(self, delta: Delta) -> set[str]:
        """Names of files that the site had, as far as the delta tells, and has no longer."""
        before = {
            *(brief.page for _, brief in delta.past),
            *(urls.month(month) for month in delta.months),
            *(urls.calendar(month) for month in delta.calendar),
            *(urls.person(person) for person in delta.people),
            *(made(system) for system in delta.systems for made in (urls.system, urls.feed)),
        }
        return {name for name in before if not self.has(name)}

    @cached_property
    def _names(self) -> frozenset[str]:
        """The names of all files but the pages of the changes."""
        site = self._site
        return frozenset(
            {
                *(
                    urls.HOME,
                    urls.CHANGES,
                    urls.STATUSES,
                    urls.SYSTEMS,
                    urls.PEOPLE,
                    urls.MONTHS,
                    urls.SEARCH,
                ),
                *(
                    urls.POLICY,
                    urls.AUDIT,
                    urls.COVERAGE,
                    urls.STATISTICS,
                    urls.CALENDAR,
                    urls.FEED,
                    urls.ICS,
                ),
                *(urls.calendar(month) for month in site.calendar.months),
                *(made(group.name) for group in site.systems for made in (urls.system, urls.feed)),
                *(urls.person(person.principal) for person in site.people),
                *(urls.month(group.name) for group in site.months),
            }
        )

    def dated(self) -> list[tuple[str, int]]:
        """All pages but those of the changes, in order, with when what they show last changed; 0 for never.

        What is about everything changes with each commit.
        """
        site = self._site
        dates = dict.fromkeys(self._names, int(site.overview.commit_time.timestamp()))
        dates |= {urls.system(group.name): group.touched for group in site.systems}
        dates |= {urls.month(group.name): group.touched for group in site.months}
        dates |= {urls.person(person.principal): person.touched for person in site.people}
        return sorted((name, when) for name, when in dates.items() if name.endswith(".html"))

    def has(self, name: str) -> bool:
        """Whether it is the name of a page, a feed or a calendar of the site."""
        return name in self._names or self._site.page_of_a_change(name)

    @property
    def count(self) -> int:
        """How many pages there are."""
        return sum(name.endswith(".html") for name in self._names) + len(self._site.briefs)

    def data(self, site_url: str, delta: Delta | None = None) -> dict[str, Data]:
        """Every file that is no page: feeds, and the calendar for calendar programs; with a delta as in `plan`."""
        site = self._site
        title = site.overview.title
        plan = {urls.FEED: self._feed(urls.FEED, urls.HOME, title, site_url)}
        for group in site.systems:
            if delta is None or group.name in delta.systems:
                name, page = urls.feed(group.name), urls.system(group.name)
                plan[name] = self._feed(name, page, f"{group.label} · {title}", site_url, group.name)
        windows = [(b.digest, b.status, b.touched) for b in site.calendar.coming()]
        dated = site.overview.policies[-1].moment if site.overview.policies else site.overview.commit_time
        inputs = _digest(site_url, title, windows, site.calendar.present, str(dated))
        plan[urls.ICS] = Data(partial(ics, site, site_url), inputs)
        return plan

    def _feed(self, name: str, page: str, title: str, site_url: str, system: str | None = None) -> Data:
        site = self._site
        newest = site.newest(ENTRIES, system)

        def render() -> bytes:
            events = site.events(newest, ENTRIES)
            return atom(name, page, title, site.overview.introduction, events, site_url)

        return Data(render, _digest(site_url, title, page, [(b.path, b.digest) for b in newest]))

    def _render(self, template: str, name: str, **values: Any) -> Markup:
        root = urls.prefix(name)
        html = self._env.get_template(f"pages/{template}").render(
            root=root, row=partial(self._row, root), **values
        )
        return Markup(html)  # noqa: S704 - rendered with autoescape

    def _row(self, root: str, brief: Brief) -> Markup:
        """The change as a row of a table."""
        key = (root, brief.number)
        if key not in self._rows:
            # The template's macro, called directly: a tenth of the cost of rendering a template.
            self._rows[key] = self._env.get_template("parts/row.html").module.row(root, brief)  # type: ignore[attr-defined]
        return self._rows[key]

    def _matrix(self, document: Mapping[str, Any]) -> Markup:
        """The table of likelihood and impact. The cells are the same for all changes, but for the numbers of risks."""
        cells = self._cells
        for place, numbers in places_of(document).items():
            level = level_of(*place)
            cells = cells.replace(
                f'<td class="r-{level}" data-place="{place[0]} {place[1]}"></td>',
                f'<td class="r-{level} here" data-place="{place[0]} {place[1]}">{", ".join(map(str, numbers))}</td>',
            )
        return Markup(cells)  # noqa: S704 - rendered with autoescape; what is put in are numbers

    @cached_property
    def _cells(self) -> str:
        return self._env.get_template("parts/matrix.html").render()

    def _home(self) -> Page:
        body = self._render("home.html", urls.HOME, introduction=self._introduction)
        return Page("Overview", urls.HOME, "What waits for whom, what is planned, what changed.", body)

    def _changes(self) -> Page:
        body = self._render("changes.html", urls.CHANGES)
        return Page("All changes", urls.CHANGES, f"All {len(self._site.briefs)} changes.", body)

    def _listed(self, name: str, template: str, title: str) -> Planned:
        return Planned(
            lambda: Page(
                title, name, f"{title} of {self._site.overview.title}.", self._render(template, name)
            )
        )

    def _calendar(self, name: str, month: str) -> Planned:
        site = self._site
        shown = site.calendar.month(month)

        def render() -> Page:
            body = self._render("calendar.html", name, month=shown, WEEKDAYS=WEEKDAYS)
            return Page(
                f"Calendar, {shown.label}",
                urls.CALENDAR,
                f"Planned windows, freezes and conflicts in {shown.label}.",
                body,
            )

        briefs = {
            b.path: (b.label, b.status, b.risk, b.systems, b.window) for d in shown.days for b in d.briefs
        }
        met = [(c, [site.known[i].label for i in c.ids]) for c in shown.conflicts]
        return Planned(
            render,
            _digest(shown.before, shown.after, briefs, repr(met), site.calendar.present),
            urls.CALENDAR,
        )

    def _statistics(self) -> Page:
        body = self._render("statistics.html", urls.STATISTICS, page=statistics_page(self._site.figures))
        return Page(
            "Statistics", urls.STATISTICS, "How many changes, how long they take, how many fail.", body
        )

    def _coverage(self) -> Page:
        site = self._site
        body = self._render(
            "coverage.html",
            urls.COVERAGE,
            latest=latest_of_each(site.recorded),
            shown=site.recorded[:RESULTS],
            linked={group.name for group in site.systems},
        )
        return Page("Coverage", urls.AUDIT, "Whether approved changes cover what was deployed.", body)

    def _system(self, group: Group) -> Planned:
        site = self._site
        system, of = site.system(group.name), site.figures.systems.get(group.name)
        opened = site.of_system(group.name, " AND NOT closed", group.open)
        closed = site.of_system(group.name, " AND closed").first(LISTED)
        freezes = site.freezes_of(group.name)
        planned = site.planned_by_system.get(group.name, [])

        def render() -> Page:
            body = self._render(
                "system.html",
                urls.system(group.name),
                group=group,
                system=system,
                of=of,
                opened=opened,
                closed=closed,
                freezes=freezes,
                planned=planned,
            )
            feed = urls.feed(group.name)
            return Page(group.label, urls.SYSTEMS, f"Changes to {group.label}.", body, feed)

        listed = [b.digest for b in (*opened[:LISTED], *closed, *planned[:LISTED])]
        inputs = _digest(listed, len(opened), len(group.briefs), repr(of), [str(o) for _, o in freezes])
        return Planned(render, inputs, urls.SYSTEMS)

    def _month(self, group: Group) -> Planned:
        def render() -> Page:
            body = self._render("month.html", urls.month(group.name), group=group)
            return Page(group.label, urls.MONTHS, f"Changes of {group.label}.", body)

        briefs = [*group.briefs]
        inputs = digest("\n".join(f"{b.path} {b.digest}" for b in briefs).encode("utf-8", "surrogatepass"))
        return Planned(render, inputs, urls.MONTHS)

    def _person(self, person: Person) -> Planned:
        def render() -> Page:
            body = self._render("person.html", urls.person(person.principal), person=person)
            return Page(person.principal, urls.PEOPLE, f"What {person.principal} did and has to do.", body)

        waiting = [(w.brief.digest, w.action, w.role) for w in person.waiting[:LISTED]]
        listed = [b.digest for b in (*person.requested[:LISTED], *person.signed[:LISTED])]
        counts = [len(person.waiting), len(person.requested), len(person.signed)]
        counts.append(self._site.last_signatures.get(person.principal, 0))
        return Planned(render, _digest(waiting, listed, counts), urls.PEOPLE)

    def _change(self, brief: Brief) -> Planned:
        return Planned(partial(self._page, brief), self._site.inputs_of(brief))

    def _page(self, brief: Brief) -> Page:
        name, catalogue = brief.page, self._site.catalogue
        shape = catalogue.whole(brief)
        document = shape["document"]
        raw = b""
        if document is None:
            newest = next((v["blob"] for v in shape["history"] if v["blob"]), "")
            raw = catalogue.text(newest) or b""
        body = self._render(
            "change.html" if document else "unreadable.html",
            name,
            a=shape,
            change=document,
            page=change_page(shape, self._site.related(brief), catalogue.text),
            matrix=self._matrix,
            raw=raw.decode("utf-8", "replace"),
        )
        title = f"{brief.title} · {brief.id}" if document else brief.path
        return Page(title, urls.CHANGES, f"{brief.id}: {brief.status}.", body)


def prepare(env: jinja2.Environment, site: Site) -> jinja2.Environment:
    """Make the theme's environment ours: escaping, filters, and what every template may use.

    MkDocs does not escape; here every value is text unless it is `Markup`, and control characters in it are shown.
    """
    quicken(env)
    texts = Texts(site.known)
    known_systems = site.policy.systems if site.policy else {}

    @cache
    def person_link(root: str, principal: str) -> Markup:
        if principal not in site.principals:
            return Markup("<bdi>{}</bdi>").format(plain(principal))
        return Markup('<a href="{}{}"><bdi>{}</bdi></a>').format(
            root, urls.person(principal), plain(principal)
        )

    @cache
    def system_link(root: str, name: str) -> Markup:
        label = known_systems[name].name if name in known_systems else name
        return Markup('<a href="{}{}"><bdi>{}</bdi></a>').format(root, urls.system(name), plain(label))

    env.filters.update(filters(texts, site.zone))
    env.globals.update(
        site=site,
        overview=site.overview,
        policy=site.policy,
        urls=urls,
        policy_words=policy_words,
        person_link=person_link,
        system_link=system_link,
        level_of=level_of,
        LIKELIHOODS=LIKELIHOODS,
        IMPACTS=IMPACTS,
        RISK_LEVELS=RISK_LEVELS,
        LISTED=LISTED,
        MONTHS=MONTHS,
        share=share,
    )
    return env


def filters(texts: Texts, zone: dt.tzinfo) -> dict[str, Callable[..., str]]:
    """How templates show texts, and moments in a zone."""
    return {
        "text": texts.html,
        "code": _code,
        "moment": partial(_moment, zone),
        "day": partial(_day, zone),
        "clock": partial(_clock, zone),
        "due": partial(_due, zone),
        "window": partial(_window, zone),
    }


def _digest(*parts: object) -> str:
    """Names what a page is made from."""
    return digest(json.dumps(parts, default=str).encode())


def _code(message: str) -> Markup:
    """A message of ours in which `...` marks what is typed."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(plain(message)))))  # noqa: S704 - escaped


def _when(moment: dt.datetime | str | int) -> dt.datetime:
    """A moment as documents (RFC 3339) and briefs (seconds) say it."""
    if isinstance(moment, str):
        return dt.datetime.fromisoformat(moment)
    return dt.datetime.fromtimestamp(moment, dt.UTC) if isinstance(moment, int) else moment


def _day(zone: dt.tzinfo, when: dt.datetime | str | int) -> str:
    local = _when(when).astimezone(zone)
    return f"{local.day} {MONTHS[local.month - 1][:3]} {local.year}"


def _clock(zone: dt.tzinfo, when: dt.datetime | int) -> str:
    local = _when(when).astimezone(zone)
    return f"{local.hour:02}:{local.minute:02} {local.tzname()}"


def _moment(zone: dt.tzinfo, moment: dt.datetime | str | int) -> Markup:
    """A day and time in the company's zone, readable by machines too."""
    when = _when(moment)
    exact = when.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{exact}">{_day(zone, when)}, {_clock(zone, when)}</time>')  # noqa: S704


def _due(zone: dt.tzinfo, seconds: int) -> Markup:
    """A moment that a script holds against the reader's clock: what passes with time is not for the build to say."""
    exact = _when(seconds).isoformat(timespec="seconds")
    said = f"{_day(zone, seconds)}, {_clock(zone, seconds)}"
    return Markup('<time datetime="{}" data-due="{}">{}</time>').format(exact, seconds, said)


def _window(zone: dt.tzinfo, window: Sequence[dt.datetime | str | int]) -> Markup:
    """From when to when; a day that is the same is said once."""
    start, end = map(_when, window)
    if start.astimezone(zone).date() != end.astimezone(zone).date():
        return Markup("{} to {}").format(_moment(zone, start), _moment(zone, end))
    exact = (when.isoformat(timespec="seconds") for when in (start, end))
    return Markup('<time datetime="{}">{}, {:%H:%M}</time> to <time datetime="{}">{}</time>').format(
        next(exact), _day(zone, start), start.astimezone(zone), next(exact), _clock(zone, end)
    )
