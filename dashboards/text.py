"""Writes views as cells of words, ready for a terminal's table."""

from __future__ import annotations

from dashboards.views import RouteView, SideView, StatusView

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
NOTHING = "-"
_PRINTED_WHOLE = 100.0
_ALMOST_A_SECOND = 0.9995


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
        _share(route.mismatch_rate),
        _share(route.coverage),
    )


def _side(side: SideView) -> tuple[str, str, str]:
    if not side.requests:
        return NOTHING, NOTHING, NOTHING
    return _number(side.rate), _share(side.error_rate), seconds(side.p95)


def _weight(route: RouteView) -> str:
    if route.intended == route.effective:
        return f"{route.effective:g} %"
    return f"{route.effective:g} % (file: {route.intended:g} %)"


def _share(share: float | None) -> str:
    if share is None:
        return NOTHING
    return f"{share * 100:.2g} %" if share < 1 else "100 %"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= _PRINTED_WHOLE else f"{value:.3g}"


def seconds(value: float | None) -> str:
    """Return a duration as people say it: milliseconds below a second."""
    if value is None:
        return NOTHING
    return f"{value:.3g} s" if value >= _ALMOST_A_SECOND else f"{value * 1000:.3g} ms"
