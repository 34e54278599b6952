"""Both databases are verified beside the proxy; routes wait for their tables, a violated check sends users back."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.processes.asking import does, file, sides
from tests.support.backend import Backend
from tests.support.running import Running, run_command, running
from tests.support.waiting import PATIENCE

DATA = """
data:
  legacy: {{url: "sqlite:{folder}/legacy.db"}}
  modern: {{url: "sqlite:{folder}/modern.db"}}
  every: 1s
  full_every: 1s
  tables:
    - {{name: users, legacy: users, modern: users, columns: [name, credits], settle: 0s, routes: [profile]}}
  checks:
    - name: credit_total
      legacy: "select sum(credits) from users"
      modern: "select sum(credits) from users"
      every: 1s
      settle: 0s
      on_violation: rollback
      routes: [profile]
"""


def do(folder: Path, side: str, sql: str) -> None:
    with closing(sqlite3.connect(folder / f"{side}.db")) as connection, connection:
        connection.execute(sql)


def written(folder: Path, legacy: Backend, modern: Backend) -> str:
    for side in ("legacy", "modern"):
        do(folder, side, "CREATE TABLE users (id integer PRIMARY KEY, name text, credits integer)")
        do(folder, side, "INSERT INTO users VALUES (1, 'ann', 5), (2, 'bob', 7)")
    steps = "rollout: {steps: [{weight: 10}, {weight: 50}]}"
    text = file(legacy, modern, weight=0).replace("rollout: {weight: 0}", steps)
    return text + DATA.format(folder=folder)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Ask until it holds, some times a second."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110 - what is waited for happens in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never happened: {what}") from None


async def table(proxy: Running) -> dict[str, Any]:
    found: dict[str, Any] = (await proxy.json("/api/v1/data"))["tables"][0]
    return found


async def becomes(proxy: Running, state: str) -> dict[str, Any]:
    async def there() -> bool:
        return bool((await table(proxy))["state"] == state)

    await eventually(there, f"users {state}")
    return await table(proxy)


async def test_a_route_waits_for_its_data_and_goes_on_with_a_recorded_override(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    text = written(tmp_path, legacy, modern).replace("on_violation: rollback", "on_violation: observe")
    do(tmp_path, "modern", "UPDATE users SET name = 'anna' WHERE id = 1")
    async with running(tmp_path, text) as proxy:
        where = ("-c", str(proxy.file), "--admin", proxy.admin_url)
        found = await becomes(proxy, "different")
        refused = await does(proxy, "advance", reason="go")
        raised = await does(proxy, "weight", weight=100)
        unexplained = await does(proxy, "advance", override=True)
        code, said, _ = await run_command("advance", "profile", *where)
        passed = await does(proxy, "advance", reason="known, and harmless", override=True)
        trail = (await proxy.json("/api/v1/events"))["items"][-1]
        held_back = await does(proxy, "weight", weight=5)
        do(tmp_path, "modern", "UPDATE users SET name = 'ann' WHERE id = 1")
        mended = await becomes(proxy, "same")
        advanced = await does(proxy, "advance", reason="go")
        status = await proxy.json("/api/v1/status")
        metrics = await proxy.metrics()

    assert found["examples"] == [
        {"key": "1", "state": "different", "columns": [{"name": "name", "legacy": "ann", "modern": "anna"}]}
    ]
    assert (refused.status, raised.status, unexplained.status) == (409, 409, 422)
    assert b"profile is not promoted: table users differs (1 rows or totals)" in refused.body
    assert (code, "is not promoted" in said) == (1, True)
    assert passed.status == 200
    assert (trail["event"], trail["reason"]) == ("advance", "known, and harmless")
    assert trail["evidence"] == {"passed_over": "table users differs (1 rows or totals)"}
    assert held_back.status == 200, "downwards is never refused"
    assert (mended["rows"]["equal"], advanced.status) == (2, 200)
    assert status["data"] == {"configured": True, "tables": 1, "verified": 1, "unverified": [], "violated": []}
    assert metrics["strangler_data_rows", frozenset({("table", "users"), ("result", "equal")})] == 2
    assert metrics["strangler_data_check", frozenset({("name", "credit_total")})] == 1


async def test_a_violated_check_sends_its_routes_back_with_its_evidence(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    text = written(tmp_path, legacy, modern).replace("steps: [{weight: 10}, {weight: 50}]", "weight: 100")
    async with running(tmp_path, text) as proxy:
        await becomes(proxy, "same")
        before = await sides(proxy)
        do(tmp_path, "modern", "UPDATE users SET credits = 6 WHERE id = 2")

        async def back() -> bool:
            return bool((await proxy.json("/api/v1/routes/profile"))["rolled_back"])

        await eventually(back, "rolled back")
        after, route = await sides(proxy), await proxy.json("/api/v1/routes/profile")
        event = next(one for one in (await proxy.json("/api/v1/events"))["items"] if one["event"] == "rollback")

    assert (before, after) == ({b"modern"}, {b"legacy"})
    assert route["rolled_back"]["reason"] == "data"
    assert (event["who"], event["reason"]) == ("data", "credit_total")
    evidence = {key: event["evidence"][key] for key in ("check", "legacy", "modern")}
    assert evidence == {"check": "credit_total", "legacy": "12", "modern": "11"}


async def test_the_process_is_replaced_when_it_dies_and_knows_what_was_verified(
    tmp_path: Path, legacy: Backend, modern: Backend
):
    async with running(tmp_path, written(tmp_path, legacy, modern)) as proxy:
        await becomes(proxy, "same")
        [first] = pids(proxy)
        os.kill(first, signal.SIGKILL)

        async def another() -> bool:
            return bool(pids(proxy)) and first not in pids(proxy)

        await eventually(another, "another process")
        await proxy.event("data_lost")
        do(tmp_path, "modern", "DELETE FROM users WHERE id = 1")
        lost = await becomes(proxy, "different")
        proxy.file.write_text(proxy.file.read_text().partition("data:")[0])
        await proxy.admin("/api/v1/reload", method="POST", body={})

        async def gone() -> bool:
            return not pids(proxy)

        await eventually(gone, "no process without the section")

    assert lost["rows"]["missing_modern"] == 1


def pids(proxy: Running) -> list[int]:
    """The processes that verify data among the descendants of this proxy."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            folder = (entry / "environ").read_bytes()
        except (OSError, NotADirectoryError):
            continue
        if words[1:4] == [b"-m", b"proxy", b"data"] and _is_of(int(entry.name), proxy.process.pid) and folder:
            found.append(int(entry.name))
    return found


def _is_of(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False
