"""Reads the keys that identities are verified with; they come from the environment, never from the file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """An empty value means that there is none; then that source identifies no user. Never printed."""

    jwt: str = ""
    laravel: tuple[bytes, ...] = ()
    sticky: bytes = b""


def keys_from(environ: Mapping[str, str], base: Path, sticky: str = "", jwt: str = "") -> Keys:
    """Read STRANGLER_JWT_KEY or …_FILE, APP_KEY with APP_PREVIOUS_KEYS, STRANGLER_STICKY_KEY or else `sticky`.

    With `jwt` (read when this run began) no file is read: it may be gone by now.

    Raises `OSError` for a key file that cannot be read, `ValueError` for an APP_KEY that is no Laravel key.
    """
    jwt = jwt or environ.get("STRANGLER_JWT_KEY", "")
    path = environ.get("STRANGLER_JWT_KEY_FILE", "")
    if not jwt and path:
        jwt = (base / path).read_text(encoding="utf-8").strip()
    texts = [environ.get("APP_KEY", ""), *environ.get("APP_PREVIOUS_KEYS", "").split(",")]
    laravel = tuple(_laravel_key(text.strip()) for text in texts if text.strip())
    own = environ.get("STRANGLER_STICKY_KEY", "") or sticky
    return Keys(jwt, laravel, own.encode())


def jwt_problem(key: str) -> str:
    """Return why tokens cannot be verified with `key`, empty when they can: a PEM must be an RSA key (RS256)."""
    if not key.lstrip().startswith("-----BEGIN"):
        return ""
    try:
        from jwt.algorithms import RSAAlgorithm

        RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(key)
    except Exception as error:  # noqa: BLE001 - PyJWT lets through whatever cryptography finds
        return f"is no RSA key: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    return ""


def _laravel_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.removeprefix("base64:"), validate=True) if ":" in text else text.encode()
    except binascii.Error:
        key = b""
    if len(key) not in (16, 32):
        raise ValueError("APP_KEY is not a Laravel key: base64: followed by 16 or 32 bytes")
    return key
