"""Keeps one control process and N workers alive; notifies systemd.

1. every child is started with its socket and the last good configuration
2. worker and control get a fresh connection to each other whenever either is new
3. a child that dies or hangs is replaced, after a longer wait each time
4. on a stop sockets close here, workers finish their requests, control exits last
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from proxy.ipc import messages
from proxy.ipc.child_process import Backoff
from proxy.ipc.messages import Message
from proxy.settings import EXIT_HOPELESS, EXIT_NO, EXIT_YES, Settings
from proxy.supervisor.child import TICK, Child, Slot
from proxy.supervisor.launch import Launched, launch
from proxy.telemetry import events
from proxy.telemetry.events import Emit

# Reports the state of the proxy to the service manager (sd_notify).


PATIENCE = 0.5
"""Seconds that the supervisor waits for a service manager that does not read."""


class Notifier:
    """Sends state lines to `$NOTIFY_SOCKET`; does nothing without one. Immutable."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        # a leading @ spells the abstract namespace
        self._path = "\0" + name[1:] if name.startswith("@") else name
        self.watched = "WATCHDOG_USEC" in environ

    def send_state(self, *lines: str) -> None:
        """Send `lines` as one datagram; a service manager that does not receive it is ignored."""
        if not self._path:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            # a busy manager's queue holds ten messages; a lost READY=1 would be a failed start
            sock.settimeout(PATIENCE)
            try:
                sock.sendto("\n".join(lines).encode(), self._path)
            except OSError:
                return

    def reloading(self) -> None:
        """Report that a reload begins; READY=1 must follow."""
        self.send_state("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def alive(self) -> None:
        """Notify the watchdog, if there is one."""
        if self.watched:
            self.send_state("WATCHDOG=1")


GRACE = 2.0
"""Seconds that a worker may be late after its drain time before it is killed."""


class ProcessManager:
    """The supervisor's whole state.

    `payload` with `drain` change when control sends a newer configuration, `effects` when it sends what was set at
    run time since, `proven` (what a worker began with and served) when one serves, `ready` once, `stopping` once,
    `handed_over` once.
    `first` are children that were started before anything was known; they are taken first.
    Children are added at their start, removed at their exit.
    """

    def __init__(
        self,
        settings: Settings,
        payload: bytes,
        *,
        listeners: list[socket.socket],
        admin: socket.socket | None,
        addresses: tuple[str, ...],
        announce: Callable[[], None],
        closing: Callable[[], None],
        emit: Emit,
        systemd: Notifier,
        first: Mapping[str, Launched] = MappingProxyType({}),
    ) -> None:
        self._settings = settings
        self._payload = payload
        self._proven = b""
        self._effects = b""
        self._drain = settings.drain
        self._slots = [Slot(number, listener) for number, listener in enumerate(listeners)]
        self._admin = admin
        self._addresses = addresses
        self._announce = announce
        self._closing = closing
        self._emit = emit
        self._systemd = systemd
        self._first = dict(first)
        self._control: Child | None = None
        self._control_backoff = Backoff()
        self._control_starts = 0
        self._worker_restarts = 0
        self._children: set[Child] = set()
        self._ready = False
        self._stopping = False
        self.handed_over = False
        self._loop = asyncio.get_running_loop()
        self._finished: asyncio.Future[int] = self._loop.create_future()

    async def run(self) -> int:
        """Start everything; return the exit code when every process has ended."""
        if self._admin is not None:
            self._start_control()
        for slot in self._slots:
            self._start_worker(slot)
        ticker = asyncio.create_task(self._tick_for_ever(), name="supervisor-tick")
        try:
            return await self._finished
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)

    # ── signals ────────────────────────────────────────────────────────────────────────────────────────

    def stop(self, signal_name: str) -> None:
        """Stop accepting, let workers finish, exit; an interrupt while that goes on ends it at once."""
        if self._stopping:
            if signal_name == "SIGINT":
                self._abandon()
            return
        self._stopping = True
        self._emit(events.STOPPING, signal=signal_name, drain=self._drain)
        if not self.handed_over:
            self._systemd.send_state("STOPPING=1", f"STATUS=draining for at most {self._drain:g} s")
        self._closing()
        for slot in self._slots:
            # the workers' own copies stay open: what the kernel has queued is still accepted there
            slot.listener.close()
        for child in self._children:
            child.send(messages.Drain(self._drain, handover=self.handed_over))
        self._loop.call_later(self._drain + GRACE, self._kill_workers)
        self._finish_if_empty()

    @property
    def is_stopping(self) -> bool:
        """Whether this program is stopping."""
        return self._stopping

    def upgrades(self) -> None:
        """A new program is being started beside this one."""
        self._emit(events.UPGRADING)
        self._systemd.send_state("STATUS=starting the new program")

    def hand_over(self, pid: int) -> None:
        """The new program `pid` serves on the same sockets: drain, keep their names."""
        self.handed_over = True
        self._closing = lambda: None
        # systemd accepts messages only from the main process, which is this one until it gets this message
        self._systemd.send_state(f"MAINPID={pid}")
        self.stop("SIGUSR2")

    def stays(self) -> None:
        """The new program did not get ready: this one goes on unchanged."""
        self._emit(events.UPGRADE_FAILED, "error")
        self._systemd.send_state("STATUS=the new program did not start; the old one goes on")

    def reload(self, who: str) -> None:
        """Ask control to read the file again."""
        if self._control is None:
            # a control process that is being replaced reads the file when it starts
            self._emit(events.RELOAD_IGNORED, "warning", who=who, legacy_only=self._settings.legacy_only)
            return
        self._control.send(messages.Reread(who))

    # ── starting ───────────────────────────────────────────────────────────────────────────────────────

    def _start_control(self) -> None:
        if self._stopping or self._admin is None:
            return
        self._control_starts += 1
        child = self._start("control", 0, self._control_starts, self._admin)
        self._control = child
        self._take_census()
        for slot in self._slots:
            self._connect(slot)

    def _start_worker(self, slot: Slot) -> None:
        if self._stopping:
            return
        slot.incarnation += 1
        slot.child = self._start("worker", slot.number, slot.incarnation, slot.listener)
        self._connect(slot)
        self._take_census()

    def _start(self, role: str, number: int, incarnation: int, listener: socket.socket) -> Child:
        child = Child(
            self._first.pop(role) if role in self._first else launch(role),
            number,
            incarnation,
            received=self._on_message,
            exited=self._gone,
        )
        self._children.add(child)
        child.payload = self._payload
        begin = messages.Begin(number, incarnation, self._settings, self._addresses, self._payload, self._effects)
        child.send(messages.Listen(), (os.dup(listener.fileno()),))
        child.send(begin)
        self._emit(events.CHILD_STARTED, role=role, slot=number, pid=child.pid, incarnation=incarnation)
        return child

    def _connect(self, slot: Slot) -> None:
        if self._control is None or slot.child is None:
            return
        for_control, for_worker = socket.socketpair()
        attach = messages.Attach(slot.number, slot.incarnation)
        self._control.send(attach, (for_control.detach(),))
        slot.child.send(attach, (for_worker.detach(),))

    # ── messages of children ──────────────────────────────────────────────────────────────────────────────

    def _on_message(self, child: Child, message: Message) -> None:
        match message:
            case messages.Accepting():
                child.accepting = True
                self._proven = child.payload
                self._take_census()
                if self._admin is None and all(slot.state().accepting for slot in self._slots):
                    self._become_ready()
            case messages.Leaving():
                self._succeed(child)
            case messages.Keep():
                # what was set at run time stays: it comes with the next message, and under an older file it still holds
                self._payload, self._drain = message.payload, message.drain
            case messages.KeepEffects():
                self._effects = message.payload
            case messages.Replace():
                self._end(message)
            case messages.Readiness():
                self._on_readiness(message)
            case messages.Rereading():
                self._on_rereading(message)
            case _:
                pass

    def _end(self, asked: messages.Replace) -> None:
        child = self._slots[asked.slot].child
        if child is not None and child.incarnation == asked.incarnation:
            self._emit(events.CHILD_SILENT, "error", role=child.role, slot=child.slot, pid=child.pid)
            child.kill()

    def _succeed(self, child: Child) -> None:
        slot = self._slots[child.slot]
        if slot.child is child:
            slot.child = None
            self._start_worker(slot)

    def _on_readiness(self, message: messages.Readiness) -> None:
        if message.ready:
            self._become_ready()
        self._systemd.send_state("STATUS=ready" if message.ready else f"STATUS={'; '.join(message.reasons)}")

    def _on_rereading(self, message: messages.Rereading) -> None:
        if message.done:
            self._systemd.send_state("READY=1", f"STATUS={message.detail}")
        else:
            self._systemd.reloading()

    def _become_ready(self) -> None:
        if self._ready or self._stopping:
            return
        self._ready = True
        self._announce()
        self._emit(events.READY, addresses=self._addresses, workers=len(self._slots))
        self._systemd.send_state("READY=1", "STATUS=ready")

    def _take_census(self) -> None:
        if self._control is not None:
            states = tuple(slot.state() for slot in self._slots)
            restarts = self._worker_restarts
            self._control.send(messages.Census(states, restarts, self._control_starts - 1))

    # ── ends ───────────────────────────────────────────────────────────────────────────────────────────

    def _gone(self, child: Child, status: int) -> None:
        self._children.discard(child)
        hopeless = status == EXIT_HOPELESS and not self._ready
        if self._stopping or hopeless:
            self._emit(events.CHILD_EXITED, role=child.role, slot=child.slot, pid=child.pid, status=status)
            self._forget(child)
            if hopeless:
                self._abandon()
            self._finish_if_empty()
            return
        if child is self._control:
            self._control = None
            self._replace(child, status, self._control_backoff, self._start_control)
            return
        slot = self._slots[child.slot]
        if slot.child is child:
            slot.child = None
            self._go_back(child)
            self._worker_restarts += 1
            self._replace(child, status, slot.backoff, partial(self._start_worker, slot))
            self._take_census()
            return
        self._emit(events.CHILD_EXITED, role=child.role, slot=child.slot, pid=child.pid, status=status)

    def _go_back(self, child: Child) -> None:
        """Start the next one with a configuration that another served with, where this one died before it served."""
        if not child.accepting and self._proven and child.payload is self._payload is not self._proven:
            self._emit(events.FILE_DEADLY, "error", slot=child.slot, pid=child.pid)
            self._payload = self._proven

    def _replace(self, child: Child, status: int, backoff: Backoff, start: Callable[[], None]) -> None:
        wait = backoff.after(child.lived)
        self._emit(
            events.CHILD_EXITED,
            "error",
            role=child.role,
            slot=child.slot,
            pid=child.pid,
            status=status,
            wait=wait,
        )
        self._loop.call_later(wait, start)

    def _forget(self, child: Child) -> None:
        if child is self._control:
            self._control = None
        elif self._slots[child.slot].child is child:
            self._slots[child.slot].child = None

    def _finish_if_empty(self) -> None:
        workers = [child for child in self._children if child is not self._control]
        if workers or self._finished.done():
            return
        if self._control is None:
            self._finished.set_result(EXIT_YES if self._ready or self._stopping else EXIT_NO)
            return
        self._control.send(messages.Leave())
        self._loop.call_later(GRACE, self._control.kill)

    def _kill_workers(self) -> None:
        for child in list(self._children):
            if child is not self._control:
                self._emit(events.DRAIN_CUT, "warning", slot=child.slot, pid=child.pid)
                child.kill()

    def _abandon(self) -> None:
        self._stopping = True
        for child in list(self._children):
            child.kill()
        if not self._finished.done():
            self._finished.set_result(EXIT_NO)

    # ── the clock ──────────────────────────────────────────────────────────────────────────────────────

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._systemd.alive()
            for child in list(self._children):
                if child.tick():
                    self._emit(events.CHILD_SILENT, "error", role=child.role, slot=child.slot, pid=child.pid)
                    child.kill()
