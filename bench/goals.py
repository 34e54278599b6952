"""The goals of the figures, beside the measured ones."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figures
from bench.rows import BUILT, OURS
from bench.tables import grid

# row, peer, size, least efficiency of processor
EFFICIENCY = (
    (OURS, "nginx", "1k", 0.5),
    (OURS, "Envoy", "1k", 1.9),
    (OURS, "aiohttp", "1k", 6.5),
    (OURS, "nginx", "1m", 0.7),
    (BUILT, "nginx", "1k", 0.68),
    (BUILT, "HAProxy", "1k", 0.72),
    (BUILT, "Envoy", "1k", 3.5),
    (BUILT, "aiohttp", "1k", 10.0),
)
WORKER_MIB, CONTROL_MIB, CONNECTION_KIB = 35.0, 70.0, 12.0


def table(figures: Figures) -> str:
    """Return the goals of those rows that were measured; empty when none was."""
    rows = [*_efficiencies(figures), *_memories(figures)]
    return "### Goals\n\n" + grid(["goal", "wanted", "found", "least beside least", ""], rows) if rows else ""


def _efficiencies(figures: Figures) -> Iterator[list[str]]:
    for row, peer, size, wanted in EFFICIENCY:
        found = figures.median_efficiency(row, peer, size)
        if found is not None:
            judged = "not judged" if figures.is_disturbed() else met(good=found >= wanted)
            least = figures.least_efficiency(row, peer, size) or 0.0
            what = f"{row}: CPU efficiency beside {peer}, {size}"
            yield [what, f"≥ {wanted:g}x", f"{found:.2f}x", f"{least:.2f}x", judged]


def _memories(figures: Figures) -> Iterator[list[str]]:
    memory = figures.memory(OURS)
    if memory is None:
        return
    for what, found, most, unit in (
        ("worker, idle", memory.worker / 1024, WORKER_MIB, "MB"),
        ("control, idle", memory.control / 1024, CONTROL_MIB, "MB"),
        ("an idle connection", memory.connection, CONNECTION_KIB, "KB"),
    ):
        yield [f"{OURS}: {what}", f"≤ {most:g} {unit}", f"{found:.1f} {unit}", "", met(good=found <= most)]


def met(*, good: bool) -> str:
    """Return how a table says whether a goal is met."""
    return "met" if good else "**missed**"
