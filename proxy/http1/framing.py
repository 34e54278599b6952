"""Reads bodies: bytes in, payload out, the end recognised exactly (RFC 9112 sections 6 and 7).

Every reader has `feed(data) -> payload`, `done`, and `rest`: the bytes after the body's end, or those it
has not read yet (`more` is then true: call `feed(b"")` for the next portion).
"""

from __future__ import annotations

import re
from typing import Final

from proxy.http1 import fields as f
from proxy.http1.fields import BrokenAnswer

CHUNK_LINE_AT_MOST: Final = 256
TRAILER_BYTES_AT_MOST: Final = 8192
TRAILERS_AT_MOST: Final = 32
CHUNKS_A_TURN: Final = 512
"""How many chunks one call reads, so that a flood of tiny ones cannot hold the loop (aiohttp GHSA-g84x)."""

_extensions: Final = (
    rb"(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"|\"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*\"))?)*"
)
_size_line: Final = re.compile(rb"([0-9A-Fa-f]{1,15})" + _extensions).fullmatch
_padded_size_line: Final = re.compile(rb"0*([0-9A-Fa-f]{1,15})[ \t]*" + _extensions).fullmatch
"""A size as some old servers write it, padded with zeroes or spaces."""


class LengthBody:
    """A body of `length` bytes."""

    __slots__ = ("done", "left", "more", "rest", "trailers")

    def __init__(self, length: int) -> None:
        self.left = length
        self.done = length == 0
        self.more = False
        self.rest = b""
        self.trailers: list[str] = []

    def feed(self, data: bytes) -> bytes:
        """Read what belongs to the body."""
        left = self.left - len(data)
        if left > 0:
            self.left = left
            return data
        if left < 0:
            self.rest = data[left:]
            data = data[:left]
        self.left = 0
        self.done = True
        return data


class CloseBody:
    """A response body that ends with its connection; only the connection knows when it is done."""

    __slots__ = ("done", "more", "rest", "trailers")

    def __init__(self) -> None:
        self.done = False
        self.more = False
        self.rest = b""
        self.trailers: list[str] = []

    def feed(self, data: bytes) -> bytes:
        """Read everything."""
        return data


_SIZE: Final = 0
_DATA: Final = 1
_DATA_END: Final = 2
_TRAILER: Final = 3


class ChunkedBody:
    """A chunked body: CR LF only, hex only, bounded extensions that are dropped, checked data ends.

    `trailers` are the trailer lines that may cross: never framing, routing or trust (RFC 9110 6.5.1).
    Raises `BrokenAnswer` with the reason; for a request that becomes a refusal. `padded` sizes are read where
    a backend sends them: nothing can be smuggled after it, because responses are framed anew.
    """

    __slots__ = ("_left", "_padded", "_state", "_trailer_bytes", "done", "more", "rest", "trailers")

    def __init__(self, *, padded: bool = False) -> None:
        self._padded = padded
        self._state = _SIZE
        self._left = 0
        self._trailer_bytes = 0
        self.done = False
        self.more = False
        self.rest = b""
        self.trailers: list[str] = []

    def feed(self, data: bytes) -> bytes:
        """Parse chunks; incomplete lines wait in `rest`."""
        if self.rest:
            data = self.rest + data
        pieces: list[bytes] = []
        position = 0
        turns = 0
        self.more = False
        while not self.done:
            if turns >= CHUNKS_A_TURN:
                self.more = True
                break
            turns += 1
            following = self._step(data, position, pieces)
            if following < 0:
                break
            position = following
        self.rest = data[position:] if position else data
        return b"".join(pieces) if len(pieces) != 1 else pieces[0]

    def _step(self, data: bytes, position: int, pieces: list[bytes]) -> int:
        """Read one element at `position`; return where the next begins, or -1 when more bytes are needed."""
        if self._state == _DATA:
            end = position + self._left
            available = len(data)
            if available < end:
                if available > position:
                    pieces.append(data[position:])
                    self._left = end - available
                return available if available > position else -1
            pieces.append(data[position:end])
            self._state = _DATA_END
            return end
        if self._state == _DATA_END:
            ending = data[position : position + 2]
            if ending == b"\r\n":
                self._state = _SIZE
                return position + 2
            if ending in (b"", b"\r"):
                return -1
            raise BrokenAnswer("chunk data without CR LF after it")
        return self._line(data, position)

    def _line(self, data: bytes, position: int) -> int:
        limit = CHUNK_LINE_AT_MOST if self._state == _SIZE else TRAILER_BYTES_AT_MOST
        end = data.find(b"\n", position, position + limit)
        if end < 0:
            if len(data) - position >= limit:
                raise BrokenAnswer("a chunk line longer than the limit")
            return -1
        if end == position or data[end - 1 : end] != b"\r":
            raise BrokenAnswer("a chunk line that does not end with CR LF")
        line = data[position : end - 1]
        if self._state == _TRAILER:
            self._trailer(line)
            return end + 1
        size = _size_line(line)
        if size is None and self._padded:
            size = _padded_size_line(line)
        if size is None:
            raise BrokenAnswer("a chunk size that is not hexadecimal")
        self._left = int(size[1], 16)
        self._state = _DATA if self._left else _TRAILER
        return end + 1

    def _trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_bytes += len(line) + 2
        if self._trailer_bytes > TRAILER_BYTES_AT_MOST or len(self.trailers) >= TRAILERS_AT_MOST:
            raise BrokenAnswer("more trailers than the limit")
        text = line.decode("latin-1")
        name, colon, value = text.partition(":")
        kind = f.request_kinds.get(name)
        if kind is None:
            kind = f.request_kind(name)
        if not colon or kind < 0 or f.value_is_clean(value) is None:
            raise BrokenAnswer("a trailer that is not a header field")
        if kind == f.PASS and name.lower() not in _NEVER_TRAILERS:
            self.trailers.append(f"{name}: {value.strip(' ' + chr(9))}")


_NEVER_TRAILERS: Final = frozenset(
    (
        "content-type",
        "content-encoding",
        "content-range",
        "trailer",
        "set-cookie",
        "location",
        "cache-control",
        "max-forwards",
    )
)

Body = LengthBody | CloseBody | ChunkedBody


def chunk(payload: bytes) -> bytes:
    """Frame `payload` as one chunk; nothing for an empty payload, because an empty chunk would be the end."""
    return b"%x\r\n%b\r\n" % (len(payload), payload) if payload else b""


def last_chunk(trailers: list[str]) -> bytes:
    """End a chunked body."""
    if not trailers:
        return b"0\r\n\r\n"
    return ("0\r\n" + "\r\n".join(trailers) + "\r\n\r\n").encode("latin-1")
