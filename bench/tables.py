"""Formats figures as Markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from bench.figures import Figures
from bench.measure import Cost, Memory

_PAGE = {"1k": "1 KB", "64k": "64 KB", "1m": "1 MB"}


def costs(figures: Figures, sizes: Sequence[str], peers: Sequence[str]) -> str:
    """Return one table for each size: what a request costs, how that compares with each of `peers`."""
    return "\n\n".join(_of_size(figures, size, peers) for size in sizes)


def memory(found: Iterable[Memory]) -> str:
    """Return the table of memory at rest."""
    rows = [
        [
            one.row,
            _mebibytes(one.whole),
            _mebibytes(one.worker) if one.control else "",
            _mebibytes(one.control) if one.control else "",
            f"{one.connection:.1f}",
        ]
        for one in found
    ]
    head = ["proxy", "RSS idle, MB", "of it the worker", "control", "KB for each idle connection"]
    return "### Memory\n\n" + grid(head, rows)


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table: the first column is text, the others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def spread(values: Sequence[float], digits: int) -> str:
    """Return the median with minimum and maximum."""
    middle, least, most = (f"{value:,.{digits}f}" for value in (median(values), min(values), max(values)))
    return f"{middle} ({least}-{most})"


def _of_size(figures: Figures, size: str, peers: Sequence[str]) -> str:
    beside = [peer for peer in peers if figures.costs(peer, size)]
    head = ["proxy", "CPU µs/request, whole tree", "worker", "requests/s", "p50 ms", "p99 ms", "CPU 0", "CPU 1"]
    head += ["disturbed", "bad", *(f"x {peer}" for peer in beside)]
    rows = [_row(figures, name, size, beside) for name in figures.rows()]
    return f"### {_PAGE[size]} answers\n\n" + grid(head, rows)


def _row(figures: Figures, name: str, size: str, beside: Sequence[str]) -> list[str]:
    costs = figures.costs(name, size)
    if figures.complaints(name) or not costs:
        return [name, "**invalid**", *[""] * (8 + len(beside))]
    return [
        name,
        spread([cost.whole for cost in costs], 1),
        _middle(costs, lambda cost: cost.worker, ".1f"),
        _middle(costs, lambda cost: cost.answers.rate, ",.0f"),
        _middle(costs, lambda cost: cost.answers.p50, ".1f"),
        _middle(costs, lambda cost: cost.answers.p99, ".1f"),
        _middle(costs, lambda cost: cost.proxy_busy, ".0%"),
        _middle(costs, lambda cost: cost.load_busy, ".0%"),
        _middle(costs, lambda cost: cost.disturbed, ".1%"),
        "0",
        *(_ratio(figures, name, peer, size) for peer in beside),
    ]


def _ratio(figures: Figures, name: str, peer: str, size: str) -> str:
    ratios = figures.efficiency(name, peer, size)
    return spread(ratios, 2) if ratios and name != peer else ""


def _middle(costs: Sequence[Cost], value: Callable[[Cost], float], form: str) -> str:
    return format(median(value(cost) for cost in costs), form)


def _mebibytes(kibibytes: int) -> str:
    return f"{kibibytes / 1024:.1f}"
