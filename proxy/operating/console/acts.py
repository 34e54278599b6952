"""Does what the console's forms ask for: the verbs, what is known of a difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from proxy.operating.api.wishes import RefusedError, who_asks
from proxy.operating.console.documents import Documents
from proxy.operating.console.visitors import Visitors, see_other

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


def routes(operator: Operator, documents: Documents, visitors: Visitors) -> Sequence[web.RouteDef]:
    """Return the paths that forms are sent to; each leads back to the page it came from."""

    async def verb(request: web.Request) -> web.Response:
        name, what = request.match_info["name"], request.match_info["verb"]
        if what not in VERBS:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{what} is nothing that can be done")
        fields = await visitors.form(request)
        reason = fields.get("reason", "").strip()
        if what in _NEED_A_REASON and not reason:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "a reason is required")
        weight = _percent(fields.get("weight", "")) if what == "weight" else None
        await operator.act(what, name, who_asks(request), reason, weight)
        documents.forget()
        return see_other(f"/routes/{name}?told=done")

    async def verb_for_all(request: web.Request) -> web.Response:
        what, fields = request.match_info["verb"], await visitors.form(request)
        if what not in FOR_ALL:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{what} is nothing that can be done to every route")
        reason = fields.get("reason", "").strip()
        if not reason or not fields.get("every"):
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "a reason is required, as is to say: every route")
        await operator.act_on_all(what, who_asks(request), reason)
        documents.forget()
        return see_other("/?told=done")

    async def ignore(request: web.Request) -> web.Response:
        fields = await visitors.form(request)
        if not fields.get("reason", "").strip():
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "a reason is required")
        wish = {name: fields[name].strip() for name in ("reason", "owner", "until") if fields.get(name, "").strip()}
        await operator.ignore(request.match_info["id"], who_asks(request), wish)
        return see_other(f"/differences/{request.match_info['id']}?told=done")

    async def unignore(request: web.Request) -> web.Response:
        await visitors.form(request)
        await operator.unignore(request.match_info["id"])
        return see_other(f"/differences/{request.match_info['id']}?told=done")

    async def rejudge(request: web.Request) -> web.Response:
        fields = await visitors.form(request)
        route = fields.get("route", "")
        await operator.rejudge(route, who_asks(request))
        return see_other(f"/differences?route={route}&told=done")

    return (
        web.post("/routes/{name}/{verb}", verb),
        web.post("/every-route/{verb}", verb_for_all),
        web.post("/differences/rejudge", rejudge),
        web.post("/differences/{id}/ignore", ignore),
        web.post("/differences/{id}/unignore", unignore),
    )


def _percent(text: str) -> float:
    try:
        weight = float(text.strip().removesuffix("%").replace(",", "."))
    except ValueError:
        weight = -1.0
    if not 0 <= weight <= 100:  # noqa: PLR2004 - percent
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "a weight is a number from 0 to 100")
    return weight
