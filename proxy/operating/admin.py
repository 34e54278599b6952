"""The admin port: a listener with the access rules around every path."""

from __future__ import annotations

import socket
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from proxy.operating import answers
from proxy.operating.access import METRICS, PROBES, Access, Asked, Denial
from proxy.operating.api import areas
from proxy.operating.api.wishes import ROLE, RefusedError
from proxy.operating.console import refusals
from proxy.operating.console.application import add_console
from proxy.operating.console.desk import Control
from proxy.operating.rates import Rates
from proxy.telemetry import events
from proxy.telemetry.events import Tell

_LARGEST_BODY = 64 * 1024
_REQUESTS = (200.0, 400)
"""A second, at once: what one address may ask. Only programs gone wild ask more."""
_WRONG_TOKENS = (1.0, 20)


class Operations(areas.Operations, Control, Protocol):
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
        app.add_routes(areas.routes(self._operations))
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
            return answers.too_many(wait)
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
    page = refusals.page_of(request, status, detail)
    return page if page is not None else answers.problem(status, detail, **more)
