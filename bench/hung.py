"""How a shadow that accepts every request and never responds affects users: alternately with no shadow at all."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bench import load, mirrors, strangler
from bench.backends import Backends
from bench.load import Answers
from bench.processes import LOAD_CPU, free_port, started
from bench.tables import grid

CONNECTIONS, REST = 20, 50
"""Connections, each with a request, then so many milliseconds of rest: some 350 requests a second."""
SECONDS = 6
TRIES = 3
OFF, AGAIN, HUNG = "no shadow", "no shadow again", "hung shadow"
P99_TIMES, P99_MORE = 1.5, 15.0
"""p99 with a hung shadow may be so many times that without, or so many milliseconds more."""

_HANGING = """\
import asyncio, sys

async def swallow(reader, writer):
    while await reader.read(65536):
        pass

async def main():
    server = await asyncio.start_server(swallow, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
"""


def hung(sides: Backends, folder: Path, say: Callable[[str], None]) -> str:
    """Return the live p50 and p99, best of three tries."""
    tries = []
    with _hanging(folder) as port:
        for number in range(TRIES):
            found = {name: _felt(name, sides, port, folder / f"{number}-{name}") for name in (OFF, HUNG, AGAIN)}
            say(f"hung try {number + 1} " + "  ".join(f"{name}: {_told(one)}" for name, one in found.items()))
            tries.append(found)
    best = min(tries, key=lambda found: found[HUNG].p99 / min(found[OFF].p99, found[AGAIN].p99))
    rows = [[name, f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.rate:,.0f}", str(one.bad)] for name, one in best.items()]
    text = grid(["live side, best of three", "p50 ms", "p99 ms", "requests/s", "bad"], rows)
    off = [best[OFF], best[AGAIN]]
    band = (min(one.p50 for one in off), max(one.p50 for one in off))
    p99 = min(one.p99 for one in off)
    kept = best[HUNG].p99 <= max(P99_TIMES * p99, p99 + P99_MORE)
    return (
        f"### A hung shadow\n\n{CONNECTIONS} connections that rest {REST} ms between two requests, {SECONDS} s each. "
        f"The shadow takes every connection, reads every request, says nothing.\n\n{text}\n\n"
        f"p50 {best[HUNG].p50:.2f} ms; without a shadow {band[0]:.2f} to {band[1]:.2f} ms. p99 within "
        f"{P99_TIMES:g} times or {P99_MORE:g} ms of no shadow: {'yes' if kept else '**no**'}."
    )


def _felt(name: str, sides: Backends, port: int, folder: Path) -> Answers:
    folder.mkdir(parents=True)
    words = mirrors.SHADOW if name == HUNG else ""
    chosen = replace(sides, modern=port) if name == HUNG else sides
    with mirrors.ours(strangler.ROOT, words, chosen, folder) as running:
        load.run(running.port, "1k", 1, folder, CONNECTIONS, REST)
        return load.run(running.port, "1k", SECONDS, folder, CONNECTIONS, REST)


@contextlib.contextmanager
def _hanging(folder: Path) -> Iterator[int]:
    port, place = free_port(), folder / "hanging"
    place.mkdir(parents=True)
    with started([sys.executable, "-c", _HANGING, str(port)], LOAD_CPU, place, port_of=lambda _: port):
        yield port


def _told(one: Answers) -> str:
    return f"p50 {one.p50:.2f} ms p99 {one.p99:.2f} ms {one.rate:.0f}/s"
