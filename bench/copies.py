"""Times the data path with a copy of every request, in memory, beside the same path without: `python -m bench.copies`.

As bench.path, on a loop that turns after every sixteen requests: a copy goes out in the turn after its request, the
other side answers with the same bytes, both answers are held against each other, what became of it is counted. All
users are on legacy, or on modern with `--weight 100`. Both paths take turns, so that a machine that drifts moves both.
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
from collections.abc import Sequence
from statistics import median

from bench.path import A_ROUND, A_TURN, CONNECTIONS, Path
from proxy.metrics.shadow_counting import ShadowCounts
from proxy.serving.shadowing.pools import READS
from proxy.shadowed import Shadowed
from proxy.state.pairs import EQUAL, Pairs
from proxy.state.windows import Outcomes


class Turning(Path):
    """The data path whose loop really turns; `results` counts what became of the copies."""

    def __init__(self, weight: int, shadow: str, *, fresh: bool) -> None:
        def change(text: str) -> str:
            return text.replace("rollout: {weight: 50,", f"{shadow}rollout: {{weight: {weight},")

        super().__init__(fresh=fresh, change=change)
        self.results: Counter[str] = Counter()
        shadows = self.server.shadows
        for listener in (Pairs().observe_shadow, ShadowCounts().observe, Outcomes().observe_shadow):
            shadows.observe.add(listener)
        for backend in self.server.bound.generation.snapshot.backends:
            for target in shadows.asking._pools.pool(backend, READS).targets:  # noqa: SLF001 - filled from outside
                target.idle.extend(self._upstream(target) for _ in range(CONNECTIONS))

    def count(self, record: Shadowed) -> None:
        """Count one copy; costs what nobody pays in production, so it listens in the warm-up alone."""
        self.results[record.reason or record.result] += 1

    async def turned(self, count: int) -> None:
        """So many requests, some in a turn of the loop; each live answer before its copy's."""
        answer, heads, told, clients = self.answer, self.heads, self.told, itertools.cycle(self.clients)
        copies = self.server.shadows.asking._calls  # noqa: SLF001 - the other side answers from here
        for _ in range(count // A_TURN):
            for client in itertools.islice(clients, A_TURN):
                client.data_received(next(heads))
                client.call.connection.data_received(answer)  # type: ignore[union-attr]
            await asyncio.sleep(0)
            for copy in tuple(copies):
                copy._connection.data_received(answer)  # type: ignore[union-attr]  # noqa: SLF001
            await asyncio.sleep(0)
            while told:
                told.pop()()

    async def cost(self, count: int) -> float:
        """Microseconds of processor a request."""
        begun = time.process_time()
        await self.turned(count)
        return (time.process_time() - begun) / count * 1e6


async def measure(weight: int, rounds: int, *, fresh: bool, calls: bool) -> int:
    """Print what a request costs with a copy and without; 1 when not every copy was equal."""
    alone, mirrored = (
        Turning(weight, shadow, fresh=fresh) for shadow in ("", "shadow: {sample: 100%, secondary: 0%}, ")
    )
    mirrored.server.shadows.observe.add(mirrored.count)
    for path in (alone, mirrored):
        await path.turned(A_ROUND)
    found = mirrored.results
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
    if set(found) != {EQUAL}:
        print(f"not every copy was equal: {dict(found)}", file=sys.stderr)
        return 1
    return 0


def main(arguments: Sequence[str]) -> int:
    """Print what a copy costs, or who was called."""
    parser = argparse.ArgumentParser(prog="python -m bench.copies", description="The data path with copies, in memory.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--weight", type=int, default=0, help="percent of the users on modern")
    parser.add_argument("--calls", action="store_true", help="count calls instead of time")
    parser.add_argument("--fresh", action="store_true", help="each request with an id of its own")
    wanted = parser.parse_args(arguments)
    return asyncio.run(measure(wanted.weight, wanted.rounds, fresh=wanted.fresh, calls=wanted.calls))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
