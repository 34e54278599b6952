"""A drill shows with the real guard that users return to legacy, and leaves everything as it was."""

from __future__ import annotations

from pathlib import Path

import orjson

from tests.support.backend import Backend
from tests.support.running import config, run_command, running


async def test_a_drill_proves_with_timings_that_everybody_returns_and_puts_the_route_back(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, config(legacy.url, modern.url, workers=2, weight=50)) as proxy:
        where = ("-c", str(proxy.file), "--admin", proxy.admin_url)
        code, said, _ = await run_command("drill", "profile", "--json", *where)
        report = orjson.loads(said)
        after = await proxy.json("/api/v1/routes/profile")
        answers = {(await proxy.get("/api/me", f"Cookie: uid={user}")).body for user in range(20)}
        names = [event["event"] for event in (await proxy.json("/api/v1/events"))["items"]]

    print(said)
    assert code == 0
    assert (report["proved"], report["restored"], report["reason"]) == (True, True, "consecutive")
    assert report["harmed"] == report["real_failures"] == 0
    assert report["injected"] >= 5
    assert 0 <= report["last_user_back_after"] < 3
    assert (after["stage"], after["weight"]["effective"], after["rolled_back"]) == ("canary", 50, None)
    assert answers == {b"legacy", b"modern"}
    assert [name for name in names if name != "trip"] == ["drill", "rollback", "resume", "drill"]
    marked = [request for request in (*modern.requests, *legacy.requests) if request.field("x-strangler-drill")]
    made_up = [request for request in modern.requests if request.field("user-agent") == "strangler-drill"]
    assert (marked, made_up) == ([], [])


async def test_a_drill_that_could_show_nothing_is_refused_and_nobody_fails_who_does_not_know_the_mark(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, config(legacy.url, modern.url, weight=0)) as proxy:
        nobody = await proxy.admin("/api/v1/routes/profile/drill", method="POST", body={})
        missing = await proxy.admin("/api/v1/routes/none/drill", method="POST", body={})
        await proxy.admin("/api/v1/routes/profile/weight", method="POST", body={"weight": 100})
        elsewhere = await proxy.admin("/api/v1/routes/profile/drill", method="POST", body={"path": "/other"})
        answers = [
            await proxy.get("/api/me", "Cookie: uid=1", f"X-Strangler-Drill: {mark}")
            for mark in ("", ".1", "guess.1", f"{'0' * 32}.1")
        ]

    assert [answer.status for answer in (nobody, missing, elsewhere)] == [409, 404, 422]
    assert b"nobody of profile is on modern" in nobody.body
    assert {answer.body for answer in answers} == {b"modern"}
