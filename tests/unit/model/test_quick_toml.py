"""Quick TOML: whatever it reads, `tomllib` reads in the same way; and it reads what change files are made of."""

from __future__ import annotations

import datetime as dt
import random
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.model import quick_toml
from gitchange.model.change import parse_change, write_change
from gitchange.model.record import append_record
from gitchange.model.toml import MAX_BYTES, MAX_DEPTH, parse
from tests.unit.model.test_change import GOOD, LONG, PATH, change_data
from tests.unit.model.test_record import FULL, record, sign_off


def exact(value: Any) -> Any:
    """The value with its types, the order of its keys, and the offsets of its times: what == alone leaves open."""
    if isinstance(value, dict):
        return "table", [(key, exact(item)) for key, item in value.items()]
    if isinstance(value, list):
        return "array", [exact(item) for item in value]
    return type(value), repr(value)


def depth(value: Any) -> int:
    """How deep tables and arrays nest in a document, which itself has depth 0."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((1 + depth(item) for item in inner if isinstance(item, dict | list)), default=0)


def is_read(text: str) -> bool:
    """Whether the text is read; then the answer must be tomllib's, type by type and key by key."""
    data = quick_toml.loads(text)
    if data is None:
        return False
    try:
        expected = tomllib.loads(text)
    except ValueError as error:
        raise AssertionError(f"{text!r} is read and is not TOML: {error}") from None
    assert exact(data) == exact(expected), text
    assert depth(data) <= quick_toml.DEEPEST
    return True


@given(
    st.lists(
        st.sampled_from(
            [
                "a = 1\n",
                "b = 'x'\n",
                "[t]\n",
                "[[u]]\n",
                "[record]\n",
                "\n[record]\n",
                "[record.r]\n",
                "[[record.s]]\n",
                "record = 1\n",
                'm = """\n',
                '"""\n',
                "# c\n",
                "\n",
                "n = [\n",
                "]\n",
            ]
        ),
        max_size=9,
    ).map("".join)
)
@settings(max_examples=500)
def test_a_document_is_the_same_read_in_two_parts(text: str) -> None:
    """Whether a last table is asked about changes no answer; what stands before it is the document without it."""
    raw = text.encode()
    whole, parts = parse(raw), parse(raw, last="record")
    assert exact(parts.data) == exact(whole.data)
    assert parts.problems == whole.problems
    if parts.before_last is not None:
        before = parse(raw[: parts.before_last].rstrip(b"\n"))
        assert not before.problems
        assert before.data == {key: value for key, value in whole.data.items() if key != "record"}
        assert raw[parts.before_last :].startswith(b"[record]\n")


# -- by hand ---------------------------------------------------------------------------------

