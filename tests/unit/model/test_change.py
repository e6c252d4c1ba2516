"""The change file: every problem at its place with a mend, the risk levels, and writing it."""

from __future__ import annotations

import datetime as dt
import textwrap
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.model.change import (
    IMPACTS,
    LIKELIHOODS,
    Impact,
    Likelihood,
    ParsedChange,
    level_of,
    parse_change,
    write_change,
)
from gitchange.model.finding import Finding

ID = "CHG-20261122-K7Q3"
PATH = f"changes/2026/11/{ID}.toml"

GOOD = f'''\
schema = 1
id = "{ID}"
title = "Rotate the certificate"
type = "normal"
requester = "rob@example.org"
systems = ["api", "database"]
reason = "It expires."
scope = """
Both load balancers.
"""
rollback = "Put the old one back."
test_plan = "curl from outside"

[schedule]
start = 2026-11-22T20:00:00+01:00
end = 2026-11-22T21:00:00+01:00

[[steps]]
action = "Install it"
verify = "curl shows it"

[[risks]]
description = "Clients refuse it"
category = "availability"
likelihood = "unlikely"
impact = "moderate"
mitigations = ["keep the old one"]
'''


def read(text: str, path: str = PATH) -> ParsedChange:
    """The text as a change file at a path."""
    return parse_change(text.encode(), path)


