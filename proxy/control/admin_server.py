"""The admin listener: all areas of the API, behind the access rules."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.control.admin_connections import Connection, Connections, serve, unnamed
from proxy.control.api import backends, config, data, decisions, diffs, http, monitoring, openapi, report, sessions
from proxy.control.api import events as api_events
from proxy.control.api import routes as api_routes
from proxy.control.api.access import LOGIN, METRICS, PROBES, Access, AdminRequest, Denial, is_safe
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import ROLE, Rates, actor_of, requester
from proxy.control.console import app
from proxy.control.console.app import add_console
from proxy.control.errors import RefusedError
from proxy.telemetry import events
from proxy.telemetry.events import Emit

# Combines the areas of the admin API.
#
# A new area is one file in `api` with a function `routes(control)`; it is added to the list below, its endpoints to
# `endpoints`, what it asks of control to `control_port`.


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return every path of the admin port."""
    areas = _areas(control)
    return (*areas, *openapi.routes(areas))


def _areas(control: ControlPort) -> Sequence[web.RouteDef]:
    return (
        *monitoring.probe_routes(control),
        *monitoring.metrics_routes(control),
        *api_routes.status_routes(control),
        *backends.routes(control),
        *api_routes.explain_routes(control),
        *config.config_routes(control),
        *config.reload_routes(control),
        *config.plan_routes(control),
        *report.routes(control),
        *api_routes.action_routes(control),
        *api_events.routes(control),
        *api_routes.drill_routes(control),
        *diffs.routes(control),
        *data.routes(control),
        *decisions.routes(control),
        *sessions.routes(control),
    )


_LARGEST_BODY = 64 * 1024
_REQUESTS = (200.0, 400)
"""Requests of one address a second, and at once. Only faulty programs send more."""
_WRONG_TOKENS = (1.0, 20)


class AdminPort:
    """The HTTP side of control. Only `start` and `stop` change it."""

    def __init__(self, operations: ControlPort, access: Access, emit: Emit) -> None:
        self._operations = operations
        self._access = access
        self._emit = emit
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._connections = Connections()
        self._asked = Rates(*_REQUESTS)
        self._failed = Rates(*_WRONG_TOKENS)

    def application(self) -> web.Application:
        """Return the aiohttp application with every path of the admin port."""
        app = web.Application(middlewares=[self._guarded], client_max_size=_LARGEST_BODY)
        app.on_response_prepare.append(unnamed)
        app.add_routes(routes(self._operations))
        add_console(app, self._operations, self._access, self._failed)
        return app

    async def start(self, listener: socket.socket, tls: ssl.SSLContext | None = None) -> None:
        """Serve on `listener` from now on, encrypted with `tls`."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        if self._runner.server is not None:
            self._server = await serve(self._runner.server, listener, tls, self._connections)

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        if not isinstance(connection, Connection):
            return await self._admitted(request, handler)
        connection.begin(request)
        try:
            return await self._admitted(request, handler)
        finally:
            connection.end()

    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = AdminRequest(request.method, request.path, headers)
        # before a token is compared: from the 21st guess on the response does not even show whether it was right
        wait = self._failed.due(requester(request)) if self._access.is_guess(asked) else 0.0
        if wait:
            return http.too_many(wait)
        denial = self._access.denial(asked)
        wait = self._wait(request, denial)
        if wait:
            return http.too_many(wait)
        if denial is not None:
            self._emit_denied(request, asked, denial)
            return _refused(request, denial.status, denial.detail)
        request[ROLE] = self._access.role(headers)
        answer = await self._answered(request, handler)
        if not is_safe(request.method):
            self._log_access(request, answer.status)
        return answer

    async def _answered(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except RefusedError as refused:
            return _refused(request, refused.status, refused.detail, **refused.more)
        except web.HTTPException as error:
            return _refused_by_aiohttp(request, error)
        except Exception as error:
            if isinstance(error, ConnectionError) and http.has_hung_up(request):
                raise  # a client that no longer reads a stream is no fault of ours
            self._emit(events.UNEXPECTED, "error", where=request.path, error=repr(error))
            return _refused(request, HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the proxy; its log says more")

    def _wait(self, request: web.Request, denial: Denial | None) -> float:
        """Return the seconds that a client above its rate has to wait; probes, scrapes and rollbacks never have to."""
        who = requester(request)
        if denial is not None:
            return self._failed.wait(who) if denial.status == HTTPStatus.UNAUTHORIZED else 0.0
        is_urgent = request.path in (*PROBES, METRICS) or request.path.endswith("/rollback")
        return 0.0 if is_urgent else self._asked.wait(who)

    def _emit_denied(self, request: web.Request, asked: AdminRequest, denial: Denial) -> None:
        if denial.status == HTTPStatus.UNAUTHORIZED and self._access.is_guess(asked):
            self._emit(events.LOGIN_FAILED, "warning", client=request.remote or "unix", path=request.path[:200])
        if not is_safe(request.method):
            self._log_access(request, denial.status)

    def _log_access(self, request: web.Request, status: int) -> None:
        """Write the access line of a request that may have changed something; reads would be too many."""
        if request.path == LOGIN:
            succeeded = status == HTTPStatus.SEE_OTHER
            event, level = (events.LOGIN, "info") if succeeded else (events.LOGIN_FAILED, "warning")
            self._emit(event, level, client=request.remote or "unix", **request.get(http.LOGGED_IN, {}))
        self._emit(
            events.ADMIN_REQUEST,
            client=request.remote or "unix",
            method=request.method,
            path=request.path[:200],
            status=int(status),
            who=actor_of(request),
            role=request.get(ROLE, ""),
        )


def _refused_by_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    detail = (error.text or error.reason).removeprefix(f"{error.status}: ")
    answer = _refused(request, HTTPStatus(error.status), detail)
    if "Allow" in error.headers:  # RFC 9110 15.5.6
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _refused(request: web.Request, status: HTTPStatus, detail: str, **more: Any) -> web.Response:
    """Return the refusal in the client's format: a page for a browser, else a problem document."""
    page = app.page_of(request, status, detail)
    return page if page is not None else http.problem(status, detail, **more)
