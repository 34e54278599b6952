"""Tells which requests wait for their answer longer than they should, so that a silent side is noticed in time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from proxy.serving.answering import Answering
    from proxy.serving.client import ClientConnection

PATIENCE: Final = 1.0
"""Seconds after which an answer is late on a route without a guard's `p95`."""


class Age(NamedTuple):
    """One request that waits for the first byte of `side`, since so many seconds."""

    route: str
    side: str
    generation: int
    seconds: float


def ages(clients: Iterable[ClientConnection], now: float) -> list[Age]:
    """The requests that wait longer than the route's P95 limit for an answer's first byte, whole as they are."""
    return [age for client in clients if (call := client.call) is not None and (age := _age(call, now)) is not None]


def _age(call: Answering, now: float) -> Age | None:
    if call.finished or call.head_sent or not call.side or not call.upload.complete:
        return None
    route = call.decision.route
    seconds = now - call.waits_since
    patience = route.guard.p95 if route.guard is not None else PATIENCE
    if seconds <= (patience or PATIENCE):
        return None
    return Age(route.name, call.side, call.bound.generation.number, seconds)
