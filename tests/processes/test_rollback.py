"""A rollback is effective within a second, stays through every restart, is lifted only by a resume."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.processes.asking import BACK, does, file, side, sides
from tests.support.backend import Backend
from tests.support.running import Running, running
from tests.support.waiting import PATIENCE


async def test_a_rollback_reaches_every_worker_within_a_second_and_says_who_and_why(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, file(legacy, modern, workers=2)) as proxy:
        before = await sides(proxy)
        took = []
        for number in range(3):  # the machine may stand still during one of them
            if number:
                await does(proxy, "resume", **BACK)
            began = time.monotonic()
            answer = await does(proxy, "rollback", "X-Strangler-Operator: ann", **BACK)
            took.append(time.monotonic() - began)
        after = await sides(proxy)
        status = orjson.loads(answer.body)
        event = (await proxy.json("/api/v1/events"))["items"][-1]
        count = await proxy.metric("strangler_rollbacks_total", route="profile", reason="manual")
        stage = await proxy.metric("strangler_route_stage", route="profile", stage="rolled_back")

    print(f"rollback in every worker after {min(took) * 1000:.0f} ms")
    assert (before, after) == ({b"modern"}, {b"legacy"})
    assert min(took) < 1
    assert (status["stage"], status["weight"]) == ("rolled_back", {"intended": 100.0, "effective": 0.0})
    assert (status["rolled_back"]["reason"], status["rolled_back"]["text"]) == ("manual", "it looked wrong")
    assert (event["event"], event["route"], event["who"], event["reason"]) == (
        "rollback",
        "profile",
        "api:ann",
        "it looked wrong",
    )
    assert (count, stage) == (3, 1)


async def test_a_rollback_survives_a_reload_a_worker_a_control_process_that_die(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, file(legacy, modern)) as proxy:
        await does(proxy, "rollback", **BACK)
        found = []

        proxy.file.write_text(file(legacy, modern, weight=90))
        assert (await proxy.reload()).status == 200
        found.append(await side(proxy))
        for role, told in (("worker", "accepting"), ("control", "child_started")):
            count = sum(event["event"] == told for event in proxy.events)
            (pid,) = proxy.pids(role)
            os.kill(pid, signal.SIGKILL)
            await proxy.event(told, count=count + 1)
            found.append(await side(proxy))
        status = await proxy.json("/api/v1/routes/profile")
        store_up = await proxy.metric("strangler_store_up")

    assert found == [b"legacy"] * 3
    assert status["rolled_back"]["text"] == "it looked wrong"
    assert store_up == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
async def test_a_rollback_survives_the_end_of_everything_and_only_a_resume_lifts_it(
    tmp_path: Path, legacy: Backend, modern: Backend, number: signal.Signals
):
    text = file(legacy, modern, store="sqlite:var/strangler.db")
    async with running(tmp_path, text) as proxy:
        await does(proxy, "rollback", **BACK)
        await until_kept(proxy)
        if number == signal.SIGTERM:
            proxy.signal(number)
            await proxy.exit_code()
    async with running(tmp_path, text) as proxy:
        first = await side(proxy)
        refused = await does(proxy, "weight", weight=50)
        resumed = await does(proxy, "resume", reason="mended")
        last = await side(proxy)
        names = [event["event"] for event in (await proxy.json("/api/v1/events"))["items"]]
        mode = (tmp_path / "var" / "strangler.db").stat().st_mode & 0o777

    assert (first, last) == (b"legacy", b"modern")
    assert (refused.status, resumed.status) == (409, 200)
    assert names == ["rollback", "resume"]
    assert mode == 0o600


async def until_kept(proxy: Running, events: int = 1) -> None:
    """An event is written after its override: once it is in the file, so is the other."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with closing(sqlite3.connect(proxy.folder / "var" / "strangler.db")) as connection:
                if connection.execute("SELECT count(*) FROM events").fetchone()[0] >= events:
                    return
            await asyncio.sleep(0.01)


