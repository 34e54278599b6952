"""Draws lines over time as inline SVG, with the limits that a guard judges by.

Colours come from the stylesheet through classes; nothing is styled in place, as the console's policy for contents
forbids it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import floor, log10

from dashboards.html import Html, el, join

WIDTH, HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 22
_TICKS = 4
_STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0)
"""What one tick of an axis may stand for, times a power of ten."""
_HEADROOM = 1.08

Point = tuple[float, float | None]
"""Epoch seconds with a value, None where nothing was measured."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `style` is its class in the stylesheet."""

    name: str
    style: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """A value that should not be passed."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened."""

    at: float
    name: str
    style: str = "mark"


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines between `start` and `end` (epoch seconds); `word` writes a value for people, `clock` a moment."""

    title: str
    lines: tuple[Line, ...]
    start: float
    end: float
    word: Callable[[float], str]
    clock: Callable[[float], str]
    limits: tuple[Limit, ...] = ()
    marks: tuple[Mark, ...] = ()
    least_top: float = 0.0
    """The axis reaches at least so high, so that noise near zero does not fill the picture."""


def figure(chart: Chart) -> Html:
    """Return the chart with its legend, readable without eyes: every line's latest and highest value in words."""
    return el(
        "figure",
        el("figcaption", chart.title),
        svg(chart),
        el("ul", [_legend(chart, line) for line in chart.lines], class_="legend"),
        class_="chart",
    )


def svg(chart: Chart) -> Html:
    """Return the picture alone."""
    values = [value for line in chart.lines for _, value in line.points if value is not None]
    top = axis_top(max([*values, *(limit.value for limit in chart.limits), chart.least_top]) * _HEADROOM)
    return el(
        "svg",
        el("title", f"{chart.title}: {summary(chart)}"),
        list(_grid(chart, top)),
        list(_limits(chart, top)),
        list(_marks(chart)),
        [_polylines(chart, line, top) for line in chart.lines],
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        preserveAspectRatio="none" if not values else None,
    )


def summary(chart: Chart) -> str:
    """Return the chart in one sentence."""
    said = [f"{line.name} {_latest(chart, line)}, at most {_highest(chart, line)}" for line in chart.lines]
    limits = [f"limit {limit.name} {chart.word(limit.value)}" for limit in chart.limits]
    return "; ".join((*said, *limits))


def axis_top(value: float) -> float:
    """Return the round number at which an axis ends that must reach `value`."""
    if value <= 0:
        return 1.0
    tick = value / _TICKS
    magnitude = 10.0 ** floor(log10(tick))
    step = next(step for step in _STEPS if step * magnitude >= tick * (1 - 1e-9))
    return step * magnitude * _TICKS


def _grid(chart: Chart, top: float) -> Iterator[Html]:
    for tick in range(_TICKS + 1):
        value = top * tick / _TICKS
        y = _y(value, top)
        yield el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid")
        yield el("text", chart.word(value), x=_LEFT - 6, y=y + 4, text_anchor="end")
    for part in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LEFT + part * (WIDTH - _LEFT - _RIGHT)
        anchor = {0.0: "start", 1.0: "end"}.get(part, "middle")
        moment = chart.clock(chart.start + part * (chart.end - chart.start))
        yield el("text", moment, x=round(x, 1), y=HEIGHT - 6, text_anchor=anchor)


def _limits(chart: Chart, top: float) -> Iterator[Html]:
    for limit in chart.limits:
        y = _y(limit.value, top)
        yield el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="limit")
        text = f"{limit.name} {chart.word(limit.value)}"
        yield el("text", text, x=WIDTH - _RIGHT - 4, y=y - 4, text_anchor="end", class_="limit")


def _marks(chart: Chart) -> Iterator[Html]:
    for mark in chart.marks:
        if chart.start <= mark.at <= chart.end:
            x = _x(chart, mark.at)
            line = el("line", x1=x, x2=x, y1=_TOP, y2=HEIGHT - _BOTTOM)
            yield el("g", el("title", f"{chart.clock(mark.at)} {mark.name}"), line, class_=f"mark {mark.style}")


def _polylines(chart: Chart, line: Line, top: float) -> Html:
    """A gap in what was measured is a gap in the line; a lone point becomes a dot."""
    drawn: list[Html] = []
    for run in _runs(line.points, chart.start):
        if len(run) == 1:
            drawn.append(el("circle", cx=_x(chart, run[0][0]), cy=_y(run[0][1], top), r=2, class_=line.style))
            continue
        points = " ".join(f"{_x(chart, at):g},{_y(value, top):g}" for at, value in run)
        drawn.append(el("polyline", points=points, class_=line.style))
    return join(drawn)


def _runs(points: tuple[Point, ...], start: float) -> Iterator[list[tuple[float, float]]]:
    run: list[tuple[float, float]] = []
    for at, value in points:
        if value is not None and at >= start:
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _x(chart: Chart, at: float) -> float:
    share = (at - chart.start) / max(chart.end - chart.start, 1e-9)
    return round(_LEFT + min(max(share, 0.0), 1.0) * (WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float, top: float) -> float:
    return round(_TOP + (1 - min(max(value / top, 0.0), 1.0)) * (HEIGHT - _TOP - _BOTTOM), 1)


def _legend(chart: Chart, line: Line) -> Html:
    swatch = el("span", class_=f"swatch {line.style}", aria_hidden="true")
    return el("li", swatch, f"{line.name} ", el("b", _latest(chart, line)), f" (most {_highest(chart, line)})")


def _latest(chart: Chart, line: Line) -> str:
    value = next((value for _, value in reversed(line.points) if value is not None), None)
    return "nothing" if value is None else chart.word(value)


def _highest(chart: Chart, line: Line) -> str:
    values = [value for _, value in line.points if value is not None]
    return chart.word(max(values)) if values else "nothing"
