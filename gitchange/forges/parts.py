"""From the headings of a text to the parts of a request: what each heading gives, and what no heading gave.

Pure. Only what the text says is taken: nothing is guessed, rated or filled in, and every part that a request must have
and that the text does not have is named, with its place. docs/importing.md has the rules in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gitchange.forges import markdown
from gitchange.forges.markdown import Heading, Item, Outline, plain
from gitchange.model.change import IMPACTS, LIKELIHOODS
from gitchange.model.finding import Finding, in_order
from gitchange.values import Value

_FORMS: dict[str, str] = {
    "reason": "Reason, Summary, Problem, Motivation, Why, Problem statement, Why is it needed, Why is this "
    "needed, Why we need it, Rationale, Background, Context, Purpose, Goal, Goals, Overview, "
    "Description, Root cause, Root causes",
    "scope": "Scope, Changes, What, What changed, Change, What changes, What has changed, Changes made, "
    "Proposed changes, List of changes, Summary of changes, Solution, Proposal, Features, "
    "Features implemented, Files modified, Files changed, What does this MR do, What does this PR "
    "do, What does this merge request do, What does this pull request do, What this PR does",
    "steps": "Steps, Deployment, How to deploy, Rollout, Implementation steps, Deployment steps, "
    "Deployment plan, Deploy, Rollout plan, Rollout steps, Roll-out plan, Release plan, Release "
    "steps, Implementation plan, Migration, Migration plan, Migration steps, Upgrade steps",
    "risks": "Risks, Risks and mitigations, Risk assessment, Risk, Risk and mitigation, Risk analysis, "
    "Known risks",
    "rollback": "Rollback, Rollback plan, Back-out plan, Revert plan, Roll-back, Rollback steps, Rollback "
    "procedure, How to roll back, Back-out, Backout, Backout plan, Revert, How to revert, "
    "Recovery plan",
    "test_plan": "Test plan, Testing, How to test, Validation, Tests, Testing plan, Testing performed, Testing "
    "done, Testing coverage, Test coverage, Testing strategy, Testing instructions, How to "
    "verify, How to validate, How was this tested, How has this been tested, How to set up and "
    "validate locally, Validation plan, Validation steps, Verification, Verification plan, "
    "Verification steps, QA",
    "security_impact": "Security, Security impact, Security considerations, Security implications, Security risks, "
    "Impact on security",
    "privacy_impact": "Privacy, Privacy impact, Privacy considerations, Data protection, Impact on privacy",
    "communication": "Communication, Communication plan, Announcement",
    "systems": "Systems, System, Affected systems, Affected system, Systems affected",
    "environments": "Environments, Environment, Affected environments",
    "type": "Type of change, Change type",
}
"""By part, the headings that give it; of several the first is the one to recommend."""

_JOINED: dict[str, tuple[str, ...]] = {
    "What and why": ("scope", "reason"),
    "Why and what": ("scope", "reason"),
    "What does this MR do and why": ("scope", "reason"),
    "What does this PR do and why": ("scope", "reason"),
    "What does this merge request do and why": ("scope", "reason"),
    "What does this pull request do and why": ("scope", "reason"),
    "What this PR does and why we need it": ("scope", "reason"),
    "What this PR does / why we need it": ("scope", "reason"),
    "Security and privacy": ("security_impact", "privacy_impact"),
    "Security / privacy": ("security_impact", "privacy_impact"),
    "Privacy and security": ("security_impact", "privacy_impact"),
}
"""Headings that give two parts at once, where the text has no heading for one of them alone."""

REQUIRED = ("title", "systems", "reason", "scope", "steps", "risks", "rollback", "test_plan")
"""What a text must say; the other required keys have a value without it (`type`, `requester`)."""

TEXTS = ("reason", "scope", "rollback", "test_plan", "security_impact", "privacy_impact", "communication")
_OPTIONS = {
    "title": "--title",
    "systems": "--system",
    "reason": "--reason",
    "scope": "--scope",
    "steps": "--step",
    "risks": "--risk",
    "rollback": "--rollback",
    "test_plan": "--test-plan",
}

_UNSAID = frozenset(
    ("", "tbd", "todo", "tba", "wip", "fixme", "xxx", "to be defined", "to be done", "fill in")
)
"""What stands for a text that is still to be written."""
_NOTHING = _UNSAID | {"none", "nothing", "n a", "na", "not applicable", "no", "not needed"}
"""What says that there is nothing: no answer where an answer must be given."""

_COLUMNS: dict[str, str] = {
    "description": "risk, risks, description, what may go wrong, what can go wrong, threat, hazard",
    "category": "category, kind, type, area",
    "likelihood": "likelihood, probability, chance",
    "impact": "impact, severity, consequence",
    "mitigations": "mitigation, mitigations, countermeasure, countermeasures, what is done against it",
}
_STEP_COLUMNS = {
    "action": "step, steps, action, what, task",
    "verify": "verify, verification, check, expected, expected result, validation, how to check",
}


_COMPARED = 100
"""How many headings are looked through for one that is like what is missing."""


class Taken(Value):
    """A part, and the heading under which it stands."""

    part: str
    heading: str
    line: int


class Reading(Value):
    """What a text says of a request."""

    fields: dict[str, Any]
    """By key of the change file. A risk may lack keys; then findings name them."""
    taken: tuple[Taken, ...]
    left: tuple[Heading, ...]
    """Headings of which nothing was taken, without those below others that are listed."""
    findings: tuple[Finding, ...]
    """What is missing (errors), and what was not taken of the sections that were (notes). Without a path."""


def headings_of(part: str) -> tuple[str, ...]:
    """The headings that give a part, the recommended one first."""
    return tuple(_FORMS[part].split(", ")) if part in _FORMS else ()


def joined_headings() -> dict[str, tuple[str, ...]]:
    """The headings that give two parts at once."""
    return dict(_JOINED)


def columns_of(part: str) -> dict[str, tuple[str, ...]]:
    """For steps and risks: by key, how a table's column may be called."""
    return {
        key: tuple(said.split(", ")) for key, said in (_COLUMNS if part == "risks" else _STEP_COLUMNS).items()
    }


