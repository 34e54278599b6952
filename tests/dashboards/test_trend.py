"""A route's history becomes charts."""

from __future__ import annotations

from dashboards.charts import Chart, Moment, SideMoment, charts


def drawn(*moments: Moment, weights: tuple[tuple[float, float], ...] = ()) -> dict[str, Chart]:
    event = {"at": "1970-01-01T00:01:40.000Z", "event": "rollback", "who": "guard", "reason": "errors"}
    made = charts(moments, weights, [event], {"error_rate": 0.05, "p95": 1.0}, 0.0, 200.0)
    return {chart.title: chart for chart in made}


def test_a_weight_stays_until_it_is_another_one():
    made = drawn(weights=((-50.0, 10.0), (100.0, 0.0)))

    (line,) = made["Weight"].lines
    assert line.points == ((0.0, 10.0), (100.0, 10.0), (100.0, 0.0), (200.0, 0.0))


def test_a_weight_that_is_not_known_yet_is_not_drawn():
    (line,) = drawn(weights=((150.0, 5.0),))["Weight"].lines

    assert line.points == ((150.0, 5.0), (200.0, 5.0))


def test_rates_are_those_of_their_moment_and_nothing_where_nothing_was():
    moment = Moment(50.0, 10.0, SideMoment(200, 10, 0.1, 0.2, 0.3), SideMoment(), compared=40, different=1, eligible=50)

    made = drawn(moment)

    assert [line.points for line in made["Requests a second"].lines] == [((50.0, 20.0),), ((50.0, 0.0),)]
    assert [line.points for line in made["Errors"].lines] == [((50.0, 0.05),), ((50.0, None),)]
    assert made["Differences among compared pairs"].lines[0].points == ((50.0, 0.025),)
    assert made["Coverage: compared of eligible"].lines[0].points == ((50.0, 0.8),)


def test_the_guards_limits_are_drawn_where_they_judge():
    made = drawn()

    assert [limit.value for limit in made["Errors"].limits] == [0.05]
    assert [limit.value for limit in made["Latency: P95, thin P50 with P99"].limits] == [1.0]
    assert made["Differences among compared pairs"].limits == ()


def test_events_are_marked_in_every_chart():
    for chart in drawn().values():
        assert [(mark.at, mark.name, mark.style) for mark in chart.marks] == [(100.0, "rollback guard errors", "bad")]
