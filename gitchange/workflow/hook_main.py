"""What a push brings to the branch of record: policies, witnesses, change files, records.

Whether the branch may move there at all `hook` has decided before. The rules are those of `verify`, asked about the
new commits and about the files that they touch.
"""

from __future__ import annotations

import datetime as dt

from gitchange.git import program
from gitchange.ledger import notes
from gitchange.ledger.records import TRAILER, trailer_of
from gitchange.model import identifiers
from gitchange.model.change import parse_change
from gitchange.model.crosscheck import crosscheck
from gitchange.model.finding import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitchange.assessment.assess import Assessor
    from gitchange.git.repository import Entry, Repository

_AHEAD = dt.timedelta(days=1)
"""By how much a commit may be ahead of the server's clock, as in `verify`."""

_TOLD_ANYWAY = frozenset({"record.leaves-out"})
"""Warnings about a record that refuse it when it is new: the server has the notes over which it was made."""

_EACH = 32
"""Up to so many witnessed commits are looked for one by one; more by one walk."""


def refusals(assessor: Assessor, old: str | None) -> Iterator[Finding]:
    """Why the branch of record may not go on from `old` to where the assessor sees it, in these steps:

    1. every policy that it brings was approved under the one before;
    2. no commit of the line claims to be of a time to come, which would end keys and waivers before their time;
    3. every notes commit that a new commit witnesses is contained in the notes;
    4. no change file is removed, no stray one left; those that are touched can be read and fit the policy;
    5. no record is taken away, and those that are new or touched are borne out.
    """
    yield from _policies(assessor, old)
    yield from _commits(assessor, old)
    if assessor.policy is not None:
        yield from _files(assessor, old)


def _place(assessor: Assessor, old: str | None) -> int:
    """The place on the line after which everything is new."""
    place = assessor.timeline.place(old) if old is not None else None
    return -1 if place is None else place  # older than the introduction, or nothing was there


def _policies(assessor: Assessor, old: str | None) -> Iterator[Finding]:
    """1."""
    line, since = assessor.timeline, _place(assessor, old)
    for reign in line.reigns:
        if reign.policy is None and (line.place(reign.commit) or 0) > since:
            yield from reign.findings


def _commits(assessor: Assessor, old: str | None) -> Iterator[Finding]:
    """2. and 3."""
    repository, line = assessor.repository, assessor.timeline
    named: dict[str, str] = {}
    for commit in repository.ancestors(assessor.ground.main, (old,) if old else ()):
        read = repository.commit(commit)
        if (witnessed := trailer_of(read.message)) is not None:
            named[witnessed] = commit  # the oldest that names it comes last
        if line.place(commit) is not None and read.committer.time > assessor.now + _AHEAD:
            yield Finding(
                "main.clock-ahead",
                f"commit {commit[:12]} claims to be of {read.committer.time:%Y-%m-%d}, which is still to come",
                "set the clock, then `git commit --amend --no-edit --reset-author`",
            )
    for witnessed in _missing(repository, assessor.notes.commit, named):
        yield Finding(
            "witness.not-in-notes",
            f"commit {named[witnessed][:12]} witnesses the notes {witnessed[:12]}, which the server's notes do not "
            f"contain (trailer {TRAILER})",
            f"push the notes first, or both together: `gitchange sync`, or `git push origin {notes.REF} BRANCH`; "
            "where nobody has these notes any more, amend the commit without the trailer",
        )


def _missing(repository: Repository, tip: str | None, named: dict[str, str]) -> list[str]:
    """Which of these commits the notes do not contain."""
    if tip is None:
        return list(named)
    if len(named) > _EACH:
        contained = set(repository.ancestors(tip))
        return [commit for commit in named if commit not in contained]
    return [
        commit
        for commit in named
        if not repository.has_commit(commit) or not repository.is_ancestor(commit, tip)
    ]


def _files(assessor: Assessor, old: str | None) -> Iterator[Finding]:
    """4. and 5. What differs at the end of the push, and what was there in between only."""
    repository, main, policy = assessor.repository, assessor.ground.main, assessor.policy
    assert policy is not None  # noqa: S101 - the caller looked
    differing = {path: (was, now) for path, was, now in _differing(repository, old, main)}
    between: dict[str, list[program.Touch]] = {}
    for touch in program.touches(repository, main, identifiers.ROOT, hidden=(old,) if old else ()):
        between.setdefault(touch.path, []).append(touch)
    recorded: list[Entry] = []
    for path in sorted(differing.keys() | between.keys()):
        was, now = differing.get(path) or (None, _entry(repository, main, path))
        touched = between.get(path, [])
        if now is None:
            if identifiers.id_of(path) is not None:
                yield _removed(path, touched, old)
        elif path not in differing:
            pass  # edited and restored within the push
        elif not now.is_file:
            yield Finding("change.stray-file", f"{path} is no regular file", "remove it", path=path)
        elif identifiers.id_of(path) is None:
            found = parse_change(repository.blob(now.id), path).findings
            yield from (
                finding for finding in found if finding.code in ("change.stray-file", "change.wrong-path")
            )
        else:
            parsed = parse_change(repository.blob(now.id), path)
            earlier = [was.id] if was is not None and was.is_file else []
            earlier += [touch.blob for touch in touched if touch.blob and touch.blob != now.id]
            is_recorded = parsed.change is not None and parsed.change.record is not None
            if is_recorded:
                recorded.append(now)
            elif (blob := next((b for b in earlier if _has_record(repository, b, path)), None)) is not None:
                yield Finding(
                    "record.removed",
                    "the change is documented, and the push takes its record away",
                    f"`git show {blob[:12]} > {path}` restores it; a documented change is never edited again: what "
                    "must be corrected is a new change that `amends` this one",
                    path=path,
                )
                continue
            yield from (finding for finding in parsed.findings if finding.severity == "error")
            if not is_recorded:
                yield from crosscheck(parsed, policy, assessor.known_ids)
    for assessment in assessor.some(recorded):
        for finding in assessment.findings:
            if finding.severity == "error" or finding.code in _TOLD_ANYWAY:
                yield finding


def _differing(
    repository: Repository, old: str | None, new: str
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    before, after = (
        repository.child(repository.tree_of(commit), identifiers.ROOT) if commit else None
        for commit in (old, new)
    )
    if after is not None and not after.is_tree:
        yield identifiers.ROOT, None, after
        after = None
    yield from repository.changed(
        before.id if before is not None and before.is_tree else None,
        after.id if after is not None else None,
        f"{identifiers.ROOT}/",
    )


def _entry(repository: Repository, commit: str, path: str) -> Entry | None:
    return repository.child(repository.tree_of(commit), path)


def _removed(path: str, touched: list[program.Touch], old: str | None) -> Finding:
    who = next((touch for touch in touched if not touch.blob), None)
    by = f"commit {who.commit[:12]} ({who.author_email})" if who else "a merge"
    source = f"{who.commit[:12]}~" if who else str(old)[:12]
    return Finding(
        "change.removed",
        f"the file was removed by {by}",
        f"`git checkout {source} -- {path}` brings it back; a change that is not wanted is withdrawn, not deleted",
        path=path,
        change=identifiers.id_of(path) or "",
    )


def _has_record(repository: Repository, blob: str, path: str) -> bool:
    raw = repository.blob(blob)
    change = parse_change(raw, path).change if b"[record]" in raw else None
    return change is not None and change.record is not None
