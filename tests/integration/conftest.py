"""A company at every stage of one change, made once for each worker and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.company import Company, clones, found, git

STAGES = ("founded", "requested", "approved", "implemented", "validated", "documented")
COMMENT = "go ahead"


@dataclass(frozen=True)
class Scene:
    """A company and its one change."""

    company: Company
    change: str

    @property
    def repo(self) -> Path:
        """The company's repository."""
        return self.company.repo

    @property
    def path(self) -> str:
        """The change file's path in the repository."""
        return f"changes/{self.change[4:8]}/{self.change[8:10]}/{self.change}.toml"

    @property
    def file(self) -> Path:
        """The change file in the work tree."""
        return self.repo / self.path

    @property
    def status(self) -> str:
        """The computed status."""
        return str(self.company.show(self.change)["status"])

    def codes(self) -> set[str]:
        """Codes of all findings about the change."""
        return {finding["code"] for finding in self.company.show(self.change)["findings"]}

    def commit(self, text: bytes | str, *options: str, person: str = "bo", message: str = "Edit") -> str:
        """Commit another text of the change file as a person; the commit's id."""
        self.company.become(person)
        self.file.write_bytes(text if isinstance(text, bytes) else text.encode())
        git(self.repo, "commit", "--quiet", "-m", message, *options, "--", self.path)
        return git(self.repo, "rev-parse", "HEAD")


Take = Callable[[str], Scene]


def _advance(scene: Scene, stage: str) -> Scene:
    company, change = scene.company, scene.change
    match stage:
        case "requested":
            return Scene(company, company.request("bo"))
        case "approved":
            company.must("ada", "approve", change, "--yes", "-m", COMMENT)
        case "implemented":
            company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
        case "validated":
            company.must(
                "dee", "validate", change, "--works", "--no-security-risk", "--evidence", "looked at it"
            )
        case "documented":
            words = ("--outcome", "successful", "--summary", "It works.", "--lessons", "Do it by day.")
            company.must("ada", "document", change, *words)
    return scene


def copied(scene: Scene, root: Path) -> Scene:
    """The same company in another folder."""
    shutil.copytree(scene.company.root, root, symlinks=True)
    return Scene(Company(root, root / "repo"), scene.change)


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Scene]:
    """Each stage, made from the one before when it is first asked for. Not to be written to."""
    root = tmp_path_factory.mktemp("stages")
    made: dict[str, Scene] = {}

    def at(stage: str) -> Scene:
        if stage not in made:
            place = STAGES.index(stage)
            if place == 0:
                (root / stage).mkdir()
                made[stage] = Scene(found(root / stage), "")
            else:
                made[stage] = _advance(copied(at(STAGES[place - 1]), root / stage), stage)
        return made[stage]

    return at


@pytest.fixture
def take(stages: Callable[[str], Scene], tmp_path: Path) -> Take:
    """A company of the test's own, with its change at the stage asked for."""
    return lambda stage: copied(stages(stage), tmp_path / "company")


@pytest.fixture
def company(take: Take) -> Company:
    """A company without any change."""
    return take("founded").company


@dataclass(frozen=True)
class Shared:
    """A company with a shared bare repository and a clone for each of some people."""

    company: Company
    change: str
    server: Path
    clone: dict[str, Path]


@pytest.fixture
def shared(take: Take) -> Callable[..., Shared]:
    """The company at a stage, with its shared repository (notes included) and people's clones."""

    def make(stage: str, *people: str) -> Shared:
        scene = take(stage)
        server = scene.company.root / "server.git"
        git(scene.company.root, "clone", "--quiet", "--mirror", str(scene.repo), str(server))
        git(server, "config", "--unset", "remote.origin.mirror")
        git(server, "config", "receive.denyNonFastForwards", "false")
        return Shared(scene.company, scene.change, server, dict(clones(scene.company, *people)))

    return make
