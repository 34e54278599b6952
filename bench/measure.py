"""Visits one proxy: starts it, takes its processor time under load or its memory at rest, ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import load, probe, strangler, usage
from bench.backends import Backends
from bench.load import Answers
from bench.processes import LOAD_CPU, PROXY_CPU, DidNotStartError, Running
from bench.rows import Row

WARM_UP = 1
PROBED = 48
SETTLE = 0.5
FIRST_CONNECTIONS = 250
IDLE_CONNECTIONS = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """One size of response for some seconds.

    `whole` with `worker` are microseconds of processor a request, of all processes or of the one that serves.
    The others are shares of the time: the proxy's processor busy, the load's, and `disturbed`, what others
    took: a hypervisor of either processor, other programs of the proxy's.
    """

    size: str
    answers: Answers
    whole: float
    worker: float
    proxy_busy: float
    load_busy: float
    disturbed: float


@dataclass(frozen=True, slots=True)
class Visit:
    """The figures of one round of one proxy; with `complaints` its figures mean nothing."""

    row: str
    round: int
    costs: tuple[Cost, ...]
    complaints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """One proxy at rest, in KiB resident: all processes, the worker, control, the increase by an idle connection.

    `worker` is all processes where a proxy has no worker of ours; `control` is then 0.
    """

    row: str
    whole: int
    worker: int
    control: int
    connection: float


def visit(row: Row, backends: Backends, folder: Path, sizes: Sequence[str], seconds: int, number: int) -> Visit:
    """Start the proxy, check its responses, warm it up, load it with each of `sizes` in turn."""
    costs: list[Cost] = []
    try:
        with row.start(backends, folder) as running:
            if row.source is not None and row.compiled is not None:
                strangler.demand_build(running, row.source, compiled=row.compiled)
            for size in sizes:
                probe.check(running.port, size, sticky=row.sticky, users=PROBED)
            answered = load.run(running.port, sizes[0], WARM_UP, folder).requests
            costs.extend(_under_load(running, size, seconds, folder) for size in sizes)
            if row.source is not None:
                answered += sum(cost.answers.requests for cost in costs)
                strangler.demand_whole_work(running, answered)
    except (DidNotStartError, probe.WrongAnswerError, strangler.NotWholeError, OSError) as error:
        return Visit(row.name, number, tuple(costs), (f"{type(error).__name__}: {error}",))
    return Visit(row.name, number, tuple(costs), _bad(costs))


def memory(row: Row, backends: Backends, folder: Path) -> Memory:
    """Start the proxy, measure its memory after a few requests, again with 1000 idle connections."""
    with row.start(backends, folder) as running:
        probe.check(running.port, "1k", sticky=row.sticky)
        time.sleep(SETTLE)
        workers = running.role("worker") or running.tree()
        at_rest = usage.resident_kib(workers)
        whole, control = usage.resident_kib(running.tree()), usage.resident_kib(running.role("control"))
        # the first ones use memory that was freed after the start
        with probe.idle_connections(running.port, FIRST_CONNECTIONS):
            before = usage.resident_kib(workers)
            with probe.idle_connections(running.port, IDLE_CONNECTIONS):
                time.sleep(SETTLE)
                added = usage.resident_kib(workers) - before
    return Memory(row.name, whole, at_rest, control, added / IDLE_CONNECTIONS)


def _under_load(running: Running, size: str, seconds: int, folder: Path) -> Cost:
    clocks = [usage.ticks(cpu) for cpu in (PROXY_CPU, LOAD_CPU)]
    before = usage.cpu_nanoseconds(running.tree())
    answers = load.run(running.port, size, seconds, folder)
    after = usage.cpu_nanoseconds(running.tree())
    (proxy_busy, proxy_stolen), (load_busy, load_stolen) = (
        usage.ticks(cpu).share_since(clock) for cpu, clock in zip((PROXY_CPU, LOAD_CPU), clocks, strict=True)
    )
    each = 1e6 / max(1, answers.requests)
    whole = usage.spent_since(before, after)
    return Cost(
        size,
        answers,
        whole * each,
        usage.spent_since(before, after, running.role("worker") or running.tree()) * each,
        proxy_busy,
        load_busy,
        max(proxy_stolen, load_stolen) + max(0.0, proxy_busy - whole / answers.seconds),
    )


def _bad(costs: Sequence[Cost]) -> tuple[str, ...]:
    return tuple(
        f"{cost.answers.bad} bad of {cost.answers.requests} answers of {cost.size}"
        for cost in costs
        if cost.answers.bad or not cost.answers.requests
    )
