"""Each attempt of a recorded request has a span of its own, which its backend gets."""

from __future__ import annotations

from tests.support import raw
from tests.support.backend import always, ok
from tests.support.proxying import RunningProxy

THEIRS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_rescue_is_a_second_attempt_in_the_callers_trace(gateway: RunningProxy):
    legacy = await gateway.backend(always(ok()))
    modern = await gateway.backend(always(ok(status="500 Broken")))
    proxy = await gateway.proxy(legacy, modern)
    proxy.server.traced = lambda traceparent: traceparent == THEIRS

    await proxy.ask(raw.get("/", f"traceparent: {THEIRS}", "tracestate: vendor=1"))

    record = await proxy.exchange()
    assert len(record.span) == 15
    first, second = modern.requests[0], legacy.requests[0]
    assert first.field("traceparent") == f"{THEIRS[:36]}{record.span}1-01"
    assert second.field("traceparent") == f"{THEIRS[:36]}{record.span}2-01"
    assert second.field("tracestate") == "vendor=1"


async def test_a_request_whose_id_has_another_form_has_one_trace_on_both_sides(gateway: RunningProxy):
    legacy = await gateway.backend(always(ok()))
    modern = await gateway.backend(always(ok(status="500 Broken")))
    proxy = await gateway.proxy(legacy, modern, trusted=["127.0.0.1"])

    await proxy.ask(raw.get("/", "X-Request-Id: order-42"))

    traces = {(side.requests[0].field("traceparent") or "")[3:35] for side in (legacy, modern)}
    assert len(traces) == 1
    assert (await proxy.exchange()).span == ""
