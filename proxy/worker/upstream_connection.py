"""Speaks HTTP/1.1 to one backend over one connection, one call at a time.

A connection that sends anything without a request, or that has anything unread when it is wanted again, is
never used again: late bytes must not become the next user's answer (requirement 13, tests/worker/README.md).
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
from typing import Final, Protocol

from proxy.http1 import ResponseHead, response, response_head, seen_answer
from proxy.http1.fields import BrokenAnswer
from proxy.http1.framing import Body, ChunkedBody, CloseBody, LengthBody
from proxy.worker.bounded_reads import BoundedReads, change_over

HEAD_AT_MOST: Final = 64 * 1024
INFORMATIONAL_BYTES_AT_MOST: Final = 32 * 1024
"""Of one request's answers before the answer: any number of them, no flood."""
FOREVER: Final = 1e18
"""Seconds of a clock that it will not reach."""
_seen: Final = response.seen
_UNFINISHED: Final = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)").search


class Requester(Protocol):
    """What put a request on a connection; `kind` values are those of `observe.Attempt`."""

    method: str
    wants_upgrade: bool

    @property
    def request_done(self) -> bool:
        """Whether the whole request was handed to the connection."""

    def informational(self, head: ResponseHead) -> None:
        """A 1xx came."""

    def upgraded(self, head: ResponseHead, rest: bytes) -> None:
        """A 101 that was asked for came; every byte after it belongs to the tunnel."""

    def answer(self, head: ResponseHead, payload: bytes, body: Body | None) -> None:
        """The final head came; nothing more follows `payload` when `body` is None or done."""

    def more(self, payload: bytes) -> None:
        """More of the body came."""

    def done(self, payload: bytes, trailers: list[str]) -> None:
        """The body's last piece came; the connection is the pool's again."""

    def failed(self, kind: str, detail: str) -> None:
        """The connection cannot bring the answer, or the rest of it."""

    def unforeseen(self) -> None:
        """A fault of our own, already reported: end without an answer; never raises."""

    def tunnelled(self, data: bytes) -> None:
        """Bytes of an upgraded connection came."""

    def upstream_paused(self) -> None:
        """The backend does not take more for now."""

    def upstream_resumed(self) -> None:
        """The backend takes more again."""


class ConnectionOwner:
    """What a connection belongs to; `address` is where it leads to.

    A class and no protocol: the compiled variant reads fields of a class directly.
    """

    __slots__ = ("address",)

    address: str

    def free(self, connection: UpstreamConnection) -> None:
        """Take back a connection whose request is over."""
        raise NotImplementedError

    def lost(self, connection: UpstreamConnection) -> None:
        """Forget a connection that is gone, in use or not."""
        raise NotImplementedError

    def note_answer(self) -> None:
        """Count an answer that came whole."""
        raise NotImplementedError

    def note_error(self, kind: str, *, fresh: bool) -> None:
        """Count what went wrong on a connection; `fresh` means that nothing of an answer had come on it."""
        raise NotImplementedError


