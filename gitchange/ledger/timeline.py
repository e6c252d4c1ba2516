"""The branch of record as a line in time: which policy was in force where, and what was witnessed when.

DESIGN.md section 4, rules 2 and 3. Only the first-parent line counts, from the introduction on: what happened on a
branch is what its merge brought. A commit's own time is a claim, so the line's clock never runs
backwards: a commit counts as made no earlier than every one before it. And a merge can put another line in the
place of the one that was the branch of record until then, so an approved policy holds from wherever it was
adopted: nothing beside it counts under an older one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property, lru_cache

from gitchange.errors import RepositoryError
from gitchange.git import program
from gitchange.git.ids import Numbers
from gitchange.git.repository import moment as moment_of
from gitchange.ledger.notes import Notes, lines_of, split
from gitchange.ledger.notes_history import NotesHistory
from gitchange.ledger.records import trailer_of
from gitchange.ledger.signoffs import Authenticator, Doubt, Moment, Text, described, names_of
from gitchange.model import identifiers
from gitchange.model import policy as policies
from gitchange.model.finding import Finding
from gitchange.model.policy import ROOT_ROLE, Policy
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeVar, overload

    from gitchange.git.repository import Repository
    from gitchange.ledger.documents import Policies
    from gitchange.model.evidence import SignOff
    from gitchange.model.policy import StandardModel
    from gitchange.model.result import Result

    Item = TypeVar("Item")
    Genuine = TypeVar("Genuine", SignOff, Result)
else:
    Item = object

APPROVALS = "policy-approvals"
"""The folder of main that holds the envelopes which approved each policy version."""

CLOCKS_DIFFER = dt.timedelta(days=1)
"""By how much a commit may be older than one before it without being worth a word."""

_NOUGHT, _MINUTE = dt.timedelta(), dt.timedelta(minutes=1)

_NEVER = -1
"""Stands for the place of what was never witnessed."""

_NOTES_KEPT = 256
"""So many notes are kept taken apart: those of one change are asked for several times, one after the other."""

_LINES_KEPT = 4096
"""So many judged lines are kept: those of one change are asked for several times, one after the other."""

_MANY = 256
"""Of more commits it is asked once how their notes follow each other, not for each two of them."""

_SOON = 32
"""Among so many commits one of the notes is looked for before the others: mostly it is the next one, or near."""

_State = tuple[Policy, tuple[str, ...]] | None
"""The policy that was approved last, and who approved it there."""

_ADOPTION = "adoption"
"""Stands for the commit that would adopt a policy (`Timeline.adopting`)."""


class Point(Value):
    """One commit of the line."""

    commit: str
    before: Policy | None
    """The policy in force at its parent: the one under which this commit's news are judged."""
    moment: dt.datetime
    """Its time, never earlier than that of a commit before it."""
    witnesses: str | None
    """The notes commit that its trailer names."""


class Made(Sequence[Item]):
    """A sequence whose items are made, or looked up, when they are asked for."""

    def at(self, number: int) -> Item:
        """The item of that number, from 0 to less than the length."""
        raise NotImplementedError

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, number: int) -> Item: ...
        @overload
        def __getitem__(self, number: slice) -> list[Item]: ...

    def __getitem__(self, number: int | slice) -> Item | list[Item]:
        if isinstance(number, slice):
            return [self.at(one) for one in range(*number.indices(len(self)))]
        place = number if number >= 0 else len(self) + number
        if not 0 <= place < len(self):
            raise IndexError(number)
        return self.at(place)


