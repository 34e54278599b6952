"""Makes the proxy's own signed cookie for people whom nothing else identifies."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Final

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
