"""No page keeps anybody out: axe-core finds nothing on any kind of page, wide and narrow, light and dark.

axe sees what a program can see. What it leaves open, the lines of fields and buttons (WCAG 1.4.11), is reckoned here;
the keyboard has tests of its own beside the register and the search.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
"""What differs between light and dark."""

WIDTHS = (1280, 390)

PAGES = (
    "index.html",
    "changes.html",
    "changes.html?status=no-such",
    "search.html?q=gateway",
    "changes/CHG-20261104-0003.html",  # waits for a second evaluation, of critical risk
    "changes/CHG-20261107-0006.html",  # documented
    "changes/CHG-20261111-0010.html",  # its approval is for an earlier text
    "changes/CHG-20261114-0013.html",  # failed
    "changes/CHG-20261105-BRKN.html",  # cannot be read
    "systems.html",
    "systems/api.html",
    "people.html",
    "people/ada@example.org.html",
    "calendar.html",
    "statistics.html",
    "policy.html",
    "audit.html",
    "coverage.html",
    "status.html",
    "months/2026-11.html",
    "handbook.html",
    "rebuild.html",
    "404.html",
)

LINES = """() => {
  const light = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parsed = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * light(r / 255) + 0.7152 * light(g / 255) + 0.0722 * light(b / 255);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = parsed(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
  };
  const contrast = (one, other) => {
    const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const fields = [...document.querySelectorAll("input:not([type=checkbox]), select, button.plain, .scheme-switch")];
  return fields.filter(field => field.checkVisibility()).map(field => {
    const line = parsed(getComputedStyle(field).borderBottomColor);
    const sides = [behind(field.parentElement), behind(field)];
    return [field.outerHTML.slice(0, 120), Math.min(...sides.map(side => contrast(line, side)))];
  });
}"""
"""Each visible field with how its line stands out from what is around it and from what is in it."""


@pytest.fixture(scope="module")
def site(example: Path) -> Path:
    """A site in which every kind of page appears."""
    return example


@functools.cache
def axe() -> str:
    """The script, from the package that carries it."""
    from axe_playwright_python.base import AXE_SCRIPT  # noqa: PLC0415 - an optional dependency, as the browser is

    return str(AXE_SCRIPT)


def opened(page: Any, address: str) -> None:
    """Go there, wait until what a script makes of the page is there, and unfold everything."""
    page.goto(address)
    for name, ready in (("changes.html", ".register"), ("search.html", ".results")):
        if f"/{name}" in address:
            page.locator(f"{ready}[data-ready]").wait_for(state="attached")
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")


def barriers(page: Any, rules: dict[str, Any]) -> list[str]:
    """What axe finds on the page as it is shown now, each with the element."""
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False, "selectors": False}
    found = page.evaluate("async options => (await axe.run(document, options)).violations", options)
    return [
        f"{v['id']}: {node['html'][:200]}: {node['failureSummary']}" for v in found for node in v["nodes"]
    ]


@pytest.mark.parametrize(
    ("address", "name"),
    [("http" if name == "404.html" else "file", name) for name in PAGES],
    indirect=["address"],
    ids=PAGES,
)
def test_nobody_is_kept_out(page: Any, address: str, name: str) -> None:
    """WCAG 2.2 A and AA, and what is good practice beside it, as far as a program can tell."""
    opened(page, f"{address}/{name}")
    page.evaluate(axe())
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme, rules in (("light", RULES), ("dark", COLOURS)):
            page.emulate_media(color_scheme=scheme)
            assert barriers(page, rules) == [], (width, scheme)


def test_a_barrier_would_be_found(page: Any, address: str) -> None:
    """The same looks find a button without a name and a text that is too pale."""
    opened(page, f"{address}/index.html")
    page.evaluate(axe())
    page.evaluate(
        """() => {
          const main = document.querySelector("main");
          main.append(document.createElement("button"));
          const pale = document.createElement("p");
          pale.textContent = "Hardly to be seen";
          pale.style.color = "#333";
          pale.style.background = "#222";
          main.append(pale);
        }"""
    )
    page.emulate_media(color_scheme="dark")
    assert [found.split(":")[0] for found in barriers(page, RULES)] == ["button-name", "color-contrast"]
    assert [found.split(":")[0] for found in barriers(page, COLOURS)] == ["color-contrast"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fields_and_buttons_are_seen(page: Any, address: str, scheme: str) -> None:
    """Their lines stand out three to one from what is on either side (WCAG 1.4.11)."""
    page.emulate_media(color_scheme=scheme)
    seen = 0
    for name in ("changes.html?status=documented", "search.html?q=gateway"):
        opened(page, f"{address}/{name}")
        for field, contrast in page.evaluate(LINES):
            seen += 1
            assert contrast >= 3, (name, field, contrast)
    assert seen > 12
