"""Hands what became of mirrored requests to everybody who adds it up."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from proxy.observe import Attempt


class Shadowed(NamedTuple):
    """What became of one request that might have been mirrored, frozen.

    `side` is whom the copy was meant for. `result` is one of `equal sent transient not_compared`, with its `reason`
    (closed lists in `state.pairs`); empty for copies that belong to a request told of before. `calls` are the copies
    that were put to a side, each with its seconds to the last byte. `failures` says whether modern, whether legacy
    failed, as far as both had their chance, else None.
    """

    route: str
    generation: int
    side: str
    result: str
    reason: str
    calls: tuple[tuple[Attempt, float], ...]
    failures: tuple[bool, bool] | None


Listener = Callable[[Shadowed], None]


class ShadowObservers:
    """A fan-out that survives its listeners; `failures` counts theirs, those of mirroring itself."""

    __slots__ = ("_listeners", "failed", "failures")

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self.failed: Callable[[BaseException], None] = lambda _: None
        self.failures = 0

    def add(self, listener: Listener) -> None:
        """Let `listener` have every record from now on."""
        self._listeners = (*self._listeners, listener)

    def tell(self, record: Shadowed) -> None:
        """Hand `record` to everybody; what a listener raises is counted, told once, never passed on."""
        for listener in self._listeners:
            try:
                listener(record)
            except Exception as error:  # noqa: BLE001 - an observer must not hurt a request
                self.mishap(error)

    def mishap(self, error: BaseException) -> None:
        """Count a fault of whoever only watches; the first one is told."""
        self.failures += 1
        if self.failures == 1:
            self.failed(error)
