"""Makes a route's charts of its history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.charts import Chart, Limit, Line, Mark
from dashboards.words import clock, moment, number, percent, seconds, share

_EVENT_STYLES = {"rollback": "bad", "step_back": "bad", "trip": "bad", "invariant": "bad", "config_refused": "bad"}
_LEAST_SHARE = 0.01
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SideMoment:
    """What one side did in a span: counts, latencies in seconds (None where nothing was measured)."""

    requests: int = 0
    errors: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What one route did in the `span` seconds before `at` (epoch seconds)."""

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
    """Return the charts between `start` and `end` (epoch seconds).

    `weights` are the moments (epoch seconds) at which the weight in effect became another one, with that one.
    `limits` are the guard's, by their names in the file; `events` those of the route, drawn as marks.
    """
    marks = tuple(_mark(event) for event in events)

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