def edited(old: str, new: str) -> str:
    """The good change with one passage replaced."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def only(parsed: ParsedChange) -> Finding:
    """The one finding."""
    assert parsed.change is None
    assert len(parsed.findings) == 1, parsed.findings
    return parsed.findings[0]


def test_a_good_change_file_has_no_findings() -> None:
    """A change file with all that is required is read without any finding."""
    parsed = read(GOOD)
    assert parsed.findings == ()
    assert parsed.change is not None
    assert parsed.change.path == PATH
    assert parsed.change.scope == "Both load balancers.\n"
    assert parsed.change.risk == "medium"
    assert parsed.change.systems == ("api", "database")


# What is wrong: old text, new text, code, key, line, column, words of the message, words of the mend.
Case = tuple[str, str, str, str, int, int, str, str]
WRONG: dict[str, Case] = {
    "a syntax error": (
        *('reason = "It expires."', "reason = It expires."),
        *("toml.syntax", "", 7, 10, "not TOML", "toml.io"),
    ),
    "an unknown key": (
        *('title = "Rotate the certificate"', 'title = "x"\nowner = "me"'),
        *("change.unknown-key", "owner", 4, 1, "not a key", "remove it"),
    ),
    "a misspelt key": (
        *('verify = "curl', 'verfy = "curl'),
        *("change.unknown-key", "steps[0].verfy", 20, 1, "not a key", "did you mean `verify`?"),
    ),
    "a key in the wrong table": (
        *("end = 2026-11-22T21:00:00+01:00", "end = 2026-11-22T21:00:00+01:00\nminutes = 5"),
        *("change.unknown-key", "schedule.minutes", 17, 1, "not a key", "remove it"),
    ),
    "a missing title": (
        *('title = "Rotate the certificate"\n', ""),
        *("change.missing-key", "title", 1, 1, "`title` is missing", "add `title ="),
    ),
    "a missing end": (
        *("end = 2026-11-22T21:00:00+01:00\n", ""),
        *("change.missing-key", "schedule.end", 14, 1, "`schedule.end` is missing", "add `end ="),
    ),
    "a missing key of a step": (
        *('action = "Install it"\n', ""),
        *("change.missing-key", "steps[0].action", 18, 1, "`steps[0].action` is missing", "add `action ="),
    ),
    "a risk without mitigations": (
        *('mitigations = ["keep the old one"]\n', ""),
        *("change.missing-key", "risks[0].mitigations", 22, 1, "is missing", "add `mitigations = ["),
    ),
    "a risk with no mitigation in the list": (
        *('mitigations = ["keep the old one"]', "mitigations = []"),
        *("change.empty", "risks[0].mitigations", 27, 1, "at least one entry", "add `mitigations = ["),
    ),
    "a mitigation that says nothing": (
        *('mitigations = ["keep the old one"]', 'mitigations = [\n  "a",\n  "  ",\n]'),
        *("change.empty", "risks[0].mitigations[1]", 29, 3, "is empty", "add `mitigations = ["),
    ),
    "no system": (
        *('systems = ["api", "database"]', "systems = []"),
        *("change.empty", "systems", 6, 1, "at least one entry", "policy/systems.toml"),
    ),
    "an empty title": (
        *('title = "Rotate the certificate"', 'title = ""'),
        *("change.empty", "title", 3, 1, "is empty", "add `title ="),
    ),
    "a blank reason": (
        *('reason = "It expires."', 'reason = """\n \n\t\n"""'),
        *("change.empty", "reason", 7, 1, "is empty", "why the change is needed"),
    ),
    "a number for a text": (
        *('requester = "rob@example.org"', "requester = 5"),
        *("change.wrong-type", "requester", 5, 1, "must be text in quotes, not a number", ""),
    ),
    "a text for an array": (
        *('systems = ["api", "database"]', 'systems = "api"'),
        *("change.wrong-type", "systems", 6, 1, "must be an array, not text", ""),
    ),
    "a text for a time": (
        *("end = 2026-11-22T21:00:00+01:00", 'end = "2026-11-22T21:00:00+01:00"'),
        *("change.wrong-type", "schedule.end", 16, 1, "must be a date and time such as 2026", ""),
    ),
    "a quoted schema": (
        *("schema = 1", 'schema = "1"'),
        *("change.wrong-value", "schema", 1, 1, "must be 1", ""),
    ),
    "a schema of the future": (
        *("schema = 1", "schema = 2"),
        *("change.wrong-value", "schema", 1, 1, "`schema` is 2; it must be 1", ""),
    ),
    "an unknown type": (
        *('type = "normal"', 'type = "nromal"'),
        *("change.wrong-value", "type", 4, 1, "must be 'normal', 'standard' or 'emergency'", "'normal'?"),
    ),
    "an unknown likelihood": (
        *('likelihood = "unlikely"', 'likelihood = "unlikly"'),
        *("change.wrong-value", "risks[0].likelihood", 25, 1, "'almost-certain'", "'unlikely'?"),
    ),
    "an id that does not match its path": (
        *(f'id = "{ID}"', 'id = "CHG-20261122-K7Q4"'),
        *("change.wrong-path", "id", 2, 1, "belongs at changes/2026/11/CHG-20261122-K7Q4.toml", "git mv"),
    ),
    "an id that is none": (
        *(f'id = "{ID}"', 'id = "CHG-20261122-OOPS"'),
        *("change.wrong-value", "id", 2, 1, "without I, L, O, U", ""),
    ),
    "an id of a day that does not exist": (
        *(f'id = "{ID}"', 'id = "CHG-20260230-K7Q3"'),
        *("change.wrong-value", "id", 2, 1, "2026-02-30 is not a day", ""),
    ),
    "an end before the start": (
        *("end = 2026-11-22T21:00:00+01:00", "end = 2026-11-22T18:59:59Z"),
        *("change.wrong-value", "schedule", 14, 1, "ends before it begins", ""),
    ),
    "an end at the start": (
        *("end = 2026-11-22T21:00:00+01:00", "end = 2026-11-22T19:00:00Z"),
        *("change.wrong-value", "schedule", 14, 1, "`end` must be later than `start`", ""),
    ),
    "a time without its offset": (
        *("start = 2026-11-22T20:00:00+01:00", "start = 2026-11-22T20:00:00"),
        *("change.wrong-value", "schedule.start", 15, 1, "has no offset from UTC", ""),
    ),
    "a standard change without its model": (
        *('type = "normal"', 'type = "standard"'),
        *("change.missing-key", "type", 4, 1, "names the model", "add `model ="),
    ),
    "a model in a normal change": (
        *('type = "normal"', 'type = "normal"\nmodel = "patch"'),
        *("change.wrong-value", "model", 5, 1, "belongs to standard changes", "remove it"),
    ),
    "an emergency without its incident": (
        *('type = "normal"', 'type = "emergency"'),
        *("change.missing-key", "type", 4, 1, "names its incident", "[emergency]"),
    ),
    "an incident in a normal change": (
        *("[schedule]", '[emergency]\nincident = "INC-1"\njustification = "It burns."\n[schedule]'),
        *("change.wrong-value", "emergency", 14, 1, "belongs to emergencies", "remove it"),
    ),
    "an escape sequence in a text": (
        *('reason = "It expires."', 'reason = "\\u001b[2Jgone"'),
        *("change.wrong-value", "reason", 7, 1, "contains the control character U+001B", ""),
    ),
    "a C1 control character in a title": (
        *('title = "Rotate the certificate"', 'title = "a\\u009bb"'),
        *("change.wrong-value", "title", 3, 1, "contains the control character U+009B", ""),
    ),
    "a title that changes the direction of writing": (
        *('title = "Rotate the certificate"', 'title = "a\\u202egnp.exe"'),
        *("change.wrong-value", "title", 3, 1, "contains the control character U+202E", ""),
    ),
    "a title of two lines": (
        *('title = "Rotate the certificate"', 'title = "a\\nb"'),
        *("change.wrong-value", "title", 3, 1, "must be a single line", ""),
    ),
    "a title with blanks around it": (
        *('title = "Rotate the certificate"', 'title = " a"'),
        *("change.wrong-value", "title", 3, 1, "begins or ends with blanks", ""),
    ),
    "a title that is too long": (
        *('title = "Rotate the certificate"', f'title = "{"x" * 301}"'),
        *("change.too-long", "title", 3, 1, "more than 300 characters", ""),
    ),
    "a requester that is no principal": (
        *('requester = "rob@example.org"', 'requester = "Rob <rob@example.org>"'),
        *("change.wrong-value", "requester", 5, 1, "is no principal", ""),
    ),
    "a system id with a slash": (
        *('systems = ["api", "database"]', 'systems = ["api", "../etc"]'),
        *("change.wrong-value", "systems[1]", 6, 19, "letters, digits", ""),
    ),
    "a system twice": (
        *('systems = ["api", "database"]', 'systems = ["api", "api"]'),
        *("change.wrong-value", "systems[1]", 6, 19, "'api' twice", "remove one"),
    ),
    "a link that runs a script": (
        *("[schedule]", '[links]\nissues = ["javascript:alert(1)"]\n[schedule]'),
        *("change.wrong-value", "links.issues[0]", 15, 11, "begins with https://", ""),
    ),
    "a change that depends on itself": (
        *('type = "normal"', f'type = "normal"\ndepends_on = ["{ID}"]'),
        *("change.wrong-value", "depends_on[0]", 5, 15, "cannot depend on itself", "remove it"),
    ),
    "a change that amends itself": (
        *('type = "normal"', f'type = "normal"\namends = "{ID}"'),
        *("change.wrong-value", "amends", 5, 1, "cannot amend itself", "remove it"),
    ),
    "a custom field that is an array": (
        *("[schedule]", "[custom]\nticket = [1]\n[schedule]"),
        *("change.wrong-value", "custom.ticket", 15, 1, "must be text, a number", ""),
    ),
    "minutes below zero": (
        *("[schedule]", '[outage]\ndescription = "none"\nminutes = -1\n[schedule]'),
        *("change.wrong-value", "outage.minutes", 16, 1, "greater than or equal to 0", ""),
    ),
    "a record by hand that lacks its evidence": (
        *("[schedule]", '[record]\noutcome = "successful"\n[schedule]'),
        *("change.missing-key", "record.summary", 14, 1, "is missing", ""),
    ),
}
SEVERAL = {"a record by hand that lacks its evidence"}


@pytest.mark.parametrize(("name", "case"), WRONG.items(), ids=WRONG.keys())
def test_each_problem_is_named_with_place_key_reason_and_mend(name: str, case: Case) -> None:
    """A diagnostic names file, line, column, key, the reason, and a mend where there is one to name."""
    old, new, code, key, line, column, message, hint = case
    parsed = read(edited(old, new))
    assert parsed.change is None
    if name not in SEVERAL:
        assert len(parsed.findings) == 1, parsed.findings
    finding = next(f for f in parsed.findings if f.key == key)
    assert (finding.code, finding.path, finding.line, finding.column) == (code, PATH, line, column)
    assert finding.severity == "error"
    assert message in finding.message
    assert hint in finding.hint


def test_all_problems_are_reported_at_once_in_the_order_of_the_lines() -> None:
    """Problems of every kind, syntax among them, are reported together, from the top of the file down."""
    text = textwrap.dedent(
        f"""\
        schema = 1
        id = "{ID}"
        title = ""
        type = "emergency"
        requester = 5
        systems = ["api"]
        reason = unquoted
        scope = "s"
        extra = 1
        rollback = "r"
        scope = "again"

        [schedule]
        start = 2026-11-22T20:00:00Z
        end = 2026-11-22T19:00:00Z

        [[steps]]
        verify = "v"

        [[risks]]
        description = "d"
        category = "c"
        likelihood = "often"
        impact = "minor"
        mitigations = []
        """
    )
    parsed = read(text)
    found = [(f.line, f.code, f.key) for f in parsed.findings]
    assert found == [
        (1, "change.missing-key", "test_plan"),
        (3, "change.empty", "title"),
        (4, "change.missing-key", "type"),
        (5, "change.wrong-type", "requester"),
        (7, "toml.syntax", ""),
        (9, "change.unknown-key", "extra"),
        (11, "toml.syntax", "scope"),
        (13, "change.wrong-value", "schedule"),
        (17, "change.missing-key", "steps[0].action"),
        (23, "change.wrong-value", "risks[0].likelihood"),
        (25, "change.empty", "risks[0].mitigations"),
    ]


@pytest.mark.parametrize(
    "text",
    [edited('reason = "It expires."', "reason = nothing"), edited("[[risks]]", "[[risks]")],
    ids=["a value", "a header"],
)
def test_what_stands_there_broken_is_not_missing_too(text: str) -> None:
    """A key whose value or table cannot be read is one problem, not also a missing key."""
    assert only(read(text)).code == "toml.syntax"


def test_a_text_without_end_hides_what_follows_and_is_the_only_problem() -> None:
    """An unterminated text is reported where it begins; what it swallowed is not called missing."""
    finding = only(read(edited('"""\nBoth load balancers.\n"""', '"""\nBoth load balancers.\n')))
    assert (finding.code, finding.line, finding.column) == ("toml.syntax", 8, 1)


