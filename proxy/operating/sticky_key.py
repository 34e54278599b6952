"""Finds the key that the proxy's own cookies are signed with."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from proxy.storage import is_shared
from proxy.storage.store import StoreError
from proxy.storage.store_sqlite import kept

_NAME = "sticky"


def sticky_key(store: str, base: Path, environ: Mapping[str, str], complain: Callable[[str], None]) -> str:
    """STRANGLER_STICKY_KEY, else the one in the store, made there the first time.

    Without a store that keeps anything, users who are known by the cookie alone are strangers after a restart:
    `complain` is told so, the proxy runs all the same.
    """
    given = environ.get("STRANGLER_STICKY_KEY", "")
    if given:
        return given
    made = secrets.token_hex(32)
    try:
        if is_shared(store):
            from proxy.storage.store_redis import value_at_start

            return value_at_start(store, _NAME, made, environ)
        if not store.startswith("sqlite:"):
            return made
        return kept(base / store.removeprefix("sqlite:"), _NAME, made)
    except (OSError, sqlite3.Error, StoreError) as error:
        complain(f"the sticky key cannot be kept in {store}: {error}; it will be another one after a restart")
        return made
