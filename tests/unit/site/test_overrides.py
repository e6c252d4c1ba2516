"""A company changes one piece of the theme in its configuration repository, and everything else stays."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from gitchange.site import urls
from gitchange.site.build import BuildReport, build_and_publish
from gitchange.site.root import TEMPLATES
from gitchange.site.scaffold import site_files
from gitchange.site.site import Site
from tests.unit.site.builder import example_overview
from tests.unit.site.reading import broken_links, pages_of, read_page

CONFIGURATION = site_files("Acme changes")["mkdocs.yml"].decode()
CHANGE = urls.change("CHG-20261107-0006")

FOOTER = """{% extends "base.html" %}
{% block footer %}
{{ super() }}
<p>Questions? <a href="mailto:changes@acme.example">Ask</a> about {{ config.site_name }} & more.</p>
{% endblock %}
{% block sections %}
<li><a href="https://wiki.acme.example/">Wiki</a></li>
{% endblock %}
"""

MARKS = TEMPLATES / "parts" / "marks.html"


class Company:
    """A work tree with a configuration of its own, and the site that is built of it."""

    def __init__(self, root: Path) -> None:
        self.work_dir, self.output = root / "work", root / "site"
        self.write("mkdocs.yml", CONFIGURATION)

    def write(self, path: str, text: str) -> None:
        """Write a file of the work tree."""
        (self.work_dir / path).parent.mkdir(parents=True, exist_ok=True)
        (self.work_dir / path).write_text(text)

    def use(self, folder: str) -> None:
        """Name a theme folder in the configuration."""
        named = f"theme:\n  name: gitchange\n  custom_dir: {folder}\n"
        self.write("mkdocs.yml", CONFIGURATION.replace("theme:\n  name: gitchange\n", named))

    def build(self) -> BuildReport:
        """Build the site, or bring it up to date."""
        report = build_and_publish(Site(example_overview()), self.work_dir, self.output)
        assert broken_links(self.output) == []
        return report

    def pages(self) -> dict[str, str]:
        """Every page."""
        return {name: (self.output / name).read_text() for name in pages_of(self.output)}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company whose site was built before it changed anything."""
    company = Company(tmp_path)
    company.build()
    return company


def test_a_block_of_the_frame_is_changed(company: Company) -> None:
    """A footer and an entry of the navigation, on generated pages, hand-written ones and that for what is missing."""
    before = company.pages()
    company.use("theme")
    company.write("theme/main.html", FOOTER)
    company.write("docs/handbook.md", "# Handbook\n")
    company.build()
    for name, html in company.pages().items():
        reading = read_page(company.output, name)
        assert "mailto:changes@acme.example" in reading.links, name
        assert "https://wiki.acme.example/" in reading.links, name
        assert "about Acme changes & more." in reading.text
        assert "Nobody typed a status here" in reading.text
        if name == CHANGE:
            old, new = (re.sub(r"(?s).*<main|</main>.*", "", page) for page in (before[name], html))
            assert old == new


def test_a_part_is_changed(company: Company) -> None:
    """A status has a sign before its name wherever the theme shows one; pages that show none are as they were."""
    before = company.pages()
    company.use("theme")
    told = MARKS.read_text()
    assert '">{{ status' in told
    company.write("theme/parts/marks.html", told.replace('">{{ status', '">● {{ status', 1))
    company.build()
    after = company.pages()
    assert after.keys() == before.keys()
    for name in (CHANGE, urls.HOME, urls.CHANGES, urls.system("api")):
        assert after[name] != before[name]
        assert after[name].replace("● ", "") == before[name]
    for name in (urls.POLICY, urls.PEOPLE, urls.STATISTICS):
        assert after[name] == before[name]


def test_one_page_is_changed(company: Company) -> None:
    """A template of a page takes the place of ours, with everything that ours are given, and escapes as ours do."""
    before = company.pages()
    company.use("theme")
    company.write(
        "theme/pages/statuses.html",
        "<h1>Where we are</h1>\n<ul>{% for group in site.statuses %}"
        '<li><a href="{{ root }}{{ urls.register(status=group.name) }}">{{ group.name }}</a>: '
        "{{ group.briefs | length }} {{ '<b>' }}</li>{% endfor %}</ul>\n",
    )
    company.build()
    after = company.pages()
    assert [name for name in after if after[name] != before[name]] == [urls.STATUSES]
    text = re.sub(r"\s+", " ", read_page(company.output, urls.STATUSES).text)
    assert "Where we are" in text
    assert "documented: 1 <b>" in text


def test_the_look_is_changed(company: Company) -> None:
    """A style sheet of docs/ comes after ours on every page, however deep; a file of the theme replaces ours."""
    company.use("theme")
    company.write("docs/acme.css", ":root { --accent: #7a1f5c; }\n")
    company.write("theme/assets/icon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>\n")
    with (company.work_dir / "mkdocs.yml").open("a") as file:
        file.write("extra_css: [acme.css]\n")
    company.build()
    for name in pages_of(company.output):
        sheets = [address for address in read_page(company.output, name).loads if address.endswith(".css")]
        assert [sheet.rpartition("/")[2] for sheet in sheets] == ["site.css", "acme.css"], name
    assert (company.output / "acme.css").read_text() == ":root { --accent: #7a1f5c; }\n"
    assert (company.output / "assets" / "icon.svg").read_text().startswith("<svg xmlns='")
    assert (company.output / "assets" / "site.css").read_bytes() == (
        TEMPLATES / "assets" / "site.css"
    ).read_bytes()


def test_what_is_taken_back_is_gone(company: Company) -> None:
    """Without the folder the site is what it was, to the byte, though it was brought up to date and not built anew."""
    before = company.pages()
    company.use("theme")
    company.write("theme/main.html", FOOTER)
    company.build()
    assert company.pages() != before
    company.write("mkdocs.yml", CONFIGURATION)
    company.build()
    assert company.pages() == before


def test_the_folder_of_the_documentation_works(company: Company) -> None:
    """The example that docs/site.md gives is a theme that can be used as it stands."""
    told = (Path(__file__).parents[3] / "docs" / "site.md").read_text()
    example = re.search(r"<!-- theme -->\n```sh\n(.*?)```", told, re.DOTALL)
    assert example
    subprocess.run(["sh", "-euc", example[1]], cwd=company.work_dir, check=True)
    company.build()
    reading = read_page(company.output, CHANGE)
    assert "mailto:changes@acme.example" in reading.links
    assert any(address.endswith("acme.css") for address in reading.loads)
