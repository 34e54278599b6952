"""Parses bytes from a connection, with a parser that shares nothing with the proxy's."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.line import Ended, Line


@dataclass(frozen=True)
class Message:
    """A request or an answer as it was on the wire."""

    start: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""
    raw_body: bytes = b""
    trailers: tuple[tuple[str, str], ...] = ()
    interim: tuple[Message, ...] = ()

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def field(self, name: str) -> str | None:
        """The one value of `name`; a repetition fails."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.fields]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1])

    @property
    def method(self) -> str:
        return self.start.split(" ")[0]

    @property
    def target(self) -> str:
        return self.start.split(" ")[1]

    @property
    def closes(self) -> bool:
        return "close" in (self.field("connection") or "")


def head_of(raw: bytes) -> Message:
    lines = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    return Message(lines[0], tuple(_field(line) for line in lines[1:]))


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    assert colon, f"no colon in {line!r}"
    assert name == name.strip(), f"blanks in a field name: {line!r}"
    return name, value.strip(" ")


async def read_request(line: Line) -> Message:
    """The next request on a backend's line."""
    head = head_of(await line.until(b"\r\n\r\n"))
    return await _with_body(
        line, head, empty=head.field("transfer-encoding") is None and not head.all("content-length")
    )


async def read_answer(line: Line, method: str = "GET") -> Message:
    """The next final answer on a client's line, with the 1xx before it."""
    interim: list[Message] = []
    while (head := head_of(await line.until(b"\r\n\r\n"))).status < 200 and head.status != 101:
        interim.append(head)
    empty = method == "HEAD" or head.status in (101, 204, 304)
    message = await _with_body(line, head, empty=empty)
    return Message(message.start, message.fields, message.body, message.raw_body, message.trailers, tuple(interim))


async def _with_body(line: Line, head: Message, *, empty: bool) -> Message:
    if empty:
        return head
    coding = head.field("transfer-encoding")
    if coding is not None:
        assert coding == "chunked"
        assert head.field("content-length") is None, "both framings"
        return await _chunked(line, head)
    length = head.field("content-length")
    if length is not None:
        body = await line.exactly(int(length))
        return Message(head.start, head.fields, body, body)
    body = await line.rest()
    if line.ended == "reset":
        raise Ended(f"reset after {len(body)} bytes of an answer without a length")
    return Message(head.start, head.fields, body, body)


async def _chunked(line: Line, head: Message) -> Message:
    start = line.taken
    body = bytearray()
    while True:
        size_line = await line.until(b"\r\n")
        size = int(size_line.partition(b";")[0].strip(), 16)
        if size == 0:
            break
        body += await line.exactly(size)
        assert await line.exactly(2) == b"\r\n"
    trailers = []
    while (trailer := await line.until(b"\r\n")) != b"\r\n":
        trailers.append(_field(trailer.decode("latin-1").removesuffix("\r\n")))
    raw = bytes(line.received[start : line.taken])
    return Message(head.start, head.fields, bytes(body), raw, tuple(trailers))
