"""Hands what became of mirrored requests to everybody who adds it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from proxy.observe import Attempt


class Shadowed(NamedTuple):
    """What became of one request that might have been mirrored, frozen.

    `side` is whom the copy was meant for. `result` is one of `equal sent transient not_compared`, with its `reason`
    (closed lists in `state.pairs`); empty for copies that belong to a request told of before. `calls` are the copies
    that were put to a side, each with its seconds to the last byte. `failures` says whether modern, whether legacy
    failed, as far as both had their chance, else None. `method`, `path`, `status` are the user's, where he got one.
    """

    route: str
    generation: int
    side: str
    result: str
    reason: str
    calls: tuple[tuple[Attempt, float], ...]
    failures: tuple[bool, bool] | None
    method: str = ""
    path: str = ""
    status: int = 0


Listener = Callable[[Shadowed], None]
BatchListener = Callable[[Sequence[Shadowed]], None]


class ShadowObservers:
    """A fan-out that survives its listeners; `failures` counts theirs, those of mirroring itself.

    `_waiting` are records that nobody has heard of yet: as with calls, those of one turn of the loop are told together.
    """

    __slots__ = ("_listeners", "_soon", "_waiting", "failed", "failures")

    def __init__(self) -> None:
        self._listeners: tuple[BatchListener, ...] = ()
        self._soon: Callable[[Callable[[], None]], object] | None = None
        self._waiting: list[Shadowed] = []
        self.failed: Callable[[BaseException], None] = lambda _: None
        self.failures = 0

    def add(self, listener: Listener) -> None:
        """Let `listener` have every record from now on."""

        def each(records: Sequence[Shadowed]) -> None:
            for record in records:
                try:
                    listener(record)
                except Exception as error:  # noqa: BLE001 - as in tell_now
                    self.mishap(error)

        self.add_batch(each)

    def add_batch(self, listener: BatchListener) -> None:
        """Let `listener` have the records from now on, some at a time, in their order."""
        self._listeners = (*self._listeners, listener)

    def tell_by(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """Tell in the next turn of a loop, whose `call_soon` this is, instead of at once."""
        self._soon = soon

    def tell(self, record: Shadowed) -> None:
        """Hand `record` to everybody, soon."""
        waiting = self._waiting
        waiting.append(record)
        if len(waiting) == 1:
            if self._soon is None:
                self.tell_now()
            else:
                self._soon(self.tell_now)

    def tell_now(self) -> None:
        """Tell everybody what waits; what a listener raises is counted, told once, never passed on."""
        records, self._waiting = self._waiting, []
        for listener in self._listeners:
            try:
                listener(records)
            except Exception as error:  # noqa: BLE001 - an observer must not hurt a request
                self.mishap(error)

    def mishap(self, error: BaseException) -> None:
        """Count a fault of whoever only watches; the first one is told."""
        self.failures += 1
        if self.failures == 1:
            self.failed(error)
