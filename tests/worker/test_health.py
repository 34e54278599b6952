"""Active health: a target's state changes after so many like answers in a row (contract: backends.health)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.worker.connection_pool import Target
from proxy.worker.health_checks import question
from rules.model import Health
from rules.routing.decide import generation
from tests.support.backend import Backend, Wire, always, chunks, hang, ok, on_head
from tests.support.messages import Message
from tests.support.proxying import Proxy, RunningProxy
from tests.support.raw import get, post
from tests.support.waiting import until

QUICK = Health("/health", every=0.01, unhealthy_after=3, healthy_after=2)
SICK = ok(b"", status="503 Service Unavailable")


def target(proxy: Proxy, backend: str = "legacy", number: int = 0) -> Target:
    return proxy.server.bound.pools[backend].targets[number]


class Moody:
    """Well or not, as the test says; counts how often it was asked."""

    def __init__(self, health: bytes = ok()) -> None:
        self.health = health
        self.asked = 0

    def __call__(self, request: Message) -> bytes:
        if request.target == "/health":
            self.asked += 1
            return self.health
        return ok(b"served")

    async def asked_again(self, times: int) -> None:
        wanted = self.asked + times
        await until(lambda: self.asked >= wanted, f"{times} more checks")


async def test_a_target_is_given_up_after_three_bad_answers_and_taken_back_after_two_good_ones(
    gateway: RunningProxy,
) -> None:
    moody = Moody()
    backend = await gateway.backend(always(moody))
    proxy = await gateway.proxy(backend, health=QUICK)
    await moody.asked_again(3)
    assert target(proxy).healthy

    moody.health = SICK
    await until(lambda: not target(proxy).healthy, "the target's fall")
    moody.health = ok()
    await until(lambda: target(proxy).healthy, "the target's return")


async def test_one_bad_answer_changes_nothing(gateway: RunningProxy) -> None:
    answers = [SICK, SICK, ok(), SICK, SICK, ok()] * 3
    moody = Moody()
    backend = await gateway.backend(
        always(lambda request: answers[moody.asked % len(answers)] if moody(request) else b"")
    )
    proxy = await gateway.proxy(backend, health=QUICK)
    seen = []
    for _ in range(10):
        await moody.asked_again(1)
        seen.append(target(proxy).healthy)

    assert all(seen)


@pytest.mark.parametrize("status", ["200 OK", "204 x", "301 x", "399 x"])
async def test_what_is_well(gateway: RunningProxy, status: str) -> None:
    moody = Moody(ok(b"", status=status))
    backend = await gateway.backend(always(moody))
    proxy = await gateway.proxy(backend, health=replace(QUICK, unhealthy_after=1))
    await moody.asked_again(3)

    assert target(proxy).healthy


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"", status="404 x"),
        ok(b"", status="500 x"),
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
async def test_what_is_not_well(gateway: RunningProxy, answer: bytes) -> None:
    backend = await gateway.backend(on_head(answer))
    proxy = await gateway.proxy(backend, health=replace(QUICK, unhealthy_after=1))

    await until(lambda: not target(proxy).healthy, "the target's fall")


async def test_a_target_that_nobody_listens_at_is_not_well(gateway: RunningProxy) -> None:
    proxy = await gateway.proxy("http://127.0.0.1:1", health=QUICK)

    await until(lambda: not target(proxy).healthy, "the target's fall")


async def test_requests_go_to_the_targets_that_are_well(gateway: RunningProxy) -> None:
    sick, well = await gateway.backend(always(Moody(SICK))), await gateway.backend(always(Moody()))
    proxy = await gateway.proxy([sick, well], health=QUICK)
    await until(lambda: not target(proxy).healthy, "the target's fall")

    for _ in range(5):
        assert (await proxy.ask(post(b"x"))).body == b"served"

    assert {request.target for request in sick.requests} == {"/health"}


async def test_a_backend_without_a_health_check_is_never_asked(gateway: RunningProxy) -> None:
    backend = await gateway.backend(always(ok()))
    proxy = await gateway.proxy(backend)
    await asyncio.sleep(0.05)

    assert backend.wires == []
    assert target(proxy).healthy


async def test_a_check_says_who_asks(gateway: RunningProxy) -> None:
    moody = Moody()
    backend = await gateway.backend(always(moody))
    await gateway.proxy(backend, health=QUICK)
    await moody.asked_again(1)

    request = backend.requests[0]
    assert request.start == "GET /health HTTP/1.1"
    assert request.field("user-agent") == "strangler-health"
    assert request.field("host") == f"127.0.0.1:{backend.port}"


async def slow_body(wire: Wire) -> None:
    """A health answer that begins and never ends."""
    head = await wire.head()
    if b"/health" in head:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await wire.gone()
    wire.send(ok(b"served"))
    await wire.gone()


@pytest.mark.parametrize(
    "script", [always(Moody()), always(Moody(SICK)), slow_body], ids=["well", "sick", "endless body"]
)
async def test_checks_do_not_pile_up_connections(gateway: RunningProxy, script: object) -> None:
    """Requirement 17."""
    backend = await gateway.backend(script)  # type: ignore[arg-type]
    proxy = await gateway.proxy(backend, health=QUICK)
    await until(lambda: len(backend.wires) >= 1)
    await asyncio.sleep(0.4)

    open_now = [wire for wire in backend.wires if not wire.ended]
    assert len(open_now) <= 4
    assert target(proxy).busy <= 1


async def test_a_check_ends_with_its_backend(gateway: RunningProxy) -> None:
    """A backend that a reload dropped is left alone."""
    moody = Moody()
    old, new = await gateway.backend(always(moody)), await gateway.backend(always(ok()))
    proxy = await gateway.proxy(old, health=QUICK)
    await moody.asked_again(2)
    chosen = proxy.server.live.generation.snapshot
    backends = tuple(replace(each, urls=(new.url,), health=None) for each in chosen.backends)

    proxy.server.live.swap(generation(2, replace(chosen, backends=backends)))
    await asyncio.sleep(0.05)
    asked = moody.asked
    await asyncio.sleep(0.05)

    assert moody.asked == asked
    assert (await proxy.ask(get("/"))).status == 200


async def test_a_hanging_check_holds_nobody_up(gateway: RunningProxy) -> None:
    """Law 6: nothing a user waits for waits for a health check."""

    async def script(wire: Wire) -> None:
        head = await wire.head()
        if b"/health" in head:
            await hang(wire)
        wire.send(ok(b"served"))
        await wire.gone()

    backend = await gateway.backend(script)
    proxy = await gateway.proxy(backend, health=QUICK)
    await until(lambda: backend.wires)

    assert (await proxy.ask(get("/"))).body == b"served"


# ── what is asked, what is well ──


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://[::1]:9001", "[::1]:9001"),
        ("http://app.test:8000", "app.test:8000"),
        ("https://app.test", "app.test"),
        ("http://127.0.0.1:80", "127.0.0.1:80"),
        ("unix:/run/app.sock", "localhost"),
    ],
)
def test_the_host_of_a_check_is_that_of_the_url(url: str, host: str):
    assert f"\r\nHost: {host}\r\n".encode() in question(url, QUICK)


async def test_a_check_has_the_host_and_the_fields_that_the_file_says(gateway: RunningProxy) -> None:
    moody = Moody()
    backend = await gateway.backend(always(moody))
    checked = replace(QUICK, host="api.internal", headers=(("X-Probe", "1"), ("User-Agent", "me")))
    await gateway.proxy(backend, health=checked)
    await moody.asked_again(1)

    request = backend.requests[0]
    assert request.field("host") == "api.internal"
    assert request.field("x-probe") == "1"
    assert [value for name, value in request.fields if name.lower() == "user-agent"] == ["me"]


@pytest.mark.parametrize(("status", "well"), [("401 x", True), ("204 x", True), ("200 OK", False), ("500 x", False)])
async def test_what_is_well_is_what_the_file_says(gateway: RunningProxy, status: str, well: bool) -> None:
    moody = Moody(ok(b"", status=status))
    backend = await gateway.backend(always(moody))
    checked = replace(QUICK, unhealthy_after=1, statuses=((204, 204), (400, 404)))
    proxy = await gateway.proxy(backend, health=checked)
    await moody.asked_again(2)

    await until(lambda: target(proxy).healthy is well, "the verdict")


async def test_a_target_left_out_comes_back_by_its_health_check(gateway: RunningProxy) -> None:
    moody = Moody()
    backend = await gateway.backend(always(moody))
    proxy = await gateway.proxy(backend, health=QUICK)
    target(proxy).leave_out()

    await until(lambda: not target(proxy).out, "the target's return")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + ok(b"well"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + ok(b"", status="204 No Content"),
        chunks(b"well", end=b"0\r\nX-Sum: 1\r\n\r\n"),
    ],
    ids=["a hint first", "several first", "trailers"],
)
async def test_what_comes_before_a_checks_answer_is_none(gateway: RunningProxy, answer: bytes) -> None:
    """An application that sends early hints sends them with its health page as well."""
    moody = Moody(answer)
    backend = await gateway.backend(always(moody))
    proxy = await gateway.proxy(backend, health=replace(QUICK, unhealthy_after=1))

    await moody.asked_again(5)

    assert target(proxy).healthy


async def test_a_check_of_an_address_of_version_6_says_it_in_brackets(gateway: RunningProxy) -> None:
    backend = Backend(always(Moody()))
    try:
        await backend.start(host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    gateway.backends.append(backend)
    await gateway.proxy(f"http://[::1]:{backend.port}", health=QUICK)

    await until(lambda: len(backend.requests) > 1, "checks")
    assert {request.field("host") for request in backend.requests} == {f"[::1]:{backend.port}"}
