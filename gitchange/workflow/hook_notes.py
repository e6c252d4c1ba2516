"""What a push brings to the notes: every line that is new must be a sign-off, or a result, and none may go.

Whether the notes may move there at all `hook` has decided before. Each line is authenticated once, under the policy by
which `verify` would judge it after the push; whether it counts is not asked.
"""

from __future__ import annotations

import hashlib

from gitchange.git import program
from gitchange.git.repository import is_id
from gitchange.ledger import chain, notes
from gitchange.ledger.notes import split
from gitchange.ledger.results import is_kept_here, judge
from gitchange.ledger.signoffs import Doubt, Text, described, names_of
from gitchange.ledger.timeline import WitnessedAuthenticator, policy_text
from gitchange.model import identifiers
from gitchange.model import policy as policies
from gitchange.model.finding import Finding
from gitchange.model.statement import StatementError, read_statement
from gitchange.signing.dsse import EnvelopeError, parse_envelope
from gitchange.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gitchange.assessment.assess import Assessor
    from gitchange.git.repository import Entry, Repository
    from gitchange.ledger.chain import Step
    from gitchange.ledger.timeline import Point, Timeline
    from gitchange.model.policy import Policy

_FEW = 64
"""Up to so many paths git's history is searched for these alone."""


def refusals(assessor: Assessor, old: str | None, tips: tuple[str, ...]) -> Iterator[Finding]:
    """Why the notes may not go on from `old` to where the assessor sees them, in these steps:

    1. every new commit of the notes keeps the lines of each of its parents;
    2. everything that is new in them is a note: a regular file, named after an object, with a line in it;
    3. the object is a text of a change, or a policy's folder, that some commit of the server or of the push reaches;
       or a commit of the branch of record;
    4. every new line is a genuine sign-off on it, on a commit a result that counts, under the policy and at the
       moment by which it will be judged: those of the first commit on the branch of record that witnesses it,
       otherwise of now.

    `tips` are the commits that the push brings. A sign-off that is genuine and does not count (in a role that no rule
    asks for, on a text that was edited since) is welcome.
    """
    repository, tip = assessor.repository, assessor.notes.commit
    if tip is None:
        return
    walked = chain.steps(repository, tip, old)
    # 1.
    for loss in chain.losses_in(repository, walked):
        who = repository.commit(loss.commit).author.email
        yield Finding(
            "notes.line-lost",
            f"notes commit {loss.commit[:12]} ({who}) lost {described(loss.line)}",
            "the notes only grow: `gitchange sync` unites them; edit none by hand",
        )
    # 2.
    fresh, strange = _fresh(repository, old, tip)
    for path, why in strange:
        yield Finding(
            "note.strange",
            f"{path!r} among the notes {why}",
            "a note is a file that is named after the text it is on; gitchange writes them",
        )
    # 3. and 4.
    policy = assessor.policy or next(
        (reign.policy for reign in reversed(assessor.timeline.reigns) if reign.policy), None
    )
    if policy is None or not fresh:
        return  # without any policy the branch of record was refused
    yield from _lines(assessor, policy, fresh, walked, tips)


def _fresh(
    repository: Repository, old: str | None, new: str
) -> tuple[dict[str, tuple[bytes, ...]], list[tuple[str, str]]]:
    """The lines that the notes did not have, by object; and what among the new entries is no note.

    No commit in between lost a line (1.), so the two ends tell it all.
    """
    before: dict[str, set[bytes]] = {}
    after: dict[str, dict[bytes, None]] = {}
    strange: list[tuple[str, str]] = []
    for path, was, now in repository.changed(
        repository.tree_of(old) if old else None, repository.tree_of(new)
    ):
        oid = path.replace("/", "")
        if was is not None and was.is_blob:
            before.setdefault(oid, set()).update(split(repository.blob(was.id)))
        if now is None:
            continue
        if not now.is_file:
            strange.append((path, "is no regular file"))
        elif not is_id(oid):
            strange.append((path, "is named after no object"))
        elif not (lines := split(repository.blob(now.id))):
            strange.append((path, "is empty"))
        else:
            after.setdefault(oid, {}).update(dict.fromkeys(lines))
    fresh = {
        oid: tuple(line for line in lines if line not in before.get(oid, ())) for oid, lines in after.items()
    }
    return {oid: lines for oid, lines in fresh.items() if lines}, strange


