"""Sends the mixed traffic of signed-in users to one address, counting what came back.

PAYMENTER_JWT_KEY=… python -m examples.paymenter.traffic http://127.0.0.1:8080 --seconds 30 --rate 40
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import sys
import time
from collections.abc import Callable

import aiohttp

from examples.paymenter.client import Client, Traffic
from examples.paymenter.visits import MIX, Visit

__all__ = ["Traffic", "drive"]


async def drive(
    base_url: str,
    key: str,
    *,
    seconds: float,
    rate: float = 40,
    concurrency: int = 16,
    timeout: float = 30,  # noqa: ASYNC109  the limit of each request, not of the run
    seed: int = 1,
    watch: Callable[[Traffic], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Traffic:
    """Begin `rate` visits a second for `seconds`, at most `concurrency` at a time, then wait for the last.

    A visit is one request, or two where one leads to the other (a form and its POST). The mix is drawn from
    `seed`. `watch` is handed the running counts once, returned in the end. `stop` ends the run early.
    """
    draw = random.Random(seed)
    limits = aiohttp.ClientTimeout(total=timeout)
    connector = aiohttp.TCPConnector(limit=concurrency)
    jar = aiohttp.DummyCookieJar()
    places = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(timeout=limits, connector=connector, cookie_jar=jar) as session:
        client = Client(base_url, session, key, draw)
        if watch:
            watch(client.traffic)

        async def visit(chosen: Visit) -> None:
            try:
                await chosen(client)
            finally:
                places.release()

        begun = time.monotonic()
        # What fails in a visit for another reason than the network is a bug here; the group lets it through.
        async with asyncio.TaskGroup() as visits:
            for number in range(math.ceil(seconds * rate)):
                await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
                await places.acquire()
                if time.monotonic() - begun >= seconds or (stop and stop.is_set()):
                    break
                chosen = draw.choices(list(MIX), list(MIX.values()))[0]
                visits.create_task(visit(chosen), name=f"visit-{number}")
    return client.traffic


def main() -> None:
    """Run from a terminal; the exit code is 1 if anything was lost."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("url")
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--rate", type=float, default=40)
    chosen = options.parse_args()
    key = os.environ.get("PAYMENTER_JWT_KEY")
    if not key:
        sys.exit("PAYMENTER_JWT_KEY must hold the key that both sides verify tokens with")
    traffic = asyncio.run(drive(chosen.url, key, seconds=chosen.seconds, rate=chosen.rate))
    for (method, label, status), count in sorted(traffic.answers.items()):
        print(f"{method:6} {label:40} {status} {count:6}")
    for line in traffic.what_was_lost():
        print(line)
    print(f"{traffic.sent} requests, {traffic.lost.total()} lost")
    sys.exit(1 if traffic.lost else 0)


if __name__ == "__main__":
    main()
