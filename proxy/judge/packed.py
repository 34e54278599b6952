"""Packs a redacted pair for the store, unpacks it again."""

from __future__ import annotations

import zlib

from proxy.ipc.codec import LARGEST, CodecError, Inbox
from proxy.ipc.judge_messages import STORED
from proxy.ipc.messages import Pair

_FAST = 1


class UnreadableError(Exception):
    """A stored pair that this version cannot read; its findings are still there."""


def pack(pair: Pair) -> bytes:
    """Return `pair` as the store keeps it."""
    return zlib.compress(STORED.pack(pair), _FAST)


def unpack(data: bytes) -> Pair:
    """Return the pair that was packed, or raise UnreadableError."""
    undone = zlib.decompressobj()
    inbox = Inbox(STORED)
    try:
        inbox.feed(undone.decompress(data, LARGEST))
        message = inbox.take()
    except (zlib.error, CodecError) as error:
        raise UnreadableError(str(error)) from error
    if not isinstance(message, Pair):
        raise UnreadableError("it is not whole")
    return message
