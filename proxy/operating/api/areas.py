"""Puts the areas of the admin API together.

A new area is one file here with a small `Control` protocol, a function `routes(control)`; it is added to both
lists below, its endpoints to `endpoints`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from proxy.operating.api import (
    config,
    diffs,
    drill,
    events,
    explain,
    metrics,
    openapi,
    plan,
    probes,
    reload,
    report,
    status,
    verbs,
)


class Operations(
    probes.Control,
    metrics.Control,
    status.Control,
    explain.Control,
    config.Control,
    reload.Control,
    plan.Control,
    report.Control,
    verbs.Control,
    events.Control,
    drill.Control,
    diffs.Control,
    Protocol,
):
    """All that the admin port may ask for; control offers it."""


def routes(control: Operations) -> Sequence[web.RouteDef]:
    """Return every path of the admin port."""
    areas = _areas(control)
    return (*areas, *openapi.routes(areas))


def _areas(control: Operations) -> Sequence[web.RouteDef]:
    return (
        *probes.routes(control),
        *metrics.routes(control),
        *status.routes(control),
        *explain.routes(control),
        *config.routes(control),
        *reload.routes(control),
        *plan.routes(control),
        *report.routes(control),
        *verbs.routes(control),
        *events.routes(control),
        *drill.routes(control),
        *diffs.routes(control),
    )
