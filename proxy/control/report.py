"""The migration report; backends' resource usage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from proxy.control.history import History
from proxy.telemetry.events import timestamp
from rules.guard.window import ComparedTally
from rules.model import LEGACY, MODERN, Backend

# Reads the resource usage of the backends' processes, where they run on this machine (proc(5)).
#
# A backend's process is found by its listening port. One of another user, or on another machine, stays unknown.


_PROC = Path("/proc")
_LISTENING = "0A"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory, CPU time since their start, of several processes together."""

    memory_bytes: int
    cpu_seconds: float
    processes: int


def resources(backends: Iterable[Backend], proc: Path = _PROC) -> Mapping[str, Usage]:
    """Return the usage of each backend whose processes can be seen. Reads all of /proc: for a thread."""
    owners = dict(_owners(proc))
    children = _children(proc)
    found: dict[str, Usage] = {}
    for backend in backends:
        ports = {port for url in backend.urls if (port := _port(url))}
        inodes = _inodes(proc, ports) if ports else set()
        family = set(_family({owners[inode] for inode in inodes if inode in owners}, children))
        usages = [usage for pid in family if (usage := _usage(proc / str(pid)))]
        if usages:
            memory, cpu = sum(each.memory_bytes for each in usages), sum(each.cpu_seconds for each in usages)
            found[backend.name] = Usage(memory, round(cpu, 2), len(usages))
    return found


def _port(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port if parts.hostname in _LOCAL else None


def _inodes(proc: Path, ports: set[int]) -> set[str]:
    found: set[str] = set()
    for name in ("tcp", "tcp6"):
        for line in _read(proc / "net" / name).splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) in ports:
                found.add(fields[9])
    return found


def _owners(proc: Path) -> Iterator[tuple[str, int]]:
    """Yield each socket's inode with the process that holds it."""
    for pid in _pids(proc):
        try:
            links = [str(entry.readlink()) for entry in (proc / str(pid) / "fd").iterdir()]
        except OSError:
            continue  # it ended, or belongs to another user
        for link in links:
            if link.startswith("socket:["):
                yield link[8:-1], pid


def _children(proc: Path) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = {}
    for pid in _pids(proc):
        fields = _stat(proc / str(pid))
        if fields:
            found.setdefault(int(fields[1]), []).append(pid)
    return found


def _family(pids: Iterable[int], children: Mapping[int, list[int]]) -> Iterator[int]:
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += children.get(pid, [])


def _usage(folder: Path) -> Usage | None:
    fields = _stat(folder)
    return Usage(int(fields[21]) * _PAGE, (int(fields[11]) + int(fields[12])) / _TICKS, 1) if fields else None


def _stat(folder: Path) -> list[str]:
    """Return the fields after the name, which may hold anything: state, parent and so on."""
    return _read(folder / "stat").rpartition(")")[2].split()


def _pids(proc: Path) -> Iterator[int]:
    return (int(entry.name) for entry in proc.iterdir() if entry.name.isdigit())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def report(
    status: Mapping[str, Any],
    history: History,
    compared: Callable[[str], ComparedTally],
    resources: Mapping[str, Usage],
    now: float,
) -> dict[str, Any]:
    """Return the document as JSON-ready values; `now` is epoch seconds, `resources` the usage of processes."""
    seconds = max(now - history.began, 1.0)
    routes = [_route(route, history, compared(route["name"]), seconds) for route in status["routes"]]
    modern = sum(route[MODERN]["requests"] for route in routes)
    everything = modern + sum(route[LEGACY]["requests"] for route in routes)
    return {
        "at": timestamp(now),
        "seconds": seconds,
        "digest": status["config"]["digest"],
        "share_migrated": modern / everything if everything else None,
        "data": dict(status.get("data", {})),
        "routes": routes,
        "resources": {backend: asdict(usage) for backend, usage in resources.items()},
    }


def _route(route: Mapping[str, Any], history: History, tally: ComparedTally, seconds: float) -> dict[str, Any]:
    return {
        "name": route["name"],
        "stage": route["stage"],
        "weight": route["weight"],
        LEGACY: _side(history, route["name"], LEGACY, seconds),
        MODERN: _side(history, route["name"], MODERN, seconds),
        "copies": route.get("copies"),
        "compared": tally.compared,
        "different": tally.different,
        "mismatch_rate": tally.mismatch_rate,
        "coverage": tally.coverage if tally.eligible else None,
        "readiness": route.get("readiness"),
        "retirement": route.get("retirement"),
    }


def _side(history: History, route: str, side: str, seconds: float) -> dict[str, Any]:
    tally = history.ever(route, side)
    return {
        "requests": tally.requests,
        "rate": tally.requests / seconds,
        "errors": tally.errors,
        "error_rate": tally.error_rate,
        "p50": tally.percentile(0.5),
        "p95": tally.percentile(0.95),
    }
