"""The frozen record of a finished request or mirrored request, and the fan-out to observers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

make: Final = tuple.__new__
"""Makes a named tuple without its own constructor, which costs more than the tuple."""
NO_SIDE: Final = "none"
"""The side of a response that the proxy itself made."""


UNHEALTHY: Final = "unhealthy"
"""The reason of a decision for legacy because modern has no healthy target: each counts as one failure of modern."""
NEUTRAL: Final = ("client", "declined", "busy")
"""Ends of an attempt that are no evidence about its side."""


class Attempt(NamedTuple):
    """One attempt at one backend.

    `kind` is empty for a complete response, else what failed: connect reset timeout broken
    truncated unhealthy (no target was available), or what is no failure of the side: declined, client (the user
    went away or was too slow), busy (the pool had no free connection). `wait` is seconds from the
    request's last byte sent to the response's first byte, or the age when it never came.
    """

    side: str
    backend: str
    target: str
    status: int
    kind: str
    wait: float

    @property
    def failed(self) -> bool:
        """Whether the guard counts this as an error of the side: a 5xx or a failure that the backend made."""
        if self.kind in NEUTRAL:
            return False
        return self.kind != "" or self.status >= 500  # noqa: PLR2004 - HTTP


class Exchange(NamedTuple):
    """One finished request, frozen. Times are seconds, `at` since the epoch; nothing in it names a secret.

    `side` is the chosen one, `answered` the one whose response the client got (`none`: the proxy's own).
    `overhead` is `duration` less the time spent waiting for the backend or the client.
    `fallback` is why another side was asked, else empty. `tunnel` marks upgrades and event streams,
    which are not judged by latency. `traceparent` is the client's, `span` the beginning of our own part of the trace
    (`proxy.telemetry.spans`), empty where it is not recorded. `untranslated` is why the response to a write was
    delivered unmapped though the file has a mapping, else empty.
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
    traceparent: str = ""
    span: str = ""
    untranslated: str = ""


NOTHING: Mapping[str, int] = MappingProxyType({})


class Shadowed(NamedTuple):
    """The result of one request that might have been mirrored, frozen.

    `side` is the one the copy was meant for. `result` is one of `equal sent transient not_compared`, with its `reason`
    (closed lists below); empty for copies of a request recorded before. `calls` are the copies
    that were sent to a side, each with its seconds to the last byte. `failures` says whether modern, whether legacy
    failed, if both got the request, else None. `method`, `path`, `status` are the user's, where there is a response.
    `forgiven` counts by rule the differences that were excused. A record stands for so many requests that fared alike
    as `times` says: those for which there was no copy.
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
    forgiven: Mapping[str, int] = NOTHING
    times: int = 1


# Hands records to everything that adds them up.


Record = TypeVar("Record")


class Observers(Generic[Record]):
    """A fan-out that survives its observers; the list changes only while the process is put together.

    `failures` counts what they raised, and faults of mirroring itself; `failed` is called with the first one.
    `_waiting` are records that no observer has yet: all that come in one turn of the loop are handed on together,
    because going through many at once costs half of what it costs to be called for each.
    """

    __slots__ = ("_listeners", "_soon", "_waiting", "failed", "failures")

    def __init__(self, failed: Callable[[BaseException], None] = lambda _: None) -> None:
        self._listeners: tuple[Callable[[Sequence[Record]], None], ...] = ()
        self._soon: Callable[[Callable[[], None]], object] | None = None
        self._waiting: list[Record] = []
        self.failed = failed
        self.failures = 0

    def add_observer(self, listener: Callable[[Record], None]) -> None:
        """Let `listener` have every record from now on."""

        def each(records: Sequence[Record]) -> None:
            for record in records:
                try:
                    listener(record)
                except Exception as error:  # noqa: BLE001 - as in flush
                    self.mishap(error)

        self.add_batch(each)

    def add_batch(self, listener: Callable[[Sequence[Record]], None]) -> None:
        """Let `listener` have the records from now on, some at a time, in their order."""
        self._listeners = (*self._listeners, listener)

    def emit_by(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """Hand records on in the next turn of a loop, whose `call_soon` this is, instead of at once."""
        self._soon = soon

    def emit(self, record: Record) -> None:
        """Hand `record` to every observer, soon."""
        waiting = self._waiting
        waiting.append(record)
        if len(waiting) == 1:
            self.do_soon(self.flush)

    def do_soon(self, work: Callable[[], None]) -> None:
        """Do `work` when records are handed on."""
        if self._soon is None:
            work()
        else:
            self._soon(work)

    def flush(self) -> None:
        """Hand on what waits; what an observer raises is counted, reported once, never passed on."""
        records, self._waiting = self._waiting, []
        for listener in self._listeners:
            try:
                listener(records)
            except Exception as error:  # noqa: BLE001 - an observer must not hurt a request
                self.mishap(error)

    def mishap(self, error: BaseException) -> None:
        """Count a fault of what only watches; the first one is reported."""
        self.failures += 1
        if self.failures == 1:
            self.failed(error)


# Derives the outcome of a finished request for each side that took part in it.


def last_of_each_side(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Return the attempt that decided for each side.

    A side that failed and then responded has responded: one outcome for each side and request, as the user
    would have seen it without the other side. An attempt that only waited for a connection is no evidence: it does
    not replace an earlier one.
    """
    if len(attempts) == 1:
        return attempts
    waited = {attempt.side: attempt for attempt in attempts if attempt.kind == "busy"}
    return tuple({**waited, **{attempt.side: attempt for attempt in attempts if attempt.kind != "busy"}}.values())


DROPPED: Final = (
    "busy", "capacity", "load", "memory", "unhealthy", "failing", "suspended", "session_busy", "writes_off", "override",
    "untranslatable",
)  # fmt: skip
"""Why no copy was sent though the request was in the sample: the backend, the route's own limit, this worker or its
memory had enough to do; the backend is down, or gave this route no complete response; the route's reads have
effects; the session is in use; writes are not confirmed to be harmless; the body means another method than the one
that may be mirrored; the request cannot be rewritten for the other side."""


SESSION: Final = "session"
"""Why a pair is sent although legacy was asked without a session: it counts where it is equal, else modern's
invariants alone do. The same word says why a pair was not compared."""
"""Why a copy that was sent led to no comparison: only one of the sides' responses is complete or comparable."""
_NOT_ONES_OWN: Final = (401, 403, 419)
_REDIRECTS: Final = range(300, 400)
_NOT_MODIFIED: Final = 304


def is_for_strangers(status: int) -> bool:
    """Whether the response of a side that got no session asks for a login."""
    return status in _NOT_ONES_OWN or (status in _REDIRECTS and status != _NOT_MODIFIED)