def test_an_empty_file_lacks_every_required_key() -> None:
    """An empty file is told every key that it needs, each with an example."""
    parsed = read("")
    assert {f.key for f in parsed.findings} == {
        *("schema", "id", "title", "type", "requester", "systems", "reason", "scope", "rollback"),
        *("test_plan", "steps", "risks"),
    }
    assert all(f.hint for f in parsed.findings)


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\x00", b"x" * 2_000_000, b"= = ="])
def test_a_file_that_is_no_text_has_a_finding(raw: bytes) -> None:
    """Bytes that are no TOML at all give findings about the file, and no change."""
    parsed = parse_change(raw, PATH)
    assert parsed.change is None
    assert parsed.findings[0].code.startswith("toml.")


STRAY = [
    "changes/README.md",
    f"changes/{ID}.toml",
    f"changes/2026/{ID}.toml",
    f"changes/2026/11/{ID.lower()}.toml",
    f"changes/2026/11/{ID}.TOML",
    f"changes/2026/11/{ID}.toml~",
    f"changes/2026/11/nested/{ID}.toml",
    f"changes/2026/12/{ID}.toml",
    f"changes/2025/11/{ID}.toml",
    "changes/2026/02/CHG-20260230-K7Q3.toml",
    "changes/2026/11/CHG-20261122-K7Q.toml",
]


