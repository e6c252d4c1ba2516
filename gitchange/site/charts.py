"""Charts as SVG that stands in the page, drawn when the site is built.

Colours, fonts and sizes come from the style sheet by class, so that they follow light and dark and print well; there is
no style in the drawing. Each has a title and a description for those who hear it, and the page has its figures as a
table beside it. Numbers are rounded when they are drawn, so that every machine draws the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup

from gitchange.assessment.words import short
from gitchange.values import Value

WIDTH, HEIGHT = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 6, 12, 24
_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 7.5)


class Series(Value):
    """One of the things that are drawn for each label."""

    name: str
    mark: str
    """CSS class that gives its colour."""
    values: tuple[float | None, ...]
    """None where there is nothing to draw."""


def bars(
    name: str,
    title: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[Series],
    say: Callable[[float], str] = lambda value: f"{value:g}",
    top: float | None = None,
) -> Markup:
    """Upright bars, those of several series on top of each other. `name` is unique on the page, `say` names a value."""
    sums = [sum(s.values[place] or 0 for s in series) for place in range(len(labels))]
    highest = top or _nice(max(sums, default=0))
    drawing = _Drawing(name, title, description, labels, highest, say)
    for place, label in enumerate(labels):
        below = 0.0
        for one in series:
            value = one.values[place]
            if value:
                told = f"{label}{f', {one.name}' if len(series) > 1 else ''}: {say(value)}"
                drawing.bar(place, below, below + value, one.mark, told)
                below += value
    return drawing.done()


def spreads(
    name: str,
    title: str,
    description: str,
    labels: Sequence[str],
    values: Sequence[tuple[float, float] | None],
    say: Callable[[float], str],
    highest: float,
) -> Markup:
    """For each label a bar up to the median and a line from there to the 90th percentile."""
    drawing = _Drawing(name, title, description, labels, highest, say)
    for place, label in enumerate(labels):
        pair = values[place]
        if pair is not None:
            told = f"{label}: median {say(pair[0])}, 90th percentile {say(pair[1])}"
            drawing.bar(place, 0, pair[0], "c-1", told)
            drawing.whisker(place, pair[0], pair[1])
    return drawing.done()


class _Drawing:
    def __init__(
        self,
        name: str,
        title: str,
        description: str,
        labels: Sequence[str],
        highest: float,
        say: Callable[[float], str],
    ) -> None:
        self._highest = highest or 1
        self._slot = (WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
        self._parts = [
            Markup(
                '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
                '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>'
            ).format(WIDTH, HEIGHT, name, name, name, title, name, description)
        ]
        for step in range(5):
            value = self._highest * step / 4
            height = short(self._y(value))
            self._parts.append(
                Markup('<path class="grid" d="M{} {}H{}"/>').format(_LEFT, height, WIDTH - _RIGHT)
            )
            if step % 2 == 0:
                self._parts.append(
                    Markup('<text class="axis value" x="{}" y="{}">{}</text>').format(
                        _LEFT - 6, short(self._y(value) + 4), say(value)
                    )
                )
        for place, label in enumerate(labels):
            self._parts.append(
                Markup('<text class="axis label" x="{}" y="{}">{}</text>').format(
                    short(self._x(place)), HEIGHT - 8, label
                )
            )

    def _x(self, place: int) -> float:
        return _LEFT + self._slot * (place + 0.5)

    def _y(self, value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - min(value / self._highest, 1))

    def bar(self, place: int, low: float, high: float, mark: str, told: str) -> None:
        """A bar from one value to another."""
        width = min(self._slot * 0.66, 46)
        over, under = self._y(high), self._y(low)
        self._parts.append(
            Markup(
                '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1.5"><title>{}</title></rect>'
            ).format(
                mark,
                short(self._x(place) - width / 2),
                short(over),
                short(width),
                short(max(under - over, 0.8)),
                told,
            )
        )

    def whisker(self, place: int, low: float, high: float) -> None:
        """A line from one value to another, with a stroke at its end."""
        x, half = self._x(place), min(self._slot * 0.2, 10)
        self._parts.append(
            Markup('<path class="whisker" d="M{} {}V{}M{} {}H{}"/>').format(
                short(x),
                short(self._y(low)),
                short(self._y(high)),
                short(x - half),
                short(self._y(high)),
                short(x + half),
            )
        )

    def done(self) -> Markup:
        """The whole drawing."""
        return Markup("").join([*self._parts, Markup("</svg>")])


def _nice(value: float) -> float:
    """The next number that four steps divide well."""
    if value <= 4:
        return 4
    size = 1.0
    while True:
        for step in _STEPS:
            if value <= 4 * step * size:
                return 4 * step * size
        size *= 10


def nice_span(seconds: float) -> float:
    """A length of time for the end of an axis that four steps divide well."""
    for limit in (4, 8, 12, 24, 48, 96, 8 * 24, 20 * 24, 40 * 24, 80 * 24, 160 * 24, 400 * 24):
        if seconds <= limit * 3600:
            return limit * 3600
    return seconds
