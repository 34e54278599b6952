"""A whole data path on real sockets, in the test's own process, with everything it needs around it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Self

from proxy.state.identity_keys import Keys
from proxy.state.live import Live
from proxy.telemetry.records import Exchange, Observers
from proxy.worker.server import Server
from rules.model import LEGACY, MODERN, BackendTls, Buffer, Fallback, Limits, Route, Snapshot
from rules.routing.decide import generation
from tests.support import raw, snapshots
from tests.support.backend import Backend, Script
from tests.support.cached_heads import check_and_forget
from tests.support.clock import Clock
from tests.support.messages import Message
from tests.support.waiting import until


class Proxy:
    """A running server; `exchanges` are all calls it has finished."""

    def __init__(
        self, gateway: RunningProxy, server: Server, listening: socket.socket, address: tuple[str, int] | str
    ) -> None:
        self.gateway = gateway
        self.server = server
        self.listening = listening
        self.address = address
        self.exchanges: list[Exchange] = []
        self.observer_failures: list[BaseException] = []

    async def client(self, tls: ssl.SSLContext | None = None) -> raw.RawClient:
        """A fresh connection to the proxy."""
        client = await raw.connect(self.address, tls)
        self.gateway.clients.append(client)
        return client

    async def ask(self, data: bytes, method: str = "GET") -> Message:
        """One answer over a connection of its own."""
        client = await self.client()
        answer = await client.ask(data, method)
        client.close()
        return answer

    async def exchange(self, number: int = 0) -> Exchange:
        """The record of that number, as soon as it is there."""
        await until(lambda: len(self.exchanges) > number, f"exchange {number}")
        return self.exchanges[number]

    def turn(self, seconds: float) -> None:
        """Let time pass; look at the deadlines as the loop would."""
        clock = self.server.clock
        assert isinstance(clock, Clock), "start this proxy with a hand-turned clock"
        clock.turn(seconds)
        self.server.sweep()

    async def quiet(self) -> None:
        """Wait until no call is in flight."""
        await until(lambda: not any(client.call for client in self.server.clients), "every call's end")


class RunningProxy:
    """Everything one test starts; all of it ends with the test, and unseen errors fail it."""

    def __init__(self) -> None:
        self.clients: list[raw.RawClient] = []
        self.proxies: list[Proxy] = []
        self.backends: list[Backend] = []
        self.mishaps: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: self.mishaps.append(context))
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self.clients:
            client.transport.abort()
        for _ in range(100):
            await asyncio.sleep(0)
            if not any(proxy.server.clients for proxy in self.proxies):
                break
        for proxy in self.proxies:
            proxy.server.stop_accepting()
            await proxy.server.drained(0)
            proxy.listening.close()
        for backend in self.backends:
            await backend.stop()
        for backend in self.backends:
            if backend.errors:
                raise backend.errors[0]
        assert not self.mishaps, self.mishaps
        for proxy in self.proxies:
            assert not proxy.observer_failures
            assert proxy.server.in_flight == {LEGACY: 0, MODERN: 0}
            assert proxy.server.shadows.sender.in_flight == {LEGACY: 0, MODERN: 0}
            assert proxy.server.shadows.budget.held == 0
        check_and_forget()

    async def backend(self, *scripts: Script, path: str = "", tls: ssl.SSLContext | None = None) -> Backend:
        """A scripted backend."""
        backend = Backend(*scripts)
        await backend.start(path=path, tls=tls)
        self.backends.append(backend)
        return backend

    async def proxy(
        self,
        legacy: Backend | str | Sequence[Backend | str],
        modern: Backend | str | Sequence[Backend | str] | None = None,
        *,
        routes: Sequence[Route] | None = None,
        fallback: Fallback | None = None,
        limits: Limits | None = None,
        buffer: Buffer | None = None,
        trusted: Sequence[str] = (),
        identity: Sequence[str] = (),
        clock: Callable[[], float] = monotonic,
        listen: str = "",
        tls: ssl.SSLContext | None = None,
        base: Path = Path(),
        tls_of_backends: BackendTls | None = None,
        **options: Any,
    ) -> Proxy:
        """A server in front of `legacy`; with `modern`, everything goes there. `options` go to every backend."""
        backends = {LEGACY: urls(legacy)}
        if modern is not None:
            backends[MODERN] = urls(modern)
            routes = (snapshots.route(fallback=fallback),) if routes is None else routes
        if tls_of_backends is not None:
            options["tls"] = tls_of_backends
        chosen = snapshots.snapshot(
            backends,
            routes=routes or (),
            limits=limits,
            buffer=buffer,
            trusted=trusted,
            identity=identity,
            options=options,
        )
        return await self.serve(chosen, clock=clock, listen=listen, tls=tls, base=base)

    async def serve_sticky(self, modern: Backend, chosen: Route, trusted: Sequence[str] = ()) -> Proxy:
        """A server that hands out cookies to users whom nothing else identifies; `modern` is both sides."""
        backends = {LEGACY: [modern.url], MODERN: [modern.url]}
        identified = snapshots.snapshot(backends, routes=[chosen], trusted=trusted, identity=["sticky"])
        return await self.serve(identified, keys=Keys(sticky=b"k" * 32))

    async def serve(
        self,
        chosen: Snapshot,
        *,
        clock: Callable[[], float] = monotonic,
        listen: str = "",
        tls: ssl.SSLContext | None = None,
        base: Path = Path(),
        keys: Keys = Keys(),  # noqa: B008 - frozen
    ) -> Proxy:
        """A server that follows one snapshot."""
        listening, address = listen_on(listen)
        failures: list[BaseException] = []
        observers = Observers(failures.append)
        server = Server(Live(generation(1, chosen)), observers, tls_context=tls, base_dir=base, clock=clock, keys=keys)
        proxy = Proxy(self, server, listening, address)
        proxy.observer_failures = failures
        observers.add_observer(proxy.exchanges.append)
        await server.start(listening.dup())
        self.proxies.append(proxy)
        return proxy


def urls(backends: Backend | str | Sequence[Backend | str]) -> list[str]:
    listed = [backends] if isinstance(backends, Backend | str) else backends
    return [backend if isinstance(backend, str) else backend.url for backend in listed]


def listen_on(path: str) -> tuple[socket.socket, tuple[str, int] | str]:
    """A listening socket on a free port, or at `path`; `[::]` is one of both families, reached by IPv4 here."""
    if path == "[::]":
        listening = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4096)
        listening.setblocking(False)
        return listening, ("127.0.0.1", listening.getsockname()[1])
    if path:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(path)
    else:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
    listening.setblocking(False)
    listening.listen(4096)
    return listening, path or listening.getsockname()
