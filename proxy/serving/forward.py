"""The story of one request.

1. decide: one draw, one generation, read once and held to the end
2. try the chosen side: a connection from its pool, the head rewritten, the body streamed behind it
3. when that fails before the client has seen a byte: once more on a fresh connection (only where nothing can
   have happened twice), or legacy in modern's place (as far as the route's fallback allows)
4. pass the answer on, head and first bytes in one write, the rest as it comes
5. hand the finished exchange to the observers, the connection to its next request
"""

from __future__ import annotations

from random import random
from typing import TYPE_CHECKING

from proxy.http1 import serialise
from proxy.http1.framing import Body, chunk, last_chunk
from proxy.http1.parse import RequestHead, ResponseHead
from proxy.observe import NOBODY, Attempt
from proxy.serving import answers, failing, headers, outgoing, record, reply
from proxy.serving.gathering import Gathering
from proxy.serving.leg import Leg
from proxy.serving.transform import Translation
from proxy.serving.tunnel import Tunnel
from proxy.serving.upload import Upload
from rules.decide import decide
from rules.model import LEGACY, MODERN, Facts
from rules.translate import TranslationError

if TYPE_CHECKING:
    from proxy.serving.client import ClientConnection
    from proxy.serving.server import Server


class Call:
    """One request of one client.

    `leg` is the current attempt; `deadline` (0: none) is when what is waited for now has taken too long;
    `head_sent` once the client has begun to get an answer; `finished` is final.
    """

    __slots__ = (
        "_chunk_out", "_collecting", "_gathered", "_minted", "_retried", "_started", "attempts", "bound", "bytes_out",
        "client", "deadline", "decision",
        "fallback", "finished", "head", "head_sent", "leg", "overhead", "request_id", "server", "status", "stream",
        "tunnel", "upload", "wants_upgrade",
    )  # fmt: skip

    def __init__(self, server: Server, client: ClientConnection, head: RequestHead, now: float) -> None:
        self.server = server
        self.client = client
        self.head = head
        self.bound = server.bound
        self.deadline = 0.0
        self.attempts: tuple[Attempt, ...] = ()
        self.fallback = ""
        self.head_sent = False
        self.finished = False
        self.stream = False
        self.status = 0
        self.overhead = 0.0
        self.bytes_out = 0
        self.tunnel: Tunnel | None = None
        self.leg: Leg | None = None
        self._started = now
        self._retried = False
        self._chunk_out = False
        self._minted = ""
        self._collecting = False
        self._gathered: Gathering | None = None
        self.wants_upgrade = head.upgrade == "websocket" and head.method == "GET" and "upgrade" in head.named
        self.request_id = headers.request_id(head, client.peer)
        path, mark, query = head.target.partition("?")
        trusted = client.peer.trusted
        facts = Facts(
            head.method,
            path,
            query if mark else None,
            head.host,
            head.field,
            self._user,
            trusted,
            server.unhealthy,
        )
        self.decision = decide(self.bound.generation, facts, random())  # noqa: S311 - a share, not a secret
        keep = 0
        if head.has_body and (self.decision.side == MODERN or self._translation(LEGACY) is not None):
            keep = self.decision.route.fallback.max_body
        self.upload = Upload(complete=not head.has_body, keep_at_most=keep)

    def _user(self) -> str | None:
        """Who the user is; nobody yet, with a sticky identity: somebody new, decided at once, told with the answer."""
        identity = self.bound.identity
        user = identity.find(self.head, self.client.peer.trusted)
        if user is None and identity.sticky is not None:
            user = self._minted = identity.sticky.mint()
        return user

    @property
    def bytes_in(self) -> int:
        """Body bytes that came from the client."""
        return self.upload.size + (self.tunnel.bytes_in if self.tunnel is not None else 0)

    # ── trying a side ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Try the side that was decided; a body that has to be translated for it must be whole first."""
        side = self.decision.side
        self.server.in_flight[side] += 1
        translation = self._translation(side)
        if translation is not None and translation.converts_body and self.head.has_body:
            self._collecting = True
            if self.head.expect:
                self.head.expect = False
                self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        else:
            self._try(side, fresh=False)

    def _translation(self, side: str) -> Translation | None:
        pair = self.bound.translations.get(self.decision.route.name)
        return None if pair is None else pair[1 if side == MODERN else 0]

    def _try(self, side: str, *, fresh: bool) -> None:
        route, head = self.decision.route, self.head
        policy = route.legacy if side == LEGACY else route.modern
        target, host, lines = head.target, head.host, head.lines
        chunked, length = head.chunked, head.length
        translation = self._translation(side)
        if translation is not None:
            try:
                target, host, lines = translation.request(head, self.decision.names)
                if translation.converts_body and head.has_body:
                    lines, payload = translation.body(lines, b"".join(self.upload.kept or ()))
                    self.upload.pending = [payload]
                    chunked, length = False, len(payload)
            except TranslationError as error:
                self._untranslatable(side, str(error))
                return
        own = headers.own_lines(head, self.client.peer, self.request_id)
        if length >= 0 or chunked or self.wants_upgrade or head.te:
            expect = head.expect and self.upload.size == 0
            own += outgoing.framing_lines(
                head, chunked=chunked, length=length, expect=expect, upgrade=self.wants_upgrade
            )
        data = serialise.request(head.method, target, host, lines, own)
        leg = self.leg = Leg(self, side, self.bound.pools[policy.backend], data, chunked=chunked)
        now = self.server.clock()
        leg.begin(now, fresh=fresh, careful=not failing.may_repeat(head))
        if leg.wants_connection and self.leg is leg:
            timeout = leg.pool.backend.connect_timeout
            self.deadline = now + timeout + 0.2 if timeout else 0.0

    def _untranslatable(self, side: str, detail: str) -> None:
        """The request does not fit this side's form: nothing was sent, so the side that takes it as it is answers."""
        self._collecting = False
        if side == MODERN and not self.fallback:
            self._fall_back("untranslatable")
        else:
            self._own_answer(502, f"The request could not be translated: {detail}.", close=not self.upload.complete)

    def sent(self, leg: Leg) -> None:
        """What there is of the request is on its way; the backend's time runs from the last byte."""
        now = self.server.clock()
        leg.sent_at = now
        if self.head_sent:
            return
        if not self.overhead:
            self.overhead = now - self._started - leg.waited
        timeout = leg.pool.backend.timeout
        self.deadline = now + timeout if timeout else 0.0

    # ── the request's body, from the client ────────────────────────────────────────────────────────────

    def take_pending(self) -> list[bytes]:
        """The body pieces that wait; the caller sends them."""
        pieces = self.upload.take()
        if pieces:
            self.client.resume_reading()
        return pieces

    def request_data(self, piece: bytes) -> None:
        """A piece of the body came."""
        self.upload.came(piece)
        leg = self.leg
        if leg is None or leg.connection is None:
            affordable = self.upload.hold(piece)
            if self._collecting and self.upload.kept is None:
                self._untranslatable(self.decision.side, "its body is too large")
            elif not affordable and not self._collecting:
                self.client.pause_reading()
            return
        if not leg.send(piece):
            self.client.pause_reading()
        self.sent(leg)

    def request_end(self, trailers: list[str]) -> None:
        """The body is whole."""
        self.upload.complete = True
        self.upload.trailers = trailers
        if self._collecting:
            self._collecting = False
            self._try(self.decision.side, fresh=False)
            return
        leg = self.leg
        if leg is not None and leg.connection is not None:
            leg.end(trailers)
            self.sent(leg)

    def request_broken(self, status: int, detail: str) -> None:
        """The client's body broke a rule or stopped coming: the backend must see an aborted upload."""
        self._abandon()
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
        leg.waited = now - leg.sent_at
        if leg.side == MODERN and self._answered_elsewhere(leg, head):
            return
        translation = self._translation(leg.side)
        if translation is not None:
            scheme = "https" if headers.is_secure(self.head, self.client.peer) else "http"
            translation.answer(head, f"{scheme}://{self.head.host}")
            if translation.rewrites_answer and (payload or body is not None):
                self._gathered = Gathering(head, translation)
                self.more(payload)
                if body is None:
                    self._reply_translated(leg)
                return
        self._reply(head, payload, body)
        if body is None:
            self.overhead += self.server.clock() - now
            self._complete(leg)
        else:
            self._await_more(leg)

    def _reply(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Write the head, with the first bytes of the body behind it."""
        request = self.head
        if self.server.draining or not self.upload.complete:
            request.close = True
        chunked = self._chunk_out = reply.chunks(request, head, body)
        own = reply.own_lines(request, chunked=chunked)
        sticky = self.bound.identity.sticky
        if self._minted and sticky is not None:
            own += sticky.line(self._minted, secure=headers.is_secure(request, self.client.peer))
        if request.strangler and self.client.peer.trusted:
            own += reply.debug_lines(request, self.decision, self.fallback)
        lines = reply.without_length(head.lines) if head.status == 204 and head.length >= 0 else head.lines  # noqa: PLR2004
        self.status = head.status
        self.stream = head.stream
        self.head_sent = True
        data = serialise.response(head.status, head.reason, lines, own)
        if payload:
            self.bytes_out += len(payload)
            data += chunk(payload) if chunked else payload
        self.client.write(data)

    def _reply_translated(self, leg: Leg) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is None:
            return
        try:
            head, payload = gathered.translated()
        except TranslationError as error:
            self.failed(leg, "untranslatable", str(error))
            return
        self._reply(head, payload, None)
        self._complete(leg)

    def _answered_elsewhere(self, leg: Leg, head: ResponseHead) -> bool:
        """Whether modern's answer is one that legacy has to replace."""
        route = self.decision.route
        if head.decline:
            self._attempted(leg, head.status, "declined")
            leg.leave()
            if self.upload.repeatable:
                self._fall_back("declined")
            else:
                self._own_answer(502, failing.DETAIL["declined"], close=True)
            return True
        if head.status in route.fallback.statuses and self._may_fall_back("status"):
            self._attempted(leg, head.status, "")
            leg.leave()
            self._fall_back("status")
            return True
        return False

    def more(self, payload: bytes) -> None:
        """Pass more of the body on."""
        gathered, leg = self._gathered, self.leg
        if gathered is not None:
            if not gathered.add(payload) and leg is not None:
                self._gathered = None
                leg.leave()
                self.failed(leg, "untranslatable", "the answer is too large to be translated")
            return
        self.bytes_out += len(payload)
        self.client.write(chunk(payload) if self._chunk_out else payload)
        if leg is not None:
            self._await_more(leg)

    def done(self, leg: Leg, trailers: list[str]) -> None:
        """End the answer."""
        if self.finished or leg is not self.leg:
            return
        if self._gathered is not None:
            self._reply_translated(leg)
            return
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
        self.client.write(serialise.response(101, head.reason, head.lines, own))
        self.tunnel = Tunnel(self.client, leg.connection, self._tunnel_active)
        self._tunnel_active()
        if rest:
            self.tunnel.from_upstream(rest)
        self.client.start_tunnel(self.tunnel)

    def _tunnel_active(self) -> None:
        self.deadline = self.server.clock() + self.server.tunnel_idle

    # ── when something goes wrong ──────────────────────────────────────────────────────────────────────

    def failed(self, leg: Leg, kind: str, detail: str) -> None:
        """An attempt brought no answer, or not all of it."""
        if self.finished or leg is not self.leg:
            return
        if self.head_sent:
            self._cut(leg, kind, detail)
            return
        if kind == "reset" and leg.reused and not leg.heard and not self._retried and failing.may_repeat(self.head):
            self._retried = True
            self._try(leg.side, fresh=True)
            return
        leg.waited = self.server.clock() - (leg.sent_at or leg.began)
        self._attempted(leg, 0, kind)
        if leg.side == MODERN and self._may_fall_back(kind):
            self._fall_back(kind)
        else:
            self._own_answer(failing.status(kind), failing.DETAIL[kind])

    def _cut(self, leg: Leg, kind: str, detail: str) -> None:
        """The answer ends too early: the client must see that (RFC 9112 8). The end of a tunnel is just one."""
        if self.tunnel is not None:
            self._attempted(leg, self.status, "")
            self._finish(leg.side, self.status, "")
            self.client.close_after_writing()
            return
        self._attempted(leg, self.status, kind)
        self._finish(leg.side, self.status, detail)
        self.client.abort()

    def expired(self) -> None:
        """What was waited for has taken too long."""
        leg = self.leg
        if leg is None or self.finished:
            return
        if self.head_sent and self.client.write_paused:
            self._abandon()
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
            self._abandon()
            self._finish(side, self.status or 499, "" if self.tunnel is not None else "the client went away")

    def _abandon(self) -> None:
        leg = self.leg
        if leg is not None:
            self._attempted(leg, self.status, "client")
            leg.leave()

    def _may_fall_back(self, kind: str) -> bool:
        return not self.fallback and failing.may_fall_back(
            self.decision.route.fallback,
            kind,
            self.head,
            upgrade=self.wants_upgrade,
            repeatable=self.upload.repeatable or kind in failing.NEVER_SENT,
        )

    def _fall_back(self, reason: str) -> None:
        """Let legacy answer what modern could not."""
        self.fallback = reason
        self.upload.rewind()
        self.server.in_flight[MODERN] -= 1
        self.server.in_flight[LEGACY] += 1
        self._try(LEGACY, fresh=False)

    def _own_answer(self, status: int, detail: str, *, close: bool = False) -> None:
        head = self.head
        close = head.close = close or head.close or not self.upload.complete or self.server.draining
        seconds = self.server.clock() - self._started
        wanted = head.method != "HEAD"
        self.client.write(
            answers.problem(
                status, detail, request_id=self.request_id, seconds=seconds, body_wanted=wanted, close=close
            )
        )
        self._finish(NOBODY, status, detail)
        self.client.call_finished(keep=not close)

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────

    def _complete(self, leg: Leg) -> None:
        if not self.upload.complete:
            leg.leave()
        self._attempted(leg, self.status, "")
        self._finish(leg.side, self.status, "")
        self.client.call_finished(keep=not self.head.close)

    def _attempted(self, leg: Leg, status: int, kind: str) -> None:
        attempt = Attempt(leg.side, leg.pool.backend.name, leg.target, status, kind, leg.waited)
        self.attempts = (*self.attempts, attempt) if self.attempts else (attempt,)

    def _finish(self, answered: str, status: int, error: str) -> None:
        """Freeze what happened; the leg is let go so that reference counting alone clears the call away."""
        self.finished = True
        self.deadline = 0.0
        server = self.server
        server.in_flight[LEGACY if self.fallback else self.decision.side] -= 1
        duration = server.clock() - self._started
        server.observe.exchange(record.exchange(self, answered, status, error, duration))
        self.leg = None
