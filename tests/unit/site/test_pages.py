"""Each kind of page shows what it is there for."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2

from gitchange.assessment.verification import Check, Verification
from gitchange.lifecycle.status import STATUSES
from gitchange.model.finding import Finding
from gitchange.model.policy import load_policy
from gitchange.site import urls
from gitchange.site.build import build_and_publish
from gitchange.site.pages import Pages
from gitchange.site.site import Site
from gitchange.values import replace
from tests.unit.site.builder import (
    ADA,
    BO,
    CY,
    DAY,
    DEE,
    EVE,
    POLICY_FILES,
    Case,
    example_change,
    example_overview,
    overview_of,
)
from tests.unit.site.reading import Reading, broken_links, read_page

DOCUMENTED = "changes/CHG-20261107-0006.html"


def words(reading: Reading) -> str:
    """The page's text with single blanks."""
    return re.sub(r"\s+", " ", reading.text)


def section(site: Path, page: str, name: str) -> str:
    """The text of one section of a page, found by the id of its heading."""
    html = (site / page).read_text().split(f'aria-labelledby="{name}"', 1)[1].split("</section>", 1)[0]
    reading = Reading(page)
    reading.feed("<section " + html)
    return words(reading)


def test_a_change_page_shows_the_whole_request(site: Path) -> None:
    """Every text of the change file is on its page."""
    text = words(read_page(site, DOCUMENTED))
    for part in (
        "Renew the wildcard certificate",
        "CHG-20261107-0006",
        "The certificate expires on 1 December.",
        "The public gateway; not the internal ones.",
        "Install the new certificate on the gateway.",
        "openssl s_client shows it.",
        "Install the old certificate",
        "Call /health from outside",
        "Old clients may not know the new issuer.",
        "Reload outside office hours.",
        "Tell support a day before.",
        "A second of errors.",
        "1 minute",
        "OPS-42",
        "https://gitlab.example.org/acme/app/-/merge_requests/7",
        "https://wiki.example.org/certificates",
        "customer information",
    ):
        assert part in text


def test_a_change_page_shows_the_five_steps_with_who_and_when(site: Path) -> None:
    """The progress line names each step, its state, the person and the day."""
    html = (site / DOCUMENTED).read_text()
    line = html.split('<ol class="line"', 1)[1].split("</ol>", 1)[0]
    for step, who in zip(
        ("Request", "Evaluation", "Implementation", "Validation", "Documentation"),
        (CY, ADA, BO, DEE, BO),
        strict=True,
    ):
        assert re.search(
            rf"<b>{step}</b>\s*<span class=\"word\">done</span>\s*<span class=\"who\">.*{who}", line
        )
    assert line.count("20 Nov 2026") + line.count("21 Nov 2026") == 5


def test_a_change_page_says_what_is_next_and_for_whom(site: Path) -> None:
    """An open change names who acts next, and the command."""
    text = section(site, "changes/CHG-20261104-0003.html", "next")
    assert "Evaluate as security: eve@example.org" in text
    assert "gitchange approve CHG-20261104-0003" in text


def test_a_sign_off_has_a_card_with_its_evidence(site: Path) -> None:
    """Signer, role, the sentence signed, answers, comment, claimed time, key, and that it counts."""
    text = section(site, DOCUMENTED, "sign-offs")
    for part in (
        f"Approved by {ADA} as change-manager counts",
        "20 Nov 2026, 22:00 CET, as the signer’s clock claimed",
        "I have evaluated this text and judge the change necessary, feasible and safe. I approve it.",
        "Necessary yes Feasible yes Safe yes",
        "reload outside office hours",
        "verified with the ssh-ed25519 key SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "judged by version 2, in force now: no commit has witnessed it yet; the signer saw the same",
        "the signer saw 888888888888",
        "Done differently Reloaded twice",
        "passed health",
        "Evidence Logged in and ordered.",
        "ssh-keygen -Y verify",
    ):
        assert part in text


def test_a_stale_sign_off_says_that_it_does_not_count_and_why(site: Path) -> None:
    """An approval of an earlier text is shown, marked and explained."""
    text = section(site, "changes/CHG-20261111-0010.html", "sign-offs")
    assert "does not count" in text
    assert "earlier text" in text
    assert "stale approval" in words(read_page(site, "changes/CHG-20261111-0010.html"))


