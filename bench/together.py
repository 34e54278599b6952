"""Simulates instances whose seconds are judged as one: `python -m bench.together [--runs N]`.

Ten hosts report their outcomes, up to two seconds late, in any order; one guard judges them all. Hosts differ in how
often their requests fail, both sides of a host alike: no rollback is right, though one host fails thirty times as often
as another, fails for a minute by itself, or divides its users otherwise than the rest. Where modern is worse on every
host, the same guard should notice it soon; a host alone, with a tenth of the traffic, is there to compare with.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from random import Random
from statistics import median

from bench.referees import Strangler
from bench.streams import Second, World, stream

HOSTS = 10
SECONDS = 600
_LATE = 2
_PROMISED = 0.01
_UNLIKE = (0.001, 0.001, 0.002, 0.002, 0.005, 0.005, 0.01, 0.01, 0.02, 0.03)
"""How often both sides of each host fail."""
_EACH = World(0.1, rate=10.0, seconds=SECONDS)


def questions() -> Iterator[tuple[str, tuple[World, ...], bool]]:
    """Yield a name, a world for each host, whether a rollback is right."""
    unlike = tuple(replace(_EACH, errors=share, modern_errors=share) for share in _UNLIKE)
    for share in (0.01, 0.1, 0.5):
        hosts = tuple(replace(host, share=share) for host in unlike)
        yield f"{share:4.0%} on modern, hosts fail 0.1 to 3 %", hosts, False
    alone = replace(unlike[0], outage=(200, 260, 0.5))
    yield " 10% on modern, half of one host's requests fail for a minute", (alone, *unlike[1:]), False
    other = replace(unlike[-1], share=0.5)
    yield " 10% on modern, 50 % on the host that fails most", (*unlike[:-1], other), False
    for share in (0.01, 0.1):
        worse = tuple(replace(_EACH, share=share, modern_errors=0.05) for _ in range(HOSTS))
        yield f"{share:4.0%} on modern, which fails 5 % instead of 0.5 %", worse, True


def heard(hosts: Sequence[World], seed: int) -> Iterator[tuple[int, list[Second]]]:
    """Yield for each second what arrives in it: every host's seconds, some of them late, in any order."""
    draw = Random(seed)
    arriving: dict[int, list[Second]] = {}
    streams = [stream(world, seed * HOSTS + number) for number, world in enumerate(hosts)]
    for now, seconds in enumerate(zip(*streams, strict=True)):
        for second in seconds:
            arriving.setdefault(now + draw.randint(0, _LATE), []).append(second)
        there = arriving.pop(now, [])
        draw.shuffle(there)
        yield now, there


def run(hosts: tuple[World, ...], seed: int) -> int | None:
    """Return the second of the rollback, None where there was none."""
    judge = Strangler()
    for now, seconds in heard(hosts, seed):
        for second in seconds:
            judge.record_second(second)
        if judge.judged(now) is not None:
            return now
    return None


def main(arguments: Sequence[str]) -> int:
    """Print a line for each question; 0 when false rollbacks are as rare as promised."""
    parser = argparse.ArgumentParser(prog="python -m bench.together", description="Instances judged as one.")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args(arguments)
    false = asked = 0
    with ProcessPoolExecutor(max_workers=wanted.processes) as pool:
        for name, hosts, right in questions():
            told = []
            for who, worlds in (("together", hosts), ("one host", hosts[-1:])):
                found = list(pool.map(partial(run, worlds), range(wanted.runs)))
                back = [second for second in found if second is not None]
                told.append(f"{who} {len(back) / len(found):6.1%}" + (f" after {median(back):.0f} s" if back else ""))
                if not right:
                    false, asked = false + len(back), asked + len(found)
            print(f"{name}: rolled back {', '.join(told)}", flush=True)
    kept = false <= _PROMISED * asked
    print(f"promise {'kept' if kept else 'BROKEN'}: {false} false rollbacks in {asked} runs")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
