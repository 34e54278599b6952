"""Debian's Prometheus scrapes a running proxy: every panel of every dashboard has something to show."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from time import time
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import pytest_asyncio

from dashboards.boards.panels import Panel
from dashboards.grafana.write import BOARDS
from tests.architecture.source import ROOT
from tests.console.conftest import OPERATOR, VIEWER
from tests.support import raw
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")
WITHIN = 30.0
"""Seconds; scrapes come every half second, rules are looked at as often."""
CONFIG = """\
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: ["{rules}/recording.yml", "{rules}/alerts.yml"]
scrape_configs:
  - job_name: strangler
    authorization: {{credentials: "{token}"}}
    static_configs: [{{targets: ["{target}"]}}]
"""
STANDS_FOR = {
    "$__rate_interval": "10s",
    "$__range": "1m",
    "$job": ".*",
    "$route": ".*",
}


class Prometheus:
    """A running Prometheus; `ask` returns what its API answers."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, path: str, **query: str) -> Any:
        client = await raw.connect(("127.0.0.1", self._port))
        try:
            answer = await client.ask(raw.get(f"/api/v1/{path}?{urlencode(query)}", "Connection: close"))
        finally:
            client.close()
        if answer.status == 503:
            raise ConnectionRefusedError("Prometheus still starts")
        document = orjson.loads(answer.body)
        assert document["status"] == "success", document
        return document["data"]

    async def series(self, expr: str) -> list[Any]:
        """What a query finds now."""
        for name, value in STANDS_FOR.items():
            expr = expr.replace(name, value)
        found: list[Any] = (await self.ask("query", query=expr))["result"]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prometheus(proxy: Running, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    """Scrapes while users ask for things."""
    path = shutil.which("prometheus")
    assert path, "Debian's prometheus is not installed: deploy/need.sh prometheus:prometheus"
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    target = proxy.admin_url.removeprefix("http://")
    rules = ROOT / "dashboards" / "prometheus"
    (folder / "prometheus.yml").write_text(CONFIG.format(rules=rules, token=VIEWER, target=target))
    process = await asyncio.create_subprocess_exec(
        path,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=error",
        stdin=subprocess.DEVNULL,
    )
    users = asyncio.create_task(ask_for_things(proxy))
    try:
        yield await ready(Prometheus(port))
    finally:
        users.cancel()
        await asyncio.gather(users, return_exceptions=True)
        process.terminate()
        await process.wait()


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


async def ask_for_things(proxy: Running) -> None:
    for number in range(100_000):
        await proxy.get("/api/invoices/7", f"Cookie: uid={number % 20}")
        await asyncio.sleep(0.02)


async def ready(prometheus: Prometheus) -> Prometheus:
    """Wait until there is enough to work rates out of."""
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                if await prometheus.series("sum(rate(strangler_comparisons_total[5s])) > 0"):
                    return prometheus
            except OSError:
                pass
            await asyncio.sleep(0.2)


async def until_fires(prometheus: Prometheus, alert: str) -> None:
    for _ in range(int(WITHIN / 0.2)):
        if alert in {one["labels"]["alertname"] for one in (await prometheus.ask("alerts"))["alerts"]}:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{alert} never sounded")


def panels() -> list[tuple[str, Panel]]:
    return [(board.uid, panel) for board in BOARDS for panel in board.panels]


async def test_every_panel_has_something_to_show(prometheus: Prometheus):
    empty = [
        f"{board} {panel.title}: {query.expr}"
        for board, panel in panels()
        for query in panel.queries
        if not await prometheus.series(query.expr)
    ]

    assert empty == []


async def test_every_choice_has_something_to_choose(prometheus: Prometheus):
    assert await prometheus.ask("label/job/values") == ["strangler"]
    routes = await prometheus.ask("label/route/values", **{"match[]": "strangler_route_stage"})
    assert set(routes) == {"invoice", "steps"}


async def test_a_slow_bar_leads_to_a_trace(prometheus: Prometheus):
    kept = await prometheus.ask(
        "query_exemplars",
        query='strangler_request_duration_seconds_bucket{route="invoice"}',
        start=str(time() - 300),
        end=str(time()),
    )

    traces = [each["labels"]["trace_id"] for series in kept for each in series["exemplars"]]
    assert traces
    assert {len(trace) for trace in traces} == {32}


async def test_a_rollback_is_marked_and_its_alert_sounds(prometheus: Prometheus, proxy: Running):
    wish, token = {"reason": "drill"}, f"Authorization: Bearer {OPERATOR}"
    await proxy.admin("/api/v1/routes/steps/rollback", token, method="POST", body=wish)

    await until_fires(prometheus, "StranglerRolledBack")

    marked = [mark.name for mark in BOARDS[0].marks if await prometheus.series(mark.expr)]
    assert "Rollbacks" in marked
    await proxy.admin("/api/v1/routes/steps/resume", token, method="POST", body=wish)


async def test_promtool_has_nothing_to_say_about_the_metrics(proxy: Running):
    tool = shutil.which("promtool")
    assert tool, "promtool is not installed: deploy/need.sh prometheus:prometheus"
    scraped = (await proxy.admin("/metrics")).body

    done = await asyncio.to_thread(
        subprocess.run, [tool, "check", "metrics"], input=scraped, capture_output=True, check=False, timeout=30
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
