"""Tokens, origins, roles, console sessions.

Probes need nothing. On an address that other machines reach everything else needs a token; on loopback any token
that is set closes reads as well as changes, scrapes excepted. A browser shows the token once, then a cookie made from
it. A page in an operator's browser must not reach us: it cannot send JSON without asking, cannot hide its origin,
cannot be called what we are called; the console's forms carry a secret of their own besides (see `console/auth.py`).
"""

from __future__ import annotations

import hmac
import os
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from proxy.settings import Address
from rules.model import Admin

# Makes the value of the console's cookie from a token, finds the role in it again.
#
# Nothing is kept: the value names the role, the person, the moment it ends, signed with the role's token. It outlives
# a restart of control, ends by itself, becomes void with another token or a revocation. It never contains the token.


COOKIE = "strangler_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Its name under TLS: browsers take it from this very host alone, never from a neighbour of its domain."""
LASTS = 12 * 3600
"""Seconds that a login holds."""
_PURPOSE = "strangler console session"
NAME = re.compile(r"[A-Za-z0-9._@-]{0,64}")
"""What people may call themselves in the audit log."""
_VALUE = re.compile(rf"(?P<role>[a-z]+):(?P<ends>[0-9]{{1,12}}):(?P<name>{NAME.pattern}):(?P<signature>[0-9a-f]{{64}})")


@dataclass(frozen=True, slots=True)
class Session:
    """What a client proved: its role (empty: none), the name that was given."""

    role: str = ""
    name: str = ""


