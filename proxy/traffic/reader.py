"""Streams requests from access logs, HAR, JSON lines.

The first line decides the format. A line that cannot be read is counted, the first few are kept with
their number; a file without any readable line is refused.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from urllib.parse import urlsplit

# One recorded request, of any format.


class Recorded(NamedTuple):
    """A request as recorded; empty or None is what the record does not have.

    `target` is path with query, `at` epoch seconds, `seconds` how long the response took, `user` an identity that
    the recorder vouches for, `visitor` a client distinguished by address and agent. `side`, `bucket`, `route` are
    known only from the proxy's own access lines.
    """

    line: int
    method: str
    target: str
    host: str = ""
    status: int = 0
    at: float | None = None
    seconds: float | None = None
    user: str = ""
    visitor: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    side: str = ""
    route: str = ""
    bucket: float | None = None


class UnreadableError(ValueError):
    """A line, or a whole file, that is no record of requests; the text says why."""


# Reads the access lines that Apache calls common or combined, nginx writes by default.


_LINE: Final = re.compile(
    r'(?:(?P<host>[^\s"]+) )?(?P<remote>[^\s"]+) (?P<ident>[^\s"]+) (?P<user>[^"\[]+?) \[(?P<at>[^\]]+)\] '
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) \S+'
    r'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_ESCAPE: Final = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)")
_REQUEST_PARTS: Final = 3


def combined_line(text: str, number: int) -> Recorded:
    """Read one line, with or without a virtual host before it; UnreadableError for anything else."""
    found = _LINE.match(text)
    if found is None:
        raise UnreadableError("no access line in the combined format")
    method, target = request_line(unescaped(found["request"]))
    user = found["user"].strip()
    agent = found["agent"] or ""
    headers = (("User-Agent", unescaped(agent)),) if agent not in ("", "-") else ()
    return Recorded(
        number,
        method,
        target,
        host=(found["host"] or "").rpartition(":")[0] or (found["host"] or ""),
        status=int(found["status"]),
        at=_combined_moment(found["at"]),
        user="" if user == "-" else unescaped(user),
        visitor=f"{found['remote']} {agent}",
        headers=headers,
    )


def request_line(text: str) -> tuple[str, str]:
    """Split `GET /path HTTP/1.1`; UnreadableError for what is not an HTTP request."""
    parts = text.split(" ")
    if len(parts) != _REQUEST_PARTS or not parts[2].startswith("HTTP/") or not parts[0].isalpha():
        raise UnreadableError("its request is not one of HTTP")
    if not parts[1].startswith("/"):
        raise UnreadableError("its request target is not a path")
    return parts[0].upper(), parts[1]


def unescaped(text: str) -> str:
    r"""Undo what nginx and Apache write for quotes, backslashes, control characters: `\"`, `\x22`."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text) if "\\" in text else text


