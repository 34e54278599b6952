"""Says whether traces are recorded, by the variables that OpenTelemetry's own programs obey."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

SWITCH = "STRANGLER_OTEL"
"""1: record, to whatever the exporter's own default is; 0: do not, whatever else is set."""
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SHARE = "OTEL_TRACES_SAMPLER_ARG"
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether somebody collects spans: an OTLP endpoint is named, or the switch is on."""
    switch = environ.get(SWITCH, "").strip().lower()
    if switch in _NO or environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp").strip() not in ("", "otlp"):
        return False
    return switch in _YES or any(environ.get(name, "").strip() for name in _ENDPOINTS)


def is_installed() -> bool:
    """Whether the extra `otel` is there; nothing of it is loaded."""
    try:
        return find_spec("opentelemetry.sdk") is not None and find_spec("opentelemetry.exporter.otlp.proto") is not None
    except ModuleNotFoundError:
        return False


def share(environ: Mapping[str, str]) -> float:
    """Return how many of the traces that begin here are recorded, 0 to 1; those of a caller follow the caller."""
    sampler = environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if sampler.endswith("always_off"):
        return 0.0
    if not sampler.endswith("traceidratio"):
        return 1.0
    try:
        return min(max(float(environ.get(_SHARE, "1")), 0.0), 1.0)
    except ValueError:
        return 1.0
