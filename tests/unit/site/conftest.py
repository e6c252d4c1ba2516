"""Sites that several tests read: built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitchange.site.build import build_and_publish
from gitchange.site.site import Site
from tests.unit.site.builder import example_change, example_overview
from tests.unit.site.hostile import HOSTILE, hostile_overview
from tests.unit.site.repository import ConfigurationRepository
from tests.unit.site.results import example_results, hostile_results

INDEX = """# Welcome

Read [the handbook](handbook.md) and [the policy](policy.html).
"""
HANDBOOK = """# Handbook

| left | right |
|------|------:|
| 1    | 2     |

See [a change](changes/CHG-20261107-0006.html).

## Nights
"""


@pytest.fixture(scope="session")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work tree with hand-written pages and no mkdocs.yml."""
    work_dir = tmp_path_factory.mktemp("work")
    (work_dir / "docs" / "guides").mkdir(parents=True)
    (work_dir / "docs" / "index.md").write_text(INDEX)
    (work_dir / "docs" / "handbook.md").write_text(HANDBOOK)
    (work_dir / "docs" / "guides" / "night.md").write_text("# At night\n\n[Home](../index.md)\n")
    return work_dir


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, work_dir: Path) -> Path:
    """The site of the example overview."""
    output = tmp_path_factory.mktemp("output") / "site"
    build_and_publish(
        Site(example_overview(), recorded=example_results()),
        work_dir,
        output,
        site_url="https://changes.example.org/acme/",
    )
    return output


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site whose every text tries to break out."""
    output = tmp_path_factory.mktemp("hostile") / "site"
    build_and_publish(Site(hostile_overview(), recorded=hostile_results(HOSTILE)), None, output)
    return output


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> ConfigurationRepository:
    """A real repository with an approved, an edited and a documented change."""

    repository = ConfigurationRepository.create(tmp_path_factory.mktemp("real"))
    repository.approve(repository.request(example_change(1)))
    path = repository.request(example_change(2))
    repository.approve(path)
    repository.request(example_change(2, scope="Another gateway."))
    repository.complete(repository.request(example_change(3)))
    return repository
