"""One attempt of a call at one side.

A call may make several (a retry on a fresh connection, a fallback to legacy); each has a leg of its own, so
that what arrives late for an abandoned one cannot be taken for the current one's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.http1.framing import Body, chunk, last_chunk
from proxy.http1.parse import ResponseHead
from proxy.serving.pool import Pool
from proxy.serving.upload import NO_BODY
from proxy.serving.upstream import UpstreamConnection

if TYPE_CHECKING:
    from proxy.serving.forward import Call


class Leg:
    """A request on its way to one backend.

    `connection` is set while it holds one; `sent_at` is when the request's last byte was handed over (0:
    not yet); `target` the address that was used.
    """

    __slots__ = (
        "_call", "_chunked", "_head", "began", "connection", "method", "pool", "request_done", "reused", "sent_at",
        "side", "target", "waited", "wants_connection", "wants_upgrade",
    )  # fmt: skip

    def __init__(self, call: Call, side: str, pool: Pool, head: bytes, *, chunked: bool) -> None:
        self._call = call
        self._head = head
        self._chunked = chunked
        self.method = call.head.method
        self.wants_upgrade = call.wants_upgrade
        self.side = side
        self.pool = pool
        self.target = ""
        self.connection: UpstreamConnection | None = None
        self.wants_connection = True
        self.request_done = False
        self.reused = False
        self.began = 0.0
        self.sent_at = 0.0
        self.waited = 0.0

    def begin(self, now: float, *, fresh: bool, careful: bool) -> None:
        """Ask the pool for a connection; the request goes out as soon as there is one."""
        self.began = now
        connection = self.pool.acquire(self, fresh=fresh, careful=careful)
        if connection is not None:
            self._send_head(connection, waited=False)

    def connected(self, connection: UpstreamConnection) -> None:
        """Go on, after having waited for a connection."""
        self._send_head(connection, waited=True)

    def _send_head(self, connection: UpstreamConnection, *, waited: bool) -> None:
        """Send the head, with whatever of the body has come by now."""
        self.wants_connection = False
        self.connection = connection
        self.reused = connection.answered > 0
        self.target = connection.target.address
        call = self._call
        upload = call.upload
        self.request_done = upload.complete
        if upload is NO_BODY:
            connection.ask(self, self._head)
        else:
            pieces = call.take_pending()
            frames = [self._head, *((chunk(piece) for piece in pieces) if self._chunked else pieces)]
            if upload.complete and self._chunked:
                frames.append(last_chunk(upload.trailers))
            connection.ask(self, b"".join(frames))
        now = call.server.clock()
        self.waited = now - self.began if waited else 0.0
        call.sent(self, now)

    def send(self, piece: bytes) -> bool:
        """Send a piece of the body; False when the call should hold back for a while."""
        connection = self.connection
        if connection is None:
            return True
        connection.write(chunk(piece) if self._chunked else piece)
        return not connection.paused

    def end(self, trailers: list[str]) -> None:
        """The request is whole."""
        self.request_done = True
        if self._chunked and self.connection is not None:
            self.connection.write(last_chunk(trailers))

    def leave(self) -> None:
        """Abandon this attempt: nothing of it may be heard again."""
        self.wants_connection = False
        connection, self.connection = self.connection, None
        if connection is not None and connection.asker is self:
            connection.leave()

    @property
    def heard(self) -> bool:
        """Whether any byte of an answer came."""
        return self.connection is not None and self.connection.heard

    # ── what the pool and the connection say (pool.Waiter, upstream.Asker) ─────────────────────────────

    def informational(self, head: ResponseHead) -> None:
        """A 1xx came."""
        self._call.informational(head)

    def upgraded(self, head: ResponseHead, rest: bytes) -> None:
        """The backend switches to the protocol that was asked for."""
        self._call.upgraded(self, head, rest)

    def answer(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """The final head came; without a body to follow, the connection has already gone back to the pool."""
        if body is None or body.done:
            self.connection = None
        self._call.answered(self, head, payload, body)

    def more(self, payload: bytes) -> None:
        """More of the body came."""
        self._call.more(payload)

    def done(self, payload: bytes, trailers: list[str]) -> None:
        """The body's last piece came; whatever happens now is no longer the connection's business."""
        self.connection = None
        self._call.done(self, payload, trailers)

    def failed(self, kind: str, detail: str) -> None:
        """No connection, or no whole answer."""
        self.wants_connection = False
        self._call.failed(self, kind, detail)

    def tunnelled(self, data: bytes) -> None:
        """Bytes of the upgraded connection came."""
        tunnel = self._call.tunnel
        if tunnel is not None:
            tunnel.from_upstream(data)

    def upstream_paused(self) -> None:
        """The backend takes no more for now."""
        self._call.client.pause_reading()

    def upstream_resumed(self) -> None:
        """The backend takes more again."""
        self._call.client.resume_reading()
