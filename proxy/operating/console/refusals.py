"""Shows a refusal to a person: as a page, or the way to the login."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from dashboards.pages import other
from dashboards.pages.layout import Visitor
from proxy.operating.access import API, LOGIN, METRICS, PROBES
from proxy.operating.console.visitors import page, see_other


def page_of(request: web.Request, status: HTTPStatus, detail: str) -> web.Response | None:
    """Return the page that says why there is none, None for whoever does not read pages."""
    is_for_programs = request.path.startswith(API) or request.path in (*PROBES, METRICS)
    if is_for_programs or "text/html" not in request.headers.get("Accept", ""):
        return None
    if status == HTTPStatus.UNAUTHORIZED and request.method == "GET":
        return see_other(f"{LOGIN}?next={quote(request.path_qs, safe='')}")
    return page(other.sorry(status.phrase, f"{detail[:1].upper()}{detail[1:]}.", Visitor()), status)
