"""What a policy would change against another, in words: who may do more or less, which rules ask for what.

Pure: two policies in, sentences out. It says effects, not lines of text, and it leaves nothing out:

1. every field in which the policies differ is found by walking the models (`gitchange.lifecycle.deltas`);
2. each part of the policy says what its differences mean, and names the fields that it explained;
3. what nobody explained is said field by field, so that a field which is added later is told as well;
4. powers come first, then rules, then the rest.

A difference is marked `weaker` or `stronger` only where that is sure while everything else stays as it is: fewer
approvals are weaker; a new rule is stronger where another rule asked for the same steps before (where none did,
nobody could act at all, and a rule makes it possible). Which open changes a policy would touch is told by
`gitchange.assessment.forecast`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from gitchange.lifecycle.deltas import ABSENT, Item, deltas, dotted, named
from gitchange.lifecycle.policy_words import (
    STEPS,
    deadline,
    exempted,
    length,
    listed,
    powers,
    waived,
    which,
    whole_rule,
)
from gitchange.model.change import RISK_LEVELS
from gitchange.model.part import Part
from gitchange.model.policy import (
    RECORDER_ROLE,
    ROOT_ROLE,
    SIGNERS_FILE,
    CompromisedKey,
    CustomField,
    Deadlines,
    Exemption,
    Freeze,
    Role,
    Rule,
    StandardModel,
    System,
    Waiver,
    When,
    duration,
)
from gitchange.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from typing import Any

    from gitchange.lifecycle.deltas import Delta, Identities, Path
    from gitchange.lifecycle.rules import SignedStep
    from gitchange.model.policy import (
        Demand,
        Policy,
    )

Kind = Literal[
    "people",
    "root",
    "keys",
    "rules",
    "freezes",
    "waivers",
    "exemptions",
    "models",
    "deadlines",
    "systems",
    "fields",
    "other",
]
"""Which part of the policy differs."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Weight = Literal["power", "rule", "other"]
"""Who may do what; what is asked of changes; everything else."""
WEIGHTS: tuple[Weight, ...] = get_args(Weight)

Strength = Literal["weaker", "stronger", ""]

HEADINGS: Mapping[Weight, str] = {
    "power": "Who may do what",
    "rule": "What is asked of changes",
    "other": "Everything else",
}

_POWERS: frozenset[Kind] = frozenset({"people", "root", "keys"})
_REST: frozenset[Kind] = frozenset({"fields", "other"})
_LONGEST = 200
_RESERVED = {
    ROOT_ROLE: "approve policies (root)",
    RECORDER_ROLE: f"keep results of coverage and gate ({RECORDER_ROLE})",
}
"""What the roles are good for that have a meaning of their own."""
"""Characters of a text that a sentence quotes; the file itself has the rest."""


class Difference(Value):
    """One thing that the new policy changes."""

    kind: Kind
    weight: Weight
    sentence: str
    """What it means, in English, without a full stop. Names and texts in it come from the policies."""
    who: tuple[str, ...] = ()
    """The persons who gain or lose by it, where it is about persons."""
    strength: Strength = ""
    """Whether the policy asks for less or for more by it; empty where that is not sure."""
    keys: tuple[str, ...] = ()
    """The fields that differ, e.g. `roles.root.threshold`; empty for what follows from other fields."""

    def as_json(self) -> dict[str, Any]:
        """The documented JSON shape."""
        return {
            "kind": self.kind,
            "weight": self.weight,
            "sentence": self.sentence,
            "who": list(self.who),
            "strength": self.strength or None,
            "keys": list(self.keys),
        }


def differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """Everything that `after` changes against `before`; nothing exactly when they say the same.

    The trees' ids are no part of what a policy says.
    """
    return _Telling(before, after).told()


def in_short(found: Collection[Difference]) -> str:
    """How many differences of each weight, e.g. `2 of who may do what, 1 of what is asked of changes`."""
    counts = [(HEADINGS[w].lower(), sum(1 for d in found if d.weight == w)) for w in WEIGHTS]
    words = ", ".join(f"{count} of {name}" for name, count in counts if count)
    weaker = sum(1 for d in found if d.strength == "weaker")
    return (words or "no difference") + (f"; {weaker} make(s) it weaker" if weaker else "")


def wider(one: When, other: When) -> bool:
    """Whether `one` surely holds for every change for which `other` does."""
    for name in When.model_fields:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is None or mine == theirs:
            continue
        if not (isinstance(mine, tuple) and isinstance(theirs, tuple) and set(theirs) <= set(mine)):
            return False
    return True


