"""Reads the usage of processes from /proc: processor time, memory, how busy a processor was."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


def cpu_nanoseconds(pids: Iterable[int]) -> dict[tuple[int, int], int]:
    """Return the time on a processor of every thread of `pids`, exact where `/proc/PID/stat` counts in ticks."""
    spent = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):
                    spent[pid, int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return spent


def spent_since(
    before: Mapping[tuple[int, int], int], now: Mapping[tuple[int, int], int], pids: Iterable[int] | None = None
) -> float:
    """Return the seconds between two readings, of `pids` alone where given; threads may have started meanwhile."""
    chosen = None if pids is None else set(pids)
    nanoseconds = sum(value - before.get(key, 0) for key, value in now.items() if chosen is None or key[0] in chosen)
    return nanoseconds / 1e9


def resident_kib(pids: Iterable[int]) -> int:
    """Return the resident memory of `pids` together; a page that two of them share counts twice."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            found = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
            total += int(found[1]) if found else 0
    return total


@dataclass(frozen=True, slots=True)
class Ticks:
    """A processor's clock: ticks it was busy, ticks the hypervisor took, ticks in all."""

    busy: int
    stolen: int
    total: int

    def share_since(self, before: Ticks) -> tuple[float, float]:
        """Return which share of the time since `before` was busy, which was stolen."""
        total = max(1, self.total - before.total)
        return (self.busy - before.busy) / total, (self.stolen - before.stolen) / total


def ticks(cpu: int) -> Ticks:
    """Read the clock of processor `cpu`."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{cpu} "):
            user, nice, system, idle, wait, hard, soft, stolen = map(int, line.split()[1:9])
            busy = user + nice + system + hard + soft
            return Ticks(busy, stolen, busy + idle + wait + stolen)
    raise LookupError(f"there is no processor {cpu}")