@pytest.mark.parametrize("path", STRAY)
def test_a_file_at_another_path_than_its_id_says_is_named(path: str) -> None:
    """A good change file that lies elsewhere than its id says is told where it belongs."""
    finding = only(read(GOOD, path))
    assert finding.code == "change.wrong-path"
    assert PATH in finding.message
    assert finding.path == path


@pytest.mark.parametrize("path", STRAY)
def test_a_stray_file_is_named(path: str) -> None:
    """A file below changes/ that no id belongs to is a finding, whatever it says: nothing is skipped."""
    parsed = read("hello = 1\n", path)
    assert "change.stray-file" in {f.code for f in parsed.findings}


def test_dotted_keys_are_placed_like_tables() -> None:
    """A table that was written with dotted keys has its problems at its first line, not at the file's."""
    text = edited(
        "[schedule]\nstart = 2026-11-22T20:00:00+01:00\nend = 2026-11-22T21:00:00+01:00\n", ""
    ).replace("systems =", "schedule.start = 2026-11-22T20:00:00Z\nsystems =")
    finding = only(read(text))
    assert (finding.key, finding.line) == ("schedule.end", 6)


LEVELS: list[tuple[Likelihood, str]] = [
    # negligible, minor, moderate, major, severe
    ("rare", "low low low low medium"),
    ("unlikely", "low low medium medium high"),
    ("possible", "low medium medium high high"),
    ("likely", "low medium high high critical"),
    ("almost-certain", "medium high high critical critical"),
]