READ = {
    "nothing": "",
    "blanks and line ends": " \t\n\n \n\t",
    "a comment without a line end": "# the last",
    "comments": "#\n # one # two\t\n\t#ö証🔑\u0080\u2028\na = 1 # three\n#",
    "no line end": "a = 1",
    "blanks around": " \t a \t=\t 1 \t\n \t [b] \t # c\n",
    "no blanks": 'a=1\nb="x"\n[c]\nd=[]',
    "odd bare keys": "- = 1\n_ = 2\n0 = 3\n1979-05-27 = 4\ntrue = 5\ninf = 6\nA-z_09 = 7\n",
    "strings": 'a = ""\nb = " x # [y] = \'z\' "\nc = "ö証🔑\u0080\u2028\x85\tx"\n',
    "literal strings": "a = ''\nb = ' x # [y] = \"z\" \\'\nc = '\\n\\q\tö'\n",
    "escapes": r'a = "\b\t\n\f\r\"\\"' + "\n" + r'b = "\\n\\\\u0041 \"\""' + "\n" + r'c = "\\"' + "\n",
    "multi-line strings": 'a = """"""\nb = """\n"""\nc = """\n\nx\n "y" ""z\n\n"""\nd = """x"""\ne = """"x"""\n',
    "escapes in multi-line strings": 'a = """\\n\\"""\\"\\\\"""\nb = """\n\\""""\n',
    "quotes before the end, escaped": 'a = """x\\""""\nb = """x"\\""""\n',
    "multi-line literals": "a = ''''''\nb = '''\n'''\nc = '''\n\nx\\\n 'y' ''z\n'''\nd = ''''x'''\n",
    "what looks like TOML in a text": "a = \"\"\"\n[b]\nc = 1\n# d\na = 2\n\"\"\"\n[b]\nc = '''\n[b]\n'''\n",
    "booleans": "a = true\nb = false\nc = 1\nd = 0\n",
    "whole numbers": "a = 0\nb = +0\nc = -0\nd = 42\ne = +42\nf = -42\ng = 999999999999999999\n",
    "fractions": "a = 0.0\nb = -0.0\nc = +0.5\nd = 3.14\ne = 1.0\nf = 123456789.123456789\ng = 0.1\n",
    "days": "a = 2026-11-22\nb = 0001-01-01\nc = 9999-12-31\nd = 2024-02-29\n",
    "moments": "a = 2026-11-22T20:00:00+01:00\nb = 2026-11-22T20:00:00Z\nc = 2026-11-22 20:00:00-09:30\n"
    "d = 2026-11-22T20:00:00\ne = 2026-11-22 23:59:59 # local\nf = 2026-11-22T20:00:00+23:59\n",
    "moments at no offset": "a = 2026-11-22T20:00:00+00:00\nb = 2026-11-22T20:00:00-00:00\n",
    "parts of a second": "".join(f"a{n} = 2026-11-22T20:00:00.{'012345'[:n]}Z\n" for n in range(1, 7)),
    "a day and a comment": "a = 2026-11-22 # T20:00:00\nb = 2026-11-22 #20:00:00\n",
    "arrays": 'a = []\nb = [ ]\nc = ["x"]\nd = ["x", \'y\',"z",]\ne = [ "" , \'\' , ]\nf = [\n]\n',
    "arrays on several lines": 'a = [\n\t"x"\n,\n\n \'y\',\n]\nb = ["""\n1\n""", \'\'\'\n2\'\'\',\n"3"]\n',
    "brackets, commas and hashes in an array": 'a = ["]", ",", "[#", "\\"]", \'"]\', """]"""] # ]\n',
    "escapes in an array": 'a = ["\\n", "\\\\", "\\"", \'\\n\', """\\t"""]\n',
    "tables": "a = 1\n[b]\na = 1\n[c]\n[b.d]\na = 1\n[e.f.g]\n[e.f.h]\na = 1\n[e.i]\n",
    "arrays of tables": "[[a]]\nx = 1\n[[a]]\n[[a]]\nx = 2\n[b]\n[[b.c]]\n[[b.c]]\n[[d.e]]\n",
    "tables in arrays of tables": "[[a]]\n[a.b]\nx = 1\n[[a.c]]\n[a.c.d]\n[[a.c]]\n[a.c.d]\n[[a]]\n[a.b]\n[[a.c]]\n",
    "a value of the name of a table elsewhere": "a = 1\n[b]\na = 1\nb = 2\n[c.a]\n[c.b]\nc = 3\n",
    "ten keys in a header": "[a.b.c.d.e.f.g.h.i.j]\nx = []\n",
    "arrays of tables in each other": "".join(f"[[{'.'.join('abcdefghij'[:n])}]]\n" for n in range(1, 11))
    + "x = ['y']\n",
    "numbers as table names": "[1]\n[1.2]\n[[1.3]]\n[-.-]\n",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ.keys())
def test_what_change_files_are_made_of_is_read(text: str) -> None:
    """The subset is read, with tomllib's answer."""
    assert is_read(text)


