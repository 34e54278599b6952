"""The status table says in words what the status document says in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.html import seconds
from dashboards.terminal import COLUMNS, headline, rows
from dashboards.views import status_view

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
