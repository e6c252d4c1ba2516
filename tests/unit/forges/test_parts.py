"""What a merge request's text says becomes the parts of a request; what it does not say is named, with its place."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.forges import markdown, parts
from gitchange.forges.parts import Reading
from gitchange.forges.templates import TEMPLATE
from gitchange.model.change import IMPACTS, LIKELIHOODS


def read(text: str, **options: Any) -> Reading:
    """The text without its indentation, read."""
    return parts.read(textwrap.dedent(text), **options)


def missing(reading: Reading) -> dict[str, int]:
    """By key, the line to look at."""
    return {finding.key: finding.line for finding in reading.findings if finding.severity == "error"}


FILLED = """\
# Rotate the certificate

## Why?
It expires.

## What changed
Both load balancers.

## How to deploy
1. Install it
   - with care
   - Verify: curl shows it
2. Reload

## Risks & Mitigations
| Risk | Category | Probability | Severity | Mitigations |
|---|---|---|---|---|
| Clients refuse it | availability | Unlikely | major | keep the old one<br>tell them |
| A key leaks \\| twice | **security** | 1 | `severe` | a vault |

## Back-out plan
Put the old one back.

## Testing
curl from outside

## Security
None.

## Affected systems
- `api`
- database
"""


def test_a_whole_text_becomes_a_whole_request() -> None:
    """Every part comes from its heading, whatever the heading is called, and nothing is missing."""
    told = read(FILLED)
    assert not told.findings
    assert told.fields == {
        "title": "Rotate the certificate",
        "reason": "It expires.",
        "scope": "Both load balancers.",
        "steps": [{"action": "Install it\n- with care", "verify": "curl shows it"}, {"action": "Reload"}],
        "risks": [
            {
                "description": "Clients refuse it",
                "category": "availability",
                "likelihood": "unlikely",
                "impact": "major",
                "mitigations": ["keep the old one", "tell them"],
            },
            {
                "description": "A key leaks | twice",
                "category": "security",
                "likelihood": "rare",
                "impact": "severe",
                "mitigations": ["a vault"],
            },
        ],
        "rollback": "Put the old one back.",
        "test_plan": "curl from outside",
        "security_impact": "None.",
        "systems": ["api", "database"],
    }
    assert {taken.part: taken.line for taken in told.taken}["risks"] == 15


def test_every_documented_heading_gives_its_part() -> None:
    """Each synonym gives the part that it stands for, in any case and with signs around it."""
    for part in (*parts.REQUIRED, "security_impact", "privacy_impact", "communication", "environments"):
        for form in parts.headings_of(part):
            for heading in (form, f"🚀 {form.upper()}:", f"2. {form} (optional)", f"*{form}*"):
                told = read(f"## Nothing of ours\n\n## {heading}\n\napi\n", title="t")
                assert part in told.fields, heading
    for form, both in parts.joined_headings().items():
        assert set(both) <= set(read(f"## {form}?\n\napi\n", title="t").fields), form


def test_what_no_heading_gave_is_named_with_the_nearest_heading() -> None:
    """A missing part names headings that would have given it, and the line where one may look."""
    told = read(
        """\
        # Title

        ## Summary
        It expires.

        ## Rollback
        TBD

        ## Test plans
        curl
        """
    )
    assert missing(told) == {"systems": 3, "scope": 3, "steps": 3, "risks": 3, "rollback": 6, "test_plan": 9}
    said = {finding.key: (finding.message, finding.hint) for finding in told.findings}
    assert "nothing is said under `Rollback`" in said["rollback"][0]
    assert "`Test plans` is no heading that gives it" in said["test_plan"][0]
    assert "`Steps`, `Deployment`, `How to deploy`, `Rollout`" in said["steps"][1]
    assert "--step" in said["steps"][1]


@pytest.mark.parametrize(
    "nothing", ["", "TODO", "- [ ]", "n/a", "None.", "...", "<!-- how? -->", "1.\n2.", "-"]
)
@pytest.mark.parametrize("part", ["Reason", "Scope", "Steps", "Risks", "Rollback", "Test plan"])
def test_a_placeholder_is_no_content(part: str, nothing: str) -> None:
    """What stands for a text that nobody wrote is missing, and never taken for one."""
    key = part.lower().replace(" ", "_")
    told = parts.read(f"## {part}\n\n{nothing}\n\n## Notes\n\nText.\n", title="t")
    assert key not in told.fields
    assert missing(told)[key] == 1


def test_the_bare_template_has_nothing() -> None:
    """Every part of the template that nobody filled in is missing, at its heading; its comments are no content."""
    told = parts.read(TEMPLATE)
    assert told.fields == {}
    lines = TEMPLATE.split("\n")
    named = missing(told)
    assert set(named) == set(parts.REQUIRED)
    assert lines[named["risks"] - 1] == "## Risks and mitigations"
    assert lines[named["rollback"] - 1] == "## Rollback"
    assert not told.left


_ANSWER = st.from_regex(r"[A-Za-z][a-z]{2,8}( [a-z]{3,8}){1,5}\.", fullmatch=True).filter(
    lambda text: not parts.is_nothing(text, answered=True)
)


@settings(max_examples=25)
@given(st.lists(_ANSWER, min_size=11, max_size=11), st.sampled_from(LIKELIHOODS), st.sampled_from(IMPACTS))
def test_the_template_gives_back_what_was_filled_in(answers: list[str], likelihood: str, impact: str) -> None:
    """Whatever plain sentences stand in the template, they are the request, each in its part, and no others."""
    reason, scope, one, verify, two, risk, mitigation, rollback, test_plan, security, privacy = answers
    text = TEMPLATE
    for heading, answer in {
        "Reason": reason,
        "Scope": scope,
        "Rollback": rollback,
        "Test plan": test_plan,
        "Security": security,
        "Privacy": privacy,
    }.items():
        head, title, rest = text.partition(f"# {heading}\n")
        comment, end, rest = rest.partition("-->\n")
        text = f"{head}{title}{comment}{end}\n{answer}\n{rest}"
    text = text.replace("\n1.\n", f"\n1. {one}\n   Verify: {verify}\n2. {two}\n")
    blank = "|      |          |            |        |            |"
    text = text.replace(blank, f"| {risk} | availability | {likelihood} | {impact} | {mitigation} |")
    told = parts.read(text, title="t", given=("systems",))
    assert told.findings == ()
    assert told.left == ()
    assert told.fields == {
        "title": "t",
        "reason": reason,
        "scope": scope,
        "steps": [{"action": one, "verify": verify}, {"action": two}],
        "risks": [
            {
                "description": risk,
                "category": "availability",
                "likelihood": likelihood,
                "impact": impact,
                "mitigations": [mitigation],
            }
        ],
        "rollback": rollback,
        "test_plan": test_plan,
        "security_impact": security,
        "privacy_impact": privacy,
    }


def test_comments_are_not_content_and_code_is() -> None:
    """A comment is taken away wherever it stands; what looks like one in code stays."""
    told = read(
        """\
        ## Reason
        It <!-- really --> expires.
        <!--
        ## Scope
        Nothing of this counts.
        -->
        ## Rollback
        ```
        <!-- kept -->
        ## no heading
        ```
        and `<!-- this -->`
        """,
        title="t",
    )
    assert told.fields["reason"] == "It  expires."
    assert "scope" not in told.fields
    assert told.fields["rollback"] == "```\n<!-- kept -->\n## no heading\n```\nand `<!-- this -->`"


def test_a_section_below_another_gives_its_own_part() -> None:
    """A rollback below the deployment is the rollback, and no step; deeper headings of a part that has one stay."""
    told = read(
        """\
        ## Changes
        ### Testing
        New tests.
        ## Deployment plan
        ### Before
        - Look
        ### Steps
        1. Do it
        ### Rollback plan
        Undo it.
        ## Testing performed
        By hand.
        """,
        title="t",
    )
    assert told.fields["scope"] == "### Testing\nNew tests."
    assert told.fields["test_plan"] == "By hand."
    assert told.fields["rollback"] == "Undo it."
    assert told.fields["steps"] == [{"action": "Do it"}]
    notes = [f"{f.line}: {f.message}" for f in told.findings if f.code == "import.not-taken"]
    assert notes == ["6: steps are the list at line 8; what else stands there (line 6) was not taken"]


def test_several_sections_of_a_part_are_kept_with_their_headings() -> None:
    """A summary and a problem are both the reason, in their order."""
    told = read("## Summary\nA.\n\n## Problem\nB.\n", title="t")
    assert told.fields["reason"] == "## Summary\n\nA.\n\n## Problem\n\nB."


def test_lines_in_bold_are_headings_below_all_others() -> None:
    """Who writes headings in bold is understood, too."""
    told = read("**Why**\n\nIt expires.\n\n**Rollback plan:**\n\nUndo it.\n", title="t")
    assert (told.fields["reason"], told.fields["rollback"]) == ("It expires.", "Undo it.")


def test_the_text_above_all_headings_is_the_reason_where_no_heading_gives_one() -> None:
    """A description without headings says why."""
    assert read("It expires.\n", title="t").fields == {"title": "t", "reason": "It expires."}
    assert read("Intro.\n\n## Why\nIt expires.\n", title="t").fields["reason"] == "It expires."


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("- [x] one\n- [ ] two\n", ["one", "two"]),
        ("* one\n* two\n", ["one", "two"]),
        ("First this.\n\nThen that.\n", ["First this.\n\nThen that."]),
        ("| # | Action |\n|---|---|\n| 1 | one |\n| 2 | two |\n", ["one", "two"]),
        ("1. one\n\n   ```sh\n   a\n   ```\n2. two\n", ["one\n\n```sh\na\n```", "two"]),
    ],
)
def test_steps_are_what_is_written_as_steps(text: str, steps: list[str]) -> None:
    """Tasks, lists, tables and plain text become steps, each whole and in order."""
    assert [step["action"] for step in parts.read(f"## Steps\n\n{text}").fields["steps"]] == steps


def test_a_table_tells_how_one_sees_that_a_step_worked() -> None:
    """A column for checks is the step's `verify`."""
    told = parts.read("## Rollout\n\n| Step | Expected result |\n|---|---|\n| a | b |\n| c | |\n")
    assert told.fields["steps"] == [{"action": "a", "verify": "b"}, {"action": "c"}]