NOT_READ = {  # good TOML that nobody needs in a change file
    "a quoted key": '"a" = 1\n',
    "a literal key": "'a' = 1\n",
    "a dotted key": "a.b = 1\n",
    "a quoted table": '["a"]\n',
    "blanks in a header": "[ a ]\n",
    "blanks in a dotted header": "[a . b]\n",
    "eleven keys in a header": "[a.b.c.d.e.f.g.h.i.j.k]\n",
    "carriage returns": "a = 1\r\n",
    "a code point": 'a = "\\u0041"\n',
    "a long code point": 'a = "\\U0001F511"\n',
    "a line that goes on": 'a = """x \\\n  y"""\n',
    "a line that goes on after blanks": 'a = """x \\  \n  y"""\n',
    "four quotes at the end": 'a = """x""""\n',
    "five quotes at the end": 'a = """x"""""\n',
    "seven quotes": 'a = """""""\n',
    "four apostrophes at the end": "a = '''x''''\n",
    "five apostrophes at the end": "a = '''x'''''\n",
    "a hexadecimal number": "a = 0xFF\n",
    "an octal number": "a = 0o17\n",
    "a binary number": "a = 0b11\n",
    "underscores": "a = 1_000\n",
    "an exponent": "a = 1e3\n",
    "a fraction and an exponent": "a = 1.5E-3\n",
    "infinity": "a = -inf\n",
    "not a number": "a = nan\n",
    "a large number": f"a = {10**18}\n",
    "many decimals": f"a = 0.{'1' * 19}\n",
    "a time": "a = 07:32:00\n",
    "a small t and z": "a = 2026-11-22t20:00:00z\n",
    "seven decimals of a second": "a = 2026-11-22T20:00:00.1234567Z\n",
    "numbers in an array": "a = [1, 2]\n",
    "arrays in an array": 'a = [["x"]]\n',
    "a comment in an array": 'a = [ # c\n"x"]\n',
    "an inline table": "a = { b = 1 }\n",
    "an outer table after an inner one": "[a.b]\n[a]\n",
    "an outer table after an inner array of tables": "[[a.b]]\n[a]\n",
}


@pytest.mark.parametrize("text", NOT_READ.values(), ids=NOT_READ.keys())
def test_other_toml_is_left_to_tomllib(text: str) -> None:
    """Good TOML outside the subset is not read, and `parse` gives tomllib's answer for it."""
    assert quick_toml.loads(text) is None
    assert repr(parse(text.encode()).data) == repr(tomllib.loads(text))


