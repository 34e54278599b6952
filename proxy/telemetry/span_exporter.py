"""Collects finished requests for a thread that sends their spans: the data path only appends to a queue.

A collector that is slow or gone costs spans, never requests: the queue is bounded, what does not fit is dropped and
counted.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from random import random
from threading import Event, Thread
from time import thread_time
from typing import Final, Protocol

from proxy.telemetry.records import Exchange
from proxy.telemetry.spans import Leg, Span, is_sampled, spans_of

WAITING_AT_MOST: Final = 2048
"""Requests and copies that wait to be sent: some megabytes."""
AT_ONCE: Final = 256
EVERY: Final = 0.5
SHARE: Final = 0.2
"""The share of one processor that sending may take."""
SHORT_TURN: Final = 0.0005
"""Seconds after which the interpreter takes its turn from the sending thread: the event loop must not wait for it."""


class Sender(Protocol):
    """What sends spans."""

    def send(self, spans: Sequence[Span]) -> bool:
        """Send; False when they were not accepted."""

    def close(self) -> None:
        """Cancel retries."""


class SpanExporter:
    """An observer with a thread of its own.

    `lost` counts requests and copies whose spans were not sent. `_waiting` fills on the event loop, is emptied in the
    thread.
    """

    def __init__(
        self, sender: Callable[[], Sender], failed: Callable[[BaseException | None], None], share: float = 1.0
    ) -> None:
        self.lost = 0
        self._sender = sender
        self._failed = failed
        self._reported = False
        self._share = share
        self._waiting: deque[Exchange | Leg] = deque()
        self._over = Event()
        self._thread = Thread(target=self._run, name="spans", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        sys.setswitchinterval(SHORT_TURN)
        self._thread.start()

    def wants(self, traceparent: str) -> bool:
        """Whether a request is traced: as its caller decides, else a share of those that begin here."""
        if traceparent:
            return is_sampled(traceparent)
        return self._share >= 1.0 or random() < self._share  # noqa: S311 - a share

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Queue finished requests."""
        for exchange in exchanges:
            if exchange.span:
                self.observe_leg(exchange)

    def observe_leg(self, record: Exchange | Leg) -> None:
        """Queue one finished request, or one copy."""
        if len(self._waiting) >= WAITING_AT_MOST:
            self.lost += 1
        else:
            self._waiting.append(record)

    def close(self, seconds: float) -> None:
        """Send what waits, for at most so many seconds; it blocks."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            sender = self._sender()
        except Exception as error:  # noqa: BLE001 - a library of others, in a thread of its own
            self._fail(error)
            return
        pause = EVERY
        while not self._over.wait(pause):
            began = thread_time()
            more = self._send_some(sender)
            pause = rest(thread_time() - began, more=more)
        while self._send_some(sender):
            pass  # the caller of close waits no longer than its limit
        sender.close()

    def _send_some(self, sender: Sender) -> bool:
        """Send some of what waits; returns whether it is worth going on."""
        some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        if not some:
            return False
        error: BaseException | None = None
        try:
            taken = sender.send([span for record in some for span in spans_of(record)])
        except Exception as caught:  # noqa: BLE001 - as above
            taken, error = False, caught
        if taken:
            self._reported = False
        else:
            self.lost += len(some)
            self._fail(error)
        return taken and bool(self._waiting)

    def _fail(self, error: BaseException | None) -> None:
        if not self._reported:
            self._reported = True
            self._failed(error)


def rest(spent: float, *, more: bool) -> float:
    """Return the seconds until the next round, after one that cost `spent` seconds of processor time.

    A worker's time belongs to requests: what does not fit into this share is lost, and counted.
    """
    return max(spent / SHARE - spent, 0.0) if more else EVERY
