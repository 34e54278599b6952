"""Failures, where both sides got the request, are counted apart from differences."""

from __future__ import annotations

import pytest

from rules.model import Fallback
from tests.support import raw
from tests.support.backend import Wire, always, hang, ok
from tests.support.clock import Clock
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy

FINE, BROKEN = ok(b"same"), ok(b"same", status="500 Internal Server Error")
DECLINE = ok(b"", "X-Strangler-Decline: 1")


async def close(wire: Wire) -> None:
    await wire.head()
    wire.close()


@pytest.mark.parametrize("weight", [0.0, 100.0])
@pytest.mark.parametrize(
    ("legacy", "modern", "failures"),
    [
        (FINE, FINE, (False, False)),
        (FINE, BROKEN, (True, False)),
        (BROKEN, FINE, (False, True)),
        (BROKEN, BROKEN, (True, True)),
    ],
)
async def test_a_server_error_is_a_failure_whoever_is_live(
    gateway: RunningProxy, legacy: bytes, modern: bytes, failures: tuple[bool, bool], weight: float
):
    sides = await gateway.backend(always(legacy)), await gateway.backend(always(modern))
    mirror = await mirroring(gateway, *sides, weight=weight, route={"fallback": Fallback(mode="none")})

    became = await mirror.became(raw.get())

    assert mirror.records[0].failures == failures
    assert became == (("equal", "") if legacy == modern else ("sent", "status"))


async def test_a_live_side_that_fails_is_counted_with_the_copy(gateway: RunningProxy):
    legacy, modern = await gateway.backend(close), await gateway.backend(always(FINE))
    mirror = await mirroring(gateway, legacy, modern)

    became = await mirror.became(raw.get())

    assert became == ("not_compared", "live_failed")
    assert mirror.records[0].failures == (False, True)


async def test_a_rescued_request_is_not_compared(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(FINE)), await gateway.backend(close)
    mirror = await mirroring(gateway, legacy, modern, weight=100.0)

    answer = await mirror.ask()
    record = await mirror.record()

    assert answer.status == 200
    assert (record.reason, record.failures) == ("fallback", None)


async def test_a_side_that_declines_a_copy_has_not_failed(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(FINE)), await gateway.backend(always(DECLINE))
    mirror = await mirroring(gateway, legacy, modern)

    assert await mirror.became(raw.get()) == ("not_compared", "declined")
    assert mirror.records[0].failures is None


async def test_a_copy_that_times_out_where_the_live_side_took_as_long_has_not_failed(gateway: RunningProxy):
    legacy, modern = await gateway.backend(hang), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern, clock=Clock(), timeout=5.0)
    client = await mirror.proxy.client()
    client.send(raw.get())
    await (await legacy.wire()).seen(b"\r\n\r\n")
    await (await modern.wire()).seen(b"\r\n\r\n")

    mirror.proxy.turn(6.0)
    legacy.wires[0].send(FINE)
    await client.answer()
    record = await mirror.record()

    assert (record.reason, record.failures) == ("shadow_timeout", None)


async def test_a_kept_connection_that_the_side_had_closed_is_nobodys_failure(gateway: RunningProxy):
    async def once(wire: Wire) -> None:
        await wire.request()
        wire.send(FINE)
        await wire.head()
        wire.close()

    legacy, modern = await gateway.backend(always(FINE)), await gateway.backend(once)
    mirror = await mirroring(gateway, legacy, modern)
    await mirror.became(raw.get())

    became = await mirror.became(raw.get())

    assert became == ("not_compared", "stale")
    assert (mirror.records[1].failures, mirror.records[1].calls) == (None, ())


async def test_a_copy_is_never_repeated(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(FINE)), await gateway.backend(close)
    mirror = await mirroring(gateway, legacy, modern)

    became = await mirror.became(raw.get())

    assert became == ("not_compared", "shadow_failed")
    assert len(modern.wires) == 1


async def test_a_copy_that_the_worker_cannot_wait_for_is_nobodys_failure(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ok())), await gateway.backend(hang)
    mirror = await mirroring(gateway, legacy, modern)
    await mirror.ask()
    await modern.wire()

    mirror.proxy.server.stop_accepting()
    await mirror.proxy.server.drained(0)

    (record,) = mirror.records
    assert (record.result, record.reason, record.failures) == ("not_compared", "shed", None)
