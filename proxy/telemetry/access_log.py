"""One JSON line a request, and where the lines go.

Members are those of structlog's JSON renderer. Query values, header values, bodies are never written;
a path is cut so that a line stays within what a pipe writes whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import orjson

from proxy.settings import access_log_target
from proxy.telemetry import events
from proxy.telemetry.events import REQUEST, Emit, lost_line
from proxy.telemetry.log_writer import LineWriter
from proxy.telemetry.records import Exchange
from rules.bounded_cache import evict_oldest


class AccessLog:
    """An observer that turns exchanges into lines.

    `_second` and `_stamp` change once a second. `_alike` are the members that most lines share, written once; `_own`
    holds the others of the last line.
    """

    __slots__ = ("_alike", "_own", "_put", "_second", "_stamp")

    def __init__(self, writer: LineWriter) -> None:
        self._put = writer.put_all
        self._second = -1
        self._stamp = b""
        self._alike: dict[tuple[object, ...], bytes] = {}
        self._own: dict[str, object] = {}

    def observe(self, exchange: Exchange) -> None:
        """Write the line of one finished request."""
        self.observe_all((exchange,))

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Write the lines of finished requests, all at once."""
        self._put([self._line(exchange) for exchange in exchanges])

    def _line(self, exchange: Exchange) -> bytes:
        # unpacked together: two dozen attribute reads would cost as much as the rest
        (
            at,
            request_id,
            client,
            method,
            host,
            path,
            route,
            generation,
            digest,
            bucket,
            weight,
            side,
            reason,
            answered,
            status,
            attempts,
            fallback,
            duration,
            overhead,
            bytes_in,
            bytes_out,
            error,
            _,
            _,
            _,
            untranslated,
        ) = exchange
        second = int(at)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime('{"ts":"%Y-%m-%dT%H:%M:%S.', time.gmtime(second)).encode()
        upstream, wait = (attempts[-1][2], attempts[-1][5]) if attempts else (None, None)
        key = (route, digest, generation, weight, side, reason, answered, upstream)
        alike = self._alike.get(key)
        if alike is None:
            alike = self._remember(key)
        if len(path) > _LONGEST_PATH or "?" in path:
            path = path.partition("?")[0][:_LONGEST_PATH]
        line = self._own  # a dictionary that has its size already
        line["request_id"] = request_id
        line["bucket"] = bucket
        line["status"] = status
        line["duration_ms"] = int(duration * 1e6) / 1e3
        line["overhead_ms"] = int(overhead * 1e6) / 1e3
        line["upstream_ms"] = None if wait is None else int(wait * 1e6) / 1e3
        line["bytes_in"] = bytes_in
        line["bytes_out"] = bytes_out
        line["client"] = client
        line["method"] = method
        line["host"] = host
        line["path"] = path
        if fallback or error or untranslated or len(attempts) > 1:
            line = line.copy()
            _add_trouble(line, exchange)
        return b"".join((self._stamp, _MILLISECONDS[int((at - second) * 1000)], alike, _text(line)[1:]))

    def _remember(self, key: tuple[object, ...]) -> bytes:
        """The members between the time and those that differ in each line."""
        evict_oldest(self._alike, _ALIKE_AT_MOST)
        text = _text({"level": "info", "event": REQUEST, **dict(zip(_ALIKE, key, strict=True))})
        alike = self._alike[key] = b'Z",' + text[1:-2] + b","
        return alike


_LONGEST_PATH: Final = 1024
_LONGEST_NAME: Final = 256
_ALIKE: Final = ("route", "config", "generation", "weight", "side", "reason", "answered", "upstream")
_ALIKE_AT_MOST: Final = 4096
_MILLISECONDS: Final = tuple(b"%03d" % number for number in range(1000))


def _text(line: dict[str, object]) -> bytes:
    try:
        return _dumps(line, None, _NEWLINE)
    except TypeError:  # text that no UTF-8 can spell
        return _dumps({name: _spellable(value) for name, value in line.items()}, None, _NEWLINE)


_dumps = orjson.dumps
_NEWLINE: Final = orjson.OPT_APPEND_NEWLINE


def _spellable(value: object) -> object:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _add_trouble(line: dict[str, object], exchange: Exchange) -> None:
    if exchange.fallback:
        line["fallback"] = exchange.fallback
    if exchange.error:
        line["error"] = exchange.error[:_LONGEST_NAME]
    if exchange.untranslated:
        line["untranslated"] = exchange.untranslated[:_LONGEST_NAME]
    line["attempts"] = [
        {
            "side": attempt.side,
            "upstream": attempt.target,
            "status": attempt.status,
            "kind": attempt.kind,
            "ms": round(attempt.wait * 1000, 3),
        }
        for attempt in exchange.attempts[:4]
    ]


# One worker's access lines: where they go, and the events about those that cannot be written.


class AccessLines:
    """The writer of access lines, if any are wanted. `_trouble` is the reason that was reported last."""

    def __init__(self, environ: Mapping[str, str], base_dir: Path, emit: Emit) -> None:
        self._emit = emit
        self._trouble = ""
        self._writer: LineWriter | None = None
        target = access_log_target(environ, base_dir)
        if target is not None:
            descriptor = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640) if target else 1
            self._writer = LineWriter(descriptor, lambda count: lost_line("worker", count))

    def observer(self) -> AccessLog | None:
        """Return what makes lines of exchanges; None when they are off."""
        return None if self._writer is None else AccessLog(self._writer)

    def lost(self) -> int:
        """Return how many lines are lost; emits, once, why they cannot be written."""
        if self._writer is None:
            return 0
        trouble = self._writer.trouble
        if trouble and trouble != self._trouble:
            self._emit(events.LINES_UNWRITTEN, "error", reason=trouble)
        self._trouble = trouble
        return self._writer.lost

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
