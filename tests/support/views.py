"""Views with default values, to be changed by a test."""

from __future__ import annotations

from typing import Any

from dashboards.views import RouteView, SideView, StatusView

BUSY = SideView(600, 10.0, 6, 0.01, 0.02, 0.12, 0.3)
QUIET = SideView(0, 0.0, 0, 0.0, None, None, None)


def route(**changes: Any) -> RouteView:
    """A canary that behaves."""
    usual: dict[str, Any] = {
        "name": "profile",
        "stage": "canary",
        "intended": 10.0,
        "effective": 10.0,
        "legacy": BUSY,
        "modern": QUIET,
        "mismatch_rate": None,
        "coverage": None,
        "path": "/api/me",
        "methods": ("GET",),
    }
    return RouteView(**{**usual, **changes})


def view(*routes: RouteView) -> StatusView:
    """A proxy in which all is well."""
    return StatusView("abcdef0123", None, ready=True, reasons=(), workers=1, accepting=1, routes=routes)
