"""Routes in the API: status, explanation, actions, drill."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, TypeVar

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX, Field, actor_of, tag, wish_of
from proxy.control.errors import RefusedError, no_such_route
from proxy.control.override_changes import wrong_weight
from proxy.control.reload import Current
from proxy.control.route_actions import sent_back_by_hand, sent_back_in_this_incident
from proxy.described_request import facts_of, meets_strangers
from proxy.ipc.child_process import Tasks
from rules.model import Override
from rules.routing.explain import explain as explained

_REVISION = Field("revision", int)
_REASON = Field("reason", str)
_REASON_NEEDED = Field("reason", str, required=True)
_OVERRIDE = Field("override", bool)
_WEIGHT = Field("weight", float, required=True, check=wrong_weight)
Do = Callable[[str, str, dict[str, Any]], Coroutine[Any, Any, object]]
Result = TypeVar("Result")


def action_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the paths of the verbs."""
    tasks = Tasks()

    def verb(name: str, do: Do, *fields: Field, any_revision: bool = False) -> web.RouteDef:
        async def handler(request: web.Request) -> web.Response:
            route = request.match_info["name"]
            wish = await wish_of(request, *fields, _REVISION)
            if control.current().generation.table.compiled_route_of(route) is None:
                raise no_such_route(route, control.current().generation)
            if not any_revision:
                _check_revision(request, wish, control.current(), control.route_actions.override(route))
            await finished(do(route, actor_of(request), wish))
            return await _answer(control, route)

        return web.post(f"{PREFIX}/routes/{{name}}/{name}", handler)

    async def finished(work: Coroutine[Any, Any, Result]) -> Result:
        # a client that hangs up must not leave a change half done
        return await tasks.finish(work, "action")

    async def all_back(request: web.Request) -> web.Response:
        wish = await wish_of(request, _REASON_NEEDED)
        await finished(control.route_actions.roll_back_all(actor_of(request), wish["reason"]))
        document = await control.status()
        routes = [each for each in document["routes"] if each["rolled_back"]]
        return http.json({"routes": routes, "milliseconds": round(control.route_actions.waited * 1000, 1)})

    async def all_again(request: web.Request) -> web.Response:
        wish = await wish_of(request, _REASON_NEEDED, Field("guard", bool), Field("preview", bool))
        which = sent_back_in_this_incident if wish.get("guard") else sent_back_by_hand
        if wish.get("preview"):
            lifted = {override.route for override in which(control.current().generation)}
        else:
            changed = await finished(control.route_actions.resume_all(actor_of(request), wish["reason"], which))
            lifted = {override.route for override in changed}
        document = await control.status()
        resumed = [each for each in document["routes"] if each["name"] in lifted]
        left = [each for each in document["routes"] if each["rolled_back"] and each["name"] not in lifted]
        return http.json({"routes": resumed, "left": left})

    return (
        verb(
            "rollback",
            lambda route, who, wish: control.route_actions.roll_back(route, who, wish["reason"]),
            _REASON_NEEDED,
            any_revision=True,
        ),
        verb(
            "resume", lambda route, who, wish: control.route_actions.resume(route, who, wish["reason"]), _REASON_NEEDED
        ),
        verb("hold", lambda route, who, wish: control.route_actions.hold(route, who, wish.get("reason", "")), _REASON),
        verb(
            "advance",
            lambda route, who, wish: control.route_actions.advance(
                route, who, _reason(wish), withheld=not wish.get("override", False)
            ),
            _REASON,
            _OVERRIDE,
        ),
        verb(
            "weight",
            lambda route, who, wish: control.route_actions.weight(
                route, wish["weight"], who, _reason(wish), withheld=not wish.get("override", False)
            ),
            _WEIGHT,
            _REASON,
            _OVERRIDE,
        ),
        web.post(f"{PREFIX}/rollback", all_back),
        web.post(f"{PREFIX}/resume", all_again),
    )


def _reason(wish: dict[str, Any]) -> str:
    """Return why; RefusedError for an override without it: what was passed over is recorded with a reason."""
    reason: str = wish.get("reason") or ""
    if wish.get("override") and not reason.strip():
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "reason is required with `override`")
    return reason


async def _answer(control: ControlPort, name: str) -> web.Response:
    document = await control.status()
    found = next((route for route in document["routes"] if route["name"] == name), None)
    if found is None:  # the file changed meanwhile
        raise no_such_route(name, control.current().generation)
    answer = http.json({**found, "milliseconds": round(control.route_actions.waited * 1000, 1)})
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


# Answers what every route does now.


def status_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the paths of the status."""

    async def status(_: web.Request) -> web.Response:
        return http.json(await control.status())

    async def route(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        document = await control.status()
        found = next((route for route in document["routes"] if route["name"] == name), None)
        if found is None:
            raise no_such_route(name, control.current().generation)
        answer = http.json(found)
        answer.headers["ETag"] = tag(found, document["config"]["digest"])
        return answer

    return (web.get(f"{PREFIX}/status", status), web.get(f"{PREFIX}/routes/{{name}}", route))


# Answers where a described request would go.


_EVEN_DRAW = 0.5


def explain_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of explanations."""

    async def explain(request: web.Request) -> web.Response:
        query = request.query
        path = query.get("path", "")
        if not path.startswith("/"):
            return http.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "path must be given, beginning with a slash")
        headers = [(name.strip(), value.strip()) for name, _, value in _split(query.getall("header", []))]
        generation = control.current().generation
        keys, user = control.identity_keys(), query.get("user")
        facts = facts_of(generation, query.get("method", "GET"), path, headers, user, keys=keys)
        fresh = meets_strangers(generation, keys, user)
        return http.json(asdict(explained(generation, facts, draw=_EVEN_DRAW, fresh=fresh)))

    return (web.get(f"{PREFIX}/explain", explain),)


def _split(headers: list[str]) -> list[tuple[str, str, str]]:
    return [header.partition(":") for header in headers]


# Runs a drill on one route.


_LONGEST, _USUAL = 20.0, 10.0


def drill_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of drills."""
    tasks = Tasks()

    async def drill(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("seconds", float, check=_wrong), Field("path", str, check=_no_path))
        work = control.drills.run(
            request.match_info["name"], wish.get("path", ""), float(wish.get("seconds", _USUAL)), actor_of(request)
        )
        # a client that hangs up must not leave the route rolled back
        return http.json(asdict(await tasks.finish(work, "drill")))

    return (web.post(f"{PREFIX}/routes/{{name}}/drill", drill),)


def _wrong(seconds: Any) -> str | None:
    return None if 1 <= seconds <= _LONGEST else f"must be between 1 and {_LONGEST:g}"


def _no_path(path: Any) -> str | None:
    good = path.startswith("/") and path.isascii() and path.isprintable() and " " not in path
    return None if good else "must be a path, beginning with a slash"
