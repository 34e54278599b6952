"""Ends sessions of the console before their time: all of them, or those of one name.

A session is a signed cookie, nothing of it is kept. What is kept, in the store, is when sessions were last revoked:
that moment is part of what is signed, so that every cookie made before it proves nothing any more, after a restart and
on every instance as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import time
from typing import Any

import orjson
from aiohttp import web

from proxy.control.api import http
from proxy.control.api.access import NAME, ConsoleSessions
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX, Field, actor_of, wish_of
from proxy.storage.store import Store, StoreError

REVOKED = "sessions_revoked"
"""The event of the audit trail."""
KEPT_AS = "console_sessions"
LOOKS_EVERY = 2.0
"""Seconds after which another instance has learned of a revocation at the latest."""
MOST_NAMES = 1000
"""Names that are kept apart; one more revokes all sessions instead."""
_EVERYBODY = ""


class Revocations:
    """Keeps in the store what `sessions` look at. `_unwritten` says that the store has not taken the latest yet."""

    def __init__(
        self, store: Store, sessions: ConsoleSessions, *, forgets: bool, clock: Callable[[], float] = time
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._clock = clock
        self._unwritten = False
        # until the store is read, or where it forgets what was revoked, sessions of an earlier process prove nothing
        self._begun = self._now()
        self._forgets = forgets
        sessions.revoked = {_EVERYBODY: self._begun}

    async def revoke(self, name: str = _EVERYBODY) -> bool:
        """End every session (of `name`), at once; whether the store has it, which is tried again until it does."""
        revoked = dict(self._sessions.revoked)
        if name and len(revoked) > MOST_NAMES:
            name, revoked = _EVERYBODY, {}
        revoked[name] = max(self._now(), revoked.get(name, 0) + 1)
        self._sessions.revoked = revoked
        self._unwritten = True
        return await self.agree()

    async def agree(self) -> bool:
        """Learn what other instances revoked, bring ours to the store; False where it does not answer."""
        if self._forgets:
            self._unwritten = False
            return True
        try:
            kept = _read(await self._store.value(KEPT_AS))
            ours = dict(self._sessions.revoked)
            if not self._unwritten and self._begun:
                # nothing was revoked since we began: what the store has is all there is
                ours = {name: moment for name, moment in ours.items() if moment != self._begun}
            self._sessions.revoked = {name: max(ours.get(name, 0), kept.get(name, 0)) for name in ours | kept}
            if self._unwritten:
                await self._store.keep(KEPT_AS, orjson.dumps(self._sessions.revoked).decode())
        except StoreError:
            return False
        self._unwritten, self._begun = False, 0
        return True

    async def run(self) -> None:
        """Agree with the store for ever."""
        while True:
            await self.agree()
            await asyncio.sleep(LOOKS_EVERY)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _read(text: str | None) -> dict[str, int]:
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return (
        {str(name): moment for name, moment in found.items() if isinstance(moment, int)}
        if isinstance(found, dict)
        else {}
    )


def _is_name(value: Any) -> str | None:
    return None if value and NAME.fullmatch(value) else "must be a name as it is given at the login"


def routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of sessions."""

    async def revoke(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("name", str, check=_is_name), Field("reason", str))
        name = wish.get("name") or _EVERYBODY
        kept = await control.revoke_sessions(name, actor_of(request), wish.get("reason") or "")
        return http.json({"revoked": name or "all", "kept": kept})

    return (web.post(f"{PREFIX}/sessions/revoke", revoke),)
