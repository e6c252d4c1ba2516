"""People's texts as HTML: CommonMark with tables, nothing that could reach outside its place.

Raw HTML is text. Links lead to http, https and mailto addresses; any other target stands there as
text, since what it points to is not on the site. Images become links: a page loads nothing from
the network. Headings are shifted below the page's own outline and get no ids. Bare addresses, and
the ids of changes that exist, become links. Characters that reorder or hide text are shown by name.

Which texts are Markdown is for the templates to say; titles and names are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from gitchange.model.identifiers import ALPHABET
from gitchange.site import urls

LONGEST = 200_000
"""Characters of the longest text that is read as Markdown; a longer one is shown as it was typed."""

FIELD = 3
"""A page has h1 (title), h2 (sections) and h3 (fields); a text's own headings usually begin below a field."""

_ALLOWED = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_LINKABLE = re.compile(rf"https?://[^\s<>\"'`]+|\bCHG-\d{{8}}-[{ALPHABET}]{{4,16}}\b")
_TRAILING = re.compile(r"[.,;:!?*_~]+\Z")
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


def visible(value: Any) -> Any:
    """What a template puts out for a value: text as `plain` gives it, everything else as it is."""
    return plain(value) if type(value) is str else value


class _Renderer(RendererHTML):
    """HTML for the tokens that a page of ours shows in another way."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """A link to the image, or its description alone where the target is none of the web."""
        token = tokens[idx]
        alt = self.renderInlineAsText(token.children or [], options, env)
        target = str(token.attrs.get("src", ""))
        if token.meta.get("inside_link") or not _ALLOWED.match(target):
            return f'<span class="unlinked">[image: {escapeHtml(alt or target)}]</span>'
        return f'<a href="{escapeHtml(target)}" rel="{_REL}">[image: {escapeHtml(alt or target)}]</a>'

    def table_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """A wide table scrolls by itself, with the keyboard too; no landmark, since a page has many with this name."""
        return '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """The end of both."""
        return "</table></div>\n"


_REL = "noopener noreferrer nofollow"


def _tame(state: StateCore) -> None:
    """After parsing: headings shifted, styles to classes, links checked, bare addresses linked."""
    above: list[str] = []
    for token in state.tokens:
        if token.type == "heading_open":
            # As deep as it has headings above it, so that no level is skipped: people begin with `######`.
            above = [tag for tag in above if tag < token.tag] + [token.tag]
            token.tag = f"h{min(6, state.env['below'] + len(above))}"
        elif token.type == "heading_close":
            token.tag = f"h{min(6, state.env['below'] + len(above))}"
        elif token.type in ("th_open", "td_open"):
            style = str(token.attrs.pop("style", ""))  # the page's content security policy has no styles
            if style:
                token.attrs["class"] = "align-" + style.rpartition(":")[2]
        elif token.type == "inline" and token.children:
            token.children = list(_inline(token.children, state))


def _inline(children: Iterable[Token], state: StateCore) -> Iterable[Token]:
    depth = 0
    unlinked: list[bool] = []
    for token in children:
        if token.type == "link_open":
            depth += 1
            target = str(token.attrs.get("href", ""))
            unlinked.append(not _ALLOWED.match(target))
            if unlinked[-1]:
                token.tag, token.attrs = "span", {"class": "unlinked", "title": target}
            else:
                token.attrs = {"href": target, "rel": _REL}
        elif token.type == "link_close":
            depth -= 1
            if unlinked.pop():
                token.tag = "span"
        elif token.type == "image":
            token.meta["inside_link"] = depth > 0
        elif token.type == "text" and not depth and ("://" in token.content or "CHG-" in token.content):
            yield from _linked(token, state)
            continue
        yield token


def _linked(token: Token, state: StateCore) -> Iterable[Token]:
    """The text with bare addresses and the ids of known changes as links."""
    text, place = token.content, 0

    def words(content: str) -> Token:
        return Token("text", "", 0, content=content)

    for match in _LINKABLE.finditer(text):
        found = match[0]
        if found.startswith("CHG-"):
            if found not in state.env["known"]:
                continue
            attributes: dict[str, str | int | float] = {"href": state.env["root"] + urls.change(found)}
        else:
            found = _TRAILING.sub("", found)
            for opening, closing in ("()", "[]"):
                if found.endswith(closing) and found.count(closing) > found.count(opening):
                    found = _TRAILING.sub("", found[:-1])
            attributes = {"href": state.md.normalizeLink(found), "rel": _REL}
            if not state.md.validateLink(str(attributes["href"])):
                continue
        if match.start() > place:
            yield words(text[place : match.start()])
        yield Token("link_open", "a", 1, attrs=attributes)
        yield words(found)
        yield Token("link_close", "a", -1)
        place = match.start() + len(found)
    if place < len(text):
        yield words(text[place:])


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.push("tame", _tame)
    return parser


class Texts:
    """Renders texts for a site in which the given changes exist."""

    def __init__(self, known: Mapping[str, object] | frozenset[str] = frozenset()) -> None:
        self._known = known
        self._parser = _parser()

    def html(self, text: str, root: str = "", below: int = FIELD) -> Markup:
        """The text as a block of HTML.

        `root` leads from the page to the root of the site; `below` is the level of the page's heading
        that the text stands under.
        """
        text = plain(text).strip("\r\n")
        if _WORDS.fullmatch(text) and "://" not in text and "CHG-" not in text:
            return _block(f"<p>{escapeHtml(text)}</p>\n")
        if len(text) > LONGEST:
            return _block(f"<pre>{escapeHtml(text)}</pre>\n")
        env = {"known": self._known, "root": root, "below": below}
        if _LINE.fullmatch(text):
            return _block(f"<p>{self._parser.renderInline(text.rstrip(), env)}</p>\n")
        return _block(self._parser.render(text, env))


def _block(html: str) -> Markup:
    """A block whose direction follows its own text (`dir=auto` isolates it too, HTML 3.2.6.4)."""
    return Markup(f'<div class="text" dir="auto">{html}</div>')  # noqa: S704 - escaped by the callers
