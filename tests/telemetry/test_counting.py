"""A worker counts each request once, sends what changed, and everything to a new receiver."""

from __future__ import annotations

from proxy.telemetry import metric_names
from proxy.telemetry.aggregation import Exemplar
from proxy.telemetry.worker_metrics import Counts, gauges
from tests.support.exchanges import attempt, exchange


def rows(counts: Counts) -> dict[tuple[str, tuple[str, ...]], tuple[float, ...]]:
    return {(name, labels): values for name, labels, values in counts.changed()}


def test_a_call_is_counted_once_under_the_side_that_answered():
    counts = Counts()
    counts.observe(exchange(attempt("modern", 502), attempt("legacy"), fallback="status"))

    told = rows(counts)

    assert told[metric_names.REQUESTS.name, ("profile", "legacy", "live", "2xx")] == (1,)
    assert not any(labels[:2] == ("profile", "modern") for _, labels in told)
    assert told[metric_names.UPSTREAM_ERRORS.name, ("modern", "status")] == (1,)
    assert told[metric_names.FALLBACKS.name, ("profile", "status")] == (1,)


def test_an_answer_of_the_proxy_itself_has_no_side():
    counts = Counts()
    counts.observe(exchange(attempt("legacy", 0, "connect"), answered="none", status=502))

    told = rows(counts)

    assert told[metric_names.REQUESTS.name, ("profile", "none", "live", "5xx")] == (1,)
    assert told[metric_names.UPSTREAM_ERRORS.name, ("legacy", "connect")] == (1,)


def test_a_clients_hang_up_and_a_decline_are_nobodys_error():
    counts = Counts()
    counts.observe(exchange(attempt("modern", 0, "client"), status=499))
    counts.observe(exchange(attempt("modern", 200, "declined"), attempt("legacy"), fallback="declined"))

    assert not any(name == metric_names.UPSTREAM_ERRORS.name for name, _ in rows(counts))


def test_durations_fall_into_the_bucket_whose_bound_they_reach():
    counts = Counts()
    for seconds in (0.001, 0.0011, 99.0):
        counts.observe(exchange(duration=seconds))

    *buckets, total = rows(counts)[metric_names.DURATION.name, ("profile", "legacy", "live")]

    assert [number for number, count in enumerate(buckets) if count] == [0, 1, len(metric_names.DURATION_BOUNDS)]
    assert total == 0.001 + 0.0011 + 99.0


def test_a_tunnel_is_counted_but_not_timed():
    counts = Counts()
    counts.observe(exchange(attempt("modern", 101), duration=3600.0, tunnel=True))

    told = rows(counts)

    assert told[metric_names.REQUESTS.name, ("profile", "modern", "live", "1xx")] == (1,)
    assert sum(told[metric_names.DURATION.name, ("profile", "modern", "live")]) == 0


def test_only_what_changed_is_told_and_everything_to_a_new_listener():
    counts = Counts()
    counts.observe(exchange())
    counts.observe(exchange(route="other"))
    first = rows(counts)
    quiet = rows(counts)
    counts.observe(exchange(route="other"))
    changed = rows(counts)
    counts.resend()

    assert quiet == {}
    assert {labels[0] for _, labels in changed} == {"other"}
    assert rows(counts).keys() == first.keys()


def test_the_slowest_call_since_the_last_look_stands_for_its_series():
    counts = Counts()
    for number, seconds in enumerate((0.02, 0.3, 0.04)):
        counts.observe(exchange(duration=seconds, request_id=f"{number + 1:032x}", at=1_800_000_000.0))
    counts.observe(exchange(attempt("modern"), duration=0.02, request_id="f" * 32))
    counts.observe(exchange(attempt("modern", 101), duration=9.0, tunnel=True))

    first = counts.exemplars()

    labels = ("profile", "legacy", "live")
    assert Exemplar(metric_names.DURATION.name, labels, 8, f"{2:032x}", 0.3, 1_800_000_000.3) in first
    assert [(each.labels[1], each.value) for each in first] == [("legacy", 0.3), ("modern", 0.02)]
    assert counts.exemplars() == []


def test_routes_that_left_the_file_are_forgotten():
    counts = Counts()
    counts.observe(exchange(route="gone"))
    counts.keep_only(["profile"])
    counts.observe(exchange())

    assert {labels[0] for _, labels in rows(counts)} == {"profile"}


def test_the_data_paths_own_figures_become_gauges():
    put: dict[tuple[str, tuple[str, ...]], float] = {}
    stats = {"connections_client": 3, "in_flight_modern": 2, "pool_waits": 9}

    gauges(stats, lambda metric, labels, value: put.__setitem__((metric.name, labels), value))

    assert put == {
        (metric_names.CONNECTIONS.name, ("client",)): 3,
        (metric_names.IN_FLIGHT.name, ("modern", "live")): 2,
    }
