"""The life of one proxied request: decide, try a side, retry, fall back.

1. decide: one draw, one generation, read once and held to the end
2. collect a body as far as the buffer goes: a client that sends slowly holds no backend's connection
3. try the chosen side: a connection from its pool, the head rewritten, the body streamed behind it
4. when that fails before the client has seen a byte: once more on a fresh connection (only where nothing can
   have happened twice), or legacy in modern's place (as far as the route's fallback allows)
5. pass the answer on, head and first bytes in one write, the rest as it comes
6. hand the finished exchange to the observers, the connection to its next request
"""

from __future__ import annotations

from typing import Final

from proxy.http1 import RequestHead, ResponseHead, fields
from proxy.http1.framing import chunk, last_chunk
from proxy.telemetry.records import NO_SIDE, UNHEALTHY, Attempt
from proxy.worker import forwarded_headers, retry_policy
from proxy.worker.caching import is_shared
from proxy.worker.client_transport import ClientTransport
from proxy.worker.context import ServerContext
from proxy.worker.fault_injection import TARGET as DRILL_TARGET
from proxy.worker.forwarded_headers import new_id
from proxy.worker.request_state import NO_BODY, RequestBody
from proxy.worker.response_relay import ResponseRelay
from proxy.worker.route_decision import decision_for
from proxy.worker.slow_clients import REQUEST
from proxy.worker.upstream_connection import ConnectionOwner, UpstreamConnection
from rules.model import LEGACY, MODERN, SAFE_METHODS
from rules.routing.mirroring import has_effects, pattern_of
from rules.routing.rewrite import TranslationError

# Stands in a pool's queue for a call.
#
# A call may give up waiting and turn to another side; what then comes from the first pool must not be taken for
# the second's. So each wait has an object of its own, which the call can let go of.


class PendingConnection:
    """One wait for one connection.

    `wants_connection` turns false once, for good; `made_way` true once a slow client was ended for it.
    """

    __slots__ = ("_call", "made_way", "request_kind", "wants_connection")

    def __init__(self, call: ProxiedRequest) -> None:
        self._call = call
        self.request_kind = call.kind
        self.wants_connection = True
        self.made_way = False

    def connected(self, connection: UpstreamConnection) -> None:
        """Hand the connection on."""
        self.wants_connection = False
        try:
            self._call.connected(connection)
        except Exception as error:  # noqa: BLE001 - a fault of our own: the pool serves others
            self._call.client.unforeseen(error, "a connection that came")

    def retrying(self, reason: str) -> None:
        """Count that another address or target is tried."""
        self._call.server.retried(self._call.side, reason)

    def failed(self, kind: str, detail: str) -> None:
        """Hand the failure on."""
        self.wants_connection = False
        try:
            self._call.failed(kind, detail)
        except Exception as error:  # noqa: BLE001 - as above
            self._call.client.unforeseen(error, "a connection that did not come")


STREAMS_AFTER: Final = 1.0
"""Seconds that a body without a length is collected at most: it may be one half of a conversation."""


def may_upgrade(head: RequestHead) -> bool:
    """Whether an Upgrade field counts (RFC 9110 7.8): named by Connection, in a GET of HTTP/1.1 without a body."""
    return head.minor == 1 and head.method == "GET" and "upgrade" in head.named and not head.has_body


