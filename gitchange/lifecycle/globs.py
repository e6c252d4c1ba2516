"""Patterns of paths, tags and addresses, as policies write them.

A path's pattern is what git's own files of patterns have: `*` and `?` stay within a name, `**` takes any number of
folders, a pattern without a slash means a name in any folder, and one that ends with a slash all that is below.
"""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTS = re.compile(r"(\*\*/)|(/\*\*$)|(\*\*)|(\*)|(\?)|([^*?]+)")


@lru_cache(maxsize=512)
def path_pattern(glob: str) -> re.Pattern[str]:
    """What matches a path, whole."""
    text = glob.removeprefix("/")
    text = f"{text}**" if text.endswith("/") else text
    if "/" not in glob.rstrip("/"):
        text = f"**/{text}"
    said: list[str] = []
    for match in _PARTS.finditer(text):
        folders, below, anything, name, one, plain = match.groups()
        if folders:
            said.append("(?:[^/]+/)*")
        elif below:
            said.append("/.+")
        elif anything:
            said.append(".*")
        elif name:
            said.append("[^/]*")
        elif one:
            said.append("[^/]")
        else:
            said.append(re.escape(plain))
    return re.compile("".join(said), re.DOTALL)


def matches_path(path: str, globs: Iterable[str]) -> bool:
    """Whether a path fits one of these patterns."""
    return any(path_pattern(glob).fullmatch(path) for glob in globs)


@lru_cache(maxsize=512)
def _text_pattern(glob: str) -> re.Pattern[str]:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in re.split(r"([*?])", glob) if c)
    return re.compile("".join(parts), re.DOTALL)


def matches_text(text: str, globs: Iterable[str]) -> bool:
    """Whether a text (an address, a tag) fits one of these patterns, in which `*` is anything; case does not count."""
    return any(_text_pattern(glob.lower()).fullmatch(text.lower()) for glob in globs)
