"""Reads the requests of an HTTP archive, as browsers save them (HAR 1.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from proxy.recorded.json_line import of_mapping
from proxy.recorded.request import Recorded, UnreadableError

LARGEST: Final = 256 * 1024 * 1024
"""Bytes; an archive is one JSON value that has to be read whole."""


def har(data: bytes) -> Iterator[Recorded | UnreadableError]:
    """Yield each entry's request, or why that entry is none; UnreadableError when it is no archive at all."""
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
