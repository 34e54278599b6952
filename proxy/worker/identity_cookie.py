"""Users from cookies: a plain one, the sticky one of our own, remembered within bounds."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from proxy.http1 import RequestHead


def without(header: str, name: str) -> str:
    """A Cookie field without every cookie `name`; as it is where there is none."""
    wanted = name + "="
    if wanted not in header:
        return header
    pairs = header.split(";")
    kept = [pair for pair in pairs if not pair.strip(" \t").startswith(wanted)]
    return header if len(kept) == len(pairs) else ";".join(kept).strip(" \t")


def value_of(header: str, name: str) -> str | None:
    """The first value of cookie `name` (RFC 6265 5.4), quotes taken off; None when absent."""
    wanted = name + "="
    start = header.find(wanted)
    while start >= 0:
        if start == 0 or header[start - 1] in "; ":
            begin = start + len(wanted)
            end = header.find(";", begin)
            value = (header[begin:] if end < 0 else header[begin:end]).strip(" \t")
            return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        start = header.find(wanted, start + 1)
    return None


# Makes the proxy's own signed cookie for people whom nothing else identifies.


COOKIE: Final = "strangler_id"
_LIFE: Final = 365 * 24 * 3600
_SIGNATURE: Final = 32


class Sticky:
    """Ids signed with one key, the same in all workers and instances, so that nobody chooses a bucket."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mint(self) -> str:
        """A new id."""
        return secrets.token_hex(16)

    def verify(self, value: str) -> str | None:
        """The id in a cookie's value, or None when it was not made here."""
        user, _, signature = value.partition(".")
        return user if user and hmac.compare_digest(self._sign(user).encode(), signature.encode()) else None

    def line(self, user: str, *, secure: bool) -> str:
        """The Set-Cookie line, with its CR LF, that makes `user` known from now on."""
        flags = "; Secure" if secure else ""
        value = f"{user}.{self._sign(user)}"
        return f"Set-Cookie: {COOKIE}={value}; Path=/; Max-Age={_LIFE}; HttpOnly; SameSite=Lax{flags}\r\n"

    def _sign(self, user: str) -> str:
        return hmac.digest(self._key, user.encode(), sha256).hex()[:_SIGNATURE]


# Remembers a bounded number of costly answers.


AT_MOST: Final = 4096


class Memo:
    """Text to text, emptied when full: simpler than an order of use, as good for tokens that live for minutes."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}

    def get(self, key: str, now: float) -> str | None:
        """What is remembered for `key` if it is still valid at `now`; empty: known to be nobody."""
        known = self._known.get(key)
        return known[0] if known is not None and now < known[1] else None

    def put(self, key: str, value: str, until: float) -> None:
        """Remember `value` until then."""
        if len(self._known) >= AT_MOST:
            self._known.clear()
        self._known[key] = (value, until)


# Says what an identity source is.


Source = Callable[[RequestHead, bool], str | None]
"""Finds the user in a request's head; the flag says whether the peer is trusted."""
