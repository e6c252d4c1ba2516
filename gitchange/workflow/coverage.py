"""`coverage` and `link`: to which change each commit of an application belongs, and whether that one covers it.

The application repository is read with stock git, the changes come from the index. What ties a commit to a change:

1. its own message: a `Change:` trailer, or an id in its title, branch or text; of a merge also what it merges;
2. the merge request that brought it, where a change names that one;
3. an implementation that counts and names the commit, a tag of it or a range that holds it; or a request that was
   imported from it;
4. the commit that it says to have picked or to revert, by the ties of that one: a change's way back is part of it;
5. a signed commit with the very same difference: it was rebased, picked or squashed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from pathlib import Path

from gitchange.assessment.shapes import COMMIT, IMPORTED, MERGE_REQUEST, show_json, ties_of
from gitchange.errors import UsageError
from gitchange.forges import references
from gitchange.git.application import Application
from gitchange.index import refresh, rows
from gitchange.lifecycle.coverage import Commit, Known, Tie, cover, touched
from gitchange.model import identifiers
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gitchange.git.application import AppCommit, Line
    from gitchange.lifecycle.coverage import Covered
    from gitchange.model.policy import Policy
    from gitchange.workflow.workspace import Workspace


_WHERE: dict[references.Place, str] = {
    "trailer": f"the trailer `{references.TRAILER}:` of",
    "title": "the title of",
    "branch": "the branch of",
    "text": "the text of",
}


class Coverage(Value):
    """The commits of a range, newest first, each with its state."""

    application: Path
    base: str | None
    """The commit after which the range begins; None where it begins with the first one."""
    head: str
    systems: tuple[str, ...]
    """The systems that were looked at."""
    commits: tuple[Covered, ...]
    elsewhere: int
    """How many commits of the range touch none of these systems, where one was asked for."""
    policy: tuple[int, str]
    """Version and tree id of the policy."""
    main: str
    """The commit of the configuration repository."""
    notes: str | None
    """Its notes commit."""

    @property
    def listed(self) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Each commit with its state and its changes: what `list_digest` names."""
        return tuple((one.commit.id, one.state, one.changes) for one in self.commits)


class Examined(Value):
    """A coverage with the changes that were tied to its commits, in their documented JSON shapes."""

    coverage: Coverage
    shapes: Mapping[str, Mapping[str, Any]]


class Facts(Value):
    """What the configuration repository says."""

    ties: tuple[tuple[str, str], ...]
    """What ties changes to repositories (`assessment.shapes.ties_of`), each with the change's id."""
    main: str
    notes: str | None


def coverage(workspace: Workspace, directory: Path, revisions: str, systems: Sequence[str] = ()) -> Coverage:
    """The coverage of a range of an application's history. `revisions` is BASE..HEAD, or all up to one revision."""
    application = Application(directory)
    base, head = range_of(application, revisions)
    return examined(workspace, application, base, head, systems).coverage


def examined(
    workspace: Workspace, application: Application, base: str | None, head: str, systems: Sequence[str]
) -> Examined:
    """The same for the commits after `base` up to `head`, in these steps:

    1. the systems that the repository holds, with their paths;
    2. the commits of the first-parent line, with what each merged;
    3. what ties each to a change;
    4. its state.
    """
    policy = workspace.policy
    # 1.
    scopes = scopes_of(policy, application, systems)
    # 2.
    line = application.line(base, head)
    # 3.
    facts = facts_of(workspace)
    links = Links(facts, workspace.policy, application, line, scopes)
    ties = {commit.id: links.of(commit) for commit in line.commits}
    # 4.
    shapes = shapes_of(workspace, {tie.change for found in ties.values() for tie in found})
    known = {change: known_of(shape) for change, shape in shapes.items()}
    found: list[Covered] = []
    elsewhere = 0
    for commit in line.commits:
        about = touched(commit.paths, scopes)
        if systems and not about:
            elsewhere += 1
            continue
        found.append(
            cover(
                described(commit, line.merged.get(commit.id, ())),
                about,
                ties[commit.id],
                known,
                policy,
                workspace.now,
            )
        )
    version = policy.version, policy.tree
    told = Coverage(
        application.directory,
        base,
        head,
        tuple(scopes),
        tuple(found),
        elsewhere,
        version,
        facts.main,
        facts.notes,
    )
    return Examined(told, shapes)


