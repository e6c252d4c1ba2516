"""A site that is brought up to date step by step is, to the byte, the one that is built from nothing.

Random histories are played on a real repository; after each step the site is brought up to date, and built anew in
another folder, sometimes without an index, on another day.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from pathlib import Path

import pytest

from gitchange.assessment.assess import newest_moment
from gitchange.errors import GitchangeError
from gitchange.git.repository import Repository
from gitchange.index import refresh
from gitchange.site import plugin, register
from gitchange.site.build import BuildReport, build_site
from gitchange.site.catalogue import Catalogue
from gitchange.site.delta import Delta, since
from gitchange.site.listed import Basis
from gitchange.site.site import Site
from tests.company import git

from .test_index import World, complete, edit, index_of, merge, remove, request, seal, sign

HISTORIES = int(os.environ.get("GITCHANGE_TEST_HISTORIES", "3"))


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The names of files that differ."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def place(root: Path) -> Path:
    """A folder for the company."""
    (root / "world").mkdir()
    return root / "world"


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_steps_give_what_nothing_gives(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happened in between, both folders hold the same bytes."""
    chance = random.Random(1000 + seed)  # noqa: S311 - histories, no secrets
    world = World(place(tmp_path), chance, monkeypatch)
    for _ in range(3):
        request(world)
    compared = 0
    for number in range(8):
        world.play()
        try:
            build_site(world.repo, tmp_path / "steps" / "site")
        except GitchangeError:
            continue  # a history that nobody can judge; the site stays as it is
        if chance.random() < 0.5:
            index_of(world.repo).unlink(missing_ok=True)
        anew = tmp_path / f"anew-{number}" / "deeper" / "www"
        world.wait(chance.choice((0, 1000)))
        build_site(world.repo, anew)
        found = differing(tree(tmp_path / "steps" / "site"), tree(anew))
        assert found == [], f"seed {seed}, after {', '.join(world.played)}"
        compared += 1
    assert compared


def mention(world: World) -> None:
    """A text names another change, which may not be there, or no longer."""
    path, other = world.file(world.some), world.chance.choice([world.some, "CHG-20261120-AAAA"])
    if path.is_file():
        path.write_text(path.read_text().replace("It expires.", f"It expires, see {other}.", 1))
        world.commit("See another")


def plan(world: World) -> None:
    """A window within the next hours: it passes while the history goes on."""
    path = world.file(world.some)
    if path.is_file() and "[schedule]" not in path.read_text():
        start = world.now + dt.timedelta(minutes=world.chance.choice([5, 60]))
        end = start + dt.timedelta(minutes=world.chance.choice([5, 30]))
        path.write_text(
            f"{path.read_text()}\n[schedule]\nstart = {start.isoformat()}\nend = {end.isoformat()}\n"
        )
        world.commit("Plan")


def clash(world: World) -> None:
    """A change that came in long ago and is merged late, so that it stands between others."""
    before, world.now = world.now, world.now - dt.timedelta(days=world.chance.choice([1, 40]))
    world.wait(0)
    request(world)
    world.now = before
    world.wait(0)


