"""TOML with positions: every problem at once, each at its place, and never a crash."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.model.toml import MAX_BYTES, MAX_DEPTH, Positions, dotted, parse

QUICK = settings(max_examples=60, deadline=None)


def places(text: str | bytes) -> list[tuple[int, int]]:
    """Line and column of every problem."""
    raw = text if isinstance(text, bytes) else text.encode()
    return sorted((f.line, f.column) for f in parse(raw, "f.toml").problems)


SYNTAX = {
    "a missing value": ("a = \nb = 2\n", [(1, 5)]),
    "two missing values": ("a =\nb = 2\nc =\n", [(1, 4), (3, 4)]),
    "a missing key": ("= 1\n", [(1, 1)]),
    "a missing equals sign": ("title 5\nb = 1\n", [(1, 7)]),
    "two values": ("a = 1 2\nb = 1\n", [(1, 7)]),
    "an unquoted text": ("a = hello\nb = [x]\n", [(1, 5), (2, 6)]),
    "an unterminated string": ("a = \"open\nb = 2\nc = 'open\n", [(1, 10), (3, 10)]),
    "an unknown escape": ('a = "\\q"\n', [(1, 8)]),
    "an unterminated multi-line string": ('a = 1\nb = """one\ntwo\n', [(2, 1)]),
    "an unterminated array": ("a = 1\nb = [1,\n2,\n", [(2, 1)]),
    "an unterminated nested array": ("a = [[1, 2], [3\n", [(1, 1)]),
    "a closing bracket too many": ("a = [1]]\nb = 1\n", [(1, 8)]),
    "a comma that is missing in an array": ("a = [1 2]\n", [(1, 8)]),
    "a line break in an inline table": ("a = { b = 1,\n c = 2 }\nd = 1\n", [(1, 13)]),
    "a key twice in an inline table": ("a = { b = 1, b = 2 }\n", [(1, 19)]),
    "a day that does not exist": ("a = 2026-02-30\n", [(1, 5)]),
    "a key twice": ("a = 1\nb = 2\na = 3\n", [(3, 1)]),
    "a key thrice": ("a = 1\na = 2\na = 3\n", [(2, 1), (3, 1)]),
    "a dotted key twice": ("a.b = 1\na.c = 2\na.b = 3\n", [(3, 1)]),
    "a quoted key twice": ('a = 1\n"a" = 2\n', [(2, 1)]),
    "a table twice": ("[a]\nx = 1\n[b]\ny = 1\n[a]\ny = 2\n", [(5, 1)]),
    "a quoted table twice": ("[a.b]\nx = 1\n[\"a\".'b'] # again\nx = 1\n", [(3, 1)]),
    "a table that is a value": ("a = 1\n[a]\nb = 1\n", [(2, 1)]),
    "an array of tables that is a table": ("[a]\nb = 1\n[[a]]\nb = 1\n", [(3, 1)]),
    "a header without its end": ("[a]\nx = 1\n[b\nx = 2\n", [(3, 3)]),
    "an array header with one bracket at its end": ("[[a]]\nx = 1\n[[a]\nx = 2\n", [(3, 4)]),
    "text behind a header": ("[a] b\nx = 1\n", [(1, 5)]),
    "problems in several elements": (
        "[[a]]\nx = \n[[a]]\nx = 1\nx = 2\n[[a]]\ny = \n",
        [(2, 5), (5, 1), (7, 5)],
    ),
    "a problem behind a text with line breaks": ('a = """one\n[two]\nb = \n"""\nc = \n', [(5, 5)]),
    "a problem behind an array on several lines": ("a = [ # [\n  '#', 1,\n  [2, 3],\n]\nc = \n", [(5, 5)]),
    "a problem behind a header with a comment": ("['a#b'] # c\nx = \n", [(2, 5)]),
}


@pytest.mark.parametrize(("text", "expected"), SYNTAX.values(), ids=SYNTAX.keys())
def test_every_syntax_problem_is_found_at_its_place(text: str, expected: list[tuple[int, int]]) -> None:
    """All syntax problems of a file are reported at once, each with the line and column where it is."""
    assert places(text) == expected


@pytest.mark.parametrize(("text", "expected"), SYNTAX.values(), ids=SYNTAX.keys())
def test_problems_have_a_code_and_a_mend(text: str, expected: list[tuple[int, int]]) -> None:
    """A syntax problem says that the text is not TOML, and where to look it up."""
    for finding in parse(text.encode(), "f.toml").problems:
        assert finding.code == "toml.syntax"
        assert finding.message.startswith("not TOML: ")
        assert "(at " not in finding.message
        assert finding.hint
        assert finding.path == "f.toml"


