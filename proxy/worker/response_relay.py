"""Passes one response on to its client: as it comes, translated, or one of our own.

`forwarding` extends it: where responses come from, and what happens when one does not come.
"""

from __future__ import annotations

from typing import Final

from proxy.http1 import ResponseHead, fields
from proxy.http1.framing import Body, chunk, last_chunk
from proxy.telemetry.records import NO_SIDE, Attempt, make
from proxy.worker import forwarded_headers, request_state, responses
from proxy.worker.caching import PRIVATE, is_private, is_shared
from proxy.worker.client_transport import ClientTransport, Tunnel
from proxy.worker.connection_pool import Pool
from proxy.worker.context import ServerContext
from proxy.worker.request_state import NO_BODY, RequestObserver, RequestState
from proxy.worker.transform import BufferedResponse, Translation, gathering
from rules.model import LEGACY, MODERN, SAFE_METHODS
from rules.routing.rewrite import TranslationError

PROCESSING_AT_MOST: Final = 10
"""Times a backend's `timeout` that 1xx answers can put its end off."""


class ResponseRelay(RequestState):
    """One request of one client, seen from the client.

    `pool`, `target` are those of the current attempt. `deadline` (0: none) is when what is waited for now has taken
    too long. `place` is the path that a side with other words was asked for.
    """

    deadline: float = 0.0
    status: int = 0
    tunnel: Tunnel | None = None
    translations: tuple[Translation | None, Translation | None] | None = None
    target: str = ""
    place: str = "/"
    _chunk_out: bool = False
    _gathered: BufferedResponse | None = None
    _streamed: ResponseHead | None = None

    server: ServerContext
    client: ClientTransport
    pool: Pool
    request_observer: RequestObserver | None

    @property
    def bytes_in(self) -> int:
        """Body bytes that came from the client."""
        return self.request_body.size + (self.tunnel.bytes_in if self.tunnel is not None else 0)

    def translation(self, side: str) -> Translation | None:
        """What puts this call into one side's words; None where none is needed."""
        pair = self.translations
        return None if pair is None else pair[1 if side == MODERN else 0]

    @property
    def is_measured(self) -> bool:
        """Whether the client has to take its answer at some rate: a stream may be read as slowly as it comes."""
        head = self._streamed
        if self.stream or self.tunnel is not None or head is None:
            return False
        return not any(line[:19].lower() == "x-accel-buffering: " and line[19:].lower() == "no" for line in head.lines)

    # ── what the other half decides ────────────────────────────────────────────────────────────────────

    def failed(self, kind: str, detail: str) -> None:
        """An attempt brought no answer, or not all of it."""
        raise NotImplementedError

    def answered_elsewhere(self, head: ResponseHead) -> bool:
        """Whether this answer is one that legacy has to replace."""
        raise NotImplementedError

    def leave(self) -> None:
        """Abandon the current attempt: nothing that still arrives of it may be used."""
        raise NotImplementedError

    # ── the answer, from the backend ───────────────────────────────────────────────────────────────────

    def informational(self, head: ResponseHead) -> None:
        """Pass a 1xx on (RFC 9110 15.2), except to HTTP/1.0; a backend that says it works gets time for that."""
        timeout = self.pool.backend.timeout
        if timeout and self.request_body.complete:
            now = self.server.clock()
            self.deadline = min(now + timeout, self.sent_at + PROCESSING_AT_MOST * timeout)
        if self.head.minor == 1:
            if self.translations is not None and (translation := self.translation(self.side)) is not None:
                head = head.copy()  # heads are shared
                translation.answer(head, forwarded_headers.own_url(self.head, self.peer), self.place)
            lines = responses.without_length(head.lines) if head.length >= 0 else head.lines
            self.client.write(fields.response(head.status, head.reason, lines, ""))

    def answer(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Pass the head on, with what came of the body, unless another side has to answer.

        Without more to follow, the connection is the pool's again already.
        """
        now = self.server.clock()
        self.waited = now - self.sent_at
        whole = body is None or body.done
        if whole:
            self.connection = None
        if self.side == MODERN:
            unwanted = head.decline or head.status in self.decision.route.fallback.statuses or bool(self.minted)
            if unwanted and self.answered_elsewhere(head):
                return
        if self.translations is not None:
            translated = self._translated(head, payload, body)
            if translated is None:
                return
            head = translated
        self._reply(head, payload, body)
        if not whole:
            self._streamed = head
            self._await_more()
            return
        if self._chunk_out and body is not None:
            self.client.write(last_chunk(body.trailers))
        ended = self.server.clock()
        self.overhead += ended - now
        self._complete(ended)

    def _translated(self, head: ResponseHead, payload: bytes, body: Body | None) -> ResponseHead | None:
        """Put the head into the client's words; None when the body has to be collected for that as well."""
        translation = self.translation(self.side)
        if translation is None:
            return head
        head = head.copy()
        translation.answer(head, forwarded_headers.own_url(self.head, self.peer), self.place)
        if not translation.rewrites_answer:
            return head
        empty = not payload and body is None
        gathered = self._gathered = gathering(head, translation, method=self.head.method, is_empty=empty)
        if gathered is None:
            return head
        whole = body is None or body.done
        trailers = body.trailers if body is not None else []
        if not gathered.add_piece(payload):
            self._too_large(trailers if whole else None)
        elif whole:
            self._reply_translated(trailers)
        return None

    def _reply(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """Write the head, with the first bytes of the body behind it."""
        request, lines, own = self.head, head.lines, ""
        if self.server.draining or not self.request_body.complete:
            request.close = True
        chunked = False
        if head.length < 0 or request.close or request.minor == 0:
            chunked = self._chunk_out = responses.chunks(request, head, body)
            own = responses.own_lines(request, chunked=chunked)
        if self.minted or request.strangler:
            own += self._lines_for_some(lines)
        status = self.status = head.status
        if status == 204 and head.length >= 0:  # noqa: PLR2004 - RFC 9110 8.6
            lines = responses.without_length(lines)
        if head.stream:
            self.stream = True
        self.head_sent = True
        if own or lines is not head.lines or not head.written:
            data = fields.response(status, head.reason, lines, own)
        else:
            data = head.written
        if self.request_observer is not None:
            self.request_observer.answer_began(head, lines, payload)
        if payload:
            self.bytes_out = len(payload)
            data += chunk(payload) if chunked else payload
        self.client.write(data)

    def _lines_for_some(self, lines: list[str]) -> str:
        """The cookie of a new user, unless the answer is for many; the decision for a trusted peer that asked."""
        own, peer, sticky = "", self.peer, self.bound.identity.sticky
        if self.minted and sticky is not None and not is_shared(lines):
            own = sticky.line(self.minted, secure=forwarded_headers.is_secure(self.head, peer))
            own += "" if is_private(lines) else PRIVATE
        if peer.trusted:
            own += responses.debug_lines(self.head, self.decision, self.fallback)
        return own

    def _reply_translated(self, trailers: list[str]) -> None:
        gathered = self._gathered
        if gathered is None:
            return
        try:
            head, payload = gathered.translated()
        except TranslationError as error:
            self._untranslated(str(error), trailers)
            return
        self._gathered = None
        self._reply(head, payload, None)
        self._complete(self.server.clock())

    def _too_large(self, trailers: list[str] | None) -> None:
        self._untranslated("the answer is too large to be translated", trailers)

    def _untranslated(self, why: str, trailers: list[str] | None) -> None:
        """Deliver what answers a write as it came: it was done, a 502 would have people do it again.

        `trailers` None: there is more of it to come.
        Nothing was done by a read, so it has an answer from elsewhere, or none.
        """
        gathered, self._gathered = self._gathered, None
        if gathered is None:
            return
        if self.head.method in SAFE_METHODS:
            self.leave()
            self.failed("untranslatable", why)
            return
        self.untranslated = why
        self._reply(gathered.head, gathered.whole, None)
        if trailers is None:
            self._await_more()
            return
        if self._chunk_out:
            self.client.write(last_chunk(trailers))
        self._complete(self.server.clock())

    def more(self, payload: bytes) -> None:
        """Pass more of the body on."""
        gathered = self._gathered
        if gathered is not None:
            if not gathered.add_piece(payload):
                self._too_large(None)
            return
        self.bytes_out += len(payload)
        self.client.write(chunk(payload) if self._chunk_out else payload)
        if self.request_observer is not None:
            self.request_observer.answer_data(payload)
        self._await_more()

    def done(self, payload: bytes, trailers: list[str]) -> None:
        """End the answer; whatever happens now is no longer the connection's business."""
        self.connection = None
        gathered = self._gathered
        if gathered is not None:
            if gathered.add_piece(payload):
                self._reply_translated(trailers)
            else:
                self._too_large(trailers)
            return
        if payload:
            self.bytes_out += len(payload)
            self.client.write(chunk(payload) if self._chunk_out else payload)
            if self.request_observer is not None:
                self.request_observer.answer_data(payload)
        if self._chunk_out:
            self.client.write(last_chunk(trailers))
        self._complete(self.server.clock())

    def _await_more(self) -> None:
        if self.tunnel is not None:
            self._tunnel_active()
            return
        if self.connection is not None and self.server.buffers.is_scarce():
            self.connection.bound_reads(bounded=True)
        if self.client.write_paused and self.client.is_full():
            if self.connection is not None:
                self.connection.pause_reading()
            limit = 0.0  # the client's time is another's business: `client.look`
        else:
            limit = 0.0 if self.stream else self.pool.backend.idle_timeout
        self.deadline = self.server.clock() + limit if limit else 0.0

    def client_resumed(self) -> None:
        """The client takes more again."""
        if self.connection is not None and self.head_sent:
            self.connection.resume_reading()
            self._await_more()

    def upgraded(self, head: ResponseHead, rest: bytes) -> None:
        """From here on the two connections are one tunnel."""
        if self.connection is None:
            return
        self.status = 101
        self.head_sent = self.stream = True
        self.waited = self.server.clock() - self.sent_at
        own = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        self.client.write(fields.response(101, head.reason, responses.without_length(head.lines), own))
        self.tunnel = Tunnel(self.client, self.connection, self._tunnel_active)
        self._tunnel_active()
        if rest:
            self.tunnel.from_upstream(rest)
        self.client.start_tunnel(self.tunnel)

    def tunnelled(self, data: bytes) -> None:
        """Bytes of the upgraded connection came."""
        if self.tunnel is not None:
            self.tunnel.from_upstream(data)

    def _tunnel_active(self) -> None:
        self.deadline = self.server.clock() + self.server.tunnel_idle

    # ── answers of our own ─────────────────────────────────────────────────────────────────────────────

    def own_answer(self, status: int, detail: str, *, close: bool = False) -> None:
        """Respond ourselves: no backend does."""
        head = self.head
        close = head.close = close or head.close or not self.request_body.complete or self.server.draining
        seconds = self.server.clock() - self._started
        wanted = head.method != "HEAD"
        self.client.write(
            responses.problem(
                status, detail, request_id=self.request_id, seconds=seconds, body_wanted=wanted, close=close
            )
        )
        self.finish(NO_SIDE, status, detail, self.server.clock())
        self.client.call_finished(self.server.clock(), keep=not close)

    def answer_options(self) -> None:
        """Answer an OPTIONS that may go no further (RFC 9110 7.6.2)."""
        own = responses.own_lines(self.head, chunked=False)
        self.client.write(fields.response(204, "No Content", [responses.ALLOW], own))
        self.finish(NO_SIDE, 204, "", self.server.clock())
        self.client.call_finished(self.server.clock(), keep=not self.head.close)

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────

    def _complete(self, now: float) -> None:
        request_body = self.request_body
        if request_body is not NO_BODY and not request_body.complete:
            self.leave()
        self.attempted(self.status, "")
        self.finish(self.side, self.status, "", now)
        self.client.call_finished(now, keep=not self.head.close)

    def attempted(self, status: int, kind: str) -> None:
        """Remember how an attempt ended."""
        attempt = make(Attempt, (self.side, self.pool.backend.name, self.target, status, kind, self.waited))
        self.attempts = (*self.attempts, attempt) if self.attempts else (attempt,)

    def finish(self, answered: str, status: int, error: str, now: float) -> None:
        """Freeze what happened for the observers."""
        self.finished = True
        self.deadline = 0.0
        server = self.server
        server.in_flight[LEGACY if self.fallback else self.decision.side] -= 1
        if self.request_observer is not None:
            self.request_observer.finished()
        if self.request_body is not NO_BODY:
            self.request_body.release()
        record = request_state.exchange(self, answered, status, error, now - self._started, self.bytes_in)
        server.observe.emit(record)
        if server.tail is not None:
            server.tail(record, self.known_user)

    def known_user(self) -> str | None:
        """Who the user is, where the decision asked for it or the request says it; no identity is made for this."""
        return self.decision.user or self.bound.identity.find(self.head, self.peer.trusted)
