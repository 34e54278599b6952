"""Users from cookies: a plain one, the sticky one of our own, remembered within bounds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from proxy.http1 import RequestHead
from proxy.state.identities import STICKY, sticky_signature, sticky_user
from rules.bounded_cache import evict_oldest

# Makes the proxy's own signed cookie for people whom nothing else identifies.


COOKIE: Final = STICKY
_LIFE: Final = 365 * 24 * 3600


class Sticky:
    """Ids signed with one key, the same in all workers and instances, so that no client chooses its bucket."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(self) -> str:
        """A new id."""
        return secrets.token_hex(16)

    def verify(self, value: str) -> str | None:
        """The id in a cookie's value, or None when it was not made here."""
        return sticky_user(value, self._key)

    def line(self, user: str, *, secure: bool) -> str:
        """The Set-Cookie line, with its CR LF, that makes `user` known from now on."""
        flags = "; Secure" if secure else ""
        value = f"{user}.{sticky_signature(user, self._key)}"
        return f"Set-Cookie: {COOKIE}={value}; Path=/; Max-Age={_LIFE}; HttpOnly; SameSite=Lax{flags}\r\n"


# Remembers a bounded number of costly answers.


AT_MOST: Final = 4096


class Memo:
    """Text to text, the oldest go when full: simpler than an order of use, as good for tokens that live for minutes."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}

    def get(self, key: str, now: float) -> str | None:
        """What is remembered for `key` if it is still valid at `now`; empty: known to be no user."""
        known = self._known.get(key)
        return known[0] if known is not None and now < known[1] else None

    def put(self, key: str, value: str, until: float) -> None:
        """Remember `value` until then."""
        evict_oldest(self._known, AT_MOST)
        self._known[key] = (value, until)


# Says what an identity source is.


Source = Callable[[RequestHead, bool], str | None]
"""Finds the user in a request's head; the flag says whether the peer is trusted."""