def test_a_byte_order_mark_is_a_problem_and_the_rest_is_read() -> None:
    """A byte order mark is reported beside what else is wrong, and the columns are those of the text."""
    document = parse(b"\xef\xbb\xbfa = \nb = 2\n", "f.toml")
    assert [(f.code, f.line, f.column) for f in document.problems] == [
        ("toml.byte-order-mark", 1, 1),
        ("toml.syntax", 1, 5),
    ]
    assert document.data == {"b": 2}


@pytest.mark.parametrize("text", ["a = 1\r\nb = 2\r\n", 'a = "x\ry"\nb = 2\n'], ids=["CR LF", "a lone CR"])
def test_carriage_returns_are_a_problem(text: str) -> None:
    """Line ends are LF, so that everybody signs the same bytes; the first carriage return is named."""
    document = parse(text.encode())
    finding = document.problems[0]
    assert (finding.code, finding.line) == ("toml.line-ends", 1)
    assert finding.column == text.index("\r") + 1
    assert "eol=lf" in finding.hint
    assert document.data["b"] == 2


def test_bytes_that_are_not_utf8_are_named_with_their_place() -> None:
    """A byte that is not UTF-8 is reported where it stands, counted in characters."""
    (finding,) = parse('a = 1\nö = "'.encode() + b'\xe4"\n').problems
    assert (finding.code, finding.line, finding.column) == ("toml.encoding", 2, 6)
    assert "0xe4" in finding.message


def test_a_document_that_is_too_large_is_refused() -> None:
    """One byte more than the limit is not read at all; the limit itself is."""
    fits = b"a = 1\n#" + b"x" * (MAX_BYTES - 7)
    assert not parse(fits).problems
    (finding,) = parse(fits + b"x").problems
    assert finding.code == "toml.too-large"
    assert "1,048,577" in finding.message
    assert finding.hint


DEEP = {
    "arrays": b"a = " + b"[" * 100_000 + b"]" * 100_000,
    "arrays without end": b"a = " + b"[" * 100_000,
    "arrays a little too deep": b"a = " + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "inline tables": b"a = " + b"{b = " * 20_000 + b"1" + b"}" * 20_000,
    "a dotted key": b"a." * 500_000 + b"a = 1",
    "a quoted dotted key": b'"a" . ' * 100_000 + b"a = 1",
    "a header": b"[" + b"a." * 100_000 + b"a]",
    "dotted keys in inline tables": b"x = " + (b"{" + b"a." * 90 + b"a = ") * 90 + b"1" + b"}" * 90,
}


@pytest.mark.parametrize("raw", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting_is_a_problem_and_no_crash(raw: bytes) -> None:
    """However deep a document nests, it is refused, and what asks for positions does not crash."""
    document = parse(raw)
    assert document.problems
    assert document.data == {}
    assert document.positions.find(("a", 0)) >= (1, 1)


def test_nesting_as_deep_as_anybody_writes_is_read() -> None:
    """A document may nest as deep as the limit says."""
    text = "a = " + "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert not parse(text.encode()).problems


def test_all_problems_of_a_large_document_are_found() -> None:
    """Errors in a megabyte of good statements are found, in a second: work that is quadratic takes minutes."""
    text = "\n".join(f'k{i} = "{"x" * 1000}"' for i in range(990)) + "\nbad =\nk1 = 1\n"
    assert (991, 6) in places(text)


def test_more_statements_than_are_salvaged_still_give_a_finding() -> None:
    """In a file of very many statements the first problem is reported, if not every one."""
    text = "".join(f"k{i} = {i}\n" for i in range(2000)) + "bad =\n" + "worse =\n"
    assert places(text) == [(2001, 6)]


def test_what_could_be_read_is_kept_beside_the_problems() -> None:
    """One broken value takes no good one with it: what else the file says can still be checked."""
    document = parse(b'id = "x"\ntitle = "open\n[[steps]]\naction = "a"\n[[steps]]\naction = \n')
    assert document.data == {"id": "x", "steps": [{"action": "a"}, {}]}
    assert document.broken == {("title",), ("steps", 1, "action")}


def test_what_stands_below_a_broken_header_belongs_to_no_other_table() -> None:
    """Keys below a header that cannot be read are not taken for keys of the table before it."""
    document = parse(b"[a]\nx = 1\n[b\ny = 2\n[c]\nz = 3\n")
    assert document.data == {"a": {"x": 1}, "c": {"z": 3}}
    assert document.broken == {("b",)}


@QUICK
@given(st.binary(max_size=200))
def test_no_bytes_crash_the_parser(raw: bytes) -> None:
    """Whatever the bytes are, reading them returns problems or data, and positions can be asked for."""
    document = parse(raw, "f")
    assert document.problems or document.data == tomllib.loads(raw.decode())
    assert document.positions.find(("a", 0, "b")) >= (1, 1)


MARKS = ['"', "'", '"""', "'''", *"[]{}=.,#\n\\ ab1\tö", "[[", "]]", "\r\n", "\x00"]
PHRASES = ["a = 1\n", "[a]\n", "[[a]]\n", 'b = """', "true", "2026-11-22", "a.b = [1, 2]\n"]
PIECES = st.sampled_from([*MARKS, *PHRASES])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_text_that_looks_like_toml_crashes_the_parser(text: str) -> None:
    """A text of TOML's own pieces is read as tomllib reads it, or it has problems inside the text."""
    document = parse(text.encode(), "f")
    try:
        expected = tomllib.loads(text)
    except ValueError:
        expected = None
    assert (expected is None) == any(f.code == "toml.syntax" for f in document.problems)
    if expected is not None:
        assert document.data == expected
    for finding in document.problems:
        assert 1 <= finding.line <= text.count("\n") + 1
        assert 1 <= finding.column <= len(text) + 2
    for (line, column), _ in zip(document.positions.of.values(), range(50), strict=False):
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=8)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)
SCALARS = (
    TEXTS
    | st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.dates(dt.date(1000, 1, 1))
    | st.datetimes(dt.datetime(1000, 1, 1), timezones=st.just(dt.UTC))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=6)