_FILE = "file"
_IDENTITIES: Identities = {
    Waiver: lambda w: " ".join(
        [w.waives, *(f"for {', '.join(names)}" for names in (w.systems, w.types) if names)]
    )
}

Entry = TypeVar("Entry", bound=Part)


class _Telling:
    """One comparison; its methods are the steps that the module's head names."""

    def __init__(self, before: Policy, after: Policy) -> None:
        self.before, self.after = before, after
        # 1. Every field that differs.
        self.all: dict[Path, Delta] = {
            delta.path: delta for delta in deltas(before, after, _IDENTITIES) if delta.path != ("tree",)
        }
        self.inside: dict[Path, list[Path]] = {}
        for path in self.all:
            for size in range(1, len(path) + 1):
                self.inside.setdefault(path[:size], []).append(path)
        self.explained: set[Path] = set()
        self.found: list[Difference] = []

    def told(self) -> tuple[Difference, ...]:
        """All differences, in reading order."""
        # 2. The parts that have words of their own.
        if self.all:
            for part in (
                self._people,
                self._root,
                self._keys,
                self._compromised,
                self._rules,
                self._freezes,
                self._waivers,
                self._exemptions,
                self._models,
                self._deadlines,
                self._systems,
                self._fields,
                self._place,
            ):
                part()
            # 3. What nobody explained.
            self._rest()
        # 4. The order; within one part it is that of telling.
        self.found.sort(key=lambda d: (WEIGHTS.index(d.weight), KINDS.index(d.kind)))
        return tuple(self.found)

    # -- telling -----------------------------------------------------------------------------

    def _say(
        self,
        kind: Kind,
        sentence: str,
        explains: Iterable[Path] = (),
        *,
        who: Iterable[str] = (),
        strength: Strength = "",
        weight: Weight | None = None,
    ) -> None:
        fields = [path for path in dict.fromkeys(explains) if path in self.all]
        self.explained.update(fields)
        heavy = weight or ("power" if kind in _POWERS else "other" if kind in _REST else "rule")
        inner = {path for path in fields if any(path[:size] in fields for size in range(1, len(path)))}
        keys = tuple(_key_of(path) for path in fields if path not in inner)
        persons = tuple(_line(person) for person in who)
        self.found.append(Difference(kind, heavy, _line(sentence), persons, strength, keys))

    def _below(self, path: Path) -> list[Path]:
        """The differences in that part of the policy, itself included."""
        return self.inside.get(path, [])

    def _entries(
        self, place: Path, kind: type[Entry]
    ) -> Iterator[tuple[Path, str, Entry | None, Entry | None]]:
        """Entries of a table or list that are new, gone or changed: path, name, before, after."""
        old, new = _at(self.before, place), _at(self.after, place)
        names = dict.fromkeys(path[len(place)] for path in self._below(place) if len(path) > len(place))
        for name in names:
            was, now = _entry(old, name), _entry(new, name)
            yield (
                (*place, name),
                str(name),
                was if isinstance(was, kind) else None,
                now if isinstance(now, kind) else None,
            )

    def _also(self, path: Path, *explained: Path) -> tuple[str, list[Path]]:
        """What else there is to say about a new entry, field by field, and the paths that this explains."""
        below = self._below(path)
        told = [path + more for more in explained]
        rest = [leaf for leaf in self._leaves(path) if not any(leaf[: len(t)] == t for t in told)]
        words = "; ".join(f"{_key_of(leaf[len(path) :])}: {_value(self.all[leaf].after)}" for leaf in rest)
        return (f"; {words}" if words else ""), below

    def _leaves(self, path: Path) -> list[Path]:
        """The differences in that part of the policy that have no others inside them."""
        below = self._below(path)
        return [one for one in below if not any(o != one and o[: len(one)] == one for o in below)]

    # -- 2. powers ---------------------------------------------------------------------------

    def _people(self) -> None:
        """Who joins and leaves; for each role who gains or loses it, and what it lets them do."""
        before, after = self.before, self.after
        joined = [p for p in after.requesters if p not in before.requesters]
        left = [p for p in before.requesters if p not in after.people]
        turned = [p for p in before.requesters if p in after.people and p not in after.requesters]
        if joined:
            words = "held no role before" if len(joined) == 1 else "held no roles before"
            self._say("people", f"{listed(joined)} {words}: may now request and document changes", who=joined)
        if left:
            verb = "holds no role" if len(left) == 1 else "hold no roles"
            self._say(
                "people",
                f"{listed(left)} {verb} any more: can no longer request and document changes",
                who=left,
            )
        if turned:
            words = f"{listed(turned)} can no longer request and document changes: a {RECORDER_ROLE} only keeps results"
            self._say("people", words, who=turned)
        for path, role, was, now in self._entries((_FILE, "roles"), Role):
            members = (*path, "members")
            if was is None and now is not None:
                self._say("people", f"new role {role}, held by {listed(now.members)}", (path, members))
            elif now is None and was is not None:
                self._say("people", f"the role {role} is gone", self._below(path), who=was.members)
        for role in dict.fromkeys((*before.file.roles, *after.file.roles)):
            self._power(role)
        for path, role, was, now in self._entries((_FILE, "roles"), Role):
            if was and now and was.threshold != now.threshold and role != ROOT_ROLE:
                self._say(
                    "people",
                    f"the threshold of {role} is {now.threshold} instead of {was.threshold}; "
                    "only that of root decides anything",
                    [(*path, "threshold")],
                    weight="other",
                )

    def _power(self, role: str) -> None:
        """Who gains or loses a role, and what those who keep it may do more or less."""
        old, new = self.before.members(role), self.after.members(role)
        could, may = powers(self.before, role), powers(self.after, role)
        members: Path = (_FILE, "roles", role, "members")
        if gaining := [p for p in new if p not in old]:
            gains = "gains" if len(gaining) == 1 else "gain"
            what = f"may {_powers(role, may)}" if role in _RESERVED or may else _idle(role)
            self._say("people", f"{listed(gaining)} {gains}: {what}", [members], who=gaining)
        if losing := [p for p in old if p not in new]:
            loses = "loses" if len(losing) == 1 else "lose"
            what = f"can no longer {_powers(role, could)}" if role in _RESERVED or could else _idle(role)
            self._say("people", f"{listed(losing)} {loses}: {what}", [members], who=losing)
        if staying := [p for p in old if p in new]:
            more = {verb: names for verb, names in may.items() if verb not in could}
            less = {verb: names for verb, names in could.items() if verb not in may}
            if more:
                gains = "gains" if len(staying) == 1 else "gain"
                words = f"{listed(staying)} {gains}: may now {_powers('', more, role)}"
                self._say("people", words, who=staying)
            if less:
                loses = "loses" if len(staying) == 1 else "lose"
                words = f"{listed(staying)} {loses}: can no longer {_powers('', less, role)}"
                self._say("people", words, who=staying)

    def _root(self) -> None:
        """How many of root decide about the policy."""
        old, new = (policy.file.roles.get(ROOT_ROLE) for policy in (self.before, self.after))
        explains: list[Path] = [(_FILE, "roles", ROOT_ROLE, "threshold")]
        was = f"{old.threshold} of {len(old.members)}" if old and old.members else ""
        now = f"{new.threshold} of {len(new.members)}" if new and new.members else ""
        if was == now:
            return
        if not new or not now:
            words = (
                "nobody can approve a policy any more: without members of root this one would stay for ever"
            )
            self._say("root", words, explains)
            return
        words = f"a policy change now needs {now} root members"
        words += f" instead of {was}" if was else "; before, nobody could change the policy"
        if new.threshold == 1:
            anyone = new.members[0] if len(new.members) == 1 else f"any single one of {listed(new.members)}"
            words += f": {anyone}{' alone' if len(new.members) == 1 else ''} can change everything"
        strength: Strength = ""
        if old and was:
            fewer, more = new.threshold < old.threshold, new.threshold > old.threshold
            if fewer or (not more and set(old.members) < set(new.members)):
                strength = "weaker"
            elif more or set(new.members) < set(old.members):
                strength = "stronger"
        self._say("root", words, explains, who=new.members, strength=strength)

    def _keys(self) -> None:
        """Whose keys may sign."""
        from gitchange.lifecycle.key_diff import key_changes  # noqa: PLC0415 - loads cryptography
        from gitchange.signing.allowed_signers import AllowedSigners  # noqa: PLC0415 - likewise

        path: Path = ("signers",)
        if path in self.all:
            old, new = (AllowedSigners.parse(policy.signers) for policy in (self.before, self.after))
            changes = list(key_changes(old, new))
            for change in changes:
                self._say("keys", change.sentence, [path], who=change.who, strength=change.strength)
            if not changes:
                words = f"{SIGNERS_FILE} is written differently; the keys and what they may do are the same"
                self._say("keys", words, [path], weight="other")
        for other in self._below(("openpgp",)):
            delta = self.all[other]
            if len(other) != 2:
                continue
            owner = other[1]
            state = "new" if delta.before is ABSENT else "gone" if delta.after is ABSENT else "another one"
            words = f"the OpenPGP certificate of {owner} is {state}"
            if isinstance(delta.after, bytes):
                words += f" ({_value(delta.after)})"
            self._say("keys", words, [other], who=[owner])
        if path in self.all or self._below(("openpgp",)):
            old, new = (AllowedSigners.parse(policy.signers) for policy in (self.before, self.after))
            for person in self.after.signing_people:
                if _has_key(person, old, self.before) and not _has_key(person, new, self.after):
                    self._say("keys", f"{person} has no key any more and can sign nothing", who=[person])

    def _compromised(self) -> None:
        """Keys whose sign-offs are void."""
        place: Path = (_FILE, "compromised")
        for path, key, was, now in self._entries(place, CompromisedKey):
            whose = self._owners(key)
            subject = f"the key {key}{f' of {listed(whose)}' if whose else ''}"
            if was is None and now is not None:
                also, explains = self._also(path, ("key",), ("since",), ("reason",))
                words = (
                    f"{subject} counts as compromised: what it signed from commit {now.since[:12]} on is void"
                )
                words += f" ({_quoted(now.reason)}){also}"
                self._say("keys", words, explains, who=whose, strength="stronger")
            elif now is None:
                words = f"{subject} no longer counts as compromised: what it signed counts again"
                self._say("keys", words, self._below(path), who=whose, strength="weaker")
            elif was is not None and was.since != now.since:
                words = f"{subject} counts as compromised from commit {now.since[:12]} on instead of {was.since[:12]}"
                self._say("keys", words, [(*path, "since")], who=whose)

    def _owners(self, fingerprint: str) -> tuple[str, ...]:
        from gitchange.signing.allowed_signers import AllowedSigners  # noqa: PLC0415 - loads cryptography

        entries = [e for p in (self.before, self.after) for e in AllowedSigners.parse(p.signers).entries]
        return tuple(dict.fromkeys(e.principals for e in entries if e.key.fingerprint == fingerprint))

    # -- 2. rules ----------------------------------------------------------------------------

    def _rules(self) -> None:
        """Rules that are new, gone or changed, by name."""
        place: Path = (_FILE, "rules")
        for path, name, was, now in self._entries(place, Rule):
            if was is None and now is not None:
                steps = [step for step in STEPS if getattr(now, step) is not None]
                also, explains = self._also(path, ("name",), *_when_paths(), *_demand_paths(*STEPS))
                words = f"new rule “{name}”: {whole_rule(now, self.after)}{also}"
                strong = all(_covered(self.before, step, now.when) for step in steps)
                self._say("rules", words, explains, strength="stronger" if strong else "")
            elif now is None and was is not None:
                steps = [step for step in STEPS if getattr(was, step) is not None]
                words = f"the rule “{name}” is gone: {whole_rule(was, self.before)} no more"
                weak = all(_covered(self.after, step, was.when) for step in steps)
                self._say("rules", words, self._below(path), strength="weaker" if weak else "")
            elif was is not None and now is not None:
                self._changed_rule(path, name, was, now)
        if place in self.all:
            self._say(
                "rules", "the rules stand in another order, which decides nothing", [place], weight="other"
            )

    def _changed_rule(self, path: Path, name: str, was: Rule, now: Rule) -> None:
        for step in STEPS:
            old, new = getattr(was, step), getattr(now, step)
            if old == new:
                continue
            self._demand("rules", f"rule “{name}”: {step}", (*path, step), old, new, now.when, step)
        self._condition("rules", f"rule “{name}”", (*path, "when"), was.when, now.when)

    def _demand(
        self,
        kind: Kind,
        what: str,
        path: Path,
        old: Demand | None,
        new: Demand | None,
        when: When,
        step: SignedStep,
    ) -> None:
        explains = [path, (*path, "role"), (*path, "approvals")]
        strength: Strength = ""
        if new is None and old is not None:
            words = f"{what} by {old.approvals} {old.role} is not asked any more"
            strength = "weaker" if _covered(self.after, step, when) else ""
        elif old is None and new is not None:
            words = f"{what} by {new.approvals} {new.role} is asked, and was not before"
            strength = "stronger" if _covered(self.before, step, when) else ""
        elif old is not None and new is not None and old.role != new.role:
            words = f"{what} by {new.approvals} {new.role} instead of {old.approvals} {old.role}"
        elif old is not None and new is not None and old.approvals != new.approvals:
            words = f"{what} by {new.approvals} instead of {old.approvals} {new.role}"
            strength = "weaker" if new.approvals < old.approvals else "stronger"
        else:  # a field of demands that has no words of its own
            return
        self._say(kind, words, explains, strength=strength)

    def _condition(self, kind: Kind, what: str, path: Path, was: When, now: When) -> None:
        """To which changes something applies."""
        names = [name for name in _CONDITIONS if getattr(was, name) != getattr(now, name)]
        if not names:
            return
        old, new = which(was, self.before), which(now, self.after)
        words = f"{what} is for: {new} (before: {old})"
        if old == new:  # the same systems by other names, or the same values in another order
            words = f"{what} is for: {new}, written differently"
        strength: Strength = ""
        if wider(now, was) != wider(was, now) and (
            kind == "freezes" or self._asked_elsewhere(path, was, now)
        ):
            strength = "stronger" if wider(now, was) else "weaker"
        self._say(kind, words, [(*path, name) for name in names], strength=strength)

    def _asked_elsewhere(self, path: Path, was: When, now: When) -> bool:
        """Whether other rules, which stay, ask for the same steps wherever this one did or does."""
        name = path[-2]
        rule = _entry(self.after.file.rules, name)
        wide = was if wider(was, now) else now
        return all(
            _covered(policy, step, wide, but=name)
            for policy in (self.before, self.after)
            for step in STEPS
            if getattr(rule, step, None) is not None
        )

    def _freezes(self) -> None:
        """Times in which nothing is changed."""
        for path, name, was, now in self._entries((_FILE, "freezes"), Freeze):
            if was is None and now is not None:
                told = ("name", "kind", "reason", "start", "end", "zone", "recurrence")
                also, explains = self._also(
                    path, *((field,) for field in told), *_when_paths(), *_demand_paths("override")
                )
                words = f"new {now.kind} freeze “{name}”: {_freeze(now, self.after)}{also}"
                self._say("freezes", words, explains, strength="stronger")
            elif now is None and was is not None:
                words = f"the {was.kind} freeze “{name}” is gone: {_freeze(was, self.before)}"
                self._say("freezes", words, self._below(path), strength="weaker")
            elif was is not None and now is not None:
                self._condition("freezes", f"freeze “{name}”", (*path, "when"), was.when, now.when)
                if was.kind != now.kind:
                    words = f"freeze “{name}” is {now.kind} instead of {was.kind}"
                    explains = [(*path, "kind"), *self._below((*path, "override"))]
                    lifts = f": {_lifting(now.override)}" if now.override else ": nobody can lift it"
                    strength: Strength = "stronger" if now.kind == "hard" else "weaker"
                    self._say("freezes", words + lifts, explains, strength=strength)
                elif was.override and now.override and was.override != now.override:
                    over: Path = (*path, "override")
                    words = f"freeze “{name}”: {_lifting(now.override)} (before: {_lifting(was.override)})"
                    strength = ""
                    if was.override.role == now.override.role:
                        fewer = now.override.approvals < was.override.approvals
                        strength = "weaker" if fewer else "stronger"
                    self._say("freezes", words, [(*over, "role"), (*over, "approvals")], strength=strength)

    def _waivers(self) -> None:
        """Which separation of duties does not hold for a while."""
        for path, _, was, now in self._entries((_FILE, "waivers"), Waiver):
            if was is None and now is not None:
                also, explains = self._also(
                    path, *((field,) for field in ("waives", "reason", "expires", "systems", "types"))
                )
                words = (
                    f"new waiver until {_value(now.expires)}: {_waiver(now)} ({_quoted(now.reason)}){also}"
                )
                self._say("waivers", words, explains, strength="weaker")
            elif now is None and was is not None:
                words = f"a waiver is gone (it was until {_value(was.expires)}): {_waiver(was)}"
                self._say("waivers", words, self._below(path), strength="stronger")
            elif was is not None and now is not None and was.expires != now.expires:
                words = f"a waiver holds until {_value(now.expires)} instead of {_value(was.expires)}: {_waiver(now)}"
                strength: Strength = "weaker" if now.expires > was.expires else "stronger"
                self._say("waivers", words, [(*path, "expires")], strength=strength)

    def _exemptions(self) -> None:
        """Which commits of applications need no change."""
        for path, name, was, now in self._entries((_FILE, "exemptions"), Exemption):
            if was is None and now is not None:
                told = ("name", "reason", "systems", "paths", "authors", "subject", "expires")
                also, explains = self._also(path, *((field,) for field in told))
                until = f" until {_value(now.expires)}" if now.expires is not None else ""
                words = f"new exemption “{name}”{until}: {_exemption(now)} ({_quoted(now.reason)}){also}"
                self._say("exemptions", words, explains, strength="weaker")
            elif now is None and was is not None:
                words = f"the exemption “{name}” is gone: {_exemption(was)}"
                self._say("exemptions", words, self._below(path), strength="stronger")
            elif was is not None and now is not None:
                conditions = [
                    (*path, field)
                    for field in ("systems", "paths", "authors", "subject")
                    if getattr(was, field) != getattr(now, field)
                ]
                if conditions:
                    words = f"exemption “{name}”: {_exemption(now)} (before: {_exemption(was)})"
                    self._say("exemptions", words, [p for c in conditions for p in (c, *self._below(c))])

    def _models(self) -> None:
        """Which changes need no evaluation of their own."""
        for path, name, was, now in self._entries(("models",), StandardModel):
            model = f"standard change model {name}"
            if was is None and now is not None:
                also, explains = self._also(path, ("title",), ("systems",), ("max_risk",))
                where = listed(now.systems) if now.systems is not None else "any system"
                words = f"new {model} ({now.title}): changes of up to {now.max_risk} risk to {where} need no evaluation"
                words += also
                self._say("models", words, explains, strength="weaker")
            elif now is None:
                words = f"the {model} is gone: changes that name it cannot be approved"
                self._say("models", words, self._below(path), strength="stronger")
            else:
                for field in _BOUNDS:
                    if (delta := self.all.get((*path, field))) is not None:
                        words = f"{model}: {field}: {self._changed(delta)}"
                        self._say("models", words, [delta.path], strength=_bound_strength(field, delta))

    def _deadlines(self) -> None:
        """How long things may take."""
        old, new = self.before.file.deadlines, self.after.file.deadlines
        for name in Deadlines.model_fields:
            path: Path = (_FILE, "deadlines", name)
            if path not in self.all:
                continue
            was, now = getattr(old, name), getattr(new, name)
            sentence = deadline(name, now or was).removesuffix(".")
            if not sentence:
                continue
            # An emergency without a deadline for its approval is in debt at once (`judge`).
            none = "at once" if name == "emergency_approval" else "no deadline"
            if now is None:
                words = f"{none} instead of: {sentence}"
            else:
                words = f"{sentence}; before: {length(was) if was else none}"
            self._say("deadlines", words, [path], strength=_deadline_strength(name, old, new))

    def _systems(self) -> None:
        """Systems that are new or gone, and what their customer-data flag switches on and off."""
        for path, key, was, now in self._entries(("systems",), System):
            if was is None and now is not None:
                also, explains = self._also(path, ("name",), ("customer_data",))
                holds = "holds" if now.customer_data else "holds no"
                words = f"new system {key} ({now.name}), which {holds} customer information{also}"
                self._say("systems", words, explains)
            elif now is None:
                words = f"the system {key} is gone: changes that name it cannot be approved"
                self._say("systems", words, self._below(path))
            elif was is not None and was.customer_data != now.customer_data:
                self._customer_data(path, key, now.customer_data)

    def _customer_data(self, path: Path, key: str, holds: bool) -> None:
        rules = self.after.file.rules
        on = [rule for rule in rules if rule.when.customer_data is holds]
        off = [rule for rule in rules if rule.when.customer_data is (not holds)]
        words = f"the system {key} {'now holds' if holds else 'holds no'} customer information"
        words += "" if holds else " any more"
        parts = []
        if on:
            parts.append(f"{_rules_named(on)} now {'applies' if len(on) == 1 else 'apply'} to its changes")
        if off:
            verb = "applies" if len(off) == 1 else "apply"
            parts.append(
                f"{_rules_named(off)} no longer {verb} to its changes, unless another system makes it so"
            )
        strength: Strength = ""
        marks: tuple[tuple[list[Rule], list[Rule], Strength], ...] = (
            (on, off, "stronger"),
            (off, on, "weaker"),
        )
        for one, others, mark in marks:
            if one and not others:
                sure = all(
                    _covered(self.after, step, When(), but=rule.name)
                    for rule in one
                    for step in STEPS
                    if getattr(rule, step) is not None
                )
                strength = mark if sure else ""
        words += f": {', '.join(parts)}" if parts else "; no rule asks about that"
        self._say("systems", words, [(*path, "customer_data")], strength=strength)

    # -- 2. the rest -------------------------------------------------------------------------

    def _fields(self) -> None:
        """The company's own fields of change files."""
        for path, name, was, now in self._entries((_FILE, "custom"), CustomField):
            if was is None and now is not None:
                also, explains = self._also(path, ("type",), ("required",))
                must = ", which every change must give" if now.required else ""
                self._say("fields", f"new field {name} of change files ({now.type}){must}{also}", explains)
            elif now is None:
                words = f"the field {name} of change files is gone: changes that give it cannot be approved"
                self._say("fields", words, self._below(path))
            elif was is not None and now.required != was.required:
                words = "must now give" if now.required else "need not give any more"
                self._say(
                    "fields",
                    f"{'every change' if now.required else 'changes'} {words} the field {name}",
                    [(*path, "required")],
                )

    def _place(self) -> None:
        """Where the record is, in which zone times are, and the number."""
        old, new = self.before.file, self.after.file
        if old.main != new.main:
            words = f"the branch of record is {new.main} instead of {old.main}"
            self._say("other", words, [(_FILE, "main")], weight="power")
        if old.timezone != new.timezone:
            words = f"the time zone is {new.timezone or 'UTC'} instead of {old.timezone or 'UTC'}"
            if (old.timezone or "UTC") == (new.timezone or "UTC"):
                words = "the time zone is UTC, written differently"
            self._say("other", words, [(_FILE, "timezone")])
        if old.version != new.version:
            words = f"the version is {new.version} instead of {old.version}"
            self._say("other", words, [(_FILE, "version")])

    # -- 3. ----------------------------------------------------------------------------------

    def _rest(self) -> None:
        """What has no words of its own: the field, and what it holds instead of what."""
        for path, delta in self.all.items():
            if path in self.explained:
                continue
            below, leaves = self._below(path), self._leaves(path)
            if leaves != [path] and self.explained.issuperset(leaves):
                continue
            kind = _kind_of(path)
            place = _place_of(path)
            if below == [path]:
                words = f"{place}: {self._changed(delta)}"
            elif delta.after is ABSENT or delta.after is None:
                words = f"{place} is gone"
            else:
                fields = "; ".join(f"{_key_of(p[len(path) :])}: {_value(self.all[p].after)}" for p in leaves)
                words = f"{place} is new: {fields or _value(delta.after)}"
            weight: Weight | None = "other" if kind == "systems" and path[-1] != "environments" else None
            self._say(kind, words, below, weight=weight)

    @staticmethod
    def _changed(delta: Delta) -> str:
        old, new = delta.before, delta.after
        if (
            isinstance(old, tuple)
            and isinstance(new, tuple)
            and sorted(map(str, old)) == sorted(map(str, new))
        ):
            return f"{_value(new)}, in another order"
        if old is ABSENT:
            return f"{_value(new)} (not there before)"
        if new is ABSENT:
            return f"not there any more (before: {_value(old)})"
        return f"{_value(new)} instead of {_value(old)}"


