"""The documented JSON shapes of changes (docs/json.md)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping

from gitchange.model.identifiers import ALPHABET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal

    from gitchange.assessment.overview import Assessment

SHAPE: Literal[1] = 1
"""Version of the JSON shapes; it changes when a key changes its meaning or goes away."""


def people_of(assessment: Assessment) -> set[str]:
    """Everybody who requested, wrote or signed the change."""
    if assessment.change is None:
        return set()
    authors = assessment.evidence.authors if assessment.evidence else frozenset()
    return {assessment.change.requester, *authors, *(s.by for s in assessment.sign_offs)}


SUMMARY = (
    *(
        "id",
        "path",
        "status",
        "flags",
        "title",
        "type",
        "risk",
        "requester",
        "systems",
        "waiting_on",
        "errors",
    ),
)
"""What a change in a list has."""


def summary_json(assessment: Assessment) -> dict[str, Any]:
    """One change in a list."""
    change, verdict = assessment.change, assessment.verdict
    return {
        "id": assessment.id,
        "path": assessment.path,
        "status": assessment.status,
        "flags": list(verdict.flags) if verdict else [],
        "title": change.title if change else None,
        "type": change.type if change else None,
        "risk": change.risk if change else None,
        "requester": change.requester if change else None,
        "systems": list(change.systems) if change else [],
        "waiting_on": sorted({who for n in verdict.next for who in n.who}) if verdict else [],
        "errors": sum(1 for f in assessment.findings if f.severity == "error"),
    }


def show_json(assessment: Assessment) -> dict[str, Any]:
    """One change, whole."""
    change, verdict, evidence = assessment.change, assessment.verdict, assessment.evidence
    return {
        "schema": SHAPE,
        **summary_json(assessment),
        "blob": evidence.blob if evidence else None,
        "sha256": evidence.sha256 if evidence else None,
        "request_bytes": evidence.size if evidence else None,
        "policy": {"version": assessment.policy.version, "tree": assessment.policy.tree}
        if assessment.policy
        else None,
        "verified_from": assessment.verified_from,
        "steps": [step.as_json() for step in verdict.steps] if verdict else [],
        "next": [n.as_json() for n in verdict.next] if verdict else [],
        "due": verdict.due.isoformat() if verdict and verdict.due else None,
        "sign_offs": [
            {
                "digest": s.digest,
                "step": s.step,
                "verdict": s.verdict,
                "by": s.by,
                "role": s.role,
                "meaning": s.meaning,
                "answers": dict(s.answers),
                "comment": s.comment,
                "time": s.time,
                "key": s.key,
                "key_type": s.key_type,
                "certificate": s.certificate,
                "envelope": hashlib.sha256(s.line.encode()).hexdigest(),
                "policy": s.policy,
                "blob": s.blob,
                "current": evidence is not None and s.blob == evidence.blob,
                "counts": assessment.counts(s),
                "policy_version": s.judged_by,
                "witness": s.witness,
                "judged_at": s.judged_at.isoformat() if s.judged_at else None,
            }
            for s in assessment.sign_offs
        ],
        "history": [
            {
                "commit": v.commit,
                "author": v.author_email,
                "author_name": v.author_name,
                "time": v.time.isoformat(),
                "kind": v.kind,
                "blob": v.blob or None,
                "subject": v.subject,
            }
            for v in assessment.history
        ],
        "findings": [f.as_json() for f in assessment.findings],
        "risk_levels": [risk.level for risk in change.risks] if change else [],
        "document": change.model_dump(mode="json", by_alias=True, exclude_none=True) if change else None,
    }


_IDS = re.compile(rf"\bCHG-\d{{8}}-[{ALPHABET}]{{4,16}}\b")


def brief_json(shape: Mapping[str, Any]) -> dict[str, Any]:
    """What lists, calendars and figures need of a change beside its summary, from its whole shape.

    Times are whole seconds since 1970: they are compared and counted more often than they are shown.
    """
    document = shape["document"] or {}
    record, window = document.get("record"), document.get("schedule")
    signed = {s["digest"]: s for s in shape["sign_offs"]}
    times: dict[str, int] = {}
    for step in shape["steps"]:
        counting = [_seconds(signed[digest]["time"]) for digest in step["sign_offs"] if digest in signed]
        if counting and step["state"] == "done":
            times[step["step"]] = max(counting)
    history = shape["history"]
    if history:
        times["request"] = _seconds(history[-1]["time"])
    if record:
        times["documentation"] = _seconds(record["time"])
    touched = [_seconds(version["time"]) for version in history[:1]]
    touched += [_seconds(s["time"]) for s in shape["sign_offs"]]
    return {
        "states": [step["state"] for step in shape["steps"]],
        "times": times,
        "touched": max(touched, default=0),
        "environments": document.get("environments", []),
        "due": _seconds(shape["due"]) if shape["due"] else None,
        "window": [_seconds(window["start"]), _seconds(window["end"])] if window else None,
        "next": [[n["action"], n["role"], n["who"]] for n in shape["next"]],
        "signers": sorted({s["by"] for s in shape["sign_offs"]}),
        "outcome": record["outcome"] if record else None,
        "documented_by": record["documented_by"] if record else None,
        "failed": any(s["verdict"] in ("fail", "back-out") and s["counts"] for s in shape["sign_offs"]),
        "findings": len(shape["findings"]),
        "refers": [*document.get("depends_on", ()), *filter(None, [document.get("amends")])],
        "mentions": sorted(
            {found for text in _strings(document) if "CHG-" in text for found in _IDS.findall(text)}
        ),
    }


COMMIT, IMPORTED, MERGE_REQUEST = "commit", "imported", "merge-request"
"""Kinds of ties: `commit SYSTEM REVISION`, `imported SYSTEM COMMIT` and `merge-request ADDRESS`."""


def ties_of(shape: Mapping[str, Any]) -> set[str]:
    """What ties the change to application repositories: merge requests, and commits that it names.

    Those are the commits of implementations that count, and the one that it was imported from.
    """
    document = shape["document"] or {}
    found = {f"{MERGE_REQUEST} {address}" for address in document.get("links", {}).get("merge_requests", ())}
    if imported := document.get("imported"):
        found |= {f"{IMPORTED} {system} {imported['commit']}" for system in shape["systems"]}
    for signed in shape["sign_offs"]:
        if signed["verdict"] == "implement" and signed["counts"]:
            found |= {
                f"{COMMIT} {named['system']} {named['commit']}"
                for named in signed["answers"].get("commits", ())
            }
    return found


def moments_of(shape: Mapping[str, Any]) -> tuple[int, ...]:
    """When something happened to a change, commit or sign-off, in whole seconds since 1970, in order."""
    happened = (*shape["history"], *shape["sign_offs"])
    return tuple(sorted(_seconds(one["time"]) for one in happened))


def texts_of(shape: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    """What full text finds a change by: id, title, people, systems, and everything that somebody wrote."""
    document = shape["document"] or {}
    people = {shape["requester"] or "", *(s["by"] for s in shape["sign_offs"])}
    people |= {version["author"] for version in shape["history"]}
    own = {
        key: value for key, value in document.items() if key not in ("id", "title", "systems", "requester")
    }
    if "record" in own:
        own["record"] = {key: value for key, value in own["record"].items() if key in ("summary", "lessons")}
    said = [*_strings(own), *(s["comment"] for s in shape["sign_offs"])]
    for sign_off in shape["sign_offs"]:
        said += _strings(sign_off["answers"])
    return (
        shape["id"],
        shape["title"] or "",
        " ".join(sorted(people)),
        " ".join(shape["systems"]),
        "\n".join(said),
    )


def _seconds(when: str) -> int:
    return int(dt.datetime.fromisoformat(when).timestamp())


def _strings(value: object) -> Iterator[str]:
    """Every text below a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