WRONG = {
    "a byte order mark": "\ufeffa = 1\n",
    "no value": "a =\n",
    "no key": "= 1\n",
    "no equals sign": "a 1\n",
    "a value on the next line": "a =\n1\n",
    "an equals sign on the next line": "a\n= 1\n",
    "two values": "a = 1 2\n",
    "two pairs on a line": "a = 1 b = 2\n",
    "a pair behind a header": "[a] b = 1\n",
    "a word": "a = x\n",
    "a key outside ASCII": "ö = 1\n",
    "digits outside ASCII": "a = ١\n",
    "a day in digits outside ASCII": "a = ٢٠٢٦-11-22\n",
    "a blank outside ASCII": "a =\u00a01\n",
    "a form feed between": "a = 1\n\f\nb = 2\n",
    "a vertical tab between": "a = 1\n\vb = 2\n",
    "a line separator for a line end": "a = 1\u2028b = 2\n",
    "a lone carriage return": "a = 1\rb = 2\n",
    "a carriage return in a comment": "# a\rb = 2\n",
    "NUL in a comment": "# \0\n",
    "DEL in a comment": "# \x7f\n",
    "a unit separator behind a value": "a = 1 \x1f\n",
    "a string without end": 'a = "x\n',
    "a string with a line end": 'a = "x\ny"\n',
    "a literal without end": "a = 'x\n",
    "a multi-line string without end": 'a = """x""\n',
    "a multi-line literal without end": "a = '''x''\n",
    "six quotes at the end": 'a = """x""""""\n',
    "an apostrophe too many": "a = ''''\n",
    "an unknown escape": 'a = "\\q"\n',
    "an escaped apostrophe": 'a = "\\\'"\n',
    "an escape of a line end": 'a = "\\\n"\n',
    "an escaped end": 'a = "x\\"\n',
    "a backslash before the end": 'a = """x\\"""\n',
    "a surrogate": 'a = "\\ud800"\n',
    "a leading zero": "a = 01\n",
    "a leading zero before a fraction": "a = 00.5\n",
    "two signs": "a = +-1\n",
    "a sign alone": "a = -\n",
    "a fraction without digits": "a = 1.\n",
    "a fraction without a whole": "a = .5\n",
    "two points": "a = 1.2.3\n",
    "a capital boolean": "a = True\n",
    "half a boolean": "a = tru\n",
    "a boolean too long": "a = truex\n",
    "a month too many": "a = 2026-13-01\n",
    "month zero": "a = 2026-00-01\n",
    "a day that does not exist": "a = 2026-02-30\n",
    "a leap day that does not exist": "a = 2026-02-29T00:00:00Z\n",
    "year zero": "a = 0000-01-01\n",
    "hour 24": "a = 2026-11-22T24:00:00Z\n",
    "minute 60": "a = 2026-11-22T20:60:00Z\n",
    "second 60": "a = 2026-11-22T20:00:60Z\n",
    "an offset of 24 hours": "a = 2026-11-22T20:00:00+24:00\n",
    "an offset of 60 minutes": "a = 2026-11-22T20:00:00+01:60\n",
    "an offset without colon": "a = 2026-11-22T20:00:00+0100\n",
    "an offset of a day": "a = 2026-11-22+01:00\n",
    "a point without decimals": "a = 2026-11-22T20:00:00.Z\n",
    "two blanks before the time": "a = 2026-11-22  20:00:00\n",
    "a time without a day before it": "a = T20:00:00\n",
    "a short year": "a = 226-11-22\n",
    "an array without end": 'a = ["x",\n',
    "an array without start": 'a = "x"]\n',
    "a comma alone": "a = [,]\n",
    "two commas": 'a = ["x",,"y"]\n',
    "no comma": 'a = ["x" "y"]\n',
    "no comma between empty strings": 'a = ["" ""]\n',
    "an array with a word": 'a = ["x", y]\n',
    "an array with a control": 'a = ["x\x00"]\n',
    "an array with a vertical tab": 'a = ["x",\v"y"]\n',
    "a string with a line end in an array": 'a = ["x\ny"]\n',
    "a header without end": "[a\n",
    "a header on two lines": "[a\n]\n",
    "an empty header": "[]\n",
    "an empty part of a header": "[a..b]\n",
    "a point at the end of a header": "[a.]\n",
    "a bracket too many": "[a]]\n",
    "a bracket too few": "[[a]\n",
    "a blank between brackets": "[ [a]]\n",
    "a key twice": "a = 1\na = 1\n",
    "a key twice with a text": 'a = ""\na = ""\n',
    "a key twice in a table": "[a]\nb = 1\nc = 2\nb = 3\n",
    "a key twice in an array of tables": "[[a]]\nb = 1\n[[a]]\nb = 1\nb = 2\n",
    "a table twice": "[a]\n[b]\n[a]\n",
    "a table twice in an array of tables": "[[a]]\n[a.b]\n[a.b]\n",
    "a table over a value": "a = 1\n[a]\n",
    "a table over an array": 'a = ["x"]\n[a]\n',
    "a table over an empty array": "a = []\n[a]\n",
    "a table over an array of tables": "[[a]]\n[a]\n",
    "a table in a value": "a = 1\n[a.b]\n",
    "a table in a text": 'a = "b"\n[a.b]\n',
    "a table in an array": 'a = ["x"]\n[a.b]\n',
    "a table in an empty array": "a = []\n[a.b]\n",
    "a table deep in an array": 'a = ["x"]\n[a.b.c]\n',
    "a table in a day": "a = 2026-11-22\n[a.b]\n",
    "an array of tables over a value": "a = 1\n[[a]]\n",
    "an array of tables over an array": 'a = ["x"]\n[[a]]\n',
    "an array of tables over an empty array": "a = []\n[[a]]\n",
    "an array of tables over a table": "[a]\n[[a]]\n",
    "an array of tables over a table that is implied": "[a.b]\n[[a]]\n",
    "an array of tables in an empty array": "a = []\n[[a.b]]\n",
    "an array of tables in a value": "a = 1\n[[a.b]]\n",
    "an array of tables over a value in an array of tables": "[[a]]\nb = []\n[[a.b]]\n",
    "a table over a value in an array of tables": "[[a]]\nb = 1\n[a.b]\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_toml_is_not_read(text: str) -> None:
    """What tomllib refuses is left to it."""
    with pytest.raises(ValueError, match=r"\(at |month|day|year"):
        tomllib.loads(text)
    assert quick_toml.loads(text) is None


CONTROLS = [chr(code) for code in (*range(32), 127)]


@pytest.mark.parametrize(
    "place", ['"{}"', "'{}'", '"""{}"""', "'''{}'''", "1 # {}", '["{}"]', '["""{}"""]', "1{}"]
)
def test_a_control_character_is_read_only_where_tomllib_reads_it(place: str) -> None:
    """At each place just those control characters are read that tomllib reads, but the carriage return."""
    for control in CONTROLS:
        text = f"a = {place.format(control)}\nb = 1\n"
        try:
            expected = bool(tomllib.loads(text)) and control != "\r"
        except ValueError:
            expected = False
        assert is_read(text) == expected


# -- what change files hold ------------------------------------------------------------------

BY_HAND = (
    "# What we found on Monday, see INC-42.\n\n"
    + GOOD.replace('reason = "It expires."', "reason = '''\nIt expires;\n'nobody' noticed.'''   # really")
    .replace('systems = ["api", "database"]', 'systems = [\n  "api",\n\t"database"\n]')
    .replace("\n\n[[risks]]", "\n\n# ---- risks ----\n\n  [[risks]]")
    + '\n[links]\nissues=["https://example.org/a#b"]\n[outage]\ndescription = "None"\nminutes = 5\n'
    "[custom]\ncost = 12.50\napproved = true\ndue = 2026-11-30\nslot = 2026-11-30 08:00:00\n"
    '[emergency]\nincident = "INC-42"\njustification = "C:\\\\temp was \\"full\\"\\n"\n'
)
DOCUMENTED = append_record(GOOD.encode(), FULL).decode()
FILES = {"as in the tutorial": GOOD, "written by hand": BY_HAND, "documented": DOCUMENTED}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_change_files_are_read(text: str) -> None:
    """Change files as people and the program write them are read."""
    assert is_read(text)


EXAMPLES, MUTATIONS = 300, 300
QUICK = settings(max_examples=100, deadline=None)
ZONES = [dt.UTC, *(dt.timezone(dt.timedelta(minutes=minutes)) for minutes in (60, 330, -570, -1439, 1439))]


@QUICK
@given(change_data())
def test_every_change_that_the_program_writes_is_read(data: dict[str, Any]) -> None:
    """What `gitchange new` writes is in the subset, whatever its texts say."""
    data["custom"] = {key: value for key, value in data["custom"].items() if _is_plain(key, value)}
    text = write_change(data).decode()
    assert is_read(text)
    assert parse_change(text.encode(), PATH).findings == ()


def _is_plain(key: str, value: Any) -> bool:
    """Only quoted keys, and fractions that Python writes with an exponent or very long, are left to tomllib."""
    decimal = not isinstance(value, float) or re.fullmatch(r"-?[0-9]{1,18}\.[0-9]{1,18}", repr(value))
    return bool(re.fullmatch("[A-Za-z0-9_-]+", key) and decimal)


@QUICK
@given(st.lists(LONG, min_size=1, max_size=3), st.datetimes(timezones=st.sampled_from(ZONES)))
def test_every_record_that_the_program_writes_is_read(texts: list[str], when: dt.datetime) -> None:
    """What `gitchange document` appends is in the subset, whatever people said and whenever."""
    signed = tuple(sign_off(comment=text, time=when) for text in texts)
    written = record(summary=texts[0], lessons=texts[-1], time=when, sign_offs=signed)
    assert is_read(append_record(GOOD.encode(), written).decode())


def test_an_answer_nests_no_deeper_than_documents_may() -> None:
    """What is read need not be asked for its depth: it nests less deep than `parse` allows."""
    data = quick_toml.loads("".join(f"[[{'.'.join('abcdefghij'[:n])}]]\n" for n in range(1, 11)) + "x = []\n")
    assert depth(data) == quick_toml.DEEPEST <= MAX_DEPTH


def test_a_text_may_be_full_of_points() -> None:
    """Points in a text make no key that is too deep."""
    text = f'a = "{"1." * 1000}"\n'
    document = parse(text.encode())
    assert document.data == tomllib.loads(text)
    assert document.problems == ()


# -- at random -------------------------------------------------------------------------------

KEYS = st.sampled_from(["a", "b", "c", "a-1", "0"])
NAMES = st.lists(KEYS, min_size=1, max_size=3).map(".".join)
TEXTS = st.lists(
    st.sampled_from(
        ['"', '""', "'", "''", "\\", '\\"', "\\n", "\t", "\n", "#", "]", ",", " ", "x", "é"],
    ),
    max_size=8,
).map("".join)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


STRINGS = st.one_of(
    TEXTS.map(lambda text: '"' + _escaped(text).replace("\n", "\\n") + '"'),
    TEXTS.map(lambda text: f'"""{_escaped(text)}"""'),
    TEXTS.map(lambda text: "'" + text.replace("'", "").replace("\n", " ") + "'"),
    TEXTS.map(lambda text: "'''" + text.replace("'", '"') + "'''"),
)
WILD = st.builds("{0}{1}{0}".format, st.sampled_from(['"', "'", '"""', "'''"]), TEXTS)
BLANKS = st.sampled_from(["", " ", "\t", "\n", "\n    "])
ARRAYS = st.builds(
    "[{0}{1}{0}]".format,
    BLANKS,
    st.lists(st.builds("{}{}".format, STRINGS, BLANKS), max_size=3).map(",".join),
)
MOMENTS = st.datetimes(timezones=st.sampled_from([None, *ZONES]))
SCALARS = st.one_of(
    st.integers(-(10**17), 10**17).map(str),
    st.decimals(-1000, 1000, places=3).map("{:f}".format),
    st.booleans().map(lambda value: str(value).lower()),
    st.dates().map(str),
    MOMENTS.map(str),
    MOMENTS.map(lambda when: when.isoformat().replace("+00:00", "Z")),
)
GOOD_VALUES = STRINGS | ARRAYS | SCALARS
VALUES = st.one_of(
    GOOD_VALUES,
    WILD,
    st.builds("[{}{}]".format, WILD, st.sampled_from(["", ",", ",,", " 1"])),
    st.builds("{{ a = {} }}".format, GOOD_VALUES),
    st.builds("{}{}".format, SCALARS, st.sampled_from("0_.eTZ:-+ x1")),
)
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, KEYS, VALUES),
    st.builds("{}={} # {}".format, KEYS, GOOD_VALUES, st.sampled_from(["", "x", '"', "'''"])),
    NAMES.map("[{}]".format),
    NAMES.map("[[{}]]".format),
    st.sampled_from(["", "  ", "# comment"]),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(STATEMENTS, max_size=8).map("\n".join))