@lru_cache(maxsize=64)
def _combined_moment(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        return None


# Reads one request written as a JSON object: nginx's JSON logs, our own access line, hand-made records.


_TARGET: Final = ("request_uri", "uri", "target", "url", "path")
_METHOD: Final = ("request_method", "method", "verb")
_STATUS: Final = ("status", "status_code", "response_status")
_MOMENT: Final = ("time", "time_iso8601", "timestamp", "@timestamp", "ts", "at", "msec", "time_local")
_SECONDS: Final = ("request_time", "seconds", "duration")
_USER: Final = ("remote_user", "user")
_REMOTE: Final = ("remote", "remote_addr", "client", "ip", "x_forwarded_for")
_AGENT: Final = ("http_user_agent", "user_agent", "agent")
_HOST: Final = ("http_host", "host", "server_name")
_MILLIS: Final = 1000.0


def json_line(text: str, number: int) -> Recorded:
    """Read one line; UnreadableError when it is no JSON object that names a request."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("no JSON") from None
    if not isinstance(value, dict):
        raise UnreadableError("no JSON object")
    return of_mapping(value, number)


def of_mapping(value: Mapping[str, Any], number: int) -> Recorded:
    """The request that a JSON object describes, under any of the usual names of its members."""
    method, target = _request(value)
    host = _text(value, _HOST)
    if "://" in target:
        parts = urlsplit(target)
        host = host or parts.netloc
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.startswith("/"):
        raise UnreadableError("its request target is not a path")
    query = value.get("query_string", value.get("args"))
    if isinstance(query, str) and query not in ("", "-") and "?" not in target:
        target = f"{target}?{query}"
    agent = _text(value, _AGENT)
    bucket = value.get("bucket")
    return Recorded(
        number,
        method.upper(),
        target,
        host=host,
        status=int(_number(value, _STATUS) or 0),
        at=_json_moment(value),
        seconds=_seconds(value),
        user=_text(value, _USER),
        visitor=f"{_text(value, _REMOTE)} {agent}".strip(),
        headers=_headers(value.get("headers"), agent),
        body=_body(value.get("body")),
        side=_text(value, ("side",)),
        route=_text(value, ("route",)),
        bucket=float(bucket) if isinstance(bucket, int | float) and not isinstance(bucket, bool) else None,
    )


def _request(value: Mapping[str, Any]) -> tuple[str, str]:
    whole = value.get("request")
    if isinstance(whole, str):
        return request_line(whole)
    target = _text(value, _TARGET)
    if not target:
        raise UnreadableError("it names no path")
    return _text(value, _METHOD) or "GET", target


def _text(value: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        found = value.get(name)
        if isinstance(found, str) and found not in ("", "-"):
            return found
    return ""


def _number(value: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    for name in names:
        try:
            return float(value[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _seconds(value: Mapping[str, Any]) -> float | None:
    millis = _number(value, ("duration_ms",))
    return millis / _MILLIS if millis is not None else _number(value, _SECONDS)


def _json_moment(value: Mapping[str, Any]) -> float | None:
    for name in _MOMENT:
        found = value.get(name)
        if isinstance(found, int | float) and not isinstance(found, bool):
            return float(found)
        if not isinstance(found, str):
            continue
        try:
            return float(found)
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(found)
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


def _headers(value: Any, agent: str) -> tuple[tuple[str, str], ...]:
    if isinstance(value, dict):
        return tuple((str(name), str(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(_pair(each) for each in value)
    return (("User-Agent", agent),) if agent else ()


def _pair(value: Any) -> tuple[str, str]:
    """One field: `[name, value]`, or `{name, value}` as HAR has it."""
    if isinstance(value, dict):
        return str(value.get("name", "")), str(value.get("value", ""))
    if isinstance(value, list) and len(value) == 2:  # noqa: PLR2004 - a pair
        return str(value[0]), str(value[1])
    raise UnreadableError("its headers are neither a mapping nor pairs")


def _body(value: Any) -> bytes:
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


# Reads the requests of an HTTP archive, as browsers save them (HAR 1.2).


LARGEST: Final = 256 * 1024 * 1024
"""Bytes; an archive is one JSON value that has to be read whole."""


def har(data: bytes) -> Iterator[Recorded | UnreadableError]:
    """Yield each entry's request, or why that entry is none; UnreadableError when it is not an archive."""
    try:
        entries = json.loads(data)["log"]["entries"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UnreadableError("no HTTP archive: a JSON object with log.entries is expected") from None
    if not isinstance(entries, list):
        raise UnreadableError("no HTTP archive: log.entries is not a list")
    for number, entry in enumerate(entries, 1):
        try:
            yield _entry(entry, number)
        except (UnreadableError, KeyError, TypeError, AttributeError) as error:
            yield error if isinstance(error, UnreadableError) else UnreadableError("an entry without a request")


def _entry(entry: Any, number: int) -> Recorded:
    request = entry["request"]
    post = request.get("postData") or {}
    read = of_mapping(
        {
            "method": request["method"],
            "url": request["url"],
            "headers": [pair for pair in request.get("headers", []) if not pair["name"].startswith(":")],
            "body": post.get("text"),
            "status": (entry.get("response") or {}).get("status"),
            "time": entry.get("startedDateTime"),
            "duration_ms": entry.get("time"),
        },
        number,
    )
    return read._replace(visitor=urlsplit(request["url"]).netloc)


LONGEST: Final = 1024 * 1024
"""Bytes of one line; a longer one is not an access line."""
REMEMBERED: Final = 5
_TELL_EVERY: Final = 2000
_GZIP: Final = b"\x1f\x8b"

Line = Callable[[str, int], Recorded]
Numbered = tuple[int, Recorded | UnreadableError]


class Recording:
    """One recorded file. `read` and `unreadable` count the lines so far, `examples` shows what could not be read."""

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
