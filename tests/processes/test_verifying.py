"""Both databases are verified beside the proxy; routes wait for their tables, a violated check sends users back.

One proxy for all tests but the last: starting its processes is most of what a test costs. Each begins with both
databases the same, and only the last ones take from it what the others need.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
import pytest
import pytest_asyncio

from tests.processes.asking import does, file, sides
from tests.support.backend import Backend, always, ok
from tests.support.databases import Server, mariadb
from tests.support.redis_server import PASSWORD, redis_running
from tests.support.running import Running, run_command
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = """
data:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
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
STEPS = "rollout: {steps: [{weight: 10}, {weight: 50}]}"
USERS = "CREATE TABLE users (id integer PRIMARY KEY, name text, credits integer)"
ROWS = "(1, 'ann', 5), (2, 'bob', 7), (3, 'zoe', 0)"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def backends() -> AsyncIterator[tuple[Backend, Backend]]:
    async with AsyncExitStack() as around:
        both = Backend(always(ok(b"legacy"))), Backend(always(ok(b"modern")))
        for backend in both:
            await backend.start()
            around.push_async_callback(backend.stop)
        yield both


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory, backends: tuple[Backend, Backend]) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("proxy")
    for side in ("legacy", "modern"):
        do(folder, side, USERS)
    text = file(*backends, weight=0).replace("rollout: {weight: 0}", STEPS)
    urls = {side: f"sqlite:{folder}/{side}.db" for side in ("legacy", "modern")}
    async with Running(folder, text + DATA.format(**urls)) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: Running) -> Running:
    """The proxy, both its databases the same."""
    for side in ("legacy", "modern"):
        do(shared.folder, side, f"INSERT OR REPLACE INTO users VALUES {ROWS}")
    return shared


def do(folder: Path, side: str, sql: str) -> None:
    with closing(sqlite3.connect(folder / f"{side}.db")) as connection, connection:
        connection.execute(sql)


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


async def test_a_route_waits_for_its_data_and_goes_on_with_a_recorded_override(proxy: Running):
    do(proxy.folder, "modern", "UPDATE users SET name = 'anna' WHERE id = 1")
    where = ("-c", str(proxy.file), "--admin", proxy.admin_url)
    found = await becomes(proxy, "different")
    refused = await does(proxy, "advance", reason="go")
    raised = await does(proxy, "weight", weight=100)
    unexplained = await does(proxy, "advance", override=True)
    code, said, _ = await run_command("advance", "profile", *where)
    passed = await does(proxy, "advance", reason="known, and harmless", override=True)
    trail = (await proxy.json("/api/v1/events"))["items"][-1]
    held_back = await does(proxy, "weight", weight=5)
    do(proxy.folder, "modern", "UPDATE users SET name = 'ann' WHERE id = 1")
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
    assert (mended["rows"]["equal"], advanced.status) == (3, 200)
    assert status["data"] == {"configured": True, "tables": 1, "verified": 1, "unverified": [], "violated": []}
    assert metrics["strangler_data_rows", frozenset({("table", "users"), ("result", "equal")})] == 3
    assert metrics["strangler_data_check", frozenset({("name", "credit_total")})] == 1


async def test_a_violated_check_sends_its_routes_back_with_its_evidence(proxy: Running):
    await becomes(proxy, "same")
    await does(proxy, "weight", weight=100, reason="all")
    before = await sides(proxy)
    do(proxy.folder, "modern", "UPDATE users SET credits = 6 WHERE id = 2")

    await eventually(lambda: is_rolled_back(proxy), "rolled back")
    after, route = await sides(proxy), await proxy.json("/api/v1/routes/profile")
    event = next(one for one in (await proxy.json("/api/v1/events"))["items"] if one["event"] == "rollback")

    assert (before, after) == ({b"modern"}, {b"legacy"})
    assert route["rolled_back"]["reason"] == "data"
    assert (event["who"], event["reason"]) == ("data", "credit_total")
    evidence = {key: event["evidence"][key] for key in ("check", "legacy", "modern")}
    assert evidence == {"check": "credit_total", "legacy": "12", "modern": "11"}


