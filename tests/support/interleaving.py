"""Requests sent ahead, responses in pieces, the loop's turns in between, in any order."""

from __future__ import annotations

import asyncio
import re
from random import Random

import h11

from tests.support.laws import cut
from tests.support.socketless import Wired


class Scene:
    """One client that sends ahead, backends that answer each request with its own target."""

    def __init__(self, random: Random, requests: int) -> None:
        self.random = random
        self.wired = Wired(connections=8)
        self.requests = [self._request(number) for number in range(requests)]
        data = b"".join(self.requests)
        self.to_send = cut(data, [random.randrange(len(data)) for _ in range(random.randrange(requests * 3))])
        self.read = [0] * 8
        self.to_answer: list[tuple[int, bytes]] = []

    def _request(self, number: int) -> bytes:
        kind = self.random.randrange(4)
        start = f"{'GET' if kind < 2 else 'POST'} /{number} HTTP/1.1\r\nHost: a\r\n".encode()
        size = self.random.choice((0, 1, 10, 3000))
        if kind < 2:
            return start + b"\r\n"
        if kind == 2:
            return start + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
        chunked = b"%x\r\n%b\r\n" % (size, b"y" * size) if size else b""
        return start + b"Transfer-Encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n"

    def listen(self) -> None:
        """Prepare an answer, in pieces, for every request that reached a backend whole."""
        for number, connection in enumerate(self.wired.upstreams):
            fresh = bytes(connection.transport.written[self.read[number] :])  # type: ignore[union-attr]
            asked = re.match(rb"[A-Z]+ /(\d+) HTTP/1.1\r\n", fresh)
            if asked is None or not complete(fresh):
                continue
            self.read[number] += len(fresh)
            body = b"<%b>" % asked[1] * self.random.choice((1, 500))
            if self.random.random() < 0.5:
                answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            else:
                answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
                    len(body),
                    body,
                )
            places = [self.random.randrange(len(answer)) for _ in range(self.random.randrange(3))]
            self.to_answer += [(number, piece) for piece in cut(answer, places)]

    async def play(self) -> bytes:
        """Do what is left to do, in any order, until nothing is."""
        idle = 0
        while True:
            self.listen()
            if idle > 5 and not self.to_answer:
                return self.wired.told
            choice = self.random.randrange(4)
            if choice == 0 and self.to_send:
                self.wired.send(self.to_send.pop(0))
            elif choice == 1 and self.to_answer:
                number, piece = self.to_answer.pop(0)
                self.wired.answer(piece, number=number)
            elif choice == 2:
                await asyncio.sleep(0)
            if self.to_send or self.to_answer:
                idle = 0
            elif choice == 2:
                idle += 1


def complete(request: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    if b"Transfer-Encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return len(body) >= (int(length[1]) if length else 0)


async def interleaving_law(seed: int, requests: int) -> None:
    """Whatever the order of events: as many answers as requests, in their order, none mixed with another."""
    told = await Scene(Random(seed), requests).play()

    bodies = answers_according_to_h11(told)
    assert [body[: body.index(b">") + 1] for body in bodies] == [b"<%d>" % number for number in range(requests)]
    assert all(body == body[: body.index(b">") + 1] * body.count(b">") for body in bodies)


def answers_according_to_h11(data: bytes) -> list[bytes]:
    """The body of each answer in `data`; one that is no 200, or not whole, fails."""
    bodies: list[bytes] = []
    while data:
        connection = h11.Connection(h11.CLIENT)
        connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(data)
        bodies.append(b"")
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            assert not isinstance(event, type(h11.NEED_DATA)), "an answer is not whole"
            if isinstance(event, h11.Response):
                assert event.status_code == 200
            elif isinstance(event, h11.Data):
                bodies[-1] += bytes(event.data)
        data = connection.trailing_data[0]
    return bodies
