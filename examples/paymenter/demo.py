"""Shows the whole: the legacy PHP, the modern FastAPI, the proxy between them, traffic of signed-in users through it.

    python -m examples.paymenter.demo [--seconds 60] [--rate 40]

On a terminal it stays until Ctrl-C, so that the addresses can be tried; elsewhere it ends after the traffic, with
exit code 1 if anything was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.live import Live
from rich.table import Table

from examples.paymenter.sides import Database, Legacy, Modern, SideError
from examples.paymenter.traffic import Traffic, drive

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 20.0
_addresses = re.compile(r"(https?://\S+).*?(https?://\S+)")


@dataclass(frozen=True)
class Proxy:
    """A running proxy: where users are served, where operators are."""

    users: str
    admin: str
    log: Path


@asynccontextmanager
async def running_proxy(legacy: str, modern: str, folder: Path) -> AsyncIterator[Proxy]:
    """Run `strangler` with the proxy.yaml of this repository on free ports, in front of these two sides."""
    environment = {
        **os.environ,
        "STRANGLER_LISTEN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_ADMIN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_BACKENDS__LEGACY__URL": legacy,
        "STRANGLER_BACKENDS__MODERN__URL": modern,
        "STRANGLER_STORE": f"sqlite:{folder}/strangler.db",
        "STRANGLER_ACCESS_LOG": str(folder / "access.log"),
    }
    command = [sys.executable, "-m", "proxy", "run", "-c", str(ROOT / "proxy.yaml")]
    with (folder / "proxy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
    try:
        async with asyncio.timeout(READY_WITHIN):
            users, admin = await _ready(process)
        yield Proxy(users, admin, folder / "access.log")
    except TimeoutError:
        raise SideError(f"the proxy was not ready in time:\n{(folder / 'proxy.log').read_text()}") from None
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await process.wait()


async def _ready(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Read the ready line."""
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        found = _addresses.search(line)
        if found and "ready" in line:
            return found[1], found[2]
    raise SideError(f"the proxy ended with exit code {await process.wait()}")


def table(status: dict[str, Any], traffic: Traffic) -> Table:
    """Say per route who answered what."""
    view = Table(title=f"{traffic.sent} requests sent, {traffic.lost.total()} lost", title_justify="left")
    view.add_column("route")
    view.add_column("stage")
    view.add_column("weight", justify="right")
    for side in ("legacy", "modern"):
        for figure in ("requests", "P95", "errors"):
            view.add_column(f"{side}\n{figure}", justify="right")
    for route in status.get("routes", ()):
        totals, cells = route["totals"], []
        for side in ("legacy", "modern"):
            p95 = route[side]["p95"]
            cells += [
                str(totals[side]["requests"]),
                f"{p95 * 1000:.0f} ms" if p95 else "-",
                str(totals[side]["errors"]),
            ]
        if any(totals[side]["requests"] for side in totals):
            view.add_row(route["name"], route["stage"], f"{route['weight']['effective']:g} %", *cells)
    return view


async def follow(proxy: Proxy, traffic: Traffic, console: Console, ended: asyncio.Event) -> None:
    """Draw the table every second while the traffic flows, once more when it has ended."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:

        async def status() -> dict[str, Any]:
            async with session.get(f"{proxy.admin}/api/v1/status") as answer:
                found: dict[str, Any] = await answer.json()
                return found

        if console.is_terminal:
            with Live(console=console, refresh_per_second=4) as live:
                while not ended.is_set():
                    live.update(table(await status(), traffic))
                    await _wait(ended, 1.0)
                live.update(table(await status(), traffic))
        else:
            await ended.wait()
            console.print(table(await status(), traffic))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def show(seconds: float, rate: float) -> int:
    """Bring everything up, drive it, tear it down; returns the exit code."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="strangler-demo-") as folder:
        console.print("seeding the database, starting PHP and FastAPI …")
        with (
            Database(os.environ.get("DATABASE_URL")) as database,
            Legacy(database) as legacy,
            Modern(database) as modern,
        ):
            async with running_proxy(legacy.url, modern.url, Path(folder)) as proxy:
                console.print(f"legacy PHP {legacy.url}, modern FastAPI {modern.url}, proxy {proxy.users}")
                lost = await _traffic(proxy, database.key, console, stop, seconds=seconds, rate=rate)
                _say_where(console, proxy, modern)
                if sys.stdout.isatty() and not stop.is_set():
                    console.print("Ctrl-C ends the demo.")
                    await stop.wait()
    return 1 if lost else 0


async def _traffic(
    proxy: Proxy, key: str, console: Console, stop: asyncio.Event, *, seconds: float, rate: float
) -> int:
    traffic: asyncio.Future[Traffic] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()
    driving = asyncio.create_task(
        drive(proxy.users, key, seconds=seconds, rate=rate, watch=traffic.set_result, stop=stop), name="traffic"
    )
    driving.add_done_callback(lambda _: ended.set())
    await follow(proxy, await traffic, console, ended)
    done = await driving
    for (method, label, why), count in sorted(done.lost.items()):
        console.print(f"lost: {method} {label} {why}: {count} times")
    return done.lost.total()


def _say_where(console: Console, proxy: Proxy, modern: Modern) -> None:
    console.print(f"users    {proxy.users}/api/plans")
    console.print(f"metrics  {proxy.admin}/metrics")
    console.print(f"status   {proxy.admin}/api/v1/status")
    console.print(f"break modern: curl -X PUT {modern.url}/_example/faults -d '{{\"error_rate\": 1}}'", markup=False)


def main() -> None:
    """Run from a terminal or a pipe."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rate", type=float, default=40)
    chosen = options.parse_args()
    try:
        code = asyncio.run(show(chosen.seconds, chosen.rate))
    except SideError as error:
        print(error, file=sys.stderr)
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
