"""Verifies both databases beside the proxy: runs the process, keeps its results, acts on them.

1. a file with a `data` section has a process started, another section gives it new orders, none ends it
2. the process reports the results of its runs; what changed is emitted as an event
3. of instances that share a store one asks the databases; the others read there what it found
4. a route whose tables differ, or were not verified lately, is not promoted: `withheld` says why
5. a check that is violated and says `rollback` sends its routes back, by the verb that the guard uses
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import time
from typing import Any, Protocol

import orjson

from proxy.control.data_process import DataProcess, Start, started
from proxy.ipc.messages import Message
from proxy.ipc.verifying import DataFound
from proxy.telemetry import events
from proxy.telemetry.aggregation import Key, Values
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import DATA_CHECK, DATA_ROWS, DATA_VERIFIED
from rules.data_settings import DataCheck, DataOrders, DataSettings
from rules.data_standing import TableStanding, unverified
from rules.model import Snapshot

REASON = "data"
WHO = "data"
LOOKS_EVERY = 1.0
RESULTS = ("equal", "different", "missing_legacy", "missing_modern")
STATES = {"held": 1.0, "violated": 0.0, "not_judged": -1.0, "failed": -1.0}


class RollBack(Protocol):
    """What rolls routes back."""

    def __call__(self, routes: tuple[str, ...], check: str, evidence: str) -> None:
        """Send all users of these routes to legacy, with the check's name and its evidence (JSON)."""


