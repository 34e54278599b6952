"""What a plan announces is what happens to users once the file is in effect."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import orjson

from tests.support import raw
from tests.support.backend import Backend
from tests.support.running import Running, config, run_command, running

USERS = range(200)


async def sides(proxy: Running) -> dict[int, bytes]:
    """Who answers each user now."""
    found = {}
    client = await proxy.client()
    for user in USERS:
        found[user] = (await client.ask(raw.get("/api/me", f"Cookie: uid={user}"))).body
    client.close()
    return found


async def check(proxy: Running, file: Path, *more: str) -> tuple[int, str, str]:
    return await run_command("check", "-c", str(file), "--against", proxy.admin_url, *more)


async def announced(proxy: Running, file: Path) -> dict[str, Any]:
    code, out, _ = await check(proxy, file, "--json")
    document = orjson.loads(out)

    assert code == 0
    assert document["users"] == {"sampled": 200, "estimated": 200}
    return next(route for route in document["routes"] if route["name"] == "profile")


async def applied(proxy: Running, text: str) -> None:
    proxy.file.write_text(text)
    assert (await proxy.reload()).status == 200


async def generation(proxy: Running) -> int:
    """What control knows its first worker to run; 0 before they have met."""
    (instance,) = (await proxy.json("/api/v1/status"))["instances"]
    return max((worker["generation"] for worker in instance["workers"]), default=0)


def switches(before: dict[int, bytes], after: dict[int, bytes]) -> dict[str, int]:
    pairs = [(before[user], after[user]) for user in USERS]
    return {"to_modern": pairs.count((b"legacy", b"modern")), "to_legacy": pairs.count((b"modern", b"legacy"))}


async def test_the_announced_switches_are_those_that_happen(tmp_path: Path, legacy: Backend, modern: Backend):
    def at(weight: float) -> str:
        return config(legacy.url, modern.url, workers=2, weight=weight)

    (tmp_path / "next").mkdir()
    following = tmp_path / "next" / "proxy.yaml"
    async with running(tmp_path, at(10)) as proxy:
        before = await sides(proxy)
        for weight in (30, 20):
            following.write_text(at(weight))
            plan = await announced(proxy, following)
            code, said, _ = await check(proxy, following)

            await applied(proxy, at(weight))
            after = await sides(proxy)

            real = switches(before, after)
            assert real == {name: plan["users"][name] for name in real}
            assert sum(real.values()) > 5
            assert plan["users"]["of"] == "route"
            assert code == 0
            way, number = ("modern", real["to_modern"]) if weight == 30 else ("legacy", real["to_legacy"])
            assert f"→ {weight} %; {number} to {way}, of 200 recent users\n" in said
            before = after

        following.write_text(at(20).replace("profile", "other").replace("/api/me", "/elsewhere"))
        plan = await announced(proxy, following)
        await applied(proxy, following.read_text())
        after = await sides(proxy)

        assert plan["change"] == "removed"
        assert switches(before, after) == {name: plan["users"][name] for name in ("to_modern", "to_legacy")}
        assert plan["users"]["to_legacy"] > 5
        assert not any("users" in event for event in proxy.events)


async def test_asking_changes_nothing_and_a_broken_file_and_a_silent_proxy_have_their_exit_codes(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    broken = tmp_path / "broken.yaml"
    async with running(tmp_path, config(legacy.url, modern.url, weight=10)) as proxy:
        before = await proxy.json("/api/v1/config")
        same = await check(proxy, proxy.file)
        (tmp_path / "other").write_text(config(legacy.url, modern.url, weight=100))
        other = await check(proxy, tmp_path / "other")
        broken.write_text(config(legacy.url, weight=101))
        code, out, problems = await check(proxy, broken)
        json_code, json, _ = await check(proxy, broken, "--json")
        missing, _, _ = await check(proxy, tmp_path / "missing.yaml")
        after = await proxy.json("/api/v1/config")
        proxy.process.terminate()
        await proxy.exit_code()
        gone, _, why = await check(proxy, proxy.file)

    assert same[:2] == (0, "nothing would change\n")
    assert "runs this very file already" in same[2]
    assert other[:2] == (
        0,
        "profile: changed, weight 10 % → 100 %; no users seen lately\n  rollout.weight: 10 → 100\n",
    )
    assert (code, json_code, missing, gone) == (2, 2, 2, 3)
    assert out == ""
    assert problems.startswith(f"{broken}:12:")
    assert orjson.loads(json)["problems"][0]["line"] == 12
    assert after == before
    assert "no proxy answers" in why


async def test_a_new_control_process_learns_the_users_from_the_workers(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    (tmp_path / "next").mkdir()
    following = tmp_path / "next" / "proxy.yaml"
    following.write_text(config(legacy.url, modern.url, weight=30))
    async with running(tmp_path, config(legacy.url, modern.url, weight=10)) as proxy:
        await sides(proxy)
        first = await announced(proxy, following)
        (control,) = proxy.pids("control")
        os.kill(control, signal.SIGKILL)
        await proxy.event("child_started", count=2, role="control")
        for _ in range(300):
            if await generation(proxy):
                break
            await asyncio.sleep(0.1)

        assert await announced(proxy, following) == first
