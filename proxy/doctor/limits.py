"""Whether the machine lets the proxy have the descriptors, the memory and the disk that the file asks for."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject
from proxy.settings import worker_count

_SPARE = 64
_BACKLOG = 4096
_SPACE = 256 * 1024 * 1024
_MIB = 1024 * 1024


def limits(subject: Subject) -> Iterator[Found]:
    """Look at each limit."""
    yield _descriptors(subject)
    yield _backlog()
    if subject.snapshot.store.startswith("sqlite:"):
        yield _space(subject)


def _descriptors(subject: Subject) -> Found:
    """A worker holds one for each client, one for each connection to a backend, some of its own."""
    clients = subject.snapshot.listen.limits.connections
    pools = sum(backend.max_connections * len(backend.urls) for backend in subject.snapshot.backends)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + pools + _SPARE
    about = "open files"
    if not clients:
        return Found(WARNING, about, "listen.limits.connections is unlimited", "set it below the limit of open files")
    if hard != resource.RLIM_INFINITY and hard < wanted:
        advice = (
            f"LimitNOFILE={wanted} in the unit, or listen.limits.connections at most {max(1, hard - pools - _SPARE)}"
        )
        return Found(ERROR, about, f"{hard} allowed, {wanted} may be needed by one worker", advice)
    workers = worker_count(subject.snapshot.listen.workers)
    return Found(OK, about, f"{hard} allowed, at most {wanted} needed by each of {workers} workers")


def _backlog() -> Found:
    about = "net.core.somaxconn"
    try:
        allowed = int(Path("/proc/sys/net/core/somaxconn").read_text())
    except (OSError, ValueError):
        return Found(OK, about, "not known on this system")
    if allowed < _BACKLOG:
        advice = f"sysctl -w net.core.somaxconn={_BACKLOG}, or a rush of connections is refused by the kernel"
        return Found(WARNING, about, f"{allowed} connections may wait to be accepted", advice)
    return Found(OK, about, f"{allowed} connections may wait to be accepted")


def _space(subject: Subject) -> Found:
    folder = (subject.base / subject.snapshot.store.removeprefix("sqlite:")).parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    wanted = subject.snapshot.diffs.max_bytes + _SPACE
    if free < wanted:
        advice = "make room, or lower diffs.max_bytes"
        return Found(
            WARNING, "disk", f"{free // _MIB} MiB free under the store, {wanted // _MIB} may be needed", advice
        )
    return Found(OK, "disk", f"{free // _MIB} MiB free under the store")
