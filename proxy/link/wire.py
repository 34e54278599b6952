"""Frames messages: a fixed head, the message as JSON, its bodies as raw bytes behind.

The head is version (1 byte), three spare bytes, length of the JSON, length of the attachment (4 bytes each,
big-endian). The JSON is `[class name, members, sizes]`. The members that a message declares as `attached` lie one
after the other in the attachment, in that order, so that large bodies pass unescaped; `sizes` says where each ends,
-1 that there is none.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, cast

import orjson

from proxy.link.codec import CodecError, build, to_json
from proxy.link.messages import Message

VERSION = 1
LARGEST = 256 * 1024 * 1024
_HEAD = struct.Struct("!B3xII")


class WireError(CodecError):
    """The other end speaks another version, or not at all; the connection is of no more use."""


class Wire:
    """Packs the given message classes; unpacks those, no others. Nothing in it changes."""

    __slots__ = ("_kinds",)

    def __init__(self, *kinds: type[Message]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}

    def pack(self, message: Message) -> bytes:
        """Return `message` as one frame."""
        name = type(message).__name__
        if name not in self._kinds:
            raise WireError(f"{name} does not belong on this link")
        pieces = [_find(message, path) for path in message.attached]
        sizes = [-1 if piece is None else len(piece) for piece in pieces]
        body = to_json((name, message, sizes))
        attachment = b"".join(piece for piece in pieces if piece)
        return b"".join((_HEAD.pack(VERSION, len(body), len(attachment)), body, attachment))

    def unpack(self, body: bytes, attachment: bytes) -> Message:
        """Return the message of one frame."""
        try:
            name, members, sizes = orjson.loads(body)
        except (orjson.JSONDecodeError, ValueError) as error:
            raise WireError(f"not a message: {error}") from error
        kind = self._kinds.get(name)
        if kind is None:
            raise WireError(f"unexpected message {name}")
        _put_back(members, kind.attached, sizes, attachment)
        return build(kind, members)


def _find(message: object, path: str) -> bytes | None:
    """The attached member at `path`, None where this message has none."""
    found: Any = message
    for name in path.split("."):
        found = getattr(found, name, None)
    return cast("bytes | None", found)


def _put_back(members: Any, paths: Sequence[str], sizes: Any, attachment: bytes) -> None:
    """Put each piece of the attachment where it was taken from; raises WireError for sizes that do not fit."""
    if (
        not isinstance(sizes, list)
        or len(sizes) != len(paths)
        or sum(max(size, 0) for size in sizes) != len(attachment)
    ):
        raise WireError("the attachment is not what the message says")
    start = 0
    for path, size in zip(paths, sizes, strict=True):
        if size < 0:
            continue
        *outer, last = path.split(".")
        place = members
        for name in outer:
            place = place[name]
        place[last] = attachment[start : start + size]
        start += size


class Inbox:
    """Collects bytes until they are whole messages; its buffer grows by `feed`, shrinks by `take`."""

    __slots__ = ("_buffer", "_wire")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what has just been read."""
        self._buffer += data

    def take(self) -> Message | None:
        """Take out the next message, None when it is not whole yet; raises WireError for what can never become one."""
        buffer, size = self._buffer, _HEAD.size
        if len(buffer) < size:
            return None
        version, body, attachment = _HEAD.unpack_from(buffer)
        if version != VERSION:
            raise WireError(f"version {version} on the link, {VERSION} is spoken here")
        if body + attachment > LARGEST:
            raise WireError(f"a message of {body + attachment} bytes is too large")
        middle = size + body
        end = middle + attachment
        if len(buffer) < end:
            return None
        frame = bytes(buffer[size:middle]), bytes(buffer[middle:end])
        del buffer[:end]
        return self._wire.unpack(*frame)
