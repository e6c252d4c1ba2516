"""What the page of one change shows: progress line, cards of the sign-offs, why one does not count, its versions.

Plain data for `pages/change.html`, from the change's documented shape. Whether a sign-off counts is the verdict's word;
here it is only put into a sentence for the reader.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gitchange.assessment.events import Event, events_of
from gitchange.site.differences import Hunk, hunks
from gitchange.site.site import Related
from gitchange.site.verification import digest_commands, recorded, verify_commands
from gitchange.values import Value

_REASONS = (
    "duties.evaluator-is-",
    "duties.validator-is-",
    "implementation.before-approval",
    "validation.before-implementation",
    "withdrawal.",
    "sign-off.role-not-held",
    "sign-off.role-not-asked",
)
"""Findings that say of a person's sign-off why it does not count; their message begins with the person."""

_STEP_OF_REASON = {
    "duties.evaluator-is-": "evaluation",
    "duties.validator-is-": "validation",
    "implementation.before-approval": "implementation",
    "validation.before-implementation": "validation",
    "withdrawal.": "withdrawal",
}


_QUESTIONS = (
    ("necessary", "Necessary"),
    ("feasible", "Feasible"),
    ("safe", "Safe"),
    ("freezes", "Freezes lifted"),
    ("steps_followed", "Steps followed as written"),
    ("deviations", "Done differently"),
    ("commits", "Commits"),
    ("tests", "Tests"),
    ("works", "Works as expected"),
    ("no_security_risk", "Free of new security risk"),
    ("security_risk", "Security risk"),
    ("evidence", "Evidence"),
)
"""What each answer of a sign-off is called on the page."""


class Point(Value):
    """One of the five steps on the progress line."""

    step: str
    state: str
    note: str
    who: tuple[str, ...]
    when: dt.datetime | None
    """The newest sign-off that decides it; for the request and the record, their commit."""
    missing: tuple[str, ...]
    """What is still asked for, in words."""


class Card(Value):
    """One sign-off."""

    sign_off: Mapping[str, Any]
    when: dt.datetime
    counts: bool
    stale: bool
    reason: str
    """Why it does not count; empty when it does."""
    answers: tuple[tuple[str, Any], ...]
    """The questions that were answered, in the order in which they are asked, with the answers."""
    same_policy: bool
    """Whether the signer saw the policy under which the change is judged."""
    commands: str


class Edit(Value):
    """One version of the file, and what it changed in the request."""

    commit: str
    when: dt.datetime
    who: str
    subject: str
    kind: str
    hunks: tuple[Hunk, ...]
    """Empty for the first version, and where the texts are not at hand."""


class ChangePage(Value):
    """Everything on the page that is not in the change itself."""

    points: tuple[Point, ...]
    cards: tuple[Card, ...]
    events: tuple[Event, ...]
    edits: tuple[Edit, ...]
    """Versions of the request that differ from the one before, newest first."""
    related: tuple[Related, ...]
    digests: str
    """Commands that name the text."""


def change_page(
    shape: dict[str, Any],
    related: Sequence[Related] = (),
    text: Callable[[str], bytes | None] = lambda _: None,
) -> ChangePage:
    """The page's data for one change file, readable or not; `text` gives the file as it was, by its blob."""
    in_record = recorded(shape)
    return ChangePage(
        points=_points(shape),
        cards=tuple(_card(shape, sign_off, in_record) for sign_off in _in_order(shape)),
        events=events_of(shape),
        edits=_edits(shape, text),
        related=tuple(related),
        digests=digest_commands(shape),
    )


