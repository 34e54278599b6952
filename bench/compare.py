"""Measures what holding two answers against each other costs, beside DeepDiff, on 1, 10 and 100 KB of JSON.

Run as `python -m bench.compare`. "whole" starts from two answers as bytes: ours looks at status, headers and codings,
reads both bodies with exact numbers and compares them; DeepDiff's is json.loads twice and DeepDiff. "values" starts
from values that have been read: our walk and DeepDiff alone. "equal" are the same values spelled otherwise (white
space), "differing" has three fields changed; `preset: php` is on. Answers with the same bytes never come this far:
one look at them is the last column. Goal: values of 1 KB with three fields changed at least fifty times faster.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from deepdiff import DeepDiff

from comparators import Capture, Policy, compare
from comparators.context import Context
from comparators.json_text import parse
from comparators.json_walk import Walk

SIZES = {"1 KB": 5, "10 KB": 55, "100 KB": 560}
POLICY = Policy.from_mapping({"preset": "php"})
GOAL = 50
WIDTHS = (9, 10, 10, 6, 9, 10, 6, 12)


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
    """Return an answer with this body."""
    return Capture("GET", "/", 200, (("Content-Type", "application/json"),), json.dumps(body, indent=indent).encode())


def cost(action: Callable[[], object], seconds: float = 0.15, rounds: int = 7) -> float:
    """Return the microseconds of CPU of the quickest round: what disturbs a round only ever makes it longer."""
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
    """Return what our walk makes of two values."""
    context = Context(POLICY, *answers)
    Walk(context, *texts).compare(*values)
    return context


def measured(legacy: Capture, modern: Capture) -> tuple[float, float, float, float]:
    """Return microseconds: ours and DeepDiff's from bytes, ours and DeepDiff's from values."""
    texts = legacy.body.decode(), modern.body.decode()
    ours, theirs = tuple(parse(text, []) for text in texts), tuple(json.loads(text) for text in texts)
    return (
        cost(lambda: compare(legacy, modern, POLICY)),
        cost(lambda: DeepDiff(json.loads(legacy.body), json.loads(modern.body))),
        cost(lambda: walk(texts, ours, (legacy, modern))),
        cost(lambda: DeepDiff(*theirs)),
    )


def main() -> int:
    """Print one line a size and case; 0 when the goal is reached."""
    head = ("whole", "a second", "DeepDiff", "", "values", "DeepDiff", "", "same bytes")
    print(f"{'µs':18}" + "".join(f"{word:>{width}}" for word, width in zip(head, WIDTHS, strict=True)))
    reached = from_bytes = 0.0
    for size, lines in SIZES.items():
        body = invoice(lines)
        cases = {"equal": (answer(body), answer(body, 1)), "differing": (answer(body), answer(changed(body)))}
        for case, (legacy, modern) in cases.items():
            assert compare(legacy, modern, POLICY).verdict == ("equal" if case == "equal" else "different")
            whole, deep, values, deep_values = measured(legacy, modern)
            same = cost(lambda one=legacy: compare(one, one, POLICY))
            print(
                f"{size:>7} {case:10}{whole:9.1f}{1e6 / whole:10.0f}{deep:10.0f}{deep / whole:5.0f}x"
                f"{values:9.1f}{deep_values:10.0f}{deep_values / values:5.0f}x{same:12.1f}"
            )
            if (size, case) == ("1 KB", "differing"):
                reached, from_bytes = deep_values / values, deep / whole
    print(f"values of 1 KB, three fields changed: {reached:.0f} times DeepDiff, the goal is {GOAL}")
    print(f"the same from bytes, reading both bodies included on either side: {from_bytes:.0f} times")
    return 0 if reached >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