STATES = """\
  - {name: weighted, match: {path: /weighted}, rollout: {weight: 10}, modern: {backend: modern}}
  - {name: held, match: {path: /held}, rollout: {weight: 10}, modern: {backend: modern}}
  - name: stepped
    match: {path: /stepped}
    rollout: {steps: [{weight: 5, for: 1h}, {weight: 50, for: 1h}, {weight: 100}]}
    modern: {backend: modern}
"""


async def test_what_is_set_at_run_time_is_there_again_after_the_end_of_everything(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    text = file(legacy, modern, store="sqlite:var/strangler.db") + STATES
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "weighted": ("weight", {"weight": 33.25}),
        "held": ("hold", {"reason": "let us look"}),
        "stepped": ("advance", {}),
    }
    async with running(tmp_path, text) as proxy:
        before = {
            name: orjson.loads((await proxy.admin(f"/api/v1/routes/{name}/{verb}", method="POST", body=body)).body)
            for name, (verb, body) in asked.items()
        }
        await until_kept(proxy, len(asked))
    async with running(tmp_path, text) as proxy:
        after = {name: await proxy.json(f"/api/v1/routes/{name}") for name in asked}

    for kept in ("weight", "held", "stage", "revision", "set", "step"):
        assert {name: after[name][kept] for name in asked} == {name: before[name][kept] for name in asked}
    assert {name: after[name]["weight"]["effective"] for name in asked} == {"weighted": 33.25, "held": 10, "stepped": 5}
    assert {name: after[name]["stage"] for name in asked} == {"weighted": "canary", "held": "held", "stepped": "canary"}


async def test_with_a_store_that_cannot_be_read_everybody_is_on_legacy_until_it_can(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    (tmp_path / "var").write_text("a file where a folder should be")
    text = file(legacy, modern, store="sqlite:var/strangler.db")
    async with running(tmp_path, text, STRANGLER_STICKY_KEY="k" * 32) as proxy:
        blind = await side(proxy)
        refused = await does(proxy, "resume", reason="I insist")
        down = await proxy.metric("strangler_store_up")
        (tmp_path / "var").unlink()
        await proxy.event("store_up")
        async with asyncio.timeout(PATIENCE):
            while await side(proxy) != b"modern":  # noqa: ASYNC110 - what changes is on the other side of a socket
                await asyncio.sleep(0.05)

    assert blind == b"legacy"
    assert (refused.status, down) == (503, 0)


async def test_whoever_knows_an_older_state_is_told_the_newer_one_but_may_always_roll_back(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, file(legacy, modern, weight=10)) as proxy:
        tag = (await proxy.admin("/api/v1/routes/profile")).field("etag")
        first = await does(proxy, "weight", f"If-Match: {tag}", weight=20)
        stale = await does(proxy, "weight", f"If-Match: {tag}", weight=30)
        named = await does(proxy, "weight", weight=30, revision=0)
        fresh = await does(proxy, "weight", f"If-Match: {first.field('etag')}", weight=40)
        back = await does(proxy, "rollback", f"If-Match: {tag}", **BACK)

    assert [answer.status for answer in (first, stale, named, fresh, back)] == [200, 412, 412, 200, 200]
    assert orjson.loads(stale.body)["revision"] == 1


async def test_verbs_that_cannot_be_are_refused_with_the_reason(tmp_path: Path, legacy: Backend, modern: Backend):
    async with running(tmp_path, file(legacy, modern, weight=10)) as proxy:
        answers = {
            "no reason": await does(proxy, "rollback"),
            "no steps": await does(proxy, "advance"),
            "nothing set": await does(proxy, "resume", reason="why not"),
            "too much": await does(proxy, "weight", weight=101),
            "too fine": await does(proxy, "weight", weight=1.234),
            "no number": await does(proxy, "weight", weight=True),
            "no route": await proxy.admin("/api/v1/routes/nobody/hold", method="POST", body={}),
            "no such name": await does(proxy, "weight", weigth=5),
        }
        after = await proxy.json("/api/v1/routes/profile")

    assert {name: answer.status for name, answer in answers.items()} == {
        "no reason": 422,
        "no steps": 409,
        "nothing set": 409,
        "too much": 422,
        "too fine": 422,
        "no number": 422,
        "no route": 404,
        "no such name": 422,
    }
    assert after["weight"]["effective"] == 10
    assert after["revision"] == 0
