"""A fault of the proxy ends one request, is logged with its place, and affects no other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from proxy.http1 import RequestHead, ResponseHead
from proxy.worker.identity import Identity
from proxy.worker.transform import Translation
from rules.model import Backend, Rollout, SidePolicy
from tests.support.backend import Wire, always, chunks, hang, ok
from tests.support.clock import Clock
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.snapshots import route
from tests.support.waiting import until


class Faulty(Translation):
    """A translation with an unforeseen error in a request to /q, in a response with X-Fault."""

    def request(self, head: RequestHead, *arguments: Any) -> Any:
        assert not head.target.startswith("/q"), "in a request"
        return super().request(head, *arguments)

    def answer(self, head: ResponseHead, *arguments: Any, **more: Any) -> None:
        assert "X-Fault: 1" not in head.lines, "in an answer"
        super().answer(head, *arguments, **more)


class FaultyObserver:
    """An observer with a fault in all that it does while an answer goes on and when it ends.

    Not derived: what is interpreted cannot be from a protocol that is compiled.
    """

    def answer_began(self, *_: object) -> None:
        """Nothing goes wrong yet."""

    def answer_data(self, payload: bytes) -> None:  # noqa: ARG002 - as RequestObserver
        raise IndexError("pop from empty list")

    def finished(self) -> None:
        raise IndexError("pop from empty list")


def _unknown(head: RequestHead, _trusted: object) -> str | None:
    return json.loads("{}")["user"] if head.target == "/who" else "42"


async def faulty(gateway: RunningProxy) -> Proxy:
    backend = await gateway.backend(always(lambda request: ok(b"", "X-Fault: 1" if request.target == "/a" else "X: 1")))
    rollout = Rollout(weight=100.0, by="user", salt="all")
    proxy = await gateway.proxy(backend, backend, routes=[route(rollout=rollout)], identity=["cookie:uid"])
    bound = proxy.server.bound
    translation = Faulty(SidePolicy("modern"), Backend("modern", ("http://127.0.0.1:1",)))
    proxy.server.bound = replace(bound, identity=Identity([_unknown]), translations={"all": (None, translation)})
    return proxy


PLACES: list[tuple[str, bytes, int]] = [
    ("who asks", get("/who"), 400),
    ("who asks, with a body", post(b"x", target="/who"), 400),
    ("a request", get("/q"), 502),
    ("a request with a body", post(b"x", target="/q"), 502),
    ("an answer", get("/a"), 502),
]


@pytest.mark.both_loops
@pytest.mark.parametrize(("data", "status"), [case[1:] for case in PLACES], ids=[case[0] for case in PLACES])
async def test_a_fault_of_our_own_ends_one_request_with_an_answer(
    gateway: RunningProxy, data: bytes, status: int
) -> None:
    proxy = await faulty(gateway)
    other, client = await proxy.client(), await proxy.client()
    assert (await other.ask(get("/"))).status == 200

    answer = await client.ask(data)

    assert (answer.status, answer.closes) == (status, True)
    assert (await other.ask(get("/"))).status == 200
    told = gateway.mishaps.pop()
    assert told["message"].startswith("unforeseen: ")
    assert told["exception"].__traceback__ is not None
    assert not gateway.mishaps
    exchange = await proxy.exchange(1)
    assert (exchange.answered, exchange.status) == ("none", status)
    assert not any(attempt.failed for attempt in exchange.attempts)


async def test_a_request_that_waited_behind_another_is_guarded_as_well(gateway: RunningProxy) -> None:
    proxy = await faulty(gateway)
    client = await proxy.client()
    client.send(get("/") + get("/who") + get("/"))

    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 400
    assert await client.rest() == b""
    gateway.mishaps.clear()


async def test_a_fault_inside_an_answer_cuts_it(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(chunks(b"one", end=b"")))
    proxy = await gateway.proxy(backend, backend)
    client = await proxy.client()
    client.send(get("/"))
    await client.until(b"one")
    call = next(iter(proxy.server.clients)).call
    assert call is not None
    call.request_observer = FaultyObserver()

    backend.wires[0].send(b"3\r\ntwo\r\n")

    assert await client.gone() == "reset"
    await proxy.quiet()
    assert {str(told["exception"]) for told in gateway.mishaps} == {"pop from empty list"}
    gateway.mishaps.clear()


@pytest.mark.both_loops
@pytest.mark.parametrize("leaves", ["closes", "resets", "half-closes"])
async def test_a_fault_when_a_client_leaves_ends_its_request_and_no_other(gateway: RunningProxy, leaves: str) -> None:
    backend = await gateway.backend(hang, always(ok(b"other")))
    proxy = await gateway.proxy(backend, max_connections=2)
    client = await proxy.client()
    client.send(get("/"))
    wire = await backend.wire()
    (call,) = [each.call for each in proxy.server.clients if each.call is not None]
    call.request_observer = FaultyObserver()
    other = await proxy.client()
    assert (await other.ask(get("/"))).body == b"other"

    if leaves == "half-closes":
        client.transport.write_eof()
    elif leaves == "closes":
        client.transport.close()
    else:
        client.transport.abort()

    assert await wire.gone() in ("eof", "reset")
    assert (await other.ask(get("/"))).body == b"other"
    await proxy.quiet()
    assert gateway.mishaps.pop(0)["message"] == "unforeseen: a client's end"
    assert {str(told["exception"]) for told in gateway.mishaps} <= {"pop from empty list"}
    gateway.mishaps.clear()


class Unwritable:
    """A request with a fault where its backend takes no more for now, or takes more again."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def upstream_paused(self) -> None:
        raise IndexError("pop from empty list")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


async def test_a_fault_when_a_backend_takes_no_more_ends_one_request(gateway: RunningProxy) -> None:
    async def unread(wire: Wire) -> None:
        wire.transport.pause_reading()
        await wire.gone()

    backend = await gateway.backend(unread, always(ok(b"other")))
    proxy = await gateway.proxy(backend)
    client = await proxy.client()
    client.send(get("/", "Content-Length: 50000000", method="POST") + b"x" * 100_000)
    await backend.wire()
    (call,) = [each.call for each in proxy.server.clients if each.call is not None]
    await until(lambda: call.connection is not None, "its connection")
    assert call.connection is not None
    call.connection.requester = Unwritable(call)

    client.send(b"x" * 20_000_000)

    assert (await client.answer()).status == 502
    assert (await proxy.ask(get("/"))).body == b"other"
    assert {told["message"] for told in gateway.mishaps} == {"unforeseen: a backend's bytes"}
    gateway.mishaps.clear()


async def test_a_deadline_that_fails_stops_no_other_deadline(gateway: RunningProxy) -> None:
    backend = await gateway.backend(hang)
    proxy = await gateway.proxy(backend, clock=Clock(), timeout=2.0)
    clients = [await proxy.client() for _ in range(2)]
    for number, client in enumerate(clients):
        client.send(get("/"))
        await (await backend.wire(number)).seen(b"\r\n\r\n")
    calls = [client.call for client in proxy.server.clients if client.call is not None]
    calls[0].request_observer = FaultyObserver()

    proxy.turn(3.0)

    assert [(await client.answer()).status for client in clients] == [504, 504]
    gateway.mishaps.clear()
