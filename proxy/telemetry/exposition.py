"""Writes the sums in the form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as Shown

from proxy.telemetry.aggregation import Exemplar, Key, Latest, Values
from proxy.telemetry.metric_names import COUNTER, HISTOGRAM, METRICS, Metric

NO_EXEMPLARS: Latest = MappingProxyType({})


def render(sums: Mapping[Key, Values], accept: str, exemplars: Latest = NO_EXEMPLARS) -> tuple[bytes, str]:
    """Return the exposition of `sums` with its content type, as `accept` prefers.

    Exemplars are written for scrapers that accept OpenMetrics; Prometheus' older text has no place for them.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Sums(sums, exemplars))
    encoder, content_type = choose_encoder(accept)
    write: Callable[[CollectorRegistry], bytes] = encoder
    return write(registry), content_type


class _Sums(Collector):
    """Yields the sums, one family for each known metric. Immutable."""

    def __init__(self, sums: Mapping[Key, Values], exemplars: Latest) -> None:
        self._exemplars = exemplars
        self._by_name: dict[str, list[tuple[tuple[str, ...], Values]]] = {}
        for (name, labels), values in sorted(sums.items()):
            self._by_name.setdefault(name, []).append((labels, values))

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            rows = self._by_name.get(metric.name)
            if rows:
                yield _family(metric, rows, self._exemplars)


def _family(metric: Metric, rows: Iterable[tuple[tuple[str, ...], Values]], exemplars: Latest) -> Family:
    if metric.kind == HISTOGRAM:
        return _histogram(metric, rows, exemplars)
    kind: Any = CounterMetricFamily if metric.kind == COUNTER else GaugeMetricFamily
    family: Family = kind(metric.name, metric.help, labels=metric.labels)
    add: Callable[[tuple[str, ...], float], None] = family.add_metric  # type: ignore[attr-defined]  # both families have it
    for labels, values in rows:
        add(labels, values[0])
    return family


def _histogram(metric: Metric, rows: Iterable[tuple[tuple[str, ...], Values]], exemplars: Latest) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    add: Any = family.add_metric  # the library's type hints leave out that an exemplar may be missing
    bounds = [*(repr(bound) for bound in metric.bounds), "+Inf"]
    for labels, values in rows:
        place = metric.name, labels
        buckets = [
            (bound, count, _shown(exemplars.get((place, number))))
            for number, (bound, count) in enumerate(zip(bounds, accumulate(values[:-1]), strict=True))
        ]
        add(labels, buckets, values[-1])
    return family


def _shown(exemplar: Exemplar | None) -> Shown | None:
    if exemplar is None:
        return None
    return Shown({"trace_id": exemplar.trace}, exemplar.value, round(exemplar.at, 3))
