"""The status table shows in words what the status document has in numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import words
from dashboards.html import digits, number, percent, seconds, share
from dashboards.pages.layout import evidence
from dashboards.terminal import COLUMNS, headline, rows
from dashboards.views import status_view
from rules.guard.evidence import REASONS

QUIET = {"requests": 0, "errors": 0, "error_rate": 0.0, "p50": None, "p95": None}
BUSY = {"requests": 600, "errors": 6, "error_rate": 0.01, "p50": 0.02, "p95": 0.1234}


def document(**route: Any) -> dict[str, Any]:
    usual = {
        "name": "profile",
        "stage": "canary",
        "weight": {"intended": 10.0, "effective": 10.0},
        "window": 60.0,
        "legacy": BUSY,
        "modern": QUIET,
    }
    return {
        "config": {"digest": "abc", "error": None},
        "instances": [
            {"ready": True, "reasons": [], "workers": [{"accepting": True}, {"accepting": False}]},
        ],
        "routes": [{**usual, **route}],
    }


def cells(**route: Any) -> tuple[str, ...]:
    (row,) = rows(status_view(document(**route)))
    assert len(row) == len(COLUMNS)
    return row


def test_a_busy_side_shows_rate_errors_and_p95_and_a_quiet_one_nothing():
    assert cells() == ("profile", "canary", "10 %", "10", "1 %", "123 ms", "-", "-", "-", "-", "-")


def test_a_side_that_answers_nobody_shows_its_copies_as_such():
    quiet = {"requests": 0, "errors": 0, "error_rate": None, "p50": None, "p95": None}
    busy = {"requests": 120, "errors": 6, "error_rate": 0.05, "p50": 0.1, "p95": 0.4}

    shown = cells(copies={"legacy": busy, "modern": busy})

    assert shown[3:9] == ("10", "1 %", "123 ms", "2 copies", "5 %", "400 ms")
    assert cells(copies={"legacy": busy, "modern": quiet})[6:9] == ("-", "-", "-")


def test_a_weight_in_effect_that_is_not_the_files_shows_both():
    assert cells(stage="rolled_back", weight={"intended": 25.5, "effective": 0.0})[2] == "0 % (file: 25.5 %)"


def test_comparison_shows_once_there_is_one():
    assert cells(compare={"mismatch_rate": 0.004, "coverage": 1.0})[-2:] == ("0.4 %", "100 %")
    assert cells(compare={"coverage": 0.1, "coverage_reason": "session"})[-2:] == ("-", "session")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (0.0005, "0.5 ms"),
        (0.25, "250 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.0, "1 s"),
        (12.345, "12.3 s"),
    ],
)
def test_durations_are_said_as_people_say_them(value: float | None, said: str):
    assert seconds(value) == said


def test_the_headline_says_whether_all_is_well():
    well = document()
    refused = {**document(), "config": {"digest": "abc", "error": "proxy.yaml:1:1: broken"}}
    unready = document()
    unready["instances"][0] |= {"ready": False, "reasons": ["worker 1 does not accept"]}

    assert headline(status_view(well)) == "ready · 1 of 2 workers accept · configuration abc"
    assert "the file on disk is refused" in headline(status_view(refused))
    assert headline(status_view(unready)).startswith("not ready: worker 1 does not accept")


@given(st.floats(0, 1))
def test_only_all_of_it_is_100_percent_and_only_nothing_is_0(value: float):
    said = share(value)

    assert "e" not in said
    assert (said == "100 %") == (value == 1)
    assert (said == "0 %") == (value == 0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_never_reads_as_a_smaller_one(one: float, other: float):
    less, more = sorted((one, other))

    assert read(share(less)) <= read(share(more))


def read(said: str) -> float:
    return float(said.removesuffix(" %").replace("<", "").replace(">", "")) + 0.01 * (said[0] == ">")


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.995, "99.5 %"), (0.9999, "> 99.9 %"), (0.99, "99 %"), (0.984, "98 %"), (1e-7, "< 0.001 %"),
     (0.00012, "0.012 %"),
     (-0.02, "-2 %"), (0.615, "62 %")],
)  # fmt: skip
def test_a_share_is_read_at_a_glance(value: float, said: str):
    assert share(value) == said


@given(st.floats(0, 1e12))
def test_no_number_has_an_exponent(value: float):
    assert not any("e" in said(value) for said in (number, percent, seconds, share, digits))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("worse_p95", 0.615, "62 %"), ("p95", 0.615, "615 ms"), ("worse_errors", 0.001, "0.1 %"),
     ("mismatch", 0.01, "1 %"),
     ("worse_4xx", 0.2, "20 %"), ("invariant", 2.0, "2"), ("consecutive", 5.0, "5")],
)  # fmt: skip
def test_a_check_is_written_in_its_unit(name: str, value: float, said: str):
    assert words.check_figure(name, value) == said


def test_every_check_of_the_guard_has_a_name_for_people():
    assert all(words.check_name(name) != name.replace("_", " ") for name in REASONS)


def test_a_verdict_is_told_in_sentences_the_accusation_first():
    checks = [
        {"name": "errors", "outcome": "good", "value": 0.0, "limit": 0.05, "detail": "0 of 124 failed"},
        {"name": "mismatch", "outcome": "bad", "value": 7 / 124, "limit": 0.01, "detail": "7 of 124 differ"},
    ]
    said = evidence(
        {"detail": "d", "outcome": "bad", "reason": "mismatch", "window": 60.0, "instances": 2, "checks": checks}
    )

    assert said.startswith("<ul><li>Different answers: 7 of 124 differ, seen 5.6 %, limit 1 %</li>")
    assert "within their limits: errors" in said
    assert "the last 60 s of 2 instances together" in said


def test_evidence_of_any_shape_has_its_units():
    said = evidence({"upper_bound": 0.4198, "mismatch_rate": 0.5, "window": 60, "count": 1234, "known": True, "of": []})

    assert "<dt>at most different</dt><dd>42 %</dd>" in said
    assert "<dd>50 %</dd>" in said
    assert "<dd>60 s</dd>" in said
    assert "<dd>1,234</dd>" in said
    assert "<dd>none</dd>" in said