# -- words ------------------------------------------------------------------------------------

_CONDITIONS = ("types", "risk", "customer_data", "systems", "environments")
"""The conditions that `policy_words.which` says."""

_BOUNDS = ("systems", "max_risk", "expires", "suspended_after")
"""Fields of a standard change model that bound which changes it lets through."""

_NOUNS = {
    "roles": "role",
    "rules": "rule",
    "freezes": "freeze",
    "waivers": "waiver",
    "exemptions": "exemption",
    "compromised": "compromised key",
    "custom": "field",
    "systems": "system",
    "models": "standard change model",
    "openpgp": "OpenPGP certificate of",
}
_KIND_OF: Mapping[str, Kind] = {
    "roles": "people",
    "rules": "rules",
    "freezes": "freezes",
    "waivers": "waivers",
    "exemptions": "exemptions",
    "compromised": "keys",
    "openpgp": "keys",
    "signers": "keys",
    "models": "models",
    "deadlines": "deadlines",
    "systems": "systems",
    "custom": "fields",
}


def _key_of(path: Path) -> str:
    return dotted(path[1:] if path[:1] == (_FILE,) else path)


def _kind_of(path: Path) -> Kind:
    part = path[1] if path[0] == _FILE and len(path) > 1 else path[0]
    return _KIND_OF.get(part, "other")


