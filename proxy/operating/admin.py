"""The admin port: probes, metrics, status, explanations, reload.

Each handler asks one other part for the answer; nothing here decides anything about traffic.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Protocol

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.log import names
from proxy.log.events import Tell
from proxy.metrics.exposition import render
from proxy.metrics.totals import Key, Values
from proxy.operating import answers
from proxy.operating.access import PLAN, Access, Asked
from proxy.operating.current import Current
from proxy.operating.explaining import facts_of
from proxy.operating.reload import Outcome
from rules.explain import explain
from rules.problems import ConfigError
from rules.secrets import masked

API = "/api/v1"
_LARGEST_BODY = 64 * 1024
_LARGEST_PLAN = 4 * 1024 * 1024
_EVEN_DRAW = 0.5


class Operations(Protocol):
    """What the admin port may ask for; control offers it."""

    def current(self) -> Current:
        """Return what runs now."""

    def unready(self) -> tuple[str, ...]:
        """Return why the proxy is not ready, empty when it is."""

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""

    async def numbers(self) -> dict[Key, Values]:
        """Return every metric series, fresh."""

    async def reload(self, who: str) -> Outcome:
        """Read the file again; return how it went."""

    async def plan(self, text: str, *, variables: bool) -> dict[str, Any]:
        """Return what `text`, as the file, would change; ConfigError with every problem of it.

        Without `variables` no value of our environment gets into it.
        """


class AdminPort:
    """The HTTP side of control. Nothing in it changes but the runner, by `start` then `stop`."""

    def __init__(self, operations: Operations, access: Access, tell: Tell) -> None:
        self._ask = operations
        self._access = access
        self._tell = tell
        self._runner: web.AppRunner | None = None
        self._background: set[asyncio.Task[Outcome]] = set()
        self._one_plan_at_a_time = asyncio.Lock()

    def application(self) -> web.Application:
        """Return the aiohttp application with every path of the admin API."""
        app = web.Application(middlewares=[self._guarded], client_max_size=_LARGEST_BODY)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get(f"{API}/status", self._status)
        app.router.add_get(f"{API}/explain", self._explain)
        app.router.add_get(f"{API}/config", self._config)
        app.router.add_get(f"{API}/config/schema", self._schema)
        app.router.add_post(f"{API}/reload", self._reload)
        app.router.add_post(PLAN, self._plan)
        return app

    async def start(self, listener: socket.socket) -> None:
        """Answer on `listener` from now on."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()

    async def stop(self) -> None:
        """Hang up."""
        if self._runner is not None:
            await self._runner.cleanup()

    # ── around every handler ───────────────────────────────────────────────────────────────────────────

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        denial = self._access.denial(Asked(request.method, request.path, headers))
        if denial is not None:
            return answers.problem(denial.status, denial.detail)
        try:
            return await handler(request)
        except web.HTTPException as error:
            return answers.problem(HTTPStatus(error.status), error.text or error.reason)
        except Exception as error:  # noqa: BLE001 - a fault here must not take the admin port down
            self._tell(names.UNEXPECTED, "error", where=request.path, error=repr(error))
            return answers.problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the proxy; its log says more")

    # ── probes ─────────────────────────────────────────────────────────────────────────────────────────

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _: web.Request) -> web.Response:
        reasons = self._ask.unready()
        current = self._ask.current()
        body = {
            "ready": not reasons,
            "reasons": list(reasons),
            "config": {"digest": current.configuration.snapshot.digest, "accepted": not current.problems},
        }
        return answers.json(body, HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK)

    async def _metrics(self, request: web.Request) -> web.Response:
        sums = await self._ask.numbers()
        # thousands of routes take long to write: the heart-beat goes on meanwhile
        body, content_type = await asyncio.to_thread(render, sums, request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    # ── API ────────────────────────────────────────────────────────────────────────────────────────────

    async def _status(self, _: web.Request) -> web.Response:
        return answers.json(await self._ask.status())

    async def _explain(self, request: web.Request) -> web.Response:
        query = request.query
        path = query.get("path", "")
        if not path.startswith("/"):
            return answers.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "path must be given, beginning with a slash")
        headers = [(name.strip(), value.strip()) for name, _, value in _split(query.getall("header", []))]
        generation = self._ask.current().generation
        facts = facts_of(generation, query.get("method", "GET"), path, headers, query.get("user"))
        return answers.json(asdict(explain(generation, facts, draw=_EVEN_DRAW)))

    async def _config(self, _: web.Request) -> web.Response:
        current = self._ask.current()
        configuration = current.configuration
        return answers.json(
            {
                "digest": configuration.snapshot.digest,
                "generation": configuration.number,
                "source": configuration.snapshot.source,
                "effective": masked(configuration.snapshot),
                "overrides": [asdict(override) for override in configuration.overrides],
            }
        )

    async def _schema(self, _: web.Request) -> web.Response:
        from rules.load import json_schema  # the checking libraries come when they are needed

        return answers.json(await asyncio.to_thread(json_schema))

    async def _reload(self, request: web.Request) -> web.Response:
        wish = await _body(request)
        work = asyncio.create_task(self._ask.reload("api"), name="reload-by-api")
        self._background.add(work)
        work.add_done_callback(self._background.discard)
        if wish.get("wait") is False:
            return answers.json({"outcome": "accepted"}, HTTPStatus.ACCEPTED)
        # a client that hangs up must not leave a reload half done
        return _told(await asyncio.shield(work))

    async def _plan(self, request: web.Request) -> web.Response:
        wish = await _body(request.clone(client_max_size=_LARGEST_PLAN))
        text = wish.get("config")
        if not isinstance(text, str):
            return answers.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "config must be the text of the file")
        # else a reader could have the plan spell out any variable of ours
        variables = self._access.is_operator({"authorization": request.headers.get("Authorization", "")})
        if "${" in text and not variables:
            return answers.problem(HTTPStatus.FORBIDDEN, _VARIABLES)
        try:
            async with self._one_plan_at_a_time:
                return answers.json(await self._ask.plan(text, variables=variables))
        except ConfigError as error:
            problems = [asdict(problem) for problem in error.problems]
            return answers.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the file would be refused", problems=problems)


_VARIABLES = "a file that names ${VARIABLES} is planned for the operator's token only"


def _split(headers: list[str]) -> list[tuple[str, str, str]]:
    return [header.partition(":") for header in headers]


def _told(outcome: Outcome) -> web.Response:
    configuration = outcome.current.configuration
    if not outcome.ok:
        return answers.problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the file is refused; the old configuration stays",
            problems=[asdict(problem) for problem in outcome.current.problems],
            digest=configuration.snapshot.digest,
            generation=configuration.number,
        )
    return answers.json(
        {
            "outcome": "applied" if outcome.changed else "unchanged",
            "digest": configuration.snapshot.digest,
            "generation": configuration.number,
            "warnings": [asdict(warning) for warning in outcome.current.warnings],
            "needs_restart": list(outcome.current.waiting),
        }
    )


async def _body(request: web.Request) -> dict[str, Any]:
    data = await request.read()
    if not data:
        return {}
    try:
        wish = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise web.HTTPBadRequest(text=f"the body is not JSON: {error}") from error
    if not isinstance(wish, dict):
        raise web.HTTPUnprocessableEntity(text="the body must be a JSON object")
    return wish