@pytest.mark.parametrize(
    ("likelihood", "impact", "level"),
    [
        (word, impact, level)
        for word, row in LEVELS
        for impact, level in zip(IMPACTS, row.split(), strict=True)
    ],
)
def test_the_risk_matrix(likelihood: Likelihood, impact: Impact, level: str) -> None:
    """A risk's level follows from likelihood times impact: to 4 low, to 9 medium, to 16 high, then critical."""
    assert level_of(likelihood, impact) == level


def test_a_change_has_the_level_of_its_worst_risk() -> None:
    """The worst of several risks decides, wherever it stands."""
    risk = GOOD[GOOD.index("[[risks]]") :]
    worse = risk.replace("unlikely", "likely").replace("moderate", "severe")
    for text in (GOOD + worse, GOOD.replace(risk, worse) + risk):
        parsed = read(text)
        assert parsed.change is not None
        assert parsed.change.risk == "critical"


@pytest.mark.parametrize(
    "text",
    [
        edited('type = "normal"', 'type = "standard"\nmodel = "patch"'),
        edited(
            'type = "normal"',
            'type = "emergency"\nemergency = { incident = "INC-1", justification = "It burns." }',
        ),
        edited('reason = "It expires."', 'reason = "a\\r\\n\\tb\\n"'),
        edited('title = "Rotate the certificate"', 'title = "Zertifikat für „api“ tauschen – 証明書 🔑"'),
    ],
    ids=["standard with its model", "emergency with its incident", "CR LF inside a text", "any language"],
)
def test_good_variants_are_read(text: str) -> None:
    """What fits together is read without a finding."""
    assert read(text).findings == ()


# -- writing ---------------------------------------------------------------------------------

MESSY = st.lists(
    st.sampled_from(
        [
            '"',
            "'",
            '"""',
            "'''",
            "\\",
            "\\n",
            "\t",
            "\n",
            "\r\n",
            "#",
            " = ",
            "[x]",
            "ö",
            "証",
            "🔑",
            "`",
            "|",
            " ",
        ]
    )
    | st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=6),
    max_size=25,
).map("".join)
LONG = st.builds(lambda a, b: f"{a}x{b}", MESSY, MESSY)
SHORT = LONG.map(lambda text: " ".join(text.split())).filter(lambda text: len(text) <= 300)
SLUGS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,10}", fullmatch=True)
TIMES = st.datetimes(
    dt.datetime(2000, 1, 1),
    dt.datetime(2099, 1, 1),
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))]),
)