def _place_of(path: Path) -> str:
    """`freeze “end of year”: start`; the dotted key where there is no noun for it."""
    inside = path[1:] if path[0] == _FILE else path
    if inside[:1] and inside[0] in _NOUNS and len(inside) > 1:
        name = f"“{inside[1]}”" if isinstance(inside[1], Item) else inside[1]
        rest = dotted(inside[2:])
        return f"{_NOUNS[inside[0]]} {name}" + (f": {rest}" if rest else "")
    return dotted(inside)


def _at(policy: Policy, place: Path) -> Any:
    held: Any = policy
    for name in place:
        held = getattr(held, name)
    return held


def _entry(held: Any, name: str) -> Any:
    """The entry of a table or list that a path names; None when there is none."""
    if isinstance(held, Mapping):
        return held.get(name)
    return named(held, _IDENTITIES).get(Item(name))


def _covered(policy: Policy, step: SignedStep, when: When, *, but: str = "") -> bool:
    """Whether some rule of the policy asks for the step wherever these conditions hold."""
    return any(
        getattr(rule, step) is not None and rule.name != but and wider(rule.when, when)
        for rule in policy.file.rules
    )


def _powers(role: str, may: Mapping[str, tuple[str, ...]], held: str = "") -> str:
    """`evaluate as security (high risk to customer data)`."""
    words = [_RESERVED[role]] if role in _RESERVED else []
    words += [f"{verb} as {held or role} ({'; '.join(names)})" for verb, names in may.items()]
    return listed(words)


