"""A write is copied only to a backend that discards it, and confirms that each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from proxy.telemetry import events
from proxy.worker.shadow.sender import WRITES
from rules.model import BodyEdit, SidePolicy
from tests.support import raw
from tests.support.backend import Wire, always, hang, ok, on_head
from tests.support.messages import Message
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy

METHODS = ("GET", "HEAD", "POST")
CONFIRM = "X-Shadow-Dry-Run: 1"
DONE = ok(b"done")
FORM = "Content-Type: application/x-www-form-urlencoded"


def honest(request: Message) -> bytes:
    """Whoever keeps copies without effects."""
    return ok(b"done", CONFIRM) if request.field("X-Shadow") == "1" else DONE


async def dry(gateway: RunningProxy, modern: Callable[[Message], bytes], **settings) -> Mirroring:
    legacy, other = await gateway.backend(always(DONE)), await gateway.backend(always(modern))
    return await mirroring(gateway, legacy, other, methods=METHODS, writes="dry_run", **settings)


async def test_a_write_is_copied_after_a_probe_over_the_same_connection(gateway: RunningProxy):
    mirror = await dry(gateway, honest)

    became = [await mirror.became(raw.post(b"a=1", FORM, target="/orders")) for _ in range(2)]

    modern = gateway.backends[1]
    assert became == [("equal", "")] * 2
    assert len(modern.wires) == 1
    assert [request.method for request in modern.requests] == ["OPTIONS", "POST", "POST"]
    assert {request.field("X-Shadow") for request in modern.requests} == {"1"}
    assert modern.requests[1].body == b"a=1"


@pytest.mark.parametrize(
    ("asked", "wanted", "sent"), [("POST", "PUT", "PUT"), ("POST", "PATCH", "PATCH"), ("GET", "PUT", "GET")]
)
async def test_a_copy_has_the_method_that_its_side_wants(gateway: RunningProxy, asked: str, wanted: str, sent: str):
    """Contract: `modern: {method: PUT}`; a safe request never becomes one that is not."""
    mirror = await dry(gateway, honest, route={"modern": SidePolicy("modern", method=wanted)})

    became = await mirror.became(raw.get("/orders/1", "Content-Length: 0", method=asked))

    assert became == ("equal", "")
    assert [request.method for request in gateway.backends[0].requests] == [asked]
    assert [request.method for request in gateway.backends[1].requests if request.method != "OPTIONS"] == [sent]


@pytest.mark.parametrize(("asked", "wanted"), [("POST", "GET"), ("DELETE", "GET"), ("POST", "PUT")])
async def test_where_only_reads_are_copied_both_methods_have_to_be_safe(gateway: RunningProxy, asked: str, wanted: str):
    legacy, modern = await gateway.backend(always(DONE)), await gateway.backend(always(DONE))
    mirror = await mirroring(gateway, legacy, modern, route={"modern": SidePolicy("modern", method=wanted)})

    await mirror.proxy.ask(raw.get("/", method=asked), asked)
    await mirror.proxy.quiet()

    assert [wire.requests for wire in modern.wires] == []


async def test_every_connection_is_probed_anew(gateway: RunningProxy):
    mirror = await dry(gateway, honest)
    modern = gateway.backends[1]
    await mirror.became(raw.post(b"a=1", FORM))

    modern.wires[0].close()
    await mirror.proxy.quiet()
    await mirror.became(raw.post(b"a=2", FORM))
    await mirror.became(raw.post(b"a=3", FORM))

    last = modern.wires[-1].requests
    assert len(modern.wires) == 2
    assert last[0].method == "OPTIONS"


@pytest.mark.parametrize("answer", [DONE, ok(b"", "X-Shadow-Dry-Run: 0"), ok(b"", status="404 Not Found")])
async def test_without_a_confirmed_probe_no_write_is_ever_sent_and_that_is_told(gateway: RunningProxy, answer: bytes):
    mirror = await dry(gateway, lambda _: answer)

    became = [await mirror.became(raw.post(b"a=1", FORM)) for _ in range(2)]

    assert became == [("not_compared", "dry_run"), ("not_compared", "writes_off")]
    assert [request.method for request in gateway.backends[1].requests] == ["OPTIONS"]
    ((event, fields),) = mirror.events
    assert (event, fields["backend"]) == (events.SHADOW_WRITES_OFF, "modern")


async def test_one_answer_without_confirmation_ends_copies_of_writes_not_of_reads(gateway: RunningProxy):
    mirror = await dry(gateway, lambda request: ok(b"done", CONFIRM) if request.method == "OPTIONS" else DONE)

    became = [await mirror.became(raw.post(b"a=1", FORM)) for _ in range(2)]
    read = await mirror.became(raw.get())

    assert became == [("not_compared", "dry_run"), ("not_compared", "writes_off")]
    assert read == ("equal", "")


async def test_a_reload_lets_a_backend_confirm_anew(gateway: RunningProxy):
    confirming: list[bool] = []
    mirror = await dry(gateway, lambda request: honest(request) if confirming else DONE)
    await mirror.became(raw.post(b"a=1", FORM))
    confirming.append(True)
    server = mirror.proxy.server

    server.shadows.sender.apply_backends(server.bound.generation.snapshot.backends)

    assert await mirror.became(raw.post(b"a=1", FORM)) == ("equal", "")


async def test_an_idempotency_key_of_a_copy_cannot_use_up_the_live_one(gateway: RunningProxy):
    mirror = await dry(gateway, honest)

    await mirror.became(raw.post(b"a=1", FORM, "Idempotency-Key: k1"))
    await mirror.became(raw.post(b"a=1", FORM, 'Idempotency-Key: "k2"'))
    await mirror.became(raw.post(b"a=1", FORM, "idempotency_key: k3"))

    legacy, modern = gateway.backends
    assert modern.requests[-1].field("idempotency_key") == "shadow-k3"
    modern.wires[0].requests.pop()
    legacy.wires[0].requests.pop()
    assert [request.field("Idempotency-Key") for request in legacy.requests] == ["k1", '"k2"']
    assert [request.field("Idempotency-Key") for request in modern.requests[1:]] == ["shadow-k1", '"shadow-k2"']


async def test_a_write_is_never_copied_to_legacy(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(DONE)), await gateway.backend(always(DONE))
    mirror = await mirroring(gateway, legacy, modern, weight=100.0, methods=METHODS, writes="dry_run")

    await mirror.proxy.ask(raw.post(b"a=1", FORM))
    await mirror.became(raw.get("/read"))

    assert [request.target for request in legacy.requests] == ["/read"]


async def test_an_isolated_backend_gets_writes_unasked_and_modern_none(gateway: RunningProxy):
    legacy, modern, copy = [await gateway.backend(always(DONE)) for _ in range(3)]
    mirror = await mirroring(
        gateway, legacy, modern, methods=METHODS, writes="isolated", backend="copy", others={"copy": copy}
    )

    became = await mirror.became(raw.post(b"a=1", FORM))

    assert became == ("equal", "")
    assert [request.body for request in copy.requests] == [b"a=1"]
    assert modern.wires == []


async def test_a_copied_write_is_put_into_the_words_of_its_side(gateway: RunningProxy):
    words = SidePolicy("modern", path="/v2/orders", body=BodyEdit(convert="form_to_json"))
    mirror = await dry(gateway, honest, route={"modern": words})

    await mirror.became(raw.post(b"a=1", FORM))

    request = gateway.backends[1].requests[-1]
    assert [each.target for each in gateway.backends[1].requests] == ["/v2/orders"] * 2
    assert request.body == b'{"a":"1"}'
    assert request.field("Content-Type") == "application/json"


async def test_what_cannot_be_put_into_the_words_of_a_side_is_not_copied(gateway: RunningProxy):
    words = SidePolicy("modern", body=BodyEdit(convert="form_to_json"))
    mirror = await dry(gateway, honest, route={"modern": words})

    assert await mirror.became(raw.post(b"\xff\xff", FORM)) == ("not_compared", "untranslatable")


async def test_an_upload_above_the_cap_is_not_copied_and_arrives_whole(gateway: RunningProxy):
    mirror = await dry(gateway, honest, max_body=1000)
    body = bytes(5000)

    became = await mirror.became(raw.post(body, "Content-Type: application/octet-stream"))

    assert became == ("not_compared", "body_cap")
    assert [request.body for request in gateway.backends[0].requests] == [body]
    assert gateway.backends[1].wires == []


@pytest.mark.parametrize("when", ["concurrent", "after"])
async def test_half_a_body_is_never_copied(gateway: RunningProxy, when: str):
    early = on_head(ok(status="413 Content Too Large"))
    legacy, modern = await gateway.backend(early), await gateway.backend(always(honest))
    mirror = await mirroring(gateway, legacy, modern, methods=METHODS, writes="dry_run", when=when)
    half = b"half" * 20_000

    became = await mirror.became(raw.get("/", "Content-Length: 100000", method="POST") + half)

    assert became == ("not_compared", "client_gone")
    assert modern.wires == []


async def test_a_side_that_never_reads_a_large_copy_holds_up_nobody(gateway: RunningProxy):
    async def deaf(wire: Wire) -> None:
        await wire.request()
        wire.send(ok(b"", CONFIRM))
        wire.transport.pause_reading()
        await wire.gone()

    legacy, modern = await gateway.backend(always(DONE)), await gateway.backend(deaf)
    mirror = await mirroring(gateway, legacy, modern, methods=METHODS, writes="dry_run", max_body=32 << 20, timeout=0.3)
    client = await mirror.proxy.client()
    body = bytes(16 << 20)

    answers = [await client.ask(raw.post(body)), await client.ask(raw.post(b""))]
    await mirror.record(1)

    assert [answer.status for answer in answers] == [200, 200]
    assert [record.reason for record in mirror.records] == ["shadow_timeout"] * 2


async def test_a_write_pair_goes_to_control_once_and_cannot_be_asked_again(gateway: RunningProxy):
    mirror = await dry(gateway, lambda _: ok(b"other", CONFIRM))
    await mirror.became(raw.post(b"a=1", FORM))

    (pair,) = mirror.pairs
    mirror.proxy.server.shadows.rechecks.again(pair.id)

    assert (pair.method, pair.modern.body) == ("POST", b"other")
    assert getattr(mirror.sent[-1], "reason", "") == "gone"


async def test_a_side_that_dies_of_a_copy_has_failed(gateway: RunningProxy):
    async def fragile(wire: Wire) -> None:
        await wire.request()
        wire.send(ok(b"", CONFIRM))
        await wire.request()
        wire.close()

    legacy, modern = await gateway.backend(always(DONE)), await gateway.backend(fragile)
    mirror = await mirroring(gateway, legacy, modern, methods=METHODS, writes="dry_run")

    assert await mirror.became(raw.post(b"a=1", FORM)) == ("not_compared", "shadow_failed")
    assert mirror.records[0].failures == (True, False)


async def test_a_probe_that_gets_no_answer_switches_nothing_off(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(DONE)), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern, methods=METHODS, writes="dry_run", timeout=0.2)

    became = [await mirror.became(raw.post(b"a=1", FORM)) for _ in range(2)]

    assert became == [("not_compared", "shadow_timeout")] * 2
    assert mirror.events == []


async def test_a_write_that_waits_for_a_connection_does_not_trust_what_another_found_out(gateway: RunningProxy):
    """The pool hands a connection on before the probe's answer is looked at."""
    mirror = await dry(gateway, lambda _: DONE)
    pool = mirror.proxy.server.shadows.sender._pools.pool(mirror.route.targets["modern"], WRITES)
    pool.backend = replace(pool.backend, max_connections=1)
    clients = [await mirror.proxy.client() for _ in range(2)]

    for client in clients:
        client.send(raw.post(b"a=1", FORM))
    await mirror.record(1)

    assert "POST" not in [request.method for request in gateway.backends[1].requests]
