"""Building a site: what it reads, what it refuses, and that a failure leaves the old site."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mkdocs.utils import get_theme_dir

from gitchange.errors import GitchangeError, UsageError
from gitchange.site import urls
from gitchange.site.build import build_and_publish, build_site
from gitchange.site.root import CONFIGURATION, TEMPLATES
from gitchange.site.scaffold import site_files
from gitchange.site.site import Site
from tests.unit.site.builder import NOW, Case, example_change, overview_of
from tests.unit.site.reading import broken_links, read_page
from tests.unit.site.repository import ConfigurationRepository

SMALL = overview_of(Case(example_change()).assess())


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_mkdocs_finds_the_theme() -> None:
    """The theme's entry point leads to site-templates/, which has what MkDocs asks of a theme."""
    assert Path(get_theme_dir("gitchange")) == TEMPLATES
    assert (TEMPLATES / "mkdocs_theme.yml").is_file()
    assert CONFIGURATION.is_file()


def test_a_site_is_built_quietly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed, the report says what was built, and nothing but the site is left beside it."""
    report = build_and_publish(Site(SMALL), None, tmp_path / "out" / "site")
    assert (report.changes, report.main, report.errors, report.warnings) == (1, SMALL.main, False, ())
    assert (
        report.pages == len([name for name in tree(report.output) if name.endswith(".html")]) - 1
    )  # 404.html
    assert os.listdir(tmp_path / "out") == ["site"]
    assert capfd.readouterr() == ("", "")


def test_a_rebuild_replaces_the_site(tmp_path: Path) -> None:
    """Pages that are no more are gone, also when the site lies behind a link."""
    (tmp_path / "www").symlink_to("real-www")
    first = overview_of(Case(example_change(1)).assess(), Case(example_change(2)).assess())
    build_and_publish(Site(first), None, tmp_path / "www")
    assert (tmp_path / "real-www" / urls.change("CHG-20261103-0002")).is_file()
    build_and_publish(Site(SMALL), None, tmp_path / "www")
    assert not (tmp_path / "real-www" / urls.change("CHG-20261103-0002")).exists()
    assert (tmp_path / "www").is_symlink()


def test_a_failed_build_leaves_the_old_site(tmp_path: Path) -> None:
    """A broken link in a hand-written page fails the build, is named, and the old site stands."""
    output = tmp_path / "out" / "site"
    build_and_publish(Site(SMALL), None, output)
    before = tree(output)
    (tmp_path / "work" / "docs").mkdir(parents=True)
    (tmp_path / "work" / "docs" / "page.md").write_text("[x](missing.md)\n")
    with pytest.raises(GitchangeError, match=r"missing\.md"):
        build_and_publish(Site(SMALL), tmp_path / "work", output)
    assert tree(output) == before
    assert sorted(os.listdir(tmp_path / "out")) == [".site.spare", "site"]


def test_a_crash_leaves_the_old_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of any kind in the midst of writing pages leaves the old site and the environment."""
    output = tmp_path / "out" / "site"
    build_and_publish(Site(SMALL), None, output)
    before = tree(output)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setattr("gitchange.site.output.Output.put", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build_and_publish(Site(SMALL), None, output)
    assert tree(output) == before
    assert sorted(os.listdir(tmp_path / "out")) == [".site.spare", "site"]
    assert os.environ["SOURCE_DATE_EPOCH"] == "1"
    assert logging.getLogger("mkdocs").propagate


@pytest.mark.parametrize("content", ["notes.txt", ".git/HEAD"])
def test_a_folder_that_is_no_site_is_not_replaced(tmp_path: Path, content: str) -> None:
    """A mistyped output never costs anybody's files."""
    (tmp_path / "home" / content).parent.mkdir(parents=True)
    (tmp_path / "home" / content).write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        build_and_publish(Site(SMALL), None, tmp_path / "home")
    assert (tmp_path / "home" / content).read_text() == "mine"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """A folder that was made for the site is used."""
    (tmp_path / "site").mkdir()
    build_and_publish(Site(SMALL), None, tmp_path / "site")
    assert (tmp_path / "site" / "index.html").is_file()


def test_a_repositorys_own_configuration_is_followed(tmp_path: Path) -> None:
    """Its mkdocs.yml names the site; a missing docs folder is no obstacle."""
    (tmp_path / "mkdocs.yml").write_bytes(site_files("Häuser & <Söhne>")["mkdocs.yml"])
    build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")
    assert "Häuser & <Söhne>" in read_page(tmp_path / "site", "index.html").text
    assert broken_links(tmp_path / "site") == []


def test_a_docs_dir_of_its_own_is_followed(tmp_path: Path) -> None:
    """A repository may keep its pages elsewhere; one that it names and does not have is an error."""
    (tmp_path / "mkdocs.yml").write_bytes(site_files("T")["mkdocs.yml"] + b"docs_dir: handbook\n")
    with pytest.raises(GitchangeError, match="handbook"):
        build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "nights.md").write_text("# Nights\n")
    build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "nights.html").is_file()


