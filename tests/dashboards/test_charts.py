"""Charts draw what was measured, leave out what was not, show the limits."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.charts import (
    Beside,
    Chart,
    Limit,
    Line,
    Mark,
    Moment,
    Point,
    SideMoment,
    axis_top,
    beside,
    charts,
    figure,
    interval,
    summary,
    svg,
)


def chart(*points: Point, limits: tuple[Limit, ...] = (), marks: tuple[Mark, ...] = ()) -> Chart:
    line = Line("modern", "modern", points)
    return Chart("Errors", (line,), 0.0, 100.0, lambda value: f"{value:g}", lambda at: f"t{at:g}", limits, marks)


def parsed(made: Chart) -> ET.Element:
    return ET.fromstring(svg(made))


def test_a_gap_in_what_was_measured_is_a_gap_in_the_line():
    drawn = parsed(chart((10, 1.0), (20, 2.0), (30, None), (40, 1.0), (50, 3.0), (60, None), (70, 2.0)))

    assert len(drawn.findall("polyline")) == 2
    assert len(drawn.findall("circle")) == 1


def test_a_limit_near_the_data_is_drawn_to_scale():
    drawn = parsed(chart((10, 0.03), limits=(Limit("limit", 0.05),)))

    (limit,) = [line for line in drawn.findall("line") if line.get("class") == "limit"]
    assert 0 < float(limit.get("y1", "")) < 180
    assert "limit 0.05" in [text.text for text in drawn.findall("text")]


def test_a_limit_far_above_stands_at_the_edge_and_the_data_fill_the_picture():
    drawn = parsed(chart((10, 0.001), (20, 0.001), limits=(Limit("limit", 0.05),)))

    assert [line for line in drawn.findall("line") if line.get("class") == "limit"] == []
    assert "limit 0.05 ↑" in [text.text for text in drawn.findall("text")]
    (line,) = drawn.findall("polyline")
    assert float(line.get("points", "").split()[0].split(",")[1]) < 60


def test_every_moment_says_its_values_under_the_pointer_some_of_very_many():
    few, many = (parsed(chart(*((at / count * 100, 1.5) for at in range(count)))) for count in (3, 500))

    titles = [each.findtext("title") for each in few.findall("g")]
    assert titles[0] == "t0 UTC\nmodern 1.5"
    assert len(titles) == 3
    assert 50 <= len(many.findall("g")) <= 60


def test_charts_begin_where_there_is_something_to_draw():
    moments = [Moment(at, 10.0, SideMoment(requests=int(at >= 3000))) for at in range(10, 3600, 10)]

    begins = {made.start for made in charts(moments, [], [], {}, 0.0, 3600.0)}
    nothing = {made.start for made in charts([], [], [], {}, 0.0, 3600.0)}

    assert (begins, nothing) == ({2990.0}, {0.0})


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_what_was_seen_and_narrows_with_what_is_seen(bad: int, more: int):
    of = bad + more
    low, high = interval(bad, of)
    closer = interval(bad * 10, of * 10)

    assert 0 <= low <= high <= 1
    if of:
        assert low <= bad / of <= high
        assert closer[1] - closer[0] <= high - low


def test_both_sides_are_drawn_with_interval_and_threshold_and_told_in_words():
    made = beside(Beside("Errors", (5, 1000), (30, 500), 0.015))

    drawn = ET.fromstring(made)
    assert len(drawn.findall(".//circle")) == 2
    assert len(drawn.findall(".//line[@class='limit']")) == 1
    assert "legacy 0.5 % (5 of 1,000; 0.21 % to 1.2 %)" in made
    assert "threshold 1.5 %" in made


def test_what_happened_is_marked_where_it_happened_and_only_within_the_picture():
    drawn = parsed(chart((10, 1.0), marks=(Mark(50, "rollback guard", "bad"), Mark(500, "later"))))

    (mark,) = [each for each in drawn.findall("g") if "mark" in each.get("class", "")]
    assert mark.get("class") == "mark bad"
    assert mark.findtext("title") == "t50 UTC rollback guard"


def test_the_picture_says_itself_in_words():
    said = summary(chart((10, 1.0), (20, 4.0), (30, 2.0), limits=(Limit("limit", 5.0),)))

    assert said == "modern 2, at most 4; limit limit 5"
    assert "nothing" in figure(chart())


def test_nothing_is_styled_in_place():
    assert "style=" not in figure(chart((10, 1.0), (20, 2.0), limits=(Limit("limit", 5.0),)))


@given(value=st.floats(min_value=1e-6, max_value=1e9))
def test_an_axis_ends_above_what_it_shows_but_not_far(value: float):
    assert value * (1 - 1e-9) <= axis_top(value) <= value * 1.51


@pytest.mark.parametrize(("value", "top"), [(0, 1), (1, 1), (0.05, 0.05), (7, 8), (108, 120), (0.000001, 0.000001)])
def test_an_axis_ends_at_a_round_number(value: float, top: float):
    assert axis_top(value) == pytest.approx(top)


@given(st.lists(st.tuples(st.floats(0, 100), st.none() | st.floats(0, 1e6)), max_size=30))
def test_no_point_leaves_the_picture(points: list[Point]):
    drawn = svg(chart(*sorted(points, key=lambda point: point[0])))

    for pair in " ".join(re.findall(r'points="([^"]+)"', drawn)).split():
        x, y = map(float, pair.split(","))
        assert 0 <= x <= 640
        assert 0 <= y <= 180
