"""The story of one request.

1. decide: one draw, one generation, read once and held to the end
2. try the chosen side: a connection from its pool, the head rewritten, the body streamed behind it
3. when that fails before the client has seen a byte: once more on a fresh connection (only where nothing can
   have happened twice), or legacy in modern's place (as far as the route's fallback allows)
4. pass the answer on, head and first bytes in one write, the rest as it comes
5. hand the finished exchange to the observers, the connection to its next request
"""

from __future__ import annotations

from functools import partial
from random import random
from time import time
from typing import TYPE_CHECKING, Final

from proxy.http1 import serialise
from proxy.http1.framing import Body, chunk, last_chunk
from proxy.http1.parse import RequestHead, ResponseHead
from proxy.observe import NOBODY, Attempt, Exchange
from proxy.serving import answers, headers
from proxy.serving.leg import Leg
from rules.decide import decide
from rules.effects import has_effects
from rules.model import LEGACY, MODERN, Facts

if TYPE_CHECKING:
    from proxy.serving.client import ClientConnection
    from proxy.serving.server import Server

PENDING_AT_MOST: Final = 64 * 1024
IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
NEVER_SENT: Final = frozenset(("connect", "connect_timeout", "busy"))
_STATUS: Final = {"timeout": 504, "connect_timeout": 504, "busy": 503}
_DETAIL: Final = {
    "timeout": "The backend did not answer in time.",
    "connect_timeout": "No connection to the backend could be made in time.",
    "connect": "No connection to the backend could be made.",
    "busy": "Every connection to the backend is in use.",
    "reset": "The backend closed the connection before it answered.",
    "broken": "The backend's answer could not be understood.",
    "truncated": "The backend's answer ended too early.",
    "declined": "The backend declined the request, and it could not be repeated elsewhere.",
}


