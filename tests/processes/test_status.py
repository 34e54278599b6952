"""Commands that talk to a running proxy."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import orjson

from tests.support.backend import Backend
from tests.support.running import config, run_command, running


async def test_status_shows_every_route_with_both_sides(tmp_path: Path, legacy: Backend, modern: Backend):
    async with running(tmp_path, config(legacy.url, modern.url, weight=100)) as proxy:
        for user in range(5):
            await proxy.get("/api/me", f"Cookie: uid={user}")
        arguments = ("-c", str(proxy.file), "--admin", proxy.admin_url)

        code, table, _ = await run_command("status", *arguments, NO_COLOR="1")
        _, document, _ = await run_command("status", "--json", *arguments)

    assert code == 0
    assert "ready · 1 of 1 workers accept" in table
    (line,) = [line for line in table.splitlines() if line.startswith("profile")]
    assert "modern" in line
    assert "100 %" in line
    assert "\x1b" not in table
    (route,) = [route for route in orjson.loads(document)["routes"] if route["name"] == "profile"]
    assert route["modern"]["requests"] == 5
    assert route["modern"]["p95"] > 0


async def test_a_target_that_is_down_is_shown_everywhere_with_its_error_and_one_that_is_up_as_such(
    tmp_path: Path, legacy: Backend
):
    dead = "http://127.0.0.1:1"
    async with running(tmp_path, config(legacy.url, dead, weight=100)) as proxy:
        async with asyncio.timeout(60):
            while (await proxy.metric("strangler_backend_up", backend="modern", target=dead)) == 1:
                await proxy.get("/api/me", "Cookie: uid=1")
        backends = (await proxy.json("/api/v1/backends"))["items"]
        up = await proxy.metric("strangler_backend_up", backend="legacy", target=legacy.url)
        _, table, _ = await run_command("status", "-c", str(proxy.file), "--admin", proxy.admin_url, NO_COLOR="1")
        page = (await proxy.admin("/backends", "Accept: text/html")).body.decode()
        overview = (await proxy.admin("/", "Accept: text/html")).body.decode()

    assert up == 1
    assert "legacy: 1 of 1 target up" in table
    assert "modern: 0 of 1 target up" in table
    assert f"{dead} is down: left out by 1 worker of 1" in table
    assert page.count(">up</span>") == page.count(">down</span>") == 1
    (error,) = [target["last_error"] for backend in backends for target in backend["targets"] if target["last_error"]]
    assert f"<td>{error}</td>" in page
    assert "No target of modern is up" in overview


async def test_help_comes_before_anybody_gets_impatient():
    code, out, _ = await run_command("--help")

    assert code == 0
    assert all(name in out for name in ("run", "check", "config", "explain", "reload", "status"))


def test_help_loads_none_of_the_heavy_libraries():
    script = "import proxy.cli.app, sys; print(' '.join(sys.modules))"
    loaded = set(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    )

    assert loaded.isdisjoint({"aiohttp", "deepdiff", "httpx", "pydantic", "yaml", "redis", "structlog", "rich.table"})
