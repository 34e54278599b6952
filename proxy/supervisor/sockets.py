"""Opens listening sockets, hands them to a successor (binary upgrade)."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from proxy.ipc.internal_commands import command, environment
from proxy.settings import Address, AddressTakenError, CannotStartError, parse_address
from proxy.supervisor.launch import VARIABLE

_BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Owner:
    """The access to a Unix socket: its `mode` (octal digits) and `group`, empty: as the process makes files."""

    mode: str = ""
    group: str = ""


AS_IT_COMES = Owner()
OURS_ALONE = Owner("0600")


def listen_shared(
    address: Address, count: int, key: str = "listen.address", owner: Owner = AS_IT_COMES
) -> tuple[list[socket.socket], Address]:
    """Return one listening socket for each of `count` workers, with the real address for port 0.

    Over TCP the kernel spreads connections over the sockets (SO_REUSEPORT). The first one is bound without
    that option, so that a second proxy on the address fails here, whatever options its owner uses. A Unix
    socket cannot be opened twice: there all workers share one.
    """
    if address.path:
        shared = _listen_unix(address, key, owner)
        return [shared, *(shared.dup() for _ in range(count - 1))], address
    first = _bind_tcp(address, key, reuse_port=False)
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _listen(first, address, key)
    real = Address(address.host, first.getsockname()[1])
    sockets = [first]
    for _ in range(count - 1):
        further = _bind_tcp(real, key, reuse_port=True)
        _listen(further, real, key)
        sockets.append(further)
    return sockets, real


def listen_alone(address: Address, key: str = "admin.address") -> tuple[socket.socket, Address]:
    """Return one listening socket that is not shared, with its real address; of a Unix one mode 0600."""
    sockets, real = listen_shared(address, 1, key, OURS_ALONE)
    return sockets[0], real


def forget(address: Address) -> None:
    """Remove the name of a Unix socket, so that the next client fails at once instead of waiting."""
    if address.path:
        Path(address.path).unlink(missing_ok=True)


def _bind_tcp(address: Address, key: str, *, reuse_port: bool) -> socket.socket:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise CannotStartError(f"{address.host} has no address: {error.strerror} ({key})") from error
    family, kind, protocol, _, where = found[0]
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind(where)
    except OSError as error:
        sock.close()
        raise _failure(error, address, key) from error
    return sock


def _listen(sock: socket.socket, address: Address, key: str) -> None:
    # two proxies may both have bound before either listens; only one of them gets past this line
    try:
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _failure(error, address, key) from error


def _failure(error: OSError, address: Address, key: str) -> CannotStartError:
    if error.errno == errno.EADDRINUSE:
        return AddressTakenError(str(address), key)
    return CannotStartError(f"cannot listen on {address}: {error.strerror} ({key})")


def _listen_unix(address: Address, key: str, owner: Owner) -> socket.socket:
    _clear_stale(address, key)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind_unix(sock, address.path, owner)
        sock.listen(_BACKLOG)
    except CannotStartError:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise _failure(error, address, key) from error
    return sock


def _bind_unix(sock: socket.socket, path: str, owner: Owner) -> None:
    """Create the file, inaccessible to others until its owner and mode are set.

    Before `listen` no connection succeeds.
    """
    if not (owner.mode or owner.group):
        sock.bind(path)
        return
    before = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(before)
    try:
        if owner.group:
            shutil.chown(path, group=owner.group)
        Path(path).chmod(int(owner.mode, 8) if owner.mode else 0o666 & ~before)
    except (OSError, LookupError) as error:
        Path(path).unlink(missing_ok=True)
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStartError(f"{path} cannot be given to group {owner.group or '-'}: {why} (listen.group)") from error


def _clear_stale(address: Address, key: str) -> None:
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise CannotStartError(f"{address.path} exists and is no socket ({key})")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            Path(address.path).unlink(missing_ok=True)
        except OSError as error:
            raise CannotStartError(f"cannot find the owner of {address.path}: {error.strerror} ({key})") from error
        else:
            raise AddressTakenError(str(address), key)


# Hands the listening sockets from a running program to its successor (SIGUSR2).
#
# 1. the old supervisor starts the new program beside itself: same file, same sockets, the end of a pipe
# 2. the new one loads, starts its children on those sockets, reports through the pipe that it is ready
# 3. the old one closes its sockets, drains, leaves; should the new one end before that, nothing has changed
#
# At every moment one of them accepts from the kernel's queue. The admin port belongs to the new program from 3 on.


START_WITHIN = 120.0
"""Seconds after which a new program that is neither ready nor gone is ended; the old one goes on."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the old program passed on: its sockets with the addresses they were opened for."""

    listen: str
    listeners: tuple[int, ...]
    admin: str
    operators: int
    ready: int

    def text(self) -> str:
        """As written to the environment."""
        numbers = ",".join(map(str, self.listeners))
        return "\n".join((self.listen, numbers, self.admin, str(self.operators), str(self.ready)))


def inherited() -> Inherited | None:
    """Take over what an old program passed on, if any; children of this process must not see it again."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return None
    listen, numbers, admin, operators, ready = text.split("\n")
    found = Inherited(listen, tuple(map(int, numbers.split(","))), admin, int(operators), int(ready))
    for number in (*found.listeners, found.operators, found.ready):
        if number >= 0:
            os.set_inheritable(number, False)  # noqa: FBT003 - the os API
    return found


def adopted(left: Inherited, count: int) -> tuple[list[socket.socket], Address]:
    """The users' sockets for `count` workers: as many as were passed on, further ones shared with the first."""
    sockets = [socket.socket(fileno=number) for number in left.listeners]
    for further in sockets[count:]:
        further.close()
    kept = sockets[:count]
    kept += [kept[number % len(sockets)].dup() for number in range(count - len(kept))]
    return kept, parse_address(left.listen)


class Successor:
    """The new program, as long as it has neither become ready nor failed. `_process` is there from `start` on."""

    def __init__(self, config: str, workers: str, ready: Callable[[int], None], failed: Callable[[], None]) -> None:
        self._arguments = command("supervise", config, workers)
        self._ready = ready
        self._failed = failed
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        self._limit: asyncio.TimerHandle | None = None

    @property
    def is_starting(self) -> bool:
        """Whether the last one that was started has neither become ready nor ended."""
        return self._pipe >= 0

    def start(self, users: str, listeners: Sequence[int], operators: str, admin: int) -> None:
        """Start it on copies of these sockets; `ready` or `failed` is called once."""
        self._pipe, theirs = os.pipe()
        left = Inherited(users, tuple(listeners), operators, admin, theirs)
        passed = [number for number in (*listeners, admin, theirs) if number >= 0]
        environ = {**environment(), VARIABLE: left.text()}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                self._arguments, pass_fds=passed, stdin=subprocess.DEVNULL, env=environ
            )
        finally:
            os.close(theirs)
        loop = asyncio.get_running_loop()
        loop.add_reader(self._pipe, self._on_ready)
        self._limit = loop.call_later(START_WITHIN, self._process.kill)

    def _on_ready(self) -> None:
        said = os.read(self._pipe, 16)
        asyncio.get_running_loop().remove_reader(self._pipe)
        if self._limit is not None:
            self._limit.cancel()
        os.close(self._pipe)
        self._pipe = -1
        if said and self._process is not None:
            self._ready(self._process.pid)
        else:
            self._failed()


def report_ready(left: Inherited | None) -> None:
    """Report to the old program, once, that this one has taken over."""
    if left is not None:
        os.write(left.ready, b"ready")
        os.close(left.ready)
