"""The process that verifies data: by the clock, beside the proxy, until control hangs up.

It waits for orders in its main thread; tables and checks are done by one thread each, so that a long run over a table
holds up no check. New orders end what the old ones began, between two queries.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from proxy.data.database import Database, DatabaseError
from proxy.data.pace import Paused, StoppedError
from proxy.data.redaction import redacting
from proxy.data.run_state import RunState, state_in
from proxy.data.runner import Runner, TableFailure, Wanted, opened
from proxy.data.schedule import due_checks, due_tables
from proxy.ipc.codec import Inbox, from_json
from proxy.ipc.verifying import DATA, DataFound, VerifyData
from proxy.settings import EXIT_YES
from rules.data_settings import DataOrders

LOOK_EVERY = 1.0
"""Seconds between two looks at what is due: a run by hand is seen as soon."""
KEEP_EVERY = 30.0
"""Seconds after which a check that came to the same is kept again."""
_POLITENESS = 5
_CHUNK = 1 << 20

Send = Callable[[str, str, dict[str, Any]], None]
"""A kind, a name, the document: to control."""


def main(arguments: list[str]) -> int:
    """Verify as ordered over the inherited socket named by `arguments` until it is closed."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # control ends this process by closing the socket
    os.nice(_POLITENESS)
    with socket.socket(fileno=int(arguments[0])) as link:
        _follow(link)
    os._exit(EXIT_YES)  # a query may still run: its time is limited, its answer is read by no process


def _follow(link: socket.socket) -> None:
    inbox, work, speaking = Inbox(DATA), None, threading.Lock()
    states: dict[tuple[str, str], RunState] = {}  # one for a store: orders come and go

    def send(kind: str, name: str, document: dict[str, Any]) -> None:
        with speaking:
            link.sendall(DATA.pack(DataFound(kind, name, json.dumps(document, default=str).encode())))

    while data := link.recv(_CHUNK):
        inbox.feed(data)
        while (message := inbox.next_message()) is not None:
            if isinstance(message, VerifyData):
                if work is not None:
                    work.stop.set()
                orders = from_json(message.payload, DataOrders)
                where = orders.store, orders.folder
                if where not in states:
                    states[where] = state_in(orders.store, Path(orders.folder))
                work = Work(orders, states[where], send)
                work.start()
    if work is not None:
        work.stop.set()


class Work:
    """One set of orders being followed. `stop` ends it, `_tried` and `_asked` hold when each was last done."""

    def __init__(self, orders: DataOrders, state: RunState, send: Send, now: Callable[[], float] = time.time) -> None:
        self._settings = orders.settings
        self._state = state
        self._leads = orders.leads
        self._redact = redacting(secrets.token_bytes(32), orders.redact)
        self._send = send
        self._now = now
        self._tried: dict[str, float] = {}
        self._asked: dict[str, tuple[float, float]] = {}
        self._sent: dict[str, float] = {}
        self._judged: dict[str, dict[str, Any]] = {}
        self._warned = False
        self.stop = threading.Event()

    def start(self) -> None:
        """Begin, in two threads."""
        for name, look in (("tables", self.look_at_tables), ("checks", self.look_at_checks)):
            threading.Thread(target=self._again_and_again, args=(look,), name=name, daemon=True).start()

    def _again_and_again(self, look: Callable[[], None]) -> None:
        while not self.stop.is_set():
            try:
                look()
            except StoppedError:
                return
            except OSError:
                self.stop.set()  # control is gone
            self.stop.wait(LOOK_EVERY)

    def look_at_tables(self) -> None:
        """Verify what is due; send what is known, results of runs by hand included."""
        self._send_kept()
        if not self._leads:
            return
        kept = self._state.results(self._settings.tables)
        for due in list(due_tables(self._settings, kept, self._tried, self._now())):
            self._with_databases(partial(self._verify, Wanted((due.table,), due.since)), self._pauses_of(due.table))
            self._send_kept()

    def look_at_checks(self) -> None:
        """Ask the checks that are due."""
        if not self._leads:
            self._say_judged()
            return
        due = [check.name for check in due_checks(self._settings, self._asked, self._now())]
        if due:
            self._with_databases(partial(self._check, due))

    def _pauses_of(self, table: str) -> Paused:
        """Return what reports each pause once."""
        last = ""

        def report(reason: str) -> None:
            nonlocal last
            if bool(reason) != bool(last):
                self._send("pause", table, {"reason": reason})
            last = reason

        return report

    def _with_databases(self, do: Callable[[Runner], None], paused: Paused = lambda _reason: None) -> None:
        try:
            with opened(self._settings, os.environ) as databases:
                do(self._runner(databases, paused))
        except DatabaseError as error:  # a password that is not there
            for table in self._settings.tables:
                self._failed(TableFailure(table.name, str(error), unreachable=False))
            now = self._now()
            self._asked.update((check.name, (now, 0.0)) for check in self._settings.checks)

    def _runner(self, databases: tuple[Database, Database], paused: Paused) -> Runner:
        return Runner(
            self._settings, databases, self._now, self.stop, lambda *_: None, self._redact, self._state, paused
        )  # fmt: skip

    def _verify(self, wanted: Wanted, runner: Runner) -> None:
        for one in runner.tables(wanted):
            if isinstance(one, TableFailure):
                self._failed(one)
            elif not self._warned:
                self._warned = True
                for warning in runner.warnings():
                    self._send("warning", "", {"text": warning})

    def _failed(self, failure: TableFailure) -> None:
        self._tried[failure.table] = self._now()
        self._send("failure", failure.table, {"reason": failure.reason, "unreachable": failure.unreachable})

    def _check(self, names: list[str], runner: Runner) -> None:
        for name in names:
            began = self._now()
            for result in runner.checks((name,)):
                document = {**result.document(), "at": self._now()}
                self._keep_judged(name, document)
                self._send("check", name, document)
            self._asked[name] = (self._now(), self._now() - began)

    def _keep_judged(self, name: str, document: dict[str, Any]) -> None:
        """Keep a check's result where it is another one, or the kept one is getting old."""
        kept = self._judged.get(name, {})
        if kept.get("state") != document["state"] or document["at"] - kept["at"] >= KEEP_EVERY:
            self._judged[name] = document
            self._state.judged(next(one for one in self._settings.checks if one.name == name), document)

    def _say_judged(self) -> None:
        """Say what the instance that leads made of the checks."""
        for name, document in self._state.checks(self._settings.checks).items():
            if self._sent.get(f"check {name}") != document["at"]:
                self._sent[f"check {name}"] = document["at"]
                self._send("check", name, document)

    def _send_kept(self) -> None:
        for name, kept in self._state.results(self._settings.tables).items():
            if self._sent.get(name) != kept.at:
                self._sent[name] = kept.at
                times = {"at": kept.at, "full_at": kept.full, "verified_at": kept.verified}
                self._send("table", name, {**kept.document, **times})