@QUICK
@given(DOCUMENTS, st.booleans())
def test_data_is_what_tomllib_says(data: dict[str, Any], multiline: bool) -> None:
    """What a file means is what tomllib reads in it, for every valid document."""
    text = tomli_w.dumps(data, multiline_strings=multiline)
    document = parse(text.encode())
    assert document.problems == ()
    assert document.data == tomllib.loads(text) == data


@QUICK
@given(DOCUMENTS, st.booleans())
def test_positions_point_at_the_line_of_the_key(data: dict[str, Any], multiline: bool) -> None:
    """The position of a key is on the line on which the key, or the table around it, is written."""
    text = tomli_w.dumps(data, multiline_strings=multiline)
    lines = text.split("\n")
    positions = parse(text.encode()).positions
    for key, value in data.items():
        if not text:
            continue
        line, column = positions.find((key,))
        there = lines[line - 1][column - 1 :]
        written = tomli_w.dumps({key: 0}).rpartition(" = ")[0]
        assert there.lstrip("[").startswith(written)
        if isinstance(value, dict):
            for inner in value:
                inner_line, _ = positions.find((key, inner))
                assert inner_line >= line


POSITIONED = """\
# a comment
schema = 1
"quoted key" = 2
dotted.key.deep = 3
text = \"\"\"
[[not]]
a = table
\"\"\"
array = [
  "one", # "two",
  { x = 1, y = [2] },
  [3, 4],
]

[table.inner] # comment
x = 1

[[steps]]
action = "a"
[[steps.parts]]
n = 1
[[steps.parts]]
n = 2

[[steps]]
  action = "b"
[steps.'o#p']
z = 1
"""

PLACES = {
    ("schema",): (2, 1),
    ("quoted key",): (3, 1),
    ("dotted", "key", "deep"): (4, 1),
    ("dotted", "key", "missing"): (4, 1),
    ("dotted",): (4, 1),
    ("text",): (5, 1),
    ("array",): (9, 1),
    ("array", 0): (10, 3),
    ("array", 1): (11, 3),
    ("array", 1, "x"): (11, 3),
    ("array", 2): (12, 3),
    ("array", 3): (9, 1),
    ("table",): (15, 1),
    ("table", "inner"): (15, 1),
    ("table", "inner", "x"): (16, 1),
    ("table", "inner", "missing"): (15, 1),
    ("steps",): (18, 1),
    ("steps", 0, "action"): (19, 1),
    ("steps", 0, "parts", 1, "n"): (23, 1),
    ("steps", 1): (25, 1),
    ("steps", 1, "action"): (26, 3),
    ("steps", 1, "o#p", "z"): (28, 1),
    ("steps", 1, "verify"): (25, 1),
    ("nowhere",): (1, 1),
}


@pytest.mark.parametrize(("key", "place"), PLACES.items(), ids=str)
def test_positions_in_a_document_of_every_kind_of_key(
    key: tuple[str | int, ...], place: tuple[int, int]
) -> None:
    """A key has the position at which it is written; a missing one that of the table around it."""
    assert parse(POSITIONED.encode()).positions.find(key) == place


def test_positions_of_nothing_are_the_beginning() -> None:
    """Without any key there is still a place to point at."""
    assert Positions().find(("a",)) == (1, 1)
    assert Positions().find(()) == (1, 1)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("risks", 0, "mitigations", 1), "risks[0].mitigations[1]"),
        (("a", "b"), "a.b"),
    ],
)
def test_keys_are_named_as_people_write_them(path: tuple[str | int, ...], text: str) -> None:
    """A key's name has dots between tables and the index of an array's element in brackets."""
    assert dotted(path) == text
