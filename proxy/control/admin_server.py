"""The admin listener: every area put together, access rules around it."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.control.api import config, data, diffs, http, monitoring, openapi, report
from proxy.control.api import events as api_events
from proxy.control.api import routes as api_routes
from proxy.control.api.access import METRICS, PROBES, Access, Asked, Denial
from proxy.control.api.http import ROLE, Rates, RefusedError
from proxy.control.console import app
from proxy.control.console.app import add_console
from proxy.control.console.data import Control
from proxy.telemetry import events
from proxy.telemetry.events import Tell

# Puts the areas of the admin API together.
#
# A new area is one file here with a small `Control` protocol, a function `routes(control)`; it is added to both
# lists below, its endpoints to `endpoints`.


class Areas(
    monitoring.ProbesControl,
    monitoring.MetricsControl,
    api_routes.StatusControl,
    api_routes.ExplainControl,
    config.ConfigControl,
    config.ReloadControl,
    config.PlanControl,
    report.Control,
    api_routes.ActionControl,
    api_events.Control,
    api_routes.DrillControl,
    diffs.Control,
    data.Control,
    Protocol,
):
    """All that the admin port may ask for; control offers it."""


def routes(control: Areas) -> Sequence[web.RouteDef]:
    """Return every path of the admin port."""
    areas = _areas(control)
    return (*areas, *openapi.routes(areas))


def _areas(control: Areas) -> Sequence[web.RouteDef]:
    return (
        *monitoring.probe_routes(control),
        *monitoring.metrics_routes(control),
        *api_routes.status_routes(control),
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
    )


_LARGEST_BODY = 64 * 1024
_REQUESTS = (200.0, 400)
"""A second, at once: what one address may ask. Only programs gone wild ask more."""
_WRONG_TOKENS = (1.0, 20)


class Operations(Areas, Control, Protocol):
    """All that the admin port may ask for; control offers it."""


class AdminPort:
    """The HTTP side of control. Nothing in it changes but the runner, by `start` then `stop`."""

    def __init__(self, operations: Operations, access: Access, tell: Tell) -> None:
        self._operations = operations
        self._access = access
        self._tell = tell
        self._runner: web.AppRunner | None = None
        self._asked = Rates(*_REQUESTS)
        self._failed = Rates(*_WRONG_TOKENS)

    def application(self) -> web.Application:
        """Return the aiohttp application with every path of the admin port."""
        app = web.Application(middlewares=[self._guarded], client_max_size=_LARGEST_BODY)
        app.add_routes(routes(self._operations))
        add_console(app, self._operations, self._access, self._failed)
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

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        denial = self._access.denial(Asked(request.method, request.path, headers))
        wait = self._wait(request, denial)
        if wait:
            return http.too_many(wait)
        if denial is not None:
            return _refused(request, denial.status, denial.detail)
        request[ROLE] = self._access.role(headers)
        try:
            return await handler(request)
        except RefusedError as refused:
            return _refused(request, refused.status, refused.detail, **refused.more)
        except web.HTTPException as error:
            return _refused_by_aiohttp(request, error)
        except Exception as error:  # noqa: BLE001 - a fault here must not take the admin port down
            self._tell(events.UNEXPECTED, "error", where=request.path, error=repr(error))
            return _refused(request, HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of the proxy; its log says more")

    def _wait(self, request: web.Request, denial: Denial | None) -> float:
        """Return the seconds that whoever asks too much has to wait; probes, scrapes, rollbacks never have to."""
        who = request.remote or ""
        if denial is not None:
            return self._failed.wait(who) if denial.status == HTTPStatus.UNAUTHORIZED else 0.0
        is_urgent = request.path in (*PROBES, METRICS) or request.path.endswith("/rollback")
        return 0.0 if is_urgent else self._asked.wait(who)


def _refused_by_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    detail = (error.text or error.reason).removeprefix(f"{error.status}: ")
    answer = _refused(request, HTTPStatus(error.status), detail)
    if "Allow" in error.headers:  # RFC 9110 15.5.6
        answer.headers["Allow"] = error.headers["Allow"]
    return answer


def _refused(request: web.Request, status: HTTPStatus, detail: str, **more: Any) -> web.Response:
    """Return the refusal as the asker reads it: a page for a browser that wants one, else a problem document."""
    page = app.page_of(request, status, detail)
    return page if page is not None else http.problem(status, detail, **more)
