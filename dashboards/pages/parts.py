"""Draws the small things that several pages share: badges, state, tables, moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dashboards.html import Child, Html, el, join
from dashboards.views import RouteView, StatusView
from dashboards.words import count, percent, spoken_moment

STAGE_NAMES = {
    "legacy": "legacy",
    "shadow": "shadow",
    "canary": "canary",
    "modern": "modern",
    "rolled_back": "rolled back",
    "held": "held",
}


def badge(stage: str) -> Html:
    """Return a stage as a coloured word; the word says it all."""
    return el("span", STAGE_NAMES.get(stage, stage), class_=f"badge {stage}")


def state(view: StatusView) -> Html:
    """Return whether all is well with the proxy itself."""
    if view.error:
        return el("a", "file refused", href="/instances", class_="badge bad")
    if not view.ready:
        return el("a", "not ready", href="/instances", class_="badge bad")
    return el("span", f"ready · {count(view.accepting, 'worker')} · {view.digest[:8]}", class_="quiet")


def table(caption: str, columns: Iterable[str], rows: Child, **attributes: str) -> Html:
    """Return a table; a column that begins with # holds numbers."""
    heads = [
        el("th", column.removeprefix("#"), scope="col", class_="number" if column[:1] == "#" else None)
        for column in columns
    ]
    head = el("thead", el("tr", heads))
    return el(
        "div",
        el("table", el("caption", caption), head, el("tbody", rows, **attributes)),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def moment(text: str) -> Html:
    """Return a timestamp."""
    return el("time", spoken_moment(text), datetime=text, title=f"{text} (UTC)")


def weight(route: RouteView) -> Html:
    """Return the weight in effect, the file's beside it where that is another."""
    meter = el("meter", min=0, max=100, value=route.effective, aria_hidden="true")
    said = percent(route.effective)
    if route.intended != route.effective:
        said = f"{said} (file: {percent(route.intended)})"
    return join(meter, " ", said)


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Return names with their values."""
    return el("dl", [join(el("dt", name), el("dd", value)) for name, value in pairs], class_="facts")


def evidence(value: Any, depth: int = 0) -> Html:
    """Return evidence as nested lists, whatever its shape is."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return facts((str(name).replace("_", " "), evidence(inner, depth + 1)) for name, inner in value.items())
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        return el("ul", [el("li", evidence(inner, depth + 1)) for inner in value])
    return join(_word(value))


_DEEPEST = 5


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)
