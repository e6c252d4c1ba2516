"""The policy, said in sentences: for the site, and for what a new policy changes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitchange.lifecycle.rules import SignedStep
    from gitchange.model.policy import Deadlines, Demand, Exemption, Freeze, Parameter, Policy, Rule, When

STEPS: tuple[SignedStep, ...] = ("evaluation", "implementation", "validation")
"""The steps of which rules ask something."""

_DONE = {"evaluation": "evaluated", "implementation": "implemented", "validation": "validated"}
_DO = {"evaluation": "evaluate", "implementation": "implement", "validation": "validate"}

_UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week"}

_DEADLINES = {
    "evaluation": "A request is evaluated within {} of its arrival.",
    "implementation": "A change is implemented within {} after the end of its planned window.",
    "validation": "An implementation is validated within {}.",
    "documentation": "A validated change is documented within {}.",
    "emergency_approval": "An emergency change is approved by a second person within {} of its implementation.",
    "emergency_validation": "An emergency change is validated within {} of its implementation.",
}

_WAIVED = {
    "evaluator-is-requester": "The requester of a change may evaluate it.",
    "evaluator-is-author": "The author of a change's text may evaluate it.",
    "validator-is-implementer": "The implementer of a change may validate it.",
}


def _or(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`; `nobody` when there are none."""
    given = tuple(words)
    return f"{', '.join(given[:-1])} and {given[-1]}" if len(given) > 1 else "".join(given) or "nobody"


def applies_to(rule: Rule, policy: Policy) -> str:
    """To which changes a rule applies."""
    return which(rule.when, policy)


def which(when: When, policy: Policy) -> str:
    """The changes for which the conditions hold."""
    words = "Every change"
    if when.types is not None:
        words = f"Every {_or(when.types)} change" if when.types else "No change"
    if when.risk is not None:
        words += f" of {_or(when.risk)} risk" if when.risk else " of no risk level"
    if when.systems is not None:
        names = tuple(policy.systems[s].name if s in policy.systems else s for s in when.systems)
        words += f" to {_or(names)}" if names else " to no system"
    if when.environments is not None:
        words += f" in {_or(when.environments)}" if when.environments else " in no environment"
    if when.customer_data is not None:
        words += (
            " that touches customer information"
            if when.customer_data
            else " that touches no customer information"
        )
    return words


def demands(rule: Rule) -> tuple[tuple[str, str], ...]:
    """What a rule asks of each step, as (step, sentence)."""
    asked: list[tuple[str, str]] = []
    for step in STEPS:
        demand: Demand | None = getattr(rule, step)
        if demand is not None:
            persons = "one person" if demand.approvals == 1 else f"{demand.approvals} persons"
            asked.append((step, f"{_DONE[step]} by {persons} as {demand.role}"))
    return tuple(asked)


def whole_rule(rule: Rule, policy: Policy) -> str:
    """To which changes a rule applies and what it asks, in one sentence without its end."""
    asked = listed(sentence for _, sentence in demands(rule)) if demands(rule) else "bound by nothing"
    return f"{applies_to(rule, policy)} is {asked}"


def powers(policy: Policy, role: str) -> dict[str, tuple[str, ...]]:
    """What a role lets its holders do: a verb, and the names of the rules (or freezes) by which they may."""
    may: dict[str, tuple[str, ...]] = {}
    for step in STEPS:
        asking = [r.name for r in policy.file.rules if (d := getattr(r, step)) is not None and d.role == role]
        if asking:
            may[_DO[step]] = tuple(asking)
    lifting = [f.name for f in policy.file.freezes if f.override is not None and f.override.role == role]
    if lifting:
        may["lift freezes"] = tuple(lifting)
    return may


def length(text: str) -> str:
    """`24h` as `24 hours`."""
    number, unit = int(text[:-1]), _UNITS[text[-1]]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def deadline(name: str, value: str) -> str:
    """One deadline as a sentence; empty for one that has no words of its own."""
    return _DEADLINES[name].format(length(value)) if name in _DEADLINES else ""


def deadlines(limits: Deadlines) -> tuple[str, ...]:
    """Each deadline that is set, as a sentence."""
    return tuple(deadline(name, value) for name in _DEADLINES if (value := getattr(limits, name)) is not None)


def waived(name: str) -> str:
    """What a waiver allows."""
    return _WAIVED[name]


_AGAIN = {"DAILY": "every day", "WEEKLY": "every week", "MONTHLY": "every month", "YEARLY": "every year"}


def freeze_time(freeze: Freeze, policy: Policy) -> str:
    """When a freeze is, on the clocks of its zone."""
    words = f"{freeze.start:%Y-%m-%d %H:%M} to {freeze.end:%Y-%m-%d %H:%M}, {policy.zone_of(freeze)}"
    if freeze.recurrence is None:
        return words
    parts = dict(part.split("=") for part in freeze.recurrence.split(";"))
    alone = len(parts) == 1 or (
        parts["FREQ"] == "WEEKLY" and set(parts) == {"FREQ", "BYDAY"} and "," not in parts["BYDAY"]
    )
    return f"{words}, and {_AGAIN[parts['FREQ']] if alone else f'again by {freeze.recurrence}'}"


def freeze_holds(freeze: Freeze, policy: Policy) -> str:
    """Which changes a freeze holds, and who lifts it, as a sentence."""
    held = which(freeze.when, policy)
    spared = "" if freeze.when.types is not None else ", emergencies excepted,"
    words = f"{held[:1].upper()}{held[1:]} that is planned in it{spared} is not approved"
    if freeze.override is None:
        return f"{words}. Nobody lifts it."
    persons = "one person" if freeze.override.approvals == 1 else f"{freeze.override.approvals} persons"
    return f"{words} unless {persons} as {freeze.override.role} let it through, with a reason."


def bounds(parameter: Parameter) -> str:
    """What a parameter of a standard change model may be."""
    words = "one of " + ", ".join(parameter.choices) if parameter.choices is not None else "a text"
    if parameter.pattern is not None:
        words += f" that matches {parameter.pattern}"
    return words if parameter.required else f"{words}, or left out"


def exempted(exemption: Exemption) -> str:
    """Which commits an exemption is for, as a sentence."""
    words = "Commits"
    if exemption.systems is not None:
        words += f" to {', '.join(exemption.systems)}"
    conditions = []
    if exemption.paths is not None:
        conditions.append(f"change only {', '.join(exemption.paths)}")
    if exemption.authors is not None:
        conditions.append(f"are by {', '.join(exemption.authors)}")
    if exemption.subject is not None:
        conditions.append(f"are called {exemption.subject}")
    return f"{words} that {' and '.join(conditions)} need no change."
