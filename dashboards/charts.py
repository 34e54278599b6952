"""Charts as inline SVG, of time series and of one bar.

Colours come from the stylesheet through classes; nothing is styled in place, as the console's policy for contents
forbids it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10, sqrt
from typing import Any

from dashboards.html import Html, clock, el, join, moment, number, percent, seconds, share

WIDTH, HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 10, 22
_TICKS = 4
_STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0)
"""What one tick of an axis may stand for, times a power of ten."""
_HEADROOM = 1.08
_NEAR = 2.0
"""A limit up to so many times the data is drawn to scale, one beyond at the edge, so that data fill the chart."""
_COLUMNS = 60
_SHORTEST = 60.0

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
    """Lines between `start` and `end` (epoch seconds); `word` formats a value, `clock` a moment."""

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
    """Return the chart with its legend, with a text for screen readers: every line's latest and highest value."""
    return el(
        "figure",
        el("figcaption", chart.title),
        svg(chart),
        el("ul", [_legend(chart, line) for line in chart.lines], class_="legend"),
        class_="chart",
    )


def svg(chart: Chart) -> Html:
    """Return the SVG alone."""
    values = [value for line in chart.lines for _, value in line.points if value is not None]
    highest = max([*values, chart.least_top])
    near = [limit.value for limit in chart.limits if limit.value <= highest * _NEAR]
    top = axis_top(max([highest, *near]) * _HEADROOM)
    return el(
        "svg",
        el("title", f"{chart.title}: {summary(chart)}"),
        list(_grid(chart, top)),
        list(_limits(chart, top)),
        list(_marks(chart)),
        [_polylines(chart, line, top) for line in chart.lines],
        list(_columns(chart)),
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
        unit = " UTC" if part == 0.0 else ""
        moment = chart.clock(chart.start + part * (chart.end - chart.start))
        yield el("text", moment + unit, x=round(x, 1), y=HEIGHT - 6, text_anchor=anchor)


def _limits(chart: Chart, top: float) -> Iterator[Html]:
    for limit in chart.limits:
        text = f"{limit.name} {chart.word(limit.value)}"
        if limit.value > top:
            place = {"x": WIDTH - _RIGHT - 4, "y": _TOP + 10}
            yield el("text", f"{text} ↑", text_anchor="end", class_="limit edge", **place)
            continue
        y = _y(limit.value, top)
        yield el("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="limit")
        yield el("text", text, x=WIDTH - _RIGHT - 4, y=y - 4, text_anchor="end", class_="limit")


def _marks(chart: Chart) -> Iterator[Html]:
    for mark in chart.marks:
        if chart.start <= mark.at <= chart.end:
            x = _x(chart, mark.at)
            line = el("line", x1=x, x2=x, y1=_TOP, y2=HEIGHT - _BOTTOM)
            title = el("title", f"{chart.clock(mark.at)} UTC {mark.name}")
            yield el("g", title, line, class_=f"mark {mark.style}", data_at=round(mark.at))


def _columns(chart: Chart) -> Iterator[Html]:
    """Values are shown under the pointer: a strip for each moment, or for some of many."""
    found: dict[float, list[str]] = {}
    for line in chart.lines:
        for at, value in line.points:
            if value is not None and chart.start <= at <= chart.end:
                found.setdefault(at, []).append(f"{line.name} {chart.word(value)}")
    moments = sorted(found)
    moments = moments[-1 :: -max(1, ceil(len(moments) / _COLUMNS))][::-1]
    for before, at, after in zip([chart.start, *moments], moments, [*moments[1:], chart.end], strict=False):
        left, right = _x(chart, (before + at) / 2), _x(chart, (at + after) / 2)
        width = round(max(right - left, 1.0), 1)
        strip = el("rect", x=left, width=width, y=_TOP, height=HEIGHT - _TOP - _BOTTOM)
        title = el("title", "\n".join((f"{chart.clock(at)} UTC", *found[at])))
        yield el("g", title, strip, class_="at", data_at=round(at))


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


# Makes a route's charts of its history.


_EVENT_STYLES = {"rollback": "bad", "step_back": "bad", "trip": "bad", "invariant": "bad", "config_refused": "bad"}
_LEAST_SHARE = 0.01
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SideMoment:
    """One side in a span: counts, latencies in seconds (None where nothing was measured)."""

    requests: int = 0
    errors: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """One route in the `span` seconds before `at` (epoch seconds)."""

    at: float
    span: float
    legacy: SideMoment = SideMoment()
    modern: SideMoment = SideMoment()
    compared: int = 0
    different: int = 0
    eligible: int = 0


def charts(
    moments: Sequence[Moment],
    weights: Sequence[tuple[float, float]],
    events: Sequence[Mapping[str, Any]],
    limits: Mapping[str, float],
    start: float,
    end: float,
) -> tuple[Chart, ...]:
    """Return the charts between `start` and `end` (epoch seconds), or from the first value on.

    `weights` are the moments (epoch seconds) at which the weight in effect became another one, with that one.
    `limits` are the guard's, by their names in the file; `events` those of the route, drawn as marks.
    """
    marks = tuple(_mark(event) for event in events)
    changes = [at - _SHORTEST for at, _ in weights if start < at <= end]
    start = max(start, min(_first(moments, start), *changes, end - _SHORTEST))

    def chart(title: str, word: Callable[[float], str], *lines: Line, least: float = 0.0, limit: str = "") -> Chart:
        drawn = (Limit("limit", limits[limit]),) if limit in limits else ()
        return Chart(title, lines, start, end, word, clock, drawn, marks, least)

    return (
        chart("Weight", percent, Line("modern", "modern", tuple(_steps(weights, start, end))), least=100 / 1.08),
        chart(
            "Requests a second",
            number,
            _line(moments, "legacy", "legacy", lambda each: each.legacy.requests / each.span),
            _line(moments, "modern", "modern", lambda each: each.modern.requests / each.span),
        ),
        chart(
            "Errors",
            share,
            _line(moments, "legacy", "legacy", lambda each: _share(each.legacy.errors, each.legacy.requests)),
            _line(moments, "modern", "modern", lambda each: _share(each.modern.errors, each.modern.requests)),
            least=_LEAST_SHARE,
            limit="error_rate",
        ),
        chart(
            "Latency: P95, thin P50 with P99",
            seconds,
            _line(moments, "legacy P95", "legacy", lambda each: each.legacy.p95),
            _line(moments, "modern P95", "modern", lambda each: each.modern.p95),
            _line(moments, "legacy P50", "legacy thin", lambda each: each.legacy.p50),
            _line(moments, "modern P50", "modern thin", lambda each: each.modern.p50),
            _line(moments, "legacy P99", "legacy thin", lambda each: each.legacy.p99),
            _line(moments, "modern P99", "modern thin", lambda each: each.modern.p99),
            least=_LEAST_SECONDS,
            limit="p95",
        ),
        chart(
            "Differences among compared pairs",
            share,
            _line(moments, "different", "different", lambda each: _share(each.different, each.compared)),
            least=_LEAST_SHARE,
            limit="mismatch_rate",
        ),
        chart(
            "Coverage: compared of eligible",
            share,
            _line(moments, "coverage", "coverage", lambda each: _share(each.compared, each.eligible)),
            least=1 / 1.08,
        ),
    )


def _first(moments: Sequence[Moment], otherwise: float) -> float:
    """When the first request was seen, or `otherwise` without any."""
    busy = (each.at - each.span for each in moments if each.legacy.requests or each.modern.requests or each.compared)
    return min(busy, default=otherwise)


def _line(moments: Sequence[Moment], name: str, style: str, value: Callable[[Moment], float | None]) -> Line:
    return Line(name, style, tuple((each.at, value(each)) for each in moments))


def _steps(weights: Sequence[tuple[float, float]], start: float, end: float) -> Iterator[tuple[float, float]]:
    """A weight stays until it is another one: two points for each change, one at each edge."""
    earlier = [weight for at, weight in weights if at <= start]
    later = [(at, weight) for at, weight in weights if start < at <= end]
    now = earlier[-1] if earlier else None
    if now is not None:
        yield start, now
    for at, weight in later:
        if now is not None:
            yield at, now
        yield at, weight
        now = weight
    if now is not None:
        yield end, now


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mark(event: Mapping[str, Any]) -> Mark:
    style = _EVENT_STYLES.get(event["event"], "change")
    said = " ".join(filter(None, (event["event"], event.get("who") or "", event.get("reason") or "")))
    return Mark(moment(event["at"]), said, style)


# Draws modern beside legacy as tests are drawn: each side's share with its interval, the threshold between them.


@dataclass(frozen=True, slots=True)
class Beside:
    """Bad requests and all requests of both sides.

    `threshold` is the share of 1 from which on modern is worse, if known.
    """

    title: str
    legacy: tuple[int, int]
    modern: tuple[int, int]
    threshold: float | None = None


_ROW = 26
_NAMES = 70
_CERTAIN = 1.96
"""Standard deviations that 95 % lie within."""


def interval(bad: int, of: int) -> tuple[float, float]:
    """Return the shares that the truth lies between at 95 %, by Wilson's score."""
    if not of:
        return 0.0, 1.0
    rate, z = bad / of, _CERTAIN
    middle, wide = rate + z * z / (2 * of), z * sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    low, high = ((middle + sign * wide) / (1 + z * z / of) for sign in (-1, 1))
    return max(0.0, min(low, rate)), min(1.0, max(high, rate))


def beside(shown: Beside) -> Html:
    """Return both sides' shares with their intervals, the threshold as a line; all of it in words as well."""
    sides = (("legacy", *shown.legacy), ("modern", *shown.modern))
    threshold = shown.threshold
    top = axis_top(max(threshold or 0.0, *(interval(bad, of)[1] for _, bad, of in sides)) * _HEADROOM)
    said = "; ".join(_said(name, bad, of) for name, bad, of in sides)
    text = said if threshold is None else f"{said}; threshold {share(threshold)}"
    height = 2 * _ROW + 24
    scale = [
        el("text", share(top * tick / _TICKS), x=_across(top * tick / _TICKS, top), y=height - 4, text_anchor="middle")
        for tick in range(_TICKS)
    ]
    return el(
        "figure",
        el("figcaption", f"{shown.title}, with the interval at 95 %"),
        el(
            "svg",
            el("title", f"{shown.title}: {text}"),
            [_interval(name, bad, of, row, top) for row, (name, bad, of) in enumerate(sides)],
            _threshold(threshold, top),
            scale,
            viewBox=f"0 0 {WIDTH} {height}",
            role="img",
        ),
        el("p", text, class_="quiet"),
        class_="chart",
    )


def _threshold(value: float | None, top: float) -> Html | None:
    if value is None:
        return None
    x = _across(value, top)
    return el("line", x1=x, x2=x, y1=2, y2=2 * _ROW + 4, class_="limit")


def _rate(bad: int, of: int) -> float:
    return bad / of if of else 0.0


def _said(name: str, bad: int, of: int) -> str:
    low, high = interval(bad, of)
    return f"{name} {share(_rate(bad, of))} ({bad:,} of {of:,}; {share(low)} to {share(high)})"


def _interval(name: str, bad: int, of: int, row: int, top: float) -> Html:
    low, high = interval(bad, of)
    y = row * _ROW + _ROW / 2 + 2
    bar = el("polyline", points=f"{_across(low, top)},{y:g} {_across(high, top)},{y:g}", class_=name)
    dot = el("circle", cx=_across(_rate(bad, of), top), cy=y, r=5, class_=name)
    return el("g", el("title", _said(name, bad, of)), el("text", name, x=4, y=y + 4), bar, dot)


def _across(value: float, top: float) -> float:
    return round(_NAMES + min(max(value / top, 0.0), 1.0) * (WIDTH - _NAMES - 30), 1)
