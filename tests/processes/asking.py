"""Requests of the tests of actions to a running proxy."""

from __future__ import annotations

from typing import Any

from tests.support.backend import Backend
from tests.support.messages import Message
from tests.support.running import Running, config

BACK = {"reason": "it looked wrong"}


def file(legacy: Backend, modern: Backend, *, workers: int = 1, weight: float = 100, store: str = "memory") -> str:
    text = config(legacy.url, modern.url, workers=workers, weight=weight)
    return text.replace("store: memory", f'store: "{store}"')


async def does(proxy: Running, verb: str, *lines: str, **body: Any) -> Message:
    return await proxy.admin(f"/api/v1/routes/profile/{verb}", *lines, method="POST", body=body)


async def side(proxy: Running, user: int = 42) -> bytes:
    return (await proxy.get("/api/me", f"Cookie: uid={user}")).body


async def sides(proxy: Running) -> set[bytes]:
    return {await side(proxy, user) for user in range(12)}
