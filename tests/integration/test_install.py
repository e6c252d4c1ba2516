"""gitchange as users install it: a wheel and an editable checkout, each in a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.company import found, write_policy

CHECKOUT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.install


def ran(*command: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command in a folder; it must succeed."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout; skipped where there is no package index, which in CI is a failure."""
    folder = tmp_path_factory.mktemp("wheel")
    build = (
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder),
        str(CHECKOUT),
    )
    done = ran(*build, cwd=folder, check=False)
    unreachable = ("No matching distribution", "Could not find a version", "Connection", "Temporary failure")
    if done.returncode != 0 and any(words in done.stderr for words in unreachable):
        if os.environ.get("CI") == "true":
            pytest.fail(f"the package index cannot be reached:\n{done.stderr}")
        pytest.skip("the package index cannot be reached, so nothing can be built")
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("gitchange-*.whl")
    return built


def environment(folder: Path, *what: str) -> Path:
    """A fresh virtual environment with this installed; the folder of its commands."""
    venv.create(folder, with_pip=True)
    ran(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *what, cwd=folder)
    return folder / "bin"


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_installed_program_makes_a_repository_and_its_site(wheel: Path, tmp_path: Path, kind: str) -> None:
    """Installed from a wheel or editable, the program works from any folder: version, init, new, site, mkdocs."""
    commands = environment(
        tmp_path / "environment", *([str(wheel)] if kind == "wheel" else ["--editable", str(CHECKOUT)])
    )
    program = str(commands / "gitchange")
    assert ran(program, "--version", cwd=tmp_path).stdout.startswith("gitchange")
    policy = write_policy(tmp_path)
    repo = tmp_path / "repo"
    repo.mkdir()
    ran("git", "init", "--quiet", "-b", "main", cwd=repo)
    for name, value in {
        "user.name": "Bo",
        "user.email": "bo@example.org",
        "gpg.format": "ssh",
        "user.signingkey": str(tmp_path / "keys" / "bo"),
    }.items():
        ran("git", "config", name, value, cwd=repo)
    ran(program, "init", "--title", "Changes", "--policy", str(policy), cwd=repo)
    change = ran(
        *(program, "new", "--commit", "--title", "T", "--system", "api", "--reason", "r", "--scope", "s"),
        *("--step", "do", "--risk", "a :: b :: rare :: minor :: c", "--rollback", "u", "--test-plan", "t"),
        cwd=repo,
    ).stdout.split()[0]
    ran(program, "verify", cwd=repo)
    ran(program, "site", "build", "--output", str(tmp_path / "site"), cwd=repo)
    assert (tmp_path / "site" / "index.html").is_file()
    pages = "".join(p.name + p.parent.name for p in (tmp_path / "site").rglob("*.html"))
    assert change in pages
    ran(str(commands / "mkdocs"), "build", "--quiet", "--site-dir", str(tmp_path / "plain"), cwd=repo)
    assert (tmp_path / "plain" / "index.html").is_file()


def test_properdocs_builds_the_same_site(wheel: Path, tmp_path: Path) -> None:
    """properdocs, which goes on with MkDocs 1, builds the site that mkdocs builds, to the byte, from the same files."""
    commands = environment(tmp_path / "environment", str(wheel), "properdocs>=1.6.5,<2")
    company = found(tmp_path)
    company.documented()
    (company.repo / "docs" / "night.md").write_text("# At night\n\n[Home](index.md), [policy](policy.html)\n")
    trees: list[dict[str, bytes]] = []
    for name in ("mkdocs", "properdocs"):
        site = tmp_path / name
        ran(str(commands / name), "build", "--strict", "--quiet", "--site-dir", str(site), cwd=company.repo)
        trees.append({str(p.relative_to(site)): p.read_bytes() for p in site.rglob("*") if p.is_file()})
    assert "night.html" in trees[0]
    assert trees[0] == trees[1]


def test_wheel_carries_templates_and_configuration(wheel: Path) -> None:
    """The wheel has the site's templates, style and configuration, and the marker of its types."""
    import zipfile  # noqa: PLC0415 - kept beside its one use

    names = zipfile.ZipFile(wheel).namelist()
    assert "gitchange/site/_root/mkdocs.yml" in names
    assert "gitchange/py.typed" in names
    inside = {str(Path(name).relative_to("gitchange/site/_root")) for name in names if "/_root/" in name}
    templates = CHECKOUT / "site-templates"
    expected = {
        str(path.relative_to(CHECKOUT))
        for path in templates.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(templates).parts)
    }
    assert expected <= inside
    assert not [name for name in names if name.startswith(("tests/", "docs/", "scripts/"))]