async def test_the_process_is_replaced_when_it_dies_and_ends_with_the_section(proxy: Running):
    await becomes(proxy, "same")
    [first] = pids(proxy)
    os.kill(first, signal.SIGKILL)

    async def another() -> bool:
        return bool(pids(proxy)) and first not in pids(proxy)

    await eventually(another, "another process")
    await proxy.event("data_lost")
    do(proxy.folder, "modern", "DELETE FROM users WHERE id = 3")
    lost = await becomes(proxy, "different")
    proxy.file.write_text(proxy.file.read_text().partition("data:")[0])
    await proxy.admin("/api/v1/reload", method="POST", body={})

    async def gone() -> bool:
        return not pids(proxy)

    await eventually(gone, "no process without the section")

    assert lost["rows"]["missing_modern"] == 1


async def test_of_two_instances_one_asks_the_databases_and_the_other_takes_over_when_it_is_killed(
    tmp_path: Path, backends: tuple[Backend, Backend]
):
    async with AsyncExitStack() as around:
        maria = around.enter_context(mariadb())
        store = await around.enter_async_context(redis_running(tmp_path))
        admin = around.enter_context(closing(filled(maria)))
        both = [instance(tmp_path / name, backends, store.url, maria) for name in ("one", "two")]
        for proxy in both:  # at once: starting is most of what this costs
            await proxy.start()
            around.push_async_callback(proxy.end)
        await asyncio.gather(*(proxy.until_ready() for proxy in both))
        for proxy in both:
            await becomes(proxy, "same")
        idle, leader = sorted(both, key=lambda proxy: asked(admin, proxy.folder.name))
        before = asked(admin, idle.folder.name), asked(admin, leader.folder.name)
        admin.cursor().execute("UPDATE modern.users SET credits = 6 WHERE id = 2")
        for proxy in both:
            await eventually(partial(is_rolled_back, proxy), "rolled back")
        while_it_led = asked(admin, idle.folder.name)
        await leader.end()

        async def taken_over() -> bool:
            return asked(admin, idle.folder.name) > 0

        await eventually(taken_over, "the other asks")
        await becomes(idle, "different")
        events = (await idle.json("/api/v1/events"))["items"]

    assert (before[0], before[1] > 0, while_it_led) == (0, True, 0)
    assert rollbacks(events) == ["credit_total"]


def instance(folder: Path, backends: tuple[Backend, Backend], store: str, maria: Server) -> Running:
    """One of two instances: its folder's name is its user at the databases."""
    folder.mkdir()
    urls = {side: maria.url(side, user=folder.name) for side in ("legacy", "modern")}
    text = file(*backends, weight=100, store=store) + DATA.format(**urls)
    return Running(folder, text, STRANGLER_REDIS_PASSWORD=PASSWORD)


def filled(maria: Server) -> pymysql.Connection[Any]:
    """Fill both databases, with a user for each instance, whose queries MariaDB counts."""
    connection = pymysql.connect(host="127.0.0.1", port=maria.port, user=maria.user, autocommit=True)
    cursor = connection.cursor()
    cursor.execute("SET GLOBAL userstat = 1")
    for side in ("legacy", "modern"):
        cursor.execute(f"CREATE DATABASE {side}")
        cursor.execute(f"USE {side}")
        cursor.execute(USERS)
        cursor.execute(f"INSERT INTO users VALUES {ROWS}")
    for user in ("one", "two"):
        cursor.execute(f"CREATE USER {user}")
        cursor.execute(f"GRANT SELECT ON *.* TO {user}")
    return connection


def asked(connection: pymysql.Connection[Any], user: str) -> int:
    """How many SELECTs this user has sent."""
    cursor = connection.cursor()
    cursor.execute("SELECT SUM(select_commands) FROM information_schema.user_statistics WHERE user = %s", (user,))
    return int((cursor.fetchone() or (0,))[0] or 0)


def rollbacks(events: list[dict[str, Any]]) -> list[str]:
    """The reasons of rollbacks that data led to."""
    return [one["reason"] for one in events if one["event"] == "rollback" and one["who"] == "data"]


async def is_rolled_back(proxy: Running) -> bool:
    return bool((await proxy.json("/api/v1/routes/profile"))["rolled_back"])


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
