"""How fast databases are read: rows a second, pauses while a replica is behind or a side is busy, an end to every wait.

Both databases are looked at before a query that may read many rows, at most once a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from proxy.data.database import Database, DatabaseError
from rules.data_settings import DataLimits

LOOK_AGAIN = 1.0
PATIENCE = 600.0
"""Seconds that a side may stay behind or busy before the run gives up; it is resumed by the next one."""


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why nothing is read now: what it is in general, and the figure that was found."""

    what: str
    found: str

    def __str__(self) -> str:
        return f"{self.what}: {self.found}"


Paused = Callable[[str], None]
"""Called each second of a pause with the reason, with an empty text when it is over."""


class SteadyPace:
    """Waits so that `rows_per_second`, `replica_lag` and `load` hold. `stop` ends every wait.

    `_rows` and `_began` change with what is read, `_looked` with each look at the databases; `_waited` holds the
    seconds of each hindrance until they are noted, `_unseen` what no look could find out.
    """

    def __init__(
        self,
        limits: DataLimits,
        databases: tuple[Database, Database],
        now: Callable[[], float],
        stop: threading.Event,
        paused: Paused = lambda _reason: None,
    ) -> None:
        self._limits = limits
        self._databases = databases
        self._now = now
        self._stop = stop
        self._paused = paused
        self._began = now()
        self._rows = 0
        self._looked: float | None = None
        self._waited: dict[str, float] = {}
        self._unseen: list[str] = []

    def settle(self, seconds: float) -> None:
        """Wait `seconds`; StoppedError when the run is to end."""
        self._wait(seconds)

    def after_rows(self, rows: int) -> None:
        """Wait until `rows` more were not too many."""
        self._rows += rows
        if self._limits.rows_per_second:
            self._wait(self._began + self._rows / self._limits.rows_per_second - self._now())

    def before_query(self) -> None:
        """Wait until no replica is behind and no side is busy; DatabaseError after `PATIENCE` seconds of it."""
        self._wait(0)
        if self._looked is not None and self._now() - self._looked < LOOK_AGAIN:
            return
        waited = 0.0
        while (found := next(self._hindrances(), None)) is not None:
            if waited >= PATIENCE:
                raise DatabaseError(f"{found.what} since {PATIENCE:g} s, at last {found.found}", unreachable=True)
            self._paused(f"waiting, {found}")
            self._wait(LOOK_AGAIN)
            waited += LOOK_AGAIN
            self._waited[found.what] = self._waited.get(found.what, 0.0) + LOOK_AGAIN
        self._looked = self._now()
        if waited:
            self._paused("")

    def notes(self) -> Iterator[str]:
        """Yield what was waited for since the last call."""
        waited, self._waited = self._waited, {}
        return (f"reading waited {seconds:g} s: {what}" for what, seconds in waited.items())

    def unseen(self) -> list[str]:
        """Return which limits could not be kept because a database does not show what they need."""
        return list(self._unseen)

    def _hindrances(self) -> Iterator[Hindrance]:
        for one in self._databases:
            most = self._limits.replica_lag
            if most and (late := one.replica_lag()) > most:
                yield Hindrance(f"{one.side}'s replica is more than {most:g} s behind (`replica_lag`)", f"{late:g} s")
            if self._limits.load and (busy := self._of_others(one)) > self._limits.load:
                what = f"{one.side} executes more than {self._limits.load} statements of others (`load`)"
                yield Hindrance(what, str(busy))

    def _of_others(self, database: Database) -> int:
        """Return how many statements a side's server executes besides ours, this one among ours."""
        before = self._asking(database)
        running = database.running()
        if running.unseen and running.unseen not in self._unseen:  # once: sessions come and go
            self._unseen.append(running.unseen)
        return running.statements - max(before, self._asking(database)) - 1

    def _asking(self, database: Database) -> int:
        return sum(one.asking for one in self._databases if one.server == database.server)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(max(seconds, 0)) if seconds > 0 else self._stop.is_set():
            raise StoppedError


class StoppedError(Exception):
    """The run was asked to end; what is done is kept, the next one goes on behind it."""
