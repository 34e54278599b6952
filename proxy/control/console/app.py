"""Puts the console together: pages, assets, errors as pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from aiohttp import web

import dashboards
from dashboards.pages import other
from dashboards.pages.layout import Visitor
from proxy.control.api.access import API, LOGIN, METRICS, PROBES, Access
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import Rates
from proxy.control.console import auth
from proxy.control.console import pages as console_pages
from proxy.control.console.auth import Sessions, page, see_other
from proxy.control.console.data import ConsoleData, Documents
from proxy.control.console.live_updates import LiveUpdates
from proxy.control.console.pages import Pages

_SESSIONS = web.AppKey("visitors", Sessions)

# Serves the console's stylesheet, script, icon.


_FOLDER = Path(dashboards.__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> Sequence[web.RouteDef]:
    """Return one path for each file; they are read once."""
    return tuple(_route(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES)


def _route(path: Path) -> web.RouteDef:
    data = path.read_bytes()
    tag = sha256(data).hexdigest()[:16]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}

    async def asset(request: web.Request) -> web.Response:
        if tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=data, content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)

    return web.get(f"/static/{path.name}", asset)


def add_console(app: web.Application, control: ControlPort, access: Access, wrong: Rates) -> Sessions:
    """Add every path of the console to `app`; return who knows its visitors."""
    desk = ConsoleData(control)
    documents = Documents(desk)
    visitors = Sessions(access)
    pages = Pages(documents, visitors)
    live = LiveUpdates(pages)
    app.add_routes(
        (
            *routes(),
            *auth.routes(access, visitors, wrong),
            *pages.routes(),
            *live.routes(),
            *console_pages.routes(desk, documents, visitors, pages),
        )
    )
    app[_SESSIONS] = visitors
    app.on_shutdown.append(live.close)
    return visitors


# Shows a refusal to a person: as a page, or the way to the login.


def page_of(request: web.Request, status: HTTPStatus, detail: str) -> web.Response | None:
    """Return the page that says why there is none, None for a client that does not read pages."""
    is_for_programs = request.path.startswith(API) or request.path in (*PROBES, METRICS)
    if is_for_programs or "text/html" not in request.headers.get("Accept", ""):
        return None
    if status == HTTPStatus.UNAUTHORIZED and request.method == "GET":
        return see_other(f"{LOGIN}?next={quote(request.path_qs, safe='')}")
    visitors = request.app.get(_SESSIONS)
    visitor = visitors.of(request) if visitors is not None else Visitor()
    return page(other.sorry(status.phrase, f"{detail[:1].upper()}{detail[1:]}.", replace(visitor, notice="")), status)
