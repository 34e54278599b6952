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
from proxy.http1.parse import RequestHead, ResponseHead
from proxy.observe import NOBODY
from proxy.serving import failing, headers, outgoing
from proxy.serving.answering import Answering
from proxy.serving.leg import Leg
from proxy.serving.upload import NO_BODY, Upload
from rules.decide import decide
from rules.model import LEGACY, MODERN, Facts
from rules.translate import TranslationError

if TYPE_CHECKING:
    from proxy.serving.client import ClientConnection
    from proxy.serving.server import Server


def may_upgrade(head: RequestHead) -> bool:
    """Whether an Upgrade field counts (RFC 9110 7.8): named by Connection, in a GET of HTTP/1.1 without a body."""
    return head.minor == 1 and head.method == "GET" and "upgrade" in head.named and not head.has_body


class Call(Answering):
    """One request of one client, from the decision to the last attempt."""

    __slots__ = ("_collecting", "_retried", "wants_upgrade")

    def __init__(self, server: Server, client: ClientConnection, head: RequestHead, now: float) -> None:
        super().__init__(server, client, head, now)
        self._retried = False
        self._collecting = False
        self.wants_upgrade = head.upgrade == "websocket" and may_upgrade(head)
        path, mark, query = head.target.partition("?")
        trusted = client.peer.trusted
        if not trusted:
            head.strangler = ()
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
        self.translations = self.bound.translations.get(self.decision.route.name)
        if not head.has_body:
            self.upload = NO_BODY
        else:
            repeats = self.decision.side == MODERN or self.translation(LEGACY) is not None
            keep = self.decision.route.fallback.max_body if repeats else 0
            self.upload = Upload(complete=False, keep_at_most=keep)

    def _user(self) -> str | None:
        """Who the user is; nobody yet, with a sticky identity: somebody new, decided at once, told with the answer."""
        identity = self.bound.identity
        user = identity.find(self.head, self.client.peer.trusted)
        if user is None and identity.sticky is not None:
            user = self._minted = identity.sticky.mint()
        return user

    # ── trying a side ──────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Try the side that was decided; a body that has to be translated for it must be whole first."""
        side = self.decision.side
        self.server.in_flight[side] += 1
        if self.head.ends_here:
            self.answer_options()
            return
        translation = self.translation(side) if self.head.has_body else None
        if translation is not None and translation.converts_body:
            self._collecting = True
            if self.head.expect:
                self.head.expect = False
                self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        else:
            self._try(side, fresh=False)

    def _try(self, side: str, *, fresh: bool) -> None:
        route, head = self.decision.route, self.head
        policy = route.legacy if side == LEGACY else route.modern
        target, host, lines = head.target, head.host, head.lines
        chunked, length = head.chunked, head.length
        translation = self.translation(side) if self.translations is not None else None
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
        now = self.server.clock() if self.attempts or fresh else self._started
        leg.begin(now, fresh=fresh, careful=head.has_body or not failing.may_repeat(head))
        if leg.wants_connection and self.leg is leg:
            timeout = leg.pool.backend.connect_timeout
            self.deadline = now + timeout + 0.2 if timeout else 0.0

    def _untranslatable(self, side: str, detail: str) -> None:
        """The request does not fit this side's form: nothing was sent, so the side that takes it as it is answers."""
        self._collecting = False
        if side == MODERN and not self.fallback:
            self._fall_back("untranslatable")
        else:
            self.own_answer(502, f"The request could not be translated: {detail}.", close=not self.upload.complete)

    def sent(self, leg: Leg, now: float) -> None:
        """What there is of the request is on its way; the backend's time runs from the last byte."""
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
        self.sent(leg, self.server.clock())

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
            self.sent(leg, self.server.clock())

    def request_broken(self, status: int, detail: str) -> None:
        """The client's body broke a rule or stopped coming: the backend must see an aborted upload."""
        self._abandon()
        if self.head_sent:
            self.finish(NOBODY, status, detail)
            self.client.abort()
        else:
            self.own_answer(status, detail, close=True)

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
        self.attempted(leg, 0, kind)
        if leg.side == MODERN and self._may_fall_back(kind):
            self._fall_back(kind)
        else:
            self.own_answer(failing.status(kind), failing.DETAIL[kind])

    def _cut(self, leg: Leg, kind: str, detail: str) -> None:
        """The answer ends too early: the client must see that (RFC 9112 8). The end of a tunnel is just one."""
        if self.tunnel is not None:
            self.attempted(leg, self.status, "")
            self.finish(leg.side, self.status, "")
            self.client.close_after_writing()
            return
        self.attempted(leg, self.status, kind)
        self.finish(leg.side, self.status, detail)
        self.client.abort()

    def expired(self) -> None:
        """What was waited for has taken too long."""
        leg = self.leg
        if leg is None or self.finished:
            return
        if self.head_sent and self.client.write_paused:
            self._abandon()
            self.finish(leg.side, self.status, "the client stopped reading")
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
            self.finish(side, self.status or 499, "" if self.tunnel is not None else "the client went away")

    def _abandon(self) -> None:
        leg = self.leg
        if leg is not None:
            self.attempted(leg, self.status, "client")
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

    def answered_elsewhere(self, leg: Leg, head: ResponseHead) -> bool:
        """Whether modern's answer is one that legacy has to replace."""
        route = self.decision.route
        if head.decline:
            self.attempted(leg, head.status, "declined")
            leg.leave()
            if self.upload.repeatable:
                self._fall_back("declined")
            else:
                self.own_answer(502, failing.DETAIL["declined"], close=True)
            return True
        if head.status in route.fallback.statuses and self._may_fall_back("status"):
            self.attempted(leg, head.status, "")
            leg.leave()
            self._fall_back("status")
            return True
        return False
