"""Writes the access line: one JSON object for each request, the record of its decision.

Members are those of structlog's JSON renderer. Query values, header values, bodies never come near this file;
a path is cut so that a line stays within what a pipe writes whole.
"""

from __future__ import annotations

import time

import orjson

from proxy.log.names import REQUEST
from proxy.log.writer import LineWriter
from proxy.observe import Exchange

_LONGEST_PATH = 1024
_LONGEST_NAME = 256


class AccessLog:
    """An observer that turns exchanges into lines. `_second` with `_prefix` change once a second."""

    __slots__ = ("_prefix", "_put", "_second")

    def __init__(self, writer: LineWriter) -> None:
        self._put = writer.put
        self._second = -1
        self._prefix = ""

    def observe(self, exchange: Exchange) -> None:
        """Write the line of one finished call."""
        # unpacked at once: two dozen attribute reads would cost as much as the rest
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
        ) = exchange
        second = int(at)
        if second != self._second:
            self._second = second
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        if len(path) > _LONGEST_PATH or "?" in path:
            path = path.partition("?")[0][:_LONGEST_PATH]
        upstream: str | None = None
        upstream_ms: float | None = None
        if attempts:
            _, _, upstream, _, _, wait = attempts[-1]
            upstream_ms = int(wait * 1e6) / 1e3
        line = {
            "ts": f"{self._prefix}{int((at - second) * 1000):03}Z",
            "level": "info",
            "event": REQUEST,
            "request_id": request_id,
            "route": route,
            "config": digest,
            "generation": generation,
            "bucket": bucket,
            "weight": weight,
            "side": side,
            "reason": reason,
            "answered": answered,
            "upstream": upstream,
            "status": status,
            "duration_ms": int(duration * 1e6) / 1e3,
            "overhead_ms": int(overhead * 1e6) / 1e3,
            "upstream_ms": upstream_ms,
            "bytes_in": bytes_in,
            "bytes_out": bytes_out,
            "client": client,
            "method": method,
            "host": host,
            "path": path,
        }
        if fallback or error or len(attempts) > 1:
            _tell_trouble(line, exchange)
        try:
            self._put(_dumps(line, None, _NEWLINE))
        except TypeError:  # text that no UTF-8 can spell
            self._put(_dumps({name: _spellable(value) for name, value in line.items()}, None, _NEWLINE))


_dumps = orjson.dumps
_NEWLINE = orjson.OPT_APPEND_NEWLINE


def _spellable(value: object) -> object:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _tell_trouble(line: dict[str, object], exchange: Exchange) -> None:
    if exchange.fallback:
        line["fallback"] = exchange.fallback
    if exchange.error:
        line["error"] = exchange.error[:_LONGEST_NAME]
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
