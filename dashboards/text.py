"""Writes views as cells of words, ready for a terminal's table."""

from __future__ import annotations

from dashboards.views import RouteView, SideView, StatusView
from dashboards.words import NOTHING, number, percent, seconds, share

COLUMNS = (
    "route",
    "stage",
    "weight",
    "legacy/s",
    "errors",
    "P95",
    "modern/s",
    "errors",
    "P95",
    "mismatch",
    "coverage",
)


def headline(view: StatusView) -> str:
    """Return the sentence above the table."""
    state = "ready" if view.ready else f"not ready: {', '.join(view.reasons)}"
    said = f"{state} · {view.accepting} of {view.workers} workers accept · configuration {view.digest}"
    return f"{said} · the file on disk is refused" if view.error else said


def rows(view: StatusView) -> tuple[tuple[str, ...], ...]:
    """Return one row of cells for each route, in the order of COLUMNS."""
    return tuple(_row(route) for route in view.routes)


def _row(route: RouteView) -> tuple[str, ...]:
    return (
        route.name,
        route.stage,
        _weight(route),
        *_side(route.legacy),
        *_side(route.modern),
        share(route.mismatch_rate),
        share(route.coverage),
    )


def _side(side: SideView) -> tuple[str, str, str]:
    if not side.requests:
        return NOTHING, NOTHING, NOTHING
    return number(side.rate), share(side.error_rate), seconds(side.p95)


def _weight(route: RouteView) -> str:
    if route.intended == route.effective:
        return percent(route.effective)
    return f"{percent(route.effective)} (file: {percent(route.intended)})"
