"""Numbers of several workers, ended ones included, are one number."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from tests.support.backend import Backend, always, ok
from tests.support.running import Running, config, running

SEEN = {"route": "_default", "side": "legacy", "role": "live", "code": "2xx"}


async def test_counters_are_at_zero_from_the_first_second_and_counts_of_all_workers_a_dead_one_included_add_up(
    tmp_path: Path, legacy: Backend
):
    async with running(tmp_path, config(legacy.url, workers=2)) as proxy:
        first = await proxy.metrics()
        await proxy.event("accepting", count=2)
        for _ in range(40):
            await proxy.get()
        before = await proxy.metrics()
        served = {line["pid"] for line in proxy.events if line["event"] == "accepting"}
        victim = proxy.pids("worker")[0]

        os.kill(victim, signal.SIGKILL)
        await proxy.event("accepting", count=3)
        for _ in range(10):
            await proxy.get()
        after = await proxy.metrics()

        requests = {
            dict(labels)["code"]: value
            for (name, labels), value in first.items()
            if name == "strangler_requests_total" and {"profile", "modern"} <= set(dict(labels).values())
        }
        assert requests == {"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}
        errors = frozenset({"side": "modern", "kind": "timeout"}.items())
        assert first["strangler_upstream_errors_total", errors] == 0
        assert len(served) == 2
        assert before["strangler_requests_total", frozenset(SEEN.items())] == 40
        assert after["strangler_requests_total", frozenset(SEEN.items())] == 50
        duration = frozenset({"route": "_default", "side": "legacy", "role": "live"}.items())
        assert after["strangler_request_duration_seconds_count", duration] == 50
        assert after["strangler_workers_accepting", frozenset()] == 2


async def test_a_rescued_request_is_one_error_of_modern_and_one_answer_of_legacy(tmp_path: Path, legacy: Backend):
    broken = Backend(always(ok(b"oops", status="500 Internal Server Error")))
    await broken.start()
    async with running(tmp_path, config(legacy.url, broken.url, weight=100)) as proxy:
        answer = await proxy.get("/api/me", "Cookie: uid=42")
        samples = await proxy.metrics()
        status = await proxy.json("/api/v1/status")

        assert answer.body == b"legacy"
        rows = {labels: value for (name, labels), value in samples.items() if name == "strangler_requests_total"}
        assert {tuple(sorted(dict(labels).items())): value for labels, value in rows.items() if value} == {
            (("code", "2xx"), ("role", "live"), ("route", "profile"), ("side", "legacy")): 1
        }
        assert samples["strangler_upstream_errors_total", frozenset({"side": "modern", "kind": "status"}.items())] == 1
        (route,) = [each for each in status["routes"] if each["name"] == "profile"]
        assert (route["modern"]["requests"], route["modern"]["errors"]) == (1, 1)
        assert (route["legacy"]["requests"], route["legacy"]["errors"]) == (1, 0)
        assert route["totals"]["modern"]["errors"] == 1
    await broken.stop()


async def test_a_scrape_is_fresh_and_a_hung_worker_delays_it_only_briefly(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url, workers=2)) as proxy:
        await proxy.get()
        fresh = await proxy.metric("strangler_requests_total", **SEEN)
        os.kill(proxy.pids("worker")[0], signal.SIGSTOP)
        seconds = await _time_of_a_scrape(proxy)

        assert fresh == 1
        assert seconds < 30


async def _time_of_a_scrape(proxy: Running) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await proxy.metrics()
    return loop.time() - began
