"""Whether the proxy can listen at the file's addresses."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject
from proxy.settings import Address, parse_address

_FIRST_UNPRIVILEGED = 1024


def ports(subject: Subject) -> Iterator[Found]:
    """Try both addresses; an address that is taken is fine while our own proxy runs."""
    for key, text in (("listen", subject.snapshot.listen.address), ("admin", subject.snapshot.admin.address)):
        yield _tried(f"{key}.address", parse_address(text, subject.base), subject)
    if subject.runs:
        yield _running(subject)


def _running(subject: Subject) -> Found:
    own = subject.snapshot.digest
    if subject.runs == own:
        return Found(OK, "proxy", f"runs this file ({own})")
    return Found(
        WARNING, "proxy", f"runs {subject.runs}, this file is {own}", "strangler reload --wait, or undo the edit"
    )


def _tried(about: str, address: Address, subject: Subject) -> Found:
    try:
        _bind(address)
    except OSError as error:
        return _refused(about, address, error, subject)
    if about == "admin.address" and not address.is_loopback:
        if subject.snapshot.admin.tls is None:
            return Found(
                WARNING,
                about,
                f"{address} can be reached from other machines without TLS: tokens travel in clear",
                "set admin.tls, or listen on 127.0.0.1 behind nginx",
            )
        return Found(
            WARNING, about, f"{address} can be reached from other machines", "let a firewall or nginx guard it"
        )
    return Found(OK, about, f"{address} is free")


def _bind(address: Address) -> None:
    if address.path:
        folder = Path(address.path).parent
        if not folder.is_dir():
            raise OSError(errno.ENOENT, f"there is no folder {folder}")
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address.host, address.port))


def _refused(about: str, address: Address, error: OSError, subject: Subject) -> Found:
    if error.errno == errno.EADDRINUSE:
        if subject.running:
            return Found(OK, about, f"{address} is held by the running proxy")
        return Found(
            ERROR, about, f"{address} is taken by another process", f"find it with ss -ltnp 'sport = :{address.port}'"
        )
    if error.errno == errno.EACCES and address.port < _FIRST_UNPRIVILEGED:
        return Found(
            ERROR,
            about,
            f"{address} is a privileged port",
            "use nginx in front, or AmbientCapabilities=CAP_NET_BIND_SERVICE",
        )
    return Found(ERROR, about, f"{address}: {error.strerror}", "name an address of this machine")