def test_the_timeline_merges_commits_and_sign_offs(site: Path) -> None:
    """What happened, newest first, whether it was committed or signed."""
    text = section(site, DOCUMENTED, "timeline")
    order = [text.index(w) for w in ("Document CHG", "validated", "implemented", "approved", "Request CHG")]
    assert order == sorted(order)


def test_the_record_is_shown(site: Path) -> None:
    """Outcome, summary and lessons; a heading in the summary stays inside it."""
    text = section(site, DOCUMENTED, "record")
    assert "Successful documented by bo@example.org" in text
    assert "Reload earlier in the day." in text
    assert (4, "A heading of the author's") in read_page(site, DOCUMENTED).headings


def test_an_unreadable_file_has_a_page_with_its_findings(site: Path) -> None:
    """Nothing is skipped: a file that is no change is shown with what is wrong with it."""
    text = words(read_page(site, "changes/CHG-20261105-BRKN.html"))
    assert "cannot be read as a change" in text
    assert "not TOML" in text
    assert "title = <script>" in text
    assert "notes.txt" in words(read_page(site, urls.change_file("changes/notes.txt")))


def test_home_shows_what_waits_for_whom(site: Path) -> None:
    """Grouped by person; what nobody can do is said first."""
    text = section(site, "index.html", "waiting")
    assert text.index("Nobody can") < text.index(CY) < text.index(ADA) < text.index("Any member")
    assert "document Raise the rate limit for partners" in text


def test_home_shows_what_is_planned_what_happened_and_what_needs_attention(site: Path) -> None:
    """The next windows in their order, the newest events, flagged changes."""
    assert "23 Nov 2026, 21:00 to 23:00 CET Rotate the TLS certificate" in section(
        site, "index.html", "planned"
    )
    assert "documented Renew the wildcard certificate" in section(site, "index.html", "lately")
    attention = section(site, "index.html", "attention")
    assert "emergency debt" in attention
    assert "overdue" in attention
    assert "Renew the wildcard certificate" not in attention


def test_home_begins_with_the_hand_written_introduction(site: Path) -> None:
    """docs/index.md is the introduction; its links to generated pages work."""
    text = words(read_page(site, "index.html"))
    assert "Read the handbook and the policy." in text


def test_the_register_has_every_change(site: Path) -> None:
    """All changes and all unreadable files are rows of one table, newest first."""
    html = (site / "changes.html").read_text()
    rows = re.findall(r'<td class="state"><span class="status s-([\w-]+)"', html)
    assert len(rows) == 16
    assert rows.count("unreadable") == 2
    assert html.index("CHG-20261115-0014") < html.index("CHG-20261102-0001")


def test_every_status_leads_to_its_changes(site: Path) -> None:
    """Each status, empty or not, is explained, counted, and leads to the register."""
    html = (site / urls.STATUSES).read_text()
    for status in STATUSES:
        assert f'href="{urls.register(status=status)}"' in html
    assert "Evaluated as necessary, feasible and safe" in html


def test_systems_months_and_people_list_their_changes(site: Path) -> None:
    """One finds a change by what it changed, when it was requested and who took part."""
    title = "Renew the wildcard certificate"
    for page in (urls.system("api"), urls.month("2026-11"), urls.person(CY), urls.person(ADA)):
        assert title in words(read_page(site, page))
    assert title not in words(read_page(site, urls.system("website")))
    assert "What customers call." in words(read_page(site, urls.system("api")))
    person = words(read_page(site, urls.person(ADA)))
    assert "root change-manager" in person
    assert "Answers for Public API" in person
    assert "Patch the proxy" in section(site, urls.person(ADA), "waiting")


def test_people_are_told_by_what_waits_for_them(site: Path) -> None:
    """Roles, what waits for whom, systems, how much they did, and when they last signed; those who are asked first."""
    asked = section(site, urls.PEOPLE, "asked")
    assert (
        f"{ADA} root change-manager 3 to evaluate Public API 1 10 20 Nov 2026, 22:00 CET" in asked
    )  # of ten signatures the newest, on a change that others signed after her
    assert f"{CY} developer 1 to edit, 3 to implement 13 1" in asked
    html = (site / urls.PEOPLE).read_text()
    assert urls.register(waiting=ADA).replace("&", "&amp;") in html
    assert "Last signature 20 Nov 2026, 22:00 CET claimed" in words(read_page(site, urls.person(ADA)))
    assert "Last signature never" in words(read_page(site, urls.person(EVE)))