def test_a_list_of_risks_with_their_parts() -> None:
    """A risk may be an entry of a list, its parts lines in it."""
    told = read(
        """\
        ## Risks
        - Risk: Clients refuse it
          - Category: availability
          - **Likelihood:** almost certain
          - Impact: minor (few of them)
          - Mitigations:
            - keep the old one
            - tell them
        """
    )
    assert told.fields["risks"] == [
        {
            "description": "Clients refuse it",
            "category": "availability",
            "likelihood": "almost-certain",
            "impact": "minor",
            "mitigations": ["keep the old one", "tell them"],
        }
    ]


def test_what_a_risk_lacks_is_named_and_never_rated() -> None:
    """A risk in plain words has no likelihood; one in words of another scale is not translated."""
    told = read("## Risks\n- It breaks\n- It leaks\n  - Likelihood: low\n  - Mitigation: none\n", title="t")
    assert told.fields["risks"] == [{"description": "It breaks"}, {"description": "It leaks"}]
    named = {key: line for key, line in missing(told).items() if key.startswith("risks[")}
    keys = ("category", "likelihood", "impact", "mitigations")
    assert named == {f"risks[{number}].{key}": 2 + number for number in (0, 1) for key in keys}
    [low] = [f.message for f in told.findings if f.key == "risks[1].likelihood"]
    assert "it says 'low', which is none of them" in low


