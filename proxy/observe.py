"""Hands finished calls to everybody who adds them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

NOBODY = "none"
"""The side of an answer that the proxy itself made."""


class Attempt(NamedTuple):
    """One try at one backend.

    `kind` is empty for an answer that came whole, else what failed: connect reset timeout broken
    truncated declined, or client (the user went away: nobody's failure). `wait` is seconds from the
    request's last byte sent to the answer's first byte, or the age when it never came.
    """

    side: str
    backend: str
    target: str
    status: int
    kind: str
    wait: float

    @property
    def failed(self) -> bool:
        """Whether the guard counts this against the side: a 5xx or a failure that the backend made."""
        if self.kind in ("client", "declined"):
            return False
        return self.kind != "" or self.status >= 500  # noqa: PLR2004 - HTTP


class Exchange(NamedTuple):
    """One finished call, frozen. Times are seconds, `at` since the epoch; nothing in it names a secret.

    `side` is who was chosen, `answered` whose answer the client got (`none`: the proxy's own).
    `overhead` is `duration` less the time spent waiting for the backend or the client.
    `fallback` is why another side had to answer, else empty. `tunnel` marks upgrades and event streams,
    which are not judged by latency.
    """

    at: float
    request_id: str
    client: str
    method: str
    host: str
    path: str
    route: str
    generation: int
    digest: str
    bucket: float | None
    weight: float
    side: str
    reason: str
    answered: str
    status: int
    attempts: tuple[Attempt, ...]
    fallback: str
    duration: float
    overhead: float
    bytes_in: int
    bytes_out: int
    error: str
    tunnel: bool


Observer = Callable[[Exchange], None]


class Observers:
    """A fan-out that survives its listeners; the list changes only while the process is put together."""

    __slots__ = ("_failed", "_listeners", "failures")

    def __init__(self, failed: Callable[[BaseException], None] = lambda _: None) -> None:
        self._listeners: tuple[Observer, ...] = ()
        self._failed = failed
        self.failures = 0

    def add(self, listener: Observer) -> None:
        """Let `listener` have every exchange that finishes from now on."""
        self._listeners = (*self._listeners, listener)

    def exchange(self, record: Exchange) -> None:
        """Hand `record` to everybody; what a listener raises is counted, told once, never passed on."""
        for listener in self._listeners:
            try:
                listener(record)
            except Exception as error:  # noqa: BLE001 - an observer must not hurt a request
                self.failures += 1
                if self.failures == 1:
                    self._failed(error)