def normal(heading: str) -> str:
    """A heading for comparing: small letters and digits, without numbering, remarks in parentheses and signs."""
    text = re.sub(r"\([^()]*\)\s*$", "", heading.strip().rstrip(":?!. ")).casefold()
    text = re.sub(r"^\W*[0-9]+(?:\.[0-9]+)*[.)]?\s+", "", text).replace("&", " and ")
    return " ".join(re.sub(r"[^\w]+", " ", text.replace("_", " ")).split())


_PARTS: dict[str, tuple[str, ...]] = {
    **{normal(form): (part,) for part, forms in _FORMS.items() for form in forms.split(", ")},
    **{normal(form): parts for form, parts in _JOINED.items()},
}


def is_nothing(text: str, *, answered: bool = False) -> bool:
    """Whether a text is none: blank, a placeholder or, unless `answered` takes that for an answer, "none"."""
    words = normal(plain(text)) if len(text) < 60 else text
    return words in (_UNSAID if answered else _NOTHING)


def read(text: str, *, title: str | None = None, given: Iterable[str] = ()) -> Reading:
    """What a Markdown text says, in these steps:

    1. its title, unless `title` is one: the first heading, when it stands above all text and all other headings;
    2. which sections give which part (`_sections`);
    3. texts, steps, risks, systems, environments and type from their sections; what is there and cannot be taken
       is named;
    4. what must be there and is not is named, except what is `given` otherwise.

    Never raises for what the text says.
    """
    outline = markdown.outline(text)
    reader = _Reader(outline, frozenset(given))
    # 1.
    first = outline.headings[0] if outline.headings else None
    if title is not None:
        reader.fields["title"] = title.strip()
    elif first is not None and _is_title(outline):
        reader.fields["title"] = first.text
        reader.taken.append(Taken("title", first.text, first.line))
        reader.titled = True
    # 2. and 3.
    reader.sections()
    # 4.
    reader.missing()
    return reader.result()


