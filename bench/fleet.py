"""A fleet on one store: `python -m bench.fleet` breaks modern behind several instances, counts the calls of the store.

1. start Redis, both sides apart, the instances on loopback addresses, one nginx before them
2. measure the store without users, then with users
3. end the modern side under load: from the fault to the last request that any instance sent there by weight
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench import backends, instances, load, machine, results, store, strangler, tables
from bench.backends import Backends
from bench.instances import Fleet
from bench.load import Answers
from bench.processes import LOAD_CPU, PROXY_CPU, DidNotStartError, memory_folder, prepare_process
from bench.store import Use
from bench.tools import MissingProgramError

SECTION: Final = "fleet"
CONNECTIONS, REST = 20, 50
"""Connections, each with a request, then so many milliseconds of rest."""
WARM_UP, AFTER = 3, 4
"""Seconds of load before the measurement, and after the fault."""
WANTED: Final = 1.0
"""Seconds after which all users of all instances are on legacy."""
TOLD: Final = frozenset({"tripped", "changed", "followed"})


class NotToldError(Exception):
    """An instance never received the rollback."""


@dataclass(frozen=True, slots=True)
class Round:
    """The result of one fleet: seconds to the last request to modern, to the last instance's event.

    How many followed.
    """

    idle: Use
    busy: Use
    answers: Answers
    last: float
    told: float
    followed: int
    rescued: int
    early: bool


def once(count: int, seconds: int, folder: Path) -> Round:
    """Start everything, measure the store, break modern; everything is stopped afterwards."""
    with (
        store.running(_made(folder / "store")) as redis,
        backends.running(_made(folder / "legacy")) as here,
        backends.running(_made(folder / "modern")) as there,
        instances.running(count, _apart(here, there), redis, folder) as fleet,
        ThreadPoolExecutor(1) as beside,
    ):
        time.sleep(WARM_UP)
        idle = redis.watched(seconds)
        lasting = WARM_UP + seconds + AFTER
        driving = beside.submit(load.run, fleet.port, "1k", lasting, folder, CONNECTIONS, REST)
        time.sleep(WARM_UP)
        busy = redis.watched(seconds)
        began = time.time()
        os.killpg(there.running.pid, signal.SIGKILL)
        answers = driving.result()
        time.sleep(0.5)  # access lines wait for a tenth of a second
        return _seen(fleet, began, Round(idle, busy, answers, 0, 0, 0, 0, early=False))


def _seen(fleet: Fleet, began: float, found: Round) -> Round:
    """Add the instances' events about the fault at `began`."""
    lines = [line for each in fleet.lines() for line in each]
    sent = [instances.moment(line) - began for line in lines if _by_weight(line)]
    words = [_word(events) for events in fleet.events()]
    if not all(words):
        raise NotToldError(f"of {len(words)} instances {words.count(None)} recorded no rollback")
    told = [instances.moment(word) - began for word in words if word is not None]
    return replace(
        found,
        last=max(sent),
        told=max(told),
        followed=sum(word is not None and word["event"] == "followed" for word in words),
        rescued=sum(1 for line in lines if line.get("fallback")),
        early=min(told) < 0,
    )


def _by_weight(line: dict[str, Any]) -> bool:
    return bool(line["side"] == "modern" and line["reason"] == "weight")


def _word(events: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The first event of an instance about the route's rollback."""
    return next((event for event in events if event["event"] in TOLD), None)


def _apart(here: Backends, there: Backends) -> Backends:
    """Two sides of which one can be killed."""
    return replace(here, modern=there.modern)


def report(rounds: Sequence[Round], count: int) -> str:
    """Return both tables."""
    return "\n\n".join((_reaction(rounds, count), _traffic(rounds, count), _commands(rounds, count)))


def _reaction(rounds: Sequence[Round], count: int) -> str:
    last, told = [one.last for one in rounds], [one.told for one in rounds]
    requests = sum(one.answers.requests for one in rounds)
    row = [
        f"modern dies before {count} instances",
        tables.spread(last, 2),
        tables.spread(told, 2),
        f"≤ {WANTED:g}",
        "met" if median(last) <= WANTED and not any(one.early for one in rounds) else "**missed**",
        f"{sum(one.followed for one in rounds)} of {count * len(rounds)}",
        f"{sum(one.answers.bad for one in rounds)} of {requests:,}",
        str(sum(one.rescued for one in rounds)),
    ]
    head = ["", "s until the last request to it from any", "s until the last instance told", "wanted", ""]
    return tables.grid([*head, "heard of it from another", "harmed", "rescued by legacy"], [row])


def _traffic(rounds: Sequence[Round], count: int) -> str:
    rows = []
    for name, uses in (("nobody there", [one.idle for one in rounds]), ("under load", [one.busy for one in rounds])):
        each: list[Callable[[Use], float]] = [
            lambda use: sum(use.calls.values()) / use.seconds / count,
            lambda use: use.bytes_in / use.seconds / count,
            lambda use: use.bytes_out / use.seconds / count,
        ]
        figures = [tables.spread([value(use) for use in uses], 0) for value in each]
        rows.append([name, *figures, tables.spread([use.cpu * 100 for use in uses], 2)])
    head = ["each instance", "commands/s", "bytes/s to the store", "bytes/s from it", "the store's CPU, all of them, %"]
    return tables.grid(head, rows)


def _commands(rounds: Sequence[Round], count: int) -> str:
    """The commands behind those figures, those within a script included."""
    calls: Counter[str] = Counter()
    for one in rounds:
        calls.update(one.busy.calls)
    seconds = sum(one.busy.seconds for one in rounds) * count
    each = ", ".join(f"{name} {number / seconds:.1f}" for name, number in calls.most_common(8))
    return f"Commands of one instance in a second under load, those within scripts included: {each}."


def main(arguments: Sequence[str]) -> int:
    """Print the tables; 1 when a request failed or it took too long, 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.fleet", description="A fleet of instances on one Redis.")
    parser.add_argument("--instances", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of each look at the store")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    if not {PROXY_CPU, LOAD_CPU} <= os.sched_getaffinity(0):
        print("two processors are needed: one for the instances, one for everything else", file=sys.stderr)
        return 2
    prepare_process()
    rounds: list[Round] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory_folder()) as name:
        try:
            for number in range(wanted.rounds):
                rounds.append(once(wanted.instances, wanted.seconds, _made(Path(name) / str(number))))
                print(rounds[-1], file=sys.stderr, flush=True)
        except (DidNotStartError, MissingProgramError, NotToldError) as error:
            print(error, file=sys.stderr)
            return 2
    text = _page(rounds, wanted.instances, wanted.seconds, arguments)
    print(text)
    if wanted.write:
        results.write(SECTION, text)
    slow = median(one.last for one in rounds) > WANTED
    return 1 if slow or any(one.answers.bad or one.early for one in rounds) else 0


def _page(rounds: Sequence[Round], count: int, seconds: int, arguments: Sequence[str]) -> str:
    told = machine.about(arguments).replace("python -m bench", "python -m bench.fleet", 1)
    rate = median(one.answers.rate for one in rounds)
    return machine.anonymous(
        f"## {count} instances, one store\n\n{told}\n\n{len(rounds)} rounds with fresh processes; {count} instances on "
        f"127.0.0.2 and on, one nginx, one Redis; {strangler.ROUTES} routes, one of them at weight 50, "
        f"{rate:,.0f} requests/s; the store watched for {seconds} s; median (least-most). All instances share one "
        "processor, everything else the other. A negative figure: the last request to modern had begun before the "
        f"fault.\n\n{report(rounds, count)}\n"
    )


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
