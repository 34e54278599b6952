"""Frames pairs on their way from a worker to a judge: the request as lines of text, bodies as raw bytes.

The head is version (1 byte), three spare bytes, the length of the text, of both bodies, of a second response of legacy
(4 bytes each, big-endian; -1 where there is none). The text has one line for each member of a pair that is not an
response, then for each response one with the number of fields that follow, a line each. No line of a message can
contain a line end.
"""

from __future__ import annotations

import mmap
import struct
from typing import Final

from proxy.ipc.codec import LARGEST, WireError
from proxy.ipc.messages import Answer, Pair

NUMBER: Final = struct.Struct("!Q")
"""A judge's answer: how many pairs of a connection are done. The shared page holds the number of the present one."""
PAGE: Final = mmap.PAGESIZE
VERSION: Final = 2
_HEAD: Final = struct.Struct("!B3xIIIi")
_NONE: Final = -1
_MEMBERS: Final = 12


def pack_pair(pair: Pair) -> bytes:
    """Return `pair`, first responses or modern's alone, as one frame."""
    secondary = pair.secondary
    lines = [
        pair.id, repr(pair.at), pair.route, str(pair.generation), pair.user, pair.method, pair.path,
        "" if pair.query is None else f"?{pair.query}", pair.live_side, pair.reason, pair.request_id,
        str(pair.sequence),
    ]  # fmt: skip
    _add(lines, pair.legacy)
    _add(lines, pair.modern)
    if secondary is not None:
        _add(lines, secondary)
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    one, two = pair.legacy.body, pair.modern.body
    three = b"" if secondary is None else secondary.body
    head = _HEAD.pack(VERSION, len(text), len(one), len(two), _NONE if secondary is None else len(three))
    return b"".join((head, text, one, two, three))


def _add(lines: list[str], answer: Answer) -> None:
    headers = answer.headers
    truncated = "1" if answer.truncated else "0"
    # not one formatted text: compiled, its `!r` is looked up by name each time
    told = str(answer.status), repr(answer.seconds), repr(answer.at), truncated, str(len(headers)), answer.failed
    lines.append(" ".join(told))
    for name, value in headers:
        lines.append(f"{name}: {value}")


def unpack_pair(text: bytes, bodies: tuple[bytes, bytes, bytes | None]) -> Pair:
    """Return the pair of one frame; WireError if it is malformed."""
    lines = text.decode("utf-8", "surrogatepass").split("\n")
    try:
        name, at, route, generation, user, method, path, query, live_side, reason, request_id, sequence = lines[
            :_MEMBERS
        ]
        position = _MEMBERS
        answers: list[Answer | None] = []
        for body in bodies:
            if body is None:
                answers.append(None)
                continue
            answer, position = _answer(lines, position, body)
            answers.append(answer)
        legacy, modern, secondary = answers
        if legacy is None or modern is None or position != len(lines):
            raise WireError("a pair has other lines than it says")
        return Pair(
            name, float(at), route, int(generation), user, method, path, query[1:] if query else None, live_side, 0,
            reason, legacy, modern, secondary, request_id, int(sequence),
        )  # fmt: skip
    except (ValueError, IndexError) as error:
        raise WireError(f"not a pair: {error}") from error


def _answer(lines: list[str], position: int, body: bytes) -> tuple[Answer, int]:
    status, seconds, at, truncated, fields, failed = lines[position].split(" ", 5)
    begin = position + 1
    end = begin + int(fields)
    headers = tuple([(name, value) for name, _, value in [line.partition(": ") for line in lines[begin:end]]])
    return Answer(int(status), headers, body, truncated == "1", float(seconds), failed, float(at)), end


class PairInbox:
    """Collects bytes until they are whole pairs; its buffer grows by `feed`, shrinks by `next_pair`."""

    __slots__ = ("_at", "_buffer")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Add what has just been read."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def next_pair(self) -> Pair | None:
        """Take out the next pair, None when it is not whole yet; raises WireError for what can never become one."""
        buffer, begin = self._buffer, self._at + _HEAD.size
        if len(buffer) < begin:
            return None
        version, text, legacy, modern, secondary = _HEAD.unpack_from(buffer, self._at)
        if version != VERSION or text + legacy + modern + max(secondary, 0) > LARGEST:
            raise WireError(f"version {version} on the link, {VERSION} is spoken here, or a pair that is too large")
        one = begin + text
        two, three = one + legacy, one + legacy + modern
        end = three + max(secondary, 0)
        if len(buffer) < end:
            return None
        self._at = end
        again = None if secondary == _NONE else bytes(buffer[three:end])
        return unpack_pair(bytes(buffer[begin:one]), (bytes(buffer[one:two]), bytes(buffer[two:three]), again))
