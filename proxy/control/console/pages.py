"""Draws the pages, does what their forms ask for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote

from aiohttp import web

from dashboards.charts import charts
from dashboards.html import Html
from dashboards.pages import backends, data, difference, layout, other, overview, route
from dashboards.pages.layout import Blocks
from dashboards.views import ActionItem, StatusView, attention
from proxy.control.api.http import actor_of
from proxy.control.console.auth import Sessions, page, see_other
from proxy.control.console.data import Document, Documents
from proxy.control.errors import RefusedError
from proxy.described_request import facts_of
from rules.routing.explain import explain as explained

Query = Mapping[str, str]
_EVEN_DRAW = 0.5
_MARKED_EVENTS = 100


class Pages:
    """Draws every page from documents. Nothing in it changes."""

    def __init__(self, documents: Documents, visitors: Sessions) -> None:
        self._documents = documents
        self._sessions = visitors

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the paths of all pages."""
        return (
            web.get("/", self._overview),
            web.get("/routes/{name}", self._route),
            web.get("/differences", self._differences),
            web.get("/differences/{id}", self._difference),
            web.get("/data", self._data),
            web.get("/explain", self._explain),
            web.get("/events", self._events),
            web.get("/backends", self._backends),
            web.get("/instances", self._instances),
            web.get("/report", self._report),
        )

    async def blocks(self, path: str, query: Query) -> Blocks:
        """Return what changes on the page at `path`; RefusedError for a page on which nothing does."""
        if path == "/":
            view, needs = await self._needs()
            return await asyncio.to_thread(overview.blocks, view, needs, _wanted(query))
        if path.startswith("/routes/"):
            return await asyncio.to_thread(route.blocks, await self._shown(path.removeprefix("/routes/"), query))
        document, view = await self._documents.status()
        if path == "/events":
            return other.event_blocks(await self._documents.events(query.get("route", "")), layout.state(view))
        if path == "/backends":
            return backends.backend_blocks(view.backends, layout.state(view))
        if path == "/data":
            return data.data_blocks(self._documents.source.data(), layout.state(view))
        if path == "/instances":
            return other.instance_blocks(document, layout.state(view))
        raise RefusedError(HTTPStatus.NOT_FOUND, "nothing changes there")

    # ── pages ──────────────────────────────────────────────────────────────────────────────────────────

    async def _overview(self, request: web.Request) -> web.Response:
        view, needs = await self._needs()
        # hundreds of routes take a while to write: the heart-beat goes on meanwhile
        wanted, visitor = _wanted(request.query), self._sessions.of(request)
        return page(await asyncio.to_thread(overview.overview, view, needs, wanted, visitor, _live(request)))

    async def _route(self, request: web.Request) -> web.Response:
        shown = await self._shown(request.match_info["name"], request.query)
        return page(await asyncio.to_thread(route.page_of, shown, self._sessions.of(request), _live(request)))

    async def _differences(self, request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, "") for name in ("route", "since", "transient")}
        state, visitor = await self._state(), self._sessions.of(request)
        try:
            found = await self._documents.groups(
                asked["route"], asked["since"], request.query.get("after", ""), transient=bool(asked["transient"])
            )
        except RefusedError as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            visitor = _mending(visitor, "differences", asked, "since", error.detail)
            return page(other.differences((), asked, None, visitor, state), error.status)
        suggested = found.get("suggested") or ()
        return page(other.differences(found["items"], asked, found["next"], visitor, state, suggested))

    async def _difference(self, request: web.Request) -> web.Response:
        return page(await self._drawn(request.match_info["id"], self._sessions.of(request)))

    async def _drawn(self, name: str, visitor: layout.Visitor) -> Html:
        group = await self._documents.source.difference(name)
        if group is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no difference is known by this name (any more)")
        return await asyncio.to_thread(difference.difference, group, visitor, await self._state())

    async def _data(self, request: web.Request) -> web.Response:
        found = self._documents.source.data()
        return page(data.data(found, self._sessions.of(request), await self._state(), _live(request)))

    async def _explain(self, request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, "") for name in ("method", "path", "user", "header")}
        visitor, answer = self._sessions.of(request), None
        if asked["path"] and not asked["path"].startswith("/"):
            visitor = _mending(visitor, "explain", asked, "path", "a path begins with a slash")
        elif asked["path"]:
            answer = self._explained(asked)
        return page(other.explain(asked, answer, visitor, await self._state()))

    async def _events(self, request: web.Request) -> web.Response:
        found = await self._documents.events(request.query.get("route", ""))
        return page(other.events(found, self._sessions.of(request), await self._state(), _live(request)))

    async def _backends(self, request: web.Request) -> web.Response:
        _, view = await self._documents.status()
        visitor, state = self._sessions.of(request), layout.state(view)
        return page(backends.backends(view.backends, visitor, state, _live(request)))

    async def _instances(self, request: web.Request) -> web.Response:
        document, view = await self._documents.status()
        return page(other.instances(document, self._sessions.of(request), layout.state(view), _live(request)))

    async def _report(self, request: web.Request) -> web.Response:
        found = await self._documents.source.report()
        state, visitor = await self._state(), self._sessions.of(request)
        return page(await asyncio.to_thread(overview.migration, found, visitor, state))

    async def again(self, request: web.Request, place: str, wrong: layout.Wrong, status: HTTPStatus) -> web.Response:
        """Return the page at `place` with the form that was refused, to be mended."""
        visitor = _mending(self._sessions.of(request), wrong.form, wrong.fields, wrong.field, wrong.message)
        live = f"/live?page={quote(place, safe='')}"
        if place.startswith("/routes/"):
            shown = await self._shown(place.removeprefix("/routes/"), {})
            return page(await asyncio.to_thread(route.page_of, shown, visitor, live), status)
        if place.startswith("/differences/"):
            return page(await self._drawn(place.removeprefix("/differences/"), visitor), status)
        view, needs = await self._needs()
        return page(await asyncio.to_thread(overview.overview, view, needs, _wanted({}), visitor, live), status)

    # ── what they show ─────────────────────────────────────────────────────────────────────────────────

    async def _state(self) -> Html:
        return layout.state((await self._documents.status())[1])

    async def _needs(self) -> tuple[StatusView, Sequence[ActionItem]]:
        _, view = await self._documents.status()
        return view, attention(view, await self._documents.groups_if_any())

    async def _shown(self, name: str, query: Query) -> route.RoutePage:
        documents = self._documents
        _, view = await documents.status()
        found = view.route(name)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"no route is called {name}")
        span = query.get("span", "")
        span = span if span in route.SPANS else "1h"
        events = await documents.events(name)
        groups = await documents.groups_if_any(name, limit=20)
        end = time.time()
        start, history = end - route.SPANS[span], documents.source.history
        drawn = charts(
            history.moments(name, start, end),
            history.weights(name),
            events[:_MARKED_EVENTS],
            documents.limits(name),
            start,
            end,
        )
        is_back = found.rolled_back is not None
        worst = await documents.worst(groups) if is_back else None
        lines = await documents.lines(name) if is_back else ()
        return route.RoutePage(
            view,
            found,
            drawn,
            events[:50],
            groups,
            documents.place(name),
            span,
            worst,
            documents.steps(name),
            lines,
        )

    def _explained(self, asked: Query) -> Document:
        generation = self._documents.source.current().generation
        name, _, value = asked["header"].partition(":")
        headers = [(name.strip(), value.strip())] if name.strip() else []
        facts = facts_of(generation, asked["method"] or "GET", asked["path"], headers, asked["user"] or None)
        return asdict(explained(generation, facts, draw=_EVEN_DRAW))