class Call:
    """One request of one client.

    `leg` is the current attempt; `pending` the body bytes that no leg has taken yet; `kept` all of the body
    while it may have to be repeated (None: too large, or never needed); `deadline` (0: none) is when what is
    waited for now has taken too long.
    """

    __slots__ = (
        "_answer", "_bytes_in", "_bytes_out", "_chunk_out", "_started", "attempts", "bound", "client", "deadline",
        "decision", "fallback", "finished", "head", "head_sent", "kept", "kept_size", "leg", "overhead", "pending",
        "pending_size", "request_complete", "request_id", "retried", "server", "status", "stream", "trailers",
        "wants_upgrade",
    )  # fmt: skip

    def __init__(self, server: Server, client: ClientConnection, head: RequestHead, now: float) -> None:
        self.server = server
        self.client = client
        self.head = head
        self.bound = server.bound
        self._started = now
        self.deadline = 0.0
        self.request_complete = not head.has_body
        self.trailers: list[str] = []
        self.pending: list[bytes] = []
        self.pending_size = 0
        self.kept: list[bytes] | None = None
        self.kept_size = 0
        self.attempts: tuple[Attempt, ...] = ()
        self.fallback = ""
        self.retried = False
        self.head_sent = False
        self.finished = False
        self.stream = False
        self.status = 0
        self.overhead = 0.0
        self._bytes_in = 0
        self._bytes_out = 0
        self._chunk_out = False
        self._answer: ResponseHead | None = None
        self.wants_upgrade = head.upgrade == "websocket" and head.method == "GET" and "upgrade" in head.named
        self.request_id = headers.request_id(head, client.peer)
        path, mark, query = head.target.partition("?")
        facts = Facts(
            head.method,
            path,
            query if mark else None,
            head.host,
            head.field,
            partial(self.bound.identity.find, head, client.peer.trusted),
            client.peer.trusted,
            server.unhealthy,
        )
        self.decision = decide(self.bound.generation, facts, random())  # noqa: S311 - a share, not a secret
        self.leg: Leg | None = None

    # ── trying a side ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Try the side that was decided."""
        decision = self.decision
        self.server.in_flight[decision.side] += 1
        if decision.side == MODERN and self.head.has_body:
            self.kept = []
        self._try(decision.side, fresh=False)

    def _try(self, side: str, *, fresh: bool) -> None:
        route = self.decision.route
        policy = route.legacy if side == LEGACY else route.modern
        head = self.head
        own = headers.own_lines(head, self.client.peer, self.request_id)
        if head.chunked:
            own += "Transfer-Encoding: chunked\r\n"
        elif head.length >= 0:
            own += f"Content-Length: {head.length}\r\n"
        if head.expect and not self.kept_size:
            own += "Expect: 100-continue\r\n"
        if self.wants_upgrade:
            own += "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        elif head.te:
            own += "Connection: TE\r\nTE: trailers\r\n"
        target = self.server.target(policy, self.decision.names, head)
        data = serialise.request(head.method, target, head.host, head.lines, own)
        leg = self.leg = Leg(self, side, self.bound.pools[policy.backend], data, chunked=head.chunked)
        now = self.server.clock()
        repeatable = head.method in IDEMPOTENT and not head.has_body
        leg.begin(now, fresh=fresh, careful=not repeatable)
        if leg.wants_connection and self.leg is leg:
            timeout = leg.pool.backend.connect_timeout
            self.deadline = now + timeout + 0.2 if timeout else 0.0

    def take_pending(self) -> list[bytes]:
        """The body pieces that wait; the caller sends them."""
        pieces, self.pending, self.pending_size = self.pending, [], 0
        if pieces:
            self.client.resume_reading()
        return pieces

    def sent(self, leg: Leg) -> None:
        """What there is of the request is on its way; the backend's time runs from the last byte."""
        now = self.server.clock()
        if self.attempts or leg.began != now:
            leg.waited = now - leg.began
        leg.sent_at = now
        if not self.head_sent:
            self.overhead = now - self._started - leg.waited
        timeout = leg.pool.backend.timeout
        self.deadline = now + timeout if timeout else 0.0

    # ── the request's body, from the client ────────────────────────────────────────────────────────────

    def request_data(self, piece: bytes) -> None:
        """A piece of the body came."""
        self._bytes_in += len(piece)
        if self.kept is not None:
            self.kept_size += len(piece)
            if self.kept_size > self.decision.route.fallback.max_body:
                self.kept = None
            else:
                self.kept.append(piece)
        leg = self.leg
        if leg is None or leg.connection is None:
            self.pending.append(piece)
            self.pending_size += len(piece)
            if self.pending_size > PENDING_AT_MOST:
                self.client.pause_reading()
        else:
            if not leg.send(piece):
                self.client.pause_reading()
            if not self.head_sent:
                self.sent(leg)

    def request_end(self, trailers: list[str]) -> None:
        """The body is whole."""
        self.request_complete = True
        self.trailers = trailers
        leg = self.leg
        if leg is not None and leg.connection is not None:
            leg.end(trailers)
            if not self.head_sent:
                self.sent(leg)

    def request_broken(self, status: int, detail: str) -> None:
        """The client's body broke a rule or stopped coming: the backend must see an aborted upload."""
        self._abandon("client")
        if self.head_sent:
            self._finish(NOBODY, status, detail)
            self.client.abort()
        else:
            self._own_answer(status, detail, close=True)

    # ── the answer, from the backend ───────────────────────────────────────────────────────────────────

    def informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on (RFC 9110 15.2), except to HTTP/1.0."""
        if self.head.minor == 1:
            self.client.write(serialise.response(head.status, head.reason, head.lines, ""))

    def answered(self, leg: Leg, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Pass the head on, with what came of the body, unless another side has to answer."""
        if self.finished or leg is not self.leg:
            return
        now = self.server.clock()
        wait = now - leg.sent_at
        self._answer = head
        if leg.side == MODERN:
            if head.decline:
                self._declined(leg, head, wait)
                return
            if head.status in self.decision.route.fallback.statuses and self._may_fall_back("status"):
                self._attempted(leg, head.status, "", wait)
                leg.leave()
                self._fall_back("status")
                return
        leg.waited = wait
        own = self._response_framing(head, body)
        self.status = head.status
        self.head_sent = True
        self.stream = head.stream
        data = serialise.response(head.status, head.reason, head.lines, own)
        if payload:
            self._bytes_out += len(payload)
            if self._chunk_out:
                payload = chunk(payload)
            data += payload
        self.client.write(data)
        if body is None:
            if self._chunk_out:
                self.client.write(last_chunk([]))
            self.overhead += self.server.clock() - now
            self._complete(leg)
        else:
            self._await_more(leg)

    def _response_framing(self, head: ResponseHead, body: Body | None) -> str:
        """Frame the answer for this client; `body` None means that its length is in the head or is nothing."""
        request, own = self.head, ""
        bodyless = request.method == "HEAD" or head.status in (204, 304)
        if head.status == 204 and head.length >= 0:  # noqa: PLR2004 - RFC 9110 8.6
            head.lines = [line for line in head.lines if line[:15].lower() != "content-length:"]
        if head.length < 0 and not bodyless:
            if request.minor == 1:
                own = "Transfer-Encoding: chunked\r\n"
                self._chunk_out = True
            else:
                request.close = True
        if request.close or self.server.draining or not self.request_complete:
            request.close = True
            own += "Connection: close\r\n"
        elif request.minor == 0:
            own += "Connection: keep-alive\r\n"
        if request.strangler and self.client.peer.trusted:
            own += self._debug_lines()
        return own

    def more(self, payload: bytes) -> None:
        """Pass more of the body on."""
        self._bytes_out += len(payload)
        self.client.write(chunk(payload) if self._chunk_out else payload)
        leg = self.leg
        if leg is not None:
            self._await_more(leg)

    def done(self, leg: Leg, trailers: list[str]) -> None:
        """End the answer."""
        if self._chunk_out:
            self.client.write(last_chunk(trailers))
        self._complete(leg)

    def _await_more(self, leg: Leg) -> None:
        if self.client.write_paused:
            if leg.connection is not None:
                leg.connection.pause_reading()
            limit = self.server.limits.idle_timeout
        else:
            limit = 0.0 if self.stream else leg.pool.backend.idle_timeout
        self.deadline = self.server.clock() + limit if limit else 0.0

    def client_resumed(self) -> None:
        """The client takes more again."""
        leg = self.leg
        if leg is not None and leg.connection is not None and self.head_sent:
            leg.connection.resume_reading()
            self._await_more(leg)

    def upgraded(self, leg: Leg, head: ResponseHead, rest: bytes) -> None:
        """From here on the two connections are one tunnel."""
        if leg.connection is None:
            return
        self.status = 101
        self.head_sent = self.stream = True
        leg.waited = self.server.clock() - leg.sent_at
        own = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        self.client.write(serialise.response(101, head.reason, head.lines, own) + rest)
        self.client.tunnel()
        self.deadline = self.server.clock() + self.server.tunnel_idle

    def tunnelled(self, data: bytes) -> None:
        """Bytes from the backend's end of the tunnel."""
        self._bytes_out += len(data)
        self.client.write(data)
        leg = self.leg
        if leg is not None and leg.connection is not None and self.client.write_paused:
            leg.connection.pause_reading()
        self.deadline = self.server.clock() + self.server.tunnel_idle

    def client_tunnelled(self, data: bytes) -> None:
        """Bytes from the client's end of the tunnel."""
        self._bytes_in += len(data)
        leg = self.leg
        if leg is not None and leg.connection is not None:
            leg.connection.write(data)
            if leg.connection.paused:
                self.client.pause_reading()
        self.deadline = self.server.clock() + self.server.tunnel_idle

    # ── when something goes wrong ──────────────────────────────────────────────────────────────────────

    def failed(self, leg: Leg, kind: str, detail: str) -> None:
        """An attempt brought no answer, or not all of it."""
        if self.finished or leg is not self.leg:
            return
        now = self.server.clock()
        if self.head_sent:
            tunnel = self.status == 101  # noqa: PLR2004 - the end of a tunnel is no failure
            self._attempted(leg, self.status, "" if tunnel else kind, leg.waited)
            self._finish(leg.side, self.status, "" if tunnel else detail)
            self.client.close_after_writing() if tunnel else self.client.abort()
            return
        head = self.head
        stale = kind == "reset" and leg.reused and not leg.heard and not self.retried
        if stale and head.method in IDEMPOTENT and not head.has_body:
            self.retried = True
            self._try(leg.side, fresh=True)
            return
        self._attempted(leg, 0, kind, now - (leg.sent_at or leg.began))
        if leg.side == MODERN and self._may_fall_back(kind):
            self._fall_back(kind)
            return
        self._own_answer(_STATUS.get(kind, 502), _DETAIL[kind])

    def expired(self) -> None:
        """What was waited for has taken too long."""
        leg = self.leg
        if leg is None or self.finished:
            return
        if self.head_sent and self.client.write_paused:
            self._abandon("client")
            self._finish(leg.side, self.status, "the client stopped reading")
            self.client.abort()
            return
        kind = "timeout" if leg.connection is not None else "busy"
        leg.leave()
        self.failed(leg, kind, "no byte within the time limit")

    def client_gone(self) -> None:
        """Nobody waits for the answer any more: stop the backend at once."""
        if not self.finished:
            side = self.leg.side if self.leg is not None and self.head_sent else NOBODY
            self._abandon("client")
            self._finish(side, self.status or 499, "the client went away")

    def _abandon(self, kind: str) -> None:
        leg = self.leg
        if leg is not None:
            self._attempted(leg, self.status, kind, leg.waited)
            leg.leave()
            self.leg = None

    def _declined(self, leg: Leg, head: ResponseHead, wait: float) -> None:
        """Modern says that it has done nothing: legacy answers, whatever the method (contract: Fallback)."""
        self._attempted(leg, head.status, "declined", wait)
        leg.leave()
        if self.head.has_body and self.kept is None:
            self._own_answer(502, _DETAIL["declined"], close=True)
        else:
            self._fall_back("declined")

    def _may_fall_back(self, kind: str) -> bool:
        fallback = self.decision.route.fallback
        if self.fallback or fallback.mode == "none":
            return False
        if kind in NEVER_SENT:
            return True
        head = self.head
        if fallback.mode != "safe" or head.method not in ("GET", "HEAD") or self.wants_upgrade:
            return False
        path, mark, query = head.target.partition("?")
        return not has_effects(path, query if mark else None) and (not head.has_body or self.kept is not None)

    def _fall_back(self, reason: str) -> None:
        """Let legacy answer what modern could not."""
        self.fallback = reason
        if self.kept is not None:
            self.pending = list(self.kept)
            self.pending_size = self.kept_size
        self.server.in_flight[MODERN] -= 1
        self.server.in_flight[LEGACY] += 1
        self._try(LEGACY, fresh=False)

    def _own_answer(self, status: int, detail: str, *, close: bool = False) -> None:
        close = close or self.head.close or not self.request_complete or self.server.draining
        self.head.close = close
        seconds = self.server.clock() - self._started
        self.client.write(
            answers.problem(
                status, detail, request_id=self.request_id, seconds=seconds,
                body_wanted=self.head.method != "HEAD", close=close,
            )
        )  # fmt: skip
        self._finish(NOBODY, status, detail)
        self.client.call_finished(keep=not close)

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────

    def _complete(self, leg: Leg) -> None:
        if self.finished:
            return
        if not self.request_complete:
            leg.leave()
        self._attempted(leg, self.status, "", leg.waited)
        self._finish(leg.side, self.status, "")
        self.client.call_finished(keep=not self.head.close)

    def _attempted(self, leg: Leg, status: int, kind: str, wait: float) -> None:
        self.attempts = (*self.attempts, Attempt(leg.side, leg.pool.backend.name, leg.target, status, kind, wait))

    def _finish(self, answered: str, status: int, error: str) -> None:
        self.finished = True
        self.deadline = 0.0
        server, decision, head, generation = self.server, self.decision, self.head, self.bound.generation
        server.in_flight[LEGACY if self.fallback else decision.side] -= 1
        duration = server.clock() - self._started
        server.observe.exchange(
            Exchange(
                time() - duration,
                self.request_id,
                headers.client_address(head, self.client.peer),
                head.method,
                head.host,
                head.target.partition("?")[0],
                decision.route.name,
                generation.number,
                generation.snapshot.digest,
                decision.bucket,
                decision.weight,
                decision.side,
                decision.reason,
                answered,
                status,
                self.attempts,
                self.fallback,
                duration,
                self.overhead,
                self._bytes_in,
                self._bytes_out,
                error,
                self.stream,
            )
        )

    def _debug_lines(self) -> str:
        """Tell a trusted peer that asked how this request was decided."""
        if self.head.field("x-strangler-debug") != "1":
            return ""
        decision = self.decision
        side = LEGACY if self.fallback else decision.side
        bucket = "" if decision.bucket is None else f"X-Strangler-Bucket: {decision.bucket:.6f}\r\n"
        return (
            f"X-Strangler-Route: {decision.route.name}\r\nX-Strangler-Side: {side}\r\n"
            f"{bucket}X-Strangler-Reason: {decision.reason}\r\n"
        )
