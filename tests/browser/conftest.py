"""A browser, and a site in it that must not complain nor look elsewhere.

`example` is a site in which every kind of page appears, built once for all; a module says with a fixture `site` which
site its pages are of.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitchange.site import runs
from gitchange.site.build import build_and_publish
from gitchange.site.site import Site
from tests.unit.site.builder import NOW, example_overview
from tests.unit.site.results import example_results

HANDBOOK = """# Handbook

Call the *Nachtdienst*.

| a |
|--:|
| 1 |
"""

PLACE = "/acme/changes"
"""Where a web server has the site: below a sub-path."""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running browser; without one the tests are skipped, but not in CI, where it has to be there."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - an optional dependency
    except ImportError:
        missing = "the package playwright is not installed (pip install gitchange[browser])"
    else:
        missing = "" if CHROMIUM else "no Chromium is installed"
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # A container's root may not use Chromium's sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site in which every kind of page appears: generated, hand-written, and that of a rebuild that failed."""
    work_dir = tmp_path_factory.mktemp("work")
    (work_dir / "docs").mkdir()
    (work_dir / "docs" / "handbook.md").write_text(HANDBOOK)
    output = tmp_path_factory.mktemp("www") / "acme" / "changes"
    shown = Site(example_overview(), recorded=example_results())
    build_and_publish(shown, work_dir, output, site_url=f"https://example.org{PLACE}/")
    run = runs.Run(started=NOW, finished=NOW, seconds={"fetch": 0.5}, stage="fetch")
    run.fail("the remote `origin` does not answer", "look whether it is up")
    runs.tell(output, run)
    return output


def beside(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the example in a folder that may have more in it."""
    output = tmp_path_factory.mktemp("www") / "acme" / "changes"
    shutil.copytree(example, output)
    return output


@pytest.fixture
def address(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """Where the site is: in a folder or, when a test asks for "http", below a sub-path of a web server."""
    if getattr(request, "param", "file") == "file":
        yield site.as_uri()
        return
    handler = functools.partial(_Quiet, directory=str(site.parents[1]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PLACE}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """A page that fails the test when it logs anything or asks for anything outside the site."""
    context = chromium.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    trouble: list[str] = []

    def opened(dialog: Any) -> None:
        trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def failed(asked: Any) -> None:
        # Whoever leads on before a page's icon has come ends that request; what is refused or missing says otherwise.
        if asked.failure != "net::ERR_ABORTED":
            trouble.append(f"failed: {asked.url}: {asked.failure}")

    page.on("dialog", opened)
    page.on("popup", lambda other: trouble.append(f"popup: {other.url}"))
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("requestfailed", failed)
    page.on("request", lambda asked: asked.url.startswith(address) or trouble.append(f"outside: {asked.url}"))
    yield page
    context.close()
    # A browser asks for /favicon.ico by itself only where a page names no icon; ours do.
    assert trouble == []
