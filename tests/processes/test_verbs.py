"""The actions from the command line; the audit log as it grows."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256
from pathlib import Path

import orjson

from tests.processes.asking import BACK, does, file, sides
from tests.support import raw
from tests.support.backend import Backend, always, ok
from tests.support.running import run_command, running
from tests.support.waiting import PATIENCE, until


async def test_the_command_line_does_what_the_api_does(tmp_path: Path, legacy: Backend, modern: Backend):
    async with running(tmp_path, file(legacy, modern, weight=0, workers=2)) as proxy:
        where = ("-c", str(proxy.file), "--admin", proxy.admin_url)
        raised, said, _ = await run_command("weight", "profile", "100", "--reason", "go", *where)
        on_modern = await sides(proxy)
        back, _, _ = await run_command("rollback", "--all", "--reason", "stop", *where)
        on_legacy = await sides(proxy)
        refused, why, _ = await run_command("weight", "profile", "5", *where)
        again, lifted, _ = await run_command("resume", "--all", "--reason", "mended", *where)
        neither, asked, _ = await run_command("resume", "--reason", "mended", *where)
        _, trail, _ = await run_command("events", *where)
        await does(proxy, "weight", weight=100)
        await modern.stop()
        for _ in range(100):
            await sides(proxy)  # five failures in a row
            if (await proxy.json("/api/v1/routes/profile"))["rolled_back"]:
                break
        _, left, _ = await run_command("resume", "--all", "--reason", "mended", *where)
        guards = ("resume", "--all", "--guard", "--reason", "mended", *where)
        _, shown, _ = await run_command(*guards, "--preview")
        still = (await proxy.json("/api/v1/routes/profile"))["stage"]
        lifted_too, incident, _ = await run_command(*guards)

    assert (raised, back, refused, again, neither) == (0, 0, 1, 0, 2)
    assert said == f"profile: modern, 100 % on modern ({proxy.admin_url})\n"
    assert why == f"profile is rolled back: resume it first ({proxy.admin_url})\n"
    assert (lifted, asked) == (f"resumed: 1 route ({proxy.admin_url})\n", "")
    assert left == f"resumed: 0 routes ({proxy.admin_url})\nstill rolled back, by the guard: profile\n"
    assert shown.startswith(f"would be resumed: 1 route ({proxy.admin_url})\n  profile: consecutive at ")
    assert (still, lifted_too) == ("rolled_back", 0)
    assert incident.endswith(f"resumed: 1 route ({proxy.admin_url})\n")
    assert (on_modern, on_legacy) == ({b"modern"}, {b"legacy"})
    assert [line.split()[1] for line in trail.splitlines()] == ["weight", "rollback", "resume"]


async def test_events_are_told_as_they_happen(tmp_path: Path, legacy: Backend, modern: Backend):
    async with running(tmp_path, file(legacy, modern, weight=10)) as proxy:
        await does(proxy, "hold", reason="one")
        known = (await proxy.json("/api/v1/events"))["items"][-1]["id"]
        await does(proxy, "resume", reason="two")
        host, _, port = proxy.admin_url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(raw.get(f"/api/v1/events/stream?since={known}", host="127.0.0.1"))
        async with asyncio.timeout(PATIENCE):
            missed = await reader.readuntil(b"event: resume\n")
            await does(proxy, "hold", reason="three")
            live = await reader.readuntil(b'"reason":"three"')
        writer.close()

    assert b"text/event-stream" in missed
    assert b'"reason":"one"' not in missed
    assert b"event: hold\n" in live


async def test_a_webhook_hears_of_a_rollback_and_of_a_refused_file_with_a_signature(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    hook = Backend(always(ok(b"")))
    await hook.start()
    text = file(legacy, modern) + (
        "notify:\n  - {url_env: HOOK_URL, secret_env: HOOK_SECRET, events: [rollback, config_refused]}\n"
    )
    async with running(tmp_path, text, HOOK_URL=f"{hook.url}/hook", HOOK_SECRET="s3cret") as proxy:
        await does(proxy, "weight", weight=30)
        await does(proxy, "rollback", **BACK)
        proxy.file.write_text("version: 7\n")
        await proxy.reload()
        await until(lambda: len(hook.requests) == 2, "both letters")
    await hook.stop()

    first, second = hook.requests
    signed = f"{first.field('x-strangler-timestamp')}.".encode() + first.body
    told = orjson.loads(first.body)
    assert (told["event"], told["route"], told["reason"]) == ("rollback", "profile", "it looked wrong")
    assert orjson.loads(second.body)["event"] == "config_refused"
    assert first.field("x-strangler-signature") == f"sha256={hmac.new(b's3cret', signed, sha256).hexdigest()}"