def _lines(
    assessor: Assessor,
    policy: Policy,
    fresh: dict[str, tuple[bytes, ...]],
    walked: tuple[Step, ...],
    tips: tuple[str, ...],
) -> Iterator[Finding]:
    """3. and 4."""
    repository, line = assessor.repository, assessor.timeline
    witnessed = _witnessed(repository, line, walked)
    authenticator = WitnessedAuthenticator(
        repository,
        line,
        assessor.ground.introduction,
        policy,
        assessor.now,
        first=lambda oid, name: witnessed.get((oid, name)),
        with_order=False,
    )
    on_commits = {oid for oid in fresh if is_kept_here(repository, oid)}
    for oid in sorted(on_commits):
        for text in fresh[oid]:
            for judged in judge(repository, assessor.ground.main, authenticator, oid, (text,)):
                if judged.finding is not None:
                    brought = _bringer(repository, walked, oid, text)
                    yield replace(
                        judged.finding, message=f"{brought}{judged.finding.message}", severity="error"
                    )
    fresh = {oid: lines for oid, lines in fresh.items() if oid not in on_commits}
    objects = {oid: _Object(assessor, oid) for oid in fresh}
    claimed = {text: _claimed(text) for lines in fresh.values() for text in lines}
    wanted = {(objects[oid].place(claimed[text]), oid) for oid, lines in fresh.items() for text in lines}
    reachable = _reachable(assessor, wanted, tips)
    for oid, lines in fresh.items():
        kept = objects[oid]
        for text in lines:
            about = kept.text(claimed[text])
            # What is about another text is told so when it is authenticated; what is no sign-off, as what it is.
            is_here = claimed[text].oid == oid
            if about is None or (is_here and (kept.place(claimed[text]), oid) not in reachable):
                yield _on_nothing(oid, text, kept.what)
                continue
            signed = authenticator.authenticate(text, about)
            if isinstance(signed, Doubt):
                brought = _bringer(repository, walked, oid, text)
                yield replace(signed.finding, message=f"{brought}{signed.finding.message}")
            elif (signed.step == "policy") != kept.is_policy:
                yield Finding(
                    "note.not-an-approval",
                    f"{described(text)} stands on {'a policy' if kept.is_policy else 'a change'}",
                    "a policy is approved by `gitchange policy approve`, a change by `gitchange approve`",
                )


class _Claim(Value):
    """What a line says that it is about; nothing in it is trusted."""

    path: str = ""
    oid: str = ""


class _Object:
    """What a note is on."""

    def __init__(self, assessor: Assessor, oid: str) -> None:
        repository, self._oid = assessor.repository, oid
        self._policy: Text | None = None
        self._sha256 = ""
        if not repository.has(oid):
            self.what = "is not on the server"
        elif repository.has_blob(oid):
            self.what = "is no text of any change here"
            self._sha256 = hashlib.sha256(repository.blob(oid)).hexdigest()
        elif repository.has_tree(oid) and (policy := assessor.policies.of_tree(oid)[0]) is not None:
            self.what = "is a policy that no commit here has"
            self._policy = policy_text(repository, oid, policy.version)
        else:
            self.what = "is neither a change file nor a policy"

    @property
    def is_policy(self) -> bool:
        """Whether it is the folder of a policy."""
        return self._policy is not None

    def place(self, claim: _Claim) -> str:
        """The path at which some commit must have it."""
        return policies.ROOT if self.is_policy else claim.path

    def text(self, claim: _Claim) -> Text | None:
        """The text that a line with this claim would be about; None when it can be about none."""
        if self._sha256:
            return Text(identifiers.id_of(claim.path) or "", claim.path, self._oid, self._sha256)
        return self._policy


