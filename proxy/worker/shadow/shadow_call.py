"""One copy put to one side; dry-run confirmation of writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.http1 import ResponseHead
from proxy.http1.framing import Body
from proxy.state.mirror_outcomes import ANSWERED, FAILURES
from proxy.telemetry.records import Attempt, make
from proxy.worker.connection_pool import Pool
from proxy.worker.shadow.outcome import SideResult
from proxy.worker.shadow.request_copy import RequestCopy
from proxy.worker.shadow.response_copy import ResponseCopy
from proxy.worker.transform import BufferedResponse, gathering
from proxy.worker.upstream_connection import UpstreamConnection
from rules.routing.rewrite import TranslationError

Copies = tuple[tuple[Attempt, float], ...]
"""Copies that were put to a side, each with its seconds to the last byte."""


class ShadowCall:
    """One exchange (`upstream.Asker`, `pool.Waiter`); `ended(self)` is called once.

    `kind` is empty for an answer that came whole, else what failed: the kinds of `observe.Attempt`, `stale` (a kept
    connection that the backend had just closed: no failure), `untranslatable`, `stream`, or why it was given
    up. `deadline` is when it has taken too long; `waited` are seconds to the first byte, `seconds` to the last.
    """

    wants_upgrade = False
    request_done = True
    kind = ""
    over = False
    target = ""
    waited = 0.0
    seconds = 0.0
    confirmed = False
    wants_connection = True
    made_way = False
    request_kind = ""
    _connection: UpstreamConnection | None = None
    _reused = False
    _gathered: BufferedResponse | None = None

    def __init__(
        self,
        question: RequestCopy,
        pool: Pool,
        recorder: ResponseCopy,
        clock: Callable[[], float],
        timeout: float,
        ended: Callable[[ShadowCall], None],
    ) -> None:
        self.request_copy = question
        self.method = question.method
        self.response_copy = recorder
        self._pool = pool
        self._clock = clock
        self._ended = ended
        self._began = clock()
        self.deadline = self._began + timeout if timeout else 0.0

    def start(self) -> None:
        """Take a connection that is idle, or wait for one."""
        connection = self._pool.acquire_connection(careful=True)
        if connection is None:
            self._pool.open_or_queue(self)
        else:
            self.connected(connection)

    def expired(self) -> None:
        """It has taken too long."""
        self.give_up("timeout")

    def give_up(self, reason: str) -> None:
        """Let go of the side; what it sends from now on is ignored."""
        if self.over:
            return
        self.wants_connection = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.leave()
        self._end(reason)

    def copies(self) -> Copies:
        """What `Shadowed` reports about this one."""
        attempt = self.attempt()
        return () if attempt is None else ((attempt, self.seconds),)

    def attempt(self) -> Attempt | None:
        """How it went, for the observers; None where that says nothing about the side."""
        kind = "" if self.kind in ANSWERED else self.kind
        if kind and kind not in FAILURES:
            return None
        side, backend = self.request_copy.side, self._pool.backend.name
        return make(Attempt, (side, backend, self.target, self.response_copy.status, kind, self.waited))

    def side_result(self) -> SideResult:
        """What the side said."""
        return SideResult(self.request_copy.side, self.response_copy, self.kind, self.waited)

    # ── called by the pool ─────────────────────────────────────────────────────────────────────────────

    def connected(self, connection: UpstreamConnection) -> None:
        """Ask."""
        self.wants_connection = False
        self._reused = connection.answered > 0
        self._connection = connection
        self.target = connection.target.address
        connection.send(self, self.request_copy.data)

    def retrying(self, reason: str) -> None:
        """Another address is tried; nothing was sent, so nothing is repeated."""

    # ── called by the connection ───────────────────────────────────────────────────────────────────────

    def failed(self, kind: str, detail: str) -> None:  # noqa: ARG002 - as Asker
        """There is no answer, or not all of it."""
        if self.over:
            return
        connection, self._connection = self._connection, None
        heard = connection is not None and connection.received
        self._end("stale" if kind == "reset" and self._reused and not heard else kind)

    def unforeseen(self) -> None:
        """A fault of our own: nothing is said of the side."""
        self.give_up("shed")

    def informational(self, head: ResponseHead) -> None:
        """Wait for the final answer."""

    def upgraded(self, head: ResponseHead, rest: bytes) -> None:
        """Nothing to do: copies do not ask for an upgrade."""

    def tunnelled(self, data: bytes) -> None:
        """There is no tunnel."""

    def upstream_paused(self) -> None:
        """The whole request waits in the transport: it is no larger than the route allows, the deadline runs."""

    def upstream_resumed(self) -> None:
        """There is nothing more to send."""

    def answer(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Record the answer as the client would get it."""
        self.waited = self._clock() - self._began
        self.confirmed = head.dry_run
        whole = body is None or body.done
        if whole:
            self._connection = None
        if head.decline:
            self.give_up("declined")
            return
        if head.stream:
            self.response_copy.status = head.status
            self.give_up("stream")
            return
        translation = self.request_copy.translation
        if translation is not None:
            head = head.copy()  # heads are shared
            translation.answer(head, self.request_copy.own_url, self.request_copy.place)
            if translation.rewrites_answer:
                empty = not payload and body is None
                self._gathered = gathering(head, translation, method=self.method, is_empty=empty)
        if self._gathered is None:
            recorder = self.response_copy
            recorder.head = head
            recorder.began(head.status, head.lines, payload)
            if whole:
                self._end(recorder.lost)
            elif recorder.lost:
                self.give_up(recorder.lost)
            return
        self._take(payload)
        if whole and not self.over:
            self._complete()

    def more(self, payload: bytes) -> None:
        """More of the body came."""
        self._take(payload)

    def done(self, payload: bytes, trailers: list[str]) -> None:  # noqa: ARG002 - as Asker
        """The body's last piece came; the connection is the pool's again."""
        self._connection = None
        self._take(payload)
        if not self.over:
            self._complete()

    def _take(self, payload: bytes) -> None:
        """Keep a piece; a side that sends more than is kept is left at once, not read to its end."""
        if self._gathered is not None:
            if not self._gathered.add_piece(payload):
                self.give_up("untranslatable")
            return
        if payload:
            self.response_copy.add_payload(payload)
            if self.response_copy.lost:
                self.give_up(self.response_copy.lost)

    def _complete(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is not None:
            try:
                head, payload = gathered.translated()
            except TranslationError:
                self._end("untranslatable")
                return
            self.response_copy.began(head.status, head.lines, payload)
        self._end(self.response_copy.lost)

    def _end(self, kind: str) -> None:
        self.over = True
        self.kind = kind
        self._gathered = None
        now = self._clock()
        self.seconds = now - self._began
        self.waited = self.waited or self.seconds
        ended, self._ended = self._ended, _ended_already  # no circle of references stays
        ended(self)


def _ended_already(_call: ShadowCall) -> None:
    """Do nothing: the end was reported once."""


# Sends a copy of a write only to who has just confirmed that it does nothing with it.
#
# 1. a fresh connection is asked first: OPTIONS with X-Shadow: 1 must be answered with X-Shadow-Dry-Run: 1
# 2. the copy goes over that same connection
# 3. its answer must confirm as well
# One confirmation that is missing ends copies of writes to that backend.


REMEMBERED: Final = 512


class Confirmed:
    """The connections whose other end has confirmed; those that are gone are forgotten in time."""

    def __init__(self) -> None:
        self._connections: set[UpstreamConnection] = set()

    def __contains__(self, connection: UpstreamConnection) -> bool:
        return connection in self._connections

    def add_connection(self, connection: UpstreamConnection) -> None:
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
        question: RequestCopy,
        pool: Pool,
        recorder: ResponseCopy,
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
        connection.send(self, self._probe)

    def answer(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Go on with the copy where the probe was confirmed; take an answer only where that confirms, too."""
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
        """What else the probe receives is not read as an answer to the copy."""
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
        self.method = self.request_copy.method
        self._connection = None
        if self._line is not None:
            self._confirmed.add_connection(self._line)
        connection = self._pool.acquire_connection(careful=False)
        if connection is None or connection not in self._confirmed:
            # it does not keep connections, or another call got this one: the copy must not go to an unconfirmed one
            if connection is not None:
                connection.target.free(connection)
            self._end("stale")
            return
        self._line = connection
        self._connection = connection
        self.target = connection.target.address
        connection.send(self, self.request_copy.data)
