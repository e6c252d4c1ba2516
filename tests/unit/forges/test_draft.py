"""A draft says exactly what there is, marks what is missing, and is refused until somebody writes it."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitchange.forges import draft, merge_request, parts
from gitchange.forges.draft import MARK, is_complete, write_draft
from gitchange.model.change import Change, parse_change
from gitchange.model.part import MISSING

ID = "CHG-20261122-K7Q3"
FIELDS: dict[str, Any] = {
    "title": "Rotate",
    "type": "normal",
    "requester": "bo@example.org",
    "systems": ["api"],
    "reason": "It expires.",
    "scope": "All.",
    "rollback": "Undo it.",
    "test_plan": "Look.",
    "steps": [{"action": "Do it"}],
    "risks": [
        {
            "description": "It breaks",
            "category": "availability",
            "likelihood": "rare",
            "impact": "minor",
            "mitigations": ["a backup"],
        }
    ],
}


def parsed(raw: bytes) -> Any:
    """The draft with an id, as a change file."""
    return parse_change(f'id = "{ID}"\n'.encode() + raw, f"changes/2026/11/{ID}.toml")


def test_a_whole_request_has_no_mark_and_is_a_change() -> None:
    """With nothing missing, the draft is a change file but for its id."""
    raw = write_draft(FIELDS, (), ("From a text.",))
    assert MARK.encode() not in raw
    assert is_complete(FIELDS)
    assert parsed(raw).findings == ()


def test_each_missing_key_has_a_mark_and_a_finding() -> None:
    """For each required key alone: the draft marks it, `is_complete` sees it, and a check refuses it."""
    for name, info in Change.model_fields.items():
        if info.default is not MISSING or name in ("schema_", "id"):
            continue
        fields = {key: value for key, value in FIELDS.items() if key != name}
        raw = write_draft(fields, ())
        assert f"# {MARK} `{name}` is missing\n" in raw.decode()
        assert not is_complete(fields)
        assert [(f.code, f.key) for f in parsed(raw).findings] == [("change.missing-key", name)]


def test_each_missing_key_of_a_risk_has_a_mark_and_a_finding() -> None:
    """A risk without its likelihood is not rated, and refused."""
    for key in ("category", "likelihood", "impact", "mitigations"):
        fields = {**FIELDS, "risks": [{k: v for k, v in FIELDS["risks"][0].items() if k != key}]}
        raw = write_draft(fields, ())
        assert f"# {MARK} `{key}` is missing\n" in raw.decode()
        assert not is_complete(fields)
        assert [f.key for f in parsed(raw).findings] == [f"risks[0].{key}"]


def test_a_mark_that_is_completed_is_a_change() -> None:
    """Whoever takes the # away from a mark's lines and fills them in has a change file."""
    fields = {key: value for key, value in FIELDS.items() if key not in ("risks", "scope")}
    text = write_draft(fields, ()).decode()
    text = text.replace('# add `scope = """..."""`: what is changed, and what is not', 'scope = "All."')
    head, mark, skeleton = text.partition("# [[risks]]")
    assert mark
    skeleton = "\n".join(line.removeprefix("# ") for line in f"{mark}{skeleton}".split("\n"))
    for key, value in {"likelihood": "rare", "impact": "minor", "description": "d", "category": "c"}.items():
        skeleton = skeleton.replace(f'{key} = ""', f'{key} = "{value}"')
    found = parsed(f"{head}{skeleton}".replace('mitigations = [""]', 'mitigations = ["m"]').encode())
    assert found.findings == ()


_WORDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
_HOSTILE = st.one_of(
    _WORDS,
    st.sampled_from(
        ['"""', "'''", "\\", '"]\nid = "x"', "\x00", "\x1b[2J", "# x", "a\r\nb", '\\"""', "\u2028", "\u202e"]
    ),
).filter(bool)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("title", "type", "requester", "reason", "scope", "rollback", "test_plan"), _HOSTILE),
        "systems": st.lists(_HOSTILE, min_size=1, max_size=3),
        "steps": st.lists(
            st.fixed_dictionaries({"action": _HOSTILE}, optional={"verify": _HOSTILE}), min_size=1, max_size=2
        ),
        "risks": st.lists(
            st.fixed_dictionaries(
                {"description": _HOSTILE},
                optional={
                    **dict.fromkeys(("category", "likelihood", "impact"), _HOSTILE),
                    "mitigations": st.lists(_HOSTILE, min_size=1, max_size=2),
                },
            ),
            min_size=1,
            max_size=2,
        ),
        "links": st.fixed_dictionaries({"merge_requests": st.lists(_HOSTILE, min_size=1, max_size=1)}),
    },
)


@given(_FIELDS, _HOSTILE)
def test_a_draft_says_exactly_its_fields(fields: dict[str, Any], about: str) -> None:
    """Whatever stands in the fields or is said about them, the TOML is that and nothing else."""
    assert tomllib.loads(write_draft(fields, (), (about,)).decode()) == {"schema": 1, **fields}


@given(
    st.lists(
        st.one_of(st.sampled_from(["## Risks", "## Why", "- a", "| Risk |", "|---|", "# t"]), _HOSTILE),
        max_size=12,
    )
)
def test_a_draft_says_exactly_what_was_taken_of_a_text(lines: list[str]) -> None:
    """Whatever a text says, its draft is TOML that says what was taken, and has a mark for each thing missing."""
    found = merge_request.read("\n".join(lines).encode(), "text.md")
    told = parts.read(found.description)
    text = write_draft(told.fields, told.findings).decode()
    assert tomllib.loads(text) == {"schema": 1, **told.fields}
    errors = [finding for finding in told.findings if finding.severity == "error"]
    own = [key for key in ("type", "requester") if key not in told.fields]
    marks = [line for line in text.split("\n") if line.startswith(f"# {draft.MARK} ")]
    assert len(marks) == len(errors) + len(own)
