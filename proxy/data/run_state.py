"""Keeps what verifying came to, in the proxy's store: how far a run came that was cut off, each table's last result.

The command, the process beside the proxy and every instance share it, so that a run by hand counts as one by the clock.
A store that forgets (`memory`) has a small file beside the configuration in its place.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from proxy.storage import is_shared, store_of
from proxy.storage.store import Store, StoreError
from rules.data_settings import STATE_FILE, DataCheck, DataTable

_WITHIN = 5.0
"""Seconds that the store may take."""
_PLACE, _RESULT, _CHECK = "data:place:", "data:result:", "data:check:"
FRESH = 86_400.0
"""Seconds after which a place is too old: the rows before it were read too long ago."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """The last key that was verified, and the result's document up to there."""

    last: int
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A table's last result. Times are epoch seconds, 0 for never.

    `began` and `at` are of that run, `full` is the end of the last run over every row. `verified` is when both sides
    were last known to be the same: since a difference was found, only a run over every row confirms it again.
    """

    document: dict[str, Any]
    began: float
    at: float
    full: float
    verified: float


def after(before: Kept | None, document: dict[str, Any], began: float, at: float) -> Kept:
    """Return what is kept of a table once a run came to `document`."""
    whole = bool(document["full"])
    known = whole or (before is not None and before.verified > 0)
    verified = at if document["same"] and known else 0.0
    full = at if whole else before.full if before is not None else 0.0
    if before is not None and document["same"] and not known:
        return Kept(before.document, began, at, full, 0.0)  # what differed is still to be shown
    return Kept(document, began, at, full, verified)


class RunState:
    """What is kept, by table and check. A store that does not answer keeps nothing: runs begin at the beginning.

    `trouble` is why the last value was not kept, empty where it was. The store is asked in a thread of its own, so
    that threads without an event loop can wait for it.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self.trouble = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="store", daemon=True)
        self._thread.start()
        self._store = self._asked(_made(store))

    def place(self, table: DataTable, now: float) -> Place | None:
        """Return where a run over this table, with these settings, ended too early within the last day."""
        kept = self._read(_PLACE + table.name, table)
        if kept is None or now - kept["at"] > FRESH:
            return None
        return Place(int(kept["last"]), kept["result"])

    def keep(self, table: DataTable, last: int, result: dict[str, Any], now: float) -> None:
        """Keep how far a run came."""
        self._write(_PLACE + table.name, table, {"last": str(last), "result": result, "at": now})

    def forget(self, table: DataTable) -> None:
        """Forget the place of a run that came to its end."""
        if self._read(_PLACE + table.name, table) is not None:
            self._write(_PLACE + table.name, None, {})

    def results(self, tables: Iterable[DataTable]) -> dict[str, Kept]:
        """Return the last result of each of these tables that was verified under the same settings."""
        found = ((table.name, self._read(_RESULT + table.name, table)) for table in tables)
        return {name: Kept(**kept) for name, kept in found if kept is not None}

    def finished(self, table: DataTable, document: dict[str, Any], began: float, at: float) -> Kept:
        """Keep a run's result; return what is known of the table now."""
        kept = after(self.results([table]).get(table.name), document, began, at)
        self._write(_RESULT + table.name, table, asdict(kept))
        return kept

    def judged(self, check: DataCheck, document: dict[str, Any]) -> None:
        """Keep what a check came to, for instances that do not ask it themselves."""
        self._write(_CHECK + check.name, check, document)

    def checks(self, checks: Iterable[DataCheck]) -> dict[str, dict[str, Any]]:
        """Return what these checks came to last, with the same settings."""
        found = ((check.name, self._read(_CHECK + check.name, check)) for check in checks)
        return {name: kept for name, kept in found if kept is not None}

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._asked(self._store.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WITHIN)
        self._loop.close()

    # ── the store ──────────────────────────────────────────────────────────────────────────────────────

    def _read(self, name: str, settings: DataTable | DataCheck) -> dict[str, Any] | None:
        text = None if self._store is None else self._asked(self._store.value(name))
        with suppress(json.JSONDecodeError):
            kept = json.loads(text or "null")
            if isinstance(kept, dict) and kept.get("settings") == _digest(settings):
                return {key: value for key, value in kept.items() if key != "settings"}
        return None

    def _write(self, name: str, settings: DataTable | DataCheck | None, document: dict[str, Any]) -> None:
        text = json.dumps({**document, "settings": _digest(settings)}, default=str)
        if self._store is not None:
            self._asked(self._store.keep(name, text))

    def _asked(self, question: Coroutine[Any, Any, T]) -> T | None:
        waiting = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            answer = waiting.result(_WITHIN)
        except (StoreError, TimeoutError, ImportError) as error:
            waiting.cancel()
            self.trouble = str(error) or "the store does not answer"
            return None
        self.trouble = ""
        return answer


async def _made(store: Callable[[], Store]) -> Store:
    """Make the store where its loop runs."""
    return store()


def state_in(store: str, folder: Path) -> RunState:
    """Return what is kept in the store that a file in `folder` names."""
    lasting = store if is_shared(store) or store.startswith("sqlite:") else f"sqlite:{STATE_FILE}"
    return RunState(lambda: store_of(lasting, folder))


def _digest(settings: DataTable | DataCheck | None) -> str:
    return sha256(repr(settings).encode()).hexdigest()
