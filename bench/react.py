"""How long until all users are back on legacy? `python -m bench.react` breaks the example's modern side and measures.

The real PHP, the real FastAPI, the proxy.yaml of this repository; the route `profile` at weight 50, so many requests a
second, open loop. In the middle the modern side crashes, hangs, or fails. The time is that from the fault to
the last request that was sent to modern because of its weight, by the access lines; harmed are requests without a 200.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp
import orjson

from bench import machine, results
from bench.tables import grid
from examples.paymenter.proxied import Proxy, running_proxy
from examples.paymenter.sides import Database, Legacy, Modern, token_for

SECTION: Final = "reaction"
ROUTE: Final = "profile"
PATH: Final = "/api/me"
HASTE: Final = 1.5
"""Seconds that the modern side has for a response: so long a hanging one is waited for."""
BEFORE, AFTER = 3.0, 6.0
"""Seconds of traffic before a fault, at least, and after it."""
DISABLED: Final = 17
USERS: Final = [user for user in range(21, 200) if user % DISABLED]

FAULTS: dict[str, tuple[Callable[[Modern], object], float]] = {
    "dead": (lambda modern: modern.kill(), 1.0),
    "failing": (lambda modern: modern.faults(error_rate=1), 1.0),
    "hanging": (lambda modern: modern.faults(hang=True), 1.0 + HASTE),
}
"""How modern is broken, within how many seconds all users must be back."""


@dataclass(slots=True)
class Run:
    """One broken modern side: seconds to the last request sent there, to the rollback; harmed requests."""

    last: float = 0.0
    rolled_back: float = 0.0
    reason: str = ""
    answers: int = 0
    harmed: int = 0
    slowest: float = 0.0
    rescued: int = 0


@dataclass(slots=True)
class Traffic:
    """The results of the requests so far; `times` are epoch seconds of their start, and seconds to their response."""

    times: list[tuple[float, float]] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)


async def run(fault: str, rate: float, database: Database, legacy: Legacy) -> Run:
    """Break one modern side under traffic."""
    os.environ["STRANGLER_BACKENDS__MODERN__TIMEOUT"] = f"{HASTE:g}s"
    limits = aiohttp.ClientTimeout(total=30)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Modern(database) as modern:
        folder, connector = Path(name), aiohttp.TCPConnector(limit=0)
        async with (
            running_proxy(legacy.url, modern.url, folder) as proxy,
            aiohttp.ClientSession(timeout=limits, connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
        ):
            await _post(session, f"{proxy.admin}/api/v1/routes/{ROUTE}/weight", {"weight": 50, "reason": "bench"})
            return await _broken(FAULTS[fault][0], modern, proxy, session, rate, database.key)


async def _broken(
    fault: Callable[[Modern], object],
    modern: Modern,
    proxy: Proxy,
    session: aiohttp.ClientSession,
    rate: float,
    key: str,
) -> Run:
    traffic = Traffic()
    driving = asyncio.create_task(_drive(proxy, session, rate, key, traffic))
    await asyncio.sleep(BEFORE)
    began = time.time()
    await asyncio.to_thread(fault, modern)
    found = Run()
    while time.time() - began < AFTER + HASTE:
        async with session.get(f"{proxy.admin}/api/v1/routes/{ROUTE}") as answer:
            told = orjson.loads(await answer.read())["rolled_back"]
        if told and not found.rolled_back:
            found.rolled_back, found.reason = time.time() - began, told["reason"]
        await asyncio.sleep(0.02)
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)
    lines = [line for line in _access(proxy.log) if line["route"] == ROUTE]
    moments = [_moment(line["ts"]) for line in lines if line["reason"] == "weight" and line["side"] == "modern"]
    found.last = max((moment - began for moment in moments if moment > began), default=0.0)
    found.rescued = sum(1 for line in lines if line.get("fallback"))
    found.answers = len(traffic.times)
    found.harmed = len(traffic.bad)
    found.slowest = max((seconds for start, seconds in traffic.times if start + seconds > began), default=0.0)
    for text in traffic.bad[:3]:
        print(text, file=sys.stderr)
    return found


async def _drive(proxy: Proxy, session: aiohttp.ClientSession, rate: float, key: str, traffic: Traffic) -> None:
    """Start so many requests a second, even if others wait; ends when cancelled, after the last response."""
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()
    due = loop.time()
    users = cycle([(str(user), token_for(user, key)) for user in USERS])
    try:
        while True:
            user, token = next(users)
            task = asyncio.create_task(_ask(session, f"{proxy.users}{PATH}", user, token, traffic))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - loop.time()))
    finally:
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask(session: aiohttp.ClientSession, url: str, user: str, token: str, traffic: Traffic) -> None:
    headers = {"Authorization": f"Bearer {token}", "Cookie": f"uid={user}"}
    start, begun = time.time(), time.monotonic()
    try:
        async with session.get(url, headers=headers) as answer:
            await answer.read()
            if answer.status != 200:
                traffic.bad.append(f"user {user}: {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as error:
        traffic.bad.append(f"user {user}: {error!r}")
    traffic.times.append((start, time.monotonic() - begun))


async def _post(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> None:
    async with session.post(url, json=body) as answer:
        if not answer.ok:
            raise RuntimeError(f"{url}: {answer.status} {await answer.text()}")


def _access(path: Path) -> list[dict[str, Any]]:
    lines = (orjson.loads(line) for line in path.read_bytes().splitlines() if line.startswith(b"{"))
    return [line for line in lines if line.get("event") == "request"]


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def report(found: dict[str, list[Run]]) -> str:
    """Return one line for each fault."""
    rows = []
    for fault, runs in found.items():
        wanted = FAULTS[fault][1]
        last, told = [one.last for one in runs], [one.rolled_back for one in runs]
        rows.append(
            [
                fault,
                f"{median(last):.2f} ({min(last):.2f}-{max(last):.2f})",
                f"{median(told):.2f} ({min(told):.2f}-{max(told):.2f})",
                f"≤ {wanted:g}",
                "met" if median(last) <= wanted and all(one.rolled_back for one in runs) else "**missed**",
                f"{sum(one.harmed for one in runs)} of {sum(one.answers for one in runs):,}",
                str(sum(one.rescued for one in runs)),
                f"{max(one.slowest for one in runs):.1f}",
                ", ".join(sorted({one.reason for one in runs if one.reason})),
            ]
        )
    head = ["modern is", "s until the last request to it", "s until the rollback was told", "wanted", ""]
    return grid([*head, "harmed", "rescued by legacy", "longest wait s", "why"], rows)


def main(arguments: Sequence[str]) -> int:
    """Print how soon all users are back; 1 when requests failed or it took too long."""
    parser = argparse.ArgumentParser(prog="python -m bench.react", description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    found: dict[str, list[Run]] = {fault: [] for fault in FAULTS}
    with Database() as database, Legacy(database) as legacy:
        for _ in range(wanted.rounds):
            for fault, runs in found.items():
                runs.append(asyncio.run(run(fault, wanted.rate, database, legacy)))
                print(f"{fault:8} {runs[-1]}", file=sys.stderr, flush=True)
    told = machine.about(arguments).replace("python -m bench", "python -m bench.react", 1)
    text = machine.anonymous(
        f"## From a broken modern side to everybody on legacy\n\n{told}\n\n{wanted.rounds} rounds of each fault; "
        f"{wanted.rate:g} requests/s, weight 50, as shipped but for modern's timeout of {HASTE:g} s, which a hanging "
        "side is waited for; median (least-most). Everything runs on the same processors, load with both sides.\n\n"
        f"{report(found)}\n"
    )
    print(text)
    if wanted.write:
        results.write(SECTION, text)
    late = [fault for fault, runs in found.items() if median(one.last for one in runs) > FAULTS[fault][1]]
    return 1 if late or any(one.harmed or not one.rolled_back for runs in found.values() for one in runs) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
