"""One trace runs through the client, the live request, the copy; a slow request can be looked up."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

from tests.support.backend import Backend, always, ok
from tests.support.messages import Message
from tests.support.running import Running, config, running
from tests.support.waiting import until

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SHADOW = "modern (shadow)"
ASKED_AGAIN = {"legacy (shadow)"}  # the two responses differ: a slow collector gets the re-check as well
THEIRS = f"traceparent: 00-{TRACE}-{CALLER}-01"
FRESH = "Accept: application/openmetrics-text; version=1.0.0"


def spans(collector: Backend) -> dict[str, Any]:
    """Whatever an OTLP collector was sent, by span id."""
    found = {}
    for request in collector.requests:
        for resource in ExportTraceServiceRequest.FromString(body(request)).resource_spans:
            for scope in resource.scope_spans:
                found.update({span.span_id.hex(): span for span in scope.spans})
    return found


def services(collector: Backend) -> set[str]:
    """Who says to have sent them."""
    return {
        each.value.string_value
        for request in collector.requests
        for resource in ExportTraceServiceRequest.FromString(body(request)).resource_spans
        for each in resource.resource.attributes
        if each.key == "service.name"
    }


def body(request: Message) -> bytes:
    return gzip.decompress(request.body) if request.field("Content-Encoding") == "gzip" else request.body


def mirrored(legacy: Backend, modern: Backend) -> str:
    return config(legacy.url, modern.url).replace("    rollout:", "    shadow: {sample: 100%}\n    rollout:")


async def a_copy(proxy: Running, modern: Backend) -> None:
    """Ask until there is one: a worker that has just started may have enough to do."""
    for _ in range(50):
        await proxy.get("/api/me", THEIRS)
        with contextlib.suppress(AssertionError):
            await until(lambda: modern.requests, "a copy", seconds=0.5)
            return
    raise AssertionError("nothing was ever mirrored")


def parents(collector: Backend) -> set[str]:
    """Those who are named as parents by ours, the caller aside."""
    return {span.parent_span_id.hex() for span in spans(collector).values()} - {CALLER}


async def test_one_trace_runs_through_client_live_leg_and_copy(tmp_path: Path, legacy: Backend, modern: Backend):
    collector = Backend(always(ok(b"", "Content-Type: application/x-protobuf")))
    await collector.start()
    collected = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    async with running(tmp_path, mirrored(legacy, modern), **collected) as proxy:
        await a_copy(proxy, modern)
        await until(lambda: SHADOW in {span.name for span in spans(collector).values()}, "the copy's span")
        await until(lambda: spans(collector).keys() >= parents(collector), "the call's own span")
        lost = await proxy.metric("strangler_spans_lost_total")
    await collector.stop()

    told = spans(collector)
    copy = next(span for span in told.values() if span.name == SHADOW)
    own = told[copy.parent_span_id.hex()]
    legs = {span.name: span for span in told.values() if span.parent_span_id == own.span_id}
    assert own.parent_span_id.hex() == CALLER
    assert {span.trace_id.hex() for span in told.values()} == {TRACE}
    assert legs.keys() - ASKED_AGAIN == {"legacy", SHADOW}
    for leg, side in zip((legs["legacy"], copy), (legacy, modern), strict=True):
        heard = [request.field("traceparent") for request in side.requests]
        assert f"00-{TRACE}-{leg.span_id.hex()}-01" in heard
    assert path(own) == "/api/me"
    assert services(collector) == {"strangler"}
    assert lost == 0


def path(span: Any) -> str:
    return next(each.value.string_value for each in span.attributes if each.key == "url.path")


async def test_a_collector_that_is_gone_is_told_of_and_users_do_not_notice(tmp_path: Path, legacy: Backend):
    gone = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    async with running(tmp_path, config(legacy.url), **gone) as proxy:
        answer = await proxy.get("/api/me")
        await proxy.event("spans_lost")

        assert answer.status == 200
        assert await proxy.metric("strangler_spans_lost_total") == 1


async def test_without_a_collector_a_callers_trace_passes_untouched(tmp_path: Path, legacy: Backend):
    async with running(tmp_path, config(legacy.url)) as proxy:
        await proxy.get("/api/me", THEIRS)

        assert legacy.requests[0].field("traceparent") == THEIRS.partition(": ")[2]
        text = (await proxy.admin("/metrics", FRESH)).body.decode()
    exemplars = [
        sample.exemplar.labels for family in open_metrics(text) for sample in family.samples if sample.exemplar
    ]
    assert exemplars == [{"trace_id": TRACE}]
