"""Does to routes what people ask for: rollback, resume, hold, advance, weight."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.api import PREFIX
from proxy.operating.api.revisions import tag
from proxy.operating.api.wishes import Field, RefusedError, who_asks, wish_of
from proxy.operating.current import Current
from proxy.operating.moves import wrong_weight
from proxy.operating.verbs import Verbs
from rules.model import Override

_REVISION = Field("revision", int)
_REASON = Field("reason", str)
_REASON_NEEDED = Field("reason", str, required=True)
_WEIGHT = Field("weight", float, required=True, check=wrong_weight)
Do = Callable[[str, str, dict[str, Any]], Awaitable[object]]


class Control(Protocol):
    """What the verbs ask."""

    @property
    def verbs(self) -> Verbs:
        """Return what changes routes."""

    def current(self) -> Current:
        """Return what runs now."""

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the paths of the verbs."""
    begun: set[asyncio.Future[object]] = set()

    def verb(name: str, do: Do, *fields: Field, any_revision: bool = False) -> web.RouteDef:
        async def handler(request: web.Request) -> web.Response:
            route = request.match_info["name"]
            wish = await wish_of(request, *fields, _REVISION)
            if control.current().generation.table.lane_of(route) is None:
                raise RefusedError(HTTPStatus.NOT_FOUND, f"no route is called {route}")
            if not any_revision:
                _check_revision(request, wish, control.current(), control.verbs.override(route))
            await finished(do(route, who_asks(request), wish))
            return await _answer(control, route)

        return web.post(f"{PREFIX}/routes/{{name}}/{name}", handler)

    async def finished(work: Awaitable[object]) -> None:
        # whoever hangs up must not leave a change half done
        task = asyncio.ensure_future(work)
        begun.add(task)
        task.add_done_callback(begun.discard)
        await asyncio.shield(task)

    async def all_back(request: web.Request) -> web.Response:
        wish = await wish_of(request, _REASON_NEEDED)
        await finished(control.verbs.roll_back_all(who_asks(request), wish["reason"]))
        document = await control.status()
        return answers.json({"routes": [each for each in document["routes"] if each["rolled_back"]]})

    async def all_again(request: web.Request) -> web.Response:
        wish = await wish_of(request, _REASON_NEEDED)
        work = asyncio.ensure_future(control.verbs.resume_all(who_asks(request), wish["reason"]))
        await finished(work)
        lifted = {override.route for override in work.result()}
        document = await control.status()
        resumed = [each for each in document["routes"] if each["name"] in lifted]
        return answers.json({"routes": resumed, "left": [each for each in document["routes"] if each["rolled_back"]]})

    return (
        verb(
            "rollback",
            lambda route, who, wish: control.verbs.roll_back(route, who, wish["reason"]),
            _REASON_NEEDED,
            any_revision=True,
        ),
        verb("resume", lambda route, who, wish: control.verbs.resume(route, who, wish["reason"]), _REASON_NEEDED),
        verb("hold", lambda route, who, wish: control.verbs.hold(route, who, wish.get("reason", "")), _REASON),
        verb("advance", lambda route, who, wish: control.verbs.advance(route, who, wish.get("reason", "")), _REASON),
        verb(
            "weight",
            lambda route, who, wish: control.verbs.weight(route, wish["weight"], who, wish.get("reason", "")),
            _WEIGHT,
            _REASON,
        ),
        web.post(f"{PREFIX}/rollback", all_back),
        web.post(f"{PREFIX}/resume", all_again),
    )


async def _answer(control: Control, name: str) -> web.Response:
    document = await control.status()
    found = next((route for route in document["routes"] if route["name"] == name), None)
    if found is None:  # the file changed meanwhile
        return answers.problem(HTTPStatus.NOT_FOUND, f"no route is called {name}")
    answer = answers.json(found)
    answer.headers["ETag"] = tag(found, document["config"]["digest"])
    return answer


def _check_revision(request: web.Request, wish: dict[str, Any], current: Current, override: Override | None) -> None:
    """Raise RefusedError (412) when the request names another state than the present one (RFC 9110 13.1.1).

    An If-Match is the tag of the route's status, or its `revision` between quotes.
    """
    revision = override.revision if override is not None else 0
    present = tag({"revision": revision}, current.configuration.snapshot.digest)
    wanted = request.headers.get("If-Match", "").strip()
    named = {each.strip() for each in wanted.split(",")} if wanted else {"*"}
    if named.isdisjoint({"*", present, f'"{revision}"', str(revision)}) or wish.get("revision", revision) != revision:
        detail = "the route has changed since you looked"
        raise RefusedError(HTTPStatus.PRECONDITION_FAILED, detail, current=present, revision=revision)
