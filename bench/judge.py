"""Simulates rollouts from a seed: how often does a guard act, how soon? `python -m bench.judge [--quick]`.

Traffic is generated, the rules are real: this proxy's own, beside those of its peers on the same streams. A world is
healthy where both sides fail 0.5 % of the time, P95 137 ms. Every rule sees every second once; the run ends when it
rolls back. Modern's requests are counted, because these are the affected users.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from statistics import median
from typing import NamedTuple

from bench.referees import REFEREES, Strangler
from bench.streams import World, stream

SHARES = (0.01, 0.1, 0.5)
REQUESTS = 100_000
OURS = "this proxy"
_PROMISED = 0.01
"""The share of false rollbacks, at most."""


class Run(NamedTuple):
    """How one run ended: why it was rolled back (None: not), requests on modern since the fault, seconds since."""

    reason: str | None
    requests: int
    seconds: int


class Question(NamedTuple):
    """One row of a table; `wanted` is whether a rollback is right."""

    name: str
    world: World
    wanted: bool


def main(arguments: Sequence[str]) -> int:
    """Print the tables; return 0 if the goals of this proxy are met."""
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs: a minute or two")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args(arguments)
    many, few = (20, 10) if wanted.quick else (400, 100)
    began = time.monotonic()
    with ProcessPoolExecutor(max_workers=wanted.processes) as pool:
        false = list(_table("False rollbacks", healthy(), many, pool.map))
        _ = list(_table("Faults", faults(), few, pool.map))
        outages = list(_table("Outages of both sides", both_out(), few, pool.map))
    print(low_traffic())
    kept = sum(false) <= _PROMISED * many * len(false) and sum(outages) <= _PROMISED * few * len(outages)
    print(f"promise {'kept' if kept else 'BROKEN'}; {time.monotonic() - began:.0f} s")
    return 0 if kept else 1


def healthy() -> Iterable[Question]:
    """Worlds in which no rollback is right: 100 000 requests each."""
    for share in SHARES:
        yield Question(f"{share:4.0%} on modern, both fail 0.5 %", World(share, seconds=REQUESTS // 100), wanted=False)
    yield Question(
        " 50% on modern, both fail 0.5 %, no fallback",
        World(0.5, seconds=REQUESTS // 100, fallback=False),
        wanted=False,
    )
    sleepy = World(0.1, rate=0.05, seconds=3600)
    yield Question(" 10% of 180 requests in an hour", sleepy, wanted=False)
    slower = World(0.5, slower=1.3, seconds=REQUESTS // 100)
    yield Question(" 50% on modern, P95 1.3x (1.5x is allowed)", slower, wanted=False)


def faults() -> Iterable[Question]:
    """Worlds in which a rollback is right, the sooner the better."""
    for share in SHARES:
        well = World(share, seconds=600 if share > 0.05 else 3000)
        for name, world in (
            ("0.5 % -> 2 % errors", replace(well, modern_errors=0.02)),
            ("0.5 % -> 5 % errors", replace(well, modern_errors=0.05)),
            ("every second one fails", replace(well, modern_errors=0.5)),
            ("dead", replace(well, modern_errors=1.0)),
            ("P95 2x", replace(well, slower=2.0)),
        ):
            yield Question(f"{share:4.0%}, {name}", world, wanted=True)
    late = World(0.5, modern_errors=0.05, begins=900, seconds=1200)
    yield Question(" 50%, 0.5 % -> 5 % errors after 15 min", late, wanted=True)


def both_out() -> Iterable[Question]:
    """A minute in which both sides fail alike, as when their database is gone: a rollback would not help."""
    for share in SHARES:
        for failing in (1.0, 0.9, 0.3):
            world = World(share, seconds=120, outage=(30, 90, failing))
            yield Question(f"{share:4.0%} on modern, {failing:.0%} fail on both", world, wanted=False)


def low_traffic() -> str:
    """Return this proxy's verdict in an hour with one request each 20 s, a tenth of them on modern."""
    judge = Strangler()
    for second in stream(World(0.1, rate=0.05, seconds=3600), 1):
        judge.see(second)
    told = ", ".join(f"{outcome} {count / 3600:.0%}" for outcome, count in judge.outcomes.most_common())
    return f"Low traffic (180 requests in an hour, a tenth on modern), verdicts of {OURS}: {told}\n"


def run(question: Question, seed: int) -> dict[str, Run]:
    """Run all rules on one world until the last has acted or it ends."""
    watching = {name: make() for name, make in REFEREES.items()}
    ended: dict[str, Run] = {}
    requests = seconds = 0
    for second in stream(question.world, seed):
        if second.number >= question.world.begins:
            requests += second.modern.requests
            seconds += 1
        for name, judge in list(watching.items()):
            reason = judge.see(second)
            if reason is not None:
                ended[name] = Run(reason, requests, seconds)
                del watching[name]
        if not watching:
            break
    return ended | dict.fromkeys(watching, Run(None, requests, seconds))


Map = Callable[..., Iterable[dict[str, Run]]]


def _table(title: str, questions: Iterable[Question], runs: int, spread: Map) -> Iterable[int]:
    """Print the results of every rule; yield how often this proxy rolled back."""
    print(f"{title} ({runs} runs each)")
    for question in questions:
        ended = list(spread(partial(run, question), range(runs)))
        print(f"  {question.name}")
        for name in REFEREES:
            print(f"    {name:22} {_told([one[name] for one in ended], question)}", flush=True)
        yield sum(one[OURS].reason is not None for one in ended)
    print()


def _told(ended: Sequence[Run], question: Question) -> str:
    back = [one for one in ended if one.reason is not None]
    share = f"{len(back) / len(ended):6.1%} rolled back"
    if not question.wanted or not back:
        return share
    requests = sorted(one.requests for one in back)
    reasons = ", ".join(f"{reason} {count}" for reason, count in Counter(one.reason for one in back).most_common())
    often = requests[min(len(requests) - 1, int(0.9 * len(requests)))]
    seconds = median(one.seconds for one in back)
    return f"{share}, after {median(requests):.0f} requests (nine of ten within {often}), {seconds:.0f} s: {reasons}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