class Points(Made[Point]):
    """Points in little memory: each is made when it is asked for."""

    def __init__(self) -> None:
        self.places = Numbers()
        """The commits, each with its place."""
        self._policies: list[Policy] = []
        self._before = array("i")
        self._seconds, self._minutes = array("q"), array("h")
        self._named, self._witnesses = Numbers(), array("i")

    def __len__(self) -> int:
        return len(self._before)

    def at(self, number: int) -> Point:
        """The point at that place."""
        before = self._before[number]
        return Point(
            self.places.id(number),
            self._policies[before] if before >= 0 else None,
            moment_of(self._seconds[number], self._minutes[number]),
            self.witnesses(number),
        )

    def witnesses(self, place: int) -> str | None:
        """What the point at that place witnesses."""
        number = self._witnesses[place]
        return self._named.id(number) if number >= 0 else None

    def append(self, point: Point) -> None:
        """Add the next point of the line; its commit is none of those before, its moment that of some commit."""
        self.places.add(point.commit)
        self._before.append(-1)
        self._seconds.append(0)
        self._minutes.append(0)
        self._witnesses.append(self._named.add(point.witnesses) if point.witnesses is not None else -1)
        self.change(len(self) - 1, point.before, point.moment)

    def change(self, place: int, before: Policy | None, moment: dt.datetime) -> None:
        """Put another policy and moment in the place of those of a point."""
        number = len(self._policies) - 1
        if before is None:
            number = -1
        elif number < 0 or self._policies[number] is not before:  # mostly it is the newest
            known = range(number - 1, -1, -1)
            number = next((n for n in known if self._policies[n] is before), len(self._policies))
            if number == len(self._policies):
                self._policies.append(before)
        self._before[place] = number
        self._seconds[place] = int(moment.timestamp())
        self._minutes[place] = (moment.utcoffset() or _NOUGHT) // _MINUTE


class _Chain(Made[tuple[int, Notes]]):
    """Notes that were witnessed at some points, with the places."""

    def __init__(
        self, repository: Repository, named: Callable[[int], str | None], places: Sequence[int]
    ) -> None:
        """`named` tells the notes that the point at a place witnesses."""
        self._repository, self._named, self.places = repository, named, places

    def __len__(self) -> int:
        return len(self.places)

    def at(self, number: int) -> tuple[int, Notes]:
        """Place and notes of that number."""
        place = self.places[number]
        return place, Notes(self._repository, self._named(place))


class Reign(Value):
    """A stretch of the line under one policy folder."""

    commit: str
    """The first commit that has it."""
    tree: str
    """The folder's tree id; empty when there is none."""
    policy: Policy | None
    """The policy in force from here on; None when this one is not to be trusted."""
    approved_by: tuple[str, ...]
    """Who approved it under the policy before it; nobody for the first."""
    findings: tuple[Finding, ...] = ()


def _follows(notes: str, earlier: str, parents: Mapping[str, Sequence[str]]) -> bool:
    """Whether notes are seen at once to come after others, by the parents that are known; no says nothing."""
    waiting = [notes]
    for commit in waiting:
        if commit == earlier:
            return True
        if len(waiting) < _SOON:
            waiting += parents.get(commit, ())
    return False