def test_what_is_given_otherwise_is_not_missing() -> None:
    """Options take the place of what the text does not have."""
    told = read("## Risks\nIt breaks\n", title="t", given=("risks", "systems", "reason"))
    assert set(missing(told)) == {"scope", "steps", "rollback", "test_plan"}


_LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    "# Title",
                    "## Steps",
                    "### Rollback",
                    "## Risks",
                    "**Why**",
                    "## Scope",
                    "#",
                    "---",
                    "```",
                    "> q",
                ),
                *(
                    "1. one",
                    "- [ ] two",
                    "   Verify: three",
                    "  - Impact: minor",
                    "| Risk | Impact |",
                    "|---|---|",
                ),
                *(
                    "| a | severe |",
                    "<!--",
                    "-->",
                    "<!-- x -->",
                    "<details>",
                    "    code",
                    "TODO",
                    "",
                    "\t- x",
                ),
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=25,
)


@given(_LINES)
def test_only_what_stands_in_the_text_is_taken(lines: list[str]) -> None:
    """Whatever a text says: nothing is raised, each part is there or named, and each word of a part is the text's."""
    text = "\n".join(lines)
    told = parts.read(text)
    named = missing(told)
    for part in parts.REQUIRED:
        assert (part in told.fields) is not (part in named), part
    count = len(markdown.outline(text).lines)
    assert all(1 <= finding.line <= count for finding in told.findings)
    normal = text.replace("\r\n", "\n").replace("\r", "\n")
    for key in ("reason", "scope", "rollback", "test_plan"):
        for line in str(told.fields.get(key, "")).split("\n"):
            assert line in normal or "<!--" in normal
    for risk in told.fields.get("risks", ()):
        for key in ("category", "likelihood", "impact", "mitigations"):
            assert (key in risk) is not (f"risks[{told.fields['risks'].index(risk)}].{key}" in named)


@given(_LINES)
def test_lines_are_neither_lost_nor_added_by_taking_comments_away(lines: list[str]) -> None:
    """Places in an outline are those of the text."""
    text = "\n".join(lines).replace("\r\n", "\n").replace("\r", "\n")
    assert len(markdown.outline(text).lines) == text.count("\n") + 1
