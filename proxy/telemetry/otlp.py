"""Sends spans to an OTLP collector by OpenTelemetry's own exporter; the one module that loads it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from proxy.settings import program_version
from proxy.telemetry.spans import SERVER, Span

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_WELL, _FAILED = Status(StatusCode.UNSET), Status(StatusCode.ERROR)
_KINDS = {True: SpanKind.SERVER, False: SpanKind.CLIENT}


class Otlp:
    """An exporter; endpoint, headers, time limit, service name come from OpenTelemetry's variables."""

    def __init__(self) -> None:
        # errors of the collector are logged once by the proxy itself, and counted
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        version = program_version()
        self._exporter = OTLPSpanExporter()
        self._resource = Resource.create({"service.version": version})
        if str(self._resource.attributes["service.name"]).startswith("unknown_service"):
            self._resource = self._resource.merge(Resource({"service.name": "strangler"}))
        self._scope = InstrumentationScope("strangler", version)

    def send(self, spans: Sequence[Span]) -> bool:
        """Send; False when they were not accepted. It waits, at most as long as OTEL_EXPORTER_OTLP_TIMEOUT says."""
        done = self._exporter.export([self._readable(span) for span in spans])
        return done is SpanExportResult.SUCCESS

    def close(self) -> None:
        """Cancel retries."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]  # theirs

    def _readable(self, span: Span) -> ReadableSpan:
        return ReadableSpan(
            span.name,
            context=_context(span.trace, span.span, remote=False),
            parent=_context(span.trace, span.parent, remote=span.kind == SERVER) if span.parent else None,
            resource=self._resource,
            attributes=span.values,
            kind=_KINDS[span.kind == SERVER],
            status=_FAILED if span.failed else _WELL,
            start_time=int(span.began * 1e9),
            end_time=int(span.ended * 1e9),
            instrumentation_scope=self._scope,
        )


def _context(trace: str, span: str, *, remote: bool) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=remote, trace_flags=_SAMPLED)