def _is_title(outline: Outline) -> bool:
    first, *others = outline.headings
    above = any(line.strip() for line in outline.lines[: first.line - 1])
    return (
        not above
        and first.level <= 6
        and bool(first.text)
        and normal(first.text) not in _PARTS
        and all(other.level > first.level for other in others)
    )


_LIST_MARK = re.compile(r"^\s*(?:[-*+]|[0-9]+[.)])\s*(?:\[[ xX]\])?")


class _Reader:
    def __init__(self, outline: Outline, given: frozenset[str]) -> None:
        self.outline = outline
        self.given = given
        self.titled = False
        self.fields: dict[str, Any] = {}
        self.risks: list[dict[str, Any]] = []
        self.taken: list[Taken] = []
        self.found: list[Finding] = []
        self.claims: dict[int, tuple[str, ...]] = {}
        """By index of the heading, the parts that it gives."""
        self.empty: dict[str, Heading] = {}
        """Headings of parts below which nothing stands."""
        self.heads = frozenset(heading.line - 1 for heading in outline.headings)
        """Indexes of their lines."""

    def result(self) -> Reading:
        return Reading(self.fields, tuple(self.taken), tuple(self._left()), in_order(self.found))

    def _left(self) -> Iterator[Heading]:
        """Headings of which nothing was taken, although there is text; those within such a one go without saying."""
        headings = self.outline.headings
        covered = 0
        for index, heading in enumerate(headings):
            if index in self.claims:
                covered = max(covered, heading.end)
            elif heading.first > covered and not (index == 0 and self.titled):
                given = any(i in self.claims for i in self._below(index))
                ends = headings[index + 1].line - 1 if given and index + 1 < len(headings) else heading.end
                covered = max(covered, ends)
                if heading not in self.empty.values() and self._beside(((heading.first, ends),), ()):
                    yield heading

    # -- which sections ----------------------------------------------------------------------

    def sections(self) -> None:
        """Which headings give which part, and what they say:

        1. of the headings that give this part alone, those that stand highest and have text below them;
        2. where there are none, those that give two parts at once;
        3. a section gives its text without the sections below it that give other parts;
        4. the text above the first heading is the reason where no heading gives one.
        """
        headings = self.outline.headings
        said = [_PARTS.get(normal(heading.text), ()) for heading in headings]
        if self.titled:
            said[0] = ()
        chosen: dict[str, list[int]] = {}
        for part in _FORMS:
            # 1., 2.
            for alone in (True, False):
                fits = [i for i, parts in enumerate(said) if part in parts and (len(parts) == 1) is alone]
                full = [i for i in fits if not self._blank(part, ((headings[i].first, headings[i].end),))]
                for index in sorted(set(fits).difference(full)):
                    self.empty.setdefault(part, headings[index])
                if full:
                    top = min(headings[i].level for i in full)
                    chosen[part] = [i for i in full if headings[i].level == top]
                    break
        for part, indexes in chosen.items():
            for index in indexes:
                self.claims[index] = (*self.claims.get(index, ()), part)
        # 3.
        for part, indexes in chosen.items():
            parts = [(headings[i], self._spans(i, part)) for i in indexes]
            parts = [(heading, spans) for heading, spans in parts if not self._blank(part, spans)]
            if not parts:
                self.empty.setdefault(part, headings[indexes[0]])
                continue
            self.taken += [Taken(part, heading.text, heading.line) for heading, _ in parts]
            self._take(part, parts)
        # 4.
        start = headings[0].first if self.titled else 0
        nearest = headings[1:] if self.titled else headings
        end = nearest[0].line - 1 if nearest else len(self.outline.lines)
        if not self._blank("reason", ((start, end),)):
            line = next(i for i in range(start, end) if self.outline.lines[i].strip()) + 1
            if "reason" not in self.fields:
                self.fields["reason"] = self.outline.text(((start, end),))
                self.taken.append(Taken("reason", "", line))
            elif "reason" not in self.given:
                self._find(
                    "import.not-taken", "the text above the first heading was not taken", "", line=line
                )

    def _blank(self, part: str, spans: Sequence[tuple[int, int]]) -> bool:
        """Whether nothing is said there; headings alone say nothing."""
        kept = [
            self.outline.lines[i] for start, end in spans for i in range(start, end) if i not in self.heads
        ]
        text = "\n".join(line for line in kept if re.search(r"\w", _LIST_MARK.sub("", line)))
        answered = part in ("security_impact", "privacy_impact", "communication")
        return is_nothing(text, answered=answered)

    def _below(self, index: int) -> Iterator[int]:
        """The headings that stand below this one in its section."""
        for other in range(index + 1, len(self.outline.headings)):
            if self.outline.headings[other].line > self.outline.headings[index].end:
                return
            yield other

    def _spans(self, index: int, part: str) -> tuple[tuple[int, int], ...]:
        heading = self.outline.headings[index]
        spans: list[tuple[int, int]] = []
        at = heading.first
        for other in self._below(index):
            inner = self.outline.headings[other]
            if other in self.claims and part not in self.claims[other]:
                if inner.line - 1 >= at:
                    spans.append((at, inner.line - 1))
                at = max(at, inner.end)
        return (*spans, (at, heading.end)) if at < heading.end else tuple(spans)

    # -- what they say ------------------------------------------------------------------------

    def _take(self, part: str, parts: Sequence[tuple[Heading, tuple[tuple[int, int], ...]]]) -> None:
        match part:
            case "steps":
                steps = [step for _, spans in parts for step in self._steps(spans)]
                self._keep("steps", steps, parts[0][0])
            case "risks":
                self.risks = []
                for _, spans in parts:
                    self._risks(spans)
                self._keep("risks", self.risks, parts[0][0])
            case "systems" | "environments":
                self._names(part, parts)
            case "type":
                self._type(parts[0][0], parts[0][1])
            case _ if len(parts) == 1:
                self.fields[part] = self.outline.text(parts[0][1])
            case _:
                # With their headings, since they said different things.
                texts = [
                    f"{self.outline.text(((heading.line - 1, heading.first),))}\n\n{self.outline.text(spans)}"
                    for heading, spans in parts
                ]
                self.fields[part] = "\n\n".join(texts)

    def _keep(self, part: str, values: Sequence[Any], heading: Heading) -> None:
        """Keep what was found in a section; where that is nothing, the section is an empty one."""
        if values:
            self.fields[part] = values
        else:
            self.empty.setdefault(part, heading)
            self.taken = [taken for taken in self.taken if taken.part != part]

    def _steps(self, spans: tuple[tuple[int, int], ...]) -> list[dict[str, str]]:
        """A table with steps, or numbered lists, or tasks, or other lists, or the text as one step."""
        for start, text in self._pieces(spans):
            for table in markdown.tables_of(text, start):
                if "action" in (columns := _columns(table.head, _STEP_COLUMNS)):
                    rows = [{key: row.cells[at] for key, at in columns.items()} for row in table.rows]
                    steps = [
                        {key: value for key, value in row.items() if value}
                        for row in rows
                        if not is_nothing(row["action"])
                    ]
                    if steps:
                        self._leave("steps", spans, [(start + table.first, start + table.end)])
                        return steps
        lists = [
            (start, found) for start, text in self._pieces(spans) for found in markdown.lists_of(text, start)
        ]
        for fits in (
            [(start, found) for start, found in lists if found.ordered],
            [(start, found) for start, found in lists if any(item.task for item in found.items)],
            lists,
        ):
            items = [item for _, found in fits for item in found.items if not is_nothing(item.text)]
            if items:
                self._leave("steps", spans, [(start + f.first, start + f.end) for start, f in fits])
                return [_step(item) for item in items]
        beside = self._beside(spans, [(start + found.first, start + found.end) for start, found in lists])
        said = "\n".join(self.outline.lines[i] for i in beside)
        return [] if is_nothing(said) else [_step(Item(self.outline.text(spans), 0, False))]

    def _risks(self, spans: tuple[tuple[int, int], ...]) -> None:
        """Tables with risks, or lists, or the text as the description of one risk."""
        used: list[tuple[int, int]] = []
        rows: list[tuple[int, dict[str, str | list[str]]]] = []
        for start, text in self._pieces(spans):
            for table in markdown.tables_of(text, start):
                columns = _columns(table.head, _COLUMNS)
                if "description" in columns:
                    used.append((start + table.first, start + table.end))
                    for row in table.rows:
                        told: dict[str, str | list[str]] = {key: row.cells[at] for key, at in columns.items()}
                        told["mitigations"] = markdown.entries_of(str(told.get("mitigations", "")))
                        rows.append((row.line, told))
        if not used:
            for start, text in self._pieces(spans):
                for found in markdown.lists_of(text, start):
                    used.append((start + found.first, start + found.end))
                    rows += [(item.line, _risk_of(item)) for item in found.items]
        if used:
            self._leave("risks", spans, used)
        else:
            line = next(
                i + 1 for start, end in spans for i in range(start, end) if self.outline.lines[i].strip()
            )
            rows.append((line, {"description": self.outline.text(spans), "mitigations": []}))
        for line, told in rows:
            self._risk(line, told)

    def _risk(self, line: int, told: dict[str, str | list[str]]) -> None:
        if is_nothing(str(told.get("description", ""))):
            if any(not is_nothing(str(value)) for key, value in told.items() if key != "mitigations"):
                message = "a risk without a description was not taken"
                self._find("import.not-taken", message, "say what may go wrong", line=line)
            return
        risk: dict[str, Any] = {"description": str(told["description"])}
        where = f"risks[{len(self.risks)}]"
        words = {"likelihood": LIKELIHOODS, "impact": IMPACTS}
        name = _short(risk["description"])
        for key in ("category", "likelihood", "impact"):
            said = plain(str(told.get(key, "")))
            value = said if key == "category" else _word(said, words[key])
            if value and not is_nothing(value):
                risk[key] = value
                continue
            allowed = (
                f": one of {', '.join(words[key])}"
                if key in words
                else ", e.g. availability, security, privacy"
            )
            but = f"; it says {_short(said)!r}, which is none of them" if said and key in words else ""
            self._miss(
                f"{where}.{key}",
                f"`{key}` of the risk {name!r} is missing{but}",
                f"a column or line `{key.capitalize()}`{allowed}; or --risk gives all risks",
                line,
            )
        mitigations = [entry for entry in told.get("mitigations", ()) if not is_nothing(entry)]
        if mitigations:
            risk["mitigations"] = mitigations
        else:
            hint = "a column or line `Mitigation`: what is done against it; or --risk gives all risks"
            self._miss(f"{where}.mitigations", f"`mitigations` of the risk {name!r} is missing", hint, line)
        self.risks.append(risk)

    def _names(self, part: str, parts: Sequence[tuple[Heading, tuple[tuple[int, int], ...]]]) -> None:
        names: list[str] = []
        for heading, spans in parts:
            for line in self.outline.text(spans).split("\n"):
                for word in re.split(
                    r"[,;]", re.sub(r"^\s*(?:[-*+]|[0-9]+[.)])\s+(?:\[[ xX]\]\s+)?", "", line)
                ):
                    name = plain(word).strip()
                    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
                        names += [name] if name not in names else []
                    elif name:
                        message = f"{_short(name)!r} under `{_short(heading.text)}` is no name of the policy"
                        hint = "ids from policy/systems.toml, one a line or with commas between"
                        self._find("import.not-taken", message, hint, line=heading.line)
        self._keep(part, names, parts[0][0])

    def _type(self, heading: Heading, spans: tuple[tuple[int, int], ...]) -> None:
        """One word; of a list of boxes the one that is ticked."""
        text = self.outline.text(spans)
        ticked = re.findall(r"^\s*[-*+]\s+\[[xX]\]\s+(.+)$", text, re.MULTILINE)
        word = normal(ticked[0]) if len(ticked) == 1 else normal(text) if len(text) < 60 else ""
        if word in ("normal", "standard", "emergency"):
            self.fields["type"] = word
        else:
            self.taken = [taken for taken in self.taken if taken.part != "type"]
            message = f"`{_short(heading.text)}` names none of the types normal, standard, emergency"
            self._find("import.not-taken", message, "", line=heading.line)

    # -- what is not there --------------------------------------------------------------------

    def missing(self) -> None:
        for part in REQUIRED:
            if part in self.fields or part in self.given:
                continue
            forms = ", ".join(f"`{form}`" for form in headings_of(part)[:4])
            near, how = self._nearest(part)
            message = f"`{part}` is missing: "
            if part == "title":
                message += "no heading stands above all others"
                hint = f"`# Title` in the first line gives it; or {_OPTIONS[part]}"
            else:
                message += how or "the text has no heading for it"
                hint = f"a heading such as {forms} with text below it gives it; or {_OPTIONS[part]}"
            self._miss(part, message, hint, near.line if near else 1)
        for part in ("security_impact", "privacy_impact"):
            if part in self.empty and part not in self.fields and part not in self.given:
                heading = self.empty[part]
                message = f"nothing is said under `{_short(heading.text)}`"
                self._find("import.empty-section", message, "it may stay so", line=heading.line)

    def _nearest(self, part: str) -> tuple[Heading | None, str]:
        """The heading to look at, and what is wrong there: its own, a similar one, or the one it would follow."""
        import difflib  # noqa: PLC0415 - only where something is missing

        headings = self.outline.headings[1:] if self.titled else self.outline.headings
        if part in self.empty:
            return self.empty[part], f"nothing is said under `{_short(self.empty[part].text)}`"
        names = {normal(heading.text)[:80]: heading for heading in reversed(headings)}
        free = [name for name in names if name not in _PARTS][-_COMPARED:]
        for form in headings_of(part):
            if close := difflib.get_close_matches(normal(form), free, n=1, cutoff=0.8):
                return names[close[0]], f"`{_short(names[close[0]].text)}` is no heading that gives it"
        order = list(REQUIRED)
        before = order[: order.index(part)] if part in order else []
        for earlier in reversed(before):
            lines = [taken.line for taken in self.taken if taken.part == earlier]
            nearest = [heading for heading in headings if heading.line in lines[-1:]]
            if nearest:
                return nearest[0], ""
        return (headings[0] if headings else None), ""

    def _miss(self, key: str, message: str, hint: str, line: int) -> None:
        if key.partition("[")[0] not in self.given:
            self.found.append(Finding("import.missing", message, hint, "error", "", line, 1, key))

    def _find(self, code: str, message: str, hint: str, *, line: int) -> None:
        self.found.append(Finding(code, message, hint, "note", "", line, 1))

    def _leave(self, part: str, spans: Sequence[tuple[int, int]], used: Sequence[tuple[int, int]]) -> None:
        """Name what stands in a section beside the list or table that was taken. `used` counts from 1."""
        rest = self._beside(spans, used)
        if rest and part not in self.given:
            lines = f"line {rest[0] + 1}" if len(rest) == 1 else f"lines {rest[0] + 1} to {rest[-1] + 1}"
            what = "the table" if part == "risks" and self._is_table(used) else "the list"
            message = (
                f"{part} are {what} at line {used[0][0]}; what else stands there ({lines}) was not taken"
            )
            self._find("import.not-taken", message, "", line=rest[0] + 1)

    def _beside(self, spans: Sequence[tuple[int, int]], used: Sequence[tuple[int, int]]) -> list[int]:
        """The lines of a section that are not blank, no headings and not in use."""
        taken = {line - 1 for start, end in used for line in range(start, end)}
        lines = (
            i for start, end in spans for i in range(start, end) if i not in taken and i not in self.heads
        )
        return [i for i in lines if self.outline.lines[i].strip()]

    def _is_table(self, used: Sequence[tuple[int, int]]) -> bool:
        return "|" in self.outline.lines[used[0][0] - 1]

    def _pieces(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, str]]:
        """Each range as a text of its own, with the number of its first line."""
        return [(start + 1, "\n".join(self.outline.lines[start:end])) for start, end in spans]


