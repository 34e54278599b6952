"""A whole proxy mirrors: the result of each request is counted where operators look."""

from __future__ import annotations

from pathlib import Path

from tests.support.backend import Backend, always, ok
from tests.support.running import config, running
from tests.support.waiting import until


async def test_copies_are_counted_apart_with_what_was_left_out_at_zero(tmp_path: Path, legacy: Backend):
    modern = Backend(always(ok(b"legacy")))
    await modern.start()
    text = config(legacy.url, modern.url).replace("    rollout:", "    shadow: {sample: 100%}\n    rollout:")
    async with running(tmp_path, text) as proxy:
        for _ in range(5):
            await proxy.get("/api/me", "Cookie: uid=42")
        await until(lambda: len(modern.requests) == 5, "the copies")
        samples = await proxy.metrics()

        copies = frozenset({"route": "profile", "side": "modern", "role": "shadow", "code": "2xx"}.items())
        dropped = frozenset({"route": "profile", "reason": "capacity"}.items())
        in_flight = frozenset({"side": "modern", "role": "shadow"}.items())
        assert samples["strangler_requests_total", copies] == 5
        assert samples["strangler_shadow_dropped_total", dropped] == 0
        assert samples["strangler_in_flight", in_flight] == 0
        assert {request.field("X-Shadow") for request in modern.requests} == {"1"}
    await modern.stop()
