"""Streams the requests of a file of any size, whatever it was recorded by.

The first line says which format it is. A line that cannot be read is counted, the first few are remembered with
their number; a file without one good line is refused.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from proxy.recorded.combined import combined_line
from proxy.recorded.har import LARGEST, har
from proxy.recorded.json_line import json_line
from proxy.recorded.request import Recorded, UnreadableError

LONGEST: Final = 1024 * 1024
"""Bytes of one line; a longer one is no access line."""
REMEMBERED: Final = 5
_TELL_EVERY: Final = 2000
_GZIP: Final = b"\x1f\x8b"

Line = Callable[[str, int], Recorded]
Numbered = tuple[int, Recorded | UnreadableError]


class Recording:
    """One recorded file. `read` and `unreadable` count what came so far, `examples` shows what could not be read."""

    def __init__(self, path: Path, told: Callable[[int, int], None] = lambda _done, _size: None) -> None:
        self.path = path
        self.read = 0
        self.unreadable = 0
        self.examples: list[tuple[int, str]] = []
        self._told = told

    def __iter__(self) -> Iterator[Recorded]:
        """Yield each request; OSError as opening does, UnreadableError when nothing in it is a request."""
        size = self.path.stat().st_size
        with self.path.open("rb") as raw:
            for number, item in self._items(raw):
                if isinstance(item, UnreadableError):
                    self._skip(number, str(item))
                else:
                    self.read += 1
                    yield item
                if number % _TELL_EVERY == 0:
                    self._told(raw.tell(), size)
        self._told(size, size)
        if not self.read:
            why = f": line {self.examples[0][0]}: {self.examples[0][1]}" if self.examples else " in it"
            raise UnreadableError(f"{self.path}: no request could be read{why}")

    def _items(self, raw: BinaryIO) -> Iterator[Numbered]:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        stream: BinaryIO = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if packed else raw
        try:
            first = stream.readline(LONGEST + 1)
            rest = first.lstrip()
            if rest.startswith(b"{") and not _is_json_line(first):
                yield from enumerate(har(first + stream.read(LARGEST)), 1)
                return
            yield from _lines(stream, first, json_line if rest.startswith(b"{") else combined_line)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            yield self.read + self.unreadable + 1, UnreadableError(f"the packed file ends or breaks here: {error}")

    def _skip(self, number: int, why: str) -> None:
        self.unreadable += 1
        if len(self.examples) < REMEMBERED:
            self.examples.append((number, why))


def _lines(stream: BinaryIO, first: bytes, read: Line) -> Iterator[Numbered]:
    number, data = 1, first
    while data:
        if len(data) > LONGEST:
            while data and not data.endswith(b"\n"):
                data = stream.readline(LONGEST)
            yield number, UnreadableError(f"longer than {LONGEST} bytes")
        elif text := data.decode("utf-8", "surrogateescape").strip():
            try:
                yield number, read(text, number)
            except UnreadableError as error:
                yield number, error
        number += 1
        data = stream.readline(LONGEST + 1)


def _is_json_line(data: bytes) -> bool:
    """Whether a file's first line is a whole record: an archive may also stand on one line."""
    try:
        json_line(data.decode("utf-8", "surrogateescape"), 1)
    except UnreadableError:
        return b'"log"' not in data and data.rstrip().endswith(b"}")
    return True
