"""People's texts cannot do anything on a page but be read."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gitchange.site.markdown import Texts, plain
from tests.unit.site.reading import Reading

HUGE = 60_000
TEXTS = Texts(frozenset({"CHG-20261122-K7Q3"}))


def read(text: str) -> Reading:
    """The rendered text, read as HTML."""
    reading = Reading("text")
    reading.feed(str(TEXTS.html(text, "../")))
    reading.close()
    assert not reading.problems
    return reading


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a </script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\nscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:msgbox)",
        "<javascript:alert(1)>",
        "![x](javascript:alert(1))",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        "[x]: javascript:alert(1)\n\n[x]",
        '[x](https://example.org "onclick=\\"alert(1)")',
        '```"><script>alert(1)</script>\ncode\n```',
        "`</code><script>alert(1)</script>`",
        "| <script> |\n|---|\n| </table><script> |",
        "</div></section></main><script>alert(1)</script>",
        "<!-- comment --><style>body{display:none}</style><iframe src=//example.org>",
    ],
)
def test_nothing_in_a_text_runs_or_loads(text: str) -> None:
    """Scripts, event handlers, foreign schemes and raw HTML are text."""
    reading = read(text)
    assert not reading.loads
    for tag, attributes in reading.tags:
        assert tag not in ("script", "style", "iframe", "img", "object", "embed", "form", "svg")
        assert not any(name.startswith("on") or name in ("style", "id", "src") for name in attributes)
        assert re.match(r"https?://|mailto:|\.\./changes/", attributes.get("href") or "https://")


@given(st.text(max_size=300))
def test_any_text_gives_whole_html(text: str) -> None:
    """Whatever is typed, every tag that is opened is closed, and no text opens one of its own."""
    allowed = (
        "div p h4 h5 h6 ul ol li a span em strong s code pre blockquote table thead tbody tr th td br hr"
    )
    assert {tag for tag, _ in read(text).tags} <= set(allowed.split())


@given(st.text(alphabet="aZ é9 .,;:()'\"/%-–_`*[]<>&#~\n", min_size=1, max_size=60))
def test_shortcuts_give_what_the_parser_gives(text: str) -> None:
    """A plain line takes a short way through; the result is the parser's own, to the character."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    rendered = str(TEXTS.html(text)).removeprefix('<div class="text" dir="auto">').removesuffix("</div>")
    if "<h" in rendered or "<table" in rendered or "unlinked" in rendered or "<a " in rendered:
        return
    assert rendered == parser.render(text.strip("\n"))


def test_headings_stay_below_the_outline_of_the_page() -> None:
    """A text's h1 becomes h4 and carries no id."""
    reading = read("# One\n\n## Two\n\n### Three\n\n###### Six\n\nSetext\n===\n")
    assert [level for level, _ in reading.headings] == [4, 5, 6, 6, 4]
    assert not reading.ids


def test_headings_skip_no_level() -> None:
    """A text that begins with its deepest heading still continues the page's outline."""
    assert [level for level, _ in read("###### Deep\n\n# High\n\n#### Middle\n\n## Between\n").headings] == [
        4,
        4,
        5,
        5,
    ]
    html = TEXTS.html("# Under the title", below=1)
    assert "<h2>Under the title</h2>" in html


def test_bare_addresses_become_links() -> None:
    """An address in running text is a link; the punctuation after it is not part of it."""
    reading = read("See https://example.org/a_(b), (https://example.org/c) and <https://example.org/d>.")
    assert reading.links == [
        "https://example.org/a_(b)",
        "https://example.org/c",
        "https://example.org/d",
    ]
    assert all(attributes["rel"] for tag, attributes in reading.tags if tag == "a")


def test_ids_of_changes_that_exist_become_links() -> None:
    """The id of a change leads to its page, that of an unknown one is text."""
    reading = read("After CHG-20261122-K7Q3, before CHG-20261122-XXXX; `CHG-20261122-K7Q3` is code.")
    assert reading.links == ["../changes/CHG-20261122-K7Q3.html"]


def test_relative_targets_are_text() -> None:
    """What a relative link means in a repository is no address on the site."""
    reading = read("[design](../design.md), [top](#top), [root](/etc/passwd), [host](//example.org/x)")
    assert not reading.links
    assert "design, top, root, host" in reading.text


def test_images_become_links() -> None:
    """A page loads nothing from the network: an image is a link to it."""
    reading = read("![a graph](https://example.org/graph.png) [![x](https://e.org/b.png)](https://e.org)")
    assert reading.links == ["https://example.org/graph.png", "https://e.org"]
    assert "[image: a graph]" in reading.text


def test_tables_are_aligned_by_class() -> None:
    """The page's security policy has no styles, so alignment is a class."""
    reading = read("| a | b |\n|--:|:-:|\n| 1 | 2 |")
    assert [a.get("class") for tag, a in reading.tags if tag == "td"] == ["align-right", "align-center"]


def test_tables_scroll_and_are_no_landmarks() -> None:
    """The keyboard reaches each, and two on a page are not told apart as parts of the page."""
    reading = read("| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |")
    frames = [a for tag, a in reading.tags if tag == "div" and "scroll" in str(a.get("class"))]
    assert [(a["role"], a["tabindex"], a["aria-label"]) for a in frames] == [("group", "0", "Table")] * 2


def test_characters_that_reorder_text_are_shown() -> None:
    """A right-to-left override, in text, code or a link, is shown by its number."""
    for text in ("pay \u202e001\u202c now", "`pay \u202e001`", "[\u2066x](https://example.org/\u202e)"):
        html = str(TEXTS.html(text))
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", html)
        assert "U+202E" in html
    assert plain("a\x1b[31m\0b\u2028c") == "a⟦U+001B⟧[31m⟦U+0000⟧b⟦U+2028⟧c"
    assert plain("tab\tand\nline, Zürich, שלום") == "tab\tand\nline, Zürich, שלום"


def test_a_text_is_isolated_from_the_direction_of_others() -> None:
    """Each text finds its own direction."""
    assert ("div", {"class": "text", "dir": "auto"}) in read("שלום, world").tags


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1_000_000,
        "*a " * 333_000,
        "[" * HUGE,
        "`a" * (HUGE // 2),
        "> " * (HUGE // 2),
        "![" * (HUGE // 2),
        "[a](b" * (HUGE // 5),
        "[a\n" * (HUGE // 3),
        "https://" + "(" * HUGE,
    ],
    ids=lambda text: text[:6],
)
def test_a_huge_line_is_bounded_work(text: str) -> None:
    """No text, however long and however badly meant, keeps a build waiting."""
    begun = time.process_time()
    html = TEXTS.html(text)
    assert time.process_time() - begun < 5
    assert len(html) < 8 * len(text) + 1000
