"""The supervisor's main: load once, open the sockets, keep the children running, exit with a code."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

from proxy.ipc.codec import LOADER, Inbox, Loaded
from proxy.settings import EXIT_NO, Address, CannotStartError, Settings, parse_address, worker_count
from proxy.supervisor import sockets
from proxy.supervisor.launch import Launched
from proxy.supervisor.process_manager import Notifier, ProcessManager
from proxy.supervisor.sockets import Inherited, Successor, adopted, inherited, report_ready
from proxy.telemetry import events as telemetry_events
from proxy.telemetry.events import Events, events


def supervise(workers: str, loading: subprocess.Popen[bytes], first: Mapping[str, Launched]) -> int:
    """Run the proxy on what `loading` prints, with `workers` (empty: as the file says); `first` have been started."""
    loaded = load(loading)
    if isinstance(loaded, int):
        return loaded
    emit = events("supervisor")
    try:
        return asyncio.run(_keep(loaded.settings, loaded.payload, workers, emit, first))
    except CannotStartError as error:
        sys.stderr.write(f"strangler: {error}\n")
        return EXIT_NO
    finally:
        emit(telemetry_events.STOPPED)
        emit.close()


def load(loading: subprocess.Popen[bytes]) -> Loaded | int:
    """Return the file, checked by the process `loading`, or that process's exit code."""
    printed, _ = loading.communicate()
    if loading.returncode != 0:
        return loading.returncode if loading.returncode > 0 else EXIT_NO
    inbox = Inbox(LOADER)
    inbox.feed(printed)
    message = inbox.next_message()
    if not isinstance(message, Loaded):
        raise CannotStartError("the configuration could not be read")
    return message


async def _keep(settings: Settings, payload: bytes, workers: str, emit: Events, first: Mapping[str, Launched]) -> int:
    loop = asyncio.get_running_loop()
    left = inherited()
    listeners, users = _users(settings, left)
    try:
        admin, operators = _operators(settings, left)
    except CannotStartError:
        if left is None:
            sockets.forget(users)
        raise
    addresses = (str(users), str(operators or ""))
    line = _ready_line(settings, users, operators)
    emit(
        telemetry_events.STARTING,
        pid=os.getpid(),
        config=settings.config,
        workers=len(listeners),
        listen=str(users),
        admin=addresses[1],
        legacy_only=settings.legacy_only,
    )

    def announce() -> None:
        _print(line)
        report_ready(left)

    manager = ProcessManager(
        settings,
        payload,
        listeners=listeners,
        admin=admin,
        addresses=addresses,
        announce=announce,
        closing=lambda: sockets.forget(users),
        emit=emit,
        systemd=Notifier(),
        first=first,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, manager.stop, signal.Signals(number).name)
    loop.add_signal_handler(signal.SIGHUP, manager.reload, "SIGHUP")
    successor = Successor(settings.config, workers, manager.hand_over, manager.stays)
    loop.add_signal_handler(signal.SIGUSR2, _succeed, successor, manager, listeners, admin, addresses)
    try:
        return await manager.run()
    finally:
        if operators is not None and not manager.handed_over:
            sockets.forget(operators)


def _users(settings: Settings, left: Inherited | None) -> tuple[list[socket.socket], Address]:
    """The users' sockets: those of the previous program, unless the file names another address now."""
    wanted, count = parse_address(settings.listen, settings.base_dir), worker_count(settings.workers)
    if left is not None and _is_meant(wanted, left.listen):
        return adopted(left, count)
    return sockets.listen_shared(wanted, count, owner=sockets.Owner(settings.mode, settings.group))


def _operators(settings: Settings, left: Inherited | None) -> tuple[socket.socket | None, Address | None]:
    if settings.legacy_only:
        return None, None
    wanted = parse_address(settings.admin, settings.base_dir)
    if left is not None and left.operators >= 0 and _is_meant(wanted, left.admin):
        return socket.socket(fileno=left.operators), parse_address(left.admin)
    return sockets.listen_alone(wanted)


def _is_meant(wanted: Address, open_there: str) -> bool:
    """Whether a socket's address is what the file asks for; port 0 is any."""
    there = parse_address(open_there)
    return wanted == there or (wanted.port == 0 and not wanted.path and wanted.host == there.host)


def _succeed(
    successor: Successor,
    manager: ProcessManager,
    listeners: list[socket.socket],
    admin: socket.socket | None,
    addresses: tuple[str, str],
) -> None:
    if successor.is_starting or manager.is_stopping:
        return
    manager.upgrades()
    users, operators = addresses
    successor.start(users, [one.fileno() for one in listeners], operators, -1 if admin is None else admin.fileno())


def _ready_line(settings: Settings, users: Address, operators: Address | None) -> str:
    said = f"strangler ready: {users.url('https' if settings.tls else 'http')} (users)"
    return (
        f"{said} {operators.url('https' if settings.admin_tls else 'http')} (admin)"
        if operators
        else f"{said}, all users on legacy, no admin"
    )


def _print(line: str) -> None:
    # not through sys.stdout, which keeps what a full disk refuses and fails with it when the program ends
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())
