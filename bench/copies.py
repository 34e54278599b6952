"""Times the data path with a copy of every request, in memory, beside the same path without: `python -m bench.copies`.

As bench.path, on a loop that runs after every sixteen requests: a copy is sent in the turn after its request, then
both sides respond, with the same body, another Date, another field that is not compared; the responses are compared
and the result is counted as in production. All users are on legacy, or on modern with `--weight
100`. Both paths take turns, so that a machine that drifts moves both.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import gc
import itertools
import pstats
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter
from statistics import median

from bench.mirrors import SHADOW
from bench.path import A_TURN, CONNECTIONS, Path
from proxy.state.mirror_outcomes import EQUAL
from proxy.worker.connection_pool import Target
from proxy.worker.reporting import MirroringReport
from proxy.worker.shadow.sender import READS

A_ROUND = 2048
_BEGUN = attrgetter("_began")


class Turning(Path):
    """The data path with a real loop; `results` are the results of the copies.

    `live` and `copied` are the responses to the requests and to their copies.
    """

    live: Iterator[bytes]
    copied: Iterator[bytes]

    def __init__(self, weight: int, shadow: str, *, fresh: bool) -> None:
        def change(text: str) -> str:
            return text.replace("rollout: {weight: 50,", f"{shadow}rollout: {{weight: {weight},")

        super().__init__(fresh=fresh, change=change)
        self.report = MirroringReport()
        self.report.watch(self.server, self.server.observe, self.outcomes, lambda *_, **__: None)
        self.server.shadows.observe.emit_by(self.pending.append)
        for target in self._copied():
            target.idle.extend(self._upstream(target) for _ in range(CONNECTIONS))
        self.others = self.answer.replace(b"05:28 GMT", b"05:29 GMT").replace(b"X-Side: legacy", b"X-Side: modern")
        self.live, self.copied = itertools.repeat(self.answer), itertools.repeat(self.others)

    def _copied(self) -> Iterator[Target]:
        pools = self.server.shadows.sender._pools  # noqa: SLF001 - filled from outside
        for backend in self.server.bound.generation.snapshot.backends:
            yield from pools.pool(backend, READS).targets

    def results(self) -> Counter[str]:
        """Return the results of the copies since the last call."""
        found: Counter[str] = Counter()
        for row in self.report.drain_counts():
            found.update({EQUAL: row.equal, "sent": row.sent, **dict(row.not_compared)})
        return +found

    async def turned(self, count: int) -> None:
        """Run so many requests, some concurrently; each live response comes before its copy's."""
        heads, told = self.heads, self.pending
        clients = itertools.cycle(self.clients)
        calls = self.server.shadows.sender._calls  # noqa: SLF001 - the other side answers from here
        for target in self._copied():
            for connection in target.idle:
                connection.idle_since = self.server.clock()  # an old idle connection is not used for a copy
        for _ in range(count // A_TURN):
            asked = list(itertools.islice(clients, A_TURN))
            for client in asked:
                client.data_received(next(heads))
            await asyncio.sleep(0)
            copies = sorted(calls, key=_BEGUN)
            for client in asked:
                client.call.connection.data_received(next(self.live))  # type: ignore[union-attr]
            for copy in copies:
                copy._connection.data_received(next(self.copied))  # type: ignore[union-attr]  # noqa: SLF001
            await asyncio.sleep(0)
            while told:
                told.pop()()

    async def cost(self, count: int) -> float:
        """Return microseconds of processor a request."""
        begun = time.process_time()
        await self.turned(count)
        return (time.process_time() - begun) / count * 1e6


async def measure(weight: int, rounds: int, *, fresh: bool, calls: bool) -> int:
    """Print what a request costs with a copy and without; 1 when not every copy was equal."""
    alone, mirrored = (Turning(weight, shadow, fresh=fresh) for shadow in ("", SHADOW))
    for path in (alone, mirrored):
        await path.turned(A_ROUND)
    gc.collect()
    gc.freeze()
    if calls:
        profile = cProfile.Profile()
        profile.enable()
        await mirrored.turned(A_ROUND)
        profile.disable()
        stats = pstats.Stats(profile)
        print(f"{stats.total_calls / A_ROUND:.1f} calls a request")  # type: ignore[attr-defined]
        stats.sort_stats("tottime").print_stats(60)
    else:
        pairs = [(await alone.cost(A_ROUND), await mirrored.cost(A_ROUND)) for _ in range(rounds)]
        least = [min(costs) for costs in zip(*pairs, strict=True)]
        ratio = median(both / one for one, both in pairs)
        print(
            f"forwarding alone {least[0]:.2f} µs, with a copy {least[1]:.2f} µs of processor a request; "
            f"{ratio:.2f} times as much (middle of {rounds} rounds)"
        )
    for path in (alone, mirrored):
        path.lines.close()
    found = mirrored.results()
    if set(found) != {EQUAL}:
        print(f"not every copy was equal: {dict(found)}", file=sys.stderr)
        return 1
    return 0


def main(arguments: Sequence[str]) -> int:
    """Print what a copy costs, or the calls."""
    parser = argparse.ArgumentParser(prog="python -m bench.copies", description="The data path with copies, in memory.")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--weight", type=int, default=0, help="percent of the users on modern")
    parser.add_argument("--calls", action="store_true", help="count calls instead of time")
    parser.add_argument("--fresh", action="store_true", help="each request with an id of its own")
    wanted = parser.parse_args(arguments)
    return asyncio.run(measure(wanted.weight, wanted.rounds, fresh=wanted.fresh, calls=wanted.calls))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
