"""Makes proofs of identity: tokens by hand, Laravel's cookies by the recipe of its Encrypter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


def claims(subject: object = "77", life: int = 600, **more: Any) -> dict[str, Any]:
    """Claims that are good for `life` seconds."""
    return {"sub": subject, "exp": int(time.time()) + life, **more}


def hmac_token(body: Mapping[str, Any], key: str | bytes, algorithm: str = "HS256") -> str:
    """A token signed with a shared key."""
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    signed = _signed({"alg": algorithm, "typ": "JWT"}, body)
    secret = key if isinstance(key, bytes) else key.encode()
    return f"{signed}.{_base64url(hmac.digest(secret, signed.encode(), digest))}"


def rsa_token(body: Mapping[str, Any], key: rsa.RSAPrivateKey) -> str:
    """A token signed with a private key (RS256)."""
    signed = _signed({"alg": "RS256", "typ": "JWT"}, body)
    return f"{signed}.{_base64url(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def unsigned_token(body: Mapping[str, Any], algorithm: str = "none") -> str:
    """An unsigned token."""
    return f"{_signed({'alg': algorithm, 'typ': 'JWT'}, body)}."


def _signed(head: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    return ".".join(_base64url(json.dumps(part).encode()) for part in (head, body))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def laravel_cookie(name: str, value: str, key: bytes, mode: str = "cbc", *, prefix: str | None = None) -> str:
    """The value of an encrypted cookie as a browser sends it back (EncryptCookies, CookieValuePrefix)."""
    mark = hmac.digest(key, f"{prefix or name}v2".encode(), hashlib.sha1).hex()
    return quote(_envelope(f"{mark}|{value}".encode(), key, mode), safe="")


def laravel_bare(value: str, key: bytes) -> str:
    """An encrypted value without the mark of the cookie it belongs to."""
    return quote(_envelope(value.encode(), key, "cbc"), safe="")


def _envelope(plain: bytes, key: bytes, mode: str) -> str:
    if mode == "cbc":
        iv = os.urandom(16)
        padder = PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        data = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
        fields = {"iv": _base64(iv), "value": _base64(data)}
        mac = hmac.digest(key, (fields["iv"] + fields["value"]).encode(), hashlib.sha256).hex()
        fields |= {"mac": mac, "tag": ""}
    else:
        iv = os.urandom(12)
        sealer = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
        data = sealer.update(plain) + sealer.finalize()
        fields = {"iv": _base64(iv), "value": _base64(data), "mac": "", "tag": _base64(sealer.tag)}
    return _base64(json.dumps(fields).encode())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
