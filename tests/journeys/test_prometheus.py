"""Debian's Prometheus watches the example: every panel has figures, alerts fire when the modern side fails."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import time
from typing import Any

import orjson
import pytest
import pytest_asyncio

from examples.paymenter.sides import Modern
from examples.paymenter.traffic import drive
from tests.journeys.configs import Settings
from tests.journeys.scraping import WITHIN, Prometheus, scraped
from tests.journeys.stage import Sides
from tests.support.running import ROOT, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

OPERATOR, VIEWER = "the-operators-token", "the-viewers-token"
BOARDS: list[dict[str, Any]] = [
    orjson.loads(path.read_bytes()) for path in sorted((ROOT / "dashboards" / "grafana").glob("*.json"))
]
ANY = "*"
"""Of the routes whose writes fail, one is enough: which comes first is a question of the users."""
STANDS_FOR = {"$__rate_interval": "1m", "$__range": "1h", "$job": "strangler", "$route": ".*", "$instance": ".*"}
"""What Grafana puts in their place; the interval has room for a machine that stands still for seconds."""
FOUND_WRONG = {
    ("StranglerInvariantViolated", "invoice"),
    ("StranglerMismatch", "invoice"),
    ("StranglerRolledBack", "invoice"),
}
BROKEN = {("StranglerModernErrors", ANY), ("StranglerRescues", "plans"), ("StranglerRolledBack", "plans")}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proxy(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The proxy.yaml of this repository between both sides, with tokens; its users are busy.

    Legacy has a name that is looked up, and two small databases are verified beside it: for the panels about both.
    """
    tokens = {"STRANGLER_ADMIN_TOKEN": OPERATOR, "STRANGLER_VIEW_TOKEN": VIEWER}
    folder = tmp_path_factory.mktemp("watched")
    async with running(folder, sides.file(by_name, verifying(folder)), **tokens) as proxy:
        enough = asyncio.Event()
        users = asyncio.create_task(drive(proxy.users, sides.database.key, seconds=3600, stop=enough))
        yield proxy
        enough.set()
        await users


def by_name(settings: Settings) -> None:
    legacy = settings["backends"]["legacy"]
    legacy["url"] = legacy["url"].replace("127.0.0.1", "localhost")


def verifying(folder: Path) -> Callable[[Settings], object]:
    """Verify two databases that hold the same row."""
    for side in ("legacy", "modern"):
        with closing(sqlite3.connect(folder / f"{side}.db")) as database, database:
            database.execute("CREATE TABLE users (id integer PRIMARY KEY, name text)")
            database.execute("INSERT INTO users VALUES (1, 'ann')")

    def change(settings: Settings) -> None:
        settings["data"] = {
            **{side: {"url": f"sqlite:{folder / side}.db"} for side in ("legacy", "modern")},
            "every": "1s",
            "full_every": "1s",
            "tables": [{"name": "users", "legacy": "users", "modern": "users", "columns": ["name"], "settle": "0s"}],
            "checks": [{"name": "users", "legacy": "select 1", "modern": "select 1", "every": "1s", "settle": "0s"}],
        }

    return change


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prometheus(proxy: Running, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """Scrapes it."""
    async with scraped(proxy, tmp_path_factory.mktemp("prometheus"), VIEWER) as prometheus:
        await eventually(lambda: _serves(prometheus), prometheus)
        yield prometheus


@pytest.fixture
def modern(sides: Sides) -> Iterator[Modern]:
    """The modern side, sound again afterwards."""
    yield sides.modern
    sides.modern.faults()


async def _serves(prometheus: Prometheus) -> list[str]:
    try:
        up = await prometheus.values("up == 1")
    except OSError as error:
        return [repr(error)]
    return [] if up else ["nothing scraped"]


async def eventually(missing: Callable[[], Awaitable[Any]], prometheus: Prometheus) -> None:
    """Wait until nothing is `missing`; fail with what still is."""
    loop = asyncio.get_running_loop()
    end = loop.time() + WITHIN
    while left := await missing():
        assert loop.time() < end, (left, prometheus.log.read_text())
        await asyncio.sleep(0.2)


def put_in(expr: str) -> str:
    for name, value in STANDS_FOR.items():
        expr = expr.replace(name, value)
    return expr


async def without_figures(prometheus: Prometheus) -> list[str]:
    """Every line of every panel that would stay empty now."""
    return [
        f"{board['uid']}: {panel['title']}: {target['expr']}"
        for board in BOARDS
        for panel in board["panels"]
        for target in panel["targets"]
        if not await prometheus.values(put_in(target["expr"]))
    ]


async def silent(wanted: set[tuple[str, str]], prometheus: Prometheus) -> set[tuple[str, str]]:
    """Those that do not fire now."""
    firing = await prometheus.alerts("firing")
    return wanted - firing - {(alert, ANY) for alert, _ in firing}


async def test_every_line_of_every_panel_has_figures(prometheus: Prometheus):
    assert sum(len(board["panels"]) for board in BOARDS) > 30

    await eventually(lambda: without_figures(prometheus), prometheus)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board["uid"])
