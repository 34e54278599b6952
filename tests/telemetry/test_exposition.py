"""What Prometheus reads is what was counted, in either of its forms."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format
from prometheus_client.samples import Exemplar as Shown
from prometheus_client.samples import Timestamp

from proxy.telemetry import metric_names
from proxy.telemetry.aggregation import Exemplar
from proxy.telemetry.exposition import render

SUMS = {
    (metric_names.REQUESTS.name, ("profile", "legacy", "live", "2xx")): (3.0,),
    (metric_names.OVERHEAD.name, ("profile",)): (1, 2, *[0] * 8, 1, 0.25),
    (metric_names.IN_FLIGHT.name, ("modern", "live")): (2.0,),
}


def samples(families) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_gauges_and_histograms_are_read_back_as_they_were():
    body, content_type = render(SUMS, "")

    read = samples(text_format(body.decode()))

    assert content_type.startswith("text/plain")
    labels = {"route": "profile", "side": "legacy", "role": "live", "code": "2xx"}
    assert read["strangler_requests_total", frozenset(labels.items())] == 3
    assert read["strangler_in_flight", frozenset({"side": "modern", "role": "live"}.items())] == 2
    route = ("route", "profile")
    assert read["strangler_overhead_seconds_bucket", frozenset({route, ("le", "5e-05")})] == 1
    assert read["strangler_overhead_seconds_bucket", frozenset({route, ("le", "0.0001")})] == 3
    assert read["strangler_overhead_seconds_bucket", frozenset({route, ("le", "+Inf")})] == 4
    assert read["strangler_overhead_seconds_sum", frozenset({route})] == 0.25


def test_openmetrics_is_spoken_to_who_asks_for_it():
    body, content_type = render(SUMS, "application/openmetrics-text; version=1.0.0")

    families = {family.name: family.type for family in open_metrics(body.decode())}

    assert content_type.startswith("application/openmetrics-text")
    assert families["strangler_requests"] == "counter"


def test_a_slow_request_leads_to_its_trace_for_who_asks_for_openmetrics():
    labels = ("profile", "modern", "live")
    place = (metric_names.DURATION.name, labels)
    sums = {place: (*[0] * 7, 4, *[0] * 7, 0.9)}
    exemplar = Exemplar(metric_names.DURATION.name, labels, 7, "ab" * 16, 0.24, 1_800_000_000.25)

    spoken, _ = render(sums, "application/openmetrics-text; version=1.0.0", {(place, 7): exemplar})
    plain, _ = render(sums, "", {(place, 7): exemplar})

    (family,) = open_metrics(spoken.decode())
    shown = {sample.labels["le"]: sample.exemplar for sample in family.samples if sample.exemplar}
    assert shown == {"0.25": Shown({"trace_id": "ab" * 16}, 0.24, Timestamp(1_800_000_000, 250_000_000))}
    assert b"trace_id" not in plain


def test_a_label_value_cannot_break_out_of_its_quotes():
    nasty = 'a"b\\c\nd'

    body, _ = render({(metric_names.FALLBACKS.name, (nasty, "status")): (1.0,)}, "")

    assert samples(text_format(body.decode())) == {
        ("strangler_fallbacks_total", frozenset({("route", nasty), ("reason", "status")})): 1
    }
