"""Panel builders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA = 39
_ACROSS = 24
_ALL = ".*"
CONSOLE = "console"
"""The variable with the console's address."""
_CONSOLE_IS_AT = "http://127.0.0.1:9180"
JOB = 'job=~"$job", instance=~"$instance"'
ROUTES = f'{JOB}, route=~"$route"'


@dataclass(frozen=True, slots=True)
class Query:
    """One line of a panel; `legend` may use {{labels}}. `dashed` draws a limit."""

    expr: str
    legend: str
    dashed: bool = False
    exemplars: bool = False


Steps = tuple[tuple[float, str], ...]
"""From which value on a figure has which colour; below the first it has `BASE`, green unless the panel says so."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: `about` says what to do about it, `unit` is Grafana's name of it, `width` of 24.

    `steps` colour the figure, `words` write a value as a text with a colour, `of_series` are steps of the series with
    that name alone. `to` is the console's page that a figure leads to, `{label}` in it a label of the series; left
    out, that of the route where the series has one.
    """

    title: str
    about: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    width: int = 12
    height: int = 8
    most: float | None = None
    least: float | None = 0.0
    decimals: int = 2
    base: str = "green"
    steps: Steps = ()
    words: tuple[tuple[int, str, str], ...] = ()
    of_series: tuple[tuple[str, Steps], ...] = ()
    to: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened, drawn into every panel: where `expr` is above 0."""

    name: str
    expr: str
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard; its uid never changes."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]
    marks: tuple[Mark, ...] = ()
    has_route: bool = True


def dashboard(board: Board) -> Json:
    """Return a dashboard as Grafana provisions it."""
    return {
        "id": None,
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": ["strangler"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "links": [_link(), _console_link()],
        "templating": {"list": list(_variables(board.has_route))},
        "annotations": {"list": [_annotation(mark) for mark in board.marks]},
        "panels": list(_placed(board.panels)),
    }


def _placed(panels: Sequence[Panel]) -> Iterator[Json]:
    """Lay panels out from left to right, row by row."""
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _ACROSS:
            x, y, tallest = 0, y + tallest, 0
        yield _panel(panel, number, x, y)
        x, tallest = x + panel.width, max(tallest, panel.height)


def _panel(panel: Panel, number: int, x: int, y: int) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": _defaults(panel), "overrides": [*_overrides(panel.queries), *_of_series(panel)]},
        "options": _options(panel),
        "targets": [_target(query, place, panel.kind) for place, query in enumerate(panel.queries)],
    }


def _defaults(panel: Panel) -> Json:
    is_line, coloured = panel.kind == "timeseries", bool(panel.steps or panel.words)
    defaults: Json = {
        "unit": panel.unit,
        "decimals": panel.decimals,
        "noValue": "no data",
        "color": {"mode": "thresholds" if coloured and not is_line else "palette-classic"},
        "custom": _lines(coloured=bool(panel.steps)) if is_line else {},
        "thresholds": _thresholds(panel.base, panel.steps),
        "mappings": _mappings(panel.words),
        "links": list(_to_console(panel)),
    }
    bounds = {"min": panel.least, "max": panel.most}
    return defaults | {name: value for name, value in bounds.items() if value is not None}


def _lines(*, coloured: bool) -> Json:
    """Return how lines are drawn; with thresholds these are lines of their own behind them."""
    style = {"thresholdsStyle": {"mode": "dashed" if coloured else "off"}}
    return {"lineWidth": 2, "fillOpacity": 8, "showPoints": "never", "spanNulls": False, **style}


def _thresholds(base: str, steps: Steps) -> Json:
    above = [{"color": colour, "value": value} for value, colour in steps]
    return {"mode": "absolute", "steps": [{"color": base, "value": None}, *above]}


def _mappings(words: Sequence[tuple[int, str, str]]) -> list[Json]:
    options = {
        str(value): {"text": text, "color": colour, "index": at} for at, (value, text, colour) in enumerate(words)
    }
    return [{"type": "value", "options": options}] if options else []


def _to_console(panel: Panel) -> Iterator[Json]:
    place = panel.to or ("/routes/{route}" if any("{{route}}" in query.legend for query in panel.queries) else "")
    if place:
        url = re.sub(r"\{(\w+)\}", r"${__field.labels.\1}", place)
        yield {"title": "Look at it in the console", "url": f"${{console}}{url}", "targetBlank": True}


def _of_series(panel: Panel) -> Iterator[Json]:
    for name, steps in panel.of_series:
        properties = [
            {"id": "thresholds", "value": _thresholds(panel.base, steps)},
            {"id": "color", "value": {"mode": "thresholds"}},
        ]
        yield {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _overrides(queries: Iterable[Query]) -> Iterator[Json]:
    dashes = {"fill": "dash", "dash": [8, 6]}
    for place, query in enumerate(queries):
        if query.dashed:
            yield {
                "matcher": {"id": "byFrameRefID", "options": _letter(place)},
                "properties": [
                    {"id": "custom.lineStyle", "value": dashes},
                    {"id": "custom.fillOpacity", "value": 0},
                    {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
                ],
            }


def _options(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        legend = {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull", "max"]}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {"reduceOptions": reduced, "textMode": "auto", "colorMode": "value", "graphMode": "none"}


def _target(query: Query, place: int, kind: str) -> Json:
    is_table = kind == "table"
    return {
        "refId": _letter(place),
        "datasource": SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend,
        "exemplar": query.exemplars,
        "instant": is_table,
        "range": not is_table,
        "format": "table" if is_table else "time_series",
    }


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _variables(has_route: bool) -> Iterator[Json]:  # noqa: FBT001 - a property of the board
    yield {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    yield _choice("job", "Job", "label_values(strangler_build_info, job)")
    yield _choice("instance", "Instance", 'label_values(strangler_build_info{job=~"$job"}, instance)')
    if has_route:
        yield _choice("route", "Route", f"label_values(strangler_route_stage{{{JOB}}}, route)")
    yield {
        "name": CONSOLE,
        "label": "Console",
        "description": "Where browsers find the proxy's console; links of panels lead there.",
        "type": "textbox",
        "query": _CONSOLE_IS_AT,
        "current": {"text": _CONSOLE_IS_AT, "value": _CONSOLE_IS_AT},
        "hide": 0,
    }


def _choice(name: str, label: str, query: str) -> Json:
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "definition": query,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": _ALL,
        "current": {"text": ["All"], "value": ["$__all"]},
        "sort": 1,
    }


def _annotation(mark: Mark) -> Json:
    return {
        "name": mark.name,
        "enable": True,
        "datasource": SOURCE,
        "expr": mark.expr,
        "step": "10s",
        "iconColor": mark.colour,
        "titleFormat": mark.title,
        "useValueForTime": False,
    }


def _link() -> Json:
    return {
        "type": "dashboards",
        "title": "Strangler",
        "tags": ["strangler"],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
    }


def _console_link() -> Json:
    url = f"${{{CONSOLE}}}/"
    return {"type": "link", "title": "Console", "url": url, "icon": "external link", "targetBlank": True}


# Spells the queries that several dashboards share.


LIVE = f'{ROUTES}, role="live"'
RATE = "$__rate_interval"


def rate(metric: str, by: str, where: str = ROUTES) -> str:
    """Return the rate of a counter, summed by labels."""
    return f"sum by ({by}) (rate({metric}{{{where}}}[{RATE}]))"


def share(part: str, whole: str) -> str:
    """Return one rate as a share of another: nothing, not 0, where there is nothing to share."""
    return f"{part} / ({whole} > 0)"


def quantile(q: float, metric: str, by: str, where: str) -> str:
    """Return a quantile of a histogram, by labels."""
    return f"histogram_quantile({q}, sum by (le, {by}) (rate({metric}_bucket{{{where}}}[{RATE}])))"


def limit(name: str) -> str:
    """Return the guard's limit of that name for the routes chosen."""
    return f'max by (route) (strangler_guard_limit{{{ROUTES}, limit="{name}"}})'


COMPARED = rate("strangler_comparisons_total", "route", f'{ROUTES}, result=~"equal|different|noise"')
DIFFERENT = rate("strangler_comparisons_total", "route", f'{ROUTES}, result="different"')
MARKS = (
    Mark(
        "Rollbacks",
        f"sum by (route, reason) (increase(strangler_rollbacks_total{{{ROUTES}}}[1m])) > 0",
        "red",
        "{{route}} rolled back: {{reason}}",
    ),
    Mark(
        "Changes",
        f'sum by (route, verb) (increase(strangler_route_changes_total{{{ROUTES}, verb!="rollback"}}[1m])) > 0',
        "blue",
        "{{route}}: {{verb}}",
    ),
    Mark(
        "Reloads",
        f"changes(strangler_config_loaded_timestamp_seconds{{{JOB}}}[1m]) > 0",
        "purple",
        "configuration loaded",
    ),
)
"""What happened, from counters: no key of Grafana's is needed."""
