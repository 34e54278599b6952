"""Numbers of several workers become one, whichever ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry import metric_names
from proxy.telemetry.aggregation import Totals

REQUESTS = (metric_names.REQUESTS.name, ("profile", "legacy", "live", "2xx"))
IN_FLIGHT = (metric_names.IN_FLIGHT.name, ("legacy", "live"))
LAG = (metric_names.LOOP_LAG.name, ())
DURATION = (metric_names.OVERHEAD.name, ("profile",))
ONE, TWO = (0, 1), (1, 1)


def row(key, *values: float):
    return (*key, values)


def test_counters_add_up_gauges_add_up_and_the_worst_lag_speaks_for_all():
    totals = Totals()
    totals.report(ONE, [row(REQUESTS, 3), row(IN_FLIGHT, 2), row(LAG, 0.1), row(DURATION, 1, 0, 0.5)])
    totals.report(TWO, [row(REQUESTS, 4), row(IN_FLIGHT, 1), row(LAG, 0.3), row(DURATION, 0, 2, 0.25)])

    assert totals.sums() == {REQUESTS: (7,), IN_FLIGHT: (3,), LAG: (0.3,), DURATION: (1, 2, 0.75)}


def test_a_dead_workers_counts_stay_and_its_gauges_go():
    totals = Totals()
    totals.report(ONE, [row(REQUESTS, 3), row(IN_FLIGHT, 2), row(DURATION, 1, 0, 0.5)])
    totals.keep_only([])
    totals.report((0, 2), [row(REQUESTS, 1)])

    assert totals.sums() == {REQUESTS: (4,), DURATION: (1, 0, 0.5)}


def test_a_report_replaces_the_workers_earlier_one():
    totals = Totals()
    totals.report(ONE, [row(REQUESTS, 3)])
    totals.report(ONE, [row(REQUESTS, 5)])
    totals.report(ONE, [row(REQUESTS, 5)])

    assert totals.sums() == {REQUESTS: (5,)}


def test_a_worker_that_met_a_route_again_counts_on():
    totals = Totals()
    totals.report(ONE, [row(REQUESTS, 9), row(DURATION, 4, 5, 1.0)])
    totals.report(ONE, [row(REQUESTS, 1), row(DURATION, 1, 0, 0.5)])

    assert totals.sums() == {REQUESTS: (10,), DURATION: (5, 5, 1.5)}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans()), max_size=40))
def test_no_order_of_reports_and_deaths_loses_a_count(story: list[tuple[int, int, bool]]):
    totals = Totals()
    alive = dict.fromkeys(range(3), 1)
    counted = dict.fromkeys(range(3), 0)
    true = 0
    for slot, more, dies in story:
        counted[slot] += more
        true += more
        totals.report((slot, alive[slot]), [row(REQUESTS, counted[slot])])
        if dies:
            alive[slot] += 1
            counted[slot] = 0
            totals.keep_only(alive.items())

    assert totals.sums().get(REQUESTS, (0,)) == (true,)
