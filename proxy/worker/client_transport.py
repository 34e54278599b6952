"""What the parts of the data path may use of a client's connection; the tunnel that one may become."""

from __future__ import annotations

from collections.abc import Callable

from proxy.worker.connection_pool import Pool
from proxy.worker.forwarded_headers import Peer
from proxy.worker.request_state import RequestState
from proxy.worker.upstream_connection import UpstreamConnection


class ClientTransport:
    """A client's connection, as requests and the server see it; `ClientConnection` is the one there is.

    `write_paused` while the client reads more slowly than it is sent to; `accepted_at` is of the server's clock.

    A class and no protocol: the compiled variant reads fields of a class directly.
    """

    __slots__ = ("accepted_at", "peer", "write_paused")

    accepted_at: float
    peer: Peer
    write_paused: bool

    # ── used by requests ───────────────────────────────────────────────────────────────────────────────

    def write(self, data: bytes) -> None:
        """Send bytes of a response."""
        raise NotImplementedError

    def pause_reading(self) -> None:
        """Take no more from the client; its time does not run meanwhile."""
        raise NotImplementedError

    def resume_reading(self) -> None:
        """Take from the client again."""
        raise NotImplementedError

    def is_full(self) -> bool:
        """Whether no more may be read ahead for this client, which is behind."""
        raise NotImplementedError

    def start_tunnel(self, tunnel: Tunnel) -> None:
        """Give every byte from here on to the tunnel."""
        raise NotImplementedError

    def call_finished(self, now: float, *, keep: bool) -> None:
        """The response is out; `keep` the connection for the next request, or close it."""
        raise NotImplementedError

    def close_after_writing(self) -> None:
        """Close when what was written is out."""
        raise NotImplementedError

    def abort(self) -> None:
        """Cut the connection so that the client sees its response as incomplete."""
        raise NotImplementedError

    def unforeseen(self, error: Exception, where: str) -> None:
        """End what is under way after a fault of our own; never raises."""
        raise NotImplementedError

    def request(self) -> RequestState | None:
        """Return the request under way, None between two."""
        raise NotImplementedError

    # ── used by the server ─────────────────────────────────────────────────────────────────────────────

    def count_peer(self, at_most: int) -> bool:
        """Count this connection for its peer's address; False when that has more than `at_most`."""
        raise NotImplementedError

    def sweep(self, now: float) -> bool:
        """Look at the deadlines of the connection and of its request; False when none was over."""
        raise NotImplementedError

    def look(self, now: float) -> bool:
        """Judge how the client moves its bytes; False when there is nothing to look at any more."""
        raise NotImplementedError

    def held_up(self, pool: Pool, now: float) -> int:
        """Bytes that lately moved of a request that holds a connection of `pool`; -1: it may not give way."""
        raise NotImplementedError

    def holds(self) -> tuple[Pool, str] | None:
        """Return the pool that has a connection in use for the request under way, and its kind; None without one."""
        raise NotImplementedError

    def give_way(self) -> None:
        """End the request under way: others wait for its connection."""
        raise NotImplementedError

    def is_busy(self) -> bool:
        """Whether closing now would cost this client something."""
        raise NotImplementedError

    def drain(self) -> None:
        """Close now if idle, else when the request under way ends."""
        raise NotImplementedError

    def cut(self) -> bool:
        """End a request under way and its connection; False when there is none."""
        raise NotImplementedError


class Tunnel:
    """Two connections that are one from here on (RFC 9110 7.8; WebSocket, RFC 6455); either one's end ends the other.

    `active` is called after every byte that crosses, so that idleness can be measured.
    """

    __slots__ = ("_active", "_client", "_upstream", "bytes_in", "bytes_out")

    def __init__(self, client: ClientTransport, upstream: UpstreamConnection, active: Callable[[], None]) -> None:
        self._client = client
        self._upstream = upstream
        self._active = active
        self.bytes_in = 0
        self.bytes_out = 0

    def from_client(self, data: bytes) -> None:
        """Pass bytes to the backend."""
        self.bytes_in += len(data)
        self._upstream.write(data)
        if self._upstream.paused:
            self._client.pause_reading()
        self._active()

    def from_upstream(self, data: bytes) -> None:
        """Pass bytes to the client."""
        self.bytes_out += len(data)
        self._client.write(data)
        if self._client.write_paused:
            self._upstream.pause_reading()
        self._active()