def test_people_for_whom_nothing_waits_stand_by_themselves(tmp_path: Path) -> None:
    """Somebody who left signed once and holds no role now."""
    gone = "zoe@example.org"
    case = Case(example_change(1, requester=gone)).sign("withdrawal", "withdraw", gone, "requester")
    build_and_publish(Site(overview_of(case.assess())), None, tmp_path / "site")
    assert 'id="asked"' not in (tmp_path / "site" / urls.PEOPLE).read_text()
    others = section(tmp_path / "site", urls.PEOPLE, "others")
    assert "Everybody 6" in others
    assert f"{gone} no role now nothing 1 1 20 Nov 2026" in others


def test_home_shows_those_who_have_most_to_do(tmp_path: Path) -> None:
    """In a large company home names eight people, and leads to all of them."""
    many = ", ".join(f'"dev{number}@example.org"' for number in range(11))
    roles = POLICY_FILES["policy.toml"].replace(
        f'developer = {{ members = ["{BO}", "{CY}"] }}', f"developer = {{ members = [{many}] }}"
    )
    files = {**POLICY_FILES, "policy.toml": roles}
    policy, findings = load_policy({name: text.encode() for name, text in files.items()}, "7" * 40)
    assert policy is not None, findings
    case = Case(example_change(1), policy=policy).approve()
    build_and_publish(Site(overview_of(case.assess(), policy=policy)), None, tmp_path / "site")
    text = section(tmp_path / "site", urls.HOME, "waiting")
    assert text.count("@example.org") == 8
    assert "3 more people have less to do." in text


def test_the_policy_is_said_in_words(site: Path) -> None:
    """Rules, roles, deadlines, waivers, models and fields, as sentences."""
    text = words(read_page(site, urls.POLICY))
    for part in (
        "Every change is evaluated by one person as change-manager, implemented by one person as developer "
        "and validated by one person as system-user.",
        "Every normal or emergency change of high or critical risk that touches customer information is "
        "evaluated by one person as security.",
        "A request is evaluated within 3 days of its arrival.",
        "The author of a change's text may evaluate it. Until 31 Dec 2026, 01:00 CET.",
        "Only one change manager until the second is hired.",
        "Renew a certificate",
        "Number in the old ticket system",
        "2 together",
        "Customer database , holds customer information",
        'ada@example.org namespaces="gitchange"',
    ):
        assert re.sub(r"\s+([.,])", r"\1", part) in re.sub(r"\s+([.,])", r"\1", text)


def test_the_policy_page_tells_what_each_version_changed(site: Path) -> None:
    """Newest first: who may do more or less, what is asked, marked where it is weaker or stronger."""
    text = re.sub(r"\s+([.,])", r"\1", section(site, urls.POLICY, "history"))
    for part in (
        f"Version 2 Since 23 Oct 2026, 22:00 CEST commit ffffffffffff, approved by {ADA}, {BO}",
        f"Who may do what {CY} loses: can no longer evaluate as security (high risk to customer data)",
        "a policy change now needs 2 of 2 root members instead of 1 of 2 stronger",
        "A request is evaluated within 3 days of its arrival; before: no deadline stronger",
        "Not in force Since 13 Oct 2026",
        "<nobody> approved it",
        "Version 1",
        "The first policy; it is trusted",
    ):
        assert part in text, text
    assert text.index("Version 2") < text.index("Not in force") < text.index("Version 1")
    assert "the version is" not in text


def test_findings_are_gathered_on_one_page(site: Path) -> None:
    """Those of the repository and those of each change stand on the page for auditors; every page leads there."""
    text = section(site, urls.AUDIT, "findings")
    assert "introduction.not-pinned" in text
    assert "approval.stale" in text
    assert urls.AUDIT in read_page(site, "index.html").links


def test_the_audit_page_names_what_it_speaks_of(site: Path) -> None:
    """The heads in full, how to check them oneself, and the changes by status; no other page but home has them."""
    text = words(read_page(site, urls.AUDIT))
    for part in ("a" * 40, "b" * 40, "c" * 40, "7" * 40, f"gitchange verify --as-of {'a' * 40}", "16 in all"):
        assert part in text
    holders = {p.name for p in site.rglob("*.html") if "a" * 40 in p.read_text()}
    assert holders == {"audit.html", "index.html"}


