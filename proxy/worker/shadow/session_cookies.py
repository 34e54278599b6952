"""Separates the cookies of a session, or of an identity, from all others.

A copy towards legacy goes without these: PHP locks a session's file for the whole request, and changes what is in it.
Cookies of measuring, of a language, of a consent stay, for they may decide what a page says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_KNOWN: Final = re.compile(
    r"""(?:__Host-|__Secure-)?(?:
        [\w.-]*sess(?:ion)?[_-]?id[\w.-]*        # PHPSESSID, JSESSIONID, sessionid, OCSESSID, ASP.NET_SessionId
        | (?:[\w.-]*[_.-])?(?:session|sid)       # laravel_session, ci_session, connect.sid, phpbb3_x_sid
        | [\w.-]*session[_.-]token               # next-auth.session-token
        | [\w.-]*remember(?:_?me)?(?:[_-][\w.-]*)?   # remember_web_…, REMEMBERME
        | wordpress_(?!test_cookie)[\w.-]+ | wp-[\w.-]+
        | DokuWiki | DW[\w.-]+ | S?SESS[0-9a-f]{32} | [0-9a-f]{32}   # DokuWiki; Drupal; Joomla
        | (?:auth|access|refresh|id|login)[_-]?token | jwt | auth
        | \.AspNetCore\.[\w.-]+ | \.ASPXAUTH | (?:fe|be)_typo_user
    )""",
    re.IGNORECASE | re.VERBOSE,
).fullmatch  # fmt: skip
_MEDIAWIKI: Final = re.compile(r"(?!(?i:[cx]srf))\w+(?:Session|Token|UserID|UserName)").fullmatch
"""`wikidbSession`, `wikidbToken`: by their capital, for `csrftoken` is no session."""
_COOKIE_SOURCES: Final = ("cookie:", "laravel:")
_NAMES_KEPT: Final = 1024
_LONGEST: Final = 128
"""Characters of a name that is looked at: what a client makes longer must not cost time."""


def _is_frameworks(name: str) -> bool:
    return _KNOWN(name) is not None or _MEDIAWIKI(name) is not None


class SessionCookies:
    """The names of one configuration: those that frameworks use, those in its `identity`.

    The proxy's own sticky cookie is none of them: no backend knows it. `_known` fills with names as they come.
    """

    def __init__(self, identity: Sequence[str] = ()) -> None:
        self._named = frozenset(source.partition(":")[2] for source in identity if source.startswith(_COOKIE_SOURCES))
        self._plain = frozenset(
            name for kind, _, name in (source.partition(":") for source in identity) if kind == "cookie"
        ) - {name for name in self._named if _is_frameworks(name)}
        self._known: dict[str, bool] = {}

    def without(self, cookie: str) -> str:
        """Return a Cookie field without them: the same object where there are none, empty where nothing is left."""
        if not cookie:
            return cookie
        pairs = cookie.split(";")
        left = [pair for pair in pairs if not self.is_one(pair.partition("=")[0].strip())]
        return cookie if len(left) == len(pairs) else ";".join(left).strip()

    def has_one(self, cookie: str) -> bool:
        """Whether a Cookie field has any of them."""
        return bool(cookie) and self.without(cookie) is not cookie

    def has_session(self, cookie: str) -> bool:
        """Whether a Cookie field has a session, or an identity that is one: not only the plain name of a user."""
        names = (pair.partition("=")[0].strip() for pair in cookie.split(";"))
        return any(self.is_one(name) and name not in self._plain for name in names)

    def is_one(self, name: str) -> bool:
        """Whether a cookie of this name is a session's, or an identity."""
        known = self._known.get(name)
        if known is None:
            known = name in self._named or (len(name) <= _LONGEST and _is_frameworks(name))
            if len(self._known) < _NAMES_KEPT:
                self._known[name] = known
        return known
