"""What mirroring does to the users' p99: arrivals that do not wait for answers, at half of the plain throughput.

Many connections, each of which rests at random between two requests: a slow answer holds up its own connection alone,
and requests come as they would from as many users. The row without a shadow is there twice, before and after; what the
two differ by is noise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import load, mirrors
from bench.backends import Backends
from bench.load import Answers
from bench.tables import grid, spread

REST = 40
"""Milliseconds, on the average, between two requests of a connection."""
SECONDS = 4
P99_TIMES = 1.3
OFF, AGAIN, ON = "no shadow", "no shadow again", "every pair spelled otherwise"
DISTURBED = 1.3
"""Times its other half that the row without a shadow may be before nothing is concluded."""


def live_p99(source: Path, sides: Backends, folder: Path, rounds: int, say: Callable[[str], None]) -> str:
    """Return the live p50 and p99 of `source` with a mirror on every request, beside the same without."""
    found: dict[str, list[Answers]] = {OFF: [], ON: [], AGAIN: []}
    several: list[int] = []
    for number in range(rounds):
        connections = _half(source, sides, folder / f"{number}-plain")
        several.append(connections)
        for name, answers in found.items():
            place = folder / f"{number}-{name.replace(' ', '-')}"
            shadow = mirrors.SHADOW if name == ON else ""
            answers.append(_answers(source, shadow, sides, place, connections))
        say(f"p99 round {number + 1} " + "  ".join(f"{name}: {one[-1].p99:.2f} ms" for name, one in found.items()))
    rows = [
        [
            name,
            spread([one.p50 for one in each], 2),
            spread([one.p99 for one in each], 2),
            f"{median(one.rate for one in each):,.0f}",
            str(sum(one.bad for one in each)),
        ]
        for name, each in found.items()
    ]
    text = grid(["live side", "p50 ms", "p99 ms", "requests/s", "bad"], rows)
    return (
        f"### The users' p99 beside mirroring\n\n{spread(several, 0)} connections that rest {REST} ms between two "
        f"requests on the average: half of what this proxy answers without a shadow, found anew in each of {rounds} "
        f"rounds of {SECONDS} s, because the machine's speed changes; the compiled build.\n\n{text}\n\n{_judged(found)}"
    )


def _judged(found: dict[str, list[Answers]]) -> str:
    p99 = {name: [one.p99 for one in each] for name, each in found.items()}
    ratios = [on / ((off + again) / 2) for on, off, again in zip(p99[ON], p99[OFF], p99[AGAIN], strict=True)]
    beside = [again / off for again, off in zip(p99[AGAIN], p99[OFF], strict=True)]
    met = "met" if median(ratios) <= P99_TIMES else "**missed**"
    told = (
        f"p99 with every pair spelled otherwise, times that without: {spread(ratios, 2)}, wanted ≤ {P99_TIMES:g}: {met}"
    )
    told += f". No shadow beside itself: {spread(beside, 2)}"
    if max(*beside, 1 / min(beside)) > DISTURBED:
        told += "; **disturbed**, so only what is far larger is worth anything"
    return f"{told}."


def _half(source: Path, sides: Backends, folder: Path) -> int:
    """Return how many connections send half of what the proxy answers without a shadow."""
    folder.mkdir(parents=True)
    with mirrors.ours(source, "", sides, folder) as running:
        load.run(running.port, "1k", 1, folder)
        rate = load.run(running.port, "1k", 2, folder).rate
    return max(1, round(rate / 2 * REST / 1000))


def _answers(source: Path, shadow: str, sides: Backends, folder: Path, connections: int) -> Answers:
    folder.mkdir(parents=True)
    with mirrors.ours(source, shadow, sides, folder) as running:
        load.run(running.port, "1k", 1, folder, connections, REST)
        return load.run(running.port, "1k", SECONDS, folder, connections, REST)
