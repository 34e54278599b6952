"""How fast databases are read: rows a second, pauses while a replica is behind, an end to every wait."""

from __future__ import annotations

import threading
from collections.abc import Callable

from proxy.data.database import Database, DatabaseError
from rules.data_settings import DataLimits

LOOK_AGAIN = 1.0
PATIENCE = 600.0
"""Seconds that a replica may stay behind before the run gives up; it is resumed by the next one."""


class SteadyPace:
    """Waits so that `rows_per_second` and `replica_lag` hold. `stop` ends every wait; `rows` and `began` change."""

    def __init__(
        self,
        limits: DataLimits,
        databases: tuple[Database, Database],
        now: Callable[[], float],
        stop: threading.Event,
    ) -> None:
        self._limits = limits
        self._databases = databases
        self._now = now
        self._stop = stop
        self._began = now()
        self._rows = 0

    def settle(self, seconds: float) -> None:
        """Wait `seconds`; StoppedError when the run is to end."""
        self._wait(seconds)

    def after_rows(self, rows: int) -> None:
        """Wait until `rows` more were not too many, and no replica is behind."""
        self._rows += rows
        if self._limits.rows_per_second:
            self._wait(self._began + self._rows / self._limits.rows_per_second - self._now())
        self._until_caught_up()

    def _until_caught_up(self) -> None:
        most, waited = self._limits.replica_lag, 0.0
        while most and (late := self._late(most)) is not None:
            if waited >= PATIENCE:
                raise DatabaseError(f"{late.side}'s replica stays more than {most:g} s behind (`replica_lag`)")
            self._wait(LOOK_AGAIN)
            waited += LOOK_AGAIN

    def _late(self, most: float) -> Database | None:
        return next((one for one in self._databases if one.replica_lag() > most), None)

    def _wait(self, seconds: float) -> None:
        if self._stop.wait(max(seconds, 0)) if seconds > 0 else self._stop.is_set():
            raise StoppedError


class StoppedError(Exception):
    """The run was asked to end; what is done is kept, the next one goes on behind it."""
