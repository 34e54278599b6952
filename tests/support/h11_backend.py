"""h11 as the backend: judges what the proxy writes, with a parser that is not ours."""

from __future__ import annotations

from dataclasses import dataclass, field

import h11

from proxy.worker.upstream_connection import UpstreamConnection
from rules.model import Limits
from tests.support.socketless import Wired

ANSWER_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
ANSWER = ANSWER_HEAD + b"ok"


@dataclass
class ExchangeResult:
    """One request as h11 understands it."""

    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    whole: bool = False

    def all(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.fields if known == name]


class Ear:
    """Listens to one connection of the proxy; raises `h11.RemoteProtocolError` at the first offence."""

    def __init__(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._read = 0
        self.requests: list[ExchangeResult] = []

    def listen(self) -> bool:
        """Take what was written since; answer every whole request. Says whether there was any."""
        written = self._connection.transport.written  # type: ignore[union-attr]
        fresh = bytes(written[self._read :])
        self._read = len(written)
        if not fresh:
            return False
        self._h11.receive_data(fresh)
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return True
            if isinstance(event, h11.Request):
                self.requests.append(
                    ExchangeResult(event.method, event.target, [(bytes(n), bytes(v)) for n, v in event.headers])
                )
            elif isinstance(event, h11.Data):
                self.requests[-1].body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self.requests[-1].whole = True
                self.requests[-1].trailers = [(bytes(n), bytes(v)) for n, v in event.headers]
                self._answer()

    def _answer(self) -> None:
        assert not self._h11.trailing_data[0], "bytes behind a whole request on its connection"
        self._h11.send(h11.Response(status_code=200, headers=[("Content-Length", "2")]))
        to_head = self.requests[-1].method == b"HEAD"
        if not to_head:
            self._h11.send(h11.Data(data=b"ok"))
        self._h11.send(h11.EndOfMessage())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        if not self._connection.closed:
            self._connection.data_received(ANSWER_HEAD if to_head else ANSWER)


class Judged(Wired):
    """A wired proxy whose backends are h11."""

    def __init__(self, limits: Limits | None = None, connections: int = 4) -> None:
        super().__init__(limits, connections)
        self.ears = [Ear(connection) for connection in self.upstreams]

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            super().send(piece)
            self.listen()

    def listen(self) -> None:
        """Do what the backends and the loop would do until nothing is left to do."""
        while any([ear.listen() for ear in self.ears]) or self._turn():  # noqa: C419 - all of them, each time
            pass

    def _turn(self) -> bool:
        """One turn of the loop for the client's connection; says whether it brought anything on."""
        client, finished = self.client, len(self.exchanges)
        body = client._body
        if body is not None and body.more and not client.closing:
            client._next_portion()
            return True
        client._next_request()
        return (client.call is not None and any(ear.listen() for ear in self.ears)) or len(self.exchanges) > finished

    @property
    def heard(self) -> list[ExchangeResult]:
        """Every request that began, in the order of the connections."""
        return [request for ear in self.ears for request in ear.requests]
