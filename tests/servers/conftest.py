"""One company for all servers, and what happens where a server is not installed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.company import Company, found

from . import servers
from .people import Team, team

PEOPLE = ("ada", "mo", "bo", "cy", "dee")
MAINTAINER = "mo"
"""Who alone may write to main where that is protected."""


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company without any change. Not to be written to."""
    return found(tmp_path_factory.mktemp("company"))


@contextlib.contextmanager
def started(company: Company, name: str, root: Path, more: str = "") -> Iterator[servers.Server]:
    """A server of this kind; where it is not installed the test is skipped, but not in CI, where it has to be."""
    keys = {person: company.key(person) for person in PEOPLE}
    root.mkdir()
    kinds = {
        "file": lambda: servers.folder(root, PEOPLE),
        "ssh": lambda: servers.openssh(root, keys, more),
        "http": lambda: servers.web(root, PEOPLE),
        "gitolite": lambda: servers.gitolite(root, keys, MAINTAINER),
    }
    with contextlib.ExitStack() as stack:
        try:
            server = stack.enter_context(kinds[name]())
        except servers.Missing as reason:
            if os.environ.get("CI") == "true":
                pytest.fail(str(reason))
            pytest.skip(str(reason))
        try:
            yield server
        except BaseException:
            print(server.log())  # what the server said is half of why a test failed
            raise


@pytest.fixture
def at(company: Company, tmp_path: Path) -> Iterator[Callable[..., Team]]:
    """Five people, each with a clone of the company's repository on a server of the kind that is asked for."""
    with contextlib.ExitStack() as stack:

        def make(name: str, more: str = "") -> Team:
            server = stack.enter_context(started(company, name, tmp_path / name, more))
            return team(company, server, PEOPLE, MAINTAINER, tmp_path / "people")

        yield make
