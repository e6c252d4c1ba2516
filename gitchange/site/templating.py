"""Jinja2 as the theme uses it: everything is escaped, and what a page does hundreds of times is done quickly.

The answers are Jinja's own. A page of a change has some four hundred values to escape and as many attributes to look
up, and Jinja does each through several calls of Python's.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import Any

import jinja2
import jinja2.bccache
import markupsafe
from markupsafe import Markup

from gitchange.site.markdown import plain

_escape_text: Callable[[str], str] = getattr(markupsafe, "_escape_inner", markupsafe.escape)
"""Escapes a text; where this MarkupSafe has no such thing, what everybody calls."""


def quicken(env: jinja2.Environment) -> None:
    """Make an environment ours.

    MkDocs does not escape; here every value is text unless it is `Markup`, and control characters in it are shown.
    """
    env.autoescape = True
    env.trim_blocks = env.lstrip_blocks = True
    env.getattr = _attribute_of(env)  # type: ignore[method-assign, assignment]
    env.template_class = _Template


def _attribute_of(env: jinja2.Environment) -> Callable[[Any, str], Any]:
    """What `holder.name` is in a template: of a shape, its key, without looking for a method of that name first.

    Templates have `| items` and `| dictsort` for keys that somebody chose.
    """
    otherwise = jinja2.Environment.getattr

    def attribute(holder: Any, name: str) -> Any:
        if type(holder) is dict:
            try:
                return holder[name]
            except KeyError:
                return getattr(holder, name, None) or env.undefined(obj=holder, name=name)
        try:
            return getattr(holder, name)
        except AttributeError:
            return otherwise(env, holder, name)

    return attribute


def escaped(value: Any) -> str:
    """What stands in a page for a value: as `markupsafe.escape` gives it, of a text what `plain` made of it."""
    kind = type(value)
    if kind is str:
        return _escape_text(value if value.isprintable() else plain(value))
    if kind is Markup:
        return value  # type: ignore[no-any-return]
    html = getattr(value, "__html__", None)
    return str(html()) if html is not None else _escape_text(str(value))


class _Template(jinja2.Template):
    """A template whose values pass through `escaped`."""

    @classmethod
    def from_code(
        cls,
        environment: jinja2.Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],
        uptodate: Callable[[], bool] | None = None,
    ) -> jinja2.Template:
        """As Jinja's own, with another function under the name by which compiled templates escape."""
        namespace: dict[str, Any] = {"environment": environment, "__file__": code.co_filename}
        exec(code, namespace)  # noqa: S102 - it is what Jinja made of a template
        namespace["escape"] = escaped
        made = cls._from_namespace(environment, namespace, globals)
        made._uptodate = uptodate
        return made


class Compiled(jinja2.FileSystemBytecodeCache):
    """Compiled templates, by their names and what is in them: to compile ours takes longer than most of a rebuild."""

    @classmethod
    def at(cls, folder: Path) -> Compiled | None:
        """In that folder; None where it cannot be made."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return cls(str(folder), "%s")

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keep a template; where that cannot be done it is compiled the next time."""
        with suppress(OSError):
            super().dump_bytecode(bucket)