def test_the_coverage_page_has_the_latest_of_each_system(site: Path) -> None:
    """What counts is told by system, kind and environment; each leads to the whole result below."""
    text = section(site, urls.COVERAGE, "latest")
    for part in (
        "Public API coverage incomplete 10 covered, 2 uncovered 555555555555 to 666666666666",
        "Public API gate, production refused",
        "Public API gate, staging allowed",
        "mainframe coverage complete 12 covered",
    ):
        assert part in text
    assert text.count("coverage") == 2
    html = (site / urls.COVERAGE).read_text()
    assert set(re.findall(r'href="#(r-\w+)"', html)) <= set(re.findall(r'id="(r-\w+)"', html))


def test_the_coverage_page_lists_all_results(site: Path) -> None:
    """Each with its answer, why it was refused, who signed, and why it does not count where it does not."""
    text = section(site, urls.COVERAGE, "all")
    for part in (
        "All results 6",
        "does not count coverage",
        "ada@example.org is no recorder",
        "commit 000000000000 (Serve) is not covered",
        "2 more",
        "policy version 2",
        "20 Nov 2026, 13:30 CET",
        "not yet",
    ):
        assert part in text
    assert "git notes --ref=gitchange/approvals show" in section(site, urls.COVERAGE, "yourself")
    assert "6 signed results" in section(site, urls.AUDIT, "coverage")


def test_the_coverage_page_says_how_to_record(tmp_path: Path) -> None:
    """Where nothing was recorded, the page tells what to do."""
    build_and_publish(Site(overview_of()), None, tmp_path / "site")
    text = words(read_page(tmp_path / "site", urls.COVERAGE))
    assert "Nothing was recorded yet" in text
    assert "--record" in text


def test_the_audit_page_has_the_checks_of_verify(tmp_path: Path) -> None:
    """Each check with its question, how much it looked at and what it found."""
    finding = Finding("notes.line-lost", "notes commit `eeeeeeeeeeee` lost <something>", "unite the two")
    checks = (
        Check("append-only", "did every notes commit keep what its parents had?", 12, (finding,)),
        Check("documented changes", "does every record bear out its change?", 7, ()),
    )
    verification = Verification("breach", "a" * 40, "b" * 40, "c" * 40, False, "7" * 40, checks)
    build_and_publish(Site(overview_of(), verification=verification), None, tmp_path / "site")
    text = words(read_page(tmp_path / "site", urls.AUDIT))
    for part in (
        "Breach",
        "Append-only Did every notes commit keep what its parents had? 12 1 failed",
        "Documented changes Does every record bear out its change? 7 0 passed",
        "7 are documented",
        "not pinned: taken on trust",
        "lost <something>",
    ):
        assert part in text, text
    assert "verification found a breach" in words(read_page(tmp_path / "site", urls.HOME))


def test_a_page_of_a_system_tells_how_it_fares(site: Path) -> None:
    """Open changes first, what is planned, how many failed, what it needs and which freezes hold for it."""
    text = words(read_page(site, urls.system("api")))
    order = [text.index(part) for part in ("Planned next", "Open 8", "Lately 3", "Freezes sales week")]
    assert order == sorted(order)
    assert "Failure rate 50 % 1 of 2" in text
    assert "Needs Customer database" in text
    assert "Needed by Public API" in words(read_page(site, urls.system("database")))
    assert "sales week" not in words(read_page(site, urls.system("database")))
    assert "end of year" in words(read_page(site, urls.system("database")))
    assert "Public API api yes ada@example.org 8 11 50 %" in words(read_page(site, urls.SYSTEMS))


def test_home_says_what_is_due(site: Path) -> None:
    """By when, with what a script needs to hold it against the reader's clock; nothing is called late by the build."""
    html = (site / "index.html").read_text()
    due = html[html.index('id="due"') : html.index('<div class="pair">')]
    assert "due by" in due
    seconds = [int(found) for found in re.findall(r'data-due="(\d+)"', due)]
    assert seconds == sorted(seconds)
    assert len(seconds) > 3
    assert due.count("hidden>overdue") == len(seconds)


def test_pages_say_what_they_are_to_those_who_link_to_them(site: Path) -> None:
    """Title, description and address, where there is one; nothing that would be loaded from elsewhere."""
    html = (site / DOCUMENTED).read_text()
    assert '<meta property="og:title" content="Renew the wildcard certificate · CHG-20261107-0006">' in html
    address = f"https://changes.example.org/acme/{DOCUMENTED}"
    assert f'<meta property="og:url" content="{address}">' in html
    assert f'<link rel="canonical" href="{address}">' in html
    assert "og:image" not in html
    assert 'href="../feed.xml"' in html
    assert 'href="../feeds/api.xml"' in (site / urls.system("api")).read_text()


