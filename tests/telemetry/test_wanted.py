"""Spans are made only where they are collected."""

from __future__ import annotations

import pytest

from proxy.telemetry.spans import is_wanted, share

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        (COLLECTOR, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({"STRANGLER_OTEL": "1"}, True),
        ({**COLLECTOR, "STRANGLER_OTEL": "0"}, False),
        ({**COLLECTOR, "OTEL_SDK_DISABLED": "true"}, False),
        ({**COLLECTOR, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_opentelemetrys_own_variables_decide(environ: dict[str, str], wanted: bool):
    assert is_wanted(environ) == wanted


@pytest.mark.parametrize(
    ("sampler", "argument", "kept"),
    [("", "", 1.0), ("parentbased_traceidratio", "0.25", 0.25), ("always_off", "", 0.0), ("traceidratio", "much", 1.0)],
)
def test_a_share_may_be_enough(sampler: str, argument: str, kept: float):
    assert share({"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}) == kept
