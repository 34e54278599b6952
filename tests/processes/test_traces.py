"""One trace runs through the client, the live leg, the copy; a request that was slow can be looked up."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

from tests.support.backend import Backend, always, ok
from tests.support.running import config, running
from tests.support.waiting import until

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
THEIRS = f"traceparent: 00-{TRACE}-{CALLER}-01"
FRESH = "Accept: application/openmetrics-text; version=1.0.0"


def spans(collector: Backend) -> dict[str, Any]:
    """Whatever an OTLP collector was sent, by span id."""
    found = {}
    for request in collector.requests:
        body = gzip.decompress(request.body) if request.field("Content-Encoding") == "gzip" else request.body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                found.update({span.span_id.hex(): span for span in scope.spans})
    return found


def mirrored(legacy: Backend, modern: Backend) -> str:
    return config(legacy.url, modern.url).replace("    rollout:", "    shadow: {sample: 100%}\n    rollout:")


async def test_one_trace_runs_through_client_live_leg_and_copy(tmp_path: Path, legacy: Backend, modern: Backend):
    collector = Backend(always(ok(b"", "Content-Type: application/x-protobuf")))
    await collector.start()
    collected = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    async with running(tmp_path, mirrored(legacy, modern), **collected) as proxy:
        await proxy.get("/api/me", THEIRS)
        await until(lambda: len(spans(collector)) == 3, "the call, its live leg, its copy")
        lost = await proxy.metric("strangler_spans_lost_total")
    await collector.stop()

    told = spans(collector)
    (own,) = [span for span in told.values() if span.parent_span_id.hex() == CALLER]
    legs = {span.name: span for span in told.values() if span.parent_span_id == own.span_id}
    assert {span.trace_id.hex() for span in told.values()} == {TRACE}
    assert legs.keys() == {"legacy", "modern (shadow)"}
    heard = {
        name: side.requests[0].field("traceparent") for name, side in zip(sorted(legs), (legacy, modern), strict=True)
    }
    assert heard == {name: f"00-{TRACE}-{span.span_id.hex()}-01" for name, span in legs.items()}
    assert path(own) == "/api/me"
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
