"""Users from JWT and Laravel's cookie; loads the libraries that verify them."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha1, sha256
from time import time
from typing import Any, Final
from urllib.parse import unquote

import jwt
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from jwt.types import Options

from proxy.http1 import RequestHead
from proxy.worker.identity_cookie import Memo, value_of

_UNTRUSTED_AGAIN_AFTER: Final = 60.0
_LENGTH_AT_MOST: Final = 8192
_CHECKED: Final[Options] = {"verify_aud": False, "verify_sub": False, "verify_jti": False, "verify_iat": False}
"""Signature, exp and nbf stay. PHP libraries write ids as numbers; an issuer's clock may be a second ahead."""

_STRANGE: Final = (ValueError, TypeError, OverflowError, AttributeError, KeyError, RecursionError)
"""What a token may make the library stumble over, some of it before its signature is looked at: an algorithm that is a
list, a time that is null, or has four hundred digits."""


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
        soon = now + _UNTRUSTED_AGAIN_AFTER
        try:
            claims = jwt.decode(token, self._key, algorithms=[self._algorithm], options=_CHECKED)
            value = claims.get(self._claim)
            if isinstance(value, bool) or not isinstance(value, str | int):
                return "", soon
            user = str(value)
            user.encode()  # half a character cannot be hashed
            expires = claims.get("exp", soon)
            return user, soon if isinstance(expires, int) and expires > soon else min(float(expires), soon)
        except (jwt.PyJWTError, *_STRANGE):
            return "", soon


# Decrypts a cookie that Laravel encrypted (Illuminate Encrypter, CookieValuePrefix).


_REMEMBERED: Final = 300.0


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
            known = next((plain for key in self._keys if (plain := decrypt(value, self._name, key))), "")
            self._memo.put(value, known, now + _REMEMBERED)
        return known or None


def decrypt(value: str, name: str, key: bytes) -> str:
    """The plain value of cookie `name`; empty when `key` did not encrypt it for that name."""
    try:
        envelope: Any = orjson.loads(base64.b64decode(unquote(value), validate=True))
        iv, body = str(envelope["iv"]), str(envelope["value"])
        tag = str(envelope.get("tag") or "")
        plain = _gcm(iv, body, tag, key) if tag else _cbc(iv, body, str(envelope["mac"]), key)
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError, InvalidTag):
        return ""
    prefix = hmac.digest(key, f"{name}v2".encode(), sha1).hex() + "|"
    text = plain.decode("utf-8", "replace")
    return text[len(prefix) :] if hmac.compare_digest(text[: len(prefix)].encode(), prefix.encode()) else ""


def _cbc(iv: str, body: str, mac: str, key: bytes) -> bytes:
    if not hmac.compare_digest(hmac.digest(key, (iv + body).encode(), sha256).hex().encode(), mac.encode()):
        raise ValueError("forged")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(base64.b64decode(iv))).decryptor()
    padded = decryptor.update(base64.b64decode(body)) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _gcm(iv: str, body: str, tag: str, key: bytes) -> bytes:
    mode = modes.GCM(base64.b64decode(iv), base64.b64decode(tag), min_tag_length=16)
    decryptor = Cipher(algorithms.AES(key), mode).decryptor()
    return decryptor.update(base64.b64decode(body)) + decryptor.finalize()
