"""The policy, said in sentences."""

from __future__ import annotations

from gitchange.model.policy import Deadlines, Policy, Rule

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


def applies_to(rule: Rule, policy: Policy) -> str:
    """To which changes a rule applies."""
    when, words = rule.when, "Every change"
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
    asked = []
    for step, verb in (
        ("evaluation", "evaluated"),
        ("implementation", "implemented"),
        ("validation", "validated"),
    ):
        demand = getattr(rule, step)
        if demand is not None:
            persons = "one person" if demand.approvals == 1 else f"{demand.approvals} persons"
            asked.append((step, f"{verb} by {persons} as {demand.role}"))
    return tuple(asked)


def length(text: str) -> str:
    """`24h` as `24 hours`."""
    number, unit = int(text[:-1]), _UNITS[text[-1]]
    return f"{number} {unit}{'' if number == 1 else 's'}"


def deadlines(limits: Deadlines) -> tuple[str, ...]:
    """Each deadline that is set, as a sentence."""
    return tuple(
        sentence.format(length(value))
        for name, sentence in _DEADLINES.items()
        if (value := getattr(limits, name)) is not None
    )


def waived(name: str) -> str:
    """What a waiver allows."""
    return _WAIVED[name]
