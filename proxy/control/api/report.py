"""Answers the migration report."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from dashboards import report as written
from proxy.control.api import http
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX
from proxy.control.errors import RefusedError

_FORMATS = ("json", "md", "html")


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of the report."""

    async def report(request: web.Request) -> web.Response:
        form = request.query.get("format", "json")
        if form not in _FORMATS:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"format must be one of {', '.join(_FORMATS)}")
        document = await control.report()
        if form == "json":
            return http.json(document)
        if form == "md":
            return web.Response(text=written.markdown(document), content_type="text/markdown", headers=http.HEADERS)
        headers = {**http.HEADERS, "Content-Security-Policy": written.CONTENTS}
        return web.Response(text=written.page(document), content_type="text/html", headers=headers)

    return (web.get(f"{PREFIX}/report", report),)