def test_documents_at_random_are_never_read_in_another_way(text: str) -> None:
    """Good, odd and bad statements in any order, with few names so that they meet: never another answer."""
    is_read(text)


PAIRS = st.dictionaries(KEYS, GOOD_VALUES, max_size=4).map(
    lambda pairs: "".join(f"{key} = {value}\n" for key, value in pairs.items())
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(PAIRS, PAIRS, st.sampled_from(["[x]", "[[x]]", "[x.y]", "[[x.y]]\n[[x.y.z]]"]))
def test_good_documents_at_random_are_read(first: str, second: str, header: str) -> None:
    """Documents of good values under keys of their own are in the subset."""
    assert is_read(f"{first}{header}\n{second}")


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(
        st.builds(
            "{}\n".format,
            st.one_of(
                *[
                    NAMES.map("[{}]".format),
                    NAMES.map("[[{}]]".format),
                    st.builds("{} = {}".format, KEYS, st.sampled_from(["1", "[]"])),
                ]
            ),
        ),
        max_size=10,
    ).map("".join)
)
def test_tables_that_meet_are_never_read_in_another_way(text: str) -> None:
    """Tables, arrays of tables, values and empty arrays of the same names, in any order: never another answer."""
    is_read(text)


PIECES = [
    '"',
    "'",
    '"""',
    "'''",
    "\\",
    "\n",
    "\r",
    "\t",
    " ",
    "#",
    "=",
    "[",
    "]",
    "[[",
    ",",
    ".",
    "0",
    "-",
    "a",
    "\0",
]


