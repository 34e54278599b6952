"""HTTP of the admin port: reads what a request asks for, writes responses and problems, limits rates."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Any

import orjson
from aiohttp import web

from proxy.control.api.access import NAME, OPERATE
from proxy.control.errors import RefusedError

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return `value` as an answer."""
    return web.Response(
        body=orjson.dumps(value, default=str), status=status, content_type="application/json", headers=HEADERS
    )


def too_many(seconds: float) -> web.Response:
    """Return the response to a client that has to wait for `seconds`."""
    answer = problem(HTTPStatus.TOO_MANY_REQUESTS, f"too many requests; wait {seconds:.1f} s")
    answer.headers["Retry-After"] = str(ceil(seconds))
    return answer


def problem(status: HTTPStatus, detail: str, **more: Any) -> web.Response:
    """Return what went wrong; `more` members say what else is known."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, **more}
    headers = dict(HEADERS)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="strangler"'
    return web.Response(
        body=orjson.dumps(body, default=str),
        status=status,
        content_type="application/problem+json",
        headers=headers,
    )


def requester(request: web.Request) -> str:
    """Return whose bucket a request comes out of: an address, of IPv6 the network that one customer has."""
    try:
        address = ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return ""
    if address.version == 4:  # noqa: PLR2004 - IPv4
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address) >> 64 << 64, 64)))


# Says how long a client that asks too often has to wait.


class Rates:
    """A bucket of `burst` requests for each asker, filled again by `per_second`.

    The buckets change with `wait`; the `kept` latest clients have one, a forgotten one begins with a full one.
    """

    def __init__(
        self, per_second: float, burst: int, *, kept: int = 1024, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._kept = kept
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def due(self, who: str) -> float:
        """Return what `wait` would, without counting a request."""
        left, since = self._buckets.get(who, (self._burst, 0.0))
        left = min(self._burst, left + (self._clock() - since) * self._per_second)
        return 0.0 if left >= 1 else (1 - left) / self._per_second

    def wait(self, who: str) -> float:
        """Count one request of `who`; return the seconds until it would be welcome, 0 when it is now."""
        now = self._clock()
        left, since = self._buckets.pop(who, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        seconds = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._buckets[who] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > self._kept:
            del self._buckets[next(iter(self._buckets))]
        return seconds


# The areas of the admin API: one file each, with the paths it answers plus what it needs of control.


PREFIX = "/api/v1"


# Reads what a change asks for, with every problem at once.


ROLE = web.RequestKey("role", str)
"""Under this key a request carries the role that it has shown: `operate`, `view`, or nothing."""
CONSOLE = web.RequestKey("console", bool)
"""Under this key a request says whether it came from a page of the console."""
PERSON = web.RequestKey("person", str)
"""Under this key a request carries the name that was given at the login."""
LOGGED_IN = web.RequestKey("logged_in", dict)
"""Under this key a login says which role and which name it was for."""
OPERATOR_HEADER = "X-Strangler-Operator"
_NAMES: Mapping[type, str] = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Field:
    """One member of a request's JSON object; `check` returns what is wrong with a value of the right kind, if anything.

    A `float` may be written as a whole number, never as text or true. A text that is required may not be blank,
    none may have more than `longest` characters.
    """

    name: str
    kind: type
    required: bool = False
    check: Callable[[Any], str | None] = lambda _: None
    longest: int = 2000


async def wish_of(request: web.Request, *fields: Field, largest: int = 0) -> dict[str, Any]:
    """Return the members of the request's JSON object; RefusedError with all that is wrong with them.

    An empty body is an empty object. `largest` (bytes) replaces the port's own limit for a body.
    """
    data = await (request.clone(client_max_size=largest) if largest else request).read()
    if not data.strip():
        wish: Any = {}
    else:
        try:
            wish = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(wish, dict):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "the body must be a JSON object")
    problems = [{"member": name, "message": message} for name, message in _problems(wish, fields)]
    if problems:
        detail = "; ".join(f"{one['member']} {one['message']}" for one in problems)
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, problems=problems)
    return wish


def has_hung_up(request: web.Request) -> bool:
    """Whether the client is gone: a stream would know it at its next write only."""
    return request.transport is None or request.transport.is_closing()


def is_operator(request: web.Request) -> bool:
    """Whether the client has shown the operator's token."""
    return bool(request.get(ROLE, "") == OPERATE)


