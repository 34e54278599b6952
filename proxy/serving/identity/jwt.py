"""Reads one claim of a verified bearer token (RFC 7519)."""

from __future__ import annotations

from time import time
from typing import Final

import jwt
from jwt.types import Options

from proxy.http1 import RequestHead
from proxy.serving.identity.memo import Memo

_UNTRUSTED_AGAIN_AFTER: Final = 60.0
_LENGTH_AT_MOST: Final = 8192
_CHECKED: Final[Options] = {"verify_aud": False, "verify_sub": False, "verify_jti": False, "verify_iat": False}
"""Signature, exp and nbf stay. PHP libraries write ids as numbers; an issuer's clock may be a second ahead."""


class JwtClaim:
    """A claim of the token in `Authorization: Bearer`.

    The key's type fixes the algorithm (a PEM key: RS256, anything else: HS256), so that a token cannot choose
    how it is verified. Expired, not yet valid or forged: nobody.
    """

    __slots__ = ("_algorithm", "_claim", "_key", "_memo")

    def __init__(self, claim: str, key: str) -> None:
        self._claim = claim
        self._key = key
        self._algorithm = "RS256" if key.lstrip().startswith("-----BEGIN") else "HS256"
        self._memo = Memo()

    def __call__(self, head: RequestHead, _trusted: bool) -> str | None:  # noqa: FBT001 - as Source
        """The claim's value as text, or None."""
        scheme, _, token = head.authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _LENGTH_AT_MOST:
            return None
        now = time()
        known = self._memo.get(token, now)
        if known is None:
            known, until = self._verified(token, now)
            self._memo.put(token, known, until)
        return known or None

    def _verified(self, token: str, now: float) -> tuple[str, float]:
        try:
            claims = jwt.decode(token, self._key, algorithms=[self._algorithm], options=_CHECKED)
        except jwt.PyJWTError:
            return "", now + _UNTRUSTED_AGAIN_AFTER
        value = claims.get(self._claim)
        expires = claims.get("exp", now + _UNTRUSTED_AGAIN_AFTER)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return "", now + _UNTRUSTED_AGAIN_AFTER
        return str(value), min(float(expires), now + _UNTRUSTED_AGAIN_AFTER)
