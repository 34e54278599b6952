"""The data path with plain objects instead of sockets, where millions of splits have to be tried.

Only parsing is judged this way; whatever has to do with real connections is tested on real ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from proxy.state.live import Live
from proxy.telemetry.records import Exchange, Observers
from proxy.worker.client_connection import ClientConnection
from proxy.worker.server import Server
from proxy.worker.upstream_connection import UpstreamConnection
from rules.model import LEGACY, Buffer, Limits
from rules.routing.decide import Generation, generation
from tests.support.clock import Clock
from tests.support.snapshots import snapshot


class Paper:
    """A transport that writes down what it is given."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = False
        self.aborted = False
        self.ended = False
        self.reading = True

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes), type(data)
        if not self.closed and not self.ended:
            self.written += data

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def write_eof(self) -> None:
        self.ended = True

    def can_write_eof(self) -> bool:
        return True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def set_protocol(self, protocol: object) -> None:
        """Bytes are handed over here whoever reads them."""

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever buffered here."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default


@cache
def running(limits: Limits | None, trusted: tuple[str, ...]) -> Generation:
    """One generation for all tests that want the same."""
    backends = {LEGACY: ["http://127.0.0.1:9"]}
    # a body is passed on from its first byte: it is its parsing that is judged here
    return generation(1, snapshot(backends, limits=limits, trusted=trusted, buffer=Buffer(request=1)))


class Wired:
    """One client connection before connections to a backend that were opened in advance."""

    def __init__(self, limits: Limits | None = None, connections: int = 4, trusted: Sequence[str] = ()) -> None:
        self.clock = Clock()
        self.exchanges: list[Exchange] = []
        observers = Observers()
        observers.add_observer(self.exchanges.append)
        self.server = Server(Live(running(limits, tuple(trusted))), observers, clock=self.clock)
        target = self.server.bound.pools[LEGACY].targets[0]
        self.upstreams: list[UpstreamConnection] = []
        for _ in range(connections):
            connection = UpstreamConnection(target)
            connection.connection_made(Paper())  # type: ignore[arg-type]
            connection.idle_since = self.clock()
            target.idle.append(connection)
            self.upstreams.insert(0, connection)  # the pool takes the one freed last
        self.paper = Paper()
        self.client = ClientConnection(self.server)
        self.client.connection_made(self.paper)  # type: ignore[arg-type]

    def send(self, *pieces: bytes) -> None:
        """Bytes from the client, as long as anybody reads them."""
        for piece in pieces:
            if piece and not self.paper.closed:
                self.client.data_received(piece)

    def answer(self, *pieces: bytes, number: int = 0) -> None:
        """Bytes from the backend on the connection of that number."""
        for piece in pieces:
            if piece and not self.upstreams[number].closed:
                self.upstreams[number].data_received(piece)

    def asked(self, number: int = 0) -> bytes:
        """What the backend got on the connection of that number."""
        return bytes(self.upstreams[number].transport.written)  # type: ignore[union-attr]

    @property
    def asked_at_all(self) -> bytes:
        return b"".join(self.asked(number) for number in range(len(self.upstreams)))

    @property
    def told(self) -> bytes:
        """What the client got."""
        return bytes(self.paper.written)

    @property
    def status(self) -> int:
        """The status of the first final answer; 0 for none."""
        found = re.match(rb"(?:HTTP/1\.1 1\d\d [^\r]*\r\n(?:[^\r]+\r\n)*\r\n)*HTTP/1\.1 ([2-5]\d\d) ", self.told)
        return int(found[1]) if found else 0

    @property
    def over(self) -> bool:
        """Whether nothing more is read from this client."""
        return self.client.closing


_CHANGING = re.compile(rb"(?mi)^(?:X-Request-Id|traceparent|Server-Timing|Date): [^\r]*\r\n|\"request_id\":\"[^\"]*\"")


def steady(data: bytes) -> bytes:
    """Take out what is different each time."""
    return _CHANGING.sub(b"", data)


def halves(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every way to cut `data` in two."""
    return [(data[:at], data[at:]) for at in range(1, len(data))]


def single_bytes(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]
