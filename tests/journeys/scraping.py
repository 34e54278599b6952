"""Debian's Prometheus in front of a running proxy, queried through its own API."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import yaml

from tests.journeys.edge import free_port
from tests.support import raw
from tests.support.running import ROOT, Running

RULES = ROOT / "dashboards" / "prometheus"
EVERY = "500ms"
PATIENCE = "1s"
"""For how long an alert waits here; minutes in the rules as they are shipped."""
WITHIN = 60.0
"""Seconds; scrapes come every half second, rules are looked at as often."""
_CHOICE = re.compile(r"label_values\((?:(?P<series>.*), )?(?P<label>\w+)\)")


class Prometheus:
    """A running Prometheus; `log` is what it complained about."""

    def __init__(self, port: int, log: Path) -> None:
        self.log = log
        self._port = port

    async def ask(self, path: str, **query: str) -> Any:
        """What its API answers; ConnectionRefusedError as long as it starts."""
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

    async def values(self, expr: str) -> list[float]:
        """The figures that a query finds now; what is no number (nothing divided by nothing) is none."""
        found = (await self.ask("query", query=expr))["result"]
        return [value for one in found if not math.isnan(value := float(one["value"][1]))]

    async def choices(self, query: str) -> list[str]:
        """What Grafana offers for a variable whose query is `label_values(…)`."""
        asked = _CHOICE.fullmatch(query)
        assert asked, query
        match = {"match[]": asked["series"]} if asked["series"] else {}
        found: list[str] = await self.ask(f"label/{asked['label']}/values", **match)
        return found

    async def alerts(self, state: str) -> set[tuple[str, str]]:
        """The (alert, route) that are `pending` or `firing` now; no route is an empty one."""
        return {
            (one["labels"]["alertname"], one["labels"].get("route", ""))
            for one in (await self.ask("alerts"))["alerts"]
            if one["state"] == state
        }

    async def was_pending(self, alert: str) -> bool:
        """Whether an alert waited at any time; a look at the right moment is not needed."""
        return bool(await self.values(f'count_over_time(ALERTS{{alertname="{alert}", alertstate="pending"}}[10m])'))


@contextlib.asynccontextmanager
async def scraped(proxy: Running, folder: Path, token: str) -> AsyncIterator[Prometheus]:
    """A Prometheus that scrapes `proxy` with the viewers' token; the shipped rules, but impatient."""
    path = shutil.which("prometheus")
    assert path, "Debian's prometheus is not installed: deploy/need.sh prometheus:prometheus"
    log, port = folder / "prometheus.log", free_port()
    with log.open("wb") as lines:
        process = await asyncio.create_subprocess_exec(
            path,
            f"--config.file={_written(folder, proxy.admin_url.removeprefix('http://'), token)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
            "--log.level=warn",
            stdin=subprocess.DEVNULL,
            stderr=lines,
        )
    try:
        yield Prometheus(port, log)
    finally:
        process.kill()  # what it has on disk is of no use to anybody
        await process.wait()


def _written(folder: Path, target: str, token: str) -> Path:
    """Write what Prometheus reads: where to scrape, the recording rules, the alerts with a short `for`."""
    alerts = yaml.safe_load((RULES / "alerts.yml").read_text())
    for group in alerts["groups"]:
        for rule in group["rules"]:
            rule["for"] = PATIENCE
    (folder / "alerts.yml").write_text(yaml.safe_dump(alerts))
    job = {
        "job_name": "strangler",
        "authorization": {"credentials": token},
        "static_configs": [{"targets": [target]}],
    }
    settings = {
        "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY},
        "rule_files": [str(RULES / "recording.yml"), str(folder / "alerts.yml")],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    return folder / "prometheus.yml"
