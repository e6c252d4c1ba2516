"""The layout of our documents: what is written quickly is what tomli-w writes."""

from __future__ import annotations

import datetime as dt
import tomllib

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from gitchange.model import layout

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text('ab"\\\n\t\x7fé')


@given(TEXTS)
def test_a_text_that_stands_as_it_is_is_spelled_as_tomli_w_spells_it(text: str) -> None:
    """Texts that need no escape are tomli-w's, on one line or on several; all are read back to the character."""
    written = layout.write_toml({"x": text})
    assert tomllib.loads(written)["x"] == text
    if not set('"\\') & set(text) and all(c >= " " or c == "\n" for c in text) and "\x7f" not in text:
        assert written == tomli_w.dumps({"x": text}, multiline_strings=True)


@given(st.booleans() | st.integers(-(2**60), 2**60) | st.datetimes(timezones=st.just(dt.UTC)))
def test_other_values_are_spelled_as_tomli_w_spells_them(value: object) -> None:
    """Truth values, numbers and moments have one spelling."""
    assert layout.write_toml({"x": value}) == tomli_w.dumps({"x": value})


@given(st.text(min_size=1, max_size=8))
def test_keys_are_spelled_as_tomli_w_spells_them(key: str) -> None:
    """A key that is not bare is quoted."""
    assert layout.write_toml({key: 1}) == tomli_w.dumps({key: 1})