class DataVerifying:
    """The state of both databases. `_settings` are those of the file, documents are the results of the process."""

    def __init__(
        self,
        folder: Path,
        emit: Emit,
        roll_back: RollBack,
        start: Start | None = None,
        clock: Callable[[], float] = time,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._folder = folder
        self._emit = emit
        self._roll_back = roll_back
        self._process = DataProcess(start or started, emit, self.on_message)
        self._clock = clock
        self._leads = leads
        self._led = leads()
        self._store = ""
        self._settings: DataSettings | None = None
        self._redact: tuple[str, ...] = ()
        self._tables: dict[str, dict[str, Any]] = {}
        self._checks: dict[str, dict[str, Any]] = {}
        self._standing: dict[str, TableStanding] = {}
        self._warnings: list[str] = []
        self._paused: dict[str, str] = {}

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Apply another file."""
        if (snapshot.data, snapshot.diffs.redact) == (self._settings, self._redact):
            return
        before, self._settings, self._redact = self._settings, snapshot.data, snapshot.diffs.redact
        self._forget(before)
        self._store = snapshot.store
        self._give_orders()

    async def run(self) -> None:
        """Have the process ask as long as this instance leads, for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOKS_EVERY)

    def look(self) -> None:
        """Give other orders where this instance leads now, or no more."""
        leads = self._leads()
        if leads != self._led:
            self._led = leads
            self._give_orders()

    def _give_orders(self) -> None:
        orders = None
        if self._settings is not None:
            orders = DataOrders(self._settings, self._redact, self._store, str(self._folder), self._led)
        self._process.apply_orders(orders)

    def close(self) -> None:
        """End the process."""
        self._settings = None
        self._process.apply_orders(None)

    def withheld(self, route: str) -> str:
        """Return why a route may not be promoted because of its data; empty when it may."""
        if self._settings is None:
            return ""
        violated = frozenset(name for name, check in self._checks.items() if check["state"] == "violated")
        return unverified(self._settings, self._standing, violated, route, self._clock())

    def document(self) -> dict[str, Any]:
        """Return the state of every table and check, as the API shows it."""
        settings = self._settings
        if settings is None:
            return {"configured": False, "tables": [], "checks": [], "warnings": []}
        return {
            "configured": True,
            "tables": [self._table(table.name, table.routes) for table in settings.tables],
            "checks": [
                {"name": check.name, "state": "not_judged", "reason": "not asked yet", "legacy": "", "modern": "",
                 "at": None, **self._checks.get(check.name, {}), "routes": list(check.routes),
                 "on_violation": check.on_violation}
                for check in settings.checks
            ],
            "warnings": list(self._warnings),
        }  # fmt: skip

    def summary(self) -> dict[str, Any]:
        """Return the figures for the status document."""
        settings = self._settings
        now = self._clock()
        tables = () if settings is None else settings.tables
        bare = replace(settings, checks=()) if settings is not None else None
        states = [
            unverified(replace(bare, tables=(replace(table, routes=("",)),)), self._standing, frozenset(), "", now)
            for table in tables
            if bare is not None
        ]
        return {
            "configured": settings is not None,
            "tables": len(tables),
            "verified": sum(not state for state in states),
            "unverified": [state for state in states if state],
            "violated": sorted(name for name, check in self._checks.items() if check["state"] == "violated"),
        }

    def series(self) -> dict[Key, Values]:
        """Return its metrics."""
        found: dict[Key, Values] = {}
        for table in () if self._settings is None else self._settings.tables:
            rows = self._tables.get(table.name, {}).get("rows", {})
            found.update({(DATA_ROWS.name, (table.name, one)): (float(rows.get(one, 0)),) for one in RESULTS})
            known = self._standing.get(table.name, TableStanding())
            found[DATA_VERIFIED.name, (table.name,)] = (known.verified,)
        for check in () if self._settings is None else self._settings.checks:
            state = self._checks.get(check.name, {}).get("state", "not_judged")
            found[DATA_CHECK.name, (check.name,)] = (STATES[state],)
        return found

    # ── messages of the process ──────────────────────────────────────────────────────────────────────────

    def on_message(self, message: Message) -> None:
        """Handle a message of the process."""
        if not isinstance(message, DataFound) or self._settings is None:
            return
        document = orjson.loads(message.payload)
        match message.kind:
            case "table" if any(table.name == message.name for table in self._settings.tables):
                self._take_table(message.name, document)
            case "pause":
                self._paused[message.name] = document["reason"]
                if document["reason"]:
                    self._emit(events.DATA_PAUSED, "info", table=message.name, reason=document["reason"])
            case "failure":
                self._paused.pop(message.name, None)
                known = self._standing.get(message.name, TableStanding())
                self._standing[message.name] = replace(known, reason=document["reason"])
                if known.reason != document["reason"]:
                    self._emit(events.DATA_FAILED, "warning", table=message.name, reason=document["reason"])
            case "check":
                check = next((one for one in self._settings.checks if one.name == message.name), None)
                if check is not None:
                    self._take_check(check, document)
            case "warning" if document["text"] not in self._warnings:
                self._warnings.append(document["text"])
                self._emit(events.CONFIG_WARNING, "warning", warning=document["text"])
            case _:
                pass

    def _take_table(self, name: str, document: dict[str, Any]) -> None:
        self._paused.pop(name, None)
        before = self._standing.get(name, TableStanding())
        rows = document["rows"]
        apart = sum(rows[one] for one in RESULTS[1:]) + len(document["totals"])
        self._tables[name] = document
        self._standing[name] = TableStanding(document["verified_at"], document["at"], apart)
        if not document["verified_at"] and apart and (before.apart != apart or before.verified):
            self._emit(events.DATA_DIFFERS, "warning", table=name, rows=apart, columns=document["by_column"])
        elif document["verified_at"] and not before.verified:
            self._emit(events.DATA_VERIFIED, "info", table=name, rows=rows["compared"])

    def _take_check(self, check: DataCheck, document: dict[str, Any]) -> None:
        before = self._checks.get(check.name, {}).get("state", "")
        self._checks[check.name] = document
        state = document["state"]
        if state != before and state in ("violated", "failed"):
            self._emit(events.DATA_CHECK, "warning", check=check.name, state=state, legacy=document["legacy"],
                       modern=document["modern"], reason=document["reason"])  # fmt: skip
        if self._led and state == "violated" and check.on_violation == "rollback":
            evidence = {key: document[key] for key in ("legacy", "modern", "at")}
            self._roll_back(check.routes, check.name, orjson.dumps({"check": check.name, **evidence}).decode())

    def _table(self, name: str, routes: tuple[str, ...]) -> dict[str, Any]:
        found = self._tables.get(name, {})
        known = self._standing.get(name, TableStanding())
        state = "unknown" if not known.at else "same" if known.verified else "different"
        return {
            "table": name,
            "state": state,
            "reason": known.reason,
            "paused": self._paused.get(name, ""),
            "routes": list(routes),
            **{
                key: found.get(key) for key in ("at", "full_at", "verified_at", "rows", "by_column", "forgiven", "look")
            },
            **{key: found.get(key, []) for key in ("examples", "totals", "notes")},
        }

    def _forget(self, before: DataSettings | None) -> None:
        """Drop the results of tables and checks whose configuration has changed."""
        now = self._settings
        if before is not None and now is not None and (before.legacy, before.modern) == (now.legacy, now.modern):
            same = {table.name for table in now.tables if table in before.tables}
            checks = {check.name for check in now.checks if check in before.checks}
        else:
            same, checks = set(), set()
        self._tables = {name: one for name, one in self._tables.items() if name in same}
        self._standing = {name: one for name, one in self._standing.items() if name in same}
        self._checks = {name: one for name, one in self._checks.items() if name in checks}
        self._paused = {}
