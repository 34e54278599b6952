"""Reads one request written as a JSON object: nginx's JSON logs, our own access line, hand-made records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from proxy.recorded.combined import request_line
from proxy.recorded.request import Recorded, UnreadableError

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
    """The request that a JSON object describes, under any of the usual names for its parts."""
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
        at=_moment(value),
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


def _moment(value: Mapping[str, Any]) -> float | None:
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
