"""Sends a copy of a write only to who has just confirmed that it does nothing with it.

1. a fresh connection is asked first: OPTIONS with X-Shadow: 1 must be answered with X-Shadow-Dry-Run: 1
2. the copy goes over that same connection
3. its answer must confirm as well
One confirmation that is missing ends copies of writes to that backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.http1 import ResponseHead
from proxy.http1.framing import Body
from proxy.serving.pool import Pool
from proxy.serving.recorder import Recorder
from proxy.serving.shadowing.call import ShadowCall
from proxy.serving.shadowing.question import Question
from proxy.serving.upstream import UpstreamConnection

REMEMBERED: Final = 512


class Confirmed:
    """The connections whose other end has confirmed; those that are gone are forgotten in time."""

    def __init__(self) -> None:
        self._connections: set[UpstreamConnection] = set()

    def __contains__(self, connection: UpstreamConnection) -> bool:
        return connection in self._connections

    def add(self, connection: UpstreamConnection) -> None:
        """It confirmed."""
        if len(self._connections) >= REMEMBERED:
            self._connections = {each for each in self._connections if not each.closed}
        self._connections.add(connection)

    def discard(self, connection: UpstreamConnection | None) -> None:
        """It did not."""
        if connection is not None:
            self._connections.discard(connection)


class DryRunCall(ShadowCall):
    """One copy of a write. `kind` is `dry_run` where the side did not confirm: then `unconfirmed` was called."""

    def __init__(
        self,
        question: Question,
        pool: Pool,
        recorder: Recorder,
        clock: Callable[[], float],
        timeout: float,
        ended: Callable[[ShadowCall], None],
        *,
        probe: bytes,
        confirmed: Confirmed,
        unconfirmed: Callable[[str], None],
    ) -> None:
        super().__init__(question, pool, recorder, clock, timeout, ended)
        self._probe = probe
        self._line: UpstreamConnection | None = None
        self._confirmed = confirmed
        self._unconfirmed = unconfirmed
        self._probing = False

    def connected(self, connection: UpstreamConnection) -> None:
        """Ask a fresh connection first whether it keeps copies without effects."""
        self._line = connection
        if connection in self._confirmed:
            super().connected(connection)
            return
        self.wants_connection = False
        self._probing = True
        self.method = "OPTIONS"
        self._connection = connection
        self.target = connection.target.address
        connection.ask(self, self._probe)

    def answer(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Go on with the copy where the probe was confirmed; hear an answer only where that confirms, too."""
        if body is None or body.done:
            self._connection = None  # the pool has it again
        if not head.dry_run:
            what = "the probe" if self._probing else "a copy"
            self._confirmed.discard(self._line)
            self._unconfirmed(f"{what} was answered with {head.status}, without X-Shadow-Dry-Run: 1")
            self.give_up("dry_run")
        elif not self._probing:
            super().answer(head, payload, body)
        elif body is None or body.done:
            self._go_on()

    def more(self, payload: bytes) -> None:
        """What else the probe is told is not read as an answer to the copy."""
        if not self._probing:
            super().more(payload)

    def done(self, payload: bytes, trailers: list[str]) -> None:
        """The probe's answer is whole, or the copy's."""
        if self._probing:
            self._go_on()
        else:
            super().done(payload, trailers)

    def _go_on(self) -> None:
        """Take the connection that was just confirmed; it went back to the pool with the probe's last byte."""
        self._probing = False
        self.method = self.question.method
        self._connection = None
        if self._line is not None:
            self._confirmed.add(self._line)
        connection = self._pool.take(careful=False)
        if connection is None or connection not in self._confirmed:
            # it does not keep connections, or somebody else got this one: what confirmed is not what would be asked
            if connection is not None:
                self._pool.free(connection.target, connection)
            self._end("stale")
            return
        self._line = connection
        self._connection = connection
        self.target = connection.target.address
        connection.ask(self, self.question.data)
