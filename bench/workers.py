"""One worker against two: `python -m bench.workers` compares processor time a request, throughput where one is free.

Rounds go one, two, one again, so that the difference of the first and the third is noise. On one processor two workers
can only cost more: how much more is what the second one costs. On two processors they have one each, which is the
purpose of a second worker; where the machine has only two, the second one is shared with the load.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench import backends, load, machine, probe, results, strangler, tables, usage
from bench.backends import Backends
from bench.figures import DISTURBED
from bench.load import Answers
from bench.measure import PROBED, WARM_UP
from bench.processes import LOAD_CPU, PROXY_CPU, DidNotStartError, memory_folder, prepare_process, started
from bench.tools import MissingProgramError

SECTION: Final = "workers"
NOTHING: Final = "Nothing can be concluded from these figures."


@dataclass(frozen=True, slots=True)
class Row:
    """So many workers on these processors."""

    name: str
    workers: int
    processors: str


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of processor a request, `whole` tree or all `workers`; each worker's `share` of the requests' work.

    `disturbed` is the share of the proxy's processors that others took.
    """

    answers: Answers
    whole: float
    workers: float
    share: tuple[float, ...]
    memory: int
    disturbed: float


def rows() -> list[Row]:
    """Return what is compared; a second processor is shared with the load where the machine has no third one."""
    one, both = str(PROXY_CPU), f"{PROXY_CPU},{second_processor()}"
    return [
        Row("1 worker", 1, one),
        Row("2 workers, one processor", 2, one),
        Row("1 worker again", 1, one),
        Row("1 worker, two processors", 1, both),
        Row("2 workers, two processors", 2, both),
    ]


def second_processor() -> int:
    """Return a free processor, else the load's."""
    return min(os.sched_getaffinity(0) - {PROXY_CPU, LOAD_CPU}, default=LOAD_CPU)


def visit(row: Row, sides: Backends, folder: Path, seconds: int) -> Cost:
    """Start the proxy so, check it, load it."""
    config = folder / "proxy.yaml"
    config.write_text(strangler.configuration(sides).replace("workers: 1", f"workers: {row.workers}"))
    command, environ = strangler.command(config), strangler.environ(strangler.ROOT)
    with started(command, row.processors, folder, port_of=strangler.port_of, environ=environ) as running:
        if len(running.role("worker")) != row.workers:
            raise DidNotStartError(f"not {row.workers} workers")
        probe.check(running.port, "1k", sticky=True, users=PROBED)
        answered = load.run(running.port, "1k", WARM_UP, folder).requests
        clocks = {cpu: usage.ticks(cpu) for cpu in map(int, row.processors.split(","))}
        before = usage.cpu_nanoseconds(running.tree())
        answers = load.run(running.port, "1k", seconds, folder)
        after = usage.cpu_nanoseconds(running.tree())
        shares = [usage.ticks(cpu).share_since(clock) for cpu, clock in clocks.items()]
        strangler.demand_whole_work(running, answered + answers.requests)
        spent, each = usage.spent_since(before, after), 1e6 / max(1, answers.requests)
        by_worker = [usage.spent_since(before, after, [pid]) for pid in running.role("worker")]
        taken = sum(busy + stolen for busy, stolen in shares) - spent / answers.seconds
        return Cost(
            answers,
            spent * each,
            sum(by_worker) * each,
            tuple(sorted((one / sum(by_worker) for one in by_worker), reverse=True)),
            usage.resident_kib(running.tree()),
            max(0.0, taken / len(shares)),
        )


def report(found: dict[Row, list[Cost]]) -> str:
    """Return one line for each row."""
    lines = [
        [
            row.name,
            tables.spread([cost.whole for cost in costs], 1),
            f"{median(cost.workers for cost in costs):.1f}",
            f"{median(cost.answers.rate for cost in costs):,.0f}",
            f"{median(cost.answers.p50 for cost in costs):.1f}",
            f"{median(cost.answers.p99 for cost in costs):.1f}",
            " / ".join(f"{median(shares):.0%}" for shares in zip(*(cost.share for cost in costs), strict=True)),
            f"{median(cost.memory for cost in costs) / 1024:.0f}",
            f"{median(cost.disturbed for cost in costs):.0%}",
            str(sum(cost.answers.bad for cost in costs)),
        ]
        for row, costs in found.items()
    ]
    head = ["", "CPU µs/request, whole tree", "workers", "requests/s", "p50 ms", "p99 ms"]
    text = tables.grid([*head, "busier / other worker", "RSS of all, MB", "disturbed", "bad"], lines)
    alone = [cost.disturbed for row, costs in found.items() if row.processors == str(PROXY_CPU) for cost in costs]
    if median(alone) > DISTURBED:
        text += f"\n\n**Not a quiet machine**: others took {median(alone):.0%} of the proxy's processor. " + NOTHING
    if str(LOAD_CPU) not in (number for row in found for number in row.processors.split(",")):
        return text
    return (
        f"{text}\n\nThis machine has no third processor: the second one is the load's, which takes what it needs. "
        "*Disturbed* counts that too."
    )


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 when responses were wrong, 2 when nothing could be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.workers", description="One worker against two.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of load in each visit")
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    wanted = parser.parse_args(arguments)
    if not {PROXY_CPU, LOAD_CPU} <= os.sched_getaffinity(0):
        print("two processors are needed: one for the proxy, one for load and backends", file=sys.stderr)
        return 2
    found: dict[Row, list[Cost]] = {row: [] for row in rows()}
    prepare_process()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory_folder()) as name:
        try:
            _measure(found, Path(name), wanted.rounds, wanted.seconds)
        except (DidNotStartError, MissingProgramError, probe.WrongAnswerError, strangler.NotWholeError) as error:
            print(error, file=sys.stderr)
            return 2
    told = machine.about(arguments).replace("python -m bench", "python -m bench.workers", 1)
    text = machine.anonymous(
        f"## One worker, two workers\n\n{told}\n\n{wanted.rounds} rounds, {wanted.seconds} s each; 1 KB answers, "
        f"{load.CONNECTIONS} connections; median (least-most).\n\n{report(found)}\n"
    )
    print(text)
    if wanted.write:
        results.write(SECTION, text)
    return 1 if any(cost.answers.bad for costs in found.values() for cost in costs) else 0


def _measure(found: dict[Row, list[Cost]], folder: Path, rounds: int, seconds: int) -> None:
    sides = folder / "sides"
    sides.mkdir()
    with backends.running(sides) as both:
        for number in range(rounds):
            for row, costs in found.items():
                place = folder / f"{number}-{row.name}"
                place.mkdir()
                costs.append(visit(row, both, place, seconds))
                print(f"round {number + 1} {row.name:26} {costs[-1]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