class ConsoleSessions:
    """Signs with `tokens` (role → token, empty: the role is not given).

    `revoked` holds when sessions of a name, under the empty one all of them, were last ended (milliseconds since the
    epoch); it is replaced by `Revocations`.
    """

    def __init__(self, tokens: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        self.revoked: Mapping[str, int] = {}
        self._tokens = {role: token for role, token in tokens.items() if token}
        self._clock = clock

    def begin(self, role: str, name: str = "") -> str:
        """Return the cookie's value for a client that has shown the token of `role`."""
        ends = str(int(self._clock()) + LASTS)
        known = name if NAME.fullmatch(name) else ""
        return f"{role}:{ends}:{known}:{self._signature(role, ends, known)}"

    def shown(self, value: str) -> Session:
        """Return what a cookie's value proves."""
        found = _VALUE.fullmatch(value)
        if found is None or found["role"] not in self._tokens:
            return Session()
        signature = self._signature(found["role"], found["ends"], found["name"])
        is_ours = hmac.compare_digest(found["signature"], signature)
        is_now = int(found["ends"]) > self._clock()
        return Session(found["role"], found["name"]) if is_ours and is_now else Session()

    def _signature(self, role: str, ends: str, name: str) -> str:
        revoked = f"{self.revoked.get('', 0)} {self.revoked.get(name, 0) if name else 0}"
        text = f"{_PURPOSE} {role} {ends} {name} {revoked}"
        return hmac.new(self._tokens[role].encode(), text.encode(), sha256).hexdigest()


def cookie_of(header: str, *, secure: bool) -> str:
    """Return the session's value in a Cookie header field, empty when it is not there.

    Under TLS (`secure`) only the one that is this very host's counts: the other may come from a neighbour of the
    domain, or from a time when it travelled in clear.
    """
    found = dict(
        reversed([(name, value) for name, _, value in (each.strip().partition("=") for each in header.split(";"))])
    )
    return found.get(SECURE_COOKIE) or ("" if secure else found.get(COOKIE, ""))


PROBES = ("/healthz", "/readyz")
METRICS = "/metrics"
PLAN = "/api/v1/plan"
"""A question that is too long for a GET: the viewers' token is enough for it."""
EXTRA_HOSTS = "STRANGLER_ADMIN_HOSTS"
API = "/api/"
LOGIN = "/login"
OPERATE = "operate"
VIEW = "view"
_SAFE = ("GET", "HEAD", "OPTIONS")
_FORM = "application/x-www-form-urlencoded"
_OPEN = (LOGIN, "/static/")
"""What a browser must get before it can show a token; nothing of it reveals anything."""


def is_safe(method: str) -> bool:
    """Whether a request of this method changes nothing."""
    return method in _SAFE


@dataclass(frozen=True, slots=True)
class Denial:
    """Why not, with the HTTP status that says so."""

    status: HTTPStatus
    detail: str


@dataclass(frozen=True, slots=True)
class AdminRequest:
    """What the decision looks at of a request; `header` names are lower-case."""

    method: str
    path: str
    headers: Mapping[str, str]


class Access:
    """The rules of one admin port. Tokens are read once, nothing changes."""

    def __init__(self, admin: Admin, address: Address, environ: Mapping[str, str] = os.environ) -> None:
        self._public = not address.is_loopback
        self._tls = admin.tls is not None
        self._operator = environ.get(admin.token_env, "").strip()
        self._viewer = environ.get(admin.view_token_env, "").strip()
        self.sessions = ConsoleSessions({OPERATE: self._operator, VIEW: self._viewer})
        extra = environ.get(EXTRA_HOSTS, "").split(",")
        known = {"localhost", address.host, socket.gethostname(), *map(str.strip, extra)}
        self._hosts = frozenset(host.lower() for host in known if host)

    def denial(self, asked: AdminRequest) -> Denial | None:
        """Return why `asked` is refused, None when it is not."""
        if asked.path in PROBES or (asked.method in _SAFE and asked.path.startswith(_OPEN)):
            return None
        reads = asked.method in _SAFE
        if reads and self._public:
            # a client that must show a token is no page that had our name rebound: any name will do
            return self._denial_to_read(asked)
        if not self._knows_host(asked.headers.get("host", "")):
            return Denial(HTTPStatus.MISDIRECTED_REQUEST, f"this host name is not known here; {EXTRA_HOSTS} adds names")
        if reads:
            return self._denial_to_read(asked)
        return self._denial_of_form(asked) or self._denial_of_change(asked)

    def role(self, headers: Mapping[str, str]) -> str:
        """Return the role that these fields (names in lower case) have shown, empty for none."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.role_of_token(given.strip())
        return self.session_of(headers).role

    def session_of(self, headers: Mapping[str, str]) -> Session:
        """Return what the console's cookie among these fields proves."""
        return self.sessions.shown(self.cookie_of(headers))

    def cookie_of(self, headers: Mapping[str, str]) -> str:
        """Return the value of the console's cookie among these fields, of the kind that counts here."""
        return cookie_of(headers.get("cookie", ""), secure=self.is_secure(headers))

    def is_secure(self, headers: Mapping[str, str]) -> bool:
        """Whether the browser speaks TLS, to us or to what is in front of us; a page cannot say so for itself."""
        return self._tls or headers.get("x-forwarded-proto", "").strip().lower() == "https"

    def role_of_token(self, given: str) -> str:
        """Return the role whose token `given` is, empty for none."""
        # every token is compared, so that the time reveals nothing
        matches = [
            role
            for role, token in ((OPERATE, self._operator), (VIEW, self._viewer))
            if hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()) and token
        ]
        return matches[0] if matches else ""

    def may_change(self, headers: Mapping[str, str]) -> bool:
        """Whether these fields may operate: with the token, on loopback with any where no operator's is set."""
        role = self.role(headers)
        if self._operator or self._public:
            return role == OPERATE
        return bool(role) or not self._viewer

    def is_guess(self, asked: AdminRequest) -> bool:
        """Whether a token is shown that has to be compared; a cookie is signed, trying them out leads nowhere."""
        shown = "authorization" in asked.headers or (asked.path == LOGIN and asked.method not in _SAFE)
        return shown and self.has_tokens and asked.path not in PROBES

    @property
    def has_tokens(self) -> bool:
        """Whether there is anything to log in with."""
        return bool(self._operator or self._viewer)

    def _denial_to_read(self, asked: AdminRequest) -> Denial | None:
        if not self._public and (asked.path == METRICS or not self.has_tokens):
            return None
        return None if self.role(asked.headers) else _WANTS_TOKEN

    def _denial_of_change(self, asked: AdminRequest) -> Denial | None:
        if asked.path == LOGIN or self.may_change(asked.headers):
            return None
        if asked.path == PLAN:
            return self._denial_to_read(asked)
        if self.role(asked.headers):
            return Denial(HTTPStatus.FORBIDDEN, "this token may look, not change")
        return _WANTS_TOKEN

    def _denial_of_form(self, asked: AdminRequest) -> Denial | None:
        media_type = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
        wanted = "application/json" if asked.path.startswith(API) else _FORM
        if media_type != wanted:
            return Denial(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"changes need Content-Type: {wanted}")
        if asked.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return Denial(HTTPStatus.FORBIDDEN, "the request comes from another site")
        origin = asked.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != asked.headers.get("host", "").lower():
            return Denial(HTTPStatus.FORBIDDEN, "the request comes from another site")
        return None

    def _knows_host(self, host: str) -> bool:
        """An address cannot be rebound to us by a hostile name server, a name can."""
        name = host.lower()
        name = name[1 : name.find("]")] if name.startswith("[") else name.partition(":")[0]
        if name in self._hosts:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True


_WANTS_TOKEN = Denial(HTTPStatus.UNAUTHORIZED, "a token is needed: Authorization: Bearer …")
