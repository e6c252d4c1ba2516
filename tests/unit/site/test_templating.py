"""Our quick way to escape and to look up is Jinja's own answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from gitchange.site.markdown import plain
from gitchange.site.templating import Compiled, escaped, quicken


class _Html:
    def __html__(self) -> str:
        return "<b>bold</b>"


class _Holder:
    items = "an attribute"

    def __getitem__(self, name: str) -> str:
        return f"item {name}"


@given(
    st.text() | st.integers() | st.floats() | st.none() | st.lists(st.text()) | st.builds(Markup, st.text())
)
def test_the_same_text(value: Any) -> None:
    """Whatever stands in a template; control characters of a text are shown."""
    assert str(escaped(value)) == str(markupsafe.escape(plain(value) if type(value) is str else value))


def test_what_says_to_be_html_is_taken_at_its_word() -> None:
    """Markup, and what has `__html__`; nothing else."""
    assert escaped(_Html()) == "<b>bold</b>"
    assert escaped(Markup("<i>")) == "<i>"
    assert escaped("<i>&\"'") == "&lt;i&gt;&amp;&#34;&#39;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ text }}", "&lt;script&gt;"),
        ("{{ shape.items }}", "a key"),
        ("{{ shape.none }}|{{ shape.get }}", "|&lt;built-in"),
        ("{{ holder.items }}|{{ holder.other }}", "an attribute|item other"),
        ("{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m(text) }}", "<b>&lt;script&gt;</b>"),
        ("{% set x %}<i>{{ text }}</i>{% endset %}{{ x }}", "<i>&lt;script&gt;</i>"),
        ("{{ [text, '<br>' | safe] | join(', ') }}", "&lt;script&gt;, <br>"),
        ("{{ text ~ '<' }}", "&lt;script&gt;&lt;"),
        ("{% for x in [1, None] %}{{ x }}{% endfor %}", "1None"),
    ],
)
def test_in_templates(text: str, expected: str) -> None:
    """Compiled templates escape by it, whatever they are made of."""
    env = jinja2.Environment(autoescape=True)
    quicken(env)
    values = {"text": "<script>", "shape": {"items": "a key"}, "holder": _Holder()}
    assert env.from_string(text).render(values).startswith(expected)


def test_compiled_templates_are_kept(tmp_path: Path) -> None:
    """They are found again by what is in them; a folder that cannot be written costs nothing but time."""
    loaded = {"page": "<p>{{ text }}</p>"}

    def rendered(folder: Path) -> str:
        env = jinja2.Environment(autoescape=True, loader=jinja2.DictLoader(loaded))
        quicken(env)
        env.bytecode_cache = Compiled.at(folder)
        return env.get_template("page").render(text="<")

    assert rendered(tmp_path / "kept") == "<p>&lt;</p>"
    (kept,) = (tmp_path / "kept").iterdir()
    before = kept.read_bytes()
    assert rendered(tmp_path / "kept") == "<p>&lt;</p>"
    assert kept.read_bytes() == before
    loaded["page"] = "<h1>{{ text }}</h1>"
    assert rendered(tmp_path / "kept") == "<h1>&lt;</h1>"
    (tmp_path / "file").write_text("")
    assert Compiled.at(tmp_path / "file") is None
    assert rendered(tmp_path / "file") == "<h1>&lt;</h1>"
