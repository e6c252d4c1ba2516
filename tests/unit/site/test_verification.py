"""The commands on a page verify a sign-off with stock tools, and refuse a forged one."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitchange.assessment.assess import overview
from gitchange.assessment.shapes import show_json
from gitchange.site.verification import digest_commands, verify_commands
from tests.unit.site.builder import NOW, Case, example_change
from tests.unit.site.repository import ConfigurationRepository


def run(script: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Paste the commands into bash."""
    return subprocess.run(["bash"], input=script, cwd=place, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def assessed(real: ConfigurationRepository) -> dict[str, dict[str, Any]]:
    """The changes of the real repository, by status."""
    return {a.status: show_json(a) for a in overview(real.folder, NOW).assessments}


@pytest.mark.parametrize("status", ["documented", "requested", "approved"])
def test_every_sign_off_is_verified_in_a_plain_clone(
    real: ConfigurationRepository, assessed: dict[str, dict[str, Any]], status: str, tmp_path: Path
) -> None:
    """In a clone of stock git, the commands of each sign-off end well, stale ones included."""
    clone = real.clone(tmp_path / "clone")
    shape = assessed[status]
    assert shape["sign_offs"]
    for sign_off in shape["sign_offs"]:
        done = run(verify_commands(shape, sign_off), clone)
        assert (done.returncode, done.stderr) == (0, "")
        assert f'Good "gitchange" signature for {sign_off["by"]} with' in done.stdout
        assert sign_off["meaning"] in done.stdout


def test_a_documented_change_needs_no_notes(
    real: ConfigurationRepository, assessed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """The record is enough: the commands work where notes cannot be had."""
    clone = real.clone(tmp_path / "clone")
    subprocess.run(["git", "-C", str(clone), "remote", "remove", "origin"], check=True)
    shape = assessed["documented"]
    assert run(verify_commands(shape, shape["sign_offs"][0]), clone).returncode == 0
    open_change = assessed["approved"]
    assert run(verify_commands(open_change, open_change["sign_offs"][0]), clone).returncode != 0


def test_a_bare_clone_is_enough(
    real: ConfigurationRepository, assessed: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    """No work tree is needed."""
    clone = real.clone(tmp_path / "clone.git", "--bare")
    shape = assessed["documented"]
    assert run(verify_commands(shape, shape["sign_offs"][0]), clone).returncode == 0


def test_the_digests_are_those_of_stock_tools(
    real: ConfigurationRepository, assessed: dict[str, dict[str, Any]]
) -> None:
    """What `sha256sum` and `git hash-object` print is what the page says."""
    for shape in assessed.values():
        commands = digest_commands(shape)
        said = [line.removeprefix("# ") for line in commands.splitlines() if line.startswith("#")]
        printed = [line.split()[0] for line in run(commands, real.folder).stdout.splitlines()]
        assert printed == said


@pytest.mark.parametrize("forged", ["another signer", "another text", "another line"])
def test_a_forged_sign_off_is_refused(
    real: ConfigurationRepository, assessed: dict[str, dict[str, Any]], forged: str
) -> None:
    """When the signer, the text or the line is not the signed one, the commands fail."""
    shape = assessed["approved"]
    genuine = shape["sign_offs"][0]
    other = assessed["documented"]["sign_offs"][0]
    wrong: dict[str, Any] = {
        "another signer": {**genuine, "by": "bo@example.org"},
        "another text": {**other, "blob": genuine["blob"]},
        "another line": {**genuine, "envelope": "0" * 64},
    }[forged]
    assert run(verify_commands(shape, genuine), real.folder).returncode == 0
    assert run(verify_commands(shape, wrong), real.folder).returncode != 0


def test_names_cannot_run_in_the_shell(tmp_path: Path) -> None:
    """A principal is quoted, whatever it is made of."""
    shape = show_json(Case(example_change()).approve().assess())
    sign_off = {**shape["sign_offs"][0], "by": "$(touch${IFS}pwned);`touch${IFS}pwned`|&"}
    run(verify_commands(shape, sign_off).replace("set -eu", "set -u"), tmp_path)
    assert not (tmp_path / "pwned").exists()
