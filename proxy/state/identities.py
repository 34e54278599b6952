"""Verifies the identity of users: the same for live and for described requests, in worker and control.

The libraries of tokens are loaded when a source needs them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

from proxy.http1.cookies import value_of
from proxy.state.identity_keys import Keys

STICKY: Final = "strangler_id"
"""The proxy's own cookie."""
JWT_REMEMBERED: Final = 60.0
"""Seconds for which the result of an invalid token, or of one that never expires, may be cached."""
_SIGNATURE: Final = 32
_LENGTH_AT_MOST: Final = 8192
_CHECKED: Final[Mapping[str, bool]] = {
    "verify_aud": False,
    "verify_sub": False,
    "verify_jti": False,
    "verify_iat": False,
}
"""Signature, exp and nbf stay. PHP libraries write ids as numbers; an issuer's clock may be a second ahead."""

_STRANGE: Final = (ValueError, TypeError, OverflowError, AttributeError, KeyError, RecursionError)
"""Exceptions that a token may cause in the library, some before its signature is checked: an algorithm that is a
list, a time that is null, or has four hundred digits."""


def described_user(
    sources: Iterable[str], keys: Keys, fields: Mapping[str, str], now: float, *, trusted: bool
) -> str | None:
    """Return the user of a described request; `fields` by lower-case name. The first source that is present wins."""
    for source in sources:
        kind, _, name = source.partition(":")
        if found := _one(kind, name, keys, fields, now, trusted=trusted):
            return found
    return None


def _one(kind: str, name: str, keys: Keys, fields: Mapping[str, str], now: float, *, trusted: bool) -> str | None:
    cookies = fields.get("cookie", "")
    match kind:
        case "header":
            return fields.get(name.lower()) if trusted else None
        case "cookie":
            return value_of(cookies, name)
        case "jwt" if keys.jwt and (token := bearer(fields.get("authorization", ""))):
            return jwt_claim(token, name, keys.jwt, now)[0]
        case "laravel" if keys.laravel and (value := value_of(cookies, name)):
            return laravel_value(value, name, keys.laravel)
        case "sticky" if keys.sticky and (value := value_of(cookies, STICKY)):
            return sticky_user(value, keys.sticky)
        case _:
            return None


# ── the proxy's own cookie ─────────────────────────────────────────────────────────────────────────────


def sticky_user(value: str, key: bytes) -> str | None:
    """Return the id in a cookie's value, or None when this proxy has not signed it."""
    user, _, signature = value.partition(".")
    return user if user and hmac.compare_digest(sticky_signature(user, key).encode(), signature.encode()) else None


def sticky_signature(user: str, key: bytes) -> str:
    """Return the signature of an id."""
    return hmac.digest(key, user.encode(), sha256).hex()[:_SIGNATURE]


# ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────


def bearer(authorization: str) -> str:
    """Return the bearer token of an Authorization field (RFC 6750 2.1), empty without one."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and len(token) <= _LENGTH_AT_MOST else ""


def jwt_claim(token: str, claim: str, key: str, now: float) -> tuple[str, float]:
    """Return a claim of a verified token (RFC 7519) as text, empty for none, and until when that holds (epoch seconds).

    The key's type fixes the algorithm (a PEM key: RS256, anything else: HS256), so that a token cannot choose how it
    is verified. Expired, not yet valid or forged: none.
    """
    import jwt

    algorithm = "RS256" if key.lstrip().startswith("-----BEGIN") else "HS256"
    options: Any = _CHECKED
    soon = now + JWT_REMEMBERED
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm], options=options)
        value = claims.get(claim)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return "", soon
        user = str(value)
        user.encode()  # half a character cannot be hashed
        expires = claims.get("exp", soon)
        return user, soon if isinstance(expires, int) and expires > soon else min(float(expires), soon)
    except (jwt.PyJWTError, *_STRANGE):
        return "", soon


def laravel_value(value: str, name: str, keys: Iterable[bytes]) -> str:
    """Return the plain value of an encrypted cookie, empty when none of `keys` has encrypted it for that name."""
    if len(value) > _LENGTH_AT_MOST:
        return ""
    from proxy.state.laravel_cookie import decrypt

    return next((plain for key in keys if (plain := decrypt(value, name, key))), "")
