"""Users from JWT and Laravel's cookie; loads the libraries that verify them."""

from __future__ import annotations

from time import time
from typing import Final

import jwt  # noqa: F401 - loads what verifies, before the first request needs it

from proxy.http1 import RequestHead
from proxy.http1.cookies import value_of
from proxy.state.identities import bearer, jwt_claim, laravel_value
from proxy.worker.identity_cookie import Memo


class JwtClaim:
    """A claim of the token in `Authorization: Bearer`; expired, not yet valid or forged: no user."""

    __slots__ = ("_claim", "_key", "_memo")

    def __init__(self, claim: str, key: str) -> None:
        self._claim = claim
        self._key = key
        self._memo = Memo()

    def __call__(self, head: RequestHead, _trusted: bool) -> str | None:  # noqa: FBT001 - as Source
        """The claim's value as text, or None."""
        token = bearer(head.authorization)
        if not token:
            return None
        now = time()
        known = self._memo.get(token, now)
        if known is None:
            known, until = jwt_claim(token, self._claim, self._key, now)
            self._memo.put(token, known, until)
        return known or None


# Reads a cookie that Laravel encrypted.


_REMEMBERED: Final = 300.0
_LENGTH_AT_MOST: Final = 8192


class LaravelCookie:
    """The session id in cookie `name`, readable with APP_KEY or one of the previous keys."""

    __slots__ = ("_keys", "_memo", "_name")

    def __init__(self, name: str, keys: tuple[bytes, ...]) -> None:
        self._name = name
        self._keys = keys
        self._memo = Memo()

    def __call__(self, head: RequestHead, _trusted: bool) -> str | None:  # noqa: FBT001 - as Source
        """The decrypted value, or None: absent, forged, or another cookie's value under this name."""
        value = value_of(head.cookie, self._name) if head.cookie else None
        if not value or len(value) > _LENGTH_AT_MOST:
            return None
        now = time()
        known = self._memo.get(value, now)
        if known is None:
            known = laravel_value(value, self._name, self._keys)
            self._memo.put(value, known, now + _REMEMBERED)
        return known or None