def directory_hash(repository: Repository, tree: str) -> str:
    """in-toto's `dirHash` of a folder: Go's Hash1 in hexadecimal.

    `cd FOLDER && sha256sum $(find . -type f | cut -c3- | LC_ALL=C sort) | sha256sum`
    """
    files = sorted((entry.path.encode(), entry.id) for entry in repository.walk(tree))
    lines = (
        hashlib.sha256(repository.blob(oid)).hexdigest().encode() + b"  " + path + b"\n"
        for path, oid in files
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()


def policy_text(repository: Repository, tree: str, version: int) -> Text:
    """The text that approvals of a policy are about."""
    return Text(f"policy-{version}", policies.ROOT, tree, directory_hash(repository, tree))


class Timeline:
    """The first-parent line from the introduction to a commit."""

    def __init__(
        self, repository: Repository, known: Policies, introduction: str, tip: str, notes: str | None = None
    ) -> None:
        """`notes` is the tip of the notes: what they were, at any time, is read together with what was witnessed."""
        self._repository = repository
        self._notes = notes
        self._policies = known
        self._introduction = introduction
        commits: list[str] = []
        for commit in repository.first_parents(tip):
            commits.append(commit)
            if commit == introduction:
                break
        line = Points()
        self.points: Sequence[Point] = line
        self.reigns: list[Reign] = []
        self._place: Mapping[str, int] = line.places
        self._home: dict[str, str] = {}
        """Where each approved policy folder, by its tree id, can be had back from."""
        self.clock_findings: list[Finding] = []
        self._walk(line, commits)
        self._witnessing, self._aside = self._witnesses()

    _notes: str | None = None
    _adopting: tuple[int, Notes] | None = None
    """Where an adoption that is only thought of (`adopting`) would witness which notes."""

    @property
    def policy(self) -> Policy | None:
        """The policy in force at the end of the line."""
        return self.reigns[-1].policy

    @property
    def last_witnessed(self) -> str | None:
        """The newest notes commit that the line witnessed and that is here."""
        return self._witnessing[-1][1].commit if self._witnessing else None

    @property
    def witnessed(self) -> Iterator[tuple[int, str, bool]]:
        """Every witnessed notes commit with its place, and whether it is one beside the chain."""
        for notes, aside in ((self._witnessing, False), (self._aside, True)):
            for place, held in notes:
                if held.commit is not None:
                    yield place, held.commit, aside

    def witnessed_before(self, commit: str) -> str | None:
        """The newest notes commit that the line had witnessed before this commit."""
        place = self._place.get(commit, len(self.points))
        chain = self._witnessing
        if isinstance(chain, _Chain):  # here no notes need be made to look at their places
            earlier = bisect_left(chain.places, place)
        else:
            earlier = bisect_left(chain, place, key=lambda held: held[0])
        return chain[earlier - 1][1].commit if earlier else None

    def model_since(self, name: str, policy: Policy) -> int:
        """The place at which a policy brought the standard change model of that name as this policy has it."""
        since = 0
        before: StandardModel | None = None
        for reign in self.reigns:
            if reign.policy is None:
                continue
            now = reign.policy.models.get(name)
            if now != before:
                since = self._place[reign.commit]
            before = now
            if reign.policy.tree == policy.tree:
                break
        return since

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong with the line's policies."""
        return tuple(finding for reign in self.reigns for finding in reign.findings)

    def place(self, commit: str) -> int | None:
        """The place of a commit on the line; None when it is not on it."""
        return self._place.get(commit)

    def first(self, holds: Callable[[str], bool]) -> Point | None:
        """The first point whose commit has something that no later one loses (found by bisection)."""
        if not self.points or not holds(self.points[-1].commit):
            return None
        low, high = 0, len(self.points) - 1
        while low < high:
            middle = (low + high) // 2
            if holds(self.points[middle].commit):
                high = middle
            else:
                low = middle + 1
        return self.points[low]

    def adopting(self, policy: Policy, notes: Notes, moment: dt.datetime) -> Timeline:
        """The line as it would go on if this policy were adopted now; this one stays as it is.

        As `policy adopt` does it: by a commit that witnesses the notes, so that every sign-off there is now is judged
        by the policy before. Root's approval is taken for granted. The commit that is not there yet has the tip's
        files, so the tip stands for it.
        """
        tip, place = self.points[-1], len(self.points)
        import copy  # noqa: PLC0415 - few commands judge as of another time

        then = copy.copy(self)
        then.points = [*self.points, Point(tip.commit, self.policy, max(moment, tip.moment), notes.commit)]
        then.reigns = [*self.reigns, Reign(_ADOPTION, policy.tree, policy, ())]
        then._place = {**self._place, _ADOPTION: place}
        if notes.commit is not None:
            then._witnessing = [*self._witnessing, (place, notes)]
            then._adopting = place, notes
        return then

    def witness(self, oid: str, name: str) -> Point | None:
        """The first point whose witnessed notes hold the sign-off of that name on the object.

        Once witnessed is witnessed: what the notes lost afterwards takes nothing back.
        """
        places: list[int] = []
        for place, note in self.changes_of(oid):
            if name in self._names(note):
                places.append(place)
                break
        places += [place for place, seen in self._aside if name in names_of(self._lines(seen, oid))][:1]
        if not places and self._adopting is not None:
            place, notes = self._adopting
            places = [place] if name in names_of(self._lines(notes, oid)) else []
        return self.points[min(places)] if places else None

    def changes_of(self, oid: str) -> Sequence[tuple[int, str]]:
        """Where along the chain of witnessed notes the object's note changed: place, and `notes.note_of` from there on.

        Between two witnesses only that can change a note which the later one is the first to contain.
        """
        return self._read_changes(oid)

    @cached_property
    def _read_changes(self) -> Callable[[str], list[tuple[int, str]]]:
        """The same from the notes' history, kept for the last objects that were asked for."""
        return lru_cache(maxsize=_NOTES_KEPT)(self._changes_in_history)

    def _changes_in_history(self, oid: str) -> list[tuple[int, str]]:
        history, first = self._history, self._first_containing
        places = {first[number] for number in history.touching(oid)} - {_NEVER}
        found: list[tuple[int, str]] = []
        for place in sorted(places):
            note = history.at(self._named(place) or "", oid)
            if note != (found[-1][1] if found else ""):
                found.append((place, note))
        return found

    def all_changes(self) -> Iterator[tuple[str, int, str]]:
        """`changes_of` every object: object, place, note."""
        for oid in sorted(self._history.objects):
            for place, note in self.changes_of(oid):
                yield oid, place, note

    def lines_at(self, commit: str, oid: str) -> tuple[bytes, ...] | None:
        """What stood on an object in a notes commit, whoever made it; None when that commit is not here."""
        known = self.look_up(commit, oid)
        if known is None and self._repository.has_commit(commit):
            known = Notes(self._repository, commit).lines(oid)
        return known

    def has_notes(self, commit: str) -> bool:
        """Whether a notes commit is here."""
        history: NotesHistory | None = self.__dict__.get("_history")
        return (history is not None and commit in history) or self._repository.has_commit(commit)

    def look_up(self, commit: str, oid: str) -> tuple[bytes, ...] | None:
        """The same from what has been read of the notes' history; None when that says nothing about the commit."""
        history: NotesHistory | None = self.__dict__.get("_history")
        note = history.known(commit, oid) if history is not None else None
        return None if note is None else self.lines_of(note)

    def read_notes(self) -> NotesHistory:
        """Read now what `changes_of` and `lines_at` read when first asked: all that the notes ever were."""
        _ = self._first_containing
        return self._history

    def is_older(self, notes: str, than: str) -> bool:
        """Whether notes that were witnessed are contained in others that were."""
        place, other = self.place_of_notes(notes), self.place_of_notes(than)
        if place is None or other is None:
            return self._repository.is_ancestor(notes, than)
        return place <= other

    def place_of_notes(self, notes: str) -> int | None:
        """The place that these very notes have in the chain of those witnessed; None when they are not in it."""
        numbers, places = self._places_of_notes
        number = numbers.find(notes)
        return None if number is None else places[number]

    def came(self, commit: str) -> int | None:
        """The place at which a commit became part of the line, itself or by a merge; None when it is no part of it."""
        place = self._place.get(commit)
        return place if place is not None else self._merged.get(commit)

    @cached_property
    def _history(self) -> NotesHistory:
        """All that the notes ever were, read when a sign-off's witness is first asked for."""
        others = [notes.commit for _, notes in [*self._witnessing[-1:], *self._aside]]
        tips = [tip for tip in dict.fromkeys([self._notes, *others]) if tip is not None]
        for tip in tips:
            self._repository.tree_of(tip)  # says what is wrong with one that is missing or damaged
        return NotesHistory(self._repository, tips)

    @cached_property
    def _places_of_notes(self) -> tuple[Numbers, Sequence[int]]:
        """The notes commits of the chain, numbered, and by number their places."""
        numbers, places = Numbers(), array("i")
        for place, commit, aside in self.witnessed:
            if not aside:
                numbers.add(commit)
                places.append(place)
        return numbers, places

    @cached_property
    def _first_containing(self) -> Sequence[int]:
        """By the number of a notes commit: the place of the first of the chain that contains it."""
        history = self._history
        first = array("i", [_NEVER]) * len(history)
        for place, commit, aside in self.witnessed:
            if aside:
                continue
            waiting = [history.number(commit)]
            while waiting:
                number = waiting.pop()
                if first[number] == _NEVER:
                    first[number] = place
                    waiting += history.parents(number)
        return first

    @cached_property
    def _merged(self) -> dict[str, int]:
        """By commit beside the line: the place of the merge that brought it."""
        parents = program.parents_of(self._repository, self.points[-1].commit)
        places: dict[str, int] = {}
        for place, point in enumerate(self.points):
            waiting = list(parents.get(point.commit, ())[1:])
            while waiting:
                commit = waiting.pop()
                if commit not in places and commit not in self._place:
                    places[commit] = place
                    waiting += parents.get(commit, ())
        return places

    def _lines(self, notes: Notes, oid: str) -> tuple[bytes, ...]:
        known = self.look_up(notes.commit, oid) if notes.commit is not None else None
        return notes.lines(oid) if known is None else known

    @cached_property
    def lines_of(self) -> Callable[[str], tuple[bytes, ...]]:
        """`notes.lines_of`, which keeps the last notes that it took apart."""
        return lru_cache(maxsize=_NOTES_KEPT)(lambda note: lines_of(self._repository, note))

    @cached_property
    def _names(self) -> Callable[[str], frozenset[str]]:
        """The names of the sign-offs in a note."""
        return lru_cache(maxsize=_NOTES_KEPT)(lambda note: names_of(self.lines_of(note)))

    def _witnesses(self) -> tuple[Sequence[tuple[int, Notes]], list[tuple[int, Notes]]]:
        """The witnessed notes with their places: a chain, each containing the one before, and those beside it.

        Anybody who may push writes trailers. One that names older notes than were witnessed before takes
        nothing back, so it is in neither list.
        """
        chain = array("i")
        beside: list[tuple[int, Notes]] = []
        newest = ""
        parents: Mapping[str, Sequence[str]] = {}
        if self._notes is not None and len(self.points) > _MANY:
            with suppress(RepositoryError):  # what cannot be read is told of where it is needed
                parents = program.parents_of(self._repository, self._notes)
        for place in range(len(self.points)):
            named = self._named(place)
            if (
                named is None
                or named == newest
                or not (named in parents or self._repository.has_commit(named))
            ):
                continue
            if not newest or _follows(named, newest, parents) or self._repository.is_ancestor(newest, named):
                chain.append(place)
                newest = named
            elif not self._repository.is_ancestor(named, newest):
                beside.append((place, Notes(self._repository, named)))
        return _Chain(self._repository, self._named, chain), beside

    def _named(self, place: int) -> str | None:
        """The notes that the point at a place witnesses."""
        points = self.points
        return points.witnesses(place) if isinstance(points, Points) else points[place].witnesses

    # -- how it is read ----------------------------------------------------------------------

    def _walk(self, line: Points, commits: list[str]) -> None:
        """Oldest first, which is the last of the commits; they are used up:

        1. the introduction's policy is trusted, because the introduction is pinned;
        2. a policy folder that is not the one before it must be approved (`_succession`);
        3. from an unapproved one on no policy is in force, until the last approved one is back or its
           successor is approved;
        4. what a merge brings may have succeeded already, on its side; then it holds for all that the line
           did beside it, too (`_overtake`).
        """
        moment = dt.datetime.min.replace(tzinfo=dt.UTC)
        in_force: Policy | None = None
        approved: Policy | None = None
        tree = approvals = before = now = beside = ""
        # Most commits change what is below changes/ only.
        frame: tuple[bytes, bytes] | None = None
        # Of each place, and of each commit beside the line: the policy approved there, and by whom.
        states: list[_State] = []
        beside_it: dict[str, _State] = {}
        while commits:
            place, commit, last = len(line), commits.pop(), before
            before = commit
            read = self._repository.outline(commit)
            if moment - read.time > CLOCKS_DIFFER:
                self._find_ahead(commit, moment)
            moment = max(moment, read.time)
            line.append(Point(commit, in_force, moment, trailer_of(read.message)))
            brought: tuple[str, ...] = ()
            if place and len(read.parents) > 1 and approved is not None:  # 4.
                for parent in read.parents[1:]:
                    side = self._side(last, parent, states, beside_it)
                    if side is not None and side[0].version > approved.version:
                        approved, brought = side
                        self._overtake(line, parent, approved, moment)
                        # Whatever folder the merge has, it is looked at as one that follows this policy.
                        in_force, tree = None, ""
            if frame is None or not self._repository.fits(read.tree, frame):
                now, beside = self._folder(read.tree, policies.ROOT), self._folder(read.tree, APPROVALS)
                frame = self._repository.frame(read.tree, identifiers.ROOT)
            if place and (now == tree and (in_force is not None or beside == approvals)):
                same = states[-1]
                if same is None or same[0] is not approved or same[1]:
                    same = (approved, ()) if approved else None
                states.append(same)
                continue
            # An unapproved one is looked at again when approvals are put beside it.
            tree, approvals = now, beside
            if not place:  # 1.
                in_force, found = self._policies.at(commit)
                by: tuple[str, ...] = ()
            elif approved is not None and now == approved.tree:  # 3. and 4.
                in_force, found, by = approved, (), brought
            else:  # 2.
                in_force, found, by = self._succession(commit, now, approved, moment)
            approved = in_force or approved
            if in_force is not None:
                self._home[in_force.tree] = commit
            self.reigns.append(Reign(commit, tree, in_force, by, found))
            states.append((approved, by) if approved else None)

    def _side(
        self, first: str, parent: str, states: Sequence[_State], beside_it: dict[str, _State]
    ) -> _State:
        """The last policy that was approved on the way to a merge's other parent, and by whom.

        Each commit beside the line starts from the highest version that its parents have, and may follow it
        by the very rules of the line.
        """

        def state_of(commit: str) -> _State:
            place = self._place.get(commit)
            return beside_it.get(commit) if place is None or place >= len(states) else states[place]

        beside = [
            commit
            for commit in self._repository.ancestors(parent, (first,))
            if commit not in self._place and commit not in beside_it
        ]
        folders: dict[str, tuple[str, str]] = {}
        for commit in reversed(beside):
            read = self._repository.outline(commit)
            folders[commit] = self._folder(read.tree, policies.ROOT), self._folder(read.tree, APPROVALS)
            known = [state for p in read.parents if (state := state_of(p)) is not None]
            best = max(known, key=lambda state: state[0].version, default=None)
            if (
                best is not None
                and folders[commit][0] != best[0].tree
                and all(folders.get(p) != folders[commit] for p in read.parents)
            ):
                loaded, _, by = self._succession(commit, folders[commit][0], best[0], read.time)
                if loaded is not None:
                    best = loaded, by
                    self._home.setdefault(loaded.tree, commit)
            beside_it[commit] = best
        return state_of(parent)

    def _overtake(self, line: Points, parent: str, policy: Policy, moment: dt.datetime) -> None:
        """What the line did beside the commits that a merge brought counts as done under their policy.

        Otherwise a dropped key could sign today, be witnessed on a commit that starts before it was dropped, and
        come before the branch of record by a merge whose first parent that is.
        """
        for place in range(len(line) - 1, -1, -1):
            if self._repository.is_ancestor(line[place].commit, parent):
                return
            line.change(place, policy, moment)

    def _find_ahead(self, commit: str, moment: dt.datetime) -> None:
        """Which commit set the line's clock so far ahead that this one is behind it; told once for each."""
        culprit = self.points[bisect_left(self.points, moment, key=lambda point: point.moment)].commit
        if all(culprit[:12] not in finding.message for finding in self.clock_findings):
            self.clock_findings.append(
                Finding(
                    "main.clock-ahead",
                    f"commit {culprit[:12]} claims to be of {moment:%Y-%m-%d}, later than {commit[:12]} after it; "
                    "everything from there on counts as made no earlier, for keys and waivers that end",
                    "clocks and dates of commits are claims; ask who made it",
                    "warning",
                )
            )

    def _folder(self, tree: str, name: str) -> str:
        entry = self._repository.child(tree, name)
        return entry.id if entry is not None and entry.is_tree else ""

    def _succession(
        self, commit: str, tree: str, approved: Policy | None, moment: dt.datetime
    ) -> tuple[Policy | None, tuple[Finding, ...], tuple[str, ...]]:
        """Whether a new policy folder may take over:

        1. there is a policy before it, and this one can be read;
        2. its version is exactly one higher;
        3. the `root` role's threshold of the policy *before* it signed this very folder.
        """
        path = f"{policies.ROOT}/{policies.POLICY_FILE}"

        def refused(code: str, message: str, hint: str) -> tuple[None, tuple[Finding, ...], tuple[str, ...]]:
            whole = f"commit {commit[:12]} changed the policy: {message}; nothing decided under it counts"
            return None, (Finding(code, whole, hint, path=path),), ()

        # 1.
        if approved is None:
            return refused(
                "policy.no-predecessor", "there is no readable policy before it", "restore the first one"
            )
        back = f"`git checkout {self._home[approved.tree][:12]} -- policy` brings the last approved one back"
        loaded, found = self._policies.of_tree(tree) if tree else (None, ())
        if loaded is None:
            reasons = "; ".join(f.message for f in found) or "the folder is gone"
            return refused("policy.unreadable", reasons, back)
        # 2.
        if loaded.version != approved.version + 1:
            return refused(
                "policy.version",
                f"it has version {loaded.version}, which does not follow {approved.version}",
                f"each version is exactly one higher; {back}",
            )
        # 3.
        lines = self._approvals(commit, loaded.version)
        by = self.approving(lines, loaded, approved, moment)[0]
        root = approved.file.roles.get(ROOT_ROLE)
        if root is None or len(by) < root.threshold:
            needed = root.threshold if root else "a root role and its threshold"
            return refused(
                "policy.unapproved",
                f"version {loaded.version} is approved by {', '.join(by) or 'nobody'} of the {needed} needed",
                "`gitchange policy approve` by the members of root, then `gitchange policy adopt`; " + back,
            )
        return loaded, (*found, *self._strange(lines, commit, loaded, approved, moment)), by

    def _approvals(self, commit: str, version: int) -> tuple[bytes, ...]:
        """The envelopes that stand beside a policy version in the commit that brought it."""
        entry = self._repository.entry(self._repository.tree_of(commit), f"{APPROVALS}/{version}.jsonl")
        if entry is None or not entry.is_file:
            return ()
        return split(self._repository.blob(entry.id))

    def _strange(
        self, lines: tuple[bytes, ...], commit: str, loaded: Policy, approved: Policy, moment: dt.datetime
    ) -> Iterator[Finding]:
        """Lines beside an approved policy that are no approval of it: told, so that none is skipped in silence."""
        authenticator = Authenticator(self._repository, self._introduction, approved, moment)
        text = policy_text(self._repository, loaded.tree, loaded.version)
        for line in lines:
            judged = authenticator.authenticate(line, text)
            if isinstance(judged, Doubt):
                reason = judged.finding.message
            elif judged.step != "policy" or judged.role != ROOT_ROLE or ROOT_ROLE not in (judged.held or ()):
                reason = f"{described(line)} is no approval by a member of {ROOT_ROLE}"
            else:
                continue
            yield Finding(
                "policy.strange-approval",
                f"among the approvals that commit {commit[:12]} brought: {reason}",
                "the policy has approvals enough without it; ask who made that commit",
                "warning",
                f"{APPROVALS}/{loaded.version}.jsonl",
            )

    def approving(
        self, lines: tuple[bytes, ...], loaded: Policy, approved: Policy, moment: dt.datetime
    ) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
        """Who of `root` approved a policy by these lines, and the lines that say so: persons are counted once."""
        authenticator = Authenticator(self._repository, self._introduction, approved, moment)
        text = policy_text(self._repository, loaded.tree, loaded.version)
        by: dict[str, bytes] = {}
        for line in lines:
            judged = authenticator.authenticate(line, text)
            if isinstance(judged, Doubt) or judged.step != "policy" or judged.role != ROOT_ROLE:
                continue
            if judged.by in approved.members(ROOT_ROLE):
                by.setdefault(judged.by, line)
        return tuple(by), tuple(by.values())


class WitnessedAuthenticator:
    """Authenticates each sign-off under the policy in force where it was first witnessed.

    DESIGN.md section 4, rule 2: a claimed time decides nothing. What no commit of the branch of record has witnessed
    yet is judged by the policy, and at the moment, that are given.
    """

    def __init__(
        self,
        repository: Repository,
        timeline: Timeline,
        introduction: str,
        policy: Policy,
        moment: dt.datetime,
        *,
        here: str | None = None,
        first: Callable[[str, str], Point | None] | None = None,
        with_order: bool = True,
    ) -> None:
        """`here` is the commit that witnesses what nothing before it did: the one that holds the record.

        `first` stands in for `Timeline.witness` where somebody knows already what each commit of the notes brought;
        `with_order` is the Authenticator's.
        """
        self._repository, self._timeline, self._introduction = repository, timeline, introduction
        self._first = first or timeline.witness
        self._with_order = with_order
        self._policy, self._moment, self._here = policy, moment, here
        self._compromised = timeline.policy.file.compromised if timeline.policy else ()
        self._known: dict[str, Authenticator] = {}
        self._judged: dict[tuple[bytes, Text], SignOff | Doubt] = {}

    def otherwise(self, policy: Policy, moment: dt.datetime, here: str | None) -> WitnessedAuthenticator:
        """The same, with another judge of what was not witnessed; what it judges is forgotten with it."""
        other = object.__new__(WitnessedAuthenticator)
        other.__dict__.update(self.__dict__)  # `copy.copy` takes longer to find out that this is all
        other._policy, other._moment, other._here = policy, moment, here
        other._judged = {}
        return other

    def authenticate(self, line: bytes, text: Text) -> SignOff | Doubt:
        """The sign-off, or why it is none; each line is judged once, however often it is asked about."""
        if (line, text) not in self._judged:
            if len(self._judged) > _LINES_KEPT:
                self._judged.clear()
            self._judged[line, text] = self._judge(line, text, Authenticator.authenticate)
        return self._judged[line, text]

    def result(self, line: bytes, commit: str) -> Result | Doubt:
        """The result that is kept on a commit, or why it is none; judged as sign-offs are."""
        return self._judge(line, Text("", "", commit, ""), Authenticator.authenticate_result)

    def _judge(
        self, line: bytes, text: Text, by: Callable[[Authenticator, bytes, Text, Moment], Genuine | Doubt]
    ) -> Genuine | Doubt:
        """Judge a line, in these steps:

        1. find where it was first witnessed, and the policy in force before that commit;
        2. authenticate it under that policy, at that commit's moment;
        3. a key that the policy in force now calls compromised signs nothing from the named commit on.
        """
        # 1.
        names = names_of((line,))
        point = self._first(text.blob, next(iter(names))) if names else None
        policy = point.before if point else self._policy
        moment = point.moment if point else self._moment
        witness = point.commit if point else self._here
        if policy is None:
            message = f"{described(line)} was first witnessed by {witness or ''}, when no approved policy was in force"
            finding = Finding(
                "policy.not-in-force", message, "sign again", "error", text.path, change=text.change
            )
            return Doubt(finding, intact=True)
        # 2.
        if policy.tree not in self._known:
            self._known[policy.tree] = Authenticator(
                self._repository,
                self._introduction,
                policy,
                moment,
                with_order=self._with_order,
                lines_at=self._timeline.lines_at,
            )
        place = self._timeline.place(witness) if witness else None
        judged = by(self._known[policy.tree], line, text, Moment(moment, witness, place))
        if isinstance(judged, Doubt):
            return judged
        # 3.
        for entry in self._compromised:
            if entry.key not in (judged.key, judged.primary):
                continue
            since = self._timeline.place(entry.since)
            if since is None or place is None or place >= since:
                message = f"{described(line)} was made with the key {judged.key}, which is compromised: {entry.reason}"
                hint = "sign again with another key"
                return Doubt(
                    Finding("signer.compromised", message, hint, "warning", text.path, change=text.change),
                    True,
                )
        return judged
