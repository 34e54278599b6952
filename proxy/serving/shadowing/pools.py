"""Keeps the connections that copies travel on: never those of live requests, never more than the backend can spare."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from proxy.serving.pool import Pool, Spawn
from rules.model import Backend

CONNECTIONS: Final = 256
"""Connections that copies may use of a backend without a limit of its own."""
READS: Final = "reads"
WRITES: Final = "writes"
"""Copies of writes have connections of their own: each is asked first whether it keeps them without effects."""


def busy(pool: Pool) -> int:
    """Connections of a pool that have a call, or are being made for one."""
    count = 0
    for target in pool.targets:
        count += target.busy + target.opening
    return count


class ShadowPools:
    """One pool for each backend that copies go to, made when first wanted, retired with its backend."""

    def __init__(self, *, clock: Callable[[], float], spawn: Spawn, base: Path) -> None:
        self._clock = clock
        self._spawn = spawn
        self._base = base
        self._pools: dict[tuple[str, str], Pool] = {}
        self._made: dict[tuple[str, str], tuple[Backend, Pool]] = {}

    def pool(self, backend: Backend, use: str) -> Pool:
        """The pool for copies of reads, or of writes, to `backend`."""
        key = backend.name, use
        made = self._made.get(key)
        if made is not None and made[0] is backend:
            return made[1]
        self._prepare(key, backend)
        self._made[key] = backend, self._pools[key]
        return self._pools[key]

    def _prepare(self, key: tuple[str, str], backend: Backend) -> None:
        wanted = replace(backend, health=None, max_connections=backend.max_connections or CONNECTIONS)
        pool = self._pools.get(key)
        if pool is not None and pool.backend == wanted:
            return
        if pool is not None:
            pool.retire()
        self._pools[key] = Pool(wanted, clock=self._clock, spawn=self._spawn, base=self._base)

    @property
    def size(self) -> int:
        """Connections of all pools."""
        return sum(pool.size() for pool in self._pools.values())

    def can_spare(self, live: Pool, own: Pool) -> bool:
        """Whether a backend has so little to do that a copy holds up nobody: live calls use less than half of it."""
        limit = own.backend.max_connections
        if len(live.targets) == len(own.targets) == 1:  # as a rule; without going through lists of one
            target, copies = live.targets[0], own.targets[0]
            asked = target.busy + target.opening
            return asked * 2 < limit and asked + copies.busy + copies.opening < limit
        asked = busy(live)
        return asked * 2 < limit and asked + busy(own) < limit

    def keep(self, backends: Iterable[Backend]) -> None:
        """Retire the pools of backends that are gone."""
        names = {backend.name for backend in backends}
        for key in [key for key in self._pools if key[0] not in names]:
            self._pools.pop(key).retire()
            del self._made[key]

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long."""
        for pool in self._pools.values():
            pool.sweep(now)

    def retire(self) -> None:
        """Close everything as it becomes idle."""
        for pool in self._pools.values():
            pool.retire()
