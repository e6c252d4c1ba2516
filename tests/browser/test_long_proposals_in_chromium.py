"""Long and untidy proposals, as engineers write them: no page is wider than its window, whatever is in a text."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitchange.site import urls
from gitchange.site.build import build_and_publish
from gitchange.site.site import Site
from tests.unit.site.builder import Case, example_change, overview_of
from tests.unit.site.reading import broken_links

pytestmark = pytest.mark.browser

COUNT = 40
WIDTHS = (390, 820, 1440)

WORDS = [
    "the",
    "scheduler",
    "keeps",
    "a",
    "pod",
    "that",
    "waits",
    "until",
    "all",
    "of",
    "its",
    "volumes",
    "are",
    "bound;",
    "otherwise",
    "`kube-controller-manager`",
    "would",
    "evict",
    "it,",
    "and",
    "**nobody**",
    "wants",
    "this",
    "during",
    "an",
    "*upgrade*",
    "of",
    "the",
    "control",
    "plane",
    "(see",
    "below)",
    "because",
    "of",
    "feature",
    "gates,",
    "e.g.",
    "`WindowsHostNetworkingAlphaFeatureGate=true`,",
    "that",
    "operators",
    "forget",
    "~~always~~",
    "sometimes",
]

MIXED = (
    "変更の理由：証明書は十二月一日に失効します。ゲートウェイを再起動する必要があります。",
    "הסיבה לשינוי: התעודה תפוג ב-1 בדצמבר (gateway-7.example.org).",
    "سبب التغيير: تنتهي صلاحية الشهادة في ١ ديسمبر، و `reload` مطلوب.",
    "Ελληνικά, русский, ไทยไม่มีช่องว่างระหว่างคำเลยเพราะฉะนั้นบรรทัดจึงยาวมาก, हिन्दी, 한국어 👩‍💻🏳️‍🌈 e\u0301",
)


def sentence(chance: random.Random) -> str:
    """Some words."""
    return " ".join(chance.choices(WORDS, k=chance.randint(8, 60))).capitalize() + "."


def nested(chance: random.Random) -> str:
    """A list in lists, numbered and not, with paragraphs and code in its items."""
    lines: list[str] = []
    for depth in range(chance.randint(4, 9)):
        indent = "    " * depth
        mark = chance.choice(("-", "1.", "*", "- [ ]", "10)"))
        lines += [f"{indent}{mark} {sentence(chance)}", "", f"{indent}    ```", f"{indent}    {'x' * 90}"]
        lines += [f"{indent}    ```", ""]
    return "\n".join(lines)


def table(chance: random.Random) -> str:
    """Many columns, long cells, code in heads, and a row with too few cells."""
    columns = chance.randint(2, 12)
    head = " | ".join(f"`v{n}beta1` column" for n in range(columns))
    rows = [" | ".join(chance.choice(WORDS) * chance.randint(1, 3) for _ in range(columns)) for _ in range(4)]
    return "\n".join(
        [f"| {head} |", "|" + " --: |" * columns, *(f"| {row} |" for row in rows), "| too few |"]
    )


def code(chance: random.Random) -> str:
    """A fence with lines that do not end, and one that is never closed in a quotation."""
    lines = "\n".join("\t" * (n % 4) + "return errors.Wrapf(err, " + "a" * 30 * n + ")" for n in range(8))
    return f"```go\nfunc Reconcile(ctx context.Context) {{\n{lines}\n}}\n```\n\n> ~~~yaml\n> key: {'v' * 200}"


def addresses(chance: random.Random) -> str:
    """Long ones, bare, in brackets, as footnotes, to images, and with what is no address."""
    long = "https://example.org/" + "/".join(chance.choices(WORDS, k=30)).replace("`", "").replace("*", "")
    return (
        f"- {long}?{'q=1&' * 40}\n- <https://example.org/{'a' * 300}>\n- [{'label' * 40}]({long.split()[0]})\n"
        f"- ![{'alternative ' * 20}](./images/{'graph' * 30}.png)\n- ![x](https://example.org/x.svg)\n"
        f"- [relative](../README.md#{'anchor' * 30}), [note][1], [^1]\n\n[1]: https://example.org/{'b' * 120}\n"
    )


def headings(chance: random.Random) -> str:
    """All levels in no order, one of a single long word, and HTML comments as templates have them."""
    levels = [chance.randint(1, 6) for _ in range(5)]
    return "\n\n".join(
        f"{'#' * level} {chance.choice((sentence(chance), 'Supercalifragilistic' * 12))}\n\n"
        f"<!--\nThis section is about {chance.choice(WORDS)}.\n-->\n\n"
        f"<details><summary>More</summary>{sentence(chance)}</details>"
        for level in levels
    )


def scripts(chance: random.Random) -> str:
    """Several scripts and directions, and words without a place to break them."""
    return "\n\n".join((*chance.sample(MIXED, k=3), "W" * 400, "Donaudampfschifffahrtsgesellschaft" * 20))


PARTS: tuple[Callable[[random.Random], str], ...] = (
    *(sentence, nested, table, code, addresses, headings, scripts),
)


def proposal(number: int) -> dict[str, Any]:
    """A change file whose texts are some of all that."""
    chance = random.Random(number)  # noqa: S311 - texts, no secrets

    def text(parts: int) -> str:
        return "\n\n".join(chance.choice(PARTS)(chance) for _ in range(parts))

    risk = example_change()["risks"][0]
    return example_change(
        number,
        title=chance.choice((sentence(chance)[:180], "Unbreakable" * 15, MIXED[number % 4], "Short")),
        reason=text(6),
        scope=text(3),
        rollback=text(2),
        test_plan=text(2),
        steps=[{"action": text(2), "verify": text(1)}, {"action": PARTS[number % len(PARTS)](chance)}],
        risks=[{**risk, "description": PARTS[n](chance), "mitigations": [text(1)]} for n in range(1, 4)],
        custom={"ticket": "T" * 120},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty of them; what people signed to some is no shorter."""
    assessments = []
    for number in range(1, COUNT + 1):
        case = Case(proposal(number))
        comment = PARTS[number % len(PARTS)](random.Random(-number))  # noqa: S311
        if number % 3 == 0:
            case.sign("evaluation", "reject", "ada@example.org", "change-manager", comment=comment)
        elif number % 3 == 1:
            case.approve(comment=comment).implement()
        assessments.append(case.assess())
    output = tmp_path_factory.mktemp("long") / "acme" / "changes"
    build_and_publish(Site(overview_of(*assessments)), None, output)
    return output


def test_no_page_is_wider_than_its_window(page: Any, site: Path, address: str) -> None:
    """On a phone, a tablet and a desk; what is wide scrolls in its own place. Nothing is logged or loaded."""
    changes = sorted((site / "changes").glob("*.html"))
    assert len(changes) == COUNT
    names = [urls.HOME, urls.CHANGES, urls.AUDIT, urls.system("api"), f"{urls.SEARCH}?q=scheduler"]
    for name in [*names, *(f"changes/{path.name}" for path in changes)]:
        page.goto(f"{address}/{name}")
        if name.startswith((urls.CHANGES, urls.SEARCH)):
            page.locator("[data-ready]").wait_for()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, width)


def test_their_links_and_headings_are_whole(site: Path) -> None:
    """Relative targets that mean something elsewhere are no links, and every link leads to something."""
    assert broken_links(site) == []
