"""Measures the cost of comparing two responses, beside DeepDiff: `python -m bench.compare`.

"whole" starts from two responses as bytes: ours compares status, headers and codings, parses both bodies with exact
numbers and compares them; DeepDiff's is json.loads twice and DeepDiff. "values" starts from values that have been read:
our walk and DeepDiff alone. "equal" are the same values in another spelling (white space), "differing" has three fields
changed; `preset: php` is on. Responses with the same bytes are not compared at all: checking that is the last column.
Goal, 1 KB with three fields changed: values fifty times faster, from bytes 150 times where the build is compiled.

`--kinds` measures large pairs of every kind instead (see `bench/bounds.py`): goal 0.5 s of processor a mebibyte, 1 s
two megabytes of HTML, 256 MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepdiff import DeepDiff

from bench import bounds, machine, results
from bench.rows import COMPILED
from bench.strangler import ROOT
from bench.tables import grid
from comparators import Capture, Policy, compare
from comparators.context import Context
from comparators.json_compare import Walk
from comparators.json_parse import parse

SIZES = {"1 KB": 5, "10 KB": 55, "100 KB": 560}
POLICY = Policy.from_mapping({"preset": "php"})
GOAL = 50
GOAL_FROM_BYTES = 150
COMPILED_BUILD = "compiled"
DIGITS = (1, 0, 0, 0, 1, 0, 0, 1)
HEAD = ["µs", "whole", "a second", "DeepDiff", "times", "values", "DeepDiff", "times", "same bytes"]
ABOUT = (
    "Least of nine rounds, microseconds of processor. *Whole* is from two answers as bytes, *values* from JSON that "
    "has been read; *equal* are the same values spelled otherwise, *differing* has three fields changed; `preset: php`."
)

ABOUT_KINDS = (
    "Processor seconds, the least of two, of two bodies of a mebibyte each (two megabytes where that is said), and the "
    "most memory that the last build's child held for it, both bodies included; a page's goal is any verdict at all."
)


def invoice(lines: int) -> dict[str, Any]:
    """Return an invoice with so many lines, each about 180 bytes."""
    return {
        "id": 4711,
        "currency": "EUR",
        "paid": True,
        "due_at": "2026-02-01T00:00:00Z",
        "items": [
            {
                "id": at,
                "description": f"Service number {at} with its usual description",
                "price": at + 0.5,
                "quantity": 2,
                "taxed": at % 2 == 0,
                "period": {"from": "2026-01-01", "to": "2026-01-31"},
            }
            for at in range(lines)
        ],
    }


def changed(body: dict[str, Any]) -> dict[str, Any]:
    """Return the same with three fields changed: a text, a number, a boolean."""
    other = json.loads(json.dumps(body))
    other["currency"], other["items"][1]["price"], other["items"][3]["taxed"] = "USD", 9.25, True
    return other


def answer(body: Any, indent: int | None = None) -> Capture:
    """Return a response with this body."""
    return written(json.dumps(body, indent=indent))


def written(text: str) -> Capture:
    """Return a response with this JSON."""
    return Capture("GET", "/", 200, (("Content-Type", "application/json"),), text.encode())


def cost(action: Callable[[], object], seconds: float = 0.1, rounds: int = 3) -> float:
    """Return the microseconds of CPU of the quickest round: a disturbance only ever makes a round longer."""
    began, times = time.process_time(), 0
    while time.process_time() - began < seconds / 5:
        action()
        times += 1
    quickest = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            action()
        quickest = min(quickest, time.process_time() - began)
    return quickest / times * 1e6


def walk(texts: tuple[str, str], values: tuple[Any, Any], answers: tuple[Capture, Capture]) -> Context:
    """Return the result of our walk for two values."""
    context = Context(POLICY, *answers)
    Walk(context, *texts).compare(*values)
    return context


def measured(legacy: Capture, modern: Capture) -> tuple[float, float, float, float]:
    """Return microseconds: ours and DeepDiff's from bytes, ours and DeepDiff's from values."""
    texts = legacy.body.decode(), modern.body.decode()
    ours, theirs = tuple(parse(text, []) for text in texts), tuple(json.loads(text) for text in texts)
    actions: tuple[Callable[[], object], ...] = (
        lambda: compare(legacy, modern, POLICY),
        lambda: DeepDiff(json.loads(legacy.body), json.loads(modern.body)),
        lambda: walk(texts, ours, (legacy, modern)),
        lambda: DeepDiff(*theirs),
    )
    # alternately, or a pause of the machine makes one of them look slow
    rounds = [[cost(action) for action in actions] for _ in range(3)]
    whole, deep, values, deep_values = map(min, zip(*rounds, strict=True))
    return whole, deep, values, deep_values


def lines() -> Iterator[list[str]]:
    """Measure; returns a line of figures for each size and case."""
    for size, rows in SIZES.items():
        body = invoice(rows)
        cases = {"equal": (answer(body), answer(body, 1)), "differing": (answer(body), answer(changed(body)))}
        for case, (legacy, modern) in cases.items():
            assert compare(legacy, modern, POLICY).verdict == ("equal" if case == "equal" else "different")
            whole, deep, values, deep_values = measured(legacy, modern)
            same = cost(lambda one=legacy: compare(one, one, POLICY))
            found = (whole, 1e6 / whole, deep, deep / whole, values, deep_values, deep_values / values, same)
            yield [f"{size} {case}", *(f"{each:,.{digits}f}" for each, digits in zip(found, DIGITS, strict=True))]


def kinds(trees: Mapping[str, Path]) -> tuple[str, bool]:
    """Measure large pairs of every kind on each tree; returns the table, and whether the last one meets all goals."""
    found = {build: _read(tree, "bench.bounds") for build, tree in trees.items()}
    last = list(found.values())[-1]
    rows, missed = [], 0
    for at, (name, seconds, mebibytes, verdict, goal, wrong) in enumerate(last):
        met = float(seconds) <= float(goal) and float(mebibytes) <= bounds.GOAL_MEBIBYTES and not wrong
        missed += not met
        others = [each[at][1] for each in found.values()]
        rows.append([name, *others, mebibytes, goal, verdict, "" if met else "**missed**"])
    head = ["pair", *(f"s {build}" for build in found), "MiB", "goal, s", "verdict", ""]
    within = f"{len(rows) - missed} of {len(rows)} kinds within all goals."
    return f"{bounds.worst(last)}\n\n{grid(head, rows)}\n\n{within}", not missed


def _kinds(arguments: Sequence[str], *, write: bool) -> int:
    trees = {"interpreted": ROOT}
    if built := os.environ.get(COMPILED):
        trees[COMPILED_BUILD] = ROOT / built
    table, is_met = kinds(trees)
    told = machine.about(arguments).replace("python -m bench", "python -m bench.compare", 1)
    text = machine.anonymous(f"## Bounds of a comparison\n\n{told}\n\n{ABOUT_KINDS}\n\n{table}")
    print(text)
    if write:
        results.write("bounds", text)
    return 0 if is_met else 1


def measured_in(tree: Path) -> list[list[str]]:
    """Run this program on a tree, in a separate process."""
    return _read(tree, "bench.compare", "--lines")


def _read(tree: Path, *module: str) -> list[list[str]]:
    command = [sys.executable, "-m", *module]
    told = subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout
    return [text.split("|") for text in told.splitlines()]


def judged(tables: Mapping[str, list[list[str]]]) -> list[list[str]]:
    """Return the goals, and whether each is met."""
    goals = []
    for build, found in tables.items():
        row = next(line for line in found if line[0] == "1 KB differing")
        from_bytes = [("from bytes", _number(row[4]), GOAL_FROM_BYTES)] if build == COMPILED_BUILD else []
        for what, times, goal in (("values", _number(row[7]), GOAL), *from_bytes):
            met = "met" if times >= goal else "**missed**"
            goals.append([f"{build}: three fields of 1 KB changed, {what}", f"≥ {goal}x", f"{times:.0f}x", met])
    return goals


def _number(figure: str) -> float:
    return float(figure.replace(",", ""))


def main(arguments: Sequence[str]) -> int:
    """Print a table for each build; 0 when the goals are reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description="Comparisons beside DeepDiff.")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/RESULTS.md")
    parser.add_argument("--lines", action="store_true", help="of this tree alone, for another program")
    parser.add_argument("--kinds", action="store_true", help="large pairs of every kind")
    wanted = parser.parse_args(arguments)
    if wanted.kinds:
        return _kinds(arguments, write=wanted.write)
    if wanted.lines:
        for line in lines():
            print("|".join(line), flush=True)
        return 0
    tables = {"interpreted": measured_in(ROOT)}
    if built := os.environ.get(COMPILED):
        tables[COMPILED_BUILD] = measured_in(ROOT / built)
    goals = judged(tables)
    told = machine.about(arguments).replace("python -m bench", "python -m bench.compare", 1)
    parts = [f"## Two answers held against each other\n\n{told}", ABOUT]
    parts += [f"### {build}\n\n{grid(HEAD, found)}" for build, found in tables.items()]
    parts.append(grid(["goal", "wanted", "found", ""], goals))
    text = machine.anonymous("\n\n".join(parts))
    print(text)
    if wanted.write:
        results.write("comparing", text)
    return 0 if all(line[-1] == "met" for line in goals) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