def _columns(head: Sequence[str], known: dict[str, str]) -> dict[str, int]:
    """By key, which column it is."""
    names = {name: key for key, said in known.items() for name in said.split(", ")}
    found: dict[str, int] = {}
    for at, cell in enumerate(head):
        key = names.get(normal(cell))
        if key is not None:
            found.setdefault(key, at)
    return found


_LABEL = re.compile(
    r"([ \t]*)(?:[-*+][ \t]+)?[*_]{0,2}([A-Za-z][A-Za-z ]{1,30}?)[*_]{0,2}:[*_]{0,2}(?:[ \t]+(.*))?"
)


def _step(item: Item) -> dict[str, str]:
    """An entry of a list as a step: a line `Verify: ...` in it tells how one sees that it worked."""
    action: list[str] = []
    verify: list[str] = []
    names = columns_of("steps")["verify"]
    for line in item.text.split("\n"):
        label = _LABEL.fullmatch(line)
        if label is not None and label[3] and normal(label[2]) in names and (action or verify):
            verify.append(label[3].strip())
        else:
            action.append(line)
    step = {"action": "\n".join(action).strip()}
    return {**step, "verify": "\n".join(verify)} if verify else step


def _risk_of(item: Item) -> dict[str, str | list[str]]:
    """An entry of a list as a risk: lines `Category: ...`, `Likelihood: ...` and so on in it are its parts."""
    names = {name: key for key, said in columns_of("risks").items() for name in said}
    told: dict[str, str | list[str]] = {}
    description: list[str] = []
    mitigations: list[str] = []
    indent: int | None = None
    """Of the line `Mitigations:` whose list is being read."""
    for number, line in enumerate(item.text.split("\n")):
        depth = len(line) - len(line.lstrip(" \t"))
        label = _LABEL.fullmatch(line)
        key = names.get(normal(label[2])) if label is not None else None
        said = (label[3] or "").strip() if label is not None else ""
        if key == "description" and number == 0:
            description.append(said)
            indent = None
        elif key == "mitigations":
            mitigations += [said] if said else []
            indent = depth
        elif key is not None and key != "description":
            told.setdefault(key, said)
            indent = None
        elif indent is not None and depth > indent and line.strip():
            entry = re.sub(r"^\s*(?:[-*+]|[0-9]+[.)])\s+", "", line).strip()
            if entry != line.strip() or not mitigations:
                mitigations.append(entry)
            else:
                mitigations[-1] += f"\n{entry}"
        else:
            description.append(line)
            indent = None
    return {**told, "description": "\n".join(description).strip(), "mitigations": mitigations}


def _word(said: str, words: Sequence[str]) -> str:
    """One of the model's words, or its number from 1 to 5; empty for anything else."""
    text = re.sub(r"\s*\([^()]*\)$", "", said).strip().rstrip(".").casefold()
    if text in ("1", "2", "3", "4", "5"):
        return words[int(text) - 1]
    word = "-".join(text.split())
    return word if word in words else ""


def _short(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= 60 else f"{first[:59]}…"
