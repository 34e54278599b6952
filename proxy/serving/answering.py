"""The half of a call that faces its client: what becomes of an answer.

The other half, where answers come from, is `forward`; it says what happens when one does not come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.http1 import serialise
from proxy.http1.framing import Body, chunk, last_chunk
from proxy.http1.parse import RequestHead, ResponseHead
from proxy.observe import NOBODY, Attempt
from proxy.serving import answers, headers, record, reply
from proxy.serving.gathering import Gathering
from proxy.serving.leg import Leg
from proxy.serving.transform import Translation
from proxy.serving.tunnel import Tunnel
from proxy.serving.upload import Upload
from rules.model import LEGACY, MODERN, Decision
from rules.translate import TranslationError

if TYPE_CHECKING:
    from proxy.serving.client import ClientConnection
    from proxy.serving.server import Server


class Answering:
    """One request of one client, seen from the client.

    `leg` is the current attempt; `deadline` (0: none) is when what is waited for now has taken too long;
    `head_sent` once the client has begun to get an answer; `finished` is final.
    """

    __slots__ = (
        "_chunk_out", "_gathered", "_minted", "_started", "attempts", "bound", "bytes_out", "client", "deadline",
        "decision", "fallback", "finished", "head", "head_sent", "leg", "overhead", "request_id", "server", "status",
        "stream", "translations", "tunnel", "upload",
    )  # fmt: skip

    decision: Decision
    upload: Upload
    translations: tuple[Translation | None, Translation | None] | None

    def __init__(self, server: Server, client: ClientConnection, head: RequestHead, now: float) -> None:
        self.server = server
        self.client = client
        self.head = head
        self.bound = server.bound
        self.request_id = headers.request_id(head, client.peer)
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
        self._chunk_out = False
        self._minted = ""
        self._gathered: Gathering | None = None

    @property
    def bytes_in(self) -> int:
        """Body bytes that came from the client."""
        return self.upload.size + (self.tunnel.bytes_in if self.tunnel is not None else 0)

    def translation(self, side: str) -> Translation | None:
        """What puts this call into one side's words; None where none is needed."""
        pair = self.translations
        return None if pair is None else pair[1 if side == MODERN else 0]

    # ── what the other half decides ────────────────────────────────────────────────────────────────────

    def failed(self, leg: Leg, kind: str, detail: str) -> None:
        """An attempt brought no answer, or not all of it."""
        raise NotImplementedError

    def answered_elsewhere(self, leg: Leg, head: ResponseHead) -> bool:
        """Whether this answer is one that legacy has to replace."""
        raise NotImplementedError

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
        if leg.side == MODERN and self.answered_elsewhere(leg, head):
            return
        translation = self.translation(leg.side) if self.translations is not None else None
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
        chunked, own = False, ""
        if head.length < 0 or request.close or request.minor == 0:
            chunked = self._chunk_out = reply.chunks(request, head, body)
            own = reply.own_lines(request, chunked=chunked)
        if self._minted and self.bound.identity.sticky is not None:
            secure = headers.is_secure(request, self.client.peer)
            own += self.bound.identity.sticky.line(self._minted, secure=secure)
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

    def done(self, leg: Leg, payload: bytes, trailers: list[str]) -> None:
        """End the answer."""
        if self.finished or leg is not self.leg:
            return
        if payload:
            self.more(payload)
        if leg is not self.leg:
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

    def own_answer(self, status: int, detail: str, *, close: bool = False) -> None:
        """Answer ourselves: there is nobody else who could."""
        head = self.head
        close = head.close = close or head.close or not self.upload.complete or self.server.draining
        seconds = self.server.clock() - self._started
        wanted = head.method != "HEAD"
        self.client.write(
            answers.problem(
                status, detail, request_id=self.request_id, seconds=seconds, body_wanted=wanted, close=close
            )
        )
        self.finish(NOBODY, status, detail)
        self.client.call_finished(keep=not close)

    def answer_options(self) -> None:
        """Answer an OPTIONS that may go no further (RFC 9110 7.6.2)."""
        own = reply.own_lines(self.head, chunked=False)
        self.client.write(serialise.response(204, "No Content", [answers.ALLOW], own))
        self.finish(NOBODY, 204, "")
        self.client.call_finished(keep=not self.head.close)

    # ── the end ────────────────────────────────────────────────────────────────────────────────────────

    def _complete(self, leg: Leg) -> None:
        if not self.upload.complete:
            leg.leave()
        self.attempted(leg, self.status, "")
        self.finish(leg.side, self.status, "")
        self.client.call_finished(keep=not self.head.close)

    def attempted(self, leg: Leg, status: int, kind: str) -> None:
        """Remember how an attempt ended."""
        attempt = Attempt(leg.side, leg.pool.backend.name, leg.target, status, kind, leg.waited)
        self.attempts = (*self.attempts, attempt) if self.attempts else (attempt,)

    def finish(self, answered: str, status: int, error: str) -> None:
        """Freeze what happened; the leg is let go so that reference counting alone clears the call away."""
        self.finished = True
        self.deadline = 0.0
        server = self.server
        server.in_flight[LEGACY if self.fallback else self.decision.side] -= 1
        duration = server.clock() - self._started
        server.observe.exchange(record.exchange(self, answered, status, error, duration))
        self.leg = None
