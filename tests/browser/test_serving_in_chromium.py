"""`site serve` in a real browser: an open page shows what was signed, by itself, and the page's policy allows that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.company import found
from tests.integration.test_serve import serving, until_said

pytestmark = pytest.mark.browser


def test_an_open_page_shows_a_sign_off(chromium: Any, tmp_path: Path) -> None:
    """The page is loaded again when its change was approved; nothing is refused, and nobody else is asked."""
    company = found(tmp_path)
    change = company.request("bo")
    with serving(company.repo, "gitchange", "site", "serve", "--port", "0") as process:
        address = until_said(process, r"serving at (http://127\.0\.0\.1:\d+)/")[1]
        page = chromium.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/changes/{change}.html")
        company.must("ada", "approve", change, "--yes", "-m", "by all means")
        page.get_by_text("by all means").first.wait_for(timeout=60_000)
        page.close()
    assert said == []
    assert all(url.startswith(f"{address}/") for url in asked)
