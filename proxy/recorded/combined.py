"""Reads the access lines that Apache calls common or combined, nginx writes by default."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Final

from proxy.recorded.request import Recorded, UnreadableError

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
        at=_moment(found["at"]),
        user="" if user == "-" else unescaped(user),
        visitor=f"{found['remote']} {agent}",
        headers=headers,
    )


def request_line(text: str) -> tuple[str, str]:
    """Take `GET /path HTTP/1.1` apart; UnreadableError for what was never an HTTP request."""
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
def _moment(text: str) -> float | None:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except ValueError:
        return None
