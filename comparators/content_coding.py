"""Undoes the content codings of a body within a cap."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, Protocol

import brotli

if TYPE_CHECKING or sys.version_info < (3, 14):
    from backports import zstd
else:
    from compression import zstd

MOST_BYTES: Final = 16 * 1024 * 1024
"""The decoded size of one body; the worker's own cap is on the encoded size."""

BODY_CAP: Final = "body_cap"
ENCODING: Final = "encoding"
CORRUPT: Final = "corrupt"

_CODINGS_AT_MOST: Final = 3
_PARTS_AT_MOST: Final = 1000
"""A stream may be several compressed parts one after the other; each costs a copy of the rest."""

_ZSTD_WINDOW: Final = 23
"""RFC 9659: a window above 8 MiB is not for the web."""

_ZLIB_METHOD: Final = 8


class Undecodable(Exception):
    """A body whose coding cannot be undone: over the cap, in an unknown coding, or broken."""

    def __init__(self, reason: Literal["body_cap", "encoding", "corrupt"]) -> None:
        super().__init__(reason)
        self.reason: Literal["body_cap", "encoding", "corrupt"] = reason


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def decode(body: bytes, coding: str, cap: int = MOST_BYTES) -> bytes:
    """Undo a Content-Encoding (RFC 9110 8.4); Undecodable when more than `cap` bytes come of it, or nothing does."""
    names = [name.strip().lower() for name in coding.split(",")]
    codings = [name for name in names if name not in {"", "identity"} and not misnamed(name)]
    if not codings and any(map(misnamed, names)) and not is_plain(body):
        raise Undecodable(ENCODING)
    if len(codings) > _CODINGS_AT_MOST or not set(codings) <= _UNDO.keys():
        raise Undecodable(ENCODING)
    # A response to HEAD, a 204, a 304 names the coding of a body it does not have.
    if body:
        for name in reversed(codings):
            body = _UNDO[name](body, cap)
    if len(body) > cap:
        raise Undecodable(BODY_CAP)
    return body


def misnamed(name: str) -> bool:
    """Whether a name is not a coding: `none`, a charset, any other misconfigured value."""
    return name not in {"", "identity"} and name not in _UNDO and name not in _OTHERS


def is_plain(body: bytes) -> bool:
    """Whether a body can be read as it is: text, or a format with a known signature."""
    if body.startswith(_MAGIC):
        return True
    if b"\0" in body:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _gzip(body: bytes, cap: int) -> bytes:
    return _parts(body, cap, lambda: zlib.decompressobj(zlib.MAX_WBITS | 16))


def _deflate(body: bytes, cap: int) -> bytes:
    """Undo `deflate`, which some servers send without the zlib head that RFC 9110 8.4.1.2 asks for."""
    headed = len(body) > 1 and body[0] & 0xF == _ZLIB_METHOD and (body[0] << 8 | body[1]) % 31 == 0
    return _parts(body, cap, lambda: zlib.decompressobj(zlib.MAX_WBITS if headed else -zlib.MAX_WBITS))


def _zstd(body: bytes, cap: int) -> bytes:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    return _parts(body, cap, lambda: zstd.ZstdDecompressor(options=options))


def _parts(body: bytes, cap: int, begin: Callable[[], _Decompressor]) -> bytes:
    """Undo compressed parts that follow one another; zero bytes may fill up the end."""
    found: list[bytes] = []
    room = cap
    for _ in range(_PARTS_AT_MOST):
        part = begin()
        try:
            # One byte more than allowed distinguishes a body at the cap from one over it; 0 would mean no limit.
            found.append(part.decompress(body, room + 1))
        except (zlib.error, zstd.ZstdError):
            raise Undecodable(CORRUPT) from None
        room -= len(found[-1])
        if room < 0:
            raise Undecodable(BODY_CAP)
        if not part.eof:
            break
        body = part.unused_data
        if not body.strip(b"\0"):
            return b"".join(found)
    raise Undecodable(CORRUPT)


def _brotli(body: bytes, cap: int) -> bytes:
    stream = brotli.Decompressor()
    try:
        found = stream.process(body, output_buffer_limit=cap + 1)
        while len(found) <= cap and not stream.is_finished():
            more = stream.process(b"", output_buffer_limit=cap + 1 - len(found))
            if not more:
                raise Undecodable(CORRUPT)
            found += more
    except brotli.error:
        raise Undecodable(CORRUPT) from None
    if len(found) > cap:
        raise Undecodable(BODY_CAP)
    return bytes(found)


_UNDO: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
_OTHERS: Final = frozenset(
    {"compress", "x-compress", "exi", "pack200-gzip", "aes128gcm", "dcb", "dcz", "bzip2", "x-bzip2", "lzma", "xz",
     "sdch", "lz4", "snappy"}
)  # fmt: skip
"""Codings that exist but are not undone here."""

_MAGIC: Final = (b"%PDF-", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"RIFF", b"PK\x03\x04", b"OggS", b"\x00\x00\x01\x00")