class ProxiedRequest(ResponseRelay):
    """One request of one client, from the decision to the last attempt.

    `request_done` once the whole request was handed to the connection; `method`, `wants_upgrade` are what the
    connection must know to read the answer.
    """

    wants_upgrade: bool = False
    request_done: bool = False
    _refreshed: bool = False
    _moved: bool = False
    _collecting: bool = False
    _buffering: bool = False
    _buffered_for: float = 0.0
    _chunk_up: bool = False
    _waiting: PendingConnection | None = None
    _kind: str = ""

    def __init__(self, server: ServerContext, client: ClientTransport, head: RequestHead, now: float) -> None:
        self.server = server
        self.client = client
        self.head = head
        peer = self.peer = client.peer
        self.method = head.method
        self._started = now
        self.request_observer = None  # not above: mypyc leaves out defaults of fields that hold a protocol
        bound = self.bound = server.bound
        fields, trusted = head.fields, peer.trusted
        if fields.unchanged_by is not bound.claims:
            fields = head.fields = fields.cleaned(bound.claims, trusted)
        self.request_id = (trusted and head.request_id) or new_id()
        if server.traced and server.traced(head.traceparent):
            self.span = new_id()[:15]
        if not fields.is_simple:
            if head.strangler and server.drill is not None:
                self.drilled = server.drill.user(head)
            if not trusted:
                head.strangler = ()
            if fields.upgrade == "websocket":
                self.wants_upgrade = may_upgrade(head)
        decision = self.decision = decision_for(self, server)
        if bound.translations:
            self.translations = bound.translations.get(decision.route.name)
        if fields.has_body:
            repeats = decision.side == MODERN or self.translation(LEGACY) is not None
            keep = decision.route.fallback.max_body if repeats else 0
            self.request_body = RequestBody(complete=False, keep_at_most=keep, budget=server.buffers)
        if decision.reason == UNHEALTHY:
            # nothing was asked, because nothing could be: all the same modern has failed this user
            self.attempts = (Attempt(MODERN, decision.route.modern.backend, "", 0, UNHEALTHY, 0.0),)

    @property
    def kind(self) -> str:
        """What it has in common with the requests that are like it."""
        if not self._kind:
            self._kind = f"{self.head.method} {self.decision.route.name} {pattern_of(self.head.line.path)}"
        return self._kind

    # ── trying a side ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Try the side that was decided; a body that has to be translated for it must be whole first."""
        side, head = self.decision.side, self.head
        self.server.in_flight[side] += 1
        fields = head.fields
        if fields.ends_here:
            self.answer_options()
            return
        if fields.via and self._loops(fields.via):
            route = self.decision.route
            self.server.looped((route.legacy if side == LEGACY else route.modern).backend)
            self.own_answer(508, retry_policy.DETAIL["loop"], close=not self.request_body.complete)
            return
        mirror = self.server.mirror
        if mirror is not None and not self.drilled:
            self.request_observer = mirror(self)
        if fields.has_body:
            self._collect(side)
        else:
            self._try(side, fresh=False)

    def _collect(self, side: str) -> None:
        """Wait for the body: whole where it has to be translated, else as far as the buffer goes."""
        translation = self.translation(side)
        self._collecting = translation is not None and translation.converts_body
        self._buffering = not self._collecting
        self._invite_body()
        if self._buffering and self.head.length < 0:
            self.deadline = self._started + STREAMS_AFTER

    def _loops(self, via: tuple[str, ...]) -> bool:
        """Whether this request was here as often as one may be."""
        passes = self.bound.generation.snapshot.listen.via.passes
        return passes > 0 and forwarded_headers.times_here(via, self.peer.via) >= passes

    def _invite_body(self) -> None:
        """Answer `Expect: 100-continue` ourselves (RFC 9110 10.1.1): the body is collected here first."""
        head = self.head
        if head.expect:
            head.expect = False
            self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _begin_upstream(self) -> None:
        """Enough of the body is here: from now on it is the backend's turn."""
        self._buffering = self._collecting = False
        self.began = self.server.clock()
        self._buffered_for = self.began - self._started
        self.deadline = 0.0
        self._try(self.decision.side, fresh=False)

    def _try(self, side: str, *, fresh: bool, avoid: ConnectionOwner | None = None) -> None:
        route, head = self.decision.route, self.head
        policy = route.legacy if side == LEGACY else route.modern
        if self.translations is None and head.fields.is_simple and head.line.is_usual:
            self.asked = forwarded_headers.simple_head(head, self.peer, self.request_id, self._leg())
            careful = head.method not in retry_policy.IDEMPOTENT
        elif self._rewritten(side):
            careful = head.fields.has_body or not retry_policy.IDEMPOTENT.issuperset((head.method, self.method))
        else:
            return
        self.side = side
        pool = self.pool = self.bound.pools[policy.backend]
        if self.drilled and side == MODERN and self.server.drill is not None:
            self.target = DRILL_TARGET
            self.server.drill.fail(self.failed)
            return
        if self.attempts or fresh:
            self.began = self.server.clock()
        is_kept = pool.growth.guarded and not pool.growth.allows(pool.in_use(), self.kind)
        connection = None if fresh or is_kept else pool.acquire_connection(careful=careful)
        if connection is not None:
            self._send_head(connection)
        else:
            self._wait_for_connection(avoid)

    def _rewritten(self, side: str) -> bool:
        """Write the head for `side`, with the body where that has to be translated; False when it cannot be."""
        head = self.head
        self.method = head.method
        target, host, lines = head.target, head.host, head.lines
        chunked, length = head.chunked, head.length
        if self.translations is not None and (translation := self.translation(side)) is not None:
            try:
                target, host, lines = translation.request(head, self.decision.names)
                self.method = translation.method(head.method)
                self.place = target.partition("?")[0]
                if translation.converts_body and head.has_body:
                    lines, payload = translation.body(lines, b"".join(self.request_body.kept or ()))
                    self.request_body.pending = [payload]
                    chunked, length = False, len(payload)
            except TranslationError as error:
                self._untranslatable(side, str(error))
                return False
        own = forwarded_headers.own_lines(head, self.peer, self.request_id, self._leg())
        if length >= 0 or chunked or self.wants_upgrade or head.te:
            expect = head.expect and self.request_body.size == 0
            own += forwarded_headers.framing_lines(
                head, chunked=chunked, length=length, expect=expect, upgrade=self.wants_upgrade
            )
        self.asked = fields.request(self.method, target, host, lines, own)
        self._chunk_up = chunked
        return True

    def _leg(self) -> str:
        """The id of this attempt's span: the call's, with the attempt's number; empty where none is recorded."""
        return f"{self.span}{len(self.attempts) + 1}" if self.span else ""

    def _wait_for_connection(self, avoid: ConnectionOwner | None) -> None:
        waiting = self._waiting = PendingConnection(self)
        timeout = self.pool.backend.connect_timeout
        self.deadline = self.server.clock() + timeout + 0.2 if timeout else 0.0
        self.in_line = not self.pool.open_or_queue(waiting, avoid)
        if self.in_line:
            self.server.pool_wait(self.pool.backend.name)

    def connected(self, connection: UpstreamConnection) -> None:
        """Go on, after having waited for a connection."""
        self._waiting = None
        self.in_line = False
        self.waited = self.server.clock() - (self.began or self._started)
        self._send_head(connection)

    def _send_head(self, connection: UpstreamConnection) -> None:
        """Send the head, with whatever of the body has come by now."""
        self.connection = connection
        self.target = connection.target.address
        request_body = self.request_body
        if request_body is NO_BODY:
            self.request_done = True
            connection.send(self, self.asked)
        else:
            self.request_done = request_body.complete
            pieces = request_body.take_pieces()
            if pieces:
                self.client.resume_reading()
            frames = [self.asked, *((chunk(piece) for piece in pieces) if self._chunk_up else pieces)]
            if request_body.complete and self._chunk_up:
                frames.append(last_chunk(request_body.trailers))
            connection.send(self, b"".join(frames))
        now = self.server.clock()
        if not self.overhead:
            self.overhead = now - self._started - self.waited - self._buffered_for
        self._sent(now)

    def _sent(self, now: float) -> None:
        """What there is of the request is on its way; the backend's time runs from the last byte."""
        self.sent_at = now
        if not self.head_sent:
            timeout = self.pool.backend.timeout if self.request_body.complete else 0.0
            self.deadline = now + timeout if timeout else 0.0

    def leave(self) -> None:
        """Abandon the current attempt: nothing that still arrives of it may be used."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.wants_connection = False
        connection, self.connection = self.connection, None
        if connection is not None and connection.requester is self:
            connection.leave()

    # ── the request's body, from the client ────────────────────────────────────────────────────────────

    def request_data(self, piece: bytes) -> None:
        """A piece of the body came."""
        request_body, connection = self.request_body, self.connection
        request_body.came(piece)
        if self.request_observer is not None:
            self.request_observer.request_data(piece)
        if connection is None:
            affordable = request_body.hold(piece)
            if self._buffering:
                if request_body.budget.fills(request_body.pending_size):
                    self._begin_upstream()
            elif self._collecting and request_body.kept is None:
                self._untranslatable(self.decision.side, "its body is too large")
            elif not affordable and not self._collecting:
                self.client.pause_reading()
            return
        connection.write(chunk(piece) if self._chunk_up else piece)
        if connection.paused:
            self.client.pause_reading()
        self._sent(self.server.clock())

    def request_end(self, trailers: list[str]) -> None:
        """The body is whole."""
        if trailers:
            trailers = self.bound.claims.crossing(trailers, trusted=self.peer.trusted)
        self.request_body.complete = True
        self.request_body.trailers = trailers
        if self.request_observer is not None:
            self.request_observer.request_end()
        if self._collecting or self._buffering:
            self._begin_upstream()
        elif self.connection is not None:
            self.request_done = True
            if self._chunk_up:
                self.connection.write(last_chunk(trailers))
            self._sent(self.server.clock())

    def request_broken(self, status: int, detail: str) -> None:
        """The client's body broke a rule or stopped coming: the backend must see an aborted upload."""
        self._abandon()
        if self.head_sent:
            self.finish(NO_SIDE, status, detail, self.server.clock())
            self.client.abort()
        else:
            self.own_answer(status, detail, close=True)

    def upstream_paused(self) -> None:
        """The backend takes no more for now; that, too, must end some time."""
        self.client.pause_reading()
        timeout = self.pool.backend.timeout
        if timeout and not self.head_sent:
            self.deadline = self.server.clock() + timeout

    def upstream_resumed(self) -> None:
        """The backend takes more again."""
        self.client.resume_reading()
        self._sent(self.server.clock())

    # ── when something goes wrong ──────────────────────────────────────────────────────────────────────

    def failed(self, kind: str, detail: str) -> None:
        """An attempt brought no answer, or not all of it."""
        connection, self.connection = self.connection, None
        self._waiting = None
        if self.head_sent:
            self._cut(kind, detail)
            return
        if connection is not None and self._try_again(kind, connection):
            return
        self.in_line = False
        self.waited = self.server.clock() - (self.sent_at or self.began or self._started)
        self.attempted(0, kind)
        if self.side == MODERN and self._may_fall_back(kind):
            self._fall_back(kind)
        else:
            self.own_answer(retry_policy.status(kind), retry_policy.DETAIL[kind])

    def _try_again(self, kind: str, connection: UpstreamConnection) -> bool:
        """Send once more what did nothing yet: fresh where the connection was stale, else to another target."""
        target, reused = connection.target, connection.answered > 0
        repeatable = kind == "reset" and not connection.received and retry_policy.may_repeat(self.head, self.method)
        if not (reused and kind == "reset"):
            target.note_error(kind, fresh=not connection.received)
        if repeatable and reused and not self._refreshed:
            self._refreshed = True
            self.server.retried(self.side, "stale")
            self._try(self.side, fresh=True)
            return True
        if repeatable and not reused and not self._moved and self.pool.has_another(target):
            self._moved = True
            self.server.retried(self.side, kind)
            self._try(self.side, fresh=True, avoid=target)
            return True
        return False

    def _cut(self, kind: str, detail: str) -> None:
        """The answer ends too early: the client must see that (RFC 9112 8). The end of a tunnel is just one."""
        if self.tunnel is not None:
            self.attempted(self.status, "")
            self.finish(self.side, self.status, "", self.server.clock())
            self.client.close_after_writing()
            return
        self.attempted(self.status, kind)
        self.finish(self.side, self.status, detail, self.server.clock())
        self.client.abort()

    def expired(self) -> None:
        """What was waited for has taken too long."""
        if self.finished:
            return
        if self._buffering:
            self._begin_upstream()
            return
        kind = "timeout" if self._waiting is None else "busy" if self.in_line else "connect_timeout"
        if kind == "timeout" and self.connection is not None:
            self.connection.target.note_error(kind, fresh=False)
        self.leave()
        self.failed(kind, "no byte within the time limit")

    def unforeseen(self) -> None:
        """End after a fault of our own, which is no failure of the side: 502, or a cut where the answer has begun."""
        try:
            self._end_unforeseen()
        except Exception as error:  # noqa: BLE001 - the same fault, as a rule
            self.server.unforeseen(error, "the end of a call")
            self.client.abort()

    def _end_unforeseen(self) -> None:
        if self.finished:
            if self.client.request() is self:
                self.client.abort()
            return
        self._abandon()
        if self.head_sent:
            self.finish(self.side, self.status, retry_policy.DETAIL["unforeseen"], self.server.clock())
            self.client.abort()
        else:
            self.own_answer(502, retry_policy.DETAIL["unforeseen"], close=True)

    def client_stopped_reading(self, told: str = "the client stopped reading") -> None:
        """Nothing of the answer was taken for too long."""
        self._abandon()
        self.finish(self.side, self.status, told, self.server.clock())
        self.client.abort()

    def client_too_slow(self, direction: str) -> None:
        """The client moves its bytes too slowly, or too slowly for a connection that others wait for."""
        self.server.slow_client(direction)
        if direction == REQUEST:
            self.request_broken(408, "The request's body came too slowly.")
        else:
            self.client_stopped_reading("the client reads too slowly")

    def client_gone(self) -> None:
        """The client waits no more for the response: stop the backend at once."""
        if not self.finished:
            side = self.side if self.head_sent else NO_SIDE
            self._abandon()
            told = "" if self.tunnel is not None else "the client went away"
            self.finish(side, self.status or 499, told, self.server.clock())

    def _abandon(self) -> None:
        if self.connection is not None or self._waiting is not None:
            self.attempted(self.status, "client")
            self.leave()

    def answered_elsewhere(self, head: ResponseHead) -> bool:
        """Whether modern's answer is one that legacy has to replace."""
        if head.decline:
            self.attempted(head.status, "declined")
            self.leave()
            if self.request_body.repeatable:
                self._fall_back("declined")
            else:
                self.own_answer(502, retry_policy.DETAIL["declined"], close=True)
            return True
        if head.status in self.decision.route.fallback.statuses and self._may_fall_back("status"):
            self.attempted(head.status, "")
            self.leave()
            self._fall_back("status")
            return True
        if self.minted and is_shared(head.lines) and self._is_read():
            # no cookie can be given with it, so its user has no identity: such a request is legacy's
            self.attempted(head.status, "")
            self.leave()
            self._fall_back("shared")
            return True
        return False

    def _is_read(self) -> bool:
        """Whether asking legacy as well does nothing twice."""
        line = self.head.line
        return line.method in SAFE_METHODS and not has_effects(line.path, line.query)

    def _untranslatable(self, side: str, detail: str) -> None:
        """The request does not fit this side's form: nothing was sent, so the side that takes it as it is answers."""
        self._collecting = False
        if side == MODERN and not self.fallback:
            self._fall_back("untranslatable")
        else:
            self.own_answer(
                502, f"The request could not be translated: {detail}.", close=not self.request_body.complete
            )

    def _may_fall_back(self, kind: str) -> bool:
        return not self.fallback and retry_policy.may_fall_back(
            self.decision.route.fallback,
            kind,
            self.head,
            self.method,
            upgrade=self.wants_upgrade,
            repeatable=self.request_body.repeatable or kind in retry_policy.NEVER_SENT,
        )

    def _fall_back(self, reason: str) -> None:
        """Let legacy answer what modern could not."""
        self.fallback = reason
        self.sent_at = self.waited = 0.0
        self.request_body.rewind()
        self.server.in_flight[MODERN] -= 1
        self.server.in_flight[LEGACY] += 1
        self._try(LEGACY, fresh=False)
