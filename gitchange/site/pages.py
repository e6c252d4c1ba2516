"""All pages of a site, rendered with Jinja2 from the theme's own templates.

Each page is a body; `shell` puts the theme around it. Templates are compiled once; a table row is
rendered once for each folder depth and used on every page that lists the change.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jinja2
from markupsafe import Markup, escape

from gitchange.assessment.overview import Assessment
from gitchange.lifecycle import policy_words
from gitchange.model.change import IMPACTS, LIKELIHOODS, RISK_LEVELS, Change, Schedule, level_of
from gitchange.site import urls
from gitchange.site.change_page import change_page, places_of
from gitchange.site.markdown import Texts, plain
from gitchange.site.site import MONTHS, Group, Person, Site
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


class Pages:
    """The pages of one site. `plan` names them all; each is rendered when it is asked for."""

    def __init__(self, site: Site, env: jinja2.Environment, introduction: str = "") -> None:
        self._site = site
        self._env = prepare(env, site)
        self._introduction = Markup(introduction)  # noqa: S704 - HTML that MkDocs made of the company's own page
        self._rows: dict[tuple[str, str], Markup] = {}
        self._matrices: dict[tuple[tuple[str, str], ...], Markup] = {}

    def plan(self) -> dict[str, Callable[[], Page]]:
        """Every file name with what renders it; `urls` gives the names."""
        site = self._site
        plan: dict[str, Callable[[], Page]] = {
            urls.HOME: self._home,
            urls.CHANGES: self._changes,
            urls.STATUSES: partial(self._list, urls.STATUSES, "statuses.html", "Status"),
            urls.SYSTEMS: partial(self._list, urls.SYSTEMS, "systems.html", "Systems"),
            urls.PEOPLE: partial(self._list, urls.PEOPLE, "people.html", "People"),
            urls.MONTHS: partial(self._list, urls.MONTHS, "months.html", "Months"),
            urls.POLICY: partial(self._list, urls.POLICY, "policy.html", "Policy"),
        }
        if site.overview.all_findings:
            plan[urls.FINDINGS] = partial(self._list, urls.FINDINGS, "findings.html", "Findings")
        for group in site.statuses:
            plan[urls.status(group.name)] = partial(self._status, group)
        for group in site.systems:
            plan[urls.system(group.name)] = partial(self._system, group)
        for group in site.months:
            plan[urls.month(group.name)] = partial(self._month, group)
        for person in site.people:
            plan[urls.person(person.principal)] = partial(self._person, person)
        for assessment in site.assessments:
            plan[urls.change_file(assessment.path)] = partial(self._change, assessment)
        return plan

    def _render(self, template: str, name: str, **values: Any) -> Markup:
        root = urls.prefix(name)
        html = self._env.get_template(f"pages/{template}").render(
            root=root, row=partial(self._row, root), **values
        )
        return Markup(html)  # noqa: S704 - rendered with autoescape

    def _row(self, root: str, assessment: Assessment) -> Markup:
        """The change as a row of a table."""
        key = (root, assessment.path)
        if key not in self._rows:
            # The template's macro, called directly: a tenth of the cost of rendering a template.
            self._rows[key] = self._env.get_template("parts/row.html").module.row(root, assessment)  # type: ignore[attr-defined]
        return self._rows[key]

    def _matrix(self, change: Change) -> Markup:
        """The table of likelihood and impact; many changes have their risks at the same places."""
        key = tuple((risk.likelihood, risk.impact) for risk in change.risks)
        if key not in self._matrices:
            html = self._env.get_template("parts/matrix.html").render(places=places_of(change))
            self._matrices[key] = Markup(html)  # noqa: S704 - rendered with autoescape
        return self._matrices[key]

    def _home(self) -> Page:
        body = self._render("home.html", urls.HOME, introduction=self._introduction)
        return Page("Overview", urls.HOME, "What waits for whom, what is planned, what changed.", body)

    def _changes(self) -> Page:
        body = self._render("changes.html", urls.CHANGES)
        return Page("All changes", urls.CHANGES, f"All {len(self._site.assessments)} changes.", body)

    def _list(self, name: str, template: str, title: str) -> Page:
        return Page(title, name, f"{title} of {self._site.overview.title}.", self._render(template, name))

    def _status(self, group: Group) -> Page:
        title = f"Changes that are {group.name}"
        body = self._render("group.html", urls.status(group.name), title=title, group=group, kind="status")
        return Page(title, urls.STATUSES, f"{title}.", body)

    def _system(self, group: Group) -> Page:
        system = self._site.system(group.name)
        body = self._render("system.html", urls.system(group.name), group=group, system=system)
        return Page(group.label, urls.SYSTEMS, f"Changes to {group.label}.", body)

    def _month(self, group: Group) -> Page:
        body = self._render(
            "group.html", urls.month(group.name), title=group.label, group=group, kind="month"
        )
        return Page(group.label, urls.MONTHS, f"Changes of {group.label}.", body)

    def _person(self, person: Person) -> Page:
        body = self._render("person.html", urls.person(person.principal), person=person)
        return Page(person.principal, urls.PEOPLE, f"What {person.principal} did and has to do.", body)

    def _change(self, assessment: Assessment) -> Page:
        name = urls.change_file(assessment.path)
        change = assessment.change
        body = self._render(
            "change.html" if change else "unreadable.html",
            name,
            a=assessment,
            change=change,
            page=change_page(assessment),
            matrix=self._matrix,
        )
        title = f"{change.title} · {change.id}" if change else assessment.path
        return Page(title, urls.CHANGES, f"{assessment.id}: {assessment.status}.", body)


def prepare(env: jinja2.Environment, site: Site) -> jinja2.Environment:
    """Make the theme's environment ours: escaping, filters, and what every template may use.

    MkDocs does not escape; here every value is text unless it is `Markup`.
    """
    env.autoescape = True
    env.trim_blocks = env.lstrip_blocks = True
    texts = Texts(site.known)
    known_systems = site.policy.systems if site.policy else {}

    @cache
    def person_link(root: str, principal: str) -> Markup:
        if principal not in site.principals:
            return Markup("<bdi>{}</bdi>").format(plain(principal))
        return Markup('<a href="{}{}"><bdi>{}</bdi></a>').format(root, urls.person(principal), principal)

    @cache
    def system_link(root: str, name: str) -> Markup:
        label = known_systems[name].name if name in known_systems else name
        return Markup('<a href="{}{}"><bdi>{}</bdi></a>').format(root, urls.system(name), label)

    env.filters.update(
        text=texts.html,
        plain=plain,
        code=_code,
        moment=partial(_moment, site.zone),
        day=partial(_day, site.zone),
        window=partial(_window, site.zone),
    )
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
    )
    return env


def _code(message: str) -> Markup:
    """A message of ours in which `...` marks what is typed."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(plain(message)))))  # noqa: S704 - escaped