SMALL = (
    request,
    request,
    edit,
    remove,
    sign,
    sign,
    sign,
    complete,
    complete,
    seal,
    merge,
    mention,
    plan,
    clash,
)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_what_a_delta_does_not_name_is_as_it_was(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the index goes on, so does the site, and asks only the pages that a delta names."""
    went_on: list[Delta] = []

    def watched(site: Site, basis: Basis) -> Delta | None:
        delta = since(site, basis)
        went_on.extend([delta] if delta is not None else [])
        return delta

    monkeypatch.setattr(plugin, "since", watched)
    chance = random.Random(2000 + seed)  # noqa: S311 - histories, no secrets
    world = World(place(tmp_path), chance, monkeypatch)
    for _ in range(8):
        request(world)
        world.wait(0.01)
    for number in range(10):
        for step in chance.choices(SMALL, k=chance.randint(1, 3)):
            world.played.append(step.__name__)
            step(world)
        world.wait(chance.choice((0.01, 0.2)))
        build_site(world.repo, tmp_path / "steps" / "site", site_url="https://changes.example.org/")
        anew = tmp_path / f"anew-{number}" / "www"
        build_site(world.repo, anew, site_url="https://changes.example.org/")
        found = differing(tree(tmp_path / "steps" / "site"), tree(anew))
        assert found == [], f"seed {seed}, after {', '.join(world.played)}"
    if seed < 3:  # in some histories two files share a text, and the index is made anew each time
        assert len([delta for delta in went_on if delta.changed]) >= 3


def test_only_what_changed_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more sign-off costs the pages that show it, however many changes there are."""
    world = World(place(tmp_path), random.Random(5), monkeypatch)  # noqa: S311
    for _ in range(6):
        request(world)
    output = tmp_path / "site"
    first = build_site(world.repo, output)
    assert first.written > first.pages
    for _ in range(2):  # two folders take turns
        assert build_site(world.repo, output).written == 0
    before = tree(output)
    untouched = output / "assets" / "site.css"
    inode = untouched.stat().st_ino
    world.company.become("ada")
    world.do("approve", world.changes[0], "--yes", "--comment", "Looked at.")
    done: BuildReport = build_site(world.repo, output)
    changed = differing(before, tree(output))
    assert done.written > 0
    assert len([name for name in changed if name.startswith("changes/")]) <= 6
    assert "policy.html" not in changed
    assert inode in {untouched.stat().st_ino, (tmp_path / ".site.spare/assets/site.css").stat().st_ino}


def test_an_index_of_another_moment_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks the index in between has rows judged for today; pages are not made from these and those."""
    world = World(place(tmp_path), random.Random(8), monkeypatch)  # noqa: S311
    request(world)
    repository = Repository.open(world.repo)
    moment = newest_moment(repository)
    taken = refresh.snapshot(repository, moment, None)
    assert taken is not None
    assert Catalogue.at(taken.path, taken.state, repository.blob) is not None
    assert refresh.snapshot(repository, moment + dt.timedelta(days=400), None) is not None
    assert Catalogue.at(taken.path, taken.state, repository.blob) is None


def test_site_is_that_of_its_newest_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day on which it is built changes nothing: deadlines that pass are told by the reader's clock."""
    world = World(place(tmp_path), random.Random(6), monkeypatch)  # noqa: S311
    request(world)
    build_site(world.repo, tmp_path / "one")
    world.wait(24 * 365)
    build_site(world.repo, tmp_path / "other")
    assert differing(tree(tmp_path / "one"), tree(tmp_path / "other")) == []
    newest = Repository.open(world.repo).commit(git(world.repo, "rev-parse", "main").strip()).committer.time
    assert newest <= dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def test_what_was_altered_in_the_output_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that somebody deleted comes back; a file that somebody added goes."""
    world = World(place(tmp_path), random.Random(7), monkeypatch)  # noqa: S311
    for _ in range(4):
        request(world)
    output = tmp_path / "site"
    build_site(world.repo, output)
    before = tree(output)
    for folder in (output, tmp_path / ".site.spare"):
        build_site(world.repo, output)
        page = next((folder / "changes").iterdir())
        page.unlink()
        (folder / "stray.html").write_text("stray")
    build_site(world.repo, output)
    build_site(world.repo, output)
    assert tree(output) == before


def test_another_address_or_title_is_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds of systems to which nothing happened, and parts of the sitemap, say the new one too."""
    world = World(place(tmp_path), random.Random(9), monkeypatch)  # noqa: S311
    monkeypatch.setattr(register, "BLOCK", 2)  # a sitemap in parts
    for _ in range(4):
        request(world)
    (world.repo / "mkdocs.yml").write_text(
        "site_name: Ours\ntheme: {name: gitchange}\nplugins: [gitchange]\n"
    )
    world.commit("A configuration of our own")
    output, settings = tmp_path / "steps" / "site", world.repo / "gitchange.toml"
    for number, (title, address) in enumerate(
        (("One", "https://a.example/"), ("One", "https://b.example/"), ("Two", "https://b.example/"))
    ):
        settings.write_text(f'title = "{title}"\n')
        world.commit("Settings")
        for _ in range(2):  # two folders take turns
            build_site(world.repo, output, site_url=address)
        anew = tmp_path / f"anew-{number}" / "www"
        build_site(world.repo, anew, site_url=address)
        assert differing(tree(output), tree(anew)) == []