Draw = Callable[[str, Query], Awaitable[Blocks]]


def _mending(visitor: layout.Visitor, form: str, fields: Query, at_fault: str, message: str) -> layout.Visitor:
    """Return the visitor with the form that has to be mended; `at_fault` is a field's name."""
    said = f"{message[:1].upper()}{message[1:]}."
    return replace(visitor, trouble=said, wrong=layout.Wrong(form, fields, at_fault, said))


def _wanted(query: Query) -> overview.Wanted:
    sort = query.get("sort", "")
    return overview.Wanted(
        query.get("q", "")[:100], query.get("stage", ""), sort if sort in overview.SORTS else "attention"
    )


def _live(request: web.Request) -> str:
    return f"/live?page={quote(request.path_qs, safe='')}"


# Does what the console's forms ask for: the verbs, what is known of a difference.


VERBS = ("rollback", "resume", "hold", "advance", "weight")
_NEED_A_REASON = ("rollback", "resume")
FOR_ALL = ("rollback", "resume")
"""What may be done to every route at once."""


class Operator(Protocol):
    """What the console may have control do; RefusedError when it cannot be."""

    async def act(self, verb: str, route: str, who: str, reason: str, weight: float | None) -> None:
        """Do one of the verbs."""

    async def act_on_all(self, verb: str, who: str, reason: str) -> None:
        """Do one of the verbs to every route."""

    async def ignore(self, group: str, who: str, wish: Mapping[str, str]) -> None:
        """Hold a difference to be known: `reason`, `owner`, `until`."""

    async def unignore(self, group: str) -> None:
        """Have a difference count again."""

    async def rejudge(self, route: str, who: str) -> None:
        """Judge the stored pairs of a route again."""


