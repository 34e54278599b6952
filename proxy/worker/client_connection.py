"""Speaks HTTP/1.1 to one client: reads its requests one after the other, keeps them in order."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from typing import Final

from proxy.http1 import RequestHead, early_refusal, first_offence, request_head, seen_head
from proxy.http1.fields import BrokenAnswer, Refusal
from proxy.http1.framing import ChunkedBody, LengthBody
from proxy.worker.bounded_reads import BoundedReads, change_over
from proxy.worker.client_transport import ClientTransport, Tunnel
from proxy.worker.connection_pool import Pool
from proxy.worker.context import ServerContext
from proxy.worker.forwarded_headers import peer_of
from proxy.worker.forwarding import ProxiedRequest
from proxy.worker.slow_clients import REQUEST, RESPONSE, Progress

EMPTY_LINES_AT_MOST: Final = 2
PIPELINED_AT_MOST: Final = 64 * 1024
LINGER: Final = 2.0
"""Seconds in which an answer given before the request was read whole may still reach its reader."""
FIRST_REQUEST: Final = 2.0
"""Seconds that a new connection gets for its first request when the worker is about to leave."""
UNREAD_AT_MOST: Final = 75.0
LINGER_BYTES_AT_MOST: Final = 1024 * 1024
BEHIND: Final = 32 * 1024
"""Bytes that wait unwritten from which on a client is behind, and is watched."""
UNSENT: Final = 128 * 1024
"""Bytes that the kernel takes of an answer beyond what is under way to the client; by itself it takes megabytes."""
_NOTSENT_LOWAT: Final = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
_OUT_QUEUE: Final = termios.TIOCOUTQ
_RESET: Final = struct.pack("ii", 1, 0)


class ClientConnection(ClientTransport):
    """One client connection.

    `call` is the request being answered; what comes behind it waits in `_buffer`, at most so much, unread
    beyond that. `deadline` (0: none) is when the client has kept us waiting too long; `closing` is final: not
    one more byte is parsed. `_sender` and `_reader` measure a client that sends or reads slowly; `_held` is what of
    the worker's buffers waits for it, `_unread` what had not been taken when its time was looked at last (-1: it was
    not).
    """

    __slots__ = (
        "_body", "_body_bytes", "_bounded", "_buffer", "_counted", "_empty_lines", "_held", "_lingered", "_lingering",
        "_reader", "_reading", "_searched", "_sender", "_socket", "_tunnel", "_turned_away", "_unread", "call",
        "closing", "deadline", "fresh", "server", "transport",
    )  # fmt: skip

    def __init__(self, server: ServerContext) -> None:
        self.server = server
        self.transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self.call: ProxiedRequest | None = None
        self.deadline = 0.0
        self.closing = False
        self.write_paused = False
        self._buffer = b""
        self._body: LengthBody | ChunkedBody | None = None
        self._body_bytes = 0
        self._bounded = False
        self._empty_lines = 0
        self._reading = True
        self._tunnel: Tunnel | None = None
        self._lingering = False
        self._lingered = 0
        self._turned_away = False
        self.fresh = True
        self._searched = 0
        self._sender: Progress | None = None
        self._reader: Progress | None = None
        self._held = 0
        self._unread = -1
        self._counted = False
        self.accepted_at = server.clock()

    # ── called by the event loop ───────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin with a client, or refuse it where there are too many."""
        self.transport = transport
        try:
            self._accept(transport)
        except Exception as error:  # noqa: BLE001 - whatever it is, other connections go on
            self.server.unforeseen(error, "a client that comes")
            self.abort()

    def _accept(self, transport: asyncio.Transport) -> None:
        server = self.server
        scheme = "https" if transport.get_extra_info("sslcontext") is not None else "http"
        self.peer = peer_of(transport.get_extra_info("peername"), scheme, server.bound.trust)
        transport.set_write_buffer_limits(high=BEHIND)
        sock = self._socket = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, UNSENT)
        limits = server.limits
        patience = limits.header_timeout or limits.idle_timeout
        self.deadline = self.accepted_at + patience if patience else 0.0
        server.clients.add(self)
        server.handshakes.pop(self, None)
        refusal = server.admit(self)
        if refusal is not None:
            server.turned_away += 1
            self._turned_away = True
            self._refuse(refusal)

    def count_peer(self, at_most: int) -> bool:
        """Count this connection for its peer's address; False when that has more than `at_most`."""
        peers, address = self.server.peers, self.peer.address
        peers[address] = peers.get(address, 0) + 1
        self._counted = True
        return peers[address] <= at_most

    def data_received(self, data: bytes) -> None:
        """Take bytes: of a head, of a body, of a tunnel, or of a request that has to wait its turn."""
        try:
            if self.closing:
                self._discard(data)
            elif self.call is None and not self.write_paused:
                server = self.server
                head = seen_head(data) if not self._buffer and len(data) <= server.quick_head else None
                if head is None or not head.fields.is_simple:
                    self._read_head(data)
                else:  # what most requests are: all of `_begin` that they need
                    self.deadline = 0.0
                    self.fresh = False
                    self._empty_lines = 0
                    call = self.call = ProxiedRequest(server, self, head, server.clock())
                    call.start()
            elif self._tunnel is not None:
                self._tunnel.from_client(data)
            elif self._body is not None:
                self._read_body(self._body, data)
            else:
                self._buffer += data
                if len(self._buffer) > PIPELINED_AT_MOST:
                    self.pause_reading()
        except Exception as error:  # noqa: BLE001 - whatever it is, other connections go on
            self.unforeseen(error, "a client's bytes")

    def eof_received(self) -> bool:
        """A client that says no more is gone, as nginx has it: stop working for it."""
        self._gone()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """The connection is closed, by either end."""
        self.server.clients.discard(self)
        if self._turned_away:
            self.server.turned_away -= 1
            self._turned_away = False
        if self._counted:
            self._counted = False
            peers, address = self.server.peers, self.peer.address
            peers[address] -= 1
            if not peers[address]:
                del peers[address]
        self._hold(0)
        self.transport = self._socket = None
        self._gone()

    def pause_writing(self) -> None:
        """The client reads more slowly than the backend sends."""
        self.write_paused = True
        try:
            self._watch_reader()
        except Exception as error:  # noqa: BLE001 - as in `data_received`
            self.unforeseen(error, "a client that is behind")

    def _watch_reader(self) -> None:
        now, reader = self.server.clock(), self._reader
        if reader is not None and reader.of is self.call:
            reader.go_on(now)
        else:
            self._reader = Progress(self.call, now, self._taken(self._unwritten()))
        self.server.watched.add(self)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.write_paused = False
        try:
            self._hold(0)
            if self.call is not None:
                self.call.client_resumed()
            elif not self.closing:
                self._read_ahead()
                self._next_request()
        except Exception as error:  # noqa: BLE001 - as in `data_received`
            self.unforeseen(error, "a client that reads again")

    # ── called by the call ─────────────────────────────────────────────────────────────────────────────

    def write(self, data: bytes) -> None:
        """Send bytes of an answer."""
        if self.transport is not None:
            self.transport.write(data)

    def start_tunnel(self, tunnel: Tunnel) -> None:
        """Give every byte from here on to the tunnel, beginning with those that came early."""
        self._tunnel = tunnel
        self.deadline = 0.0
        early, self._buffer = self._buffer, b""
        if early:
            tunnel.from_client(early)
        self.resume_reading()

    def call_finished(self, now: float, *, keep: bool) -> None:
        """The answer is out; go on with the next request, or part."""
        refused_upgrade = bool(self._buffer) and self.call is not None and self.call.wants_upgrade
        self.call = None
        if not keep or self._body is not None or refused_upgrade:
            self.close_after_writing()
            return
        idle = self.server.limits.idle_timeout
        self.deadline = now + idle if idle else 0.0
        if self.write_paused:
            return  # a client that does not read its responses gets no further ones
        if not self._reading:
            self._read_ahead()
        if self._buffer:
            asyncio.get_running_loop().call_soon(self._next_request)

    def pause_reading(self) -> None:
        """Take no more from the client; its time does not run meanwhile."""
        if self._reading and self.transport is not None:
            self._reading = False
            self.deadline = 0.0
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the client again."""
        if not self._reading and self.transport is not None and not self.transport.is_closing():
            self._reading = True
            if self._body is not None:
                self._await_body()
            self.transport.resume_reading()

    def unforeseen(self, error: Exception, where: str) -> None:
        """Answer 400 or 502 to what a fault of our own leaves without an answer; the fault is logged with its place."""
        self.server.unforeseen(error, where)
        if self.call is not None:
            self.call.unforeseen()
        elif not self.closing:
            self._refuse(Refusal(400, "the request could not be handled"))
        else:
            self.abort()

    def abort(self) -> None:
        """Cut the connection so that the client sees its answer as incomplete.

        With a reset: to a client that reads until the end, an orderly one would make half an answer look whole.
        """
        self.closing = True
        self.call = None
        transport = self.transport
        if transport is not None:
            sock = transport.get_extra_info("socket")
            if sock is not None and sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            transport.abort()

    def close_after_writing(self) -> None:
        """Close when the answer is out.

        Where request bytes may still be under way, a plain close would reset the connection, possibly before
        the client has read the answer; so say the end, then swallow for a while (RFC 9112 9.6).
        """
        unread = self._body is not None or bool(self._buffer)
        self.call = None
        self.closing = True
        self._body = None
        self._buffer = b""
        transport = self.transport
        if transport is None:
            return
        if unread and transport.can_write_eof():
            self._lingering = True
            unwritten = transport.get_write_buffer_size() > 0
            patience = (self.server.limits.idle_timeout or UNREAD_AT_MOST) if unwritten else LINGER
            self.deadline = self.server.clock() + patience
            transport.write_eof()
            self.resume_reading()
        else:
            # a client that never reads its last answer must not keep the connection either
            self.deadline = self.server.clock() + (self.server.limits.idle_timeout or UNREAD_AT_MOST)
            transport.close()

    # ── slow clients ───────────────────────────────────────────────────────────────────────────────────

    def is_full(self) -> bool:
        """Whether no more may be read ahead for this client, which is behind."""
        transport = self.transport
        if transport is None:
            return False
        waiting = transport.get_write_buffer_size()
        self._hold(waiting)
        return waiting + self.server.buffers.one_read() > self.server.buffers.allowance()

    def look(self, now: float) -> bool:
        """Judge how the client moves its bytes; False when there is nothing to look at any more."""
        call = self.call
        if self.transport is None:
            return False
        is_sending = self._body is not None and call is not None and not call.finished
        if is_sending and call is not None:
            sender = self._sender
            if sender is None or sender.of is not call:
                sender = self._sender = Progress(call, now)
            sender.note(self._body_bytes, now, waited_for=self._reading)
            if self._is_sending_too_slowly(sender):
                call.client_too_slow(REQUEST)
                return False
        if self.write_paused:
            self._look_at_reader(now)
        return is_sending or self.write_paused

    def _is_sending_too_slowly(self, sender: Progress) -> bool:
        limits, call, body = self.server.limits, self.call, self._body
        if call is None or not limits.min_rate:
            return False
        if isinstance(body, LengthBody):
            seconds = limits.body_timeout + call.head.length / limits.min_rate if limits.body_timeout else 0.0
            return sender.is_overdue(seconds) or sender.is_too_slow(limits.min_rate)
        # a body without a length that goes beyond the buffer is a stream: it may trickle as long as it likes
        return self._body_bytes <= self.server.buffers.request and sender.is_too_slow(limits.min_rate)

    def _look_at_reader(self, now: float) -> None:
        """Count what was taken from the kernel: what left our own buffer moves in steps of megabytes."""
        limits, call, reader = self.server.limits, self.call, self._reader
        self._hold(self.transport.get_write_buffer_size() if self.transport is not None else 0)
        self._unread = self._unwritten()
        if reader is None or reader.of is not call:
            reader = self._reader = Progress(call, now, self._taken(self._unread))
        reader.note(self._taken(self._unread), now, waited_for=True)
        idle = now - reader.moved_at
        if call is None:  # the answer is ours, the connection to the backend another's by now
            if idle == 0.0 and limits.idle_timeout:
                self.deadline = now + limits.idle_timeout
        elif 0 < limits.idle_timeout < idle:
            call.client_stopped_reading()
        elif call.is_measured and reader.is_too_slow(limits.min_rate):
            call.client_too_slow(RESPONSE)

    def held_up(self, pool: Pool, now: float) -> int:
        """Bytes that moved in the last five seconds of a request that waits for its client; -1: it may not give way.

        One that holds no connection of `pool` has none to give.
        """
        call, rate = self.call, self.server.limits.min_rate
        progress: Progress | None = None
        if call is None or call.tunnel is not None or call.connection is None or call.pool is not pool:
            return -1
        if call.head_sent:
            progress = self._reader if self.write_paused else None
        elif self._body is not None and self._reading:
            progress = self._sender
        if progress is None or progress.of is not call or not progress.may_give_way(now, rate):
            return -1
        return progress.lately()

    def holds(self) -> tuple[Pool, str] | None:
        """Return the pool that has a connection in use for the request under way, and its kind; None without one."""
        call = self.call
        return (call.pool, call.kind) if call is not None and call.connection is not None else None

    def give_way(self) -> None:
        """End the request: others wait for the connection that it holds."""
        if self.call is not None:
            self.call.client_too_slow(RESPONSE if self.call.head_sent else REQUEST)

    def _hold(self, size: int) -> None:
        if size != self._held:
            self.server.buffers.held += size - self._held
            self._held = size

    def _unwritten(self) -> int:
        """Bytes that the client's machine has not taken yet, be they in our buffer or in the kernel's."""
        transport = self.transport
        if transport is None:
            return 0
        size = transport.get_write_buffer_size()
        if self._socket is not None:
            try:
                size += int.from_bytes(fcntl.ioctl(self._socket.fileno(), _OUT_QUEUE, b"\0\0\0\0"), "little")
            except OSError:
                return size
        return size

    def _taken(self, unwritten: int) -> int:
        return (self.call.bytes_out if self.call is not None else 0) - unwritten

    # ── called by the sweep ────────────────────────────────────────────────────────────────────────────

    def sweep(self, now: float) -> bool:
        """Look at the deadlines of the client and of its request; False when none was over."""
        is_over = 0.0 < self.deadline <= now
        if is_over:
            self.expired()
        call = self.call
        if call is not None and 0.0 < call.deadline <= now:
            call.deadline = 0.0
            call.expired()
            return True
        return is_over

    def expired(self) -> None:
        """The client has kept us waiting for too long; one that still takes what was written has not."""
        self.deadline = 0.0
        if self.call is None and not self._buffer and self._still_reads():
            self.deadline = self.server.clock() + (self.server.limits.idle_timeout or UNREAD_AT_MOST)
            return
        if self.closing:
            if self.transport is not None:
                self.transport.abort()
        elif self.call is not None:
            self.call.request_broken(408, "The request's body stopped coming.")
        elif self._buffer:
            self._refuse(Refusal(408, "the request's head did not come within the time limit"))
        else:
            self.close_after_writing()

    def _still_reads(self) -> bool:
        """Whether less waits for the client than when its time was over before.

        What only the kernel still has is no reason: it delivers that after a close as well.
        """
        if self.transport is None or not self.transport.get_write_buffer_size():
            return False
        before, self._unread = self._unread, self._unwritten()
        return before < 0 or self._unread < before

    def is_busy(self) -> bool:
        """Whether leaving now would cost this client something: an answer, its last bytes, a first request.

        One that is being closed is busy until it is gone: the transport's buffer size leaves out what it has yet to
        hand to the kernel.
        """
        return self.transport is not None and (self.call is not None or self.fresh or self.closing)

    def drain(self) -> None:
        """Close now if idle; a call closes the connection when it ends.

        A new client may have a request on its way, which no other worker would answer.
        """
        if self.closing or self.call is not None or self._buffer:
            return
        if self.fresh:
            self.deadline = self.server.clock() + FIRST_REQUEST
        else:
            self.close_after_writing()

    def cut(self) -> bool:
        """End a request under way and its connection; False when there is none."""
        if self.call is None:
            return False
        self.call.client_gone()
        self.abort()
        return True

    def request(self) -> ProxiedRequest | None:
        """Return the request under way, None between two."""
        return self.call

    # ── reading requests ───────────────────────────────────────────────────────────────────────────────

    def _read_ahead(self) -> None:
        """Take from the client again, unless enough requests wait their turn: one answer is no room for a read."""
        if len(self._buffer) <= PIPELINED_AT_MOST:
            self.resume_reading()

    def _next_request(self) -> None:
        if self.call is None and self._buffer and not self.closing and not self.write_paused:
            data, self._buffer = self._buffer, b""
            try:
                self._read_head(data)
            except Exception as error:  # noqa: BLE001 - as in `data_received`
                self.unforeseen(error, "a request that waited")

    def _read_head(self, data: bytes) -> None:
        limits = self.server.limits
        seen, end = self._searched, -1
        self._searched = 0
        if self._buffer:
            data = self._buffer + data
        try:
            if data[0] in b"\r\n":
                data, seen = self._without_empty_lines(data), 0
            end = data.find(b"\r\n\r\n", max(0, seen - 3))
            if end < 0 or end > self.server.quick_head:
                refusal = early_refusal(data, end, limits.header_bytes, limits.url_bytes, seen)
                if refusal is not None:
                    raise refusal
            if end < 0:
                self._buffer = data
                self._searched = len(data)
                self.resume_reading()  # what waited was no whole request
                if not seen and data:
                    began = self.accepted_at if self.fresh else self.server.clock()
                    self.deadline = began + limits.header_timeout if limits.header_timeout else 0.0
                return
            head = request_head(data[:end])
            if limits.url_bytes and len(head.target) > limits.url_bytes:
                raise Refusal(414, "the request target is longer than the limit")
            if limits.body_bytes and head.length > limits.body_bytes:
                raise Refusal(413, "the request body is larger than the limit")
        except Refusal as refusal:
            self._refuse(first_offence(data[: end + 2] if end >= 0 else data, refusal))
            return
        self._begin(head, data[end + 4 :])

    def _without_empty_lines(self, data: bytes) -> bytes:
        """RFC 9112 2.2: ignore an empty line or two before a request."""
        while data.startswith(b"\r\n"):
            self._empty_lines += 1
            if self._empty_lines > EMPTY_LINES_AT_MOST:
                raise Refusal(400, "too many empty lines before a request")
            data = data[2:]
        return data

    def _begin(self, head: RequestHead, rest: bytes) -> None:
        server = self.server
        self.deadline = 0.0
        self.fresh = False
        self._empty_lines = 0
        body: LengthBody | ChunkedBody | None = None
        if head.chunked:
            body = ChunkedBody()
        elif head.length > 0:
            body = LengthBody(head.length)
        else:
            self._buffer = rest
        self._body = body
        if body is not None:
            self._body_bytes = 0
            self.resume_reading()  # its rest comes behind what waited
        call = self.call = ProxiedRequest(server, self, head, server.clock())
        call.start()
        if body is not None:
            self._buffer = b""
            self._await_body()
            if rest and self._body is body:
                self._read_body(body, rest)
            if self._body is body and self.call is call:
                self._sender = Progress(call, server.clock())
                server.watched.add(self)

    def _read_body(self, body: LengthBody | ChunkedBody, data: bytes) -> None:
        call = self.call
        if call is None:
            return
        try:
            payload = body.feed(data)
        except BrokenAnswer as error:
            call.request_broken(400, str(error))
            return
        limit = self.server.limits.body_bytes
        self._body_bytes += len(payload)
        if limit and self._body_bytes > limit:
            call.request_broken(413, "The request body is larger than the limit.")
            return
        self._await_body()
        if not body.done and self.server.buffers.is_scarce():
            self._bound_reads(bounded=True)
        if payload:
            call.request_data(payload)
        if self._body is not body:
            return
        if body.done:
            self._bound_reads(bounded=False)
            self.deadline = 0.0
            self._body = None
            self._body_bytes = 0
            self._buffer = body.rest
            call.request_end(body.trailers)
        elif body.more:
            self.pause_reading()
            asyncio.get_running_loop().call_soon(self._next_portion)

    def _bound_reads(self, *, bounded: bool) -> None:
        """Read in pieces from now on, or as it comes."""
        if bounded != self._bounded and self.transport is not None:
            self._bounded = bounded
            change_over(self.transport, BoundedReads(self) if bounded else self, reading=self._reading)

    def _next_portion(self) -> None:
        body = self._body
        if body is not None and body.more and not self.closing:
            try:
                self.resume_reading()
                self._read_body(body, b"")
            except Exception as error:  # noqa: BLE001 - as in `data_received`
                self.unforeseen(error, "a client's body")

    def _await_body(self) -> None:
        timeout = self.server.limits.body_timeout
        self.deadline = self.server.clock() + timeout if timeout else 0.0

    # ── parting ────────────────────────────────────────────────────────────────────────────────────────

    def _refuse(self, refusal: Refusal) -> None:
        """Answer a request that is not forwarded; nothing behind it is parsed."""
        self.server.refused(self, refusal)
        self._buffer = b"unread"  # what follows is unknown: swallow it for a while
        self.close_after_writing()

    def _discard(self, data: bytes) -> None:
        self._lingered += len(data)
        transport = self.transport
        if self._lingered > LINGER_BYTES_AT_MOST and transport is not None:
            if transport.get_write_buffer_size() > 0:
                self.pause_reading()  # the answer is still on its way; its deadline stands
                self.deadline = self.server.clock() + (self.server.limits.idle_timeout or UNREAD_AT_MOST)
            else:
                transport.abort()

    def _gone(self) -> None:
        call, self.call = self.call, None
        self.closing = True
        if call is not None:
            try:
                call.client_gone()
            except Exception as error:  # noqa: BLE001 - as in `data_received`
                self.server.unforeseen(error, "a client's end")
                call.unforeseen()
