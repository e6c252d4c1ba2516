"""Charts: what is drawn, and that everything in it is said too."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from gitchange.assessment.words import percentage, span
from gitchange.site import urls
from gitchange.site.charts import HEIGHT, Series, bars, nice_span, spreads
from tests.unit.site.reading import read_page

VALUES = st.lists(st.one_of(st.none(), st.integers(0, 10**7)), min_size=1, max_size=12)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_bars_stay_within_the_drawing(one: list[int | None], other: list[int | None]) -> None:
    """Whatever the figures, the drawing is well formed and nothing of it is outside."""
    count = min(len(one), len(other))
    series = [Series("a", "c-1", tuple(one[:count])), Series("<b>", "c-2", tuple(other[:count]))]
    drawing = ElementTree.fromstring(bars("x", "A & B", "d", [str(n) for n in range(count)], series))  # noqa: S314
    drawn = list(drawing.iter("rect"))
    assert len(drawn) == sum(bool(value) for s in series for value in s.values)
    for rect in drawn:
        assert 0 <= float(rect.attrib["y"]) <= HEIGHT - 24
        assert float(rect.attrib["height"]) > 0
        assert rect.findtext("title")


def test_a_drawing_is_named_and_carries_no_style() -> None:
    """Those who hear it are told what it is; its colours come from the style sheet."""
    drawing = spreads(
        "x", "Lead time", "By month.", ["Oct", "Nov"], [(3600, 7200), None], span, nice_span(7200)
    )
    parsed = ElementTree.fromstring(drawing)  # noqa: S314 - made by ourselves
    assert parsed.attrib["role"] == "img"
    assert parsed.attrib["aria-labelledby"] == "x-title x-desc"
    assert (parsed.findtext("title"), parsed.findtext("desc")) == ("Lead time", "By month.")
    assert "style=" not in drawing
    assert "Oct: median 1 h, 90th percentile 2 h" in drawing
    assert "Nov: " not in drawing


def test_lengths_of_time_and_shares_are_short() -> None:
    """Two digits are enough to compare."""
    assert [span(s) for s in (0, 30, 90, 3600, 5400, 47 * 3600, 60 * 3600, 400 * 86400)] == [
        "0",
        "30 s",
        "2 min",
        "1 h",
        "1.5 h",
        "47 h",
        "2.5 d",
        "400 d",
    ]
    assert (percentage(0), percentage(12.34), percentage(100)) == ("0 %", "12.3 %", "100 %")


def test_every_chart_has_its_figures_beside_it(site: Path) -> None:
    """As a table, with a definition or a heading that has one."""
    html = (site / urls.STATISTICS).read_text()
    assert html.count('<svg class="chart"') == html.count('<details class="data">') == 10
    text = re.sub(r"\s+", " ", read_page(site, urls.STATISTICS).text)
    assert "November 2026 0 1 0 1" in text, "throughput: one normal change was documented"
    assert "Times are claims" in text
    assert "Public API 11 8 1 1 50 %" in text