def _in_order(shape: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those on the current text first, oldest first."""
    return sorted(
        shape["sign_offs"],
        key=lambda s: (not s["current"], dt.datetime.fromisoformat(s["time"]), s["digest"]),
    )


def _points(shape: Mapping[str, Any]) -> tuple[Point, ...]:
    document = shape["document"]
    if document is None:
        return ()
    signed = {s["digest"]: s for s in shape["sign_offs"]}
    record = document.get("record")
    points: list[Point] = []
    for step in shape["steps"]:
        counting = [signed[digest] for digest in step["sign_offs"]]
        who = tuple(dict.fromkeys(s["by"] for s in counting))
        when = max((dt.datetime.fromisoformat(s["time"]) for s in counting), default=None)
        if step["step"] == "request":
            who = (document["requester"],)
            first = shape["history"][-1:]
            when = dt.datetime.fromisoformat(first[0]["time"]) if first else None
        elif step["step"] == "documentation" and step["state"] == "done" and record is not None:
            who, when = (record["documented_by"],), dt.datetime.fromisoformat(record["time"])
        missing = (
            tuple(
                f"{asked['needed'] - len(asked['by'])} × {asked['role']}"
                for asked in step["requirements"]
                if not asked["met"]
            )
            if step["state"] == "waiting"
            else ()
        )
        points.append(Point(step["step"], step["state"], step["note"], who, when, missing))
    return tuple(points)


def _card(shape: Mapping[str, Any], sign_off: Mapping[str, Any], in_record: frozenset[str]) -> Card:
    judged = bool(shape["steps"])
    counts = sign_off["counts"]
    reason = "" if counts or not judged else _why_not(shape, sign_off)
    policy = shape["policy"]
    return Card(
        sign_off=sign_off,
        when=dt.datetime.fromisoformat(sign_off["time"]),
        counts=counts or (judged and not reason),
        stale=not sign_off["current"],
        reason=reason,
        answers=tuple(
            (words, sign_off["answers"][name]) for name, words in _QUESTIONS if name in sign_off["answers"]
        ),
        same_policy=policy is not None and sign_off["policy"] == policy["tree"],
        commands=verify_commands(shape, sign_off, in_record),
    )


def _why_not(shape: Mapping[str, Any], sign_off: Mapping[str, Any]) -> str:
    """In words, why a genuine sign-off does not count, in the order in which the rules exclude it."""
    by, signed_step = sign_off["by"], sign_off["step"]
    if not sign_off["current"]:
        return "It was made for an earlier text of this change; an edit makes the sign-offs before it void."
    for finding in shape["findings"]:
        code, message = finding["code"], finding["message"]
        if not code.startswith(_REASONS) or not message.startswith(f"{by} "):
            continue
        step = next((s for prefix, s in _STEP_OF_REASON.items() if code.startswith(prefix)), signed_step)
        if step == signed_step and (not code.startswith("sign-off.") or sign_off["role"] in message):
            return f"{message}."
    if signed_step in ("withdrawal", "policy"):
        return ""  # one that stands decides the status, not a step
    stage = "evaluation" if signed_step == "freeze" else signed_step
    state = next(step for step in shape["steps"] if step["step"] == stage)
    people = [s["by"] for s in shape["sign_offs"] if s["digest"] in state["sign_offs"]]
    if by in people:
        return f"A later sign-off by {by} replaces it: each person's latest word counts."
    if state["state"] == "refused":
        return f"The {signed_step} stands refused by {', '.join(dict.fromkeys(people))}."
    return f"It does not decide the {signed_step} as it stands now."


def _edits(shape: Mapping[str, Any], text: Callable[[str], bytes | None]) -> tuple[Edit, ...]:
    """What each version changed against the one before; the record that documentation appends is none of it."""
    versions = [version for version in shape["history"] if version["kind"] in ("requested", "edited")]
    if len(versions) < 2:
        return ()
    texts = {version["blob"]: text(version["blob"]) for version in versions if version["blob"]}
    edits: list[Edit] = []
    for version, before in zip(versions, [*versions[1:], None], strict=True):
        old = texts.get(before["blob"]) if before is not None else None
        new = texts.get(version["blob"])
        found = hunks(old, new) if old is not None and new is not None else ()
        edits.append(
            Edit(
                version["commit"],
                dt.datetime.fromisoformat(version["time"]),
                version["author_name"] or version["author"],
                version["subject"],
                version["kind"],
                found,
            )
        )
    return tuple(edits)


def places_of(document: Mapping[str, Any]) -> Mapping[tuple[Any, Any], tuple[int, ...]]:
    """Numbers of the risks (from 1) at each likelihood and impact."""
    places: dict[tuple[Any, Any], tuple[int, ...]] = {}
    for number, risk in enumerate(document["risks"], start=1):
        place = (risk["likelihood"], risk["impact"])
        places[place] = (*places.get(place, ()), number)
    return places