def _idle(role: str) -> str:
    return f"the role {role}, which no rule asks for"


def _when_paths() -> tuple[Path, ...]:
    return tuple(("when", name) for name in _CONDITIONS)


def _demand_paths(*fields: str) -> tuple[Path, ...]:
    return tuple((field, name) for field in fields for name in ("role", "approvals"))


def _rules_named(rules: Iterable[Rule]) -> str:
    names = [f"“{rule.name}”" for rule in rules]
    return f"the rule {names[0]}" if len(names) == 1 else f"the rules {listed(names)}"


def _exemption(exemption: Exemption) -> str:
    words = exempted(exemption).removesuffix(".")
    return words[:1].lower() + words[1:]


def _waiver(waiver: Waiver) -> str:
    words = waived(waiver.waives).removesuffix(".")
    words += f", for {listed(waiver.systems)}" if waiver.systems else ""
    return words + (f", for {listed(waiver.types)} changes" if waiver.types else "")


def _freeze(freeze: Freeze, policy: Policy) -> str:
    words = f"{_value(freeze.start)} to {_value(freeze.end)} ({policy.zone_of(freeze)})"
    words += f", again by {freeze.recurrence}" if freeze.recurrence else ""
    words += f", for: {which(freeze.when, policy)}" if freeze.when != When() else ""
    words += f"; {_lifting(freeze.override)}" if freeze.override else ""
    return f"{words} ({_quoted(freeze.reason)})"


