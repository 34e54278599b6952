"""A Redis of the bench, which reports the commands it got."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from bench.processes import LOAD_CPU, free_port, started
from bench.tools import program

_IN, _OUT, _CALLS = "total_net_input_bytes", "total_net_output_bytes", "cmdstat_"
_BESIDE = frozenset({"info", "hello", "client", "auth", "select"})
"""Commands of connecting and measuring clients, not of the proxy."""


@dataclass(frozen=True, slots=True)
class Use:
    """The commands that the store got in `seconds`; `cpu` is a share of one processor, `calls` are by command."""

    seconds: float
    bytes_in: int
    bytes_out: int
    cpu: float
    calls: Mapping[str, int]


class Store:
    """A running Redis; `url` is its URL in a file. Immutable."""

    def __init__(self, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._asking = redis.Redis(port=port)

    def watched(self, seconds: float) -> Use:
        """Return the commands of the next so many seconds, without those of the measurement."""
        first, began = self._look(), time.monotonic()
        before = self._look()
        time.sleep(seconds)
        after = self._look()
        # hardly any other client sent commands between the first two readings: the traffic of one reading
        own_in, own_out = (before[name] - first[name] for name in (_IN, _OUT))
        lasted = time.monotonic() - began
        calls = {
            name.removeprefix(_CALLS): int(after[name] - before.get(name, 0))
            for name in after
            if name.startswith(_CALLS) and after[name] > before.get(name, 0)
        }
        return Use(
            lasted,
            int(after[_IN] - before[_IN] - own_in),
            int(after[_OUT] - before[_OUT] - own_out),
            (after["used_cpu"] - before["used_cpu"]) / lasted,
            calls,
        )

    def close(self) -> None:
        """Close the connection."""
        self._asking.close()

    def _look(self) -> dict[str, float]:
        said: dict[str, Any] = self._asking.info("all")
        found = {name: float(said[name]) for name in (_IN, _OUT)}
        found["used_cpu"] = float(said["used_cpu_user"]) + float(said["used_cpu_sys"])
        for name, stats in said.items():
            if name.startswith(_CALLS) and name.removeprefix(_CALLS).partition("|")[0] not in _BESIDE:
                found[name] = float(stats["calls"])
        return found


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Store]:
    """Run it on the load's processor, nothing on the disk, until the block ends."""
    port = free_port()
    command = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with started([*command, "--dir", str(folder)], LOAD_CPU, folder, port_of=lambda _: port):
        store = Store(port)
        try:
            yield store
        finally:
            store.close()