def actor_of(request: web.Request) -> str:
    """Return the name that an audit entry of this request carries: the client's own, else `api` or `console`."""
    door = "console" if request.get(CONSOLE, False) else "api"
    named = request.get(PERSON, "") or request.headers.get(OPERATOR_HEADER, "")
    return f"{door}:{named}" if named and NAME.fullmatch(named) else door


def _problems(wish: Mapping[str, Any], fields: tuple[Field, ...]) -> Iterator[tuple[str, str]]:
    known = [field.name for field in fields]
    for name in wish:
        if name not in known:
            close = get_close_matches(name, known, 1)
            yield name, f"is not known here{f'; did you mean {close[0]}?' if close else ''}"
    for field in fields:
        problem = _problem(field, wish.get(field.name))
        if problem:
            yield field.name, problem


def _problem(field: Field, value: Any) -> str | None:
    if value is None or (field.required and isinstance(value, str) and not value.strip()):
        return "is required" if field.required else None
    right = isinstance(value, (int, float) if field.kind is float else field.kind)
    if not right or (isinstance(value, bool) and field.kind is not bool):
        return f"must be {_NAMES.get(field.kind, field.kind.__name__)}"
    if isinstance(value, str) and len(value) > field.longest:
        return f"must be at most {field.longest} characters"
    return field.check(value)


# Reads the parameter `since`: a duration back, or a moment.


_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def moment(text: str, now: float) -> float:
    """Return the epoch seconds that `1h` or an RFC 3339 timestamp means, 0 for nothing; RefusedError (422)."""
    if not text:
        return 0.0
    found = _DURATION.fullmatch(text)
    if found:
        return max(0.0, now - float(found[1]) * _SECONDS[found[2]])
    try:
        # a plus sign that was not escaped in a query string has become a space
        at = datetime.fromisoformat(text.strip().replace(" 0", "+0"))
    except ValueError:
        detail = "since must be a duration such as 1h, or a timestamp such as 2027-01-31T12:00:00Z"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
    if at.tzinfo is None:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "since must say its time zone")
    return max(0.0, at.timestamp())


# Cuts a list into pages.


DEFAULT = 100
MOST = 1000


def limit_of(request: web.Request) -> int:
    """Return how many items the request wants at most; RefusedError (422) when that is no number from 1 to MOST."""
    text = request.query.get("limit", str(DEFAULT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"limit must be a whole number from 1 to {MOST}")
    return int(text)


def page(request: web.Request, items: Sequence[Any], key: Callable[[Any], str]) -> dict[str, Any]:
    """Return the page of `items` that follows the one whose `key` is the parameter `after`.

    `next` is what to ask `after` for the following page, None on the last one. An unknown `after` begins anew.
    """
    limit, after = limit_of(request), request.query.get("after", "")
    start = next((index + 1 for index, item in enumerate(items) if after and key(item) == after), 0)
    cut = list(items[start : start + limit])
    return {"items": cut, "next": key(cut[-1]) if cut and start + limit < len(items) else None}


# Checks whether what a client saw is still so (If-Match, RFC 9110 13.1.1).


def tag(route: dict[str, Any], digest: str) -> str:
    """Return the entity tag of a route's status: it changes with the file or with what was set at run time."""
    return f'"{digest[:12]}-{route.get("revision", 0)}"'


def check(request: web.Request, current: str) -> None:
    """Raise RefusedError (412) when the request's If-Match names another tag than `current`."""
    wanted = request.headers.get("If-Match", "").strip()
    if not wanted or wanted == "*":
        return
    if current not in (each.strip() for each in wanted.split(",")):
        raise RefusedError(HTTPStatus.PRECONDITION_FAILED, "the route has changed since you looked", current=current)