def _lifting(override: Demand) -> str:
    return f"{override.approvals} {override.role} can lift it for a change"


def _bound_strength(field: str, delta: Delta) -> Strength:
    """Whether a model lets more changes through without an evaluation; None is no bound."""
    old, new = delta.before, delta.after
    if old is None or new is None:
        return "stronger" if old is None else "weaker"
    if field == "systems":
        return "weaker" if set(old) < set(new) else "stronger" if set(new) < set(old) else ""
    if field == "max_risk":
        old, new = RISK_LEVELS.index(old), RISK_LEVELS.index(new)
    return "weaker" if new > old else "stronger"


def _deadline_strength(name: str, old: Deadlines, new: Deadlines) -> Strength:
    was, now = getattr(old, name), getattr(new, name)
    if name == "emergency_validation":  # without one of its own, that of every validation serves
        was, now = was or old.validation, now or new.validation
    if name == "emergency_approval":  # without one, an emergency is in debt at once
        was, now = was or "0", now or "0"
    lengths = [dt.timedelta.max if text is None else _length(text) for text in (was, now)]
    if lengths[0] == lengths[1]:
        return ""
    return "weaker" if lengths[1] > lengths[0] else "stronger"


def _length(text: str) -> dt.timedelta:
    return dt.timedelta() if text == "0" else duration(text)


def _has_key(person: str, signers: Any, policy: Policy) -> bool:
    listed_key = any(entry.matches_principal(person) for entry in signers.entries)
    return listed_key or person in policy.openpgp


def _line(text: str) -> str:
    """One line that can be printed, whatever a text of the policies holds."""
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode("utf-8")


def _quoted(text: str) -> str:
    """A text on one line, shortened where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _value(value: Any) -> str:
    """What a field holds, as words."""
    if value is None or value == ():
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        exact = "seconds" if value.second or value.microsecond else "minutes"
        return value.isoformat(" ", exact).replace("+00:00", " UTC")
    if isinstance(value, bytes):
        return f"SHA-256 {hashlib.sha256(value).hexdigest()[:16]}"
    if isinstance(value, tuple | list):
        return _quoted(", ".join(_value(one) for one in value))
    if isinstance(value, Part):
        shown = ((name, getattr(value, name)) for name in type(value).model_fields)
        return "; ".join(f"{name}: {_value(held)}" for name, held in shown if held is not None)
    return _quoted(str(value))