def range_of(application: Application, revisions: str) -> tuple[str | None, str]:
    """Base and head of BASE..HEAD, or of a revision alone."""
    if "..." in revisions:
        raise UsageError(f"{revisions!r} has three dots", hint="a range is BASE..HEAD")
    one, dots, other = revisions.partition("..")
    if not dots:
        return None, application.commit(one)
    return application.commit(one or "HEAD"), application.commit(other or "HEAD")


def scopes_of(policy: Policy, application: Application, systems: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The systems that a repository holds, each with the patterns of its paths (none: the whole repository).

    They are those that were asked for, or those whose `repositories` have an address of the clone's remotes.
    """
    if unknown := [name for name in systems if name not in policy.systems]:
        known = ", ".join(sorted(policy.systems))
        raise UsageError(f"the policy has no system {unknown[0]!r}", hint=f"its systems: {known}")
    if systems:
        return {name: policy.systems[name].paths for name in systems}
    own = {references.repository_of(address) for address in application.remotes()}
    scopes = {
        name: system.paths
        for name, system in policy.systems.items()
        if own & {references.repository_of(address) for address in system.repositories}
    }
    if not scopes:
        raise UsageError(
            f"no system of the policy has the repository {application.directory}",
            hint="name its systems with --system, or add the address of its remote to `repositories` "
            "in policy/systems.toml",
        )
    return scopes


def described(commit: AppCommit, merged: Sequence[AppCommit]) -> Commit:
    """A commit as its coverage is told."""
    brought = merged if len(commit.parents) > 1 and merged else (commit,)
    authors = dict.fromkeys(author for c in brought for author in (c.author, *c.co_authors) if author)
    return Commit(
        commit.id,
        commit.author,
        commit.time,
        commit.subject,
        commit.paths,
        tuple(authors),
        tuple(c.subject for c in merged),
    )


class Links:
    """What ties the commits of a range to changes."""

    def __init__(
        self,
        facts: Facts,
        policy: Policy,
        application: Application,
        line: Line,
        scopes: Mapping[str, tuple[str, ...]],
    ) -> None:
        self._facts, self._application, self._line = facts, application, line
        self._all = {c.id: c for c in (*line.commits, *(m for found in line.merged.values() for m in found))}
        self._by_message = {commit.id: _named_by(commit) for commit in self._all.values()}
        self._requests = self._merge_requests(scopes, policy)
        self._signed = self._signed_commits(scopes)
        self._same = self._same_differences()

    def of(self, commit: AppCommit) -> tuple[Tie, ...]:
        """All that ties a commit of the line to changes; each change once, by what is said first."""
        found: dict[str, str] = {}
        for change, why in self._ties(commit):
            found.setdefault(change, why)
        return tuple(Tie(change, why) for change, why in found.items())

    def _ties(self, commit: AppCommit, seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
        own = commit.id[:12]
        reverts = references.reverted_in(commit.message)
        for named in self._by_message[commit.id]:
            # What a revert quotes of the reverted one's title is no word of its own.
            if not reverts or named.place == "trailer":
                yield named.change, f"{_WHERE[named.place]} {own} names it"
        request = references.merge_request_in(commit.message)
        if request is not None:
            for change in self._requests.get((request.project.lower(), request.number), ()):
                yield change, f"the change names merge request {request.number}, which {own} says to be"
        for change, said in self._signed.get(commit.id, ()):
            yield change, said
        for word, others in (("picks", references.picked_in(commit.message)), ("reverts", reverts)):
            for text in others:
                other = self._found(text)
                if other is not None and other.id not in seen:
                    for change, why in self._ties(other, seen | {commit.id}):
                        yield change, f"{own} {word} {other.id[:12]}: {why}"
        for change, said in self._same.get(commit.id, ()):
            yield change, said
        if commit.id not in seen:
            for merged in self._line.merged.get(commit.id, ()):
                yield from self._ties(merged, seen | {commit.id})

    def _found(self, text: str) -> AppCommit | None:
        """The commit of that id, perhaps shortened; one that is not in the range is read for it."""
        for oid in (text, *(oid for oid in self._all if oid.startswith(text))):
            if oid in self._all:
                return self._all[oid]
        full = self._application.named([text])[text]
        read = self._application.one(full[0]) if full else None
        if read is not None:
            self._all[read.id] = read
            self._by_message[read.id] = _named_by(read)
        return read

    def _merge_requests(
        self, scopes: Mapping[str, tuple[str, ...]], policy: Policy
    ) -> dict[tuple[str, int], tuple[str, ...]]:
        """Changes by the merge requests of this repository that they name: by project and number, or number alone."""
        remotes = self._application.remotes()
        own = {references.repository_of(a) for a in remotes if ":" in a and not a.startswith("file:")}
        if not own:  # a copy of a copy: it is the one that the policy names, if that is one
            addresses = (address for name in scopes for address in policy.systems[name].repositories)
            held = {references.repository_of(address) for address in addresses}
            own = held if len(held) == 1 else set()
        found: defaultdict[tuple[str, int], dict[str, None]] = defaultdict(dict)
        for name, change in self._facts.ties:
            kind, _, address = name.partition(" ")
            request = references.merge_request_at(address) if kind == MERGE_REQUEST else None
            if request is not None and request[0] in own:
                project = request[0].partition("/")[2]
                found[project, request[1]][change] = None
                found["", request[1]][change] = None
        return {key: tuple(changes) for key, changes in found.items()}

    def _signed_commits(
        self, scopes: Mapping[str, tuple[str, ...]]
    ) -> dict[str, tuple[tuple[str, str], ...]]:
        """Changes by the commits that they or their implementations name, with what is said."""
        by_revision: defaultdict[str, dict[str, None]] = defaultdict(dict)
        found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, change in self._facts.ties:
            kind, _, rest = name.partition(" ")
            system, _, revision = rest.partition(" ")
            if kind == COMMIT and system in scopes:
                by_revision[revision][change] = None
            elif kind == IMPORTED and system in scopes:
                found[revision].append((change, "the change was imported from it"))
        unknown = []
        for revision, changes in by_revision.items():
            if revision in self._all:
                found[revision] += [(change, "a signed implementation names it") for change in changes]
            else:
                unknown.append(revision)
        self._elsewhere: dict[str, tuple[str, ...]] = {}
        # Full ids of commits that are not in the range need not be asked for one by one.
        whole = [revision for revision in unknown if len(revision) in (40, 64)]
        for revision in self._application.present(whole):
            self._elsewhere[revision] = tuple(by_revision[revision])
        for revision, commits in self._application.named(
            r for r in unknown if len(r) not in (40, 64)
        ).items():
            for commit in commits:
                said = f"a signed implementation names {revision}"
                found[commit] += [(change, said) for change in by_revision[revision]]
                if commit not in self._all:
                    self._elsewhere[commit] = tuple(by_revision[revision])
        return {commit: tuple(said) for commit, said in found.items()}

    def _same_differences(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Changes by commits that nothing else ties and that have the very difference of a signed one elsewhere."""
        untied = [
            commit.id
            for commit in self._line.commits
            if len(commit.parents) < 2 and not self._by_message[commit.id] and commit.id not in self._signed
        ]
        if not untied or not self._elsewhere:
            return {}
        by_patch: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for commit, patch in self._application.patch_ids(self._elsewhere).items():
            said = f"it has the difference of {commit[:12]}, which a signed implementation names"
            by_patch[patch] += [(change, said) for change in self._elsewhere[commit]]
        tip = self._line.commits[0].id
        for commit, changes in self._elsewhere.items():  # a squash has the difference of the whole branch
            base = self._application.merge_base(commit, tip)
            whole = self._application.patch_id_of(base, commit) if base else None
            if whole is not None and whole not in by_patch:
                said = f"it has all that the branch of {commit[:12]} changed, which a signed implementation names"
                by_patch[whole] += [(change, said) for change in changes]
        patches = self._application.patch_ids(untied)
        return {commit: tuple(by_patch[patch]) for commit, patch in patches.items() if patch in by_patch}


def _named_by(commit: AppCommit) -> tuple[references.Reference, ...]:
    """The changes that its message names."""
    return references.changes_in(commit.message, commit.changes)


def facts_of(workspace: Workspace) -> Facts:
    """The ties of all changes."""

    def asked(index: sqlite3.Connection) -> Facts:
        return Facts(tuple(rows.ties(index)), *rows.heads(index))

    if workspace.at is None:
        where = workspace.repository, workspace.now, workspace.introduction
        found = refresh.ask(*where, asked, workspace.tell)
        if found is not None:
            return found
    assessor = workspace.assessor
    shapes = (show_json(a) for a in assessor.each() if identifiers.id_of(a.path) is not None)
    ties = tuple((name, shape["id"]) for shape in shapes for name in sorted(ties_of(shape)))
    return Facts(ties, assessor.ground.main, assessor.notes.commit)


def shapes_of(workspace: Workspace, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The documented JSON shapes of these changes, by id; nothing of those that are not on the branch of record."""
    changes = sorted(wanted)

    def asked(index: sqlite3.Connection) -> dict[str, dict[str, Any]]:
        shapes = (rows.shown(index, change) for change in changes)
        return {shape["id"]: shape for shape in shapes if shape is not None}

    if workspace.at is None:
        where = workspace.repository, workspace.now, workspace.introduction
        found = refresh.ask(*where, asked, workspace.tell)
        if found is not None:
            return found
    there = {change: e for e in workspace.assessor.files if (change := identifiers.id_of(e.path)) is not None}
    return {
        assessment.id: show_json(assessment)
        for assessment in workspace.assessor.some([there[change] for change in changes if change in there])
    }


def known_of(shape: Mapping[str, Any]) -> Known:
    """What coverage needs to know of a change, from its documented JSON shape."""
    step = next((s for s in shape["steps"] if s["step"] == "evaluation"), None)
    state = step["state"] if step else "waiting"
    signed = {s["digest"]: s for s in shape["sign_offs"]}
    # When the last of the approvals that count was witnessed; until then what it claims.
    times = [
        dt.datetime.fromisoformat(signed[digest]["judged_at"] or signed[digest]["time"])
        for digest in (step["sign_offs"] if step else ())
        if digest in signed and signed[digest]["verdict"] == "approve"
    ]
    return Known(
        shape["id"],
        shape["status"],
        shape["type"] or "",
        state in ("done", "not-needed"),
        int(max(times).timestamp()) if times and state == "done" else None,
        tuple(shape["systems"]),
    )


class Linked(Value):
    """A commit with what ties it to changes."""

    commit: Commit
    ties: tuple[Tie, ...]
    state: Covered


def link(
    workspace: Workspace, directory: Path, revisions: Sequence[str], systems: Sequence[str] = ()
) -> tuple[Linked, ...]:
    """What ties these commits to changes, and what follows from it; a commit need not be on the first-parent line."""
    application = Application(directory)
    scopes = scopes_of(workspace.policy, application, systems)
    facts = facts_of(workspace)
    found: list[Linked] = []
    for revision in revisions:
        commit = application.commit(revision)
        line = application.line(application.parent_of(commit), commit)
        own = line.commits[0]
        ties = Links(facts, workspace.policy, application, line, scopes).of(own)
        shapes = shapes_of(workspace, {tie.change for tie in ties})
        known = {change: known_of(shape) for change, shape in shapes.items()}
        about = described(own, line.merged.get(own.id, ()))
        state = cover(about, touched(own.paths, scopes), ties, known, workspace.policy, workspace.now)
        found.append(Linked(about, ties, state))
    return tuple(found)
