"""The supervisor's main: load once, open the sockets, keep the children, leave with an exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys

from proxy.errors import EXIT_NO, CannotStartError
from proxy.link.wire import Inbox
from proxy.log import names
from proxy.log.events import Events, events
from proxy.settings import Address, Settings, parse_address, worker_count
from proxy.supervisor import sockets
from proxy.supervisor.child import command, environment
from proxy.supervisor.keeper import Keeper
from proxy.supervisor.loaded import LOADER, Loaded
from proxy.supervisor.systemd import Notifier


def main(arguments: list[str]) -> int:
    """Run the proxy on the file `arguments[0]` with `arguments[1]` workers (empty: as the file says)."""
    path, workers = arguments
    loaded = load(path, workers)
    if isinstance(loaded, int):
        return loaded
    tell = events("supervisor")
    try:
        return asyncio.run(_keep(loaded.settings, loaded.payload, tell))
    except CannotStartError as error:
        sys.stderr.write(f"strangler: {error}\n")
        return EXIT_NO
    finally:
        tell(names.STOPPED)
        tell.close()


def load(path: str, workers: str = "") -> Loaded | int:
    """Return the file, checked by a process of its own, or that process's exit code.

    The checking libraries need more memory than all of the supervisor; they leave with that process.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own module
        command("load", path, workers), stdout=subprocess.PIPE, env=environment(), check=False
    )
    if done.returncode != 0:
        return done.returncode if done.returncode > 0 else EXIT_NO
    inbox = Inbox(LOADER)
    inbox.feed(done.stdout)
    message = inbox.take()
    if not isinstance(message, Loaded):
        raise CannotStartError("the configuration could not be read")
    return message


async def _keep(settings: Settings, payload: bytes, tell: Events) -> int:
    loop = asyncio.get_running_loop()
    listeners, users = sockets.listen_shared(
        parse_address(settings.listen, settings.base_dir), worker_count(settings.workers)
    )
    admin: socket.socket | None = None
    operators: Address | None = None
    if not settings.legacy_only:
        try:
            admin, operators = sockets.listen_alone(parse_address(settings.admin, settings.base_dir))
        except CannotStartError:
            sockets.forget(users)
            raise
    addresses = (str(users), str(operators or ""))
    line = _ready_line(settings, users, operators)
    tell(
        names.STARTING,
        pid=os.getpid(),
        config=settings.config,
        workers=len(listeners),
        listen=str(users),
        admin=addresses[1],
        legacy_only=settings.legacy_only,
    )
    keeper = Keeper(
        settings,
        payload,
        listeners=listeners,
        admin=admin,
        addresses=addresses,
        announce=lambda: _print(line),
        closing=lambda: sockets.forget(users),
        tell=tell,
        systemd=Notifier(),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, keeper.stop, signal.Signals(number).name)
    loop.add_signal_handler(signal.SIGHUP, keeper.reload, "SIGHUP")
    try:
        return await keeper.run()
    finally:
        if operators is not None:
            sockets.forget(operators)


def _ready_line(settings: Settings, users: Address, operators: Address | None) -> str:
    said = f"strangler ready: {users.url('https' if settings.tls else 'http')} (users)"
    return f"{said} {operators.url()} (admin)" if operators else f"{said}, everybody on legacy, no admin"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
