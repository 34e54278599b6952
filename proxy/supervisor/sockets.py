"""Opens the listening sockets, which outlive every process that accepts from them."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

from proxy.errors import AddressTakenError, CannotStartError
from proxy.settings import Address

_BACKLOG = 4096


def listen_shared(address: Address, count: int, key: str = "listen.address") -> tuple[list[socket.socket], Address]:
    """Return one listening socket for each of `count` workers, with the address that came of port 0.

    Over TCP the kernel spreads connections over the sockets (SO_REUSEPORT). The first one is bound without
    that option, so that a second proxy on the address fails here, whatever options its owner uses. A Unix
    socket cannot be opened twice: there all workers share one.
    """
    if address.path:
        shared = _listen_unix(address, key)
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
    """Return one listening socket that is shared with nobody, with its real address."""
    sockets, real = listen_shared(address, 1, key)
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


def _listen_unix(address: Address, key: str) -> socket.socket:
    _clear_stale(address, key)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(address.path)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise _failure(error, address, key) from error
    return sock


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
            raise CannotStartError(f"cannot tell who owns {address.path}: {error.strerror} ({key})") from error
        else:
            raise AddressTakenError(str(address), key)
