"""People's texts as HTML: CommonMark with tables, nothing that could reach outside its place.

Raw HTML is text. Links lead to http, https and mailto addresses; any other target stands there as
text, since what it points to is not on the site. Images become links: a page loads nothing from
the network. Headings are shifted below the page's own outline and get no ids. Bare addresses, and
the ids of changes that exist, become links. Characters that reorder or hide text are shown by name.

Which texts are Markdown is for the templates to say; titles and names are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from html import escape

from markupsafe import Markup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from markdown_it import MarkdownIt

LONGEST = 200_000
"""Characters of the longest text that is read as Markdown; a longer one is shown as it was typed."""

FIELD = 3
"""A page has h1 (title), h2 (sections) and h3 (fields); a text's own headings usually begin below a field."""

# A single line of words, in which nothing can be Markdown: most texts in tables and lists.
_WORDS = re.compile(r"[^\W\d_](?:[\w ,;:.()'\"/%–—-](?<!_))*(?<! )")
# A single line that begins with a letter is a paragraph, whatever is in it.
_LINE = re.compile(r"[^\W\d_][^\r\n]*")

_CONTROLS = {
    **{code: f"⟦U+{code:04X}⟧" for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)},
    **{code: f"⟦U+{code:04X}⟧" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)},
    **{code: f"⟦U+{code:04X}⟧" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}
"""Control characters, and those that change the direction of text (Unicode Annex 9): shown, not obeyed."""


def plain(text: str) -> str:
    """The text with its control characters made visible; not escaped."""
    return text if text.isprintable() else text.translate(_CONTROLS)


class Texts:
    """Renders texts for a site in which the given changes exist."""

    def __init__(self, known: Mapping[str, object] | frozenset[str] = frozenset()) -> None:
        self._known = known

    @cached_property
    def _parser(self) -> MarkdownIt:
        from gitchange.site.commonmark import parser  # noqa: PLC0415 - most rebuilds make hardly any page

        return parser()

    def html(self, text: str, root: str = "", below: int = FIELD) -> Markup:
        """The text as a block of HTML.

        `root` leads from the page to the root of the site; `below` is the level of the page's heading
        that the text stands under.
        """
        text = plain(text).strip("\r\n")
        if _WORDS.fullmatch(text) and "://" not in text and "CHG-" not in text:
            return _block(f"<p>{_escaped(text)}</p>\n")
        if len(text) > LONGEST:
            return _block(f"<pre>{_escaped(text)}</pre>\n")
        env = {"known": self._known, "root": root, "below": below}
        if _LINE.fullmatch(text):
            return _block(f"<p>{self._parser.renderInline(text.rstrip(), env)}</p>\n")
        return _block(self._parser.render(text, env))


def _escaped(text: str) -> str:
    return escape(text, quote=False).replace('"', "&quot;")  # as the parser's own renderer does


def _block(html: str) -> Markup:
    """A block whose direction follows its own text (`dir=auto` isolates it too, HTML 3.2.6.4)."""
    return Markup(f'<div class="text" dir="auto">{html}</div>')  # noqa: S704 - escaped by the callers