@st.composite
def change_data(draw: st.DrawFn) -> dict[str, Any]:
    """Plain data of a good change, with every kind of text in it."""
    kind = draw(st.sampled_from(["normal", "standard", "emergency"]))
    begin = draw(TIMES)
    data: dict[str, Any] = {
        "schema": 1,
        "id": ID,
        "title": draw(SHORT),
        "type": kind,
        "requester": "rob@example.org",
        "systems": draw(st.lists(SLUGS, min_size=1, max_size=3, unique=True)),
        "reason": draw(LONG),
        "scope": draw(LONG),
        "rollback": draw(LONG),
        "test_plan": draw(LONG),
        "steps": draw(
            st.lists(
                st.fixed_dictionaries({"action": LONG}, optional={"verify": LONG}), min_size=1, max_size=3
            )
        ),
        "risks": draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "description": LONG,
                        "category": SHORT,
                        "likelihood": st.sampled_from(LIKELIHOODS),
                        "impact": st.sampled_from(IMPACTS),
                        "mitigations": st.lists(LONG, min_size=1, max_size=3),
                    }
                ),
                min_size=1,
                max_size=2,
            )
        ),
    }
    if kind == "standard":
        data["model"] = draw(SLUGS)
    if kind == "emergency":
        data["emergency"] = {"incident": draw(SHORT), "justification": draw(LONG)}
    if draw(st.booleans()):
        data["schedule"] = {"start": begin, "end": begin + dt.timedelta(minutes=90)}
        data["outage"] = {"description": draw(LONG), "minutes": draw(st.integers(0, 10_000))}
        data["links"] = {"issues": ["https://example.org/a?b=%22c%22#d"]}
        data["communication"] = draw(LONG)
    data["custom"] = draw(
        st.dictionaries(
            SLUGS | SHORT,
            LONG
            | st.integers(-1000, 1000)
            | st.booleans()
            | st.floats(allow_nan=False)
            | st.dates(dt.date(1000, 1, 1)),
            max_size=3,
        )
    )
    return data


@settings(max_examples=50, deadline=None)
@given(change_data())
def test_what_is_written_is_read_back_to_the_byte(data: dict[str, Any]) -> None:
    """A change file that was written gives the same data when it is read, long texts to the byte."""
    raw = write_change(data)
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    parsed = parse_change(raw, PATH)
    assert parsed.findings == ()
    assert parsed.document.data == {key: value for key, value in data.items() if value != {}}
    assert write_change(parsed.document.data) == raw


def test_a_change_is_written_in_the_order_of_the_format() -> None:
    """Keys stand in the order of the format, steps and risks under headers of their own."""
    data = read(GOOD).document.data
    text = write_change(dict(reversed(data.items()))).decode()
    assert [line.split(" ")[0] for line in text.splitlines() if line and line[0] not in 'BJ"'] == [
        *(
            "schema",
            "id",
            "title",
            "type",
            "requester",
            "systems",
            "reason",
            "scope",
            "rollback",
            "test_plan",
        ),
        *("[schedule]", "start", "end", "[[steps]]", "action", "verify"),
        *("[[risks]]", "description", "category", "likelihood", "impact", "mitigations"),
    ]


def test_what_is_empty_is_not_written() -> None:
    """None, empty tables and empty arrays leave no trace in the file."""
    data = read(GOOD).document.data | {"links": {}, "depends_on": [], "model": None, "outage": None}
    assert write_change(data) == write_change(read(GOOD).document.data)


IMPORTED = """
[imported]
commit = "0123456789012345678901234567890123456789"
commits = ["abcdef0123012345678901234567890123456789"]
merge_request = "acme/app!12"
author = "bo@example.org"
time = 2024-03-01T12:00:00Z
"""


def test_a_request_may_say_of_which_merge_it_is_the_import() -> None:
    """[imported] is read, and written back the same."""
    parsed = read(GOOD + IMPORTED)
    assert parsed.findings == ()
    assert parsed.change is not None
    assert parsed.change.imported is not None
    assert parsed.change.imported.merge_request == "acme/app!12"
    assert read(write_change(parsed.document.data).decode()).change == parsed.change


def test_an_imported_change_cannot_be_standard() -> None:
    """It would need no evaluation, as if the past had approved it."""
    text = (GOOD + IMPORTED).replace('type = "normal"', 'type = "standard"\nmodel = "update"')
    [finding] = read(text).findings
    assert (finding.code, finding.key) == ("change.wrong-value", "type")
    assert "nothing approved it" in finding.message


def test_what_imported_says_is_checked_like_everything_else() -> None:
    """A shortened commit, an unknown key and a time without its offset are errors."""
    text = (
        GOOD
        + IMPORTED.replace("0123456789", "0123", 1).replace("12:00:00Z", "12:00:00")
        + 'approved_by = "ada"\n'
    )
    assert {finding.key for finding in read(text).findings} == {
        "imported.commit",
        "imported.time",
        "imported.approved_by",
    }