Handler = Callable[[web.Request], Awaitable[web.Response]]
Action = Callable[[web.Request, Query], Awaitable[web.Response]]
_MENDABLE = (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT)


class Mending:
    """Shows a form again that was refused. Nothing in it changes."""

    def __init__(self, visitors: Sessions, pages: Pages) -> None:
        self._sessions = visitors
        self._pages = pages

    def kept(self, action: Action, form: str, place: str) -> Handler:
        """Return what does `action` with a form's fields; `form`, `place` name the form and its page by address."""

        async def answered(request: web.Request) -> web.Response:
            fields = await self._sessions.form(request)
            try:
                return await action(request, fields)
            except RefusedError as error:
                if error.status not in _MENDABLE:
                    raise
                names = request.match_info
                wrong = layout.Wrong(form.format(**names), fields, error.more.get("field", ""), error.detail)
                return await self._pages.again(request, place.format(**names), wrong, error.status)

        return answered


def routes(operator: Operator, documents: Documents, visitors: Sessions, pages: Pages) -> Sequence[web.RouteDef]:
    """Return the paths that forms are sent to; each leads back to the page it came from.

    A form that is refused is shown again on its page with what was written, what is wrong beside the field.
    """
    kept = Mending(visitors, pages).kept

    async def verb(request: web.Request, fields: Query) -> web.Response:
        name, what = request.match_info["name"], request.match_info["verb"]
        if what not in VERBS:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{what} is nothing that can be done")
        reason = _reason(fields) if what in _NEED_A_REASON else fields.get("reason", "").strip()
        weight = _percent(fields.get("weight", "")) if what == "weight" else None
        try:
            await operator.act(what, name, actor_of(request), reason, weight)
        finally:
            documents.forget()  # what is not confirmed by every worker is in effect all the same
        return see_other(f"/routes/{name}?told=done")

    async def verb_for_all(request: web.Request, fields: Query) -> web.Response:
        what = request.match_info["verb"]
        if what not in FOR_ALL:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{what} is nothing that can be done to every route")
        reason = _reason(fields)
        if not fields.get("every"):
            raise _unprocessable("every route has to be ticked: this is for all of them", "reason")
        await operator.act_on_all(what, actor_of(request), reason)
        documents.forget()
        return see_other("/?told=done")

    async def ignore(request: web.Request, fields: Query) -> web.Response:
        _reason(fields)
        given = ("reason", "owner", "until", "max_rate")
        wish = {name: fields[name].strip() for name in given if fields.get(name, "").strip()}
        await operator.ignore(request.match_info["id"], actor_of(request), wish)
        return see_other(f"/differences/{request.match_info['id']}?told=done")

    async def unignore(request: web.Request) -> web.Response:
        await visitors.form(request)
        await operator.unignore(request.match_info["id"])
        return see_other(f"/differences/{request.match_info['id']}?told=done")

    async def rejudge(request: web.Request) -> web.Response:
        fields = await visitors.form(request)
        route = fields.get("route", "")
        await operator.rejudge(route, actor_of(request))
        return see_other(f"/differences?route={route}&told=done")

    return (
        web.post("/routes/{name}/{verb}", kept(verb, "{verb}", "/routes/{name}")),
        web.post("/every-route/{verb}", kept(verb_for_all, "every-{verb}", "/")),
        web.post("/differences/rejudge", rejudge),
        web.post("/differences/{id}/ignore", kept(ignore, "ignore", "/differences/{id}")),
        web.post("/differences/{id}/unignore", unignore),
    )


def _reason(fields: Query) -> str:
    reason = fields.get("reason", "").strip()
    if not reason:
        raise _unprocessable("a reason is required", "reason")
    return reason


def _unprocessable(detail: str, field: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, field=field)


def _percent(text: str) -> float:
    try:
        weight = float(text.strip().removesuffix("%").replace(",", "."))
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 100:  # noqa: PLR2004 - percent
        raise _unprocessable("a weight is a number from 0 to 100", "weight")
    return weight