def _day(zone: dt.tzinfo, when: dt.datetime | dt.date) -> str:
    local = when.astimezone(zone) if isinstance(when, dt.datetime) else when
    return f"{local.day} {MONTHS[local.month - 1][:3]} {local.year}"


def _clock(zone: dt.tzinfo, when: dt.datetime) -> str:
    local = when.astimezone(zone)
    return f"{local:%H:%M} {local.tzname()}"


def _moment(zone: dt.tzinfo, when: dt.datetime) -> Markup:
    """A day and time in the company's zone, readable by machines too."""
    exact = when.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{exact}">{_day(zone, when)}, {_clock(zone, when)}</time>')  # noqa: S704


def _window(zone: dt.tzinfo, schedule: Schedule) -> Markup:
    """From when to when; a day that is the same is said once."""
    start, end = schedule.start, schedule.end
    if start.astimezone(zone).date() != end.astimezone(zone).date():
        return Markup("{} to {}").format(_moment(zone, start), _moment(zone, end))
    exact = (when.isoformat(timespec="seconds") for when in (start, end))
    return Markup('<time datetime="{}">{}, {:%H:%M}</time> to <time datetime="{}">{}</time>').format(
        next(exact), _day(zone, start), start.astimezone(zone), next(exact), _clock(zone, end)
    )
