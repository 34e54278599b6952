"""Pairs are compared in the background: whatever a comparison does, users and the guard go on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import orjson
import pytest

from tests.journeys.answering import patiently
from tests.support import raw
from tests.support.backend import Backend, ok
from tests.support.running import Running, alive, run_command, running
from tests.support.waiting import PATIENCE, until

CONFIG = """\
version: 1
listen: {{address: "127.0.0.1:0"}}
admin: {{address: "127.0.0.1:0"}}
store: "sqlite:var/s.db"
diffs: {{redact: [/email]}}
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
defaults:
  shadow: {{sample: 100%, recheck: {{after: 10ms, per_minute: 1000}}, secondary: 0%}}
routes:
  - {{name: spinning, match: {{path: /spinning}}, compare: {{custom: "spinning_hook:judge"}}}}
  - {{name: plain, match: {{path: /plain}}}}
"""
HOOK = "def judge(legacy, modern):\n    while True:\n        pass\n"
LEGACY = b'{"n":1,"email":"a@example.com","pad":"%s"}' % (b"x" * 200_000)
MODERN = b'{"n":2,"email":"b@example.com","pad":"%s"}' % (b"x" * 200_000)


@pytest.fixture
async def proxy(tmp_path: Path):
    sides = [Backend(patiently(ok(body, "Content-Type: application/json"))) for body in (LEGACY, MODERN)]
    for side in sides:
        await side.start()
    (tmp_path / "spinning_hook.py").write_text(HOOK)
    async with running(tmp_path, CONFIG.format(legacy=sides[0].url, modern=sides[1].url)) as proxy:
        yield proxy
    for side in sides:
        await side.stop()


def judges(proxy: Running) -> list[int]:
    """The processes that a control process of this proxy has started."""
    (control,) = proxy.pids("control")
    return [int(child) for child in Path(f"/proc/{control}/task/{control}/children").read_text().split()]


async def counts(proxy: Running, route: str) -> dict[str, int]:
    document = await proxy.json("/api/v1/status")
    (found,) = [each["compare"]["totals"] for each in document["routes"] if each["name"] == route]
    return {**found, **found["reasons"]}


async def counted(proxy: Running, route: str, **wanted: int) -> dict[str, int]:
    end = time.monotonic() + PATIENCE
    while True:
        found = await counts(proxy, route)
        if all(found.get(name, 0) >= count for name, count in wanted.items()):
            return found
        assert time.monotonic() < end, f"{wanted}, found {found}"
        await asyncio.sleep(0.05)


async def test_a_comparison_that_never_ends_is_cut_and_neither_users_nor_the_guard_nor_other_routes_notice(
    proxy: Running,
):
    answers = [await proxy.get("/spinning") for _ in range(3)]
    answers += [await proxy.get("/plain") for _ in range(5)]
    looked = []
    for _ in range(3):
        begun = time.monotonic()
        await proxy.json("/api/v1/status")
        looked.append(time.monotonic() - begun)

    plain = await counted(proxy, "plain", different=5)
    spinning = await counted(proxy, "spinning", time=1)

    assert [answer.status for answer in answers] == [200] * 8
    assert min(looked) < 1
    assert plain["not_compared"] == 0
    assert spinning["different"] == spinning["equal"] == 0
    assert any(event["event"] == "judge_lost" for event in proxy.events)


async def test_a_control_process_that_is_killed_takes_its_judges_along_and_what_was_found_stays(proxy: Running):
    for _ in range(5):  # a machine with too much to do leaves a copy out
        await proxy.get("/plain")
    await counted(proxy, "plain", different=1)
    (group,) = [each for each in (await proxy.json("/api/v1/diffs"))["items"] if each["path"] == "/n"]
    before = judges(proxy)

    os.kill(proxy.pids("control")[0], signal.SIGKILL)
    await until(lambda: before and not any(alive(pid) for pid in before), "the end of the judges")
    answer = await proxy.get("/plain")
    await proxy.event("child_started", 2, role="control")
    # the admin port is the same socket: who asks while control starts just waits a little
    stored = await proxy.admin(f"/api/v1/diffs/{group['id']}")

    assert answer.status == 200
    assert orjson.loads(stored.body)["examples"][0]["answers"]["modern"]["status"] == 200
    assert b"@example.com" not in stored.body
    kept = proxy.folder / "var" / "s.diffs.db"
    assert oct(kept.stat().st_mode & 0o777) == "0o600"
    assert b"@example.com" not in kept.read_bytes()


async def test_what_users_send_but_nobody_compares_is_named_in_the_status(proxy: Running):
    await proxy.get("/plain")
    client = await proxy.client()
    await client.ask(raw.post(b"{}", target="/plain"))
    async with asyncio.timeout(PATIENCE):
        while (missing := await never_compared(proxy, "plain")) != ["POST /plain 2xx"]:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)
    _, told, _ = await run_command("status", "-c", str(proxy.file), "--admin", proxy.admin_url)

    assert missing == ["POST /plain 2xx"]
    assert "never compared: POST /plain 2xx" in told


async def never_compared(proxy: Running, route: str) -> list[str]:
    """The kinds that are missing; none while nothing is known yet."""
    routes = (await proxy.json("/api/v1/status"))["routes"]
    (found,) = [each["readiness"] for each in routes if each["name"] == route]
    return found["never_compared"] if found else []
