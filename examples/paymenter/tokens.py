"""Signs bearer tokens as both sides do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time


def token_for(user_id: int, key: str, role: str = "client", life: int = 3600) -> str:
    """A bearer token that both sides take for this user, signed with `key` and good for `life` seconds."""
    now = int(time.time())
    head = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": str(user_id), "role": role, "iat": now, "exp": now + life}
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
    return (signed + b"." + _base64url(hmac.digest(key.encode(), signed, hashlib.sha256))).decode()


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
