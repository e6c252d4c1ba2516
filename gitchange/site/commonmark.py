"""The parser of people's texts: CommonMark with tables, tamed as `markdown` says. Imported when a text needs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from gitchange.model.identifiers import ALPHABET
from gitchange.site import urls

_ALLOWED = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
_LINKABLE = re.compile(rf"https?://[^\s<>\"'`]+|\bCHG-\d{{8}}-[{ALPHABET}]{{4,16}}\b")
_TRAILING = re.compile(r"[.,;:!?*_~]+\Z")


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


def parser() -> MarkdownIt:
    """A parser for texts; its environment says `known` changes, the `root` of the site and the heading `below`."""
    made = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    made.enable(["table", "strikethrough"])
    made.core.ruler.push("tame", _tame)
    return made
