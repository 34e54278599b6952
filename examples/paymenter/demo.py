"""Shows all parts: the legacy PHP, the modern FastAPI, the proxy between them, traffic of signed-in users.

    python -m examples.paymenter.demo [--seconds 60] [--rate 40]

On a terminal it uses the ports of proxy.yaml where they are free, and the traffic goes on until Ctrl-C, so that
the modern side can be broken by hand. Elsewhere it ends after the traffic, with exit code 1 if anything was
lost.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.live import Live
from rich.table import Table

from examples.paymenter.proxied import OF_THE_FILE, Ports, Proxy, free, running_proxy
from examples.paymenter.sides import Database, Legacy, Modern, SideError
from examples.paymenter.traffic import Traffic, drive

LOOK_EVERY = 0.5
"""Seconds between two readings of the events."""


def table(status: dict[str, Any], traffic: Traffic) -> Table:
    """Print which side served what, by route."""
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


def compared(status: dict[str, Any]) -> str:
    """Print how many of the eligible requests were compared, and why the others were not."""
    counts, left = Counter[str](), Counter[str]()
    for route in status.get("routes", ()):
        found = route["compare"]["totals"]
        counts.update({name: found[name] for name in ("eligible", "equal", "different", "noise")})
        left.update({"transient": found["transient"], **found["reasons"]})
    done = counts["equal"] + counts["different"] + counts["noise"]
    why = "".join(f", {reason} {count}" for reason, count in left.most_common() if count)
    asked = f"{counts['eligible']} requests that both sides can be asked"
    return f"compared {done} of {asked}, {counts['different']} differ{why}"


class Demo:
    """One demonstration: what runs, where it is reported, whether it should end."""

    def __init__(
        self, proxy: Proxy, key: str, console: Console, session: aiohttp.ClientSession, stop: asyncio.Event
    ) -> None:
        self._proxy, self._key, self._console, self._session, self._stop = proxy, key, console, session, stop
        self.lost = 0

    async def drive(self, seconds: float, rate: float, seed: int = 1) -> None:
        """Send traffic, with the table drawn meanwhile (on a terminal) or at the end, then what was lost."""
        traffic: asyncio.Future[Traffic] = asyncio.get_running_loop().create_future()
        ended = asyncio.Event()
        driving = asyncio.create_task(
            drive(self._proxy.users, self._key, seconds=seconds, rate=rate, seed=seed, watch=traffic.set_result,
                  stop=self._stop),
            name="traffic",
        )  # fmt: skip
        driving.add_done_callback(lambda _: ended.set())
        await self._draw(await traffic, ended)
        done = await driving
        self._say_lost(done)
        self._console.print(compared(await self._ask("status")), soft_wrap=True)
        self.lost += done.lost.total()

    async def _draw(self, traffic: Traffic, ended: asyncio.Event) -> None:
        if not self._console.is_terminal:
            await ended.wait()
            self._console.print(table(await self._ask("status"), traffic))
            return
        with Live(console=self._console, refresh_per_second=4) as live:
            while not ended.is_set():
                live.update(table(await self._ask("status"), traffic))
                await _wait(ended, 1.0)
            live.update(table(await self._ask("status"), traffic))

    async def go_on(self, rate: float) -> None:
        """Send traffic until Ctrl-C, printing each event; what is lost now was broken on purpose."""
        telling = asyncio.create_task(self._tell_events(), name="events")
        done = await drive(self._proxy.users, self._key, seconds=86_400, rate=rate, seed=2, stop=self._stop)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        self._console.print(f"\n{done.sent} requests sent meanwhile, {done.lost.total()} lost")
        self._say_lost(done)

    async def _tell_events(self) -> None:
        since = (await self._ask("events"))["next"] or 0
        while True:
            page = await self._ask(f"events?since={since}")
            for event in page["items"]:
                words = (event["at"][11:19], event["event"], event["route"] or "all", "by", event["who"] + ":")
                self._console.print(*words, event["reason"], markup=False, highlight=False)
            since = page["next"] or since
            await asyncio.sleep(LOOK_EVERY)

    async def _ask(self, path: str) -> dict[str, Any]:
        async with self._session.get(f"{self._proxy.admin}/api/v1/{path}") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    def _say_lost(self, traffic: Traffic) -> None:
        for line in traffic.what_was_lost():
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)


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
    ports = free(OF_THE_FILE) if sys.stdout.isatty() else Ports()
    with tempfile.TemporaryDirectory(prefix="strangler-demo-") as folder:
        console.print("seeding the database, starting PHP and FastAPI …")
        with (
            Database(os.environ.get("DATABASE_URL")) as database,
            Legacy(database, port=ports.legacy) as legacy,
            Modern(database, port=ports.modern) as modern,
        ):
            async with (
                running_proxy(legacy.url, modern.url, Path(folder), ports) as proxy,
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            ):
                demo = Demo(proxy, database.key, console, session, stop)
                console.print(f"legacy PHP {legacy.url}, modern FastAPI {modern.url}, proxy {proxy.users}")
                console.print(f"console  {proxy.admin}/")
                await demo.drive(seconds, rate)
                if demo.lost:
                    _keep_logs(
                        console, legacy=legacy.log(), modern=modern.log(), proxy=_read(folder, "proxy.telemetry")
                    )
                _say_where(console, proxy)
                if sys.stdout.isatty() and not stop.is_set():
                    _say_what_to_try(console, proxy, modern)
                    await demo.go_on(rate)
    return 1 if demo.lost else 0


def _keep_logs(console: Console, **logs: str) -> None:
    """Put the logs where they outlive this run: its own folders go with it."""
    folder = Path(tempfile.mkdtemp(prefix="strangler-lost-"))
    for name, text in logs.items():
        kept = folder / f"{name}.log"
        kept.write_text(text)
        console.print(f"log of {name}: {kept}, {len(text.splitlines())} lines", highlight=False, soft_wrap=True)


def _read(folder: str, name: str) -> str:
    return Path(folder, name).read_text(errors="replace")


def _say_where(console: Console, proxy: Proxy) -> None:
    console.print(f"users    {proxy.users}/api/plans")
    console.print(f"console  {proxy.admin}/")
    console.print(f"metrics  {proxy.admin}/metrics")


def _say_what_to_try(console: Console, proxy: Proxy, modern: Modern) -> None:
    elsewhere = not proxy.admin.endswith(f":{OF_THE_FILE.admin}")
    fault = f"curl -X PUT {modern.url}/_example/faults --json"
    lines = (
        "",
        "The traffic goes on. In a second terminal, in this folder:",
        "",
        *([f"first           export STRANGLER_ADMIN_URL={proxy.admin}"] if elsewhere else []),
        f'a cent off      {fault} \'{{"tax": "python"}}\'',
        "  which field   .venv/bin/strangler diffs invoice",
        f"all 500         {fault} '{{\"error_rate\": 1}}'",
        f"sound again     {fault} '{{}}'",
        "  and back      .venv/bin/strangler resume invoice --reason mended",
        "",
        "Ctrl-C ends the demo. What happens meanwhile:",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


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