def mutated(text: str, rng: random.Random) -> str:
    """The text after one to three small accidents."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        lines = text.split("\n")
        one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(7):
            case 0:
                text = text[:at] + text[at + rng.randint(1, 4) :]
            case 1:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 2:
                text = text[:at] + rng.choice(PIECES) + text[at + 1 :]
            case 3:
                text = text[:at] + chr(rng.randrange(256)) + text[at + 1 :]
            case 4:
                lines[one], lines[other] = lines[other], lines[one]
                text = "\n".join(lines)
            case 5:
                text = "\n".join([*lines[:one], lines[other], *lines[one:]])
            case _:
                text = "\n".join([*lines[:one], *lines[one + 1 :]])
    return text


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_change_files_after_an_accident_are_never_read_in_another_way(text: str) -> None:
    """Characters lost, put in or changed, lines lost, doubled or moved: never another answer, and not always none."""
    rng = random.Random(text)  # noqa: S311 - the same on every machine
    answers = [is_read(mutated(text, rng)) for _ in range(MUTATIONS)]
    assert any(answers)
    assert not all(answers)


# -- of any size -----------------------------------------------------------------------------

HUGE = {  # what stands before, the piece that is repeated, what stands behind; and whether the document is read
    "line ends": ("", "\n", "", True),
    "comments": ("", "#\n", "", True),
    "blanks": ("", " ", "", True),
    "words": ("", "a", "", False),
    "points": ("[", "a.", "a]", False),
    "brackets": ("a = ", "[", "", False),
    "arrays without end": ("", "a=[\n", "", False),
    "strings without end": ("", 'a="""\n', "", False),
    "literals without end": ("", "a='''\n", "", False),
    "quotes": ('a="""', '"" ', '"""', True),
    "quotes without end": ('a="""', '"" ', "", False),
    "apostrophes": ("a='''", "' ", "'''", True),
    "apostrophes without end": ("a='''", "' ", "", False),
    "escapes": ('a="', "\\n", '"', True),
    "escapes without end": ('a="', "\\n", "", False),
    "an array": ("a=[", "'',", "]", True),
    "an array without end": ("a=[", "'',", "", False),
    "an array of long texts": ("a=[", '"""" "" """,', "]", True),
    "an array of long texts without end": ("a=[", '"""" "" """,', "", False),
    "blanks in an array without end": ("a=[''", " \n", "", False),
    "digits": ("a=", "9", "", False),
    "decimals": ("a=0.", "9", "", False),
    "tables": ("", "[[a.b.c]]\n", "", True),
}


@pytest.mark.parametrize("case", HUGE.values(), ids=HUGE.keys())
def test_the_largest_documents_are_read_in_one_pass(case: tuple[str, str, str, bool]) -> None:
    """However hostile a document of 1 MiB is, an answer comes: work that is quadratic would take hours."""
    before, piece, behind, good = case
    text = before + piece * ((MAX_BYTES - 20) // len(piece)) + behind
    assert is_read(text) == good
