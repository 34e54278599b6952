"""Names of backends: looked up apart, kept, dropped when they are gone (contract: Retries; backends.resolve)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from proxy.telemetry import events
from proxy.telemetry.metric_names import LOOKUPS
from proxy.worker.resolver import Name
from rules.model import Health
from tests.support import snapshots
from tests.support.backend import Backend, always, hang, ok
from tests.support.clock import Clock
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import breathe, until


class NameServer:
    """What names mean; one that is silent answers when the test is over."""

    def __init__(self) -> None:
        self.names: dict[str, tuple[str, ...]] = {}
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.over = threading.Event()

    def __call__(self, host: Any, *_: Any, **__: Any) -> Any:
        self.asked.append(host)
        if host in self.silent:
            self.over.wait(30)
        if not self.names.get(host):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in self.names[host]]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server)
    yield server
    server.over.set()


async def looked_up(proxy: Proxy, seconds: float) -> None:
    """Let time pass, and what is due be looked up."""
    server, names = proxy.server, [name for pool in proxy.server.bound.pools.values() for name in pool.names()]
    before = sum(server.counted[key] for key in server.counted if key[0] is LOOKUPS)
    proxy.turn(seconds)
    await until(lambda: sum(server.counted[key] for key in server.counted if key[0] is LOOKUPS) > before, "a look-up")
    await until(lambda: not any(name.began for name in names), "its end")
    proxy.turn(0.0)


async def test_a_silent_name_server_for_modern_costs_legacy_nothing(gateway: RunningProxy, server: NameServer) -> None:
    """Neither by requests nor by shadows or health checks at weight 0."""
    legacy = await gateway.backend(always(ok(b"legacy")))
    server.names = {"legacy.test": ("127.0.0.1",)}
    server.silent = {"modern.test"}
    health = Health("/health", every=0.01)
    proxy = await gateway.proxy(
        f"http://legacy.test:{legacy.port}", "http://modern.test:1", connect_timeout=0.2, health=health
    )
    loop = asyncio.get_running_loop()
    began = loop.time()

    answers = await asyncio.gather(*(proxy.ask(post(b"x")) for _ in range(8)))

    assert [answer.body for answer in answers] == [b"legacy"] * 8
    assert loop.time() - began < 5.0
    assert server.asked.count("modern.test") <= 2


async def test_at_most_two_look_ups_of_one_backend_are_under_way(gateway: RunningProxy, server: NameServer) -> None:
    legacy = await gateway.backend(always(ok()))
    server.silent = {f"m{number}.test" for number in range(5)}
    modern = [f"http://m{number}.test:1" for number in range(5)]
    proxy = await gateway.proxy(legacy, modern, clock=Clock(), connect_timeout=0.2)
    for _ in range(4):
        await proxy.ask(get("/"))
        proxy.turn(0.1)

    assert len(server.asked) == 2


async def test_what_was_found_is_used_while_the_server_has_nothing_to_say(
    gateway: RunningProxy, server: NameServer
) -> None:
    """NXDOMAIN, an error, an empty answer: silence. An event says so, another that it is over."""
    backend = await gateway.backend(always(ok(b"served")))
    server.names = {"app.test": ("127.0.0.1",)}
    told: list[str] = []
    proxy = await gateway.proxy(f"http://app.test:{backend.port}", clock=Clock(), resolve=30.0, max_age=1.0)
    proxy.server.emit = lambda event, *_, **__: told.append(event)
    await proxy.ask(get("/"))

    server.names = {}
    for _ in range(6):
        await looked_up(proxy, 30.1)
        assert (await proxy.ask(get("/"))).body == b"served"
    server.names = {"app.test": ("127.0.0.1",)}
    await looked_up(proxy, 30.1)

    assert told == [events.NAME_SILENT, events.NAME_ANSWERED]
    assert proxy.server.counted[LOOKUPS, ("legacy", "failed")] == 6


async def test_a_server_that_does_not_answer_at_all_is_told_of(gateway: RunningProxy, server: NameServer) -> None:
    backend = await gateway.backend(always(ok()))
    server.names = {"app.test": ("127.0.0.1",)}
    told: list[str] = []
    proxy = await gateway.proxy(f"http://app.test:{backend.port}", clock=Clock(), resolve=5.0)
    await proxy.ask(get("/"))
    proxy.server.emit = lambda event, *_, **__: told.append(event)

    server.silent = {"app.test"}
    proxy.turn(5.1)
    proxy.turn(2.1)
    proxy.turn(2.1)

    assert told == [events.NAME_SILENT]
    assert proxy.server.counted[LOOKUPS, ("legacy", "silent")] == 1
    assert (await proxy.ask(get("/"))).status == 200


async def test_a_name_that_moves_takes_its_requests_along(gateway: RunningProxy, server: NameServer) -> None:
    """New connections at once; kept ones when the old address was missing three times."""
    old = await gateway.backend(always(ok(b"old")))
    server.names = {"app.test": ("127.0.0.1",)}
    proxy = await gateway.proxy(f"http://app.test:{old.port}", clock=Clock(), resolve=10.0)
    new = await elsewhere(gateway, old.port)
    client = await proxy.client()
    assert (await client.ask(get("/"))).body == b"old"

    server.names = {"app.test": ("127.0.0.2",)}
    await looked_up(proxy, 10.1)
    fresh = (await proxy.ask(post(b"x"))).body  # a write takes no connection that has been idle
    for _ in range(2):
        await looked_up(proxy, 10.1)

    assert fresh == b"new"
    assert await old.wires[0].gone() in ("eof", "reset")
    assert {(await proxy.ask(get("/"))).body for _ in range(5)} == {b"new"}
    assert len(new.wires) >= 1


async def elsewhere(gateway: RunningProxy, port: int) -> Backend:
    """Another machine at the same port."""
    backend = Backend(always(ok(b"new")))
    await backend.start(host="127.0.0.2", port=port)
    gateway.backends.append(backend)
    return backend


async def test_busy_connections_to_an_address_that_is_gone_finish(gateway: RunningProxy, server: NameServer) -> None:
    backend = await gateway.backend(hang)
    server.names = {"app.test": ("127.0.0.1",)}
    proxy = await gateway.proxy(f"http://app.test:{backend.port}", clock=Clock(), resolve=1.0, timeout=600.0)
    client = await proxy.client()
    client.send(get("/"))
    wire = await backend.wire()
    await wire.seen(b"\r\n\r\n")

    server.names = {"app.test": ("127.0.0.9",)}
    for _ in range(4):
        await looked_up(proxy, 1.1)
    wire.send(ok(b"in the end"))

    assert (await client.answer()).body == b"in the end"
    assert await wire.gone() in ("eof", "reset")


async def test_a_shadow_knows_what_live_requests_looked_up(gateway: RunningProxy, server: NameServer) -> None:
    backend = await gateway.backend(always(ok()))
    server.names = {"app.test": ("127.0.0.1",)}
    url = f"http://app.test:{backend.port}"
    proxy = await gateway.proxy(url, url, clock=Clock(), routes=[snapshots.route(weight=0.0)])
    for _ in range(5):
        await proxy.ask(get("/"))
        proxy.turn(0.1)
        await breathe()

    assert len(server.asked) <= 2  # one for each backend


# ── what is known of a name ──


def test_answers_that_take_turns_cause_no_churn():
    """Two of four addresses each time, as round-robin servers do."""
    name = Name("legacy", "app.test", 30.0)
    answers = [("a", "b"), ("c", "d"), ("b", "c"), ("d", "a")]
    for number in range(40):
        name.found(answers[number % 4])
    version = name.version
    known = set(name.addresses)

    for number in range(40):
        name.found(answers[number % 4])
        assert set(name.addresses) == known == {"a", "b", "c", "d"}
    assert version > 0


def test_an_address_is_gone_when_three_answers_in_a_row_lack_it():
    name = Name("legacy", "app.test", 30.0)
    name.found(("old",))
    seen = []
    for _ in range(3):
        name.found(("new",))
        seen.append(name.addresses)

    assert seen == [("new", "old"), ("new", "old"), ("new",)]


@pytest.mark.parametrize(
    "found",
    [("127.0.0.2", "127.0.0.2", "127.0.0.1"), ("127.0.0.2",) * 9 + ("127.0.0.1",), ("127.0.0.2", "127.0.0.1") * 3],
    ids=["twice", "many times", "in turns"],
)
async def test_an_address_that_an_answer_repeats_is_tried_once(
    gateway: RunningProxy, server: NameServer, found: tuple[str, ...]
) -> None:
    """Attempts are counted: those at a dead address, repeated, leave none for the other."""
    backend = await gateway.backend(always(ok(b"served")))
    server.names = {"app.test": found}
    proxy = await gateway.proxy(f"http://app.test:{backend.port}", retries=1)

    assert (await proxy.ask(post(b"x"))).body == b"served"
