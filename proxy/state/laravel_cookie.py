"""Decrypts a cookie that Laravel encrypted (Illuminate Encrypter, CookieValuePrefix)."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import unquote

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7


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
