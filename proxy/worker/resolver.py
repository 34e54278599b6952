"""Looks up the names of backends, so that no request waits for another backend's name.

A look-up is a thread of its own that nothing waits for at exit: the system's resolver may take half a minute over one
name and cannot be interrupted. At most two are under way for one backend, so many for a worker.

1. a name is looked up when it is first wanted, then whenever its result is `resolve` seconds old
2. what was found is used until something else is found: a silent server, an error, an empty answer change nothing
3. an address is gone when three look-ups in a row came without it: servers that answer with some of many take turns
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

AT_ONCE: Final = 2
"""Look-ups under way for one backend."""
ALL_AT_ONCE: Final = 64
"""Look-ups under way in one process; one that is over this waits for its next turn."""
GONE_AFTER: Final = 3
AGAIN: Final = 1.0
"""Seconds until a look-up that found nothing is repeated, doubled each time up to `resolve`."""
LATE: Final = 2.0
"""Seconds without a word after which a name server is silent."""
KNOWN_AT_MOST: Final = 64
"""Addresses that are kept of one name."""

ANSWERED: Final = "answered"
FAILED: Final = "failed"
SILENT: Final = "silent"


@dataclass(frozen=True, slots=True)
class LookUp:
    """How one look-up went: `result` is answered, failed (an error, nothing found) or silent (late, reported once)."""

    backend: str
    host: str
    result: str
    addresses: tuple[str, ...]


def is_address(host: str) -> bool:
    """Whether `host` needs no look-up."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


class Name:
    """One name of one backend with what is known of it.

    `addresses` are in the order they are to be tried in; `version` grows when they change. `missed` counts look-ups
    in a row that came without an address. `due` is when it is looked up next, `began` when the one under way began
    (0: none is), `waiting` are those who need a first result. `silent` is set while its server does not answer.
    """

    __slots__ = (
        "addresses", "backend", "began", "due", "failures", "host", "keep", "late", "missed", "silent", "version",
        "waiting",
    )  # fmt: skip

    def __init__(self, backend: str, host: str, keep: float) -> None:
        self.backend = backend
        self.host = host
        self.keep = keep
        self.addresses: tuple[str, ...] = ()
        self.missed: dict[str, int] = {}
        self.version = 0
        self.due = 0.0
        self.began = 0.0
        self.failures = 0
        self.late = False
        self.silent = False
        self.waiting: list[asyncio.Future[None]] = []

    def found(self, addresses: tuple[str, ...]) -> None:
        """Take in what a look-up found; what it lacks stays known for a while, behind."""
        missed = dict.fromkeys(addresses, 0)
        for address in self.addresses:
            if address not in missed and self.missed[address] + 1 < GONE_AFTER:
                missed[address] = self.missed[address] + 1
        known = tuple(missed)[:KNOWN_AT_MOST]
        self.missed = {address: missed[address] for address in known}
        if known != self.addresses:
            self.addresses = known
            self.version += 1


class Resolver:
    """The names of one process. `_names` are those of its backends; `_under_way` counts look-ups by backend."""

    def __init__(self, clock: Callable[[], float], told: Callable[[LookUp], None] = lambda _: None) -> None:
        self._clock = clock
        self.on_result = told
        self._names: dict[tuple[str, str], Name] = {}
        self._under_way: dict[str, int] = {}

    def name(self, backend: str, host: str, keep: float) -> Name:
        """The name as this backend knows it; two backends may use the same without waiting for each other."""
        name = self._names.get((backend, host))
        if name is None:
            name = self._names[backend, host] = Name(backend, host, keep)
        name.keep = keep
        return name

    async def wait(self, name: Name) -> tuple[str, ...]:
        """The addresses of a name, as soon as any are known; empty when there are none. The caller sets the limit."""
        if not name.addresses:
            future = asyncio.get_running_loop().create_future()
            name.waiting.append(future)
            if not name.began:
                self._start(name)
            try:
                await future
            finally:
                if future in name.waiting:
                    name.waiting.remove(future)
        return name.addresses

    def refresh(self, name: Name, now: float) -> None:
        """Look the name up again where that is due; a server that does not answer is reported."""
        if name.began:
            if now - name.began > LATE and not name.late:
                name.late = True
                self._report_result(name, SILENT)
        elif now >= name.due or name.waiting:
            self._start(name)

    def keep_only(self, names: Iterable[Name]) -> None:
        """Forget every other name."""
        wanted = set(names)
        self._names = {key: name for key, name in self._names.items() if name in wanted}

    def _start(self, name: Name) -> None:
        under_way = self._under_way
        if under_way.get(name.backend, 0) >= AT_ONCE or sum(under_way.values()) >= ALL_AT_ONCE:
            return  # the next turn of the clock tries again
        under_way[name.backend] = under_way.get(name.backend, 0) + 1
        name.began = self._clock() or 1e-9
        name.late = False
        loop = asyncio.get_running_loop()
        work = threading.Thread(target=self._look_up, args=(loop, name), name=f"resolve {name.backend}", daemon=True)
        try:
            work.start()
        except RuntimeError:
            self._done(name, ())  # no more threads

    def _look_up(self, loop: asyncio.AbstractEventLoop, name: Name) -> None:
        try:
            found = socket.getaddrinfo(name.host, None, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        except (OSError, UnicodeError):
            addresses = ()
        try:
            loop.call_soon_threadsafe(self._done, name, addresses)
        except RuntimeError:
            return  # the loop is closed, the process leaves

    def _done(self, name: Name, addresses: tuple[str, ...]) -> None:
        self._under_way[name.backend] -= 1
        name.began = 0.0
        now = self._clock()
        if addresses:
            name.failures = 0
            name.due = now + name.keep
            name.found(addresses)
        else:
            name.due = now + min(AGAIN * 2**name.failures, max(name.keep, AGAIN))
            name.failures = min(name.failures + 1, 10)
        self._report_result(name, ANSWERED if addresses else FAILED)
        waiting, name.waiting = name.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _report_result(self, name: Name, result: str) -> None:
        name.silent = result != ANSWERED
        self.on_result(LookUp(name.backend, name.host, result, name.addresses))