async def test_every_variable_has_something_to_choose(prometheus: Prometheus, proxy: Running, board: dict[str, Any]):
    asked = {one["name"]: one["query"] for one in board["templating"]["list"] if one["type"] == "query"}

    found = {name: set(await prometheus.choices(put_in(query["query"]))) for name, query in asked.items()}

    status = orjson.loads((await proxy.admin("/api/v1/status", f"Authorization: Bearer {VIEWER}")).body)
    routes = {route["name"] for route in status["routes"]} - {"_default"}
    there = {"job": {"strangler"}, "route": routes, "instance": {proxy.admin_url.removeprefix("http://")}}
    assert found == {name: there[name] for name in asked}
    assert "job" in found


async def test_a_slow_bar_leads_to_a_trace(prometheus: Prometheus):
    kept = await prometheus.ask(
        "query_exemplars",
        query='strangler_request_duration_seconds_bucket{route="profile"}',
        start=str(time() - 600),
        end=str(time()),
    )

    traces = [each["labels"]["trace_id"] for series in kept for each in series["exemplars"]]
    assert traces
    assert {len(trace) for trace in traces} == {32}


async def test_promtool_has_nothing_to_say_about_the_metrics(proxy: Running):
    tool = shutil.which("promtool")
    assert tool, "promtool is not installed: deploy/need.sh prometheus:prometheus"
    scrape = (await proxy.admin("/metrics", f"Authorization: Bearer {VIEWER}")).body
    assert b"strangler_build_info" in scrape

    done = await asyncio.to_thread(
        subprocess.run, [tool, "check", "metrics"], input=scrape, capture_output=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


async def test_alerts_sound_when_modern_leaves_something_out_then_fails(
    prometheus: Prometheus, proxy: Running, modern: Modern
):
    expected = FOUND_WRONG | BROKEN
    assert await silent(expected, prometheus) == expected

    modern.faults(drop_invoice_line=True)
    await eventually(lambda: silent(FOUND_WRONG, prometheus), prometheus)
    assert await silent(BROKEN, prometheus) == BROKEN
    modern.faults(error_rate=1)
    await eventually(lambda: silent(BROKEN, prometheus), prometheus)

    assert [alert for alert, _ in expected if not await prometheus.was_pending(alert)] == []
    (drawn,) = [mark for mark in BOARDS[0]["annotations"]["list"] if mark["name"] == "Rollbacks"]
    assert max(await prometheus.values(put_in(f"max_over_time(({drawn['expr']})[5m:1s])"))) > 0
    modern.faults()
    await resume(proxy, "plans")
    await eventually(lambda: still_sounds(prometheus, ("StranglerRolledBack", "plans")), prometheus)


async def still_sounds(prometheus: Prometheus, alert: tuple[str, str]) -> bool:
    return alert in await prometheus.alerts("firing")


async def resume(proxy: Running, route: str) -> None:
    token = f"Authorization: Bearer {OPERATOR}"
    answer = await proxy.admin(f"/api/v1/routes/{route}/resume", token, method="POST", body={"reason": "mended"})
    assert answer.status == 200, answer.body
