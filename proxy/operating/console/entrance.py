"""Lets people in: the token once, then a cookie."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from aiohttp import web

from dashboards.pages import other
from dashboards.pages.layout import Visitor
from proxy.operating import answers
from proxy.operating.access import LOGIN, Access
from proxy.operating.console.visitors import Visitors, page, see_other
from proxy.operating.rates import Rates
from proxy.operating.sessions import COOKIE, LASTS


def routes(access: Access, visitors: Visitors, wrong: Rates) -> Sequence[web.RouteDef]:
    """Return the paths of login, logout; `wrong` says how long somebody waits who shows wrong tokens."""

    async def ask(request: web.Request) -> web.Response:
        told = Visitor(told=visitors.of(request).told)
        return page(other.login(told, onward(request.query.get("next", ""))))

    async def enter(request: web.Request) -> web.Response:
        # no secret is asked for: whoever can make a browser send the right token knows it already
        sent = await request.post()
        token, following, name = (str(sent.get(field, "")) for field in ("token", "next", "name"))
        role = access.role_of_token(token.strip())
        if not role:
            wait = wrong.wait(request.remote or "")
            if wait:
                return answers.too_many(wait)
            refused = other.login(Visitor(trouble="This is not a token of this proxy."), onward(following))
            return page(refused, HTTPStatus.UNAUTHORIZED)
        answer = see_other(onward(following))
        answer.set_cookie(
            COOKIE,
            access.sessions.begin(role, name.strip()),
            max_age=LASTS,
            httponly=True,
            samesite="Strict",
            path="/",
            secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
        )
        return answer

    async def leave(request: web.Request) -> web.Response:
        await visitors.form(request)
        answer = see_other(f"{LOGIN}?told=bye")
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return answer

    return (web.get(LOGIN, ask), web.post(LOGIN, enter), web.post("/logout", leave))


def onward(place: str) -> str:
    """Return `place` where it is a path of this console, else the first page: nobody is sent anywhere else."""
    is_ours = place.startswith("/") and not place.startswith("//") and "\\" not in place and place.isprintable()
    return place if is_ours and not place.startswith((LOGIN, "/logout")) else "/"