def test_a_configuration_without_the_plugin_is_refused(tmp_path: Path) -> None:
    """A mkdocs.yml that was made for something else is told so."""
    (tmp_path / "mkdocs.yml").write_text("site_name: Other\n")
    with pytest.raises(GitchangeError, match="does not use the plugin gitchange"):
        build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")
    (tmp_path / "mkdocs.yml").write_text("site_name: Other\nplugins: [gitchange]\n")
    with pytest.raises(GitchangeError, match="needs its own theme"):
        build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")


def test_a_hand_written_page_cannot_replace_a_generated_one(tmp_path: Path) -> None:
    """docs/policy.md would be taken for the policy: the build says so and stops."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "policy.md").write_text("# We approve everything\n")
    with pytest.raises(GitchangeError, match=r"policy\.md would be written to policy\.html"):
        build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")


def test_the_build_is_dated_by_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While MkDocs builds, its date is the commit's; afterwards the environment is as before."""
    seen: list[str] = []
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    (tmp_path / "hook.py").write_text(
        "import os, pathlib\n"
        "def on_files(files, config):\n"
        f"    pathlib.Path({str(tmp_path / 'seen')!r}).write_text(os.environ['SOURCE_DATE_EPOCH'])\n"
    )
    (tmp_path / "mkdocs.yml").write_bytes(site_files("T")["mkdocs.yml"] + b"hooks: [hook.py]\n")
    build_and_publish(Site(SMALL), tmp_path, tmp_path / "site")
    seen.append((tmp_path / "seen").read_text())
    assert seen == [str(int(SMALL.commit_time.timestamp()))]
    assert "SOURCE_DATE_EPOCH" not in os.environ


@pytest.mark.parametrize("kind", ["work tree", "below it", "bare"])
def test_a_real_repository_is_built(real: ConfigurationRepository, tmp_path: Path, kind: str) -> None:
    """From the work tree, from a folder in it, and from a bare repository."""
    folder = {"work tree": real.folder, "below it": real.folder / "policy", "bare": tmp_path / "x.git"}[kind]
    if kind == "bare":
        real.clone(folder, "--mirror")
    report = build_site(folder, tmp_path / "site", now=NOW)
    assert report.changes == 3
    assert report.notes is not None
    assert "Acme changes" in read_page(report.output, "index.html").text
    assert "Good" not in read_page(report.output, "index.html").text
    assert broken_links(report.output) == []


def test_plain_mkdocs_builds_what_init_writes(real: ConfigurationRepository, tmp_path: Path) -> None:
    """`mkdocs build` in a clone with the files of `init` gives the site that `gitchange site build` gives."""
    clone = real.clone(tmp_path / "clone")
    shutil.copyfile(real.folder / ".git" / "config", clone / ".git" / "config")
    for path, content in site_files("Acme changes").items():
        (clone / path).parent.mkdir(exist_ok=True)
        (clone / path).write_bytes(content)
    subprocess.run(
        ["git", "-C", str(clone), "fetch", "-q", str(real.folder), "refs/notes/*:refs/notes/*"], check=True
    )
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "plain")],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert broken_links(tmp_path / "plain") == []
    build_site(clone, tmp_path / "ours", now=NOW)
    assert tree(tmp_path / "plain") == tree(tmp_path / "ours")


def test_plain_mkdocs_says_what_is_wrong(tmp_path: Path) -> None:
    """Outside a configuration repository the message is ours, not a traceback."""
    for path, content in site_files("T").items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not in a Git repository" in done.stderr
    assert "Traceback" not in done.stderr
