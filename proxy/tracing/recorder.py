"""Collects finished calls for a thread that sends them: the data path only appends to a queue.

A collector that is slow or gone costs spans, never requests: the queue is bounded, what does not fit is counted.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Sequence
from random import random
from threading import Event, Thread
from typing import Final, Protocol

from proxy.observe import Exchange
from proxy.trace import is_sampled
from proxy.tracing.spans import Leg, Span, spans_of

WAITING_AT_MOST: Final = 4096
"""Calls and copies that wait to be sent: some megabytes."""
AT_ONCE: Final = 256
EVERY: Final = 1.0
SHORT_TURN: Final = 0.0005
"""Seconds after which the interpreter takes its turn from the sending thread: the event loop must not wait for it."""


class Sender(Protocol):
    """What takes spans away."""

    def send(self, spans: Sequence[Span]) -> bool:
        """Send; False when nobody took them."""

    def close(self) -> None:
        """Give up what is being tried again."""


class Recorder:
    """An observer with a thread of its own.

    `lost` counts calls and copies whose spans nobody got. `_waiting` fills on the event loop, is emptied in the
    thread.
    """

    def __init__(
        self, sender: Callable[[], Sender], failed: Callable[[BaseException | None], None], share: float = 1.0
    ) -> None:
        self.lost = 0
        self._sender = sender
        self._failed = failed
        self._told = False
        self._share = share
        self._waiting: deque[Exchange | Leg] = deque()
        self._over = Event()
        self._thread = Thread(target=self._run, name="spans", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        sys.setswitchinterval(SHORT_TURN)
        self._thread.start()

    def wants(self, traceparent: str) -> bool:
        """Whether a call is recorded: as its caller does, else a share of those that begin here."""
        if traceparent:
            return is_sampled(traceparent)
        return self._share >= 1.0 or random() < self._share  # noqa: S311 - a share

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Take finished calls."""
        for exchange in exchanges:
            if exchange.span:
                self.observe_leg(exchange)

    def observe_leg(self, record: Exchange | Leg) -> None:
        """Take one finished call, or one copy."""
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
        while not self._over.wait(EVERY):
            self._send_all(sender)
        self._send_all(sender)
        sender.close()

    def _send_all(self, sender: Sender) -> None:
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                taken = sender.send([span for record in some for span in spans_of(record)])
                error = None
            except Exception as caught:  # noqa: BLE001 - as above
                taken, error = False, caught
            if not taken:
                self.lost += len(some)
                self._fail(error)
                return
            self._told = False

    def _fail(self, error: BaseException | None) -> None:
        if not self._told:
            self._told = True
            self._failed(error)
