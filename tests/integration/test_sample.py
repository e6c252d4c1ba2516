"""`sample`: drawn from all of a period, by a seed that anybody can use again, with what is missing."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.company import Company, found, git, gitchange

PERIOD = ("--period", "2020-01-01..2099-12-31")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company with six changes that were implemented, one approved, one requested and one rejected."""
    company = found(tmp_path_factory.mktemp("sampled"))
    for system in ("api", "api", "api", "database", "database", "website"):
        change = company.request("bo", "--system", system)
        company.complete(change)
        if system != "website":
            company.must("ada", "document", change, "--outcome", "successful", "--summary", "It works.")
    company.must("ada", "approve", company.request(), "--yes")
    company.request()
    company.must("ada", "reject", company.request(), "--yes", "-m", "no")
    company.must("mo", "seal")
    return company


def sample(where: Path, *options: str, code: int = 0) -> Any:
    """`sample --json`."""
    given = options if "--period" in options else (*PERIOD, *options)
    done = gitchange(where, "sample", *given, "--json")
    assert done.code == code, done.out + done.err
    return done.json


def by_shell(population: Sequence[str], seed: str, size: int) -> list[str]:
    """The draw as docs/auditing.md says that anybody repeats it."""
    page = (Path(__file__).parents[2] / "docs" / "auditing.md").read_text()
    script = page.split("```sh draw\n", 1)[1].split("```", 1)[0]
    done = subprocess.run(
        ["sh", "-c", script, "sh", seed, str(size)],
        input="".join(f"{change}\n" for change in population),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_anybody_draws_the_same_again_with_sha256sum_and_sort(company: Company) -> None:
    """The order follows from seed and ids alone, and the digest names the population."""
    drawn = sample(company.repo, "--size", "4", "--seed", "17 dice: 4 6 1")
    population = drawn["population"]["ids"]
    assert drawn["sample"] == by_shell(population, "17 dice: 4 6 1", 4)
    digest = hashlib.sha256("".join(f"{change}\n" for change in sorted(population)).encode()).hexdigest()
    assert drawn["population"] == {"n": 6, "digest": digest, "ids": sorted(population)}
    assert [one["id"] for one in drawn["changes"]] == drawn["sample"]


def test_to_draw_more_only_adds(company: Company) -> None:
    """A larger sample begins with the smaller one; one that is larger than the population is all of it."""
    few, more, all_of_them = (
        sample(company.repo, "--size", size, "--seed", "x")["sample"] for size in ("2", "5", "50")
    )
    assert more[:2] == few
    assert all_of_them[:5] == more
    assert len(all_of_them) == 6


def test_another_clone_another_index_another_day(company: Company, tmp_path: Path, monkeypatch: Any) -> None:
    """What is drawn depends on the commits: not on the clone, on its index, or on the clock."""
    git(tmp_path, "clone", "--quiet", "--bare", str(company.repo), "other.git")
    other = tmp_path / "other.git"
    git(other, "fetch", "--quiet", "origin", "+refs/notes/gitchange/*:refs/notes/gitchange/*")
    git(other, "config", "gitchange.introduction", git(company.repo, "config", "gitchange.introduction"))
    gitchange(company.repo, "list")
    here = sample(company.repo, "--seed", "x")
    monkeypatch.setenv("GITCHANGE_NOW", "2041-05-06T07:08:09+00:00")
    assert sample(other, "--seed", "x") == here


def test_systems_types_and_periods_restrict_the_population(company: Company) -> None:
    """Each narrows the population, not the sample; the last day belongs to the period."""
    assert sample(company.repo, "--seed", "x", "--system", "database")["population"]["n"] == 2
    both = sample(company.repo, "--seed", "x", "--system", "database", "--system", "website")
    assert both["population"]["n"] == 3
    assert sample(company.repo, "--seed", "x", "--type", "emergency")["population"]["n"] == 0
    day = sample(company.repo, "--seed", "x")["changes"][0]["moments"]["implemented"][:10]
    assert sample(company.repo, "--seed", "x", "--period", f"{day}..2099-12-31")["population"]["n"] == 6
    assert sample(company.repo, "--seed", "x", "--period", f"2020-01-01..{day}")["population"]["n"] == 6
    assert sample(company.repo, "--seed", "x", "--period", "2020-01-01..2020-12-31")["population"]["n"] == 0


@pytest.mark.parametrize(
    ("by", "number"), [("requested", 9), ("approved", 7), ("implemented", 6), ("documented", 5)]
)
def test_what_places_a_change_in_the_period(company: Company, by: str, number: int) -> None:
    """A change is in the period by when the branch of record first showed what is asked for."""
    assert sample(company.repo, "--seed", "x", "--by", by)["population"]["n"] == number


def test_it_says_what_it_rests_on(company: Company) -> None:
    """Heads, whether they are pinned, and that everything the repository has is borne out."""
    drawn = sample(company.repo, "--seed", "x")
    assert drawn["heads"] == {
        "introduction": git(company.repo, "config", "gitchange.introduction"),
        "pinned": True,
        "main": git(company.repo, "rev-parse", "main"),
        "notes": git(company.repo, "rev-parse", "refs/notes/gitchange/approvals"),
    }
    assert drawn["complete"] is True
    assert drawn["verification"]["verdict"] == "ok"


def test_a_seed_is_thrown_and_told(company: Company) -> None:
    """Without a seed one is made at random, and the same sample comes of it again."""
    thrown = sample(company.repo)
    assert len(thrown["seed"]) == 16
    assert sample(company.repo, "--seed", thrown["seed"]) == thrown
    told = gitchange(company.repo, "sample", *PERIOD, "--seed", thrown["seed"])
    assert f"seed {thrown['seed']}" in told.out
    assert thrown["sample"][0] in told.out


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    """Unreadable files, implementations that nothing witnessed and removed files make a population incomplete."""
    company = found(tmp_path)
    documented = company.documented()
    pending = company.request()
    company.must("ada", "approve", pending, "--yes")
    company.must("bo", "implement", pending, "--steps-followed", "--test", "suite=passed")
    drawn = sample(company.repo, "--seed", "x", code=1)
    assert drawn["population"]["ids"] == [documented]
    assert {(gap["code"], gap["change"]) for gap in drawn["gaps"]} == {("population.not-witnessed", pending)}
    company.must("mo", "seal")
    assert sample(company.repo, "--seed", "x")["population"]["n"] == 2
    file = company.repo / f"changes/{pending[4:8]}/{pending[8:10]}/{pending}.toml"
    file.write_text("schema = 1\n")
    git(company.repo, "commit", "--quiet", "-am", "spoil it")
    drawn = sample(company.repo, "--seed", "x", code=1)
    assert {(gap["code"], gap["change"]) for gap in drawn["gaps"]} == {("population.unreadable", pending)}
    assert drawn["verification"]["verdict"] == "breach"
    git(company.repo, "rm", "--quiet", str(file))
    git(company.repo, "commit", "--quiet", "-m", "remove it")
    drawn = sample(company.repo, "--seed", "x", code=1)
    (failed,) = [check for check in drawn["verification"]["checks"] if not check["passed"]]
    assert failed["name"] == "change files"


def test_an_implementation_that_nobody_approved_is_in_the_population(tmp_path: Path) -> None:
    """What an auditor looks for most is not left out because it does not count."""
    company = found(tmp_path)
    change = company.request(
        "bo", "--type", "emergency", "--incident", "INC-1", "--justification", "It is down."
    )
    company.must("bo", "implement", change, "--steps-followed", "--test", "suite=passed")
    company.must("mo", "seal")
    edited = company.repo / f"changes/{change[4:8]}/{change[8:10]}/{change}.toml"
    edited.write_text(edited.read_text().replace("It expires.", "It was down."))
    git(company.repo, "commit", "--quiet", "-am", "say more")
    assert company.show(change)["status"] == "requested"
    assert sample(company.repo, "--seed", "x")["population"]["ids"] == [change]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--period", "2026"), "is no period"),
        (("--period", "2026-02-01..2026-01-01"), "2026-01-01 is before 2026-02-01"),
        (("--period", "2026-02-30..2026-03-01"), "is no date"),
        ((*PERIOD, "--seed", "a\nb"), "seed is one line"),
        ((*PERIOD, "--seed", ""), "seed is one line"),
        ((*PERIOD, "--system", "apis"), "did you mean 'api'"),
        ((), "--period"),
    ],
)
def test_what_is_no_sample_is_refused(company: Company, options: tuple[str, ...], word: str) -> None:
    """Usage errors say what is wrong and how it is written."""
    done = gitchange(company.repo, "sample", *options)
    assert done.code == 2
    assert word in done.err