def test_a_page_that_is_not_there_has_a_page(site: Path) -> None:
    """Its links begin with the site's path, since it is shown at any address."""
    reading = read_page(site, urls.NOT_FOUND)
    assert "There is no such page" in reading.text
    assert "/acme/assets/site.css" in reading.loads
    assert "/acme/changes.html" in reading.links
    assert "og:url" not in (site / urls.NOT_FOUND).read_text()


def test_hand_written_pages_are_in_the_same_theme(site: Path) -> None:
    """A page of docs/ has the header, appears in it, and may link to a change."""
    handbook = read_page(site, "handbook.html")
    assert "Overview" in handbook.text
    assert DOCUMENTED in handbook.links
    assert "align" in str([a for tag, a in handbook.tags if tag == "td"])
    assert "../handbook.html" in read_page(site, DOCUMENTED).links


def test_a_script_in_any_text_is_text(hostile: Path) -> None:
    """No page of a site in which everything is hostile has a tag or an attribute that people wrote."""
    for path in hostile.rglob("*.html"):
        reading = read_page(hostile, path.relative_to(hostile).as_posix())
        assert reading.problems == [], path
        assert not [tag for tag, _ in reading.tags if tag in ("img", "iframe", "object")]
        assert [a["src"] for tag, a in reading.tags if tag == "script"] == [
            name for name in reading.loads if name.endswith(".js")
        ]
        assert not any(name.startswith("on") for _, a in reading.tags for name in a)
        # Anywhere: in attributes and in the head too.
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", path.read_text()), (
            path
        )
    assert broken_links(hostile) == []


def test_an_overview_without_a_policy_has_a_site(tmp_path: Path) -> None:
    """When the policy cannot be read the site says so, and shows the requests all the same."""
    assessment = replace(Case(example_change()).assess(), evidence=None, verdict=None, policy=None)
    build_and_publish(Site(overview_of(assessment, policy=None)), None, tmp_path / "site")
    assert "The policy cannot be read" in words(read_page(tmp_path / "site", urls.POLICY))
    assert "Undecided" in words(read_page(tmp_path / "site", urls.change(assessment.id)))
    assert broken_links(tmp_path / "site") == []


def test_an_empty_repository_has_a_site(tmp_path: Path) -> None:
    """The first build, before the first change, has every index page."""
    build_and_publish(Site(overview_of(notes=None)), None, tmp_path / "site")
    assert "0 changes, 0 of them open." in words(read_page(tmp_path / "site", urls.HOME))
    assert broken_links(tmp_path / "site") == []


def test_a_page_is_made_anew_when_a_neighbour_moves() -> None:
    """It names the nearest in time first; which that is can change where nothing else that it says does."""
    own = Case(example_change(1, systems=["api", "database"]))

    def site(days: int) -> Site:
        others = [Case(example_change(2, systems=["api"])), Case(example_change(3, systems=["database"]))]
        others[0].requested, others[1].requested = (own.requested + DAY * n for n in (days, 2))
        return Site(overview_of(own.assess(), *(other.assess() for other in others)))

    before, after = site(1), site(3)
    one, other = before.known["CHG-20261102-0001"], after.known["CHG-20261102-0001"]
    assert [r.brief.id for r in before.related(one)] == ["CHG-20261103-0002", "CHG-20261104-0003"]
    assert [r.brief.id for r in after.related(other)] == ["CHG-20261104-0003", "CHG-20261103-0002"]
    assert one.digest == other.digest
    assert before.inputs_of(one) != after.inputs_of(other)


def test_the_names_are_those_of_the_plan() -> None:
    """What hand-written pages may not overwrite, and may link to, is every file that is written, and no other."""
    pages = Pages(Site(example_overview()), jinja2.Environment(autoescape=True))
    plan, data = pages.plan(), pages.data("")
    assert all(pages.has(name) for name in (*plan, *data))
    assert pages.count == len(plan)
    assert len(pages.dated()) + sum(name.startswith("changes/") for name in plan) == len(plan)
    others = (
        "changes/CHG-20991231-ZZZZ.html",
        "changes/.html",
        "systems/other.html",
        "feeds/x.xml",
        "changes",
        "",
    )
    assert not any(pages.has(name) for name in others)
