"""A built site in a real browser: from a folder and below a sub-path, without errors and without the network."""

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

from gitchange.site.build import build_overview
from tests.unit.site.builder import example_overview

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHANGE = "changes/CHG-20261107-0006.html"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site in which every kind of page appears."""
    work_dir = tmp_path_factory.mktemp("work")
    (work_dir / "docs").mkdir()
    (work_dir / "docs" / "handbook.md").write_text("# Handbook\n\n| a |\n|--:|\n| 1 |\n")
    output = tmp_path_factory.mktemp("www") / "acme" / "changes"
    build_overview(example_overview(), work_dir, output)
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
        yield f"http://127.0.0.1:{server.server_port}/acme/changes"
        server.shutdown()


both = pytest.mark.parametrize("address", ["file", "http"], indirect=True)
"""From a folder, and below a sub-path of a web server."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """A page that fails the test when it logs anything or asks for anything outside the site."""
    context = chromium.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
    page.on("requestfailed", lambda asked: trouble.append(f"failed: {asked.url}"))
    page.on("request", lambda asked: asked.url.startswith(address) or trouble.append(f"outside: {asked.url}"))
    yield page
    context.close()
    # A browser asks for /favicon.ico by itself only where a page names no icon; ours do.
    assert trouble == []


def test_every_page_opens_without_errors(page: Any, site: Path, address: str) -> None:
    """Each page shows its heading in the theme's type, and nothing is wider than the window."""
    for path in sorted(site.rglob("*.html")):
        page.goto(f"{address}/{path.relative_to(site).as_posix()}")
        assert page.locator("h1").first.is_visible()
        assert "serif" in page.eval_on_selector("h1", "e => getComputedStyle(e).fontFamily")
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)


@both
def test_links_lead_through_the_site(page: Any, address: str) -> None:
    """From the home page to a change, to its signer, and back home."""
    page.goto(f"{address}/index.html")
    page.get_by_role("link", name="Renew the wildcard certificate").first.click()
    page.wait_for_url("**/changes/CHG-20261107-0006.html")
    assert page.title() == "Renew the wildcard certificate · CHG-20261107-0006 · Acme changes"
    page.get_by_role("link", name="dee@example.org").first.click()
    page.wait_for_url("**/people/*.html")
    assert page.locator("h1").inner_text() == "dee@example.org"
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url("**/index.html")
    assert page.locator("h1").inner_text() == "Acme changes"


@both
def test_colours_follow_the_system_and_the_switch(page: Any, address: str) -> None:
    """Dark when the system is; the switch turns it, and the next page remembers."""
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    page.goto(f"{address}/index.html")
    light = page.evaluate(paper)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(paper)
    assert light != dark
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(paper) == light
    page.goto(f"{address}/{CHANGE}")
    assert page.evaluate(paper) == light


@both
def test_the_register_is_filtered(page: Any, address: str) -> None:
    """By words, status, system and risk, together; how many remain is said."""
    page.goto(f"{address}/changes.html")
    rows = page.locator("table.changes tbody tr:visible")
    assert (rows.count(), page.locator(".hits").inner_text()) == (16, "16 changes")
    page.get_by_label("Search").fill("certificate api")
    assert rows.count() == 3
    page.get_by_label("Status").select_option("documented")
    assert rows.count() == 1
    assert "Renew the wildcard certificate" in rows.first.inner_text()
    assert page.locator(".hits").inner_text() == "1 of 16 changes"
    page.get_by_label("Status").select_option("")
    page.get_by_label("Search").fill("")
    page.get_by_label("System").select_option("database")
    assert rows.count() == 3
    page.get_by_label("Risk").select_option("critical")
    assert rows.count() == 0


def test_commands_are_copied(page: Any, address: str) -> None:
    """The button puts the whole command on the clipboard, and says so."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/{CHANGE}")
    page.get_by_text("Verify this signature").first.click()
    frame = page.locator("details[open] .copyable").first
    frame.get_by_role("button", name="Copy").click()
    frame.get_by_role("button", name="Copied").wait_for()  # copying is asynchronous; fails after 30 s
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == frame.locator("code").text_content()
    assert copied.startswith("( set -eu;")


def test_the_keyboard_reaches_the_content_first(page: Any, address: str) -> None:
    """The first stop of the tabulator is the link that skips the header."""
    page.goto(f"{address}/{CHANGE}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id == 'main'")


def test_it_works_without_javascript(chromium: Any, address: str) -> None:
    """All rows are there, and what would need a script is not shown."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/changes.html")
    assert page.locator("table.changes tbody tr").count() == 16
    assert not page.locator("form.filter").is_visible()
    assert not page.locator(".scheme-switch").is_visible()
    context.close()


def test_a_change_prints(page: Any, address: str, tmp_path: Path) -> None:
    """On paper the navigation is gone and the evidence is there."""
    page.goto(f"{address}/{CHANGE}")
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert page.locator("#sign-offs").is_visible()
    assert page.pdf(path=str(tmp_path / "change.pdf"), format="A4").startswith(b"%PDF")