class UpstreamConnection:
    """One connection to a target.

    `requester` is who waits now (None: idle); `answered` counts whole answers; `received` is set once the current
    request got any byte; `busy` is the pool's mark; `closed` is final. It leads to `address`, and is not used again
    after `expires`.
    """

    __slots__ = (
        "_body", "_bounded", "_buffer", "_descriptor", "_end", "_ended_properly", "_head", "_informed", "_poll",
        "_reading", "_secure", "address", "answered", "busy", "closed", "expires", "idle_since", "paused", "received",
        "requester", "target", "transport", "tunnel",
    )  # fmt: skip

    def __init__(self, target: ConnectionOwner) -> None:
        self.target = target
        self.transport: asyncio.Transport | None = None
        self.requester: Requester | None = None
        self.answered = 0
        self.busy = False
        self.received = False
        self.closed = False
        self.paused = False
        self.tunnel = False
        self.idle_since = 0.0
        self.address = ""
        self.expires = FOREVER
        self._bounded = False
        self._buffer = b""
        self._head: ResponseHead | None = None
        self._body: Body | None = None
        self._informed = 0
        self._reading = True
        self._secure = False
        self._descriptor = -1
        self._end = 0  # of the last head: most are as long as the one before
        self._ended_properly = False
        self._poll: select.poll | None = None

    # ── used by the pool and the call ──────────────────────────────────────────────────────────────────

    def send(self, requester: Requester, data: bytes) -> None:
        """Put a request's first bytes on the connection."""
        self.requester = requester
        self.received = False
        self._informed = 0
        if not self._reading:
            self.resume_reading()
        if self.transport is not None:
            self.transport.write(data)

    def write(self, data: bytes) -> None:
        """Send more of the request; back-pressure comes by `upstream_paused`."""
        if self.transport is not None:
            self.transport.write(data)

    def is_clean(self) -> bool:
        """Whether the kernel holds nothing for us, neither bytes nor an end, that the loop has yet to read."""
        return not self.closed and (self._poll is None or not self._poll.poll(0))

    def leave(self) -> None:
        """Give up the current request: its answer could be taken for that of the next one, so close at once."""
        self.requester = None
        self.close()

    def close(self) -> None:
        """Close without waiting for anything to be written."""
        if not self.closed:
            self.closed = True
            if self.transport is not None:
                self.transport.abort()

    def pause_reading(self) -> None:
        """Take no more from the backend until `resume_reading`."""
        if self._reading and self.transport is not None and not self.closed:
            self._reading = False
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the backend again."""
        if not self._reading and self.transport is not None and not self.closed:
            self._reading = True
            self.transport.resume_reading()

    def bound_reads(self, *, bounded: bool) -> None:
        """Read the rest of an answer in pieces from now on, or whatever comes as it comes."""
        if bounded != self._bounded and self.transport is not None and not self.closed:
            self._bounded = bounded
            change_over(self.transport, BoundedReads(self) if bounded else self, reading=self._reading)

    # ── called by the event loop ───────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Prepare a fresh connection; one that cannot be prepared is closed."""
        self.transport = transport
        try:
            self._prepare(transport)
        except Exception as fault:  # noqa: BLE001 - as in `data_received`
            self.close()
            _report(fault)

    def _prepare(self, transport: asyncio.Transport) -> None:
        transport.set_write_buffer_limits(high=128 * 1024)
        sock = transport.get_extra_info("socket")
        self._secure = transport.get_extra_info("sslcontext") is not None
        if sock is not None:
            if sock.family != socket.AF_UNIX and not self._secure:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll = select.poll()
            self._descriptor = sock.fileno()
            self._poll.register(self._descriptor, select.POLLIN | select.POLLRDHUP)

    def data_received(self, data: bytes) -> None:
        """Read an answer, whatever its bytes' portions."""
        requester = self.requester
        if requester is None:
            self.close()
            return
        self.received = True
        try:
            if self.tunnel:
                requester.tunnelled(data)
            elif self._head is not None:
                self._read_body(requester, data)
            elif self._buffer:
                self._read_head(requester, self._buffer + data, len(self._buffer))
            else:
                end = self._end
                if not end or data[end - 4 : end] != b"\r\n\r\n":  # what is cached has no earlier one
                    end = data.find(b"\r\n\r\n") + 4
                    self._end = max(end, 4)
                head = _seen.lately.get(data[:end])
                if head is None or not head.is_simple or len(data) - end != head.length or requester.method == "HEAD":
                    self._read_head(requester, data, 0)
                else:
                    self._free(reusable=requester.request_done)
                    requester.answer(head, data[end:], None)
        except BrokenAnswer as error:
            self._break(requester, "broken", str(error))
        except Exception as fault:  # noqa: BLE001 - of our own: all other answers go on (mypyc: a name a type)
            self._unforeseen(requester, fault)

    def eof_received(self) -> bool:
        """Let the transport close; what the end means is decided when it has."""
        self._ended_properly = True
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Report to the waiting call what the end means for it."""
        if error is not None and self.requester is not None and not self.closed and not self._secure:
            self._read_rest()
        already = self.closed
        self.closed = True
        self._poll = None
        requester, self.requester = self.requester, None
        if requester is not None and not already:
            # over TLS only a close_notify is an end, a bare FIN may be an attacker's (RFC 9112 9.8)
            proper = error is None and (self._ended_properly or not self._secure)
            try:
                if proper and isinstance(self._body, CloseBody):
                    self.target.note_answer()
                    requester.done(b"", [])
                elif self._head is not None:
                    requester.failed("truncated", "the connection ended inside the answer")
                else:
                    requester.failed("reset", "the connection ended before the answer")
            except Exception as fault:  # noqa: BLE001 - as in `data_received`
                self._unforeseen(requester, fault)
        try:
            self.target.lost(self)
        except Exception as fault:  # noqa: BLE001 - as in `data_received`
            _report(fault)

    def _read_rest(self) -> None:
        """Read what the kernel still holds after a write failed.

        Who refuses a large upload answers and closes: our next write fails, and the loop gives the connection up
        with that answer unread. The descriptor is open until this callback returns.
        """
        try:
            while self.requester is not None and not self.closed:
                data = os.read(self._descriptor, 65536)
                if not data:
                    return
                self.data_received(data)
        except OSError:
            return

    def pause_writing(self) -> None:
        """The socket is full."""
        self.paused = True
        requester = self.requester
        if requester is not None:
            try:
                requester.upstream_paused()
            except Exception as fault:  # noqa: BLE001 - as in `data_received`
                self._unforeseen(requester, fault)

    def resume_writing(self) -> None:
        """The socket takes more."""
        self.paused = False
        requester = self.requester
        if requester is not None:
            try:
                requester.upstream_resumed()
            except Exception as fault:  # noqa: BLE001 - as in `data_received`
                self._unforeseen(requester, fault)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────

    def _read_head(self, requester: Requester, data: bytes, seen: int) -> None:
        """Read the heads in `data`, whose first `seen` bytes hold no end of one."""
        informed: list[ResponseHead] = []
        while True:
            end = data.find(b"\r\n\r\n", max(0, seen - 3))
            if end < 0 or end > HEAD_AT_MOST:
                if len(data) > HEAD_AT_MOST:
                    raise BrokenAnswer("a head larger than the limit")
                if _UNFINISHED(data, max(0, seen - 1)) is not None:
                    raise BrokenAnswer("a line of the head that does not end with CR LF")
                self._buffer = data
                break
            whole = data[: end + 4]
            head = seen_answer(whole) or response_head(data[:end])
            data, seen = data[end + 4 :], 0
            if head.status >= 200:  # noqa: PLR2004 - RFC 9110 15
                self._buffer = b""
                self._inform(requester, informed)
                self._final(requester, head, data)
                return
            if head.status == 101:  # noqa: PLR2004 - RFC 9110 15.2.2
                self._inform(requester, informed)
                self._upgrade(requester, head, data)
                return
            self._informed += end + 4
            if self._informed > INFORMATIONAL_BYTES_AT_MOST:
                raise BrokenAnswer("more informational answers than the limit")
            informed.append(head)
            if not data:
                self._buffer = b""
                break
        self._inform(requester, informed)

    def _inform(self, requester: Requester, informed: list[ResponseHead]) -> None:
        """Pass on what came before the answer, once all that came with it is known to be within the limit."""
        for head in informed:
            if self.requester is requester:
                requester.informational(head)

    def _upgrade(self, requester: Requester, head: ResponseHead, rest: bytes) -> None:
        if not requester.wants_upgrade or head.upgrade != "websocket":
            raise BrokenAnswer("a switch of protocols that was not requested")
        self.tunnel = True
        self._buffer = b""
        self.target.note_answer()
        requester.upgraded(head, rest)

    def _final(self, requester: Requester, head: ResponseHead, data: bytes) -> None:
        body: Body
        length = head.length
        if requester.method == "HEAD" or head.status in (204, 304):
            length = 0
        if 0 <= length <= len(data):
            exact = len(data) == length
            self._free(reusable=exact and not head.close and requester.request_done)
            requester.answer(head, data if exact else data[:length], None)
            return
        if length > 0:
            body = LengthBody(length)
        elif head.chunked:
            body = ChunkedBody(padded=True)
        else:
            body = CloseBody()
            head = head.copy()
            head.close = True
        self._head = head
        payload = body.feed(data) if data else b""
        if body.done:
            self._head = None
            self._free(reusable=not head.close and not body.rest and requester.request_done)
            requester.answer(head, payload, body)
            return
        self._body = body
        requester.answer(head, payload, body)
        self._continue_later(body)

    def _read_body(self, requester: Requester, data: bytes) -> None:
        body, head = self._body, self._head
        if body is None or head is None:
            raise BrokenAnswer("bytes after the answer")
        payload = body.feed(data)
        if not body.done:
            if payload:
                requester.more(payload)
            self._continue_later(body)
            return
        self._head = self._body = None
        self._free(reusable=not head.close and not body.rest and requester.request_done)
        requester.done(payload, body.trailers)

    def _continue_later(self, body: Body) -> None:
        """Let others have the loop between two portions of a flood of tiny chunks."""
        if body.more:
            self.pause_reading()
            asyncio.get_running_loop().call_soon(self._next_portion)

    def _next_portion(self) -> None:
        requester = self.requester
        if requester is None or self._body is None or self.closed:
            return
        try:
            self.resume_reading()
            self._read_body(requester, b"")
        except BrokenAnswer as error:
            self._break(requester, "broken", str(error))
        except Exception as fault:  # noqa: BLE001 - as in `data_received`
            self._unforeseen(requester, fault)

    def _unforeseen(self, requester: Requester, error: Exception) -> None:
        self.requester = None
        self.close()
        _report(error)
        requester.unforeseen()

    def _free(self, *, reusable: bool) -> None:
        """Part from the asker: back into the pool, or away."""
        self.requester = None
        if self._bounded:
            self.bound_reads(bounded=False)
        self.answered += 1
        if not reusable:
            self.close()
        self.target.free(self)

    def _break(self, requester: Requester, kind: str, detail: str) -> None:
        self.requester = None
        self.close()
        requester.failed(kind, detail)


def _report(error: Exception) -> None:
    """Report a fault of our own to the loop's handler, which logs its place."""
    emit = asyncio.get_running_loop().call_exception_handler
    emit({"message": "unforeseen: a backend's bytes", "exception": error})
