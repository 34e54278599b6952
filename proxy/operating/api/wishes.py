"""Reads what a change asks for, with every problem at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from proxy.operating.access import OPERATE
from proxy.operating.sessions import NAME

ROLE = web.RequestKey("role", str)
"""Under this key a request carries the role that it has shown: `operate`, `view`, or nothing."""
CONSOLE = web.RequestKey("console", bool)
"""Under this key a request says whether it came from a page of the console."""
PERSON = web.RequestKey("person", str)
"""Under this key a request carries the name that was given at the login."""
OPERATOR_HEADER = "X-Strangler-Operator"
_NAMES: Mapping[type, str] = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}


class RefusedError(Exception):
    """A request that the admin port answers with a problem document; `more` are its further members."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more


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


def is_operator(request: web.Request) -> bool:
    """Whether whoever asks has shown the operator's token."""
    return bool(request.get(ROLE, "") == OPERATE)


def who_asks(request: web.Request) -> str:
    """Return the name that an audit entry of this request carries: as the asker says, else the door it came by."""
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
