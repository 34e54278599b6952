"""Who looks at the console: login, cookie, forms that are its own."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus

from aiohttp import web

from dashboards.html import Html
from dashboards.pages import other
from dashboards.pages.layout import Visitor
from proxy.control.api import http
from proxy.control.api.access import COOKIE, LASTS, LOGIN, NAME, SECURE_COOKIE, Access
from proxy.control.api.http import CONSOLE, PERSON, Rates
from proxy.control.errors import RefusedError

# Knows the visitors of the console, reads the forms they send.
#
# Each form carries a secret that only a page of ours can know: it is bound to the visitor's session, so that no other
# page can make one up, whatever a browser forgets to say about where a form comes from.


_CONTENTS = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _CONTENTS,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LONGEST = 2000
_SAID = {"done": "Done.", "bye": "You are logged out."}


class Sessions:
    """Knows visitors by their cookie. Nothing in it changes."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._key = secrets.token_bytes(32)

    def of(self, request: web.Request, trouble: str = "") -> Visitor:
        """Return who looks."""
        headers = _headers(request)
        return Visitor(
            may_change=self._access.may_change(headers),
            logged_in=bool(self._access.session_of(headers).role),
            can_log_in=self._access.has_tokens,
            secret=self._secret(request),
            notice=_SAID.get(request.query.get("told", ""), ""),
            trouble=trouble,
        )

    async def form(self, request: web.Request) -> Mapping[str, str]:
        """Return the fields of a form that a page of ours made; RefusedError for any other."""
        sent = await request.post()
        fields = {name: value for name, value in sent.items() if isinstance(value, str)}
        given = fields.pop("secret", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._secret(request).encode()):
            raise RefusedError(HTTPStatus.FORBIDDEN, "this form is not ours or too old: load the page again")
        if any(len(value) > _LONGEST for value in fields.values()):
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"no text may be longer than {_LONGEST} characters")
        request[CONSOLE] = True
        request[PERSON] = self._access.session_of(_headers(request)).name
        return fields

    def _secret(self, request: web.Request) -> str:
        session = self._access.cookie_of(_headers(request)).encode("utf-8", "surrogateescape")
        return hmac.new(self._key, session, sha256).hexdigest()


def page(html: Html, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return a page as an answer."""
    return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)


def see_other(place: str) -> web.Response:
    """Send the browser on to `place`, a path of ours."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={**HEADERS, "Location": place})


def _headers(request: web.Request) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def routes(access: Access, visitors: Sessions, wrong: Rates) -> Sequence[web.RouteDef]:
    """Return the paths of login, logout; `wrong` says how long a client with wrong tokens has to wait."""

    async def ask(request: web.Request) -> web.Response:
        told = Visitor(notice=visitors.of(request).notice)
        return page(other.login(told, onward(request.query.get("next", ""))))

    async def enter(request: web.Request) -> web.Response:
        # no secret is asked for: a page that can make a browser send the right token knows it already
        sent = await request.post()
        token, following, name = (str(sent.get(field, "")) for field in ("token", "next", "name"))
        role = access.role_of_token(token.strip())
        if not role:
            wait = wrong.wait(http.requester(request))
            if wait:
                return http.too_many(wait)
            refused = other.login(Visitor(trouble="This is not a token of this proxy."), onward(following))
            return page(refused, HTTPStatus.UNAUTHORIZED)
        request[http.LOGGED_IN] = {"role": role, "name": name.strip() if NAME.fullmatch(name.strip()) else ""}
        answer = see_other(onward(following))
        secure = access.is_secure(_headers(request))
        answer.set_cookie(
            SECURE_COOKIE if secure else COOKIE,
            access.sessions.begin(role, name.strip()),
            max_age=LASTS,
            httponly=True,
            samesite="Strict",
            path="/",
            secure=secure,
        )
        return answer

    async def leave(request: web.Request) -> web.Response:
        await visitors.form(request)
        answer = see_other(f"{LOGIN}?told=bye")
        for name in (COOKIE, SECURE_COOKIE) if access.is_secure(_headers(request)) else (COOKIE,):
            answer.del_cookie(name, path="/", httponly=True, samesite="Strict", secure=name == SECURE_COOKIE)
        return answer

    return (web.get(LOGIN, ask), web.post(LOGIN, enter), web.post("/logout", leave))


def onward(place: str) -> str:
    """Return `place` where it is a path of this console, else the first page: a login leads to no other site."""
    is_ours = place.startswith("/") and not place.startswith("//") and "\\" not in place and place.isprintable()
    return place if is_ours and not place.startswith((LOGIN, "/logout")) else "/"