def _claimed(line: bytes) -> _Claim:
    try:
        subject = read_statement(parse_envelope(line, canonical=False).payload).subject[0]
    except (EnvelopeError, StatementError):
        return _Claim()
    return _Claim(subject.name, subject.oid)


def _reachable(
    assessor: Assessor, claimed: set[tuple[str, str]], tips: tuple[str, ...]
) -> frozenset[tuple[str, str]]:
    """Which of these (path, object) some commit has: mostly the tip; otherwise one look at the whole history."""
    repository, main = assessor.repository, assessor.ground.main
    possible = {
        (path, oid) for path, oid in claimed if path == policies.ROOT or identifiers.id_of(path) is not None
    }
    ends = [repository.tree_of(commit) for commit in dict.fromkeys((main, *tips))]
    found = {
        (path, oid)
        for path, oid in possible
        if any((entry := repository.entry(tree, path)) is not None and entry.id == oid for tree in ends)
    }
    missing = possible - found
    if missing:
        paths = sorted({path for path, _ in missing})
        folders = sorted({path.partition("/")[0] for path in paths})
        searched = paths if len(paths) <= _FEW else folders
        for touch in program.touches(repository, ("--all", *tips), *searched):
            found.add((touch.path, touch.blob))
            if touch.path.startswith(f"{policies.ROOT}/"):
                entry = _policy_in(repository, touch.commit)
                found.add((policies.ROOT, entry.id if entry is not None else ""))
    return frozenset(found & possible)


def _policy_in(repository: Repository, commit: str) -> Entry | None:
    return repository.child(repository.tree_of(commit), policies.ROOT)


def _witnessed(
    repository: Repository, line: Timeline, walked: Iterable[Step]
) -> dict[tuple[str, str], Point]:
    """By object and name of a sign-off that the new commits brought: the first point of the line that witnesses it.

    Each new commit of the notes is visited once: whatever a point's notes contain that no earlier point's did, it
    is the first to witness.
    """
    walked = tuple(walked)
    parents: dict[str, list[str]] = {}
    for step in walked:
        parents.setdefault(step.commit, []).extend([step.parent] if step.parent else [])
    places: dict[str, int] = {}
    for place, point in enumerate(line.points):
        waiting = [point.witnesses] if point.witnesses in parents else []
        while waiting:
            commit = waiting.pop()
            if commit in parents and commit not in places:
                places[commit] = place
                waiting += parents[commit]
    first: dict[tuple[str, str], int] = {}
    for step in walked:
        if (place := places.get(step.commit, -1)) < 0:
            continue
        for path, was, now in step.changed:
            had = set(split(repository.blob(was))) if was else set()
            brought = tuple(text for text in split(repository.blob(now)) if text not in had) if now else ()
            for name in names_of(brought):
                key = path.replace("/", ""), name
                first[key] = min(place, first.get(key, place))
    return {key: line.points[place] for key, place in first.items()}


def _bringer(repository: Repository, walked: tuple[Step, ...], oid: str, line: bytes) -> str:
    """Which new commit of the notes brought a line, in words."""
    for step in walked:
        for path, was, now in step.changed:
            if path.replace("/", "") == oid and now and line in split(repository.blob(now)):
                if was and line in split(repository.blob(was)):
                    continue
                return f"notes commit {step.commit[:12]} ({repository.commit(step.commit).author.email}): "
    return ""


def _on_nothing(oid: str, line: bytes, what: str) -> Finding:
    return Finding(
        "note.on-nothing",
        f"{described(line)} is on {oid[:12]}, which {what}",
        "push the branch that has the text first, or both together: "
        f"`git push origin BRANCH {notes.REF}`; a sign-off cannot be moved to another text",
    )
