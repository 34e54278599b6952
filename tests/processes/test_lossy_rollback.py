"""A rollback of a route with separate databases lists the writes that legacy lacks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson

from tests.processes.asking import BACK, does, file
from tests.support import raw
from tests.support.backend import Backend
from tests.support.running import running


async def test_the_last_writes_on_modern_are_named_with_the_rollback(tmp_path: Path, legacy: Backend, modern: Backend):
    text = file(legacy, modern, workers=2).replace("methods: [GET]", "methods: [GET, PUT]")
    async with running(tmp_path, f"{text}    guard: {{rollback: lossy}}\n") as proxy:
        for user in range(6):
            client = await proxy.client()
            lines = (f"Cookie: uid={user}", f"X-Request-Id: mine-{user}", "Content-Length: 0")
            await client.ask(raw.get("/api/me?token=secret", *lines, method="PUT"))
            client.close()
        await proxy.get("/api/me", "Cookie: uid=1")
        for _ in range(600):  # a call is counted after its answer went out
            if await proxy.metric("strangler_modern_writes_total", route="profile") == 6:
                break
            await asyncio.sleep(0.1)
        status = orjson.loads((await does(proxy, "rollback", **BACK)).body)

    told = status["rolled_back"]["evidence"]
    assert told["writes_legacy_has_not_seen"] == 6
    assert [(each["method"], each["path"], each["status"]) for each in told["last_writes"]] == [
        ("PUT", "/api/me", 200)
    ] * 6
    assert len({each["request_id"] for each in told["last_writes"]}) == 6
    assert told["writes_since"] == told["last_writes"][0]["at"]
